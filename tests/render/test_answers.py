"""What a person did with an incident, in a message of its own and in a digest, in both languages."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from wecom_logging._delivery.message_builder import Composer
from wecom_logging._render.card import card
from wecom_logging._render.layout import fit, lay_out
from wecom_logging._render.styles import MARKDOWN, TEXT
from wecom_logging._render.times import local_time
from wecom_logging._text.said import Language
from wecom_logging.model import Answer, Digest, Text
from wecom_logging.model.alert import BY_RUN, DONE, OVER, VERBS, Escalation, RunEnd

from ..storms import Recorder
from .alerts import alert

AT = datetime(2026, 11, 25, 10, 31, 20).timestamp()  # on the wall of this machine
FROM, TO = (f"{local_time(at, 'en'):%H:%M}" for at in (AT, AT + 7200))
ALERT = alert(logger="shop", message="disk full", time=AT - 600)
TOLD = Digest(ALERT, count=312, total=12345, last=AT - 5, short_id="k7f2", told_at=AT + 3600, answered_count=312)

NEWS: dict[str, tuple[str, str]] = {
    "taken": (
        f"✋ shop: #k7f2 taken by Li {FROM}, quiet until {TO}",
        f"✋ shop: #k7f2 Li 于 {FROM} 认领，{TO} 前不再提醒",
    ),
    "silenced": (f"✋ shop: #k7f2 silenced by Li {FROM}, until {TO}", f"✋ shop: #k7f2 Li 于 {FROM} 静默至 {TO}"),
    "done": (f"✅ shop: #k7f2 closed by Li {FROM}", f"✅ shop: #k7f2 Li 于 {FROM} 关闭"),
    "returned": (
        f"✋ shop: #k7f2 given back by Li {FROM}; nobody has it now",
        f"✋ shop: #k7f2 Li 于 {FROM} 取消认领；现无人处理",
    ),
    "resumed": (
        f"✋ shop: #k7f2 unsilenced by Li {FROM}; nobody has it now",
        f"✋ shop: #k7f2 Li 于 {FROM} 取消静默；现无人处理",
    ),
    "reopened": (
        f"✋ shop: #k7f2 opened again by Li {FROM}; nobody has it now",
        f"✋ shop: #k7f2 Li 于 {FROM} 重新打开；现无人处理",
    ),
    "escalated": (f"⏫ shop: #k7f2 → Li {FROM}", f"⏫ shop: #k7f2 → Li {FROM}"),
    OVER: (
        f"✅ shop: #k7f2 silenced by Li, {FROM} to {TO}: nothing came",
        f"✅ shop: #k7f2 Li 静默期间（{FROM} 至 {TO}）未再出现",
    ),
}
FACTS: dict[str, tuple[str, str]] = {
    "taken": ("taken by Li 1 hour ago, × 312 since", "Li 于 1 小时前认领，此后 × 312"),
    "silenced": (f"silenced by Li, {FROM} to {TO}: × 312", f"Li 静默期间（{FROM} 至 {TO}）× 312"),
    "done": ("closed by Li 1 hour ago, and came again", "Li 于 1 小时前关闭，再次出现"),
}


def answer(verb: str, who: str = "Li") -> Answer:
    length_s = 7200.0 if verb in ("taken", "silenced", OVER) else 0.0
    return Answer(verb, who, "" if verb == "escalated" else "here", AT, length_s, 12033)


def text(digest: Digest, language: Language = "en") -> str:
    return fit(lay_out(digest, TEXT.within(language)), 2048)


@pytest.mark.parametrize(
    ("ended", "en", "zh"),
    [
        (
            {"who": "Li", "job": "x"},
            "🚫 shop: #k7f2 Li stopped watching job x {}",
            "🚫 shop: #k7f2 Li 于 {} 停止监视任务“x”",
        ),
        ({"where": BY_RUN}, "✅ shop: #k7f2 ran again {}", "✅ shop: #k7f2 {} 已再次运行"),
        (
            {"where": BY_RUN, "run": RunEnd(has_failed=True)},
            "🟠 shop: #k7f2 ran again {}, and failed",
            "🟠 shop: #k7f2 {} 已再次运行，但失败了",
        ),
        (
            {"where": BY_RUN, "run": RunEnd(began=AT, took_s=3725, most_s=1800)},
            "✅ shop: #k7f2 the run of {} has ended, 1 h 2 min (at most 30 min)",
            "✅ shop: #k7f2 {} 开始的运行已结束，耗时 1 小时 2 分（最长 30 分钟）",
        ),
    ],
)
def test_a_line_says_how_the_waiting_for_a_job_has_ended(ended: dict[str, Any], en: str, zh: str) -> None:
    done = Answer(DONE, **{"who": "x", "where": "here", "at": AT, **ended})
    for said, language in ((en, "en"), (zh, "zh")):
        assert text(replace(TOLD, answer=done, is_news=True), language).split("\n")[0] == said.format(FROM)


@pytest.mark.parametrize("verb", [*VERBS, OVER])
def test_a_line_says_who_did_what_and_how_often_it_came(verb: str) -> None:
    for place, language in enumerate(("en", "zh")):
        first, quoted, number = text(replace(TOLD, answer=answer(verb), is_news=True), language).split("\n")
        assert (first, quoted) == (NEWS[verb][place], "│ disk full")
        assert number.startswith(f"#k7f2 {local_time(AT, 'en'):%Y-%m-%d %H:%M}")
        assert number.endswith(("× 312, 12345 in all", "× 312，累计 12345 次")[place])
    none = replace(TOLD, count=0, answer=answer(verb), is_news=True)
    assert text(none).endswith(" 12345 in all")
    assert text(none, "zh").endswith(" 累计 12345 次")


@pytest.mark.parametrize(
    ("verb", "en", "zh"),
    [
        ("returned", f"claim of 张三 undone by 李四 {FROM}", f"李四于 {FROM} 取消了张三的认领"),
        ("resumed", f"silence of 张三 undone by 李四 {FROM}", f"李四于 {FROM} 取消了张三的静默"),
    ],
)
def test_who_undoes_what_another_has_done_is_not_told_as_if_it_were_his(verb: str, en: str, zh: str) -> None:
    told = replace(TOLD, answer=replace(answer(verb), who="李四", whose="张三"), is_news=True)
    assert text(told).startswith(f"✋ shop: #k7f2 {en}; nobody has it now\n")
    assert text(told, "zh").startswith(f"✋ shop: #k7f2 {zh}；现无人处理\n")
    back = replace(told, back=replace(answer("taken"), who="王五"))
    assert text(back, "zh").startswith(f"✋ shop: #k7f2 {zh}；当前处理人：王五\n")


@pytest.mark.parametrize("verb", sorted(FACTS))
def test_a_digest_says_who_did_what_how_long_ago(verb: str) -> None:
    told = replace(TOLD, answer=answer(verb), total=12345 if verb != "done" else 312)
    for place, language in enumerate(("en", "zh")):
        assert f"\n{FACTS[verb][place]}\n" in text(told, language)
    formatted = replace(told, alert=replace(ALERT, formatted="12:00 disk full"))
    assert f"\n{FACTS[verb][0]}" in text(formatted)
    closing = replace(told, quiet_s=600.0)
    assert text(closing).endswith(f"\n{FACTS[verb][0]}")


def test_a_digest_after_a_silence_in_which_nothing_came_says_so() -> None:
    told = replace(TOLD, count=4, answer=answer("silenced"), answered_count=0)
    assert f"\nsilenced by Li, {FROM} to {TO}: nothing came\n" in text(told)


def test_in_markdown_it_says_the_same() -> None:
    layout = lay_out(replace(TOLD, answer=answer("taken"), is_news=True), MARKDOWN)
    assert layout.first == f'✋ shop: <font color="info">#k7f2 taken by Li {FROM}, quiet until {TO}</font>'


def test_what_was_closed_before_anybody_was_told_says_when() -> None:
    told = replace(TOLD, count=3, total=3, answer=answer("done"), answered_count=0)
    assert f"\nclosed by Li {FROM}\n" in text(told)


def test_a_claim_that_is_over_is_said_to_be() -> None:
    told = replace(TOLD, answer=answer("taken"), told_at=AT + 7200)
    assert "\ntaken by Li 2 hours ago (claim over), × 312 since\n" in text(told)
    assert "\nLi 于 2 小时前认领（已到期），此后 × 312\n" in text(told, "zh")


def test_another_day_is_said_with_its_date() -> None:
    told = replace(TOLD, answer=answer("taken"), told_at=AT + 30 * 3600, is_news=True)
    began, until = (f"{local_time(at, 'en'):%m-%d %H:%M}" for at in (AT, AT + 7200))
    assert text(told).startswith(f"✋ shop: #k7f2 taken by Li {began}, quiet until {until}\n")


def test_a_silence_of_another_day_is_said_with_its_date() -> None:
    told = replace(TOLD, answer=answer("silenced"), told_at=AT + 30 * 3600.0)
    day = f"{local_time(AT, 'en'):%m-%d}"
    assert f"\nsilenced by Li, {day} {FROM} to {day} {TO}: × 312\n" in text(told)


@pytest.mark.parametrize("style", [TEXT, MARKDOWN])
def test_a_name_can_pass_for_nothing(style: object) -> None:
    name = "🚨 CRITICAL × 9\n✅ <@all> **x** `" + "长" * 300
    for is_news in (True, False):
        layout = lay_out(replace(TOLD, answer=answer("taken", name), is_news=is_news), style)
        whole = fit(layout, 2048)
        assert "× 9" not in whole
        assert "<@all>" not in whole
        assert not any(line.startswith("✅") for line in whole.split("\n"))
        assert len(whole.encode()) < 1000


def escalated(**more: Any) -> Digest:
    given: dict[str, Any] = {"number": 1, "of": 2, "after_s": 600.0, "told": ("Li",), **more}
    return replace(TOLD, count=1, total=1, last=0.0, answer=answer("escalated", ""), escalation=Escalation(**given))


@pytest.mark.parametrize(
    ("given", "en", "zh"),
    [
        (
            {},
            "⏫ Escalation 1/2: nobody took it in 10 minutes, told so far: Li",
            "⏫ 升级 1/2：10 分钟无人认领，已通知 Li",
        ),
        (
            {"number": 2, "after_s": 5400.0, "told": ("Li", "Wang")},
            "⏫ Escalation 2/2, no further one follows: nobody took it in 90 minutes, told so far: Li, Wang",
            "⏫ 升级 2/2（之后不再升级）：90 分钟无人认领，已通知 Li、Wang",
        ),
        (
            {"missed": "nobody on-call:web"},
            "⏫ Escalation 1/2: nobody took it in 10 minutes, told so far: Li; the step before told nobody: "
            "nobody found for on-call:web",
            "⏫ 升级 1/2：10 分钟无人认领，已通知 Li；上一级未通知到人：on-call:web 无人可通知",
        ),
        (
            {"missed": "failed", "told": ()},
            "⏫ Escalation 1/2: nobody took it in 10 minutes; the step before told nobody: "
            "its message could not be sent",
            "⏫ 升级 1/2：10 分钟无人认领；上一级未通知到人：消息未能发出",
        ),
        (
            {"taken_by": "赵六"},
            "⏫ Escalation 1/2: 赵六's take is over; it goes on, told so far: Li",
            "⏫ 升级 1/2：赵六的认领已到期，故障仍在继续，已通知 Li",
        ),
        (
            {"told": ("🚨 CRITICAL\nx",) * 9},
            "⏫ Escalation 1/2: nobody took it in 10 minutes, told so far: 🚨 CRITICAL ⏎ x, …",
            "⏫ 升级 1/2：10 分钟无人认领，已通知 🚨 CRITICAL ⏎ x、…",
        ),
    ],
)
def test_the_message_of_a_step_is_the_whole_alert_below_a_line(given: dict[str, Any], en: str, zh: str) -> None:
    channel: Any = Recorder(lambda: 0.0)
    for line, language in ((en, "en"), (zh, "zh")):
        composer = Composer(markdown=False, language=language)
        (step,) = composer.compose(escalated(**given), channel)
        assert isinstance(step, Text)
        above, *whole = step.content.split("\n")
        alone = text(replace(escalated(), escalation=None, answer=None), language)
        if "…" not in line:
            assert above == line
        assert (above.count("\n"), whole) == (0, alone.split("\n"))


def test_that_phones_were_called_stands_in_the_line_about_a_step() -> None:
    called = replace(answer("escalated", "Li, Wang"), where="已拨打")
    digest = replace(TOLD, answer=called, is_news=True)
    told = f"⏫ shop: #k7f2 → Li, Wang {FROM}（电话：已拨打）"
    assert text(digest, "zh").split("\n")[0] == told
    called = replace(called, where="called")
    assert text(replace(digest, answer=called)).split("\n")[0] == f"⏫ shop: #k7f2 → Li, Wang {FROM} (phone: called)"
    nobody = replace(TOLD, answer=replace(answer("escalated", ""), where="nobody on-call:web"), is_news=True)
    assert (
        text(nobody).split("\n")[0] == f"⏫ shop: #k7f2 escalation reached nobody {FROM}: nobody found for on-call:web"
    )


def test_the_card_of_a_step_can_be_taken() -> None:
    made = card(escalated(), "zh", AT)
    assert made["main_title"]["title"].endswith(" 升级通知")
    assert [one["key"].split(":")[0] for one in made["button_list"]] == ["take", "quiet", "details"]
