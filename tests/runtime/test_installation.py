"""What pip is told to install for an extra: it must work where the package is not on an index."""

from __future__ import annotations

import importlib.metadata
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from wecom_logging._runtime.version import with_extra

REPOSITORY = "https://git.test/us/it.git"


@pytest.mark.parametrize(
    ("origin", "install"),
    [
        (None, "'wecom-logging[redis]'"),
        ("no JSON", "'wecom-logging[redis]'"),
        ({"url": "file://{here}", "dir_info": {"editable": True}}, "-e '{here}[redis]'"),
        ({"url": "file://{here}", "dir_info": {}}, "'{here}[redis]'"),
        ({"url": "file:///not/there", "dir_info": {}}, "'wecom-logging[redis]'"),
        ({"url": "file:///it.whl", "archive_info": {}}, "'wecom-logging[redis] @ file:///it.whl'"),
        ({"url": REPOSITORY, "vcs_info": {"vcs": "git"}}, f"'wecom-logging[redis] @ git+{REPOSITORY}'"),
        ({"url": "https://me:pw@git.test/it.git", "vcs_info": {"vcs": "git"}}, "'wecom-logging[redis]'"),
    ],
)
def test_an_extra_comes_from_where_the_package_came_from(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, origin: Any, install: str
) -> None:
    text = origin if isinstance(origin, str | None) else json.dumps(origin).replace("{here}", str(tmp_path))
    found = SimpleNamespace(read_text={"direct_url.json": text}.get)
    monkeypatch.setattr(importlib.metadata, "distribution", {"wecom-logging": found}.__getitem__)
    assert with_extra("redis") == install.replace("{here}", str(tmp_path))


def test_without_an_installation_it_is_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "distribution", missing)
    assert with_extra("redis") == "'wecom-logging[redis]'"
