"""An escalation through the sandbox: who sees what, the phone that rings, and what it costs where there is none."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

import pytest

from wecom_logging._incidents.duty import duty_text
from wecom_logging._sandbox import Sandbox
from wecom_logging.model import Answer, Recipients
from wecom_logging.model.alert import DONE, ESCALATED, TAKEN
from wecom_logging.model.duty import Duty, Step

from ..programs import Clock, app_handler, run, until
from ..storms import Recorder, pass_time, pipeline, record, turn


def critical(text: str = "disk full") -> logging.LogRecord:
    return logging.LogRecord("shop.pay", logging.CRITICAL, "/srv/pay.py", 7, text, None, None, "charge")


@pytest.mark.slow
def test_a_step_reaches_its_people_and_their_phones(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.add_member("lisi", name="李四", departments=[1], mobile="13800000001")
    sandbox.add_member("wangwu", name="王五", departments=[1], mobile="13800000002")
    handler = app_handler(
        sandbox.url,
        state=f"sqlite:///{tmp_path}/alerts.db",
        escalation=[{"after": "1s", "users": ["李四", "wangwu"], "how": "call"}],
        language="zh",
    )
    handler.handle(critical())
    until(lambda: len(sandbox.messages()) == 3)
    first, step, line = (message["content"] for message in sandbox.messages())
    whole = step.split("\n")
    assert whole[0] == "⏫ 升级 1/1（之后不再升级）：1 秒无人认领，已通知 sandbox-user"
    assert whole[1:] == first.split("\n")
    assert line.split("\n")[0].endswith("（电话：已拨打）")
    assert [ring["user_id"] for ring in sandbox.rings()] == ["wangwu", "lisi"]
    assert [message["receivers"] for message in sandbox.messages()] == [
        ["sandbox-user"],
        ["lisi", "wangwu"],
        ["sandbox-user"],
    ]
    handler.close()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("users", "step", "told"),
    [
        (["sandbox-user", "老板"], {"leader_of": ["运维部"]}, [["boss"], ["sandbox-user"]]),
        (["boss", "sandbox-user"], {"users": ["老板"]}, [["boss"], ["sandbox-user"]]),
        (["sandbox-user", "on-call:web"], {"users": ["on-call:web"]}, [["boss"], ["sandbox-user"]]),
        (["boss"], {"leader_of": ["运维部"]}, [["boss"]]),
    ],
    ids=["a leader", "a name", "a rota", "nobody else"],
)
def test_who_was_told_before_gets_one_message_of_a_step_by_whichever_name(
    sandbox: Sandbox, users: list[str], step: dict[str, list[str]], told: list[list[str]]
) -> None:
    sandbox.add_department(7, name="运维部")
    sandbox.add_member("boss", name="老板", departments=[7], leader_of=[7])
    handler = app_handler(
        sandbox.url,
        users=users,
        escalation=[{"after": "1s", **step}, {"after": "2s", "users": ["sandbox-user"]}],
        on_call={"web": {"people": ["老板"], "since": "2026-11-02 10:00", "every": "1w"}},
        answers="aibot",
        timezone="Asia/Shanghai",
    )
    handler.handle(critical())
    until(lambda: any("Escalation 2/2" in one["content"] for one in sandbox.messages()))
    found = [one["receivers"] for one in sandbox.messages()]
    assert found[1 : 1 + len(told) + 1] == [*told, ["sandbox-user"]]  # the last of which is the next step
    handler.close()


def test_a_program_without_steps_loads_nothing_of_them(sandbox: Sandbox) -> None:
    code = """
import logging, sys
from wecom_logging import WeComHandler
handler = WeComHandler()
handler.handle(logging.LogRecord("shop", 50, "", 1, "x", None, None))
assert handler.flush(10)
of_steps = ("_config.escalation", ".steps", "_incidents.duty", "_config.duty")
print(sorted(name for name in sys.modules if name.endswith(of_steps)))
"""
    assert run(code, url=sandbox.url).out.strip() == "[]"
    assert len(sandbox.messages()) == 1


@pytest.mark.slow
def test_a_take_at_the_moment_of_a_step_wins_or_loses_as_a_whole() -> None:
    """A thread takes it while the worker is at it, at every moment in turn."""
    clock = Clock(1_796_000_000.0)
    channel = Recorder(clock)
    rules = duty_text(Duty(steps=(Step(600.0, Recipients(users=("lisi",))),)))
    storm = pipeline(channel, clock, duty=rules, steps_s=(600.0,), steps_level=logging.CRITICAL)
    begun = threading.Barrier(2)

    def take(key: str, later: int) -> None:
        begun.wait()
        for _ in range(later):
            storm.stats()  # some moments later
        storm.place.answer(storm.channel_id, key, Answer(TAKEN, "张三", "here", clock.now, 1800.0), is_seen=False)

    for number in range(24):
        storm.collector.take(record(f"{'abcdefghijklmnopqrstuvwxyz'[number]} broke", level=logging.CRITICAL))
        turn(storm)
        ((_, known),) = storm.place.rows(1)
        clock.now += 600.0
        seen = len(channel.told)
        thread = threading.Thread(target=take, args=(known.key, number % 12))
        thread.start()
        begun.wait()
        turn(storm)
        thread.join()
        pass_time(storm, clock, 300)
        steps = [one.first_line for one in channel.told[seen:] if one.first_line.startswith("⏫ Escalation")]
        _, after = next(row for row in storm.place.rows(100) if row[1].key == known.key)
        verbs = [answer.verb for answer in after.answers]
        assert verbs in ([TAKEN], [ESCALATED, TAKEN])
        assert len(steps) == verbs.count(ESCALATED)
        done = Answer(DONE, "张三", "here", clock.now)
        storm.place.answer(storm.channel_id, known.key, done, is_seen=True)
        turn(storm)
