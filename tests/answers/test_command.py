"""What somebody typed, read as a command."""

from __future__ import annotations

import datetime
import time
from collections.abc import Iterator
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wecom_logging._answers.command import MAX_TEXT, VERBS, Command, read, seconds
from wecom_logging._incidents.short_id import ALPHABET
from wecom_logging._render.times import local_time

QUOTED = "🔴 ERROR shop: the disk is full\n│ order #12 of #7\n2026-11-25 09:12:03.123 +08:00 #k7f2\nshop.py:88 in pay"


@pytest.mark.parametrize(
    ("text", "verb", "short_id", "length_s"),
    [
        ("take k7f2", "take", "k7f2", 0),
        ("TAKE #K7F2", "take", "k7f2", 0),
        ("认领 k7f2", "take", "k7f2", 0),
        ("认领k7f2", "take", "k7f2", 0),
        ("k7f2 认领", "take", "k7f2", 0),
        ("#k7f2认领", "take", "k7f2", 0),
        ("我来处理k7f2。", "take", "k7f2", 0),
        ("ｔａｋｅ　＃ｋ７ｆ２", "take", "k7f2", 0),
        ("take#k7f2", "take", "k7f2", 0),
        ("@Alerts take k7f2", "take", "k7f2", 0),
        ("@值班 机器人\u2005认领 k7f2", "take", "k7f2", 0),
        ("@Alerts\u2005take\u2005k7f2", "take", "k7f2", 0),
        ("＠机器人 认领 k7f2", "take", "k7f2", 0),
        ("take k7f2 @Alerts", "take", "k7f2", 0),
        ("take k7f2 @My Alerts\u2005", "take", "k7f2", 0),
        ("\n  Take,  K7F2 !\n", "take", "k7f2", 0),
        ("take koil", "take", "k011", 0),  # letters that look like digits
        ("quiet k7f2 2h", "quiet", "k7f2", 7200),
        ("quiet #k7f2 for 1h 30m", "quiet", "k7f2", 5400),
        ("quiet 30 minutes k7f2", "quiet", "k7f2", 1800),
        ("quiet 1h #120m", "quiet", "120m", 3600),
        ("静默 k7f2 2小时", "quiet", "k7f2", 7200),
        ("静默k7f2 1小时30分钟", "quiet", "k7f2", 5400),
        ("静默 k7f2 两个小时", "quiet", "k7f2", 7200),
        ("k7f2静默半小时", "quiet", "k7f2", 1800),
        ("屏蔽 k7f2 三十分钟", "quiet", "k7f2", 1800),
        ("静默 k7f2 十分钟", "quiet", "k7f2", 600),
        ("静默 k7f2 二十五分钟", "quiet", "k7f2", 1500),
        ("静默 k7f2 一个半小时", "quiet", "k7f2", 5400),
        ("静默 k7f2 2个半小时", "quiet", "k7f2", 9000),
        ("snooze k7f2 1hr 30min", "quiet", "k7f2", 5400),
        ("mute k7f2 １ｈ", "quiet", "k7f2", 3600),
        ("详情 k7f2", "details", "k7f2", 0),
        ("Details: k7f2", "details", "k7f2", 0),
        ("ack k7f2", "take", "k7f2", 0),
        *((f"{word} k7f2", "take", "k7f2", 0) for word in ("收到", "收到了", "接手", "处理中", "正在处理", "我处理")),
        *((f"{word} k7f2", "done", "k7f2", 0) for word in ("已处理", "处理完了", "修好了", "已搞定")),
        ("认领：k7f2", "take", "k7f2", 0),
        ("看看 k7f2", "details", "k7f2", 0),
        *((f"{word}k7f2", "done", "k7f2", 0) for word in ("误报", "已恢复", "搞定了", "搞定")),
        ("查看 k7f2", "details", "k7f2", 0),
        ("忽略 k7f2 2h", "quiet", "k7f2", 7200),
        ("静默两小时 k7f2", "quiet", "k7f2", 7200),
        ("静默 k7f2 1周", "quiet", "k7f2", 604_800),
        ("静默 k7f2 一个星期", "quiet", "k7f2", 604_800),
        ("quiet k7f2 2 weeks", "quiet", "k7f2", 1_209_600),
        ("撤销 k7f2", "undo", "k7f2", 0),
        ("取消静默 k7f2", "undo", "k7f2", 0),
        ("已解决 k7f2", "done", "k7f2", 0),
        ("close k7f2", "done", "k7f2", 0),
        ("完成了 k7f2", "done", "k7f2", 0),
        ("done k7f2", "done", "k7f2", 0),
        *((text, "undo", "k7f2", 0) for text in ("恢复 k7f2", "恢复提醒k7f2", "解除静默 k7f2", "unmute k7f2")),
        ("恢复了 k7f2", "done", "k7f2", 0),
        *((text, "details", "k7f2", 0) for text in ("k7f2", "#K7F2", "@Alerts k7f2")),
        ("列表", "list", "", 0),
        ("list please", "list", "", 0),
        ("help", "help", "", 0),
        ("？", "help", "", 0),
    ],
)
def test_what_is_understood(text: str, verb: str, short_id: str, length_s: float) -> None:
    assert read(text) == Command(verb, short_id, length_s)
    assert read(text, QUOTED.replace("k7f2", "zzzz")) == Command(verb, short_id, length_s)


@pytest.mark.parametrize(
    ("text", "level", "page"),
    [
        ("列表", 0, 1),
        ("列表 严重", 50, 1),
        ("列表严重", 50, 1),
        ("list error 3", 40, 3),
        ("列表2", 0, 2),
        ("list 0", 0, 1),
        ("下一页", 0, 0),
        ("next", 0, 0),
    ],
)
def test_a_list_has_levels_and_pages(text: str, level: int, page: int) -> None:
    assert read(text) == Command("list", level=level, page=page)


@pytest.mark.parametrize(
    ("text", "end"),
    [
        *(
            ("静默到18点 k7f2", "29 18:00"),
            ("静默：k7f2，到18:00", "29 18:00"),
            ("静默 k7f2 到18点半", "29 18:30"),
            ("quiet k7f2 until 18:05", "29 18:05"),
        ),
        *(
            ("静默 k7f2 到明早9点", "30 09:00"),
            ("静默到明早9点 k7f2", "30 09:00"),
            ("静默k7f2到明天下午3点", "30 15:00"),
        ),
        *(("今晚 k7f2", "30 09:00"), ("k7f2 到18点", "29 18:00")),
        *(("静默 k7f2 今晚", "30 09:00"), ("静默今晚 k7f2", "30 09:00"), ("静默 k7f2 到今晚8点", "29 20:00")),
        *(("静默 k7f2 到6点", "29 18:00"), ("静默 k7f2 到早上9点", "30 09:00"), ("quiet k7f2 9:00", "30 09:00")),
        *(("quiet k7f2 tomorrow 9am", "30 09:00"), ("quiet k7f2 tonight", "30 09:00"), ("quiet k7f2 6pm", "29 18:00")),
        *(("静默 k7f2 明早", "30 09:00"), ("明早 k7f2", "30 09:00"), ("静默 k7f2 到明早九点", "30 09:00")),
        *(
            ("静默 k7f2 到下周一", "30 09:00"),
            ("静默 k7f2 到下周二上午10点", "01 10:00"),
            ("静默k7f2到下周", "30 09:00"),
        ),
        *(
            ("静默 k7f2 到周日十八点", "29 18:00"),
            ("静默 k7f2 到星期天9点", "06 09:00"),
            ("静默 k7f2 到周二", "01 09:00"),
        ),
        *(("静默 k7f2 到本周一", ""), ("静默 k7f2 到这周日18点", "29 18:00"), ("静默 k7f2 到周", "")),
        *(("静默 k7f2 到明天", "30 09:00"), ("静默 k7f2 今天", "30 00:00"), ("静默 k7f2 到24点", "30 00:00")),
        *(("静默 k7f2 到今晚", ""), ("静默 k7f2 到25点", ""), ("静默 k7f2 今天9点", ""), ("静默 k7f2 18", "")),
    ],
)
def test_a_silence_may_be_given_by_its_end(text: str, end: str) -> None:
    now = datetime.datetime(2026, 11, 29, 16, 4, tzinfo=ZoneInfo("Asia/Shanghai"))
    command = read(text, "", now)
    assert (command.verb, command.short_id, command.why) == ("quiet", "k7f2", "" if end else "length")
    if end:
        assert f"{now + datetime.timedelta(seconds=command.length_s):%d %H:%M}" == end


@pytest.fixture
def in_berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[ZoneInfo]:
    """The zone of this machine."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Europe/Berlin")
        time.tzset()
        yield ZoneInfo("Europe/Berlin")
    time.tzset()


@pytest.mark.parametrize(("day", "hours"), [((2026, 10, 24), 14), ((2026, 3, 28), 12), ((2026, 7, 1), 13)])
def test_an_hour_is_that_of_the_wall_where_clocks_change_before_it(
    day: tuple[int, int, int], hours: int, in_berlin: ZoneInfo
) -> None:
    now = datetime.datetime(*day, 20, tzinfo=in_berlin)
    for shown in (now, local_time(now.timestamp(), "en")):  # as a zone that is set has it, and as the machine's has
        assert [seconds(text, shown) for text in ("9:00", "明早9点")] == [hours * 3600] * 2


def test_who_has_not_slept_yet_means_the_next_morning() -> None:
    now = datetime.datetime(2026, 11, 30, 0, 30, tzinfo=ZoneInfo("Asia/Shanghai"))
    assert [read(f"静默 k7f2 到{day}9点", "", now).length_s / 3600 for day in ("明早", "明天")] == [8.5, 32.5]


def test_what_is_no_id_is_no_details() -> None:
    assert [read(text).why for text in ("hello", "k7f2 zzzz", "database", "#kil")] == ["verb"] * 4


def test_an_id_may_look_like_a_length() -> None:
    assert read("quiet 120m 1h") == read("quiet 1h #120m", QUOTED) == Command("quiet", "120m", 3600)
    assert read("quiet 1hour 30min", QUOTED) == Command("quiet", "k7f2", 5400) != read("quiet 1hour 30min")


@pytest.mark.parametrize(
    ("text", "verb", "length_s"),
    [
        *[("take", "take", 0), ("我来", "take", 0), ("@Alerts 认领", "take", 0), ("take this please", "take", 0)],
        *[
            ("quiet 1h30m", "quiet", 5400),
            ("静默一小时", "quiet", 3600),
            ("静默十分钟", "quiet", 600),
            ("静默 120m", "quiet", 7200),
        ],
        *[("完成", "done", 0), ("撤销吧", "undo", 0)],
    ],
)
def test_the_id_may_stand_in_what_is_quoted(text: str, verb: str, length_s: float) -> None:
    assert read(text, "✋ shop: #k7f2 taken by Li 10:31\n│ full\n2026-11-25 #k7f2 × 3") == Command(
        verb, "k7f2", length_s
    )
    assert read(text, "no. #12, http://x/#abcd, and &#12345;").why == "id"
    assert read(text, "#k7f2 and #4711").why == "ids"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        *[("", "empty"), (" \u2005", "empty"), ("@Alerts", "empty"), ("@My Alerts\u2005", "empty"), ("。", "empty")],
        *[("please do not take k7f2", "verb"), ("认领不了 k7f2", "verb"), ("takes k7f2", "verb")],
        *[("take", "id"), ("take it", "id"), ("quiet 1h", "id"), ("静默", "id")],
        *[("quiet k7f2", "length"), ("quiet k7f2 soon", "length"), ("quiet k7f2 0h", "length")],
        *[("静默 k7f2 一百分钟", "length"), ("静默 k7f2 三三分钟", "length"), ("静默 k7f2 半半天", "length")],
        *[("pair", "code"), ("绑定", "code"), ("take k7f2 " + "x" * MAX_TEXT, "long"), ("x" * 10**6, "long")],
    ],
)
def test_what_is_not_understood_says_why(text: str, why: str) -> None:
    assert read(text).why == why


@pytest.mark.parametrize(
    "text",
    [
        *(
            "give #k7f2 to 李四",
            "give k7f2 李四",
            "转给 李四 k7f2",
            "转给李四 k7f2",
            "k7f2 转给李四",
            "#k7f2 转给 @李四",
        ),
        *("@Bot\u2005转给 k7f2 @李四\u2005", "转给李四#k7f2", "#k7f2 转给 @李四", "移交 k7f2 给李四"),
    ],
)
def test_who_is_given_it_may_stand_anywhere(text: str) -> None:
    assert read(text) == Command("give", "k7f2", whom="李四")
    assert read("转给 Li", "… #k7f2") == Command("give", "k7f2", whom="li")
    assert (read("give k7f2").why, read("give to Li").why) == ("whom", "id")


def test_a_code_is_as_it_was_typed() -> None:
    assert read("@Alerts\u2005绑定　Ab-12c") == Command("pair", code="Ab-12c")
    assert read("PAIR ７３１４") == Command("pair", code="7314")
    assert read("绑定Ab12") == Command("pair", code="Ab12")


@settings(max_examples=400, deadline=None)
@given(st.text(max_size=300), st.text(max_size=300))
def test_whatever_is_typed_is_read(text: str, quoted: str) -> None:
    for one in (text, f"take {text}", f"静默 {text}", f"@{text} done k7f2", "quiet \ud800 " + text):
        found = read(one, quoted)
        assert found.verb in ("", *VERBS)
        assert found.why or found.verb in ("list", "on-call", "jobs", "help", "pair") or found.short_id
        assert len(found.short_id) <= 12


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(["take", "quiet", "details", "undo", "done"]),
    st.text(ALPHABET, min_size=4, max_size=6),
    st.sampled_from(["30m", "1h30m", "2 hours", "2小时", "120m"]),
)
def test_every_id_that_may_be_given_is_understood(verb: str, short_id: str, length: str) -> None:
    more = length if verb == "quiet" else ""
    assert read(f"{verb} {short_id} {more}") == Command(verb, short_id, (seconds(more) or 0.0) if more else 0.0)
