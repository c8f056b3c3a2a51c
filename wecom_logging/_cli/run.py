"""``wecom-logging run -- COMMAND …``: runs a command unchanged, and sends an alert when it failed.

The command has our standard input, and its output goes through at once and unchanged; only the end of it is remembered.
Nothing of ours may cost the command anything: a wrong configuration is said and the command runs all the same.

What a state knows of earlier runs is a fact: counts, times, and digests of the lines that the command has written. A
job that fails each hour is one failure, and ends in green.
"""

from __future__ import annotations

import argparse
import difflib
import hashlib
import itertools
import json
import logging
import os
import re
import shlex
import socket
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from .._answers.shared_place import SharedPlace
from .._incidents import answered, life
from .._incidents.codec import MAX_CHARACTERS, as_line, read, typed
from .._incidents.incident import Count, Incident
from .._incidents.pattern import pattern
from .._masking.redact import MASK, redact
from .._render.times import in_two_units, local_time
from .._render.words import (
    FAILED_ONCE,
    FAILED_TIMES,
    NEW_LINES,
    NONE,
    WORKS_AGAIN,
)
from .._state.base import PART, StateError, Store
from .._state.shared import Shared
from .._telling import in_our_words
from .._text.said import Language, Phrase, Reader, filled
from ..errors import ConfigurationError
from ..handlers import AlertHandler
from .environment import MOST, configured, handlers, mask
from .parser import command
from .printing import refuse, say, say_error
from .process import BY_SIGNAL, End, Output, ended, open_standard_streams
from .texts import language, text

if TYPE_CHECKING:
    from .._expect import Expectation

_NAME = re.compile(r"-{0,2}[\w.-]+")
_INTERPRETER = re.compile(r"(python|pypy|node|perl|ruby|Rscript|julia|(ba|da|z|k)?sh)[\d.]*(\.exe)?")
_MOST_WORDS = 200
_EXIT_TIMEOUT_S = 30.0
_MAX_CLOSE, _CLOSE = 3, 0.5
"""So many names, of which so much is the same: one of two characters."""
_WINDOW_S = 1.0
"""The shortest: which failures are told is known from earlier runs, and each of those is told with its own output."""


def add(commands: Any) -> None:
    usage = "wecom-logging run [-h] [--service NAME] [--expect NAME] -- COMMAND …"
    parser = command(commands, "run", "run.help", "run.about", usage=usage, allow_abbrev=False)
    parser.add_argument("--service", metavar="NAME", help="run.service")
    parser.add_argument("--expect", metavar="NAME", help="run.expect")
    parser.add_argument("command", nargs=argparse.REMAINDER, metavar="COMMAND", help="run.command")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    command: list[str] = options.command[1:] if options.command[:1] == ["--"] else options.command
    if not command:
        refuse("run.no_command", 2)
    open_standard_streams()
    told = handlers(options.service, window=_WINDOW_S, **_patience())
    job = _job(options.expect)
    run = "" if job is None else job.began()
    if job is not None and (others := job.if_unknown()) is not None:
        say(text("run.unknown_job", name=mask()(options.expect), close=_close(options.expect, others)))
    end = ended(command)
    if job is not None:
        job.ended(run, has_failed=end.status != 0)
    try:
        output = end.output()
        known = _earlier(told, options.service, command)
        if end.said is not None:
            _tell(told, command, end, end.said, output, known, options.expect)
        elif end.status == 0 and known is not None:
            _tell_that_it_works(told, command, known)
    except KeyboardInterrupt:  # the user does not want to wait; the command has ended already
        pass
    return end.status


def _patience() -> dict[str, float]:
    """Options for a command that has nothing else to do: it waits longer than a program may, unless a variable says."""
    return {} if os.environ.get("WECOM_EXIT_TIMEOUT") else {"exit_timeout": _EXIT_TIMEOUT_S}


def _job(name: str | None) -> Expectation | None:
    """The job that the command is; a name that is none costs the command nothing."""
    if name is None:
        return None
    from .._expect import expect

    try:
        return expect(name)
    except ConfigurationError as error:
        say_error(error)
        return None


def _close(name: str, names: Iterable[str]) -> str:
    """Which of them may be meant."""
    found = difflib.get_close_matches(name, names, _MAX_CLOSE, _CLOSE)
    return text("run.close_jobs", names=", ".join(map(mask(), found))) if found else ""


def _earlier(handlers: Sequence[AlertHandler], service: str | None, command: Sequence[str]) -> EarlierRuns | None:
    """The earlier runs of this job in the state; None where there is no state, or nothing is sent anyway."""
    try:
        shared = configured(None) if handlers else None
    except ConfigurationError:  # the handlers have said it
        return None
    return None if shared is None else EarlierRuns(shared, service, command)


def _tell(
    handlers: Sequence[AlertHandler],
    command: Sequence[str],
    end: End,
    said: Phrase,
    output: Output,
    known: EarlierRuns | None,
    job: str | None,
) -> None:
    """One record into each handler. It is sent while the interpreter exits, within ``exit_timeout``."""
    name, failure = _name(command), end.failure()
    if not handlers:
        say(text("run.nobody_told", name=name, failure=end.failure(language())))
    # A place in this file would say nothing, so the record has none; the command is what logs.
    record = logging.LogRecord(name, logging.ERROR, "", 0, failure, None, None)
    hide = mask()  # a handler knows its own secrets, the command has those of both
    out, err = hide(output.out), hide(output.err)
    # What was said on stderr comes last, whenever it came: a program whose stdout is a pipe writes that in large
    # pieces, the last of them when it exits, after the error that made it exit.
    shown = "\n".join(filter(None, [out, err]))
    why = reason((err if err.strip() else out).split("\n"))
    if shown and end.status < BY_SIGNAL:  # it gave up by itself
        why = why if len(why) <= _MOST_WORDS else f"{why[: _MOST_WORDS - 1]}…"
        record.msg = f"{failure}: {why}"
    fields = {**({} if job is None else {"job": hide(job)}), "command": hide(_line(command))}
    if end.pid is not None:
        record.process = end.pid
        fields = {"took": duration(end.seconds), **fields, **({} if shown else {"output": NONE.en})}
    if known is not None and (noted := known.failed(record.msg, shown.split("\n"))) is not None:
        before, after = noted
        if not after.is_told(before):
            say(text("run.failed_again", name=name, times=after.times(language())))
            known.count_in()
            return
        fields = {**after.facts(before, _of_records()), **fields}
        if after.failures > 1:
            known.begin_anew()
    record.wecom = {"fields": fields, **({} if known is None else {"fingerprint": known.fingerprint})}
    in_our_words(record, said, fields)
    # As a stack, of which the last lines stay where not all fit, and which is masked before anything is cut.
    record.stack_info = shown or None
    for handler in handlers:
        handler.handle(record)


def _of_records() -> Reader:
    """Records are English, whoever reads them; of a time they say that of the reader."""
    return Reader("en", language().zone)


def _tell_that_it_works(handlers: Sequence[AlertHandler], command: Sequence[str], known: EarlierRuns) -> None:
    """One green line, if it failed the last time."""
    before = known.succeeded()
    if before is None or not before.failures:
        return
    known.begin_anew()
    record = logging.LogRecord(
        _name(command), logging.INFO, "", 0, WORKS_AGAIN.en, (before.times(_of_records()),), None
    )
    record.wecom = {"fingerprint": known.fingerprint}
    in_our_words(record, WORKS_AGAIN)
    for handler in handlers:
        handler.handle(record)


_SAYS_WHY = re.compile(
    r"\b(?:error|fatal|panic|exception)\b\s*[:\]]|^\w[\w.]*(?:Error|Exception)\b|(?:错误|失败|异常)[:：]", re.I
)
_IS_HINT = re.compile(r"\s|[\W_]+$|(?:hint|note|help|tip|usage|see|try|for more|run with|提示|用法)\b", re.I)
_LOOKED_AT = 20


def reason(lines: Sequence[str]) -> str:
    """The line that says why a program gave up: the last that names an error, else the last.

    A hint, a line that goes on with the one before, and a line of signs alone come only where there is no other.
    """
    said = [line for line in lines[-_LOOKED_AT:] if line.strip()]
    plain = [line for line in said if not _IS_HINT.match(line)]
    wrong = [line for line in plain if _SAYS_WHY.search(line)]
    return next((found[-1].strip() for found in (wrong, plain, said) if found), "")


def _name(command: Sequence[str]) -> str:
    """What is run: the command, or the script or module that an interpreter runs."""
    name = os.path.basename(command[0].rstrip("/")) or command[0] or "(no name)"
    if not _INTERPRETER.fullmatch(name):
        return name
    for option, word in itertools.pairwise(command):
        if option == "-c":
            return name
        if option == "-m":
            return word
        if not word.startswith("-") and os.path.isfile(word):
            return os.path.basename(word)
    return name


def _line(command: Sequence[str]) -> str:
    """The command as a shell would take it. The handler masks it, too, but cannot see any more what is one argument."""
    shown: list[str] = []
    for before, word in zip(["", *command], command, strict=False):
        hidden = before.startswith("-") and MASK in redact(repr([before, "x"]))
        shown.append(MASK if hidden and not word.startswith("-") else _word(word))
    return " ".join(shown)


def _word(word: str) -> str:
    """One argument, masked and then quoted: of ``--password=it's long`` and ``TOKEN=it's long`` all is the value."""
    name, sign, _ = word.partition("=")
    if sign and _NAME.fullmatch(name) and redact(f"{name}=x") == f"{name}={MASK}":
        return f"{name}={MASK}"
    return shlex.quote(redact(word))


def duration(seconds: float) -> str:
    """``3 min 5 s``: as a record says it."""
    return in_two_units(seconds, "en")


# what the state knows of earlier runs


_CHANNEL = "runs"
_KEPT_S = 32 * 86400.0
"""So long after its last run a command is known; 32 days, for what runs once a month."""
_LONGEST_S = 20 * 3600.0
"""A failure is told after so long in any case: what fails each night is told each night."""
_MOST_LINES = 256
_TRIES = 5


@dataclass(frozen=True, slots=True)
class Runs:
    """``failures`` in a row, the first of them at ``since``; times in seconds since the epoch, 0 for never.

    ``why`` and ``lines`` are digests of what the last failure has said; ``told_at`` is when one was last told.
    """

    failures: int = 0
    since: float = 0.0
    worked: float = 0.0
    told_at: float = 0.0
    why: str = ""
    lines: tuple[str, ...] = ()

    def failed(self, now: float, why: str, lines: Sequence[str]) -> Runs:
        """After one more failure, for this reason, with this output."""
        after = replace(
            self,
            failures=self.failures + 1,
            since=self.since if self.failures else now,
            why=_digest(why),
            lines=tuple(dict.fromkeys(map(_digest, lines[-_MOST_LINES:]))),
        )
        is_power_of_two = after.failures & (after.failures - 1) == 0
        is_news = is_power_of_two or after.why != self.why or now >= self.told_at + _LONGEST_S
        return replace(after, told_at=now) if is_news else after

    def succeeded(self, now: float) -> Runs:
        return Runs(worked=now)

    def is_told(self, before: Runs) -> bool:
        """Whether a message tells it: the 1st, 2nd, 4th, 8th … in a row; one with another reason; after 20 h."""
        return self.told_at != before.told_at

    def facts(self, before: Runs, language: Language) -> dict[str, str]:
        """What a message says of the runs before, by the name of a field. That of a record is English."""
        if self.failures == 1:
            return {}
        new = len(set(self.lines) - set(before.lines))
        worked = {"last worked": f"{local_time(self.worked, language):%m-%d %H:%M}"} if self.worked else {}
        return {"failed": self.times(language), **worked, "new output": NEW_LINES.en.format(new, len(self.lines))}

    def times(self, language: Language) -> str:
        """``8 times since 11-28 22:00``"""
        since = f"{local_time(self.since, language):%m-%d %H:%M}"
        words = FAILED_ONCE if self.failures == 1 else FAILED_TIMES
        return filled(words.within(language), language, (self.failures,), {"time": since})


class EarlierRuns:
    """The runs of a job on this host, in a state: of a service and a program, whatever numbers and dates its arguments
    have. Where the state cannot be used, nothing is known."""

    def __init__(self, shared: Shared, service: str | None, command: Sequence[str]) -> None:
        self._shared, self._place = shared, SharedPlace(shared)
        job = [service or "", *map(without_numbers, command)]
        self._name = _hashed([socket.gethostname(), *job])
        self.fingerprint = f"run {_hashed(job)}"
        """The own fingerprint of its failures, on all hosts, whatever the reason."""

    def failed(self, why: str, lines: Sequence[str]) -> tuple[Runs, Runs] | None:
        """Note a failure: what was known before, and what is known now."""
        return self._note(lambda runs, now: runs.failed(now, why, lines))

    def succeeded(self) -> Runs | None:
        noted = self._note(Runs.succeeded)
        return None if noted is None else noted[0]

    def begin_anew(self) -> None:
        """The next message is whole, with the numbers of its own: what was told is over, unless it is in hand."""
        with suppress(StateError):  # it is said
            for channel, row in self._told():
                if not self._is_in_hand(row):
                    self._place.become(channel, row.key, lambda one, now: life.ended(one, now) or one)

    def count_in(self) -> None:
        """Adds a failure that is not sent to the counts of what is in hand."""
        shared, who, host = self._shared, f"{self._shared.who}{PART}0", socket.gethostname()
        with suppress(StateError):  # as above
            found = [one for one in self._told() if self._is_in_hand(one[1]) and one[1].level >= logging.ERROR]
            for number, (channel, row) in enumerate(found, 1):
                last, now = shared.time_s(), shared.clock()
                count = Count(key=row.key, level=row.level, window_s=row.window_s, last=last)
                shared.call(lambda store: store.add(channel, who, host, number, [count], now))  # noqa: B023 # called at once

    def _told(self) -> list[tuple[str, Incident]]:
        """The open incidents of this job, each with its channel. Raises `StateError`."""
        return [(channel, row) for channel, row in self._place.incidents(MOST) if self._is_of(row)]

    def _is_of(self, row: Incident) -> bool:
        try:
            return row.first.alert.fingerprint == self.fingerprint
        except ValueError:  # another hand has been at it
            return False

    def _is_in_hand(self, row: Incident) -> bool:
        """Says whether it is unsent, a person has answered it, or a step of its escalation comes."""
        return bool(row.untold or row.step_at or answered.in_force(row, self._shared.time_s()))

    def _note(self, change: Callable[[Runs, float], Runs]) -> tuple[Runs, Runs] | None:
        return self._shared.try_call(lambda store: _noted(store, self._name, change), None)


def _noted(store: Store, name: str, change: Callable[[Runs, float], Runs]) -> tuple[Runs, Runs]:
    now = store.time()
    for _ in range(_TRIES):  # another run of the same command may end at the same moment
        there = store.get(_CHANNEL, name, now)
        before = Runs() if there is None else _read(there.text)
        after = change(before, now)
        text = as_line(asdict(after))
        if store.put(_CHANNEL, name, 0 if there is None else there.version, text, now + _KEPT_S, now):
            break
    return before, after


def _read(text: str) -> Runs:
    try:
        found: Runs = typed(read(text, MAX_CHARACTERS), Runs)
        return found
    except ValueError:  # another hand has been at it
        return Runs()


_KEPT_WORDS = re.compile(r"((?<![A-Za-z0-9])[A-Za-z]+\d{1,3}(?![A-Za-z0-9])|[/\\=@])")
"""A name with a short number, such as ``db1``; what a path consists of, of which each name counts."""
_DAY_OR_MONTH = re.compile(
    r"\b(?:(?:Mon|Tues?|Wed(?:nes)?|Thu(?:rs)?|Fri|Sat(?:ur)?|Sun)(?:day)?|Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?"
    r"|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sep(?:tember)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)\b"
)


def without_numbers(word: str) -> str:
    """An argument with ``#`` in place of numbers and dates, which may be others in each run. ``db1`` is a word."""
    parts = _KEPT_WORDS.split(_DAY_OR_MONTH.sub("#", word))
    return "".join(part if at % 2 else pattern(part) for at, part in enumerate(parts))


def _hashed(words: Sequence[str]) -> str:
    return hashlib.sha256(json.dumps(words).encode()).hexdigest()[:32]


def _digest(line: str) -> str:
    """The same for lines that differ in numbers, times and ids alone."""
    return hashlib.sha256(pattern(line.strip()).encode("utf-8", "replace")).hexdigest()[:8]
