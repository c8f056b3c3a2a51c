"""Celery: a task that failed for the last time, told by the worker's own process, with what it was called with.

    from wecom_logging.integrations.celery import connect
    connect()

Source: https://docs.celeryq.dev/en/stable/userguide/signals.html
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from ..handlers import live_handlers
from ..pipeline.context import context
from ..telling import Teller, record_of, text_of
from ._need import need

_MAX_TEXT = 1024
_kept: list[Any] = []


def connect(handler: logging.Handler | str | None = None) -> None:
    """Tell tasks that fail, and say in which task anything was logged.

    Celery's worker empties the root logger when it sets up logging: handlers that are there now come back. A task that
    is tried again is told when its retries are used up, with their number. ``handler``: a handler or its name in the
    logging config; without it every live WeCom handler. Raises `ConfigurationError`.
    """
    signals: Any = need("celery.signals", "5.2", "celery")
    teller = Teller(handler, "celery").at_start()
    root = logging.getLogger()
    ours = [one for one in live_handlers() if one in root.handlers]
    _kept.extend(live_handlers())  # logging knows them weakly, and the root is about to forget them

    def after_setup(logger: logging.Logger, **_: object) -> None:
        for one in ours:
            if one not in logger.handlers:
                logger.addHandler(one)

    def begin(task: Any, task_id: str, args: Any, kwargs: Any, **_: object) -> None:
        task.request._wecom_token = context.set(lambda: _fields(task, task_id, args, kwargs))

    def end(task: Any, **_: object) -> None:
        token = getattr(task.request, "_wecom_token", None)
        if token is not None:
            try:
                context.reset(token)
            except ValueError:  # another greenlet's or thread's
                context.set(None)

    def failed(sender: Any, task_id: str, exception: BaseException, args: Any, kwargs: Any, **_: object) -> None:
        teller.tell(
            record_of(
                exception,
                level=logging.ERROR,
                message="task %s failed: %s: %s",
                args=(sender.name, type(exception).__name__, text_of(exception)),
                logger="celery",
                fields=None if context.get() else _fields(sender, task_id, args, kwargs),
            )
        )

    def flush(**_: object) -> None:
        for one in teller.handlers():
            one.flush()

    for signal, receiver in (
        (signals.after_setup_logger, after_setup),
        (signals.task_prerun, begin),
        (signals.task_postrun, end),
        (signals.task_failure, failed),
        (signals.worker_process_shutdown, flush),
    ):
        signal.connect(receiver, weak=False, dispatch_uid=f"wecom_logging.{receiver.__name__}")


def _fields(task: Any, task_id: str, args: Any, kwargs: Any) -> Mapping[str, object]:
    found: dict[str, object] = {"task": task.name, "id": task_id}
    if args:
        found["args"] = text_of(args)[:_MAX_TEXT]
    if kwargs:
        found["kwargs"] = text_of(kwargs)[:_MAX_TEXT]
    if task.request.retries:
        found["retries"] = task.request.retries
    return found
