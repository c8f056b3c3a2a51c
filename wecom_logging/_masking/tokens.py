"""Tokens that tell by their form what they are, and private keys.

Their table ``tokens.tsv`` is read when a mask is made. Of a long key or token the rules see both ends, and what they do
with these is done with all of it (`shortened`).
"""

from __future__ import annotations

import re
from functools import cache

from .patterns import MASK, Rule, hide, lazy, replace, rows

_ALPHABETS = {
    "h": "[0-9A-Fa-f]",
    "l": "[0-9a-z]",
    "u": "[0-9A-Z]",
    "a": "[0-9A-Za-z]",
    "w": r"[0-9A-Za-z_-]",
    "e": r"[0-9A-Za-z_=-]",
    "b": r"[0-9A-Za-z_+/=-]",
}

_LEAST = 15  # signs of the shortest token in the tables
_LONG = lazy(rf"[0-9a-z_-]{{{_LEAST}}}|q~|\$\w{{1,2}}\$")  # or those with other signs
_LEAST_LONG = 28
_TOO_LONG = 4096
_BEGINNING = lazy(r"([0-9a-z]{1,3})[0-9a-z]*")  # a token begins where no other word goes on
_ALPHABET = lazy(r"(?<![a-z])([hluaweb])\{(\d+)(,\d+)?\}")


_GOES_ON = lazy(r"[0-9A-Za-z+]")
_DIGIT = lazy(r"\d")
_NO_NAME = lazy(r"[A-Z][A-Z]|\d[a-z]|[a-z][A-Z](?![a-z])")
"""What hardly stands in ``someLongName2``."""
_SHORT_WORD = lazy(r"(?<![0-9A-Za-z])(?:[a-z][a-z0-9]{0,15}|[A-Z][A-Z0-9]{1,7})$")


def _form(rest: str) -> str:
    def one(found: re.Match[str]) -> str:
        return f"{_ALPHABETS[found[1]]}{{{found[2]}{found[3] or ','}}}"

    return _ALPHABET.sub(one, rest.replace(".", r"\."))


def _is_token(found: re.Match[str]) -> bool:
    """A token begins where no other word goes on; one that names a thing, or is a row of x, is none."""
    at, text = found.start(), found[0]
    if at and _GOES_ON.match(found.string, at - 1):
        return False
    rest = text[6:]
    capitals = sum(sign.isupper() for sign in rest)
    letters = rest[-26:].isalpha() and found.string[found.end() : found.end() + 1] not in ("_", "-")
    no_word = len(rest) > 26 and (3 * capitals > len(rest) or (letters and not capitals))
    no_word |= len(rest) > 11 and len(_NO_NAME.findall(rest)) * 6 > len(rest) and not rest.isupper()
    return len(set(rest)) > 5 and (no_word or _DIGIT.search(rest) is not None)


def _is_drawn(found: re.Match[str]) -> bool:
    """Thirty letters and digits or more in no order, behind a word and a sign: of a service that is in no table."""
    at, text = found.start(), found[0]
    drawn = len(_DIGIT.findall(text)) > 1 and len(_NO_NAME.findall(text)) > 3
    mixed = not text.islower() and not text.isupper() and len({*text.lower()} - {*"0123456789abcdef"}) > 4
    before = _SHORT_WORD.search(found.string[max(at - 17, 0) : at])
    return mixed and drawn and before is not None and "sha" not in before[0]  # sha512-…, the sum of a file


def _is_numbered(found: re.Match[str]) -> bool:
    """Facebook's tokens begin with the number of the application, those of Laravel's Sanctum with a row's."""
    before, text = found.string[max(found.start() - 15, 0) : found.start()], found[0][1:]
    laravel = found[1] == "|" and before[-1:].isdigit() and 40 <= len(text) <= 48 and text.isalnum()
    return (laravel or (before.isdigit() and len(before) == 15)) and _DIGIT.search(text) is not None


# Those without a sign of their own: what has to stand in a long word of the text, in small letters, and the rule.
_LONG_WORDS = (
    # Microsoft Azure's keys of storage
    (lazy(r"[0-9a-z+/]{86}=="), Rule(r"(?<![0-9A-Za-z+/])[0-9A-Za-z+/]{86}==", (), _is_token, kept=0)),
    # Mailgun's and Zhipu's keys
    (
        lazy(r"[0-9a-f]{32}[.-][0-9a-z]{8}"),
        Rule(
            r"(?<![0-9a-f])[0-9a-f]{32}(?:-[0-9a-f]{8}-[0-9a-f]{8}(?![0-9a-f])|\.[0-9A-Za-z]{16}(?![\w.]))",
            (),
            _is_token,
            kept=0,
        ),
    ),
    # Discord's bots
    (
        lazy(r"[mno][\w-]{23,27}\.[\w-]{6}\.[\w-]{27}"),
        Rule(r"(?<![\w.-])[MNO][\w-]{23,27}\.[\w-]{6}\.[\w-]{27,45}(?![\w-])", (), _is_token, kept=0),
    ),
    # Applications of Facebook, Laravel
    (lazy(r"\d[|%][0-9a-z_-]{27}"), Rule(r"([|%])[0-9A-Za-z_-]{27,512}", (), _is_numbered)),
    # Of services whose name nobody knows: rnd_…
    (lazy(r"[_-][0-9a-z]{30}"), Rule(r"([_-])[0-9A-Za-z]{30,512}(?![0-9A-Za-z])", (), _is_drawn)),
)


@cache
def _table() -> dict[str, Rule]:
    """Prefix → rule: one search for each prefix that a text has."""
    forms: dict[str, list[str]] = {}
    for _, prefix, rest, _ in rows("tokens", "shapes"):
        forms.setdefault(prefix, []).append(_form(rest))
    longest_first = sorted(forms.items(), key=lambda row: -len(row[0]))
    found = {prefix: f"{re.escape(prefix)}(?:{'|'.join(rests)})" for prefix, rests in longest_first}
    found |= {sign: form for _, sign, form, _ in rows("tokens", "in the middle")}
    return {sign: Rule(form, (), _is_token, kept=0) for sign, form in found.items()}


@cache
def _by_beginning() -> tuple[dict[str, list[tuple[int, str, Rule]]], list[tuple[int, str, Rule]]]:
    """Rows of the table by their first three letters or digits, in small letters, and those to look for everywhere."""
    anywhere = {sign for _, sign, _, _ in rows("tokens", "in the middle")}
    found: dict[str, list[tuple[int, str, Rule]]] = {}
    others = []
    for place, (prefix, rule) in enumerate(_table().items()):
        if prefix in anywhere or (len(prefix) < 3 and prefix.isalnum()):
            others.append((place, prefix, rule))
        else:
            found.setdefault(_BEGINNING.findall(prefix.lower())[0], []).append((place, prefix, rule))
    return found, others


def load() -> None:
    """Read the table now, where a file can be had."""
    _by_beginning()


def _candidates(words: list[str]) -> list[tuple[int, str, Rule]]:
    """Rows of the table that these words may have, in its order: a search for each would cost most of masking."""
    rows, found = _by_beginning()
    beginnings = rows.keys() & _BEGINNING.findall("\n".join(words))
    return sorted([*found, *(row for begin in beginnings for row in rows[begin])], key=_place) if beginnings else found


def _place(row: tuple[int, str, Rule]) -> int:
    return row[0]


def without_tokens(text: str, small: str) -> str:
    """``text`` with the tokens of the table as ``***``. ``small`` is it in small letters."""
    words = [word for word in small.split() if len(word) >= _LEAST]
    for word in words:
        if (len(word) >= _LEAST_LONG or _DIGIT.search(word)) and _LONG.search(word):
            break
    else:
        return text  # no word is long enough: so are most lines
    for _, prefix, rule in _candidates(words):
        if prefix in text:
            text = replace(rule, text)
    if long := [word for word in words if len(word) >= _LEAST_LONG]:
        for sign, rule in _LONG_WORDS:
            for word in long:
                if len(word) > _TOO_LONG or sign.search(word):  # one search would hold the interpreter for too long
                    text = replace(rule, text)
                    break
    return text


# Private keys in PEM and PGP armour, whole, cut at their end, or cut at their beginning.
_PRIVATE_KEY = lazy(
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?:(?:[^-]++|-(?!----))*+-----END [A-Z0-9 ]{0,40}-----"
    # Its end was cut off: what looks like lines of it.
    r"|(?:(?:\r?\n|\\{1,3}[nr])[ \t]*+(?:[A-Za-z0-9+/=]{20,}+|[A-Za-z0-9+/=]*+(?=[ \t]*+(?:[\r\n]|\\{1,3}[nr]|\Z))"
    r"|(?:Proc-Type|DEK-Info):[^\r\n]*+))*+)"
)
_KEY_END = lazy(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_LINE_END = lazy(r"(\r?\n|(?:\\{1,3}r)?\\{1,3}n)")  # or as repr() shows it
_KEY_LINE = lazy(r"\s*[A-Za-z0-9+/=]+\s*")


def without_private_keys(text: str) -> str:
    """Also where only the end of a key was kept, because the text had been too long."""
    whole, ends = _PRIVATE_KEY.sub(lambda key: hide(key[0]), text), 0
    kept: list[str] = []
    for match in _KEY_END.finditer(whole):
        *lines, last = _LINE_END.split(whole[ends : match.start()])  # each line end is an item of its own
        line_end = "" if last else lines.pop() if lines else ""
        last = last or (lines.pop() if lines else "")
        while last and _KEY_LINE.fullmatch(last):
            line_end = lines.pop() if lines else ""
            last = lines.pop() if lines else ""
        kept.append("".join([*lines, last, line_end, MASK]))
        ends = match.end()
    return "".join(kept) + whole[ends:]


# Keys and tokens of any length: the rules see both ends of one, and what they do with these is done with all of it.
LONG_WORD = 512
_ENDS = 120  # both together are longer than the least length of any token
_LONG_WORD = lazy(r"(?:[0-9A-Za-z+/_-]++|%2[BbFf]|%3[Dd])++")


def shortened(text: str) -> tuple[str, dict[str, str]]:
    """``text`` with its long words without their middles, and what each of these was."""
    whole: dict[str, str] = {}
    if max(map(len, text.split()), default=0) < LONG_WORD:
        return text, whole
    shown: list[str] = []
    copied = 0
    for found in _LONG_WORD.finditer(text):
        word = found[0]
        if len(word) >= LONG_WORD:
            at = _ENDS
            while whole.setdefault(ends := word[:at] + word[-_ENDS:], word) != word:  # another with the same ends
                at += 1
            shown += text[copied : found.start()], ends
            copied = found.end()
    if not whole:
        return text, whole
    short = "".join(shown) + text[copied:]
    return (short, whole) if restored(short, whole) == text else (text, {})


def restored(text: str, whole: dict[str, str]) -> str:
    """With the middles of those that are still there."""
    for ends, word in whole.items():
        text = text.replace(ends, word)
    return text
