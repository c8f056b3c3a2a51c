"""`wecom-logging doctor` against a real local WeCom, with configurations that are right and fifteen that are wrong."""

from __future__ import annotations

import json
import os
import re
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from wecom_logging import WeComClient, WeComHandler
from wecom_logging._cli import main
from wecom_logging._cli.doctor import outlook as doctor_outlook
from wecom_logging._cli.doctor.network import without_login
from wecom_logging._cli.doctor.settings import settings
from wecom_logging._cli.printing import width
from wecom_logging._sandbox import Sandbox
from wecom_logging._state import shared
from wecom_logging._wecom import token

from ..programs import ROOT, run
from ..scripted import ScriptedWeCom, errcode, hold, ok, status
from ..secrets import BOT_KEY, CORP_SECRET, assert_no_secret

AGENT_ID = 1000002
CONTACTS_SECRET = "sandbox-contacts-secret"
APP = {
    "WECOM_CORP_ID": "wwsandbox",
    "WECOM_AGENT_ID": str(AGENT_ID),
    "WECOM_SECRET": "sandbox-app-secret",
    "WECOM_USERS": "sandbox-user",
}
BOT = {"WECOM_WEBHOOK": "sandbox-bot"}
CREDENTIALS = {**APP, **BOT}
PROXY_PASSWORD = "canary-proxy-password-77"
SECRETS = (CORP_SECRET, BOT_KEY, PROXY_PASSWORD, CONTACTS_SECRET, APP["WECOM_SECRET"], BOT["WECOM_WEBHOOK"])


@dataclass
class Told:
    """What a run of the command gave."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.out)
        return found

    def findings(self, check: str = "", *, handler: str | None = None) -> list[dict[str, Any]]:
        found = [one for one in self.json["findings"] if not check or one["check"] == check]
        return [one for one in found if handler is None or one["handler"] == handler]

    def failed(self) -> list[str]:
        return [one["check"] for one in self.json["findings"] if one["ok"] is False]


class Doctor:
    """Runs the command in this process, with an environment of its own."""

    def __init__(self, patch: pytest.MonkeyPatch, capture: pytest.CaptureFixture[str]) -> None:
        self._patch = patch
        self._capture = capture

    def set(self, **environment: str) -> None:
        for name, value in environment.items():
            self._patch.setenv(name, value)

    def __call__(self, *arguments: str, json: bool = False) -> Told:
        token._sources.clear()  # each run of the command is a process of its own, with no token yet
        self._capture.readouterr()
        status = main([*["--json"] * json, "doctor", *arguments])
        told = self._capture.readouterr()
        assert_no_secret(told.out + told.err, *SECRETS)
        return Told(status, told.out, told.err)

    def json(self, *arguments: str) -> Told:
        return self(*arguments, json=True)


@pytest.fixture
def doctor(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Doctor:
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY", "LC_ALL", "LC_MESSAGES", "LANG", "LANGUAGE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    return Doctor(monkeypatch, capsys)


@pytest.fixture
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The zone of the machine."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


# What is right.


@pytest.mark.parametrize(
    ("settings", "handlers"),
    [(APP, ["app"]), (BOT, ["bot"]), (CREDENTIALS, ["app", "bot"])],
    ids=["app", "bot", "both"],
)
def test_all_is_well(doctor: Doctor, sandbox: Sandbox, settings: dict[str, str], handlers: list[str]) -> None:
    doctor.set(WECOM_API_BASE=sandbox.url, **settings)
    told = doctor.json()
    assert told.status == 0
    assert told.json["ok"] is True
    assert list(told.json["channels"]) == handlers
    assert [one for one in told.findings() if one["ok"] is not True] == []
    wanted = {"proxy", "network", "clock", "configuration", "state"}
    wanted |= {"token", "app", "trusted_ip", "visible_range", "recipient"} if "app" in handlers else set()
    wanted |= {"bot"} if "bot" in handlers else set()
    assert {one["check"] for one in told.findings()} == wanted
    assert sandbox.messages() == []


@pytest.mark.usefixtures("utc")
def test_the_text_has_a_line_for_each_finding_in_the_language_of_the_locale(doctor: Doctor, sandbox: Sandbox) -> None:
    doctor.set(WECOM_API_BASE=sandbox.url, LC_MESSAGES="zh_CN.UTF-8", **CREDENTIALS)
    chinese = doctor()
    assert chinese.status == 0
    assert "  ✓ 接收人 users sandbox-user：沙箱用户 (sandbox-user)" in chinese.out
    assert "  ✓ 可见范围：部门：沙箱公司 (1)" in chinese.out
    assert "  app: secret = *** (18 个字符)  [" in chinese.out
    assert "  bot: webhook = key=*** (11 个字符)  [" in chinese.out
    assert (
        "  ! 时区：消息是中文，时间却是 UTC（本机的时区）\n      → 请把 timezone（WECOM_TIMEZONE）设为" in chinese.out
    )
    assert chinese.out.count("! 时区：") == 1  # for both handlers
    assert "✓ 告警可以通过全部通道送达：app、bot；标有 ! 的项目请留意。" in chinese.out
    doctor.set(WECOM_TIMEZONE="Asia/Shanghai")
    chinese = doctor()
    assert "  app: timezone = Asia/Shanghai  [环境变量 WECOM_TIMEZONE]" in chinese.out
    assert "✓ 告警可以通过全部通道送达：app、bot。" in chinese.out
    doctor.set(LC_ALL="C.UTF-8")
    english = doctor()
    assert "  ✓ recipient users sandbox-user: 沙箱用户 (sandbox-user)" in english.out
    assert "  ✓ trusted IP: WeCom takes calls from 127.0.0.1" in english.out
    assert "✓ An alert would arrive through every channel: app, bot." in english.out
    assert "告警" in doctor("--lang", "zh").out
    doctor.set(WECOM_LANGUAGE="zh")
    assert "  app: language = zh  [环境变量 WECOM_LANGUAGE]" in doctor().out
    assert chinese.err == english.err == ""


@pytest.mark.parametrize(
    ("today", "mark"),
    [("2026-10-31", None), ("2026-11-01", "–"), ("2026-12-14", "–"), ("2026-12-15", "!"), ("2027-03-01", "!")],
)
def test_c1_a_year_without_holidays_is_said_before_it_begins(
    doctor: Doctor, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, today: str, mark: str | None
) -> None:
    (tmp_path / "2026.json").write_text('{"year": 2026, "days": [{"date": "2026-01-01", "isOffDay": true}]}')
    quiet = f'when = ["22:00-08:00", "off-days"], calendar = "{tmp_path}/2026.json"'
    (tmp_path / "duty.toml").write_text(f'timezone = "Asia/Shanghai"\nquiet_hours = {{ {quiet} }}\n')
    doctor.set(WECOM_API_BASE=sandbox.url, WECOM_STATE=f"sqlite://{tmp_path}/alerts.db", **BOT)
    doctor.set(WECOM_DUTY=f"{tmp_path}/duty.toml")
    now = datetime.fromisoformat(today).replace(tzinfo=ZoneInfo("Asia/Shanghai")).timestamp()
    monkeypatch.setattr(doctor_outlook, "time", SimpleNamespace(time=lambda: now, monotonic=time.monotonic))
    told = doctor()
    assert told.status == 0
    year = 2026 if mark is None else 2027
    lines = [line for line in told.out.splitlines() if " calendar: no holidays" in line]
    assert lines == ([] if mark is None else [f"  {mark} calendar: no holidays of {year} are known: {TILL}"])
    assert f"bot: duty = {tmp_path}/duty.toml  [environment WECOM_DUTY]" in told.out
    assert " quiet hours: " not in told.out


TILL = "working days are Monday to Friday then"


def test_quiet_hours_without_a_state_are_warned_of(doctor: Doctor, sandbox: Sandbox) -> None:
    doctor.set(WECOM_API_BASE=sandbox.url, WECOM_QUIET_HOURS="22:00-08:00", WECOM_TIMEZONE="Asia/Shanghai", **BOT)
    told = doctor.json()
    (found,) = told.findings("quiet_hours")
    assert (found["ok"], found["warning"], told.status) == (False, True, 0)
    assert "WECOM_STATE" in found["remedy"]["zh"]
    doctor.set(WECOM_TIMEZONE="")
    told = doctor.json()
    (found,) = told.findings("configuration")
    assert (found["subject"], found["code"], told.status) == ("timezone", "missing", 1)


@pytest.mark.shows_secrets
def test_settings_say_where_each_value_comes_from(doctor: Doctor, sandbox: Sandbox, tmp_path: Path) -> None:
    secret = tmp_path / "app-secret"
    secret.write_text(CREDENTIALS["WECOM_SECRET"] + "\n")
    settings = {name: value for name, value in APP.items() if name != "WECOM_SECRET"}
    doctor.set(WECOM_API_BASE=sandbox.url, WECOM_SECRET_FILE=str(secret), **settings)
    told = doctor.json()
    shown = {one["name"]: (one["value"], one["source"], one["place"]) for one in told.json["settings"]}
    assert shown["corp_id"] == ("wwsandbox", "environment", "WECOM_CORP_ID")
    assert shown["secret"] == ("*** (18 chars)", "file", f"{secret} (WECOM_SECRET_FILE)")
    assert shown["users"] == ("sandbox-user", "environment", "WECOM_USERS")
    assert shown["state"] == ("memory://", "default", "")
    assert told.status == 0


def test_send_sends_one_message_through_each_channel(doctor: Doctor, sandbox: Sandbox) -> None:
    doctor.set(WECOM_API_BASE=sandbox.url, **CREDENTIALS)
    told = doctor.json("--send")
    assert told.status == 0
    assert [one["ok"] for one in told.findings("send")] == [True, True]
    app, bot = sandbox.messages()
    assert (app["channel"], bot["channel"]) == ("app", "bot")
    assert app["content"].startswith("wecom-logging doctor: a test message from ")
    doctor.set(WECOM_LANGUAGE="zh")
    assert doctor.json("--send").status == 0
    assert re.match("wecom-logging doctor：来自 .* 的测试消息，", sandbox.messages()[-2]["content"])


def test_send_tells_who_was_left_out(doctor: Doctor, sandbox: Sandbox) -> None:
    doctor.set(WECOM_API_BASE=sandbox.url, **{**APP, "WECOM_USERS": "sandbox-user,nobody"})
    told = doctor.json("--send")
    (sent,) = told.findings("send")
    assert (told.status, sent["ok"], sent["warning"]) == (0, False, True)
    assert "nobody" in sent["cause"]["en"]
    assert "nobody" in sent["cause"]["zh"]
    assert len(sandbox.messages()) == 1


def test_it_runs_as_a_process_of_its_own(sandbox: Sandbox) -> None:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("WECOM_")}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "wecom_logging._cli", "doctor", "--lang", "en"],
        env={**clean, **CREDENTIALS, "WECOM_API_BASE": sandbox.url, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "✓ An alert would arrive through every channel: app, bot." in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("variable", "secret"), [("WECOM_SECRET", APP["WECOM_SECRET"]), ("WECOM_WEBHOOK", "sandbox-bot")]
)
def test_a_secret_may_come_from_standard_input(sandbox: Sandbox, variable: str, secret: str) -> None:
    """Which can be read but once, and more than one check needs it."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("WECOM_")}
    others = {} if variable == "WECOM_WEBHOOK" else {name: value for name, value in APP.items() if name != variable}
    done = subprocess.run(
        [sys.executable, "-m", "wecom_logging._cli", "doctor"],
        env={
            **clean,
            **others,
            f"{variable}_FILE": "/dev/stdin",
            "WECOM_API_BASE": sandbox.url,
            "PYTHONPATH": str(ROOT),
        },
        input=f"{secret}\n",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert secret not in done.stdout


@pytest.mark.slow
def test_a_terminal_without_the_marks_gets_escapes(sandbox: Sandbox) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "wecom_logging._cli", "doctor", "--lang", "zh"],
        env={**os.environ, **BOT, "WECOM_API_BASE": sandbox.url, "PYTHONIOENCODING": "ascii", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "\\u2713" in done.stdout


# Fifteen that are wrong.


@dataclass
class Wrong:
    """A configuration, what to do to the sandbox, and the finding that must come of it."""

    name: str
    check: str
    errcode: int | None
    remedy_en: str
    remedy_zh: str
    environment: dict[str, str] = field(default_factory=dict)
    prepare: Callable[[Sandbox], object] = lambda sandbox: None


def _another_app(sandbox: Sandbox) -> None:
    sandbox.add_app("another-app-secret", 1000099)


def _out_of_range(sandbox: Sandbox) -> None:
    sandbox.add_department(7, name="别的部门")
    sandbox.add_member("lisi", name="李四", departments=[7])
    sandbox.set_visible_range(AGENT_ID, users=["sandbox-user"])


def _removed_bot(sandbox: Sandbox) -> None:
    sandbox.add_bot(BOT_KEY)
    sandbox.remove_bot(BOT_KEY)


WRONG = [
    Wrong("wrong corp_id", "token", 40013, "企业ID", "我的企业 → 企业信息 → 企业ID", {"WECOM_CORP_ID": "wwother"}),
    Wrong("wrong secret", "token", 40001, "WECOM_SECRET", "应用管理 → 自建", {"WECOM_SECRET": CORP_SECRET}),
    Wrong(
        "contacts secret", "app", 48002, "WECOM_CONTACTS_SECRET", "通讯录同步的 Secret 应填在 contacts_secret",
        {"WECOM_SECRET": CONTACTS_SECRET},
    ),
    Wrong(
        "disabled app", "token", 50003, "启用", "重新启用该应用",
        prepare=lambda sandbox: sandbox.set_app_enabled(AGENT_ID, False),
    ),
    Wrong(
        "agent_id of another app", "app", 301002, "AgentId", "AgentId 与 Secret 来自同一个应用",
        {"WECOM_AGENT_ID": "1000099"}, prepare=_another_app,
    ),
    Wrong(
        "member out of range", "recipient", 60011, "可见范围", "加入应用的可见范围",
        {"WECOM_USERS": "lisi"}, prepare=_out_of_range,
    ),
    Wrong("unknown member", "recipient", 60111, "通讯录", "更正成员账号", {"WECOM_USERS": "nobody"}),
    Wrong(
        "empty range", "visible_range", None, "可见范围", "对应应用 → 可见范围",
        prepare=lambda sandbox: sandbox.set_visible_range(AGENT_ID),
    ),
    Wrong(
        "untrusted IP", "trusted_ip", 60020, "the IP 127.0.0.1 that WeCom saw", "企业微信看到的 IP（127.0.0.1）",
        prepare=lambda sandbox: sandbox.add_fault({"trusted_ips": ["10.1.2.3"]}),
    ),
    Wrong("wrong key", "bot", 93000, "Webhook", "重新复制机器人 Webhook 地址", {"WECOM_WEBHOOK": BOT_KEY}),
    Wrong(
        "removed bot", "bot", 93000, "add a new bot", "若机器人已被移除", {"WECOM_WEBHOOK": BOT_KEY},
        prepare=_removed_bot,
    ),
    Wrong("unknown state", "state", None, "WECOM_STATE", "memory://", {"WECOM_STATE": "nosql://:canary-proxy-password-77@h/0"}),
    Wrong("unknown language", "configuration", None, "WECOM_LANGUAGE", "跟随系统语言环境", {"WECOM_LANGUAGE": "fr"}),
    Wrong("relative state", "state", None, "from the root", "绝对路径", {"WECOM_STATE": "sqlite://alerts.db"}),
]  # fmt: skip


# The state.


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "alerts.db"
    shared.close_all()


def test_a_state_that_no_process_has_used_is_not_made(doctor: Doctor, sandbox: Sandbox, path: Path) -> None:
    doctor.set(WECOM_API_BASE=sandbox.url, WECOM_STATE=f"sqlite://{path}", **BOT)
    told = doctor.json("--send")
    assert told.status == 0
    (found,) = told.findings("state")
    assert (found["ok"], found["subject"]) == (True, str(path))
    assert "the first one makes it" in found["cause"]["en"]
    assert "尚无进程使用过" in found["cause"]["zh"]
    assert list(path.parent.iterdir()) == []
    shown = {one["name"]: one["value"] for one in told.json["settings"]}
    assert shown["state"] == f"sqlite://{path}"


@pytest.mark.slow
def test_a_state_is_tried_and_what_it_holds_is_said_but_not_sent(doctor: Doctor, sandbox: Sandbox, path: Path) -> None:
    doctor.set(WECOM_API_BASE=sandbox.url, WECOM_STATE=f"sqlite://{path}", **CREDENTIALS)
    logs = """
    import logging
    from wecom_logging import WeComBotHandler
    logging.getLogger("shop").addHandler(WeComBotHandler())
    logging.getLogger("shop").error("the disk is full")
    """
    sandbox.add_fault({"path": "/cgi-bin/webhook/send", "errcode": 40058})
    assert run(logs, url=sandbox.url, WECOM_STATE=f"sqlite://{path}").status == 0
    told = doctor.json()
    assert (told.status, told.failed()) == (0, [])
    found = told.findings("state", handler="bot")[0]["cause"]
    assert re.match(r"it can be read and written \(SQLite 3\.\S+, journal \w+, /", found["en"])
    assert "0 alerts wait, 1 alert was given up (`wecom-logging pending` shows them)" in found["en"]
    assert "0 条等待发送，1 条已放弃" in found["zh"]
    assert sandbox.messages() == []


@pytest.mark.parametrize("kind", ["directory", "not SQLite", "no directory", "read-only directory"])
def test_a_state_that_cannot_be_used_is_named_and_alerts_arrive_all_the_same(
    doctor: Doctor, sandbox: Sandbox, path: Path, kind: str
) -> None:
    if kind == "directory":
        path.mkdir()
    elif kind == "not SQLite":
        path.write_text("not a database")
        path.chmod(0o600)
    elif kind == "no directory":
        path = path / "not" / "there" / "alerts.db"
    else:
        if os.geteuid() == 0:
            pytest.skip("root may write everywhere")
        path.parent.chmod(0o500)
    doctor.set(WECOM_API_BASE=sandbox.url, WECOM_STATE=f"sqlite://{path}", **BOT)
    told = doctor.json()
    _assert_named(told, "state", None, "as the user that the program runs as", "以程序运行时的用户身份")
    assert "it cannot be used: /" in told.findings("state")[0]["cause"]["en"]
    assert told.json["channels"] == {"bot": True}
    english = doctor("--lang", "en")
    assert "✗ An alert would arrive through every channel, but what is marked ✗ has to be mended." in english.out
    assert english.err == ""


def test_a_server_that_is_away_is_named_without_its_password(doctor: Doctor, sandbox: Sandbox) -> None:
    url = f"redis://:{PROXY_PASSWORD}@127.0.0.1:{_refusing_port()}/0"
    doctor.set(WECOM_API_BASE=sandbox.url, WECOM_STATE=url, **CREDENTIALS)
    told = doctor.json()
    _assert_named(told, "state", None, "the server of the state runs", "状态服务器正在运行")
    causes = [one["cause"]["en"] for one in told.findings("state")]
    assert ["Connection refused" in cause for cause in causes] == [True, True]
    assert told.json["channels"] == {"app": True, "bot": True}
    assert doctor("--lang", "en").err == ""


@pytest.mark.slow
def test_what_waits_in_a_state_is_left_alone(doctor: Doctor, sandbox: Sandbox, path: Path) -> None:
    doctor.set(WECOM_API_BASE=sandbox.url, WECOM_STATE=f"sqlite://{path}", **BOT)
    killed = """
    import logging, os
    from wecom_logging import WeComBotHandler
    logging.getLogger("shop").addHandler(WeComBotHandler())
    logging.getLogger("shop").error("the disk is full")
    os.kill(os.getpid(), 9)
    """
    assert run(killed, url=sandbox.url, WECOM_STATE=f"sqlite://{path}").status == -9
    told = doctor.json()
    assert told.status == 0
    assert "1 alert waits" in told.findings("state")[0]["cause"]["en"]
    assert not any("disk" in str(message) for message in sandbox.messages())
    opens = "from wecom_logging import WeComBotHandler; WeComBotHandler(exit_timeout=20)"
    run(opens, url=sandbox.url, WECOM_STATE=f"sqlite://{path}")
    assert "the disk is full" in sandbox.messages()[-1]["content"]


def test_a_large_range_with_something_odd_in_it_is_told(doctor: Doctor) -> None:
    users = [{"userid": f"a-rather-long-user-id-{number}"} for number in range(5000)]
    with ScriptedWeCom() as wecom:
        doctor.set(WECOM_API_BASE=wecom.url, **APP)
        odd = {"allow_partys": {"partyid": [1, "x", None, {}]}, "allow_userinfos": {"user": users}}
        wecom.always("/cgi-bin/agent/get", ok(name="app", close=0, **odd))
        (found,) = doctor.json().findings("visible_range")
    assert found["ok"] is True
    assert found["cause"]["en"].endswith("… (5000); departments: 1, x, None, {}")


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong.name)
def test_each_wrong_configuration_is_named_with_its_remedy(doctor: Doctor, sandbox: Sandbox, wrong: Wrong) -> None:
    wrong.prepare(sandbox)
    doctor.set(**{"WECOM_API_BASE": sandbox.url, **CREDENTIALS, **wrong.environment})
    told = doctor.json()
    _assert_named(told, wrong.check, wrong.errcode, wrong.remedy_en, wrong.remedy_zh)
    _assert_shown(doctor, wrong)
    assert sandbox.messages() == []


def _assert_named(
    told: Told, check: str, errcode: int | None, remedy_en: str, remedy_zh: str, *, warning: bool = False
) -> None:
    assert (told.status, told.json["ok"]) == ((0, True) if warning else (1, False))
    assert set(told.failed()) == {check}  # one failure is said once, not by all that hangs on it
    found = next(one for one in told.findings(check) if one["ok"] is False)
    assert found["errcode"] == errcode
    assert remedy_en in found["remedy"]["en"]
    assert remedy_zh in found["remedy"]["zh"]
    assert all(found["cause"].values())


def _assert_shown(doctor: Doctor, wrong: Wrong) -> None:
    for language, remedy in (("en", wrong.remedy_en), ("zh", wrong.remedy_zh)):
        told = doctor("--lang", language)
        assert told.status == 1
        assert "  ✗ " in told.out
        assert remedy in told.out
        assert told.err == ""


def _refusing_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


def test_no_network_is_named_and_nothing_more_is_asked(doctor: Doctor) -> None:
    doctor.set(WECOM_API_BASE=f"http://127.0.0.1:{_refusing_port()}", **CREDENTIALS)
    began = time.monotonic()
    told = doctor.json("--send")
    assert time.monotonic() - began < 10
    _assert_named(told, "network", None, "firewall", "防火墙")
    assert [one["check"] for one in told.findings() if one["ok"] is None] == [
        *("clock", "token", "app", "trusted_ip", "visible_range", "recipient", "send", "bot", "send")
    ]
    skipped = told.findings("token")[0]["cause"]
    assert skipped == {"en": "not checked, because of “network” above", "zh": "未检查，请先解决上面的“网络”问题"}


@contextmanager
def _proxy_that_wants_a_password() -> Iterator[int]:
    """It answers every CONNECT with 407."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:

        def serve() -> None:
            while True:
                try:
                    client, _ = server.accept()
                except OSError:  # closed by the test
                    return
                with client:
                    client.recv(65536)
                    client.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
    thread.join()


def test_a_proxy_that_wants_a_password_is_named(doctor: Doctor) -> None:
    with _proxy_that_wants_a_password() as port:
        proxy = f"http://somebody:{PROXY_PASSWORD}@127.0.0.1:{port}"
        doctor.set(WECOM_API_BASE="https://wecom.invalid", HTTPS_PROXY=proxy, **CREDENTIALS)
        told = doctor.json()
        _assert_named(told, "proxy", None, "HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT", "代理地址中写明用户名和密码")
        assert told.findings("proxy")[0]["subject"] == f"http://***@127.0.0.1:{port}"
        assert told.findings("network")[0]["ok"] is None
        assert "的代理要求用户名和密码" in doctor("--lang", "zh").out


def test_a_file_of_certificates_that_is_missing_is_named(doctor: Doctor, tmp_path: Path) -> None:
    doctor.set(WECOM_API_BASE="https://127.0.0.1:9", REQUESTS_CA_BUNDLE=str(tmp_path / "ca.pem"), **CREDENTIALS)
    told = doctor.json()
    _assert_named(told, "network", None, "Set REQUESTS_CA_BUNDLE", "PEM 证书文件")
    assert f"the file {tmp_path}/ca.pem of REQUESTS_CA_BUNDLE" in told.findings("network")[0]["cause"]["en"]
    assert (
        "ca.pem（由 REQUESTS_CA_BUNDLE 指定）无法读取（文件或目录不存在）" in told.findings("network")[0]["cause"]["zh"]
    )


@pytest.mark.parametrize(("ahead_s", "en", "zh"), [(86400, "1.0 days ahead of", "快 1.0 天"), (-86400, "behind", "慢")])
def test_a_clock_that_is_off_by_a_day_is_named(doctor: Doctor, ahead_s: int, en: str, zh: str) -> None:
    with Sandbox(clock=lambda: time.time() - ahead_s) as sandbox:
        doctor.set(WECOM_API_BASE=sandbox.url, **CREDENTIALS)
        told = doctor.json()
        _assert_named(told, "clock", None, "NTP", "校准系统时间")
        cause = told.findings("clock")[0]["cause"]
        assert en in cause["en"]
        assert zh in cause["zh"]


# More that can be wrong.


def test_wrong_options_are_all_named_at_once(doctor: Doctor, sandbox: Sandbox) -> None:
    doctor.set(WECOM_API_BASE=sandbox.url, WECOM_SECRET="env:" + CORP_SECRET, WECOM_AGENT_ID="app", WECOM_WEBHOOK="a b")
    told = doctor.json()
    assert told.status == 1
    named = [one["subject"] for one in told.findings("configuration")]
    assert named == ["corp_id", "agent_id", "users", "webhook"]
    codes = [one["code"] for one in told.findings("configuration")]
    assert codes == ["missing", "not_positive", "no_recipient", "not_a_webhook"]
    assert all(one["remedy"]["en"] and one["remedy"]["zh"] for one in told.findings("configuration"))
    assert "WECOM_AGENT_ID" in told.findings("configuration")[1]["remedy"]["zh"]
    assert {one["ok"] for one in told.findings("token") + told.findings("bot")} == {None}
    assert [one["value"] for one in told.json["settings"] if one["name"] == "webhook"] == ["?"]


def test_a_wrong_contacts_secret_is_named(doctor: Doctor, sandbox: Sandbox) -> None:
    doctor.set(WECOM_API_BASE=sandbox.url, **APP)
    doctor.set(WECOM_CONTACTS_SECRET=CORP_SECRET)
    _assert_named(doctor.json(), "contacts", 40001, "WECOM_CONTACTS_SECRET", "通讯录同步", warning=True)
    doctor.set(WECOM_CONTACTS_SECRET=APP["WECOM_SECRET"])
    told = doctor.json()
    _assert_named(told, "contacts", 48002, "通讯录同步", "通讯录同步", warning=True)
    assert told.findings("contacts")[0]["cause"]["en"].startswith("contacts_secret is that of an app")
    doctor.set(WECOM_CONTACTS_SECRET=CONTACTS_SECRET)
    assert doctor.json().status == 0


def test_an_app_that_is_switched_off_after_it_got_its_token(doctor: Doctor) -> None:
    with ScriptedWeCom() as wecom:
        wecom.always("/cgi-bin/agent/get", ok(agentid=AGENT_ID, close=1, allow_partys={"partyid": [1]}))
        doctor.set(WECOM_API_BASE=wecom.url, **APP)
        _assert_named(doctor.json(), "app", None, "启用", "重新启用该应用")


@pytest.mark.shows_secrets
def test_each_bot_of_a_group_is_looked_at(doctor: Doctor, sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.add_bot("another-bot")
    file = tmp_path / "bots"
    file.write_text(f"sandbox-bot\n{BOT_KEY}\n{sandbox.url}/cgi-bin/webhook/send?key=another-bot\n")
    doctor.set(WECOM_API_BASE=sandbox.url, WECOM_WEBHOOK_FILE=str(file))
    told = doctor.json("--send")
    assert told.status == 1
    assert [(one["subject"], one["ok"], one["errcode"]) for one in told.findings("bot")] == [
        ("1", True, None),
        ("2", False, 93000),
        ("3", True, None),
    ]
    assert [(one["subject"], one["ok"]) for one in told.findings("send")] == [("1", True), ("2", None), ("3", True)]
    assert [message["key"] for message in sandbox.messages()] == ["sandbox-bot", "another-bot"]
    assert told.json["channels"] == {"bot": True}
    (shown,) = [one["value"] for one in told.json["settings"] if one["name"] == "webhook"]
    assert shown == f"key=*** (11 chars), key=*** (36 chars), {sandbox.url} key=*** (11 chars)"
    text = doctor("--lang", "en").out
    assert "✗ bot 2 [errcode 93000]: " in text
    assert "→ Copy the Webhook address of the bot again" in text
    assert "✗ An alert would arrive through every channel, but what is marked ✗ has to be mended." in text
    text = doctor("--lang", "zh").out
    assert "✗ 群机器人 2 [errcode 93000]：" in text
    assert "请重新复制机器人 Webhook 地址" in text
    assert "✗ 告警可以通过全部通道送达，但仍请处理标有 ✗ 的项目。" in text


def test_bots_that_are_all_wrong_and_a_list_that_is_wrong(doctor: Doctor, sandbox: Sandbox) -> None:
    doctor.set(WECOM_API_BASE=sandbox.url, WECOM_WEBHOOK=f"{BOT_KEY},no-such-bot")
    told = doctor.json("--send")
    assert (told.failed(), told.json["channels"]) == (["bot", "bot"], {"bot": False})
    doctor.set(WECOM_WEBHOOK=f"sandbox-bot,key={BOT_KEY}")
    told = doctor.json()
    (wrong,) = [one for one in told.findings("configuration") if one["ok"] is False]
    assert wrong["code"] == "not_a_webhook"
    assert wrong["cause"]["en"] == "entry 2 of 2: neither a URL nor a key (letters, digits and -)"
    assert wrong["cause"]["zh"] == "第 2 项（共 2 项）：既不是 URL，也不是 key（字母、数字和 -）"
    assert "逗号" in wrong["remedy"]["zh"]
    assert [one["ok"] for one in told.findings("bot")] == [None]


def test_bots_of_two_hosts(doctor: Doctor, sandbox: Sandbox) -> None:
    gone = f"http://127.0.0.1:{_refusing_port()}/cgi-bin/webhook/send?key={BOT_KEY}"
    doctor.set(WECOM_API_BASE=sandbox.url, WECOM_WEBHOOK=f"{gone},sandbox-bot")
    told = doctor.json()
    assert told.failed() == ["network"]
    assert [(one["subject"], one["ok"]) for one in told.findings("bot")] == [("1", None), ("2", True)]


def test_a_handler_that_is_switched_off_is_named(doctor: Doctor, sandbox: Sandbox) -> None:
    doctor.set(WECOM_API_BASE=sandbox.url, WECOM_ENABLED="0", **BOT)
    told = doctor.json()
    _assert_named(told, "enabled", None, "WECOM_ENABLED", "WECOM_ENABLED")
    assert sandbox.calls == ()


def test_recipients_by_name(doctor: Doctor, sandbox: Sandbox) -> None:
    sandbox.add_department(7, name="运维部")
    sandbox.add_department(8, name="空部")
    sandbox.add_department(10, name="上级")
    sandbox.add_department(11, name="下级", parent_id=10)
    sandbox.add_member("below", departments=[11])
    sandbox.add_member("zhangsan", name="张三", departments=[7], mobile="13800000000", leader_of=[7])
    sandbox.add_member("li1", name="李四")
    sandbox.add_member("li2", name="李四")
    sandbox.add_member("bob-1", name="Bob")
    sandbox.add_member("zoe-1", name="Zoe")
    sandbox.add_member("zoe-2", name="Zoe")
    sandbox.add_tag(3, name="值班", users=["zhangsan"])
    sandbox.add_tag(4, name="空")
    sandbox.add_tag(5, name="无人", departments=[8])
    sandbox.add_tag(6, name="下级的", departments=[8, 10])
    contacts = WeComClient("wwsandbox", contacts_secret=CONTACTS_SECRET, api_base=sandbox.url)
    contacts.members.create(user_id="newcomer", name="新人", mobile="13900000000", invite=False)
    sandbox.add_tag(7, name="新人的", users=["newcomer"])
    doctor.set(WECOM_API_BASE=sandbox.url, **APP)
    doctor.set(WECOM_USERS="张三,李四,王五,13800000000,Bob,Zoe,newcomer")
    doctor.set(WECOM_DEPARTMENTS="运维部,空部,上级,9,运维", WECOM_TAGS="值班,9,空,无人,下级的,新人的")
    told = doctor.json()
    found = {one["subject"]: (one["ok"], one["cause"]["en"], one["cause"]["zh"]) for one in told.findings("recipient")}
    assert found["users 张三"] == (True, "张三 (zhangsan)", "张三 (zhangsan)")
    assert found["users 13800000000"][1] == "张三 (zhangsan)"
    assert found["users Bob"][1] == "Bob (bob-1)"
    assert found["users 李四"] == (False, "'李四' fits several: li1, li2", "“李四”对应多个：li1, li2")
    assert found["users Zoe"] == (False, "'Zoe' fits several: zoe-1, zoe-2", "“Zoe”对应多个：zoe-1, zoe-2")
    assert found["users 王五"][0] is False
    assert found["users newcomer"][2] == "该成员尚未激活企业微信，也未关注微信插件"
    assert found["departments 运维部"] == (True, "运维部 (7)", "运维部 (7)")
    assert "相近的有：运维部 (7)" in found["departments 运维"][2]
    assert found["departments 上级"][0] is True
    assert found["departments 空部"][2] == "该部门中没有应用可见的已激活成员"
    assert found["departments 9"][0] is False
    assert found["tags 值班"] == (True, "值班 (3)", "值班 (3)")
    assert found["tags 9"] == (False, "the tag does not exist (invalid tagid)", "标签不存在（invalid tagid）")
    assert found["tags 空"][2] == "该标签中没有应用可见的已激活成员"
    assert [found[f"tags {tag}"][0] for tag in ("无人", "下级的", "新人的")] == [False, True, False]
    assert all(one["remedy"]["zh"] for one in told.findings("recipient") if one["ok"] is False)


@pytest.mark.parametrize(
    ("language", "sent", "not_joined", "verdict"),
    [
        (
            "en",
            "! test message: sent, but not to newcomer",
            "! recipient users newcomer: this member has neither joined WeCom nor followed its plugin in WeChat",
            "✓ An alert would arrive through every channel: app; what is marked ! is for you to look at.",
        ),
        (
            "zh",
            "! 测试消息：已发送，但以下接收人未收到：newcomer",
            "! 接收人 users newcomer：该成员尚未激活企业微信，也未关注微信插件",
            "✓ 告警可以通过全部通道送达：app；标有 ! 的项目请留意。",
        ),
    ],
)
def test_what_does_not_keep_an_alert_from_arriving_is_a_warning(
    doctor: Doctor, sandbox: Sandbox, language: str, sent: str, not_joined: str, verdict: str
) -> None:
    contacts = WeComClient("wwsandbox", contacts_secret=CONTACTS_SECRET, api_base=sandbox.url)
    contacts.members.create(user_id="newcomer", name="新人", mobile="13900000000", invite=False)
    doctor.set(WECOM_API_BASE=sandbox.url, WECOM_LANGUAGE=language, **APP)
    doctor.set(WECOM_CONTACTS_SECRET=CORP_SECRET, WECOM_USERS="sandbox-user,newcomer")
    told = doctor("--send")
    assert (told.status, "✗" in told.out) == (0, False)
    for line in (sent, not_joined, verdict):
        assert line in told.out
    assert len(sandbox.messages()) == 1
    doctor.set(WECOM_USERS="newcomer")
    nobody = doctor()
    assert (nobody.status, "✗" in nobody.out) == (1, True)


def test_recipients_of_a_route_none_of_whom_gets_anything_are_no_warning(
    doctor: Doctor, sandbox: Sandbox, tmp_path: Path
) -> None:
    doctor.set(WECOM_API_BASE=sandbox.url, **APP)
    file = tmp_path / "logging.json"
    route = {"logger": "pay", "users": ["nobody"]}
    handler = {"class": "wecom_logging.WeComHandler", "users": ["sandbox-user"], "routes": [route]}
    file.write_text(json.dumps({"version": 1, "handlers": {"wecom": handler}, "root": {"handlers": ["wecom"]}}))
    told = doctor.json("--config", str(file))
    assert (told.status, told.failed()) == (1, ["recipient"])
    route["users"].append("sandbox-user")
    file.write_text(json.dumps({"version": 1, "handlers": {"wecom": handler}, "root": {"handlers": ["wecom"]}}))
    told = doctor.json("--config", str(file))
    assert (told.status, told.failed()) == (0, ["recipient"])


@pytest.mark.parametrize(
    ("step", "check", "remedy"),
    [
        (status(302), "network", "api_base"),
        (status(502), "network", "网关"),
        (status(404), "network", "api_base"),
        (hold(), "network", "--timeout"),
        (errcode(45009), "token", "checkCorpSpamBlock"),
    ],
    ids=["redirect", "502", "404", "timeout", "ban"],
)
def test_answers_that_are_none(doctor: Doctor, step: Any, check: str, remedy: str) -> None:
    with ScriptedWeCom() as wecom:
        wecom.always("/cgi-bin/gettoken", step)
        doctor.set(WECOM_API_BASE=wecom.url, **APP)
        told = doctor.json("--timeout", "0.5" if step.name == "hold" else "10")
        assert (told.status, told.failed()) == (1, [check])
        assert remedy in told.findings(check)[0]["remedy"]["zh"]


def test_a_network_that_goes_down_on_the_way_is_said_once(doctor: Doctor) -> None:
    with ScriptedWeCom() as wecom:
        wecom.always("/cgi-bin/agent/get", ok(allow_partys={"partyid": [1]}))
        wecom.always("/cgi-bin/user/get", status(504))
        doctor.set(WECOM_API_BASE=wecom.url, **{**APP, "WECOM_USERS": "a,b,c"})
        told = doctor.json("--send")
        assert [one["ok"] for one in told.findings("recipient")] == [False, None, None]
        assert told.findings("send")[0]["ok"] is None


# Logging config files.

YAML = """
version: 1
limits: {{hourly: "1000/hour"}}
formatters: {{line: {{format: "%(message)s"}}}}
handlers:
  file: {{class: logging.FileHandler, filename: "{folder}/made-by-nobody.log"}}
  wecom:
    class: wecom_logging.WeComHandler
    level: ERROR
    formatter: line
    agent_id: 1000002
    users: [sandbox-user]
    rate_limit: cfg://limits.hourly
    routes: [{{logger: shop, departments: [1]}}]
  group:
    (): wecom_logging.WeComBotHandler
    service: ext://wecom_logging.__name__
root: {{handlers: [file, wecom, group]}}
"""
JSON = """{{"version": 1, "handlers": {{
  "file": {{"class": "logging.FileHandler", "filename": "{folder}/made-by-nobody.log"}},
  "wecom": {{"class": "wecom_logging.WeComHandler", "users": "sandbox-user"}},
  "group": {{"class": "wecom_logging.WeComBotHandler"}}}},
  "loggers": {{"shop": {{"handlers": ["wecom", "group"]}}}}}}"""
TOML = """
[logging.handlers.file]
class = "logging.FileHandler"
filename = "{folder}/made-by-nobody.log"
[logging.handlers.wecom]
class = "wecom_logging.WeComHandler"
users = ["sandbox-user"]
[logging.handlers.group]
class = "wecom_logging.WeComBotHandler"
[logging.root]
handlers = ["wecom", "group"]
"""


def _write(folder: Path, name: str, text: str) -> str:
    path = folder / name
    path.write_text(text.format(folder=folder), encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(
    ("name", "text"), [("c.yaml", YAML), ("c.json", JSON), ("c.toml", TOML)], ids=lambda it: it[:6]
)
def test_a_logging_config_that_is_right(doctor: Doctor, sandbox: Sandbox, tmp_path: Path, name: str, text: str) -> None:
    settings = {one: value for one, value in CREDENTIALS.items() if one != "WECOM_USERS"}
    doctor.set(WECOM_API_BASE=sandbox.url, **settings)
    path = _write(tmp_path, name, text)
    told = doctor.json("--config", path, "--send")
    assert told.status == 0, told.out
    assert told.json["channels"] == {"wecom": True, "group": True}
    assert {one["ok"] for one in told.findings()} == {True}
    assert len(sandbox.messages()) == 2
    assert os.listdir(tmp_path) == [name]  # no other handler was built
    (users,) = [one for one in told.json["settings"] if one["name"] == "users"]
    assert (users["source"], users["place"]) == ("configuration", f"{path}: handlers.wecom.users")
    only = doctor.json("--config", path, "--handler", "group")
    assert (only.status, list(only.json["channels"])) == (0, ["group"])


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("c.yaml", "secret: !!int S3cr3tPa55word"),
        ("c.yaml", "day: 2026-13-45"),
        ("c.yaml", "day: !!timestamp S3cr3tPa55word"),
        ("c.yaml", "[" * 5000),
        ("c.json", "[" * 100_000),
        ("c.json", "9" * 5000),
        ("c.toml", "a = " + "9" * 5000),
        ("c.toml", "a = " + "[" * 5000),
    ],
)
def test_a_file_that_no_parser_can_read_is_named_and_nothing_of_it_is_shown(
    doctor: Doctor, tmp_path: Path, name: str, text: str
) -> None:
    told = doctor("--config", _write(tmp_path, name, text))
    assert told.status == 3
    assert f"{name} is not valid" in told.err
    assert "S3cr3t" not in told.err
    assert "Traceback" not in told.err


def test_a_handler_may_have_a_number_for_a_name(doctor: Doctor, sandbox: Sandbox, tmp_path: Path) -> None:
    doctor.set(WECOM_API_BASE=sandbox.url, **APP)
    text = "handlers: {{7: {{class: wecom_logging.WeComHandler}}}}\nroot: {{handlers: [7]}}"
    told = doctor.json("--config", _write(tmp_path, "c.yaml", text))
    assert (told.status, told.json["channels"], told.findings("logger")) == (0, {"7": True}, [])


def test_routes_are_looked_at_too(doctor: Doctor, sandbox: Sandbox, tmp_path: Path) -> None:
    handler = {
        "class": "wecom_logging.WeComHandler",
        "users": ["sandbox-user"],
        "routes": [{"logger": "shop", "users": ["sandbox-user", "ghost"]}, {"leader_of": ["1", "运维部"]}],
    }
    sandbox.add_department(7, name="运维部")
    sandbox.add_member("zhangsan", name="张三", leader_of=[7])
    doctor.set(WECOM_API_BASE=sandbox.url, **APP)
    path = tmp_path / "c.json"
    path.write_text(json.dumps({"handlers": {"wecom": handler}}))
    told = doctor.json("--config", str(path))
    assert [(one["subject"], one["ok"]) for one in told.findings("recipient")] == [
        ("users sandbox-user", True),
        ("users ghost", False),
        ("leader_of 1", False),
        ("leader_of 运维部", True),
    ]
    (unused,) = told.findings("logger")
    assert (unused["ok"], "handlers" in unused["remedy"]["zh"]) == (None, True)


class ShopHandler(WeComHandler):
    """A user's own class, which fills in options itself."""

    def __init__(self, team: str, **options: Any) -> None:
        super().__init__(users=[f"{team}-user"], service="shop", **options)


class HalfHandler(WeComHandler):
    """A user's own class that forgets ours."""

    def __init__(self, **options: Any) -> None:
        pass


def test_a_class_on_top_of_ours_is_looked_at_with_what_it_fills_in(
    doctor: Doctor, sandbox: Sandbox, tmp_path: Path
) -> None:
    settings = {name: value for name, value in APP.items() if name != "WECOM_USERS"}
    doctor.set(WECOM_API_BASE=sandbox.url, **settings)
    path = tmp_path / "c.json"
    handler = {"class": f"{__name__}.ShopHandler", "team": "sandbox"}
    path.write_text(json.dumps({"handlers": {"shop": handler}, "root": {"handlers": ["shop"]}}))
    told = doctor.json("--config", str(path))
    assert told.status == 0
    assert [one["subject"] for one in told.findings("recipient")] == ["users sandbox-user"]
    (users,) = [one for one in told.json["settings"] if one["name"] == "users"]
    assert users["place"] == f"class {__name__}.ShopHandler"


@pytest.mark.parametrize(
    ("handler", "subject"),
    [
        ({"class": "no_such_package.Handler"}, "class"),
        ({"class": "wecom_logging.WeComHandler", "users": "u", "recievers": "u"}, "recievers"),
        ({"class": "wecom_logging.WeComHandler", "users": "ext://no_such_package.USERS"}, "users"),
        *(
            ({"class": "wecom_logging.WeComHandler", "users": "sandbox-user", "level": level}, "level")
            for level in ("LOUD", "40", 40.0, True)  # logging takes no number in another form
        ),
        ({"class": f"{__name__}.ShopHandler"}, "class"),
        ({"class": f"{__name__}.HalfHandler", "users": "sandbox-user"}, "class"),
        ({"class": "wecom_logging.WeComHandler", "users": "sandbox-user", "fallback": "none"}, "fallback"),
        ({"class": "wecom_logging.WeComHandler", "routes": [{"logger": "x"}], "users": "sandbox-user"}, "routes[0]"),
    ],
)
def test_what_a_logging_config_gets_wrong_is_named(
    doctor: Doctor, sandbox: Sandbox, tmp_path: Path, handler: dict[str, object], subject: str
) -> None:
    doctor.set(WECOM_API_BASE=sandbox.url, **APP)
    path = tmp_path / "c.json"
    path.write_text(json.dumps({"handlers": {"wecom": handler}, "root": {"handlers": ["wecom"]}}))
    told = doctor.json("--config", str(path))
    found = [one for one in told.findings("configuration") if one["subject"] == subject and one["ok"] is False]
    assert (told.status, len(found)) == (1, 1)
    assert found[0]["remedy"]["en"]
    assert found[0]["remedy"]["zh"]


# Nothing to look at: exit code 3 or 2, as everywhere.


def test_nothing_is_configured(doctor: Doctor) -> None:
    told = doctor()
    assert told.status == 3
    assert "WECOM_CORP_ID" in told.err
    assert "--config" in told.err


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("c.json", '{{"handlers": {{"secret": "' + CORP_SECRET + '" x'),
        ("c.toml", f'secret = "{CORP_SECRET}'),
        ("c.yaml", f"secret: '{CORP_SECRET}\n  x: ["),
        ("c.ini", f"[handlers]\nsecret = {CORP_SECRET}"),
        ("c.json", "[]"),
        ("c.txt", ""),
        ("c.json", '{{"handlers": {{"console": {{"class": "logging.StreamHandler"}}}}}}'),
    ],
)
@pytest.mark.shows_secrets
def test_a_file_that_is_none(doctor: Doctor, tmp_path: Path, name: str, text: str) -> None:
    told = doctor("--config", _write(tmp_path, name, text))
    assert (told.status, told.out) == (3, "")
    assert name in told.err


def test_no_such_file_and_no_such_handler(doctor: Doctor, tmp_path: Path) -> None:
    assert doctor("--config", str(tmp_path / "none.json")).status == 3
    told = doctor("--config", _write(tmp_path, "c.json", JSON), "--handler", "wecon")
    assert told.status == 3
    assert "wecom" in told.err
    told = doctor("--config", _write(tmp_path, "c.json", JSON), "--handler", "file")
    assert told.status == 3
    assert "WeComHandler" in told.err


def test_without_pyyaml_it_says_what_to_install(
    doctor: Doctor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    told = doctor("--config", _write(tmp_path, "c.yaml", YAML))
    assert told.status == 3
    assert "pip install 'PyYAML'" in told.err


def test_a_handler_is_one_of_a_config(doctor: Doctor) -> None:
    assert doctor("--handler", "x").status == 2


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("http://proxy:3128", "http://proxy:3128"),
        ("http://user:p@ss/word@proxy:3128/x", "http://***@proxy:3128/x"),
        ("user:secret@proxy:3128", "***@proxy:3128"),
        ("", ""),
    ],
)
def test_the_password_of_a_proxy_is_masked(address: str, shown: str) -> None:
    assert without_login(address) == shown


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_narrow_terminal_tears_no_word(language: str, sandbox: Sandbox) -> None:
    """A terminal of 60 columns, and a pipe, of the same report."""
    fcntl, termios = (pytest.importorskip(name, reason="a terminal of Unix") for name in ("fcntl", "termios"))
    env = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    env |= {**APP, "WECOM_API_BASE": sandbox.url, "WECOM_SECRET": "wrong", "WECOM_USERS": "张三"}
    command = [sys.executable, "-m", "wecom_logging._cli", "doctor", "--lang", language]
    whole = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False).stdout
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 60, 0, 0))
    with subprocess.Popen(command, env=env, stdout=theirs, stderr=subprocess.DEVNULL) as process:
        os.close(theirs)
        shown = b""
        while part := _read(ours):
            shown += part
        process.wait(60)
    os.close(ours)
    lines = shown.decode().splitlines()
    assert len(lines) > len(whole.splitlines())
    assert [line for line in lines if width(line) > 60 and " " in line.strip()] == []
    assert not re.search(r"^ *[、。，；：）”]|[（“(\[]$", "\n".join(lines), re.MULTILINE)
    # Numbers, such as the seconds between two clocks, are of the moment in which they are said.
    assert re.sub(r"\s+|\d+", "", "".join(lines)) == re.sub(r"\s+|\d+", "", whole)
    words = re.findall(r"[A-Za-z_]{4,}", whole)
    assert words == re.findall(r"[A-Za-z_]{4,}", "\n".join(lines))


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux says so of a terminal whose other end is closed
        return b""


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("wss://openws.work.weixin.qq.com", "wss://openws.work.weixin.qq.com"),
        ("wss://proxy.example:8443/canary?token=canary", "wss://proxy.example:8443/…"),
    ],
)
def test_of_the_address_of_an_ai_bot_no_path_and_no_query_is_shown(url: str, shown: str) -> None:
    found = {one.name: one.value for one in settings("aibot", "aibot", {"url": url}, {})}
    assert found["url"] == shown


def test_the_secret_of_an_ai_bot_has_its_place() -> None:
    given, places = {"secret": "of the bot"}, {"secret": "handlers.phone"}
    (found,) = [one for one in settings("phone", "aibot", given, places) if one.name == "aibot_secret"]
    assert (found.value, found.source, found.place) == ("*** (10 chars)", "configuration", "handlers.phone")


def test_an_ai_bot_is_tried_only_where_it_is_asked_for(sandbox: Sandbox) -> None:
    settings = {name: value for name, value in sandbox.environment.items() if "AIBOT" in name}
    found = _called(settings)
    (check,) = [one for one in json.loads(found.stdout)["findings"] if one["check"] == "aibot"]
    assert (found.returncode, check["ok"], len(sandbox.calls)) == (0, None, 0)
    sent = _called(settings, "--send")
    (check,) = [one for one in json.loads(sent.stdout)["findings"] if one["check"] == "aibot"]
    assert (sent.returncode, check["ok"]) == (0, True)
    assert {one["chat"] for one in sandbox.messages(channel="aibot")} == {"sandbox-user", "sandbox-group"}
    wrong = _called({**settings, "WECOM_AIBOT_SECRET": "wrong-secret-0123"}, "--send")
    (check,) = [one for one in json.loads(wrong.stdout)["findings"] if one["check"] == "aibot"]
    assert (wrong.returncode, check["ok"], check["errcode"]) == (1, False, 853000)
    assert "wrong-secret" not in wrong.stdout + wrong.stderr


@pytest.mark.parametrize(
    ("kinds", "changes", "en", "zh"),
    [
        (
            "app",
            {},
            "✓ An alert would arrive through app; aibot was not tried.",
            "✓ 告警可以通过 app 送达；aibot 未尝试。",
        ),
        ("", {}, "– aibot was not tried.", "– aibot 未尝试。"),
        (
            "app",
            {"WECOM_SECRET": "wrong"},
            "✗ An alert would not arrive through app; aibot was not tried; what is marked ✗ has to be mended.",
            "✗ 告警无法通过 app 送达；aibot 未尝试；请先处理标有 ✗ 的项目。",
        ),
    ],
)
def test_what_was_not_tried_is_not_said_to_arrive(
    doctor: Doctor, sandbox: Sandbox, kinds: str, changes: dict[str, str], en: str, zh: str
) -> None:
    names = [name for name in sandbox.environment if "AIBOT" in name or name == "WECOM_API_BASE"]
    app = {name: value for name, value in CREDENTIALS.items() if "WEBHOOK" not in name} if kinds else {}
    doctor.set(**{name: sandbox.environment[name] for name in names}, **{**app, **changes})
    assert doctor("--lang", "en").out.splitlines()[-1] == en
    assert doctor("--lang", "zh").out.splitlines()[-1] == zh


def _called(settings: dict[str, str], *more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "wecom_logging._cli", "--json", "doctor", *more]
    env = {**os.environ, **settings}
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)


def test_e9_whom_steps_name_is_looked_for(doctor: Doctor, sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.add_member("lisi", name="李四", departments=[1])
    rules = tmp_path / "duty.toml"
    rules.write_text('escalation = [{ after = "10m", users = ["李四"] }, { after = "25m", users = ["没人"] }]\n')
    doctor.set(WECOM_DUTY=str(rules), WECOM_STATE=f"sqlite://{tmp_path}/alerts.db", **sandbox.environment)
    told = doctor.json()
    found = {one["subject"]: one["ok"] for one in told.findings("recipient")}
    assert (found["escalation[0].users 李四"], found["escalation[1].users 没人"], told.status) == (True, False, 1)
    doctor.set(WECOM_STATE="")
    told = doctor.json()
    (one,) = [one for one in told.findings("configuration") if not one["ok"]]
    assert (one["subject"], one["code"]) == ("escalation", "nobody_can_take")


@pytest.mark.parametrize(
    ("who", "known"),
    [
        ({"users": ["sandbox-user"]}, True),
        ({"leader_of": ["1"]}, True),
        ({"departments": [1]}, False),
        ({"users": ["@all"]}, False),
        ({"users": ["sandbox-user"], "routes": [{"logger": "shop", "departments": [1]}]}, False),
        ({"users": ["sandbox-user"], "escalation": [{"after": "10m", "departments": [1]}]}, False),
    ],
    ids=str,
)
def test_where_it_is_not_known_who_is_told_the_doctor_says_that_they_are_not_asked_to_answer(
    doctor: Doctor, sandbox: Sandbox, tmp_path: Path, who: dict[str, Any], known: bool
) -> None:
    sandbox.add_member("boss", name="老板", departments=[1], leader_of=[1])
    handler = {"class": "wecom_logging.WeComHandler", "answers": "aibot", **who}
    file = tmp_path / "logging.json"
    file.write_text(json.dumps({"version": 1, "handlers": {"wecom": handler}, "root": {"handlers": ["wecom"]}}))
    doctor.set(**{name: value for name, value in sandbox.environment.items() if name != "WECOM_USERS"})
    told = doctor("--config", str(file), "--lang", "zh")
    assert (told.status, "! 处理权限" in told.out) == (0, not known), told.out
