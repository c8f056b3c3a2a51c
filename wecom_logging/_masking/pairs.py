"""Names with their values: ``password=x``, in each of the forms in which programs write such a pair down.

The scan goes from name to name; `names` says whether one names a secret, the signs behind it say in which form its
value stands, and the value ends where that form ends. All is linear: a form is looked at from one place on, and what it
takes in is masked, or not longer than a fixed number of signs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from .names import (
    Kind,
    ends_with,
    is_plural,
    kind_of,
    looks_chosen,
    looks_like_key,
    looks_secret,
    may_have_one,
    names_password,
)
from .patterns import BLANKS, MASK, lazy, masked_at
from .placeholder import LOOKS_UP, PATH, REMARK, TEMPLATE, is_code, is_placeholder

_NAME = lazy(r"[0-9a-z_-]{2,}+")
_LONGEST_NAME = 80
_REACH = 256
_GLANCE = 64
"""How far is looked for a value that may turn out to be none, and at one without quotes."""

_ALIGNED = r"[^\S\r\n]{0,48}+"
_QUOTE = r"\\{0,7}['\"`]"
_AFTER = lazy(
    rf"(?P<close>{_QUOTE}|%2[27]|\*\*(?!\*)|&(?:quot|#34|#39|#x27);|\(\)(?=\s[=!]=))?(?P<sub>(?::(?:protected|(?:\"[\w\\]{{1,80}}\":)?private))?\s?[\])]|%5[Dd])?{_ALIGNED}"
    r"(?:(?P<compare>[=!]={1,2}(?![=>])|<>(?=\s?N?['\"])|I?LIKE(?=\s?N?')|IN\s?\((?='))"
    # password: str = 'x'   var token string = "x"
    rf"|(?P<assign>:?{BLANKS}(?:\w{{1,20}}\[)?(?:str|bytes|[Ss]tring)\]?(?: \| None)?{BLANKS}:?=(?!=)"
    rf"|:{BLANKS}[A-Z][\w.]{{0,40}}(?:\[[^\r\n]{{0,120}}?\])?(?:\s?\|\s?None)?\s=\s(?=[bruf]{{0,2}}['\"]|\*{{3}})"
    r"|=>|:{1,3}=|(?:[?.+]|\|\||\?\?)=|[=＝]|%3[Dd])"
    r"|的?(?:值|内容)?[是为][:：]?(?=[「『【“‘]?[!-~]{0,64}\d)|(?:值|内容)[:：]|(?=[「『【“][!-~]{4,64}[」』】”])|,\s(?:value|input):"
    r"|(?P<colon>::(?=\s\S)|[:：](?!:)|%3[Aa])|(?P<comma>,(?:\s?(?:default|fallback)=)?)|(?P<call>\())"
    rf"{_ALIGNED}(?:(?P<font><font\s[^<>\r\n]{{1,40}}>)|\r?\n[^\S\r\n]{{0,40}}(?=(?:[bruf]{{0,2}}|string\(\d{{1,9}}\)\s)['\"]))?"
)
_SIGNS = ("close", "sub", "compare", "assign", "colon", "comma", "call", "font")
_QUOTED = (
    r"(?:\"{3}(?:(?!\"{3})[\s\S]){1,4096}+(?:\"{3})?|'{3}(?:(?!'{3})[\s\S]){1,4096}+(?:'{3})?"
    r"|(?P<escape>\\{1,15}+)(?P<mark>['\"])"
    r"(?:(?!(?P=mark))[^\\\r\n]|(?!(?P=escape)(?P=mark))\\{1,15}+['\"]?)++(?:(?P=escape)?(?P=mark))?|`[^`\r\n]+`?"
    # A quote before a letter ends nothing: its backslash was doubled by repr(), or somebody forgot one.
    r"|\"(?!\")[^\"\\\r\n]*+(?:(?:\\.|\"(?=\w))[^\"\\\r\n]*+)*+\"?"
    r"|'(?!')[^'\\\r\n]*+(?:(?:\\.|''?(?=\w))[^'\\\r\n]*+)*+'?)"
)
# ['x', 'y']   {'value': 'x', 'other': ('y',)}   also over several lines
_ITEM = r"\"[^\"\r\n]*+\"|'[^'\r\n]*+'|,\s{1,64}|\r?\n\s{0,64}(?=['\"])|[^\[\](){}'\"\r\n]"
_GAP = r"(?:\s|\\{1,3}[nrt]){0,64}+"  # also as repr() shows it
_INSIDE = _ITEM
for _ in range(4):
    _INSIDE = rf"{_ITEM}|[\[({{]{_GAP}(?:{_INSIDE})*+\s{{0,64}}[\])}}]"
_BRACKETS = rf"[\[({{]{_GAP}(?=\\{{0,7}}b?\\{{0,7}}['\"]|[\[({{])(?:{_INSIDE})*+(?:\s{{0,64}}[\])}}]|['\"][^\r\n]*)?"
_ENTITY = r"&(?:quot|#34|#39|#x27);"
_ESCAPED = rf"{_ENTITY}(?:[^&\r\n]++|&(?!{_ENTITY[1:]}))+(?:{_ENTITY})?"  # in HTML
_TEXT = lazy(
    rf"(?:[bruf]{{1,2}}|[@$NE]|string\(\d{{1,9}}\)\s|(?P<call>[\w.]{{1,64}}\(\s{{0,40}}(?:\w{{1,32}}=)?)b?)?{_QUOTED}|{_ESCAPED}"
)  # 'x', b'x', Name('x')
_CONTAINER = lazy(_BRACKETS)
_MORE_TEXTS = lazy(r"(?:,\s?(?:\"[^\"\r\n]*\"|'[^'\r\n]*'))+")
_MORE_VALUES = lazy(r"'[^'\r\n]*'(?:,\s?'[^'\r\n]*')+")  # token IN ('x', 'y')
_LITERAL = r"(?:\"[^\"\r\n]*+\"|'[^'\r\n]*+')"
_CHANGED = lazy(rf"(?:(?:\s(?:->|\+)\s|\r?\n[^\S\r\n]{{1,80}}+){_LITERAL})+")  # "x" -> "y"   "x" + "y"
_DEFAULTS = lazy(
    rf"(?:(?:,\s?(?:(?:default|fallback)\s?=\s?)?|\)\sor\s)(?!\"\"|''){_LITERAL})+"
)  # get("NAME", "x")   get("NAME") or "x"
_TO_MARK = lazy(r"[^'\"]*+")
_CUT = lazy(r": (?:\"[^\"\r\n]*\"|'[^'\r\n]*')")  # pydantic cuts its input in the middle: 'password': 'x...key': 'y'
_CUT_NAME = lazy(r"\w{0,40}['\"]: (?:\"[^\"\r\n]*\"|'[^'\r\n]*')")
_GOES_ON = lazy(r" [^\s'\",;]{1,256}")
_CHANGED_TO = lazy(r" (?:->|=>|→) (?P<value>[^\s'\",;)\]}]+)")

_OF_REMARK = "['\"ET"
_OF_TEMPLATE = "'\"rbuf"
_MARKS = ("'", '"')
_CLOSED = lazy(r"['\"](?:[),;\s]|$)")
_WORD_ALONE = lazy(r"['\"](?:[a-z_-]{1,20}|[A-Z_]{1,20}|\W{1,3})['\"]")
_NAME_ALONE = lazy(r"b?['\"][a-z_]{2,40}['\"]")
_COUNT = lazy(r"[\[(]?\d[\d.,]{0,12}[kmbKMB]?(?:[\s;&)\]}'\",]|$)")
_SMALL_NUMBER = lazy(r"\d{1,6}\b(?!\.\w)")
_CODE = lazy(r"(?:_?code|otp|captcha)$")
_SENT_CODE = lazy(r"(?=[A-Za-z]{0,7}\d)[0-9A-Za-z]{4,8}(?![\w.:-])")  # by a short message: smsCode=739201
_PIN = lazy(r"(?:(?:^|_)pin|cv[vc]2?)$")
_NUMBER = lazy(
    r"\d{4,8}(?![\w.:-])|\d{3}-\d{3}-\d{3}(?![\w-])|(?<=[Cc2][:=])\d{3}(?![\w.:-])|(?<=[Vv][:=])\d{3}(?![\w.:-])"
)  # pin=4711   cvv=123
_NUMBER_OF_SESSION = lazy(r"0x[0-9a-f]{6,16}\b|\d{1,10}(?![\w.-])")

_MASKED_COOKIE = lazy(r"['\"][\w.-]{1,40}=\*{3}['\"]")
_KEY_SOON = lazy(r"[^0-9A-Za-z\r\n]{0,12}(?:\w{1,20}[^0-9A-Za-z\r\n]{1,6})?(?:b['\"])?[0-9A-Za-z_+/-]{16}")
_KEY = lazy(r"(?:b?['\"])?[0-9A-Za-z_+/-]{16}")
_NEXT_NAME = r"[\w.-]{0,40}"
_BARE = lazy(
    r"[^\s'\",;&)\]}\\，。；）】」]*+(?:"
    rf"(?:,(?!{_NEXT_NAME}\s?[=:])(?!\s|$)|&(?!{_NEXT_NAME}=|amp;)|[)\]}}](?=[\w$#@!%^*~\[({{])"
    r"|\\(?![nr](?:[\s'\"\\\w]|$)|['\"]))[^\s'\",;&)\]}\\，。；）】」]*+)*+"
)
_VALUES = (_TEXT, _CONTAINER, _BARE)
_IN_BRACES = lazy(r"\{[^{}\r\n]{1,256}\}(?=[;'\"\s]|$)")  # of ODBC
_TO_BLANK = lazy(r"[^\s'\"]++")  # --password=x
_TO_LINE_END = lazy(r"[^\r\n]++")
_TO_AMPERSAND = lazy(r"[^\s'\"&#<>\\]++")
_IN_QUERY = lazy(rf"[^\s'\"&#<>\\]*+(?:&(?!{_NEXT_NAME}=|amp;)[^\s'\"&#<>\\]*+)*+")

_TAG = lazy(r"(?:\s[^<>]{0,160}(?<![/=]))?>")
_IN_TAG = lazy(
    r"\s{0,64}+(?:<[Vv]alue>)?(?:<!\[CDATA\[(?P<data>(?:[^\]]++|\](?!\]>))+)|(?P<value>[^<]++)(?=</))|(?P<cut>[^\s<]+\Z)"
)
_DOTTED = lazy(r"[<>](?:[\w-]{1,40}\.){1,6}$")  # <redis.password>
_ESCAPED_TAG = lazy(r"&gt;(?P<value>[^&<]{1,4096})(?=&lt;/)")  # &lt;password&gt;x&lt;/password&gt;
_BEFORE_ENTRY = ("'", '"', "=", ":", " ", ".", "/")
_IS_ENTRY = lazy(
    rf"(?i)(?:\b|parameter)(?:name|key|type|attribute)\\{{0,3}}['\"]?{BLANKS}[:=]{BLANKS}\\{{0,3}}['\"]?(?:/?[\w-]{{1,40}}+[./]){{0,4}}+$"
)
_ENTRY = lazy(
    rf"(?:{_QUOTE})?(?:,\s?\\{{0,3}}['\"]\w{{1,20}}\\{{0,3}}['\"]:\s?\\{{0,3}}['\"]?\w{{1,30}}\\{{0,3}}['\"]?)?,?\s{{0,64}}"
    rf"\\{{0,3}}['\"]?(?:(?:[Pp]arameter)?[Vv]alue|content)\\{{0,3}}['\"]?{BLANKS}[:=]{BLANKS}"
)
# name="password", and behind an empty line its value: a part of multipart/form-data
_PART = lazy(r"\"(?:\r?\n|\\{1,3}r\\{1,3}n)(?:\r?\n|\\{1,3}r\\{1,3}n)(?P<value>(?:[^\r\n\\]++|\\(?!\\{0,2}r\\))+)")
_CELL = lazy(r":?</\w{1,10}>(?:\s{0,40}<\w{1,10}(?:\s[^<>]{0,80})?>){1,2}")  # <td>password</td><td>x</td>
_IN_ELEMENT = lazy(r"['\"](?:\s[^<>]{0,80}(?<!/))?>")  # <property name="password">x</property>
_INPUT = lazy(
    rf"(?:\.[\w.-]{{1,40}})?(?:\r?\n|\\{{1,3}}n)[^\S\r\n]{{1,8}}[^\r\n]{{0,200}}?\binput_value="
    rf"|['\"],?[\])][^\r\n]{{0,300}}?['\"]input['\"]:{BLANKS}"
)
_ARGUMENT = lazy(r"[^\S\r\n]{1,4}(?=\S{0,64}[0-9_!@#$%^&*+/])(?!--?\w)(?P<value>[^\s'\"-][^\s'\"]*)")
_PROSE = lazy(
    r"(?:(?:[\])`]|\*{1,2})?(?:[^\S\r\n]|(?=\.{3}))(?:(?:is (?:generated|set) )?for (?:\w{1,12} ){0,2}"
    r"[^\s:](?:[^\s:]|:(?!\s)){0,80}(?: \([\w ]{1,40}\))?(?=:| is )(?: is)?"
    r"|(?:(?:(?:has|have) been |was |is )?(?:set|reset|changed|updated|rotated|generated|created|issued|revoked"
    r"|rejected|refused|denied|invalid|expired|mismatch|not found|received)(?: successfully)?(?: (?:to|from|as|is))?"
    r"|from|to)(?=[:\s])"
    r"|(?P<sign>is|was|provided|given|received|used|->|[-–—]|\.{2,60}))?"
    r":?[^\S\r\n]?"
    rf"|(?:无效|错误|不正确|已?过期|已?失效)[:：,，]\s?)(?P<value>{_QUOTED}|[^\s'\",;，。；）】]+)"
)
_NAMED = lazy(r"[A-Za-z][\w.-]{1,40}=[^=]|\w{1,40}\]\(")
_MOVED_TO = lazy(r" (?:to|->|=>|→) (?P<value>[^\s,;)]+)")
# | password | x |
_ROW_CELL = lazy(r"[^\S\r\n]{1,40}\|[^\S\r\n](?P<value>[^\s|]{4,200})[^\S\r\n]{1,200}\|")
_AS_PAIR = lazy(r"(?:\(|[\[,]\s?\[)\s{0,40}b?\\{0,3}['\"]$|['\"]-{1,2}$")
_COLUMNS = lazy(r"(?:INTO\s\S{1,64}|KEY|UNIQUE|INDEX|ON\s\S{1,64})\s?\(\\?.$")  # INSERT INTO a ("password", "name")
_COMPARED = lazy(r"(?P<value>['\"`][^'\"`\r\n]{1,200}['\"`])\s?[=!]={1,2}\s?[\w.]{0,40}$")
_AFTER_WORD = (
    *("api", "app", "aes", "access", "auth", "private", "secret", "session", "encryption", "signing", "account"),
    *("master", "subscription", "webhook"),
)
_TO_SINGLE = lazy(r"[^'\"\r\n\\]{1,4096}+(?=')")
_TO_DOUBLE = lazy(r"[^'\"\r\n\\]{1,4096}+(?=\")")
_NEXT_PAIR = lazy(r"(?:[,;&?]\s?|\s)[\w.-]{1,40}\s?[=:]")
_HAS_BLANK = lazy(r"\s")
_ENTRY_LINE = lazy(r"(?m)[^\S\r\n]{0,80}+(?:- )?['\"]?[\w.-]{1,60}['\"]?(?:(?P<sign>:)(?:[^\S\r\n]|\r?$)|\s?=)")
_LINE_PREFIX = lazy(r"[^\S\r\n]*(?:- |\+ |export |set )?['\"]?(?:[\w-]{1,40}\.)*")
_BEFORE_NAME = lazy(r"[^\S\r\n]*(?:- |[\w.]{1,80}: )?['\"]?$")
_FOLDED = lazy(r"[^\S\r\n]{0,4}(?:!\w{1,20}\s)?(?:[|>][+-]?)?\r?\n")


Span = tuple[int, int]


def without_pairs(text: str, small: str, more: frozenset[str]) -> str:
    """``text`` with the values of names of secrets, and of ``more`` names, as ``***``.

    ``small`` is the text in small letters, sign by sign.
    """
    if not may_have_one(small, more):
        return text
    return masked_at(text, _values(text, small, more))


def _values(text: str, small: str, more: frozenset[str]) -> Iterator[Span]:
    pairs = _Pairs(text, "name" in small or "key" in small or "value" in small, "input" in small)
    for found in _NAME.finditer(small):
        begin, end = found.span()
        if begin < pairs.masked_to:
            continue
        name = text[max(begin, end - _LONGEST_NAME) : end]
        kind = kind_of(name)
        if more and kind is not Kind.SECRET and ends_with(name, more):
            kind = Kind.SECRET
        if kind is not None and (value := pairs.value(begin, end, kind)) is not None:
            yield value
            pairs.masked_to = value[1]


class _Pairs:
    """A text, and to where it is masked."""

    def __init__(self, text: str, has_entries: bool, has_input: bool) -> None:
        self._text = text
        self._has_entries = has_entries
        self._has_input = has_input
        self.masked_to = 0

    def value(self, begin: int, end: int, kind: Kind) -> Span | None:
        """Where the value of the name at ``begin`` to ``end`` stands, if there is one."""
        text = self._text
        name, before = text[begin:end], text[max(begin - _LONGEST_NAME, 0) : begin]
        if kind is Kind.SELDOM:
            if before[-1:] in (" ", ".") and before[-14:-1].lower().endswith(_AFTER_WORD):  # api key: x
                kind = Kind.SECRET
            elif not _KEY_SOON.match(text, end):
                return None
        last = before[-1:]
        edge = found[0][0] if last == "." and (found := _DOTTED.search(before)) else last
        if edge in ("<", ":", "/") and (tag := _TAG.match(text, end, end + _REACH)):
            return self._in_tag(tag.end(), kind)
        if last == ";" and before[-4:] == "&lt;" and kind is not Kind.SELDOM and (tag := _ESCAPED_TAG.match(text, end)):
            return tag.span("value")
        if self._has_entries and last in _BEFORE_ENTRY:
            entry = _ENTRY.match(text, end, end + _REACH)
            part = _PART.match(text, end) if kind is Kind.SECRET else None
            element = _IN_ELEMENT.match(text, end, end + _REACH)
            if (entry or part or element) and _IS_ENTRY.search(before[-64:]):
                if entry:
                    if text.startswith((MASK, "null", "None"), entry.end()):
                        return None
                    return next(filter(None, (_whole(form.match(text, entry.end())) for form in _VALUES)), None)
                return part.span("value") if part else self._in_tag(element.end(), kind)  # type: ignore[union-attr] # one of the three
        if self._has_input and (given := _INPUT.match(text, end, end + _REACH)):
            if kind is Kind.SELDOM:
                return None
            return _whole(_TEXT.match(text, given.end())) or _whole(_CONTAINER.match(text, given.end()))
        if before[-2:-1] == "=" and kind is Kind.SECRET and (compared := self._compared(begin)):
            return compared
        sign = _AFTER.match(text, end, end + _REACH)
        if edge == ">" and (cell := _CELL.match(text, end, end + _REACH)):
            return self._in_tag(cell.end(), kind) if kind is Kind.SECRET else None
        if sign is None:
            return self._behind_blank(begin, end, kind)
        at = sign.end()
        close, sub, compare, assign, colon, comma, call, font = sign.group(*_SIGNS)
        if font:
            return self._in_tag(at, kind)
        if sub and text[at - 1] == "=" and (last == "[" or text[begin - 1 : begin + 2].lower() == "%5b"):
            if kind is Kind.SELDOM or is_code(text, at, name, begin, before, colon=False):
                return None
            return _whole(_TO_AMPERSAND.match(text, at))  # user[password]=x
        printed = sub and assign and assign.startswith("=>") and text[at : at + 1] not in "'\""
        if compare or comma or call or (sub and not printed):
            return self._argument(name, before, at, kind, sign)
        if colon and kind is Kind.SECRET and (lines := self._on_next_lines(begin, sign.end("colon"))):
            return lines
        first = text[at : at + 1]  # most forms are known by it
        if (first in _OF_REMARK and REMARK.match(text, at, at + _REACH)) or (
            kind is Kind.SELDOM and not _KEY.match(text, at)
        ):
            return None
        if (first in _OF_TEMPLATE and TEMPLATE.match(text, at, at + _REACH)) or (
            not close and first in _MARKS and before.count(first) % 2 and _CLOSED.match(text, at)
        ):
            return None  # f"{a}{b}"   input("Password: ")
        if found := _TEXT.match(text, at, at + _REACH if kind is Kind.SELDOM else len(text)):
            if kind is Kind.SELDOM:
                if not looks_like_key(_bare_of(found[0])):
                    return None
                found = _to_its_end(_TEXT, found, at, at + _REACH)
            unpacked = before.endswith(", ") and assign
            more = _DEFAULTS if found["call"] else _MORE_TEXTS if unpacked else _CHANGED
            several = more.match(text, found.end())
            literal = _bare_of(text[found.end("call") : found.end()]) if found["call"] else ""
            if _MASKED_COOKIE.fullmatch(found[0]):
                return None
            if found["call"] and found["call"].endswith(("push(", "call(")):  # of a parser, of Redis
                return None
            if found["call"] and LOOKS_UP.search(found["call"]) and not looks_secret(literal):
                return self._default(several) if several else None
            if "..." in found[0] and (rest := _CUT.match(text, found.end())):
                return at, rest.end()
            return found.end("call") if found["call"] else at, (several or found).end()
        if text.startswith("{{ ", at):
            return None  # a template's
        sure = kind is Kind.SECRET or "cred" in name.lower() or "cookie" in name.lower()
        far = sure or (close is not None and first != "{")  # what is not masked is not read twice
        if first in "[({" and (found := _CONTAINER.match(text, at, len(text) if far else at + _REACH)):
            return found.span() if far else None
        return self._without_quotes(name, before, begin, at, kind, sign)

    def _default(self, found: re.Match[str]) -> Span | None:
        """os.environ.get("NAME", "x"): what is taken where nothing is set, if that is not a name, too."""
        begin = found.start() + _TO_MARK.match(found[0]).end()  # type: ignore[union-attr] # there is one
        end = found.end()
        return None if kind_of(_bare_of(self._text[begin:end])) else (begin, end)

    def _in_tag(self, at: int, kind: Kind) -> Span | None:
        """<name>value</name>: to its end."""
        found = _IN_TAG.match(self._text, at)
        if found is None or kind is Kind.SELDOM:
            return None
        return next((found.span(group) for group in ("data", "value", "cut") if (found[group] or "").strip()), None)

    def _argument(self, name: str, before: str, at: int, kind: Kind, sign: re.Match[str]) -> Span | None:
        """password != 'x'   ('password', 'x')   headers['X-Token'] = 'x'   secret("x")"""
        text = self._text
        reach = min(at + _REACH, len(text))  # what is not masked is not read to its end
        found = _TEXT.match(text, at, reach)
        if found is None or found["call"]:
            return None
        form = _TEXT
        if sign["comma"]:
            dashes = name[: len(name) - len(name.lstrip("-"))]
            sure = (
                sign["close"] is not None
                and _AS_PAIR.search(before + dashes) is not None
                and not (before[-1:] in "\"'`" and _COLUMNS.search(before))
                and not (_NAME_ALONE.fullmatch(found[0]) and kind_of(_bare_of(found[0])))
            )
        elif sign["call"]:
            sure = kind is Kind.SECRET and name.lower().startswith(("set", "with")) and found[0][-1:] in "'\""
        else:
            sure = kind is Kind.SECRET or bool(sign["sub"] and sign["assign"])
            if sign["compare"] and (
                (_WORD_ALONE.fullmatch(found[0]) and name.lower().endswith("token")) or REMARK.match(found[0])
            ):
                return None  # a parser's
            if text[at - 1] == "(" and (several := _MORE_VALUES.match(text, at, reach)):
                form, found = _MORE_VALUES, several
        if not (sure and kind is not Kind.SELDOM) and not looks_secret(_bare_of(found[0])):
            return None
        return (form.match(text, at) or found).span()

    def _behind_blank(self, begin: int, end: int, kind: Kind) -> Span | None:
        """--password x, and in sentences what looks like one."""
        text = self._text
        short = kind is Kind.SECRET and text[begin] == "-" and text[begin - 1 : begin] == " "  # keytool -storepass x
        if short or text.startswith("--", begin):
            found = _ARGUMENT.match(text, end, end + _REACH)
            if found is None or kind is Kind.SELDOM or (is_plural(text[begin:end]) and found["value"].isdecimal()):
                return None
            return _TO_BLANK.match(text, found.start("value")).span()  # type: ignore[union-attr] # it is no blank
        if text[begin - 2 : begin] == "| " and (cell := _ROW_CELL.match(text, end, end + 2 * _REACH)):
            return cell.span("value") if looks_secret(cell["value"]) and kind is not Kind.SELDOM else None
        found = _PROSE.match(text, end, end + _REACH)
        value = _bare_of(found["value"]).rstrip(".") if found else ""
        if found is None or _NAMED.match(value):  # POST /oauth/token grant_type=password&…
            return None
        if kind is Kind.SELDOM and not (found["sign"] and value.isalnum() and looks_like_key(value)):
            return None
        if not looks_secret(value) and not (
            kind is Kind.SECRET and names_password(text[begin:end]) and _told(found) and looks_chosen(value)
        ):
            return None
        found = _to_its_end(_PROSE, found, end, end + _REACH)
        moved = _MOVED_TO.match(text, found.end(), found.end() + _REACH)
        return found.start("value"), moved.end() if moved and looks_secret(_bare_of(moved["value"])) else found.end()

    def _compared(self, begin: int) -> Span | None:
        """'x' == password"""
        found = _COMPARED.search(self._text, max(self.masked_to, begin - _REACH), begin)
        return found.span("value") if found else None

    def _on_next_lines(self, begin: int, at: int) -> Span | None:
        """In YAML the value can stand on the next lines, further in than its name."""
        text = self._text
        folded = _FOLDED.match(text, at)
        start = text.rfind("\n", max(begin - 128, 0), begin) + 1
        if folded is None or (not start and begin > 128) or not _BEFORE_NAME.match(text, start, begin):
            return None
        indent = text[start : start + len(text[start:begin]) - len(text[start:begin].lstrip())]
        at = first = folded.end()
        while text.startswith(indent, at) and text[at + len(indent) : at + len(indent) + 1] in (" ", "\t", "-"):
            if text[at + len(indent)] == "-" and text[at + len(indent) + 1 : at + len(indent) + 2] != " ":
                break
            line_end = text.find("\n", at)
            at = len(text) if line_end < 0 else line_end + 1
            if line_end < 0:
                break
        if at == first:
            return None
        begin = first + len(indent)
        while text[begin] in " \t-":
            begin += 1
            if begin == at:
                return None
        stop = at - 1 if text[at - 1] == "\n" else at
        return begin, stop - 1 if text[stop - 1] == "\r" else stop

    def _without_quotes(
        self, name: str, before: str, begin: int, at: int, kind: Kind, sign: re.Match[str]
    ) -> Span | None:
        """It ends with the argument, the part of a query, the line, or the word, whichever its form is."""
        text, sure = self._text, kind is Kind.SECRET
        if sure and self._is_none(name, before, begin, at, sign):
            return None
        option, query = name.startswith("--"), before[-1:] in ("?", "&")
        line = not option and not query and self._is_line(begin, before, sign)
        form = _TO_BLANK if option else _IN_QUERY if query else _TO_LINE_END if line else _BARE
        braces = _IN_BRACES.match(text, at) if before[-1:] == ";" else None
        quoted = before[-1:] in _MARKS and not sign["close"]
        within = braces.span() if braces else self._to_quote(name, before[-1], at, sign) if quoted else None
        reach = len(text) if sure else at + _GLANCE
        found = form.match(text, at, reach)
        if line and found and _NEXT_PAIR.search(found[0]):  # key=value among others, on each line
            line, form, found = False, _BARE, _BARE.match(text, at, reach)
        if within is None:
            if found is None or not found[0].strip() or _is_name(found[0], name):
                return None
            if not sure and not self._counts(name, at, kind, found[0], option or query or line or _is_loud(name, sign)):
                return None
        if not sure and self._is_none(name, before, begin, at, sign):
            return None
        if within is not None or found is None:
            return within
        value = _to_its_end(form, found, at, reach)[0].rstrip()
        if line and " #" in value:
            value = value[: value.index(" #")].rstrip()
        if not option and not line:
            value = value.rstrip(",;") or value
        stop = at + len(value)
        if value[-1] == ":" and looks_chosen(value) and (rest := _GOES_ON.match(text, stop)):  # of YAML: a: b
            stop = rest.end()
        if value.startswith("...") and (rest := _CUT_NAME.match(text, stop)):
            return at, rest.end()
        changed = _CHANGED_TO.match(text, stop, stop + _REACH) if sure and text[stop : stop + 1] == " " else None
        return at, changed.end() if changed and looks_secret(changed["value"]) else stop

    def _counts(self, name: str, at: int, kind: Kind, value: str, is_name: bool) -> bool:
        """Of a word of other matters, too: whether a secret is its value."""
        text = self._text
        if kind is Kind.SELDOM:
            return looks_like_key(value)
        if is_name and not _SMALL_NUMBER.match(text, at):
            return True
        number = _number_of(name)
        return (number is not None and number.match(text, at) is not None) or looks_secret(value)

    def _is_none(self, name: str, before: str, begin: int, at: int, sign: re.Match[str]) -> bool:
        """Whether what stands there says something of the secret, or where it comes from."""
        text, reach, first = self._text, at + _REACH, self._text[at : at + 1]
        if is_placeholder(text, at, reach) or is_code(text, at, name, begin, before, colon=sign["colon"] is not None):
            return True
        if first in "/~":
            return PATH.match(text, at, reach) is not None or name in ("PWD", "OLDPWD")
        if first not in "[(0123456789":
            return False
        return (is_plural(name) and _COUNT.match(text, at, reach) is not None) or (
            "sess" in name.lower() and _NUMBER_OF_SESSION.match(text, at) is not None
        )

    def _to_quote(self, name: str, quote: str, at: int, sign: re.Match[str]) -> Span | None:
        """'X-Api-Key: two words'   "DB_PASSWORD=a,b": the quote before the name ends the value."""
        found = _TO_SINGLE.match(self._text, at) if quote == "'" else _TO_DOUBLE.match(self._text, at)
        if found is None or _NEXT_PAIR.search(found[0]):
            return None
        whole = name.isupper() or name.startswith("--") or (sign["colon"] is not None and "-" in name)
        return found.span() if whole or not _HAS_BLANK.search(found[0]) else None

    def _is_line(self, begin: int, before: str, sign: re.Match[str]) -> bool:
        """> X-Token: two words, or a line of YAML or INI among others: its value goes on to its end."""
        text = self._text
        start = before.rfind("\n") + 1
        if (not start and begin > len(before)) or (sign["close"] is not None and sign["close"].startswith("%")):
            return False
        prefix = before[start:]
        if prefix in ("> ", "< ", ">", "<"):
            return sign["colon"] is not None
        if not _LINE_PREFIX.fullmatch(prefix):
            return False
        line_start = begin - len(prefix)
        previous = text.rfind("\n", max(line_start - 200, 0), max(line_start - 1, 0)) + 1
        following = text.find("\n", sign.end(), sign.end() + 400) + 1
        wanted = ":" if sign["colon"] else "="
        return any(
            (found := _ENTRY_LINE.match(text, place)) is not None and (found["sign"] or "=") == wanted
            for place in ((previous,) if line_start else ()) + ((following,) if following else ())
        )


def _whole(found: re.Match[str] | None) -> Span | None:
    return found.span() if found and found[0] else None


def _to_its_end(form: re.Pattern[str], found: re.Match[str], at: int, reach: int) -> re.Match[str]:
    """What is masked, where no more of it was looked at than to ``reach``."""
    return (form.match(found.string, at) or found) if found.end() == reach else found


def _told(prose: re.Match[str]) -> bool:
    """password is x   password for bob: x   password "x": rather than ``password user1``."""
    between = prose[0][: prose.start("value") - prose.start()]
    return prose["sign"] is not None or ":" in between or prose["value"][0] in "'\"`"


def _bare_of(quoted: str) -> str:
    return quoted.lstrip("bruf@$").strip("'\"`\\ ")


def _is_name(value: str, name: str) -> bool:
    """password=password   "token": self.token   token = :token"""
    if value.find(name.strip("_")) < 0:
        return False
    path, _, last = value.rstrip(",;)}_").lstrip(":@$").rpartition(".")
    return last.strip("_") == name.strip("_") and _PATH.fullmatch(path) is not None


_PATH = lazy(r"(?:[A-Za-z_]{1,40}\.?){0,4}")


@lru_cache(1024)
def _number_of(name: str) -> re.Pattern[str] | None:
    """What is a secret behind ``smsCode`` or ``pin``, though it is a short number."""
    small = name.lower()
    return _SENT_CODE if _CODE.search(small) else _NUMBER if _PIN.search(small) else None


def _is_loud(name: str, sign: re.Match[str]) -> bool:
    """SOME_SALT=x, and words that hardly ever stand before ``=`` in a sentence."""
    return sign["assign"] is not None and (name.isupper() or name.lower() in _BEFORE_EQUALS)


_BEFORE_EQUALS = frozenset(
    ("pass", "pw", "sid", "sig", "signature", "credentials", "credential", "cookies", "creds", "jwt", "otp")
)
