"""What a group's bot may call; its key is all it needs (https://developer.work.weixin.qq.com/document/path/99110)."""

from __future__ import annotations

from functools import partial

from .access import Answer, Asked
from .content import BOT_CHECKS, check_content
from .corp import Corp
from .files import file_part, upload
from .limits import Limit, SlidingWindow
from .media import BOT_KINDS
from .refusal import refuse_if

BOT_LIMIT = Limit(20, 60)


class Bot:
    def __init__(self, corp: Corp) -> None:
        self._corp = corp
        self._rate = corp.rates["bot"] = SlidingWindow(corp.clock, BOT_LIMIT)

    def send(self, asked: Asked) -> Answer:
        """No msgid comes back. What is over 20 a minute is refused with 45009 and lost; it does not count itself."""
        key = self._key(asked)
        refuse_if(not asked.request.content_length, 93017)
        body = asked.body
        msgtype, content = check_content(body, BOT_CHECKS, partial(self._corp.media.find, owner=key))
        refuse_if(not self._rate.admits(key), 45009)
        self._corp.post("bot", msgtype, content, body, key=key)
        return {}

    def upload(self, asked: Asked) -> Answer:
        """The file is looked at before the key."""
        part = file_part(asked.request)
        refuse_if(not asked.text("key"), 40058, "invalid param 'key'", alone=True)
        return upload(asked, part, BOT_KINDS, self._key(asked))

    def _key(self, asked: Asked) -> str:
        key = asked.text("key")
        refuse_if(key not in self._corp.bot_keys, 93000)
        return key
