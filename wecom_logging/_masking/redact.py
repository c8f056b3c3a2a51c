"""Masking of secrets in what a program logs: pairs of name and value, headers, URLs, tokens, private keys."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache, partial
from itertools import chain

from . import forms, personal, positional, tokens
from .pairs import without_pairs
from .patterns import MASK, Rules, hide, noted, noting
from .rules import rules

__all__ = [
    "MASK",
    "again",
    "hide",
    "mask_personal",
    "masker",
    "noting",
    "redact",
    "redact_more",
    "redact_personal",
    "remember",
]

RAISED = "(hidden: redact raised %s)"
RETURNED = "(hidden: redact returned a %s)"
"""In place of a text that a function of the user could not mask; a message says it in its own language."""

_MAX_NAME = 128

_RULES = Rules(rules("labels"))
_PERSONAL = Rules(personal.RULES)


def redact(text: str) -> str:
    """``text`` with its secrets replaced by ``***``."""
    return redact_more(text, frozenset())


def redact_more(text: str, names: frozenset[str]) -> str:
    """`redact`, with more names of secrets: small letters, digits and ``_``."""
    before, noted.values = noted.values, []  # as `noting` does, which costs a tenth of masking a line
    try:
        bare = forms.unescaped(text)
        masked = _redact(bare, names)
        if bare is not text and masked == bare:
            masked = _redact(text, names)
    finally:
        hidden, noted.values = noted.values, before
    if not hidden:
        return masked
    hide(*hidden)
    further = again(hidden)
    return further(masked) if further else masked


def _redact(text: str, names: frozenset[str]) -> str:
    short, whole = tokens.shortened(text) if len(text) >= tokens.LONG_WORD else (text, None)
    if not whole:
        return _masked(text, names)
    with noting() as hidden:
        short = _masked(short, names)
        hidden[:] = [tokens.restored(value, whole) for value in hidden]
    return tokens.restored(short, {ends: tokens.without_tokens(word, _small(word)) for ends, word in whole.items()})


def _masked(text: str, names: frozenset[str]) -> str:
    if "PRIVATE KEY" in text:
        text = tokens.without_private_keys(text)
    small = _small(text)
    shown = positional.without_positional(_RULES.without(text, small), small)
    return tokens.without_tokens(without_pairs(shown, small if shown is text else _small(shown), names), small)


def _small(text: str) -> str:
    """In small letters, sign by sign: there are letters that become two."""
    small = text.lower()
    return small if len(small) == len(text) else text.translate(_TO_SMALL)


_TO_SMALL = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}


def redact_personal(text: str) -> str:
    """What `redact` does, and personal data as ``***``, too. For the option ``redact``.

    Personal data are numbers of phones, identity cards, passports and licence plates of mainland China, numbers of
    bank cards (by Luhn's check digit), and e-mail addresses.
    """
    return mask_personal(redact(text))


def mask_personal(text: str) -> str:
    """Personal data alone."""
    return _PERSONAL.without(text, text.lower())


def masker(secrets: Iterable[str], further: Callable[[str], str] | None) -> Callable[[str], str]:
    """A function that masks these and the remembered secrets always, and then whatever ``further`` finds."""
    known = forms.of(secrets)
    if further is not None:
        tokens.load()  # not when the first long word comes: the program may have no file left

    def mask(text: str) -> str:
        text = forms.without(text, chain(known, _remembered))
        if further is None:
            return text
        try:
            masked = further(text)
        except Exception as error:  # of a function of the user: then nothing of the text is shown
            return RAISED % type(error).__name__
        return masked if type(masked) is str else RETURNED % type(masked).__name__

    if further not in (None, redact, redact_personal):
        return mask
    kept = lru_cache(maxsize=1024)(partial(_noted, mask))  # names of loggers, files, hosts: they come again

    def mask_kept(text: str) -> str:
        if len(text) > _MAX_NAME:
            return mask(text)
        masked, hidden = kept(text, _remembered)
        if hidden:
            hide(*hidden)
        return masked

    return mask_kept


def _noted(mask: Callable[[str], str], text: str, remembered: tuple[str, ...]) -> tuple[str, list[str]]:
    """A masked text, and what was hidden in it, as long as these are ``remembered``. Who asks says `hide` of it."""
    before, noted.values = noted.values, (hidden := list[str]())
    try:
        return mask(text), hidden
    finally:
        noted.values = before


def remember(*secrets: str) -> None:
    """Have all of the process mask these, since a record with one handler's secret may go to another's group."""
    global _remembered
    _remembered = forms.longest_first({*_remembered, *forms.of(secrets)})


_remembered: tuple[str, ...] = ()


def again(hidden: Iterable[str]) -> Callable[[str], str] | None:
    """A function that masks what was hidden elsewhere, in any of its forms; None where nothing tells by itself."""
    known = forms.of(forms.telling(hidden))
    return partial(forms.without, known=known) if known else None
