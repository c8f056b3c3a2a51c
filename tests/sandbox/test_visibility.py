"""What an app sees, and what that does to reading and to sending."""

from __future__ import annotations

from typing import Any

import pytest

from wecom_logging._sandbox import Sandbox

from .caller import Caller, Clerk

pytestmark = pytest.mark.case("X08")

APP = 1000002


@pytest.fixture(autouse=True)
def people(sandbox: Sandbox) -> None:
    """The app sees department 2 with 3 below it, the member wang of department 4, and tag 7 with zhao."""
    sandbox.add_department(2, name="研发部")
    sandbox.add_department(3, name="后端组", parent_id=2)
    sandbox.add_department(4, name="市场部")
    sandbox.add_member("zhang", departments=[2], mobile="13800000001", leader_of=[2])
    sandbox.add_member("li", departments=[3, 4], email="li@example.com")
    sandbox.add_member("wang", departments=[4])
    sandbox.add_member("zhao", departments=[4], mobile="13800000004")
    sandbox.add_member("sun", departments=[4], mobile="13800000005", leader_of=[4])
    sandbox.add_tag(7, name="值班", users=["zhao", "sandbox-user"], departments=[3])
    sandbox.add_tag(8, name="其余", users=["sun"], departments=[4])
    sandbox.set_visible_range(APP, users=["Wang", "zhao"], departments=[2])


def test_agent_get_shows_the_range(app: Clerk, sandbox: Sandbox) -> None:
    sandbox.set_visible_range(APP, users=["wang"], departments=[2], tags=[7])
    answer = app.read("agent/get", agentid=APP)
    assert answer["allow_userinfos"] == {"user": [{"userid": "wang"}]}
    assert (answer["allow_partys"], answer["allow_tags"]) == ({"partyid": [2]}, {"tagid": [7]})


@pytest.mark.parametrize(
    ("user_id", "errcode"),
    [("zhang", 0), ("LI", 0), ("wang", 0), ("sun", 60011), ("nobody", 60111), ("", 41009), ("a b", 40003)],
)
def test_a_member_out_of_range_is_told_from_one_who_is_not_there(app: Clerk, user_id: str, errcode: int) -> None:
    assert app.read("user/get", userid=user_id)["errcode"] == errcode


def test_an_app_is_never_told_what_is_private(app: Clerk, clerk: Clerk) -> None:
    private = {"mobile", "gender", "email", "biz_mail", "avatar", "thumb_avatar", "qr_code", "address"}
    assert not private & app.read("user/get", userid="zhang").keys()
    assert not private & app.read("user/list", department_id=2)["userlist"][0].keys()
    assert private <= clerk.read("user/get", userid="zhang").keys()
    assert clerk.read("user/get", userid="zhang")["mobile"] == "13800000001"


def test_departments_out_of_range_are_left_out_of_a_member(app: Clerk, clerk: Clerk) -> None:
    assert app.read("user/get", userid="li")["department"] == [3]
    assert app.read("user/get", userid="wang")["department"] == []
    assert "main_department" not in app.read("user/get", userid="wang")
    assert clerk.read("user/get", userid="li")["department"] == [3, 4]


@pytest.mark.parametrize("path", ["list", "simplelist"])
def test_department_lists_hold_what_is_visible(app: Clerk, clerk: Clerk, path: str) -> None:
    key = {"list": "department", "simplelist": "department_id"}[path]
    assert [row["id"] for row in app.read(f"department/{path}")[key]] == [2, 3]
    assert [row["id"] for row in clerk.read(f"department/{path}")[key]] == [1, 2, 3, 4]
    assert app.read(f"department/{path}", id=4)["errcode"] == 60011


@pytest.mark.parametrize(("id", "errcode"), [(2, 0), (3, 0), (1, 60011), (4, 60011), (99, 60003)])
def test_a_department_out_of_range_is_60011(app: Clerk, id: int, errcode: int) -> None:
    assert app.read("department/get", id=id)["errcode"] == errcode


@pytest.mark.parametrize("path", ["list", "simplelist"])
def test_member_lists_need_a_visible_department(app: Clerk, clerk: Clerk, path: str) -> None:
    assert [row["userid"] for row in app.read(f"user/{path}", department_id=2)["userlist"]] == ["zhang"]
    answer = app.read(f"user/{path}", department_id=4)
    assert (answer["errcode"], answer["userlist"]) == (60011, [])
    assert app.read(f"user/{path}", department_id=99)["errcode"] == 60123
    assert len(clerk.read(f"user/{path}", department_id=4)["userlist"]) == 4


def test_a_tag_shows_whom_the_app_may_see(app: Clerk, clerk: Clerk) -> None:
    assert [user["userid"] for user in app.read("tag/get", tagid=7)["userlist"]] == ["zhao"]
    assert app.read("tag/get", tagid=8)["partylist"] == []
    assert len(clerk.read("tag/get", tagid=7)["userlist"]) == 2


def test_an_app_puts_only_visible_members_into_its_tag(app: Clerk) -> None:
    id = app.write("tag/create", tagname="应用")["tagid"]
    answer = app.write("tag/addtagusers", tagid=id, userlist=["wang", "sun"], partylist=[3, 4])
    assert (answer["errcode"], answer["invalidlist"], answer["invalidparty"]) == (0, "sun", [4])


def test_lookups_stay_in_range(app: Clerk) -> None:
    assert app.write("user/getuserid", mobile="13800000001")["userid"] == "zhang"
    assert app.write("user/getuserid", mobile="13800000005")["errcode"] == 60011
    assert app.write("user/get_userid_by_email", email="li@example.com", email_type=2)["userid"] == "li"


@pytest.mark.parametrize(
    ("envelope", "receivers"),
    [
        ({"touser": "@all"}, ["zhang", "li", "wang", "zhao"]),
        ({"touser": "wang|sun", "toparty": "3|4", "totag": "7|8|9"}, ["li", "wang", "zhao"]),
        ({"touser": "", "toparty": "2"}, ["zhang", "li"]),
        ({"touser": "", "totag": "7"}, ["li", "zhao"]),
    ],
)
def test_a_message_stays_in_range(
    wecom: Caller, sandbox: Sandbox, envelope: dict[str, Any], receivers: list[str]
) -> None:
    assert wecom.send(**envelope)["errcode"] == 0
    assert sandbox.messages()[-1]["receivers"] == receivers


def test_who_is_out_of_range_is_invalid(wecom: Caller) -> None:
    answer = wecom.send(touser="wang|sun", toparty="3|4", totag="7|9")
    assert (answer["invaliduser"], answer["invalidparty"], answer["invalidtag"]) == ("sun", "4", "9")
    assert wecom.send(touser="sun", toparty="1")["errcode"] == 81013


def test_a_tag_in_the_range_brings_its_members_and_departments(app: Clerk, sandbox: Sandbox) -> None:
    sandbox.set_visible_range(APP, tags=[7])
    assert [row["id"] for row in app.read("department/list")["department"]] == [3]
    assert app.read("user/get", userid="zhao")["errcode"] == 0
    assert app.read("user/get", userid="zhang")["errcode"] == 60011


def test_a_range_may_be_empty(app: Clerk, wecom: Caller, sandbox: Sandbox) -> None:
    sandbox.set_visible_range(APP)
    assert app.read("department/list")["department"] == []
    assert wecom.send(touser="zhang", totag="7")["errcode"] == 81013
    assert wecom.send(touser="@all")["errcode"] == 0
    assert sandbox.messages() == []


def test_another_app_has_its_own_range(wecom: Caller, sandbox: Sandbox) -> None:
    sandbox.add_app("other-secret", 1000003)
    assert Clerk(wecom, "other-secret").read("user/get", userid="sun")["errcode"] == 0
    with pytest.raises(ValueError, match="1000009"):
        sandbox.set_visible_range(1000009)


def test_an_invitation_lists_what_is_wrong_in_arrays(app: Clerk, clerk: Clerk) -> None:
    answer = app.write("batch/invite", user=["wang", "sun"], party=[2, 4], tag=[7, 9])
    assert (answer["errcode"], answer["invaliduser"]) == (0, ["sun"])
    assert (answer["invalidparty"], answer["invalidtag"]) == ([4], [9])
    assert clerk.write("batch/invite", user=["sun"])["invaliduser"] == []
    assert clerk.write("batch/invite", user=["nobody"])["errcode"] == 81013
    assert clerk.write("batch/invite")["errcode"] == 82001
    assert clerk.write("batch/invite", user=["x"] * 1001)["errcode"] == 40032
    assert clerk.write("batch/invite", party=[1] * 101)["errcode"] == 82002
    assert clerk.write("batch/invite", tag=[1] * 101)["errcode"] == 82003
