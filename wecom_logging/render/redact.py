"""Masking of secrets in what a program logs: pairs of name and value, headers, URLs, tokens, private keys.

Every pattern is linear: it starts at a fixed word or sign and has no nested repetition. Text is masked line by line in
pieces, so that no call holds the interpreter for long.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

MASK = "***"
_PIECE = 8 * 1024

_NAMES = (
    r"pass(?:word|wd|phrase)?|pwd|secret|corpsecret|(?:api|access|auth|private|encryption)[_-]?key|"
    r"(?:access|auth|refresh|id|session|csrf|bearer|bot|api)?[_-]?token|client[_-]?secret|credentials?|sessionid|"
    r"aws_secret_access_key|密码|口令|密钥|令牌"
)
_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    # Authorization: Bearer …   Cookie: …
    (
        re.compile(
            r"(?i)\b((?:proxy-)?authorization|(?:set-)?cookie|x-api-key)(['\"]?\s{0,4}[:=]\s{0,4}['\"]?)[^\r\n'\"]+"
        ),
        rf"\1\2{MASK}",
    ),
    (re.compile(r"(?i)\b(bearer|basic)\s{1,4}[A-Za-z0-9._~+/=-]{8,}"), rf"\1 {MASK}"),
    # scheme://user:password@host
    (re.compile(r"([A-Za-z][A-Za-z0-9+.-]{1,20}://[^\s/:@'\"]{0,128}):[^\s/@'\"]{1,256}@"), rf"\1:{MASK}@"),
    # name=value, name: value, 'name': 'value', ?key=value
    (
        re.compile(
            rf"(?i)(?<![A-Za-z0-9])((?:[A-Za-z0-9]{{1,32}}[_-]){{0,4}}(?:{_NAMES}))"
            r"(\\?['\"]?\s{0,4}(?:=|:|=>)\s{0,4}b?)"
            r"(\\?\"[^\"\r\n]{1,4096}\"?|\\?'[^'\r\n]{1,4096}'?|[^\s'\",;&)\]}]{1,4096})"
        ),
        rf"\1\2{MASK}",
    ),
    (re.compile(r"([?&]key=)[^\s&'\"]{1,4096}"), rf"\1{MASK}"),
    (re.compile(r"\beyJ[A-Za-z0-9_-]{8,4096}\.[A-Za-z0-9_-]{4,4096}\.[A-Za-z0-9_-]{0,4096}"), MASK),  # JWT
    (re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"), MASK),
    (
        re.compile(
            r"\b(?:LTAI[0-9A-Za-z]{12,24}|AKID[0-9A-Za-z]{13,40}|gh[pousr]_[0-9A-Za-z]{30,80}|sk-[0-9A-Za-z_-]{20,200})\b"
        ),
        MASK,
    ),
)
_PRIVATE_KEY = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----(?:(?!-----END )[\s\S]){0,16384}(?:-----END [A-Z0-9 ]{0,40}-----)?"
)


def redact(text: str) -> str:
    """``text`` with its secrets replaced by ``***``."""
    if "PRIVATE KEY" in text:
        text = _PRIVATE_KEY.sub(MASK, text)
    return "".join(_redact_piece(piece) for piece in _pieces(text))


def redactor(secrets: Iterable[str], further: Callable[[str], str] | None) -> Callable[[str], str]:
    """A function that masks these very secrets always, and then whatever ``further`` finds."""
    known = sorted((secret for secret in secrets if len(secret) >= 4), key=len, reverse=True)

    def mask(text: str) -> str:
        for secret in known:
            text = text.replace(secret, MASK)
        return _further(text, further) if further else text

    return mask


def _further(text: str, further: Callable[[str], str]) -> str:
    """A user's function may fail; then nothing of the text is shown."""
    try:
        masked = further(text)
    except Exception as error:
        return f"(hidden: redact raised {type(error).__name__})"
    return masked if type(masked) is str else f"(hidden: redact returned a {type(masked).__name__})"


def _redact_piece(text: str) -> str:
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text


def _pieces(text: str) -> Iterable[str]:
    """Pieces of at most 8 KiB, cut behind a line end or white space where there is one."""
    start = 0
    while len(text) - start > _PIECE:
        end = start + _PIECE
        cut = max(text.rfind("\n", start, end), text.rfind(" ", start, end)) + 1
        end = cut if cut > start else end
        yield text[start:end]
        start = end
    yield text[start:]
