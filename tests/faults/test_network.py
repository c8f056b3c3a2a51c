"""What the network and WeCom can do to an alert: it is kept and told later, or given up for a reason, as designed.

The pipeline is whole and real, with a real client, real sockets and a scripted WeCom; only time is handed in.
"""

from __future__ import annotations

import gc
import logging
from collections.abc import Iterator

import pytest

from tests.programs import until
from tests.scripted import ScriptedWeCom, Step, errcode, hold, ok, raw, response, status
from tests.secrets import ACCESS_TOKEN, BOT_KEY, CORP_SECRET, assert_no_secret
from tests.wecom.failures import EACH_FAILURE, FAILURES, GOOD, Failure
from wecom_logging import WeComBotHandler, WeComHandler

from .rig import GETTOKEN, PUSH, SEND, Rig


@pytest.fixture
def wecom() -> Iterator[ScriptedWeCom]:
    with ScriptedWeCom(token=ACCESS_TOKEN) as server:
        yield server


def texts(wecom: ScriptedWeCom, path: str = SEND) -> list[str]:
    return [request.json["text"]["content"] for request in wecom.requests if request.path == path]


def said(capfd: pytest.CaptureFixture[str]) -> list[str]:
    """The lines on stderr, which show no secret."""
    err = capfd.readouterr().err
    assert_no_secret(err, CORP_SECRET, ACCESS_TOKEN, BOT_KEY)
    return err.splitlines()


GIVEN_UP = {"81013", "40058", "unknown errcode", "huge errcode"}
UNTIL_SOMEBODY_MENDS = {"40001", "60020", "301002"}
PAUSES = {"429": 7.0, "45009": 60.0}


@pytest.mark.parametrize("failure", EACH_FAILURE)
@pytest.mark.parametrize("bot", [False, True], ids=["app", "bot"])
def test_every_failure_keeps_the_alert_or_gives_it_up_as_designed(
    wecom: ScriptedWeCom, capfd: pytest.CaptureFixture[str], failure: Failure, bot: bool
) -> None:
    rig, path = Rig(wecom.url, bot=bot), PUSH if bot else SEND
    wecom.always(path, failure.step)
    rig.log("disk full")
    if "deep" in failure.name:
        gc.collect()  # what earlier tests have left is not to end amid an answer that is nested as deep as can be
    rig.turn()
    assert len(wecom.bodies(path)) == failure.tries
    lines = said(capfd)
    assert len(lines) == 1
    if failure.name in GIVEN_UP:
        assert rig.stats().dropped == {"rejected": 1}
        assert "refused" in lines[0]
        return
    assert rig.stats().pending == 1
    wecom.mend()
    waited = rig.run_until_settled(within_s=300)
    expected = 300 if failure.name in UNTIL_SOMEBODY_MENDS else PAUSES.get(failure.name, 1)
    assert expected / 2 <= waited <= expected
    assert rig.stats().delivered == 1
    assert len(wecom.bodies(path)) == failure.tries + 1


@pytest.mark.parametrize("failure", [failure for failure in FAILURES if failure.tries == 3], ids=str)
def test_a_failing_gettoken_keeps_the_alert(wecom: ScriptedWeCom, failure: Failure) -> None:
    wecom.script(GETTOKEN, *[failure.step] * 3)
    rig = Rig(wecom.url)
    rig.log("disk full")
    rig.run_until_settled(within_s=2)
    assert wecom.paths() == ["gettoken"] * 4 + ["message/send"]
    assert rig.stats().delivered == 1


@pytest.mark.case("N01")
def test_a_server_that_is_down_is_asked_less_and_less_and_gets_everything_when_it_is_back(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with ScriptedWeCom() as gone:
        pass
    rig = Rig(gone.url)
    rig.log("first", "second")
    waits = [wait for wait in (rig.turn() for _ in range(60)) if wait > 0]
    assert waits[0] <= 1
    assert all(wait <= 15 for wait in waits)
    assert min(waits[-5:]) >= 7
    (line,) = said(capfd)
    assert "Connection refused" in line
    assert rig.stats().pending == 2
    with ScriptedWeCom(port=gone.port) as back:
        assert rig.run_until_settled(within_s=15) <= 15
        assert [text.splitlines()[0] for text in texts(back)] != []
        assert ["first" in texts(back)[0], "second" in texts(back)[1]] == [True, True]
    assert rig.stats().delivered == 2


@pytest.mark.case("N05", "W16")
def test_a_server_that_never_answers_holds_nothing_up_for_good(wecom: ScriptedWeCom) -> None:
    rig = Rig(wecom.url, timeout=0.1)
    wecom.always(SEND, hold())
    rig.log("disk full")
    rig.turn()
    assert rig.stats().pending == 1
    wecom.mend()
    rig.run_until_settled(within_s=15)
    assert rig.stats().delivered == 1
    assert len(set(wecom.bodies(SEND))) == 1  # WeCom knows a second copy by its bytes


@pytest.mark.case("W01")
def test_a_token_that_ended_early_is_renewed_without_a_second_copy(wecom: ScriptedWeCom) -> None:
    rig = Rig(wecom.url)
    rig.log("first")
    rig.run_until_settled(within_s=1)
    wecom.script(SEND, errcode(42001))
    rig.log("second")
    assert rig.run_until_settled(within_s=1) == 0
    assert wecom.paths() == ["gettoken", "message/send", "message/send", "gettoken", "message/send"]


@pytest.mark.case("W02")
def test_a_token_that_is_refused_again_and_again_is_no_hot_loop(wecom: ScriptedWeCom) -> None:
    wecom.always(SEND, errcode(40014))
    rig = Rig(wecom.url)
    rig.log("disk full")
    rig.run(120)
    assert rig.stats().pending == 1
    assert wecom.paths().count("gettoken") <= 25
    wecom.mend()
    rig.run_until_settled(within_s=15)
    assert rig.stats().delivered == 1


@pytest.mark.case("W03")
@pytest.mark.parametrize("code", [40001, 40013])
def test_a_wrong_secret_is_said_once_and_tried_every_five_minutes(
    wecom: ScriptedWeCom, capfd: pytest.CaptureFixture[str], code: int
) -> None:
    wecom.always(GETTOKEN, errcode(code, "invalid credential"))
    rig = Rig(wecom.url)
    rig.log("first", "second")
    rig.run(3600)
    assert 11 <= len(wecom.requests) <= 13
    (line,) = said(capfd)
    assert str(code) in line
    assert rig.stats().pending == 2
    wecom.mend()
    rig.run_until_settled(within_s=300)
    assert rig.stats().delivered == 2


@pytest.mark.case("W05", "W06")
@pytest.mark.parametrize("bot", [False, True], ids=["app", "bot"])
def test_a_rate_limit_pauses_everything_for_a_minute(wecom: ScriptedWeCom, bot: bool) -> None:
    rig, path = Rig(wecom.url, bot=bot), PUSH if bot else SEND
    wecom.script(path, ok(), errcode(45009, "api freq out of limit"))
    rig.log("first", "second", "third")
    rig.turn()
    rig.turn()
    began, before = rig.now, len(wecom.requests)
    while len(wecom.requests) == before:
        rig.turn()
    assert 60 <= rig.now - began <= 61
    rig.run_until_settled(within_s=1)
    assert rig.stats().delivered == 3
    assert len(texts(wecom, path)) == 4


@pytest.mark.case("W05")
def test_a_token_limit_is_not_asked_again_within_its_minute(wecom: ScriptedWeCom) -> None:
    wecom.script(GETTOKEN, errcode(45009))
    rig = Rig(wecom.url)
    rig.log("disk full")
    rig.run_until_settled(within_s=61)
    assert wecom.paths() == ["gettoken", "gettoken", "message/send"]


@pytest.mark.case("W09")
def test_an_untrusted_ip_is_named_with_its_remedy(wecom: ScriptedWeCom, capfd: pytest.CaptureFixture[str]) -> None:
    wecom.always(
        SEND, errcode(60020, "not allow to access from your ip, hint: [1], from ip: 203.0.113.9, more info at x")
    )
    rig = Rig(wecom.url)
    rig.log("disk full")
    rig.run(900)
    (line,) = said(capfd)
    assert "203.0.113.9" in line
    assert rig.stats().pending == 1
    assert len(wecom.bodies(SEND)) <= 4


@pytest.mark.case("W11")
def test_invalid_recipients_are_said_and_the_others_get_one_copy(
    wecom: ScriptedWeCom, capfd: pytest.CaptureFixture[str]
) -> None:
    wecom.script(SEND, ok(invaliduser="lisi", invalidparty="9", unlicenseduser="wangwu"))
    rig = Rig(wecom.url)
    rig.log("disk full")
    rig.run(600)
    assert rig.stats().delivered == 1
    assert len(texts(wecom)) == 1
    (line,) = said(capfd)
    assert all(name in line for name in ("lisi", "9", "wangwu"))


@pytest.mark.case("W10", "W12", "W13")
@pytest.mark.parametrize("code", [81013, 40058, 45002, 999999])
def test_what_wecom_refuses_for_good_does_not_stop_the_next(
    wecom: ScriptedWeCom, capfd: pytest.CaptureFixture[str], code: int
) -> None:
    wecom.script(SEND, errcode(code, "no good"))
    rig = Rig(wecom.url)
    rig.log("first", "second")
    assert rig.run_until_settled(within_s=1) == 0
    found = rig.stats()
    assert (found.delivered, dict(found.dropped)) == (1, {"rejected": 1})
    (line,) = said(capfd)
    assert str(code) in line


@pytest.mark.case("N13")
def test_a_body_that_a_proxy_finds_too_large_is_given_up(wecom: ScriptedWeCom) -> None:
    wecom.script(SEND, status(413))
    rig = Rig(wecom.url)
    rig.log("first", "second")
    rig.run_until_settled(within_s=1)
    assert (rig.stats().delivered, dict(rig.stats().dropped)) == (1, {"rejected": 1})


@pytest.mark.case("C23")
@pytest.mark.case("W14")
def test_an_errmsg_that_echoes_secrets_is_not_said(wecom: ScriptedWeCom, capfd: pytest.CaptureFixture[str]) -> None:
    wecom.script(SEND, errcode(999999, f"access_token={ACCESS_TOKEN} {CORP_SECRET}"))
    rig = Rig(wecom.url)
    rig.log("disk full")
    rig.run_until_settled(within_s=1)
    assert len(said(capfd)) == 1


# With the handlers and the worker's own thread.


ODD = raw(response(200, GOOD, [("Content-Length", "7"), ("Transfer-Encoding", "chunked")]))


@pytest.mark.case("E01")
@pytest.mark.parametrize("step", [status(502), ODD], ids=["502", "odd headers"])
def test_our_own_traffic_makes_no_records(wecom: ScriptedWeCom, step: Step, capfd: pytest.CaptureFixture[str]) -> None:
    wecom.script(SEND, step, step)
    root = logging.getLogger()
    level = root.level
    handler = WeComHandler(corp_id="corp", agent_id=1, secret=CORP_SECRET, users=["a"], api_base=wecom.url)
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        logging.getLogger("shop").error("disk full")
        assert handler.flush(20)
    finally:
        root.setLevel(level)
        root.removeHandler(handler)
        handler.close()
    assert (handler.stats().accepted, handler.stats().delivered) == (1, 1)
    assert wecom.paths() == ["gettoken"] + ["message/send"] * 3
    assert said(capfd) == []


@pytest.mark.parametrize("library", ["redis", "valkey"])
def test_what_the_library_of_a_state_logs_in_our_calls_is_no_alert(wecom: ScriptedWeCom, library: str) -> None:
    log = logging.getLogger(f"{library}.cluster")

    class Cluster:
        register_script = None

        def execute_command(self, *args: object) -> None:
            log.error("a node is lost")
            raise OSError("away")

    handler = WeComBotHandler(webhook=BOT_KEY, api_base=wecom.url, state=Cluster())
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        logging.getLogger("shop").error("disk full")
        assert handler.flush(20)
        assert (handler.stats().accepted, handler.stats().delivered) == (1, 1)
        log.error("the program's own node is lost")
        assert handler.stats().accepted == 2
        assert handler.flush(20)
    finally:
        root.removeHandler(handler)
        handler.close()


@pytest.mark.case("N01")
def test_a_handler_heals_by_itself_when_the_server_is_back() -> None:
    with ScriptedWeCom() as gone:
        pass
    handler = WeComBotHandler(webhook=BOT_KEY, api_base=gone.url, timeout=1)
    handler.handle(logging.LogRecord("shop", 40, __file__, 1, "disk full", (), None))
    assert not handler.flush(0.3)
    with ScriptedWeCom(port=gone.port) as back:
        until(lambda: handler.stats().delivered == 1, within_s=10)
        assert back.paths() == ["webhook/send"]
    handler.close()
