"""``python -m tools.golden``: writes what grouping and rendering make of our own records into golden files.

The records are in ``tests/golden/``: lines as other systems log them (``lines.txt``), failures (``failures.py``), log
calls (``calls.py``); a case begins at ``# -- its name``. ``expected/`` has for each which records are one incident, and
what readers get: of an app in English, of a bot in Chinese. A test compares. A commit that changes it says why.

``python -m tools.golden --data FOLDER --out FILE`` says which lines of samples are one incident: of each CSV below a
folder the column ``Content``.
"""

from __future__ import annotations

import argparse
import csv
import linecache
import logging
import os
import re
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from wecom_logging import WeComBotHandler, WeComHandler
from wecom_logging.model import DeliveryReport
from wecom_logging.testing import CapturedAlerts, SentAlert, capture_alerts

FOLDER = Path(__file__).parents[1] / "tests" / "golden"
PARTS = ("lines", "failures", "calls")
START_S = 1_795_569_123.123
"""2026-11-25 09:12:03 in Shanghai: when a case begins. Each of its records is made a second after the one before."""
PID = 4211
FILE, ROOT, LIBRARIES = "shop/orders.py", "/srv", "/srv/site-packages"
"""Where the code of each case says that it is, and where what it imports would be."""
ONE_CALL = "for line in lines:\n    log.error(f'{line}')\n"
_APP: dict[str, Any] = {"corp_id": "ww1", "agent_id": 1, "secret": "golden", "users": "bob", "language": "en"}
_BOT: dict[str, Any] = {"webhook": "golden", "language": "zh"}
_BOTH: dict[str, Any] = {"service": "store", "level": "DEBUG", "rate_limit": None}
_READ_AT = re.compile("(?<=since )[0-9:]{8}(?=, last )|(?<=自 )[0-9:]{8}(?= 起，最近 )")
"""When the worker has read the first repeat: of three records in a row the second, as a rule the third."""
_SHORT_ID = re.compile(r"#([0-9a-hjkmnp-tv-z]{4,16})\b")


class Reader(logging.Handler):
    """Stands behind the handlers of a case's program, and writes down what became of its records.

    ``each``: it looks after each record, and shows the messages of one that opens an incident; or else when the program
    ends or waits, and shows all.
    """

    def __init__(self, alerts: CapturedAlerts, *, each: bool) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.reports: list[DeliveryReport] = []
        self._alerts, self._each, self.now = alerts, each, START_S
        self._number, self._opened_by = 0, dict[str, int]()

    def stamp(self, record: logging.LogRecord) -> None:
        """Give a record a time and a process that are the same whenever and wherever the case runs."""
        record.created, self.now = self.now, self.now + 1
        record.process, record.processName, record.threadName = PID, "MainProcess", "MainThread"
        if record.stack_info:  # without who runs the case
            record.stack_info = re.sub(rf'\n.*?(?=\n  File "{FILE}")', "", record.stack_info, count=1, flags=re.DOTALL)

    def emit(self, record: logging.LogRecord) -> None:
        if self._each:
            error = f": {record.exc_info[1]!r}" if record.exc_info else ""
            self.look(f"{record.getMessage()}{error}")

    def wait(self, seconds: float) -> None:
        """For a program: what it has logged is told, and so much time passes."""
        self.look()
        self.now += seconds
        self._alerts.advance(seconds)
        self.look()

    def look(self, said: str = "") -> None:
        """Write down what has been told since the last look, of a record that opens no incident what it ``said``."""
        told = sorted((one for one in self._alerts if one.channel in ("app", "bot")), key=lambda one: one.channel)
        self._alerts.clear()
        ids = dict.fromkeys(one for report in self.reports for one in report.incidents)
        self.reports.clear()
        if not told:
            return
        self._number += 1
        opened = [one for one in ids if self._opened_by.setdefault(one, self._number) == self._number]
        if opened or not said:
            said = told[0].text.partition("\n")[0]
        what = [f"opens #{one}" if one in opened else f"is {self._opened_by[one]}" for one in ids]
        self.lines.append(_printable(f"{self._number:02} {', '.join(what)} | {said}"))
        for one in told if opened or not self._each else []:
            name = f"{one.channel} {'md' if one.markdown else '  '}"
            self.lines += [_printable(f"    {name} | {line}") for line in self._text(one).split("\n")]

    def _text(self, alert: SentAlert) -> str:
        """What a reader gets, with a number for each short id, and of no certain machine or instant."""
        text = alert.text or f"({len(alert.attachment)} bytes)"
        text = re.sub(rf"[^\s>]+(?= · \S+ {PID}\b)", "web-3", text)
        text = _READ_AT.sub("…", text)
        return _SHORT_ID.sub(lambda found: f"#{self._opened_by.get(found[1], found[1])}", text)


def golden(part: str) -> Path:
    """The golden file of a part."""
    return FOLDER / "expected" / f"{part}.txt"


def _printable(line: str) -> str:
    return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in line)


def run_file(path: str, code: str, names: dict[str, Any]) -> dict[str, Any]:
    """Run code as if it stood in that file; tracebacks show its lines."""
    linecache.cache[path] = (len(code), None, code.splitlines(keepends=True), path)
    exec(compile(code, path, "exec"), names)
    return names


def told(code: str, *, before: str = "", each: bool = True, bot: bool = True, **names: Any) -> list[str]:
    """What becomes of a program's records, in lines. ``before`` is what stands before all cases of a file."""
    with capture_alerts(timeout=60) as alerts:
        reader, stamp = Reader(alerts, each=each), logging.Handler()
        stamp.emit = reader.stamp
        ours = [WeComHandler(**_APP, **_BOTH, on_outcome=reader.reports.append)]
        ours += [WeComBotHandler(**_BOT, **_BOTH)] if bot else []
        log = logging.Manager(logging.RootLogger(logging.DEBUG)).getLogger("shop")  # none that others know
        log.handlers = [stamp, *ours, reader]
        names |= {"log": log, "wait": reader.wait, "run_file": run_file, "LIBRARIES": LIBRARIES}
        try:
            with patch("wecom_logging._runtime.clock.wall", lambda: reader.now):
                run_file(FILE, code, run_file("shop/worker.py", before, names))
                reader.look()
        finally:
            for handler in ours:
                handler.close()
    return reader.lines


def cases(file: str) -> Iterator[tuple[str, str, str]]:
    """The name of each case of a file, its text, and what stands before all."""
    before, *found = re.split(r"^# -- (.*)\n", (FOLDER / file).read_text(encoding="utf-8"), flags=re.MULTILINE)
    for name, text in zip(found[::2], found[1::2], strict=True):
        yield name, text.strip("\n") + "\n", before


def one_call(name: str, lines: Sequence[str]) -> list[str]:
    """Which lines are one incident, where all come from one call."""
    return [f"\n== {name}", *(line for line in told(ONE_CALL, bot=False, lines=lines) if not line.startswith(" "))]


def made(part: str) -> str:
    """What the golden file of a part has to be."""
    found = ["Made by `python -m tools.golden`. A commit that changes it says why."]
    with everywhere_the_same():
        for name, text, before in cases("lines.txt" if part == "lines" else f"{part}.py"):
            if part == "lines":
                found += one_call(name, text.splitlines())
            else:
                found += [f"\n== {name}", *told(text, before=before, each=part == "failures")]
    return "\n".join(found) + "\n"


def samples(folder: Path) -> str:
    """Which lines of the samples in a folder are one incident."""
    found: list[str] = []
    with everywhere_the_same():
        for path in sorted(folder.rglob("*.csv")):
            with path.open(encoding="utf-8", newline="") as file:
                found += one_call(path.stem, [row["Content"] for row in csv.DictReader(file)])
    return "\n".join(found) + "\n"


@contextmanager
def everywhere_the_same() -> Iterator[None]:
    """Without variables of the user's, in the time zone of Shanghai."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("WECOM_")}
    variables["TZ"] = "Asia/Shanghai"
    try:
        with patch.dict(os.environ, variables, clear=True), patch("sys.path", [*sys.path, ROOT, LIBRARIES]):
            time.tzset()
            yield
    finally:
        time.tzset()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="a folder with samples")
    parser.add_argument("--out", type=Path, help="where to write what becomes of them")
    options = parser.parse_args()
    if bool(options.data) != bool(options.out):
        parser.error("--data and --out belong together")
    texts = {options.out: samples(options.data)} if options.data else {golden(part): made(part) for part in PARTS}
    for path, text in texts.items():
        path.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
