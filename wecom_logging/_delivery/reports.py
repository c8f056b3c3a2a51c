"""`Reports`: what is said of messages on stderr, and to ``on_outcome``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from .._lines import line
from .._runtime.counters import Counters
from .._text.cut import trim
from .._text.said import language_of_environment
from .._wecom.explained import explained, warned
from ..model import DeliveryReport, Outcome
from .options import Options
from .sender import Fate

_MAX_NOT_ACCEPTED = 1000


class Reports:
    """Those of one handler. It outlives no fork: the child has counters of its own."""

    def __init__(self, counters: Counters, options: Options) -> None:
        self._counters = counters
        self._options = options
        self.losses_sent: Mapping[str, int] = MappingProxyType({})
        """What the last delivered message said of alerts that are lost."""
        self._not_accepted: set[tuple[str, str]] = set()
        self.is_reporting = False
        """True while the user's ``on_outcome`` runs, or is about to."""

    def losses(self) -> Mapping[str, int]:
        """How many alerts are lost so far, by reason."""
        return self._counters.losses()

    def say(
        self,
        names: Sequence[str],
        outcome: Outcome,
        verdict: Fate | None,
        sender: str,
        reason: str,
        is_step: bool,
        elsewhere: bool,
    ) -> None:
        """Failures and half successes, on stderr. ``names``: short ids; ``elsewhere``: another bot goes on."""
        if outcome.error is not None:
            row = "refused" if verdict is Fate.REJECT else "waits"
            row = "step_refused" if is_step and verdict is Fate.REJECT else row
            row = "to_fallback" if reason == "handed_over" else row
            row = "bot_pauses" if elsewhere else row
            cause = f"{type(outcome.error).__name__} {getattr(outcome.error, 'errcode', '')} {sender}"
            about = f" #{names[0]}" if names and verdict is Fate.REJECT else ""
            text = line(row, about=about, error=explained(outcome.error, language_of_environment()))
            self._options.warn_once(cause, f"{sender}{sender and ': '}{text}")
        if outcome.reason == "partial" and (left_out := self._left_out(outcome)):
            remedy = "" if self._options.looks.buttons else line("see_recipients")  # of a chat the warning has it
            self._options.warn_once(f"partial {left_out}", line("partial", names=left_out, remedy=remedy))
        if outcome.warning:
            self._options.warn_once("warning", warned(outcome.warning, language_of_environment()))

    def defect(self, error: BaseException) -> None:
        """No message can be made of an alert."""
        self._options.warn_once("defect", line("no_message", error=type(error).__name__))

    def report(self, report: DeliveryReport) -> None:
        """A thread that waits for the alerts waits for this too, but the counters are right whatever it does."""
        assert self._options.on_outcome is not None
        try:
            self._options.on_outcome(report)
        except BaseException as error:
            self._options.warn_once("on_outcome", line("on_outcome", error=type(error).__name__))
            if not isinstance(error, Exception):
                raise
        finally:
            self.is_reporting = False

    def _left_out(self, outcome: Outcome) -> str:
        """Those who got nothing, each said once; "" where all were said before."""
        lists = {
            "no_chats" if self._options.looks.buttons else "no_users": outcome.invalid_users,
            "no_departments": outcome.invalid_departments,
            "no_tags": outcome.invalid_tags,
            "no_licence": outcome.unlicensed_users,
        }
        new = {row: [one for one in ids if (row, one) not in self._not_accepted] for row, ids in lists.items()}
        if len(self._not_accepted) > _MAX_NOT_ACCEPTED:
            self._not_accepted.clear()
        self._not_accepted |= {(row, one) for row, ids in new.items() for one in ids}
        return trim("; ".join(line(row, ids=", ".join(ids)) for row, ids in new.items() if ids), 500)
