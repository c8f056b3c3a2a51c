"""What the workflows promise and no linter knows: pinned actions, few rights, the Pythons that the package names."""

from __future__ import annotations

import itertools
import os
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from .programs import ROOT

WORKFLOWS = {path.stem: path.read_text(encoding="utf-8") for path in (ROOT / ".github" / "workflows").glob("*.yml")}


def jobs(name: str) -> dict[str, Any]:
    return yaml.safe_load(WORKFLOWS[name])["jobs"]


def test_actions_are_pinned_and_may_only_read() -> None:
    assert WORKFLOWS.keys() == {"tests", "release", "tomorrow"}
    for text in WORKFLOWS.values():
        assert yaml.safe_load(text)["permissions"] == {"contents": "read"}
        used = re.findall(r"uses: (?!\./)(.*)", text)
        assert used
        assert [one for one in used if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v[\d.]+", one)] == []


def test_tests_and_documents_are_made_of_known_versions_and_once_a_week_of_the_newest() -> None:
    for name, text in WORKFLOWS.items():
        installs = re.findall(r"python -m pip install (.*)", text)
        assert {"-c .ci/constraints.txt" in given for given in installs} == {name != "tomorrow"}, name


def test_all_that_is_needed_has_one_known_version() -> None:
    lines = (ROOT / ".ci" / "constraints.txt").read_text(encoding="utf-8").splitlines()
    known = {canonicalize_name(one.name): one.specifier for one in map(Requirement, lines)}
    assert [line for line in lines if not re.fullmatch(r"[a-z0-9-]+==[\w.]+( ; .*)?", line)] == []
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    tools = [line for line in (ROOT / ".ci" / "tools.in").read_text().splitlines() if not line.startswith("#")]
    wanted = itertools.chain(project["dependencies"], tools, *project["optional-dependencies"].values())
    for one in map(Requirement, wanted):
        if one.name != "wecom-logging":
            (pin,) = known[canonicalize_name(one.name)]
            assert one.specifier.contains(pin.version), f"make .ci/constraints.txt anew (CONTRIBUTING.md): {one}"


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
    assert f"]({here}/raw/v1.0.0/docs/pictures/alert.png)" in after
    of_a_clone, of_a_release = before.splitlines(), re.sub(rf"{here}/(raw|blob)/v1\.0\.0/", "", after).splitlines()
    assert [line for line in of_a_release if line not in of_a_clone] == [
        next(line for line in of_a_clone if "in a clone" in line).replace("in a clone, ", ""),
        next(line for line in of_a_clone if line.endswith("demo")).replace("-e '.[s", "'wecom-logging[s"),
        next(line for line in of_a_clone if "the path of the clone" in line).replace(
            "`pip install` the path of the clone. A released version needs", "`pip install wecom-logging`."
        ),
        next(line for line in of_a_clone if line.startswith("no clone: ")).partition("`-e '.[sandbox]'`. ")[2],
    ]
    assert "clone" not in after.partition("## What it promises")[0]
