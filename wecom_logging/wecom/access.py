"""Which of WeCom's two kinds of token a call needs."""

from __future__ import annotations

import enum


class Access(enum.Enum):
    """Whose token a call needs. Source: https://developer.work.weixin.qq.com/document/path/90193"""

    APP = "the app's: messages, media, and what its visible range shows"
    CONTACTS = "the contacts sync's: changes of members and departments, and the ids of everybody"
    EITHER = "the contacts sync's, which sees everybody; where WeCom refuses it (48009 …) or it is not there, the app's"
