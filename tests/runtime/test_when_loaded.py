"""What waits for a module of a framework is called when that is imported, and disturbs no import."""

from __future__ import annotations

from pathlib import Path

from tests.programs import run

BEGINS = """
import sys
from wecom_logging._runtime.when_loaded import when_loaded
before = [*sys.meta_path]
"""


def test_a_module_is_waited_for_and_found_as_without_it(tmp_path: Path) -> None:
    (tmp_path / "host").mkdir()
    (tmp_path / "host" / "__init__.py").write_text("")
    (tmp_path / "host" / "worker.py").write_text("print('loaded')\nis_done = True")
    code = f"""
sys.path.insert(0, {str(tmp_path)!r})
def fails():
    raise LookupError
when_loaded("host.worker", lambda: print("comes", hasattr(sys.modules["host.worker"], "is_done")))
when_loaded("host", fails)
import host.worker, wave
when_loaded("host.worker", lambda: print("is there"))
print(len(sys.meta_path) - len(before))
"""
    assert run(BEGINS + code).out == "comes False\nloaded\nis there\n1\n"


def test_a_program_without_the_package_gets_no_finder() -> None:
    code = "when_loaded('no_such_host.worker', print); print(sys.meta_path == before)"
    assert run(BEGINS + code).out == "True\n"


def test_what_waits_does_not_keep_other_threads_from_an_import(tmp_path: Path) -> None:
    (tmp_path / "host.py").write_text("print('loaded', __loader__ is __spec__.loader, type(__loader__).__name__)")
    (tmp_path / "of_another.py").write_text("")
    code = f"""
sys.path.insert(0, {str(tmp_path)!r})
import threading
def waits():
    other = threading.Thread(target=__import__, args=("of_another",), daemon=True)
    other.start()
    other.join(5)
    print("blocked" if other.is_alive() else "goes on")
when_loaded("host", waits)
import importlib.util
print(importlib.util.find_spec("host").origin == {str(tmp_path / "host.py")!r})
import host
"""
    assert run(BEGINS + code).out == "True\ngoes on\nloaded True SourceFileLoader\n"
