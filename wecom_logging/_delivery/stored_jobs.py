"""`StoredRows`: the incidents of jobs in a store."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from .._incidents import answered
from .._incidents.fingerprint import audience_of
from .._incidents.incident import Count, Incident, Kept
from .._jobs.base import AGAIN_S, Missed
from .._jobs.job import News
from .._state.base import Answered, Incidents, answer
from .._state.shared import Shared
from ..model import Answer
from ..model.alert import BY_RUN, DONE


@dataclass(eq=False, repr=False)
class StoredRows:
    """Those of one handler."""

    channel: str
    _shared: Shared
    _clock: Callable[[], float]

    def missed(self, who: str, missed: Missed) -> None:
        target, alert, key, news, window_s, cause = missed
        count = Count(
            key=key,
            number=news.number,
            level=alert.level,
            window_s=window_s,
            last=news.at,
            first=Kept(alert),
            audience=audience_of(target.recipients),
            duty=target.duty,
            steps=target.steps,
            cause=cause,
        )
        now = self._clock()

        def again(one: Incident) -> Incident:
            """What was closed before it came goes on where nobody has heard so yet."""
            one = replace(one, cause=cause) if cause != one.cause and not one.owner else one
            closed = one.answers.now
            if closed is not None and closed.verb == DONE and not one.answers.is_said:
                is_of_before = before < news.serial or (before == news.serial and closed.where == BY_RUN)
                return answered.not_closed(one) if is_of_before else one
            is_long_ago = one.told > 0 and now - one.told_at >= AGAIN_S
            return replace(one, wait_s=0.0) if is_long_ago and not one.owner else one

        before = self._shared.call(lambda store: store.add(target.channel, who, "", news.serial, [count], now)).before
        self._shared.call(lambda store: answer(store, target.channel, key, again, lambda one: None, now))

    def ran(self, who: str, channel: str, key: str, news: News, answer_of_run: Answer) -> None:
        now = self._clock()

        def close(store: Incidents) -> Answered | None:
            def closed(one: Incident) -> Incident:
                newest = store.add(channel, who, "", news.serial, [], now).before
                if not answered.is_open(one) or newest > news.serial:  # it was missed again, whatever a clock shows
                    return one
                by, run = answer_of_run.who, answer_of_run.run
                return answered.done(one, by, BY_RUN, now=now, time=news.at, run=run)

            return answer(store, channel, key, closed, lambda one: None, now)

        self._shared.call(close)
