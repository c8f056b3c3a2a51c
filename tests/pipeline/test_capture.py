"""From any record that a program can make to an alert, with whatever its objects do when they are looked at."""

from __future__ import annotations

import gc
import itertools
import linecache
import logging
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn

import pytest

from wecom_logging import WeComBotHandler
from wecom_logging._capture.pending import Origin, capture, snapshot
from wecom_logging._capture.record import Reading
from wecom_logging._incidents.fingerprint import fingerprint
from wecom_logging._masking.redact import redact
from wecom_logging._render.facts import when_and_where
from wecom_logging._render.layout import fit, lay_out
from wecom_logging._render.mask import masked
from wecom_logging._render.source import with_source
from wecom_logging._render.styles import TEXT
from wecom_logging._runtime.warn import _last
from wecom_logging._sandbox import Sandbox
from wecom_logging._text.cut import CAP_BYTES, size
from wecom_logging.model import Alert, Digest, Failure, Recipients

from ..programs import thread_seconds, word


def record(msg: Any = "it broke", args: Any = (), exc_info: Any = None, **attributes: Any) -> logging.LogRecord:
    made = logging.LogRecord("shop", 40, "app/pay.py", 88, msg, args, exc_info, "charge")
    made.__dict__.update(attributes)
    return made


def captured(*args: Any, formatter: logging.Formatter | None = None, **attributes: Any) -> Alert:
    """The alert, which can also be shown."""
    found = capture(snapshot(Reading(record(*args, **attributes)), formatter), Origin("shop", "prod"))
    assert fit(lay_out(Digest(with_source(found)), TEXT), 2048).encode("utf-8")
    return found


def raised(error: BaseException) -> BaseException:
    try:
        raise error
    except BaseException as caught:
        return caught


# Messages and their arguments.


@pytest.mark.case("C11")
@pytest.mark.parametrize(
    ("msg", "args"),
    [
        ("no place %d", ("x",)),
        ("too few %s %s", ("x",)),
        ("too many", ("x", "y")),
        ("a mapping %(x)s", ("x",)),
        ("missing %(x)s", ({"y": 1},)),
        ("trailing %", ("x",)),
        ("unknown %y", ("x",)),
        ("too big %d", (10**5000,)),
    ],
)
def test_arguments_that_do_not_fit_leave_the_raw_text_and_a_note(
    msg: str, args: tuple[object, ...], capfd: pytest.CaptureFixture[str]
) -> None:
    found = captured(msg, args)
    assert found.message.startswith(f"{msg} (its arguments do not fit: ")
    assert capfd.readouterr().err == ""


class Raising:
    def __str__(self) -> str:
        raise ValueError("canary")

    __repr__ = __str__


class Recursing:
    def __str__(self) -> str:
        return str(self)


class NoText:
    def __str__(self) -> str:
        return 3  # the wrong type is the point


class Meta(type):
    def __getattribute__(cls, name: str) -> Any:
        if name in ("__name__", "__qualname__", "__module__"):
            raise RuntimeError("canary")
        return super().__getattribute__(name)


class Nameless(Exception, metaclass=Meta):
    def __str__(self) -> str:
        raise Nameless


class Classless(Exception):
    @property
    def __class__(self) -> Any:
        raise RuntimeError("canary")


class OddText(str):
    def __len__(self) -> int:
        raise RuntimeError("canary")

    def encode(self, *args: Any) -> bytes:
        raise RuntimeError("canary")

    def __str__(self) -> str:
        return self


@pytest.mark.case("E04")
@pytest.mark.parametrize("value", [Raising(), Recursing(), NoText(), Nameless()])
def test_a_text_that_cannot_be_made_is_named(value: object) -> None:
    assert f"a {type.__dict__['__name__'].__get__(type(value))} whose text cannot be made: " in captured(value).message
    assert captured("x %s", (value,)).message.startswith("x %s (its arguments do not fit: ")
    assert "canary" not in repr((captured(value), captured("%r", (value,)), captured("x", (), value)))


@pytest.mark.case("C10")
@pytest.mark.parametrize(
    ("msg", "shown"),
    [
        (None, "None"),
        (7, "7"),
        (b"\xff\x00", r"b'\xff\x00'"),
        ({"a": [1]}, "{'a': [1]}"),
        (ValueError("x"), "x"),
        (("t", 1), "('t', 1)"),
    ],
)
def test_a_message_of_any_type_is_shown(msg: object, shown: str) -> None:
    found = captured(msg)
    assert (found.message, type(found.message)) == (shown, str)


@pytest.mark.case("E07")
def test_a_text_of_an_odd_class_becomes_an_exact_one() -> None:
    for found in (captured(OddText("odd")), captured("%s", (OddText("odd"),))):
        assert (found.message, type(found.message)) == ("odd", str)


@pytest.mark.case("C05", "C09")
def test_no_text_is_longer_than_the_cap() -> None:
    huge = "word " * 200_000
    error = ValueError(huge)
    error.add_note(huge)
    found = captured("%s", (huge,), raised(error), wecom={"title": huge, "fields": {huge: huge}, "fingerprint": huge})
    texts = (found.message, found.title, found.fingerprint, found.failures[0].text)
    assert all(60_000 < size(text) <= CAP_BYTES for text in texts)
    assert all(0 < size(text) <= CAP_BYTES for text in (*found.fields[0], *found.failures[0].notes))


MANY_LINES = "\n" * 65_000


def group(depth: int) -> Exception:
    return ExceptionGroup(MANY_LINES, [group(depth - 1) for _ in range(8)]) if depth else ValueError(MANY_LINES)


def chain_of(text: str) -> Exception:
    error = ValueError(text)
    for _ in range(9):
        earlier, error = error, ValueError(text)
        error.__cause__ = earlier
    return error


def noted(text: str) -> Exception:
    error = ValueError(text)
    error.__notes__ = [text] * 32
    return error


@pytest.mark.case("C05", "C09")
@pytest.mark.parametrize(
    "error", [group(3), chain_of(MANY_LINES), noted(MANY_LINES), noted("a\n" * 30), noted("word " * 20_000), None]
)
def test_many_texts_of_many_lines_are_bounded_together(error: Exception | None) -> None:
    fields = {f"{number}": MANY_LINES for number in range(32)}
    found = captured(MANY_LINES, (), error, wecom={"title": "t", "fields": fields} if error is None else {})
    lines: list[str] = []
    assert thread_seconds(lambda: lines.extend(lay_out(Digest(masked(with_source(found), redact)), TEXT).lines())) < 4.0
    assert len(lines) < 10_000
    assert sum(map(size, lines)) < 400 * 1024
    if error is not None:
        assert any(found.failures[-1].type in line for line in lines)


@pytest.mark.case("E08")
def test_arguments_keep_the_value_that_they_had_at_the_call() -> None:
    value = {"order": 42}
    error = raised(KeyError(value))
    found = captured("%s", (value,), error, wecom={"fields": {"value": value}})
    value.clear()
    gc.collect()
    assert found.message == "{'order': 42}"
    assert found.failures[0].text == "{'order': 42}"
    assert found.fields == (("value", "{'order': 42}"),)


@pytest.mark.case("C20")
@pytest.mark.parametrize("level", [0, -1, 5, 10**9, 10**400, None, "ERROR"], ids=lambda level: str(level)[:9])
def test_an_odd_level_is_shown(level: object) -> None:
    assert captured(levelno=level, levelname=f"Level {str(level)[:9]}").level_name == f"Level {str(level)[:9]}"


def test_a_record_that_came_from_elsewhere_with_nothing_in_it_is_shown() -> None:
    made = logging.makeLogRecord({"msg": "hello", "processName": None, "threadName": None, "process": None})
    assert capture(snapshot(Reading(made)), Origin()).message == "hello"


# Exceptions.


@pytest.mark.case("C09")
def test_exc_info_of_every_kind_is_delivered() -> None:
    error = raised(KeyError("k"))
    for info in (error, (KeyError, error, error.__traceback__)):
        assert [failure.type for failure in captured("x", (), info).failures] == ["KeyError"]
    for info in (True, (None, None, None), "text", (1, 2), (), 0, object(), (KeyError, "k", None)):
        assert captured("x", (), info).failures == ()


def test_a_traceback_that_is_text_already_is_kept() -> None:
    found = captured(exc_text="Traceback (most recent call last):\n  …\nKeyError: 'k'")
    assert "KeyError: 'k'" in found.failures[0].text


def chained(length: int) -> BaseException:
    error = first = ValueError("0")
    for number in range(1, length):
        error, earlier = ValueError(str(number)), error
        if number % 2:
            error.__cause__ = earlier
        else:
            error.__context__ = earlier
    assert first is not error or length == 1
    return error


@pytest.mark.case("C08")
@pytest.mark.parametrize("length", [1, 9, 10, 11, 12, 16, 17, 18, 32, 33, 10_000])
def test_of_a_long_chain_the_last_and_the_first_are_kept(length: int) -> None:
    found = captured("x", (), chained(length)).failures
    assert found[-1].text == str(length - 1)
    assert found[0].text == "0"
    assert len(found) <= 11
    if length > 10:
        assert found[1].type == f"(… {length - 10} exceptions left out …)"
        assert [failure.text for failure in found[2:]] == [str(number) for number in range(length - 9, length)]
    else:
        assert [failure.text for failure in found] == [str(number) for number in range(length)]
    assert [failure.link for failure in found[-2:]][-1] == ""


@pytest.mark.case("C08")
def test_of_a_long_chain_nothing_is_made_that_the_garbage_collector_looks_through() -> None:
    """A collection in the log call would go through all that the program has: a third of a second in a large one."""
    error = chained(10_000)
    reading = Reading(record(exc_info=(type(error), error, None)))
    gc.disable()
    try:
        before = gc.get_count()[0]
        snapshot(reading)
        assert gc.get_count()[0] - before < 2000
    finally:
        gc.enable()
    assert reading.error is not None
    assert len(reading.error.chain.ids) == 10_000


@pytest.mark.case("C08")
@pytest.mark.parametrize("length", [1, 3])
@pytest.mark.parametrize("name", ["__cause__", "__context__"])
def test_a_chain_that_is_a_circle_ends_and_says_so(length: int, name: str) -> None:
    errors = [ValueError(str(number)) for number in range(length)]
    for number, error in enumerate(errors):
        setattr(error, name, errors[number - 1])
    found = captured("x", (), errors[-1]).failures
    assert "circle" in found[0].type
    assert [failure.text for failure in found[1:]] == [str(number) for number in range(length)]


def test_from_none_hides_the_context() -> None:
    error = ValueError("shown")
    error.__context__ = KeyError("hidden")
    assert [failure.text for failure in captured("x", (), error).failures] == ["'hidden'", "shown"]
    error.__cause__ = None  # what ``from None`` does
    assert [failure.text for failure in captured("x", (), error).failures] == ["shown"]


@pytest.mark.case("C06")
def test_a_recursion_of_a_thousand_frames_keeps_both_ends() -> None:
    def down(depth: int) -> None:
        if depth:
            down(depth - 1)
        raise RuntimeError("deep down")

    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(limit + 2000)
    try:
        down(1000)
    except RuntimeError as error:
        (failure,) = captured("x", (), error).failures
    finally:
        sys.setrecursionlimit(limit)
    assert (len(failure.frames), failure.omitted, failure.head) == (64, 938, 16)
    assert failure.frames[0].name.endswith("keeps_both_ends")
    assert failure.frames[-1].name.endswith("down")


@pytest.mark.case("C06")
def test_a_recursion_error_itself_is_captured() -> None:
    def forever() -> None:
        forever()

    with pytest.raises(RecursionError) as caught:
        forever()
    assert captured("x", (), caught.value).failures[0].type == "RecursionError"


def count(failures: tuple[Failure, ...]) -> int:
    return sum(1 + sum(map(count, failure.members)) for failure in failures)


@pytest.mark.case("C07")
def test_groups_in_groups_are_bounded_and_count_what_they_leave_out() -> None:
    group: Exception = ValueError("leaf")
    for _ in range(100):
        group = ExceptionGroup("g", [group] * 100)
    found = captured("x", (), group).failures
    assert count(found) < 500
    assert found[0].members[-1][0].type == "(… 92 more exceptions …)"


@pytest.mark.case("C07", "C08")
def test_a_group_that_is_the_context_of_its_own_member_ends() -> None:
    member = ValueError("m")
    group = ExceptionGroup("g", [member] * 8)
    member.__context__ = group
    assert count(captured("x", (), group).failures) < 10_000


class OddAttributes(Exception):
    """What the interpreter keeps elsewhere, put out of sight by a subclass."""

    @property
    def __cause__(self) -> NoReturn:  # it misbehaves on purpose
        raise RuntimeError("canary")

    # They misbehave on purpose.
    __context__ = __traceback__ = __suppress_context__ = __cause__

    @property
    def __notes__(self) -> NoReturn:  # it misbehaves on purpose
        raise RuntimeError("canary")


@pytest.mark.case("C09")
def test_an_exception_that_hides_its_attributes_is_captured() -> None:
    (failure,) = captured("x", (), OddAttributes("shown")).failures
    assert (failure.text, failure.notes) == ("shown", ())


@pytest.mark.case("C09")
@pytest.mark.parametrize(
    ("notes", "shown"),
    [
        (["a", "b"], ("a", "b")),
        (("a",), ("a",)),
        ("no list", ()),
        (3, ()),
        (None, ()),
        ([3, None], ("3", "None")),
        (["x"] * 100, ("x",) * 32),
    ],
)
def test_notes_of_every_kind(notes: object, shown: tuple[str, ...]) -> None:
    error = ValueError("x")
    error.__notes__ = notes  # it misbehaves on purpose
    assert captured("x", (), error).failures[0].notes == shown


@pytest.mark.case("C09")
def test_names_of_exceptions() -> None:
    odd = type("Bad\n**Name**", (Exception,), {"__module__": 3})
    named = {
        "ValueError": ValueError(),
        "json.decoder.JSONDecodeError": __import__("json").JSONDecodeError("m", "d", 0),
        "Bad\n**Name**": odd(),
        "Nameless": Nameless(),
        f"{__name__}.Classless": Classless(),
    }
    for name, error in named.items():
        assert captured("x", (), error).failures[0].type == name


# extra={"wecom": …}


class OddMapping(Mapping[str, Any]):
    def __getitem__(self, key: str) -> NoReturn:
        raise RuntimeError("canary")

    def __iter__(self) -> Iterator[str]:
        return iter(["users"])

    def __len__(self) -> int:
        return 1


class OddList:
    def __iter__(self) -> NoReturn:
        raise RuntimeError("canary")

    def __bool__(self) -> NoReturn:
        raise RuntimeError("canary")


WRONG: list[Any] = [
    "text",
    ["list"],
    3,
    OddMapping(),
    {"usres": ["bob"]},
    {3: 4, None: 5},
    {Raising(): 1},
    {"users": {"a": 1}},
    {"users": [None]},
    {"users": OddList()},
    {"users": []},
    {"users": "a<b"},
    {"departments": "销售部<运维部"},
    {"tags": [1.5]},
    {"mention": {"a": 1}},
    {"mention": "<@all>"},
    {"mention": OddList()},
    {"fields": OddMapping()},
]


@pytest.mark.case("C13")
@pytest.mark.parametrize(
    "extra",
    WRONG,
    ids=lambda extra: type(extra).__name__ + str(list(map(type, extra))[:1] if isinstance(extra, dict) else ""),
)
def test_a_wrong_extra_is_left_out_and_said_once(extra: Any, capfd: pytest.CaptureFixture[str]) -> None:
    found = captured(wecom=extra)
    assert (found.message, found.recipients, found.mention) == ("it broke", None, None)
    _last_said = capfd.readouterr().err
    assert _last_said.startswith('wecom_logging: extra={"wecom": …}')
    assert _last_said.count("\n") == 1
    assert "canary" not in _last_said
    captured(wecom=extra)
    assert capfd.readouterr().err == ""


@pytest.mark.case("C13")
@pytest.mark.parametrize(
    "extra",
    [
        None,
        {},
        {"users": None, "mention": None, "fields": None},
        {"title": Raising()},
        {"fields": [1, 2]},
        {"fields": {3: Raising()}},
    ],
)
def test_an_odd_but_harmless_extra_says_nothing(extra: Any, capfd: pytest.CaptureFixture[str]) -> None:
    assert captured(wecom=extra).message == "it broke"
    assert capfd.readouterr().err == ""


def test_a_right_extra_is_taken() -> None:
    found = captured(
        wecom={
            "users": ["bob", "amy"],
            "departments": 2,
            "tags": "3,值班",
            "leader_of": ["运维部"],
            "mention": "bob，amy",
            "fingerprint": "mine",
            "title": "Payments",
            "fields": {"order": 42},
        }
    )
    assert found.recipients is not None
    assert found.recipients == Recipients(("bob", "amy"), ("2",), ("3", "值班"), ("运维部",))
    assert found.mention == ("bob", "amy")
    assert (found.fingerprint, found.title, found.fields) == ("mine", "Payments", (("order", "42"),))
    assert fingerprint(found) == "mine"
    assert captured(wecom={"mention": []}).mention == ()


def test_a_wrong_extra_is_delivered(sandbox: Sandbox) -> None:
    handler = WeComBotHandler(webhook="sandbox-bot", api_base=sandbox.url, rate_limit=None)
    for number in range(len(WRONG[:15])):
        handler.handle(record(f"number {word(number)}", wecom=WRONG[number]))
    assert handler.flush(20.0)
    assert handler.stats().delivered == handler.stats().accepted == 15
    handler.close()


# Formatters.


class Broken(logging.Formatter):
    def __init__(self, make: Callable[[], object]) -> None:
        super().__init__()
        self._make = make

    def format(self, record: logging.LogRecord) -> str:
        return self._make()  # the wrong type is the point


@pytest.mark.case("E03")
@pytest.mark.parametrize(
    "formatter",
    [
        Broken(lambda: None),
        Broken(lambda: b"bytes"),
        Broken(lambda: 3),
        Broken(lambda: {}["canary"]),
        logging.Formatter("%(nothing)s"),
    ],
)
def test_a_formatter_that_makes_no_text_is_said_and_the_alert_has_its_own_look(
    formatter: logging.Formatter, capfd: pytest.CaptureFixture[str]
) -> None:
    assert captured(formatter=formatter).formatted is None
    said = capfd.readouterr().err
    assert "the handler's formatter" in said
    assert "canary" not in said
    assert "formatter" in _last


@pytest.mark.case("E03")
def test_a_formatters_text_is_taken_even_if_it_is_an_odd_one() -> None:
    assert captured(formatter=logging.Formatter("%(levelname)s|%(message)s")).formatted == "ERROR|it broke"
    assert captured(formatter=Broken(lambda: OddText("odd"))).formatted == "odd"


# Source lines.


def test_frames_have_their_source_line_and_a_short_path(on_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = on_disk / "shop.py"
    file.write_text("def charge():\n    return 1 / 0\n")
    monkeypatch.setattr(sys, "path", [on_disk, b"bytes", None, str(on_disk), *sys.path])  # a Path is passed over
    space: dict[str, Any] = {}
    exec(compile(file.read_text(), str(file), "exec"), space)
    with pytest.raises(ZeroDivisionError) as caught:
        space["charge"]()
    frame = with_source(capture(snapshot(Reading(record(exc_info=caught.value))), Origin())).failures[0].frames[-1]
    assert (frame.file, frame.line, frame.code, frame.own) == ("shop.py", 2, "return 1 / 0", True)


@pytest.mark.parametrize("name", ["<string>", "\ud800.py", "/no/such/file.py", "", "x" * 5000])
def test_a_file_name_that_no_file_has_is_shown_without_source(name: str) -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        exec(compile("1 / 0", name, "exec"))
    frame = with_source(capture(snapshot(Reading(record(exc_info=caught.value))), Origin())).failures[0].frames[-1]
    assert frame.code == ""


def failed_in(path: str, line: int = 1) -> Alert:
    with pytest.raises(ZeroDivisionError) as caught:
        exec(compile("\n" * (line - 1) + "1 / 0", path, "exec"))
    return with_source(capture(snapshot(Reading(record(exc_info=caught.value))), Origin()))


def test_only_a_file_of_a_sensible_kind_and_size_is_opened(on_disk: Path) -> None:
    pipe, big, link, good = (str(on_disk / name) for name in ("pipe.py", "big.py", "link.py", "good.py"))
    os.mkfifo(pipe)
    Path(big).write_bytes(b"canary" + b" " * 5_000_000)
    os.symlink("/proc/self/environ", link)
    Path(good).write_text("good = 1\n")
    for path in (pipe, big, link, "/dev/zero", "/dev/stdin", "/proc/self/environ", "/proc/self/cmdline", str(on_disk)):
        assert failed_in(path).failures[0].frames[-1].code == "", path
    assert failed_in(good).failures[0].frames[-1].code == "good = 1"
    Path(good).write_text("better = 22\n")
    assert failed_in(good).failures[0].frames[-1].code == "better = 22"
    os.remove(good)
    os.mkfifo(good)
    assert failed_in(good).failures[0].frames[-1].code == ""


def test_a_cell_of_a_notebook_has_its_source_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(linecache.cache, "cell-1", (6, None, ["1 / 0\n"], "cell-1"))
    assert failed_in("cell-1").failures[0].frames[-1].code == "1 / 0"


def test_library_frames_are_known_as_such() -> None:
    import json

    with pytest.raises(ValueError, match="Expecting") as caught:
        json.loads("{")
    frames = with_source(capture(snapshot(Reading(record(exc_info=caught.value))), Origin())).failures[0].frames
    assert [frame.own for frame in frames] == [True, *[False] * (len(frames) - 1)]
    assert frames[-1].file == "json/decoder.py"


def test_what_a_library_logs_of_an_exception_is_placed_where_that_left_the_users_own_code() -> None:
    import json

    with pytest.raises(ValueError, match="Expecting") as caught:
        json.loads("{")
    for error, place in ((caught.value, "tests/pipeline/test_capture.py:"), (None, "json/__init__.py:1 in charge")):
        of_json = record(exc_info=error, pathname=json.__file__, lineno=1)
        alert = with_source(capture(snapshot(Reading(of_json)), Origin()))
        assert when_and_where(Digest(alert), "en")[-1].startswith(place)


def test_a_secret_in_a_long_source_line_is_not_torn(tmp_path: Path) -> None:
    file = tmp_path / "minified.py"
    file.write_text("a = 0; " * 500 + 'b = "postgres://u:canary@h/"; 1 / 0\n')
    with pytest.raises(ZeroDivisionError) as caught:
        exec(compile(file.read_text(), str(file), "exec"))
    code = with_source(capture(snapshot(Reading(record(exc_info=caught.value))), Origin())).failures[0].frames[-1].code
    assert size(code) <= 1024
    assert "canary" not in code or "postgres://u:canary@h/" in code


@pytest.mark.parametrize("planted", [None, "text", ("a", 1), (b"a",), ["a"], object(), ("x" * 9000,) * 90])
def test_what_stands_in_the_place_of_our_words_changes_nothing(planted: object) -> None:
    found = capture(snapshot(Reading(record(wecom_words=planted))), Origin())
    assert len(found.ours) <= 64
    assert sum(map(len, found.ours)) <= 64 * 256
    assert (found.message, found.level) == (capture(snapshot(Reading(record())), Origin()).message, 40)


def test_extras_that_never_end_and_secrets_as_their_names_hold_no_call_up(capfd: pytest.CaptureFixture[str]) -> None:
    class Endless(Mapping[str, Any]):
        def __getitem__(self, name: str) -> Any:
            return "x"

        def __iter__(self) -> Iterator[str]:
            return (f"password=canary{number}" for number in itertools.count())

        def __len__(self) -> int:
            return 1

    for extra in (Endless(), {"users": itertools.count()}, {"mention": itertools.repeat("li")}):
        assert captured("late", wecom=extra).message == "late"
    assert "canary" not in capfd.readouterr().err
