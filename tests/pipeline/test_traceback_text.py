"""Tracebacks that a queue has made text: read as what they were, after the whole text was masked; all else stays."""

from __future__ import annotations

import concurrent.futures
import logging
import multiprocessing
import random
import traceback
from collections.abc import Callable
from dataclasses import replace
from logging.handlers import QueueHandler, QueueListener
from queue import SimpleQueue
from typing import Any

import pytest
import requests

from wecom_logging._capture.identity import identity_of
from wecom_logging._capture.pending import Origin, capture, sample, snapshot
from wecom_logging._capture.record import Reading
from wecom_logging._masking.redact import redact
from wecom_logging._render.layout import fit, lay_out
from wecom_logging._render.mask import masked
from wecom_logging._render.source import with_source
from wecom_logging._render.styles import TEXT
from wecom_logging._render.traceback_text import outline, read
from wecom_logging._sandbox import Sandbox
from wecom_logging.model import Alert, Digest, Failure, Frame

from ..programs import app_handler, thread_seconds
from ..scripted import ScriptedWeCom
from ..sweep import files
from .test_capture import raised, record

START = "Traceback (most recent call last):\n"
FRAME = '  File "a.py", line 1, in f\n'


def printed(fails: Callable[[], object]) -> str:
    try:
        fails()
    except Exception:
        return traceback.format_exc().rstrip("\n")
    raise AssertionError("it did not fail")


def through_a_queue(
    msg: str, args: Any = (), error: BaseException | None = None, stack: str | None = None
) -> logging.LogRecord:
    queue: Any = SimpleQueue()
    made = record(msg, args, None if error is None else (type(error), error, error.__traceback__))
    made.stack_info = stack
    QueueHandler(queue).handle(made)
    found: logging.LogRecord = queue.get()
    assert found.exc_info is found.exc_text is None
    return found


def alert_of(made: logging.LogRecord) -> Alert:
    return masked(with_source(capture(snapshot(Reading(made)), Origin())), redact)


def shown(alert: Alert, most: int = 100_000) -> str:
    return fit(lay_out(Digest(alert), TEXT), most)


def charge() -> None:
    {}["stock"]


def wrapped() -> None:
    try:
        charge()
    except KeyError as error:
        raise ValueError("no price\nof order 7") from error


def while_handling() -> None:
    try:
        charge()
    except KeyError:
        wrapped()


def deep(number: int = 80) -> None:
    deep(number - 1) if number else charge()


def broken() -> None:
    compile("1 +", "shop.py", "exec")


def group() -> None:
    raise ExceptionGroup("two", [ValueError("x"), KeyError("y")])


def test_it_is_shown_as_the_exception_would_be() -> None:
    error = raised(ValueError("no stock"))
    queued = alert_of(through_a_queue("no price for %d", (7,), error))
    (failure,) = queued.failures
    (real,) = alert_of(record("no price for %d", (7,), (ValueError, error, error.__traceback__))).failures
    assert (queued.message, failure.type, failure.text) == ("no price for 7", "ValueError", "no stock")
    assert failure.frames[-1].name == real.frames[-1].name.rpartition(".")[2]
    assert (failure.frames[-1].file, failure.frames[-1].line) == (real.frames[-1].file, real.frames[-1].line)
    assert (failure.frames[-1].code, failure.frames[-1].own) == (real.frames[-1].code, True)
    assert shown(queued).count("no stock") == 2  # in the first line and below the frames
    assert START.strip() not in shown(queued)


def test_chains_texts_of_several_lines_repeated_frames_and_syntax_errors() -> None:
    first, last = alert_of(through_a_queue(printed(wrapped))).failures
    assert (first.type, first.text, first.link) == ("KeyError", "'stock'", "cause")
    assert (last.type, last.text, last.link) == ("ValueError", "no price\nof order 7", "")
    links = [failure.link for failure in alert_of(through_a_queue(printed(while_handling))).failures]
    assert links == ["context", "cause", ""]
    (failure,) = alert_of(through_a_queue(printed(deep))).failures
    assert failure.notes == ("[Previous line repeated 78 more times]",)
    (failure,) = alert_of(through_a_queue(printed(broken))).failures
    assert (failure.type, failure.frames[-1].file, failure.frames[-1].code) == ("SyntaxError", "shop.py", "1 +")


def test_of_many_frames_the_outer_and_the_inner_ones_stay() -> None:
    frames = "".join(f'  File "a.py", line {number}, in f\n    f()\n' for number in range(1, 101))
    (failure,) = alert_of(through_a_queue(f"no price\n{START}{frames}ValueError: the very end")).failures
    lines = [failure.frames[place].line for place in (15, 16, -1)]
    assert (len(failure.frames), failure.omitted, failure.head, lines) == (64, 36, 16, [16, 53, 100])


def test_a_stack_a_message_without_words_and_a_text_in_exc_text() -> None:
    found = alert_of(through_a_queue("look", (), raised(ValueError("x")), stack="Stack (most recent call last):\n  go"))
    assert (found.message, found.failures[0].text, found.stack) == ("look", "x", "Stack (most recent call last):\n  go")
    assert alert_of(through_a_queue("", (), raised(ValueError("x")))).message == "ValueError: x"
    made = record("no price")
    made.exc_text = printed(charge)
    assert [failure.type for failure in alert_of(made).failures] == ["KeyError"]


@pytest.mark.parametrize(
    "text",
    [
        printed(group),
        f"{START}{FRAME}",
        f"{START}hello world",
        f"{START}{START}{FRAME}ValueError: x",
        f"{START}{FRAME}  a line that Python does not print\nValueError: x",
        f"{START}{FRAME}    {'x' * 2000}\nValueError: x",
        f"{START}{FRAME}two words: x",
        f"it said {START}{FRAME}ValueError: x",
        "it said (most recent call last): nothing",
        f"{START}ValueError: a text without frames",
        "\n\n".join(
            [f"{START}{FRAME}A: x", "During handling of the above exception, another exception occurred:"] * 11
        ),
    ],
)
def test_what_python_would_not_have_printed_stays_a_text(text: str) -> None:
    for message in (text, f"no price\n{text}"):
        found = alert_of(record(message))
        assert (found.message, found.failures) == (message, ())


def test_what_a_user_writes_around_it_is_all_shown() -> None:
    words = ["first", "second", "third", "fourth", "f(a,", "b)"]
    message = f"first\n\nsecond\n{START}{FRAME}    f(a,\n      ^^\n    b)\nValueError: third\n\n  File fourth"
    text = shown(alert_of(record(message)))
    assert [word for word in words if word not in text] == []


# What a process of a pool has raised.


def of_no_price(number: int) -> None:
    raise ValueError("no price")


def of_no_stock(number: int) -> None:
    raise ValueError("no price")


def in_a_pool(fails: Callable[[int], None]) -> None:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        pool.map(fails, [7])


def in_an_executor(fails: Callable[[int], None]) -> None:
    with concurrent.futures.ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        list(pool.map(fails, [7]))


def with_a_cause(number: int) -> None:
    wrapped()


def as_a_group(number: int) -> None:
    group()


def from_a_pool(pool: Callable[[Callable[[int], None]], None], fails: Callable[[int], None]) -> Exception:
    try:
        pool(fails)
    except Exception as error:
        return error
    raise AssertionError("it did not fail")


@pytest.mark.slow
@pytest.mark.parametrize("pool", [in_a_pool, in_an_executor])
def test_a_pool_shows_the_line_of_its_worker(pool: Callable[[Callable[[int], None]], None]) -> None:
    error = from_a_pool(pool, of_no_price)
    found = alert_of(record("import failed", (), (ValueError, error, error.__traceback__)))
    (failure,) = found.failures
    own = [frame.name for frame in failure.frames if frame.own]
    assert own == ["from_a_pool", pool.__name__, "of_no_price"]
    assert failure.frames[-1].code == 'raise ValueError("no price")'
    text = shown(found)
    assert text.splitlines()[0].endswith("import failed: ValueError: no price")
    assert "RemoteTraceback" not in text
    (queued,) = alert_of(through_a_queue("import failed", (), error)).failures
    assert [frame.name for frame in queued.frames if frame.own] == own
    assert queued.text == "no price"


@pytest.mark.slow
def test_a_worker_s_own_chain_and_frames_that_are_left_out() -> None:
    error = from_a_pool(in_a_pool, with_a_cause)
    for made in (
        record("import failed", (), (ValueError, error, error.__traceback__)),
        through_a_queue("x", (), error),
    ):
        first, last = alert_of(made).failures
        assert (first.type, first.link, first.frames[-1].name) == ("KeyError", "cause", "charge")
        assert (last.type, last.text, last.frames[-1].name) == ("ValueError", "no price\nof order 7", "wrapped")
    text = "".join(f'  File "a.py", line {number}, in f\n    f()\n' for number in range(1, 101))
    remote = Failure("concurrent.futures.process._RemoteTraceback", f'\n"""\n{START}{text}A: x\n"""', link="cause")
    outer = tuple(Frame("b.py", number, "g", code="g()") for number in range(1, 65))
    for omitted, head, frames, left_out in ((0, 80, 128, 36), (7, 16, 64, 7 + 48 + 16 + 36)):
        again = Failure("A", "x", frames=outer, omitted=omitted, head=16)
        (failure,) = read(replace(alert_of(record("x")), failures=(remote, again))).failures
        assert (failure.head, len(failure.frames), failure.omitted) == (head, frames, left_out)
        assert failure.frames[-1].line == 100


@pytest.mark.slow
def test_what_a_worker_raises_as_a_group_stays_a_text() -> None:
    error = from_a_pool(in_a_pool, as_a_group)
    found = alert_of(record("import failed", (), (type(error), error, error.__traceback__)))
    assert [failure.type for failure in found.failures] == ["multiprocessing.pool.RemoteTraceback", "ExceptionGroup"]
    assert shown(found).splitlines()[0].endswith("import failed: ExceptionGroup: ValueError: x, KeyError: 'y' (two)")


@pytest.mark.slow
def test_what_two_workers_of_one_pool_raise_is_not_the_same() -> None:
    errors = [from_a_pool(in_a_pool, fails) for fails in (of_no_price, of_no_stock, of_no_price)]
    keys = []
    for error in errors:
        made = record("import failed", (), (ValueError, error, error.__traceback__))
        keys.append(identity_of(Reading(made), 1, None))
    one, other, again = [(key.place, key.text) for key in keys]
    assert one == again != other


# The same, in this process and elsewhere.


def test_records_are_the_same_by_exception_and_frames() -> None:
    def fails(text: str, kind: type[Exception]) -> None:
        raise kind(text)

    def elsewhere(text: str, kind: type[Exception]) -> None:
        raise kind(text)

    def queued(order: int, text: str, kind: type[Exception] = ValueError, where: Any = fails) -> logging.LogRecord:
        try:
            where(text, kind)
        except kind as error:
            return through_a_queue("no price for %d", (order,), error)
        raise AssertionError

    same = [queued(number, f"order {17 * number}: no stock") for number in (1, 2, 3)]
    others = [queued(4, "order 68: no stock", KeyError), queued(5, "order 85: no stock", ValueError, elsewhere)]
    with ScriptedWeCom() as wecom:
        handler = app_handler(wecom.url)
        for made in (*same, *others):
            handler.handle(made)
        assert handler.flush(20)
        assert (handler.stats().delivered, handler.stats().merged) == (3, 2)
        contents = [one.json["text"]["content"] for one in wecom.requests if one.path.endswith("/send")]
        handler.close()
    assert any("× 2, 3 in all" in content for content in contents)


@pytest.mark.parametrize("state", ["memory://", "sqlite:///{tmp_path}/alerts.db"])
def test_through_a_real_queue_and_a_durable_state(sandbox: Sandbox, tmp_path: Any, state: str) -> None:
    handler = app_handler(sandbox.url, state=state.format(tmp_path=tmp_path))
    queue: Any = SimpleQueue()
    listener = QueueListener(queue, handler)
    log = logging.getLogger("shop.queued")
    log.propagate = False
    log.addHandler(QueueHandler(queue))
    try:
        for order in range(3):
            try:
                wrapped()
            except ValueError:
                log.exception("no price for %d", order)
    finally:
        log.handlers.clear()
        log.propagate = True
    listener.start()  # now, so that all are there at once
    listener.stop()
    assert handler.flush(20)
    assert (handler.stats().accepted, handler.stats().pending) == (3, 0)
    handler.close()
    first, *_ = [one["content"] for one in requests.get(f"{sandbox.url}/sandbox/messages", timeout=10).json()]
    assert first.splitlines()[0].endswith(
        "shop.queued: no price for 0: ValueError: no price ⏎ of order 7 ← KeyError: 'stock'"
    )
    assert "which was the direct cause of:" in first
    assert "tests/pipeline/test_traceback_text.py:" in first
    assert START.strip() not in first


# Secrets.

PEM = "-----BEGIN RSA PRIVATE KEY-----\n{}\n-----END RSA PRIVATE KEY-----".format(
    "\n".join(["MIIEcanary" + "A" * 54] * 20)
)
LINE = "Kq7canary9"
SECRETS = {
    "a key over several lines": PEM,
    "a key that is cut off": PEM[:400],
    "a password in the last line": f"refused\nPASSWORD: {LINE}",
    "a password and no more": f"PASSWORD: {LINE}",
    "YAML": f"refused\npassword: |\n  {LINE}\n  {LINE}",
    "a quoted text of several lines": f'refused password="""{LINE}\n{LINE}\n{LINE}"""',
    "a list of several lines": f"refused {{'password': [\n '{LINE}',\n '{LINE}',\n]}}",
    "a header": f"refused\nAuthorization: Basic {LINE}canary==",
    "a URL": f"refused postgres://shop:{LINE}@db/shop",
}


@pytest.mark.slow
@pytest.mark.case("C17")
@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS.keys())
def test_no_secret_of_any_part_is_shown(secret: str, tmp_path: Any) -> None:
    error = raised(ValueError(secret))
    error.add_note(secret)
    error.__cause__ = raised(LookupError(f"x\n{secret}"))  # a KeyError shows its text on one line
    code = "\n".join(f"    {line}" for line in secret.split("\n"))
    records = [
        through_a_queue("no price", (), error),
        through_a_queue(f"no price\n{secret}", (), error),
        through_a_queue(f"{secret}\n%s", (traceback.format_exc(),), error),
        record("%s", (f"no price\n{printed(charge)}\n{secret}",)),
        record(f'no price\n{START}{FRAME}{code}\n  File "b.py", line 2, in password={LINE}\nValueError: x'),
        through_a_queue("no price", (), raised(ExceptionGroup("group", [error, error]))),
    ]
    with ScriptedWeCom() as wecom:
        for number, made in enumerate(records):
            path = tmp_path / f"{number}.db"
            handler = app_handler(wecom.url, rate_limit=None, overflow="file", state=f"sqlite:///{path}")
            for _ in range(3):  # the first, and samples
                handler.handle(made)
            assert handler.flush(20)
            handler.close()
            assert "canary" not in "".join(content for _, content in files(tmp_path))
        left = "\n".join(one.body.decode() for one in wecom.requests)
    assert "canary" not in left
    for made in records:
        found = alert_of(made)
        assert "canary" not in repr(found)
        assert "canary" not in redact(sample(Reading(made)).text)


def test_a_secret_is_masked_before_the_text_is_taken_apart() -> None:
    """A user's own mask knows a secret only as a whole."""
    secret = f'ValueError: open\n  File "b.py", line 3, in sesame\n{START}'
    made = record(f"no price\n{START}{FRAME}{secret}KeyError: x")
    found = masked(capture(snapshot(Reading(made)), Origin()), lambda text: text.replace(secret, "***"))
    assert "sesame" not in repr(found)


# Time.

HOSTILE = {
    "beginnings": START,
    "frames": FRAME,
    "frames and source": f"{FRAME}    f()\n",
    "links": "\n\nDuring handling of the above exception, another exception occurred:\n\n",
    "whole ones": f"{START}{FRAME}A: x\n\nDuring handling of the above exception, another exception occurred:\n\n",
    "stacks": "\nStack (most recent call last):\n",
    "blanks": "    ",
    "names": "a.",
    "quotes": '  File "',
    "line ends": "\n",
    "workers": 'a.RemoteTraceback: \n"""\n',
    "names of workers": "RemoteTraceback",
}


@pytest.mark.slow
@pytest.mark.parametrize("piece", HOSTILE.values(), ids=HOSTILE.keys())
@pytest.mark.parametrize("start", ["", START, f"x\n{START}{FRAME}"])
def test_time_grows_with_the_length_and_no_faster(piece: str, start: str) -> None:
    def seconds(length: int) -> float:
        text = f"{start}{piece * (length // len(piece))}"
        alert = capture(snapshot(Reading(record(""))), Origin())
        alert = replace(alert, message=text, template=text)
        return min(thread_seconds(lambda: (outline(text), read(alert))) for _ in range(3))

    assert seconds(64 * 1024) < 2.0
    assert seconds(512 * 1024) < 40 * seconds(64 * 1024) + 0.05


@pytest.mark.slow
def test_no_text_makes_it_fail_or_lose_words() -> None:
    choose = random.Random(4711)
    pieces = [*HOSTILE.values(), "ValueError: x\n", "word ", "    ^^^^\n", "  [Previous line repeated 3 more times]\n"]
    for _ in range(3000):
        text = "".join(choose.choices(pieces, k=choose.randrange(1, 12)))
        outline(text)
        found = alert_of(record(text))
        told = f"{found.message}{found.stack}{found.failures}"
        assert told.count("word") >= text.count("word")
