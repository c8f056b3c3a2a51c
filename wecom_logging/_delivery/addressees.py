"""`Addressees`: to whom the messages of a leader go."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .._incidents.book import Due
from .._incidents.fingerprint import audience_of, recipients_of
from .._incidents.hearers import is_step_line, who_hears
from .._incidents.outcomes import as_composed
from .._incidents.values import Incident
from .._wecom.channels import Channel
from .._wecom.directory_checks import is_user_id
from ..model import Recipients
from .duty import Duty
from .message import Message


class Addressees:
    """Those of one handler. ``own``: the audience of what goes to all those of its ``channel``; ``routes`` name
    others."""

    def __init__(self, channel: Channel, own: str, routes: Iterable[Recipients], duties: Duty) -> None:
        self._channel, self._duties = channel, duties
        self._given: dict[str, Recipients | None] = {**{audience_of(one): one for one in routes}, own: None}

    def of(self, incident: Incident) -> Recipients | None:
        """Those whom its audience names; names of members are looked up when it is sent. None: those of the channel."""
        audience = incident.opening.audience
        return self._given[audience] if audience in self._given else recipients_of(audience)

    def known(self, incident: Incident, now: float) -> Recipients | None:
        """Who gets it, as far as is known without asking."""
        return self._duties.known(self.of(incident), incident, now)

    def are_for_same(self, one: Incident, other: Incident) -> bool:
        """True if both go to the same people."""
        return self._duties.are_for_same(self.of(one), one, other)

    def handed_over(self, row: Due, now: float) -> Due:
        """Who was on call before hears of its end, too."""
        return Due(self._duties.after_hand_over(self.of(row.incident), row.incident, now), row.act)

    def shown(self, rows: Sequence[Due], now: float) -> list[Due]:
        """As a message to those of their audience shows them."""
        if len(rows) == 1:
            incident, act = rows[0]
            rows = [Due(as_composed(incident, act, now), act)]
        return [self.handed_over(row, now) for row in rows]

    def hear(self, row: Due, now: float) -> Recipients | None:
        """Who gets the line that is for others than the one that it is about. None: all of them know it already."""
        named = self.known(row.incident, now) if is_step_line(*row) else self.of(row.incident)
        everybody = self._channel.addressed(named)
        hearers = who_hears(*row, everybody, self._channel.receivers)
        return None if everybody and not hearers else hearers

    def address(self, message: Message, now: float) -> None:
        """Who is on call gets it, asked each time that it goes, until a part of it has gone."""
        if message.done:
            return
        named = message.named or message.recipients
        if message.is_step:
            found = None if named is None else self._duties.on_step(named, message.rows[0].incident, now)
        else:
            found = self._duties.called(named, message.rows, now)
        if found is not None:
            message.address(named or self._channel.addressed(None), found)

    def address_others(self, message: Message, now: float) -> bool:
        """WeCom knows none of those on call: who gets it in their place. Returns whether that is anybody else."""
        if message.named is None or message.nobody or message.done or message.is_step:
            return False
        found = self._duties.without(message.named, message.rows[0].incident, now)
        if found is None:
            return False
        message.address(message.named, found)
        message.parts = ()
        return True

    def who(self, recipients: Recipients, sent_ids: Sequence[str] = ()) -> str:
        """What people call those to whom a step was sent."""
        return self._duties.who(recipients, sent_ids, self._channel.receivers, is_user_id)
