"""Kinds that differ in a name alone: apart while they are few, one incident when they are many, and none is hidden."""

from __future__ import annotations

import enum
import logging
import random
import re
import sqlite3
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest

from wecom_logging._capture.collapse import (
    DAY_S,
    HANDFUL,
    LEAST_WORDS,
    MANY,
    MAX_ALIKE,
    MAX_COLLAPSED,
    MAX_FORMS,
    MAX_PLACES,
    MAX_TEXTS,
    Collapses,
)
from wecom_logging._delivery.pipeline import Pipeline
from wecom_logging._incidents import limits
from wecom_logging._masking.redact import masker, redact

from ..programs import Clock, word
from ..storms import Recorder, pass_time, pipeline, record, turn

NAMES = [
    *("amy", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan"),
    *("judy", "mallory", "niaj", "olivia", "peggy", "rupert", "sybil", "trent"),
]


@pytest.fixture
def storm(channel: Recorder, clock: Clock) -> Pipeline:
    return pipeline(channel, clock)


def take(storm: Pipeline, clock: Clock, text: str, **more: object) -> None:
    storm.collector.take(record(text, created=clock.now, **more))
    turn(storm)


def ended(storm: Pipeline) -> tuple[int, int]:
    """How many incidents were sent, and how many records beyond the first of each."""
    stats = storm.stats()
    assert (stats.pending, stats.dropped, stats.handed_over) == (0, {}, 0)
    incidents = len(storm.incidents())
    return incidents, stats.delivered + stats.merged - incidents


def unknown(storm: Pipeline, clock: Clock, *names: str) -> None:
    for name in names:
        take(storm, clock, f"user {name} is not known here")


def test_a_handful_stays_apart_and_the_next_is_told_for_all(storm: Pipeline, channel: Recorder, clock: Clock) -> None:
    unknown(storm, clock, *NAMES[:12])
    assert [one.text.count("not known") for one in channel.told] == [1] * (HANDFUL + 1)
    assert [NAMES[number] in one.text for number, one in enumerate(channel.told)] == [True] * (HANDFUL + 1)
    pass_time(storm, clock, 120)
    (digest,) = channel.told[HANDFUL + 1 :]
    new = re.findall(r"(?m)^│ new (?:01-12 )?\d\d:\d\d:\d\d user (\w+)", digest.text)  # its records are of 1970
    assert new == NAMES[HANDFUL + 1 : 11]
    assert f"shop: user {NAMES[11]} is not" in digest.first_line  # the newest is the title
    assert f"{12 - HANDFUL - 1} kinds: " in digest.text
    assert ended(storm) == (HANDFUL + 1, 12 - HANDFUL - 1)


def test_the_digest_names_the_most_frequent_and_what_was_told_is_not_new(
    storm: Pipeline, channel: Recorder, clock: Clock
) -> None:
    unknown(storm, clock, *NAMES[:6], *["bob"] * 12, *["zoe"] * 3, "amy")
    pass_time(storm, clock, 120)
    text = channel.told[-1].text
    assert "3 kinds: bob × 12, zoe × 3 (new), amy × 1" in text
    assert "shop: user zoe is not known here" in text.split("\n")[0]
    unknown(storm, clock, "zoe", "bob", "bob")
    pass_time(storm, clock, 300)
    digest = channel.told[-1]
    assert "2 kinds: bob × 2, zoe × 1" in digest.text
    assert "new" not in digest.text
    assert "shop: user bob is not known here" in digest.first_line  # the commonest since


def test_what_comes_once_in_half_an_hour_is_folded_all_the_same(
    storm: Pipeline, channel: Recorder, clock: Clock
) -> None:
    for name in NAMES:
        unknown(storm, clock, name)
        pass_time(storm, clock, 1800)
    pass_time(storm, clock, 3600)
    told = [one.text for one in channel.told if "not known" in one.text]
    assert [name for name in NAMES if any(f"user {name} is" in text for text in told)] == NAMES
    assert len({re.findall(r"#[0-9a-z]{4,}", text)[-1] for text in told}) == HANDFUL + 1


def test_one_a_minute_is_a_handful_and_few_digests(storm: Pipeline, channel: Recorder, clock: Clock) -> None:
    for minute in range(240):
        unknown(storm, clock, NAMES[minute * 7 % len(NAMES)])
        pass_time(storm, clock, 60)
    assert len(channel.told) <= 20
    assert {name for name in NAMES if any(name in one.text for one in channel.told)} == {*NAMES}


def many(number: int) -> tuple[str, str]:
    return NAMES[number % len(NAMES)], word(7 * number)


@pytest.mark.parametrize(
    "text",
    [
        "user {0} may not read folder {1}",
        'refused: {{"sku": "{0}", "reason": "{1}"}}',
        "no row {{'sku': '{0}', 'colour': '{1}'}} is known",
        "cannot reach {0}.shop.example: no address of {0}.shop.example, asked by {1}.shop.example",
        "用户 {0} 无权访问项目 {1}",
    ],
)
def test_two_names_that_vary_are_folded_when_there_are_many(
    storm: Pipeline, channel: Recorder, clock: Clock, text: str
) -> None:
    for number in range(16):
        take(storm, clock, text.format(*many(number)))
    pass_time(storm, clock, 120)
    assert ended(storm) == (HANDFUL + 1, 16 - HANDFUL - 1)
    assert many(HANDFUL + 1)[0] in channel.told[-1].text


def test_what_says_another_thing_beside_two_names_stays_apart(storm: Pipeline, clock: Clock) -> None:
    for number in range(16):
        take(storm, clock, "user {} may not read folder {}".format(*many(number)))
    for verb in ("write", "list", "delete"):
        take(storm, clock, f"user amy may not {verb} folder letters")
    pass_time(storm, clock, 120)
    assert ended(storm)[0] == HANDFUL + 1 + 3


def test_states_are_no_names_where_two_vary(storm: Pipeline, clock: Clock) -> None:
    states = ["NEW", "ASSIGNED", "RUNNING", "KILLED", "FAILED", "DONE", "LOST", "HELD"]
    for one, other in pairwise(states):
        take(storm, clock, f"the task could not go from the state {one} to the state {other}")
    assert ended(storm) == (len(states) - 1, 0)


def test_in_a_short_sentence_it_takes_a_dozen(storm: Pipeline, channel: Recorder, clock: Clock) -> None:
    family, given = "张李王赵钱孙周吴", "伟芳娜"
    people = [one + other for one in family for other in given]
    for name in people:
        take(storm, clock, f"用户{name}不存在")
    pass_time(storm, clock, 120)
    assert HANDFUL + 1 < ended(storm)[0] <= MANY + 2
    assert "吴伟 × 1 (new)" in channel.told[-1].text


def test_a_reason_at_the_end_of_a_chinese_sentence_is_no_name(storm: Pipeline, clock: Clock) -> None:
    reasons = [
        "余额不足",
        "签名错误",
        "证书过期",
        "调用超时",
        "参数缺失",
        "账户冻结",
        "渠道关闭",
        "风控拦截",
        "银行维护",
    ]
    for reason in reasons:
        take(storm, clock, f"订单支付失败：{reason}")
    assert ended(storm) == (len(reasons), 0)


def test_names_of_three_han_characters_are_folded_in_a_short_sentence(storm: Pipeline, clock: Clock) -> None:
    for family in "张李王赵钱孙周吴":
        for given in ("小明", "大伟"):
            take(storm, clock, f"用户{family}{given}不存在")
    pass_time(storm, clock, 120)
    assert ended(storm)[0] <= MANY + 2


def failed(storm: Pipeline, clock: Clock, error: Exception) -> None:
    try:
        raise error
    except Exception as raised:
        take(storm, clock, "the import failed", error=raised)


def test_all_that_an_exception_of_one_place_says_is_a_name(storm: Pipeline, channel: Recorder, clock: Clock) -> None:
    for number in range(16):
        name, other = many(number)
        row = [name, other, "null", f"{name} {other}"][: 1 + number % 4]
        failed(storm, clock, ValueError(f"no column may be null\nin the row ({', '.join(row)})"))
    pass_time(storm, clock, 120)
    assert ended(storm) == (HANDFUL + 1, 16 - HANDFUL - 1)
    assert " ".join(many(HANDFUL + 1)) in channel.told[-1].text


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (OSError(2, "no file of {}"), OSError(13, "no file of amy")),
        (RuntimeError("(1045, \"Access denied for user '{}'\")"), RuntimeError("(1114, \"The table 'amy' is full\")")),
        (RuntimeError("ORA-00942: no table of {}"), RuntimeError("ORA-01017: no table of amy")),
        (RuntimeError("HTTP 404 of {}"), RuntimeError("HTTP 503 of amy")),
        (RuntimeError("error code: NoSuchKey, {}"), RuntimeError("error code: SlowDown, amy")),
        (
            RuntimeError("An error occurred (NoSuchKey) when asked for {}"),
            RuntimeError("An error occurred (AccessDenied) when asked for amy"),
        ),
    ],
    ids=str,
)
def test_a_code_keeps_it_apart_and_is_told_at_once(
    storm: Pipeline, channel: Recorder, clock: Clock, one: Exception, other: Exception
) -> None:
    for name in NAMES:
        failed(storm, clock, type(one)(*(arg.format(name) if isinstance(arg, str) else arg for arg in one.args)))
    assert len(channel.told) == HANDFUL + 1
    failed(storm, clock, other)
    assert len(channel.told) == HANDFUL + 2
    assert str(other) in channel.told[-1].text


class CallError(Exception):
    def __init__(self, code: object, text: str) -> None:
        super().__init__(text)
        self.code = code


def test_each_code_that_an_exception_carries_is_told_at_once(storm: Pipeline, channel: Recorder, clock: Clock) -> None:
    for name in NAMES:
        failed(storm, clock, CallError("quota_exceeded", f"no call for {name}"))
    assert len(channel.told) == HANDFUL + 1
    for number, code in enumerate(("rate_limited", "no_such_model", "bad_key", Answer.AWAY, Answer.SLOW)):
        failed(storm, clock, CallError(code, f"no call for {word(number)}"))
        assert len(channel.told) == HANDFUL + 2 + number


class Answer(enum.Enum):
    AWAY = 1
    SLOW = 2


def test_a_locked_database_is_no_table_that_is_missing(
    storm: Pipeline, channel: Recorder, clock: Clock, tmp_path: Path
) -> None:
    def ask(text: str) -> None:
        try:
            database.execute(text)
        except sqlite3.OperationalError as error:
            take(storm, clock, "the import failed", error=error)

    with (
        closing(sqlite3.connect(tmp_path / "shop", timeout=0)) as database,
        closing(sqlite3.connect(tmp_path / "shop", isolation_level=None)) as other,
    ):
        database.execute("create table stock (item)")
        for name in NAMES:
            ask(f"delete from {name}")
        assert len(channel.told) == HANDFUL + 1
        other.execute("begin exclusive")
        ask("delete from stock")
        assert len(channel.told) == HANDFUL + 2
        assert "database is locked" in channel.told[-1].first_line


def test_a_name_may_be_called_a_code(storm: Pipeline, channel: Recorder, clock: Clock) -> None:
    for name in NAMES:
        failed(storm, clock, ValueError(f"unknown promotion code: {name}"))
    assert len(channel.told) == HANDFUL + 1


def test_a_name_that_is_new_after_hours_is_told_within_a_window(
    storm: Pipeline, channel: Recorder, clock: Clock
) -> None:
    for number in range(180):
        unknown(storm, clock, NAMES[number % 9])
        pass_time(storm, clock, 60)
    before = len(channel.told)
    unknown(storm, clock, "zoe")
    pass_time(storm, clock, 60)
    assert "zoe × 1 (new)" in channel.told[-1].text
    for _ in range(10):
        unknown(storm, clock, "zoe")
        pass_time(storm, clock, 60)
    assert len(channel.told) == before + 1


def test_what_is_said_else_at_the_place_is_never_folded(storm: Pipeline, channel: Recorder, clock: Clock) -> None:
    unknown(storm, clock, *NAMES[:10])
    for text in ("the disk is full", "user amy is not allowed here", "no user is known here"):
        before = storm.stats().delivered
        take(storm, clock, text)
        assert storm.stats().delivered == before + 1


def test_few_words_are_not_enough_to_fold_by(storm: Pipeline, channel: Recorder, clock: Clock) -> None:
    verbs = ["read", "write", "lock", "parse", "find", "open", "close", "seek", "map", "sync"]
    for verb in verbs:
        take(storm, clock, f"cannot {verb} it")
    assert LEAST_WORDS > 2
    assert ended(storm) == (len(verbs), 0)


PEOPLE = ["张三", "李四", "王五", "赵六", "孙七", "周八", "吴九", "郑十", "欧阳娜娜", "司马光", "诸葛亮", "刘备"]


@pytest.mark.parametrize(
    "text", ["用户{}登录失败", "用户 {} 登录失败", "登录失败，用户：{}，请检查", "用户【{}】登录失败"]
)
def test_names_between_han_characters_are_folded(storm: Pipeline, channel: Recorder, clock: Clock, text: str) -> None:
    for name in PEOPLE:
        take(storm, clock, text.format(name))
    pass_time(storm, clock, 120)
    assert ended(storm) == (HANDFUL + 1, len(PEOPLE) - HANDFUL - 1)
    digest = channel.told[-1].text
    assert [f"{name} × 1 (new)" in digest for name in PEOPLE[HANDFUL + 1 :]] == [True] * (len(PEOPLE) - HANDFUL - 1)
    take(storm, clock, "用户登录失败，数据库连接中断")
    assert len(storm.incidents()) == HANDFUL + 2


def test_few_han_words_are_not_enough_to_fold_by(storm: Pipeline, channel: Recorder, clock: Clock) -> None:
    verbs = ["支付", "退款", "查询", "取消", "创建", "发货", "审核", "导出", "对账"]
    for verb in verbs:
        take(storm, clock, f"订单{verb}失败")
    assert ended(storm) == (len(verbs), 0)


def test_a_quoted_name_needs_one_word_less(storm: Pipeline, channel: Recorder, clock: Clock) -> None:
    for name in NAMES[:10]:
        take(storm, clock, f"mail '{name} report' bounced")
    pass_time(storm, clock, 120)
    assert ended(storm) == (HANDFUL + 1, 10 - HANDFUL - 1)


def test_names_within_routes_are_folded_and_routes_are_not(storm: Pipeline, channel: Recorder, clock: Clock) -> None:
    for name in NAMES[:10]:
        take(storm, clock, f"GET /users/{name}/orders -> 500")
    pass_time(storm, clock, 120)
    assert ended(storm) == (HANDFUL + 1, 10 - HANDFUL - 1)
    for name in NAMES[:10]:
        take(storm, clock, f"GET /{name}/list -> 500")
    assert len(storm.incidents()) == HANDFUL + 1 + 10


def test_two_names_of_a_text_are_folded_one_after_the_other(storm: Pipeline, channel: Recorder, clock: Clock) -> None:
    choose = random.Random(17)
    for _ in range(500):
        take(storm, clock, f"user {choose.choice(NAMES)} may not see page {word(choose.randrange(12))} of it")
    pass_time(storm, clock, 7200)
    assert sum(ended(storm)) == 500
    assert len({re.findall(r"#[0-9a-z]{4,}", one.text)[-1] for one in channel.told}) < 100


def test_a_kind_without_end_has_a_bound_and_the_numbers_stay_exact(
    storm: Pipeline, channel: Recorder, clock: Clock
) -> None:
    for number in range(1000):
        take(storm, clock, f"user {word(number)} is not known here")
    pass_time(storm, clock, 7200)
    assert sum(ended(storm)) == 1000
    assert len({re.findall(r"#[0-9a-z]{4,}", one.text)[-1] for one in channel.told}) == HANDFUL + 1
    digest = next(one for one in channel.told[HANDFUL + 1 :] if one.count > 1)
    named = limits.MAX_VARIANTS - HANDFUL - 1
    assert f"{named} kinds: " in digest.text
    assert f"others × {digest.count - named}" in digest.text
    assert digest.count == 1000 - HANDFUL - 1


def test_the_key_of_an_exception_is_a_name(storm: Pipeline, channel: Recorder, clock: Clock) -> None:
    def price(name: str) -> None:
        raise KeyError(name)

    for name in NAMES[:10]:
        try:
            price(name)
        except KeyError as error:
            take(storm, clock, "no price", error=error)
    pass_time(storm, clock, 120)
    assert ended(storm) == (HANDFUL + 1, 10 - HANDFUL - 1)
    assert f"{NAMES[9]} × 1 (new)" in channel.told[-1].text


def test_a_name_that_is_a_secret_is_not_shown(channel: Recorder, clock: Clock) -> None:
    storm = pipeline(channel, clock, mask=masker([], redact))
    for name in NAMES[:12]:
        take(storm, clock, f"cannot log in to the shop with password={name}{name.upper()} as always")
    pass_time(storm, clock, 120)
    shown = "\n".join(one.text for one in channel.told)
    assert [name for name in NAMES[:12] if name.upper() in shown] == []
    assert re.search(r"\b[1-9]\d? kinds\b", shown)


def test_a_secret_that_is_also_a_word_of_the_text_is_not_shown(channel: Recorder, clock: Clock) -> None:
    storm = pipeline(channel, clock, mask=masker([], redact))
    for name in [*NAMES[:7], "shop"]:
        take(storm, clock, f"cannot log in to the shop with password={name} as always")
    pass_time(storm, clock, 120)
    assert "shop × " not in channel.told[-1].text


def test_two_names_of_one_kind_are_both_shown(storm: Pipeline, channel: Recorder, clock: Clock) -> None:
    for page in NAMES[:7]:
        for name in NAMES[:7]:
            take(storm, clock, f"user {name} may not see page {page} of the book")
    pass_time(storm, clock, 120)
    for name in NAMES[:3]:
        take(storm, clock, f"user {name} may not see page grace of the book")
    pass_time(storm, clock, 240)
    assert re.search(r"\n3 kinds: \w+ \w+ × 1, ", channel.told[-1].text)


def test_after_a_day_kinds_are_apart_again(storm: Pipeline, channel: Recorder, clock: Clock) -> None:
    unknown(storm, clock, *NAMES[:10])
    pass_time(storm, clock, DAY_S + 3600)
    before = storm.stats().delivered
    unknown(storm, clock, *NAMES[:4])
    assert storm.stats().delivered == before + 4


@pytest.mark.slow
@pytest.mark.parametrize("is_failure", [False, True])
def test_what_is_remembered_has_a_bound(*, is_failure: bool) -> None:
    collapses = Collapses()
    for number in range(3 * MAX_TEXTS):
        text = f"{word(number)} of {word(7 * number)} is not {'in ' * (number % 7)}{word(3 * number)}"
        collapses.collapse("one place", text, 1.0, is_failure=is_failure)
        collapses.collapse(f"place {number}", text, 1.0, is_failure=is_failure)
        collapses.collapse(
            f"place {number % 50}", f"user {word(number)} of shop {number // 50} failed", 1.0, is_failure=is_failure
        )
    assert max(map(len, (collapses._few, collapses._kept))) <= MAX_PLACES
    assert len(collapses._forms) <= MAX_COLLAPSED
    assert sum(map(len, collapses._kept.values())) <= MAX_TEXTS
    assert max(map(len, collapses._kept.values()), default=0) <= MAX_ALIKE
    assert max(map(len, collapses._forms.values())) <= MAX_FORMS


def test_levels_and_recipients_collapse_apart(storm: Pipeline, channel: Recorder, clock: Clock) -> None:
    unknown(storm, clock, *NAMES[:8])
    before = storm.stats().delivered
    take(storm, clock, f"user {NAMES[9]} is not known here", level=logging.CRITICAL)
    take(storm, clock, f"user {NAMES[9]} is not known here", wecom={"users": ["amy"]})
    assert storm.stats().delivered == before + 2


def test_what_was_hidden_in_the_first_record_is_hidden_in_what_comes_later(channel: Recorder, clock: Clock) -> None:
    storm = pipeline(channel, clock, mask=masker([], redact))
    for said in ("password=Zk9vQ2canaryX7w", "once more with Zk9vQ2canaryX7w", "Zk9vQ2canaryX7w is refused"):
        take(storm, clock, "no session: %s", args=(said,))
    pass_time(storm, clock, 120)
    assert [one.text.count("***") for one in channel.told] == [1, 3]
    assert "canary" not in "".join(one.text for one in channel.told)


def test_two_threads_that_make_one_alert_hide_the_same_later(channel: Recorder, clock: Clock) -> None:
    once = iter(["another thread"])

    def mask(text: str) -> str:
        if next(once, None):
            storm.incidents()
        return masked(text)

    masked = masker([], redact)
    storm = pipeline(channel, clock, mask=mask)
    for said in ("password=Zk9vQ2canaryX7w", "once more with Zk9vQ2canaryX7w"):
        take(storm, clock, "no session: %s", args=(said,))
    pass_time(storm, clock, 120)
    assert [one.text.count("***") for one in channel.told] == [1, 2]
    assert "canary" not in "".join(one.text for one in channel.told)
