"""`Message`: what goes in one message, on its way to those who get it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from .._incidents.book import Due
from ..model import EVERYBODY, Alert, Digest, File, Outcome, Recipients
from ..model.duty import Called, Held
from ..model.recipients import MAX_SENT_IDS
from .message_builder import Part
from .parcels import Form


@dataclass(slots=True, eq=False, kw_only=True)
class Outgoing:
    """What a message is, whatever it is about: its ``parts``, of which ``done`` were sent.

    ``recipients``: None are those of the channel. ``cause``: what all that it is about has in common, where that is why
    they share it. ``losses`` is what it says of records that were lost.
    """

    recipients: Recipients | None
    cause: str = ""
    digests: list[Digest] = field(default_factory=list)
    parts: tuple[Part, ...] = ()
    done: int = 0
    rounds: int = 0
    """How many rounds have failed: it goes again as it was."""
    named: Recipients | None = None
    """Where a rota is named among them: those who are, as given. Who is on call is asked when it goes."""
    nobody: tuple[str, ...] = ()
    """Rotas by which nobody is on call, which its first line says."""
    failed: bool = False
    """True if who is on call could not be found out."""
    summarized: int = 0
    """Of a flood: how many of the first stand in its summary, too; all stand in its file."""
    held: Held | None = None
    """What all have waited for, where that is why they share a message."""
    sent_ids: tuple[str, ...] = ()
    """The user ids of those who got it."""
    uploads: dict[str, File] = field(default_factory=dict)
    """Its file, by the channel to which it was uploaded: a bot sends no other's."""
    losses: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    is_step: bool = False
    """True for that of a step of an escalation, to those whom the step names."""

    def address(self, named: Recipients | None, found: Called) -> None:
        """It goes to those whom ``named`` means now; its text is made anew where its first line changes."""
        if found.nobody != self.nobody:
            self.parts, self.summarized = (), 0
        self.named, self.recipients, self.nobody, self.failed = named, found.recipients, found.nobody, found.failed

    @property
    def people(self) -> tuple[str, ...]:
        """The persons who got it in the place of a rota, and beside them."""
        has_rota = self.named is not None and bool(self.named.rotas)
        return self.recipients.users if has_rota and self.recipients is not None else ()

    def reached(self, known: Recipients, outcome: Outcome) -> None:
        """It went to those who are ``known`` by id, but for whom WeCom has left out."""
        left_out = {EVERYBODY, *map(str.lower, (*outcome.invalid_users, *outcome.unlicensed_users))}
        self.sent_ids = tuple(user for user in known.users if user.lower() not in left_out)[:MAX_SENT_IDS]


@dataclass(slots=True, eq=False)
class Message(Outgoing):
    """The incidents (``rows``) that stand in it, as it shows them."""

    rows: list[Due]
    form: Form
    alerts: dict[str, Alert] = field(default_factory=dict)
    """What the rows show, by key."""

    @property
    def keys(self) -> list[str]:
        return [row.incident.opening.key for row in self.rows]

    @property
    def level(self) -> int:
        return max(row.incident.opening.level for row in self.rows)
