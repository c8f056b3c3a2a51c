"""WeCom shows the very same request once within half an hour: a resend has to be the same, another event never."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.programs import Clock, word
from tests.scripted import ScriptedWeCom, Step, close, errcode, hold, response, rst, status
from tests.wecom.failures import GOOD
from wecom_logging._sandbox import Sandbox

from .rig import PUSH, SEND, Rig

RULES = ((30, 60.0), (1000, 3600.0))


@pytest.fixture
def sandbox(clock: Clock) -> Iterator[Sandbox]:
    with Sandbox(clock=clock) as server:
        yield server


def storm(rig: Rig, kinds: int) -> None:
    rig.log(*(f"import {word(number)} failed: " + "- " * 60 for number in range(kinds)))


def long_text(rig: Rig) -> None:
    rig.log("\n".join(f"line {number} " + "x" * 90 for number in range(60)))


@pytest.mark.case("W16")
@pytest.mark.parametrize("overflow", ["trim", "file"])
@pytest.mark.parametrize(
    "event",
    [lambda rig: storm(rig, 1), lambda rig: storm(rig, 60), long_text],
    ids=["one alert", "many that share messages", "a long text"],
)
def test_the_same_failure_a_quarter_of_an_hour_later_is_another_event(
    sandbox: Sandbox, clock: Clock, event: Callable[[Rig], None], overflow: str
) -> None:
    rig = Rig(sandbox.url, for_sandbox=True, rules=RULES, overflow=overflow, clock=clock)
    for _ in range(2):
        event(rig)
        rig.run_until_settled(within_s=300)
        rig.run(900)  # the group closes
    sent = [call for call in sandbox.calls if call.path == SEND and call.errcode == 0]
    assert len(sandbox.messages()) == len(sent)


def _timeout(step: Step) -> float:
    return 0.2 if step.name == "hold" else 5


LOST = [close(), rst(), rst(after=response(200, GOOD)[:30]), hold(), status(502), errcode(-1)]


@pytest.mark.case("N03", "N05", "W16")
@pytest.mark.parametrize("bot", [False, True], ids=["app", "bot"])
@pytest.mark.parametrize("step", [*LOST, errcode(40014), errcode(45009), errcode(60020)], ids=lambda step: step.name)
def test_a_resend_is_the_same_to_the_last_byte(step: Step, bot: bool) -> None:
    """Whatever came meanwhile: the answer may have been lost behind a message that everybody has."""
    with ScriptedWeCom() as wecom:
        rig, path = Rig(wecom.url, bot=bot, timeout=_timeout(step)), PUSH if bot else SEND
        wecom.script(path, *[step] * 5)
        storm(rig, 1)
        rig.turn()
        storm(rig, 3)
        rig.run_until_settled(within_s=3600)  # what came meanwhile is told at the end, ten minutes after the first
        storm(rig, 1)
        rig.run(120)
    bodies = wecom.bodies(path)
    firsts = [
        body for body in bodies if b"import xa failed" in body and "×".encode() not in body and b" again, " not in body
    ]
    assert len(firsts) > 1
    assert len(set(firsts)) == 1
    if step.name != "hold":  # so little time may be too short for a good answer, too
        assert len(set(bodies[5:])) == len(bodies[5:])  # of what was taken, nothing was the same


@pytest.mark.case("W16")
@pytest.mark.parametrize("step", LOST, ids=lambda step: step.name)
def test_a_shared_message_is_resent_as_it_was(step: Step) -> None:
    with ScriptedWeCom() as wecom:
        rig = Rig(wecom.url, timeout=_timeout(step))
        storm(rig, 5)
        rig.run_until_settled(within_s=300)
        before = len(wecom.bodies(SEND))
        wecom.script(SEND, *[step] * 4)
        storm(rig, 40)
        rig.turn()
        storm(rig, 60)
        rig.run_until_settled(within_s=120)
    bodies = wecom.bodies(SEND)[before:]
    assert len(set(bodies[:5])) == 1
    assert b" kinds" in bodies[0]
    if step.name != "hold":
        assert len(set(bodies[4:])) == len(bodies[4:])
