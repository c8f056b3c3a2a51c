"""``wecom-logging departments`` against a local WeCom."""

from __future__ import annotations

import pytest

from wecom_logging._cli.directory import in_order
from wecom_logging._cli.printing import aligned, width
from wecom_logging._sandbox import Sandbox
from wecom_logging.model import Department

from ..scripted import ScriptedWeCom, ok
from .conftest import APP, Command, paths


def test_list_prints_the_tree_with_ids_and_leaders(command: Command, sandbox: Sandbox) -> None:
    sandbox.add_department(2, name="研发部")
    sandbox.add_department(3, name="后端", parent_id=2)
    sandbox.add_department(4, name="Sales")
    sandbox.add_member("lisi", departments=[3], leader_of=[3])
    assert command("departments", "list").out.splitlines() == [
        "name      id  leaders",
        "沙箱公司  1",
        "  研发部  2",
        "    后端  3   lisi",
        "  Sales   4",
    ]
    assert [row["id"] for row in command("--json", "departments", "list", "--parent", "2").json] == [2, 3]


def test_create_show_update_delete(command: Command, sandbox: Sandbox) -> None:
    assert command("departments", "create", "--name", "研发部", "--id", "7").out == "7\n"
    (made,) = command("--json", "departments", "create", "--name", "后端", "--parent", "7", "--order", "5").json
    changed = command("departments", "update", made["id"], "--name", "支付", "--parent", "1", "--order", "0")
    assert (changed.status, changed.err) == (0, "")
    (shown,) = command("--json", "departments", "show", made["id"]).json
    assert (shown["name"], shown["parent_id"], shown["order"]) == ("支付", 1, 0)
    assert "name       支付" in command("departments", "show", made["id"]).out
    assert command("departments", "delete", made["id"]).status == 0
    assert [one["id"] for one in sandbox.departments()] == [1, 7]


@pytest.mark.parametrize(
    "arguments",
    [
        ("create", "--name", "a|b"),
        ("create", "--name", "x" * 65),
        ("create", "--name", "x", "--order", "-1"),
        ("update", "2"),
        ("delete", "0"),
        ("show", "2.0"),
    ],
)
def test_wrong_input_is_refused_before_any_request(
    command: Command, sandbox: Sandbox, arguments: tuple[str, ...]
) -> None:
    done = command("departments", *arguments)
    assert (done.status, done.out, paths(sandbox)) == (2, "", [])
    assert done.err.startswith("wecom-logging: ")


def test_a_refusal_is_said_with_its_remedy(command: Command, sandbox: Sandbox) -> None:
    done = command("departments", "delete", "1")
    assert done.status == 1
    assert "60007" in done.err
    assert "empty a department before you delete it" in done.err


def test_an_app_reads_but_does_not_write(command: Command, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WECOM_CONTACTS_SECRET")
    for name, value in APP.items():
        monkeypatch.setenv(name, value)
    assert command("departments", "list").status == 0
    done = command("departments", "create", "--name", "x")
    assert done.status == 3
    assert "WECOM_CONTACTS_SECRET" in done.err
    monkeypatch.setenv("WECOM_LANGUAGE", "zh")
    done = command("departments", "create", "--name", "x")
    assert done.err.endswith("WECOM_CONTACTS_SECRET_FILE（管理后台 → 管理工具 → 通讯录同步 → Secret）\n")  # no "or not"
    monkeypatch.delenv("WECOM_SECRET")
    assert command("departments", "list").status == 3


def test_names_cannot_act_on_the_terminal(command: Command, sandbox: Sandbox) -> None:
    sandbox.add_department(2, name="研\x1b[31m发\u202e部\n999  root")
    out = command("departments", "list").out
    assert "\x1b" not in out
    assert "\u202e" not in out
    assert len(out.splitlines()) == 3
    assert "\x1b" not in command("--json", "departments", "list").out


def test_siblings_stand_by_order_and_a_ring_ends() -> None:
    tree = [
        Department(3, "low", 1, order=1),
        Department(2, "high", 1, order=9),
        Department(1, "root", 0),
        Department(8, "ring", 9),
        Department(9, "ring", 8),
        Department(5, "of an unseen parent", 44),
    ]
    assert [(depth, one.id) for depth, one in in_order(tree)] in (
        [(0, 1), (1, 2), (1, 3), (0, 5)],
        [(0, 5), (0, 1), (1, 2), (1, 3)],
    )


def test_one_wrong_answer_does_not_blow_up_all_lines(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    chain = [{"id": id, "name": "x" * 5000 if id == 2 else "n", "parentid": id - 1} for id in range(1, 1000)]
    with ScriptedWeCom() as wecom:
        monkeypatch.setenv("WECOM_API_BASE", wecom.url)
        wecom.always("/cgi-bin/department/list", ok(department=chain))
        lines = command("departments", "list").out.splitlines()
    assert len(lines) == 1000
    assert sorted(map(len, lines))[-2:] < [250, 6000]


def test_columns_are_as_wide_as_a_terminal_draws_them() -> None:
    assert [width(text) for text in ("ab", "汉字", "💾", "e\u0301", "ｱ")] == [2, 4, 2, 1, 1]
    assert list(aligned([["汉", "x"], ["abc", "y"]])) == ["汉   x", "abc  y"]
    assert list(aligned([])) == []


def test_a_department_is_found_by_its_name_too(command: Command, sandbox: Sandbox) -> None:
    sandbox.add_department(2, name="研发部")
    sandbox.add_department(3, name="后端", parent_id=2)
    assert command("--json", "departments", "show", "研发部").json[0]["id"] == 2
    assert command("departments", "create", "--name", "前端", "--parent", "研发部", "--id", "4").status == 0
    assert {row["id"] for row in command("--json", "departments", "list", "--parent", "研发部").json} == {2, 3, 4}
    assert command("departments", "update", "前端", "--name", "界面", "--parent", "沙箱公司").status == 0
    assert command("departments", "delete", "界面").out == "deleted department 界面\n"
    made = ("members", "create", "--user-id", "a", "--name", "甲", "--mobile", "13800000001")
    assert (
        command(*made, "--departments", "后端,研发部", "--field", "main_department=后端", "--leader-of", "后端").status
        == 0
    )
    (shown,) = command("--json", "members", "list", "--department", "后端").json
    assert (shown["departments"], shown["main_department"], shown["leader_of"]) == ([3, 2], 3, [3])


def test_a_name_of_none_or_of_several_departments_is_refused(command: Command, sandbox: Sandbox) -> None:
    for id, parent in ((2, 1), (3, 1), (4, 2), (5, 3)):
        sandbox.add_department(id, name="测试" if id > 3 else f"部门{id}", parent_id=parent)
    none = command("departments", "delete", "运维")
    assert (none.status, none.err) == (2, "wecom-logging: no department is called 运维\n")
    several = command("departments", "delete", "测试")
    assert several.status == 2
    assert several.err == "wecom-logging: several departments are called 测试: give the id of one of 4, 5\n"
    assert len(sandbox.departments()) == 5
