"""Every API request that came in, so that a test can count them."""

from __future__ import annotations

from dataclasses import dataclass, replace

KEPT = 10_000
PATH_CHARS = 200


@dataclass(frozen=True, slots=True)
class Call:
    """``errcode`` is the answer's; None while there is none yet, and where it was no JSON (a drop, an HTTP error)."""

    time: float
    path: str
    errcode: int | None = None


class Journal:
    def __init__(self) -> None:
        self._calls: dict[int, Call] = {}
        self._count = 0

    def open(self, time: float, path: str) -> int:
        """Notes a request when it comes, because a client may give up before its answer."""
        self._count += 1
        self._calls[self._count] = Call(time, path[:PATH_CHARS])
        self._calls.pop(self._count - KEPT, None)
        return self._count

    def close(self, number: int, errcode: int) -> None:
        if number in self._calls:
            self._calls[number] = replace(self._calls[number], errcode=errcode)

    def calls(self) -> tuple[Call, ...]:
        return tuple(self._calls.values())

    def clear(self) -> None:
        self._calls.clear()
