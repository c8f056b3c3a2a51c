"""message/send: whom it reaches."""

from __future__ import annotations

import pytest

from wecom_logging._sandbox import Sandbox

from .caller import Caller

pytestmark = pytest.mark.case("X08")


@pytest.fixture(autouse=True)
def people(sandbox: Sandbox) -> None:
    sandbox.add_department(2, name="研发部")
    sandbox.add_department(3, name="后端组", parent_id=2)
    sandbox.add_member("ZhangSan", name="张三", departments=[2])
    sandbox.add_member("lisi", name="李四", departments=[3])
    sandbox.add_tag(7, users=["sandbox-user"], departments=[3])


def receivers(sandbox: Sandbox) -> list[str]:
    return sandbox.messages()[-1]["receivers"]


@pytest.mark.parametrize(
    ("envelope", "expected"),
    [
        ({"touser": "sandbox-user"}, ["sandbox-user"]),
        ({"touser": "zhangsan|LISI"}, ["ZhangSan", "lisi"]),
        ({"touser": "lisi|lisi"}, ["lisi"]),
        ({"touser": "@all", "toparty": "99"}, ["sandbox-user", "ZhangSan", "lisi"]),
        ({"touser": "", "toparty": "3"}, ["lisi"]),
        ({"touser": "", "toparty": "2"}, ["ZhangSan", "lisi"]),
        ({"touser": "", "toparty": "1"}, ["sandbox-user", "ZhangSan", "lisi"]),
        ({"touser": "", "totag": "7"}, ["sandbox-user", "lisi"]),
        ({"touser": "ZhangSan", "toparty": "3", "totag": "7"}, ["sandbox-user", "ZhangSan", "lisi"]),
    ],
)
def test_users_departments_and_tags_are_resolved(
    wecom: Caller, sandbox: Sandbox, envelope: dict[str, str], expected: list[str]
) -> None:
    answer = wecom.send(**envelope)
    assert answer["errcode"] == 0
    assert answer["msgid"]
    assert answer["invaliduser"] == ""
    assert receivers(sandbox) == expected


def test_some_unknown_recipients_are_listed_and_it_is_no_failure(wecom: Caller, sandbox: Sandbox) -> None:
    answer = wecom.send(touser="sandbox-user|Nobody|NoOne", toparty="1|98|99", totag="7|5|x")
    assert answer["errcode"] == 0
    assert answer["invaliduser"] == "nobody|noone"
    assert answer["invalidparty"] == "98|99"
    assert answer["invalidtag"] == "5|x"
    assert "sandbox-user" in receivers(sandbox)


def test_all_recipients_unknown_is_81013_with_the_list(wecom: Caller, sandbox: Sandbox) -> None:
    answer = wecom.send(touser="Nobody", toparty="99", totag="5")
    assert answer["errcode"] == 81013
    assert answer["errmsg"].startswith("user & party & tag all invalid, hint: [")
    assert (answer["invaliduser"], answer["invalidparty"], answer["invalidtag"]) == ("nobody", "99", "5")
    assert sandbox.messages() == []


@pytest.mark.parametrize("touser", ["", "|", None])
def test_no_recipient_at_all_is_82001(wecom: Caller, touser: str | None) -> None:
    assert wecom.send(touser=touser)["errcode"] == 82001


def test_a_department_without_members_is_valid_and_nobody_gets_anything(wecom: Caller, sandbox: Sandbox) -> None:
    sandbox.add_department(4)
    assert wecom.send(touser="", toparty="4")["errcode"] == 0
    assert sandbox.messages() == []


@pytest.mark.parametrize(
    ("field", "count", "errcode"),
    [
        ("touser", 1000, 81013),
        ("touser", 1001, 40032),
        ("toparty", 100, 81013),
        ("toparty", 101, 82002),
        ("totag", 100, 81013),
        ("totag", 101, 82003),
    ],
)
def test_lists_have_a_size(wecom: Caller, field: str, count: int, errcode: int) -> None:
    lists = {"touser": "", field: "|".join(str(5000 + i) for i in range(count))}
    assert wecom.send(**lists)["errcode"] == errcode


def test_a_member_may_be_added_to_a_department_that_does_not_exist_yet(wecom: Caller, sandbox: Sandbox) -> None:
    sandbox.add_member("new", departments=[50])
    assert wecom.send(touser="", toparty="50")["errcode"] == 0
    assert receivers(sandbox) == ["new"]


@pytest.mark.parametrize(
    ("agentid", "errcode"),
    [
        (1000002, 0),
        ("1000002", 0),
        (1000003, 301002),
        ("1000003", 301002),
        (7, 40056),
        ("x", 40056),
        (True, 40056),
        ([], 40056),
        (None, 41011),
    ],
)
def test_the_agent_id_must_be_the_tokens_own(wecom: Caller, sandbox: Sandbox, agentid: object, errcode: int) -> None:
    sandbox.add_app("other-secret", 1000003)
    assert wecom.send(agentid=agentid)["errcode"] == errcode
