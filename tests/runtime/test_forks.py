"""The one registry of forks: a fork waits for what a child could never finish, and a child makes everything anew."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
BEGINS = """
import gc, logging, os, sys, threading, time
from wecom_logging._runtime import forks

def child(check):
    pid = os.fork()
    if pid == 0:
        os._exit(0 if check() else 9)
    return os.waitpid(pid, 0)[1] == 0
"""


def run(code: str) -> str:
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", BEGINS + code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_a_fork_waits_for_the_gate_and_no_longer_than_so() -> None:
    printed = run(
        """
entered, leave = threading.Event(), threading.Event()
inside = False

def work():
    global inside
    with forks.gate:
        inside = True
        entered.set()
        leave.wait()
        inside = False

thread = threading.Thread(target=work)
thread.start()
entered.wait()
threading.Timer(0.2, leave.set).start()
print(child(lambda: not inside and forks.gate.acquire(timeout=0)))
thread.join()
with forks.gate:  # of the thread that forks
    print(child(lambda: forks.gate.acquire(timeout=0)))
print(threading.Thread(target=forks.gate.acquire).start(), child(lambda: True))
""".replace("print(threading.Thread", "forks._FORK_S = 0.2\nprint(threading.Thread")
    )
    assert printed.split() == ["True", "True", "None", "True"]


def test_a_fork_that_waits_for_the_gate_does_not_hold_up_logging() -> None:
    printed = run("""
entered = threading.Event()

def work():
    with forks.gate:
        entered.set()
        time.sleep(0.2)
        logging.getLogger("shop").setLevel(10)  # takes the lock of logging, which a fork takes too
        print("logged", flush=True)

thread = threading.Thread(target=work)
thread.start()
entered.wait()
began = time.monotonic()
print(child(lambda: True), time.monotonic() - began < 5)
thread.join()
""")
    assert printed.split() == ["logged", "True", "True"]


def test_a_child_makes_everything_anew_in_the_order_in_which_it_was_registered() -> None:
    printed = run(
        """
class Thing:
    def __init__(self, name):
        self.name = name
        forks.in_child(self.renew)

    def renew(self):
        print(self.name, flush=True)

def fails():
    raise ValueError("as it was to be")

first = Thing("first")
gone = Thing("gone")
forks.in_child(fails)
forks.in_child(lambda: print("last", flush=True))
del gone
gc.collect()
print(len(forks._callbacks))
sys.stdout.flush()
print(child(lambda: True), flush=True)
forks.forked_without_hooks()
""".replace("forks.forked_without_hooks()", "try:\n    forks.forked_without_hooks()\nexcept ValueError:\n    pass")
    )
    lines = printed.splitlines()
    assert lines[0] == "3"
    assert lines[1:4] == ["first", "last", "True"]
    assert lines[4:6] == ["first", "last"]
    assert "as it was to be" in printed


def test_the_last_is_called_after_what_is_registered_later() -> None:
    printed = run("""
forks.in_child(lambda: print("last"), last=True)
forks.in_child(lambda: print("later", flush=True))
forks.forked_without_hooks()
""")
    assert printed.split() == ["later", "last"]


def test_where_a_server_forks_in_c_half_imported_modules_are_imported_anew(tmp_path: Path) -> None:
    (tmp_path / "slow").mkdir()
    (tmp_path / "slow" / "__init__.py").write_text(
        "import slow.part, threading\nfirst = not hasattr(threading, 'seen')\nthreading.seen = True\n"
        "if first: threading.inside.set(); threading.leave.wait()\n"
    )
    (tmp_path / "slow" / "part.py").touch()
    printed = run(f"""
import importlib
sys.path.insert(0, {str(tmp_path)!r})
threading.inside, threading.leave = threading.Event(), threading.Event()
thread = threading.Thread(target=importlib.import_module, args=("slow",))
thread.start()
threading.inside.wait()
print("slow" in sys.modules, "slow.part" in sys.modules)
forks.forked_without_hooks()
print("slow" in sys.modules, "slow.part" in sys.modules)
threading.leave.set()
thread.join()
""")
    assert printed.split()[:4] == ["True", "True", "False", "False"]
