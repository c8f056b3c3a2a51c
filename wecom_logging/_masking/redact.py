"""Masking of secrets in what a program logs: pairs of name and value, headers, URLs, tokens, private keys."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache, partial

from . import calls, chinese, commands, disguise, forms, long_words, pem, personal, tokens
from .no_value import OWN_WORDS
from .pairs import without_pairs
from .patterns import MASK, Rule, Rules, hide, noted, noting

__all__ = [
    "MASK",
    "again",
    "hide",
    "mask_personal",
    "masker",
    "noting",
    "redact",
    "redact_more",
    "redact_personal",
    "remember",
]

RAISED = "(hidden: redact raised %s)"
RETURNED = "(hidden: redact returned a %s)"
"""In place of a text that a function of the user could not mask; a message says it in its own language."""

_MAX_NAME = 128
_BLANKS = r"[^\S\r\n]{0,8}+"

_NO_HEADER = (  # code, and a header whose value is filled in later
    rf"(?!(?:None|null|nil|[Tt]rue|[Ff]alse)\b|(?:{OWN_WORDS})(?=[,;)}}\]]|\s?$|\s?[\r\n])"
    r"|(?:await )?(?:[A-Za-z_]\w{0,40}\.){0,6}[A-Za-z_]\w{1,40}"
    r"(?:\((?=[)'\"a-z_])|\[(?=[a-zA-Z'\"]))|self\.\w|(?:str|bytes)(?: [|=]|[,)])|# type|\.\.\."
    r"|(?:The|An?) [a-z]|(?:\w{3,8} )?\.\.\."
    r"|[({\[]\s{0,8}(?:[\r\n]|$)|(?:_?[a-z]{2,20}(?:_[a-z]{1,20}){1,4}|authorization|token|header|credentials)(?=[,)}\]]|\s{0,2}(?:[\r\n]|$))"
    r"|[^\w'\"]{0,3}['\"]|(?:(?:Bearer|Basic|Token) ?)?"
    r"(?:\$\{?[A-Z_]{2,40}\}?|%s|\{[a-z_.]{1,40}\}|<[\w .-]{1,40}>)?(?:\\r)?(?:\\n)?['\"])"
)
_FILLED_IN = r"(?!\*\*|(?:\[[a-z]+\]\]|\{[a-z_.]{1,40}\}|%s|\$\{?[A-Z_]{2,40}\}?)@)"
_RULES = Rules(
    (
        # Authorization: Bearer …   Cookie: …   {"Authorization": "…"}   to the closing quote, or to the end of the line
        Rule(
            (
                r"(?i)((?=['\"pasc])(?P<before>['\"])?(?<![A-Za-z0-9])(?P<name>(?:proxy-)?authorization|(?:set-)?cookie)"
                rf"(?P<sign>(?P<after>\\{{0,3}}['\"])?\]?{_BLANKS}(?:[:=]|(?<=['\"]),){_BLANKS}(?:[bf]?(?P<open>\\{{0,3}}['\"]))?+)"
                rf"{_NO_HEADER}"
                r"(?P<scheme>(?:Bearer|Basic|Digest|Token|OAuth|Negotiate|NTLM|ApiKey|Hawk|AWS4-HMAC-SHA256)\s{1,4}(?=\S)"
                r"|(?<!\w)[\w.-]{1,40}=(?![=;\s'\"]|$))?+)"
                r"(?(after)(?(open)(?:(?!(?P=open))[^\r\n])+|(?!None|null|\*{3})[^\r\n]+)"
                r"|(?(before)(?:(?!(?P=before))[^\r\n])+|[^\r\n]+))"
            ),
            1,
            ("authorization", "cookie"),
        ),
        Rule(
            (
                r"\b((?:(?i:bearer|basic)|AUTH (?:PLAIN|LOGIN))\s{1,4})(?![a-z_]{1,24}=[^=\s])"
                r"(?=\S*(?:[0-9_=]|[a-z][A-Z]))[A-Za-z0-9._~+/=-]{8,}"
            ),
            1,
            ("bearer", "basic", "auth plain", "auth login"),
        ),
        Rule(r"(\bCookie\(version=\w{1,9}, name='[^'\r\n]{0,256}', value=)'[^'\r\n]+'", 1, ("cookie(",)),  # requests
        # scheme://user:password@host   https://token@host
        Rule(  # a "/" in a password of a database tears the URL, and then it is what the error is about
            r"((?:mongodb|redis|postgres|mysql|maria|mssql|oracle|amqp|clickhouse|sqlserver)[a-z+0-9]{0,24}://[^\s/:@'\"]{0,128}:)"
            rf"{_FILLED_IN}(?!\d{{1,5}}/)[^\s'\"]{{1,256}}(?=@)",
            1,
            ("://",),
        ),
        Rule(r"((?<=[\w.-]):)(?!\*\*)[^\s'\"]{1,256}(?=@(?:tcp|unix)\()", 1, ("@tcp(", "@unix(")),
        Rule(rf"(:?//[^\s/:@'\"]{{0,128}}:){_FILLED_IN}[^\s/'\"]{{1,256}}(?=@)", 1, ("//",)),
        Rule(r"(\bnetloc='[^\s:@']{0,128}:)(?!\*\*)[^']{1,256}(?=@)", 1, ("netloc=",)),
        Rule(r"(://)(?=[\w~+%.-]*\d)[\w~+%.-]{20,256}(?=(?::[^\s/:@'\"]{0,64})?@)", 1, ("://",)),
        Rule(r"(jdbc:oracle:thin:[^\s/@'\"]{1,64}/)[^\s@'\"]{1,64}+(?=@)", 1, ("jdbc:oracle",)),
        Rule(r"([?&]key=)[^\s&'\"]+", 1, ("key=",)),
        *tokens.URLS,
        *calls.RULES,
        *chinese.RULES,
    )
)


_PERSONAL = Rules(personal.RULES)


def redact(text: str) -> str:
    """``text`` with its secrets replaced by ``***``."""
    return redact_more(text, frozenset())


def redact_more(text: str, names: frozenset[str]) -> str:
    """`redact`, with more names of secrets: small letters, digits and ``_``."""
    before, noted.values = noted.values, []  # as `noting` does, which costs a tenth of masking a line
    try:
        bare = disguise.bare(text)
        masked = _redact(bare, names)
        if bare is not text and masked == bare:
            masked = _redact(text, names)
    finally:
        hidden, noted.values = noted.values, before
    if not hidden:
        return masked
    hide(*hidden)
    further = again(hidden)
    return further(masked) if further else masked


def _redact(text: str, names: frozenset[str]) -> str:
    short, whole = long_words.shortened(text) if len(text) >= long_words.LONG else (text, None)
    if not whole:
        return _masked(text, names)
    with noting() as hidden:
        short = _masked(short, names)
        hidden[:] = [long_words.restored(value, whole) for value in hidden]
    return long_words.restored(short, {ends: tokens.without_tokens(word, _small(word)) for ends, word in whole.items()})


def _masked(text: str, names: frozenset[str]) -> str:
    if "PRIVATE KEY" in text:
        text = pem.without_private_keys(text)
    small = _small(text)
    text = calls.without_keys(_RULES.without(text, small), small)
    text = commands.without_passwords(text, small)
    return tokens.without_tokens(without_pairs(text, _small(text), names), small)


def _small(text: str) -> str:
    """In small letters, sign by sign: there are letters that become two."""
    small = text.lower()
    return small if len(small) == len(text) else text.translate(_TO_SMALL)


_TO_SMALL = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}


def redact_personal(text: str) -> str:
    """What `redact` does, and personal data as ``***``, too. For the option ``redact``.

    Personal data are numbers of phones, identity cards, passports and licence plates of mainland China, numbers of
    bank cards (by Luhn's check digit), and e-mail addresses.
    """
    return mask_personal(redact(text))


def mask_personal(text: str) -> str:
    """Personal data alone."""
    return _PERSONAL.without(text, text.lower())


def masker(secrets: Iterable[str], further: Callable[[str], str] | None) -> Callable[[str], str]:
    """A function that masks these and the remembered secrets always, and then whatever ``further`` finds."""
    known = forms.of(secrets)
    if further is not None:
        tokens.load()  # not when the first long word comes: the program may have no file left

    def mask(text: str) -> str:
        text = forms.without(forms.without(text, known), _remembered)
        return _further(text, further) if further else text

    if further not in (None, redact, redact_personal):
        return mask
    kept = lru_cache(maxsize=1024)(partial(_noted, mask))  # names of loggers, files, hosts: they come again

    def mask_kept(text: str) -> str:
        if len(text) > _MAX_NAME:
            return mask(text)
        masked, hidden = kept(text, _remembered)
        if hidden:
            hide(*hidden)
        return masked

    return mask_kept


def _noted(mask: Callable[[str], str], text: str, remembered: tuple[str, ...]) -> tuple[str, list[str]]:
    """A masked text, and what was hidden in it, as long as these are ``remembered``."""
    with noting() as hidden:
        return mask(text), hidden


def remember(*secrets: str) -> None:
    """Have all of the process mask these, since a record with one handler's secret may go to another's group."""
    global _remembered
    _remembered = forms.longest_first({*_remembered, *forms.of(secrets)})


_remembered: tuple[str, ...] = ()


def again(hidden: Iterable[str]) -> Callable[[str], str] | None:
    """A function that masks what was hidden elsewhere, in any of its forms; None where nothing tells by itself."""
    known = forms.of(forms.telling(hidden))
    return partial(forms.without, known=known) if known else None


def _further(text: str, further: Callable[[str], str]) -> str:
    """A user's function may fail; then nothing of the text is shown."""
    try:
        masked = further(text)
    except Exception as error:
        return RAISED % type(error).__name__
    return masked if type(masked) is str else RETURNED % type(masked).__name__
