"""``redis://host``: a fleet tells each failure once, keeps one limit and asks for one token.

For Redis 5 or newer, and Valkey. All times are the server's own; ``now`` of whoever asks says nothing here. A token is
stored as it is, in a key whose name shows no secret: give us a user of our own, with ``~wecom-logging:*`` and no more.
"""

from __future__ import annotations

import functools
import hashlib
import json
import math
import os
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import ConfigurationError
from ..model import Secret
from ..model.recipients import EVERYBODY_LOG
from . import redis_client
from .base import MAX_GROUPS, MAX_SAMPLES, Claim, Count, Held, Rules, SharedBooks, StateError, Taken
from .entries import MAX_CHARACTERS
from .redis_scripts import MAX_KEY_CHARACTERS, MAX_STEPS, SCRIPTS

PREFIX = "wecom-logging:1:{wecom}:"
"""Our version, and one slot of a cluster, so that each step is whole."""


@dataclass(frozen=True, slots=True)
class _Made:
    """What one process uses: it is made when it is needed first, and never used across a fork."""

    pid: int
    client: Any
    scripts: dict[str, Any]


class RedisState:
    """The contract over one Redis or Valkey, by a client of redis-py or valkey-py; `from_url` makes one.

    Of a given client the connections are not used, only where it goes; a cluster's or Sentinel's client is used as it
    is, and how long it may take is decided by its own timeouts and retries.
    """

    def __init__(self, client: Any) -> None:
        if isinstance(client, str):
            self._given, self._url, self._library = None, redis_client.check_url(client), redis_client.installed(client)
            self.place, self.secrets = redis_client.place(self._url), redis_client.secrets_of(self._url)
        elif not hasattr(client, "register_script") or ".asyncio" in type(client).__module__:
            raise ConfigurationError(
                "state", "give a URL, or a client of redis-py or valkey-py that is not asynchronous"
            )
        else:
            self._given, self._url, self._library = client, "", ""
            self.place, self.secrets = f"a given {type(client).__name__}", redis_client.secrets_in(client)
        self.offset_s = 0.0
        """Added to the server's clock: tests let time pass by it."""
        self._made: _Made | None = None
        self._of_parent: _Made | None = None
        self._inside = threading.local()

    @classmethod
    def from_url(cls, url: str) -> RedisState:
        """By a URL. Raises `ConfigurationError` where it is wrong or no library is installed; sends nothing yet."""
        return cls(url)

    # Groups.

    def count(self, channel: str, who: str, host: str, counts: Sequence[Count], now: float) -> list[int]:
        arguments: list[Any] = [_pack(channel), _digest(host) if host else "", _digest(who), MAX_GROUPS, len(counts)]
        for one in counts:
            entry = _pack(one.entry) if one.entry else ""
            if len(entry) > MAX_CHARACTERS:
                raise StateError("an alert is too long for the shared state")
            samples = [json.dumps([_finite(at), text]) for at, text in one.samples[:MAX_SAMPLES]]
            level = max(-(2**31), min(one.level, 2**31))
            arguments += [_key(one.key), one.number, _finite(one.last), entry, level, _finite(one.window_s)]
            arguments += [_pack(one.event) if one.event else "", len(samples), *samples]
        return [int(answer) for answer in self._run("count", channel, *arguments)]

    def claim(
        self, channel: str, who: str, now: float, *, lease_s: float, most: int, forced: Collection[str] = ()
    ) -> list[Claim]:
        rows = self._run("claim", channel, _digest(who), lease_s, most, *map(_pack, forced))
        return [claim for row in rows if (claim := _claim(row)) is not None]

    def told(self, channel: str, claims: Sequence[Claim], now: float, *, forced: bool) -> None:
        rows = (
            (_pack(one.key), one.number, one.count, one.total, int(one.is_first), int(one.quiet_s > 0))
            for one in claims
        )
        self._run("told", channel, int(forced), *(field for row in rows for field in row))

    def release(self, channel: str, claims: Sequence[Claim], now: float, wait_s: float) -> None:
        self._run("release", channel, wait_s, *_named(claims))

    def give_up(self, channel: str, claims: Sequence[Claim], why: str, now: float) -> None:
        self._run("give_up", channel, _pack(why[:200]), *_named(claims))

    def untold(self, channel: str, keys: Collection[str]) -> list[str]:
        return [_unpack(key) for key in self._run("untold", channel, *map(_pack, keys))]

    def born(self, channel: str) -> str:
        return str(self._run("born", channel))

    def next_due(self, channel: str, now: float) -> float:
        return float(self._run("next_due", channel) or "inf")

    # Rate windows.

    def reserve(self, channel: str, who: str, receivers: Sequence[str], rules: Rules, now: float) -> Taken:
        number = os.urandom(8).hex()
        limits = [value for rule in rules for value in rule]
        names = [_pack(name) for name in receivers]
        answer = self._run(
            "reserve", channel, _digest(who), number, _pack(EVERYBODY_LOG), len(rules), *limits, *names, second="peers"
        )
        wait, peers, at = float(answer[0]), int(answer[1]), float(answer[2])
        ages = {}
        lines = answer[3].split("\n") if answer[3] else []
        for name, sent in zip(lines[::2], lines[1::2], strict=True):  # numbers and times in turn
            try:
                ages[_unpack(name)] = tuple([max(at - float(time), 0.0) for time in sent.split(" ")[1::2]])
            except ValueError:  # not written by us
                continue
        return Taken(wait, "" if wait > 0 else number, ages, max(peers, 1))

    def landed(self, channel: str, receivers: Sequence[str], number: str, now: float) -> None:
        self._run("landed", channel, number, *map(_pack, receivers))

    def pause(self, channel: str, wait_s: float, now: float) -> None:
        self._run("pause", channel, wait_s)

    # Tokens.

    def token(self, app: str, now: float) -> tuple[str, float] | None:
        answer = self._run("token", app)
        try:
            return (_unpack(answer[0]), float(answer[1])) if answer else None
        except ValueError:  # not written by us
            return None

    def lock_token(self, app: str, who: str, now: float) -> bool:
        return bool(self._run("lock_token", app, _digest(who)) == 1)

    def put_token(self, app: str, who: str, value: str, life_s: float, now: float) -> None:
        packed = Secret(_pack(value) if value else "")
        del value  # tools that report errors send the local variables along
        self._run("put_token", app, _digest(who), packed, life_s)

    def drop_token(self, app: str, value: str) -> None:
        packed = Secret(_pack(value))
        del value
        self._run("drop_token", app, packed)

    # For people.

    def held(self, most: int) -> list[Held]:
        found = []
        for channel in self._channels():
            for row in self._run("held", channel, most):
                try:
                    found.append(_held(channel, row))
                except ValueError:  # not written by us
                    continue
        return sorted(found, key=lambda one: one.last, reverse=True)[:most]

    def again(self, keys: Collection[str], now: float) -> int:
        chosen = [_pack(key) for key in keys]
        return sum(
            int(self._run("again", channel, _pack(channel), MAX_GROUPS, *some))
            for channel in self._channels()
            for some in _pieces(chosen)
        )

    def discard(self, keys: Collection[str]) -> int:
        chosen, found = [_pack(key) for key in keys], 0
        for channel in self._channels():
            for some in _pieces(chosen):
                left = 1
                while left > 0:
                    number, left = self._run("discard", channel, *some)
                    found += number
        return found

    def books(self) -> SharedBooks:
        sums = [0, 0, 0, 0]
        for channel in self._channels():
            sums = [one + int(more) for one, more in zip(sums, self._run("books", channel), strict=True)]
        return SharedBooks(sum(sums), *sums)

    def check(self) -> str:
        if self._run("probe") != 1:
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

    # The server.

    def _channels(self) -> list[str]:
        found = []
        for name in self._run("channels"):
            try:
                found.append(_unpack(name))
            except ValueError:  # not written by us
                continue
        return found

    def _run(self, name: str, owner: str | None = None, *arguments: Any, second: str = "channels") -> Any:
        """A script's answer, as text and whole numbers. ``owner``: the channel or app whose keys it uses."""
        base = PREFIX if owner is None else f"{PREFIX}{_digest(owner)}:"
        keys = [base, PREFIX + second]

        def question(made: _Made) -> Any:
            plain = [one.reveal() if isinstance(one, Secret) else one for one in arguments]
            return made.scripts[name](keys=keys, args=[repr(self.offset_s), *plain])

        return _plain(self._ask(question))

    def _ask(self, question: Callable[[_Made], Any]) -> Any:
        if getattr(self._inside, "pid", 0) == os.getpid():
            # A signal handler or a finaliser: the library's locks may be held right here.
            raise StateError(f"{self.place} is being asked by this thread")
        self._inside.pid = os.getpid()
        try:
            return question(self._open())
        except Exception as error:
            problem = redis_client.words(error, self.secrets)
        finally:
            self._inside.pid = 0
        # Not within the except block: what the library raised may show a password, and would stay as the context.
        raise StateError(f"{self.place}: {problem}")

    def _open(self) -> _Made:
        made = self._made
        if made is None or made.pid != os.getpid():
            if self._given is None:
                client = redis_client.connect(self._library, self._url)
            else:
                client = redis_client.bounded(self._given)
            # A parent's connections and locks are neither used here, nor closed because nobody refers to them.
            self._of_parent = made
            made = _Made(os.getpid(), client, {name: client.register_script(text) for name, text in SCRIPTS.items()})
            self._made = made
        return made


@functools.lru_cache(1024)
def _digest(name: str) -> str:
    return hashlib.blake2b(name.encode("utf-8", "backslashreplace"), digest_size=12).hexdigest()


def _key(key: str) -> str:
    packed = _pack(key)
    if len(packed) > MAX_KEY_CHARACTERS:
        raise StateError("a fingerprint is too long for the shared state")
    return packed


def _pack(text: str) -> str:
    """As ASCII, which is the same under every encoding that a given client may have."""
    return f"={text}" if text.isascii() and text.isprintable() else f"j{json.dumps(text)}"


def _entry(text: str) -> str:
    """What is not packed goes to whoever asks as it is: they look at every entry, and give it up."""
    try:
        return _unpack(text)
    except ValueError:
        return text


def _unpack(text: str) -> str:
    """ValueError where it was not packed by us."""
    if text[:1] == "=":
        return text[1:]
    found = json.loads(text[1:]) if text[:1] == "j" else None
    if not isinstance(found, str):
        raise ValueError("not packed")
    return found


def _plain(answer: Any) -> Any:
    """Bytes as text, however deep."""
    if isinstance(answer, (list, tuple)):
        return [_plain(one) for one in answer]
    return answer.decode("ascii", "replace") if isinstance(answer, bytes) else answer


def _finite(value: float) -> float:
    return value if math.isfinite(value) and abs(value) < 1e15 else 0.0


def _named(claims: Sequence[Claim]) -> Iterator[Any]:
    for claim in claims:
        yield _pack(claim.key)
        yield claim.number


def _pieces(keys: list[str]) -> Iterator[list[str]]:
    """No key at all means all of them."""
    for start in range(0, len(keys) or 1, MAX_STEPS):
        yield keys[start : start + MAX_STEPS]


def _claim(row: list[Any]) -> Claim | None:
    key, number, entry, level, count, total, since, last, hosts, processes, is_first, quiet_s, rates, samples = row
    try:
        return Claim(
            key=_unpack(key),
            number=int(number),
            entry=_entry(entry),
            level=int(level),
            count=int(count),
            total=int(total),
            since=float(since),
            last=float(last),
            hosts=int(hosts),
            processes=int(processes),
            is_first=is_first == 1,
            quiet_s=float(quiet_s),
            rates=tuple(int(rate) for rate in rates.split(",") if rate != "-"),
            samples=tuple(_samples(samples)),
        )
    except ValueError:  # not written by us
        return None


def _samples(texts: list[str]) -> Iterator[tuple[float, str]]:
    for text in texts:
        try:
            at, sample = json.loads(text)
            yield _finite(float(at)), str(sample)
        except (ValueError, TypeError, OverflowError, RecursionError):  # not written by us
            continue


def _held(channel: str, row: list[Any]) -> Held:
    key, level, count, last, entry, why, claimed = row
    return Held(
        _unpack(key),
        channel,
        int(level),
        int(count),
        float(last),
        _entry(entry),
        _unpack(why) if why else "",
        claimed == 1,
    )
