"""Failures of HTTP clients: the first line names the host that was asked, and no more of the address."""

from __future__ import annotations

import socket
from collections.abc import Callable

import httpx
import pytest

from .test_templates import told


def unreachable() -> str:
    """An address of this machine where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"127.0.0.1:{server.getsockname()[1]}"


def first(fails: Callable[[], object]) -> str:
    return told(fails).splitlines()[0]


@pytest.mark.parametrize("before", ["", "bob:canary-4711@"])
def test_httpx_names_the_host(before: str) -> None:
    host = unreachable()

    def fails() -> None:
        httpx.get(f"http://{before}{host}/canary-path?token=canary-query", trust_env=False)

    text = told(fails)
    assert text.splitlines()[0].endswith(f" failed: ConnectError: [Errno 111] Connection refused ({host})")
    assert f"│     GET http://{host}" in text.splitlines()
    assert "canary" not in text.replace("canary-path?token=", "").partition("ConnectError")[2]


def test_the_host_stands_once_and_behind_the_cause() -> None:
    host = unreachable()

    def wraps() -> None:
        try:
            httpx.post(f"http://{host}/", trust_env=False)
        except httpx.HTTPError as error:
            raise RuntimeError("no cart") from error

    assert first(wraps).endswith(f"RuntimeError: no cart ← ConnectError: [Errno 111] Connection refused ({host})")

    def says() -> None:
        httpx.Response(503, request=httpx.Request("GET", "http://prices.internal/v1")).raise_for_status()

    assert first(says).count("prices.internal") == 1


def test_what_only_looks_like_a_request_is_left_alone() -> None:
    class Odd(Exception):
        pass

    def fails() -> None:
        error = Odd("x")
        error.__dict__["_request"] = httpx.Client()
        raise error

    assert first(fails).endswith("Odd: x")
