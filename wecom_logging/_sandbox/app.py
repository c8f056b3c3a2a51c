"""What an app and a group's bot may call: tokens, messages, recall; a bot's key is all it needs.

The bot: https://developer.work.weixin.qq.com/document/path/99110
"""

from __future__ import annotations

import hashlib
import json
import secrets
from functools import partial

from .access import Answer, Asked
from .aibot.content import shown_of
from .content import APP_CHECKS, BOT_CHECKS, INTERACTIVE, check_content
from .corp import CORP_ID, Corp
from .fields import Fields
from .files import file_part, upload
from .limits import Limit, Newest, SlidingWindow
from .mailbox import Message, Rewrite
from .media import APPS, BOT_KINDS
from .refusal import Refusal, refuse_if
from .visibility import Audience, find_audience

MEMBER_LIMITS = (Limit(30, 60), Limit(1000, 3600))
RECALL_S = 24 * 3600
RESPONSE_S = 72 * 3600
DUPLICATE_S = 1800
MAX_DUPLICATE_S = 4 * 3600
REMEMBERED = 10_000


class App:
    def __init__(self, corp: Corp) -> None:
        self._corp = corp
        self._find = partial(corp.media.find, owner=APPS)
        self._members = corp.rates["app"] = SlidingWindow(corp.clock, *MEMBER_LIMITS)
        self._sent: Newest[str, tuple[int, float]] = Newest(REMEMBERED)
        self._seen: Newest[str, tuple[str, float]] = Newest(REMEMBERED)
        self._codes: Newest[str, tuple[int, str, float]] = Newest(REMEMBERED)
        """By response_code: whose it is, which message it may rewrite once, and until when."""
        self._tasks: Newest[tuple[int, str], bool] = Newest(REMEMBERED)

    def gettoken(self, asked: Asked) -> Answer:
        """https://developer.work.weixin.qq.com/document/path/91039; ``expires_in`` is what is left of the token.

        A disabled app's secret is answered with 50003, which says so. The help of 40001 names stopped apps among its
        causes too, but a caller could not tell that from a wrong secret. The page knows GET alone; POST is answered
        too, with the parameters in the URL or in a body of JSON.
        """
        ip = asked.request.remote_addr or ""
        self._corp.secret_guard.check(ip)
        names, args = ("corpid", "corpsecret"), asked.request.args
        in_body = asked.request.method == "POST" and asked.request.content_length and not args.keys() & {*names}
        corp_id, secret = map(asked.body.text if in_body else asked.text, names)
        refuse_if(not secret, 41004)
        refuse_if(not corp_id, 41002)
        refuse_if(corp_id != CORP_ID, 40013)
        grant = self._corp.tokens.find(secret)
        if grant is None:
            self._corp.secret_guard.note(ip)
            raise Refusal(40001)
        refuse_if(grant.agent_id in self._corp.disabled, 50003)
        token, expires_in = self._corp.tokens.issue(grant)
        return {"access_token": token, "expires_in": expires_in}

    def send(self, asked: Asked) -> Answer:
        """https://developer.work.weixin.qq.com/document/path/90236. A part of bad recipients is no failure."""
        agent_id, body = asked.app, asked.body
        refuse_if(not body.has("agentid"), 41011, msgid=_new_msgid())
        asked.check_agent(body)
        lists = body.text("touser"), body.text("toparty"), body.text("totag")
        audience = find_audience(self._corp.directory, asked.sight, *lists)
        checks = {**APP_CHECKS, "template_card": shown_of} if self._corp.app_callback else APP_CHECKS
        msgtype, content = check_content(body, checks, self._find)
        check_safe(body, msgtype)
        id = self._duplicate(body, agent_id)
        if id is not None:
            return {"invaliduser": "", **audience.invalid(), "msgid": id}
        card = body.part("template_card") if msgtype == "template_card" else Fields({})
        task = agent_id, card.text("task_id")
        refuse_if(task[1] and task in self._tasks, 42014)
        id = self._deliver(body, agent_id, audience, msgtype, content)
        self._tasks[task] = True
        told = {"invaliduser": "", **audience.invalid(), "msgid": id}
        answers = card.text("card_type") in INTERACTIVE or card.has("action_menu")
        if not (answers and self._corp.app_callback):
            return told
        code = secrets.token_urlsafe(48)
        self._codes[code] = (agent_id, id, self._corp.clock() + RESPONSE_S)
        return {**told, "response_code": code}

    def update_card(self, asked: Asked) -> Answer:
        """https://developer.work.weixin.qq.com/document/path/94888: once for a response_code, for all or for some of
        those who see the card; another card, or a text in place of its buttons.
        """
        agent_id, body = asked.app, asked.body
        asked.check_agent(body)
        code = body.text("response_code")
        sender, id, until = self._codes.get(code, (0, "", 0.0))
        refuse_if(sender != agent_id or until <= self._corp.clock(), 60140)
        message = self._corp.mailbox.find(id)
        users, invalid = self._who_sees(asked, message)
        new, name = body.part("template_card"), body.part("button").text("replace_name")
        content = shown_of(new, self._find) if body.has("template_card") else ""
        body.missing_if(not content and not name, "template_card")
        del self._codes[code]
        if message:  # else it is forgotten, and there is nothing to be seen
            for user in users:
                card = dict(new.values) if content else {**message.cards[user], "replace_text": name}
                message = message.rewritten(Rewrite(self._corp.clock(), "", (user,), card), content or message.content)
            self._corp.mailbox.replace(message)
        return {"invaliduser": invalid}

    def recall(self, asked: Asked) -> Answer:
        """https://developer.work.weixin.qq.com/document/path/94867"""
        id = asked.body.text("msgid")
        sender, sent_at = self._sent.get(id, (None, 0.0))
        refuse_if(sender != asked.app, 40058, "msgid is not of this app")
        refuse_if(sent_at + RECALL_S <= self._corp.clock(), 42052)
        self._corp.mailbox.remove(id)
        return {}

    def _who_sees(self, asked: Asked, message: Message | None) -> tuple[list[str], list[str]]:
        """Who of those that are named sees the card, and the ids that are no member's."""
        cards, body = message.cards if message else {}, asked.body
        if body.number("atall"):
            return list(cards), []
        lists = body.texts("userids"), map(str, body.numbers("partyids")), map(str, body.numbers("tagids"))
        named = find_audience(self._corp.directory, asked.sight, *map("|".join, lists))
        return [user for user in named.receivers if user in cards], list(named.invaliduser)

    def _duplicate(self, body: Fields, agent_id: int) -> str | None:
        """The id of the same request's message, when the caller asked not to send it twice.

        What WeCom answers then is not documented; the sandbox answers as it did the first time.
        """
        interval = body.number("duplicate_check_interval", DUPLICATE_S)
        wrong = not 0 <= interval <= MAX_DUPLICATE_S
        body.refuse_if(wrong, "duplicate_check_interval", f"must be from 0 to {MAX_DUPLICATE_S}")
        if not body.number("enable_duplicate_check"):
            return None
        id, seen_at = self._seen.get(_digest(body, agent_id), ("", 0.0))
        return id if id and self._corp.clock() < seen_at + interval else None

    def _deliver(self, body: Fields, agent_id: int, audience: Audience, msgtype: str, content: str) -> str:
        """Members who had their 30 a minute or 1000 an hour do not get it; the answer does not say so (path/90312)."""
        now = self._corp.clock()
        id = _new_msgid()
        receivers = tuple(user for user in audience.receivers if self._members.admits((agent_id, user)))
        self._corp.journal.discarded += len(audience.receivers) - len(receivers)
        if receivers:
            card = body.part("template_card") if msgtype == "template_card" and self._corp.app_callback else Fields({})
            cards = {user: dict(card.values) for user in receivers} if card.values else {}
            lists = {name: body.text(name) for name in ("touser", "toparty", "totag")}
            more = {**lists, "receivers": receivers, "cards": cards, "task_id": card.text("task_id")}
            self._corp.post("app", msgtype, content, body, id=id, time=now, **more)
        self._sent[id] = (agent_id, now)
        if body.number("enable_duplicate_check"):
            self._seen[_digest(body, agent_id)] = (id, now)
        return id


def _new_msgid() -> str:
    """As long as WeCom's."""
    return secrets.token_urlsafe(64)


def check_safe(body: Fields, msgtype: str) -> None:
    safe = body.number("safe")
    body.refuse_if(safe not in (0, 1, 2) or (safe == 2 and msgtype != "mpnews"), "safe", "is not allowed")
    refuse_if(safe and msgtype == "news", 40074)


def _digest(body: Fields, agent_id: int) -> str:
    canonical = json.dumps([agent_id, body.values], sort_keys=True)
    return hashlib.sha256(canonical.encode()).hexdigest()


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
