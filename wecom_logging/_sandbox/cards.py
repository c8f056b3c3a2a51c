"""template_card: which fields each kind needs (https://developer.work.weixin.qq.com/document/path/90236, /99110).

Lengths of texts are only "suggested" there, so they are not checked. Cards that answer back need a callback URL, which
the app of the sandbox has only where a switch says so: else 43012.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

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
    _check_task_id(card, required=card_type in INTERACTIVE)
    refuse_if(card_type in INTERACTIVE and not answers, 43012)
    _check_horizontal(card, find)
    _check_jumps(card)
    _check_action(card, needed=card_type in BOT_CARDS)
    if card_type == "news_notice":
        _check_pictures(card)
    return shown


def _check_task_id(card: Fields, *, required: bool) -> None:
    task_id = card.text("task_id")
    menu = card.part("action_menu").parts("action_list")
    refuse_if((task_id or required or menu) and not TASK_ID.fullmatch(task_id), 42014)


def _check_horizontal(card: Fields, find: Callable[[str, str], Media]) -> None:
    rows = card.parts("horizontal_content_list")
    refuse_if(len(rows) > MAX_HORIZONTAL, 42035)
    for row in rows:
        row.text("value")
        _need(row, "keyname", 42027)
        kind = row.number("type")
        if kind == 1:
            _need(row, "url", 42028)
        elif kind == 2:
            find(_need(row, "media_id", 42029), "file")
        elif kind == 3:
            _need(row, "userid", 42050)


def _check_jumps(card: Fields) -> None:
    jumps = card.parts("jump_list")
    refuse_if(len(jumps) > MAX_JUMPS, 42042)
    for jump in jumps:
        _need(jump, "title", 42033)
        _check_target(jump)


def _check_action(card: Fields, *, needed: bool) -> None:
    action = card.part("card_action")
    refuse_if(action.number("type") not in ((1, 2) if needed else (0, 1, 2)), 42045)
    _check_target(action)


def _check_target(part: Fields) -> None:
    kind = part.number("type")
    if kind == 1:
        _need(part, "url", 42028)
    elif kind == 2:
        _need(part, "appid", 42030)


def _check_pictures(card: Fields) -> None:
    picture, beside = card.part("card_image"), card.part("image_text_area")
    refuse_if(not picture.text("url") and not beside.text("image_url"), 42044)
    rows = card.parts("vertical_content_list")
    refuse_if(len(rows) > MAX_VERTICAL, 42036)
    for row in rows:
        _need(row, "title", 42033)


def _need(part: Fields, name: str, errcode: int) -> str:
    value = part.text(name)
    refuse_if(not value, errcode)
    return value
