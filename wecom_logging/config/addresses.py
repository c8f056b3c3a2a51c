"""Where WeCom is, and where processes share their state: hosts, URLs and paths."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import ConfigurationError
from .values import or_variable, text

if TYPE_CHECKING:
    from urllib.parse import SplitResult

DEFAULT_API_BASE = "https://qyapi.weixin.qq.com"
DEFAULT_AIBOT_URL = "wss://openws.work.weixin.qq.com"


_LOOPBACK = re.compile(r"127(\.(25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])){3}")
"""127.999.1.1 would be a name, which somebody's server may have."""


def is_loopback(host: str) -> bool:
    """Whether ``host`` (without a port) is this machine: localhost, 127.0.0.0/8 or ::1."""
    return host in ("localhost", "::1") or _LOOPBACK.fullmatch(host) is not None


def api_base(value: object) -> str:
    """Scheme and host of WeCom's API: WeCom's own, a proxy, a private deployment, or the sandbox."""
    address = text("api_base", or_variable(value, "WECOM_API_BASE", DEFAULT_API_BASE))
    if address == DEFAULT_API_BASE:
        return address
    parts, base = checked_url("api_base", address.rstrip("/").removesuffix("/cgi-bin"))
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ConfigurationError("api_base", "more_than_host", such=DEFAULT_API_BASE)
    return base


def aibot_url(value: object) -> str:
    """Where the AI bot's long connection goes: WeCom's own address, a private deployment's, or the sandbox."""
    address = text("url", or_variable(value, "WECOM_AIBOT_URL", DEFAULT_AIBOT_URL))
    parts, _ = checked_url("url", address, scheme="ws", such=DEFAULT_AIBOT_URL)
    return parts.scheme + address[len(parts.scheme) :]


def checked_url(
    field: str, address: str, *, scheme: str = "http", such: str = DEFAULT_API_BASE
) -> tuple[SplitResult, str]:
    """The parts of a URL, and its scheme and host alone; ``scheme`` as it is without encryption.

    No exception of the parser leaves, not as a ``__context__`` either: its text repeats what it was given.
    """
    from urllib.parse import urlsplit

    is_url, parts, port = True, urlsplit(""), None
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        is_url = False
    if not is_url:
        raise ConfigurationError(field, "not_a_url")
    host = parts.hostname or ""
    if parts.scheme not in (scheme, f"{scheme}s") or not host:
        raise ConfigurationError(field, "wrong_scheme", scheme=f"{scheme}s://", such=such)
    if re.search(r"[\s\\\"'<>^`{|}%]", host):
        raise ConfigurationError(field, "bad_host")
    if parts.username is not None or parts.password is not None:
        raise ConfigurationError(field, "login_in_url")
    if parts.scheme == scheme and not is_loopback(host):
        raise ConfigurationError(field, "not_encrypted", scheme=scheme)
    shown = f"[{host}]" if ":" in host else host
    return parts, f"{parts.scheme}://{shown}" + ("" if port is None else f":{port}")


class StateURL(NamedTuple):
    """Where processes share what they know: ``path`` is a file's, ``server`` a URL or a client of the user's own."""

    scheme: str
    path: str = ""
    server: Any = None

    def __repr__(self) -> str:
        return f"StateURL({self.scheme!r}, {self.path!r})"  # the URL of a server may hold a password


_REDIS = ("redis", "rediss", "unix", "valkey", "valkeys")


def state(value: object) -> StateURL:
    """The option, or WECOM_STATE."""
    value = or_variable(value, "WECOM_STATE", "memory://")
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
