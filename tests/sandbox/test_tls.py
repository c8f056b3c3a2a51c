"""--tls: HTTPS and WSS at the sandbox's own port, with a certificate that is made at the start."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import requests
from websockets.sync.client import connect

from wecom_logging._sandbox import Sandbox

from .talker import BOT


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tls") / "ca.pem"


@pytest.fixture(scope="module")
def secure(ca: Path) -> Iterator[Sandbox]:
    with Sandbox(ca_file=str(ca)) as sandbox:
        yield sandbox


def _port(sandbox: Sandbox) -> int:
    return int(sandbox.url.rpartition(":")[2])


@pytest.mark.parametrize(
    "name", ["127.0.0.1", "localhost", "::1", "qyapi.weixin.qq.com", "openws.work.weixin.qq.com", socket.gethostname()]
)
def test_its_certificate_is_for_each_name_by_which_it_is_served(secure: Sandbox, ca: Path, name: str) -> None:
    context = ssl.create_default_context(cafile=str(ca))
    context.verify_flags |= ssl.VERIFY_X509_STRICT  # as newer versions of Python do
    with (
        socket.create_connection(("127.0.0.1", _port(secure)), timeout=10) as raw,
        context.wrap_socket(raw, server_hostname=name) as tls,
    ):
        assert tls.version() == "TLSv1.3"


def test_who_does_not_trust_it_sends_nothing(secure: Sandbox) -> None:
    with closing(requests.Session()) as session:
        session.trust_env = False
        with pytest.raises(requests.exceptions.SSLError):
            session.get(secure.url, timeout=10)


def test_programs_are_led_to_it_and_trust_it(secure: Sandbox, ca: Path) -> None:
    environment = secure.environment
    assert environment["WECOM_API_BASE"] == secure.url == f"https://127.0.0.1:{_port(secure)}"
    assert environment["WECOM_AIBOT_URL"] == f"wss://127.0.0.1:{_port(secure)}/aibot"
    assert {environment[name] for name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS")} == {str(ca)}
    assert requests.get(f"{secure.url}/sandbox/health", verify=str(ca), timeout=10).json()["status"] == "ok"
    context = ssl.create_default_context(cafile=str(ca))
    with connect(environment["WECOM_AIBOT_URL"], ssl=context, proxy=None) as bot:
        bot.send(json.dumps({"cmd": "aibot_subscribe", "headers": {"req_id": "1"}, "body": BOT}))
        assert json.loads(bot.recv(10))["errcode"] == 0
        secure.aibot.say("sandbox-user", "sandbox-user", "x" * 9000)
        assert json.loads(bot.recv(10))["body"]["text"]["content"] == "x" * 9000


def test_who_makes_no_handshake_holds_nobody_up(secure: Sandbox, ca: Path) -> None:
    address = ("127.0.0.1", _port(secure))
    with socket.create_connection(address) as silent, socket.create_connection(address, timeout=10) as plain:
        plain.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b"HTTP" not in plain.recv(1000)
        assert requests.get(f"{secure.url}/sandbox/health", verify=str(ca), timeout=10).status_code == 200
        silent.sendall(b"x")


def test_each_start_has_a_certificate_of_its_own(tmp_path: Path, ca: Path, secure: Sandbox) -> None:
    other = tmp_path / "ca.pem"
    with Sandbox(ca_file=str(other)) as sandbox:
        assert other.read_text(encoding="ascii").count("CERTIFICATE") == 2
        with pytest.raises(requests.exceptions.SSLError):
            requests.get(sandbox.url, verify=str(ca), timeout=10)
        assert requests.get(sandbox.url, verify=str(other), timeout=10).status_code == 200
