"""Several bots of one group: the least busy sends, each rests alone, and what waits waits only for all of them."""

from __future__ import annotations

import io
import itertools
import logging
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.programs import Clock, until, word
from tests.scripted import ScriptedWeCom, errcode, ok
from wecom_logging import WeComBotHandler
from wecom_logging._delivery.message_builder import Composer
from wecom_logging._delivery.pipeline import Pipeline
from wecom_logging._delivery.sender import CONFIGURATION_BACKOFF_S
from wecom_logging._pipelines import pipeline_of
from wecom_logging._sandbox import Sandbox
from wecom_logging.model import Stats

from .test_pipeline import BOT_RULES, balanced, bot, options, record, work

SEND = "/cgi-bin/webhook/send"


@pytest.fixture
def wecom(clock: Clock) -> Iterator[Sandbox]:
    with Sandbox(clock=clock) as server:
        for key in ("one", "two", "three"):
            server.add_bot(key)
        yield server


def through(wecom: Sandbox, clock: Clock, *keys: str, **changes: object) -> Pipeline:
    return pipeline_of(bot(wecom, *keys), options(**{"rules": BOT_RULES, **changes}), clock)


def keys(wecom: Sandbox) -> list[str]:
    return [message["key"] for message in wecom.messages()]


def take(pipeline: Pipeline, *texts: str, level: int = logging.ERROR) -> None:
    for text in texts:
        pipeline.collector.take(record(text, level))


def test_the_least_busy_one_sends(wecom: Sandbox, clock: Clock) -> None:
    alone = through(wecom, clock, "two")
    take(alone, "a", "b", "c")
    work(alone, clock, lambda: alone.stats().pending == 0)
    group = through(wecom, clock, "one", "two", "three")
    for number in range(6):
        clock.now += 1.0
        take(group, word(number))
        work(group, clock, lambda: group.stats().pending == 0)
    assert keys(wecom)[3:] == ["one", "three"] * 3


def test_sixty_in_a_hurry_forty_go_in_the_first_minute(wecom: Sandbox, clock: Clock) -> None:
    pipeline = through(wecom, clock, "one", "two")
    pipeline.draining = True
    began = clock.now
    for number in range(60):
        take(pipeline, f"broken {word(number)}")
        work(pipeline, clock, lambda: pipeline.stats().pending == 0)
    messages = wecom.messages()
    assert len(messages) == 60
    first = [message["key"] for message in messages if message["time"] < began + 60]
    assert Counter(first) == {"one": 20, "two": 20}
    assert clock.now == began + 60.0
    assert {call.errcode for call in wecom.calls} == {0}  # never once refused
    assert balanced(pipeline, 60)


def test_sixty_at_once_ten_go_alone_and_the_rest_in_shared_messages(wecom: Sandbox, clock: Clock) -> None:
    pipeline = through(wecom, clock, "one", "two")
    for number in range(60):
        take(pipeline, f"broken {word(number)}")
    began = clock.now
    work(pipeline, clock, lambda: pipeline.stats().pending == 0)
    messages = wecom.messages()
    texts = [message["content"] for message in messages]
    assert [number for number in range(60) if f"broken {word(number)}" not in "\n".join(texts)] == []
    assert [" kinds" in text.splitlines()[0] for text in texts] == [False] * 10 + [True] * (len(texts) - 10)
    assert Counter(keys(wecom)[:10]) == {"one": 5, "two": 5}
    assert [message["time"] - began for message in messages] == [0.0] * 10 + [4.0]
    assert balanced(pipeline, 60)


def test_in_a_storm_each_keeps_its_own_distance(wecom: Sandbox, clock: Clock) -> None:
    pipeline = through(wecom, clock, "one", "two")
    began = clock.now
    for number in range(120):
        clock.now = max(clock.now, began + number / 2)
        take(pipeline, f"broken {word(number)}")
        while pipeline.turn() == 0.0:
            pass
    work(pipeline, clock, lambda: pipeline.stats().pending == 0)
    for key in ("one", "two"):
        times = [message["time"] for message in wecom.messages() if message["key"] == key][4:]
        assert len(times) > 12
        assert min(later - sooner for sooner, later in itertools.pairwise(times)) >= 4.0
    assert {call.errcode for call in wecom.calls} == {0}
    assert balanced(pipeline, 120)


@pytest.mark.case("W06")
@pytest.mark.parametrize("fault", [{"errcode": 45009}, {"errcode": 93000}, {"errcode": 93004}, {"status": 429}])
def test_one_that_wecom_refuses_rests_alone(
    wecom: Sandbox, clock: Clock, capfd: pytest.CaptureFixture[str], fault: dict[str, object]
) -> None:
    wecom.add_fault({"path": SEND, **fault})
    pipeline = through(wecom, clock, "one", "two")
    take(pipeline, "a", "b", "c")
    work(pipeline, clock, lambda: pipeline.stats().pending == 0, most=6)
    assert keys(wecom) == ["two"] * 3
    assert clock.now == Clock().now  # nobody waited
    said = capfd.readouterr().err.splitlines()
    assert len(said) == 1
    assert "bot 1 of 2: this bot pauses, another one sends: " in said[0]
    assert pipeline.stats() == Stats(accepted=3, delivered=3)


@pytest.mark.case("W06")
def test_a_minute_of_peace_for_all_of_them(wecom: Sandbox, clock: Clock, capfd: pytest.CaptureFixture[str]) -> None:
    wecom.add_fault({"path": SEND, "errcode": 45009, "times": 2})
    pipeline = through(wecom, clock, "one", "two")
    take(pipeline, "a")
    assert [pipeline.turn(), pipeline.turn(), pipeline.turn()] == [0.0, 0.0, 60.0]
    first, second = capfd.readouterr().err.splitlines()
    assert "bot 1 of 2: this bot pauses, another one sends: " in first
    assert "bot 2 of 2: alerts wait: " in second
    clock.now += 60.0
    work(pipeline, clock, lambda: pipeline.stats().pending == 0)
    assert keys(wecom) == ["one"]


def test_a_bot_that_is_gone_is_asked_again_after_five_minutes(wecom: Sandbox, clock: Clock) -> None:
    wecom.remove_bot("one")
    pipeline = through(wecom, clock, "one", "two")
    take(pipeline, "a")
    work(pipeline, clock, lambda: pipeline.stats().pending == 0)
    wecom.add_bot("one")
    for text, key in (("b", "two"), ("c", "one")):
        take(pipeline, text)
        work(pipeline, clock, lambda: pipeline.stats().pending == 0)
        assert keys(wecom)[-1] == key
        clock.now += CONFIGURATION_BACKOFF_S


def test_where_the_network_fails_another_tries_and_only_then_it_waits(wecom: Sandbox, clock: Clock) -> None:
    wecom.add_fault({"path": SEND, "status": 502, "times": 6})  # two rounds of three tries
    pipeline = through(wecom, clock, "one", "two")
    take(pipeline, "a")
    assert [pipeline.turn(), pipeline.turn()] == [0.0, 0.0]
    assert 0.0 < pipeline.turn() <= 1.0
    work(pipeline, clock, lambda: pipeline.stats().pending == 0)
    assert len(keys(wecom)) == 1


def test_what_waits_waits_only_while_all_rest(wecom: Sandbox, clock: Clock, capfd: pytest.CaptureFixture[str]) -> None:
    wecom.remove_bot("one")
    wecom.remove_bot("two")
    pipeline = through(wecom, clock, "one", "two")
    take(pipeline, "a", "b")
    began = clock.now
    work(pipeline, clock, lambda: pipeline.turn() > 0)
    assert pipeline.collector.all_blocked
    first, second = capfd.readouterr().err.splitlines()
    assert "bot 1 of 2: this bot pauses, another one sends: " in first
    assert "bot 2 of 2: alerts wait: " in second
    wecom.add_bot("two")
    work(pipeline, clock, lambda: pipeline.stats().pending == 0)
    assert clock.now == began + CONFIGURATION_BACKOFF_S
    assert keys(wecom) == ["two"] * 2
    assert balanced(pipeline, 2)


def test_a_busy_one_is_waited_for_while_the_others_are_gone(wecom: Sandbox, clock: Clock) -> None:
    wecom.remove_bot("one")
    pipeline = through(wecom, clock, "one", "two", rules=((1, 60.0),))
    take(pipeline, "a")
    work(pipeline, clock, lambda: pipeline.stats().pending == 0)
    take(pipeline, "b")
    work(pipeline, clock, lambda: pipeline.stats().pending == 0)
    assert keys(wecom) == ["two"] * 2
    assert clock.now == Clock().now + 60.0


def test_a_refused_message_is_refused_for_all(wecom: Sandbox, clock: Clock) -> None:
    wecom.add_fault({"path": SEND, "errcode": 40058})
    pipeline = through(wecom, clock, "one", "two")
    take(pipeline, "a")
    pipeline.turn()
    assert pipeline.stats() == Stats(accepted=1, dropped={"rejected": 1})
    assert len(wecom.calls) == 1


def test_what_is_sent_again_by_another_is_the_very_same(wecom: Sandbox, clock: Clock) -> None:
    with ScriptedWeCom() as scripted:
        pipeline = pipeline_of(bot(scripted, "one", "two"), options(), clock)
        scripted.script(SEND, errcode(93000), ok())
        take(pipeline, "a")
        work(pipeline, clock, lambda: pipeline.stats().pending == 0)
        first, second = scripted.bodies(SEND)
        assert first == second


def test_a_file_is_uploaded_by_the_one_that_sends_it(wecom: Sandbox, clock: Clock) -> None:
    pipeline = through(wecom, clock, "one", "two", looks=Composer(markdown=False, overflow="file"))
    wecom.add_fault({"path": "/cgi-bin/webhook/upload_media", "errcode": 45009})
    take(pipeline, "word " * 1000)
    work(pipeline, clock, lambda: pipeline.stats().pending == 0)
    assert [(message["msgtype"], message["key"]) for message in wecom.messages()] == [("text", "one"), ("file", "two")]
    take(pipeline, "another " * 1000)
    work(pipeline, clock, lambda: pipeline.stats().pending == 0)
    assert {call.errcode for call in wecom.calls} == {0, 45009}  # no bot takes the file of another


def test_two_handlers_that_have_a_bot_in_common_share_its_limit(wecom: Sandbox, clock: Clock) -> None:
    both, one = through(wecom, clock, "one", "two"), through(wecom, clock, "one")
    for number in range(5):
        take(one, word(number))
    work(one, clock, lambda: one.stats().pending == 0)
    take(both, "a", "b")
    work(both, clock, lambda: both.stats().pending == 0)
    assert keys(wecom) == ["one"] * 5 + ["two"] * 2


def handled(handler: WeComBotHandler) -> None:
    handler.handle(logging.LogRecord("shop", logging.ERROR, "shop.py", 7, "order lost", None, None))


def test_the_fallback_gets_what_none_of_them_takes(sandbox: Sandbox, capfd: pytest.CaptureFixture[str]) -> None:
    sandbox.add_bot("two")
    stream = io.StringIO()
    handler = WeComBotHandler(
        webhook=["one", "two"], api_base=sandbox.url, fallback=logging.StreamHandler(stream), rate_limit=None
    )
    handled(handler)
    until(lambda: handler.stats().pending == 0)
    assert (handler.stats(), keys(sandbox)) == (Stats(accepted=1, delivered=1), ["two"])
    assert stream.getvalue() == ""
    sandbox.remove_bot("two")
    handler.handle(logging.LogRecord("shop", logging.ERROR, "shop.py", 9, "another order lost", None, None))
    until(lambda: handler.stats().pending == 0)
    assert handler.stats() == Stats(accepted=2, delivered=1, handed_over=1)
    assert "another order lost" in stream.getvalue()
    assert "bot 2 of 2: an alert went to the fallback" in capfd.readouterr().err


def test_no_key_of_any_of_them_is_told(sandbox: Sandbox) -> None:
    canaries = ["canary-of-the-first-bot", "canary-of-the-second-bot"]
    for key in canaries:
        sandbox.add_bot(key)
    handler = WeComBotHandler(webhook=canaries, api_base=sandbox.url)
    handler.handle(logging.LogRecord("shop", logging.ERROR, "shop.py", 7, f"lost {' '.join(canaries)}", None, None))
    until(lambda: handler.stats().pending == 0)
    (message,) = sandbox.messages()
    assert "lost" in message["content"]
    assert "canary" not in message["content"]
