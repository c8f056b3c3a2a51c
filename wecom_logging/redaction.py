"""What hides secrets in texts.

The handlers mask by themselves. This is for a program that wants more hidden, or the same for texts of its own:
`redact_personal` and what `redactor` makes are for the option ``redact``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from ._masking.patterns import why_slow
from ._masking.redact import hide, mask_personal, redact, redact_more, redact_personal
from .errors import ConfigurationError

__all__ = ["redact", "redact_personal", "redactor"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{1,63}")


def redactor(extra: Iterable[str | re.Pattern[str]] = (), *, personal: bool = False) -> Callable[[str], str]:
    """A function for ``redact=`` that masks what `redact` does, and more.

    ``extra``: names of secrets (2 to 64 letters, digits, ``_`` and ``-``, such as ``"shop_pin"``, also found as
    ``shopPin`` and ``OLD_SHOP_PIN``), whose values are masked in each form in which programs write names and values;
    and patterns (``re.compile(…)``), of which all that they match is masked. ``personal``: personal data, too, as
    `redact_personal` does.

    Raises `ConfigurationError` where a name is none, and where a pattern matches the empty text or can
    take exponential time.
    """
    names, patterns = set[str](), list[re.Pattern[str]]()
    if isinstance(extra, str | re.Pattern):
        raise ConfigurationError("extra", "not_a_list", such="['merchant_key']")
    for number, item in enumerate(extra, 1):
        if isinstance(item, str):
            if not _NAME.fullmatch(item):
                raise ConfigurationError("extra", "not_a_name", number=number)
            names.add(item.lower().replace("-", "_"))
        elif isinstance(item, re.Pattern) and isinstance(item.pattern, str):
            if code := why_slow(item):
                raise ConfigurationError("extra", code, number=number)
            patterns.append(item)
        else:
            raise ConfigurationError("extra", "not_names", given=type(item).__name__)
    more = frozenset(names)

    def mask(text: str) -> str:
        for pattern in patterns:
            text = pattern.sub(lambda found: hide(found[0]), text)
        text = redact_more(text, more)
        return mask_personal(text) if personal else text

    return mask
