"""Whatever a body says, the answer is WeCom's: HTTP 200 with an errcode."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from wecom_logging._sandbox import Sandbox

from .caller import Caller

MSGTYPES = ["text", "markdown", "markdown_v2", "textcard", "news", "mpnews", "image", "file", "video", "template_card"]
NAMES = [
    *["touser", "toparty", "totag", "safe", "agentid", "msgid", "enable_duplicate_check", "duplicate_check_interval"],
    *["content", "title", "description", "url", "articles", "media_id", "base64", "md5", "mentioned_list", "picurl"],
    *["card_type", "main_title", "card_action", "jump_list", "horizontal_content_list", "type", "task_id", "keyname"],
    *[
        "userid",
        "name",
        "department",
        "order",
        "is_leader_in_dept",
        "mobile",
        "email",
        "direct_leader",
        "main_department",
    ],
    *[
        "id",
        "parentid",
        "tagid",
        "tagname",
        "userlist",
        "chatid",
        "owner",
        "button",
        "sub_button",
        "partylist",
        "useridlist",
        "cursor",
        "limit",
        "extattr",
        "gender",
    ],
    *["card_image", "vertical_content_list", "action_menu", "action_list", "thumb_media_id", "digest"],
]
WORDS = ["", "x", "@all", "sandbox-user", "1|2", "text_notice", "news_notice", "https://example.com/", "\ud800", "\0"]
LEAVES = st.none() | st.booleans() | st.integers(-3, 3) | st.floats() | st.sampled_from(WORDS) | st.text(max_size=5)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=5),
    max_leaves=12,
)
PARTS = st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=6)
ENVELOPES = st.fixed_dictionaries(
    {"touser": st.just("sandbox-user") | VALUES, "agentid": st.just(1000002) | VALUES},
    optional={"safe": VALUES, "enable_duplicate_check": VALUES, "duplicate_check_interval": VALUES, "msgid": VALUES},
)


@st.composite
def bodies(draw: st.DrawFn) -> Any:
    msgtype = draw(st.sampled_from(MSGTYPES))
    return {**draw(ENVELOPES), "msgtype": msgtype, msgtype: draw(PARTS | VALUES)}


@pytest.fixture(scope="module")
def caller() -> Iterator[Caller]:
    with Sandbox() as sandbox:
        caller = Caller(sandbox)
        yield caller
        caller.session.close()


def errcode(response: requests.Response) -> int:
    assert response.status_code == 200
    code = response.json()["errcode"]
    assert response.headers["Error-Code"] == str(code)
    return int(code)


def post(caller: Caller, path: str, raw: bytes) -> requests.Response:
    params = {"access_token": caller.token(), "key": "sandbox-bot", "type": "file"}
    return caller.session.post(caller.sandbox.url + path, params=params, data=raw, timeout=10)


SENDING = ["message/send", "message/recall", "webhook/send", "appchat/send", "appchat/create", "appchat/update"]


@pytest.mark.slow
@pytest.mark.parametrize("path", [*SENDING, "agent/set", "menu/create", "gettoken"])
@given(body=bodies() | VALUES)
@settings(deadline=None, max_examples=80)
def test_any_json_is_answered(caller: Caller, path: str, body: Any) -> None:
    errcode(post(caller, f"/cgi-bin/{path}", json.dumps(body).encode()))


@pytest.mark.parametrize(
    "path",
    [
        "/cgi-bin/message/send",
        "/cgi-bin/message/recall",
        "/cgi-bin/media/upload",
        "/cgi-bin/webhook/send",
        "/cgi-bin/webhook/upload_media",
    ],
)
@given(raw=st.binary(max_size=40))
@settings(deadline=None, max_examples=40)
def test_any_bytes_are_refused(caller: Caller, path: str, raw: bytes) -> None:
    assert errcode(post(caller, path, raw)) != 0


DIRECTORY = [
    *["department/create", "department/update", "user/create", "user/update", "user/batchdelete", "user/list_id"],
    *["user/getuserid", "user/get_userid_by_email", "batch/invite", "batch/syncuser", "batch/replaceuser"],
    *["user/convert_to_openid", "user/convert_to_userid"],
    *["tag/create", "tag/update", "tag/addtagusers", "tag/deltagusers"],
]
IDS = {"userid": st.just("sandbox-user"), "id": st.just(1), "tagid": st.just(1), "name": st.just("x")}
REQUESTS = st.builds(lambda part, ids: {**part, **ids}, PARTS, st.fixed_dictionaries({}, optional=IDS))
READING = ["user/get", "user/list", "department/get", "department/list", "tag/get", "user/delete"]


@pytest.mark.slow
@pytest.mark.parametrize("path", DIRECTORY)
@given(
    body=st.fixed_dictionaries({}, optional=IDS).flatmap(lambda ids: PARTS.map(lambda part: {**part, **ids})) | VALUES
)
@settings(deadline=None, max_examples=60)
def test_any_json_about_the_directory_is_answered(caller: Caller, path: str, body: Any) -> None:
    token = caller.gettoken("sandbox-contacts-secret")["access_token"]
    url = f"{caller.sandbox.url}/cgi-bin/{path}"
    raw = json.dumps(body).encode()
    errcode(caller.session.post(url, params={"access_token": token}, data=raw, timeout=10))


@pytest.mark.parametrize(
    "path", ["user/get", "user/list", "department/get", "department/list", "tag/get", "user/delete"]
)
@given(text=st.text(max_size=12) | st.integers().map(str))
@settings(deadline=None, max_examples=40)
def test_any_id_in_the_address_is_answered(caller: Caller, path: str, text: str) -> None:
    names = ("id", "userid", "department_id", "tagid")
    token = caller.gettoken("sandbox-contacts-secret")["access_token"]
    params = {**dict.fromkeys(names, text.encode(errors="replace")), "access_token": token}
    errcode(caller.session.get(f"{caller.sandbox.url}/cgi-bin/{path}", params=params, timeout=10))


@given(body=VALUES)
@settings(deadline=None, max_examples=100)
def test_any_fault_is_taken_or_refused_with_a_text(caller: Caller, body: Any) -> None:
    response = caller.session.post(caller.sandbox.url + "/sandbox/faults", data=json.dumps(body), timeout=10)
    assert response.status_code == 400
    assert response.json()["error"]
