"""The package's own order: which room may import which, without a circle of files; what `import wecom_logging` may
load; which names are public."""

from __future__ import annotations

import ast
import importlib
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import wecom_logging

from .programs import ROOT, run

PACKAGE = Path(wecom_logging.__file__).parent

# What the files of a room may import of the package, imports in functions and below TYPE_CHECKING included.
FACES = "_telling handlers _build formatters"
BELOW = "_errors_in_chinese _lines errors model _masking _text _render _runtime _config _incidents _capture"
MAY_IMPORT = {
    "_problems": "",
    "_tables": "",
    "_masking": "",
    "_text": "_masking.patterns",
    "_errors_in_chinese": "_text.said",
    "errors": "_problems _errors_in_chinese _text.said",
    "model": "errors",
    "_lines": "_errors_in_chinese errors _text.said",
    "_render": "model _masking _text",
    "_runtime": "_lines errors model _text",
    "_config": "_tables errors model _text.said",
    "_incidents": "model _text",
    "_duty": "_lines errors model _text.said _render _runtime _config _incidents",
    "_journal": "errors model",
    "_jobs": "_lines errors model _text.said _render _runtime _incidents _duty.hours _journal",
    "_state": "_lines errors model _runtime _incidents",
    "_wecom": "_errors_in_chinese _lines _tables errors model _masking _text.said _text.sha256 _runtime _config",
    "_capture": "_lines errors model _masking _text _render _runtime _config _incidents",
    "_delivery": f"{BELOW} _jobs _journal _state _wecom",
    "_answers": "errors model _text _render _runtime _incidents _jobs _state _wecom",
    "formatters": "errors model _masking _render _config _capture",
    "_pipelines": "model _runtime _duty _journal _state _wecom _delivery",
    "_build": f"{BELOW} _duty _pipelines _state _wecom _delivery",
    "_build_aibot": "errors model _runtime _config _incidents _delivery _state _wecom _answers _build",
    "handlers": f"{BELOW} _state _wecom _delivery _answers _build _build_aibot formatters",
    "_telling": "_lines errors _masking _text _render _runtime handlers",
    "decorators": f"{BELOW} _telling",
    "_expect": f"{BELOW} _jobs _state _delivery _build _telling decorators",
    "hooks": f"{BELOW} _telling",
    "_long_work": f"{BELOW} _telling",
    "_maintenance": "errors model _config _incidents _runtime _state _capture handlers",
    "redaction": "errors _masking",
    "teams": "_expect _maintenance",
    "testing": f"{BELOW} _delivery handlers _sandbox",
    "integrations": f"{BELOW} {FACES} _expect decorators hooks _long_work testing _sandbox",
    "_cli": f"_tables {BELOW} _jobs _duty _answers _state _wecom _delivery {FACES} _build_aibot _expect _sandbox",
    "_sandbox": "",
}


def _in(folder: str, names: str = "") -> set[str]:
    """Files of a folder; all, if none is named."""
    every = {path.stem for path in (PACKAGE / folder).glob("*.py")} - {"__init__"}
    return {f"{folder}.{name}" for name in names.split() or every}


OLD = {
    *_in("_incidents", "answered codec escalation incident life policy stored view"),
    *_in("_delivery", "alerts claims delivery duties ledger outbox packer"),
    *_in("_delivery", "shared_pipeline steps stored_jobs turn"),
    *_in("_answers", "shared_place"),
    *_in("_state"),
}
"""The files of the engine that leaves."""
OLD_LINES = 8_859
"""How many lines they have together; nobody makes it more."""
NEW = {
    *_in("_incidents", "apply book cause entries hearers known outcomes plan scopes values views"),
    *_in("_delivery", "addressees bundle digests duty inbox judged kept leader leader_pipeline"),
    *_in("_delivery", "message packing parcels present reports settling"),
    *_in("_journal"),
    *_in("_duty"),
}
"""The files of the engine that comes, beside what both have."""


def _name(path: Path) -> str:
    """A file as a module: ``_state.sqlite``; a package has the name of its folder, the package itself none."""
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix("__init__").removesuffix(".")


FILES = {_name(path): path for path in PACKAGE.rglob("*.py")}


def _imports(name: str) -> Iterator[tuple[str, str]]:
    """The package's own files that one imports, wherever in it, each with its place."""
    path = FILES[name]
    package = ["wecom_logging", *path.relative_to(PACKAGE).parts[:-1]]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            found = [*base, *(node.module.split(".") if node.module else [])]
            modules = [[*found, alias.name] for alias in node.names]
        elif isinstance(node, ast.Import):
            modules = [alias.name.split(".") for alias in node.names]
        else:
            continue
        for first, *module in modules:
            if first == "wecom_logging":
                while ".".join(module) not in FILES:  # the name of something in a file
                    module.pop()
                yield ".".join(module), f"{path.relative_to(PACKAGE)}:{node.lineno}"


def test_each_room_imports_what_it_may() -> None:
    wrong = []
    for name in FILES:
        room = name.partition(".")[0]
        if not room or name in OLD:  # the public names; what leaves asks rooms from below
            continue
        allowed = [room, *MAY_IMPORT[room].split()]
        for imported, place in _imports(name):
            public = not imported and name == "_cli.demo_program"  # what a user's program is
            if not public and not any(f"{imported}.".startswith(f"{one}.") for one in allowed):
                wrong.append(f"{place} imports {imported or 'a public name'}")
    assert wrong == []


def test_the_engine_that_leaves_does_not_grow() -> None:
    assert OLD - FILES.keys() == set()
    assert sum(len(FILES[name].read_text(encoding="utf-8").splitlines()) for name in OLD) <= OLD_LINES


def test_the_engine_that_comes_imports_nothing_of_the_one_that_leaves() -> None:
    assert NEW - FILES.keys() == set()
    found = {(name, imported) for name in NEW for imported, _ in _imports(name) if imported in OLD}
    assert found == set()


THE_ENGINE = (
    "_runtime",
    "_incidents",
    "_journal",
    "_state",
    "_capture",
    "_delivery",
    "_answers",
    "_build",
    "_build_aibot",
)
JUDGES = ("arrived", "day", "kills", "loops", "night", "soak", "storm", "watchers")
"""Those of `tools/`; what else stands there says what the package's tables and rules are."""


def test_what_judges_the_engine_imports_nothing_of_it() -> None:
    wrong = []
    for name in JUDGES:
        tree = ast.parse((ROOT / "tools" / f"{name}.py").read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                imported = [f"{node.module}.{alias.name}" for alias in node.names]
            elif isinstance(node, ast.Import):
                imported = [alias.name for alias in node.names]
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):  # a name that is patched or loaded
                imported = [node.value]
            else:
                continue
            wrong += [
                f"{name}: {one}" for one in imported for room in THE_ENGINE if f"wecom_logging.{room}." in f"{one}."
            ]
    assert wrong == []


def test_the_table_of_rooms_allows_no_more_than_is_needed() -> None:
    used: dict[str, set[str]] = {}
    for name in FILES:
        used.setdefault(name.partition(".")[0], set()).update(imported for imported, _ in _imports(name))
    for room, may in MAY_IMPORT.items():
        order = list(MAY_IMPORT)
        for one in may.split():
            above = order.index(one.partition(".")[0]) < order.index(room)
            assert above or one == "_sandbox", f"{room} may import {one}, which stands below it"
    for room in (
        "errors",
        "model",
        "_masking",
        "_render",
        "_runtime",
        "_config",
        "_incidents",
        "_state",
        "_wecom",
        "_capture",
    ):
        for one in MAY_IMPORT[room].split():
            assert any(f"{imported}.".startswith(f"{one}.") for imported in used[room]), f"{room} does not need {one}"


def test_no_file_imports_itself_by_a_detour() -> None:
    imports = {name: {imported for imported, _ in _imports(name)} for name in FILES if not name.startswith("_sandbox")}
    while imports:  # those that import none of the others leave, until nothing leaves any more
        ends = [name for name, wanted in imports.items() if not wanted & (imports.keys() - {name})]
        assert ends, f"a cycle goes through some of {sorted(imports)}"
        for name in ends:
            del imports[name]


HEAVY = {
    *("requests", "urllib3", "ssl", "sqlite3", "tenacity", "asyncio", "werkzeug", "http.client"),
    *("datetime", "hashlib", "json", "random", "socket", "urllib.parse"),
}
OF_A_TURN = (
    "_answers",
    "_delivery",
    "_incidents",
    "_jobs",
    "_masking",
    "_render",
    "_state",
    "_text",
    "_wecom",
    "model",
)
"""Rooms that the worker's first turn loads, but for what a log call needs of them."""
LOADED_TO_LOG = {
    "_delivery.leader_pipeline",
    *("_jobs.declared", "_delivery.options", "_delivery.pipeline", "_incidents.fingerprint", "_incidents.limits"),
    *("_incidents.codes", "_incidents.pattern"),
    *("_incidents.short_id", "_masking.patterns", "_render.headline", "_render.source", "_render.traceback_text"),
    *("_render.words", "_state.shared", "_text.cut", "_text.inert", "_text.said", "_text.sha256"),
    *("model.captured", "model.recipients"),
}


def test_importing_a_handler_loads_next_to_nothing_and_building_it_no_more_than_a_log_call_needs() -> None:
    ended = run(
        f"""
        import sys
        import wecom_logging
        from wecom_logging import WeComHandler
        print(*sorted({{"dataclasses", "wecom_logging.model", "wecom_logging._delivery"}} & set(sys.modules)))
        wecom_logging.WeComHandler(corp_id="ww", agent_id=1, secret="s", users="@all")
        print(*sorted({HEAVY!r} & set(sys.modules)))
        wecom_logging.WeComBotHandler(webhook="key")
        ours = [name.removeprefix("wecom_logging.") for name in sys.modules if name.startswith("wecom_logging.")]
        print(*[name for name in ours if "." in name and name.startswith({OF_A_TURN!r})])
        """,
        fresh=True,
    )
    assert (ended.status, ended.err) == (0, "")
    imported, built, loaded = ended.out.split("\n")[:3]
    assert (imported, built) == ("", "")
    assert set(loaded.split()) == LOADED_TO_LOG


def test_where_messages_are_chinese_no_log_call_waits_for_the_patterns_of_chinese_texts() -> None:
    ended = run(
        """
        import wecom_logging
        from wecom_logging._incidents.pattern import changing_near_han
        for language in ("en", "zh"):
            wecom_logging.WeComBotHandler(webhook="key", language=language)
            print(changing_near_han.cache_info().currsize)
        """,
        fresh=True,
    )
    assert (ended.status, ended.err, ended.out.split()) == (0, "", ["0", "1"])


def test_the_public_names_are_sorted_and_there() -> None:
    assert sorted(wecom_logging.__all__) == wecom_logging.__all__
    assert all(hasattr(wecom_logging, name) for name in wecom_logging.__all__)
    assert wecom_logging.__all__ == [
        "BotClient",
        "MarkdownFormatter",
        "Outcome",
        "Stats",
        "TextFormatter",
        "WeComAIBotHandler",
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


def test_the_program_for_type_checkers_uses_each_public_name() -> None:
    tree = ast.parse((ROOT / "tests" / "typing_api.py").read_text(encoding="utf-8"))
    imports = [
        node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)
    ]  # ruff finds those that are not used
    used = {(node.module, alias.name) for node in imports for alias in node.names}
    for module in ("", ".errors", ".model", ".redaction", ".teams", ".testing"):
        for name in importlib.import_module(f"wecom_logging{module}").__all__:
            assert used & {(f"wecom_logging{module}", name), ("wecom_logging", name)}, f"{module}.{name}"
    page = (ROOT / "docs" / "frameworks.md").read_text(encoding="utf-8")
    integrations = set(re.findall(r"^from (wecom_logging\.integrations[\w.]*) import (\w+)", page, re.MULTILINE))
    assert len(integrations) > 10
    assert integrations <= used


def test_each_capability_has_an_extra_and_all_has_them_all() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    assert extras.keys() >= {
        "aibot",
        "cn",
        "jobs",
        "redis",
        "valkey",
        "sandbox",
        "all",
        "test",
        "e2e",
        "bench",
        "dev",
    }
    assert extras["all"] == ["wecom-logging[aibot,cn,jobs,redis,sandbox,valkey]"]
    assert {re.split("[>=<]", one)[0] for one in project["dependencies"]} == {"requests", "tenacity"}
