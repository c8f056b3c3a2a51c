"""The program that the demo runs: what a user's own program looks like, with an app, a group's bot and an AI bot."""

from __future__ import annotations

import logging
import logging.config
import time

from wecom_logging import notify_on_exception

SAID = {"service": "web shop", "environment": "demo"}
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "   %(levelname)s %(name)s: %(message)s"}},
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "line", "stream": "ext://sys.stdout"},
        "wecom": {"class": "wecom_logging.WeComHandler", "level": "ERROR", **SAID},
        "group": {
            "class": "wecom_logging.WeComBotHandler",
            "level": "CRITICAL",
            "mention": ["sandbox-user"],
            **SAID,
        },
        "chat": {
            "class": "wecom_logging.WeComAIBotHandler",
            "level": "CRITICAL",
            "chats": ["sandbox-user"],
            **SAID,
        },
    },
    "loggers": {"shop.prices": {"handlers": ["wecom"], "propagate": False}},  # it storms: not onto the console
    "root": {"level": "INFO", "handlers": ["console", "wecom", "group", "chat"]},
}

STORM = 10_000

log = logging.getLogger("shop.payments")


def charge(order: int, amount: float) -> None:
    if amount < 0:
        raise ValueError(f"order {order}: an amount of {amount} cannot be charged")


@notify_on_exception(title="夜间对账失败 / nightly balance failed")
def balance(books: dict[str, float]) -> float:
    return books["income"] - books["expenses"]


def main() -> None:
    logging.config.dictConfig(LOGGING)
    log.info("an info is below the handler's level and goes to the console only")
    try:
        charge(4711, -12.5)
    except ValueError:
        log.exception("the payment of order %d failed", 4711)
    try:
        balance({"income": 100.0})
    except KeyError:
        log.info("a decorated function raised; it was told, and raised again")
    for host in ("db-1", "db-2", "db-3"):
        log.error("no connection to %s (user=shop password=%s)", host, "a-secret-that-must-not-show")
    log.critical(
        "磁盘已满 💾 no space left on /var/lib/orders, nothing can be sold",
        extra={"wecom": {"fields": {"free": "0 B"}}},
    )
    began = time.perf_counter()
    for order in range(STORM):
        logging.getLogger("shop.prices").error("order %d: the price service does not answer", order)
    log.info("a storm: %d errors of one kind, logged in %.0f ms", STORM, (time.perf_counter() - began) * 1000)
    for handler in logging.getLogger().handlers:  # the counts, too, which the state would keep for their time
        handler.flush()


if __name__ == "__main__":
    main()
