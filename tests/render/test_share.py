"""One message for many digests: what stands in it, how much of each, and where one ends."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wecom_logging._render.facts import count_words
from wecom_logging._render.layout import Style, lay_out
from wecom_logging._render.share import share
from wecom_logging._render.styles import MARKDOWN, TEXT
from wecom_logging._text.cut import size
from wecom_logging._text.said import Reader
from wecom_logging.model import Digest, Failure, Frame
from wecom_logging.model.duty import Held

from ..text.test_inert import OUR_FACT, OUR_FIRST, OUR_OTHER, assert_inert, judge_characters
from .alerts import SIGNS, alert, digests

some = settings(
    max_examples=70, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
STYLES = pytest.mark.parametrize("style", [TEXT, MARKDOWN], ids=["text", "markdown"])
T = 1_795_569_123.0  # 2026-11-25 09:12:03 in China
PRICE = Digest(
    alert(
        service="web shop",
        logger="shop",
        message="order 4711 cannot be priced",
        time=T,
        failures=(Failure("shop.PriceError", "no rate", (Frame("app/pay.py", 88, "charge"),)),),
    ),
    4,
    12,
    T + 60,
    T + 118,
    rates=(1, 3),
    short_id="k7f2",
)
MINE = Digest(alert(level=50, level_name="CRITICAL", formatted="MINE disk full\nmore", time=T + 61), short_id="m1ne")
OVER = replace(PRICE, alert=alert(message="no connection", time=T), count=0, quiet_s=600.0, short_id="0ver")


def distinct(number: int, text: str = "order {:05} cannot be priced: no rate for this country") -> list[Digest]:
    return [Digest(alert(message=text.format(n)), short_id=f"{n:04x}") for n in range(number)]


@pytest.mark.usefixtures("in_china")
def test_three_as_text() -> None:
    text, shown = share([PRICE, MINE, OVER], TEXT, 2048, "3 alerts were lost: queue_overflow")
    assert shown == 3
    assert text.split("\n") == [
        "🚨 5 alerts of 2 kinds in 58 s, 1 kind is quiet",
        "3 alerts were lost: queue_overflow",
        "",
        "🚨 CRITICAL: MINE disk full",
        "#m1ne 2026-11-25 09:13:04.000 +08:00",
        "│ more",
        "",
        "🔴 ERROR × 4, 12 in all ▄█ #k7f2 web shop shop: order 4711 cannot be priced: PriceError: no rate",
        "✅ shop.pay: no connection · quiet for 10 minutes, 12 in all, 09:12 to 09:14 #0ver",
    ]


CHINA = ZoneInfo("Asia/Shanghai")
EIGHT = T - 72 * 60 - 3
NIGHT = Held(EIGHT - 10 * 3600, EIGHT, CHINA)
ENDED = Digest(
    alert(message="disk full", time=T), 3, 3, last=T + 1, has_stopped=True, is_over=True, short_id="3nde", since=T
)


@pytest.mark.parametrize(
    ("held", "found", "reader", "line"),
    [
        (
            NIGHT,
            [PRICE, MINE, ENDED, OVER],
            Reader("zh", CHINA),
            "🚨 夜间静默 22:00–08:00 · 4 件，2 件尚未结束",
        ),
        (NIGHT, [PRICE, ENDED], Reader("en", CHINA), "🔴 quiet hours 22:00–08:00 · 2 incidents, 1 still open"),
        (NIGHT, [ENDED, OVER], Reader("zh", CHINA), "🔴 夜间静默 22:00–08:00 · 2 件，未再出现"),
        (NIGHT, [OVER], Reader("zh", CHINA), "✅ 夜间静默 22:00–08:00 · 1 件，未再出现"),
        (NIGHT, [PRICE], Reader("en", UTC), "🔴 quiet hours 22:00–08:00 Asia/Shanghai · 1 incident, still open"),
        (NIGHT, [PRICE], Reader("zh", UTC), "🔴 夜间静默 22:00–08:00 Asia/Shanghai · 1 件，尚未结束"),
        (
            replace(NIGHT, began=EIGHT - 86_400),
            [PRICE],
            Reader("zh", CHINA),
            "🔴 静默时段 11-24 08:00–11-25 08:00 · 1 件，尚未结束",
        ),
        (
            replace(NIGHT, began=EIGHT - 7200),
            [PRICE],
            Reader("zh", CHINA),
            "🔴 静默时段 06:00–08:00 · 1 件，尚未结束",
        ),
        (Held(T, T + 60), [PRICE], Reader("zh", CHINA), "🔴 维护 09:12–09:13 · 1 件，尚未结束"),
        (Held(T, T + 60), [PRICE], Reader("en", CHINA), "🔴 maintenance 09:12–09:13 · 1 incident, still open"),
        (
            Held(T, T + 60, scope="shop.pay", why="部署 v2"),
            [PRICE],
            Reader("zh", CHINA),
            "🔴 维护 shop.pay（部署 v2） 09:12–09:13 · 1 件，尚未结束",
        ),
    ],
)
def test_what_has_waited_has_a_headline_that_says_for_what(
    held: Held, found: list[Digest], reader: Reader, line: str
) -> None:
    text, shown = share(found, TEXT.within(reader), 2048, held=held)
    assert shown == len(found)
    assert text.split("\n")[0] == line


@pytest.mark.usefixtures("in_china")
def test_what_was_over_before_it_was_told_is_one_line_among_others_and_whole_by_itself() -> None:
    text, _ = share([PRICE, ENDED], TEXT, 4096, held=NIGHT)
    assert text.split("\n")[-1] == "🔴 ERROR none since 09:12, × 3 #3nde shop.pay: disk full"
    alone, _ = share([ENDED], TEXT, 4096, held=NIGHT)
    assert "app/pay.py" in alone.split("\n", 2)[2]


@STYLES
def test_the_reason_of_a_maintenance_is_inert_and_cut(style: Style) -> None:
    held = Held(
        T, T + 60, scope="shop", why="see [this](https://evil.example) <@all>\n🚨 CRITICAL shop: down " + "长" * 500
    )
    text, _ = share([PRICE], style, 4096, held=held)
    headline, *others = text.split("\n")
    assert "[this](" not in headline or not style.markdown
    assert "<@" not in headline
    assert "(see " in headline
    assert size(headline) < 300
    assert not any("CRITICAL" in line for line in others)


@STYLES
@pytest.mark.parametrize("number", [1, 2, 9, 10, 11, 60])
@pytest.mark.parametrize(
    ("held", "most"),
    [*((NIGHT, most) for most in (300, 511, 512, 513, 1024)), (Held(T, T + 60, scope="shop", why="长" * 500), 500)],
)
def test_what_has_waited_fits_too(style: Style, number: int, held: Held, most: int) -> None:
    found = distinct(number)
    for goes_on in range(0, number + 1, max(number // 4, 1)):
        some = [replace(one, is_over=place >= goes_on) for place, one in enumerate(found)]
        text, shown = share(some, style.within(Reader("zh", UTC)), most, held=held)
        assert size(text) <= most
        assert 1 <= shown <= number


@pytest.mark.usefixtures("in_china")
def test_three_as_markdown() -> None:
    text, shown = share([PRICE, MINE, OVER], MARKDOWN, 4096, "3 alerts were lost: queue_overflow")
    assert shown == 3
    assert text.split("\n") == [
        '🚨 <font color="warning">5 alerts of 2 kinds in 58 s, 1 kind is quiet</font>',
        '<font color="comment">3 alerts were lost: queue_overflow</font>',
        "",
        '🚨 <font color="warning">CRITICAL</font>: **MINE disk full**',
        '<font color="comment">#m1ne 2026-11-25 09:13:04.000 +08:00</font>',
        "> more",
        "",
        '🔴 <font color="warning">ERROR × 4, 12 in all ▄█ #k7f2</font> web shop shop: '
        "**order 4711 cannot be priced: PriceError: no rate**",
        "✅ shop.pay: **no connection** · "
        '<font color="info">quiet for 10 minutes, 12 in all, 09:12 to 09:14 #0ver</font>',
    ]


@STYLES
def test_two_thousand_go_into_some_sixty_messages(style: Style) -> None:
    waiting = distinct(2000)
    while len(waiting) > 40:
        text, shown = share(waiting, style, 4096)
        assert shown >= 31
        assert len(text.split("\n")) == shown + 2  # a line each, the headline, and the number of the last
        assert f"#{waiting[shown - 1].short_id}" in text.split("\n")[-1]
        assert all(f"order {waiting[n].alert.message[6:11]} " in text for n in range(shown))
        waiting = waiting[shown:]


@STYLES
def test_long_ones_do_not_lessen_how_many_fit(style: Style) -> None:
    text, shown = share(distinct(100, "{:05} " + "长" * 5000), style, 4096)
    assert shown >= 31
    assert "00000 长" in text


@pytest.mark.parametrize(
    ("waiting", "headline"),
    [
        ([Digest(alert())], "🔴 1 alert of 1 kind"),
        ([Digest(alert(), 2, 2)], "🔴 2 alerts of 1 kind"),
        ([Digest(alert(level=30)), Digest(alert(level=20))], "🟠 2 alerts of 2 kinds"),
        ([Digest(alert(time=T)), Digest(alert(time=T + 0.9))], "🔴 2 alerts of 2 kinds"),
        ([Digest(alert(time=T + 1)), Digest(alert(time=T))], "🔴 2 alerts of 2 kinds in 1 s"),
        ([Digest(alert(time=T), 9, 9, T + 50, T + 49)], "🔴 9 alerts of 1 kind"),
        ([Digest(alert(time=T), 9, 9, T, T + 600)], "🔴 9 alerts of 1 kind in 10 min"),
        ([Digest(alert(time=T), 9, 9, T, T + 7200)], "🔴 9 alerts of 1 kind in 2 h"),
        ([Digest(alert(time=T), 9, 9, T, float("inf"))], "🔴 9 alerts of 1 kind"),
        ([Digest(alert(time=T), 9, 9, T, float("nan"))], "🔴 9 alerts of 1 kind"),
        (
            [Digest(alert(level=30)), replace(OVER, alert=alert(level=50, time=0.0))],
            "🟠 1 alert of 1 kind, 1 kind is quiet",
        ),
        ([OVER], "✅ 1 kind is quiet"),
        ([OVER, OVER], "✅ 2 kinds are quiet"),
    ],
)
def test_the_headline(waiting: list[Digest], headline: str) -> None:
    assert share(waiting, TEXT, 2048)[0].split("\n")[0] == headline


@STYLES
def test_what_fits_whole_is_whole(style: Style) -> None:
    first = replace(PRICE, count=12)
    text, _ = share([first, OVER], style, 4096)
    for digest in (first,):
        assert "\n\n" + "\n".join(lay_out(digest, style).lines()) in text


@STYLES
def test_where_not_all_fits_the_first_get_more_and_the_last_a_line(style: Style) -> None:
    failing = [
        replace(digest, alert=replace(digest.alert, failures=PRICE.alert.failures))
        for digest in distinct(14, "order {:05} fails")
    ]
    text, shown = share(failing, style, 2048)
    blocks = [block for block in text.split("\n\n") if "\n" in block and "shop.PriceError" in block]
    assert shown == 14
    assert blocks
    assert all(f"order {n:05} fails" in block for n, block in enumerate(blocks))
    assert style.first(40, "ERROR #000d", " shop.pay: ", "order 00013 fails: PriceError: no rate") in text.split("\n")
    assert all(f"#{one.short_id}" in text for one in failing)
    assert size(text) > 2048 - 140  # less than a short line with its exception is left


@STYLES
def test_few_long_ones_share_the_room_and_show_the_end_of_the_traceback(style: Style) -> None:
    frames = tuple(Frame(f"app/{n}.py", n, "call", code="x" * 90) for n in range(50))
    long = alert(message="头" * 3000, failures=(Failure("shop.PriceError", "no rate", frames),))
    text, shown = share([Digest(long, short_id=f"{n:04x}") for n in range(4)], style, 4096)
    assert shown == 4
    blocks = text.split("\n\n")[1:]
    assert len(blocks) == 4
    assert all("shop.PriceError: no rate" in block and "app/49.py:49 in call" in block for block in blocks)
    assert min(map(size, blocks)) > 850


def test_room_that_short_ones_leave_goes_to_the_long_ones() -> None:
    long = Digest(alert(message="first\n" + "line of many words\n" * 500))
    text, _ = share([*distinct(3), long], TEXT, 4096)
    assert size(text) > 4000
    assert text.index("order 00002") < text.index("first")


@pytest.mark.parametrize("level_name", ["ERROR", "L" * 300])
@STYLES
def test_the_count_is_seen_in_the_shortest_line(style: Style, level_name: str) -> None:
    waiting = [
        replace(digest, alert=replace(digest.alert, service="s" * 300, level_name=level_name), count=4321, total=12345)
        for digest in distinct(200, "{:05} " + "长" * 100)
    ]
    text, shown = share(waiting, style, 4096)
    assert text.count("× 4321, 12345 in all") == shown > 20
    assert all(f"{n:05} 长" in text for n in range(shown))


def test_losses_stand_below_the_headline_also_where_there_is_little_room() -> None:
    text, shown = share(distinct(9), MARKDOWN, 340, "3 alerts were lost: queue_overflow")
    assert shown >= 1
    assert text.split("\n")[1] == '<font color="comment">3 alerts were lost: queue_overflow</font>'
    text, shown = share([PRICE], MARKDOWN, 300, "3 alerts were lost: " + "queue_overflow " * 90)
    assert shown == 1
    assert size(text) <= 300
    assert OUR_FACT.match(text.split("\n")[1])


OUR_HEADLINE = re.compile(
    r'^[⚪🔵🟠🔴🚨] <font color="\w+">\d+ alerts? of \d+ kinds?(?: in \d+ (?:s|min|h))?'
    r"(?:, \d+ kinds? (?:is|are) quiet)?</font>$"
)
OUR_QUIET_HEADLINE = re.compile(r'^✅ <font color="info">(?:1 kind is|\d+ kinds are) quiet</font>$')
OUR_QUIET = re.compile(
    r'^✅ (?:(.*?): )?\*\*(.*)\*\* · <font color="info">quiet for \d+ \w+(?: \([\w ,]+\))?, '
    r"(?:× \d+ since [-\d: ]+, )?\d+ in all(?:, [-\d: to]+)?(?: #\w+)?</font>$"
)


def judge(text: str, shown: int, style: Style) -> None:
    """Every line is ours, or quoted; so many of them begin an alert."""
    judge_characters(text)
    headline, *lines = text.split("\n")
    if style is TEXT:
        assert "<" not in text
        assert sum(line.startswith(tuple("⚪🔵🟠🔴🚨✅")) for line in lines) == shown
        return
    assert OUR_HEADLINE.match(headline) or OUR_QUIET_HEADLINE.match(headline)
    firsts = 0
    for line in lines:
        if found := OUR_FIRST.match(line) or OUR_QUIET.match(line):
            firsts += 1
            for inside in found.groups(default=""):
                assert_inert(inside.lstrip("> #"))
        elif fact := OUR_FACT.match(line):
            assert_inert(fact[1].lstrip("> #"))
        elif line and not OUR_OTHER.match(line):
            assert line.startswith(">"), line
            assert_inert(line[1:].removeprefix(" "))
    assert firsts == shown


@pytest.mark.slow
@pytest.mark.case("W12")
@some
@given(
    st.lists(digests, min_size=1, max_size=6),
    st.sampled_from((TEXT, MARKDOWN)),
    st.one_of(st.integers(300, 4096), st.sampled_from((2048, 4096))),
    st.sampled_from(("", "3 alerts were lost: queue_overflow", "长" * 900)),
)
def test_whatever_is_told_fits_and_nothing_of_the_program_acts(
    waiting: list[Digest], style: Style, most: int, losses: str
) -> None:
    text, shown = share(waiting, style, most, losses)
    assert len(text.encode("utf-8")) <= most
    assert 1 <= shown <= len(waiting)
    judge(text, shown, style)
    for digest in waiting[:shown]:
        assert (f", {digest.total} in all" if digest.quiet_s else count_words(digest, "en")) in text


@pytest.mark.case("C14", "C15", "C19")
@pytest.mark.parametrize("sign", SIGNS)
@STYLES
def test_no_carrier_brings_a_sign_to_life(style: Style, sign: str) -> None:
    forged = alert(message=f"{sign}\n{sign}", level_name=sign, logger=sign, host=sign, place=Frame(sign, 1, sign))
    waiting = [Digest(forged), Digest(replace(forged, formatted=f"{sign}\n{sign}")), replace(OVER, alert=forged)]
    for most in (300, 600, 2048):
        text, shown = share(waiting, style, most)
        judge(text, shown, style)


@pytest.mark.case("C16")
@STYLES
def test_a_text_cannot_pass_for_the_headline_or_for_another_alert(style: Style) -> None:
    fake, _ = share(distinct(3), style, 2048)
    waiting = [Digest(alert(message=fake)), Digest(alert(formatted=f"{fake}\n\n{fake}"))]
    text, shown = share(waiting, style, 4096)
    judge(text, shown, style)
    assert "2 alerts of 2 kinds" in text.split("\n")[0]
