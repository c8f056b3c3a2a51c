"""`Sender`: sends what is left of a delivery's messages, within the rate limit, and says what an error means for it.

What WeCom refuses for good goes to the fallback (`hand_over`).
"""

from __future__ import annotations

import enum
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Protocol

from .._capture.context import carry, passed_by
from .._config import RateRules
from .._incidents.limits import SUMMARY_S, no_flood
from .._lines import line
from .._render.layout import lay_out
from .._render.retold import in_language
from .._render.styles import TEXT
from .._render.words import NO_MESSAGE, NOT_DELIVERED
from .._runtime.clock import between
from .._runtime.warn import warn_once
from .._runtime.windows import FLOOD, Windows
from .._text.cut import trim
from .._text.said import Language, language_of_environment
from .._text.sha256 import sha256
from .._wecom.channels import Channel
from .._wecom.errcodes import Verdict, lookup
from .._wecom.explained import explained
from .._wecom.http import trying
from ..errors import APIError, HTTPStatusError, MessageError, TransportError, WeComError
from ..model import Digest, File, Message, Outcome, Recipients
from ..model.message import Answerable
from .message_builder import Attachment, Part, Picture
from .options import Options, Target

MAX_BACKOFF_S = 15.0
CONFIGURATION_BACKOFF_S = 300.0
_ELSEWHERE_S = 1.0
"""How soon a process looks again whether it is the one that sends."""
_KNOWN_S = 60.0
"""What others sent within so long is known after each reservation."""
_MAX_WHY_BYTES = 300
_NO_FILES_S = 600.0


class Fate(enum.Enum):
    """What becomes of an alert whose round failed."""

    KEEP = "the next round comes after a growing wait"
    KEEP_SLOWLY = "the configuration has to be mended: the next round comes after five minutes"
    PAUSE = "WeCom asked to leave the channel alone for a while"
    REJECT = "sending it again cannot help"


class NotNow(Exception):
    """Our own rate limit has no room for this try."""


class OnItsWay(Protocol):
    """A message on its way to ``recipients`` (None: those of the channel): its ``parts``, of which so many are
    ``done``, and the files of it that were uploaded, by the identity of a channel."""

    parts: tuple[Part, ...]
    done: int
    recipients: Recipients | None
    uploads: dict[str, File]


@dataclass(slots=True)
class Sender:
    """Sends messages through one channel, within its rate limit, and rests when a round has failed.

    ``name`` says which of several it is, for people; empty where there is but one.
    """

    channel: Channel
    windows: Windows
    rules: RateRules
    clock: Callable[[], float]
    name: str = ""
    back_off_until: float = float("-inf")
    problem: WeComError | MessageError | str | None = None
    """The error of the last try of a message that has not arrived so far, "" for no answer. None: it has arrived, or
    waits for the limit."""
    _failed_rounds: int = field(default=0, init=False)

    def room(self, recipients: Recipients | None, *, draining: bool) -> tuple[float, bool]:
        """Seconds until a message to these recipients may go, spread evenly unless ``draining``, 0 for now; and whether
        so much went out lately that messages have to be shared."""
        now, receivers = self.clock(), self.channel.receivers(recipients)
        shares, pace_s = self.windows.pace(receivers, self.rules, now)
        wait_s = max(self.back_off_until - now, self.windows.wait(receivers, self.rules, now))
        return wait_s if draining else max(wait_s, pace_s), shares

    def use(self, recipients: Recipients | None) -> float:
        """How much of the limit went out lately: 1 is all."""
        return self.windows.use(self.channel.receivers(recipients), self.rules, self.clock())

    def take_flood(self, audience: str, every_s: float = SUMMARY_S) -> bool:
        """Whether a summary may be sent now: one a minute for its audience, whichever process sends it."""
        return self.windows.reserve((_flood(audience),), ((1, every_s),), self.clock()) <= 0

    def rest(self, verdict: Fate, pause_s: float) -> None:
        """Until the next round."""
        now = self.clock()
        match verdict:
            case Fate.PAUSE:
                self.back_off_until = now + pause_s
                self.windows.pause(pause_s, now)  # for all handlers that have this channel
            case Fate.KEEP_SLOWLY:
                self.back_off_until = now + CONFIGURATION_BACKOFF_S
            case _:
                wait = min(MAX_BACKOFF_S, 2.0**self._failed_rounds)
                self._failed_rounds = min(self._failed_rounds + 1, 10)
                self.back_off_until = now + between(wait / 2, wait)

    def send(self, delivery: OnItsWay) -> Outcome:
        """Send the parts that were not sent yet, one after the other; stop at the first that is not delivered.

        An outcome that is ``"kept"`` has the error, if it was not our own rate limit; what it means is `fate`'s. One
        that is delivered has the warnings of all parts.
        """
        outcome = Outcome("delivered")
        warnings: dict[str, None] = {}
        while delivery.done < len(delivery.parts):
            part = delivery.parts[delivery.done]
            outcome = self.send_part(part, delivery)
            if outcome.error is not None and isinstance(part, Picture):  # what it belongs to has arrived
                outcome = Outcome("delivered", warning=f"a picture could not be sent: {outcome.error}")
            if not outcome.delivered:
                return outcome
            warnings |= dict.fromkeys(filter(None, [outcome.warning]))
            delivery.done += 1
        self._failed_rounds = 0
        return replace(outcome, warning="; ".join(warnings))

    def send_part(self, part: Part, delivery: OnItsWay) -> Outcome:
        """One message, in one round of tries."""
        recipients = delivery.recipients
        receivers = self.channel.receivers(recipients)
        reserved: list[float] = []

        def before_try() -> None:
            now = self.clock()
            if self.windows.reserve(receivers, self.rules, now) > 0:
                raise NotNow
            reserved.append(now)

        self.problem, outer = "", trying.set(partial(setattr, self, "problem"))
        try:
            outcome = self.channel.deliver(self._message(part, delivery), recipients, before_try)
            self.problem = None
            return outcome
        except NotNow:
            self.problem = None
            return Outcome("kept")
        except (WeComError, MessageError) as error:
            self.problem = error
            return Outcome("kept", error=error)
        finally:
            trying.reset(outer)
            self.windows.landed(receivers, reserved, self.clock())

    def upload(self, part: Attachment, delivery: OnItsWay) -> File:
        """A file of a delivery, which is uploaded once to a channel. Raises `WeComError` or `MessageError`."""
        uploaded = delivery.uploads.get(self.channel.identity) or self.channel.upload(part.name, part.data)
        delivery.uploads[self.channel.identity] = uploaded
        return uploaded

    def _message(self, part: Part, delivery: OnItsWay) -> Message | Answerable:
        if isinstance(part, Picture):
            return self.channel.picture(part.data)
        return self.upload(part, delivery) if isinstance(part, Attachment) else part


class Senders:
    """Those of the handler ``key``: an app has one, a group has one for each of its bots. The least busy one goes."""

    def __init__(self, channels: Sequence[Channel], options: Options, key: int, clock: Callable[[], float]) -> None:
        self._options = options
        self._key = key
        self._clock = clock
        self._kinds: dict[str, list[tuple[float, int]]] = {}  # when, and how many in a shared message, by audience
        self._senders = [
            Sender(
                channel,
                options.shared.windows(channel.identity),
                options.rules,
                clock,
                _name(number, len(channels)),
            )
            for number, channel in enumerate(channels, 1)
        ]
        self.draining = False
        """A drain: what the limit has left is used now."""
        self.no_files_until = float("-inf")
        """Nothing is uploaded for a while after an upload failed."""

    @property
    def are_elsewhere(self) -> bool:
        """Whether another process of the state sends all that goes through their channels."""
        return all(sender.channel.is_elsewhere for sender in self._senders)

    def pause(self) -> float:
        """Seconds for which all of them rest, or leave it to another process; 0 or less if one does not."""
        now = self._clock()
        return min([_ELSEWHERE_S if one.channel.is_elsewhere else one.back_off_until - now for one in self._senders])

    def long_pause(self) -> float:
        """The same, where it is none of those that grow while WeCom cannot be reached; else 0."""
        return pause if (pause := self.pause()) > MAX_BACKOFF_S else 0.0

    def problem(self) -> str:
        """Says behind a line of ours why the last message has not arrived so far; "" where nothing is known."""
        found = next((one.problem for one in self._senders if one.problem is not None), None)
        if found is None:
            return ""
        if isinstance(found, str):
            return line("no_answer")
        return line("last_error", error=explained(found, language_of_environment()))

    def wait(self, recipients: Recipients | None) -> float:
        """Seconds until one of them may send a message to these recipients."""
        return self.room(recipients)[0]

    def room(self, recipients: Recipients | None) -> tuple[float, bool]:
        """The same, and whether so much went out lately that messages have to be shared."""
        return self.least_busy(recipients).room(recipients, draining=self.draining)

    def least_busy(self, recipients: Recipients | None) -> Sender:
        """The one that may go first; of several, the one with the most left of its limit."""
        if len(self._senders) == 1:
            return self._senders[0]
        return min(
            self._senders,
            key=lambda one: (one.room(recipients, draining=self.draining)[0], one.use(recipients)),
        )

    def has_another(self, sender: Sender) -> bool:
        """Whether another sender goes on while this one rests."""
        now = self._clock()
        return any(other is not sender and other.back_off_until <= now for other in self._senders)

    # A flood.

    def summary_at(self, audience: str) -> float:
        """When the last summary of a flood was sent to it."""
        name = _flood(audience)
        return max([sender.windows.last(name) for sender in self._senders])

    def take_summary(self, audience: str, every_s: float) -> bool:
        """Whether this process tells now what all want to tell at the same moment: as with a flood, one of all does."""
        return self._senders[0].take_flood(audience, every_s)

    def count_kinds(self, audience: str, number: int, held: int, sender: Sender) -> None:
        """So many new incidents share a message. If those of a minute are a flood, what comes waits for a summary."""
        now = self._clock()
        since = now - SUMMARY_S
        others = {one: sent for one, sent in self._kinds.items() if one != audience and sent[-1][0] > since}
        sent = [*(one for one in self._kinds.get(audience, ()) if one[0] > since), (now, number)]
        self._kinds = {audience: sent, **others}
        kinds = [number for _, number in sent]
        if sum(kinds) > no_flood(max(held, *kinds)) and now >= self.no_files_until:
            sender.take_flood(audience)

    def files_fail(self, error: Exception | None) -> None:
        """Where no file can be sent, alerts share messages."""
        self.no_files_until = self._clock() + _NO_FILES_S
        why = "" if error is None else f": {error}"
        self._options.warn_once("flood", line("no_file", why=why))

    # The fallback.

    def hand_over(self, digest: Digest, error: WeComError | MessageError | None) -> bool:
        """Whether the fallback, if there is one, has it now."""
        options = self._options
        if options.fallback is None or digest.quiet_s or digest.is_news:
            return False
        why = f"{type(error).__name__}: {error}" if error is not None else NO_MESSAGE.en
        try:
            target = options.fallback()
            if target is None:
                options.warn_once("fallback", line("fallback_gone"))
                return False
            return hand_over(digest, target, self._key, options.name, why, options.looks.reader)
        except BaseException as failure:
            options.warn_once("fallback", line("fallback", error=type(failure).__name__))
            if not isinstance(failure, Exception):
                raise
            return False


def _flood(audience: str) -> str:
    return FLOOD + sha256(audience).hexdigest()[:16]


def _name(number: int, of: int) -> str:
    return line("bot_number", number=number, of=of) if of > 1 else ""


def fate(error: WeComError | MessageError) -> Fate:
    """Keep or give up: network, 5xx, busy and limits keep an alert in the line, so does a wrong configuration."""
    if isinstance(error, MessageError):
        return Fate.REJECT
    if isinstance(error, HTTPStatusError):  # WeCom itself answers 200
        if error.status == 429:
            return Fate.PAUSE
        # A 4xx may be about one message alone (a firewall's) and must not hold up the others.
        return Fate.REJECT if error.status == 413 else Fate.KEEP
    if isinstance(error, TransportError):
        return Fate.KEEP if error.retryable else Fate.KEEP_SLOWLY
    if not isinstance(error, APIError):
        return Fate.REJECT
    match lookup(error.errcode).verdict:
        case Verdict.BACKOFF | Verdict.REFRESH:
            return Fate.KEEP
        case Verdict.RATE_LIMIT:
            return Fate.PAUSE
        case Verdict.CONFIGURATION:
            return Fate.KEEP_SLOWLY
        case _:
            return Fate.REJECT


# The fallback.


def hand_over(digest: Digest, target: Target, key: int, name: str, why: str, language: Language) -> bool:
    """Give a masked digest of the handler ``name`` to another one; False if that has had it already or takes it not."""
    alert = digest.alert
    passed = (*alert.passed, key)
    if target.key in passed or key in alert.passed:  # it may come back through a queue, which has no key
        return False
    if target.away:
        warn_once(f"fallback {name}", f"{name}: {line(target.away)}")
        return False
    mark = ("fallback", NOT_DELIVERED.en.format(name=name, rest=trim(why, _MAX_WHY_BYTES)))
    ours = (*(alert.ours or ("",)), "fallback")
    marked = replace(alert, fields=(*alert.fields, mark), recipients=None, passed=passed, ours=ours)
    outer = passed_by.set(passed)
    try:
        taken = target.handler.handle(_record(replace(digest, alert=marked), language))
    finally:
        passed_by.reset(outer)
    if taken is False:  # no counter has it, then
        why = line("fallback_filter")
        warn_once(f"fallback {name}", f"{name}: {why}")
        return False
    return True


def _record(digest: Digest, language: Language) -> logging.LogRecord:
    """What any handler can take: the whole text in its message, and for ours the digest itself."""
    alert, place = digest.alert, digest.alert.place
    text = "\n".join(lay_out(in_language(digest, language), TEXT.within(language)).lines())
    record = logging.LogRecord(alert.logger, alert.level, place.file, place.line, text, None, None, place.name)
    record.created, record.msecs = alert.time, alert.time % 1 * 1000
    record.levelname = alert.level_name
    carry(record, digest)
    return record
