"""Nothing that was appended is lost without a number, counts are exact, and a message comes twice at most once for each
fault that hit its request: in random interleavings over memory, a folder and a server. Each rule that holds this is a
row: with it left out, its seed shows the symptom that the rule is there for; with it, the same seed shows none."""

from __future__ import annotations

import pytest

pytest.importorskip("greenlet", reason="the simulation's processes are greenlets")

from .simulation import run

FOUND = [  # store, faults, the rule that is left out, a seed, its symptom
    ("memory", "all", "a child begins anew", 8, "double"),
    ("memory", "all", "one thread appends", 0, "lost"),
    ("memory", "exit", "the exit waits for the offset", 0, "unsent"),
    ("memory", "all", "flush waits for what is unsent", 0, "flush"),
    ("memory", "all", "the first answer in the journal wins", 11, "answer"),
    ("memory", "all", "the facts are looked at before each message", 0, "held"),
    ("memory", "leap", "a leap of the clock shifts the book", 0, "unsent"),
    ("memory", "leap", "what is later than now after a shift becomes now", 0, "unsent"),
    ("folder", "kill+exit+slow", "a file is locked before it has its name", 1, "lost"),
    ("folder", "slow", "the end of a batch is its number", 0, "lost"),
    ("folder", "stop", "a save is fenced", 16, "lost"),
    ("folder", "stop", "the lease is renewed before each request", 105, "twice"),
    ("folder", "slow", "a write under way ends in a locked file", 95, "lost"),
    ("folder", "fork+kill", "a child closes its copies", 0, "leaderless"),
    ("folder", "slow", "a file stays while something of it is unsent", 0, "flush"),
    ("folder", "leap", "a lease is judged by the monotonic clock of who looks", 0, "twice"),
    ("folder", "leap+kill", "what is later than now at a load becomes now", 21, "unsent"),
    ("folder", "full", "what was sent alone ends no flush", 7, "flush"),
    ("folder", "lone", "who has something to say stands at once", 0, "late"),
    ("server", "all", "a child has a new writer", 0, "lost"),
    ("server", "stop+lease", "a save is fenced+a save compares the version", 0, "double"),
    (
        "server",
        "stop+lease",
        "a save compares the version+an outcome is for its book",
        89,
        "lost",
    ),
    ("server", "stop+lease", "the lease is renewed before each request", 16, "twice"),
    ("server", "empty", "trimmed are ids of this read", 11, "lost"),
    ("server", "back", "an offset that fell is noticed", 22, "lost"),
    ("server", "all", "an older answer is no offset that fell", 57, "double"),
    ("server", "all", "only a book saved 10 s after the append tells of a loss", 154, "double"),
    ("server", "empty+exit", "the exit waits for the offset", 2, "lost"),
    ("server", "empty+exit", "the exit goes on until all is saved", 0, "lost"),
    ("server", "empty+exit", "who ends too early says what may be gone", 26, "lost"),
    ("server", "all", "a new state is saved at once", 0, "twice"),
    ("server", "empty", "who loses its lease says what the book has lost", 0, "lost"),
    ("server", "empty", "what is gone is counted by row", 28, "lost"),
    ("server", "kill", "who has something unsaved looks each 0.5 s", 132, "leaderless"),
    ("server", "lone", "who has something to say stands at once", 0, "late"),
    ("server", "lone", "a nudge amid a turn is not lost", 25, "late"),
    ("server", "leap", "a lease is judged by the monotonic clock of who looks", 0, "twice"),
    ("server", "leap+kill", "what is later than now at a load becomes now", 0, "unsent"),
    ("server", "away+late", "what was sent alone says so in its own batch", 13, "twice"),
    ("server", "away", "SentAlone comes after what it is about", 0, "lost"),
    ("server", "away+lease", "what was sent alone ends no flush", 10, "flush"),
]

PROFILES = [
    ("memory", "leap"),
    ("memory", "slow+stop"),
    ("folder", "leap"),
    ("folder", "slow+stop"),
    ("server", "leap"),
    ("server", "slow+stop"),
    ("server", "empty"),
    ("server", "back"),
]


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("store", ["memory", "folder", "server"])
def test_whatever_comes_between_nothing_is_lost_and_nothing_is_counted_twice(store: str, seed: int) -> None:
    result = run(store, seed)
    assert result.wrong == [], "\n".join(result.trace)


@pytest.mark.parametrize(("store", "kinds"), PROFILES)
def test_faults_of_one_kind_lose_nothing(store: str, kinds: str) -> None:
    assert [(seed, result.wrong) for seed in range(3) if (result := run(store, seed, kinds)).wrong] == []


def test_a_run_is_repeated_by_its_seed() -> None:
    assert run("server", 7) == run("server", 7)


@pytest.mark.parametrize(("store", "kinds", "rule", "seed", "symptom"), FOUND)
def test_a_rule_that_is_left_out_is_found_by_its_symptom(
    store: str, kinds: str, rule: str, seed: int, symptom: str
) -> None:
    assert symptom in run(store, seed, kinds, rule).symptoms()
    assert run(store, seed, kinds).wrong == []


@pytest.mark.slow
@pytest.mark.parametrize("store", ["memory", "folder", "server"])
def test_a_long_run_finds_nothing(store: str) -> None:
    """Over memory a million steps, over the others somewhat fewer."""
    results = [run(store, seed) for seed in range(160)]
    assert [(one.seed, one.wrong) for one in results if one.wrong] == []
    assert sum(one.steps for one in results) > (1_000_000 if store == "memory" else 500_000)
