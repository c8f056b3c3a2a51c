"""A store that is not shipped, written from the contract alone: one JSON file for each channel, in one directory.

Who uses it holds a lock on the directory; a file is replaced as a whole, or not at all. Each use reads and writes all.
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields, replace
from pathlib import Path
from secrets import randbits, token_hex
from typing import Any
from urllib.parse import quote, unquote

from wecom_logging.incidents import life
from wecom_logging.incidents.incident import NOTHING, Count, Incident, Kept, Own
from wecom_logging.incidents.short_id import short_ids
from wecom_logging.model import Sample
from wecom_logging.state.base import LOCK_S, MAX_OPEN, Added, DeadLetter, Rules, SharedBooks, StateError, Swap, Taken
from wecom_logging.state.entries import dump, load
from wecom_logging.state.windows import Windows

MINUTE, COMMON, BOOKS = 60.0, ".common", ("counted", "told", "given_up", "discarded")
KINDS = {"Incident": Incident, "Sample": Sample, "Own": Own, "Kept": lambda alert: Kept(load(alert))}
Json, Keys = dict[str, Any], Collection[str]


class PlainFiles:
    """The contract over a directory, which is made."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    @contextmanager
    def _file(self, name: str) -> Iterator[Json]:
        """What is in a file; it is written back unless something fails."""
        path = self._directory / f"{quote(name, safe='')}.json"
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            with open(self._directory / "lock", "w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                old = path.read_text("ascii", "replace") if path.exists() else ""
                data = _decoded(old)
                if old and not data:
                    path.replace(path.with_suffix(".aside"))
                lists = {"dead": [], "sent": []} | {
                    of: {} for of in ("rows", "events", "places", "marks", "peers", "tokens")
                }
                data = data or {
                    "v": 1,
                    "channel": name,
                    "pause": 0,
                    "longest": MINUTE,
                    **lists,
                    **dict.fromkeys(BOOKS, 0),
                }
                yield data
                if (text := json.dumps(data, default=_plain)) != old:
                    path.with_suffix(".new").write_text(text, "ascii")
                    path.with_suffix(".new").replace(path)
        except OSError as error:
            raise StateError(f"{self._directory}: {error.strerror}") from None

    def _each(self) -> Iterator[Json]:
        for name in self.channels():
            with self._file(name) as data:
                yield data

    def add(self, channel: str, who: str, host: str, number: int, counts: Sequence[Count], now: float) -> Added:
        with self._file(channel) as data:
            before = data["marks"].get(who, 0)
            if number > before:
                data["marks"][who] = number
                return Added(before, tuple(_add(data, one, [host, who], now) for one in counts))
            rows = [data["rows"].get(one.key) for one in counts]
            return Added(before, tuple(row and row.told for row in rows))

    def claim(
        self, channel: str, who: str, now: float, *, lease_s: float, most: int, urgent: Keys = (), busy: Keys = (),
        lane: str | None = None
    ) -> list[Incident]:  # fmt: skip
        with self._file(channel) as data:
            due = [one for one in data["rows"].values() if one.lane not in busy and lane in (None, one.lane)
                   if life.due_at(one) <= now or (one.key in urgent and one.untold and not one.owner)]  # fmt: skip
            due.sort(key=lambda one: (-one.rank, one.untold_at))
            taken = [life.claimed(one, owner=who, until=now + lease_s, version=randbits(62)) for one in due[:most]]
            data["rows"].update({one.key: one for one in taken})
            return taken

    def swap(self, channel: str, swaps: Sequence[Swap], now: float) -> list[Own | None]:
        with self._file(channel) as data:
            return [_swap(data, one.before, one.after, one.why) for one in swaps]

    def open(self, channel: str, most: int, keys: Keys | None = None) -> list[Incident]:
        with self._file(channel) as data:
            found = [one for key, one in data["rows"].items() if keys is None or key in keys]
            return sorted(found, key=lambda one: -one.last)[:most]

    def untold(self, channel: str, who: str, keys: Keys) -> tuple[int, list[str]]:
        with self._file(channel) as data:
            return data["marks"].get(who, 0), [
                one.key for one in data["rows"].values() if one.key in keys and one.untold
            ]

    def next_due(self, channel: str, now: float) -> float:
        with self._file(channel) as data:
            return max(min(map(life.due_at, data["rows"].values()), default=float("inf")) - now, 0.0)

    def reserve(self, channel: str, who: str, receivers: Sequence[str], rules: Rules, now: float) -> Taken:
        with self._file(COMMON) as common:
            common["peers"] = {one: at for one, at in common["peers"].items() if at > now - MINUTE} | {who: now}
        with self._file(channel) as data:
            data["longest"] = max(data["longest"], *(period for _, period in rules))
            data["sent"] = sorted(
                (one for one in data["sent"] if one[0] > now - data["longest"]), key=lambda one: one[0]
            )
            windows, number = Windows(), token_hex()
            for at, receiver, _ in data["sent"]:
                windows.record(receiver, at)
            windows.pause(data["pause"] - now, now)
            wait = windows.reserve(tuple(receivers), rules, now)
            data["sent"] += [[now, receiver, number] for receiver in receivers if not wait]
            return Taken(wait, "" if wait else number, windows.ages(now, MINUTE), len(common["peers"]))

    def landed(self, channel: str, receivers: Sequence[str], number: str, now: float) -> None:
        with self._file(channel) as data:
            for one in data["sent"]:
                one[0] = now if one[2] == number and one[1] in receivers else one[0]

    def pause(self, channel: str, wait_s: float, now: float) -> None:
        with self._file(channel) as data:
            data["pause"] = max(data["pause"], now + wait_s)

    @contextmanager
    def _token(self, app: str) -> Iterator[Json]:
        with self._file(COMMON) as data:
            yield data["tokens"].setdefault(app, {"value": "", "ends": 0, "owner": "", "locked": 0})

    def token(self, app: str, now: float) -> tuple[str, float] | None:
        with self._token(app) as found:
            return (found["value"], found["ends"] - now) if found["value"] and found["ends"] > now else None

    def lock_token(self, app: str, who: str, now: float) -> bool:
        with self._token(app) as found:
            if found["owner"] in ("", who) or found["locked"] <= now:
                found.update(owner=who, locked=now + LOCK_S)
            return found["owner"] == who

    def put_token(self, app: str, who: str, value: str, life_s: float, now: float) -> None:
        with self._token(app) as found:
            if found["owner"] == who:
                found.update({"owner": ""} | ({"value": value, "ends": now + life_s} if value else {}))

    def drop_token(self, app: str, value: str) -> None:
        with self._token(app) as found:
            found["value"] = found["value"] if found["value"] != value else ""

    def channels(self) -> list[str]:
        return [unquote(path.stem) for path in self._directory.glob("*.json") if path.stem != COMMON]

    def held(self, most: int) -> list[DeadLetter]:
        found = []
        for data in self._each():
            for one, why in [*([one, ""] for one in data["rows"].values() if one.untold), *data["dead"]]:
                shown = (one.key, one.short_id, data["channel"], one.level, one.untold, one.last, dump(one.first.alert))
                found.append(DeadLetter(*shown, why, bool(one.owner) and not why))
        return sorted(found, key=lambda one: -one.last)[:most]

    def again(self, keys: Keys, now: float) -> int:
        number = 0
        for data in self._each():
            for one in _dug_up(data, keys, "counted", -1):
                more = {
                    name: getattr(one, name)
                    for name in ("key", "level", "window_s", "last", "first", "samples", "lane")
                }
                _add(data, Count(number=one.untold, crowded=not one.rank % 2, **more), [], now)
                number += 1
        return number

    def discard(self, keys: Keys) -> int:
        number = 0
        for data in self._each():
            waiting = [one for one in data["rows"].values() if one.untold and (not keys or one.key in keys)]
            for one in waiting:
                _remove(data, one, "")
            number += len(waiting) + len(_dug_up(data, keys, "discarded", 1))
        return number

    def books(self) -> SharedBooks:
        counted, told, given_up, discarded = (sum(data[name] for data in self._each()) for name in BOOKS)
        return SharedBooks(counted, told, counted - told - given_up - discarded, given_up, discarded)

    def check(self) -> str:
        with self._file(COMMON) as data:
            data["checked"] = randbits(62)
        return f"files in {self._directory}"

    def close(self) -> None:
        """Nothing stays open."""


def _plain(one: Any) -> Json:
    names = [field.name for field in fields(one)]
    values = {"alert": dump(one.alert)} if isinstance(one, Kept) else {name: getattr(one, name) for name in names}
    return {"": type(one).__name__, **values}


def _typed(found: Json) -> Any:
    kind = KINDS.get(found[""]) if isinstance(found.get(""), str) else None
    values = {name: tuple(value) if isinstance(value, list) else value for name, value in found.items() if name}
    return kind(**values) if kind else found


def _decoded(text: str) -> Json | None:
    """None for what is broken, foreign or newer."""
    try:
        found = json.loads(text, object_hook=_typed)
    except (ValueError, TypeError, RecursionError):
        return None
    return found if isinstance(found, dict) and found.get("v") == 1 else None


def _add(data: Json, count: Count, place: list[str], now: float) -> int | None:
    rows, one = data["rows"], data["rows"].get(count.key)
    if one is not None:
        if count.event and count.event == data["events"][count.key]:
            return one.told
        one = life.counted(one, count, now)
    elif count.first is None or not count.number:
        return None
    else:
        names = {row.short_id for row in rows.values()}
        name = next(name for name in short_ids(count.key) if name not in names)
        one = life.opened(count, short_id=name, version=randbits(62), now=now)
        data["events"][count.key], data["places"][count.key] = count.event, []
    places = data["places"][count.key]
    places += [place] if place and place not in places else []
    hosts, processes = max(len({host for host, _ in places}), 1), max(len(places), 1)
    rows[count.key] = replace(one, own=NOTHING, first=Kept(one.first.alert), hosts=hosts, processes=processes)
    data["counted"] += count.number
    if len(rows) > MAX_OPEN:
        _remove(data, min(rows.values(), key=lambda one: (one.untold > 0, one.rank, one.untold_at)), "")
    return one.told


def _swap(data: Json, before: Incident, after: Incident | None, why: str) -> Own | None:
    there = data["rows"].get(before.key)
    if there is None or there.version != before.version:
        return None
    if after is not None:
        data["told"] += after.told - there.told
        sources = {"hosts": there.hosts, "processes": there.processes}
        data["rows"][there.key] = replace(life.merged(there, before, after), version=randbits(62), **sources)
    elif there.count != before.count and not why:
        return None
    else:
        _remove(data, there, why)
    return NOTHING


def _remove(data: Json, one: Incident, why: str) -> None:
    del data["rows"][one.key]
    data["given_up" if why else "discarded"] += one.untold
    data["dead"] += [[one, why]] if why and one.untold else []


def _dug_up(data: Json, keys: Keys, book: str, sign: int) -> list[Incident]:
    found = [one for one, _ in data["dead"] if not keys or one.key in keys]
    data["dead"] = [pair for pair in data["dead"] if pair[0] not in found]
    data["given_up"] -= sum(one.untold for one in found)
    data[book] += sign * sum(one.untold for one in found)
    return found
