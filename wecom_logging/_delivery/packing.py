"""`Packing`: the text of a message, with as many incidents as it holds. All texts are masked already."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from .._incidents.book import Book, Due
from .._incidents.hearers import is_step_line
from .._incidents.limits import no_flood
from .._incidents.outcomes import as_composed
from .._incidents.plan import Act
from .._incidents.values import Incident, is_first
from .._render.facts import told_losses
from .._render.flood import worst_first
from .._wecom.directory_checks import is_user_id
from ..model import Digest, Recipients
from .bundle import may_send_summary, urgent_first
from .digests import Digests, carried
from .duty import Duty
from .inbox import Inbox
from .message import Message
from .message_builder import Composer, pictures
from .options import Looks
from .parcels import Form, Rules
from .reports import Reports
from .sender import Sender, Senders


@dataclass(eq=False, repr=False)
class Packing:
    """That of one handler; ``looks`` is asked for each message."""

    _book: Book
    _inbox: Inbox
    _digests: Digests
    _duties: Duty
    _senders: Senders
    _reports: Reports
    _looks: Callable[[], Looks]
    _tried: dict[str, tuple[int, float, int]] = field(default_factory=dict)
    """By key, the step that is tried, since when, and with how many records: each try has the same text."""

    def load(self, message: Message) -> None:
        """Look up what the message shows of its incidents, with the leader's lock held."""
        message.alerts = {key: self._book.alert(key) for key in message.keys}

    def write(
        self,
        message: Message,
        sender: Sender,
        rules: Callable[[Incident], Rules],
        now: float,
        named: Recipients | None,
    ) -> None:
        """Make the message, and leave in it what fits; what does not stays due. ``named``: whom its audience names.
        ``rules`` gives their pace.

        No lock is held: it may upload a file.
        """
        composer = Composer.of(self._looks())
        if not sender.channel.addressed(message.recipients).may_answer:  # it would be said to who may not
            composer = composer._replace(answers="")
        message.losses = self._reports.losses()
        losses = told_losses(message.losses, self._reports.losses_sent, composer.reader)
        message.digests = [self._digest(message, row, now, named) for row in message.rows]
        if message.form is Form.HELD:
            self._write_held(
                message, sender, composer, losses, may_have_file=rules(message.rows[0].incident).no_files_until <= now
            )
            return
        channel, before = sender.channel, len(message.rows)
        message.parts, number = composer.write(message.digests, channel, losses, message.cause, message.nobody)
        is_shared = message.form in (Form.MANY, Form.STEP) and before > 1
        if is_shared and number < before:
            hurries = self._senders.draining
            is_line = is_step_line(*message.rows[0])
            is_flood = before > no_flood(number) and not is_line
            is_flood = is_flood and may_send_summary(now, rules(message.rows[0].incident), hurries=hurries)
            if is_flood and not (urgent := urgent_first([row.incident for row in message.rows], no_flood(number))):
                if self._summarize(message, sender, composer, losses):
                    return
            elif is_flood:
                _cut(message, urgent)
                if urgent == 1:
                    is_shared = False
                    self._alone(message, now)
                message.parts, number = composer.write(message.digests, channel, losses, nobody=message.nobody)
        _cut(message, number)
        if is_shared:
            new = sum(is_first(row.incident) for row in message.rows)
            audience = message.rows[0].incident.opening.audience
            self._senders.count_kinds(audience, new, composer.holds(channel), sender)
        message.parts += pictures(self._inbox.beside(key).picture for key in message.keys)

    def forget_step(self, key: str) -> None:
        """Its message was sent, or is tried no more."""
        self._tried.pop(key, None)

    def _alone(self, message: Message, now: float) -> None:
        incident, act = message.rows[0]
        message.rows[0] = Due(as_composed(incident, act, now), act)
        message.digests[0] = self._digest(message, message.rows[0], now, None)

    def _digest(self, message: Message, row: Due, now: float, named: Recipients | None) -> Digest:
        shown, act = row
        key = shown.opening.key
        alert = message.alerts[key]
        if act is Act.STEP and shown.step is not None:
            if self._tried.get(key, (-1,))[0] != shown.step.number:
                self._tried[key] = shown.step.number, now, shown.counts.count
            _, at, count = self._tried[key]
            channel = self._senders.least_busy(named).channel
            told = self._duties.told(named, shown, now, channel.receivers, is_user_id)
            return self._digests.of_step(shown, alert, told, at=at, count=count)
        beside = self._inbox.beside(key)
        if beside.digest is not None:
            return carried(beside.digest, alert, shown.opening.short_id)
        return self._digests.of(shown, act, alert, now)

    def _write_held(
        self, message: Message, sender: Sender, composer: Composer, losses: str, *, may_have_file: bool
    ) -> None:
        """What has waited, the most severe first; as a summary and a file where it is more than a message holds."""
        _worst_first(message)
        message.parts, number = composer.share(message.digests, sender.channel, losses, message.nobody, message.held)
        is_more = number < len(message.rows)
        if is_more and may_have_file and self._summarize(message, sender, composer, losses):
            return
        _cut(message, number)
        message.parts += pictures(self._inbox.beside(key).picture for key in message.keys)

    def _summarize(self, message: Message, sender: Sender, composer: Composer, losses: str) -> bool:
        """A summary, and a file of all. The file is uploaded first: where it cannot be, messages are shared as ever."""
        rows, digests = list(message.rows), list(message.digests)
        _worst_first(message)
        try:
            parts, number = composer.flood(message.digests, sender.channel, losses, message.nobody, message.held)
            sender.upload(parts[1], message)
        except Exception as error:  # of WeCom, or a defect of ours, which must cost nothing here
            self._senders.files_fail(error)
        else:
            audience = message.rows[0].incident.opening.audience
            if message.held or sender.take_flood(audience) or self._senders.draining:
                message.parts, message.summarized = parts, number
                return True
        message.rows, message.digests = rows, digests
        return False


def _cut(message: Message, number: int) -> None:
    """Only the first stand in it; the others stay due."""
    del message.rows[number:], message.digests[number:]


def _worst_first(message: Message) -> None:
    order = {id(one): place for place, one in enumerate(worst_first(message.digests))}
    pairs = sorted(zip(message.rows, message.digests, strict=True), key=lambda pair: order[id(pair[1])])
    message.rows, message.digests = [row for row, _ in pairs], [digest for _, digest in pairs]
