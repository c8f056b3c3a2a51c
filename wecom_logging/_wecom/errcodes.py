"""What each errcode of WeCom means, which exception it is, whether trying again helps, and what to do about it.

One row for each code that a self-built app or a group bot can meet; a new code is a new row. Codes and meanings:
D:90313 (D:n is https://developer.work.weixin.qq.com/document/path/n), the bot's 93xxx also D:99110. Codes in a range
that the page leaves out share the words of their family. Decide on errcode only: D:90313 warns that errmsg changes.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

from wecom_logging.errors import (
    APIError,
    CredentialError,
    InvalidMessageError,
    InvalidRecipientError,
    PermissionDeniedError,
    RateLimitedError,
    ServerBusyError,
    TokenError,
)

MAX_ERRMSG_CHARS = 200


class Verdict(enum.Enum):
    """What to do about an errcode."""

    REFRESH = "refresh"
    """The token is used up: get a new one once and send again once."""
    BACKOFF = "backoff"
    """WeCom is busy: try again after a short, growing wait."""
    RATE_LIMIT = "rate_limit"
    """Too many calls: leave WeCom alone for ``retry_after_s``, then try again."""
    CONFIGURATION = "configuration"
    """Somebody must mend the configuration, here or in the admin console; keep the alert until then."""
    PAYLOAD = "payload"
    """This request will never be accepted as it is."""
    TARGET = "target"
    """The recipient does not exist, or the app cannot see it."""
    UNKNOWN = "unknown"
    """Not in the table: no blind retry (D:90313: only system failures deserve one)."""


_RETRYABLE = frozenset({Verdict.REFRESH, Verdict.BACKOFF, Verdict.RATE_LIMIT})


@dataclass(frozen=True, slots=True)
class ErrCode:
    """One row of the table.

    ``meaning`` and ``meaning_zh`` are short clauses without a full stop; ``remedy`` and ``remedy_zh`` are whole
    sentences for the person who has to act. ``retry_after_s`` is 0 where a quick second try makes sense, or none does.
    """

    code: int
    verdict: Verdict
    exception: type[APIError]
    meaning: str
    meaning_zh: str
    remedy: str
    remedy_zh: str
    retry_after_s: float = 0.0


def _group(
    verdict: Verdict,
    exception: type[APIError],
    meanings: Mapping[int, tuple[str, str]],
    remedy: str,
    remedy_zh: str,
    *,
    retry_after_s: float = 0.0,
) -> list[ErrCode]:
    """Rows of codes that ask for the same remedy. A meaning is in English and in Chinese."""
    return [
        ErrCode(code, verdict, exception, meaning, meaning_zh, remedy, remedy_zh, retry_after_s)
        for code, (meaning, meaning_zh) in meanings.items()
    ]


def _span(first: int, last: int, meaning: tuple[str, str]) -> dict[int, tuple[str, str]]:
    """One meaning for all codes from ``first`` to ``last``."""
    return dict.fromkeys(range(first, last + 1), meaning)


_token = partial(_group, Verdict.REFRESH, TokenError)
_busy = partial(_group, Verdict.BACKOFF, ServerBusyError)
_limited = partial(_group, Verdict.RATE_LIMIT, RateLimitedError)
_credential = partial(_group, Verdict.CONFIGURATION, CredentialError)
_denied = partial(_group, Verdict.CONFIGURATION, PermissionDeniedError)
_payload = partial(_group, Verdict.PAYLOAD, InvalidMessageError)
_target = partial(_group, Verdict.TARGET, InvalidRecipientError)

# api_error() puts the address into these words, because the admin has to type it into the console.
_THE_IP = "the IP that WeCom saw"
_THE_IP_ZH = "企业微信看到的 IP"

# What passes by itself: a used-up token, a busy server, too many calls.
_PASSING = (
    *_token(
        # An expired token was seen to come back as 40014 as well as 42001.
        {
            40014: ("the access_token is not valid any more", "access_token 已失效"),
            42001: ("the access_token has expired", "access_token 已过期"),
        },
        "Get a new access_token once and send again once. If it stays, check that secret belongs to corp_id.",
        "重新获取一次 access_token 并重发一次；如果仍然报错，请确认 Secret 与企业ID 属于同一个企业和应用。",
    ),
    *_busy(
        {-1: ("WeCom is busy", "企业微信系统繁忙")},
        "Try again in a moment, three times at most.",
        "请稍后重试，最多三次。",
    ),
    *_busy(
        {
            6000: ("somebody else changed the same data at the same time", "同一份数据正被别处修改"),
            45035: ("conflicting edits at the same time", "同时修改，发生冲突"),
            302008: ("an import of the directory is still running", "通讯录导入任务仍在进行"),
        },
        "Try again when the other change has finished, and let only one program change the same data at a time.",
        "请等待另一处修改或导入任务完成后再试，并避免多个程序同时修改同一份数据。",
    ),
    *_group(
        # Busy with too many calls at a time, which a short wait cures, but a limit all the same to those who catch it.
        Verdict.BACKOFF,
        RateLimitedError,
        {45033: ("too many calls at the same time", "并发调用过多")},
        "Let fewer threads and processes call WeCom at the same time; this call is tried again by itself.",
        "请降低并发调用数（线程、进程）；本次调用会自动重试。",
    ),
    *_busy(
        {846609: ("the AI bot's connection is not subscribed any more", "智能机器人长连接的订阅已失效")},
        "Connect again, subscribe, and repeat the message; this is done by itself.",
        "请重新连接并订阅后重发；程序会自动完成。",
    ),
    *_limited(
        # Also 20 messages a minute to a bot, debug=1, and the ban after wrong secrets (an hour). The block of a minute
        # limit lasts a minute (D:90312); the answer does not say which limit it was.
        {45009: ("too many calls", "调用次数超限")},
        "Send less, or spread alerts over more bots. If it lasts longer than a minute, an hourly or "
        "daily limit or a ban after wrong secrets holds: https://open.work.weixin.qq.com/wwopen/devtool/checkCorpSpamBlock.",
        "请减少发送，或改用多个机器人分担。若超过一分钟仍未恢复，则是小时/天级限制，"
        "或因多次使用错误的 Secret 被封禁 IP，可在 https://open.work.weixin.qq.com/wwopen/devtool/checkCorpSpamBlock "
        "自助查询和解除。",
        retry_after_s=60.0,
    ),
    *_limited(
        # Of an AI bot: 30 messages a minute and 1 000 an hour in a chat, replies among them.
        {846607: ("too many messages of the AI bot in one chat", "智能机器人在同一会话中发送过于频繁")},
        "Send less to this chat, or spread alerts over more chats; the message is sent again by itself.",
        "请减少发往该会话的消息，或分散到多个会话；消息会自动重发。",
        retry_after_s=60.0,
    ),
    *_limited(
        # Busy or limited: abnormal traffic is what set it off, so leave it alone rather than push.
        {45036: ("access to data is limited because of unusual traffic", "访问量异常，数据访问受限")},
        "Call WeCom less often, and look for a program that reads the directory in a loop.",
        "访问量异常，请降低调用频率，并检查是否有程序在循环读取通讯录。",
        retry_after_s=60.0,
    ),
)

# Who calls: corp id, secret, key of a bot.
_CREDENTIALS = (
    *_credential(
        # No refresh, unlike in the API of WeChat's official accounts: in WeCom a wrong secret stays wrong.
        {
            40001: (
                "the secret is wrong, belongs to another corp_id, or its app is switched off",
                "Secret 错误、不属于该企业，或所属应用已停用",
            )
        },
        "Set secret (WECOM_SECRET) to the Secret of the app (管理后台 → 应用管理 → 自建 → the app → Secret); check "
        "that corp_id is of the same company and the app enabled. Until then it is tried once in five minutes: "
        "several wrong secrets ban the IP for an hour.",
        "请把 secret（WECOM_SECRET）设为应用的 Secret（管理后台 → 应用管理 → 自建 → 对应应用 → Secret），"
        "并确认企业ID 属于同一企业、应用已启用。在此之前每五分钟只试一次：多次使用错误的 Secret，IP 会被封禁一小时。",
    ),
    *_credential(
        {
            40013: ("the corp_id is wrong", "企业ID（corp_id）错误"),
            41002: ("the corp_id is missing", "缺少企业ID（corp_id）"),
        },
        "Set corp_id (WECOM_CORP_ID) to the 企业ID of your company (管理后台 → 我的企业 → 企业信息 → 企业ID).",
        "请把 corp_id（WECOM_CORP_ID）设为正确的企业ID（管理后台 → 我的企业 → 企业信息 → 企业ID）。",
    ),
    *_credential(
        {41004: ("the secret is missing", "缺少 Secret")},
        "Set secret to the Secret of the app (管理后台 → 应用管理 → 自建 → the app → Secret).",
        "请填写应用的 Secret（管理后台 → 应用管理 → 自建 → 对应应用 → Secret）。",
    ),
    *_credential(
        {45031: ("WeCom judges the secret insecure", "企业微信认为该 Secret 不安全")},
        "Reset the Secret (管理后台 → 应用管理 → 自建 → the app → Secret) and set the new one here.",
        "请在管理后台 → 应用管理 → 自建 → 对应应用中重置 Secret，并在此处更新为新的 Secret。",
    ),
    *_credential(
        # Only a third-party provider holds such codes and tokens; a self-built app that meets one has the wrong secret.
        {
            42007: ("the pre_auth_code has expired", "pre_auth_code 已过期"),
            42009: ("the suite_access_token has expired", "suite_access_token 已过期"),
        },
        "Use the corp_id and secret of a self-built app (自建应用), not those of a third-party suite.",
        "请使用自建应用的企业ID 和 Secret，而不是第三方应用（suite）的凭证。",
    ),
    *_credential(
        {50003: ("the app is switched off", "应用已停用"), 50006: ("the system app is switched off", "系统应用已停用")},
        "Ask an admin to enable the app again (管理后台 → 应用管理 → the app → 启用).",
        "请企业管理员重新启用该应用（管理后台 → 应用管理 → 对应应用 → 启用）。",
    ),
    *_credential(
        {
            301007: (
                "the company is not available; it may have been dissolved or banned",
                "企业不可用，可能已解散或被封禁",
            )
        },
        "Check corp_id, and ask an admin about the state of the company in the admin console (我的企业 → 企业信息).",
        "请确认企业ID 是否正确，并由管理员在管理后台 → 我的企业 → 企业信息中确认企业是否已解散或被封禁。",
    ),
    *_credential(
        {
            93000: (
                "the webhook address is wrong, or the bot was removed from its group",
                "Webhook 地址错误，或机器人已被移出群聊",
            ),
        },
        "Copy the Webhook address of the bot again (group → 群机器人 / 消息推送 → the bot → Webhook 地址), or add a "
        "new bot to the group.",
        "请重新复制机器人 Webhook 地址（群聊 → 群机器人/消息推送 → 对应机器人 → Webhook 地址）；若机器人已被移除，"
        "请重新添加。",
    ),
    *_credential(
        {93006: ("the chat is not known to the bot", "机器人不认识该会话")},
        "An AI bot may send only where somebody wrote to it before, in a group with @: write to it there, and check "
        "chats (`wecom-logging answers pair` shows a chat's id). Of a group's bot: copy its Webhook address again.",
        "智能机器人只能向给它发过消息的会话推送（群里需先 @ 它）：请先在该会话中发一条消息，并检查 chats（会话编号可用 "
        "`wecom-logging answers pair` 获取）。若是群机器人，请重新复制 Webhook 地址。",
    ),
    *_credential(
        # Of the AI bot's long connection, whose codes no page lists: seen by those who use it.
        {
            93019: ("the Bot ID of the AI bot is wrong", "智能机器人的 Bot ID 错误"),
            853000: ("the Bot ID or the Secret of the AI bot is wrong", "智能机器人的 Bot ID 或 Secret 错误"),
        },
        "Copy both again (工作台 → 智能机器人 → the bot → API 模式 → 使用长连接) into WECOM_AIBOT_ID and "
        "WECOM_AIBOT_SECRET: the Secret is that of the bot, not of an app.",
        "请重新复制 Bot ID 和 Secret（工作台 → 智能机器人 → 对应机器人 → API 模式 → 使用长连接）到 WECOM_AIBOT_ID 和 "
        "WECOM_AIBOT_SECRET；这里用的是机器人的 Secret，不是应用的 Secret。",
    ),
    *_credential(
        {93004: ("the bot is switched off", "机器人已停用")},
        "Ask the owner of the bot or an admin to enable it again, or set the Webhook address of another bot.",
        "请机器人创建者或管理员重新启用该机器人，或改用另一个机器人 Webhook 地址。",
    ),
)

# What the caller may do: agent id, addresses, scope, quotas that somebody has to raise.
_PERMISSIONS = (
    *_denied(
        {
            40056: ("the agent_id is wrong", "AgentId 错误"),
            41011: ("the agent_id is missing", "缺少 AgentId"),
            301002: ("the token may not act for this agent_id", "该 Secret 无权操作此 AgentId"),
        },
        "Set agent_id and secret of one and the same app (管理后台 → 应用管理 → 自建 → the app → AgentId, Secret).",
        "请确认 AgentId 与 Secret 来自同一个应用（管理后台 → 应用管理 → 自建 → 对应应用 → AgentId、Secret）。",
    ),
    *_denied(
        {60020: ("calls from this IP are not trusted", "调用方 IP 不在企业可信IP 中")},
        f"Add {_THE_IP} to 企业可信IP of the app (管理后台 → 应用管理 → 自建 → the app → 企业可信IP); it takes "
        "a minute to work. WeCom wants a trusted domain or a callback URL first, and may refuse a provider's IP.",
        f"请把{_THE_IP_ZH} 添加到应用的“企业可信IP”（管理后台 → 应用管理 → 自建 → 对应应用 → 企业可信IP），"
        "约一分钟后生效。设置前需先配置可信域名或接收消息服务器 URL；第三方服务商的 IP 可能无法添加。",
    ),
    *_denied(
        {
            48001: ("this API has not been granted", "未获得该接口的权限"),
            48002: ("this kind of secret may not call this API", "该类型的 Secret 不能调用此接口"),
            48004: ("the grant is not valid any more", "授权已失效"),
            48008: ("a grant to edit contacts may not call this API", "通讯录编辑权限不能调用此接口"),
        },
        "Use the right kind of secret: the Secret of the app for messages, the Secret of contacts sync "
        "(管理后台 → 管理工具 → 通讯录同步) for changes to the directory. Check there that the permission is granted.",
        "请使用正确类型的 Secret：发消息用应用的 Secret，"
        "写通讯录用通讯录同步的 Secret（管理后台 → 管理工具 → 通讯录同步），并确认已开启相应的接口权限。",
    ),
    *_denied(
        {48005: ("WeCom has retired this API", "企业微信已废弃该接口")},
        "Upgrade this package, or use the API that replaces it.",
        "该接口已废弃，请升级本包或改用替代接口。",
    ),
    *_denied(
        {48006: ("the app lost its API access because nobody used it for long", "应用长期未使用，接口权限已被收回")},
        "Ask an admin to enable the app again (管理后台 → 应用管理 → the app); send something now and then to keep it.",
        "应用长期未使用，接口权限被收回，请管理员在管理后台 → 应用管理 → 对应应用中重新启用，并定期发送消息保持活跃。",
    ),
    *_denied(
        {
            48009: (
                "contacts sync may not read details of the directory from a new IP",
                "通讯录同步不能再从新增 IP 读取通讯录详情",
            )
        },
        "Read the directory with the Secret of an app whose visible range (可见范围) covers the members.",
        "通讯录同步不能再从新增 IP 读取通讯录详情，请改用可见范围覆盖相关成员的应用的 Secret 来读取。",
    ),
    *_denied(
        {48010: ("this version of TLS is not supported", "不支持该 TLS 版本")},
        "Use TLS 1.2 or newer: update Python and OpenSSL, or the proxy in between.",
        "请使用 TLS 1.2 或更高版本：升级 Python、OpenSSL 或中间的代理。",
    ),
    *_denied(
        # The recipient is out of reach (a target), but it exists and an admin can widen the range, so the alert waits.
        {
            50002: ("the member is outside the permitted range", "成员不在权限范围内"),
            60011: ("the app has no right to this member, department or tag", "该成员、部门或标签不在应用的可见范围内"),
            60021: ("the user is outside the visible range of the app", "成员不在应用的可见范围内"),
            60030: ("outside the visible range of the app", "不在应用的可见范围内"),
            92000: ("the member is outside the visible range of the app", "成员不在应用的可见范围内"),
        },
        "Add the member, department or tag to the visible range of the app "
        "(管理后台 → 应用管理 → 自建 → the app → 可见范围), or name other recipients.",
        "请把该成员、部门或标签加入应用的可见范围（管理后台 → 应用管理 → 自建 → 对应应用 → 可见范围），或更换接收人。",
    ),
    *_denied(
        {60031: ("the app is barred from the API", "应用已被禁止调用接口")},
        "Ask an admin to let the app call the API (管理后台 → 应用管理 → the app), or use another self-built app.",
        "该应用已被禁止调用接口，请管理员在管理后台 → 应用管理 → 对应应用中恢复，或改用另一个自建应用。",
    ),
    *_denied(
        {
            92001: ("the app may not read sensitive data", "应用无权读取敏感数据"),
            92002: ("calls across companies are not allowed", "不允许跨企业调用"),
            92003: ("calls across apps are not allowed", "不允许跨应用调用"),
        },
        "Use corp_id, agent_id and secret of the app that owns the data, and let an admin grant what it needs "
        "(管理后台 → 应用管理 → the app).",
        "请使用数据所属企业和应用的企业ID、AgentId 与 Secret，并由管理员在管理后台 → 应用管理 → 对应应用中授权。",
    ),
    *_denied(
        {
            43004: (
                "the user has not bound WeChat or does not follow the WeChat plugin",
                "成员未绑定微信，或未关注微信插件",
            )
        },
        "Ask the member to log in to WeCom with WeChat or to follow the plugin (管理后台 → 我的企业 → 微信插件).",
        "请该成员使用微信登录企业微信，或关注微信插件（管理后台 → 我的企业 → 微信插件）。",
    ),
    *_denied(
        {
            43009: ("the company is not verified", "企业未验证"),
            90001: ("the company is not certified for this service", "企业未认证，不能使用该服务"),
        },
        "Ask an admin to verify the company (管理后台 → 我的企业 → 企业信息 → 企业认证).",
        "请管理员完成企业认证或验证（管理后台 → 我的企业 → 企业信息 → 企业认证）。",
    ),
    *_denied(
        {43012: ("the app needs a callback URL", "应用需要配置回调 URL")},
        "Set a callback URL (管理后台 → 应用管理 → 自建 → the app → 接收消息 → 设置API接收), "
        "or send a card without buttons.",
        "请为应用配置回调 URL（管理后台 → 应用管理 → 自建 → 对应应用 → 接收消息 → 设置API接收），"
        "或改用无交互按钮的卡片。",
    ),
    *_denied(
        {50001: ("the redirect_url is not under a trusted domain", "redirect_url 不在可信域名下")},
        "Add its domain to the trusted domains of the app (管理后台 → 应用管理 → 自建 → the app → 网页授权及JS-SDK).",
        "请把 redirect_url 的域名登记为应用的可信域名（管理后台 → 应用管理 → 自建 → 对应应用 → 网页授权及JS-SDK）。",
    ),
    *_denied(
        {45024: ("the company has reached its number of members", "企业人数已达上限")},
        "Ask an admin to verify the company or to apply for more members (管理后台 → 我的企业 → 企业信息).",
        "企业人数已达上限，请管理员在管理后台 → 我的企业 → 企业信息中完成认证或申请扩容。",
    ),
    *_denied(
        {
            45026: (
                "this would delete too many members at once, and WeCom guards against that",
                "一次删除的成员过多，触发了企业微信的保护",
            )
        },
        "Check the list of members, and delete them in smaller steps or in the admin console (管理后台 → 通讯录).",
        "触发了删除成员数的保护，请核对成员名单，分批删除，或在管理后台 → 通讯录中操作。",
    ),
    *_denied(
        {301005: ("the creator of the company cannot be deleted", "企业创建者不能删除")},
        "Hand the role of the creator to another member in the admin console first.",
        "请先在管理后台将企业创建者身份转移给其他成员，再删除该成员。",
    ),
    *_denied(
        {81011: ("the app has no right to this tag", "应用无权使用该标签")},
        "Use the app that created the tag, or the Secret of contacts sync (管理后台 → 管理工具 → 通讯录同步).",
        "请使用创建该标签的应用，或使用通讯录同步的 Secret（管理后台 → 管理工具 → 通讯录同步）来操作。",
    ),
    *_denied(
        {86008: ("the group chat was created by another app", "该群聊由另一个应用创建")},
        "Use the agent_id and secret of the app that created the group chat, or create a new one with this app.",
        "请使用创建该群聊的应用的 AgentId 和 Secret，或用当前应用重新创建群聊。",
    ),
    *_denied(
        # Of the fields of a mini-program notice (payload) these two are about the binding, which an admin makes.
        {
            90206: ("the mini-program is not linked to the company", "小程序未关联到企业"),
            90208: ("the appid is not that of the linked mini-program", "appid 与已关联的小程序不一致"),
        },
        "Link the mini-program to the company (管理后台 → 应用管理 → 小程序 → 关联小程序), and check its appid.",
        "请在管理后台 → 应用管理 → 小程序中关联该小程序，并确认 appid 一致。",
    ),
    *_denied(
        {93001: ("this group does not allow bots to send", "该群不允许机器人发消息")},
        "Ask the owner of the group to allow it (群设置 → 群机器人 / 消息推送), or use a bot of another group.",
        "请群主在群设置中允许群机器人（消息推送）发消息，或改用其他群的机器人 Webhook 地址。",
    ),
    *_denied(
        {93008: ("the bot is not in the group", "机器人不在群内")},
        "Add the bot to the group again, or set the Webhook address of a bot that is in it.",
        "请重新将机器人添加到群里，或改用群内机器人的 Webhook 地址。",
    ),
)

# Who gets a message.
_TARGETS = (
    *_target(
        {
            # Also a malformed userid (payload); in a message it is nearly always somebody who has left.
            40003: ("the user id is not valid or not in the directory", "成员账号（UserID）无效或不在通讯录中"),
            46004: ("the user does not exist", "成员不存在"),
            60111: ("the user id does not exist or is not visible to the app", "成员不存在，或对应用不可见"),
            301021: ("at least one user id is not in the directory", "至少有一个成员账号不在通讯录中"),
        },
        "Correct the user id: it is the 账号 of the member in the directory (管理后台 → 通讯录 → the member), not the "
        "name. Check that the visible range (可见范围) of the app covers it.",
        "请更正成员账号（UserID，在管理后台 → 通讯录 → 成员详情中查看“账号”，不是姓名），"
        "并确认该成员在应用的可见范围内。",
    ),
    *_target(
        {
            60146: ("no member has this mobile number", "没有成员使用该手机号"),
            60147: ("no member has this email address", "没有成员使用该邮箱"),
            60148: ("no member has this company email address", "没有成员使用该企业邮箱"),
        },
        "Correct the mobile number or the email address, or name the member by user id.",
        "请更正手机号或邮箱，或改为直接填写成员账号（UserID）。",
    ),
    *_target(
        {40070: ("none of the given users and departments can be in the tag", "所给的成员和部门都不能加入该标签")},
        "Name users and departments that exist in the directory and are in the visible range (可见范围) of the app.",
        "请填写通讯录中存在、且在应用可见范围内的成员和部门。",
    ),
    *_target(
        {
            81013: (
                "no user, department or tag of the message exists or is visible to the app",
                "接收人全部不存在或对应用不可见",
            )
        },
        "Correct users, departments and tags, or add them to the visible range of the app "
        "(管理后台 → 应用管理 → 自建 → the app → 可见范围); whoever has no licence (接口许可) needs one.",
        "请更正接收成员、部门或标签，或将其加入应用的可见范围（管理后台 → 应用管理 → 自建 → 对应应用 → 可见范围）；"
        "没有接口许可的成员需先分配许可。",
    ),
    *_target(
        {49008: ("the group chat has been dissolved", "群聊已解散")},
        "Create a new group chat and use its chatid.",
        "群聊已解散，请新建群聊并使用新的 chatid。",
    ),
)

# What a message or an upload is made of.
_MESSAGES = (
    *_payload(
        {
            40004: ("this type of media file is not allowed", "不支持该媒体文件类型"),
            40005: ("the type of the upload is not valid", "上传类型不合法"),
            301017: ("a voice file must be AMR", "语音文件必须是 AMR 格式"),
        },
        "Upload image (JPG, PNG), voice (AMR), video (MP4) or file, and let the type say which it is.",
        "请上传合法的图片（JPG、PNG）、语音（AMR）、视频（MP4）或文件，并使 type 参数与之一致。",
    ),
    *_payload(
        {
            40006: ("the size of the file is not allowed", "文件大小不合法"),
            40009: ("the size of the image is not allowed", "图片大小不合法"),
            40011: ("the size of the video is not allowed", "视频大小不合法"),
            45001: ("the file is too large", "文件过大"),
            45007: ("the voice file is longer than 60 s", "语音超过 60 秒"),
            301016: ("the voice file does not meet the limits", "语音文件不符合限制"),
            93018: ("the image is too large for a bot", "图片超过机器人的大小限制"),
        },
        "Make it smaller: image 10 MB (bot 2 MB), voice 2 MB and 60 s, video 10 MB, file 20 MB; at least 6 bytes.",
        "请缩小文件：图片 10 MB（机器人 2 MB），语音 2 MB（60 秒内），视频 10 MB，文件 20 MB；至少 6 字节。",
    ),
    *_payload(
        {
            40123: ("the uploaded image is not an image", "上传的文件不是图片"),
            44001: ("the media file is empty", "媒体文件为空"),
            301019: ("the md5 is not that of the file", "md5 与文件不符"),
        },
        "Check that the file is whole and readable, and that its md5 is taken of the raw bytes.",
        "请确认文件完整可读，且 md5 按原始字节计算。",
    ),
    *_payload(
        # Uploading again and sending anew helps; sending the same request again does not.
        {
            40007: ("the media_id is wrong or older than three days", "media_id 错误，或已超过三天"),
            40145: ("the media_id is wrong or older than three days", "media_id 错误，或已超过三天"),
            41006: ("the media_id is missing", "缺少 media_id"),
            301015: ("the media_id is not valid here", "media_id 不能在此处使用"),
        },
        "Upload the file again and send the new media_id; it lives for three days. What a bot "
        "uploaded only that bot may send; what an app uploaded, all apps of the company.",
        "请重新上传文件并使用新的 media_id；media_id 有效期三天，"
        "机器人上传的只能由该机器人使用，应用上传的由同一企业的应用使用。",
    ),
    *_payload(
        {40008: ("this msgtype is not accepted", "不支持该 msgtype")},
        "Use a msgtype that the channel takes; a bot, an app and a group chat differ.",
        "请使用该通道支持的 msgtype；机器人、应用消息和群聊支持的类型不同。",
    ),
    *_payload(
        {
            40031: ("the list of user ids is not valid", "成员账号列表不合法"),
            40032: ("the list of user ids is too long", "成员账号列表过长"),
            81014: ("too many users or departments in one call", "一次调用的成员或部门过多"),
            82002: ("more than 100 departments in one message", "一条消息的部门超过 100 个"),
            82003: ("more than 100 tags in one message", "一条消息的标签超过 100 个"),
        },
        "Check the spelling, and split the list: 1000 users (200 to delete), 100 departments, 100 tags in one call.",
        "请检查拼写并拆分列表：单次最多 1000 个成员（批量删除为 200 个）、100 个部门、100 个标签。",
    ),
    *_payload(
        {40033: ("characters such as \\uxxxx are not allowed in the request", "请求中不允许 \\uxxxx 形式的字符")},
        "Send plain UTF-8 instead of \\u escapes, and leave control characters out.",
        "请直接发送 UTF-8 文本，不要使用 \\uxxxx 转义或控制字符。",
    ),
    *_payload(
        # 40058 is also how a bot's upload refuses its key, which only errmsg tells.
        {
            40035: ("a parameter is not valid", "参数不合法"),
            40058: ("a parameter is not valid or too long", "参数不合法或过长"),
            40063: ("a required parameter is empty", "必填参数为空"),
        },
        "Read errmsg, which names the field, and correct that field: its type, its length, or that it is given.",
        "请查看 errmsg 中指出的字段，并更正其类型、长度或补全该字段。",
    ),
    *_payload(
        {
            40039: ("the url is too long", "url 过长"),
            45034: ("the url lacks http:// or https://", "url 缺少 http:// 或 https://"),
        },
        "Give a whole url with http:// or https://, of at most 1024 bytes.",
        "请填写以 http:// 或 https:// 开头的完整 url，长度不超过 1024 字节。",
    ),
    *_payload(
        {40074: ("news cannot be confidential", "图文消息 news 不支持保密")},
        "Leave safe at 0 for news, or send mpnews.",
        "图文消息 news 不支持保密，请将 safe 设为 0，或改用 mpnews。",
    ),
    *_payload(
        {
            40201: ("stopped by WeCom's filter for sensitive content", "被企业微信的敏感内容过滤拦截"),
            40204: ("stopped by WeChat's filter for spam", "被微信的垃圾信息过滤拦截"),
            82004: ("the content could crash a client", "内容可能导致客户端崩溃"),
            85002: ("the text holds forbidden words", "文本含有违禁词"),
        },
        "Change the text before you send it again: remove the words or characters that offend.",
        "请修改内容后再发送：去掉敏感词、违禁词或异常字符。",
    ),
    *_payload(
        {
            40206: ("the body of the request is too large", "请求体过大"),
            45002: ("the content of the message is too long", "消息内容过长"),
        },
        "Shorten or split it: text and markdown of an app 2048 bytes, markdown of a bot 4096 bytes.",
        "请缩短或拆分消息：应用的文本和 markdown 为 2048 字节，机器人 markdown 为 4096 字节。",
    ),
    *_payload(
        # A defect of the client, not of the token: a new token would not help.
        {41001: ("the access_token is missing from the URL", "URL 中缺少 access_token")},
        "Put access_token into the query of the URL, and check that no proxy drops it.",
        "请把 access_token 拼接在 URL 中，并确认代理没有去掉查询参数。",
    ),
    *_payload(
        {41016: ("the title is missing", "缺少标题"), 41033: ("the description is missing", "缺少描述")},
        "Give a title, and a description where the type of message needs one.",
        "请填写标题 title；文本卡片还需填写描述 description。",
    ),
    *_payload(
        {
            44004: ("the text is empty", "文本为空"),
            93017: ("the body of the bot's message is empty", "机器人消息的内容为空"),
        },
        "Give the message at least one visible character.",
        "消息内容不能为空，请至少填写一个可见字符。",
    ),
    *_payload(
        {45008: ("more than eight articles", "图文消息超过八条")},
        "Send at most eight articles in one message.",
        "图文消息最多 8 条，请减少或拆分。",
    ),
    *_payload(
        {
            81012: ("no recipient is given", "未给出接收人"),
            82001: ("users, departments and tags are all empty", "成员、部门和标签都为空"),
        },
        "Give at least one of users, departments and tags.",
        "请至少填写一个接收成员、部门或标签。",
    ),
    *_payload(
        {42052: ("the message is older than 24 hours", "消息已超过 24 小时")},
        "Recall a message within 24 hours.",
        "仅可撤回 24 小时内的消息。",
    ),
    *_payload(
        {
            846605: (
                "the AI bot's answer belongs to no event, came too late, or is of the wrong kind for it",
                "智能机器人的应答没有对应的事件、已超时或类型不符",
            ),
            846608: ("the AI bot's stream was not ended in time", "智能机器人的流式消息未及时结束"),
        },
        "Answer a click within 5 seconds and once, a message within 24 hours; send what comes later as a push.",
        "请在点击后 5 秒内应答且仅一次，消息在 24 小时内回复；更晚的内容请主动推送。",
    ),
    *_payload(
        _span(
            42014, 42020, ("the task_id or a button key of the card is not valid", "卡片的 task_id 或按钮 key 不合法")
        )
        | {42015: ("the card is another app's", "该卡片属于另一个应用")},
        "Update a card with the app that sent it, and check its task_id and the key and name of each button.",
        "请用发送该卡片的应用来更新，并检查 task_id 以及每个按钮的 key 和名称。",
    ),
    *_payload(
        _span(
            42027, 42051, ("a field of the template_card is missing or not valid", "template_card 的字段缺失或不合法")
        ),  # one code for each field
        "Read errmsg, which names the field of the template_card, and correct it.",
        "请查看 errmsg 中指出的 template_card 字段，补全或更正。",
    ),
    *_payload(
        {
            60140: (
                "the response_code is wrong, used or older than 72 hours",
                "response_code 错误、已使用，或已超过 72 小时",
            )
        },
        "Use the response_code of the latest answer, once and within 72 hours, or send a new card.",
        "response_code 72 小时内有效且只能使用一次，请使用最新的 response_code 或重新发送卡片。",
    ),
    *_payload(
        # 90206 and 90208 are configuration, above.
        {
            90200: ("the appid of the mini-program is missing", "缺少小程序的 appid"),
            90201: ("more than ten content_item in the mini-program notice", "小程序通知的 content_item 超过十项"),
            90202: ("the length of a key of the mini-program notice is not allowed", "小程序通知的 key 长度不合法"),
            90203: ("the length of a value of the mini-program notice is not allowed", "小程序通知的 value 长度不合法"),
            90204: ("the page of the mini-program notice is not valid", "小程序通知的 page 不合法"),
            90205: ("a field of the mini-program notice is not valid", "小程序通知的字段不合法"),
            90207: ("the appid of the mini-program is not valid", "小程序的 appid 不合法"),
        },
        "Correct the mini-program notice: appid, page, at most ten items, keys of 10 and values of 30 characters.",
        "请更正小程序通知：appid、page 路径，最多 10 项，key 不超过 10 个汉字，value 不超过 30 个汉字。",
    ),
)

# Group chats (appchat).
_CHATS = (
    *_payload(
        {
            40050: ("the chatid does not exist", "chatid 不存在"),
            86001: ("the chatid is not valid", "chatid 不合法"),
            86002: ("a parameter of the group chat is not valid", "群聊参数不合法"),
            86003: ("the chatid does not exist", "chatid 不存在"),
            86201: ("the chatid is missing", "缺少 chatid"),
            86205: ("the chatid is too long", "chatid 过长"),
            86206: ("the chatid is too large a number", "chatid 数值过大"),
            86215: ("the chatid exists already", "chatid 已存在"),
            86220: ("a parameter of the group chat is not valid", "群聊参数不合法"),
        },
        "Check the chatid: at most 32 letters and digits, of a group chat that this app has created.",
        "请检查 chatid：最长 32 位字母和数字，且必须是当前应用已创建的群聊。",
    ),
    *_payload(
        {
            86004: ("the name of the group chat is not valid", "群名不合法"),
            86005: ("the owner of the group chat is not valid", "群主不合法"),
            86006: ("the group chat has too many or too few members", "群成员过多或过少"),
            86007: ("a member of the group chat is not valid", "群成员不合法"),
            86101: ("only the owner of the group chat may do this", "仅群主可以操作"),
            86202: ("the name of the group chat is missing", "缺少群名"),
            86203: ("the owner of the group chat is missing", "缺少群主"),
            86204: ("the members of the group chat are missing", "缺少群成员"),
            86207: ("the owner is not among the members of the group chat", "群主不在群成员中"),
            86216: ("a member of the group chat does not exist", "群成员不存在"),
            86217: ("the sender is not among the members of the group chat", "发送者不在群成员中"),
        },
        "Give a name of at most 50 characters, 2 to 2000 existing members, and an owner who is one of them.",
        "请填写不超过 50 字的群名、2 至 2000 个通讯录中存在的成员，并确保群主在成员之中。",
    ),
)

# Departments, members and tags.
_DIRECTORY = (
    *_payload(
        {45029: ("the answer would be too large", "应答内容过大")},
        "Ask for less at a time: one department after the other, without its children.",
        "请分批查询：逐个部门拉取，不要递归子部门。",
    ),
    *_payload(
        {
            40066: ("the list of departments is empty or holds an unknown one", "部门列表为空，或其中有不存在的部门"),
            60003: ("the department does not exist", "部门不存在"),
            60004: ("the parent department does not exist", "父部门不存在"),
            60123: ("the department does not exist", "部门不存在"),
            60124: ("the parent department does not exist", "父部门不存在"),
            60127: ("the department is missing", "缺少部门"),
        },
        "Give the id of a department that exists (管理后台 → 通讯录 → the department).",
        "请填写通讯录中存在的部门 ID（管理后台 → 通讯录 → 对应部门）。",
    ),
    *_payload(
        {
            60001: ("the length of the department name is not allowed", "部门名称长度不合法"),
            60009: ("the department name holds characters that are not allowed", "部门名称含有不允许的字符"),
            60125: ("the department name is not valid", "部门名称不合法"),
        },
        'Give a name of 1 to 32 characters without \\ : * ? " < > |.',
        '请填写 1 至 32 个字的部门名称，且不能包含 \\ : * ? " < > | 等字符。',
    ),
    *_payload(
        {
            60005: ("the department still has members", "部门下仍有成员"),
            60006: ("the department still has departments below it", "部门下仍有子部门"),
            60007: ("the root department cannot be deleted", "根部门不能删除"),
            60008: ("the department exists already", "部门已存在"),
            60010: ("the department would be below itself", "不能把部门移动到它自己的下级"),
            81001: ("the department has too many nodes", "部门的节点过多"),
            81002: ("departments are at most 15 deep", "部门层级最多 15 层"),
            302004: ("the departments do not form a tree", "部门结构不是合法的树"),
        },
        "Change the order of the steps: empty a department before you delete it, use an id and name that are free, and "
        "keep the tree within 15 levels and 30000 nodes.",
        "请调整操作：删除部门前先清空成员和子部门，使用未被占用的部门 ID 和名称，层级不超过 15 层、节点不超过 3 万个。",
    ),
    *_payload(
        {
            40068: ("the tag does not exist", "标签不存在"),
            40071: ("a tag of this name exists already", "同名标签已存在"),
            40072: ("the length of the tag name is not allowed", "标签名长度不合法"),
            81003: ("the tag has more than 30000 nodes", "标签的节点超过 3 万个"),
        },
        "Give the id of a tag that exists, a name of 1 to 32 characters that is free, and at most 30000 nodes.",
        "请填写存在的标签 ID、1 至 32 个字且未重复的标签名，单个标签不超过 3 万个节点。",
    ),
    *_payload(
        {
            60102: ("the user id exists already", "成员账号已存在"),
            60104: ("another member has this mobile number", "该手机号已被另一成员使用"),
            60106: ("another member has this email address", "该邮箱已被另一成员使用"),
        },
        "Use another user id, mobile number or email address, or update the member who has it.",
        "请更换成员账号、手机号或邮箱，或直接更新已占用它的成员。",
    ),
    *_payload(
        {
            60103: ("the mobile number is not valid", "手机号不合法"),
            60105: ("the email address is not valid", "邮箱不合法"),
            60107: ("the WeChat id is not valid", "微信号不合法"),
            60110: ("the member is in too many departments", "成员所属部门过多"),
            60112: ("the name of the member is not valid", "成员姓名不合法"),
            60129: ("both mobile number and email address are empty", "手机号和邮箱都为空"),
            60132: (
                "is_leader_in_dept and department differ in length",
                "is_leader_in_dept 与 department 的长度不一致",
            ),
            60257: ("more than five direct leaders", "直属上级超过五位"),
            301012: ("the position is longer than 128 characters", "职务超过 128 个字"),
            301013: ("the telephone number is not valid", "座机号码不合法"),
            301014: ("the English name is not valid", "英文名不合法"),
        },
        "Correct this field of the member.",
        "请按错误提示更正该成员的对应字段。",
    ),
    *_payload(
        {301036: ("the user id of this member may not be changed again", "该成员的账号不能再次修改")},
        "Keep the user id: only one that WeCom made itself may be changed, and once.",
        "请保留原成员账号：仅系统自动生成的 UserID 允许修改，且只能修改一次。",
    ),
)

_ROWS = (*_PASSING, *_CREDENTIALS, *_PERMISSIONS, *_TARGETS, *_MESSAGES, *_CHATS, *_DIRECTORY)

ERRCODES: Mapping[int, ErrCode] = MappingProxyType({row.code: row for row in _ROWS})
"""Every errcode that this package knows."""


def lookup(errcode: int) -> ErrCode:
    """The row of ``errcode``, or one with ``Verdict.UNKNOWN``. Raises ``ValueError`` for 0, which is no error."""
    if errcode == 0:
        raise ValueError("errcode 0 is success, not an error")
    row = ERRCODES.get(errcode)
    if row is not None:
        return row
    page = f"https://open.work.weixin.qq.com/devtool/query?e={errcode}"
    return ErrCode(
        errcode,
        Verdict.UNKNOWN,
        APIError,
        "unknown errcode",
        "未知的错误码",
        f"Look it up at {page}.",
        f"请在 {page} 查询该错误码。",
    )


def api_error(errcode: int, errmsg: str, path: str) -> APIError:
    """The exception for an answer with this ``errcode`` (not 0) from the call ``path``.

    WeCom writes errmsg as ``text, hint: [id], from ip: 1.2.3.4, more info at …`` (D:90930). The exception's ``errmsg``
    is the text alone: one line of at most 200 characters with anything like a secret masked.
    """
    row = lookup(errcode)
    tail = _TAIL.search(errmsg)
    text = _one_line(errmsg[: tail.start()] if tail else errmsg)
    hint = _HINT.search(errmsg)
    meaning, remedy, remedy_zh = row.meaning, row.remedy, row.remedy_zh
    if text and row.verdict in (Verdict.PAYLOAD, Verdict.UNKNOWN):
        meaning = f"{meaning} ({text})"  # here only WeCom's own words name the field
    seen = _FROM_IP.search(errmsg)
    ip = seen[1] if seen else ""
    if errcode == 60020 and ip:
        remedy = remedy.replace(_THE_IP, f"the IP {ip} that WeCom saw")
        remedy_zh = remedy_zh.replace(_THE_IP_ZH, f"{_THE_IP_ZH}（{ip}）")
    return row.exception(
        errcode,
        text,
        path=path,
        hint=hint[1] if hint else "",
        ip=ip,
        meaning=meaning,
        remedy=remedy,
        remedy_zh=remedy_zh,
        retryable=row.verdict in _RETRYABLE,
        retry_after_s=row.retry_after_s,
    )


_TAIL = re.compile(r"(?:, ?| )?(?:hint: ?\[|from ip: ?|more info at )")
_HINT = re.compile(r"hint: ?\[([0-9A-Za-z_.-]{1,100})\]")
_FROM_IP = re.compile(r"from ip: ?([0-9A-Fa-f.:]{1,44}[0-9A-Fa-f])(?![0-9A-Za-z])")

# A token, secret or media_id is a long run without a break; a bot's key is a UUID.
_SECRET = re.compile(
    r"(?<=access_token=)[^\s&,]+|(?<=secret=)[^\s&,]+|(?<=key=)[^\s&,]+"
    r"|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9A-Za-z_+/=-]{40,}"
)


def _one_line(text: str) -> str:
    """``text`` for a log line: secrets masked before anything is cut, what does not print shown as an escape."""
    masked = _SECRET.sub("***", text).strip()[: MAX_ERRMSG_CHARS + 1]
    line = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in masked)
    return line if len(line) <= MAX_ERRMSG_CHARS else line[: MAX_ERRMSG_CHARS - 1] + "…"
