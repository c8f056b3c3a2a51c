"""What handlers say on stderr, in the language of the environment, as it comes from a program."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import wecom_logging
from wecom_logging._errors_in_chinese import ANOTHER, ERRORS, in_chinese
from wecom_logging._lines import LINES, line
from wecom_logging._sandbox import Sandbox
from wecom_logging._wecom.errcodes import api_error
from wecom_logging._wecom.explained import explained, warned

from .programs import run

PACKAGE = Path(wecom_logging.__file__).parent
PROGRAMS = {
    "the secret is wrong": (
        'one = WeComHandler(secret="wrong", exit_timeout=0); one.handle(record); one.flush(1)',
        r"WeComHandler: alerts wait: errcode 40001 from gettoken: .*Secret",
        r"WeComHandler: 告警待发送，稍后自动重试：gettoken 返回 errcode 40001：.*。.*Secret",
    ),
    "nobody answers": (
        'one = WeComHandler(api_base="http://127.0.0.1:9", exit_timeout=0); one.handle(record); one.flush(4)',
        r"alerts wait: .*127\.0\.0\.1(?s:.*)1 alert was not sent within exit_timeout \(0 s\): it is lost",
        r"告警待发送，稍后自动重试：无法连接 127\.0\.0\.1（连接被拒绝）。请确认本机能访问"
        r"(?s:.*)1 条告警在 exit_timeout（0 秒）内未能发出，已丢失",
    ),
    "a recipient is unknown": (
        'one = WeComHandler(users=["sandbox-user", "nobody"]); one.handle(record); one.flush(20)',
        r"WeCom did not accept some recipients: users nobody",
        r"企业微信未接受部分接收人：成员 nobody",
    ),
    "a name fits nobody": (
        'one = WeComHandler(users=["sandbox-user", "张三丰"]); one.handle(record); one.flush(20)',
        r"users: nobody that the app sees has the id, mobile, e-mail address or name '张三丰'",
        r"users：应用看不到账号、手机号、邮箱或姓名为“张三丰”的成员",
    ),
    "no name fits": (
        'one = WeComHandler(users=["张三丰"]); one.handle(record); one.flush(20)',
        r"an alert was refused #\w+: no recipient is left: users: nobody that the app sees",
        r"告警被拒绝 #\w+：没有可用的接收人：users：应用看不到账号",
    ),
    "a formatter raises": (
        "class Broken(logging.Formatter):\n    def format(self, record): raise ValueError(record)\n"
        "one = WeComHandler(); one.setFormatter(Broken()); one.handle(record); one.flush(20)",
        r"the handler's formatter raised ValueError; the plain text is sent",
        r"handler 的 formatter 抛出 ValueError；改发原文",
    ),
    "a fingerprint is none": (
        "one = WeComHandler(fingerprint=lambda record: 3); one.handle(record); one.flush(20)",
        r"a fingerprint must be a str, not a int; it is ignored",
        r"fingerprint 应为 str，而不是 int；已忽略",
    ),
    "extra has a wrong name": (
        'record.wecom = {"user": ["a"]}; one = WeComHandler(); one.handle(record); one.flush(20)',
        r'extra=\{"wecom": …\} has unknown names \[\'user\'\]; known: users, ',
        r'extra=\{"wecom": …\} 中有无法识别的键 \[\'user\'\]；可用的有：users, ',
    ),
    "extra has a wrong recipient": (
        'record.wecom = {"users": ["a<b"]}; one = WeComHandler(); one.handle(record); one.flush(20)',
        r'extra=\{"wecom": …\}: users: .*; the handler\'s own recipients are told',
        r'extra=\{"wecom": …\}：users：.*[一-鿿].*；改发给 handler 自己的接收人',
    ),
    "the fallback is off": (
        'one = WeComHandler(users=["nobody"], fallback=WeComBotHandler(enabled=False)); one.handle(record)\n'
        "one.flush(20)",
        r"the fallback cannot take the alert: it is switched off",
        r"兜底 handler 无法接收告警：已停用",
    ),
    "on_outcome raises": (
        "one = WeComHandler(on_outcome=lambda report: 1 / 0); one.handle(record); one.flush(20)",
        r"on_outcome raised ZeroDivisionError",
        r"on_outcome 抛出 ZeroDivisionError",
    ),
    "the handler is closed": (
        "one = WeComHandler(); one.close(); one.handle(record)",
        r"the handler is closed \(its close\(\) was called, .* are counted and not sent",
        r"handler 已关闭（调用过它的 close\(\)，或程序正在结束）；.*只计数，不发送；.*请另建",
    ),
    "there is no handler": (
        "report = notify_on_exception(lambda: 1 / 0); contextlib.suppress(ZeroDivisionError).__enter__()\n"
        "with contextlib.suppress(ZeroDivisionError): report()",
        r": no WeCom handler is set up; the exception was not sent",
        r"：尚未配置 WeCom handler；",
    ),
    "the state is away": (
        'one = WeComHandler(state="redis://127.0.0.1:9/0"); one.handle(record); one.flush(20)',
        r"state: .*; meanwhile this process keeps its alerts in memory",
        r"状态存储不可用：.*；恢复之前，本进程的告警保存在内存中",
    ),
    "the file of the state is another program's": (
        'open(f"{sys.argv[0]}.db", "w").write("x" * 5000); os.chmod(f"{sys.argv[0]}.db", 0o600)\n'
        'one = WeComHandler(state=f"sqlite://{sys.argv[0]}.db"); one.handle(record); one.flush(20)',
        r"state: .*/program\.db is no SQLite file; choose another path; meanwhile",
        r"状态存储不可用：.*/program\.db 不是 SQLite 文件，请换一个路径；恢复之前",
    ),
    "the file of the state is damaged": (
        'where = f"{sys.argv[0]}.db"; pid = os.fork()\n'
        'if not pid: one = WeComHandler(state=f"sqlite://{where}"); one.handle(record); one.flush(20); os._exit(0)\n'
        "os.waitpid(pid, 0)\n"
        'with open(where, "r+b") as file: file.seek(4096); file.write(b"\\xff" * (os.path.getsize(where) - 4096))\n'
        'one = WeComHandler(state=f"sqlite://{where}"); one.handle(record); one.flush(20)',
        r"state: .*/program\.db is damaged \(.*\); it is now .*\.broken-\d+, with the alerts that were not sent",
        r"状态存储不可用：.*/program\.db 已损坏（.*），已改名为 .*\.broken-\d+，其中有未发送的告警；恢复之前",
    ),
    "too many wait": (
        'one = WeComHandler(max_pending=2, api_base="http://127.0.0.1:9", exit_timeout=0)\n'
        'for n in range(50): one.handle(logging.LogRecord(f"l{n}", 40, "p.py", n, chr(97 + n) * 9, (), None))\n'
        "one.flush(1)",
        r"\d+ alerts are lost (so far|in all): more waited than max_pending allows",
        r"(至今已|共)丢失 \d+ 条告警：待发送的超过 max_pending",
    ),
    "chats are not known": (
        "from wecom_logging import WeComAIBotHandler\n"
        'url = os.environ["WECOM_API_BASE"].replace("http", "ws") + "/aibot"\n'
        'chats = ["sandbox-user", "ghost", "spirit"]\n'
        'one = WeComAIBotHandler(bot_id="sandbox-aibot", secret="sandbox-aibot-secret", url=url, chats=chats)\n'
        "one.handle(record)\n"
        "one.flush(10)",
        r"did not accept some recipients: chats ghost, spirit\n.*: chat ghost, spirit: errcode 93006 from ",
        r"未接受部分接收人：会话 ghost, spirit\n.*：aibot_send_msg 返回 errcode 93006：[^a-z]+，并检查 chats（",
    ),
    "a process died": (
        'one = WeComHandler(state=f"sqlite://{sys.argv[0]}.db", api_base="http://127.0.0.1:9")\n'
        "pid = os.fork()\n"
        "if not pid: one.handle(record); os.kill(os.getpid(), 9)\n"
        "os.waitpid(pid, 0)\n"
        'again = WeComHandler(state=f"sqlite://{sys.argv[0]}.db", exit_timeout=1)\n'
        "again.flush(20)",
        r"a process died before it sent 1 alert, which this process sends now",
        r"有进程异常终止，1 条告警未及发出，现由本进程发送",
    ),
}


SLOW = ("nobody answers",)  # it is tried for some seconds


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("case", [pytest.param(one, marks=pytest.mark.slow if one in SLOW else ()) for one in PROGRAMS])
def test_a_program_says_it(case: str, language: str, sandbox: Sandbox, tmp_path: Path) -> None:
    code, en, zh = PROGRAMS[case]
    begin = (
        "import contextlib, logging, os, sys, time\n"
        "from wecom_logging import WeComBotHandler, WeComHandler, notify_on_exception\n"
        f'sys.argv = ["{tmp_path}/program"]\n'
        'record = logging.LogRecord("shop", 40, "pay.py", 7, "it broke", (), None)\n'
    )
    ended = run(begin + code, url=sandbox.url, WECOM_LANGUAGE=language)
    assert re.search(zh if language == "zh" else en, ended.err), ended.err
    assert (
        bool(re.search("[一-鿿]", re.sub("沙箱|张三丰", "", ended.err))) == (language == "zh")
        or "管理后台" in ended.err
    )


def test_each_row_is_said() -> None:
    source = "".join(path.read_text("utf-8") for path in PACKAGE.rglob("*.py") if path.name != "_lines.py")
    assert [row for row in LINES if f'"{row}"' not in source and not row.startswith("no_handler")] == []


def test_each_text_of_an_error_is_one_that_is_raised_and_is_said_in_chinese() -> None:
    source = "".join(path.read_text("utf-8") for path in PACKAGE.rglob("*.py") if path.name != "_errors_in_chinese.py")
    for phrase in (one for one in ERRORS if one is not ANOTHER):  # which is a line, too
        longest = max(phrase.en.split("%s"), key=len).strip(": ()")
        assert longest in source, phrase
        values = tuple(f"<{place}>" for place in range(phrase.en.count("%s")))
        assert in_chinese(phrase.en % values) == phrase.zh % values, phrase
    locked = "/a.db: database is locked (a moment ago; it is not tried again yet)"
    assert in_chinese(locked) == "/a.db：正被其他进程锁定（刚刚发生，暂不重试）"
    assert in_chinese("/a.db: Permission denied") == "/a.db：没有权限"
    assert in_chinese("h:1: the cluster is down (CLUSTERDOWN)") == "h:1：集群不可用 (CLUSTERDOWN)"
    assert in_chinese("no TLS connection to h: Permission denied") == "无法与 h 建立 TLS 连接：没有权限"
    assert in_chinese("host:7 did not answer in time") == "host:7 未在时限内应答"
    assert in_chinese("what nobody knows: 7 is busy, or not") == "what nobody knows: 7 is busy, or not"


def test_the_language_is_that_of_the_variable_or_of_the_locale(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG", "LANGUAGE", "WECOM_LANGUAGE"):
        monkeypatch.delenv(name, raising=False)
    assert line("state_again", name="x") == "state: x can be used again"
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    assert line("state_again", name="{x}") == "状态存储已恢复：{x}"
    monkeypatch.setenv("WECOM_LANGUAGE", "en")
    assert line("state_again", name="x") == "state: x can be used again"


@pytest.mark.parametrize(
    ("errcode", "errmsg", "shown"),
    [
        (
            40058,
            "Missing card.task_id, hint: [12], from ip: 192.0.2.7",
            "参数不合法或过长（Missing card.task_id）。请查看",
        ),
        (60020, "not allow to access, from ip: 192.0.2.7, more info at x", "企业微信看到的 IP（192.0.2.7）添加到"),
        (987654, "odd (thing)", "企业微信拒绝了请求（odd (thing)）。请在"),
        (40058, "", "参数不合法或过长。请查看"),
    ],
)
def test_a_chinese_warning_has_what_wecom_said_as_the_english_one_has(errcode: int, errmsg: str, shown: str) -> None:
    error = api_error(errcode, errmsg, "send")
    assert explained(error, "zh") in (one := warned(f"chat a: {error}; chat b: {error}", "zh"))
    assert one.count(shown) == 2
    assert warned("WeCom took the message but warns of its format", "zh") == "企业微信已接收消息，但提示其格式有误"
    assert warned(f"a picture could not be sent: {error}", "zh") == f"图片未能发出：{explained(error, 'zh')}"
