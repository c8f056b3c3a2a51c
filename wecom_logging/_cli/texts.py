"""What the commands say, in English and Chinese: rows of `texts.toml`, and the cause and remedy of an error."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from .. import _config as config
from .._config.options import all_options
from .._errors_in_chinese import SYSTEM, in_chinese
from .._tables import table
from .._text.said import Language, Reader, Said, filled
from .._wecom import explained as of_wecom
from .._wecom.errcodes import lookup
from ..errors import APIError, ConfigurationError, StateError, TransportError, WeComLoggingError


@cache
def _table() -> Mapping[str, Mapping[str, Any]]:
    return table(__package__, "texts")


NOTHING = Said("", "")


def same(text: str) -> Said:
    """What needs no translation: names and ids."""
    return Said(text, text)


def said(name: str, /, **values: object) -> Said:
    """``section.row`` of `texts.toml`, with what stands in its places: of a `Said` the same language."""
    section, _, row = name.partition(".")
    en, zh = _table()[section][row]
    return Said(_filled(en, "en", values), _filled(zh, "zh", values))


def _filled(text: str, language: Language, values: Mapping[str, object]) -> str:
    """A row without values may have braces of its own."""
    whole = {name: cause_of(one) if isinstance(one, StateError) else one for name, one in values.items()}
    shown = {name: one.within(language) if isinstance(one, Said) else one for name, one in whole.items()}
    if language == "zh":
        shown = {name: SYSTEM.get(str(one), one) for name, one in shown.items()}
    return filled(text, language, (), shown) if values else text


def listed(parts: Iterable[Said | str], comma: str = ", ", zh: str = "、") -> Said:
    both = [same(part) if isinstance(part, str) else part for part in parts]
    return Said(comma.join(part.en for part in both), zh.join(part.zh for part in both))


def text(name: str, /, **values: object) -> str:
    """The same in the reader's language."""
    return said(name, **values).within(language())


def field(name: str) -> str:
    return text(f"fields.{name}")


def explained(error: WeComLoggingError) -> str:
    """A whole error with its remedy, in the reader's language."""
    if isinstance(error, ConfigurationError):
        return error.text("zh" if language() == "zh" else "en")
    return of_wecom.explained(error, language())


def sentences(*parts: Said | str) -> str:
    """One after the other, in the reader's language."""
    shown = [part if isinstance(part, str) else part.within(language()) for part in parts]
    return ("。" if language() == "zh" else ". ").join(filter(None, shown))


def inactive(status: str) -> tuple[Said, Said] | None:
    """Why a member of this status gets nothing, and what to do; None if it does."""
    rows = _table()["inactive"]
    return (said(f"inactive.{status}"), said(f"inactive_remedies.{status}")) if status in rows else None


def cause_of(error: WeComLoggingError) -> Said:
    """What an error says, without the errcode and the remedy, which stand by themselves."""
    if isinstance(error, ConfigurationError):
        return Said(error.problem("en"), error.problem("zh"))
    if isinstance(error, APIError | TransportError):
        return of_wecom.cause_of(error)
    return Said(str(error), in_chinese(str(error)))


def remedy_of(error: WeComLoggingError) -> Said:
    if isinstance(error, ConfigurationError):
        return _remedy(error)
    return of_wecom.remedy_of(error) if isinstance(error, APIError | TransportError) else NOTHING


def of_errcode(errcode: int) -> tuple[Said, Said]:
    """What an errcode of the tables means, where WeCom did not give it, and what to do about it."""
    row = lookup(errcode)
    return Said(row.meaning, row.meaning_zh), Said(row.remedy, row.remedy_zh)


def _remedy(error: ConfigurationError) -> Said:
    """That of each option that the error names. Of one that several handlers have, the error names the variable."""
    if error.code == "unknown_rota":
        return said("remedies.rota")
    if error.code in ("misspelt_variable", "unknown_variable"):
        return said("remedies.variable")
    rows = [one for one in all_options().values() if re.search(rf"\b{one.variable or one.name}\b", error.remedy)]
    names = [next((row.name for row in rows if row.keyword == one), one) for one in error.field.split(", ")]
    found = [remedy_of_field(one) for one in names]
    return Said(" ".join(one.en for one in found), "".join(one.zh for one in found))


def remedy_of_field(field: str) -> Said:
    """How to set an option, or what else the field of a `ConfigurationError` names."""
    name = re.split(r"[.\[]", field)[0]
    if name == "fallback":
        return said("remedies.names")
    if name == "class":
        return said("remedies.class")
    name = next((one.name for one in all_options().values() if name in one.variables), name)
    told = all_options().get("users" if name in ("departments", "tags", "leader_of") else name)
    if told is None or not told.remedy:
        return said("remedies.option", name=name)
    en, zh = told.remedy
    return Said(en, zh)


def language(wanted: str | None = None) -> Reader:
    """What was asked for, else that of the alerts, with their zone."""
    found = config.reader_if_right()
    return Reader(wanted, found.zone) if wanted else found
