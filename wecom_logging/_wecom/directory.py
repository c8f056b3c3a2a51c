"""``client.departments``, ``client.members`` and ``client.tags``: WeCom's directory (通讯录).

Changes of departments and members need the secret of the contacts sync (通讯录同步); reading takes it too, or an app's,
which sees its visible range. What is checked before a request raises `MessageError` with the field and the limit;
WeCom's own refusals are `APIError`. Source of the rules: https://developer.work.weixin.qq.com/document/path/90193
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypedDict, Unpack

from ..errors import APIError, BadResponseError, MessageError
from ..model import Change, Department, Member, Tag
from . import directory_answers as answers
from . import directory_checks as checks
from .errcodes import Verdict, lookup
from .token import Access, Caller

ROOT = 1
MAX_BYTES = 32 * 1024 * 1024
"""Of one answer: ten thousand members of one department come as about 5 MB."""
PAGE = 10_000
MAX_PAGES = 1000
USERS_AT_ONCE = 1000
DELETED_AT_ONCE = 200
OTHERS_AT_ONCE = 100

Id = int | str
Batch = dict[str, list[Id]]
"""Some of the ``users``, ``departments`` and ``tags`` that a call is about."""


class MemberFields(TypedDict, total=False):
    """What a member may have besides id, name and departments; None leaves it out.

    ``mobile``: 5 to 32 bytes. ``email`` (private), ``biz_mail`` (the company's): 6 to 64 bytes. ``leader_of``: those of
    ``departments`` that the member leads. ``main_department``: one of them. ``position``: at most 128 characters,
    ``alias``: 64, ``telephone``: 32. ``gender``: ``"male"`` or ``"female"``. ``direct_leaders``: one user id.
    ``enabled``: whether the account may be used.
    """

    mobile: str | None
    email: str | None
    biz_mail: str | None
    leader_of: Sequence[Id] | None
    main_department: Id | None
    position: str | None
    alias: str | None
    gender: str | None
    telephone: str | None
    direct_leaders: Sequence[str] | None
    enabled: bool | None


class _Directory:
    """``reads`` says whose token reads; see `Access`."""

    def __init__(self, client: Caller, reads: Access = Access.EITHER) -> None:
        self._client = client
        self._reads = reads

    def _read(self, path: str, **query: Id) -> dict[str, Any]:
        parameters = {name: str(value) for name, value in query.items()}
        return self._client.call(path, query=parameters, access=self._reads, max_bytes=MAX_BYTES)

    def _ask(self, path: str, body: dict[str, Any], access: Access) -> dict[str, Any]:
        return self._client.call(path, body, access=access, max_bytes=MAX_BYTES)

    def _change(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        return self._ask(path, body, Access.CONTACTS)


class Departments(_Directory):
    """The calls below ``department/``. At most 30 000 departments, 15 levels deep."""

    def create(
        self,
        *,
        name: str,
        parent_id: Id = ROOT,
        name_en: str | None = None,
        order: int | None = None,
        id: Id | None = None,
    ) -> int:
        """Create a department below ``parent_id`` and return its id.

        ``name``: 1 to 64 characters without ``\\ : * ? " < > |``, unique among its siblings. ``order``: 0 to 2³²−1.
        ``id``: above 1, chosen by WeCom unless given.
        Source: https://developer.work.weixin.qq.com/document/path/90205
        """
        body = checks.department(id=id, name=name, name_en=name_en, parent_id=parent_id, order=order)
        return answers.number(self._change("department/create", body), "id")

    def update(
        self,
        id: Id,
        *,
        name: str | None = None,
        name_en: str | None = None,
        parent_id: Id | None = None,
        order: int | None = None,
    ) -> None:
        """Change what is given of a department; limits as in `create`.

        Source: https://developer.work.weixin.qq.com/document/path/90206
        """
        body = checks.department(id=id, name=name, name_en=name_en, parent_id=parent_id, order=order)
        self._change("department/update", body)

    def delete(self, id: Id) -> None:
        """Delete a department: not the root, and none that has members or departments (60005, 60006).

        Source: https://developer.work.weixin.qq.com/document/path/90207
        """
        query = {"id": str(checks.department_id("id", id))}
        self._client.call("department/delete", query=query, access=Access.CONTACTS)

    def get(self, id: Id) -> Department:
        """One department. Source: https://developer.work.weixin.qq.com/document/path/95351"""
        return answers.department(self._read("department/get", id=checks.department_id("id", id)).get("department"))

    def list(self, parent_id: Id | None = None) -> builtins.list[Department]:
        """All departments at and below ``parent_id``; without it all that the token sees.

        Source: https://developer.work.weixin.qq.com/document/path/90208
        """
        return answers.departments(self._read("department/list", **_below(parent_id)), "department")

    def ids(self, parent_id: Id | None = None) -> builtins.list[Department]:
        """Like `list`, quicker, without names and leaders.

        Source: https://developer.work.weixin.qq.com/document/path/95350
        """
        return answers.departments(self._read("department/simplelist", **_below(parent_id)), "department_id")


class Members(_Directory):
    """The calls below ``user/``."""

    def create(
        self,
        *,
        user_id: str,
        name: str,
        departments: Sequence[Id] = (ROOT,),
        invite: bool = True,
        **fields: Unpack[MemberFields],
    ) -> tuple[int, ...]:
        """Create a member; return the ids of departments that WeCom made because they did not exist.

        ``user_id``: 1 to 64 of ``0-9A-Za-z_-@.``, the first a letter or digit, unique whatever the case. ``name``: 1 to
        64 characters. ``departments``: 1 to 100 ids. ``invite`` has WeCom send the invitation. The other fields are in
        `MemberFields`; ``mobile`` or ``email`` is needed.
        Source: https://developer.work.weixin.qq.com/document/path/90195
        """
        if not fields.get("mobile") and not fields.get("email"):
            raise MessageError("mobile: it is missing, and so is email; WeCom needs one of the two")
        body = checks.member({"user_id": user_id, "name": name, "departments": departments, **fields})
        if not invite:
            body["to_invite"] = False
        return answers.created_departments(self._change("user/create", body))

    def update(
        self,
        user_id: str,
        *,
        new_user_id: str | None = None,
        name: str | None = None,
        departments: Sequence[Id] | None = None,
        **fields: Unpack[MemberFields],
    ) -> None:
        """Change what is given of a member; limits as in `create`.

        WeCom ignores ``mobile`` without a word once the member has activated the account, and takes ``new_user_id``
        once, for an id that it made itself (301036).
        Source: https://developer.work.weixin.qq.com/document/path/90197
        """
        changed = {"user_id": user_id, "new_user_id": new_user_id, "name": name, "departments": departments}
        self._change("user/update", checks.member({**changed, **fields}))

    def get(self, user_id: str) -> Member:
        """One member. Source: https://developer.work.weixin.qq.com/document/path/90196"""
        return answers.member(self._read("user/get", userid=checks.user_id("user_id", user_id)))

    def delete(self, user_id: str, *more: str) -> Change:
        """Delete members, with their mailboxes; also many, in calls of 200.

        WeCom refuses a call in which one id does not exist; its ids are then deleted one by one. What does not exist or
        may not be touched is in the `Change`; if that is everything, it raises.
        Source: https://developer.work.weixin.qq.com/document/path/90198 and 90199
        """
        ids = checks.user_ids("user_id", (user_id, *more))
        if len(ids) == 1:
            return self._delete_one({"users": ids})
        return _in_turn(_batches(DELETED_AT_ONCE, users=ids), self._delete_many)

    def _delete_many(self, batch: Batch) -> Change:
        try:
            self._change("user/batchdelete", {"useridlist": batch["users"]})
        except APIError as error:
            if not _about_a_target(error):
                raise
        else:
            return Change()
        return _in_turn(_batches(1, users=batch["users"]), self._delete_one)

    def _delete_one(self, batch: Batch) -> Change:
        self._client.call("user/delete", query={"userid": str(batch["users"][0])}, access=Access.CONTACTS)
        return Change()

    def list(self, department_id: Id = ROOT, *, recursive: bool = False) -> builtins.list[Member]:
        """The members of a department; ``recursive``: and of all departments below it, each member once.

        Source: https://developer.work.weixin.qq.com/document/path/90201
        """
        return builtins.list(self.each(department_id)) if recursive else self._of("user/list", department_id)

    def names(self, department_id: Id = ROOT) -> builtins.list[Member]:
        """Like `list`, quicker, with ``user_id``, ``name`` and ``departments`` only.

        Source: https://developer.work.weixin.qq.com/document/path/90200
        """
        return self._of("user/simplelist", department_id)

    def each(self, department_id: Id | None = None) -> Iterator[Member]:
        """Every member at and below a department, or that the token sees, once; one request for each department."""
        seen: set[str] = set()
        for department in Departments(self._client, self._reads).ids(department_id):
            for member in self._of("user/list", department.id):
                if member.user_id not in seen:
                    seen.add(member.user_id)
                    yield member

    def _of(self, path: str, department_id: Id) -> builtins.list[Member]:
        query = {"department_id": str(checks.department_id("department_id", department_id))}
        answer = self._client.call(
            path, query=query, access=self._reads, max_bytes=MAX_BYTES, object_hook=answers.member_or_not
        )
        return answers.members(answer)

    def ids(self) -> Iterator[str]:
        """The user ids of the whole company, page by page. Needs the secret of the contacts sync.

        Raises `BadResponseError` where the pages go in a circle or have no end.
        Source: https://developer.work.weixin.qq.com/document/path/96067
        """
        seen: set[str] = set()
        cursors = [""]
        for cursor in cursors:
            body = {"limit": PAGE, **({"cursor": cursor} if cursor else {})}
            answer = self._change("user/list_id", body)
            for user_id in answers.user_ids_of_page(answer):
                if user_id not in seen:  # there is a row for each department
                    seen.add(user_id)
                    yield user_id
            following = answers.text(answer, "next_cursor")
            if not following or following == cursor:
                return
            if following in cursors or len(cursors) == MAX_PAGES:
                raise BadResponseError("the pages of user/list_id have no end")
            cursors.append(following)

    def find(self, *, mobile: str | None = None, email: str | None = None) -> str:
        """The user id of who has this mobile number or e-mail address (the company's own, then the private one).

        Raises `InvalidRecipientError` if no member has it. Wrong numbers above a fifth of the company's size block the
        call for the rest of the day.
        Source: https://developer.work.weixin.qq.com/document/path/95402 and 95895
        """
        if (mobile is None) == (email is None):
            raise MessageError("mobile: give either mobile=… or email=…")
        if mobile is not None:
            return self._found("user/getuserid", {"mobile": checks.mobile("mobile", mobile)})
        body = {"email": checks.email("email", email)}
        try:
            return self._found("user/get_userid_by_email", {**body, "email_type": 1})
        except APIError as error:
            if not _about_a_target(error):
                raise
        return self._found("user/get_userid_by_email", {**body, "email_type": 2})

    def _found(self, path: str, body: dict[str, Any]) -> str:
        return answers.found_user_id(self._ask(path, body, self._reads))

    def invite(self, *, users: Iterable[str] = (), departments: Iterable[Id] = (), tags: Iterable[Id] = ()) -> Change:
        """Invite members to WeCom by SMS or e-mail: any number of users, departments and tags.

        Source: https://developer.work.weixin.qq.com/document/path/90975
        """
        batches = _batches(
            users=checks.user_ids("users", users),
            departments=checks.department_ids("departments", departments),
            tags=checks.tag_ids("tags", tags),
        )
        spelling = {"users": "user", "departments": "party", "tags": "tag"}
        return _in_turn(batches, lambda batch: answers.change(self._change("batch/invite", _spelt(batch, spelling))))


class Tags(_Directory):
    """The calls below ``tag/``. At most 3 000 tags of 30 000 nodes.

    A tag is changed by what created it: the contacts sync, or the app (else 81011).
    """

    def create(self, name: str, *, id: Id | None = None) -> int:
        """Create a tag of this name (1 to 32 characters, unique) and return its id.

        Source: https://developer.work.weixin.qq.com/document/path/90210
        """
        body: dict[str, Any] = {"tagname": checks.tag_name(name)}
        if id is not None:
            body["tagid"] = checks.tag_id("id", id)
        return answers.number(self._ask("tag/create", body, self._reads), "tagid")

    def update(self, id: Id, *, name: str) -> None:
        """Rename a tag. Source: https://developer.work.weixin.qq.com/document/path/90211"""
        body = {"tagid": checks.tag_id("id", id), "tagname": checks.tag_name(name)}
        self._ask("tag/update", body, self._reads)

    def delete(self, id: Id) -> None:
        """Delete a tag; its members stay. Source: https://developer.work.weixin.qq.com/document/path/90212"""
        self._read("tag/delete", tagid=checks.tag_id("id", id))

    def get(self, id: Id) -> Tag:
        """A tag with those of its users and departments that the token sees.

        Source: https://developer.work.weixin.qq.com/document/path/90213
        """
        tag_id = checks.tag_id("id", id)
        return answers.tag_with_members(tag_id, self._read("tag/get", tagid=tag_id))

    def list(self) -> builtins.list[Tag]:
        """All tags. Source: https://developer.work.weixin.qq.com/document/path/90216"""
        return answers.tags(self._read("tag/list"))

    def add(self, tag_id: Id, *, users: Iterable[str] = (), departments: Iterable[Id] = ()) -> Change:
        """Add any number of users and departments to a tag.

        Returns what WeCom did not accept; if that is everything, it raises (40070).
        Source: https://developer.work.weixin.qq.com/document/path/90214
        """
        return self._members("tag/addtagusers", tag_id, users, departments)

    def remove(self, tag_id: Id, *, users: Iterable[str] = (), departments: Iterable[Id] = ()) -> Change:
        """Take users and departments out of a tag; like `add` (all invalid: 40031).

        Source: https://developer.work.weixin.qq.com/document/path/90215
        """
        return self._members("tag/deltagusers", tag_id, users, departments)

    def _members(self, path: str, tag_id: Id, users: Iterable[str], departments: Iterable[Id]) -> Change:
        tag = {"tagid": checks.tag_id("tag_id", tag_id)}
        batches = _batches(
            users=checks.user_ids("users", users), departments=checks.department_ids("departments", departments)
        )
        spelling = {"users": "userlist", "departments": "partylist"}
        return _in_turn(
            batches, lambda batch: answers.change(self._ask(path, tag | _spelt(batch, spelling), self._reads))
        )


def _below(parent_id: Id | None) -> dict[str, Id]:
    return {} if parent_id is None else {"id": checks.department_id("parent_id", parent_id)}


def _about_a_target(error: APIError) -> bool:
    """Whether WeCom refused because a member does not exist or may not be touched."""
    return lookup(error.errcode).verdict is Verdict.TARGET or error.errcode in (40003, 40031, 301005)


def _batches(users_at_once: int = USERS_AT_ONCE, **lists: Sequence[Id]) -> list[Batch]:
    """The lists in as many batches as WeCom's limits make necessary."""
    if not any(lists.values()):
        raise MessageError(f"{next(iter(lists))}: nobody is named")
    batches: list[Batch] = []
    for name, items in lists.items():
        most = users_at_once if name == "users" else OTHERS_AT_ONCE
        for number, start in enumerate(range(0, len(items), most)):
            if number == len(batches):
                batches.append({})
            batches[number][name] = list(items[start : start + most])
    return batches


def _in_turn(batches: list[Batch], call: Callable[[Batch], Change]) -> Change:
    """One call for each batch. A batch that is refused altogether is a part of the `Change`; if all are, it raises."""
    changes, refusals = [], []
    for batch in batches:
        try:
            changes.append(call(batch))
        except APIError as error:
            if not _about_a_target(error):
                raise
            refusals.append((error, batch))
    if not changes:
        raise refusals[0][0]
    changes += [answers.all_refused(batch) for _, batch in refusals]
    return answers.sum_of(changes)


def _spelt(batch: Batch, spelling: dict[str, str]) -> dict[str, Any]:
    return {spelling[name]: ids for name, ids in batch.items()}
