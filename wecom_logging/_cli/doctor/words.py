"""What the doctor says, in English and Chinese: names of checks, causes, and remedies, each in a table."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ... import config
from ..._wecom.errcodes import Verdict, lookup
from ...errors import (
    APIError,
    ConfigurationError,
    ConnectError,
    HTTPStatusError,
    RequestTimeout,
    TransportError,
    WeComLoggingError,
)
from .findings import NOTHING, Words

CHECKS: Mapping[str, Words] = {
    "configuration": Words("configuration", "配置项"),
    "enabled": Words("switched on", "启用开关"),
    "logger": Words("logger", "日志器"),
    "state": Words("state", "状态存储"),
    "proxy": Words("proxy", "代理"),
    "network": Words("network", "网络"),
    "clock": Words("clock", "系统时钟"),
    "token": Words("access token", "访问令牌"),
    "contacts": Words("contacts sync", "通讯录同步"),
    "app": Words("app", "应用"),
    "trusted_ip": Words("trusted IP", "企业可信IP"),
    "visible_range": Words("visible range", "可见范围"),
    "recipient": Words("recipient", "接收人"),
    "aibot": Words("AI bot", "智能机器人"),
    "bot": Words("bot", "群机器人"),
    "send": Words("test message", "测试消息"),
}

SOURCES: Mapping[str, Words] = {
    "option": Words("command line", "命令行"),
    "configuration": Words("configuration", "配置文件"),
    "environment": Words("environment", "环境变量"),
    "file": Words("file", "文件"),
    "default": Words("default", "默认值"),
    "missing": Words("not set", "未设置"),
}

_APP = Words("管理后台 → 应用管理 → 自建 → the app", "管理后台 → 应用管理 → 自建 → 对应应用")

_NAMES = Words(
    "Correct the name in the handler's section of the logging config, or add a section of that name.",
    "请更正日志配置中该处理器引用的名称，或添加同名的配置段。",
)

_FIELDS: Mapping[str, Words] = {
    "formatters": _NAMES,
    "filters": _NAMES,
    "fallback": _NAMES,
    "corp_id": Words(
        "Set corp_id (WECOM_CORP_ID) to the 企业ID: 管理后台 → 我的企业 → 企业信息 → 企业ID.",
        "请把 corp_id（WECOM_CORP_ID）设为企业ID：管理后台 → 我的企业 → 企业信息 → 企业ID。",
    ),
    "agent_id": Words(
        f"Set agent_id (WECOM_AGENT_ID) to the AgentId of the app: {_APP.en} → AgentId.",
        f"请把 agent_id（WECOM_AGENT_ID）设为应用的 AgentId：{_APP.zh} → AgentId。",
    ),
    "secret": Words(
        f"Set WECOM_SECRET, or WECOM_SECRET_FILE to a file that holds it: {_APP.en} → Secret.",
        f"请设置 WECOM_SECRET，或让 WECOM_SECRET_FILE 指向保存 Secret 的文件：{_APP.zh} → Secret。",
    ),
    "contacts_secret": Words(
        "Set WECOM_CONTACTS_SECRET (or …_FILE) to the Secret of 管理后台 → 管理工具 → 通讯录同步, or leave it out: "
        "alerts need it only for names that the app itself does not see.",
        "请把 WECOM_CONTACTS_SECRET（或 …_FILE）设为管理后台 → 管理工具 → 通讯录同步的 Secret，或不设置："
        "只有按姓名查找应用看不到的成员时才需要它。",
    ),
    "users": Words(
        "Name who gets the alerts: users, departments, tags or leader_of (WECOM_USERS, WECOM_DEPARTMENTS, WECOM_TAGS, "
        'separated by commas); users="@all" is everybody in the visible range.',
        "请指定接收人：users、departments、tags 或 leader_of（环境变量 WECOM_USERS、WECOM_DEPARTMENTS、WECOM_TAGS，"
        '用逗号分隔）；users="@all" 表示可见范围内的全部成员。',
    ),
    "routes": Words(
        "Correct this route: a mapping with logger, level, and users, departments, tags or leader_of.",
        "请更正该路由：应为包含 logger、level 以及 users、departments、tags 或 leader_of 的映射。",
    ),
    "webhook": Words(
        "Set WECOM_WEBHOOK (or WECOM_WEBHOOK_FILE) to the URL that the group shows (群机器人 / 消息推送 → the bot → "
        "Webhook 地址), or to its key alone; several bots of one group with commas between them.",
        "请把 WECOM_WEBHOOK（或 WECOM_WEBHOOK_FILE）设为群聊 → 群机器人/消息推送 → 对应机器人 → Webhook 地址，"
        "也可以只填其中的 key；同一个群的多个机器人用逗号分隔。",
    ),
    "api_base": Words(
        "Unset api_base (WECOM_API_BASE), or set it to scheme and host of WeCom's API, such as "
        "https://qyapi.weixin.qq.com.",
        "请取消 api_base（WECOM_API_BASE），或只填协议和域名，例如 https://qyapi.weixin.qq.com。",
    ),
    "state": Words(
        "Set state (WECOM_STATE) to sqlite:///path/to/alerts.db (from the root of a local disk) or redis://host:6379/0 "
        "(which needs the extra [redis] or [valkey]), or leave it out for memory://.",
        "请把 state（WECOM_STATE）设为 sqlite:///path/to/alerts.db（本地磁盘上的绝对路径）或 redis://host:6379/0"
        "（需安装附加依赖 [redis] 或 [valkey]），不设置则为 memory://。",
    ),
    "rate_limit": Words(
        'Write it as "20/minute" or "30/minute, 1000/hour", or "off" (option rate_limit, WECOM_RATE_LIMIT).',
        "请写成 20/minute 或 30/minute, 1000/hour 的形式，或 off（选项 rate_limit，环境变量 WECOM_RATE_LIMIT）。",
    ),
    "language": Words(
        'Set language (WECOM_LANGUAGE) to "en" or "zh", or leave it out for the language of the locale.',
        "请把 language（WECOM_LANGUAGE）设为 en 或 zh，不设置则跟随系统语言环境。",
    ),
    "enabled": Words(
        'Set the option enabled to True or "auto", and unset WECOM_ENABLED or set it to 1 or auto.',
        "请把 enabled 选项设为 True 或 auto，并取消 WECOM_ENABLED 或将其设为 1 或 auto。",
    ),
    "level": Words(
        'Give level a name such as "ERROR" or a number.',
        "请把 level 设为 ERROR 这样的级别名称或数字。",
    ),
    "args": Words(
        "Give the options as keywords: kwargs={'service': …} in place of args.",
        "请改用关键字参数：用 kwargs={'service': …} 代替 args。",
    ),
    "class": Words(
        "Correct the class in the logging config, or run the doctor where the program's own modules can be imported.",
        "请更正日志配置中的 class，或在能导入该程序模块的目录和环境中运行 doctor。",
    ),
}

FILE_REMEDY = Words(
    "Run the doctor as the user that the program runs as; a file must be that user's alone (chmod 600), on a local "
    "disk with room, in a directory that the user may write to.",
    "请以程序运行时的用户身份运行 doctor；状态文件须只归该用户所有（chmod 600），位于有剩余空间的本地磁盘，"
    "且该用户可写其所在目录。",
)
SERVER_REMEDY = Words(
    "See that the server of the state runs, lets this machine in, and takes the user and password of WECOM_STATE, "
    "who may read, write and run scripts.",
    "请确认状态服务器正在运行、允许本机访问，且 WECOM_STATE 中的用户名和密码正确，并有读写和执行脚本的权限。",
)
"""For states that are configured right and cannot be used."""

_TRANSPORT: Mapping[str, tuple[str, Words]] = {
    "proxy_login": (
        "代理要求用户名和密码（HTTP 407）",
        Words(
            "Write user name and password into the proxy's address: HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT "
            "(special characters percent-encoded), or let the API host past the proxy with NO_PROXY.",
            "请在代理地址中写明用户名和密码：HTTPS_PROXY=http://用户名:密码@主机:端口（特殊字符需百分号编码），"
            "或用 NO_PROXY 让接口域名不走代理。",
        ),
    ),
    "proxy_socks": (
        "SOCKS 代理所需的软件包未安装",
        Words(
            "pip install 'requests[socks]', or set an http:// proxy (HTTPS_PROXY, ALL_PROXY).",
            "请执行 pip install 'requests[socks]'，或改用 http:// 代理（HTTPS_PROXY、ALL_PROXY）。",
        ),
    ),
    "proxy": (
        "无法通过代理连接",
        Words(
            "Check that the proxy in HTTPS_PROXY runs and lets this machine through, or unset it, or name the API host "
            "in NO_PROXY.",
            "请确认 HTTPS_PROXY 指向的代理可用且允许本机访问，或取消该变量，或把接口域名加入 NO_PROXY。",
        ),
    ),
    "dns": (
        "域名无法解析",
        Words(
            "Check the spelling of the host (api_base, WECOM_API_BASE, webhook) and this machine's DNS; in a container "
            "its network settings too.",
            "请检查域名拼写（api_base、WECOM_API_BASE、webhook）和本机 DNS；在容器中还需检查网络设置。",
        ),
    ),
    "tls": (
        "无法建立可信的 TLS 连接",
        Words(
            "Check this machine's clock and its CA certificates; where a proxy opens TLS, point REQUESTS_CA_BUNDLE to "
            "its certificate.",
            "请检查本机时钟和 CA 证书；若代理会解密 TLS，请用 REQUESTS_CA_BUNDLE 指定其证书。",
        ),
    ),
    "ca_bundle": (
        "CA 证书文件无法使用",
        Words(
            "Set REQUESTS_CA_BUNDLE (or CURL_CA_BUNDLE) to a file of certificates in PEM form that this user may read, "
            "or unset it: then the certificates of the package certifi are used.",
            "请让 REQUESTS_CA_BUNDLE（或 CURL_CA_BUNDLE）指向当前用户可读的 PEM 证书文件，"
            "或取消该变量，改用 certifi 自带的证书。",
        ),
    ),
    "connect": (
        "连接失败",
        Words(
            "Let this machine reach the host and port: check the network, the firewall, HTTPS_PROXY, and api_base "
            "(WECOM_API_BASE).",
            "请确认本机能访问该地址和端口：检查网络、防火墙、HTTPS_PROXY 以及 api_base（WECOM_API_BASE）。",
        ),
    ),
    "timeout": (
        "在限定时间内没有应答",
        Words(
            "Check the firewall and the proxy (packets that are dropped look like this), or allow more time with "
            "--timeout here and the option timeout in the program.",
            "请检查防火墙和代理（丢包时就是这种现象）；确实较慢时可用 --timeout 以及程序中的 timeout 选项放宽时间。",
        ),
    ),
    "redirect": (
        "接口地址发生了跳转，企业微信不会这样应答",
        Words(
            "Set api_base (WECOM_API_BASE) to the https:// address itself; behind a captive portal, log in to the "
            "network first.",
            "请把 api_base（WECOM_API_BASE）直接设为 https:// 地址；若网络需要登录认证，请先登录。",
        ),
    ),
    "status": (
        "返回了 HTTP 错误状态",
        Words(
            "Check api_base (WECOM_API_BASE) and the proxy in between: this is not WeCom's own answer.",
            "请检查 api_base（WECOM_API_BASE）和中间的代理：这不是企业微信自己的应答。",
        ),
    ),
    "server": (
        "服务器或网关返回了 HTTP 错误状态",
        Words(
            "Try again in a minute. If it stays, ask whoever runs the proxy or gateway in between.",
            "请一分钟后重试；若仍然如此，请联系中间代理或网关的管理员。",
        ),
    ),
    "answer": (
        "应答不是带 errcode 的 JSON",
        Words(
            "Check api_base (WECOM_API_BASE) and the proxy in between: something other than WeCom's API answers there.",
            "请检查 api_base（WECOM_API_BASE）和中间的代理：应答的不是企业微信接口。",
        ),
    ),
}
"""Why there is no answer, in Chinese only since the error says it in English, and what to do."""


def cause_of(error: WeComLoggingError) -> Words:
    """What an error says, without the errcode and the remedy, which stand by themselves."""
    if isinstance(error, APIError):
        other = error.errmsg or f"errcode {error.errcode}"
        row = lookup(error.errcode)
        if row.verdict is Verdict.UNKNOWN:
            return Words(error.meaning or other, f"企业微信拒绝了请求（{other}）")
        named = f"（{error.errmsg}）" if row.verdict is Verdict.PAYLOAD and error.errmsg else ""  # it names the field
        return Words(error.meaning or other, row.meaning_zh + named)
    if isinstance(error, ConfigurationError):
        return Words(error.problem("en"), error.problem("zh"))
    kind = _transport_kind(error)
    return Words(str(error), f"{_TRANSPORT[kind][0]}（{error}）" if kind else str(error))


def remedy_of(error: WeComLoggingError) -> Words:
    """What to do about it."""
    if isinstance(error, APIError):
        return Words(error.remedy, error.remedy_zh)
    if isinstance(error, ConfigurationError):
        return remedy_of_field(error.field)
    kind = _transport_kind(error)
    return _TRANSPORT[kind][1] if kind else NOTHING


def cause_of_errcode(errcode: int) -> Words:
    """What an errcode of the tables means, where WeCom did not give it."""
    row = lookup(errcode)
    return Words(row.meaning, row.meaning_zh)


def remedy_of_errcode(errcode: int) -> Words:
    """What to do about an errcode of the tables."""
    row = lookup(errcode)
    return Words(row.remedy, row.remedy_zh)


def remedy_of_field(field: str) -> Words:
    """How to set an option."""
    name = re.split(r"[.\[]", field)[0]
    return _FIELDS.get("users" if name in ("departments", "tags", "leader_of") else name) or Words(
        f"Correct the option {name}; docs/options.md lists all options.",
        f"请更正选项 {name}；全部选项见 docs/options.zh.md。",
    )


def is_about_proxy(error: WeComLoggingError) -> bool:
    """Whether the proxy is to blame."""
    return _transport_kind(error) in ("proxy", "proxy_login", "proxy_socks")


def _transport_kind(error: WeComLoggingError) -> str:
    """The row of the tables above; empty for what is no `TransportError`."""
    if isinstance(error, ConnectError):
        return error.reason if error.reason in _TRANSPORT else "connect"
    if isinstance(error, HTTPStatusError):
        return "redirect" if 300 <= error.status < 400 else "server" if error.retryable else "status"
    if isinstance(error, RequestTimeout):
        return "timeout"
    return "answer" if isinstance(error, TransportError) else ""


def language(wanted: str | None) -> str:
    """``"zh"`` or ``"en"``: what was asked for, else that of the alerts."""
    try:
        return config.language(wanted)
    except ConfigurationError:  # WECOM_LANGUAGE, which is one of the findings
        return config.language_of_locale()
