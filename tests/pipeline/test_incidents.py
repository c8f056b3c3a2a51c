"""What is open, as a program reads it: `handler.incidents()`, of this process or of all who share a state."""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.programs import app_handler, run, until
from wecom_logging._sandbox import Sandbox
from wecom_logging.handlers import AlertHandler
from wecom_logging.model import IncidentView


@pytest.fixture(params=["memory", "sqlite"])
def handler(request: pytest.FixtureRequest, sandbox: Sandbox, tmp_path: Path) -> Iterator[AlertHandler]:
    state = "memory://" if request.param == "memory" else f"sqlite://{tmp_path}/alerts.db"
    made = app_handler(sandbox.url, state=state, rate_limit=None)
    yield made
    made.close()


def log(handler: AlertHandler, text: str, level: int = logging.ERROR, line: int = 7) -> None:
    record = logging.LogRecord("shop.pay", level, "/srv/app/pay.py", line, text, None, None, "charge")
    handler.handle(record)


def test_what_is_open_says_what_its_messages_say(handler: AlertHandler, sandbox: Sandbox) -> None:
    began = time.time()
    assert handler.incidents() == []
    log(handler, "the disk of atlas is full\nmore")
    assert handler.flush(30)
    time_of_first = time.time()
    for _ in range(4):
        log(handler, "the disk of atlas is full\nmore")
    assert handler.flush(30)
    log(handler, "the roof is on fire", logging.CRITICAL, 8)
    assert handler.flush(30)
    fire, disk = handler.incidents()
    assert isinstance(disk, IncidentView)
    assert (disk.level, disk.level_name, disk.logger, disk.text) == (
        40,
        "ERROR",
        "shop.pay",
        "the disk of atlas is full",
    )
    assert (disk.count, disk.told, disk.messages, disk.hosts, disk.processes) == (5, 5, 2, 1, 1)
    assert (fire.level_name, fire.count, fire.told, fire.messages) == ("CRITICAL", 1, 1, 1)
    assert (disk.place.line, disk.place.name, disk.place.file.endswith("pay.py")) == (7, "charge", True)
    assert began <= disk.since <= time_of_first <= disk.last <= fire.since == fire.last <= time.time()
    texts = [message["content"] for message in sandbox.messages()]
    assert [re.findall(r" #([0-9a-z]{4,})\n", text) for text in texts] == [
        *([disk.short_id], [disk.short_id], [fire.short_id])
    ]
    assert disk.short_id != fire.short_id


def test_what_could_not_be_sent_is_open_too(handler: AlertHandler, sandbox: Sandbox) -> None:
    sandbox.add_fault({"path": "/cgi-bin/message/send", "status": 503, "times": 99})
    log(handler, "the disk of atlas is full")
    assert not handler.flush(1.0)
    (disk,) = handler.incidents()
    assert (disk.count, disk.told, disk.messages) == (1, 0, 0)
    assert re.fullmatch("[0-9a-hjkmnp-tv-z]{4}", disk.short_id)


def test_a_secret_does_not_show_there(handler: AlertHandler) -> None:
    log(handler, "login failed with password=canary-77")
    assert handler.flush(30)
    (view,) = handler.incidents()
    assert view.text.startswith("login failed with password=")
    assert "canary" not in repr(view)


@pytest.mark.slow
def test_processes_that_share_a_state_see_the_same(sandbox: Sandbox, tmp_path: Path) -> None:
    url = f"sqlite://{tmp_path}/alerts.db"
    program = """
    import json, logging
    from wecom_logging import WeComHandler
    handler = WeComHandler(rate_limit=None)
    logging.getLogger("shop").addHandler(handler)
    logging.getLogger("shop").error("the disk of atlas is full")
    handler.flush(30)
    print(json.dumps([[one.short_id, one.count, one.processes, one.text] for one in handler.incidents()]))
    """
    shown = [json.loads(run(program, url=sandbox.url, WECOM_STATE=url).out) for _ in range(2)]
    short_id = shown[0][0][0]
    assert shown[0] == [[short_id, 1, 1, "the disk of atlas is full"]]
    assert shown[1] == [[short_id, 2, 2, "the disk of atlas is full"]]
    assert f" #{short_id}\n" in sandbox.messages()[0]["content"]


def test_who_has_no_incidents_has_none(sandbox: Sandbox) -> None:
    off = app_handler(sandbox.url, enabled=False)
    off.handle(logging.makeLogRecord({"msg": "lost"}))
    assert off.incidents() == []
    on = app_handler(sandbox.url)
    log(on, "the disk of atlas is full")
    assert on.flush(30)
    assert len(on.incidents()) == 1
    on.forget_incidents()
    assert on.incidents() == []


def test_a_shared_store_has_what_the_options_say(sandbox: Sandbox, tmp_path: Path) -> None:
    """An incident gets there from the process's memory, whose counts are made in another place."""
    handler = app_handler(sandbox.url, state=f"sqlite://{tmp_path}/alerts.db", window=120.0)
    log(handler, "the disk is full")
    assert handler.flush(30)
    pipeline = handler._pipeline
    assert pipeline is not None
    rows = pipeline.options.shared.call(lambda store: store.open(pipeline.channel_id, 9))
    assert [one.window_s for one in rows] == [120.0]
    handler.close()


@pytest.mark.parametrize("state", ["memory://", "sqlite://{}/alerts.db"])
def test_two_handlers_of_two_services_have_two_incidents_of_what_fails_alike(
    sandbox: Sandbox, tmp_path: Path, state: str
) -> None:
    handlers = [
        app_handler(sandbox.url, state=state.format(tmp_path), rate_limit=None, service=service)
        for service in ("shop-eu", "shop-cn")
    ]
    for handler in handlers:
        log(handler, "the disk is full")
        assert handler.flush(30)
    ids = {one.short_id for handler in handlers for one in handler.incidents()}
    titles = [message["content"].partition("\n")[0] for message in sandbox.messages()]
    assert [re.findall(r"shop-\w\w", title) for title in titles] == [["shop-eu"], ["shop-cn"]]
    assert len(ids) == len({one[:4] for one in ids}) == 2
    for handler in handlers:
        handler.close()


def test_nor_are_they_one_where_both_have_the_same_fallback(sandbox: Sandbox) -> None:
    both = app_handler(sandbox.url, rate_limit=None)
    for service in ("shop-eu", "shop-cn"):
        refused = app_handler(sandbox.url, users=["nobody"], rate_limit=None, service=service, fallback=both)
        log(refused, "the disk is full")
        until(lambda one=refused: one.stats().handed_over == 1)
        refused.close()
    assert both.flush(30)
    told = [message["content"] for message in sandbox.messages()]
    assert len({found[0][:5] for text in told if (found := re.search(r"#\w{4,12}", text))}) == len(told) == 2
    both.close()
