"""The long connections of this process: one for each AI bot, whichever handlers send through it."""

from __future__ import annotations

import weakref

from .._masking.redact import remember
from .._runtime.warn import warn_once
from ..model import Secret
from .long_connection import LongConnection

_connections: weakref.WeakValueDictionary[tuple[str, str], LongConnection] = weakref.WeakValueDictionary()


def connection_of(url: str, bot_id: str, secret: Secret, timeout_s: float) -> LongConnection:
    """The one connection that all handlers of a bot have."""
    found = _connections.get((url, bot_id))
    if found is None or found.secret != secret:
        found = _connections[url, bot_id] = LongConnection(url, bot_id, secret, timeout_s=timeout_s, say=warn_once)
        remember(secret.reveal())
    return found
