"""`bundle`, as a table: of all that is due, what goes now, with whom, and what waits."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from wecom_logging._delivery.bundle import (
    bundle,
    may_send_summary,
    urgent_first,
    waits_for_summary,
)
from wecom_logging._delivery.parcels import Choice, Form, Later, Over, Parcel, Rules, Wait
from wecom_logging._incidents import outcomes
from wecom_logging._incidents.book import Due
from wecom_logging._incidents.cause import cause_of
from wecom_logging._incidents.plan import Act, drained, plan
from wecom_logging._incidents.values import By, Hold, Incident
from wecom_logging.model.alert import DONE, TAKEN

from ..incidents.test_apply import M, answered, counted, escalating, opened, sent

NOW = 100 * M


@dataclass
class Now:
    """What stands in for a leader. ``held``: what holds a service, by its name; ``book``: all incidents."""

    pace: Rules
    book: list[Incident]
    held: dict[str, Hold]
    refused: Collection[str] = ()
    on_way: Collection[str] = ()
    hurries: bool = False
    closes: bool = False

    def holds(self, incident: Incident) -> Hold | None:
        return next((self.held[name] for name in incident.opening.scopes if name in self.held), None)

    def waited(self, incident: Incident) -> bool:
        return incident.hold is not None and incident.hold.is_of_wall

    def rules(self, incident: Incident) -> Rules:
        return self.pace

    def of(self, audience: str) -> list[Incident]:
        return [one for one in self.book if one.opening.audience == audience]

    def are_for_same(self, one: Incident, other: Incident) -> bool:
        return one.opening.duty == other.opening.duty


def one(name: str = "k", **more: Any) -> Incident:
    """New, and due now."""
    return replace_key(opened(NOW, **more), name)


def replace_key(incident: Incident, name: str) -> Incident:
    return replace(incident, opening=replace(incident.opening, key=name, short_id=name))


def repeated(waited_s: float = M, name: str = "k", number: int = 3, **more: Any) -> Incident:
    """Sent so long ago, and logged again since."""
    begins = NOW - waited_s
    return replace_key(counted(sent(opened(begins, **more), begins), max(begins + 1, NOW - 90), number), name)


def found(
    *due: Incident, book: Iterable[Incident] = (), held: dict[str, Hold] | None = None, **more: Any
) -> list[Choice]:
    pace = Rules(**{name: more.pop(name) for name in list(more) if name in Rules._fields})
    at = Now(pace, [*due, *book], held or {}, **more)
    hurries, closes = at.hurries or at.closes, at.closes
    acts = [(drained(each, NOW, closes=closes) if hurries else plan(each, NOW)).act for each in due]
    rows = [Due(each, act) for each, act in zip(due, acts, strict=True)]
    rows.sort(key=lambda row: (-row.incident.opening.level, row.incident.counts.unsent_at))
    done = set[str]()

    def left() -> Iterator[Due]:
        return (row for row in rows if row.incident.opening.key not in done)

    choices = list[Choice]()
    for choice in bundle(left, NOW, at):
        choices.append(choice)
        if isinstance(choice, Over):
            done.add(choice.row.incident.opening.key)
        elif not isinstance(choice, Wait):
            done.update(row.incident.opening.key for row in choice.rows)
    return choices


_FORMS = {Form.CAUSE: "cause", Form.HELD: "held", Form.STEP: "step", Form.CALL: "call"}


def said(choices: list[Choice]) -> list[str]:
    """``sends k``, ``sends a b``, ``later a 3``: times are seconds from now."""
    lines = []
    for each in choices:
        match each:
            case Parcel(rows, form):
                lines.append(" ".join([_FORMS.get(form, "sends"), *(row.incident.opening.key for row in rows)]))
            case Later(rows, hold):
                lines.append(f"later {rows[0].incident.opening.key} {hold.until - NOW:g}")
            case Over(row):
                lines.append(f"over {row.incident.opening.key}")
            case Wait(until, _, is_calm):
                lines.append(f"{'gathers' if is_calm else 'blocked'} {until - NOW:g}")
    return lines


def taken() -> Incident:
    return answered(repeated(), TAKEN, NOW, 30 * M)


def over() -> Incident:
    """Over, with a closing line that is due."""
    begins = NOW - 14 * M
    return sent(counted(sent(opened(begins), begins), begins + 1, 3), begins + M)


CRITICAL = {"level": 50}


@pytest.mark.parametrize(
    ("due", "rules", "expected"),
    [
        ([one()], {}, ["sends k"]),
        ([one(), one("b")], {}, ["sends k", "sends b"]),
        ([one(), one("b")], {"shares": True}, ["sends k b"]),
        ([one(level=30), one("b")], {}, ["sends b", "sends k"]),
        ([repeated()], {}, ["sends k"]),
        ([over()], {}, ["sends k"]),
        # The rate limit holds all, whatever it is.
        ([one(**CRITICAL), one("b")], {"room_at": NOW + 9}, ["blocked 9"]),
        ([taken()], {"room_at": NOW + 9}, ["blocked 9"]),
        ([one()], {"room_at": NOW + 9, "hurries": True}, ["blocked 9"]),
        ([one()], {"room_at": NOW}, ["sends k"]),
        # What a person did has a message of its own, and waits for no flood.
        ([taken(), one("b")], {"shares": True}, ["sends k", "sends b"]),
        ([taken()], {"summary_at": NOW - 1}, ["sends k"]),
        # A flood: what is not urgent is gathered for four seconds, or until the next summary.
        ([one(), one("b")], {"summary_at": NOW - 1}, ["gathers 3"]),
        ([one()], {"gathers_until": NOW + 50}, ["gathers 50"]),
        ([one()], {"gathers_until": NOW + 50, "hurries": True}, ["sends k"]),
        ([one(), one("b", **CRITICAL)], {"summary_at": NOW - 1}, ["sends b k"]),
        ([one(), taken()], {"gathers_until": NOW + 50}, ["sends k"]),
        # For two minutes after a summary messages are shared.
        ([one(), one("b")], {"summary_at": NOW - 119}, ["sends k b"]),
        ([one(), one("b")], {"summary_at": NOW - 120}, ["sends k", "sends b"]),
        # WeCom has refused it among others: it is judged alone.
        ([one(), one("b")], {"refused": {"k"}, "shares": True}, ["sends k", "sends b"]),
        # No other audience, and none whose rota is another, is in one message.
        ([one(), one("b", audience="[['amy'], [], [], []]")], {"shares": True}, ["sends k", "sends b"]),
        ([one(), one("b", duty="{}")], {"shares": True}, ["sends k", "sends b"]),
        # At an exit nobody is told that all is over.
        ([over()], {"closes": True}, ["over k"]),
        ([repeated()], {"closes": True, "hurries": True}, ["sends k"]),
    ],
)
def test_what_is_due_goes_alone_or_with_others_or_waits(
    due: list[Incident], rules: dict[str, Any], expected: list[str]
) -> None:
    assert said(found(*due, **rules)) == expected


def before(seconds: float, name: str = "other", cause: str = "c", **more: Any) -> Incident:
    """Another, of which a message was sent so long ago."""
    return replace_key(sent(opened(NOW - seconds, cause=cause, **more), NOW - seconds), name)


def new(seconds: float, name: str = "other", cause: str = "c") -> Incident:
    return replace_key(opened(NOW - seconds, cause=cause), name)


@pytest.mark.parametrize(
    ("incident", "others", "expected"),
    [
        (one(cause="c"), [], "sends k"),
        # Sent within the window: the others of the cause share the next message.
        (one(cause="c"), [before(10)], "later k 50"),
        (one(cause="c"), [before(10), before(30, "third")], "later k 50"),
        (one(cause="c"), [before(60)], "sends k"),
        (repeated(cause="c"), [before(10)], "later k 50"),
        (repeated(cause="c"), [], "sends k"),
        # Of several that are new the oldest goes first.
        (one(cause="c"), [new(1)], "later k 59"),
        (one(cause="c"), [new(-1)], "sends k"),
        # Itself, other causes, and what has ended are none of them.
        (one(cause="c"), [before(10, cause="d")], "sends k"),
        (one(cause="c"), [answered(before(10), DONE, NOW)], "later k 50"),
        (one(cause="c"), [outcomes.ended(before(10), NOW)], "sends k"),
        # What is urgent waits for no other.
        (one(cause="c", **CRITICAL), [before(10)], "sends k"),
    ],
)
def test_one_message_of_a_cause_goes_in_a_window(incident: Incident, others: list[Incident], expected: str) -> None:
    assert said(found(incident, book=others)) == [expected]


def test_what_waited_for_its_cause_goes_with_the_others_of_it() -> None:
    waited = [replace_key(opened(NOW - 50, cause="c"), name) for name in ("a", "b")]
    other = one("z", cause="d")
    assert said(found(*waited, other, book=[before(60)])) == ["cause a b", "sends z"]
    assert said(found(one(cause="c"), book=[before(10)], hurries=True)) == ["sends k"]


def test_what_a_scheduler_has_not_started_goes_together_once_in_ten_minutes() -> None:
    beat = cause_of("beat", "shop")
    assert said(found(one(cause=beat), one("b", cause=beat))) == ["cause k b"]
    assert said(found(one(cause=beat), book=[before(500, cause=beat)])) == ["later k 100"]


def test_of_those_that_share_a_message_those_wait_whose_cause_was_sent() -> None:
    due = [one(), one("b", cause="c"), one("d")]
    assert said(found(*due, book=[before(10)], shares=True)) == ["later b 50", "sends k d"]


def test_a_digest_takes_along_what_is_half_due_and_what_is_over() -> None:
    book = [repeated(30, "half"), repeated(29, "early"), replace_key(over(), "over"), new(1, "new", cause="")]
    assert said(found(repeated(), book=book)) == ["sends over k half"]
    assert said(found(repeated(), book=book, hurries=True)) == ["sends over k half early"]
    assert said(found(one("first"), book=book)) == ["sends first"]


def test_what_a_person_has_closed_goes_along_no_more() -> None:
    closed = sent(answered(over(), DONE, NOW - 12 * M), NOW - 12 * M)
    assert said(found(repeated(), book=[replace_key(closed, "closed")])) == ["sends k"]


def test_what_goes_along_is_as_if_its_wait_were_over() -> None:
    (parcel,) = found(repeated(), book=[repeated(30, "half")])
    assert isinstance(parcel, Parcel)
    _, half = parcel.rows
    assert half.act is Act.DIGEST
    assert half.incident.sent.at == NOW - M
    after = outcomes.sent(repeated(30, "half"), half.incident, half.act, NOW)
    assert after.sent.wait_s == 2 * M


# The wall.

NIGHT = Hold(NOW + 60 * M, By.HOURS, NOW)


def test_what_a_wall_holds_waits_whatever_it_is_and_its_steps_do_too() -> None:
    step = escalating(scopes=("web", ""))
    rows = [one(scopes=("web", "")), replace_key(step, "step"), one("free")]
    result = found(*rows, held={"web": NIGHT})
    assert said(result) == ["later step 3600", "later k 3600", "sends free"]
    assert [each.rows[0].act for each in result[:2]] == [Act.STEP, Act.FIRST]
    assert said(found(one(scopes=("web", "")), held={"web": NIGHT}, closes=True)) == ["sends k"]


def held(name: str, **more: Any) -> Incident:
    """One that quiet hours have held until now."""
    return replace_key(outcomes.held(opened(NOW - 60 * M, **more), Hold(NOW, By.HOURS, NOW - 60 * M), Act.FIRST), name)


def test_at_its_end_what_has_waited_goes_in_one_message() -> None:
    rows = [held("a"), held("b", cause="c"), one("free"), held("c")]
    assert said(found(*rows)) == ["held a b c", "sends free"]
    assert said(found(*rows, refused={"b"})) == ["held a c", "sends b", "sends free"]
    assert said(found(held("a"), room_at=NOW + 9)) == ["blocked 9"]
    assert said(found(held("a"), summary_at=NOW - 1)) == ["gathers 3"]
    (parcel,) = found(held("a"))
    assert isinstance(parcel, Parcel)
    assert len(parcel.rows) == 1


# Steps.


def due_step(name: str = "k", **more: Any) -> Incident:
    begins = NOW - 10 * M
    return replace_key(sent(opened(begins, steps=(10 * M, 30 * M), **more), begins), name)


def test_steps_of_one_moment_go_in_one_message_whatever_their_audience_waits_for() -> None:
    rows = [due_step(), due_step("b"), one("free")]
    for rules in ({}, {"room_at": NOW + 60}, {"gathers_until": NOW + 60}, {"hurries": True}):
        assert said(found(*rows, **rules))[0] == "step k b"
    assert said(found(*rows, refused={"b"})) == ["step k", "step b", "sends free"]


def test_the_line_about_a_step_goes_before_the_next_step_where_there_is_room_for_it() -> None:
    line = outcomes.step_sent(due_step(), "[['amy'], [], [], []]", "amy", NOW, count=1)
    assert said(found(line)) == ["sends k"]
    assert said(found(line, room_at=NOW + 9)) == ["blocked 9"]
    both = replace(line, step=replace(line.step, at=NOW))
    assert said(found(both)) == ["sends k"]
    assert said(found(both, room_at=NOW + 9)) == ["step k"]


def test_the_phones_of_a_step_ring_before_its_line_also_in_quiet_hours() -> None:
    rows = [replace_key(due_step(calls=(1,)), name) for name in ("a", "b")]
    rows = [outcomes.step_sent(each, "[['amy'], [], [], []]", "amy", NOW, count=1) for each in rows]
    assert said(found(*rows, room_at=NOW + 9)) == ["call a b"]


# A flood.


@pytest.mark.parametrize(
    ("number", "rules", "waits"),
    [
        (11, {"summary_at": NOW - 59}, True),
        (10, {"summary_at": NOW - 59}, False),
        (11, {"summary_at": NOW - 60}, False),
        (11, {"summary_at": NOW - 59, "no_files_until": NOW + 1}, False),
        (11, {}, False),
    ],
)
def test_what_is_more_than_a_summary_names_waits_for_the_next(number: int, rules: dict[str, Any], waits: bool) -> None:
    assert waits_for_summary(number, NOW, Rules(**rules), hurries=False) is waits
    assert not waits_for_summary(number, NOW, Rules(**rules), hurries=True)
    rows = [one(f"n{place}") for place in range(number)]
    lines = said(found(*rows, **rules))
    assert (lines[0] == "gathers 1") is waits


def test_what_is_urgent_waits_for_no_summary() -> None:
    rows = [one(f"n{place}") for place in range(11)]
    lines = said(found(*rows, one("u", **CRITICAL), summary_at=NOW - 59))
    assert lines == ["sends u", "gathers 1"]


@pytest.mark.parametrize(
    ("rules", "may"),
    [
        ({}, True),
        ({"summary_at": NOW - 60}, True),
        ({"summary_at": NOW - 59}, False),
        ({"no_files_until": NOW + 1}, False),
    ],
)
def test_one_summary_goes_in_a_minute_while_files_can_be_sent(rules: dict[str, Any], may: bool) -> None:
    assert may_send_summary(NOW, Rules(**rules), hurries=False) is may


@pytest.mark.parametrize(("levels", "most", "number"), [("uuc", 2, 2), ("uuu", 2, 0), ("cuu", 2, 0), ("ccc", 2, 0)])
def test_what_is_urgent_goes_before_a_summary_if_one_message_holds_it(levels: str, most: int, number: int) -> None:
    assert urgent_first([one(level=50 if each == "u" else 40) for each in levels], most) == number


def test_where_messages_are_shared_all_else_of_the_audience_may_be_in_the_file_of_a_flood() -> None:
    rows = [one(f"n{place:03}") for place in range(250)]
    (parcel, *_) = found(*rows, shares=True)
    assert isinstance(parcel, Parcel)
    assert len(parcel.rows) == 250


def test_a_flush_makes_due_what_no_wall_and_no_person_holds() -> None:
    def due(incident: Incident) -> Act | None:
        at, act = drained(incident, NOW)
        return act if at <= NOW else None

    assert due(repeated(10)) is Act.DIGEST
    assert due(one()) is Act.FIRST
    assert due(outcomes.held(one(), NIGHT, Act.FIRST)) is None
    assert due(outcomes.failed(one(), NOW + M, 1)) is Act.FIRST
    assert due(sent(one(), NOW)) is None
    assert due(counted(sent(taken(), NOW), NOW)) is None
    gathers = sent(counted(sent(opened(NOW - 12 * M), NOW - 12 * M), NOW - 11 * M), NOW - 10 * M)
    assert plan(gathers, NOW) == (NOW + 2 * M, Act.END)  # with what else is over by then
    assert due(gathers) is Act.END


def test_what_is_over_and_of_which_all_is_said_goes_along_only_with_a_closing_line() -> None:
    begins = NOW - 14 * M
    silent = replace_key(sent(opened(begins), begins), "silent")
    assert said(found(repeated(), book=[silent])) == ["sends k"]


def test_many_thousands_of_one_cause_are_looked_at_once() -> None:
    rows = [replace_key(opened(NOW - number / 1000, cause="c"), f"n{number:05}") for number in range(3000)]
    asked = list[str]()

    class Counting(Now):
        def of(self, audience: str) -> list[Incident]:
            asked.append(audience)
            return super().of(audience)

    due = [Due(one, Act.FIRST) for one in rows]
    choices = list(bundle(lambda: iter(due), NOW, Counting(Rules(shares=True), rows, {})))
    assert isinstance(choices[-1], Parcel)  # of the oldest; all others wait for that
    assert asked == [""]
