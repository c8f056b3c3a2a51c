"""What stands behind the name of a secret and is not its value: code, types, places to fill in, sentences.

A line of source that a traceback shows says where a secret comes from, and a message what is wrong with it.
"""

from __future__ import annotations

import re

from .names import kind_of
from .patterns import lazy

NO_VALUE = lazy(
    r"(?i)(?:None|null|nil|undefined|true|false|yes|no|not|empty|missing|required|unknown|invalid|incorrect|wrong"
    r"|expired|too|must|cannot|is|was|has|[01])(?:[\s;&)\]}'\"`]|,(?:\s|[\w.-]{0,40}[=:]|$)|$)"
    r"|(?:set|unset|valid|ok|enabled|disabled|changed|unchanged|updated|found|revoked|str|bytes|string|default)(?="
    r"[;&)\]}'\"]|,(?:\s|$)|\s?$|\r?\n)"
    r"|(?:[\w.]{1,64}\(\s?(?:\w{1,32}=)?)?\*{3}|[\[({](?:['\"]|[\])}])|b?''(?!['\w])|b?\"\"(?![\"\w])"
    r"|[\[(<](?:filtered|redacted|hidden|masked|removed|sensitive value|known after apply|unset|none)[\])>]"
    # calls, and what is looked up
    r"|(?:await )?(?:(?:[a-z_]{2,40}\.){1,6}[a-z_]{2,40}\d{0,3}|[a-z]{1,20}(?:_[a-z]{1,20}){1,4}"
    r"|len|str|dict|list|sorted|Depends|Security|Field|Form|Header|Query)"
    r"\((?=[)'\"\r\n]|$|[a-z_]{1,40}[,.()\[=])"
    r"|(?:[a-z_]{2,40}\.){1,6}[a-z_]{2,40}\[['\"]"
    # types of what is declared
    r"|(?-i:[A-Z])[a-z.]{2,40}(?:[\[<][^\r\n=]{0,80}[\]>])?(?: \| None)? = "
    r"|(?:annotated|optional|union|list|dict|literal)\[|(?:str|bytes|int|float|bool)\s\|\s|Secret(?:Str|Bytes)\b"
    # a place that is filled in later, or an object that Java or Android prints
    r"|\$\{[\w.:-]{1,80}\}|\$\{\{|<%=|!(?:ENV|Ref|Sub)\b|\$\(|(?-i:\$[A-Z_]{2,40})(?![\w{])"
    r"|(?:\?|\$\d{1,4})(?=[\s:,)\]]|$)|\{\{|%\(?\w{0,64}\)?[sr]\b|<[\w .-]{1,60}>"
    r"|(?-i:[A-Z])\w{2,60} ?\{|[\w.$]{1,120}@[0-9a-f]{5,8}\b"
)
# What forms of Django say of a field, and signs that a parser did not expect.
REMARK = lazy(
    r"\[?(?:ErrorDetail\(string=)?['\"]?This (?:field|value|password) "
    r"|'[^\w'\r\n]{1,3}'(?!\w)|\"[^\w\"\r\n]{1,3}\"(?!\w)"
)
TEMPLATE = lazy(  # f"{a}-{b}"   " "
    r"[rbu]?f(?P<quote>['\"])(?:\{[^{}'\"]{1,60}\}|[^\w'\"{}]){1,8}(?P=quote)|b?(['\"])[^\w'\"]?\2(?![\w'\"])"
    r"|['\"][\w+]{1,40}://(?:%s|\{\w{0,40}\}|[:/@?]){3,20}['\"]"
)
LOOKS_UP = lazy(  # what such a call is given is a name, or a sign
    r"(?i)(?:^|[._])(?:(?:get|read|load|fetch|lookup)\w*|pop|env|environ|setdefault|encode|decode|[lr]?strip|[lr]?split"
    r"|r?partition|join|replace|input|prompt|ask|open|path|format|header|cookies?)\(\s{0,40}(?:\w{1,32}=)?$"
)
_EXPRESSION = lazy(
    r"(?:await |not )?(?:(?:[A-Za-z_]\w{0,40}\.){1,6}\w{2,40}|[A-Za-z_]{2,40}\d{0,3})"
    r"(?:\((?=[)'\"\r\n]|$|[a-z_]{1,40}[,.()\[= ]|[A-Za-z][\w.]{0,40}\(|\*{1,2}[a-z])"
    r"|\[(?:['\"]|-?\d{0,3}\]|-?\d{0,3}:|[A-Za-z_.]{1,40}[\]:\[ ,]))"
    r"|await [a-z_.]{2,80}(?=\s|$)|[\[{][\w.()]{1,40}(?:: ?\w{1,40})? for "
    r"|(?:self|cls|settings|conf(?:ig)?|cfg|args|opts|options|var|request|req|response|resp|result|app|this|ctx|context)"
    r"\.[A-Za-z_][A-Za-z_.]{1,80}(?=[\s,;)\]}:]|$)"
    r"|\{[a-z_][a-z_.]{0,60}(?:![rs])?\}(?!;)|[\[({]\s{0,8}(?:[\r\n]|$)"
)
_ASSIGNED = lazy(  # name = a.b   name = f(3)   name = a if b else c
    r"[a-z_]{2,40}(?:\.[A-Za-z_]{2,40}){1,5}(?=[\s,;)]|$)|[A-Za-z_.]{2,80}\(-?\d{1,4}[,)]"
    r"|[\w.]{1,80} (?:and|or|if|is|in|not|for|\+|==) ['\"(a-z_]"
)
_SEVERAL_NAMES = lazy(r"(?:^|\n)\s{0,60}(?:[a-z_]{1,40}, ){1,4}$")  # login, password = result
_OTHER_NAME = lazy(r"[a-z]{2,20}(?:_[a-z]{1,20}){1,5}(?P<sign>[,)}\]]|\s?$|\s?[\r\n])")
_TYPE = lazy(
    r"(?:bool|bytes|bytearray|float|int|object|str|[A-Z]\w{2,60})(?:\[[^\r\n]{0,80}\])?(?: \| None)?[,):=]?(?=[\s)]|$)"
)
_SENTENCE = lazy(
    r"[A-Za-z][a-z'-]*+(?:,? [A-Za-z][a-z'-]*+){0,3} (?:is|are|was|were|not|must|has|have|had|will|would|should|could"
    r"|can|cannot|may|does|did|failed|fails|required|error|successfully|supported|expected|found|missing|mismatch)\b"
    r"|[1-5]\d\d (?:[A-Z][a-z]+ ?){1,4}\b"
)
_REACH = 256


def is_code(text: str, at: int, name: str, begin: int, before: str, *, colon: bool) -> bool:
    """Whether what stands at ``at``, behind a name and its sign, says something of the secret, and is not it.

    ``before`` is what stands before the name, which begins at ``begin``.
    """
    reach = at + _REACH
    if _EXPRESSION.match(text, at, reach):
        return True
    blank = text[at - 1 : at] == " "
    if colon:
        if not blank:
            return False
        line = text[max(begin - 2 * _REACH, 0) : begin].rpartition("\n")[2]
        return _SENTENCE.match(text, at, reach) is not None or (
            "def " in line and _TYPE.match(text, at, reach) is not None
        )
    if blank and (_ASSIGNED.match(text, at, reach) or (before[-2:] == ", " and _SEVERAL_NAMES.search(before))):
        return True
    other = None if name.isupper() else _OTHER_NAME.match(text, at, reach)
    return other is not None and (blank or other["sign"] in ",)}]") and _names_secret(other)


def _names_secret(other: re.Match[str]) -> bool:
    return kind_of(other[0][: -len(other["sign"]) or None]) is not None
