"""No failure shows a secret: not in its text, not in what led to it, not in any log."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable

import pytest

from tests.scripted import ScriptedWeCom, errcode, hold, ok, status
from tests.secrets import (
    ACCESS_TOKEN,
    BOT_KEY,
    CORP_SECRET,
    all_that_an_error_tells,
    assert_no_secret,
    everything_logged,
)
from wecom_logging._wecom import BotClient, WeComClient
from wecom_logging.errors import MessageError, WeComError

from .failures import FAILURES, Failure, at_once

SECRETS = (CORP_SECRET, ACCESS_TOKEN, BOT_KEY)

Call = Callable[[ScriptedWeCom], object]


def send_from_an_app(wecom: ScriptedWeCom, timeout: float = 5) -> object:
    client = WeComClient("corp", CORP_SECRET, agent_id=7, api_base=wecom.url, timeout=timeout, sleep=at_once)
    return client.messages.send("hello", users="a")


def upload_from_an_app(wecom: ScriptedWeCom) -> object:
    client = WeComClient("corp", CORP_SECRET, agent_id=7, api_base=wecom.url, sleep=at_once)
    return client.media.upload("a.log", b"0123456789")


def send_from_a_bot(wecom: ScriptedWeCom, timeout: float = 5) -> object:
    return BotClient(BOT_KEY, api_base=wecom.url, timeout=timeout, sleep=at_once).send("hello")


def upload_from_a_bot(wecom: ScriptedWeCom) -> object:
    return BotClient(BOT_KEY, api_base=wecom.url, sleep=at_once).upload("a.log", b"0123456789")


CALLS: dict[str, tuple[str, Call]] = {
    "gettoken": ("/cgi-bin/gettoken", send_from_an_app),
    "app": ("/cgi-bin/message/send", send_from_an_app),
    "app upload": ("/cgi-bin/media/upload", upload_from_an_app),
    "bot": ("/cgi-bin/webhook/send", send_from_a_bot),
    "bot upload": ("/cgi-bin/webhook/upload_media", upload_from_a_bot),
}


def told_by(wecom: ScriptedWeCom, call: Call) -> tuple[WeComError, str]:
    with everything_logged() as log, pytest.raises(WeComError) as caught:
        call(wecom)
    return caught.value, all_that_an_error_tells(caught.value) + log.getvalue()


@pytest.mark.case("C23")
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("failure", FAILURES, ids=str)
def test_no_failure_shows_a_secret(failure: Failure, call: str) -> None:
    path, request = CALLS[call]
    with ScriptedWeCom(token=ACCESS_TOKEN) as wecom:
        wecom.always(path, failure.step)
        error, told = told_by(wecom, request)
    assert type(error) is failure.error
    assert_no_secret(told, *SECRETS)


@pytest.mark.case("C23")
@pytest.mark.case("N05")
@pytest.mark.parametrize("call", ["gettoken", "app", "bot"])
def test_no_timeout_shows_a_secret(call: str) -> None:
    path, request = CALLS[call]
    with ScriptedWeCom(token=ACCESS_TOKEN) as wecom:
        wecom.always(path, hold())
        # The type of CALLS does not name the timeout that each of its functions takes.
        _, told = told_by(wecom, lambda found: request(found, 0.15))
    assert_no_secret(told, *SECRETS)


@pytest.mark.case("C23")
@pytest.mark.case("N01")
@pytest.mark.parametrize("call", ["gettoken", "bot"])
def test_no_refused_connection_shows_a_secret(call: str) -> None:
    with ScriptedWeCom() as gone:
        pass
    _, told = told_by(gone, CALLS[call][1])
    assert "Connection refused" in told
    assert_no_secret(told, *SECRETS)


@pytest.mark.case("N09")
@pytest.mark.parametrize("scheme", ["https"])
def test_no_failed_handshake_shows_a_secret(scheme: str) -> None:
    with ScriptedWeCom() as wecom:
        client = BotClient(BOT_KEY, api_base=wecom.url.replace("http", scheme), timeout=0.2, sleep=at_once)
        _, told = told_by(wecom, lambda _: client.send("hello"))
    assert_no_secret(told, *SECRETS)


@pytest.mark.case("C23")
@pytest.mark.case("N10")
def test_no_proxy_failure_shows_a_secret_or_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    with ScriptedWeCom() as proxy:
        proxy.always("", status(407))
        for name in ("HTTPS_PROXY", "https_proxy"):
            monkeypatch.setenv(name, proxy.url.replace("//", "//user:canary-proxy-password@"))
        client = BotClient(BOT_KEY, api_base="https://wecom.invalid", sleep=at_once)
        _, told = told_by(proxy, lambda _: client.send("hello"))
        assert_no_secret(told, *SECRETS, "canary-proxy-password")
        assert len(proxy.requests) == 1


@pytest.mark.case("C23")
@pytest.mark.case("W14")
@pytest.mark.parametrize("code", [40014, 999999, 40058])
def test_an_errmsg_that_echoes_secrets_is_masked(code: int) -> None:
    with ScriptedWeCom(token=ACCESS_TOKEN) as wecom:
        echo = f"bad access_token={ACCESS_TOKEN} corpsecret={CORP_SECRET} key={BOT_KEY} {CORP_SECRET} {BOT_KEY}"
        wecom.always("/cgi-bin/message/send", errcode(code, echo))
        _, told = told_by(wecom, send_from_an_app)
    assert_no_secret(told, *SECRETS)


def test_a_refusal_that_is_kept_shows_no_secret_the_second_time() -> None:
    with ScriptedWeCom() as wecom:
        wecom.always("/cgi-bin/gettoken", errcode(40001, "invalid credential"))
        for _ in range(2):
            _, told = told_by(wecom, send_from_an_app)
            assert_no_secret(told, *SECRETS)
        assert wecom.paths() == ["gettoken"]


def test_a_message_error_and_a_success_show_no_secret() -> None:
    with ScriptedWeCom(token=ACCESS_TOKEN) as wecom, everything_logged() as log:
        client = WeComClient("corp", CORP_SECRET, agent_id=7, api_base=wecom.url)
        client.messages.send("hello", users="a")
        with pytest.raises(MessageError) as caught:
            client.messages.send("", users="a")
    told = all_that_an_error_tells(caught.value) + log.getvalue() + repr(client) + repr(vars(client))
    assert_no_secret(told, *SECRETS)
    assert_no_secret(repr(BotClient(BOT_KEY)) + repr(vars(BotClient(BOT_KEY))), *SECRETS)


@pytest.mark.parametrize("failure", FAILURES, ids=str)
def test_an_error_survives_pickling_and_copying(failure: Failure) -> None:
    with ScriptedWeCom() as wecom:
        wecom.always("/cgi-bin/webhook/send", failure.step)
        error, _ = told_by(wecom, send_from_a_bot)
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(again) is type(error)
        assert (str(again), again.args) == (str(error), error.args)
        assert vars(again) == vars(error)
        assert (again.retryable, again.retry_after_s) == (error.retryable, error.retry_after_s)


def test_the_helper_finds_what_it_looks_for() -> None:
    for leak in (f"https://h/?access_token={ACCESS_TOKEN}", "canary%2Faccess%2Btoken%3D8Kp2Wq7Rz4Mv1Xc6Nb3Hj9Lf5Td0Sg"):
        with pytest.raises(AssertionError, match="a secret shows"):
            assert_no_secret(leak, ACCESS_TOKEN)


@pytest.mark.shows_secrets
def test_the_helper_finds_what_requests_itself_would_tell() -> None:
    """The canary is really on the way: the same request without our client shows it in its error and in the log."""
    import requests

    with ScriptedWeCom() as gone:
        pass
    with everything_logged() as log, pytest.raises(requests.ConnectionError) as caught:
        requests.get(f"{gone.url}/cgi-bin/gettoken?corpsecret={CORP_SECRET}", timeout=5)
    with pytest.raises(AssertionError, match="a secret shows"):
        assert_no_secret(str(caught.value), CORP_SECRET)
    with ScriptedWeCom() as wecom, everything_logged() as log:
        requests.get(f"{wecom.url}/cgi-bin/gettoken?corpsecret={CORP_SECRET}", timeout=5)
    with pytest.raises(AssertionError, match="a secret shows"):
        assert_no_secret(log.getvalue(), CORP_SECRET)


def test_a_token_that_has_the_secret_in_it_stays_whole() -> None:
    with ScriptedWeCom() as wecom:
        wecom.script("/cgi-bin/gettoken", ok(access_token=f"token-{CORP_SECRET}", expires_in=7200))
        client = WeComClient("corp", CORP_SECRET, agent_id=7, api_base=wecom.url, sleep=at_once)
        client.messages.send("hello", users="a")
        assert client._app is not None
        assert client._app.get(client._transport).reveal() == f"token-{CORP_SECRET}"


@pytest.mark.case("W14")
def test_a_directory_that_echoes_secrets_is_masked() -> None:
    secret = "canary+secret/of=the-corp"
    with ScriptedWeCom() as wecom:
        client = WeComClient("corp", secret, agent_id=7, api_base=wecom.url, sleep=at_once)
        member = {"userid": "lisi", "name": ACCESS_TOKEN, "position": f"?access_token={ACCESS_TOKEN}&x=1"}
        wecom.script("/cgi-bin/gettoken", ok(access_token=ACCESS_TOKEN, expires_in=7200))
        wecom.always("/cgi-bin/user/get", ok(**member))
        assert ACCESS_TOKEN not in repr(client.members.get("lisi"))
        wecom.always("/cgi-bin/user/list", ok(userlist=[member]))
        assert ACCESS_TOKEN not in repr(client.members.list(1))
        wecom.always(
            "/cgi-bin/gettoken", errcode(40001, "GET /cgi-bin/gettoken?corpsecret=canary%2Bsecret%2Fof%3Dthe-corp")
        )
        with pytest.raises(WeComError) as caught:
            WeComClient("corp2", secret, agent_id=7, api_base=wecom.url, sleep=at_once).members.get("lisi")
    assert "canary" not in repr(vars(caught.value)) + str(caught.value)
