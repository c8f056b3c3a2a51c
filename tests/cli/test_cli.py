"""The command line, each command in a process of its own."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests

from wecom_logging import WeComClient
from wecom_logging._cli import main
from wecom_logging._sandbox import Sandbox

from ..programs import CREDENTIALS, ROOT, run, until
from ..scripted import ScriptedWeCom, status


def call(
    *arguments: str, url: str = "", text: str | None = None, encoding: str | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    theirs = ("WECOM_", "PYTHONUNBUFFERED")  # a pipe is buffered, as in a user's shell
    clean = {name: value for name, value in os.environ.items() if not name.startswith(theirs)}
    settings = {"WECOM_API_BASE": url} if url else {}
    return subprocess.run(
        [sys.executable, "-m", "wecom_logging._cli", *arguments],
        env={**clean, "PYTHONPATH": str(ROOT), **settings, **environment},
        input=text if text is not None else "",
        capture_output=True,
        text=True,
        encoding=encoding,
        timeout=120,
        check=False,
    )


@pytest.mark.slow
def test_demo_shows_what_arrived_and_ends_where_nobody_watches() -> None:
    done = call("demo", "--port", "0", WECOM_TIMEZONE="Asia/Shanghai")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert {*re.findall(r"[+-]\d\d:\d\d(?= #)", done.stdout)} == {"+08:00"}  # the zone of who looks
    assert re.search("[89] messages arrived", done.stdout)  # what two digests say goes in one message, if both are due
    assert "as a page" not in done.stdout
    in_order = ["1. A local", "2. A small", "INFO shop.payments", "It ended with", " messages arrived:", "Next: "]
    assert in_order == sorted(in_order, key=done.stdout.index)
    assert "× 9999, 10000 in all" in done.stdout
    for words in ("nightly balance failed", "磁盘已满 💾", "ValueError: order 4711", "password=***", "<@sandbox-user>"):
        assert words in done.stdout
    in_all_chats = [one for one in done.stdout.split("   ┌")[1:] if "磁盘已满" in one]
    assert len({re.findall(r"#[0-9a-z]{4,}", one)[-1] for one in in_all_chats}) == 1 < len(in_all_chats)
    shown = [line for line in done.stdout.splitlines() if line.startswith("   │")]
    assert not any("a-secret-that-must-not-show" in line for line in shown)


@pytest.mark.slow
def test_demo_says_who_took_it_on_the_page_and_ends_in_silence(tmp_path: Path) -> None:
    terminal, theirs = os.openpty()  # the demo serves on where somebody watches
    settings = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-m", "wecom_logging._cli", "demo", "--port", "0"]
    pipes: Any = {"stdin": theirs, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    with subprocess.Popen(command, env=settings, **pipes) as demo:
        try:
            out = iter(demo.stdout or ())
            url = next(found[0] for line in out if (found := re.search(r"http://127[.\d:]+(?=/ as a page)", line)))
            card = requests.get(f"{url}/sandbox/messages?channel=aibot", timeout=10).json()[-1]
            wish = {"card": card["task_id"], "user_id": "sandbox-user"}
            wish["key"] = card["cards"]["sandbox-user"]["button_list"][0]["key"]
            until(lambda: requests.post(f"{url}/sandbox/aibot/click", json=wish, timeout=10).json().get("req_id"))
            assert "taken by 沙箱用户" in next(out)
            demo.send_signal(signal.SIGINT)
            assert list(out) == []
            assert demo.wait(30) == 0
        finally:
            demo.kill()
    os.close(terminal)
    os.close(theirs)


SEEDS = {
    "json": '{"members": [{"user_id": "zhangsan"}], "faults": [{"path": "/cgi-bin/gettoken", "errcode": -1}]}',
    "yaml": "members:\n  - {user_id: zhangsan, name: 张三}\nfaults:\n  - {path: /cgi-bin/gettoken, errcode: -1}\n",
}


@pytest.mark.parametrize("kind", SEEDS)
def test_a_sandbox_is_seeded_from_a_file_and_may_be_strict(tmp_path: Path, kind: str) -> None:
    file = tmp_path / f"seeds.{kind}"
    file.write_text(SEEDS[kind], encoding="utf-8")
    arguments = ["sandbox", "--port", "0", "--strict", "--seed", str(file)]
    command = [sys.executable, "-m", "wecom_logging._cli", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().split(" (")[0].split()[-1]
            members = requests.get(f"{url}/sandbox/members", timeout=10).json()
            assert [row["userid"] for row in members] == ["sandbox-user", "zhangsan"]
            codes = [requests.post(f"{url}/cgi-bin/gettoken", timeout=10).json()["errcode"] for _ in range(2)]
            assert codes == [-1, 40058]
        finally:
            process.terminate()


@pytest.mark.slow
def test_a_sandbox_with_tls_says_whom_to_trust(tmp_path: Path) -> None:
    ca = tmp_path / "for all.pem"
    command = [sys.executable, "-m", "wecom_logging._cli", "sandbox", "--port", "0", "--tls", str(ca)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            assert process.stdout is not None
            printed = [process.stdout.readline().strip() for _ in range(2 + 15)]
            exports = dict(shlex.split(line)[1].split("=", 1) for line in printed if "export" in line)
            assert exports["WECOM_AIBOT_URL"].startswith("wss://127.0.0.1:")
            assert exports["REQUESTS_CA_BUNDLE"] == str(ca)
            health = f"{exports['WECOM_API_BASE']}/sandbox/health"
            assert requests.get(health, verify=str(ca), timeout=10).json()["status"] == "ok"
        finally:
            process.terminate()
    done = call("sandbox", "--port", "0", "--tls", str(tmp_path / "nowhere" / "ca.pem"))
    assert done.returncode == 3
    assert "--tls" in done.stderr
    assert "No such file" in done.stderr


@pytest.mark.slow
def test_a_token_that_is_too_short_is_said() -> None:
    done = call("sandbox", "--port", "0", "--host", "0.0.0.0", WECOM_SANDBOX_TOKEN="short-secret")
    assert done.returncode == 3
    assert "WECOM_SANDBOX_TOKEN: a token has 20 or more" in done.stderr
    assert "short-secret" not in done.stderr


@pytest.mark.slow
def test_demo_takes_another_port_where_that_one_cannot_be_had(sandbox: Sandbox) -> None:
    for port in (sandbox.url.rpartition(":")[2], "99999"):
        done = call("demo", "--port", port)
        assert done.returncode == 0
        assert sandbox.url not in done.stdout
        assert sandbox.messages() == []


@pytest.mark.parametrize(
    ("command", "status"),
    [("send <&-", 2), ("members create --user-id a --name N --mobile 13911111111 2>&-", 0), ("members ids >&-", 0)],
)
def test_closed_standard_streams_end_no_command(sandbox: Sandbox, command: str, status: int) -> None:
    done = subprocess.run(
        ["sh", "-c", f"{sys.executable} -m wecom_logging._cli {command}"],
        env={**os.environ, "PYTHONPATH": str(ROOT), "WECOM_API_BASE": sandbox.url, **CREDENTIALS},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, "Traceback" in done.stderr) == (status, False), done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("encoding", "seen", "escaped"),
    [
        ("utf-8", "张三😀·é　x", "\\u202e\\u007f"),
        ("gbk", "张三", "\\ud83d\\ude00"),
        ("latin-1", "·é", "\\u5f20\\u4e09"),
        ("ascii", "x", "\\u5f20\\u4e09"),
    ],
)
def test_json_is_readable_in_every_command_and_right_in_every_encoding(
    sandbox: Sandbox, tmp_path: Path, encoding: str, seen: str, escaped: str
) -> None:
    name = "张三😀·é\u3000x\u202e\x7f"
    sandbox.add_department(7, name=name)
    sandbox.add_member("zhangsan", name=name, departments=[7])
    state = {"WECOM_STATE": f"sqlite://{tmp_path}/alerts.db"}
    settings = {"url": sandbox.url, "PYTHONIOENCODING": encoding, **state, **CREDENTIALS}
    made = "import logging, wecom_logging as w; h = w.WeComHandler(users=['x'], service='张三'); "
    tell = f"{made}h.handle(logging.LogRecord('张三', 40, 'f', 1, '张三', (), None)); h.flush(10)"
    subprocess.run(
        [sys.executable, "-c", tell],
        env={**os.environ, **CREDENTIALS, **state, "WECOM_API_BASE": sandbox.url},
        stderr=subprocess.DEVNULL,
        check=True,
    )
    said = {}
    for command in (["members", "list"], ["departments", "list"], ["pending"], ["doctor"]):
        done = call("--json", *command, **settings, encoding=encoding)
        assert done.returncode == 0, done.stderr
        said[command[0]] = done.stdout
    for place in ("members", "departments"):
        text = said[place]
        assert seen in text, text
        assert escaped in text, text
        assert name in [json.loads(line)["name"] for line in text.splitlines()]
    chinese = "张" in seen
    assert ("张三" in said["pending"]) == chinese
    assert json.loads(said["pending"])["alerts"][0]["text"] == "张三"
    assert ("企业微信" in said["doctor"]) == chinese
    assert json.loads(said["doctor"])["ok"] is True


@pytest.mark.slow
def test_send_takes_what_is_not_in_the_encoding_of_the_locale(sandbox: Sandbox) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "wecom_logging._cli", "send"],
        env={**os.environ, "PYTHONPATH": str(ROOT), "WECOM_API_BASE": sandbox.url, "PYTHONIOENCODING": "utf-8"}
        | {"WECOM_WEBHOOK": CREDENTIALS["WECOM_WEBHOOK"]},
        input=b"disk full: " + "磁盘".encode("gbk"),
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert sandbox.messages()[0]["content"].startswith("disk full: \ufffd")


@pytest.mark.slow
def test_send_goes_to_what_is_configured(sandbox: Sandbox) -> None:
    done = call("send", "hello 世界", url=sandbox.url, **CREDENTIALS)
    assert (done.returncode, done.stdout, done.stderr) == (0, "app: delivered\nbot: delivered\n", "")
    assert [message["content"] for message in sandbox.messages()] == ["hello 世界"] * 2


@pytest.mark.slow
def test_send_sends_nothing_where_it_is_switched_off(sandbox: Sandbox) -> None:
    done = call("send", "hello", url=sandbox.url, WECOM_ENABLED="0", **CREDENTIALS)
    assert (done.returncode, done.stdout, len(sandbox.calls)) == (0, "", 0)
    assert "WECOM_ENABLED=0; nothing is sent" in done.stderr
    assert call("send", "hello", WECOM_ENABLED="perhaps", **CREDENTIALS).returncode == 3


def test_send_says_for_whom_a_name_stands_and_who_is_unknown(sandbox: Sandbox) -> None:
    sandbox.add_member("mallory", name="zhangsan")
    settings = {**CREDENTIALS, "WECOM_USERS": "sandbox-user,zhangsan,张三", "WECOM_WEBHOOK": ""}
    done = call("send", "x", url=sandbox.url, **settings)
    assert (done.returncode, done.stdout) == (0, "app: delivered\n")
    assert "'zhangsan' is nobody's id; it is taken for the member of that name, mallory" in done.stderr
    assert "name '张三'" in done.stderr


@pytest.mark.slow
def test_send_says_who_has_not_joined(sandbox: Sandbox) -> None:
    client = WeComClient("wwsandbox", contacts_secret="sandbox-contacts-secret", api_base=sandbox.url)
    client.members.create(user_id="lisi", name="李四", mobile="13800000001", departments=[1], invite=False)
    settings = {**CREDENTIALS, "WECOM_USERS": "sandbox-user,李四", "WECOM_WEBHOOK": ""}
    done = call("send", "x", url=sandbox.url, **settings)
    assert (done.returncode, done.stdout) == (0, "app: delivered (not to lisi)\n")
    assert done.stderr.startswith("wecom-logging: lisi: this member has neither joined WeCom nor followed its plugin")
    assert "Invite the member to join" in done.stderr
    chinese = call("send", "x", url=sandbox.url, WECOM_LANGUAGE="zh", **settings)
    assert (chinese.returncode, chinese.stdout) == (0, "应用：已送达（以下接收人除外：lisi）\n")
    assert "lisi：该成员尚未激活企业微信，也未关注微信插件。请邀请该成员加入" in chinese.stderr
    alone = call("--json", "send", "x", url=sandbox.url, **{**settings, "WECOM_USERS": "lisi"})
    assert (alone.returncode, json.loads(alone.stdout)["inactive_users"]) == (1, ["lisi"])
    for language, said in (("en", "app: nobody gets it\n"), ("zh", "应用：无人能收到\n")):  # whom: stderr says
        alone = call("send", "x", url=sandbox.url, **{**settings, "WECOM_USERS": "lisi", "WECOM_LANGUAGE": language})
        assert (alone.returncode, alone.stdout) == (1, said)


def test_send_waits_for_no_more_than_one_member_that_cannot_be_looked_at() -> None:
    with ScriptedWeCom() as wecom:
        wecom.always("/cgi-bin/user/get", status(503))
        settings = {**CREDENTIALS, "WECOM_USERS": "a,b,c", "WECOM_WEBHOOK": ""}
        done = call("send", "x", url=wecom.url, **settings)
        asked = [path for path in wecom.paths() if path.startswith("user/get")]
    assert (done.returncode, done.stdout) == (0, "app: delivered\n")
    assert 0 < len(asked) <= 3  # one of three members, in at most three tries


@pytest.mark.slow
def test_send_reads_standard_input_and_speaks_json(sandbox: Sandbox) -> None:
    done = call("--json", "send", "--markdown", url=sandbox.url, text="**bold**\n", WECOM_WEBHOOK="sandbox-bot")
    assert json.loads(done.stdout)["outcome"] == "delivered"
    assert sandbox.messages()[0]["msgtype"] == "markdown"


@pytest.mark.slow
def test_send_numbers_the_parts_of_a_long_text(sandbox: Sandbox) -> None:
    done = call("send", url=sandbox.url, text="汉" * 2000, WECOM_WEBHOOK="sandbox-bot")
    assert done.returncode == 0
    contents = [message["content"] for message in sandbox.messages()]
    assert [content.split("\n")[0] for content in contents] == ["(1/3)", "(2/3)", "(3/3)"]
    assert "".join(content.split("\n", 1)[1] for content in contents) == "汉" * 2000


@pytest.mark.slow
def test_exit_codes(sandbox: Sandbox) -> None:
    assert call("send", "x").returncode == 3
    refused = call(
        "send", "x", url=sandbox.url, **{**CREDENTIALS, "WECOM_SECRET": "canary-secret", "WECOM_WEBHOOK": ""}
    )
    assert refused.returncode == 1
    assert "40001" in refused.stderr
    assert "canary" not in refused.stderr + refused.stdout
    assert call("send", "  ", url=sandbox.url, **CREDENTIALS).returncode == 2
    assert call("no-such-command").returncode == 2
    assert call("sandbox", "--port", sandbox.url.rpartition(":")[2]).returncode == 2
    missing = call("send", "x", WECOM_CORP_ID="ww")
    assert missing.returncode == 3
    assert "agent_id" in missing.stderr
    assert "Traceback" not in missing.stderr


@pytest.mark.slow
def test_send_shows_the_same_text_twice_if_it_is_sent_twice(sandbox: Sandbox) -> None:
    settings = {name: value for name, value in CREDENTIALS.items() if name != "WECOM_WEBHOOK"}
    for _ in range(2):
        assert call("send", "backup failed", url=sandbox.url, **settings).returncode == 0
    assert [message["content"] for message in sandbox.messages()] == ["backup failed"] * 2


@pytest.mark.slow
def test_send_tries_every_channel_and_tells_each(sandbox: Sandbox) -> None:
    done = call("send", "x", url=sandbox.url, **{**CREDENTIALS, "WECOM_USERS": "nobody"})
    assert (done.returncode, done.stdout) == (1, "app: rejected\nbot: delivered\n")
    assert "81013" in done.stderr
    done = call("--json", "send", "x", url=sandbox.url, **{**CREDENTIALS, "WECOM_WEBHOOK": "no-such-bot"})
    shown = [json.loads(line) for line in done.stdout.splitlines()]
    assert (done.returncode, [line["outcome"] for line in shown]) == (1, ["delivered", "rejected"])
    assert "93000" in shown[1]["error"]
    with socket.create_server(("127.0.0.1", 0)) as closed:
        nobody = f"http://127.0.0.1:{closed.getsockname()[1]}"
    done = call("send", "x", url=nobody, WECOM_WEBHOOK="key")
    assert (done.returncode, done.stdout) == (1, "bot: failed\n")
    assert "Connection refused): check api_base" in done.stderr


@pytest.mark.slow
def test_send_goes_through_the_first_bot_of_a_group_that_may(sandbox: Sandbox) -> None:
    done = call("send", url=sandbox.url, text="汉" * 2000, WECOM_WEBHOOK="canary-gone, sandbox-bot")
    assert (done.returncode, done.stdout) == (0, "bot: delivered\n" * 3)
    assert done.stderr.count("\n") == 1
    assert "bot 1 of 2: errcode 93000" in done.stderr
    assert "canary" not in done.stderr
    assert [call.errcode for call in sandbox.calls] == [93000, 0, 0, 0]
    done = call("send", "x", url=sandbox.url, WECOM_WEBHOOK="canary-gone,canary-too")
    assert (done.returncode, done.stdout) == (1, "bot: rejected\n")
    sandbox.add_fault({"path": "/cgi-bin/webhook/send", "errcode": 40058})
    assert call("send", "x", url=sandbox.url, WECOM_WEBHOOK="sandbox-bot,another").returncode == 1
    assert call("send", "x", url=sandbox.url, WECOM_WEBHOOK="canary,canary").returncode == 3


@pytest.mark.slow
def test_the_sandbox_serves_until_ctrl_c() -> None:
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "wecom_logging._cli", "sandbox", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    try:
        assert process.stdout is not None
        said = "".join(process.stdout.readline() for _ in range(8))
        url = said.split(" is at ")[1].split()[0]
        until(lambda: requests.get(f"{url}/sandbox/messages", timeout=5).json() == [])
        done = call("send", "x", url=url, **CREDENTIALS)
        assert done.returncode == 0
        assert len(requests.get(f"{url}/sandbox/messages", timeout=5).json()) == 2
    finally:
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert "export WECOM_CORP_ID=wwsandbox" in said


def test_without_the_extra_the_sandbox_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "werkzeug.py").write_text("raise ModuleNotFoundError('No module named werkzeug', name='werkzeug')")
    done = call("demo", PYTHONPATH=f"{tmp_path}{os.pathsep}{ROOT}")
    assert done.returncode == 3
    assert "[sandbox]'" in done.stderr


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "incidents --state sqlite:///a.db",
            "--state URL goes before the command: wecom-logging --state URL incidents",
        ),
        ("pending send k7f2 --state=sqlite:///a.db", "wecom-logging --state URL pending"),
        ("members list --json", "--json goes before the command: wecom-logging --json members"),
        ("--json doctor --json", "wecom-logging --json doctor"),
        ("run --state memory:// -- true", "wecom-logging --state URL run"),
        ("run --service shop --json true", "wecom-logging --json run"),
        ("--json jobs pause nightly 1h", "wecom-logging jobs pause prints nothing for programs: leave out --json"),
        ("--json run true", "leave out --json"),
        ("--state", "--state: expected one argument"),
    ],
)
def test_what_holds_for_every_command_stands_before_it(
    capsys: pytest.CaptureFixture[str], line: str, said: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(line.split())
    assert (ended.value.code, said in capsys.readouterr().err) == (2, True)


def test_a_state_on_the_command_line_stands_in_the_place_of_the_variable(tmp_path: Path) -> None:
    done = call("--json", "--state", f"sqlite://{tmp_path}/alerts.db", "jobs", WECOM_STATE="memory://")
    assert (done.returncode, done.stdout) == (0, '{"jobs": []}\n')
    assert f"no process has used {tmp_path}/alerts.db yet" in done.stderr


def test_a_command_loads_no_other_and_the_table_names_them_all() -> None:
    code = """
import sys
from wecom_logging import _cli as cli
cli._parser("demo")
print(*[name for name in dict.fromkeys(cli.COMMANDS.values()) if f"wecom_logging._cli.{name}" in sys.modules])
(commands,) = [one.choices for one in cli._parser()._actions if one.choices]
print([*commands] == [*cli.COMMANDS])
"""
    assert run(code).out.splitlines() == ["sandbox", "True"]
