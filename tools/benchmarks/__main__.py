"""``python -m tools.benchmarks [--quick] [--only WORKLOAD …]``: run them and print the table, in markdown."""

from __future__ import annotations

import argparse
import platform
import sys
import time
from collections.abc import Iterable

from .peers import PEERS
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


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few calls and one round: shows that all runs, no more")
    parser.add_argument("--only", nargs="+", choices=WORKLOADS, default=list(WORKLOADS), metavar="WORKLOAD")
    chosen = parser.parse_args()
    began = time.monotonic()
    rows = run(chosen.only, quick=chosen.quick, say=lambda text: print(text, file=sys.stderr, flush=True))
    print(f"{versions()}\n")
    print(table(row for each in rows.values() for row in each))
    print()
    for name in rows:
        print(f"* **{name}**: {' '.join((WORKLOADS[name].__doc__ or '').split())}")
    quick = ", in few rounds: these figures show only that all runs" if chosen.quick else ""
    print(f"\n{time.monotonic() - began:.0f} s{quick}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
