"""The Chinese of errors. In the room of `_lines.py` and `errors.py`, which say them."""

from __future__ import annotations

from collections.abc import Mapping

from ._text.said import Phrase

ANOTHER = Phrase(
    "another program has taken the connection of the AI bot %s: give all programs of a bot one state, or "
    "each a bot of its own",
    "智能机器人 %s 的连接已被另一个程序占用：请让同一机器人的所有程序共用一个状态存储，或各用一个机器人",
)
"""It is a line, too."""

ERRORS = (
    ANOTHER,
    # Of a state.
    Phrase("%s (a moment ago; it is not tried again yet)", "%s（刚刚发生，暂不重试）"),
    Phrase("%s: this process cannot make a file of its own there", "%s：本进程无法在其中创建自己的文件"),
    Phrase("%s: %s MiB of alerts wait in the files of one process", "%s：单个进程的文件中已有 %s MiB 告警待发送"),
    Phrase("%s: other processes changed the same incidents at each try", "%s：每次重试时，其他进程都在修改同一事件"),
    Phrase("%s: what is written there cannot be read back", "%s：写入的内容无法读回"),
    Phrase("%s is in use by another thread of this process", "%s 正被本进程的另一个线程使用"),
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
        "%s is of another version of wecom_logging; use that one, or choose another path",
        "%s 由另一版本的 wecom_logging 写入，请改用该版本，或换一个路径",
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
    Phrase("another program's script keeps it busy%s", "正被另一个程序的脚本占用%s"),
    Phrase("it cannot save its data and refuses to write; %s", "无法保存数据，拒绝写入；%s"),
    Phrase("look at its log and disk%s", "请查看其日志和磁盘%s"),
    Phrase("one of the keys wecom-logging:* has another type%s", "wecom-logging:* 中有键的类型不对%s"),
    Phrase("it is a replica without its primary%s", "它是只读副本，且连不上主节点%s"),
    Phrase("too few of its replicas are there%s", "可用的副本太少%s"),
    Phrase("the cluster is down%s", "集群不可用%s"),
    Phrase(
        "it belongs to a cluster; give a ready RedisCluster client%s",
        "它属于集群，请直接传入 RedisCluster 客户端%s",
    ),
    Phrase(
        "it is of another version of wecom_logging; use that one, or choose another server or database%s",
        "由另一版本的 wecom_logging 写入，请改用该版本，或换一个服务器或数据库%s",
    ),
    Phrase("it does not keep the scripts that it is given%s", "不保留写入的脚本%s"),
    Phrase("its client library cannot be imported: %s", "无法导入其客户端库：%s"),
    Phrase("%s %s; it is now %s, with the alerts that were not sent", "%s %s，已改名为 %s，其中有未发送的告警"),
    Phrase("is damaged (%s)", "已损坏（%s）"),
    Phrase("allow +@all ~wecom-logging:*, or see ACL LOG there%s", "请允许 +@all ~wecom-logging:*，或查看其 ACL LOG%s"),
    Phrase("an alert of %s characters is too long for a state", "告警有 %s 个字符，超出状态存储的限制"),
    Phrase("other processes change this job all the time%s", "其他进程一直在修改此任务%s"),
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
    Phrase("the file %s of %s %s; give another one, or unset %s", "%s（由 %s 指定）%s；请换一个，或取消 %s"),
    Phrase("cannot be read (%s)", "无法读取（%s）"),
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
    Phrase("unknown fields: %s; known are %s", "未知的字段：%s；可用的有：%s"),
    Phrase("%s: a non-empty text is required", "%s：不能为空"),
    Phrase("%s: %s bytes in UTF-8, WeCom takes at most %s", "%s：UTF-8 编码后 %s 字节，企业微信最多接受 %s 字节"),
)
"""Those that people read."""

REMEDIES = (
    # Of credentials, and of who gets it.
    Phrase(
        "Give corp_id=… or set WECOM_CORP_ID (%s)",
        "请传入 corp_id=…，或设置 WECOM_CORP_ID（%s）",
    ),
    Phrase(
        "Give agent_id=… or set WECOM_AGENT_ID (管理后台 → 应用管理 → 自建 → the app → AgentId)",
        "请传入 agent_id=…，或设置 WECOM_AGENT_ID（管理后台 → 应用管理 → 自建 → 对应应用 → AgentId）",
    ),
    Phrase(
        "Give secret=…, or set WECOM_SECRET or WECOM_SECRET_FILE (管理后台 → 应用管理 → 自建 → the app → Secret)",
        "请传入 secret=…，或设置 WECOM_SECRET 或 WECOM_SECRET_FILE（管理后台 → 应用管理 → 自建 → 对应应用 → Secret）",
    ),
    Phrase(
        "Give contacts_secret=…, or set WECOM_CONTACTS_SECRET or WECOM_CONTACTS_SECRET_FILE (%s)",
        "请传入 contacts_secret=…，或设置 WECOM_CONTACTS_SECRET 或 WECOM_CONTACTS_SECRET_FILE（%s）",
    ),
    Phrase(
        "Give webhook=… or set WECOM_WEBHOOK: the URL that the group shows under 消息推送 (群机器人), or its key "
        "alone; several bots of one group in a list, or with commas between them",
        "请传入 webhook=…，或设置 WECOM_WEBHOOK：群里“消息推送（群机器人）”中显示的地址，也可以只填其中的 key；"
        "同一个群的多个机器人写成列表，或用逗号分隔",
    ),
    Phrase(
        "Give bot_id=… or set WECOM_AIBOT_ID (工作台 → 智能机器人 → the bot → API 模式 → 使用长连接 → Bot ID)",
        "请传入 bot_id=…，或设置 WECOM_AIBOT_ID（工作台 → 智能机器人 → 对应机器人 → API 模式 → 使用长连接 → Bot ID）",
    ),
    Phrase(
        "Give secret=…, or set WECOM_AIBOT_SECRET or WECOM_AIBOT_SECRET_FILE",
        "请传入 secret=…，或设置 WECOM_AIBOT_SECRET 或 WECOM_AIBOT_SECRET_FILE",
    ),
    Phrase(
        "Give chats=[…] or set WECOM_AIBOT_CHATS: user ids and ids of groups; `wecom-logging answers pair` tells that "
        "of a chat",
        "请传入 chats=[…]，或设置 WECOM_AIBOT_CHATS：成员账号和群的会话 ID；会话 ID 可用 `wecom-logging answers pair` "
        "获取",
    ),
    Phrase(
        'Give users=[…], departments=[…], tags=[…] or leader_of=[…] (users="@all" is everybody in the app\'s visible '
        "range), or set WECOM_USERS, WECOM_DEPARTMENTS or WECOM_TAGS",
        '请传入 users=[…]、departments=[…]、tags=[…] 或 leader_of=[…]（users="@all" 表示应用可见范围内的所有人），'
        "或设置 WECOM_USERS、WECOM_DEPARTMENTS 或 WECOM_TAGS",
    ),
    Phrase(
        "Give users, departments, tags or leader_of; of an AI bot chats",
        "请填写 users、departments、tags 或 leader_of；智能机器人填写 chats",
    ),
    Phrase("Give users, departments, tags or leader_of", "请填写 users、departments、tags 或 leader_of"),
    Phrase("Unset it, or give it another name", "请取消设置，或换一个名称"),
    # Of what all handlers have.
    Phrase("Give language=… or set WECOM_LANGUAGE", "请传入 language=…，或设置 WECOM_LANGUAGE"),
    Phrase(
        "Give timezone=… or set WECOM_TIMEZONE, such as Asia/Shanghai: it is never guessed",
        "请传入 timezone=…，或设置 WECOM_TIMEZONE，例如 Asia/Shanghai：时区不会自动推断",
    ),
    Phrase(
        "Give timezone=… or set WECOM_TIMEZONE: on_call needs it",
        "请传入 timezone=…，或设置 WECOM_TIMEZONE：on_call 需要时区",
    ),
    Phrase("Give timezone=… or set WECOM_TIMEZONE", "请传入 timezone=…，或设置 WECOM_TIMEZONE"),
    Phrase("Give state=… or set WECOM_STATE", "请传入 state=…，或设置 WECOM_STATE"),
    Phrase("WECOM_ENABLED: 1 or 0", "WECOM_ENABLED 应为 1 或 0"),
    # Of rules of time and persons.
    Phrase(
        "Give on_call={%s: …}, or name one of those",
        "请在 on_call={{%s: …}} 中定义它，或改用现有的值班表",
    ),
    Phrase("Give on_call={%s: …}", "请在 on_call={{%s: …}} 中定义它"),
    Phrase("Name a person beside it: %s", "请同时写上具体的人：%s"),
    Phrase(
        "Name a user id or a member there, or leave the turn out",
        "请填写成员账号或姓名，或去掉这一班",
    ),
    Phrase("Name them in users or leader_of", "请用 users 或 leader_of 指定"),
    Phrase("Leave escalation_level out", "请去掉 escalation_level"),
    Phrase("Use WeComHandler or WeComAIBotHandler", "请改用 WeComHandler 或 WeComAIBotHandler"),
    Phrase(
        'Give answers="aibot" and add a WeComAIBotHandler, or give a state that the commands reach (WECOM_STATE)',
        '请设置 answers="aibot" 并加一个 WeComAIBotHandler，或设置命令行也能访问的状态存储（WECOM_STATE）',
    ),
    # Of jobs, and of long work.
    Phrase(
        "Give cron='30 2 * * *' (minute, hour, day, month, day of the week), '@daily', or every='1h'",
        "请填写 cron='30 2 * * *'（分、时、日、月、星期）、'@daily'，或 every='1h'",
    ),
    Phrase(
        "Give timezone=%s or set WECOM_TIMEZONE: a time of the day says nothing without one",
        "请传入 timezone=%s，或设置 WECOM_TIMEZONE：没有时区就无法确定执行时间",
    ),
    Phrase('Give expect("what has to run", …)', '请写成 expect("任务名称", …)'),
    Phrase('Give progress(items, "what is done")', '请写成 progress(items, "在做什么")'),
    Phrase(
        "Set WECOM_STATE, or give a handler of the program state=…",
        "请设置 WECOM_STATE，或给程序的 handler 传入 state=…",
    ),
    # Of the commands.
    Phrase("Set WECOM_STATE, such as %s", "请设置 WECOM_STATE，例如 %s"),
    Phrase("Or give --config FILE: a logging config", "或用 --config FILE 指定日志配置文件"),
    Phrase("Such as %s", "例如 %s"),
)
"""How to set an option: what a `ConfigurationError` ends with."""

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
    "database disk image is malformed": "数据库文件损坏",
    "file is not a database": "不是数据库文件",
    "database is locked": "正被其他进程锁定",
    "database or disk is full": "磁盘空间不足",
    "disk I/O error": "磁盘读写出错",
    "attempt to write a readonly database": "文件只读",
    "unable to open database file": "无法打开文件",
    "holds no certificate in PEM form": "不含 PEM 格式的证书",
    "self-signed certificate": "自签名证书",
    "self-signed certificate in certificate chain": "证书链中有自签名证书",
    "unable to get local issuer certificate": "找不到证书的签发者",
    "certificate has expired": "证书已过期",
    "certificate is not yet valid": "证书尚未生效",
}
"""What the system, OpenSSL, SQLite and the clients of Redis say of why something failed."""


def in_chinese(text: str) -> str:
    """The text of an error, or several; as it is where it is not known."""
    if text in SYSTEM:
        return SYSTEM[text]
    for phrase in ERRORS:
        if (found := phrase.parts(text)) is not None and not found[1]:
            return phrase.within("zh", *map(in_chinese, found[0]))
    what, colon, why = text.partition(": ")  # of whose text only the end may be known
    if colon and (said := in_chinese(why)) != why:
        return f"{what}：{said}"
    parts = text.split("; ")
    told = [in_chinese(part) for part in parts] if len(parts) > 1 else parts
    return text if told == parts else "；".join(told)


def remedy_in_chinese(remedy: str) -> str:
    """Translates the remedy of a `ConfigurationError`, or of several options; an unknown one stays as it is."""
    return "。".join(map(_remedy, remedy.split(". ")))


def _remedy(text: str) -> str:
    for phrase in REMEDIES:
        if (found := phrase.parts(text)) is not None and not found[1]:
            return phrase.within("zh", *found[0])
    return text
