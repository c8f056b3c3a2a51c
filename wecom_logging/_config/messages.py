"""Who gets messages (members, departments, tags, chats), and what they are like: language, zone, link, rate limit."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import islice
from string import Formatter
from typing import TYPE_CHECKING, Literal

from .._text.said import Reader, language_of_environment, language_of_locale
from ..errors import ConfigurationError
from ..model import EVERYBODY, Recipients, Route
from ..model.recipients import ON_CALL
from .values import (
    choice,
    exact,
    is_web_url,
    kind,
    level,
    mapping_of,
    required,
    text,
)
from .variables import or_variable, variable

if TYPE_CHECKING:
    from datetime import tzinfo

LINK_FIELDS = ("fingerprint", "service", "time")
OVERFLOWS = ("trim", "file")
FRAMES = ("own", "all")
ANSWERS = ("aibot",)

RateRules = tuple[tuple[int, float], ...]
"""Rates as (number of messages, seconds), e.g. ((30, 60.0), (1000, 3600.0))."""

_GIVE_ZONE = "Give timezone=… or set WECOM_TIMEZONE"
_PERIODS = {"second": 1.0, "minute": 60.0, "hour": 3600.0, "day": 86400.0}


def language(value: object) -> Literal["en", "zh"]:
    """The option, or WECOM_LANGUAGE, or Chinese where the locale is Chinese."""
    found = or_variable(value, "WECOM_LANGUAGE", language_of_locale())
    return choice("language", found, ("en", "zh"), "Give language=… or set WECOM_LANGUAGE")


def timezone(value: object) -> tzinfo | None:
    """The option, or WECOM_TIMEZONE, as the zone of that name; None is that of the machine."""
    found = or_variable(value, "WECOM_TIMEZONE")
    if found is None:
        return None
    name = text("timezone", found)
    from datetime import UTC
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    if name == "UTC":  # also where the machine knows no zones
        return UTC

    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        pass
    try:
        ZoneInfo("UTC")
    except (ZoneInfoNotFoundError, OSError):
        raise ConfigurationError("timezone", "no_zone_data") from None
    raise ConfigurationError("timezone", "unknown_zone", _GIVE_ZONE)


def reader() -> Reader:
    return Reader(language(None), timezone(None))


def reader_if_right() -> Reader:
    """The same, for who does not say what is wrong with a variable: the locale's, the machine's in its place."""
    words = language_of_environment()
    try:
        return Reader(words, timezone(None))
    except ConfigurationError:
        return Reader(words)


def link(value: object) -> str:
    """A URL template with ``{fingerprint}``, ``{service}`` and ``{time}``."""
    if value is None:
        return ""
    template = text("link", value)
    if len(template.encode("utf-8", "replace")) > 512:
        raise ConfigurationError("link", "too_long", most=512)
    try:
        fields = [field for field in Formatter().parse(template) if field[1] is not None]
    except ValueError:  # a single brace
        fields = [("", "", "", None)]
    if any(name not in LINK_FIELDS or spec or conversion for _, name, spec, conversion in fields):
        allowed = ", ".join(f"{{{name}}}" for name in LINK_FIELDS)
        raise ConfigurationError("link", "bad_placeholder", allowed=allowed)
    if not is_web_url(template.format(**dict.fromkeys(LINK_FIELDS, "x"))):
        such = "https://logs.example.com/{fingerprint}"
        raise ConfigurationError("link", "wrong_scheme", scheme="https://", such=such)
    return template


def rate_limit(value: object, default: str) -> RateRules:
    """Rates from a text such as ``"30/minute, 1000/hour"``; None or ``"off"`` means no limit.

    `NotImplemented` stands for "not given": then WECOM_RATE_LIMIT or the default holds.
    """
    if value is NotImplemented:
        value = variable("WECOM_RATE_LIMIT") or default
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


MAX_CHATS = 20

JOINERS_AND_SPACES = dict.fromkeys(map(ord, "\u200c\u200d\u00a0\u3000"))
"""Not printable to Python, yet in names: emoji of several parts, 张　三 with a Chinese space."""

_WHO = ("users", "departments", "tags", "leader_of")
_LIMITS = {"users": 1000, "departments": 100, "tags": 100, "leader_of": 100}

_MAX_IDS = 5000
"""So many are read, the same ones included: a record may bring an endless list, and a log call reads it."""

_MAX_IDS_TEXT = 100 * _MAX_IDS


def recipients(
    users: object = None, departments: object = None, tags: object = None, leader_of: object = None
) -> Recipients:
    """Who gets it. If nothing is given, it is read from WECOM_USERS, WECOM_DEPARTMENTS and WECOM_TAGS."""
    given: Iterable[object] = (users, departments, tags, leader_of)
    if all(one is None for one in given):
        given = (*(variable(f"WECOM_{name}") for name in ("USERS", "DEPARTMENTS", "TAGS")), None)
    found = Recipients(*map(ids, _WHO, given))
    if not found:
        raise ConfigurationError(
            "users",
            "no_recipient",
            'Give users=[…], departments=[…], tags=[…] or leader_of=[…] (users="@all" is everybody in '
            "the app's visible range), or set WECOM_USERS, WECOM_DEPARTMENTS or WECOM_TAGS",
        )
    return found


def routes(value: object) -> tuple[Route, ...]:
    """Routes from a list of mappings with ``logger``, ``level``, and who gets what fits."""
    if value is None:
        return ()
    items = list_of("routes", value, "[{'logger': 'shop', 'users': ['zhangsan']}]", _MAX_IDS + 1)
    return tuple(_route(f"routes[{number}]", item) for number, item in enumerate(items))


def _route(field: str, given: object) -> Route:
    item = mapping_of(field, given, ("logger", "level", *_WHO))
    who = Recipients(*(ids(name, item.get(name)) for name in _WHO))
    if not who:
        raise ConfigurationError(field, "no_recipient", "Give users, departments, tags or leader_of")
    logger = item.get("logger")
    of_logger = "" if logger in (None, "", "root") else text(f"{field}.logger", logger)
    return Route(who, logger=of_logger, level=level(f"{field}.level", item.get("level", 0)))


def chats(value: object) -> tuple[str, ...]:
    """The chats of an AI bot: user ids, and ids of groups."""
    found = required(
        "chats",
        ids("chats", or_variable(value, "WECOM_AIBOT_CHATS")) or None,
        "Give chats=[…] or set WECOM_AIBOT_CHATS: user ids and ids of groups; "
        "`wecom-logging answers pair` tells that of a chat",
    )
    if len(found) > MAX_CHATS:
        raise ConfigurationError("chats", "too_many", count=len(found), most=MAX_CHATS)
    return found


def answerers(value: object) -> dict[str, str]:
    """Who may answer beside those who are in the chats: names by user id. A list has ids alone."""
    value = or_variable(value, "WECOM_AIBOT_ANSWERERS")
    if isinstance(value, Mapping):
        return {_id("answerers", one): text("answerers", name) for one, name in value.items()}
    found = {}
    for one in ids("answerers", value):
        user, mark, name = one.partition("=")
        if mark and not (user and name):
            raise ConfigurationError("answerers", "not_names_by_id")
        found[user] = name or user
    return found


def ids(field: str, value: object) -> tuple[str, ...]:
    """A tuple of ids and names from a list, a single one, or a string with commas, or ``|`` as WeCom itself has it."""
    if value is None:
        return ()
    if isinstance(value, str):
        parts = re.split("[,，|]", str.__str__(value)[:_MAX_IDS_TEXT], maxsplit=_MAX_IDS)
        items: list[object] = [part.strip() for part in parts if part.strip()]
    elif exact(value) is not None:
        items = [value]
    elif isinstance(value, Iterable) and not isinstance(value, Mapping | bytes | bytearray):
        items = [part for item in items_of(value) for part in _parted(item)]
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


def _parted(item: object) -> list[object]:
    """An item of a list; of ``a|b`` both."""
    return [*str.__str__(item).split("|", _MAX_IDS)] if isinstance(item, str) and "|" in item else [item]


_LIKE_A_ROTA = re.compile(r"on[\s_-]*call\s*[:：]\s*", re.IGNORECASE)


def items_of(value: Iterable[object]) -> list[object]:
    """What is in it. The lists of a logging config resolve ``cfg://…`` and ``ext://…`` by index only."""
    if isinstance(value, list | tuple):
        return [value[number] for number in range(min(len(value), _MAX_IDS + 1))]
    return list(islice(value, _MAX_IDS + 1))


def list_of(field: str, value: object, such: str, most: int) -> list[object]:
    """The items of a list or a tuple, at most so many."""
    if not isinstance(value, list | tuple):
        raise ConfigurationError(field, "not_a_list", such=such)
    items = items_of(value)
    if len(items) > most:
        raise ConfigurationError(field, "too_many", count=len(items), most=most)
    return items


def _id(field: str, item: object) -> str:
    given = str.__str__(item) if isinstance(item, str) else exact(item)  # a member of an Enum says its name
    if not isinstance(given, str | int):
        raise ConfigurationError(field, "not_an_id", given=kind(item))
    found = str(given).strip()
    plain = found.translate(JOINERS_AND_SPACES)
    if not plain or not plain.isprintable() or re.search("[|<>]", found) or len(found) > 64:
        raise ConfigurationError(field, "bad_id")
    if not found.startswith(ON_CALL) and (slip := _LIKE_A_ROTA.match(found)):
        raise ConfigurationError(field, "not_so_written", close=f"{ON_CALL}{found[slip.end() :]}")
    if field in ("departments", "tags", "leader_of") and re.fullmatch("[0-9A-Za-z_+/=-]{32,}", found):
        raise ConfigurationError(field, "looks_like_secret")
    if field in ("departments", "tags", "leader_of") and re.fullmatch("0[0-9]+", found):
        return found.lstrip("0") or "0"  # WeCom knows no "07"
    return found
