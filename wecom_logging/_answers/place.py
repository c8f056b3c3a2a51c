"""Where incidents are that people do something with, jobs that are expected, and maintenances."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from .._incidents.known import Known, Verdict
from .._incidents.scopes import Scopes
from ..model import Answer

if TYPE_CHECKING:
    from .._jobs.base import Jobs


class Place(Protocol):
    """A shared state, or a handler that has none. Any thread may ask; a call may take a second."""

    def rows(self, most: int, short_id: str | None = None) -> list[tuple[str, Known]]:
        """What is open, or was closed by a person and has not ended, each with its channel: of each channel the newest,
        or what has this short id, however many are open. Raises `StateError`.
        """

    def answer(self, channel: str, key: str, answer: Answer, *, is_seen: bool) -> Verdict | None:
        """Let a person's answer be done, unless another is in the way. None: it is not open any more.

        Whichever verb of an undo is given, what is in force is undone. ``is_seen``: all who get the incident see the
        reply, so no message says it. Raises `StateError`.
        """

    def seen(self, channel: str, key: str, where: str) -> None:
        """What a person did with it was said there, in a refusal. Raises `StateError`."""

    @property
    def jobs(self) -> Jobs:
        """Those that are expected to run."""

    def scopes(self, become: Callable[[Scopes], Scopes] | None = None) -> Scopes:
        """The maintenances, which ``become`` makes others. Raises `StateError`."""
