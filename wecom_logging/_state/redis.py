"""``redis://host``: a fleet tells each failure once, keeps one limit and asks for one token.

For Redis 5 or newer, and Valkey. All times are the server's own; ``now`` of whoever asks says nothing here. A token is
stored as it is, in a key whose name shows no secret: give us a user of our own, with ``~wecom-logging:*`` and no more.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from .._incidents.incident import NOTHING, Count, Incident, Kin, Own
from ..model import Secret
from .base import MAX_OPEN, MINUTE_S, PART, Added, DeadLetter, Rules, SharedCounters, StateError, Swap, Taken, Wanted
from .redis_older import left
from .redis_rows import NOT_OURS, count_of, digest, incident_of, number_of, pack, packed, swap_of, unpack
from .redis_server import MAX_STEPS, PREFIX, UNTOLD_FROM, RedisServer
from .redis_windows import Sent

_T = TypeVar("_T")

_DISCARDED = "discarded"
_MOST_TRIES = 100
"""Of a reservation; each time others had sent something meanwhile, or this process gets to know what they have."""


class RedisStore:
    """The contract over one Redis or Valkey, by a URL or a client, as `RedisServer` takes them."""

    def __init__(self, client: Any, say: Callable[[str], object] = lambda text: None) -> None:
        """``say`` gets a line of text where an older version of this package has left something."""
        self._server = RedisServer(client)
        self._say = say
        self._looks_at = float("-inf")
        self.place, self.secrets = self._server.place, self._server.secrets
        self.offset_s = 0.0
        """Added to the server's clock: tests let time pass by it."""
        self._ahead_s = time.time() - time.monotonic()
        """By how much the server's clock is ahead of `time.monotonic`, as it was read last."""
        self._sent: dict[tuple[int, str], Sent] = {}

    # Incidents.

    def add(self, channel: str, who: str, host: str, number: int, counts: Sequence[Count], now: float) -> Added:
        answer = self._add(channel, who, host, number, [(one, "") for one in counts], now)
        return Added(int(answer[0]), tuple(None if told < 0 else told for told in answer[1:]))

    def _add(
        self, channel: str, who: str, host: str, number: int, counts: Sequence[tuple[Count, str]], now: float
    ) -> list[Any]:
        """Counts, each with the dead letter that it was, or ""."""
        rows = json.dumps([count_of(one, letter, now) for one, letter in counts])
        host = digest(host)[:12] if host else ""
        process, mark = digest(who.partition(PART)[0]), digest(who)
        answer: list[Any] = self._run("add", channel, pack(channel), host, process, mark, number, MAX_OPEN, rows)
        return answer

    def claim(self, channel: str, who: str, now: float, lease_s: float, wanted: Wanted) -> list[Incident]:
        self._take_over()
        lists = json.dumps([[pack(key) for key in wanted.urgent], [digest(one) for one in wanted.busy]])
        only = "" if wanted.lane is None else digest(wanted.lane)
        at, *rows = self._run(
            "claim", channel, pack(who), repr(lease_s), min(wanted.most, MAX_STEPS), only, lists, packed(wanted.cause)
        )
        read_at, found, broken = self._read_at(at), [], []
        for key, version, row, entry in rows:
            try:
                found.append(incident_of(json.loads(row), version, entry, now - read_at))
            except NOT_OURS:
                broken.append({"key": key, "version": int(version), "why": _DISCARDED})
        if broken:
            self._run("swap", channel, json.dumps(broken))
        return found

    def swap(self, channel: str, swaps: Sequence[Swap], now: float) -> list[Own | None]:
        answers = [
            answer
            for some in _pieces(swaps)
            for answer in self._run("swap", channel, json.dumps([swap_of(one, now) for one in some]))
        ]
        return [NOTHING if answer == 1 else None for answer in answers]

    def open(
        self,
        channel: str,
        most: int,
        keys: Collection[str] | None = None,
        now: float | None = None,
        short_id: str | None = None,
    ) -> list[Incident]:
        if short_id is not None:
            names = self._named(channel, short_id)
        else:
            names = self._newest(channel, most, "-inf") if keys is None else [*map(pack, keys)]
        rows = [row for row, _ in self._rows(channel, names, now=now) if short_id in (None, row.short_id)]
        return sorted(rows, key=lambda row: row.last, reverse=True)[:most]

    def kin(self, channel: str, lane: str, causes: Collection[str], now: float) -> list[Kin]:
        at, *rows = self._run("kin", channel, digest(lane), json.dumps([pack(cause) for cause in causes]))
        shift, found = now - float(at), []
        for cause, key, told_at, untold_at in rows:
            with contextlib.suppress(*NOT_OURS):  # junk under our key
                told = float(told_at)
                found.append(Kin(unpack(cause), unpack(key), told and told + shift, float(untold_at) + shift))
        return found

    def untold(self, channel: str, who: str, keys: Collection[str]) -> tuple[int, list[str], list[str]]:
        keys = list(keys)
        newest, *found = self._run("untold", channel, digest(who), json.dumps([pack(key) for key in keys]))
        held = [keys[-at - 1] for at in found if at < 0]
        return int(newest), [keys[abs(at) - 1] for at in found], held

    def next_due(self, channel: str, now: float) -> float:
        return float(self._run("next_due", channel) or "inf")

    # Rate windows.

    def reserve(self, channel: str, who: str, receivers: Sequence[str], rules: Rules, now: float) -> Taken:
        number = os.urandom(8).hex()
        longest_s = max((period for _, period in rules), default=0.0)
        with (sent := self._sent_of(channel)).lock:
            for _ in range(_MOST_TRIES):
                events = sent.messages(receivers, number, rules)
                may_at = repr(sent.may_at(receivers, rules))
                at, peers, is_taken = self._send_events(channel, digest(who), sent, may_at, longest_s, events)
                wait = 0.0 if is_taken else max(sent.may_at(receivers, rules) - at, 0.0)
                if is_taken or wait > 0:
                    return Taken(wait, number if is_taken else "", sent.ages(at), max(peers, 1))
        raise StateError(f"{self.place}: other processes changed the same incidents at each try")

    def landed(self, channel: str, receivers: Sequence[str], number: str, now: float) -> None:
        with (sent := self._sent_of(channel)).lock:
            self._send_events(channel, "", sent, "", 0.0, sent.messages(receivers, number))

    def pause(self, channel: str, wait_s: float, now: float) -> None:
        with (sent := self._sent_of(channel)).lock:
            self._send_events(channel, "", sent, "", wait_s, [f"pause {wait_s!r}"])

    def _sent_of(self, channel: str) -> Sent:
        return self._sent.setdefault((os.getpid(), channel), Sent())

    def _send_events(
        self, channel: str, who: str, sent: Sent, may_at: str, stay_s: float, events: Sequence[str]
    ) -> tuple[float, int, bool]:
        """What the server's time is, how many processes there are, and whether the events were added."""
        stays = repr(max(stay_s, sent.longest_s))
        answer = self._run("window", channel, who, repr(sent.newest), may_at, stays, *events, second="peers")
        at, peers, added, newer = float(answer[0]), int(answer[1]), answer[2], answer[3]
        learned = list(zip(newer[::2], map(float, newer[1::2]), strict=True))
        if added:
            learned += [(event, round(float(added) + place / 1e6, 6)) for place, event in enumerate(events)]
        sent.learn(learned, at)
        return at, peers, bool(added)

    # Tokens.

    def token(self, app: str, now: float) -> tuple[str, float] | None:
        answer = self._run("token", app, "token", "", "")
        try:
            return (unpack(answer[0]), float(answer[1])) if answer else None
        except ValueError:  # not written by us
            return None

    def lock_token(self, app: str, who: str, now: float) -> bool:
        return bool(self._run("token", app, "lock", digest(who), "") == 1)

    def put_token(self, app: str, who: str, value: str, life_s: float, now: float) -> None:
        secret = Secret(packed(value))
        del value  # tools that report errors send the local variables along
        self._run("token", app, "put", digest(who), secret, life_s)

    def drop_token(self, app: str, value: str) -> None:
        secret = Secret(pack(value))
        del value
        self._run("token", app, "drop", "", secret)

    # For people.

    def time(self) -> float:
        return time.monotonic() + self._ahead_s

    def channels(self) -> list[str]:
        self._take_over()
        found = []
        for name in self._run("ask", None, "ZREVRANGE", "channels", 0, MAX_STEPS - 1):
            try:
                found.append(unpack(name))
            except ValueError:  # not written by us
                continue
        return found

    def held(self, most: int) -> list[DeadLetter]:
        found = []
        for channel in self.channels():
            for row, fields in self._rows(channel, self._newest(channel, most, UNTOLD_FROM), self._letters(channel)):
                why = unpack(fields["why"]) if "letter" in fields else ""
                claimed = not why and row.until > 0
                shown = (row.key, row.short_id, channel, row.level, row.untold, row.last, fields["entry"])
                found.append(DeadLetter(*shown, why, claimed))
        return sorted(found, key=lambda one: one.last, reverse=True)[:most]

    def again(self, keys: Collection[str], now: float) -> int:
        found = 0
        for channel in self.channels():
            for some in _pieces(list(self._chosen(channel, keys))):
                found += len(some)
                self._add(channel, "", "", -1, some, now)
        return found

    def discard(self, keys: Collection[str]) -> int:
        found = 0
        for channel in self.channels():
            letters = [letter for _, letter in self._chosen(channel, keys)] if keys else self._letters(channel)
            for some in _pieces(letters):
                found += len(some)
                self._add(channel, "", "", -1, [(Count(key="", number=0), letter) for letter in some], 0.0)
            gone = 1
            while gone:
                names = [*map(pack, keys)] or self._newest(channel, MAX_STEPS, UNTOLD_FROM)
                rows = [swap_of(Swap(row, None), 0.0) for row, _ in self._rows(channel, names) if row.untold]
                swaps = [row | {"why": _DISCARDED} for row in rows]
                gone = sum(self._run("swap", channel, json.dumps(swaps))) if swaps else 0
                found += gone
        return found

    def counters(self) -> SharedCounters:
        names = ("told", "waiting", "given_up", "discarded")
        sums = [0, 0, 0, 0]
        for channel in self.channels():
            counters = self._run("ask", channel, "HMGET", "books", *names)
            sums = [one + max(int(number_of(more)), 0) for one, more in zip(sums, counters, strict=True)]
        return SharedCounters(sum(sums), *sums)

    def check(self) -> str:
        mark = os.urandom(8).hex()
        own = f"probe:{mark}"  # several processes may try it at once
        self._run("ask", None, "SET", own, mark, "EX", MINUTE_S)
        if self._run("ask", None, "GET", own) != mark:
            raise StateError(f"{self.place}: what is written there cannot be read back")
        return f"{self._server.kind()}, {self.place}"

    def close(self) -> None:
        self._server.close()

    def _named(self, channel: str, short_id: str) -> list[str]:
        found = self._run("ask", channel, "HGET", "names", short_id) if short_id.isascii() else None
        return [] if found is None else [found]

    def _newest(self, channel: str, most: int, least: float | str) -> list[str]:
        """The keys of what is open, the most severe first, then the newest."""
        found: list[str] = self._run(
            "ask", channel, "ZREVRANGEBYSCORE", "open", "+inf", least, "LIMIT", 0, max(most, MAX_STEPS)
        )
        return found

    def _letters(self, channel: str) -> list[str]:
        found: list[str] = self._run("ask", channel, "ZREVRANGE", "dead", 0, MAX_STEPS - 1)
        return found

    def _rows(
        self, channel: str, keys: Sequence[str], letters: Sequence[str] = (), now: float | None = None
    ) -> Iterator[tuple[Incident, dict[str, Any]]]:
        """Rows and what they were made of, but for those that are not there, or not written by us."""
        names = [*((key, None) for key in keys), *((None, letter) for letter in letters)]
        for some in _pieces(names):
            lists = [[key for key, _ in some if key is not None], [one for _, one in some if one is not None]]
            at, *rows = self._run("rows", channel, json.dumps(lists))
            read_at = self._read_at(at)
            for _, version, row, entry in rows:
                with contextlib.suppress(*NOT_OURS):  # of another program: it is left alone
                    fields = json.loads(row)
                    shift = (time.monotonic() if now is None else now) - read_at
                    incident = incident_of(fields, version, entry, shift)
                    yield incident, fields | {"entry": unpack(entry)}

    def _chosen(self, channel: str, keys: Collection[str]) -> Iterator[tuple[Count, str]]:
        """Dead letters, the oldest first, as what they were when they were counted."""
        for row, fields in self._rows(channel, (), self._letters(channel)[::-1]):
            if not keys or row.key in keys:
                count = Count(key=row.key, number=row.untold, level=row.level, window_s=row.window_s)
                yield replace(count, last=row.last, first=row.first, lane=row.lane), fields["letter"]

    def _take_over(self) -> None:
        """What version 1 has left waits here, or is a dead letter here; once a minute, as its processes may end later.

        Each row is a batch of its own name: of two processes at once, one adds it."""
        if time.monotonic() < self._looks_at:
            return
        self._looks_at, number = time.monotonic() + MINUTE_S, 0
        for one in left(self._server):
            keys = (one.count.key,)
            is_open = self.open(one.channel, 1, keys)
            self.add(one.channel, one.who, "", 1, [one.count], 0.0)
            if one.why and not is_open:
                self.swap(one.channel, [Swap(row, None, one.why) for row in self.open(one.channel, 1, keys)], 0.0)
            number += one.count.number
        if number:
            self._say(f"{self.place} held {number} alerts of version 1 of the state; they are of this version now")

    # The server.

    def _read_at(self, at: str) -> float:
        """The server's time of an answer, by which its clock is known from now on."""
        found = float(at)
        self._ahead_s = found - time.monotonic()
        return found

    def _run(self, name: str, owner: str | None = None, *arguments: Any, second: str = "channels") -> Any:
        """A script's answer, as text and whole numbers. ``owner``: the channel or app whose keys it uses."""
        base = PREFIX if owner is None else f"{PREFIX}{digest(owner)}:"
        return self._server.run(name, base, PREFIX + second, repr(self.offset_s), *arguments)


def _pieces(items: Sequence[_T]) -> Iterator[Sequence[_T]]:
    """So few that one script holds the server for milliseconds, and its answer is of a bearable size."""
    return (items[start : start + 100] for start in range(0, len(items), 100))
