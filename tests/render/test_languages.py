"""Every kind of message in Chinese: no fixed word of it is English, and it fits as the English one does."""

from __future__ import annotations

import ast
import logging
import re
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import wecom_logging
from wecom_logging._delivery.message_builder import Composer
from wecom_logging._delivery.options import Target
from wecom_logging._delivery.sender import hand_over
from wecom_logging._lines import LINES
from wecom_logging._masking.redact import redact
from wecom_logging._render import words
from wecom_logging._render.facts import told_losses
from wecom_logging._render.flood import summary, table, worst_first
from wecom_logging._render.layout import first_line, fit, lay_out
from wecom_logging._render.mask import masked
from wecom_logging._render.retold import in_language
from wecom_logging._render.share import share
from wecom_logging._render.styles import MARKDOWN, TEXT
from wecom_logging._render.words import PHRASES, retold, retold_value, with_marks_retold
from wecom_logging._state.entries import dump, load
from wecom_logging._text.cut import cap, size
from wecom_logging._text.said import Phrase
from wecom_logging._wecom.body import BOT_BYTES
from wecom_logging.model import Alert, Digest, Failure, Frame, Sample, Variant

from ..programs import thread_seconds
from .alerts import alert, digests

ZH = [TEXT.within("zh"), MARKDOWN.within("zh")]
LATIN = re.compile("[A-Za-z]")
NOW = 1_700_000_000.0
FRAMES = tuple(Frame("主/页.文", line, "付款", own=line % 2 == 0, code="付款(单)") for line in range(1, 5))
FAILURE = Failure("坏了", "钱不够\n两行", FRAMES, omitted=12, head=2, notes=("注意",))
CHAIN = (
    replace(FAILURE, link="cause"),
    replace(FAILURE, link="context"),
    replace(FAILURE, members=((FAILURE,), (FAILURE,))),
)
PLAIN = alert(
    logger="店.付款",
    message="付不了\n" + "很长的一行" * 400,
    template="付不了",
    host="一号机",
    process_name="工人",
    thread_name="线",
    place=FRAMES[0],
    module="付款",
    service="商店",
    environment="生产",
    failures=CHAIN,
    stack="栈\n" * 3,
)


def kinds() -> Iterator[tuple[str, Digest]]:
    """One digest of each kind that there is."""
    yield "a first alert", Digest(PLAIN, short_id="4721")
    for level in ("CRITICAL", "ERROR", "WARNING", "INFO", "DEBUG"):
        yield level, Digest(replace(PLAIN, level_name=level, level=getattr(logging, level)), short_id="4721")
    again = Digest(
        PLAIN,
        4321,
        12345,
        since=NOW,
        last=NOW + 3000,
        rates=(1, 2),
        short_id="4721",
        samples=(Sample(NOW, "又付不了"),),
    )
    yield "a digest", again
    yield "of hosts", replace(again, hosts=14, processes=90)
    yield "of processes", replace(again, processes=3)
    for quiet_s in (1, 60, 119, 600, 3600, 36_000):
        yield f"a closing line {quiet_s}", replace(again, quiet_s=quiet_s, processes=3)
    came = (Variant("甲", 9), Variant("乙", 2, "没有乙", NOW, is_new=True))
    yield "of many kinds", replace(again, variants=came)
    yield "no text", Digest(alert(message="", logger="店", place=FRAMES[0], host="一"), short_id="4721")
    yield "formatted", replace(again, alert=replace(PLAIN, formatted="格式\n" + "行\n" * 900))
    yield "very many lines", Digest(replace(PLAIN, message="行\n" * 900, stack="栈\n" * 900), short_id="4721")
    yield "a title", Digest(replace(PLAIN, title="付款失败"), short_id="4721")


def without_ids(text: str) -> str:
    """A message without the markup that shows it."""
    return re.sub(r"</?font[^>]*>|https?://\S+?(?=\)|$)", "", text, flags=re.MULTILINE)


@pytest.mark.parametrize("style", ZH)
@pytest.mark.parametrize(("kind", "digest"), list(kinds()))
def test_no_fixed_word_of_a_message_is_english(style: Any, kind: str, digest: Digest) -> None:
    digest = in_language(digest, "zh")
    losses = told_losses(dict.fromkeys(words.REASONS, 3), {}, "zh")
    layout = lay_out(digest, style, "https://log.example/4721", losses)
    texts = [
        *layout.lines(),
        fit(layout, 2048),
        fit(layout, 700),
        first_line(digest, style, 120),
    ]
    for text in texts:
        assert not LATIN.search(without_ids(text)), (kind, text)


@pytest.mark.parametrize("style", ZH)
@pytest.mark.parametrize("number", [1, 2, 5, 40])
@pytest.mark.parametrize("quiet", [False, True])
def test_no_fixed_word_of_a_shared_message_is_english(style: Any, number: int, quiet: bool) -> None:
    one = in_language(Digest(PLAIN, 3, 9, since=NOW, last=NOW + 7000, short_id="4721"), "zh")
    many = [replace(one, quiet_s=600.0 if quiet else 0.0, last=NOW + 10.0**place) for place in range(number)]
    text, shown = share(many, style, 2048, told_losses({"expired": 2}, {}, "zh"))
    assert shown >= 1
    assert size(text) <= 2048
    assert not LATIN.search(without_ids(text)), text


@pytest.mark.slow
@given(st.lists(digests, min_size=1, max_size=12), st.integers(300, 4096), st.sampled_from(ZH))
def test_a_shared_message_in_chinese_fits(made: list[Digest], most: int, style: Any) -> None:
    text, shown = share([in_language(one, "zh") for one in made], style, most, "丢失")
    assert size(text) <= most
    assert 1 <= shown <= len(made)


@pytest.mark.slow
@given(digests, st.integers(300, 2048), st.sampled_from(ZH))
def test_a_message_in_chinese_fits(digest: Digest, most: int, style: Any) -> None:
    assert size(fit(lay_out(in_language(digest, "zh"), style), most)) <= most


# What records of this package say.


def of_phrase(phrase: Phrase, parts: list[str], **changes: Any) -> Alert:
    return alert(message=phrase.en % tuple(parts), template=phrase.en, ours=(phrase.en,), logger="店", **changes)


@pytest.mark.parametrize("phrase", list(PHRASES.values()), ids=lambda phrase: phrase.en[:40])
def test_what_a_record_says_is_told_in_chinese_with_all_its_parts(phrase: Phrase) -> None:
    parts = [f"x{number}" for number in range(phrase.en.count("%s"))]
    told = retold(phrase.en % tuple(parts), phrase)
    assert told == phrase.zh % tuple(parts)
    found = in_language(Digest(of_phrase(phrase, parts), samples=(Sample(NOW, phrase.en % tuple(parts)),)), "zh")
    assert (found.alert.message, found.samples[0].text) == (told, told)
    assert in_language(Digest(of_phrase(phrase, parts)), "en").alert.message == phrase.en % tuple(parts)


@given(st.sampled_from(list(PHRASES.values())), st.lists(st.text("甲乙%: \n"), min_size=4, max_size=4))
@example(words.NOT_LOADED, [" 甲", "乙"])
def test_no_text_of_the_program_is_lost_in_another_language(phrase: Phrase, parts: list[str]) -> None:
    given_parts = parts[: phrase.en.count("%s")]
    told = retold(phrase.en % tuple(given_parts), phrase)
    rest = told
    for part in given_parts if not phrase.inner else ():
        assert part in rest
        rest = rest[rest.index(part) + len(part) :]


def test_what_was_masked_stays_masked_in_another_language() -> None:
    phrase = words.STARTED
    found = masked(of_phrase(phrase, ["password"]), redact)
    assert "started" in of_phrase(phrase, ["password"]).message
    told = in_language(Digest(found), "zh").alert.message
    assert told in (found.message, phrase.zh % "password")
    secret = masked(of_phrase(words.JOB_FAILED, ["付", "坏", "password=hunter2"]), redact)
    assert in_language(Digest(secret), "zh").alert.message == "任务付失败：坏: password=***"


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("0.4 s", "0.4 秒"),
        ("3 min 5 s", "3 分 5 秒"),
        ("26 h 4 min", "26 小时 4 分"),
        ("17 of 100 (17 %) in 3 h", "17/100（17 %），用时 3 小时"),
        ("17 in 90 s", "17，用时 90 秒"),
        ("1.2e+05 a second ▁▂", "每秒 1.2e+05 ▁▂"),
        ("3 an hour", "每小时 3"),
        ("about 3 h, until 11-27 10:00", "约 3 小时，预计 11-27 10:00 结束"),
        ("(none)", "无"),
        ("ValueError 2, logged 1, 404 1", "ValueError 2, 日志 1, 404 1"),
        ("logged 1", "日志 1"),
        (
            "WeComHandler could not deliver it: it could not be made into a message",
            "WeComHandler 未能送达：无法生成消息",
        ),
        ("3 in the queue", "3 in the queue"),
        ("/pay/3 h", "/pay/3 h"),
        ("backlogged 1", "backlogged 1"),
    ],
)
def test_values_of_ours_are_told_in_chinese_and_others_stay(english: str, chinese: str) -> None:
    assert retold_value(english) == chinese


@pytest.mark.parametrize(("row", "count"), [("died_with_one", 1), ("died", 12)])
def test_what_a_process_left_is_told_as_stderr_says_it(row: str, count: int) -> None:
    english, chinese = (text.format(count=count) for text in LINES[row])
    assert retold_value(english) == chinese


def test_names_of_fields_are_ours_only_where_the_record_says_so() -> None:
    given_fields = (("user", "3 h"), ("took", "3 h"))
    own = in_language(Digest(alert(fields=given_fields, ours=("", "took"))), "zh").alert
    assert (own.message, own.fields) == ("it broke", (("user", "3 h"), ("耗时", "3 小时")))
    programs = alert(fields=given_fields, message="job a failed: B: c", template="job %s failed: %s: %s")
    assert in_language(Digest(programs), "zh").alert == programs


def test_marks_in_texts_are_chinese() -> None:
    text = cap("字" * 100_000)
    assert "characters cut" in text
    assert not LATIN.search(with_marks_retold(text))
    marks = [row.en.replace("%s", "7") for row in words._MARKS]
    assert not LATIN.search(with_marks_retold(" 和 ".join(marks)))
    failures = (replace(FAILURE, type=words.EXCEPTIONS_LEFT_OUT.en % 3, text=marks[0], members=((FAILURE,),)),)
    told = in_language(Digest(alert(failures=failures, stack=marks[1], title=marks[2])), "zh").alert
    assert not LATIN.search(told.failures[0].type + told.failures[0].text + told.stack + told.title)


@pytest.mark.parametrize("phrase", list(PHRASES.values()), ids=lambda phrase: phrase.en[:40])
def test_a_text_of_the_worst_kind_is_retold_in_linear_time(phrase: Phrase) -> None:
    for unit in phrase.en.split("%s"):
        text = phrase.en.partition("%s")[0] + (unit or "a") * (512 * 1024 // len(unit or "a"))
        assert thread_seconds(lambda text=text: retold(text, phrase)) < 5.0
        assert retold(text, phrase)


def test_what_others_have_captured_is_told_in_the_language_of_who_sends_it() -> None:
    there = load(dump(of_phrase(words.JOB_FAILED, ["付", "坏", "无"], fields=(("job", "付"),))))
    there = replace(there, ours=(words.JOB_FAILED.en, "job"))
    (english,) = Composer(False).compose(Digest(there), _Bot)
    (chinese,) = Composer(False, language="zh").compose(Digest(there), _Bot)
    assert "job 付 failed: 坏: 无" in str(english)
    assert "任务付失败：坏: 无" in str(chinese)
    assert "│ 任务：付" in str(chinese)


class _Bot:
    mentions = True
    max_bytes = BOT_BYTES


# What the code says.

PACKAGE = Path(wecom_logging.__file__).parent


def test_each_record_of_the_package_says_a_phrase_of_the_table() -> None:
    """No LogRecord is made here with words of its own, but by those that pass on what others say."""
    passes_on = {"loguru.py", "structlog.py", "sender.py"}
    found = 0
    for path in (
        *PACKAGE.glob("*.py"),
        *PACKAGE.glob("integrations/**/*.py"),
        *PACKAGE.glob("_cli/*.py"),
        *PACKAGE.glob("_delivery/*.py"),
    ):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and ast.unparse(node.func).endswith("LogRecord")
                and path.name not in passes_on
            ):
                found += 1
                assert not any(
                    isinstance(part, ast.Constant) and isinstance(part.value, str) and " " in part.value
                    for part in ast.walk(node.args[4])
                ), f"{path.name}:{node.lineno}"
    assert found >= 7


class _Other(logging.Handler):
    """Of another package."""

    def __init__(self) -> None:
        super().__init__()
        self.taken: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.taken.append(record)


def test_the_fallback_says_why_in_the_language_of_who_tells_it() -> None:
    handler = _Other()
    languages: tuple[words.Language, ...] = ("en", "zh")
    for language in languages:
        assert hand_over(Digest(PLAIN), Target(handler), 1, "甲", words.NO_MESSAGE.en, language)
    english, chinese = (record.getMessage() for record in handler.taken)
    assert "fallback: 甲 could not deliver it: it could not be made into a message" in english
    assert "兜底：甲未能送达：无法生成消息" in chinese
    assert not LATIN.search(chinese)


def test_all_of_an_alert_that_is_text_is_looked_at_or_known_to_be_the_programs() -> None:
    looked_at = {"message", "title", "fields", "stack", "failures", "level_name", "ours"}
    programs = {"id", "logger", "template", "host", "process_name", "thread_name", "place", "module", "service"}
    others = {
        "environment",
        "formatted",
        "fingerprint",
        "recipients",
        "mention",
        "passed",
        "level",
        "time",
        "process",
        "kind",
    }
    assert {field.name for field in fields(Alert)} == looked_at | programs | others


@pytest.mark.parametrize("style", ZH)
def test_no_fixed_word_of_a_flood_is_english(style: Any) -> None:
    many = [in_language(one, "zh") for _, one in kinds()]
    many = worst_first([replace(one, short_id=f"{place:04}") for place, one in enumerate(many * 3)])
    text, shown = summary(many, style, 2048, told_losses({"expired": 2}, {}, "zh"))
    assert shown >= 1
    assert not LATIN.search(without_ids(text)), text
    assert not LATIN.search(table(many, "zh").decode("utf-8-sig"))


def test_what_a_record_says_in_a_flood_is_chinese() -> None:
    said = Digest(of_phrase(words.JOB_FAILED, ["付", "坏", "无"]), short_id="4721")
    (message, attachment), _ = Composer(False, language="zh").flood([said] * 12, _Bot)
    assert "任务付失败" in str(message)
    assert "任务付失败：坏: 无" in attachment.data.decode("utf-8-sig")
