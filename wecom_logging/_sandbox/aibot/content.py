"""What a message of the AI bot may hold, for each msgtype: there is no text to push, and no markdown_v2.

Cards are as an app's, and those that answer back are welcome (https://developer.work.weixin.qq.com/document/path/101032).
Lengths of their texts are only suggested there: what is longer is taken with a remark, and refused by a strict sandbox.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..content import APP_CARDS, APP_CHECKS, INTERACTIVE, Check, FindMedia, check_card, sized_content
from ..fields import Fields, objects
from ..refusal import refuse_if
from ..shapes import wrong_if

MARKDOWN_BYTES = 20_480
STREAM = "stream"
MAX_BUTTONS = 6
MAX_OPTIONS = 10
MAX_VOTES = 20
MAX_SELECTS = 3
MAX_ACTIONS = 3
KEY_BYTES = 1024
QUESTION_BYTES = 200
STYLES = (0, 1, 2, 3, 4)
TAP_SENDS = 3
TITLE, DESC, SUBTITLE, SOURCE, BUTTON, KEYNAME = 26, 30, 112, 13, 10, 5
CALLS_BACK = (None, 0, "0")
SENDS = (3, "3")
Card = Mapping[str, Any]


def _media(kind: str) -> Check:
    def check(part: Fields, find: FindMedia) -> str:
        part.missing_if(not part.has("media_id"), "media_id")
        return APP_CHECKS[kind](part, find)

    return check


def _stream(part: Fields, _find: FindMedia) -> str:
    """The first frame may be empty: "thinking"."""
    part.missing_if(not part.text("id"), "id")
    return sized_content(part, MARKDOWN_BYTES, may_be_empty=not part.flag("finish", False))


def _markdown(part: Fields, _find: FindMedia) -> str:
    return sized_content(part, MARKDOWN_BYTES)


def shown_of(card: Fields, find: FindMedia) -> str:
    """The texts that stand for it. 40058 names what is wrong; 42014 for a task_id, 40016 for the number of buttons."""
    shown = check_card(card, find, APP_CARDS, answers=True)
    kind = card.text("card_type")
    if kind == "button_interaction":
        _check_buttons(card)
    elif kind in INTERACTIVE:
        _check_question(card, kind)
    menu = card.part("action_menu")
    for action in _some(menu, "action_list", MAX_ACTIONS) if card.has("action_menu") else ():
        _need(action, "text")
        _check_key(action, "key")
    for jump in card.parts("jump_list"):
        jump.text("question")
        if jump.number("type") == TAP_SENDS:
            _check_key(jump, "question", QUESTION_BYTES)
    main, buttons = card.part("main_title"), [(one, "text", BUTTON) for one in card.parts("button_list")]
    rows = [(one, "keyname", KEYNAME) for one in card.parts("horizontal_content_list")]
    alone = [(main, "title", TITLE), (main, "desc", DESC), (card, "sub_title_text", SUBTITLE)]
    for part, name, most in (*alone, (card.part("source"), "desc", SOURCE), *buttons, *rows):
        if (length := len(part.text(name))) > most:
            card.reading.remark(f"{part.path}{name} has {length} characters: the documents advise {most}")
    return "\n".join(text for text in shown if text)


def _check_buttons(card: Fields) -> None:
    buttons = card.parts("button_list")
    refuse_if(not 1 <= len(buttons) <= MAX_BUTTONS, 40016)
    for button in buttons:
        _need(button, "text")
        if button.number("type") == 1:
            _need(button, "url")
        else:
            _check_key(button, "key")
        button.refuse_if(button.number("style") not in STYLES, "style", "must be 1 to 4")
    if card.has("button_selection"):
        _check_options(card.part("button_selection"), MAX_OPTIONS)


def _check_question(card: Fields, kind: str) -> None:
    submit = card.part("submit_button")
    _need(submit, "text")
    _check_key(submit, "key")
    if kind == "vote_interaction":
        box = card.part("checkbox")
        box.refuse_if(box.number("mode") not in (0, 1), "mode", "must be 0 or 1")
        _check_options(box, MAX_VOTES)
        return
    for select in _some(card, "select_list", MAX_SELECTS):
        _check_options(select, MAX_OPTIONS)


def _check_options(part: Fields, most: int) -> None:
    _check_key(part, "question_key")
    for option in _some(part, "option_list", most):
        _need(option, "id")
        _need(option, "text")


def _some(part: Fields, name: str, most: int) -> list[Fields]:
    found = part.parts(name)
    part.refuse_if(not 1 <= len(found) <= most, name, f"must have 1 to {most} entries")
    return found


def _check_key(part: Fields, name: str, most: int = KEY_BYTES) -> None:
    part.refuse_if(not 0 < len(part.text(name).encode()) <= most, name, f"must have 1 to {most} bytes")


def _need(part: Fields, name: str) -> None:
    part.refuse_if(not part.text(name), name, "is missing")


MEDIA = {name: _media(name) for name in ("file", "image", "voice", "video")}
PUSH_CHECKS: dict[str, Check] = {"markdown": _markdown, "template_card": shown_of, **MEDIA}
REPLY_CHECKS: dict[str, Check] = {**PUSH_CHECKS, STREAM: _stream}
WELCOME_CHECKS: dict[str, Check] = {"text": _markdown, "template_card": shown_of}


@dataclass(frozen=True, slots=True)
class Choice:
    """``selected`` has the chosen options of each question."""

    key: str
    selected: dict[str, list[str]]


def question_of(card: Card, key: str) -> str:
    """What the member writes by a tap on a jump of type 3; "" where ``key`` is none."""
    jumps = (jump for jump in objects(card, "jump_list") if jump.get("type") in SENDS)
    return key if any(jump.get("question") == key for jump in jumps) else ""


def choose(card: Card, key: str, selected: Mapping[str, str | Sequence[str]]) -> Choice:
    """`WrongField` where the card has no such key, question or option."""
    keys = list(keys_of(card))
    wrong_if(key not in keys, "key", f"the card has no {key!r}; it has {', '.join(keys) or 'nothing to click'}")
    in_menu = any(action.get("key") == key for action in objects(card.get("action_menu"), "action_list"))
    questions = {} if in_menu else {str(question.get("question_key")): question for question in questions_of(card)}
    asks = ", ".join(questions) or "nothing"
    for name in selected:
        wrong_if(name not in questions, "selected", f"the card does not ask {name!r}; it asks {asks}")
    return Choice(key, {name: _chosen(question, selected.get(name)) for name, question in questions.items()})


def keys_of(card: Card) -> Iterator[str]:
    kind = card.get("card_type")
    if kind == "button_interaction":
        for button in objects(card, "button_list"):
            if button.get("type") in CALLS_BACK:
                yield str(button.get("key"))
    elif kind in ("vote_interaction", "multiple_interaction") and isinstance(card.get("submit_button"), dict):
        yield str(card["submit_button"].get("key"))
    for action in objects(card.get("action_menu"), "action_list"):
        yield str(action.get("key"))


def questions_of(card: Card) -> list[dict[str, Any]]:
    """Drop-downs and boxes that are answered together with a click."""
    kind = card.get("card_type")
    if kind == "multiple_interaction":
        return objects(card, "select_list")
    name = {"button_interaction": "button_selection", "vote_interaction": "checkbox"}.get(str(kind), "")
    part = card.get(name)
    return [part] if isinstance(part, dict) else []


def _chosen(question: Mapping[str, Any], given: str | Sequence[str] | None) -> list[str]:
    options = [str(option.get("id")) for option in objects(question, "option_list")]
    if given is None:
        return _at_first(question, options)
    chosen = [given] if isinstance(given, str) else list(given)
    wrong_if(not all(id in options for id in chosen), "selected", f"the options are {', '.join(options)}")
    return chosen


def _at_first(question: Mapping[str, Any], options: list[str]) -> list[str]:
    """A drop-down has its ``selected_id``, or else its first option; a box what is checked."""
    if any("is_checked" in option for option in objects(question, "option_list")) or "mode" in question:
        return [str(one.get("id")) for one in objects(question, "option_list") if one.get("is_checked") is True]
    wished = str(question.get("selected_id", ""))
    return [wished] if wished in options else options[:1]
