"""batch/syncuser, replaceuser, replaceparty and getresult: members and departments from a file."""

from __future__ import annotations

from typing import Any

import pytest

from wecom_logging._sandbox import Sandbox

from .caller import Caller, Clerk

HEAD = "姓名,帐号,手机号,邮箱,所在部门,职位,性别\n"


def users(sandbox: Sandbox) -> dict[str, dict[str, Any]]:
    return {row["userid"]: row for row in sandbox.members()}


def put(wecom: Caller, clerk: Clerk, path: str, text: str | bytes) -> dict[str, Any]:
    data = text if isinstance(text, bytes) else text.encode("utf-8-sig")
    return clerk.write(f"batch/{path}", media_id=wecom.upload("file", data)["media_id"])


def result(clerk: Clerk, answer: dict[str, Any]) -> dict[str, Any]:
    return clerk.read("batch/getresult", jobid=answer["jobid"])


def test_members_are_added_and_changed(wecom: Caller, clerk: Clerk, sandbox: Sandbox) -> None:
    sandbox.add_department(2)
    sandbox.add_member("lisi", name="old")
    rows = "李四,lisi,,,1;2,工程师,\n王五,wangwu,13800000005,,,,女\n,nameless,,,1,,\n赵六,zhaoliu,13800000005,,1,,\n"
    told = result(clerk, put(wecom, clerk, "syncuser", HEAD + rows))
    assert (told["status"], told["type"], told["total"], told["percentage"]) == (3, "sync_user", 4, 100)
    assert [row["errcode"] for row in told["result"]] == [0, 0, 60112, 60104]
    assert told["result"][3]["errmsg"] == "mobile existed:wangwu"
    found = users(sandbox)
    assert set(found) == {"sandbox-user", "lisi", "wangwu"}
    assert (found["lisi"]["name"], found["lisi"]["department"], found["lisi"]["position"]) == ("李四", [1, 2], "工程师")
    assert found["wangwu"]["gender"] == "2"


def test_who_is_not_in_the_file_is_removed(wecom: Caller, clerk: Clerk, sandbox: Sandbox) -> None:
    for id in ("lisi", "gone"):
        sandbox.add_member(id)
    told = result(clerk, put(wecom, clerk, "replaceuser", HEAD + "李四,lisi,,,,,\n"))
    assert told["type"] == "replace_user"
    assert set(users(sandbox)) == {"sandbox-user", "lisi"}


def test_too_many_are_not_removed(wecom: Caller, clerk: Clerk, sandbox: Sandbox) -> None:
    for i in range(51):
        sandbox.add_member(f"m{i}")
    assert put(wecom, clerk, "replaceuser", HEAD + "李四,lisi,,,,,\n")["errcode"] == 45026
    assert len(users(sandbox)) == 52


def test_what_is_refused(wecom: Caller, clerk: Clerk, app: Clerk) -> None:
    assert put(wecom, app, "syncuser", HEAD)["errcode"] == 48002
    assert put(wecom, clerk, "syncuser", "姓名,帐号\n李四,lisi\n".encode("gbk"))["errcode"] == 40035
    assert put(wecom, clerk, "syncuser", HEAD + "x,y\n" * 30_001)["errcode"] == 40035
    assert clerk.write("batch/syncuser")["errcode"] == 41006
    assert clerk.write("batch/syncuser", media_id="unknown")["errcode"] == 40007
    assert clerk.read("batch/getresult", jobid="unknown")["errcode"] == 40035
    assert clerk.read("batch/getresult")["errcode"] == 40063


DEPARTMENTS = "部门名称,部门ID,父部门ID,排序\n"


def test_departments_are_added_changed_moved_and_removed(wecom: Caller, clerk: Clerk, sandbox: Sandbox) -> None:
    for id, name, parent in ((2, "运维", 1), (3, "空", 1), (4, "有人", 1), (5, "空的孩子", 3), (6, "研发", 1)):
        sandbox.add_department(id, name=name, parent_id=parent)
    sandbox.add_member("lisi", departments=[4])
    rows = "沙箱公司,1,0,\n运维部,2,1,\n研发,6,2,7\n测试,7,6,\n,8,1,\n坏,9,99,\n名,x,,\n"
    told = result(clerk, put(wecom, clerk, "replaceparty", DEPARTMENTS + rows))
    assert (told["status"], told["type"], told["total"]) == (3, "replace_party", 7)
    assert [(row["partyid"], row["action"], row["errcode"]) for row in told["result"]] == [
        (1, 0, 0),
        (2, 2, 0),
        (6, 4 | 8, 0),
        (7, 1, 0),
        (8, 1, 60001),
        (9, 1, 60004),
        (0, 1, 40058),
    ]
    found = {row["id"]: (row["name"], row["parentid"]) for row in sandbox.departments()}
    assert found == {1: ("沙箱公司", 0), 2: ("运维部", 1), 4: ("有人", 1), 6: ("研发", 2), 7: ("测试", 6)}


def test_strict_reads_a_file_as_well(strict: Caller) -> None:
    clerk = Clerk(strict)
    told = result(clerk, put(strict, clerk, "replaceparty", DEPARTMENTS + "运维部,2,1,5\n"))
    assert [row["errcode"] for row in told["result"]] == [0]
    told = result(clerk, put(strict, clerk, "syncuser", HEAD + "李四,lisi,13800000000,,1;2,,\n"))
    assert [row["errcode"] for row in told["result"]] == [0]


def test_a_callback_is_told_nothing(wecom: Caller, clerk: Clerk) -> None:
    media_id = wecom.upload("file", HEAD.encode())["media_id"]
    callback = {"url": "http://127.0.0.1:1/", "token": "", "encodingaeskey": "a" * 43}
    assert clerk.write("batch/syncuser", media_id=media_id, callback=callback)["errcode"] == 0


@pytest.mark.parametrize("text", ["", "\n\n\n\n\n\n", "a,b\n1,2,3,4\n", HEAD + '"', HEAD + "x" * 200_000])
def test_any_text_is_answered(wecom: Caller, clerk: Clerk, text: str) -> None:
    assert put(wecom, clerk, "syncuser", "      " + text)["errcode"] in (0, 40035)
