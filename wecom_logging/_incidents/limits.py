"""What holds of incidents unless an option says otherwise, and how much is kept of one."""

TAKE_FOR_S = 30 * 60.0
QUIET_LIMIT_S = 24 * 3600.0
CRITICAL_QUIET_LIMIT_S = 3600.0

MAX_SAMPLES = 8
MAX_VARIANTS = 64
"""Of an incident that stands for many, so many have their names told."""

MAX_TOLD_TOO = 16
"""Of the audiences that steps of an escalation have told, so many are kept; of the persons on call, too."""
