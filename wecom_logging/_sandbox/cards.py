"""template_card: which fields each kind needs (https://developer.work.weixin.qq.com/document/path/90236, /99110).

Lengths of texts are only "suggested" there, so they are not checked. Cards that answer back need a callback URL, which
the app of the sandbox has only where a switch says so: else 43012.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from .fields import Fields
from .media import Media
from .refusal import refuse_if

BOT_CARDS = frozenset({"text_notice", "news_notice"})
INTERACTIVE = frozenset({"button_interaction", "vote_interaction", "multiple_interaction"})
APP_CARDS = BOT_CARDS | INTERACTIVE

TASK_ID = re.compile(r"[0-9A-Za-z_\-@]{1,128}", re.ASCII)
MAX_HORIZONTAL = 6
MAX_VERTICAL = 4
MAX_JUMPS = 3
ROWS = {1: ("url", 42028), 2: ("media_id", 42029), 3: ("userid", 42050)}
TARGETS = {1: ("url", 42028), 2: ("appid", 42030)}
"""By its type: what a part needs, and the code where that is missing."""


def check_card(
    card: Fields, find: Callable[[str, str], Media], allowed: Iterable[str], *, answers: bool = False
) -> tuple[str, str, str]:
    """The texts of the card that stand for it: title, its description, second title.

    ``answers``: whether a program hears what is clicked on it.
    """
    card_type = card.text("card_type")
    refuse_if(not card_type, 41016)
    refuse_if(card_type not in allowed, 42031)
    title = card.part("main_title")
    shown = title.text("title"), title.text("desc"), card.text("sub_title_text")
    refuse_if(not (shown[0] or (card_type == "text_notice" and shown[2])), 42033)
    task_id, menu = card.text("task_id"), card.part("action_menu").parts("action_list")
    refuse_if((task_id or card_type in INTERACTIVE or menu) and not TASK_ID.fullmatch(task_id), 42014)
    refuse_if(card_type in INTERACTIVE and not answers, 43012)
    _check_rows(card, find)
    for jump in _at_most(card, "jump_list", MAX_JUMPS, 42042):
        _need(jump, "title", 42033)
        _check_kind(jump, TARGETS)
    action = card.part("card_action")
    refuse_if(action.number("type") not in ((1, 2) if card_type in BOT_CARDS else (0, 1, 2)), 42045)
    _check_kind(action, TARGETS)
    if card_type == "news_notice":
        refuse_if(not card.part("card_image").text("url") and not card.part("image_text_area").text("image_url"), 42044)
        for row in _at_most(card, "vertical_content_list", MAX_VERTICAL, 42036):
            _need(row, "title", 42033)
    return shown


def _check_rows(card: Fields, find: Callable[[str, str], Media]) -> None:
    for row in _at_most(card, "horizontal_content_list", MAX_HORIZONTAL, 42035):
        row.text("value")
        _need(row, "keyname", 42027)
        _check_kind(row, ROWS)
        if row.number("type") == 2:
            find(row.text("media_id"), "file")


def _at_most(card: Fields, name: str, most: int, errcode: int) -> list[Fields]:
    found = card.parts(name)
    refuse_if(len(found) > most, errcode)
    return found


def _check_kind(part: Fields, needed: Mapping[int, tuple[str, int]]) -> None:
    kind = part.number("type")
    if kind in needed:
        _need(part, *needed[kind])


def _need(part: Fields, name: str, errcode: int) -> None:
    refuse_if(not part.text(name), errcode)
