"""A swap of a rota: a fact of the state, which each process sees within seconds, and which ends."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from wecom_logging._state import swaps
from wecom_logging._state.shared import Shared
from wecom_logging._state.swaps import add_swap, known_swaps
from wecom_logging.model.duty import Swap

from ..storms import pipeline, record, turn
from ..test_on_call import App, duty
from .conftest import STORES
from .test_one_cause import Time, states


@pytest.fixture(params=[one for one in STORES if one != "memory"])
def shared(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Shared]]:
    """What three processes have of one state, each of which asks it anew."""
    monkeypatch.setattr(swaps, "_READ_S", 0.0)
    with states(request.param, tmp_path, Time(1_000_000.0), lambda: request.getfixturevalue("server")) as made:
        yield made


def at(shared: list[Shared], seconds: float) -> float:
    return shared[0].call(lambda store: store.time()) + seconds


def test_r2_each_process_sees_a_swap_and_the_newest_wins(shared: list[Shared]) -> None:
    app = App(Time(1_000_000.0))
    first, *others = (pipeline(app, Time(1_000_000.0), shared=one, duty=duty()) for one in shared)
    channel = first.channel_id
    add_swap(shared[0], channel, Swap("web", ("zhaoliu",), at(shared, -10), at(shared, 3600), "li"))
    add_swap(shared[1], channel, Swap("web", ("qian", "sun"), at(shared, -5), at(shared, 1800), "li"))
    add_swap(shared[1], "another", Swap("web", ("nobody",), at(shared, -5), at(shared, 1800), "li"))
    add_swap(shared[2], channel, Swap("web", ("wu",), at(shared, -5), at(shared, -1), "li"))  # has ended
    for number, storm in enumerate((first, *others)):
        storm.collector.take(record(f"broken {'abc'[number] * 3}", line=number))
        turn(storm)
    assert app.users == [("qian", "sun")] * 3


def test_of_two_at_once_none_is_lost_and_what_has_ended_goes(shared: list[Shared]) -> None:
    made = [Swap("web", (f"u{number}",), at(shared, 0), at(shared, 3600), "li") for number in range(6)]
    for number, swap in enumerate(made):
        add_swap(shared[number % 3], "app", swap)
    add_swap(shared[0], "app", Swap("web", ("over",), at(shared, -9), at(shared, -1), "li"))
    assert known_swaps(shared[2], "app") == tuple(made)


def test_a_state_that_is_away_or_broken_holds_up_nothing(shared: list[Shared]) -> None:
    swap = Swap("web", ("zhaoliu",), at(shared, -10), at(shared, 3600), "li")
    add_swap(shared[0], "app", swap)
    assert known_swaps(shared[0], "app") == (swap,)
    shared[0]._back_off_until = float("inf")
    assert known_swaps(shared[0], "app") == (swap,)
    for text in ("no json", '[{"rota": 7}]', "{}"):
        fact = shared[1].call(lambda store: store.get("app", "swaps", store.time()))
        assert fact is not None
        assert shared[1].call(lambda store: store.put("app", "swaps", fact.version, text, 0.0, store.time()))  # noqa: B023 # called at once
        assert known_swaps(shared[1], "app") == ()
    add_swap(shared[1], "app", swap)
    assert known_swaps(shared[2], "app") == (swap,)
