"""Names become ids: exact ids first, asked by the worker only, kept for an hour, and the others are always served."""

from __future__ import annotations

import pytest

from tests.programs import Clock
from tests.scripted import ScriptedWeCom, Step, errcode, ok
from wecom_logging import WeComClient, errors
from wecom_logging import _config as config
from wecom_logging._sandbox import Sandbox
from wecom_logging._wecom import addressbook
from wecom_logging._wecom.addressbook import KEPT_S, UNREADABLE_KEPT_S, AddressBook, Found
from wecom_logging._wecom.channels import AppChannel
from wecom_logging.model import Outcome, Recipients, Text
from wecom_logging.model.recipients import EVERYBODY_LOG


@pytest.fixture
def company(sandbox: Sandbox) -> Sandbox:
    sandbox.add_department(2, name="研发部")
    sandbox.add_department(3, name="运维部")
    sandbox.add_department(4, name="后端组", parent_id=2)
    sandbox.add_department(5, name="后端组", parent_id=3)
    sandbox.add_member("zhangsan", name="张三", departments=[3], mobile="13800000001", email="zhang.san@example.com")
    sandbox.add_member("lisi", name="李四", departments=[2], leader_of=[2])
    sandbox.add_member("wangwu1", name="王五", departments=[2])
    sandbox.add_member("wangwu2", name="王五", departments=[3], leader_of=[3])
    sandbox.add_member("bob01", name="Bob", departments=[2])
    sandbox.add_member("13900000002", name="号码", departments=[2])
    sandbox.add_tag(7, name="值班", users=["lisi"])
    return sandbox


def client(url: str, *, contacts: bool = False) -> WeComClient:
    return WeComClient(
        "wwsandbox",
        "sandbox-app-secret",
        agent_id=1000002,
        contacts_secret="sandbox-contacts-secret" if contacts else None,
        api_base=url,
        sleep=lambda _: None,
    )


def send(channel: AppChannel, **wanted: tuple[str, ...]) -> Outcome:
    return channel.deliver(Text("hello"), Recipients(**wanted), lambda: None)


def paths(sandbox: Sandbox) -> list[str]:
    return [call.path.removeprefix("/cgi-bin/") for call in sandbox.calls]


@pytest.mark.parametrize(
    ("wanted", "receivers"),
    [
        (Recipients(("张三",)), ["zhangsan"]),
        (Recipients(("13800000001",)), ["zhangsan"]),
        (Recipients(("zhang.san@example.com",)), ["zhangsan"]),
        (Recipients(("13900000002",)), ["13900000002"]),
        (Recipients(("lisi", "张三")), ["lisi", "zhangsan"]),
        (Recipients(departments=("运维部",)), ["zhangsan", "wangwu2"]),
        (Recipients(departments=("3",)), ["zhangsan", "wangwu2"]),
        (Recipients(tags=("值班",)), ["lisi"]),
        (Recipients(leader_of=("运维部",)), ["wangwu2"]),
        (Recipients(leader_of=("2",)), ["lisi"]),
        (Recipients(("张三",), tags=("值班",), leader_of=("运维部",)), ["lisi", "zhangsan", "wangwu2"]),
    ],
    ids=str,
)
def test_the_right_members_and_nobody_else(company: Sandbox, wanted: Recipients, receivers: list[str]) -> None:
    outcome = AppChannel(client(company.url), wanted).deliver(Text("hello"), None, lambda: None)
    assert (outcome.reason, outcome.warning) == ("delivered", "")
    got = [receiver for message in company.messages() for receiver in message["receivers"]]
    assert sorted(got) == sorted(receivers)


@pytest.mark.parametrize("name", ["张　三", "小组👨‍💻", "Zoë\u00a0B"])
def test_names_that_the_directory_takes_can_be_written_to(sandbox: Sandbox, name: str) -> None:
    contacts = WeComClient("wwsandbox", contacts_secret="sandbox-contacts-secret", api_base=sandbox.url)
    contacts.members.create(user_id="somebody", name=name, mobile="13800000001")
    send(AppChannel(client(sandbox.url), Recipients()), users=config.recipients(users=[name]).users)
    assert sandbox.messages()[0]["receivers"] == ["somebody"]


@pytest.mark.parametrize(("name", "written"), [("Ren\u00e9", "Rene\u0301"), ("Rene\u0301", "Ren\u00e9")])
def test_a_name_is_the_same_however_its_accents_are_written(company: Sandbox, name: str, written: str) -> None:
    company.add_member("rene", name=name)
    assert AddressBook(client(company.url)).resolve(Recipients((written,))).recipients.users == ("rene",)


@pytest.mark.parametrize(("users", "receivers"), [(("Bob",), ["bob01"]), (("lisi", "Bob"), ["lisi", "bob01"])], ids=str)
def test_a_name_in_the_place_of_an_id_is_told(company: Sandbox, users: tuple[str, ...], receivers: list[str]) -> None:
    outcome = send(AppChannel(client(company.url), Recipients()), users=users)
    warning = "users: 'Bob' is nobody's id; it is taken for the member of that name, bob01"
    assert (outcome.reason, outcome.warning) == ("delivered", warning)
    assert [receiver for message in company.messages() for receiver in message["receivers"]] == receivers


ROOT_LED_BY_ALL = ok(department=[{"id": 1, "name": "总部", "parentid": 0, "department_leader": ["@all"]}])


@pytest.mark.parametrize(
    ("wanted", "path", "answer"),
    [
        ({"users": ("张三",)}, "user/simplelist", ok(userlist=[{"userid": "@all", "name": "张三"}])),
        ({"users": ("张三",)}, "user/simplelist", ok(userlist=[{"userid": "lisi|@all", "name": "张三"}])),
        ({"users": ("13800000001",)}, "user/getuserid", ok(userid="@all")),
        ({"leader_of": ("总部",)}, "department/list", ROOT_LED_BY_ALL),
        ({"departments": ("总部",)}, "department/list", ok(department=[{"id": -1, "name": "总部", "parentid": 0}])),
        ({"tags": ("值班",)}, "tag/list", ok(taglist=[{"tagid": 0, "tagname": "值班"}])),
    ],
    ids=["everybody", "two", "mobile", "leader", "department", "tag"],
)
def test_what_the_directory_gives_is_one_id_and_never_everybody(
    wanted: dict[str, tuple[str, ...]], path: str, answer: Step
) -> None:
    with ScriptedWeCom() as wecom:
        wecom.always("/cgi-bin/user/get", errcode(60111))
        wecom.always("/cgi-bin/department/list", ROOT_LED_BY_ALL)
        wecom.always(f"/cgi-bin/{path}", answer)
        channel = AppChannel(client(wecom.url), Recipients())
        for _ in range(3):
            with pytest.raises((errors.MessageError, errors.BadResponseError)):
                send(channel, **wanted)
        assert wecom.bodies("/cgi-bin/message/send") == []


def test_a_name_that_means_somebody_else_than_before_is_told() -> None:
    clock = Clock()
    with ScriptedWeCom() as wecom:
        book = AddressBook(client(wecom.url), clock)
        wecom.always("/cgi-bin/department/list", ROOT_LED_BY_ALL)
        problems = []
        for user_id in ("zhangsan", "zhangsan", "mallory", "mallory"):
            wecom.always("/cgi-bin/user/simplelist", ok(userlist=[{"userid": user_id, "name": "张三"}]))
            found = book.resolve(Recipients(("张三",)))
            assert found.recipients.users == (user_id,)
            problems.append(found.problems)
            clock.now += KEPT_S
    assert problems == [[], [], ["users: '张三' is mallory now; it was zhangsan"], []]


def test_a_name_of_thousands_is_told_in_short() -> None:
    with ScriptedWeCom() as wecom:
        wecom.always("/cgi-bin/department/list", ROOT_LED_BY_ALL)
        wecom.always(
            "/cgi-bin/user/simplelist", ok(userlist=[{"userid": f"u{n}", "name": "王五"} for n in range(5000)])
        )
        for name in ("王五", "王五五"):
            (problem,) = AddressBook(client(wecom.url)).resolve(Recipients((name,))).problems
            assert "u0, u1, u10, u100, u1000, " in problem
            assert len(problem) < 250


def test_ids_cost_no_request_to_the_directory(company: Sandbox) -> None:
    send(AppChannel(client(company.url), Recipients()), users=("lisi",), departments=("2",), tags=("7",))
    assert paths(company) == ["gettoken", "message/send"]


def test_a_name_is_looked_up_once_an_hour(company: Sandbox) -> None:
    clock = Clock()
    book = AddressBook(client(company.url), clock)
    for _ in range(3):
        assert book.resolve(Recipients(("张三", "李四"))).recipients.users == ("zhangsan", "lisi")
    assert paths(company).count("department/list") == 1
    asked = len(company.calls)
    clock.now += KEPT_S
    assert book.resolve(Recipients(("张三",))).recipients.users == ("zhangsan",)
    assert paths(company)[asked:].count("department/list") == 1


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"users": ("lisi", "王五")}, ["users: '王五' fits several: wangwu1, wangwu2; give the id"]),
        ({"users": ("lisi", "张三丰")}, ["'张三丰'", "similar: 张三 (zhangsan)"]),
        ({"users": ("lisi",), "departments": ("后端组",)}, ["departments: '后端组' fits several: 4, 5; give the id"]),
        ({"users": ("lisi",), "tags": ("值日",)}, ["there is no tag of the name '值日'"]),
        ({"users": ("lisi",), "leader_of": ("后端组",)}, ["leader_of: '后端组' fits several: 4, 5"]),
        ({"users": ("lisi",), "leader_of": ("4",)}, ["no department '4' that has a leader"]),
        ({"users": ("lisi", "13811112222")}, ["'13811112222'"]),
        ({"users": ("lisi", "no@example.com")}, ["'no@example.com'"]),
    ],
    ids=str,
)
def test_who_is_unknown_or_fits_twice_is_told_once_and_the_rest_is_served(
    company: Sandbox, wanted: dict[str, tuple[str, ...]], said: list[str]
) -> None:
    channel = AppChannel(client(company.url), Recipients())
    outcome = send(channel, **wanted)
    assert all(words in outcome.warning for words in said), outcome.warning
    assert [message["receivers"] for message in company.messages()] == [["lisi"]]
    asked = paths(company)
    assert send(channel, **wanted).warning == ""
    assert paths(company)[len(asked) :] == ["message/send"]


def test_many_unknown_names_are_told_a_few_at_a_time(company: Sandbox) -> None:
    channel = AppChannel(client(company.url), Recipients(("lisi", *(f"没有{number}" for number in range(15)))))
    warnings = [channel.deliver(Text(text), None, lambda: None).warning for text in ("one", "two", "three")]
    assert [warning.count("nobody that the app sees") for warning in warnings] == [10, 5, 0]
    with pytest.raises(errors.MessageError) as caught:
        send(channel, users=tuple(f"没有{number}" for number in range(900)))
    assert len(str(caught.value)) < 2000


def test_a_name_that_looks_like_an_id_is_told_with_its_candidates_too(company: Sandbox) -> None:
    company.add_member("bob02", name="Bob")
    channel = AppChannel(client(company.url), Recipients(("lisi", "Bob", "Bobb")))
    outcome = channel.deliver(Text("hello"), None, lambda: None)
    assert (outcome.reason, outcome.invalid_users) == ("partial", ("bob", "bobb"))
    assert "'Bob' fits several: bob01, bob02; give the id" in outcome.warning
    assert "similar: Bob (bob01, bob02)" in outcome.warning
    assert channel.deliver(Text("again"), None, lambda: None).warning == ""
    with pytest.raises(errors.InvalidRecipientError, match=r"81013.*'Bob' fits several: bob01, bob02"):
        send(channel, users=("Bob",))
    with pytest.raises(errors.InvalidRecipientError, match=r"81013.*'张三丰'.*similar: 张三 \(zhangsan\).*'ghost'"):
        send(channel, users=("ghost", "张三丰"))


def test_a_name_that_looks_like_an_id_gives_way_to_the_id_after_an_hour(company: Sandbox) -> None:
    clock = Clock()
    channel = AppChannel(client(company.url), Recipients(("Bob",)))
    channel._book = AddressBook(client(company.url), clock)
    channel.deliver(Text("one"), None, lambda: None)
    company.add_member("bob", name="罗伯特")
    clock.now += KEPT_S
    channel.deliver(Text("two"), None, lambda: None)
    assert [message["receivers"] for message in company.messages()] == [["bob01"], ["bob"]]


def test_where_nobody_is_left_the_message_is_refused_with_the_reason(company: Sandbox) -> None:
    channel = AppChannel(client(company.url), Recipients())
    with pytest.raises(errors.MessageError, match="no recipient is left: users: '王五' fits several"):
        send(channel, users=("王五",))
    with pytest.raises(errors.InvalidRecipientError):
        send(channel, users=("nobody",))
    assert company.messages() == []


def test_a_name_outside_of_the_app_s_range_is_found_with_the_contacts_secret(company: Sandbox) -> None:
    company.set_visible_range(1000002, users=["zhangsan"])
    found = AddressBook(client(company.url)).resolve(Recipients(("张三",)))
    assert found.recipients.users == ()
    assert found.problems
    found = AddressBook(client(company.url, contacts=True)).resolve(Recipients(("张三",)))
    assert (found.recipients.users, found.problems) == (("zhangsan",), [])


def test_a_directory_that_refuses_leaves_the_ids(company: Sandbox) -> None:
    company.add_fault({"path": "/cgi-bin/department/list", "errcode": 60011, "times": 9})
    channel = AppChannel(client(company.url), Recipients())
    outcome = send(channel, users=("lisi", "张三"))
    assert "'张三' could not be looked up: errcode 60011" in outcome.warning
    assert [message["receivers"] for message in company.messages()] == [["lisi"]]
    with pytest.raises(errors.PermissionDeniedError):
        send(channel, users=("张三",))


def test_a_directory_that_does_not_answer_holds_the_others_up_twice_only(company: Sandbox) -> None:
    channel = AppChannel(client(company.url), Recipients())
    company.add_fault({"path": "/cgi-bin/department/list", "errcode": 45033, "times": 9})
    for _ in range(2):
        with pytest.raises(errors.RateLimitedError):
            send(channel, users=("lisi", "张三"))
    assert "could not be looked up: errcode 45033" in send(channel, users=("lisi", "张三")).warning
    assert [message["receivers"] for message in company.messages()] == [["lisi"]]


def test_a_directory_that_keeps_failing_is_left_alone_for_a_while(company: Sandbox) -> None:
    clock = Clock()
    book = AddressBook(client(company.url), clock)
    company.add_fault({"path": "/cgi-bin/department/list", "errcode": 45033, "times": 99})
    names = ("某甲", "某乙", "某丙", "某丁")
    for _ in range(2):
        with pytest.raises(errors.RateLimitedError):
            book.resolve(Recipients(names))
    asked = len(company.calls)
    assert len(book.resolve(Recipients(names)).problems) == len(names)
    assert book.by_name(["nobody1", "nobody2"]) == Found(Recipients())
    assert len(company.calls) - asked == 3  # one round
    clock.now += UNREADABLE_KEPT_S
    asked = len(company.calls)
    assert len(book.resolve(Recipients(names)).problems) == len(names)
    assert len(company.calls) - asked == 3


def test_a_refusal_that_is_raised_again_and_again_does_not_grow(company: Sandbox) -> None:
    company.add_fault({"path": "/cgi-bin/department/list", "errcode": 60011, "times": 9})
    channel = AppChannel(client(company.url), Recipients(("张三",)))

    def depth() -> int:
        with pytest.raises(errors.PermissionDeniedError) as caught:
            channel.deliver(Text("hello"), None, lambda: None)
        return len(caught.traceback)

    assert depth() == depth() == depth()


def test_what_was_right_an_hour_ago_is_used_while_the_directory_is_away(company: Sandbox) -> None:
    clock = Clock()
    book = AddressBook(client(company.url), clock)
    book.resolve(Recipients(("张三",)))
    company.add_fault({"path": "/cgi-bin/department/list", "status": 502, "times": 3})
    clock.now += KEPT_S
    assert book.resolve(Recipients(("张三",))).recipients.users == ("zhangsan",)
    asked = len(company.calls)
    book.resolve(Recipients(("张三",)))
    assert len(company.calls) == asked
    clock.now += UNREADABLE_KEPT_S
    assert book.resolve(Recipients(("张三",))).recipients.users == ("zhangsan",)
    assert len(company.calls) > asked


def test_the_rate_limit_of_a_member_counts_by_the_id_once_it_is_known(company: Sandbox) -> None:
    channel = AppChannel(client(company.url), Recipients(("张三",), leader_of=("运维部",)))
    assert channel.receivers(None) == (EVERYBODY_LOG,)
    channel.deliver(Text("hello"), None, lambda: None)
    assert channel.receivers(None) == ("zhangsan", "wangwu2")


def test_reading_many_departments_ends_after_half_a_minute(company: Sandbox) -> None:
    class Slow(Clock):
        def __call__(self) -> float:
            self.now += 8
            return self.now

    for number in range(10, 40):
        company.add_department(number)
    book = AddressBook(client(company.url), Slow())
    (problem,) = book.resolve(Recipients(("lisi", "张三"))).problems
    assert "could not be read within 30 s; give user ids" in problem
    assert paths(company).count("user/simplelist") < 6


def test_what_is_remembered_is_bounded(company: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addressbook, "MAX_ENTRIES", 3)
    book = AddressBook(client(company.url))
    for number in range(10):
        book.resolve(Recipients((f"某人{number}",)))
    assert len(book._entries) <= 3
