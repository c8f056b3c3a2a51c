"""Whatever a body says, the answer is WeCom's: HTTP 200 with an errcode."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from wecom_logging.sandbox import Sandbox

from .caller import Caller

MSGTYPES = ["text", "markdown", "markdown_v2", "textcard", "news", "mpnews", "image", "file", "video", "template_card"]
NAMES = [
    *["touser", "toparty", "totag", "safe", "agentid", "msgid", "enable_duplicate_check", "duplicate_check_interval"],
    *["content", "title", "description", "url", "articles", "media_id", "base64", "md5", "mentioned_list", "picurl"],
    *["card_type", "main_title", "card_action", "jump_list", "horizontal_content_list", "type", "task_id", "keyname"],
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


@pytest.mark.parametrize("path", ["/cgi-bin/message/send", "/cgi-bin/message/recall", "/cgi-bin/webhook/send"])
@given(body=bodies() | VALUES)
@settings(deadline=None, max_examples=150)
def test_any_json_is_answered(caller: Caller, path: str, body: Any) -> None:
    errcode(post(caller, path, json.dumps(body).encode()))


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


@given(body=VALUES)
@settings(deadline=None, max_examples=100)
def test_any_fault_is_taken_or_refused_with_a_text(caller: Caller, body: Any) -> None:
    response = caller.session.post(caller.sandbox.url + "/sandbox/faults", data=json.dumps(body), timeout=10)
    assert response.status_code == 400
    assert response.json()["error"]
