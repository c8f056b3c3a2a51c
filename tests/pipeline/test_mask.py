"""Every text of an alert goes through the mask."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Callable
from dataclasses import fields as fields_of
from dataclasses import replace
from urllib.parse import quote

import pytest

from wecom_logging._masking.redact import MASK, masker, redact, redact_personal
from wecom_logging._render.layout import lay_out
from wecom_logging._render.mask import masked, slim
from wecom_logging._render.styles import MARKDOWN, TEXT
from wecom_logging.model import Alert, Digest, Failure, Frame
from wecom_logging.redaction import redactor

from ..programs import thread_seconds
from ..render.alerts import alert

CANARY = "Zk9vQ2canaryX7w"
SECRET = f"password={CANARY}"


NO_TEXT = {"id", "kind"}
"""Made here: a number and a digest."""


def full(text: str) -> Alert:
    """An alert with it in each of its texts, also in those that somebody adds."""
    frame = Frame(f"/srv/{text}/pay.py", 1, "charge", code=f"connect('{text}')")
    member = Failure("E", text, (frame,), notes=(text,))
    texts = {field.name for field in fields_of(Alert) if field.type in ("str", "str | None")} - NO_TEXT
    return alert(
        **dict.fromkeys(texts, text),
        fields=((text, "x"), ("x", text)),
        failures=(replace(member, members=((member,),)),),
        place=frame,
        ours=(text,),
    )


@pytest.mark.case("C17")
def test_no_text_of_an_alert_is_forgotten() -> None:
    found = masked(full(SECRET), redact)
    assert CANARY not in repr(found)
    for formatted in (found.formatted, None):
        for style in (TEXT, MARKDOWN):
            assert CANARY not in "\n".join(lay_out(Digest(replace(found, formatted=formatted)), style).lines())


@pytest.mark.case("C17")
@pytest.mark.parametrize("name", ["password", "db_password", "token", "Authorization", "api_key", "密码"])
@pytest.mark.parametrize("value", [CANARY, f"Secret('{CANARY}', x)", f"two words {CANARY}", f"{{'a': '{CANARY}'}}", ""])
def test_a_field_whose_name_says_secret_shows_nothing_of_its_value(name: str, value: str) -> None:
    assert masked(alert(fields=((name, value),)), redact).fields == ((name, MASK),)


def test_a_secret_in_the_name_of_a_field_is_masked() -> None:
    assert masked(alert(fields=((f"pwd={CANARY}&user=bob", "x"),)), redact).fields[0][0] == "pwd=***&user=bob"


def test_other_fields_stay_as_they_are() -> None:
    fields = (("order", "42"), ("tokens", "512"), ("a=b", "c"), ("url", "https://x/?a=1"))
    assert masked(alert(fields=fields), redact).fields == fields


def test_a_mask_that_hides_everything_hides_the_fields_too() -> None:
    found = masked(alert(fields=((CANARY, CANARY),), message=CANARY), lambda text: "(hidden)")
    assert CANARY not in repr(found)


def test_a_redact_that_changes_names_alone_hides_no_value() -> None:
    changed = masked(alert(fields=(("amount", "88.00"),)), lambda text: text.replace("amount", "sum"))
    assert changed.fields[0][1] == "88.00"


# What later digests show.


def own(number: int) -> Frame:
    return Frame("shop/pay.py", number, f"own{number}", code="go()")


def deep(number: int) -> Frame:
    return Frame("/usr/lib/python3/site-packages/orm/deep.py", number, "deep", own=False)


def test_later_digests_keep_the_frames_of_the_program() -> None:
    frames = (deep(1), own(2), own(3), *(deep(number) for number in range(4, 40)), own(40), deep(41), deep(42))
    (failure,) = slim(alert(failures=(Failure("E", "x", frames),))).failures
    assert [frame.line for frame in failure.frames] == [2, 3, 37, 38, 39, 40, 41, 42]
    assert (failure.omitted, failure.head) == (34, 2)
    lines = lay_out(Digest(alert(failures=(failure,))), TEXT).lines()
    at = [next(n for n, line in enumerate(lines) if words in line) for words in ("own2", "own3", "34 ", "own40", ":42")]
    assert at == sorted(at)


@pytest.mark.parametrize(
    ("frames", "omitted", "head", "found"),
    [
        ((), 0, 0, ([], 0, 0)),
        ((own(1), own(2)), 0, 0, ([1, 2], 0, 0)),
        ((own(1), own(2)), 5, 1, ([1, 2], 5, 1)),
        ((own(1), own(2)), 5, 0, ([1, 2], 5, 0)),
        (tuple(map(own, range(1, 13))), 0, 0, ([5, 6, 7, 8, 9, 10, 11, 12], 4, 0)),
        (tuple(map(own, range(1, 13))), 7, 3, ([5, 6, 7, 8, 9, 10, 11, 12], 11, 0)),
        ((own(1), *map(deep, range(2, 60))), 9, 16, ([1, 53, 54, 55, 56, 57, 58, 59], 60, 1)),
    ],
)
def test_what_is_left_out_of_later_digests_is_counted(
    frames: tuple[Frame, ...], omitted: int, head: int, found: tuple[list[int], int, int]
) -> None:
    (failure,) = slim(alert(failures=(Failure("E", "x", frames, omitted, head),))).failures
    assert ([frame.line for frame in failure.frames], failure.omitted, failure.head) == found


def test_the_first_line_of_a_later_digest_says_the_same() -> None:
    root = Failure("TimeoutError", "10 s", (own(1),), link="cause")
    between = Failure("OSError", "away", (own(2),), link="cause")
    members = ((Failure("KeyError", "'x'", (own(3),)),), (root, between, Failure("ValueError", "bad", (own(4),))))
    for failures in (
        (root, between, Failure("ImportError", "no price", (own(5),))),
        (root, between, replace(between, notes=("GET http://shop:8",)), Failure("ImportError", "no price", (own(5),))),
        (Failure("KeyError", "'y'", link="context"), Failure("ValueError", "no price", (own(5),))),
        (Failure("ExceptionGroup", "many (2 sub-exceptions)", (own(5),), members=members),),
        (),
    ):
        whole = alert(message="job failed", failures=failures)
        assert lay_out(Digest(slim(whole)), TEXT).lines()[0] == lay_out(Digest(whole), TEXT).lines()[0]
    (group,) = slim(alert(failures=(Failure("ExceptionGroup", "many (2 sub-exceptions)", members=members),))).failures
    assert [[(one.type, one.frames) for one in chain] for chain in group.members] == [
        [("KeyError", ())],
        [("TimeoutError", ()), ("ValueError", ())],
    ]


# What is hidden once is hidden everywhere in an alert.

SAID = "Zk9vQ2x!canary'\"7"


@pytest.mark.case("C17")
@pytest.mark.parametrize(
    "form",
    [
        str,
        quote,
        lambda value: quote(value, safe=""),
        lambda value: json.dumps(value)[1:-1],
        lambda value: repr(value)[1:-1],
        lambda value: b64encode(value.encode()).decode(),
        lambda value: b64encode(f"bob:{value}".encode()).decode(),
        lambda value: b64encode(f"ab{value}cd".encode()).decode(),
    ],
    ids=["as it is", "quote", "percent", "json", "repr", "base64", "base64 behind 4", "base64 behind 2"],
)
@pytest.mark.parametrize(
    "mask", [redact, masker([], redact), redact_personal, redactor(["shop_door"]), lambda text: redact(text)]
)
def test_what_is_hidden_once_is_hidden_in_all_texts_of_the_alert(
    mask: Callable[[str], str], form: Callable[[str], str]
) -> None:
    again = f"got {form(SAID)} here"
    frame = Frame("/srv/pay.py", 1, "charge", code=f"f({again!r})")
    found = masked(
        alert(
            message=again,
            fields=(("password", SAID), ("seen", again)),
            failures=(Failure("E", again, (frame,), notes=(again,)),),
            formatted=again,
            stack=again,
        ),
        mask,
    )
    assert found.fields[0] == ("password", MASK)
    assert form(SAID)[4:-4] not in repr(found)
    assert found.message.startswith("got ")
    assert found.message.endswith(" here")


def test_what_a_pattern_of_the_user_hides_is_hidden_again_too() -> None:
    mask = redactor([re.compile(r"(?<=PIN )\w+")])
    found = masked(alert(message="PIN zisykg4135", fields=(("x", "got zisykg4135"),)), mask)
    assert (found.message, found.fields) == ("PIN ***", (("x", "got ***"),))


def test_words_and_short_values_are_hidden_where_their_name_stands_alone() -> None:
    for value in ("swordfish", "ab12", "4711", "2026-11-29", "/srv/shop/pay.py", "configuration"):
        found = masked(alert(message=f"see {value} now", fields=(("password", value),)), redact)
        assert (found.message, found.fields) == (f"see {value} now", (("password", MASK),))


def test_a_function_that_is_none_of_ours_hides_what_it_finds_and_no_more() -> None:
    found = masked(alert(message=CANARY, fields=(("x", f"<{CANARY}>"),)), lambda text: text.replace(f"<{CANARY}>", "-"))
    assert (found.message, found.fields) == (CANARY, (("x", "-"),))


@pytest.mark.slow
def test_many_hidden_values_take_linear_work() -> None:
    def work(pairs: int) -> float:
        text = " ".join(f"password=Zk{number}x{number * 7919}" for number in range(pairs))
        one = alert(message=text, formatted=text)
        return min(thread_seconds(lambda: masked(one, redact)) for _ in range(3))

    assert work(6000) < 12 * work(1500) + 0.001
