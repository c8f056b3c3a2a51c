"""What docs/sandbox.md and examples/servers/compose.yaml say: it is run as far as it can be without their runners."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from wecom_logging._sandbox import Sandbox

from ..programs import ROOT, until

PAGE = (ROOT / "docs" / "sandbox.md").read_text(encoding="utf-8")
COMPOSE = yaml.safe_load((ROOT / "examples" / "servers" / "compose.yaml").read_text(encoding="utf-8"))
JOB = """
import logging
from wecom_logging import WeComHandler
handler = WeComHandler()
logging.getLogger().addHandler(handler)
logging.getLogger("shop").error("disk full on atlas")
"""


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


@contextmanager
def ended(process: subprocess.Popen[bytes]) -> Iterator[None]:
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)


def github() -> tuple[dict[str, str], list[str]]:
    (job,) = yaml.safe_load(blocks("yaml")[1])["jobs"].values()
    return job["env"], [step["run"] for step in job["steps"] if "run" in step]


def gitlab() -> tuple[dict[str, str], list[str]]:
    job = yaml.safe_load(blocks("yaml")[2])["alerts"]
    return job["variables"], job["script"]


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
@pytest.mark.parametrize("recipe", [github, gitlab])
def test_a_recipe_for_ci_finds_the_alert(recipe: Any, tmp_path: Path) -> None:
    """With its own port, and with the package as it is here."""
    variables, steps = recipe()
    port = str(free_port())
    (tmp_path / "job.py").write_text(JOB, encoding="utf-8")
    installs = [step for step in steps if step.startswith("pip install")]
    assert installs == ["pip install 'wecom-logging[sandbox]'"]
    script = "\n".join(step for step in steps if step not in installs).replace("8765", port)
    script = script.replace("sandbox.log", os.devnull)  # which has its secrets
    clean = {name: value for name, value in os.environ.items() if not name.startswith("WECOM_")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{clean['PATH']}"
    env = {**clean, "PATH": path, **{name: value.replace("8765", port) for name, value in variables.items()}}
    command = ["bash", "-e", "-c", f"trap 'kill $(jobs -p)' EXIT\n{script}"]
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 0, done.stderr
    assert '"status": "ok"' in done.stdout
    assert "disk full on atlas" in done.stdout


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
def test_the_curl_lines_of_the_page_work() -> None:
    (lines,) = [block for block in blocks("sh") if "curl" in block]
    with Sandbox() as sandbox:
        script = lines.replace("http://127.0.0.1:8765", sandbox.url)
        done = subprocess.run(["bash", "-e", "-c", script], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        assert done.stdout.count('"content": "disk full"') == 6  # of each of three messages, and in its body
        assert sandbox.messages() == []


@pytest.mark.skipif(not shutil.which("node"), reason="node is not installed")
def test_the_program_of_the_page_for_node_works() -> None:
    (code,) = blocks("js")
    with Sandbox() as sandbox:
        command = ["node", "--input-type=module", "-e", code.replace("http://127.0.0.1:8765", sandbox.url)]
        env = {**os.environ, "NO_PROXY": "127.0.0.1"}
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        assert [message["content"] for message in sandbox.messages()] == ["disk full"]


def test_the_seeds_of_the_page_can_be_planted() -> None:
    with Sandbox() as sandbox:
        sandbox.seed(yaml.safe_load(blocks("yaml")[0]))
        assert [row["name"] for row in sandbox.members()] == ["沙箱用户", "张三"]
        assert sandbox.departments()[1]["department_leader"] == ["zhangsan"]


@pytest.mark.slow
@pytest.mark.parametrize("code", blocks("python"), ids=["app", "AI bot"])
def test_the_programs_of_the_page_run(code: str) -> None:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("WECOM_")}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], env=clean, capture_output=True, text=True, timeout=150, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_the_services_of_the_compose_file_fit_together() -> None:
    sandbox, shop = COMPOSE["services"]["wecom"], COMPOSE["services"]["shop"]
    port = free_port()
    arguments = re.search(r"exec wecom-logging (.*)\"", sandbox["command"])
    assert arguments is not None
    assert sandbox["hostname"] == "wecom"
    assert shop["environment"]["WECOM_API_BASE"] == "http://wecom:8765"
    command = [sys.executable, "-m", "wecom_logging._cli", *arguments[1].replace("8765", str(port)).split()]
    url = f"http://127.0.0.1:{port}"
    quiet = subprocess.DEVNULL
    settings = {**os.environ, **sandbox["environment"]}
    with ended(subprocess.Popen(command, stdout=quiet, stderr=quiet, env=settings)):
        check = [part.replace("8765", str(port)) for part in sandbox["healthcheck"]["test"][1:]]
        check[0] = sys.executable
        until(lambda: subprocess.run(check, capture_output=True, check=False).returncode == 0)
        env = {**os.environ, **shop["environment"], "WECOM_API_BASE": url}
        sent = [sys.executable, "-m", "wecom_logging._cli", "send", "the shop is up"]
        subprocess.run(sent, env=env, check=True, capture_output=True, timeout=60)
        token = {"Authorization": f"Bearer {sandbox['environment']['WECOM_SANDBOX_TOKEN']}"}
        found = requests.get(f"{url}/sandbox/wait", params={"contains": "shop"}, headers=token, timeout=30).json()
        assert [message["content"] for message in found] == ["the shop is up"]


def test_the_page_names_each_call_that_is_built(sandbox: Sandbox) -> None:
    paths = {path.removeprefix("/cgi-bin/") for path in sandbox._web._endpoints}
    told = PAGE.partition("the sandbox has not built")[2]
    for path in paths:
        family, _, call = path.partition("/")
        assert f"`{path}`" in told or f"`{family}/…`" in told or (f"`{family}/" in told and f"`{call}`" in told), path
