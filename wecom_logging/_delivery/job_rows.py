"""`LeaderRows`: the incidents of jobs in the book of a leader."""

from __future__ import annotations

from dataclasses import replace

from .._incidents.entries import Answered
from .._incidents.fingerprint import audience_of
from .._incidents.values import Incident, is_said, standing, was_sent
from .._incidents.views import is_open
from .._jobs.base import AGAIN_S, Missed
from .._jobs.job import News
from .._jobs.watch import LOOK_S
from ..model import Answer
from ..model.alert import BY_RUN, DONE, UNDONE
from .leader import Leader


class LeaderRows:
    """Those of one handler, of whose channel it alone knows."""

    def __init__(self, leader: Leader, channel: str) -> None:
        self._leader = leader
        self.channel = channel
        self._newest: dict[str, int] = {}
        """By whom news are numbered, the number of the newest."""

    def missed(self, who: str, missed: Missed) -> None:
        leader, news = self._leader, missed.news
        with leader.lock:
            before = self._newest.get(who, 0)
            if news.serial > before:
                self._newest[who] = news.serial
                self._open(missed)
            there, now = leader.book.get(missed.key), leader.now()
            if there is not None:
                leader.book.put(self._again(there, missed, before, now), now)

    def _open(self, missed: Missed) -> None:
        leader, (target, alert, key, news, window_s, cause) = self._leader, missed
        entry = leader.inbox.opened(alert, key=key, audience=audience_of(target.recipients))
        for _ in range(news.number):
            leader.inbox.accept()
        leader.append([replace(entry, last=news.at, window_s=window_s, cause=cause, count=news.number)])
        leader.read(leader.now())

    def _again(self, one: Incident, missed: Missed, before: int, now: float) -> Incident:
        """What a run has closed before it came goes on, where nobody has heard of that yet."""
        if missed.cause != one.opening.cause:
            one = replace(one, opening=replace(one.opening, cause=missed.cause))
        found = standing(one)
        if found is not None and found[1].verb == DONE and not is_said(one):
            closed, serial = found[1], missed.news.serial
            if before < serial or (before == serial and closed.where == BY_RUN):
                undone = Answer(UNDONE[DONE], closed.who, closed.where, missed.news.at)
                self._leader.append([Answered(answer=undone, key=missed.key)])
                self._leader.read(now)
                there = self._leader.book.get(missed.key)
                assert there is not None
                return replace(there, sent=replace(there.sent, wait_s=0.0))
            return one
        is_long_ago = was_sent(one) and now - one.sent.at > AGAIN_S + LOOK_S  # whatever second of a look it was
        return replace(one, sent=replace(one.sent, wait_s=0.0)) if is_long_ago else one

    def ran(self, who: str, channel: str, key: str, news: News, answer: Answer) -> None:
        leader = self._leader
        with leader.lock:
            there = leader.book.get(key)
            if there is None or not is_open(there) or self._newest.get(who, 0) > news.serial:
                return
            leader.append([Answered(answer=answer, key=key)])
            leader.read(leader.now())
