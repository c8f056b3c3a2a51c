"""How a figure is taken.

Each round of each peer is a fresh interpreter, and rounds are interleaved (a, b, c, a, b, c, …), so that a machine that
changes its speed does so for all. Each process measures the floor (the same calls into a NullHandler) just before the
peer, with the same code at the same addresses. Costs of single calls are CPU time of the calling thread, which leaves
out what other programs and the peer's own thread do, in favour of those who have a busy thread; beside it stands the
wall time. Of all rounds the least counts: everything that disturbs makes it more.
"""

from __future__ import annotations

import json
import math
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
_FOREIGN = ("WECOM_", "SENTRY_", "OTEL_", "LOGURU_", "PYTHON")
"""Variables that would change what is measured, or send it elsewhere."""


def clean_environment() -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_FOREIGN) and not name.lower().endswith("_proxy")
    }
    return {**kept, "NO_PROXY": "*", "PYTHONHASHSEED": "0"}


class ChildFailed(Exception):
    """A process that did not end, or not well."""


def run_child(program: str, timeout_s: float, **given: object) -> dict[str, Any]:
    """Run one function of `programs` in a fresh interpreter."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        order = json.dumps({"program": program, "folder": folder, **given})
        try:
            done = subprocess.run(
                [sys.executable, "-m", f"{__package__}.child", order],
                cwd=ROOT,
                env=clean_environment(),
                capture_output=True,
                text=True,
                timeout=timeout_s,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise ChildFailed(f"did not end within {timeout_s:.0f} s") from None
    if done.returncode != 0:
        raise ChildFailed(f"exit code {done.returncode}: {done.stderr.strip()[-300:]}")
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def interleaved(cases: Iterable[tuple[str, int, Callable[[], Any]]]) -> dict[str, list[Any]]:
    """Call each case (name, rounds, call) in turns, until each had its rounds. A case that failed once is left out."""
    waiting = list(cases)
    results: dict[str, list[Any]] = {name: [] for name, _, _ in waiting}
    for turn in range(max((rounds for _, rounds, _ in waiting), default=0)):
        for name, rounds, call in waiting:
            failed = any(isinstance(result, ChildFailed) for result in results[name])
            if turn < rounds and not failed:
                try:
                    results[name].append(call())
                except ChildFailed as error:
                    results[name] = [error]
    return results


@dataclass(frozen=True, slots=True)
class Interpreter:
    """What a whole fresh interpreter took."""

    wall_s: float
    cpu_s: float


def interpreter(code: str) -> Interpreter:
    """Run some code in a fresh one."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=clean_environment(), check=True, capture_output=True)
    ended, after = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    return Interpreter(ended - began, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)


def modules(code: str) -> int:
    """How many modules a fresh interpreter has loaded by the end of some code."""
    code = f"{code}\nimport sys; print(len(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=clean_environment(), check=True, capture_output=True
    )
    return int(done.stdout)


def percentile(values: list[float], share: float) -> float:
    """The smallest of them that is not exceeded by this share of them."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]
