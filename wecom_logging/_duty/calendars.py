"""Which days are working days: of China, of a file as holiday-cn has them, or by a function."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from datetime import date

from .._runtime.functions import function_named
from .._runtime.version import with_extra
from ..errors import ConfigurationError, MissingDependencyError

Calendar = Callable[[date], bool | None]
"""Whether somebody works on a day; None: nobody knows that of its year yet."""

BOUND_S = 1.0
"""So long the worker waits for a function: it sends nothing meanwhile."""


def calendar(name: str) -> Calendar:
    """That of a `Duty`. ConfigurationError where it cannot be had here."""
    if name == "cn":
        return _of_china()
    return _of_files(name) if os.path.isabs(name) else _of_function(name)


def _of_china() -> Calendar:
    try:
        import chinese_calendar
    except ImportError:
        raise MissingDependencyError(
            "quiet_hours.calendar", "needs_package", package="chinesecalendar", install=with_extra("cn")
        ) from None

    def is_workday(day: date) -> bool | None:
        try:
            return bool(chinese_calendar.is_workday(day))
        except NotImplementedError:
            return None

    return is_workday


def _of_files(path: str) -> Calendar:
    """A file of a year, or a folder of them: of a last week the days may stand in that of the next year."""
    import json
    from pathlib import Path

    known: dict[date, bool] = {}
    years: set[int] = set()
    try:
        files = [Path(path)] if path.endswith(".json") else sorted(Path(path).glob("20*.json"))
        for one in files:
            found = json.loads(one.read_text("utf-8"))
            year = int(found["year"])
            days = {date.fromisoformat(day["date"]): not day["isOffDay"] for day in found["days"]}
            known |= days
            years |= {year} if days else set()
        reason = "" if files else "no such files"
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
    if reason:
        raise ConfigurationError("quiet_hours.calendar", "unreadable", path=f" {path}", reason=reason)
    return lambda day: known.get(day, day.weekday() < 5 if day.year in years else None)


def _in_time(ask: Callable[[date], bool]) -> Calendar:
    """The same in a thread of its own, for which nobody waits for long: while an answer is late, nothing is asked."""
    running = threading.Lock()

    def asked(day: date) -> bool:
        if not running.acquire(blocking=False):
            raise TimeoutError
        found: list[bool | Exception | SystemExit] = []
        over = threading.Event()

        def run() -> None:
            try:
                found.append(ask(day))
            except BaseException as error:  # code of the program: it ends no more than this thread
                found.append(error if isinstance(error, Exception | SystemExit) else RuntimeError())
            finally:
                running.release()
                over.set()

        try:
            threading.Thread(target=run, name="wecom calendar", daemon=True).start()
        except RuntimeError:  # there can be no more threads, or the program ends
            run()
        if not over.wait(BOUND_S):
            raise TimeoutError
        if isinstance(answer := found[0], bool):
            return answer
        raise answer

    return asked


def _of_function(name: str) -> Calendar:
    try:
        found = function_named(name)
    except Exception as error:  # whatever the module does when it is loaded
        reason = type(error).__name__
    else:
        return _in_time(lambda day: bool(found(day)))
    raise ConfigurationError("quiet_hours.calendar", "no_such_function", reason=reason)
