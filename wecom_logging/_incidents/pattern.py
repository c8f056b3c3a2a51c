"""Replaces values in a text (numbers, ids, URLs, times, paths) by marks, so that texts of the same failure are equal.

Values are numbers, ids, addresses, URLs, times, sizes and paths; of a URL and of a name with a number the name stays.
Codes are kept: the status of an answer, an errno, a SQLSTATE, a vendor's error code. So are the words of a route and
names, quoted or not: how many different ones come decides (`_capture.collapse`).
"""

from __future__ import annotations

import re
from functools import lru_cache

from .._text.cut import CAP_BYTES
from .._text.inert import uncoloured
from .codes import BEFORE_CODE, is_code

_ENDS = 256
_VALUE = "#"
_UNIT = (
    r"(?:[num\u00b5\u03bc]?s|secs?|seconds?|mins?|minutes?|hours?|hrs?|h|days?|d|weeks?|milliseconds?|microseconds?"
    r"|bytes?|[KMGTP]i?B?(?:/s)?|[kmg]bps|[kMGT]?b(?:it)?/s|[kMGT]?Hz|B|bits?|%|times?"
    r"|[num\u00b5\u03bckM]?(?:V|A|Wh?)|[num\u00b5\u03bcck]?m|[m\u00b5\u03bck]?g"
    r"|\u6beb\u79d2|\u79d2|\u5206\u949f|\u5c0f\u65f6|\u5929|\u5b57\u8282)"
)
_TIME_HAN = (
    r"\d{1,6}(?:\.\d{1,9})?+[ ]?(?:\u5e74|\u4e2a?\u6708|\u5929|\u65e5|\u5c0f\u65f6|\u65f6|\u5206\u949f"
    r"|\u5206|\u79d2\u949f?|\u6beb\u79d2)"
)
_NUMBER_HAN = r"[\u4e00\u4e8c\u4e24\u4e09\u56db\u4e94\u516d\u4e03\u516b\u4e5d\u5341\u767e\u5343\u96f6\u3007]"
_DAY = r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]{0,6}"
_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{0,6}"
_CLOCK = r"\d\d?:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?:\s?[AP]M\b)?"
_ZONE = r"(?:Z|\s?(?:UTC|GMT|[A-Z]{1,3}ST)|\s?[-+]\d\d:?\d\d)?"
_DATE = rf"{_MONTH}(?:[ ]{{1,2}}|-)\d{{1,4}}(?:,?[ -]\d{{4}})?(?:[ ,T]{{1,2}}{_CLOCK}{_ZONE}(?:\s\d{{4}})?)?"
_WHOLE_NAME = (
    r"(?:(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day"
    r"|January|February|March|April|May|June|July|August|September|October|November|December)(?!\w)"
)
_UUID = r"[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}"
_HEX = (
    rf"{_UUID}(?![A-Za-z0-9])|[0-9A-Fa-f]{{2}}(?:[:-][0-9A-Fa-f]{{2}}){{5,7}}(?![\w:])"  # a MAC
    r"|(?=[0-9A-Fa-f:]{0,39}\d)(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{1,4}(?![\w:]|\.\d)"  # IPv6
    r"(?:%\w{1,16})?(?:/\d{1,3})?|(?:[0-9A-Fa-f]{1,4}:){1,7}:/\d{1,3}"
)
_ID = r"(?:request|req|trace|span|session|correlation|message|msg|transaction|audit|event)"
"""What has another id each time."""
_DUMP = r"(?:[0-9A-Fa-f]{2}[ ]){3,256}[0-9A-Fa-f]{2}(?!\w)"
_HAN = r"\u3400-\u4dbf\u4e00-\u9fff"
_SIGNS = r"\u3000-\u303f\uff00-\uff20"
_NOT_IN_PATH = rf"\s\"'<>|()\[\]{{}},;:{_SIGNS}"
_IN_PATH = rf"(?![{_HAN}](?![^{_NOT_IN_PATH}/.]{{0,64}}[/.][^{_NOT_IN_PATH}]))"
"""A path may have Han characters, and a sentence may go on behind it without a space."""
_MAIL = r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}"
_BLANK = r"[ ](?=[\w.-]{1,64}(?:[ ][\w.-]{1,64}){0,3}(?:\\|\.[A-Za-z]\w{1,4}(?!\w)))"
"""Within a path of Windows: a file's name follows."""

_RELATIVE = r"(?:[\w-]{1,64}/){1,16}[\w-]{1,64}\.[A-Za-z]\w{0,9}(?![\w/])"
_BASE64 = r"(?=[a-z+/_-]{0,64}[A-Z0-9])[A-Za-z0-9+/_-]{8,512}={1,2}(?=[\s,;)\]]|\Z)"

_VALUES = rf"""(?xa)
    (?<![A-Za-z0-9_-])(?=[A-Za-z])(?:
        (?=[A-Z])(?:(?:{_DAY},?\s{{1,2}})?(?:\d\d?[ -])?{_DATE}|{_WHOLE_NAME})
      | (?=[A-Fa-f])(?:{_DUMP})
      | (?=\S{{0,64}}[\d:/@=\\])(?:
            [A-Za-z][A-Za-z0-9+.-]{{1,15}}://[^\s"'<>()\[\]{{}},;{_HAN}{_SIGNS}]{{0,512}}(?P<url>)
          | {_MAIL}
          | {_HEX}
          | [A-Za-z]:\\(?:{_IN_PATH}[^{_NOT_IN_PATH}?*]|{_BLANK}){{1,512}}
          | b'(?=[^'\n]{{0,64}}\\x)[^'\n]{{0,512}}'
          | {_RELATIVE}
          | {_BASE64}
          | \w{{0,32}}(?i:value|input|data|payload|params?|parameters?|args?|body)["']?\s?[=:]\s?
            (?:'[^'\n]{{0,256}}'|"[^"\n]{{0,256}}")(?P<named>)
          | (?=[rtscmaeRTSCMAE])(?i:{_ID})[-_ ]?[iI][dD]["']?[ ]?[=:][ ]?["']?[\w.+/-]{{1,128}}["']?(?P<named_>)
      | [A-Za-z_-]{{1,64}}\d[\w-]*(?P<word>)
        )
    )
  | (?<![A-Za-z0-9_])(?=\d)(?:
        {_HEX}
      | {_DUMP}
      | \d{{4}}[-/]\d\d?[-/]\d\d?(?:[ T]{_CLOCK}{_ZONE})?(?![A-Za-z0-9])
      | \d\d?[ -]{_DATE}
      | \d\d?/(?:\d\d?|{_MONTH})/\d{{4}}(?:[ :]{_CLOCK}{_ZONE})?
      | \d{{1,3}}(?:\.\d{{1,3}}){{3}}(?:[:/]\d{{1,5}})?(?![\w.]*\d)
      | (?<!:){_CLOCK}(?![\w:])
      | {_MAIL}
      | {_TIME_HAN}(?:[ ]?{_TIME_HAN}){{1,5}}
      | \d[\d,]*+(?:\.\d+)*+(?:[eE][-+]?\d{{1,3}}|\.(?=[ ]))?[ ]?{_UNIT}(?![A-Za-z0-9_-])
      | \d[\d,]*+(?:\.\d+)?+[ ]?[\u5343\u767e\u4e07\u4ebf]{{1,3}}
      | 0[xX][0-9A-Fa-f]+(?P<number>)
      | {_RELATIVE}
      | {_BASE64}
      | \d+(?:[.,]\d+)*+(?:[eE][-+]?\d{{1,3}})?+(?![\w-])(?P<number_>)
      | \d+(?:\.\d+){{1,4}}[-.]?(?:a|b|rc|alpha|beta|dev|post)[.-]?\d{{1,4}}(?![\w-])
      | (?:\d{{1,6}}(?:\.\d{{1,9}})?+(?:[hmsd]|[num\u00b5\u03bc]s)){{2,5}}(?![A-Za-z0-9_-])
      | \d[\w-]*(?P<word_>)
    )
  | (?=[-+:/~.\\$\u20ac\u00a3\u00a5\uffe5])(?:
        (?:(?<=[\s=:,(\[{{<|/\uff1a])|\A)[-+]\d+(?:[.,]\d+)*+(?:[ ]?{_UNIT})?(?![A-Za-z0-9_])(?P<number__>)
      | [$\u20ac\u00a3\u00a5\uffe5][ ]?-?\d[\d,]*+(?:\.\d+)?
      | (?<![\w.)\]])\.\d+(?![\w.])
      | (?<![\w\\])\\{{2,4}}[\w.-]{{1,64}}\\(?:{_IN_PATH}[^{_NOT_IN_PATH}?*]|{_BLANK}){{1,512}}(?P<share>)
      | (?<![\w:])(?=::)(?:{_HEX})
      | (?<=["'])~?/[^"'\n/]{{1,128}}/[^"'\n]{{0,512}}(?=["'])
      | (?<![\w./)\]>])(?:~|\.{{1,2}})?/(?:{_IN_PATH}[^{_NOT_IN_PATH}/])++
        /(?:{_IN_PATH}[^{_NOT_IN_PATH}])*+(?P<path>)
    )
  | \d+
    """
_CHANGING = re.compile(_VALUES.replace(_IN_PATH, "").replace(_HAN, "").replace(_SIGNS, ""))
"""Of a text in which nothing Chinese can be near a URL or a path: it is compiled in half the time."""


@lru_cache(1)
def changing_near_han() -> re.Pattern[str]:
    """Of all others. To compile it takes 10 ms: where they are likely to come, that is done before."""
    return re.compile(_VALUES)


_CHANGING_HAN = re.compile(
    rf"""
    (?<=\u7b2c){_NUMBER_HAN}{{1,6}}(?=[\u6b21\u4e2a\u6761\u9875\u884c\u6279\u8f6e\u5929\u5468\u5f20\u7b14])
  | \u767e\u5206\u4e4b(?:{_NUMBER_HAN}|\u70b9){{1,8}}
  | (?:\u661f\u671f|\u793c\u62dc|\u5468)[\u4e00\u4e8c\u4e09\u56db\u4e94\u516d\u65e5\u5929](?!\u6b21)
  | (?:[\u4e0a\u4e0b\u4e2d]\u5348|\u51cc\u6668|[\u65e9\u665a]\u4e0a)[ ]?\d\d?(?:[\u70b9\u65f6:](?:\d\d?\u5206?)?)?
    """,
    re.VERBOSE | re.ASCII,
)
"""Ordinal numbers, percentages, days of the week and times of day, in words."""

_DATABASE = re.compile(r"(?:postgres\w*|mysql|mariadb|mongodb|mssql|oracle|clickhouse|amqps?)(?:\+\w+)?", re.IGNORECASE)
_FIRST = re.compile(r"[^/?#]+/([^/?#]+)")
_ASKED = re.compile(
    r"(?:(?<!\w)(?:GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS|get|post|put|patch|delete|rpc|route|endpoint|uri|request)"
    r"|\u63a5\u53e3|\u8def\u7531|\u8bf7\u6c42)[\"'\]:,=\uff1a]{0,2} ?(?:\w{1,16}=)?[\"']?\Z"
)
_ROUTE = re.compile(r"/(?:api|rest|rpc|v\d{1,2})/")
_ASKED_BY = re.compile(r"[\"']? \[(?:GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS)\]")

_SIGN = re.compile("[=:]")
_INTERESTING = re.compile(r"[\d/@\\=]|:[0-9A-Fa-f]{2}:|[iI][dD][\"']?:|day\b|uary\b|ber\b|March|April|June|July|August")
_RUN = re.compile(rf"{_VALUE}(?:(?:[,;|][ ]?|\.\.|-){_VALUE}|[ ]\({_VALUE}\))+")
_RUN_OF_RUNS = re.compile(rf"([(\[{{]{_VALUE}[)\]}}])(?:, ?[(\[{{]{_VALUE}[)\]}}])+")
_PLURAL = re.compile(
    rf"(?<={_VALUE} )([a-z][a-z-]{{1,24}}?)(?:(ies)|(?<=sh|ch|ss|.x)es|(?<=[a-rt-z])s)\b( (?:are|were|have|do)\b)?"
)
_SINGULAR = {" are": " is", " were": " was", " have": " has", " do": " does"}
_SQL = re.compile(
    r"\b(?:select\b.{1,200}?\bfrom|insert\s+into|update\b.{1,200}?\bset|delete\s+from)\s", re.IGNORECASE | re.DOTALL
)
_KIND = (
    r"(?:string|str|value|input|literal|number|integer|int|float|decimal|double|bool(?:ean)?|numeric|date(?:time)?"
    r"|time(?:stamp)?|json|ur[il]|uuid|e-?mail)"
)
_INPUT = re.compile(
    rf"""(?<![\w.])(?<!known[ ])(?<!expected[ ])(?<!supported[ ])
    (?:{_KIND}(?:\(\))?(?:[ ]with[ ]base[ ]\d+)?(?:[ ]data)?|duplicate[ ]entry
    |(?:un)?pars(?:e|ed|ing)|convert(?:ed|ing)?|decod(?:e|ed|ing))[:=]?[ ]?('[^'\n]{{0,256}}'|"[^"\n]{{0,256}}")
    |(?:\A|(?<=:[ ]))('[^'\n]{{0,256}}'|"[^"\n]{{0,256}}")
    (?=[ ](?:is[ ]not[ ](?:of[ ]type|a[ ]valid)|does[ ]not[ ]match)[ ])
    |(?:\u89e3[\u6790\u7801]|\u8f6c\u6362|\u65e5\u671f|\u65f6\u95f4|\u6570\u5b57|\u6574\u6570|\u91d1\u989d|\u90ae\u7bb1
    |\u624b\u673a\u53f7)[:\uff1a]?[ ]?
    ('[^'\n]{{0,256}}'|"[^"\n]{{0,256}}"|\u201c[^\u201d\n]{{0,256}}\u201d|\u300c[^\u300d\n]{{0,256}}\u300d)""",
    re.IGNORECASE | re.VERBOSE,
)
"""Between quotation marks, what a word names as data that came in, or a verb as what could not be read.

A value that was unknown, unexpected or unsupported may be the very thing: a state, a service.
"""
_CONSTANT = re.compile(r"[A-Z][A-Z_]{2,}")
_KEYS = re.compile(r"(?<=\)=\()[^()\n]{1,256}(?=\))|(?<=dup key: )\{[^}\n]{0,256}\}")
"""The values that a constraint refuses, as PostgreSQL and MongoDB say them."""
_EXCERPT = re.compile(r"\n[^\n]{1,512}\n[ \t]{0,512}\^[\^~]*(?=\s|\Z)")
"""A line of an input, above the sign that points into it."""
_LITERAL = re.compile(r"((?:[=<>(,]|\blike|\bin)\s{0,2})'(?:[^'\n]|''){0,256}'", re.IGNORECASE)
_LINES = re.compile(r"(\n[^\n]{1,256})\1+(?=\n|\Z)")
_ENDS_OF_WORDS = ",;|"
_DIGITS = re.compile(r"\d+")
_LETTERS = re.compile(r"[A-Za-z]+")
_WORDS_FIRST = re.compile(r"(?:(?:[a-z]{2,}|[A-Z]{2,}|[A-Z][a-z]+)[-_])+")
_IN_ITS_NUMBER = re.compile(
    r"(?-i:P\d)|p(?:[5-9][05]|9\d{1,2})|(?:u?int|b?float|utf-?|sha-?|md|ipv|http|tls|sev-?)\d{1,3}", re.IGNORECASE
)
"""Names that mean another thing with another number: kinds of data, encodings, protocols, percentiles, priorities."""
_NUMBERED = re.compile(r"\d+[_-](?:[a-z]{3,}[_-]?)+")
_LONG_RUN = re.compile(r"[a-z]{6}|[A-Z]{6}")
_MIXED = re.compile(r"(?=[A-Z]{0,64}[a-z])(?=[^A-Z]{0,64}[A-Z])[A-Za-z0-9]{12,}")
_SUFFIX = re.compile(r"[bcdfghjklmnpqrstvwxz2456789]{5,10}")
"""What Kubernetes adds to a name: `rand.SafeEncodeString` of apimachinery has neither vowels nor 0, 1, 3."""
_WHOLE_UUID = re.compile(_UUID)
_FRAME = re.compile(r'^ +File "[^"\n]*", line \d+, in ([^\n]{1,64})', re.MULTILINE)
_MAX_FRAMES = 32


def pattern(text: str) -> str:
    """A text with ``#`` in place of each value: as much of it as is compared."""
    return _pattern(_ends(uncoloured(text)))


def _ends(text: str) -> str:
    """What is compared of a text: the first and the last 256 characters, and between them the way of a traceback."""
    if len(text) <= 2 * _ENDS:
        return text
    way = _FRAME.findall(text[-CAP_BYTES:])[-_MAX_FRAMES:] if '\n  File "' in text else ()
    return "\n".join((text[:_ENDS], *way, text[-_ENDS:]))


@lru_cache(maxsize=2048)
def _pattern(text: str) -> str:
    if not text.isascii():
        text = _CHANGING_HAN.sub(_VALUE, text)
    if "^" in text and '\n  File "' not in text:
        text = _EXCERPT.sub(f"\n{_VALUE}", text)
    if "'" in text or '"' in text or not text.isascii():
        text = _without_inputs(text)
    if ")=(" in text or "dup key" in text:
        text = _KEYS.sub(_VALUE, text)
    if "'" in text and (sql := _SQL.search(text)) is not None:
        text = text[: sql.end()] + _LITERAL.sub(rf"\1{_VALUE}", text[sql.end() :])
    elif _INTERESTING.search(text) is None:
        return text
    is_simple = text.isascii() or ("/" not in text and "\\" not in text)
    found = (_CHANGING if is_simple else changing_near_han()).sub(_without, text)
    return _once(found) if _VALUE in found else found


def _without_inputs(text: str) -> str:
    """What could not be read is a value, wherever the text quotes it."""
    found = dict.fromkeys(one[1] or one[2] or one[3] for one in _INPUT.finditer(text))
    for quoted in found:
        word = quoted[1:-1]
        if "://" in word or _CONSTANT.fullmatch(word):
            continue  # of a URL the host counts
        for other in (quoted, f"'{word}'", f'"{word}"'):
            text = text.replace(other, _VALUE)
    return text


def _without(match: re.Match[str]) -> str:
    """What stands in place of a value: the name that is a part of it, or the whole where it is a code."""
    kind = (match.lastgroup or "").rstrip("_")
    if kind == "url":
        scheme, _, rest = match[0].partition("://")
        host = re.split("[/?#:]", rest.rpartition("@")[2], maxsplit=1)[0]
        named = _DATABASE.fullmatch(scheme) and _FIRST.match(rest)  # of files and of HTTP, what follows is a value
        return f"{scheme}://{'.'.join(map(_piece, host.split('.')))}{f'/{_piece(named[1])}' if named else ''}"
    if kind == "share":
        host = match[0].lstrip("\\").partition("\\")[0]
        return f"\\\\{'.'.join(map(_piece, host.split('.')))}\\{_VALUE}"
    if kind == "path":
        start, end = match.span()
        asked = _ASKED.search(match.string, max(start - BEFORE_CODE, 0), start) or _ASKED_BY.match(match.string, end)
        if not asked and not _ROUTE.match(match[0]):
            return _VALUE
        return "/".join(map(_piece, match[0].partition("?")[0].split("/")))
    if kind == "named":
        return f"{match[0][: _SIGN.search(match[0]).end()]}{_VALUE}"  # type: ignore[union-attr] # it has one
    if kind and is_code(match):
        return match[0]
    return _word(match[0]) if kind == "word" else _VALUE


def _once(text: str) -> str:
    """However many values stand beside each other, in a list or in two forms, they are one."""
    found: list[str] = []
    for word in _RUN.sub(_VALUE, text).split(" "):
        if not found or _VALUE not in word or word.rstrip(_ENDS_OF_WORDS) != found[-1].rstrip(_ENDS_OF_WORDS):
            found.append(word)
        else:
            found[-1] = word
    text = _PLURAL.sub(_singular, _RUN_OF_RUNS.sub(r"\1", " ".join(found)))
    return _LINES.sub(r"\1", text) if "\n" in text else text


def _singular(match: re.Match[str]) -> str:
    return f"{match[1]}{'y' if match[2] else ''}{_SINGULAR.get(match[3] or '', '')}"


def _piece(piece: str) -> str:
    """Of a host or a route, what stands between its dots or slashes."""
    if "@" in piece or "%" in piece:
        return _VALUE
    return ".".join(_word(one) if _DIGITS.search(one) else one for one in piece.split("."))


def _word(word: str) -> str:
    """A word with digits in it: an id is one value; of a name with a number the name stays."""
    if word[0].isdigit():
        return _DIGITS.sub(_VALUE, word) if _NUMBERED.fullmatch(word) else _VALUE
    if _IN_ITS_NUMBER.fullmatch(word):
        return word
    word = _WHOLE_UUID.sub(_VALUE, word)
    name = first[0] if (first := _WORDS_FIRST.match(word)) is not None else ""
    rest = word[len(name) :]
    letters, numbers = _LETTERS.findall(rest), len(_DIGITS.findall(rest))
    is_id = not letters or (numbers >= 3 and max(map(len, letters)) <= 6)
    if not is_id and len(rest) >= 12 and _LONG_RUN.search(rest) is None:
        is_id = (numbers >= 3 and len(rest) >= 16) or bool(name and _MIXED.fullmatch(rest))
    if is_id or _is_hex(rest.replace("-", "")):
        return name + _VALUE
    pieces: list[str] = []
    for piece in rest.split("-"):
        is_id = _SUFFIX.fullmatch(piece) is not None and (not piece.isalpha() or (_VALUE in pieces and len(piece) == 5))
        pieces.append(_VALUE if is_id else "_".join(map(_part, piece.split("_"))))
    return (name + "-".join(pieces)).replace(f"_-{_VALUE}", f"_{_VALUE}")  # a sign


def _part(part: str) -> str:
    is_id = (part[:1].isdigit() and not part.isdigit()) or _is_hex(part) or len(_DIGITS.findall(part)) >= 2
    return _VALUE if is_id else _DIGITS.sub(_VALUE, part)


def _is_hex(word: str) -> bool:
    return len(word) >= 5 and not word.isalpha() and all(letter in "0123456789abcdefABCDEF" for letter in word)
