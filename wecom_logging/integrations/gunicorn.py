"""gunicorn: why a worker cannot load its application, where gunicorn only prints it.

    from wecom_logging.integrations.gunicorn import worker_exit

in ``gunicorn.conf.py``, beside a handler in ``logconfig_dict``.

Source: https://docs.gunicorn.org/en/stable/settings.html#worker-exit
"""

from __future__ import annotations

import sys
from typing import Any

from .._render.words import NOT_LOADED
from .._telling import Teller, record_of
from . import need

need("gunicorn", "23.0", "gunicorn")


def worker_exit(server: Any, worker: Any) -> None:
    """gunicorn's server hook. A configuration that has one of this name calls this from it. Raises nothing."""
    error = sys.exception()
    cause = error.__context__ if isinstance(error, SystemExit) else None
    if isinstance(cause, Exception) and not worker.booted:
        Teller(None, "gunicorn").tell(record_of(cause, NOT_LOADED, logger="gunicorn.error"))
