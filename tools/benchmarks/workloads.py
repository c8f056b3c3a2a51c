"""The workloads: what is run, how often, and what the table says of it.

Each function makes the rows of one workload. A target is what this package's handler has to reach; the rows of the
peers stand beside it. `WORKLOADS` has them in the order of the table.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from wecom_logging.redaction import redact

from . import masks, peers
from .frameworks import FRAMEWORKS
from .measure import ChildFailed, interleaved, interpreter, modules, percentile, run_child
from .peers import OURS, QUEUE, QUEUE_REQUESTS, Peer
from .server import Server

MAIN = (peers.NULL, QUEUE, OURS)
"""Who decides about a target: seven rounds; three for the others."""
COSTS = (
    peers.NULL,
    QUEUE,
    QUEUE_REQUESTS,
    peers.SENTRY,
    peers.LOGSTASH,
    peers.LOGURU,
    peers.OTEL,
    peers.NOTIFIER,
    OURS,
)
DRAINS = (
    OURS,
    QUEUE_REQUESTS,
    peers.SENTRY,
    peers.LOGSTASH,
    peers.LOGURU_REQUESTS,
    peers.OTEL,
    peers.NOTIFIER,
)
TEXTS = (peers.NULL, QUEUE, peers.SENTRY, peers.LOGSTASH, OURS)
ROUND_TRIP_S = 0.02
LATE_S = 0.05


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. ``figure`` is what ``target`` is about; ``reached`` is None where there is none."""

    workload: str
    peer: str
    calls: int | None = None
    mean: str = ""
    least: str = ""
    figure: str = ""
    target: str = ""
    reached: bool | None = None
    note: str = ""


def absent(workload: str, who: Iterable[Peer]) -> list[Row]:
    """Rows that say who could not be measured."""
    return [Row(workload, peer.name, note="not installed") for peer in who if peer.version is None]


def _present(who: Iterable[Peer]) -> list[Peer]:
    return [peer for peer in who if peer.version is not None]


def _target(peer: Peer, figure: float | None, at_most: float) -> tuple[str, bool | None]:
    """What stands in the columns of the target; nothing for peers."""
    return (f"≤ {at_most:g}", figure is not None and figure <= at_most) if peer is OURS else ("", None)


def _us(seconds: float) -> str:
    return f"{seconds * 1e6:,.2f} µs" if seconds < 1e-4 else f"{seconds * 1e6:,.0f} µs"


def _ratio(figure: float) -> str:
    return f"{figure:.3f}×" if abs(figure) < 10 else f"{figure:,.0f}×"


# What a single call costs.


@dataclass(frozen=True, slots=True)
class Form:
    """A kind of log call: which program makes how many, and (``given``) of what."""

    program: str
    n: int
    given: Mapping[str, object]


FORMS = {
    "repeat": Form("cost", 100_000, {"call": "repeat", "turns": 10}),
    "exception": Form("cost", 20_000, {"call": "exception", "turns": 10}),
    "numbers": Form("cost", 5_000, {"call": "numbers", "turns": 5}),
    "uuids": Form("cost", 5_000, {"call": "uuids", "turns": 5}),
    "paths": Form("cost", 5_000, {"call": "paths", "turns": 5}),
    "chinese": Form("cost", 5_000, {"call": "chinese", "turns": 5}),
    "exceptions": Form("cost", 1_000, {"call": "exceptions", "turns": 5}),
    "places": Form("distinct", 4_000, {"args": False}),
    "distinct": Form("distinct", 2_000, {}),
    "threads": Form("threads", 100_000, {}),
    "level-off": Form("cost", 1_000_000, {"call": "level_off"}),
}


def rounds(form: Form, who: Iterable[Peer], *, quick: bool, main: int = 7) -> dict[str, list[Any]]:
    """What each peer's rounds gave: ``main`` rounds of those who decide about a target, at most 3 of the others."""

    def case(peer: Peer, url: str) -> tuple[str, int, Callable[[], Any]]:
        times, budget_s = (main, 2.0) if peer in MAIN else (min(main, 3), 1.0)
        if quick:
            times, budget_s = 1, 0.5
        order = {"peer": peer.name, "url": url, "budget_s": budget_s, **form.given}
        return peer.name, times, lambda: run_child(form.program, 60, n=form.n // 10 if quick else form.n, **order)

    with Server(delay_s=ROUND_TRIP_S) as server:
        return interleaved(case(peer, server.url) for peer in _present(who))


@dataclass(frozen=True, slots=True)
class Cost:
    """All rounds of one peer; seconds a call."""

    rounds: list[dict[str, Any]]

    def least(self, name: str) -> float:
        least: float = min(each[name] for each in self.rounds)
        return least

    def mean(self, name: str) -> float:
        return statistics.fmean(each[name] for each in self.rounds)

    def over_floor(self, name: str) -> float:
        return self.least(name) - self.least(f"floor_{name}")


def over_queue(cost: Cost, queue: Cost) -> float:
    """The CPU of a call over the floor, as a multiple of QueueHandler's."""
    return cost.over_floor("cpu") / queue.over_floor("cpu")


def whole(clock: str) -> Callable[[Cost, Cost], float]:
    """A call with its floor, as a multiple of QueueHandler's."""
    return lambda cost, queue: cost.least(clock) / queue.least(clock)


def _cost_rows(
    workload: str,
    who: Iterable[Peer],
    results: dict[str, list[Any]],
    clock: str,
    figure: Callable[[Cost, Cost], float],
    at_most: float,
    note: Callable[[Cost, Cost], str],
) -> list[Row]:
    rows = []
    queue = Cost(results[QUEUE.name])
    for peer in _present(who):
        if isinstance(results[peer.name][0], ChildFailed):
            rows.append(
                Row(workload, peer.name, note=str(results[peer.name][0]), reached=False if peer is OURS else None)
            )
            continue
        cost = Cost(results[peer.name])
        found = figure(cost, queue)
        target, reached = _target(peer, found, at_most)
        calls = min(each["calls"] for each in cost.rounds)
        rows.append(
            Row(
                workload,
                peer.name,
                calls,
                _us(cost.mean(clock)),
                _us(cost.least(clock)),
                _ratio(found),
                target,
                reached,
                note(cost, queue),
            )
        )
    return rows + absent(workload, who)


def _over_floor(name: str, at_most: float, who: Iterable[Peer] = COSTS, *, quick: bool) -> list[Row]:
    return _cost_rows(
        name,
        who,
        rounds(FORMS[name], who, quick=quick),
        "cpu",
        over_queue,
        at_most,
        lambda cost, queue: f"{_us(cost.over_floor('cpu'))} over the floor; wall {_us(cost.least('wall'))}",
    )


def repeat(quick: bool) -> list[Row]:
    """One call site with changing arguments: CPU of a call over the floor, as a share of QueueHandler's."""
    return _over_floor("repeat", 0.08, quick=quick)


def exception(quick: bool) -> list[Row]:
    """logger.exception with a traceback of 20 frames: the same."""
    return _over_floor("exception", 0.02, quick=quick)


def texts(quick: bool) -> list[Row]:
    """An f-string at one call site, with numbers, a uuid and a number, a path and a name, or numbers in Chinese; and
    logger.exception, where the exception says something else each time: the same."""
    targets = {"numbers": 1.5, "uuids": 2.0, "paths": 2.0, "chinese": 2.0, "exceptions": 0.04}
    return [row for name, at_most in targets.items() for row in _over_floor(name, at_most, TEXTS, quick=quick)]


def places(quick: bool) -> list[Row]:
    """4,000 call sites, each once, with a text of its own and no arguments: the same, and the whole call's CPU."""
    results = rounds(FORMS["places"], TEXTS, quick=quick)
    return [
        *_cost_rows("places", TEXTS, results, "cpu", over_queue, 4.0, lambda cost, queue: "over the floor"),
        *_cost_rows("places", TEXTS, results, "cpu", whole("cpu"), 2.0, lambda cost, queue: "whole"),
    ]


def threads(quick: bool) -> list[Row]:
    """The repeated call from four threads at once: the whole wall time, as a share of QueueHandler's."""
    return _cost_rows(
        "threads",
        COSTS,
        rounds(FORMS["threads"], COSTS, quick=quick),
        "wall",
        whole("wall"),
        0.4,
        lambda cost, queue: f"floor {_us(cost.least('floor_wall'))}",
    )


def distinct(quick: bool) -> list[Row]:
    """2,000 call sites, each once, with templates of their own: the whole wall time, as a share of QueueHandler's."""
    return _cost_rows(
        "distinct",
        COSTS,
        rounds(FORMS["distinct"], COSTS, quick=quick),
        "wall",
        whole("wall"),
        1.0,
        lambda cost, queue: f"thread CPU {_us(cost.least('cpu'))}, {_ratio(whole('cpu')(cost, queue))}",
    )


def level_off(quick: bool) -> list[Row]:
    """A level that is off: as a share of the same call with a NullHandler (1, give or take a tenth)."""
    return _cost_rows(
        "level-off",
        COSTS,
        rounds(FORMS["level-off"], COSTS, quick=quick),
        "cpu",
        lambda cost, queue: cost.least("cpu") / cost.least("floor_cpu"),
        1.1,
        lambda cost, queue: "",
    )


def request(quick: bool) -> list[Row]:
    """A web request that does not fail: with the middleware, as a share of the same without it."""
    n, rounds, processes = (50, 2, 1) if quick else (300, 25, 3)

    def call(framework: str, url: str) -> Callable[[], Any]:
        return lambda: run_child("request", 120, framework=framework, url=url, n=n, rounds=rounds)

    with Server(delay_s=ROUND_TRIP_S) as server:
        results = interleaved((name, processes, call(name, server.url)) for name in FRAMEWORKS)
    rows = []
    for name, found in results.items():
        if isinstance(found[0], ChildFailed):
            rows.append(Row("request", name, note=str(found[0]), reached=False))
            continue
        plain, watched = (min(each[kind] for each in found) for kind in ("plain", "watched"))
        ratio = watched / plain
        rows.append(
            Row(
                "request",
                name,
                found[0]["calls"] * len(found),
                least=_us(watched),
                figure=_ratio(ratio),
                target="≤ 1.05",
                reached=ratio <= 1.05,
                note=f"without it {_us(plain)}, {(watched - plain) * 1e6:+.2f} µs",
            )
        )
    variable = run_child("variable", 60, n=1_000 if quick else 100_000)
    return [*rows, Row("request", "one context variable, set and reset", least=_us(variable["cpu"]))]


# What a state costs.


@contextmanager
def _valkey() -> Iterator[str]:
    """The URL of a real server; "" where none can be started."""
    try:
        from tests.valkey_server import Server as Valkey
    except ImportError:
        yield ""
        return
    server = Valkey(save="")
    try:
        yield server.url
    finally:
        server.close()


def kept(quick: bool) -> list[Row]:
    """2,000 call sites, each once, with each state (sqlite: written down when the call returns), and with the database
    of logstash (written down by its thread, later): wall time, as a share of the last."""
    n, rounds = (300, 1) if quick else (2_000, 5)
    sqlite = "sqlite://{folder}/alerts.db"
    with Server(delay_s=ROUND_TRIP_S) as server, _valkey() as valkey:
        states = [(OURS, "memory://"), (OURS, sqlite), (OURS, valkey), (peers.LOGSTASH, "{folder}/logstash.db")]
        who = {
            f"{peer.name}, {(state or 'redis').partition(':')[0] if peer is OURS else 'SQLite'}": (peer, state)
            for peer, state in states
        }

        def call(peer: Peer, state: str) -> Callable[[], Any]:
            given = {"peer": peer.name, "url": server.url, "state": state, "n": n, "budget_s": 20.0}
            return lambda: run_child("kept", 90, **given)

        cases = [(name, rounds, call(*each)) for name, each in who.items() if each[1] and each[0].version]
        results = interleaved(cases)
    *_, base = who
    base_s = min((each["wall"] for each in results.get(base, []) if isinstance(each, dict)), default=None)
    rows = []
    for name in who:
        found = results.get(name)
        if found is None or isinstance(found[0], ChildFailed):
            rows.append(Row("kept", name, note=str(found[0]) if found else "not installed"))
            continue
        cost = Cost(found)
        ratio = cost.least("wall") / base_s if base_s else None
        note = f"p99 {_us(cost.least('p99'))}; thread CPU {_us(cost.least('cpu'))}"
        calls, figure = min(each["calls"] for each in found), "" if ratio is None else _ratio(ratio)
        rows.append(Row("kept", name, calls, _us(cost.mean("wall")), _us(cost.least("wall")), figure, note=note))
    return rows


def reserve(quick: bool) -> list[Row]:
    """One message of a bot's shared window, as a multiple of one INSERT on SQLite, and of one PING on Valkey."""
    rows = []
    with _valkey() as valkey:
        for state, once, at_most in (("sqlite", "one INSERT", 2.0), (valkey, "one PING", 3.0)):
            name = "SQLite" if state == "sqlite" else "Valkey"
            if not state:
                rows.append(Row("reserve", name, note="not installed"))
                continue
            try:
                found = run_child("reserve", 60, state=state, n=100 if quick else 2_000)
            except ChildFailed as error:
                rows.append(Row("reserve", name, reached=False, note=str(error)))
                continue
            figure = found["reserve"] / found["once"]
            target, reached = _target(OURS, figure, at_most)
            note = f"{once}: {_us(found['once'])}"
            rows.append(
                Row("reserve", name, found["calls"], "", _us(found["reserve"]), _ratio(figure), target, reached, note)
            )
    return rows


def claim(quick: bool) -> list[Row]:
    """What is due is claimed on Valkey: one incident, and none, as a multiple of one PING; the memory of one."""
    with _valkey() as valkey:
        if not valkey:
            return [Row("claim", "Valkey", note="not installed")]
        try:
            found = run_child("claim", 60, state=valkey, n=100 if quick else 2_000)
        except ChildFailed as error:
            return [Row("claim", "Valkey", reached=False, note=str(error))]
    rows = []
    for name, what in (("one", "one incident"), ("none", "none is due"), ("add", "added"), ("tell", "told")):
        figure = found[name] / found["once"]
        target, reached = _target(OURS, figure, 3.0) if name in ("one", "none") else ("", None)
        note = f"one PING: {_us(found['once'])}"
        row = Row(
            "claim", f"Valkey, {what}", found["calls"], "", _us(found[name]), _ratio(figure), target, reached, note
        )
        rows.append(row)
    figure = f"{found['memory']:,.0f} bytes"
    return [*rows, Row("claim", "Valkey, memory", found["calls"], figure=figure, note="of an incident, untold")]


def fleet(quick: bool) -> list[Row]:
    """200 processes with 50 open incidents and 100 records a second each, for a minute: Valkey's share of its core, how
    long a fresh incident waits until it was sent, and whether any count is lost."""
    processes, seconds = (20, 3.0) if quick else (200, 60.0)
    with _valkey() as valkey:
        if not valkey:
            return [Row("fleet", "Valkey", note="not installed")]
        try:
            found = run_child("fleet", seconds + 120, state=valkey, processes=processes, seconds=seconds)
        except ChildFailed as error:
            return [Row("fleet", "Valkey", reached=False, note=str(error))]
    told, waiting, given_up, discarded = found["books"]
    exact = found["added"] == found["counted"] == told == found["told"] and not waiting + given_up + discarded
    longest = max(found["waits"], default=0.0)
    note = (
        f"{found['incidents']:,} incidents open, {found['memory'] / 2**20:.0f} MiB; a turn {found['late']:.2f} s late"
    )
    return [
        Row(
            "fleet",
            f"{processes} processes",
            figure=f"{found['cpu']:.0%} of a core",
            target="≤ 50 %",
            reached=found["cpu"] <= 0.5,
            note=note,
        ),
        Row(
            "fleet",
            "fresh incidents",
            len(found["waits"]),
            figure=f"sent after {longest:.2f} s",
            target="≤ 2 s",
            reached=longest <= 2 and not found["missing"],
        ),
        Row(
            "fleet",
            "numbers",
            found["added"],
            figure=f"{told:,} told",
            target="exact",
            reached=exact,
            note=f"{waiting:,} waiting, {given_up:,} given up, {discarded:,} discarded",
        ),
    ]


# How a storm and a flood are told.


def _attempt(
    program: str, timeout_s: float, peer: Peer, *, delay_s: float, per_minute: int = 0, **given: object
) -> Any:
    """One process with a server of its own: its figures, or what went wrong."""
    with Server(delay_s=delay_s, per_minute=per_minute) as server:
        try:
            return run_child(program, timeout_s, peer=peer.name, url=server.url, **given)
        except ChildFailed as error:
            return error


def _failed(workload: str, peer: Peer, error: ChildFailed) -> list[Row]:
    return [Row(workload, peer.name, reached=False if peer is OURS else None, note=str(error))]


def _books_row(workload: str, found: dict[str, Any], logged: int) -> Row:
    """Whether our handler's books are exact: every record accepted once, and the sum right at every look."""
    books, wrong = found["books"], found["wrong"]
    exact = found["accepted"] == logged and not wrong
    told = ", ".join(f"{name} {books[name]:,}" for name in ("delivered", "merged", "pending"))
    lost = "".join(f", {reason} {number:,}" for reason, number in books["dropped"].items() if number)
    figure = f"{found['accepted']:,} accepted"
    return Row(
        workload, OURS.name, logged, figure=figure, target="exact", reached=exact, note="; ".join([told + lost, *wrong])
    )


def storm(quick: bool) -> list[Row]:
    """1,000,000 identical errors: messages, books, and resident memory after the warm-up."""
    wanted = {OURS: 100_000 if quick else 1_000_000, QUEUE_REQUESTS: 10_000 if quick else 100_000}
    bounds = {"budget_s": 10, "flush_s": 5} if quick else {"budget_s": 90, "flush_s": 30}
    rows = []
    for peer, n in wanted.items():
        found = _attempt("storm", 200, peer, delay_s=ROUND_TRIP_S, n=n, **bounds)
        if isinstance(found, ChildFailed):
            rows += _failed("storm", peer, found)
            continue
        took = f"{_us(found['calls_s'] / found['calls'])} a call"
        if peer is OURS:
            whole = found["calls"] == n
            took += "" if whole else f"; of {n:,}, as far as the time allowed"
            target, reached = _target(peer, found["messages"], 3)
            rows.append(
                Row(
                    "storm",
                    peer.name,
                    found["calls"],
                    figure=f"{found['messages']} messages",
                    target=target,
                    reached=reached and whole,
                    note=took,
                )
            )
            rows.append(_books_row("storm", found, found["calls"]))
        else:
            figure = f"{found['messages']} messages"
            rows.append(Row("storm", peer.name, found["calls"], figure=figure, note=f"{took}; after one more second"))
        rows.append(_memory_row("storm", peer, found, 2.0 if peer is OURS else None))
    return rows


def _memory_row(workload: str, peer: Peer, found: dict[str, Any], at_most: float | None) -> Row:
    grown = found["rss"]
    figure = "unknown" if grown is None else f"{grown:.1f} MiB more"
    target, reached = ("", None) if at_most is None else _target(peer, grown, at_most)
    return Row(
        workload, peer.name, found["calls"], figure=figure, target=target, reached=reached, note="resident, peak"
    )


def flood(quick: bool) -> list[Row]:
    """10,000 different texts a second for a minute; three CRITICAL from silent call sites: when the server has them."""
    seconds = {OURS: 5 if quick else 60} | ({} if quick else {QUEUE_REQUESTS: 10})
    rows = []
    for peer, length in seconds.items():
        found = _attempt("flood", length + 60, peer, delay_s=ROUND_TRIP_S, seconds=length, a_second=10_000)
        if isinstance(found, ChildFailed):
            rows += _failed("flood", peer, found)
            continue
        waits = found["waits"]
        missing = waits.count(None)
        longest = None if missing else max(waits)
        figure = (
            f"{missing} of {len(waits)} CRITICAL not seen" if longest is None else f"CRITICAL after {longest:.1f} s"
        )
        target, reached = _target(peer, longest, 10.0)
        note = f"{found['calls'] / found['seconds']:,.0f} a second for {length} s"
        rows.append(
            Row(
                "flood",
                peer.name,
                found["calls"],
                figure=figure,
                target=target and f"{target} s",
                reached=reached,
                note=note,
            )
        )
        rows.append(_memory_row("flood", peer, found, None))
        if peer is OURS:
            rows.append(_books_row("flood", found, found["calls"]))
    return rows


def first_alert(quick: bool) -> list[Row]:
    """The first alert of a program with 16 busy threads, over many processes: p99 of the call."""
    starts = Peer("threading.Thread.start()", "", peers.NULL.start)
    counts = {starts: 5, QUEUE: 5, OURS: 5} if quick else {starts: 20, QUEUE: 20, OURS: 100}

    def call(peer: Peer, url: str) -> Callable[[], Any]:
        name = None if peer is starts else peer.name
        return lambda: run_child("first", 60, peer=name, url=url, busy=16)

    with Server(delay_s=ROUND_TRIP_S) as server:
        results = interleaved((peer.name, n, call(peer, server.url)) for peer, n in counts.items())
    rows = []
    for peer in counts:
        if isinstance(results[peer.name][0], ChildFailed):
            rows += _failed("first-alert", peer, results[peer.name][0])
            continue
        spent = [each["seconds"] * 1e3 for each in results[peer.name]]
        p99 = percentile(spent, 0.99)
        target, reached = _target(peer, p99, 5.0)
        rows.append(
            Row(
                "first-alert",
                peer.name,
                len(spent),
                f"{statistics.fmean(spent):.2f} ms",
                f"{min(spent):.2f} ms",
                f"p99 {p99:.2f} ms",
                target and f"{target} ms",
                reached,
                f"most {max(spent):.2f} ms",
            )
        )
    return rows


def prompt(quick: bool) -> list[Row]:
    """A fresh alert while nothing else waits: from the log call until its bytes are at the server; the first of a
    process, which loads what sending needs, and those after it. With SQLite it is on disk when the call returns."""
    processes, n = (2, 5) if quick else (20, 25)
    kinds = ("app", "bot", "bot, sqlite")

    def call(kind: str, url: str) -> Callable[[], Any]:
        return lambda: run_child("prompt", 60, kind=kind, url=url, n=n)

    rows = []
    for kind in kinds:
        found = []
        for _ in range(processes):
            with Server() as server:  # of each its own: the marks are the same
                found += interleaved([(kind, 1, call(kind, server.url))])[kind]
        name = f"{OURS.name}, {kind}"
        if failed := [one for one in found if isinstance(one, ChildFailed)]:
            rows.append(Row("prompt", name, note=str(failed[0]), reached=False))
            continue
        firsts, warm = [one["first"] for one in found], [wait for one in found for wait in one["warm"]]
        for what, waits, at_most_ms in (("the first", firsts, 200.0), ("warm", warm, 20.0)):
            spent = [float("inf") if wait is None else wait * 1e3 for wait in waits]
            p99 = percentile(spent, 0.99)
            rows.append(
                Row(
                    "prompt",
                    f"{name}: {what}",
                    len(spent),
                    f"{statistics.fmean(spent):.1f} ms",
                    f"{min(spent):.1f} ms",
                    f"p99 {p99:.1f} ms",
                    f"≤ {at_most_ms:g} ms",
                    p99 <= at_most_ms,
                    f"median {percentile(spent, 0.5):.1f} ms, most {max(spent):.1f} ms",
                )
            )
    return rows


# How fast what waits is told.


def drain(quick: bool) -> list[Row]:
    """2,000 distinct records, no limit, 50 ms a request: seconds until all are told, as a share of a post for each."""
    n, at_most_s = (100, 12) if quick else (2_000, 150)

    def attempt(peer: Peer) -> Any:
        given = {"n": n, "rate_limit": None, "at_most_s": at_most_s}
        return _attempt("drain", at_most_s * 2 + 30, peer, delay_s=LATE_S, **given)

    found = {OURS: attempt(OURS)}  # alone; the others mostly wait, and may do so together
    others = [peer for peer in _present(DRAINS) if peer is not OURS]
    with ThreadPoolExecutor(len(others)) as pool:
        found |= dict(zip(others, pool.map(attempt, others), strict=True))
    base = found.get(QUEUE_REQUESTS)
    base_s = base["seconds"] if isinstance(base, dict) and base["done"] else None
    rows = []
    for peer, each in found.items():
        if isinstance(each, ChildFailed):
            rows += _failed("drain", peer, each)
            continue
        ratio = each["seconds"] / base_s if base_s and _all_told(each) else None
        target, reached = _target(peer, ratio, 0.05)
        figure = f"not all within {at_most_s} s" if not each["done"] else f"{each['seconds']:.2f} s"
        figure += f", {_ratio(ratio)}" if ratio is not None else ""
        rows.append(Row("drain", peer.name, n, figure=figure, target=target, reached=reached, note=_told(each)))
    return rows + absent("drain", DRAINS)


def minute(quick: bool) -> list[Row]:
    """The same at WeCom's 20 messages a minute, which the server keeps: seconds until all are told."""
    bounds = {OURS: 245, QUEUE_REQUESTS: 60, peers.NOTIFIER: 60}

    def attempt(peer: Peer) -> Any:
        given = {"n": 2_000, "rate_limit": "20/minute", "at_most_s": bounds[peer]}
        return _attempt("drain", bounds[peer] + 30, peer, delay_s=LATE_S, per_minute=20, **given)

    who = _present(bounds)
    with ThreadPoolExecutor(len(who)) as pool:
        found = dict(zip(who, pool.map(attempt, who), strict=True))
    rows = []
    for peer, each in found.items():
        if isinstance(each, ChildFailed):
            rows += _failed("minute", peer, each)
            continue
        target, reached = _target(peer, each["seconds"] if _all_told(each) else None, 240.0)
        figure = f"{each['seconds']:.0f} s" if each["done"] else f"not all within {bounds[peer]} s"
        note = f"{_told(each)}, {each['refused']} refused with 45009"
        rows.append(
            Row("minute", peer.name, 2_000, figure=figure, target=target and f"{target} s", reached=reached, note=note)
        )
    return rows + absent("minute", bounds)


def _all_told(found: dict[str, Any]) -> bool:
    """Nothing waits any more, and (by our handler's books) nothing was lost on the way."""
    lost = found["books"]["dropped"].values() if "books" in found else ()
    return bool(found["done"]) and not any(lost)


def _told(found: dict[str, Any]) -> str:
    """What came in, by the marks in the texts."""
    return f"{found['marks']:,} seen in {found['requests']:,} requests; calls took {found['calls_s']:.2f} s"


def digest(quick: bool) -> list[Row]:
    """500 equal records, then flush(): one message and one digest."""
    with Server(delay_s=0.005) as server:
        try:
            found = run_child("digest", 60, url=server.url, n=500)
        except ChildFailed as error:
            return _failed("digest", OURS, error)
    figure, reached = f"{found['messages']} messages", found["messages"] == 2 and found["flushed"]
    told = {"accepted": found["books"]["accepted"], **found}
    return [
        Row("digest", OURS.name, 500, figure=figure, target="= 2", reached=reached),
        _books_row("digest", told, 500),
    ]


def masking(quick: bool) -> list[Row]:
    """Six common lines without a secret through the masks, as CPU time for a line, beside detect-secrets; and how many
    of the secrets are found that the tests write down, 51 names in 27 forms. The patterns' memory is what the first use
    of all adds."""
    rounds = 2 if quick else 15
    size = masks.memory()
    ours, found = masks.seconds(redact, rounds), masks.found(redact, 97 if quick else 1)
    note = f"finds {found:.1%}, alters {masks.altered(redact)} of {len(masks.LINES)} lines, {size:,.0f} KiB"
    rows = [Row("masking", OURS.name, None, "", _us(ours), "1", note=note)]
    if peers.DETECT_SECRETS.version is None:
        return [*rows, *absent("masking", [peers.DETECT_SECRETS])]
    theirs, found = masks.seconds(masks.detect_secrets, 1), masks.found(masks.detect_secrets, 97)
    note = f"finds {found:.1%} of a sample, alters {masks.altered(masks.detect_secrets)} of {len(masks.LINES)} lines"
    return [*rows, Row("masking", peers.DETECT_SECRETS.name, None, "", _us(theirs), _ratio(theirs / ours), note=note)]


_APP = 'corp_id="ww", agent_id=1, secret="s", users="@all"'
_BUILT = "import wecom_logging; handler = wecom_logging.{}; "
_LOGGED = "import logging; logging.getLogger().addHandler(handler); logging.error('broken'); handler.close()"
BARE, STDLIB, REQUESTS = "pass", "import logging.handlers", "import requests"
IMPORT, APP = "from wecom_logging import WeComHandler", _BUILT.format(f"WeComHandler({_APP})")
START, START_BESIDE = "an app's handler is built", f"`{REQUESTS}`"
STARTS = {
    "an empty program": BARE,
    f"`{STDLIB}`": STDLIB,
    START_BESIDE: REQUESTS,
    f"`{IMPORT}`": IMPORT,
    START: APP,
    "a bot's handler is built": _BUILT.format('WeComBotHandler(webhook="key")'),
    "an app's handler with `sqlite://`": _BUILT.format(f'WeComHandler({_APP}, state="sqlite:///{{path}}")'),
    "an app's handler, one record, which nobody takes": _BUILT.format(
        f'WeComHandler({_APP}, api_base="http://127.0.0.1:9", exit_timeout=1)'
    )
    + _LOGGED,
}
"""Whole programs, by what they do."""


def starts(names: Iterable[str] = STARTS, *, quick: bool, turns: int = 9) -> dict[str, list[Any]]:
    """Fresh interpreters in turn, those of an empty program among them: what each took, as a cost with its floor."""

    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        codes = {name: STARTS[name].replace("{path}", f"{folder}/alerts.db") for name in names}
        loaded = {name: modules(code) for name, code in codes.items()}  # what is compiled once is compiled now
        found: dict[str, list[Any]] = {name: [] for name in codes}
        for _ in range(2 if quick else turns):
            floor = interpreter(BARE)
            for name, code in codes.items():
                took = interpreter(code)
                floors = {"floor_cpu": floor.cpu_s, "floor_wall": floor.wall_s}
                found[name].append({"cpu": took.cpu_s, "wall": took.wall_s, "modules": loaded[name], **floors})
    return found


def start(quick: bool) -> list[Row]:
    """What a program pays before it does anything: fresh interpreters in turn, the least of nine, CPU of the process.
    The figure is above an empty program, as a share of what `import requests` is; the note has the modules."""
    costs = {name: Cost(found) for name, found in starts(quick=quick).items()}
    requests = costs[START_BESIDE]
    rows = []
    for name, cost in costs.items():
        share = None if STARTS[name] == BARE else over_queue(cost, requests)
        at_most = {IMPORT: over_queue(costs[f"`{STDLIB}`"], requests), APP: 0.5}.get(STARTS[name])
        target, reached = ("", None) if at_most is None else (f"≤ {at_most:.2f}", (share or 0) <= at_most)
        rows.append(
            Row(
                "start",
                name,
                len(cost.rounds),
                f"{cost.mean('cpu') * 1e3:.1f} ms",
                f"{cost.least('cpu') * 1e3:.1f} ms",
                "" if share is None else _ratio(share),
                target,
                reached,
                f"wall {cost.least('wall') * 1e3:.1f} ms; {cost.rounds[0]['modules']} modules",
            )
        )
    return rows


WORKLOADS: dict[str, Callable[[bool], list[Row]]] = {
    "repeat": repeat,
    "exception": exception,
    "texts": texts,
    "places": places,
    "threads": threads,
    "distinct": distinct,
    "level-off": level_off,
    "request": request,
    "kept": kept,
    "reserve": reserve,
    "claim": claim,
    "fleet": fleet,
    "storm": storm,
    "flood": flood,
    "first-alert": first_alert,
    "prompt": prompt,
    "drain": drain,
    "minute": minute,
    "digest": digest,
    "masking": masking,
    "start": start,
}
WAITING = ("drain", "minute")
"""They do little but wait, so that they may run at the same time."""
NOT_QUICK = ("minute",)


def run(names: Iterable[str], *, quick: bool, say: Callable[[str], None]) -> dict[str, list[Row]]:
    """The rows of these workloads, in the order of the table; one after the other, but for those that only wait."""
    wanted = [name for name in WORKLOADS if name in set(names) and not (quick and name in NOT_QUICK)]
    together = [name for name in wanted if name in WAITING]
    rows: dict[str, list[Row]] = {}
    for name in wanted:
        if name not in together:
            began = time.monotonic()
            rows[name] = WORKLOADS[name](quick)
            say(f"{name}: {time.monotonic() - began:.0f} s")
    with ThreadPoolExecutor(len(WAITING)) as pool:
        began = time.monotonic()
        running = {}
        for name in reversed(together):  # the longest first; a moment later it has logged all and waits
            running[name] = pool.submit(WORKLOADS[name], quick)
            time.sleep(3 if len(together) > 1 else 0)
        for name in together:
            rows[name] = running[name].result()
            say(f"{name}: {time.monotonic() - began:.0f} s")
    return {name: rows[name] for name in wanted}
