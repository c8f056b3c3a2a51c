"""App messages: what the sandbox's WeCom gets for each type, and what its answers become."""

from __future__ import annotations

from typing import Any

import pytest

from tests.scripted import ScriptedWeCom, body, ok
from wecom_logging._sandbox import Sandbox
from wecom_logging._wecom import WeComClient
from wecom_logging._wecom.channels import AppChannel
from wecom_logging.errors import BadResponseError, InvalidMessageError, InvalidRecipientError, MessageError
from wecom_logging.model import (
    Article,
    File,
    Image,
    Markdown,
    MarkdownV2,
    Message,
    News,
    Recipients,
    TemplateCard,
    Text,
    TextCard,
)

from .failures import at_once

JPG = b"\xff\xd8\xff" + b"picture"
CARD = {
    "card_type": "text_notice",
    "main_title": {"title": "磁盘已满", "desc": "db-1"},
    "card_action": {"type": 1, "url": "https://example.com/"},
}
TYPES: list[tuple[Message, dict[str, Any]]] = [
    (Text("磁盘已满 💥"), {"content": "磁盘已满 💥"}),
    (Markdown('**down** <font color="warning">now</font>'), {"content": '**down** <font color="warning">now</font>'}),
    (
        TextCard("标题", "说明", "https://example.com/a", "更多"),
        {"title": "标题", "description": "说明", "url": "https://example.com/a", "btntxt": "更多"},
    ),
    (
        News((Article("一", "https://example.com/1", "甲", "https://example.com/1.png"), Article("二", "http://b.cn"))),
        {
            "articles": [
                {
                    "title": "一",
                    "description": "甲",
                    "url": "https://example.com/1",
                    "picurl": "https://example.com/1.png",
                },
                {"title": "二", "description": "", "url": "http://b.cn"},
            ]
        },
    ),
    (TemplateCard(CARD), CARD),
]
# fmt: off
MSGTYPES = {
    Text: "text", Markdown: "markdown", TextCard: "textcard", News: "news", TemplateCard: "template_card",
    Image: "image", File: "file",
}
# fmt: on


@pytest.mark.parametrize(("message", "part"), TYPES, ids=lambda value: type(value).__name__)
def test_each_type_arrives_as_the_documents_describe_it(
    sandbox: Sandbox, client: WeComClient, message: Message, part: dict[str, Any]
) -> None:
    outcome = client.messages.send(message, users=["sandbox-user"])
    (found,) = sandbox.messages()
    msgtype = MSGTYPES[type(message)]
    assert found["body"] == {"touser": "sandbox-user", "agentid": 1000002, "msgtype": msgtype, msgtype: part}
    assert found["receivers"] == ["sandbox-user"]
    assert (outcome.reason, outcome.msgid, outcome.warning) == ("delivered", found["id"], "")


def test_a_string_is_sent_as_text(sandbox: Sandbox, client: WeComClient) -> None:
    client.messages.send("hello", users="sandbox-user")
    assert [(found["msgtype"], found["content"]) for found in sandbox.messages()] == [("text", "hello")]


@pytest.mark.parametrize(("kind", "name", "data"), [("image", "图.jpg", JPG), ("file", "日志 1.log", b"a long log")])
def test_what_was_uploaded_can_be_sent(
    sandbox: Sandbox, client: WeComClient, kind: str, name: str, data: bytes
) -> None:
    media_id = client.media.upload(name, data, type=kind)
    client.messages.send(Image(media_id) if kind == "image" else File(media_id), users=["sandbox-user"])
    (found,) = sandbox.messages()
    assert found["body"][kind] == {"media_id": media_id}
    assert found["content"] == ("" if kind == "image" else name)


def test_departments_tags_and_everybody_are_addressed(sandbox: Sandbox, client: WeComClient) -> None:
    sandbox.add_member("li", departments=[2])
    sandbox.add_member("wang", departments=[3])
    sandbox.add_tag(7, users=["wang"])
    client.messages.send("one", departments=[2], tags="7")
    client.messages.send("two", users="@all")
    one, two = sandbox.messages()
    assert (one["toparty"], one["totag"], one["receivers"]) == ("2", "7", ["li", "wang"])
    assert (two["touser"], two["receivers"]) == ("@all", ["sandbox-user", "li", "wang"])


def test_safe_and_the_duplicate_check_are_asked_for(sandbox: Sandbox, client: WeComClient) -> None:
    for _ in range(2):
        client.messages.send("once", users="sandbox-user", safe=True, duplicate_check_s=60)
    (found,) = sandbox.messages()
    wanted = {"safe": 1, "enable_duplicate_check": 1, "duplicate_check_interval": 60}
    assert found["body"] | wanted == found["body"]


def test_the_channel_of_a_handler_asks_for_the_duplicate_check(sandbox: Sandbox, client: WeComClient) -> None:
    channel = AppChannel(client, Recipients(users=("sandbox-user",)))
    for _ in range(2):
        channel.deliver(Text("once"), None, lambda: None)
    assert [found["content"] for found in sandbox.messages()] == ["once"]


def test_a_message_is_recalled(sandbox: Sandbox, client: WeComClient) -> None:
    outcome = client.messages.send("oops", users="sandbox-user")
    client.messages.send("stays", users="sandbox-user")
    client.messages.recall(outcome.msgid)
    assert [found["content"] for found in sandbox.messages()] == ["stays"]


def test_an_unknown_message_cannot_be_recalled(client: WeComClient) -> None:
    with pytest.raises(InvalidMessageError) as caught:
        client.messages.recall("no-such-message")
    assert caught.value.errcode == 40058
    assert caught.value.path == "message/recall"


@pytest.mark.case("W11")
def test_some_bad_recipients_make_a_partial_delivery(sandbox: Sandbox, client: WeComClient) -> None:
    outcome = client.messages.send(
        "hello", users=["sandbox-user", "Ghost", "nobody"], departments=[1, 99], tags=["8", "9"]
    )
    assert (outcome.reason, outcome.delivered) == ("partial", True)
    assert outcome.invalid_users == ("ghost", "nobody")
    assert outcome.invalid_departments == ("99",)
    assert outcome.invalid_tags == ("8", "9")
    assert outcome.msgid == sandbox.messages()[0]["id"]


@pytest.mark.case("W10")
def test_only_bad_recipients_are_an_error(sandbox: Sandbox, client: WeComClient) -> None:
    with pytest.raises(InvalidRecipientError) as caught:
        client.messages.send("hello", users=["ghost"], departments=[99])
    assert (caught.value.errcode, caught.value.retryable) == (81013, False)
    assert [call.path for call in sandbox.calls].count("/cgi-bin/message/send") == 1
    assert sandbox.messages() == []


def _scripted_client(scripted: ScriptedWeCom) -> WeComClient:
    return WeComClient("corp", "secret", agent_id=7, api_base=scripted.url, sleep=at_once)


@pytest.mark.case("W11")
def test_members_without_a_licence_make_a_partial_delivery(scripted: ScriptedWeCom) -> None:
    scripted.script("/cgi-bin/message/send", ok(msgid="m", unlicenseduser="a|b", invaliduser=""))
    outcome = _scripted_client(scripted).messages.send("hello", users="a,b,c")
    assert (outcome.reason, outcome.unlicensed_users, outcome.invalid_users) == ("partial", ("a", "b"), ())


@pytest.mark.case("W10")
@pytest.mark.parametrize("left_out", [{"invaliduser": "a|b"}, {"unlicenseduser": "a", "invaliduser": "b"}])
def test_errcode_0_with_lists_that_name_everybody_is_an_error(
    scripted: ScriptedWeCom, left_out: dict[str, str]
) -> None:
    scripted.script("/cgi-bin/message/send", ok(invalidparty="3", invalidtag="7", **left_out))
    with pytest.raises(InvalidRecipientError, match="licence") as caught:
        _scripted_client(scripted).messages.send("hello", users="A,b", departments=[3], tags=[7])
    assert (caught.value.errcode, caught.value.path) == (81013, "message/send")


@pytest.mark.case("W11")
def test_lists_in_place_of_joined_texts_are_read_too(scripted: ScriptedWeCom) -> None:
    scripted.script("/cgi-bin/message/send", ok(msgid="m", invalidparty=[3], invalidtag=["7", None], invaliduser=None))
    outcome = _scripted_client(scripted).messages.send("hello", users="a")
    assert (outcome.invalid_departments, outcome.invalid_tags, outcome.invalid_users) == (("3",), ("7",), ())


def test_a_warning_beside_errcode_0_is_passed_on(scripted: ScriptedWeCom) -> None:
    scripted.script(
        "/cgi-bin/message/send", body(b'{"errcode": 0, "errmsg": "ok. Warning: wrong json format. ", "msgid": "m"}')
    )
    outcome = _scripted_client(scripted).messages.send("hello", users="a")
    assert (outcome.reason, outcome.msgid) == ("delivered", "m")
    assert "format" in outcome.warning


@pytest.mark.parametrize("answer", [{}, {"media_id": ""}, {"media_id": 7}])
def test_an_upload_without_a_media_id_is_a_bad_answer(scripted: ScriptedWeCom, answer: dict[str, Any]) -> None:
    scripted.always("/cgi-bin/media/upload", ok(**answer))
    with pytest.raises(BadResponseError, match="media_id"):
        _scripted_client(scripted).media.upload("a.log", b"0123456789")


def test_text_leaves_as_utf_8_and_never_breaks_on_a_lone_surrogate(scripted: ScriptedWeCom) -> None:
    _scripted_client(scripted).messages.send("磁盘 💥 \udc80", users="a")
    (sent,) = scripted.bodies("/cgi-bin/message/send")
    assert '"content":"磁盘 💥 ?"'.encode() in sent


LONG = {
    "ascii": "a" * 2049,
    "Chinese": "磁" * 682 + "ab" + "c",
    "emoji": "💥" * 512 + "a",
}
FITS = {"ascii": "a" * 2048, "Chinese": "磁" * 682 + "ab", "emoji": "💥" * 512}
URL = "https://example.com/"
WRONG: dict[str, Any] = {
    "markdown_v2": MarkdownV2("x"),
    "mention": Text("x", mentioned=("zhangsan",)),
    "mobile": Text("x", mentioned_mobiles=("13800000000",)),
    "image bytes": Image(data=JPG),
    "None": None,
    "bytes": b"hello",
    "mapping": {"msgtype": "text"},
    "markdown too long": Markdown("💥" * 512 + "a"),
    "title too long": TextCard("磁" * 43, "d", URL),
    "description too long": TextCard("t", "磁" * 171, URL),
    "button too long": TextCard("t", "d", URL, "五个字太长"),
    "url without scheme": TextCard("t", "d", "example.com"),
    "url of another kind": TextCard("t", "d", "javascript:alert(1)"),
    "url that cannot be read": TextCard("t", "d", "http://[::1"),
    "url without host": TextCard("t", "d", "https://"),
    "url too long": TextCard("t", "d", URL + "a" * 2048),
    "article url": News((Article("t", "ftp://example.com/"),)),
    "article title": News((Article("磁" * 43, URL),)),
    "article description": News((Article("t", URL, "磁" * 171),)),
    "picture url": News((Article("t", URL, "", "picture.png"),)),
    "card that is no JSON": TemplateCard({"card_type": "text_notice", "main_title": {"title": object()}}),
    "card with NaN": TemplateCard({"card_type": "text_notice", "task_id": float("nan")}),
}


@pytest.mark.case("W12")
@pytest.mark.parametrize("name", LONG)
def test_one_byte_too_many_is_refused_before_any_request(sandbox: Sandbox, client: WeComClient, name: str) -> None:
    client.messages.send(FITS[name], users="sandbox-user")
    calls = sandbox.calls
    with pytest.raises(MessageError, match="2049 bytes"):
        client.messages.send(LONG[name], users="sandbox-user")
    assert sandbox.calls == calls
    assert sandbox.messages()[0]["content"] == FITS[name]


@pytest.mark.parametrize("name", WRONG)
def test_what_an_app_cannot_send_is_refused_before_any_request(
    sandbox: Sandbox, client: WeComClient, name: str
) -> None:
    with pytest.raises(MessageError):
        client.messages.send(WRONG[name], users="sandbox-user")
    assert sandbox.calls == ()


@pytest.mark.parametrize("content", ["", " ", "\n\t"])
def test_an_empty_message_is_refused_before_any_request(sandbox: Sandbox, client: WeComClient, content: str) -> None:
    with pytest.raises(MessageError):
        client.messages.send(content, users="sandbox-user")
    assert sandbox.calls == ()


@pytest.mark.parametrize(
    "recipients",
    [
        {},
        {"users": []},
        {"users": ""},
        {"users": [f"u{i}" for i in range(1001)]},
        {"departments": range(1, 102)},
        {"tags": [str(i) for i in range(1, 102)]},
        {"departments": ["sales"]},
        {"users": ["a<b"]},
        {"users": [b"a"]},
        {"users": {"a": 1}},
    ],
    ids=repr,
)
def test_wrong_recipients_are_refused_before_any_request(
    sandbox: Sandbox, client: WeComClient, recipients: dict[str, Any]
) -> None:
    with pytest.raises(MessageError):
        client.messages.send("hello", **recipients)
    assert sandbox.calls == ()


@pytest.mark.parametrize("seconds", [-1, 14401, 1.5, "60", True])
def test_a_wrong_duplicate_check_is_refused_before_any_request(
    sandbox: Sandbox, client: WeComClient, seconds: Any
) -> None:
    with pytest.raises(MessageError, match="duplicate_check_s"):
        client.messages.send("hello", users="sandbox-user", duplicate_check_s=seconds)
    assert sandbox.calls == ()


@pytest.mark.parametrize(
    ("name", "data", "kind"),
    [
        ("a.log", b"", "file"),
        ("a.log", b"12345", "file"),
        ("a.jpg", JPG + bytes(10 * 1024 * 1024), "image"),
        ("a.amr", bytes(2 * 1024 * 1024 + 1), "voice"),
        ("a.log", b"0123456789", "folder"),
        ("", b"0123456789", "file"),
        ('a".log', b"0123456789", "file"),
        ("a\r\nb.log", b"0123456789", "file"),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_what_cannot_be_uploaded_is_refused_before_any_request(
    sandbox: Sandbox, client: WeComClient, name: str, data: bytes, kind: str
) -> None:
    with pytest.raises(MessageError):
        client.media.upload(name, data, type=kind)
    assert sandbox.calls == ()


def test_a_message_without_an_id_cannot_be_recalled(sandbox: Sandbox, client: WeComClient) -> None:
    with pytest.raises(MessageError):
        client.messages.recall("")
    assert sandbox.calls == ()
