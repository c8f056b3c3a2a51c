"""The network against a handler as a program has it: with its own thread, its own time, and somebody who watches."""

from __future__ import annotations

import gc
import itertools
import logging
import socket
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.certificates import make_certificate
from tests.connect_proxy import ConnectProxy
from tests.programs import at_best, run, until, waited_seconds, word
from tests.scripted import ScriptedWeCom, Step, after, hold, huge, ok, ok_then_close, status
from tests.secrets import ACCESS_TOKEN, BOT_KEY, CORP_SECRET, assert_no_secret
from tests.tcp_proxy import TcpProxy
from tests.wecom.failures import GOOD
from wecom_logging import WeComBotHandler, WeComHandler
from wecom_logging._incidents import limits
from wecom_logging._runtime import threads
from wecom_logging._sandbox import Sandbox
from wecom_logging.handlers import AlertHandler

from .rig import PUSH, SEND, Rig

MAX_CALL_S = 0.4
"""Of a record to the handler, without what it waits for a processor: one that waited for the network would take 0.5 s
at least."""
PROXY_PASSWORD = "canary-proxy-password"


@pytest.fixture
def wecom() -> Iterator[ScriptedWeCom]:
    with ScriptedWeCom(token=ACCESS_TOKEN) as server:
        yield server


def app(url: str, **options: Any) -> WeComHandler:
    return WeComHandler(corp_id="corp", agent_id=1, secret=CORP_SECRET, users=["a"], api_base=url, **options)


def bot(url: str, **options: Any) -> WeComBotHandler:
    return WeComBotHandler(webhook=BOT_KEY, api_base=url, **options)


class Watched:
    """A handler whose every call is measured, and whose end is checked against the promises."""

    def __init__(self, handler: AlertHandler) -> None:
        self.handler = handler
        self.made = 0

    def log(self, text: str, within_s: float = MAX_CALL_S) -> None:
        record = logging.LogRecord("shop", 40, __file__, self.made, text, (), None)
        assert waited_seconds(lambda: self.handler.handle(record)) < within_s
        self.made += 1

    def heals(self, within_s: float = 20.0) -> None:
        """All that waits is delivered, with nobody's help, and so is a fresh one."""
        until(lambda: self.handler.stats().pending == 0, within_s)
        self.log("a probe")
        until(lambda: self.handler.stats().pending == 0, within_s)


@contextmanager
def watched(handler: AlertHandler, capfd: pytest.CaptureFixture[str], *, lines: int = 1) -> Iterator[Watched]:
    """No call was slow, one thread did it, all was delivered, and so many lines without a secret were said."""
    found, before = Watched(handler), _workers()
    try:
        yield found
        assert len(_workers() - before) <= 1
        stats = handler.stats()
        assert (stats.accepted, stats.delivered, stats.pending) == (found.made, found.made, 0)
        err = capfd.readouterr().err
        assert_no_secret(err, CORP_SECRET, ACCESS_TOKEN, BOT_KEY, PROXY_PASSWORD)
        assert len(err.splitlines()) == lines, err
    finally:
        handler.close()
    until(lambda: not _workers() - before)


def _workers() -> set[int]:
    """The threads that run a worker; another test may have left some, for a while."""
    found = set()
    gc.disable()  # a thread state that goes amid this would wait for it for ever
    try:
        frames = sys._current_frames()
    finally:
        gc.enable()
    for thread, frame in frames.items():
        while frame.f_back is not None:
            frame = frame.f_back
        if frame.f_code.co_filename == threads.__file__:
            found.add(thread)
    return found


# Connections that are refused, reset, never made or never answered.


@pytest.mark.case("N02")
def test_a_reset_while_a_large_body_is_sent_ends_with_one_copy(
    wecom: ScriptedWeCom, capfd: pytest.CaptureFixture[str]
) -> None:
    with TcpProxy(wecom.port, [200, 20_000]) as proxy, watched(bot(proxy.url, overflow="file"), capfd, lines=0) as it:
        it.log("x " * 5_000_000)
        it.heals()
        it.handler.close()
    assert wecom.paths() == ["webhook/send", "webhook/upload_media", "webhook/send", "webhook/send"]
    assert max(len(request.body) for request in wecom.requests) < 80_000
    assert proxy.connections == 3


@pytest.mark.case("N02", "N03")
@pytest.mark.parametrize("passes", [0, 1, 150, 400])
def test_a_connection_that_is_reset_anywhere_costs_a_try(
    wecom: ScriptedWeCom, capfd: pytest.CaptureFixture[str], passes: int
) -> None:
    with TcpProxy(wecom.port, [passes] * 2) as proxy, watched(app(proxy.url), capfd, lines=0) as it:
        it.log("disk full")
        it.heals()
    assert wecom.paths() == ["gettoken", "message/send", "message/send"]


@contextmanager
def black_hole() -> Iterator[str]:
    """An address whose queue is full: further connects get no answer at all."""
    with socket.socket() as full:
        full.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        try:
            yield f"http://127.0.0.1:{full.getsockname()[1]}"
        finally:
            for filler in fillers:
                filler.close()


@pytest.mark.slow
@pytest.mark.case("N04")
def test_a_black_hole_holds_up_no_call_and_no_alert_for_good(capfd: pytest.CaptureFixture[str]) -> None:
    with black_hole() as url:
        handler = bot(url, timeout=0.5, rate_limit=None)
        it = Watched(handler)
        for number in range(20):
            it.log(f"disk {word(number)} full")
        assert not handler.flush(0.3)
        until(lambda: "did not answer in time" in capfd.readouterr().err)
    with ScriptedWeCom(port=int(url.rpartition(":")[2])) as wecom, watched(handler, capfd, lines=0) as found:
        found.made = it.made
        found.heals()
    told = "".join(body.decode() for body in set(wecom.bodies(PUSH)))  # an answer may be too late: the same bytes again
    assert [told.count(f"disk {word(number)} full") for number in range(20)] == [1] * 20


@pytest.mark.slow
@pytest.mark.case("N04")
def test_a_black_hole_costs_the_exit_no_more_than_its_timeout() -> None:
    program = """
    import logging, sys
    from wecom_logging import WeComBotHandler

    handler = WeComBotHandler(exit_timeout=1, timeout=30)
    log = logging.getLogger("program")
    log.addHandler(handler)
    log.error("lost")
    sys.exit(7)
    """
    with black_hole() as url:

        def exit_s() -> float:
            idle = run(program.replace('log.error("lost")', "import requests"), url=url)
            ended = run(program, url=url)
            assert (ended.status, idle.status) == (7, 7)
            assert ended.err.count("1 alert was not sent within exit_timeout (1 s): it is lost") == 1
            return ended.seconds - idle.seconds

        assert at_best(exit_s, 1.5) <= 1.5


@pytest.mark.slow
@pytest.mark.case("N05")
@pytest.mark.parametrize("where", ["server", "on the way"])
def test_after_a_request_that_is_never_answered_comes_a_new_connection(
    wecom: ScriptedWeCom, capfd: pytest.CaptureFixture[str], where: str
) -> None:
    with TcpProxy(wecom.port) as proxy, watched(bot(proxy.url, timeout=0.5, rate_limit=None), capfd, lines=0) as it:
        it.log("first")
        assert it.handler.flush(10)
        wecom.always(PUSH, hold())
        if where == "on the way":
            proxy.hold()
        it.log("second")
        until(lambda: "did not answer in time" in capfd.readouterr().err)  # a round of three
        assert proxy.connections >= 3
        if where == "on the way":
            proxy.reset_all()
            proxy.go_on()
        wecom.mend()
        it.heals()
    different = list(dict.fromkeys(wecom.bodies(PUSH)))  # each as often as its answer was late, always the same
    words = [b"first", b"second", b"a probe"]
    assert [[word in body for word in words] for body in different] == [[it == word for it in words] for word in words]


@pytest.mark.slow
@pytest.mark.case("N06")
def test_slow_answers_are_no_failures(wecom: ScriptedWeCom, capfd: pytest.CaptureFixture[str]) -> None:
    wecom.always("", after(1.0, ok()))
    with watched(bot(wecom.url, timeout=5), capfd, lines=0) as it:
        it.log("disk full")
        it.log("net down")
        it.heals()
    assert len(wecom.requests) == 3


# TLS.


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tls")


@contextmanager
def wrong_tls(kind: str, folder: Path, trusted: list[str]) -> Iterator[tuple[int, Any]]:
    """The port of a server that is wrong, and what tells the requests that it got; its CA goes to ``trusted``."""
    if kind == "no TLS":
        with Sandbox() as plain:
            yield int(plain.url.rpartition(":")[2]), lambda: plain.calls
        return
    name = "DNS:elsewhere.example" if kind == "wrong host" else "IP:127.0.0.1"
    files = make_certificate(folder, name, expired=kind == "expired")
    if kind != "unknown CA":
        trusted.append(files[0])
    else:
        files = make_certificate(folder, name)
    with ScriptedWeCom(certificate=files, handshake_after_s=60 if kind == "stalled" else 0) as server:
        yield server.port, lambda: server.requests


@pytest.mark.slow
@pytest.mark.case("N09")
@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("unknown CA", "self.signed certificate (its CA is unknown here; REQUESTS_CA_BUNDLE may name"),
        ("wrong host", "IP address mismatch, certificate is not valid for '127.0.0.1' (check api_base"),
        ("expired", "certificate has expired (or this machine's clock is wrong)"),
        ("no TLS", "the server does not speak TLS on this port"),
        ("stalled", "did not answer in time (the TLS handshake stalled)"),
    ],
)
def test_what_is_wrong_with_tls_is_said_nothing_is_sent_and_it_heals(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], kind: str, words: str
) -> None:
    trusted: list[str] = []
    (folder / kind).mkdir()
    good = make_certificate(folder, "IP:127.0.0.1")
    with wrong_tls(kind, folder / kind, trusted) as (port, requests), ScriptedWeCom(certificate=good) as wecom:
        bundle = folder / kind / "trusted.pem"
        bundle.write_text("".join(Path(file).read_text() for file in [good[0], *trusted]))
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))
        with TcpProxy(port) as proxy:
            handler = app(proxy.url.replace("http:", "https:"), timeout=2 if kind == "stalled" else 10)
            it = Watched(handler)
            it.log("disk full")
            said: list[str] = []
            until(lambda: said.append(capfd.readouterr().err) or "".join(said).endswith("\n"))
            assert len("".join(said).splitlines()) == 1
            assert words.replace("self.signed", "self-signed") in "".join(said).replace("self signed", "self-signed")
            assert_no_secret("".join(said), CORP_SECRET)
            assert not requests()
            proxy.target_port = wecom.port
            proxy.reset_all()
            with watched(handler, capfd, lines=0) as found:
                found.made = it.made
                found.heals()
        assert wecom.paths() == ["gettoken", "message/send", "message/send"]


# Proxies.


@pytest.fixture
def far_away(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedWeCom]:
    """A WeCom that is reached through a proxy only: its name is nowhere to be resolved."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    files = make_certificate(folder, "DNS:wecom.test")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", files[0])
    with ScriptedWeCom(certificate=files, token=ACCESS_TOKEN) as server:
        yield server


@pytest.mark.case("N10")
@pytest.mark.parametrize("login", ["", f"user:{PROXY_PASSWORD}"])
def test_a_proxy_carries_alerts_and_hears_no_secret(
    far_away: ScriptedWeCom, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], login: str
) -> None:
    with ConnectProxy(far_away.port, login=login) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url(login))
        with watched(app("https://wecom.test"), capfd, lines=0) as it:
            it.log("disk full")
            it.heals()
    assert [line.rpartition(" ")[0] for line in proxy.asked] == ["CONNECT wecom.test:443"]
    assert far_away.paths() == ["gettoken", "message/send", "message/send"]
    assert not any("proxy-authorization" in request.headers for request in far_away.requests)


@pytest.mark.case("N10")
def test_a_proxy_that_is_down_is_named_and_used_when_it_is_back(
    far_away: ScriptedWeCom, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with ConnectProxy(far_away.port) as gone:
        pass
    monkeypatch.setenv("HTTPS_PROXY", gone.url(f"user:{PROXY_PASSWORD}"))
    handler = bot("https://wecom.test", timeout=1)
    it = Watched(handler)
    it.log("disk full")
    said: list[str] = []
    until(lambda: said.append(capfd.readouterr().err) or "".join(said).endswith("\n"))
    (line,) = "".join(said).splitlines()
    assert "the proxy for wecom.test failed (Connection refused): check HTTPS_PROXY and NO_PROXY" in line
    assert_no_secret(line, BOT_KEY, PROXY_PASSWORD)
    assert handler.stats().pending == 1
    with ConnectProxy(far_away.port, port=gone.port), watched(handler, capfd, lines=0) as found:
        found.made = it.made
        found.heals()


@pytest.mark.case("N10")
def test_a_refused_proxy_login_is_said_once_and_tried_every_five_minutes(
    far_away: ScriptedWeCom, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A login that is tried all the time is locked, for everybody who uses it."""
    with ConnectProxy(far_away.port, login="user:another") as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url(f"user:{PROXY_PASSWORD}"))
        rig = Rig("https://wecom.test")
        rig.log("first", "second")
        rig.run(3600)
        assert 11 <= len(proxy.asked) <= 13
        (line,) = capfd.readouterr().err.splitlines()
        assert "the proxy for wecom.test wants a user name and a password (in HTTPS_PROXY)" in line
        assert_no_secret(line, CORP_SECRET, PROXY_PASSWORD)
        assert rig.stats().pending == 2
        monkeypatch.setenv("HTTPS_PROXY", proxy.url("user:another"))
        rig.run_until_settled(within_s=300)
        assert rig.stats().delivered == 2


# Answers without an end, and odd ones.


def _endless(name: str, start: bytes, again: bytes) -> Step:
    def act(line: Any) -> bool:
        line.send(start)
        while not line.server.stopping.is_set():
            line.send(again)
        return False

    return Step(name, act)


OK = b"HTTP/1.1 200 OK\r\n"
ENDLESS = [
    huge(),
    _endless("status line", b"HTTP/1.1 200 ", b"x" * 4096),
    _endless("header", OK + b"X-A: ", b"x" * 4096),
    _endless("headers", OK, b"X-A: x\r\n" * 512),
    _endless("100 Continue", b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 64),
    _endless("chunk of nothing", OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n" * 512),
    _endless("chunk extension", OK + b"Transfer-Encoding: chunked\r\n\r\n1;", b"x" * 4096),
    _endless("trailers", OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n", b"X-A: x\r\n" * 512),
    _endless("error", b"HTTP/1.1 502 Bad Gateway\r\n\r\n", b"x" * 4096),
    _endless("redirect", b"HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n", b"x" * 4096),
    _endless("gzip", OK + b"Content-Encoding: gzip\r\n\r\n\x1f\x8b\x08\0\0\0\0\0\0\3", bytes(4096)),
]


@pytest.mark.slow
@pytest.mark.case("N15", "N19")
def test_no_endless_answer_takes_memory_or_time(wecom: ScriptedWeCom) -> None:
    program = """
    import re, time
    from wecom_logging.errors import TransportError
    from wecom_logging._wecom.http import Transport

    def peak():
        return int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])

    Transport(URL, timeout_s=30).call("POST", "webhook/send", query={}, body=b"{}")  # the first loads the libraries
    transport = Transport(URL, timeout_s=0.4)
    for number in range(NUMBER):
        before, began = peak(), time.monotonic()
        try:
            transport.call("POST", f"endless/{number}", query={}, body=b"{}")
            print("success")
        except TransportError as error:
            print(type(error).__name__, peak() - before < 8 * 1024, time.monotonic() - began < 0.4 + 20)
    """
    for number, step in enumerate(ENDLESS):
        wecom.always(f"/cgi-bin/endless/{number}", step)
    ended = run(program.replace("URL", repr(wecom.url)).replace("NUMBER", str(len(ENDLESS))))
    lines = dict(zip((step.name for step in ENDLESS), ended.out.splitlines(), strict=True))
    assert {line.partition(" ")[2] for line in lines.values()} == {"True True"}, (lines, ended.err)


@pytest.mark.case("N18")
def test_a_server_that_closes_after_each_answer_costs_no_try_and_no_time(
    wecom: ScriptedWeCom, capfd: pytest.CaptureFixture[str]
) -> None:
    wecom.always(PUSH, ok_then_close())
    with watched(bot(wecom.url, rate_limit=None), capfd, lines=0) as it:
        for number in range(20):
            it.log(f"disk {word(number)} full")
            until(lambda: it.handler.stats().pending == 0)
            until(lambda: wecom.open_connections == 0)
    assert len(wecom.requests) == wecom.connections == 20
    told = "".join(body.decode() for body in wecom.bodies(PUSH))
    assert [told.count(f"disk {word(number)} full") for number in range(20)] == [1] * 20


@pytest.mark.slow
@pytest.mark.case("N21")
@pytest.mark.parametrize("is_bot", [False, True], ids=["app", "bot"])
def test_a_thousand_alerts_through_a_line_that_loses_every_second_connection(
    wecom: ScriptedWeCom, is_bot: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MESSAGES", 10**9)  # each is to have a text of its own, in whatever message
    wecom.always(PUSH if is_bot else SEND, ok_then_close())
    with TcpProxy(wecom.port, itertools.cycle([0, None])) as proxy:
        rig = Rig(proxy.url, bot=is_bot)
        rig.log(*(f"disk {word(number)} full" for number in range(1000)))
        rig.run_until_settled(within_s=60)
        assert proxy.connections > 2 * 15
    assert rig.stats().delivered == 1000
    sent = wecom.bodies(PUSH if is_bot else SEND)
    told = Counter(found for body in sent for found in body.decode().split() if found in WORDS)
    assert told == dict.fromkeys(WORDS, 1)


WORDS = {word(number) for number in range(1000)}


# No file descriptor is left.


@pytest.mark.slow
@pytest.mark.case("N22")
@pytest.mark.parametrize("when", ["before the first alert", "later"])
def test_without_a_file_descriptor_alerts_wait_until_there_is_one(wecom: ScriptedWeCom, when: str) -> None:
    program = """
    import errno, logging, os, resource, sys, time
    from wecom_logging import WeComBotHandler

    handler = WeComBotHandler()
    log = logging.getLogger("program")
    log.addHandler(handler)
    if WHEN == "later":
        log.error("at first")
        assert handler.flush(10)
    resource.setrlimit(resource.RLIMIT_NOFILE, (32, 32))
    taken = []
    try:
        while True:
            taken.append(os.open("/dev/null", os.O_RDONLY))
    except OSError as error:
        assert error.errno == errno.EMFILE
    log.error("disk full")
    assert not handler.flush(1.5)
    print(handler.stats().pending)
    for one in taken:
        os.close(one)
    ends = time.monotonic() + 20
    while WHEN == "later" and handler.stats().pending and time.monotonic() < ends:
        time.sleep(0.01)
    log.error("a probe")
    print(handler.flush(15), handler.stats().pending, handler.stats().dropped)
    """
    wecom.script(PUSH, status(200, GOOD, headers=[("Connection", "close")]))
    ended = run(program.replace("WHEN", repr(when)), url=wecom.url)
    assert ended.out.splitlines() == ["1", "True 0 {}"], ended.err
    assert ended.status == 0
    told = "".join(body.decode() for body in wecom.bodies(PUSH))
    assert (told.count("disk full"), told.count("a probe")) == (1, 1)
    assert len(ended.err.splitlines()) == 1, ended.err
    assert "open files" in ended.err


@pytest.mark.case("N11", "N13")
@pytest.mark.parametrize("code", [500, 502, 503, 504, 400, 401, 403, 404])
def test_a_page_of_html_is_no_answer_and_is_not_quoted(wecom: ScriptedWeCom, code: int) -> None:
    page = f"<html><script>{'x' * 3000}</script>{BOT_KEY}</html>"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stderr", (said := _Lines()))
        rig = Rig(wecom.url, bot=True)
        wecom.script(PUSH, *[status(code, page.encode())] * (3 if code >= 500 else 1))
        rig.log("disk full")
        rig.run_until_settled(within_s=2)
    assert rig.stats().delivered == 1
    (line,) = said.lines
    assert f"HTTP status {code}" in line
    assert len(line) < 250
    assert "html" not in line
    assert_no_secret(line, BOT_KEY)


class _Lines:
    """A stderr that is no file."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def write(self, text: str) -> None:
        self.lines.append(text)

    def flush(self) -> None:
        """Nothing is kept back."""


@pytest.mark.slow
@pytest.mark.case("N22")
def test_an_import_that_failed_at_any_place_leaves_nothing_half_loaded() -> None:
    """Without memory or a file descriptor it may fail anywhere, and is tried again a second later."""
    program = """
    import os, sys
    from importlib.abc import MetaPathFinder
    from wecom_logging.errors import ConnectError
    from wecom_logging._wecom.http import Transport, load_libraries

    class Fails(MetaPathFinder):
        def find_spec(self, name, path, target=None):
            if name == self.name:
                sys.meta_path.remove(self)
                raise OSError(24, "Too many open files")

    for Fails.name in NAMES:
        if os.fork() == 0:
            sys.meta_path.insert(0, Fails())
            try:
                load_libraries()
                os._exit(1)
            except OSError:
                load_libraries()
            try:
                Transport("http://127.0.0.1:1").call("GET", "gettoken", query={})
            except ConnectError as error:
                os._exit("Connection refused" not in str(error))
            finally:
                os._exit(2)
        print(Fails.name, os.wait()[1])
    """
    names = ["urllib3.util.retry", "urllib3.connectionpool", "charset_normalizer.api", "requests.exceptions"]
    names += ["requests.models", "requests.api", "certifi.core", "idna.core", "tenacity.wait"]
    ended = run(program.replace("NAMES", repr(names)), fresh=True)
    assert ended.out.split() == [word for name in names for word in (name, "0")], ended.err
