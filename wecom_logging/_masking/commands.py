"""Command lines, in which a secret stands behind an option that does not name it."""

from __future__ import annotations

from .names import looks_secret
from .patterns import Rule, Rules

_OPTIONS = (  # programs, and the option that takes a password
    (("sqlcmd", "bcp", "mosquitto_pub", "mosquitto_sub", "ipmitool", "zip", "unzip"), r"-P\s?"),
    (("ldapsearch", "ldapmodify", "ldapadd", "ldapdelete", "ldappasswd", "ldapwhoami"), r"-w\s?"),
    (("az login", "cqlsh", "rabbitmqadmin", "ncftpput", "ncftpget", "psexec", "beeline"), r"-p\s"),
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

_RULES = Rules(
    (
        Rule(
            r"(\bcurl\b(?:[^\r\nc]|c(?!url\b)){0,200}?[\s'\"](?:-[uUE]|--user|--proxy-user|--cert)(?:['\"],\s['\"]|\s?['\"]?)"
            r"(?!\w{1,8}://)[^\s:'\"]{1,64}:)[^\s'\"]+",
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
                r"|sshpass['\"]?,?\s['\"]?-p(?:['\"],\s['\"]|\s?['\"](?=\S)|\s)?"
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
                r"((?:\b(?:docker|podman|nerdctl|oras|auth|registry)\slogin|\bmongo\w{0,8})\s"
                r"(?:(?!\slogin\s|\bmongo)[^\r\n|;]){0,200}?(?<=\s)-p[^\S\r\n])"
                r"(?!\d+(?:[:\s]|\Z))[^\s'\"-][^\s'\"]*"
            ),
            1,
            (" login ", "mongo"),
        ),
        *(
            Rule(
                rf"(\b(?:{'|'.join(programs)})\s(?:(?!\b(?:{'|'.join(programs)})\s)[^\r\n|;]){{0,200}}?(?<=\s){option})"
                r"['\"]?(?!-)[^\s'\"|;]+",
                1,
                tuple(f"{program} " for program in programs),
            )
            for programs, option in _OPTIONS
        ),
        Rule(  # isql source user x   rabbitmqctl add_user bob x   htpasswd -b file bob x
            (
                r"(\b(?:isql\s[\w.-]{1,64}|rabbitmqctl\s(?:add_user|change_password|authenticate_user)"
                r"|htpasswd\s(?:-\w{0,4}n\w{0,4}|(?:-\w{1,6}\s){1,3}\S{1,128}))\s[\w.@-]{1,64}\s['\"]?)(?!-)[^\s'\"|;]+"
            ),
            1,
            ("isql ", "rabbitmqctl ", "htpasswd -"),
        ),
        Rule(  # echo x | sudo -S …   echo bob:x | chpasswd
            (
                r"(\becho\s(?:-n\s)?['\"]?(?:[\w.-]{1,64}:)?)[^\s'\"|]{1,256}(?=['\"]?\s{0,4}\|\s{0,4}(?:kinit|chpasswd"
                r"|sudo\s(?:(?:-\w{1,8}\s){0,3}-S|chpasswd)|[^\r\n|]{1,160}\s--(?:password-|passphrase-|pass-)?stdin)\b)"
            ),
            1,
            ("echo ",),
        ),
        Rule(  # kinit bob <<< 'x'
            r"((?:--(?:with-token|[\w-]{0,20}stdin)(?:\s[^\s<]{1,80})?|\bkinit\b[^\r\n<]{0,80}|\s-S)\s<<<\s?['\"]?)[^\s'\"]+",
            1,
            ("<<<",),
        ),
        Rule(r"(chpasswd\b[^\r\n<]{0,40}<<<\s?['\"]?[\w.-]{1,64}:)[^\s'\"]+", 1, ("chpasswd",)),
        Rule(
            r"(\s-{1,2}(?:\w{1,12}-)?pass(?:in|out)?[ =]pass:)[^\s'\"]+",
            1,
            ("pass pass:", "pass=pass:", "in pass:", "out pass:"),
        ),
        Rule(
            r"(\b(?:sqlplus|expdp|impdp|sqlldr)\s[^\r\n/]{0,60}?\b[\w$#]{1,30}/)[^\s@/'\"]{1,64}(?=@)",
            1,
            ("sqlplus", "expdp", "impdp", "sqlldr"),
        ),
    )
)


def without_passwords(text: str, small: str) -> str:
    """``text`` with the passwords that programs were given as ``***``. ``small`` is it in small letters."""
    if (
        " -" in text
        or "'-" in text
        or "sql" in small
        or "echo " in small
        or "ctl " in small
        or " /" in text
        or "<<<" in text
        or "wpa_" in small
        or "rclone" in small
        or "net use" in small
        or "dp " in small
    ):
        return _RULES.without(text, small)
    return text
