"""What a message says about repeats: the count, the last time, samples, losses, and the closing line."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wecom_logging._render.facts import count_words, where
from wecom_logging._render.layout import Style, first_line, fit, lay_out
from wecom_logging._render.styles import MARKDOWN, TEXT
from wecom_logging._text.cut import size
from wecom_logging.model import Digest, Failure, Frame, Sample, Variant

from ..text.test_inert import OUR_FIRST, SIGNS, judge_characters, judge_markdown, judge_text
from .alerts import alert, digests

some = settings(
    max_examples=70, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
T = 1_795_569_123.0  # 2026-11-25 09:12:03 in China
MONDAY = T + 5 * 86_400
ORDER = alert(service="web shop", logger="shop", message="order 4711 cannot be priced", time=T)
MANY = Digest(
    replace(ORDER, failures=(Failure("shop.PriceError", "no rate", (Frame("app/pay.py", 88, "charge"),)),)),
    4321,
    12345,
    T + 60,
    T + 3068,
    (Sample(T + 1, "order 4712 cannot be priced"),),
    (1, 5, 0, 9),
    short_id="k7f2",
)
CLOSING = replace(MANY, quiet_s=600.0)


def lines(digest: Digest, style: Style, losses: str = "") -> list[str]:
    return lay_out(digest, style, "", losses).lines()


@pytest.mark.usefixtures("in_china")
def test_a_digest_as_text() -> None:
    assert lines(MANY, TEXT, "3 alerts were lost: queue_overflow") == [
        "🔴 ERROR × 4321, 12345 in all web shop shop: order 4711 cannot be priced: PriceError: no rate",
        "│ 09:12:04 order 4712 cannot be priced",
        "2026-11-25 09:12:03.000 +08:00 #k7f2",
        "since 09:13:03, last 10:03:11.000 +08:00 ▂▅▁█",
        "3 alerts were lost: queue_overflow",
    ]


@pytest.mark.usefixtures("in_china")
def test_what_is_told_on_another_day_has_the_day_of_each_time() -> None:
    assert lines(replace(MANY, told_at=MONDAY), TEXT)[1:] == [
        "│ 11-25 09:12:04 order 4712 cannot be priced",
        "2026-11-25 09:12:03.000 +08:00 #k7f2",
        "since 11-25 09:13:03, last 10:03:11.000 +08:00 ▂▅▁█",
    ]


@pytest.mark.usefixtures("in_china")
def test_a_first_message_of_several_as_text() -> None:
    assert lines(replace(MANY, count=12345), TEXT) == [
        "🔴 ERROR × 12345 web shop shop: order 4711 cannot be priced: PriceError: no rate",
        "│ 09:12:04 order 4712 cannot be priced",
        "2026-11-25 09:12:03.000 +08:00 #k7f2",
        "last 10:03:11.000 +08:00 ▂▅▁█",
        "web-1 · pid 4711",
        "app/pay.py:88 in charge",
        "│   app/pay.py:88 in charge",
        "│ shop.PriceError: no rate",
    ]


@pytest.mark.usefixtures("in_china")
def test_a_digest_as_markdown() -> None:
    assert lines(MANY, MARKDOWN, "3 alerts were lost: queue_overflow") == [
        '🔴 <font color="warning">ERROR × 4321, 12345 in all</font> web shop shop: '
        "**order 4711 cannot be priced: PriceError: no rate**",
        "> 09:12:04 order 4712 cannot be priced",
        '<font color="comment">2026-11-25 09:12:03.000 +08:00 #k7f2</font>',
        '<font color="comment">since 09:13:03, last 10:03:11.000 +08:00 ▂▅▁█</font>',
        '<font color="comment">3 alerts were lost: queue_overflow</font>',
    ]


@pytest.mark.usefixtures("in_china")
def test_a_closing_line_is_a_short_message_of_its_own() -> None:
    assert lines(CLOSING, TEXT, "1 alert was lost") == [
        "✅ web shop shop: order 4711 cannot be priced: PriceError: no rate · "
        "quiet for 10 minutes, × 4321 since 09:13, 12345 in all",
        "#k7f2 2026-11-25 10:03:11.000 +08:00",
        "1 alert was lost",
    ]
    assert lines(replace(CLOSING, count=0, hosts=3), MARKDOWN) == [
        "✅ web shop shop: **order 4711 cannot be priced: PriceError: no rate** · "
        '<font color="info">quiet for 10 minutes, 12345 in all on 3 hosts, 09:12 to 10:03</font>',
        '<font color="comment">#k7f2 2026-11-25 10:03:11.000 +08:00</font>',
    ]
    formatted = replace(CLOSING, alert=replace(ORDER, formatted="MINE\nmore"), is_rare=True)
    assert lines(formatted, TEXT) == [
        "✅ web shop shop: MINE · quiet for 10 minutes (not tried again, or over), × 4321 since 09:13, 12345 in all",
        "#k7f2 2026-11-25 10:03:11.000 +08:00",
    ]


@pytest.mark.usefixtures("in_china")
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"has_stopped": True}, "ERROR none since 10:03, × 4321, 12345 in all"),
        ({"has_stopped": True, "is_rare": True}, "ERROR × 4321, 12345 in all"),
        ({"has_stopped": True, "is_rare": True, "is_over": True}, "ERROR none since 10:03, × 4321, 12345 in all"),
        ({"has_stopped": True, "quiet_s": 600.0}, "quiet for 10 minutes, × 4321 since 09:13, 12345 in all"),
        ({"has_stopped": True, "told_at": MONDAY}, "ERROR none since 11-25 10:03, × 4321, 12345 in all"),
        ({"quiet_s": 600.0, "told_at": MONDAY}, "quiet for 10 minutes, × 4321 since 11-25 09:13, 12345 in all"),
        (
            {"quiet_s": 600.0, "told_at": MONDAY, "count": 0},
            "quiet for 10 minutes, 12345 in all, 11-25 09:12 to 11-25 10:03",
        ),
        (
            {"count": 9, "total": 9, "times": 2, "times_since": T, "told_at": MONDAY},
            "ERROR again, 2nd since 11-25 09:12, × 9",
        ),
        ({"count": 9, "total": 9, "times": 2, "times_since": T - 60}, "ERROR again, 2nd time today, × 9"),
        ({"count": 1, "total": 1, "times": 11, "times_since": T}, "ERROR again, 11th time today"),
        ({"count": 1, "total": 1, "times": 22, "times_since": T - 43200}, "ERROR again, 22nd since 11-24 21:12"),
        ({"times": 2, "times_since": T}, "ERROR × 4321, 12345 in all"),
    ],
)
def test_what_stands_beside_the_count(changes: dict[str, Any], words: str) -> None:
    line = first_line(replace(MANY, **changes), TEXT, 400)
    assert line.startswith(f"🔴 {words} web shop") or line.endswith(f" · {words}")


def test_what_came_once_came_from_one_place() -> None:
    digest = replace(MANY, hosts=1, processes=2)
    assert where(digest, "zh") == "，2 个进程"
    assert where(replace(digest, count=1, total=1), "zh") == ""  # more came since


@pytest.mark.usefixtures("in_china")
def test_the_title_of_a_digest_is_the_newest_kind_that_was_never_told_else_the_commonest() -> None:
    def kind(name: str, count: int, at: float, *, new: bool) -> Variant:
        return Variant(name, count, f"user {name} is unknown", at, new)

    amy, bob = kind("amy", 2, T + 9, new=True), kind("bob", 12, T, new=False)
    new = [kind(f"zoe{number}", 1, T + number, new=True) for number in range(9)]
    several = replace(MANY, variants=(bob, amy, *new), samples=())
    assert lines(several, TEXT)[0] == "🔴 ERROR all kinds × 4321, 12345 in all web shop shop: user amy is unknown"
    assert lines(several, TEXT)[1:9] == [f"│ new 09:12:0{3 + n} user zoe{n} is unknown" for n in range(7)] + [
        "│ new 09:12:10 user zoe7 is unknown"
    ]
    assert "user zoe8" not in "\n".join(lines(several, TEXT))
    known = replace(MANY, variants=(replace(amy, is_new=False), bob))
    assert first_line(known, TEXT, 400) == "🔴 ERROR all kinds × 4321, 12345 in all web shop shop: user bob is unknown"
    known = replace(known, count=14)
    assert first_line(known, TEXT, 400) == "🔴 ERROR 2 kinds × 14, 12345 in all web shop shop: user bob is unknown"
    assert (
        first_line(known, TEXT.within("zh"), 400)
        == "🔴 错误 2 类 × 14，累计 12345 次 web shop shop: user bob is unknown"
    )
    assert " · quiet for 10 minutes, 2 kinds × 14 since " in first_line(replace(known, quiet_s=600), TEXT, 400)
    assert first_line(replace(known, total=14), TEXT.within("zh"), 400).startswith(
        "🔴 错误 2 类 × 14 web shop shop: order"
    )
    assert first_line(replace(known, total=15, count=15), TEXT.within("zh"), 400).startswith(
        "🔴 错误 各类 × 15 web shop"
    )
    alone = replace(known, variants=(bob,), count=12)
    assert first_line(alone, TEXT, 400).startswith("🔴 ERROR × 12, 12345 in all web shop")
    assert first_line(replace(known, count=12345), TEXT, 400).endswith(
        "order 4711 cannot be priced: PriceError: no rate"
    )


@pytest.mark.parametrize(
    ("quiet_s", "words"),
    [
        (0.2, "1 second"),
        (1, "1 second"),
        (119.9, "119 seconds"),
        (120, "2 minutes"),
        (600, "10 minutes"),
        (7199, "119 minutes"),
        (7200, "2 hours"),
        (36_000, "10 hours"),
    ],
)
def test_how_long_it_was_quiet(quiet_s: float, words: str) -> None:
    assert f" · quiet for {words}, × 4321 since " in lines(replace(MANY, quiet_s=quiet_s), TEXT)[0]


@pytest.mark.usefixtures("in_china")
@pytest.mark.parametrize(
    ("last", "span"),
    [
        (T + 30, "09:12"),
        (0.0, "09:12"),
        (T + 3068, "09:12 to 10:03"),
        (T + 16 * 3600, "11-25 09:12 to 11-26 01:12"),
    ],
)
def test_dates_are_said_when_they_differ(last: float, span: str) -> None:
    assert lines(replace(CLOSING, count=0, last=last), TEXT)[0].endswith(f" in all, {span}")


def test_what_a_server_says_of_an_exception_names_it_in_the_first_line() -> None:
    said = alert(
        message="Exception in ASGI application\nrequest 7",
        place=Frame("uvicorn/protocols/http/h11_impl.py", 416, "run_asgi", own=False),
        failures=(Failure("KeyError", "'price'\nmore", (Frame("shop.py", 4, "price"),)),),
    )
    first, second, *_ = lines(Digest(said), TEXT)
    assert first == "🔴 ERROR shop.pay: Exception in ASGI application: KeyError: 'price' ⏎ more"
    assert second == "│ request 7"
    assert first_line(Digest(said), TEXT, 400) == first
    own = replace(said, place=Frame("shop.py", 4, "price"))
    assert lines(Digest(own), TEXT)[0] == first


@pytest.mark.parametrize(
    ("said", "kind", "text", "told"),
    [
        ("job 17 failed", "KeyError", "'price'", "job 17 failed: KeyError: 'price'"),
        ("job 17 failed:", "KeyError", "'price'", "job 17 failed: KeyError: 'price'"),
        ("", "KeyError", "'price'", "KeyError: 'price'"),
        ("KeyError: 'price' in a request", "KeyError", "'price'", "KeyError: 'price' in a request"),
        ("GET / failed: KeyError: 'price'", "shop.errors.KeyError", "'price'", "GET / failed: shop.KeyError: 'price'"),
        ("GET / failed: 'price'", "shop.PriceError", "'price'", "GET / failed: PriceError: 'price'"),
        ("'price' is missing", "KeyError", "'price'", "'price' is missing: KeyError"),
        ("a KeyError", "KeyError", "'price'", "a KeyError: KeyError: 'price'"),
        ("it is a KeyError", "KeyError", "", "it is a KeyError"),
        ("pay raised shop.errors.PriceError: x", "shop.errors.PriceError", "x", "pay raised PriceError: x"),
        ("pay raised Order.Missing: x", "shop.Order.Missing", "x", "pay raised Order.Missing: x"),
        ("order 13", "KeyError", "1", "order 13: KeyError: 1"),
        ("no rate", "shop.PriceError", "no rate", "PriceError: no rate"),
        ("call failed", "shop.PriceError", "failed", "call failed: PriceError"),
        ("call failed: busy", "shop.PriceError", "busy", "call failed: PriceError: busy"),
        ("it broke", "shop.Order.DoesNotExist", "", "it broke: Order.DoesNotExist"),
        ("it broke", "shop.f.<locals>.Bad", "x", "it broke: Bad: x"),
        ("it broke", "sqlite3.OperationalError", "no such table", "it broke: OperationalError: no such table"),
        ("it broke", "requests.exceptions.ConnectionError", "x", "it broke: requests.ConnectionError: x"),
        ("it broke", "struct.error", "x", "it broke: struct.error: x"),
        ("it broke", "tenacity.RetryError", "RetryError[x]", "it broke: RetryError[x]"),
        (
            "it broke",
            "yaml.ScannerError",
            "while scanning\n  a key\n\nno ':'",
            "it broke: ScannerError: while scanning ⏎ a key ⏎ no ':'",
        ),
        ("GET /orders/99", "KeyError", "99", "GET /orders/99: KeyError: 99"),
        ("KeyError: 99 in a request", "KeyError", "99", "KeyError: 99 in a request"),
        ("an unhandled exception.", "KeyError", "'price'", "an unhandled exception: KeyError: 'price'"),
        ("it broke", "rpc._Error", "<_Error of a call:\n\tstatus = 14", "it broke: ＜_Error of a call: ⏎ status = 14"),
        ("it broke", "shop.SyntaxError", "no value:\n  a =\n     ^", "it broke: shop.SyntaxError: no value: ⏎ a ="),
        (
            "no pods",
            "client.ApiException",
            "(403)\nReason: Forbidden\nHTTP response headers: HTTPHeaderDict({'Audit-Id': '7f1c', 'Date': 'Sunday'})\n"
            'HTTP response body: {"status":"Failure","message":"pods of \\"shop\\" are forbidden","code":403}\n',
            'no pods: ApiException: (403) ⏎ Reason: Forbidden ⏎ pods of "shop" are forbidden',
        ),
        (
            "no prices",
            "db.InputError",
            "error on line: 5\nOriginal Line: 17,tea,2026-11-29,green,1.25,an apple,a pear,x\n"
            "Expected Number of Columns: 3 Found: 8\nPossible fixes:\n* none",
            "no prices: InputError: error on line: 5 ⏎ Original Line: 17,tea,2026-11-29,green,1.25,an apple,a pear,x"
            " ⏎ Expected Number of Columns: 3 Found: 8",
        ),
    ],
)
def test_the_first_line_names_the_exception_once(said: str, kind: str, text: str, told: str) -> None:
    digest = Digest(alert(message=said, failures=(Failure(kind, text),)))
    assert lines(digest, TEXT)[0] == f"🔴 ERROR shop.pay: {told}"


def test_the_first_line_names_the_cause_but_not_what_was_handled_by_the_way() -> None:
    cause = Failure("TimeoutError", "10 s", link="cause")
    last = Failure("shop.PaymentError", "no payment")
    told = {
        (cause, last): "it broke: PaymentError: no payment ← TimeoutError: 10 s",
        (
            cause,
            replace(cause, type="OSError", text="wire"),
            last,
        ): "it broke: PaymentError: no payment ← TimeoutError: 10 s",
        (replace(cause, link="context"), last): "it broke: PaymentError: no payment",
        (cause, replace(last, text="no payment in 10 s")): "it broke: PaymentError: no payment in 10 s",
    }
    for failures, text in told.items():
        assert lines(Digest(alert(failures=failures)), TEXT)[0] == f"🔴 ERROR shop.pay: {text}"


def test_the_first_line_names_what_the_function_caught_that_raised() -> None:
    """`except OSError: raise PaymentError(…)` has a cause, `except KeyError: load()` has not."""
    pay, load = Frame("shop.py", 7, "pay"), Frame("shop.py", 20, "load")
    caught = Failure(
        "OSError", "[Errno 28] No space", (replace(pay, line=5), Frame("disk.py", 3, "save")), link="context"
    )
    told = {
        Failure("PaymentError", "no payment", (pay,)): "PaymentError: no payment ← OSError: [Errno 28] No space",
        Failure("PaymentError", "no payment: No space", (pay,)): "PaymentError: no payment: No space",
        Failure("PaymentError", "no payment", (pay, load)): "PaymentError: no payment",
    }
    for last, text in told.items():
        assert lines(Digest(alert(failures=(caught, last))), TEXT)[0] == f"🔴 ERROR shop.pay: it broke: {text}"


def test_the_first_line_names_the_members_of_a_group_that_is_a_cause() -> None:
    inside = ((Failure("ValueError", "bad"),), (Failure("KeyError", "'x'"),))
    cause = Failure("ExceptionGroup", "tasks (2 sub-exceptions)", link="cause", members=inside)
    assert lines(Digest(alert(failures=(cause, Failure("JobError", "no job")))), TEXT)[0] == (
        "🔴 ERROR shop.pay: it broke: JobError: no job ← ExceptionGroup: ValueError: bad, KeyError: 'x' (tasks)"
    )


def test_the_first_line_names_the_members_of_a_group() -> None:
    bad = [(Failure("ValueError", f"bad {n}"),) for n in range(2)]
    group = Failure("ExceptionGroup", "tasks (3 sub-exceptions)", members=(*bad, (Failure("KeyError", "'x'"),)))
    assert lines(Digest(alert(failures=(group,))), TEXT)[0] == (
        "🔴 ERROR shop.pay: it broke: ExceptionGroup: 2 × ValueError: bad 0, KeyError: 'x' (tasks)"
    )
    said = alert(message="GET / failed: ExceptionGroup: tasks (3 sub-exceptions): ValueError: bad 0", failures=(group,))
    assert lines(Digest(said), TEXT)[0] == (
        "🔴 ERROR shop.pay: GET / failed: ExceptionGroup: 2 × ValueError: bad 0, KeyError: 'x' (tasks)"
    )


def test_the_first_line_names_a_templates_line() -> None:
    frames = (
        Frame("app/mail.py", 3, "send"),
        Frame("templates/mail.html", 7, "block body"),
        Frame("jinja2/x.py", 1, "y", own=False),
    )
    said = alert(failures=(Failure("jinja2.exceptions.UndefinedError", "'order' is undefined", frames),))
    assert lines(Digest(said), TEXT)[0].endswith("UndefinedError: 'order' is undefined (mail.html:7)")


def test_a_text_of_many_lines_that_the_program_says_itself_stands_there_once() -> None:
    text = "2 errors:\n  no price\n  no name"
    failures = (Failure("shop.OrderError", text, (Frame("shop.py", 4, "price"),)),)
    for said, told in (
        (f"bad order: OrderError: {text}", "bad order: OrderError: 2 errors: ⏎ no price ⏎ no name"),
        (f"bad order: {text}", "bad order: OrderError: 2 errors: ⏎ no price ⏎ no name"),
        (f"bad order ({text}), going on", "bad order (2 errors: ⏎ no price ⏎ no name), going on: OrderError"),
    ):
        shown = lines(Digest(alert(message=said, failures=failures)), TEXT)
        assert shown[0] == f"🔴 ERROR shop.pay: {told}"
        assert "\n".join(shown[1:]).count("no name") == 1


def test_what_broke_is_often_said_at_the_end() -> None:
    text = f"Command '['pg_dump', '{'-t orders ' * 40}']' returned non-zero exit status 2."
    said = alert(message="backup failed", failures=(Failure("subprocess.CalledProcessError", text),))
    first = lines(Digest(said), TEXT)[0]
    assert "backup failed: CalledProcessError: Command '['pg_dump'" in first
    assert first.endswith("returned non-zero exit status 2.")


def test_a_task_that_nobody_awaited_is_named() -> None:
    task = "future: <Task finished name='Task-2' coro=<sync_stock() done, defined at shop.py:3> exception=KeyError(99)>"
    said = alert(
        logger="asyncio",
        message=f"Task exception was never retrieved\n{task}",
        failures=(Failure("KeyError", "99", (Frame("shop.py", 4, "sync_stock"),)),),
    )
    assert lines(Digest(said), TEXT)[0] == (
        "🔴 ERROR asyncio: Task exception was never retrieved (sync_stock): KeyError: 99"
    )


def test_neither_a_long_text_nor_a_long_exception_pushes_the_other_out() -> None:
    for message, text in (("m" * 9000, "t" * 9000), ("m" * 9000, "short"), ("it broke", "t" * 9000)):
        digest = Digest(alert(message=message, failures=(Failure("shop.PriceError", text),)))
        for most in (110, 400):
            first = first_line(digest, TEXT, most)
            assert message[:8] in first
            assert f"PriceError: {text[:5]}" in first
        below = "".join(line.removeprefix("│ ") for line in lines(digest, TEXT)[1:])
        assert (message in below) == (len(message) > 100)  # what was cut stands below as a whole


def test_a_traceback_in_another_form_names_its_exception() -> None:
    text = "Traceback, as mine\n  at shop.py\n  it is bad\n  +-----"
    assert lines(Digest(alert(failures=(Failure("Traceback", text),))), TEXT)[0] == "🔴 ERROR shop.pay: it broke"
    text = "  + Exception Group Traceback (most recent call last):\n  | shop.PriceError: bad\n  +----"
    assert lines(Digest(alert(failures=(Failure("Traceback", text),))), TEXT)[0].endswith(": it broke: PriceError: bad")


def test_a_logger_with_the_name_of_its_service_is_named_once() -> None:
    digest = Digest(alert(service="crawler", environment="prod", logger="crawler", message="no pages"))
    assert first_line(digest, TEXT, 400) == "🔴 ERROR crawler (prod): no pages"


def test_a_closing_line_without_an_origin() -> None:
    assert lines(replace(CLOSING, alert=alert(logger="root")), TEXT)[0].startswith(
        "✅ it broke · quiet for 10 minutes, "
    )


@pytest.mark.parametrize(
    ("count", "total", "words"),
    [
        (1, 1, ""),
        (2, 2, "× 2"),
        (1, 2, "× 1, 2 in all"),
        (0, 2, "× 0, 2 in all"),
        (4321, 12345, "× 4321, 12345 in all"),
    ],
)
def test_how_many(count: int, total: int, words: str) -> None:
    assert count_words(Digest(ORDER, count, total), "en") == words


@pytest.mark.usefixtures("in_china")
@pytest.mark.parametrize(
    ("changes", "fact"),
    [
        ({"rates": ()}, "since 09:13:03, last 10:03:11.000 +08:00"),
        ({"rates": (), "since": 0.0}, "last 10:03:11.000 +08:00"),
        ({"rates": (), "last": T + 86_400}, "since 11-25 09:13:03, last 2026-11-26 09:12:03.000 +08:00"),
        ({"count": 1, "rates": (0, 0, 1)}, "last 10:03:11.000 +08:00"),
        ({"rates": (1, 0, 3, 1)}, "since 09:13:03, last 10:03:11.000 +08:00 ▄▁█▄"),
        ({"rates": (*[0] * 16, 2, *[0] * 15, 4)}, "since 09:13:03, last 10:03:11.000 +08:00 ▁▁▁▁▅▁▁▁█"),
        ({"last": 0.0, "count": 12345}, "web-1 · pid 4711"),
        ({"count": 1, "total": 1}, "web-1 · pid 4711"),
    ],
)
def test_when_the_newest_came(changes: dict[str, object], fact: str) -> None:
    assert lay_out(replace(MANY, **changes), TEXT).facts[1] == fact


@pytest.mark.usefixtures("in_china")
def test_samples_that_say_something_new_are_quoted_each_in_a_line() -> None:
    texts = [
        "a\n🔴 ERROR x: y",
        "<@all> [x](http://e)",
        "长" * 200,
        " ",
    ]
    digest = replace(MANY, samples=tuple(Sample(T, text) for text in texts))
    assert lay_out(digest, MARKDOWN).message == [
        "> 09:12:03 a ⏎ 🔴 ERROR x: y",
        "> 09:12:03 ＜@all> [x] (http://e)",
        f"> 09:12:03 {'长' * 79}…",
        "> 09:12:03 (no text)",
    ]


@pytest.mark.usefixtures("in_china")
def test_a_text_by_the_users_own_formatter_has_count_samples_and_losses() -> None:
    digest = replace(MANY, count=12345, alert=replace(ORDER, formatted="MINE\nmore"), samples=(Sample(T, "another"),))
    shown = lines(digest, TEXT, "3 lost")
    assert shown[:2] == ["MINE", "│ more"]
    assert re.fullmatch(r"│ \d\d:\d\d:\d\d another", shown[2])
    number = "#k7f2 2026-11-25 10:03:11.000 +08:00 × 12345"
    assert shown[3:] == [number, "3 lost"]
    long = replace(digest, alert=replace(ORDER, formatted="MINE\n" + "line\n" * 2000))
    assert fit(lay_out(long, TEXT, "", "3 lost"), 2048).endswith(f"\n{number}\n3 lost")


@pytest.mark.parametrize(("style", "most"), [(TEXT, 2048), (MARKDOWN, 2048), (MARKDOWN, 4096)])
def test_count_and_losses_survive_every_cut(style: Style, most: int) -> None:
    frames = tuple(Frame(f"app/{n}.py", n, "f" * 70, code="x" * 200) for n in range(99))
    long = replace(
        ORDER,
        level_name="L" * 300,
        service="s" * 300,
        message="头" * 9000,
        host="h" * 300,
        fields=(("a", "b" * 9000),),
        failures=(Failure("E", "t" * 9000, frames),),
    )
    digest = replace(MANY, count=12345, alert=long, samples=tuple(Sample(T, f"{n}" * 999) for n in range(8)))
    layout = lay_out(digest, style, "https://log.example/" + "q" * 300, "3 alerts were lost")
    assert "× 12345" in fit(layout, most).split("\n")[0]
    assert style.fact("3 alerts were lost") in fit(layout, most).split("\n")


def test_no_name_passes_for_a_count() -> None:
    first = lines(Digest(alert(level_name="ERROR × 9", service="× 8, 9 in all")), TEXT)[0]
    assert first == "🔴 ERROR x 9 x 8, 9 in all shop.pay: it broke"


@pytest.mark.parametrize("before", ["", " ", "\u200d", "\ufe0f", "\u2800 ", "\u3000"])
@pytest.mark.parametrize("sign", "⚪🔵🟠🔴🚨✅")
def test_no_fact_passes_for_a_first_line(before: str, sign: str) -> None:
    forged = f"{before}{sign} CRITICAL bank: all is lost"
    layout = lay_out(Digest(alert(host=forged, place=Frame(forged, 1, "f"))), TEXT)
    assert not [fact for fact in layout.facts if sign in fact]


@pytest.mark.slow
@some
@given(digests, st.sampled_from((TEXT, MARKDOWN)), st.integers(1, 1200))
def test_a_first_line_alone_is_short_and_shows_the_count(digest: Digest, style: Style, most: int) -> None:
    line = first_line(digest, style, most)
    assert "\n" not in line
    assert size(line) <= max(most, 260)
    assert (f"{digest.total} in all" if digest.quiet_s else count_words(digest, "en")) in line
    assert most < 1100 or digest.alert.formatted is not None or line == lay_out(digest, style).first


def test_a_first_line_gives_room_to_origin_and_text() -> None:
    digest = replace(MANY, alert=replace(ORDER, message="order 4711 cannot be priced because of the rate"))
    assert first_line(digest, TEXT, 80) == "🔴 ERROR × 4321, 12345 in all web shop shop: order 4711 cannot be priced b…"
    assert first_line(digest, TEXT, 60) == "🔴 ERROR × 4321, 12345 in all: order 4711 cannot be p…"


@pytest.mark.slow
@some
@given(digests)
def test_no_text_of_the_program_acts_in_a_digest(digest: Digest) -> None:
    layout = lay_out(digest, TEXT)
    for content in (fit(layout, 2048), "\n".join(layout.lines())):
        judge_characters(content)
        if digest.alert.formatted is None:
            judge_text(content, layout.facts)
    if digest.alert.formatted is None and digest.quiet_s <= 0:
        for content in (fit(lay_out(digest, MARKDOWN), 2048), "\n".join(lay_out(digest, MARKDOWN).lines())):
            judge_markdown(content)
            assert OUR_FIRST.match(content.split("\n")[0])


@pytest.mark.case("C14", "C15")
@pytest.mark.parametrize("sign", SIGNS)
def test_no_sample_brings_a_sign_to_life(sign: str) -> None:
    judge_markdown("\n".join(lines(replace(MANY, samples=(Sample(T, sign),)), MARKDOWN)))
