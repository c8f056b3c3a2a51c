"""An incident as a document: what comes back is equal, checked, and has what a later version has written."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import replace
from typing import Any

import pytest

from wecom_logging._incidents import answered, codec, life, stored
from wecom_logging._incidents.incident import NO_ANSWERS, Count, Incident
from wecom_logging.model import Sample, Variant

from ..state.conftest import first


def row() -> Incident:
    """With something in each field."""
    samples, kinds = (Sample(3.0, "样本"),), (Variant("amy", 2, "a text", 3.0, True),)
    made = stored.opened(first("k", 3, cause="refused", event="e", audience="x"), short_id="k7f2", version=7, now=5.0)
    made = stored.counted(made, Count(key="k", number=2, last=4.0, samples=samples, variants=kinds), 6.0)
    made = answered.taken(stored.claimed(made, owner="me", until=66.0, version=8), "Li", "here", now=7.0, time=1000.0)
    times = {"told_at": 5.5, "not_before": 9.0, "held_until": 99.0, "times_since": 1.0}
    numbers = {"told": 1, "digests": 2, "tries": 1, "wait_s": 60.0, "digests_with_new": 1, "times": 3}
    steps = {
        "steps": (60.0, 120.0),
        "step": 1,
        "steps_from": 10.0,
        "step_at": 70.0,
        "stepping_at": 60.0,
        "told_too": ("amy",),
        "heard": ("eve",),
        "sent_ids": ("eve", "bob"),
    }
    made = replace(
        made,
        ended=True,
        duty='{"zone":"Asia/Shanghai"}',
        quiet_since=2.0,
        quiet_by="shop",
        quiet_why="v2",
        **times,
        **steps,
    )
    return replace(made, rates=(1, 0, 2), places=(("a", "b"),), **numbers)


def test_each_field_comes_back_but_what_is_this_processs_own() -> None:
    one = row()
    defaults = {field.name: field.default for field in dataclasses.fields(Incident)}
    same = [name for name, default in defaults.items() if getattr(one, name) == default]
    assert same == ["own", "beyond"]
    assert codec.load(codec.dump(one), one.first) == one


def test_what_a_later_version_has_written_stays_in_the_document() -> None:
    one = row()
    later: dict[str, Any] = json.loads(codec.dump(one))
    later |= {"escalated": {"to": ["amy"], "at": 3.5}, "paged": "on-call"}
    later["answers"] |= {"acknowledged": [1, 2]}
    found = codec.load(json.dumps(later), one.first)
    assert replace(found, beyond=None) == one
    assert json.loads(codec.dump(found)) == later
    sent = stored.moved(found, found, life.sent(found, 8.0), "", lambda: 9)
    assert sent is not None
    assert sent.row is not None
    after = json.loads(codec.dump(sent.row))
    assert (after["escalated"], after["paged"]) == (later["escalated"], "on-call")
    assert (after["answers"]["acknowledged"], after["told"]) == ([1, 2], 5)


def test_what_a_later_version_lets_people_do_is_written_back_as_it_was() -> None:
    one = replace(row(), answers=NO_ANSWERS)
    later = json.loads(codec.dump(one)) | {
        "answers": {"now": {"verb": "handed on", "who": "Li", "where": "", "at": 1.0}}
    }
    found = codec.load(json.dumps(later), one.first)
    assert found.answers == NO_ANSWERS
    assert json.loads(codec.dump(found)) == later


HANDED_ON = {"verb": "handed on", "who": "Li", "where": "", "at": 1.0, "length_s": 7.0}


@pytest.mark.parametrize("more", [{"now": HANDED_ON}, {"now": {"verb": "handed on"}}, {"base": -1}, {"is_said": 2}])
def test_what_people_do_here_takes_the_place_of_what_is_not_understood(more: dict[str, Any]) -> None:
    later = json.loads(codec.dump(row())) | {"answers": {"paged": 1} | more}
    found = codec.load(json.dumps(later), row().first)
    assert found.answers == NO_ANSWERS
    assert json.loads(codec.dump(found)) == later
    done = answered.done(found, "Li", "here", now=8.0, time=1000.0)
    assert done.answers.now is not None
    document = codec.dump(done)
    assert codec.load(document, done.first).answers == done.answers
    assert json.loads(document)["answers"]["paged"] == 1


@pytest.mark.parametrize(
    "text", ["", "{", "[1]", "{}", '{"key": 7}', "[" * 10_000, "NaN", '{"version": 1e999}', '"' + "x" * 10**6 + '"']
)
def test_what_is_none_of_ours_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        codec.load(text, row().first)


def test_times_of_the_store_move_with_its_clock_and_no_others() -> None:
    one = row()
    moved = codec.shifted(one, 1000.0)
    changed = {
        name for name in (field.name for field in dataclasses.fields(one)) if getattr(one, name) != getattr(moved, name)
    }
    steps = {"steps_from", "step_at", "stepping_at"}
    assert changed == {"told_at", "counted_at", "untold_at", "not_before", "until", "held_until", *steps}
    assert moved.until == 1066.0
    assert codec.shifted(replace(one, held_until=0.0), 1000.0).held_until == 0.0
