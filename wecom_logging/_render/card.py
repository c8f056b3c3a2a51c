"""An incident as a card of an AI bot: what broke, and buttons for what one may do with it.

A button's key says what is to be done with which incident, and when the card was made: who clicks on an old one changes
nothing.

Source: https://developer.work.weixin.qq.com/document/path/101032
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from .._text import inert
from .._text.said import Language, Said
from ..model import Alert, Digest
from ..model.alert import DONE, SILENCED, TAKEN
from . import words
from .facts import has_ended, state_and_name, which_time
from .headline import of_alert
from .layout import level_and_count
from .styles import TEXT
from .times import clock_time
from .trace import place

TITLE, DESC, TEXT_CHARS, SOURCE, BUTTON, NAME, VALUE = 26, 30, 112, 13, 10, 5, 26
LENGTH_QUESTION = "length"
_VERBS = frozenset(("take", "quiet", "details", "list", "undo", "done", "forget"))
_OF_JOBS = frozenset(
    one.en for one in (words.JOB_DID_NOT_RUN, words.JOB_DID_NOT_REPORT, words.JOB_IS_BEHIND, words.JOB_IS_NOT_OVER)
)
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_LEAST_NAME = 2
_MAX_S = 1e11


@dataclass(frozen=True, slots=True)
class Pressed:
    """A button's key: the verb, the incident's short id, and when the card was made, in seconds since the epoch."""

    verb: str
    short_id: str
    made: float


def key(verb: str, short_id: str, made: float) -> str:
    """What WeCom gives back when the button is pressed."""
    return f"{verb}:{short_id}:{_in_36(_milliseconds(made))}"


def pressed(text: str) -> Pressed | None:
    """The same read again; None where it is none of ours."""
    parts = text.split(":")
    is_key = len(text) <= 80 and len(parts) == 3 and parts[0] in _VERBS
    if not is_key or not all(part.isascii() and part.isalnum() for part in parts):
        return None
    try:
        made = int(parts[2], 36) / 1000
    except ValueError:  # forged
        return None
    return Pressed(parts[0], parts[1], made)


def card(
    digest: Digest, language: Language, made: float, *, lengths: tuple[str, ...] = (), in_force: str | None = None
) -> dict[str, Any]:
    """The whole card as an incident is now. ``lengths``: those of a silence that are offered. ``in_force``: the verb of
    what a person did and what holds now, "" for nothing; without it, that of the digest's answer.
    """
    alert, short_id = digest.alert, digest.short_id
    line = of_alert(alert)
    state, who = state_and_name(digest, language)
    who_is = words.CARD_WHO
    if in_force is None:
        verb = "" if digest.answer is None else digest.answer.verb
        in_force = verb if verb in (TAKEN, SILENCED) and not has_ended(digest) else ""
        if verb == DONE:  # it comes again, and is new
            state, who, who_is = "", words.CARD_BY.within(language, state, who), words.CARD_BEFORE
    title = _title(short_id, state, who, language) if state else line
    # There is room for no more, the rest stands in rows.
    counts = replace(digest, has_stopped=False, times=1, variants=())
    numbers = f"#{short_id} {level_and_count(counts, TEXT.within(language))}"
    body: dict[str, Any] = {
        "card_type": "button_interaction",
        "main_title": {"title": cut(title, TITLE), "desc": cut(numbers, DESC)},
        # Two cards have never the same, or WeCom takes the second for the first; a clock may be put back between them.
        "task_id": f"{short_id}-{_in_36(_milliseconds(made))}-{_in_36(digest.total)}",
        "button_list": _buttons(in_force, digest.short_id, language, made, is_job=bool(job_of(alert))),
    }
    text = line if state else line[TITLE - 1 :] if len(line) > TITLE else ""
    if text:
        body["sub_title_text"] = cut(line, TEXT_CHARS)
    if source := inert.line(" · ".join(filter(None, [alert.service, alert.environment]))):
        body["source"] = {"desc": cut(source, SOURCE)}
    rows = [
        (who_is.within(language), who),
        (words.CARD_TIMES.within(language), which_time(digest, language)),
        (words.CARD_PLACE.within(language), place(alert.place, language)),
        (words.CARD_HOST.within(language), inert.line(alert.host)),
        (words.CARD_SINCE.within(language), _when(alert.time, language)),
        (words.LAST.within(language), _when(digest.last, language) if digest.last - alert.time >= 1 else ""),
    ]
    body["horizontal_content_list"] = [
        {"keyname": cut(name, NAME), "value": _end(value, VALUE)} for name, value in rows if value
    ]
    if lengths and not in_force:
        body["button_selection"] = {
            "question_key": LENGTH_QUESTION,
            "title": cut(words.CARD_LENGTH.within(language), 13),
            "option_list": [{"id": length, "text": words.CARD_LENGTHS[length].within(language)} for length in lengths],
            "selected_id": lengths[0],
        }
    return body


def no_card(short_id: str, language: Language, made: float) -> dict[str, Any]:
    """In the place of a card whose incident is over."""
    return {
        "card_type": "button_interaction",
        "main_title": {"title": cut(words.CARD_OVER.within(language, short_id), TITLE)},
        "button_list": [{"text": words.BUTTON_LIST.within(language), "style": 4, "key": key("list", short_id, made)}],
    }


def offered(limit_s: float) -> tuple[str, ...]:
    """Lengths of a silence that lasts no longer than so."""
    seconds = {"1h": 3600, "30m": 1800, "2h": 7200, "8h": 28_800, "24h": 86_400}
    return tuple(name for name, length in seconds.items() if length <= limit_s)


def cut(text: str, most: int) -> str:
    """The first characters of a text: a card's lengths are counted so."""
    return text if len(text) <= most else text[: most - 1] + "…"


def _title(short_id: str, state: str, who: str, language: Language) -> str:
    """``#k7f2 · taken 10:31, Li``: the state is whole, of the name there is as much as fits. The id is below, too."""
    begin = f"#{short_id} · "
    begin = begin if len(begin + state) <= TITLE else ""
    room = TITLE - len(begin + words.CARD_BY.within(language, state, ""))
    return begin + (words.CARD_BY.within(language, state, cut(who, room)) if who and room >= _LEAST_NAME else state)


def _when(at: float, language: Language) -> str:
    """``11-25 09:12:03 +08:00``: the zone of all times of the card."""
    time = clock_time(at, language)
    return f"{time[5:19]}{time[23:]}"


def _end(text: str, most: int) -> str:
    return text if len(text) <= most else "…" + text[1 - most :]


def job_of(alert: Alert) -> str:
    """The name of the job that did not come, or is not over; "" for any other alert."""
    prints = f"job {alert.logger}", f"overrun {alert.logger}"
    is_one = alert.fingerprint in prints and alert.template in _OF_JOBS
    return alert.logger if is_one else ""


def _buttons(in_force: str, short_id: str, language: Language, made: float, *, is_job: bool) -> list[dict[str, Any]]:
    take, undo = ("take", words.BUTTON_TAKE, 1), ("undo", words.BUTTON_UNDO, 2)
    details = ("details", words.BUTTON_DETAILS, 4)
    offers: tuple[tuple[str, Said, int], ...] = {
        "": (take, ("quiet", words.BUTTON_QUIET, 2), details),
        TAKEN: (("done", words.BUTTON_DONE, 1), undo, details),
        SILENCED: (take, undo, details),
        DONE: (undo, details),
    }[in_force]
    if is_job and in_force != DONE:
        offers = (*offers, ("forget", words.BUTTON_FORGET, 3))
    return [
        {"text": cut(said.within(language), BUTTON), "style": style, "key": key(verb, short_id, made)}
        for verb, said, style in offers
    ]


def _milliseconds(seconds: float) -> int:
    """Before 1970, or beyond all clocks, a clock or a record is wrong."""
    return int(min(max(seconds, 0.0), _MAX_S) * 1000)


def _in_36(number: int) -> str:
    found = ""
    while number:
        number, digit = divmod(number, 36)
        found = _DIGITS[digit] + found
    return found or "0"
