"""`Alerts`: alerts, digests, and what a shared store gets, made of what was captured. All text in them is masked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from .._capture.collapse import failure_form
from .._capture.collector import Collector
from .._capture.identity import digest_of
from .._capture.pending import PendingAlert
from .._capture.tally import Tally
from .._capture.texts import instant
from .._incidents import answered, life
from .._incidents.cause import cause_key
from .._incidents.fingerprint import audience_of, group_key
from .._incidents.incident import Count, Incident, Kept
from .._incidents.pattern import pattern
from .._incidents.view import with_answer
from .._masking.redact import MASK
from .._render.headline import named
from .._render.mask import Mask, slim
from .._state.base import StateError
from .._state.entries import dump
from .._state.failover import Claim
from .._state.memory import UNNAMED, MemoryStore
from .._state.write_ahead import Line, Ticket
from .._wecom.channels import Channel
from ..model import Alert, Digest, Recipients, Sample, Variant
from .inbox import made
from .options import Options

_MAX_ENTRY = 256 * 1024
_MAX_NAME, _MAX_TEXT = 200, 1024
"""Characters of a variant."""
_MAX_SHOWN = 256
"""Samples of an incident that are remembered, so that none is shown twice."""


@dataclass(eq=False, repr=False)
class Alerts:
    """Those of one handler. ``channel_id`` names all its ``channels``."""

    _collector: Collector
    _memory: MemoryStore
    _channels: Sequence[Channel]
    _channel_id: str
    _options: Options
    _clock: Callable[[], float]

    def make(self, first: PendingAlert) -> Alert:
        """The alert of a record that was copied."""
        return made(first, self._collector, self._options)

    def known(self, claim: Claim) -> Claim:
        """With what its alert tells: its cause."""
        incident, alert = claim.incident, claim.incident.first.alert
        return replace(claim, incident=replace(incident, cause=incident.cause or cause_key(alert)))

    def digest(self, claim: Claim) -> Digest:
        """What is told of an incident now."""
        incident = claim.incident
        first, short_id = incident.first, self.short_id(incident)
        alert = self._alert(incident)
        if isinstance(first, PendingAlert) and first.digest is not None:  # another handler's: its numbers stay
            return replace(first.digest, alert=alert, short_id=short_id)
        now, times = self._clock(), (answered.times(incident), incident.times_since or incident.began)
        has_ended = life.has_ended(incident, claim.claimed_at)
        if life.alone(incident, now) is incident and incident.count == incident.untold == 1 and not has_ended:
            digest = Digest(alert, short_id=short_id, times=times[0], times_since=times[1])
            return with_answer(digest, incident, self._options.shared.time_s())
        variants = incident.variants if claim.is_shared else self._variants(incident)
        is_over = life.is_over(incident, claim.claimed_at)
        digest = Digest(
            alert,
            count=incident.untold,
            total=answered.total(incident),
            since=instant(incident.since, 0.0),
            last=instant(incident.last, 0.0),
            samples=self._new_samples(incident, alert, variants),
            variants=variants,
            rates=incident.rates,
            quiet_s=life.quiet_for_s(incident, now) if is_over and not answered.is_first(incident) else 0.0,
            is_over=has_ended,
            has_stopped=life.has_stopped(incident, now),
            is_rare=life.is_rare(incident),
            times=times[0],
            times_since=times[1],
            hosts=incident.hosts,
            processes=incident.processes,
            short_id=short_id,
        )
        return with_answer(digest, incident, self._options.shared.time_s())

    def short_id(self, incident: Incident) -> str:
        """In memory it is given when the alert is made, which tells the group key."""
        if incident.short_id:
            return incident.short_id
        alert = incident.first.alert
        return self._memory.name(self._channel_id, incident.key, group_key(alert, self._meant(alert)))

    def publish(self, incident: Incident) -> Count:
        """An incident of this process's memory for the shared store."""
        alert, _ = self._public(self._alert(incident))
        is_first = incident.key.startswith(UNNAMED)
        key = group_key(alert, alert.recipients) if is_first else incident.key
        among, variants = self._as_a_variant(incident, alert) if is_first else ("", ())
        return Count(
            key=key,
            number=incident.untold,
            level=incident.level,
            window_s=incident.window_s,
            duty=incident.duty,
            steps=incident.steps,
            last=incident.last,
            first=Kept(alert),
            samples=self._samples(incident),
            variants=variants or self._variants(incident),
            among=among,
            crowded=not incident.rank % 2,
            audience=audience_of(alert.recipients),
            cause=incident.cause or cause_key(alert),
            event="" if incident.told or incident.key == key else alert.id,
        )

    def _as_a_variant(self, incident: Incident, alert: Alert) -> tuple[str, tuple[Variant, ...]]:
        """Of a first alert that is one of many variants, or may be: the key of the incident of all, which another
        process may have told, and what it is called there."""
        tally = self._collector.intake.of(incident.key)
        if tally is None or not (tally.variants or tally.identity.is_failure):
            return "", ()
        identity = tally.identity
        if identity.is_free:
            identity = identity.collapsed(failure_form(identity.text))
        of_many = replace(alert, kind=digest_of(identity, self._options.mask))
        text = said = alert.message
        if alert.failures:
            said = alert.failures[-1].text
            text = named(text, alert.failures[-1].type, said)
        variant = Variant(said.partition("\n")[0][:_MAX_NAME], incident.untold, text[:_MAX_TEXT], alert.time, True)
        return group_key(of_many, alert.recipients), (variant,)

    def write_ahead(self, tally: Tally, alert: Alert) -> Ticket:
        """In the calling thread: an alert survives this process from now on, if the ticket says so."""
        shared = self._options.shared
        assert shared.write_ahead is not None
        public, entry = self._public(alert)
        key = group_key(public, public.recipients)
        ticket = Ticket(shared.write_ahead)
        try:
            duty, steps = self._options.duty, self._options.steps(tally.level)
            line = Line(self._channel_id, key, tally.level, self._options.window_s, alert.host, entry, duty, steps)
            shared.write_ahead.append(ticket, line)
        except StateError as error:
            shared.warn_once(error)
        except BaseException:  # Ctrl-C, while the disk may be about to take it
            ticket.done()
            raise
        return ticket

    def _public(self, alert: Alert) -> tuple[Alert, str]:
        """As others get it, and its text: it goes to those that it was meant for, whichever process sends it."""
        meant = self._meant(alert)
        public = alert if meant == alert.recipients else replace(alert, recipients=meant)
        text = dump(public)
        if len(text) > _MAX_ENTRY:
            public = slim(public)
            text = dump(public)
        return public, text

    def _meant(self, alert: Alert) -> Recipients | None:
        return self.meant(alert.logger, alert.level, alert.recipients)

    def meant(self, logger: str, level: int, given: Recipients | None) -> Recipients | None:
        """Who gets an alert, with the handler's own recipients where neither it nor a route names any."""
        recipients = self._options.recipients(logger, level, given)
        return self._channels[0].addressed(recipients) or recipients

    def _alert(self, incident: Incident) -> Alert:
        """The first alert of one. What was hidden in it is hidden in its samples and variants, too."""
        first = incident.first
        alert = first.alert
        tally = self._collector.intake.of(incident.key)
        if tally is not None and isinstance(first, PendingAlert):
            tally.hides = first.hides or tally.hides
        return alert

    @contextmanager
    def _masking(self, incident: Incident) -> Iterator[Mask]:
        """What masks a further text of an incident."""
        tally = self._collector.intake.of(incident.key)
        hides = None if tally is None else tally.hides
        with self._collector.masking(1 if tally is None else tally.depth):
            yield self._options.mask if hides is None else lambda text: hides(self._options.mask(text))

    def _variants(self, incident: Incident) -> tuple[Variant, ...]:
        """A name is shown where the mask has left each of its words as often as it was said."""
        variants = []
        with self._masking(incident) as mask:
            for variant in incident.variants:
                text = mask(variant.text)
                is_shown = all(0 < variant.text.count(word) == text.count(word) for word in variant.name.split())
                name = variant.name if is_shown else MASK
                variants.append(replace(variant, name=name, text=text))
        return tuple(variants)

    def _samples(self, incident: Incident) -> tuple[Sample, ...]:
        if not incident.samples:
            return ()
        with self._masking(incident) as mask:
            return tuple(Sample(one.time, mask(one.text)) for one in incident.samples)

    def _new_samples(self, incident: Incident, alert: Alert, variants: Sequence[Variant]) -> tuple[Sample, ...]:
        """Those that differ from the first, and from what was shown, in more than values."""
        said = [alert.message, alert.formatted or "", *(variant.text for variant in variants)]
        said += [named(alert.message, last.type, last.text) for last in alert.failures[-1:]]
        known = set(map(pattern, said))
        tally, new = self._collector.intake.of(incident.key), list[Sample]()
        shown = {} if tally is None else tally.shown
        for one in self._samples(incident):
            form = pattern(one.text)
            if form not in known and shown.setdefault(form, one.time) == one.time:
                new.append(one)
            known.add(form)
        if len(shown) > _MAX_SHOWN:
            shown.clear()
        return tuple(new)
