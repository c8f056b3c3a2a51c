"""The lease that one of all processes has: each shared store keeps it, on the time that a test hands in."""

from __future__ import annotations

from typing import Any

import pytest

from wecom_logging._state import shared as lease
from wecom_logging._state.base import LOCK_S, StateError, Store
from wecom_logging._state.shared import Shared, SharedLease

from .conftest import Rig


def process(rig: Rig, name: str = "the bot's connection") -> SharedLease:
    """What one more process has of the same store."""
    store = rig.again()
    shared = Shared("a store", lambda _: store, None, lambda cause, text: None, lambda: rig.now)
    return SharedLease(shared, name, lambda: rig.now)


def test_one_that_is_renewed_is_nobody_else_s(shared: Rig) -> None:
    one, two = process(shared), process(shared)
    assert one.hold()
    for _ in range(3):
        shared.pass_time(LOCK_S / 2)
        assert not two.hold()
        assert one.hold()
    shared.pass_time(LOCK_S / 2)
    assert not two.hold()


def test_one_that_is_not_renewed_ends_in_time(shared: Rig) -> None:
    one, two = process(shared), process(shared)
    assert one.hold()
    shared.pass_time(LOCK_S + 1)
    assert two.hold()
    assert not one.hold()


def test_one_that_is_given_back_is_anybody_s_at_once(shared: Rig) -> None:
    one, two = process(shared), process(shared)
    assert one.hold()
    assert not two.hold()
    two.release()  # who does not have it gives nothing back
    assert not two.hold()
    one.release()
    assert two.hold()
    assert not one.hold()


def test_each_name_is_a_lease_of_its_own(shared: Rig) -> None:
    assert process(shared).hold()
    assert process(shared, "another bot's connection").hold()


class Away:
    """A store that can be used until a test says that it cannot."""

    is_away = False

    def __init__(self, store: Store) -> None:
        self._store = store

    def lock_token(self, *asked: Any) -> bool:
        if self.is_away:
            raise StateError("the store is away")
        return self._store.lock_token(*asked)


def test_while_the_store_is_away_whoever_has_it_keeps_it(shared: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = process(shared), process(shared)
    for which in (one, two):
        away: Any = Away(which._shared._opened())
        which._shared._state = away
    assert one.hold()
    monkeypatch.setattr(Away, "is_away", True)
    shared.pass_time(LOCK_S + 1)
    assert (one.hold(), two.hold()) == (True, False)
    with monkeypatch.context() as patched:  # a forked child has what its parent knows, and not the lease
        patched.setattr(lease.os, "getpid", lambda: 1)
        assert not one.hold()
    monkeypatch.setattr(Away, "is_away", False)
    shared.pass_time(LOCK_S + 1)  # the store rests for as long
    assert two.hold()
    assert not one.hold()
