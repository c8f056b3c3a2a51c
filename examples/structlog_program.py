"""structlog: bound values become fields. Run: pip install structlog; python examples/structlog_program.py"""

import structlog

from wecom_logging import WeComHandler
from wecom_logging.integrations.structlog import WeComProcessor

handler = WeComHandler(level="ERROR", service="shop")
structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        WeComProcessor(),  # before what makes text of an exception
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer(ensure_ascii=False),
    ]
)
log = structlog.get_logger().bind(order=4711, customer="张三")

try:
    print(1 / 0)
except ZeroDivisionError:
    log.exception("the order cannot be priced")
