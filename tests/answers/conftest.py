"""A desk over three processes that share a state, or over one with its own memory."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from wecom_logging._answers.command import read
from wecom_logging._answers.desk import Desk
from wecom_logging._answers.reply import Reply
from wecom_logging._answers.shared_place import SharedPlace
from wecom_logging._delivery.pipeline import Pipeline
from wecom_logging._state.shared import alone
from wecom_logging.model import Answer

from ..state.test_answers import Jobs
from ..state.test_one_cause import Time, states
from ..storms import Recorder, pipeline
from ..valkey_server import Server


class Office(Jobs):
    """Jobs, and somebody who types. Its time is that of the jobs."""

    def __init__(self, jobs: list[Pipeline], channel: Recorder, clock: Time, **options: Any) -> None:
        super().__init__(jobs, channel, clock)
        self._began = time.time() - clock.now if jobs[0].options.shared is not alone else 0.0
        for job in jobs:
            job._worker.nudge = lambda: None  # its turns are made here
        self.shared = jobs[0].options.shared
        place = jobs[0].place if self.shared is alone else SharedPlace(self.shared)
        self.desk = Desk(lambda: [place], time_s=self.time_s, **options)

    def time_s(self) -> float:
        return self._began + self.clock.now

    def type(self, text: str, who: str = "Li", quoted: str = "") -> Reply:
        return self.desk.do(read(text, quoted), who, "chat ops")

    @property
    def journal(self) -> tuple[Answer, ...]:
        """What people did with what is open."""
        answers = self.open()[0].answers
        return getattr(answers, "journal", answers)

    @property
    def name(self) -> str:
        """The short id of what was told last."""
        return re.findall(r"#(\w+)", self.channel.told[-1].text)[-1]


@pytest.fixture
def server() -> Iterator[Server]:
    """A Valkey of its own."""
    made = Server()
    yield made
    made.close()


@pytest.fixture(params=["memory", "sqlite"])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Office]:
    clock = Time(time.time() if request.param == "memory" else 1_000_000.0)  # in memory it is the wall
    channel = Recorder(clock)
    with states(request.param, tmp_path, clock, lambda: request.getfixturevalue("server")) as shared:
        yield Office([pipeline(channel, clock, shared=one) for one in shared], channel, clock)
