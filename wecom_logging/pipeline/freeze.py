"""Steps 5 and 6: what waits becomes a digest that stays as it is, however often it is sent."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from ..model import Digest, Sample
from .capture import capture, finite
from .groups import Group
from .holdings import Holdings
from .inbox import Waiting
from .intake import Intake
from .mask import masked, slim
from .options import Options
from .source import with_source


@dataclass(frozen=True, slots=True)
class Freezer:
    """Makes alerts of snapshots, and digests of alerts and counts. All text is masked."""

    options: Options
    intake: Intake

    def digest(self, waiting: Waiting, held: Holdings, *, fresh: bool = False) -> Digest:
        """With all that is counted by now; ``fresh``: it tells the first of a group alone."""
        if waiting.group is not None and waiting.digest is None:
            held.claim(waiting, waiting.group, nothing=fresh)
            waiting.digest = self._digest(waiting, waiting.group, fresh=fresh)
        elif waiting.digest is not None and waiting.same is None:  # another handler's: its numbers stay
            waiting.same = 0
            with self.intake.masking(waiting.depth):
                waiting.digest = replace(waiting.digest, alert=masked(waiting.digest.alert, self.options.mask))
        assert waiting.digest is not None
        waiting.snapshot = None
        return waiting.digest

    def _digest(self, waiting: Waiting, group: Group, *, fresh: bool) -> Digest:
        if waiting.snapshot is not None:
            with self.intake.masking(waiting.depth):
                captured = waiting.alert or capture(waiting.snapshot, self.options.origin)
                alert = masked(with_source(captured), self.options.mask)
            group.alert = slim(alert)
        elif group.alert is not None:
            alert = group.alert
        else:
            raise LookupError("its first alert could not be shown")
        since, group.since = group.since, time.time()
        if fresh:
            return Digest(alert)
        with self.intake.masking(waiting.depth):
            samples = [group.samples.popleft() for _ in range(len(group.samples))]
            shown = tuple(Sample(one.time, self.options.mask(one.text)) for one in samples)
        group.open_room()
        return Digest(
            alert,
            count=waiting.captured + (waiting.same or 0),
            total=group.total,
            since=finite(since, 0.0),
            last=finite(group.last, 0.0),
            samples=shown,
            rates=tuple(group.life.rates),
            quiet_s=waiting.quiet_s,
        )
