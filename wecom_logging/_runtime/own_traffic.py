"""Whether this thread is inside our own network calls: records that those make are no alerts."""

from __future__ import annotations

import contextvars

own_traffic: contextvars.ContextVar[bool] = contextvars.ContextVar("wecom_logging_own_traffic", default=False)

OUR_LIBRARIES = ("urllib3", "requests", "charset_normalizer", "idna", "tenacity")
"""Whose records, made there, are left out. The program's own use of them alerts as ever."""
