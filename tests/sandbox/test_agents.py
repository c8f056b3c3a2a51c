"""agent/…, menu/…, the addresses of WeCom, and the ids of WeChat."""

from __future__ import annotations

from typing import Any

import pytest

from wecom_logging._sandbox import Sandbox

from .caller import JPG, Caller, Clerk

ID = 1000002
CLICK = {"type": "click", "name": "n", "key": "k"}


def test_an_app_describes_itself_and_changes_that(wecom: Caller, app: Clerk) -> None:
    logo = wecom.upload("image", JPG)["media_id"]
    changes = {"name": "值班机器人", "description": "tells what failed", "isreportenter": "1", "logo_mediaid": logo}
    assert app.write("agent/set", agentid=ID, **changes)["errcode"] == 0
    found = app.read("agent/get", agentid=ID)
    assert (found["name"], found["description"], found["isreportenter"]) == ("值班机器人", "tells what failed", 1)
    assert app.write("agent/set", agentid=ID, home_url="https://example.com/")["errcode"] == 0
    assert app.read("agent/get", agentid=ID)["name"] == "值班机器人"
    assert app.read("agent/list")["agentlist"] == [{"agentid": ID, "name": "值班机器人", "square_logo_url": ""}]


@pytest.mark.parametrize(
    ("change", "errcode"),
    [
        ({"agentid": None}, 41011),
        ({"agentid": 7}, 40056),
        ({"name": ""}, 40058),
        ({"name": "x" * 33}, 40058),
        ({"description": "abc"}, 40058),
        ({"logo_mediaid": "unknown"}, 40007),
    ],
)
def test_what_set_refuses(app: Clerk, change: dict[str, Any], errcode: int) -> None:
    assert app.write("agent/set", **{"agentid": ID, **change})["errcode"] == errcode


def test_contacts_sync_is_no_app(clerk: Clerk) -> None:
    for path in ("agent/get", "agent/list", "menu/get", "menu/delete", "media/get"):
        assert clerk.read(path, agentid=ID)["errcode"] == 48002


def menu(wecom: Caller, *buttons: Any, agent_id: int = ID) -> int:
    answer = wecom.post("/cgi-bin/menu/create", {"button": list(buttons)}, access_token=wecom.token(), agentid=agent_id)
    return int(answer["errcode"])


def test_a_menu_lives(wecom: Caller, app: Clerk) -> None:
    buttons = [CLICK, {"name": "more", "sub_button": [CLICK] * 5}]
    assert menu(wecom, *buttons) == 0
    assert app.read("menu/get", agentid=ID)["button"] == buttons
    assert app.read("menu/delete", agentid=ID)["errcode"] == 0
    assert app.read("menu/get", agentid=ID)["errcode"] == 46003


@pytest.mark.parametrize(
    ("buttons", "errcode"),
    [
        ([], 40058),
        ([CLICK] * 4, 40058),
        ([{"name": "more", "sub_button": [CLICK] * 6}], 40023),
        ([{"name": "n"}], 40063),
        ([{**CLICK, "key": "k" * 70_000}], 40206),
        ([{"type": "click"}], 40063),
        ([{"name": "more", "sub_button": [{"name": "n"}]}], 40063),
    ],
)
def test_what_a_menu_refuses(wecom: Caller, buttons: list[Any], errcode: int) -> None:
    assert menu(wecom, *buttons) == errcode
    assert menu(wecom, CLICK, agent_id=7) == 40056
    unnamed = wecom.post("/cgi-bin/menu/create", {"button": [CLICK]}, access_token=wecom.token())
    assert (unnamed["errcode"], "msgid" in unnamed) == (41011, False)


@pytest.mark.parametrize("path", ["getcallbackip", "get_api_domain_ip"])
def test_addresses_are_listed_and_a_refusal_has_the_list_too(wecom: Caller, clerk: Clerk, path: str) -> None:
    assert clerk.read(path)["ip_list"] == ["127.0.0.1"]
    refused = wecom.get(f"/cgi-bin/{path}", access_token="x")
    assert (refused["errcode"], refused["ip_list"]) == (40014, [])


def test_a_member_has_one_id_in_wechat(app: Clerk, sandbox: Sandbox) -> None:
    sandbox.add_member("ZhangSan")
    openid = app.write("user/convert_to_openid", userid="zhangsan")["openid"]
    assert openid == app.write("user/convert_to_openid", userid="ZHANGSAN")["openid"]
    assert app.write("user/convert_to_userid", openid=openid)["userid"] == "ZhangSan"
    assert app.write("user/convert_to_userid", openid="unknown")["errcode"] == 43004
    assert app.write("user/convert_to_openid", userid="nobody")["errcode"] == 60111
    assert app.write("user/convert_to_openid")["errcode"] == 41009
