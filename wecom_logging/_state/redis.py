"""``redis://host``: a fleet tells each failure once, keeps one limit and asks for one token.

For Redis 5 or newer, and Valkey. All times are the server's own; ``now`` of whoever asks says nothing here. A token is
stored as it is, in a key whose name shows no secret: give us a user of our own, with ``~wecom-logging:*`` and no more.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import itertools
import json
import math
import os
import pkgutil
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from .._incidents import life
from .._incidents.incident import NO_ANSWERS, NOTHING, Answers, Count, Incident, Kin, Own
from .._incidents.short_id import LEAST, MOST, short_ids
from ..errors import ConfigurationError
from ..model import Kind, Sample, Secret
from . import redis_client
from .base import (
    KEEP_S,
    LOCK_S,
    MAX_OPEN,
    PART,
    VERSION,
    Added,
    DeadLetter,
    Rules,
    SharedCounters,
    StateError,
    Swap,
    Taken,
)
from .entries import MAX_CHARACTERS, Entry, dump_answers, load_answers, text_of
from .redis_client import pack, unpack
from .redis_windows import Sent

_T = TypeVar("_T")

PREFIX = f"wecom-logging:{VERSION}:{{wecom}}:"
"""Our version, and one slot of a cluster, so that each step is whole."""
_DISCARDED = "discarded"
_OLD = "wecom-logging:1:{wecom}:channels"
_LEFT = "{} holds alerts of version 1 of the state; they are not sent, and expire by themselves"

MAX_STEPS = 1000
"""So many incidents one script moves, to hold the server for milliseconds. Of sources and dead letters so many stay."""
_MOST_TRIES = 100
"""Of a reservation; each time others had sent something meanwhile, or this process gets to know what they have."""
MAX_KEY_CHARACTERS = 1024
MAX_SAMPLE_CHARACTERS = 4096
_DAY_S, _MINUTE_S = 24 * 3600, 60
_NOT_OURS = (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError)
"""What reading raises that was not written by us."""
_UNTOLD = 10**14
"""Of the order of all that is open: from here on stands what has something untold."""

_NUMBERS = (
    *("wake", "due", "told_at", "not_before", "told", "span", "rank", "count", "version", "since", "last"),
    *("counted_at", "untold_at", "hosts", "processes", "held", "takes_first"),
)
_TEXTS = ("key", "id", "event", "owner", "lane", "cause", "rest", "answers", "lent")
_LISTS = ("samples", "rates")
_FIELDS = (*_NUMBERS, *_TEXTS, *_LISTS)
_CONSTANTS = {
    "common": f"""
local KEEP, DAY, MINUTE, LOCK = {KEEP_S}, {_DAY_S}, {_MINUTE_S}, {LOCK_S}
local STEPS, MAX_TEXT = {MAX_STEPS}, {MAX_CHARACTERS}
""",
    "incidents": f"""
local NEAR, MAX_KIN = {life.NEAR_S}, {life.MAX_KIN}
local UNTOLD, MAX_SAMPLES, MAX_RATES, MAX_KINDS = {_UNTOLD}, {life.MAX_SAMPLES}, {life.MAX_RATES}, {life.MAX_KINDS}
local FIELDS, NUMBERS, TEXTS = {{{str(_FIELDS)[1:-1]}}}, {len(_NUMBERS)}, {len(_NUMBERS + _TEXTS)}
""",
}
_ROOMS = {
    **dict.fromkeys(("add", "claim", "swap", "rows", "kin", "untold", "next_due"), ("common", "incidents")),
    **dict.fromkeys(("ask", "window", "token"), ("common",)),
}
"""The scripts, and what stands before each."""


@functools.cache
def _scripts() -> dict[str, tuple[str, str]]:
    """Of each script its text and its digest."""
    texts = {name: "".join(map(_file, (*before, name))) for name, before in _ROOMS.items()}
    return {
        name: (text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()) for name, text in texts.items()
    }


def _file(name: str) -> str:
    return _CONSTANTS.get(name, "") + (pkgutil.get_data(__package__, f"lua/{name}.lua") or b"").decode()


@dataclass(frozen=True, slots=True)
class _Made:
    """What one process uses: it is made when it is needed first, and never used across a fork."""

    pid: int
    client: Any
    send: Callable[..., Any]

    def run(self, name: str, *arguments: Any) -> Any:
        text, digest = _scripts()[name]
        try:
            return self.send("EVALSHA", digest, 2, *arguments)
        except Exception as error:
            if type(error).__name__ != "NoScriptError":
                raise
        return self.send("EVAL", text, 2, *arguments)


class RedisStore:
    """The contract over one Redis or Valkey, by a client of redis-py or valkey-py; `from_url` makes one.

    Of a given client the connections are not used, only where it goes; a cluster's or Sentinel's client is used as it
    is, and how long it may take is decided by its own timeouts and retries. ``say`` gets one line of text, once, where
    an older version of this package has left something.
    """

    def __init__(self, client: Any, say: Callable[[str], object] | None = None) -> None:
        if isinstance(client, str):
            self._given, self._url, self._library = None, redis_client.check_url(client), redis_client.installed(client)
            self.place, self.secrets = redis_client.place(self._url), redis_client.secrets_of(self._url)
        elif not hasattr(client, "register_script") or ".asyncio" in type(client).__module__:
            raise ConfigurationError("state", "not_a_client")
        else:
            self._given, self._url, self._library = client, "", ""
            self.place, self.secrets = f"a given {type(client).__name__}", redis_client.secrets_in(client)
        self.offset_s = 0.0
        """Added to the server's clock: tests let time pass by it."""
        self._say = say
        self._has_looked = False
        self._sent: dict[tuple[int, str], Sent] = {}
        self._made: _Made | None = None
        self._of_parent: _Made | None = None
        self._inside = threading.local()

    @classmethod
    def from_url(cls, url: str) -> RedisStore:
        """By a URL. Raises `ConfigurationError` where it is wrong or no library is installed; sends nothing yet."""
        return cls(url)

    # Incidents.

    def add(self, channel: str, who: str, host: str, number: int, counts: Sequence[Count], now: float) -> Added:
        answer = self._add(channel, who, host, number, [(one, "") for one in counts], now)
        return Added(int(answer[0]), tuple(None if told < 0 else told for told in answer[1:]))

    def _add(
        self, channel: str, who: str, host: str, number: int, counts: Sequence[tuple[Count, str]], now: float
    ) -> list[Any]:
        """Counts, each with the dead letter that it was, or ""."""
        rows = json.dumps([_count(one, letter, now) for one, letter in counts])
        host = _digest(host)[:12] if host else ""
        process, mark = _digest(who.partition(PART)[0]), _digest(who)
        answer: list[Any] = self._run("add", channel, pack(channel), host, process, mark, number, MAX_OPEN, rows)
        return answer

    def claim(
        self,
        channel: str,
        who: str,
        now: float,
        *,
        lease_s: float,
        most: int,
        urgent: Collection[str] = (),
        busy: Collection[str] = (),
        lane: str | None = None,
        cause: str = "",
    ) -> list[Incident]:
        lists = json.dumps([[pack(key) for key in urgent], [_digest(one) for one in busy]])
        only = "" if lane is None else _digest(lane)
        at, *rows = self._run(
            "claim", channel, pack(who), repr(lease_s), min(most, MAX_STEPS), only, lists, _packed(cause)
        )
        found, broken = [], []
        for key, version, row, entry in rows:
            try:
                found.append(_incident(json.loads(row), version, entry, now - float(at)))
            except _NOT_OURS:
                broken.append({"key": key, "version": int(version), "why": _DISCARDED})
        if broken:
            self._run("swap", channel, json.dumps(broken))
        return found

    def swap(self, channel: str, swaps: Sequence[Swap], now: float) -> list[Own | None]:
        if not swaps:
            return []
        answers = self._run("swap", channel, json.dumps([_swap(one, now) for one in swaps]))
        return [NOTHING if answer == 1 else None for answer in answers]

    def open(
        self, channel: str, most: int, keys: Collection[str] | None = None, now: float | None = None
    ) -> list[Incident]:
        names = self._newest(channel, most, "-inf") if keys is None else [*map(pack, keys)]
        rows = self._rows(channel, names, now=now)
        return sorted([row for row, _ in rows], key=lambda row: row.last, reverse=True)[:most]

    def kin(self, channel: str, lane: str, causes: Collection[str], now: float) -> list[Kin]:
        at, *rows = self._run("kin", channel, _digest(lane), json.dumps([pack(cause) for cause in causes]))
        shift, found = now - float(at), []
        for cause, key, told_at, untold_at in rows:
            with contextlib.suppress(*_NOT_OURS):  # junk under our key
                told = float(told_at)
                found.append(Kin(unpack(cause), unpack(key), told and told + shift, float(untold_at) + shift))
        return found

    def untold(self, channel: str, who: str, keys: Collection[str]) -> tuple[int, list[str], list[str]]:
        keys = list(keys)
        newest, *found = self._run("untold", channel, _digest(who), json.dumps([pack(key) for key in keys]))
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
                at, peers, is_taken = self._send_events(channel, _digest(who), sent, may_at, longest_s, events)
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
        return bool(self._run("token", app, "lock", _digest(who), "") == 1)

    def put_token(self, app: str, who: str, value: str, life_s: float, now: float) -> None:
        packed = Secret(pack(value) if value else "")
        del value  # tools that report errors send the local variables along
        self._run("token", app, "put", _digest(who), packed, life_s)

    def drop_token(self, app: str, value: str) -> None:
        packed = Secret(pack(value))
        del value
        self._run("token", app, "drop", "", packed)

    # For people.

    def channels(self) -> list[str]:
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
            for row, fields in self._rows(channel, self._newest(channel, most, _UNTOLD), self._letters(channel)):
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
                names = [*map(pack, keys)] or self._newest(channel, MAX_STEPS, _UNTOLD)
                rows = [_swap(Swap(row, None), 0.0) for row, _ in self._rows(channel, names) if row.untold]
                swaps = [row | {"why": _DISCARDED} for row in rows]
                gone = sum(self._run("swap", channel, json.dumps(swaps))) if swaps else 0
                found += gone
        return found

    def counters(self) -> SharedCounters:
        names = ("told", "waiting", "given_up", "discarded")
        sums = [0, 0, 0, 0]
        for channel in self.channels():
            counters = self._run("ask", channel, "HMGET", "books", *names)
            sums = [one + max(int(_number(more)), 0) for one, more in zip(sums, counters, strict=True)]
        return SharedCounters(sum(sums), *sums)

    def check(self) -> str:
        mark = os.urandom(8).hex()
        own = f"probe:{mark}"  # several processes may try it at once
        self._run("ask", None, "SET", own, mark, "EX", _MINUTE_S)
        if self._run("ask", None, "GET", own) != mark:
            raise StateError(f"{self.place}: what is written there cannot be read back")
        try:
            found = self._ask(lambda made: made.client.info("server"))
        except StateError:  # not everybody may ask for this
            found = {}
        for name in ("valkey", "redis"):
            if f"{name}_version" in found:
                return f"{name.capitalize()} {found[f'{name}_version']}, {self.place}"
        return f"Redis, {self.place}"

    def close(self) -> None:
        made, self._made = self._made, None
        if made is not None and made.pid == os.getpid() and made.client is not self._given:
            made.client.connection_pool.disconnect()

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
            for _, version, row, entry in rows:
                with contextlib.suppress(*_NOT_OURS):  # of another program: it is left alone
                    fields = json.loads(row)
                    shift = (time.monotonic() if now is None else now) - float(at)
                    incident = _incident(fields, version, entry, shift)
                    yield incident, fields | {"entry": unpack(entry)}

    def _chosen(self, channel: str, keys: Collection[str]) -> Iterator[tuple[Count, str]]:
        """Dead letters, the oldest first, as what they were when they were counted."""
        for row, fields in self._rows(channel, (), self._letters(channel)[::-1]):
            if not keys or row.key in keys:
                count = Count(key=row.key, number=row.untold, level=row.level, window_s=row.window_s)
                yield replace(count, last=row.last, first=row.first, lane=row.lane), fields["letter"]

    # The server.

    def _run(self, name: str, owner: str | None = None, *arguments: Any, second: str = "channels") -> Any:
        """A script's answer, as text and whole numbers. ``owner``: the channel or app whose keys it uses."""
        base = PREFIX if owner is None else f"{PREFIX}{_digest(owner)}:"

        def question(made: _Made) -> Any:
            plain = [one.reveal() if isinstance(one, Secret) else one for one in arguments]
            return made.run(name, base, PREFIX + second, repr(self.offset_s), *plain)

        return _plain(self._ask(question))

    def _ask(self, question: Callable[[_Made], Any]) -> Any:
        if getattr(self._inside, "pid", 0) == os.getpid():
            # A signal handler or a finaliser: the library's locks may be held right here.
            raise StateError(f"{self.place} is already in use by this thread")
        self._inside.pid = os.getpid()
        try:
            answer = question(self._opened())
            self._look_for_older()
            return answer
        except Exception as error:
            problem = redis_client.words(error, self.secrets)
        finally:
            self._inside.pid = 0
        # Not within the except block: what the library raised may show a password, and would stay as the context.
        raise StateError(f"{self.place}: {problem}")

    def _opened(self) -> _Made:
        made = self._made
        if made is None or made.pid != os.getpid():
            client: Any
            if self._given is None:
                client = redis_client.connect(self._library, self._url)
            else:
                client = redis_client.bounded(self._given)
            # A parent's connections and locks are neither used here, nor closed because nobody refers to them.
            self._of_parent = made
            is_given = client is self._given
            send = client.execute_command if is_given else redis_client.sender(client)
            made = self._made = _Made(os.getpid(), client, send)
        return made

    def _look_for_older(self) -> None:
        if self._say is not None and self._made is not None and not self._has_looked:
            self._has_looked = True
            with contextlib.suppress(Exception):  # a hint only: the next call raises what is wrong
                if self._made.client.exists(_OLD):
                    self._say(_LEFT.format(self.place))


@functools.lru_cache(1024)
def _digest(name: str) -> str:
    return hashlib.blake2b(name.encode("utf-8", "backslashreplace"), digest_size=12).hexdigest()


def _key(key: str) -> str:
    packed = pack(key)
    if len(packed) > MAX_KEY_CHARACTERS:
        raise StateError("a fingerprint is too long for the shared state")
    return packed


def _packed(text: str) -> str:
    return pack(text) if text else ""


def _plain(answer: Any) -> Any:
    """Bytes as text, however deep."""
    if isinstance(answer, (list, tuple)):
        return [_plain(one) for one in answer]
    return answer.decode("ascii", "replace") if isinstance(answer, bytes) else answer


def _finite(value: float) -> float:
    return value if math.isfinite(value) and abs(value) < 1e15 else 0.0


def _pieces(items: Sequence[_T]) -> Iterator[Sequence[_T]]:
    """So few that one answer is of a bearable size."""
    return (items[start : start + 100] for start in range(0, len(items), 100))


def _number(text: str | None) -> float:
    try:
        return _finite(float(text)) if text else 0.0
    except ValueError:  # not written by us
        return 0.0


def _line(sample: Sample) -> str:
    return json.dumps([_finite(sample.time), sample.text[:MAX_SAMPLE_CHARACTERS]]) + "\n"


def _count(one: Count, letter: str, now: float) -> dict[str, Any]:
    samples = [
        [_finite(sample.time), pack(sample.text[:MAX_SAMPLE_CHARACTERS])] for sample in one.samples[: life.MAX_SAMPLES]
    ]
    found: dict[str, Any] = {"key": _key(one.key), "number": one.number, "last": _finite(one.last), "samples": samples}
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
    return [texts[0], kind.count, texts[1], _finite(kind.time), int(kind.is_new)]


def _swap(one: Swap, now: float) -> dict[str, Any]:
    before, after = one.before, one.after
    found: dict[str, Any] = {"key": pack(before.key), "version": before.version, "count": before.count}
    if one.why:
        found["why"] = pack(one.why[:200])
    if after is not None:
        found |= {
            "since": _finite(after.since),
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
    rest = (row.level, row.window_s, row.lane, _finite(row.began), row.digests, row.tries, row.wait_s)
    fields = {"told_at": 0, "not_before": 0, "told": row.told, "span": life.span_s(row), "rank": row.rank}
    fields |= {"held": 0, "takes_first": int(life.is_closed(row))}
    texts = {
        "owner": pack(row.owner) if row.owner else "",
        "lane": _digest(row.lane),
        "cause": _packed(row.cause),
        "rest": json.dumps(rest),
        "answers": _packed(dump_answers(row.answers)),
        "lent": str(row.lent) if row.lent else "",
    }
    return [{name: _finite(at - now) for name, at in times.items()}, fields | texts]


def _incident(row: dict[str, Any], version: str, entry: str, shift: float) -> Incident:
    """A row as it was found, ``shift`` added to the server's clock. ValueError where it was not written by us."""
    level, window_s, lane, began, digests, tries, wait_s = json.loads(row["rest"])
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
        samples=tuple(Sample(_finite(float(at)), unpack(text)) for at, text in row["samples"] or ()),
        kinds=tuple(
            Kind(unpack(name), int(count), unpack(text), _finite(float(at)), bool(is_new))
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
