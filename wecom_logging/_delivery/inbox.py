"""`Inbox`: what the calling threads have queued and counted becomes entries of a journal. All text in them is masked.

A first record becomes an `Opened`, with its alert made and masked; what comes later, `Counted` under the same key. How
many records of the handler have ended, and how, is counted here too: of one whose message WeCom has taken the record
that opened it is delivered, and each new variant; the others are merged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from itertools import accumulate
from typing import NamedTuple

from .._capture.collector import Collector
from .._capture.identity import digest_of
from .._capture.intake import Taken
from .._capture.pending import PendingAlert, capture
from .._capture.tally import MAX_TALLIES, Seen, Tally
from .._incidents.cause import cause_key
from .._incidents.entries import Counted, Opened
from .._incidents.fingerprint import audience_of, digest, group_key
from .._incidents.short_id import OF_THE_ALERT
from .._incidents.values import Incident, is_first
from .._lines import line
from .._masking.redact import MASK, again, noting
from .._render.mask import Mask, masked
from .._render.source import with_source
from .._wecom.channels import Channel
from ..model import Alert, Digest, Recipients, Sample, Variant
from .options import Options

PART = 256
"""So many first records at most are made into entries by one `Inbox.take`, which takes about 0.1 s."""

_MAX_KEYS = 20_000
_MAX_HIDDEN = 4096
"""Characters that are remembered of what is hidden in a first record, for later texts of its incident."""


class Beside(NamedTuple):
    """What the book does not have of an alert: its picture, and the numbers that another handler gave with it."""

    picture: bytes = b""
    digest: Digest | None = None


NOTHING = Beside()


class Inbox:
    """That of one handler, for its leader, which holds its lock until what it takes is appended, so that nothing is
    counted before it is opened. ``channel`` is the first of the handler's channels; a forked child has another inbox.
    """

    def __init__(self, collector: Collector, options: Options, channel: Channel) -> None:
        self._collector = collector
        self._intake = collector.intake
        self._counters = collector.counters
        self._options = options
        self._channel = channel
        self._made: list[Opened | Counted] = []
        self._open: dict[str, tuple[Tally, ...]] = {}
        """By the key of each incident that was opened and is not over, those that count for it: none or some."""
        self._hides: dict[str, Mask] = {}
        """What hides in further texts of an incident what was hidden in its first."""
        self._keys: dict[int, str] = {}
        """Keys by the hash of what makes records the same: what had to make room and comes again is made no more."""
        self._until_swept = MAX_TALLIES
        self._beside: dict[str, Beside] = {}

    # What was logged.

    def take(self, now: float, *, at_once: bool = False) -> list[Opened | Counted]:
        """What was logged since, in an order in which it can be applied: what is critical first, at most `PART` first
        records, and what was counted, once a second. ``at_once``: all of it.

        What a function of the program (redact) raises beyond `Exception` is raised; what was made by then is given
        next time.
        """
        for _ in range(self._intake.waiting() if at_once else PART):
            if (found := self._intake.oldest()) is None:
                break
            tally, number, leave = found
            try:
                if not tally.begun:
                    self._begin(tally, number)
            except BaseException as error:
                self._refuse(tally, error)
                if not isinstance(error, Exception):
                    raise
            finally:
                with suppress(ValueError):  # it has left already
                    leave()
                tally.first = None
        for taken in self._intake.taken(now, at_once=at_once):
            self._count(taken)
        self._intake.tell_overflow()
        made, self._made = self._made, []
        return made

    def seconds_to_next_take(self, now: float) -> float:
        """The seconds until `take` has something, as far as is known now: a record that comes then wakes the worker."""
        return self._intake.seconds_to_next_read(now)

    def is_at_a_first(self) -> bool:
        """True while another thread has counted something whose first record is not queued yet."""
        return self._intake.is_at_a_first()

    def opened(self, alert: Alert, *, key: str = "", audience: str | None = None) -> Opened:
        """An alert as the entry that opens an incident, by the rules of this handler."""
        meant = self.meant(alert.logger, alert.level, alert.recipients)
        if audience is None:
            named = self._options.recipients(alert.logger, alert.level, alert.recipients)
            audience = self._collector.audience if named is None else audience_of(named)
        steps = self._options.steps(alert.level)
        return Opened(
            key=key or group_key(alert, meant),
            alert=alert,
            last=alert.time,
            level=alert.level,
            service=alert.service,
            window_s=self._options.window_s,
            audience=audience,
            cause=cause_key(alert),
            link=self._options.looks.link,
            scopes=(alert.service, alert.logger),
            duty=self._options.duty,
            steps=steps,
            calls=_calls(self._options.duty) if steps else (),
        )

    def meant(self, logger: str, level: int, given: Recipients | None) -> Recipients | None:
        """Who gets an alert, with the handler's own recipients where neither it nor a route names any."""
        recipients = self._options.recipients(logger, level, given)
        return self._channel.addressed(recipients) or recipients

    def make(self, first: PendingAlert) -> Alert:
        """The masked alert of a record that was copied. Any thread may ask."""
        return made(first, self._collector, self._options)

    def beside(self, key: str) -> Beside:
        """What there is of an alert beside the entry that has opened the incident of a key."""
        return self._beside.get(key, NOTHING)

    # What the leader says of incidents.

    def settled(self, key: str, how: str, now: float) -> None:
        """A message of the incident has ended (``how``: the name of a counter, or why it was given up). It goes on, and
        asks for samples of what comes now, if the last were asked for a window ago."""
        self._beside.pop(key, None)
        for tally in self._open.get(key, ()):
            tally.ended = how
            self._intake.leave_site(tally)
            if now - tally.room_at >= self._options.window_s:
                tally.room_at = now
                tally.open_room()

    def over(self, key: str) -> None:
        """The incident is over, or a person has closed it: the next record is an `Opened`, whose alert is shown."""
        for tally in self._forget(key):
            self._intake.end(tally)

    def lost(self, key: str, why: str, number: int) -> None:
        """The incident has left the book with so many records that no message has sent; so does what its tallies have
        counted by now."""
        self._counters.settle(why, number, 0, 0)
        for tally in self._forget(key):
            self._intake.lost(tally, why)

    def settle(self, how: str, shown: Incident) -> None:
        """A message has ended that showed an incident like this: its records are settled, each once."""
        number = shown.unsent
        alone = is_first(shown) + sum(variant.is_new for variant in shown.counts.variants)
        alone = min(alone, number)
        self._counters.settle(how, alone, number - alone, 0)

    def accept(self) -> None:
        """An entry comes that no record was logged for, such as a job that is missed: it is settled like others."""
        self._counters.accepted.add()

    def end_all(self) -> None:
        """What comes from now on is as if it were new."""
        self._collector.plain.identify_all()
        for tally in self._collector.tallies:
            self._collector.tallies.close(tally)
        self._keys.clear()

    def give_up(self, why: str) -> None:
        """All that no `take` has given is lost."""
        for entry in self._made:
            self._counters.settle(why, entry.count, 0, 0)
        self._made = []
        for key in [*self._open]:
            self.lost(key, why, 0)
        self._intake.give_up(why)
        self._intake.tell_overflow(in_all=True)

    # One of them.

    def _begin(self, tally: Tally, number: int) -> None:
        """Make the entry of a tally's first record, and count for its key from then on. That of an incident which is
        open is counted there."""
        first = tally.first
        assert isinstance(first, PendingAlert)
        same = hash((tally.identity.key, tally.audience))
        known = self._keys.get(same) if first.digest is None else None
        if known is not None and known in self._open:
            key = known
            entry: Opened | Counted = Counted(key=key, count=1, last=first.values[3])
        else:
            key, entry = self._opening(first, tally, number)
        tally.hides, tally.key = self._hides.get(key), key
        self._made.append(entry)
        tally.begun = True
        if first.digest is not None:
            return
        if len(self._keys) >= _MAX_KEYS:
            self._keys.clear()
        self._keys[same] = key
        self._open[key] = self._open.get(key, ())
        if not tally.closed:
            self._open[key] = (*(one for one in self._open[key] if not _is_done(one)), tally)
            if not tally.watch():
                self._intake.woken[tally] = None
        self._until_swept -= 1
        if not self._until_swept:
            self._sweep()

    def _opening(self, first: PendingAlert, tally: Tally, number: int) -> tuple[str, Opened]:
        alert = first.alert
        entry = replace(self.opened(alert, audience=tally.audience), is_crowded=self._intake.crowds(tally))
        if first.digest is not None:  # each one is an incident of its own: its numbers are another handler's
            own = digest(entry.key, str(number))
            entry = replace(entry, key=entry.key[:OF_THE_ALERT] + own[OF_THE_ALERT:])
        if first.picture or first.digest is not None:
            self._keep_beside(entry.key, Beside(first.picture, first.digest))
        if first.hides is not None:
            self._hides[entry.key] = first.hides
        return entry.key, entry

    def _forget(self, key: str) -> tuple[Tally, ...]:
        self._beside.pop(key, None)
        self._hides.pop(key, None)
        return self._open.pop(key, ())

    def _refuse(self, tally: Tally, error: BaseException) -> None:
        """Its first record cannot be made into an entry: that is lost, with what others have counted meanwhile."""
        if tally.begun:  # torn, when all was done
            return
        self._options.warn_once("defect", line("no_message", error=type(error).__name__))
        self._counters.settle("rejected", 1, 0, 0)
        self._intake.lost(tally, "rejected")

    def _count(self, taken: Taken) -> None:
        tally, same, seen = taken
        self._counters.settle("delivered", 0, 0, seen)
        if not same:
            return
        samples: tuple[Sample, ...] = ()
        variants: tuple[Variant, ...] = ()
        try:
            with self._masking(tally) as mask:
                variants = tuple(_variants(tally, mask))
                samples = tuple(replace(one, text=mask(one.text)) for one in tally.take_samples())
        except BaseException as error:  # of a function of the program: they are counted, and shown without texts
            self._options.warn_once("defect", line("no_message", error=type(error).__name__))
            if not isinstance(error, Exception):
                raise
        finally:
            entry = Counted(key=tally.key, count=same, last=tally.last, samples=samples, variants=variants)
            self._made.append(entry)

    @contextmanager
    def _masking(self, tally: Tally) -> Iterator[Mask]:
        """What masks a further text: what was hidden in the first one is hidden in it, too."""
        mask, hides = self._options.mask, tally.hides
        with self._collector.masking(tally.depth):
            yield mask if hides is None else lambda text: hides(mask(text))

    def _keep_beside(self, key: str, beside: Beside) -> None:
        """Keep that of the alert that the next message shows: of those that have waited longest none, where all take
        more room than records that wait may have."""
        self._beside.setdefault(key, beside)
        room = self._options.max_pending_bytes - sum(len(one.picture) for one in self._beside.values())
        for old, one in [*self._beside.items()] if room < 0 else ():
            if room < 0 and one.picture and old != key:
                self._beside[old] = one._replace(picture=b"")
                room += len(one.picture)

    def _sweep(self) -> None:
        """Forget the tallies that had to make room, and of which all is taken."""
        for key, tallies in self._open.items():
            if any(map(_is_done, tallies)):
                self._open[key] = tuple(one for one in tallies if not _is_done(one))
        self._until_swept = MAX_TALLIES


def _variants(tally: Tally, mask: Callable[[str], str]) -> Iterator[Variant]:
    """What was counted of each. A name is shown where the mask has left each of its words as often as it was said."""
    for seen in list(tally.variants.values()) if tally.variants else ():
        if (found := seen.take()) is None:
            continue
        if not seen.is_masked:
            _mask(seen, mask)
        yield replace(found, name=seen.name, text=seen.text)


def _mask(seen: Seen, mask: Callable[[str], str]) -> None:
    text = mask(seen.text)
    if not all(0 < seen.text.count(word) == text.count(word) for word in seen.name.split()):
        hidden = sum(one.is_masked and one.name.startswith(MASK) for one in (seen.tally.variants or {}).values())
        seen.name = f"{MASK} {hidden + 1}" if hidden else MASK  # they stay apart
    seen.text, seen.is_masked = text, True


def _is_done(tally: Tally) -> bool:
    return tally.closed and tally.has_all_taken


def _calls(duty: str) -> tuple[int, ...]:
    """The numbers of the steps of such rules that ring phones."""
    from .._incidents.duty import duty_of

    return tuple(number for number, step in enumerate(duty_of(duty).steps, 1) if step.calls)


def made(first: PendingAlert, collector: Collector, options: Options) -> Alert:
    """The masked alert of a record that was copied."""
    with collector.masking(first.depth):
        if first.digest is not None:
            return masked(first.digest.alert, options.mask)
        kind = digest_of(first.identity, options.mask)
        with noting() as hidden:
            alert = masked(with_source(capture(first, options.origin, kind)), options.mask)
        if hidden:  # a thread that makes it in vain may have seen but a part: what is here stays
            first.__dict__.setdefault("hides", again(_few(hidden)))
        return alert


def _few(values: Iterable[str]) -> list[str]:
    """Of some the first, as many as are remembered."""
    distinct = list(dict.fromkeys(values))
    sums = accumulate(map(len, distinct))
    return [one for one, until in zip(distinct, sums, strict=True) if until <= _MAX_HIDDEN]
