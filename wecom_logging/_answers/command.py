"""What a person typed, as a command: ``@Bot 静默 k7f2 1h``. Pure; what cannot be understood says why.

A length of time is read as people write it: ``30m``, ``1h30m``, ``2 hours``, ``2小时``, ``一个半小时``, or its end:
``18:00``, ``到18点``, ``到明早9点``, ``今晚``, ``tomorrow 9am``.
"""

from __future__ import annotations

import logging
import re
import unicodedata
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, timezone

from .._incidents.limits import QUIET_LIMIT_S
from .._incidents.short_id import LEAST, MOST, read_short_id
from .._render.words import LEVELS

MAX_TEXT = 200
"""Characters. A longer text is talk, and no command."""

_MAX_READ = 4 * MAX_TEXT
_MAX_QUOTED = 20_480
_MAX_CODE = 64

_NEED_ID = ("take", "give", "quiet", "details", "undo", "done", "forget")
_OF_SEVERAL = ("take", "undo", "done", "forget")
"""Verbs that take several ids at once."""
_SAID = {
    "take": ("认领", "我来处理", "我来", "收到", "接手", "处理中", "在处理", "正在处理", "我处理", "ack"),
    "give": ("转给", "转交", "移交", "交给", "分配给", "assign"),
    "quiet": ("静默", "静音", "屏蔽", "忽略", "silence", "mute", "snooze"),
    "details": ("详情", "查看", "看看", "detail", "show"),
    "list": ("列表", "下一页", "next"),
    "on-call": ("值班", "值班表", "值班人", "谁值班", "谁值班?", "谁在值班", "谁在值班?", "oncall", "duty"),
    "undo": ("撤销", "撤消", "撤回", "取消", "取消认领", "取消静默", "解除静默", "恢复", "恢复提醒", "unmute"),
    "done": (
        "完成",
        "关闭",
        "解决",
        "已解决",
        "已恢复",
        "恢复了",
        "搞定",
        "已搞定",
        "已处理",
        "处理完",
        "处理好",
        "修好",
        "已修复",
        "误报",
        "close",
        "resolve",
    ),
    "jobs": ("任务", "任务列表"),
    "forget": ("不再等它", "不再等待", "不再等"),
    "help": ("帮助", "?"),
    "pair": ("绑定",),
}
_WORDS = {word: verb for verb, words in _SAID.items() for word in (verb, *words)}
VERBS = tuple(_SAID)
_WITH_MORE = re.compile(f"({'|'.join(sorted((word for word in _WORDS if not word.isascii()), key=len)[::-1])})(.*)")
_LEVELS = {word: getattr(logging, name) for name, chinese in LEVELS.items() for word in (name.lower(), chinese)}
_NEXT = ("下一页", "next")
_PARTICLES = ("", "了", "吧", "啦", "一下")
_FILLERS = frozenset(("this", "please", "for", "until", "to", "这个", "它"))  # no id has i, l, o or u, or three letters

_SCOPE = re.compile(r"\w[\w-]*(?:\.[\w-]+)*")
_SCOPE_WORDS = ("service", "logger", "服务", "模块")
_MAINTAIN = {"维护": "quiet", "maintenance": "quiet", "maintain": "quiet", "结束维护": "undo", "取消维护": "undo"}
"""Words that say a verb, and that a service or a logger comes next."""

_FOUR_PER_EM = "\u2005"  # WeCom puts it after the name of who is called
_CALLED_FIRST = re.compile(r"(?:@(?:[^\u2005@]{0,64}\u2005|\S{0,64}(?:\s|$))\s*){1,3}")
_CALLED_LAST = re.compile(r"(?:^|\s)@(?:[^\u2005@]{0,64}\u2005|\S{0,64})\s*$")
_SEAMS = re.compile(
    r"(?<=[0-9a-z])(?=[\u4e00-\u9fff])|(?<=[\u4e00-\u9fff])(?=[0-9a-z#])|(?<=[a-z])(?=#)|(?<=[\u4e00-\u9fff])[:,;]|[:,;](?=[\u4e00-\u9fff])",
    re.I,
)
_ENDS = ".,;:!~。、"
_ID = re.compile(rf"#?[0-9a-z]{{{LEAST},{MOST}}}|#\S{{1,{MOST}}}")
_OURS = "[0-9a-hjkmnp-tv-z]"
_ID_OF_OURS = re.compile(rf"(?<![\w#&/])#({_OURS}{{{LEAST},{MOST}}})(?![0-9A-Za-z])")
_ID_ALONE = re.compile(rf"#{_OURS}{{{LEAST},{MOST}}}|{_OURS}{{{LEAST}}}")


@dataclass(frozen=True, slots=True)
class Command:
    """What is to be done: ``verb`` is one of `VERBS`, or "" where none was understood.

    ``short_id`` is that of the incident, without ``#``; ``length_s`` that of a silence, in seconds; ``level`` (0: all)
    and ``page`` those of a list (0: the one after that which was shown last); ``whom`` gets what is given, in small
    letters, ``whom_id`` is that person's user id where it is known; ``code`` what stands after ``pair``. ``scope``
    stands in place of an id: a service or a logger, whose maintenance has a ``reason``.
    ``why`` it cannot be done, or "": ``"empty"``, ``"long"`` (more than `MAX_TEXT` characters), ``"verb"`` (unknown, it
    stands in ``said``), ``"id"`` (none), ``"ids"`` (the quoted text has several, ``said`` is one), ``"length"``
    (none), ``"whom"`` (none), ``"code"`` (none), ``"scope"`` (none). ``others`` are words that may be ids of more
    incidents, with which the same is done; ``typed`` is what stood behind the verb.
    """

    verb: str = ""
    short_id: str = ""
    length_s: float = 0.0
    level: int = 0
    page: int = 1
    whom: str = ""
    whom_id: str = ""
    code: str = ""
    scope: str = ""
    reason: str = ""
    critical: bool = False
    why: str = ""
    said: str = ""
    others: tuple[str, ...] = ()
    typed: str = field(default="", compare=False)

    @property
    def as_scope(self) -> str:
        """The words behind the verb, where they may name a service and no id; else empty. A length that is too long
        for a maintenance is the longest there."""
        name, *after = self.typed.split() or [""]
        may_be = self.verb in ("quiet", "undo") and _SCOPE.fullmatch(name) and not re.search(r"[\d.]", name)
        if not may_be or name.lower() in (*_SCOPE_WORDS, *_FILLERS):
            return ""
        found = _of_scope(self.verb, [_SCOPE_WORDS[0], name, *after], _now())
        if found is not None and found.length_s > QUIET_LIMIT_S:
            return " ".join(filter(None, [name, f"{QUIET_LIMIT_S / 3600:.0f}h", found.reason]))
        return self.typed


def read(text: str, quoted: str = "", now: datetime | None = None) -> Command:
    """What a person typed, who may have ``quoted`` a message: its id counts where the text has none. Never raises.

    ``now``, in the zone of that person, says when "18:00" is; without it, this machine does.
    """
    if len(text) > _MAX_READ:
        return Command(why="long")
    text = unicodedata.normalize("NFKC", text.replace(_FOUR_PER_EM, "\0")).replace("\0", _FOUR_PER_EM)
    text = text.lstrip()
    if (called := _CALLED_FIRST.match(text)) is not None:
        text = text[called.end() :]
    called_last = _CALLED_LAST.search(text)
    plain = text[: called_last.start()].strip() if called_last else text.strip()
    if len(plain) > MAX_TEXT:
        return Command(why="long")
    typed = [word for word in (word.strip(_ENDS) for word in _SEAMS.sub(" ", plain).split()) if word]
    words = [word.lower() for word in typed]
    if not words:
        return Command(why="empty")
    now = now or _now()
    if (verb := _MAINTAIN.get(words[0])) is not None:
        is_named = words[1:2] and words[1] in _SCOPE_WORDS
        found = _of_scope(verb, typed if is_named else [_SCOPE_WORDS[0], *typed[1:]], now)
        return Command(verb, why="scope") if found is None else found
    verb, rest = _verb(words, now)
    if not verb and _has_length(words, now) and (quoted or any(map(_ID.fullmatch, words))):  # the answer to: how long?
        verb = "quiet"
    if not verb and len(words) == 1 and _ID_ALONE.fullmatch(words[0]):
        verb = "details"
    if verb == "pair":
        code = typed[-1][:_MAX_CODE] if rest else ""
        return Command(verb, code=code, why="" if code else "code")
    if verb == "list":
        levels = [_LEVELS[word] for word in rest if word in _LEVELS]
        pages = [int(word) for word in rest if word.isdecimal() and 0 < len(word) < 5]
        page = 0 if words[0] in _NEXT else max([1, *pages[:1]])
        return Command(verb, level=levels[0] if levels else 0, page=page)
    if verb not in _NEED_ID:
        return Command(verb, why="" if verb else "verb", said="" if verb else words[0])
    if verb in ("quiet", "undo") and (found := _of_scope(verb, typed[len(typed) - len(rest) :], now)) is not None:
        return found
    if verb == "give" and called_last:
        rest.append(called_last[0].strip())
    command = _with_id(verb, [word for word in rest if word not in _FILLERS], _quoted_ids(quoted[:_MAX_QUOTED]), now)
    return replace(command, typed=" ".join(typed[len(typed) - len(rest) :]))


def _verb(words: list[str], now: datetime) -> tuple[str, list[str]]:
    """The first word, or the second where an id stands first; and what else stands there."""
    for at in range(2 if _ID.fullmatch(words[0]) else 1):
        for word in words[at : at + 1]:
            verb, more = _WORDS.get(word, ""), ""
            if not verb and (found := _WITH_MORE.fullmatch(word)):
                verb, more = _WORDS[found[1]], "" if found[2] in _PARTICLES else found[2]
                is_length = verb == "quiet" and _has_length([more, *words[at + 1 :]], now)
                if more and not is_length and verb != "give" and not (verb == "list" and more in _LEVELS):
                    verb = ""
            if verb:
                return verb, [*words[:at], *([more] if more else []), *words[at + 1 :]]
    return "", words


def _quoted_ids(quoted: str) -> list[str]:
    return sorted({*_ID_OF_OURS.findall(unicodedata.normalize("NFKC", quoted))})


def _has_length(words: list[str], now: datetime) -> bool:
    """Whether these are a length, perhaps with an id."""
    if seconds("".join(words), now) is not None:
        return True
    return any(_ID.fullmatch(one) and seconds(_joined(words, at), now) is not None for at, one in enumerate(words))


def _joined(words: list[str], left_out: int | None = None) -> str:
    return "".join(word for at, word in enumerate(words) if at != left_out)


def _with_id(verb: str, words: list[str], quoted: list[str], now: datetime) -> Command:
    at = _place_of_id(verb, words, quoted, now)
    short_id = read_short_id(words[at])[:MOST] if at is not None else quoted[0] if len(quoted) == 1 else ""
    found = seconds(_joined(words, at), now) if verb == "quiet" else None
    others = [word for place, word in enumerate(words) if place != at]
    whom = " ".join(others).removeprefix("给").strip("@ ") if verb == "give" else ""
    why = ""
    if not short_id:
        why = "ids" if quoted else "id"
    elif verb == "give" and not whom:
        why = "whom"
    elif verb == "quiet" and found is None:
        why = "length"
    more = [word for word in others if _ID_ALONE.fullmatch(word)] if verb in _OF_SEVERAL and at is not None else []
    said = quoted[0] if why == "ids" else ""
    return Command(verb, short_id, found or 0.0, whom=whom, why=why, said=said, others=tuple(more))


def _of_scope(verb: str, words: list[str], now: datetime) -> Command | None:
    """What is said of a service or a logger, which has a dot or stands after a word that says so: its name, how long,
    and why."""
    for at, word in enumerate(words):
        is_named = at > 0 and words[at - 1].lower() in _SCOPE_WORDS
        if _SCOPE.fullmatch(word) and (is_named or "." in word) and seconds(word, now) is None:
            break
    else:
        return None
    after = [one for one in words[at + 1 :] if one.lower() not in _FILLERS]
    for end in range(len(after), 0, -1):
        if verb == "quiet" and (length_s := seconds("".join(after[:end]), now)) is not None:
            return Command(verb, length_s=length_s, scope=word, reason=" ".join(after[end:]))
    return Command(verb, scope=word, why="length" if verb == "quiet" else "")


def _place_of_id(verb: str, words: list[str], quoted: list[str], now: datetime) -> int | None:
    """Where the id stands: after a ``#``, or where one may stand and what is left is a length. An id may look like one:
    ``120m``."""
    may_be = [at for at, word in enumerate(words) if _ID.fullmatch(word)]
    marked = [at for at in may_be if words[at].startswith("#")]
    if marked or verb != "quiet":
        return next(iter(marked or may_be), None)
    if len(quoted) == 1 and seconds("".join(words), now) is not None:
        return None
    others = [at for at in may_be if seconds(_joined(words, at), now) is not None]
    if others:
        return others[0]
    if seconds("".join(words), now) is not None:
        return None
    return next(iter(may_be), None)


_LENGTH = re.compile(
    r"(\d{1,6}(?:\.\d{1,3})?)个?"
    r"(seconds?|secs?|s|秒钟?|minutes?|mins?|m|分钟?|hours?|hrs?|h|小时|days?|d|天|weeks?|w|周|星期)"
)
_SECONDS = {"s": 1, "秒": 1, "m": 60, "分": 60, "h": 3600, "小": 3600, "d": 86_400, "天": 86_400}
_SECONDS |= dict.fromkeys("w周星", 7 * 86_400)
_ONES = "一二三四五六七八九"
_CHINESE = re.compile(f"(?:([{_ONES}]?)十([{_ONES}]?)|([{_ONES}两]))(?=个?半?(?:秒|分|小时|天|周|星期)|点)")
_AND_A_HALF = re.compile(r"(\d)个?半")
_END = re.compile(
    r"(?P<to>到|至|until|till)?"
    r"(?P<day>今天|今日|今晚|明天|明日|明早|明晚|today|tonight|tomorrow|"
    r"(?P<week>[本这下])?(?:周|星期)(?P<weekday>[一二三四五六日天])|(?P<of_next>下)(?:周|星期))?"
    r"(?P<part>凌晨|早上|上午|中午|下午|晚上)?"
    r"(?:(?P<hour>\d{1,2})(?:[:点时](?P<half>半)?(?P<minute>\d{1,2})?分?整?)?(?P<half_day>am|pm)?)?"
)
_MORNING, _NIGHT = 9, 5
_WEEKDAYS = "一二三四五六日"


def seconds(text: str, now: datetime | None = None) -> float | None:
    """Of a length of time; None where it is none. Ends at an hour count from ``now``, else from this machine's."""
    text = _CHINESE.sub(_in_digits, re.sub(r"\s", "", text.lower()))
    if (found := _END.fullmatch(text)) is not None and text and not text.isdecimal():
        now = now or _now()
        return None if (end := _end(found, now)) is None else _instant(end) - now.timestamp()
    rest = _AND_A_HALF.sub(r"\1.5", text).replace("半", "0.5")
    number = 0.0
    while found := _LENGTH.match(rest):
        number += float(found[1]) * _SECONDS[found[2][0]]
        rest = rest[found.end() :]
    return None if rest or number <= 0 else number


def _now() -> datetime:
    return datetime.now(UTC).astimezone()


def _end(found: re.Match[str], now: datetime) -> datetime | None:
    """When ``到明早9点``, ``今晚`` or ``下周一`` is. Tonight, with no hour, lasts until the morning."""
    day, part, half_day = found["day"] or "", found["part"] or "", found["half_day"] or ""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    days, again = int(day in ("明天", "明日", "明早", "明晚", "tomorrow")), timedelta(days=1)
    if day == "明早" and now.hour < _NIGHT:  # who has not slept yet means the next morning
        days = 0
    if found["weekday"] or found["of_next"]:
        days = _WEEKDAYS.find(found["weekday"] or "一") % 7 - now.weekday()
        if found["week"] == "下" or found["of_next"]:
            days += 7
        elif not found["week"]:
            days, again = days % 7, timedelta(days=7)
    if found["hour"] is None:
        if part or not day or day == "明晚" or (day in ("今晚", "tonight") and found["to"]):
            return None
        if day in ("今天", "今日", "today"):
            return midnight + timedelta(days=1)
        morning = midnight + timedelta(days=days, hours=_MORNING)
        morning = morning if morning > now else morning + again
        return morning if morning > now else None
    hour, minute = int(found["hour"]), 30 if found["half"] else int(found["minute"] or 0)
    if hour > 24 or minute > 59:
        return None
    is_late = part in ("下午", "晚上") or day in ("今晚", "明晚", "tonight") or half_day == "pm"
    if hour < 12 and (is_late or (part == "中午" and hour < 3)):
        hour += 12
    if half_day == "am" and hour == 12:
        hour = 0
    end = midnight + timedelta(days=days, hours=hour, minutes=minute)
    if end <= now and not day:  # the next time that it is so: at 16:00, six is 18:00
        vague = hour < 12 and not part and not half_day and ":" not in found[0]
        later = end + timedelta(hours=12)
        end = later if vague and later > now else end + timedelta(days=1)
    elif end <= now and again.days > 1:
        end += again
    return end if end > now else None


def _instant(wall: datetime) -> float:
    """When the wall shows this. A fixed offset is that of this machine now, whose clocks may be changed until then."""
    return (wall.replace(tzinfo=None) if isinstance(wall.tzinfo, timezone) else wall).timestamp()


def _in_digits(found: re.Match[str]) -> str:
    """``二十五`` as 25."""
    tens, ones, one = (_ONES.find(digit) + 1 if digit else 0 for digit in found.groups())
    return "2" if found[3] == "两" else str(one or 10 * (tens or 1) + ones)
