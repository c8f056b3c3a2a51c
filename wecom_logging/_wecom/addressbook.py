"""From what people and departments are called to the ids that a message is addressed to, through the directory.

Only the worker asks, never a log call. What has the form of an id is taken as one and costs no request; WeCom says
whether it exists. What was found is kept for an hour; a name that fits no member or several is told, and the others are
still served.
"""

from __future__ import annotations

import copy
import difflib
import itertools
import re
import time
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from .._lines import line
from .._masking.redact import redact
from .._text.said import language_of_environment
from ..errors import APIError, MessageError, WeComError
from ..model import EVERYBODY, Department, Recipients
from .client import WeComClient
from .directory import Departments, Members, Tags
from .directory_checks import is_user_id
from .errcodes import Verdict, lookup
from .explained import explained
from .token import Access

KEPT_S = 3600.0
UNKNOWN_NUMBER_KEPT_S = 24 * 3600.0
"""Wrong mobiles and addresses above a fifth of the company's size block the call for a day (path/95402)."""
UNREADABLE_KEPT_S = 300.0
READING_S = 30.0
"""How long the names of all members may take to read: one request for each department, while other alerts wait."""
PATIENCE = 3
"""Times that the directory may fail, one after the other, before alerts go to those who need none."""
MAX_ENTRIES = 10_000
MAX_NEAR = 3
MAX_NAMES = 200_000
MAX_COMPARED = 20_000
MAX_SHOWN = 10
"""Of the ids that a name fits: a directory may have thousands."""

_MOBILE = re.compile(r"\+?[0-9]{7,15}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")

Clock = Callable[[], float]
T = TypeVar("T")


class Problem(str):
    """Why a text stands for no member, or for another: a line of stderr, and the candidates ``near`` that it names.

    ``ambiguous``: the text fits all of them.
    """

    def __new__(cls, sentence: str = "", near: Iterable[str] = (), *, ambiguous: bool = False) -> Problem:
        made = super().__new__(cls, sentence)
        made.near, made.ambiguous = tuple(near), ambiguous
        return made

    near: tuple[str, ...]
    ambiguous: bool


NO_PROBLEM = Problem()


@dataclass(frozen=True, slots=True)
class Entry:
    """What one text stands for: ids, and the problem that it has. ``ends`` is on the monotonic clock."""

    ids: tuple[str, ...]
    ends: float
    problem: Problem = NO_PROBLEM
    error: WeComError | MessageError | None = None


@dataclass(slots=True)
class Found:
    """Recipients by id, and why some are missing."""

    recipients: Recipients
    problems: list[Problem] = field(default_factory=list)
    error: WeComError | MessageError | None = None


class AddressBook:
    """Resolves names for one app, with the app's own view first: whom it does not see, it cannot tell."""

    def __init__(self, client: WeComClient, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        accesses = [Access.APP, *([Access.CONTACTS] if client.contacts_secret is not None else [])]
        self._readers = [_Reader(client, access, clock) for access in accesses]
        self._entries: dict[tuple[str, str], Entry] = {}
        self._failures = 0
        self._failure: WeComError | None = None
        self._silent_until = float("-inf")

    def known(self, wanted: Recipients) -> Recipients:
        """What can be said without asking WeCom; names that were not looked up yet stay as they are."""

        if not self._entries:
            return wanted

        def ids(kind: str, texts: Iterable[str]) -> list[str]:
            entries = [(text, self._entries.get((kind, text))) for text in texts]
            return [id for text, entry in entries for id in (entry.ids if entry is not None else (text,))]

        leaders = [(text, self._entries.get(("leader_of", text))) for text in wanted.leader_of]
        return Recipients(
            _unique([*ids("users", wanted.users), *(id for _, entry in leaders if entry for id in entry.ids)]),
            _unique(ids("departments", wanted.departments)),
            _unique(ids("tags", wanted.tags)),
            tuple(text for text, entry in leaders if entry is None),
        )

    def resolve(self, wanted: Recipients) -> Found:
        """The ids for all names; raises `WeComError` where WeCom cannot be asked now and may be later."""
        found = Found(wanted)
        for kind in ("users", "departments", "tags", "leader_of"):
            for text in getattr(wanted, kind):
                entry = self._entry(kind, text)
                if entry is not None and entry.problem:
                    found.problems.append(entry.problem)
                    found.error = found.error or entry.error
        found.recipients = self.known(wanted)
        return found

    def by_name(self, user_ids: Iterable[str]) -> Found:
        """Of texts that have the form of an id, and that WeCom does not know as one: the members of that name.

        A directory that cannot be read changes nothing about WeCom's answer.
        """
        found: list[str] = []
        problems: list[Problem] = []
        for text in user_ids:
            entry = self._entries.get(("called", text))
            if entry is None or self._clock() >= entry.ends:
                try:
                    entry = self._keep("called", text, self._asked("users", text, _Reader.called))
                except WeComError:  # see above
                    continue
            if entry.ids:
                # Said, as a member who takes the name that was another's id would else get that one's alerts unseen.
                note = line("taken_for", name=text, user=entry.ids[0])
                entry = self._keep("users", text, replace(entry, problem=Problem(note)))
                found += entry.ids
            if entry.error is None:  # else nothing is known but WeCom's own answer
                problems.append(entry.problem)
        return Found(Recipients(_unique(found)), problems)

    def _entry(self, kind: str, text: str) -> Entry | None:
        """None for what is an id as it stands."""
        entry = self._entries.get((kind, text))
        if entry is not None and self._clock() < entry.ends:
            return entry
        if _is_id(kind, text):
            self._entries.pop((kind, text), None)  # of a name an hour ago; by now it may be a member's id
            return None
        try:
            fresh = self._asked(kind, text, _HOW[kind])
        except WeComError as error:
            if entry is not None:  # better what was right an hour ago than no member
                fresh = replace(entry, ends=self._clock() + UNREADABLE_KEPT_S)
            elif self._failures < PATIENCE:
                raise
            else:
                fresh = self._unreadable(kind, text, error)
        return self._keep(kind, text, fresh if entry is None else _compared(kind, text, entry, fresh))

    def _asked(self, kind: str, text: str, how: Callable[[_Reader, str], _Match]) -> Entry:
        """`_look_up`, for a while only once where the directory keeps failing: each name may take half a minute."""
        if self._failure is not None and self._failures >= PATIENCE and self._clock() < self._silent_until:
            raise copy.copy(self._failure)
        try:
            found = self._look_up(kind, text, how)
        except WeComError as error:
            self._failures += 1
            self._failure, self._silent_until = copy.copy(error), self._clock() + UNREADABLE_KEPT_S
            raise
        self._failures = 0
        return found

    def _keep(self, kind: str, text: str, entry: Entry) -> Entry:
        if len(self._entries) >= MAX_ENTRIES:
            self._entries.clear()
        self._entries[kind, text] = entry
        return entry

    def _look_up(self, kind: str, text: str, how: Callable[[_Reader, str], _Match]) -> Entry:
        """Ask with the app's token, then, if that finds no member, with the contacts sync's."""
        refusal: APIError | MessageError | None = None
        near: list[str] = []
        for reader in self._readers:
            try:
                match = how(reader, text)
            except (APIError, MessageError) as error:
                if isinstance(error, APIError) and error.retryable:
                    raise
                refusal = error
                continue
            ends = self._clock() + KEPT_S
            if match.ambiguous:
                sentence = line("several", kind=kind, name=text, names=", ".join(match.near))
                return Entry((), ends, Problem(sentence, match.near, ambiguous=True))
            if match.ids:
                wrong = not all(_may_be_addressed(kind, id) for id in match.ids)
                return (
                    Entry((), ends, Problem(line("no_id", kind=kind, name=text))) if wrong else Entry(match.ids, ends)
                )
            near += match.near
        if refusal is not None and not near:
            return self._unreadable(kind, text, refusal)
        number = kind == "users" and (_MOBILE.fullmatch(text) or _EMAIL.fullmatch(text))
        ends = self._clock() + (UNKNOWN_NUMBER_KEPT_S if number else KEPT_S)
        near = list(dict.fromkeys(near))
        similar = line("similar", names=", ".join(near)) if near else ""
        return Entry((), ends, Problem(line(_UNKNOWN[kind], name=redact(text), similar=similar), near))

    def _unreadable(self, kind: str, text: str, error: WeComError | MessageError) -> Entry:
        why = explained(error, language_of_environment())
        problem = Problem(line("not_looked_up", kind=kind, name=text, error=why))
        return Entry((), self._clock() + UNREADABLE_KEPT_S, problem, copy.copy(error))


def _compared(kind: str, text: str, before: Entry, now: Entry) -> Entry:
    """Say it where a name means another member than an hour ago, who would get the alerts unseen."""
    if kind == "leader_of" or not before.ids or not now.ids or before.ids == now.ids:
        return now
    ids, were = ", ".join(now.ids), ", ".join(before.ids)
    sentence = line("another_member", kind=kind, name=text, now=ids, before=were)
    return replace(now, problem=Problem(sentence))


@dataclass(frozen=True, slots=True)
class _Match:
    """The ids that a text fits, and candidates to show."""

    ids: tuple[str, ...] = ()
    near: tuple[str, ...] = ()
    ambiguous: bool = False


class _Reader:
    """The directory as one of the client's tokens sees it, read when it is needed and kept for an hour."""

    def __init__(self, client: WeComClient, access: Access, clock: Clock) -> None:
        self._departments = Departments(client, access)
        self._members = Members(client, access)
        self._tags = Tags(client, access)
        self._clock = clock
        self._kept: dict[str, tuple[float, Any]] = {}

    def user(self, text: str) -> _Match:
        """An exact id first, then by mobile or e-mail where it has that form, then by name."""
        number, address = _MOBILE.fullmatch(text), _EMAIL.fullmatch(text)
        if not number and not address:
            return self.called(text)
        if is_user_id(text) and self._exists(text):
            return _Match((text,))
        try:
            return _Match((self._members.find(mobile=text) if number else self._members.find(email=text),))
        except (APIError, MessageError) as error:
            if isinstance(error, APIError) and not _is_nobody(error):
                raise
            return _Match()

    def called(self, name: str) -> _Match:
        return _match(name, self._kept_or_read("names", self._read_names))

    def department(self, name: str) -> _Match:
        return _match(name, ((department.name, str(department.id)) for department in self._all_departments()))

    def tag(self, name: str) -> _Match:
        return _match(name, ((tag.name, str(tag.id)) for tag in self._kept_or_read("tags", self._tags.list)))

    def leaders(self, text: str) -> _Match:
        """The leaders of a department, by its id or name."""
        match = _Match((text,)) if text.isdecimal() else self.department(text)
        if match.ambiguous or not match.ids:
            return match
        leaders = [one.leaders for one in self._all_departments() if str(one.id) == match.ids[0]]
        return _Match(leaders[0]) if leaders else _Match()

    def _exists(self, user_id: str) -> bool:
        try:
            self._members.get(user_id)
        except APIError as error:
            if not _is_nobody(error):
                raise
            return False
        return True

    def _all_departments(self) -> list[Department]:
        return self._kept_or_read("departments", self._departments.list)

    def _read_names(self) -> list[tuple[str, str]]:
        names: dict[str, str] = {}
        ends = self._clock() + READING_S
        for department in self._all_departments():
            for member in self._members.names(department.id):
                names[member.user_id] = member.name
            if self._clock() > ends:
                raise MessageError(f"the names of all members could not be read within {READING_S:g} s; give user ids")
            if len(names) > MAX_NAMES:
                raise MessageError(f"there are more than {MAX_NAMES} members; give user ids")
        return [(name, user_id) for user_id, name in names.items()]

    def _kept_or_read(self, what: str, read: Callable[[], list[T]]) -> list[T]:
        ends, kept = self._kept.get(what, (float("-inf"), None))
        if self._clock() >= ends:
            try:
                kept = read()
            except MessageError as error:  # not to be found out again for every alert
                kept = error
            self._kept[what] = (self._clock() + KEPT_S, kept)
        if isinstance(kept, MessageError):
            raise copy.copy(kept)  # each time that the same one is raised, it keeps more of the stack
        found: list[T] = kept
        return found


def _match(name: str, named: Iterable[tuple[str, str]]) -> _Match:
    ids: dict[str, list[str]] = defaultdict(list)
    for other, id in named:
        ids[_composed(other)].append(id)
    exact = tuple(sorted(ids.get(_composed(name), ())))
    if exact:
        return _Match(exact, _some(exact), ambiguous=len(exact) > 1)
    close = difflib.get_close_matches(name, list(itertools.islice(ids, MAX_COMPARED)), MAX_NEAR)
    return _Match(near=tuple(f"{other} ({', '.join(_some(sorted(ids[other])))})" for other in close))


def _some(ids: Sequence[str]) -> tuple[str, ...]:
    """As many as one can read."""
    return (*(id[:64] for id in ids[:MAX_SHOWN]), *(["…"] if len(ids) > MAX_SHOWN else []))


def _composed(name: str) -> str:
    """An é is one character to one program and two to another (a name that was copied from macOS)."""
    return unicodedata.normalize("NFC", name)


_HOW: dict[str, Callable[[_Reader, str], _Match]] = {
    "users": _Reader.user,
    "departments": _Reader.department,
    "tags": _Reader.tag,
    "leader_of": _Reader.leaders,
}
_UNKNOWN = {"users": "nobody", "departments": "no_department", "tags": "no_tag", "leader_of": "no_leader"}


def _is_id(kind: str, text: str) -> bool:
    """Whether a text is taken as an id without asking: numbers, and what is a user id and nothing else."""
    if kind in ("departments", "tags"):
        return text.isascii() and text.isdigit()
    if kind == "users":
        return text == EVERYBODY or (is_user_id(text) and not _MOBILE.fullmatch(text) and not _EMAIL.fullmatch(text))
    return False


def _may_be_addressed(kind: str, id: str) -> bool:
    """Whether an id means the one it was found for: "@all" would be everybody, and "a|b" several."""
    if kind in ("departments", "tags"):
        return re.fullmatch("[1-9][0-9]{0,9}", id) is not None
    return is_user_id(id)


def _is_nobody(error: APIError) -> bool:
    """Whether WeCom says that there is no such member, or none that the app sees."""
    return lookup(error.errcode).verdict is Verdict.TARGET or error.errcode in (40003, 50002, 60011)


def _unique(ids: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(ids))
