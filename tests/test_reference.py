"""The tables that are made from the code: pages are up to date, and each default is the code's own."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import os
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from itertools import groupby
from typing import Any

import pytest

from tools import reference
from wecom_logging import WeComBotHandler
from wecom_logging import _config as config
from wecom_logging._config import duty as of_duty
from wecom_logging._config.options import TABLES, all_options
from wecom_logging._delivery.options import Options
from wecom_logging.errors import ConfigurationError

from .programs import ROOT, app_handler

BOT = reference.bot_options()
VALUES = {
    name: told.value for name, told in all_options().items() if told.value is not None and told.handler != "aibot"
}


@pytest.mark.parametrize("page", reference.pages(), ids=lambda page: page.name)
def test_a_page_is_as_the_code_says(page: Any) -> None:
    assert reference.filled(page) == page.read_text(encoding="utf-8"), "python -m tools.reference"


def test_the_options_told_are_those_of_the_signatures() -> None:
    kinds = {
        "app": reference.app_options(),
        "bot": BOT,
        "aibot": reference.aibot_options(),
        "all": reference.common_options(),
    }
    told = {kind: [name for name, one in all_options().items() if one.handler == kind] for kind in kinds}
    assert told == {kind: [*names] for kind, names in kinds.items()}, "in this order, which editors complete in"


def test_of_what_all_handlers_have_most_need_ten_at_most() -> None:
    tables = [one.table for one in all_options().values() if one.handler == "all"]
    assert [name for name, _ in groupby(tables)] == [*TABLES]
    assert tables.count("most") <= 10


def options_of(name: str, **more: Any) -> Any:
    if name in BOT:
        handler: Any = WeComBotHandler(webhook="sandbox-bot", api_base="https://qyapi.weixin.qq.com", **more)
    else:
        handler = app_handler("https://qyapi.weixin.qq.com", **{key: more[key] for key in more if key != "api_base"})
    found = dataclasses.replace(handler._pipeline.options, mask=len)  # made anew for each
    handler.close()
    return handler.level, found


@pytest.mark.parametrize("name", VALUES)
def test_a_default_that_is_given_changes_nothing(name: str) -> None:
    assert options_of(name, **{name: VALUES[name]}) == options_of(name)


def test_what_tests_and_stores_take_for_a_default_is_that_of_the_options() -> None:
    made = config.checked({})
    others = {one.name: one.default for one in dataclasses.fields(Options) if one.default is not dataclasses.MISSING}
    compared = made.keys() & others.keys()
    assert len(compared) >= 6
    assert {name: made[name] for name in compared} == {name: others[name] for name in compared}


def test_the_addresses_that_are_told_are_those_that_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    told = {name: one.value for name, one in all_options().items() if one.doctor == "default"}
    monkeypatch.setattr(os, "environ", {})
    assert told.pop("state") == f"{config.state(None).scheme}://"
    assert told == {"api_base": config.api_base(None), "url": config.aibot_url(None)}


def test_of_a_file_of_rules_is_told_what_it_may_have_and_what_is_read_before_it() -> None:
    told, marks = all_options(), config.marked(config.OfDuty)
    for meaning in told["duty"].meaning:
        assert re.findall("`([a-z_]+)`", meaning) == [*marks]
    assert {name: told[name].variable for name in marks} == {name: one.variable for name, one in marks.items()}


def test_the_variables_that_are_told_are_those_that_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    read = set()

    class Environment(dict[str, str]):
        def get(self, name: str, default: Any = None) -> Any:
            read.add(name)
            return default

    monkeypatch.setattr(os, "environ", Environment())
    checks: list[Callable[[], object]] = [
        *(
            partial(check, None)
            for check in (config.corp_id, config.agent_id, config.app_secret, config.contacts_secret)
        ),
        *(partial(check, None) for check in (config.recipients, config.webhooks, config.aibot_id, config.aibot_secret)),
        *(partial(check, None) for check in (config.chats, config.answerers, config.aibot_url, config.api_base)),
        *(partial(check, None) for check in (config.state, config.language, config.timezone, config.enabled)),
        partial(config.heartbeat_url, None),
        partial(config.checked, {}),
        lambda: config.rate_limit(NotImplemented, "1/minute"),
        *(partial(check, {}) for check in (of_duty.with_file, of_duty.duty)),
    ]
    for check in checks:
        with suppress(ConfigurationError):
            check()
    told: dict[str, set[str]] = {}
    for one in all_options().values():
        told.setdefault(one.handler, set()).update(one.variables)
    assert set().union(*told.values()) == {name for name in read if name.startswith("WECOM_")}
    assert told == config.VARIABLES
    needed = [(one.handler, one.variable) for one in all_options().values() if one.doctor == "needed"]
    assert {kind: ", ".join(name for of, name in needed if of == kind) for kind in config.NEEDED} == config.NEEDED


PUBLIC = (
    "wecom_logging",
    "wecom_logging.errors",
    "wecom_logging.model",
    "wecom_logging.redaction",
    "wecom_logging.teams",
    "wecom_logging.testing",
)


def public_names() -> list[str]:
    """All that programs may import, but for the frameworks' modules."""
    found = []
    for module in PUBLIC:
        found += [f"{module}.{name}" for name in importlib.import_module(module).__all__ if name != "errors"]
    return found


def members(path: str) -> Iterator[tuple[str, Any]]:
    """A public name and, of a class, what it defines: methods, properties, class methods."""
    module, _, name = path.rpartition(".")
    found = getattr(importlib.import_module(module), name)
    yield path, found
    if not inspect.isclass(found):
        return
    for own, value in vars(found).items():
        if not own.startswith("_"):
            raw = value.__func__ if isinstance(value, classmethod | staticmethod) else value
            if inspect.isfunction(raw) or isinstance(raw, property):
                yield f"{path}.{own}", raw


@pytest.mark.parametrize("path", public_names())
def test_each_public_name_has_types_and_a_docstring(path: str) -> None:
    for name, found in members(path):
        if isinstance(found, str):  # a constant
            continue
        doc = inspect.getdoc(found)
        assert doc, f"{name} has no docstring"
        assert not doc.startswith(f"{name.rpartition('.')[2]}("), f"{name} has the docstring that a dataclass makes"
        function = found.fget if isinstance(found, property) else found
        if inspect.isfunction(function):
            untyped = [
                one.name
                for one in inspect.signature(function).parameters.values()
                if one.annotation is one.empty and one.name not in ("self", "cls")
            ]
            assert not untyped, f"{name}: {untyped} without a type"
            assert "return" in function.__annotations__, f"{name} does not say what it returns"


def test_the_reference_names_each_public_name() -> None:
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    shown = re.findall(r"^::: (\S+)$", page, re.MULTILINE)
    last = {name.rpartition(".")[2] for name in shown}  # some names are in two modules
    assert [name for name in public_names() if name.rpartition(".")[2] not in {*last, "EVERYBODY"}] == []
    modules = {path.stem for path in (ROOT / "wecom_logging" / "integrations").iterdir() if path.stem[0] != "_"}
    named = {name.split(".")[2] for name in shown if name.startswith("wecom_logging.integrations.")}
    assert modules - named == {"pytest"}  # a plugin, without a name to import
    assert shown == re.findall(r"^::: (\S+)$", (ROOT / "docs" / "api.zh.md").read_text(encoding="utf-8"), re.MULTILINE)
