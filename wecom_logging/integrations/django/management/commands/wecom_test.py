"""``manage.py wecom_test``: one alert through the handlers of LOGGING."""

from __future__ import annotations

import logging
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from wecom_logging._render.words import ARRIVES
from wecom_logging._telling import Teller, in_our_words
from wecom_logging.model import Stats


class Command(BaseCommand):
    """Sends one alert and waits until it has arrived."""

    help = "Send one alert through the WeCom handlers of this project, and wait until it has arrived."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--timeout", type=float, default=10.0, help="seconds to wait (10)")

    def handle(self, *args: Any, **options: Any) -> None:
        handlers = Teller(getattr(settings, "WECOM_HANDLER", None), "wecom_test").handlers()
        if not handlers:
            raise CommandError("LOGGING has no WeCom handler")
        for handler in handlers:
            name = handler.get_name() or type(handler).__name__
            before: Stats = handler.stats()  # type: ignore[attr-defined] # a handler of ours
            record = logging.LogRecord("wecom_test", logging.ERROR, "", 0, ARRIVES.en, None, None)
            in_our_words(record, ARRIVES)
            handler.handle(record)
            arrived = handler.flush(options["timeout"])  # type: ignore[call-arg, func-returns-value] # ours
            after: Stats = handler.stats()  # type: ignore[attr-defined] # as above
            if not arrived or sum(after.dropped.values()) > sum(before.dropped.values()):
                raise CommandError(f"{name}: it has not arrived; `wecom-logging doctor` says why")
            self.stdout.write(f"{name}: it has arrived")
