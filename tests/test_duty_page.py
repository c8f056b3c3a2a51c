"""docs/duty.md, in both languages: its six lines are read, its command prints what it shows."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from .cli.test_cli import call
from .programs import ROOT
from .test_journey import environment
from .test_readme import blocks

PAGES = [("duty.md", "en"), ("duty.zh.md", "zh")]
APP = {"WECOM_CORP_ID": "ww1", "WECOM_AGENT_ID": "1", "WECOM_SECRET": "any"}
"""What a reader of this page has already."""


@pytest.mark.slow
@pytest.mark.parametrize(("page", "language"), PAGES)
def test_what_the_page_shows_is_so(page: str, language: str, tmp_path: Path) -> None:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    (rules,) = blocks(text, "toml")
    assert len(rules.splitlines()) == 5
    (tmp_path / "duty.toml").write_text(rules, encoding="utf-8")
    exports, asked, *_ = blocks(text, "sh")
    set_by_the_page = dict(re.findall(r"(WECOM_\w+)=(\S+)", exports.replace("/var/lib/shop", str(tmp_path))))
    settings = {**environment(language), **APP, **set_by_the_page, "WECOM_LANGUAGE": language}
    settings["WECOM_DUTY"] = str(tmp_path / settings["WECOM_DUTY"])
    shown, *_ = blocks(text, "output")
    done = call(*shlex.split(asked)[1:], **settings)
    assert (done.stdout, done.stderr) == (shown, "")
