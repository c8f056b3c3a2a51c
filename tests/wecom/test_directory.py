"""The directory's calls: right input works, wrong input is named before any request, each refusal is an exception."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.scripted import ScriptedWeCom, body, ok
from wecom_logging import WeComClient, errors
from wecom_logging._sandbox import Sandbox
from wecom_logging._wecom import directory
from wecom_logging.model import Change, Department, Tag

APP, CONTACTS = "sandbox-app-secret", "sandbox-contacts-secret"


def make(url: str, secret: str | None = APP, contacts_secret: str | None = CONTACTS) -> WeComClient:
    return WeComClient(
        "wwsandbox", secret, contacts_secret=contacts_secret, api_base=url, timeout=20, sleep=lambda _: None
    )


@pytest.fixture
def client(sandbox: Sandbox) -> WeComClient:
    return make(sandbox.url)


def paths(sandbox: Sandbox) -> list[str]:
    return [call.path.removeprefix("/cgi-bin/") for call in sandbox.calls]


def hire(client: WeComClient, number: int, **fields: Any) -> str:
    user_id = f"user{number}"
    client.members.create(user_id=user_id, name=f"成员{number}", mobile=f"139{number:08d}", **fields)
    return user_id


def test_a_department_is_created_read_changed_and_deleted(client: WeComClient) -> None:
    parent = client.departments.create(name="研发部")
    child = client.departments.create(name="后端", parent_id=parent, name_en="backend", order=7)
    assert client.departments.get(child) == Department(child, "后端", parent, 7, (), "backend")
    client.departments.update(child, name="后端组", parent_id=1)
    assert client.departments.get(child).name == "后端组"
    assert {one.id for one in client.departments.list()} == {1, parent, child}
    assert client.departments.list(child) == [Department(child, "后端组", 1, 7, (), "backend")]
    assert {(one.id, one.parent_id) for one in client.departments.ids()} == {(1, 0), (parent, 1), (child, 1)}
    client.departments.delete(child)
    with pytest.raises(errors.APIError):
        client.departments.get(child)


def test_a_member_is_created_read_changed_found_and_deleted(client: WeComClient) -> None:
    department = client.departments.create(name="研发部")
    made = client.members.create(
        user_id="zhangsan",
        name="张三",
        mobile="13800000001",
        email="zs@example.com",
        departments=[department, "1"],
        leader_of=[department],
        position="工程师",
        gender="female",
        telephone="020-1234",
        alias="jack",
        main_department=department,
        direct_leaders=["sandbox-user"],
        enabled=True,
        invite=False,
    )
    assert made == ()
    member = client.members.get("zhangsan")
    assert (member.name, member.mobile, member.departments) == ("张三", "13800000001", (department, 1))
    assert (member.leader_of, member.gender, member.position) == ((department,), "female", "工程师")
    assert (member.alias, member.telephone, member.direct_leaders) == ("jack", "020-1234", ("sandbox-user",))
    assert (member.main_department, member.status) == (department, "not_activated")
    assert client.departments.get(department).leaders == ("zhangsan",)
    assert client.members.find(mobile="13800000001") == "zhangsan"
    assert client.members.find(email="zs@example.com") == "zhangsan"
    client.members.update("zhangsan", name="张三丰", departments=[1])
    changed = client.members.get("zhangsan")
    assert (changed.name, changed.departments, changed.position) == ("张三丰", (1,), "工程师")
    assert client.members.delete("zhangsan") == Change()
    with pytest.raises(errors.InvalidRecipientError):
        client.members.get("zhangsan")


def test_departments_that_wecom_makes_by_itself_are_told(client: WeComClient) -> None:
    assert hire(client, 1, departments=[77]) == "user1"
    assert client.members.create(user_id="b", name="b", email="b@example.com", departments=[1, 78]) == (78,)


def test_a_tag_is_created_filled_read_changed_and_deleted(client: WeComClient) -> None:
    users = [hire(client, number) for number in range(3)]
    department = client.departments.create(name="研发部")
    tag = client.tags.create("值班")
    assert client.tags.add(tag, users=[*users, "ghost"], departments=[department, 99]) == Change(("ghost",), (99,))
    found = client.tags.get(tag)
    assert (found.name, sorted(found.users or ()), found.departments) == ("值班", users, (department,))
    assert client.tags.remove(tag, users=users[:1]).complete
    client.tags.update(tag, name="值班二线")
    assert client.tags.list() == [Tag(tag, "值班二线")]
    with pytest.raises(errors.InvalidRecipientError) as caught:
        client.tags.add(tag, users=["ghost"])
    assert caught.value.errcode == 40070
    client.tags.delete(tag)
    assert client.tags.list() == []


@pytest.mark.slow
def test_a_tree_of_three_levels_and_200_members_is_listed_with_paging_and_removed(
    sandbox: Sandbox, client: WeComClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(directory, "PAGE", 50)
    top = client.departments.create(name="研发部")
    leaves = [client.departments.create(name=f"第{n}组", parent_id=top) for n in range(4)]
    users = [hire(client, n, departments=[leaves[n % 4]], invite=False) for n in range(200)]
    assert sorted(client.members.ids()) == sorted([*users, "sandbox-user"])
    assert paths(sandbox).count("user/list_id") == 5
    assert len(client.members.list(leaves[0])) == 50
    assert client.members.list(top) == []
    assert {member.user_id for member in client.members.list(top, recursive=True)} == set(users)
    assert next(member.name for member in client.members.names(leaves[1])) == "成员1"
    sandbox.clear()
    assert client.members.delete(*users[:199]) == Change()
    assert paths(sandbox) == ["user/batchdelete"]
    assert client.members.delete("ghost", users[199]) == Change(invalid_users=("ghost",))
    with pytest.raises(errors.APIError):
        client.members.delete("ghost", "spectre")
    for department in [*leaves, top]:
        client.departments.delete(department)
    assert [department.id for department in client.departments.list()] == [1]


@pytest.mark.parametrize("cursors", [["a", "b", "a"], [str(n) for n in range(9)]], ids=str)
def test_pages_without_an_end_are_refused(cursors: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directory, "MAX_PAGES", 5)
    with ScriptedWeCom() as wecom:
        rows = [{"userid": "lisi", "department": 1}]
        wecom.script("/cgi-bin/user/list_id", *(ok(dept_user=rows, next_cursor=cursor) for cursor in cursors))
        with pytest.raises(errors.BadResponseError, match="have no end"):
            list(make(wecom.url).members.ids())


def test_an_answer_of_countless_items_is_refused_before_it_fills_the_memory() -> None:
    with ScriptedWeCom() as wecom:
        wecom.always("/cgi-bin/tag/list", body(b'{"errcode":0,"taglist":[' + b"[]," * 1_500_001 + b"1]}"))
        with pytest.raises(errors.BadResponseError, match="more than 3000000 items"):
            make(wecom.url).tags.list()


def test_what_was_left_out_are_numbers_of_a_department_s_size() -> None:
    with ScriptedWeCom() as wecom:
        wecom.always("/cgi-bin/tag/addtagusers", ok(invalidparty=["9" * 5000, "٣", 3, None]))
        change = make(wecom.url).tags.add(1, users=["lisi"], departments=[3])
    assert change == Change(invalid_departments=(3,))


def test_long_lists_go_in_batches_of_wecom_s_size(sandbox: Sandbox, client: WeComClient) -> None:
    for number in range(1200):
        sandbox.add_member(f"u{number}")
    users = [f"u{number}" for number in range(1200)]
    tag = client.tags.create("所有人")
    sandbox.clear()
    assert client.tags.add(tag, users=users, departments=[1]).complete
    assert paths(sandbox) == ["tag/addtagusers"] * 2
    assert client.tags.add(tag, users=[*users[:1000], "ghost"]) == Change(("ghost",))
    assert client.members.invite(users=[*users, "ghost"], tags=[tag]) == Change(("ghost",))


def test_a_call_of_the_app_without_its_secret_says_where_it_is(sandbox: Sandbox) -> None:
    with pytest.raises(errors.ConfigurationError, match=r"^secret: .*应用管理"):
        make(sandbox.url, None, None)
    with pytest.raises(errors.ConfigurationError, match=r"^secret: .*应用管理"):
        make(sandbox.url, None).media.upload("x.txt", b"123456")
    assert sandbox.calls == ()


def test_a_change_without_the_contacts_secret_says_where_it_is(sandbox: Sandbox) -> None:
    client = make(sandbox.url, APP, None)
    for change in (
        lambda: client.departments.create(name="x"),
        lambda: client.departments.update(2, name="x"),
        lambda: client.departments.delete(2),
        lambda: client.members.create(user_id="x", name="x", mobile="13800000000"),
        lambda: client.members.update("x", name="x"),
        lambda: client.members.delete("x"),
        lambda: client.members.delete("x", "y"),
        lambda: list(client.members.ids()),
        lambda: client.members.invite(users=["x"]),
    ):
        with pytest.raises(errors.ConfigurationError, match=r"^contacts_secret: .*管理工具 → 通讯录同步"):
            change()
    assert sandbox.calls == ()


def test_sending_without_an_agent_id_names_it(sandbox: Sandbox, client: WeComClient) -> None:
    with pytest.raises(errors.ConfigurationError, match=r"^agent_id: "):
        client.messages.send("hello", users="sandbox-user")


def test_the_app_reads_its_visible_range_alone(sandbox: Sandbox) -> None:
    sandbox.add_department(2, name="研发部")
    sandbox.add_department(3, name="运维部")
    sandbox.add_member("li", departments=[2])
    sandbox.add_member("wang", departments=[3])
    sandbox.set_visible_range(1000002, departments=[2])
    app = make(sandbox.url, APP, None)
    assert [department.id for department in app.departments.list()] == [2]
    assert [member.user_id for member in app.members.each()] == ["li"]
    with pytest.raises(errors.PermissionDeniedError):
        app.members.get("wang")
    assert make(sandbox.url).members.get("wang").user_id == "wang"


def test_where_the_contacts_secret_may_read_ids_only_the_app_reads(sandbox: Sandbox, client: WeComClient) -> None:
    sandbox.add_fault({"contacts_details": False})
    assert [department.name for department in client.departments.list()] == ["沙箱公司"]
    assert client.members.get("sandbox-user").name == "沙箱用户"
    assert paths(sandbox).count("department/list") == 2
    client.departments.list()
    assert paths(sandbox).count("department/list") == 3
    with pytest.raises(errors.PermissionDeniedError) as caught:
        make(sandbox.url, None).departments.list()
    assert caught.value.errcode == 48009


WRONG: dict[str, Callable[[WeComClient], object]] = {
    "name": lambda c: c.departments.create(name=""),
    "name ": lambda c: c.departments.create(name="x" * 65),
    "name  ": lambda c: c.departments.create(name="a:b"),
    "name   ": lambda c: c.departments.create(name="a\nb"),
    "name    ": lambda c: c.departments.update(2, name="a|b"),
    "parent_id": lambda c: c.departments.create(name="x", parent_id=0),
    "order": lambda c: c.departments.create(name="x", order=2**32),
    "id": lambda c: c.departments.get("x"),
    "id ": lambda c: c.departments.delete(True),
    "user_id": lambda c: c.members.get("张三"),
    "user_id ": lambda c: c.members.create(user_id="a" * 65, name="x", mobile="13800000000"),
    "user_id  ": lambda c: c.members.delete("ok", "not ok"),
    "user_id   ": lambda c: c.members.update("-a", name="x"),
    "new_user_id": lambda c: c.members.update("a", new_user_id=""),
    "mobile": lambda c: c.members.create(user_id="a", name="x"),
    "mobile ": lambda c: c.members.create(user_id="a", name="x", mobile="1234"),
    "mobile  ": lambda c: c.members.find(),
    "mobile   ": lambda c: c.members.find(mobile="1" * 33),
    "mobile    ": lambda c: c.members.find(mobile="13800000000", email="a@b.cc"),
    "email": lambda c: c.members.find(email="a@b.c"),
    "email  ": lambda c: c.members.find(email="\udcff@example.com"),
    "email ": lambda c: c.members.create(user_id="a", name="x", email="nobody"),
    "departments": lambda c: c.members.create(user_id="a", name="x", mobile="13800000000", departments=range(1, 102)),
    "departments ": lambda c: c.members.create(user_id="a", name="x", mobile="13800000000", departments=[]),
    "departments  ": lambda c: c.tags.add(1, departments="12"),
    "leader_of": lambda c: c.members.update("a", leader_of=[2]),
    "leader_of ": lambda c: c.members.update("a", departments=[1], leader_of=[2]),
    "direct_leaders": lambda c: c.members.update("a", direct_leaders=["a", "b"]),
    "gender": lambda c: c.members.update("a", gender="x"),
    "position": lambda c: c.members.update("a", position="x" * 129),
    "telephone": lambda c: c.members.update("a", telephone="1" * 33),
    "alias": lambda c: c.members.update("a", alias=""),
    "enabled": lambda c: c.members.update("a", enabled=1),  # it is about wrong types
    "main_department": lambda c: c.members.update("a", main_department="x"),
    "colour": lambda c: c.members.update("a", colour="red"),  # it is about unknown names
    "users": lambda c: c.tags.add(1),
    "users ": lambda c: c.tags.remove(1, users="bob"),
    "users  ": lambda c: c.members.invite(),
    "tags": lambda c: c.members.invite(tags=["x"]),
    "tag_id": lambda c: c.tags.add("x", users=["bob"]),
    "name     ": lambda c: c.tags.create("x" * 33),
}


@pytest.mark.parametrize("field", WRONG)
def test_wrong_input_is_named_before_any_request(sandbox: Sandbox, client: WeComClient, field: str) -> None:
    with pytest.raises(errors.MessageError, match=rf"^{field.strip()}: "):
        WRONG[field](client)
    assert sandbox.calls == ()


REFUSED: list[tuple[Callable[[WeComClient], object], int, type[errors.APIError]]] = [
    (lambda c: c.departments.create(name="研发部"), 60008, errors.InvalidMessageError),
    (lambda c: c.departments.create(name="x", parent_id=99), 60004, errors.InvalidMessageError),
    (lambda c: c.departments.update(2, parent_id=3), 60010, errors.InvalidMessageError),
    (lambda c: c.departments.delete(1), 60007, errors.InvalidMessageError),
    (lambda c: c.departments.delete(2), 60006, errors.InvalidMessageError),
    (lambda c: c.departments.delete(3), 60005, errors.InvalidMessageError),
    (lambda c: c.members.create(user_id="LI", name="x", mobile="13800000009"), 60102, errors.InvalidMessageError),
    (lambda c: c.members.create(user_id="x", name="x", mobile="13800000001"), 60104, errors.InvalidMessageError),
    (lambda c: c.members.get("ghost"), 60111, errors.InvalidRecipientError),
    (lambda c: c.members.update("ghost", name="x"), 60111, errors.InvalidRecipientError),
    (lambda c: c.members.find(mobile="13800000099"), 60146, errors.InvalidRecipientError),
    (lambda c: c.tags.create("值班"), 40071, errors.InvalidMessageError),
    (lambda c: c.tags.get(99), 40068, errors.InvalidMessageError),
]


@pytest.mark.parametrize(
    ("call", "errcode", "kind"), REFUSED, ids=lambda value: value if isinstance(value, int) else ""
)
def test_each_refusal_is_an_exception_of_its_own(
    sandbox: Sandbox, client: WeComClient, call: Callable[[WeComClient], object], errcode: int, kind: type[Exception]
) -> None:
    sandbox.add_department(2, name="研发部")
    sandbox.add_department(3, name="后端", parent_id=2)
    sandbox.add_member("li", departments=[3], mobile="13800000001")
    sandbox.add_tag(7, name="值班")
    with pytest.raises(kind) as caught:
        call(client)
    assert isinstance(caught.value, errors.APIError)
    assert caught.value.errcode == errcode
    assert caught.value.remedy
    assert caught.value.remedy_zh
