"""What a group's bot may call; its key is all it needs (https://developer.work.weixin.qq.com/document/path/99110)."""

from __future__ import annotations

from typing import Any

from .access import Asked
from .content import BOT_CHECKS, check_content
from .corp import Corp
from .files import file_part, upload
from .limits import Limit, SlidingWindow
from .mailbox import Message, new_id
from .media import BOT_KINDS
from .refusal import refuse_if

BOT_LIMIT = Limit(20, 60)


class Bot:
    def __init__(self, corp: Corp) -> None:
        self._corp = corp
        self._rate = corp.rates["bot"] = SlidingWindow(corp.clock, BOT_LIMIT)

    def send(self, asked: Asked) -> dict[str, Any]:
        """No msgid comes back. What is over 20 a minute is refused with 45009 and lost; it does not count itself."""
        key = self._key(asked)
        refuse_if(not asked.request.content_length, 93017)
        body = asked.body
        find = self._corp.media.find
        msgtype, content = check_content(body, BOT_CHECKS, lambda media_id, kind: find(media_id, kind, key))
        refuse_if(not self._rate.admits(key), 45009)
        warning = body.reading.warning
        self._corp.mailbox.add(
            Message(new_id(), self._corp.clock(), "bot", msgtype, content, body.as_bytes(), key=key, warning=warning)
        )
        return {}

    def upload(self, asked: Asked) -> dict[str, Any]:
        """The file is looked at before the key."""
        part = file_part(asked.request)
        refuse_if(not asked.text("key"), 40058, "invalid param 'key'", alone=True)
        return upload(asked, part, BOT_KINDS, self._key(asked))

    def _key(self, asked: Asked) -> str:
        key = asked.text("key")
        refuse_if(key not in self._corp.bot_keys, 93000)
        return key
