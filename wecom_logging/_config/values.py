"""Checks of one value each: a text, a number, a choice, a function, a level; where a secret is; URLs and hosts."""

from __future__ import annotations

import logging
import math
import os
import re
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from ..errors import ConfigurationError
from ..model import Secret
from .variables import is_quoted, or_variable

if TYPE_CHECKING:
    from urllib.parse import SplitResult


T = TypeVar("T")

MOST = 4_000_000.0 * 1024
"""What a number may be at most: more seconds than that no lock of the interpreter can wait."""

LARGEST = 2**31
"""Levels, lines of code and numbers of processes are smaller: every store holds them."""


def required(field: str, value: T | None, remedy: str) -> T:
    """What must be there; ``remedy`` says how to set it."""
    if value is None:
        raise ConfigurationError(field, "missing", remedy)
    return value


def all_given(*checks: Callable[[], Any]) -> list[Any]:
    """What these checks give; all that is missing is named in one error, and not one run after the other."""
    found, missing = [], []
    for check in checks:
        try:
            found.append(check())
        except ConfigurationError as error:
            if error.code not in ("missing", "no_recipient"):
                raise
            missing.append(error)
    if len(missing) == 1:
        raise missing[0]
    if missing:
        fields, remedies = ([getattr(error, name) for error in missing] for name in ("field", "remedy"))
        raise ConfigurationError(", ".join(fields), "missing", ". ".join(remedies))
    return found


def text(field: str, value: object, *, remedy: str = "") -> str:
    """A non-empty string without control characters; ``remedy`` says how to set it when it is missing."""
    value = required(field, value, remedy)
    if not isinstance(value, str):
        raise ConfigurationError(field, "not_a_string", given=kind(value))
    if not value.strip() or not value.isprintable():
        raise ConfigurationError(field, "not_one_line")
    return value.strip()


def optional_text(field: str, value: object) -> str:
    """Like `text`, but None is the empty string."""
    return "" if value is None else text(field, value)


def exact(value: object) -> int | float | None:
    """An `int` or a `float`, also of a class of its own, as an `int` where it is whole; None: it is neither, or a bool.

    What no float can hold is nan.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        near = float(value)
    except OverflowError:  # an int of a thousand digits
        return math.nan
    return int(value) if near.is_integer() else near


def number(field: str, value: object, *, least: float, most: float = MOST) -> float:
    """A number within bounds: an `int` or a `float`."""
    return float(_within(field, value, least, most))


_DURATION = re.compile(r"\s*(\d{1,9}(?:\.\d{1,9})?)\s*(s|min|m|h|d|w)\s*")
_UNITS = {"s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86_400.0, "w": 7 * 86_400.0}


def duration(field: str, value: object, *, least: float = 1, most: float = MOST) -> float:
    """Seconds, from a text such as ``"30m"``."""
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if found is not None:
        return number(field, float(found[1]) * _UNITS[found[2]], least=least, most=most)
    bare = value.strip() if isinstance(value, str) else "" if (of := exact(value)) is None else f"{of:g}"
    if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", bare):
        raise ConfigurationError(field, "no_unit", number=bare)
    raise ConfigurationError(field, "not_a_duration")


def timeout(value: object) -> float:
    """Seconds for one request in all."""
    return number("timeout", value, least=0.1)


def whole(field: str, value: object, *, least: int = 1) -> int:
    """A whole number within bounds."""
    found = _within(field, value, least, MOST)
    if not isinstance(found, int):
        raise ConfigurationError(field, "not_whole")
    return found


def _within(field: str, value: object, least: float, most: float) -> int | float:
    found = exact(value)
    if found is None:
        raise ConfigurationError(field, "not_a_number", given=kind(value))
    if not least <= found <= most:  # which no nan is
        raise ConfigurationError(field, "out_of_range", least=f"{least:g}", most=f"{most:.12g}")
    return found


def choice(field: str, value: object, choices: tuple[T, ...], remedy: str = "") -> T:
    for one in choices:
        if isinstance(value, str) and value == one:
            return one
    raise ConfigurationError(field, "not_a_choice", remedy, choices=", ".join(map(repr, choices)))


def flag(field: str, value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise ConfigurationError(field, "not_a_choice", choices="True, False")


def mapping_of(field: str, value: object, names: Collection[str], remedy: str = "") -> Mapping[str, Any]:
    """A mapping that has no other names than these."""
    if not isinstance(value, Mapping):
        raise ConfigurationError(field, "not_a_mapping", remedy, given=kind(value))
    if any(name not in names for name in value):
        raise ConfigurationError(field, "unknown_name", names=", ".join(names))
    return value


def function(field: str, value: object, form: str) -> Callable[..., Any] | None:
    if value is not None and not callable(value):
        raise ConfigurationError(field, "not_a_callable", form=form, given=kind(value))
    return value


def level(field: str, value: object) -> int:
    found = logging.getLevelNamesMapping().get(value) if isinstance(value, str) else exact(value)
    if isinstance(found, int) and abs(found) < LARGEST:
        return found
    shown = value if isinstance(value, str) and re.fullmatch("[A-Za-z_ ]{1,16}", value) else ""  # no secret
    import difflib

    if close := difflib.get_close_matches(shown.strip().upper(), logging.getLevelNamesMapping(), 1):
        raise ConfigurationError(field, "misspelt_level", given=shown, close=close[0])
    raise ConfigurationError(field, "not_a_level", given=f" ({shown!r})" if shown else "")


def kind(value: object) -> str:
    """The type of a wrong value, never the value: it might be a secret."""
    return type(value).__name__


_PIPES = ("/dev/stdin", "/dev/fd/")

_piped: dict[str, Secret] = {}
"""What came from standard input or the shell's <(…), by its path: it can be read but once."""


def secret(field: str, value: object, variable: str = "") -> Secret | None:
    """The secret that was given as ``value``, or is in the environment, or in a file; None if nowhere."""
    found = secret_text(field, value, variable)
    if found is None:
        return None
    text = found.strip()
    if not text:
        raise ConfigurationError(field, "empty")
    if is_quoted(text):
        raise ConfigurationError(field, "quoted")
    if not text.isprintable():
        raise ConfigurationError(field, "control_character")
    return Secret(text)


def secret_text(field: str, value: object, variable: str) -> str | None:
    """A secret's text as it stands where it is."""
    if isinstance(value, Secret):
        return value.reveal()
    if value is None and variable:
        found, path = os.environ.get(variable), os.environ.get(f"{variable}_FILE")
        if found and path:
            raise ConfigurationError(field, "set_twice", one=variable, other=f"{variable}_FILE")
        return _from_file(field, path) if path else found or None
    if value is None:
        return None
    if not isinstance(value, str):
        raise ConfigurationError(field, "not_a_string", given=kind(value))
    if value.startswith("env:"):
        name = value[4:]
        found = os.environ.get(name)
        if not found:
            is_name = re.fullmatch("[A-Z_][A-Z0-9_]{0,63}", name)  # else it may be the secret itself
            raise ConfigurationError(field, "variable_not_set", variable=f" {name}" if is_name else "")
        return found
    return _from_file(field, value[5:]) if value.startswith("file:") else value


def _from_file(field: str, path: str) -> str:
    if path in _piped:
        return _piped[path].reveal()
    text, reason = "", ""
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read(64 * 1024)
        if path.startswith(_PIPES):
            _piped[path] = Secret(text)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
    if reason:  # raised out here, so that no __context__ shows what may be the secret in place of its path
        shown = f" {path}" if path.startswith(("/", "./", "../")) and "://" not in path else ""
        raise ConfigurationError(field, "unreadable", path=shown, reason=reason)
    return text


DEFAULT_API_BASE = "https://qyapi.weixin.qq.com"
DEFAULT_AIBOT_URL = "wss://openws.work.weixin.qq.com"


_LOOPBACK = re.compile(r"127(\.(25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])){3}")
"""127.999.1.1 would be a name, which another machine may have."""


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


def is_web_url(address: str) -> bool:
    """Whether it is one of http or https; no exception of the parser leaves, nor as a ``__context__``."""
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(address)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False


def checked_url(
    field: str, address: str, *, scheme: str = "http", such: str = DEFAULT_API_BASE
) -> tuple[SplitResult, str]:
    """The parts of a URL, and its scheme and host alone; ``scheme`` as it is without encryption.

    No exception of the parser leaves, not as a ``__context__`` either: its text repeats what it was given.
    """
    from urllib.parse import urlsplit

    parts = port = None
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        parts = None
    if parts is None:
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
    """Where processes share what they know: ``at`` is the path of a file, the URL of a server, or the user's client."""

    scheme: str
    at: Any = None

    def __repr__(self) -> str:
        return f"StateURL({self.scheme!r})"  # the URL of a server may hold a password


_REDIS = ("redis", "rediss", "unix", "valkey", "valkeys")


def state(value: object) -> StateURL:
    """The option, or WECOM_STATE."""
    value = or_variable(value, "WECOM_STATE", "memory://")
    if hasattr(value, "register_script"):
        return StateURL("redis", value)
    if not isinstance(value, str):
        raise ConfigurationError("state", "not_a_state")
    scheme, mark, rest = value.partition("://")
    if value == "memory://":
        return StateURL("memory")
    if scheme == "sqlite" and mark:
        path = rest.lstrip("/")
        if not rest.startswith("/") or not path or path.endswith("/") or "\0" in path:
            raise ConfigurationError("state", "not_a_file_path")
        return StateURL("sqlite", "/" + path)
    if scheme in _REDIS and mark:
        return StateURL("redis", value)
    raise ConfigurationError("state", "not_a_state", "Give state=… or set WECOM_STATE")
