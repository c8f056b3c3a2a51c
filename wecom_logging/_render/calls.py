"""Calls of functions, statements of SQL and command lines, in which a secret stands by its place and not by a name."""

from __future__ import annotations

from collections.abc import Iterator

from .names import Kind, kind_of, looks_secret
from .patterns import Rule, lazy, masked_at

_B = r"[^\S\r\n]{0,8}"
_QUOTED = r"(?:\"[^\"\\\r\n]*+(?:\\.[^\"\\\r\n]*+)*+\"?|'[^'\\\r\n]*+(?:\\.[^'\\\r\n]*+)*+'?)"
_ARGUMENT = r"b?(?:['\"][^'\"\r\n]{0,80}['\"]|[\w.]{1,80})"

_KEY_WORDS = lazy(r"(?i)_(?:uniq(?:ue)?|uq|uk|idx|index|key)(?:_?\d+)?$")


def _is_secret(name: str) -> bool:
    return kind_of(name) is Kind.SECRET


RULES = (
    Rule(  # auth=('bob', 'x')   HTTPBasicAuth("bob", "x")   server.login('bob', 'x')
        (
            rf"(?i)((?:(?<![a-z])auth['\"]?{_B}[:=]{_B}|\.(?:login|logon|authenticate|auth|simple_bind(?:_s)?|username_pw_set)"
            rf"|(?:Basic|Digest|NTLM)\w{{0,8}}Auth)\(\s{{0,40}}{_ARGUMENT},\s{{0,40}}b?){_QUOTED}"
        ),
        1,
        ("auth", ".log", "bind", "_pw_set"),
    ),
    Rule(  # connect("localhost", "root", "x", "shop")   connect(host, 22, "root", "x")
        rf"((?:\b|_)(?:[cC]onnect|getConnection|FTP(?:_TLS)?|PDO(?:->__construct)?)\(\s{{0,40}}{_ARGUMENT},\s{{0,40}}(?:\d{{1,5}},\s{{0,40}})?+{_ARGUMENT},\s{{0,40}}b?){_QUOTED}",
        1,
        ("connect(", "connection(", "ftp(", "ftp_tls(", "pdo"),
    ),
    Rule(  # ALTER USER bob PASSWORD 'x'   IDENTIFIED BY 'x'
        r"(?i)(\b(?:password|identified(?:\swith\s\w{1,40})?\sby)\s{1,8}|=\s?password\()'[^'\r\n]+'",
        1,
        ("password ", "identified"),
    ),
    Rule(
        r"(\bcurl\b(?:[^\r\nc]|c(?!url\b)){0,200}?\s(?:-u|--user)\s?['\"]?[^\s:'\"]{1,64}:)[^\s'\"]+",
        1,
        ("curl",),
    ),
    Rule(
        r"(\bcurl\b(?:[^\r\nc]|c(?!url\b)){0,200}?\s(?:-b|--cookie)\s(?P<quote>['\"]))(?:(?!(?P=quote))[^\r\n]){1,4096}",
        1,
        ("curl",),
    ),
    Rule(  # mysql -pX   sshpass -p X   redis-cli -a X   also as a list of arguments
        (
            r"(\b(?:(?:mysql|mariadb)(?:[^\r\nm]|m(?!ysql|ariadb)){0,200}?[\s'\"]-p(?:'(?=[^\s,'\]]))?(?=[^\s'\"])"
            r"|sshpass['\"]?,?\s['\"]?-p(?:['\"],\s['\"]|\s)?"
            r"|redis-cli\b(?:[^\r\nr]|r(?!edis-cli)){0,100}?\s['\"]?-a(?:['\"],\s['\"]|\s)))"
            r"(?!['\"]|\d+:\d)[^\s'\"]+"
        ),
        1,
        ("mysql", "mariadb", "sshpass", "redis-cli"),
    ),
    Rule(  # ['x', '-p', 'Tr0ub4dor&3x']
        r"(['\"]-p['\"],\s?['\"])(?P<value>[^\s'\"]{8,})",
        1,
        ("'-p'", '"-p"'),
        lambda found: looks_secret(found["value"]),
    ),
    Rule(  # docker login -u x -p X   mongosh -u x -p X
        (
            r"(\b(?:docker\slogin|mongo\w{0,8})\s(?:[^\r\ndm]|d(?!ocker)|m(?!ongo)){0,200}?(?<=\s)-p[^\S\r\n])"
            r"(?!\d+(?:[:\s]|\Z))[^\s'\"-][^\s'\"]*"
        ),
        1,
        ("docker login", "mongo"),
    ),
    Rule(r"(\s-pass(?:in|out)\spass:)[^\s'\"]+", 1, ("-pass",)),  # openssl's
    Rule(r"(<Cookie [^\s=<>]{1,128}=)(?!\*\*\*)[^\s<>]+(?= for )", 1, ("<cookie ",)),  # http.cookiejar's
    Rule(  # PostgreSQL's: Key (token)=(x) already exists.
        (
            r"(Key \((?P<names>[^()\r\n]{1,512})\)=\()(?!\*\*\*)[^\r\n]{1,512}?"
            r"(?=\) (?:already exists|is not|is still|conflicts))"
        ),
        1,
        ("key (",),
        lambda found: any(_is_secret(name.strip(' "')) for name in found["names"].split(",")),
    ),
    Rule(  # MySQL's
        r"(Duplicate entry )'[^\r\n]{1,512}?(?=' for key '(?P<key>[^'\r\n]{1,128})')'",
        1,
        ("duplicate entry ",),
        lambda found: _is_secret(_KEY_WORDS.sub("", found["key"])),
    ),
    Rule(r"(pgpass\S{0,8} [\w.*-]{1,80}:[\d*]{1,5}:[\w*-]{1,63}:[\w*-]{1,63}:)\S+", 1, ("pgpass",)),
)

_KEYED = lazy(  # what takes a key or a token as it is
    r"(?:hmac\.(?:new|digest)|jwt\.(?:en|de)code|hashlib\.\w{1,10}|Fernet|AES\.new"
    r"|(?:Client|Credentials?|Auth|Push|SDK|Signer|Cipher|[Bb]ot|Robot))\("
)
_KEYED_WORDS = (
    *("hmac.", "jwt.", "hashlib.", "fernet(", "aes.", "client(", "credential", "auth(", "push(", "sdk(", "signer("),
    *("cipher(", "bot("),
)
_LITERAL = lazy(r"(?P<before>\w{1,40}\s?[=:]\s?)?[bruf]?(?P<quote>['\"])(?P<value>[^'\"\r\n]{16,512})(?P=quote)")
_SPAN = 300

_INSERT = lazy(
    r"(?i)\binsert\s{1,8}into\s{1,8}[\w.\"`\[\]]{1,80}\s{0,8}\((?P<columns>[^()]{1,2048})\)\s{0,8}values\s{0,8}"
)
_PLACE = lazy(  # password = ?   token in (?, ?)
    r"(?i)(?:(?<!\w)(?P<name>\w{1,64}+)[\"`\]]?\s{0,4}"
    r"(?:=|<>|!=|(?:not\s)?i?like|(?:not\s)?in\s{0,4}\()\s{0,4}|(?P<next>,\s{0,4}))?"
    r"(?:\?|%s|%\(\w{1,64}\)s|\$\d{1,4})"
)
_FILLED_IN = lazy(r"\?|%s|%\(\w+\)s|:\w+|\$\d+|(?i:null|default)")
_WORD = lazy(r"\w{2,64}")
_NESTED = (  # datetime(2026, 1, 1)
    r"[\[({](?:[^\[\](){}'\"]++|'[^'\\]*+(?:\\.[^'\\]*+)*+'|\"[^\"\\]*+(?:\\.[^\"\\]*+)*+\")*+[\])}]"
)
_ITEM = lazy(  # 'x'::text
    r"\s*+(?P<value>(?:'[^'\\]*+(?:\\.[^'\\]*+)*+'?|\"[^\"\\]*+(?:\\.[^\"\\]*+)*+\"?"
    rf"|[^\s,()\[\]{{}}'\"]++|\s++(?![\s,)]|\Z)|{_NESTED})++)\s*+(?P<sign>,?)"
)
_ROW = lazy(r"[\s,\[]{0,8}\(")


def without_keys(text: str, small: str) -> str:
    """``text`` with the secrets of calls and statements as ``***``."""
    if "(" not in text:
        return text
    if any(word in small for word in _KEYED_WORDS):
        text = masked_at(text, _keys(text))
    if "[parameters: " in small:
        text = masked_at(text, _parameters(text))
    if "insert" in small:
        text = masked_at(text, _inserted(text))
    return text


def _keys(text: str) -> Iterator[tuple[int, int]]:
    """Literals that look like keys, among the arguments of such calls."""
    at = 0
    while call := _KEYED.search(text, at):
        line_end = text.find("\n", call.end(), call.end() + _SPAN)
        at = line_end if line_end >= 0 else min(call.end() + _SPAN, len(text))
        for literal in _LITERAL.finditer(text, call.end(), at):
            if literal["before"] is None and looks_secret(literal["value"]):
                yield literal.start("value"), literal.end("value")


def _parameters(text: str) -> Iterator[tuple[int, int]]:
    """SQLAlchemy's: [SQL: INSERT INTO u (name, password) VALUES (?, ?)]\n[parameters: ('bob', 'x')]"""
    at = done = 0
    while (at := text.find("[parameters: ", done)) >= 0:
        statement = text[max(text.rfind("[SQL: ", done, at), at - 8192, done) : at]
        done = at + len("[parameters: ")
        if not any(_is_secret(word) for word in set(_WORD.findall(statement))):
            continue
        insert = _INSERT.search(statement)
        places = _columns(insert["columns"]) if insert else _places(statement)
        for begin, end, place in _rows(text, done):
            if place in places:
                yield begin, end
            done = end


def _places(statement: str) -> set[int]:
    """Which of the statement's places are those of secrets: by the column before it, or where none is to be seen."""
    found, name = set(), ""
    for number, place in enumerate(_PLACE.finditer(statement)):
        name = place["name"] or (name if place["next"] else "")
        if not name or _is_secret(name):
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
    return {number for number, name in enumerate(text.split(",")) if _is_secret(name.strip(' \t\r\n"`[]'))}


def _rows(text: str, at: int) -> Iterator[tuple[int, int, int]]:
    """Begin, end and place of each value in ``('bob', 'x'), ('ann', 'y')``."""
    while row := _ROW.match(text, at):
        at, place = row.end(), 0
        while item := _ITEM.match(text, at):
            yield *item.span("value"), place
            at, place = item.end(), place + 1
            if not item["sign"]:
                break
        if not text.startswith(")", at):
            return
        at += 1
