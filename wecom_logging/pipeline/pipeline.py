"""The journey of a record, in the order of its steps. Read `Intake.take`, then `Pipeline.turn`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from ..model import Outcome, Recipients, Stats
from ..render.cut import trim
from ..wecom.channels import Channel
from ..wecom.http import load_libraries
from .clock import now
from .commons import EXCHANGE_S, Commons
from .compose import Part, Picture
from .deliver import Fate, Postman, fate
from .fallback import hand_over
from .freeze import Freezer
from .holdings import Holdings
from .inbox import Waiting
from .intake import Intake
from .options import Options
from .post_office import PostOffice
from .worker import Worker

_SWEEP_S = 60.0
_MAX_SHARED = 100


class Pipeline:
    """One handler's way from a record to a message: ``intake`` is for the calling threads, the rest for the worker.

    Several ``channels`` are the bots of one group.
    """

    def __init__(self, channels: Sequence[Channel], options: Options, clock: Callable[[], float] = now) -> None:
        self.options = options
        self.composer = options.composer
        self.exit_timeout_s = options.exit_timeout_s
        self._clock = clock
        self._channels = channels
        door = " ".join(sorted(channel.identity for channel in channels))
        self._worker = Worker(self, clock, door)
        self._commons = (
            None if options.shared is None else Commons(options.shared, options, door, channels[0].addressed, clock)
        )
        self.intake = Intake(options, self._worker, clock, self._commons)
        self._freezer = Freezer(options, self.intake)
        self.start_anew()

    def open(self) -> None:
        """Where there is a state, tell from now on what others leave there, also before anything is logged here."""
        if self._commons is not None:
            self._commons.open()
            self._worker.nudge()

    def start_anew(self, *, inherits: bool = False) -> None:
        """Empty books and nothing waiting: at first, and in a forked child, whose parent tells what it has.

        A child that ``inherits`` tells it in the parent's place.
        """
        if not inherits:
            self._held = Holdings(self.options, self._clock)
        self.intake.start_anew(self._held)
        if self._commons is not None:
            self._commons.start_anew()
        self._office = PostOffice(self._channels, self.options.rules, self._clock, self.options.shared)
        self.in_a_hurry = False  # somebody waits: what the limit has left is used now
        self._next_sweep = float("-inf")
        self._losses_told: Mapping[str, int] = {}

    @property
    def key(self) -> int:
        """Which of all handlers of this process it is."""
        return self._held.key

    def flush(self, timeout_s: float | None = None) -> bool:
        """Wait until what was accepted before is settled, at most ``exit_timeout`` unless said otherwise."""
        return self._worker.flush(self.exit_timeout_s if timeout_s is None else timeout_s)

    def close(self) -> None:
        """Accept nothing more. What waits is still told."""
        self.intake.closed = True
        self._held.groups.shut_all()
        self._worker.retire()

    def forget_groups(self) -> None:
        """Tell what comes from now on as if it were new."""
        for group in self._held.groups:
            self._held.groups.close(group)

    def stats(self) -> Stats:
        return self._held.books.stats()

    # The worker.

    def prepare(self) -> None:
        """Load what sending needs, where a fork waits for it."""
        load_libraries()
        if self.options.shared is not None:
            self.options.shared.load()

    def turn(self) -> float:
        """Steps 5 to 10 for the next message that may go. Returns the seconds until there may be another."""
        self._sweep()
        self._held.gather()
        if self._commons is not None:
            self._commons.exchange(self._held, self._freezer, hurried=self.in_a_hurry)  # step 6
        self.intake.all_wait, self.intake.who_wait = False, ()
        if (pause := self._office.pause()) > 0:
            self.intake.all_wait = self._commons is None
            return min(pause, self._seconds_to_next_look(), _SWEEP_S)
        self._take_claims()
        waiting, wait = self._next()  # step 7: what may go now
        if waiting is not None and (lost := waiting.lost_with_its_first):
            self._held.settle(waiting, lost)
            self._held.inbox.arrived()
            return 0.0
        if waiting is not None and self._commons is not None and self._commons.wants(waiting):
            self._held.keep(waiting)  # it came since step 6
            return 0.0
        if waiting is None:
            return min(wait, self._seconds_to_next_look(), _SWEEP_S if len(self._held.inbox) else float("inf"))
        postman = self._office.least_busy(waiting.recipients, hurried=self.in_a_hurry)
        try:
            if not waiting.parts:
                self._render(waiting, postman)  # steps 5 to 8
            outcome = postman.deliver(waiting)  # step 9
        except Exception as error:  # a defect of ours must cost one alert, not all that follow
            outcome = Outcome("rejected")
            self.options.complain("defect", f"an alert could not be made into a message ({type(error).__name__})")
        except BaseException:  # user code (redact) that wants to end the thread: not before the books are right
            self._conclude(waiting, Outcome("rejected"), postman)
            raise
        self._conclude(waiting, outcome, postman)  # step 10
        return 0.0

    def _take_claims(self) -> None:
        """What a shared state has for this process to tell, if it may tell something now."""
        if self._commons is None or self._office.wait(None, hurried=self.in_a_hurry) > 0:
            return
        for waiting in self._commons.claims(hurried=self.in_a_hurry):
            self._held.put(iter((waiting,)))

    def _seconds_to_next_look(self) -> float:
        held = self._held.seconds_to_next_look()
        if self._commons is None:
            return held
        may_tell = min(self._office.wait(None, hurried=self.in_a_hurry), _SWEEP_S)  # nothing is claimed before
        exchange = EXCHANGE_S if len(self._held.groups) else float("inf")  # repeats wake nobody
        return min(held, exchange, max(self._commons.seconds_to_next_look(), may_tell))

    def _next(self) -> tuple[Waiting | None, float]:
        def wait(recipients: Recipients | None) -> float:
            shortest = self._office.wait(recipients, hurried=self.in_a_hurry)
            if shortest > 0:
                who_wait.add(recipients)
            return shortest

        who_wait: set[Recipients | None] = set()
        found = self._held.inbox.take(wait)
        self.intake.who_wait = who_wait
        return found

    def _render(self, waiting: Waiting, postman: Postman) -> None:
        """Steps 5 to 8: one message of an alert, or of all that wait, where messages have to be shared."""
        waiting.losses = self._held.books.losses()
        losses = _told(waiting.losses, self._losses_told)
        if not waiting.alone and postman.shares(waiting.recipients):
            others = self._held.inbox.take_others(waiting.recipients, _MAX_SHARED)
            own = [each for each in others if self._commons is not None and self._commons.wants(each)]
            self._held.inbox.return_others(own)
            waiting.others = tuple(each for each in others if not (each in own or each.lost_with_its_first))
            for each in others:
                if lost := each.lost_with_its_first:
                    self._held.settle(each, lost)
        digests = [
            self._freezer.digest(each, self._held, fresh=not waiting.others and self._is_fresh(each))
            for each in waiting.together
        ]
        if not waiting.others:
            waiting.parts = self.composer.compose(digests[0], postman.channel, losses) + _pictures(waiting)
            return
        waiting.parts, number = self.composer.share(digests, postman.channel, losses)
        rest = waiting.together[number:]
        waiting.others = waiting.others[: number - 1]
        self._held.inbox.return_others(rest)
        waiting.parts += _pictures(*waiting.together)

    def _is_fresh(self, waiting: Waiting) -> bool:
        """Whether it tells the first of a group at once: what came since is for the digest."""
        return bool(waiting.captured) and self._clock() - waiting.accepted_at < self.options.window_s

    def _conclude(self, waiting: Waiting, outcome: Outcome, postman: Postman) -> None:
        verdict = fate(outcome.error) if outcome.error is not None else None
        elsewhere = verdict not in (None, Fate.REJECT) and self._office.has_another(postman)
        report = partial(self._report, outcome, verdict, postman.name, elsewhere=elsewhere)
        if outcome.delivered:
            self._losses_told = waiting.losses
            report()  # before the books are right: the program may end then
            for each in waiting.together:
                self._settle(each, "delivered")
            self._held.inbox.arrived()
        elif outcome.reason == "rejected" or verdict is Fate.REJECT or (verdict is Fate.KEEP_SLOWLY and not elsewhere):
            self._refused(waiting, outcome, verdict, report)
        else:
            report()
            waiting.rounds += verdict is not None
            self._held.keep(waiting)
        if verdict is not None and verdict is not Fate.REJECT and waiting.ended != "handed_over":
            postman.rest(verdict, getattr(outcome.error, "retry_after_s", 0.0))

    def _refused(self, waiting: Waiting, outcome: Outcome, verdict: Fate | None, report: Callable[..., None]) -> None:
        """WeCom does not want it, or wants the configuration mended. What shared a message is judged alone."""
        together, waiting.others = waiting.together, ()
        keep = verdict is Fate.KEEP_SLOWLY
        alone = len(together) > 1 and not keep
        for each in together:
            handed_over = not alone and self._handed_over(each, outcome)
            if each is waiting:
                report(handed_over=handed_over)
            if handed_over:
                self._settle(each, "handed_over")
            elif alone or keep:
                each.parts, each.alone = (each.parts if not alone and len(together) == 1 else ()), each.alone or alone
                each.rounds += keep
            else:
                self._settle(each, (each.group is not None and each.group.lost) or "rejected")
        self._held.keep(*(each for each in together if each.ended is None))

    def _settle(self, waiting: Waiting, how: str) -> None:
        self._held.settle(waiting, how)
        if waiting.claim is not None and self._commons is not None:
            self._commons.settled(waiting, how)

    def _handed_over(self, waiting: Waiting, outcome: Outcome) -> bool:
        """Whether the fallback, if there is one, has it now."""
        is_new = waiting.captured + waiting.counted if waiting.claim is None else waiting.claim.count
        if self.options.fallback is None or not is_new:
            return False
        error = outcome.error
        why = f"{type(error).__name__}: {error}" if error is not None else "it could not be made into a message"
        try:
            target = self.options.fallback()
            if target is None:
                hint = "one of another package must be used by a logger, or logging forgets it"
                self.options.complain("fallback", f"no handler has the name that fallback gives; {hint}")
                return False
            return hand_over(self._freezer.digest(waiting, self._held), target, self.key, self.options.name, why)
        except Exception as error:
            self.options.complain("fallback", f"the fallback failed ({type(error).__name__})")
            return False

    def _report(
        self, outcome: Outcome, verdict: Fate | None, who: str, *, elsewhere: bool, handed_over: bool = False
    ) -> None:
        """Failures and half successes, on stderr."""
        if outcome.error is not None:
            what = "an alert was refused" if verdict is Fate.REJECT else "alerts wait"
            what = "an alert went to the fallback" if handed_over else what
            what = "it rests, another goes on" if elsewhere else what
            cause = f"{type(outcome.error).__name__} {getattr(outcome.error, 'errcode', '')} {who}"
            self.options.complain(cause, f"{who}{who and ': '}{what}: {outcome.error}")
        if outcome.reason == "partial":
            self.options.complain("partial", f"WeCom did not accept some recipients: {_left_out(outcome)}")
        if outcome.warning:
            self.options.complain("warning", outcome.warning)

    def _sweep(self) -> None:
        """Tell what the calling threads had to push out; once a minute, drop what is a day old."""
        self._held.tell_overflow()
        now = self._clock()
        if now >= self._next_sweep:
            self._next_sweep = now + _SWEEP_S
            self._held.expire()

    # What the worker's thread, the exit hook and a fork ask.

    def tell_counted(self) -> bool:
        """Bring all that is counted into the line now; False where some of it cannot be told yet."""
        return self._held.tell_counted()

    def settled(self) -> bool:
        """Whether nothing waits, by the books."""
        return self.stats().pending == 0 and not self._has_untold()

    def last_number(self) -> int:
        return self._held.books.entries.value

    def unsettled_before(self, number: int) -> bool:
        return self._held.unsettled_before(number) or self._has_untold()

    def closed(self) -> bool:
        return self.intake.closed

    def finished(self) -> bool:
        return self.closed() and self._held.is_empty() and not self._has_untold()

    def _has_untold(self) -> bool:
        return self._commons is not None and self._commons.has_untold()

    def give_up(self) -> int:
        """At exit: what still waits, or is only counted, is lost, with its number, or left in the state."""
        lost = self._held.give_up()
        self.intake.echoes.leave_last_words()
        if self._held.left_behind or (self._commons is not None and self._commons.leaves_untold()):
            when = f"what was not sent within exit_timeout ({self.exit_timeout_s:g} s) waits in the state"
            self.options.complain("left", f"{when}; who opens that next sends it (`wecom-logging pending` shows it)")
        return lost


def _pictures(*several: Waiting) -> tuple[Part, ...]:
    return tuple(Picture(each.picture) for each in several if each.picture)


def _told(losses: Mapping[str, int], before: Mapping[str, int]) -> str:
    """What was lost since the last message that got through, in words."""
    new = {reason: number - before.get(reason, 0) for reason, number in losses.items()}
    words = [f"{number} {reason}" for reason, number in new.items() if number]
    return f"lost since the last message: {', '.join(words)}" if words else ""


def _left_out(outcome: Outcome) -> str:
    lists = {
        "users": outcome.invalid_users,
        "departments": outcome.invalid_departments,
        "tags": outcome.invalid_tags,
        "users without a licence": outcome.unlicensed_users,
    }
    return trim("; ".join(f"{name} {', '.join(ids)}" for name, ids in lists.items() if ids), 500)
