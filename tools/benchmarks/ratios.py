"""``python -m tools.benchmarks.ratios [--only RATIO …] [--write]``: is a log call still as cheap as it was?

It measures some kinds of log calls beside QueueHandler's, and exits with 1 if one of them is dearer than its bound in
``ratios.toml``: twice the best figure so far. Each is CPU time of the calling thread, as a multiple of the same of
another handler's in the same minutes, and the least of many turns, so that a busy machine passes no bound.
What is beyond its bound is measured a few times more before that is said.

``--write`` takes what is better than the best so far, and twice that as its bound. It raises none: if a higher cost is
wanted, write both numbers by hand. `workloads` has the same calls with more peers beside them: ``repeat``, ``texts``,
``places``, ``threads``.
"""

from __future__ import annotations

import argparse
import sys
import tomllib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from .measure import ChildFailed
from .peers import OURS, QUEUE
from .workloads import FORMS, Cost, over_queue, rounds, whole

BOUNDS = Path(__file__).with_suffix(".toml")
HEAD = "# The best figures so far, and twice each: `python -m tools.benchmarks.ratios --write`, on a quiet machine"
REMEDY = """\
The calling thread does more for such a record than it did. `git bisect run` with this command and --only finds the
commit. If its cost is wanted, write it, and twice it as the bound, into the file of bounds; say why in the commit."""
Bounds = dict[str, dict[str, float]]
"""Of each ratio its ``figure`` and its ``bound``."""

SWEEPS = 3
AGAIN = 6
"""How many rounds a form gets, and how many more if it is beyond its bound."""


def beside_null(cost: Cost, queue: Cost) -> float:
    """A call with its floor, as a multiple of NullHandler's: from four threads, a QueueHandler's takes 9 µs or 30, by
    how the threads meet, which says more of the machine than of a handler."""
    return cost.least("cpu") / cost.least("floor_cpu")


RATIOS: dict[str, tuple[str, Callable[[Cost, Cost], float]]] = {
    "repeat": ("repeat", over_queue),
    "numbers": ("numbers", over_queue),
    "uuids": ("uuids", over_queue),
    "paths": ("paths", over_queue),
    "chinese": ("chinese", over_queue),
    "places": ("places", over_queue),
    "places-whole": ("places", whole("cpu")),
    "exceptions": ("exceptions", over_queue),
    "threads-beside-null": ("threads", beside_null),
}
"""Each by its form, see `calls`, and what of that is compared."""


def measured(names: Iterable[str], bounds: Bounds, *, quick: bool) -> dict[str, float]:
    """The ratios of these names."""
    costs: dict[str, dict[str, list[Any]]] = {}
    figures: dict[str, float] = {}
    for sweep in range(1 if quick else SWEEPS + AGAIN):
        wanted = names if sweep < SWEEPS else passed(figures, bounds)
        for form in dict.fromkeys(RATIOS[name][0] for name in wanted):
            for peer, found in rounds(FORMS[form], (QUEUE, OURS), quick=quick, main=1).items():
                if isinstance(found[0], ChildFailed):
                    raise found[0]
                costs.setdefault(form, {}).setdefault(peer, []).extend(found)
        for name in wanted:
            form, share = RATIOS[name]
            figures[name] = share(Cost(costs[form][OURS.name]), Cost(costs[form][QUEUE.name]))
    return figures


def passed(figures: Mapping[str, float], bounds: Bounds) -> list[str]:
    """Those that are beyond their bounds."""
    return [name for name, figure in figures.items() if name in bounds and figure > bounds[name]["bound"]]


def lowered(figures: Mapping[str, float], bounds: Bounds) -> Bounds:
    """The bounds, with that of each figure that is new, or better than what is written there."""
    found = {name: float(f"{figure:.3g}") for name, figure in figures.items()}
    better = {name: one for name, one in found.items() if name not in bounds or one < bounds[name]["figure"]}
    return {**bounds, **{name: {"figure": one, "bound": 2 * one} for name, one in better.items()}}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.benchmarks.ratios", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=RATIOS, default=list(RATIOS), metavar="RATIO")
    parser.add_argument("--write", action="store_true", help="write what is better than the best so far")
    parser.add_argument("--quick", action="store_true", help="few calls: shows that all runs, no more")
    parser.add_argument("--bounds", type=Path, default=BOUNDS, metavar="FILE", help="in place of ratios.toml")
    chosen = parser.parse_args()
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
