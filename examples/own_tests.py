"""A test of a program's own logging: who would be told what; nothing goes out. Run: pytest examples/own_tests.py"""

import logging
import logging.config

from wecom_logging.testing import CapturedAlerts, capture_alerts

CONFIG = {
    "version": 1,
    "handlers": {
        "wecom": {
            "class": "wecom_logging.WeComHandler",
            "level": "ERROR",
            "corp_id": "any",
            "agent_id": 1,
            "secret": "thing",  # any values will do
            "users": ["zhangsan"],
            "routes": [{"logger": "payments", "users": ["lisi"]}],
        }
    },
    "root": {"handlers": ["wecom"]},
}


def check(alerts: CapturedAlerts) -> None:
    logging.getLogger("payments").error("card refused, token=%s", "a8f7-secret")
    logging.getLogger("payments").warning("slow")
    (alert,) = alerts
    assert alert.recipients.users == ("lisi",)
    assert "card refused" in alert.text
    assert "a8f7" not in alert.text


def test_payments_are_told_to_lisi(wecom_alerts: CapturedAlerts) -> None:
    logging.config.dictConfig(CONFIG)
    check(wecom_alerts)


if __name__ == "__main__":  # without pytest
    logging.config.dictConfig(CONFIG)
    with capture_alerts() as found:
        check(found)
    print(found[0].text.splitlines()[0])
