"""What can be clicked on a card of the AI bot, and what is chosen with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..wishes import WrongField

CALLS_BACK = (None, 0, "0")
SENDS = (3, "3")

Card = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Choice:
    """``selected`` has the chosen options of each question."""

    key: str
    selected: dict[str, list[str]]


def question_of(card: Card, key: str) -> str:
    """What the member writes by a tap on a jump of type 3; "" where ``key`` is none."""
    jumps = (jump for jump in _objects(card, "jump_list") if jump.get("type") in SENDS)
    return key if any(jump.get("question") == key for jump in jumps) else ""


def choose(card: Card, key: str, selected: Mapping[str, str | Sequence[str]]) -> Choice:
    """`WrongField` where the card has no such key, question or option."""
    keys = list(keys_of(card))
    if key not in keys:
        raise WrongField("key", f"the card has no {key!r}; it has {', '.join(keys) or 'nothing to click'}")
    in_menu = any(action.get("key") == key for action in _objects(card.get("action_menu"), "action_list"))
    questions = {} if in_menu else {str(question.get("question_key")): question for question in questions_of(card)}
    for name in selected:
        if name not in questions:
            raise WrongField("selected", f"the card does not ask {name!r}; it asks {', '.join(questions) or 'nothing'}")
    return Choice(key, {name: _chosen(question, selected.get(name)) for name, question in questions.items()})


def keys_of(card: Card) -> Iterator[str]:
    kind = card.get("card_type")
    if kind == "button_interaction":
        for button in _objects(card, "button_list"):
            if button.get("type") in CALLS_BACK:
                yield str(button.get("key"))
    elif kind in ("vote_interaction", "multiple_interaction") and isinstance(card.get("submit_button"), dict):
        yield str(card["submit_button"].get("key"))
    for action in _objects(card.get("action_menu"), "action_list"):
        yield str(action.get("key"))


def questions_of(card: Card) -> list[dict[str, Any]]:
    """Drop-downs and boxes that are answered together with a click."""
    kind = card.get("card_type")
    if kind == "multiple_interaction":
        return _objects(card, "select_list")
    name = {"button_interaction": "button_selection", "vote_interaction": "checkbox"}.get(str(kind), "")
    part = card.get(name)
    return [part] if isinstance(part, dict) else []


def _chosen(question: Mapping[str, Any], given: str | Sequence[str] | None) -> list[str]:
    options = [str(option.get("id")) for option in _objects(question, "option_list")]
    if given is None:
        return _at_first(question, options)
    chosen = [given] if isinstance(given, str) else list(given)
    if not all(id in options for id in chosen):
        raise WrongField("selected", f"the options are {', '.join(options)}")
    return chosen


def _at_first(question: Mapping[str, Any], options: list[str]) -> list[str]:
    """A drop-down has its ``selected_id``, or else its first option; a box what is checked."""
    if any("is_checked" in option for option in _objects(question, "option_list")) or "mode" in question:
        return [str(one.get("id")) for one in _objects(question, "option_list") if one.get("is_checked") is True]
    wished = str(question.get("selected_id", ""))
    return [wished] if wished in options else options[:1]


def _objects(part: object, name: str) -> list[dict[str, Any]]:
    """A card was checked when it came, but what is of a wrong type was only doubted."""
    found = part.get(name) if isinstance(part, Mapping) else None
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
