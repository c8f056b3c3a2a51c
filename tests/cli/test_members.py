"""``wecom-logging members``, but for files, against a local WeCom."""

from __future__ import annotations

import io
from typing import get_type_hints

import pytest

from wecom_logging._cli.directory import _FIELDS
from wecom_logging._sandbox import Sandbox
from wecom_logging._wecom.directory import MemberFields

from .conftest import APP, Command, paths


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_member_from_creation_to_deletion(command: Command, sandbox: Sandbox) -> None:
    sandbox.add_department(2, name="研发部")
    made = command(
        *("members", "create", "--user-id", "zhangsan", "--name", "张三", "--mobile", "13800000001"),
        *("--department", "2", "1", "--leader-of", "2", "--field", "position=工程师", "--no-invite"),
    )
    assert (made.status, made.out) == (0, "created member zhangsan\n")
    changed = command(
        "members", "update", "zhangsan", "--field", "enabled=false", "--field", "direct_leaders=sandbox-user"
    )
    assert changed.status == 0
    (shown,) = command("--json", "members", "show", "zhangsan").json
    assert (shown["departments"], shown["leader_of"], shown["status"]) == ([2, 1], [2], "disabled")
    assert shown["direct_leaders"] == ["sandbox-user"]
    assert "position         工程师" in command("members", "show", "zhangsan").out
    assert command("members", "find", "--mobile", "13800000001").out == "zhangsan\n"
    assert command("members", "ids").out == "sandbox-user\nzhangsan\n"
    assert command("members", "delete", "zhangsan", "--yes").out == "deleted: 1\n"
    assert [one["userid"] for one in sandbox.members()] == ["sandbox-user"]


def test_ids_come_as_json_too(command: Command) -> None:
    made = command("--json", "members", "create", "--user-id", "lisi", "--name", "李四", "--mobile", "13800000001")
    assert made.json == [{"user_id": "lisi", "created_departments": []}]
    assert command("--json", "members", "find", "--mobile", "13800000001").json == [{"user_id": "lisi"}]
    assert command("--json", "members", "ids").json == [{"user_id": "sandbox-user"}, {"user_id": "lisi"}]


def test_list_shows_a_department_or_all(command: Command, sandbox: Sandbox) -> None:
    sandbox.add_department(2)
    sandbox.add_department(3, parent_id=2)
    for user_id, departments in (("a", [2]), ("b", [3]), ("c", [2, 3])):
        sandbox.add_member(user_id, departments=departments)

    def listed(*more: str) -> list[str]:
        return [one["user_id"] for one in command("--json", "members", "list", *more).json]

    assert listed() == ["sandbox-user", "a", "c", "b"]
    assert listed("--department", "2") == ["a", "c"]
    assert listed("--department", "2", "--recursive") == ["a", "c", "b"]
    table = command("members", "list", "--department", "3").out.splitlines()
    assert table[0].split() == ["user_id", "name", "departments", "position", "status"]
    assert table[2] == "c        c     2, 3                   active"


def test_delete_asks_on_a_terminal(command: Command, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    for user_id in ("a", "b"):
        sandbox.add_member(user_id)
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    refused = command("members", "delete", "a")
    assert (refused.status, paths(sandbox)) == (2, [])
    assert "--yes" in refused.err
    for answer in ("\n", "n\n", ""):
        monkeypatch.setattr("sys.stdin", Terminal(answer))
        assert command("members", "delete", "a", "b").status == 2
    assert paths(sandbox) == []
    monkeypatch.setattr("sys.stdin", Terminal("Y\n"))
    asked = command("members", "delete", "a", "b")
    assert asked.status == 0
    assert asked.out.startswith("Delete 2 members with their mailboxes: a, b? [y/N] ")
    assert len(sandbox.members()) == 1


def test_what_was_not_accepted_is_told_and_fails(command: Command, sandbox: Sandbox) -> None:
    sandbox.add_member("a")
    done = command("members", "delete", "a", "nobody", "--yes")
    assert (done.status, done.out) == (1, "deleted: 1; not for:\n  users nobody\n")
    invited = command("--json", "members", "invite", "sandbox-user", "nobody")
    assert (invited.status, invited.json[0]["invalid_users"]) == (1, ["nobody"])


@pytest.mark.parametrize(
    "arguments",
    [
        ("create", "--user-id", "a b", "--name", "x", "--mobile", "13800000001"),
        ("create", "--user-id", "a", "--name", "x"),
        ("create", "--user-id", "a", "--name", "x", "--mobile", "one"),
        ("create", "--user-id", "a", "--name", "x", "--email", "a@b.cc", "--leader-of", "2"),
        ("update", "a"),
        ("update", "a", "--field", f"position={'x' * 129}"),
        ("update", "a", "--field", "enabled=maybe"),
        ("update", "a", "--field", "gender=none"),
        ("update", "a", "--field", "direct_leaders=b,c"),
        ("delete", "a", "b c", "--yes"),
        ("find", "--email", "nobody"),
    ],
)
def test_wrong_input_is_refused_before_any_request(
    command: Command, sandbox: Sandbox, arguments: tuple[str, ...]
) -> None:
    assert command("members", *arguments).status == 2
    assert paths(sandbox) == []


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("", "VERB"),
        ("update a --field gendr=male", "NAME=VALUE is needed, NAME one of alias, biz_mail, direct_leaders, enabled"),
        ("update a --field gender", "NAME=VALUE is needed"),
        ("create --user-id a --name x --field new_user_id=b", "NAME=VALUE is needed"),
    ],
)
def test_a_wrong_line_is_a_matter_of_usage(
    command: Command, capsys: pytest.CaptureFixture[str], line: str, said: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        command("members", *line.split())
    assert (ended.value.code, said in capsys.readouterr().err) == (2, True)


def test_each_field_of_the_client_is_one_of_the_command_line() -> None:
    options = {"mobile", "email", "leader_of"}
    assert get_type_hints(MemberFields).keys() - options == set(_FIELDS)


@pytest.mark.parametrize(
    ("field", "name", "stands"),
    [
        ("alias=Zed=Z", "alias", "Zed=Z"),
        ("biz_mail=a@example.com", "biz_mail", "a@example.com"),
        ("gender=female", "gender", "female"),
        ("telephone=010-12345678", "telephone", "010-12345678"),
        ("main_department=研发部", "main_department", 2),
        ("position=", "position", ""),
        ("enabled=True", "status", "active"),
    ],
)
def test_a_field_is_set_by_its_name(command: Command, sandbox: Sandbox, field: str, name: str, stands: object) -> None:
    sandbox.add_department(2, name="研发部")
    sandbox.add_member("a", departments=[1, 2])
    assert command("members", "update", "a", "--field", field).status == 0
    (shown,) = command("--json", "members", "show", "a").json
    assert shown[name] == stands
    assert "301036" in command("members", "update", "a", "--field", "new_user_id=b").err  # WeCom was asked


def test_where_only_ids_may_be_read_it_says_so(
    command: Command, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.add_fault({"contacts_details": False})
    done = command("members", "list")
    assert done.status == 1
    assert "48009" in done.err
    assert "可见范围" in done.err
    assert command("members", "ids").out == "sandbox-user\n"
    for name, value in APP.items():
        monkeypatch.setenv(name, value)
    assert "沙箱用户" in command("members", "list").out


def test_a_wrong_secret_shows_nowhere(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WECOM_CONTACTS_SECRET", "canary-secret")
    done = command("members", "ids")
    assert done.status == 1
    assert "40001" in done.err
    assert "canary" not in done.out + done.err
