"""One request, whatever the network and the other side do: the right error, in time, and no more tries than allowed."""

from __future__ import annotations

import functools
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.certificates import make_certificate
from tests.programs import run, until
from tests.scripted import (
    ScriptedWeCom,
    Step,
    after,
    body,
    drip,
    errcode,
    gzip_bomb,
    hold,
    huge,
    ok,
    ok_then_close,
    redirect,
    rst,
    status,
)
from wecom_logging._sandbox import Sandbox
from wecom_logging._wecom import BotClient, WeComClient
from wecom_logging._wecom.http import MAX_ANSWER_BYTES, MAX_RETRY_AFTER_S, Transport
from wecom_logging.errors import (
    BadResponseError,
    ConnectError,
    HTTPStatusError,
    InvalidMessageError,
    RateLimitedError,
    RequestTimeout,
    TransportError,
    WeComError,
)

from .failures import EACH_FAILURE, FAILURES, GOOD, Failure, at_once

SEND = "/cgi-bin/message/send"
TIMEOUT_S = 0.4
SPARE_S = 4.0
"""For a busy machine. What would go on beyond a timeout goes on for longer than that, or ends without an error."""


def app(wecom: ScriptedWeCom, *, timeout: float = 5.0) -> WeComClient:
    return WeComClient("corp", "secret", agent_id=7, api_base=wecom.url, timeout=timeout, sleep=at_once)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    began = time.monotonic()
    yield
    assert time.monotonic() - began < seconds


# What comes back.


@pytest.mark.parametrize("failure", EACH_FAILURE)
def test_a_lasting_failure_is_tried_as_often_as_it_makes_sense(scripted: ScriptedWeCom, failure: Failure) -> None:
    scripted.always(SEND, failure.step)
    client = app(scripted)
    with pytest.raises(failure.error) as caught:
        client.messages.send("hello", users="a")
    assert type(caught.value) is failure.error
    assert scripted.paths() == ["gettoken"] + ["message/send"] * failure.tries
    if failure.name != "reset before the body was read":
        assert len(set(scripted.bodies(SEND))) == 1


@pytest.mark.parametrize("failure", [failure for failure in FAILURES if failure.tries == 3], ids=str)
def test_a_passing_failure_ends_with_one_delivery(scripted: ScriptedWeCom, failure: Failure) -> None:
    scripted.script(SEND, failure.step, failure.step, ok(msgid="third"))
    assert app(scripted).messages.send("hello", users="a").msgid == "third"
    assert scripted.paths() == ["gettoken"] + ["message/send"] * 3


@pytest.mark.parametrize("failure", FAILURES, ids=str)
def test_a_failing_gettoken_sends_nothing(scripted: ScriptedWeCom, failure: Failure) -> None:
    scripted.always("/cgi-bin/gettoken", failure.step)
    with pytest.raises(failure.error):
        app(scripted).messages.send("hello", users="a")
    assert scripted.paths() == ["gettoken"] * failure.tries


@pytest.mark.case("N16")
@pytest.mark.parametrize(
    "answer",
    [
        body(GOOD, content_type="text/html"),
        body(GOOD, content_type=""),
        body(b"\xef\xbb\xbf" + GOOD),
        body(b" \r\n" + GOOD),
        status(200, GOOD, headers=[("Connection", "close")]),
    ],
    ids=["text/html", "no type", "BOM", "white space", "Connection: close"],
)
def test_errcode_0_is_a_success_whatever_surrounds_it(scripted: ScriptedWeCom, answer: Step) -> None:
    scripted.script("/cgi-bin/webhook/send", answer)
    assert BotClient("key", api_base=scripted.url).send("hello").delivered
    assert len(scripted.requests) == 1


@pytest.mark.case("N15")
def test_an_answer_beyond_the_bound_is_refused_even_if_it_could_be_read(scripted: ScriptedWeCom) -> None:
    scripted.always("/cgi-bin/webhook/send", body(GOOD + b" " * MAX_ANSWER_BYTES))
    with pytest.raises(BadResponseError, match="larger than 65536 bytes"):
        BotClient("key", api_base=scripted.url, sleep=at_once).send("hello")
    scripted.always("/cgi-bin/webhook/send", body(GOOD.ljust(MAX_ANSWER_BYTES)))
    assert BotClient("key", api_base=scripted.url).send("hello").delivered


@pytest.mark.case("N17")
def test_nothing_follows_a_redirect(scripted: ScriptedWeCom) -> None:
    with ScriptedWeCom() as elsewhere:
        for code in (301, 302, 303, 307, 308):
            scripted.script(SEND, redirect(f"{elsewhere.url}/cgi-bin/message/send", code))
            with pytest.raises(HTTPStatusError, match="redirects") as caught:
                app(scripted).messages.send("hello", users="a")
            assert (caught.value.status, caught.value.retryable) == (code, False)
        assert elsewhere.connections == 0


@pytest.mark.case("N17")
@pytest.mark.parametrize("location", ["http://[", "//", "\\", "http://127.0.0.1:99999/"])
def test_a_redirect_to_nowhere_is_still_a_redirect(scripted: ScriptedWeCom, location: str) -> None:
    scripted.script(SEND, redirect(location))
    with pytest.raises(HTTPStatusError, match="redirects"):
        app(scripted).messages.send("hello", users="a")


def _redirecting(step: Step) -> Step:
    """The same answer, with the status and header of a redirect put in front."""

    def act(line: Any) -> bool:
        send = line.send

        def send_redirect(data: bytes) -> None:
            line.send = send
            send(data.replace(b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\n", 1))

        line.send = send_redirect
        return step.act(line)

    return Step(f"redirecting {step.name}", act)


@pytest.mark.case("N15", "N17")
@pytest.mark.parametrize("step", [huge(), gzip_bomb()], ids=lambda step: step.name)
def test_the_body_of_a_redirect_is_bounded_too(scripted: ScriptedWeCom, step: Step) -> None:
    import tracemalloc

    scripted.always("/", _redirecting(step))
    transport = Transport(scripted.url, timeout_s=30)
    tracemalloc.start()
    try:
        with within(20), pytest.raises(TransportError):
            transport.call("GET", "gettoken", query={})
        assert tracemalloc.get_traced_memory()[1] < 4 * 1024 * 1024
    finally:
        tracemalloc.stop()


@pytest.mark.case("N12")
def test_the_pause_that_a_429_asks_for_is_kept_within_reason(scripted: ScriptedWeCom) -> None:
    asked = {"7": 7.0, "0": 1.0, "": 60.0, "-1": 60.0, "abc": 60.0, "Wed, 21 Oct 2026 07:28:00 GMT": 60.0}
    for value, seconds in {**asked, "99999999": MAX_RETRY_AFTER_S, "9" * 5000: 60.0}.items():
        scripted.script("/cgi-bin/webhook/send", status(429, headers=[("Retry-After", value)]))
        with pytest.raises(HTTPStatusError) as caught:
            BotClient("key", api_base=scripted.url, sleep=at_once).send("hello")
        assert (caught.value.retryable, caught.value.retry_after_s) == (True, seconds)


@pytest.mark.case("N12")
@pytest.mark.parametrize(
    ("now", "seconds"),
    [
        ("Wed, 21 Oct 2026 07:27:45 GMT", 15.0),
        ("Wed, 21 Oct 2026 07:28:30 GMT", 1.0),
        ("Tue, 20 Oct 1026 07:28:00 GMT", MAX_RETRY_AFTER_S),
        ("Wed, 21 Oct 2026 07:27:45", 60.0),
        ("once", 60.0),
        ("Wed, 21 Oct 20260000 07:27:45 GMT", 60.0),
    ],
)
def test_a_date_to_wait_for_is_measured_by_the_server_s_own_clock(
    scripted: ScriptedWeCom, now: str, seconds: float
) -> None:
    headers = [("Date", now), ("Retry-After", "Wed, 21 Oct 2026 07:28:00 GMT")]
    scripted.script("/cgi-bin/webhook/send", status(429, headers=headers))
    with pytest.raises(HTTPStatusError) as caught:
        BotClient("key", api_base=scripted.url, sleep=at_once).send("hello")
    assert caught.value.retry_after_s == seconds


def test_a_rate_limit_is_not_tried_again_in_the_round(scripted: ScriptedWeCom) -> None:
    scripted.script(SEND, errcode(45009))
    with pytest.raises(RateLimitedError) as caught:
        app(scripted).messages.send("hello", users="a")
    assert caught.value.retry_after_s == 60
    assert scripted.paths() == ["gettoken", "message/send"]


def test_a_round_waits_longer_before_each_try(scripted: ScriptedWeCom) -> None:
    waits: list[float] = []
    scripted.always("/", errcode(-1))
    with pytest.raises(WeComError):
        BotClient("key", api_base=scripted.url, sleep=waits.append).send("hello")
    assert len(waits) == 2
    assert all(0 <= wait <= 2 for wait in waits)


def test_whoever_asks_before_each_try_can_end_the_round(scripted: ScriptedWeCom) -> None:
    class Enough(Exception):
        pass

    asked: list[int] = []

    def before_try() -> None:
        asked.append(len(scripted.requests))
        if len(asked) == 2:
            raise Enough

    scripted.always(SEND, errcode(-1))
    client = app(scripted)
    with pytest.raises(Enough):
        client.call("message/send", {}, before_try=before_try)
    assert asked == [1, 2]
    assert scripted.paths() == ["gettoken", "message/send"]


# Time.


@pytest.mark.case("N05", "N19")
@pytest.mark.parametrize(
    "step",
    [
        hold(),
        drip(part="headers", every_s=0.1),
        drip(part="body", every_s=0.1),
        drip(part="headers", every_s=0.001),
        after(TIMEOUT_S * 0.8, drip(part="body", every_s=0.1)),
    ],
    ids=["never", "headers drip", "body drips", "headers drip fast", "late and dripping"],
)
def test_a_slow_answer_ends_in_time(scripted: ScriptedWeCom, step: Step) -> None:
    scripted.always("/", step)
    transport = Transport(scripted.url, timeout_s=TIMEOUT_S)
    with within(TIMEOUT_S + SPARE_S), pytest.raises(RequestTimeout, match="did not answer in time"):
        transport.call("POST", "webhook/send", query={}, body=b"{}")


@pytest.mark.case("N06")
def test_a_slow_answer_within_the_timeout_is_good(scripted: ScriptedWeCom) -> None:
    scripted.script("/cgi-bin/webhook/send", after(1.2, ok()))
    assert BotClient("key", api_base=scripted.url, timeout=2.4).send("hello").delivered
    assert len(scripted.requests) == 1


@pytest.mark.case("N06")
def test_the_time_of_one_request_does_not_shorten_the_next(scripted: ScriptedWeCom) -> None:
    """The socket's timeout was what the first request had left."""
    scripted.script("/cgi-bin/webhook/send", after(1.2, ok()), after(1.2, ok()))
    bot = BotClient("key", api_base=scripted.url, timeout=2.2)
    bot.send("one")
    bot.send("two")
    assert len({request.port for request in scripted.requests}) == 1
    assert len(scripted.requests) == 2


@pytest.mark.case("N05")
def test_sending_to_somebody_who_does_not_read_ends_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        transport = Transport(f"http://127.0.0.1:{silent.getsockname()[1]}", timeout_s=TIMEOUT_S)
        with within(TIMEOUT_S + SPARE_S), pytest.raises(RequestTimeout):
            transport.call("POST", "media/upload", query={}, files={"media": ("a.bin", bytes(20 * 1024 * 1024))})


@contextmanager
def black_hole() -> Iterator[int]:
    """The port of a server whose queue is full: further connects get no answer at all."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        address = full.getsockname()
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(address)
        try:
            yield address[1]
        finally:
            for filler in fillers:
                filler.close()


@pytest.mark.case("N04")
def test_connecting_to_a_black_hole_ends_in_time() -> None:
    with black_hole() as port:
        transport = Transport(f"http://127.0.0.1:{port}", timeout_s=TIMEOUT_S)
        with within(TIMEOUT_S + SPARE_S), pytest.raises(RequestTimeout):
            transport.call("GET", "gettoken", query={})


@pytest.mark.case("N04")
def test_many_addresses_without_an_answer_share_one_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    with black_hole() as port:
        one = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))
        monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **options: [one] * 80)
        transport = Transport(f"http://127.0.0.1:{port}", timeout_s=TIMEOUT_S)
        with within(TIMEOUT_S + SPARE_S), pytest.raises(RequestTimeout):
            transport.call("GET", "gettoken", query={})


@pytest.mark.case("N08")
def test_a_dead_address_is_followed_by_the_next(monkeypatch: pytest.MonkeyPatch, scripted: ScriptedWeCom) -> None:
    with black_hole() as port:
        addresses = [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", number)) for number in (port, scripted.port)
        ]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **options: addresses)
        BotClient("key", api_base=scripted.url, timeout=3).send("hello")
    assert len(scripted.requests) == 1


# Connections.


@pytest.mark.case("N01")
def test_a_refused_connection_says_so() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # not listening
        transport = Transport(f"http://127.0.0.1:{unused.getsockname()[1]}")
        with within(SPARE_S), pytest.raises(ConnectError, match="Connection refused") as caught:
            transport.call("GET", "gettoken", query={})
    assert caught.value.retryable


@pytest.mark.case("N07")
def test_a_name_that_does_not_exist_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(*args: object, **options: object) -> list[Any]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)  # no test asks a real resolver
    with pytest.raises(ConnectError, match=r"the name wecom\.invalid cannot be resolved: check api_base"):
        Transport("https://wecom.invalid").call("GET", "gettoken", query={})


def test_one_connection_serves_many_requests(scripted: ScriptedWeCom) -> None:
    client = app(scripted)
    for _ in range(5):
        client.messages.send("hello", users="a")
    assert len({request.port for request in scripted.requests}) == 1
    client.close()
    until(lambda: scripted.open_connections == 0)


@pytest.mark.case("N18")
def test_a_connection_that_the_server_closed_meanwhile_is_replaced(scripted: ScriptedWeCom) -> None:
    bot = BotClient("key", api_base=scripted.url, sleep=at_once)
    for _ in range(5):
        scripted.script("/cgi-bin/webhook/send", ok_then_close())
        assert bot.send("hello").delivered
        until(lambda: scripted.open_connections == 0)
    assert len(scripted.requests) == scripted.connections == 5


@pytest.mark.case("N14", "N19")
def test_no_bad_answer_spoils_the_connection_for_the_next(scripted: ScriptedWeCom) -> None:
    """What is left unread of an answer must not be taken for the next one."""
    bot = BotClient("key", api_base=scripted.url, sleep=at_once)
    for failure in FAILURES:
        scripted.script("/cgi-bin/webhook/send", *[failure.step] * failure.tries)
        with pytest.raises(failure.error):
            bot.send("hello")
        assert bot.send("hello").delivered


@pytest.mark.case("N21")
def test_half_of_all_requests_may_be_broken(scripted: ScriptedWeCom) -> None:
    scripted.every(2, rst())
    client = app(scripted)
    assert all(client.messages.send(f"{i}", users="a").delivered for i in range(20))


def test_a_thread_that_ends_leaves_no_connection_behind(scripted: ScriptedWeCom) -> None:
    client = app(scripted)
    threads = [threading.Thread(target=client.messages.send, args=("x",), kwargs={"users": "a"}) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert scripted.paths().count("message/send") == 8
    until(lambda: scripted.open_connections == 0)


# Proxies, ~/.netrc, TLS.

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY", "all_proxy")


@pytest.fixture
def no_proxy_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*PROXIES, "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.case("N10")
@pytest.mark.usefixtures("no_proxy_settings")
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_this_machine_is_reached_without_a_proxy(
    scripted: ScriptedWeCom, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    with ScriptedWeCom() as proxy:
        for name in PROXIES:
            monkeypatch.setenv(name, proxy.url)
        bot = BotClient("key", api_base=f"http://{host}:{scripted.port}")
        assert bot.send("hello").delivered
        assert proxy.connections == 0


@pytest.mark.case("N10")
@pytest.mark.usefixtures("no_proxy_settings")
def test_a_proxy_that_wants_a_password_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    with ScriptedWeCom() as proxy:
        proxy.always("", status(407, headers=[("Proxy-Authenticate", "Basic")]))
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        with pytest.raises(ConnectError, match=r"the proxy for wecom\.invalid wants a user name and a password"):
            Transport("https://wecom.invalid").call("GET", "gettoken", query={"corpsecret": "canary"})
        (asked,) = proxy.requests
        assert (asked.method, asked.path, asked.query_names) == ("CONNECT", "wecom.invalid:443", ())


@pytest.mark.case("N10")
@pytest.mark.usefixtures("no_proxy_settings")
@pytest.mark.parametrize("step", [status(502), rst(), hold(), drip(part="headers", every_s=0.1)], ids=lambda s: s.name)
def test_a_broken_proxy_is_a_transport_error_in_time(monkeypatch: pytest.MonkeyPatch, step: Step) -> None:
    with ScriptedWeCom() as proxy:
        proxy.always("", step)
        monkeypatch.setenv("HTTPS_PROXY", proxy.url.replace("//", "//user:canary-password@"))
        with within(TIMEOUT_S + SPARE_S), pytest.raises((ConnectError, RequestTimeout)) as caught:
            Transport("https://wecom.invalid", timeout_s=TIMEOUT_S).call("GET", "gettoken", query={})
        assert "canary-password" not in str(caught.value)
        assert len(proxy.requests) == 1


def test_netrc_is_not_used(scripted: ScriptedWeCom, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password something\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    app(scripted).messages.send("hello", users="a")
    assert not any("authorization" in request.headers for request in scripted.requests)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[str, str]]:
    """Makes a certificate for a name, and gives the files of it and of its key."""
    folder = tmp_path_factory.mktemp("tls")

    return functools.partial(make_certificate, folder)


MakeCertificate = Callable[[str], tuple[str, str]]


@pytest.mark.case("N09")
def test_an_untrusted_certificate_is_named_and_nothing_is_sent(certificates: MakeCertificate) -> None:
    with ScriptedWeCom(certificate=certificates("IP:127.0.0.1")) as wecom:
        with pytest.raises(ConnectError, match=r"no trusted TLS connection to 127\.0\.0\.1: self.signed cert"):
            app(wecom).messages.send("hello", users="a")
        assert wecom.connections == 3
        assert wecom.requests == []


@pytest.mark.case("N09")
@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read (No such file or directory)"),
        ("", "holds no certificate in PEM form"),
        ("no PEM", "holds no certificate in PEM form"),
        ("-----BEGIN CERTIFICATE-----\nnone\n-----END CERTIFICATE-----\n", "holds no certificate in PEM form"),
    ],
    ids=["missing", "empty", "text", "torn"],
)
def test_a_file_of_certificates_that_is_none_is_named(
    certificates: MakeCertificate,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    content: str | None,
    words: str,
) -> None:
    bundle = tmp_path / "ca.pem"
    if content is not None:
        bundle.write_text(content)
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    monkeypatch.setenv(variable, str(bundle))
    with ScriptedWeCom(certificate=certificates("IP:127.0.0.1")) as wecom:
        with pytest.raises(ConnectError) as caught:
            app(wecom).messages.send("hello", users="a")
        said = f"the file {bundle} of {variable} {words}; give another one, or unset {variable}"
        assert str(caught.value) == f"no TLS connection to 127.0.0.1: {said}"
        assert caught.value.reason == "ca_bundle"
        assert wecom.requests == []


@pytest.mark.case("N09")
def test_a_key_in_place_of_a_file_of_certificates_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    key = "-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----"
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", key)
    with pytest.raises(ConnectError, match="the file of REQUESTS_CA_BUNDLE cannot be read") as caught:
        Transport("https://127.0.0.1:9").call("GET", "gettoken", query={})
    assert "canary" not in str(caught.value)


@pytest.mark.slow
@pytest.mark.case("N10")
@pytest.mark.parametrize("address", ["socks5h://user:canary@127.0.0.1:9", "ftp://user:canary@127.0.0.1:9"])
def test_a_proxy_of_a_kind_that_cannot_be_used_is_named(address: str) -> None:
    """Also by the doctor. PySocks is taken away, should it be there."""
    ended = run(
        """
        import logging, sys, threading
        sys.modules["socks"] = None
        import wecom_logging
        from wecom_logging._cli import main
        tried = threading.Event()
        handler = wecom_logging.WeComHandler(exit_timeout=0, on_outcome=lambda report: tried.set())
        logging.getLogger("shop").addHandler(handler)
        logging.getLogger("shop").error("no price")
        tried.wait(30)
        main(["doctor", "--lang", "en"])
        """,
        url="https://wecom.test",
        fresh=True,
        **dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "no_proxy", "https_proxy"), ""),
        ALL_PROXY=address,
    )
    assert ended.status == 0, ended.err
    remedy = "pip install 'requests[socks]'" if address.startswith("socks") else "check HTTPS_PROXY"
    assert "alerts wait: the proxy for wecom.test" in ended.err
    assert remedy in ended.err
    assert "api_base" not in ended.err
    lines = ended.out.splitlines()
    (place,) = [number for number, line in enumerate(lines) if " proxy " in line and "✗" in line]
    assert remedy.removeprefix("check ") in " ".join(lines[place : place + 2])  # the remedy is below
    assert "canary" not in ended.out + ended.err


@pytest.mark.case("N09")
def test_a_certificate_for_another_host_is_named_and_nothing_is_sent(
    certificates: MakeCertificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = certificates("DNS:elsewhere.example")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", files[0])
    with ScriptedWeCom(certificate=files) as wecom:
        with pytest.raises(ConnectError, match="IP address mismatch"):
            app(wecom).messages.send("hello", users="a")
        assert wecom.requests == []


@pytest.mark.case("N09")
def test_a_trusted_certificate_lets_messages_through(
    certificates: MakeCertificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = certificates("IP:127.0.0.1")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", files[0])
    with ScriptedWeCom(certificate=files) as wecom:
        client = app(wecom)
        assert client.messages.send("hello", users="a").delivered
        wecom.always("/", drip(every_s=0.1))
        slow = Transport(wecom.url, timeout_s=TIMEOUT_S)
        with within(TIMEOUT_S + SPARE_S), pytest.raises(RequestTimeout):
            slow.call("GET", "gettoken", query={})
        slow.close()
        client.close()


@pytest.mark.case("N09")
def test_a_handshake_has_all_the_time_that_is_left_and_no_more(
    certificates: MakeCertificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = certificates("IP:127.0.0.1")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", files[0])
    with ScriptedWeCom(certificate=files, handshake_after_s=0.3) as wecom:
        address = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", wecom.port))
        monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **options: [address] * 20)
        transport = Transport(wecom.url, timeout_s=5)  # a twentieth would not do
        assert transport.call("POST", "webhook/send", query={}, body=b"{}")["errcode"] == 0
        transport.close()
        wecom.handshake_after_s = 60
        with within(0.2 + SPARE_S), pytest.raises(RequestTimeout):
            Transport(wecom.url, timeout_s=0.2).call("POST", "webhook/send", query={}, body=b"{}")


@pytest.mark.case("N09")
def test_a_server_without_tls_is_not_spoken_to_in_clear(scripted: ScriptedWeCom) -> None:
    """It takes the handshake for the head of a request that never ends."""
    transport = Transport(scripted.url.replace("http:", "https:"), timeout_s=TIMEOUT_S)
    with within(TIMEOUT_S + SPARE_S), pytest.raises((RequestTimeout, ConnectError)):
        transport.call("GET", "gettoken", query={})
    assert scripted.requests == []


# The program's own log.


def test_our_requests_are_silent_and_the_program_s_own_are_logged_as_ever(
    sandbox: Sandbox, client: WeComClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    client.messages.send("hello", users="sandbox-user")
    assert caplog.records == []
    requests.get(f"{sandbox.url}/sandbox/messages?mine=1", timeout=5)
    assert any("mine=1" in record.getMessage() for record in caplog.records if record.name.startswith("urllib3"))
    caplog.clear()
    client.messages.send("hello", users="sandbox-user")
    assert caplog.records == []


def test_the_program_s_requests_are_logged_while_ours_are_under_way(
    scripted: ScriptedWeCom, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    scripted.always("/cgi-bin/webhook/send", hold())
    thread = threading.Thread(target=BotClient("key", api_base=scripted.url).send, args=("hello",))
    thread.start()
    until(lambda: scripted.requests)
    requests.get(f"{scripted.url}/mine", timeout=5)
    assert any("/mine" in record.getMessage() for record in caplog.records)
    scripted.release()
    thread.join()
    assert not any("webhook" in record.getMessage() for record in caplog.records)


def test_every_request_names_this_package(scripted: ScriptedWeCom) -> None:
    app(scripted).messages.send("hello", users="a")
    assert all(request.headers["user-agent"].startswith("wecom-logging/") for request in scripted.requests)
    assert scripted.requests[1].headers["content-type"] == "application/json; charset=utf-8"
    assert [request.query_names for request in scripted.requests] == [("corpid", "corpsecret"), ("access_token",)]


@pytest.mark.case("N19")
def test_a_good_answer_may_come_in_chunks_of_any_size(scripted: ScriptedWeCom) -> None:
    def act(line: Any) -> bool:
        line.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for i in range(len(GOOD)):
            line.send(b"1\r\n" + GOOD[i : i + 1] + b"\r\n")
        line.send(b"0\r\n\r\n")
        return True

    scripted.script("/cgi-bin/webhook/send", Step("chunks", act))
    bot = BotClient("key", api_base=scripted.url)
    assert bot.send("one").delivered
    assert bot.send("two").delivered
    assert len({request.port for request in scripted.requests}) == 1


@pytest.mark.case("N19")
def test_an_answer_of_http_1_0_ends_with_the_connection(scripted: ScriptedWeCom) -> None:
    def act(line: Any) -> bool:
        line.send(b"HTTP/1.0 200 OK\r\n\r\n" + GOOD)
        return False

    scripted.script("/cgi-bin/webhook/send", Step("HTTP/1.0", act))
    assert BotClient("key", api_base=scripted.url).send("hello").delivered


def test_a_request_imports_nothing_more(scripted: ScriptedWeCom, certificates: MakeCertificate) -> None:
    """A child that is forked in the middle of an import waits for it for ever, so all imports come at a known time."""
    scripted.script("/cgi-bin/webhook/send", status(502), rst(), ok(), errcode(60020), body(b"{"), status(302, b""))
    with ScriptedWeCom(certificate=certificates("IP:127.0.0.1")) as with_tls, ScriptedWeCom() as proxy:
        proxy.always("", status(407))
        program = f"""
        import sys
        from wecom_logging import errors
        from wecom_logging._wecom import BotClient
        from wecom_logging._wecom.http import load_libraries

        load_libraries()
        before = set(sys.modules)
        bot = BotClient("key", api_base={scripted.url!r})
        for client in [bot] * 5 + [BotClient("key", api_base=base) for base in {[with_tls.url, "https://wecom.invalid"]}]:
            try:
                client.send("hello")
            except errors.WeComError as error:
                print(type(error).__name__)
        bot.upload("日志.log", b"0123456789")
        print(sorted(set(sys.modules) - before))
        """
        ended = run(program, fresh=True, HTTPS_PROXY=proxy.url, NO_PROXY="")
        assert proxy.connections == 1
    errors = ["PermissionDeniedError", "HTTPStatusError", "ConnectError", "ConnectError"]
    assert ended.out.splitlines() == [*errors, "[]"], ended.err


def test_cookies_are_not_kept(scripted: ScriptedWeCom) -> None:
    scripted.always("/cgi-bin/webhook/send", status(200, b'{"errcode": 0}', headers=[("Set-Cookie", "a=b")]))
    bot = BotClient("key", api_base=scripted.url)
    for _ in range(2):
        bot.send("hello")
    assert all("cookie" not in request.headers for request in scripted.requests)


def test_a_program_that_debugs_http_client_sees_none_of_our_secrets(
    scripted: ScriptedWeCom, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    import http.client

    monkeypatch.setattr(http.client.HTTPConnection, "debuglevel", 1)
    BotClient("canary-key", api_base=scripted.url).send("hello")
    assert capfd.readouterr().out == ""


@pytest.mark.case("W14")
def test_what_wecom_says_of_a_failure_does_not_repeat_our_secrets(scripted: ScriptedWeCom) -> None:
    scripted.always("/cgi-bin/webhook/send", errcode(40058, "key canary-1 is bad"))
    with pytest.raises(InvalidMessageError) as caught:
        BotClient("canary-1", api_base=scripted.url).send("hello")
    assert "canary" not in str(caught.value) + caught.value.errmsg
