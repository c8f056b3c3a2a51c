"""The bytes of a file that was uploaded: few of them in memory, many in a file without a name."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
import weakref
from collections.abc import Iterable, Iterator
from typing import IO

IN_MEMORY = 1024 * 1024
"""Bytes. With 64 MiB of files in all that is 64 open files at most."""

PIECE = 64 * 1024


class Kept:
    """A copy of ``stream`` from where it stands. A file on disk goes with this object, or with the process."""

    def __init__(self, stream: IO[bytes], size: int) -> None:
        self.size = size
        self._data = b""
        self._file: int | None = None
        self._moving = threading.Lock()
        if size <= IN_MEMORY:
            self._data = stream.read()
            return
        with tempfile.TemporaryFile() as file:
            shutil.copyfileobj(stream, file)
            file.flush()
            self._file = os.dup(file.fileno())
        weakref.finalize(self, os.close, self._file)

    def __iter__(self) -> Iterator[bytes]:
        """All of it, in pieces."""
        if self._file is None:
            yield self._data
            return
        for at in range(0, self.size, PIECE):
            with self._moving:  # whoever reads at the same time stands elsewhere
                os.lseek(self._file, at, os.SEEK_SET)
                piece = os.read(self._file, PIECE)
            yield piece

    @classmethod
    def written(cls, pieces: Iterable[bytes]) -> Kept:
        """One piece after the other, so that they are never in memory together."""
        with tempfile.SpooledTemporaryFile(IN_MEMORY) as file:
            for piece in pieces:  # writelines would look at the size in the end only
                file.write(piece)
            size = file.tell()
            file.seek(0)
            return cls(file, size)

    def read(self) -> bytes:
        return b"".join(self)
