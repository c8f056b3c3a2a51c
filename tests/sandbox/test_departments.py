"""department/…"""

from __future__ import annotations

from typing import Any

import pytest

from wecom_logging._sandbox import Sandbox
from wecom_logging._sandbox import departments as rules

from .caller import Clerk


@pytest.fixture(autouse=True)
def tree(sandbox: Sandbox) -> None:
    sandbox.add_department(2, name="研发部")
    sandbox.add_department(3, name="后端组", parent_id=2)
    sandbox.add_department(4, name="市场部")


def names(sandbox: Sandbox) -> dict[int, str]:
    return {department["id"]: department["name"] for department in sandbox.departments()}


def test_a_department_lives(clerk: Clerk, sandbox: Sandbox) -> None:
    made = clerk.write("department/create", name="前端组", name_en="Web", parentid=2, order=7, id=9)
    assert (made["errcode"], made["errmsg"], made["id"]) == (0, "created", 9)
    assert clerk.write("department/update", id=9, name="网页组", parentid=4)["errmsg"] == "updated"
    row = {"id": 9, "name": "网页组", "name_en": "Web", "department_leader": [], "parentid": 4, "order": 7}
    assert clerk.read("department/get", id=9)["department"] == row
    assert row in clerk.read("department/list")["department"]
    assert clerk.read("department/delete", id=9)["errmsg"] == "deleted"
    assert 9 not in names(sandbox)


def test_an_id_is_made_where_none_is_given(clerk: Clerk) -> None:
    assert [clerk.write("department/create", name=name, parentid=1)["id"] for name in "ab"] == [5, 6]


@pytest.mark.parametrize(
    ("body", "errcode"),
    [
        ({"name": ""}, 40058),
        ({"name": None}, 60001),
        ({"name": "好" * 64}, 0),
        ({"name": "x" * 65}, 60001),
        ({"name_en": "x" * 32}, 0),
        ({"name_en": "x" * 33}, 40058),
        *[({"name": f"a{char}b"}, 60009) for char in '\\:*?"<>|｜'],
        ({"name_en": "a:b"}, 60009),
        ({"name": "研发部"}, 60008),
        ({"name": "市场部", "parentid": 2}, 0),
        ({"name_en": "研发部"}, 60008),
        ({"name": 7}, 60001),
        ({"id": 2}, 60008),
        ({"parentid": "1", "id": "9", "order": "5"}, 0),
        ({"id": 1}, 40058),
        ({"id": 0}, 40058),
        ({"id": 2**31 - 1}, 0),
        ({"id": 2**31}, 40058),
        ({"parentid": None}, 60004),
        ({"parentid": 99}, 60004),
        ({"order": -1}, 40058),
        ({"order": 2**32 - 1}, 0),
        ({"order": 2**32}, 40058),
    ],
)
def test_what_create_takes(clerk: Clerk, body: dict[str, Any], errcode: int) -> None:
    assert clerk.write("department/create", **{"name": "新部门", "parentid": 1, **body})["errcode"] == errcode


@pytest.mark.parametrize(
    ("body", "errcode"),
    [
        ({"id": 99}, 60003),
        ({"id": None}, 60003),
        ({"name": ""}, 40058),
        ({"name": "a|b"}, 60009),
        ({"name": "市场部"}, 60008),
        ({"name": "研发部"}, 0),
        ({"parentid": 99}, 60004),
        ({"parentid": 2}, 60010),
        ({"parentid": 3}, 60010),
        ({"id": 1, "parentid": 2}, 60010),
        ({"id": 1, "name": "新名字"}, 0),
        ({"id": 3, "parentid": 1, "name": "市场部"}, 60008),
    ],
)
def test_what_update_takes(clerk: Clerk, sandbox: Sandbox, body: dict[str, Any], errcode: int) -> None:
    before = sandbox.departments()
    assert clerk.write("department/update", **{"id": 2, **body})["errcode"] == errcode
    assert errcode == 0 or sandbox.departments() == before


def test_a_name_is_free_again_when_its_department_is_renamed_or_gone(clerk: Clerk) -> None:
    clerk.write("department/update", id=4, name="销售部")
    assert clerk.write("department/create", name="市场部", parentid=1)["errcode"] == 0
    clerk.read("department/delete", id=4)
    assert clerk.write("department/create", name="销售部", parentid=1)["errcode"] == 0


@pytest.mark.parametrize(
    ("id", "errcode"), [("1", 60007), ("2", 60006), ("3", 60005), ("4", 0), ("99", 60003), ("", 60003), ("x", 40058)]
)
def test_only_an_empty_department_is_deleted(clerk: Clerk, sandbox: Sandbox, id: str, errcode: int) -> None:
    sandbox.add_member("lisi", departments=[3])
    assert clerk.read("department/delete", id=id)["errcode"] == errcode


def test_a_tree_has_fifteen_levels(clerk: Clerk, sandbox: Sandbox) -> None:
    for id in range(11, 24):
        sandbox.add_department(id, parent_id=2 if id == 11 else id - 1)
    assert clerk.write("department/create", name="x", parentid=23)["errcode"] == 81002
    assert clerk.write("department/create", name="x", parentid=22)["errcode"] == 0
    assert clerk.write("department/update", id=2, parentid=4)["errcode"] == 81002


def test_a_department_has_so_many_nodes(clerk: Clerk, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "MAX_NODES", 6)
    sandbox.add_member("lisi", departments=[2])
    for id in (11, 12, 13, 14):
        sandbox.add_department(id, parent_id=2)
    assert clerk.write("department/create", name="x", parentid=2)["errcode"] == 81001
    assert clerk.write("department/create", name="x", parentid=11)["errcode"] == 81001  # the corp has its number too


@pytest.mark.parametrize(
    ("params", "ids"), [({}, [1, 2, 3, 4]), ({"id": 0}, [1, 2, 3, 4]), ({"id": 2}, [2, 3]), ({"id": 3}, [3])]
)
def test_lists_hold_all_below(clerk: Clerk, params: dict[str, int], ids: list[int]) -> None:
    assert [row["id"] for row in clerk.read("department/list", **params)["department"]] == ids
    rows = clerk.read("department/simplelist", **params)["department_id"]
    assert [row["id"] for row in rows] == ids
    assert all(set(row) == {"id", "parentid", "order"} for row in rows)


@pytest.mark.parametrize(("path", "empty"), [("list", "department"), ("simplelist", "department_id"), ("get", None)])
def test_an_unknown_department_is_60003_and_a_list_is_there_all_the_same(
    clerk: Clerk, path: str, empty: str | None
) -> None:
    answer = clerk.read(f"department/{path}", id=99)
    assert answer["errcode"] == 60003
    assert empty is None or answer[empty] == []


def test_leaders_follow_from_the_members(clerk: Clerk, sandbox: Sandbox) -> None:
    sandbox.add_member("LiSi", departments=[2, 3], leader_of=[2])
    assert clerk.read("department/get", id=2)["department"]["department_leader"] == ["LiSi"]
    clerk.write("user/update", userid="lisi", is_leader_in_dept=[0, 1])
    assert [row["department_leader"] for row in sandbox.departments()] == [[], [], ["LiSi"], []]


def test_a_deleted_department_leaves_its_tags(clerk: Clerk, sandbox: Sandbox) -> None:
    sandbox.add_tag(7, departments=[2, 4])
    clerk.read("department/delete", id=4)
    assert sandbox.tags()[0]["partylist"] == [2]


@pytest.mark.parametrize("path", ["create", "update"])
def test_writing_is_for_contacts_sync(app: Clerk, path: str) -> None:
    assert app.write(f"department/{path}", id=2, name="x", parentid=1)["errcode"] == 48002
    assert app.read("department/delete", id=4)["errcode"] == 48002


def test_nonsense_by_hand_is_a_value_error(sandbox: Sandbox) -> None:
    with pytest.raises(ValueError, match="60008"):
        sandbox.add_department(9, name="研发部")
    with pytest.raises(ValueError, match="60010"):
        sandbox.add_department(2, parent_id=3)
    sandbox.add_department(20, parent_id=30)
    assert {20, 30} <= set(names(sandbox))
