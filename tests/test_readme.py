"""The READMEs: both say the same, their programs run, and CI calls the command that they give."""

from __future__ import annotations

import re
import textwrap

import pytest

from wecom_logging._sandbox import Sandbox
from wecom_logging.build import CommonOptions

from .programs import ROOT, run

ENGLISH = (ROOT / "README.md").read_text(encoding="utf-8")
CHINESE = (ROOT / "README.zh-CN.md").read_text(encoding="utf-8")


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def test_both_show_the_same_programs_and_commands() -> None:
    for language in ("sh", "text"):
        assert blocks(ENGLISH, language) == blocks(CHINESE, language)
    without_comments = [
        [re.sub(r" +#.*", "", block) for block in blocks(text, "python")] for text in (ENGLISH, CHINESE)
    ]
    assert without_comments[0] == without_comments[1]
    assert ENGLISH.count("\n## ") == CHINESE.count("\n## ")
    assert ENGLISH.count("\n|") == CHINESE.count("\n|")


@pytest.mark.parametrize("number", range(len(blocks(ENGLISH, "python"))))
def test_each_program_runs(number: int, sandbox: Sandbox) -> None:
    code = blocks(ENGLISH, "python")[number]
    ended = run(textwrap.dedent(code), url=sandbox.url)
    assert ended.status == 0, ended.err
    assert "wecom_logging:" not in ended.err


def test_the_first_program_arrives_as_shown(sandbox: Sandbox) -> None:
    run(blocks(ENGLISH, "python")[0], url=sandbox.url)
    (message,) = sandbox.messages()
    shown = blocks(ENGLISH, "text")[0].splitlines()
    arrived = message["content"].splitlines()
    assert arrived[0] == shown[0]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} [+-]\d\d:\d\d #[0-9a-z]{4,}", arrived[1])
    assert arrived[-1] == shown[-1]


def test_files_and_pictures_that_are_named_are_there() -> None:
    for text in (ENGLISH, CHINESE):
        named = re.findall(r"\]\(([^):#]+)\)", text) + [
            f"tests/{path}" for path in re.findall(r"`([a-z]+/(?:test_\w+\.py)?)`", text)
        ]
        missing = [
            path for path in named if not ((ROOT / path).exists() or (ROOT / path.removeprefix("tests/")).exists())
        ]
        assert missing == []


def test_every_option_is_in_the_table() -> None:
    for name in CommonOptions.__annotations__:
        assert f"`{name}`" in ENGLISH, name


def test_ci_calls_the_readme_s_test_command() -> None:
    (command,) = [line for line in ENGLISH.splitlines() if line.endswith("-m pytest")]
    assert command in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_what_the_page_for_newcomers_names_is_there() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    paths = set(re.findall(r"`([\w.-]*/[\w./-]*|\w+\.(?:py|toml))`", page)) - {"lua/"}
    assert len(paths) > 30
    assert [path for path in paths if not ((ROOT / path).exists() or (ROOT / "wecom_logging" / path).exists())] == []
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "wecom_logging").rglob("*.py"))
    names = set(re.findall(r"`(?:\w+\.)*(\w{4,})(?:\(…?\))?`", page)) - {"STORES"}
    assert [name for name in names if not re.search(rf"\b{name}\b", code)] == []
    assert len(page.splitlines()) <= 150
