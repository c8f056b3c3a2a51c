"""What ``tools/mkdocs_hook.py`` makes of a built page and of the search index."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace

from tools import mkdocs_hook

from .programs import ROOT


def test_the_search_of_a_language_finds_pages_of_that_language(tmp_path: Path) -> None:
    found = tmp_path / "search" / "search_index.json"
    found.parent.mkdir()
    docs = [{"location": "start/", "title": "First alert"}, {"location": "zh/start/", "title": "第一条告警"}]
    found.write_text(json.dumps({"config": {"lang": ["en", "zh"]}, "docs": docs}), encoding="utf-8")
    mkdocs_hook.on_post_build(config=SimpleNamespace(site_dir=str(tmp_path)))
    chinese = tmp_path / "zh" / "search" / "search_index.json"
    indexes = [json.loads(path.read_text(encoding="utf-8")) for path in (found, chinese)]
    assert [index["docs"] for index in indexes] == [docs[:1], [{"location": "start/", "title": "第一条告警"}]]
    assert all(index["config"] == {"lang": ["en", "zh"]} for index in indexes)


def test_a_chinese_page_asks_for_its_index() -> None:
    output = '<script id="__config">{"annotate": null, "base": "../.."}</script>'
    chinese = mkdocs_hook.on_post_page(output, page=SimpleNamespace(url="zh/start/"))
    assert '"base": "../../zh/"' in chinese
    assert mkdocs_hook.on_post_page(output, page=SimpleNamespace(url="start/")) == output


def test_chinese_text_is_joined_across_lines_and_what_a_program_prints_is_not() -> None:
    fence = "```output\n编号  负责人\n沙箱公司\n```\n"
    page = SimpleNamespace(file=SimpleNamespace(src_uri="start.zh.md"))
    shown = mkdocs_hook.on_page_markdown(f"打印部门，\n一行一个：\n\n{fence}\n各行\n不变。\n", page=page)
    assert shown == f"打印部门，一行一个：\n\n{fence}\n各行不变。\n"


def test_a_cell_knows_the_heading_of_its_column() -> None:
    table = "<table><thead><tr><th>option</th><th>what <code>it</code> does</th></tr></thead><tbody>"
    html = f"<td>before</td>{table}<tr><td>a</td><td align='right'>b</td></tr><tr><td>c</td><td>d</td></tr></table>"
    shown = mkdocs_hook.on_page_content(html)
    cell = '<td data-head="what it does"'
    assert shown.count('<td data-head="option">') == shown.count(cell) == 2
    assert f"{cell} align='right'>b</td>" in shown
    assert shown.startswith("<td>before</td>")


def test_the_site_needs_no_other_host_and_finds_words_within_chinese_text() -> None:
    config = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    assert "http" not in config
    assert "font: false" in config
    assert r"\u200b" in config  # stands between the words of the index
    assert not [path.name for path in (ROOT / "docs").glob("*.md") if "```mermaid" in path.read_text(encoding="utf-8")]


def test_each_link_of_a_page_leads_to_a_file_of_the_site() -> None:
    away = []
    for path in (ROOT / "docs").glob("*.md"):
        page = SimpleNamespace(file=SimpleNamespace(src_uri=path.name))
        shown = mkdocs_hook.on_page_markdown(path.read_text(encoding="utf-8"), page=page)
        text = re.sub(r"^ *```.*?^ *```|`[^`\n]*`", "", shown, flags=re.DOTALL | re.MULTILINE)
        links = [link for link in re.findall(r"\]\(([^)#\s]+)", text) if "://" not in link]
        away += [
            f"{path.name}: {link}" for link in links if not (path.parent / link).is_file() or link.startswith("../")
        ]
    assert away == []
