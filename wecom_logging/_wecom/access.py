"""Which of WeCom's two kinds of token a call needs, and who makes calls."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from .body import ObjectHook
from .http import MAX_ANSWER_BYTES


class Access(enum.Enum):
    """Whose token a call needs. Source: https://developer.work.weixin.qq.com/document/path/90193"""

    APP = "the app's: messages, media, and what its visible range shows"
    CONTACTS = "the contacts sync's: changes of members and departments, and the ids of everybody"
    EITHER = "the contacts sync's, which sees everybody; where WeCom refuses it (48009 …) or it is not there, the app's"


class Caller(Protocol):
    """What the parts of a client ask of it: `WeComClient`."""

    agent_id: int | None

    def call(
        self,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        query: Mapping[str, str] | None = None,
        access: Access = Access.APP,
        before_try: Callable[[], None] | None = None,
        max_bytes: int = MAX_ANSWER_BYTES,
        object_hook: ObjectHook | None = None,
    ) -> dict[str, Any]:
        """WeCom's answer to one call."""

    def upload(self, path: str, name: str, data: bytes, *, kind: str) -> dict[str, Any]:
        """The same for a file."""
