"""What MkDocs does not do by itself for our site (a hook of ``mkdocs.yml``).

Three pages are made of files that stand elsewhere, so that each text exists once: the first page of the README, the
changelog, and the programs in ``examples/``. Links to ``examples/`` lead to the page of programs.

The search of a language finds pages of that language. The cells of a table know their heading, which `site.css` shows
where a screen is narrow.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
MOVED = [  # of a link, from the top level to a page
    (r"docs/\)", "index.md)"),  # a menu beside it has all pages
    ("docs/", ""),
    (r"examples/\)", "programs.md)"),
    ("examples/", "../examples/"),
    (r"CHANGELOG\.md", "changelog.md"),
    (r"CONTRIBUTING\.md", "contributing.md"),
]
LANGUAGES = {".py": "python", ".yaml": "yaml", ".json": "json", ".conf": "ini", ".service": "ini"}


def on_page_markdown(markdown: str, *, page: Any, **_: Any) -> str:
    """The text of a page as the site shows it."""
    chinese = page.file.src_uri.endswith(".zh.md")
    text = re.sub(r"<!-- include (\S+) -->", lambda found: included(found[1]), markdown)
    text = text.replace("<!-- programs -->", programs())
    text = re.sub(r"^ *\|.*$", _without_escapes, text, flags=re.MULTILINE)
    if chinese:
        parts = re.split(r"(^ *```.*?^ *```)", text, flags=re.DOTALL | re.MULTILINE)
        text = "".join(part if place % 2 else _joined(part) for place, part in enumerate(parts))
    text = text.replace("](../CONTRIBUTING.md", "](contributing.md")
    return re.sub(
        r"\]\(\.\./examples/([^)#]+)\)",
        lambda found: f"](programs{'.zh' if chinese else ''}.md#{anchor(found[1])})",
        text,
    )


CHINESE = "\u3000-\u303f\u4e00-\u9fff\uff01-\uff5e"


def _joined(text: str) -> str:
    """Without line breaks between Chinese characters, which a browser shows as blanks."""
    return re.sub(rf"(?<=[{CHINESE}])\n(?=[{CHINESE}])", "", text)


def _without_escapes(row: re.Match[str]) -> str:
    """GitHub wants ``\\|`` in the code of a table's cell; here it would be shown."""
    return re.sub(r"`[^`]+`", lambda code: code[0].replace("\\|", "|"), row[0])


def included(name: str) -> str:
    """A file of the top level. Its links are those of a page in ``docs/``."""
    text = (ROOT / name).read_text(encoding="utf-8")
    text = re.sub(r" ?\[(English|中文说明)\]\(README[^)]*\)", "", text)  # the site has a switch
    for pattern, target in MOVED:
        text = re.sub(rf"\]\({pattern}", f"]({target}", text)
    return text


def programs() -> str:
    """Each example: its name as a heading, and its text."""
    paths = sorted(
        path for path in (ROOT / "examples").rglob("*") if path.is_file() and "__pycache__" not in path.parts
    )
    return "\n\n".join(_program(path) for path in paths)


def _program(path: Path) -> str:
    name = path.relative_to(ROOT / "examples").as_posix()
    language = LANGUAGES.get(path.suffix, "text")
    return f"## {name} {{ #{anchor(name)} }}\n\n```{language}\n{path.read_text(encoding='utf-8').rstrip()}\n```"


def anchor(name: str) -> str:
    """Of a program's heading."""
    return re.sub(r"\W+", "-", name)


def on_page_content(html: str, **_: Any) -> str:
    """The text as HTML, with the heading of its column at each cell."""
    return re.sub(r"<table>.*?</table>", lambda found: _with_headings(found[0]), html, flags=re.DOTALL)


def _with_headings(table: str) -> str:
    headings = [
        re.sub(r"<[^>]+>|\"", "", one).strip() for one in re.findall(r"<th\b[^>]*>(.*?)</th>", table, re.DOTALL)
    ]
    rows = re.split(r"(?=<tr>)", table)
    for place, row in enumerate(rows):
        left = iter(headings)
        rows[place] = re.sub(r"<td\b", lambda _, left=left: f'<td data-head="{next(left, "")}"', row)
    return "".join(rows)


def on_post_page(output: str, *, page: Any, **_: Any) -> str:
    """A Chinese page asks for the search index of its language."""
    return re.sub(r'"base": "([^"]*)"', r'"base": "\1/zh/"', output, count=1) if page.url.startswith("zh/") else output


def on_post_build(*, config: Any) -> None:
    """Make an index of each language of the one that there is."""
    path = Path(config.site_dir, "search", "search_index.json")
    index = json.loads(path.read_text(encoding="utf-8"))
    chinese = [one for one in index["docs"] if one["location"].startswith("zh/")]
    english = [one for one in index["docs"] if not one["location"].startswith("zh/")]
    for one in chinese:
        one["location"] = one["location"].removeprefix("zh/")
    for folder, docs in (("search", english), ("zh/search", chinese)):
        if docs:
            target = Path(config.site_dir, folder, "search_index.json")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(json.dumps({**index, "docs": docs}, ensure_ascii=False), encoding="utf-8")


on_post_build.mkdocs_priority = -200  # after the plugins, which write one index of both
