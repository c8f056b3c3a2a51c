"""``wecom-logging tags`` against a local WeCom."""

from __future__ import annotations

import pytest

from wecom_logging._sandbox import Sandbox

from .conftest import Command, paths


def test_a_tag_from_its_creation_to_its_end(command: Command, sandbox: Sandbox) -> None:
    sandbox.add_department(2, name="研发部")
    sandbox.add_member("lisi")
    assert command("tags", "create", "--name", "值班", "--id", "5").out == "5\n"
    assert command("tags", "update", "5", "--name", "夜班").status == 0
    assert command("tags", "list").out == "id  name\n5   夜班\n"
    assert command("--json", "tags", "list").json == [{"id": 5, "name": "夜班"}]
    added = command("tags", "add", "5", "--users", "sandbox-user,lisi", "--departments", "研发部")
    assert (added.status, added.out) == (0, "added to tag 5\n")
    (shown,) = command("--json", "tags", "show", "5").json
    assert (set(shown["users"]), shown["departments"]) == ({"sandbox-user", "lisi"}, [2])
    assert "departments  2" in command("tags", "show", "5").out
    assert command("tags", "remove", "5", "--users", "lisi", "--departments", "2").status == 0
    assert command("--json", "tags", "show", "5").json[0]["users"] == ["sandbox-user"]
    assert command("tags", "delete", "5").status == 0
    assert sandbox.tags() == []


def test_what_was_not_accepted_is_told_and_fails(command: Command, sandbox: Sandbox) -> None:
    sandbox.add_tag(5)
    done = command("tags", "add", "5", "--users", "sandbox-user", "nobody", "--users", "no-one", "--departments", "77")
    assert done.status == 1
    assert done.out == "added to tag 5; not for:\n  users nobody, no-one\n  departments 77\n"
    (told,) = command("--json", "tags", "remove", "5", "--users", "sandbox-user", "nobody").json
    assert told == {"invalid_users": ["nobody"], "invalid_departments": [], "invalid_tags": []}
    refused = command("tags", "add", "5", "--users", "nobody")
    assert refused.status == 1
    assert "40070" in refused.err


@pytest.mark.parametrize(
    "arguments",
    [("create", "--name", "x" * 33), ("add", "5"), ("add", "5", "--users", "a b"), ("show", "x"), ("delete", "-0.5")],
)
def test_wrong_input_is_refused_before_any_request(
    command: Command, sandbox: Sandbox, arguments: tuple[str, ...]
) -> None:
    assert command("tags", *arguments).status == 2
    assert paths(sandbox) == []
