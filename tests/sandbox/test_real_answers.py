"""Answers of WeCom itself that people pasted in public, each with its request: how many does the sandbox give?

Most are of 2018 to 2026. Identifiers are replaced by the sandbox's own.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests

from wecom_logging._sandbox import Sandbox

from .caller import JPG, Caller

TEXT = {"touser": "sandbox-user", "agentid": 1000002, "msgtype": "text", "text": {"content": "x"}}
SECRET = "sandbox-app-secret"
BOT_TEXT = {"msgtype": "text", "text": {"content": "x"}}
WARNING = "Warning: wrong json format. "
MD5 = "media md5 not match, hint: ["
Ask = Callable[["Asker"], requests.Response]


class Asker:
    """Requests as they were pasted: by bytes and parameters."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self.app = caller.gettoken()["access_token"]
        self.contacts = caller.gettoken("sandbox-contacts-secret")["access_token"]

    def token_of(self, secret: str) -> str:
        token: str = self._caller.gettoken(secret)["access_token"]
        return token

    def fail(self, path: str, errcode: int) -> None:
        self._caller.sandbox.fail(path, errcode)

    def untrusted(self, ask: Ask) -> requests.Response:
        """The same from an address that is not among the trusted ones."""
        self._caller.post("/sandbox/faults", {"trusted_ips": ["192.0.2.1"]})
        answer = ask(self)
        self._caller.post("/sandbox/faults", {"trusted_ips": None})
        return answer

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

    def with_app(self, path: str, body: Any = None, secret: str = "sandbox-app-secret", **params: Any) -> Any:
        method = "POST" if body is not None else "GET"
        return self.ask(method, path, body, access_token=self.token_of(secret), **params)

    def upload(self, named: str) -> requests.Response:
        """A part of a file with that in its ``Content-Disposition``."""
        body = f"--x\r\nContent-Disposition: form-data; {named}\r\n\r\n123456\r\n--x--\r\n"
        url = f"{self._caller.sandbox.url}/cgi-bin/media/upload?type=file&access_token={self.app}"
        form = {"Content-Type": "multipart/form-data; boundary=x"}
        return self._caller.session.post(url, data=body.encode(), headers=form, timeout=20)

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


CLICK = {"type": "click", "name": "status", "key": "status"}
GROUP = {"name": "ops", "userlist": ["sandbox-user", "zhangsan"], "chatid": "ops"}
HELLO = {"chatid": "ops", "msgtype": "text", "text": {"content": "x"}}
IMAGE = {"base64": base64.b64encode(JPG).decode(), "md5": "0" * 32}


def of_another_app(asker: Asker) -> requests.Response:
    asker.with_app("appchat/create", GROUP)
    answer: requests.Response = asker.with_app("appchat/send", HELLO, "other-secret")
    return answer


def failing(path: str, errcode: int, ask: Ask) -> Ask:
    """What WeCom is too slow or too busy for, the sandbox is told to refuse."""

    def told(asker: Asker) -> requests.Response:
        asker.fail(path, errcode)
        return ask(asker)

    return told


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
    Real(
        "message/send from an address that is not trusted",
        lambda a: a.untrusted(lambda a: a.send()),
        60020,
        "not allow to access from your ip, hint: [",
    ),
    Real(
        "user/get of nobody, not trusted",
        lambda a: a.untrusted(lambda a: a.with_app("user/get", userid="nobody")),
        60020,
        "not allow to access from your ip, hint: [",
        LISTS,
    ),
    Real(
        "getcallbackip, not trusted",
        lambda a: a.untrusted(lambda a: a.with_app("getcallbackip")),
        60020,
        "not allow to access from your ip, hint: [",
        {"ip_list": []},
    ),
    Real("/cgi-bin//gettoken", lambda a: a.ask("GET", "/gettoken", corpid="wwsandbox", corpsecret=SECRET), 0, "ok"),
    Real("/cgi-bin//webhook/send", lambda a: a.ask("POST", "/webhook/send", BOT_TEXT, key="sandbox-bot"), 0, "ok"),
    Real(
        "a department that is not there, among others",
        lambda a: a.send({"toparty": "99"}),
        0,
        "ok",
        {"invaliduser": "", "invalidparty": "99"},
    ),
    Real(
        "a tag that is not there, among others",
        lambda a: a.send({"totag": "99"}),
        0,
        "ok",
        {"invaliduser": "", "invalidtag": "99"},
    ),
    Real(
        "no msgtype, and a field of a wrong type",
        lambda a: a.send({"msgtype": None, "text": "x", "touser": ["sandbox-user"], "toparty": "1"}),
        40008,
        f"{WARNING}invalid message type, hint: [",
    ),
    Real(
        "bot, news with half an address and no list",
        lambda a: a.push({"msgtype": "news", "news": {"articles": {"title": "t", "url": "/x"}}}),
        40039,
        f"{WARNING}invalid url size, hint: [",
    ),
    Real("bot, image of another md5", lambda a: a.push({"msgtype": "image", "image": IMAGE}), 301019, MD5),
    Real(
        "bot, too many in a minute",
        failing("webhook/send", 45009, lambda a: a.push(BOT_TEXT)),
        45009,
        "api freq out of limit, hint: [",
    ),
    Real(
        "upload_media, all well",
        lambda a: a.ask("POST", "webhook/upload_media", files=FILE, key="sandbox-bot", type="file"),
        0,
        "ok",
        {"type": "file", "media_id": ..., "created_at": ...},
    ),
    Real("media/upload, a part named file", lambda a: a.upload('name="file"; filename="a.log"'), 0, "ok"),
    Real(
        "media/upload, a name as RFC 2231 has it",
        lambda a: a.upload("name=\"file\"; filename*=utf-8''%E6%B5%8B%E8%AF%95.txt"),
        44001,
        "empty media data, hint: [",
    ),
    Real("tag/get, unknown", lambda a: a.write("tag/get", tagid=99), 40068, "invalid tagid, hint: ["),
    Real("tag/create", lambda a: a.write("tag/create", {"tagname": "on call"}), 0, "created", {"tagid": ...}),
    Real(
        "tag/addtagusers, many at a time",
        failing("tag/addtagusers", 45033, lambda a: a.write("tag/addtagusers", {"tagid": 1})),
        45033,
        "api concurrent out of limit, hint: [",
    ),
    Real("user/create, userid taken", lambda a: a.create(userid="zhangsan"), 60102, "userid existed, hint: ["),
    Real(
        "user/create, mobile taken, and no list of departments",
        lambda a: a.create(userid="wang", mobile="13800000001", department=1),
        60104,
        f"{WARNING}mobile existed:zhangsan, hint: [",
    ),
    Real(
        "menu/get without a menu",
        lambda a: a.with_app("menu/get", agentid=1000002),
        46003,
        "menu no exist, hint: [",
    ),
    Real(
        "menu/create, four buttons",
        lambda a: a.with_app("menu/create", {"button": [CLICK] * 4}, agentid=1000002),
        40058,
        "field `button` expect array size in [1, 3]. invalid Request Parameter, hint: [",
    ),
    Real("menu/create", lambda a: a.with_app("menu/create", {"button": [CLICK]}, agentid=1000002), 0, "ok"),
    Real(
        "appchat/create, an app that does not see all",
        lambda a: a.with_app("appchat/create", {**GROUP, "chatid": "few"}, "narrow-secret"),
        60011,
        "no privilege to access/modify contact/party/agent , hint: [",
    ),
    Real(
        "appchat/send, another app's group",
        of_another_app,
        86008,
        "you has no privilege to access this chat, which is created by other agent., hint: [",
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
    sandbox.add_app("narrow-secret", 1000004)
    sandbox.set_visible_range(1000004, users=["sandbox-user"])
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


def test_an_answer_is_written_without_spaces(asker: Asker) -> None:
    """Scripts look for ``"errcode":0`` in it."""
    answer = asker.push(BOT_TEXT)
    assert (answer.content, answer.headers["Content-Length"]) == (b'{"errcode":0,"errmsg":"ok"}', "27")
    assert len(asker.send().json()["msgid"]) == 86
    assert len(asker.app) == 214


def test_how_many_of_the_answers_the_sandbox_gives(asker: Asker) -> None:
    """One sandbox for all of them, so that none is helped by what the others leave behind."""
    found = [compare(asker, real) for real in ANSWERS]
    print(f"{len(ANSWERS)} answers: {sum(code for code, _ in found)} with WeCom's errcode, ", end="")
    print(f"{sum(whole for _, whole in found)} with its text and shape too")
    assert (len(ANSWERS), [real.request for real, (code, _) in zip(ANSWERS, found, strict=True) if not code]) == (
        66,
        [],
    )
