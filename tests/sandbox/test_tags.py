"""tag/…"""

from __future__ import annotations

from typing import Any

import pytest

from wecom_logging._sandbox import Sandbox
from wecom_logging._sandbox import tags as rules

from .caller import Caller, Clerk


@pytest.fixture(autouse=True)
def people(sandbox: Sandbox) -> None:
    sandbox.add_department(2)
    sandbox.add_member("LiSi", name="李四", departments=[2])
    sandbox.add_tag(7, name="值班", users=["sandbox-user"])


def test_a_tag_lives(clerk: Clerk) -> None:
    made = clerk.write("tag/create", tagname="后备")
    assert (made["errcode"], made["errmsg"], made["tagid"]) == (0, "created", 8)
    assert clerk.write("tag/update", tagid=8, tagname="替补")["errmsg"] == "updated"
    assert clerk.write("tag/addtagusers", tagid=8, userlist=["lisi"], partylist=[2])["errmsg"] == "ok"
    got = clerk.read("tag/get", tagid=8)
    assert (got["tagname"], got["partylist"]) == ("替补", [2])
    assert got["userlist"] == [{"userid": "LiSi", "name": "李四"}]
    assert clerk.read("tag/list")["taglist"] == [{"tagid": 7, "tagname": "值班"}, {"tagid": 8, "tagname": "替补"}]
    assert clerk.write("tag/deltagusers", tagid=8, userlist=["LISI"], partylist=[2])["errmsg"] == "deleted"
    assert clerk.read("tag/get", tagid=8)["userlist"] == []
    assert clerk.read("tag/delete", tagid=8)["errmsg"] == "deleted"
    assert clerk.read("tag/get", tagid=8)["errcode"] == 40068


@pytest.mark.parametrize(
    ("body", "errcode"),
    [
        ({"tagname": ""}, 40072),
        ({"tagname": "好" * 32}, 0),
        ({"tagname": "x" * 33}, 40072),
        ({"tagname": "值班"}, 40071),
        ({"tagname": 7}, 40072),
        ({"tagid": 0}, 0),
        ({"tagid": -1}, 40068),
        ({"tagid": 7}, 40068),
        ({"tagid": 2**31}, 40068),
    ],
)
def test_what_create_takes(clerk: Clerk, body: dict[str, Any], errcode: int) -> None:
    assert clerk.write("tag/create", **{"tagname": "新", **body})["errcode"] == errcode


@pytest.mark.parametrize(
    ("body", "errcode"),
    [({"tagid": 99}, 40068), ({"tagid": None}, 40068), ({"tagname": ""}, 40072), ({"tagname": "后备"}, 40071), ({}, 0)],
)
def test_what_update_takes(clerk: Clerk, body: dict[str, Any], errcode: int) -> None:
    clerk.write("tag/create", tagname="后备")
    assert clerk.write("tag/update", **{"tagid": 7, "tagname": "值班", **body})["errcode"] == errcode


def test_there_are_so_many_tags(clerk: Clerk, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "MAX_TAGS", 1)
    assert clerk.write("tag/create", tagname="x")["errcode"] == 40058


def test_a_part_of_wrong_ids_is_listed_as_a_string_and_as_an_array(clerk: Clerk, sandbox: Sandbox) -> None:
    body = {"userlist": ["lisi", "Nobody", "none"], "partylist": [2, 98, 99]}
    for path in ("tag/addtagusers", "tag/deltagusers"):
        answer = clerk.write(path, tagid=7, **body)
        assert (answer["errcode"], answer["invalidlist"], answer["invalidparty"]) == (0, "Nobody|none", [98, 99])
    assert "invalidlist" not in clerk.write("tag/addtagusers", tagid=7, userlist=["lisi"])
    assert [user["userid"] for user in sandbox.tags()[0]["userlist"]] == ["sandbox-user", "LiSi"]


@pytest.mark.parametrize(("path", "errcode"), [("tag/addtagusers", 40070), ("tag/deltagusers", 40031)])
def test_nothing_but_wrong_ids_has_a_code_of_its_own(clerk: Clerk, path: str, errcode: int) -> None:
    assert clerk.write(path, tagid=7, userlist=["nobody"], partylist=[99])["errcode"] == errcode


@pytest.mark.parametrize(
    ("body", "added", "deleted"),
    [
        ({}, 40035, 40035),
        ({"userlist": [], "partylist": []}, 40035, 40035),
        ({"userlist": "lisi"}, 40035, 40035),
        ({"partylist": ["2"]}, 0, 0),
        ({"partylist": "2"}, 40035, 40035),
        ({"tagid": "7", "userlist": ["lisi"]}, 0, 0),
        ({"userlist": ["lisi"] * 1000}, 0, 0),
        ({"userlist": ["lisi"] * 1001}, 81014, 40035),
        ({"partylist": [2] * 101}, 81014, 40035),
        ({"tagid": 99, "userlist": ["lisi"]}, 40068, 40068),
    ],
)
def test_lists_have_a_form_and_a_size(clerk: Clerk, body: dict[str, Any], added: int, deleted: int) -> None:
    assert clerk.write("tag/addtagusers", **{"tagid": 7, **body})["errcode"] == added
    assert clerk.write("tag/deltagusers", **{"tagid": 7, **body})["errcode"] == deleted


def test_a_tag_has_so_many_nodes(clerk: Clerk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "MAX_NODES", 2)
    assert clerk.write("tag/addtagusers", tagid=7, userlist=["lisi"])["errcode"] == 0
    assert clerk.write("tag/addtagusers", tagid=7, partylist=[2])["errcode"] == 81003


def test_a_tag_is_changed_by_its_maker_only(wecom: Caller, clerk: Clerk, app: Clerk, sandbox: Sandbox) -> None:
    sandbox.add_app("other-secret", 1000003)
    other = Clerk(wecom, "other-secret")
    makers = {app: app.write("tag/create", tagname="应用")["tagid"], clerk: 7}
    for caller in (clerk, app, other):
        for maker, id in makers.items():
            errcode = 0 if caller is maker else 81011
            assert caller.write("tag/update", tagid=id, tagname=f"标签{id}")["errcode"] == errcode
            assert caller.write("tag/addtagusers", tagid=id, userlist=["lisi"])["errcode"] == errcode
            assert caller.write("tag/deltagusers", tagid=id, userlist=["lisi"])["errcode"] == errcode
            assert caller.read("tag/get", tagid=id)["errcode"] == 0
    assert other.read("tag/delete", tagid=7)["errcode"] == 81011


def test_a_deleted_member_leaves_the_tags(clerk: Clerk, sandbox: Sandbox) -> None:
    clerk.write("tag/addtagusers", tagid=7, userlist=["lisi"])
    clerk.read("user/delete", userid="lisi")
    assert [user["userid"] for user in sandbox.tags()[0]["userlist"]] == ["sandbox-user"]
