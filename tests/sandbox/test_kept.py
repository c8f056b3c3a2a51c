from __future__ import annotations

import gc
import io
import os

import pytest

from wecom_logging._sandbox.media import IN_MEMORY, PIECE, Kept


@pytest.mark.parametrize("size", [0, 1, PIECE, IN_MEMORY, IN_MEMORY + 1, 3 * IN_MEMORY + PIECE // 2])
def test_a_file_comes_back_whole_however_often(size: int) -> None:
    data = os.urandom(size)
    kept = Kept(io.BytesIO(data), size)
    assert kept.read() == data == kept.read()


def test_two_read_at_once_and_one_after_it_was_forgotten() -> None:
    data = os.urandom(2 * IN_MEMORY)
    kept = Kept(io.BytesIO(data), len(data))
    first, second = iter(kept), iter(kept)
    begun = next(first)
    assert b"".join(second) == data
    del kept
    gc.collect()
    assert begun + b"".join(first) == data
