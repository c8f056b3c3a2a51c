"""What WeCom says when it says no: a code, a text, and the hint that its support asks for.

The codes and what they mean: https://developer.work.weixin.qq.com/document/path/90313
"""

from __future__ import annotations

import secrets
from typing import Any

TEXTS = {
    -1: "system busy",
    0: "ok",
    6000: "data version conflict",
    40001: "invalid credential",
    40003: "invalid userid",
    40004: "invalid media type",
    40005: "invalid type",
    40006: "invalid file size",
    40007: "invalid media_id",
    40008: "invalid message type",
    40009: "invalid image size",
    40011: "invalid video size",
    40013: "invalid corpid",
    40014: "invalid access_token",
    40016: "invalid button size",
    40023: "invalid sub button size",
    40031: "invalid userid list",
    40032: "invalid userid list length",
    40033: "invalid request character",
    40035: "invalid parameter",
    40050: "invalid chatid",
    40039: "invalid url size",
    40056: "invalid agentid",
    40058: "invalid Request Parameter",
    40063: "some parameters are empty",
    40066: "invalid party list",
    40068: "invalid tagid",
    40070: "all list invalid",
    40071: "invalid tag name, already exists",
    40072: "invalid tag name length",
    40074: "news message not support safe",
    40123: "invalid image format",
    40201: "anti-spam check",
    40206: "request body too large",
    41001: "access_token missing",
    41002: "corpid missing",
    41004: "corpsecret missing",
    41006: "media_id missing",
    41009: "missing userid",
    41010: "url missing",
    41011: "missing agentid",
    41016: "missing title",
    41033: "description missing",
    42001: "access_token expired",
    42014: "taskid has existed or empty or exceed max len",
    42027: "Template_Card.horizontal_content_list.keyname missing",
    42028: "Template_Card.url missing",
    42029: "Template_Card.media_id missing",
    42030: "Template_Card.appid missing",
    42031: "Template_Card.card_type invalid",
    42033: "Template_Card.title missing",
    42035: "Template_Card.horizontal_content_list size invalid",
    42036: "Template_Card.vertical_content_list size invalid",
    42042: "Template_Card.jump_list size invalid",
    42044: "Template_Card.card_image.url missing or invalid",
    42045: "Template_Card.card_action missing or invalid",
    42050: "Template_Card.horizontal_content_list.userid missing or invalid",
    42052: "msgid expired",
    43004: "require subscribe",
    43012: "callback url is not configured",
    44001: "empty media data",
    44004: "empty content",
    45001: "media size out of limit",
    45002: "content size out of limit",
    45008: "article size out of limit",
    45009: "api freq out of limit",
    45026: "too many members would be deleted",
    45033: "api concurrent out of limit",
    45034: "url without http:// or https://",
    46003: "menu no exist",
    46004: "user not exist",
    48002: "api forbidden",
    48009: "api forbidden for contact assistant",
    50003: "app disabled",
    60001: "department invalid length",
    60003: "department not found",
    60004: "parent department not found",
    60005: "department contains user",
    60006: "department contains sub-department",
    60007: "root department can not be deleted",
    60008: "department existed",
    60009: "department name contains invalid char",
    60010: "department cyclic relation",
    60011: "no privilege to access/modify contact/party/agent ",
    60020: "not allow to access from your ip",
    60102: "userid existed",
    60103: "invalid mobile",
    60104: "mobile existed",
    60105: "invalid email",
    60106: "email existed",
    60110: "user belongs to too many departments",
    60111: "userid not found",
    60112: "invalid user name",
    60123: "invalid department id",
    60129: "missing mobile",
    60132: "size of department and is_leader_in_dept or order differ",
    60145: "biz_mail existed",
    60146: "mobile not found",
    60147: "email not found",
    60148: "biz_mail not found",
    60257: "too many direct leaders",
    81001: "department node size out of limit",
    81002: "department depth out of limit",
    81003: "tag node size out of limit",
    81011: "no privilege to operate tag",
    81013: "user & party & tag all invalid",
    81014: "too many users or parties",
    82001: "touser & toparty & totag all empty",
    82002: "party list size out of limit",
    82003: "tag list size out of limit",
    86001: "invalid chatid",
    86003: "chatid not exist",
    86006: "invalid chat member size",
    86008: "you has no privilege to access this chat, which is created by other agent.",
    86201: "missing chatid",
    86207: "owner is not in userlist",
    86215: "chatid existed",
    86216: "invalid chat member",
    90200: "missing miniprogram appid",
    90206: "miniprogram is not linked",
    93000: "invalid webhook url",
    93001: "webhook is not allowed in this group",
    93004: "webhook is disabled",
    93006: "invalid chatid",
    93008: "not in group",
    93017: "empty request body",
    93018: "image size out of limit",
    301002: "not allow operate another agent with this accesstoken.",
    301005: "creator can not be deleted",
    301012: "invalid position",
    301013: "invalid telephone",
    301014: "invalid english_name",
    301019: "media md5 not match",
    301036: "userid can not be modified",
    846605: "invalid req_id",
    846607: "aibot send msg frequency limit exceeded",
    846608: "stream message update expired (>10 minutes), cannot update",
    846609: "aibot websocket not subscribed",
    853000: "invalid bot_id or secret",
}

HELP = "https://open.work.weixin.qq.com/devtool/query?e="


WARNING = "Warning: wrong json format. "


class Refusal(Exception):
    """WeCom's no.

    ``detail`` stands before the code's own text: "markdown.content exceed max length 4096. invalid Request Parameter",
    or ``alone`` in place of it. ``extra`` travels in the answer beside the code, as ``invaliduser`` does with 81013.
    """

    def __init__(self, errcode: int, detail: str = "", *, alone: bool = False, **extra: Any) -> None:
        self.errcode = errcode
        self.detail = detail
        self.alone = alone
        self.extra = extra
        super().__init__(errcode, detail)

    @property
    def text(self) -> str:
        own = TEXTS.get(self.errcode, "refused by the sandbox")
        return own if not self.detail else self.detail if self.alone else f"{self.detail}. {own}"


def errmsg(errcode: int, text: str, *, now: float, ip: str) -> str:
    """The text beside ``errcode``, with the hint and the caller's address, as WeCom writes them (path/90930)."""
    hint = f"{int(now):010d}{secrets.randbelow(10**15):015d}"
    return f"{text}, hint: [{hint}], from ip: {ip}, more info at {HELP}{errcode}"
