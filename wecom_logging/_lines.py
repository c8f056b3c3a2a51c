"""What handlers say on stderr, in English and Chinese: that of the environment, as for the commands.

Values stand in braces, the same in both languages. It is no file of data: a log call may have to say one.
"""

from __future__ import annotations

from collections.abc import Mapping

from ._text.said import Phrase, Said, filled, language_of_environment
from .errors import StateError

LINES: Mapping[str, tuple[str, str]] = {
    # Of a message that did not go through.
    "waits": ("alerts wait: {error}", "告警待发送，稍后自动重试：{error}"),
    "refused": ("an alert was refused{about}: {error}", "告警被拒绝{about}：{error}"),
    "step_refused": ("a step of an escalation told nobody{about}: {error}", "升级的一级未通知到人{about}：{error}"),
    "to_fallback": ("an alert went to the fallback{about}: {error}", "告警已转交兜底 handler{about}：{error}"),
    "bot_pauses": ("this bot pauses, another one sends: {error}", "此机器人暂停，由另一个发送：{error}"),
    "partial": ("WeCom did not accept some recipients: {names}{remedy}", "企业微信未接受部分接收人：{names}{remedy}"),
    "see_recipients": (
        "; correct them, add them to the app's visible range, or give them a licence (`wecom-logging doctor` looks at "
        "each)",
        "；请更正，或将其加入应用的可见范围，或为其分配接口许可（可用 `wecom-logging doctor` 逐个检查）",
    ),
    "no_users": ("users {ids}", "成员 {ids}"),
    "no_chats": ("chats {ids}", "会话 {ids}"),
    "no_departments": ("departments {ids}", "部门 {ids}"),
    "no_tags": ("tags {ids}", "标签 {ids}"),
    "no_licence": ("users without a licence {ids}", "没有许可的成员 {ids}"),
    "no_recipient": ("no recipient is left: {why}", "没有可用的接收人：{why}"),
    "nobody": (
        "users: nobody that the app sees has the id, mobile, e-mail address or name {name!r}{similar}",
        "users：应用看不到账号、手机号、邮箱或姓名为“{name}”的成员{similar}",
    ),
    "no_department": (
        "departments: the app sees no department of the name {name!r}{similar}",
        "departments：应用看不到名为“{name}”的部门{similar}",
    ),
    "no_tag": ("tags: there is no tag of the name {name!r}{similar}", "tags：没有名为“{name}”的标签{similar}"),
    "no_leader": (
        "leader_of: the app sees no department {name!r} that has a leader{similar}",
        "leader_of：应用看不到有负责人的部门“{name}”{similar}",
    ),
    "similar": ("; similar: {names}", "；相近的有：{names}"),
    "several": ("{kind}: {name!r} fits several: {names}; give the id", "{kind}：“{name}”对应多个：{names}；请改填 ID"),
    "no_id": ("{kind}: what the directory has for {name!r} is no id", "{kind}：通讯录中“{name}”对应的值不是 ID"),
    "not_looked_up": ("{kind}: {name!r} could not be looked up: {error}", "{kind}：无法查询“{name}”：{error}"),
    "taken_for": (
        "users: {name!r} is nobody's id; it is taken for the member of that name, {user}",
        "users：没有账号为“{name}”的成员，改按姓名发给 {user}",
    ),
    "another_member": (
        "{kind}: {name!r} is {now} now; it was {before}",
        "{kind}：“{name}”现在是 {now}，此前是 {before}",
    ),
    "no_turn": ("nothing can be sent now, alerts wait: {why}", "暂时无法发送，告警待发送：{why}"),
    # Of rules of time and persons.
    "duty_unknown": (
        "rules of time of another version came with an alert: it is sent without them",
        "告警带有其他版本的时间规则，不按该规则发送",
    ),
    "duty_zone": (
        "the time zone {name} of an alert's quiet hours is not known here ({error}): it is sent at once",
        "此处没有告警静默时段所用的时区 {name}（{error}），告警立即发送",
    ),
    "calendar_away": (
        "the calendar {name} cannot be used here ({error}): working days are Monday to Friday",
        "此处无法使用日历 {name}（{error}），工作日按周一到周五计",
    ),
    "calendar_year": (
        "the calendar {name} has no days of {year}: working days are Monday to Friday",
        "日历 {name} 没有 {year} 年的数据，工作日按周一到周五计",
    ),
    "calendar_raised": (
        "the calendar {name} raised {error}: working days are Monday to Friday",
        "日历 {name} 抛出 {error}，工作日按周一到周五计",
    ),
    "calendar_never": (
        "the calendar {name} has no working day within a month: quiet without an end is left out",
        "日历 {name} 一个月内没有工作日，不会结束的静默不生效",
    ),
    # Of alerts that are lost, or left.
    "expired": (
        "{count} alerts could not be sent within 24 hours and are lost",
        "{count} 条告警 24 小时内未能发出，已丢失",
    ),
    "expired_kept": (
        "{count} alerts could not be sent within 24 hours and are lost (`wecom-logging pending` shows them)",
        "{count} 条告警 24 小时内未能发出，不再发送（用 `wecom-logging pending` 查看）",
    ),
    "one_lost": (
        "1 alert was not sent within exit_timeout ({seconds:g} s): it is lost",
        "1 条告警在 exit_timeout（{seconds:g} 秒）内未能发出，已丢失",
    ),
    "lost": (
        "{count} alerts were not sent within exit_timeout ({seconds:g} s): they are lost",
        "{count} 条告警在 exit_timeout（{seconds:g} 秒）内未能发出，已丢失",
    ),
    "lost_in_all": (
        "{count} alerts were not sent within exit_timeout ({seconds:g} s): they are lost (in all)",
        "{count} 条告警在 exit_timeout（{seconds:g} 秒）内未能发出，已丢失（合计）",
    ),
    "overflow": (
        "{count} alerts are lost so far: more waited than max_pending allows",
        "至今已丢失 {count} 条告警：待发送的超过 max_pending",
    ),
    "overflow_in_all": (
        "{count} alerts are lost in all: more waited than max_pending allows",
        "共丢失 {count} 条告警：待发送的超过 max_pending",
    ),
    "left": (
        "alerts that were not sent within exit_timeout ({seconds:g} s) wait in the state; the next process that opens "
        "it sends them (`wecom-logging pending` shows them)",
        "exit_timeout（{seconds:g} 秒）内未发出的告警保留在状态存储中，由下一个打开它的进程发出"
        "（用 `wecom-logging pending` 查看）",
    ),
    # Of who is on call.
    "not_on_call": (
        "on call {name}: who it is cannot be found out ({why}); {then}",
        "值班表 {name}：无法得知当前值班人（{why}）；{then}",
    ),
    "no_rota": (
        "on call {name}: there is no such rota; the handler's own recipients are told",
        "值班表 {name}：没有这个值班表，改为通知 handler 自己的接收人",
    ),
    "last_answer": ("the last answer holds, which is {minutes} minutes old", "沿用 {minutes} 分钟前的结果"),
    "own_are_told": ("the handler's own recipients are told", "改为通知 handler 自己的接收人"),
    "no_answer_in": ("no answer within {seconds:g} s", "{seconds:g} 秒内没有回答"),
    # Of the state.
    "state": (
        "state: {error}; meanwhile this process keeps its alerts in memory (`wecom-logging doctor` says what to do)",
        "状态存储不可用：{error}；恢复之前，本进程的告警保存在内存中（处理办法见 `wecom-logging doctor`）",
    ),
    "state_again": ("state: {name} can be used again", "状态存储已恢复：{name}"),
    "died_with_one": ("a process died before it sent 1 alert", "有进程异常终止，1 条告警未及发出"),
    "died": ("a process died before it sent {count} alerts", "有进程异常终止，{count} 条告警未及发出"),
    "sent_now": ("{text}, which this process sends now", "{text}，现由本进程发送"),
    # Of jobs.
    "no_cronsim": (
        "jobs with a cron line cannot be watched: pip install 'wecom-logging[jobs]'",
        "无法监视带 cron 表达式的任务：pip install 'wecom-logging[jobs]'",
    ),
    "not_reported": ("a run of job {name} could not be reported: {why}", "任务 {name} 的运行未能上报：{why}"),
    "no_heartbeat": ("the heartbeat did not get through: {why}", "心跳请求失败：{why}"),
    "not_expected": (
        "{who}: when these are due cannot be watched, all others are: {names}",
        "{who}：以下任务的执行时间无法监视，其余的都会监视：{names}",
    ),
    "no_watch": ("jobs cannot be watched now ({error})", "暂时无法监视任务（{error}）"),
    "other_schedule": (
        "job {name} is due by another schedule now: {after}, not {before}. If a program still declares that one, "
        "a run that does not come may stay untold: give each job one schedule",
        "任务 {name} 改按新的时间表执行：{after}，不再是 {before}。若另有程序按原时间表声明它，可能漏报："
        "每个任务只用一个时间表",
    ),
    "no_schedule": ("when job {name} is due cannot be told ({why})", "无法得知任务 {name} 的执行时间（{why}）"),
    # Of handlers that are not there.
    "closed": (
        "the handler is closed (its close() was called, or the program ends); records that still come to it are "
        "counted and not sent",
        "handler 已关闭（调用过它的 close()，或程序正在结束）；之后的日志只计数，不发送；如需继续告警，请另建 handler",
    ),
    "not_sent": ("{who}: {why}; {what} was not sent", "{who}：{why}；该异常或消息未发送"),
    "not_sent_yet": ("{who}: {why}; until there is one, nothing is sent", "{who}：{why}；有了之后才会发送"),
    "all_closed": (
        "every WeCom handler is closed (its close() was called, or a later dictConfig has taken it away from its "
        "logger)",
        "所有 WeCom handler 都已关闭（调用过 close()，或后来的 dictConfig 已将它从 logger 上移除）",
    ),
    "no_handler": ("no WeCom handler is set up", "尚未配置 WeCom handler"),
    "no_handler_so_far": ("no WeCom handler is set up so far", "目前尚未配置 WeCom handler"),
    "no_handler_named": ("there is no handler named {name!r}", "没有名为“{name}”的 handler"),
    "no_handler_named_so_far": ("there is no handler named {name!r} so far", "目前没有名为“{name}”的 handler"),
    "auto_off": (
        '{kind} is off: enabled is "auto", and no variable WECOM_… is set for it',
        '{kind} 未启用：enabled 为 "auto"，且没有为它设置任何 WECOM_… 变量',
    ),
    # Of what the program gives: functions that raise, and what is no such thing.
    "filter": ("a filter raised {error}; the record is sent", "过滤器抛出 {error}；该日志照常发送"),
    "formatter": (
        "the handler's formatter raised {error}; the plain text is sent",
        "handler 的 formatter 抛出 {error}；改发原文",
    ),
    "formatter_type": (
        "the handler's formatter returned a {type}, not a str; the plain text is sent",
        "handler 的 formatter 返回了 {type}，应为 str；改发原文",
    ),
    "fingerprint": ("fingerprint raised {error}; it is ignored", "fingerprint 抛出 {error}；已忽略"),
    "fingerprint_type": (
        "a fingerprint must be a str, not a {type}; it is ignored",
        "fingerprint 应为 str，而不是 {type}；已忽略",
    ),
    "on_outcome": ("on_outcome raised {error}", "on_outcome 抛出 {error}"),
    "fallback": ("the fallback raised {error}", "兜底 handler 抛出 {error}"),
    "fallback_gone": (
        "the option fallback names a handler that is not there; one of another package must be attached to a logger, "
        "or logging forgets it",
        "选项 fallback 指定的 handler 不存在；非本包的 handler 须挂在某个 logger 上，否则会被 logging 释放",
    ),
    "fallback_off": ("the fallback cannot take the alert: it is switched off", "兜底 handler 无法接收告警：已停用"),
    "fallback_closed": ("the fallback cannot take the alert: it is closed", "兜底 handler 无法接收告警：已关闭"),
    "fallback_filter": ("a filter of the fallback refused the alert", "兜底 handler 的过滤器拒绝了告警"),
    "no_file": (
        "the file with all alerts could not be sent; alerts share messages for a while{why}",
        "包含全部告警的文件未能发出；告警暂时合并在消息中发送{why}",
    ),
    "extra_type": (
        'extra={{"wecom": …}} must be a mapping, not a {type}; it is ignored',
        'extra={{"wecom": …}} 应为映射，而不是 {type}；已忽略',
    ),
    "extra_unreadable": (
        'extra={{"wecom": …}} cannot be read ({error}); it is ignored',
        'extra={{"wecom": …}} 无法读取（{error}）；已忽略',
    ),
    "extra_unknown": (
        'extra={{"wecom": …}} has unknown names {names}; known: {known}',
        'extra={{"wecom": …}} 中有无法识别的键 {names}；可用的有：{known}',
    ),
    "extra_recipients": (
        'extra={{"wecom": …}}: {why}; the handler\'s own recipients are told',
        'extra={{"wecom": …}}：{why}；改发给 handler 自己的接收人',
    ),
    "extra_mention": ('extra={{"wecom": …}}: {why}; it is left out', 'extra={{"wecom": …}}：{why}；已忽略'),
    "extra_fields": (
        'extra={{"wecom": …}}: {why}; the fields are left out',
        'extra={{"wecom": …}}：{why}；不显示这些字段',
    ),
    # Of the AI bot's connection.
    "another": (
        "another program has taken the connection of the AI bot {bot_id}: give all programs of a bot one state, or "
        "each a bot of its own",
        "智能机器人 {bot_id} 的连接已被另一个程序占用：请让同一机器人的所有程序共用一个状态存储，或各用一个机器人",
    ),
}


ERRORS = (
    Phrase(LINES["another"][0].replace("{bot_id}", "%s"), LINES["another"][1].replace("{bot_id}", "%s")),
    # Of a state.
    Phrase("%s (a moment ago; it is not tried again yet)", "%s（刚刚发生，暂不重试）"),
    Phrase("%s: the disk does not answer", "%s：磁盘没有响应"),
    Phrase("%s: this process cannot make a file of its own there", "%s：本进程无法在其中创建自己的文件"),
    Phrase("%s: %s MiB of alerts wait in the files of one process", "%s：单个进程的文件中已有 %s MiB 告警待发送"),
    Phrase("%s: other processes changed the same incidents at each try", "%s：每次重试时，其他进程都在修改同一事件"),
    Phrase("%s: what is written there cannot be read back", "%s：写入的内容无法读回"),
    Phrase("%s is busy", "%s 正被占用"),
    Phrase("%s is changed by others at each try", "%s 每次重试时都被其他进程修改"),
    Phrase("%s changed while it was opened", "%s 在打开时被修改"),
    Phrase("%s is not a regular file that this user alone owns", "%s 不是仅归当前用户所有的普通文件"),
    Phrase(
        "%s can be read by others; chmod 600 it if it is a state, else choose another path",
        "%s 可被其他用户读取；若是状态文件，请执行 chmod 600，否则请换一个路径",
    ),
    Phrase("%s is no SQLite file; choose another path", "%s 不是 SQLite 文件，请换一个路径"),
    Phrase("%s belongs to another program; choose another path", "%s 属于其他程序，请换一个路径"),
    Phrase(
        "%s is damaged (%s); it is now %s, with the alerts that were not sent",
        "%s 已损坏（%s），已连同未发送的告警改名为 %s",
    ),
    Phrase(
        "%s is of no version of ours (%s); it is now %s, with the alerts that were not sent",
        "%s 与本包的任何版本都不符（%s），已连同未发送的告警改名为 %s",
    ),
    Phrase("%s had a %s that wecom_logging has not made: removed", "%s 中有不是本包建立的对象（%s），已删除"),
    Phrase(
        "%s is of a newer version of wecom_logging; upgrade, or choose another path",
        "%s 由更新版本的 wecom_logging 写入，请升级或换一个路径",
    ),
    Phrase(
        "a state of sqlite:// needs the file locks of Unix; redis:// does not",
        "sqlite:// 状态存储需要 Unix 的文件锁；redis:// 不需要",
    ),
    Phrase("%s: it needs a password; put it into the URL, as %s", "%s：需要密码，请写入 URL，例如 %s"),
    Phrase("%s: it refuses the user or the password%s", "%s：用户名或密码被拒绝%s"),
    Phrase("%s: its ACL refuses a command or the keys; %s", "%s：ACL 不允许执行命令或访问键；%s"),
    Phrase("%s: it is a replica and refuses to write%s", "%s：它是只读副本，拒绝写入%s"),
    Phrase("%s: it is reading its data and answers later%s", "%s：正在加载数据，稍后可用%s"),
    Phrase("%s: its memory is full; see maxmemory there%s", "%s：内存已满，请检查其 maxmemory%s"),
    Phrase("%s: what answers is no Redis and no Valkey", "%s：应答的不是 Redis 或 Valkey"),
    # Of recipients.
    Phrase("%s: %s could not be looked up: %s", "%s：%s 查询失败：%s"),
    # Of what the directory is given.
    Phrase(
        "%s: 1 to 64 of the characters 0-9 A-Z a-z _ - @ . are needed, the first 0-9 A-Z a-z",
        "%s：应为 1 到 64 个字符，仅限 0-9 A-Z a-z _ - @ .，首字符为 0-9 A-Z a-z",
    ),
    Phrase("%s: 5 to 32 digits are needed, such as %s or %s", "%s：应为 5 到 32 位数字，例如 %s 或 %s"),
    Phrase("%s: an e-mail address of 6 to 64 bytes is needed", "%s：应为 6 到 64 字节的邮箱地址"),
    Phrase("%s: it may not hold %s (nor any of %s)", "%s：不能包含 %s（也不能包含 %s）"),
    Phrase("order: a whole number from 0 to 4294967295 is needed", "order：应为 0 到 4294967295 的整数"),
    Phrase("departments: %s given, 1 to %s are needed", "departments：给出了 %s 个，应为 1 到 %s 个"),
    Phrase(
        "leader_of: give departments=… as well; it says which of them the member leads",
        "leader_of：请同时给出 departments，它表示成员担任其中哪些部门的负责人",
    ),
    Phrase("leader_of: %s is not one of the member's departments", "leader_of：%s 不在该成员的部门之中"),
    Phrase("%s: an id is a whole number from 1 to 4294967295", "%s：ID 应为 1 到 4294967295 的整数"),
    Phrase("%s: %s characters, %s to %s are needed", "%s：%s 个字符，应为 %s 到 %s 个"),
    Phrase("%s: it holds a line break or another control character", "%s：包含换行或其他控制字符"),
    Phrase(
        "mobile: it is missing, and so is email; WeCom needs one of the two",
        "mobile：手机号和邮箱都没有给出，企业微信要求至少一个",
    ),
    Phrase("%s: nobody is named", "%s：没有给出任何人"),
    # Of the way to WeCom.
    Phrase("chat %s: %s", "会话 %s：%s"),
    Phrase("a picture could not be sent: %s", "图片未能发出：%s"),
    Phrase("WeCom took the message but warns of its format", "企业微信已接收消息，但提示其格式有误"),
    Phrase(
        "the connection to %s failed (%s): check %s, the firewall and HTTPS_PROXY",
        "无法连接 %s（%s）：请检查 %s、防火墙和 HTTPS_PROXY",
    ),
    Phrase("the connection to %s cannot be opened (%s)", "无法打开与 %s 的连接（%s）"),
    Phrase("the connection to %s was not open in time", "未能及时与 %s 建立连接"),
    Phrase("the name %s cannot be resolved: check %s and this machine's DNS", "无法解析域名 %s：请检查 %s 和本机 DNS"),
    Phrase("%s did not answer in time", "%s 未在时限内应答"),
    Phrase("%s did not answer: it is not known whether the message arrived", "%s 没有应答：不确定消息是否已送达"),
    Phrase("no trusted TLS connection to %s: %s", "无法与 %s 建立可信的 TLS 连接：%s"),
    Phrase("no TLS connection to %s: %s", "无法与 %s 建立 TLS 连接：%s"),
    Phrase("the server does not speak TLS on this port (%s)", "该端口不使用 TLS（%s）"),
    Phrase("the server ended the handshake (%s)", "服务器中断了握手（%s）"),
    Phrase(
        "%s (its CA is unknown here; REQUESTS_CA_BUNDLE may name a file with the CA's certificate)",
        "%s（本机不认识其 CA；可用 REQUESTS_CA_BUNDLE 指定含该 CA 证书的文件）",
    ),
    Phrase("%s (or this machine's clock is wrong)", "%s（或本机时钟有误）"),
    Phrase("the connection to %s failed (%s)", "无法连接 %s（%s）"),
    Phrase("the name %s cannot be resolved", "无法解析域名 %s"),
    Phrase("the proxy for %s failed (%s)", "无法通过代理访问 %s（%s）"),
    Phrase("the proxy for %s failed", "无法通过代理访问 %s"),
    Phrase(
        "the proxy for %s is a SOCKS proxy (HTTPS_PROXY or ALL_PROXY), which needs one more package: %s",
        "访问 %s 的代理是 SOCKS 代理（HTTPS_PROXY 或 ALL_PROXY），还需安装一个软件包：%s",
    ),
    Phrase("%s has closed the connection", "%s 断开了连接"),
    Phrase("%s does not answer any more", "%s 不再应答"),
    Phrase("%s speaks no WebSocket", "%s 不支持 WebSocket"),
    Phrase("another process has the connection to %s", "与 %s 的连接由其他进程持有"),
    Phrase("HTTP status %s from %s", "状态码 %s，接口 %s"),
    Phrase("%s answered HTTP %s", "%s 的状态码为 %s"),
    Phrase(
        "the proxy for %s wants a user name and a password (in HTTPS_PROXY)",
        "访问 %s 的代理要求用户名和密码（写在 HTTPS_PROXY 中）",
    ),
    # Of a message, or a command.
    Phrase("%s: a non-empty text is required", "%s：不能为空"),
    Phrase("%s: %s bytes in UTF-8, WeCom takes at most %s", "%s：UTF-8 编码后 %s 字节，企业微信最多接受 %s 字节"),
)
"""What errors say that people read; the errors themselves are English."""

SYSTEM: Mapping[str, str] = {
    "No such file or directory": "文件或目录不存在",
    "Not a directory": "路径中有一部分不是目录",
    "Is a directory": "这是一个目录",
    "Permission denied": "没有权限",
    "Operation not permitted": "不允许此操作",
    "Read-only file system": "文件系统只读",
    "No space left on device": "磁盘空间不足",
    "Exec format error": "不是可执行的程序",
    "Connection refused": "连接被拒绝",
    "Connection reset by peer": "连接被对方重置",
    "Connection timed out": "连接超时",
    "Network is unreachable": "网络不可达",
    "No route to host": "没有到该主机的路由",
    "Address already in use": "已被占用",
    "Cannot assign requested address": "本机没有这个地址",
    "Name or service not known": "无法解析域名",
    "Timeout connecting to server (TimeoutError)": "连接超时",
    "Timeout reading from socket (TimeoutError)": "读取超时",
    "Connection closed by server. (ConnectionError)": "服务器断开了连接",
    "database is locked": "正被其他进程锁定",
    "database or disk is full": "磁盘空间不足",
    "disk I/O error": "磁盘读写出错",
    "attempt to write a readonly database": "文件只读",
    "unable to open database file": "无法打开文件",
    "self-signed certificate": "自签名证书",
    "self-signed certificate in certificate chain": "证书链中有自签名证书",
    "unable to get local issuer certificate": "找不到证书的签发者",
    "certificate has expired": "证书已过期",
    "certificate is not yet valid": "证书尚未生效",
}
"""What the system, OpenSSL, SQLite and the clients of Redis say of why something failed."""


def line(row: str, /, **values: object) -> str:
    """This row in the language of the environment, errors among its values, too."""
    language = language_of_environment()
    shown = {name: explained(one) if isinstance(one, StateError) else one for name, one in values.items()}
    return filled(Said(*LINES[row]).within(language), language, (), shown)


def explained(error: object) -> str:
    """An error, or a warning, in the language of the environment, as far as its text is known."""
    return in_chinese(str(error)) if language_of_environment() == "zh" else str(error)


def in_chinese(text: str) -> str:
    """The text of an error, or several; as it is where it is not known."""
    if text in SYSTEM:
        return SYSTEM[text]
    for phrase in ERRORS:
        if (found := phrase.parts(text)) is not None and not found[1]:
            return phrase.within("zh", *map(in_chinese, found[0]))
    parts = text.split("; ")
    told = [in_chinese(part) for part in parts] if len(parts) > 1 else parts
    if told != parts:
        return "；".join(told)
    what, colon, why = text.partition(": ")  # of whose text only the end is known
    return f"{what}：{said}" if colon and (said := in_chinese(why)) != why else text
