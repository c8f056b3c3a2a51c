"""Masking of secrets in what a program logs: pairs of name and value, headers, URLs, tokens, private keys.

Every pattern is linear: it starts at a fixed word or sign, and nothing that repeats can match the same text in two
ways. Text is searched window by window, so that no call holds the interpreter for long.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from urllib.parse import quote, quote_plus

MASK = "***"
_URL_SAFE = str.maketrans("+/", "-_")
_WINDOW = 4 * 1024
_OVERLAP = 1024  # more than any pattern needs to know that it has found something

_BLANKS = r"[^\S\r\n]{0,8}"
_IS = (
    rf"(?:\\{{0,3}}['\"]|%2[27])?{_BLANKS}"
    # password: str = 'x'
    rf"(?:=>|:=|=(?!=)|:{_BLANKS}(?:\w{{1,20}}\[)?(?:str|bytes)\]?(?: \| None)?{_BLANKS}=(?!=)|[:：＝]|%3[AD])"
    rf"{_BLANKS}"
    r"(?:\r?\n[^\S\r\n]{0,40}(?=[bruf]{0,2}['\"]))?"
)
_KEY = (
    r"(?:api|app|aes|access|auth|private|secret|session|encryption|signing|account|master|subscription|webhook)"
    r"[_\- ]?key"
)
_NAME = (
    r"(?:(?:passw(?:or)?d|passphrase|passcode|pwd|secret|token|session_?id|sessid|csrf|"
    rf"(?:suite|jsapi)_ticket|permanent_code|{_KEY})"
    # Of a plural a number says how many there are.
    rf"(?:[_-]?(?:confirm(?:ation)?|new|old|current|repeat|value|base|hash|raw|text)"
    rf"|s(?!{_IS}[\[(]?\d[\d.,]{{0,12}}[kmb]?(?:[\s;&)\]}}'\"]|$)))?|"
    # These are words of everyday prose too ("first pass: …", "invalid credentials: …").
    r"(?:(?<![A-Za-z])(?:pass|pw|sid|sig|signature)|credentials?|cookies)(?=\\?['\"]|\s{0,8}=(?!\s{0,8}\d{1,6}\b))"
    r")\d?"
)
_QUOTED = (
    r"(?:\"{3}(?:(?!\"{3})[\s\S]){1,4096}+(?:\"{3})?|'{3}(?:(?!'{3})[\s\S]){1,4096}+(?:'{3})?"
    r"|\\{1,3}(?:\"[^\"\r\n]+\"?|'[^'\r\n]+'?)"
    # A quote before a letter ends nothing: its backslash was doubled by repr(), or somebody forgot one.
    r"|\"(?!\")[^\"\\\r\n]*+(?:(?:\\.|\"(?=\w))[^\"\\\r\n]*+)*+\"?"
    r"|'(?!')[^'\\\r\n]*+(?:(?:\\.|'(?=\w))[^'\\\r\n]*+)*+'?)"
)
# ['x', 'y']   {'value': 'x', 'other': ('y',)}   also over several lines
_ITEM = r"\"[^\"\r\n]*+\"|'[^'\r\n]*+'|,\s{1,64}|[^\[\](){}'\"\r\n]"
_GAP = r"(?:\s|\\{1,3}[nrt]){0,64}+"  # also as repr() shows it
_INSIDE = rf"[\[({{]{_GAP}(?:{_ITEM})*+\s{{0,64}}[\])}}]"
_BRACKETS = rf"[\[({{]{_GAP}(?=b?['\"]|[\[({{])(?:{_ITEM}|{_INSIDE})*+(?:\s{{0,64}}[\])}}]|['\"][^\r\n]*)?"
_NO_VALUE = (
    "None|null|nil|undefined|true|false|yes|no|not|empty|missing|required|unknown|invalid|incorrect|wrong|expired|too"
    "|must|cannot|is|was|has"
)
# What forms of Django say of a field, and signs that a parser did not expect.
_REMARK = r"(?!\[?['\"]?This (?:field|value|password) |'[^\w'\r\n]{1,3}'|\"[^\w\"\r\n]{1,3}\")"
_VALUE = (
    rf"(?:(?:[bruf]{{1,2}}|[\w.]{{1,64}}\(\s?)?{_QUOTED}"  # 'x', b'x', Name('x')
    rf"|{_BRACKETS}"
    # Without quotes; what it is not, and that there is none, is no secret. A comma ends it before a blank or before the
    # next name.
    rf"|(?!(?:{_NO_VALUE})(?:[\s;&)\]}}'\"]|,(?:\s|[\w.-]{{0,40}}[=:]|$)|$)|[\[({{](?:['\"]|[\])}}]))"
    r"[^\s'\",;&)\]}]+(?:,(?![\w.-]{0,40}[=:])[^\s'\",;&)\]}]+)*+)"
)


@dataclass(frozen=True, slots=True)
class _Rule:
    """What is masked but for its first groups, and words of which one stands, in small letters, in every such text."""

    source: str
    kept: int
    words: tuple[str, ...]


# Where what stands around a name says that it is one: no words of prose, but plurals without counting.
_NAME_ALONE = (
    r"(?:passw(?:or)?ds?|passphrase|passcode|pwd|secrets?|tokens?|session_?id|sessid|csrf|"
    rf"{_KEY}s?|(?<![A-Za-z])(?:pass|pw))(?:[_-]?(?:confirm(?:ation)?|new|old|current|repeat|value))?\d?"
)
_WORDS = (
    *("pass", "pw", "secret", "token", "sess", "key", "ticket", "permanent_code", "credential", "csrf", "sid", "sig"),
    "cookies",
)

_RULES = (
    # Authorization: Bearer …   Cookie: …   {"Authorization": "…"}   to the closing quote, or to the end of the line
    _Rule(
        (
            r"(?i)(?P<before>['\"])?(?<![A-Za-z0-9])(?P<name>(?:proxy-)?authorization|(?:set-)?cookie)"
            rf"(?P<sign>(?P<after>\\{{0,3}}['\"])?{_BLANKS}(?:[:=]|(?<=['\"]),){_BLANKS}(?:b?(?P<open>\\{{0,3}}['\"]))?)"
            r"(?(after)(?(open)(?:(?!(?P=open))[^\r\n])+|(?!None|null)[^\r\n]+)"
            r"|(?(before)(?:(?!(?P=before))[^\r\n])+|[^\r\n]+))"
        ),
        3,  # before, name, sign
        ("authorization", "cookie"),
    ),
    _Rule(
        r"\b((?i:bearer|basic)\s{1,4})(?=\S*(?:[0-9_=]|[a-z][A-Z]))[A-Za-z0-9._~+/=-]{8,}",
        1,
        ("bearer", "basic"),
    ),
    # scheme://user:password@host   https://token@host
    _Rule(r"(://[^\s/:@'\"]{0,128}:)[^\s/'\"]{1,256}(?=@)", 1, ("://",)),
    _Rule(r"(://)(?=[\w~+%.-]*\d)[\w~+%.-]{20,256}(?=(?::[^\s/:@'\"]{0,64})?@)", 1, ("://",)),
    _Rule(  # In YAML the value can stand on the next lines, further in than its name.
        (
            r"(?im)^([^\S\r\n]{0,40})((?:- |[\w.]{1,80}: )?"
            rf"['\"]?[\w.-]{{0,40}}?{_NAME_ALONE}['\"]?:[^\S\r\n]{{0,4}}(?:[|>][+-]?)?"
            r"\r?\n\1(?:[^\S\r\n]{1,16}|- ))[^\r\n]+(?:\r?\n\1(?:[^\S\r\n]|- )[^\r\n]*)*+"
        ),
        2,
        (":\n", ": |", ": >", ":\r", ": \n"),
    ),
    # name=value   name: value   'name': 'value'   \"name\": \"value\"   name%3Dvalue   SOME_NAME=value   someName=value
    _Rule(
        rf"(?i)({_NAME})({_IS}){_REMARK}{_VALUE}",
        2,
        _WORDS,
    ),
    _Rule(  # {'name': 'DB_PASSWORD', 'value': 'x'}   <add key="Password" value="x"/>
        (
            rf"(?i)(\b(?:name|key)\\{{0,3}}['\"]?{_BLANKS}[:=]{_BLANKS}\\{{0,3}}['\"]?[\w.-]{{0,40}}?{_NAME_ALONE}"
            rf"\\{{0,3}}['\"]?,?\s{{0,64}}\\{{0,3}}['\"]?value\\{{0,3}}['\"]?{_BLANKS}[:=]{_BLANKS})"
            rf"(?:{_QUOTED}|(?!\*{{3}})[^\s'\",)\]}}]+)"
        ),
        1,
        ("value",),
    ),
    _Rule(r"(\bCookie\(version=\w{1,9}, name='[^'\r\n]{0,256}', value=)'[^'\r\n]+'", 1, ("cookie(",)),  # requests
    _Rule(  # password\n  Too short [type=…, input_value='x', …]   {'loc': ('password',), …, 'input': 'x'}: pydantic
        (
            rf"(?i)((?:\n|\\n|^)[\w.-]{{0,80}}?{_NAME_ALONE}(?:\r?\n|\\{{1,3}}n)[^\S\r\n]{{1,8}}"
            rf"[^\r\n]{{0,200}}?\binput_value="
            rf"|['\"]loc['\"]:{_BLANKS}[\[(](?:['\"][\w.-]{{0,40}}['\"],\s?)*+"
            rf"['\"][\w.-]{{0,40}}?{_NAME_ALONE}['\"],?[\])]"
            rf"[^\r\n]{{0,300}}?['\"]input['\"]:{_BLANKS}){_QUOTED}"
        ),
        1,
        ("input",),
    ),
    _Rule(  # auth=('bob', 'x')   HTTPBasicAuth("bob", "x")   server.login('bob', 'x')
        (
            rf"(?i)((?:\bauth['\"]?{_BLANKS}[:=]{_BLANKS}|\.login|(?:Basic|Digest|NTLM)\w{{0,8}}Auth)\(\s{{0,40}}"
            rf"b?(?:['\"][^'\"\r\n]{{0,80}}['\"]|[\w.]{{1,80}}),\s{{0,40}}b?){_QUOTED}"
        ),
        1,
        ("auth", ".login"),
    ),
    _Rule(  # ALTER USER bob PASSWORD 'x'   IDENTIFIED BY 'x'
        r"(?i)(\b(?:password|identified(?:\swith\s\w{1,40})?\sby)\s{1,8})'[^'\s]+'",
        1,
        ("password ", "identified"),
    ),
    _Rule(  # ('name', 'value')
        (rf"(?i)((?:\(|(?<=\[)\[|(?<=,)\[|(?<=, )\[)b?['\"][\w.-]{{0,40}}?{_NAME_ALONE}['\"],\s{{0,8}}b?){_QUOTED}"),
        1,
        ("(", "["),
    ),
    _Rule(  # <name>value</name>
        (rf"(?i)(<(?:\w{{1,20}}:)?[\w.-]{{0,40}}?{_NAME_ALONE}(?:\s[^<>]{{0,80}})?>)(?:[^\s<]+|[^<]{{1,512}}(?=</))"),
        1,
        ("</",),
    ),
    _Rule(  # --password hunter2; a word of small letters is the rest of a sentence
        (
            rf"(?i)((?<![\w-])--(?=[\w-]{{1,80}}+[^\S\r\n])[\w-]{{0,40}}?{_NAME_ALONE}[^\S\r\n]{{1,4}})"
            r"(?=\S{0,64}[0-9_!@#$%^&*+/])(?!(?<=tokens )\d)[^\s'\"-][^\s'\"]*"
        ),
        1,
        ("--",),
    ),
    _Rule(
        r"(\bcurl\b(?:[^\r\nc]|c(?!url\b)){0,200}?\s(?:-u|--user)\s?['\"]?[^\s:'\"]{1,64}:)[^\s'\"]+",
        1,
        ("curl",),
    ),
    _Rule(  # mysql -pX   sshpass -p X   redis-cli -a X   also as a list of arguments
        (
            r"(\b(?:(?:mysql|mariadb)(?:[^\r\nm]|m(?!ysql|ariadb)){0,200}?[\s'\"]-p(?=[^\s'\"])"
            r"|sshpass['\"]?,?\s['\"]?-p(?:['\"],\s['\"]|\s)?"
            r"|redis-cli\b(?:[^\r\nr]|r(?!edis-cli)){0,100}?\s['\"]?-a(?:['\"],\s['\"]|\s)))"
            r"(?!['\"]|\d+:\d)[^\s'\"]+"
        ),
        1,
        ("mysql", "mariadb", "sshpass", "redis-cli"),
    ),
    _Rule(  # in Chinese the value is what is not Chinese
        (
            rf"(密[码碼]|口令|[密秘]钥|密鑰|私钥|令牌|[验驗][证證][码碼]|授权码)"
            rf"(['\"]?{_BLANKS}(?:[是为]?[=:：＝]{_BLANKS}|[是为]{_BLANKS}(?=[!-~]{{0,64}}\d)(?=[!-~]{{4}})))"
            r"['\"]?[!-~]+"
        ),
        2,
        ("密", "秘钥", "私钥", "口令", "令牌", "证", "證", "授权码"),
    ),
    _Rule(  # --password hunter2, as a list of arguments shows it
        rf"(?i)(['\"]--?(?=[\w -]{{1,80}}+['\"],)[\w-]{{0,40}}?{_NAME}['\"],\s?['\"])[^'\"\r\n]+",
        1,
        ("'-", '"-'),
    ),
    _Rule(r"([?&]key=)[^\s&'\"]+", 1, ("key=",)),
    _Rule(
        r"(hooks\.slack\.com/services/|/bot/v2/hook/|/api/webhooks/)[\w/-]+",
        1,
        ("/services/", "/hook/", "/webhooks/"),
    ),
    _Rule(r"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{12,}(?:\.[A-Za-z0-9_-]+){0,4}", 0, ("eyj",)),  # JWT
    _Rule(r"(?<=bot)\d{6,12}:[\w-]{30,}", 0, ("bot",)),  # Telegram's
    _Rule(r"\bA(?:KIA|SIA)[0-9A-Z]{16}\b", 0, ("akia", "asia")),
    _Rule(
        (
            r"(?<![0-9A-Za-z_-])(?:LTAI[0-9A-Za-z]{12,}|AKID[0-9A-Za-z]{13,}|gh[pousr]_[0-9A-Za-z]{30,}"
            r"|github_pat_\w{20,}|sk-[0-9A-Za-z_-]{20,}|[rs]k_(?:live|test)_[0-9A-Za-z]{10,}|xox[a-z]-[0-9A-Za-z-]{10,}"
            r"|gl(?:pat|rt|dt|ptt)-[0-9A-Za-z_-]{16,}|AIza[0-9A-Za-z_-]{30,}|hvs\.[0-9A-Za-z_-]{20,}"
            r"|npm_[0-9A-Za-z]{30,}|xapp-\d-[0-9A-Za-z-]{10,}|hf_[0-9A-Za-z]{30,}|pypi-[0-9A-Za-z_-]{20,}|do[opr]_v1_[0-9a-f]{40,}"
            r"|dckr_pat_[\w-]{20,}|shp(?:at|ca|pa|ss)_[0-9A-Fa-f]{30,}|whsec_[0-9A-Za-z+/]{20,}|GOCSPX-[\w-]{20,}"
            r"|ya29\.[\w-]{20,}|SG\.[\w-]{16,}\.[\w-]{30,}|ATATT3[\w=-]{20,})"
        ),
        0,
        (
            *("ltai", "akid", "gh", "github_pat_", "sk-", "k_live_", "k_test_", "xox", "glpat-", "glrt-", "gldt-"),
            *("glptt-", "aiza", "hvs.", "npm_", "xapp-", "hf_", "pypi-", "_v1_", "dckr_", "shp", "whsec_", "gocspx-"),
            *("ya29.", "sg.", "atatt3"),
        ),
    ),
)
_PERSONAL = (
    # A resident's number: place, day of birth, serial number. A slip in it does not make it less of a number.
    _Rule(
        r"(?<!\d)[1-9]\d{5}(?:18|19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx](?![\dA-Za-z])",
        0,
        ("18", "19", "20"),
    ),
    _Rule(  # 13812345678   +86 138-1234-5678
        r"(?<![\d.])(?:(?:\+|00)?86[- ]?)?1[3-9]\d([- ]?)\d{4}\1\d{4}(?!\.?\d)",
        0,
        ("1",),
    ),
    _Rule(r"(?<![\d.-])(?:\(0\d{2,3}\) ?|0\d{2,3}[- ])\d{7,8}(?!-?\d)", 0, ("0",)),  # 010-12345678
)
_PRIVATE_KEY = (
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
    r"(?:(?:(?!-----)[\s\S]){0,16384}+-----END [A-Z0-9 ]{0,40}-----"
    # Its end was cut off: what looks like lines of it.
    r"|(?:(?:\r?\n|\\{1,3}[nr])[ \t]*+(?:[A-Za-z0-9+/=]{20,}+|[A-Za-z0-9+/=]*+(?=[ \t]*+(?:[\r\n]|\\{1,3}[nr]|\Z))"
    r"|(?:Proc-Type|DEK-Info):[^\r\n]*+))*+)"
)
_COLOUR = re.compile(r"(?:\x1b|\\x1b)\[[\d;:]{0,32}m")
_MARGIN = re.compile(r"^ {2,64}\| ", re.MULTILINE)
_PRIVATE_KEY_END = re.compile(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_LINE_END = re.compile(r"(\r?\n|(?:\\{1,3}r)?\\{1,3}n)")  # or as repr() shows it
_PRIVATE_KEY_LINE = re.compile(r"\s*[A-Za-z0-9+/=]+\s*")


@cache
def _compiled(source: str) -> re.Pattern[str]:
    """Compiled when it is needed: a program that only imports this package does not wait for it."""
    return re.compile(source)


def redact(text: str) -> str:
    """``text`` with its secrets replaced by ``***``."""
    # The margin of an ExceptionGroup tears what stretches over several lines, colours tear a name from its value.
    bare = text
    for mark, between in (("\x1b[", _COLOUR), ("\\x1b[", _COLOUR), ("  | ", _MARGIN)):
        if mark in bare:
            bare = between.sub("", bare)
    if bare != text and (masked := _redact(bare)) != bare:
        return masked
    return _redact(text)


def _redact(text: str) -> str:
    if "PRIVATE KEY" in text:
        text = _without_private_keys(text)
    return _without(_RULES, text)


def redact_personal(text: str) -> str:
    """`redact`, and the numbers of phones and identity cards (of mainland China) as ``***`` too: for ``redact=``."""
    return _without(_PERSONAL, redact(text))


def _without(rules: Iterable[_Rule], text: str) -> str:
    small = text.lower()
    for rule in rules:
        for word in rule.words:  # not by any(): these are most of what masking costs
            if word in small:
                text = _replace(rule, text)
                break
    return text


def redactor(secrets: Iterable[str], further: Callable[[str], str] | None) -> Callable[[str], str]:
    """A function that masks these and the remembered secrets always, and then whatever ``further`` finds."""
    known = _in_order(secrets)

    def mask(text: str) -> str:
        for form in (*known, *_remembered):
            text = text.replace(form, MASK)
        return _further(text, further) if further else text

    return mask


def remember(*secrets: str) -> None:
    """Have all of the process mask these, since a record with one handler's secret may go to another's group."""
    global _remembered
    _remembered = _longest_first({*_remembered, *_in_order(secrets)})


_remembered: tuple[str, ...] = ()


def _in_order(secrets: Iterable[str]) -> tuple[str, ...]:
    return _longest_first({form for secret in secrets if len(secret) >= 4 for form in _forms(secret)})


def _longest_first(forms: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(forms, key=len, reverse=True))


def _forms(secret: str) -> Iterable[str]:
    """A secret as it is, in a URL, and in base64, whose last sign depends on what follows."""
    encoded = base64.b64encode(secret.encode()).decode().rstrip("=")
    return (
        secret,
        quote(secret),
        quote(secret, safe=""),
        quote_plus(secret),
        encoded[:-1],
        encoded[:-1].translate(_URL_SAFE),
    )


def _further(text: str, further: Callable[[str], str]) -> str:
    """A user's function may fail; then nothing of the text is shown."""
    try:
        masked = further(text)
    except Exception as error:
        return f"(hidden: redact raised {type(error).__name__})"
    return masked if type(masked) is str else f"(hidden: redact returned a {type(masked).__name__})"


def _replace(rule: _Rule, text: str) -> str:
    """Like ``sub``, in windows; what a window cuts off is found in the next, or looked at as a whole."""
    pattern = _compiled(rule.source)
    shown: list[str] = []
    copied = start = 0
    while start < len(text):
        end = min(start + _WINDOW + _OVERLAP, len(text))
        match = pattern.search(text, start, end)
        if match is None or (match.start() >= start + _WINDOW and end < len(text)):
            start += _WINDOW
            continue
        if end < len(text) and (match.end() == end or text[match.end()] in "[({"):  # perhaps there is more of it
            match = pattern.match(text, match.start()) or match
        shown += text[copied : match.start()], "".join(match.groups("")[: rule.kept]) + MASK
        copied = start = match.end()
    return "".join(shown) + text[copied:]


def _without_private_keys(text: str) -> str:
    """Also where only the end of a key was kept, because the text had been too long."""
    whole, ends = _compiled(_PRIVATE_KEY).sub(MASK, text), 0
    kept: list[str] = []
    for match in _PRIVATE_KEY_END.finditer(whole):
        *lines, last = _LINE_END.split(whole[ends : match.start()])  # each line end is an item of its own
        line_end = "" if last else lines.pop() if lines else ""
        last = last or (lines.pop() if lines else "")
        while last and _PRIVATE_KEY_LINE.fullmatch(last):
            line_end = lines.pop() if lines else ""
            last = lines.pop() if lines else ""
        kept.append("".join([*lines, last, line_end, MASK]))
        ends = match.end()
    return "".join(kept) + whole[ends:]
