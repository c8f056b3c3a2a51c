"""What each errcode of WeCom means, which exception it is, whether trying again helps, and what to do about it.

The words are in `errcodes.toml`. Decide on errcode only:
https://developer.work.weixin.qq.com/document/path/90313 (D:90313) warns that errmsg changes.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from .._tables import table
from ..errors import (
    APIError,
    CredentialError,
    InvalidMessageError,
    InvalidRecipientError,
    PermissionDeniedError,
    RateLimitedError,
    ServerBusyError,
    TokenError,
)

MAX_ERRMSG_CHARS = 200


class Verdict(enum.Enum):
    """What to do about an errcode."""

    REFRESH = "refresh"
    """The token is used up: get a new one once and send again once."""
    BACKOFF = "backoff"
    """WeCom is busy: try again after a short, growing wait."""
    RATE_LIMIT = "rate_limit"
    """Too many calls: leave WeCom alone for ``retry_after_s``, then try again."""
    CONFIGURATION = "configuration"
    """A person must mend the configuration, here or in the admin console; keep the alert until then."""
    PAYLOAD = "payload"
    """This request will never be accepted as it is."""
    TARGET = "target"
    """The recipient does not exist, or the app cannot see it."""
    UNKNOWN = "unknown"
    """Not in the table: no blind retry (D:90313: only system failures deserve one)."""


_RETRYABLE = frozenset({Verdict.REFRESH, Verdict.BACKOFF, Verdict.RATE_LIMIT})


@dataclass(frozen=True, slots=True)
class ErrCode:
    """One row of the table.

    ``meaning`` and ``meaning_zh`` are short clauses without a full stop; ``remedy`` and ``remedy_zh`` are whole
    sentences for the person who has to act. ``retry_after_s`` is 0 where a quick second try makes sense, or none does.
    """

    code: int
    verdict: Verdict
    exception: type[APIError]
    meaning: str
    meaning_zh: str
    remedy: str
    remedy_zh: str
    retry_after_s: float = 0.0


KINDS: tuple[tuple[Verdict, type[APIError], tuple[int, ...]], ...] = (
    (Verdict.REFRESH, TokenError, (40014, 42001)),
    (Verdict.BACKOFF, ServerBusyError, (-1, 6000, 45035, 302008, 301070, 846609)),
    (Verdict.BACKOFF, RateLimitedError, (45033,)),
    (Verdict.RATE_LIMIT, RateLimitedError, (45009, 45036, 846607)),
    (
        Verdict.CONFIGURATION,
        CredentialError,
        (40001, 40013, 41002, 41004, 42007, 42009, 45031, 50003, 50006, 93000, 93004, 93006, 93019, 301007, 853000),
    ),
    (
        Verdict.CONFIGURATION,
        PermissionDeniedError,
        (
            *(40056, 41011, 43004, 43009, 43012, 45024, 45026, 48001, 48002, 48004, 48005, 48006, 48008, 48009, 48010),
            *(50001, 50002, 60011, 60020, 60021, 60030, 60031, 81011, 86008, 90001, 90206, 90208),
            *(92000, 92001, 92002, 92003, 93001, 93008, 301002, 301005, 301049, 301050, 301051),
        ),
    ),
    (Verdict.TARGET, InvalidRecipientError, (40003, 40070, 46004, 49008, 60111, 60146, 60147, 60148, 81013, 301021)),
)
"""What to do about errcodes, and which exception they are; all others that have words are a `Verdict.PAYLOAD`.

It is code, not data: what becomes of an alert must not depend on a file that is read when something is wrong already.
"""
_JUDGED = {code: (verdict, exception) for verdict, exception, codes in KINDS for code in codes}
_PAUSE_S = 60.0

# api_error() puts the address into these words, because the admin has to type it into the console.
_THE_IP = "the IP that WeCom saw"
_THE_IP_ZH = "企业微信看到的 IP "


def lookup(errcode: int) -> ErrCode:
    """The row of ``errcode``, or one with ``Verdict.UNKNOWN``. Raises ``ValueError`` for 0, which is no error."""
    if errcode == 0:
        raise ValueError("errcode 0 is success, not an error")
    try:
        said = _said().get(errcode)
    except OSError:  # a program that was frozen without data files, or one that has no file descriptor left
        said = None
    unlisted = (Verdict.PAYLOAD, InvalidMessageError) if said else (Verdict.UNKNOWN, APIError)
    verdict, exception = _JUDGED.get(errcode, unlisted)
    page = f"https://open.work.weixin.qq.com/devtool/query?e={errcode}"
    meaning, remedy = said or (
        ("unknown errcode", "未知的错误码"),
        (f"Look it up at {page}.", f"请在 {page} 查询该错误码。"),
    )
    return ErrCode(errcode, verdict, exception, *meaning, *remedy, _PAUSE_S if verdict is Verdict.RATE_LIMIT else 0.0)


Texts = tuple[str, str]
"""In English and in Chinese."""


def errcodes() -> list[ErrCode]:
    """All of the table, for pages and tests."""
    return [lookup(code) for code in _said()]


@cache
def _said() -> dict[int, tuple[Texts, Texts]]:
    """Of each errcode its meaning and its remedy."""
    return dict(_rows())


def _rows() -> Iterator[tuple[int, tuple[Texts, Texts]]]:
    for group in table(__package__, "errcodes")["group"]:
        remedy = group.pop("remedy")
        for codes, meaning in group.items():
            numbers = [int(one) for one in re.findall(r"^-?\d+|\d+$", codes)]  # one, or the first and the last
            for code in range(numbers[0], numbers[-1] + 1):
                yield code, (meaning, remedy)


def api_error(errcode: int, errmsg: str, path: str) -> APIError:
    """The exception for an answer with this ``errcode`` (not 0) from the call ``path``.

    WeCom writes errmsg as ``text, hint: [id], from ip: 1.2.3.4, more info at …`` (D:90930). The exception's ``errmsg``
    is the text alone: one line of at most 200 characters with anything like a secret masked.
    """
    row = lookup(errcode)
    tail = _TAIL.search(errmsg)
    text = _one_line(errmsg[: tail.start()] if tail else errmsg)
    hint = _HINT.search(errmsg)
    meaning, remedy, remedy_zh = row.meaning, row.remedy, row.remedy_zh
    if text and row.verdict in (Verdict.PAYLOAD, Verdict.UNKNOWN):
        meaning = f"{meaning} ({text})"  # here only WeCom's own words name the field
    seen = _FROM_IP.search(errmsg)
    ip = seen[1] if seen else ""
    if errcode == 60020 and ip:
        remedy = remedy.replace(_THE_IP, f"the IP {ip} that WeCom saw")
        remedy_zh = remedy_zh.replace(_THE_IP_ZH, f"{_THE_IP_ZH.strip()}（{ip}）")
    return row.exception(
        errcode,
        text,
        path=path,
        hint=hint[1] if hint else "",
        ip=ip,
        meaning=meaning,
        remedy=remedy,
        remedy_zh=remedy_zh,
        retryable=row.verdict in _RETRYABLE,
        retry_after_s=row.retry_after_s,
    )


_TAIL = re.compile(r"(?:, ?| )?(?:hint: ?\[|from ip: ?|more info at )")
_HINT = re.compile(r"hint: ?\[([0-9A-Za-z_.-]{1,100})\]")
_FROM_IP = re.compile(r"from ip: ?([0-9A-Fa-f.:]{1,44}[0-9A-Fa-f])(?![0-9A-Za-z])")

# A token, secret or media_id is a long run without a break; a bot's key is a UUID.
_SECRET = re.compile(
    r"(?<=access_token=)[^\s&,]+|(?<=secret=)[^\s&,]+|(?<=key=)[^\s&,]+"
    r"|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9A-Za-z_+/=-]{40,}"
)


def _one_line(text: str) -> str:
    """``text`` for a log line: secrets masked before anything is cut, what does not print shown as an escape."""
    masked = _SECRET.sub("***", text).strip()[: MAX_ERRMSG_CHARS + 1]
    line = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in masked)
    return line if len(line) <= MAX_ERRMSG_CHARS else line[: MAX_ERRMSG_CHARS - 1] + "…"
