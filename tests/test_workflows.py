"""What the workflows promise and no linter knows: pinned actions, few rights, the Pythons that the package names."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import yaml

from .programs import ROOT

WORKFLOWS = {path.stem: path.read_text(encoding="utf-8") for path in (ROOT / ".github" / "workflows").glob("*.yml")}


def jobs(name: str) -> dict[str, Any]:
    return yaml.safe_load(WORKFLOWS[name])["jobs"]


def test_actions_are_pinned_and_may_only_read() -> None:
    assert WORKFLOWS.keys() == {"tests", "release"}
    for text in WORKFLOWS.values():
        assert yaml.safe_load(text)["permissions"] == {"contents": "read"}
        used = re.findall(r"uses: (?!\./)(.*)", text)
        assert used
        assert [one for one in used if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v[\d.]+", one)] == []


def test_only_the_job_that_publishes_has_an_identity() -> None:
    rights = {name: job.get("permissions") for name, job in jobs("release").items()}
    assert rights == {"tests": None, "build": None, "publish": {"id-token": "write"}}
    assert jobs("release")["publish"]["needs"] == ["tests", "build"]
    assert jobs("release")["publish"]["environment"] == "pypi"


def test_the_pythons_that_the_package_names_are_tried() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = {found[1] for one in project["classifiers"] if (found := re.fullmatch(r".*Python :: (3\.\d+)", one))}
    tried = jobs("tests")["quick"]["strategy"]["matrix"]["python"]
    assert named <= set(tried)
    assert f">={tried[0]}" == project["requires-python"]


def test_on_the_package_index_the_links_of_the_readme_lead_to_the_repository(tmp_path: Path) -> None:
    (step,) = (one for one in jobs("release")["build"]["steps"] if "README" in one.get("name", ""))
    readme = tmp_path / "README.md"
    before = (ROOT / "README.md").read_text(encoding="utf-8")
    readme.write_text(before, encoding="utf-8")
    known = {"GITHUB_SERVER_URL": "https://git.test", "GITHUB_REPOSITORY": "us/it", "GITHUB_REF_NAME": "v1.0.0"}
    subprocess.run(["bash", "-euc", step["run"]], cwd=tmp_path, env={**os.environ, **known}, check=True)
    after = readme.read_text(encoding="utf-8")
    links, here = re.findall(r"\]\(([^)]*)\)", after), "https://git.test/us/it"
    assert [link for link in links if not link.startswith((f"{here}/raw/v1.0.0/", f"{here}/blob/v1.0.0/"))] == []
    assert f"]({here}/raw/v1.0.0/docs/pictures/demo.png)" in after
    assert re.sub(rf"{here}/(raw|blob)/v1\.0\.0/", "", after) == before
