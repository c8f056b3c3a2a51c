"""Configuration: what is wrong is named and never shown, what is right works, in every way that logging offers."""

from __future__ import annotations

import logging
import logging.config
import re
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from wecom_logging import (
    MarkdownFormatter,
    TextFormatter,
    WeComAIBotHandler,
    WeComBotHandler,
    WeComClient,
    WeComHandler,
)
from wecom_logging import _config as config
from wecom_logging._build import bot_setup
from wecom_logging._config import CommonOptions
from wecom_logging._errors_in_chinese import remedy_in_chinese
from wecom_logging._incidents.duty import duty_of
from wecom_logging._sandbox import Sandbox
from wecom_logging._wecom import BotClient
from wecom_logging.errors import ConfigurationError, MissingDependencyError
from wecom_logging.handlers import AlertHandler
from wecom_logging.model import Recipients, Secret
from wecom_logging.model.duty import ALL_LEVELS, NO_DUTY, Duty, Span, Step
from wecom_logging.testing import capture_alerts

from .programs import app_handler, run

CANARY = "Zk9vQ2canaryX7w"
APP: dict[str, Any] = {"corp_id": "ww1", "agent_id": 1000002, "secret": CANARY, "users": ["bob"]}
BOT: dict[str, Any] = {"webhook": CANARY}
URL = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send"


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in APP.items() if key != name}


def own_locals(error: BaseException) -> str:
    """The local variables of our own frames, as tools show them that report errors."""
    package = str(Path(config.__file__).parent)
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    return "\n".join(
        f"{name} = {value!r}"
        for frame in frames
        if frame.f_code.co_filename.startswith(package)
        for name, value in frame.f_locals.items()
    )


def refused(make: Callable[[], object], field: str) -> str:
    """The text of the error, which names the field and shows no secret, anywhere."""
    with pytest.raises(ConfigurationError) as caught:
        make()
    error = caught.value
    assert error.field == field
    assert str(error).startswith(f"{field}: ")
    assert re.search("[一-鿿]", error.text("zh"))
    assert not error.remedy or remedy_in_chinese(error.remedy) != error.remedy
    chain: BaseException | None = error
    while chain is not None:
        assert CANARY not in repr(chain) + str(chain) + repr(vars(chain))
        assert CANARY not in own_locals(chain)
        chain = chain.__cause__ or (None if chain.__suppress_context__ else chain.__context__)
    return str(error)


def step(after: object, **more: Any) -> dict[str, Any]:
    return {"after": after, "users": ["lisi"], **more}


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("corp_id", "WECOM_CORP_ID"),
        ("agent_id", "WECOM_AGENT_ID"),
        ("secret", "WECOM_SECRET_FILE"),
        ("users", "WECOM_USERS"),
    ],
)
def test_what_is_missing_is_named_with_the_way_to_set_it(name: str, hint: str) -> None:
    assert hint in refused(lambda: WeComHandler(**without(name)), name)


def test_a_bound_is_a_number_as_people_write_it() -> None:
    with pytest.raises(ConfigurationError, match="at least 1 and at most 4096000000 is needed"):
        WeComHandler(**APP, max_pending=0)


def test_a_missing_webhook_is_named() -> None:
    assert "WECOM_WEBHOOK" in refused(lambda: WeComBotHandler(enabled=True), "webhook")


WRONG_APP = [
    ("corp_id", [CANARY]),
    ("corp_id", 7),
    ("corp_id", " "),
    ("corp_id", "a\nb"),
    ("agent_id", "agent"),
    ("agent_id", "-1"),
    ("agent_id", 0),
    ("agent_id", True),
    ("agent_id", 1.5),
    ("agent_id", [1]),
    ("agent_id", "9" * 5000),
    ("secret", [CANARY]),
    ("secret", 123456),
    ("secret", CANARY.encode()),
    ("secret", {"value": CANARY}),
    ("secret", ""),
    ("secret", f"{CANARY}\nx"),
    ("secret", "env:NO_SUCH_NAME"),
    ("secret", "env:"),
    ("secret", "file:/no/such/file"),
    ("secret", "file:/"),
    ("secret", "file:\0"),
    ("users", []),
    ("users", ""),
    ("users", {"bob": 1}),
    ("users", [None]),
    ("users", [["bob"]]),
    ("users", ["<@all>"]),
    ("users", "x" * 65),
    ("users", [f"u{n}" for n in range(1001)]),
    ("users", True),
    ("users", b"bob"),
    ("departments", ["1", "研发<测试"]),
    ("departments", "研" * 65),
    ("tags", "x" * 32),
    ("departments", list(range(1, 102))),
    ("tags", [1.5]),
]
WRONG_COMMON = [
    ("heartbeat_url", f"hc-ping.com/{CANARY}"),
    ("heartbeat_url", f"ftp://hc-ping.com/{CANARY}"),
    ("level", "LOUD"),
    ("level", "error "),
    ("level", True),
    ("level", 1.5),
    ("level", [40]),
    ("service", ["shop"]),
    ("service", 7),
    ("service", ""),
    ("environment", "a\nb"),
    ("state", f"redis://:{CANARY}@localhost:port"),
    ("state", f"rediss://:{CANARY}@localhost:99999999"),
    ("state", f"valkey://:{CANARY}@localhost/db"),
    ("state", f"redis://:{CANARY}@localhost/0?what={CANARY}"),
    ("state", f"redis://:{CANARY}@[::1"),
    ("state", "unix://"),
    ("state", "redis:localhost"),
    ("state", ...),  # an object of no kind, with the same name in each process
    ("state", 3),
    ("state", b"memory://"),
    ("state", ""),
    ("state", "memory"),
    ("state", "memory://x"),
    ("state", " memory://"),
    ("state", "sqlite://"),
    ("state", "sqlite:///"),
    ("state", "sqlite:////"),
    ("state", "sqlite:/path/to/alerts.db"),
    ("state", "sqlite://alerts.db"),
    ("state", "sqlite://./alerts.db"),
    ("state", "sqlite:///path/to/"),
    ("state", "sqlite:///path\0/alerts.db"),
    ("state", "SQLite:///path/to/alerts.db"),
    ("state", "/path/to/alerts.db"),
    ("state", "mysql://localhost/alerts"),
    ("state", "://"),
    ("state", f"sqlite://{CANARY}.db"),
    ("state", f"nosql://:{CANARY}@host/0"),
    ("state", CANARY),
    ("rate_limit", 20),
    ("rate_limit", ""),
    ("rate_limit", "20"),
    ("rate_limit", "0/minute"),
    ("rate_limit", "-1/minute"),
    ("rate_limit", "20/fortnight"),
    ("rate_limit", "20/minute,"),
    ("rate_limit", "20 per minute"),
    ("rate_limit", ["20/minute"]),
    *[
        (name, value)
        for name in ("timeout", "exit_timeout")
        for value in (-1, float("nan"), float("inf"), True, "10", None, 1e300, 10**400)
    ],
    ("timeout", 0),
    *[("window", value) for value in (0, 0.5, -1, 86_401, float("nan"), float("inf"), "60", True, None, [60], 10**400)],
    *[("fingerprint", value) for value in ("text", "", 7, True, ["a"])],
    ("max_pending", 0),
    ("max_pending", -5),
    ("max_pending", "many"),
    ("max_pending", 10**400),
    ("overflow", "cut"),
    ("frames", "mine"),
    ("celery", "no"),
    *[("answers", value) for value in ("bot", "", True, ["aibot"])],
    ("frames", None),
    ("overflow", None),
    ("overflow", ["trim"]),
    ("language", "fr"),
    ("language", "ZH"),
    ("language", "zh_CN"),
    ("language", ""),
    ("language", 2052),
    ("language", ["zh"]),
    *[("timezone", value) for value in ("", "Mars/Olympus", "+08:00", "../../etc/passwd", "/etc/localtime", "Asia", 8)],
    *[
        ("quiet_hours", value)
        for value in ("", ";", 7, [7], {"22:00-08:00"}, "x", "22:00", "24:00-08:00", "25:00-08:00")
    ],
    *[
        ("quiet_hours", value)
        for value in ("22:60-08:00", "fri22:00-08:00", "mon-mon", "mon-fri-sat", ["22:00-08:00"] * 21)
    ],
    *[
        ("quiet_hours", value)
        for value in (["22:00-08:00; sat"], "08:00-08:00", "daily", "00:00-24:00", "off-days; mon-fri")
    ],
    *[("quiet_hours", value) for value in ("00:00-12:00; 12:00-24:00", "mon-fri; off-days", "22:00 08:00")],
    *[("on_call", value) for value in ("zhangsan", [CANARY], {"a|b": {}}, {7: {}})],
    *[("duty", value) for value in ("", "/no/such/file.toml", 7, "/")],
    *[("escalation", value) for value in (7, "10m", {"after": "10m"}, [step("10m")] * 9)],
    *[("escalation_level", value) for value in ("LOUD", "", 1.5)],
    ("link", "ftp://x"),
    ("link", "//x"),
    ("link", "https://"),
    ("link", "https://[x"),
    ("link", "https://x/{host}"),
    ("link", "https://x/{}"),
    ("link", "https://x/{0}"),
    ("link", "https://x/{service"),
    ("link", "https://x/}"),
    ("link", "https://x/{service.__class__}"),
    ("link", "https://x/{service[0]}"),
    ("link", "https://x/{service!r}"),
    ("link", "https://x/{service:>999999999999}"),
    ("link", "https://x/" + "a" * 600),
    ("link", ["https://x"]),
    ("redact", "yes"),
    ("redact", 3),
    *[("fallback", value) for value in ("", 7, ["other"])],
    *[("on_outcome", value) for value in ("text", 7, True)],
    ("enabled", "perhaps"),
    ("enabled", 2),
    ("api_base", "qyapi.weixin.qq.com"),
    ("api_base", "http://qyapi.weixin.qq.com"),
    ("api_base", "ftp://127.0.0.1"),
    ("api_base", "https://"),
    ("api_base", f"https://user:{CANARY}@h.example"),
    ("api_base", f"https://{CANARY}@h.example"),
    ("api_base", "https://h.example/path"),
    ("api_base", f"https://h.example?key={CANARY}"),
    ("api_base", "https://h.example#x"),
    ("api_base", "https://h.example:port"),
    ("api_base", "https://h.example:99999"),
    ("api_base", "https://[::1"),
    ("api_base", "https://h example"),
    ("api_base", "https://h.example\\@evil"),
    ("api_base", 8765),
    ("api_base", ["https://h.example"]),
    ("api_base", "https://h.example\nx"),
    ("api_base", "http://127.0.0.1.evil.example"),
    ("api_base", "http://127.999.1.1"),
    ("api_base", "http://127.\uff10.0.1"),
]
WRONG_BOT = [
    ("webhook", {"key": CANARY}),
    ("webhook", {CANARY}),
    ("webhook", 7),
    ("webhook", []),
    ("webhook", [None]),
    ("webhook", [""]),
    ("webhook", " , ,\n"),
    ("webhook", ""),
    ("webhook", f"key={CANARY}"),
    ("webhook", f"{CANARY} {CANARY}"),
    ("webhook", URL),
    ("webhook", f"{URL}?key="),
    ("webhook", f"{URL}?KEY={CANARY}"),
    ("webhook", f"{URL}?key={CANARY}&key=other"),
    ("webhook", f"{URL}?key={CANARY}/../x"),
    ("webhook", f"https://qyapi.weixin.qq.com/cgi-bin/webhook/upload_media?key={CANARY}"),
    ("webhook", f"https://qyapi.weixin.qq.com/?key={CANARY}"),
    ("webhook", f"https://qyapi.weixin.qq.com/cgi-bin/webhook/send/?key={CANARY}"),
    ("webhook", f"http://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={CANARY}"),
    ("webhook", f"https://bob:{CANARY}@qyapi.weixin.qq.com/cgi-bin/webhook/send?key={CANARY}"),
    ("webhook", f"ftp://127.0.0.1/cgi-bin/webhook/send?key={CANARY}"),
    ("mention", {"bob": 1}),
    ("mention", ["<@all>"]),
    ("mention", 1.5),
    ("mention_level", "LOUD"),
    ("mention_level", None),
]


@pytest.mark.parametrize("name", CommonOptions.__annotations__)
def test_an_option_is_read_and_has_a_wrong_value_here(name: str) -> None:
    assert name in {wrong for wrong, _ in WRONG_COMMON}, "WRONG_COMMON has no wrong value of it"
    read = []

    class Given(dict[str, Any]):
        def get(self, name: str, default: Any = None) -> Any:
            read.append(name)
            return super().get(name, default)

    options: Any = Given()
    AlertHandler(options, bot_setup(AlertHandler, options, CANARY, None, logging.CRITICAL), "20/minute", {}).close()
    assert name in read, "nothing in _build.py reads it"


@pytest.mark.parametrize(
    ("name", "value"), WRONG_APP + WRONG_COMMON, ids=lambda value: repr(value)[:40].encode("ascii", "replace").decode()
)
def test_a_wrong_option_of_the_app_is_named_and_not_shown(name: str, value: Any) -> None:
    refused(lambda: WeComHandler(**{**APP, name: value}), name)


@pytest.mark.parametrize(
    ("name", "value"), WRONG_BOT + WRONG_COMMON, ids=lambda value: repr(value)[:40].encode("ascii", "replace").decode()
)
def test_a_wrong_option_of_the_bot_is_named_and_not_shown(name: str, value: Any) -> None:
    refused(lambda: WeComBotHandler(**{**BOT, name: value}), name)


@pytest.mark.parametrize(
    ("given", "meant"),
    [("secert", "secret"), ("user", "users"), ("corpid", "corp_id"), ("time_out", "timeout"), ("agentid", "agent_id")],
)
def test_an_unknown_option_gets_a_suggestion(given: str, meant: str) -> None:
    assert f"did you mean {meant!r}?" in refused(lambda: WeComHandler(**{**APP, given: CANARY}), given)


@pytest.mark.parametrize("name", ["zzz", "quiet_limit", "take_for", "calendar"])
def test_an_unknown_option_without_a_likeness_gets_the_list(name: str) -> None:
    assert "the options are webhook, mention" in refused(lambda: WeComBotHandler(**BOT, **{name: CANARY}), name)


SEVERAL = [
    ([CANARY, 7], "entry 2 of 2: a string is needed"),
    (["one", "", CANARY], "entry 2 of 3: it is empty"),
    (["one", f"key={CANARY}"], "entry 2 of 2: neither a URL nor a key"),
    (["one", f"{CANARY},two"], "entry 2 of 2: neither a URL nor a key"),
    ([f"https://{CANARY}@x/cgi-bin/webhook/send?key=k", "one"], "entry 1 of 2: it holds a user name"),
    (["one", "env:NO_SUCH_NAME"], "entry 2 of 2: the environment variable NO_SUCH_NAME"),
    (["one", f"file:{CANARY}"], "entry 2 of 2: its file cannot be read"),
    ([f"one\0{CANARY}", "two"], "entry 1 of 2: it holds a line break"),
    ([CANARY, "one", CANARY], "entry 3 of 3: it is the same bot as entry 1"),
    ([CANARY, f"{URL}?key={CANARY}"], "entry 2 of 2: it is the same bot as entry 1"),
    (f"{CANARY}, one,{URL}", "entry 3 of 3: the URL needs one key"),
]


@pytest.mark.parametrize(("webhook", "problem"), SEVERAL, ids=[problem for _, problem in SEVERAL])
def test_of_several_bots_the_wrong_one_is_named_by_its_number(webhook: Any, problem: str) -> None:
    assert refused(lambda: WeComBotHandler(webhook=webhook), "webhook").startswith(f"webhook: {problem}")


def test_one_client_is_for_one_bot() -> None:
    assert "2 given; at most 1 are allowed" in refused(lambda: BotClient(f"{CANARY},two"), "webhook")


# The environment and files.


def keys_of(handler: AlertHandler) -> list[str]:
    assert handler._pipeline is not None
    return [channel.client.key.reveal() for channel in handler._pipeline._channels]


def test_several_bots_from_wherever_one_may_come(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "bots"
    file.write_text(f"{URL}?key=one\r\n\ntwo, three\n")
    monkeypatch.setenv("THIRD", "three")
    (tmp_path / "first").write_text("one\n")
    for webhook in (
        ["one", "two", "three"],
        (f"{URL}?key=one", Secret("two"), "env:THIRD"),
        [f"file:{tmp_path / 'first'}", "two", "three"],
        "one, two，three,",
        f"file:{file}",
    ):
        assert keys_of(WeComBotHandler(webhook=webhook)) == ["one", "two", "three"]
    monkeypatch.setenv("WECOM_WEBHOOK_FILE", str(file))
    assert keys_of(WeComBotHandler()) == ["one", "two", "three"]
    monkeypatch.delenv("WECOM_WEBHOOK_FILE")
    monkeypatch.setenv("WECOM_WEBHOOK", f"{URL}?key=one,two,three")
    assert keys_of(WeComBotHandler()) == ["one", "two", "three"]


def test_a_logging_config_may_point_to_a_bot(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"class": "wecom_logging.WeComBotHandler", "webhook": ["one", "cfg://second"]}
    logging.config.dictConfig(
        {"version": 1, "disable_existing_loggers": False, "second": "two", "handlers": {"bots": given}}
    )
    handler = logging._handlers["bots"]
    assert keys_of(handler) == ["one", "two"]
    handler.close()


def made(monkeypatch: pytest.MonkeyPatch, **environment: str) -> WeComHandler:
    given = {"WECOM_CORP_ID": "ww1", "WECOM_AGENT_ID": "7", "WECOM_SECRET": CANARY, "WECOM_USERS": "bob", **environment}
    for name, value in given.items():
        if value:
            monkeypatch.setenv(name, value)
    return WeComHandler()


def secret_of(handler: AlertHandler) -> str:
    assert handler._pipeline is not None
    client = handler._pipeline._channels[0].client
    found = getattr(client, "secret", None) or client.key
    assert isinstance(found, Secret)
    return found.reveal()


def recipients_of(handler: AlertHandler) -> Recipients:
    assert handler._pipeline is not None
    found = handler._pipeline._channels[0]._recipients
    assert isinstance(found, Recipients)
    return found


def test_the_environment_alone_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    handler = made(
        monkeypatch,
        WECOM_USERS="bob, amy，eve,",
        WECOM_DEPARTMENTS="2,3",
        WECOM_TAGS="9",
        WECOM_RATE_LIMIT="off",
        WECOM_API_BASE="https://proxy.example/cgi-bin/",
    )
    assert secret_of(handler) == CANARY
    assert recipients_of(handler) == Recipients(("bob", "amy", "eve"), ("2", "3"), ("9",))
    assert handler._pipeline is not None
    assert handler._pipeline.options.rules == ()
    assert "https://proxy.example 1" not in handler._pipeline._channels[0].identity
    assert "https://proxy.example " in handler._pipeline._channels[0].identity


@pytest.mark.parametrize(("text", "seconds"), [("", 5.0), ("30", 30.0), ("0", 0.0), ("1.5", 1.5)])
def test_how_long_the_exit_may_wait_is_in_a_variable(
    monkeypatch: pytest.MonkeyPatch, text: str, seconds: float
) -> None:
    handler = made(monkeypatch, WECOM_EXIT_TIMEOUT=text)
    assert handler._pipeline is not None
    assert handler._pipeline.options.exit_timeout_s == seconds
    other = WeComHandler(exit_timeout=2)
    assert other._pipeline is not None
    assert other._pipeline.options.exit_timeout_s == 2


@pytest.mark.parametrize(
    ("text", "field", "said"),
    [
        ("30s", "WECOM_EXIT_TIMEOUT", "a number is needed, not a str. Such as 5"),
        ("long", "WECOM_EXIT_TIMEOUT", "a number is needed, not a str. Such as 5"),
        ('"30"', "WECOM_EXIT_TIMEOUT", "it begins or ends with a quotation mark"),
        ("-1", "exit_timeout", "at least 0"),
        ("nan", "exit_timeout", ""),
    ],
)
def test_a_variable_that_is_no_number_of_seconds_is_refused(
    monkeypatch: pytest.MonkeyPatch, text: str, field: str, said: str
) -> None:
    assert said in refused(lambda: made(monkeypatch, WECOM_EXIT_TIMEOUT=text), field)


def test_an_argument_beats_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    made(monkeypatch, WECOM_DEPARTMENTS="2")
    handler = WeComHandler(users=["amy"], secret="other-secret")
    assert recipients_of(handler) == Recipients(("amy",))
    assert secret_of(handler) == "other-secret"


@pytest.mark.parametrize("text", [CANARY, f"{CANARY}\n", f"  {CANARY}\r\n\n"])
def test_a_secret_from_a_file_loses_its_line_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    file = tmp_path / "secret"
    file.write_bytes(text.encode())
    assert secret_of(made(monkeypatch, WECOM_SECRET="", WECOM_SECRET_FILE=str(file))) == CANARY
    assert secret_of(WeComHandler(**{**APP, "secret": f"file:{file}"})) == CANARY
    assert secret_of(WeComBotHandler(webhook=f"file:{file}")) == CANARY
    monkeypatch.setenv("WECOM_WEBHOOK_FILE", str(file))
    assert secret_of(WeComBotHandler()) == CANARY


def test_a_secret_by_the_name_of_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_SECRET", f"{CANARY}\n")
    assert secret_of(WeComHandler(**{**APP, "secret": "env:MY_SECRET"})) == CANARY
    assert secret_of(WeComHandler(**{**APP, "secret": Secret(f"{CANARY}\n")})) == CANARY
    monkeypatch.setenv("MY_SECRET", "")
    assert " MY_SECRET " in refused(lambda: WeComHandler(**{**APP, "secret": "env:MY_SECRET"}), "secret")


def test_two_places_for_one_secret_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secret").write_text(CANARY)
    said = refused(lambda: made(monkeypatch, WECOM_SECRET_FILE=str(tmp_path / "secret")), "secret")
    assert "both WECOM_SECRET and WECOM_SECRET_FILE" in said


@pytest.mark.parametrize(
    "data", [b"", b" \n", b"\xff\xfe" + CANARY.encode(), f"{CANARY}\n{CANARY}".encode(), b"\0" + CANARY.encode()]
)
def test_an_empty_or_unreadable_secret_file_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: bytes
) -> None:
    file = tmp_path / "secret"
    file.write_bytes(data)
    refused(lambda: made(monkeypatch, WECOM_SECRET="", WECOM_SECRET_FILE=str(file)), "secret")


def test_a_secret_file_that_is_missing_or_a_folder_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in (tmp_path, tmp_path / "missing"):
        assert str(path) in refused(
            lambda path=path: made(monkeypatch, WECOM_SECRET="", WECOM_SECRET_FILE=str(path)), "secret"
        )


@pytest.mark.parametrize("value", ["0", "false", "No", "OFF"])
def test_disabled_by_the_environment_needs_nothing_else(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("WECOM_ENABLED", value)
    handler = WeComHandler()
    handler.handle(logging.LogRecord("x", 40, "f", 1, "m", (), None))
    assert handler.stats().dropped == {"disabled": 1}


BOTH = """
import logging, logging.config
ours = {"app": {"class": "wecom_logging.WeComHandler", "level": "ERROR", "users": ["sandbox-user"]},
        "bot": {"class": "wecom_logging.WeComBotHandler", "level": "ERROR", "mention": ["@all"]}}
for _ in range(2):
    logging.config.dictConfig({"version": 1, "handlers": ours, "root": {"handlers": [*ours]}})
logging.getLogger("shop").error("no price")
print(*(handler.stats().accepted - handler.stats().dropped.get("disabled", 0) for handler in logging.root.handlers))
"""
OFF = (
    "wecom_logging: {} sends nothing: no credentials are set. To switch it on, set {}; "
    "WECOM_ENABLED=0 hides this line\n"
)
OFF_APP = OFF.format("WeComHandler", "WECOM_CORP_ID, WECOM_AGENT_ID, WECOM_SECRET")
OFF_BOT = OFF.format("WeComBotHandler", "WECOM_WEBHOOK")


@pytest.mark.parametrize(
    "variables", [{}, {"WECOM_STATE": "memory://", "WECOM_API_BASE": "https://wecom.example", "WECOM_LANGUAGE": "en"}]
)
def test_without_credentials_a_program_starts_and_one_line_says_what_to_set(variables: dict[str, str]) -> None:
    ended = run(BOTH, **variables)
    assert (ended.status, ended.out, ended.err) == (0, "0 0\n", OFF_APP + OFF_BOT)


def test_who_gets_it_is_no_credential() -> None:
    """A config names them in every environment."""
    handlers = (WeComHandler(users=["bob"]), WeComBotHandler(mention="bob"), WeComAIBotHandler(chats=["bob"]))
    assert [handler._pipeline for handler in handlers] == [None, None, None]


def test_switched_off_it_says_nothing() -> None:
    ended = run(BOTH, WECOM_ENABLED="0", WECOM_CORPID="ww")
    assert (ended.status, ended.out, ended.err) == (0, "0 0\n", "")


def test_with_credentials_it_is_on(sandbox: Sandbox) -> None:
    assert (ended := run(BOTH, url=sandbox.url)).out == "1 1\n", ended.err
    assert len(sandbox.messages()) == 2


def test_what_is_set_after_a_handler_was_made_is_not_read(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    handler = app_handler(sandbox.url)
    monkeypatch.setenv("WECOM_CONTACTS_SECRET_FILE", "/there/is/none")
    monkeypatch.setenv("WECOM_API_BASE", "no address")
    handler.handle(logging.makeLogRecord({"msg": "broken", "levelno": logging.ERROR}))
    assert handler.flush(20.0)
    assert handler.stats().delivered == 1
    handler.close()


def test_the_other_channels_variables_switch_a_handler_not_on(sandbox: Sandbox) -> None:
    bot = {"WECOM_WEBHOOK": f"{sandbox.url}/cgi-bin/webhook/send?key=sandbox-bot", "WECOM_LANGUAGE": "en"}
    ended = run(BOTH, **bot)
    assert (ended.out, ended.err) == ("0 1\n", OFF_APP)
    assert [message["channel"] for message in sandbox.messages()] == ["bot"]


@pytest.mark.parametrize(
    ("variables", "given"),
    [
        ({"WECOM_CORP_ID": "ww"}, {}),
        ({"WECOM_SECRET_FILE": "/no/such/file"}, {}),
        ({"WECOM_USERS": "bob"}, {}),
        ({"WECOM_ENABLED": "1"}, {}),
        ({}, {"enabled": True}),
        ({"WECOM_ENABLED": "0"}, {"enabled": True}),
        ({}, {"corp_id": "ww"}),
        ({}, {"secret": "s"}),
    ],
)
def test_half_a_configuration_is_an_error_and_none_where_it_is_to_be_on(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], given: dict[str, Any]
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=r"corp_id|agent_id|secret"):
        WeComHandler(**given)


@pytest.mark.parametrize("given", [{}, {"enabled": False}])
def test_what_is_switched_off_needs_nothing(monkeypatch: pytest.MonkeyPatch, given: dict[str, Any]) -> None:
    monkeypatch.setenv("WECOM_ENABLED", "1" if given else "0")
    monkeypatch.setenv("WECOM_CORP_ID", "ww")
    assert WeComHandler(**given).stats().accepted == 0


@pytest.mark.parametrize("users", ["@all", ["@all"], ["bob", "@all"]])
def test_everybody(users: Any) -> None:
    assert recipients_of(WeComHandler(**{**APP, "users": users})) == Recipients(("@all",))


@pytest.mark.parametrize(
    ("given", "base"),
    [
        ("https://h.example", "https://h.example"),
        ("https://h.example/", "https://h.example"),
        ("HTTPS://H.example:8443/cgi-bin/", "https://h.example:8443"),
        ("http://127.0.0.1:8765/cgi-bin", "http://127.0.0.1:8765"),
        ("http://localhost", "http://localhost"),
        ("http://[::1]:8765", "http://[::1]:8765"),
        (" https://h.example ", "https://h.example"),
        (None, "https://qyapi.weixin.qq.com"),
    ],
)
def test_a_good_api_base(given: str | None, base: str) -> None:
    assert config.api_base(given) == base


def test_how_the_scheme_of_an_ai_bot_s_url_is_written_does_not_matter() -> None:
    assert config.aibot_url("WSS://H.example/Path?X") == "wss://H.example/Path?X"


@pytest.mark.parametrize(
    ("given", "host"),
    [
        (f"{URL}?key={CANARY}", "https://qyapi.weixin.qq.com"),
        (f"{URL}?key={CANARY}&debug=1", "https://qyapi.weixin.qq.com"),
        (f" https://proxy.example:8443/cgi-bin/webhook/send?key={CANARY}\n", "https://proxy.example:8443"),
        (f"http://127.0.0.1:1/cgi-bin/webhook/send?key={CANARY}", "http://127.0.0.1:1"),
        (CANARY, "https://qyapi.weixin.qq.com"),
    ],
)
def test_a_good_webhook(given: str, host: str) -> None:
    base, key = config.webhook(given)
    assert (base, key.reveal()) == (host, CANARY)


@pytest.mark.parametrize(
    ("given", "rules"),
    [
        ("20/minute", ((20, 60.0),)),
        (" 30 / minute , 1000/hour", ((30, 60.0), (1000, 3600.0))),
        ("1/second,2/day", ((1, 1.0), (2, 86400.0))),
        (None, ()),
        ("off", ()),
        ("OFF", ()),
    ],
)
def test_a_good_rate_limit(given: str | None, rules: config.RateRules) -> None:
    assert config.rate_limit(given, "20/minute") == rules


STATE = "sqlite:///tmp/alerts.db"
DUTY: dict[str, Any] = {**APP, "timezone": "Asia/Shanghai", "state": STATE}


@pytest.mark.parametrize(
    ("given", "field", "en", "zh"),
    [
        ({"users": ["oncall:web"]}, "users", "write it as 'on-call:web'", "请写作 'on-call:web'"),
        ({"users": "On Call：web"}, "users", "write it as 'on-call:web'", "请写作 'on-call:web'"),
        (
            {"escalation": [{"after": 10, "users": ["lisi"]}]},
            "escalation[0].after",
            'a bare number has no unit; give "10s", "10m" or "10h"',
            '数字没有单位；请写作 "10s"（秒）、"10m"（分钟）或 "10h"（小时）',
        ),
        (
            {"escalation": [{"after": "600", "users": ["lisi"]}]},
            "escalation[0].after",
            'a bare number has no unit; give "600s", "600m" or "600h"',
            '数字没有单位；请写作 "600s"（秒）、"600m"（分钟）或 "600h"（小时）',
        ),
        (
            {"escalation": [step("10m")], "escalation_level": 60},
            "escalation_level",
            "no failure is above CRITICAL (50), so that no step would ever come",
            "没有高于 CRITICAL（50）的故障，任何一级都不会触发",
        ),
        (
            {"level": "EROR"},
            "level",
            "'EROR' is not a level; did you mean 'ERROR'?",
            "“EROR”不是有效的日志级别，可能应为“ERROR”",
        ),
        (
            {"level": "error"},
            "level",
            "'error' is not a level; did you mean 'ERROR'?",
            "“error”不是有效的日志级别，可能应为“ERROR”",
        ),
        (
            {"level": "LOUD"},
            "level",
            "that is not a level ('LOUD'); give a name such as 'ERROR' or a number",
            "不是有效的日志级别 ('LOUD')；请填 ERROR 这样的名称或数字",
        ),
        (
            {"webhook": URL},
            "webhook",
            "WeComHandler has no such option: it belongs to WeComBotHandler",
            "WeComHandler 没有这个选项，它属于 WeComBotHandler",
        ),
        *[
            (
                {"secret": quoted},
                "secret",
                "it begins or ends with a quotation mark, which is kept",
                "开头或结尾带有引号，而引号会被原样保留",
            )
            for quoted in (f'"{CANARY}"', f"'{CANARY}'", f'"{CANARY}', f"“{CANARY}”")
        ],
    ],
)
def test_what_is_wrong_is_said_in_both_languages(
    given: dict[str, Any], field: str, en: str, zh: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert refused(lambda: WeComHandler(**{**DUTY, **given}), field).startswith(f"{field}: {en}")
    with pytest.raises(ConfigurationError) as caught:
        WeComHandler(**{**DUTY, **given, "language": "zh"})
    assert str(caught.value).startswith(f"{field}：{zh}")


ROTA = {"people": ["zhangsan", "lisi"], "since": "2026-12-07 10:00", "every": "1w"}
FILE_OF_DUTY = """
timezone = "Asia/Shanghai"
[on_call.web]
people = ["zhangsan"]
since = "2026-12-07 10:00"
every = "1w"
[on_call.db]
people = ["lisi"]
since = "2026-12-07 10:00"
every = "1w"
"""


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({}, False),
        ({"users": ["on-call:web"]}, True),
        ({"routes": [{"logger": "shop", "users": "on-call:web"}]}, True),
        ({"escalation": [step("10m", users=["on-call:web"])], "state": STATE}, True),
    ],
)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_rota_that_nobody_names_is_said_at_the_start(
    given: dict[str, Any],
    named: bool,
    language: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("WECOM_LANGUAGE", language)
    WeComHandler(**{**APP, "timezone": "Asia/Shanghai", "on_call": {"web": ROTA}, **given}).close()
    said = {
        "en": "on_call has web, which no users, route or step of a handler names: write 'on-call:web' where users "
        "stand",
        "zh": "on_call 中定义了值班表 web，但没有 handler 的 users、routes 或 escalation 用到它；"
        "请在 users 中写上 'on-call:web'",
    }
    assert capsys.readouterr().err == ("" if named else f"wecom_logging: {said[language]}\n")


@pytest.mark.parametrize("named", [True, False])
def test_of_a_file_of_rotas_one_that_any_handler_names_is_enough(
    named: bool, sandbox: Sandbox, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "duty.toml"
    file.write_text(FILE_OF_DUTY)
    first = app_handler(sandbox.url, duty=str(file))
    second = app_handler(sandbox.url, duty=str(file), users=["on-call:db"] if named else ["lisi"])
    first.handle(logging.makeLogRecord({"msg": "broken", "levelno": logging.ERROR}))
    assert first.flush(20.0)
    for handler in (first, second):
        handler.close()
    said = "wecom_logging: on_call has web, db, which no users, route or step of a handler names"
    assert capfd.readouterr().err.count(said) == (not named)


@pytest.mark.parametrize(
    ("language", "said"),
    [
        (
            "en",
            "timezone: WECOM_TIMEZONE (UTC) holds, and not that of the duty file (Asia/Shanghai): leave one of them "
            "out",
        ),
        ("zh", "timezone：以 WECOM_TIMEZONE（UTC）为准，duty 文件中的 Asia/Shanghai 不生效；请只保留一个"),
    ],
)
def test_of_two_zones_that_differ_it_is_said_which_holds(
    language: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "duty.toml"
    file.write_text(FILE_OF_DUTY)
    monkeypatch.setenv("WECOM_LANGUAGE", language)
    given: dict[str, Any] = {**APP, "users": ["on-call:web"], "duty": str(file)}
    for zone in ("Asia/Shanghai", "UTC"):
        monkeypatch.setenv("WECOM_TIMEZONE", zone)
        handler = WeComHandler(**given)
        handler.close()
        WeComHandler(**given, timezone="Asia/Tokyo").close()
        assert capsys.readouterr().err == (f"wecom_logging: {said}\n" if zone == "UTC" else "")
        assert str(handler._pipeline.options.looks.zone) == zone


@pytest.mark.parametrize("name", ["users", "departments", "agent_id", "contacts_secret"])
def test_an_option_of_another_handler_names_the_right_class(name: str) -> None:
    assert refused(lambda: WeComBotHandler(**BOT, **{name: CANARY}), name) == (
        f"{name}: WeComBotHandler has no such option: it belongs to WeComHandler"
    )


def test_what_stands_in_quotation_marks_in_an_env_file_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    variables = {"WECOM_CORP_ID": "ww1", "WECOM_AGENT_ID": "7", "WECOM_SECRET": CANARY, "WECOM_USERS": "bob"}
    for name, field in [(name, name) for name in variables] + [("WECOM_WEBHOOK", "webhook")]:
        with monkeypatch.context() as environment:
            for one, value in (variables | {"WECOM_WEBHOOK": f"{URL}?key={CANARY}"}).items():
                environment.setenv(one, f'"{value}"' if one == name else value)
            kind = WeComBotHandler if field == "webhook" else WeComHandler
            assert "quotation mark" in refused(kind, "secret" if name == "WECOM_SECRET" else field)


@pytest.mark.parametrize(
    ("slip", "variable"),
    [
        ("WECOM_CORPID", "WECOM_CORP_ID"),
        ("WECOM_AGENTID", "WECOM_AGENT_ID"),
        ("WECOM_CORP_SECRET", "WECOM_SECRET"),
        ("wecom_users", "WECOM_USERS"),
        ("WECOM_USER", "WECOM_USERS"),
        ("WECOM_WEBHOOK_URL", "WECOM_WEBHOOK"),
    ],
)
def test_a_variable_that_is_much_like_one_of_an_option_is_an_error(
    slip: str, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(slip, CANARY)
    for make in (WeComHandler, WeComBotHandler, lambda: WeComHandler(**APP), lambda: WeComBotHandler(**BOT)):
        said = refused(make, slip)
        assert said.startswith(
            f"{slip}: no option and no command reads a variable of this name; did you mean {variable}?"
        )
    monkeypatch.setenv("WECOM_ENABLED", "0")
    WeComHandler()


def test_a_variable_that_nothing_reads_is_an_error_but_what_kubernetes_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    of_services = ("SERVICE_HOST", "SERVICE_PORT", "SERVICE_PORT_HTTP", "PORT", "PORT_80_TCP", "PORT_80_TCP_ADDR")
    for name in ("WECOM_HANDLER", "WECOM_SANDBOX_TOKEN", *(f"WECOM_PROXY_{end}" for end in of_services)):
        monkeypatch.setenv(name, "tcp://10.0.0.1:80")
    monkeypatch.setenv("WECOM_NIGHT", "")
    WeComBotHandler(**BOT).close()
    monkeypatch.setenv("WECOM_NIGHT", CANARY)
    monkeypatch.setenv("WECOM_CORPID", CANARY)
    assert "did you mean WECOM_CORP_ID?" in refused(lambda: WeComBotHandler(**BOT), "WECOM_CORPID, WECOM_NIGHT")
    monkeypatch.delenv("WECOM_CORPID")
    assert "; " not in refused(lambda: WeComBotHandler(**BOT), "WECOM_NIGHT")


def test_users_may_stand_as_wecom_parts_them(monkeypatch: pytest.MonkeyPatch) -> None:
    who = Recipients(("bob", "amy"), ("2", "研发"), ("9", "8"))
    given: dict[str, Any] = {"users": "bob|amy", "departments": ["2|研发"], "tags": " 9 | 8 "}
    assert recipients_of(WeComHandler(**{**APP, **given})) == who
    assert recipients_of(made(monkeypatch, WECOM_USERS="bob|amy", WECOM_DEPARTMENTS="2|研发", WECOM_TAGS="9|8")) == who


@pytest.mark.parametrize(
    ("steps", "field"),
    [
        (["10m"], "[0]"),
        ([step("10m", to="x")], "[0]"),
        ([{"users": ["lisi"]}], "[0].after"),
        ([step("0m")], "[0].after"),
        ([step("8d")], "[0].after"),
        ([step("soon")], "[0].after"),
        ([step(True)], "[0].after"),
        ([step("10m"), step("600s")], "[1].after"),
        ([step("10m"), step("5m")], "[1].after"),
        ([{"after": "10m"}], "[0]"),
        ([{"after": "10m", "users": ["a<b"]}], None),
        ([step("10m", chats=["wrc1"])], "[0]"),
        ([step("10m", how="shout")], "[0].how"),
        ([step("10m", how="call", tags=["ops"])], "[0].how"),
        ([step("10m", users=["on-call:web"])], "[0].users"),
    ],
)
def test_e9_steps_that_cannot_come_are_refused(steps: Any, field: str | None, tmp_path: Path) -> None:
    more: dict[str, Any] = {"state": f"sqlite:///{tmp_path}/alerts.db"}
    refused(lambda: WeComHandler(**APP, escalation=steps, **more), "users" if field is None else f"escalation{field}")


def test_e9_steps_that_nobody_can_stop_are_refused(tmp_path: Path) -> None:
    state: Any = {"state": f"sqlite:///{tmp_path}/alerts.db"}
    steps = [step("10m", how="call"), {"after": "25m", "leader_of": ["ops"]}]
    assert "aibot" in refused(lambda: WeComHandler(**APP, escalation=steps), "escalation")
    refused(lambda: WeComHandler(**APP, **state, escalation=steps, escalation_level="ERROR"), "escalation[0].how")
    for more in (state, {"answers": "aibot"}):
        duty = duty_of_handler(escalation=steps, **more)
        assert duty.steps == (Step(600.0, Recipients(("lisi",)), True), Step(1500.0, Recipients(leader_of=("ops",))))
        assert duty.steps_level == logging.CRITICAL
    assert duty_of_handler(escalation=[step("10m")], escalation_level="ERROR", **state).steps_level == logging.ERROR
    refused(lambda: WeComBotHandler(webhook="x" * 36, escalation=[step("10m")], **state), "escalation")
    given: Any = {"bot_id": "aib1", "secret": "s", "chats": ["lisi"]}
    refused(lambda: WeComAIBotHandler(**given, escalation=[step("10m")]), "escalation[0]")
    made = WeComAIBotHandler(**given, escalation=[{"after": "10m", "chats": ["wangwu"]}])
    assert made._pipeline.options.steps_s == (600.0,)
    made.close()


@pytest.mark.parametrize(
    ("written", "right"),
    [
        ("22:00 - 8:00", "22:00-08:00"),
        ("22：00—08：00", "22:00-08:00"),
        ("22:00~08:00", "22:00-08:00"),
        ("Fri 22:00-08:00", "fri 22:00-08:00"),
        ("sat, sun", "sat,sun"),
        ("workdays,sat 22:00-08:00", "workdays 22:00-08:00; sat 22:00-08:00"),
        ("workdays,off-days", "workdays; off-days"),
    ],
)
def test_quiet_hours_that_are_written_otherwise_are_refused_with_the_right_way(written: str, right: str) -> None:
    assert f"write it as {right!r}" in refused(lambda: WeComHandler(**APP, quiet_hours=written), "quiet_hours")


def test_of_several_quiet_hours_the_wrong_one_is_named() -> None:
    assert "DAYS HH:MM-HH:MM" in refused(lambda: WeComHandler(**APP, quiet_hours=["sat", "x"]), "quiet_hours[1]")


def test_q7_quiet_hours_have_a_zone_that_is_never_guessed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "WECOM_TIMEZONE" in refused(lambda: WeComHandler(**APP, quiet_hours="22:00-08:00"), "timezone")
    refused(lambda: WeComHandler(**APP, quiet_hours="22:00-08:00", timezone="Mars/Olympus"), "timezone")
    monkeypatch.setenv("WECOM_QUIET_HOURS", "22:00-08:00; off-days")
    refused(lambda: WeComHandler(**APP), "timezone")
    monkeypatch.setenv("WECOM_TIMEZONE", "Asia/Shanghai")
    duty = duty_of_handler()
    assert (duty.zone, len(duty.quiet), duty.quiet_level) == ("Asia/Shanghai", 2, logging.CRITICAL)


def duty_of_handler(**given: Any) -> Duty:
    handler = WeComHandler(**APP, **given)
    handler.close()
    return duty_of(handler._pipeline.options.duty)


def test_a_file_of_rules_that_is_no_toml_is_said_so(tmp_path: Path) -> None:
    path = tmp_path / "duty.toml"
    path.write_text('quiet_hours = ["22:00-08:00"')
    with pytest.raises(ConfigurationError, match=r"duty\.toml is not valid TOML \(Unclosed array") as error:
        WeComHandler(**APP, duty=str(path))
    assert (error.value.field, error.value.code) == ("duty", "not_valid")


def test_rules_of_time_from_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "duty.toml"
    path.write_text('timezone = "Asia/Shanghai"\nquiet_hours = {when = ["22:00-08:00", "sat,sun"], below = "none"}\n')
    monkeypatch.setenv("WECOM_DUTY", str(path))
    duty = duty_of_handler()
    assert duty.quiet == (Span(tuple(range(7)), begin=22 * 60, end=8 * 60), Span((5, 6)))
    assert (duty.zone, duty.quiet_level) == ("Asia/Shanghai", ALL_LEVELS)
    handler = WeComHandler(**APP, timezone="UTC", quiet_hours="sat")
    assert str(handler._pipeline.looks.zone) == "UTC"
    handler.close()
    assert duty_of_handler(timezone="UTC", quiet_hours="sat").quiet == (Span((5,)),)
    monkeypatch.setenv("WECOM_QUIET_HOURS", "sun")
    assert duty_of_handler().quiet == (Span((6,)),)
    path.write_text("quiet_hour = 7\n")
    assert "the names are timezone, quiet_hours" in refused(lambda: WeComHandler(**APP), "duty")
    path.write_text("quiet_hours = 22:00")
    assert "line 1" in refused(lambda: WeComHandler(**APP), "duty")
    path.write_bytes(b"\xff\xfe")
    refused(lambda: WeComHandler(**APP), "duty")


def test_of_the_options_that_a_file_may_have_none_says_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [*config.marked(config.OfDuty)]
    assert duty_of_handler(**dict.fromkeys(names)) == NO_DUTY
    path = tmp_path / "duty.toml"
    path.write_text(
        'timezone = "UTC"\nquiet_hours = { when = "sat", below = "ERROR", calendar = "calendar:isleap" }\n'
        'on_call.web = { people = ["li"], since = "2026-12-07 10:00", every = "1w" }\n'
        'escalation = [{ after = "10m", users = ["li"] }]\nescalation_level = "ERROR"\n'
    )
    monkeypatch.setenv("WECOM_DUTY", str(path))
    state = {"state": f"sqlite:///{tmp_path}/alerts.db"}
    of_file = duty_of_handler(**state)
    assert (of_file.quiet_level, of_file.steps_level, len(of_file.steps), len(of_file.rotas)) == (40, 40, 1, 1)
    assert of_file.calendar == "calendar:isleap"
    assert duty_of_handler(**dict.fromkeys(names), **state) == of_file


def test_an_error_in_a_file_of_rules_shows_nothing_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A webhook is soon pasted to a wrong place."""
    path = tmp_path / "duty.toml"
    monkeypatch.setenv("WECOM_DUTY", str(path))
    hook, rules = f"https://{CANARY}/send?key={CANARY}", 'timezone = "UTC"\n[quiet_hours]\nwhen = "off-days"\n'
    for text, field in (
        (f'["{hook}"]\n["{hook}"]\n', "duty"),
        (f'["{hook}".a]\n["{hook}".a]\n', "duty"),
        (f"{rules}'{hook}' = 1\n'{hook}' = 2\n", "duty"),
        (f'{rules}calendar = "{hook}"\n', "quiet_hours.calendar"),
        (f'{rules}calendar = "{hook}.json"\n', "quiet_hours.calendar"),
        ("quiet_hours = " + "[" * 10_000, "duty"),
    ):
        path.write_text(text)
        assert CANARY not in refused(lambda: WeComHandler(**APP), field)


def test_a_file_of_rules_from_windows_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "duty.toml"
    path.write_bytes('timezone = "UTC"\r\nquiet_hours = "sat"\r\n'.encode("utf-8-sig"))
    monkeypatch.setenv("WECOM_DUTY", str(path))
    assert duty_of_handler().quiet == (Span((5,)),)


WRONG_QUIET_HOURS = [
    *[("quiet_hours", {"when": "sat", name: CANARY}) for name in ("level", "Below", 7)],
    *[("quiet_hours.when", value) for value in ({}, {"when": None, "below": 40}, {"when": "22-8"})],
    *[("quiet_hours.below", {"when": "sat", "below": value}) for value in ("LOUD", "", 1.5, [50])],
    *[
        ("quiet_hours.calendar", {"when": "sat", "calendar": value})
        for value in ("", "us", 7, "/no/such/file.json", "no_such_module:f", "os:no_such", "os:sep")
    ],
]


@pytest.mark.parametrize(
    ("field", "value"), WRONG_QUIET_HOURS, ids=lambda value: repr(value)[:60].encode("ascii", "replace").decode()
)
def test_what_is_wrong_in_a_mapping_of_quiet_hours_is_named_by_its_place(field: str, value: Any) -> None:
    refused(lambda: WeComBotHandler(**BOT, timezone="UTC", quiet_hours=value), field)


def test_rules_that_no_alert_could_take_along_are_refused() -> None:
    people = [[f"user{turn}-{number}" for number in range(100)] for turn in range(90)]
    rota = {"people": people, "since": "2026-12-07 10:00", "every": "1w"}
    assert "65536" in refused(lambda: WeComHandler(**APP, timezone="UTC", on_call={"web": rota}), "on_call")


def test_a_calendar_is_looked_for_when_the_handler_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def given(calendar: str) -> dict[str, Any]:
        return {"timezone": "Asia/Shanghai", "quiet_hours": {"when": ["off-days"], "calendar": calendar}}

    assert duty_of_handler(**given("cn")).calendar == "cn"
    assert duty_of_handler(**given("calendar:isleap")).calendar == "calendar:isleap"
    monkeypatch.chdir(tmp_path)
    Path("days.json").write_text('{"year": 2026, "days": [{"date": "2026-01-01", "isOffDay": true}]}')
    assert duty_of_handler(**given("days.json")).calendar == str(tmp_path / "days.json")
    Path("days.json").write_text('{"year": 2026, "days": [{"date": "1 January"}]}')
    refused(lambda: WeComHandler(**APP, **given("days.json")), "quiet_hours.calendar")
    refused(lambda: WeComHandler(**APP, **given(f"{tmp_path}/none")), "quiet_hours.calendar")
    monkeypatch.setitem(sys.modules, "chinese_calendar", None)
    with pytest.raises(MissingDependencyError, match=r"\[cn\]"):
        WeComHandler(**APP, **given("cn"))


def test_quiet_hours_are_the_same_as_a_list_and_in_a_mapping() -> None:
    short = duty_of_handler(timezone="UTC", quiet_hours=["22:00-08:00", "sat"])
    assert duty_of_handler(timezone="UTC", quiet_hours={"when": ["22:00-08:00", "sat"]}) == short
    assert duty_of_handler(timezone="UTC", quiet_hours={"when": "22:00-08:00; sat", "below": 50}) == short
    below = duty_of_handler(timezone="UTC", quiet_hours={"when": ["22:00-08:00", "sat"], "below": "ERROR"})
    assert below == replace(short, quiet_level=logging.ERROR)


def test_good_options_of_every_kind() -> None:
    WeComHandler(
        **{**APP, "users": "bob，amy", "departments": [1, "2"], "tags": 3, "agent_id": " 7 "},
        level="ERROR",
        service="支付 service",
        environment="prod",
        state="memory://",
        timeout=0.5,
        exit_timeout=0,
        answers="aibot",
        max_pending=1,
        overflow="file",
        link="https://x/{{a}}?{fingerprint}&{service}&{time}",
        redact=str,
        enabled=True,
    )
    WeComBotHandler(webhook=CANARY, mention=["bob", 13800001111, "@all"], mention_level=40, redact=False, link=None)


# logging's own configuration.


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    found = logging.getLogger("test.config")
    yield found
    for handler in list(found.handlers):
        found.removeHandler(handler)
        handler.close()


def check_both(sandbox: Sandbox, logger: logging.Logger) -> None:
    """The app's handler has markdown, the bot's has text."""
    logger.error("it broke")
    for handler in logger.handlers:
        assert isinstance(handler, AlertHandler)
        assert handler.level == logging.ERROR
        assert handler.flush(10.0)
    by_channel = {message["channel"]: message["msgtype"] for message in sandbox.messages()}
    assert by_channel == {"app": "markdown", "bot": "text"}


def both(sandbox: Sandbox) -> dict[str, Any]:
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "markdown": {"()": "wecom_logging.MarkdownFormatter"},
            "text": {"class": "wecom_logging.TextFormatter"},
        },
        "handlers": {
            "app": {
                "class": "wecom_logging.WeComHandler",
                "level": "ERROR",
                "formatter": "markdown",
                "corp_id": "wwsandbox",
                "agent_id": 1000002,
                "secret": "sandbox-app-secret",
                "users": ["sandbox-user"],
                "api_base": sandbox.url,
            },
            "bot": {
                "class": "wecom_logging.WeComBotHandler",
                "level": "ERROR",
                "formatter": "text",
                "webhook": f"{sandbox.url}/cgi-bin/webhook/send?key=sandbox-bot",
            },
        },
        "loggers": {"test.config": {"handlers": ["app", "bot"], "propagate": False}},
    }


def test_dict_config(sandbox: Sandbox, logger: logging.Logger) -> None:
    logging.config.dictConfig(both(sandbox))
    check_both(sandbox, logger)


def test_numbers_lose_their_zeros_but_for_users() -> None:
    found = config.recipients(users=["007"], departments="007,00", tags=["07"], leader_of="0x7")
    assert found == Recipients(("007",), ("7", "0"), ("7",), ("0x7",))


def test_recipients_may_be_references_within_the_logging_config(sandbox: Sandbox, logger: logging.Logger) -> None:
    given = both(sandbox)
    who = {"users": ["cfg://first"], "routes": [{"logger": "other", "users": "cfg://all"}, "cfg://route"]}
    given |= {"first": "nobody", "all": ["nobody"], "route": {"users": ["cfg://one"]}, "one": "sandbox-user"}
    given["handlers"]["app"] |= who
    logging.config.dictConfig(given)
    check_both(sandbox, logger)


def test_yaml(sandbox: Sandbox, logger: logging.Logger) -> None:
    text = f"""
    version: 1
    disable_existing_loggers: false
    formatters:
      markdown:
        (): wecom_logging.MarkdownFormatter
      text:
        (): wecom_logging.TextFormatter
    handlers:
      app:
        class: wecom_logging.WeComHandler
        level: ERROR
        formatter: markdown
        corp_id: wwsandbox
        agent_id: 1000002
        secret: sandbox-app-secret
        users: [sandbox-user]
        api_base: {sandbox.url}
        rate_limit: null
      bot:
        class: wecom_logging.WeComBotHandler
        level: ERROR
        formatter: text
        webhook: {sandbox.url}/cgi-bin/webhook/send?key=sandbox-bot
    loggers:
      test.config:
        handlers: [app, bot]
        propagate: false
    """
    logging.config.dictConfig(yaml.safe_load(text))
    check_both(sandbox, logger)


@pytest.mark.shows_secrets
def test_file_config(sandbox: Sandbox, logger: logging.Logger, tmp_path: Path) -> None:
    file = tmp_path / "logging.ini"
    app = {"corp_id": "wwsandbox", "agent_id": 1000002, "secret": "sandbox-app-secret", "users": "sandbox-user"}
    file.write_text(
        f"""
[loggers]
keys=root,mine
[handlers]
keys=app,bot
[formatters]
keys=markdown,text
[logger_root]
handlers=
[logger_mine]
qualname=test.config
handlers=app,bot
propagate=0
[handler_app]
class=wecom_logging.WeComHandler
level=ERROR
formatter=markdown
kwargs={ {**app, "api_base": sandbox.url}!r}
[handler_bot]
class=wecom_logging.WeComBotHandler
level=ERROR
formatter=text
kwargs={ {"webhook": "sandbox-bot", "api_base": sandbox.url}!r}
[formatter_markdown]
class=wecom_logging.MarkdownFormatter
[formatter_text]
class=wecom_logging.TextFormatter
""",
        encoding="utf-8",
    )
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    try:
        logging.config.fileConfig(file, disable_existing_loggers=False, encoding="utf-8")
    finally:
        root.handlers[:] = before
        root.setLevel(level)
    check_both(sandbox, logger)
    assert [type(handler.formatter) for handler in logger.handlers] == [MarkdownFormatter, TextFormatter]


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("secert", {"secert": CANARY}),
        ("secret", {"secret": [CANARY]}),
        ("users", {"users": None}),
        ("timeout", {"timeout": "10"}),
    ],
)
def test_dict_config_names_the_field_and_shows_no_secret(sandbox: Sandbox, name: str, change: dict[str, Any]) -> None:
    settings = both(sandbox)
    settings["handlers"]["app"].update(change)
    with pytest.raises(ValueError, match="app") as caught:
        logging.config.dictConfig(settings)
    assert isinstance(caught.value.__cause__, ConfigurationError)
    assert caught.value.__cause__.field == name
    assert CANARY not in repr(caught.value) + repr(caught.value.__cause__)


def test_a_handler_that_could_not_be_built_leaves_nothing_behind() -> None:
    before = list(logging._handlerList)
    refused(lambda: WeComHandler(**{**APP, "timeout": -1}), "timeout")
    refused(lambda: WeComBotHandler(**{**BOT, "overflow": "no"}), "overflow")
    assert logging._handlerList == before


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({**APP, "secret": f"env:{CANARY}"}, "secret"),
        ({**APP, "secret": f"file:{CANARY}"}, "secret"),
        ({**APP, "rate_limit": CANARY}, "rate_limit"),
        ({**APP, "enabled": CANARY}, "enabled"),
        ({**APP, "level": CANARY}, "level"),
        ({**APP, "departments": [CANARY * 3]}, "departments"),
        ({**APP, "tags": [CANARY * 3]}, "tags"),
        ({**APP, "api_base": f"https://host:{CANARY}"}, "api_base"),
        ({**APP, "x" * 50: CANARY}, "options"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_secret_in_the_wrong_place_is_not_shown_either(given: dict[str, Any], field: str) -> None:
    refused(lambda: WeComHandler(**given), field)


def test_a_webhook_with_its_key_as_the_port_is_not_shown() -> None:
    with pytest.raises(ConfigurationError) as caught:
        WeComBotHandler(webhook=f"https://host:{CANARY}/cgi-bin/webhook/send")
    assert caught.value.__context__ is None
    assert CANARY not in str(caught.value)


def test_secret_files_are_never_opened_by_a_shown_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WECOM_SECRET_FILE", CANARY)
    refused(lambda: WeComHandler(**without("secret")), "secret")


# What tools show that report errors with the local variables of each frame.

STATE = f"redis://:{CANARY}@alerts.internal:6379/0"
WEBHOOK = f"{URL}?key={CANARY}"


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: WeComHandler(**without("users")), id="missing option"),
        pytest.param(lambda: WeComHandler(**APP, contacts_secret=f"{CANARY}\n", window=0), id="wrong option"),
        pytest.param(lambda: WeComHandler(**{**APP, "secret": f"{CANARY}\nx"}), id="secret"),
        pytest.param(lambda: WeComHandler(**{**APP, "secret": CANARY.encode()}), id="bytes"),
        pytest.param(lambda: WeComHandler(**{**APP, "secret": f"env:{CANARY}"}), id="env"),
        pytest.param(lambda: WeComHandler(**{**APP, "secret": f"file:{CANARY}"}), id="file"),
        pytest.param(lambda: WeComHandler(**APP, **{CANARY: 1}), id="the name of an option"),
        pytest.param(lambda: WeComHandler(**APP, state=STATE, window=0), id="right state"),
        pytest.param(lambda: WeComHandler(**APP, state=STATE.replace("6379", "x")), id="port of the state"),
        pytest.param(lambda: WeComHandler(**APP, state=STATE.replace("redis", "nosql")), id="scheme of the state"),
        pytest.param(lambda: WeComHandler(**APP, state=[STATE]), id="list for the state"),
        pytest.param(lambda: WeComHandler(**APP, api_base=f"https://u:{CANARY}@h"), id="api_base"),
        pytest.param(lambda: WeComHandler(**APP, link=f"https://u:{CANARY}@h/{{x}}"), id="link"),
        pytest.param(lambda: WeComBotHandler(webhook=WEBHOOK, window=0), id="right webhook"),
        pytest.param(lambda: WeComBotHandler(webhook=WEBHOOK.replace("/send", "/sent")), id="path of the webhook"),
        pytest.param(lambda: WeComBotHandler(webhook=[WEBHOOK, f"{CANARY} {CANARY}"]), id="second webhook"),
        pytest.param(lambda: WeComBotHandler(webhook=f"{WEBHOOK},{CANARY}"), id="same webhook twice"),
        pytest.param(lambda: WeComClient("ww", CANARY, timeout=0), id="client"),
        pytest.param(lambda: WeComClient("ww", f"{CANARY}\nx"), id="secret of a client"),
        pytest.param(lambda: BotClient(WEBHOOK, timeout=0), id="client of a bot"),
        pytest.param(lambda: BotClient(f"{CANARY} x"), id="webhook of a client"),
        pytest.param(
            lambda: logging.config.dictConfig(
                {"version": 1, "handlers": {"wecom": {"class": "wecom_logging.WeComHandler", **APP, "window": 0}}}
            ),
            id="dictConfig",
        ),
    ],
)
def test_no_frame_of_ours_holds_a_secret(make: Callable[[], object]) -> None:
    with pytest.raises((ConfigurationError, ValueError)) as caught:
        make()
    error = caught.value if isinstance(caught.value, ConfigurationError) else caught.value.__cause__
    assert isinstance(error, ConfigurationError)
    assert error.__cause__ is error.__context__ is None
    assert CANARY not in own_locals(error)


REPORTED = """
import io, logging.config, sys
import rich.console, rich.traceback, sentry_sdk
from sentry_sdk.transport import Transport
from wecom_logging import WeComBotHandler, WeComHandler, WeComClient

class Keeps(Transport):
    def capture_envelope(self, envelope):
        print("sentry", envelope.serialize().decode())

sentry_sdk.init("https://key@sentry.invalid/1", transport=Keeps, event_scrubber=None, max_value_length=100_000,
                default_integrations=False)
ours = {"class": "wecom_logging.WeComHandler", "window": 0}
for make in (WeComHandler, WeComBotHandler, WeComClient,
             lambda: logging.config.dictConfig({"version": 1, "handlers": {"wecom": ours}})):
    try:
        make()
    except ValueError as error:
        refusal = error
    except Exception as error:
        refusal = error
    sentry_sdk.capture_exception(refusal)
    console = rich.console.Console(file=sys.stdout, width=4000)
    shown = rich.traceback.Traceback.from_exception(
        type(refusal), refusal, refusal.__traceback__, show_locals=True, locals_max_string=None, locals_max_length=None)
    console.print("rich", shown)
"""


def test_an_argument_whose_own_code_fails_leads_to_no_secret() -> None:
    def users() -> Iterator[str]:
        raise LookupError("the directory is away")
        yield ""

    with pytest.raises(LookupError) as caught:
        WeComHandler(corp_id="ww", agent_id=1, secret=CANARY, users=users())
    assert CANARY not in own_locals(caught.value)
    assert [frame for frame in caught.traceback if frame.name == "users"]


@pytest.mark.slow
def test_rich_and_sentry_show_no_secret(tmp_path: Path) -> None:
    """The secrets come from the environment and files, so no frame of the program has one."""
    file = tmp_path / "secret"
    file.write_text(f"{CANARY}\nsecond line\n")
    common = {"WECOM_CORP_ID": "ww", "WECOM_AGENT_ID": "1", "WECOM_USERS": "bob"}
    for variables in (
        {"WECOM_SECRET": f"{CANARY}\n{CANARY}", "WECOM_WEBHOOK": f"{CANARY} {CANARY}"},
        {"WECOM_SECRET_FILE": str(file), "WECOM_WEBHOOK": WEBHOOK.replace("/send", "/sent")},
        {"WECOM_SECRET": "s", "WECOM_WEBHOOK": "k", "WECOM_STATE": STATE.replace("6379", "x")},
        {"WECOM_SECRET": CANARY, "WECOM_WEBHOOK": WEBHOOK, "WECOM_RATE_LIMIT": CANARY},
    ):
        ended = run(REPORTED, **common, **variables)
        assert ended.status == 0, ended.err
        assert (ended.out.count("sentry {"), ended.out.count("rich")) >= (3, 3)
        assert "locals" in ended.out
        assert "vars" in ended.out
        assert CANARY not in ended.out + ended.err


@pytest.mark.parametrize(
    ("variables", "language"),
    [
        ({}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh"}, "zh"),
        ({"LANG": "zh-Hans-CN"}, "zh"),
        ({"LANG": "zha_XX"}, "en"),
        ({"LC_ALL": "Chinese (Simplified)_China.936"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_MESSAGES": "en_US.UTF-8"}, "en"),
        ({"LANG": "zh_CN.UTF-8", "LC_MESSAGES": "en_US.UTF-8", "LC_ALL": "zh_TW"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_CTYPE": "en_US.UTF-8", "LC_TIME": "en_US.UTF-8", "LC_ALL": ""}, "zh"),
        ({"LANG": "en_US.UTF-8", "LC_CTYPE": "zh_CN.UTF-8"}, "en"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "en_US.UTF-8", "LANGUAGE": "zh_CN:en"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LANGUAGE": "en"}, "en"),
        ({"LANGUAGE": "zh_CN"}, "zh"),
        ({"LANG": "C", "LANGUAGE": "zh_CN"}, "en"),
        ({"LANG": "zh_CN.UTF-8", "WECOM_LANGUAGE": "en"}, "en"),
        ({"LC_ALL": "C", "WECOM_LANGUAGE": "zh"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "WECOM_LANGUAGE": ""}, "zh"),
    ],
)
def test_the_language_is_that_of_the_variable_or_else_of_the_locale(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], language: str
) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG", "LANGUAGE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert config.language(None) == language
    assert (config.language("en"), config.language("zh")) == ("en", "zh")


def test_a_wrong_variable_for_the_language_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WECOM_LANGUAGE", "chinese")
    with pytest.raises(ConfigurationError, match="WECOM_LANGUAGE") as caught:
        WeComHandler(**APP)
    assert caught.value.field == "language"
    with pytest.raises(ConfigurationError, match="WECOM_LANGUAGE"):
        TextFormatter()


def test_a_wrong_variable_for_the_zone_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WECOM_TIMEZONE", "Beijing")
    for made in (lambda: WeComHandler(**APP), TextFormatter):
        with pytest.raises(ConfigurationError, match=r"timezone: there is no such time zone.*WECOM_TIMEZONE") as caught:
            made()
    assert (caught.value.code, "没有这个时区" in caught.value.problem("zh")) == ("unknown_zone", True)


def test_without_data_of_zones_there_is_utc_and_how_to_get_the_others() -> None:
    ended = run(
        """
        import sys, zoneinfo
        zoneinfo.reset_tzpath(to=[])
        sys.modules["tzdata"] = None
        from wecom_logging import WeComHandler
        from wecom_logging.errors import ConfigurationError
        options = dict(corp_id="ww", agent_id=1, secret="s", users="bob")
        WeComHandler(**options, timezone="UTC").close()
        try:
            WeComHandler(**options, timezone="Asia/Shanghai")
        except ConfigurationError as error:
            print(error.field, error.code, error.problem("en"), error.problem("zh"))
        """,
        fresh=True,
    )
    assert (ended.status, ended.err) == (0, "")
    assert ended.out.startswith("timezone no_zone_data ")
    assert ended.out.count("pip install tzdata") == 2


@pytest.mark.parametrize(
    "make", [lambda **options: WeComHandler(**APP, **options), lambda **options: WeComBotHandler(**BOT, **options)]
)
def test_a_handler_says_it_in_its_language(make: Callable[..., AlertHandler], monkeypatch: pytest.MonkeyPatch) -> None:
    record = logging.LogRecord("shop", logging.ERROR, "pay.py", 7, "it broke", None, None)
    with capture_alerts() as alerts:
        for options in ({}, {"language": "zh"}):
            handler = make(**options)
            handler.handle(record)
            handler.close()
        monkeypatch.setenv("WECOM_LANGUAGE", "zh")
        make().handle(record)
        english, *chinese = alerts.texts
    assert "ERROR" in english
    assert len(chinese) == 2
    assert all("错误" in text and "ERROR" not in text for text in chinese)


def endless() -> Iterator[str]:
    while True:
        yield "li"


@pytest.mark.parametrize("users", [range(10**9), endless(), "li," * 10**6, "x" * 10**7, ["li"] * 10**6])
def test_a_list_that_may_be_endless_is_read_up_to_a_bound(users: object) -> None:
    with pytest.raises(ConfigurationError) as raised:
        config.ids("users", users)
    assert (raised.value.field, raised.value.code) == ("users", "too_many")


ALL = {
    "app": (WeComHandler, ["corp_id", "agent_id", "secret", "users"]),
    "bot": (WeComBotHandler, ["webhook"]),
    "aibot": (WeComAIBotHandler, ["bot_id", "secret", "chats"]),
}


@pytest.mark.parametrize(("handler", "fields"), ALL.values(), ids=ALL)
def test_all_that_is_not_set_is_named_at_once(handler: type[logging.Handler], fields: list[str]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        handler(enabled=True)
    assert caught.value.field == ", ".join(fields)
    assert caught.value.code == "missing"
    assert [field for field in fields if f"ive {field}=" not in caught.value.remedy] == []


def test_a_program_without_rules_of_time_loads_nothing_of_them() -> None:
    program = """
    import logging, sys
    from wecom_logging import WeComBotHandler
    handler = WeComBotHandler(webhook="k", api_base="http://127.0.0.1:9", exit_timeout=0, {options})
    logging.getLogger().addHandler(handler)
    logging.error("the disk is full")
    handler.flush(1.0)
    names = ("_config.duty", "_duty.calendars", "_delivery.heartbeat", "_duty.people", "model.phone")
    print(*[name for name in names if f"wecom_logging.{{name}}" in sys.modules])
    """
    assert run(program.format(options="")).out.split() == []
    found = run(program.format(options='timezone="Asia/Shanghai", quiet_hours="22:00-08:00"')).out.split()
    assert found == ["_config.duty", "_duty.calendars"]
