"""message/send: what each msgtype may hold."""

from __future__ import annotations

from typing import Any

import pytest

from wecom_logging._sandbox import Sandbox

from .caller import AMR, JPG, MP4, Caller, FakeClock
from .talker import card, done

pytestmark = pytest.mark.case("X08")

CARD = {"title": "t", "description": "d", "url": "https://example.com/"}
ARTICLE = {"title": "t", "description": "d", "url": "https://example.com/"}
ACTION = {"type": 1, "url": "https://example.com/"}
NOTICE = {"card_type": "text_notice", "main_title": {"title": "t", "desc": "d"}, "card_action": ACTION}
NEWS_NOTICE = {**NOTICE, "card_type": "news_notice", "card_image": {"url": "https://example.com/a.png"}}


def last(sandbox: Sandbox) -> dict[str, Any]:
    return sandbox.messages()[-1]


def test_a_message_is_listed_with_all_that_the_contract_names(
    wecom: Caller, sandbox: Sandbox, clock: FakeClock
) -> None:
    answer = wecom.send(part="你好")
    assert last(sandbox) == {
        "id": answer["msgid"],
        "time": clock.now,
        "channel": "app",
        "msgtype": "text",
        "content": "你好",
        "touser": "sandbox-user",
        "toparty": "",
        "totag": "",
        "receivers": ["sandbox-user"],
        "key": "",
        "warning": "",
        "chat": "",
        "body": {"touser": "sandbox-user", "agentid": 1000002, "msgtype": "text", "text": {"content": "你好"}},
    }
    assert wecom.get("/sandbox/messages") == [last(sandbox)]


def test_text_is_cut_in_silence_and_never_inside_a_character(wecom: Caller, sandbox: Sandbox) -> None:
    assert wecom.send(part="x" * 2049)["errcode"] == 0
    assert last(sandbox)["content"] == "x" * 2048
    assert wecom.send(part="x" + "好" * 1000)["errcode"] == 0
    assert last(sandbox)["content"] == "x" + "好" * 682


@pytest.mark.parametrize("msgtype", ["text", "markdown"])
@pytest.mark.parametrize("part", [{"content": ""}, {}, {"content": None}])
def test_empty_content_is_44004(wecom: Caller, msgtype: str, part: dict[str, Any]) -> None:
    assert wecom.send(msgtype, part)["errcode"] == 44004


def test_markdown_over_2048_bytes_is_refused(wecom: Caller, sandbox: Sandbox) -> None:
    assert wecom.send("markdown", "x" * 2048)["errcode"] == 0
    assert wecom.send("markdown", "好" * 683)["errcode"] == 45002
    assert [m["content"] for m in sandbox.messages()] == ["x" * 2048]


@pytest.mark.parametrize("msgtype", ["markdown_v2", "", "Text", "nonsense"])
def test_an_unknown_msgtype_is_40008(wecom: Caller, msgtype: str) -> None:
    assert wecom.send(msgtype)["errcode"] == 40008


def test_a_textcard_is_cut(wecom: Caller, sandbox: Sandbox) -> None:
    assert wecom.send("textcard", {**CARD, "title": "t" * 129, "description": "d" * 513})["errcode"] == 0
    assert last(sandbox)["content"] == "t" * 128 + "\n" + "d" * 512


@pytest.mark.parametrize(
    ("change", "errcode"),
    [
        ({"title": ""}, 41016),
        ({"description": ""}, 41033),
        ({"url": ""}, 41010),
        ({"url": "example.com"}, 45034),
        ({"url": "https://" + "x" * 2048}, 40039),
        ({"btntxt": 7}, 0),
    ],
)
def test_a_textcard_needs_title_description_and_url(wecom: Caller, change: dict[str, Any], errcode: int) -> None:
    assert wecom.send("textcard", {**CARD, **change})["errcode"] == errcode


def test_news_has_one_to_eight_articles(wecom: Caller, sandbox: Sandbox) -> None:
    assert wecom.send("news", {"articles": [ARTICLE] * 8})["errcode"] == 0
    assert last(sandbox)["content"] == "\n".join(["t\nd"] * 8)
    assert wecom.send("news", {"articles": [ARTICLE] * 9})["errcode"] == 45008
    assert wecom.send("news", {"articles": []})["errcode"] == 40063


@pytest.mark.parametrize(
    ("article", "errcode"),
    [
        ({"title": "t"}, 41010),
        ({"title": "t", "appid": "a", "pagepath": "p"}, 0),
        ({"url": "https://example.com/"}, 41016),
        ({**ARTICLE, "picurl": "ftp://example.com/"}, 40039),
        ({**ARTICLE, "url": "/relative"}, 40039),
        ({**ARTICLE, "url": "https://" + "x" * 2048}, 40039),
        ("text", 40063),
    ],
)
def test_an_article_needs_title_and_target(wecom: Caller, article: Any, errcode: int) -> None:
    assert wecom.send("news", {"articles": [article]})["errcode"] == errcode


def test_news_cannot_be_kept_safe(wecom: Caller) -> None:
    assert wecom.send("news", {"articles": [ARTICLE]}, safe=0)["errcode"] == 0
    assert wecom.send("news", {"articles": [ARTICLE]}, safe=1)["errcode"] == 40074


@pytest.mark.parametrize(
    ("safe", "errcode"), [(0, 0), (1, 0), (2, 40058), (9, 40058), ("1", 0), ("0", 0), ("9", 40058), (True, 0)]
)
def test_safe_of_a_text_is_0_or_1(wecom: Caller, safe: Any, errcode: int) -> None:
    assert wecom.send(safe=safe)["errcode"] == errcode


@pytest.mark.parametrize(
    ("kind", "data", "content"), [("file", b"a log file", "a.log"), ("image", JPG, ""), ("voice", AMR, "a.log")]
)
def test_uploaded_media_is_sent_by_its_id(
    wecom: Caller, sandbox: Sandbox, kind: str, data: bytes, content: str
) -> None:
    media_id = wecom.upload(kind, data)["media_id"]
    assert wecom.send(kind, {"media_id": media_id})["errcode"] == 0
    assert last(sandbox)["content"] == content
    assert wecom.send(kind, {"media_id": "unknown"})["errcode"] == 40007
    assert wecom.send(kind, {})["errcode"] == 41006


def test_media_of_another_type_is_40007(wecom: Caller) -> None:
    media_id = wecom.upload("image", JPG)["media_id"]
    assert wecom.send("file", {"media_id": media_id})["errcode"] == 40007


def test_media_lives_three_days(wecom: Caller, clock: FakeClock) -> None:
    media_id = wecom.upload("file", b"a log file")["media_id"]
    clock.now += 3 * 24 * 3600
    token = wecom.gettoken()["access_token"]
    assert wecom.send("file", {"media_id": media_id}, token=token)["errcode"] == 40007


def test_a_video_shows_title_and_description(wecom: Caller, sandbox: Sandbox) -> None:
    media_id = wecom.upload("video", MP4)["media_id"]
    assert wecom.send("video", {"media_id": media_id, "title": "t", "description": "d"})["errcode"] == 0
    assert last(sandbox)["content"] == "t\nd"


def test_mpnews_needs_a_picture_and_content_within_666_kb(wecom: Caller, sandbox: Sandbox) -> None:
    article = {"title": "t", "thumb_media_id": wecom.upload("image", JPG)["media_id"], "content": "c", "digest": "d"}
    assert wecom.send("mpnews", {"articles": [article]}, safe=2)["errcode"] == 0
    assert last(sandbox)["content"] == "t\nd"
    assert wecom.send("mpnews", {"articles": [{**article, "thumb_media_id": ""}]})["errcode"] == 41006
    assert wecom.send("mpnews", {"articles": [{**article, "content": "x" * 700_000}]})["errcode"] == 45002


@pytest.mark.parametrize("card", [NOTICE, NEWS_NOTICE])
def test_a_notice_card_is_delivered(wecom: Caller, sandbox: Sandbox, card: dict[str, Any]) -> None:
    assert wecom.send("template_card", {**card, "sub_title_text": "s"})["errcode"] == 0
    assert last(sandbox)["content"] == "t\nd\ns"


def test_a_text_notice_may_have_a_second_title_alone(wecom: Caller, sandbox: Sandbox) -> None:
    assert wecom.send("template_card", {**NOTICE, "main_title": {}, "sub_title_text": "s"})["errcode"] == 0
    assert last(sandbox)["content"] == "s"


@pytest.mark.parametrize(
    ("card", "errcode"),
    [
        ({**NOTICE, "card_type": "nonsense"}, 42031),
        ({**NOTICE, "main_title": {}}, 42033),
        ({**NEWS_NOTICE, "main_title": {}, "sub_title_text": "s"}, 42033),
        ({**NOTICE, "card_action": None}, 42045),
        ({**NOTICE, "card_action": {"type": 1}}, 42028),
        ({**NOTICE, "card_action": {"type": 2}}, 42030),
        ({**NOTICE, "jump_list": [{"title": "t"}] * 3}, 0),
        ({**NOTICE, "jump_list": [{"title": "t"}] * 4}, 42042),
        ({**NOTICE, "jump_list": [{"type": 0}]}, 42033),
        ({**NOTICE, "horizontal_content_list": [{"keyname": "k", "value": "v"}] * 6}, 0),
        ({**NOTICE, "horizontal_content_list": [{"keyname": "k"}] * 7}, 42035),
        ({**NOTICE, "horizontal_content_list": [{"value": "v"}]}, 42027),
        ({**NOTICE, "horizontal_content_list": [{"keyname": "k", "type": 1}]}, 42028),
        ({**NOTICE, "horizontal_content_list": [{"keyname": "k", "type": 2}]}, 42029),
        ({**NOTICE, "horizontal_content_list": [{"keyname": "k", "type": 2, "media_id": "x"}]}, 40007),
        ({**NOTICE, "horizontal_content_list": [{"keyname": "k", "type": 3}]}, 42050),
        ({**NOTICE, "task_id": "a b"}, 42014),
        ({**NOTICE, "task_id": "a" * 129}, 42014),
        ({**NOTICE, "action_menu": {"action_list": [{"text": "t", "key": "k"}]}}, 42014),
        ({**NEWS_NOTICE, "card_image": {}}, 42044),
        ({**NEWS_NOTICE, "card_image": {}, "image_text_area": {"image_url": "https://example.com/"}}, 0),
        ({**NEWS_NOTICE, "vertical_content_list": [{"title": "t"}] * 5}, 42036),
        ({**NEWS_NOTICE, "vertical_content_list": [{}]}, 42033),
        ({**NOTICE, "card_type": "button_interaction"}, 42014),
        ({**NOTICE, "card_type": "button_interaction", "task_id": "1"}, 43012),
    ],
)
def test_a_card_has_its_required_fields(wecom: Caller, card: dict[str, Any], errcode: int) -> None:
    assert wecom.send("template_card", card)["errcode"] == errcode


def test_a_notice_of_a_mini_program_needs_one_that_is_linked(wecom: Caller) -> None:
    assert wecom.send("miniprogram_notice", {})["errcode"] == 90200
    assert wecom.send("miniprogram_notice", {"appid": "wx123", "title": "title"})["errcode"] == 90206


@pytest.mark.parametrize("interval", [-1, 14401])
def test_the_interval_of_duplicates_has_its_bounds(wecom: Caller, interval: int) -> None:
    answer = wecom.send(duplicate_check_interval=interval)
    assert (answer["errcode"], answer["errmsg"].split(" ")[0]) == (40058, "duplicate_check_interval")


def test_half_a_surrogate_pair_is_40033(wecom: Caller) -> None:
    raw = b'{"touser": "sandbox-user", "text": {"content": "\\ud800"}}'
    assert wecom.post("/cgi-bin/message/send", data=raw, access_token=wecom.token())["errcode"] == 40033


def update(wecom: Caller, **body: Any) -> dict[str, Any]:
    address = "/cgi-bin/message/update_template_card"
    answer: dict[str, Any] = wecom.post(address, {"agentid": 1000002, **body}, access_token=wecom.token())
    return answer


def test_a_card_of_an_app_with_a_callback_is_rewritten_once(wecom: Caller, sandbox: Sandbox, clock: FakeClock) -> None:
    sandbox.add_member("lisi")
    assert wecom.send("template_card", card())["errcode"] == 43012
    sandbox.add_fault({"app_callback": True})
    sent = wecom.send("template_card", card(), touser="sandbox-user|lisi")
    assert wecom.send("template_card", card())["errcode"] == 42014  # its task_id is taken
    assert "response_code" not in wecom.send("template_card", NOTICE)
    code = {"response_code": sent["response_code"]}
    assert update(wecom, **code, userids=["sandbox-user"])["errcode"] == 40058  # with what?
    assert update(wecom, **code, template_card=NOTICE)["errcode"] == 82001  # for whom?
    assert update(wecom, **code, userids=["nobody"], template_card=NOTICE)["errcode"] == 81013
    assert update(wecom, **code, userids=["lisi"], template_card={"card_type": "x"})["errcode"] == 42031
    done_answer = update(wecom, **code, userids=["lisi", "nobody"], template_card=done("taken"))
    assert (done_answer["errcode"], done_answer["invaliduser"]) == (0, ["nobody"])
    assert update(wecom, **code, atall=1, template_card=done("again"))["errcode"] == 60140
    (message,) = sandbox.messages(contains="taken")
    assert message["id"] == sent["msgid"]
    assert {user: one["main_title"]["title"] for user, one in message["cards"].items()} == {
        "sandbox-user": "A17 · 312 errors",
        "lisi": "taken",
    }
    assert [rewrite["userids"] for rewrite in message["rewrites"]] == [["lisi"]]


def test_buttons_of_a_card_become_a_text_within_three_days(wecom: Caller, sandbox: Sandbox, clock: FakeClock) -> None:
    sandbox.add_fault({"app_callback": True})
    first, second = (wecom.send("template_card", card(f"a17-{number}"))["response_code"] for number in (1, 2))
    assert update(wecom, response_code=first, atall=1, button={"replace_name": "taken"})["errcode"] == 0
    (message,) = sandbox.messages(contains="taken")
    assert message["cards"]["sandbox-user"]["replace_text"] == "taken"
    clock.now += 72 * 3600
    token = wecom.gettoken()["access_token"]
    wish = {"agentid": 1000002, "response_code": second, "atall": 1, "button": {"replace_name": "taken"}}
    assert wecom.post("/cgi-bin/message/update_template_card", wish, access_token=token)["errcode"] == 60140
