"""All that is known of an incident, for who asked."""

from __future__ import annotations

import re
from dataclasses import replace

from wecom_logging._answers.command import Command
from wecom_logging._answers.reply import MAX_DETAILS_BYTES, details
from wecom_logging._incidents.incident import Kept
from wecom_logging._incidents.view import known
from wecom_logging._masking.redact import masker
from wecom_logging.model import Failure, Frame, Sample

from ..incidents.test_life import more, opened, sent
from ..state.conftest import alert
from ..state.test_one_cause import Time
from ..storms import Recorder, pipeline, record
from .conftest import Office


def deep(depth: int, secret: str = "") -> ValueError:
    """An exception that comes from so deep."""

    def fall(left: int) -> None:
        if left:
            return fall(left - 1)
        raise ValueError(f"no room left {secret}")

    try:
        fall(depth)
    except ValueError as error:
        return error
    raise AssertionError


def test_who_asks_sees_the_alert_the_numbers_and_the_people(desk: Office) -> None:
    desk.jobs[0].collector.take(record("disk %d is full", 0, error=deep(3)))
    desk.go_on()
    name = desk.name
    for number in range(1, 5):
        desk.jobs[0].collector.take(record("disk %d is full", number, error=deep(3)))
    desk.go_on(2)
    desk.type(f"take {name}")
    desk.clock.go(60)
    desk.type(f"静默 {name} 1h", "Li <@all>")
    desk.type(f"undo {name}", "Wang")
    reply = desk.type(f"详情 {name}")
    assert (reply.why, reply.incident is not None) == ("", True)
    lines = reply.text.split("\n")
    assert lines[0].startswith("🔴 ERROR × 5 shop: **disk 0 is full: ValueError: no room")
    assert sum(line.endswith(".fall") for line in lines) == 4
    assert any(re.search(rf"#{name}$", line) for line in lines)
    assert any(re.search(r"^messages so far: \d", line) for line in lines)
    journal = [line for line in lines if " · chat ops · × " in line]
    assert [re.search(r"^(.*?) \d", line)[1] for line in journal] == [
        *("taken by Li", "claim of Li undone by Wang"),
    ]
    assert "<@" not in reply.text


def test_nobody_has_taken_it_and_it_is_in_the_readers_language() -> None:
    channel = Recorder(clock := Time(1_000_000.0))
    desk = Office([pipeline(channel, clock)], channel, clock, language="zh")
    desk.log()
    desk.go_on()
    text = desk.type(f"详情 {desk.name}").text
    assert "无人认领" in text
    assert "已发消息：1 条" in text
    for place, shown in (
        ("chat ops lisi", "群聊 ops（lisi）"),
        ("chat lisi", "单聊 lisi"),
        ("cli atlas", "命令行 atlas"),
    ):
        desk.desk.do(Command("take", desk.name), "李四", place)
        assert f" · {shown} · 当时 1 次" in desk.type(f"详情 {desk.name}").text
        desk.desk.do(Command("undo", desk.name), "李四", place)


def test_no_text_of_it_shows_a_secret_or_acts(desk: Office) -> None:
    shown = Office(desk.jobs, desk.channel, desk.clock, mask=masker(["s3cret-Zx81kQm"], None)).desk
    for number in range(3):
        text = f"disk {number} s3cret-Zx81kQm <@all> [a](http://x) `b`"
        desk.jobs[0].collector.take(record("disk %d %s", number, text, error=deep(2, "s3cret-Zx81kQm")))
        desk.go_on(1)
    desk.desk = shown
    text = desk.type(f"details {desk.name}", "Li").text
    assert "s3cret" not in text
    assert "***" in text or "∗∗∗" in text
    assert not re.search(r"<@|\]\(http|`", text)


def test_what_no_message_holds_is_cut() -> None:
    frames = tuple(Frame(f"/srv/app/file_{n}.py", n, f"function_{n}", code=f"call_{n}()") for n in range(600))
    failure = Failure("ValueError", "no room left", frames)
    first = Kept(replace(alert("disk of atlas is full <@all>"), failures=(failure,)))
    incident = more(sent(replace(opened(), first=first), 0.0), 3, now=5.0, samples=(Sample(5.0, "disk of 7"),))
    text = details(known(incident), 10.0, "en")
    assert len(text.encode()) <= MAX_DETAILS_BYTES
    assert "function_599" in text
    assert "<@" not in text
