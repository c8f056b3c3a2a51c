"""A logging config in YAML, an app and a bot. Run: pip install PyYAML; python examples/dictconfig_yaml.py"""

import logging
import logging.config
from pathlib import Path

import yaml

logging.config.dictConfig(yaml.safe_load(Path(__file__).with_name("logging.yaml").read_text(encoding="utf-8")))

log = logging.getLogger("shop.orders")
log.info("goes to the console only")
log.error("order %d could not be stored", 4711, extra={"wecom": {"fields": {"customer": "张三", "amount": "88.00"}}})
log.critical("no database answers, nothing can be sold")
