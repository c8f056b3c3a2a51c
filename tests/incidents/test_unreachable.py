"""What drivers say of what they cannot reach. The texts are those of the libraries, with names in place of hosts."""

from __future__ import annotations

import time

import pytest

from wecom_logging._incidents.cause import unreachable


@pytest.mark.parametrize(
    "text",
    [
        'connection to server at "db", port 5432 failed: Connection refused\n\tIs the server running on that host?',
        'connection to server at "db" (10.0.3.7), port 5432 failed: Connection refused',
        "Error 111 connecting to db:5432. Connection refused.",
        "[Errno 111] Connect call failed ('db', 5432)",
        "Multiple exceptions: [Errno 111] Connect call failed ('db', 5432, 0, 0), [Errno 111] Connect call …",
        "HTTPConnectionPool(host='db', port=5432): Max retries exceeded with url: /a (Caused by NewConnectionError("
        "'<urllib3.connection.HTTPConnection object at 0x7f3a>: Failed to establish a new connection: [Errno 111] "
        "Connection refused'))",
        "HTTPConnection(host='db', port=5432): Failed to establish a new connection: [Errno 111] Connection refused",
        "db:5432: [Errno 111] Connection refused (configured timeouts: socketTimeoutMS: 20000.0ms)",
        "Cannot connect to host db:5432 ssl:default [Connect call failed ('db', 5432)]",
        "dial tcp db:5432: connect: connection refused",
        "cannot read the stock: postgresql://shop@db:5432/shop: connection refused",
        "failed to connect to all addresses; last error: UNKNOWN: ipv4:db:5432: connect: Connection refused (111)",
        "[WinError 10061] db:5432: 由于目标计算机积极拒绝，无法连接。",
    ],
)
def test_one_address_is_one_cause_whoever_says_it(text: str) -> None:
    assert unreachable(text) == "refused db:5432"


@pytest.mark.parametrize(
    "text",
    [
        'could not translate host name "db.internal" to address: Name or service not known',
        "HTTPSConnectionPool(host='db.internal', port=443): Max retries exceeded with url: / (Caused by "
        "NameResolutionError(\"<urllib3.connection.HTTPSConnection object at 0x7f>: Failed to resolve 'db.internal' "
        '([Errno -2] Name or service not known)"))',
        "Error -2 connecting to db.internal:6379. Name or service not known.",
        "(2003, \"Can't connect to MySQL server on 'db.internal' ([Errno -2] Name or service not known)\")",
        "Cannot connect to host db.internal:443 ssl:default [Name or service not known]",
        "dial tcp: lookup db.internal on 10.0.0.2:53: no such host",
    ],
)
def test_one_dead_name_is_one_cause(text: str) -> None:
    assert unreachable(text) == "no name db.internal"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_this_host_has_three_names(host: str) -> None:
    assert unreachable(f"[Errno 111] Connect call failed ('{host}', 5432)") == "refused localhost:5432"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[Errno 111] Connection refused",  # of what, nobody knows
        "payment refused at 10:30:05",
        "payment refused, see shop/orders.py:21",
        "payment refused by bank: code 4031",
        "connection to db:5432 timed out",
        "File main.go:33: refused",
        "Name or service not known",
    ],
)
def test_what_says_no_address_has_no_such_cause(text: str) -> None:
    assert unreachable(text) == ""


def test_hosts_and_ports_are_told_apart() -> None:
    texts = [f"Error 111 connecting to {host}. Connection refused." for host in ("db:5432", "db:6379", "b:5432")]
    assert len({*map(unreachable, texts)}) == 3


@pytest.mark.parametrize("piece", ["a.", "a:", "refused a:1", "host='a", "a@", "::", "1.1.1.1:", "lookup x ", "("])
def test_it_takes_linear_time(piece: str) -> None:
    text = "refused Name or service not known " + piece * 100_000
    began = time.process_time()
    unreachable(text)
    assert time.process_time() - began < 1.0
