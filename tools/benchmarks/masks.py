"""What masking costs and finds, beside another library that finds secrets in texts."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable

from tests import logged
from wecom_logging.redaction import redact

LINES = (
    "GET /orders/4711/items returned 404 after 35 ms for user bob at shop.example.com",
    "connection to 10.0.0.7:5432 lost, retrying in 5 s (attempt 3 of 10)",
    '{"user": "bob", "order": 4711, "items": [{"sku": "A-17", "count": 2}], "status": "failed"}',
    "订单 4711 支付失败：余额不足，用户 bob 请稍后再试（第 3 次）",
    "cache key=user:42 code=200 session 17, authentication ok, token bucket refilled",
    '  File "/srv/shop/app/services/payment.py", line 71, in charge_customer',
)
"""Without a secret."""
SECRETS = [
    (form(name, value), value) for name in logged.NAMES for form in logged.FORMS.values() for value in logged.SECRETS
]
Mask = Callable[[str], str]


def detect_secrets(text: str) -> str:
    """With all of its plugins and filters, what it finds replaced."""
    from detect_secrets.core.scan import scan_line
    from detect_secrets.settings import default_settings

    with default_settings():
        for line in text.splitlines():
            for found in scan_line(line):
                if found.secret_value:
                    text = text.replace(found.secret_value, "***")
    return text


def seconds(mask: Mask, rounds: int) -> float:
    """CPU time of this thread for a line, the least of the rounds."""
    mask(LINES[0])
    found = []
    for _ in range(rounds):
        began = time.thread_time()
        for line in LINES * 20:
            mask(line)
        found.append((time.thread_time() - began) / (20 * len(LINES)))
    return min(found)


def found(mask: Mask, each: int) -> float:
    """The share of secrets that are hidden, of each so-and-so-many-th text."""
    texts = SECRETS[::each]
    return sum(value not in mask(text) and "canary" not in mask(text) for text, value in texts) / len(texts)


def altered(mask: Mask) -> int:
    return sum(mask(line) != line for line in LINES)


def memory() -> float:
    """KiB that the compiled patterns take when all are in use."""
    tracemalloc.start()
    for text in (*logged.TEXTS, *LINES):
        redact(text)
    size = tracemalloc.get_traced_memory()[0] / 1024
    tracemalloc.stop()
    return size
