"""Each thing that a person does, over each state of an incident, by each way: what is said is what programs read."""

from __future__ import annotations

import itertools
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest

from wecom_logging import _cli as cli
from wecom_logging._answers.command import Command
from wecom_logging._answers.pairing import Pairing
from wecom_logging._answers.reception import Reception
from wecom_logging._answers.reply import card_of
from wecom_logging._cli.printing import iso
from wecom_logging._incidents.incident import NO_ANSWERS, Incident
from wecom_logging._render.card import Pressed
from wecom_logging._render.facts import level_word
from wecom_logging._render.times import local_time, short_time
from wecom_logging._render.words import CARD_SINCE, CARD_WHO, COMMANDS, SAY
from wecom_logging._sandbox import Sandbox
from wecom_logging._state.shared import alone
from wecom_logging._state.windows import Windows
from wecom_logging._text.said import Language
from wecom_logging._wecom.body import Json
from wecom_logging._wecom.long_connection import LongConnection
from wecom_logging.errors import ConnectError
from wecom_logging.model import IncidentView, Secret

from ..state.test_one_cause import Time, states
from ..storms import CLOCK, Recorder, pipeline, record, settled
from .conftest import Office
from .test_one_truth import in_all, numbers

_cards = itertools.count()
ME, THEM = "sandbox-user", "wang"
NAMES = {ME: "Li", THEM: "Wang"}
LANGUAGES: tuple[Language, ...] = ("en", "zh")

Steps = list[str | int | float]
STATES: dict[str, Steps] = {
    # What comes before: an int is so many records, a float so many seconds in which messages go out; a text is what Li,
    # or another, does.
    "new": ["WeCom is away", 1, 6.0],
    "told": [1, 12.0],
    "told twice": [1, 12.0, 3, 70.0],
    "taken by me": [1, 12.0, "take", 12.0, 2],
    "taken by another": [1, 12.0, "Wang: take", 12.0, 3],
    "given to me": [1, 12.0, "Wang: give", 12.0],
    "taken, and expired": [1, 12.0, "Wang: take", 12.0, 3, 12.0, "later"],
    "silenced by me": [1, 12.0, "quiet", 12.0, 3],
    "silenced by another": [1, 12.0, "Wang: quiet", 12.0],
    "silenced, and expired": [1, 12.0, "Wang: quiet", 12.0, 3, 12.0, "later"],
    "silenced, then taken by another": [1, 12.0, "quiet", 12.0, "Wang: take", 12.0],
    "ended": [3, 12.0, 3600.0],
    "closed": [1, 12.0, "Wang: done", 12.0],
    "closed with repeats": [1, 12.0, 3, "done"],
    "comes again after its end": [3, 12.0, 3600.0, 2],
    "has come again after its end": [3, 12.0, 3600.0, 2, 12.0],
    "comes again after it was closed": [1, 12.0, "Wang: done", 12.0, 2],
    "has come again after it was closed": [1, 12.0, "Wang: done", 12.0, 2, 12.0],
}
VERBS = ("take", "quiet", "done", "undo", "give", "details", "list")
OFFERED = {
    "": ["take", "quiet", "details"],
    "taken": ["done", "undo", "details"],
    "silenced": ["take", "undo", "details"],
    "closed": ["undo", "details"],
}


class Fact(NamedTuple):
    """What is in force, and who did it, as a text says or as it is."""

    verb: str = ""
    who: str = ""
    until: str = ""


_WHO = "(?P<who>Li|Wang)"
_DONE = {
    "taken": [
        rf"(?<!was )taken by {_WHO} {CLOCK}(?:, quiet until (?P<until>{CLOCK}))?",
        rf"given to {_WHO} by (?:Li|Wang) {CLOCK}(?:, quiet until (?P<until>{CLOCK}))?",
        rf"was taken by {_WHO} {CLOCK} until (?P<until>{CLOCK});",
        rf"(?<!由 ){_WHO} 于 {CLOCK} 认领(?:，(?P<until>{CLOCK}) 前不再提醒)?",
        rf"(?:Li|Wang) 于 {CLOCK} 转给 {_WHO}(?:，(?P<until>{CLOCK}) 前不再提醒)?",
        rf"已由 {_WHO} 于 {CLOCK} 认领（至 (?P<until>{CLOCK})）；",
    ],
    "silenced": [
        rf"silenced by {_WHO} {CLOCK},? until (?P<until>{CLOCK})",
        rf"{_WHO} 于 {CLOCK} 静默(?:至 |（至 )(?P<until>{CLOCK})",
    ],
    "closed": [rf"closed by {_WHO} {CLOCK}", rf"{_WHO} 于 {CLOCK} 关闭"],
    "taken back": [
        rf"given back by {_WHO} {CLOCK}",
        rf"{_WHO} 于 {CLOCK} 取消认领",
        rf"claim of (?:Li|Wang) undone by {_WHO} {CLOCK}",
        rf"{_WHO} 于 {CLOCK} 取消了 (?:Li|Wang) 的认领",
    ],
    "silenced back": [
        rf"unsilenced by {_WHO} {CLOCK}",
        rf"{_WHO} 于 {CLOCK} 取消静默",
        rf"silence of (?:Li|Wang) undone by {_WHO} {CLOCK}",
        rf"{_WHO} 于 {CLOCK} 取消了 (?:Li|Wang) 的静默",
    ],
    "closed back": [rf"opened again by {_WHO} {CLOCK}", rf"{_WHO} 于 {CLOCK} 重新打开"],
}


def said(text: str) -> Fact:
    """What a text says that was done."""
    found = {
        Fact(verb, one["who"], one.groupdict().get("until") or "")
        for verb, patterns in _DONE.items()
        for pattern in patterns
        for one in re.finditer(pattern, text)
    }
    assert len(found) <= 1, (text, found)
    return next(iter(found), Fact())


def held(text: str) -> Fact:
    """Who has it, as a line of the list or of details says."""
    found = re.search(
        rf"(?: · |now: |当前处理人：){_WHO}"
        rf"(?: \(silenced until (?P<en>{CLOCK})\)|（静默至 (?P<zh>{CLOCK})）)?(?: · |$)",
        text,
        re.M,
    )
    if found is None:
        return Fact()
    until = found["en"] or found["zh"] or ""
    return Fact("silenced" if until else "taken", found["who"], until)


class Walk(Office):
    """An office whose records have its time, too."""

    def log(self, number: int = 1, text: str = "disk full") -> None:
        for _ in range(number):
            self.jobs[self.made % len(self.jobs)].collector.take(record(text, created=self.time_s()))
            self.made += 1

    def come_to(self, steps: Steps) -> str:
        """Its short id."""
        for step in steps:
            if step == "WeCom is away":
                self.channel.error = ConnectError("scripted")
            elif step == "later":  # it is over, and nothing is told of that
                self.clock.go(3700.0)
            elif isinstance(step, str):
                who, _, verb = step.rpartition(": ")
                other = "Li" if who == "Wang" else "Wang"
                did = self.desk.do(Command(verb, self.short_id, 3600.0, whom=other), who or "Li", "chat ops")
                assert did.why == ""
            elif isinstance(step, int):
                self.log(step)
            else:
                self.clock.go(max(step - 12.0, 0.0))
                self.go_on(12.0)
        for job in self.jobs:
            job._turn.take_in(self.clock.now, at_once=True)
            job._turn.store.hand_over(self.clock.now)
        return self.short_id

    @property
    def short_id(self) -> str:
        return self.name if self.channel.told else self.jobs[0].incidents()[0].short_id

    def row(self, short_id: str) -> Incident | None:
        """As the desk has it, also where it was closed."""
        found = self.desk.find(short_id)
        return found[0][2] if found else None

    def fact(self, short_id: str) -> Fact:
        """As programs read it; how long a claim holds, and that a person has closed it, they do not."""
        now, row = self.time_s(), self.row(short_id)
        views = [one for one in self.jobs[0].incidents() if one.short_id == short_id]
        answer = None if row is None else row.answers.now
        if not views:
            return Fact() if answer is None else Fact("closed", answer.who)
        (view,) = views
        if view.taken_by:
            assert answer is not None
            return Fact("taken", view.taken_by, short_time(answer.until, now, self.desk.language))
        if view.silenced_by:
            return Fact("silenced", view.silenced_by, short_time(view.silent_until, now, self.desk.language))
        return Fact()


Run = Callable[..., str]
"""A command: gives what it prints."""


class Ways:
    """How Li does something: by a word in a chat, a button of a card, or a command. Each gives what is answered; None
    where it has no such thing."""

    def __init__(self, walk: Walk, wecom: Sandbox, connection: LongConnection, run: Run) -> None:
        self.walk, self.wecom, self.connection, self.run = walk, wecom, connection, run
        self.rewritten: Json | None = None
        """What has become of the card that was pressed."""

    def word(self, verb: str, short_id: str, language: Language) -> str | None:
        self._hear(language)
        more = {"quiet": "1h", "give": "to Wang"}.get(verb, "")
        return self._after(lambda: self._say(f"{COMMANDS[verb].within(language)} {short_id} {more}"))

    def card(self, verb: str, short_id: str, language: Language) -> str | None:
        row, now = self.walk.row(short_id), self.walk.time_s()
        card = card_of(row, Pressed("list", short_id, now), self._task(short_id), language, now)
        return self._press(verb, card, language)

    def old_card(self, verb: str, short_id: str, language: Language) -> str | None:
        """By one that was made before all."""
        row, made = self.walk.row(short_id), self.walk.time_s() - 100_000
        if row is None or verb in ("details", "list"):
            return None
        fresh = replace(row, answers=NO_ANSWERS, began=made, since=made)
        card = card_of(fresh, Pressed("list", short_id, made), self._task(short_id), language, made)
        return self._press(verb, card, language)

    def command(self, verb: str, short_id: str, language: Language) -> str | None:
        if verb == "list":
            return self.run(language=language)
        more = {"quiet": ["1h"], "give": ["to", "Wang"]}.get(verb, [])
        who = [] if verb == "details" else ["--as", "Li"]
        return self.run("show" if verb == "details" else verb, short_id, *more, *who, language=language)

    def json(self, verb: str, short_id: str, language: Language) -> str | None:
        """The same; what it prints, and so what was done, is JSON."""
        if verb in ("details", "list"):
            return None
        more = {"quiet": ["1h"], "give": ["to", "Wang"]}.get(verb, [])
        return self.run(verb, short_id, *more, "--as", "Li", json=True, language=language)

    def _hear(self, language: Language) -> None:
        """Who hears the bot now."""
        walk, (channel,) = self.walk, self.walk.jobs[0].channel_ids
        walk.desk.language = language
        pairing = Pairing(self.connection.bot_id, alone)
        made = Reception(
            *(self.connection, walk.desk, channel),
            windows=Windows(),
            pairing=pairing,
            clock=walk.clock,
        )
        made.join(walk.jobs[0], NAMES, NAMES)
        self.wecom.clock.advance(3600.0)  # what the chat has had is no matter

    def _say(self, text: str) -> None:
        self.wecom.aibot.wait_for_subscriber(30)
        assert self.wecom.aibot.say(ME, ME, text)

    def _after(self, act: Callable[[], None]) -> str:
        """What the chat gets: the events of a connection are heard one after the other."""
        self.wecom.delete(channel="aibot", msgtype="markdown")
        act()
        self._say("help")
        end = SAY.within(self.walk.desk.language)
        self.wecom.wait(channel="aibot", msgtype="markdown", contains=end, timeout=30)
        return "\n".join(one["content"] for one in self.wecom.messages(channel="aibot", msgtype="markdown")[:-1])

    def _task(self, short_id: str) -> str:
        return f"{short_id}-{next(_cards)}"

    def _press(self, verb: str, card: Json, language: Language) -> str | None:
        """A button of a card that is sent now."""
        keys = [one["key"] for one in card["button_list"] if one["key"].startswith(f"{verb}:")]
        if not keys:
            return None
        self._hear(language)
        body = {"chatid": ME, "msgtype": "template_card", "template_card": card}
        self.connection.request("aibot_send_msg", body)
        told = self._after(lambda: self._click(card["task_id"], keys[0]))
        *_, after = self.wecom.messages(channel="aibot", msgtype="template_card")
        self.rewritten = after["cards"][ME] if after["rewrites"] else None
        return told

    def _click(self, task_id: str, key: str) -> None:
        assert self.wecom.aibot.click(task_id, ME, key, selected={"length": "1h"} if key.startswith("quiet") else {})


def check_card(card: Json, fact: Fact, view: IncidentView | None, language: Language) -> None:
    """A card says what is in force, since when it is, and how often it came; its buttons are for that."""
    assert [one["key"].split(":")[0] for one in card["button_list"]] == OFFERED[fact.verb]
    title = card["main_title"]["title"]
    words = {"taken": ("taken", "认领"), "silenced": ("quiet to", "静默至"), "closed": ("closed", "关闭"), "": ("", "")}
    shown = re.search(rf"(taken|quiet to|closed|静默至) ({CLOCK})|{CLOCK} (认领|关闭)(?!到期)", title)
    assert ("" if shown is None else shown[1] or shown[3]) == words[fact.verb][language == "zh"], (card, fact)
    assert fact.verb != "silenced" or (shown is not None and shown[2] == fact.until)
    rows = {row["keyname"]: row["value"] for row in card["horizontal_content_list"]}
    assert not fact.verb or rows[CARD_WHO.within(language)] == fact.who
    if view is not None:
        assert rows[CARD_SINCE.within(language)].startswith(f"{local_time(view.since, language):%m-%d %H:%M:%S} ")
        assert numbers(card["main_title"]["desc"]) in ([view.count], [view.count - view.told, view.count])


def check_all(walk: Walk, short_id: str, run: Run | None = None) -> None:
    """The card, the list, details and the commands say what programs read, in both languages."""
    for language in LANGUAGES:
        walk.desk.language = language
        now, row, fact = walk.time_s(), walk.row(short_id), walk.fact(short_id)
        views = walk.jobs[0].incidents()
        assert [one.short_id for one in views] in ([], [short_id])
        assert all(job.incidents() == views for job in walk.jobs)
        view = views[0] if views else None
        shown = fact if fact.verb == "silenced" else fact._replace(until="")
        listed = walk.type("list").text
        details = walk.type(f"details {short_id}").text
        if row is None:
            assert view is None
            assert not said(details).verb
        else:
            check_card(card_of(row, Pressed("list", short_id, now), "task", language, now), fact, view, language)
            assert held(details) == (shown if view is not None else Fact())
        if view is None:
            assert short_id not in listed
        else:
            assert (held(listed), in_all(listed)) == (shown, view.count)
            assert in_all(details.split("\n", 1)[0]) == view.count
            assert short_time(view.since, now, language) in listed
            assert f"{local_time(view.since, language):%Y-%m-%d %H:%M:%S}" in details
        if run is not None:
            check_commands(run, short_id, fact, view, language)


def check_commands(run: Run, short_id: str, fact: Fact, view: IncidentView | None, language: Language) -> None:
    """What is listed, as a table and as JSON."""
    table, found = run(language=language), json.loads(run(json=True, language=language))["incidents"]
    if view is None:
        assert (found, short_id in table) == ([], False)
        return
    (shown,) = found
    check_json(shown, view)
    until = (
        ""
        if fact.verb != "silenced"
        else f" (silenced until {fact.until})"
        if language == "en"
        else f"（静默至 {fact.until}）"
    )
    cells = re.split(" {2,}", table.splitlines()[1])
    assert cells[:3] == [f"#{short_id}", level_word(view.level_name, language), str(view.count)]
    assert cells[5] == str(view.messages)
    assert (f"{fact.who}{until}" in cells) == bool(fact.verb)
    (known,) = json.loads(run("show", short_id, json=True, language=language))["incidents"]
    assert shown == {name: value for name, value in known.items() if name != "journal"}


def check_json(shown: dict[str, Any], view: IncidentView) -> None:
    names = (
        "level_name",
        "logger",
        "text",
        "count",
        "told",
        "messages",
        "hosts",
        "processes",
        "taken_by",
        "silenced_by",
    )
    read = {"level" if name == "level_name" else name: getattr(view, name) for name in names}
    times = {"since": view.since, "last": view.last, "silent_until": view.silent_until}
    read |= {name: iso(at) if at else "" for name, at in times.items()}
    assert {name: shown[name] for name in read} == read


def check_answer(verb: str, text: str, before: Fact, after: Fact, is_known: bool, changed: bool) -> None:
    """What is answered to who did something, or may not."""
    if verb in ("details", "list"):
        assert not changed
        return
    fact = said(text)
    if not is_known:
        assert not changed
        assert fact == Fact()
        assert re.search("no open incident|is over|已结束", text)
    elif re.search("card is out of date|卡片已不是最新的", text):
        assert not changed
        assert fact == before, text
    elif not changed and verb == "undo":
        assert before == Fact()
        assert re.search("nothing to undo|没有可撤销的操作", text)
    elif not changed:
        assert before.verb
        assert fact == before == after, text
    elif verb == "undo":
        assert fact == Fact(f"{before.verb} back", "Li"), text
    else:
        assert fact == after
        expected = {"take": "taken", "give": "taken", "quiet": "silenced", "done": "closed"}[verb]
        assert (fact.verb, fact.who) == (expected, "Wang" if verb == "give" else "Li")


@pytest.fixture(scope="module")
def wecom() -> Iterator[Sandbox]:
    with Sandbox() as made:
        made.add_member(THEM)
        yield made


@pytest.fixture(scope="module")
def connection(wecom: Sandbox) -> Iterator[LongConnection]:
    values = wecom.environment
    secret = Secret(values["WECOM_AIBOT_SECRET"])
    made = LongConnection(values["WECOM_AIBOT_URL"], values["WECOM_AIBOT_ID"], secret)
    heard = threading.Event()
    made.listener = SimpleNamespace(hear=lambda frame: heard.set(), is_wanted=lambda: True)
    made.start()
    wecom.aibot.wait_for_subscriber()
    wecom.aibot.say(ME, ME, "hello")  # or the bot may not write there
    assert heard.wait(30)
    yield made
    made.close()


WAYS = [
    *("memory by word", "memory by card", "memory by old_card"),
    *("sqlite by word", "sqlite by card", "sqlite by command", "sqlite by json"),
]
QUICK = ("told", "taken by another", "taken, and expired", "silenced by another", "closed", "comes again after its end")


def is_slow(how: str, name: str) -> bool:
    return how not in WAYS[:2] or name not in QUICK


@pytest.mark.parametrize(
    ("how", "name"),
    [
        pytest.param(how, name, marks=[pytest.mark.slow] * is_slow(how, name))
        for how, name in itertools.product(WAYS, STATES)
        if how in WAYS[:2] or how == "sqlite by command" or name in QUICK
    ],
)
def test_what_is_said_is_what_programs_read(
    how: str, name: str, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind, way = how.split(" by ")
    wecom, connection, capsys = (request.getfixturevalue(one) for one in ("wecom", "connection", "capsys"))

    def run(*arguments: str, json: bool = False, language: Language) -> str:
        monkeypatch.setenv("WECOM_LANGUAGE", language)
        cli.main([*["--json"] * json, "incidents", *arguments])
        out, err = capsys.readouterr()
        return str(out or err)

    cases = list(itertools.product(VERBS, LANGUAGES))
    if kind != "memory":  # which takes longer: each verb in one of them
        cases = cases[[*STATES].index(name) % 2 :: 2]
    for number, (verb, language) in enumerate(cases):
        clock = Time(1_000_000.0)
        channel = Recorder(clock)
        folder = tmp_path / str(number)
        folder.mkdir()
        with states(kind, folder, clock, lambda: request.getfixturevalue("server")) as shared:
            shared[-1].try_call(lambda store: store.channels(), [])  # the command's is open, and its time passes, too
            walk = Walk([pipeline(channel, clock, shared=one) for one in shared[:2]], channel, clock)
            monkeypatch.setattr("wecom_logging._cli.environment.shared_state", lambda *_, found=shared[-1]: found)
            monkeypatch.setattr("wecom_logging._cli.environment.closing", nullcontext)
            for one in shared:
                monkeypatch.setattr(one, "time_s", walk.time_s)
            check_walk(walk, Ways(walk, wecom, connection, run), way, verb, language, STATES[name])
            stats = [job.stats() for job in walk.jobs]
            assert sum(one.accepted for one in stats) == sum(settled(one) + one.pending for one in stats) == walk.made


def check_walk(walk: Walk, ways: Ways, way: str, verb: str, language: Language, steps: Steps) -> None:
    short_id = walk.come_to(steps)
    check_all(walk, short_id)
    walk.desk.language = language
    row, before = walk.row(short_id), walk.fact(short_id)
    text = getattr(ways, way)(verb, short_id, language)
    if text is None:
        return
    walk.desk.language = language
    found, after = walk.row(short_id), walk.fact(short_id)
    changed = row is not None and found is not None and row.answers.journal != found.answers.journal
    views = walk.jobs[0].incidents()
    if way == "json" and changed:
        (shown,) = json.loads(text)["incidents"]
        assert (shown["journal"][-1]["who"], shown["journal"][-1]["by"]) == (
            ("Wang", "Li") if verb == "give" else ("Li", "")
        )
        for view in views:
            check_json(shown, view)
    elif way == "card" and changed:
        assert (text, ways.rewritten is not None) == ("", True)
    else:
        check_answer(verb, text, before, after, is_known=row is not None, changed=changed)
    if ways.rewritten is not None and found is not None:
        check_card(ways.rewritten, after, views[0] if views else None, language)
    check_all(walk, short_id, ways.run if way in ("command", "json") else None)
    told = [one for one in walk.go_on() if one[0] in "✋✅"]
    if told and changed:
        walk.desk.language = "en"
        fact = Fact(f"{before.verb} back", "Li") if verb == "undo" else walk.fact(short_id)
        assert said(told[0])[:2] == fact[:2]
    check_all(walk, short_id)
