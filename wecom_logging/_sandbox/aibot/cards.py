"""template_card of the AI bot: as an app's, and those that answer back are welcome.

https://developer.work.weixin.qq.com/document/path/101032. Lengths of texts are only suggested there: what is longer is
taken with a remark, and refused by a strict sandbox.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..cards import APP_CARDS, INTERACTIVE, check_card
from ..content import FindMedia
from ..fields import Fields
from ..refusal import Refusal

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


def shown_of(card: Fields, find: FindMedia) -> str:
    """The texts that stand for it. 40058 names what is wrong; 42014 for a task_id, 40016 for the number of buttons."""
    shown = check_card(card, find, APP_CARDS, answers=True)
    kind = card.text("card_type")
    if kind == "button_interaction":
        _check_buttons(card)
    elif kind in INTERACTIVE:
        _check_question(card, kind)
    _check_menu(card)
    for jump in card.parts("jump_list"):
        question = jump.text("question")
        if jump.number("type") == TAP_SENDS and not 0 < len(question.encode()) <= QUESTION_BYTES:
            raise jump.wrong("question", f"must have 1 to {QUESTION_BYTES} bytes")
    for part, name, most in _advised(card):
        if len(part.text(name)) > most:
            text = f"{part.path}{name} has {len(part.text(name))} characters: the documents advise {most}"
            card.reading.remark(text)
    return "\n".join(text for text in shown if text)


def _check_buttons(card: Fields) -> None:
    buttons = card.parts("button_list")
    if not 1 <= len(buttons) <= MAX_BUTTONS:
        raise Refusal(40016)
    for button in buttons:
        _need(button, "text")
        if button.number("type") == 1:
            _need(button, "url")
        else:
            _check_key(button, "key")
        if button.number("style") not in STYLES:
            raise button.wrong("style", "must be 1 to 4")
    if card.has("button_selection"):
        _check_options(card.part("button_selection"), MAX_OPTIONS)


def _check_question(card: Fields, kind: str) -> None:
    submit = card.part("submit_button")
    _need(submit, "text")
    _check_key(submit, "key")
    if kind == "vote_interaction":
        box = card.part("checkbox")
        if box.number("mode") not in (0, 1):
            raise box.wrong("mode", "must be 0 or 1")
        _check_options(box, MAX_VOTES)
        return
    selects = card.parts("select_list")
    if not 1 <= len(selects) <= MAX_SELECTS:
        raise card.wrong("select_list", f"must have 1 to {MAX_SELECTS} entries")
    for select in selects:
        _check_options(select, MAX_OPTIONS)


def _check_options(part: Fields, most: int) -> None:
    _check_key(part, "question_key")
    options = part.parts("option_list")
    if not 1 <= len(options) <= most:
        raise part.wrong("option_list", f"must have 1 to {most} entries")
    for option in options:
        _need(option, "id")
        _need(option, "text")


def _check_menu(card: Fields) -> None:
    if not card.has("action_menu"):
        return
    menu = card.part("action_menu")
    actions = menu.parts("action_list")
    if not 1 <= len(actions) <= MAX_ACTIONS:
        raise menu.wrong("action_list", f"must have 1 to {MAX_ACTIONS} entries")
    for action in actions:
        _need(action, "text")
        _check_key(action, "key")


def _check_key(part: Fields, name: str) -> None:
    if not 0 < len(part.text(name).encode()) <= KEY_BYTES:
        raise part.wrong(name, f"must have 1 to {KEY_BYTES} bytes")


def _need(part: Fields, name: str) -> None:
    if not part.text(name):
        raise part.wrong(name, "is missing")


def _advised(card: Fields) -> Iterator[tuple[Fields, str, int]]:
    yield card.part("main_title"), "title", TITLE
    yield card.part("main_title"), "desc", DESC
    yield card, "sub_title_text", SUBTITLE
    yield card.part("source"), "desc", SOURCE
    for button in card.parts("button_list"):
        yield button, "text", BUTTON
    for row in card.parts("horizontal_content_list"):
        yield row, "keyname", KEYNAME
