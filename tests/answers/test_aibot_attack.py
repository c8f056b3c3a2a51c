"""Odd servers, odd frames and odd configurations against an AI bot's handler."""

from __future__ import annotations

import json
import logging
import os
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.server import ServerConnection, serve

from wecom_logging import WeComAIBotHandler, WeComClient
from wecom_logging._cli import main
from wecom_logging._errors_in_chinese import in_chinese
from wecom_logging._sandbox import Sandbox
from wecom_logging._wecom.aibot import KEPT_S, People, upload
from wecom_logging._wecom.long_connection import LongConnection
from wecom_logging.errors import AnswerLostError, BadResponseError, ConnectError, WeComError
from wecom_logging.model import Secret

from ..programs import Clock, until
from ..scripted import ScriptedWeCom, errcode, hold
from ..scripted import ok as answered
from .test_aibot import ME, end, log_to, wecom

__all__ = ["wecom"]  # a fixture

SECRET = "the-secret-of-the-bot-0123"


@contextmanager
def server(talk: Any, **options: Any) -> Iterator[str]:
    """A WebSocket that answers as ``talk(connection)`` does."""
    logging.getLogger("websockets.server").setLevel(logging.CRITICAL)
    with serve(talk, "127.0.0.1", 0, **options) as one:
        thread = threading.Thread(target=one.serve_forever)
        thread.start()
        yield f"ws://127.0.0.1:{one.socket.getsockname()[1]}/"
        one.shutdown()
    thread.join()


@contextmanager
def connection(url: str, **options: Any) -> Iterator[LongConnection]:
    found = LongConnection(url, "bot", Secret(SECRET), **options)
    try:
        yield found
    finally:
        found.close()


def ok(frame: str) -> str:
    return json.dumps({"headers": json.loads(frame)["headers"], "errcode": 0, "errmsg": "ok"})


@pytest.mark.parametrize(
    "noise",
    [
        "{",
        "[1]",
        "7",
        '{"headers": 1}',
        '{"headers": {"req_id": 7}, "errcode": 0}',
        '{"headers": {}, "cmd": "aibot_event_callback", "body": {"event": 1}}',
        '{"headers": {"req_id": "x"}, "cmd": 7, "body": "x"}',
        '{"a":' * 3000 + "1" + "}" * 3000,
        b"\xff\xfe",
    ],
)
def test_frames_that_are_none_change_nothing(noise: Any) -> None:
    def talk(other: ServerConnection) -> None:
        for frame in other:
            other.send(noise)
            other.send(ok(str(frame)))

    with server(talk) as url, connection(url) as ours:
        assert ours.request("aibot_send_msg", {"chatid": ME})["errcode"] == 0


def test_a_text_that_is_no_utf_8_does_not_end_the_connection() -> None:
    def talk(other: ServerConnection) -> None:
        for frame in other:
            other.send(b'{"headers": {"req_id": "\xff"}}', text=True)
            other.send(ok(str(frame)))

    with server(talk) as url, connection(url) as ours:
        assert ours.request("aibot_send_msg", {"chatid": ME})["errcode"] == 0
        assert ours.is_open


LOOK_UP = "/cgi-bin/batch/openuserid_to_userid"
ENCRYPTED = "wo" + "a" * 30


def people(url: str, clock: Clock) -> People:
    return People(WeComClient("wwcorp", Secret(SECRET), api_base=url), lambda cause, text: None, clock)


def test_a_member_who_could_not_be_looked_up_is_looked_up_again() -> None:
    clock = Clock()
    with ScriptedWeCom() as wecom:
        found = people(wecom.url, clock)
        wecom.script(LOOK_UP, errcode(60011), answered(userid_list=[{"open_userid": ENCRYPTED, "userid": "lisi"}]))
        assert [found.plain(ENCRYPTED) for _ in range(3)] == [ENCRYPTED] * 3
        clock.now += 60.0
        assert [found.plain(ENCRYPTED) for _ in range(3)] == ["lisi"] * 3
        assert [request.path for request in wecom.requests].count(LOOK_UP) == 2


GET = "/cgi-bin/user/get"


def test_a_member_has_the_name_that_the_directory_gives_which_is_asked_once_an_hour() -> None:
    clock = Clock()
    with ScriptedWeCom() as wecom:
        found = people(wecom.url, clock)
        wecom.script(
            GET, answered(userid="zhangsan", name="张三"), errcode(60111), answered(userid="zhang3", name="张三")
        )
        assert [found.name("zhangsan") for _ in range(3)] == ["张三"] * 3
        assert [found.name("nobody") for _ in range(3)] == ["nobody"] * 3
        assert found.name("zhang3") == "张三 (zhang3)"
        assert found.name(ENCRYPTED) == ENCRYPTED
        clock.now += KEPT_S
        wecom.script(GET, errcode(-1), errcode(-1), errcode(-1), answered(userid="zhangsan", name="张三丰"))
        assert found.name("zhangsan") == "张三 (zhangsan)"  # as it was called, and another by now
        clock.now += 60.0
        assert found.name("zhangsan") == "张三丰"


@pytest.mark.parametrize("path", ["/cgi-bin/gettoken", LOOK_UP])
def test_a_click_waits_for_a_member_s_name_for_two_seconds_in_all(path: str) -> None:
    with ScriptedWeCom() as wecom:
        wecom.always(path, hold())
        began = time.monotonic()
        assert people(wecom.url, Clock()).plain(ENCRYPTED) == ENCRYPTED
        assert time.monotonic() - began < 4.0  # WeCom gives a click five


@pytest.mark.parametrize("odd", [{}, [1], "x", 7, None, {"upload_id": 7}, {"upload_id": ""}])
def test_an_answer_to_an_upload_that_is_none(odd: Any) -> None:
    def talk(other: ServerConnection) -> None:
        for frame in other:
            other.send(json.dumps({**json.loads(ok(str(frame))), "body": odd}))

    with server(talk) as url, connection(url) as ours, pytest.raises(BadResponseError, match="has no upload_id"):
        upload(ours, "alert.txt", b"the whole alert")


def test_a_redact_that_ends_the_thread_is_said_and_the_connection_goes_on(
    wecom: Sandbox, capfd: pytest.CaptureFixture[str]
) -> None:
    def leave(text: str) -> str:
        if "leave" in text:
            raise SystemExit
        return text

    handler = WeComAIBotHandler(chats=[ME], redact=leave)
    log = log_to(handler)
    log.error("the disk is full")
    assert handler.flush(10)
    wecom.aibot.say(ME, ME, "leave me alone")
    wecom.aibot.say(ME, ME, "list")
    (reply,) = wecom.wait(channel="aibot", msgtype="markdown")
    assert "the disk is full" in reply["content"]
    assert "could not be answered (SystemExit)" in capfd.readouterr().err
    log.error("the disk is empty")
    assert handler.flush(10)
    end(handler)


@pytest.mark.slow
def test_a_server_that_ends_at_once_is_left_alone_for_longer_each_time() -> None:
    connects = []

    def talk(other: ServerConnection) -> None:
        connects.append(time.monotonic())
        other.send(ok(str(other.recv())))

    with server(talk) as url, connection(url, timeout_s=1.0) as ours:
        began, busy = time.monotonic(), time.process_time()
        while time.monotonic() < began + 4:
            with pytest.raises(WeComError):
                ours.request("aibot_send_msg", {"chatid": ME})
            threading.Event().wait(0.2)
        assert len(connects) <= 4
        assert time.process_time() - busy < 2.0


def test_what_was_written_and_not_answered_is_lost_and_shows_no_secret() -> None:
    def talk(other: ServerConnection) -> None:
        other.send(ok(str(other.recv())))
        other.recv()
        other.close()

    with server(talk) as url, connection(url, timeout_s=5.0) as ours:
        with pytest.raises(AnswerLostError) as caught:
            ours.request("aibot_send_msg", {"chatid": ME})
        assert SECRET not in f"{caught.value} {caught.value.__context__} {ours!r} {vars(caught.value)}"


def test_an_errmsg_that_repeats_the_secret() -> None:
    def talk(other: ServerConnection) -> None:
        for frame in other:
            other.send(json.dumps({**json.loads(ok(str(frame))), "errcode": 853000, "errmsg": f"bad {SECRET}"}))

    with server(talk) as url, connection(url) as ours:
        with pytest.raises(WeComError) as caught:
            ours.request("aibot_send_msg", {"chatid": ME})
        assert SECRET not in f"{caught.value} {vars(caught.value)}"


@pytest.mark.parametrize("answer", [None, "{}", '{"headers": {"req_id": "%s"}, "errcode": 853000}'])
def test_what_the_opening_raised_leads_to_no_frame_that_has_the_secret(answer: str | None) -> None:
    def talk(other: ServerConnection) -> None:
        for frame in other:
            if answer is None:
                other.close()
            else:
                other.send(answer.replace("%s", json.loads(frame)["headers"]["req_id"]))

    with server(talk) as url, connection(url, timeout_s=1.0) as ours:
        with pytest.raises(WeComError) as refused:
            ours.request("aibot_send_msg", {"chatid": ME})
        until(lambda: ours.error is not None)
        for error in (refused.value, ours.error):
            assert error is not None
            assert (error.__cause__, error.__context__) == (None, None)
            frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
            assert all(
                SECRET not in repr(frame.f_locals) for frame in frames if "wecom_logging/" in frame.f_code.co_filename
            )


def test_what_a_proxy_wants_in_the_url_is_in_no_state_and_no_output(
    wecom: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url, state = f"{wecom.environment['WECOM_AIBOT_URL']}?token={SECRET}", f"sqlite://{tmp_path}/alerts.db"
    handler = WeComAIBotHandler(chats=[ME], url=url, state=state)
    log_to(handler).error("the disk is full")
    assert handler.flush(10)
    assert main(["--json", "--state", state, "incidents"]) == 0
    shown = capsys.readouterr().out
    assert json.loads(shown)["incidents"][0]["channel"].startswith("aibot ws://127.0.0.1:")
    assert SECRET not in shown
    assert all(SECRET.encode() not in file.read_bytes() for file in tmp_path.iterdir())
    end(handler)


def test_where_nothing_listens_and_where_no_websocket_is(sandbox: Sandbox) -> None:
    with connection("ws://127.0.0.1:9/") as ours, pytest.raises(ConnectError, match="Connection refused") as caught:
        ours.request("aibot_send_msg", {})
    assert in_chinese(str(caught.value)).endswith("：请检查 url、防火墙和 HTTPS_PROXY")
    with connection(sandbox.url.replace("http", "ws") + "/cgi-bin/gettoken") as ours, pytest.raises(WeComError):
        ours.request("aibot_send_msg", {})


def test_two_handlers_of_one_bot_and_who_may_after_one_has_gone(wecom: Sandbox) -> None:
    wecom.add_member("lisi")
    wecom.aibot.say("lisi", "lisi", "hello")
    mine, theirs = WeComAIBotHandler(chats=[ME]), WeComAIBotHandler(chats=["lisi"])
    log_to(mine).error("one")
    log_to(theirs).error("two is another")
    assert mine.flush(10)
    assert theirs.flush(10)
    assert wecom.aibot.connections == 1
    assert {one["chat"] for one in wecom.messages(channel="aibot")} == {ME, "lisi"}
    theirs.close()
    until(theirs._pipeline.finished if theirs._pipeline else bool)
    wecom.aibot.say("lisi", "lisi", "list")
    (no,) = wecom.wait(channel="aibot", msgtype="markdown")
    assert no["content"].startswith("Sorry")
    end(mine)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="the system does not tell what is open")
def test_handlers_that_come_and_go_leave_nothing(wecom: Sandbox) -> None:
    def cycle() -> None:
        handler = WeComAIBotHandler(chats=[ME])
        log_to(handler).error("one")
        assert handler.flush(10)
        reception = handler._reception()
        handler.close()
        assert reception is not None
        reception.connection._waiter.wake()
        until(lambda: wecom.aibot.connections == 0)

    def threads() -> int:
        return sum(one.name.startswith("wecom-logging-aibot") for one in threading.enumerate())

    cycle()
    until(lambda: threads() == 0)
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(10):
        cycle()
    until(lambda: threads() == 0)
    until(lambda: len(os.listdir("/proc/self/fd")) <= before + 3)
