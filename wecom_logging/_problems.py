"""What can be wrong with an option: each problem has a code, and a text in English and in Chinese.

``ConfigurationError(field, code, …)`` takes its text from here. Values stand in braces, the same in both languages. A
code stays what it is; a text may be improved.
"""

from __future__ import annotations

from collections.abc import Mapping

PROBLEMS: Mapping[str, tuple[str, str]] = {
    # Of any option.
    "missing": ("not set", "未设置"),
    "empty": ("it is empty", "内容为空"),
    "not_a_string": ("a string is needed, not a {given}", "应为字符串，而不是 {given}"),
    "not_one_line": ("a non-empty string without line breaks is needed", "应为不含换行的非空字符串"),
    "control_character": ("it holds a line break or another control character", "含有换行或其他控制字符"),
    "too_long": ("it is longer than {most} bytes", "超过 {most} 字节"),
    "too_many": ("{count} given; at most {most} are allowed", "给出了 {count} 个，最多允许 {most} 个"),
    "not_a_number": ("a number is needed, not a {given}", "应为数字，而不是 {given}"),
    "not_whole": ("a whole number is needed", "应为整数"),
    "out_of_range": ("at least {least} and at most {most} is needed", "应不小于 {least} 且不大于 {most}"),
    "quoted": (
        "it begins or ends with a quotation mark, which is kept: `docker run --env-file`, for one, takes nothing away "
        "from what stands behind the =. Write it without",
        "开头或结尾带有引号，而引号会被原样保留（例如 `docker run --env-file` 不会去掉 = 后面的引号）；请去掉引号",
    ),
    "not_a_choice": ("one of {choices} is needed", "可用的值：{choices}"),
    "not_a_callable": ("a callable {form} is needed, not a {given}", "应为可调用对象 {form}，而不是 {given}"),
    "not_a_mapping": ("a mapping is needed, not a {given}", "应为映射，而不是 {given}"),
    "not_a_list": ("a list is needed, such as {such}", "应为列表，例如 {such}"),
    "unknown_option": ("there is no such option; the options are {names}", "没有这个选项；可用的选项：{names}"),
    "misspelt_option": ("there is no such option; did you mean {close!r}?", "没有这个选项，可能应为“{close}”"),
    "misspelt_variable": (
        "no option and no command reads a variable of this name; did you mean {close}?",
        "没有选项或命令会读取这个环境变量，可能应为 {close}",
    ),
    "unknown_variable": (
        "no option and no command reads a variable of this name",
        "没有选项或命令会读取这个环境变量",
    ),
    "option_of_another": (
        "{kind} has no such option: it belongs to {others}",
        "{kind} 没有这个选项，它属于 {others}",
    ),
    # Of secrets, and of where they are.
    "set_twice": ("both {one} and {other} are set; unset one of them", "{one} 与 {other} 同时设置，只能保留一个"),
    "variable_not_set": (
        "the environment variable{variable} that it points to is not set",
        "所指向的环境变量{variable} 未设置",
    ),
    "unreadable": ("its file{path} cannot be read: {reason}", "文件{path} 无法读取（{reason}）"),
    "needs_app_secret": ("this call needs the secret of an app", "此调用需要应用的 Secret"),
    "needs_contacts_secret": (
        "this call needs the secret of the contacts sync: an app's may neither change the directory nor read all of "
        "its ids",
        "此调用需要通讯录同步的 Secret：应用的 Secret 既不能修改通讯录，也不能读取全部 ID",
    ),
    # Who gets it.
    "no_recipient": ("no recipient", "未指定接收人"),
    "not_positive": (
        "a positive whole number is needed, as WeCom's admin console shows it",
        "应为正整数，与管理后台显示的一致",
    ),
    "not_an_id": ("an id or a name is needed, not a {given}", "应为 ID 或名称，而不是 {given}"),
    "bad_id": (
        "an id is empty, longer than 64 characters, or holds <, > or a line break",
        "有 ID 为空、超过 64 个字符，或含有 <、> 或换行",
    ),
    "looks_like_secret": (
        "that looks like a secret; give ids, or names as WeCom's admin console shows them",
        "看起来像是 Secret；请填 ID，或管理后台显示的名称",
    ),
    "unknown_name": ("it has an unknown name; the names are {names}", "含有未知的名称；可用的名称：{names}"),
    "not_names_by_id": (
        "ids, or a mapping of ids to names, are needed: zhangsan=Zhang San",
        "应为 ID，或从 ID 到姓名的映射：zhangsan=张三",
    ),
    # Who is on call.
    "not_a_rota_name": (
        "a rota needs a name of up to 32 characters, without blanks around it, colons, commas, |, < and >",
        "值班表名称须在 32 个字符以内，首尾不能有空格，也不能含有冒号、逗号、|、< 和 >",
    ),
    "nobody_on_call": ("it names nobody", "没有写任何人"),
    "no_person": (
        "persons are needed: neither @all nor another rota can have a turn",
        "应为具体的人：不能是 @all 或另一个值班表",
    ),
    "not_a_wall_time": (
        "a date and a time of the wall, without a zone, is needed, such as '2026-12-07 10:00'",
        "应为不带时区的日期和时间，例如 '2026-12-07 10:00'",
    ),
    "not_a_turn": (
        "the length of a turn is needed: whole days or weeks such as '1d' or '1w', or hours such as '12h'",
        "应为一班的时长：整天或整周，例如 '1d'、'1w'；或小时，例如 '12h'",
    ),
    "turn_in_hours": (
        "{zone} has daylight saving time, which would move a hand-over that is counted in hours; use days or weeks, "
        "such as '1d'",
        "{zone} 有夏令时，按小时轮换会使交接时间漂移；请用天或周，例如 '1d'",
    ),
    "not_a_function_name": (
        "the name of a function is needed, such as 'package.module:function'",
        "应为函数的名称，例如 'package.module:function'",
    ),
    "unknown_rota": (
        "there is no rota {name!r}; there are: {names}",
        "没有值班表“{name}”；现有：{names}",
    ),
    "only_on_call": (
        "nobody gets the alerts while nobody is on call by {name!r}, which has no people of its own",
        "值班表“{name}”自己没有列出人员，无人值班时没有人会收到告警",
    ),
    # Of an escalation.
    "not_later": ("it must come after the step before", "应晚于上一级"),
    "no_other_recipients": (
        "a group's bot has one group, and no others to tell",
        "群机器人只有一个群，没有其他人可通知",
    ),
    "nobody_can_take": (
        "nobody could take an incident, so that each step would always come",
        "没有任何认领方式，每一级都会触发",
    ),
    "call_needs_persons": (
        "only members can be called, and only by an app",
        "只有自建应用可以打电话，且只能打给成员",
    ),
    "call_below_critical": (
        "phones ring for CRITICAL alone, and escalation_level is below it",
        "电话只用于 CRITICAL，而 escalation_level 低于它",
    ),
    "above_critical": (
        "no failure is above CRITICAL (50), so that no step would ever come",
        "没有高于 CRITICAL（50）的故障，任何一级都不会触发",
    ),
    # URLs.
    "not_a_url": ("it is not a URL that can be read", "不是可以解析的 URL"),
    "wrong_scheme": (
        "a URL is needed that starts with {scheme}, such as {such}",
        "应为以 {scheme} 开头的 URL，例如 {such}",
    ),
    "bad_host": ("its host has a character that no host has", "域名中有不允许的字符"),
    "login_in_url": (
        "it holds a user name or a password; WeCom wants none",
        "含有用户名或密码；企业微信不需要",
    ),
    "not_encrypted": (
        "{scheme}: is allowed to this machine only (127.0.0.1); use {scheme}s:",
        "只有本机（127.0.0.1）可以使用 {scheme}://，其他地址须用 {scheme}s://",
    ),
    "more_than_host": ("only scheme and host are needed, such as {such}", "只需协议和域名，例如 {such}"),
    "wrong_path": ("its path must be {path}", "URL 的路径应为 {path}"),
    "no_key": ("the URL needs one key=… as the group shows it", "URL 中应有一个 key=…，与群聊中显示的一致"),
    "not_a_webhook": (
        "neither a URL nor a key (letters, digits and -)",
        "既不是 URL，也不是 key（字母、数字和 -）",
    ),
    "same_bot": ("it is the same bot as entry {other}", "与第 {other} 项是同一个机器人"),
    "bad_placeholder": (
        "only {allowed} may stand in braces (write {{{{ and }}}} for braces)",
        "花括号中只能是 {allowed}（花括号本身写作 {{{{ 和 }}}}）",
    ),
    # Levels, rates, durations, functions.
    "not_a_level": (
        "that is not a level{given}; give a name such as 'ERROR' or a number",
        "不是有效的日志级别{given}；请填 ERROR 这样的名称或数字",
    ),
    "misspelt_level": (
        "{given!r} is not a level; did you mean {close!r}?",
        "“{given}”不是有效的日志级别，可能应为“{close}”",
    ),
    "not_a_rate": ("it is not of the form {such!r} or 'off'", "应为 {such!r} 的形式，或 'off'"),
    "scope_of_all": (
        "a service or a logger is needed, such as 'shop.pay'; WECOM_ENABLED=0 switches all off",
        "应为某个服务或 logger，例如 'shop.pay'；要全部关闭请设 WECOM_ENABLED=0",
    ),
    "not_a_duration": (
        'a number with its unit is needed, such as "90s", "30m", "2h", "1d"',
        '应为带单位的数字，例如 "90s"、"30m"、"2h"、"1d"',
    ),
    "no_unit": (
        'a bare number has no unit; give "{number}s", "{number}m" or "{number}h"',
        '数字没有单位；请写作 "{number}s"（秒）、"{number}m"（分钟）或 "{number}h"（小时）',
    ),
    "not_a_cron": ("it is no line of a crontab that is ever due ({why})", "不是会到期的 crontab 表达式（{why}）"),
    "given_twice": ("give it or {other}, not both", "它与 {other} 只能填一个"),
    "not_exceptions": (
        "exception classes are needed, such as ignore=(KeyError,)",
        "应为异常类，例如 ignore=(KeyError,)",
    ),
    "not_a_handler": (
        "a handler, or its name in the logging config, is needed",
        "应为 handler，或它在日志配置中的名称",
    ),
    "no_format": (
        "{formatter} has a look of its own and takes none; leave it out",
        "{formatter} 的格式是固定的，请去掉此选项",
    ),
    "not_in_main_thread": (
        "only the main thread can handle signals; call install_hooks(sigterm=True) in the main thread of the program",
        "只有主线程可以处理信号；请在程序的主线程中调用 install_hooks(sigterm=True)",
    ),
    # The zone of times.
    "unknown_zone": (
        "there is no such time zone; a name such as 'Asia/Shanghai' or 'UTC' is needed",
        "没有这个时区；应为 'Asia/Shanghai'、'UTC' 这样的名称",
    ),
    "no_zone_data": (
        "this machine has no time zones but UTC; pip install tzdata",
        "本机没有时区数据（只有 UTC）；pip install tzdata",
    ),
    # Quiet hours, and which days are working days.
    "not_quiet_hours": (
        "'HH:MM-HH:MM', 'DAYS' or 'DAYS HH:MM-HH:MM' is needed, with daily, workdays, off-days, or such as mon-fri or "
        "sat,sun for DAYS",
        "应为 'HH:MM-HH:MM'、'DAYS' 或 'DAYS HH:MM-HH:MM'，其中 DAYS 是 daily、workdays、off-days，或 mon-fri、sat,sun "
        "这样的写法",
    ),
    "not_so_written": ("write it as {close!r}", "请写作 {close!r}"),
    "no_hours": (
        "it begins and ends at the same time; for a whole day name the day alone, such as 'sat'",
        "开始和结束是同一时刻；若要全天，请只写日子，例如 'sat'",
    ),
    "never_ends": (
        "with them quiet never ends; leave out some hours, or switch the handler off with enabled=False",
        "这样静默永远不会结束；请留出一些时间，或用 enabled=False 关闭此 handler",
    ),
    "not_a_calendar": (
        "'cn', the path of a .json file as holiday-cn has them, or 'package.module:function' is needed",
        "应为 'cn'、holiday-cn 那样的 .json 文件的路径，或 'package.module:function'",
    ),
    "no_such_function": (
        "no function of this name can be imported: {reason}",
        "无法导入这个函数：{reason}",
    ),
    # What is masked.
    "not_a_name": (
        "its entry {number} is no name (2 to 64 letters, digits, _ and -; not the secret itself): "
        "for more, use re.compile",
        "第 {number} 项不是名称（2 到 64 个字母、数字、_ 和 -；不是密钥本身）；其他情况请用 re.compile",
    ),
    "not_names": ("names and patterns of str are needed, not {given}", "应为 str 的名称和正则表达式，而不是 {given}"),
    "empty_pattern": (
        "its entry {number}, a pattern, matches the empty text: let it ask for one character at least",
        "第 {number} 项（正则表达式）能匹配空文本：请让它至少匹配一个字符",
    ),
    "slow_repeat": (
        "its entry {number}, a pattern, can take exponential time (a repeat within a repeat): "
        "make the inner one possessive, as in ++",
        "第 {number} 项（正则表达式）可能耗费指数时间（重复中有重复）：请让内层使用占有量词，例如 ++",
    ),
    "slow_choice": (
        "its entry {number}, a pattern, can take exponential time (a choice within a repeat): "
        "put (?>…) around the choice",
        "第 {number} 项（正则表达式）可能耗费指数时间（重复中有分支）：请把分支放进 (?>…)",
    ),
    # The state.
    "not_a_state": (
        "memory://, sqlite:///path/to/alerts.db, or redis://host:6379/0 (rediss://, unix://, valkey://) is needed",
        "应为 memory://、sqlite:///path/to/alerts.db 或 redis://host:6379/0（rediss://、unix://、valkey://）",
    ),
    "not_a_file_path": (
        "the path of a file is needed, from the root: sqlite:///path/to/alerts.db",
        "应为从根目录写起的文件路径：sqlite:///path/to/alerts.db",
    ),
    "unreadable_host": (
        "its host or port cannot be read; give redis://:PASSWORD@HOST:PORT/0, and # / ? @ % in a password as %23 %2F …",
        "域名或端口无法解析；应为 redis://:密码@主机:端口/0，密码中的 # / ? @ % 写作 %23 %2F …",
    ),
    "no_socket": (
        "the path of the socket is missing; give unix:///path/to/socket",
        "缺少套接字的路径，应为 unix:///path/to/socket",
    ),
    "not_a_database": (
        "the path is the number of a database; give redis://HOST:PORT/0",
        "路径应为数据库的编号：redis://主机:端口/0",
    ),
    "unknown_url_option": (
        "an option after the ? is not known; leave it out",
        "? 后面有未知的选项，请去掉",
    ),
    "not_a_client": (
        "give a URL, or a client of redis-py or valkey-py that is not asynchronous",
        "应为 URL，或 redis-py、valkey-py 的同步客户端",
    ),
    "not_shared": (
        "memory:// is in the memory of each process, where no other can look",
        "memory:// 只在各进程自己的内存里，无法从外面查看",
    ),
    # Packages.
    "needs_package": ("it needs {package}: pip install {install}", "需要 {package}：pip install {install}"),
    "not_installed": ("it is not installed; pip install {install}", "未安装；pip install {install}"),
    "too_old": (
        "version {version} is too old; pip install {install}",
        "版本 {version} 过旧；pip install {install}",
    ),
    "not_importable": (
        "{version} cannot be imported ({reason}); pip install {install}",
        "{version} 无法导入（{reason}）；pip install {install}",
    ),
    # What the commands read.
    "no_channel": (
        "neither an app (WECOM_CORP_ID …) nor a bot (WECOM_WEBHOOK) is set in the environment",
        "环境变量中既未配置应用（WECOM_CORP_ID …），也未配置机器人（WECOM_WEBHOOK）",
    ),
    "only_an_ai_bot": (
        "an app or a group's bot is needed: the connection of an AI bot belongs to the program",
        "需要应用或群机器人：智能机器人的连接属于程序本身",
    ),
    "refused": ("{reason}", "无效：{reason}"),
    # A logging config file.
    "wrong_suffix": ("the name of {path} must end in {suffixes}", "{path} 的文件名应以 {suffixes} 结尾"),
    "not_valid": ("{path}{line} is not valid {form}", "{path}{line} 不是有效的 {form}"),
    "no_handlers": ("{path} is no logging config: it has no handlers", "{path} 不是日志配置：没有 handlers"),
    "no_such_handler": (
        "there is no handler {name!r} in {path}; there are: {names}",
        "{path} 中没有 handler“{name}”；现有：{names}",
    ),
    "not_our_handler": (
        "no handler{name} of {path} is made by WeComHandler, WeComBotHandler, WeComAIBotHandler or a class on top of "
        "them (a function behind () is not called: name the class there)",
        "{path} 中没有由 WeComHandler、WeComBotHandler、WeComAIBotHandler 或其子类创建的 handler{name}"
        "（() 后面的函数不会被调用，请在那里写类名）",
    ),
    "not_in_file": ("the handler names one that the file does not have", "handler 引用了文件中不存在的名称"),
    "unresolved": ("it cannot be resolved ({error})", "无法解析（{error}）"),
    "not_built": ("building it raised {error}", "创建时抛出 {error}"),
}

ENTRY = ("entry {entry} of {entries}: ", "第 {entry} 项（共 {entries} 项）：")
"""Before the problem of one of several, such as the bots of a group."""
