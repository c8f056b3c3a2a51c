"""Several processes log through one queue, and one of them tells. Run: python examples/processes.py"""

import logging
from logging.handlers import QueueHandler, QueueListener
from multiprocessing import Process, Queue

from wecom_logging import WeComHandler


def crawl(queue: "Queue[logging.LogRecord]", page: int) -> None:
    logging.getLogger().addHandler(QueueHandler(queue))
    try:
        raise ConnectionError("the proxy pool is empty")
    except ConnectionError:
        logging.getLogger("crawler").exception("page %d cannot be read", page)


if __name__ == "__main__":
    queue: "Queue[logging.LogRecord]" = Queue()
    listener = QueueListener(queue, WeComHandler(level="ERROR", service="crawler"))
    listener.start()
    children = [Process(target=crawl, args=(queue, page)) for page in (1, 2, 3)]
    for child in children:
        child.start()
    for child in children:
        child.join()
    listener.stop()
