"""People and the AI bot over HTTP: ``/sandbox/aibot``, for tests in other languages and for the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..wishes import MAX_CHARS, WrongField, only, text, texts, true
from .people import AiBot

Wish = Mapping[str, Any]


def say(bot: AiBot, wish: Wish) -> str:
    only(wish, ("chat", "user_id", "text", "quote"))
    return bot.say(_needed(wish, "chat"), _needed(wish, "user_id"), _lines(wish, "text"), quote=_lines(wish, "quote"))


def click(bot: AiBot, wish: Wish) -> str:
    only(wish, ("card", "user_id", "key", "selected"))
    selected = wish.get("selected", {})
    if not isinstance(selected, dict):
        raise WrongField("selected", '"selected" must be an object')
    chosen = {
        name: texts(selected, name) if isinstance(of, list) else _lines(selected, name) for name, of in selected.items()
    }
    return bot.click(_needed(wish, "card"), _needed(wish, "user_id"), _lines(wish, "key"), selected=chosen)


def enter(bot: AiBot, wish: Wish) -> str:
    only(wish, ("user_id",))
    return bot.enter(_needed(wish, "user_id"))


def put_group(bot: AiBot, wish: Wish) -> None:
    only(wish, ("chat", "users", "written"))
    if "users" not in wish:
        raise WrongField("users", '"users" is missing: a list of texts')
    bot.add_group(_needed(wish, "chat"), texts(wish, "users"), written=true(wish, "written"))


def _needed(wish: Wish, name: str) -> str:
    return text(wish, name, least=1)


def _lines(wish: Wish, name: str) -> str:
    value = wish.get(name, "")
    if not isinstance(value, str) or len(value) > MAX_CHARS:
        raise WrongField(name, f'"{name}" must be a text of up to {MAX_CHARS} characters')
    try:
        value.encode()
    except UnicodeEncodeError:
        raise WrongField(name, f'"{name}" has half a character') from None
    return value
