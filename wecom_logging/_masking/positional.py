"""Positional secrets, which stand by their place and not behind a name: in calls, statements of SQL, command lines."""

from __future__ import annotations

from collections.abc import Iterator

from .names import Kind, is_chosen_value, is_column, is_secret_value, kind_of, looks_secret
from .patterns import BLANKS, Rule, Rules, has_one, lazy, masked_at

_QUOTED = r"(?:\"[^\"\\\r\n]*+(?:\\.[^\"\\\r\n]*+)*+\"?|'[^'\\\r\n]*+(?:\\.[^'\\\r\n]*+)*+'?)"
_ARGUMENT = r"b?(?:['\"][^'\"\r\n]{0,80}['\"]|[\w.]{1,80})"
_NEXT = rf"{_ARGUMENT},\s{{0,40}}"
_CALL = rf"\(\s{{0,40}}{_NEXT}"  # with its first argument
_NUMBER = r"(?:\d{1,5},\s{0,40})?+"

# Each has a "(".
_CALLS = Rules(
    (
        Rule(  # auth=('bob', 'x')   HTTPBasicAuth("bob", "x")   server.login('bob', 'x')
            rf"(?i)((?=[abdn.:-])(?:(?<![a-z])auth['\"]?{BLANKS}[:=]{BLANKS}|(?:\.|->|::)(?:login|logon|authenticate|auth|simple_bind(?:_s)?|username_pw_set)"
            rf"|(?:Basic|Digest|NTLM)\w{{0,8}}Auth|\.auth_password){_CALL}b?){_QUOTED}",
            ("auth", ".log", ">log", ":log", "bind", "_pw_set"),
        ),
        Rule(  # cx_Oracle.connect("u", "x", "host/service")
            rf"(\b(?:cx_Oracle|oracledb)\.connect{_CALL}){_QUOTED}",
            ("oracle.connect(", "oracledb.connect("),
        ),
        Rule(  # create_user(name, mail, "x")   Redis("h", 6379, 0, "x")   Connection(server, "cn=a", "x")
            rf"(\b(?:create_(?:super)?user|URL\.create|(?:Strict)?Redis|Connection|set_password|load_cert_chain)\("
            rf"\s{{0,40}}{_NEXT}{_NEXT}{_NUMBER})b?(?P<value>{_QUOTED})",
            ("user(", "url.create(", "redis(", "connection(", "set_password(", "load_cert_chain("),
            is_secret_value,
        ),
        Rule(  # SMTP("b@a.com", "x")   Credentials("bob", "x")   login("bob", "x")
            rf"(\b(?:\w{{0,24}}Credentials?|SMTP|UsmUserData|login|ldap_bind)\(\s{{0,40}}"
            rf"(?:Resource id #\d{{1,6}}, )?{_NEXT})b?(?P<value>{_QUOTED})",
            ("credentials(", "credential(", "smtp(", "usmuserdata(", "login(", "ldap_bind("),
            is_chosen_value,
        ),
        Rule(  # bcrypt.hashpw(b"x", salt)   jwt.decode(token, "x")   child.sendline("x")
            rf"(\b(?:bcrypt\.(?:hashpw|checkpw)|[A-Za-z_]{{0,24}}(?:context|ctx|hasher|bcrypt)\.(?:hash|verify)|sendline"
            rf"|(?:jwt\.(?:de|en)code|load_pem_private_key)\(\s{{0,40}}{_ARGUMENT},(?=\s))\(?\s{{0,40}})"
            rf"b?(?P<value>{_QUOTED})",
            ("bcrypt.", "context.", "ctx.", "hasher.", "sendline(", "jwt.", "load_pem_private_key("),
            is_secret_value,
        ),
        Rule(  # hmac.new(b"x", …)   pbkdf2_hmac("sha256", b"x", …): a key by its place
            rf"(\b(?:hmac\.(?:new|digest)\(\s{{0,40}}(?:key\s?=\s?)?|pbkdf2_hmac{_CALL}))"
            rf"b?{_QUOTED}",
            ("hmac.", "pbkdf2_hmac("),
        ),
        Rule(  # PlainTextAuthProvider("bob", "x")   Minio("host", "id", "x")   InfluxDBClient("host", 8086, "bob", "x")
            rf"(\b(?:\w{{0,24}}Auth(?:Provider|enticator)?\(|(?:Minio|InfluxDBClient|\w{{0,16}}Client)\(\s{{0,40}}{_ARGUMENT},)"
            rf"\s{{0,40}}{_NUMBER}{_NEXT})b?(?P<value>{_QUOTED})",
            ("auth(", "authprovider(", "authenticator(", "minio(", "client("),
            is_secret_value,
        ),
        Rule(  # add_argument("--password", default="x")
            r"((?:add_argument|add_option|\boption)\([^()\r\n]{0,80}--[\w-]{0,40}(?:passw(?:or)?d|token|secret|api-?key)\b"
            rf"[^()\r\n]{{0,120}}?\bdefault\s?=\s?)(?P<value>{_QUOTED})",
            ("add_argument(", "add_option(", "option("),
            is_secret_value,
        ),
        Rule(  # connect("localhost", "root", "x", "shop")   connect(host, 22, "root", "x")
            rf"((?:\b|_)(?:[cC]onnect|getConnection|FTP(?:_TLS)?|(?:PDO|mysqli)(?:->__construct)?){_CALL}{_NUMBER}{_NEXT}b?){_QUOTED}",
            ("connect(", "connection(", "ftp(", "ftp_tls(", "pdo", "mysqli"),
        ),
        Rule(
            r"(?i)(\b(?:pgp_sym|aes)_(?:en|de)crypt\((?:[^,()'\r\n]|'[^'\r\n]*'){1,200},\s{0,8})"
            r"'[^'\r\n]+'",
            ("crypt(",),
        ),
        Rule(  # ClickHouse's
            r"(\b(?:(?:mysql|postgresql|remote(?:Secure)?)\((?:\s?[^,()\r\n]{1,120},){4}"
            r"|s3\((?:\s?[^,()\r\n]{1,200},){2})\s?)'[^'\r\n]+'",
            ("mysql(", "postgresql(", "remote(", "remotesecure(", "s3("),
        ),
        Rule(  # PostgreSQL's: Key (token)=(x) already exists.
            r"(Key \((?P<names>[^()\r\n]{1,512})\)=\()(?!\*\*\*)[^\r\n]{1,512}?"
            r"(?=\) (?:already exists|is not|is still|conflicts))",
            ("key (",),
            lambda found: any(kind_of(name.strip(' "')) is Kind.SECRET for name in found["names"].split(",")),
        ),
    )
)

_KEYED = lazy(  # what takes a key or a token as it is
    r"(?:hmac\.(?:new|digest)|jwt\.(?:en|de)code|hashlib\.\w{1,10}|Fernet|AES\.new|OAuth\w{1,24}|set_access_token"
    r"|(?:Client|Credentials?|Auth|Push|SDK|API|Signer|Cipher|Crypto|Minio|Stripe|[Bb]ot|Robot)|\bargs[=:]\s?)\("
)
_KEYED_WORDS = (
    *("hmac.", "jwt.", "hashlib.", "fernet(", "aes.", "client(", "credential", "auth(", "push(", "sdk(", "signer("),
    *("cipher(", "bot(", "oauth", "set_access_token(", "api(", "crypto(", "minio(", "stripe(", "args=(", "args:"),
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
_IN_ROW = lazy(r"(?<=[( ])[^\s(),]{8,}(?=[,)])")
_NO_SECRET = lazy(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|\d{4}-\d\d-.*|[\w.+-]+@[\w.-]+")
_LINES = lazy(r"[^\n]*+\n|[^\n]++")
_UNDER = lazy(r"(?P<bars>[^\S\n]*+(?:[│|][^\S\n]++)*+)(?:└|->|│|\|)\s?(?P<value>b?['\"][^\r\n]*+)?")
_NAME_ABOVE = lazy(r"\.?(\w{1,64})")
_STRING_DATA = lazy(r"(?m)^(?P<indent> *+)stringData:[^\S\n]*+\n")
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

# Command lines, in which a secret stands behind an option that does not name it.
_OPTIONS = (  # programs, and the option that takes a password
    (("sqlcmd", "bcp", "mosquitto_pub", "mosquitto_sub", "ipmitool", "zip", "unzip"), r"-P\s?"),
    (("ldapsearch", "ldapmodify", "ldapadd", "ldapdelete", "ldappasswd", "ldapwhoami"), r"-w\s?"),
    (("ldappasswd",), r"-[as]\s"),
    (("ossutil", "ossutil64", "coscli"), r"-k\s"),
    (("coscmd config",), r"-s\s"),
    (("qshell account",), r"(?:-\w\s)?[\w-]{16,64}\s"),
    (("az login", "cf login", "cqlsh", "rabbitmqadmin", "ncftpput", "ncftpget", "psexec", "beeline"), r"-p\s"),
    (("obclient",), r"-p(?=\S)"),
    (("gsql", "gs_dump"), r"-W\s"),
    (("obsutil",), r"-k="),
    (("ssh-keygen",), r"-[NP]\s"),
    (("rclone obscure",), r""),
    (("7z", "7za"), r"-p(?=\S)"),
    (("openssl enc",), r"-k\s"),
    (("snmpget", "snmpset", "snmpwalk", "snmpbulkwalk"), r"-[Ac]\s"),
    (("snmpget", "snmpset", "snmpwalk", "snmpbulkwalk"), r"-X\s"),
    (("etcdctl",), r"--user[ =][^\s:]{1,64}:"),
    (("http", "https"), r"(?:-a|--auth)\s[^\s:]{1,64}:"),
    (("smbclient", "rpcclient"), r"-U\s?[^\s%]{1,64}%"),
    (("lftp",), r"-u\s[^\s,]{1,64},"),
    (("xfreerdp",), r"/p:"),
    (("net use",), r"/user:\S{1,64}\s"),
    (("net use",), r"\\{2,4}[^\s\\]{1,64}\\{1,2}\S{1,64}\s(?!/)"),
    (("net user",), r"(?!/)\S{1,64}\s(?=\S{1,64}\s/add)"),
    (("schtasks",), r"/r?p\s"),
    (("wpa_passphrase",), r"\S{1,64}\s"),
)

_COMMANDS = Rules(
    (
        Rule(
            r"(\bcurl\b(?:[^\r\nc]|c(?!url\b)){0,200}?[\s'\"](?:-[uUE]|--user|--proxy-user|--cert)(?:['\"],\s['\"]|\s?['\"]?)"
            r"(?!\w{1,8}://)[^\s:'\"]{1,64}:)[^\s'\"]+",
            ("curl",),
        ),
        Rule(
            r"(\bcurl\b(?:[^\r\nc]|c(?!url\b)){0,200}?\s(?:-b|--cookie)\s(?P<quote>['\"]))(?:(?!(?P=quote))[^\r\n]){1,4096}",
            ("curl",),
        ),
        Rule(  # mysql -pX   sshpass -p X   redis-cli -a X   also as a list of arguments
            r"(\b(?:(?:mysql|mariadb)(?:[^\r\nm]|m(?!ysql|ariadb)){0,200}?[\s'\"]-p(?:'(?=[^\s,'\]]))?(?=[^\s'\"])"
            r"|sshpass['\"]?,?\s['\"]?-p(?:['\"],\s['\"]|\s?['\"](?=\S)|\s)?"
            r"|redis-cli\b(?:[^\r\nr]|r(?!edis-cli)){0,100}?\s['\"]?-a(?:['\"],\s['\"]|\s)))"
            r"(?!['\"]|\d+:\d)[^\s'\"]+",
            ("mysql", "mariadb", "sshpass", "redis-cli"),
        ),
        Rule(  # ['x', '-p', 'Tr0ub4dor&3x']
            r"(['\"]-[kpsw]['\"],\s?['\"])(?P<value>[^\s'\"]{8,})",
            ("'-", '"-'),
            is_secret_value,
        ),
        Rule(  # docker login -u x -p X   mongosh -u x -p X
            r"((?:\b(?:docker|podman|nerdctl|oras|auth|registry)\slogin|\bmongo\w{0,8})\s"
            r"(?:(?!\slogin\s|\bmongo)[^\r\n|;]){0,200}?(?<=\s)-p[^\S\r\n])"
            r"(?!\d+(?:[:\s]|\Z))[^\s'\"-][^\s'\"]*",
            (" login ", "mongo"),
        ),
        *(
            Rule(
                rf"(\b(?:{'|'.join(programs)})\s(?:(?!\b(?:{'|'.join(programs)})\s)[^\r\n|;]){{0,200}}?(?<=\s){option})"
                r"['\"]?(?!-)[^\s'\"|;]+",
                tuple(f"{program} " for program in programs),
            )
            for programs, option in _OPTIONS
        ),
        Rule(  # isql source user x   rabbitmqctl add_user bob x   htpasswd -b file bob x
            r"(\b(?:isql\s(?:-\w{1,4}\s){0,4}[\w.-]{1,64}|rabbitmqctl\s(?:add_user|change_password|authenticate_user)"
            r"|htpasswd\s(?:-\w{0,4}n\w{0,4}|(?:-\w{1,6}\s){1,3}\S{1,128}))\s[\w.@-]{1,64}\s['\"]?)(?!-)[^\s'\"|;]+",
            ("isql ", "rabbitmqctl ", "htpasswd -"),
        ),
        Rule(  # echo x | sudo -S …   echo bob:x | chpasswd
            r"(\b(?:echo|printf)\s(?:-n\s)?['\"]?(?:[\w.-]{1,64}:)?)[^\s'\"|]{1,256}(?=['\"]?\s{0,4}\|\s{0,4}(?:kinit|chpasswd"
            r"|sudo\s(?:(?:-\w{1,8}\s){0,3}-S|chpasswd)|[^\r\n|]{1,160}\s--(?:password-|passphrase-|pass-)?stdin|docker\ssecret\screate)\b)",
            ("echo ", "printf "),
        ),
        Rule(  # kinit bob <<< 'x'
            r"((?:--(?:with-token|[\w-]{0,20}stdin)(?:\s[^\s<]{1,80})?|\bkinit\b[^\r\n<]{0,80}|\s-S)\s<<<\s?['\"]?)[^\s'\"]+",
            ("<<<",),
        ),
        Rule(r"(chpasswd\b[^\r\n<]{0,40}<<<\s?['\"]?[\w.-]{1,64}:)[^\s'\"]+", ("chpasswd",)),
        Rule(
            r"(\s-{1,2}(?:\w{1,12}-)?pass(?:in|out)?[ =]pass:)[^\s'\"]+",
            ("pass pass:", "pass=pass:", "in pass:", "out pass:"),
        ),
        Rule(
            r"(\b(?:sqlplus|expdp|impdp|sqlldr|rman)\s[^\r\n/]{0,60}?\b[\w$#]{1,30}/)[^\s@/'\"]{1,64}(?=@)",
            ("sqlplus", "expdp", "impdp", "sqlldr", "rman "),
        ),
    )
)
_IN_COMMANDS = (
    " -",
    "'-",
    "sql",
    "echo ",
    "ctl ",
    " /",
    "<<<",
    "wpa_",
    "rclone",
    "net use",
    "dp ",
    "printf ",
    "rman ",
    "qshell ",
)
"""One of these stands in every such line."""


def without_positional(text: str, small: str) -> str:
    """``text`` with the secrets of calls, statements and command lines as ``***``. ``small`` is it in small letters."""
    for words, places in _STATEMENTS:
        if has_one(small, words):
            text = masked_at(text, places(text))
    if "(" in text:
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
    (("failing row",), _failing),
    (("└", "-> '"), _under),
    (("stringdata",), _string_data),
    (("execute",), _executed),
    (("insert",), _inserted),
)
