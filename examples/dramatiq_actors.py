"""A Dramatiq actor that is given up after its retries. Run: pip install dramatiq; python examples/dramatiq_actors.py"""

import dramatiq
from dramatiq.brokers.stub import StubBroker

from wecom_logging import WeComHandler
from wecom_logging.integrations.dramatiq import WeComMiddleware

handler = WeComHandler(service="shop")
broker = StubBroker()  # elsewhere RabbitMQ's or Redis's
broker.add_middleware(WeComMiddleware())
dramatiq.set_broker(broker)


@dramatiq.actor(max_retries=2, min_backoff=1, max_backoff=1)
def ship(order: int) -> None:
    raise ConnectionError("the warehouse does not answer")


if __name__ == "__main__":  # as `dramatiq dramatiq_actors` would
    worker = dramatiq.Worker(broker, worker_timeout=50)
    worker.start()
    ship.send(4711)
    broker.join("default", fail_fast=False)
    worker.join()
    worker.stop()
