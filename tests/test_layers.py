"""The package's own order: who may import whom, what `import wecom_logging` may load, and which names are public."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import wecom_logging

from .programs import ROOT, run

PACKAGE = Path(wecom_logging.__file__).parent

# Each layer may import from itself and from those before it; names on one line are strangers to each other.
LAYERS = (
    ("errors",),
    ("model",),
    ("render", "config"),
    ("wecom", "state"),
    ("pipeline",),
    ("formatters",),
    ("handlers",),
    ("telling",),
    ("decorators", "hooks", "long_work"),
    ("testing",),
    ("cli", "integrations"),
)
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}


def _imports(path: Path) -> Iterator[tuple[str, int]]:
    """The package's own modules that a file imports, by the name of their room."""
    package = ["wecom_logging", *path.relative_to(PACKAGE).parts[:-1]]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            full = [*base, *(node.module.split(".") if node.module else [])]
            if full[:1] == ["wecom_logging"]:
                for alias in node.names:
                    yield ([*full, alias.name])[1], node.lineno


def test_imports_go_one_way() -> None:
    wrong = []
    for path in PACKAGE.rglob("*.py"):
        room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        if room in ("__init__", "sandbox"):
            continue
        for imported, line in _imports(path):
            if imported == "__version__" or imported == room:
                continue
            if imported == "sandbox":
                assert room == "cli", f"{path.name}:{line} uses the sandbox"
            elif RANK.get(imported, RANK["decorators"]) >= RANK[room]:  # a public name stands for the whole package
                wrong.append(f"{path.relative_to(PACKAGE)}:{line} imports {imported}")
    assert wrong == []


def test_the_sandbox_imports_nothing_of_the_client() -> None:
    for path in (PACKAGE / "sandbox").rglob("*.py"):
        assert {room for room, _ in _imports(path)} <= {"sandbox"}, path


def test_importing_and_building_a_handler_loads_no_heavy_library() -> None:
    ended = run(
        """
        import sys
        import wecom_logging
        wecom_logging.WeComHandler(corp_id="ww", agent_id=1, secret="s", users="@all")
        wecom_logging.WeComBotHandler(webhook="key")
        heavy = {"requests", "urllib3", "ssl", "sqlite3", "tenacity", "asyncio", "werkzeug", "http.client"}
        print(sorted(heavy & set(sys.modules)))
        """
    )
    assert (ended.status, ended.out.strip(), ended.err) == (0, "[]", "")


def test_the_public_names_are_sorted_and_there() -> None:
    assert sorted(wecom_logging.__all__) == wecom_logging.__all__
    assert all(hasattr(wecom_logging, name) for name in wecom_logging.__all__)
    assert wecom_logging.__all__ == [
        "BotClient",
        "MarkdownFormatter",
        "Outcome",
        "Stats",
        "TextFormatter",
        "WeComBotHandler",
        "WeComClient",
        "WeComHandler",
        "errors",
        "install_hooks",
        "notify_on_exception",
        "progress",
    ]


def test_every_error_is_where_the_tree_of_the_docstring_draws_it() -> None:
    errors = wecom_logging.errors
    above = ["Exception"]
    drawn = set()
    for branch, name, said in re.findall(r"^ {4}([│├└─ ]*)([A-Z]\w+)(.*)", errors.__doc__ or "", re.MULTILINE):
        depth = len(branch) // 4
        too = re.findall(r"an? ([A-Z]\w+Error), too", said)  # the interpreter's own
        assert [kind.__name__ for kind in getattr(errors, name).__bases__] == [above[depth], *too]
        above[depth + 1 :] = [name]
        drawn.add(name)
    assert drawn == set(errors.__all__)


def test_each_capability_has_an_extra_and_all_has_them_all() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    assert extras.keys() >= {"redis", "valkey", "cli", "sandbox", "all", "test", "e2e", "bench", "dev"}
    assert extras["all"] == ["wecom-logging[cli,redis,sandbox,valkey]"]
    assert {re.split("[>=<]", one)[0] for one in project["dependencies"]} == {"requests", "tenacity"}
