"""Positional secrets, which stand by their place and not behind a name: in calls, statements of SQL, command lines."""

from __future__ import annotations

from collections.abc import Iterator

from .names import Kind, is_column, kind_of, looks_secret
from .patterns import Rules, has_one, lazy, masked_at
from .placeholder import is_word
from .rules import options, rules

_CALLS = Rules(rules("calls"))
_COMMANDS = Rules((*options(), *rules("commands")))

_KEYED = lazy(  # what takes a key or a token as it is
    r"(?:hmac\.(?:new|digest)|jwt\.(?:en|de)code|hashlib\.\w{1,10}|Fernet|AES\.new|OAuth\w{1,24}|set_access_token"
    r"|(?:Client|Credentials?|Auth|Push|SDK|API|Signer|Cipher|Crypto|Minio|Stripe|[Bb]ot|Robot)|(?:args|received)[=:]\s?)[(\[]"
)
_KEYED_WORDS = (
    *("hmac.", "jwt.", "hashlib.", "fernet(", "aes.", "client(", "credential", "auth(", "push(", "sdk(", "signer("),
    *(
        "cipher(",
        "bot(",
        "oauth",
        "set_access_token(",
        "api(",
        "crypto(",
        "minio(",
        "stripe(",
        "args=",
        "args:",
        "received: (",
    ),
)
_LITERAL = lazy(r"(?P<before>\w{1,40}\s?[=:]\s?)?[bruf]?(?P<quote>['\"])(?P<value>[^'\"\r\n]{8,512})(?P=quote)")
_SPAN = 300

_INSERT = lazy(
    r"(?i)\binsert\s{1,8}into\s{1,8}[\w.\"`\[\]]{1,80}\s{0,8}\((?P<columns>[^()]{1,2048})\)\s{0,8}values\s{0,8}"
)
_PLACE = lazy(  # password = ?   token in (?, ?)
    r"(?i)(?:(?<!\w)(?P<name>\w{1,64}+)[\"`\]]?\s{0,4}"
    r"(?:=|<>|!=|(?:not\s)?i?like|(?:not\s)?in\s{0,4}\()\s{0,4}|(?P<next>,\s{0,4}))?"
    r"(?:\?|%s|%\(\w{1,64}\)s|\$\d{1,4})"
)
_EXECUTED = lazy(
    r"execute(?:many)?\(\s{0,40}(?P<quote>\"{3}|'{3}|\"|')(?P<statement>(?:(?!(?P=quote))[\s\S]){1,2048}+)(?P=quote),"
    r"\s{0,40}(?=[\[(])"
)
_FILLED_IN = lazy(r"\?|%s|%\(\w+\)s|:\w+|\$\d+|(?i:null|default)")
_PARAMETERS = lazy(  # [parameters: (…)]   -- params: […]   ; args=(…)
    r"(?i)(?<!\w)(?:parameters|params|args|bindings)(?P<quote>['\"])?\s?[:=]\s{0,2}(?=[\[({])"
)
_BOUND = lazy(
    r"(?i)==>\s{1,4}parameters: |binding parameter [\[(](?P<number>\d{1,4})(?:\] as \[\w{1,40}\] - |:\w{1,40}\) <- )\["
)
_BOUND_END = lazy(r"\](?: for (?P<column>\w{1,64}))?(?=\s|$)")
_SAID_BEFORE = lazy(r"(?i)preparing: |hibernate: |hibernate\.sql")
_BOUND_ITEM = lazy(r"(?:null|(?P<value>[^\r\n]*?)\([A-Z]\w{2,30}\))(?:, |$)")
_LINE_END = lazy(r"[\r\n]|\Z")
_FAILING = lazy(r"(?i)(?:failing row contains|行包含)\s?\(")
_IN_ROW = lazy(r"(?<=[( ])[^\s(),]{8,}(?=[,)])")
_NO_SECRET = lazy(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|\d{4}-\d\d-.*|[\w.+-]+@[\w.-]+")
_LINES = lazy(r"[^\n]*+\n|[^\n]++")
_UNDER = lazy(
    r"(?P<bars>[^\S\n]*+(?:[│|][^\S\n]++)*+)(?:└|->|│|\|)\s?(?P<value>(?:b?['\"]|[\[(]|\w{1,40}\(['\"]|\d{4,8}\b)[^\r\n]*+)?"
)
_NAME_ABOVE = lazy(r"\.?(\w{1,64})")
_BARS = lazy(r"[^\S\n]+\|(?:[^\S\n]*\|)*\s*")
_AT_BAR = lazy(r"\"[^\"\r\n]*\"|'[^'\r\n]*'|[^\s|│]\S*")
_LABEL = lazy(r"\s*(?:\w{0,4}(?:密[码碼钥鑰]|口令|令牌)|パスワード|비밀번호|пароль|contraseña)\s*")
_HEAD = lazy(  # and the line below it
    r"(?m)^(?:(?P<names>[^\n|│]{0,80}(?P<bar>[|│])[^\n]{1,1024})\n"
    r"[^\S\n]*[|+├]?[^\S\n]?[:─-]{2,80}[ |+┼:─-]{0,1024}[┤\r]?\n(?=[^\n|│]{0,80}[|│])"
    r"|(?P<list>[a-z_]{1,40}(?P<sign>[,;\t])[a-z_]{1,40}(?:(?P=sign)[a-z_]{1,40}){0,40})\r?\n)"
)
_VALUE = lazy(r"\s*(?P<value>[^\r\n]*\S)")
_STRING_DATA = lazy(r"(?m)^(?P<indent> *+)(?:stringD|d)ata:[^\S\n]*+\n")
_ENTRY = lazy(r"(?P<indent> *+)(?:[\w.-]{1,253}: ?(?:[|>][+-]?(?=\s))?)?(?P<value>[^\r\n]*+)")
_STATEMENT = lazy(r"(?i)\b(?:insert|update|select|delete|where)\b")
_WORD = lazy(r"\w{2,64}")
_NESTED = (  # datetime(2026, 1, 1)
    r"[\[({](?:[^\[\](){}'\"]++|'[^'\\]*+(?:\\.[^'\\]*+)*+'|\"[^\"\\]*+(?:\\.[^\"\\]*+)*+\")*+[\])}]"
)
_ITEM = lazy(  # 'x'::text
    r"\s*+(?P<value>(?:'[^'\\]*+(?:\\.[^'\\]*+)*+'?|\"[^\"\\]*+(?:\\.[^\"\\]*+)*+\"?"
    rf"|[^\s,()\[\]{{}}'\"]++|\s++(?![\s,)]|\Z)|{_NESTED})++)\s*+(?P<sign>,?)"
)
_ROW = lazy(r"[\s,\[]{0,8}\(|\[(?=['\"\d])")

_IN_COMMANDS = (
    *(" -", "'-", "sql", "echo ", "printf ", "ctl ", " /", "<<<", "wpa_", "rclone", "net use", "dp ", "rman ", "exp "),
    *("imp ", "qshell ", " alias ", "host add ", " login ", " auth "),
)
"""One of these stands in every such line."""


def without_positional(text: str, small: str) -> str:
    """``text`` with the secrets of calls, statements and command lines as ``***``. ``small`` is it in small letters."""
    has_lines = "\n" in text
    if has_one(small, _ALL_WORDS if has_lines else _WORDS):  # so few texts have
        for words, places in (*_ON_LINES, *_STATEMENTS) if has_lines else _STATEMENTS:
            if has_one(small, words):
                text = masked_at(text, places(text))
    if "(" in text or "args" in small:
        text = _CALLS.without(text, small)
        if has_one(small, _KEYED_WORDS):
            text = masked_at(text, _keys(text))
    return _COMMANDS.without(text, small) if has_one(small, _IN_COMMANDS) else text


def _keys(text: str) -> Iterator[tuple[int, int]]:
    """Literals that look like keys, among the arguments of such calls."""
    at = 0
    while call := _KEYED.search(text, at):
        line_end = text.find("\n", call.end(), call.end() + _SPAN)
        at = line_end if line_end >= 0 else min(call.end() + _SPAN, len(text))
        for literal in _LITERAL.finditer(text, call.end(), at):
            if literal["before"] is None and "://" not in literal["value"] and looks_secret(literal["value"]):
                yield literal.start("value"), literal.end("value")


def _parameters(text: str) -> Iterator[tuple[int, int]]:
    """SQLAlchemy's: [SQL: INSERT INTO u (name, password) VALUES (?, ?)]\n[parameters: ('bob', 'x')]"""
    done = 0
    while listed := _PARAMETERS.search(text, done):
        at = listed.start()
        statement = text[max(text.rfind("[SQL: ", done, at), at - 8192, done) : at]
        done = listed.end()
        if not _STATEMENT.search(statement) or not any(is_column(word) for word in set(_WORD.findall(statement))):
            continue
        places = _places(statement)
        for begin, end, place in _rows(text, done):
            if place in places:
                yield begin, end
            done = end


def _bound(text: str) -> Iterator[tuple[int, int]]:
    """MyBatis': ==> Parameters: bob(String), x(String)   Hibernate's: binding parameter [2] as [VARCHAR] - [x]"""
    done, line_end, places = 0, -1, set[int]()
    while bound := _BOUND.search(text, done):
        *others, statement = _SAID_BEFORE.split(text[max(bound.start() - 4096, done) : bound.start()])
        if others or _STATEMENT.search(statement):  # not one more of its lines
            places = _places(statement)
        done = bound.end()
        if line_end < done:
            line_end = _LINE_END.search(text, done).start()  # type: ignore[union-attr] # a text has an end
        if bound["number"]:
            end = _BOUND_END.search(text, done, line_end)
            if int(bound["number"]) - 1 in places or (end and is_column(end["column"] or "")):
                yield done, end.start() if end else line_end
            done = end.end() if end else line_end
            continue
        place = 0
        while item := _BOUND_ITEM.match(text, done, line_end):
            if place in places and item["value"]:
                yield item.span("value")
            done, place = item.end(), place + 1
            if done == line_end:
                break
        if done < line_end and place in places:  # the end was cut off
            yield done, line_end
        done = line_end


def _failing(text: str) -> Iterator[tuple[int, int]]:
    """PostgreSQL's: Failing row contains (7, bob, x)   Its columns are not told: a value has to look like a secret."""
    done = 0
    while row := _FAILING.search(text, done):
        done = row.end() + 4096
        for item in _IN_ROW.finditer(text, row.end(), done):
            if looks_secret(item[0]) and not _NO_SECRET.fullmatch(item[0]):
                yield item.span()
            if text.startswith(")", item.end()):
                done = item.end()
                break


def _under(text: str) -> Iterator[tuple[int, int]]:
    """loguru's and better-exceptions': below a line of source the values of its names, each under its name."""
    source, is_told = "", False
    for line in _LINES.finditer(text):
        if value := _UNDER.match(line[0]):
            name = _NAME_ABOVE.match(source, value.end("bars"))
            literal = value["value"].strip("b'\"") if value["value"] else ""
            if literal and ((name and is_column(name[1])) or (is_told and looks_secret(literal))):
                yield line.start() + value.start("value"), line.start() + value.end()
        else:
            source = line[0]
            is_told = any(kind_of(word) is Kind.SECRET for word in _WORD.findall(source[:_SPAN]))


def _asserted(text: str) -> Iterator[tuple[int, int]]:
    """Groovy's, power-assert's: below an expression bars, and below these the values, in the columns of their names."""
    above, source, bars = "", "", list[int]()
    for line in _LINES.finditer(text):
        if _BARS.fullmatch(line[0]):
            if not bars:
                source, bars = above, [at for at, sign in enumerate(line[0]) if sign == "|"]
            continue
        above = line[0]
        if bars and len(above) - len(above.lstrip()) not in bars:
            bars = []
        for at, following in zip(bars, (*bars[1:], len(above)), strict=False):
            name, value = _NAME_ABOVE.match(source, at), _AT_BAR.match(above, at)
            if name and value and is_column(name[1]) and not is_word(value[0].rstrip("|")):
                cut = value.end() > following and above[following] == "|"
                yield line.start() + at, line.start() + (following if cut else value.end())


def _in_columns(text: str) -> Iterator[tuple[int, int]]:
    """Tables of Markdown, of databases, and CSV: below a head with names of secrets."""
    done = 0
    while head := _HEAD.search(text, done):
        bar, done = head["bar"] or head["sign"], head.end()
        cells = (head["names"] or head["list"]).split(bar)
        places = [at for at, name in enumerate(cells) if is_column(name.strip(" *`")) or _LABEL.fullmatch(name)]
        for line in _LINES.finditer(text, done) if places else ():
            bars = [line.start() - 1, *(at for at in range(*line.span()) if text[at] == bar), line.end()]
            if len(bars) <= len(cells):
                break
            done = line.end()
            for place in places:
                value = _VALUE.match(text, bars[place] + 1, bars[place + 1])
                if value and not is_word(value["value"]):
                    yield value.span("value")


def _string_data(text: str) -> Iterator[tuple[int, int]]:
    """Kubernetes': all that stands below ``stringData:`` of a Secret."""
    for begin in _STRING_DATA.finditer(text):
        for line in _LINES.finditer(text, begin.end()):
            entry = _ENTRY.match(line[0])
            if entry is None or len(entry["indent"]) <= len(begin["indent"]):
                break
            if entry["value"]:
                yield line.start() + entry.start("value"), line.start() + entry.end()


def _executed(text: str) -> Iterator[tuple[int, int]]:
    """cursor.execute("INSERT INTO u (name, password) VALUES (%s, %s)", ("bob", "x"))"""
    at = 0
    while call := _EXECUTED.search(text, at):
        at, statement = call.end(), call["statement"]
        places = _places(statement, named=True)
        for begin, end, place in _rows(text, at):
            if place in places and text[begin] in "b'\"":
                yield begin, end
            at = end


def _places(statement: str, *, named: bool = False) -> set[int]:
    """Which of the statement's places are those of secrets: by the column before it, or where none is to be seen."""
    if insert := _INSERT.search(statement):
        return _columns(insert["columns"])
    found, name = set(), ""
    for number, place in enumerate(_PLACE.finditer(statement)):
        name = place["name"] or (name if place["next"] else "")
        if (not name and not named) or is_column(name):
            found.add(number)
    return found


def _inserted(text: str) -> Iterator[tuple[int, int]]:
    """INSERT INTO u (name, password) VALUES ('bob', 'x')"""
    at = 0
    while insert := _INSERT.search(text, at):
        at = insert.end()
        if places := _columns(insert["columns"]):
            for begin, end, place in _rows(text, at):
                if place in places and not _FILLED_IN.fullmatch(text, begin, end):
                    yield begin, end
                at = end


def _columns(text: str) -> set[int]:
    return {number for number, name in enumerate(text.split(",")) if is_column(name.strip(' \t\r\n"`[]'))}


def _rows(text: str, at: int) -> Iterator[tuple[int, int, int]]:
    """Begin, end and place of each value in ``('bob', 'x'), ('ann', 'y')``."""
    while row := _ROW.match(text, at):
        at, place = row.end(), 0
        while item := _ITEM.match(text, at):
            yield *item.span("value"), place
            at, place = item.end(), place + 1
            if not item["sign"]:
                break
        if not text.startswith((")", "]"), at):
            return
        at += 1


_STATEMENTS = (
    (("param", "args", "binding"), _parameters),
    (("==> param", "binding param"), _bound),
    (("failing row", "行包含"), _failing),
    (("execute",), _executed),
    (("insert",), _inserted),
)
_ON_LINES = (
    (("└", "-> '"), _under),
    (("|\n", "|\r\n"), _asserted),
    (("-|", "- |", ":|", "-+-", "─┼", ",passw", "\tpassw", ";passw", ",token", ",secret"), _in_columns),
    (("stringdata", "kind: secret"), _string_data),
)
"""Where names and values stand on lines of their own."""
_WORDS = tuple(word for words, _ in _STATEMENTS for word in words)
_ALL_WORDS = (*_WORDS, *(word for words, _ in _ON_LINES for word in words))
