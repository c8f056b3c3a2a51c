"""What happened, and what became of it: an alert, what one message tells of it, what a person did about it."""

from __future__ import annotations

from dataclasses import dataclass

from .captured import Failure, Frame, Sample
from .recipients import Recipients

TAKEN, SILENCED, DONE = "taken", "silenced", "done"
UNDONE = {TAKEN: "returned", SILENCED: "resumed", DONE: "reopened"}
"""What undoes each."""
OVER = "over"
"""Of a silence that has ended by itself."""
ESCALATED = "escalated"
"""A step of its escalation began: no person did that."""
BY_RUN = "job"
"""The place of an answer that no person gave: an incident of a job ends with its next run."""
VERBS = (TAKEN, SILENCED, DONE, *UNDONE.values(), ESCALATED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """A log record, captured. Times are seconds since the epoch; texts are capped at 64 KiB each.

    ``failures`` is the chain of exceptions, the oldest first. ``formatted`` is what a stock `logging.Formatter` of the
    handler made of the record, else None. ``template`` is the unformatted message. ``kind`` is a digest of what
    it has in common with those that are the same. ``passed`` are the handlers that could not deliver it and gave it to
    their fallback. ``ours`` is what of it are words of this package, in English: the phrase of the message, or "" where
    that is the program's, and names of fields.
    """

    id: str
    level: int
    level_name: str
    logger: str
    message: str
    template: str
    time: float
    host: str
    process: int | None
    process_name: str
    thread_name: str
    place: Frame
    module: str
    service: str = ""
    environment: str = ""
    title: str = ""
    fields: tuple[tuple[str, str], ...] = ()
    stack: str = ""
    failures: tuple[Failure, ...] = ()
    formatted: str | None = None
    fingerprint: str = ""
    kind: str = ""
    recipients: Recipients | None = None
    mention: tuple[str, ...] | None = None
    passed: tuple[int, ...] = ()
    ours: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnd:
    """How a run of a job ended. ``took_s`` is more than 0 where it took longer than ``most_s`` seconds; then it
    ``began`` at that time, in seconds since the epoch."""

    began: float = 0.0
    took_s: float = 0.0
    most_s: float = 0.0
    has_failed: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person did with an incident: ``verb`` is one of `VERBS`.

    ``who`` did it ``where`` (the command line or a chat), ``at`` a time in seconds since the epoch. It is in force
    for ``length_s`` seconds; 0: without an end. ``count`` is how many had come by then. ``by`` gave it to ``who``; "":
    ``who`` took it. ``user`` is the user id of ``who``, "" where that is not known: two may have one name. ``whose``
    claim or silence was undone; "": that of ``who``. ``job``: the name of the job that ``who`` has stopped watching, or
    watches again. ``run``: how the run went that has closed an incident of a job; None: it has begun, or went well.
    """

    verb: str
    who: str
    where: str
    at: float
    length_s: float = 0.0
    count: int = 0
    by: str = ""
    user: str = ""
    whose: str = ""
    job: str = ""
    run: RunEnd | None = None

    @property
    def until(self) -> float:
        """When it ends, in seconds since the epoch; 0: never."""
        return self.at + self.length_s if self.length_s > 0 else 0.0


def place_of(chat: str, user: str = "") -> str:
    """The place of what somebody did in a chat, as its answer has it; in a group with the ``user`` who did."""
    return f"chat {chat} {user}".strip()[:64]


@dataclass(frozen=True, slots=True)
class Escalation:
    """The step that a message belongs to: the ``number`` th of so many, as no person took the incident in ``after_s``
    seconds, or that of ``taken_by``, who had it before, is over. ``told``: those who were told before; ``missed``: why
    the step before told nobody.
    """

    number: int
    of: int
    after_s: float
    told: tuple[str, ...] = ()
    missed: str = ""
    taken_by: str = ""


@dataclass(frozen=True, slots=True)
class Variant:
    """One of the variants of an incident: the name that is different in it, and how often it came.

    ``is_new``: no message has shown it yet. ``text`` is that of its first record, masked, which came at ``time``
    (seconds since the epoch); it can be missing where the variant is not new.
    """

    name: str
    count: int
    text: str = ""
    time: float = 0.0
    is_new: bool = False


@dataclass(frozen=True, slots=True)
class Digest:
    """The first of a group of alerts that are the same, with the numbers of those that followed.

    ``count`` is how many came since the last message about them, ``total`` how many in all; both include the first
    when it is new, so that a first message has ``count == total``. ``since`` and ``last`` are the times (seconds since
    the epoch) at which that count began and at which the newest came; 0 for unknown. ``samples``: later texts that say
    something else. ``rates`` is what was counted in equal spans of time since the last message, the oldest first.
    ``quiet_s`` is more than 0 in the closing line of a group: for so many seconds nothing came; ``is_rare``: which may
    mean that it was not tried again. ``has_stopped``: nothing came for more than a window. ``times``: how often it came
    since ``times_since``, each time after an end. ``hosts`` and ``processes`` are how many have had it. ``short_id`` is
    that of the incident, without ``#``. ``variants``: of an incident that stands for many, those of which something
    came since the last message, the most frequent first. ``answer``: what a person did with it, which
    is in force or has just ended; ``answered_count`` came since. ``is_news``: the message is about that.
    ``back``: what is in force again, where that was an undo.
    ``escalation``: it is sent to those of a step.
    ``is_over``: it is over, also where that is told with its beginning, after quiet hours: ``quiet_s`` is 0 then.
    ``told_at``: when this is told (seconds since the epoch); 0 for the time of the newest.
    """

    alert: Alert
    count: int = 1
    total: int = 1
    since: float = 0.0
    last: float = 0.0
    samples: tuple[Sample, ...] = ()
    rates: tuple[int, ...] = ()
    quiet_s: float = 0.0
    has_stopped: bool = False
    is_rare: bool = False
    times: int = 1
    times_since: float = 0.0
    hosts: int = 1
    processes: int = 1
    short_id: str = ""
    variants: tuple[Variant, ...] = ()
    answer: Answer | None = None
    answered_count: int = 0
    is_news: bool = False
    back: Answer | None = None
    escalation: Escalation | None = None
    is_over: bool = False
    told_at: float = 0.0

    @property
    def is_first(self) -> bool:
        """Whether no message told it before."""
        return self.count == self.total

    @property
    def now(self) -> float:
        """When it is told."""
        return self.told_at or max(self.last, self.alert.time)

    @property
    def answered_s(self) -> float:
        """For how long its answer has been there."""
        return max(self.now - self.answer.at, 0.0) if self.answer is not None else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentView:
    """One incident that is open: all alerts that are the same, over time.

    ``short_id`` stands in every message about it, there with ``#``. ``count`` is how many came in all, ``told`` how
    many of these stand in messages, of which there were ``messages``. ``since`` and ``last`` are when the first and the
    newest came, in seconds since the epoch. ``place`` is where it was logged. ``taken_by`` is who has taken it, or "";
    ``silenced_by`` is who has silenced it, or ""; ``silent_until`` is when that ends, in seconds since the epoch, or 0.
    """

    short_id: str
    level: int
    level_name: str
    logger: str
    text: str
    count: int
    told: int
    messages: int
    since: float
    last: float
    place: Frame
    hosts: int = 1
    processes: int = 1
    taken_by: str = ""
    silenced_by: str = ""
    silent_until: float = 0.0
