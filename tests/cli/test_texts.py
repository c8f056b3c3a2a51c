"""The language of the commands: `WECOM_LANGUAGE`, else the locale, else English."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from wecom_logging import _cli as cli
from wecom_logging._answers.reply import line_of
from wecom_logging._cli.incidents import _for_people, _shown
from wecom_logging._cli.parser import _table
from wecom_logging._cli.printing import width
from wecom_logging._cli.texts import field
from wecom_logging._incidents.incident import Kept
from wecom_logging._incidents.view import known
from wecom_logging._render.words import JOB_DID_NOT_RUN
from wecom_logging._runtime.version import __version__
from wecom_logging._sandbox import Sandbox
from wecom_logging._state import shared
from wecom_logging._text.said import Language
from wecom_logging.model import Department, Failure, Member, Tag

from ..incidents.test_life import opened
from ..programs import CREDENTIALS, ROOT
from ..render.alerts import alert
from ..scripted import ScriptedWeCom, errcode
from .conftest import Command, parsers
from .test_cli import call

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

CANARY = "canary"
SAID = [
    (("departments", "list"), "name      id  leaders\n沙箱公司  1\n", "名称      编号  负责人\n沙箱公司  1\n"),
    (("tags", "add", "5", "--users", "sandbox-user"), "added to tag 5\n", "已加入标签 5\n"),
    (
        ("tags", "add", "5", "--users", "sandbox-user", "nobody"),
        "added to tag 5; not for:\n  users nobody\nwecom-logging: these do not exist, or may not be touched\n",
        "已加入标签 5；以下除外：\n  成员 nobody\nwecom-logging: 以上对象不存在，或无权操作\n",
    ),
    (("tags", "update", "5", "--name", "夜班"), "changed tag 5\n", "已修改标签 5\n"),
    (
        ("members", "update", "sandbox-user"),
        "wecom-logging: nothing to change: give --name, --mobile, --departments …\n",
        "wecom-logging: 没有要修改的内容：请给出 --name, --mobile, --departments …\n",
    ),
    (
        ("members", "delete", "sandbox-user"),
        "wecom-logging: nobody can be asked here: give --yes to delete members\n",
        "wecom-logging: 此处无法询问确认：如需删除成员，请加 --yes\n",
    ),
    (
        ("departments", "show", "77"),
        "wecom-logging: errcode 60003 from department/get: the department does not exist (department not found). "
        "Give the id of a department that exists (管理后台 → 通讯录 → the department).\n",
        "wecom-logging: department/get 返回 errcode 60003：部门不存在（department not found）。"
        "请填写通讯录中存在的部门 ID（管理后台 → 通讯录 → 对应部门）。\n",
    ),
    (
        ("members", "create", "--user-id", "a b", "--name", "x", "--mobile", "13800000000"),
        "wecom-logging: user_id: 1 to 64 of the characters",
        "wecom-logging: user_id：应为 1 到 64 个字符",
    ),
    (
        ("incidents", "quiet", "k7f2", "soon"),
        "or an end such as 18:00: 'soon' is none",
        "或结束时间（例如 到18点）：没看懂“soon”",
    ),
    (("run",), "wecom-logging: nothing to run: wecom-logging run -- COMMAND …\n", "没有要运行的命令"),
    (("send", " "), "wecom-logging: nothing to send: TEXT is empty\n", "wecom-logging: 没有要发送的内容：TEXT 为空\n"),
    (("send", "x"), "app: delivered\nbot: delivered\n", "应用：已送达\n群机器人：已送达\n"),
    (("pending",), "no process has used ", "尚无进程使用过 "),
    (("pending",), "nothing waits, and nothing was given up\ncounted 0 = ", "没有待发送或已放弃的告警\n累计 0 = "),
    (("pending", "send"), "give ID, as `wecom-logging pending` shows it", "请给出 `wecom-logging pending` 显示的编号"),
    (("incidents",), "nothing is open\n", "没有未结束的事件\n"),
    (("incidents", "take", "k7f2", "--as", " "), "say who does it: --as NAME", "请用 --as 写明姓名"),
    (
        ("--state", "redis://a:b@host", "pending"),
        "--state takes no URL with a user or a password",
        "--state 不接受含用户名或密码的 URL",
    ),
    (("--state", "memory://", "pending"), "memory:// is in the memory of each process", "无法从外面查看"),
]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_command_says_each_thing_in_the_language_that_is_set(
    command: Command, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, language: str
) -> None:
    sandbox.add_tag(5)
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("WECOM_LANGUAGE", language)
    monkeypatch.setenv("WECOM_STATE", f"sqlite://{tmp_path / 'alerts.db'}")
    for arguments, *expected in SAID:
        done = command(*arguments)
        shared.close_all()
        assert expected[language == "zh"] in done.out + done.err, arguments
        assert expected[language != "zh"] not in done.out + done.err, arguments
        if language == "zh":
            said = re.sub("（.*?）|`.*?`", "", done.out + done.err)  # what others say, and code
            assert not re.search(r"[a-z]{3,} [a-z]{3,} [a-z]{3,}", said), arguments


@pytest.mark.parametrize("language", ["en", "zh"])
def test_help_is_in_the_language_that_is_set(language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WECOM_LANGUAGE", language)
    monkeypatch.setenv("COLUMNS", "100")
    for one in parsers():
        said = one.format_help()
        assert said.startswith("用法：" if language == "zh" else "usage: ")
        assert ("显示帮助并退出" in said) == (language == "zh")
        assert not re.search(rf"\b({'|'.join(_table())})\.[a-z_]+\b", said, re.IGNORECASE), one.prog
        assert all(width(line) <= 100 for line in said.splitlines()), said
        if language == "zh":
            assert not re.search(r"(?<![-\w])[a-z]{3,} [a-z]{3,} [a-z]{3,}", said.partition("\n\n")[2]), said
            assert not re.search("。 |[一-鿿] [一-鿿]", said)


def test_the_version_is_shown_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["--version"])
    assert capsys.readouterr().out == f"{__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "en", "zh"),
    [
        (["members", "create"], "error: the following arguments are required: --user-id", "错误：缺少参数：--user-id"),
        (
            ["--secret", CANARY, "send"],
            "argument COMMAND: invalid choice (choose from 'demo'",
            "参数 COMMAND：没有这个选择（可选：'demo'",
        ),
        (["incidents", "--limit", "0"], "--limit: a number from 1 to 500", "参数 --limit：应为 1 到 500 之间的数字"),
        (["incidents", "--limit", "x"], "--limit: a number from 1 to 500", "参数 --limit：应为 1 到 500 之间的数字"),
        (
            ["incidents", "--stat", f"(choose from '{CANARY}')"],
            "invalid choice (choose from 'show'",
            "没有这个选择（可选：",
        ),
        ([f"--json={CANARY}", "jobs"], "argument --json: ignored explicit argument\n", "参数 --json 不带值\n"),
        (["demo", "--port", CANARY], "argument --port: invalid int value\n", "参数 --port：应为整数\n"),
        (["doctor", "--timeout", CANARY], "--timeout: invalid float value\n", "参数 --timeout：应为数字\n"),
        (["members", "find"], "one of the arguments --mobile --email is", "需要给出其中一个参数：--mobile --email"),
        (["doctor", "--lang"], "argument --lang: expected one argument", "参数 --lang：需要一个值"),
        (
            ["members", "find", "--mobile", "1", "--email", "e"],
            "not allowed with argument --mobile",
            "不能与 --mobile 同时",
        ),
        (["tags", "add", "1", CANARY], "unknown arguments: --help", "无法识别的参数：命令后加 --help"),
        (["tags", "list", f"--secret={CANARY}"], "usage: wecom-logging tags list [-h]", "无法识别的参数 --secret："),
        (["jobs", "--json"], "--json goes before the command: wecom-logging --json jobs", "--json 要写在命令之前"),
        (["--json", "watch"], "wecom-logging watch prints nothing for programs", "没有供程序读取的输出"),
        (["members", "update", "a", "--field", CANARY], "NAME=VALUE is needed, NAME one of alias", "应为 NAME=VALUE"),
    ],
)
def test_a_mistake_of_usage_is_said_in_the_language_that_is_set(
    arguments: list[str], en: str, zh: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for language, expected in (("en", en), ("zh", zh)):
        monkeypatch.setenv("WECOM_LANGUAGE", language)
        with pytest.raises(SystemExit) as ended:
            cli.main(arguments)
        said = capsys.readouterr().err
        assert (ended.value.code, expected in said, CANARY in said) == (2, True, False), said


def test_without_a_setting_the_locale_says_it_and_without_that_it_is_english(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert command("departments", "list").out.startswith("name ")
    monkeypatch.setenv("LC_MESSAGES", "zh_CN.UTF-8")
    assert command("departments", "list").out.startswith("名称 ")
    monkeypatch.setenv("WECOM_LANGUAGE", "en")
    assert command("departments", "list").out.startswith("name ")
    monkeypatch.setenv("WECOM_LANGUAGE", "no-language")
    assert command("departments", "list").out.startswith("名称 ")


def test_what_programs_read_is_the_same_in_both_with_the_remedy_in_both(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {**CREDENTIALS, "WECOM_WEBHOOK": "no-such-bot"}.items():
        monkeypatch.setenv(name, value)
    shown = []
    for language in ("en", "zh"):
        monkeypatch.setenv("WECOM_LANGUAGE", language)
        done = command("--json", "send", "x")
        shown.append(done.json[1])
        assert ("请" in done.err) == (language == "zh")
        assert command("--json", "departments", "list").json[0]["name"] == "沙箱公司"
    assert shown[0] == shown[1]
    assert "93000" in shown[0]["error"]
    assert shown[0]["remedy"]["en"].isascii() is False  # the console's own words
    assert "请" in shown[0]["remedy"]["zh"]
    assert "请" not in shown[0]["remedy"]["en"]


def test_an_error_of_the_network_is_said_with_what_to_do(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        monkeypatch.setenv("WECOM_API_BASE", f"http://127.0.0.1:{closed.getsockname()[1]}")
    monkeypatch.setenv("WECOM_LANGUAGE", "zh")
    said = command("tags", "list").err
    assert "无法连接 127.0.0.1（连接被拒绝）。请确认" in said
    assert "请确认本机能访问该地址和端口" in said


@pytest.mark.parametrize(
    ("language", "not_started", "nobody_told"),
    [
        (
            "en",
            "x: cannot be started: No such file",
            "x: cannot be started: No such file or directory (nobody is told)",
        ),
        ("zh", "x：无法启动：文件或目录不存在", "x：无法启动：文件或目录不存在（未通知任何人）"),
    ],
)
def test_run_says_why_a_command_failed_and_that_nobody_is_told(
    language: str, not_started: str, nobody_told: str
) -> None:
    done = call("run", "--", "/no/x", WECOM_LANGUAGE=language)
    lines = done.stderr.splitlines()
    assert (done.returncode, len(lines)) == (127, 3)
    assert not_started in lines[1]
    assert lines[2] == f"wecom-logging: {nobody_told.format(os.strerror(2))}"


def test_a_token_that_is_refused_for_good_is_not_answered_with_what_was_done(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ScriptedWeCom() as wecom:
        wecom.always("/cgi-bin/tag/list", errcode(40014))
        monkeypatch.setenv("WECOM_API_BASE", wecom.url)
        said = command("tags", "list").err
        asked = [request.path for request in wecom.requests]
        assert sum("gettoken" in path for path in asked) == 2  # a new one was tried
    assert "A new access_token was refused, too" in said


@pytest.mark.parametrize("kind", [Department, Member, Tag])
def test_each_field_of_what_is_shown_has_a_name_in_chinese(
    monkeypatch: pytest.MonkeyPatch, kind: type[DataclassInstance]
) -> None:
    monkeypatch.setenv("WECOM_LANGUAGE", "zh")
    assert all(re.search("[一-鿿]", field(one.name)) for one in fields(kind))


def test_each_field_of_an_incident_that_is_shown_has_a_name_in_chinese(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WECOM_LANGUAGE", "zh")
    shown = _shown("app", known(opened()), str, 0.0)
    assert len(shown) >= 15
    assert all(re.search("[一-鿿]", field(name)) for name in shown)


@pytest.mark.parametrize(
    ("language", "job"),
    [("en", "job 对账 did not run: it was due 02:30"), ("zh", "任务“对账”没有运行：应于 02:30 运行")],
)
def test_a_list_says_of_an_incident_what_its_message_says_on_the_phone_and_here(
    language: Language, job: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WECOM_LANGUAGE", language)
    form = JOB_DID_NOT_RUN.en
    late = alert(message=form % ("对账", "02:30"), template=form, ours=(form,))
    raised = alert(message="payment failed", failures=(Failure("ConnectionError", "the bank does not answer"),))
    for one, line in ((late, job), (raised, "payment failed: ConnectionError: the bank does not answer")):
        incident = known(replace(opened(), first=Kept(one)))
        assert line_of(incident, 0.0, language, str).endswith(f" · {line}")
        shown = _shown("app", incident, str, 0.0, language)
        assert shown["text"] == one.message  # as a program reads it
        assert _for_people(shown, incident, str)["text"] == line


def test_each_command_stands_in_the_page_of_commands() -> None:
    commands = {parts[1] for one in parsers() if len(parts := one.prog.split()) > 1}
    assert {"doctor", "on-call", "watch"} < commands
    for page in ("cli.md", "cli.zh.md"):
        said = (ROOT / "docs" / page).read_text(encoding="utf-8")
        assert [one for one in sorted(commands) if f"wecom-logging {one}" not in said] == []


def test_each_page_that_a_text_names_is_there() -> None:
    texts = "".join(path.read_text("utf-8") for path in sorted((ROOT / "wecom_logging").rglob("*.toml")))
    named = set(re.findall(r"[\w/.-]+\.md\b", texts))
    assert "README.zh-CN.md" in named
    assert [name for name in named if not (ROOT / name).is_file() and not (ROOT / "docs" / name).is_file()] == []


@pytest.mark.slow
@pytest.mark.parametrize("service", ["watch", "answers"])
def test_a_service_says_that_its_state_is_away(service: str, sandbox: Sandbox, tmp_path: Path) -> None:
    more = {"WECOM_STATE": f"sqlite://{tmp_path}/no/alerts.db", "WECOM_LANGUAGE": "zh", "PYTHONPATH": str(ROOT)}
    environment = {**os.environ, **sandbox.environment, **more}
    command = [sys.executable, "-m", "wecom_logging._cli", service]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=environment, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        process.terminate()
        out, _ = process.communicate(timeout=20)
    assert line.startswith(f"wecom_logging: 状态存储不可用：{tmp_path}/no：文件或目录不存在；恢复之前")
    assert "其他进程" not in out  # nobody knows whether another has the connection


@pytest.mark.slow
def test_why_the_bot_is_not_connected_is_said_with_what_to_do(sandbox: Sandbox, tmp_path: Path) -> None:
    more = {"WECOM_STATE": f"sqlite://{tmp_path}/alerts.db", "WECOM_LANGUAGE": "zh", "PYTHONPATH": str(ROOT)}
    environment = {**os.environ, **sandbox.environment, **more, "WECOM_AIBOT_SECRET": "wrong"}
    command = [sys.executable, "-m", "wecom_logging._cli", "answers"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        process.terminate()
        process.communicate(timeout=20)
    assert line.startswith(
        "未连接：aibot_subscribe 返回 errcode 853000：智能机器人的 Bot ID 或 Secret 错误。请重新复制"
    )


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"WECOM_AIBOT_SECRET": ""}, "secret：未设置。请传入 secret=…，或设置 WECOM_AIBOT_SECRET 或"),
        ({"WECOM_AIBOT_ID": ""}, "bot_id：未设置。请传入 bot_id=…，或设置 WECOM_AIBOT_ID（工作台"),
        ({"WECOM_STATE": ""}, "state：memory:// 只在"),
    ],
    ids=["secret", "id", "state"],
)
def test_what_is_not_set_for_the_bot_is_said_with_the_variable_of_the_bot(
    environment: dict[str, str], said: str, command: Command, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = {**sandbox.environment, "WECOM_STATE": "sqlite:///no/alerts.db", "WECOM_LANGUAGE": "zh", **environment}
    for name, value in there.items():
        monkeypatch.setenv(name, value)
    done = command("answers")
    assert done.status == 3
    assert done.err.startswith(f"wecom-logging: {said}")


@pytest.mark.parametrize(
    ("variables", "cause", "remedy"),
    [
        (
            {"WECOM_CORP_ID": "", "WECOM_CORPID": "ww1", "WECOM_SECRET": "x"},
            (
                "✗ configuration WECOM_CORPID: no option and no command reads a variable of this name; "
                "did you mean WECOM_CORP_ID?",
                "✗ 配置项 WECOM_CORPID：没有选项或命令会读取这个环境变量，可能应为 WECOM_CORP_ID",
            ),
            ("→ Correct its name, or unset it.", "→ 请更正变量名，或取消设置；"),
        ),
        (
            {"WECOM_CORP_ID": '"ww1"'},
            (
                "✗ configuration WECOM_CORP_ID: it begins or ends with a quotation mark",
                "✗ 配置项 WECOM_CORP_ID：开头或结尾带有引号",
            ),
            ("→ Set corp_id (WECOM_CORP_ID) to", "→ 请把 corp_id（WECOM_CORP_ID）设为"),
        ),
    ],
    ids=["a slip", "quotation marks"],
)
@pytest.mark.parametrize("place", [0, 1], ids=["en", "zh"])
def test_the_doctor_says_what_is_wrong_with_a_variable(
    variables: dict[str, str],
    cause: tuple[str, str],
    remedy: tuple[str, str],
    place: int,
    command: Command,
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in {"WECOM_API_BASE": sandbox.url, "WECOM_LANGUAGE": ("en", "zh")[place], **variables}.items():
        monkeypatch.setenv(name, value)
    lines = command("doctor").out.splitlines()
    (at,) = [number for number, line in enumerate(lines) if cause[place] in line]
    assert remedy[place] in lines[at + 1]


def test_each_of_several_options_that_are_missing_has_its_remedy(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WECOM_LANGUAGE", "zh")
    err = command("call", "zhangsan").err
    assert err.startswith("wecom-logging: agent_id、secret：未设置。请传入 agent_id=…，或设置 WECOM_AGENT_ID（管理后台")
    assert "。请传入 secret=…，或设置 WECOM_SECRET 或 WECOM_SECRET_FILE（" in err
    found = command("doctor").out
    assert ("✗ 配置项 agent_id：未设置" in found, found.count("：未设置")) == (True, 2)  # each is said once


@pytest.mark.parametrize(("language", "heading"), [("en", "options:"), ("zh", "选项：")])
def test_help_is_aligned(
    language: str, heading: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WECOM_LANGUAGE", language)
    monkeypatch.setenv("COLUMNS", "80")

    def shown(*arguments: str) -> list[str]:
        with pytest.raises(SystemExit):
            cli.main([*arguments, "--help"])
        return capsys.readouterr().out.splitlines()

    whole = shown()
    assert heading in whole
    assert len({width(re.sub(r"(    \S+ +).*", r"\1", line)) for line in whole if re.match(r"    \w+ +", line)}) == 1
    assert not [line for line in whole if re.fullmatch(r"    \S+", line)]  # each with its text beside it
    first, second, *_ = shown("sandbox")
    assert width(first[: first.index("[")]) == second.index("[")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("incidents", "quiet", "k7f2"), "缺少时长：请在 ID 后写时长"),
        (("incidents", "quiet", "--scope", "shop"), "缺少时长：请在 --scope NAME 后写时长"),
        (("departments", "show", "没有的"), "没有名为“没有的”的部门"),
        (("sandbox", "--seed", "/no/seed"), "--seed：文件 /no/seed 无法读取（文件或目录不存在）"),
    ],
)
def test_what_is_missing_is_said(
    arguments: tuple[str, ...], said: str, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WECOM_LANGUAGE", "zh")
    assert said in command(*arguments).err


@pytest.mark.parametrize(
    ("seed", "language", "said"),
    [
        ("members: [{user: x}]", "zh", "members[0].user：未知的字段：user；可用的有：departments, email"),
        ("a: 1\n{x", "zh", "seeds:2 不是有效的 YAML"),
        ('{"members": [{"user_id": "a b"}]}', "en", "members[0].user_id: "),
        ("members: [", "en", "seeds:1 is not valid YAML"),
        ("members:\n - &a {user_id: *a}", "en", "seeds: "),
        ("- 1", "en", "object"),
        (None, "en", "No such file"),
    ],
)
def test_what_is_wrong_with_a_seed_is_said_in_one_line(
    seed: str | None, language: str, said: str, tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WECOM_LANGUAGE", language)
    if seed is not None:
        (tmp_path / "seeds").write_text(seed, encoding="utf-8")
    done = command("sandbox", "--port", "0", "--seed", tmp_path / "seeds")
    assert (done.status, done.out, done.err.count("\n")) == (3, "", 1)
    assert said in done.err
