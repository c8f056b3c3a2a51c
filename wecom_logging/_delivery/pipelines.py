"""Which engine serves a handler: without a shared state the leader of this process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from .._runtime.clock import now
from .._state.shared import alone
from .leader_pipeline import LeaderPipeline
from .options import Options
from .pipeline import Channels, Pipeline

if TYPE_CHECKING:
    from .._wecom.channels import Channel


def pipeline_of(channels: Sequence[Channel] | Channels, options: Options, clock: Callable[[], float] = now) -> Pipeline:
    """A handler's pipeline, by what its state is."""
    if options.shared is alone:
        return LeaderPipeline(channels, options, clock)
    from .shared_pipeline import SharedPipeline

    return SharedPipeline(channels, options, clock)
