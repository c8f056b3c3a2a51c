"""Which numbers in a text are codes: the status of an answer, an errno, a SQLSTATE, a vendor's error code."""

from __future__ import annotations

import re

BEFORE_CODE = 40
"""Characters before a number in which the word stands that makes it a code."""

# What a number is a code after. After a weak word come other numbers, too: there only what may be a status counts.
_CODE_WORD = re.compile(
    r"""(?:(?<![A-Za-z0-9])(?:err(?:or)?[ _-]?(?:no|code|number|id)|errno|os[ ]error|curl:
    |(?:sub|sql|ret|exit|return|reason|status|resp?|response|result|fault|native|biz|api)[ _-]?code|code|status|sqlstate
    |https?(?:/\d(?:\.\d)?)?(?:[ _](?:status|error|code|[45]xx)){0,2}|rc|ret|winerror|hresult|signal
    |(?:disconnect|clos(?:e|ing)|deauth|abort|failure|error|exit|reject|shutdown)[ _-]reason
    |exit(?:ed)?(?:[ _](?:with|status|code)){0,3}|return[ _](?:value|status)
    |(?:clos|end|abort|terminat|disconnect)ed[ ]with)
    ["']?\s{0,2}(?:[:=]|is|was|of)?\s{0,2}["'\[(<]?
    |(?:(?:\u9519\u8bef|\u5f02\u5e38|\u6545\u969c|\u62a5\u8b66|\u544a\u8b66|\u7ed3\u679c|\u539f\u56e0|\u5931\u8d25|\u72b6\u6001
    |\u8fd4\u56de|\u9000\u51fa|\u54cd\u5e94|\u5e94\u7b54|\u4e1a\u52a1)(?:\u4ee3?\u7801|\u4ee3\u53f7)|\u9519\u8bef\u7f16?\u53f7
    |(?:\u5931\u8d25|\u9519\u8bef|\u5f02\u5e38)[\uff0c,\s]{0,2}\u4ee3\u7801|\u72b6\u6001|\u8fd4\u56de\u503c?|\u54cd\u5e94)
    \s{0,2}(?:[:\uff1a=]|\u4e3a|\u662f)?\s{0,2}["'\[(\uff08\u3010\u300c\u201c]?)\Z""",
    re.VERBOSE | re.IGNORECASE,
)
_ENDS_OF_CODE_WORDS = (
    *("no", "code", "number", "id", "error", "curl", "status", "sqlstate", "http", "https", "xx", "rc", "ret"),
    *("hresult", "signal", "reason", "exit", "exited", "with", "value"),
)
_BEHIND_CODE_WORDS = " \t\n\r\f\v\x1c\x1d\x1e\x1f:=\"'[(<"
_WEAK_WORD = re.compile(
    r"(?<![A-Za-z0-9])(?:answer|return|respon|repl|fail|reject|refus|receiv|sent|got|gave|get|with)[a-z]{0,6}"
    r"(?: with)?(?: an?)?(?: error)?[ :=#]{1,2}[\"'(\[]?\Z",
    re.IGNORECASE,
)
_ERROR_WORD = re.compile(
    r"(?:(?<![A-Za-z0-9])(?:err(?:or)?|fault|exception)[ #:=]{1,2}(?:\d{3,5} \()?|\u9519\u8bef[ :\uff1a]{1,2})\Z",
    re.IGNORECASE,
)
_AFTER_FAILURE = re.compile(
    "(?:\u5931\u8d25|\u9519\u8bef|\u5f02\u5e38|\u62a5\u9519)[:\uff1a]?\\s?[\\[(\uff08\u3010]\\Z"
)
_EXPECTED = re.compile(r"(?<![A-Za-z])expect(?!\D{0,40}[1-5]\d\d(?!\d))", re.IGNORECASE)
_STATUS = re.compile(r"[1-5]\d\d")
_PHRASE = re.compile(
    r" (?:Client|Server|Bad|Unauthorized|Payment|Forbidden|Not|Method|Proxy|Request|Conflict|Gone|Length|Precondition"
    r"|Payload|Content|URI|Unsupported|Range|Expectation|Misdirected|Unprocessable|Locked|Failed|Too|Upgrade|Internal"
    r"|Service|Gateway|HTTP|Insufficient|Loop|Network|Moved|Found|See|Temporary|Permanent|OK|Created|Accepted|No)\b"
)
_OF_STATUS = re.compile(r" (?:error|response|status)\b(?!\()")
_COUNTED = re.compile(r" [a-z]{2,24}s\b|[ ]?[\u4e2a\u6761\u884c\u6b21\u6beb\u79d2\u5206\u5c0f\u5929\u5b57]")
_REPLY = re.compile(r" [A-Z]|[ -]\d\.\d")
_NAMED = re.compile(r" \((?!of |out )[A-Za-z]")
_CAPITALS = r"[A-Z]{1,12}(?:[_-][A-Z]{1,12}){0,3}[_-]?"
_OWN_CODE = re.compile(rf"{_CAPITALS}\d{{1,6}}")
_VENDOR = re.compile(rf"{_CAPITALS}\d{{3,6}}")
_VENDOR_ANYWHERE = re.compile(
    r"(?:ORA|TNS|PLS|MY|AADSTS)-?\d{4,6}|(?:[A-Z]{1,16}_){0,3}ERR(?:OR)?(?:_[A-Z]{1,16}){0,3}[-_]?\d{1,6}"
)
_HEX_CODE = re.compile(r"0[xX][0-9A-Fa-f]{1,8}")
_VERSION = re.compile(r"HTTP/\d(?:\.\d)?[\"']?\s\Z|\d \(\Z")
_ARROW = re.compile(r"(?:[-=]>\s?|(?:GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS) [^\s\"']{1,40}[:,]? )\Z")
"""Behind it stands how a request was answered."""
_BETWEEN = " \t:=#\"'[(<\uff1a\uff08\u3010\u300c\u201c"
_FIRST_ARGUMENT = re.compile(r", b?[\"']")
_SAYING = re.compile(r""", (["'])(?=\w+[ ][^ \n]+[ ])[^\n]{1,400}?\1\)""")
"""Behind the four digits of a database's error, wherever it stands: a sentence, and no more."""


def is_code(match: re.Match[str]) -> bool:
    """Of a number, or a word that ends with one, that was found in a text."""
    text, (start, end) = match.string, match.span()
    number, before = match[0].lstrip("+-"), text[max(start - BEFORE_CODE, 0) : start]
    if number[0].isalpha():
        if number[0].islower():
            return False
        if _VENDOR_ANYWHERE.fullmatch(number):
            return True
        if _OWN_CODE.fullmatch(number) is None:
            return False
        if _ERROR_WORD.search(before) or _follows_code_word(before):
            return True
        around = before + text[end : end + 1]
        begins = around in ("[]", "\u3010\u3011") or (not start and number[:2] == "E1")
        return (begins or around[-1:] == ":") and _VENDOR.fullmatch(number) is not None
    if _HEX_CODE.fullmatch(number):
        return _ERROR_WORD.search(before) is not None or _follows_code_word(before)
    is_negative = match[0][0] == "-"
    if len(number) > (10 if is_negative else 8) or not number.isdigit():  # an HRESULT may be signed
        return False
    is_status = _STATUS.fullmatch(number) is not None
    if is_status and (_PHRASE.match(text, end) or _ARROW.search(before)):
        return True
    if is_status and number[0] in "45" and _OF_STATUS.match(text, end) and before[-1:] != ":":
        return True
    if before == "(":
        return _FIRST_ARGUMENT.match(text, end) is not None
    if before[-1:] == "(" and len(number) == 4 and _SAYING.match(text, end):
        return True
    if not start:
        return is_status and number[0] in "45" and bool(_REPLY.match(text, end) and not _COUNTED.match(text, end))
    if not before.rstrip(_BETWEEN)[-1:].isalpha() and not _VERSION.search(before):
        return False
    if _COUNTED.match(text, end):
        return False
    if _follows_code_word(before) or _AFTER_FAILURE.search(before):
        return True
    if _WEAK_WORD.search(before) and (is_status or is_negative or _NAMED.match(text, end)):
        return _EXPECTED.search(before) is None
    return (
        (is_negative or len(number) <= 5)
        and bool(_ERROR_WORD.search(before))
        and not text.startswith((" of ", "/"), end)
    )


def _follows_code_word(before: str) -> bool:
    """Whether the word right before a number makes it a code. Most end as no such word does, which is soon seen."""
    if before.isascii() and "/" not in before:
        end = before.rstrip(_BEHIND_CODE_WORDS).lower().removesuffix("of").removesuffix("is").removesuffix("was")
        if not end.rstrip(_BEHIND_CODE_WORDS).endswith(_ENDS_OF_CODE_WORDS):
            return False
    return _CODE_WORD.search(before) is not None
