"""What WeCom says when it says no: a code, a text, and the hint that its support asks for.

The codes and what they mean: https://developer.work.weixin.qq.com/document/path/90313
"""

from __future__ import annotations

import secrets
import tomllib
from functools import cache
from importlib.resources import files
from typing import Any, TypeVar

T = TypeVar("T")

OK = "ok"
HELP = "https://open.work.weixin.qq.com/devtool/query?e="
WARNING = "Warning: wrong json format. "
UNKNOWN = ("The request is refused as it is; look the code up.", "请求被拒绝，请查询错误码。")


@cache
def _codes() -> dict[str, list[str]]:
    """By code: its text, and where there is one the remedy in English and in Chinese."""
    data = tomllib.loads(files(__package__).joinpath("errcodes.toml").read_text(encoding="utf-8"))
    found: dict[str, list[str]] = {str(errcode): [""] for errcode in data["others"]}
    return {**found, **data["codes"]}


def is_errcode(errcode: int) -> bool:
    """Whether WeCom has it, as far as an app or a bot can meet it."""
    return str(errcode) in _codes()


def meaning(errcode: int) -> str:
    return _codes().get(str(errcode), [""])[0] or "refused by the sandbox"


def remedy(errcode: int) -> dict[str, str]:
    """What to do about a refusal: ``en``, ``zh`` and the ``url`` of WeCom's own help."""
    en, zh = _codes().get(str(errcode), [])[1:] or UNKNOWN
    return {"en": en, "zh": zh, "url": f"{HELP}{errcode}"}


class Refusal(Exception):
    """WeCom's no.

    ``detail`` stands before the code's own text: "markdown.content exceed max length 4096. invalid Request Parameter",
    or ``alone`` in place of it. ``extra`` travels in the answer beside the code, as ``invaliduser`` does with 81013.
    """

    def __init__(self, errcode: int, detail: str = "", *, alone: bool = False, **extra: Any) -> None:
        self.errcode = errcode
        self.detail = detail
        self.alone = alone
        self.extra = extra
        super().__init__(errcode, detail)

    @property
    def text(self) -> str:
        own = meaning(self.errcode)
        return own if not self.detail else self.detail if self.alone else f"{self.detail}. {own}"


def refuse_if(wrong: object, errcode: int, detail: str = "", *, alone: bool = False, **extra: Any) -> None:
    """WeCom's no, where something is wrong."""
    if wrong:
        raise Refusal(errcode, detail, alone=alone, **extra)


def known(found: T | None, errcode: int, detail: str = "") -> T:
    """What was asked for; WeCom's no where it is not there."""
    if found is None:
        raise Refusal(errcode, detail)
    return found


def errmsg(errcode: int, text: str, *, now: float, ip: str) -> str:
    """The text beside ``errcode``, with the hint and the caller's address, as WeCom writes them (path/90930)."""
    hint = f"{int(now):010d}{secrets.randbelow(10**15):015d}"
    return f"{text}, hint: [{hint}], from ip: {ip}, more info at {HELP}{errcode}"
