"""What is said in English and Chinese, and the two words of a text that was cut."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from string import Formatter
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Self

if TYPE_CHECKING:
    from datetime import tzinfo


class Reader(str):
    """How people read: a language, ``"en"`` or ``"zh"``, which carries the zone of its times; None is the machine's."""

    zone: tzinfo | None

    def __new__(cls, language: str, zone: tzinfo | None = None) -> Self:
        made = super().__new__(cls, language)
        made.zone = zone
        return made


Language = Literal["en", "zh"] | Reader
"""One that is a plain text has the machine's zone."""


def zone_of(language: Language) -> tzinfo | None:
    return language.zone if isinstance(language, Reader) else None


def language_of_environment() -> Literal["en", "zh"]:
    """That of WECOM_LANGUAGE, or of the locale where that is none."""
    found = os.environ.get("WECOM_LANGUAGE")
    return "zh" if found == "zh" else "en" if found == "en" else language_of_locale()


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


class _Chinese(Formatter):
    def format_field(self, value: Any, spec: str) -> str:
        return f"\ufdd0{format(value, spec)}\ufdd1"  # signs that no text has


_CHINESE, _WIDE = _Chinese(), "\u2e80-\u9fff\uf900-\ufaff\uff01-\uff65"
_EDGES = re.compile(rf"(?<=[{_WIDE}])(?:\ufdd1 \ufdd0?| \ufdd0)(?=[{_WIDE}])|[\ufdd0\ufdd1]")


def filled(text: str, language: Language, values: Sequence[object], named: Mapping[str, object]) -> str:
    """A text with what stands in its places. In Chinese a blank stands beside each: of it nothing is left where it is
    between two Chinese signs. What stands in a place is not changed."""
    return _EDGES.sub("", _CHINESE.vformat(text, values, named)) if language == "zh" else text.format(*values, **named)


def labelled(name: str, language: Language, what: str = "") -> str:
    """``name: what``, with a colon of Chinese behind a Chinese sign, or before a text that has one."""
    is_chinese = language == "zh" and (re.search(f"[{_WIDE}]$", name) or re.search(f"[{_WIDE}]", what))
    return f"{name}：{what}" if is_chinese else f"{name}: {what}"


class Said(NamedTuple):
    """The same in both languages, with the same places to fill in."""

    en: str
    zh: str
    inner: tuple[int, ...] = ()
    """Of a `Phrase`: the places in which a value of ours may stand."""

    def within(self, language: Language, *values: object) -> str:
        """The text of a language, with what stands in its ``{}``."""
        text = self.zh if language == "zh" else self.en
        return filled(text, language, values, {}) if values else text

    def both(self) -> dict[str, str]:
        """Both languages by their names, as JSON has them."""
        return {"en": self.en, "zh": self.zh}


class Phrase(Said):
    """What a record or an error says. Its places are ``%s``, in the same order."""

    __slots__ = ()

    def within(self, language: Language, *values: object) -> str:
        text = self.zh if language == "zh" else self.en
        return filled(text.replace("%s", "{}"), language, values, {}) if values else text

    def parts(self, text: str) -> tuple[list[str], str] | None:
        """What stands in the places of an English text that was made of it, and what follows; None where it was not.

        A part in which the phrase's own words stand may begin too late or end too early: no part is lost by that.
        """
        begin, *pieces = self.en.split("%s")
        if not text.startswith(begin):
            return None
        rest, parts = text[len(begin) :], []
        for number, piece in enumerate(pieces, 1):
            part, found, rest = rest.partition(piece) if piece else (rest, number == len(pieces), "")
            if not found:
                return None
            parts.append(part)
        return parts, rest


LINES_CUT = Said("… {} lines cut …", "… 省略 {} 行 …")
CHARACTERS_CUT = Said("… %s characters cut …", "… 省略 %s 个字符 …")
