"""The heartbeat: a URL is asked while the state answers and sending works, and never shows."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from wecom_logging._delivery import heartbeat
from wecom_logging._delivery.heartbeat import BEAT_S
from wecom_logging._runtime import clock
from wecom_logging._sandbox import Sandbox
from wecom_logging.errors import ConfigurationError, StateError

from ..programs import app_handler


def soon(is_so: Callable[[], Any]) -> bool:
    ends = time.monotonic() + 20
    while not is_so() and time.monotonic() < ends:
        time.sleep(0.01)
    return bool(is_so())


def turn(handler: Any) -> None:
    """Its worker has made a turn."""
    pipeline = handler._pipeline
    made = list[object]()
    run = pipeline.turn
    pipeline.turn = lambda: (run(), made.append(None))[0]
    pipeline.look()
    assert soon(lambda: made)
    del pipeline.turn


def test_it_is_asked_once_a_minute_also_where_nothing_is_logged(
    sandbox: Sandbox, beats: list[str], beat_url: str
) -> None:
    handler = app_handler(sandbox.url, heartbeat_url=beat_url)
    assert soon(lambda: beats == ["/ping/canary-5f2"])
    turn(handler)
    assert len(beats) == 1
    clock.advance(BEAT_S)
    turn(handler)
    assert len(beats) == 2
    handler.close()


def test_it_is_not_asked_while_the_state_is_away(
    sandbox: Sandbox, beats: list[str], beat_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    handler = app_handler(sandbox.url, heartbeat_url=beat_url, state=f"sqlite://{tmp_path}/alerts.db")
    assert soon(lambda: len(beats) == 1)
    assert handler._pipeline is not None
    shared = handler._pipeline.options.shared
    store = shared._opened()

    def away(*_: object, **__: object) -> Any:
        raise StateError("the state is away")

    step = store.step
    monkeypatch.setattr(store, "step", away)
    clock.advance(BEAT_S)
    turn(handler)
    assert not shared.is_well
    assert len(beats) == 1
    monkeypatch.setattr(store, "step", step)
    monkeypatch.setattr(shared, "_back_off_until", 0.0)
    turn(handler)
    turn(handler)
    assert len(beats) == 2
    handler.close()


def test_it_is_not_asked_while_sending_fails(sandbox: Sandbox, beats: list[str], beat_url: str) -> None:
    sandbox.add_fault({"path": "/cgi-bin/gettoken", "status": 503, "times": 99})
    handler = app_handler(sandbox.url, heartbeat_url=beat_url)
    assert soon(lambda: len(beats) == 1)
    handler.handle(handler_record())
    assert not handler.flush(1.0)
    clock.advance(BEAT_S / 2)  # not so long that it is tried again
    pipeline: Any = handler._pipeline
    pipeline.leader.senders._senders[0].back_off_until = clock.now() + 2 * BEAT_S
    clock.advance(BEAT_S)
    turn(handler)
    assert len(beats) == 1
    handler.close()


def handler_record() -> Any:
    import logging

    return logging.LogRecord("shop", logging.ERROR, "/srv/app/pay.py", 1, "the disk is full", None, None)


def test_a_service_that_does_not_answer_well_is_one_line_without_the_url(
    sandbox: Sandbox, beat_url: str, beats: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    handler = app_handler(sandbox.url, heartbeat_url=f"{beat_url}/lost")
    assert soon(lambda: beats)
    said = ""

    def read() -> str:
        nonlocal said
        said += capsys.readouterr().err
        return said

    assert soon(lambda: "\n" in read())
    assert said == "wecom_logging: WeComHandler: the heartbeat did not get through: HTTP 404\n"
    handler.handle(handler_record())
    assert handler.flush(20)
    handler.close()


def test_nobody_listens_is_said_with_the_host_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WECOM_LANGUAGE", "zh")
    said: list[str] = []
    url = heartbeat.Secret("http://127.0.0.1:1/ping/canary-5f2")
    heartbeat.Heartbeat(url, lambda cause, text: said.append(text)).turn(0.0)
    assert said == ["心跳请求失败：无法连接 127.0.0.1（连接被拒绝）：请检查 heartbeat_url、防火墙和 HTTPS_PROXY"]


def test_the_url_is_a_secret_in_every_message(sandbox: Sandbox, beat_url: str) -> None:
    handler = app_handler(sandbox.url, heartbeat_url=beat_url)
    record = handler_record()
    record.msg = f"who has {beat_url} can say that all is well"
    handler.handle(record)
    assert handler.flush(20)
    (message,) = sandbox.messages()
    assert "canary" not in str(message["content"])
    handler.close()


@pytest.mark.parametrize("value", ["hc-ping.com/x", "ftp://hc-ping.com/canary", "", "https://", 5, "http://[canary"])
def test_what_is_no_url_is_refused_without_a_word_of_it(sandbox: Sandbox, value: Any) -> None:
    with pytest.raises(ConfigurationError) as raised:
        app_handler(sandbox.url, heartbeat_url=value)
    assert raised.value.field == "heartbeat_url"
    assert "canary" not in str(raised.value)


def test_the_variable_and_its_file_are_read(
    sandbox: Sandbox, beats: list[str], beat_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "url").write_text(beat_url)
    monkeypatch.setenv("WECOM_HEARTBEAT_URL_FILE", f"{tmp_path}/url")
    handler = app_handler(sandbox.url)
    assert soon(lambda: beats)
    handler.close()
