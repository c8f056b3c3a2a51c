"""/sandbox/…: filters, waiting, what can be set, and the document that says so."""

from __future__ import annotations

import json
import re
import threading
import time
from contextlib import closing
from typing import Any
from urllib.parse import unquote

import pytest
import requests

from wecom_logging._sandbox import Sandbox
from wecom_logging._sandbox.mailbox import Message
from wecom_logging._sandbox.page.phone import seen_text

from ..programs import at_best, until
from .caller import Caller, FakeClock
from .talker import Talker


class Api:
    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self.sandbox = caller.sandbox

    def ask(self, method: str, path: str, body: Any = None, /, **params: Any) -> requests.Response:
        url = f"{self._caller.sandbox.url}/sandbox/{path}"
        return self._caller.session.request(method, url, json=body, params=params, timeout=60)

    def get(self, path: str, /, **params: Any) -> Any:
        return self.ask("GET", path, **params).json()


@pytest.fixture
def api(wecom: Caller) -> Api:
    return Api(wecom)


@pytest.mark.others
def test_the_document_is_openapi(api: Api) -> None:
    from openapi_spec_validator import validate

    validate(api.get("openapi.json"))


def test_the_document_names_each_path_that_is_answered(api: Api) -> None:
    document = api.get("openapi.json")
    for path, methods in document["paths"].items():
        for method in methods:
            call = path.removeprefix("/sandbox/").replace("{", "").replace("}", "")
            status = api.ask(method.upper(), call, {} if method == "post" else None, timeout=0).status_code
            assert status != 405, (method, path)
            assert str(status) in {**document["paths"][path][method]["responses"], "404": 0}, (method, path)


@pytest.fixture
def mail(wecom: Caller, clock: FakeClock) -> None:
    wecom.sandbox.add_member("lisi")
    wecom.send(part="🔴 ERROR shop: No Stock")
    clock.now += 10
    wecom.send("markdown", "🚨 CRITICAL shop: disk full", touser="LISI")
    clock.now += 10
    wecom.push(part="✅ shop: over")


@pytest.mark.parametrize(
    ("params", "found"),
    [
        ({}, [0, 1, 2]),
        ({"contains": "no stock"}, [0]),
        ({"contains": "SHOP"}, [0, 1, 2]),
        ({"channel": "app"}, [0, 1]),
        ({"receiver": "lisi"}, [1]),
        ({"receiver": "sandbox-bot"}, [2]),
        ({"receiver": "g:1"}, [2]),
        ({"receiver": "g:2"}, []),
        ({"receiver": "g:0"}, []),
        ({"level": "critical"}, [1]),
        ({"level": "🔴"}, [0]),
        ({"level": "over"}, [2]),
        ({"msgtype": "text", "channel": "app"}, [0]),
        ({"since": 1_700_000_010}, [1, 2]),
        ({"until": 1_700_000_010}, [0, 1]),
        ({"contains": "nothing"}, []),
        ({"not_contains": "SHOP"}, []),
        ({"not_contains": "disk full"}, [0, 2]),
        ({"contains": "shop", "not_contains": "over"}, [0, 1]),
        ({"order": "newest"}, [2, 1, 0]),
        ({"order": "newest", "limit": 1}, [2]),
        ({"limit": 2}, [0, 1]),
        ({"order": "newest", "channel": "app", "limit": 1}, [1]),
    ],
)
def test_messages_are_found(mail: None, api: Api, params: dict[str, Any], found: list[int]) -> None:
    every = api.get("messages")
    assert api.get("messages", **params) == [every[i] for i in found]
    lines = api.ask("GET", "messages.jsonl", **params).text.splitlines()
    assert [json.loads(line) for line in lines] == [every[i] for i in found]


@pytest.mark.parametrize(
    ("path", "params", "field"),
    [
        ("messages", {"channel": "x"}, "channel"),
        ("messages", {"level": "loud"}, "level"),
        ("messages", {"since": "yesterday"}, "since"),
        ("messages", {"until": "nan"}, "until"),
        ("messages", {"text": "x"}, "text"),
        ("messages.jsonl", {"channel": "x"}, "channel"),
        ("events", {"channel": "x"}, "channel"),
        ("messages", {"count": "1"}, "count"),
        ("messages", {"limit": "0"}, "limit"),
        ("messages", {"order": "loud"}, "order"),
        ("messages", {"after": "unknown"}, "after"),
        ("wait", {"order": "newest"}, "order"),
        ("wait", {"at_most": "-1"}, "at_most"),
        ("wait", {"count": "3", "at_most": "2"}, "at_most"),
        ("calls", {"refused": "perhaps"}, "refused"),
        ("calls", {"path": "/elsewhere"}, "path"),
        ("calls/counts", {"errcode": "x"}, "errcode"),
        ("wait", {"count": "x"}, "count"),
        ("wait", {"timeout": "601"}, "timeout"),
    ],
)
def test_a_parameter_that_makes_no_sense_is_400_and_named(
    api: Api, path: str, params: dict[str, str], field: str
) -> None:
    response = api.ask("GET", path, **params)
    assert (response.status_code, response.json()["field"]) == (400, field)
    assert field in response.json()["error"]


def test_each_call_refuses_what_it_does_not_know_and_does_nothing(mail: None, api: Api) -> None:
    before = {path: api.get(path) for path in ("messages", "faults", "members", "limits")}
    for path, methods in api.get("openapi.json")["paths"].items():
        for method in methods:
            url = re.sub(r"\{\w+\}", "1", path.removeprefix("/sandbox/"))
            wish = {} if "requestBody" in methods[method] else None
            for params, body, field in (
                ({"recevier": "x"}, wish, "recevier"),
                ({}, {"recevier": "x"}, "recevier" if wish == {} else ""),
            ):
                response = api.ask(method.upper(), url, body, **params)
                assert (response.status_code, response.json()["field"]) == (400, field), (method, path, params, body)
    assert api.ask("GET", "events", recevier="x").json()["field"] == "recevier"
    assert {path: api.get(path) for path in before} == before


def test_a_parameter_that_is_there_twice_is_refused(mail: None, api: Api) -> None:
    for method, path in (("GET", "messages"), ("DELETE", "messages"), ("GET", "events")):
        response = api.ask(method, path, contains=["disk", "stock"])
        assert (response.status_code, response.json()["field"]) == (400, "contains")
    assert len(api.get("messages")) == 3


@pytest.mark.parametrize(
    ("params", "left"),
    [({"receiver": "lisi"}, [0, 2]), ({"channel": "app"}, [2]), ({"contains": "nothing"}, [0, 1, 2]), ({}, [])],
)
def test_what_fits_is_deleted(mail: None, api: Api, params: dict[str, str], left: list[int]) -> None:
    every = api.get("messages")
    assert api.ask("DELETE", "messages", **params).json() == {}
    assert api.get("messages") == [every[i] for i in left]


def test_two_who_test_at_once_lose_nothing_of_each_others(wecom: Caller, api: Api) -> None:
    for bot in ("first", "second"):
        api.ask("POST", "bots", {"key": bot})
        wecom.push(key=bot)
    api.ask("DELETE", "messages", receiver="first")
    assert [message["key"] for message in api.get("messages")] == ["second"]


def test_faults_of_one_path_and_limits_of_one_channel_are_taken_back(api: Api) -> None:
    for path in ("/cgi-bin/gettoken", "/cgi-bin/webhook/send"):
        api.ask("POST", "faults", {"path": path, "errcode": -1})
    api.ask("DELETE", "faults?path=/cgi-bin/gettoken")
    assert [fault["path"] for fault in api.get("faults")] == ["/cgi-bin/webhook/send"]
    for channel in ("app", "bot"):
        api.ask("POST", "limits", {"channel": channel, "limits": []})
    api.ask("DELETE", "limits", channel="app")
    limits = {row["channel"]: row["limits"] for row in api.get("limits")}
    assert (len(limits["app"]), limits["bot"]) == (2, [])


@pytest.mark.parametrize("path", ["/cgi-bin/message/sned", "/cgi-bin/gettoken/", "/aibot/aibot_send", "/aibot/pong"])
def test_a_fault_for_a_path_that_is_not_there_is_refused(api: Api, path: str) -> None:
    response = api.ask("POST", "faults", {"path": path, "drop": True})
    assert (response.status_code, response.json()["field"]) == (400, "path")
    with pytest.raises(ValueError, match=path):
        api.sandbox.fail(path, drop=True)
    for known in ("/cgi-bin/oa/getapprovalinfo", "/cgi-bin/ticket/get", "/aibot/ping", "/aibot"):
        assert api.ask("POST", "faults", {"path": known, "drop": True}).status_code == 200


CARD = {
    "card_type": "text_notice",
    "source": {"desc": "SHOP · prod"},
    "main_title": {"title": "Price missing", "desc": "in six minutes"},
    "horizontal_content_list": [{"keyname": "Host", "value": "web-7"}],
    "card_action": {"type": 1, "url": "https://example.com"},
}
ARTICLE = {"title": "Weekly report", "description": "All is well", "url": "https://example.com/unseen"}


@pytest.mark.parametrize(
    ("contains", "found"),
    [
        ("price MISSING", ["template_card"]),
        ("six minutes", ["template_card"]),
        ("web-7", ["template_card"]),
        ("weekly report", ["news"]),
        ("all is well", ["news"]),
        ("unseen", []),
        ("disk full", ["textcard"]),
        ("on the second day", ["textcard"]),
        ("look here", ["textcard"]),
        ("two words in bold", ["markdown"]),
        ("**two", ["markdown"]),
        ("@李四", ["text", "text"]),
        ("lisi", ["text"]),
        ("text_notice", []),
    ],
)
def test_all_that_a_person_reads_is_searched(wecom: Caller, api: Api, contains: str, found: list[str]) -> None:
    wecom.sandbox.add_member("lisi", name="王五")
    card = {"title": "Disk full", "description": '<div class="gray">on the second day</div>', "btntxt": "Look here"}
    wecom.send("textcard", {**card, "url": "https://example.com"})
    wecom.send("template_card", CARD)
    wecom.send("news", {"articles": [ARTICLE]})
    wecom.push("markdown", "**two words** in *bold*")
    wecom.push("text", {"content": "who?", "mentioned_list": ["lisi"]})
    wecom.push("text", {"content": "it is <@lisi>"})
    assert api.get("messages", contains="@王五")
    wecom.sandbox.add_member("lisi", name="李四")  # a new name counts at once
    assert [message["msgtype"] for message in api.get("messages", contains=contains)] == found


@pytest.mark.parametrize(
    "piece", ["[", "[a](", "[a](b(c", "[x](()", "\\[", "<@", "<font ", "[ ] ", "# ", "*", "(", "> "]
)
@pytest.mark.parametrize("msgtype", ["markdown", "stream"])
def test_no_text_makes_a_search_slow(piece: str, msgtype: str) -> None:
    def seconds(chars: int) -> float:
        content = (piece * chars)[:chars]
        message = Message("1", 0.0, "aibot", msgtype, content, b"{}")
        began = time.perf_counter()
        seen_text(message, {})
        return time.perf_counter() - began

    assert at_best(lambda: seconds(20_000), 0.2) < 0.2


def test_a_file_is_read_where_its_message_is(wecom: Caller, api: Api) -> None:
    media_id = wecom.upload("file", b"a,b\n1,2\n", "../日志\r\n.csv")["media_id"]
    wecom.send("file", {"media_id": media_id})
    wecom.send(part="no file")
    with_file, without = (message["id"] for message in api.get("messages"))
    answer = api.ask("GET", f"messages/{with_file}/files/0")
    assert (answer.status_code, answer.content) == (200, b"a,b\n1,2\n")
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    name = answer.headers["Content-Disposition"]
    assert name.startswith("attachment; filename*=UTF-8''")
    assert "/" not in unquote(name.partition("=")[2])
    for path in (f"messages/{with_file}/files/1", f"messages/{without}/files/0", "messages/unknown/files/0"):
        assert api.ask("GET", path).status_code == 404
    assert api.ask("GET", f"messages/{with_file}/files/..%2f..%2fetc").status_code == 404
    assert api.ask("DELETE", f"messages/{with_file}/files/0").status_code == 405


def test_one_message_is_read_and_deleted(mail: None, api: Api) -> None:
    first, *others = api.get("messages")
    assert api.get(f"messages/{first['id']}") == first
    assert api.ask("DELETE", f"messages/{first['id']}").status_code == 200
    assert api.get("messages") == others
    assert api.ask("DELETE", f"messages/{first['id']}").status_code == 404
    assert api.ask("GET", f"messages/{first['id']}").status_code == 404
    assert api.ask("DELETE", "messages").status_code == 200
    assert api.get("messages") == []


def test_waiting_ends_when_so_many_are_there(wecom: Caller, api: Api) -> None:
    wecom.push(part="disk full 1")
    wecom.push(part="something else")
    late = threading.Timer(0.1, lambda: [wecom.push(part=f"Disk full {i}") for i in (2, 3)])
    late.start()
    found = api.get("wait", count=3, contains="disk full", timeout=20)
    late.join()
    assert [message["content"] for message in found] == ["disk full 1", "Disk full 2", "Disk full 3"]


def test_waiting_in_vain_is_408_with_what_came(wecom: Caller, api: Api) -> None:
    wecom.push(part="one")
    response = api.ask("GET", "wait", count=2, timeout=0.01)
    assert response.status_code == 408
    assert response.json()["error"] == "1 of 2 came"
    assert [message["content"] for message in response.json()["messages"]] == ["one"]


def test_pages_are_read_one_after_the_other(wecom: Caller, api: Api) -> None:
    for number in range(5):
        wecom.push(part=f"number {number}")
    found: list[str] = []
    page = api.get("messages", order="newest", limit=2)
    while page:
        found += [message["content"] for message in page]
        wecom.push(part="one that comes meanwhile moves nothing")
        page = api.get("messages", order="newest", limit=2, after=page[-1]["id"])
    assert found == [f"number {number}" for number in (4, 3, 2, 1, 0)]


def test_none_may_come(wecom: Caller, api: Api) -> None:
    wecom.push(part="something else")
    began = time.monotonic()
    assert api.get("wait", count=0, contains="disk full", timeout=0.2) == []
    assert api.get("wait", at_most=0, contains="disk full", timeout=0.2) == []
    assert time.monotonic() - began >= 0.4
    late = threading.Timer(0.1, lambda: wecom.push(part="disk full"))
    late.start()
    answer = api.ask("GET", "wait", count=0, contains="disk full", timeout=20)
    late.join()
    assert (answer.status_code, answer.json()["error"]) == (409, "1 came, and at most 0 were wanted")
    assert [message["content"] for message in answer.json()["messages"]] == ["disk full"]


def test_exactly_two_and_at_most_two(wecom: Caller, api: Api) -> None:
    wecom.push(part="one")
    assert len(api.get("wait", count=0, at_most=2, timeout=0.01)) == 1
    assert api.ask("GET", "wait", count=2, at_most=2, timeout=0.01).status_code == 408
    wecom.push(part="two")
    assert len(api.get("wait", count=2, at_most=2, timeout=0.05)) == 2
    wecom.push(part="three")
    assert api.ask("GET", "wait", count=2, at_most=2, timeout=20).status_code == 409


def test_refused_calls_and_what_is_left_out_in_silence_are_counted(wecom: Caller, api: Api, clock: FakeClock) -> None:
    sends = "/cgi-bin/message/send"
    wecom.sandbox.fail("message/send", 45009, times=3)
    wecom.sandbox.fail("message/send", status=502)
    for _ in range(3):
        wecom.send()
    with pytest.raises(requests.JSONDecodeError):
        wecom.send()
    clock.now += 10
    for _ in range(31):  # 30 a minute reach a member
        assert wecom.send()["errcode"] == 0
    key = ("path", "errcode", "status", "count", "discarded")
    counts = [tuple(row[name] for name in key) for row in api.get("calls/counts", path=sends)]
    assert counts == [(sends, 45009, 200, 3, 0), (sends, None, 502, 1, 0), (sends, 0, 200, 31, 1)]
    assert len(api.get("calls", refused="true")) == 4
    assert len(api.get("calls", path=sends, refused="false")) == 31
    assert [call["discarded"] for call in api.get("calls", discarded="true")] == [1]
    assert len(api.get("calls", errcode=45009, until=clock.now - 5)) == 3
    assert api.get("calls", errcode=45009, since=clock.now) == []
    assert wecom.sandbox.count_calls("message/send", errcode=45009) == 3
    assert wecom.sandbox.count_calls(refused=True) == 4
    assert wecom.sandbox.count_calls(discarded=True) == 1


def test_one_call_brings_the_beginning_back(wecom: Caller, api: Api, clock: FakeClock) -> None:
    with Sandbox(clock=clock) as sandbox:
        assert sandbox.members()
    sandbox.seed({"members": [{"user_id": "zhangsan"}], "bots": [{"key": "ops-bot"}]})
    with sandbox, closing(Caller(sandbox).session):
        caller, own = Caller(sandbox), Api(Caller(sandbox))
        first = {name: own.get(name) for name in ("members", "departments", "tags", "bots", "apps", "limits", "clock")}
        aibot = own.get("aibot")
        caller.token()
        sandbox.seed({"members": [{"user_id": "lisi", "departments": [7]}], "tags": [{"id": 3, "users": ["lisi"]}]})
        sandbox.seed({"apps": [{"agent_id": 7, "secret": "another"}], "bots": [{"key": "third"}]})
        sandbox.seed({"limits": [{"channel": "bot", "limits": []}], "faults": [{"path": "/aibot/ping", "drop": True}]})
        for switch in ({"token_mode": "overlap"}, {"trusted_ips": []}, {"aibot_group_cards": True}):
            sandbox.add_fault(switch)
        sandbox.clock.advance(3600)
        sandbox.aibot.add_group("ops", ["lisi"], written=True)
        caller.push()
        with Talker(sandbox) as bot:
            assert own.ask("POST", "reset").json() == {}
            assert bot.code("ping") == 0
            assert bot.push() == 0  # still subscribed
            assert [message["channel"] for message in own.get("messages")] == ["aibot"]
        own.ask("POST", "reset")
        assert {name: own.get(name) for name in first} == first
        assert {**own.get("aibot"), "subscribers": 0, "connections": 0} == aibot
        assert own.get("faults") == []
        assert caller.send(agentid=1000002)["errcode"] == 0  # the token that it has
        assert caller.gettoken("another")["errcode"] == 40001
        sandbox.reset()
        assert (sandbox.messages(), sandbox.calls) == ([], ())


def test_a_group_of_before_is_gone_after_a_reset(wecom: Caller, api: Api) -> None:
    wecom.sandbox.add_member("lisi")
    group = {"chatid": "ops", "userlist": ["sandbox-user", "lisi"]}
    token = wecom.token()
    assert wecom.post("/cgi-bin/appchat/create", group, access_token=token)["errcode"] == 0
    api.ask("POST", "reset")
    wecom.sandbox.add_member("lisi")
    assert wecom.post("/cgi-bin/appchat/create", group, access_token=token)["errcode"] == 0


def test_what_was_deleted_does_not_count(wecom: Caller, api: Api) -> None:
    wecom.push(part="old")

    def replace() -> None:
        api.ask("DELETE", "messages")
        wecom.push(part="new 1")
        wecom.push(part="new 2")

    late = threading.Timer(0.1, replace)
    late.start()
    found = api.get("wait", count=2, timeout=20)
    late.join()
    assert [message["content"] for message in found] == ["new 1", "new 2"]


def test_stopping_ends_those_who_wait() -> None:
    """With an answer, or, where stopping is quicker, without one."""
    sandbox = Sandbox()
    sandbox.start()
    ended: list[str] = []

    def ask() -> None:
        try:
            ended.append(str(requests.get(f"{sandbox.url}/sandbox/wait?timeout=60", timeout=60).status_code))
        except requests.ConnectionError:
            ended.append("closed")

    asking = threading.Thread(target=ask)
    asking.start()
    until(lambda: sandbox._corp.changed._waiters)  # nothing else says that it waits
    began = time.monotonic()
    sandbox.stop()
    asking.join()
    assert ended in (["408"], ["closed"])
    assert time.monotonic() - began < 20


def test_it_says_how_it_is_and_what_it_keeps(wecom: Caller, api: Api, clock: FakeClock) -> None:
    wecom.push()
    wecom.upload("file", b"123456")
    health = api.get("health")
    assert (health["status"], health["strict"], health["now"]) == ("ok", False, clock.now)
    kept = health["kept"]
    assert kept["messages"]["count"] == 1
    assert 0 < kept["messages"]["bytes"] < kept["messages"]["most_bytes"] == 64 * 2**20
    assert (kept["files"]["bytes"], kept["files"]["most_bytes"]) == (6, 64 * 2**20)
    assert 0 < kept["calls"]["bytes"] < kept["calls"]["most_bytes"]


def test_members_departments_and_tags_come_and_go(wecom: Caller, api: Api) -> None:
    assert api.ask("POST", "departments", {"id": 7, "name": "研发部"}).status_code == 200
    member = {"user_id": "lisi", "name": "李 四", "departments": [7], "mobile": "13800000002", "leader_of": [7]}
    assert api.ask("POST", "members", member).status_code == 200
    assert api.ask("POST", "tags", {"id": 3, "name": "值班", "users": ["lisi"]}).status_code == 200
    assert [row["userid"] for row in api.get("members")] == ["sandbox-user", "lisi"]
    assert [row["id"] for row in api.get("departments")] == [1, 7]
    assert api.get("tags")[0]["userlist"] == [{"userid": "lisi", "name": "李 四"}]
    assert wecom.send(touser="", totag="3")["errcode"] == 0
    assert api.ask("DELETE", "departments/7").status_code == 409
    assert [api.ask("DELETE", path).status_code for path in ("tags/3", "members/LISI", "departments/7")] == [200] * 3
    assert [api.ask("DELETE", path).status_code for path in ("tags/3", "members/LISI", "departments/7")] == [404] * 3
    assert wecom.send(touser="lisi")["errcode"] == 81013


def test_bots_and_apps_come_and_go(wecom: Caller, api: Api) -> None:
    assert api.ask("POST", "bots", {"key": "ops bot/1"}).status_code == 200
    assert api.get("bots") == [{"key": "sandbox-bot"}, {"key": "ops bot/1"}]
    assert wecom.push(key="ops bot/1")["errcode"] == 0
    assert api.ask("DELETE", "bots/ops%20bot%2F1").status_code == 200
    assert wecom.push(key="ops bot/1")["errcode"] == 93000
    app = {"agent_id": 1000003, "secret": "another-secret", "departments": [], "users": ["sandbox-user"]}
    assert api.ask("POST", "apps", app).status_code == 200
    assert api.get("apps")[1] == {
        "agent_id": 1000003,
        "enabled": True,
        "users": ["sandbox-user"],
        "departments": [],
        "tags": [],
    }
    assert "another-secret" not in api.ask("GET", "apps").text
    token = wecom.gettoken("another-secret")["access_token"]
    assert wecom.send(token=token, agentid=1000003)["errcode"] == 0
    assert api.ask("POST", "apps", {"agent_id": 1000003, "enabled": False}).status_code == 200
    assert api.get("apps")[1]["users"] == ["sandbox-user"]
    assert wecom.send(token=token, agentid=1000003)["errcode"] == 50003
    assert api.ask("DELETE", "apps/1000003").status_code == 200
    assert wecom.send(token=token, agentid=1000003)["errcode"] == 40014
    assert wecom.gettoken("another-secret")["errcode"] == 40001


def test_limits_can_be_set_and_forgotten(wecom: Caller, api: Api) -> None:
    limits = [{"count": 2, "period_s": 60}]
    assert api.ask("POST", "limits", {"channel": "bot", "limits": limits}).status_code == 200
    assert [wecom.push()["errcode"] for _ in range(3)] == [0, 0, 45009]
    assert {"channel": "bot", "limits": limits, "used": [{"who": "sandbox-bot", "used": [2]}]} in api.get("limits")
    assert api.ask("POST", "limits", {"channel": "bot", "limits": []}).status_code == 200
    assert {wecom.push()["errcode"] for _ in range(30)} == {0}
    assert api.ask("DELETE", "limits").status_code == 200
    assert [wecom.push()["errcode"] for _ in range(21)] == [0] * 20 + [45009]


def test_the_clock_goes_ahead_and_comes_back(wecom: Caller, api: Api, clock: FakeClock) -> None:
    token = wecom.token()
    assert [wecom.push()["errcode"] for _ in range(21)][-1] == 45009
    assert api.ask("POST", "clock", {"advance_s": 7200}).json() == {"now": clock.now + 7200, "ahead_s": 7200}
    assert (wecom.push()["errcode"], wecom.send(token=token)["errcode"]) == (0, 42001)
    assert api.get("messages")[-1]["time"] == clock.now + 7200
    assert api.ask("DELETE", "clock").json() == {"now": clock.now, "ahead_s": 0}
    assert [wecom.push()["errcode"] for _ in range(21)] == [0] * 20 + [45009]
    wecom.sandbox.clock.advance(60)
    assert wecom.push()["errcode"] == 0


def test_faults_that_wait_are_listed(api: Api) -> None:
    api.ask("POST", "faults", {"path": "/cgi-bin/webhook/send", "errcode": 45009, "times": 2})
    assert api.get("faults") == [
        {
            "number": 1,
            "path": "/cgi-bin/webhook/send",
            "times": 2,
            "errcode": 45009,
            "status": None,
            "delay_s": 0,
            "drop": False,
            "withhold": False,
        }
    ]


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("members", {}, "user_id"),
        ("members", {"user_id": "a b"}, "user_id"),
        ("members", {"user_id": "x", "departments": "1"}, "departments"),
        ("members", {"user_id": "x", "departments": [0]}, "departments"),
        ("members", {"user_id": "x", "name": "a\nb"}, "name"),
        ("members", {"user_id": "x", "name": "\ud800"}, "name"),
        ("members", {"user_id": "x", "phone": "1"}, "phone"),
        ("members", {"\ud800": 1}, "?"),
        ("members", [], ""),
        ("departments", {"name": "x"}, "id"),
        ("departments", {"id": True}, "id"),
        ("departments", {"id": 1, "parent_id": 2**31}, "parent_id"),
        ("tags", {"id": -1}, "id"),
        ("tags", {"id": 1, "users": [1]}, "users"),
        ("bots", {"key": ""}, "key"),
        ("apps", {"agent_id": 7}, "secret"),
        ("apps", {"agent_id": 7, "secret": "sandbox-app-secret"}, "secret"),
        ("apps", {"agent_id": 7, "secret": "x", "enabled": 1}, "enabled"),
        ("limits", {"channel": "other", "limits": []}, "channel"),
        ("limits", {"channel": "bot", "limits": [{"count": 0, "period_s": 1}]}, "count"),
        ("limits", {"channel": "bot", "limits": [7]}, "limits"),
        ("limits", {"channel": "bot"}, "limits"),
        ("clock", {"advance_s": -1}, "advance_s"),
        ("clock", {"advance_s": 1e300}, "advance_s"),
        ("clock", {"now": 0}, "now"),
        ("faults", {"path": "/elsewhere"}, "path"),
        ("faults", {"path": "/cgi-bin/" + "x" * 200, "errcode": 1}, "path"),
        ("faults", {"trusted_ips": ["1.1.1.1"] * 1001}, "trusted_ips"),
        ("faults", {"trusted_ips": ["x" * 101]}, "trusted_ips"),
        ("faults", {"path": "/cgi-bin/gettoken", "errcode": 1, "times": 0}, "times"),
        ("faults", {"token_mode": "x"}, "token_mode"),
        ("faults", {"trusted_ips": 7}, "trusted_ips"),
    ],
)
def test_a_wish_that_makes_no_sense_is_400_and_the_field_is_named(api: Api, path: str, body: Any, field: str) -> None:
    response = api.ask("POST", path, body)
    assert (response.status_code, response.json()["field"]) == (400, field)
    assert response.json()["error"]


def test_a_taken_mobile_is_named(api: Api) -> None:
    api.ask("POST", "members", {"user_id": "a", "mobile": "13800000001"})
    answer = api.ask("POST", "members", {"user_id": "b", "mobile": "13800000001"}).json()
    assert answer == {"error": "mobile existed:a (60104)", "field": "mobile"}


def test_away_from_loopback_only_what_holds_nothing_needs_no_token() -> None:
    token = "a-token-of-my-own-choice"
    with Sandbox(host="0.0.0.0", token=token) as sandbox:
        base = f"http://127.0.0.1:{sandbox.url.rpartition(':')[2]}/sandbox"
        statuses = {path: requests.get(f"{base}/{path}", timeout=10).status_code for path in ("health", "openapi.json")}
        assert statuses == {"health": 200, "openapi.json": 200}
        for path in ("messages", "wait", "bots", "apps", "clock", "pictures/x"):
            assert requests.get(f"{base}/{path}", timeout=10).status_code == 401
        for host, status in (("host.docker.internal:8765", 200), ("elsewhere.docker.internal", 421)):
            assert requests.get(f"{base}/health", headers={"Host": host}, timeout=10).status_code == status
        bearer = {"Authorization": f"Bearer {token}"}
        assert requests.get(f"{base}/messages", headers=bearer, timeout=10).json() == []
        assert sandbox.environment["WECOM_SECRET"] == f"sandbox-app-secret-{token}"


def test_a_token_of_ones_own_is_no_short_word() -> None:
    with pytest.raises(ValueError, match="20 or more"):
        Sandbox(host="0.0.0.0", token="secret")


def test_python_has_the_same(wecom: Caller) -> None:
    sandbox = wecom.sandbox
    sandbox.fail("webhook/send", 45009)
    sandbox.fail("/cgi-bin/webhook/send", status=502)
    assert wecom.push()["errcode"] == 45009
    with pytest.raises(requests.JSONDecodeError):
        wecom.push()
    wecom.push(part="found")
    assert sandbox.wait(contains="FOUND") == sandbox.messages(channel="bot")
    with pytest.raises(TimeoutError, match=r"1 of 2 messages came within 0.01 s\nbot text: found"):
        sandbox.wait(2, timeout=0.01)
    with pytest.raises(ValueError, match="level"):
        sandbox.messages(level="loud")
    with pytest.raises(ValueError, match="unknown"):
        sandbox.wait(text="x")
    wecom.push(part="second")
    assert [message["content"] for message in sandbox.messages(order="newest", limit=1)] == ["second"]
    assert sandbox.messages(after=sandbox.messages()[0]["id"]) == sandbox.messages(not_contains="found")
    assert sandbox.wait(0, contains="third", timeout=0.01) == []
    assert len(sandbox.wait(2, at_most=2, timeout=0.01)) == 2
    with pytest.raises(AssertionError, match=r"2 messages came, and at most 1 were wanted\nbot text: found\nbot"):
        sandbox.wait(at_most=1, timeout=20)
    sandbox.delete(contains="found")
    assert [message["content"] for message in sandbox.messages()] == ["second"]
    with pytest.raises(ValueError, match="unknown"):
        sandbox.delete(recevier="x")
    with pytest.raises(ValueError, match="unknown"):
        sandbox.count_calls(code=1)


def test_seeds_are_put_in_an_order_that_works(wecom: Caller) -> None:
    wecom.sandbox.seed(
        {
            "faults": [{"path": "/cgi-bin/gettoken", "errcode": -1}],
            "members": [{"user_id": "lisi", "departments": [7]}],
            "departments": [{"id": 7, "name": "研发部"}],
            "bots": [{"key": "ops"}],
            "tags": None,
        }
    )
    assert [row["name"] for row in wecom.sandbox.departments()] == ["沙箱公司", "研发部"]
    assert wecom.push(key="ops")["errcode"] == 0
    assert wecom.gettoken()["errcode"] == -1
    wecom.sandbox.seed(None)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ([], "object"),
        ({"people": []}, "people"),
        ({"members": {}}, "members"),
        ({"members": [{"user_id": "a"}, {"user_id": "b", "mobile": 7}]}, r"members\[1\].mobile: "),
        ({"members": ["x"]}, r"members\[0\]: "),
    ],
)
def test_a_seed_that_makes_no_sense_is_named(sandbox: Sandbox, data: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        sandbox.seed(data)
