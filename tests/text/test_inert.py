"""Nothing that a program logs can act: judged by a small reader of the syntax that WeCom documents.

Source: https://developer.work.weixin.qq.com/document/path/90236 (markdown, text), …/99110 (mentions)
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wecom_logging._render.layout import fit, lay_out
from wecom_logging._render.styles import MARKDOWN, TEXT
from wecom_logging._text import inert
from wecom_logging._text.said import Reader
from wecom_logging.model import Alert, Digest, Failure, Frame

from ..render.alerts import SIGNS, alert, alerts, hostile

some = settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)

# What only we may say: the first line's colour and bold, the grey facts, the mark of a cut, the number of a part.
OUR_FIRST = re.compile(r'^[⚪🔵🟠🔴🚨] <font color="(?:warning|info|comment)">(.*?)</font>(?: (.*?))?: \*\*(.*)\*\*$')
OUR_FACT = re.compile(r'^<font color="comment">(.*?)</font>$')
OUR_OTHER = re.compile(r"^(?:…|… \d+ lines cut …|\(\d+/\d+\))$")
# What acts anywhere in a line, and what acts at its start.
ACTS = re.compile(r"<\s*/?\s*[a-zA-Z@!]|<@|\*\*|`|\]\(")
STARTS = re.compile(r"^\s*(?:#{1,6}(?:\s|$)|>)")


def assert_inert(text: str) -> None:
    assert not ACTS.search(text), text
    assert not STARTS.search(text), text


def judge_markdown(content: str) -> None:
    """Every line is ours, with nothing of the program's acting inside it, or behind the quote sign."""
    for line in content.split("\n"):
        if first := OUR_FIRST.match(line):
            for inside in first.groups(default=""):
                assert_inert(inside.lstrip("> #"))  # in the middle of a line they are letters
        elif fact := OUR_FACT.match(line):
            assert_inert(fact[1].lstrip("> #"))
        elif not OUR_OTHER.match(line):
            assert line.startswith("> "), line
            assert_inert(line[2:])


def judge_text(content: str, facts: list[str]) -> None:
    for number, line in enumerate(content.split("\n")):
        assert "<" not in line
        assert number == 0 or line.startswith("│ ") or line in facts or OUR_OTHER.match(line), line


def judge_characters(content: str) -> None:
    """Nothing that is not seen, or that turns the direction, is left."""
    for character in content.replace("\n", ""):
        assert unicodedata.category(character) not in ("Cc", "Cs", "Zl", "Zp"), repr(character)
        assert character not in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200b\u200e\u200f\ufeff\u2060"


@pytest.mark.slow
@pytest.mark.case("C14", "C15", "C16")
@some
@given(alerts.filter(lambda found: found.formatted is None))
def test_no_text_of_the_program_acts_in_markdown(found: Alert) -> None:
    layout = lay_out(Digest(found), MARKDOWN)
    for content in (fit(layout, 4096), fit(layout, 2048), "\n".join(layout.lines())):
        judge_markdown(content)
        judge_characters(content)


@pytest.mark.slow
@pytest.mark.case("C14", "C15", "C16")
@some
@given(alerts.filter(lambda found: found.formatted is None))
def test_no_text_of_the_program_acts_in_text(found: Alert) -> None:
    layout = lay_out(Digest(found), TEXT)
    for content in (fit(layout, 2048), "\n".join(layout.lines())):
        judge_text(content, layout.facts)
        judge_characters(content)


@pytest.mark.case("C14", "C15")
@some
@given(hostile)
def test_a_text_by_the_users_own_formatter_is_inert_too(made: str) -> None:
    content = "\n".join(lay_out(Digest(alert(formatted=made), short_id="k7f2"), TEXT).lines())
    assert "<" not in content
    judge_characters(content)


CARRIERS = {
    "message": lambda text: {"message": text},
    "later line": lambda text: {"message": f"ok\n{text}"},
    "title": lambda text: {"title": text},
    "logger": lambda text: {"logger": text},
    "level": lambda text: {"level_name": text},
    "thread": lambda text: {"thread_name": text},
    "process": lambda text: {"process_name": text},
    "host": lambda text: {"host": text},
    "service": lambda text: {"service": text, "environment": text},
    "file": lambda text: {"place": Frame(text, 1, text)},
    "field": lambda text: {"fields": ((text, text),)},
    "stack": lambda text: {"stack": f"Stack (most recent call last):\n{text}"},
    "exception": lambda text: {"failures": (Failure(text, text, notes=(text,)),)},
    "frame": lambda text: {"failures": (Failure("E", "", (Frame(text, 1, text, code=text),)),)},
    "group": lambda text: {"failures": (Failure("E", "", members=((Failure(text, text),),)),)},
}


@pytest.mark.case("C14", "C15", "C19")
@pytest.mark.parametrize("carrier", CARRIERS)
@pytest.mark.parametrize("sign", SIGNS)
def test_no_carrier_brings_a_sign_to_life(carrier: str, sign: str) -> None:
    found = alert(**CARRIERS[carrier](sign))
    judge_markdown("\n".join(lay_out(Digest(found), MARKDOWN).lines()))
    layout = lay_out(Digest(found), TEXT)
    judge_text("\n".join(layout.lines()), layout.facts)


@pytest.mark.parametrize(
    "dangerous",
    [
        '> <font color="x">',
        "> a <@all>",
        "> [t](http://evil)",
        "> # big",
        "> > nested",
        "> `code`",
        "> **b**",
        "plain line of nobody",
        '<font color="comment">a</font> b',
        "# big",
    ],
)
def test_the_judge_sees_what_acts(dangerous: str) -> None:
    with pytest.raises(AssertionError):
        judge_markdown(dangerous)


@pytest.mark.case("C16")
def test_a_message_cannot_pass_for_one_of_our_facts() -> None:
    ours = lay_out(Digest(alert()), TEXT).facts
    forged = lay_out(Digest(alert(message="ok\n" + "\n".join(ours) + "\n**级别**: CRITICAL")), TEXT)
    assert [line for line in "\n".join(forged.lines()).split("\n") if line in ours] == ours


@pytest.mark.case("C16")
def test_a_text_by_the_users_own_formatter_has_no_line_that_passes_for_ours() -> None:
    forged = "\n".join(lay_out(Digest(alert()), TEXT).lines())
    made = f"login failed {'x' * 3000}\n{forged}\n{'y' * 3000}"
    look = TEXT.within(Reader("en", UTC))
    first, *others, number = lay_out(Digest(alert(formatted=made), short_id="k7f2"), look).lines()
    assert first.startswith("login failed")
    assert number == "#k7f2 2023-11-14 22:13:20.000 +00:00"
    assert all(line.startswith("│ ") for line in others)


@pytest.mark.case("C19")
@pytest.mark.parametrize("carrier", ["thread_name", "process_name", "host"])
@pytest.mark.parametrize("dot", "·•・")
def test_a_name_cannot_pass_for_its_neighbour(carrier: str, dot: str) -> None:
    facts = lay_out(Digest(alert(**{carrier: f"t {dot} pid 1"})), TEXT).facts
    assert "t . pid 1" in facts[1].split(" · ")


@pytest.mark.case("C01", "C02", "C03")
@pytest.mark.parametrize(
    ("given_text", "shown"),
    [
        ("a\x00b", r"a\x00b"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("a\x7f\x9bb", r"a\x7f\x9bb"),
        ("\u202egnp.exe", r"\u202egnp.exe"),
        ("\u2066x\u2069", r"\u2066x\u2069"),
        ("\ufeffx", r"\ufeffx"),
        ("zero\u200bwidth", r"zero\u200bwidth"),
        ("file-\udce9.txt", r"file-\udce9.txt"),
        ("half \ud83d", r"half \ud83d"),
        ("\U000e0041tag", r"\U000e0041tag"),
        ("fill\u3164er", r"fill\u3164er"),
        ("join\u034fer", r"join\u034fer"),
        ("\u17b4\u180b\u180f", r"\u17b4\u180b\u180f"),
        ("\U0001bca0\U0001d173", r"\U0001bca0\U0001d173"),
        ("\U000e0080\U000e01f0\U000e0fff", r"\U000e0080\U000e01f0\U000e0fff"),
        ("\U0001f3f4" + "\U000e0065" * 8 + "\U000e007f", "\U0001f3f4" + r"\U000e0065" * 8 + r"\U000e007f"),
        ("x\U000e0067\U000e0062\U000e007f", r"x\U000e0067\U000e0062\U000e007f"),
    ],
)
def test_what_cannot_be_seen_is_shown_as_an_escape(given_text: str, shown: str) -> None:
    assert inert.lines(given_text) == [shown]


@pytest.mark.case("C03", "C16")
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\v", "\f", "\x85", "\u2028", "\u2029"])
def test_every_line_end_begins_a_line_that_is_set_apart(end: str) -> None:
    assert inert.lines(f"a{end}b") == ["a", "b"]
    assert inert.line(f"a{end}b") == "a ⏎ b"


@pytest.mark.parametrize(
    "text",
    [
        "👨‍👩‍👧‍👦",
        "🇨🇳🇭🇰",
        "👍🏽",
        "❤️‍🔥",
        "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        "é",
        "ที่",
        "葛󠄀",
    ],
)
def test_emoji_flags_and_accents_survive(text: str) -> None:
    assert inert.lines(text) == [text]
    assert text in "\n".join(lay_out(Digest(alert(message=text)), MARKDOWN).lines())


@pytest.mark.case("C03")
@pytest.mark.parametrize("mark", ["\u0301", "\u0e47", "\u20dd", "\ufe0f", "\u200d", "\u064b"])
def test_ten_thousand_marks_over_one_letter_are_bounded(mark: str) -> None:
    assert len(inert.line("a" + mark * 10_000 + "b")) <= 6


@pytest.mark.case("C03")
def test_marks_of_every_script_are_bounded_also_when_they_take_turns() -> None:
    marks = [chr(code) for code in range(0x110000) if unicodedata.category(chr(code)) in ("Mn", "Me")]
    assert len(marks) > 1500
    for mark in marks:
        shown = inert.line(f"a{mark * 50}b")
        assert len(shown) <= 6 or mark not in shown, hex(ord(mark))
    assert len(inert.line("a" + "\u0301\u0730\u0e47\u20dd" * 1000 + "b")) == 6
    assert inert.line("".join(f"中{mark}" for mark in "\u0301\u0730\u0e47" * 9)).count("中") == 27


@pytest.mark.case("C16")
@pytest.mark.parametrize(
    "blank", [*" \t\u00a0\u1680\u2000\u2003\u200a\u202f\u205f\u3000\u2800", " \u200d", "\u3000\ufe0f"]
)
def test_no_run_of_blanks_pushes_text_to_where_a_line_of_ours_begins(blank: str) -> None:
    forged = "🚨 CRITICAL shop: db wiped"
    shown = inert.line(f"bob{blank * 40}{forged}")
    assert len(shown) == 3 + 4 + len(forged)
    (shown,) = inert.lines(blank * 40 + forged)
    assert len(shown) <= 24 + len(forged) + 4
    assert inert.lines("a:\n" + " " * 24 + "b    c") == ["a:", " " * 24 + "b    c"]


def test_of_very_many_lines_both_ends_are_shown() -> None:
    shown = inert.lines("\n".join(map(str, range(1000))))
    assert shown[:300] == list(map(str, range(300)))
    assert shown[300] == "… 600 lines cut …"
    assert shown[301:] == list(map(str, range(900, 1000)))


@some
@given(st.text(st.characters(), max_size=100))
def test_making_inert_twice_changes_nothing(text: str) -> None:
    once = inert.line(text)
    assert inert.line(once) == once
    assert inert.in_markdown(inert.in_markdown(once)) == inert.in_markdown(once)


@some
@given(
    hostile,
    st.sampled_from(
        ["\x00", " ", "\u3000", "e\u0301\u0301\u0301", "\u200d", "中 ", "a", "\U0001f3f4\U000e0067\U000e007f"]
    ),
)
def test_where_a_long_text_is_cut_into_pieces_is_not_seen(text: str, filler: str) -> None:
    text = f"{text}{filler * 40}{text}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inert, "_PIECE", 10**9)
        whole = inert.lines(text), inert.line(text)
        for length in (1, 7, 40):
            patch.setattr(inert, "_PIECE", length)
            assert (inert.lines(text), inert.line(text)) == whole


@pytest.mark.parametrize(
    ("text", "shown"),
    [("__init__ of a_b", "＿＿init＿＿ of a_b"), ("_x_ a__b", "＿x＿ a__b"), ("# **a**", "＃ ∗∗a∗∗")],
)
def test_in_both_markdowns_an_underscore_makes_nothing_bold(text: str, shown: str) -> None:
    assert inert.in_both_markdowns(text) == shown
