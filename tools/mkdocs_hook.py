"""What MkDocs does not do by itself for our site (a hook of ``mkdocs.yml``).

Three pages are made of files that stand elsewhere, so that each text exists once: the first page of the README, the
changelog, and the programs in ``examples/``. Links to ``examples/`` lead to the page of programs.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
MOVED = [  # of a link, from the top level to a page
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
        text = "".join(_joined(part) for part in re.split(r"(^ *```.*?^ *```)", text, flags=re.DOTALL | re.MULTILINE))
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
    text = re.sub(r"^\[(English|中文说明)\]\(README[^)]*\)\n+", "", text, flags=re.MULTILINE)  # the site has a switch
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
