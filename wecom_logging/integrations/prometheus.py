"""Prometheus: a collector that shows the counters of every live handler, and whether its state can be used.

    from prometheus_client import REGISTRY
    from wecom_logging.integrations.prometheus import WeComCollector
    REGISTRY.register(WeComCollector())

Source: https://prometheus.github.io/client_python/collector/custom/
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..handlers import live_handlers
from . import need


class WeComCollector:
    """``wecom_alerts_total{handler, outcome}``, ``wecom_alerts_pending{handler}`` and ``wecom_state_up{handler}``.

    ``outcome`` is ``delivered``, ``merged``, ``handed_over`` or a reason for which records were lost. Asking costs no
    request to WeCom. Raises `ConfigurationError`.
    """

    def __init__(self) -> None:
        self._core: Any = need("prometheus_client.core", "0.16", "prometheus-client")

    def collect(self) -> Iterator[Any]:
        """What prometheus_client asks for."""
        total = self._core.CounterMetricFamily(
            "wecom_alerts", "Log records, by what became of them", labels=["handler", "outcome"]
        )
        pending = self._core.GaugeMetricFamily("wecom_alerts_pending", "Log records that wait", labels=["handler"])
        up = self._core.GaugeMetricFamily("wecom_state_up", "Whether the shared state can be used", labels=["handler"])
        for number, handler in enumerate(live_handlers()):
            name = handler.get_name() or f"{type(handler).__name__}-{number}"
            counters = handler.stats()
            outcomes = {"delivered": counters.delivered, "merged": counters.merged, "handed_over": counters.handed_over}
            for outcome, count in {**outcomes, **counters.dropped}.items():
                total.add_metric([name, outcome], count)
            pending.add_metric([name], counters.pending)
            if (is_up := handler.state_is_up()) is not None:
                up.add_metric([name], float(is_up))
        yield from (total, pending, up)
