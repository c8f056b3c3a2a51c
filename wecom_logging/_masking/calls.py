"""Calls of functions and statements of SQL, in which a secret stands by its place and not by a name."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .names import Kind, kind_of, looks_chosen, looks_like_key, looks_secret
from .patterns import Rule, Rules, has_one, lazy, masked_at

_B = r"[^\S\r\n]{0,8}"
_QUOTED = r"(?:\"[^\"\\\r\n]*+(?:\\.[^\"\\\r\n]*+)*+\"?|'[^'\\\r\n]*+(?:\\.[^'\\\r\n]*+)*+'?)"
_ARGUMENT = r"b?(?:['\"][^'\"\r\n]{0,80}['\"]|[\w.]{1,80})"


_KEY_WORDS = lazy(r"(?i)_(?:uniq(?:ue)?|uq|uk|idx|index|key)(?:_?\d+)?$")


def _is_secret(name: str) -> bool:
    return kind_of(name) is Kind.SECRET


def _is_column(name: str) -> bool:
    """In a statement a name is a name, so that words of other matters count, too."""
    return kind_of(name) in (Kind.SECRET, Kind.OFTEN)


def _is_chosen(found: re.Match[str]) -> bool:
    return looks_chosen(found["value"].removeprefix("b").strip("'\""))


def _is_set(found: re.Match[str]) -> bool:
    """A line of a configuration, or a command; in a sentence a value has to look like one."""
    text, (begin, end) = found.string, found.span()
    line = text[max(begin - 40, 0) : begin].rpartition("\n")[2].lower()
    alone = line.strip(" \t#") in ("", "sentinel") or line.endswith("config set ")
    return (alone and text[end : end + 1] in ("", "'", '"', "\r", "\n")) or looks_chosen(found["value"])


def _is_quoted_secret(found: re.Match[str]) -> bool:
    return looks_secret(found["value"].removeprefix("b").strip("'\""))


RULES = (
    Rule(  # ALTER USER bob PASSWORD 'x'   IDENTIFIED BY 'x'
        r"(?i)((?=[pi=])(?:\b(?:password|identified(?:\swith\s\w{1,40})?\sby)\s{1,8}|=\s?password\())'[^'\r\n]+'?",
        1,
        ("password ", "identified"),
    ),
    Rule(r"(?i)(ConvertTo-SecureString\s(?:-String\s)?)['\"][^'\"\r\n]+['\"]", 1, ("convertto-securestring",)),
    Rule(  # the words of BIP 39
        r"(?i)((?=[msr助])(?:mnemonic|(?:seed|recovery) phrase|助记词)\W{1,6})"
        r"(?:[a-z]{3,8}[ ,]{1,3}){11,23}+[a-z]{3,8}",
        1,
        ("mnemonic", "phrase", "助记词"),
    ),
    Rule(r"((?:Unseal|Recovery) Key(?: \d{1,2})?: )\S+", 1, ("unseal key", "recovery key")),  # Vault's
    # Oracle's user/x@host
    Rule(r"(\b[\w$#]{1,30}/)[^\s@/'\"]{1,64}(?=@//[\w.-]{1,80}[:/])", 1, ("@//",)),
    Rule(
        r"((?<![\w/:.@-])[\w$#]{1,30}/)(?P<value>[^\s@/'\"]{8,64})(?=@[\w.-]{1,80}:\d{2,5}\b)",
        1,
        ("@",),
        lambda found: looks_secret(found["value"]),
    ),
    Rule(  # ZooKeeper's
        r"(\bdigest['\"]?,?\s['\"]?(?!sha|md5)[\w.-]{1,64}:)(?P<value>[^\s'\",]+)",
        1,
        ("digest",),
        lambda found: looks_secret(found["value"]),
    ),
    Rule(
        r"(\b(?:connect|create_pool)\(\s{0,8}['\"][\w$#]{1,30}/)[^\s@/'\"]{1,64}(?=@)", 1, ("connect(", "create_pool(")
    ),
    Rule(  # a line of .pgpass
        r"(?m)^([\w.*-]{1,80}:(?:\d{2,5}|\*):[\w*-]{1,63}:[\w*-]{1,63}:)\S+$", 1, (":5432:", ":*:")
    ),
    # What is said to a server of IMAP, of Redis, of SMTP
    Rule(
        (
            r"(\b[A-Za-z]{0,6}\d{1,6} LOGIN (?:\"[^\"\r\n]{1,80}\"|[^\s\"]{1,80}) )"
            r"(?:\"[^\"\r\n]*\"?|[^\s'\"]+)"
        ),
        1,
        (" login ",),
    ),
    Rule(
        (
            r"((?P<quote>['\"])AUTH(?P=quote),?\s(?:(?P=quote)[^'\"\r\n]{1,64}(?P=quote),?\s)?(?P=quote))"
            r"[^'\"\r\n]+"
        ),
        1,
        ("'auth'", '"auth"'),
    ),
    Rule(r"(\bAUTH\s[\w.@-]{1,64}\s)(?P<value>[^\s'\",;]+)", 1, ("auth ",), _is_chosen),
    Rule(  # words of configurations, of which a blank is the sign
        r"((?:requirepass|masterauth|bindpw|rootpw|auth-pass \S{1,64})\s{1,8}['\"]?)(?P<value>[^\s'\"]+)",
        1,
        ("requirepass", "masterauth", "pw ", "auth-pass"),
        _is_set,
    ),
    Rule(r"(PSK\s{1,4}['\"])[^'\"\r\n]+", 1, ("psk ",)),
    Rule(r"(?m)((?:ftp> |^USER \S{1,64}\r?\n(?:[^\r\n]{0,160}\r?\n){0,2})PASS )\S+", 1, ("pass ",)),
    Rule(r"(WIFI:(?:[A-OQ-Z]:(?:[^;\\\r\n]|\\.){0,128};){0,5}P:)(?:[^;\\\r\n]|\\.)+", 1, ("wifi:",)),
    Rule(  # what PHP serializes
        r"(s:\d{1,4}:\\{0,3}\"(?P<name>[\w-]{2,64})\\{0,3}\";s:\d{1,6}:\\{0,3}\")[^\"\\]+",
        1,
        (";s:",),
        lambda found: _is_column(found["name"]),
    ),
    # Errors of a URL that was torn before its password, and of a configuration
    Rule(
        r"((?:nonnumeric port: |invalid literal for int\(\) with base \d{1,2}: |to integer value as )['\"])"
        r"[^'\"\r\n]{1,4096}(?=@)",
        1,
        ("nonnumeric port", "invalid literal", "integer value"),
    ),
    Rule(
        r"(option '(?P<name>[^'\r\n]{1,80})'[^\r\n]{0,200}?Raw value: )'[^\r\n]+",
        1,
        ("raw value",),
        lambda found: _is_column(found["name"]),
    ),
    Rule(r"('%' must be followed by '%' or '\(', found: )'[^\r\n]+", 1, ("must be followed by '%'",)),
    Rule(  # pydantic's input, when the end of a name and the beginning of its value are cut out
        r"(input_value=\{(?:[^'\r\n]|'[^'\r\n.]*'){0,60}?'(?P<name>\w{0,40})\.\.\.)"
        r"(?P<value>[^'\s]{3,40})(?=')(?!': )",
        1,
        ("input_value=",),
        lambda found: looks_chosen(found["value"]) or found["name"][:4].lower() in ("pass", "secr", "toke", "api_"),
    ),
    Rule(
        r"(?i)(\buser\s\S{1,64}\son\s(?:[^\s>]{1,40}\s){0,4}>|\bsetuser\s\S{1,64}\s(?:[^\s>]{1,40}\s){0,4}>)\S+",
        1,
        (" >",),
    ),
    Rule(  # what network gear is told
        (
            r"(\b(?:snmp-server community|(?:radius|tacacs)-server (?:host \S{1,64} )?key(?: \d)?"
            r"|username \S{1,64} (?:privilege \d{1,2} )?(?:secret|password) \d) )[^\s'\"]+"
        ),
        1,
        ("snmp-server", "s-server ", "username "),
    ),
    Rule(  # of two signatures
        (
            r"(?i)((?=[shd])\b(?:signature|sign|hmac|digest)\b[^\r\n:=,;]{0,40}[:,;]\s?(?:expected|got|received|calculated|computed)"
            r"[:=]?\s['\"]?)[0-9A-Za-z+/_-]{20,256}=*"
        ),
        1,
        ("signature", "hmac"),
    ),
    Rule(
        (
            r"(?i)((?=[egc])(?:expected|got|calculated|computed)[:=]?\s['\"]?\*\*\*['\"]?,?\s(?:but )?"
            r"(?:got|received|actual|expected)[:=]?\s['\"]?)[0-9A-Za-z+/_-]{20,256}=*"
        ),
        1,
        ("signature", "hmac"),
    ),
    Rule(  # a code of a short message, a mail or an application
        (
            r"(?i)((?=[vslotmc2])\b(?:(?:verification|security|login|sms|one-time|two-factor|2fa|mfa|otp|confirmation)"
            r"[ -](?:pass)?code|otp)(?:(?: for \S{1,64})? is)?:?\s['\"]?)\d{4,8}(?![\w.:-])"
        ),
        1,
        (" code", "passcode", "otp"),
    ),
    Rule(r"(following password\b[^\r\n]{0,60}:\s{2,8})[0-9A-Za-z]{16,64}", 1, ("following password",)),  # Jenkins'
    Rule(r"(/reset/[\w-]{1,24}/)[0-9a-z]{1,13}-[0-9a-f]{20,64}", 1, ("/reset/",)),  # Django's
    Rule(r"(334 UGFzc3dvcmQ6(?:[^\r\n]|\r?\n){0,160}?send: b?['\"])[^'\"\\\r\n]+", 1, ("ugfzc3dvcmq6",)),
    # Statements of SQL
    Rule(
        (
            r"(?i)(\b(?:(?:create|alter)\s{1,8}user|connect\s{1,8}to)\s{1,8}\S{1,64}\s{1,8}identified\s{1,8}by\s{1,8})"
            r"(?!values\b)[^\s'\";,]+"
        ),
        1,
        ("identified",),
    ),
    Rule(r"(<Cookie [^\s=<>]{1,128}=)(?!\*\*\*)[^\s<>]+(?= for )", 1, ("<cookie ",)),  # http.cookiejar's
    Rule(  # MySQL's
        r"(Duplicate entry )'[^\r\n]{1,512}?(?=' for key '(?P<key>[^'\r\n]{1,128})')'",
        1,
        ("duplicate entry ",),
        lambda found: _is_secret(_KEY_WORDS.sub("", found["key"])),
    ),
    Rule(r"(pgpass\S{0,8} [\w.*-]{1,80}:[\d*]{1,5}:[\w*-]{1,63}:[\w*-]{1,63}:)\S+", 1, ("pgpass",)),
)

# Each has a "(".
_CALLS = Rules(
    (
        Rule(  # auth=('bob', 'x')   HTTPBasicAuth("bob", "x")   server.login('bob', 'x')
            (
                rf"(?i)((?=[abdn.:-])(?:(?<![a-z])auth['\"]?{_B}[:=]{_B}|(?:\.|->|::)(?:login|logon|authenticate|auth|simple_bind(?:_s)?|username_pw_set)"
                rf"|(?:Basic|Digest|NTLM)\w{{0,8}}Auth|\.auth_password)\(\s{{0,40}}{_ARGUMENT},\s{{0,40}}b?){_QUOTED}"
            ),
            1,
            ("auth", ".log", ">log", ":log", "bind", "_pw_set"),
        ),
        Rule(  # cx_Oracle.connect("u", "x", "host/service")
            rf"(\b(?:cx_Oracle|oracledb)\.connect\(\s{{0,40}}{_ARGUMENT},\s{{0,40}}){_QUOTED}",
            1,
            ("oracle.connect(", "oracledb.connect("),
        ),
        Rule(  # create_user(name, mail, "x")   Redis("h", 6379, 0, "x")   Connection(server, "cn=a", "x")
            (
                rf"(\b(?:create_(?:super)?user|URL\.create|(?:Strict)?Redis|Connection|set_password|load_cert_chain)\("
                rf"\s{{0,40}}{_ARGUMENT},\s{{0,40}}{_ARGUMENT},\s{{0,40}}(?:\d{{1,4}},\s{{0,40}})?+)(?P<value>b?{_QUOTED})"
            ),
            1,
            (
                "create_user(",
                "create_superuser(",
                "url.create(",
                "redis(",
                "connection(",
                "set_password(",
                "load_cert_chain(",
            ),
            _is_quoted_secret,
        ),
        Rule(  # SMTP("b@a.com", "x")   Credentials("bob", "x")   login("bob", "x")
            rf"(\b(?:\w{{0,24}}Credentials?|SMTP|UsmUserData|login|ldap_bind)\(\s{{0,40}}"
            rf"(?:Resource id #\d{{1,6}}, )?{_ARGUMENT},\s{{0,40}})(?P<value>b?{_QUOTED})",
            1,
            ("credentials(", "credential(", "smtp(", "usmuserdata(", "login(", "ldap_bind("),
            _is_chosen,
        ),
        Rule(  # bcrypt.hashpw(b"x", salt)   jwt.decode(token, "x")   child.sendline("x")
            (
                rf"(\b(?:bcrypt\.(?:hashpw|checkpw)|[A-Za-z_]{{0,24}}(?:context|ctx|hasher|bcrypt)\.(?:hash|verify)|sendline"
                rf"|(?:jwt\.(?:de|en)code|load_pem_private_key)\(\s{{0,40}}{_ARGUMENT},(?=\s))\(?\s{{0,40}})"
                rf"(?P<value>b?{_QUOTED})"
            ),
            1,
            ("bcrypt.", "context.", "ctx.", "hasher.", "sendline(", "jwt.", "load_pem_private_key("),
            _is_quoted_secret,
        ),
        Rule(  # hmac.new(b"x", …)   pbkdf2_hmac("sha256", b"x", …): a key by its place
            (
                rf"(\b(?:hmac\.(?:new|digest)\(\s{{0,40}}(?:key\s?=\s?)?|pbkdf2_hmac\(\s{{0,40}}{_ARGUMENT},\s{{0,40}}))"
                rf"b?{_QUOTED}"
            ),
            1,
            ("hmac.", "pbkdf2_hmac("),
        ),
        Rule(  # PlainTextAuthProvider("bob", "x")   Minio("host", "id", "x")   InfluxDBClient("host", 8086, "bob", "x")
            (
                rf"(\b(?:\w{{0,24}}Auth(?:Provider|enticator)?\(|(?:Minio|InfluxDBClient|\w{{0,16}}Client)\(\s{{0,40}}{_ARGUMENT},)"
                rf"\s{{0,40}}(?:\d{{1,5}},\s{{0,40}})?+{_ARGUMENT},\s{{0,40}})(?P<value>b?{_QUOTED})"
            ),
            1,
            ("auth(", "authprovider(", "authenticator(", "minio(", "client("),
            _is_quoted_secret,
        ),
        Rule(  # add_argument("--password", default="x")
            (
                r"((?:add_argument|add_option|\boption)\([^()\r\n]{0,80}--[\w-]{0,40}(?:passw(?:or)?d|token|secret|api-?key)\b"
                rf"[^()\r\n]{{0,120}}?\bdefault\s?=\s?)(?P<value>{_QUOTED})"
            ),
            1,
            ("add_argument(", "add_option(", "option("),
            lambda found: looks_secret(found["value"].strip("'\"")),
        ),
        Rule(  # connect("localhost", "root", "x", "shop")   connect(host, 22, "root", "x")
            rf"((?:\b|_)(?:[cC]onnect|getConnection|FTP(?:_TLS)?|(?:PDO|mysqli)(?:->__construct)?)\(\s{{0,40}}{_ARGUMENT},\s{{0,40}}(?:\d{{1,5}},\s{{0,40}})?+{_ARGUMENT},\s{{0,40}}b?){_QUOTED}",
            1,
            ("connect(", "connection(", "ftp(", "ftp_tls(", "pdo", "mysqli"),
        ),
        Rule(
            (
                r"(?i)(\b(?:pgp_sym|aes)_(?:en|de)crypt\((?:[^,()'\r\n]|'[^'\r\n]*'){1,200},\s{0,8})"
                r"'[^'\r\n]+'"
            ),
            1,
            ("crypt(",),
        ),
        Rule(  # ClickHouse's
            (
                r"(\b(?:(?:mysql|postgresql|remote(?:Secure)?)\((?:\s?[^,()\r\n]{1,120},){4}"
                r"|s3\((?:\s?[^,()\r\n]{1,200},){2})\s?)'[^'\r\n]+'"
            ),
            1,
            ("mysql(", "postgresql(", "remote(", "remotesecure(", "s3("),
        ),
        Rule(  # PostgreSQL's: Key (token)=(x) already exists.
            (
                r"(Key \((?P<names>[^()\r\n]{1,512})\)=\()(?!\*\*\*)[^\r\n]{1,512}?"
                r"(?=\) (?:already exists|is not|is still|conflicts))"
            ),
            1,
            ("key (",),
            lambda found: any(_is_secret(name.strip(' "')) for name in found["names"].split(",")),
        ),
    )
)

_KEYED = lazy(  # what takes a key or a token as it is
    r"(?:hmac\.(?:new|digest)|jwt\.(?:en|de)code|hashlib\.\w{1,10}|Fernet|AES\.new|OAuth\w{1,24}|set_access_token"
    r"|(?:Client|Credentials?|Auth|Push|SDK|API|Signer|Cipher|Crypto|Minio|Stripe|[Bb]ot|Robot))\("
)
_KEYED_WORDS = (
    *("hmac.", "jwt.", "hashlib.", "fernet(", "aes.", "client(", "credential", "auth(", "push(", "sdk(", "signer("),
    *("cipher(", "bot(", "oauth", "set_access_token(", "api(", "crypto(", "minio(", "stripe("),
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
_FAILING = lazy(r"(?i)failing row contains \(")
_KEY_IN_ROW = lazy(r"(?<=[( ])[^\s(),]{20,}(?=[,)])")
_ID = lazy(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
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


def without_keys(text: str, small: str) -> str:
    """``text`` with the secrets of calls and statements as ``***``."""
    if "param" in small or "args" in small or "binding" in small:
        text = masked_at(text, _parameters(text))
    if "==> param" in small or "binding param" in small:
        text = masked_at(text, _bound(text))
    if "(" not in text:
        return text
    if "failing row" in small:
        text = masked_at(text, _failing(text))
    text = _CALLS.without(text, small)
    if has_one(small, _KEYED_WORDS):
        text = masked_at(text, _keys(text))
    if "execute" in small:
        text = masked_at(text, _executed(text))
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
            if literal["before"] is None and "://" not in literal["value"] and looks_secret(literal["value"]):
                yield literal.start("value"), literal.end("value")


def _parameters(text: str) -> Iterator[tuple[int, int]]:
    """SQLAlchemy's: [SQL: INSERT INTO u (name, password) VALUES (?, ?)]\n[parameters: ('bob', 'x')]"""
    done = 0
    while listed := _PARAMETERS.search(text, done):
        at = listed.start()
        statement = text[max(text.rfind("[SQL: ", done, at), at - 8192, done) : at]
        done = listed.end()
        if not _STATEMENT.search(statement) or not any(_is_column(word) for word in set(_WORD.findall(statement))):
            continue
        insert = _INSERT.search(statement)
        places = _columns(insert["columns"]) if insert else _places(statement)
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
            insert = _INSERT.search(statement)
            places = _columns(insert["columns"]) if insert else _places(statement)
        done = bound.end()
        if line_end < done:
            line_end = _LINE_END.search(text, done).start()  # type: ignore[union-attr] # a text has an end
        if bound["number"]:
            end = _BOUND_END.search(text, done, line_end)
            if int(bound["number"]) - 1 in places or (end and _is_column(end["column"] or "")):
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
    """PostgreSQL's: Failing row contains (7, bob, x)   Its columns are not told: a value has to look like a key."""
    done = 0
    while row := _FAILING.search(text, done):
        done = row.end() + 4096
        for item in _KEY_IN_ROW.finditer(text, row.end(), done):
            if not _ID.fullmatch(item[0]) and looks_like_key(item[0]):
                yield item.span()
            if text.startswith(")", item.end()):
                done = item.end()
                break


def _executed(text: str) -> Iterator[tuple[int, int]]:
    """cursor.execute("INSERT INTO u (name, password) VALUES (%s, %s)", ("bob", "x"))"""
    at = 0
    while call := _EXECUTED.search(text, at):
        at, statement = call.end(), call["statement"]
        insert = _INSERT.search(statement)
        places = _columns(insert["columns"]) if insert else _places(statement, named=True)
        for begin, end, place in _rows(text, at):
            if place in places and text[begin] in "b'\"":
                yield begin, end
            at = end


def _places(statement: str, *, named: bool = False) -> set[int]:
    """Which of the statement's places are those of secrets: by the column before it, or where none is to be seen."""
    found, name = set(), ""
    for number, place in enumerate(_PLACE.finditer(statement)):
        name = place["name"] or (name if place["next"] else "")
        if (not name and not named) or _is_column(name):
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
    return {number for number, name in enumerate(text.split(",")) if _is_column(name.strip(' \t\r\n"`[]'))}


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
