"""A file that appears under its name only when all of it is written."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, TextIO

from ...errors import MessageError


class WholeFile:
    """A text file beside ``path``, UTF-8 with a byte order mark, for its owner's eyes only: it is about people.

    It is made at once, so that a folder that takes no file is found before the work, not after it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            if path.exists() and not path.is_file():
                raise OSError("it is no ordinary file")
            handle, self._name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
        except OSError as error:
            raise MessageError(f"{path}: it cannot be written ({error.strerror or error})") from None
        self.stream: TextIO = os.fdopen(handle, "w", encoding="utf-8-sig", newline="")

    def keep(self) -> None:
        """Close it and give it its name; where that fails, nothing of it is left."""
        try:
            self.stream.flush()
            os.fsync(self.stream.fileno())
            self.stream.close()
            os.replace(self._name, self.path)
        except BaseException:
            self.discard()
            raise

    def discard(self) -> None:
        """Close and remove it."""
        try:
            self.stream.close()
        except OSError:  # no room for what was not written yet
            pass
        Path(self._name).unlink(missing_ok=True)  # a signal may come when it has its name already


@contextmanager
def unwound_by_signals() -> Iterator[None]:
    """Within, what would end the process at once raises `SystemExit`, so that no part of a file is left behind."""
    before: dict[int, Any] = {}

    def end(number: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:  # nohup ignores one
            before[number] = signal.signal(number, end)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def whole_file(path: Path) -> Iterator[TextIO]:
    """What is written in the ``with`` block; nothing of it is left if the block raises."""
    with unwound_by_signals():
        file = WholeFile(path)
        try:
            yield file.stream
        except BaseException:
            file.discard()
            raise
        file.keep()
