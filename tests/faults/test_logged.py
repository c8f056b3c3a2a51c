"""Secrets in all forms of `tests/logged.py`, through every way by which a text leaves the program or is kept."""

from __future__ import annotations

import asyncio
import importlib
import logging
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from wecom_logging import WeComBotHandler, WeComHandler, notify_on_exception
from wecom_logging._sandbox import Sandbox
from wecom_logging.integrations import asgi, wsgi
from wecom_logging.integrations import flask as flask_integration
from wecom_logging.testing import CapturedAlerts, capture_alerts

from .. import logged
from ..programs import run
from ..sweep import files
from ..valkey_server import Server

APP = {"corp_id": "ww1", "agent_id": 1, "secret": "Qx7" * 11, "users": "bob", "rate_limit": None}
BOT = {"webhook": "693a91f6-7aa1-4bc4-97a0-0ec25fa15a37", "rate_limit": None}


def parts(number: int = 12) -> list[str]:
    """All texts, in as many as fit into a message each."""
    return ["\n".join(logged.TEXTS[start : start + number]) for start in range(0, len(logged.TEXTS), number)]


def shows_none(texts: list[str], least: int = 1) -> None:
    assert len(texts) >= least
    for text in texts:
        assert "canary" not in text, text[max(text.find("canary") - 300, 0) :][:400]


def shown(alerts: CapturedAlerts) -> list[str]:
    return [alert.text + alert.attachment.decode("utf-8", "replace") for alert in alerts]


class Failed(Exception):
    pass


@pytest.fixture
def alerts() -> Iterator[CapturedAlerts]:
    handler = WeComHandler(**APP)
    logging.getLogger("shop").addHandler(handler)
    with capture_alerts() as found:
        yield found
    logging.getLogger("shop").removeHandler(handler)
    handler.close()


@pytest.mark.slow
@pytest.mark.case("C17")
@pytest.mark.parametrize("overflow", ["trim", "file"])
@pytest.mark.parametrize(
    "make", [lambda **more: WeComHandler(**APP, **more), lambda **more: WeComBotHandler(**BOT, **more)]
)
def test_messages_and_files(make: Callable[..., logging.Handler], overflow: str) -> None:
    handler, logger = make(overflow=overflow), logging.Logger("shop")
    logger.addHandler(handler)
    with capture_alerts() as found:
        for number, text in enumerate([*logged.TEXTS, *parts(40)]):
            logger.error("%s", text, extra={"wecom": {"fingerprint": str(number), "fields": {"seen": text}}})
        try:
            raise Failed("\n".join(logged.TEXTS[:20])) from Failed("\n".join(logged.TEXTS[20:]))
        except Failed:
            logger.exception("all of them")
        shows_none(shown(found))
    handler.close()


@contextmanager
def kept_in(state: str) -> Iterator[None]:
    """All texts are logged while nothing answers, so that they stay there; at the end WeCom is back, and takes them."""
    with Sandbox() as wecom:
        port, at = int(wecom.url.rpartition(":")[2]), wecom.environment
    handler = WeComHandler(
        corp_id=at["WECOM_CORP_ID"],
        agent_id=int(at["WECOM_AGENT_ID"]),
        secret=at["WECOM_SECRET"],
        users=at["WECOM_USERS"],
        api_base=at["WECOM_API_BASE"],
        rate_limit=None,
        state=state,
    )
    logger = logging.Logger("shop")
    logger.addHandler(handler)
    for text in logged.TEXTS:
        logger.error("%s", text)
    handler.flush(1.0)
    try:
        yield
    finally:
        with Sandbox(port=port) as wecom:
            assert handler.flush(60)
            handler.close()
            shows_none([str(wecom.messages())])


@pytest.mark.case("C17")
def test_the_files_of_a_state(tmp_path: Path) -> None:
    with kept_in(f"sqlite:///{tmp_path}/alerts.db"):
        kept = [content for _, content in files(tmp_path)]
        shows_none(kept)
        assert any("***" in content for content in kept)


@pytest.mark.case("C17")
def test_a_shared_server() -> None:
    server = Server()
    try:
        with kept_in(server.url):
            client = server.client()
            shows_none([repr(client.dump(key)) for key in client.scan_iter()])
    finally:
        server.close()


@pytest.mark.case("C17")
def test_the_command_run(sandbox: Sandbox, tmp_path: Path) -> None:
    program = tmp_path / "job.py"
    program.write_text(f"import sys\nsys.stderr.write({logged.PYTHON[0]!r})\nraise SystemExit({parts(20)[-1]!r})\n")
    ended = subprocess.run(
        [sys.executable, "-m", "wecom_logging._cli", "run", "--service", "job", "--", sys.executable, str(program)],
        env={**sandbox.environment, "PATH": "/usr/bin:/bin"},
        capture_output=True,
        timeout=60,
        check=False,
    )
    program.unlink()
    assert ended.returncode == 1
    shows_none([message["content"] for message in sandbox.messages() if "content" in message])


@pytest.mark.case("C17")
@pytest.mark.shows_secrets  # Python itself prints an exception that nobody catches
def test_hooks(sandbox: Sandbox) -> None:
    code = f"""
import threading
from wecom_logging import WeComHandler, install_hooks
handler = WeComHandler()
install_hooks()
def fails(text):
    raise ValueError(text)
for text in {parts(30)!r}:
    thread = threading.Thread(target=fails, args=[text])
    thread.start()
    thread.join()
fails({parts(30)[0]!r})
"""
    run(code, url=sandbox.url)
    shows_none([message["content"] for message in sandbox.messages() if "content" in message])


@pytest.mark.case("C17")
@pytest.mark.parametrize("flask", [None, pytest.param("flask", marks=pytest.mark.others)])
def test_decorators_and_integrations(alerts: CapturedAlerts, flask: str | None) -> None:
    def fails(*_: Any) -> Any:
        raise Failed(next(texts))

    def all_in(call: Callable[[], object]) -> None:
        nonlocal texts
        texts = iter(parts(30))
        for _ in parts(30):
            with pytest.raises(Failed):
                call()

    texts: Iterator[str] = iter(())
    all_in(notify_on_exception(fails))
    all_in(lambda: wsgi.WeComMiddleware(fails)({"REQUEST_METHOD": "GET", "PATH_INFO": "/pay"}, None))

    async def web(scope: Any, receive: Any, send: Any) -> None:
        fails()

    scope = {"type": "http", "method": "GET", "path": "/pay", "headers": []}
    all_in(lambda: asyncio.run(asgi.WeComMiddleware(web)(scope, None, None)))
    if flask is not None:
        app = importlib.import_module(flask).Flask("shop")
        app.add_url_rule("/pay", view_func=fails, endpoint="pay")
        app.testing = True
        flask_integration.init_app(app)
        all_in(lambda: app.test_client().get("/pay"))
    shows_none(shown(alerts), 5)
