"""Text of the program, made unable to act as layout, link, colour or mention.

WeCom documents no way to escape, so what has a meaning is replaced by a look-alike that has none.
"""

from __future__ import annotations

import re

# C0 and C1 controls but newline and tab, bidi controls, invisible separators and fillers, the byte order mark, lone
# surrogates, tags. The flags of England, Scotland and Wales are made of tags and stay.
_INVISIBLE = re.compile(
    "\U0001f3f4[\U000e0030-\U000e007a]{1,8}\U000e007f|"
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\ud800-\udfff\U000e0000-\U000e007f]"
)
_LINE_ENDS = re.compile("\r\n|[\n\r\v\f\x85\u2028\u2029]")
# Marks that are drawn over the character before them, joiners, variation selectors: a tower of them covers other lines.
_MARK = (
    "[\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u0610-\u061a\u064b-\u065f\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u1ab0-\u1aff\u1dc0-\u1dff"
    "\u200c\u200d\u20d0-\u20ff\u3099\u309a\ufe00-\ufe0f\ufe20-\ufe2f\U000e0100-\U000e01ef]"
)
_MARKS = re.compile(f"({_MARK}{{4}}){_MARK}+")
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
    if len(match[0]) > 1:
        return match[0]
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 65536 else f"\\U{code:08x}"
