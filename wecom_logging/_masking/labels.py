"""What stands behind a label: headers, the user of a URL, lines of configurations and protocols, labels in Chinese."""

from __future__ import annotations

import re

from .names import Kind, is_chosen_value, is_column, is_secret_value, kind_of, looks_chosen
from .patterns import BLANKS, Rule, lazy
from .placeholder import OWN_WORDS

_NO_HEADER = (  # code, and a header whose value is filled in later
    rf"(?!(?:None|null|nil|[Tt]rue|[Ff]alse)\b|(?:{OWN_WORDS})(?=[,;)}}\]]|\s?$|\s?[\r\n])"
    r"|(?:await )?(?:[A-Za-z_]\w{0,40}\.){0,6}[A-Za-z_]\w{1,40}"
    r"(?:\((?=[)'\"a-z_])|\[(?=[a-zA-Z'\"]))|self\.\w|(?:str|bytes)(?: [|=]|[,)])|# type|\.\.\."
    r"|(?:The|An?) [a-z]|(?:\w{3,8} )?\.\.\."
    r"|(?:Bearer |Basic )?[\[(<](?i:redacted|filtered|masked|hidden)[\])>]|[({\[]\s{0,8}(?:[\r\n]|$)|(?:_?[a-z]{2,20}(?:_[a-z]{1,20}){1,4}|authorization|token|header|credentials)(?=[,)}\]]|\s{0,2}(?:[\r\n]|$))"
    r"|[^\w'\"]{0,3}['\"]|(?:(?:Bearer|Basic|Token) ?)?"
    r"(?:\$\{?[A-Z_]{2,40}\}?|%s|\{[a-z_.]{1,40}\}|<[\w .-]{1,40}>)?(?:\\r)?(?:\\n)?['\"])"
)
_FILLED_IN = r"(?!\*\*|(?:\[[a-z]+\]\]|\{[a-z_.]{1,40}\}|%s|\$\{?[A-Z_]{2,40}\}?)@)"
# Labels in Chinese, behind which all is masked as far as it is not Chinese.
_FIRST = r"密口暗秘私金令权權验驗动動校授鉴安激提取兑邀应访登接身短签会凭票\\"  # of a label: most texts are known by it
_LABEL = (
    r"(?:密\s{0,4}[码碼]|口令|暗号|[密秘私金][钥鑰]|令牌|[权權]杖|密保答案|[验驗][证證][码碼]|[动動][态態][码碼]|校[验驗][码碼]|[授鉴][权權][码碼]"
    r"|\\{1,7}u(?:5bc6\\{1,7}u(?:7801|94a5)|4ee4\\{1,7}u724c|53e3\\{1,7}u4ee4)"  # as JSON writes some of them
    r"|(?:安全|激活|提取|取件|兑换|邀请)[码碼]|(?:应用|访问|登录|接口|身份|安全)凭[证据]"
    r"|短信(?=code)"
    r"|(?:签名|会话(?:ID|id|标识|令牌)|凭[证證据據]|票[据據])(?=(?:[值串])?[:：=＝是为為]?\s?[\"'「【“]?(?=[A-Za-z_-]*\d)"
    r"[0-9A-Za-z_+/=.-]{16})"
    r")(?:值|串|内容|明文|密文|原文"
    r"|(?:错误|不正确|不匹配|无效)(?=[:：,，]\s?(?=[!-~]{0,64}\d)(?=[!-~]{0,64}[A-Za-z])[^\s=:]{6,64}(?![!-~])))?+"
)
_SIGN = (
    rf"(?:(?:已|被|成功)?(?:重置|修改|更改|变更|设置|更新|改|设|由|从){{1,2}}(?=[成为為到:：]?{BLANKS}[:：]?{BLANKS}[\"'「“]?(?=[!-~]{{0,64}}\d)[!-~]{{4}}))?"
    rf"(?:\\{{0,7}}['\"]|\*\*?|>)?(?:{BLANKS}[（(][^）)\r\n]{{1,16}}[）)])?{BLANKS}"  # 密码(明文)：x
    rf"(?:[是为為成到]{{0,2}}(?:[=:：＝]|->|=>|→){BLANKS}\\{{0,7}}['\"]?"
    rf"|code=|(?:错误|不正确|不匹配)，?(?:用户)?输入[:：]?|[是为為成到]{BLANKS}['\"「『【“‘]?(?=[!-~]{{0,64}}\d)(?=[!-~]{{4}})"
    r"|】\s?"
    r"|(?=[（(\[](?!(?i:sha|md5|aes|des|rsa|sm))(?=[!-~]{0,64}\d)(?:(?![()\[\]=,:;])[!-~]){6,64}[）)\]])[（(\[]"
    r"|(?=[「『【“‘\"'][!-~]{1,128}[」』】”’\"'])"  # 密码「x」
    # By itself, where it is no date and no number of something: 新密码 679250 不符合要求
    r"|(?!\d{4}[-/])(?=[!-~]{0,64}\d)(?=[^\s()\[\]{}<>=:,;'\"]{6})(?=[!-~]{6}))"
    r"(?:<font\s[^<>\r\n]{1,40}>)?[「『【“‘\"'`]?"
)
_VALUE = (
    r"(?:(?<=[(\[])(?:(?![()\[\]])[!-~])+(?=[)\]])"
    r"|(?<=')[ !\"#-&(-~]{1,256}(?=')|(?<=\")[ !#-~]{1,256}(?=\")|(?:(?![,;&]\s?[\w.-]{0,40}[=:]|</)[!-~])+)"
)

_KEY_WORDS = lazy(r"(?i)_(?:uniq(?:ue)?|uq|uk|idx|index|key)(?:_?\d+)?$")


def _is_set(found: re.Match[str]) -> bool:
    """A line of a configuration, or a command; in a sentence a value has to look like one."""
    text, (begin, end) = found.string, found.span()
    line = text[max(begin - 40, 0) : begin].rpartition("\n")[2].lower()
    alone = line.strip(" \t#") in ("", "sentinel") or line.endswith("config set ")
    return (alone and text[end : end + 1] in ("", "'", '"', "\r", "\n")) or looks_chosen(found["value"])


RULES = (
    # Authorization: Bearer …   Cookie: …   {"Authorization": "…"}   to the closing quote, or to the end of the line
    Rule(
        r"(?i)((?=['\"pasc])(?P<before>['\"])?(?<![A-Za-z0-9])(?P<name>(?:proxy-)?authorization|(?:set-)?cookie)"
        rf"(?P<sign>(?P<after>\\{{0,3}}['\"])?\]?{BLANKS}(?:[:=]|(?<=['\"]),){BLANKS}(?:[bf]?(?P<open>\\{{0,3}}['\"]))?+)"
        rf"{_NO_HEADER}"
        r"(?P<scheme>(?:Bearer|Basic|Digest|Token|OAuth|Negotiate|NTLM|ApiKey|Hawk|AWS4-HMAC-SHA256)\s{1,4}(?=\S)"
        r"|(?<!\w)[\w.-]{1,40}=(?![=;\s'\"]|$))?+)"
        r"(?(after)(?(open)(?:(?!(?P=open))[^\r\n])+|(?!None|null|\*{3})[^\r\n]+)"
        r"|(?(before)(?:(?!(?P=before))[^\r\n])+|[^\r\n]+))",
        ("authorization", "cookie"),
    ),
    Rule(
        r"\b((?:(?i:bearer|basic)|AUTH (?:PLAIN|LOGIN))\s{1,4})(?![a-z_]{1,24}=[^=\s])"
        r"(?=\S*(?:[0-9_=]|[a-z][A-Z]))[A-Za-z0-9._~+/=-]{8,}",
        ("bearer", "basic", "auth plain", "auth login"),
    ),
    Rule(r"(\bCookie\(version=\w{1,9}, name='[^'\r\n]{0,256}', value=)'[^'\r\n]+'", ("cookie(",)),  # requests
    # scheme://user:password@host   https://token@host
    Rule(  # a "/" in a password of a database tears the URL, and then it is what the error is about
        r"((?:mongodb|redis|postgres|mysql|maria|mssql|oracle|amqp|clickhouse|sqlserver)[a-z+0-9]{0,24}://[^\s/:@'\"]{0,128}:)"
        rf"{_FILLED_IN}(?!\d{{1,5}}/)[^\s'\"]{{1,256}}(?=@)",
        ("://",),
    ),
    Rule(r"((?<=[\w.-]):)(?!\*\*)[^\s'\"]{1,256}(?=@(?:tcp|unix)\()", ("@tcp(", "@unix(")),
    Rule(rf"(:?//[^\s/:@'\"]{{0,128}}:){_FILLED_IN}[^\s/'\"]{{1,256}}(?=@)", ("//",)),
    Rule(r"(\bnetloc='[^\s:@']{0,128}:)(?!\*\*)[^']{1,256}(?=@)", ("netloc=",)),
    Rule(r"(://)(?=[\w~+%.-]*\d)[\w~+%.-]{20,256}(?=(?::[^\s/:@'\"]{0,64})?@)", ("://",)),
    Rule(r"(jdbc:oracle:thin:[^\s/@'\"]{1,64}/)[^\s@'\"]{1,64}+(?=@)", ("jdbc:oracle",)),
    Rule(r"([?&]key=)[^\s&'\"]+", ("key=",)),
    Rule(  # ALTER USER bob PASSWORD 'x'   IDENTIFIED BY 'x'
        r"(?i)((?=[pi=])(?:\b(?:password|identified(?:\swith\s\w{1,40})?\sby)\s{1,8}|=\s?password\())'[^'\r\n]+'?",
        ("password ", "identified"),
    ),
    Rule(r"(?i)(ConvertTo-SecureString\s(?:-String\s)?)['\"][^'\"\r\n]+['\"]", ("convertto-securestring",)),
    Rule(  # the words of BIP 39
        r"(?i)((?=[msr助])(?:mnemonic|(?:seed|recovery) phrase|助记词)\W{1,6})"
        r"(?:[a-z]{3,8}[ ,]{1,3}){11,23}+[a-z]{3,8}",
        ("mnemonic", "phrase", "助记词"),
    ),
    Rule(r"((?:Unseal|Recovery) Key(?: \d{1,2})?: )\S+", ("unseal key", "recovery key")),  # Vault's
    # Oracle's user/x@host
    Rule(r"(\b[\w$#]{1,30}/)[^\s@/'\"]{1,64}(?=@//[\w.-]{1,80}[:/])", ("@//",)),
    Rule(
        r"((?<![\w/:.@-])[\w$#]{1,30}/)(?P<value>[^\s@/'\"]{8,64})(?=@[\w.-]{1,80}:\d{2,5}\b)",
        ("@",),
        is_secret_value,
    ),
    Rule(  # ZooKeeper's
        r"(\bdigest['\"]?,?\s['\"]?(?!sha|md5)[\w.-]{1,64}:)(?P<value>[^\s'\",]+)",
        ("digest",),
        is_secret_value,
    ),
    Rule(r"(\b(?:connect|create_pool)\(\s{0,8}['\"][\w$#]{1,30}/)[^\s@/'\"]{1,64}(?=@)", ("connect(", "create_pool(")),
    Rule(  # a line of .pgpass
        r"(?m)^([\w.*-]{1,80}:(?:\d{2,5}|\*):[\w*-]{1,63}:[\w*-]{1,63}:)\S+$", (":5432:", ":*:")
    ),
    # What is said to a server of IMAP, of Redis, of SMTP
    Rule(
        r"(\b[A-Za-z]{0,6}\d{1,6} LOGIN (?:\"[^\"\r\n]{1,80}\"|[^\s\"]{1,80}) )"
        r"(?:\"[^\"\r\n]*\"?|[^\s'\"]+)",
        (" login ",),
    ),
    Rule(
        r"((?P<quote>['\"])AUTH(?P=quote),?\s(?:(?P=quote)[^'\"\r\n]{1,64}(?P=quote),?\s)?(?P=quote))"
        r"[^'\"\r\n]+",
        ("'auth'", '"auth"'),
    ),
    Rule(r"(\bAUTH\s[\w.@-]{1,64}\s)(?P<value>[^\s'\",;]+)", ("auth ",), is_chosen_value),
    Rule(  # words of configurations, of which a blank is the sign
        r"((?:requirepass|masterauth|bindpw|rootpw|auth-pass \S{1,64})\s{1,8}['\"]?)(?P<value>[^\s'\"]+)",
        ("requirepass", "masterauth", "pw ", "auth-pass"),
        _is_set,
    ),
    Rule(r"(\blogin=[^\s:@/'\"]{1,64}:)[^\s@]{1,256}(?=@)", ("login=",)),
    Rule(r"(\\{0,3}['\"](?:d|p|q|d[pq]|qi|k)\\{0,3}['\"]:\s?\\{0,3}['\"])[\w-]{16,}=*", ("kty",)),  # JSON Web Key's
    Rule(r"(Private-Lines: \d{1,3}\s{1,2})[A-Za-z0-9+/=]++(?:\s{1,2}[A-Za-z0-9+/=]++(?![\w:-]))*+", ("private-lines",)),
    Rule(r"(['\"]stringData['\"]:\s?)\{[^{}]{1,4096}\}", ("stringdata",)),
    Rule(  # what Vault prints
        r"(?m)(^(?P<name>[\w.-]{2,64})[^\S\r\n]{2,40})(?P<value>\S[^\r\n]*)",
        ("key  ",),
        lambda found: is_column(found["name"]),
    ),
    Rule(  # marshmallow's
        r"(['\"](?P<name>[\w-]{2,64})['\"]: \[['\"](?:Invalid value|Not a valid \w{1,20}): \\?['\"]?)[^\s'\"\\]+",
        ("invalid value", "not a valid"),
        lambda found: is_column(found["name"]),
    ),
    Rule(r"(PSK\s{1,4}['\"])[^'\"\r\n]+", ("psk ",)),
    Rule(r"(?m)((?:ftp> |^USER \S{1,64}\r?\n(?:[^\r\n]{0,160}\r?\n){0,2})PASS )\S+", ("pass ",)),
    Rule(r"(WIFI:(?:[A-OQ-Z]:(?:[^;\\\r\n]|\\.){0,128};){0,5}P:)(?:[^;\\\r\n]|\\.)+", ("wifi:",)),
    Rule(  # what PHP serializes
        r"(s:\d{1,4}:\\{0,3}\"(?P<name>[\w-]{2,64})\\{0,3}\";s:\d{1,6}:\\{0,3}\")[^\"\\]+",
        (";s:",),
        lambda found: is_column(found["name"]),
    ),
    # Errors of a URL that was torn before its password, and of a configuration
    Rule(
        r"((?:nonnumeric port: |invalid literal for int\(\) with base \d{1,2}: |to integer value as )['\"])"
        r"[^'\"\r\n]{1,4096}(?=@)",
        ("nonnumeric port", "invalid literal", "integer value"),
    ),
    Rule(
        r"(option '(?P<name>[^'\r\n]{1,80})'[^\r\n]{0,200}?Raw value: )'[^\r\n]+",
        ("raw value",),
        lambda found: is_column(found["name"]),
    ),
    Rule(r"('%' must be followed by '%' or '\(', found: )'[^\r\n]+", ("must be followed by '%'",)),
    Rule(  # pydantic's input, when the end of a name and the beginning of its value are cut out
        r"(input_value=\{(?:[^'\r\n]|'[^'\r\n.]*'){0,60}?'(?P<name>\w{0,40})\.\.\.)"
        r"(?P<value>[^'\s]{3,40})(?=')(?!': )",
        ("input_value=",),
        lambda found: looks_chosen(found["value"]) or found["name"][:4].lower() in ("pass", "secr", "toke", "api_"),
    ),
    Rule(
        r"(?i)(\buser\s\S{1,64}\son\s(?:[^\s>]{1,40}\s){0,4}>|\bsetuser\s\S{1,64}\s(?:[^\s>]{1,40}\s){0,4}>)\S+",
        (" >",),
    ),
    Rule(  # what network gear is told
        r"(\b(?:snmp-server community|(?:radius|tacacs)-server (?:host \S{1,64} )?key(?: \d)?"
        r"|username \S{1,64} (?:privilege \d{1,2} )?(?:secret|password) \d) )[^\s'\"]+",
        ("snmp-server", "s-server ", "username "),
    ),
    Rule(  # of two signatures
        r"(?i)((?=[shd])\b(?:signature|sign|hmac|digest)\b[^\r\n:=,;]{0,40}[:,;]\s?(?:expected|got|received|calculated|computed)"
        r"[:=]?\s['\"]?)[0-9A-Za-z+/_-]{20,256}=*",
        ("signature", "hmac"),
    ),
    Rule(
        r"(?i)((?=[egc])(?:expected|got|calculated|computed)[:=]?\s['\"]?\*\*\*['\"]?,?\s(?:but )?"
        r"(?:got|received|actual|expected)[:=]?\s['\"]?)[0-9A-Za-z+/_-]{20,256}=*",
        ("signature", "hmac"),
    ),
    Rule(  # a code of a short message, a mail or an application
        r"(?i)((?=[vslotmc2])\b(?:(?:verification|security|login|sms|one-time|two-factor|2fa|mfa|otp|confirmation)"
        r"[ -](?:pass)?code|otp)(?:(?: for \S{1,64})? is)?:?\s['\"]?)\d{4,8}(?![\w.:-])",
        (" code", "passcode", "otp"),
    ),
    Rule(r"(following password\b[^\r\n]{0,60}:\s{2,8})[0-9A-Za-z]{16,64}", ("following password",)),  # Jenkins'
    Rule(r"(/reset/[\w-]{1,24}/)[0-9a-z]{1,13}-[0-9a-f]{20,64}", ("/reset/",)),  # Django's
    Rule(r"(334 UGFzc3dvcmQ6(?:[^\r\n]|\r?\n){0,160}?send: b?['\"])[^'\"\\\r\n]+", ("ugfzc3dvcmq6",)),
    # Statements of SQL
    Rule(
        r"(?i)(\b(?:(?:create|alter)\s{1,8}user|connect\s{1,8}to)\s{1,8}\S{1,64}\s{1,8}identified\s{1,8}by\s{1,8})"
        r"(?!values\b)[^\s'\";,]+",
        ("identified",),
    ),
    Rule(r"(<Cookie [^\s=<>]{1,128}=)(?!\*\*\*)[^\s<>]+(?= for )", ("<cookie ",)),  # http.cookiejar's
    Rule(  # MySQL's
        r"(Duplicate entry )'[^\r\n]{1,512}?(?=' for key '(?P<key>[^'\r\n]{1,128})')'",
        ("duplicate entry ",),
        lambda found: kind_of(_KEY_WORDS.sub("", found["key"])) is Kind.SECRET,
    ),
    Rule(r"(pgpass\S{0,8} [\w.*-]{1,80}:[\d*]{1,5}:[\w*-]{1,63}:[\w*-]{1,63}:)\S+", ("pgpass",)),
    Rule(  # 用户名/密码：admin/x
        rf"((?=[{_FIRST}])(?P<second>(?<=/))?{_LABEL}{_SIGN}(?(second)(?:[\w.@-]{{1,32}}/)?)){_VALUE}",
        (
            "码",
            "碼",
            "钥",
            "鑰",
            "口令",
            "暗号",
            "票",
            "短信code",
            "令牌",
            "凭",
            "杖",
            "密保",
            "签名",
            "会话",
            r"\u7801",
            r"\u94a5",
            r"\u724c",
            r"\u53e3",
        ),
    ),
    Rule(  # 密码由 x 改为 y   输入 x，期望 y
        rf"((?:(?:密[码碼]|口令)[^\r\n]{{0,16}}\*\*\*[^\w\r\n]{{0,3}}(?:改|变|变更|更新|修改|重置)[为為成到]"
        rf"|输入[:：]?\s?\*\*\*[,，]\s?(?:期望|应为|正确)[是为:：]{{0,2}})\s?[「“'\"]?)(?=[!-~]{{0,64}}\d){_VALUE}",
        ("密", "口令", "输入"),
    ),
    Rule(
        r"((?:[Mm]ots? de passe|[Cc]ontraseña|[Пп]ароль|パスワード|暗証番号|비밀번호)"
        r"[^\S\r\n]?[:：=][^\S\r\n]?['\"]?)(?P<value>[^\s'\",;]+)",
        ("de passe", "contraseña", "пароль", "パスワード", "暗証番号", "비밀번호"),
        is_chosen_value,
    ),
)
