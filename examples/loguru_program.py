"""loguru: bound values become fields. Run: pip install loguru; python examples/loguru_program.py"""

from loguru import logger

from wecom_logging import WeComHandler
from wecom_logging.integrations.loguru import WeComSink

handler = WeComHandler(service="shop")
logger.add(WeComSink(handler), level="ERROR")

try:
    print(1 / 0)
except ZeroDivisionError:
    logger.bind(order=4711, customer="张三").exception("the order cannot be priced")
