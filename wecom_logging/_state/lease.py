"""`SharedLease`: one of all processes that share a state holds it, and renews it, such as an AI bot's connection.

The lease of a claim is another thing: it is never renewed.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from .base import StateError
from .shared import Shared


class SharedLease:
    """The right to ``name``, by the state's lock of that name: it ends `LOCK_S` seconds after it was renewed last."""

    def __init__(self, shared: Shared, name: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._shared = shared
        self._name = name
        self._clock = clock
        self._holder = 0

    def hold(self) -> bool:
        """Take it, or renew it; whether this process has it now.

        While the state is away whoever has it keeps it, and nobody else takes it.
        """
        try:
            has = self._shared.call(lambda store: store.lock_token(self._name, self._shared.who, self._clock()))
        except StateError:
            return self._holder == os.getpid()
        self._holder = os.getpid() if has else 0
        return has

    def release(self) -> None:
        """Let another process have it at once."""
        if self._holder == os.getpid():
            self._shared.put_token(self._name, "", 0.0)
        self._holder = 0
