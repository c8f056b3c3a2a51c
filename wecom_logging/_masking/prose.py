"""Secrets behind a name without a sign: ``--password x``, a row of a table, a sentence."""

from __future__ import annotations

import re

from .names import Kind, is_plural, looks_chosen, looks_like_key, looks_secret, names_password
from .patterns import lazy
from .placeholder import TEMPLATE, is_word
from .values import QUOTED, REACH, Span, bare_of, to_its_end
from .words import of_word

_ARGUMENT = lazy(
    r"[^\S\r\n]{1,4}(?=\S{0,64}[0-9_!@#$%^&*+/])(?!--?\w)(?P<value>'[^'\r\n]+'|\"[^\"\r\n]+\"|[^\s'\"-]\S*)"
)
_PROSE = lazy(
    r"(?:(?:[\])`]|\*{1,2})?(?:[^\S\r\n]|(?=\.{3}|[|;]))(?:(?:is (?:generated|set) )?for (?:\w{1,12} ){0,2}"
    r"[^\s:](?:[^\s:]|:(?!\s)){0,80}(?: \([\w ]{1,40}\))?(?=:| is )(?: is)?"
    r"|(?:(?:(?:has|have) been |was |is )?(?:set|reset|changed|updated|rotated|generated|created|issued|revoked"
    r"|rejected|refused|denied|invalid|expired|mismatch|not found|received)(?: successfully)?(?: (?:to|from|as|is))?"
    r"|from|to)(?=[:\s])"
    r"|(?P<sign>is|was|provided|given|received|used|->|=>|[→⇒➜]|[-–—~|/;]|\.{2,60}))?"
    r":?[^\S\r\n]?"
    rf"|(?:无效|错误|不正确|已?过期|已?失效)[:：,，]\s?)(?P<value>{QUOTED}|[^\s'\",;，。；）】]+)"
)
_IS_THING = lazy(
    r"['\"]? (?:not found|already exists|does not exist|is forbidden|(?:was )?(?:(?:cre|upd)ated|deleted))\b"
)  # secret "shop-tls"
_NAMED = lazy(r"[A-Za-z][\w.-]{1,40}=[^=]|\w{1,40}\]\(")
_MOVED_TO = lazy(r" (?:to|->|=>|→) (?P<value>[^\s,;)]+)")
# | password | x |
_ROW_CELL = lazy(r"[^\S\r\n]{1,40}[|│┃║][^\S\r\n](?P<value>[^\s|│┃║]{4,200})[^\S\r\n]{1,200}[|│┃║]")
_IS_HEAD = lazy(r"\s{1,4}[|+├][ |+┼:─-]{3,2048}[┤\r]?\n[|│]")


def behind_blank(text: str, begin: int, end: int, kind: Kind) -> Span | None:
    """--password x, and in sentences what looks like one."""
    short = kind is Kind.SECRET and text[begin] == "-" and text[begin - 1 : begin] == " "  # keytool -storepass x
    if short or text.startswith("--", begin):
        found = _ARGUMENT.match(text, end, end + REACH)
        if found is None or kind is Kind.SELDOM or (is_plural(text[begin:end]) and found["value"].isdecimal()):
            return None
        if found["value"][0] in "'\"":
            return None if TEMPLATE.match(found["value"]) else found.span("value")
        return of_word(text, found.start("value"))
    if text[begin - 2 : begin] in ("| ", "│ ", "┃ ", "║ ") and (cell := _ROW_CELL.match(text, end, end + 2 * REACH)):
        two = (
            kind is Kind.SECRET
            and text[begin - 3 : begin - 2] in "\r\n"
            and text[cell.end() : cell.end() + 1] in "\r\n"
            and not is_word(cell["value"])
            and not _IS_HEAD.match(text, cell.end())
        )
        return cell.span("value") if two or (looks_chosen(cell["value"]) and kind is not Kind.SELDOM) else None
    found = _PROSE.match(text, end, end + REACH)
    value = bare_of(found["value"]).rstrip(".").strip("[]()") if found else ""
    if (
        found is None or _NAMED.match(value) or _IS_THING.match(text, found.end())
    ):  # POST /oauth/token grant_type=password&…
        return None
    if kind is Kind.SELDOM and not (found["sign"] and value.isalnum() and looks_like_key(value)):
        return None
    if not looks_secret(value) and not (
        kind is Kind.SECRET and names_password(text[begin:end]) and _told(found) and looks_chosen(value)
    ):
        return None
    found = to_its_end(_PROSE, found, end, end + REACH)
    moved = _MOVED_TO.match(text, found.end(), found.end() + REACH)
    return found.start("value"), moved.end() if moved and looks_secret(bare_of(moved["value"])) else found.end()


def _told(prose: re.Match[str]) -> bool:
    """password is x   password for bob: x   password "x": rather than ``password user1``."""
    between = prose[0][: prose.start("value") - prose.start()]
    return prose["sign"] is not None or ":" in between or prose["value"][0] in "'\"`"
