"""For how long an answer quietens an incident, and how much is kept of one."""

import logging

TAKE_FOR_S = 30 * 60.0
QUIET_LIMIT_S = 24 * 3600.0
CRITICAL_QUIET_LIMIT_S = 3600.0


def quiet_limit_s(level: int) -> float:
    """For how long a person may silence an incident of this level."""
    return CRITICAL_QUIET_LIMIT_S if level >= logging.CRITICAL else QUIET_LIMIT_S


MAX_SAMPLES = 8
MAX_VARIANTS = 64
"""Of an incident that stands for many, so many have their names told."""

MAX_TOLD_TOO = 16
"""Of the audiences that steps of an escalation have told, so many are kept; of the persons on call, too."""

SUMMARY_S = 60.0
"""One summary of a flood in so long, for each audience."""

GATHER_S = 4.0
"""For so long after a summary what is not urgent is gathered: then is seen whether the flood lasts."""

BEAT_S = 600.0
"""Jobs that one scheduler has not started share a message in so long."""

CRITICAL = 50
"""From this level on a new incident waits for no other."""

PATIENCE = 3
"""After so many rounds that failed an incident goes behind all others: WeCom may refuse just this one."""

MESSAGES = 3
"""What so many messages can hold is no flood."""


def no_flood(held: int) -> int:
    """How many incidents are no flood, where a message holds so many."""
    return held * MESSAGES
