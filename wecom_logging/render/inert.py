"""Text of the program, made unable to act as layout, link, colour or mention.

WeCom documents no way to escape, so what has a meaning is replaced by a look-alike that has none.
"""

from __future__ import annotations

import re

# C0 and C1 controls but newline and tab, bidi controls, invisible separators, the byte order mark, lone surrogates.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
_LINE_ENDS = re.compile("\r\n|[\n\r\v\f\x85\u2028\u2029]")
_MARKS = re.compile(
    "([\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{4})[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+"
)
_MARKDOWN_START = re.compile(r"^(\s*)([#>])")


def lines(text: str) -> list[str]:
    """The lines of a text, with everything that cannot be seen shown as an escape."""
    text = _MARKS.sub(r"\1", _INVISIBLE.sub(_escape, _LINE_ENDS.sub("\n", text)))
    return text.replace("\t", "    ").split("\n")


def line(text: str) -> str:
    """A text as one line."""
    return " ⏎ ".join(lines(text))


def in_text(text: str) -> str:
    """For msgtype text, where ``<a href=…>`` is a link and ``<@…>`` a mention."""
    return text.replace("<", "＜")


def in_markdown(text: str) -> str:
    """For WeCom's first markdown: no tag, mention, bold, code, link, heading or quote can begin here."""
    text = text.replace("<", "＜").replace("`", "ˋ").replace("*", "∗").replace("](", "] (")
    return _MARKDOWN_START.sub(lambda match: match[1] + ("＃" if match[2] == "#" else "＞"), text)


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"
