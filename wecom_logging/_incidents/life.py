"""The life of an incident, written once: when it is told, how long it waits, and when it is over.

Values in, values out: no clock, no thread, no store. A store keeps the rows and their order; what a row becomes, and
when it is due, is decided here. What a store does by itself is counting, which needs no rule but `counted`, and lending
a row to one process until a lease ends (`claimed`).
"""

from __future__ import annotations

from dataclasses import replace

from .incident import NOTHING, Count, Incident, Own

MAX_WAIT_S = 3600.0
"""The wait between two digests doubles up to this."""

QUIET_WINDOWS = 10
"""After so many windows without a record an incident is over."""

LEAST_DIGESTS = 2
"""After so many digests a closing line says that it is over."""

EXPIRES_S = 24 * 3600.0
"""What could not be told for so long is given up."""

PATIENCE = 3
"""Rounds after which an alert lets others go first: WeCom, or something before it, may refuse just this one."""

SPANS = 8
"""Into which the wait between two digests is divided, for the curve of the rate."""

MAX_RATES = 4 * SPANS + 1
MAX_SAMPLES = 8


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
        lane=count.lane,
        first=count.first,
        count=count.number,
        counted_at=now,
        untold_at=now,
        began=count.last,
        since=count.last,
        last=count.last,
        samples=count.samples[:MAX_SAMPLES],
        own=count.own,
    )


def counted(incident: Incident, count: Count, now: float) -> Incident:
    """More of it. It commutes: in whatever order several processes add, the incident becomes the same."""
    if not count.number:
        return replace(incident, own=incident.own + count.own)
    begins = not incident.untold
    return replace(
        incident,
        count=incident.count + count.number,
        counted_at=now,
        untold_at=now if begins else incident.untold_at,
        since=count.last if begins else incident.since,
        last=max(incident.last, count.last),
        samples=(*incident.samples, *count.samples)[:MAX_SAMPLES],
        rates=_rates(incident, count.number, now),
        own=incident.own + count.own,
    )


def _rates(incident: Incident, number: int, now: float) -> tuple[int, ...]:
    at = span_at(incident, now)
    rates = [*incident.rates, *[0] * (at + 1 - len(incident.rates))]
    rates[at] += number
    return tuple(rates)


def span_s(incident: Incident) -> float:
    """How long one step of the curve is; 0: there is one step only."""
    return incident.wait_s / SPANS


def span_at(incident: Incident, now: float) -> int:
    """The step of the curve in which a record is counted now."""
    long = span_s(incident)
    return min(max(int((now - incident.told_at) / long), 0), MAX_RATES - 1) if long > 0 else 0


def rank(level: int, *, crowded: bool, tries: int = 0) -> int:
    """Who goes first: the most severe; of one level those of whose line nothing else waits; the often refused last."""
    return 2 * max(0, min(level, 1000)) + (not crowded) - 2002 * min(tries // PATIENCE, 10)


def rank_of(incident: Incident, failed: int = 0) -> int:
    """Its rank, where so many more rounds have failed."""
    return rank(incident.level, crowded=not incident.rank % 2, tries=incident.tries + failed)


def wake_at(incident: Incident) -> float:
    """When it is due as soon as something of it is untold."""
    if incident.owner:
        return incident.until
    return max(incident.not_before, incident.told_at + incident.wait_s if incident.told else incident.untold_at)


def over_at(incident: Incident) -> float:
    """When it is over, if nothing more comes."""
    return quiet_at(incident.told_at, incident.counted_at, incident.window_s)


def quiet_at(told_at: float, counted_at: float, window_s: float) -> float:
    """When nothing was told or counted for so long that a record would be a new incident."""
    return max(told_at, counted_at) + QUIET_WINDOWS * window_s


def due_at(incident: Incident) -> float:
    """When a process has to look at it: to send it, to close it, or because a lease has ended."""
    return wake_at(incident) if incident.owner or incident.untold else max(over_at(incident), incident.not_before)


def is_over(incident: Incident) -> bool:
    """Of one that is due: whether nothing is left to tell, but for its end."""
    return not incident.untold


def has_closing_line(incident: Incident) -> bool:
    """Whether a line says that it is over; else it ends in silence."""
    return incident.digests >= LEAST_DIGESTS


def is_expired(incident: Incident, now: float) -> bool:
    """Whether its oldest record has waited for too long."""
    return incident.untold > 0 and now - incident.untold_at >= EXPIRES_S


def claimed(incident: Incident, *, owner: str, until: float, version: int) -> Incident:
    """One process may tell it until the lease ends."""
    return replace(incident, owner=owner, until=until, version=version)


def alone(incident: Incident, now: float) -> Incident:
    """As its first message tells it: the first alert and no more, if that is fresh; what came since is for a digest."""
    if incident.told or incident.count == 1 or now - incident.untold_at >= incident.window_s:
        return incident
    own = incident.own
    one = Own(own.captured, 0, own.seen) if own.captured else Own(0, min(own.counted, 1), own.seen)
    return replace(incident, count=1, last=incident.began, samples=(), rates=(), own=one)


def sent(incident: Incident, now: float) -> Incident | None:
    """A message has told it, as it was claimed. None: it was the closing line, and the incident is over.

    The wait doubles with each digest, but not with one that came before its time, as ``flush`` asks for.
    """
    if is_over(incident):
        return None
    is_first = not incident.told
    is_early = now < incident.told_at + incident.wait_s
    longer = incident.wait_s if is_early else min(2 * incident.wait_s, MAX_WAIT_S)
    return replace(
        unclaimed(incident),
        told=incident.count,
        digests=incident.digests + (not is_first),
        tries=0,
        wait_s=max(longer, incident.window_s) if not is_first else incident.window_s,
        told_at=now,
        since=incident.last,
        samples=(),
        rates=(),
        own=NOTHING,
    )


def refused(incident: Incident, now: float) -> Incident | None:
    """A message of it was refused for good: what was untold is given up, what comes waits as if that had been told."""
    after = sent(incident, now)
    return None if after is None else replace(after, digests=incident.digests)


def released(incident: Incident, now: float, wait_s: float = 0.0, *, failed: int = 0) -> Incident:
    """It was not sent: any process may claim it when the wait is over; ``failed`` rounds were tried."""
    return replace(
        unclaimed(incident),
        tries=incident.tries + failed,
        rank=rank_of(incident, failed),
        not_before=now + wait_s if wait_s > 0 else 0.0,
    )


def hastened(incident: Incident) -> Incident:
    """Somebody asks for it: what is untold of it is due now."""
    return replace(incident, wait_s=0.0, not_before=0.0)


def merged(there: Incident, before: Incident, after: Incident) -> Incident:
    """What a row becomes that was lent as ``before`` and is to be ``after``, with what was counted meanwhile."""
    tells = after.told != before.told
    return replace(
        after,
        short_id=there.short_id,
        count=there.count,
        last=there.last,
        counted_at=there.counted_at,
        untold_at=there.counted_at if tells and there.count > after.told else there.untold_at,
        since=after.since if tells else there.since,
        samples=there.samples[len(before.samples) :] if tells else there.samples,
        rates=() if tells else there.rates,
        hosts=there.hosts,
        processes=there.processes,
        own=there.own - before.own if tells else there.own,
    )


def unclaimed(incident: Incident) -> Incident:
    return replace(incident, owner="", until=0.0, not_before=0.0)
