"""The tables that are data, TOML in the package: both languages, the same places to fill in, and when they are read."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import wecom_logging
from wecom_logging._cli import _parser, _parsers
from wecom_logging._config.options import all_options
from wecom_logging._errors_in_chinese import ERRORS, REMEDIES
from wecom_logging._lines import LINES
from wecom_logging._problems import ENTRY, PROBLEMS
from wecom_logging._render import words
from wecom_logging._text.said import Said

from .faults.rig import PUSH
from .programs import run
from .scripted import ScriptedWeCom, errcode

PACKAGE = Path(wecom_logging.__file__).parent
CODES = PACKAGE / "_sandbox/errcodes.toml"
FILES = sorted({*PACKAGE.rglob("*.toml")} - {CODES})
COMMANDS = sorted((PACKAGE / "_cli").rglob("*.py"))


def leaves(value: Any, place: str) -> Iterator[tuple[str, Any]]:
    """All that stands in a table, each with its place. A list without tables is one leaf."""
    if isinstance(value, dict):
        for name, one in value.items():
            yield from leaves(one, f"{place}.{name}")
    elif isinstance(value, list) and any(isinstance(one, dict) for one in value):
        for number, one in enumerate(value):
            yield from leaves(one, f"{place}[{number}]")
    else:
        yield place, value


SAID = [*filter(Said.__instancecheck__, vars(words).values()), *ERRORS, *REMEDIES]
TABLES = {
    **{file.stem: list(leaves(tomllib.loads(file.read_text("utf-8")), file.stem)) for file in FILES},
    "lines": [(name, [*pair]) for name, pair in LINES.items()],
    "problems": [(name, [*pair]) for name, pair in [*PROBLEMS.items(), ("an entry", ENTRY)]],
    "said": [(one.en, [one.en, one.zh]) for one in SAID],
}
"""All that people read, each text with its place."""


@pytest.mark.parametrize("table", TABLES)
def test_a_text_is_in_english_and_in_chinese_with_the_same_places_to_fill_in(table: str) -> None:
    pairs = [(place, one) for place, one in TABLES[table] if isinstance(one, list)]
    assert pairs
    for place, pair in pairs:
        assert [type(text) for text in pair] == [str, str], place
        en, zh = pair
        is_a_word = re.search("[a-z]{3}", re.sub(r"{.*?}|%s", "", en))
        assert re.search("[一-鿿]", zh) or not is_a_word, place
        assert not re.search("[，。；！？]", en), f"{place}: Chinese punctuation in English"
        places = [sorted(re.findall(r"{(\w*)[}!:]|(%\w)", text)) for text in pair]
        assert places[0] == places[1] or place == "not_sent", place  # it has a plural in English


def test_a_code_of_the_sandbox_has_its_text_and_may_have_a_remedy_in_two_languages() -> None:
    table = tomllib.loads(CODES.read_text("utf-8"))
    assert len(table["others"]) == len({*table["others"]}) > 50
    for code, (errmsg, *remedy) in table["codes"].items():
        assert re.search("[a-z]", errmsg), code
        assert len(remedy) in (0, 2), code
        if remedy:
            assert re.search("[A-Za-z]", remedy[0]), code
            assert re.search("[一-鿿]", remedy[1]), code


def test_each_option_is_told_as_the_doctor_and_the_pages_read_it() -> None:
    for name, one in all_options().items():
        assert one.handler in ("app", "bot", "aibot", "all"), name
        assert one.doctor in ("", "needed", "default", "given"), name
        assert one.unit in ("", "s"), name
        assert type(one.secret) is bool, name
        assert re.fullmatch("(WECOM_[A-Z_]+)?", one.variable), name
        assert one.variable or (not one.secret and one.doctor in ("", "given")), name
        assert one.value or one.doctor != "default", name
        assert isinstance(one.default, str | list), name
        assert [type(pair) for pair in (one.meaning, one.remedy) if pair] == [list] * (1 + bool(one.remedy)), name


def calls(*names: str) -> Iterator[list[str]]:
    """The arguments that are written out, of each call of such a function or method in the commands."""
    for node in (node for path in COMMANDS for node in ast.walk(ast.parse(path.read_text("utf-8")))):
        if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) in names:
            found = [one.value for one in node.args if isinstance(one, ast.Constant)]
            yield [one for one in found if isinstance(one, str)]


def test_each_text_that_a_command_says_is_there_and_each_that_is_there_is_said() -> None:
    rows = tomllib.loads((PACKAGE / "_cli" / "texts.toml").read_text("utf-8"))
    for name in (name for said in calls("said", "text", "refuse") for name in said[:1] if "." in name):
        section, _, row = name.partition(".")
        assert row in rows[section], name
    for check, *_ in filter(None, calls("good", "bad", "unknown", "refused", "skipped")):
        assert check in rows["checks"], check
    files = [*COMMANDS, *(PACKAGE / "_wecom").glob("*.py"), *(PACKAGE / "model").glob("*.py")]
    nodes = [node for path in files for node in ast.walk(ast.parse(path.read_text("utf-8")))]
    written = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    targets = [node.target for node in nodes if isinstance(node, ast.AnnAssign)]
    written |= {target.id for target in targets if isinstance(target, ast.Name)}  # the fields of what is shown
    said = {f"{section}.{row}" for section, found in rows.items() for row in found if row not in written}
    assert said - written == set()


def test_each_row_of_help_is_shown() -> None:
    rows = tomllib.loads((PACKAGE / "_cli" / "help.toml").read_text("utf-8"))
    shown = [action.help for one in _parsers(_parser()) for action in one._actions if action.help is not None]
    for one in _parsers(_parser()):
        shown += (one.description or "").split()
        for action in one._actions:
            shown += [each.help for each in getattr(action, "_choices_actions", ())]
    known = {f"{section}.{row}" for section, found in rows.items() if section != "argparse" for row in found}
    of_argparse = {en for en, _ in rows["argparse"].values()}
    assert {*shown} - of_argparse == known


def test_a_table_is_read_for_an_error_by_the_worker_and_neither_for_a_handler_nor_by_a_log_call() -> None:
    with ScriptedWeCom() as wecom:
        wecom.always(PUSH, errcode(40058))
        ended = run(
            """
            import logging, os, sys, threading
            read = []
            def look(event, arguments):
                if event == "open" and str(arguments[0]).endswith(".toml"):
                    read.append(threading.current_thread() is threading.main_thread())
            sys.addaudithook(look)
            import wecom_logging
            handler = wecom_logging.WeComBotHandler(webhook="key")
            log = logging.getLogger("shop")
            log.addHandler(handler)
            log.error("it fails", extra={"wecom": {"mention": 1.5}})
            print(read)
            handler.flush(10)
            print(read, handler.stats().dropped)
            """,
            url=wecom.url,
            fresh=True,
        )
    assert ended.status == 0, ended.err
    assert ended.out.splitlines() == ["[]", "[False] {'rejected': 1}"]
    assert "mention: an id or a name is needed" in ended.err
