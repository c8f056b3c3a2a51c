"""Placeholders: what stands behind the name of a secret and is not its value, as code, types, and sentences.

A line of source that a traceback shows says where a secret comes from, and a message what is wrong with it.
"""

from __future__ import annotations

import re

from .names import kind_of
from .patterns import lazy
from .words import CLOSED

_ALWAYS = (  # what says what is with a secret, or what is wanted of it
    "none|null|nil|undefined|true|false|yes|no|not|empty|missing|required|unknown|invalid|incorrect|wrong|expired|too"
    "|must|cannot|is|was|has|0|1|expected"
)
_ALONE = (  # of formats and forms, where nothing follows
    "inherit|optional|present|absent|unset|set|valid|ok|enabled|disabled|changed|unchanged|updated|found|revoked|denied"
    "|failed|str|bytes|string|bool|default|generated|prompt|redacted|masked|hidden|可选|必填|必须|accepted|rejected|sent"
    "|used|verified|active|locked|deleted|created|pending|cached|refreshed|rotated|changeme"
)
OWN_WORDS = f"{_ALWAYS}|{_ALONE}"
_WORDS, _OWN_WORDS = frozenset(_ALWAYS.split("|")), frozenset(_ALONE.split("|"))
_REMARKS = (  # how forms begin what they say of a field
    r"[Tt]oo (?:short|long|weak|common|simple)\b|[Mm]issing (?:data|value|required)|[Ii]s (?:required|invalid|not)\b"
    r"|[Cc]an(?:no|')?t be|[Mm]ust (?:be|have|contain|not|match)\b|[Ff]ield (?:is )?required|[Uu]nknown|[Rr]equired"
    r"|[Hh]as (?:already|been|expired)\b|[Nn]ot (?:a valid|set|found)\b|[Ii]nvalid (?:value|type|input|data|format)"
    r"|(?:Shorter|Longer) than|(?:The )?(?:two )?[Pp]asswords? (?:field|do|must|is|are|should|needs|cannot|may)\b"
    r"|(?:\d{1,3} ?)?[\u3041-\u30ff\u4e00-\u9fff\uac00-\ud7a3]{2}"
    r"|This (?:field|value|password|token) |Ensure this|Length must|Value error|(?:Input|String) should"
)
_SENTENCE = r"[A-Za-z][a-z']{1,20}(?: [\w'<>=.,()-]{1,30}){0,16}"
_SENTENCE += r" (?:not|null|length|least|most|characters?|allowed|short|long|type|match)\b"
_LETTERS = r"[^\W\d_]{1,32}(?:['’-][^\W\d_]{1,24}){0,2}"
_PHRASE = r"[a-z]|(?:[A-Z][a-z]*[ '\"]){3,15}"  # of passwords
_SENTENCE += rf"|(?!{_PHRASE}){_LETTERS}(?:[,:;]? (?:{_LETTERS}|\d{{1,3}})){{2,14}}['\"]"
_SENTENCE += rf"|{_LETTERS}(?:[,:;]? (?:{_LETTERS}|\d{{1,3}})){{1,14}}[.!]['\"]"
_WORD = lazy(r"(?P<word>[^\W_]{1,12})(?:(?P<end>[;&)\]}'\"]|,(?:\s|$)|\s?$|\s?\r?\n)|[\s`]|,[\w.-]{0,40}[=:])")
HIDDEN = lazy(  # what something else has put in its place, or will fill in
    r"(?P<quote>['\"])?(?:\*{0,3}(?:(?i:redacted|filtered|masked|hidden|omitted|change[_-]me)|[\[(<{]{1,2}(?i:filtered|redacted"
    r"|hidden|masked|removed|omitted|scrubbed|protected|secret|sensitive|censored|not (?:set|shown))[A-Za-z_ :]{0,24}"
    r"[\])>}]{1,2})\*{0,3}|[*•●]{3,}|[xX]{4,}|sk-\*{3,}|(?:sk|pk|ey[A-Za-z]?)-?\.{3}\w{0,4}|[nN]/[aA]|[~-]"
    r"|(?:arn:|projects/|secrets?/|kv/|vault:|ssm:|op://|file:|env:)[\w./:#@-]{1,160}"
    r"|<?(?i:your|example|dummy)[_ -][A-Za-z_ -]{2,40}>?"
    r"|\{\{[^{}\r\n]{1,80}\}\})(?(quote)(?P=quote))(?=[,;)\]}]{0,4}(?:\s|$)|,['\"][\w.-]{1,40}['\"]:|&[a-z_]{2,40}=[\w.<>-]*(?:[&\s]|$))"
)
_OF_LETTERS = lazy(
    r"(?i)\d{1,3} ?(?=[位个個字文자至到])|[\w.]{1,64}\(\s?(?:\w{1,32}=)?\*{3}|b''(?!['\w])|b\"\"(?![\"\w])"
    # calls, and what is looked up
    r"|(?:await )?(?:(?:[a-z_]{2,40}\.){1,6}[a-z_]{2,40}\d{0,3}|[a-z]{1,20}(?:_[a-z]{1,20}){1,4}"
    r"|len|str|dict|list|sorted|Depends|Security|Field|Form|Header|Query)\((?=[)'\"\r\n]|$|[a-z_]{1,40}[,.()\[=])"
    r"|(?:[a-z_]{2,40}\.){1,6}[a-z_]{2,40}\[['\"]"
    # types of what is declared
    r"|(?-i:[A-Z])[a-z.]{2,40}(?:[\[<][^\r\n=]{0,80}[\]>])?(?: \| None)? = "
    r"|(?:annotated|optional|union|list|dict|literal)\[|(?:str|bytes|int|float|bool)\s\|\s|Secret(?:Str|Bytes)\b"
    r"|(?-i:[A-Z])\w{2,60} ?\{(?=\s|$|[a-z]\w{0,40}[=:])|(?-i:[A-Z])[a-z]{2,20}<&?\w{2,20}>"
    r"|[\w.$]{1,120}@[0-9a-f]{5,8}\b"  # an object that Java or Android prints
)
_OF_SIGNS = lazy(  # a place that is filled in later
    r"\*{3}|[\[({][\])}]|''|\"\"|[\[(<](?i:known after apply|unset|none)[\])>]"
    r"|\$\{[\w.:-]{1,80}(?:\?[^{}\r\n]{0,80})?\}|\$\{\{|<%=|!(?:ENV|Ref|Sub|vault)|\$\(\w{1,40}\)?|%[A-Z_]{2,40}%"
    r"|@@?\w{1,40}@@?|[#%]\{\w{1,40}\}|%\d\$s|__[A-Z_]{2,40}__|\$[A-Z_]{2,40}|\?|\$\d{1,4}"
    r"|\{\{[^{}\r\n]{0,80}\}\}|%(?:\(\w{1,64}\))?[srSR]|\{(?:[a-z_][a-z_.]{0,60}(?:![rs])?|\d?)\}"
    r"|<[\w .-]{1,60}>|<[A-Za-z][\w.]{1,60} [^<>\r\n]{1,120}>|\$[\w.$]{1,119}@[0-9a-f]{5,8}\b"
)
# What a form says of a field, and signs that a parser did not expect.
REMARK = lazy(
    rf"\[?(?:ErrorDetail\(string=)?['\"]?(?:{_REMARKS})|\[['\"](?:{_SENTENCE})|\[?['\"](?:{OWN_WORDS})['\"](?=[\s,;)\]}}]|$)|['\"](?:required|nullable|string|min:\d{{1,3}})\||[\[{{]{{1,2}}['\"](?:min|max|required|_?errors?|message"
    rf"|msg|code|type|kind|rule)(?:_?[Ll]ength)?['\"]:"
    r"|(?:'[^\w'\r\n]{1,3}'|\"[^\w\"\r\n]{1,3}\")(?=[\s,;.:)\]}]|$)|\"(?:Optional|Union|Sequence|Mapping|list|dict"
    r"|tuple)\["
)
TEMPLATE = lazy(  # f"{a}-{b}"   " "
    r"[rbu]?f(?P<quote>['\"])(?:\{[^{}'\"]{1,60}\}|[^\w'\"{}]){1,8}(?P=quote)|b?(['\"])[^\w'\"]?\2"
    r"|['\"][\w+]{1,40}://(?:%s|\{\w{0,40}\}|[:/@?]){3,20}['\"]"
    r"|(?P<mark>['\"])(?:\$[A-Z][A-Z_]{0,40}|\$\d|\$[a-z]{1,20}(?:_[a-z]{1,20}){1,4}|[$#]\{[^{}\r\n]{1,100}\}"
    r"|\$\([A-Z_]{1,40}\)|%\(\w{1,64}\)s|<%=[^<>\r\n]{1,100}%>|<[a-z][a-z _-]{1,40}>)(?P=mark)"
)
LOOKS_UP = lazy(  # what such a call is given is a name, or a sign
    r"(?i)(?:^|[._])(?:(?:get|read|load|fetch|lookup)\w*|(?<![^._])_|pop|push|call|env|environ|setdefault|encode|decode"
    r"|[lr]?strip|[lr]?split"
    r"|r?partition|join|replace|input|prompt|ask|open|path|format|header|cookies?)\(\s{0,40}(?:\w{1,32}=)?$|\balias=$"
)
_EXPRESSION = lazy(
    r"(?:await |not )?(?:\$\w{1,40}->\w{1,40}|(?:[A-Za-z_]\w{0,40}(?:\.|::)){1,6}\w{2,40}|[A-Za-z_]{2,40}\d{0,3})"
    r"(?:\((?=[)'\"\[{$\r\n]|$|[a-z_][a-z_\d]{0,40}[,.()\[= ]|[A-Za-z][\w.]{0,40}\(|\*{1,2}[a-z])"
    r"|\[(?:['\"]|-?\d{0,3}\]|-?\d{0,3}:|[A-Za-z_.]{1,40}[\]:\[ ,(]))"
    r"|await [a-z_.]{2,80}(?=\s|$)|[\[{][\w.()]{1,40}(?:: ?\w{1,40})? for "
    r"|(?:&?(?:mut )?self|process\.env|cls|settings|conf(?:ig)?|cfg|args|opts|options|var|request|req|response"
    r"|resp|result|app|this|ctx|context)\.[A-Za-z_][A-Za-z_.]{1,80}(?=[\s,;)\]}:]|$)"
    r"|[\[({]['\"]|[\[({]\s{0,8}(?:[\r\n]|$)"
)
_ASSIGNED = lazy(  # name = a.b   name = f(3)   name = a if b else c
    r"(?:[A-Z][a-z]{1,40}\.){1,5}[A-Z][A-Za-z]{1,40}(?=[\s,;)]|$)|[a-z_]{2,40}(?:\.[A-Za-z_]{2,40}){1,5}(?=[\s,;)]"
    r"|$)|[A-Za-z_.:]{2,80}\(-?\d{1,4}[,)]"
    r"|[\w.]{1,80} (?:and|or|if|is|in|not|for|\+|==) ['\"(a-z_]|[a-z_]{2,40} = [a-z_]{2,40} = "
)
_SEVERAL_NAMES = lazy(r"(?:^|\n)\s{0,60}(?:[a-z_]{1,40}, ){1,4}$")  # login, password = result
_OTHER_NAME = lazy(r"[a-z]{2,20}(?:_[a-z]{1,20}){1,5}(?P<sign>[,)}\]]|\s?$|\s?[\r\n])")
_TYPE = lazy(
    r"(?:bool|bytes|bytearray|float|int|object|str|[A-Z]\w{2,60})(?:\[[^\r\n]{0,80}\])?(?: \| None)?[,):=]?(?=[\s)]|$)"
)
PATH = lazy(r"(?:/[a-z_.][a-z\d_.@-]{0,30}){2,8}/?(?=[\s,;'\")\]]|$)")
_SAID = lazy(
    # password: this is wrong
    r"[A-Za-z][a-z'-]*+(?:,? [A-Za-z][a-z'-]*+){0,3} (?:is|are|was|were|not|must|has|have|had|will|would|should|could"
    r"|can|cannot|may|does|did|failed|fails|required|error|successfully|supported|expected|found|missing|mismatch)\b"
    r"|[1-5]\d\d (?:[A-Z][a-z]+ ?){1,4}\b"
    # a.Token | None = None   a.Token,
    r"|[\w.]{2,60}(?:\[[^\r\n]{0,80}\])?(?: \| [A-Za-z][\w.]{1,60}){1,4}(?=\s?[=,):]|\s?$)"
    r"|(?:[a-z_]\w{0,40}\.){1,4}[A-Z]\w{1,40}(?=\s=|[,):]|\s?$)|(?:bool|bytes|int|float|str)(?:,|\s=\s)"
    r"|[CL]\{[\w.]{1,60}\}|(?:min|max)_length="
    # what documents of a function say of its arguments
    r"|(?i:an?|the) [a-z]{2,20}\b"
    r"|(?i:number|name|list|path|file|value|string|password|passphrase|token|key|secret|cookie)s?"
    r"(?:/[a-z]{2,12})? (?:for|of|to|that|this|which|used|with|from|in|as) "
)
_OF_CODE = lazy(  # no word of it mixes letters and digits as passwords do
    r"(?:[A-Za-z_]++\d{0,3}(?![A-Za-z\d])|[a-z_][a-z\d_]*+(?=\()|\d++(?![A-Za-z_])|(?<=[a-z])<\w{2,40}>|->|[$&](?=[a-z])"
    r"|(?<=[(\[,= ])(?:'[^'\s]*+'|\"[^\"\s]*+\")|[.,:()\[\]{}'\"=+*/\\-])*+\??;?(?:\s|\Z|[^\x00-\x7f])"
)
_REACH = 256


def is_word(value: str) -> bool:
    """Whether it says what is with the secret, or what is wanted of it."""
    return value.lower() in _WORDS or value.lower() in _OWN_WORDS


def is_placeholder(text: str, at: int, reach: int) -> bool:
    """Whether what stands at ``at`` is a word that says what is with the secret, a type, or a place to fill in.

    Nothing else stands beside it: passwords have all signs, too.
    """
    if word := _WORD.match(text, at, reach):
        small = word["word"].lower()
        if small in _WORDS or (small in _OWN_WORDS and word["end"] is not None):
            return CLOSED.match(text, word.end("word"), reach) is not None
    first = text[at : at + 1]
    if first.isalnum() or first in "_.":
        found = _OF_LETTERS.match(text, at, reach)
        return (
            found is not None
            and (CLOSED.match(text, found.end(), reach) or _OF_CODE.match(text, at, reach)) is not None
        )
    found = _OF_SIGNS.match(text, at, reach)
    return found is not None and CLOSED.match(text, found.end(), reach) is not None


def is_code(text: str, at: int, name: str, begin: int, before: str, *, colon: bool) -> bool:
    """Whether what stands at ``at``, behind a name and its sign, says something of the secret, and is not it.

    ``before`` is what stands before the name, which begins at ``begin``.
    """
    return _may_be_code(text, at, name, begin, before, colon) and _OF_CODE.match(text, at, at + _REACH) is not None


def _may_be_code(text: str, at: int, name: str, begin: int, before: str, colon: bool) -> bool:
    reach = at + _REACH
    if _EXPRESSION.match(text, at, reach):
        return True
    blank = text[at - 1 : at] == " "
    other = None if name.isupper() else _OTHER_NAME.match(text, at, reach)
    if colon:
        if other and before[-1:] in "'\"" and other["sign"] in ",)}]" and _names_secret(other):
            return True
        if not blank:
            return False
        return _SAID.match(text, at, reach) is not None or (
            _TYPE.match(text, at, reach) is not None
            and "def " in text[max(begin - 2 * _REACH, 0) : begin].rpartition("\n")[2]
        )
    if blank and (_ASSIGNED.match(text, at, reach) or (before[-2:] == ", " and _SEVERAL_NAMES.search(before))):
        return True
    return other is not None and (blank or other["sign"] in ",)}]") and _names_secret(other)


def _names_secret(other: re.Match[str]) -> bool:
    return kind_of(other[0][: -len(other["sign"]) or None]) is not None
