"""The clients without a server, by `responses`, as a program's own tests have them: each call is the request that WeCom
documents (https://developer.work.weixin.qq.com/document/), and an errcode is an error with its remedy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import responses
from responses import matchers

from wecom_logging import BotClient, WeComClient
from wecom_logging.errors import CredentialError, InvalidRecipientError, WeComLoggingError
from wecom_logging.model import Markdown, Text

BASE = "https://qyapi.weixin.qq.com/cgi-bin"
OK = {"errcode": 0, "errmsg": "ok"}


@pytest.fixture
def wecom() -> Iterator[responses.RequestsMock]:
    """Answers what is registered, and nothing else; what is registered and not asked for fails the test."""
    with responses.RequestsMock() as mock:
        yield mock


def tokens(wecom: responses.RequestsMock, secret: str, token: str) -> None:
    wecom.get(
        f"{BASE}/gettoken",
        json={**OK, "access_token": token, "expires_in": 7200},
        match=[matchers.query_param_matcher({"corpid": "ww1", "corpsecret": secret})],
    )


def client() -> WeComClient:
    return WeComClient("ww1", "of the app", agent_id=1000002, contacts_secret="of the contacts", sleep=lambda _: None)


Call = Callable[[WeComClient], object]
APP, CONTACTS = "t-app", "t-contacts"
# The app sends; the contacts sync, whose secret is there, changes the directory.
CALLS: dict[str, tuple[Call, str, str, dict[str, str], dict[str, Any] | None]] = {
    "message/send": (
        lambda wecom: wecom.messages.send(Text("磁盘已满"), users=["li", "wang"], departments=[2], tags=[7]),
        APP,
        "POST",
        {},
        {
            "touser": "li|wang",
            "toparty": "2",
            "totag": "7",
            "agentid": 1000002,
            "msgtype": "text",
            "text": {"content": "磁盘已满"},
        },
    ),
    "message/recall": (lambda wecom: wecom.messages.recall("m-1"), APP, "POST", {}, {"msgid": "m-1"}),
    "department/create": (
        lambda wecom: wecom.departments.create(name="值班", parent_id=1, id=5),
        CONTACTS,
        "POST",
        {},
        {"name": "值班", "parentid": 1, "id": 5},
    ),
    "department/delete": (lambda wecom: wecom.departments.delete(5), CONTACTS, "GET", {"id": "5"}, None),
    "user/create": (
        lambda wecom: wecom.members.create(user_id="li", name="李", departments=[2], mobile="13800000000"),
        CONTACTS,
        "POST",
        {},
        {"userid": "li", "name": "李", "department": [2], "mobile": "13800000000"},
    ),
    "user/update": (
        lambda wecom: wecom.members.update("li", position="on call"),
        CONTACTS,
        "POST",
        {},
        {"userid": "li", "position": "on call"},
    ),
    "user/delete": (lambda wecom: wecom.members.delete("li"), CONTACTS, "GET", {"userid": "li"}, None),
    "tag/update": (
        lambda wecom: wecom.tags.update(7, name="值班"),
        CONTACTS,
        "POST",
        {},
        {"tagid": 7, "tagname": "值班"},
    ),
}


@pytest.mark.parametrize("path", CALLS)
def test_a_call_is_the_request_that_is_documented(wecom: responses.RequestsMock, path: str) -> None:
    call, token, method, query, body = CALLS[path]
    secret = "of the app" if token == APP else "of the contacts"
    tokens(wecom, secret, token)
    match = [matchers.query_param_matcher({"access_token": token, **query})]
    if body is not None:
        match.append(matchers.json_params_matcher(body, strict_match=path != "message/send"))
    wecom.add(method, f"{BASE}/{path}", json={**OK, "id": 5, "msgid": "m-1"}, match=match)
    call(client())


def test_a_token_is_fetched_once_and_anew_when_it_is_refused(wecom: responses.RequestsMock) -> None:
    tokens(wecom, "of the app", "t-1")
    tokens(wecom, "of the app", "t-2")
    for token, answer in (("t-1", {"errcode": 42001, "errmsg": "access_token expired"}), ("t-2", OK), ("t-2", OK)):
        wecom.post(f"{BASE}/message/send", json=answer, match=[matchers.query_param_matcher({"access_token": token})])
    sender = client()
    assert [sender.messages.send("x", users="li").reason for _ in range(2)] == ["delivered", "delivered"]


def test_a_bot_sends_by_its_key(wecom: responses.RequestsMock) -> None:
    wecom.post(
        f"{BASE}/webhook/send",
        json=OK,
        match=[
            matchers.query_param_matcher({"key": "a-key-of-a-bot"}),
            matchers.json_params_matcher({"msgtype": "markdown", "markdown": {"content": "**down**"}}),
        ],
    )
    assert BotClient("a-key-of-a-bot").send(Markdown("**down**")).reason == "delivered"


@pytest.mark.parametrize(
    ("errcode", "error", "remedy"),
    [
        (81013, InvalidRecipientError, "visible"),
        (40013, CredentialError, "corp"),
        (999_999, WeComLoggingError, "999999"),
    ],
)
def test_an_errcode_is_an_error_with_its_remedy(
    wecom: responses.RequestsMock, errcode: int, error: type[Exception], remedy: str
) -> None:
    tokens(wecom, "of the app", "t-1")
    wecom.post(f"{BASE}/message/send", json={"errcode": errcode, "errmsg": "no"})
    with pytest.raises(error, match=f"(?i){remedy}"):
        client().messages.send("x", users="li")
