"""`Present`: what is due at the time of a turn, and what `bundle` asks of that moment."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from .._incidents.book import Book, Due
from .._incidents.plan import Act
from .._incidents.values import Hold, Incident
from .addressees import Addressees
from .duty import Duty
from .parcels import Rules
from .sender import Senders


@dataclass(frozen=True, slots=True, eq=False)
class Present:
    """A `Moment`. ``now``: the journal's time; ``steady`` is the same on the clock that is never set.

    ``is_closed``: nobody logs here any more; ``ends``: the program ends.
    """

    now: float
    steady: float
    book: Book
    senders: Senders
    duties: Duty
    addressees: Addressees
    is_closed: bool
    ends: bool
    refused: Collection[str]
    on_way: Collection[str]
    gathers: Mapping[str, float]
    """By audience, until when what is not urgent waits for the next summary."""

    @property
    def closes(self) -> bool:
        return self.ends or self.is_closed

    @property
    def hurries(self) -> bool:
        return self.senders.draining or self.closes

    def due(self) -> Iterator[Due]:
        """What is due, but for what stands in a message that is kept."""
        for row in self.book.due(self.now, hurries=self.hurries, closes=self.ends):
            incident = row.incident
            if incident.opening.key in self.on_way:
                continue
            if row.act is Act.END and not incident.unsent and self.is_closed:
                row = Due(incident, Act.LAPSE)
            elif row.act is Act.END and incident.sent.people:
                row = self.addressees.handed_over(row, self.now)
            yield row

    def holds(self, incident: Incident) -> Hold | None:
        return self.duties.holds(incident, self.now)

    def waited(self, incident: Incident) -> bool:
        is_held = incident.hold is not None and incident.hold.is_of_wall
        return (is_held or self.closes) and self.duties.waited(incident, self.now) is not None

    def rules(self, incident: Incident) -> Rules:
        wait_s, shares = self.senders.room(self.addressees.known(incident, self.now))
        audience = incident.opening.audience
        return Rules(
            room_at=self.now + wait_s,
            shares=shares,
            summary_at=self.senders.summary_at(audience) - self.steady + self.now,
            gathers_until=self.gathers.get(audience, float("-inf")),
            no_files_until=self.senders.no_files_until - self.steady + self.now,
        )

    def of(self, audience: str) -> Iterable[Incident]:
        return self.book.of(audience)

    def are_for_same(self, one: Incident, other: Incident) -> bool:
        return self.addressees.are_for_same(one, other)
