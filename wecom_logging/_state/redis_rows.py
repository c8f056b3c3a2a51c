"""How incidents stand in Redis: a document each, beside the numbers and names that the scripts of `lua/` compare.

A program that may write into the server may have written anything: what is read is checked.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import math
from dataclasses import dataclass, replace
from typing import Any

from .._incidents import answered, life, limits, stored
from .._incidents.codec import dump, dump_count, load, load_count, shifted
from .._incidents.incident import Count, First, Incident, Place
from .._incidents.short_id import LEAST, MOST, short_ids
from .base import StateError
from .entries import MAX_CHARACTERS, Entry, pack, text_of, unpack
from .rows import digest

MAX_KEY_CHARACTERS = 1024
MAX_SAMPLE_CHARACTERS = 4096
NOT_OURS = (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError)
"""What reading raises that was not written by us."""

NUMBERS = (
    "wake",
    "due",
    "told_at",
    "told",
    "rank",
    "count",
    "folded",
    "version",
    "last",
    "untold_at",
    "held",
    "takes_first",
)
TEXTS = ("key", "id", "event", "owner", "audience", "cause")
"""The fields of a row. ``count`` has what was counted in all, ``folded`` how many parts of it are in the document."""


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


@dataclass(frozen=True, slots=True)
class Row:
    """A row as it was read: with what was counted since its document was written, of which there are so many ``parts``;
    ``why`` of a dead letter. ``shift`` was added to the server's times."""

    incident: Incident
    folded: int
    parts: int
    why: str = ""
    letter: str = ""
    shift: float = 0.0


def row_of(version: str, numbers: str, document: str, entry: str, *parts: str) -> Row:
    """A row as the scripts answer it, on the server's clock. ValueError where it was not written by us."""
    row: dict[str, Any] = json.loads(numbers)
    first = Entry(unpack(entry))
    is_new = document[:1] != "{"  # it was opened, and never written since: as a part
    incident = None if is_new else load(document, first)
    for part in (document, *parts) if is_new else parts:
        with contextlib.suppress(*NOT_OURS):  # what others have changed, which is counted all the same
            incident = _counted(incident, part, first, str(row["id"]))
    if incident is None or incident.key != unpack(row["key"]):
        raise ValueError("a document of another key, or none")
    if incident.short_id != row["id"]:  # of one that was opened without a record: the server gives it
        incident = replace(incident, short_id=str(row["id"]))
    if letter := str(row.get("letter", "")):
        return Row(replace(incident, count=int(row["count"]), told=0), 0, 0, unpack(row["why"]), letter)
    if (count := max(int(row["count"]), incident.told)) != incident.count:  # the server threw a part away
        incident = replace(incident, count=count)
    owner = unpack(row["owner"]) if row["owner"] else ""
    if incident.version != int(version):
        if owner:
            incident = stored.claimed(incident, owner=owner, until=float(row["wake"]), version=int(version))
        else:
            incident = replace(incident, version=int(version))
    return Row(incident, int(row["folded"]), len(parts))


def _counted(incident: Incident | None, part: str, first: First, short_id: str) -> Incident | None:
    at, host, process, has_first, text = part.split(" ", 4)
    return stored.added(
        incident,
        replace(load_count(text), first=first if has_first == "1" else None),
        now=finite(float(at)),
        short_id=lambda: short_id,
        version=lambda: 0,
        place=(host, process) if host != "-" else None,
    )


def columns(row: Incident) -> dict[str, Any]:
    """By what a row is ordered and found, on the server's clock."""
    return {
        "version": row.version,
        "wake": finite(life.wake_at(row)),
        "due": finite(life.due_at(row)),
        "new_variant": finite(life.new_variant_at(row)),
        "told_at": finite(row.told_at) if row.told else 0,
        "told": row.told,
        "rank": row.rank,
        "untold_at": finite(row.untold_at),
        "held": finite(row.held_until),
        "takes_first": int(answered.is_closed(row)),
        "event": packed(row.event),
        "owner": packed(row.owner),
        "audience": digest(row.audience),
        "cause": packed(row.cause),
    }


def count_of(one: Count, letter: str, place: Place | None, version: int) -> dict[str, Any]:
    """What is to be counted; of a first alert also what it opens. ``letter``: the dead letter that it was, or ""."""
    samples = tuple(replace(sample, text=sample.text[:MAX_SAMPLE_CHARACTERS]) for sample in one.samples)
    variants = tuple(
        replace(variant, name=variant.name[:MAX_SAMPLE_CHARACTERS], text=variant.text[:MAX_SAMPLE_CHARACTERS])
        for variant in one.variants[: limits.MAX_VARIANTS]
    )
    one = replace(one, samples=samples[: limits.MAX_SAMPLES], variants=variants, last=finite(one.last))
    host, process = place or ("-", "-")
    found: dict[str, Any] = {
        "key": _key(one.key),
        "number": one.number,
        "last": one.last,
        "event": packed(one.event),
        "has_new": stored.has_new_variant(variants),
        "part": f"{host} {process} {int(one.first is not None)} {dump_count(one)}",
    }
    if letter:
        found["letter"] = letter
    if one.first is not None:
        opened = stored.opened(one, short_id="", version=version, now=0.0)
        found |= {"entry": _entry(opened), "id": _longest_id(one.key), "columns": _without_times(opened)}
    return found


def opened_of(row: Incident) -> dict[str, Any]:
    """A row that is opened without a record, on the server's clock."""
    return {
        "key": _key(row.key),
        "number": row.untold,
        "last": finite(row.last),
        "event": packed(row.event),
        "document": dump(row),
        "entry": _entry(row),
        "id": _longest_id(row.key),
        "columns": columns(row),
    }


def change_of(there: Row, moved: stored.Moved | None, why: str = "") -> dict[str, Any]:
    """What becomes of a row that was read. None: what was counted since goes into its document, and no more."""
    before = there.incident
    found: dict[str, Any] = {
        "key": pack(before.key),
        "version": before.version,
        "folded": there.folded,
        "parts": there.parts,
        "read": before.count,
    }
    row = before if moved is None else moved.row
    if moved is not None:
        found["account"] = moved.account
    if row is not None:
        row = shifted(row, -there.shift)
        found |= {"columns": columns(row), "document": dump(row)}
        found["number"] = 0 if moved is None else moved.number
    elif not why:
        found["count"] = before.count
    if moved is not None and why:
        found |= {"why": pack(why[:200]), "letter": dump(shifted(stored.unclaimed(before), -there.shift))}
    return found


def _without_times(row: Incident) -> dict[str, Any]:
    """They are the server's, when it opens the row."""
    return {name: value for name, value in columns(row).items() if name not in ("wake", "due", "untold_at")}


def _longest_id(key: str) -> str:
    """It takes as much of it as it needs."""
    return next(itertools.islice(short_ids(key), MOST - LEAST, None))


def _entry(row: Incident) -> str:
    entry = pack(text_of(row.first))
    if len(entry) > MAX_CHARACTERS:
        raise StateError("an alert is too long for the shared state")
    return entry


def _key(key: str) -> str:
    packed = pack(key)
    if len(packed) > MAX_KEY_CHARACTERS:
        raise StateError("a fingerprint is too long for the shared state")
    return packed
