"""The READMEs and the pages of ``docs/``: both languages say the same, their programs run, their links lead somewhere.

CI calls the commands that the README gives.
"""

from __future__ import annotations

import ast
import configparser
import json
import re
import shlex
import textwrap
import tomllib
from pathlib import Path

import pytest
import yaml

from wecom_logging._cli import _parser
from wecom_logging._config import CommonOptions
from wecom_logging._jobs import declared as declared_here
from wecom_logging._runtime.version import __version__
from wecom_logging._sandbox import Sandbox
from wecom_logging._wecom.errcodes import errcodes
from wecom_logging.teams import expect

from .programs import ROOT, app_handler, run
from .sandbox.test_real_answers import ANSWERS
from .storms import CLOCK
from .test_expect import Service

DOCS = ROOT / "docs"
ENGLISH = (ROOT / "README.md").read_text(encoding="utf-8")
CHINESE = (ROOT / "README.zh-CN.md").read_text(encoding="utf-8")
MADE = {"index", "changelog", "contributing"}
"""Pages that ``tools/mkdocs_hook.py`` makes of other files."""
PAGES = [path for path in sorted(DOCS.glob("*.md")) if not path.name.endswith(".zh.md") and path.stem not in MADE]
PAIRS = {
    "README": (ROOT / "README.md", ROOT / "README.zh-CN.md"),
    **{path.stem: (path, path.with_suffix(".zh.md")) for path in PAGES if path.with_suffix(".zh.md").exists()},
}
PICTURE = re.compile(r"!\[[^]]*\]\(([^)]+)\)")
ENGINEERS = {"architecture", "sandbox"}
"""Pages for engineers. The English one may be ahead by a row."""


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def programs() -> list[tuple[str, int]]:
    """By page, and number. The sandbox's page has its own test."""
    pages = [ROOT / "README.md", *(path for path in PAGES if path.stem != "sandbox")]
    return [
        (path.relative_to(ROOT).as_posix(), number)
        for path in pages
        for number in range(len(blocks(path.read_text(encoding="utf-8"), "python")))
    ]


def shape(path: Path) -> dict[str, object]:
    """What a page has in common with that of the other language."""
    text = path.read_text(encoding="utf-8")
    prose = re.sub(r"^ *```.*?^ *```", "", text, flags=re.DOTALL | re.MULTILINE)
    shape: dict[str, object] = {
        "headings": [len(found) for found in re.findall(r"^(#+) ", prose, re.MULTILINE)],
        "rows": [row.count("|") - row.count("\\|") for row in re.findall(r"^ *\|.*$", prose, re.MULTILINE)],
        "pictures": [path.replace("pictures/zh/", "pictures/") for path in PICTURE.findall(prose)],
        "fences": re.findall(r"^ *```(\w+)", text, re.MULTILINE),
    }
    for language in ("sh", "text", "json", "ini", "yaml", "python", "py"):
        found = blocks(text, language)
        if language in ("python", "yaml", "py"):  # comments are in the reader's language
            found = [re.sub(r" +#.*", "", block) for block in found]
        shape[language] = found
    return shape


@pytest.mark.parametrize("page", [page for page in PAIRS if page not in ENGINEERS])
def test_both_languages_have_the_same_headings_blocks_and_rows(page: str) -> None:
    english, chinese = PAIRS[page]
    assert shape(english) == shape(chinese)


def test_each_page_is_there_in_both_languages() -> None:
    assert {path.stem for path in PAGES} - PAIRS.keys() <= {"answers"}


def test_a_page_for_engineers_has_the_same_headings_in_both_languages() -> None:
    for page in ENGINEERS:
        english, chinese = PAIRS[page]
        assert shape(english)["headings"] == shape(chinese)["headings"]


@pytest.mark.parametrize("page", PAIRS)
def test_a_picture_is_in_the_language_of_its_page(page: str) -> None:
    english, chinese = (PICTURE.findall(path.read_text(encoding="utf-8")) for path in PAIRS[page])
    assert not any("pictures/zh/" in path for path in english)
    assert all("pictures/zh/" in path for path in chinese)


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_a_readme_is_short(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert len(text.encode()) <= 6_000
    assert len(text.partition("\n## ")[0].rstrip().splitlines()) <= 40, "the first screen"


@pytest.mark.slow
@pytest.mark.parametrize(("page", "number"), programs())
def test_each_program_runs(page: str, number: int, sandbox: Sandbox) -> None:
    code = blocks((ROOT / page).read_text(encoding="utf-8"), "python")[number]
    ended = run(textwrap.dedent(code), url=sandbox.url, **sandbox.environment)
    assert ended.status == 0, ended.err
    assert "wecom_logging:" not in ended.err


@pytest.mark.parametrize("page", ["docs/start.md", "docs/start.zh.md"])
def test_the_program_with_a_bot_shows_its_error_on_the_console_too(page: str, sandbox: Sandbox) -> None:
    programs = blocks((ROOT / page).read_text(encoding="utf-8"), "python")
    (code,) = [one for one in programs if "import WeComBotHandler" in one]
    ended = run(code, url=sandbox.url, **sandbox.environment)
    assert "ERROR:crawler:17 pages could not be read" in ended.err
    sandbox.wait(channel="bot", contains="17 pages could not be read", timeout=5.0)


def test_each_command_and_file_can_be_read() -> None:
    texts = [ENGLISH, *(path.read_text(encoding="utf-8") for path in PAGES)]
    commands = [line for text in texts for block in blocks(text, "sh") for line in block.splitlines()]
    ours = [line.partition(" #")[0] for line in commands if line.startswith("wecom-logging ")]
    assert len(ours) >= 6
    for line in ours:
        _parser().parse_args(shlex.split(line)[1:])
    for text in texts:
        for block in blocks(text, "json"):
            json.loads(block)
        for block in blocks(text, "yaml"):
            yaml.safe_load(block)
        for block in blocks(text, "ini"):
            configparser.ConfigParser(interpolation=None).read_string(block)


def test_each_snippet_imports_what_is_there() -> None:
    """Two lines for a framework are no program; but what they import from us exists."""
    found = re.findall(r"^from (wecom_logging[\w.]*) import (\w+)", (DOCS / "frameworks.md").read_text(), re.MULTILINE)
    assert len(found) >= 14
    for module, name in found:
        path = ROOT.joinpath(*module.split("."))
        source = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        assert re.search(rf"\b{name}\b", source.read_text(encoding="utf-8")), (module, name)


@pytest.mark.parametrize(("page", "level"), [(ENGLISH, "ERROR"), (CHINESE, "错误")], ids=["en", "zh"])
def test_the_first_program_sends_one_alert(sandbox: Sandbox, page: str, level: str) -> None:
    (program,) = blocks(page, "python")
    run(program, url=sandbox.url, **sandbox.environment, WECOM_LANGUAGE="en" if level == "ERROR" else "zh")
    (message,) = sandbox.messages()
    first = re.sub(r"</?font[^>]*>|\*\*", "", message["content"]).splitlines()[0]
    assert first == f"🔴 {level} shop: nightly balance failed: ZeroDivisionError: division by zero"


@pytest.mark.parametrize(("language", "number"), [("en", 0), ("zh", 1)])
def test_the_storm_arrives_as_shown_in_both_languages(sandbox: Sandbox, language: str, number: int) -> None:
    page = (DOCS / "grouping.md").read_text(encoding="utf-8")
    (code,) = [block for block in blocks(page, "python") if "range(10_000)" in block]
    run(code, url=sandbox.url, WECOM_LANGUAGE=language)
    shown = blocks(page, "text")[number].splitlines()
    digest = next(message["content"] for message in sandbox.messages() if "9999" in message["content"]).splitlines()
    assert digest[0] == shown[0]
    assert digest[1].partition(" order")[2] == shown[1].partition(" order")[2]
    for line in shown[-2:]:
        words = re.sub(r"[\d:. +-]+|#\w+", "|", line)
        assert words in [re.sub(r"[\d:. +-]+|#\w+", "|", one).rstrip("▁▂▃▄▅▆▇█") for one in digest]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "language"), [("jobs.md", "en"), ("jobs.zh.md", "zh")])
def test_the_page_of_jobs_shows_what_arrives_and_what_commands_print(
    sandbox: Sandbox, tmp_path: Path, name: str, language: str
) -> None:
    page = (DOCS / name).read_text(encoding="utf-8")

    def shape(text: str) -> list[str]:
        return re.sub(r"\d+|#\w+", "|", text).rstrip("\n").split("\n")

    def check(shown: tuple[str, str]) -> bool:
        code = f"import sys\nfrom wecom_logging._cli import main\nsys.exit(main({shlex.split(shown[0])!r}))"
        environment = {"WECOM_STATE": state, "WECOM_TIMEZONE": "Asia/Shanghai", "WECOM_LANGUAGE": language}
        ended = run(code, url=sandbox.url, fresh=True, **environment)
        assert ended.status == 0, ended.err
        out = re.sub(r" \(overdue\)|（已逾期）", "", ended.out)  # the day of the page may have passed
        return shape(re.sub("  +", "  ", out)) == shape(re.sub("  +", "  ", shown[1]))

    (call,) = [line for line in page.splitlines() if line.startswith("expect(")]
    state = f"sqlite://{tmp_path}/alerts.db"
    handler = app_handler(
        sandbox.url, state=state, timezone="Asia/Shanghai", service="shop", rate_limit=None, language=language
    )
    service = Service(handler, sandbox)
    try:
        service.at("2026-11-29T01:00")
        job = eval(call, {"expect": expect})
        service.until("2026-11-29T02:30")
        with job:
            service.time += 1
        (console,) = blocks(page, "console")
        commands: list[tuple[str, str]] = re.findall(r"^\$ wecom-logging (.*)\n((?:[^$].*\n)*)", console, re.MULTILINE)
        assert check(commands[0])
        service.until("2026-11-30T02:51")
        (missed,) = service.told(1)
        with job:
            service.until("2026-11-30T02:55")
        (again,) = service.told(1)
        assert [command for command in commands[1:] if not check(command)] == []
    finally:
        handler.close()
        declared_here.declared.clear()
        declared_here.newest.clear()
    assert shape(missed) == shape(blocks(page, "output")[0])
    ran = re.sub(CLOCK, "02:55", again.split("\n")[0])  # the date stands there on another day
    assert shape(ran)[0] in shape(page.replace("`", "\n"))


def headings(path: Path) -> set[str]:
    """The anchors of a page, as GitHub and the site make them."""
    text = re.sub(r"^ *```.*?^ *```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    return {
        re.sub(r"[^\w\- ]", "", heading.replace("`", "").strip().lower()).replace(" ", "-")
        for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    }


def test_each_link_leads_somewhere() -> None:
    wrong = []
    for path in [*ROOT.glob("*.md"), *DOCS.glob("*.md")]:
        text = re.sub(r"^ *```.*?^ *```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
        for link in re.findall(r"\]\(([^)\s]+)\)", text):
            if link.startswith("https://"):
                continue
            target, _, anchor = link.partition("#")
            there = (path.parent / target).resolve() if target else path
            if not there.exists() or (anchor and anchor not in headings(there)):
                wrong.append(f"{path.name}: {link}")
            chinese = re.search(r"\.zh(-CN)?\.md$", path.name) is not None
            if chinese and there.parent == DOCS and there.stem in PAIRS and there.suffix == ".md":
                wrong.append(f"{path.name}: {link} is English")
    assert wrong == []


def test_files_that_are_named_are_there() -> None:
    for path in [ROOT / "README.md", ROOT / "README.zh-CN.md", *DOCS.glob("*.md")]:
        named = re.findall(r"`([a-z]+/(?:test_\w+\.py)?)`", path.read_text(encoding="utf-8"))
        roots = (ROOT, ROOT / "tests", ROOT / "wecom_logging", ROOT / "wecom_logging" / "_state")
        assert [name for name in named if not any((root / name).exists() for root in roots)] == []


def test_a_line_of_stderr_that_a_page_quotes_is_in_the_code() -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "wecom_logging").rglob("*.py"))
    for page in PAIRS["troubleshooting"]:
        quoted = re.findall(r"^\|[^|`]*`((?:[a-z]+|[一-鿿]+) [^`|]*)`", page.read_text(encoding="utf-8"), re.MULTILINE)
        assert len(quoted) == 6
        parts = [part for line in quoted for part in re.split("…|[A-Z]+_[A-Z_]+", line)]  # values, and their names
        assert [part for part in parts if part not in code] == []


def test_what_the_chinese_page_quotes_is_said_in_chinese() -> None:
    files = [path for kind in ("py", "toml") for path in (ROOT / "wecom_logging").rglob(f"*.{kind}")]
    code = "".join(path.read_text(encoding="utf-8") for path in files)
    _, page = PAIRS["troubleshooting"]
    spans = re.findall(r"`([^`\n]+)`", page.read_text(encoding="utf-8"))
    quoted = [span for span in spans if re.search(r"[\u4e00-\u9fff]", span)]
    assert len(quoted) >= 10
    parts = [part.strip() for line in quoted for part in re.split(r"[…：]|\d+", line)]  # values stand between them
    assert [part for part in parts if part not in code] == []


def test_every_option_is_in_the_table() -> None:
    table = (DOCS / "options.md").read_text(encoding="utf-8")
    assert [name for name in CommonOptions.__annotations__ if f"`{name}`" not in table] == []


# Words that need the author, and what to say instead. Not in pages for engineers, nor in systemd's own names.
NOT_SAID = {
    r"complain\w*": "warns, reports",
    r"books?": "counters",
    r"tall(?:y|ies)": "counter",
    r"doors?": "channel, way",
    r"heirs?": "the next process",
    r"journals?": "write-ahead file",
    r"hurr(?:y|ies|ied)": "flush, exit",
    r"hears? of": "gets",
    r"(?:is|are|was|were) told": "gets, is sent",
    r"tells": "sends, reports",
    r"told here": "sent by this process",
    r"for good": "permanently",
    r"what waits": "pending alerts",
    r"(?:is|are|was|were) made before": "exists already",
    r"(?:handler|function) is made": "is created",
    r"lets (?:calls|it) fail": "makes calls fail",
    "账本": "计数",
    "讲给": "发给",
    "做一次加一": "做一次计数",
    "100 次中的 99 次": "P99",
    "承诺什么": "保证",
    "遮盖": "脱敏",
    "您": "你",
    "弄坏": "影响",
    "等待中的": "排队中的",
    "附加依赖": "extra",
    "通知谁": "接收人与路由",
    "礼貌的拒绝": "无权限的提示",
    "一个小程序": "一段示例代码",
}
# Words of names in the code, and what to say instead.
NOT_NAMED = {
    **dict.fromkeys(("complain", "complains", "complaint"), "warn_once"),
    "books": "counters",
    **dict.fromkeys(("commons", "holdings"), "store, incident"),
    **dict.fromkeys(("door", "doors"), "channel"),
    **dict.fromkeys(("heir", "heirs"), "take over"),
    **dict.fromkeys(("hurry", "hurried"), "draining"),
    **dict.fromkeys(("postman", "postmen"), "sender"),
}
SPARED = re.compile(r"systemd's journal|shop_door|（journal）")


def test_no_page_for_users_has_words_that_need_the_author() -> None:
    pages = [path for pair in PAIRS.values() for path in pair if path.stem.partition(".")[0] not in ENGINEERS]
    wrong = []
    for path in pages:
        text = re.sub(r"^ *```.*?^ *```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
        text = SPARED.sub("", re.sub(r"`[^`\n]*`", "", text))
        for word, instead in NOT_SAID.items():
            pattern = word if re.search(r"[\u4e00-\u9fff]", word) else rf"\b{word}\b"
            wrong += [f"{path.name}: {found} (say: {instead})" for found in re.findall(pattern, text, re.IGNORECASE)]
    assert wrong == []


def test_no_name_in_the_code_has_a_word_that_needs_the_author() -> None:
    wrong = []
    for path in (ROOT / "wecom_logging").rglob("*.py"):
        if path.name == "demo_program.py":  # a user's program, which keeps the books of a shop
            continue
        names = {path.stem}
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            found = (getattr(node, field, None) for field in ("id", "name", "attr", "arg", "asname"))
            names.update(name for name in found if isinstance(name, str))
        for name in names:
            words = re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)
            wrong += [
                f"{path.name}: {name} (say: {NOT_NAMED[word.lower()]})" for word in words if word.lower() in NOT_NAMED
            ]
    assert wrong == []


def test_figures_are_those_of_one_file() -> None:
    figures = json.loads((DOCS / "figures.json").read_text(encoding="utf-8"))
    del figures["measured"]
    for what, one in figures.items():
        for name in one["pages"]:
            english, chinese = PAIRS.get(name, (DOCS / f"{name}.md", DOCS / f"{name}.md"))
            for page, figure in ((english, one["figure"]), (chinese, one.get("zh", one["figure"]))):
                assert re.search(rf"(?<![\d.]){re.escape(figure)}(?!\d)", page.read_text(encoding="utf-8")), (
                    f"{page.name} says another figure than docs/figures.json: {what}"
                )
    assert figures["errcodes"]["figure"] == str(len(errcodes())), "change docs/figures.json and both READMEs"
    answers = figures["real answers of WeCom in the sandbox"]
    assert answers["figure"] == str(len(ANSWERS)), "change docs/figures.json, sandbox and promises"


def test_what_a_log_call_waits_for_is_said_in_the_same_words_everywhere() -> None:
    english = (
        "In a log call, the handler waits for no lock that another thread may hold during I/O or user code, except in "
        "two cases: with a SQLite state, a first alert waits for its write, as with a file handler of logging; after "
        "the exit hook, a log call waits until its alert is sent (at most until `exit_timeout` is over)."
    )
    chinese = (
        "handler 在打日志时，不等待其他线程在 I/O 或用户代码期间可能持有的锁，只有两种例外：使用 SQLite 状态存储时，"
        "首条告警等待写入，与 logging 的文件 handler 相同；"
        "退出钩子执行之后，等到该告警发出（最多到 `exit_timeout` 用完）。"
    )
    for name in ("promises", "architecture"):
        for page, sentence in zip(PAIRS[name], (english, chinese), strict=True):
            assert " ".join(page.read_text(encoding="utf-8").split()).count(sentence) == 1, page.name
    for page, link in zip(
        PAIRS["README"], ("[two cases](docs/promises.md)", "[两种例外](docs/promises.zh.md)"), strict=True
    ):
        assert page.read_text(encoding="utf-8").count(link) == 1


@pytest.mark.parametrize("page", PAIRS["promises"], ids=lambda page: page.name)
def test_each_promise_names_tests_that_are_there(page: Path) -> None:
    _, _, *rows = re.findall(r"^\|.*\|$", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(rows) == 5
    for row in rows:
        named = re.findall(r"`([\w/]+\.py)::(\w+)`", row)
        assert named, row
        for file, name in named:
            tree = ast.parse((ROOT / "tests" / file).read_text(encoding="utf-8"))
            assert name in {getattr(node, "name", "") for node in tree.body}, name


def test_the_changelog_has_this_version_below_what_comes_next() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    (coming, _), (version, date), *_ = re.findall(r"^## \[(.+)\](?: - (\d{4}-\d\d-\d\d))?$", text, re.MULTILINE)
    assert coming == "Unreleased"
    assert version == __version__
    assert date


def test_each_extra_that_a_page_installs_is_there() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pages = [*ROOT.glob("*.md"), *DOCS.glob("*.md")]
    lines = [line for path in pages for line in re.findall(r"pip install (.*)", path.read_text(encoding="utf-8"))]
    extras = {extra for line in lines for extra in re.findall(r"'(?:\.|[./]*wecom-logging)\[(\w+)\]'", line)}
    assert extras >= {"sandbox", "redis", "aibot", "dev", "docs", "test"}
    assert extras <= project["optional-dependencies"].keys()


def test_ci_calls_the_readme_s_test_command() -> None:
    (command,) = [line for line in ENGLISH.splitlines() if line.endswith("-m pytest")]
    assert command in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_what_the_page_for_newcomers_names_is_there() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    paths = set(re.findall(r"`([\w.-]*/[\w./-]*|\w+\.(?:py|toml))`", page))
    assert len(paths) > 30
    assert [path for path in paths if not ((ROOT / path).exists() or (ROOT / "wecom_logging" / path).exists())] == []
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "wecom_logging").rglob("*.py"))
    names = set(re.findall(r"`(?:\w+\.)*(\w{4,})(?:\(…?\))?`", page))
    assert [name for name in names if not re.search(rf"\b{name}\b", code)] == []
    assert len(page.splitlines()) <= 150
