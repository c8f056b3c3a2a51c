"""``redis://host``: a fleet tells each failure once, keeps one limit and asks for one token.

For Redis 5 or newer, and Valkey. All times are the server's own; ``now`` of the process that asks says nothing here. A
token is stored as it is, in a key whose name shows no secret: give us a user of our own, with ``~wecom-logging:*`` and
no more.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from .._incidents import stored
from .._incidents.codec import shifted
from .._incidents.incident import NOTHING, Count, Incident, Own, Related
from ..errors import StateError
from ..model import Secret
from .base import DAY_S, MAX_OPEN, MINUTE_S, Added, DeadLetter, Fact, Rules, SharedCounters, Swap, Taken, Wanted
from .entries import pack, text_of, unpack
from .redis_rows import NOT_OURS, Row, change_of, count_of, number_of, opened_of, packed, row_of
from .redis_server import MAX_STEPS, PREFIX, UNTOLD_FROM, RedisServer
from .rows import digest, new_version, place_of
from .windows import Sent

_T = TypeVar("_T")

FACTS_S = 366 * DAY_S
"""For so long a channel's facts stay after one was changed: all that is kept ends some day."""
_MOST_TRIES = 100
"""Of a reservation; each time others had sent something meanwhile, or this process gets to know what they have."""


class RedisStore:
    """The contract over one Redis or Valkey, by a URL or a client, as `RedisServer` takes them."""

    def __init__(self, client: Any) -> None:
        self._server = RedisServer(client)
        self.place, self.secrets = self._server.place, self._server.secrets
        self.offset_s = 0.0
        """Added to the server's clock: tests let time pass by it."""
        self._ahead_s = time.time() - time.monotonic()
        """By how much the server's clock is ahead of `time.monotonic`, as it was read last."""
        self._sent: dict[tuple[int, str], Sent] = {}

    # Incidents.

    def add(self, channel: str, who: str, host: str, number: int, counts: Sequence[Count], now: float) -> Added:
        place = place_of(host, who)
        answer = self._add(channel, [count_of(one, "", place, new_version()) for one in counts], who, number)
        return Added(int(answer[0]), tuple(None if told < 0 else told for told in answer[1:]))

    def _add(self, channel: str, rows: Sequence[Any], who: str = "", number: int = -1) -> list[Any]:
        """The batch of this number, or what belongs to none."""
        answer: list[Any] = self._run("add", channel, pack(channel), digest(who), number, MAX_OPEN, json.dumps(rows))
        if many := answer.pop():
            with contextlib.suppress(StateError):  # another time
                self._move(channel, {unpack(key): None for key in many}, 0.0)
        return answer

    def begin(self, channel: str, incident: Incident, now: float) -> bool:
        ahead = float(self._run("rows", channel, "[[],[]]")[0]) - now
        row = opened_of(replace(shifted(incident, ahead), version=new_version(), own=NOTHING))
        return bool(self._add(channel, [row])[1] >= 0)

    def claim(self, channel: str, who: str, now: float, lease_s: float, wanted: Wanted) -> list[Incident]:
        lists = json.dumps([[pack(key) for key in wanted.urgent], [digest(one) for one in wanted.blocked]])
        only, most = "" if wanted.audience is None else digest(wanted.audience), min(wanted.most, MAX_STEPS)
        given = (pack(who), repr(lease_s), most, only, lists, packed(wanted.cause), new_version())
        rows = list(self._answered(self._run("claim", channel, *given), now))
        if broken := [_discarded(key, version) for key, version, row in rows if row is None]:
            self._run("apply", channel, json.dumps(broken))
        return [row.incident for _, _, row in rows if row is not None]

    def swap(self, channel: str, swaps: Sequence[Swap], now: float) -> list[Own | None]:
        done = list[Own | None]()
        while len(done) < len(swaps):
            some: dict[str, Swap] = {}  # each row once
            for one in swaps[len(done) :]:
                if one.before.key in some:
                    break
                some[one.before.key] = one
            moved = self._move(channel, some, now)
            done += [NOTHING if key in moved else None for key in some]
        return done

    def _move(self, channel: str, swaps: Mapping[str, Swap | None], now: float) -> set[str]:
        """Rows become what their swaps say; None: what was counted goes into the document, and no more.

        Answers the keys of those that were as they are said to be.
        """
        done = set[str]()
        for some in _pieces(list(swaps)):
            keys = list(some)
            for _ in range(_MOST_TRIES):
                changes = list[dict[str, Any]]()
                for row in self._rows(channel, [*map(pack, keys)], now=now):
                    there, one = row.incident, swaps[row.incident.key]
                    if one is None:
                        changes.append(change_of(row, None))
                    elif moved := stored.moved(there, one.before, one.after, one.why, new_version):
                        changes.append(change_of(row, moved, one.why))
                answers = self._run("apply", channel, json.dumps(changes)) if changes else []
                by_key = {unpack(one["key"]): answer for one, answer in zip(changes, answers, strict=True)}
                done.update(key for key, answer in by_key.items() if answer == 1)
                keys = [key for key, answer in by_key.items() if answer == -1 and swaps[key] is not None]
                if not keys:
                    break
            else:
                raise StateError(f"{self.place}: other processes changed the same incidents at each try")
        return done

    def open(
        self,
        channel: str,
        most: int,
        keys: Collection[str] | None = None,
        now: float | None = None,
        short_id: str | None = None,
    ) -> list[Incident]:
        if short_id is not None:
            found = self._run("ask", channel, "HGET", "names", short_id) if short_id.isascii() else None
            names = [found] if found else []
        else:
            names = self._newest(channel, most, "-inf") if keys is None else [*map(pack, keys)]
        rows = [row.incident for row in self._rows(channel, names, now=now)]
        rows = [row for row in rows if short_id in (None, row.short_id)]
        return sorted(rows, key=lambda row: row.last, reverse=True)[:most]

    def related(self, channel: str, audience: str, causes: Collection[str], now: float) -> list[Related]:
        at, *rows = self._run("related", channel, digest(audience), json.dumps([pack(cause) for cause in causes]))
        shift, found = now - float(at), []
        for cause, key, told_at, untold_at in rows:
            with contextlib.suppress(*NOT_OURS):  # junk under our key
                told = float(told_at)
                found.append(Related(unpack(cause), unpack(key), told and told + shift, float(untold_at) + shift))
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

    # Facts.

    def get(self, channel: str, name: str, time: float) -> Fact | None:
        return _fact(self._run("ask", channel, "HGET", "facts", pack(name)), time)

    def put(self, channel: str, name: str, version: int, text: str, ends: float, time: float) -> bool:
        whole = f"{new_version()} {ends!r} {pack(text)}" if text else ""
        return bool(self._run("fact", channel, pack(name), version, repr(time), whole, FACTS_S) == 1)

    def facts(self, channel: str, time: float) -> dict[str, Fact]:
        answer = self._run("ask", channel, "HGETALL", "facts")
        found = dict[str, Fact]()
        for name, text in zip(answer[::2], answer[1::2], strict=True):
            with contextlib.suppress(ValueError):  # not written by us
                if (fact := _fact(text, time)) is not None:
                    found[unpack(name)] = fact
        return found

    # For people.

    def time(self) -> float:
        return time.monotonic() + self._ahead_s

    def channels(self) -> list[str]:
        found = []
        for name in self._run("ask", None, "ZREVRANGE", "channels", 0, MAX_STEPS - 1):
            with contextlib.suppress(ValueError):  # not written by us
                found.append(unpack(name))
        return found

    def held(self, most: int) -> list[DeadLetter]:
        found = []
        for channel in self.channels():
            for row in self._rows(channel, self._newest(channel, most, UNTOLD_FROM), self._letters(channel)):
                one, entry = row.incident, text_of(row.incident.first)
                shown = (one.key, one.short_id, channel, one.level, one.untold, one.last, entry)
                found.append(DeadLetter(*shown, row.why, claimed=bool(one.owner) and not row.why))
        return sorted(found, key=lambda one: one.last, reverse=True)[:most]

    def requeue(self, keys: Collection[str], now: float) -> int:
        found = 0
        for channel in self.channels():
            rows = self._rows(channel, (), self._letters(channel)[::-1])
            chosen = [row for row in rows if not keys or row.incident.key in keys]
            for some in _pieces(chosen):
                again = [(stored.written_again(row.incident), row.letter) for row in some]
                self._add(channel, [count_of(one, letter, None, new_version()) for one, letter in again])
            found += len(chosen)
        return found

    def discard(self, keys: Collection[str]) -> int:
        found = 0
        for channel in self.channels():
            letters = self._letters(channel)
            if keys:
                letters = [row.letter for row in self._rows(channel, (), letters) if row.incident.key in keys]
            for some in _pieces(letters):
                self._add(channel, [count_of(Count(key="", number=0), letter, None, 0) for letter in some])
            found += len(letters)
            while rows := self._removable(channel, keys):
                gone = sum(answer == 1 for answer in self._run("apply", channel, json.dumps(rows)))
                found += gone
                if not gone:
                    break
        return found

    def _removable(self, channel: str, keys: Collection[str]) -> list[dict[str, Any]]:
        """What waits, as changes by which it is discarded."""
        changes = []
        for some in _pieces([*map(pack, keys)] or self._newest(channel, MAX_STEPS, UNTOLD_FROM)):
            answer = self._run("rows", channel, json.dumps([some, []]))
            for key, version, row in self._answered(answer, 0.0):
                if row is None:
                    changes.append(_discarded(key, version))
                elif row.incident.untold:
                    changes.append(change_of(row, stored.removed(row.incident, "")))
        return changes

    def counters(self) -> SharedCounters:
        sums = [0, 0, 0, 0]
        for channel in self.channels():
            counters = self._run("ask", channel, "HMGET", "books", "told", "waiting", "given_up", "discarded")
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

    def _newest(self, channel: str, most: int, least: float | str) -> list[str]:
        """The keys of what is open, the most severe first, then the newest."""
        most = max(most, MAX_STEPS)
        return list(self._run("ask", channel, "ZREVRANGEBYSCORE", "open", "+inf", least, "LIMIT", 0, most))

    def _letters(self, channel: str) -> list[str]:
        return list(self._run("ask", channel, "ZREVRANGE", "dead", 0, MAX_STEPS - 1))

    def _rows(
        self, channel: str, keys: Sequence[str], letters: Sequence[str] = (), now: float | None = None
    ) -> Iterator[Row]:
        """Rows, but for those that are not there, or not written by us."""
        lists = [*([some, ()] for some in _pieces(keys)), *([(), some] for some in _pieces(letters))]
        for one in lists:
            answer = self._run("rows", channel, json.dumps(one))
            rows = self._answered(answer, time.monotonic() if now is None else now)
            yield from (row for _, _, row in rows if row is not None)  # what is of another program is left alone

    def _answered(self, answer: Sequence[Any], now: float) -> Iterator[tuple[str, int, Row | None]]:
        """Of each row its key and its version, and the row; None where it was not written by us."""
        at, *rows = answer
        server_at = float(at)
        self._ahead_s = server_at - time.monotonic()
        shift = now - server_at
        for key, version, *found in rows:
            row = None
            with contextlib.suppress(*NOT_OURS):  # what others have changed
                row = row_of(version, *found)
                row = replace(row, incident=shifted(row.incident, shift), shift=shift)
            yield key, int(version), row

    # The server.

    def _run(self, name: str, owner: str | None = None, *arguments: Any, second: str = "channels") -> Any:
        """A script's answer, as text and whole numbers. ``owner``: the channel or app whose keys it uses."""
        base = PREFIX if owner is None else f"{PREFIX}{digest(owner)}:"
        return self._server.run(name, base, PREFIX + second, repr(self.offset_s), *arguments)


def _pieces(items: Sequence[_T]) -> Iterator[Sequence[_T]]:
    """So few that one script holds the server for milliseconds, and its answer is of a bearable size."""
    return (items[start : start + 100] for start in range(0, len(items), 100))


def _discarded(key: str, version: int) -> dict[str, Any]:
    """What becomes of a row that cannot be read."""
    return {"key": key, "version": version, "account": stored.DISCARDED}


def _fact(text: str | None, time: float) -> Fact | None:
    """None where it has ended, or was not written by us, or is nothing."""
    try:
        version, ends, value = (text or "").split(" ", 2)
        fact = Fact(unpack(value), int(version), float(ends))
    except NOT_OURS:
        return None
    return fact if not fact.ends or fact.ends > time else None
