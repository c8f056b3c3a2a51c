"""Answers of WeCom itself that people pasted in public, each with its request: how many does the sandbox give?

Most are of 2021 to 2026. Identifiers are replaced by the sandbox's own.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests

from wecom_logging._sandbox import Sandbox

from .caller import Caller

TEXT = {"touser": "sandbox-user", "agentid": 1000002, "msgtype": "text", "text": {"content": "x"}}
WARNING = "Warning: wrong json format. "
Ask = Callable[["Asker"], requests.Response]


class Asker:
    """Requests as they were pasted: by bytes and parameters."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self.app = caller.gettoken()["access_token"]
        self.contacts = caller.gettoken("sandbox-contacts-secret")["access_token"]

    def ask(self, method: str, path: str, data: Any = None, files: Any = None, **params: Any) -> requests.Response:
        url = f"{self._caller.sandbox.url}/cgi-bin/{path}"
        raw = json.dumps(data).encode() if isinstance(data, dict | list) else data
        return self._caller.session.request(method, url, data=raw, files=files, params=params, timeout=20)

    def send(self, change: Any = None, **params: Any) -> requests.Response:
        """An app's text, or what it is changed to; bytes as they are."""
        body = change if isinstance(change, bytes) else {**TEXT, **(change or {})}
        whole = {name: value for name, value in body.items() if value is not None} if isinstance(body, dict) else body
        return self.ask("POST", "message/send", whole, **{"access_token": self.app, **params})

    def push(self, body: Any, **params: Any) -> requests.Response:
        return self.ask("POST", "webhook/send", body, **{"key": "sandbox-bot", **params})

    def write(self, path: str, body: Any = None, **params: Any) -> requests.Response:
        return self.ask("POST" if body is not None else "GET", path, body, access_token=self.contacts, **params)

    def create(self, **fields: Any) -> requests.Response:
        whole = {"userid": "lisi", "name": "李四", "mobile": "13800000002", "department": [1], **fields}
        return self.write("user/create", {name: value for name, value in whole.items() if value is not None})


@dataclass(frozen=True, slots=True)
class Real:
    """What WeCom answered. ``errcode`` None is an HTTP 404 without a body; ``begins`` is how errmsg begins."""

    request: str
    ask: Ask
    errcode: int | None
    begins: str
    holds: dict[str, Any] = field(default_factory=dict)


def news(url: str) -> dict[str, Any]:
    return {"msgtype": "news", "news": {"articles": [{"title": "t", "description": "d", "url": url}]}}


CARD = {"title": "t", "description": "d", "url": "https://example.com/"}
RAW = json.dumps(TEXT).encode()
NESTED = {"msgtype": "template_card", "template_card": {"TextNotice": {"card_type": "text_notice"}}}
GBK = '{"msgtype": "text", "text": {"content": "数据库连接失败"}}'.encode("gbk")
EMPTY_FILE = {"media": ("a.log", b"")}
FILE = {"media": ("a.log", b"123456")}
LISTS: dict[str, Any] = {"department": [], "order": [], "is_leader_in_dept": [], "direct_leader": []}


def token(secret: str = "sandbox-app-secret", corp_id: str = "wwsandbox", method: str = "GET") -> Ask:
    return lambda asker: asker.ask(method, "gettoken", corpid=corp_id, corpsecret=secret)


ANSWERS = [
    Real("gettoken, wrong secret", token("wrong"), 40001, "invalid credential, hint: ["),
    Real("gettoken, wrong corpid", token(corp_id="wrong"), 40013, "invalid corpid, hint: ["),
    Real("gettoken without parameters", lambda a: a.ask("GET", "gettoken"), 41004, "corpsecret missing, hint: ["),
    Real("a path that is none", lambda a: a.ask("POST", "nonsense", {}), None, ""),
    Real("no access_token", lambda a: a.send(access_token=""), 41001, "access_token missing, hint: ["),
    Real("message/send, wrong token", lambda a: a.send(access_token="x"), 40014, "invalid access_token"),
    Real(
        "user/get, wrong token",
        lambda a: a.ask("GET", "user/get", access_token="x", userid="y"),
        40014,
        "invalid access_token",
        LISTS,
    ),
    Real(
        "user/list_id, wrong token",
        lambda a: a.ask("POST", "user/list_id", {}, access_token="x"),
        40014,
        "invalid access_token",
        {"dept_user": []},
    ),
    Real("message/send, all well", lambda a: a.send(), 0, "ok", {"invaliduser": ""}),
    Real("agentid missing", lambda a: a.send({"agentid": None}), 41011, "missing agentid, hint: [", {"msgid": ...}),
    Real("agentid of no app", lambda a: a.send({"agentid": 1000099}), 40056, "invalid agentid, hint: ["),
    Real(
        "agentid of another app",
        lambda a: a.send({"agentid": 1000003}),
        301002,
        "not allow operate another agent with this accesstoken., hint: [",
    ),
    Real(
        "nobody of touser is there",
        lambda a: a.send({"touser": "Nobody"}),
        81013,
        "user & party & tag all invalid, hint: [",
        {"invaliduser": "nobody"},
    ),
    Real("msgtype unknown", lambda a: a.send({"msgtype": "x"}), 40008, "invalid message type, hint: ["),
    Real(
        "textcard without title",
        lambda a: a.send({"msgtype": "textcard", "textcard": {**CARD, "title": ""}}),
        41016,
        "missing title, hint: [",
    ),
    Real(
        "textcard without description",
        lambda a: a.send({"msgtype": "textcard", "textcard": {**CARD, "description": ""}}),
        41033,
        "description missing, hint: [",
    ),
    Real("news with half an address", lambda a: a.send(news("/relative")), 40039, "invalid url size, hint: ["),
    Real("template_card one level too deep", lambda a: a.send(NESTED), 41016, "missing title, hint: ["),
    Real(
        "media_id unknown",
        lambda a: a.send({"msgtype": "file", "file": {"media_id": "x"}}),
        40007,
        "invalid media_id, hint: [",
    ),
    Real("the token of contacts-sync", lambda a: a.send(access_token=a.contacts), 48002, "api forbidden, hint: ["),
    Real("a comma too many", lambda a: a.send(RAW.replace(b'"x"}}', b'"x"},}')), 0, f"ok. {WARNING}"),
    Real("a bracket too few", lambda a: a.send(RAW[:-1]), 0, f"ok. {WARNING}"),
    Real(
        "bot, a newline inside a text",
        lambda a: a.push(b'{"msgtype": "text", "text": {"content": "one\ntwo"}}'),
        0,
        f"ok. {WARNING}",
    ),
    Real("bot, not UTF-8", lambda a: a.push(GBK), 44004, f"{WARNING}empty content, hint: ["),
    Real(
        "bot, text empty",
        lambda a: a.push({"msgtype": "text", "text": {"content": ""}}),
        44004,
        "empty content, hint: [",
    ),
    Real(
        "bot, markdown of 4097 bytes",
        lambda a: a.push({"msgtype": "markdown", "markdown": {"content": "x" * 4097}}),
        40058,
        "markdown.content exceed max length 4096. invalid Request Parameter, hint: [",
    ),
    Real("bot, wrong key", lambda a: a.push(TEXT, key="wrong"), 93000, "invalid webhook url, hint: ["),
    Real("bot, no key", lambda a: a.push(TEXT, key=None), 93000, "invalid webhook url, hint: ["),
    Real(
        "upload_media, wrong key and empty file",
        lambda a: a.ask("POST", "webhook/upload_media", files=EMPTY_FILE, key="wrong", type="file"),
        44001,
        "empty media data, hint: [",
    ),
    Real(
        "upload_media, no key",
        lambda a: a.ask("POST", "webhook/upload_media", files=FILE, type="file"),
        40058,
        "invalid param 'key', hint: [",
    ),
    Real(
        "department/create, name empty",
        lambda a: a.write("department/create", {"name": "", "parentid": 1}),
        40058,
        "name exceed min utf8 words 1. invalid Request Parameter, hint: [",
    ),
    Real(
        "department/create, a form",
        lambda a: a.write("department/create", b"name=x&parentid=1"),
        60001,
        f"{WARNING}department invalid length, hint: [",
    ),
    Real(
        "department/create, name taken",
        lambda a: a.write("department/create", {"name": "研发部", "parentid": 1}),
        60008,
        "department existed, hint: [",
    ),
    Real(
        "department/create, parent unknown",
        lambda a: a.write("department/create", {"name": "x", "parentid": 99}),
        60004,
        "parent department not found, hint: [",
    ),
    Real(
        "department/delete, people in it",
        lambda a: a.write("department/delete", id=3),
        60005,
        "department contains user, hint: [",
    ),
    Real(
        "department/delete, one below it",
        lambda a: a.write("department/delete", id=2),
        60006,
        "department contains sub-department, hint: [",
    ),
    Real("user/create, no userid", lambda a: a.create(userid=None), 41009, "missing userid, hint: ["),
    Real(
        "user/create, mobile taken",
        lambda a: a.create(mobile="13800000001"),
        60104,
        "mobile existed:zhangsan, hint: [",
    ),
    Real("user/create, one department, no list", lambda a: a.create(department="1"), 0, f"created. {WARNING}"),
    Real(
        "user/create, the list as a text",
        lambda a: a.create(userid="wang", mobile="13800000003", department="[1, 2]"),
        40066,
        f"{WARNING}invalid party list, hint: [",
    ),
    Real("user/get, unknown", lambda a: a.write("user/get", userid="nobody"), 60111, "userid not found, hint: ["),
    Real(
        "user/batchdelete, a bare list",
        lambda a: a.write("user/batchdelete", ["3", "4"]),
        40063,
        "some parameters are empty, hint: [",
    ),
]

ALSO = [
    Real("gettoken by POST", token(method="POST"), 0, "ok"),
    Real("agentid as a text", lambda a: a.send({"agentid": "1000002"}), 0, "ok"),
    Real(
        "getcallbackip, wrong token",
        lambda a: a.ask("GET", "getcallbackip", access_token="x"),
        40014,
        "invalid access_token, hint: [",
        {"ip_list": []},
    ),
    Real(
        "bot, text of 5121 bytes",
        lambda a: a.push({"msgtype": "text", "text": {"content": "x" * 5121}}),
        40058,
        "text.content exceed max length 5120. invalid Request Parameter, hint: [",
    ),
    Real(
        "department/create, name_en of 33",
        lambda a: a.write("department/create", {"name": "x", "name_en": "x" * 33, "parentid": 1}),
        40058,
        "name_en exceed max length 32. invalid Request Parameter, hint: [",
    ),
]


@pytest.fixture
def asker(wecom: Caller, sandbox: Sandbox) -> Asker:
    sandbox.add_app("other-secret", 1000003)
    sandbox.add_department(2, name="研发部")
    sandbox.add_department(3, name="后端组", parent_id=2)
    sandbox.add_member("zhangsan", departments=[3], mobile="13800000001")
    return Asker(wecom)


def compare(asker: Asker, real: Real) -> tuple[bool, bool]:
    """Whether the errcode is the same, and the whole answer."""
    response = real.ask(asker)
    if real.errcode is None or response.status_code != 200:
        same = response.status_code == 404 and real.errcode is None and not response.content
        return same, same
    answer = response.json()
    text_ends_there = real.begins.endswith(": [") or answer["errmsg"] == real.begins
    held = all(name in answer and value in (..., answer[name]) for name, value in real.holds.items())
    right = answer["errcode"] == real.errcode
    return right, right and answer["errmsg"].startswith(real.begins) and text_ends_there and held


@pytest.mark.parametrize("real", [*ANSWERS, *ALSO], ids=lambda real: real.request)
def test_the_sandbox_answers_like_wecom(asker: Asker, real: Real) -> None:
    assert compare(asker, real) == (True, True)


def test_how_many_of_the_answers_the_sandbox_gives(asker: Asker) -> None:
    """One sandbox for all of them, so that none is helped by what the others leave behind."""
    found = [compare(asker, real) for real in ANSWERS]
    print(f"{len(ANSWERS)} answers: {sum(code for code, _ in found)} with WeCom's errcode, ", end="")
    print(f"{sum(whole for _, whole in found)} with its text and shape too")
    assert (len(ANSWERS), [real.request for real, (code, _) in zip(ANSWERS, found, strict=True) if not code]) == (
        42,
        [],
    )
