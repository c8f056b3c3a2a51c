"""What hides secrets in texts: `redact_personal` for ``redact=``, and `redactor` for one's own.

The handlers mask by themselves; this is for a program that wants the same for texts of its own, or more of it.
"""

from __future__ import annotations

from ._render.redact import redact, redact_personal, redactor

__all__ = ["redact", "redact_personal", "redactor"]
