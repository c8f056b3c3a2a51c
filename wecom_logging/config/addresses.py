"""Where WeCom is, and where processes share their state: hosts, URLs and paths."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, urlsplit

from ..errors import ConfigurationError
from .values import text

DEFAULT_API_BASE = "https://qyapi.weixin.qq.com"
DEFAULT_AIBOT_URL = "wss://openws.work.weixin.qq.com"


def is_loopback(host: str) -> bool:
    """Whether ``host`` (without a port) is this machine: localhost, 127.0.0.0/8 or ::1."""
    return host in ("localhost", "::1") or re.fullmatch(r"127(\.\d{1,3}){3}", host) is not None


def api_base(value: object) -> str:
    """Scheme and host of WeCom's API: WeCom's own, a proxy, a private deployment, or the sandbox."""
    if value is None:
        value = os.environ.get("WECOM_API_BASE") or DEFAULT_API_BASE
    address = text("api_base", value).rstrip("/").removesuffix("/cgi-bin")
    scheme, host = checked_host("api_base", address)
    parts = urlsplit(address)
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ConfigurationError("api_base", "more_than_host", such=DEFAULT_API_BASE)
    return f"{scheme}://{host}"


def checked_host(field: str, address: str) -> tuple[str, str]:
    parts, port = _split_url(address)
    if parts is None:
        raise ConfigurationError(field, "not_a_url")
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https") or not host:
        raise ConfigurationError(field, "wrong_scheme", scheme="https://", such=DEFAULT_API_BASE)
    if re.search(r"[\s\\\"'<>^`{|}%]", host):
        raise ConfigurationError(field, "bad_host")
    if parts.username is not None or parts.password is not None:
        raise ConfigurationError(field, "login_in_url")
    if parts.scheme == "http" and not is_loopback(host):
        raise ConfigurationError(field, "not_encrypted", scheme="http")
    shown = f"[{host}]" if ":" in host else host
    return parts.scheme, shown if port is None else f"{shown}:{port}"


def aibot_url(value: object) -> str:
    """Where the AI bot's long connection goes: WeCom's own address, a private deployment's, or the sandbox."""
    if value is None:
        value = os.environ.get("WECOM_AIBOT_URL") or DEFAULT_AIBOT_URL
    address = text("url", value)
    parts, _ = _split_url(address)
    host = "" if parts is None else parts.hostname or ""
    if parts is None or parts.scheme not in ("ws", "wss") or not host:
        raise ConfigurationError("url", "wrong_scheme", scheme="wss://", such=DEFAULT_AIBOT_URL)
    if parts.username is not None or parts.password is not None:
        raise ConfigurationError("url", "login_in_url")
    if parts.scheme == "ws" and not is_loopback(host):
        raise ConfigurationError("url", "not_encrypted", scheme="ws")
    return address


def _split_url(address: str) -> tuple[SplitResult | None, int | None]:
    """The parts of a URL and its port; no exception of the parser leaves, since its text repeats what it was given."""
    try:
        parts = urlsplit(address)
        return parts, parts.port
    except ValueError:
        return None, None


@dataclass(frozen=True, slots=True)
class StateURL:
    """Where processes share what they know: ``path`` is a file's, ``server`` a URL or a client of the user's own."""

    scheme: str
    path: str = ""
    server: Any = field(default=None, repr=False)  # a URL may hold a password


_REDIS = ("redis", "rediss", "unix", "valkey", "valkeys")


def state(value: object) -> StateURL:
    """The option, or WECOM_STATE."""
    if value is None:
        value = os.environ.get("WECOM_STATE") or "memory://"
    if hasattr(value, "register_script"):
        return StateURL("redis", server=value)
    if not isinstance(value, str):
        raise ConfigurationError("state", "not_a_state")
    scheme, mark, rest = value.partition("://")
    if value == "memory://":
        return StateURL("memory")
    if scheme == "sqlite" and mark:
        path = rest.lstrip("/")
        if not rest.startswith("/") or not path or path.endswith("/") or "\0" in path:
            raise ConfigurationError("state", "not_a_file_path")
        return StateURL("sqlite", path="/" + path)
    if scheme in _REDIS and mark:
        return StateURL("redis", server=value)
    raise ConfigurationError("state", "not_a_state", "Give state=… or set WECOM_STATE")
