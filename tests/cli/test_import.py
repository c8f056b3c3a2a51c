"""``members import`` and ``export``: files into a local WeCom and back."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from wecom_logging import WeComClient
from wecom_logging._cli.members import csv_table, department_path
from wecom_logging._cli.members.department_path import Tree
from wecom_logging._cli.members.whole_file import WholeFile
from wecom_logging._sandbox import Sandbox
from wecom_logging.errors import MessageError, RateLimitedError
from wecom_logging.model import Department

from ..programs import ROOT, until
from ..scripted import ScriptedWeCom, close, errcode, ok
from .conftest import APP, CONTACTS, Command, paths


def write(path: Path, rows: Iterable[Mapping[str, str]], encoding: str = "utf-8") -> Path:
    """A file with the columns of its rows, as another program would write it."""
    rows = list(rows)
    columns = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        writer.writerows(rows)
    return path


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def person(number: int, **more: str) -> dict[str, str]:
    return {"user_id": f"user-{number}", "name": f"成员{number}", "mobile": f"138{number:08}", **more}


def user_ids(sandbox: Sandbox) -> set[str]:
    return {member["userid"] for member in sandbox.members()} - {"sandbox-user"}


def writes(sandbox: Sandbox) -> list[str]:
    return [path for path in paths(sandbox) if path.endswith(("/create", "/update", "/delete", "/batchdelete"))]


class Naps:
    """What waiting is done with: it only counts."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


# The whole way


def company_of_200() -> list[dict[str, str]]:
    """Three levels: 5 departments of 4 departments each, of 10 members each; the first of ten leads."""
    rows = []
    for number in range(200):
        path = f"部{number // 40}/组{number // 10 % 4}"
        leads = {"leader_of": path} if number % 10 == 0 else {"leader_of": ""}
        rows.append(person(number, departments=path, position="工程师", **leads))
    return rows


@pytest.mark.slow
def test_two_hundred_members_from_their_creation_to_their_end(
    command: Command, sandbox: Sandbox, tmp_path: Path
) -> None:
    rows = company_of_200()
    source = write(tmp_path / "company.csv", rows)
    done = command("members", "import", source, "--no-invite")
    assert (done.status, done.out) == (0, "created 200, updated 0, made 25 departments, refused 0\n")
    assert done.err == "members 100/200\nmembers 200/200\n"
    tree = command("departments", "list").out.splitlines()
    assert len(tree) == 1 + 1 + 25
    assert tree[3].split() == ["组0", "3", "user-0"]
    assert len(command("members", "list", "--department", "2", "--recursive", "--json").json) == 40

    write(source, [{**row, "position": "架构师"} for row in rows])
    done = command("members", "import", source, "--update")
    assert (done.status, done.out) == (0, "created 0, updated 200, made 0 departments, refused 0\n")
    assert {member["position"] for member in sandbox.members()} == {"", "架构师"}

    tag = command("tags", "create", "--name", "值班").out.strip()
    ids = command("members", "ids").out.split()
    assert command("tags", "add", tag, "--user", *ids).status == 0
    assert len(command("tags", "show", tag, "--json").json[0]["users"]) == 201

    assert command("members", "delete", *(set(ids) - {"sandbox-user"}), "--yes").out == "deleted: 200\n"
    for department in sorted(sandbox.departments(), key=lambda one: -one["parentid"]):
        if department["id"] != 1:
            assert command("departments", "delete", department["id"]).status == 0
    assert len(sandbox.departments()) == len(sandbox.members()) == 1
    assert command("tags", "show", tag, "--json").json[0]["users"] == ["sandbox-user"]


def start(sandbox: Sandbox, *arguments: object) -> subprocess.Popen[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("WECOM_")}
    return subprocess.Popen(
        [sys.executable, "-m", "wecom_logging._cli", *map(str, arguments)],
        env={**clean, **CONTACTS, "PYTHONPATH": str(ROOT), "WECOM_API_BASE": sandbox.url, "PYTHONIOENCODING": "ascii"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
def test_a_process_exports_to_standard_output_in_any_locale(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.add_member("zhangsan", name="张三😀")
    with start(sandbox, "members", "export", tmp_path / "all.csv") as process:
        assert process.wait(timeout=60) == 0
    clean = {name: value for name, value in os.environ.items() if not name.startswith("WECOM_")}
    whole = subprocess.run(
        [sys.executable, "-m", "wecom_logging._cli", "members", "export"],
        env={**clean, **CONTACTS, "PYTHONPATH": str(ROOT), "WECOM_API_BASE": sandbox.url, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        timeout=120,
        check=True,
    ).stdout
    assert whole == (tmp_path / "all.csv").read_bytes()
    assert whole.startswith(b"\xef\xbb\xbfuser_id,name,")
    assert "张三😀".encode() in whole


def profile(sandbox: Sandbox) -> list[dict[str, Any]]:
    """All that the members are, with paths in place of ids."""
    names = {one["id"]: (one["name"], one["parentid"]) for one in sandbox.departments()}

    def path(id: int) -> tuple[str, ...]:
        name, parent = names[id]
        return () if id == 1 else (*path(parent), name)

    return [
        {
            **{name: value for name, value in member.items() if name not in ("order", "status", "open_userid")},
            "department": [path(id) for id in member["department"]],
            "main_department": path(member["main_department"]),
        }
        for member in sorted(sandbox.members(), key=lambda one: one["userid"])
        if member["userid"] != "sandbox-user"
    ]


def company_with_everything(sandbox: Sandbox) -> None:
    """Names that a CSV, a spreadsheet or a path could stumble over."""
    client = WeComClient("wwsandbox", contacts_secret="sandbox-contacts-secret", agent_id=None, api_base=sandbox.url)
    make = client.departments.create
    odd = [make(name=name) for name in ("2024", "a/b", "a;b；c", "沙箱公司", "=1+1")]
    deep = make(name="支付", parent_id=make(name="后端", parent_id=make(name="研发部")))
    names = (
        "=SUM(A1)",
        "'=x",
        "''@me",
        "-5",
        "+8613800000000",
        "@all",
        'Bob "B", O\'Brien',
        "😀 家",
        "'quoted'",
        "1,5",
    )
    for number, name in enumerate(names):
        client.members.create(
            user_id=f"m{number}",
            name=name,
            departments=[deep, odd[number % len(odd)], *([1] if number == 3 else [])],
            leader_of=[deep] if number % 2 else [],
            main_department=odd[number % len(odd)],
            mobile=f"+852 5123{number:04}",
            email=f"m{number}@example.com",
            position=name,
            alias=name,
            gender="female" if number % 2 else "male",
            telephone="020-123456",
            direct_leaders=[f"m{number - 1}"] if number else [],
            enabled=number != 4,
        )
    client.members.update("m0", direct_leaders=["m9"])  # a ring, so that no order of creation has them all


def test_an_export_imported_into_an_empty_company_gives_the_same_members(
    command: Command, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    company_with_everything(sandbox)
    assert command("members", "export", tmp_path / "all.csv").status == 0
    with (tmp_path / "all.csv").open(encoding="utf-8-sig", newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "-", "@", "\t", "\r"))]
    assert {cell for cell in cells if cell.startswith("+")} >= {"+8613800000000", "+852 51230003"}
    assert [path.name for path in tmp_path.iterdir()] == ["all.csv"]
    with Sandbox() as other:
        monkeypatch.setenv("WECOM_API_BASE", other.url)
        done = command("members", "import", tmp_path / "all.csv", "--update")
        assert (done.status, done.err) == (0, ""), done
        assert done.out == "created 10, updated 1, made 8 departments, refused 0\n"
        assert profile(other) == profile(sandbox)
        assert command("members", "export", tmp_path / "again.csv").status == 0
    assert read(tmp_path / "again.csv") == read(tmp_path / "all.csv")


# What is wrong with a file


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "line 1: there is no column user_id"),
        ("name,mobile\n张三,1\n", "no column user_id"),
        ("user_id,name\na,A\n", "the columns email are missing"),
        ("user_id,mobile\na,13800000001\n", "the columns name are missing"),
        ("user_id,name,mobile,工号\na,A,13800000001,7\n", "line 1: the column '工号' is not known"),
        ("user_id,账号,name,mobile\na,a,A,13800000001\n", "the columns user_id, 账号 mean the same"),
        ("user_id,name,mobile\na,A,13800000001,x\n", "line 2: it has 4 cells"),
        ('user_id,name,mobile\n\na,"A,13800000001\n', "line 3: it is no CSV"),
    ],
)
def test_a_wrong_file_is_refused_before_any_request(
    command: Command, sandbox: Sandbox, tmp_path: Path, text: str, words: str
) -> None:
    source = tmp_path / "m.csv"
    source.write_text(text, encoding="utf-8")
    for more in ((), ("--dry-run",)):
        done = command("members", "import", source, *more)
        assert (done.status, done.out, paths(sandbox)) == (2, "", [])
        assert words in done.err
    assert [path.name for path in tmp_path.iterdir()] == ["m.csv"]


def test_files_that_cannot_be_read_or_written_are_found_first(
    command: Command, sandbox: Sandbox, tmp_path: Path
) -> None:
    source = write(tmp_path / "m.csv", [person(1)])
    binary = tmp_path / "binary.csv"
    binary.write_bytes(b"user_id\xff\xff\xff")
    for arguments in (
        ("import", tmp_path / "none.csv"),
        ("import", tmp_path),
        ("import", binary),
        ("import", source, "--refused", tmp_path / "none" / "r.csv"),
        ("import", source, "--refused", tmp_path),
        ("import", source, "--refused", source),
        ("import", source, "--refused", f"{tmp_path}/../{tmp_path.name}/{source.name}"),
        ("export", "--department", "x"),
        ("export", "/dev/null"),
    ):
        assert command("members", *arguments).status == 2, arguments
    assert paths(sandbox) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["binary.csv", "m.csv"]


WRONG = {
    "user_id": ("a b", "user_id: "),
    "name": ("a\nb", "name: it holds a line break"),
    "mobile": ("1.38E+10", "mobile: "),
    "gender": ("?", "gender: one of male 男"),
    "enabled": ("2", "enabled: one of 1 true"),
    "departments": ("研发部//后端", "departments: the path 研发部//后端: name: 0 characters"),
    "leader_of": ("销售部", "leader_of: "),
    "main_department": ("1;2", "main_department: 2 given"),
    "direct_leaders": ("a;b", "direct_leaders: 2 given"),
    "position": ("x" * 129, "position: 129 characters"),
}


def test_every_row_is_checked_before_any_request(command: Command, sandbox: Sandbox, tmp_path: Path) -> None:
    rows = [{**person(number, departments="1"), name: value} for number, (name, (value, _)) in enumerate(WRONG.items())]
    rows[list(WRONG).index("leader_of")]["departments"] = "研发部"
    done = command(
        "members", "import", write(tmp_path / "m.csv", [{**dict.fromkeys(WRONG, ""), **row} for row in rows])
    )
    assert done.status == 1
    assert paths(sandbox) == []
    refused = read(tmp_path / "m.refused.csv")
    for row, (name, (value, words)) in zip(refused, WRONG.items(), strict=True):
        assert row[name] == value
        assert row["error"].startswith(words), row["error"]
    assert "line 5: mobile: " in done.err  # the name on line 3 has a line break


def test_rows_that_contradict_each_other_are_refused(command: Command, sandbox: Sandbox, tmp_path: Path) -> None:
    rows = [
        person(1, email="a@b.cc"),
        {**person(2), "user_id": "USER-1"},
        {**person(3), "mobile": "+86 138-0000-0001"},
        person(4, email="A@b.cc"),
        {"user_id": "none", "name": "nobody"},
    ]
    done = command("members", "import", write(tmp_path / "m.csv", rows), "--dry-run")
    assert done.status == 1
    assert done.out.splitlines() == [
        "create line 2: user-1 成员1",
        "refuse line 3: user_id: line 2 has the same",
        "refuse line 4: mobile: line 2 has the same",
        "refuse line 5: email: line 2 has the same",
        "refuse line 6: mobile: it is missing, and so is email; WeCom needs one of the two",
        "would create 1, update 0, make 0 departments, refuse 4",
    ]
    assert writes(sandbox) == []
    assert [path.name for path in tmp_path.iterdir()] == ["m.csv"]


# Comparing with the directory


def test_a_dry_run_says_what_would_be_done(command: Command, sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.add_department(2, name="研发部")
    sandbox.add_member("user-1", departments=[2])
    rows = [
        person(1, departments="研发部"),
        person(2, departments="沙箱公司/研发部/后端/支付；2"),
        person(3, departments="99"),
    ]
    source = write(tmp_path / "m.csv", rows)
    done = command("members", "import", source, "--dry-run", "--json", "--update")
    assert done.status == 1
    assert done.json == [
        {"would": "make department", "department": "研发部/后端"},
        {"would": "make department", "department": "研发部/后端/支付"},
        {"would": "update", "line": 2, "user_id": "user-1", "name": "成员1"},
        {"would": "create", "line": 3, "user_id": "user-2", "name": "成员2"},
        {
            "would": "refuse",
            "line": 4,
            "error": "departments: there is no department 99 (one of that name is written /99)",
        },
    ]
    without = command("members", "import", source, "--dry-run").out
    assert "refuse line 2: user_id: the directory has this member already; give --update" in without
    assert writes(sandbox) == []


def test_whoever_is_there_already_is_refused_for_that_and_not_for_what_a_new_one_needs(
    command: Command, tmp_path: Path
) -> None:
    source = tmp_path / "all.csv"
    assert command("members", "export", source).status == 0
    refused = command("members", "import", source, "--dry-run").out
    assert refused.startswith("refuse line 2: user_id: the directory has this member already; give --update")
    assert command("members", "import", source, "--dry-run", "--update").status == 0


def test_update_changes_what_is_given_and_keeps_the_rest(command: Command, sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.add_department(2, name="研发部")
    sandbox.add_member("user-1", name="张三", departments=[2], email="a@b.cc", leader_of=[2])
    source = write(tmp_path / "m.csv", [{"user_id": "User-1", "position": "CTO", "name": ""}, {"user_id": "new"}])
    done = command("members", "import", source, "--update")
    assert (done.status, done.out.partition(" (")[0]) == (1, "created 0, updated 1, made 0 departments, refused 1")
    member = next(one for one in sandbox.members() if one["userid"] == "user-1")
    assert (member["name"], member["email"], member["position"]) == ("张三", "a@b.cc", "CTO")
    assert (member["department"], member["is_leader_in_dept"]) == ([2], [1])
    assert [row["error"] for row in read(tmp_path / "m.refused.csv")] == [
        "name: it is missing, and a new member needs one"
    ]


def test_refused_rows_are_corrected_and_given_again(command: Command, sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.add_member("other", mobile="13800000002")
    rows = [{"账号": row["user_id"], "姓名": row["name"], "手机": row["mobile"]} for row in map(person, range(4))]
    rows[3]["手机"] = "=1+1"
    source = write(tmp_path / "m.csv", rows, encoding="gb18030")
    done = command("members", "import", source, "--json")
    report = tmp_path / "m.refused.csv"
    assert done.json == [{"created": 2, "updated": 0, "departments": 0, "refused": 2, "report": str(report)}]
    assert done.status == 1
    refused = read(report)
    assert list(refused[0]) == ["账号", "姓名", "手机", "error"]
    assert [row["账号"] for row in refused] == ["user-2", "user-3"]
    assert "60104" in refused[0]["error"]
    assert refused[1]["手机"] == "'=1+1"
    corrected = [{**row, "手机": f"1390000000{number}"} for number, row in enumerate(refused)]
    done = command("members", "import", write(report, corrected, encoding="utf-8-sig"))
    assert (done.status, done.err) == (0, "")
    assert user_ids(sandbox) == {"other", "user-0", "user-1", "user-2", "user-3"}


def test_a_department_that_wecom_refuses_refuses_only_its_members(
    command: Command, sandbox: Sandbox, tmp_path: Path
) -> None:
    deep = "/".join(str(level) for level in range(16)) + "/x"
    rows = [person(1, departments="a/b"), person(2, departments=deep), person(3, departments=deep), person(4)]
    done = command("members", "import", write(tmp_path / "m.csv", rows))
    assert done.status == 1
    assert user_ids(sandbox) == {"user-1", "user-4"}
    refused = read(tmp_path / "m.refused.csv")
    assert [row["user_id"] for row in refused] == ["user-2", "user-3"]
    assert all("could not be made: errcode 81002" in row["error"] for row in refused)


def test_two_spellings_of_a_department_are_compared(command: Command, sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.add_department(2, name="研发部")
    rows = [
        person(1, departments="2", leader_of="研发部", main_department="沙箱公司/研发部"),
        person(2, departments="2", leader_of="后端", main_department=""),
        person(3, departments="研发部", leader_of="", main_department="后端"),
    ]
    done = command("members", "import", write(tmp_path / "m.csv", rows))
    assert done.status == 1
    assert user_ids(sandbox) == {"user-1"}
    assert len(sandbox.departments()) == 2
    assert [row["error"] for row in read(tmp_path / "m.refused.csv")] == [
        "leader_of: 后端 is not one of the member's departments",
        "main_department: 后端 is not one of the member's departments",
    ]


def test_a_direct_leader_may_come_later_or_not_at_all(command: Command, sandbox: Sandbox, tmp_path: Path) -> None:
    rows = [
        person(1, direct_leaders="user-2"),
        person(2, direct_leaders="USER-1"),
        person(3, direct_leaders="user-4"),
        {**person(4), "mobile": "1"},
        person(5, direct_leaders="ghost"),
    ]
    done = command("members", "import", write(tmp_path / "m.csv", rows))
    leaders = {one["userid"]: one["direct_leader"] for one in sandbox.members()}
    assert (leaders["user-1"], [id.lower() for id in leaders["user-2"]]) == (["user-2"], ["user-1"])
    assert done.status == 1
    assert [row["user_id"] for row in read(tmp_path / "m.refused.csv")] == ["user-3", "user-4", "user-5"]


# Troubles on the way


def test_a_rate_limit_is_waited_out(command: Command, sandbox: Sandbox, tmp_path: Path) -> None:
    for path, times in (("user/create", 2), ("department/create", 1), ("user/list_id", 1)):
        sandbox.add_fault({"path": f"/cgi-bin/{path}", "errcode": 45009, "times": times})
    source = write(tmp_path / "m.csv", [person(number, departments="a") for number in range(3)])
    naps = Naps()
    done = command("members", "import", source, sleep=naps)
    assert (done.status, done.out) == (0, "created 3, updated 0, made 1 departments, refused 0\n")
    assert naps.seconds == [60, 60, 60, 120]
    assert done.err.count("45009") == 4
    assert "Waiting 120 s, then going on." in done.err


def test_a_limit_that_does_not_end_stops_and_keeps_what_is_done(
    command: Command, sandbox: Sandbox, tmp_path: Path
) -> None:
    source = write(tmp_path / "m.csv", [*map(person, range(3)), person(9, email="wrong")])
    naps = Naps()
    sandbox.add_fault({"path": "/cgi-bin/user/create", "errcode": 45009, "times": 10**6})
    with pytest.raises(RateLimitedError):
        command("members", "import", source, sleep=naps)
    assert 3600 < sum(naps.seconds) <= 70 * 60
    assert [row["user_id"] for row in read(tmp_path / "m.refused.csv")] == ["user-9"]


@pytest.mark.parametrize("trouble", [{"errcode": -1}, {"status": 502}, {"drop": True}, {"errcode": 6000}])
def test_passing_trouble_is_waited_out(
    command: Command, sandbox: Sandbox, tmp_path: Path, trouble: dict[str, Any]
) -> None:
    sandbox.add_fault({"path": "/cgi-bin/user/create", "times": 5, **trouble})
    done = command("members", "import", write(tmp_path / "m.csv", map(person, range(2))), sleep=Naps())
    assert (done.status, done.out) == (0, "created 2, updated 0, made 0 departments, refused 0\n")


def test_a_member_whose_answer_was_lost_is_no_duplicate(command: Command, tmp_path: Path, monkeypatch: Any) -> None:
    with ScriptedWeCom() as wecom:
        monkeypatch.setenv("WECOM_API_BASE", wecom.url)
        wecom.always("/cgi-bin/department/simplelist", ok(department_id=[{"id": 1, "parentid": 0, "order": 0}]))
        wecom.always("/cgi-bin/user/list_id", ok(dept_user=[], next_cursor=""))
        wecom.script("/cgi-bin/user/create", close(), errcode(60102), ok(), errcode(60102))
        wecom.always("/cgi-bin/user/update", ok())
        done = command("members", "import", write(tmp_path / "m.csv", map(person, range(3))), sleep=Naps())
        assert (done.status, done.out.partition(" (")[0]) == (
            1,
            "created 2, updated 0, made 0 departments, refused 1",
        )
        assert wecom.paths().count("user/update") == 1
    assert [row["user_id"] for row in read(tmp_path / "m.refused.csv")] == ["user-2"]


def test_a_department_whose_answer_was_lost_is_found(command: Command, tmp_path: Path, monkeypatch: Any) -> None:
    root, made = {"id": 1, "name": "公司", "parentid": 0}, {"id": 7, "name": "a", "parentid": 1}
    with ScriptedWeCom() as wecom:
        monkeypatch.setenv("WECOM_API_BASE", wecom.url)
        wecom.always("/cgi-bin/department/simplelist", ok(department_id=[root]))
        wecom.script("/cgi-bin/department/list", ok(department=[root]), ok(department=[root, made]))
        wecom.always("/cgi-bin/user/list_id", ok(dept_user=[], next_cursor=""))
        wecom.script("/cgi-bin/department/create", close(), errcode(60008))
        wecom.always("/cgi-bin/user/create", ok())
        done = command("members", "import", write(tmp_path / "m.csv", [person(1, departments="a")]), sleep=Naps())
        assert (done.status, done.out) == (0, "created 1, updated 0, made 1 departments, refused 0\n")
        assert b'"department":[7]' in wecom.bodies("/cgi-bin/user/create")[0].replace(b" ", b"")


@pytest.mark.parametrize("code", [40001, 48002, 60020, 45024])
def test_a_wrong_configuration_stops_at_once(command: Command, sandbox: Sandbox, tmp_path: Path, code: int) -> None:
    sandbox.add_fault({"path": "/cgi-bin/user/create", "errcode": 0})
    sandbox.add_fault({"path": "/cgi-bin/user/create", "errcode": code, "times": 1000})
    done = command("members", "import", write(tmp_path / "m.csv", map(person, range(50))))
    assert done.status == 1
    assert str(code) in done.err
    assert "Stopped: 1 of 50 members are done." in done.err
    assert paths(sandbox).count("user/create") == 2
    assert [path.name for path in tmp_path.iterdir()] == ["m.csv"]


def test_an_app_s_secret_alone_is_not_enough(
    command: Command, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WECOM_CONTACTS_SECRET")
    for name, value in APP.items():
        monkeypatch.setenv(name, value)
    done = command("members", "import", write(tmp_path / "m.csv", [person(1)]))
    assert (done.status, writes(sandbox)) == (3, [])
    assert "WECOM_CONTACTS_SECRET" in done.err


def test_ids_need_no_names_of_departments(command: Command, sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.add_fault({"contacts_details": False})
    assert command("members", "import", write(tmp_path / "a.csv", [person(1, departments="1")])).status == 0
    done = command("members", "import", write(tmp_path / "b.csv", [person(2, departments="a")]))
    assert done.status == 1
    assert "48009" in done.err
    assert user_ids(sandbox) == {"user-1"}


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals of Unix")
@pytest.mark.parametrize(("name", "status"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 129)])
def test_broken_off_it_says_how_far_it_came_and_the_same_file_goes_on(
    command: Command, sandbox: Sandbox, tmp_path: Path, name: str, status: int
) -> None:
    rows = [*map(person, range(300)), person(999, email="wrong")]
    source = write(tmp_path / "m.csv", [{"email": "", **row} for row in rows])
    sandbox.add_fault({"path": "/cgi-bin/user/create", "delay_s": 0.05, "times": 300})
    process = start(sandbox, "members", "import", source)
    until(lambda: len(user_ids(sandbox)) > 20)
    process.send_signal(getattr(signal, name))
    _, err = process.communicate(timeout=60)
    assert process.returncode == status
    assert "Traceback" not in err
    assert "of 300 members are done. The same file with --update goes on from there." in err
    assert 20 < len(user_ids(sandbox)) < 300
    assert [row["user_id"] for row in read(tmp_path / "m.refused.csv")] == ["user-999"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m.csv", "m.refused.csv"]
    requests.delete(f"{sandbox.url}/sandbox/faults", timeout=20)
    assert command("members", "import", source, "--update").status == 1
    assert len(user_ids(sandbox)) == 300


def test_columns_that_a_spreadsheet_left_empty_are_none(command: Command, sandbox: Sandbox, tmp_path: Path) -> None:
    source = tmp_path / "m.csv"
    source.write_text("user_id,name,mobile,,\n,,,,\nuser-1,N,13800000001,,x\n", encoding="utf-8")
    done = command("members", "import", source)
    assert (done.status, "line 3: it has 5 cells, the header 3" in done.err) == (2, True)
    source.write_text("user_id,name,mobile,,\nuser-1,N,13800000001,,\n", encoding="utf-8")
    assert command("members", "import", source).status == 0
    assert user_ids(sandbox) == {"user-1"}


@pytest.mark.parametrize("separator", [";", "\t"])
def test_excel_in_another_locale_separates_otherwise(
    command: Command, sandbox: Sandbox, tmp_path: Path, separator: str
) -> None:
    """The report, too, which the same Excel has to open."""
    source = tmp_path / "m.csv"
    lines = [
        ["姓名", "账号", "手机", "职务", "部门"],
        ["张三", "user-1", "13800000001", "Sales, Europe", '"运维部;后勤部"'],
        ['"Doe; John"', "user-2", "13800000001", "", "运维部"],
    ]
    source.write_bytes("".join(separator.join(line) + "\r\n" for line in lines).encode("utf-8-sig"))
    done = command("members", "import", source)
    assert (done.status, user_ids(sandbox)) == (1, {"user-1"}), done.err
    (member,) = [member for member in sandbox.members() if member["userid"] == "user-1"]
    assert (member["name"], member["position"], len(member["department"])) == ("张三", "Sales, Europe", 2)
    with (tmp_path / "m.refused.csv").open(encoding="utf-8-sig", newline="") as file:
        header, row = csv.reader(file, delimiter=separator)
    assert (header, row[:4]) == ([*lines[0], "error"], ["Doe; John", "user-2", "13800000001", ""])


def test_another_encoding_with_semicolons_makes_no_names_of_nonsense(
    command: Command, sandbox: Sandbox, tmp_path: Path
) -> None:
    source = tmp_path / "m.csv"
    source.write_bytes("user_id;name;mobile\r\nuser-1;Müller;13800000001\r\n".encode("cp1252"))
    done = command("members", "import", source)
    assert (done.status, "save it as “CSV UTF-8”" in done.err, paths(sandbox)) == (2, True, [])


def test_leaders_may_stand_behind_a_chinese_semicolon(command: Command, sandbox: Sandbox, tmp_path: Path) -> None:
    rows = [person(1), person(2, direct_leaders="user-1；")]
    assert command("members", "import", write(tmp_path / "m.csv", rows)).status == 0
    assert [member["direct_leader"] for member in sandbox.members() if member["userid"] == "user-2"] == [["user-1"]]


@pytest.mark.slow
def test_an_import_goes_on_when_nobody_reads_its_progress(sandbox: Sandbox, tmp_path: Path) -> None:
    source = write(tmp_path / "m.csv", map(person, range(150)))
    process = start(sandbox, "members", "import", source)
    assert process.stderr is not None
    process.stderr.close()
    assert process.stdout is not None
    with process.stdout:
        assert process.stdout.read() == "created 150, updated 0, made 0 departments, refused 0\n"
    assert process.wait(60) == 0


def test_a_terminal_has_one_line_that_is_rewritten(
    command: Command, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    done = command("members", "import", write(tmp_path / "m.csv", map(person, range(3))))
    assert done.err == "".join(f"\rmembers {number}/3\x1b[K" for number in (1, 2, 3)) + "\r\x1b[K"


# Export


def test_an_export_that_fails_leaves_the_old_file(command: Command, sandbox: Sandbox, tmp_path: Path) -> None:
    target = tmp_path / "all.csv"
    target.write_text("old", encoding="utf-8")
    for number in range(2, 5):
        sandbox.add_department(number)
    sandbox.add_fault({"path": "/cgi-bin/user/list", "errcode": 0})
    sandbox.add_fault({"path": "/cgi-bin/user/list", "errcode": 60020, "times": 9})
    done = command("members", "export", target)
    assert done.status == 1
    assert "60020" in done.err
    assert [(path.name, path.read_text(encoding="utf-8")) for path in tmp_path.iterdir()] == [("all.csv", "old")]


def test_a_file_that_cannot_get_its_name_leaves_nothing(tmp_path: Path) -> None:
    file = WholeFile(tmp_path / "all.csv")
    file.stream.write("13800000001")
    (tmp_path / "all.csv").mkdir()
    with pytest.raises(IsADirectoryError):
        file.keep()
    assert [path.name for path in tmp_path.iterdir()] == ["all.csv"]


def test_an_app_s_export_says_what_it_lacks(
    command: Command, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.add_member("a", mobile="13800000001")
    sandbox.add_fault({"contacts_details": False})
    assert "48009" in command("members", "export", tmp_path / "a.csv").err
    for name, value in APP.items():
        monkeypatch.setenv(name, value)
    done = command("members", "export", tmp_path / "a.csv")
    assert (done.status, done.out) == (0, f"exported 2 members to {tmp_path / 'a.csv'}\n")
    assert "neither mobile numbers nor e-mail addresses" in done.err


def test_nothing_of_an_export_acts_on_a_terminal(command: Command, sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.add_department(2, name="a\x1b[31mb")
    sandbox.add_member("lisi", name="李\x1b]0;x\x07四\u202e", departments=[2])
    command("members", "export", tmp_path / "all.csv")
    text = (tmp_path / "all.csv").read_text(encoding="utf-8-sig")
    assert "李\\x1b]0;x\\x07四\\u202e" in text
    assert not set(text) & set("\x1b\x07\u202e")


MEASURED = """
import sys
from wecom_logging._cli import main
status = main(sys.argv[1:]) if len(sys.argv) > 1 else 0
with open("/proc/self/status") as file:  # a fork's ru_maxrss begins with its parent's
    peak = next(line.split()[1] for line in file if line.startswith("VmHWM"))
print(status, int(peak) / 1024)
"""


def peak_mib(sandbox: Sandbox, *arguments: object) -> float:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("WECOM_")}
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, *map(str, arguments)],
        env={**clean, **CONTACTS, "PYTHONPATH": str(ROOT), "WECOM_API_BASE": sandbox.url},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    status, peak = done.stdout.split()[-2:]
    assert status == "0", done.stderr
    return float(peak)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak is read from Linux's /proc")
@pytest.mark.parametrize(("departments", "most_mib"), [(50, 50), (1, 56)])
def test_ten_thousand_members_are_exported_in_little_memory(
    sandbox: Sandbox, tmp_path: Path, departments: int, most_mib: int
) -> None:
    """All in one department are one answer of WeCom's of 4 MB, which is taken apart as a whole."""
    for number in range(departments):
        sandbox.add_department(10 + number)
    for number in range(10_000):
        name, mobile = f"王小明{number}", f"138{number:08}"
        ids, email = [10 + number % departments], f"user{number}@example.com"
        sandbox.add_member(f"user-{number:05}", name=name, departments=ids, mobile=mobile, email=email)
    peak = peak_mib(sandbox, "members", "export", tmp_path / "all.csv")
    print(
        f"{departments} departments: {peak:.1f} MiB, {peak_mib(sandbox):.1f} MiB after the import of the package alone"
    )
    assert len(read(tmp_path / "all.csv")) == 10_001
    assert peak <= most_mib


# Cells and paths


@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=20))
def test_a_cell_comes_back_as_it_was_and_is_no_formula(text: str) -> None:
    cell = csv_table.written_cell(text)
    assert csv_table.read_cell(cell) == text
    assert cell == text or not cell.startswith(("=", "+", "-", "@", "\t", "\r"))


@pytest.mark.parametrize("text", ["=1+1", "\n=1+1", "＝1+1", "＋1", "－1", "＠SUM(A1)", "'＝1"])
def test_what_a_spreadsheet_may_run_is_written_as_text(text: str) -> None:
    assert csv_table.written_cell(text) == f"'{text}"


names = st.text(st.characters(exclude_characters='\\:*?"<>|｜', exclude_categories=("C", "Z")), min_size=1, max_size=10)


@given(st.lists(st.lists(names, max_size=4), min_size=1, max_size=5), names)
def test_a_path_comes_back_as_it_was(places: Sequence[Sequence[str]], root: str) -> None:
    tree = Tree([Department(1, root, 0)])
    cell = ";".join(department_path.write(tuple(names), root) for names in places)
    found = [() if place == 1 else tree.names_of(place) for place in department_path.read("departments", cell)]
    assert found == list(dict.fromkeys(map(tuple, places)))


def test_a_leading_name_of_the_root_is_taken_off_unless_it_is_a_department_s() -> None:
    tree = Tree([Department(1, "公司", 0), Department(2, "研发部", 1)])
    (place,) = department_path.read("departments", "公司/研发部")
    assert tree.find(tree.names_of(place)) == 2
    tree.add(Department(3, "公司", 1))
    tree.add(Department(4, "研发部", 3))
    assert tree.find(tree.names_of(place)) == 4
    assert (tree.path_of(4), tree.path_of(2), tree.path_of(77)) == ("/公司/研发部", "研发部", "77")
    for id in range(5, 5000):
        tree.add(Department(id, "n" * 64, id - 1))
    tree.add(Department(5000, "n" * 65, 1))
    assert [tree.path_of(id) for id in (4999, 5000)] == ["4999", "5000"]
    assert [str(one) for one in department_path.read("departments", " 2 ; /2；公司 ; 2")] == ["2", "2", "公司"]
    with pytest.raises(MessageError, match="departments: an id is"):
        department_path.read("departments", "0")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_excel_s_encodings_are_read(tmp_path: Path, encoding: str) -> None:
    source = write(tmp_path / "m.csv", [{"姓名": "张三丰", "帐号": "zsf", "个人邮箱": "a@b.cc"}], encoding)
    table = csv_table.read(source)
    assert table.fields == ("name", "user_id", "email")
    assert table.rows[0].cells == {"name": "张三丰", "user_id": "zsf", "email": "a@b.cc"}


def test_broken_utf8_is_not_read_as_gb18030(command: Command, sandbox: Sandbox, tmp_path: Path) -> None:
    source = write(tmp_path / "m.csv", [person(1), person(2)])
    for data in (source.read_bytes() + b"x,\xe5\xbc\r\n", b"\xef\xbb\xbfuser_id,name,mobile\r\na,\xd5\xc5,1\r\n"):
        source.write_bytes(data)
        done = command("members", "import", source)
        assert (done.status, paths(sandbox)) == (2, [])
        assert f"line {len(data.splitlines())}: it is no UTF-8" in done.err


def test_a_large_import_reads_the_directory_once(command: Command, sandbox: Sandbox, tmp_path: Path) -> None:
    command("members", "import", write(tmp_path / "m.csv", [person(number, departments="a/b") for number in range(5)]))
    assert paths(sandbox) == [
        *("gettoken", "department/simplelist", "department/list", "user/list_id"),
        *("department/create", "department/create", *["user/create"] * 5),
    ]


def test_nothing_of_a_file_acts_on_the_terminal(command: Command, sandbox: Sandbox, tmp_path: Path) -> None:
    rows = [person(1, departments="a\x1b[31m"), {**person(2), "name": "\u202ebad"}, {**person(3), "user_id": "\x1b"}]
    for more in (("--dry-run",), ()):
        done = command("members", "import", write(tmp_path / "m.csv", rows), *more)
        assert "\x1b" not in done.out + done.err
        assert "\u202e" not in done.out + done.err
    assert not [row for row in read(tmp_path / "m.refused.csv") if "\x1b" in row["error"]]
