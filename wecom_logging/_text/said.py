"""What is said in English and Chinese, and the two words of a text that was cut."""

from __future__ import annotations

from typing import Literal, NamedTuple

Language = Literal["en", "zh"]


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
