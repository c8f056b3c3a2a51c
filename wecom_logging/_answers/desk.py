"""`Desk` carries out a command from the command line or a chat: it changes the incident, then makes the reply."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from functools import partial
from types import MappingProxyType

from .._incidents.duty import duty_of
from .._incidents.known import AGAIN_S, NOTHING, Known, by_persons, in_force, is_by
from .._incidents.limits import TAKE_FOR_S, quiet_limit_s
from .._incidents.short_id import read_short_id
from .._render import words
from .._render.card import job_of
from .._render.facts import MAX_NAME_BYTES
from .._text import inert
from .._text.cut import trim
from .._text.said import Language, Said
from ..errors import StateError
from ..model import EVERYBODY, Answer, Recipients
from ..model.alert import DONE, SILENCED, TAKEN, UNDONE
from ..model.duty import OnDuty, Scope
from ..model.recipients import ON_CALL
from . import jobs, reply
from .command import Command
from .maintenance import maintain, maintained, standing
from .place import Place
from .reply import Reply, both

_NO_COMMAND = Command()
LOOKED_AT = 1000
"""Of each channel so many of the newest are looked at."""

_MAX_WHERE_BYTES = 64
_UNDO = UNDONE[TAKEN]
"""Whatever is in force is undone: the place of the incident says what that is."""
_WRITES = {"take": TAKEN, "give": TAKEN, "quiet": SILENCED, "done": DONE, "forget": DONE, "undo": _UNDO}


@dataclass(frozen=True, slots=True)
class Person:
    """Who does something or is to have it: a name that all may read, and the user id; "" where that is not known."""

    name: str
    user: str = ""


Found = list[tuple[Place, str, Known]]
"""Incidents, each with its place and channel."""
IsSeen = Callable[[str, Known], bool]
"""Whether all who get an incident of a channel see the reply: then no message tells them again."""


@dataclass(eq=False, repr=False)
class Desk:
    """Does what a command says with the incidents of these places. Any thread may ask.

    Its places are asked for at each command. ``language`` is that of the replies; ``mask`` hides what is secret;
    ``time_s`` gives the seconds since the epoch, of places that are shared those of `Shared.time_s`; ``on_call`` who is
    on call, by each rota; ``undo`` is how a person undoes something here. Who may do something decides the caller.
    """

    _places: Callable[[], Sequence[Place]]
    _: KW_ONLY
    language: Language = "en"
    mask: Callable[[str], str] = str
    time_s: Callable[[], float] = time.time
    on_call: Callable[[], Sequence[OnDuty]] = tuple
    undo: Said = words.UNDO_IN_A_CHAT

    def do(
        self, command: Command, who: str | Person, where: str, is_seen: IsSeen = lambda channel, incident: False
    ) -> Reply:
        """Carry a command out, or a click: ``Command("take", "k7f2")``.

        ``who`` does it, a name that all may read or a `Person`, at the place ``where``, such as ``"cli atlas"``. Where
        a shared state is away, the reply says so, and nothing was changed.
        """
        try:
            return self.carry_out(command, who, where, is_seen)
        except StateError:
            return self._reply(words.STATE_AWAY.within, "away")

    def carry_out(
        self, command: Command, who: str | Person, where: str, is_seen: IsSeen = lambda channel, incident: False
    ) -> Reply:
        """The same. Raises `StateError` where the state is away."""
        if command.verb == "pair":
            how = "wecom-logging answers pair"
            return self._reply(lambda language: words.NO_PAIRING.within(language, how), "pair")
        if command.verb == "undo" and self._is_maintained(command):
            command = Command("undo", scope=command.typed)
        if command.why:
            an_id = command.short_id or (self._undoable() if command.verb == "undo" else self._an_id())
            if not an_id:
                return self._reply(words.NOTHING_DONE.within, "nothing")
            told = partial(reply.not_understood, command, an_id, mask=self.mask, more=self._help(an_id))
            return self._reply(told, command.why)
        if command.verb == "help":
            return self._reply(self._help(self._an_id()))
        if command.verb == "list":
            return self._list(command)
        if command.verb == "jobs":
            those, at = jobs.expected(self._places()), self.time_s()
            return self._reply(lambda language: jobs.listed(those, at, language, self.mask))
        if command.verb == "on-call":
            found, now = self.on_call(), self.time_s()
            return self._reply(lambda language: reply.on_duty(found, now, language))
        if command.scope:
            return self._maintain(command, self._person(who).name)
        if not (rows := self.find(command.short_id)):
            return self.unknown(command.short_id, command)
        if command.verb == "details":
            return self._details(rows[0][2])
        person, where = self._person(who), trim(self._line(where), _MAX_WHERE_BYTES)
        if command.verb == "forget" and not _job(rows[0][2]):
            return self._about(words.NO_JOB, rows[0][2], "job")
        if command.verb == "give" and Person(command.whom, command.whom_id) == person:
            command = replace(command, verb="take")
        return self._do(rows, command, person, where, is_seen)

    def chats(self, channel: str) -> frozenset[str]:
        """The chats for which the newest alerts of a channel are meant."""
        those = [one for _, there, one in self._found() if there == channel]
        return frozenset(chat for one in those for chat in (*chats_of(one), *further_chats_of(one)))

    def told(self, short_id: str | None = None) -> frozenset[str] | None:
        """The persons and chats that were told of an id, or of any, or are named, whichever channel told them. None:
        there is no such id."""
        found = self._found(short_id)
        return frozenset(who for _, _, one in found for who in who_gets(one)) if found else None

    def outdated(self, command: Command, incident: Known | None, who: str | Person) -> Reply:
        """Why a click on an old card did nothing, and how the incident is now. No ``why`` if ``who`` tapped twice."""
        if incident is None:
            return self._reply(lambda language: words.IS_OVER.within(language, command.short_id), "over")
        now, last = self.time_s(), by_persons(incident)[-1:]
        again = UNDONE.values() if command.verb == "undo" else [_WRITES[command.verb]]
        is_same = bool(last) and last[0].verb in again and _is_of(last[0], self._person(who))
        if is_same and 0 <= now - last[0].at < AGAIN_S:
            return self._reply(lambda language: reply.did(incident, now, language), incident=incident)
        return self._reply(lambda language: reply.old_card(incident, now, language), "outdated", incident)

    def seen(self, short_id: str, where: str) -> None:
        """What a person did with it was said there, in a refusal. Raises `StateError`."""
        for place, channel, incident in self.find(short_id):
            place.seen(channel, incident.key, where)

    def recipients(
        self,
        short_id: str,
        chats: Iterable[str] = (),
        named: Mapping[str, str] = MappingProxyType({}),
        called: Callable[[str], str] = str,
    ) -> dict[str, Person]:
        """Who is known to get the alerts of an incident, by what they may be called, in small letters.

        ``chats`` are those of one that names nobody; ``named`` are names by user ids, ``called`` gives others.
        """
        incidents = [incident for _, _, incident in self._found(short_id)]
        ids = frozenset(user for one in incidents for user in one.sent_ids)
        users = set(named).union(ids, *({*who_gets(one)} - ids or chats for one in incidents)) - {EVERYBODY}
        if rotas := {user for user in users if user.startswith(ON_CALL)}:
            on_duty = [one.people for one in self.on_call() if f"{ON_CALL}{one.rota}" in rotas]
            users = (users - rotas).union(*on_duty)
        names = {user: named.get(user, user) for user in users}
        names = {user: inert.line(called(user) if name == user else name) for user, name in names.items()}
        # Of a name and an id of one person the id counts.
        known_last = sorted(names.items(), key=lambda one: one[0] in ids)
        return {word.lower(): Person(name, user) for user, name in known_last for word in (user, name)}

    def no_recipient(self, whom: str, others: Iterable[Person]) -> Reply:
        """Why it cannot be given to a person, and to whom it can."""
        whom, names = self.mask(whom), sorted({one.name for one in others})
        return self._reply(lambda language: reply.no_recipient(whom, names, language), "whom")

    def unknown(self, short_id: str, command: Command = _NO_COMMAND) -> Reply:
        """No such id; which there are, and what to say where a service is meant. Raises `StateError`."""
        others = [incident for _, _, incident in self.find()]
        return self._reply(lambda language: reply.unknown(short_id, command, others, language), "unknown")

    def each(self, command: Command) -> list[Command]:
        """The same for each incident that is named: a word without ``#`` and digits may be talk, if there is none."""
        alone = replace(command, others=())
        more = [one for one in command.others if re.search("[#0-9]", one) or self._found(read_short_id(one))]
        ids = dict.fromkeys((alone.short_id, *map(read_short_id, more)))
        return [replace(alone, short_id=one) for one in ids]

    def find(self, short_id: str | None = None) -> Found:
        """Of all places, the newest, or those of an id: an app and a bot may tell the same. That which came most often
        is first.

        A place that is away hides nothing of the others; raises `StateError` where nothing else is found.
        """
        found: Found = []
        away: StateError | None = None
        for place in self._places():
            try:
                found += [(place, channel, one) for channel, one in place.rows(LOOKED_AT, short_id)]
            except StateError as error:
                away = error
        if away is not None and not found:
            raise away
        return sorted(found, key=lambda one: -one[2].total)

    def _found(self, short_id: str | None = None) -> Found:
        """The same, where a state that is away is as one that has none."""
        try:
            return self.find(short_id)
        except StateError:
            return []

    def _help(self, an_id: str) -> Callable[[Language], str]:
        return partial(reply.help_text, an_id, has_rotas=bool(self.on_call()), has_jobs=self._has_jobs())

    def _has_jobs(self) -> bool:
        try:
            return bool(jobs.expected(self._places()))
        except StateError:  # it is away: the help does without its words about jobs
            return False

    def _an_id(self) -> str:
        """For an example: the newest that is open, or one as it could be."""
        found = [one for _, _, one in self._found() if one.is_open]
        return max(found, key=lambda one: one.last).short_id if found else reply.AN_ID

    def _is_maintained(self, command: Command) -> bool:
        """Whether a service or a logger is so called whose maintenance has not ended, and no incident is."""
        names = {scope.name for scope in standing(self._places(), self.time_s())}
        return command.typed in names and not (command.short_id and self.find(command.short_id))

    def _undoable(self) -> str:
        """The incident, or the maintenance, that a person did something with last; "": nothing can be undone."""
        now = self.time_s()
        done = [(answer.at, one.short_id) for _, _, one in self.find() if (answer := in_force(one, now))]
        scopes = [(scope.began, self._line(scope.name)) for scope in standing(self._places(), now)]
        return max([*done, *scopes], default=(0.0, ""))[1]

    def _list(self, command: Command) -> Reply:
        """The worst first, of a level those that no person has, then the newest. What two channels tell is one."""
        rows, now = self.find(), self.time_s()
        found = {one.short_id: one for _, _, one in reversed(rows) if one.is_open}
        wanted = [one for one in found.values() if command.level in (0, reply.level_of(one))]
        wanted.sort(key=lambda one: reply.place_in_list(one, now))
        is_all = LOOKED_AT not in Counter(channel for _, channel, _ in rows).values()
        scopes = [self._masked(scope) for scope in standing(self._places(), now)]

        def say(language: Language) -> str:
            lines = [maintained(scope, now, language) for scope in scopes]
            return "\n".join([*lines, reply.listed(wanted, command, is_all, now, language, self.mask)])

        return self._reply(say)

    def _maintain(self, command: Command, who: str) -> Reply:
        """Begin a maintenance, or end it before its time."""
        command = replace(command, scope=self._line(command.scope), reason=self._line(command.reason))
        say, why = maintain(self._places(), command, who, self.time_s())
        reply = self._reply(lambda language: inert.in_both_markdowns(say(language)), why)
        return replace(reply, is_of_scope=True)

    def _masked(self, scope: Scope) -> Scope:
        """Another program, or a person at a shell, may have said anything."""
        return replace(scope, name=self._line(scope.name), why=self._line(scope.why), who=self._line(scope.who))

    def _details(self, incident: Known) -> Reply:
        """Where the alert cannot be read: its line."""
        try:
            text = reply.details(incident, self.time_s(), self.language, self.mask)
        except StateError:
            raise
        except Exception:  # nothing that stands in a state is trusted
            text = reply.line_of(incident, self.time_s(), self.language, self.mask)
        return Reply(Said(text, text), self.language, incident=incident)

    def _do(self, found: Found, command: Command, who: Person, where: str, is_seen: IsSeen) -> Reply:
        """In each channel that has it. Where it is done in one, that is what is said."""
        done: list[tuple[str, Known]] = []
        left: Reply | None = None
        strictest = max((one[2] for one in found), key=lambda incident: incident.level)
        if command.verb == "quiet" and command.length_s > quiet_limit_s(strictest.level):
            return self._reply(partial(reply.at_most, strictest), "limit", strictest)
        for place, channel, incident in found:
            try:
                at = self.time_s()
                answer = _answer(command, incident, who, where, at)
                verdict = place.answer(channel, incident.key, answer, is_seen=is_seen(channel, incident))
            except StateError:
                if done:
                    break
                raise
            if verdict is None:
                left = self._about(words.IS_OVER, incident, "over")
            elif verdict.is_busy:
                left = self._about(words.CHANGES, incident, "busy")
            elif verdict.other is NOTHING:
                left = self._about(words.NOTHING_TO_UNDO, verdict.incident, "nothing")
            elif verdict.other is not None:
                left = self._other(verdict.incident, verdict.other)
            else:
                done.append((channel, verdict.incident))
        if not done and left is not None:
            return left
        now, changed = self.time_s(), done[0][1]
        said = self._reply(lambda language: reply.did(changed, now, language), incident=changed)
        return replace(self._watched(said, found), done=tuple(done))

    def _watched(self, said: Reply, found: Found) -> Reply:
        """With the incident of a job a person ends, or restores, the waiting for it."""
        last = None if said.incident is None else said.incident.answers[-1]
        if last is None or not (name := last.job):
            return said
        places, is_end = [place for place, _, _ in found], last.verb == DONE
        (jobs.forget if is_end else jobs.remember)(places, name)
        row = words.JOB_FORGOTTEN if is_end else words.JOB_EXPECTED_AGAIN
        more = both(lambda language: row.within(language, self._line(name)), self.language)
        return replace(said, said=Said(f"{said.said.en}\n{more.en}", f"{said.said.zh}\n{more.zh}"))

    def _other(self, incident: Known, other: Answer) -> Reply:
        now = self.time_s()
        said = both(lambda language: reply.in_the_way(incident, other, self.undo, now, language), self.language)
        return Reply(said, self.language, "other", incident, other)

    def _about(self, row: Said, incident: Known, why: str) -> Reply:
        return self._reply(lambda language: row.within(language, incident.short_id), why, incident)

    def _reply(self, say: Callable[[Language], str], why: str = "", incident: Known | None = None) -> Reply:
        return Reply(both(say, self.language), self.language, why, incident)

    def _person(self, who: str | Person) -> Person:
        name, user = (who, "") if isinstance(who, str) else (who.name, who.user)
        return Person(trim(self._line(name), MAX_NAME_BYTES) or "?", user)

    def _line(self, text: str) -> str:
        return inert.line(self.mask(text)).strip()


def chats_of(incident: Known) -> tuple[str, ...]:
    """The chats that its alert was meant for; none where those of this process are."""
    try:
        recipients = incident.alert.recipients
        return () if recipients is None else recipients.chats
    except Exception:  # nothing that stands in a state is trusted
        return ()


def further_chats_of(incident: Known) -> tuple[str, ...]:
    """The chats that steps of its escalation were sent to."""
    return tuple(chat for one in incident.further for chat in one.chats)


def who_gets(incident: Known) -> tuple[str, ...]:
    """The persons and chats that its alert names, and steps of its escalation; rotas with all their people; and those
    to whom it was sent, by their user ids."""
    try:
        recipients = incident.alert.recipients or Recipients()
        rotas = duty_of(incident.duty).rotas if recipients.rotas else ()
    except Exception:  # nothing that stands in a state is trusted
        return ()
    sent_to = [recipients, *incident.further]
    named = [one for one in rotas if one.name in recipients.rotas]
    people = [who for one in named for turn in one.people for who in turn]
    users = (who for one in sent_to for who in (*one.users, *one.chats))
    return tuple(dict.fromkeys((*users, *people, *incident.sent_ids)))


def _answer(command: Command, incident: Known, who: Person, where: str, at: float) -> Answer:
    """What a command says of an incident."""
    verb = _WRITES[command.verb]
    if command.verb == "give":
        there = in_force(incident, at)  # who has it may be called otherwise here
        by = there.who if there is not None and _is_of(there, who) else who.name
        return Answer(verb, command.whom, where, at, TAKE_FOR_S, by=by, user=command.whom_id)
    length_s = {TAKEN: TAKE_FOR_S, SILENCED: command.length_s}.get(verb, 0.0)
    job = _job(incident) if command.verb == "forget" else ""
    return Answer(verb, who.name, where, at, length_s, user=who.user, job=job)


def _job(incident: Known) -> str:
    """The name of the job that it is of; "" for any other."""
    try:
        return job_of(incident.alert)
    except Exception:  # nothing that stands in a state is trusted
        return ""


def _is_of(answer: Answer, who: Person) -> bool:
    return is_by(answer, who.name, who.user)
