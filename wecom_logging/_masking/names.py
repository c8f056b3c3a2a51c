"""Which names are names of secrets, and how far each can be trusted."""

from __future__ import annotations

from enum import Enum, auto
from functools import lru_cache

from .patterns import has_one, lazy


class Kind(Enum):
    """How sure a name is."""

    SECRET = auto()
    """What stands behind it is a secret, in every form."""
    OFTEN = auto()
    """A word of other matters too (``auth``, ``sign``, ``ticket``): where the form says that it is a name."""
    SELDOM = auto()
    """Says little by itself (``key``, ``code``): where the value looks like a secret."""


# fmt: off
_STEMS = (
    "pass", "pw", "secret", "token", "sess", "key", "ticket", "cred", "csrf", "xsrf", "sid", "sig", "cookie", "auth",
    "otp", "salt", "jwt", "dsn", "captcha", "hook", "hmac", "ssn", "cvv", "cvc", "verifier", "nonce", "bearer", "seed",
    "mnemonic", "login", "_pat", "mima", "kennwort", "senha", "contrasena", "conn_str", "connstr", "ction_str",
    "ctionstr", "assertion", "saml", "answer", "pepper", "community", "dockerc",
    # These are parts of many words.
    "_code", "-code", "code=", "code'", 'code"', "smscode", "verifycode",
)
# fmt: on
_NO_SECRETS = lazy(r"(?:image_?pull|existing|tls|external|registry)_?secrets?$")  # which name one
_SHORT = lazy(r"(?<![a-z])(?:[as]k|psk|pin)(?![a-z])")


def may_have_one(small: str, more: frozenset[str]) -> bool:
    """Whether a text, in small letters, has what a name of a secret, or one of ``more`` names, is made of."""
    if has_one(small, _STEMS):
        return True
    if more:
        flat = small.replace("_", "").replace("-", "")
        if any(word.replace("_", "") in flat for word in more):
            return True
    return ("sk" in small or "ak" in small or "pin" in small) and _SHORT.search(small) is not None


_KEY_OF = (
    r"(?:api|app|aes|access|auth|private|secret|session|encrypt(?:ion)?|decrypt(?:ion)?|crypto?|cipher|signing|account"
    r"|master|subscription|webhook|apiv[23]|consumer|shared)"
)
_SECRET = (
    r"(?:pass_?w(?:or)?[dt]|pass_?phrase|passcode|(?:store|key|my|db|user|admin|login|bind|root|sudo|get|sql|ftp|smtp|ssh"
    r"|redis|mongo|require|master|temp|proxy|mail|ldap|imap|vnc|become|rabbit(?:mq)?|postgres|oracle|jdbc|http|wifi)_?pass"
    r"|(?:bind|root|admin|user|db)_?pw|masterauth|pwd|secret|token|sess(?:ion)?_?id|[cx]srf"
    rf"|(?:suite|jsapi|verify)_?ticket|permanent_?code|{_KEY_OF}_?key)"
)
_OFTEN = (
    r"(?:creds?|credentials?|cookies?|auth|sig|sign|signature|signature_provided|sid|pass|pw|t?otp|pin|ssn|cvv|cvc2?"
    r"|captcha|psk|salt|jwt|dsn|ticket|hmac|verifier|ak|sk|seed|mnemonic|nonce|bearer|passkey"
    r"|authentication|(?:app|req|request)_?sign|mima|kennwort|senha|contrasena|mot_?de_?passe"
    r"|(?:client_)?assertion|saml_?(?:request|response)|(?:security|secret)_answer|pepper|(?:snmp|ro|rw)_?community"
    r"|web_?hook(?:_url)?|docker_?config_?json|conn(?:ection)?_?str(?:ing)?"
    r"|(?:sms|verify|verification|validation|auth|authorization|activation|backup|recovery|reset|confirmation|invite"
    r"|security|login|device|captcha|2fa|mfa|otp|totp|two_?factor|one_?time|pin|unlock|door|gate|redeem|pickup)_?code"
    r"|(?:mch|merchant|pay|payment|apiclient|client|pgp|gpg|ssh|rsa|ecdsa|ed25519|hmac|pem|ssl|tls|sig|sign|signature"
    r"|storage|license|licence|deploy|service|oss|cos|sms|push|bot|robot|wx|wechat|corp|agent|salt|jwt|token|cookie"
    r"|partner|trade|enc|dec|3?des|kms|send|recovery|sess|fcm|apns|gcm|qywx|wecom|feishu|dingtalk|lark|slack|stripe"
    r"|openai|azure|aws|gcp|qiniu|upyun|aliyun|tencent|baidu|amap|activation|api_v3)_?key(?:_?data)?)"
)
_MORE = (
    r"(?:_?(?:confirm(?:ation)?|digest|hint|new|old|current|repeat|again|value|base|salt|hash(?:ed)?|raw|text|plain|default|map|dict"
    r"|secure|data|b64|base64|enc(?:rypted)?|str(?:ing)?|pem))"
)
_SECRETS = lazy(rf"{_SECRET}{_MORE}{{0,2}}s?(?:_{{0,2}}m?\d{{1,4}})?$")
_OFTENS = lazy(rf"(?<![a-z]){_OFTEN}{_MORE}?s?_?\d{{0,2}}$")
_SELDOMS = lazy(
    r"(?:[_0-9]key|(?<![a-z])(?:(?:s|i|send|push|user|partner)?key|code|session|login|secret_?id|pat))\d{0,2}$"
)
_KEYS_OF_DATA = lazy(  # none of these opens a lock
    r"(?:cache|primary|foreign|partition|object|sort|idempotency|public|index|dedup|lock|group|row|redis|s3|hot)"
    r"_?key\d{0,2}$"
)
_HUMP = lazy(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def _words(name: str) -> str:
    return _HUMP.sub("_", name).lower().replace("-", "_")


@lru_cache(1024)
def kind_of(name: str) -> Kind | None:
    """What a name says: with humps (``apiKey``), with signs (``x-api-key``), among more words (``DB_PASSWORD_OLD``)."""
    words = _words(name)
    flat = name.lower().replace("-", "_")
    if _SECRETS.search(flat) or _SECRETS.search(words):
        return None if _NO_SECRETS.search(words) else Kind.SECRET
    if _OFTENS.search(words) or _OFTENS.search(flat):
        return Kind.OFTEN
    if _SELDOMS.search(words) and not _KEYS_OF_DATA.search(words):
        return Kind.SELDOM
    return None


def ends_with(name: str, words: frozenset[str]) -> bool:
    """Whether it is one of these words, or ends with one: ``LDAP_SHOP_PIN`` with ``shop_pin``."""
    flat, parts = name.lower().replace("-", "_"), _words(name)
    return any(form == word or form.endswith("_" + word) for word in words for form in (flat, parts))


def is_column(name: str) -> bool:
    """In a statement a name is a name, so that words of other matters count, too."""
    return kind_of(name) in (Kind.SECRET, Kind.OFTEN)


def is_plural(name: str) -> bool:
    """Of a plural a number says how many there are."""
    return name.rstrip("0123456789").lower().endswith("s")


_HEX = lazy(r"[0-9A-Fa-f]{16,}|[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_NUMBERED = lazy(r"[A-Za-z]{2,}[-_]?\d{1,6}|[A-Za-z]+(?:[-_]\d+)+")  # a number of a thing
SAYS_WHERE = (  # a version, a time, an address, a path, a dotted name
    r"v?\d+(?:[.:/-]\d+)+\w{0,8}|(?:https?|file|s3)://.*|[./~].*|[A-Za-z]\w*(?:\.[A-Za-z_]\w*)+"
)
_PLAIN = lazy(
    rf"{SAYS_WHERE}|[\w-]+(?:[./][\w-]+){{2,}}|[\w.]+\(.*"
    r"|[A-Za-z_-]+(?::\d{1,5})?|[\w.-]+:\d{1,5}|\d[\d.,]*\w{0,3}|0x[0-9A-Fa-f]+"
)
_DIGIT = lazy(r"\d")
_BLANK = lazy(r"\s")
_NO_NAME = lazy(r"[A-Z][A-Z]|[a-z][A-Z](?![a-z])")  # hardly in someLongName
_ODD = lazy(r"[!@#$%^&*+~?]")


def looks_secret(value: str) -> bool:
    """Whether a value that stands alone would be taken for a password or a token: letters with digits, not a word."""
    if not 8 <= len(value) <= 4096 or not value.isascii():
        return False
    if not _DIGIT.search(value):
        words = value.replace("_", "").replace("-", "")
        bare = _ODD.sub("", words)
        mixed = len(value) >= 20 and bare.isalpha() and not bare.isupper() and not bare.islower()
        return mixed and (bare != words or len(_NO_NAME.findall(value)) * 8 > len(value))
    if _BLANK.search(value):
        return False
    if _HEX.fullmatch(value):
        return not value.isdecimal()
    if _NUMBERED.fullmatch(value) or (_PLAIN.fullmatch(value) and not any(map(_is_drawn, _PART.split(value)))):
        return False
    letters = value.upper() != value.lower()
    mixed = not value.isupper() and not value.islower()
    return letters and (mixed or len(value) >= 20 or _ODD.search(value) is not None)


def _is_drawn(part: str) -> bool:
    """Of a path or of dotted names: what only base64 looks like."""
    return len(part) >= 20 and not part.islower() and not part.isupper() and len(_NO_NAME.findall(part)) * 8 > len(part)


_PART = lazy(r"[./]")


def looks_chosen(value: str) -> bool:
    """Whether a value is taken for a password where its place says that it is one: letters with digits or signs."""
    if not 6 <= len(value) <= 256 or not value.isascii() or not (_DIGIT.search(value) or _ODD.search(value)):
        return False
    return value.upper() != value.lower() and not _BLANK.search(value) and not _PLAIN.fullmatch(value)


def names_password(name: str) -> bool:
    """Of a name of a secret: not one of ``token``, ``session_id``, ``csrf``, which sentences speak of, too."""
    return _PASSWORD.search(name.lower()) is not None


_PASSWORD = lazy(r"pass|pw[dt]?$|pw\d|secret")
_KEY = lazy(r"[0-9A-Za-z_+/=-]{16,}")


def looks_like_key(value: str) -> bool:
    """Whether a value would be taken for a key behind any name: long, of one alphabet."""
    return looks_secret(value) and _KEY.fullmatch(value) is not None
