"""Each recipient of an app: what its name stands for, whether it exists, and whether the app sees it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ..._text.said import Said
from ..._wecom import WeComClient
from ..._wecom.addressbook import AddressBook, Problem
from ..._wecom.directory import Departments, Members, Tags
from ..._wecom.token import Access
from ...errors import APIError, MessageError, WeComError
from ...model import EVERYBODY, Member, Recipients
from ..texts import cause_of, remedy_of, remedy_of_errcode, same
from .findings import Notes

KINDS = ("users", "departments", "tags", "leader_of")
_OUT_OF_RANGE = (50002, 60011, 60021, 60030)
_NO_MEMBER = (40003, 46004, 60111)
_NOBODY_FOUND = 81013


class Refused(Exception):
    """Nothing would arrive there: why, and what to do."""

    def __init__(self, cause: Said, remedy: Said, errcode: int | None = None) -> None:
        super().__init__(cause.en)
        self.cause = cause
        self.remedy = remedy
        self.errcode = errcode


def look_at_recipients(notes: Notes, client: WeComClient, wanted: Recipients) -> None:
    """One finding for each; ``wanted`` are ids and names, as in the configuration."""
    looker = _Looker(client)
    for kind in KINDS:
        for text in dict.fromkeys(getattr(wanted, kind)):
            subject = f"{kind} {text}"
            if notes.skipped("recipient", subject):
                continue
            try:
                notes.good("recipient", looker.look(kind, text), subject)
            except Refused as no:
                notes.bad("recipient", no.cause, no.remedy, subject=subject, errcode=no.errcode)
            except (WeComError, MessageError) as error:
                notes.refused("recipient", error, subject, _cause(error))


class _Looker:
    """Asks with the app's own token: whom the contacts sync sees, the app need not see."""

    def __init__(self, client: WeComClient) -> None:
        self._book = AddressBook(client)
        self._members = Members(client, Access.APP)
        self._departments = Departments(client, Access.APP)
        self._tags = Tags(client, Access.APP)
        self._by_kind: dict[str, Callable[[str], Iterator[Said]]] = {
            "users": self._user,
            "departments": self._department,
            "tags": self._tag,
            "leader_of": self._leaders,
        }

    def look(self, kind: str, text: str) -> Said:
        """What it stands for. Raises `Refused`, or WeCom's own refusal."""
        if kind == "users" and text == EVERYBODY:
            return Said("everybody in the visible range", "可见范围内的全部成员")
        found = list(self._by_kind[kind](text))
        return Said(", ".join(words.en for words in found), "、".join(words.zh for words in found))

    def _ids(self, kind: str, text: str) -> tuple[str, ...]:
        found = self._book.resolve(Recipients(**{kind: (text,)}))
        if found.problems:
            raise _unresolved(kind, text, found.problems[0], found.error)
        ids: tuple[str, ...] = getattr(found.recipients, "users" if kind == "leader_of" else kind)
        return ids

    def _user(self, text: str) -> Iterator[Said]:
        for user_id in self._ids("users", text):
            try:
                yield _member(self._members.get(user_id))
            except APIError as error:
                if error.errcode not in _NO_MEMBER:
                    raise
                named = self._book.by_name([text])  # "Bob" has the form of an id and is a name
                if any(problem.ambiguous for problem in named.problems):
                    raise _unresolved("users", text, named.problems[0], None) from None
                if not named.recipients:
                    raise
                yield from map(_member, map(self._members.get, named.recipients.users))

    def _department(self, text: str) -> Iterator[Said]:
        for id in self._ids("departments", text):
            name = self._departments.get(id).name
            if self._is_empty(id):
                raise Refused(_EMPTY_DEPARTMENT, _FILL_DEPARTMENT)
            yield same(f"{name} ({id})" if name else id)

    def _is_inactive(self, user_id: str) -> bool:
        try:
            return self._members.get(user_id).status in _INACTIVE
        except APIError:  # who may not be looked at counts as active
            return False

    def _is_empty(self, department_id: str | int) -> bool:
        """Whether WeCom shows nobody in it who could get a message; where it refuses to show any, that is unknown."""
        try:
            return all(member.status in _INACTIVE for member in self._members.each(department_id))
        except APIError:  # unknown, which is no finding
            return False

    def _tag(self, text: str) -> Iterator[Said]:
        for id in self._ids("tags", text):
            tag = self._tags.get(id)
            if all(map(self._is_inactive, tag.users or ())) and all(map(self._is_empty, tag.departments or ())):
                raise Refused(_EMPTY_TAG, _FILL_TAG)
            yield same(f"{tag.name} ({id})" if tag.name else id)

    def _leaders(self, text: str) -> Iterator[Said]:
        for user_id in self._ids("leader_of", text):
            yield _member(self._members.get(user_id))


def _member(member: Member) -> Said:
    """Who it is. Whoever is not active gets nothing."""
    if member.status in _INACTIVE:
        raise Refused(*_INACTIVE[member.status])
    return same(f"{member.name} ({member.user_id})" if member.name else member.user_id)


_INACTIVE = {
    "disabled": (
        Said("the account of this member is switched off", "该成员账号已被禁用"),
        Said(
            "Enable the member again (管理后台 → 通讯录 → the member), or name somebody else.",
            "请启用该成员（管理后台 → 通讯录 → 成员详情），或更换接收人。",
        ),
    ),
    "not_activated": (
        Said(
            "this member has neither joined WeCom nor followed its plugin in WeChat",
            "该成员尚未激活企业微信，也未关注微信插件",
        ),
        Said(
            "Invite the member to join (管理后台 → 通讯录 → the member → 邀请), or name somebody else.",
            "请邀请该成员加入（管理后台 → 通讯录 → 成员详情 → 邀请），或更换接收人。",
        ),
    ),
    "left": (
        Said("this member has left the company", "该成员已退出企业"),
        Said("Name somebody else.", "请更换接收人。"),
    ),
}

_EMPTY_DEPARTMENT = Said("the app sees no active member in this department", "该部门中没有应用可见的已激活成员")
_FILL_DEPARTMENT = Said(
    "Add members to the department (管理后台 → 通讯录), or name another one.",
    "请为该部门添加成员（管理后台 → 通讯录），或更换接收部门。",
)
_EMPTY_TAG = Said("the app sees no active member in this tag", "该标签中没有应用可见的已激活成员")
_FILL_TAG = Said(
    "Add members to the tag (管理后台 → 通讯录 → 标签), or the tag's members to the visible range of the app "
    "(管理后台 → 应用管理 → 自建 → the app → 可见范围).",
    "请为标签添加成员（管理后台 → 通讯录 → 标签），或将标签成员加入应用的可见范围"
    "（管理后台 → 应用管理 → 自建 → 对应应用 → 可见范围）。",
)


def _unresolved(kind: str, text: str, problem: Problem, error: WeComError | MessageError | None) -> Refused:
    """What the address book says, in both languages."""
    said = problem.removeprefix(f"{kind}: ")
    if error is not None:
        errcode = error.errcode if isinstance(error, APIError) else None
        zh = f"“{text}”无法从通讯录中查到（{cause_of(error).zh}）"
        return Refused(Said(said, zh), remedy_of(error), errcode)
    near = ", ".join(problem.near)
    if problem.ambiguous:
        return Refused(
            Said(f"{text!r} fits several: {near}", f"“{text}”对应多个：{near}"),
            Said("Give the id of the one that is meant.", "请改填要通知的那一个的 ID。"),
        )
    zh = f"应用看不到名为“{text}”的{_KINDS_ZH[kind]}" + (f"；相近的有：{near}" if near else "")
    return Refused(Said(said, zh), remedy_of_errcode(_NOBODY_FOUND))


_KINDS_ZH = {
    "users": "成员（账号、手机号、邮箱或姓名）",
    "departments": "部门",
    "tags": "标签",
    "leader_of": "部门或其负责人",
}


def _cause(error: WeComError | MessageError) -> Said | None:
    if isinstance(error, APIError) and error.errcode in _OUT_OF_RANGE:
        return Said("it exists, but is outside of the app's visible range", "存在，但不在应用的可见范围内")
    return None
