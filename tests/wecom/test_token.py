"""The access token: asked for once, renewed once, never mixed, and not asked for again after a refusal."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.programs import Clock, run, until
from tests.scripted import ScriptedWeCom, after, body, errcode, hold, ok, status
from wecom_logging._runtime.clock import within
from wecom_logging._sandbox import Sandbox
from wecom_logging._sandbox.tokens import MODES
from wecom_logging._wecom import WeComClient
from wecom_logging._wecom.http import Transport
from wecom_logging._wecom.token import TokenSource, token_source
from wecom_logging.errors import (
    APIError,
    BadResponseError,
    ConnectError,
    CredentialError,
    HTTPStatusError,
    RateLimitedError,
    RequestTimeout,
    TokenError,
    WeComError,
)
from wecom_logging.model import Secret

from .failures import at_once

TOKEN, SEND = "/cgi-bin/gettoken", "/cgi-bin/message/send"

every_mode = pytest.mark.parametrize("mode", MODES)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def transport(scripted: ScriptedWeCom) -> Iterator[Transport]:
    found = Transport(scripted.url, timeout_s=5)
    yield found
    found.close()


@pytest.fixture
def source(clock: Clock) -> TokenSource:
    return TokenSource("corp", Secret("secret"), clock=clock)


def calls(sandbox: Sandbox) -> Counter[str]:
    return Counter(call.path for call in sandbox.calls)


def together(n: int, work: Callable[[int], Any]) -> list[Any]:
    """Call from n threads at the same time; what they return, or raise."""
    start = threading.Barrier(n)

    def one(i: int) -> Any:
        start.wait()
        try:
            return work(i)
        except WeComError as error:
            return error

    with ThreadPoolExecutor(n) as pool:
        return list(pool.map(one, range(n)))


# With the sandbox, which judges tokens as WeCom does.


@every_mode
def test_many_sends_ask_for_one_token(sandbox: Sandbox, client: WeComClient, mode: str) -> None:
    sandbox.add_fault({"token_mode": mode})
    for i in range(5):
        client.messages.send(f"{i}", users="sandbox-user")
    assert calls(sandbox) == {TOKEN: 1, SEND: 5}


@pytest.mark.case("W02")
@every_mode
def test_a_token_that_ended_early_costs_one_renewal_and_one_resend(
    sandbox: Sandbox, client: WeComClient, mode: str
) -> None:
    sandbox.add_fault({"token_mode": mode})
    client.messages.send("one", users="sandbox-user")
    sandbox.add_fault({"void_token": True})
    client.messages.send("two", users="sandbox-user")
    client.messages.send("three", users="sandbox-user")
    assert calls(sandbox) == {TOKEN: 2, SEND: 4}
    assert [found["content"] for found in sandbox.messages()] == ["one", "two", "three"]
    assert [call.errcode for call in sandbox.calls if call.path == SEND] == [0, 40014, 0, 0]


@every_mode
def test_an_upload_renews_the_token_too(sandbox: Sandbox, client: WeComClient, mode: str) -> None:
    sandbox.add_fault({"token_mode": mode})
    client.media.upload("a.log", b"0123456789")
    sandbox.add_fault({"void_token": True})
    client.media.upload("a.log", b"0123456789")
    assert calls(sandbox) == {TOKEN: 2, "/cgi-bin/media/upload": 3}


@pytest.mark.case("W02")
@every_mode
def test_a_token_that_another_program_replaced_is_renewed(sandbox: Sandbox, client: WeComClient, mode: str) -> None:
    sandbox.add_fault({"token_mode": mode})
    client.messages.send("one", users="sandbox-user")
    with_transport = Transport(sandbox.url)
    TokenSource("wwsandbox", Secret("sandbox-app-secret")).get(with_transport)
    client.messages.send("two", users="sandbox-user")
    assert calls(sandbox) == {TOKEN: 3 if mode == "kill_old" else 2, SEND: 3 if mode == "kill_old" else 2}
    assert [found["content"] for found in sandbox.messages()] == ["one", "two"]


@pytest.mark.case("W01")
@every_mode
def test_a_token_that_expired_at_wecom_is_renewed(mode: str) -> None:
    clock = Clock(1_700_000_000)
    with Sandbox(clock=clock) as sandbox:
        sandbox.add_fault({"token_mode": mode})
        client = WeComClient("wwsandbox", "sandbox-app-secret", agent_id=1000002, api_base=sandbox.url, sleep=at_once)
        client.messages.send("one", users="sandbox-user")
        clock.now += 7200
        client.messages.send("two", users="sandbox-user")
        assert calls(sandbox) == {TOKEN: 2, SEND: 3}
        assert [call.errcode for call in sandbox.calls if call.path == SEND] == [0, 42001, 0]
        assert [found["content"] for found in sandbox.messages()] == ["one", "two"]
        client.close()


@pytest.mark.case("W02")
@every_mode
def test_sixteen_threads_share_one_renewal(sandbox: Sandbox, client: WeComClient, mode: str) -> None:
    sandbox.add_fault({"token_mode": mode})
    together(16, lambda i: client.messages.send(f"first {i}", users="@all"))
    assert calls(sandbox) == {TOKEN: 1, SEND: 16}
    sandbox.add_fault({"void_token": True})
    sandbox.clear()
    sandbox.add_member("second")  # a member gets 30 messages a minute
    together(16, lambda i: client.messages.send(f"then {i}", users="second"))
    assert calls(sandbox)[TOKEN] == 1
    assert sorted(found["content"] for found in sandbox.messages()) == sorted(f"then {i}" for i in range(16))


@pytest.mark.case("W15")
def test_two_apps_never_mix_their_tokens(sandbox: Sandbox) -> None:
    sandbox.add_app("second-secret", 1000003)
    clients = [
        WeComClient("wwsandbox", secret, agent_id=agent_id, api_base=sandbox.url, sleep=at_once)
        for secret, agent_id in (("sandbox-app-secret", 1000002), ("second-secret", 1000003))
    ]
    outcomes = together(8, lambda i: clients[i % 2].messages.send(f"{i}", users="sandbox-user"))
    assert [outcome.reason for outcome in outcomes] == ["delivered"] * 8
    assert calls(sandbox) == {TOKEN: 2, SEND: 8}
    assert {(found["body"]["agentid"], int(found["content"]) % 2) for found in sandbox.messages()} == {
        (1000002, 0),
        (1000003, 1),
    }


def test_two_clients_of_one_app_share_its_token(sandbox: Sandbox) -> None:
    for _ in range(3):
        client = WeComClient("wwsandbox", "sandbox-app-secret", agent_id=1000002, api_base=sandbox.url)
        client.messages.send("hello", users="sandbox-user")
        client.close()
    assert calls(sandbox) == {TOKEN: 1, SEND: 3}


@pytest.mark.case("W03")
@pytest.mark.parametrize(
    ("corp_id", "secret", "code"), [("wwsandbox", "wrong-secret", 40001), ("wrong-corp", "sandbox-app-secret", 40013)]
)
def test_wrong_credentials_are_told_and_not_tried_again(sandbox: Sandbox, corp_id: str, secret: str, code: int) -> None:
    client = WeComClient(corp_id, secret, agent_id=1000002, api_base=sandbox.url, sleep=at_once)
    for _ in range(5):
        with pytest.raises(CredentialError) as caught:
            client.messages.send("hello", users="sandbox-user")
        assert caught.value.errcode == code
    assert calls(sandbox) == {TOKEN: 1}


# With a scripted server and a clock of our own.


def test_a_token_is_used_until_shortly_before_its_end(
    scripted: ScriptedWeCom, transport: Transport, source: TokenSource, clock: Clock
) -> None:
    scripted.script(TOKEN, ok(access_token="one", expires_in=7200), ok(access_token="two", expires_in=7200))
    assert source.get(transport).reveal() == "one"
    clock.now += 6899
    assert source.get(transport).reveal() == "one"
    clock.now += 2
    assert source.get(transport).reveal() == "two"
    assert scripted.paths() == ["gettoken"] * 2


def test_sixteen_threads_with_an_expired_token_ask_once(
    scripted: ScriptedWeCom, transport: Transport, source: TokenSource, clock: Clock
) -> None:
    source.get(transport)
    clock.now += 7200
    scripted.script(TOKEN, after(0.1, ok(access_token="new", expires_in=7200)))
    assert together(16, lambda _: source.get(transport)) == [Secret("new")] * 16
    assert scripted.paths() == ["gettoken"] * 2


def test_a_deadline_holds_while_another_thread_asks(scripted: ScriptedWeCom) -> None:
    scripted.script(TOKEN, hold())
    source, transport = TokenSource("corp", Secret("secret")), Transport(scripted.url)
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(source.get, transport)
        until(lambda: scripted.requests)
        with within(time.monotonic() + 0.1), pytest.raises(RequestTimeout):
            source.get(transport)
        scripted.release()
        with pytest.raises(WeComError):  # what is released has no token
            other.result()


def test_threads_that_waited_share_a_failure(scripted: ScriptedWeCom, transport: Transport) -> None:
    source = TokenSource("corp", Secret("secret"))  # the real clock tells who waited
    scripted.always(TOKEN, after(1.0, errcode(-1)))  # by then all have asked
    raised = together(8, lambda _: source.get(transport))
    assert all(isinstance(error, APIError) and error.errcode == -1 for error in raised)
    assert len({id(error) for error in raised}) == 8  # one object in several threads would grow their tracebacks
    assert scripted.paths() == ["gettoken"]


@pytest.mark.case("W03", "W09")
@pytest.mark.parametrize("code", [40001, 40013, 60020, 50003])
def test_a_refused_secret_is_not_tried_again_for_five_minutes(
    scripted: ScriptedWeCom, transport: Transport, source: TokenSource, clock: Clock, code: int
) -> None:
    scripted.script(TOKEN, errcode(code, "refused"))
    for _ in range(100):
        with pytest.raises(APIError) as caught:
            source.get(transport)
        assert caught.value.errcode == code
        clock.now += 2.99
    assert scripted.paths() == ["gettoken"]
    clock.now += 2
    assert source.get(transport).reveal() == scripted.token
    assert scripted.paths() == ["gettoken"] * 2


@pytest.mark.case("W05", "N12")
@pytest.mark.parametrize(
    ("step", "error", "pause_s"),
    [(errcode(45009), RateLimitedError, 60), (status(429, headers=[("Retry-After", "20")]), HTTPStatusError, 20)],
    ids=["45009", "429"],
)
def test_a_pause_that_wecom_asks_for_is_kept(
    scripted: ScriptedWeCom,
    transport: Transport,
    source: TokenSource,
    clock: Clock,
    step: Any,
    error: type[WeComError],
    pause_s: float,
) -> None:
    scripted.script(TOKEN, step)
    for passed in (0, pause_s / 2, pause_s / 2 - 1):
        clock.now += passed
        with pytest.raises(error):
            source.get(transport)
    assert scripted.paths() == ["gettoken"]
    clock.now += 1.5
    assert source.get(transport).reveal() == scripted.token


@pytest.mark.parametrize("step", [errcode(-1), status(502), body(b"")], ids=lambda step: step.name)
def test_after_a_passing_failure_the_next_call_asks_again(
    scripted: ScriptedWeCom, transport: Transport, source: TokenSource, step: Any
) -> None:
    scripted.script(TOKEN, step)
    with pytest.raises(WeComError):
        source.get(transport)
    assert source.get(transport).reveal() == scripted.token


@pytest.mark.case("W01", "W02")
@pytest.mark.parametrize("code", [40014, 42001])
def test_a_token_that_is_refused_twice_is_an_error_without_a_loop(scripted: ScriptedWeCom, code: int) -> None:
    scripted.always(SEND, errcode(code))
    client = WeComClient("corp", "secret", agent_id=7, api_base=scripted.url, sleep=at_once)
    with pytest.raises(TokenError):
        client.messages.send("hello", users="a")
    assert scripted.paths() == ["gettoken", "message/send", "gettoken", "message/send"]


def test_a_busy_wecom_between_two_refusals_makes_no_loop_either(scripted: ScriptedWeCom) -> None:
    scripted.script(SEND, errcode(40014), errcode(-1), errcode(40014))
    client = WeComClient("corp", "secret", agent_id=7, api_base=scripted.url, sleep=at_once)
    with pytest.raises(TokenError):
        client.messages.send("hello", users="a")
    assert scripted.paths() == ["gettoken", "message/send", "gettoken", "message/send", "message/send"]


def test_dropping_an_old_token_keeps_the_newer_one(
    scripted: ScriptedWeCom, transport: Transport, source: TokenSource
) -> None:
    scripted.script(TOKEN, *(ok(access_token=name, expires_in=7200) for name in ("one", "two", "three")))
    old = source.get(transport)
    source.drop(old)
    assert source.get(transport).reveal() == "two"
    source.drop(old)
    assert source.get(transport).reveal() == "two"
    source.drop(Secret("two"))
    assert source.get(transport).reveal() == "three"


@pytest.mark.case("W04")
@pytest.mark.parametrize("expires_in", [0, -1, "7200", None, True, 7200.0, [7200]], ids=repr)
def test_a_token_without_a_usable_end_makes_no_hot_loop(
    scripted: ScriptedWeCom, transport: Transport, source: TokenSource, clock: Clock, expires_in: object
) -> None:
    scripted.always(TOKEN, ok(access_token="token", expires_in=expires_in))
    for _ in range(49):
        assert source.get(transport).reveal() == "token"
        clock.now += 0.1
    assert scripted.paths() == ["gettoken"]
    clock.now += 0.2
    source.get(transport)
    assert scripted.paths() == ["gettoken"] * 2


@pytest.mark.case("W04")
def test_a_missing_end_makes_no_hot_loop_either(
    scripted: ScriptedWeCom, transport: Transport, source: TokenSource, clock: Clock
) -> None:
    scripted.always(TOKEN, ok(access_token="token"))
    assert source.get(transport).reveal() == source.get(transport).reveal() == "token"
    clock.now += 5.1
    source.get(transport)
    assert scripted.paths() == ["gettoken"] * 2


@pytest.mark.case("W04")
def test_no_token_is_believed_for_longer_than_two_hours(
    scripted: ScriptedWeCom, transport: Transport, source: TokenSource, clock: Clock
) -> None:
    scripted.always(TOKEN, ok(access_token="token", expires_in=10**9))
    source.get(transport)
    clock.now += 7199
    source.get(transport)
    assert scripted.paths() == ["gettoken"] * 2


def test_a_token_that_ends_soon_is_renewed_before_it_does(
    scripted: ScriptedWeCom, transport: Transport, source: TokenSource, clock: Clock
) -> None:
    scripted.always(TOKEN, ok(access_token="token", expires_in=60))
    source.get(transport)
    clock.now += 53
    source.get(transport)
    assert scripted.paths() == ["gettoken"]
    clock.now += 2
    source.get(transport)
    assert scripted.paths() == ["gettoken"] * 2


@pytest.mark.case("W04")
@pytest.mark.parametrize(
    "token", ["", None, 7, ["token"], True, "a" * 513, "a" * 4096, "line\nbreak", "nul\0"], ids=lambda t: repr(t)[:12]
)
def test_an_unusable_token_is_a_bad_answer(
    scripted: ScriptedWeCom, transport: Transport, source: TokenSource, token: object
) -> None:
    scripted.script(TOKEN, ok(access_token=token, expires_in=7200))
    with pytest.raises(BadResponseError, match="access_token"):
        source.get(transport)
    assert source.get(transport).reveal() == scripted.token


@pytest.mark.case("W04")
def test_a_token_of_512_bytes_is_used_whatever_its_signs(scripted: ScriptedWeCom) -> None:
    scripted.always(TOKEN, ok(access_token="a+/=&?% é" * 56 + "12345678", expires_in=7200))
    WeComClient("corp", "secret", agent_id=7, api_base=scripted.url).messages.send("hello", users="a")
    assert scripted.requests[1].query_names == ("access_token",)


def test_each_client_s_own_timeout_holds_for_the_shared_token(scripted: ScriptedWeCom) -> None:
    scripted.always(TOKEN, hold())
    WeComClient("corp", "secret", agent_id=7, api_base=scripted.url, timeout=30)
    patient, hasty = Transport(scripted.url, timeout_s=30), Transport(scripted.url, timeout_s=0.2)
    source = token_source(scripted.url, "corp", Secret("secret"))
    assert source is token_source(scripted.url, "corp", Secret("secret"))
    with pytest.raises(RequestTimeout):
        source.get(hasty)
    patient.close()


@pytest.mark.case("W15")
def test_sources_differ_by_host_company_and_secret() -> None:
    found = {
        id(token_source(base, corp, Secret(secret)))
        for base in ("https://a.example", "https://b.example")
        for corp in ("one", "two")
        for secret in ("three", "four")
    }
    assert len(found) == 8


def test_a_connection_that_failed_is_not_held_against_the_secret(scripted: ScriptedWeCom, source: TokenSource) -> None:
    nowhere = Transport("http://127.0.0.1:9", timeout_s=1)
    with pytest.raises(ConnectError):
        source.get(nowhere)
    transport = Transport(scripted.url)
    assert source.get(transport).reveal() == scripted.token
    transport.close()


@pytest.mark.slow
def test_a_child_forked_while_the_token_is_fetched_gets_its_own(scripted: ScriptedWeCom) -> None:
    scripted.script(TOKEN, after(2.0, ok(access_token="parent", expires_in=7200)))
    program = f"""
    import os, signal, threading, time
    from wecom_logging._wecom import WeComClient
    from wecom_logging._wecom.http import load_libraries

    load_libraries()
    client = WeComClient("corp", "secret", agent_id=7, api_base={scripted.url!r})
    parent = threading.Thread(target=client.messages.send, args=("parent",), kwargs={{"users": "a"}})
    parent.start()
    while not client._app._lock.locked():
        time.sleep(0.001)
    child = os.fork()
    if child == 0:
        signal.alarm(40)
        client.messages.send("child", users="a")
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    parent.join()
    print("child ended with", status)
    """
    ended = run(program)
    assert (ended.status, ended.out) == (0, "child ended with 0\n"), ended.err
    assert sorted(request.json["text"]["content"] for request in scripted.requests if request.path == SEND) == [
        "child",
        "parent",
    ]
    assert len({request.port for request in scripted.requests}) == 2


def test_a_child_uses_no_connection_of_its_parent(scripted: ScriptedWeCom) -> None:
    program = f"""
    import os
    from wecom_logging._wecom import WeComClient

    client = WeComClient("corp", "secret", agent_id=7, api_base={scripted.url!r})
    client.messages.send("parent", users="a")
    child = os.fork()
    if child == 0:
        client.messages.send("child", users="a")
        os._exit(0)
    os.waitpid(child, 0)
    client.messages.send("parent", users="a")
    """
    ended = run(program)
    assert ended.status == 0, ended.err
    by = {"parent": set(), "child": set()}
    for request in scripted.requests:
        if request.path == SEND:
            by[request.json["text"]["content"]].add(request.port)
    assert len(by["parent"]) == len(by["child"]) == 1
    assert by["parent"] != by["child"]
    assert scripted.paths().count("gettoken") == 1


class Between:
    """What processes share, where another keeps its token after we looked, and before we lock."""

    def __init__(self) -> None:
        self.kept: tuple[str, float] | None = None
        self.put: list[str] = []

    def token(self, app: str) -> tuple[str, float] | None:
        return self.kept

    def lock_token(self, app: str) -> bool:
        self.kept = ("of another", 7000.0)
        return True

    def put_token(self, app: str, value: str, life_s: float) -> None:
        self.put.append(value)

    def drop_token(self, app: str, value: str) -> None:
        self.kept = None


def test_a_token_that_another_process_kept_just_before_is_used(
    scripted: ScriptedWeCom, transport: Transport, source: TokenSource
) -> None:
    others = Between()
    source.share(others, scripted.url)
    assert source.get(transport).reveal() == "of another"
    assert (scripted.paths(), others.put) == ([], [""])
