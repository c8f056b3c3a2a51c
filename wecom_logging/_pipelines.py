"""Which engine serves a handler, and with which rooms: without a shared state the leader of this process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from ._delivery.options import Options
from ._delivery.pipeline import Channels, Pipeline
from ._runtime.clock import now
from ._state.shared import alone

if TYPE_CHECKING:
    from ._delivery.duty import Duty
    from ._wecom.channels import Channel
    from .model import Recipients


def pipeline_of(channels: Sequence[Channel] | Channels, options: Options, clock: Callable[[], float] = now) -> Pipeline:
    """A handler's pipeline, by what its state is."""
    if options.shared is alone:
        from ._delivery.leader_pipeline import LeaderPipeline

        return LeaderPipeline(channels, options, clock, _duties)
    from ._delivery.shared_pipeline import SharedPipeline

    return SharedPipeline(channels, options, clock)


def _duties(options: Options, own: Recipients, wall: Callable[[], float]) -> Duty:
    """The room of duty, for a leader whose recipients are its ``own``."""
    from ._duty.duties import Duties
    from ._journal.standing import standing
    from .model.duty import Scope, Swap

    return Duties(
        own=own,
        rules=options.duty,
        warn_once=options.warn_once,
        mask=options.mask,
        clock=wall,
        language=options.looks.language,
        scopes=partial(standing, Scope),
        swaps=partial(standing, Swap),
    )
