"""webhook/send: a group's bot."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import pytest

from wecom_logging._sandbox import Sandbox

from .caller import AMR, JPG, Caller, FakeClock

pytestmark = pytest.mark.case("X08")

ACTION = {"type": 1, "url": "https://example.com/"}


def image(data: bytes, md5: str | None = None) -> dict[str, str]:
    digest = hashlib.md5(data).hexdigest() if md5 is None else md5
    return {"base64": base64.b64encode(data).decode(), "md5": digest}


def test_a_message_is_listed_with_all_that_the_contract_names(
    wecom: Caller, sandbox: Sandbox, clock: FakeClock
) -> None:
    assert wecom.push(part="你好") == {"errcode": 0, "errmsg": "ok"}
    (message,) = sandbox.messages()
    assert message.pop("id")
    assert message == {
        "time": clock.now,
        "channel": "bot",
        "msgtype": "text",
        "content": "你好",
        "touser": "",
        "toparty": "",
        "totag": "",
        "receivers": [],
        "key": "sandbox-bot",
        "warning": "",
        "chat": "",
        "body": {"msgtype": "text", "text": {"content": "你好"}},
    }


@pytest.mark.parametrize("params", [{}, {"key": ""}, {"key": "wrong"}])
def test_a_wrong_key_is_93000(wecom: Caller, params: dict[str, str]) -> None:
    body = {"msgtype": "text", "text": {"content": "x"}}
    assert wecom.post("/cgi-bin/webhook/send", body, **params)["errcode"] == 93000


@pytest.mark.parametrize(("msgtype", "limit"), [("text", 5120), ("markdown", 4096), ("markdown_v2", 4096)])
def test_too_much_content_is_refused_and_nothing_delivered(
    wecom: Caller, sandbox: Sandbox, msgtype: str, limit: int
) -> None:
    assert wecom.push(msgtype, "x" * limit)["errcode"] == 0
    answer = wecom.push(msgtype, "好" * (limit // 3 + 1))
    assert answer["errcode"] == 40058
    assert answer["errmsg"].startswith(f"{msgtype}.content exceed max length {limit}")
    assert len(sandbox.messages()) == 1


@pytest.mark.parametrize("msgtype", ["text", "markdown", "markdown_v2"])
def test_empty_content_is_44004(wecom: Caller, msgtype: str) -> None:
    assert wecom.push(msgtype, "")["errcode"] == 44004


def test_an_empty_body_is_93017(wecom: Caller) -> None:
    assert wecom.post("/cgi-bin/webhook/send", data=b"", key="sandbox-bot")["errcode"] == 93017


def test_a_text_above_the_documents_limit_is_taken_and_remarked(wecom: Caller, strict: Caller) -> None:
    assert wecom.push("text", "x" * 2049) == {"errcode": 0, "errmsg": "ok"}
    assert "2049 bytes" in wecom.sandbox.messages()[-1]["warning"]
    assert strict.push("text", "x" * 2048)["errcode"] == 0
    assert strict.push("text", "x" * 2049)["errmsg"].startswith("text.content exceed max length 2048. invalid Request")


@pytest.mark.parametrize("mention", [{"mentioned_list": ["@all"]}, {"mentioned_mobile_list": ["13800000000"]}])
def test_a_mention_alone_is_a_message(wecom: Caller, strict: Caller, mention: dict[str, Any]) -> None:
    assert wecom.push("text", mention)["errcode"] == 0
    assert wecom.push("text", {"content": "", **mention})["errcode"] == 0
    assert [(m["content"], bool(m["warning"])) for m in wecom.sandbox.messages()] == [("", True)] * 2
    assert strict.push("text", {"content": "", **mention})["errcode"] == 40058
    assert wecom.push("text", {"content": "", "mentioned_list": [""]})["errcode"] == 44004


def test_mentions_are_lists_of_texts(wecom: Caller, strict: Caller) -> None:
    part = {"content": "x", "mentioned_list": ["sandbox-user", "@all"], "mentioned_mobile_list": ["13800000000"]}
    assert wecom.push("text", part) == {"errcode": 0, "errmsg": "ok"}
    for wrong in ({"mentioned_list": "@all"}, {"mentioned_mobile_list": [13800000000]}):
        assert wecom.push("text", {**part, **wrong}) == {"errcode": 0, "errmsg": "ok. Warning: wrong json format. "}
        assert strict.push("text", {**part, **wrong})["errcode"] == 40058


@pytest.mark.parametrize("msgtype", ["textcard", "mpnews", "video", "nonsense"])
def test_a_msgtype_that_bots_do_not_have_is_40008(wecom: Caller, msgtype: str) -> None:
    assert wecom.push(msgtype)["errcode"] == 40008


def test_an_image_travels_inside_the_request(wecom: Caller, sandbox: Sandbox) -> None:
    assert wecom.push("image", image(JPG))["errcode"] == 0
    assert sandbox.messages()[-1]["content"] == ""


@pytest.mark.parametrize(
    ("part", "errcode"),
    [
        (image(JPG, md5="0" * 32), 301019),
        (image(b"no picture"), 40123),
        (image(JPG + bytes(2 * 1024 * 1024)), 93018),
        ({"base64": "%%%", "md5": "0" * 32}, 40058),
        ({"base64": "好", "md5": "0" * 32}, 40058),
        ({"base64": "AAAA"}, 40063),
        ({}, 40063),
    ],
)
def test_an_image_is_checked(wecom: Caller, part: dict[str, str], errcode: int) -> None:
    assert wecom.push("image", part)["errcode"] == errcode


def test_news_needs_title_and_url(wecom: Caller) -> None:
    article = {"title": "t", "url": "https://example.com/"}
    assert wecom.push("news", {"articles": [article] * 8})["errcode"] == 0
    assert wecom.push("news", {"articles": [article] * 9})["errcode"] == 45008
    assert wecom.push("news", {"articles": [{"title": "t", "appid": "a", "pagepath": "p"}]})["errcode"] == 41010


@pytest.mark.parametrize(("kind", "data"), [("file", b"a log file"), ("voice", AMR)])
def test_media_is_the_bots_own(wecom: Caller, sandbox: Sandbox, kind: str, data: bytes) -> None:
    sandbox.add_bot("second-bot")
    own, of_app = wecom.push_upload(kind, data)["media_id"], wecom.upload(kind, data)["media_id"]
    assert wecom.push(kind, {"media_id": own})["errcode"] == 0
    assert sandbox.messages()[-1]["content"] == "a.log"
    assert wecom.push(kind, {"media_id": of_app})["errcode"] == 40007
    assert wecom.push(kind, {"media_id": own}, key="second-bot")["errcode"] == 40007
    assert wecom.send(kind, {"media_id": own})["errcode"] == 40007


@pytest.mark.parametrize(
    ("card", "errcode"),
    [
        ({"card_type": "text_notice", "main_title": {"title": "t"}, "card_action": ACTION}, 0),
        ({"card_type": "text_notice", "main_title": {"title": "t"}}, 42045),
        ({"card_type": "button_interaction", "main_title": {"title": "t"}, "task_id": "1"}, 42031),
    ],
)
def test_cards_of_bots_are_notices(wecom: Caller, card: dict[str, Any], errcode: int) -> None:
    assert wecom.push("template_card", card)["errcode"] == errcode


def test_the_21st_message_of_a_minute_is_refused_and_lost(wecom: Caller, sandbox: Sandbox, clock: FakeClock) -> None:
    assert {wecom.push()["errcode"] for _ in range(20)} == {0}
    answer = wecom.push()
    assert answer["errcode"] == 45009
    assert answer["errmsg"].startswith("api freq out of limit, hint: [")
    assert len(sandbox.messages()) == 20
    clock.now += 60
    assert wecom.push()["errcode"] == 0


def test_the_window_slides(wecom: Caller, clock: FakeClock) -> None:
    for _ in range(10):
        wecom.push()
    clock.now += 30
    for _ in range(10):
        wecom.push()
    clock.now += 30
    assert [wecom.push()["errcode"] for _ in range(11)] == [0] * 10 + [45009]


def test_each_bot_has_its_own_limit(wecom: Caller, sandbox: Sandbox) -> None:
    sandbox.add_bot("second-bot")
    for _ in range(20):
        wecom.push()
    assert wecom.push(key="second-bot")["errcode"] == 0
