"""The tables of options and of codes, made from the code into the pages: ``python -m tools.reference``.

A table stands between two comments, such as ``<!-- options -->`` and ``<!-- end -->``. The docstrings
that list options are made, too. With ``--check`` nothing is
written, and a page that is behind is an error.
"""

from __future__ import annotations

import inspect
import re
import sys
import textwrap
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from wecom_logging import WeComAIBotHandler, WeComBotHandler, WeComHandler, errors
from wecom_logging._config import CommonOptions
from wecom_logging._config.options import Option, all_options
from wecom_logging._problems import PROBLEMS
from wecom_logging._wecom import errcodes as table
from wecom_logging._wecom.errcodes import ErrCode, Verdict

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PACKAGE = ROOT / "wecom_logging"
KINDS = {
    "Callable": ("function", "函数"),
    "Handler": ("handler", "handler"),
    "Ids": ("id or list of ids", "ID 或其列表"),
    "Mapping": ("mapping of ids to names", "ID 到姓名的映射"),
    "Iterable": ("list of mappings", "映射的列表"),
    "Sequence": ("list of str", "str 的列表"),
}
VERDICTS = {
    Verdict.REFRESH: ("gets a new token and sends again, once", "换新 token 后重发一次"),
    Verdict.BACKOFF: ("waits for seconds, then tries again", "等待数秒后重试"),
    Verdict.RATE_LIMIT: ("waits for a minute, then tries again", "等待一分钟后重试"),
    Verdict.CONFIGURATION: ("keeps the alert, tries again after 5 minutes", "保留告警，5 分钟后重试"),
    Verdict.PAYLOAD: ("gives the alert up", "放弃该告警"),
    Verdict.TARGET: ("gives the alert up", "放弃该告警"),
}


def app_options() -> dict[str, str]:
    """Those of the app's handler alone: name, and the kind of value as the code writes it."""
    return _own(WeComHandler)


def bot_options() -> dict[str, str]:
    """Those of the bot's handler alone."""
    return _own(WeComBotHandler)


def aibot_options() -> dict[str, str]:
    """Those of the AI bot's handler alone."""
    return {"aibot_secret" if name == "secret" else name: kind for name, kind in _own(WeComAIBotHandler).items()}


def _own(kind: type) -> dict[str, str]:
    given = inspect.signature(kind).parameters.values()
    return {one.name: str(one.annotation) for one in given if one.kind is one.KEYWORD_ONLY}


def common_options() -> dict[str, str]:
    """Those of all handlers."""
    return {name: _written(kind) for name, kind in CommonOptions.__annotations__.items()}


def _written(kind: Any) -> str:
    """A type as the code writes it, without what is made of the option."""
    if get_origin(kind) in (Annotated, Union, UnionType):
        return " | ".join(map(_written, get_args(kind)[: 1 if get_origin(kind) is Annotated else None]))
    return inspect.formatannotation(kind).replace("NoneType", "None")


def options(chinese: bool) -> str:
    """A table for each handler, and three for what they have in common."""
    parts = []
    for title, title_zh, found in (
        ("`WeComHandler`: app messages", "应用消息：`WeComHandler`", app_options()),
        ("`WeComBotHandler`: a group's bot", "群机器人：`WeComBotHandler`", bot_options()),
        ("`WeComAIBotHandler`: an AI bot", "智能机器人：`WeComAIBotHandler`", aibot_options()),
        ("All handlers: what most need", "三者共有：常用", _of_table("most")),
        ("All handlers: bounds and looks", "三者共有：限制与外观", _of_table("bounds")),
        ("All handlers: for teams", "三者共有：团队", _of_table("teams")),
    ):
        head = "| 选项 | 取值 | 默认值 | 含义 |" if chinese else "| option | values | default | meaning |"
        rows = [_option(name, kind, chinese) for name, kind in found.items()]
        parts.append("\n".join([f"## {title_zh if chinese else title}", "", head, "|---|---|---|---|", *rows]))
    return "\n\n".join(parts)


def _of_table(table: str) -> dict[str, str]:
    return {name: kind for name, kind in common_options().items() if all_options()[name].table == table}


def _option(name: str, kind: str, chinese: bool) -> str:
    told = all_options()[name]
    default = _default(told, chinese)
    if told.variables:
        between = ("；" if chinese else "; ") if isinstance(told.default, list) else "、" if chinese else ", "
        variables = ("、" if chinese else ", ").join(f"`{one}`" for one in told.variables)
        default = f"{default}{between}{variables}" if default else variables
    meaning = told.meaning[chinese]
    return f"| `{told.keyword}` | {_variants(kind, chinese)} | {default or ('无' if chinese else 'none')} | {meaning} |"


def _default(told: Option, chinese: bool) -> str:
    """In words, or the value; empty where there is none."""
    if told.default:
        return told.default if isinstance(told.default, str) else told.default[chinese]
    value = told.value
    if value is None or isinstance(value, bool):
        return "" if value is None else f"`{value}`"
    if isinstance(value, str):
        return f'`"{value}"`'
    unit = {"s": " 秒" if chinese else " s", "": ""}[told.unit]
    return f"{value:,.0f}{unit}" if value >= 10_000 and not chinese else f"{value:.0f}{unit}"


def docstring(names: Iterable[str]) -> str:
    """A line for each option, as a docstring lists them: the meaning without links."""
    lines = []
    for told in map(all_options().__getitem__, names):
        default = ", ".join(filter(None, [_default(told, False), *told.variables])) or "none"
        meaning = re.sub(r"\[(.+?)\]\(.+?\)", r"\1", re.sub(r"[.,] [Ss]ee \[.+", "", told.meaning[0]))
        text = f"* `{told.keyword}` ({default}): {meaning}.".replace("`", "``")
        lines.append(textwrap.fill(text, 114, initial_indent="    ", subsequent_indent="      "))
    return "\n".join(lines)


def _variants(kind: str, chinese: bool) -> str:
    """``float | None`` as ``float``, ``Callable[[str], str] | bool | None`` as ``function, bool``."""
    kind = re.sub(r"[\w.]*Mapping\[str, [\w.]*Mapping\[.*?\]\]", "dict", kind)
    kind = re.sub(r"[\w.]*\.Sequence\[[\w.]*Mapping\[.*?\]\]", "list", kind)
    kind = re.sub(r"[\w.]*Mapping\[str, object\]", "dict", kind)
    kind = re.sub(r"\[\[.*?\], \w+\]|\[Mapping\[.*?\]\]|\[str \| Secret\]|\[str, str\]", "", kind)
    names = []
    for part in kind.split(" | "):
        name = part.rpartition(".")[2]
        if literal := re.fullmatch(r"Literal\[\"(\w+)\"\]|Literal\['(\w+)'\]", part):
            names.append(f'`"{literal[1] or literal[2]}"`')
        elif name in KINDS:
            names.append(KINDS[name][chinese])
        elif name not in ("None", "Secret"):
            names.append(f"`{name}`")
    return ("、" if chinese else ", ").join(dict.fromkeys(names))


def tree(chinese: bool) -> str:
    """The errors, as the docstring of their module draws them."""
    drawn = re.search(r"^    WeComLoggingError\n.*?\n\n", f"{errors.__doc__}\n\n", re.DOTALL | re.MULTILINE)
    assert drawn is not None
    return f"```text\n{textwrap.dedent(drawn[0]).rstrip()}\n```"


def errcodes(chinese: bool) -> str:
    """One table: each code, what it means, what the handler does, what a person should do."""
    head = "| errcode | meaning | the handler | what you can do |"
    if chinese:
        head = "| errcode | 含义 | handler 的处理 | 处理办法 |"
    rows: dict[ErrCode, list[int]] = {}
    for row in sorted(table.errcodes(), key=lambda row: row.code):
        rows.setdefault(replace(row, code=0), []).append(row.code)
    return "\n".join([head, "|---|---|---|---|", *(_errcode(codes, row, chinese) for row, codes in rows.items())])


def _errcode(codes: list[int], row: ErrCode, chinese: bool) -> str:
    meaning, remedy = (row.meaning_zh, row.remedy_zh) if chinese else (row.meaning, row.remedy)
    remedy = re.sub(r"(https://[^\s，。]+[^\s，。.])", r"<\1>", remedy)
    return f"| {_codes(codes)} | {_cell(meaning)} | {VERDICTS[row.verdict][chinese]} | {_cell(remedy)} |"


def _cell(text: str) -> str:
    text = re.sub(r"\\ : \* \? \" < > \|", r'`\\ : * ? " < >` `\|`', text)
    return text.replace("\\uxxxx", "`\\uxxxx`").replace("\\u ", "`\\u` ")


def _codes(codes: list[int]) -> str:
    """``42014, 42016 – 42020``: neighbours are a range."""
    parts: list[list[int]] = []
    for code in codes:
        if parts and code == parts[-1][-1] + 1:
            parts[-1].append(code)
        else:
            parts.append([code])
    return ", ".join(f"{part[0]} – {part[-1]}" if len(part) > 2 else ", ".join(map(str, part)) for part in parts)


def problems(chinese: bool) -> str:
    """Each code of a `ConfigurationError`, and what it says; values stand in braces."""
    rows = [f"| `{code}` | {_text_of_problem(texts[chinese])} |" for code, texts in PROBLEMS.items()]
    return "\n".join(["| 代码 | 含义 |" if chinese else "| code | meaning |", "|---|---|", *rows])


def _text_of_problem(text: str) -> str:
    """With its names of values as code, and its braces single."""
    text = re.sub(r"(?<=[\w}]){(?=\w)", " {", text)  # the value brings its own space, or is empty
    text = re.sub(r"(?<!{){(\w+)(?:!r)?}(?!})", r"`\1`", text).replace("{{", "{").replace("}}", "}")
    return text.replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")


TABLES: dict[str, Callable[[bool], str]] = {
    "options": options,
    "errcodes": errcodes,
    "problems": problems,
    "tree": tree,
}


DOCSTRINGS: dict[Path, dict[str, Callable[[], dict[str, str]]]] = {
    PACKAGE / "_config" / "options.py": {"CommonOptions": common_options},
    PACKAGE / "handlers.py": {
        "WeComHandler": app_options,
        "WeComBotHandler": bot_options,
        "WeComAIBotHandler": aibot_options,
    },
}
"""The files and classes whose docstrings list options."""


def filled(page: Path) -> str:
    """A page with its tables, or a file with its docstrings, as the code has them now."""
    text = page.read_text(encoding="utf-8")
    for name, options_of in DOCSTRINGS.get(page, {}).items():
        before, begin, after = text.partition(f"class {name}(")
        listed = docstring(options_of())
        text = (
            before
            + begin
            + re.sub(r"(?m)^    \* ``(?:.+\n)+?(?=\n|    \"\"\")", lambda _, to=listed: f"{to}\n", after, count=1)
        )
    chinese = page.name.endswith(".zh.md")
    return re.sub(
        r"(<!-- (\w+) -->\n).*?(<!-- end -->)",
        lambda found: f"{found[1]}\n{TABLES[found[2]](chinese)}\n\n{found[3]}",
        text,
        flags=re.DOTALL,
    )


def pages() -> list[Path]:
    """Those that have such a table, and the files with such docstrings."""
    return [*DOCSTRINGS, *(DOCS / f"{name}{ending}" for name in PAGES_WITH_TABLES for ending in (".md", ".zh.md"))]


PAGES_WITH_TABLES = ("options", "errors")


def main() -> int:
    behind = [page for page in pages() if filled(page) != page.read_text(encoding="utf-8")]
    for page in behind:
        if "--check" in sys.argv:
            print(f"{page.relative_to(ROOT)} is behind the code: python -m tools.reference", file=sys.stderr)
        else:
            page.write_text(filled(page), encoding="utf-8")
    return 1 if behind and "--check" in sys.argv else 0


if __name__ == "__main__":
    raise SystemExit(main())
