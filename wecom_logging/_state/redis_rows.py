"""How incidents stand in Redis: as ASCII, with times from now, in the fields that the scripts of `lua/` know.

Whoever may write into the server may have written anything: what is read is checked.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
import json
import math
from typing import Any

from .._incidents import life
from .._incidents.incident import NO_ANSWERS, Answers, Count, Incident
from .._incidents.short_id import LEAST, MOST, short_ids
from ..model import Kind, Sample
from .base import StateError, Swap
from .entries import MAX_CHARACTERS, Entry, dump_answers, load_answers, text_of

MAX_KEY_CHARACTERS = 1024
MAX_SAMPLE_CHARACTERS = 4096
NOT_OURS = (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError)
"""What reading raises that was not written by us."""

NUMBERS = (
    *("wake", "due", "told_at", "not_before", "told", "span", "rank", "count", "version", "since", "last"),
    *("counted_at", "untold_at", "hosts", "processes", "held", "takes_first"),
)
TEXTS = ("key", "id", "event", "owner", "lane", "cause", "rest", "answers", "lent")
LISTS = ("samples", "rates")
"""The fields of a row, by what they are. Of ``rest`` the scripts ask nothing."""


def pack(text: str) -> str:
    """As ASCII, which is the same under every encoding that a given client may have."""
    return f"={text}" if text.isascii() and text.isprintable() else f"j{json.dumps(text)}"


def unpack(text: str) -> str:
    """ValueError where it was not packed by us."""
    if text[:1] == "=":
        return text[1:]
    found = json.loads(text[1:]) if text[:1] == "j" else None
    if not isinstance(found, str):
        raise ValueError("not packed")
    return found


@functools.lru_cache(1024)
def digest(name: str) -> str:
    return hashlib.blake2b(name.encode("utf-8", "backslashreplace"), digest_size=12).hexdigest()


def packed(text: str) -> str:
    return pack(text) if text else ""


def finite(value: float) -> float:
    return value if math.isfinite(value) and abs(value) < 1e15 else 0.0


def number_of(text: str | None) -> float:
    """0 where that is none of ours."""
    try:
        return finite(float(text)) if text else 0.0
    except ValueError:
        return 0.0


def count_of(one: Count, letter: str, now: float) -> dict[str, Any]:
    samples = [
        [finite(sample.time), pack(sample.text[:MAX_SAMPLE_CHARACTERS])] for sample in one.samples[: life.MAX_SAMPLES]
    ]
    found: dict[str, Any] = {"key": _key(one.key), "number": one.number, "last": finite(one.last), "samples": samples}
    found["kinds"] = list(map(_kind, one.kinds[: life.MAX_KINDS]))
    found["event"] = pack(one.event) if one.event else ""
    if letter:
        found["letter"] = letter
    if one.first is not None:
        found["entry"] = pack(text_of(one.first))
        if len(found["entry"]) > MAX_CHARACTERS:
            raise StateError("an alert is too long for the shared state")
        found["id"] = next(itertools.islice(short_ids(one.key), MOST - LEAST, None))  # it takes as much as it needs
        found["life"] = _life(life.opened(one, short_id="", version=0, now=now), now)
    return found


def _kind(kind: Kind) -> list[Any]:
    texts = pack(kind.name[:MAX_SAMPLE_CHARACTERS]), pack(kind.text[:MAX_SAMPLE_CHARACTERS])
    return [texts[0], kind.count, texts[1], finite(kind.time), int(kind.is_new)]


def swap_of(one: Swap, now: float) -> dict[str, Any]:
    before, after = one.before, one.after
    found: dict[str, Any] = {"key": pack(before.key), "version": before.version, "count": before.count}
    if one.why:
        found["why"] = pack(one.why[:200])
    if after is not None:
        found |= {
            "since": finite(after.since),
            "samples": len(before.samples),
            "kinds": list(map(_kind, before.kinds)),
            "life": _life(after, now),
        }
    return found


def _life(row: Incident, now: float) -> list[dict[str, Any]]:
    """What `life` decides of a row: times, as seconds from now, and the other fields."""
    times = {"wake": life.wake_at(row), "due": life.due_at(row)}
    if row.told:
        times["told_at"] = row.told_at
    if row.not_before:
        times["not_before"] = row.not_before
    if row.held_until:
        times["held"] = row.held_until
    rest = (row.level, row.window_s, row.lane, finite(row.began), row.digests, row.tries, row.wait_s)
    fields = {"told_at": 0, "not_before": 0, "told": row.told, "span": life.span_s(row), "rank": row.rank}
    fields |= {"held": 0, "takes_first": int(life.is_closed(row))}
    texts = {
        "owner": pack(row.owner) if row.owner else "",
        "lane": digest(row.lane),
        "cause": packed(row.cause),
        "rest": json.dumps(rest),
        "answers": packed(dump_answers(row.answers)),
        "lent": str(row.lent) if row.lent else "",
    }
    return [{name: finite(at - now) for name, at in times.items()}, fields | texts]


def incident_of(row: dict[str, Any], version: str, entry: str, shift: float) -> Incident:
    """A row as it was found, ``shift`` added to the server's clock. ValueError where it was not written by us."""
    level, window_s, lane, began, digests, tries, wait_s, *_ = json.loads(row["rest"])  # a later process may have more
    return Incident(
        key=unpack(row["key"]),
        short_id=row["id"],
        version=int(version),
        level=int(level),
        window_s=float(window_s),
        rank=int(row["rank"]),
        lane=str(lane),
        first=Entry(unpack(entry)),
        count=int(row["count"]),
        told=int(row["told"]),
        digests=int(digests),
        tries=int(tries),
        wait_s=float(wait_s),
        told_at=row["told_at"] + shift if row["told"] else 0.0,
        counted_at=row["counted_at"] + shift,
        untold_at=row["untold_at"] + shift,
        not_before=row["not_before"] + shift if row["not_before"] else 0.0,
        owner=unpack(row["owner"]) if row["owner"] else "",
        until=row["wake"] + shift if row["owner"] else 0.0,
        began=float(began),
        since=float(row["since"]),
        last=float(row["last"]),
        samples=tuple(Sample(finite(float(at)), unpack(text)) for at, text in row["samples"] or ()),
        kinds=tuple(
            Kind(unpack(name), int(count), unpack(text), finite(float(at)), bool(is_new))
            for name, count, text, at, is_new in row.get("kinds") or ()
        ),
        rates=tuple(map(int, row["rates"] or ())),
        hosts=max(int(row["hosts"]), 1),
        processes=max(int(row["processes"]), 1),
        cause=unpack(row["cause"]) if row["cause"] else "",
        answers=_answers(row["answers"]),
        held_until=row["held"] + shift if row["held"] else 0.0,
        lent=int(row["lent"]) if row["lent"].isdecimal() and len(row["lent"]) < 20 else 0,
    )


def _answers(text: str) -> Answers:
    """Where it is none of ours, the alert is told all the same."""
    try:
        return load_answers(unpack(text)) if text else NO_ANSWERS
    except (ValueError, RecursionError):
        return NO_ANSWERS


def _key(key: str) -> str:
    packed = pack(key)
    if len(packed) > MAX_KEY_CHARACTERS:
        raise StateError("a fingerprint is too long for the shared state")
    return packed
