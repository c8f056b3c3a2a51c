"""Numbers of persons: what `redact_personal` masks besides secrets."""

from __future__ import annotations

import re

from .patterns import lazy
from .rules import rules

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)  # GB 11643-1999
_DIGIT = lazy(r"\d")


def _is_identity(found: re.Match[str]) -> bool:
    """By its check digit (GB 11643-1999, ISO 7064 MOD 11-2), or because its name stands before it: a slip in a number
    does not make it less of one."""
    number = found[0].replace(" ", "").replace("-", "")
    right = "10X98765432"[sum(int(digit) * weight for digit, weight in zip(number, _WEIGHTS, strict=False)) % 11]
    before = found.string[max(found.start() - 16, 0) : found.start()].lower()
    return number[17].upper() == right or "身份" in before or "证" in before or "id" in before


def _is_old_identity(found: re.Match[str]) -> bool:
    """Fifteen digits, of before 1999: by the name before them."""
    before = found.string[max(found.start() - 16, 0) : found.start()].lower()
    return "身份" in before or "证件" in before or "idcard" in before or "id_card" in before


def _is_card(found: re.Match[str]) -> bool:
    """By Luhn's check digit (ISO/IEC 7812-1), or by the name before it."""
    before = found.string[max(found.start() - 12, 0) : found.start()].lower()
    if "卡" in before or "card" in before:
        return True
    digits = [int(digit) for digit in _DIGIT.findall(found[0])]
    doubled = (digit * 2 - 9 * (digit > 4) for digit in digits[-2::-2])
    return 15 <= len(digits) <= 19 and (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _is_plate(found: re.Match[str]) -> bool:
    return sum(sign.isdigit() for sign in found[0]) >= 2


RULES = rules("personal", identity=_is_identity, old_identity=_is_old_identity, card=_is_card, plate=_is_plate)
