"""What handlers say on stderr, in English and Chinese: that of the environment, as for the commands.

Values stand in braces, the same in both languages. It is no file of data: a log call may have to say one.
"""

from __future__ import annotations

from collections.abc import Mapping

from ._text.said import Said, language_of_environment

LINES: Mapping[str, tuple[str, str]] = {
    # Of a message that did not go through.
    "waits": ("alerts wait: {error}", "告警待发送，稍后自动重试：{error}"),
    "refused": ("an alert was refused{about}: {error}", "告警被拒绝{about}：{error}"),
    "to_fallback": ("an alert went to the fallback{about}: {error}", "告警已转交兜底 handler{about}：{error}"),
    "bot_pauses": ("this bot pauses, another one sends: {error}", "此机器人暂停，由另一个发送：{error}"),
    "partial": ("WeCom did not accept some recipients: {names}", "企业微信未接受部分接收人：{names}"),
    "no_users": ("users {ids}", "成员 {ids}"),
    "no_departments": ("departments {ids}", "部门 {ids}"),
    "no_tags": ("tags {ids}", "标签 {ids}"),
    "no_licence": ("users without a licence {ids}", "没有许可的成员 {ids}"),
    "no_recipient": ("no recipient is left: {why}", "没有可用的接收人：{why}"),
    "nobody": (
        "users: nobody that the app sees has the id, mobile, e-mail address or name {name!r}{similar}",
        "users：应用看不到账号、手机号、邮箱或姓名为 {name!r} 的成员{similar}",
    ),
    "no_department": (
        "departments: the app sees no department of the name {name!r}{similar}",
        "departments：应用看不到名为 {name!r} 的部门{similar}",
    ),
    "no_tag": ("tags: there is no tag of the name {name!r}{similar}", "tags：没有名为 {name!r} 的标签{similar}"),
    "no_leader": (
        "leader_of: the app sees no department {name!r} that has a leader{similar}",
        "leader_of：应用看不到有负责人的部门 {name!r}{similar}",
    ),
    "similar": ("; similar: {names}", "；相近的有：{names}"),
    "several": (
        "{kind}: {name!r} fits several: {names}; give the id",
        "{kind}：{name!r} 对应多个：{names}；请改填 ID",
    ),
    "no_id": (
        "{kind}: what the directory has for {name!r} is no id",
        "{kind}：通讯录中 {name!r} 对应的值不是 ID",
    ),
    "not_looked_up": ("{kind}: {name!r} could not be looked up: {error}", "{kind}：无法查询 {name!r}：{error}"),
    "taken_for": (
        "users: {name!r} is nobody's id; it is taken for the member of that name, {user}",
        "users：没有账号为 {name!r} 的成员，改按姓名发给 {user}",
    ),
    "another_member": (
        "{kind}: {name!r} is {now} now; it was {before}",
        "{kind}：{name!r} 现在是 {now}，此前是 {before}",
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
        "state: {error}; meanwhile this process keeps its alerts in memory",
        "状态存储不可用：{error}；恢复之前，本进程的告警保存在内存中",
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
    "no_watch": ("jobs cannot be watched now ({error})", "暂时无法监视任务（{error}）"),
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
    "no_handler_named": ("there is no handler named {name!r}", "没有名为 {name!r} 的 handler"),
    "no_handler_named_so_far": ("there is no handler named {name!r} so far", "目前没有名为 {name!r} 的 handler"),
    "auto_off": (
        '{kind} is off: enabled is "auto", and no variable WECOM_… is set for it',
        '{kind} 未启用：enabled 为 "auto"，且没有为它设置任何 WECOM_… 变量',
    ),
    # Of the AI bot's connection.
    "another": (
        "another program has taken the connection of the AI bot {bot_id}: give all programs of a bot one state, or "
        "each a bot of its own",
        "智能机器人 {bot_id} 的连接已被另一个程序占用：请让同一机器人的所有程序共用一个状态存储，或各用一个机器人",
    ),
}


def line(row: str, /, **values: object) -> str:
    """This row in the language of the environment."""
    return Said(*LINES[row]).within(language_of_environment()).format(**values)
