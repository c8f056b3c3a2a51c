"""Dramatiq: an actor that failed for the last time.

    from wecom_logging.integrations.dramatiq import WeComMiddleware
    broker.add_middleware(WeComMiddleware())

Source: https://dramatiq.io/reference.html#middleware
"""

from __future__ import annotations

import logging
from typing import Any

from .._render.words import ACTOR_FAILED
from .._telling import Teller, record_of
from . import need

_dramatiq: Any = need("dramatiq", "1.14", "dramatiq")


_OWN_WORDS = ("Failed to process message %s with unhandled exception", "Retries exceeded for message")


def _is_ours_to_tell(record: logging.LogRecord) -> bool:
    """Dramatiq itself logs each failed try: the message is sent once, when it is tried no more."""
    return not (record.name.startswith("dramatiq.") and str(record.msg).startswith(_OWN_WORDS))


class WeComMiddleware(_dramatiq.Middleware):
    """Sends the exception of a message that is given up, once, with the number of its tries.

    ``handler``: a handler or its name in the logging config; without it every live WeCom handler. Dramatiq's own
    records about a failed try are kept from handlers that exist when the worker starts. Raises `ConfigurationError`.
    """

    def __init__(self, handler: logging.Handler | str | None = None) -> None:
        self._teller = Teller(handler, "dramatiq").at_start()

    def before_worker_boot(self, broker: Any, worker: Any) -> None:
        """What dramatiq asks for: the handlers are there by now."""
        for found in self._teller.found():
            found.addFilter(_is_ours_to_tell)

    def after_process_message(self, broker: Any, message: Any, *, result: Any = None, exception: Any = None) -> None:
        """What dramatiq asks for: the exception is kept until it is clear that no retry follows."""
        message._wecom_error = exception
        if not any(isinstance(one, _dramatiq.middleware.Retries) for one in broker.middleware):
            self.after_nack(broker, message)

    def after_nack(self, broker: Any, message: Any) -> None:
        """What dramatiq asks for: the message is not tried again."""
        error = getattr(message, "_wecom_error", None)
        actor = broker.actors.get(message.actor_name)
        expected = actor.options.get("throws") if actor is not None else None
        if error is None or isinstance(error, expected or ()):  # what is expected Dramatiq logs at INFO
            return
        fields = {
            "message": message.message_id,
            "queue": message.queue_name,
            "args": message.args,
            "kwargs": message.kwargs,
            "tries": message.options.get("retries", 1),
        }
        self._teller.tell(record_of(error, ACTOR_FAILED, message.actor_name, logger="dramatiq", fields=fields))
