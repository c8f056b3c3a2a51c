"""An RQ job that fails for the last time. Run: pip install rq; REDIS_URL=redis://… python examples/rq_jobs.py"""

import os

from redis import Redis
from rq import Queue, Retry

from wecom_logging import WeComHandler
from wecom_logging.integrations.rq import WeComWorker


def convert(price: str) -> float:
    return float(price)


if __name__ == "__main__":  # the worker's program, and once also that of who enqueues
    handler = WeComHandler(service="shop")
    redis = Redis.from_url(os.environ.get("REDIS_URL", "redis://localhost"))
    queue = Queue(connection=redis)
    queue.enqueue("rq_jobs.convert", "n/a", retry=Retry(max=2))
    WeComWorker([queue], connection=redis).work(burst=True, logging_level="CRITICAL")
