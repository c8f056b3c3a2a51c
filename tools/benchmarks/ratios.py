"""``python -m tools.benchmarks.ratios [--only RATIO …] [--write] [--table [PAGE …]]``: is a log call, or a start, still
as cheap as it was, and what does a call cost beside others?

It measures some kinds of log calls beside QueueHandler's, and the start of a program beside one that imports requests,
and exits with 1 if one of them is dearer than its bound in ``ratios.toml``: twice the best figure so far, or less. Each
is CPU time, of the calling thread or of a whole process, as a multiple of the other's in the same minutes, and the
least of many turns, so that a busy machine passes no bound. What is beyond its bound is measured a few times more
before that is said.

``--write`` takes what is better than the best so far, and twice that as its bound. It raises none: if a higher cost is
wanted, write both numbers by hand.

``--table`` prints a table of the same calls with sentry-sdk and python-logstash-async beside them (extra ``[bench]``;
below three minutes), and writes it into the pages that are named, in the place of the one that is there. `workloads`
has them with more peers: ``repeat``, ``texts``, ``places``, ``threads``.
"""

from __future__ import annotations

import argparse
import platform
import re
import sys
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from .measure import ChildFailed
from .peers import LOGSTASH, OURS, QUEUE, SENTRY, Peer
from .workloads import FORMS, START, START_BESIDE, Cost, over_queue, rounds, starts, whole

BOUNDS = Path(__file__).with_suffix(".toml")
HEAD = "# The best figures so far, and twice each: `python -m tools.benchmarks.ratios --write`, on a quiet machine"
REMEDY = """\
The calling thread does more for such a record than it did, or a program loads more. `git bisect run` with this command
and --only finds the commit. If its cost is wanted, write it, and twice it as the bound, into the file of bounds; say
why in the commit."""
Bounds = dict[str, dict[str, float]]
"""Of each ratio its ``figure`` and its ``bound``."""

SWEEPS = 3
AGAIN = 6
"""How many rounds a form gets, and how many more if it is beyond its bound."""


def beside_null(cost: Cost, queue: Cost) -> float:
    """A call with its floor, as a multiple of NullHandler's: from four threads, a QueueHandler's takes 9 µs or 30, by
    how the threads meet, which says more of the machine than of a handler."""
    return cost.least("cpu") / cost.least("floor_cpu")


Share = Callable[[Cost, Cost], float]
RATIOS: dict[str, tuple[str, Share]] = {
    "repeat": ("repeat", over_queue),
    "numbers": ("numbers", over_queue),
    "uuids": ("uuids", over_queue),
    "paths": ("paths", over_queue),
    "chinese": ("chinese", over_queue),
    "places": ("places", over_queue),
    "places-whole": ("places", whole("cpu")),
    "exceptions": ("exceptions", over_queue),
    "threads-beside-null": ("threads", beside_null),
    "start": ("start", over_queue),
}
"""Each by its form, see `calls`, and what of that is compared."""

TABLE: list[tuple[str, str, str, Share]] = [
    ("the same call again", "同一处重复", *RATIOS["repeat"]),
    ("f-string, numbers vary", "f-string，数字变化", *RATIOS["numbers"]),
    ("f-string, a uuid and a number vary", "f-string，uuid 和数字变化", *RATIOS["uuids"]),
    ("f-string, a path and a name vary", "f-string，路径和名字变化", *RATIOS["paths"]),
    ("f-string, Chinese with numbers that vary", "f-string，中文加变化的数字", *RATIOS["chinese"]),
    ("4,000 places, each its own text", "4,000 处，各有各的文本", *RATIOS["places"]),
    ("the same, the whole call", "同上，整个调用", *RATIOS["places-whole"]),
    ("exception, 20 frames, its text varies", "异常，20 层调用栈，文本变化", *RATIOS["exceptions"]),
    ("the same call from four threads, the whole call", "四个线程同时重复，整个调用", "threads", whole("cpu")),
]
"""The rows, in both languages."""
WHO = (QUEUE, OURS, SENTRY, LOGSTASH)

Costs = dict[str, dict[str, list[Any]]]
"""By form and peer, all rounds."""


def taken(form: str, who: Sequence[Peer], *, quick: bool) -> dict[str, list[Any]]:
    """A round of each of them; of a start, of the two that are compared."""
    if form == "start":
        found = starts((START, START_BESIDE), quick=quick, turns=3)
        return {OURS.name: found[START], QUEUE.name: found[START_BESIDE]}
    return rounds(FORMS[form], who, quick=quick, main=1)


def add_round(costs: Costs, forms: Iterable[str], who: Sequence[Peer], *, quick: bool) -> None:
    """One more fresh process of each of these forms and peers."""
    for form in dict.fromkeys(forms):
        for peer, found in taken(form, who, quick=quick).items():
            if isinstance(found[0], ChildFailed):
                raise found[0]
            costs.setdefault(form, {}).setdefault(peer, []).extend(found)


def measured(names: Iterable[str], bounds: Bounds, *, quick: bool) -> dict[str, float]:
    """The ratios of these names."""
    costs: Costs = {}
    figures: dict[str, float] = {}
    for sweep in range(1 if quick else SWEEPS + AGAIN):
        wanted = names if sweep < SWEEPS else passed(figures, bounds)
        add_round(costs, (RATIOS[name][0] for name in wanted), (QUEUE, OURS), quick=quick)
        for name in wanted:
            form, share = RATIOS[name]
            figures[name] = share(Cost(costs[form][OURS.name]), Cost(costs[form][QUEUE.name]))
    return figures


def table(costs: Costs, *, chinese: bool) -> str:
    """In markdown: QueueHandler in microseconds, the others as multiples of it."""
    where = f"CPython {platform.python_version()}, {date.today()}"
    head = [f"记录（{where}）" if chinese else f"record ({where})", "`NullHandler`", "`QueueHandler`"]
    peers = [f"{peer.name} {peer.version}" if peer.version and peer is not OURS else peer.name for peer in WHO[1:]]
    lines = [[*head, *peers], ["---"] + ["---:"] * (len(head) + len(peers) - 1)]
    for english, han, form, share in TABLE:
        found = {peer: Cost(each) for peer, each in costs[form].items()}
        queue = found[QUEUE.name]
        floor = min(one.least("floor_cpu") for one in found.values())
        own = queue.least("cpu") - (queue.least("floor_cpu") if share is over_queue else 0)
        shares = [share(found[peer.name], queue) if peer.name in found else None for peer in WHO[1:]]
        cells = ["–" if one is None else f"{one:.2g} ×" if one < 10 else f"{one:,.0f} ×" for one in shares]
        lines.append([han if chinese else english, f"{floor * 1e6:.1f} µs", f"{own * 1e6:.1f} µs", *cells])
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


_IN_A_PAGE = re.compile(r"(?m)^\| (?:record \(|记录（)CPython .*\n(?:\|.*\n)*")


def put_into(page: Path, costs: Costs) -> None:
    """Write the table over that which the page has."""
    text = page.read_text(encoding="utf-8")
    made, number = _IN_A_PAGE.subn(f"{table(costs, chinese='.zh.' in page.name)}\n", text)
    if number != 1:
        raise SystemExit(f"{page} has {number} such tables, not one")
    page.write_text(made, encoding="utf-8")


def passed(figures: Mapping[str, float], bounds: Bounds) -> list[str]:
    """Those that are beyond their bounds."""
    return [name for name, figure in figures.items() if name in bounds and figure > bounds[name]["bound"]]


def lowered(figures: Mapping[str, float], bounds: Bounds) -> Bounds:
    """The bounds, with that of each figure that is new, or better than what is written there."""
    found = {name: float(f"{figure:.3g}") for name, figure in figures.items()}
    better = {name: one for name, one in found.items() if name not in bounds or one < bounds[name]["figure"]}
    most = {name: 2 * one for name, one in better.items()} | {name: one["bound"] for name, one in bounds.items()}
    return {**bounds, **{name: {"figure": one, "bound": min(2 * one, most[name])} for name, one in better.items()}}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.benchmarks.ratios", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=RATIOS, default=list(RATIOS), metavar="RATIO")
    parser.add_argument("--write", action="store_true", help="write what is better than the best so far")
    parser.add_argument("--quick", action="store_true", help="few calls: shows that all runs, no more")
    parser.add_argument("--bounds", type=Path, default=BOUNDS, metavar="FILE", help="in place of ratios.toml")
    parser.add_argument("--table", nargs="*", type=Path, metavar="PAGE", help="with others beside; into these pages")
    chosen = parser.parse_args()
    if chosen.table is not None:
        costs: Costs = {}
        for _ in range(1 if chosen.quick else SWEEPS):
            add_round(costs, (form for _, _, form, _ in TABLE), WHO, quick=chosen.quick)
        print(table(costs, chinese=False))
        for page in chosen.table:
            put_into(page, costs)
        return 0
    bounds: Bounds = tomllib.loads(chosen.bounds.read_text(encoding="utf-8"))
    figures = measured(chosen.only, bounds, quick=chosen.quick)
    if chosen.write:
        bounds = lowered(figures, bounds)
        lines = (f"{name} = {{ figure = {one['figure']:g}, bound = {one['bound']:g} }}" for name, one in bounds.items())
        chosen.bounds.write_text("\n".join([HEAD, *lines, ""]), encoding="utf-8")
    faults = [f"{name} has no bound: --write gives it one" for name in figures if name not in bounds]
    for name, figure in figures.items():
        print(f"{name:20} {figure:8.3g}   bound {bounds[name]['bound'] if name in bounds else '-':>8}")
    for name in passed(figures, bounds):
        bound = bounds[name]["bound"]
        faults.append(f"{name}: {figures[name]:.3g} is {figures[name] / bound - 1:.0%} beyond its bound of {bound:g}")
    if faults:
        print(*faults, REMEDY, sep="\n", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
