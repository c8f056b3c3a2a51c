"""``wecom-logging demo --night``: what is told at which time, in both languages, and how it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from ..programs import ROOT
from .test_cli import call

SAYS = {
    "en": [
        "22:30",
        "it waits until 08:00",
        "张三, on call, is told at once",
        "Escalation 1/2",
        "李四 answered the phone",
    ],
    "zh": ["22:30", "等到 08:00 再通知", "立即通知值班的张三", "升级 1/2", "李四已接听"],
}
MORNING = {
    "en": "quiet hours 22:00–08:00 · 2 incidents, still open",
    "zh": "夜间静默 22:00–08:00 · 2 件，尚未结束",
}


JOB = {"en": "job reconcile did not run", "zh": "任务“对账”没有运行"}


@pytest.mark.slow
@pytest.mark.parametrize("language", SAYS)
def test_a_night_of_two_people_and_a_morning(language: str) -> None:
    done = call("demo", "--night", "--port", "0", WECOM_LANGUAGE=language)
    assert (done.returncode, done.stderr) == (0, "")
    assert [words for words in SAYS[language] if words not in done.stdout] == []
    messages = done.stdout.split("   ┌")[1:]
    assert len(messages) == 8
    assert MORNING[language] in messages[-1]
    assert JOB[language] in messages[-1]
    assert not any("wangwu" in one for one in messages)  # the second step does not come
    assert [one.splitlines()[1].startswith("   │ ⏫") for one in messages].count(True) == 2


@pytest.mark.slow
def test_a_night_that_is_broken_off_ends_in_silence() -> None:
    terminal, theirs = os.openpty()  # somebody watches: each event is followed by a pause
    command = [sys.executable, "-m", "wecom_logging._cli", "demo", "--night", "--port", "0"]
    settings = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", "WECOM_LANGUAGE": "en"}
    with subprocess.Popen(command, env=settings, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as demo:
        try:
            assert demo.stdout is not None
            assert demo.stderr is not None
            assert any(b"an ERROR is logged" in line for line in demo.stdout)
            demo.send_signal(signal.SIGINT)
            assert (demo.wait(30), demo.stderr.read()) == (130, b"")
        finally:
            demo.kill()
    os.close(terminal)
    os.close(theirs)
