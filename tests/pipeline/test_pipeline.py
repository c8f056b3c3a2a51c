"""The journey, turn by turn, with the time handed in and a real local WeCom at its end."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from wecom_logging._capture.pending import Origin
from wecom_logging._delivery.message_builder import Composer
from wecom_logging._delivery.options import Options
from wecom_logging._delivery.pipeline import Pipeline
from wecom_logging._delivery.sender import CONFIGURATION_BACKOFF_S
from wecom_logging._incidents.life import EXPIRES_S
from wecom_logging._masking.redact import masker
from wecom_logging._pipelines import pipeline_of
from wecom_logging._sandbox import Sandbox
from wecom_logging._state.shared import sqlite_state
from wecom_logging._wecom import BotClient, WeComClient
from wecom_logging._wecom.channels import AppChannel, BotChannel, Channel
from wecom_logging.model import Recipients

from ..programs import Clock, word
from ..storms import warned

BOT_RULES = ((20, 60.0),)


@pytest.fixture
def wecom(clock: Clock) -> Iterator[Sandbox]:
    with Sandbox(clock=clock) as server:
        yield server


def options(**changes: object) -> Options:
    plain = {
        "name": "test",
        "origin": Origin(),
        "looks": Composer(markdown=False),
        "mask": masker([], None),
        "max_pending": 10_000,
    }
    return Options(**{**plain, **changes})


def app(server: Sandbox, users: str = "sandbox-user", secret: str = "sandbox-app-secret") -> list[Channel]:
    client = WeComClient("wwsandbox", secret, agent_id=1000002, api_base=server.url, sleep=lambda _: None)
    return [AppChannel(client, Recipients(users=(users,)))]


def bot(server: Sandbox, *keys: str) -> list[Channel]:
    found = keys or ("sandbox-bot",)
    return [BotChannel(BotClient(key, api_base=server.url, sleep=lambda _: None)) for key in found]


def record(message: object = "something broke", level: int = logging.ERROR, **more: object) -> logging.LogRecord:
    made = logging.LogRecord("shop", level, __file__, 1, message, (), None)
    made.__dict__.update(more)
    return made


def work(pipeline: Pipeline, clock: Clock, until: Callable[[], bool], most: int = 2000) -> None:
    """Turn after turn, the clock going on as the pipeline asks."""
    for _ in range(most):
        if until():
            return
        clock.now += pipeline.turn()
    raise AssertionError("it did not come to an end")


def balanced(pipeline: Pipeline, made: int) -> bool:
    stats = pipeline.stats()
    settled = stats.delivered + stats.merged + stats.handed_over + sum(stats.dropped.values())
    return stats.accepted == made == settled + stats.pending and stats.pending >= 0


def test_an_alert_arrives_and_stands_in_the_books(wecom: Sandbox, clock: Clock) -> None:
    pipeline = pipeline_of(app(wecom), options(), clock)
    pipeline.collector.take(record("first"))
    assert pipeline.stats().pending == 1
    assert pipeline.turn() == 0.0
    assert pipeline.turn() == 600.0  # when its group closes
    assert [message["content"].splitlines()[0] for message in wecom.messages()] == ["🔴 ERROR shop: first"]
    assert (pipeline.stats().delivered, pipeline.stats().pending) == (1, 0)


def test_sixty_at_once_through_a_bot_five_alone_and_the_rest_in_shared_messages(wecom: Sandbox, clock: Clock) -> None:
    pipeline = pipeline_of(bot(wecom), options(rules=BOT_RULES), clock)
    for number in range(60):
        pipeline.collector.take(record(f"broken {word(number)}"))
    began = clock.now
    work(pipeline, clock, lambda: pipeline.stats().pending == 0)
    texts = [message["content"] for message in wecom.messages()]
    assert len(texts) == 6
    assert [" kinds" in text.splitlines()[0] for text in texts] == [False] * 5 + [True] * (len(texts) - 5)
    assert [number for number in range(60) if f"broken {word(number)}" not in "\n".join(texts)] == []
    times = sorted(message["time"] for message in wecom.messages())
    assert times[5:] == [times[4] + 4.0 * place for place in range(1, len(times) - 4)]
    assert clock.now - began < 20
    assert {call.errcode for call in wecom.calls} == {0}  # never once refused
    assert balanced(pipeline, 60)


def test_two_pipelines_of_one_bot_share_its_limit(wecom: Sandbox, clock: Clock) -> None:
    first, second = (pipeline_of(bot(wecom), options(rules=BOT_RULES), clock) for _ in range(2))
    for number in range(15):
        first.collector.take(record(f"a {word(number)}"))
        second.collector.take(record(f"b {word(number)}"))
    for _ in range(5):
        assert first.turn() == 0.0
    assert 3.9 <= second.turn() <= 4.0  # the first has used up what goes at once
    clock.now += 4.0
    assert second.turn() == 0.0
    assert first.turn() > 0
    assert len(wecom.messages()) == 6
    assert {call.errcode for call in wecom.calls} == {0}


def test_members_have_a_limit_each_and_do_not_wait_for_one_another(wecom: Sandbox, clock: Clock) -> None:
    wecom.add_member("other", name="另一位", departments=[1])
    pipeline = pipeline_of(app(wecom), options(rules=((30, 60.0),)), clock)
    for number in range(31):
        pipeline.collector.take(record(f"broken {word(number)}"))
    pipeline.collector.take(record("for somebody else", logging.INFO, wecom={"users": ["other"]}))
    for _ in range(9):  # a quarter of thirty, and the other's
        assert pipeline.turn() == 0.0
    assert pipeline.turn() > 0
    assert [message["receivers"] for message in wecom.messages()].count(["other"]) == 1
    assert pipeline.stats().pending == 23


def test_45009_pauses_this_channel_for_a_minute_and_no_other(
    wecom: Sandbox, clock: Clock, capfd: pytest.CaptureFixture[str]
) -> None:
    wecom.add_fault({"path": "/cgi-bin/webhook/send", "errcode": 45009})
    through_bot, through_app = pipeline_of(bot(wecom), options(), clock), pipeline_of(app(wecom), options(), clock)
    through_bot.collector.take(record("a"))
    through_app.collector.take(record("b"))
    assert through_bot.turn() == 0.0
    assert through_app.turn() == 0.0
    assert [message["channel"] for message in wecom.messages()] == ["app"]
    assert through_bot.turn() == 60.0
    clock.now += 60.0
    assert through_bot.turn() == 0.0
    assert through_bot.stats().delivered == 1
    assert "45009" in capfd.readouterr().err


def test_a_wrong_secret_is_said_once_and_asked_again_only_after_five_minutes(
    wecom: Sandbox, clock: Clock, capfd: pytest.CaptureFixture[str]
) -> None:
    pipeline = pipeline_of(app(wecom, secret="canary-wrong-secret"), options(), clock)
    for number in range(3):
        pipeline.collector.take(record(f"broken {word(number)}"))
    pipeline.turn()
    assert 0 < pipeline.turn() <= CONFIGURATION_BACKOFF_S
    began = clock.now
    work(pipeline, clock, lambda: clock.now >= began + CONFIGURATION_BACKOFF_S - 1)
    asked = [call for call in wecom.calls if call.path.endswith("gettoken")]
    said = capfd.readouterr().err
    assert len(asked) == 1
    assert said.count("\n") == 1
    assert "40001" in said
    assert "Set secret (WECOM_SECRET)" in said
    assert "canary" not in said
    assert pipeline.stats().pending == 3


@pytest.mark.parametrize(
    ("fault", "kept"),
    [
        ({"errcode": -1}, True),
        ({"errcode": 6000}, True),
        ({"errcode": 45033}, True),
        ({"status": 502}, True),
        ({"status": 429}, True),
        ({"status": 403}, True),
        ({"drop": True}, True),
        ({"errcode": 60020}, True),
        ({"errcode": 48002}, True),
        ({"errcode": 40058}, False),
        ({"errcode": 81013}, False),
        ({"errcode": 640001}, False),
        ({"status": 413}, False),
    ],
)
def test_keep_or_give_up(wecom: Sandbox, clock: Clock, fault: dict[str, object], kept: bool) -> None:
    wecom.add_fault({"path": "/cgi-bin/message/send", "times": 3, **fault})
    pipeline = pipeline_of(app(wecom), options(), clock)
    pipeline.collector.take(record())
    pipeline.turn()
    if kept:
        work(pipeline, clock, lambda: pipeline.stats().pending == 0)
        assert (pipeline.stats().delivered, len(wecom.messages())) == (1, 1)
    else:
        assert pipeline.stats().dropped == {"rejected": 1}
    assert balanced(pipeline, 1)


def test_rounds_come_at_growing_distances_up_to_fifteen_seconds(wecom: Sandbox, clock: Clock) -> None:
    wecom.add_fault({"path": "/cgi-bin/webhook/send", "errcode": -1, "times": 1000})
    pipeline = pipeline_of(bot(wecom), options(), clock)
    pipeline.collector.take(record())
    waits: list[float] = []
    while len(waits) < 8:
        wait = pipeline.turn()
        clock.now += wait
        waits += [wait] if wait else []
    assert 0.5 <= waits[0] <= 1.0
    assert all(7.5 <= wait <= 15.0 for wait in waits[4:])
    assert waits[0] < waits[2] < waits[5]


def test_what_could_not_be_sent_for_a_day_expires(wecom: Sandbox, clock: Clock) -> None:
    wecom.add_fault({"path": "/cgi-bin/webhook/send", "status": 503, "times": 1_000_000})
    pipeline = pipeline_of(bot(wecom), options(), clock)
    pipeline.collector.take(record())
    pipeline.turn()
    clock.now += EXPIRES_S - 120
    pipeline.turn()
    assert pipeline.stats().pending == 1
    clock.now += 240
    pipeline.turn()
    assert (pipeline.stats().dropped, pipeline.stats().pending) == ({"expired": 1}, 0)
    assert "expired test" in warned()


def test_what_the_inbox_pushes_out_is_counted_and_said(
    wecom: Sandbox, clock: Clock, capfd: pytest.CaptureFixture[str]
) -> None:
    pipeline = pipeline_of(bot(wecom), options(max_pending=5), clock)
    pipeline.prepare()
    for number in range(20):
        pipeline.collector.take(record(f"broken {word(number)}", logging.CRITICAL if number == 0 else logging.ERROR))
    assert pipeline.waits_for() is not None
    assert pipeline.stats().dropped == {"queue_overflow": 15}
    work(pipeline, clock, lambda: pipeline.stats().pending == 0)
    texts = [message["content"] for message in wecom.messages()]
    assert any("CRITICAL" in text for text in texts)
    # The first of a line stays before those that came when it waited already.
    assert [word(number) in "".join(texts) for number in (1, 17, 18, 19)] == [True] * 4
    assert (warned(), ": 15 alerts" in capfd.readouterr().err) == (["overflow test"], True)
    assert balanced(pipeline, 20)


def test_a_message_that_wecom_alone_refuses_to_answer_does_not_stop_the_others(wecom: Sandbox, clock: Clock) -> None:
    wecom.add_fault({"path": "/cgi-bin/webhook/send", "status": 502, "times": 9})  # three rounds of three tries
    pipeline = pipeline_of(bot(wecom), options(), clock)
    pipeline.collector.take(record("poison", logging.CRITICAL))
    pipeline.collector.take(record("innocent"))
    work(pipeline, clock, lambda: len(wecom.messages()) >= 1)
    assert "innocent" in wecom.messages()[0]["content"]
    work(pipeline, clock, lambda: pipeline.stats().pending == 0)
    assert pipeline.stats().delivered == 2


def test_partial_success_is_delivered_and_said(wecom: Sandbox, clock: Clock, capfd: pytest.CaptureFixture[str]) -> None:
    pipeline = pipeline_of(app(wecom), options(), clock)
    pipeline.collector.take(record("x", wecom={"users": ["sandbox-user", "Nobody"]}))
    pipeline.turn()
    assert pipeline.stats().delivered == 1
    assert "nobody" in capfd.readouterr().err


def test_who_gets_nothing_is_said_once_with_what_to_do(
    wecom: Sandbox, clock: Clock, capfd: pytest.CaptureFixture[str]
) -> None:
    pipeline = pipeline_of(app(wecom), options(), clock)
    said = []
    for number, more in enumerate([["Nobody"], ["Nobody"], ["Nobody", "Another"], ["Another"]]):
        pipeline.collector.take(record(f"{word(number)} broke", wecom={"users": ["sandbox-user", *more]}))
        pipeline.turn()
        said.append(capfd.readouterr().err)
    assert pipeline.stats().delivered == 4
    assert [{*re.findall("nobody|another", one)} for one in said] == [{"nobody"}, set(), {"another"}, set()]
    assert "did not accept some recipients: users nobody; correct them, add them to the app's visible range" in said[0]


def test_one_exception_object_is_one_alert_and_a_higher_level_another(wecom: Sandbox, clock: Clock) -> None:
    pipeline = pipeline_of(app(wecom), options(), clock)
    error = ValueError("one")
    info = (ValueError, error, None)
    pipeline.collector.take(record("low", exc_info=info))
    pipeline.collector.take(record("again", exc_info=info))
    assert pipeline.stats().pending == 2
    pipeline.collector.take(record("worse", logging.CRITICAL, exc_info=info))
    work(pipeline, clock, lambda: pipeline.stats().pending == 0)
    pipeline.collector.take(record("once more", exc_info=info))
    pipeline.turn()
    stats = pipeline.stats()
    assert (stats.delivered, stats.merged, stats.pending, len(wecom.messages())) == (2, 2, 0, 2)
    clock.now += 601  # their groups are over
    pipeline.turn()
    pipeline.collector.take(record("raised anew much later", exc_info=info))
    assert pipeline.stats().pending == 1


def test_an_alert_that_is_refused_is_lost_once_however_often_it_was_seen(wecom: Sandbox, clock: Clock) -> None:
    wecom.add_fault({"path": "/cgi-bin/message/send", "errcode": 40058})
    pipeline = pipeline_of(app(wecom), options(), clock)
    info = (ValueError, ValueError("one"), None)
    for _ in range(3):
        pipeline.collector.take(record(exc_info=info))
    pipeline.turn()
    assert (pipeline.stats().dropped, pipeline.stats().merged) == ({"rejected": 1}, 2)
    pipeline.collector.take(record(exc_info=info))  # it was never told: it is when the wait is over
    work(pipeline, clock, lambda: pipeline.stats().pending == 0)
    assert pipeline.stats().merged == 3
    assert "× 1, 2 in all" in wecom.messages()[0]["content"]


def test_after_close_records_are_counted_and_what_waits_is_still_told(
    wecom: Sandbox, clock: Clock, capfd: pytest.CaptureFixture[str]
) -> None:
    pipeline = pipeline_of(app(wecom), options(), clock)
    pipeline.collector.take(record())
    pipeline.close()
    assert pipeline.collector.take(record()) is False
    assert pipeline.flush(5.0)
    assert pipeline.stats().delivered == 1
    assert pipeline.stats().dropped == {"closed": 1}
    assert "closed" in capfd.readouterr().err


def test_a_redact_that_fails_hides_the_text_and_costs_no_alert(wecom: Sandbox, clock: Clock) -> None:
    def broken(text: str) -> str:
        raise RuntimeError("canary")

    pipeline = pipeline_of(app(wecom), options(mask=masker([], broken)), clock)
    pipeline.collector.take(record("secret text"))
    pipeline.turn()
    (message,) = wecom.messages()
    assert "hidden: redact raised RuntimeError" in message["content"]
    assert "secret text" not in message["content"]
    assert "canary" not in message["content"]


def test_user_code_that_ends_the_thread_costs_one_alert_and_another_thread_goes_on(wecom: Sandbox) -> None:
    def leave(text: str) -> str:
        if "leave" in text:
            raise SystemExit
        return text

    pipeline = pipeline_of(app(wecom), options(mask=masker([], leave)))
    pipeline.collector.emit(record("leave"))
    assert pipeline.flush(20.0)
    pipeline.collector.emit(record("stay"))
    assert pipeline.flush(20.0)
    assert pipeline.stats().dropped == {"rejected": 1}
    assert ["stay" in message["content"] for message in wecom.messages()] == [True]
    pipeline.close()


def _leave(text: str) -> str:
    if "leave" in text:
        raise SystemExit
    return text


def test_of_many_that_share_messages_only_those_are_lost_for_which_user_code_ends_the_thread(
    wecom: Sandbox, capfd: pytest.CaptureFixture[str]
) -> None:
    pipeline = pipeline_of(app(wecom), options(mask=masker([], _leave)))
    for number in range(120):
        text = "leave" if number % 10 == 9 else "stay"
        pipeline.collector.take(record(text, name=f"shop.{number}"))
    assert pipeline.flush(30.0)
    stats = pipeline.stats()
    assert (stats.delivered, stats.dropped) == (108, {"rejected": 12})
    assert len(wecom.messages()) < 20  # those that stay have shared them
    assert "could not be made into a message (SystemExit)" in capfd.readouterr().err
    pipeline.close()


def test_a_state_gets_all_but_that_for_which_user_code_ends_the_thread(
    wecom: Sandbox, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    shared = sqlite_state(str(tmp_path / "alerts.db"), lambda cause, text: None)
    pipeline = pipeline_of(app(wecom), options(mask=masker([], _leave), shared=shared))
    pipeline.collector.emit(record("order %s failed", args=("one",)))
    assert pipeline.flush(20.0)
    for text in ("two", "leave"):  # kept as samples, and masked for the state
        pipeline.collector.emit(record("order %s failed", args=(text,)))
    for number in range(5):
        pipeline.collector.emit(record("stay", name=f"shop.{number}"))
    assert pipeline.flush(20.0)
    stats = pipeline.stats()
    assert (stats.handed_over, stats.dropped) == (6, {"rejected": 2})
    assert sum("stay" in message["content"] for message in wecom.messages()) == 5
    assert "could not be given to the state (SystemExit)" in capfd.readouterr().err
    pipeline.close()


def test_who_rests_sees_what_another_process_of_the_state_has_sent(wecom: Sandbox, tmp_path: Path) -> None:
    shared = sqlite_state(str(tmp_path / "alerts.db"), lambda cause, text: None)
    rests, sends = (pipeline_of(app(wecom), options(shared=shared)) for _ in range(2))
    rests._turn.senders._senders[0].back_off_until = float("inf")
    rests.collector.emit(record("the disk is full"))
    sends.open()
    assert rests.flush(20.0)
    assert rests.stats().handed_over == 1
    assert len(wecom.messages()) == 1
    for one in (rests, sends):
        one.close()


def test_a_state_that_comes_back_gets_the_first_of_a_group_before_its_repeats(
    wecom: Sandbox, clock: Clock, tmp_path: Path
) -> None:
    said: list[str] = []
    shared = sqlite_state(str(tmp_path / "alerts.db"), lambda cause, text: said.append(text))
    pipeline = pipeline_of(bot(wecom), options(shared=shared), clock)
    shared._back_off_until = float("inf")  # it is away
    pipeline.collector.take(record("the disk is full"))
    pipeline.collector.take(record("no ink is left"))  # of the same line: it waits behind those of other lines
    pipeline.turn()  # tells the first
    for _ in range(4):
        pipeline.collector.take(record("the lamp is off", lineno=2))
    shared._back_off_until = 0.0
    pipeline.turn()
    assert (pipeline.stats().delivered, pipeline.stats().handed_over, pipeline.stats().dropped) == (1, 5, {})
    assert said == []
    shared.close()
