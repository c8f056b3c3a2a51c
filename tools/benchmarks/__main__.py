"""``python -m tools.benchmarks [--quick] [--only WORKLOAD …] [--figures FILE]``: print the table, in markdown."""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from .peers import OURS, PEERS
from .workloads import WORKLOADS, Row, run

HEADS = ("workload", "peer", "calls", "mean", "least", "figure", "target", "", "note")


def line(row: Row) -> str:
    reached = {None: "", True: "✓", False: "✗"}[row.reached]
    calls = "" if row.calls is None else f"{row.calls:,}"
    note = " ".join(row.note.split()).replace("|", "/")
    cells = (row.workload, row.peer, calls, row.mean, row.least, row.figure, row.target, reached, note)
    return "| " + " | ".join(cells) + " |"


def table(rows: Iterable[Row]) -> str:
    right = (2, 3, 4, 5)
    rule = "|".join("---:" if column in right else "---" for column in range(len(HEADS)))
    return "\n".join([f"| {' | '.join(HEADS)} |", f"|{rule}|", *map(line, rows)])


def versions() -> str:
    found = {peer.distribution: peer.version or "not installed" for peer in PEERS if peer.distribution}
    peers = ", ".join(f"{name} {version}" for name, version in found.items())
    return f"{platform.python_implementation()} {platform.python_version()}, {platform.system()}; {peers}"


def written(figures: dict[str, Any], rows: Mapping[str, Sequence[Row]], measured: str) -> list[str]:
    """Put what was measured into the figures that the documents show; give a line for each that is another one now.

    ``measured_by`` of a figure says which workload's row of ours has it, in which column, and behind what words.
    """
    changes = []
    for name, one in figures.items():
        workload, column, words = one.get("measured_by", ("", "", "")) if isinstance(one, dict) else ("", "", "")
        cells = [getattr(row, column) for row in rows.get(workload, ()) if OURS.name in row.peer]
        found = next((match[1] for cell in cells if (match := re.fullmatch(f"{words}(;.*)?", cell))), None)
        if workload and not found:
            changes.append(f"{name}: not found in the rows of {workload}")
        elif found and found != one["figure"]:
            changes.append(f"{name}: {one['figure']} -> {found}, in {', '.join(one['pages'])}")
            one["figure"] = found
    figures["measured"] = measured
    return changes


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few calls and one round: shows that all runs, no more")
    parser.add_argument("--only", nargs="+", choices=WORKLOADS, default=list(WORKLOADS), metavar="WORKLOAD")
    parser.add_argument("--figures", type=Path, metavar="FILE", help="write what is measured into docs/figures.json")
    chosen = parser.parse_args()
    if chosen.figures and (chosen.quick or set(chosen.only) != set(WORKLOADS)):
        parser.error("--figures writes what a whole run has measured: leave out --quick and --only")
    began = time.monotonic()
    rows = run(chosen.only, quick=chosen.quick, say=lambda text: print(text, file=sys.stderr, flush=True))
    print(f"{versions()}\n")
    print(table(row for each in rows.values() for row in each))
    print()
    for name in rows:
        print(f"* **{name}**: {' '.join((WORKLOADS[name].__doc__ or '').split())}")
    if chosen.figures:
        figures = json.loads(chosen.figures.read_text(encoding="utf-8"))
        measured = (
            f"{os.cpu_count()} cores, CPython {platform.python_version()}, {date.today()}; python -m tools.benchmarks"
        )
        print(*written(figures, rows, measured), sep="\n")
        lines = (f"  {json.dumps(name)}: {json.dumps(one, ensure_ascii=False)}" for name, one in figures.items())
        chosen.figures.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    quick = ", in few rounds: these figures show only that all runs" if chosen.quick else ""
    print(f"\n{time.monotonic() - began:.0f} s{quick}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
