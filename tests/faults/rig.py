"""A whole pipeline with a real client and real sockets, whose turns a test makes in a time of its own."""

from __future__ import annotations

import logging
import zlib

from tests.programs import Clock
from tests.secrets import BOT_KEY, CORP_SECRET
from tests.wecom.failures import at_once
from wecom_logging._capture.pending import Origin
from wecom_logging._config import RateRules
from wecom_logging._delivery.message_builder import Composer
from wecom_logging._delivery.options import Options
from wecom_logging._masking.redact import masker
from wecom_logging._pipelines import pipeline_of
from wecom_logging._wecom import BotClient, WeComClient
from wecom_logging._wecom.channels import AppChannel, BotChannel, Channel
from wecom_logging._wecom.token import TokenSource
from wecom_logging.model import Recipients, Secret, Stats

GETTOKEN, SEND, PUSH = "/cgi-bin/gettoken", "/cgi-bin/message/send", "/cgi-bin/webhook/send"


class Rig:
    """A pipeline for the scripted WeCom or, with ``for_sandbox``, for the sandbox."""

    def __init__(
        self,
        wecom_url: str,
        *,
        bot: bool = False,
        for_sandbox: bool = False,
        rules: RateRules = (),
        timeout: float = 2.0,
        overflow: str = "trim",
        clock: Clock | None = None,
    ) -> None:
        self.clock = clock or Clock(5_000.0)
        channel: Channel
        if bot:
            key = "sandbox-bot" if for_sandbox else BOT_KEY
            channel = BotChannel(BotClient(key, api_base=wecom_url, timeout=timeout, sleep=at_once))
        else:
            corp_id, secret, agent_id, user = "corp", CORP_SECRET, 1, "zhangsan"
            if for_sandbox:
                corp_id, secret, agent_id, user = "wwsandbox", "sandbox-app-secret", 1000002, "sandbox-user"
            client = WeComClient(corp_id, secret, agent_id=agent_id, api_base=wecom_url, timeout=timeout, sleep=at_once)
            client._app = TokenSource(corp_id, Secret(secret), clock=self.clock)
            channel = AppChannel(client, Recipients(users=(user,)))
        composer = Composer(markdown=False, overflow=overflow)
        options = Options(name="test", origin=Origin(), looks=composer, mask=masker([], None), rules=rules)
        self.pipeline = pipeline_of([channel], options, self.clock)

    @property
    def now(self) -> float:
        return self.clock.now

    def log(self, *texts: str) -> None:
        for text in texts:
            # Each from a line of its own, or they would be one alert; the same in each run.
            self.pipeline.collector.take(
                logging.LogRecord("shop", 40, __file__, zlib.crc32(text.encode()), text, (), None)
            )

    def turn(self) -> float:
        """One turn; the wait that it asks for, which the clock then has gone on by."""
        wait = self.pipeline.turn()
        if wait != float("inf"):
            self.clock.now += wait
        return wait

    def run(self, seconds: float) -> None:
        """Turns for so long."""
        ends = self.now + seconds
        while self.now < ends and self.turn() != float("inf"):
            pass

    def run_until_settled(self, within_s: float) -> float:
        """The seconds until nothing waits any more."""
        began = self.now
        while self.stats().pending:
            assert self.now - began <= within_s, f"still waiting after {within_s} s"
            self.turn()
        return self.now - began

    def stats(self) -> Stats:
        found = self.pipeline.stats()
        settled = found.delivered + found.merged + found.handed_over + sum(found.dropped.values())
        assert found.accepted == settled + found.pending
        return found
