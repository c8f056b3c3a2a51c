"""`Calls`: the phones that ring for a step of an escalation, one person after the other, until one answers. One call is
for all incidents that are told by it at this moment.

Whom to call, who is called, and when to look whether he answers stands in the incident: another process goes on where
one has ended. A call begins with a swap, after which nobody takes the incident unseen. Who is at it waits for no phone.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from functools import partial

from .._incidents import escalation
from .._incidents.incident import Calls as Called
from .._incidents.incident import Incident
from .._render.words import CALL_ANSWERED, CALL_LIMIT, CALL_LOST, CALL_NOT_BEGUN, PHONE_OF
from .._state.failover import Claim, FailoverStore
from .._text.said import Language, language_of_environment
from .._wecom.channels import Channel
from .._wecom.explained import explained
from ..errors import MessageError, WeComError
from ..model import Recipients
from .options import Options
from .sender import windows

LIMITS = ((1, escalation.CALL_LOOKS_S[0]), (2, 8 * 60.0), (6, 24 * 3600.0))
"""Calls of one person, of all who share the state: none beside one that rings; one and two fewer than WeCom's own, for
those of people."""


class Calls:
    """Those of one handler, whose ``channel`` may have a ``phone``."""

    def __init__(
        self,
        options: Options,
        store: FailoverStore,
        channel: Channel,
        clock: Callable[[], float],
        section: threading.RLock,
    ) -> None:
        self._options = options
        self._store = store
        self._phone = channel.phone
        self._windows = windows(f"{channel.identity} phones", options.shared)
        self._clock = clock
        self._section = section
        self._due: list[Claim] = []

    def persons(self, recipients: Recipients) -> tuple[str, ...]:
        """Whom to call."""
        if self._phone is None:
            return ()
        try:
            return self._phone.persons(recipients)
        except (WeComError, MessageError):  # they have the message; whom else to call is not known now
            return recipients.users

    def take(self, claims: Iterable[Claim]) -> None:
        """Those that are due are called, or looked after, by `go_on`. The lock of the turn is held."""
        self._due += claims

    def go_on(self) -> bool:
        """Call, or look who has answered: requests, with no lock held. Whether anything was due."""
        due, self._due = self._due, []
        for called in dict.fromkeys(claim.incident.calls for claim in due):
            claims = [claim for claim in due if claim.incident.calls == called]
            if not called.who:
                self._call(claims, called.left[0])
            elif not called.id:  # whoever has called is gone
                self._over(claims, called.who, CALL_LOST.within(self._language))
            else:
                self._look(claims, called)
        return bool(due)

    def _call(self, claims: list[Claim], user: str) -> None:
        now = self._clock()
        begins = not all(escalation.is_next_due(claim.incident, now) for claim in claims)
        if begins and self._windows.reserve((user,), LIMITS, now) > 0:
            self._over(claims, user, CALL_LIMIT.within(self._language), ends=True)  # his phone has just rung
            return
        begun = self._become(claims, partial(escalation.call_begun, now=now))
        claims = [claim for claim, one in zip(claims, begun, strict=True) if one is not None and one.calls.who == user]
        if not claims or self._phone is None:  # somebody took them meanwhile, or the next step is due
            return
        try:
            call = self._phone.ring(user)
        except (WeComError, MessageError) as error:
            self._over(claims, user, CALL_NOT_BEGUN.within(self._language, getattr(error, "errcode", "–")))
            self._options.warn_once("phone", explained(error, language_of_environment()))
            return
        if call.code or not call.call_id:
            self._over(claims, user, CALL_NOT_BEGUN.within(self._language, call.code))
        else:
            self._become(claims, partial(escalation.call_rings, user=user, call_id=call.call_id))

    def _look(self, claims: list[Claim], called: Called) -> None:
        is_next_due = any(escalation.is_next_due(claim.incident, self._clock()) for claim in claims)
        is_last = is_next_due or called.looks + 1 >= len(escalation.CALL_LOOKS_S)
        try:
            state = self._phone.state_of(called.who, called.id) if self._phone is not None else None
        except (WeComError, MessageError):
            state = None
        if state is not None and (state.answered or state.over or is_last):
            words = state.meaning_zh if self._language == "zh" else state.meaning
            if state.answered:
                words = CALL_ANSWERED.within(self._language)
            self._over(claims, called.who, words, ends=state.answered)
        elif is_last:
            self._over(claims, called.who, CALL_LOST.within(self._language))
        else:
            self._become(claims, partial(escalation.call_looked_at, now=self._clock()))

    def _over(self, claims: list[Claim], user: str, words: str, *, ends: bool = False) -> None:
        name = user if self._phone is None else self._phone.name(user)
        said = PHONE_OF.within(self._language, name, words)
        over = partial(escalation.call_over, user=user, said=said, ends=ends, now=self._clock())
        self._become(claims, over)

    def _become(self, claims: list[Claim], become: Callable[[Incident], Incident]) -> list[Incident | None]:
        with self._section:
            return [self._store.change(claim, become, self._clock()) for claim in claims]

    @property
    def _language(self) -> Language:
        return self._options.looks.language
