"""The benchmarks run, and count right. No test says how long anything takes: that is for `tools.benchmarks.ratios`."""

from __future__ import annotations

import json
import logging
import re
import subprocess
import sys
import tomllib
import traceback
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tools.benchmarks import calls, ratios
from tools.benchmarks.__main__ import written
from tools.benchmarks.frameworks import FRAMEWORKS
from tools.benchmarks.measure import clean_environment, run_child
from tools.benchmarks.peers import NULL, OURS, PEERS, QUEUE
from tools.benchmarks.server import Seen, Server, mark
from tools.benchmarks.workloads import STARTS, Row

from .programs import ROOT

pytestmark = pytest.mark.slow


def _post(url: str, text: str) -> int:
    body = json.dumps({"msgtype": "text", "text": {"content": text}}).encode()
    with urllib.request.urlopen(urllib.request.Request(url, body), timeout=60) as answer:
        errcode: int = json.load(answer)["errcode"]
    return errcode


def test_the_command_prints_every_row_with_exact_numbers() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tools.benchmarks", "--quick", "--only", "digest", "start"],
        cwd=ROOT,
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=110,
        check=True,
    )
    lines = re.findall(r"(?m)^\|.*\|$", done.stdout)[2:]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert [row[:3] for row in rows[:2]] == [["digest", "wecom_logging", "500"]] * 2
    assert (rows[1][5], rows[1][6], rows[1][7]) == ("500 accepted", "exact", "✓")
    assert [row[:2] for row in rows[2:]] == [["start", name] for name in STARTS]
    assert all(re.fullmatch(r"wall [\d.]+ ms; \d+ modules", row[8]) for row in rows[2:])
    for peer in PEERS:
        assert not peer.distribution or f"{peer.distribution} {peer.version or 'not installed'}" in done.stdout


def _ratios(bounds: Path, *more: str) -> subprocess.CompletedProcess[str]:
    names = ("numbers", "places-whole", "threads-beside-null", "start")
    return subprocess.run(
        [sys.executable, "-m", "tools.benchmarks.ratios", "--quick", "--bounds", str(bounds), *more, "--only", *names],
        cwd=ROOT,
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )


def test_the_ratios_are_red_when_a_bound_is_passed_and_lower_one_that_is_bettered(tmp_path: Path) -> None:
    bounds = tmp_path / "bounds.toml"
    dear, cheap = {"figure": 1000.0, "bound": 2000.0}, {"figure": 0.001, "bound": 0.002}
    bounds.write_text(
        "".join(
            f"{name} = {{ figure = {one['figure']}, bound = {one['bound']} }}\n"
            for name, one in {"numbers": cheap, "places-whole": dear, "repeat": dear}.items()
        )
    )
    done = _ratios(bounds, "--write")
    assert done.returncode == 1
    assert re.findall(r"(?m)^(\S+):? .* beyond its bound of 0.002$", done.stderr) == ["numbers:"]
    written_now = tomllib.loads(bounds.read_text())
    assert (written_now["numbers"], written_now["repeat"]) == (cheap, dear)
    for name in ("places-whole", "threads-beside-null", "start"):
        one = written_now[name]
        assert 0 < one["figure"] < 1000
        assert one["bound"] == pytest.approx(2 * one["figure"])
    bounds.write_text("numbers = { figure = 1000, bound = 2000 }\nplaces-whole = { figure = 1000, bound = 2000 }\n")
    done = _ratios(bounds)
    assert done.returncode == 1
    assert done.stderr.startswith("threads-beside-null has no bound: --write gives it one\n")
    for name in ("threads-beside-null", "start"):
        bounds.write_text(f"{bounds.read_text()}{name} = {{ figure = 1000, bound = 2000 }}\n")
    done = _ratios(bounds)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_table_beside_others_is_written_into_both_pages(tmp_path: Path) -> None:
    costs: ratios.Costs = {}
    ratios.add_round(costs, ["numbers"], (QUEUE, OURS), quick=True)
    ratios.add_round(costs, ["threads"], (QUEUE, OURS), quick=True)
    costs |= {form: costs["numbers"] for _, _, form, _ in ratios.TABLE if form != "threads"}
    for name in ("comparison.md", "comparison.zh.md"):
        page = tmp_path / name
        page.write_text((ROOT / "docs" / name).read_text(encoding="utf-8"), encoding="utf-8")
        ratios.put_into(page, costs)
        text = page.read_text(encoding="utf-8")
        head, _, *rows = ratios.table(costs, chinese=".zh." in name).splitlines()
        assert head.count("wecom_logging") == 1
        assert text.count(head) == 1
        assert [row for row in rows if row in text] == rows
        for row in rows:  # no peer is there but ours
            figures = re.fullmatch(r"\| [^|]+ \| ([\d.]+) µs \| ([\d.]+) µs \| ([\d.]+) × \| – \| – \|", row)
            assert figures is not None, row
            assert all(float(figure) > 0 for figure in figures.groups())
    assert {form for form, _ in ratios.RATIOS.values()} == {"start", *(form for _, _, form, _ in ratios.TABLE)}


def test_each_call_of_a_process_is_counted() -> None:
    with Server() as server:
        url = server.url
        for peer in (NULL, QUEUE):
            given = {"peer": peer.name, "url": url, "n": 400, "budget_s": 30.0}
            for program in ("threads", "distinct"):
                assert run_child(program, 90, **given)["calls"] == 400
            assert run_child("cost", 90, call="exception", **given)["calls"] == 400


@pytest.mark.parametrize("kind", ["app", "bot", "bot, sqlite"])
def test_each_alert_that_is_sent_at_once_has_its_time(kind: str) -> None:
    with Server() as server:
        found = run_child("prompt", 90, kind=kind, url=server.url, n=2)
        assert server.look().marks == 3
    assert [wait > 0 for wait in (found["first"], *found["warm"])] == [True] * 3


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_each_framework_answers_with_and_without_us(framework: str) -> None:
    with Server() as server:
        found = run_child("request", 90, framework=framework, url=server.url, n=2, rounds=2)
    assert found["calls"] == 4
    assert found["plain"] > 0 < found["watched"]


def test_the_measured_calls_are_what_the_table_says(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    shop = calls.load(tmp_path, braces=False, distinct=300)
    shop.exception(logging.getLogger("shop"), 2)
    for one in shop.DISTINCT:
        one(logging.getLogger("shop"))
    first, second, *distinct = caplog.records
    assert (first.getMessage(), second.getMessage()) == ("order 0 failed", "order 1 failed")
    assert first.exc_info is not None
    assert len(list(traceback.walk_tb(first.exc_info[2]))) == calls.FRAMES == 20
    assert len({(record.pathname, record.lineno) for record in distinct}) == len({r.msg for r in distinct}) == 300
    caplog.clear()
    for name in ("numbers", "uuids", "paths", "chinese", "exceptions"):
        for n in (3, 4):
            getattr(shop, name)(logging.getLogger("shop"), n)
    said = [str(record.exc_info[1]) if record.exc_info else record.msg for record in caplog.records]
    assert len(set(said)) == len(said) == 35
    caplog.clear()
    calls.load(tmp_path, braces=False, distinct=1, args=False).d0(logging.getLogger("shop"))
    assert caplog.records[0].args == ()
    calls.load(tmp_path, braces=True)
    assert '"warehouse {} answers slowly"' in (tmp_path / "shop.py").read_text(encoding="utf-8")


def test_the_server_counts_messages_and_marks_and_keeps_the_limit() -> None:
    with Server(per_minute=2) as server:
        webhook = f"{server.url}/cgi-bin/webhook/send?key=benchmarks"
        assert [_post(webhook, f"{mark(7)} and {mark(n)}") for n in (8, 9, 10)] == [0, 0, 45009]
        assert _post(f"{server.url}/v1/logs", mark(11)) == 0
        assert server.look() == Seen(requests=4, messages=2, refused=1, marks=4)
        assert server.seen_at(mark(9)) is not None
        assert server.seen_at(mark(10)) is None
        server.reset()
        assert server.look() == Seen(requests=0, messages=0, refused=0, marks=0)


def test_what_is_measured_is_written_where_the_documents_take_it_from() -> None:
    figures: dict[str, Any] = {
        "measured": "long ago",
        "a repeat": {"figure": "9 µs", "pages": ["README"], "measured_by": ["repeat", "note", "(.+) over the floor"]},
        "an import": {"figure": "26.0 ms", "pages": ["comparison"], "measured_by": ["start", "note", "wall (.+ ms)"]},
        "errcodes": {"figure": "213", "pages": ["README"]},
    }
    rows = {
        "repeat": [
            Row("repeat", "QueueHandler", note="4.20 µs over the floor; wall 5 µs"),
            Row("repeat", "wecom_logging", note="0.31 µs over the floor; wall 3 µs"),
        ],
        "start": [Row("start", "`from wecom_logging import WeComHandler`", note="wall 26.0 ms; 80 modules")],
    }
    assert written(figures, rows, "today") == ["a repeat: 9 µs -> 0.31 µs, in README"]
    assert [one if isinstance(one, str) else one["figure"] for one in figures.values()] == [
        "today",
        "0.31 µs",
        "26.0 ms",
        "213",
    ]
