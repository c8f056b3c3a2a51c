"""appchat/…: groups that an app makes."""

from __future__ import annotations

from typing import Any

import pytest

from wecom_logging._sandbox import Sandbox

from .caller import Caller, Clerk, FakeClock


@pytest.fixture(autouse=True)
def people(sandbox: Sandbox) -> None:
    for id in ("zhangsan", "lisi"):
        sandbox.add_member(id)


def create(app: Clerk, **change: Any) -> dict[str, Any]:
    body = {"chatid": "ops", "name": "运维", "userlist": ["sandbox-user", "ZhangSan"], **change}
    return app.write("appchat/create", **{name: value for name, value in body.items() if value is not None})


def speak(app: Clerk, **change: Any) -> dict[str, Any]:
    return app.write("appchat/send", **{"chatid": "ops", "msgtype": "text", "text": {"content": "x"}, **change})


def test_a_group_lives(app: Clerk, sandbox: Sandbox) -> None:
    assert create(app)["chatid"] == "ops"
    assert app.write("appchat/update", chatid="ops", name="值班", add_user_list=["lisi"], owner="lisi")["errcode"] == 0
    assert app.write("appchat/update", chatid="ops", del_user_list=["zhangsan"])["errcode"] == 0
    info = app.read("appchat/get", chatid="ops")["chat_info"]
    users = ["sandbox-user", "lisi"]
    assert info == {"chatid": "ops", "name": "值班", "owner": "lisi", "userlist": users, "chat_type": 0}
    assert speak(app) == {"errcode": 0, "errmsg": "ok"}
    (message,) = sandbox.messages(receiver="OPS")
    assert (message["receivers"], message["chat"], message["channel"]) == (users, "ops", "app")
    assert app.write("appchat/update", chatid="ops", del_user_list=["lisi"], add_user_list=["zhangsan"])["errcode"] == 0
    assert app.read("appchat/get", chatid="ops")["chat_info"]["owner"] == "sandbox-user"


def test_an_id_is_made_where_none_is_given(app: Clerk) -> None:
    id = create(app, chatid=None, name="x" * 60)["chatid"]
    assert app.read("appchat/get", chatid=id)["chat_info"]["name"] == "x" * 50


@pytest.mark.parametrize(
    ("change", "errcode"),
    [
        ({"chatid": "a b"}, 86001),
        ({"chatid": "x" * 33}, 86001),
        ({"userlist": ["zhangsan"]}, 86006),
        ({"userlist": None}, 86006),
        ({"userlist": ["zhangsan", "nobody"]}, 86216),
        ({"owner": "lisi"}, 86207),
        ({"owner": "ZHANGSAN"}, 0),
    ],
)
def test_what_create_takes(app: Clerk, change: dict[str, Any], errcode: int) -> None:
    assert create(app, **change)["errcode"] == errcode


def test_an_id_is_one_groups_own(app: Clerk) -> None:
    create(app)
    assert create(app)["errcode"] == 86215


@pytest.mark.parametrize(
    ("change", "errcode"),
    [
        ({"chatid": ""}, 86201),
        ({"chatid": "nowhere"}, 86003),
        ({"text": {"content": ""}}, 44004),
        ({"msgtype": "template_card", "template_card": {}}, 40008),
        ({"safe": 1}, 0),
        ({"safe": 7}, 40058),
    ],
)
def test_what_send_takes(app: Clerk, sandbox: Sandbox, change: dict[str, Any], errcode: int) -> None:
    create(app)
    assert speak(app, **change)["errcode"] == errcode
    assert len(sandbox.messages()) == (errcode == 0)


def test_a_group_is_of_one_app_which_sees_everybody(wecom: Caller, app: Clerk, clerk: Clerk, sandbox: Sandbox) -> None:
    create(app)
    sandbox.add_app("other-secret", 1000003)
    other = Clerk(wecom, "other-secret")
    assert speak(other)["errcode"] == 86008
    assert other.read("appchat/get", chatid="ops")["errcode"] == 86008
    assert create(clerk)["errcode"] == 48002
    sandbox.set_visible_range(1000003, users=["zhangsan", "lisi"])
    assert create(other, chatid="two")["errcode"] == 60011


def test_who_left_the_corp_gets_nothing(app: Clerk, clerk: Clerk, sandbox: Sandbox) -> None:
    create(app, owner="zhangsan")
    clerk.read("user/delete", userid="zhangsan")
    assert speak(app)["errcode"] == 0
    assert sandbox.messages()[0]["receivers"] == ["sandbox-user"]
    assert app.read("appchat/get", chatid="ops")["chat_info"]["owner"] == ""


def test_a_member_gets_200_a_minute_from_a_group(app: Clerk, sandbox: Sandbox, clock: FakeClock) -> None:
    create(app)
    assert {speak(app)["errcode"] for _ in range(201)} == {0}
    assert len(sandbox.messages()) == 200
    clock.now += 60
    speak(app)
    assert len(sandbox.messages()) == 201
