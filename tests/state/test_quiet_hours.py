"""Quiet hours over every store, with the time in hand: what is held, and what the morning says."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from wecom_logging._config.duty import quiet_hours
from wecom_logging._delivery.message_builder import Composer
from wecom_logging._delivery.pipeline import Pipeline
from wecom_logging._incidents import answered
from wecom_logging._incidents.duty import duty_of, duty_text
from wecom_logging._incidents.incident import Incident
from wecom_logging._sandbox import Sandbox
from wecom_logging._state.base import answer
from wecom_logging._state.shared import Shared
from wecom_logging.errors import InvalidMessageError
from wecom_logging.model import Recipients, Route
from wecom_logging.model.duty import ALL_LEVELS, Duty, Rota, Step

from ..programs import run
from ..storms import Recorder, Told, pipeline, record, settled
from .conftest import SHARED, STORES
from .test_one_cause import Time, go_on, states

ZONE = ZoneInfo("Asia/Shanghai")
EVENING = "2026-12-07 21:00"  # a Monday


class Night:
    """Processes that share a store, or one with its memory, from an evening on. ``at(wall)`` lets time pass until."""

    def __init__(self, shared: list[Shared], clock: Time, hours: str, **changes: Any) -> None:
        self.clock, self.channel = clock, Recorder(clock)
        self._began = clock.now
        self.ahead_s = 0.0
        """By how much the clock on the wall was put ahead."""
        duty = duty_text(Duty(zone=str(ZONE), quiet=quiet_hours(hours), **changes.pop("rules", {})))
        looks = Composer(markdown=False, zone=ZONE)
        given = {"duty": duty, "looks": looks, **changes}
        self.new = lambda: [pipeline(self.channel, clock, shared=one, **given) for one in shared]
        self.jobs: list[Pipeline] = self.new()
        self.is_shared = len(shared) > 1

    def time(self) -> float:
        began = datetime.fromisoformat(EVENING).replace(tzinfo=ZONE).timestamp()
        return began + self.clock.now - self._began + self.ahead_s

    def wall(self, at: float) -> str:
        """A time of the clock, as it stands on the wall."""
        time = self.time() + at - self.clock.now
        return f"{datetime.fromtimestamp(time, ZONE):%m-%d %H:%M}"

    def at(self, wall: str, step: float = 600.0) -> None:
        ends = datetime.fromisoformat(f"2026-{wall}").replace(tzinfo=ZONE).timestamp()
        while self.time() < ends:
            go_on(self.jobs, self.clock, min(step, ends - self.time()))
        go_on(self.jobs, self.clock, 0.0)

    def fail(self, text: str, times: int = 1, level: int = logging.ERROR, job: int = 0) -> None:
        line = sum(map(ord, text))
        for _ in range(times):
            made = record(text, line=line, level=level, created=self.time())
            self.jobs[job % len(self.jobs)].collector.take(made)
        go_on(self.jobs, self.clock, 0.5)

    def morning(self) -> None:
        """From just before eight until a quarter past."""
        self.at("12-08 07:59")
        self.at("12-08 08:02", 1.0)
        self.at("12-08 08:15", 60.0)

    @property
    def told(self) -> list[Told]:
        return self.channel.told

    def restart(self) -> None:
        """All processes end, and others come."""
        for job in self.jobs:
            job.give_up()
        self.jobs = self.new()


@pytest.fixture
def night(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Night]]:
    """One over a store of a kind."""
    with ExitStack() as stack:

        def made(kind: str, hours: str = "22:00-08:00", **changes: Any) -> Night:
            clock = Time(1_000_000.0)
            shared = stack.enter_context(states(kind, tmp_path, clock, lambda: request.getfixturevalue("server")))
            found = Night(shared, clock, hours, **changes)
            monkeypatch.setattr(Shared, "time_s", lambda self: found.time())
            return found

        yield made


@pytest.mark.parametrize("kind", SHARED)
def test_q1_the_morning_tells_once_what_was_held_and_goes_on(kind: str, night: Callable[..., Night]) -> None:
    one = night(kind)
    one.at("12-07 21:59")
    one.fail("before the night")
    assert len(one.told) == 1
    one.at("12-07 22:00")
    one.fail("the disk is full", 3)
    one.at("12-07 23:00")
    one.fail("no stock", job=1)
    one.fail("no stock", job=2)
    one.at("12-08 03:00")
    assert len(one.told) == 1
    one.at("12-08 07:58")
    one.fail("the disk is full", 2, job=1)
    one.morning()
    assert [one.wall(message.at) for message in one.told[1:]] == ["12-08 08:00"]
    headline, *others = one.told[1].text.split("\n\n")
    assert headline == "🔴 quiet hours 22:00–08:00 · 2 incidents, 1 still open"
    assert ["the disk is full" in text for text in others] == [True, False]
    assert others[0].startswith("🔴 ERROR × 5 ")
    assert re.fullmatch(r"🔴 ERROR none since 12-07 23:00, × 2( in 2 processes)? #\w+ shop: no stock", others[1])
    assert_all_told(one, 8)
    one.at("12-08 23:00", 600.0)
    assert len(one.told) == 2  # nothing came since


def assert_all_told(one: Night, number: int) -> None:
    stats = [job.stats() for job in one.jobs]
    assert sum(one.accepted for one in stats) == sum(map(settled, stats)) == number
    assert all(not one.dropped for one in stats)


@pytest.mark.parametrize("kind", SHARED)
def test_q2_what_was_told_before_the_night_ends_in_the_morning(kind: str, night: Callable[..., Night]) -> None:
    one = night(kind)
    one.at("12-07 21:50")
    one.fail("the disk is full", 2)
    one.at("12-07 21:59", 30.0)
    assert len(one.told) == 2
    one.morning()
    assert [one.wall(message.at) for message in one.told[2:]] == ["12-08 08:00"]
    headline, _, end = one.told[2].text.partition("\n")
    assert headline == "✅ quiet hours 22:00–08:00 · 1 incident, none still open"
    assert "the disk is full · quiet for 10 hours" in end
    assert_all_told(one, 2)


@pytest.mark.parametrize("kind", SHARED)
def test_q2_what_comes_again_before_its_end_was_told_is_the_same_incident(
    kind: str, night: Callable[..., Night]
) -> None:
    one = night(kind)
    one.at("12-07 21:50")
    one.fail("the disk is full", 2)
    one.at("12-07 22:30", 60.0)
    told = len(one.told)
    one.at("12-08 03:00")
    one.fail("the disk is full", 2)
    one.morning()
    (message,) = one.told[told:]
    assert "1 incident, none still open" in message.first_line
    assert "× 2 since 03:00, 4 in all" in message.text
    assert_all_told(one, 4)


@pytest.mark.parametrize("kind", SHARED)
def test_q3_at_ten_in_the_evening_it_is_held_and_at_eight_it_is_not(kind: str, night: Callable[..., Night]) -> None:
    one = night(kind)
    one.at("12-07 21:59")
    one.clock.go(59.0)
    one.fail("just before")
    one.at("12-07 22:00")
    one.fail("just in it")
    one.at("12-08 07:59")
    one.at("12-08 08:00", 1.0)
    one.fail("just after")
    one.at("12-08 08:01", 1.0)
    found = [text for message in one.told for text in ("before", "in it", "after") if f"just {text}" in message.text]
    assert sorted(found) == ["after", "before", "in it"]
    assert one.wall(one.told[0].at) == "12-07 21:59"
    assert {one.wall(message.at) for message in one.told[1:]} == {"12-08 08:00"}


@pytest.mark.parametrize("kind", ["sqlite"])
def test_what_is_critical_passes_and_with_no_level_nothing_does(kind: str, night: Callable[..., Night]) -> None:
    one = night(kind)
    one.at("12-07 23:00")
    one.fail("fire", level=logging.CRITICAL)
    assert [one.wall(message.at) for message in one.told] == ["12-07 23:00"]
    all_held = night(kind, rules={"quiet_level": ALL_LEVELS})
    all_held.at("12-07 23:00")
    all_held.fail("fire", level=logging.CRITICAL)
    all_held.fail("smoke", level=logging.ERROR)
    assert all_held.told == []
    all_held.morning()
    (message,) = all_held.told
    assert message.text.index("fire") < message.text.index("smoke")


@pytest.mark.parametrize("kind", ["sqlite"])
def test_a_week_off_is_not_too_old(kind: str, night: Callable[..., Night]) -> None:
    """Time in quiet hours does not count towards the day after which an alert is given up."""
    one = night(kind, "tue-sun")
    one.at("12-08 01:00")
    one.fail("the disk is full")
    one.at("12-13 23:50", 3600.0)
    assert one.told == []
    one.at("12-14 00:10", 10.0)
    (message,) = one.told
    assert message.text.startswith("🔴 quiet hours 12-08 00:00–12-14 00:00 · 1 incident, none still open\n")
    assert_all_told(one, 1)


@pytest.mark.parametrize("kind", SHARED)
def test_q11_after_all_were_restarted_at_night_others_tell_it_in_the_morning(
    kind: str, night: Callable[..., Night]
) -> None:
    one = night(kind)
    one.at("12-07 21:50")
    one.fail("told before", 2)
    one.at("12-07 23:00")
    one.fail("the disk is full", 3)
    told = len(one.told)
    one.restart()
    one.at("12-08 03:00")
    one.fail("no stock", job=2)
    one.restart()
    assert len(one.told) == told
    one.morning()
    (message,) = one.told[told:]
    assert message.text.startswith("🔴 quiet hours 22:00–08:00 · 3 incidents, none still open\n")
    assert all(text in message.text for text in ("told before", "the disk is full", "no stock"))


@pytest.mark.parametrize("kind", SHARED)
def test_a_flush_tells_nothing_that_is_held_and_waits_for_nothing(kind: str, night: Callable[..., Night]) -> None:
    one = night(kind)
    one.at("12-07 23:00")
    for job in one.jobs:
        job.collector.take(record("the disk is full", line=len(one.jobs), created=one.time()))
        mark = job.waits_for()
        job.draining = True
        for _ in range(6):
            go_on([job], one.clock, 0.3)
        assert job.is_told(mark)
        job.draining = False
    assert one.told == []
    one.morning()
    assert len(one.told) == 1


@pytest.mark.parametrize("kind", STORES)
def test_an_exit_leaves_it_in_a_state_and_without_one_tells_it_in_one_message(
    kind: str, night: Callable[..., Night]
) -> None:
    one = night(kind)
    one.at("12-07 23:00")
    one.fail("the disk is full", 3)
    (*_, job) = one.jobs[:1]
    for text in ("no stock", "no route"):
        job.collector.take(record(text, line=len(text), created=one.time()))
    job.end()
    mark = job.waits_for()
    job.draining = True
    for _ in range(6):
        go_on([job], one.clock, 0.3)
    assert job.is_told(mark)
    assert job.give_up() == 0
    if kind == "memory":
        (message,) = one.told
        assert message.text.startswith("🔴 quiet hours 22:00–08:00 · 3 incidents, still open\n")
        assert_all_told(one, 5)
    else:
        assert not job._turn.store.batches.leaves_untold()
        assert one.told == []
        one.jobs = one.jobs[1:]
        one.morning()
        (message,) = one.told
        assert message.text.startswith("🔴 quiet hours 22:00–08:00 · 3 incidents, none still open\n")


@pytest.mark.parametrize("kind", SHARED)
def test_processes_that_wake_at_once_send_one_message_for_each_audience(kind: str, night: Callable[..., Night]) -> None:
    one = night(kind, routes=(Route(Recipients(("li",)), logger="shop"),), rules={})
    two = Route(Recipients(("wang",)), logger="shop")
    one.at("12-07 23:00")
    for number in range(12):
        one.fail(f"broken {'abcdefghijkl'[number]}", job=number)
    for job in one.jobs:
        job.options = replace(job.options, routes=(two,))
    one.at("12-08 07:59", 300.0)
    assert one.told == []
    while one.time() < datetime.fromisoformat("2026-12-08 08:03").replace(tzinfo=ZONE).timestamp():
        for job in one.jobs:  # in turns of one step each
            job.turn()
        one.clock.go(0.25)
    (message,) = one.told
    assert message.text.startswith("🔴 quiet hours 22:00–08:00 · 12 incidents, none still open\n")
    assert_all_told(one, 12)


@pytest.mark.parametrize("kind", SHARED)
@pytest.mark.parametrize("level", [logging.ERROR, logging.CRITICAL])
def test_where_the_one_that_is_to_send_it_dies_another_does_a_minute_later(
    kind: str, level: int, night: Callable[..., Night]
) -> None:
    one = night(kind, rules={"quiet_level": ALL_LEVELS})
    one.at("12-07 23:00")
    for number in range(6):
        one.fail(f"broken {'abcdef'[number]}", job=number, level=level)
    one.at("12-08 07:59")
    for _ in range(240):
        if any(job._turn.claims._telling for job in one.jobs):
            break
        go_on(one.jobs, one.clock, 0.5)
    (killed,) = [job for job in one.jobs if job._turn.claims._telling]
    one.jobs.remove(killed)
    assert one.told == []
    one.at("12-08 08:02", 0.5)
    (message,) = one.told
    assert one.wall(message.at) == "12-08 08:01"
    assert "6 incidents" in message.first_line


@pytest.mark.parametrize("kind", ["sqlite"])
def test_more_than_a_message_holds_is_a_summary_and_a_file(kind: str, night: Callable[..., Night]) -> None:
    one = night(kind)
    one.at("12-07 23:00")
    for number in range(150):
        one.jobs[0].collector.take(record(f"broken {chr(0x4E00 + number)}", line=number, created=one.time()))
    one.morning()
    (message,) = one.told
    assert message.is_flood
    assert message.first_line == "🔴 quiet hours 22:00–08:00 · 150 incidents, none still open"
    assert len(message.rows) == 150
    assert_all_told(one, 150)


@pytest.mark.parametrize("kind", SHARED)
@pytest.mark.parametrize("verb", ["taken", "done"])
def test_what_a_person_takes_or_closes_at_night_is_told_in_the_morning(
    kind: str, verb: str, night: Callable[..., Night]
) -> None:
    one = night(kind)
    one.at("12-07 23:00")
    one.fail("the disk is full", 2)
    job = one.jobs[0]

    def become(row: Incident) -> Incident:
        after: Incident = getattr(answered, verb)(row, "Li", "here", now=one.clock.now, time=one.time())
        return after

    if kind == "memory":
        memory = job._turn.store.memory
        (row,) = memory.rows(job.channel_id)
        assert answer(memory, job.channel_id, row.key, become, lambda row: None, one.clock.now) is not None
    else:
        store = job.options.shared
        (row,) = store.call(lambda there: there.open(job.channel_id, 9))
        given = (job.channel_id, row.key, become, lambda row: None, one.clock.now)
        assert store.call(lambda there: answer(there, *given)) is not None
    one.at("12-08 07:59")
    assert one.told == []
    one.morning()
    (message,) = one.told
    assert "the disk is full" in message.text
    assert re.search(f"\n{'taken' if verb == 'taken' else 'closed'} by Li .*23:00\n", message.text)
    assert_all_told(one, 2)


@pytest.mark.parametrize("kind", SHARED)
def test_what_had_ended_and_comes_again_at_night_is_over_in_the_morning(kind: str, night: Callable[..., Night]) -> None:
    one = night(kind)
    one.fail("the disk is full", 2)
    one.at("12-07 21:59", 30.0)
    assert one.told[-1].is_closing
    told = len(one.told)
    one.at("12-07 23:00")
    one.fail("the disk is full", 2)
    one.morning()
    (message,) = one.told[told:]
    assert "1 incident, none still open" in message.first_line
    assert "again, 2nd since 12-07 21:00, none since 12-07 23:00" in message.text
    assert_all_told(one, 4)


@pytest.mark.parametrize("kind", ["sqlite"])
def test_what_comes_in_the_morning_is_told_as_ever(kind: str, night: Callable[..., Night]) -> None:
    one = night(kind)
    one.at("12-07 23:00")
    one.fail("the disk is full")
    one.at("12-08 07:59")
    one.at("12-08 08:00", 1.0)
    one.fail("no stock")
    one.fail("fire", level=logging.CRITICAL)
    one.at("12-08 08:02", 1.0)
    headlines = [message for message in one.told if "quiet hours" in message.text]
    assert ["1 incident" in message.text for message in headlines] == [True]
    assert not any(text in headlines[0].text for text in ("no stock", "fire"))
    others = "".join(message.text for message in one.told if message not in headlines)
    assert [others.count(text) for text in ("no stock", "fire", "the disk is full")] == [1, 1, 0]
    assert {one.wall(message.at) for message in one.told} == {"12-08 08:00"}


def test_q7_the_morning_names_the_zone_where_its_reader_has_another(night: Callable[..., Night]) -> None:
    one = night("memory", looks=Composer(markdown=False, zone=ZoneInfo("Europe/Berlin"), language="zh"))
    one.at("12-07 23:00")
    one.fail("the disk is full")
    one.morning()
    (message,) = one.told
    assert message.first_line == "🔴 夜间静默 22:00–08:00 Asia/Shanghai · 1 件，未再出现"


@pytest.mark.parametrize("kind", ["sqlite"])
def test_who_was_told_before_a_night_with_a_hand_over_hears_of_its_end(kind: str, night: Callable[..., Night]) -> None:
    one = night(kind, rules={"rotas": (Rota("web", (("anna",), ("bert",)), "2026-12-07 06:00", days=1),)})
    own = Recipients(("on-call:web",))
    one.channel.addressed = lambda recipients: recipients or own
    one.restart()
    one.at("12-07 21:50")
    one.fail("the disk is full", 2, level=logging.WARNING)
    one.at("12-07 21:59", 30.0)
    one.at("12-07 23:00")
    one.fail("no stock")
    one.morning()
    found = {(told.recipients or own).users: told.text for told in one.told[2:]}
    assert len(found) == len(one.told[2:]) == 2
    assert "no stock" in found[("bert",)]
    assert "✅ shop: the disk is full" in found[("bert", "anna")]
    assert_all_told(one, 3)


@pytest.mark.parametrize("kind", ["sqlite"])
def test_rotas_of_one_name_in_two_programs_have_a_message_each(kind: str, night: Callable[..., Night]) -> None:
    """Each has its own people, whom the message of the other does not reach."""
    one = night(kind, rules={"rotas": (Rota("web", (("anna",),), "2026-12-07 10:00", days=7),)})
    own = Recipients(("on-call:web",))
    one.channel.addressed = lambda recipients: recipients or own
    one.restart()
    rules = duty_of(one.jobs[1].options.duty)
    others = duty_text(replace(rules, rotas=(replace(rules.rotas[0], people=(("bert",),)),)))
    intake = one.jobs[1].collector.intake
    intake._options = replace(intake._options, duty=others)
    one.at("12-07 23:00")
    one.fail("of anna, one", job=0)
    one.fail("of anna, two", job=0)
    one.fail("of bert", job=1)
    one.morning()
    found = {(told.recipients or own).users: told.text for told in one.told}
    assert len(found) == len(one.told) == 2
    assert [text in found[("anna",)] for text in ("of anna, one", "of anna, two", "of bert")] == [True, True, False]
    assert "of bert" in found[("bert",)]
    assert_all_told(one, 3)


@pytest.mark.parametrize("kind", SHARED)
def test_what_is_given_up_and_written_again_is_held_as_before(kind: str, night: Callable[..., Night]) -> None:
    one = night(kind)
    one.channel.error = InvalidMessageError(40058, "no", path="send")
    one.fail("the disk is full")
    one.channel.error = None
    one.at("12-07 23:00")
    (letter,) = one.jobs[0].options.shared.call(lambda store: store.held(9))
    assert one.jobs[0].options.shared.call(lambda store: store.requeue([letter.key], one.clock.now)) == 1
    one.at("12-08 07:59")
    assert one.told == []
    one.at("12-08 08:02", 1.0)
    assert len(one.told) == 1


LOGS_AT_NIGHT = """
import logging, os, signal
from wecom_logging import WeComBotHandler
logging.getLogger("shop").addHandler(WeComBotHandler(timezone="UTC", quiet_hours={hours!r}))
logging.getLogger("shop").error("the disk is full")
{end}
"""
LOOKS = """
import time
from wecom_logging import WeComBotHandler
from wecom_logging._runtime import clock
from wecom_logging._state.shared import Shared
later = {later}
clock.advance(later)
Shared.time_s = lambda self: time.time() + later
handler = WeComBotHandler()
handler.flush(5.0)
"""


def hours_of_now() -> str:
    """That began an hour ago, and end in two to three."""
    hour = datetime.now(UTC).hour
    return f"{(hour - 1) % 24:02}:00-{(hour + 3) % 24:02}:00"


@pytest.mark.slow
@pytest.mark.parametrize("end", ["os.kill(os.getpid(), signal.SIGKILL)", "", "logging.shutdown()"])
def test_what_a_process_leaves_that_is_killed_is_held_by_others_and_told_at_the_end(
    end: str, sandbox: Sandbox, tmp_path: Path
) -> None:
    """The next process has no quiet hours of its own: the alert brought them."""
    state = f"sqlite://{tmp_path}/alerts.db"
    run(LOGS_AT_NIGHT.format(hours=hours_of_now(), end=end), url=sandbox.url, WECOM_STATE=state)
    run(LOOKS.format(later=0), url=sandbox.url, WECOM_STATE=state)
    assert sandbox.messages() == []
    run(LOOKS.format(later=5 * 3600), url=sandbox.url, WECOM_STATE=state)
    (message,) = sandbox.messages()
    assert "quiet hours" in message["content"]
    assert "the disk is full" in message["content"]


SHORT = """
import logging, time
from wecom_logging import WeComBotHandler
handler = WeComBotHandler(timezone="UTC", quiet_hours={hours!r})
log = logging.getLogger("shop")
log.addHandler(handler)
log.error("the disk is full")
log.error("no stock")
{then}
log.error("no route")
"""


@pytest.mark.slow
@pytest.mark.parametrize("then", ["", "assert handler.flush(20); time.sleep(0.2)", "handler.close(); del handler"])
def test_a_short_program_without_a_state_tells_it_in_one_message_at_its_exit(then: str, sandbox: Sandbox) -> None:
    hours, number = hours_of_now(), 2 if "close" in then else 3
    ended = run(SHORT.format(hours=hours, then=then), url=sandbox.url)
    assert "lost" not in ended.err
    (message,) = sandbox.messages()
    assert f"quiet hours {hours.replace('-', '–')} · {number} incidents, still open<" in message["content"]


@pytest.mark.parametrize("kind", SHARED)
def test_steps_wait_for_the_morning_and_what_is_critical_escalates_at_night(
    kind: str, night: Callable[..., Night]
) -> None:
    steps = (Step(600.0, Recipients(("李四",))), Step(1500.0, Recipients(("王五",))))
    rules = {"steps": steps, "steps_level": logging.ERROR}
    one = night(kind, rules=rules, steps_s=(600.0, 1500.0), steps_level=logging.ERROR)
    one.at("12-07 21:55")
    one.fail("told before the night")
    one.at("12-07 23:00")
    one.fail("on fire", level=logging.CRITICAL)
    one.at("12-07 23:26", 10.0)
    one.at("12-08 07:55", 60.0)
    one.fail("held at night")
    one.at("12-08 07:59", 60.0)

    def steps_since(number: int) -> list[tuple[str, tuple[str, ...], str]]:
        return [
            (one.wall(told.at), told.recipients.users, re.sub("^.*: ", "", told.text.split("\n")[1]))
            for told in one.told[number:]
            if told.text.startswith("⏫ Escalation") and told.recipients is not None
        ]

    assert steps_since(0) == [("12-07 23:10", ("李四",), "on fire"), ("12-07 23:25", ("王五",), "on fire")]
    number = len(one.told)
    one.at("12-08 08:30", 20.0)
    found = steps_since(number)
    assert [(wall[:-1], users, text) for wall, users, text in found] == [
        ("12-08 08:0", ("李四",), "told before the night"),
        ("12-08 08:0", ("王五",), "told before the night"),
        ("12-08 08:1", ("李四",), "held at night"),
        ("12-08 08:2", ("王五",), "held at night"),
    ]
    assert found[1][0] > found[0][0] >= "12-08 08:00"  # one a minute


@pytest.mark.parametrize("kind", SHARED)
def test_where_the_clock_on_the_wall_is_put_ahead_the_morning_is_told_when_it_says_so(
    kind: str, night: Callable[..., Night]
) -> None:
    one = night(kind)
    one.at("12-07 23:00")
    one.fail("the disk is full")
    for ahead_s, told in ((8 * 3600.0, 0), (3600.0, 1)):  # it is 07:00 and something, then past 08:00
        one.ahead_s += ahead_s
        for _ in range(40):
            go_on(one.jobs, one.clock, 1.0)
        assert len(one.told) == told
    assert "1 incident" in one.told[0].first_line
