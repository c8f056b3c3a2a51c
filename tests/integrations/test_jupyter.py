"""Cells in a real IPython, in a process of its own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.programs import run
from wecom_logging._sandbox import Sandbox

pytestmark = pytest.mark.slow

START = """
from IPython.core.interactiveshell import InteractiveShell
from wecom_logging import WeComHandler
from wecom_logging._runtime import clock
now = [1000.0]  # passes when a cell says so
clock.now = lambda: now[0]
handler = WeComHandler(level="ERROR")
shell = InteractiveShell.instance()
shell.run_line_magic("load_ext", "wecom_logging.integrations.jupyter")
shell.run_line_magic("reload_ext", "wecom_logging.integrations.jupyter")
def cell(text):
    result = shell.run_cell(text, store_history=True)
    print(result.success, flush=True)
    assert handler.flush(10)
    return result
"""


def told(sandbox: Sandbox, code: str, tmp_path: Path) -> tuple[list[str], str]:
    ended = run(START + code, url=sandbox.url, IPYTHONDIR=str(tmp_path))
    assert ended.status == 0, ended.err
    assert "Error in callback" not in ended.out
    return [message["content"] for message in sandbox.messages()], ended.out


def test_a_cell_tells_its_end_with_its_time(sandbox: Sandbox, tmp_path: Path) -> None:
    code = 'shell.user_ns["now"] = now\ncell("x = 6")\ncell("%%wecom the second model\\nnow[0] += 90\\nx *= 7\\nx")'
    texts, out = told(sandbox, code, tmp_path)
    (text,) = texts
    assert text.startswith("🔵 INFO jupyter: the second model: done, 90 s")
    assert "Out[2]: 42" in out


def test_a_cell_that_fails_is_told_and_fails(sandbox: Sandbox, tmp_path: Path) -> None:
    code = 'cell("%%wecom\\n\\nprice = 1 - 1\\n1 / price, \'password=canary-1\'")\ncell("1 +")'
    (text,), out = told(sandbox, code, tmp_path)
    assert ": price = 1 - 1: failed, 1 s: ZeroDivisionError: division by zero" in text.splitlines()[0]
    assert "1 / price" in text
    assert "\n＜ipython-input" in text  # the place is the cell, not IPython
    assert "canary" not in text
    assert out.count("False") == 2
    assert "----> 4 1 / price" in re.sub(r"\x1b\[[0-9;]*m", "", out)  # the numbers of the lines as they were typed


@pytest.mark.parametrize(
    ("body", "first"),
    [
        ("1 +", "failed, 1 s: SyntaxError"),
        ("raise KeyboardInterrupt", "stopped by KeyboardInterrupt"),
        ("import asyncio\\nawait asyncio.sleep(0)\\nassert True", "done"),
        ("%%time\\nsum(range(9))", "done"),
        ("%lsmagic", "done"),
        ("%%capture\\nprint(1)", "done"),
        ("get_ipython().run_cell('')", "done"),
        ("", "done"),
    ],
)
def test_every_kind_of_cell(sandbox: Sandbox, tmp_path: Path, body: str, first: str) -> None:
    (text,), out = told(sandbox, f'cell("%%wecom job\\n{body}")', tmp_path)
    assert f"job: {first}" in text.splitlines()[0]
    assert ("True" in out) is (first == "done")


def test_what_is_logged_in_the_cell_says_so_and_is_told_once(sandbox: Sandbox, tmp_path: Path) -> None:
    code = """
import logging
logging.getLogger("shop").addHandler(handler)
shell.user_ns["log"] = logging.getLogger("shop")
cell("%%wecom nightly\\ntry:\\n    1 / 0\\nexcept ZeroDivisionError:\\n    log.exception('it broke')\\n    raise")
cell("log.error('afterwards')")
print(handler.stats().merged)
"""
    (first, last), out = told(sandbox, code, tmp_path)
    assert "it broke" in first
    assert "│ nightly: 1 s" in first
    assert "nightly" not in last
    assert out.endswith("1\n")


def test_a_picture_and_an_unloaded_extension(sandbox: Sandbox, tmp_path: Path) -> None:
    code = r"""
cell("%%wecom chart\nwecom_attach = b'\\x89PNG\\r\\n\\x1a\\n' + b'a chart'")
cell("%%wecom plain\n1")
shell.run_line_magic("unload_ext", "wecom_logging.integrations.jupyter")
cell("%%wecom gone\n1")
"""
    told(sandbox, code, tmp_path)
    assert [message["msgtype"] for message in sandbox.messages()] == ["text", "image", "text"]
