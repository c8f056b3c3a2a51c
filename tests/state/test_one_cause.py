"""A database goes away: nine places in three processes fail for the same cause, for ten minutes, over every store."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from wecom_logging._delivery.pipeline import Pipeline
from wecom_logging._state.shared import Shared, alone

from ..programs import Clock
from ..storms import BOT_RULES, Recorder, Told, pipeline, record, settled, turn
from ..valkey_server import Server
from .conftest import STORES, opened

WINDOW = 60.0
LASTS = 600.0
PLACES = 9
STEP = 0.5


class OperationalError(Exception):
    """What a database's client raises."""


def failure(cause: Exception, wrapper: str = "") -> Exception:
    """An exception as it is caught; with a ``wrapper`` it was raised from the cause."""
    try:
        try:
            raise cause
        except Exception as error:
            if not wrapper:
                raise
            raise RuntimeError(wrapper) from error
    except Exception as error:
        return error


@contextmanager
def states(kind: str, folder: Path, clock: Clock, server: Callable[[], Server]) -> Iterator[list[Shared]]:
    """What three processes have of one state, or one has of its own."""
    if kind == "memory":
        yield [alone]
        return
    stores = list[Any]()
    url = server().url if kind == "redis" else ""  # now: a worker may live for longer than the test

    def store(_: Shared) -> Any:
        stores.append(opened(kind, folder, lambda: url, clock))
        return stores[-1]

    began, began_here = clock.now, time.monotonic()
    made = [Shared(f"{kind} {number}", store, None, lambda cause, text: None, clock) for number in range(3)]

    def at(now: float) -> None:
        for one in stores:
            one.offset_s = now - began - (time.monotonic() - began_here)  # a busy machine takes long for it all

    clock.on_change = at
    yield made
    for one in made:
        one.close()


class Time(Clock):
    """A clock that says when it was changed: a server of its own has to be told."""

    on_change: Callable[[float], None] = staticmethod(lambda now: None)

    def go(self, seconds: float) -> None:
        self.now += seconds
        self.on_change(self.now)


@pytest.mark.slow
@pytest.mark.parametrize("kind", STORES)
def test_an_outage_is_one_message_at_once_and_one_for_each_window(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    clock = Time(1_000_000.0)
    channel, chance = Recorder(clock), random.Random(7)
    with states(kind, tmp_path, clock, lambda: request.getfixturevalue("server")) as shared:
        jobs = [pipeline(channel, clock, rules=BOT_RULES, window_s=WINDOW, shared=one) for one in shared]
        began, made = clock.now, 0
        others = {120.0: ValueError("bad price"), 333.0: KeyError("sku")}
        while clock.now < began + LASTS:
            for place in range(PLACES if clock.now > began else 1):
                if clock.now > began and chance.random() < 0.5:
                    continue
                error = failure(OperationalError("connection refused"), f"place {place} failed" if place % 2 else "")
                jobs[place % len(jobs)].collector.take(record(f"place {'abcdefghi'[place]}", line=place, error=error))
                made += 1
            if (other := others.pop(clock.now - began, None)) is not None:
                jobs[0].collector.take(record(f"unrelated {other!r}", line=99, error=failure(other)))
                made += 1
            go_on(jobs, clock)
        for _ in range(int(4 * 3600 / 30)):
            go_on(jobs, clock, 30.0)
        of_outage = [one for one in channel.told if "unrelated" not in one.text and one.at < began + LASTS + 5]
        assert of_outage[0].at == began
        assert "place a" in of_outage[0].first_line
        for window in range(int(LASTS / WINDOW) + 1):
            within = [one for one in of_outage[1:] if window * WINDOW < one.at - began <= (window + 1) * WINDOW]
            assert len(within) <= 1, [(one.at - began, one.first_line) for one in within]
        for after, before in itertools.pairwise(of_outage[::-1]):
            assert after.at - before.at >= WINDOW - 1.5
        assert "OperationalError: connection refused · " in of_outage[1].first_line
        assert f"{PLACES} places" in of_outage[1].first_line
        for name in ("bad price", "sku"):
            told = [one for one in channel.told if name in one.text and one.at < began + LASTS]
            assert "OperationalError" not in told[0].text
            assert told[0].at - began - (120.0 if name == "bad price" else 333.0) <= 1
        assert_exact(jobs, channel, made, is_shared=kind != "memory")


def go_on(jobs: list[Pipeline], clock: Time, seconds: float = STEP) -> None:
    for job in jobs:
        turn(job)
    clock.go(seconds)


def assert_exact(jobs: list[Pipeline], channel: Recorder, made: int, *, is_shared: bool) -> None:
    stats = [job.stats() for job in jobs]
    assert sum(one.accepted for one in stats) == sum(map(settled, stats)) == made
    assert sum(one.pending for one in stats) == 0
    assert all(not one.dropped for one in stats)
    assert sum(map(count, channel.told)) == made
    if is_shared:
        assert sum(one.handed_over for one in stats) == made


def count(told: Told) -> int:
    return told.count


SAID: tuple[tuple[Exception | None, str], ...] = (
    (OperationalError('connection to server at "10.0.3.7", port 5432 failed: Connection refused'), ""),
    (ConnectionError("HTTPConnectionPool(host='10.0.3.7', port=5432): … [Errno 111] Connection refused"), "no stock"),
    (None, "cannot read the prices: dial tcp 10.0.3.7:5432: connection refused"),
    (OSError(111, "Connect call failed ('10.0.3.7', 5432)"), ""),
)


@pytest.mark.parametrize("kind", STORES)
def test_what_cannot_be_reached_is_one_cause_whatever_driver_says_it(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    clock = Time(1_000_000.0)
    channel = Recorder(clock)
    with states(kind, tmp_path, clock, lambda: request.getfixturevalue("server")) as shared:
        jobs = [pipeline(channel, clock, rules=BOT_RULES, window_s=WINDOW, shared=one) for one in shared]
        for place, (error, text) in enumerate(SAID):
            raised = None if error is None else failure(error, text)
            jobs[place % len(jobs)].collector.take(record(text or f"place {place}", line=place, error=raised))
            go_on(jobs, clock)
        for _ in range(int(2 * WINDOW / STEP)):
            go_on(jobs, clock)
        first, second, *others = [one for one in channel.told if one.at < 1_000_000.0 + 2 * WINDOW]
        assert (first.at, others) == (1_000_000.0, [])
        assert " · 3 places" in second.first_line
        assert "10.0.3.7" in second.first_line
        for _ in range(int(4 * 3600 / 30)):
            go_on(jobs, clock, 30.0)
        assert_exact(jobs, channel, len(SAID), is_shared=kind != "memory")
