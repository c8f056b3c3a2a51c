"""What an error on the way to WeCom, or of WeCom, means and what to do about it, in English and Chinese."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from .._errors_in_chinese import in_chinese
from .._tables import table
from .._text.said import Language, Said
from ..errors import APIError, ConnectError, HTTPStatusError, RequestTimeout, TransportError
from .errcodes import Verdict, api_error, lookup

_OF_URL = "check url"
"""In what an AI bot's connection says, where its option may be wrong."""
_CHATS = re.compile("; (?=chat )")
_OF_WECOM = re.compile(r"errcode (?P<errcode>-?\d{1,9}) from (?P<path>\S+): (?P<text>.*)", re.S)
_IP = re.compile("the IP (\\S+) that WeCom saw")


@cache
def _table() -> Mapping[str, Mapping[str, Any]]:
    return table(__package__, "explained")


def explained(error: Exception, language: Language) -> str:
    """A whole error with its remedy. Its own text is English."""
    if language == "en":
        return str(error)
    if not isinstance(error, APIError | TransportError):
        return in_chinese(str(error))
    cause = cause_of(error).zh
    if isinstance(error, APIError):
        cause = _table()["api"]["whole"][1].format(errcode=error.errcode, path=error.path, cause=cause)
    return "。".join(filter(None, [cause, remedy_of(error).zh]))


def warned(text: str, language: Language) -> str:
    """A warning, which is English: of several chats, perhaps, each with an error of WeCom."""
    if language == "en":
        return text
    parts = [_OF_WECOM.sub(_whole, in_chinese(one)) for one in _CHATS.split(text)]
    return "；".join(parts)


def _whole(found: re.Match[str]) -> str:
    """With WeCom's own words and the IP that it saw, where the English text has them."""
    row = lookup(int(found["errcode"]))
    said, _, rest = found["text"].partition(f". {row.remedy}")
    errmsg = said[len(row.meaning) + 2 : -1] if said.startswith(f"{row.meaning} (") else ""
    seen = _IP.search(said)
    errmsg = f"{errmsg}, from ip: {seen[1]}" if seen else errmsg
    return explained(api_error(row.code, errmsg, found["path"]), "zh") + rest


def cause_of(error: APIError | TransportError) -> Said:
    """What it says, without the errcode and the remedy, which stand by themselves."""
    if isinstance(error, APIError):
        other = error.errmsg or f"errcode {error.errcode}"
        row = lookup(error.errcode)
        if row.verdict is Verdict.UNKNOWN:
            return Said(error.meaning or other, _table()["api"]["refused"][1].format(errmsg=other))
        named = f"（{error.errmsg}）" if row.verdict is Verdict.PAYLOAD and error.errmsg else ""  # it names the field
        return Said(error.meaning or other, row.meaning_zh + named)
    status = isinstance(error, HTTPStatusError)
    text = str(error).partition(": " if status else ": check ")[0]  # what follows is the remedy, in fewer words
    told = in_chinese(text)
    return Said(text, f"{_transport(error)['cause_zh']}（{told}）" if status or told == text else told)


def remedy_of(error: APIError | TransportError) -> Said:
    if isinstance(error, APIError):
        return Said(error.remedy, error.remedy_zh)
    remedies = _transport(error)["remedy"]
    return Said(*map(_of_aibot, remedies) if _OF_URL in str(error) else remedies)


def _of_aibot(remedy: str) -> str:
    """The same for the connection of an AI bot, which has an option of its own."""
    remedy = remedy.replace("api_base", "url").replace("WECOM_API_BASE", "WECOM_AIBOT_URL")
    return re.sub("(, |、)webhook", "", remedy)


def is_about_proxy(error: Exception) -> bool:
    """Whether the proxy is to blame."""
    return isinstance(error, TransportError) and _kind(error) in ("proxy", "proxy_login", "proxy_socks")


def _transport(error: TransportError) -> Mapping[str, Any]:
    row: Mapping[str, Any] = _table()["transport"][_kind(error)]
    return row


def _kind(error: TransportError) -> str:
    """The row of the table."""
    if isinstance(error, ConnectError):
        return error.reason if error.reason in _table()["transport"] else "connect"
    if isinstance(error, HTTPStatusError):
        return "redirect" if 300 <= error.status < 400 else "server" if error.retryable else "status"
    return "timeout" if isinstance(error, RequestTimeout) else "answer"
