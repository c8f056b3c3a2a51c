"""A group's bot, as WeCom sees it: whether its key may send."""

from __future__ import annotations

from ..._wecom import BotClient
from ...errors import APIError, WeComError
from .findings import Words
from .notes import Notes
from .words import cause_of, remedy_of_errcode

_WRONG_KEY = 93000
_BAD_PARAMETER = 40058
"""What an upload with a malformed key is answered with."""


def look_at_bot(notes: Notes, client: BotClient, number: str) -> None:
    """Upload a few bytes, which nobody sees: whoever may do that may send. ``number`` says which of several it is."""
    if notes.skipped("bot", number):
        return
    try:
        client.upload("doctor.txt", b"wecom-logging doctor\n")
    except APIError as error:
        remedy = remedy_of_errcode(_WRONG_KEY if error.errcode == _BAD_PARAMETER else error.errcode)
        notes.bad("bot", cause_of(error), remedy, subject=number, errcode=error.errcode)
        notes.blocked_by = "bot"
    except WeComError as error:
        notes.refused("bot", error, number)
    else:
        notes.good("bot", Words("WeCom takes its key", "Webhook 的 key 有效"), number)
