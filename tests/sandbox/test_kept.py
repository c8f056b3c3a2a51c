from __future__ import annotations

import gc
import os
import threading
from collections.abc import Iterator

import pytest

from wecom_logging._sandbox.media import IN_MEMORY, PIECE, Kept, NoPlace


def pieces(data: bytes) -> Iterator[bytes]:
    return (data[at : at + PIECE] for at in range(0, len(data), PIECE))


@pytest.mark.parametrize("size", [0, 1, PIECE, IN_MEMORY, IN_MEMORY + 1, 3 * IN_MEMORY + PIECE // 2])
def test_a_file_comes_back_whole_however_often(size: int) -> None:
    data = os.urandom(size)
    kept = Kept(pieces(data))
    assert kept.read() == data == kept.read()


def test_two_read_at_once_and_one_after_it_was_forgotten() -> None:
    data = os.urandom(2 * IN_MEMORY)
    kept = Kept(pieces(data))
    first, second = iter(kept), iter(kept)
    begun = next(first)
    assert b"".join(second) == data
    del kept
    gc.collect()
    assert begun + b"".join(first) == data


def test_of_those_on_disk_there_are_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wecom_logging._sandbox.media.PLACE_S", 0.01)
    places = threading.BoundedSemaphore(1)
    large = bytes(IN_MEMORY + 1)
    first = Kept([large], places)
    assert Kept([b"small"], places).read() == b"small"
    with pytest.raises(NoPlace):
        Kept([large], places)
    del first
    gc.collect()
    assert Kept([large], places).size == len(large)
