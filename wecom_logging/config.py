"""Options from arguments, environment and files, checked at once. Each error names the field and how to set it.

An option that is not given is read from its environment variable; a secret also from a file that the variable
``…_FILE`` names. The value of a secret option may say where it is: ``env:NAME`` or ``file:PATH``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from string import Formatter
from typing import Any, Literal
from urllib.parse import SplitResult, parse_qs, urlsplit

from .errors import ConfigurationError
from .model import EVERYBODY, Recipients, Route, Secret

DEFAULT_API_BASE = "https://qyapi.weixin.qq.com"
DEFAULT_AIBOT_URL = "wss://openws.work.weixin.qq.com"
MAX_CHATS = 20
LINK_FIELDS = ("fingerprint", "service", "time")
OVERFLOWS = ("trim", "split", "file")
FRAMES = ("own", "all")
ANSWERS = ("aibot",)
MOST = 4_000_000.0 * 1024
"""What a number may be at most: more seconds than that no lock of the interpreter can wait."""

SECRET_REMEDY = (
    "Give secret=…, or set WECOM_SECRET or WECOM_SECRET_FILE (管理后台 → 应用管理 → 自建 → the app → Secret)"
)

RateRules = tuple[tuple[int, float], ...]
"""Rates as (number of messages, seconds), e.g. ((30, 60.0), (1000, 3600.0))."""

JOINERS_AND_SPACES = dict.fromkeys(map(ord, "\u200c\u200d\u00a0\u3000"))
"""Not printable to Python, yet in names: emoji of several parts, 张　三 with a Chinese space."""

_PERIODS = {"second": 1.0, "minute": 60.0, "hour": 3600.0, "day": 86400.0}
_LIMITS = {"users": 1000, "departments": 100, "tags": 100, "leader_of": 100}
_MAX_IDS = 5000
"""So many are read, the same ones included: a record may bring an endless list, and a log call reads it."""
_MAX_IDS_TEXT = 100 * _MAX_IDS


def is_loopback(host: str) -> bool:
    """Whether ``host`` (without a port) is this machine: localhost, 127.0.0.0/8 or ::1."""
    return host in ("localhost", "::1") or re.fullmatch(r"127(\.\d{1,3}){3}", host) is not None


def secret(field: str, value: object, variable: str) -> Secret | None:
    """The secret that was given as ``value``, or is in the environment, or in a file; None if nowhere."""
    if isinstance(value, Secret):
        return value
    found = _found(field, value, variable)
    return None if found is None else _clean_secret(field, found)


def _found(field: str, value: object, variable: str) -> str | None:
    """A secret's text as it stands where it is."""
    if value is None:
        return _from_environment(field, variable)
    if not isinstance(value, str):
        raise ConfigurationError(field, "not_a_string", given=_kind(value))
    if value.startswith("env:"):
        name = value[4:]
        found = os.environ.get(name)
        if not found:
            shown = (
                f" {name}" if re.fullmatch("[A-Z_][A-Z0-9_]{0,63}", name) else ""
            )  # else it may be the secret itself
            raise ConfigurationError(field, "variable_not_set", variable=shown)
        return found
    return _from_file(field, value[5:]) if value.startswith("file:") else value


def _from_environment(field: str, variable: str) -> str | None:
    value, path = os.environ.get(variable), os.environ.get(f"{variable}_FILE")
    if value and path:
        raise ConfigurationError(field, "set_twice", one=variable, other=f"{variable}_FILE")
    return _from_file(field, path) if path else value or None


_PIPES = ("/dev/stdin", "/dev/fd/")
_piped: dict[str, Secret] = {}
"""What came from standard input or the shell's <(…), by its path: it can be read but once."""


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


def _clean_secret(field: str, text: str) -> Secret:
    text = text.strip()
    if not text:
        raise ConfigurationError(field, "empty")
    if not text.isprintable():
        raise ConfigurationError(field, "control_character")
    return Secret(text)


def corp_id(value: object) -> str:
    """The company's id (企业ID)."""
    return text(
        "corp_id",
        value,
        "WECOM_CORP_ID",
        remedy="Give corp_id=… or set WECOM_CORP_ID (管理后台 → 我的企业 → 企业信息 → 企业ID)",
    )


def app_secret(value: object) -> Secret:
    """The app's Secret."""
    found = optional_app_secret(value)
    if found is None:
        raise ConfigurationError("secret", "missing", SECRET_REMEDY)
    return found


def optional_app_secret(value: object) -> Secret | None:
    """The app's Secret, None where it is given nowhere."""
    return secret("secret", value, "WECOM_SECRET")


def contacts_secret(value: object) -> Secret | None:
    """The Secret of the contacts sync (通讯录同步), None where it is given nowhere."""
    return secret("contacts_secret", value, "WECOM_CONTACTS_SECRET")


def text(field: str, value: object, variable: str = "", *, remedy: str = "") -> str:
    """A non-empty string without control characters; ``remedy`` says how to set it when it is missing."""
    if value is None and variable:
        value = os.environ.get(variable) or None
    if value is None:
        raise ConfigurationError(field, "missing", remedy)
    if not isinstance(value, str):
        raise ConfigurationError(field, "not_a_string", given=_kind(value))
    if not value.strip() or not value.isprintable():
        raise ConfigurationError(field, "not_one_line")
    return value.strip()


def optional_text(field: str, value: object) -> str:
    """Like `text`, but None is the empty string."""
    return "" if value is None else text(field, value)


def agent_id(value: object) -> int:
    """The app's AgentId: a positive number, also as digits."""
    found = optional_agent_id(value)
    if found is None:
        raise ConfigurationError(
            "agent_id",
            "missing",
            "Give agent_id=… or set WECOM_AGENT_ID (管理后台 → 应用管理 → 自建 → the app → AgentId)",
        )
    return found


def optional_agent_id(value: object) -> int | None:
    """The app's AgentId, None where it is given nowhere."""
    if value is None:
        value = os.environ.get("WECOM_AGENT_ID") or None
    if value is None:
        return None
    if isinstance(value, str) and re.fullmatch(r"\s*[0-9]{1,18}\s*", value):
        value = int(value)
    if type(value) is not int or value <= 0:
        raise ConfigurationError("agent_id", "not_positive")
    return value


def recipients(
    users: object = None, departments: object = None, tags: object = None, leader_of: object = None
) -> Recipients:
    """Who gets it. If nothing is given, it is read from WECOM_USERS, WECOM_DEPARTMENTS and WECOM_TAGS."""
    if users is None and departments is None and tags is None and leader_of is None:
        users, departments, tags = (
            os.environ.get(f"WECOM_{name}") or None for name in ("USERS", "DEPARTMENTS", "TAGS")
        )
    found = _recipients(users, departments, tags, leader_of)
    if not found:
        raise ConfigurationError(
            "users",
            "no_recipient",
            'Give users=[…], departments=[…], tags=[…] or leader_of=[…] (users="@all" is everybody in '
            "the app's visible range), or set WECOM_USERS, WECOM_DEPARTMENTS or WECOM_TAGS",
        )
    return found


def _recipients(users: object, departments: object, tags: object, leader_of: object) -> Recipients:
    return Recipients(
        ids("users", users), ids("departments", departments), ids("tags", tags), ids("leader_of", leader_of)
    )


def routes(value: object) -> tuple[Route, ...]:
    """Routes from a list of mappings with ``logger``, ``level``, and who gets what fits."""
    if value is None:
        return ()
    if not isinstance(value, list | tuple):
        raise ConfigurationError("routes", "not_a_list", such="[{'logger': 'shop', 'users': ['zhangsan']}]")
    return tuple(_route(f"routes[{number}]", item) for number, item in enumerate(_items(value)))


_ROUTE_NAMES = ("logger", "level", "users", "departments", "tags", "leader_of")


def _route(field: str, item: object) -> Route:
    if not isinstance(item, Mapping):
        raise ConfigurationError(field, "not_a_mapping", given=_kind(item))
    if any(name not in _ROUTE_NAMES for name in item):
        raise ConfigurationError(field, "unknown_name", names=", ".join(_ROUTE_NAMES))
    who = _recipients(*(item.get(name) for name in _ROUTE_NAMES[2:]))
    if not who:
        raise ConfigurationError(field, "no_recipient", "Give users, departments, tags or leader_of")
    logger = item.get("logger")
    return Route(
        who,
        logger="" if logger in (None, "", "root") else text(f"{field}.logger", logger),
        level=level(f"{field}.level", item.get("level", 0)),
    )


def ids(field: str, value: object) -> tuple[str, ...]:
    """A tuple of ids and names from a list, a single one, or a string with commas."""
    if value is None:
        return ()
    if isinstance(value, str | int) and not isinstance(value, bool):
        parts = re.split("[,，]", str(value)[:_MAX_IDS_TEXT], maxsplit=_MAX_IDS)
        items: list[object] = [part.strip() for part in parts if part.strip()]
    elif isinstance(value, Iterable) and not isinstance(value, Mapping | bytes | bytearray):
        items = _items(value)
    else:
        raise ConfigurationError(field, "not_a_list", such="['zhangsan', 'lisi']")
    most = _LIMITS.get(field, 1000)
    if len(items) > _MAX_IDS or (isinstance(value, str) and len(value) > _MAX_IDS_TEXT):
        raise ConfigurationError(field, "too_many", count=f"> {_MAX_IDS}", most=most)
    found = tuple(dict.fromkeys(_id(field, item) for item in items))
    if EVERYBODY in found and field == "users":
        return (EVERYBODY,)
    if len(found) > most:
        raise ConfigurationError(field, "too_many", count=len(found), most=most)
    return found


def _items(value: Iterable[object]) -> list[object]:
    """What is in it. The lists of a logging config resolve ``cfg://…`` and ``ext://…`` by index only."""
    if isinstance(value, list | tuple):
        return [value[number] for number in range(min(len(value), _MAX_IDS + 1))]
    return list(islice(value, _MAX_IDS + 1))


def _id(field: str, item: object) -> str:
    if not isinstance(item, str | int) or isinstance(item, bool):
        raise ConfigurationError(field, "not_an_id", given=_kind(item))
    found = str(item).strip()
    plain = found.translate(JOINERS_AND_SPACES)
    if not plain or not plain.isprintable() or re.search("[|<>]", found) or len(found) > 64:
        raise ConfigurationError(field, "bad_id")
    if field in ("departments", "tags", "leader_of") and re.fullmatch("[0-9A-Za-z_+/=-]{32,}", found):
        raise ConfigurationError(field, "looks_like_secret")
    if field in ("departments", "tags", "leader_of") and re.fullmatch("0[0-9]+", found):
        return found.lstrip("0") or "0"  # WeCom knows no "07"
    return found


def api_base(value: object) -> str:
    """Scheme and host of WeCom's API: WeCom's own, a proxy, a private deployment, or the sandbox."""
    if value is None:
        value = os.environ.get("WECOM_API_BASE") or DEFAULT_API_BASE
    address = text("api_base", value).rstrip("/").removesuffix("/cgi-bin")
    scheme, host = _checked_host("api_base", address)
    parts = urlsplit(address)
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ConfigurationError("api_base", "more_than_host", such=DEFAULT_API_BASE)
    return f"{scheme}://{host}"


def _checked_host(field: str, address: str) -> tuple[str, str]:
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


def _split_url(address: str) -> tuple[SplitResult | None, int | None]:
    """The parts of a URL and its port; no exception of the parser leaves, since its text repeats what it was given."""
    try:
        parts = urlsplit(address)
        return parts, parts.port
    except ValueError:
        return None, None


def aibot_id(value: object) -> str:
    """The AI bot's Bot ID."""
    return text(
        "bot_id",
        value,
        "WECOM_AIBOT_ID",
        remedy="Give bot_id=… or set WECOM_AIBOT_ID (工作台 → 智能机器人 → the bot → API 模式 → 使用长连接 → Bot ID)",
    )


def aibot_secret(value: object) -> Secret:
    """The AI bot's Secret, which is no app's."""
    found = secret("secret", value, "WECOM_AIBOT_SECRET")
    if found is None:
        raise ConfigurationError(
            "secret", "missing", "Give secret=…, or set WECOM_AIBOT_SECRET or WECOM_AIBOT_SECRET_FILE"
        )
    return found


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


def chats(value: object) -> tuple[str, ...]:
    """The chats of an AI bot: user ids, and ids of groups."""
    if value is None:
        value = os.environ.get("WECOM_AIBOT_CHATS") or None
    found = ids("chats", value)
    if not found:
        raise ConfigurationError(
            "chats",
            "missing",
            "Give chats=[…] or set WECOM_AIBOT_CHATS: user ids and ids of groups; "
            "`wecom-logging answers pair` tells that of a chat",
        )
    if len(found) > MAX_CHATS:
        raise ConfigurationError("chats", "too_many", count=len(found), most=MAX_CHATS)
    return found


def answerers(value: object) -> dict[str, str]:
    """Who may answer beside those who are in the chats: names by user id. A list has ids alone."""
    if value is None:
        value = os.environ.get("WECOM_AIBOT_ANSWERERS") or None
    if isinstance(value, Mapping):
        return {_id("answerers", one): text("answerers", name) for one, name in value.items()}
    found = {}
    for one in ids("answerers", value):
        user, mark, name = one.partition("=")
        if mark and not (user and name):
            raise ConfigurationError("answerers", "not_names_by_id")
        found[user] = name or user
    return found


def webhook_entries(value: object) -> list[object]:
    """What stands for each bot: the items of a list, or of a text with commas or line breaks between them."""
    if isinstance(value, list | tuple):
        return _items(value)
    text = value.reveal() if isinstance(value, Secret) else _found("webhook", value, "WECOM_WEBHOOK")
    if text is None:
        raise ConfigurationError(
            "webhook",
            "missing",
            "Give webhook=… or set WECOM_WEBHOOK: the URL that the group shows under "
            "消息推送 (群机器人), or its key alone; several bots of one group in a list, or with commas between them",
        )
    return [Secret(part.strip()) for part in re.split("[,，\r\n]", text) if part.strip()]


def webhooks(value: object, base: str | None = None) -> list[tuple[str, Secret]]:
    """Like `webhook`, of each bot of a group."""
    entries = webhook_entries(value)
    if not entries:
        raise ConfigurationError("webhook", "empty")
    found: list[tuple[str, Secret]] = []
    for number, entry in enumerate(entries, 1):
        try:
            host, key = _webhook(entry, base)
            for other, (_, known) in enumerate(found, 1):
                if key == known:
                    raise ConfigurationError("webhook", "same_bot", other=other)
        except ConfigurationError as error:
            if len(entries) == 1:
                raise
            place = {"entry": number, "entries": len(entries)}
            raise ConfigurationError(error.field, error.code, error.remedy, **error.values, **place) from None
        found.append((host, key))
    return found


def webhook(value: object, base: str | None = None) -> tuple[str, Secret]:
    """The host (as an ``api_base``) and the key of a group bot, from its whole URL or its key alone."""
    found = webhooks(value, base)
    if len(found) > 1:
        raise ConfigurationError("webhook", "too_many", count=len(found), most=1)
    return found[0]


_WEBHOOK_PATH = "/cgi-bin/webhook/send"


def _webhook(value: object, base: str | None) -> tuple[str, Secret]:
    found = secret("webhook", value, "")
    address = "" if found is None else _clean_secret("webhook", found.reveal()).reveal()
    if re.fullmatch(r"[0-9A-Za-z_-]{1,128}", address):
        return base or api_base(None), Secret(address)
    if "://" not in address:
        raise ConfigurationError("webhook", "not_a_webhook")
    scheme, host = _checked_host("webhook", address)
    parts = urlsplit(address)
    if parts.path != _WEBHOOK_PATH:
        raise ConfigurationError("webhook", "wrong_path", path=_WEBHOOK_PATH)
    keys = parse_qs(parts.query).get("key", [])
    if len(keys) != 1 or not re.fullmatch(r"[0-9A-Za-z_-]{1,128}", keys[0]):
        raise ConfigurationError("webhook", "no_key")
    return f"{scheme}://{host}", Secret(keys[0])


def rate_limit(value: object, default: str) -> RateRules:
    """Rates from a text such as ``"30/minute, 1000/hour"``; None or ``"off"`` means no limit.

    `NotImplemented` stands for "not given": then WECOM_RATE_LIMIT or the default holds.
    """
    if value is NotImplemented:
        value = os.environ.get("WECOM_RATE_LIMIT") or default
    if value is None:
        return ()
    if not isinstance(value, str):
        raise ConfigurationError("rate_limit", "not_a_rate", such=default)
    if value.strip().lower() == "off":
        return ()
    rules = []
    for part in value.split(","):
        match = re.fullmatch(r"\s*([1-9]\d{0,5})\s*/\s*(second|minute|hour|day)\s*", part)
        if match is None:
            raise ConfigurationError("rate_limit", "not_a_rate", such=default)
        rules.append((int(match[1]), _PERIODS[match[2]]))
    return tuple(rules)


def number(field: str, value: object, *, least: float, most: float = MOST) -> float:
    """A finite number within bounds, as an int or a float."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ConfigurationError(field, "not_a_number", given=_kind(value))
    if not least <= value <= most:  # which no nan is
        raise ConfigurationError(field, "out_of_range", least=f"{least:g}", most=f"{most:.12g}")
    return value


def function(field: str, value: object, form: str) -> Callable[..., Any] | None:
    """A callable of the given form, or None."""
    if value is not None and not callable(value):
        raise ConfigurationError(field, "not_a_callable", form=form, given=_kind(value))
    return value


def whole(field: str, value: object) -> int:
    """A whole number, at least 1."""
    found = number(field, value, least=1)
    if found != int(found):
        raise ConfigurationError(field, "not_whole")
    return int(found)


def choice(field: str, value: object, choices: tuple[str, ...]) -> str:
    """One of a few words."""
    if not isinstance(value, str) or value not in choices:
        raise ConfigurationError(field, "not_a_choice", choices=", ".join(map(repr, choices)))
    return value


def language(value: object) -> Literal["en", "zh"]:
    """The option, or WECOM_LANGUAGE, or Chinese where the locale is Chinese."""
    if value is None:
        value = os.environ.get("WECOM_LANGUAGE") or language_of_locale()
    if value == "en":
        return "en"
    if value == "zh":
        return "zh"
    raise ConfigurationError("language", "not_a_choice", "Give language=… or set WECOM_LANGUAGE", choices="'en', 'zh'")


def language_of_locale() -> Literal["en", "zh"]:
    """Chinese where what messages are to be in says so: as for POSIX and gettext, from the environment alone."""
    get = os.environ.get
    found = get("LC_ALL") or get("LC_MESSAGES") or get("LANG") or ""
    if found not in ("C", "POSIX"):
        found = get("LANGUAGE") or found
    if not found and os.name == "nt":
        import locale

        found = locale.getlocale()[0] or ""
    return "zh" if re.match(r"zh(?![a-z])|chinese", found.lower()) else "en"


def enabled(value: object) -> bool | None:
    """The option, or WECOM_ENABLED (0, false, no and off mean no); None is "auto", which `is_set_up` decides."""
    word = "1" if value is None else str(value).strip().lower()
    if value is None or word == "auto":
        word = (os.environ.get("WECOM_ENABLED") or word).strip().lower()
    if word == "auto":
        return None
    if word not in ("0", "1", "false", "true", "no", "yes", "off", "on"):
        raise ConfigurationError(
            "enabled", "not_a_choice", "WECOM_ENABLED: 1, 0 or auto", choices="True, False, 'auto'"
        )
    return word in ("1", "true", "yes", "on")


_APP_VARIABLES = frozenset(
    f"WECOM_{name}"
    for name in (
        *("CORP_ID", "AGENT_ID", "SECRET", "SECRET_FILE", "CONTACTS_SECRET", "CONTACTS_SECRET_FILE"),
        *("USERS", "DEPARTMENTS", "TAGS"),
    )
)
_BOT_VARIABLES = frozenset(("WECOM_WEBHOOK", "WECOM_WEBHOOK_FILE"))
_AIBOT_VARIABLES = frozenset(
    f"WECOM_AIBOT_{name}" for name in ("ID", "SECRET", "SECRET_FILE", "CHATS", "ANSWERERS", "URL")
)
VARIABLES: dict[str, frozenset[str]] = {"app": _APP_VARIABLES, "bot": _BOT_VARIABLES, "aibot": _AIBOT_VARIABLES}
"""Those that are one channel's alone."""


def is_set_up(*credentials: object, channel: str) -> bool:
    """For "auto": whether one of the credentials is given, or any variable WECOM_… is set.

    What is the other channel's alone does not count. A name that nobody knows does: it may be a misspelt one.
    """
    others = {"WECOM_ENABLED", "WECOM_LANGUAGE"}
    others = others.union(*(names for name, names in VARIABLES.items() if name != channel))
    return any(one is not None for one in credentials) or any(
        value and name.startswith("WECOM_") and name not in others for name, value in os.environ.items()
    )


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


def link(value: object) -> str:
    """A URL template with ``{fingerprint}``, ``{service}`` and ``{time}``."""
    if value is None:
        return ""
    template = text("link", value)
    if len(template.encode("utf-8", "replace")) > 512:
        raise ConfigurationError("link", "too_long", most=512)
    try:
        fields = [
            (name, spec, conversion) for _, name, spec, conversion in Formatter().parse(template) if name is not None
        ]
    except ValueError:  # a single brace
        fields = [("", "", None)]
    if any(name not in LINK_FIELDS or spec or conversion for name, spec, conversion in fields):
        allowed = ", ".join(f"{{{name}}}" for name in LINK_FIELDS)
        raise ConfigurationError("link", "bad_placeholder", allowed=allowed)
    try:
        parts = urlsplit(template.format(**dict.fromkeys(LINK_FIELDS, "x")))
        usable = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        usable = False
    if not usable:
        raise ConfigurationError(
            "link", "wrong_scheme", scheme="https://", such="https://logs.example.com/{fingerprint}"
        )
    return template


def _kind(value: object) -> str:
    """The type of a wrong value, never the value: it might be a secret."""
    return type(value).__name__


def level(field: str, value: object) -> int:
    """A logging level, by name or number."""
    import logging

    number = logging.getLevelNamesMapping().get(value) if isinstance(value, str) else value
    if type(number) is not int:
        raise ConfigurationError(field, "not_a_level")
    return number
