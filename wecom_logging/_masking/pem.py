"""Private keys in PEM and PGP armour, whole, cut at their end, or cut at their beginning."""

from __future__ import annotations

from .patterns import MASK, hide, lazy

_KEY = lazy(
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
    r"(?:(?:[^-]++|-(?!----))*+-----END [A-Z0-9 ]{0,40}-----"
    # Its end was cut off: what looks like lines of it.
    r"|(?:(?:\r?\n|\\{1,3}[nr])[ \t]*+(?:[A-Za-z0-9+/=]{20,}+|[A-Za-z0-9+/=]*+(?=[ \t]*+(?:[\r\n]|\\{1,3}[nr]|\Z))"
    r"|(?:Proc-Type|DEK-Info):[^\r\n]*+))*+)"
)
_END = lazy(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_LINE_END = lazy(r"(\r?\n|(?:\\{1,3}r)?\\{1,3}n)")  # or as repr() shows it
_LINE = lazy(r"\s*[A-Za-z0-9+/=]+\s*")


def without_private_keys(text: str) -> str:
    """Also where only the end of a key was kept, because the text had been too long."""
    whole, ends = _KEY.sub(lambda key: hide(key[0]), text), 0
    kept: list[str] = []
    for match in _END.finditer(whole):
        *lines, last = _LINE_END.split(whole[ends : match.start()])  # each line end is an item of its own
        line_end = "" if last else lines.pop() if lines else ""
        last = last or (lines.pop() if lines else "")
        while last and _LINE.fullmatch(last):
            line_end = lines.pop() if lines else ""
            last = lines.pop() if lines else ""
        kept.append("".join([*lines, last, line_end, MASK]))
        ends = match.end()
    return "".join(kept) + whole[ends:]
