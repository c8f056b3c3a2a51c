"""Names with their values: ``password=x``, in each of the forms in which programs write such a pair down.

The scan goes from name to name; `names` says whether one names a secret, the signs behind it say in which form its
value stands, and the value ends where that form ends. All is linear: a form is looked at from one place on, and what it
takes in is masked, or not longer than a fixed number of signs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from .lines import is_line, on_next_lines
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
from .placeholder import HIDDEN, LOOKS_UP, PATH, REMARK, TEMPLATE, is_code, is_placeholder, is_word
from .prose import behind_blank
from .values import BARE, CONTAINER, NEXT_NAME, QUOTE, REACH, TEXT, TO_BLANK, VALUES, Span, bare_of, to_its_end, whole
from .words import CLOSED, Quotes, value_end

_NAME = lazy(r"[0-9a-z_-]{2,}+")
_LONGEST_NAME = 80
_GLANCE = 64
"""How far is looked at a value without quotes that may turn out to be none."""

_ALIGNED = r"[^\S\r\n]{0,48}+"
_AFTER = lazy(
    rf"(?P<close>{QUOTE}|%2[27]|\*\*(?!\*)|&(?:quot|#34|#39|#x27);|\(\)(?=\s[=!]=))?(?P<sub>(?::(?:protected|(?:\"[\w\\]{{1,80}}\":)?private))?\s?[\])]|%5[Dd])?{_ALIGNED}"
    r"(?:(?:\.{2,60}|…{1,30}|\.(?:\s\.){1,40})\s?(?=[:：=]))?"  # password ..... : x
    r"(?:(?P<compare>[=!]={1,2}(?![=>])|<>(?=\s?N?['\"])|I?LIKE(?=\s?N?')|IN\s?\((?='))"
    # password: str = 'x'   var token string = "x"
    rf"|(?P<assign>:?{BLANKS}(?:\w{{1,20}}\[)?(?:str|bytes|[Ss]tring)\]?(?: \| None)?{BLANKS}:?=(?!=)"
    rf"|:{BLANKS}[A-Z][\w.]{{0,40}}(?:\[[^\r\n]{{0,120}}?\])?(?:\s?\|\s?None)?\s=\s(?=[bruf]{{0,2}}['\"]|\*{{3}})"
    r"|=>|:{1,3}=|(?:[?.+]|\|\||\?\?)=|[=＝]|%3[Dd])"
    r"|的?(?:值|内容)?[是为][:：]?(?=[「『【“‘]?[!-~]{0,64}\d)|(?:值|内容)[:：]|(?=[「『【“][!-~]{4,64}[」』】”])|,\s(?:value|input):"
    r"|(?P<colon>::(?=\s\S)|[:：](?!:)|%3[Aa])"
    r"|(?P<comma>(?<! ),(?:\s?(?:default|fallback)=)?)|(?P<call>\())"
    rf"{_ALIGNED}(?:(?P<font><font\s[^<>\r\n]{{1,40}}>)|[(\\]?\r?\n[^\S\r\n]{{0,40}}(?=(?:[bruf]{{0,2}}|string\(\d{{1,9}}\)\s)['\"]|\*{{3}}))?"
)
_SIGNS = ("close", "sub", "compare", "assign", "colon", "comma", "call", "font")
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

_OF_REMARK = "['\"ET{"
_OF_HIDDEN = "'\"*•●[(<{~-"
_HIDDEN_WORDS = "re fi ma hi om ch xx sk pk ey n/ ar pr se kv va ss op en yo ex du"  # how they begin
_OF_PARSER = lazy(r"(?:[A-Z_]{2,16}|[a-z]{2,16})(?=[\s,;.)]|$)")
_OPENS = lazy(r"[\[({]{1,4}['\"]?[\w.-]{1,40}['\"]?[:=]")  # {password: x}: the next name has a value
_MASKED_URL = lazy(
    r"[\w.+:/-]{1,128}:\*{3}@(?:(?:tcp|unix)\([\w.:/-]{1,128}\)|[a-z\d.-]{1,128}(?::\d{1,5})?)(?:/[\w./?=&%-]{0,128})?"
)
_LITERALS = lazy(r"[^'\"\r\n]{6,64}(?=['\"])")
_OF_TEMPLATE = "'\"rbuf"
_MARKS = ("'", '"')
_CLOSED = lazy(r"['\"](?:[),;\s]|$)")
_WORD_ALONE = lazy(r"['\"](?:[a-z_-]{1,20}|[A-Z_]{1,20}|\W{1,3})['\"]")
_NAME_ALONE = lazy(r"b?['\"][a-z_]{2,40}['\"]")
_COUNT = lazy(r"[\[(]?\d[\d.,]{0,12}[kmbKMB]?(?=['\")\]}]*+(?:[;,&]?(?:\s|$)|[;,&]['\"]?[\w.-]{1,40}['\"]?\s?[=:]))")
_SMALL_NUMBER = lazy(r"\d{1,6}\b(?!\.\w)")
_CODE = lazy(r"(?:_?code|otp|captcha)$")
_SENT_CODE = lazy(r"(?=[A-Za-z]{0,7}\d)[0-9A-Za-z]{4,8}(?![\w.:-])")  # by a short message: smsCode=739201
_PIN = lazy(r"(?:(?:^|_)pin|cv[vc]2?)$")
_NUMBER = lazy(
    r"\d{4,8}(?![\w.:-])|\d{3}-\d{3}-\d{3}(?![\w-])|(?<=[Cc2][:=])\d{3}(?![\w.:-])|(?<=[Vv][:=])\d{3}(?![\w.:-])"
)  # pin=4711   cvv=123
_DIRECTORY = lazy(r"[/~][\w./@+-]*+(?=['\")\],]{0,4}(?:\s|$))")
_OF_SESSION = ("session", "sid", "session_id", "session-id", "sessionid", "sess_id", "sessid")
_NUMBER_OF_SESSION = lazy(
    r"['\"]?(?:[A-Z]{2,8}\d?(?![\w.-])|[0-9a-f]{4,8}(?![\w.-])|0x[0-9a-f]{6,16}\b|\d{1,10}(?![\w.-])|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![\w.-]))"
)

_MASKED_COOKIE = lazy(r"['\"][\w.-]{1,40}=\*{3}['\"]")
_KEY_SOON = lazy(r"[^0-9A-Za-z\r\n]{0,12}(?:\w{1,20}[^0-9A-Za-z\r\n]{1,6})?(?:b['\"])?[0-9A-Za-z_+/-]{16}")
_KEY = lazy(r"(?:b?['\"])?[0-9A-Za-z_+/-]{16}")
_IN_BRACES = lazy(r"\{[^{}\r\n]{1,256}\}")  # of ODBC
_TO_AMPERSAND = lazy(r"[^\s'\"&#<>\\]++")
_IN_QUERY = lazy(rf"[^\s'\"&#<>\\]*+(?:&(?!{NEXT_NAME}=|amp;)[^\s'\"&#<>\\]*+)*+")

_TAG = lazy(r"(?:\s[^<>]{0,160}(?<![/=]))?>")
_IN_TAG = lazy(
    r"\s{0,64}+(?:<[Vv]alue>)?(?:<!\[CDATA\[(?P<data>(?:[^\]]++|\](?!\]>))+)|(?P<value>[^<]++)(?=</))|(?P<cut>[^\s<@:][^\s<]*\Z)"
)
_DOTTED = lazy(r"[<>](?:[\w-]{1,40}\.){1,6}$")  # <redis.password>
_ESCAPED_TAG = lazy(r"&gt;(?P<value>[^&<]{1,4096})(?=&lt;/)")  # &lt;password&gt;x&lt;/password&gt;
_BEFORE_ENTRY = ("'", '"', "=", ":", " ", ".", "/")
_IS_ENTRY = lazy(
    rf"(?i)(?:\b|parameter)(?:name|key|type|attribute)\\{{0,3}}['\"]?{BLANKS}[:=]{BLANKS}\\{{0,3}}['\"]?(?:/?[\w-]{{1,40}}+[./]){{0,4}}+$"
)
_ENTRY = lazy(
    rf"(?:{QUOTE})?(?:,\s?\\{{0,3}}['\"]\w{{1,20}}\\{{0,3}}['\"]:\s?\\{{0,3}}['\"]?\w{{1,30}}\\{{0,3}}['\"]?)?,?\s{{0,64}}"
    rf"\\{{0,3}}['\"]?(?:(?:[Pp]arameter)?[Vv]al(?:ue)?|content)\\{{0,3}}['\"]?{BLANKS}[:=]{BLANKS}"
)
# name="password", and behind an empty line its value: a part of multipart/form-data
_PART = lazy(r"\"(?:\r?\n|\\{1,3}r\\{1,3}n)(?:\r?\n|\\{1,3}r\\{1,3}n)(?P<value>(?:[^\r\n\\]++|\\(?!\\{0,2}r\\))+)")
_CELL = lazy(r":?</\w{1,10}>(?:\s{0,40}<\w{1,10}(?:\s[^<>]{0,80})?>){1,2}")  # <td>password</td><td>x</td>
_IN_ELEMENT = lazy(r"['\"](?:\s[^<>]{0,80}(?<!/))?>")  # <property name="password">x</property>
_INPUT = lazy(
    rf"(?:\.[\w.-]{{1,40}})?(?:\r?\n|\\{{1,3}}n)[^\S\r\n]{{1,8}}[^\r\n]{{0,200}}?\binput_value="
    rf"|['\"],?[\])][^\r\n]{{0,300}}?['\"]input['\"]:{BLANKS}"
)
_ONE_OF_TWO = lazy(r"\[['\"]$")
_AS_PAIR = lazy(r"(?:\(|[\[,]\s?\[)\s{0,40}b?\\{0,3}['\"]$|['\"]-{1,2}$")
_COLUMNS = lazy(r"(?:INTO\s\S{1,64}|KEY|UNIQUE|INDEX|ON\s\S{1,64})\s?\(\\?.$")  # INSERT INTO a ("password", "name")
_COMPARED_WITH = lazy(r"(?:[A-Za-z_]\w*+\.?)++(?:[(\[][\w.,'\"]*+[)\]]*+)?|-?\d+")  # password==confirm(a)
_SEVERAL = lazy(r"\d.*\d|[!#$%^&*~]")
_COMPARED = lazy(r"(?P<value>['\"`][^'\"`\r\n]{1,200}['\"`])\s?[=!]={1,2}\s?[\w.]{0,40}$")
_AFTER_WORD = (
    *("api", "app", "aes", "access", "auth", "private", "secret", "session", "encryption", "signing", "account"),
    *("master", "subscription", "webhook"),
)
_IN_BRACKETS = lazy(r"\s?[(\[<{](?![0-9a-f]{8}-)(?P<value>[^\s()\[\]<>{}'\"]{8,256})[)\]>}]")
_NEXT_PAIR = lazy(r"\s[\w.-]{1,40}\s?[=:]")


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
        self._quotes = Quotes(text)
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
        if edge in ("<", ":", "/") and (tag := _TAG.match(text, end, end + REACH)):
            return self._in_tag(tag.end(), kind)
        if last == ";" and before[-4:] == "&lt;" and kind is not Kind.SELDOM and (tag := _ESCAPED_TAG.match(text, end)):
            return tag.span("value")
        if self._has_entries and last in _BEFORE_ENTRY:
            entry = _ENTRY.match(text, end, end + REACH)
            part = _PART.match(text, end) if kind is Kind.SECRET else None
            element = _IN_ELEMENT.match(text, end, end + REACH)
            if (entry or part or element) and _IS_ENTRY.search(before[-64:]):
                if entry:
                    if text.startswith((MASK, "null", "None"), entry.end()):
                        return None
                    return next(filter(None, (whole(form.match(text, entry.end())) for form in VALUES)), None)
                return part.span("value") if part else self._in_tag(element.end(), kind)  # type: ignore[union-attr] # one of the three
        if self._has_input and (shown := _INPUT.match(text, end, end + REACH)):
            if kind is Kind.SELDOM:
                return None
            return whole(TEXT.match(text, shown.end())) or whole(CONTAINER.match(text, shown.end()))
        least = max(self.masked_to, begin - REACH)
        if before[-2:-1] == "=" and kind is Kind.SECRET and (compared := _COMPARED.search(text, least, begin)):
            return compared.span("value")  # 'x' == password
        if kind is Kind.SECRET and (given := _IN_BRACKETS.match(text, end)) and looks_secret(given["value"]):
            return given.span("value")  # password(x)   token[x]
        sign = _AFTER.match(text, end, end + REACH)
        if edge == ">" and (cell := _CELL.match(text, end, end + REACH)):
            return self._in_tag(cell.end(), kind) if kind is Kind.SECRET else None
        if sign is None and name.lower().endswith(_OF_SESSION) and _NUMBER_OF_SESSION.match(text, end + 1):
            return None
        if sign is None:
            return behind_blank(text, begin, end, kind)
        at = sign.end()
        close, sub, compare, assign, colon, comma, call, font = sign.group(*_SIGNS)
        if font:
            return self._in_tag(at, kind)
        if sub and text[at - 1] == "=" and (last == "[" or text[begin - 1 : begin + 2].lower() == "%5b"):
            if kind is Kind.SELDOM or is_code(text, at, name, begin, before, colon=False):
                return None
            return whole(_TO_AMPERSAND.match(text, at))  # user[password]=x
        printed = sub and assign and assign.startswith("=>") and text[at : at + 1] not in "'\""
        if compare in ("==", "===") and text[end:at].strip() == compare and not TEXT.match(text, at, at + REACH):
            if kind is not Kind.SECRET or (span := self._without_quotes(name, before, begin, at, kind, sign)) is None:
                return None
            value, glued = text[slice(*span)], end + len(compare) == at  # a value that begins with "="
            if _COMPARED_WITH.fullmatch(value) or not glued:
                return (
                    span if looks_chosen(value) and not kind_of(value) and (glued or _SEVERAL.search(value)) else None
                )
            return span
        if compare or comma or call or (sub and not printed):
            return self._argument(name, before, begin, at, kind, sign)
        if colon and kind is Kind.SECRET and (lines := on_next_lines(text, begin, sign.end("colon"))):
            return lines
        first = text[at : at + 1]  # most forms are known by it
        if (
            (last == ":" == text[at - 1] and at == end + 1 and not looks_secret(text[at : BARE.match(text, at).end()]))  # type: ignore[union-attr] # of any length
            or (before[-2:] == "${" and text.startswith((":?", ":-}"), end))
            or (
                (first in _OF_HIDDEN or text[at : at + 2].lower() in _HIDDEN_WORDS)
                and HIDDEN.match(text, at, at + REACH)
            )
            or (
                name[-1] in "dnDN"
                and name.lower().endswith(_OF_SESSION)
                and _NUMBER_OF_SESSION.match(text, at, at + REACH)
            )
            or ((first in _OF_REMARK or first >= "ぁ") and self._is_remark(at))
            or (kind is Kind.SELDOM and not _KEY.match(text, at))
            or (
                first in _OF_TEMPLATE
                and (template := TEMPLATE.match(text, at, at + REACH))
                and CLOSED.match(text, template.end(), at + REACH)
            )
            or (not close and first in _MARKS and before.count(first) % 2 and _CLOSED.match(text, at))
        ):
            return None  # cache:token:count   f"{a}{b}"   input("Password: ")
        if found := TEXT.match(text, at, at + REACH if kind is Kind.SELDOM else len(text)):
            if kind is Kind.SELDOM:
                if not looks_like_key(bare_of(found[0])):
                    return None
                found = to_its_end(TEXT, found, at, at + REACH)
            unpacked = before.endswith(", ") and assign
            more = _DEFAULTS if found["call"] else _MORE_TEXTS if unpacked else _CHANGED
            several = more.match(text, found.end())
            literal = bare_of(text[found.end("call") : found.end()]) if found["call"] else ""
            if _MASKED_URL.fullmatch(bare_of(found[0])):
                return None
            if _MASKED_COOKIE.fullmatch(found[0]) or (found["call"] or "").endswith(("push(", "call(")):
                return None  # of a parser, of Redis
            if found["call"] and LOOKS_UP.search(found["call"]) and not looks_secret(literal):
                return self._default(several) if several else None
            if "..." in found[0] and (rest := _CUT.match(text, found.end())):
                return at, rest.end()
            end = (several or found).end()
            inside = found.end("call") if found["call"] and text[end - 1] in "'\"" else at
            return (inside, end) if close else self._closed(begin, at, inside, end)
        sure = kind is Kind.SECRET or "cred" in name.lower() or "cookie" in name.lower()
        far = sure or (close is not None and first != "{")  # what is not masked is not read twice
        if first in "[({" and (found := CONTAINER.match(text, at, len(text) if far else at + REACH)):
            return (found.span() if close else self._closed(begin, at, *found.span())) if far else None
        return self._without_quotes(name, before, begin, at, kind, sign)

    def _is_remark(self, at: int) -> bool:
        """{'password': ['This field is required.']}, if nothing in it looks like a password."""
        text, reach = self._text, at + REACH
        return REMARK.match(text, at, reach) is not None and (
            text[at] not in "[{" or not any(map(looks_chosen, _LITERALS.findall(text[at:reach].partition("]")[0])))
        )

    def _closed(self, begin: int, at: int, inside: int, end: int) -> Span:
        """A value in quotes or brackets; the word, where it goes on behind them: then they are a part of a value."""
        text = self._text
        if CLOSED.match(text, end, end + REACH):
            return inside, end
        end = max(end, value_end(text, at, self._quotes.word_end(begin, end)))
        self._quotes.skip(end)
        return at, end

    def _default(self, found: re.Match[str]) -> Span | None:
        """os.environ.get("NAME", "x"): what is taken where nothing is set, if that is not a name, too."""
        begin = found.start() + _TO_MARK.match(found[0]).end()  # type: ignore[union-attr] # there is one
        end = found.end()
        return None if kind_of(bare_of(self._text[begin:end])) else (begin, end)

    def _in_tag(self, at: int, kind: Kind) -> Span | None:
        """<name>value</name>: to its end."""
        found = _IN_TAG.match(self._text, at)
        if found is None or kind is Kind.SELDOM:
            return None
        return next((found.span(group) for group in ("data", "value", "cut") if (found[group] or "").strip()), None)

    def _argument(self, name: str, before: str, begin: int, at: int, kind: Kind, sign: re.Match[str]) -> Span | None:
        """password != 'x'   ('password', 'x')   headers['X-Token'] = 'x'   secret("x")"""
        text = self._text
        reach = min(at + REACH, len(text))  # what is not masked is not read to its end
        found = TEXT.match(text, at, reach)
        if found is None or found["call"]:
            return None
        form = TEXT
        if sign["comma"]:
            dashes = name[: len(name) - len(name.lstrip("-"))]
            sure = (
                sign["close"] is not None
                and _AS_PAIR.search(before + dashes) is not None
                and not (before[-1:] in "\"'`" and _COLUMNS.search(before))
                and not is_word(bare_of(found[0]))
                and not (_NAME_ALONE.fullmatch(found[0]) and kind_of(bare_of(found[0])))
            )
            if not sure and _ONE_OF_TWO.search(before) and text[found.end() : found.end() + 1] == "]":
                sure = names_password(name) and not is_word(bare_of(found[0]))  # ["password", "x"]
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
        if not (sure and kind is not Kind.SELDOM) and not looks_secret(bare_of(found[0])):
            return None
        end = (form.match(text, at) or found).end()
        return self._closed(begin, at, at, end) if text[at - 2 : at] == "==" and not sign["close"] else (at, end)

    def _without_quotes(
        self, name: str, before: str, begin: int, at: int, kind: Kind, sign: re.Match[str]
    ) -> Span | None:
        """It ends with the part of a query, the line, or the word, whichever its form is."""
        text, sure = self._text, kind is Kind.SECRET
        if sure and self._is_none(name, before, begin, at, sign):
            return None
        option, query = name.startswith("--"), before[-1:] in ("?", "&")
        line = not option and not query and is_line(text, begin, before, sign)
        if not sure:
            form = _IN_QUERY if query else TO_BLANK if option else BARE
            found = form.match(text, at, at + _GLANCE)
            if not found or not self._counts(name, at, kind, found[0], option or query or line or _is_loud(name, sign)):
                return None
            if self._is_none(name, before, begin, at, sign):
                return None
        if query:
            return whole(_IN_QUERY.match(text, at))
        if before[-1:] == ";" and (braces := _IN_BRACES.match(text, at)) and CLOSED.match(text, braces.end()):
            return braces.span()
        alone = line or (before[-1:] in _MARKS and not sign["close"] and _may_have_blanks(name, sign))
        stop = self._quotes.word_end(begin, at, line=alone)
        if alone and _NEXT_PAIR.search(text, at, stop):  # key=value among others, on each line
            stop = self._quotes.word_end(begin, at)
        elif line and (remark := text.find(" #", at, stop)) > 0:
            stop = remark
        return self._to(name, at, value_end(text, at, stop), sure=sure)

    def _to(self, name: str, at: int, stop: int, *, sure: bool) -> Span | None:
        text = self._text
        value = text[at:stop].rstrip()
        stop = at + len(value)
        if not value or _is_name(value, name) or (value[0] in "[({" and _OPENS.fullmatch(value)):
            return None
        if ":***@" in value and _MASKED_URL.fullmatch(value):
            return None
        if value[-1] == ":" and looks_chosen(value) and (rest := _GOES_ON.match(text, stop)):  # of YAML: a: b
            stop = rest.end()
        if value.startswith("...") and (rest := _CUT_NAME.match(text, stop)):
            stop = rest.end()
        changed = _CHANGED_TO.match(text, stop, stop + REACH) if sure and text[stop : stop + 1] == " " else None
        stop = changed.end() if changed and looks_secret(changed["value"]) else stop
        self._quotes.skip(stop)
        return at, stop

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
        text, reach, first = self._text, at + REACH, self._text[at : at + 1]
        if name == "token" and _OF_PARSER.match(text, at) and (before.endswith("nexpected ") or text[at].isupper()):
            return True
        if is_placeholder(text, at, reach) or is_code(text, at, name, begin, before, colon=sign["colon"] is not None):
            return True
        if first in "/~":
            path = PATH if name not in ("PWD", "OLDPWD") else _DIRECTORY
            return path.match(text, at, reach) is not None
        if first not in "[(0123456789":
            return False
        return is_plural(name) and _COUNT.match(text, at, reach) is not None


def _may_have_blanks(name: str, sign: re.Match[str]) -> bool:
    """'X-Api-Key: two words'   "DB_PASSWORD=a b": the quote before the name ends the value."""
    return name.isupper() or name.startswith("--") or (sign["colon"] is not None and "-" in name)


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
