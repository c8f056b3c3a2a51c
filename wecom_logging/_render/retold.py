"""Translates the words of ours in a digest into the language of its handler; in records they are English."""

from __future__ import annotations

from dataclasses import replace

from .._text.said import Language, Phrase
from ..model import Alert, Digest
from ..model.captured import each
from .headline import of_alert
from .mask import Mask, masked, retexted
from .words import FIELDS, NO_TEXT, PHRASES, retold, retold_value, with_marks_retold


def in_language(digest: Digest, language: Language) -> Digest:
    """The masked digest as it is told. Text of the program stays; so does what its own formatter made of a record."""
    if language == "en":
        return digest
    alert = digest.alert
    phrase = PHRASES.get(alert.ours[0]) if alert.ours else None
    told = replace(
        alert,
        message=_told(alert.message, phrase),
        title=with_marks_retold(alert.title),
        fields=tuple(_field(name, value, alert) for name, value in alert.fields),
        stack=with_marks_retold(alert.stack),
        failures=each(alert.failures, lambda one: retexted(one, with_marks_retold)),
    )
    samples = tuple(replace(sample, text=_told(sample.text, phrase)) for sample in digest.samples)
    variants = tuple(replace(variant, text=_told(variant.text, phrase)) for variant in digest.variants)
    return replace(digest, alert=told, samples=samples, variants=variants)


def headline_of(alert: Alert, mask: Mask, language: Language) -> str:
    """What its message says of it in the first line: masked before anything is cut, as the reader is told it."""
    told = in_language(Digest(masked(alert, mask), count=1, total=1), language).alert
    return of_alert(told) or NO_TEXT.within(language)


def _told(text: str, phrase: Phrase | None) -> str:
    return with_marks_retold(text if phrase is None else retold(text, phrase))


def _field(name: str, value: str, alert: Alert) -> tuple[str, str]:
    if name in alert.ours[1:]:
        name, value = FIELDS.get(name, name), retold_value(value)
    return name, with_marks_retold(value)
