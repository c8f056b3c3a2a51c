"""What a person can do with a card of the AI bot: choose, press, tap. The page makes a control of each node."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .nodes import Node, link, node

MOST_CHARS = 512
MOST_OPTIONS = 20
SENDS = (3, "3")
OPENS = (1, "1")

Card = Mapping[str, Any]


def controls(card: Card) -> list[Node]:
    """Below the texts: questions first, then buttons, then what a tap on the menu does, then what a tap writes."""
    return [*_questions(card), *_row("buttons", _buttons(card)), *_row("tasks", _menu(card)), *_taps(card)]


def _row(kind: str, shown: list[Node]) -> list[Node]:
    return [node(kind, *shown)] if shown else []


def _questions(card: Card) -> Iterator[Node]:
    kind = card.get("card_type")
    if kind == "button_interaction" and isinstance(card.get("button_selection"), dict):
        yield _choice(card["button_selection"])
    elif kind == "multiple_interaction":
        for select in _objects(card, "select_list"):
            yield _choice(select)
    elif kind == "vote_interaction" and isinstance(card.get("checkbox"), dict):
        box = card["checkbox"]
        options = _objects(box, "option_list")[:MOST_OPTIONS]
        checked = [_text(option, "id") for option in options if option.get("is_checked") is True]
        about = {"question": _text(box, "question_key"), "many": box.get("mode") in (1, "1"), "checked": checked}
        yield ["vote", {**about, "options": _options(box)}]


def _choice(part: Card) -> Node:
    about = {
        "question": _text(part, "question_key"),
        "title": _text(part, "title"),
        "first": _text(part, "selected_id"),
    }
    return ["choice", {**about, "options": _options(part)}]


def _options(part: Card) -> list[list[str]]:
    return [[_text(one, "id"), _text(one, "text")] for one in _objects(part, "option_list")[:MOST_OPTIONS]]


def _buttons(card: Card) -> list[Node]:
    if card.get("card_type") != "button_interaction":
        submit = card.get("submit_button")
        return [_press(submit, 1)] if isinstance(submit, dict) else []
    shown: list[Node] = []
    for button in _objects(card, "button_list"):
        style = button.get("style")
        if button.get("type") in OPENS:
            shown.append(link(_text(button, "url"), _text(button, "text")))
        else:
            shown.append(_press(button, style if style in (2, 3, 4) else 1))
    return shown


def _menu(card: Card) -> list[Node]:
    menu = card.get("action_menu")
    if not isinstance(menu, dict):
        return []
    return [node("gray", _text(menu, "desc")), *(_press(action, 4) for action in _objects(menu, "action_list"))]


def _taps(card: Card) -> list[Node]:
    jumps = [jump for jump in _objects(card, "jump_list") if jump.get("type") in SENDS]
    return [["press", {"key": _text(jump, "question"), "style": 5}, _text(jump, "title")] for jump in jumps]


def _press(part: Card, style: int) -> Node:
    return ["press", {"key": str(part.get("key", "")), "style": style}, _text(part, "text")]


def _text(part: Card, name: str) -> str:
    value = part.get(name)
    return value[:MOST_CHARS] if isinstance(value, str) else ""


def _objects(part: Card, name: str) -> list[dict[str, Any]]:
    value = part.get(name)
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
