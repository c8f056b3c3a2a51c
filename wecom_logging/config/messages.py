"""What messages are like: their language, their link, how many a minute."""

from __future__ import annotations

import os
import re
from string import Formatter
from typing import Literal

from ..errors import ConfigurationError
from .values import choice, or_variable, text

LINK_FIELDS = ("fingerprint", "service", "time")
OVERFLOWS = ("trim", "split", "file")
FRAMES = ("own", "all")
ANSWERS = ("aibot",)

RateRules = tuple[tuple[int, float], ...]
"""Rates as (number of messages, seconds), e.g. ((30, 60.0), (1000, 3600.0))."""

_PERIODS = {"second": 1.0, "minute": 60.0, "hour": 3600.0, "day": 86400.0}


def language(value: object) -> Literal["en", "zh"]:
    """The option, or WECOM_LANGUAGE, or Chinese where the locale is Chinese."""
    found = or_variable(value, "WECOM_LANGUAGE", language_of_locale())
    return choice("language", found, ("en", "zh"), "Give language=… or set WECOM_LANGUAGE")


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
    from urllib.parse import urlsplit

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
