"""user/…"""

from __future__ import annotations

import time
from typing import Any

import pytest
import requests

from wecom_logging._sandbox import Sandbox
from wecom_logging._sandbox import members as rules

from .caller import JPG, Caller, Clerk, FakeClock


@pytest.fixture(autouse=True)
def people(sandbox: Sandbox) -> None:
    sandbox.add_department(2, name="研发部")
    sandbox.add_department(3, name="市场部")
    sandbox.add_member("ZhangSan", name="张三", departments=[2], mobile="13800000001", email="zhang@example.com")


def member(sandbox: Sandbox, user_id: str) -> dict[str, Any]:
    return next(one for one in sandbox.members() if one["userid"] == user_id)


def test_a_member_lives(clerk: Clerk, sandbox: Sandbox) -> None:
    fields = {"department": [2, 3], "order": [5, 6], "is_leader_in_dept": [0, 1], "position": "工程师", "gender": "1"}
    more = {"alias": "Si", "telephone": "020-1234,5", "main_department": 3, "direct_leader": ["zhangsan"]}
    answer = clerk.create("LiSi", mobile="+86 13800000002", to_invite=False, **fields, **more)
    assert (answer["errcode"], answer["errmsg"]) == (0, "created")
    got = clerk.read("user/get", userid="lisi")
    assert {name: got[name] for name in (*fields, *more)} == {**fields, **more, "direct_leader": ["ZhangSan"]}
    assert (got["userid"], got["mobile"], got["status"]) == ("LiSi", "13800000002", 4)
    assert clerk.write("user/update", userid="LISI", name="李", department=[3])["errmsg"] == "updated"
    got = member(sandbox, "LiSi")
    assert (got["name"], got["department"], got["order"], got["is_leader_in_dept"]) == ("李", [3], [0], [1])
    assert got["position"] == "工程师"
    assert clerk.read("user/delete", userid="LISI")["errmsg"] == "deleted"
    assert clerk.read("user/get", userid="lisi")["errcode"] == 60111


def test_who_was_created_joins_and_stays_who_they_are(clerk: Clerk, sandbox: Sandbox) -> None:
    fields = {"department": [3], "is_leader_in_dept": [1], "position": "工程师", "mobile": "13800000002"}
    assert clerk.create("LiSi", **fields)["errcode"] == 0
    before = clerk.read("user/get", userid="lisi")
    assert before["status"] == 4
    url = f"{sandbox.url}/sandbox/members"
    assert requests.post(url, json={"user_id": "lisi"}, timeout=10).status_code < 300
    assert clerk.read("user/get", userid="lisi") == {**before, "status": 1}
    assert clerk.create("wangwu", mobile="13800000003", department=[2])["errcode"] == 0
    sandbox.add_member("wangwu", name="王五")
    got = clerk.read("user/get", userid="wangwu")
    assert [got[name] for name in ("name", "mobile", "department", "status")] == ["王五", "13800000003", [2], 1]


@pytest.mark.parametrize(
    ("field", "value", "errcode"),
    [
        ("userid", None, 41009),
        ("userid", "-x", 40003),
        ("userid", "a b", 40003),
        ("userid", "李四", 40003),
        ("userid", "x\n", 40003),
        ("userid", "7_a-b@c.d", 0),
        ("userid", "x" * 64, 0),
        ("userid", "x" * 65, 40003),
        ("userid", "ZHANGSAN", 60102),
        ("name", None, 60112),
        ("name", "", 60112),
        ("name", "好" * 64, 0),
        ("name", "x" * 65, 60112),
        ("email", None, 60129),
        ("email", "a@b.c", 60105),
        ("email", "x" * 60 + "@example.com", 60105),
        ("email", "no address", 60105),
        ("email", "Zhang@example.com", 60106),
        ("biz_mail", "nothing", 60105),
        ("mobile", "123", 60103),
        ("mobile", "1" * 33, 60103),
        ("mobile", "138x0000000", 60103),
        ("mobile", "+852 5123-4567", 0),
        ("mobile", "+86 138-0000-0001", 60104),
        ("telephone", "1" * 33, 301013),
        ("telephone", "abc", 301013),
        ("position", "x" * 128, 0),
        ("position", "x" * 129, 301012),
        ("english_name", "", 301014),
        ("english_name", "Li Si-2", 0),
        ("english_name", "李", 301014),
        ("alias", "x" * 65, 40058),
        ("address", "x" * 129, 40058),
        ("gender", "3", 40058),
        ("gender", 0, 0),
        ("enable", 2, 40058),
        ("to_invite", 1, 0),
        ("extattr", [], 0),
        ("extattr", {"attrs": [{"name": "x" * 70_000}]}, 40058),
        ("avatar_mediaid", "unknown", 40007),
        ("direct_leader", ["nobody"], 60111),
        ("direct_leader", ["zhangsan", "sandbox-user"], 60257),
        ("department", [-1], 40066),
        ("department", [2, 2], 40066),
        ("department", [2**31], 40066),
        ("department", ["2"], 0),
        ("department", "2", 0),
        ("department", "[2, 3]", 40066),
        ("department", list(range(1, 102)), 60110),
        ("order", [1, 2], 60132),
        ("order", [-1], 40058),
        ("is_leader_in_dept", [1, 0], 60132),
        ("is_leader_in_dept", [2], 40058),
        ("main_department", 3, 60123),
    ],
)
def test_what_create_takes(clerk: Clerk, sandbox: Sandbox, field: str, value: Any, errcode: int) -> None:
    before = sandbox.members(), sandbox.departments()
    assert clerk.create(**{"user_id": "lisi", "department": [2], field: value})["errcode"] == errcode
    assert errcode == 0 or (sandbox.members(), sandbox.departments()) == before


def test_a_mobile_is_enough(clerk: Clerk) -> None:
    assert clerk.create(email=None, mobile="13800000002")["errcode"] == 0


def test_an_uploaded_picture_may_be_the_face(clerk: Clerk, wecom: Caller) -> None:
    assert clerk.create(avatar_mediaid=wecom.upload("image", JPG)["media_id"])["errcode"] == 0


def test_a_taken_address_of_the_corps_mail_is_60145(clerk: Clerk) -> None:
    assert clerk.create("a", biz_mail="one@corp.example")["errcode"] == 0
    assert clerk.create("b", biz_mail="One@corp.example")["errcode"] == 60145


@pytest.mark.parametrize("department", [None, [], [0]])
def test_who_has_no_department_is_among_the_others(clerk: Clerk, sandbox: Sandbox, department: Any) -> None:
    assert "created_department_list" not in clerk.create(department=department)
    assert clerk.create("wang", department=department)["errcode"] == 0
    assert [(row["name"], row["parentid"]) for row in sandbox.departments()][-1] == ("其他", 1)
    assert member(sandbox, "lisi")["department"] == member(sandbox, "wang")["department"]


def test_unknown_departments_are_made_by_create(clerk: Clerk, sandbox: Sandbox) -> None:
    answer = clerk.create(department=[4, 2, 50], is_leader_in_dept=[0, 0, 1])
    assert [row["id"] for row in answer["created_department_list"]["department_info"]] == [4, 50]
    rows = {row["id"]: row for row in sandbox.departments()}
    assert {rows[rows[id]["parentid"]]["name"] for id in (4, 50)} == {"其他"}
    assert rows[50]["department_leader"] == ["lisi"]
    assert member(sandbox, "lisi")["department"] == [4, 2, 50]


def test_a_full_department_takes_nobody(clerk: Clerk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "MAX_NODES", 1)
    assert clerk.create(department=[2])["errcode"] == 81001
    assert clerk.create(department=[3])["errcode"] == 0
    assert clerk.write("user/update", userid="ZhangSan", department=[3])["errcode"] == 81001
    assert clerk.write("user/update", userid="ZhangSan", department=[2])["errcode"] == 0


@pytest.mark.parametrize(
    ("body", "errcode"),
    [
        ({"userid": "nobody"}, 60111),
        ({"userid": None}, 41009),
        ({"name": ""}, 60112),
        ({"department": [99]}, 60123),
        ({"department": []}, 40066),
        ({"department": [2, 3], "order": [1]}, 60132),
        ({"department": [2, 3], "is_leader_in_dept": [1]}, 60132),
        ({"order": [1, 2, 3]}, 0),
        ({"is_leader_in_dept": [1, 0]}, 60132),
        ({"main_department": 3}, 60123),
        ({"department": [3], "main_department": 3}, 0),
        ({"main_department": 0}, 0),
        ({"email": ""}, 0),
        ({"email": "Zhang@example.com"}, 0),
        ({"email": "boss@example.com"}, 60106),
        ({"new_userid": "other"}, 301036),
        ({"new_userid": "ZhangSan"}, 0),
    ],
)
def test_what_update_takes(clerk: Clerk, sandbox: Sandbox, body: dict[str, Any], errcode: int) -> None:
    sandbox.add_member("boss", email="boss@example.com")
    before = sandbox.members()
    assert clerk.write("user/update", **{"userid": "zhangsan", **body})["errcode"] == errcode
    assert errcode == 0 or sandbox.members() == before


def test_an_active_members_mobile_is_ignored_in_silence(clerk: Clerk, sandbox: Sandbox) -> None:
    assert clerk.write("user/update", userid="zhangsan", mobile="x", name="新")["errcode"] == 0
    assert (member(sandbox, "ZhangSan")["mobile"], member(sandbox, "ZhangSan")["name"]) == ("13800000001", "新")
    clerk.create(mobile="13800000002")
    assert clerk.write("user/update", userid="lisi", mobile="x")["errcode"] == 60103
    assert clerk.write("user/update", userid="lisi", mobile="13800000001")["errcode"] == 60104
    assert clerk.write("user/update", userid="lisi", mobile="13800000003")["errcode"] == 0
    assert member(sandbox, "lisi")["mobile"] == "13800000003"


def test_mobile_and_email_are_not_both_taken_away(clerk: Clerk) -> None:
    clerk.create(mobile="13800000002", email=None)
    assert clerk.write("user/update", userid="lisi", mobile="")["errcode"] == 60129
    assert clerk.write("user/update", userid="lisi", mobile="", email="li@example.com")["errcode"] == 0
    assert clerk.create("other", mobile="13800000002")["errcode"] == 0


def test_a_member_is_disabled_and_enabled(clerk: Clerk, sandbox: Sandbox) -> None:
    clerk.create()
    for user_id, status in (("ZhangSan", 1), ("lisi", 4)):
        assert member(sandbox, user_id)["status"] == status
        clerk.write("user/update", userid=user_id, enable=0)
        assert member(sandbox, user_id)["status"] == 2
        clerk.write("user/update", userid=user_id, enable=1)
        assert member(sandbox, user_id)["status"] == status


@pytest.mark.parametrize(
    ("user_id", "errcode"), [("ZHANGSAN", 0), ("nobody", 60111), ("", 41009), ("sandbox-user", 301005)]
)
def test_who_can_be_deleted(clerk: Clerk, user_id: str, errcode: int) -> None:
    assert clerk.read("user/delete", userid=user_id)["errcode"] == errcode


def test_a_deleted_members_mobile_is_free_and_nobodys_leader_is_left(clerk: Clerk, sandbox: Sandbox) -> None:
    clerk.create(direct_leader=["zhangsan"])
    clerk.read("user/delete", userid="zhangsan")
    assert member(sandbox, "lisi")["direct_leader"] == []
    assert clerk.create("zhangsan", mobile="13800000001")["errcode"] == 0


@pytest.mark.parametrize(
    ("ids", "errcode"),
    [
        (["zhangsan", "ZhangSan"], 0),
        (["zhangsan", "nobody"], 40031),
        (["zhangsan", "sandbox-user"], 301005),
        ([], 40063),
        (["x"] * 201, 40032),
        ("zhangsan", 0),
    ],
)
def test_batchdelete_deletes_all_or_nobody(clerk: Clerk, sandbox: Sandbox, ids: Any, errcode: int) -> None:
    assert clerk.write("user/batchdelete", useridlist=ids)["errcode"] == errcode
    assert len(sandbox.members()) == (1 if errcode == 0 else 2)


def test_lists_hold_a_departments_own_members(clerk: Clerk, sandbox: Sandbox) -> None:
    sandbox.add_department(9, parent_id=2)
    sandbox.add_member("deep", departments=[9])
    short = clerk.read("user/simplelist", department_id=2, fetch_child=1)["userlist"]
    assert short == [{"userid": "ZhangSan", "name": "张三", "department": [2]}]
    details = clerk.read("user/list", department_id=2)["userlist"]
    assert [row["email"] for row in details] == ["zhang@example.com"]
    for id, errcode in (("", 60123), ("99", 60123), ("x", 40058)):
        answer = clerk.read("user/list", department_id=id)
        assert (answer["errcode"], answer["userlist"]) == (errcode, [])


def test_list_id_has_a_row_for_each_department_and_goes_page_by_page(clerk: Clerk, sandbox: Sandbox) -> None:
    sandbox.add_member("a", departments=[2, 3, 1])
    sandbox.add_member("b", departments=[3])
    rows, cursor = [], ""
    while True:
        answer = clerk.write("user/list_id", limit=2, cursor=cursor)
        rows += [(row["userid"], row["department"]) for row in answer["dept_user"]]
        cursor = answer["next_cursor"]
        if not cursor:
            break
        assert len(answer["dept_user"]) == 2
    assert rows == [("sandbox-user", 1), ("ZhangSan", 2), ("a", 2), ("a", 3), ("a", 1), ("b", 3)]
    assert clerk.write("user/list_id", limit=6)["next_cursor"] == ""
    assert len(clerk.write("user/list_id")["dept_user"]) == 6


def test_paging_goes_on_where_a_member_was_deleted(clerk: Clerk, sandbox: Sandbox) -> None:
    sandbox.add_member("b", departments=[3])
    cursor = clerk.write("user/list_id", limit=2)["next_cursor"]
    clerk.read("user/delete", userid="ZhangSan")
    assert [row["userid"] for row in clerk.write("user/list_id", cursor=cursor)["dept_user"]] == ["b"]


@pytest.mark.parametrize("body", [{"limit": 0}, {"limit": 10_001}, {"cursor": "nonsense"}])
def test_what_list_id_refuses(clerk: Clerk, body: dict[str, Any]) -> None:
    assert clerk.write("user/list_id", **body)["errcode"] == 40058


@pytest.mark.parametrize("path", ["user/create", "user/update", "user/batchdelete", "user/list_id"])
def test_writing_and_all_ids_are_for_contacts_sync(app: Clerk, path: str) -> None:
    assert app.write(path)["errcode"] == 48002
    assert app.read("user/delete", userid="zhangsan")["errcode"] == 48002


@pytest.mark.parametrize(
    ("path", "body", "errcode"),
    [
        ("user/getuserid", {"mobile": "+86 138-0000-0001"}, 0),
        ("user/getuserid", {"mobile": "13800000009"}, 60146),
        ("user/getuserid", {"mobile": "1234"}, 60103),
        ("user/get_userid_by_email", {"email": "ZHANG@example.com", "email_type": 2}, 0),
        ("user/get_userid_by_email", {"email": "zhang@example.com"}, 60148),
        ("user/get_userid_by_email", {"email": "no@example.com", "email_type": 2}, 60147),
        ("user/get_userid_by_email", {"email": "zhang@example.com", "email_type": 3}, 40058),
        ("user/get_userid_by_email", {}, 60105),
    ],
)
def test_somebody_is_found_by_mobile_or_email(
    app: Clerk, clerk: Clerk, path: str, body: dict[str, Any], errcode: int
) -> None:
    for caller in (app, clerk):
        answer = caller.write(path, **body)
        assert answer["errcode"] == errcode
        assert errcode or answer["userid"] == "ZhangSan"


@pytest.mark.parametrize(
    ("path", "wrong", "right", "errcode"),
    [
        ("user/getuserid", {"mobile": "13900000000"}, {"mobile": "13800000001"}, 60146),
        ("user/get_userid_by_email", {"email": "x@y.zz"}, {"email": "zhang@example.com", "email_type": 2}, 60148),
    ],
)
def test_who_guesses_is_shut_out_until_the_next_day(
    wecom: Caller, app: Clerk, clock: FakeClock, path: str, wrong: dict[str, Any], right: dict[str, Any], errcode: int
) -> None:
    """The clock begins at 06:13 in China; the day there ends 64 000 seconds later."""
    assert [app.write(path, **wrong)["errcode"] for _ in range(6)] == [errcode] * 5 + [45009]
    assert app.write(path, **right)["errcode"] == 45009
    clock.now += 63_999
    assert Clerk(wecom).write(path, **right)["errcode"] == 45009
    clock.now += 1
    assert Clerk(wecom).write(path, **right)["errcode"] == 0


def test_a_larger_corp_bears_a_fifth_of_wrong_numbers(app: Clerk, sandbox: Sandbox) -> None:
    for i in range(33):
        sandbox.add_member(f"m{i}")
    codes = [app.write("user/getuserid", mobile="13900000000")["errcode"] for _ in range(8)]
    assert codes == [60146] * 7 + [45009] * 1


def test_members_by_hand_are_active_and_have_their_mobile_alone(sandbox: Sandbox) -> None:
    assert member(sandbox, "ZhangSan")["status"] == 1
    with pytest.raises(ValueError, match="60104"):
        sandbox.add_member("other", mobile="13800000001")


@pytest.mark.slow
def test_ten_thousand_members_are_no_burden(wecom: Caller, clerk: Clerk, sandbox: Sandbox) -> None:
    """Whatever grows with the square of them would take minutes here."""
    started = time.process_time()
    for i in range(10_000):
        sandbox.add_member(f"user{i}", departments=[100 + i % 500, 2], mobile=str(13900000000 + i))
    rows, cursor = 0, ""
    while rows == 0 or cursor:
        answer = clerk.write("user/list_id", limit=1000, cursor=cursor)
        rows, cursor = rows + len(answer["dept_user"]), answer["next_cursor"]
    assert rows == 20_002
    assert len(clerk.read("user/list", department_id=2)["userlist"]) == 10_001
    assert len(clerk.read("department/list")["department"]) == 503
    assert wecom.send(touser="", toparty="1")["errcode"] == 0
    assert len(sandbox.messages()[-1]["receivers"]) == 10_002
    assert time.process_time() - started < 20
