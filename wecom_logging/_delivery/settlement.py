"""`Settlement`: what becomes of a delivery. Read `Settlement.settle` first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from .._render.cut import trim
from .._render.words import NO_MESSAGE
from .._state.failover import Claim
from ..model import DeliveryReport, Digest, Outcome
from .claims import Claims
from .delivery import Delivery
from .endings import Endings
from .floods import Floods
from .options import Options
from .outbox import Outbox
from .sender import Fate, Sender, Senders, fate, hand_over


class Settlement:
    """Settles the deliveries of the handler ``key``, one after the other."""

    def __init__(
        self,
        claims: Claims,
        outbox: Outbox,
        floods: Floods,
        endings: Endings,
        senders: Senders,
        options: Options,
        key: int,
        clock: Callable[[], float],
    ) -> None:
        self._claims = claims
        self._outbox = outbox
        self._floods = floods
        self._endings = endings
        self._senders = senders
        self._options = options
        self._key = key
        self._clock = clock
        self.is_reporting = False
        """Whether the user's ``on_outcome`` runs, or is about to."""

    def settle(self, delivery: Delivery, outcome: Outcome, sender: Sender, seconds: float) -> None:
        """Decide, and act. The fallback and ``on_outcome`` are called with no lock held: they may take long."""
        verdict = fate(outcome.error) if outcome.error is not None else None
        if delivery.summarized and (outcome.reason == "rejected" or verdict in (Fate.REJECT, Fate.KEEP_SLOWLY)):
            self._give_way(delivery, outcome)
            return
        elsewhere = verdict not in (None, Fate.REJECT) and self._senders.has_another(sender)
        waits = verdict is Fate.KEEP_SLOWLY
        refused = outcome.reason == "rejected" or verdict is Fate.REJECT or (waits and not elsewhere)
        refused = refused and not (outcome.delivered or delivery.done)
        alone = refused and not waits and len(delivery.claims) > 1  # what shared a message is judged alone
        given: list[Claim] = []
        reason = "delivered" if outcome.delivered else "rejected" if refused and not (waits or alone) else "kept"
        report = None
        try:
            for claim, digest in zip(delivery.claims, delivery.digests, strict=False) if refused and not alone else ():
                if self._handed_over(digest, outcome):
                    given.append(claim)
                    reason = "handed_over"
        finally:
            names = self._say(delivery, outcome, verdict, sender, reason, elsewhere)
            if self._options.on_outcome is not None and (outcome.error is not None or outcome.reason != "kept"):
                ended = replace(outcome, reason="rejected") if reason in ("rejected", "handed_over") else outcome
                channel = sender.channel.identity.split(" ", 1)[0]
                report = DeliveryReport(names, channel, ended, reason, seconds)
                self.is_reporting = True
            with self._claims.section:
                now = self._clock()
                if outcome.delivered:
                    self._endings.losses_told = delivery.losses
                    self._claims.told(delivery.claims, "delivered", now)
                elif alone:
                    self._claims.alone.update(claim.key for claim in delivery.claims)
                    self._claims.release(delivery.claims, now)
                elif refused:
                    self._refused(delivery, verdict, given, now)
                else:
                    self._outbox.keep(delivery, now, failed=verdict is not None)
                if verdict not in (None, Fate.REJECT) and not (refused and len(given) == len(delivery.claims)):
                    sender.rest(verdict, getattr(outcome.error, "retry_after_s", 0.0))
            if report is not None:
                self._report(report)

    def _give_way(self, delivery: Delivery, outcome: Outcome) -> None:
        """A flood that is refused is told in shared messages, but for what stands in a summary that was sent."""
        self._floods.files_fail(outcome.error)
        with self._claims.section:
            now, told = self._clock(), delivery.summarized if delivery.done else 0
            self._claims.told(delivery.claims[:told], "delivered", now)
            self._claims.release(delivery.claims[told:], now)

    def _refused(self, delivery: Delivery, verdict: Fate | None, given: Sequence[Claim], now: float) -> None:
        """WeCom does not want it, or wants the configuration mended; the fallback has what is ``given``."""
        self._claims.told(given, "handed_over", now)
        left = [claim for claim in delivery.claims if claim not in given]
        if verdict is Fate.KEEP_SLOWLY and left:
            delivery.claims = left
            delivery.digests, delivery.parts = [], ()
            self._outbox.keep(delivery, now, failed=True)
        else:
            self._claims.reject(left, now)

    def _report(self, report: DeliveryReport) -> None:
        """Whoever waits for the alerts waits for this too, but the counters are right whatever it does."""
        assert self._options.on_outcome is not None
        try:
            self._options.on_outcome(report)
        except BaseException as error:
            self._options.warn_once("on_outcome", f"on_outcome raised {type(error).__name__}")
            if not isinstance(error, Exception):
                raise
        finally:
            self.is_reporting = False

    def _handed_over(self, digest: Digest, outcome: Outcome) -> bool:
        """Whether the fallback, if there is one, has it now."""
        if self._options.fallback is None or digest.quiet_s or digest.is_news:
            return False
        error = outcome.error
        why = f"{type(error).__name__}: {error}" if error is not None else NO_MESSAGE.en
        try:
            target = self._options.fallback()
            if target is None:
                hint = "one of another package must be attached to a logger, or logging forgets it"
                self._options.warn_once("fallback", f"the option fallback names a handler that is not there; {hint}")
                return False
            return hand_over(digest, target, self._key, self._options.name, why, self._options.composer.language)
        except BaseException as failure:
            self._options.warn_once("fallback", f"the fallback raised {type(failure).__name__}")
            if not isinstance(failure, Exception):
                raise
            return False

    def _say(
        self,
        delivery: Delivery,
        outcome: Outcome,
        verdict: Fate | None,
        sender: Sender,
        reason: str,
        elsewhere: bool,
    ) -> tuple[str, ...]:
        """Failures and half successes, on stderr. Gives the short ids of what it is about."""
        names = [digest.short_id for digest in delivery.digests]
        names = names or [claim.incident.short_id for claim in delivery.claims if claim.incident.short_id]
        if outcome.error is not None:
            what = "an alert was refused" if verdict is Fate.REJECT else "alerts wait"
            what = "an alert went to the fallback" if reason == "handed_over" else what
            what = "this bot pauses, another one sends" if elsewhere else what
            cause = f"{type(outcome.error).__name__} {getattr(outcome.error, 'errcode', '')} {sender.name}"
            about = f" #{names[0]}" if names and verdict is Fate.REJECT else ""
            self._options.warn_once(cause, f"{sender.name}{sender.name and ': '}{what}{about}: {outcome.error}")
        if outcome.reason == "partial":
            self._options.warn_once("partial", f"WeCom did not accept some recipients: {_left_out(outcome)}")
        if outcome.warning:
            self._options.warn_once("warning", outcome.warning)
        return tuple(names)


def _left_out(outcome: Outcome) -> str:
    lists = {
        "users": outcome.invalid_users,
        "departments": outcome.invalid_departments,
        "tags": outcome.invalid_tags,
        "users without a licence": outcome.unlicensed_users,
    }
    return trim("; ".join(f"{name} {', '.join(ids)}" for name, ids in lists.items() if ids), 500)
