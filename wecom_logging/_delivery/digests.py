"""`Digests`: what a message says of an incident. All text in it is masked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from .._capture.texts import instant
from .._incidents import plan
from .._incidents.apply import in_force
from .._incidents.hearers import missed_before
from .._incidents.pattern import pattern
from .._incidents.plan import Act
from .._incidents.values import Incident, began, comes_again, is_first, news, standing, total
from .._incidents.views import anew, hosts
from .._render.headline import named
from ..model import Alert, Answer, Digest, Sample
from ..model.alert import ESCALATED, TAKEN, UNDONE, Escalation

RARE_RECORDS = 5
RARE_WINDOWS = 3
"""Of so few records, or of one in so many windows, ten quiet windows do not show that it is mended."""

_MAX_SHOWN = 256
"""Samples of an incident that are remembered, so that none is shown twice."""
_MAX_KEYS = 1000
"""Of so many incidents."""


class Digests:
    """Those of one channel. It remembers which samples were shown; a leader that is new may show one again."""

    def __init__(self) -> None:
        self._shown: dict[str, dict[str, float]] = {}

    def of(self, shown: Incident, act: Act, alert: Alert, now: float) -> Digest:
        """What is said of an incident, as its message shows it, where ``act`` is due. The same again gives the same.

        ``alert`` is the one that `Opening.alert` names.
        """
        counts, sent = shown.counts, shown.sent
        digest = Digest(
            alert,
            short_id=shown.opening.short_id,
            times=sent.times + comes_again(shown),
            times_since=sent.times_since or counts.began,
        )
        has_ended = _has_ended(shown, act, now)
        if counts.count == shown.unsent == 1 and not has_ended:
            return with_answer(digest, shown, act, now)
        digest = replace(
            digest,
            count=shown.unsent,
            total=total(shown),
            since=instant(counts.since, 0.0),
            last=instant(counts.last, 0.0),
            samples=self._new_samples(shown, alert),
            variants=counts.variants,
            rates=counts.rates,
            quiet_s=_quiet_for_s(shown, now) if act is Act.END and not is_first(shown) else 0.0,
            is_over=has_ended,
            has_stopped=has_stopped(shown, now),
            is_rare=is_rare(shown),
            hosts=hosts(shown),
            processes=len(counts.places) or 1,
        )
        return with_answer(digest, shown, act, now)

    def of_step(self, shown: Incident, alert: Alert, told: Sequence[str], *, at: float, count: int) -> Digest:
        """The whole alert, for those of its next step, with so many records (``count``) as had come when the step was
        tried first, ``at`` that time: each try has the same text. ``told`` are those who got it before."""
        opening, step, number = shown.opening, shown.step, max(count - shown.counts.base, 1)
        assert step is not None
        taken = standing(shown)
        return Digest(
            anew(alert, shown),
            count=number,
            total=number,
            times=shown.sent.times,
            times_since=shown.sent.times_since,
            short_id=opening.short_id,
            answer=Answer(ESCALATED, "", "", at, count=count),
            told_at=at,
            escalation=Escalation(
                step.number + 1,
                len(opening.steps),
                opening.steps[step.number],
                tuple(told),
                missed_before(shown),
                taken[1].who if taken is not None and taken[1].verb == TAKEN else "",
            ),
        )

    def forget(self, key: str) -> None:
        """What comes of it is new."""
        self._shown.pop(key, None)

    def _new_samples(self, shown: Incident, alert: Alert) -> tuple[Sample, ...]:
        """Those that differ from the first, and from what was shown, in more than values."""
        if not shown.counts.samples:
            return ()
        said = [alert.message, alert.formatted or "", *(variant.text for variant in shown.counts.variants)]
        said += [named(alert.message, last.type, last.text) for last in alert.failures[-1:]]
        known, new = set(map(pattern, said)), list[Sample]()
        key = shown.opening.key
        before = self._shown[key] = self._shown.pop(key, {})
        for one in shown.counts.samples:
            form = pattern(one.text)
            if form not in known and before.setdefault(form, one.time) == one.time:
                new.append(one)
            known.add(form)
        if len(before) > _MAX_SHOWN:
            before.clear()
        if len(self._shown) > _MAX_KEYS:
            del self._shown[next(iter(self._shown))]
        return tuple(new)


def carried(digest: Digest, alert: Alert, short_id: str) -> Digest:
    """Of an alert that another handler has handed over: its numbers stay."""
    return replace(digest, alert=alert, short_id=short_id)


def with_answer(digest: Digest, shown: Incident, act: Act, now: float) -> Digest:
    """With what a person did with its incident."""
    found, said = standing(shown), news(shown, now) if act is Act.NEWS else None
    answer = said or (None if found is None else found[1])
    digest = replace(digest, alert=anew(digest.alert, shown), told_at=now)
    if answer is None:
        return digest
    return replace(
        digest,
        answer=answer,
        answered_count=max(shown.counts.count - answer.count, 0),
        is_news=said is not None,
        back=back(shown, now),
    )


def back(incident: Incident, now: float) -> Answer | None:
    """What is in force again, where the last thing a person did was to undo another."""
    last = incident.answers[-1:]
    return in_force(incident, now) if last and last[0].verb in UNDONE.values() else None


def has_stopped(incident: Incident, now: float) -> bool:
    """True if the last record is older than a window, and than the usual gap of two of them."""
    window_s = incident.opening.window_s
    usual_s = (incident.counts.last - began(incident)) / max(total(incident) - 1, 1)
    longest_s = plan.FRESH_WINDOWS * window_s  # what is sent in red and is older is over
    return now > incident.counts.at + max(window_s, min(usual_s, longest_s))


def is_rare(incident: Incident) -> bool:
    """True if it came so seldom that its end may mean that it was not tried again."""
    number, window_s = total(incident), incident.opening.window_s
    lasted_s = incident.counts.last - began(incident)
    return number < RARE_RECORDS or lasted_s > (number - 1) * RARE_WINDOWS * window_s


def _has_ended(incident: Incident, act: Act, now: float) -> bool:
    """True if its message says that it goes on no more: by its end, or where it was over before quiet hours were."""
    hold = incident.hold
    has_waited = hold is not None and hold.is_of_wall
    return act is Act.END or (has_waited and plan.over_at(incident) <= now)


def _quiet_for_s(incident: Incident, now: float) -> float:
    """For how long nothing came, as its end is said; of one that has waited since its last record."""
    hold = incident.hold
    has_waited = hold is not None and hold.is_of_wall
    is_late = has_waited or standing(incident) is not None or bool(incident.opening.steps)
    return max(plan.quiet_s(incident), now - incident.counts.at if is_late else 0.0)
