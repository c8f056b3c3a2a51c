"""What to do about a refusal, in English and in Chinese, for whoever looks at the page.

From the help of https://developer.work.weixin.qq.com/document/path/90313; a code without a line of its own is looked up
there by its link.
"""

from __future__ import annotations

from .refusal import HELP

REMEDIES = {
    -1: ("WeCom is busy: try again, three times at most.", "系统繁忙，稍后重试，最多三次。"),
    40001: ("The secret does not belong to this corp, or its app is stopped.", "Secret 与企业不匹配，或应用已停用。"),
    40003: ("A user id is malformed.", "UserID 不合法。"),
    40007: (
        "The media_id is unknown, older than three days, or another's.",
        "media_id 无效、已过三天，或不属于本应用。",
    ),
    40008: ("This channel does not have that msgtype.", "此通道不支持该消息类型。"),
    40013: ("The corp id is wrong.", "企业 ID 错误。"),
    40014: (
        "The token is not valid: get a new one once, send again once.",
        "access_token 无效，重新获取一次后重发一次。",
    ),
    40058: (
        "A parameter is wrong; errmsg names it. Over-long bot texts too.",
        "参数不合法，errmsg 指明字段；机器人消息超长亦然。",
    ),
    40206: ("The request is too large.", "请求体过大。"),
    41001: ("The access_token is missing from the URL.", "URL 中缺少 access_token。"),
    42001: (
        "The token has expired: get a new one once, send again once.",
        "access_token 已过期，重新获取一次后重发一次。",
    ),
    43012: ("Cards that answer back need a callback URL.", "交互卡片需要应用先配置回调 URL。"),
    44004: ("The text is empty.", "内容为空。"),
    45002: ("The text is too long: shorten or split it.", "内容过长，请缩短或拆分。"),
    45009: ("Too many calls: wait a minute, or send less.", "调用过于频繁，等待一分钟或减少发送。"),
    45033: ("Too many calls at a time: lower the concurrency.", "并发过高，请降低并发。"),
    48002: ("This kind of token may not make this call.", "此类 token 无权调用该接口。"),
    48009: ("Contacts-sync may only read ids from a new address.", "通讯录同步在新 IP 上只能读取 ID。"),
    50003: ("The app is disabled.", "应用已停用。"),
    60011: ("Outside of the app's visible range.", "超出应用可见范围。"),
    60020: ("Add the caller's address to the trusted IPs.", "请将调用方 IP 加入企业可信 IP。"),
    60111: ("The member does not exist or is not visible.", "成员不存在或不可见。"),
    81013: ("No recipient exists within the visible range.", "全部接收者无效或不在可见范围内。"),
    82001: ("The message names no recipient.", "没有指定接收者。"),
    93000: ("The bot's key is wrong, or it left its group.", "机器人 key 错误，或机器人已被移出群。"),
    42014: (
        "The task_id is used already, or is not that of the card.",
        "task_id 已被使用，或与卡片的不一致。",
    ),
    93006: (
        "Nobody wrote to the bot in this chat: someone has to write first, in a group with an @.",
        "此会话中还没有人给机器人发过消息：请先发一条，群聊中需要 @机器人。",
    ),
    93008: ("The bot is not in this group.", "机器人不在该群中。"),
    846605: (
        "The req_id cannot be answered any more, or not by this command: push instead.",
        "req_id 已失效或与命令不符，请改用主动推送。",
    ),
    846607: (
        "Too many messages in this chat: wait a minute, or send less.",
        "此会话消息过于频繁，等待一分钟或减少发送。",
    ),
    846608: ("The stream took too long, or is finished: push instead.", "流式消息超时或已结束，请改用主动推送。"),
    846609: ("The subscription is lost: connect and subscribe again.", "订阅已丢失，请重新连接并订阅。"),
    853000: ("The bot's id or secret is wrong.", "机器人的 ID 或 Secret 错误。"),
    301002: ("The token belongs to another app than agentid.", "access_token 与 agentid 不属于同一应用。"),
}

UNKNOWN = ("The request is refused as it is; look the code up.", "请求被拒绝，请查询错误码。")


def remedy(errcode: int) -> dict[str, str]:
    """``en``, ``zh`` and the ``url`` of WeCom's own help."""
    en, zh = REMEDIES.get(errcode, UNKNOWN)
    return {"en": en, "zh": zh, "url": f"{HELP}{errcode}"}
