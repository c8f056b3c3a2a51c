"""Bodies as WeCom reads them: numbers in quotes, JSON that is not quite one, values of a wrong type; and `strict`."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from wecom_logging._sandbox import Sandbox

from .caller import Caller, Clerk

OK = '{"touser": "sandbox-user", "agentid": 1000002, "msgtype": "text", "text": {"content": "x"}}'
WARNED = "ok. Warning: wrong json format. "


def send(wecom: Caller, raw: str | bytes) -> dict[str, Any]:
    data = raw.encode() if isinstance(raw, str) else raw
    answer: dict[str, Any] = wecom.post("/cgi-bin/message/send", data=data, access_token=wecom.token())
    return answer


@pytest.mark.parametrize(
    ("raw", "content"),
    [
        (OK.replace('"x"}}', '"x"},}'), "x"),
        (OK.replace('"x"}}', '"x",}}'), "x"),
        (OK.replace('"x"', '"a\nb\tc"'), "a\nb\tc"),
        (OK[:-1], "x"),
        (OK[:-2], "x"),
        (OK[:-2] + ",", "x"),
        (OK.replace('"x"', r'"a \" } , ] b"')[:-1], 'a " } , ] b'),
        (OK.replace('"msgtype"', '"enable_duplicate_check": [], "msgtype"'), "x"),
    ],
)
def test_json_that_is_not_quite_one_is_delivered_with_a_warning(wecom: Caller, raw: str, content: str) -> None:
    answer = send(wecom, raw)
    assert (answer["errcode"], answer["errmsg"]) == (0, WARNED)
    (message,) = wecom.sandbox.messages()
    assert (message["content"], bool(message["warning"])) == (content, True)


def test_a_byte_order_mark_is_no_defect(wecom: Caller) -> None:
    assert send(wecom, b"\xef\xbb\xbf" + OK.encode())["errmsg"] == "ok"


@pytest.mark.parametrize("raw", [b"", b"{", b"7", b"\xff", b"[" * 100_000, b'{"a":1e999}', b"{'a': 1}", b"a=1&b=2"])
def test_what_cannot_be_read_is_an_empty_object(wecom: Caller, raw: bytes) -> None:
    assert send(wecom, raw)["errcode"] == 41011


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_another_encoding_is_not_guessed(wecom: Caller, encoding: str) -> None:
    assert send(wecom, OK.encode(encoding))["errmsg"].startswith("Warning: wrong json format. missing agentid, hint")


def test_of_gbk_the_texts_are_lost(wecom: Caller) -> None:
    body = '{"msgtype": "text", "text": {"content": "数据库连接失败"}}'.encode("gbk")
    answer = wecom.post("/cgi-bin/webhook/send", data=body, key="sandbox-bot")
    assert answer["errcode"] == 44004
    assert answer["errmsg"].startswith("Warning: wrong json format. empty content, hint: [")


def test_a_bare_list_is_json_and_holds_nothing(clerk: Clerk) -> None:
    answer = clerk._caller.post("/cgi-bin/user/batchdelete", ["3", "4"], access_token=clerk._token)
    assert (answer["errcode"], answer["errmsg"][:26]) == (40063, "some parameters are empty,")


@pytest.mark.slow
def test_mending_takes_linear_time(wecom: Caller) -> None:
    def seconds(count: int) -> float:
        raw = '{"a": [' + '"x\n", [1, ], ' * count
        began = time.process_time()  # the sandbox has a thread of its own
        assert send(wecom, raw)["errcode"] == 41011
        return time.process_time() - began

    seconds(10)
    assert seconds(60_000) < 40 * max(seconds(6_000), 0.05)  # what is quadratic: 100


WRONG_TYPES: list[tuple[dict[str, Any], int, str]] = [
    ({"touser": ["sandbox-user"]}, 82001, "touser"),
    ({"toparty": 1}, 0, "toparty"),
    ({"msgtype": 7}, 40008, "msgtype"),
    ({"text": "hello"}, 44004, "text"),
    ({"text": {"content": 7}}, 44004, "text.content"),
    ({"enable_duplicate_check": True}, 0, "enable_duplicate_check"),
    ({"safe": 1.0}, 0, "safe"),
]


@pytest.mark.parametrize(("change", "errcode", "field"), WRONG_TYPES)
def test_a_value_of_a_wrong_type_is_dropped(
    wecom: Caller, strict: Caller, change: dict[str, Any], errcode: int, field: str
) -> None:
    """A strict sandbox refuses it, and names the field."""
    whole = json.dumps({**json.loads(OK), **change})
    answer = send(wecom, whole)
    assert answer["errcode"] == errcode
    assert "Warning: wrong json format. " in answer["errmsg"]
    refused = send(strict, whole)
    assert refused["errcode"] == 40058
    assert refused["errmsg"].startswith(f"{field} ")


NUMBERS: list[dict[str, Any]] = [{"safe": "0"}, {"agentid": "1000002"}, {"enable_duplicate_check": "1"}]


@pytest.mark.parametrize("change", NUMBERS)
def test_a_number_may_be_written_as_a_text_and_nothing_is_said(
    wecom: Caller, strict: Caller, change: dict[str, Any]
) -> None:
    whole = json.dumps({**json.loads(OK), **change})
    assert send(wecom, whole)["errmsg"] == "ok"
    assert wecom.sandbox.messages()[-1]["warning"] == ""
    assert send(strict, whole)["errcode"] == 40058


@pytest.mark.parametrize("raw", [OK[:-1], OK.encode("utf-16"), b"[]", b"{", b""])
def test_strict_wants_json(strict: Caller, raw: str | bytes) -> None:
    assert send(strict, raw)["errcode"] == 40058
    assert strict.sandbox.messages() == []


def test_one_in_place_of_a_list_is_a_list_of_one(clerk: Clerk, sandbox: Sandbox) -> None:
    sandbox.add_department(2)
    answer = clerk.create(department="2")
    assert (answer["errcode"], answer["errmsg"]) == (0, "created. Warning: wrong json format. ")
    assert clerk.read("user/get", userid="lisi")["department"] == [2]
    refused = clerk.create("wang", department="[1, 2]")
    assert (refused["errcode"], refused["errmsg"][:48]) == (40066, "Warning: wrong json format. invalid party list, ")


def test_a_warning_is_shown_with_the_call(wecom: Caller) -> None:
    send(wecom, OK[:-1])
    (_, exchange) = wecom.sandbox._corp.journal.newest(1, after=0)[0]
    assert (exchange.errmsg, exchange.warning) == (WARNED, "the body is not JSON")


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_token_may_be_asked_for_either_way(wecom: Caller, strict: Caller, method: str) -> None:
    for caller, errcode in ((wecom, 0), (strict, 0 if method == "GET" else 40058)):
        url = caller.sandbox.url + "/cgi-bin/gettoken"
        credentials = {"corpid": "wwsandbox", "corpsecret": "sandbox-app-secret"}
        response = caller.session.request(method, url, params=credentials, timeout=10)
        assert response.json()["errcode"] == errcode
        if method == "POST":
            assert caller.post("/cgi-bin/gettoken", credentials)["errcode"] == errcode
            assert caller.post("/cgi-bin/gettoken", {"corpid": "wwsandbox"})["errcode"] == (errcode or 41004)
            assert "wrong json" not in caller.post("/cgi-bin/gettoken")["errmsg"]


def test_a_call_for_get_is_taken_by_post(wecom: Caller, strict: Caller) -> None:
    """As PowerWeChat 3 sends both."""
    asked = {"/cgi-bin/agent/get": {"agentid": "1000002"}, "/cgi-bin/media/get": {"media_id": ""}}
    for caller in (wecom, strict):
        asked["/cgi-bin/media/get"]["media_id"] = caller.upload("file", b"a,b\n1,2\n")["media_id"]
        for path, params in asked.items():
            all = {**params, "access_token": caller.token()}
            answer = caller.session.post(caller.sandbox.url + path, params=all, timeout=10)
            assert answer.headers["Error-Code"] == ("0" if caller is wecom else "40058")
            assert caller.session.get(answer.url, timeout=10).headers["Error-Code"] == "0"
            assert caller.session.put(answer.url, timeout=10).headers["Error-Code"] == "40058"
    warnings = [exchange.warning for _, exchange in wecom.sandbox._corp.journal.newest(6, after=0)]
    assert warnings == ["the documents ask with GET", "", ""] * 2


def test_a_secret_in_a_body_is_not_kept(wecom: Caller) -> None:
    wecom.post("/cgi-bin/gettoken", {"corpid": "wwsandbox", "corpsecret": "a-wrong-secret-of-mine"})
    wecom.post("/cgi-bin/gettoken", {"corpid": "wwsandbox", "corpsecret": "sandbox-app-secret"})
    shown = [exchange.body for _, exchange in wecom.sandbox._corp.journal.newest(2, after=0)]
    assert all('"corpsecret": "***"' in body for body in shown)


@pytest.mark.parametrize("path", ["/cgi-bin//gettoken", "//cgi-bin///gettoken"])
def test_a_slash_too_many_is_none(wecom: Caller, strict: Caller, path: str) -> None:
    params = {"corpid": "wwsandbox", "corpsecret": "sandbox-app-secret"}
    codes = [
        caller.session.get(caller.sandbox.url + path, params=params, timeout=20).status_code
        for caller in (wecom, strict)
    ]
    assert codes == [200, 404]
