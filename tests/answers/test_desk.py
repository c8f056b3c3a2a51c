"""What people do by words, over memory and a shared state: what is answered, what is told, and the numbers."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from wecom_logging._answers.command import Command, read
from wecom_logging._answers.desk import AGAIN_S, Desk, Person
from wecom_logging._answers.shared_place import SharedPlace
from wecom_logging._capture.pending import Origin
from wecom_logging._incidents.known import view
from wecom_logging._incidents.view import known
from wecom_logging._render.times import local_time
from wecom_logging._state.shared import Shared
from wecom_logging._state.sqlite import SqliteStore
from wecom_logging._text.said import Reader
from wecom_logging.errors import ConnectError, StateError

from ..programs import word
from ..state.test_one_cause import Time
from ..storms import CLOCK, Recorder, pipeline, record
from .conftest import Office

over_a_state = pytest.mark.parametrize("desk", ["sqlite"], indirect=True)
"""A case of `tests/cases/answers.txt` holds it in memory."""


@over_a_state
def test_what_somebody_takes_is_told_to_all_and_then_counted(desk: Office) -> None:
    desk.log(3)
    desk.go_on()
    reply = desk.type(f"认领 #{desk.name}")
    assert re.fullmatch(rf"#{desk.name} taken by Li {CLOCK}, quiet until {CLOCK}", reply.text)
    assert re.fullmatch(rf"#{desk.name} Li 于 {CLOCK} 认领，{CLOCK} 前不再提醒", reply.said.zh)
    assert (reply.why, reply.other, len(reply.done)) == ("", None, 1)
    assert reply.incident is not None
    assert reply.incident.answers[-1].where == "chat ops"
    (said,) = desk.go_on()
    assert re.match(rf"✋ shop: #{desk.name} taken by Li ", said)
    assert desk.type("take", "Wang", quoted=said).why == "other"
    desk.log(40)
    assert desk.go_on(1700) == []
    (told,) = desk.go_on(200)
    assert re.search(r"^taken by Li .* ago, × 40 since$", told, re.M)
    desk.assert_balance()


@over_a_state
def test_what_somebody_takes_is_told_at_once_also_where_its_end_waits_for_others(desk: Office) -> None:
    desk.go_on(24)
    desk.log(3)
    desk.go_on(684)
    assert desk.open()[0].not_before > desk.clock.now + 60  # it is over, and told so with what else is over by then
    assert desk.type(f"take {desk.name}").why == ""
    (said,) = desk.go_on()
    assert re.match(rf"✋ shop: #{desk.name} taken by Li ", said)


@over_a_state
def test_who_is_second_sees_who_was_first(desk: Office) -> None:
    desk.log()
    desk.go_on()
    for text, what in (("take", "taken"), ("quiet 1h", "silenced"), ("done", "closed")):
        assert desk.type(f"{text} #{desk.name}").why == ""
        reply = desk.type(f"quiet 2h #{desk.name}", "Wang")
        assert reply.why == "other"
        assert re.match(rf"#{desk.name} was {what} by Li {CLOCK}( until {CLOCK})?; `undo {desk.name}` ", reply.text)
        assert reply.other is not None
        assert (reply.other.who, reply.done) == ("Li", ())
        assert reply.incident is not None
    assert re.fullmatch(
        rf"#{desk.name} opened again by Wang {CLOCK}; now: Li \(silenced until {CLOCK}\)",
        desk.type(f"undo {desk.name}", "Wang").text,
    )
    assert desk.type(f"undo {desk.name}").why == ""
    assert desk.type(f"undo {desk.name}").text == f"#{desk.name}: there is nothing to undo"


@over_a_state
def test_what_another_person_has_silenced_may_be_taken_and_given_back(desk: Office) -> None:
    desk.log()
    desk.go_on()
    assert desk.type(f"quiet {desk.name} 8h").why == ""
    assert re.match(rf"#{desk.name} taken by Wang ", desk.type(f"take {desk.name}", "Wang").text)
    assert desk.type(f"undo {desk.name}", "Wang").why == ""
    assert desk.type("list").text.count(" · Li (silenced until ") == 1
    desk.assert_balance()


@over_a_state
def test_who_has_it_after_an_undo_is_said_to_all(desk: Office) -> None:
    desk.log()
    desk.go_on()
    for text, who in (("take", "Wang"), ("give", "Wang")):
        assert desk.desk.do(Command(text, desk.name, whom="Li"), who, "chat ops").why == ""
        desk.go_on()
    said = desk.type(f"undo {desk.name}").said
    assert re.fullmatch(rf"#{desk.name} given back by Li {CLOCK}; now: Wang", said.en)
    assert re.fullmatch(rf"#{desk.name} Li 于 {CLOCK} 取消认领；当前处理人：Wang", said.zh)
    (told,) = desk.go_on()
    assert re.match(rf"✋ shop: #{desk.name} given back by Li {CLOCK}; now: Wang\n", told)
    assert re.fullmatch(
        rf"#{desk.name} claim of Wang undone by Li {CLOCK}; nobody has it now", desk.type(f"undo {desk.name}").text
    )
    assert desk.type(f"quiet {desk.name} 8h").why == ""
    assert desk.type(f"done {desk.name}", "Wang").why == ""
    assert re.fullmatch(
        rf"#{desk.name} opened again by Li {CLOCK}; now: Li \(silenced until {CLOCK}\)",
        desk.type(f"undo {desk.name}").text,
    )


@over_a_state
def test_a_silence_is_told_also_where_another_takes_the_incident_and_gives_it_back_at_once(desk: Office) -> None:
    desk.log()
    desk.go_on()
    for text, who in (("quiet {} 1h", "Li"), ("take {}", "Wang"), ("undo {}", "Wang")):
        assert desk.type(text.format(desk.name), who).why == ""
    (told,) = desk.go_on()
    assert re.match(rf"✋ shop: #{desk.name} given back by Wang {CLOCK}; now: Li \(silenced until {CLOCK}\)\n", told)
    for text in ("take {}", "undo {}"):  # of which nobody knows but who has typed it
        assert desk.type(text.format(desk.name), "Wang").why == ""
    assert desk.go_on() == []


@over_a_state
def test_what_is_given_to_another_person_is_theirs(desk: Office) -> None:
    desk.log()
    desk.go_on()
    give = Command("give", desk.name, whom="Wang")
    said = desk.desk.do(give, "Li", "chat ops").said
    assert re.fullmatch(rf"#{desk.name} given to Wang by Li {CLOCK}, quiet until {CLOCK}", said.en)
    assert re.fullmatch(rf"#{desk.name} Li 于 {CLOCK} 转给 Wang，{CLOCK} 前不再提醒", said.zh)
    desk.desk.do(give, "Li", "chat ops")  # twice by mistake
    assert re.match(rf"✋ shop: #{desk.name} given to Wang by Li ", "".join(desk.go_on()))
    assert desk.desk.do(Command("give", desk.name, whom="Zhao"), "Li", "chat ops").why == "other"
    (incident,) = desk.open()
    (answer,) = incident.answers.journal
    assert (answer.who, answer.by, answer.length_s) == ("Wang", "Li", 1800.0)
    assert " · Wang · " in desk.type("list").text
    assert desk.type(f"undo {desk.name}").why == ""
    assert " · Wang · " not in desk.type("list").text
    own = desk.desk.do(Command("give", desk.name, whom="Li"), "Li", "chat ops")
    assert re.match(rf"#{desk.name} taken by Li ", own.text)
    assert own.incident is not None
    assert own.incident.answers[-1].by == ""
    desk.assert_balance()


def test_who_has_it_is_a_user_id_and_not_a_name(desk: Office) -> None:
    desk.log()
    desk.go_on()
    name = desk.name
    mine, theirs = Person("Li Wei", "lw1"), Person("Li Wei", "lw2")

    def do(verb: str, who: Person | str, length_s: float = 0.0, **given: str) -> str:
        return desk.desk.do(Command(verb, name, length_s, **given), who, "chat ops").why

    assert do("take", mine) == ""
    assert do("take", theirs) == "other"
    assert len(desk.journal) == 1
    assert do("quiet", theirs, 60.0) == "other"
    assert do("quiet", Person("Li Wei (lw1)", "LW1"), 60.0) == ""  # another has the name by now
    assert do("undo", mine) == do("undo", mine) == ""
    assert do("give", mine, whom="Li Wei", whom_id="lw2") == ""
    assert do("take", mine) == "other"
    desk.clock.go(AGAIN_S)
    assert do("take", "Li Wei") == ""  # the command line knows no id
    assert [one.user for one in desk.journal] == ["lw1", "LW1", "lw1", "lw1", "lw2", ""]


@over_a_state
def test_a_silence_until_another_day_says_which(desk: Office) -> None:
    desk.log()
    desk.go_on()
    now = desk.time_s()
    said = desk.type(f"quiet {desk.name} 24h").said
    at = f"{local_time(now, 'en'):%H:%M}"
    until = f"{local_time(now + 86_400, 'en'):%m-%d %H:%M}"
    assert said.en == f"#{desk.name} silenced by Li {at}, until {until}"
    assert said.zh == f"#{desk.name} Li 于 {at} 静默至 {until}"
    assert f" · Li (silenced until {until}) · " in desk.type("list").text
    assert f" until {until}; `undo {desk.name}` " in desk.type(f"quiet {desk.name} 1h", "Wang").text


@pytest.mark.parametrize(
    ("language", "before", "held", "after"),
    [
        ("en", "silenced by Li 23:30, until {1} 01:30", "Li (silenced until {1} 01:30)", "Li {0} 23:30, until 01:30"),
        ("zh", "Li 于 23:30 静默至 {1} 01:30", "Li（静默至 {1} 01:30）", "Li 于 {0} 23:30 静默至 01:30"),
    ],
)
def test_over_midnight_each_time_of_another_day_has_its_date(
    language: str, before: str, held: str, after: str, desk: Office
) -> None:
    desk.log()
    desk.go_on()
    east_s = (23.5 * 3600 - desk.time_s()) % 86_400  # where it is half past eleven at night
    zone = timezone(timedelta(seconds=int(east_s) + 1 - (86_400 if east_s > 43_200 else 0)))
    desk.desk = Desk(desk.desk._places, language=Reader(language, zone), time_s=desk.time_s)
    days = [f"{datetime.fromtimestamp(desk.time_s() + later, zone):%m-%d}" for later in (0, 86_400)]
    assert before.format(*days) in desk.type(f"quiet {desk.name} 2h").text
    assert held.format(*days) in desk.type("list").text
    desk.clock.go(3600)
    assert after.format(*days) in desk.type(f"details {desk.name}").text
    assert held.format(*days).replace(f"{days[1]} ", "") in desk.type("list").text


@over_a_state
def test_a_claim_that_has_ended_is_no_one_s(desk: Office) -> None:
    desk.log()
    desk.go_on()
    desk.type(f"take {desk.name}")

    def who() -> list[str]:
        (incident,) = map(known, desk.open())
        texts = desk.type("list").text + desk.type(f"details {desk.name}").text
        return [view(incident, desk.time_s()).taken_by, *re.findall(r"(?: · |now: )(Li)\b", texts)]

    assert who() == ["Li"] * 3
    desk.go_on()
    desk.log(5)
    desk.go_on(1770)
    desk.clock.go(30)
    assert who() == [""]
    assert re.search(r"^taken by Li .* ago, × 5 since$", desk.go_on(60)[-1], re.M)
    assert who() == [""]


@over_a_state
def test_who_taps_twice_does_it_once(desk: Office) -> None:
    desk.log()
    desk.go_on()
    for _ in range(3):
        reply = desk.type(f"take {desk.name}")
        assert (reply.why, len(reply.done)) == ("", 1)
        desk.clock.go(AGAIN_S / 4)
    assert [one.verb for one in desk.journal] == ["taken"]
    desk.clock.go(AGAIN_S)
    desk.type(f"take {desk.name}")
    assert [one.verb for one in desk.journal] == ["taken", "taken"]


def test_of_many_at_once_one_has_it(desk: Office) -> None:
    desk.log()
    desk.go_on()
    name = desk.name
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda who: desk.type(f"take {name}", f"P{who}"), range(8)))
    (winner,) = (place for place, one in enumerate(replies) if not one.why)
    others = [one for one in replies if one.why]
    assert {one.why for one in others} <= {"other", "busy"}
    assert {one.other.who for one in others if one.other} == {f"P{winner}"}
    assert [one.who for one in desk.journal] == [f"P{winner}"]


def test_what_is_open_is_listed_with_who_has_it(desk: Office) -> None:
    assert desk.type("list").text == "nothing is open"
    desk.jobs[0].collector.take(record("the roof is on fire", level=50, created=desk.time_s()))
    desk.go_on(6)
    for kind in range(24):  # each has recipients of its own, or there would be a flood
        for _ in range(2):
            told_to, text = {"users": [word(kind)]}, f"{word(kind)} <@all> **broke**"
            desk.jobs[0].collector.take(record(text, line=kind, created=desk.time_s(), wecom=told_to))
        desk.go_on(6)
    newest = [one.text for one in desk.channel.told if f"{word(23)} " in one.text]
    (name,) = {*re.findall(r"#(\w+)", "".join(newest))}
    desk.type(f"take {name}", "Li · × [a](http://x)<@all>")
    first, *lines, more = desk.type("列表").text.split("\n")
    assert (len(lines), more) == (19, "… and 5 more: list 2")
    assert re.fullmatch(rf"#\w+ CRITICAL × 1 · since {CLOCK} · the roof is on fire", first)
    assert [line.split(" · ")[-1].split()[0] for line in lines] == [word(kind) for kind in range(22, 3, -1)]
    *_, last = rest = desk.type("列表 2").text.split("\n")
    begin = rf"#{name} ERROR × 2 · since {CLOCK} · Li \. x \[a\] \(http://x\)＜@all> · "
    assert re.fullmatch(rf"{begin}{word(23)} ＜@all> ∗∗broke∗∗", last)  # which somebody has
    assert len(rest) == 5
    assert desk.type("list 99").text.split("\n") == ["there is no page 99; page 2 is the last:", *rest]
    assert [desk.type(text).text for text in ("列表 严重", "列表严重", "list critical")] == [first] * 3
    assert desk.type("list error").text.split("\n") == [*lines, rest[0], "… and 4 more: list ERROR 2"]
    assert desk.type("list error 2").text.split("\n") == rest[1:]
    nothing = desk.type("列表 警告").said
    assert (nothing.en, nothing.zh) == ("no WARNING is open", "没有未结束的警告事件")


@pytest.mark.parametrize("desk", ["memory", "sqlite", "redis"], indirect=True)
def test_the_oldest_of_very_many_is_found_and_the_list_says_that_there_are_more(
    desk: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wecom_logging._answers.desk.LOOKED_AT", 30)
    desk.jobs[0].collector.take(record("the roof is on fire", level=50))
    desk.go_on()
    name = desk.name
    for kind in range(40):
        desk.jobs[0].collector.take(record(f"{word(kind)} broke", line=kind, created=desk.time_s() + 60))
    for job in desk.jobs:
        job.turn()
    assert desk.type("list").text.endswith("\n… and 10+ more: list 2")
    for text in (f"take {name}", f"quiet {name} 1h", f"details {name}", f"done {name}"):
        reply = desk.type(text)
        assert (reply.why, reply.incident is not None and reply.incident.short_id) == ("", name)
    assert desk.type("take zzzz").why == "unknown"


def test_one_that_waits_behind_others_is_found_by_the_id_that_it_will_have() -> None:
    channel = Recorder(clock := Time(1_000_000.0))
    before, now = (Office([pipeline(channel, clock)], channel, clock) for _ in range(2))
    before.log()
    before.go_on()
    channel.error = ConnectError("scripted")
    now.jobs[0].collector.take(record("what is tried first", line=2))
    now.jobs[0].turn()
    now.log()
    now.jobs[0].turn()
    assert now.type(f"quiet {before.name} 1h").why == ""


@over_a_state
def test_an_unknown_id_and_too_long_a_silence_are_said(desk: Office) -> None:
    assert desk.type("take zzzz").text == "no open incident #zzzz; nothing is open"
    desk.log()
    desk.go_on()
    reply = desk.type("take zzzz")
    assert (reply.why, reply.text) == ("unknown", f"no open incident #zzzz; open are #{desk.name}")
    assert reply.said.zh == f"没有编号为 #zzzz 的事件，或已结束；未结束的有 #{desk.name}"
    reply = desk.type(f"quiet {desk.name} 2 days")
    assert (reply.why, reply.text) == ("limit", f"#{desk.name} may be silent for at most 24 hours")
    assert desk.journal == ()
    assert desk.type("take <@all>" + "z" * 99).why == "id"
    assert "<" not in desk.desk.do(Command("take", "<@all>"), "Li", "chat").text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        *[("take", "which incident? Give its id: take k7f2"), ("quiet k7f2", "for how long? Such as quiet k7f2 1h")],
        *[(one, "nothing waits for a code; `wecom-logging answers pair` ") for one in ("pair", "pair 1234")],
        *[("", "Say:\ntake k7f2 – "), ("help", "Say:\ntake k7f2 – ")],
        *[
            ("fix <@all> `it`", "“fix” is not understood. Say:\n"),
            ("@a " + "x" * 300, "that is too long for a command"),
        ],
    ],
)
def test_what_is_not_understood_is_answered(text: str, said: str) -> None:
    desk = Office([pipeline(Recorder(clock := Time(0.0)), clock)], Recorder(clock), clock)
    assert desk.type(text).text.startswith(said)
    assert not re.search("[<\\ud800]", desk.type(text).text)
    chinese = Office(desk.jobs, desk.channel, clock, language="zh").type(text).text
    assert not re.search("[A-Za-z]{5}", chinese.replace("wecom-logging answers pair", ""))


def test_a_name_and_a_text_show_no_secret() -> None:
    channel = Recorder(clock := Time(1_000_000.0))
    shop = pipeline(channel, clock, origin=Origin("shop s3cret"))
    desk = Office([shop], channel, clock, mask=lambda text: text.replace("s3cret", "***"))
    desk.log(text="the disk of s3cret is full")
    desk.go_on()
    texts = [desk.type(f"take {desk.name}", "s3cret Li").text, desk.type("s3cret").text, desk.type("list").text]
    assert all("s3cret" not in text for text in texts)
    assert all("***" in text or "∗∗∗" in text for text in texts)
    assert "s3cret" not in str(desk.open()[0].answers)


def test_a_state_that_is_away_is_said_and_nothing_changed(tmp_path: Path) -> None:
    clock = Time(0.0)
    shared = Shared("x", lambda _: SqliteStore(str(tmp_path / "no" / "x.db")), None, lambda cause, text: None, clock)
    channel = Recorder(clock)
    memory = pipeline(channel, clock)
    desk = Office([memory], channel, clock)
    desk.log()
    desk.go_on()
    away = Desk(lambda: [SharedPlace(shared)])
    for verb in ("take", "quiet", "list", "details", "undo", "done"):
        reply = away.do(Command(verb, desk.name, 60.0), "Li", "chat")
        assert (reply.why, reply.text) == ("away", "the shared state is away; nothing was changed")
    with pytest.raises(StateError):
        away.carry_out(Command("list"), "Li", "chat")
    both = Desk(lambda: [SharedPlace(shared), memory.place])  # another handler has no state
    assert both.do(Command("take", desk.name), "Li", "chat").why == ""


def test_an_app_and_a_bot_that_tell_the_same_are_answered_together(tmp_path: Path) -> None:
    clock = Time(1_000_000.0)
    shared = Shared("x", lambda _: SqliteStore(str(tmp_path / "x.db"), clock=clock), None, lambda *_: None, clock)
    offices = [
        Office([pipeline(channel, clock, shared=shared)], channel, clock) for channel in map(Recorder, [clock] * 2)
    ]
    for one in offices:
        one.jobs[0].collector.take(record("disk full"))
        one.made = 1
        one.go_on()
    assert offices[0].name == offices[1].name
    assert len(offices[0].type("list").text.split("\n")) == 1
    reply = offices[0].type(f"take {offices[0].name}")
    assert len({channel for channel, _ in reply.done}) == 2
    for one in offices:
        assert len([text for text in one.go_on() if "taken by Li" in text]) == 1


@pytest.mark.parametrize("often", [0, 1])
def test_what_two_channels_have_counted_apart_is_as_often_in_the_list_as_in_details(tmp_path: Path, often: int) -> None:
    clock = Time(1_000_000.0)
    shared = Shared("x", lambda _: SqliteStore(str(tmp_path / "x.db"), clock=clock), None, lambda *_: None, clock)
    offices = [
        Office([pipeline(channel, clock, shared=shared)], channel, clock) for channel in map(Recorder, [clock] * 2)
    ]
    for one in offices:
        one.log(3 if one is offices[often] else 2)
        one.go_on()
    assert " × 3 · " in offices[0].type("list").text
    assert " × 3" in offices[0].type(f"details {offices[0].name}").text.split("\n")[0]


@over_a_state
def test_what_has_ended_is_not_found_until_it_comes_again_with_its_id(desk: Office) -> None:
    desk.log(3)
    desk.go_on()
    name = desk.name
    desk.go_on(3600)
    assert desk.type(f"take {name}").text.startswith(f"no open incident #{name}; ")
    assert desk.type("list").text == "nothing is open"
    desk.log()
    (told, *_) = desk.go_on()
    assert re.match(rf"🔴 ERROR again, 2nd (?:time today|since {CLOCK}) shop: disk full", told)
    assert desk.name == name
    assert desk.type(f"take {name}").why == ""
    desk.assert_balance()


def test_an_old_card_of_what_nobody_has_says_since_when_it_is_open(desk: Office) -> None:
    desk.log()
    desk.go_on()
    (incident,) = (one for _, _, one in desk.desk.find(desk.name))
    said = desk.desk.outdated(Command("take", desk.name), incident, "Li").said
    assert re.fullmatch(rf"this card .* changed: #{desk.name} has been open since {CLOCK}", said.en)
    assert re.fullmatch(rf"这张卡片已不是最新的，未作更改：#{desk.name} 自 {CLOCK} 开始，尚未结束", said.zh)


@over_a_state
def test_an_undo_without_an_id_names_what_can_be_undone(desk: Office) -> None:
    desk.log()
    desk.go_on()
    assert (desk.type("undo").text, desk.type("undo").why) == ("there is nothing to undo", "nothing")
    assert desk.type("撤销").said.zh == "没有可撤销的操作"
    first = desk.name
    assert desk.type(f"take {first}").why == ""
    desk.jobs[0].collector.take(record("another disk is full", line=9))
    desk.go_on()
    assert desk.type("undo").text == f"which incident? Give its id: undo {first}"
    assert desk.type("quiet shop.pay 30m").why == ""
    assert desk.type("undo").text == "which incident? Give its id: undo shop.pay"
    assert desk.type("undo shop.pay").why == ""
    assert desk.type(f"undo {first}").why == ""
    assert desk.type("undo").why == "nothing"


@over_a_state
def test_the_end_of_a_silence_says_for_how_long_nothing_came(desk: Office) -> None:
    desk.log(3)
    desk.go_on()
    desk.type(f"quiet #{desk.name} 1h")
    desk.go_on()
    desk.log(2)
    desk.go_on()
    desk.clock.go(3600.0)
    (closing,) = [one for one in desk.go_on(600.0) if one.startswith("✅")]
    assert re.search("quiet for (1 hour|6. minutes)", closing), closing


def test_an_example_for_a_message_with_several_ids_has_one_of_them() -> None:
    said = Desk(list).do(read("take", "#k7f2 disk full\n#4711 no route"), "Li", "chat").text
    assert said == "the message you quote has several ids. Give one: take 4711"
