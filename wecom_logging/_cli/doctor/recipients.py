"""Each recipient of an app: what its name stands for, whether it exists, and whether the app sees it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from ..._text.said import Said
from ..._wecom import WeComClient
from ..._wecom.addressbook import AddressBook, Problem
from ..._wecom.directory import Departments, Members, Tags
from ..._wecom.token import Access
from ...errors import APIError, MessageError, WeComError
from ...model import EVERYBODY, Member, Recipients
from ..printing import Refusal
from ..texts import cause_of, inactive, listed, of_errcode, remedy_of, said, same, sentences
from .findings import Notes

KINDS = ("users", "departments", "tags", "leader_of")
_OUT_OF_RANGE = (50002, 60011, 60021, 60030)
_NO_MEMBER = (40003, 46004, 60111)
_NOBODY_FOUND = 81013


class Refused(Refusal):
    """Nothing would arrive there: why, and what to do."""

    def __init__(self, cause: Said, remedy: Said, errcode: int | None = None) -> None:
        super().__init__(sentences(cause, remedy), 1)
        self.cause = cause
        self.remedy = remedy
        self.errcode = errcode


def members(client: WeComClient, text: str) -> list[Member]:
    """Those for whom one of ``users`` stands, all of whom are active. Raises `Refused`, or WeCom's own refusal."""
    found = list(_Looker(client).members(text))
    for one in found:
        _member(one)
    return found


def look_at_recipients(notes: Notes, client: WeComClient, audiences: Sequence[tuple[str, Recipients]]) -> None:
    """One finding for each; ids and names, as in the configuration. A warning where another of its audience is good.

    ``audiences``, each with the option that has it, where that is not the handler's own (`escalation[0].`).
    """
    looker = _Looker(client)
    each = [[(kind, text) for kind in KINDS for text in getattr(one, kind)] for _, one in audiences]
    good = set()
    subjects: dict[tuple[str, str], str] = {}
    for (field, _), audience in zip(audiences, each, strict=True):
        for kind, text in audience:
            subjects.setdefault((kind, text), f"{field}{kind} {text}")
    for (kind, text), subject in sorted(subjects.items(), key=lambda one: KINDS.index(one[0][0])):
        if notes.skipped("recipient", subject):
            continue
        try:
            notes.good("recipient", looker.look(kind, text), subject)
            good.add((kind, text))
        except Refused as no:
            notes.bad("recipient", no.cause, no.remedy, subject=subject, errcode=no.errcode)
        except (WeComError, MessageError) as error:
            is_unseen = isinstance(error, APIError) and error.errcode in _OUT_OF_RANGE
            notes.refused("recipient", error, subject, said("found.out_of_range") if is_unseen else None)
    if notes.blocked_by != "recipient":
        unserved = {subjects[one] for audience in each if not good & set(audience) for one in audience}
        notes.warn_only(lambda one: one.check == "recipient" and one.subject not in unserved)


class _Looker:
    """Asks with the app's own token: whom the contacts sync sees, the app need not see."""

    def __init__(self, client: WeComClient) -> None:
        self._book = AddressBook(client)
        self._members = Members(client, Access.APP)
        self._departments = Departments(client, Access.APP)
        self._tags = Tags(client, Access.APP)
        self._by_kind: dict[str, Callable[[str], Iterator[Said]]] = {
            "users": lambda text: map(_member, self.members(text)),
            "departments": self._department,
            "tags": self._tag,
            "leader_of": self._leaders,
        }

    def look(self, kind: str, text: str) -> Said:
        """What it stands for. Raises `Refused`, or WeCom's own refusal."""
        if kind == "users" and text == EVERYBODY:
            return said("found.everybody")
        return listed(self._by_kind[kind](text))

    def _ids(self, kind: str, text: str) -> tuple[str, ...]:
        found = self._book.resolve(Recipients(**{kind: (text,)}))
        if found.problems:
            raise _unresolved(kind, text, found.problems[0], found.error)
        ids: tuple[str, ...] = getattr(found.recipients, "users" if kind == "leader_of" else kind)
        return ids

    def members(self, text: str) -> Iterator[Member]:
        for user_id in self._ids("users", text):
            try:
                yield self._members.get(user_id)
            except APIError as error:
                if error.errcode not in _NO_MEMBER:
                    raise
                named = self._book.by_name([text])  # "Bob" has the form of an id and is a name
                if any(problem.ambiguous for problem in named.problems):
                    raise _unresolved("users", text, named.problems[0], None) from None
                if not named.recipients:
                    raise
                yield from map(self._members.get, named.recipients.users)

    def _department(self, text: str) -> Iterator[Said]:
        for id in self._ids("departments", text):
            name = self._departments.get(id).name
            if self._is_empty(id):
                raise Refused(said("found.empty_department"), said("found.fill_department"))
            yield same(f"{name} ({id})" if name else id)

    def _is_inactive(self, user_id: str) -> bool:
        try:
            return inactive(self._members.get(user_id).status) is not None
        except APIError:  # who may not be looked at counts as active
            return False

    def _is_empty(self, department_id: str | int) -> bool:
        """Whether WeCom shows no member in it who could get a message; where it shows none, that is unknown."""
        try:
            return all(inactive(member.status) is not None for member in self._members.each(department_id))
        except APIError:  # unknown, which is no finding
            return False

    def _tag(self, text: str) -> Iterator[Said]:
        for id in self._ids("tags", text):
            tag = self._tags.get(id)
            if all(map(self._is_inactive, tag.users or ())) and all(map(self._is_empty, tag.departments or ())):
                raise Refused(said("found.empty_tag"), said("found.fill_tag"))
            yield same(f"{tag.name} ({id})" if tag.name else id)

    def _leaders(self, text: str) -> Iterator[Said]:
        for user_id in self._ids("leader_of", text):
            yield _member(self._members.get(user_id))


def _member(member: Member) -> Said:
    """Who it is. A member who is not active gets nothing."""
    if (why := inactive(member.status)) is not None:
        raise Refused(*why)
    return same(f"{member.name} ({member.user_id})" if member.name else member.user_id)


def _unresolved(kind: str, text: str, problem: Problem, error: WeComError | MessageError | None) -> Refused:
    """What the address book says, in both languages."""
    if error is not None:
        errcode = error.errcode if isinstance(error, APIError) else None
        return Refused(said("found.not_looked_up", name=text, cause=cause_of(error)), remedy_of(error), errcode)
    near = ", ".join(problem.near)
    if problem.ambiguous:
        return Refused(said("found.several", name=text, near=near), said("found.give_id"))
    unseen = said("found.similar" if near else "found.unseen", name=text, kind=said(f"kinds.{kind}"), near=near)
    return Refused(unseen, of_errcode(_NOBODY_FOUND)[1])
