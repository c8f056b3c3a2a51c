"""What integrations say at their start: a framework that is missing or too old, and a handler that is not there."""

from __future__ import annotations

import re
import tomllib

import pytest

from tests.programs import ROOT, run

STARTS = {
    "APScheduler": (
        "from apscheduler.schedulers.background import BackgroundScheduler as Scheduler\n"
        "from wecom_logging.integrations.apscheduler import listen",
        "listen(Scheduler(timezone='UTC'), handler={})",
    ),
    "celery": (
        "from celery import signals\nfrom wecom_logging.integrations.celery import connect",
        "connect({}); signals.celeryd_after_setup.send(sender='a worker')",
    ),
    "Django": (
        "import django\nfrom django.conf import settings\nours = ['wecom_logging.integrations.django']",
        "settings.configure(LOGGING_CONFIG=None, INSTALLED_APPS=ours, WECOM_HANDLER={}); django.setup()",
    ),
    "dramatiq": ("", "from wecom_logging.integrations.dramatiq import WeComMiddleware; WeComMiddleware({})"),
    "Flask": (
        "import flask\nfrom wecom_logging.integrations.flask import init_app",
        "init_app(flask.Flask('shop'), handler={})",
    ),
    "ipython": (
        "from IPython.core.interactiveshell import InteractiveShell\nshell = InteractiveShell.instance()",
        "shell.extension_manager.load_extension('wecom_logging.integrations.jupyter')",
    ),
    "loguru": ("from wecom_logging.integrations.loguru import WeComSink", "WeComSink({})"),
    "rq": ("", "from wecom_logging.integrations.rq import WeComExceptionHandler; WeComExceptionHandler({})"),
    "Scrapy": (
        "import scrapy\nfrom scrapy.crawler import Crawler\n"
        "from wecom_logging.integrations.scrapy import WeComExtension",
        "WeComExtension(Crawler(scrapy.Spider, {{'WECOM_HANDLER': {}}}))",
    ),
    "structlog": ("from wecom_logging.integrations.structlog import WeComProcessor", "WeComProcessor({})"),
}
PROMETHEUS = ("from wecom_logging.integrations.prometheus import WeComCollector", "WeComCollector()")  # tells nobody
NO_FRAMEWORK = {
    "wsgi": ("from wecom_logging.integrations.wsgi import WeComMiddleware", "WeComMiddleware(None, handler={})"),
    "asgi": (
        "import asyncio\nfrom wecom_logging.integrations.asgi import WeComMiddleware\nasync def app(*_): pass",
        "inner = WeComMiddleware(app, handler={})\n"
        "asyncio.run(inner({{'type': 'lifespan'}}, None, None)); print('lifespan', flush=True, file=sys.stderr)\n"
        "asyncio.run(inner({{'type': 'http'}}, None, None)); asyncio.run(inner({{'type': 'http'}}, None, None))",
    ),
}
OLD = """
from importlib import metadata
import sys
real = metadata.version
def version(name):
    return {version!r} if name == {name!r} else real(name)
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", [*STARTS, "prometheus-client"])
@pytest.mark.parametrize("version", ["0.0.9", None])
def test_a_framework_that_is_too_old_or_missing_is_an_error_at_start(name: str, version: str | None) -> None:
    """Only what the metadata say is changed: old versions cannot all be installed beside the new ones."""
    prepare, start = STARTS.get(name, PROMETHEUS)
    missing = (
        f"def version(name):\n    if name == {name!r}: raise metadata.PackageNotFoundError\n    return real(name)\n"
    )
    code = OLD.format(version=version, name=name) + (missing if version is None else "")
    ended = run(
        f"{code}\n{prepare}\nmetadata.version = version\nfrom wecom_logging.errors import ConfigurationError\n"
        f"try:\n    {start.format(None)}\nexcept ConfigurationError as error:\n    print(error)\n"
    )
    assert ended.status == 0, ended.err
    said = "version 0.0.9 is too old" if version else "it is not installed"
    assert ended.out.startswith(f"{name}: {said}; pip install '{name}>=")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "handler"), [*((name, None) for name in (*STARTS, *NO_FRAMEWORK)), ("Flask", "alerts"), ("asgi", "alerts")]
)
def test_no_handler_is_one_line_at_start(name: str, handler: str | None) -> None:
    prepare, start = {**STARTS, **NO_FRAMEWORK}[name]
    ended = run(f"import sys\n{prepare}\n{start.format(repr(handler))}")
    assert ended.status == 0, ended.err
    missing = "there is no handler named 'alerts'" if handler else "no WeCom handler is set up"
    who = {"ipython": "jupyter"}.get(name, name.lower())
    *before, said = [line for line in ended.err.splitlines() if line.startswith(("wecom_logging:", "lifespan"))]
    assert said == f"wecom_logging: {who}: {missing} so far; until there is one, nothing is sent"
    assert before == (["lifespan"] if name == "asgi" else [])


@pytest.mark.parametrize(
    "log_config", ["None", "uvicorn.config.LOGGING_CONFIG", "{**LOGGING_CONFIG, 'root': {'handlers': []}}"]
)
def test_a_handler_that_a_config_has_taken_away_is_one_line_at_start(log_config: str) -> None:
    ended = run(
        "import gc, logging, uvicorn\nfrom uvicorn.config import LOGGING_CONFIG\n"
        "from wecom_logging import WeComHandler\nfrom wecom_logging._telling import Teller\n"
        "logging.getLogger().addHandler(WeComHandler(enabled=False))\n"
        f"uvicorn.Config(None, log_config={log_config})\ngc.collect()\nTeller(None, 'asgi').at_start()\n"
    )
    assert ended.status == 0, ended.err
    assert ("asgi: every WeCom handler is closed (" in ended.err) is ("root" in log_config)
    assert len(ended.err.splitlines()) == ("root" in log_config)


@pytest.mark.slow
@pytest.mark.parametrize("name", [*STARTS, *NO_FRAMEWORK])
def test_a_handler_that_is_there_is_no_line(name: str) -> None:
    prepare, start = {**STARTS, **NO_FRAMEWORK}[name]
    made = "import wecom_logging; one = wecom_logging.WeComHandler(enabled=False); one.set_name('alerts')"
    ended = run(f"import sys\n{prepare}\n{made}\n{start.format(repr('alerts'))}")
    assert ended.status == 0, ended.err
    assert "wecom_logging:" not in ended.err


def test_without_its_framework_each_integration_is_an_import_error() -> None:
    """An interpreter that has nothing but the package: no framework can be imported."""
    uses = {
        "airflow": "pass",
        "apscheduler": "it.listen(None)",
        "celery": "it.connect()",
        "django": "pass",
        "dramatiq": "pass",
        "flask": "it.init_app(None)",
        "gunicorn": "pass",
        "jupyter": "it.load_ipython_extension(None)",
        "loguru": "it.WeComSink()",
        "prometheus": "it.WeComCollector()",
        "rq": "pass",
        "scrapy": "it.WeComExtension(None)",
        "structlog": "it.WeComProcessor()",
    }
    folder = ROOT / "wecom_logging" / "integrations"
    every = {path.stem for path in folder.iterdir() if path.stem[0] != "_"}
    assert every - {"asgi", "wsgi", "pytest"} == set(uses)  # these need nothing
    ended = run(
        f"""
        from importlib import import_module
        from wecom_logging.errors import MissingDependencyError
        for name, use in {uses!r}.items():
            try:
                it = import_module("wecom_logging.integrations." + name)
                exec(use)
            except ImportError as error:
                print(name, isinstance(error, MissingDependencyError), "pip install" in str(error))
        """,
        args=("-S",),
    )
    assert (ended.status, ended.err) == (0, "")
    assert ended.out.splitlines() == [f"{name} True True" for name in uses]


def test_a_notifier_without_airflow_says_what_to_install() -> None:
    ended = run("import wecom_logging.integrations.airflow")
    assert ended.status == 1
    assert ended.err.endswith("apache-airflow: it is not installed; pip install 'apache-airflow>=3.3'\n")


def test_the_lowest_versions_are_those_of_the_extra() -> None:
    bounds = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    asked: dict[str, set[str]] = {}
    for path in (ROOT / "wecom_logging" / "integrations").rglob("*.py"):
        for version, name in re.findall(r'need\("[\w.]+", "([\d.]+)", "([\w-]+)"\)', path.read_text(encoding="utf-8")):
            asked.setdefault(name, set()).add(f"{name}>={version}")
    assert asked.pop("apache-airflow") == {"apache-airflow>=3.3"}  # .ci/run_airflow alone installs it
    frameworks = {bound.partition(",")[0] for bound in bounds["frameworks"]}
    assert {bound for several in asked.values() for bound in several} <= frameworks
    assert len(asked) >= 10
