"""Every fixed word of a message, in English and Chinese: one row each. No other file has one.

What is said while a message is made is in the language of its handler at once. A record that this package makes itself
(integrations, hooks, ``run``, `progress`) is in English: it is not known yet who will send it, and what makes alerts
the same must not depend on a language. `retold` finds the words in it again, and `_render/retold.py` where.
"""

from __future__ import annotations

import re
from functools import partial

from .._masking.patterns import lazy
from .._text.said import CHARACTERS_CUT as CHARACTERS_CUT
from .._text.said import LINES_CUT as LINES_CUT
from .._text.said import Phrase, Said, filled

# The first line, and what is counted.

LEVELS = {
    "CRITICAL": "严重",
    "ERROR": "错误",
    "WARNING": "警告",
    "INFO": "信息",
    "DEBUG": "调试",
}
NO_TEXT = Said("(no text)", "（无内容）")
COUNT = Said("× {}{}", "× {}{}")
COUNT_AND_TOTAL = Said("× {}, {} in all{}", "× {}，累计 {} 次{}")
ON_HOSTS = Said(" on {} hosts", "，{} 台主机")
IN_PROCESSES = Said(" in {} processes", "，{} 个进程")
NONE_SINCE = Said("none since {}", "{} 之后未再出现")
AGAIN = Said("again", "再次出现")
TIME_TODAY = Said("{} time today", "今天第 {} 次")
TIME_SINCE = Said("{0} since {1}", "自 {1} 起第 {0} 次")
QUIET = Said("quiet for {}, {}", "{}未再出现，{}")
QUIET_OR_NOT_TRIED = Said("quiet for {} (not tried again, or over), {}", "{}未再出现（未再尝试，或已恢复），{}")
COUNT_SINCE = Said("× {0} since {1}, {2} in all{3}", "自 {1} 起 × {0}，累计 {2} 次{3}")
TOTAL_FROM_TO = Said("{} in all{}, {}", "累计 {} 次{}，{}")
SPAN = Said("{} to {}", "{} 至 {}")
SECOND, SECONDS = Said("{} second", "{} 秒"), Said("{} seconds", "{} 秒")
MINUTE, MINUTES = Said("{} minute", "{} 分钟"), Said("{} minutes", "{} 分钟")
HOUR, HOURS = Said("{} hour", "{} 小时"), Said("{} hours", "{} 小时")


def ordinal(number: int) -> str:
    """``2nd``, ``11th``"""
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


# What people did with an incident.

IN_ALL = Said("{} in all{}", "累计 {} 次{}")
TAKEN_BY = Said("taken by {} {}", "{} 于 {} 认领")
GIVEN_TO = Said("given to {0} by {1} {2}", "{1} 于 {2} 转给 {0}")
SILENCED_BY = Said("silenced by {} {}, until {}", "{} 于 {} 静默至 {}")
RAN_AGAIN = Said("ran again {}", "{} 已再次运行")
RAN_AND_FAILED = Said("ran again {}, and failed", "{} 已再次运行，但失败了")
LATE_RUN_ENDED = Said("the run of {} has ended, {} (at most {})", "{} 开始的运行已结束，耗时 {}（最长 {}）")
LATE_RUN_FAILED = Said("the run of {} has failed, {} (at most {})", "{} 开始的运行已失败，耗时 {}（最长 {}）")
UNWATCHED_BY = Said("{0} stopped watching job {2} {1}", "{0} 于 {1} 停止监视任务“{2}”")
WATCHED_BY = Said("{0} watches job {2} again {1}", "{0} 于 {1} 恢复监视任务“{2}”")
CLOSED_BY = Said("closed by {} {}", "{} 于 {} 关闭")
RETURNED_BY = Said("given back by {} {}", "{} 于 {} 取消认领")
CLAIM_UNDONE_BY = Said("claim of {2} undone by {0} {1}", "{0} 于 {1} 取消了 {2} 的认领")
RESUMED_BY = Said("unsilenced by {} {}", "{} 于 {} 取消静默")
SILENCE_UNDONE_BY = Said("silence of {2} undone by {0} {1}", "{0} 于 {1} 取消了 {2} 的静默")
REOPENED_BY = Said("opened again by {} {}", "{} 于 {} 重新打开")
ESCALATED_TO = Said("escalated to {0} {1}", "{1} 升级，已通知 {0}")
NOW_TOLD = Said("→ {0} {1}{2}", "→ {0} {1}{2}")
PHONED = Said(" (phone: {})", "（电话：{}）")
CALLED, NOT_CALLED = Said("called", "已拨打"), Said("not called, {}", "未能呼出，{}")
NOBODY_TOLD = Said("escalation reached nobody {0}: {1}", "{0} 升级，未通知到人：{1}")
STEP = Said("⏫ Escalation {0}/{1}: {2}{3}{4}", "⏫ 升级 {0}/{1}：{2}{3}{4}")
LAST_STEP = Said(
    "⏫ Escalation {0}/{1}, no further one follows: {2}{3}{4}",
    "⏫ 升级 {0}/{1}（之后不再升级）：{2}{3}{4}",
)
NOT_TAKEN = Said("nobody took it in {}", "{}无人认领")
TAKE_OVER = Said("{}'s take is over; it goes on", "{} 的认领已到期，故障仍在继续")
TOLD_BEFORE = Said(", told so far: {}", "，已通知 {}")
MISSED_BEFORE = Said("; the step before told nobody: {}", "；上一级未通知到人：{}")
NOBODY_FOUND = Said("nobody found for {}", "{} 无人可通知")
NOT_SENT = Said("its message could not be sent", "消息未能发出")
LEADER_OF = Said("leader of {}", "{} 负责人")
EVERYONE = Said("everybody", "所有人")
NOTHING_CAME = Said("silenced by {}, {}: nothing came", "{} 静默期间（{}）未再出现")
TAKEN_AGO = Said("taken by {} {} ago{}, × {} since", "{} 于 {}前认领{}，此后 × {}")
CLAIM_OVER = Said(" (claim over)", "（已到期）")
SILENT_FROM_TO = Said("silenced by {}, {}: × {}", "{} 静默期间（{}）× {}")
RAN_AGO = Said("had run again {} ago", "{}前曾再次运行")
LATE_RUN_ENDED_AGO = Said("the run before had ended {} ago", "上一次运行于{}前结束")
CLOSED_AGO = Said("closed by {} {} ago, and came again", "{} 于 {}前关闭，再次出现")

# Who is on call.

ON_CALL = Said("{}: {}{}{}", "{}：{}{}{}")
ON_CALL_UNTIL = Said(" until {}", "，至 {}")
ON_CALL_THEN = Said(", then {}", "，之后 {}")
NO_ROTA = Said("no rota is set up", "没有配置值班表")
NOBODY_ON_CALL = Said("nobody is on call by the rota {}", "值班表 {} 无人值班")

# What is answered to those who do something with an incident, or ask.

QUIET_UNTIL = Said(", quiet until {}", "，{} 前不再提醒")
NO_OPEN_INCIDENT = Said("no open incident #{}; {}", "没有编号为 #{} 的事件，或已结束；{}")
OPEN_ARE = Said("open are {}", "未结束的有 {}")
NOTHING_OF_LEVEL = Said("no {} is open", "没有未结束的 {} 事件")
NOTHING_OPEN = Said("nothing is open", "没有未结束的事件")
IS_OVER = Said("#{} is over", "#{} 已结束")
WAS_TAKEN = Said("#{} was taken by {} {}{}; {}", "#{} 已由 {} 于 {} 认领{}；{}")
WAS_SILENCED = Said("#{} was silenced by {} {}{}; {}", "#{} 已由 {} 于 {} 静默{}；{}")
WAS_CLOSED = Said("#{} was closed by {} {}{}; {}", "#{} 已由 {} 于 {} 关闭{}；{}")
UNTIL = Said(" until {}", "（至 {}）")
UNDO_TAKES_BACK = Said("`{}` takes that back", "如需取消，请{}")
UNDO_OPENS = Said("`{}` opens it again", "如需重新打开，请{}")
UNDO_IN_A_CHAT = Said("undo {}", "发送：撤销 {}")
NOTHING_DONE = Said("there is nothing to undo", "没有可撤销的操作")
NOTHING_TO_UNDO = Said("#{}: there is nothing to undo", "#{}：没有可撤销的操作")
SILENT_AT_MOST = Said("#{} may be silent for at most {}", "#{} 最多可静默 {}")
CRITICAL_AT_MOST = Said("#{} is critical: it may be silent for at most {}", "#{}：严重告警最多静默 {}")
UNDER_MAINTENANCE = Said("maintenance of {} until {}{}, by {}", "{} 维护至 {}（{}由 {} 设置）")
MAINTENANCE_FOR = Said(" ({})", "{}，")
MAINTENANCE_OVER = Said("the maintenance of {} is over", "{} 维护已结束")
NO_MAINTENANCE = Said("there is no maintenance of {}", "{} 未在维护中")
MAINTENANCE_AT_MOST = Said("a maintenance may last {} at most", "维护时长最多 {}")
SCOPE_OF_ALL = Said(
    "name a service or a logger, such as {}; {} switches all off", "请写明服务或模块，例如 {}；要全部关闭请设 {}"
)
BECAUSE = Said(" ({})", "（{}）")
OLD_CARD = Said("this card is out of date, nothing was changed: {}", "这张卡片已不是最新的，未作更改：{}")
STATE_AWAY = Said("the shared state is away; nothing was changed", "状态存储暂时无法使用，未作任何更改")
CHANGES = Said("#{} changes all the time; try again", "有人同时在操作 #{}，请重试")
NOT_UNDERSTOOD = Said("“{}” is not understood. {}", "没看懂“{}”，{}")
TOO_LONG = Said("that is too long for a command. {}", "内容太长，不是指令。{}")
WHICH_ID = Said("which incident? Give its id: {}", "哪个事件？请写编号：{}")
WHICH_OF_IDS = Said("the message you quote has several ids. Give one: {}", "引用的消息里有多个编号，请写明一个：{}")
WHICH_SCOPE = Said("which service or logger? Such as: {}", "哪个服务或模块？例如：{}")
IF_A_SERVICE = Said("{}. If a service or a logger is meant: {}", "{}。如果指的是服务或模块，请发送：{}")
SERVICE = Said("service", "服务")
CRITICAL_COMES = Said("{}; CRITICAL alerts are sent nevertheless", "{}；期间严重告警仍会发送")
TO_WHOM = Said("to whom? Such as {}", "转给谁？例如：{}")
NO_RECIPIENT = Said("{} does not get these alerts; it can be given to {}", "{} 不接收这些告警，可以转给：{}")
HOW_LONG = Said("for how long? Such as {}", "静默多久？例如：{}")
NO_CODE = Said("add the code that the terminal shows: {}", "请写上终端里显示的绑定码：{}")
NO_PAIRING = Said("nothing waits for a code; `{}` prints one", "现在没有程序在等待绑定，请先在终端运行 {}，获取绑定码")
OPEN_SINCE, STILL_OPEN = Said("since {}", "自 {} 起"), Said("has been open since {}", "自 {} 开始，尚未结束")
SILENT_UNTIL = Said("{} (silenced until {})", "{}（静默至 {}）")
MESSAGES_SO_FAR = Said("messages so far: {}", "已发消息：{} 条")
HAS_IT_NOW = Said("now: {}", "当前处理人：{}")
AND_NOW = Said("{}; {}", "{}；{}")
NOBODY, NOBODY_NOW = Said("nobody", "无"), Said("nobody has it now", "现无人处理")
NOBODY_ANSWERED = Said("nobody has taken it", "无人认领")
NO_SUCH_PAGE = Said("there is no page {}; page {} is the last:", "没有第 {} 页，最后一页是第 {} 页：")
MORE_OPEN = Said("… and {} more: {}", "…… 另有 {} 个，请发送：{}")
SAY = Said("Say:", "可以这样发：")
HELP_TAKE = Said(
    "{} – you take it: repeats are counted and not told for a while", "{}：由我处理，一段时间内只计数、不提醒"
)
HELP_GIVE = Said("{} – another person has it, as if they had taken it", "{}：转给他人处理")
HELP_QUIET = Said("{} – it is counted and not told for that long", "{}：在此期间只计数、不提醒")
HELP_SCOPE = Said(
    "{} – maintenance of a service or a logger: its alerts wait", "{}：服务或模块维护，其告警等到结束后通知"
)
HELP_DONE = Said("{} – it is closed; if it comes again, it is told", "{}：关闭；再次出现时会提醒")
HELP_UNDO = Said("{} – takes back what was done last", "{}：撤回上一步")
HELP_DETAILS = Said("{} – all that is known of it", "{}：查看全部信息")
HELP_ON_CALL = Said("{} – who is on call", "{}：谁在值班")
HELP_FORGET = Said("{} – its job is expected no more", "{}：其任务不再等待")
HELP_JOBS = Said("{} – the jobs that are expected to run", "{}：应按时运行的任务")
HELP_LIST = Said(
    "{0} – what is open; also: {0} critical, {0} 2, next", "{0}：查看未结束的事件；也可发送：{0} 严重、{0} 2、下一页"
)
PLACES_OF_ANSWERS = {"chat": Said("chat {}", "单聊 {}"), "cli": Said("cli {}", "命令行 {}")}
IN_A_GROUP, CAME_BY_THEN = Said("chat {} {}", "群聊 {}（{}）"), Said("× {}", "当时 {} 次")
TO_THE_BOT = Said("to the bot: {}", "回复机器人：{}")
COMMANDS = {
    "take": Said("take", "认领"),
    "give": Said("give", "转给"),
    "quiet": Said("quiet", "静默"),
    "done": Said("done", "完成"),
    "undo": Said("undo", "撤销"),
    "details": Said("details", "详情"),
    "list": Said("list", "列表"),
    "on-call": Said("duty", "值班"),
    "jobs": Said("jobs", "任务"),
    "forget": Said("forget", "不再等它"),
    "help": Said("help", "帮助"),
    "pair": Said("pair", "绑定"),
}

# A message for many.

ALERT, ALERTS = Said("{} alert", "{} 条"), Said("{} alerts", "{} 条")
KIND, KINDS = Said("{} kind", "{} 类"), Said("{} kinds", "{} 类")
ALL_KINDS = Said("all kinds", "各类")
ALERTS_OF_KINDS = Said("{0} of {1}{2}", "{1}告警，共 {0}{2}")
WITHIN = Said(" in {}", "，{}内")
KIND_IS_QUIET, KINDS_ARE_QUIET = Said("1 kind is quiet", "1 类未再出现"), Said("{} kinds are quiet", "{} 类未再出现")

# What has waited in quiet hours or a maintenance.

WAITED = Said("{} {} · {}{}", "{} {} · {}{}")
QUIET_HOURS, NIGHT = Said("quiet hours", "静默时段"), Said("quiet hours", "夜间静默")
MAINTENANCE = Said("maintenance", "维护")
INCIDENT, INCIDENTS = Said("{} incident", "{} 件"), Said("{} incidents", "{} 件")
NONE_GOES_ON = Said(", none still open", "，未再出现")
ALL_GO_ON, SOME_GO_ON = Said(", still open", "，尚未结束"), Said(", {} still open", "，{} 件尚未结束")

# Many of one cause.

CAUSE_OF_PLACES = Said("{0}{1} · {2}", "{0}{1} · {2}")
PLACES, PLACES_IN_SERVICES = Said("{} places", "{} 处"), Said("{} places in {} services", "{} 处，{} 个服务")

# A flood: a summary, and a file.

SINCE = Said("since {} · the worst are below, all are in the file", "始于 {} · 以下为最严重的，全部见文件")
FROM, ON = Said("from {}", "来自 {}"), Said("on {}", "主机 {}")
OF_NAME, AND_MORE = Said("{} × {}", "{} × {}"), Said("{} and {} more", "{} 等，另有 {} 个")
BETWEEN_NAMES = Said(", ", "、")
QUIET_KIND = Said("quiet", "未再出现")
COLUMNS = (
    Said("id", "编号"),
    Said("level", "级别"),
    Said("count", "次数"),
    Said("in all", "累计"),
    Said("since", "始于"),
    Said("last", "最近"),
    Said("where", "来源"),
    Said("what", "内容"),
    Said("exception", "异常"),
    Said("place", "位置"),
    Said("hosts", "主机数"),
    Said("processes", "进程数"),
)

# An incident that stands for many kinds.

NEW = Said("new {} {}", "新增 {} {}")
VARIANTS_OF_IT = Said("{}: {}", "{}：{}")
OF_KIND, OF_NEW_KIND = Said("{} × {}", "{} × {}"), Said("{} × {} (new)", "{} × {}（新增）")
OTHERS = Said("others × {}", "其余 × {}")
BETWEEN_KINDS = Said(", ", "，")

# Facts.

FIRST, LAST = Said("", "首次"), Said("last", "最近")
SINCE_LAST = Said("since {}, {}", "自 {} 起，{}")
PROCESS = Said("pid {}", "进程 {}")
LOG = Said("log", "日志")
LOST = Said("lost since the last message: {}", "自上一条消息以来丢失：{}")
LOST_NUMBER = Said("{0} {1}", "{1} {0} 条")
BETWEEN_LOST = Said(", ", "，")
REASONS = {
    "queue_overflow": "队列已满",
    "rejected": "被拒收",
    "expired": "已过期",
    "exit_timeout": "退出超时",
    "disabled": "已停用",
    "closed": "已关闭",
}

# A chain of exceptions, and what there is no room for.

CAUSE = Said("which was the direct cause of:", "直接导致了：")
CONTEXT = Said("while this was handled, there came:", "处理时又发生：")
PLACE = Said("{}:{} in {}", "{}:{} {}")
MEMBER = Said("({} of {})", "（第 {} 个，共 {} 个）")
FRAMES_FOLDED = Said("… {} in {}", "… {} 层在 {} 中")
FRAMES_LEFT_OUT = Said("… {} frames left out …", "… 省略 {} 层调用 …")

# What stands in texts of the program in the place of something. No mark is longer than a line.

EXCEPTIONS_LEFT_OUT = Said("(… %s exceptions left out …)", "(… 省略 %s 个异常 …)")
MORE_EXCEPTIONS = Said("(… %s more exceptions …)", "(… 另有 %s 个异常 …)")
CHAIN_IS_A_CIRCLE = Said("(… and so on: the chain of exceptions is a circle)", "(… 异常链成环，以下重复)")
NO_TEXT_OF = Said("(a %s whose text cannot be made: %s)", "（%s 的文本无法生成：%s）")
ARGUMENTS_DO_NOT_FIT = Said("(its arguments do not fit: %s)", "（参数与格式不符：%s）")
ITS_TEXT_FAILED = Said("(its text cannot be made: %s)", "（文本无法生成：%s）")
ITS_REPR_FAILED = Said("(its repr cannot be made: %s)", "（值无法显示：%s）")
REDACT_RAISED = Said("(hidden: redact raised %s)", "（已隐藏：脱敏函数抛出 %s）")
REDACT_RETURNED = Said("(hidden: redact returned a %s)", "（已隐藏：脱敏函数返回了 %s）")
NOT_FOUND_OUT = Said("(not to be found out: %s)", "（无法获取：%s）")

# Values of fields, and parts of what a record says.

SHORT_SECONDS, SHORT_MINUTES, SHORT_HOURS = Said("{} s", "{} 秒"), Said("{} min", "{} 分钟"), Said("{} h", "{} 小时")
MINUTES_AND_SECONDS = Said("{} min {} s", "{} 分 {} 秒")
HOURS_AND_MINUTES = Said("{} h {} min", "{} 小时 {} 分")
SO_FAR = Said("{} in {span}", "{}，用时 {span}")
SO_FAR_OF = Said("{} of {} ({} %) in {span}", "{}/{}（{} %），用时 {span}")
A_SECOND = Said("{} a second{rest}", "每秒 {}{rest}")
A_MINUTE = Said("{} a minute{rest}", "每分钟 {}{rest}")
AN_HOUR = Said("{} an hour{rest}", "每小时 {}{rest}")
LEFT = Said("about {span}, until {time}", "约 {span}，预计 {time} 结束")
EVERY = Said("every {span}", "每 {span}")
A_CELL = Said("a cell", "一个单元格")
NONE = Said("(none)", "无")
FAILED_ONCE = Said("once, at {time}", "1 次（{time}）")
FAILED_TIMES = Said("{} times since {time}", "{} 次（自 {time} 起）")
NEW_LINES = Said("{} of {} lines", "{} 行（共 {} 行）")
LOGGED = Said("{before}logged {}{rest}", "{before}日志 {}{rest}")
NOTHING_SAYS_WHY = Said("nothing says why", "原因不明")
NOT_DELIVERED = Said("{name} could not deliver it: {rest}", "{name} 未能送达：{rest}")
LEFT_ONE = Said("a process died before it sent 1 alert", "有进程异常终止，1 条告警未及发出")
LEFT_SOME = Said("a process died before it sent {} alerts", "有进程异常终止，{} 条告警未及发出")
NO_MESSAGE = Said("it could not be made into a message", "无法生成消息")

# What records of ours say.

RAISED = Phrase("%s raised %s: %s", "%s 抛出 %s: %s")
PROGRAM_ENDS = Phrase("the program ends: %s: %s", "程序异常退出：%s: %s")
THREAD_ENDS = Phrase("a thread ends: %s: %s", "线程异常退出：%s: %s")
PROCESS_ENDS = Phrase("a process ends: %s: %s", "进程异常退出：%s: %s")
GREENLET_ENDS = Phrase("a greenlet ends: %s: %s", "协程异常退出：%s: %s")
IGNORED_IN = Phrase("exception ignored in %s: %s: %s", "%s 中的异常被忽略：%s: %s")

FAILED = Phrase("%s failed: %s: %s", "%s 失败：%s: %s")
REQUEST_FAILED = Phrase("a request failed: %s: %s", "请求失败：%s: %s")
NOT_LOADED = Phrase("the application cannot be loaded: %s: %s", "应用无法加载：%s: %s")
ARRIVES = Phrase("a test: alerts of this Django project arrive", "测试：本项目的告警可以送达")

JOB_FAILED = Phrase("job %s failed: %s: %s", "任务 %s 失败：%s: %s")
JOB_PROCESS_ENDED = Phrase(
    "job %s failed: its process ended with exit code %s", "任务 %s 失败：其进程已退出，退出码 %s"
)
JOB_PROCESS_KILLED = Phrase("job %s failed: its process was killed by %s", "任务 %s 失败：其进程被 %s 终止")
JOB_MISSED = Phrase("job %s missed its run", "任务 %s 错过了执行时间")
JOB_STILL_RUNS = Phrase("job %s still runs: too many instances", "任务 %s 上次仍未结束：并发实例已满")
JOB_LAST, RUN_FAILED = Said("last {}{}", "上次 {}{}"), Said(" failed", " 失败")
JOB_NEXT, JOB_RUNS = Said("next {}", "下次 {}"), Said("runs now", "运行中")
JOB_OVERDUE = Said("overdue since {}", "应于 {} 运行，已逾期")
JOB_MISSED_TIMES, JOB_PAUSED = Said("missed {}", "错过 {} 次"), Said("paused until {}", "暂停至 {}")
NO_JOBS, MORE_JOBS = Said("no job is expected", "没有已声明的任务"), Said("… and {} more", "……另有 {} 个")
NO_JOB = Said("#{} is not about a job", "#{} 不是任务告警")
JOB_FORGOTTEN = Said(
    "{} is expected no more, until a program declares it again", "不再等待任务“{}”，直到有程序再次声明它"
)
JOB_EXPECTED_AGAIN = Said("{} is expected again, as before", "任务“{}”恢复监视，与之前相同")
JOB_DID_NOT_RUN = Phrase("job %s did not run: it was due %s", "任务“%s”没有运行：应于 %s 运行")
JOBS_DID_NOT_RUN = Said("{} jobs did not run; perhaps {} has ended", "{} 个任务没有运行，可能是 {} 已停止")
JOB_DID_NOT_REPORT = Phrase(
    "job %s did not report: it was due %s, the state was away meanwhile",
    "任务“%s”没有报告：应于 %s 运行，其间状态存储不可用",
)
JOB_IS_NOT_OVER = Phrase(
    "job %s is still running, or was killed: it began %s, and may take %s",
    "任务“%s”仍在运行或已被终止：%s 开始，最长 %s",
    (2,),
)
JOB_IS_BEHIND = Phrase(
    "job %s is still running, or was killed: it began %s, and %s times since",
    "任务“%s”仍在运行或已被终止：%s 开始，其后又开始了 %s 次",
)
NOBODY_WATCHED = Phrase(
    "nobody watched from %s to %s; jobs that may not have run: %s", "%s 至 %s 没有进程检查任务；可能没有运行的任务：%s"
)
TASK_FAILED = Phrase("task %s failed: %s: %s", "任务 %s 失败：%s: %s")
TASK_FAILED_SO = Phrase("task %s failed: %s", "任务 %s 失败：%s", (1,))
DAG_FAILED = Phrase("dag %s failed: %s: %s", "工作流 %s 失败：%s: %s")
DAG_FAILED_SO = Phrase("dag %s failed: %s", "工作流 %s 失败：%s", (1,))
ACTOR_FAILED = Phrase("actor %s failed: %s: %s", "任务 %s 失败：%s: %s")
SPIDER_FAILED = Phrase("spider %s failed: %s: %s", "爬虫 %s 失败：%s: %s")
ITEM_FAILED = Phrase("an item of spider %s failed: %s: %s", "爬虫 %s 的条目处理失败：%s: %s")
DOWNLOAD_FAILED = Phrase("a request of spider %s failed: %s: %s", "爬虫 %s 的请求失败：%s: %s")
SPIDER_CLOSED = Phrase("spider %s closed: %s", "爬虫 %s 已结束：%s")

STARTED = Phrase("%s: started", "%s：已开始", (0,))
STILL_RUNNING = Phrase("%s: still running, %s", "%s：进行中，%s", (0, 1))
DONE = Phrase("%s: done, %s", "%s：已完成，%s", (0, 1))
LEFT_EARLY = Phrase(
    "%s: left before its end (break, return or an exception), %s", "%s：提前结束（break、return 或异常），%s", (0, 1)
)
STOPPED = Phrase("%s: stopped by %s, %s", "%s：被 %s 中止，%s", (0, 2))
WORK_FAILED = Phrase("%s: failed, %s: %s: %s", "%s：失败，%s：%s: %s", (0, 1))

EXIT_CODE = Phrase("exit code %s", "退出码 %s")
KILLED = Phrase("killed by %s", "被 %s 终止")
KILLED_BY_NUMBER = Phrase("killed by signal %s", "被信号 %s 终止")
KILLED_OUT_OF_MEMORY = Phrase("killed by %s (out of memory?)", "被 %s 终止（内存不足？）")
WORKS_AGAIN = Phrase("works again; it had failed %s", "已恢复正常；此前失败 %s", (0,))
NOT_STARTED = Phrase("cannot be started: %s", "无法启动：%s")

# Names of their fields.

FIELDS = {
    "args": "参数",
    "callback": "回调",
    "collection": "用例收集",
    "command": "命令",
    "dag": "工作流",
    "dropped": "丢弃",
    "due": "应执行时间",
    "errors": "错误数",
    "failed": "连续失败",
    "fallback": "兜底",
    "function": "函数",
    "id": "编号",
    "items": "条目数",
    "job": "任务",
    "kwargs": "关键字参数",
    "last run": "上次运行",
    "last worked": "上次成功",
    "late": "补发",
    "left": "剩余",
    "log": "日志",
    "message": "消息",
    "method": "方法",
    "new output": "新输出",
    "output": "输出",
    "passed": "通过",
    "process": "进程",
    "queue": "队列",
    "rate": "速率",
    "reasons": "原因",
    "requests": "请求数",
    "retries": "重试次数",
    "route": "路由",
    "run": "运行批次",
    "schedule": "计划",
    "skipped": "跳过",
    "spider": "爬虫",
    "status": "状态码",
    "steps": "总步数",
    "task": "任务",
    "thread": "线程",
    "took": "耗时",
    "tries": "尝试次数",
    "try": "第几次尝试",
    "url": "网址",
    "user": "用户",
    "view": "视图",
    "where": "位置",
}

PHRASES = {row.en: row for row in list(globals().values()) if isinstance(row, Phrase)}
"""What a record may say, by its English text."""


# Finding English words again in a text that was masked meanwhile. All of it takes linear time.

_MARKS = (
    *(CHARACTERS_CUT, EXCEPTIONS_LEFT_OUT, MORE_EXCEPTIONS, CHAIN_IS_A_CIRCLE),
    *(NO_TEXT_OF, ARGUMENTS_DO_NOT_FIT, ITS_TEXT_FAILED, ITS_REPR_FAILED, NOT_FOUND_OUT),
    *(REDACT_RAISED, REDACT_RETURNED),
)
_VALUES = (
    *(SHORT_SECONDS, SHORT_MINUTES, SHORT_HOURS, MINUTES_AND_SECONDS, HOURS_AND_MINUTES, SO_FAR_OF, SO_FAR),
    *(A_SECOND, A_MINUTE, AN_HOUR, LEFT, EVERY, A_CELL, NONE),
    *(LOGGED, NOTHING_SAYS_WHY, NOT_DELIVERED, NO_MESSAGE),
    *(FAILED_ONCE, FAILED_TIMES, NEW_LINES, LEFT_ONE, LEFT_SOME),
)
_MAX_VALUE = 1024
_INSIDE = {
    "{}": r"(\d[\d.]{0,19}(?:e[+-]\d{1,3})?)",
    "{span}": r"(?P<span>\d{1,19} (?:s|min|h))",
    "{name}": r"(?P<name>\w{1,80})",
    "{time}": r"(?P<time>\d\d-\d\d \d\d:\d\d)",
    "{before}": "(?P<before>(?:.*, )?)",
    "{rest}": "(?P<rest>.*)",
}
_BY_MARK = [
    (row, max(row.en.split("%s"), key=len), lazy(r"([\w.<>]{1,200})".join(map(re.escape, row.en.split("%s")))))
    for row in _MARKS
]
_BY_VALUE = [
    (
        row,
        lazy("(?s)" + "".join(_INSIDE.get(part) or re.escape(part) for part in re.split(r"(\{\w*\})", row.en))),
    )
    for row in _VALUES
]


def retold(text: str, phrase: Phrase) -> str:
    """A text that was made of a phrase, in Chinese; as it is where the phrase is not found in it."""
    if (found := phrase.parts(text)) is None:
        return text
    parts, rest = found
    told = [retold_value(part) if place in phrase.inner else part for place, part in enumerate(parts)]
    return phrase.within("zh", *told) + rest


def retold_value(text: str) -> str:
    """A value of ours in Chinese; as it is where it is none."""
    for row, pattern in _BY_VALUE if len(text) <= _MAX_VALUE else ():
        if match := pattern.fullmatch(text):
            inside = {name: retold_value(part) for name, part in match.groupdict().items()}
            named = set(pattern.groupindex.values())
            numbers = [part for place, part in enumerate(match.groups(), 1) if place not in named]
            return filled(row.zh, "zh", numbers, inside)
    return text


def with_marks_retold(text: str) -> str:
    """A text of the program in which our marks are Chinese."""
    for row, words, pattern in _BY_MARK:
        if words in text:
            text = pattern.sub(partial(_mark, row), text)
    return text


def _mark(row: Said, match: re.Match[str]) -> str:
    return row.zh % match.groups()


# The buttons of a card, and what stands beside them.

BUTTON_TAKE = Said("I take it", "我来处理")
BUTTON_QUIET = Said("Quiet", "静默")
BUTTON_DETAILS = Said("Details", "详情")
BUTTON_UNDO = Said("Undo", "撤销")
BUTTON_DONE = Said("Done", "完成")
BUTTON_FORGET = Said("Forget it", "不再等它")
BUTTON_LIST = Said("What is open", "未结束列表")
CARD_OVER = Said("#{} is over", "#{} 已结束")
CARD_TAKEN = Said("taken {}", "{} 认领")
CARD_CLAIM_OVER = Said("claim over {}", "{} 认领到期")
CARD_SILENT = Said("quiet to {}", "静默至 {}")
CARD_CLOSED = Said("closed {}", "{} 关闭")
CARD_UNWATCHED = Said("unwatched {}", "{} 停止监视")
CARD_RETURNED = Said("given back {}", "{} 取消认领")
CARD_RESUMED = Said("resumed {}", "{} 取消静默")
CARD_REOPENED = Said("reopened {}", "{} 重新打开")
CARD_ESCALATED = Said("escalated {}", "{} 升级通知")
CARD_SILENCE_OVER = Said("quiet over {}", "{} 静默结束")
CARD_BY = Said("{0}, {1}", "{1} {0}")
CARD_WHO = Said("who", "操作人")
CARD_BEFORE = Said("was", "上次处理")
CARD_TIMES = Said("times", "次数")
CARD_LENGTH = Said("Quiet for", "静默时长")
CARD_PLACE = Said("where", "位置")
CARD_HOST = Said("host", "主机")
CARD_SINCE = Said("since", "开始")
CARD_LENGTHS = {
    "30m": Said("30 minutes", "30 分钟"),
    "1h": Said("1 hour", "1 小时"),
    "2h": Said("2 hours", "2 小时"),
    "8h": Said("8 hours", "8 小时"),
    "24h": Said("24 hours", "24 小时"),
}

# What an AI bot answers beside what was done.

MAY_NOT = Said(
    "Sorry: you may not answer alerts here, nothing was done. Whoever runs the program can add you to its answerers.",
    "抱歉：你在这里没有处理告警的权限，本次未执行。请联系程序的维护人员，把你加入可处理人名单。",
)
TOO_MANY = Said(
    "Too many commands: this one was not carried out. Try again in a minute.",
    "操作过于频繁，本次未执行，请一分钟后再试。",
)
LETTERS_ONLY = Said("Only typed words are understood here.", "这里只识别文字。")
PAIRED = Said("This chat is known now: the terminal shows its id.", "已识别此会话，编号已显示在终端中。")
CODE_UNKNOWN = Said(
    "That code is not known, or older than ten minutes.",
    "绑定码无效，或已超过十分钟。",
)
