"""Schedules of frameworks as lines of a crontab, each of which `expect` takes as a job of its name."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .. import _config as config
from .._lines import line
from .._runtime.warn import warn_once
from ..errors import ConfigurationError, MissingDependencyError

if TYPE_CHECKING:
    from .._expect import Expectation


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """When a job is due, and how its framework says that. Neither ``cron`` nor ``every_s``: it cannot be said here."""

    text: str
    cron: str = ""
    zone: str = ""
    every_s: float = 0.0
    late_s: float = 0.0
    """So much later it may start, as its schedule says."""


def crontab(
    minutes: Collection[int],
    hours: Collection[int],
    days: Collection[int],
    months: Collection[int],
    weekdays: Collection[int],
) -> str:
    """The line that says the same, with Sunday as 0; none where both days and weekdays are given: either will do for
    cron, and frameworks ask for both.
    """
    fields = [
        "*" if set(given) == set(every) else ",".join(map(str, sorted(set(given))))
        for given, every in (
            (minutes, range(60)),
            (hours, range(24)),
            (days, range(1, 32)),
            (months, range(1, 13)),
            (weekdays, range(7)),
        )
    ]
    return "" if fields[2] != "*" != fields[4] else " ".join(fields)


def expect_each(
    who: str,
    scheduler: str,
    found: Iterable[tuple[str, Times]],
    grace: str,
    max_runtime: str | None,
    level: int | str,
    handler: logging.Handler | str | None,
) -> dict[str, Expectation]:
    """Declare them, all with these options of `expect`; the ``scheduler``, a word, starts them. One line on stderr
    names those that are left out. Raises `ConfigurationError`.
    """
    from .._expect import expect, started_by
    from .._masking.redact import redact

    grace_s = config.duration("grace", grace, least=0)
    expect(who, level=level, handler=handler)  # what is wrong for all is no matter of one of them
    if max_runtime is not None:
        config.duration("max_runtime", max_runtime)
    jobs: dict[str, Expectation] = {}
    left_out = []
    for name, times in found:
        try:
            if name in jobs or not (times.cron or times.every_s):
                raise ConfigurationError("every", "missing")
            with started_by(scheduler):
                jobs[name] = expect(
                    name,
                    cron=times.cron or None,
                    every=f"{times.every_s:.6f}s" if times.every_s else None,
                    timezone=times.zone or None,
                    grace=f"{grace_s + times.late_s:.6f}s",
                    max_runtime=max_runtime,
                    level=level,
                    handler=handler,
                )
        except MissingDependencyError:
            raise
        except ConfigurationError:  # less than a minute, no zone, a name that is too long
            left_out.append(f"{name} ({times.text})")
    if left_out:
        warn_once(f"left out {who}", line("not_expected", who=who, names=redact(", ".join(left_out))))
    return jobs
