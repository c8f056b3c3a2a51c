"""What a person did with an incident."""

from __future__ import annotations

from dataclasses import dataclass

TAKEN, SILENCED, DONE = "taken", "silenced", "done"
UNDONE = {TAKEN: "returned", SILENCED: "resumed", DONE: "reopened"}
"""What undoes each."""
OVER = "over"
"""Of a silence that has ended by itself."""
VERBS = (TAKEN, SILENCED, DONE, *UNDONE.values())


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person did with an incident: ``verb`` is one of `VERBS`.

    ``who`` did it ``where`` (the command line or a chat), ``at`` a time in seconds since the epoch. It is in force
    for ``length_s`` seconds; 0: without an end. ``count`` is how many had come by then.
    """

    verb: str
    who: str
    where: str
    at: float
    length_s: float = 0.0
    count: int = 0

    @property
    def until(self) -> float:
        """When it ends, in seconds since the epoch; 0: never."""
        return self.at + self.length_s if self.length_s > 0 else 0.0
