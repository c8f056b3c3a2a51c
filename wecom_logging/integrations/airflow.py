"""Airflow 3: a notifier for tasks and DAGs that fail.

    from wecom_logging.integrations.airflow import WeComNotifier
    DAG(..., default_args={"on_failure_callback": WeComNotifier(WeComHandler())})

A file of DAGs may be read more than once in a process: give the notifier its handler, or each of them sends.

Source: https://airflow.apache.org/docs/apache-airflow/stable/howto/notifications.html
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from .._render.words import DAG_FAILED, DAG_FAILED_SO, NOTHING_SAYS_WHY, TASK_FAILED, TASK_FAILED_SO
from .._telling import Teller, record_of, record_saying, text_of
from . import need

_sdk: Any = need("airflow.sdk", "3.3", "apache-airflow")


class WeComNotifier(_sdk.BaseNotifier):
    """For ``on_failure_callback`` of a task, a DAG or ``default_args``: sends DAG, task, run, try, log and exception.

    ``handler``: a handler or its name in the logging config; without it every live WeCom handler. Airflow ends the
    processes of tasks by ``os._exit``: it waits until the alert has arrived, at most ``exit_timeout``. Raises
    `ConfigurationError`.
    """

    def __init__(self, handler: logging.Handler | str | None = None) -> None:
        super().__init__()
        self._teller = Teller(handler, "airflow", "the failure").at_start()

    def __deepcopy__(self, memo: object) -> WeComNotifier:
        """Airflow copies tasks; a handler cannot be copied, and there is nothing to change."""
        return self

    def render_template_fields(self, context: Any, jinja_env: Any = None) -> None:
        """Nothing of it is a template; the DAG of a run that Airflow has stored could not render one."""

    def notify(self, context: Any) -> None:
        """What Airflow calls when the task or the run has failed for good."""
        self._teller.tell(_record(context))
        for handler in self._teller.handlers():
            handler.flush()

    async def async_notify(self, context: Any) -> None:
        """The same where Airflow has an event loop."""
        await asyncio.to_thread(self.notify, context)


def _record(context: Any) -> logging.LogRecord:
    """Of a run that failed there is a reason, and the task that it failed by."""
    task, error, reason = (context.get(name) for name in ("ti", "exception", "reason"))
    dag = _first(lambda: context["dag"].dag_id, lambda: task.dag_id)
    fields = {
        "dag": dag,
        "task": _first(lambda: task.task_id),
        "run": _first(lambda: context["run_id"], lambda: context["dag_run"].run_id),
        "try": _first(lambda: task.try_number),
        "log": _first(lambda: task.log_url),
    }
    fields = {name: value for name, value in fields.items() if value is not None}
    is_dag = bool(reason) or "task" not in fields
    what = dag if is_dag else f"{dag}.{fields['task']}"
    if isinstance(error, BaseException):
        return record_of(error, DAG_FAILED if is_dag else TASK_FAILED, what, logger="airflow", fields=fields)
    why, said = error or reason or NOTHING_SAYS_WHY.en, DAG_FAILED_SO if is_dag else TASK_FAILED_SO
    path = f"{'dag' if is_dag else 'task'} {what}"
    return record_saying(said, what, text_of(why), logger="airflow", fields=fields, path=path)


def _first(*asked: Callable[[], object]) -> object:
    """The first that is known: not every context has everything."""
    for ask in asked:
        try:
            if (found := ask()) is not None:
                return found
        except Exception:  # it is not there, or Airflow cannot make it
            continue
    return None
