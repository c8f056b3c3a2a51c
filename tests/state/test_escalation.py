"""An escalation that three processes carry out, over every store: who is told what and when, and who stops it."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from wecom_logging._delivery.message_builder import Composer
from wecom_logging._delivery.steps import GATHER_S
from wecom_logging._delivery.turn import Turn
from wecom_logging._incidents.duty import duty_text
from wecom_logging._runtime import functions
from wecom_logging._state.base import answer
from wecom_logging.errors import (
    InvalidMessageError,
    MessageError,
    PermissionDeniedError,
    RequestTimeout,
    TransportError,
)
from wecom_logging.model import Call, Message, Outcome, Recipients
from wecom_logging.model.alert import ESCALATED, TAKEN
from wecom_logging.model.duty import Duty, Rota, Step

from ..storms import CLOCK, Recorder, Told, pipeline, record, turn
from .test_answers import Jobs
from .test_one_cause import Time, states

M = 60.0
Users = tuple[str, ...]


class Company(Recorder):
    """An app with a directory: who is not there is not found; while ``is_away`` it cannot be asked for names."""

    def __init__(self, clock: Time) -> None:
        super().__init__(clock)
        self.missing: set[str] = set()
        self.away: set[str] = set()
        self.before: Callable[[Recipients], object] = lambda recipients: None

    def addressed(self, recipients: Recipients | None) -> Recipients:
        return recipients or Recipients(users=("张三",))

    def deliver(self, message: Message, recipients: Recipients | None, before_try: Callable[[], None]) -> Outcome:
        named = self.addressed(recipients)
        self.before(named)
        if self.away & {*named.users}:
            raise TransportError("the directory cannot be read")
        if not {*named.users} - self.missing:
            raise MessageError("no recipient is left")
        return super().deliver(message, named, before_try)


class Escalated(Jobs):
    """With what was told to whom, by the minute after the first message."""

    channel: Company

    def wait(self, minutes: float, step_s: float = 20.0) -> list[tuple[float, Users, str]]:
        ends, begins = self.clock.now + minutes * M, self.seen
        while self.clock.now < ends:
            waits = self.turns()
            self.clock.go(min(GATHER_S if waits <= 2 * GATHER_S else step_s, ends - self.clock.now))
        self.turns()
        self.seen = len(self.channel.told)
        return [self.line(one) for one in self.channel.told[begins:]]

    def turns(self) -> float:
        """Of all; the seconds until one of them wants another."""
        return min([turn(job) for job in self.jobs])

    def line(self, one: Told) -> tuple[float, Users, str]:
        minute = (one.at - self.channel.told[0].at) / M
        return int(minute + 0.05), one.recipients.users if one.recipients else (), one.first_line

    def critical(self, text: str = "disk full") -> None:
        self.jobs[self.made % len(self.jobs)].collector.take(record(text, level=logging.CRITICAL))
        self.made += 1

    def again(self) -> None:
        """Every process is killed, and begins anew."""
        options = {name: getattr(self.jobs[0].options, name) for name in ("duty", "steps_s", "steps_level", "looks")}
        shared = [job.options.shared for job in self.jobs]
        self.jobs = [pipeline(self.channel, self.clock, shared=one, **options) for one in shared]
        for job in self.jobs:
            job.open()


Make = Callable[..., Escalated]


@pytest.fixture(params=["memory", "sqlite", "redis"])
def company(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Make]:
    clock = Time(1_000_000.0)
    channel = Company(clock)
    with states(request.param, tmp_path, clock, lambda: request.getfixturevalue("server")) as shared:

        def make(*steps: tuple[float, str], language: Any = "zh", calls: bool = False, **duty: Any) -> Escalated:
            given = tuple(Step(minutes * M, Recipients(users=tuple(who.split())), calls) for minutes, who in steps)
            options = {
                "duty": duty_text(Duty(steps=given, **duty)),
                "steps_s": tuple(one.after_s for one in given),
                "looks": Composer(markdown=False, language=language),
            }
            jobs = [pipeline(channel, clock, shared=one, **options) for one in shared]
            return Escalated(jobs, channel, clock)

        yield make


over_a_state = pytest.mark.parametrize("company", ["sqlite", "redis"], indirect=True)
"""What it has to look at is in the rows of a state; in memory `tests/cases/steps.txt` has the same."""

TWO = ((10, "李四"), (25, "王五 赵六"))
pytestmark = pytest.mark.slow
MANY = ("a fire", "b storm", "c flood", "d smoke", "e noise", "f smell", "g frost", "h dust", "i sand", "j ice")


def texts(found: Iterable[tuple[float, Users, str]]) -> list[str]:
    return [text for _, _, text in found]


def steps(found: list[tuple[float, Users, str]]) -> list[tuple[float, Users]]:
    """When each step told whom."""
    return [(minute, users) for minute, users, text in found if re.match("⏫ (升级|Escalation) ", text)]


@over_a_state
def test_each_step_sends_the_whole_alert_and_a_line_to_those_told_before(company: Make) -> None:
    jobs = company(*TWO)
    jobs.critical()
    jobs.critical()
    found = jobs.wait(24)
    name = jobs.open()[0].short_id
    assert [one for one in found if one[2][0] != "🚨"] == [
        (10, ("李四",), "⏫ 升级 1/2：10 分钟无人认领，已通知张三"),
        (10, ("张三",), found[-1][2]),
    ]
    assert re.fullmatch(rf"⏫ shop: #{name} → 李四 {CLOCK}", found[-1][2])
    whole = next(one.text for one in jobs.channel.told if "升级 1/2" in one.text)
    assert whole.split("\n")[1] == "🚨 严重 × 2 shop: disk full"
    assert f"#{name}" in whole
    found = jobs.wait(10)
    assert found[0] == (25, ("王五", "赵六"), "⏫ 升级 2/2（之后不再升级）：25 分钟无人认领，已通知张三、李四")
    assert found[1][1] == ("张三", "李四")
    assert len(found) == 2
    (closing,) = jobs.wait(60)
    assert closing[1] == ("张三", "李四", "王五", "赵六")
    assert closing[2].startswith("✅ shop: disk full · ")
    assert jobs.wait(600) == []


@pytest.mark.parametrize("each_s", [20, 60, 120])
def test_a_step_is_in_time_while_its_incident_goes_on(company: Make, each_s: float) -> None:
    """Its digests wait for as long as an hour; the step does not."""
    jobs = company((10, "李四"), (45, "王五"))
    for _ in range(int(47 * M / each_s)):
        jobs.critical()
        jobs.wait(each_s / M, step_s=10.0)
    begun = [one for one in jobs.channel.told if "升级 " in one.first_line]
    late_s = [one.at - jobs.channel.told[0].at - after * M for one, after in zip(begun, (10, 45), strict=True)]
    assert [one.recipients and one.recipients.users for one in begun] == [("李四",), ("王五",)]
    assert max(late_s) < 3 * GATHER_S + 20.0, late_s


def test_in_english(company: Make) -> None:
    jobs = company((10, "Li"), (25, "Wang"), language="en")
    jobs.critical()
    jobs.channel.missing = {"Li"}
    found = jobs.wait(12)
    assert texts(found)[1] == (
        "⏫ Escalation 2/2, no further one follows: nobody took it in 25 minutes, told so far: 张三; "
        "the step before told nobody: nobody found for Li"
    )
    assert re.fullmatch(rf"⏫ shop: #\w+ → Wang {CLOCK}", texts(found)[2])


def test_an_error_does_not_escalate_where_only_what_is_critical_does(company: Make) -> None:
    jobs = company(*TWO)
    jobs.log()
    assert len(jobs.wait(60)) == 1


@over_a_state
def test_e1_a_take_at_the_moment_of_a_step_wins_or_loses_as_a_whole(company: Make) -> None:
    """A thread takes it while the worker is at it, at every moment in turn."""
    jobs = company((10, "李四"))
    for number in range(16):
        jobs.critical(f"{'abcdefghijklmnopqrstuvwxyz'[number % 26]} {'broke' if number < 26 else 'burns'}")
        jobs.wait(0.2)
        key = max(jobs.open(), key=lambda one: one.began).key
        jobs.clock.go(10 * M)
        begun = threading.Barrier(2)
        seen = len(jobs.channel.told)

        def take(key: str = key, begun: threading.Barrier = begun, number: int = number) -> None:
            begun.wait()
            for _ in range(number % 8):
                jobs.jobs[-1]._turn.store.shared.is_up  # noqa: B018 # some moments later
            say(jobs, key, "taken")

        thread = threading.Thread(target=take)
        thread.start()
        begun.wait()
        jobs.turns()
        thread.join()
        jobs.wait(1)
        (one,) = [one for one in jobs.open() if one.key == key]
        told = [users for _, users, text in map(jobs.line, jobs.channel.told[seen:]) if "升级 " in text]
        verbs = [answer.verb for answer in one.answers.journal]
        assert verbs in ([TAKEN], [ESCALATED, TAKEN])
        assert one.step == verbs.count(ESCALATED)
        assert len(told) <= one.step
        assert one.told_too == (() if not told else one.told_too)
        assert bool(told) == bool(one.told_too) == bool(one.step and one.answers.journal[0].who)
        jobs.wait(5)
        again = [users for _, users, text in map(jobs.line, jobs.channel.told[seen:]) if "升级 " in text]
        assert again == told  # nothing more while it is taken
        say(jobs, key, "done")
        jobs.wait(1)


def say(jobs: Escalated, key: str, verb: str) -> None:
    """Somebody does it with one of several."""
    all_open = jobs.open
    jobs.open = lambda: [one for one in all_open() if one.key == key]
    try:
        jobs.say(verb)
    finally:
        jobs.open = all_open


@over_a_state
def test_e1_what_was_on_its_way_when_somebody_took_it_is_not_sent_again_after_an_undo(company: Make) -> None:
    jobs = company(*TWO)
    jobs.critical()
    jobs.wait(9)
    jobs.channel.before = lambda named: jobs.say("taken") if named.users == ("李四",) else None
    found = jobs.wait(2)
    assert steps(found) == [(10, ("李四",))]
    assert (found[1][1], "认领" in found[1][2]) == (("张三", "李四"), True)
    jobs.channel.before = lambda named: None
    jobs.say("undone")
    assert steps(jobs.wait(3)) == []
    assert steps(jobs.wait(13)) == [(25, ("王五", "赵六"))]


@over_a_state
def test_e1_one_that_is_taken_while_the_message_of_many_is_on_its_way_leaves_the_others(company: Make) -> None:
    jobs = company(*TWO)
    for text in MANY[:3]:
        jobs.critical(text)
    jobs.wait(9)
    taken = jobs.open()[0]
    jobs.channel.before = lambda named: say(jobs, taken.key, "taken") if named.users == ("李四",) else None
    jobs.wait(3)
    jobs.channel.before = lambda named: None
    found = jobs.wait(14)
    assert steps(found) == [(25, ("王五", "赵六"))]
    second = next(one.text for one in jobs.channel.told if "升级 2/2" in one.first_line)
    for one in jobs.open():
        is_taken = one.short_id == taken.short_id
        assert (one.step, len(one.told_too), f"#{one.short_id}" in second) == (
            (1, 1, False) if is_taken else (2, 2, True)
        )


@over_a_state
def test_e2_who_takes_it_stops_what_a_step_has_begun_and_not_sent(company: Make) -> None:
    jobs = company(*TWO)
    jobs.critical()
    jobs.wait(9)
    jobs.channel.away = {"李四"}
    assert jobs.wait(2) == []
    jobs.say("taken")
    jobs.channel.away = set()
    found = jobs.wait(5)
    assert [users for _, users, _ in found] == [("张三",)]
    assert "认领" in found[0][2]


@over_a_state
def test_e3_what_is_over_stays_over(company: Make) -> None:
    jobs = company((10, "李四"))
    jobs.critical()
    jobs.wait(5)
    jobs.say("done")
    assert texts(jobs.wait(30))[0].startswith("✅")
    assert jobs.say("taken") is not None
    assert jobs.wait(60) == []


@over_a_state
def test_e4_after_the_time_of_who_took_it_he_is_told_first_and_the_steps_begin_anew(company: Make) -> None:
    jobs = company(*TWO)
    jobs.critical()
    jobs.wait(11)
    jobs.say("taken")
    jobs.wait(1)
    for _ in range(5):
        jobs.critical()
        assert jobs.wait(5) == []
    found = jobs.wait(5)
    assert [(minute, users) for minute, users, _ in found] == [(41, ("张三",))]
    assert "Li 于" in jobs.channel.told[-1].text
    for _ in range(5):
        jobs.critical()
        found = [*found, *jobs.wait(5)]
    assert steps(found) == [(51, ("李四",)), (66, ("王五", "赵六"))]
    assert [text for text in texts(found) if text.startswith("⏫ 升级")] == [
        "⏫ 升级 1/2：Li 的认领已到期，故障仍在继续，已通知张三、李四",
        "⏫ 升级 2/2（之后不再升级）：Li 的认领已到期，故障仍在继续，已通知张三、李四",
    ]


def test_e5_a_step_that_finds_nobody_goes_on_to_the_next_at_once_and_says_so(company: Make) -> None:
    jobs = company((10, "李四"), (25, "王五"), (40, "老板"))
    jobs.channel.missing = {"李四"}
    jobs.critical()
    found = jobs.wait(12)
    assert found[1] == (10, ("王五",), "⏫ 升级 2/3：25 分钟无人认领，已通知张三；上一级未通知到人：李四无人可通知")
    jobs.channel.missing = {"老板"}
    found = jobs.wait(40)
    assert found[0][:2] == (40, ("张三", "王五"))
    assert re.fullmatch(rf"⏫ shop: #\w+ {CLOCK} 升级，未通知到人：老板无人可通知", found[0][2])


def test_e6_a_look_up_that_fails_is_tried_again_until_the_next_step(company: Make) -> None:
    jobs = company((10, "李四"), (25, "王五"), (40, "老板"))
    jobs.channel.away = {"李四"}
    jobs.critical()
    assert len(jobs.wait(13)) == 1
    jobs.channel.away = set()
    found = jobs.wait(2)
    assert [users for _, users in steps(found)] == [("李四",)]
    jobs.channel.away = {"王五"}
    assert jobs.wait(24) == []
    found = jobs.wait(5)
    assert found[0][:2] == (40, ("老板",))
    assert found[0][2].endswith("已通知张三、李四；上一级未通知到人：消息未能发出")


ON_DUTY: list[str] = []


def on_duty() -> list[str]:
    if "?" in ON_DUTY:
        raise OSError("the calendar is away")
    return ON_DUTY


ROTA = Rota("web", who=f"{__name__}:on_duty")


@pytest.fixture
def rota(monkeypatch: pytest.MonkeyPatch) -> Rota:
    monkeypatch.setattr(functions, "given", {ROTA.who})
    return ROTA


def test_e7_a_step_tells_who_is_on_call_at_that_moment(company: Make, rota: Rota) -> None:
    jobs = company((10, "on-call:web"), (25, "on-call:web 老板"), (40, "on-call:web"), rotas=(rota,))
    ON_DUTY[:] = ["李四"]
    jobs.critical()
    jobs.wait(11)
    ON_DUTY[:] = ["王五"]
    found = jobs.wait(16)
    assert steps([jobs.line(one) for one in jobs.channel.told]) == [(10, ("李四",)), (25, ("王五", "老板"))]
    assert found[0][2].endswith("已通知张三、李四")
    ON_DUTY.clear()
    found = jobs.wait(75)
    assert steps(found) == []  # nobody, and no others in their place
    assert re.fullmatch(rf"⏫ shop: #\w+ {CLOCK} 升级，未通知到人：on-call:web 无人可通知", found[0][2])


def test_e6_a_rota_that_cannot_be_asked_is_asked_again_until_the_next_step(company: Make, rota: Rota) -> None:
    jobs = company((10, "on-call:web"), (25, "老板"), rotas=(rota,))
    ON_DUTY[:] = ["?"]
    jobs.critical()
    assert len(jobs.wait(20)) == 1
    found = jobs.wait(6)
    assert steps(found) == [(25, ("老板",))]
    assert found[0][2].endswith("上一级未通知到人：消息未能发出")
    jobs.critical("roof burns")
    assert steps(jobs.wait(13)) == []
    ON_DUTY[:] = ["李四"]
    assert [users for _, users in steps(jobs.wait(5))] == [("李四",)]


@over_a_state
def test_e8_steps_outlive_every_process(company: Make) -> None:
    jobs = company(*TWO)
    jobs.critical()
    jobs.wait(9)
    jobs.again()
    assert steps(jobs.wait(3)) == [(10, ("李四",))]
    jobs.clock.go(8 * 60 * M)
    jobs.again()
    found = jobs.wait(3)
    assert steps(found) == [(492, ("王五", "赵六"))]


@over_a_state
def test_e8_what_a_process_has_begun_another_one_tells(company: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = company(*TWO)
    jobs.critical()
    jobs.wait(9)
    dead, others = iter([True]), jobs.jobs[1:]

    def dies(named: Recipients) -> None:
        if named.users == ("李四",) and next(dead, False):
            raise SystemExit("killed")

    jobs.channel.before = dies
    monkeypatch.setattr(Turn, "_settle", lambda *given: None)
    jobs.clock.go(1.5 * M)
    del jobs.jobs[1:]
    with pytest.raises(SystemExit):
        jobs.wait(1)
    monkeypatch.undo()
    jobs.jobs = others
    found = jobs.wait(10)
    assert [users for _, users in steps(found)] == [("李四",)]


@over_a_state
def test_e10_what_nobody_was_told_of_and_what_is_over_does_not_escalate(company: Make) -> None:
    jobs = company((12, "李四"))
    jobs.channel.missing = {"张三"}
    jobs.critical("never told")
    assert jobs.wait(40) == []
    jobs.channel.missing = set()
    for _ in range(9):  # often, and then no more
        jobs.critical("disk full")
        jobs.wait(0.1)
    found = jobs.wait(30)
    assert (steps(found), found[-1][2][0]) == ([], "✅")


def test_steps_that_are_due_at_the_same_moment_share_a_message(company: Make) -> None:
    jobs = company(*TWO)
    for text in ("disk full", "roof burns", "pump stopped"):
        jobs.critical(text)
    found = jobs.wait(30)
    assert steps(found) == [(10, ("李四",)), (25, ("王五", "赵六"))]
    assert re.fullmatch(r"⏫ → 李四 \d\d:\d\d", found[-3][2])
    line = jobs.channel.told[-1].text.split("\n")
    assert re.fullmatch(r"⏫ → 王五、赵六 \d\d:\d\d", line[0])
    assert len(found) == 3 + 2 * 2
    first, second = (one.text.split("\n") for one in jobs.channel.told if "升级 " in one.first_line)
    assert first[:2] == ["⏫ 升级 1/2：10 分钟无人认领，已通知张三", "🚨 3 类告警，共 3 条"]
    assert second[:2] == ["⏫ 升级 2/2（之后不再升级）：25 分钟无人认领，已通知张三、李四", "🚨 3 类告警，共 3 条"]
    for view in jobs.jobs[0].incidents():
        assert all(any(f"#{view.short_id}" in line for line in lines) for lines in (first, second, line))
        assert any(text.endswith(f" 累计 1 次 #{view.short_id} shop: {view.text}") for text in line)


@over_a_state
def test_one_that_is_refused_takes_no_other_with_it(company: Make) -> None:
    jobs = company((10, "李四"), (25, "老板"))
    jobs.channel.refuses = lambda text: InvalidMessageError(40058, "scripted") if "pump" in text else None
    for text in ("disk full", "roof burns"):
        jobs.critical(text)
    jobs.channel.refuses = lambda text: None
    jobs.critical("pump stopped")
    jobs.wait(1)
    jobs.channel.refuses = lambda text: InvalidMessageError(40058, "scripted") if "pump" in text else None
    jobs.wait(14)
    steps_of = {one.first.alert.message: one for one in jobs.open()}
    assert [steps_of[text].answers.journal[0].who for text in ("disk full", "roof burns")] == ["李四"] * 2
    assert [one.where for one in steps_of["pump stopped"].answers.journal] == ["failed", "failed"]


@over_a_state
def test_one_that_no_message_can_be_made_of_takes_no_other_with_it(company: Make) -> None:
    jobs = company(*TWO)
    for text in ("disk full", "roof burns"):
        jobs.critical(text)
    jobs.wait(11)
    store = jobs.jobs[0]._turn.store
    broken = jobs.open()[0].key

    def ask(there: Any) -> Any:
        return answer(there, store.channel, broken, lambda one: replace(one, steps=(1500.0,)), lambda one: None, 0.0)

    assert (store.shared.call(ask) if store.shared.is_up else ask(store.memory)) is not None
    found = jobs.wait(15)
    assert steps(found) == [(25, ("王五", "赵六"))]
    assert sorted(one.answers.journal[-1].where for one in jobs.open()) == ["", "failed"]


def test_many_steps_that_find_nobody_go_on_to_the_next_together(company: Make) -> None:
    jobs = company((10, "李四"), (25, "王五"))
    jobs.channel.missing = {"李四"}
    for text in ("disk full", "roof burns", "pump stopped"):
        jobs.critical(text)
    found = jobs.wait(13)
    assert steps(found) == [(10, ("王五",))]
    assert "上一级未通知到人：李四无人可通知" in next(text for text in texts(found) if "升级 " in text)


def test_a_flood_of_steps_is_a_summary_and_a_file(company: Make) -> None:
    jobs = company((10, "李四"), language="en")
    if len(jobs.jobs) > 1:
        return  # of three processes each first message goes in a moment of its own
    jobs.channel.max_bytes = dict.fromkeys(jobs.channel.max_bytes, 1100)
    for number in range(90):
        jobs.jobs[0].collector.take(record(f"{chr(0x4E00 + number)} broke", level=logging.CRITICAL, line=number))
    jobs.wait(5)
    begins = len(jobs.channel.told)
    jobs.wait(6)
    found = [one for one in jobs.channel.told[begins:] if one.first_line.startswith("⏫ Escalation 1/1")]
    assert [(len(one.rows), one.recipients.users) for one in found if one.recipients] == [(90, ("李四",))]
    assert all(one.sent.audiences for one in jobs.jobs[0].leader.book.rows())


def senders_of(job: Any) -> list[Any]:
    """Those of a pipeline, whichever engine it has."""
    engine = job._turn if hasattr(job, "_turn") else job.leader
    return list(engine.senders._senders)


def test_the_room_that_is_asked_for_is_that_of_those_whom_the_step_tells(company: Make, monkeypatch: Any) -> None:
    jobs = company(*TWO)
    monkeypatch.setattr(Company, "receivers", lambda self, recipients: self.addressed(recipients).users)
    for job in jobs.jobs:
        for sender in senders_of(job):
            sender.rules = ((1, 30 * M),)
    jobs.critical()
    assert len(jobs.wait(1)) == 1
    assert steps(jobs.wait(11)) == [(10, ("李四",))]
    assert jobs.jobs[0].stats().pending == 0


def test_steps_that_wait_for_room_are_late_and_none_is_left_out(company: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = company((10, "李四"), (12, "王五"))
    monkeypatch.setattr(Company, "receivers", lambda self, recipients: self.addressed(recipients).users)
    for job in jobs.jobs:
        for sender in senders_of(job):
            sender.rules = ((2, M),)
    for text in ("a fire", "b storm", "c flood", "d smoke", "e noise", "f smell", "g frost", "h dust"):
        jobs.critical(text)
    found = jobs.wait(40)
    for user in ("李四", "王五"):
        told = [
            one.text for one in jobs.channel.told if "升级 " in one.first_line and one.recipients == Recipients((user,))
        ]
        assert all(sum(f"#{one.short_id}" in text for text in told) == 1 for one in jobs.jobs[0].incidents())
    assert not any("未通知到人" in text for text in texts(found))


def ringing(company: Make, ring: Callable[[Recipients], tuple[Call, ...]], *steps: tuple[float, str]) -> Escalated:
    jobs = company(*steps, calls=True)
    jobs.channel.ring = ring
    return jobs


def test_one_call_is_for_all_that_share_the_message_of_a_step_and_one_line_says_so(company: Make) -> None:
    rung: list[tuple[str, ...]] = []

    def ring(recipients: Recipients) -> tuple[Call, ...]:
        rung.append(recipients.users)
        return tuple(Call(user, f"6-{user}") for user in recipients.users)

    jobs = ringing(company, ring, (10, "li wang"), (25, "boss"))
    for text in MANY:
        jobs.critical(text)
    found = jobs.wait(15)
    assert rung == [("li", "wang")]
    lines = [text for _, _, text in found if " → " in text]
    assert 1 <= len(lines) <= 3  # one, but where a server's clock goes on while that of the test stands
    assert all(re.search(rf"→ li、wang {CLOCK}（电话：已拨打）", line) for line in lines)
    jobs.wait(12)
    assert rung == [("li", "wang"), ("boss",)]  # who is called has not taken it


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((Call("li", "6-li"), Call("wang", "", 60103)), "（电话：未能呼出，wang 60103）"),
        (PermissionDeniedError(301051, "no balance"), "（电话：未能呼出，301051）"),
        (RequestTimeout("no answer within 10 s"), "（电话：未能呼出，–）"),
        ((), ""),
    ],
    ids=["no mobile", "no balance", "no answer", "a channel without phones"],
)
def test_a_call_that_does_not_begin_is_said_and_the_steps_go_on(
    company: Make, answer: tuple[Call, ...] | Exception, said: str
) -> None:
    def ring(recipients: Recipients) -> tuple[Call, ...]:
        if isinstance(answer, Exception):
            raise answer
        return answer

    jobs = ringing(company, ring, (10, "li wang"), (25, "boss"))
    jobs.critical()
    found = jobs.wait(15)
    assert found[-1][2].partition(" → ")[2].partition("（")[0].startswith("li、wang")
    assert found[-1][2].endswith(said)
    assert "电话" in found[-1][2] or not said
    assert steps(jobs.wait(12)) == [(25, ("boss",))]


def away(jobs: Escalated, is_away: bool = True) -> None:
    for job in jobs.jobs:
        job.options.shared._back_off_until = float("inf") if is_away else float("-inf")


@over_a_state
def test_what_was_told_while_the_state_was_away_escalates_when_it_is_there_again(company: Make) -> None:
    jobs = company(*TWO)
    away(jobs)
    jobs.critical()
    assert len(jobs.wait(11)) == 3  # its step, and the line, from the memory of the process
    away(jobs, False)
    assert steps(jobs.wait(16)) == [(25, ("王五", "赵六"))]
    assert jobs.open()[0].step == 2
    assert [one.told_too != () for one in jobs.open()] == [True]


@over_a_state
def test_a_step_whose_answer_the_state_did_not_get_is_not_told_twice(company: Make) -> None:
    jobs = company(*TWO)
    jobs.critical()
    jobs.wait(9)
    jobs.channel.before = lambda named: away(jobs) if named.users == ("李四",) else None
    found = jobs.wait(8)
    assert steps(found) == [(10, ("李四",))]
    jobs.channel.before = lambda named: None
    away(jobs, False)
    found = jobs.wait(12)
    assert steps(found) == [(25, ("王五", "赵六"))]
