"""Nothing that was appended is lost without a number, counts are exact, and a message comes twice at most once for each
fault that hit its request: in random interleavings over a folder and over a server. Each rule that holds this is a row:
with it left out, a seed finds the fault; with it, the same seed finds none."""

from __future__ import annotations

import pytest

pytest.importorskip("greenlet", reason="the simulation's processes are greenlets")

from .simulation import ALL, run

FAULTS = [
    ("folder", "", "a file is locked before it has its name"),
    ("folder", "", "the end of a batch is its number"),
    ("folder", "", "a save is fenced"),
    ("folder", "", "the lease is renewed before each request"),
    ("folder", "", "a write under way ends in a locked file"),
    ("folder", "", "a child closes its copies"),
    ("folder", "", "the exit waits for the offset"),
    ("server", "", "a child has a new writer"),
    ("server", "", "a save is fenced"),
    ("server", "", "a save compares the version"),
    ("server", "", "the lease is renewed before each request"),
    ("server", "back", "trimmed are ids of this read"),
    ("server", "", "only a book saved 10 s after the append tells of a loss"),
    ("server", "empty+exit", "the exit waits for the offset"),
    ("server", "back", "an offset that fell is noticed"),
    ("server", "empty+exit", "who loses its lease says what the book has lost"),
    ("server", "empty+exit", "a book is given to a store without one"),
]


def kinds_of(store: str, kinds: str) -> tuple[str, ...]:
    return tuple(kinds.split("+")) if kinds else ALL[store]


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("store", ["folder", "server"])
def test_whatever_comes_between_nothing_is_lost_and_nothing_is_counted_twice(store: str, seed: int) -> None:
    result = run(store, seed, ALL[store])
    assert result.wrong == [], "\n".join(result.trace)


@pytest.mark.slow
@pytest.mark.parametrize("store", ["folder", "server"])
def test_a_thousand_seeds_find_nothing(store: str) -> None:
    assert [seed for seed in range(1000) if run(store, seed, ALL[store]).wrong] == []


def test_a_run_is_repeated_by_its_seed() -> None:
    assert run("server", 7, ALL["server"]) == run("server", 7, ALL["server"])


def find(store: str, kinds: str, rule: str, seeds: range) -> int | None:
    """Return the first seed that finds the rule missing, and finds nothing with it."""
    for seed in seeds:
        if run(store, seed, kinds_of(store, kinds), rule).wrong and not run(store, seed, kinds_of(store, kinds)).wrong:
            return seed
    return None


FOUND = [
    ("folder", "", "a file is locked before it has its name", 23),
    ("folder", "", "a save is fenced", 90),
    ("server", "back", "trimmed are ids of this read", 27),
    ("server", "back", "an offset that fell is noticed", 15),
    ("server", "", "the lease is renewed before each request", 18),
    ("folder", "", "the end of a batch is its number", 0),
    ("server", "", "a child has a new writer", 0),
    ("server", "", "a save is fenced", 4),
    ("server", "empty+exit", "who loses its lease says what the book has lost", 0),
]


@pytest.mark.parametrize(("store", "kinds", "rule", "seed"), FOUND)
def test_a_rule_that_is_left_out_is_found(store: str, kinds: str, rule: str, seed: int) -> None:
    assert run(store, seed, kinds_of(store, kinds), rule).wrong
    assert run(store, seed, kinds_of(store, kinds)).wrong == []
