"""Which engine serves a handler: without a shared state the leader of this process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from .._runtime.clock import now
from .._state.shared import alone
from .options import Options
from .pipeline import Channels, Pipeline

if TYPE_CHECKING:
    from .._wecom.channels import Channel

LEADS = True
"""Whether a handler without a shared state holds a leader."""


def pipeline_of(channels: Sequence[Channel] | Channels, options: Options, clock: Callable[[], float] = now) -> Pipeline:
    """A handler's pipeline, by what its state is."""
    if options.shared is alone and LEADS:
        from .leader_pipeline import LeaderPipeline

        return LeaderPipeline(channels, options, clock)
    from .shared_pipeline import SharedPipeline

    return SharedPipeline(channels, options, clock)
