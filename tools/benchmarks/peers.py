"""Who is compared: one small adapter each. All of them talk to the local server only, and to nothing else.

``start(url, rate_limit)`` imports the peer, sets it up as its documentation says, and gives the logger to call.
"""

from __future__ import annotations

import logging
import logging.handlers
import queue
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from typing import Any


@dataclass(frozen=True, slots=True)
class Peer:
    name: str
    distribution: str
    """What is installed for it; empty for the standard library."""
    start: Callable[[str, str | None], Any]
    braces: bool = False
    """Whether its templates are written ``{}`` and not ``%s``."""

    @property
    def version(self) -> str | None:
        """None if it is not installed."""
        try:
            return metadata.version(self.distribution) if self.distribution else "standard library"
        except metadata.PackageNotFoundError:
            return None


def logger_with(handler: logging.Handler | None, name: str = "benchmarks") -> logging.Logger:
    """A logger on its own, from WARNING on."""
    logger = logging.getLogger(name)
    logger.propagate = False
    logger.setLevel(logging.WARNING)
    if handler is not None:
        logger.addHandler(handler)
    return logger


def _null(url: str, rate_limit: str | None) -> Any:
    return logger_with(logging.NullHandler())


def ours(url: str, rate_limit: str | None, state: str = "memory://") -> Any:
    from wecom_logging import WeComBotHandler

    webhook = f"{url}/cgi-bin/webhook/send?key=benchmarks"
    return logger_with(WeComBotHandler(webhook=webhook, rate_limit=rate_limit, state=state))


def _queued(target: logging.Handler) -> Any:
    waiting: queue.Queue[Any] = queue.Queue(-1)
    logging.handlers.QueueListener(waiting, target).start()
    return logger_with(logging.handlers.QueueHandler(waiting))


def _queue(url: str, rate_limit: str | None) -> Any:
    return _queued(logging.NullHandler())


def _queue_requests(url: str, rate_limit: str | None) -> Any:
    import requests

    class Post(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            body = {"msgtype": "text", "text": {"content": self.format(record)}}
            requests.post(f"{url}/cgi-bin/webhook/send?key=benchmarks", json=body, timeout=10)

    return _queued(Post())


def _sentry(url: str, rate_limit: str | None) -> Any:
    import sentry_sdk

    dsn = url.replace("http://", "http://public@") + "/1"
    sentry_sdk.init(dsn=dsn, auto_session_tracking=False, send_client_reports=False)
    return logger_with(logging.NullHandler())


def logstash(url: str, rate_limit: str | None, database: str | None = None) -> Any:
    from logstash_async.handler import AsynchronousLogstashHandler
    from logstash_async.transport import HttpTransport

    host, port = url.removeprefix("http://").split(":")
    transport = HttpTransport(host, int(port), timeout=10, ssl_enable=False)
    return logger_with(AsynchronousLogstashHandler(host, int(port), database_path=database, transport=transport))


def _otel(url: str, rate_limit: str | None) -> Any:
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
    from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
    from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
    from opentelemetry.sdk.resources import Resource

    provider = LoggerProvider(resource=Resource.create({"service.name": "benchmarks"}))
    provider.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter(endpoint=f"{url}/v1/logs")))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the handler moved to a package of its own, which is not needed here
        return logger_with(LoggingHandler(logger_provider=provider))


def _notifier(url: str, rate_limit: str | None) -> Any:
    import wecom_notifier

    wecom_notifier.disable_logger()
    notifier = wecom_notifier.WeComNotifier()

    class Send(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            webhook = f"{url}/cgi-bin/webhook/send?key=benchmarks"
            notifier.send_text(webhook, content=self.format(record), async_send=True)

    return logger_with(Send())


def _loguru(url: str, rate_limit: str | None) -> Any:
    from loguru import logger

    logger.remove()
    logger.add(lambda message: None, level="WARNING", enqueue=True)
    return logger


def _loguru_requests(url: str, rate_limit: str | None) -> Any:
    import requests
    from loguru import logger

    def post(message: str) -> None:
        body = {"msgtype": "text", "text": {"content": message}}
        requests.post(f"{url}/cgi-bin/webhook/send?key=benchmarks", json=body, timeout=10)

    logger.remove()
    logger.add(post, level="WARNING", enqueue=True)
    return logger


NULL = Peer("NullHandler", "", _null)
QUEUE = Peer("QueueHandler, no-op", "", _queue)
QUEUE_REQUESTS = Peer("QueueHandler, requests.post", "requests", _queue_requests)
SENTRY = Peer("sentry-sdk", "sentry-sdk", _sentry)
LOGSTASH = Peer("python-logstash-async", "python-logstash-async", logstash)
LOGURU = Peer("loguru enqueue, no-op", "loguru", _loguru, braces=True)
LOGURU_REQUESTS = Peer("loguru enqueue, requests.post", "loguru", _loguru_requests, braces=True)
OTEL = Peer("opentelemetry batch", "opentelemetry-exporter-otlp-proto-http", _otel)
NOTIFIER = Peer("wecom-notifier", "wecom-notifier", _notifier)
OURS = Peer("wecom_logging", "wecom-logging", ours)
DETECT_SECRETS = Peer("detect-secrets", "detect-secrets", _null)
"""Finds secrets in texts; sends none."""

PEERS = (NULL, QUEUE, QUEUE_REQUESTS, SENTRY, LOGSTASH, LOGURU, LOGURU_REQUESTS, OTEL, NOTIFIER, OURS)
BY_NAME = {peer.name: peer for peer in PEERS}
