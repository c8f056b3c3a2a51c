"""A script whose errors reach a member in WeCom. Run: python examples/plain_script.py (WECOM_… variables set)."""

import logging

from wecom_logging import WeComHandler

log = logging.getLogger("nightly.import")
log.addHandler(WeComHandler(level="ERROR", service="nightly import"))

for row, price in enumerate(["12.50", "8", "n/a"], 1):
    try:
        float(price)
    except ValueError:
        log.exception("row %d has no usable price", row)

# Nothing to wait for here: what was logged is sent before the program ends, within exit_timeout (5 s).
