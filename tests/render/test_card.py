"""An AI bot's card: what a person did is in its title, within the characters that WeCom shows of it."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from wecom_logging._render.card import NAME, TITLE, VALUE, card
from wecom_logging._render.times import local_time
from wecom_logging._render.words import CARD_PLACE, LAST
from wecom_logging._text.said import Language
from wecom_logging.model import Answer, Digest, Frame
from wecom_logging.model.alert import OVER, VERBS

from .alerts import alert

AT = datetime(2026, 11, 25, 10, 31, 20).timestamp()  # on the wall of this machine
FROM, TO = (f"{local_time(at, 'en'):%H:%M}" for at in (AT, AT + 7200))
OPEN = Digest(alert(logger="shop", message="the disk is full", time=AT - 600), count=1, total=1, short_id="k7f2")


def made(verb: str, language: Language, who: str = "Li", **changes: Any) -> dict[str, Any]:
    answer = Answer(verb, who, "here", AT, 7200.0 if verb in ("silenced", OVER) else 0.0, 1)
    return card(replace(OPEN, answer=answer, **changes), language, AT, in_force="")


@pytest.mark.parametrize(
    ("verb", "en", "zh"),
    [
        ("taken", f"#k7f2 · taken {FROM}, Li", f"#k7f2 · Li {FROM} 认领"),
        ("silenced", f"#k7f2 · quiet to {TO}, Li", f"#k7f2 · Li 静默至 {TO}"),
        ("done", f"#k7f2 · closed {FROM}, Li", f"#k7f2 · Li {FROM} 关闭"),
        ("returned", f"#k7f2 · given back {FROM}", f"#k7f2 · Li {FROM} 取消认领"),
        (OVER, f"#k7f2 · quiet over {TO}", f"#k7f2 · Li {TO} 静默结束"),
    ],
)
def test_a_title_says_what_is_so_then_who(verb: str, en: str, zh: str) -> None:
    assert made(verb, "en")["main_title"]["title"] == en
    assert made(verb, "zh")["main_title"]["title"] == zh


@pytest.mark.parametrize("days", [1, 2])
def test_a_silence_that_ends_on_another_day_says_which(days: int) -> None:
    answer = Answer("silenced", "Li", "here", AT, days * 86_400.0, 1)
    date = f"{local_time(answer.until, 'en'):%m-%d %H:%M}"
    for language, title in (("en", f"quiet to {date}"), ("zh", f"Li 静默至 {date}")):
        body = card(replace(OPEN, answer=answer), language, AT)
        assert body["main_title"]["title"].removeprefix("#k7f2 · ").removesuffix(", Li") == title
        assert "#k7f2" in body["main_title"]["desc"]


@pytest.mark.parametrize("verb", [*VERBS, OVER])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_long_name_leaves_the_state_and_its_time_whole(verb: str, language: Language) -> None:
    who = "sandbox-user@example.com"
    for short_id in ("k7f2", "k7f2ab"):
        for later in (0.0, 86_400.0):  # yesterday's has a date
            body = made(verb, language, who, short_id=short_id, told_at=AT + later)
            title = body["main_title"]["title"]
            assert len(title) <= TITLE
            assert (TO if verb in ("silenced", OVER) else FROM) in title
    row = body["horizontal_content_list"][0]
    assert row["value"] == who
    assert len(row["keyname"]) <= NAME
    assert len(row["value"]) <= VALUE
    assert body["sub_title_text"] == "the disk is full"


@pytest.mark.parametrize(
    ("place", "shown"),
    [
        (Frame("app/pay.py", 88, "charge"), ["app/pay.py:88 in charge"]),
        (Frame("pay.py", 8, "<module>"), ["pay.py:8 in 〈module〉"]),  # as messages have it
        (Frame("", 0, ""), []),
    ],
)
def test_a_record_that_was_logged_nowhere_has_no_place(place: Frame, shown: list[str]) -> None:
    body = card(replace(OPEN, alert=alert(place=place)), "en", AT, in_force="")
    assert [row["value"] for row in body["horizontal_content_list"] if row["keyname"] == CARD_PLACE.en] == shown


def told(verb: str, length_s: float, ago_s: float) -> dict[str, Any]:
    """The card of a digest, of what a person did something with so long ago."""
    answer = Answer(verb, "Li", "here", AT, length_s, 1)
    return card(replace(OPEN, answer=answer, told_at=AT + ago_s), "en", AT, lengths=("1h",))


def buttons(body: dict[str, Any]) -> list[str]:
    return [one["text"] for one in body["button_list"]]


def test_what_was_closed_and_comes_again_has_the_card_of_a_new_one() -> None:
    body, new = told("done", 0.0, 600.0), card(OPEN, "en", AT, lengths=("1h",))
    assert body["main_title"] == new["main_title"]
    assert buttons(body) == buttons(new) == ["I take it", "Quiet", "Details"]
    assert body["button_selection"] == new["button_selection"]
    assert re.fullmatch(r"closed \d\d:\d\d, Li", body["horizontal_content_list"][0]["value"])
    assert body["horizontal_content_list"][0]["keyname"] == "was"
    assert made("done", "zh")["horizontal_content_list"][0]["keyname"] == "操作人"
    answer = Answer("done", "李四", "here", AT, 0.0, 1)
    assert card(replace(OPEN, answer=answer), "zh", AT)["horizontal_content_list"][0]["keyname"] == "上次处理"


@pytest.mark.parametrize(("language", "counts"), [("en", "× 312, 4321 in all"), ("zh", "× 312，累计 4321 次")])
def test_the_counts_are_whole_also_where_nothing_came_for_a_while(language: Language, counts: str) -> None:
    digest = replace(OPEN, count=312, total=4321, has_stopped=True, last=AT - 90)
    body = card(digest, language, AT)
    assert body["main_title"]["desc"].endswith(f" {counts}")
    rows = {row["keyname"]: row["value"] for row in body["horizontal_content_list"]}
    assert rows[LAST.within(language)].startswith(f"{local_time(AT - 90, language):%m-%d %H:%M:%S} ")


@pytest.mark.parametrize(("verb", "ended"), [("taken", "claim over"), ("silenced", "quiet over")])
def test_what_a_person_had_for_a_time_that_is_over_anybody_may_take(verb: str, ended: str) -> None:
    assert "I take it" in buttons(told(verb, 1800.0, 1800.0))
    assert f" · {ended} " in told(verb, 1800.0, 1800.0)["main_title"]["title"]
    assert "Undo" in buttons(told(verb, 1800.0, 60.0))  # at the exit it is told before


@pytest.mark.parametrize("language", ["en", "zh"])
def test_how_often_it_came_again_is_whole(language: Language) -> None:
    for times_since, en, zh in (
        (AT - 60, "2nd time today", "今天第 12 次"),
        (AT - 86_400 * 3, "12th since", "起第 12 次"),
    ):
        digest = replace(OPEN, times=2 if "2nd" in en and language == "en" else 12, times_since=times_since, last=AT)
        body = card(digest, language, AT)
        assert not body["main_title"]["desc"].endswith("…")
        (said,) = [row["value"] for row in body["horizontal_content_list"] if row["keyname"] in ("times", "次数")]
        assert {"en": en, "zh": zh}[language] in said
