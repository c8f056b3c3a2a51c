"""``wecom-logging run``: real commands, real signals, a real terminal, against a local WeCom."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import requests

from wecom_logging._cli.process import Tail
from wecom_logging._cli.run import Runs, duration, reason, without_numbers
from wecom_logging._sandbox import Sandbox

from ..programs import CREDENTIALS, ROOT, at_best, until
from ..scripted import ScriptedWeCom, hold
from ..valkey_server import Server

BOT = {"WECOM_WEBHOOK": CREDENTIALS["WECOM_WEBHOOK"]}
RUN = (sys.executable, "-m", "wecom_logging._cli", "run")
BINARY = bytes(range(256)) * 1000 + b"\r\n\xff"

# Ends when it has been told to, and says by which exit code how often it was.
COUNTS_SIGNALS = """
import os, signal, sys
came = []
def take(number, frame):
    came.append(number)
    os.write(1, b"it came\\n")
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1):
    signal.signal(number, take)
print("ready", flush=True)
sys.stdin.readline()
print(*came, flush=True)
sys.exit(40 + len(came))
"""


def settings(url: str = "", **more: str) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("WECOM_", "PYTHON"))}
    return {**clean, "PYTHONPATH": str(ROOT), **({"WECOM_API_BASE": url, **BOT} if url else {}), **more}


def watch(
    *arguments: str, url: str = "", stdin: bytes = b"", env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    environment = settings(url) if env is None else env
    return subprocess.run(
        [*RUN, *arguments], env=environment, input=stdin, capture_output=True, timeout=120, check=False
    )


def start(*command: str, url: str = "", program: tuple[str, ...] = RUN, **options: Any) -> subprocess.Popen[bytes]:
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([*program, "--", *command], env=settings(url), **{**pipes, **options})


def python(code: str) -> tuple[str, str, str]:
    return sys.executable, "-c", code


def patched(patch: str) -> tuple[str, ...]:
    """The command line after some code, which may change what the module finds."""
    code = f"import signal, sys; {patch}; import wecom_logging._cli as cli; sys.exit(cli.main(['run', *sys.argv[1:]]))"
    return sys.executable, "-c", code


def told(sandbox: Sandbox) -> str:
    """The one message that arrived."""
    (message,) = sandbox.messages()
    return str(message["content"]).replace("**", "").replace("∗", "*")  # not bold; and as it was before it was inert


# The command runs as if nobody watched.


@pytest.mark.slow
@pytest.mark.parametrize("data", [b"", b"one\ntwo", BINARY], ids=["nothing", "text", "binary"])
@pytest.mark.parametrize("target", ["stdout", "stderr"])
def test_input_and_output_go_through_unchanged(data: bytes, target: str) -> None:
    done = watch("--", *python(f"import sys; sys.{target}.buffer.write(sys.stdin.buffer.read())"), stdin=data)
    said = done.stderr.split(b"\n", 1)[1]  # behind our own line: nothing is configured
    assert (done.returncode, done.stdout, said) == (0, *((data, b"") if target == "stdout" else (b"", data)))


def test_output_comes_at_once() -> None:
    with start("sh", "-c", "printf ready; printf ready >&2; read answer; echo $answer", url="http://127.0.0.1:9") as it:
        assert it.stdout is not None
        assert it.stderr is not None
        assert (os.read(it.stdout.fileno(), 100), os.read(it.stderr.fileno(), 100)) == (b"ready", b"ready")
        out, err = it.communicate(b"thanks\n", timeout=60)
    assert (it.returncode, out, err) == (0, b"thanks\n", b"")


def test_a_reader_that_comes_late_gets_everything(tmp_path: Path) -> None:
    """More than one pipe holds, so that the command ends while the rest of its output is still in its own."""
    code = f"import sys; sys.stdout.write('x' * 100_000); sys.stdout.flush(); open({str(tmp_path / 'end')!r}, 'w')"
    program = patched("from wecom_logging._cli import process; process.GRACE_S = 0.0")
    with start(*python(code), program=program, stdin=subprocess.DEVNULL) as it:
        until((tmp_path / "end").exists)
        out, _ = it.communicate(timeout=60)
    assert (it.returncode, len(out)) == (0, 100_000)


def test_a_reader_that_goes_away_ends_the_command() -> None:
    with start("yes", stdin=subprocess.DEVNULL) as it:
        assert it.stdout is not None
        it.stdout.read(2)
        it.stdout.close()
        assert it.wait(60) == 128 + signal.SIGPIPE


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="the peak is read from Linux's /proc")
def test_much_output_takes_little_memory(sandbox: Sandbox) -> None:
    # Not getrusage: on Linux a child's peak begins with its parent's.
    code = (
        "import atexit, sys; atexit.register(lambda: print([line.split()[1] for line in open('/proc/self/status') "
        "if line.startswith('VmHWM')][0], file=sys.stderr))"
    )
    with start(
        "sh", "-c", "head -c 100000000 /dev/zero; echo the end; exit 3", url=sandbox.url, program=patched(code)
    ) as it:
        assert it.stdout is not None
        size = 0
        while data := it.stdout.read(1 << 20):
            size += len(data)
        _, err = it.communicate(timeout=60)
    assert (it.returncode, size) == (3, 100_000_000 + len("the end\n"))
    assert int(err) < 60_000  # KiB
    assert "the end" in told(sandbox)


@pytest.mark.slow
def test_what_is_left_running_does_not_keep_us(sandbox: Sandbox) -> None:
    began = time.monotonic()
    done = watch("--", "sh", "-c", "sleep 50 & echo $!; exit 3", url=sandbox.url)
    took = time.monotonic() - began
    os.kill(int(done.stdout), signal.SIGKILL)
    assert done.returncode == 3
    assert took < 20
    assert "exit code 3" in told(sandbox)


def test_descriptors_reach_the_command(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("inherited")
    with open(tmp_path / "file") as file:
        it = start(*python(f"print(open({file.fileno()}).read())"), pass_fds=[file.fileno()])
        assert it.communicate(timeout=60)[0] == b"inherited\n"


@pytest.mark.parametrize("closed", [0, 1, 2])
def test_a_closed_stream_changes_nothing(closed: int, sandbox: Sandbox) -> None:
    command = ["sh", "-c", "echo out; echo err >&2; exit 3"]
    shell = ["sh", "-c", f'exec "$@" {closed}>&-', "sh", *RUN, "--", *command]
    done = subprocess.run(
        shell, env=settings(sandbox.url), stdin=subprocess.DEVNULL, capture_output=True, timeout=120, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (
        3,
        b"" if closed == 1 else b"out\n",
        b"" if closed == 2 else b"err\n",
    )
    assert "exit code 3" in told(sandbox)


def test_the_bare_environment_of_cron_is_enough(sandbox: Sandbox) -> None:
    bare = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "WECOM_API_BASE": sandbox.url, **BOT}
    done = watch("--", "sh", "-c", "echo 磁盘已满 >&2; exit 3", env=bare)
    assert (done.returncode, done.stderr.decode()) == (3, "磁盘已满\n")
    assert "磁盘已满" in told(sandbox)


# Its arguments are its own.


@pytest.mark.slow
@pytest.mark.parametrize(
    ("before", "arguments"),
    [
        (["--"], ["-x", "--json"]),
        (["--"], ["--service", "other", "--", "--help"]),
        ([], ["-x", "--json", "--version"]),
        ([], ["--", "--service=other"]),
        (["--service", "nightly", "--"], ["--", "-h"]),
        (["--service=nightly"], ["--service", "other"]),
        (["--"], []),
    ],
)
def test_arguments_reach_the_command(before: list[str], arguments: list[str]) -> None:
    done = watch(*before, *python("import json, sys; print(json.dumps(sys.argv[1:]))"), *arguments)
    assert (done.returncode, json.loads(done.stdout)) == (0, arguments)


@pytest.mark.parametrize(
    "arguments", [(), ("--",), ("--service", "x"), ("--service",), ("--secret=canary", "--", "true")]
)
def test_wrong_usage(arguments: tuple[str, ...]) -> None:
    done = watch(*arguments)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"wecom-logging" in done.stderr
    assert b"canary" not in done.stderr


# What is told, and the exit code.


@pytest.mark.parametrize(
    ("script", "status", "words"),
    [
        ("exit 3", 3, "sh: exit code 3"),
        ("exit 137", 137, "sh: exit code 137"),
        ("kill -TERM $$", 143, "sh: killed by SIGTERM"),
        ("kill -KILL $$", 137, "sh: killed by SIGKILL (out of memory?)"),
        ("kill -INT $$", 130, "sh: killed by SIGINT"),
        ("kill -35 $$", 163, "sh: killed by signal 35"),
    ],
)
def test_a_failure_is_told_and_its_exit_code_passed_on(sandbox: Sandbox, script: str, status: int, words: str) -> None:
    done = watch("--", "sh", "-c", script, url=sandbox.url)
    assert (done.returncode, done.stdout, done.stderr) == (status, b"", b"")
    assert words in told(sandbox)
    assert "output: (none)" in told(sandbox)


def test_a_success_is_not_told(sandbox: Sandbox) -> None:
    assert watch("--", "sh", "-c", "echo well", url=sandbox.url).returncode == 0
    assert sandbox.messages() == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "status", "words"),
    [
        ("no-such-file", 127, "No such file or directory"),
        ("plain-file", 126, "Permission denied"),
        ("no-program", 126, "Exec format error"),
        ("", 126, "Permission denied"),
    ],
)
def test_what_cannot_be_started_is_told(sandbox: Sandbox, tmp_path: Path, name: str, status: int, words: str) -> None:
    (tmp_path / "plain-file").write_text("exit 0")
    (tmp_path / "no-program").write_bytes(b"\x7fELF?")
    (tmp_path / "no-program").chmod(0o755)
    done = watch("--", f"{tmp_path}/{name}", "--password=canary", url=sandbox.url)
    assert (done.returncode, done.stdout) == (status, b"")
    assert done.stderr.decode() == f"wecom-logging: {tmp_path}/{name}: cannot be started: {words}\n"
    assert f"{name or tmp_path.name}: cannot be started: {words}" in told(sandbox)
    assert "canary" not in told(sandbox)


def test_a_message_says_what_broke_and_how_it_ended(sandbox: Sandbox, tmp_path: Path) -> None:
    script = tmp_path / "backup.sh"
    script.write_text("#!/bin/sh\necho 正在备份; echo 'no space <left>' >&2; exit 3\n")
    script.chmod(0o755)
    env = settings(sandbox.url, **CREDENTIALS)
    assert watch("--service", "nightly", "--", str(script), "/a b", env=env).returncode == 3
    by_channel = {message["channel"]: message["content"] for message in sandbox.messages()}
    assert sorted(by_channel) == ["app", "bot"]
    first, took, command, *rest = by_channel["app"].split("\n")
    assert first == "🔴 ERROR nightly backup.sh: exit code 3: no space ＜left>"
    assert re.fullmatch(r"│ took: \d\.\d s", took)
    assert command == f"│ command: {script} '/a b'"
    assert rest[-2:] == ["│ 正在备份", "│ no space ＜left>"]


def test_the_first_line_has_what_was_said_last_on_stdout_where_stderr_is_empty(sandbox: Sandbox) -> None:
    assert watch("--", "sh", "-c", "echo reading; echo no table of prices; exit 7", url=sandbox.url).returncode == 7
    assert told(sandbox).split("\n")[0].endswith(" sh: exit code 7: no table of prices")


@pytest.mark.slow
def test_the_first_line_names_what_an_interpreter_runs_and_why_it_gave_up(sandbox: Sandbox, tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text(
        "import sys; print('epoch 20', flush=True); sys.exit('loss is NaN, password=canary ' + 'x' * 999)"
    )
    assert watch("--", sys.executable, "-u", str(script), "20", url=sandbox.url).returncode == 1
    first = told(sandbox).split("\n")[0]
    assert " train.py: exit code 1: loss is NaN, password=" in first
    assert "canary" not in first
    assert len(first) < 300


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [
        ["--password", "hunter2canary"],
        ["--password", "canary"],
        ["--db-password", "two words canary"],
        ["--password=canary1"],
        ["TOKEN=canary1"],
        ["--password=it's long, canary"],
        ["PASSWORD='two words' canary"],
        ["sh -c", "PASSWORD='two words canary' backup --all"],
        ["postgres", "password='it is canary' host=db"],
        ["-H", "Authorization: Bearer canary1"],
        ["postgres://shop:canary@db/shop"],
    ],
)
def test_secrets_in_the_command_and_its_output_are_masked(sandbox: Sandbox, arguments: list[str]) -> None:
    done = watch(
        "--", *python("import sys; sys.exit('password=canary, bye')"), *arguments, "--user", "shop", url=sandbox.url
    )
    assert done.returncode == 1
    assert "canary" not in told(sandbox)
    assert "***" in told(sandbox)
    assert "--user shop" in told(sandbox)


def test_no_channel_shows_the_secrets_of_the_other(sandbox: Sandbox) -> None:
    env = settings(sandbox.url, **CREDENTIALS)
    names = ("WECOM_SECRET", "WECOM_CONTACTS_SECRET", "WECOM_WEBHOOK")
    script = f"import os, sys; sys.exit(' and '.join(map(os.environ.get, {names})))"
    watch("--", *python(script), env["WECOM_CONTACTS_SECRET"], env=env)
    contents = [message["content"] for message in sandbox.messages()]
    assert len(contents) == 2
    assert all("*** and *** and ***" in content.replace("∗", "*") for content in contents)
    assert not any(env[name] in content for content in contents for name in names)


@pytest.mark.slow
def test_the_keys_of_all_bots_of_a_group_are_hidden(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.add_bot("canary-second")
    keys = f"canary-gone\n{sandbox.url}/cgi-bin/webhook/send?key=canary-second\n"
    (tmp_path / "bots").write_text(keys)
    env = settings(WECOM_API_BASE=sandbox.url, WECOM_WEBHOOK_FILE=str(tmp_path / "bots"))
    done = watch("--", *python(f"import sys; sys.exit({keys!r})"), "canary-gone", env=env)
    assert done.returncode == 1
    assert b"bot 1 of 2: this bot pauses, another one sends" in done.stderr
    assert "canary" not in told(sandbox)
    assert "***" in told(sandbox).replace("∗", "*")


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments", [["--tokens-file", "4096"], ["--password-file", "/run/p4096"], ["--token", "--x4096"]]
)
def test_what_is_no_secret_is_shown(sandbox: Sandbox, arguments: list[str]) -> None:
    watch("--", "false", *arguments, url=sandbox.url)
    assert f"command: false {' '.join(arguments)}" in told(sandbox)


@pytest.mark.slow
def test_the_last_lines_are_kept_and_no_half_line(sandbox: Sandbox) -> None:
    code = "for n in range(5000): print('line', n, 'x' * 20, f'password: canary{n}')\nraise SystemExit(3)"
    assert watch("--", *python(code), url=sandbox.url).returncode == 3
    shown = [line for line in told(sandbox).splitlines() if "xxx" in line]
    assert len(shown) > 20
    assert re.fullmatch(r"> line 4999 x{20} password: \*{3}", shown[-1])
    assert "canary" not in told(sandbox)


@pytest.mark.slow
def test_an_error_is_shown_though_stdout_was_written_out_after_it(sandbox: Sandbox) -> None:
    code = "for n in range(200): print('progress', n)\nraise KeyError('price')"
    assert watch("--", *python(code), url=sandbox.url).returncode == 1
    assert told(sandbox).splitlines()[-1] == "> KeyError: 'price'"
    assert "progress 199\n" in told(sandbox)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        (b"\x1b[1;32mgreen\x1b[0m \x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", ["green link"]),
        (b" 10%|#   |\r 55%|##  |\r100%|####|\nend\r\n", ["100%|####|", "end"]),
        (b"100%\r\x1b[K\rdone\r   \r\n\n\n", ["done"]),
        (b"\xff\xfe\x00", ["��\x00"]),
        (b"x" * 700 + b"\n" + b"last\n", ["x" * 700, "last"]),
        (b"x" * 20_000 + b" torn\n" + b"\n" * 3, [" torn"]),
        (b"password=" + b"x" * 40_000, []),
        (b"one\n" * 5000 + "汉".encode() * 10, ["汉" * 10]),
    ],
)
def test_output_is_shown_as_a_terminal_shows_it(written: bytes, shown: list[str]) -> None:
    tail = Tail()
    for at in range(0, len(written), 1000):
        tail.add(written[at : at + 1000])
    assert [line for line in tail.lines() if line != "one"] == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.44, "0.4 s"), (12, "12 s"), (59.9, "1 min 0 s"), (185, "3 min 5 s"), (93_845, "26 h 4 min")],
)
def test_durations_are_short(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown


# Signals.


NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1)
ELSEWHERE = "del signal.sigtimedwait"  # where nothing says whether a SIGINT is from the terminal


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "patch"), [*((number, "pass") for number in NUMBERS), *((number, ELSEWHERE) for number in NUMBERS[1:])]
)
def test_signals_are_passed_on_and_the_end_is_awaited(sandbox: Sandbox, number: int, patch: str) -> None:
    with start(*python(COUNTS_SIGNALS), url=sandbox.url, program=patched(patch)) as it:
        assert it.stdout is not None
        assert it.stdout.readline() == b"ready\n"
        it.send_signal(number)
        assert it.stdout.readline() == b"it came\n"
        until(lambda: _pending_or_taken(it.pid, number))
        out, err = it.communicate(b"\n", timeout=60)
    assert (it.returncode, out.split(), err) == (41, [str(int(number)).encode()], b"")
    assert "exit code 41" in told(sandbox)


def _pending_or_taken(pid: int, number: int) -> bool:
    """Whether a process has taken all signals of a kind out of the line."""
    status = Path(f"/proc/{pid}/status").read_text()
    return not any(int(mask, 16) >> (number - 1) & 1 for mask in re.findall(r"(?:SigPnd|ShdPnd):\s*(\w+)", status))


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_a_command_that_others_end_through_us_is_told(sandbox: Sandbox, number: int) -> None:
    with start("sh", "-c", "ulimit -c 0; echo ready; read answer", url=sandbox.url) as it:
        assert it.stdout is not None
        assert it.stdout.readline() == b"ready\n"
        it.send_signal(number)
        assert it.wait(60) == 128 + number
    assert f"killed by {signal.Signals(number).name}" in told(sandbox)


def test_a_command_that_a_person_ends_through_us_is_not_told(sandbox: Sandbox) -> None:
    with start("sh", "-c", "echo ready; exec sleep 60", url=sandbox.url) as it:
        assert it.stdout is not None
        assert it.stdout.readline() == b"ready\n"
        it.send_signal(signal.SIGINT)
        assert it.wait(60) == 128 + signal.SIGINT
    assert sandbox.messages() == []


@pytest.mark.slow
def test_a_command_that_others_kill_is_told(sandbox: Sandbox) -> None:
    """Also by the signal of Ctrl-C, which did not come through us."""
    done = watch("--", "sh", "-c", "kill -INT $$", url=sandbox.url)
    assert done.returncode == 128 + signal.SIGINT
    assert "killed by SIGINT" in told(sandbox)


def test_what_is_ignored_stays_ignored() -> None:
    shell = ("sh", "-c", "trap '' HUP; exec \"$@\"", "sh", *RUN)
    with start("sh", "-c", "kill -HUP $$; kill -HUP $PPID; echo alive", program=shell) as it:
        assert it.communicate(timeout=60)[0] == b"alive\n"
    assert it.returncode == 0


def at_terminal(sandbox: Sandbox, code: str, keys: bytes) -> tuple[int, str]:
    """Run Python code in the foreground of a terminal of its own; its exit code, and what the terminal shows."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(sys.executable, [*RUN, "--", *python(code)], settings(sandbox.url))
    shown = b""
    while b"ready" not in shown:
        shown += os.read(terminal, 1000)
    os.write(terminal, keys)
    try:
        while data := os.read(terminal, 1000):
            shown += data
    except OSError:  # the terminal ends with its last process
        pass
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown.decode()


def test_ctrl_c_comes_once_and_is_no_alert(sandbox: Sandbox) -> None:
    code = """
import time
try:
    print("ready", flush=True)
    time.sleep(60)
except KeyboardInterrupt:
    print("cleaning up", flush=True)
    time.sleep(0.3)  # a second Ctrl-C would break this off
    print("all is clean", flush=True)
    raise
"""
    status, shown = at_terminal(sandbox, code, b"\x03")
    assert status == 128 + signal.SIGINT
    assert shown.count("cleaning up") == shown.count("all is clean") == 1
    assert sandbox.messages() == []


def test_the_terminals_other_key_is_no_alert_either(sandbox: Sandbox) -> None:
    code = "import os, resource; resource.setrlimit(resource.RLIMIT_CORE, (0, 0)); print('ready', flush=True); "
    status, _ = at_terminal(sandbox, f"{code}os.read(0, 1)", b"\x1c")
    assert status == 128 + signal.SIGQUIT
    assert sandbox.messages() == []


@pytest.mark.slow
def test_a_command_that_survives_ctrl_c_and_fails_is_told(sandbox: Sandbox) -> None:
    status, _ = at_terminal(sandbox, COUNTS_SIGNALS, b"\x03\n")
    assert status == 41
    assert "exit code 41" in told(sandbox)


# Nothing of ours costs the command anything.


@pytest.mark.slow
@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({}, "WECOM_WEBHOOK"),
        ({"WECOM_CORP_ID": "ww", "WECOM_AGENT_ID": "1"}, "WECOM_SECRET"),
        ({"WECOM_WEBHOOK": "https://x/?key=canary"}, "webhook"),
        ({"WECOM_WEBHOOK_FILE": "/no/such/file"}, "/no/such/file"),
        ({"WECOM_WEBHOOK": "key", "WECOM_STATE": "nowhere://"}, "WECOM_STATE"),
        ({"WECOM_WEBHOOK": "key", "WECOM_ENABLED": "perhaps"}, "WECOM_ENABLED"),
    ],
)
def test_a_wrong_configuration_is_said_and_the_command_runs(environment: dict[str, str], words: str) -> None:
    done = watch("--", "sh", "-c", "echo works >&2; exit 3", env=settings(**environment))
    first, *rest = done.stderr.decode().splitlines()
    assert done.returncode == 3
    assert first.startswith("wecom-logging: ")
    assert words in first
    assert tuple(rest) == ("works", "wecom-logging: sh: exit code 3 (nobody is told)")
    assert b"canary" not in done.stderr


@pytest.mark.slow
def test_with_a_state_an_alert_waits_for_the_next_run_and_that_is_said(sandbox: Sandbox, tmp_path: Path) -> None:
    environment = settings(sandbox.url, WECOM_STATE=f"sqlite://{tmp_path}/alerts.db", WECOM_EXIT_TIMEOUT="3")
    port = int(sandbox.url.rpartition(":")[2])
    sandbox.stop()
    done = watch("--", "sh", "-c", "exit 3", env=environment)
    said = done.stderr.decode()
    assert done.returncode == 3
    assert said.count("wait in the state") == 1
    assert "lost" not in said
    with Sandbox(port=port) as back:
        assert watch("--", "true", env=environment).stderr == b""
        assert "exit code 3" in told(back)


@pytest.mark.slow
def test_of_two_channels_the_one_that_is_configured_right_is_told(sandbox: Sandbox) -> None:
    done = watch("--", "sh", "-c", "exit 3", env=settings(sandbox.url, WECOM_CORP_ID="ww", WECOM_AGENT_ID="1"))
    assert done.returncode == 3
    assert b"WECOM_SECRET" in done.stderr
    assert "exit code 3" in told(sandbox)


def test_what_is_switched_off_says_nothing() -> None:
    done = watch("--", "sh", "-c", "exit 3", env=settings(WECOM_ENABLED="0"))
    assert (done.returncode, done.stdout, done.stderr) == (3, b"", b"")


@pytest.mark.slow
def test_a_wecom_that_does_not_answer_costs_no_more_than_exit_timeout() -> None:
    with ScriptedWeCom() as wecom:
        wecom.always("/cgi-bin/", hold())

        def seconds() -> float:
            began = time.monotonic()
            done = watch("--", "sh", "-c", "exit 3", env=settings(wecom.url, WECOM_EXIT_TIMEOUT="5"))
            assert done.returncode == 3
            lost = "1 alert was not sent within exit_timeout (5 s): it is lost; WeCom has not answered so far"
            assert lost in done.stderr.decode()
            return time.monotonic() - began

        assert at_best(seconds, 9.5) <= 9.5  # a start on a busy machine is in it; the request would take ten


@pytest.mark.slow
@pytest.mark.parametrize(
    ("wrong", "why", "why_in_chinese"),
    [
        ({"WECOM_SECRET": "x" * 43}, "errcode 40001 from gettoken", "gettoken 返回 errcode 40001"),
        ({"WECOM_CORP_ID": "ww0123456789abcdef"}, "errcode 40013 from gettoken", "gettoken 返回 errcode 40013"),
    ],
    ids=["secret", "corp id"],
)
@pytest.mark.parametrize("state", ["", "sqlite://{}/alerts.db"], ids=["memory", "sqlite"])
def test_a_wrong_configuration_ends_the_wait_at_once_and_is_said(
    sandbox: Sandbox, tmp_path: Path, wrong: dict[str, str], why: str, why_in_chinese: str, state: str
) -> None:
    app = {name: value for name, value in sandbox.environment.items() if name not in ("WECOM_WEBHOOK",)}
    place = {"WECOM_STATE": state.format(tmp_path)} if state else {}
    end = "wait in the state" if state else "1 alert was not sent: it is lost"
    end_in_chinese = "未发出的告警保留在状态存储中" if state else "1 条告警未能发出，已丢失"
    for language, words in (("en", [why, end]), ("zh", [why_in_chinese, end_in_chinese])):
        environment = settings(**{**app, **place, **wrong, "WECOM_LANGUAGE": language})
        began = time.monotonic()
        done = watch("--", "sh", "-c", "exit 3", env=environment)
        took, said = time.monotonic() - began, done.stderr.decode()
        assert done.returncode == 3
        assert took < 10  # a start on a busy machine is in it; without the rule it is 30
        assert all(one in said for one in words), said
        assert "exit_timeout" not in said


@pytest.mark.slow
def test_a_wecom_that_answers_late_is_waited_for_longer_than_by_a_program(sandbox: Sandbox) -> None:
    sandbox.fail("webhook/send", delay_s=6, times=1)
    done = watch("--", "sh", "-c", "exit 3", url=sandbox.url)
    assert (done.returncode, done.stderr) == (3, b"")
    assert "exit code 3" in told(sandbox)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("language", "state", "words"),
    [
        ("en", "", "(2 s): it is lost; the last error: HTTP status 503 from webhook/send"),
        ("zh", "", "（2 秒）内未能发出，已丢失；最近一次错误：服务器或网关返回了 HTTP 错误状态（状态码 503，"),
        ("en", "sqlite://{}/alerts.db", "pending` shows them); the last error: HTTP status 503 from webhook/send"),
        (
            "zh",
            "sqlite://{}/alerts.db",
            "pending` 查看）；最近一次错误：服务器或网关返回了 HTTP 错误状态（状态码 503，",
        ),
    ],
)
def test_an_exit_that_is_too_short_says_the_last_error(
    sandbox: Sandbox, tmp_path: Path, language: str, state: str, words: str
) -> None:
    sandbox.fail("webhook/send", status=503, times=1000)
    more = {"WECOM_STATE": state.format(tmp_path)} if state else {}
    environment = settings(sandbox.url, WECOM_EXIT_TIMEOUT="2", WECOM_LANGUAGE=language, **more)
    done = watch("--", "sh", "-c", "exit 3", env=environment)
    assert words in done.stderr.decode().splitlines()[-1]


@pytest.mark.slow
def test_a_refused_alert_is_said(sandbox: Sandbox) -> None:
    done = watch("--", "sh", "-c", "exit 3", env=settings(sandbox.url, WECOM_WEBHOOK="no-such-bot"))
    assert done.returncode == 3
    assert b"93000" in done.stderr


# In the reader's language.


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "first", "fields"),
    [
        (("sh", "-c", "echo 满了 >&2; exit 3"), "退出码 3: 满了", ["耗时：0.", "命令："]),
        (("sh", "-c", "kill -9 $$"), "被 SIGKILL 终止（内存不足？）", ["输出：无"]),
        (("sh", "-c", "kill -40 $$"), "被信号 40 终止", ["输出：无"]),
        (("/没有/这个",), "无法启动：", ["命令："]),
    ],
)
def test_a_failure_is_told_in_chinese(
    sandbox: Sandbox, command: tuple[str, ...], first: str, fields: list[str]
) -> None:
    env = settings(sandbox.url, WECOM_LANGUAGE="zh")
    watch("--service", "备份", "--", *command, env=env)
    line, *others = told(sandbox).splitlines()
    assert "错误" in line
    assert first in line
    assert all(any(field in other for other in others) for field in fields), others


# A job that fails again and again.


def forget_incidents(directory: Path) -> None:
    """As if the next run came an hour later: the incident of this one is over."""
    with closing(sqlite3.connect(directory / "alerts.db")) as db, db:
        db.execute("DELETE FROM rows")
        db.execute("DELETE FROM firsts")


@pytest.mark.slow
def test_failures_in_a_row_are_one_failure_that_ends_in_green(sandbox: Sandbox, tmp_path: Path) -> None:
    environment = settings(sandbox.url, **BOT, WECOM_STATE=f"sqlite://{tmp_path}/alerts.db")
    job = tmp_path / "job.sh"
    job.write_text(f"echo start $(date +%s.%N); echo 'error: no space' >&2; exit $(cat {tmp_path}/status)")

    def run(status: int) -> tuple[list[str], str]:
        (tmp_path / "status").write_text(str(status))
        before = len(sandbox.messages())
        done = watch("--", "sh", str(job), env=environment)
        assert done.returncode == status
        forget_incidents(tmp_path)
        return [str(one["content"]) for one in sandbox.messages()[before:]], done.stderr.decode()

    assert run(0)[0] == []
    told = [run(3) for _ in range(5)]
    assert [len(messages) for messages, _ in told] == [1, 1, 0, 1, 0]
    ((first,), _), ((second,), _), (_, said), ((fourth,), _), _ = told
    assert "failed" not in first
    assert re.search(
        r"failed: 2 times since \d\d-\d\d \d\d:\d\d\n.*last worked: \d\d-\d\d \d\d:\d\d\n.*new output: 0 of 2 lines",
        second,
    )
    assert "failed: 4 times since" in fourth
    assert "job.sh failed again, 3 times since " in said
    ((green,), _) = run(0)
    assert re.match(r"✅ job\.sh: .*works again; it had failed 5 times since \d\d-\d\d \d\d:\d\d", green)
    assert run(0)[0] == []
    assert "failed" not in run(3)[0][0]


def later(seconds: float) -> tuple[str, ...]:
    """The command line so many seconds later."""
    clocks = "('time', 1), ('monotonic', 1), ('time_ns', 10**9), ('monotonic_ns', 10**9)"
    ahead = f"lambda real=getattr(time, name), by=int({seconds} * unit): real() + by"
    return patched(f"import time; [setattr(time, name, {ahead}) for name, unit in [{clocks}]]")


@pytest.mark.slow
def test_each_failure_that_is_told_shows_its_own_output(sandbox: Sandbox, tmp_path: Path) -> None:
    environment = settings(sandbox.url, **BOT, WECOM_STATE=f"sqlite://{tmp_path}/alerts.db")
    job = tmp_path / "job.sh"
    for minutes in (0, 5, 10, 15):
        job.write_text(f"echo 'error: no space after {minutes} files' >&2; exit 3")
        done = subprocess.run([*later(60 * minutes), "--", "sh", str(job)], env=environment, timeout=60, check=False)
        assert done.returncode == 3
    first, second, fourth = (str(one["content"]) for one in sandbox.messages())
    assert "again" not in first
    for text, times, minutes in ((second, 2, 5), (fourth, 4, 15)):
        assert re.match(rf"🔴 .*ERROR again\b.* job\.sh: .*no space after {minutes} files", text)
        assert f"failed: {times} times since" in text
        assert "in all" not in text
        assert "time today" not in text


class Cron:
    """Runs a job in a state, as a crontab does: ``run(0, 3, 3, arguments)`` ends well, then fails twice."""

    def __init__(self, sandbox: Sandbox, directory: Path, state: str) -> None:
        self.sandbox, self.state, self.at = sandbox, state, 0.0
        self.job = directory / "backup.sh"
        self.job.write_text("echo 'error: no space' >&2; exit $STATUS")

    def run(
        self,
        *statuses: int,
        arguments: tuple[str, ...] = (),
        service: str = "shop",
        every_s: float = 6.0,
        **more: str,
    ) -> None:
        for status in statuses:
            environment = settings(self.sandbox.url, **BOT, WECOM_STATE=self.state, STATUS=str(status), **more)
            command = [*later(self.at), "--service", service, "--", "sh", str(self.job), *arguments]
            done = subprocess.run(command, env=environment, capture_output=True, timeout=60, check=False)
            assert done.returncode == status
            self.at += every_s

    def told(self) -> list[str]:
        """What the messages say since the last time, as far as it is about numbers."""
        texts = [re.sub(r"</?font[^>]*>|\*\*", "", str(one["content"])) for one in self.sandbox.messages()]
        self.sandbox.clear()
        return [_numbers(text) for text in texts]


def _numbers(text: str) -> str:
    first = text.partition("\n")[0]
    found = [*re.findall(r"^(?:🔴|✅)|ERROR again|ERROR|× \d+(?:, \d+ in all)?|quiet for|had failed \S+", first)]
    return " ".join([*found, *re.findall(r"failed: (?:\d+ times|once)", text)])


IN_A_ROW = ["🔴 ERROR", "🔴 ERROR again failed: 2 times", "🔴 ERROR again failed: 4 times"]


@pytest.fixture(params=["sqlite", "redis"])
def cron(request: pytest.FixtureRequest, sandbox: Sandbox, tmp_path: Path) -> Iterator[Cron]:
    if request.param == "sqlite":
        yield Cron(sandbox, tmp_path, f"sqlite://{tmp_path}/alerts.db")
        return
    with closing(Server(save="")) as server:
        yield Cron(sandbox, tmp_path, server.url)


@pytest.mark.slow
@pytest.mark.parametrize("every_s", [0.0, 6.0])
def test_a_job_that_fails_nine_times_in_a_minute_and_works_is_told_with_true_numbers(
    cron: Cron, every_s: float
) -> None:
    """However many failures no message has told, and three weeks later the same once more."""
    whole = [*IN_A_ROW, "🔴 ERROR again failed: 8 times", "✅ had failed 9"]
    cron.run(*[3] * 9, 0, every_s=every_s)
    assert cron.told() == whole
    if cron.state.startswith("sqlite"):  # the server of the other has a clock of its own
        cron.at += 21 * 86400
        cron.run(*[3] * 9, 0, every_s=every_s)
        assert cron.told() == whole


@pytest.mark.slow
def test_what_failed_while_wecom_was_away_is_counted_when_it_is_back(cron: Cron) -> None:
    cron.sandbox.fail("webhook/send", status=503, times=1000)
    limit = {"WECOM_RATE_LIMIT": "off"}  # what is tried in vain would use it up
    cron.run(*[3] * 7, every_s=0, WECOM_EXIT_TIMEOUT="0.5", **limit)
    requests.delete(f"{cron.sandbox.url}/sandbox/faults", timeout=10)
    cron.run(0, **limit)
    assert sorted(cron.told()) == ["✅ had failed 7", "🔴 ERROR × 7"]


TEN = range(1, 11)


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [
        lambda day: (f"2026-12-{day:02}",),
        lambda day: (f"--date=2026-12-{day:02}", "--shard", str(day)),
        lambda day: (f"/backup/2026/12/{day:02}.tar",),
    ],
)
def test_a_job_with_a_date_in_its_arguments_is_one_job(cron: Cron, arguments: Callable[[int], tuple[str, ...]]) -> None:
    for day in TEN:
        cron.run(3 if day < 10 else 0, arguments=arguments(day))
    assert cron.told() == [*IN_A_ROW, "🔴 ERROR again failed: 8 times", "✅ had failed 9"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"service": "shop-eu"}, {"service": "shop-cn"}),
        ({"arguments": ("eu",)}, {"arguments": ("cn",)}),
        ({"arguments": ("db1",)}, {"arguments": ("db2",)}),
    ],
)
def test_two_jobs_of_one_program_fail_and_end_for_themselves(
    cron: Cron, one: dict[str, Any], other: dict[str, Any]
) -> None:
    """Of another service, or with other words; also where they fail alike in one moment."""
    for job in (one, other, one, other):
        cron.run(3, **job, every_s=0)
    assert cron.told() == ["🔴 ERROR", "🔴 ERROR", *["🔴 ERROR again failed: 2 times"] * 2]
    cron.run(0, **one)
    assert cron.told() == ["✅ had failed 2"]
    cron.at += 3600
    cron.run(3, **other)
    cron.run(0, **other)
    assert cron.told() == ["✅ had failed 3"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2026-12-01", "2026-12-31"),
        ("--date=2026-12-01", "--date=2027-01-05"),
        ("20261201T030000Z", "20261202T034501Z"),
        ("2026-12-01T03:00:00+08:00", "2026-12-02T03:00:07+08:00"),
        ("/backup/2026/12/01.tar", "/backup/2026/12/02.tar"),
        ("backup-2026-12-01.tar.gz", "backup-2026-12-02.tar.gz"),
        ("backup20261201.sql", "backup20261202.sql"),
        ("backup-Mon.tar", "backup-Tue.tar"),
        ("Wed Dec  2 03:49:25 UTC 2026", "Thu Dec  3 03:49:24 UTC 2026"),
        ("2026年12月01日", "2026年12月02日"),
        ("1764647365", "1764647999"),
        ("--shard=3", "--shard=14"),
        ("/opt/shop-1.4.2/bin/backup", "/opt/shop-1.4.3/bin/backup"),
    ],
)
def test_numbers_and_dates_of_an_argument_count_as_one(one: str, other: str) -> None:
    assert without_numbers(one) == without_numbers(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("eu", "cn"),
        ("db1", "db2"),
        ("shop-db1", "shop-db2"),
        ("db1.example.com", "db2.example.com"),
        ("--host=db1", "--host=db2"),
        ("/srv/eu/backup.sh", "/srv/cn/backup.sh"),
        ("li@example.com", "wang@example.com"),
        ("postgres://db/shop", "postgres://db/bank"),
        ("Monitor", "Tuesdays"),
    ],
)
def test_words_of_an_argument_do_not_count_as_one(one: str, other: str) -> None:
    """A name with a number in it is a word."""
    assert without_numbers(one) != without_numbers(other)


def test_without_a_state_each_failure_is_told_alike(sandbox: Sandbox) -> None:
    for _ in range(3):
        watch("--", "sh", "-c", "exit 3", url=sandbox.url)
    assert ["exit code 3" in str(one["content"]) for one in sandbox.messages()] == [True] * 3


@pytest.mark.parametrize(
    ("failures", "told"),
    [
        ([(0, "a")], [True]),
        ([(n * 3600, "a") for n in range(10)], [True, True, False, True, False, False, False, True, False, False]),
        ([(n * 86400, "a") for n in range(5)], [True] * 5),  # each night
        ([(n * 60, "a" if n != 4 else "b") for n in range(6)], [True, True, False, True, True, True]),  # another reason
        ([(n * 60, f"order {n} failed") for n in range(4)], [True, True, False, True]),  # it differs in a number
    ],
)
def test_of_many_failures_few_are_told(failures: list[tuple[float, str]], told: list[bool]) -> None:
    runs, found = Runs(worked=1.0), []
    for at, why in failures:
        before, runs = runs, runs.failed(1e9 + at, why, ["x", why])
        found.append(runs.is_told(before))
    assert found == told
    assert (runs.failures, runs.since, runs.worked) == (len(failures), 1e9, 1.0)
    assert runs.succeeded(2e9) == Runs(worked=2e9)


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        (
            [
                'pg_dump: error: connection to server at "10.0.3.7", port 5432 failed: Connection refused',
                "\tIs the server running on that host and accepting TCP/IP connections?",
            ],
            'pg_dump: error: connection to server at "10.0.3.7", port 5432 failed: Connection refused',
        ),
        (["Traceback (most recent call last):", '  File "a.py", line 1', "KeyError: 'price'"], "KeyError: 'price'"),
        (["cc: fatal error: no input files", "compilation terminated."], "cc: fatal error: no input files"),
        (["rm: cannot remove 'x': Permission denied"], "rm: cannot remove 'x': Permission denied"),
        (["tar: x: Cannot open", "Try 'tar --help' for more information."], "tar: x: Cannot open"),
        (["数据库连接失败：超时", "提示：检查网络"], "数据库连接失败：超时"),
        (["one", "two", "^^^"], "two"),
        (["  indented"], "indented"),
        ([""], ""),
    ],
)
def test_the_line_that_says_why_is_no_hint(lines: list[str], why: str) -> None:
    assert reason(lines) == why


def test_what_another_hand_has_written_is_no_history(sandbox: Sandbox, tmp_path: Path) -> None:
    url = f"sqlite://{tmp_path}/alerts.db"
    environment = settings(sandbox.url, **BOT, WECOM_STATE=url)
    assert watch("--", "sh", "-c", "exit 3", env=environment).returncode == 3
    forget_incidents(tmp_path)
    with closing(sqlite3.connect(tmp_path / "alerts.db")) as db, db:
        assert db.execute("UPDATE notes SET text = 'x' WHERE kind = 'fact'").rowcount == 1
    assert watch("--", "sh", "-c", "exit 3", env=environment).returncode == 3
    assert len(sandbox.messages()) == 2
