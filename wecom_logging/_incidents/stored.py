"""What a store makes of a row: opened, counted, lent to one process, and given back by a swap.

Values in, values out, as `life`. What a store does by itself is counting, which needs no rule but `counted`, and
lending a row to one process until a lease ends (`claimed`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from ..model import Variant
from .answered import is_closed, newest_step, with_step
from .apply import MAX_PLACES, MAX_RATES, SPANS, more_variants
from .incident import NOTHING, Count, Incident, Place
from .limits import MAX_SAMPLES, MAX_VARIANTS, PATIENCE


def added(
    there: Incident | None,
    count: Count,
    *,
    now: float,
    short_id: Callable[[], str],
    version: Callable[[], int],
    place: Place | None = None,
) -> Incident | None:
    """What a count makes of the row of its key, which may not be there. None: it opens nothing.

    The very row where nothing is added. ``short_id`` and ``version`` are asked where it is opened.
    """
    if there is None:
        if count.first is None or not count.number:
            return None
        row = opened(count, short_id=short_id(), version=version(), now=now)
    elif (row := counted(there, count, now)) is there:
        return there
    if place is None or place in row.places or len(row.places) >= MAX_PLACES:
        return row
    return replace(row, places=(*row.places, place))


def opened(count: Count, *, short_id: str, version: int, now: float) -> Incident:
    """A first alert, or what was counted of an incident that is not open any more. It is due at once."""
    assert count.first is not None
    return Incident(
        key=count.key,
        short_id=short_id,
        version=version,
        level=count.level,
        window_s=count.window_s,
        rank=rank(count.level, crowded=count.crowded),
        audience=count.audience,
        first=count.first,
        count=count.number,
        counted_at=now,
        untold_at=now,
        began=count.last,
        since=count.last,
        last=count.last,
        samples=count.samples[:MAX_SAMPLES],
        variants=count.variants[:MAX_VARIANTS],
        cause=count.cause,
        event=count.event,
        duty=count.duty,
        steps=count.steps,
        own=count.own,
    )


def counted(incident: Incident, count: Count, now: float) -> Incident:
    """More of it. It commutes: in whatever order several processes add, the incident becomes the same.

    But for the first alert: of one that a person has closed, the next takes its place. What has opened it is not
    counted again.
    """
    if not count.number or (count.event and count.event == incident.event):
        return incident if count.own == NOTHING else replace(incident, own=incident.own + count.own)
    begins = not incident.untold
    first, event = incident.first, incident.event
    if count.first is not None and takes_first(incident):
        first, event = count.first, count.event
    return replace(
        incident,
        first=first,
        event=event,
        count=incident.count + count.number,
        counted_at=now,
        untold_at=now if begins else incident.untold_at,
        since=count.last if begins else incident.since,
        last=max(incident.last, count.last),
        samples=(*incident.samples, *count.samples)[:MAX_SAMPLES],
        variants=more_variants(incident.variants, count.variants),
        rates=_rates(incident, count.number, now),
        not_before=0.0 if has_new_variant(count.variants) else incident.not_before,  # why it waits is asked anew
        own=incident.own + count.own,
    )


def is_more(incident: Incident, count: Count) -> bool:
    """Whether a count has records that were not counted."""
    return count.number > 0 and not (count.event and count.event == incident.event)


def takes_first(incident: Incident) -> bool:
    """Whether the next first alert takes the place of its own."""
    return is_closed(incident) and not incident.untold


def _less_variants(variants: tuple[Variant, ...], told: tuple[Variant, ...]) -> tuple[Variant, ...]:
    """What came of them beside what a message has told."""
    counts = {variant.name: variant.count for variant in told}
    left = [replace(variant, count=variant.count - counts.get(variant.name, 0)) for variant in variants]
    return tuple(
        replace(variant, is_new=variant.is_new and variant.name not in counts) for variant in left if variant.count > 0
    )


def has_new_variant(variants: tuple[Variant, ...]) -> bool:
    """Whether one of them was shown by no message."""
    return any(variant.is_new for variant in variants)


def _rates(incident: Incident, number: int, now: float) -> tuple[int, ...]:
    at = span_at(incident, now)
    rates = [*incident.rates, *[0] * (at + 1 - len(incident.rates))]
    rates[at] += number
    return tuple(rates)


def span_at(incident: Incident, now: float) -> int:
    """The step of the curve in which a record is counted now."""
    long = incident.wait_s / SPANS
    return min(max(int((now - incident.told_at) / long), 0), MAX_RATES - 1) if long > 0 else 0


def rank(level: int, *, crowded: bool, tries: int = 0) -> int:
    """Who goes first: the most severe; of one level those of whose line nothing else waits; the often refused last."""
    return 2 * max(0, min(level, 1000)) + (not crowded) - 2002 * min(tries // PATIENCE, 10)


def rank_of(incident: Incident, failed: int = 0) -> int:
    """Its rank, where so many more rounds have failed."""
    return rank(incident.level, crowded=not incident.rank % 2, tries=incident.tries + failed)


# Lent to one process, and given back as what a swap makes of it.


def claimed(incident: Incident, *, owner: str, until: float, version: int) -> Incident:
    """One process may tell it until the lease ends."""
    return replace(incident, owner=owner, until=until, version=version, lent=0)


def unclaimed(incident: Incident) -> Incident:
    return replace(incident, owner="", until=0.0, not_before=0.0, lent=0)


@dataclass(frozen=True, slots=True)
class Moved:
    """What a swap makes of a row: another, or none.

    ``number`` of it ended, which is booked as ``account``; ``letter`` is what people may send again of that.
    """

    row: Incident | None
    account: str
    number: int
    letter: Incident | None = None


TOLD, GIVEN_UP, DISCARDED = "told", "given_up", "discarded"
"""What becomes of what was counted."""


def moved(
    there: Incident | None, before: Incident, after: Incident | None, why: str, version: Callable[[], int]
) -> Moved | None:
    """A row that was lent as ``before`` is to be ``after``, or to go. None: it is another one by now.

    What is given up for a reason ``why`` is kept for people; without one a row only goes if nothing was counted since.
    """
    if there is None or there.version != before.version:
        return None
    if after is None:
        return None if there.count != before.count and not why else removed(there, why)
    row = merged(there, before, after, version())
    return _ended(there, row, row.told - there.told, why, GIVEN_UP if why else TOLD)


def removed(there: Incident, why: str) -> Moved:
    """A row goes, claimed or not."""
    return _ended(there, None, there.untold, why, GIVEN_UP if why else DISCARDED)


def _ended(there: Incident, row: Incident | None, number: int, why: str, account: str) -> Moved:
    letter = replace(unclaimed(there), count=number, told=0) if why and number else None
    return Moved(row, account, number, letter)


def merged(there: Incident, before: Incident, after: Incident, version: int = 0) -> Incident:
    """What a row becomes that was lent as ``before`` and is to be ``after``, with what was counted meanwhile."""
    tells = after.told != before.told
    own = there.own - before.own if tells else there.own
    if tells and there.count == after.told:  # what is left are duplicate reports of what is told
        own = NOTHING
    return replace(
        after,
        short_id=there.short_id,
        event=there.event,
        count=there.count,
        last=there.last,
        counted_at=there.counted_at,
        untold_at=there.counted_at if tells and there.count > after.told else there.untold_at,
        since=after.since if tells else there.since,
        samples=there.samples[len(before.samples) :] if tells else there.samples,
        variants=_less_variants(there.variants, before.variants) if tells else there.variants,
        rates=() if tells else there.rates,
        places=there.places,
        beyond=there.beyond,
        own=own,
        version=version or after.version,
    )


def answered_meanwhile(there: Incident, before: Incident, after: Incident | None) -> Incident | None:
    """What a row becomes that was lent as ``before`` and is to be ``after``, where a person did something with it
    meanwhile. None: that claim is not in force any more."""
    if not there.lent or there.lent != before.version:
        return None
    if after is None:  # it is not over
        return unclaimed(there)
    if before.stepping_at and not after.stepping_at:  # what the step has told it has told
        journal, place = there.answers.journal, newest_step(after.answers.journal)
        if place >= 0:
            step = after.answers.journal[place]
            journal = with_step(journal, step.who, step.where)
        return replace(after, answers=replace(there.answers, journal=journal), held_until=there.held_until)
    if after.told == before.told:
        return replace(unclaimed(there), tries=after.tries, rank=after.rank, not_before=after.not_before)
    return replace(after, answers=there.answers, held_until=there.held_until)


# It leaves, and waits again.


def leaves_before(incident: Incident) -> tuple[bool, int, float]:
    """Where there are too many: first what is told already, then the least severe and oldest."""
    return incident.untold > 0, incident.rank, incident.untold_at


def written_again(letter: Incident) -> Count:
    """What was given up waits again, as when it was counted."""
    return Count(
        key=letter.key,
        number=letter.untold,
        level=letter.level,
        window_s=letter.window_s,
        last=letter.last,
        first=letter.first,
        audience=letter.audience,
        duty=letter.duty,
        steps=letter.steps,
    )
