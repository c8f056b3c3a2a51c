"""Names, addresses and cables: a handler in a network of its own."""

from __future__ import annotations

import textwrap

import pytest

from tests.certificates import make_certificate
from tests.namespace import in_namespace, namespace

pytestmark = [
    pytest.mark.skipif(namespace() is None, reason="no network namespace may be made here (unshare)"),
    pytest.mark.slow,
]

SET_UP = """
import logging, os, socket, sys, time
from tests.programs import until, waited_seconds, word
from tests.scripted import ScriptedWeCom
from wecom_logging import WeComBotHandler

def log(text):
    record = logging.LogRecord("shop", 40, "shop.py", 1, text, (), None)
    assert waited_seconds(lambda: handler.handle(record)) < 0.4  # for the network it would be half a second

def settled(within_s=20):
    until(lambda: handler.stats().pending == 0, within_s)

wecom = ScriptedWeCom(certificate=(os.environ["CERTIFICATE"], os.environ["KEY"])).__enter__()
url = f"https://wecom.test:{wecom.port}"
timeout = float(os.environ.get("TIMEOUT", "2"))
handler = WeComBotHandler(webhook="canary-key", api_base=url, timeout=timeout, rate_limit=None)
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    certificate, key = make_certificate(tmp_path_factory.mktemp("tls"), "DNS:wecom.test")
    return {"CERTIFICATE": certificate, "KEY": key, "REQUESTS_CA_BUNDLE": certificate}


@pytest.mark.case("N07")
@pytest.mark.parametrize("how", ["no server", "no such name"])
def test_a_name_that_cannot_be_resolved_is_said_and_found_later(environment: dict[str, str], how: str) -> None:
    program = """
    resolver("nameserver 127.0.0.1", "options timeout:1 attempts:1")
    names = NameServer() if HOW == "no such name" else None
    log("disk full")
    print(handler.flush(2))
    names = names or NameServer()
    names.address = "127.0.0.1"
    settled()
    log("a probe")
    settled()
    print(len(wecom.requests), handler.stats().delivered)
    """
    ended = in_namespace(SET_UP + _code(program.replace("HOW", repr(how))), **environment)
    assert ended.out.split() == ["False", "2", "2"], ended.err
    (line,) = ended.err.splitlines()
    assert "the name wecom.test cannot be resolved" in line
    assert "canary" not in line


@pytest.mark.case("N07")
def test_a_name_server_that_never_answers_is_asked_once_for_a_connection(environment: dict[str, str]) -> None:
    program = """
    resolver("nameserver 127.0.0.1", "options timeout:2 attempts:1")
    silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    silent.bind(("127.0.0.1", 53))
    from wecom_logging.errors import ConnectError
    from wecom_logging._wecom.http import Transport
    began = time.monotonic()
    try:
        Transport("https://wecom.test", timeout_s=0.5).call("GET", "gettoken", query={})
    except ConnectError as error:
        print(error, "|", time.monotonic() - began < 3.9)
    """
    ended = in_namespace(SET_UP + _code(program), **environment)
    said = "the name wecom.test cannot be resolved: check api_base and this machine's DNS"
    assert ended.out == f"{said} | True\n", ended.err


@pytest.mark.case("N08")
@pytest.mark.parametrize("dead", ["nobody listens", "black hole"])
def test_the_second_address_takes_over_from_a_dead_one(environment: dict[str, str], dead: str) -> None:
    program = """
    if DEAD == "black hole":  # whose queue is full
        full = socket.socket(socket.AF_INET6)
        full.bind(("::1", wecom.port))
        full.listen(0)
        fillers = [socket.socket(socket.AF_INET6) for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
    hosts("::1 wecom.test", "127.0.0.1 wecom.test")
    print(*(found[4][0] for found in socket.getaddrinfo("wecom.test", 1, type=socket.SOCK_STREAM)))
    log("disk full")
    settled(5.5)  # half of the time is for the first address; all of it would be six seconds
    print(len(wecom.requests))
    """
    ended = in_namespace(SET_UP + _code(program.replace("DEAD", repr(dead))), TIMEOUT="6", **environment)
    assert (ended.out.split(), ended.err) == (["::1", "127.0.0.1", "1"], "")


@pytest.mark.case("N10")
@pytest.mark.parametrize("no_proxy", ["", "wecom.test", "localhost,.test"])
def test_a_host_may_be_excepted_from_the_proxy(environment: dict[str, str], no_proxy: str) -> None:
    program = """
    from tests.connect_proxy import ConnectProxy
    hosts("127.0.0.1 wecom.test")
    with ConnectProxy(wecom.port) as proxy:
        os.environ["HTTPS_PROXY"] = proxy.url()
        log("disk full")
        settled()
    print(len(wecom.requests), len(proxy.asked))
    """
    ended = in_namespace(SET_UP + _code(program), NO_PROXY=no_proxy, **environment)
    assert (ended.out.split(), ended.err) == (["1", "0" if no_proxy else "1"], "")


@pytest.mark.case("N04", "N20")
@pytest.mark.parametrize("connected", [True, False])
def test_a_pulled_cable_costs_time_and_nothing_else(environment: dict[str, str], connected: bool) -> None:
    program = """
    hosts("127.0.0.1 wecom.test")
    if CONNECTED:
        log("at first")
        settled()
    cable(up=False)
    for number in range(20):
        log(f"disk {word(number)} full")
    print(handler.flush(5))
    cable(up=True)
    settled()
    log("a probe")
    settled()
    told = "".join(body.decode() for body in set(wecom.bodies("/")))  # what is on its way may come late: the same bytes
    print([told.count(f"disk {word(number)} full") for number in range(20)] == [1] * 20, told.count("a probe"))
    print(handler.stats().delivered)
    """
    ended = in_namespace(SET_UP + _code(program.replace("CONNECTED", repr(connected))), TIMEOUT="0.5", **environment)
    assert ended.out.split() == ["False", "True", "1", "22" if connected else "21"], ended.err
    (line,) = ended.err.splitlines()
    assert "wecom.test did not answer in time" in line


def _code(program: str) -> str:
    return textwrap.dedent(program)
