"""What a message says of an incident: as the rules that `Digests` replaces have it on random lives, and rule by rule.

A life is lived by the old rules, and at its end the old incident is translated into a new one. Where both engines do
the same next, their messages say the same, but for what `wanted` names.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from wecom_logging._delivery.digests import Digests, carried
from wecom_logging._delivery.shared_pipeline import SharedPipeline
from wecom_logging._incidents import answered, escalation, life
from wecom_logging._incidents import view as old_view
from wecom_logging._incidents.incident import Incident as Old
from wecom_logging._incidents.known import first_line, view
from wecom_logging._incidents.outcomes import as_composed, held, step_missed
from wecom_logging._incidents.plan import NEVER, Act, plan
from wecom_logging._incidents.values import By, Hold, Incident
from wecom_logging._incidents.views import is_open, known
from wecom_logging._state.failover import Claim
from wecom_logging._state.shared import Alone
from wecom_logging.model import Digest, Sample, Variant
from wecom_logging.model.alert import OVER, SILENCED, TAKEN

from ..incidents import test_apply as new
from ..incidents import test_plan as old
from ..programs import Clock
from ..state.conftest import alert
from ..storms import Recorder, pipeline

M = 60.0


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> tuple[SharedPipeline, Clock]:
    """The old engine, the wall of which shows the time of the clock."""
    clock = Clock()
    monkeypatch.setattr(Alone, "time_s", lambda self: clock.now)
    channel = Recorder(clock)
    return SharedPipeline([channel], pipeline(channel, clock).options, clock), clock


def translated(one: Old) -> Incident:
    """As `test_plan` does; a step whose message is not sent stands in no answer."""
    made = old.translated(one)
    if not one.stepping_at:
        return made
    place = answered.newest_step(made.answers)
    answers = made.answers[:place] + made.answers[place + 1 :]
    return replace(made, answers=answers, sent=replace(made.sent, said=made.sent.said - (made.sent.said > place)))


def by_the_old(storm: SharedPipeline, one: Old, act: Act, now: float) -> Digest:
    """What the old engine says, but for what escalates: that is over after its silence, as all else is, and not where
    a step is to come; for how long nothing has come is what the clock says."""
    waits = act is not Act.FIRST and escalation.step_due_at(one) < NEVER
    plain = replace(one, steps=(), step_at=0.0, stepping_at=0.0)
    claim = Claim(life.alone(plain, now), is_shared=True, claimed_at=now)  # its texts are masked
    digest = storm._turn.alerts.digest(claim)
    if one.steps and digest.quiet_s:
        digest = replace(digest, quiet_s=max(digest.quiet_s, now - one.counted_at) if act is Act.END else 0.0)
    return replace(digest, is_over=digest.is_over and not waits)


def without_lengths(digest: Digest) -> Digest:
    """The translation counts the length of a take that came before the first message from that message."""
    answers = {name: one for name in ("answer", "back") if (one := getattr(digest, name)) is not None}
    return replace(digest, **{name: replace(one, length_s=0.0) for name, one in answers.items()})


def composed(engine: tuple[SharedPipeline, Clock], seed: int) -> tuple[str, Digest, Digest] | None:
    """The digests by both engines of what comes next in a life. None: they do another thing, or nothing."""
    storm, clock = engine
    at = old.lived(seed, is_plain=False)
    more = tuple(Sample(at.now, f"{at.rnd.choice(['disk full', 'no room', 'away'])} {n}") for n in range(seed % 3))
    one = at.one = replace(at.one, samples=more)
    incident = translated(one)
    due, (when, what) = plan(incident, at.now), old.theirs(one, at.now)
    if when == NEVER or abs(due.at - when) > 0.1 or what == "silent":
        return None
    clock.now = max(due.at, when)
    if what == "step":
        if due.act is not Act.STEP or not one.stepping_at:
            return None
        began, theirs = (
            escalation.began(one),
            storm._turn.steps.digest(Claim(one, is_shared=True, claimed_at=clock.now)),
        )
        assert theirs.escalation is not None
        ours = Digests().of_step(incident, alert(), theirs.escalation.told, at=began.at, count=began.count)
        return "STEP", theirs, ours
    if due.act is not old.act_of(one, when, what):
        return None
    if due.act is Act.FIRST and one.ended and one.untold > 1:  # it told all at once where a store was shared
        return None
    shown = as_composed(incident, due.act, clock.now)
    ours = Digests().of(shown, due.act, alert(), clock.now)
    return due.act.name, by_the_old(storm, one, due.act, clock.now), ours


def test_on_random_lives_messages_say_what_they_said(engine: tuple[SharedPipeline, Clock]) -> None:
    seen = Counter[str]()
    for seed in range(1500):
        if (found := composed(engine, seed)) is not None:
            act, theirs, ours = found
            assert without_lengths(ours) == without_lengths(theirs), f"seed {seed}, {act}:\n{ours}\n{theirs}"
            seen[act] += 1
    assert set(seen) == {"FIRST", "NEWS", "DIGEST", "END", "STEP"}, seen


def test_on_random_lives_people_read_of_an_incident_what_they_read() -> None:
    seen = Counter[bool]()
    for seed in range(1000):
        at = old.lived(seed, is_plain=False)
        incident = old.translated(at.one)
        assert view(known(incident, alert), at.now) == view(old_view.known(at.one), at.now), f"seed {seed}"
        assert is_open(incident) is answered.is_open(at.one)
        seen[is_open(incident)] += 1
    assert min(seen.values()) > 50


# Where it says more, or by itself.


def said(incident: Incident, now: float, **more: Any) -> Digest:
    """What the message says that is due by then."""
    at, act = plan(incident, now)
    assert at <= now
    return Digests().of(replace(as_composed(incident, act, now), **more), act, alert(), now)


def test_the_end_of_a_take_in_which_nothing_came_is_news_of_who_had_it() -> None:
    taken = new.sent(new.answered(new.sent(new.opened(), 0.0), TAKEN, M, 5 * M), M)
    digest = said(taken, 6 * M)
    assert digest.answer is not None
    assert (digest.answer.verb, digest.answer.who, digest.is_news, digest.quiet_s) == (OVER, "李四", True, 0.0)


def test_what_came_in_a_silence_is_counted_since_it_was_said() -> None:
    silent = new.sent(new.answered(new.sent(new.opened(), 0.0), SILENCED, M, 5 * M), M)
    digest = said(new.counted(silent, 2 * M, 7), 6 * M)
    assert (digest.count, digest.total, digest.answered_count, digest.is_news) == (7, 8, 7, False)


def test_a_sample_is_shown_once() -> None:
    digests, incident = Digests(), new.counted(new.sent(new.opened(), 0.0), 1.0, 3)
    texts = ("disk full", "no room on /data 7", "no room on /data 8")

    def shown(*times: float) -> list[str]:
        samples = tuple(Sample(time, text) for time in times for text in texts)
        counts = replace(incident.counts, samples=samples)
        digest = digests.of(replace(incident, counts=counts), Act.DIGEST, alert(), M)
        return [one.text for one in digest.samples]

    assert shown(1.0) == ["no room on /data 7"]
    assert shown(1.0) == ["no room on /data 7"]  # the same message again
    assert shown(2.0) == []
    digests.forget("k")
    assert shown(2.0) == ["no room on /data 7"]


def test_a_step_says_why_the_one_before_it_reached_nobody() -> None:
    incident = step_missed(new.escalating(), "nobody 张三", 10 * M)
    escalation = Digests().of_step(incident, alert(), ("李四",), at=10 * M, count=3).escalation
    assert escalation is not None
    assert (escalation.number, escalation.of, escalation.after_s) == (2, 2, 30 * M)
    assert (escalation.missed, escalation.told) == ("nobody 张三", ("李四",))


def test_what_began_and_ended_in_quiet_hours_says_so_with_its_beginning() -> None:
    incident = held(new.opened(), Hold(60 * M, By.HOURS, 0.0), Act.FIRST)
    digest = said(incident, 60 * M)
    assert (digest.is_first, digest.is_over, digest.quiet_s) == (True, True, 0.0)


def test_the_numbers_of_another_handler_stay() -> None:
    theirs = Digest(alert("a"), count=7, total=9, variants=(Variant("v", 7),))
    assert carried(theirs, alert("b"), "k7f2") == replace(theirs, alert=alert("b"), short_id="k7f2")


def test_the_first_line_is_what_there_is() -> None:
    assert first_line(replace(alert(" disk\nfull"), title="")) == "disk"
    assert first_line(alert("")) == "(no text)"
