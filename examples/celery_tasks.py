"""A Celery task that fails when its retries are used up. Run: pip install celery; python examples/celery_tasks.py"""

import logging

from celery import Celery, Task
from celery.contrib.testing.worker import start_worker

from wecom_logging import WeComHandler
from wecom_logging.integrations.celery import connect

logging.getLogger().addHandler(WeComHandler(level="ERROR", service="shop"))
connect()

app = Celery("shop", broker="memory://", backend="cache+memory://")


@app.task(name="shop.price", bind=True, max_retries=2, default_retry_delay=0)
def price(self: Task, order: int) -> str:
    try:
        return {1: "9.90"}[order]
    except KeyError as error:
        raise self.retry(exc=error) from error


if __name__ == "__main__":  # elsewhere a broker, and `celery -A celery_tasks worker`; here a worker in a thread
    with start_worker(app, perform_ping_check=False, loglevel="CRITICAL"):
        result = price.delay(4711)
        result.get(timeout=30, propagate=False)
        print(result.state)
