"""The AI bot's long connection: frames, chats, limits, one subscriber, faults."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import requests
from websockets.exceptions import ConnectionClosed, InvalidMessage, InvalidStatus

from wecom_logging._sandbox import Sandbox

from .caller import JPG, Caller, Clerk, FakeClock
from .talker import BOT, Talker, card

ME = "sandbox-user"
Asked = tuple[str, dict[str, Any]]


@pytest.fixture
def bot(sandbox: Sandbox) -> Iterator[Talker]:
    with Talker(sandbox) as talker:
        yield talker


def test_the_environment_leads_to_it(sandbox: Sandbox) -> None:
    found = sandbox.environment
    assert found["WECOM_AIBOT_URL"] == sandbox.url.replace("http", "ws") + "/aibot"
    assert (found["WECOM_AIBOT_ID"], found["WECOM_AIBOT_SECRET"]) == (BOT["bot_id"], BOT["secret"])
    with Talker(sandbox) as talker:
        assert [talker.push(chat) for chat in found["WECOM_AIBOT_CHATS"].split(",")] == [0, 0]
    one, group = sandbox.messages(channel="aibot")
    assert (one["chat"], one["receivers"], one["content"]) == (ME, [ME], "**hello**")
    assert (group["chat"], group["receivers"]) == ("sandbox-group", [ME])


def text_of(refusal: dict[str, Any]) -> str:
    """Its errmsg without what WeCom puts behind each: a hint, the caller's address, and where to look it up."""
    tail = rf", hint: \[\d{{25}}\], from ip: 127\.0\.0\.1, more info at https://\S+\?e={refusal['errcode']}"
    found = re.fullmatch(f"(.*){tail}", refusal["errmsg"])
    assert found is not None
    return found[1]


def push_of(**body: Any) -> Asked:
    return "aibot_send_msg", {"chatid": ME, "msgtype": "markdown", "markdown": {"content": "x"}, **body}


def upload_of(**body: Any) -> Asked:
    return "aibot_upload_media_init", {"filename": "a.log", "total_size": 9, "total_chunks": 1, **body}


def reply_of(req_id: str = "my-own") -> Asked:
    return "aibot_respond_msg", {"msgtype": "markdown", "markdown": {"content": "x"}, "req_id": req_id}


def test_a_stream_belongs_to_its_callback(sandbox: Sandbox, bot: Talker) -> None:
    for text in ("one", "two"):
        req_id = sandbox.aibot.say(ME, ME, "status?")
        bot.hear()
        whole = {"msgtype": "stream", "stream": {"id": "s", "content": text, "finish": True}}
        assert [bot.code("aibot_respond_msg", req_id, **whole) for _ in range(2)] == [0, 846608]
    assert [message["content"] for message in sandbox.messages(msgtype="stream")] == ["one", "two"]


def test_sockets_that_subscribe_to_nothing_are_few(sandbox: Sandbox, bot: Talker) -> None:
    with ExitStack() as stack:
        idle = []
        for _ in range(18):
            idle.append(stack.enter_context(Talker(sandbox, subscribe=False)))
            assert idle[-1].ask("ping")["errcode"] == 0  # it is there before the next
        for ended in idle[:2]:
            with pytest.raises(ConnectionClosed):
                ended.hear()
        assert [one.ask("ping")["errcode"] for one in (bot, *idle[2:])] == [0] * 17


@pytest.mark.parametrize(
    ("asked", "errcode", "text"),
    [
        (push_of(chatid="nobody"), 93006, "invalid chatid"),
        (push_of(msgtype="text", text={"content": "x"}), 40008, "invalid message type"),
        (
            push_of(msgtype="template_card", template_card=card("")),
            42014,
            "taskid has existed or empty or exceed max len",
        ),
        (push_of(chatid=None), 86201, "missing chatid"),
        (push_of(msgtype="image", image={"media_id": "x"}), 40007, "invalid media_id"),
        (upload_of(type="file", total_size=1), 40006, "invalid file size"),
        (reply_of(), 846605, "invalid req_id"),
    ],
)
def test_a_refusal_is_worded_like_wecoms(bot: Talker, asked: Asked, errcode: int, text: str) -> None:
    """As people pasted them, 2026."""
    cmd, body = asked
    refused = bot.ask(cmd, body.pop("req_id", ""), **body)
    assert (refused["errcode"], text_of(refused)) == (errcode, text)


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        (upload_of(), "body.type"),
        (upload_of(type="file", total_chunks=None), "body.total_chunks"),
        (push_of(msgtype="image", image={"url": "https://example.com/a.png"}), "body.image.media_id"),
        (push_of(msgtype="file", file={}), "body.file.media_id"),
    ],
)
def test_where_a_field_is_missing_the_answer_names_no_command(bot: Talker, asked: Asked, field: str) -> None:
    """Seen live on 2026-10-03: who waits for the req_id waits in vain."""
    cmd, body = asked
    bot.tell(cmd, **body)
    refused = bot.hear()
    assert refused.keys() == {"errcode", "errmsg"}
    assert (refused["errcode"], text_of(refused)) == (40058, f"missing field `{field}`. invalid Request Parameter")
    assert bot.push() == 0


def test_too_many_in_a_chat_and_a_stream_that_took_too_long(sandbox: Sandbox, bot: Talker, clock: FakeClock) -> None:
    req_id = sandbox.aibot.say(ME, ME, "hello")
    bot.hear()
    stream = {"msgtype": "stream", "stream": {"id": "s", "content": "x"}}
    assert bot.code("aibot_respond_msg", req_id, **stream) == 0
    clock.now += 600
    late = bot.ask("aibot_respond_msg", req_id, **stream)
    assert (late["errcode"], text_of(late)) == (
        846608,
        "stream message update expired (>10 minutes), cannot update",
    )
    assert {bot.push() for _ in range(30)} == {0}
    cmd, body = push_of()
    many = bot.ask(cmd, **body)
    assert (many["errcode"], text_of(many)) == (846607, "aibot send msg frequency limit exceeded")


def test_a_wrong_secret_leaves_the_socket_open(sandbox: Sandbox) -> None:
    with Talker(sandbox, "/", subscribe=False) as talker:
        assert talker.push() == 846609
        refused = talker.ask("aibot_subscribe", bot_id="sandbox-aibot", secret="canary-secret")
        assert (refused["errcode"], text_of(refused)) == (853000, "invalid bot_id or secret")
        assert talker.code("aibot_subscribe", **{**BOT, "bot_id": "another"}) == 853000
        assert talker.code("ping") == 0
        assert sandbox.aibot.subscribers == 0
        assert talker.code("aibot_subscribe", **BOT) == 0
        assert (sandbox.aibot.subscribers, talker.push()) == (1, 0)
    shown = requests.get(sandbox.url + "/sandbox/events", timeout=10, stream=True)
    told = next(line for line in shown.iter_lines() if line.startswith(b"data: "))
    shown.close()
    calls = json.dumps(json.loads(told.removeprefix(b"data: "))["calls"])
    assert "/aibot/aibot_subscribe" in calls
    assert "canary-secret" not in calls
    assert BOT["secret"] not in calls
    assert [call.path for call in sandbox.calls][:2] == ["/aibot/aibot_send_msg", "/aibot/aibot_subscribe"]


def test_the_second_subscriber_takes_the_place_of_the_first(sandbox: Sandbox, bot: Talker) -> None:
    sandbox.aibot.close_after(0.3)
    with Talker(sandbox) as second:
        kicked = bot.hear()
        assert kicked["cmd"] == "aibot_event_callback"
        assert kicked["body"]["event"] == {"eventtype": "disconnected_event"}
        assert (bot.push(), second.push(), sandbox.aibot.connections) == (846609, 0, 2)
        with pytest.raises(ConnectionClosed):
            bot.hear()
        assert second.push() == 0


NASTY = [
    "{",
    "[1]",
    '{"headers": 1, "cmd": [], "body": "x"}',
    '{"cmd": "aibot_send_msg", "body": {}}',
    '{"cmd": "ping", "headers": {"req_id": "\\ud800"}}',
    '{"cmd": "ping", "headers": {"req_id": "1"}, "body": {"x": NaN}}',
    '{"cmd": "ping", "headers": {"req_id": "1"}, "body": ' + "[" * 900 + "]" * 900 + "}",
    "[" * 200_000,
    b"\xff\xfe",
]


@pytest.mark.parametrize("raw", NASTY, ids=lambda raw: repr(raw[:30]))
def test_a_frame_that_is_none(bot: Talker, raw: str | bytes) -> None:
    bot.socket.send(raw)
    assert bot.hear()["errcode"] == 40058
    assert bot.code("aibot_dance") == 40008
    assert bot.code("ping") == 0


def test_values_of_any_type_end_no_connection(sandbox: Sandbox, bot: Talker) -> None:
    sandbox.aibot.say(ME, ME, "hello")
    req_id = bot.hear()["headers"]["req_id"]
    values: list[Any] = [
        None,
        0,
        -1,
        1.5,
        "",
        "x",
        "\x00",
        True,
        [],
        [1],
        [{}],
        {},
        {"content": 1},
        {"id": [], "finish": "x"},
    ]
    commands = ["aibot_send_msg", "aibot_respond_msg", "aibot_respond_welcome_msg", "aibot_respond_update_msg"]
    uploads = [f"aibot_upload_media_{step}" for step in ("init", "chunk", "finish")]
    for cmd in (*commands, *uploads):
        for value in values:
            names = ("chatid", "chat_type", "template_card", "userids", "upload_id", "total_size", "stream", "markdown")
            for msgtype in ("markdown", "template_card", "stream", "file"):
                body = {**dict.fromkeys(names, value), "chatid": ME, "msgtype": msgtype, msgtype: value}
                bot.tell(cmd, req_id, **body)
                assert isinstance(bot.hear()["errcode"], int)
    assert sandbox.aibot.subscribers == 1


def test_only_where_somebody_wrote(sandbox: Sandbox, bot: Talker) -> None:
    sandbox.add_member("lisi")
    sandbox.aibot.add_group("ops", [ME, "lisi"])
    assert [bot.push(chat) for chat in ("lisi", "ops", "nobody", "")] == [93006, 93006, 93006, 86201]
    assert sandbox.aibot.say("lisi", "lisi", "hello")
    assert sandbox.aibot.say("ops", "lisi", "list")
    assert [bot.hear()["body"]["chattype"] for _ in range(2)] == ["single", "group"]
    assert [bot.push("lisi", chat_type=kind) for kind in (0, 1, 2, 3)] == [0, 0, 93006, 40058]
    assert [bot.push("ops", chat_type=kind) for kind in (0, 1, 2)] == [0, 93006, 0]
    sandbox.aibot.leave("ops")
    assert bot.push("ops") == 93008
    assert [message["text"] for message in (m["body"] for m in sandbox.messages(channel="person"))] == [
        {"content": "hello"},
        {"content": "@沙箱机器人 list"},
    ]
    for wrong in (("lisi", ME, "x"), ("lisi", "nobody", "x"), ("lisi", "lisi", " ")):
        with pytest.raises(ValueError, match=r"chat|member|empty"):
            sandbox.aibot.say(*wrong)


def test_what_may_be_pushed(sandbox: Sandbox, bot: Talker) -> None:
    assert [bot.push(msgtype=kind) for kind in ("text", "markdown_v2", "news", "stream")] == [40008] * 4
    assert bot.push(part="x" * 20_480) == 0
    assert [bot.push(part="汉" * 6827), bot.push(part="")] == [40058, 44004]
    uploaded = bot.upload("file", b"log\n" * 300_000, md5=hashlib.md5(b"log\n" * 300_000).hexdigest())
    assert uploaded["body"]["type"] == "file"
    assert bot.push(msgtype="file", part={"media_id": uploaded["body"]["media_id"]}) == 0
    assert bot.push(msgtype="image", part={"media_id": uploaded["body"]["media_id"]}) == 40007
    (message,) = sandbox.messages(msgtype="file")
    got = requests.get(f"{sandbox.url}/sandbox/messages/{message['id']}/files/0", timeout=10).content
    assert (message["content"], got) == ("a.log", b"log\n" * 300_000)


def test_uploads_that_are_refused(bot: Talker, clock: FakeClock) -> None:
    kinds = {"image": JPG, "file": b"12345"}
    assert [bot.upload(kind, data)["errcode"] for kind, data in kinds.items()] == [0, 0]
    assert bot.upload("file", b"1234")["errcode"] == 40006
    assert bot.upload("image", b"x" * (2 * 2**20 + 1))["errcode"] == 40009
    assert bot.upload("image", b"no picture")["errcode"] == 40123
    assert bot.upload("gif", b"12345")["errcode"] == 40005
    assert bot.upload("file", b"12345", md5="0" * 32)["errcode"] == 301019
    assert bot.upload("file", b"12345", "汉" * 86)["errcode"] == 40058
    sizes = {"type": "file", "filename": "a", "total_size": 10, "total_chunks": 2}
    id = bot.ask("aibot_upload_media_init", **sizes)["body"]["upload_id"]
    chunk = {"upload_id": id, "chunk_index": 0}
    assert bot.code("aibot_upload_media_chunk", **{**chunk, "chunk_index": 2}, base64_data="eHg=") == 40058
    assert bot.code("aibot_upload_media_chunk", **chunk, base64_data="no base64") == 40058
    assert bot.code("aibot_upload_media_chunk", **chunk, base64_data="eHg=") == 0
    assert bot.code("aibot_upload_media_finish", upload_id=id) == 40058
    clock.now += 1800
    assert bot.code("aibot_upload_media_chunk", **chunk, base64_data="eHg=") == 40058


def test_thirty_a_minute_and_a_thousand_an_hour_of_each_chat(sandbox: Sandbox, bot: Talker, clock: FakeClock) -> None:
    req_id = sandbox.aibot.say(ME, ME, "hello")
    bot.hear()
    assert {bot.push() for _ in range(15)} == {0}
    reply = {"msgtype": "markdown", "markdown": {"content": "x"}}
    assert {bot.code("aibot_respond_msg", req_id, **reply) for _ in range(15)} == {0}
    assert (bot.push(), bot.code("aibot_respond_msg", req_id, **reply)) == (846607, 846607)
    assert bot.push("sandbox-group") == 0
    clock.now += 60
    assert bot.push() == 0
    hour = {"channel": "aibot", "limits": [{"count": 32, "period_s": 3600}]}
    requests.post(sandbox.url + "/sandbox/limits", json=hour, timeout=10).raise_for_status()
    clock.now += 60
    assert [bot.push(), bot.push()] == [0, 846607]


def test_replies(sandbox: Sandbox, bot: Talker, clock: FakeClock) -> None:
    req_id = sandbox.aibot.say(ME, ME, "status?", quote="A17 · 312 errors")
    heard = bot.hear()
    assert heard["headers"]["req_id"] == req_id
    assert heard["body"]["quote"] == {"msgtype": "text", "text": {"content": "A17 · 312 errors"}}
    assert heard["body"]["from"] == {"userid": ME}
    assert "chatid" not in heard["body"]
    reply = {"msgtype": "markdown", "markdown": {"content": "fine"}}
    assert bot.code("aibot_respond_msg", req_id, msgtype="text", text={"content": "x"}) == 40008
    clock.now += 24 * 3600
    assert bot.code("aibot_respond_msg", req_id, **reply) == 0
    assert bot.code("aibot_respond_welcome_msg", req_id, **reply) == 846605
    clock.now += 1
    assert bot.code("aibot_respond_msg", req_id, **reply) == 846605
    assert bot.code("aibot_respond_msg", "never-heard", **reply) == 846605

    req_id = sandbox.aibot.say(ME, ME, "again")
    bot.hear()
    texts = [("", False), ("thinking", False), ("thought", True), ("too late", True)]
    parts = [{"id": "s1", "content": text, "finish": finish} for text, finish in texts]
    codes = [bot.code("aibot_respond_msg", req_id, msgtype="stream", stream=part) for part in parts]
    assert codes == [0, 0, 0, 846608]
    assert [message["content"] for message in sandbox.messages(msgtype="stream")] == ["thought"]
    late = {"msgtype": "stream", "stream": {"id": "s2", "content": "x"}}
    assert bot.code("aibot_respond_msg", req_id, **late) == 0
    clock.now += 599
    assert bot.code("aibot_respond_msg", req_id, **late) == 0
    clock.now += 1
    assert bot.code("aibot_respond_msg", req_id, **late) == 846608
    with Talker(sandbox) as second:  # what the first one heard is not for the second one to answer
        assert second.code("aibot_respond_msg", req_id, **reply) == 846605


def test_welcome_once_a_day_within_five_seconds(sandbox: Sandbox, bot: Talker, clock: FakeClock) -> None:
    welcome = {"msgtype": "text", "text": {"content": "hello"}}
    req_id = sandbox.aibot.enter(ME)
    assert bot.hear()["body"]["event"] == {"eventtype": "enter_chat"}
    assert sandbox.aibot.enter(ME) == ""
    assert [bot.code("aibot_respond_welcome_msg", req_id, **welcome) for _ in range(2)] == [0, 846605]
    clock.now += 24 * 3600
    req_id = sandbox.aibot.enter(ME)
    bot.hear()
    clock.now += 5.1
    assert bot.code("aibot_respond_welcome_msg", req_id, **welcome) == 846605


def test_encrypted_ids(sandbox: Sandbox, bot: Talker, app: Clerk) -> None:
    sandbox.add_member("lisi")
    sandbox.aibot.hide_userids()
    sandbox.aibot.say("lisi", "lisi", "hello")
    hidden = bot.hear()["body"]["from"]["userid"]
    assert hidden.startswith("wo")
    assert [bot.push(hidden), bot.push("lisi")] == [0, 93006]
    found = app.write("batch/openuserid_to_userid", open_userid_list=[hidden, "lisi", "wo1"])
    assert found["userid_list"] == [{"userid": "lisi", "open_userid": hidden}]
    assert found["invalid_open_userid_list"] == ["lisi", "wo1"]
    assert app.write("batch/openuserid_to_userid", open_userid_list=[])["errcode"] == 40032
    assert sandbox.messages(channel="aibot")[0]["receivers"] == ["lisi"]


def test_faults_of_commands(sandbox: Sandbox, bot: Talker) -> None:
    sandbox.fail("aibot_send_msg", 45009, times=2)
    assert [bot.push(), bot.push(), bot.push()] == [45009, 45009, 0]
    sandbox.fail("aibot_send_msg", withhold=True)
    sandbox.fail("aibot/ping", delay_s=0.1)
    bot.tell("aibot_send_msg", chatid=ME, msgtype="markdown", markdown={"content": "done, and not answered"})
    assert bot.code("ping") == 0
    assert sandbox.messages(contains="not answered")
    sandbox.fail("aibot_send_msg", drop=True)
    with pytest.raises(ConnectionClosed):
        bot.push(part="neither done nor answered")
    assert not sandbox.messages(contains="neither")
    for wrong in ({"path": "aibot/ping", "status": 500}, {"path": "message/send", "withhold": True}):
        with pytest.raises(ValueError, match=r"status|withhold"):
            sandbox.fail(**wrong)


def test_faults_of_the_connection(sandbox: Sandbox, bot: Talker) -> None:
    sandbox.aibot.lose_subscription()
    lost = bot.ask("aibot_send_msg", chatid=ME, msgtype="markdown", markdown={"content": "x"})
    assert (lost["errcode"], text_of(lost)) == (846609, "aibot websocket not subscribed")
    assert bot.code("ping") == 0
    assert sandbox.aibot.say(ME, ME, "nobody hears it") == ""
    assert [bot.code("aibot_subscribe", **BOT), bot.push()] == [0, 0]
    sandbox.aibot.go_silent()
    bot.tell("ping")
    assert sandbox.aibot.say(ME, ME, "nobody hears it") == ""
    with pytest.raises(TimeoutError):
        bot.hear(0.2)
    with Talker(sandbox) as second:
        assert second.push() == 0
        sandbox.aibot.drop()
        with pytest.raises(ConnectionClosed):
            second.hear()
    sandbox.fail("aibot", status=503)
    with pytest.raises(InvalidStatus):
        Talker(sandbox)
    sandbox.fail("aibot", drop=True)
    with pytest.raises(InvalidMessage):
        Talker(sandbox)
    with Talker(sandbox):
        sandbox.aibot.wait_for_subscriber()
    with pytest.raises(ValueError, match="must be one of unsubscribe"):
        sandbox.add_fault({"aibot_connection": "dance"})


def test_the_same_over_http(sandbox: Sandbox, bot: Talker, wecom: Caller) -> None:
    sandbox.add_member("lisi")
    assert wecom.post("/sandbox/faults", {"aibot_group_cards": True}) == {}
    assert wecom.post("/sandbox/aibot/groups", {"chat": "ops", "users": [ME, "lisi"], "written": True}) == {}
    said = wecom.post("/sandbox/aibot/say", {"chat": "ops", "user_id": "lisi", "text": "list\nall"})
    assert bot.hear()["headers"] == said
    assert bot.push("ops", msgtype="template_card", part=card()) == 0
    click = {"card": "a17-1", "user_id": "lisi", "key": "quiet:A17", "selected": {"for": "8h"}}
    assert wecom.post("/sandbox/aibot/click", click) == bot.hear()["headers"]
    wrong = wecom.post("/sandbox/aibot/click", {**click, "selected": {"for": ["9h"]}})
    assert (wrong["field"], wrong["error"]) == ("selected", "the options are 1h, 8h")
    assert wecom.post("/sandbox/aibot/enter", {"user_id": "lisi"}) == bot.hear()["headers"]
    told = wecom.get("/sandbox/aibot")
    assert (told["subscribers"], told["connections"], told["group_cards"]) == (1, 1, True)
    assert {"chat": "ops", "is_group": True, "users": [ME, "lisi"], "written": True, "left": False} in told["chats"]
    assert requests.delete(sandbox.url + "/sandbox/aibot/groups/ops", timeout=10).status_code == 200
    assert requests.delete(sandbox.url + "/sandbox/aibot/groups/nothing", timeout=10).status_code == 404


def test_away_from_loopback_its_secret_is_one_that_nobody_knows() -> None:
    with Sandbox(host="0.0.0.0") as sandbox:
        secret = sandbox.environment["WECOM_AIBOT_SECRET"]
        assert secret == f"sandbox-aibot-secret-{sandbox.token}"
        with Talker(sandbox, subscribe=False) as talker:
            assert talker.code("aibot_subscribe", **BOT) == 853000
            assert talker.code("aibot_subscribe", bot_id="sandbox-aibot", secret=secret) == 0
