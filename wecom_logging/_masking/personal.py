"""Numbers of persons: what `redact_personal` masks besides secrets."""

from __future__ import annotations

import re

from .patterns import Rule, lazy

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


RULES = (
    # A resident's number in groups, and one of fifteen digits
    Rule(
        r"(?<!\d)[1-9]\d{5}([ -])(?:19|20)\d{6}\1\d{3}[\dXx](?![\dA-Za-z])",
        (" 19", " 20", "-19", "-20"),
        _is_identity,
        kept=0,
    ),
    Rule(
        r"(?<!\d)[1-9]\d{7}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}(?![\dXx])",
        ("身份", "证件", "idcard", "id_card"),
        _is_old_identity,
        kept=0,
    ),
    # A resident's number: place, day of birth, serial number.
    Rule(
        r"(?<!\d)[1-9]\d{5}(?:18|19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx](?![\dA-Za-z])",
        ("18", "19", "20"),
        _is_identity,
        kept=0,
    ),
    # A bank's card: UnionPay 62, Visa 4, Mastercard 51 to 55 and 22 to 27, American Express 34 and 37, JCB 35
    Rule(
        r"(?<![\d.])(?:62\d\d|4\d{3}|5[1-5]\d\d|2[2-7]\d\d|35\d\d|3[47]\d\d|6011)([ -]?)\d{4}\1\d{4}\1\d{2,7}(?!\.?\d)",
        ("62", "4", "5", "2", "3", "6011"),
        _is_card,
        kept=0,
    ),
    Rule(  # American Express in its groups
        r"(?<![\d.])3[47]\d\d([ -])\d{6}\1\d{5}(?!\.?\d)", ("34", "37"), _is_card, kept=0
    ),
    Rule(  # 13812345678   +86 138-1234-5678
        r"(?<![\d.])(?:(?:\+|00)?86[- ]?)?1[3-9]\d([- ]?)\d{4}\1\d{4}(?!\.?\d)", ("1",), kept=0
    ),
    Rule(  # 010-12345678   021-12345678-801
        r"(?<![\d.-])(?:\(0\d{2,3}\) ?|0\d{2,3}[- ])(?:\d{7,8}|\d{4}[- ]\d{4})(?:-\d{1,5})?(?!-?\d)", ("0",), kept=0
    ),
    Rule(r"((?:电话|座机|传真)[号码]{0,2}\s?[:：=]?\s?)[2-8]\d{6,7}(?![\d.-])", ("电话", "座机", "传真")),
    Rule(  # of WeChat and QQ
        r"((?:微信|(?i:qq|wechat))(?:[号码]{1,2}\s|[号码]{0,2}\s?[:：=]\s?))(?:[1-9]\d{4,10}(?!\d)|(?=[A-Za-z-]{0,19}[\d_])[A-Za-z][\w-]{5,19}(?![\w@]))",
        ("微信", "qq", "wechat"),
    ),
    Rule(
        r"(?<![0-9A-Za-z_.+%/@-])(?!git@)[0-9A-Za-z_.+%-]{1,64}(?:@|%40)(?:[A-Za-z0-9\u4e00-\u9fff-]{1,63}\.){1,5}"
        r"(?:[A-Za-z]{2,24}|[\u4e00-\u9fff]{2,4})(?![0-9A-Za-z_@])",
        ("@", "%40"),
        kept=0,
    ),
    Rule(  # 京A12345   粤BD12345 (of an electric car)
        r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼使领][A-HJ-NP-Z][·• ]?"
        r"(?:[A-HJ-NP-Z0-9]{5}[A-HJ-NP-Z0-9挂学警港澳]|[A-HJ-NP-Z0-9]{4}[A-HJ-NP-Z0-9挂学警港澳])(?![A-Za-z0-9])",
        tuple("京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼使领"),
        lambda found: sum(sign.isdigit() for sign in found[0]) >= 2,
        kept=0,
    ),
    Rule(  # WJ京12345 (of the armed police)   使012345 (of an embassy)
        r"(?<![0-9A-Za-z])WJ ?[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][·• ]?"
        r"\d{4}[\dA-Z](?![0-9A-Za-z])"
        r"|(?<![\u4e00-\u9fff])[使领]\d{6}(?!\d)|(?<![\u4e00-\u9fff])\d{6}[使领](?![\u4e00-\u9fff])",
        ("wj", "使", "领"),
        kept=0,
    ),
    Rule(  # A passport's number, or a permit's, tells nothing by its form.
        r"(?i)((?:(?:香港|澳门|澳門|台湾|臺灣)(?:居民)?身[份分][证證]|护照|通行证|[台回]乡?[胞乡]?证|军官证|社保卡|passport)[^\s\d:：=]{0,12}\s?[:：=]?\s?"
        r"(?:no\.? ?)?['\"]?)(?:[A-Z]{0,2}\d{6,10}(?:[(（][\dA-Z][)）])?|[军武士文兵]字第\d{5,8}号?)(?!\d)",
        ("护照", "通行证", "证", "證", "社保卡", "passport"),
    ),
)
