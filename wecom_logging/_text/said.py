"""What is said in English and Chinese, and the two words of a text that was cut."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, Self

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


class Said(NamedTuple):
    """The same in both languages, with the same places to fill in."""

    en: str
    zh: str
    inner: tuple[int, ...] = ()
    """Of a `Phrase`: the places in which a value of ours may stand."""

    def within(self, language: Language, *values: object) -> str:
        """The text of a language, with what stands in its ``{}``."""
        text = self.zh if language == "zh" else self.en
        return text.format(*values) if values else text

    def both(self) -> dict[str, str]:
        """Both languages by their names, as JSON has them."""
        return {"en": self.en, "zh": self.zh}


class Phrase(Said):
    """What a record says. Its places are ``%s``, in the same order."""

    __slots__ = ()


LINES_CUT = Said("… {} lines cut …", "… 省略 {} 行 …")
CHARACTERS_CUT = Said("… %s characters cut …", "… 省略 %s 个字符 …")
