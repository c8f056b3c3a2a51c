"""Troubles on order: the next calls of a path get an errcode, an HTTP status, a delay, or no answer at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

MAX_DELAY_S = 600
MAX_WAITING = 1000
FIELDS = {"path", "times", "errcode", "status", "delay_s", "drop"}


@dataclass(frozen=True, slots=True)
class Fault:
    """One trouble. ``delay_s`` goes together with each of the others, or alone: a late answer that is right.

    ``errcode`` 0 is WeCom's "ok" for a call that does nothing.
    """

    path: str
    times: int = 1
    errcode: int | None = None
    status: int | None = None
    delay_s: float = 0
    drop: bool = False


class Faults:
    """In the order given; the oldest that fits a path is used up first."""

    def __init__(self) -> None:
        self._waiting: dict[int, Fault] = {}
        self._count = 0

    def waiting(self) -> dict[int, Fault]:
        """By number, in order."""
        return dict(self._waiting)

    def add(self, fault: Fault) -> None:
        if len(self._waiting) >= MAX_WAITING:
            raise ValueError(f"{MAX_WAITING} faults wait already; DELETE takes them back")
        self._count += 1
        self._waiting[self._count] = fault

    def take(self, path: str) -> Fault | None:
        for number, fault in self._waiting.items():
            if fault.path == path:
                if fault.times > 1:
                    self._waiting[number] = replace(fault, times=fault.times - 1)
                else:
                    del self._waiting[number]
                return fault
        return None

    def remove(self, number: int) -> None:
        self._waiting.pop(number, None)

    def clear(self) -> None:
        self._waiting.clear()


def read_fault(order: Mapping[str, Any]) -> Fault:
    """A fault from its JSON. ValueError, with a text for the one who wrote it, where it makes no sense."""
    unknown = sorted(set(order) - FIELDS)
    if unknown:
        raise ValueError(f"unknown fields: {', '.join(unknown)}; known are {', '.join(sorted(FIELDS))}")
    path = order.get("path")
    if not isinstance(path, str) or not path.startswith("/cgi-bin/"):
        raise ValueError('"path" must be a text that begins with /cgi-bin/')
    fault = Fault(
        path,
        times=_whole(order, "times", 1, 10**9) or 1,
        errcode=_whole(order, "errcode", -(10**9), 10**9),
        status=_whole(order, "status", 200, 599),
        delay_s=_seconds(order),
        drop=_is_true(order, "drop"),
    )
    kinds = (fault.errcode is not None) + (fault.status is not None) + fault.drop
    if kinds > 1:
        raise ValueError('at most one of "errcode", "status" and "drop"')
    if not kinds and not fault.delay_s:
        raise ValueError('one of "errcode", "status", "delay_s" and "drop" is needed')
    return fault


def _whole(order: Mapping[str, Any], name: str, least: int, most: int) -> int | None:
    value = order.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ValueError(f'"{name}" must be a whole number from {least} to {most}')
    return value


def _seconds(order: Mapping[str, Any]) -> float:
    value = order.get("delay_s", 0)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MAX_DELAY_S:
        raise ValueError(f'"delay_s" must be a number from 0 to {MAX_DELAY_S}')
    return value


def _is_true(order: Mapping[str, Any], name: str) -> bool:
    value = order.get(name, False)
    if not isinstance(value, bool):
        raise ValueError(f'"{name}" must be true or false')
    return value
