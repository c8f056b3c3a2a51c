"""Every option that takes a number, given as `int` or `float` in every way: kept as one type, or refused by name."""

from __future__ import annotations

import logging
import logging.config
import operator
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import yaml

from tools import reference
from wecom_logging import (
    BotClient,
    WeComAIBotHandler,
    WeComBotHandler,
    WeComClient,
    WeComHandler,
    install_hooks,
    notify_on_exception,
    progress,
)
from wecom_logging._sandbox import Sandbox
from wecom_logging.errors import ConfigurationError, MessageError
from wecom_logging.handlers import AlertHandler
from wecom_logging.testing import capture_alerts

from . import odd_numbers
from .odd_numbers import NO_NUMBERS, kinds

APP: dict[str, Any] = {"corp_id": "ww1", "agent_id": 7, "secret": "s", "users": ["bob"]}
BOT: dict[str, Any] = {"webhook": "key"}
AIBOT: dict[str, Any] = {"bot_id": "b", "secret": "s", "chats": ["zhangsan"]}
HANDLERS: tuple[tuple[type[AlertHandler], dict[str, Any]], ...] = (
    (WeComHandler, APP),
    (WeComBotHandler, BOT),
    (WeComAIBotHandler, AIBOT),
)


def of_options(path: str) -> Callable[[AlertHandler], Any]:
    return lambda handler: operator.attrgetter(path)(handler._pipeline.options)


def of_app(path: str) -> Callable[[AlertHandler], Any]:
    return lambda handler: operator.attrgetter(path)(handler._pipeline._channels[0])


COMMON: dict[str, tuple[int, type, Callable[[AlertHandler], Any]]] = {
    "window": (60, float, of_options("window_s")),
    "timeout": (60, float, of_options("timeout_s")),
    "exit_timeout": (0, float, of_options("exit_timeout_s")),
    "max_pending": (60, int, of_options("max_pending")),
    "level": (60, int, lambda handler: handler.level),
}
OWN: dict[str, tuple[type[AlertHandler], Any, type, Callable[[AlertHandler], Any]]] = {
    "agent_id": (WeComHandler, 60, int, of_app("client.agent_id")),
    "mention_level": (WeComBotHandler, 60, int, of_options("looks.mention_level")),
    "users": (WeComHandler, ("60",), tuple, of_app("_recipients.users")),
    "departments": (WeComHandler, ("60",), tuple, of_app("_recipients.departments")),
    "tags": (WeComHandler, ("60",), tuple, of_app("_recipients.tags")),
    "leader_of": (WeComHandler, ("60",), tuple, of_app("_recipients.leader_of")),
    "mention": (WeComBotHandler, ("60",), tuple, of_options("looks.mention")),
    "chats": (WeComAIBotHandler, ("60",), tuple, of_app("chats")),
    "answerers": (
        WeComAIBotHandler,
        {"60": "60"},
        dict,
        lambda handler: handler._reception()._answerers,  # of an AI bot
    ),
}
SAYS_ONE = ("agent_id", "users", "departments", "tags", "leader_of", "mention", "chats", "answerers")
"""What takes a text that says a number, too: it may come from the environment, or is a text anyway."""


def test_no_option_that_is_a_number_is_missing_here() -> None:
    hints = {**WeComHandler.__init__.__annotations__, **WeComBotHandler.__init__.__annotations__}
    hints |= {**WeComAIBotHandler.__init__.__annotations__}
    hints |= reference.common_options()
    wanted = {
        name for name, hint in hints.items() if any(word in str(hint) for word in ("int", "float", "Ids")) and name
    }
    of_duty = {"escalation_level"}  # kept with the rules that it is of
    assert wanted - {"options", "return"} - of_duty == {*COMMON, *OWN}


def built(kind: type[AlertHandler], **options: Any) -> AlertHandler:
    given = next(given for one, given in HANDLERS if one is kind)
    return kind(**{**given, **options})


ROWS = [
    *((name, kind, value, type_, found) for name, (value, type_, found) in COMMON.items() for kind, _ in HANDLERS),
    *((name, kind, value, type_, found) for name, (kind, value, type_, found) in OWN.items()),
]


@pytest.mark.parametrize(
    ("name", "kind", "value", "type_", "found"), ROWS, ids=lambda one: getattr(one, "__name__", one)
)
def test_a_number_is_kept_as_one_type(
    name: str, kind: type[AlertHandler], value: Any, type_: type, found: Callable[[AlertHandler], Any]
) -> None:
    for said, number in kinds(value if isinstance(value, int) else 60).items():
        handler = built(kind, **{name: number})
        assert (found(handler), type(found(handler))) == (value, type_), said
        handler.close()


@pytest.mark.parametrize(("name", "kind"), [row[:2] for row in ROWS], ids=lambda one: getattr(one, "__name__", one))
def test_what_is_no_number_is_refused_by_name(name: str, kind: type[AlertHandler]) -> None:
    given = NO_NUMBERS | {"text of a number": "60"}
    if name in SAYS_ONE:
        given = {said: value for said, value in given.items() if said not in ("text", "text of a number", "list")}
    for said, value in given.items():
        with pytest.raises(ConfigurationError) as caught:
            built(kind, **{name: value})
        assert caught.value.field == name, said


@pytest.mark.parametrize("given", [*kinds(60).values(), "60", " 60 "])
def test_ids_in_a_list_and_levels_of_routes(given: Any) -> None:
    handler = built(
        WeComHandler,
        departments=[given],
        routes=[{"departments": [given], "level": kinds(60)["float"], "tags": given}],
    )
    assert of_app("_recipients.departments")(handler) == ("60",)
    (route,) = of_options("routes")(handler)
    assert (route.recipients.departments, route.recipients.tags, route.level) == (("60",), ("60",), 60)
    assert type(route.level) is int
    handler.close()


def test_the_members_of_an_enum_are_what_they_say() -> None:
    handler = built(WeComHandler, users=odd_numbers.Text.SIXTY, tags=[odd_numbers.Text.SIXTY, odd_numbers.Level.SIXTY])
    assert (of_app("_recipients.users")(handler), of_app("_recipients.tags")(handler)) == (("60",), ("60",))
    handler.close()


# In every way that a handler is configured.

TEXTS = {
    "YAML": yaml.safe_load("\n".join(f"{name}: {value}" for name, (value, _, _) in COMMON.items())),
    "YAML of floats": yaml.safe_load(
        "\n".join(f"{name}: {value}.0" for name, (value, _, _) in COMMON.items() if name != "level")
    ),
}


@pytest.fixture
def restored() -> Iterator[None]:
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    yield
    root.handlers[:] = before
    root.setLevel(level)


@pytest.mark.parametrize("way", TEXTS)
def test_dict_config_of_any_text(way: str) -> None:
    section = {"class": "wecom_logging.WeComBotHandler", **BOT, **TEXTS[way]}
    config = {"version": 1, "disable_existing_loggers": False, "handlers": {"bot": section}}
    logging.config.dictConfig(config)
    handler = logging._handlers["bot"]
    for name, (value, type_, found) in COMMON.items():
        if name in TEXTS[way]:
            assert (found(handler), type(found(handler))) == (value, type_), name
    handler.close()
    for name in [name for name in COMMON if name in TEXTS[way]]:
        for wrong in (True, "60"):
            with pytest.raises(ValueError, match="Unable to configure handler 'bot'") as caught:
                logging.config.dictConfig({**config, "handlers": {"bot": {**section, name: wrong}}})
            cause = caught.value.__cause__
            assert isinstance(cause, ConfigurationError if wrong is True or name != "level" else ValueError)


@pytest.mark.parametrize("form", ["{}", "{}.0"])
def test_file_config(tmp_path: Path, restored: None, form: str) -> None:
    given = {name: form.format(value) for name, (value, _, _) in COMMON.items()}
    options = ", ".join(f"{name!r}: {text}" for name, text in {**given, "webhook": "'key'"}.items())
    file = tmp_path / "logging.ini"
    file.write_text(
        "[loggers]\nkeys=root\n[handlers]\nkeys=bot\n[formatters]\nkeys=\n[logger_root]\nhandlers=bot\n"
        f"[handler_bot]\nclass=wecom_logging.WeComBotHandler\nkwargs={{{options}}}\n"
    )
    logging.config.fileConfig(file, disable_existing_loggers=False)
    (handler,) = logging.getLogger().handlers
    assert isinstance(handler, WeComBotHandler)
    for name, (value, type_, found) in COMMON.items():
        assert (found(handler), type(found(handler))) == (value, type_), name
    handler.close()


ENVIRONMENT = {
    "WECOM_AGENT_ID": ("agent_id", (" 60 ", "60"), ("60.0", "0", "-60", "nan", "True", "6e1", "9" * 19)),
    "WECOM_DEPARTMENTS": ("departments", ("60", "060", " 60,"), ("6" * 65, "<60>")),
    "WECOM_TAGS": ("tags", ("60", "60，60"), ("6" * 65,)),
    "WECOM_USERS": ("users", ("60",), ("6" * 65,)),
    "WECOM_RATE_LIMIT": ("rate_limit", ("60/minute",), ("60", "60.0/minute", "nan/minute", "0/minute", "True")),
}


@pytest.mark.parametrize("variable", ENVIRONMENT)
def test_the_environment(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    field, right, wrong = ENVIRONMENT[variable]
    given = {name: value for name, value in APP.items() if name != field} | {"departments": None}
    if field in ("departments", "tags"):
        del given["users"]
    for text in right:
        monkeypatch.setenv(variable, text)
        handler = WeComHandler(**given)
        found = of_options("rules") if field == "rate_limit" else of_app("client.agent_id")
        if field in OWN:
            found = OWN[field][3]
        assert found(handler) == (((60, 60.0),) if field == "rate_limit" else OWN[field][1])
        handler.close()
    for text in wrong:
        monkeypatch.setenv(variable, text)
        with pytest.raises(ConfigurationError) as caught:
            WeComHandler(**given)
        assert caught.value.field == field


@pytest.mark.parametrize("set_level", [True, 1.5, float("nan"), "60", None, 2**31, [40]])
def test_a_level_that_is_set_later_is_checked(set_level: Any) -> None:
    handler = built(WeComBotHandler)
    with pytest.raises(ConfigurationError, match="level: that is not a level"):
        handler.setLevel(set_level)
    handler.setLevel(kinds(60)["IntEnum"])
    assert (handler.level, type(handler.level)) == (60, int)
    handler.close()


# Beside the handlers.

OTHERS: dict[str, tuple[str, int, Callable[[Any], Any]]] = {
    "WeComClient.timeout": (
        "timeout",
        60,
        lambda given: WeComClient("ww", "s", timeout=given)._transport._timeout_s,
    ),
    "WeComClient.agent_id": ("agent_id", 60, lambda given: WeComClient("ww", "s", agent_id=given).agent_id),
    "BotClient.timeout": ("timeout", 60, lambda given: BotClient("key", timeout=given)._transport._timeout_s),
    "progress.total": ("total", 60, lambda given: progress("x", total=given)._total),
    "notify_on_exception": ("level", 60, lambda given: notify_on_exception(level=given)._level),
    "capture_alerts": ("timeout", 60, lambda given: captured(given)),
    "flush": ("timeout", 0, lambda given: flushed(given)),
    "install_hooks": ("level", 60, lambda given: hooked(given)),
}


def captured(timeout: Any) -> float:
    with capture_alerts(timeout=timeout) as found:
        return found._timeout


def flushed(timeout: Any) -> float:
    with closing(built(WeComBotHandler)) as handler:
        assert handler.flush(timeout) is True
        return 0.0


def hooked(level: Any) -> int:
    """Without the hooks, which would be there for the whole process."""
    with patch("wecom_logging.hooks._hooks") as hooks:
        install_hooks(level=level)
        found: int = hooks.level
        return found


@pytest.mark.parametrize("name", OTHERS)
def test_other_numbers(name: str) -> None:
    field, value, made = OTHERS[name]
    exact = int if field in ("agent_id", "total", "level") else float
    for said, number in kinds(value).items():
        assert (made(number), type(made(number))) == (value, exact), said
    for said, wrong in (NO_NUMBERS | {"text of a number": "60"}).items():
        if name == "flush" and said in ("inf", "-inf"):
            continue  # without an end, and at once
        if name == "WeComClient.agent_id" and said == "text of a number":
            continue
        with pytest.raises(ConfigurationError) as caught:
            made(wrong)
        assert caught.value.field == field, said


@pytest.mark.parametrize("given", [*kinds(2).values(), "2"])
def test_ids_of_the_directory(sandbox: Sandbox, given: Any) -> None:
    client = WeComClient("wwsandbox", contacts_secret="sandbox-contacts-secret", api_base=sandbox.url)
    made = client.departments.create(name="shop", id=given, order=kinds(7)["float"])
    assert (made, type(made)) == (2, int)
    assert client.departments.get(given).order == 7
    for said, wrong in NO_NUMBERS.items():
        with pytest.raises(MessageError, match=r"a whole number from 1 to|a list of ids"):
            client.departments.get(wrong)
        with pytest.raises(MessageError, match="order: a whole number"):
            client.departments.update(2, order=wrong)
        assert said
