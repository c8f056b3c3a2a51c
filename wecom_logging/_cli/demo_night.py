"""``wecom-logging demo --night``: an evening, a night and a morning, in twenty seconds.

Handler and sandbox are in this process, and live by one clock (`_runtime.clock`), which is put ahead from one event of
the night to the next. What the page shows above its phones is what ``wecom-logging on-call show`` says at that time.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from .._delivery.duties import Duties
from .._expect import expect
from .._runtime import clock
from .._runtime.worker import living_workers
from ..handlers import WeComAIBotHandler, WeComHandler
from .doctor.outlook import Planned, line_of
from .texts import language, text

if TYPE_CHECKING:
    from .._sandbox import Sandbox

ZONE = ZoneInfo("Asia/Shanghai")
EVENING, BEGINS, ENDS = "22:30", "22:00", "08:00"
FIRST, NEXT, LAST = "张三", "李四", "王五"
PEOPLE = {FIRST: "zhangsan", NEXT: "lisi", LAST: "wangwu"}
TAKE = {"en": "take", "zh": "认领"}
PAUSE_S = 3.0
"""After each of seven events, for who watches the page."""
WAIT_S = 20.0
RINGS = 1
"""What WeCom says of a call that nobody has answered yet."""

log = logging.getLogger("shop.orders")


def prices_are_old() -> None:
    log.error("the prices of %s are a day old", "supplier 7")


class Night:
    """The program of the demo, and its handlers, which hear on what people answer while it is there.

    ``say`` gets a line about each event of its night; then ``pause`` is called.
    """

    def __init__(self, server: Sandbox, say: Callable[[str], object], pause: Callable[[], object]) -> None:
        self._server = server
        self._say = say
        self._said = list[str]()
        for number, (name, user_id) in enumerate(PEOPLE.items(), 1):
            server.add_member(user_id, name=name, departments=[1], mobile=f"1380000000{number}")
        self._pause = pause
        evening = _next(EVENING)
        _let_pass_until(evening)
        monday = evening.date() - timedelta(days=evening.weekday())
        self._app = WeComHandler(
            users="on-call:shop",
            service="web shop",
            answers="aibot",
            language=language(),
            timezone=ZONE.key,
            quiet_hours=f"{BEGINS}-{ENDS}",
            on_call={"shop": {"people": [FIRST, NEXT], "since": f"{monday} 09:00", "every": "1w"}},
            escalation=[{"after": "10m", "users": [NEXT], "how": "call"}, {"after": "25m", "users": [LAST]}],
        )
        self._bot = WeComAIBotHandler(chats=PEOPLE[NEXT], language=language(), timezone=ZONE.key)

    def run(self) -> None:
        """Let it pass. Raises `TimeoutError` where something does not come."""
        reception = self._bot._reception()  # of what people write to the AI bot
        assert reception is not None
        reception.connection.start()
        self._server.aibot.wait_for_subscriber(WAIT_S)
        with _logging_to(self._app):
            self._show()
            self._pause()
            prices_are_old()
            self._tell(EVENING, "night_waits", until=ENDS)
            job = text("demo.night_job")
            expect(job, every="4h", grace="20m", handler=self._app)  # it is due at 02:30, and nobody starts it
            _until(self._has_looked)
            self._at("02:14")
            log.critical("no order can be paid: the payment service does not answer")
            (first,) = self._server.wait(receiver=PEOPLE[FIRST], timeout=WAIT_S)
            self._tell("02:14", "night_first", who=FIRST)
            self._at("02:24")
            self._server.wait(receiver=PEOPLE[NEXT], timeout=WAIT_S)
            _until(lambda: bool(self._server.rings()))
            self._tell("02:24", "night_step", who=NEXT)
            if self._server.rings()[0]["reason"] == RINGS:  # else who watches has done something
                self._server.answer(PEOPLE[NEXT])
            self._at("02:25")
            self._server.wait(2, receiver=PEOPLE[FIRST], timeout=WAIT_S)
            self._take(first["content"])
            self._tell("02:25", "night_taken", who=NEXT)
            for minute in range(29, 52, 2):  # where nobody looks for five minutes, nobody has watched
                self._at(f"02:{minute}")
                _until(self._has_looked)
            _until(lambda: any(job in one.text for one in self._app.incidents()))
            self._tell("02:51", "night_missed", job=job, until=ENDS)
            self._at("07:59")
            prices_are_old()
            self._at(ENDS)
            self._server.wait(receiver=PEOPLE[FIRST], contains=f"{BEGINS}–{ENDS}", timeout=WAIT_S)
            self._tell(ENDS, "night_morning", who=FIRST)

    def _take(self, alert: str) -> None:
        """In the chat with the AI bot; who was told before is told of it."""
        found = re.search(r"#([0-9a-z]{4,})", alert)
        assert found is not None
        self._server.aibot.say(PEOPLE[NEXT], PEOPLE[NEXT], f"{TAKE[language()]} {found[1]}")
        self._server.wait(3, receiver=PEOPLE[FIRST], timeout=WAIT_S)

    def _at(self, wall: str) -> None:
        """The next time that the clocks show this; what was due before is done."""
        self._app.flush(WAIT_S)
        _let_pass_until(_next(wall))
        for worker in living_workers():
            worker.nudge()

    def _has_looked(self) -> bool:
        assert self._app._pipeline is not None
        watched = self._app._pipeline._turn.watch.jobs.all()[1]
        return watched is not None and watched.at > clock.wall() - 60

    def _tell(self, wall: str, row: str, **values: str) -> None:
        self._said.append(f"{wall}  {text(f'demo.{row}', **values)}")
        self._say(self._said[-1])
        self._show()
        self._pause()

    def _show(self) -> None:
        """On the page: what would happen to an alert now, and what has happened."""
        pipeline = self._app._pipeline
        assert pipeline is not None
        channel, shared = pipeline._channels[0], pipeline.options.shared
        duties = Duties(pipeline.options, pipeline.channel_id, channel, clock.now)
        moment = replace(duties.rules(pipeline.options.duty), time=clock.wall())
        planned = Planned("", duties, channel, pipeline.channel_id, moment, shared)
        self._server.show(text("demo.night_plan"), line_of(planned).within(language()))
        self._server.show(text("demo.night_now"), "\n".join(self._said))


@contextmanager
def _logging_to(handler: logging.Handler) -> Iterator[None]:
    """What is logged meanwhile goes there, with the time of the demo's clock."""
    before = log.propagate
    log.propagate = False
    log.addFilter(_by_our_clock)
    log.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.removeFilter(_by_our_clock)
        log.propagate = before


def _by_our_clock(record: logging.LogRecord) -> bool:
    record.created = clock.wall()
    return True


def _now() -> datetime:
    return datetime.fromtimestamp(clock.wall(), ZONE)


def _next(wall: str) -> datetime:
    hour, minute = map(int, wall.split(":"))
    day = _now().replace(hour=hour, minute=minute, second=0, microsecond=0)
    return day if day >= _now() else day + timedelta(days=1)


def _let_pass_until(at: datetime) -> None:
    clock.advance((at - _now()).total_seconds())


def _until(is_so: Callable[[], bool]) -> None:
    ends = time.monotonic() + WAIT_S
    while not is_so():
        if time.monotonic() > ends:
            raise TimeoutError("what is due does not come")
        time.sleep(0.02)
