"""The table of what can be wrong with an option: all that raises uses it, and all of it is used, in two languages."""

from __future__ import annotations

import ast
import copy
import inspect
import pickle
import re
import traceback
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest

import wecom_logging
from wecom_logging import WeComBotHandler
from wecom_logging._errors_in_chinese import REMEDIES, remedy_in_chinese
from wecom_logging._problems import PROBLEMS
from wecom_logging.errors import ConfigurationError, MissingDependencyError

PACKAGE = Path(wecom_logging.__file__).parent
KINDS = ("ConfigurationError", "MissingDependencyError")
BY_A_NAME = {
    "redaction.py": "_masking/patterns.py",
    "_state/redis_client.py": "_state/redis_client.py",
    "_config/credentials.py": "",
}
"""Files where the code is a variable, and where its values stand: `config.webhooks` hands on that of another error."""


def _places(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def _raised() -> Iterator[tuple[str, ast.Call]]:
    """Each call that makes one of the errors, with its file."""
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in KINDS:
                yield str(path.relative_to(PACKAGE)), node


def test_each_code_is_raised_with_the_values_of_its_text_and_no_other_is() -> None:
    raised, by_a_name = set(), set()
    for file, call in _raised():
        code = call.args[1]
        if not isinstance(code, ast.Constant):
            by_a_name.add(file)
            continue
        raised.add(code.value)
        given = {str(keyword.arg) for keyword in call.keywords}
        assert given == _places(PROBLEMS[code.value][0]), f"{file}:{call.lineno}"
    assert by_a_name == BY_A_NAME.keys()
    for file in filter(None, BY_A_NAME.values()):
        words = ast.walk(ast.parse((PACKAGE / file).read_text(encoding="utf-8")))
        raised |= PROBLEMS.keys() & {node.value for node in words if isinstance(node, ast.Constant)}
    assert raised == PROBLEMS.keys()


@pytest.mark.parametrize("remedy", [one.en.replace("%s", "x") for one in REMEDIES])
def test_each_remedy_is_in_chinese_too(remedy: str) -> None:
    assert re.match("请|或|例如|WECOM_ENABLED 应为|已设置", remedy_in_chinese(remedy))


ERRORS = [
    ConfigurationError("corp_id", "missing", "Give corp_id=…"),
    ConfigurationError("webhook", "empty", entry=2, entries=3),
    ConfigurationError("link", "bad_placeholder", allowed="{time}"),
    MissingDependencyError("celery", "too_old", version="4.4", install="'celery>=5.3'"),
]


@pytest.mark.parametrize(
    ("error", "text", "zh"),
    [
        (ERRORS[0], "corp_id: not set. Give corp_id=…", "未设置"),
        (ERRORS[1], "webhook: entry 2 of 3: it is empty", "第 2 项（共 3 项）：内容为空"),
        (
            ERRORS[2],
            "link: only {time} may stand in braces (write {{ and }} for braces)",
            "花括号中只能是 {time}（花括号本身写作 {{ 和 }}）",
        ),
        (
            ERRORS[3],
            "celery: version 4.4 is too old; pip install 'celery>=5.3'",
            "版本 4.4 过旧；pip install 'celery>=5.3'",
        ),
    ],
)
def test_an_error_says_its_field_problem_and_remedy(error: ConfigurationError, text: str, zh: str) -> None:
    assert (str(error), error.args, error.problem("zh")) == (text, (text,), zh)
    assert str(error).startswith(f"{error.field}: {error.problem()}")


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ERRORS[0], "corp_id：未设置。Give corp_id=…"),  # a remedy of a program's own
        (ConfigurationError("corp_id, users", "missing"), "corp_id、users：未设置"),
        (
            ConfigurationError("routes[0]", "no_recipient", "Give users, departments, tags or leader_of"),
            "routes[0]：未指定接收人。请填写 users、departments、tags 或 leader_of",
        ),
        (
            ConfigurationError("secret", "unreadable", path=" /x", reason="No such file or directory"),
            "secret：文件 /x 无法读取（文件或目录不存在）",
        ),
        (ERRORS[3], "celery：版本 4.4 过旧；pip install 'celery>=5.3'"),
    ],
)
def test_the_text_of_an_error_is_in_the_language_of_its_reader(
    error: ConfigurationError, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_english = str(error)
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    assert (str(error), error.text("en")) == (text, in_english)
    assert traceback.format_exception_only(error)[-1].strip() == f"wecom_logging.errors.{type(error).__name__}: {text}"
    monkeypatch.setenv("WECOM_LANGUAGE", "en")
    assert str(error) == in_english


@pytest.mark.parametrize(("option", "is_chinese"), [("zh", True), ("en", False), ("fr", True), (None, True)])
def test_the_option_language_decides_for_the_error_of_its_handler(
    option: str | None, is_chinese: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WECOM_LANGUAGE", "zh")
    with pytest.raises(ConfigurationError) as caught:
        WeComBotHandler(language=option)
    assert str(caught.value).startswith("webhook：未设置。请" if is_chinese else "webhook: not set. Give ")
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


@pytest.mark.parametrize("error", ERRORS)
def test_an_error_is_the_same_after_a_pickle_and_a_copy(error: ConfigurationError) -> None:
    error.add_note("while the shop started")
    for same in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert (type(same), same.args, vars(same)) == (type(error), error.args, vars(error))
        assert getattr(same, "msg", "") == getattr(error, "msg", "")  # of an ImportError


class Mine(ConfigurationError):
    """As a program derives one."""

    def __init__(self, option: str) -> None:
        super().__init__(option, "missing")


def test_so_is_one_of_a_program_that_has_a_constructor_of_its_own() -> None:
    same = pickle.loads(pickle.dumps(Mine("shop")))
    assert (type(same), str(same), same.code) == (Mine, "shop: not set", "missing")


def test_the_docstring_names_the_codes_that_programs_ask_for_first() -> None:
    named = re.findall('``"([a-z_]+)"``', (inspect.getdoc(ConfigurationError) or "").partition("``code``")[2])
    assert len(named) >= 3
    assert set(named) <= PROBLEMS.keys()
