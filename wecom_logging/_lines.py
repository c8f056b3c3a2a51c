"""What handlers say on stderr, in English and Chinese: that of the environment, as for the commands.

Values stand in braces, the same in both languages. It is no file of data: a log call may have to say one.
"""

from __future__ import annotations

from collections.abc import Mapping

from ._errors_in_chinese import ANOTHER, in_chinese
from ._text.said import Said, filled, language_of_environment
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
    "no_recipient": (
        "no recipient is left: {why} (`wecom-logging doctor` says what to do)",
        "没有可用的接收人：{why}（处理办法见 `wecom-logging doctor`）",
    ),
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
    "zone_left_out": (
        "timezone: WECOM_TIMEZONE ({variable}) holds, and not that of the duty file ({zone}): leave one of them out",
        "timezone：以 WECOM_TIMEZONE（{variable}）为准，duty 文件中的 {zone} 不生效；请只保留一个",
    ),
    "bot_number": ("bot {number} of {of}", "第 {number} 个机器人（共 {of} 个）"),
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
    "within": (" within exit_timeout ({seconds:g} s)", "在 exit_timeout（{seconds:g} 秒）内"),
    "one_lost": (
        "1 alert was not sent{within}: it is lost{why}",
        "1 条告警{within}未能发出，已丢失{why}",
    ),
    "lost": (
        "{count} alerts were not sent{within}: they are lost{why}",
        "{count} 条告警{within}未能发出，已丢失{why}",
    ),
    "lost_in_all": (
        "{count} alerts were not sent{within}: they are lost (in all){why}",
        "{count} 条告警{within}未能发出，已丢失（合计）{why}",
    ),
    "overflow": (
        "{count} alerts are lost so far: more waited than max_pending allows; see why they are not sent, or raise it",
        "至今已丢失 {count} 条告警：待发送的超过 max_pending；请查明未能发出的原因，或调大 max_pending",
    ),
    "overflow_in_all": (
        "{count} alerts are lost in all: more waited than max_pending allows; see why they are not sent, or raise it",
        "共丢失 {count} 条告警：待发送的超过 max_pending；请查明未能发出的原因，或调大 max_pending",
    ),
    "left": (
        "alerts that were not sent{within} wait in the state; the next process that opens "
        "it sends them (`wecom-logging pending` shows them){why}",
        "{within}未发出的告警保留在状态存储中，由下一个打开它的进程发出（用 `wecom-logging pending` 查看）{why}",
    ),
    "no_answer": ("; WeCom has not answered so far", "；企业微信尚未应答"),
    "last_error": ("; the last error: {error}", "；最近一次错误：{error}"),
    # Of who is on call.
    "not_on_call": (
        "on call {name}: who it is cannot be found out ({why}); {then}",
        "值班表 {name}：无法得知当前值班人（{why}）；{then}",
    ),
    "no_rota": (
        "on call {name}: there is no such rota; the handler's own recipients are told",
        "值班表 {name}：没有这个值班表，改为通知 handler 自己的接收人",
    ),
    "rota_unnamed": (
        "on_call has {names}, which no users, route or step of a handler names: write {such!r} where users stand",
        "on_call 中定义了值班表 {names}，但没有 handler 的 users、routes 或 escalation 用到它；"
        "请在 users 中写上 {such!r}",
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
    "stands_nowhere": (
        "{kind} stood on a logger and stands on none any more; what is logged does not reach it. {remedy}",
        "{kind} 原来挂在 logger 上，现在不在任何 logger 上，收不到日志。{remedy}",
    ),
    "celery_took": (
        "Celery takes away the handlers of the root logger: leave the option celery at True, or call "
        "connect() of wecom_logging.integrations.celery",
        "Celery 会清空根 logger 的 handler：请让选项 celery 保持 True，或调用 wecom_logging.integrations.celery "
        "的 connect()",
    ),
    "litestar_took": (
        "Litestar(…) configures logging anew: create the handler after it, or pass logging_config=None to it",
        "Litestar(…) 会重新配置 logging：请在它之后创建 handler，或给它传 logging_config=None",
    ),
    "prefect_took": (
        "Prefect configures logging anew when it is imported: create the handler after that",
        "导入 Prefect 时会重新配置 logging：请在导入之后创建 handler",
    ),
    "something_took": (
        "A later logging config, or code that empties a logger's handlers, has taken it away: create it after that",
        "它被后来的 logging 配置，或清空 logger 的 handler 的代码移除了：请在那之后创建 handler",
    ),
    "off": (
        "{kind} sends nothing: no credentials are set. To switch it on, set {variables}; WECOM_ENABLED=0 hides this "
        "line",
        "{kind} 不会发送告警：没有设置凭证。启用请设置 {variables}；设置 WECOM_ENABLED=0 可不再显示本提示",
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
    # Of what should not be.
    "no_message": ("an alert could not be made into a message ({error})", "一条告警无法生成消息（{error}）"),
    "not_given": ("an alert could not be given to the state ({error})", "一条告警无法写入状态存储（{error}）"),
    "not_captured": (
        "a record made at {place} could not be captured ({error})",
        "{place} 处的一条日志无法读取（{error}）",
    ),
    "not_told": ("an exception could not be sent ({error})", "一个异常未能发送（{error}）"),
    "broken_file": (
        "a part of the file of a dead process cannot be read; see {aside}",
        "异常终止的进程留下的文件有一部分无法读取，见 {aside}",
    ),
    "bad_picture": (
        'extra={{"wecom": {{"attach": …}}}} must be the bytes of a JPG or PNG, at most 2 MiB; it is left out',
        'extra={{"wecom": {{"attach": …}}}} 应为 JPG 或 PNG 的字节，最大 2 MiB；已忽略',
    ),
    "no_picture": (
        "progress {title}: its picture could not be made ({error})",
        "进度 {title}：图片无法生成（{error}）",
    ),
    "big_picture": (
        "progress {title}: its picture is left out: a PNG or JPG of at most 2 MiB is needed",
        "进度 {title}：图片已忽略，应为不超过 2 MiB 的 PNG 或 JPG",
    ),
    # Of signals and forks.
    "sigterm_of_child": (
        "install_hooks: SIGTERM ends a process of multiprocessing at once, as its parent expects; only a state keeps "
        "what waits",
        "install_hooks：multiprocessing 的子进程收到 SIGTERM 即结束（父进程期望如此），待发送的告警只有状态存储能保留",
    ),
    "sigterm_of_program": (
        "install_hooks: the program has its own handler of SIGTERM, which stays; what waits is sent if that calls "
        "sys.exit",
        "install_hooks：程序自己的 SIGTERM 处理函数保持不变；它调用 sys.exit 时才会发出待发送的告警",
    ),
    "uwsgi": (
        "uWSGI loads the application and then forks its workers; a worker hangs if a thread runs at that moment. So "
        "the first worker sends what is logged before the fork. With --lazy-apps each worker loads the application "
        "itself and sends at once. If threads of other packages run, try --py-call-uwsgi-fork-hooks. Both need "
        "--enable-threads",
        "uWSGI 先加载应用再 fork 出各 worker，此时若有线程在运行，worker 会卡死；因此 fork 之前的日志由第一个 worker "
        "发送。使用 --lazy-apps 时各 worker 自行加载应用并立即发送；若其他包有线程在运行，可用 "
        "--py-call-uwsgi-fork-hooks。两者都需要 --enable-threads",
    ),
    "late_import": (
        "{error}; a program that drops its rights, calls chroot or outlives its installation must log once before that",
        "{error}；程序若要降低权限、调用 chroot 或替换自己的安装，须在此之前先记录一条日志",
    ),
    # Of the AI bot's connection.
    "another": (ANOTHER.en.replace("%s", "{bot_id}"), ANOTHER.zh.replace("%s", "{bot_id}")),
}


def line(row: str, /, **values: object) -> str:
    """This row in the language of the environment, errors among its values, too."""
    language = language_of_environment()
    shown = {name: explained(one) if isinstance(one, StateError) else one for name, one in values.items()}
    return filled(Said(*LINES[row]).within(language), language, (), shown)


def explained(error: object) -> str:
    """An error, or a warning, in the language of the environment, as far as its text is known."""
    return in_chinese(str(error)) if language_of_environment() == "zh" else str(error)
