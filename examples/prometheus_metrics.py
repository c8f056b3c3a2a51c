"""Numbers for Prometheus. Run: pip install prometheus-client; python examples/prometheus_metrics.py"""

import logging

from prometheus_client import REGISTRY, generate_latest

from wecom_logging import WeComHandler
from wecom_logging.integrations.prometheus import WeComCollector

handler = WeComHandler(level="ERROR", service="shop")
handler.name = "oncall"
logging.getLogger().addHandler(handler)
REGISTRY.register(WeComCollector())

for order in range(4711, 4721):
    logging.error("order %d cannot be priced", order)
handler.flush()

for line in generate_latest(REGISTRY).decode().splitlines():  # elsewhere `start_http_server(9100)` serves it
    if line.startswith("wecom_"):
        print(line)
