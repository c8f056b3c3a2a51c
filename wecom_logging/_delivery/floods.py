"""`Floods`: whether so many kinds come that a summary with a file tells them, and until when the others wait for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from .._incidents.policy import SUMMARY_S, Rules, no_flood
from .sender import Sender, Senders

_NO_FILES_S = 600.0
"""For so long nothing is uploaded after an upload failed."""


class Floods:
    """Those of one handler, by lane."""

    def __init__(self, senders: Senders, warn_once: Callable[[str, str], object], clock: Callable[[], float]) -> None:
        self._senders = senders
        self._warn_once = warn_once
        self._clock = clock
        self.lanes: dict[str, float] = {}
        """Of which what is not critical waits until then for the next summary."""
        self._no_files_until = float("-inf")
        self._kinds: dict[str, list[tuple[float, int]]] = {}  # when, and how many in a shared message

    def forget_past(self, now: float) -> None:
        """Those lanes of which the wait is over."""
        self.lanes = {lane: at for lane, at in self.lanes.items() if at > now and not self._senders.draining}

    def rules(self, rules: Rules, lane: str) -> Rules:
        """With what holds for a flood of those who get it."""
        return replace(
            rules,
            summary_at=self._senders.summary_at(lane),
            gathers_until=self.lanes.get(lane, 0.0),
            no_files_until=self._no_files_until,
        )

    def count_kinds(self, lane: str, number: int, held: int, sender: Sender) -> None:
        """So many new kinds share a message. If those of a minute are a flood, what else comes waits for a summary."""
        now = self._clock()
        before = [one for one in self._kinds.get(lane, ()) if one[0] > now - SUMMARY_S]
        self._kinds = {lane: [*before, (now, number)]} | {
            other: told for other, told in self._kinds.items() if other != lane and told[-1][0] > now - SUMMARY_S
        }
        kinds = [number for _, number in self._kinds[lane]]
        if sum(kinds) > no_flood(max(held, *kinds)) and now >= self._no_files_until:
            sender.take_flood(lane)

    def files_fail(self, error: Exception | None) -> None:
        """Where no file can be sent, alerts share messages."""
        self._no_files_until = self._clock() + _NO_FILES_S
        why = "" if error is None else f": {error}"
        self._warn_once("flood", f"the file with all alerts could not be sent; alerts share messages for a while{why}")
