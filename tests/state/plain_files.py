"""A store that is not shipped, from the contract alone: a JSON file for each channel, read and written as a whole."""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import fields, replace
from pathlib import Path
from secrets import randbits
from typing import Any
from urllib.parse import quote, unquote

from wecom_logging._incidents import life
from wecom_logging._incidents.incident import NOTHING, Answers, Count, Incident, Kept, Kin, Own
from wecom_logging._incidents.short_id import short_ids
from wecom_logging._state.base import (
    LOCK_S,
    MAX_OPEN,
    PART,
    Added,
    DeadLetter,
    Rules,
    SharedCounters,
    Swap,
    Taken,
    Wanted,
)
from wecom_logging._state.entries import dump, load
from wecom_logging._state.windows import Windows
from wecom_logging.errors import StateError
from wecom_logging.model import Answer, Kind, Sample

EMPTY = """{"v": 1, "rows": {}, "events": {}, "places": {}, "marks": {}, "dead": [], "sent": [], "pause": 0,
 "longest": 60, "counted": 0, "told": 0, "given_up": 0, "discarded": 0, "peers": {},
 "value": "", "ends": 0, "owner": "", "locked": 0}"""
KINDS = {kind.__name__: kind for kind in (Incident, Sample, Kind, Own, Answer, Answers)}
KINDS["Kept"] = lambda alert: Kept(load(alert))
Json, Keys = dict[str, Any], Collection[str]


class PlainFiles:
    """The contract over a directory, which is made. Who uses a file holds the lock of all."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    @contextmanager
    def _file(self, name: str, kind: str = ".json") -> Iterator[Json]:
        """What is in a file; it is replaced unless something fails."""
        path = self._directory / f"{quote(name, safe='')}{kind}"
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            with open(self._directory / "lock", "w") as lock:
                import fcntl  # not on Windows, where another module of these tests would not import

                fcntl.flock(lock, fcntl.LOCK_EX)
                data = _loaded(path)
                before = json.dumps(data, default=_plain)
                yield data
                if (after := json.dumps(data, default=_plain)) != before:
                    path.with_suffix(".new").write_text(after)
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
            data["marks"][who] = max(before, number)
            if number > before:
                return Added(before, tuple(_add(data, one, [host, who.partition(PART)[0]], now) for one in counts))
            return Added(before, tuple(row and row.told for row in (data["rows"].get(one.key) for one in counts)))

    def claim(self, channel: str, who: str, now: float, lease_s: float, wanted: Wanted) -> list[Incident]:
        with self._file(channel) as data:
            rows = [row for row in data["rows"].values() if row.lane not in wanted.busy]
            rows = [row for row in rows if wanted.lane in (None, row.lane) and wanted.cause in ("", row.cause)]
            at_once = {row.key for row in rows if row.key in wanted.urgent and row.untold and not row.owner}
            at_once -= {row.key for row in rows if row.held_until}
            until = now + (life.NEAR_S if wanted.cause else 0)
            due = [row for row in rows if row.key in at_once or life.due_at(row) <= (now if row.owner else until)]
            due.sort(key=lambda row: (-row.rank, row.untold_at))
            taken = [
                life.claimed(row, owner=who, until=now + lease_s, version=randbits(62)) for row in due[: wanted.most]
            ]
            data["rows"].update({row.key: row for row in taken})
            return taken

    def swap(self, channel: str, swaps: Sequence[Swap], now: float) -> list[Own | None]:
        with self._file(channel) as data:
            return [_swap(data, one.before, one.after, one.why) for one in swaps]

    def open(
        self, channel: str, most: int, keys: Keys | None = None, now: float | None = None, short_id: str | None = None
    ) -> list[Incident]:  # fmt: skip
        with self._file(channel) as data:
            found = [row for row in data["rows"].values() if keys is None or row.key in keys]
            found = [row for row in found if short_id in (None, row.short_id)]
            return sorted(found, key=lambda row: -row.last)[:most]

    def kin(self, channel: str, lane: str, causes: Keys, now: float) -> list[Kin]:
        with self._file(channel) as data:
            found = [row for row in data["rows"].values() if row.cause in causes and row.lane == lane]
            return [Kin(row.cause, row.key, row.told_at if row.told else 0.0, row.untold_at) for row in found]

    def untold(self, channel: str, who: str, keys: Keys) -> tuple[int, list[str], list[str]]:
        with self._file(channel) as data:
            found = [one for one in keys if one in data["rows"] and data["rows"][one].untold]
            return data["marks"].get(who, 0), found, [one for one in found if data["rows"][one].held_until]

    def next_due(self, channel: str, now: float) -> float:
        with self._file(channel) as data:
            return max(min(map(life.due_at, data["rows"].values()), default=float("inf")) - now, 0.0)

    def reserve(self, channel: str, who: str, receivers: Sequence[str], rules: Rules, now: float) -> Taken:
        with self._file("", ".peers") as common:
            common["peers"] = {one: at for one, at in common["peers"].items() if at > now - 60} | {who: now}
        with self._file(channel) as data:
            data["longest"] = max(data["longest"], *(period for _, period in rules))
            data["sent"] = sorted(one for one in data["sent"] if one[0] > now - data["longest"])
            windows, number = Windows(), str(randbits(62))
            for at, receiver, _ in data["sent"]:
                windows.record(receiver, at)
            windows.pause(data["pause"] - now, now)
            wait = windows.reserve(tuple(receivers), rules, now)
            data["sent"] += [[now, receiver, number] for receiver in receivers if not wait]
            return Taken(wait, "" if wait else number, windows.ages(now, 60.0), len(common["peers"]))

    def landed(self, channel: str, receivers: Sequence[str], number: str, now: float) -> None:
        with self._file(channel) as data:
            data["sent"] = [[now if by == number else at, to, by] for at, to, by in data["sent"]]

    def pause(self, channel: str, wait_s: float, now: float) -> None:
        with self._file(channel) as data:
            data["pause"] = max(data["pause"], now + wait_s)

    def token(self, app: str, now: float) -> tuple[str, float] | None:
        with self._file(app, ".token") as found:
            return (found["value"], found["ends"] - now) if found["value"] and found["ends"] > now else None

    def lock_token(self, app: str, who: str, now: float) -> bool:
        with self._file(app, ".token") as found:
            if found["owner"] in ("", who) or found["locked"] <= now:
                found.update(owner=who, locked=now + LOCK_S)
            return found["owner"] == who

    def put_token(self, app: str, who: str, value: str, life_s: float, now: float) -> None:
        with self._file(app, ".token") as found:
            if found["owner"] == who:
                found.update({"owner": ""} | ({"value": value, "ends": now + life_s} if value else {}))

    def drop_token(self, app: str, value: str) -> None:
        with self._file(app, ".token") as found:
            found["value"] = found["value"] if found["value"] != value else ""

    def time(self) -> float:
        return time.time()

    def channels(self) -> list[str]:
        return [unquote(path.stem) for path in self._directory.glob("*.json")]

    def held(self, most: int) -> list[DeadLetter]:
        found = []
        for channel, data in zip(self.channels(), self._each(), strict=True):
            for row, why in [*([row, ""] for row in data["rows"].values() if row.untold), *data["dead"]]:
                shown = (row.level, row.untold, row.last, dump(row.first.alert), why, bool(row.owner))
                found.append(DeadLetter(row.key, row.short_id, channel, *shown))
        return sorted(found, key=lambda one: -one.last)[:most]

    def again(self, keys: Keys, now: float) -> int:
        return sum(len(_dug_up(data, keys, "counted", -1, now)) for data in self._each())

    def discard(self, keys: Keys) -> int:
        number = 0
        for data in self._each():
            waiting = [row for row in data["rows"].values() if row.untold and (not keys or row.key in keys)]
            number += len(waiting) + len(_dug_up(data, keys, "discarded", 1))
            for row in waiting:
                _swap(data, row, None, "")
        return number

    def counters(self) -> SharedCounters:
        names = ("counted", "told", "given_up", "discarded")
        counted, told, given_up, discarded = (sum(data[name] for data in self._each()) for name in names)
        return SharedCounters(counted, told, counted - told - given_up - discarded, given_up, discarded)

    def check(self) -> str:
        with self._file("", ".peers"):
            return f"files in {self._directory}"

    def close(self) -> None:
        """Nothing stays open."""


def _loaded(path: Path) -> Json:
    with suppress(FileNotFoundError, ValueError, TypeError, RecursionError):
        data = json.loads(path.read_text(), object_hook=_typed)
        if isinstance(data, dict) and data.get("v") == 1:
            return data
    with suppress(FileNotFoundError):  # broken, foreign or newer
        path.replace(path.with_suffix(".aside"))
    return json.loads(EMPTY)


def _plain(one: Any) -> Json:
    names = [field.name for field in fields(one)] if not isinstance(one, Kept) else []
    return {"": type(one).__name__} | ({name: getattr(one, name) for name in names} or {"alert": dump(one.alert)})


def _typed(found: Json) -> Any:
    kind = KINDS.get(found[""]) if isinstance(found.get(""), str) else None
    values = {name: tuple(value) if isinstance(value, list) else value for name, value in found.items() if name}
    return kind(**values) if kind else found


def _add(data: Json, count: Count, place: list[str], now: float) -> int | None:
    rows, key = data["rows"], count.key
    if (row := rows.get(key)) is None:
        if count.first is None or not count.number:
            return None
        taken = {row.short_id for row in rows.values()}
        name = next(name for name in short_ids(key) if name not in taken)
        rows[key] = life.opened(count, short_id=name, version=randbits(62), now=now)
        data["events"][key], data["places"][key] = count.event, []
    elif count.event and count.event == data["events"][key]:
        return row.told
    else:
        if count.first is not None and life.takes_first(row):
            data["events"][key] = count.event
        rows[key] = life.counted(row, count, now)
    places = data["places"][key]
    places += [place] if place[0] and place not in places else []
    sources = {"hosts": max(len({host for host, _ in places}), 1), "processes": max(len(places), 1)}
    rows[key] = replace(rows[key], own=NOTHING, first=Kept(rows[key].first.alert), **sources)
    data["counted"] += count.number
    if len(rows) > MAX_OPEN:
        _swap(data, min(rows.values(), key=lambda row: (row.untold > 0, row.rank, row.untold_at)), None, "")
    return 0 if row is None else row.told


def _swap(data: Json, before: Incident, after: Incident | None, why: str) -> Own | None:
    there = data["rows"].get(before.key)
    if there is None or there.version != before.version or (not after and not why and there.count != before.count):
        return None
    ended = after.told - there.told if after else there.untold
    data["given_up" if why else "told" if after else "discarded"] += ended
    data["dead"] += [[replace(there, count=ended, told=0, owner=""), why]] if why and ended else []
    if after is None:
        del data["rows"][before.key]
    else:
        data["rows"][before.key] = replace(life.merged(there, before, after), version=randbits(62))
    return NOTHING


def _dug_up(data: Json, keys: Keys, book: str, sign: int, now: float | None = None) -> list[Incident]:
    found = [row for row, _ in data["dead"] if not keys or row.key in keys]
    data["dead"] = [pair for pair in data["dead"] if pair[0] not in found]
    for row in found:
        data["given_up"] -= row.untold
        data[book] += sign * row.untold
        same = {name: getattr(row, name) for name in ("key", "level", "window_s", "last", "first", "lane")}
        if now is not None:
            _add(data, Count(number=row.untold, **same), ["", ""], now)
    return found
