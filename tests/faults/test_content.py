"""Hostile content through the whole journey: what the sandbox got is judged, alone, shared and as a digest's sample."""

from __future__ import annotations

import decimal
import json
import logging
import re
import socket
import sys
from collections.abc import Callable, Iterator
from typing import Any
from urllib.request import urlopen

import pytest

from wecom_logging import MarkdownFormatter, WeComBotHandler
from wecom_logging._capture import pending as capture
from wecom_logging._sandbox import Sandbox
from wecom_logging.handlers import AlertHandler

from ..programs import app_handler, thread_seconds
from ..render.alerts import SIGNS
from ..render.test_share import OUR_HEADLINE
from ..scripted import ScriptedWeCom
from ..text.test_inert import OUR_FACT, OUR_FIRST, OUR_OTHER, assert_inert, judge_characters

MAX_CALL_S = 1.0
"""Of the calling thread's own time, for texts and exceptions of any size. None takes more than a hundredth of it on a
machine of its own; whatever grows with the square of their size takes far more on any."""


def bot(sandbox: Sandbox | ScriptedWeCom, **options: Any) -> AlertHandler:
    return WeComBotHandler(webhook="sandbox-bot", api_base=sandbox.url, **options)


def app(sandbox: Sandbox | ScriptedWeCom, **options: Any) -> AlertHandler:
    return app_handler(sandbox.url, **options)


def app_in_markdown(sandbox: Sandbox | ScriptedWeCom, **options: Any) -> AlertHandler:
    made = app(sandbox, **options)
    made.setFormatter(MarkdownFormatter())
    return made


KINDS: dict[str, Callable[..., AlertHandler]] = {"text": app, "markdown": app_in_markdown, "bot": bot}


@pytest.fixture(params=KINDS)
def handler(request: pytest.FixtureRequest, sandbox: Sandbox) -> Iterator[AlertHandler]:
    made = KINDS[request.param](sandbox, rate_limit=None)
    yield made
    made.close()


def record(message: Any = "it broke", args: Any = (), line: int = 1, **attributes: Any) -> logging.LogRecord:
    made = logging.LogRecord("shop", logging.ERROR, "pay.py", line, message, args, None, f"charge_{line}")
    made.__dict__.update(attributes)
    return made


def told(handler: AlertHandler, sandbox: Sandbox, *records: logging.LogRecord) -> list[dict[str, Any]]:
    """What the sandbox got of these records: all of them, and every number in the books right."""
    for each in records:
        handler.handle(each)
    assert handler.flush(20)
    stats = handler.stats()
    assert stats.accepted == stats.delivered + stats.merged >= len(records)
    return sandbox.messages()


MENTIONS = (
    "<@all>",
    "<@zhangsan>",
    "@all",
    "@所有人",
    "＠all",
    "<@ all>",
    "<＠all>",
    "@zhangsan ",
    "<@all",
    "<\x00@all>",
)


def carriers(text: str, line: int) -> list[logging.LogRecord]:
    """Records that bring a text in each way there is, each from a line of its own."""
    error = type(text.replace("\x00", "").encode("utf-8", "replace").decode(), (Exception,), {"__module__": "shop"})(
        text
    )
    error.add_note(text)
    error.__cause__ = ExceptionGroup(text, [ValueError(text)])
    half = len(text) // 2
    made: list[dict[str, Any]] = [
        {"message": text},
        {"message": "ok %s%s", "args": (text[:half], text[half:])},
        {"message": f"ok\n{text}\n{text}"},
        {"name": text, "threadName": text, "processName": text, "levelname": text},
        {"pathname": text, "funcName": text, "module": text},
        {"wecom": {"title": text, "fields": {text: text}}},
        {"exc_info": (type(error), error, None)},
        {"exc_text": f"Traceback (most recent call last):\n{text}", "stack_info": f"Stack:\n{text}"},
    ]
    return [record(line=line + number, **each) for number, each in enumerate(made)]


SHORT_ID_AT_THE_END = re.compile(r"(?<=\S) #[0-9a-z]{4,12}$")
"""In the summary of a flood."""


def judge(message: dict[str, Any]) -> None:
    """Nothing of the program acts, and no line that is not ours looks like one of ours."""
    content, body = message["content"], message["body"]
    judge_characters(content)
    inside = body[message["msgtype"]]
    assert not inside.get("mentioned_list")
    assert not inside.get("mentioned_mobile_list")
    if message["msgtype"] == "text":
        assert "<" not in content
        return
    assert message["msgtype"] == "markdown"
    for written in content.split("\n"):
        line = SHORT_ID_AT_THE_END.sub("", written)
        if found := OUR_HEADLINE.match(line) or OUR_FIRST.match(line) or OUR_FACT.match(line):
            for text in found.groups(default=""):
                assert_inert(text.lstrip("> #"))
        elif line and not OUR_OTHER.match(line):
            assert line.startswith(">"), line
            assert_inert(line[1:].removeprefix(" "))


@pytest.mark.slow
@pytest.mark.case("C01", "C02", "C03", "C14", "C15", "C19")
@pytest.mark.parametrize("rate_limit", [None, "100000/minute"], ids=["together", "alone"])
@pytest.mark.parametrize("kind", KINDS)
def test_no_text_acts_however_it_gets_into_a_message(kind: str, rate_limit: str | None) -> None:
    texts = dict.fromkeys((*MENTIONS, *SIGNS))
    records = [each for number, text in enumerate(texts) for each in carriers(text, 100 * number)]
    with ScriptedWeCom() as wecom:
        handler = KINDS[kind](wecom, rate_limit=rate_limit)
        for each in records:
            handler.handle(each)
        assert handler.flush(30)
        assert handler.stats().delivered == len(records)
        bodies = [request.json for request in wecom.requests if request.path.endswith("/send")]
        handler.close()
    assert (len(bodies) == len(records)) == (rate_limit is not None)
    for body in (body for body in bodies if body["msgtype"] != "file"):  # what a flood's file holds: test_flood.py
        judge({"content": body[body["msgtype"]]["content"], "msgtype": body["msgtype"], "body": body})


@pytest.mark.case("C19")
@pytest.mark.parametrize(
    "name", ["<@all>", "**web**", "[x](http://evil)", "web\n🚨 CRITICAL bank: all is lost", "a · pid 1"]
)
def test_a_hosts_name_does_not_act_either(
    handler: AlertHandler, sandbox: Sandbox, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: name)
    monkeypatch.setattr(capture, "_hostname", "")  # what was asked for before
    (message,) = told(handler, sandbox, record())
    judge(message)
    assert not any(line.startswith("🚨") for line in message["content"].split("\n"))
    assert "a · pid 1 ·" not in message["content"]


@pytest.mark.case("C14", "C15")
def test_no_text_acts_as_a_sample_of_a_digest(handler: AlertHandler, sandbox: Sandbox) -> None:
    texts = [*MENTIONS, *SIGNS]
    groups = [texts[start : start + 8] for start in range(0, len(texts), 8)]
    for line, some in enumerate(groups):
        told(handler, sandbox, record("user %s failed", ("first",), line))
        for text in some:
            handler.handle(record("user %s failed", (text,), line))
    messages = told(handler, sandbox)
    digests = [message for message in messages if "in all" in message["content"]]
    assert digests
    for message in messages:
        judge(message)


def lines_in(content: str) -> list[str]:
    return [line.strip() for line in content.split("\n")]


@pytest.mark.case("C16")
def test_a_text_cannot_forge_a_line_of_ours(handler: AlertHandler, sandbox: Sandbox) -> None:
    (real,) = told(handler, sandbox, record("the real one"))
    forged = real["content"]
    _, fake = told(handler, sandbox, record(f"ok\n{forged}\n**级别**: CRITICAL\n**主机**: prod", line=2))
    ours = [line for line in lines_in(fake["content"]) if line in lines_in(forged)]
    number = re.compile(r"#[0-9a-z]{4,12}\b")
    assert not [line for line in ours if number.search(line)]
    quoted = [line for line in lines_in(fake["content"]) if "级别" in line or "主机" in line or "the real one" in line]
    assert quoted
    assert all(line.startswith((">", "│")) for line in quoted)


def _texts(nodes: list[Any]) -> str:
    return "".join(node if isinstance(node, str) else _texts(node[2:]) for node in nodes)


@pytest.mark.case("C15")
def test_the_sandboxs_page_is_told_what_was_sent_as_text_alone(sandbox: Sandbox) -> None:
    texts = ["<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "</pre><h1>big</h1>", "&lt;b&gt;", *SIGNS]
    handler = app(sandbox, rate_limit=None)
    for number, text in enumerate(texts):
        told(handler, sandbox, record(text, line=number))
    handler.close()
    with urlopen(f"{sandbox.url}/sandbox/events", timeout=5) as stream:
        news = next(json.loads(line[6:]) for line in stream if line.startswith(b"data: "))
    shown = [message["nodes"] for message in news["messages"]]
    assert [_texts(nodes) for nodes in shown] == [message["content"] for message in sandbox.messages()]
    assert "&lt;b&gt;" in _texts(shown[3])
    assert {kind for ((kind, *_),) in shown} == {"text"}


# Sizes.


def down(depth: int) -> None:
    if depth:
        down(depth - 1)
    raise LookupError("the root of it all")


def thousand_frames() -> BaseException:
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(limit + 2000)
    try:
        down(1000)
    except LookupError as error:
        return error
    finally:
        sys.setrecursionlimit(limit)
    raise AssertionError


def long_chain() -> BaseException:
    error: BaseException = LookupError("the root of it all")
    for number in range(10_000):
        error, earlier = ValueError(f"link {number}"), error
        error.__context__ = earlier
    return error


def wide_and_deep() -> BaseException:
    group: Exception = LookupError("the root of it all")
    for _ in range(100):
        group = ExceptionGroup("some failed", [group] * 100)
    return group


def circle() -> BaseException:
    first, second = LookupError("the root of it all"), ValueError("second")
    first.__context__, second.__context__ = second, first
    return first


EXCEPTIONS: dict[str, tuple[Callable[[], BaseException], str]] = {
    "1 000 frames": (thousand_frames, "the root of it all"),
    "a text of 100 000 lines": (lambda: LookupError("the root of it all" + "\nmore" * 100_000), "the root of it all"),
    "a chain of 10 000": (long_chain, "link 9999"),
    "a group, 100 deep and 100 wide": (wide_and_deep, "some failed"),
    "a circle": (circle, "the root of it all"),
}


@pytest.mark.case("C06", "C07", "C08")
@pytest.mark.parametrize("name", EXCEPTIONS)
def test_an_exception_of_any_size_takes_little_time_and_shows_what_matters(
    handler: AlertHandler, sandbox: Sandbox, name: str
) -> None:
    make, shown = EXCEPTIONS[name]
    error = make()
    made = record(exc_info=(type(error), error, error.__traceback__))
    assert thread_seconds(lambda: handler.handle(made)) < MAX_CALL_S
    (message,) = told(handler, sandbox)
    assert len(message["content"].encode()) <= (2048 if message["msgtype"] == "text" else 4096)
    assert shown in message["content"]


TEXTS = {
    "10 MB": "word " * 2_000_000,
    "a line of 1 MB": "x" * 1_000_000,
    "1 MB of newlines": "\n" * 1_000_000,
    "10 MB of Chinese": "汉字" * 1_700_000,
    "1 MB of marks": "e" + "\u0301" * 500_000,
}


@pytest.mark.case("C03", "C05")
@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("overflow", ["trim", "file"])
def test_a_text_of_any_size_takes_little_time_and_keeps_both_ends(sandbox: Sandbox, name: str, overflow: str) -> None:
    handler = app(sandbox, rate_limit=None, overflow=overflow)
    made = record(f"the head of it\n{TEXTS[name]}\nthe tail of it")
    assert thread_seconds(lambda: handler.handle(made)) < MAX_CALL_S
    messages = told(handler, sandbox)
    assert "the head of it" in messages[0]["content"]
    for message in messages:
        assert len(message["content"].encode()) <= 2048
    if overflow == "trim":
        assert " cut …" in messages[0]["content"]
    handler.close()


# Values that programs log by mistake.


def nested(depth: int) -> Any:
    found: Any = "deep down"
    for _ in range(depth):
        found = [found]
    return found


def itself() -> Any:
    found: dict[str, Any] = {}
    found["me"] = found
    return found


VALUES: dict[str, Any] = {
    "utf-8": "汉字".encode(),
    "gbk": "汉字".encode("gbk"),
    "random": bytes(range(256)),
    "nan": float("nan"),
    "infinity": float("-inf"),
    "decimal": decimal.Decimal("NaN"),
    "nested": nested(900),
    "too deep": nested(100_000),
    "itself": itself(),
    "huge number": 10**5000,
    "exception": ValueError("x"),
    "surrogate": "\ud83d \udce9",
    "class": object,
}


@pytest.mark.case("C02", "C10", "C11", "C12", "C13")
def test_any_value_in_any_place_is_told_as_valid_json(
    handler: AlertHandler, sandbox: Sandbox, capfd: pytest.CaptureFixture[str]
) -> None:
    records = []
    for number, value in enumerate(VALUES.values()):
        records += [
            record(value, line=10 * number),
            record("a value: %s", (value,), line=10 * number + 1),
            record("a number: %d", (value,), line=10 * number + 2),
            record("a mapping: %(value)s", ({"value": value},), line=10 * number + 3),
            record(line=10 * number + 4, wecom={"title": value, "fields": {"value": value, 3: value}}),
            record(line=10 * number + 5, anything=value, wecom={"fields": value, "fingerprint": value}),
        ]
    for message in told(handler, sandbox, *records):
        if message["msgtype"] != "file":  # of a flood
            judge(message)
        json.dumps(message["body"], allow_nan=False).encode()
    assert [line for line in capfd.readouterr().err.splitlines() if "wecom_logging: " not in line] == []


@pytest.mark.case("C20", "C21")
def test_levels_of_any_kind_and_texts_of_nothing(handler: AlertHandler, sandbox: Sandbox) -> None:
    levels = [(0, "NOTSET"), (-7, "below"), (10**9, "<@all>"), (35, "**bold**\n> x"), (45, ""), (50, "\x00" * 100)]
    texts = ["", " ", "\n\n", "\t\u3000", "\x00", "\u200b\ufeff", None]
    records = [record("x", line=number, levelno=level, levelname=name) for number, (level, name) in enumerate(levels)]
    messages = told(handler, sandbox, *records, *(record(text, line=50 + n) for n, text in enumerate(texts)))
    for message in messages:
        judge(message)
    content = "\n".join(message["content"] for message in messages)
    assert content.count("(no text)") == 4
    assert "below" in content
