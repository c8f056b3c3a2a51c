"""Who has an incident, how often it came and since when is the same on the card, in the list, in details, for the
command and in what programs read, in both languages."""

from __future__ import annotations

import re
from typing import Any

import pytest

from wecom_logging._answers.reply import card_of
from wecom_logging._cli.incidents import _shown
from wecom_logging._cli.printing import iso
from wecom_logging._incidents.known import view
from wecom_logging._render.card import Pressed
from wecom_logging._render.times import local_time
from wecom_logging._render.words import BUTTON_DETAILS, BUTTON_DONE, BUTTON_QUIET, BUTTON_TAKE, BUTTON_UNDO, CARD_SINCE
from wecom_logging._text.said import Language

from ..storms import CLOCK
from .conftest import Office

FREE = [BUTTON_TAKE, BUTTON_QUIET, BUTTON_DETAILS]
TAKEN = [BUTTON_DONE, BUTTON_UNDO, BUTTON_DETAILS]
SILENT = [BUTTON_TAKE, BUTTON_UNDO, BUTTON_DETAILS]
CLOSED = [BUTTON_UNDO, BUTTON_DETAILS]

Steps = list[tuple[str, str] | float | int]
STATES: dict[str, tuple[Steps, str, Any]] = {  # what is done, who has it then, and what a card offers
    "told": ([], "", FREE),
    "taken": ([("take", "Li")], "Li", TAKEN),
    "taken, and it comes": ([("take", "Li"), 12.0, 3], "Li", TAKEN),
    "given back, then taken": ([("take", "Wang"), ("undo", "Li"), ("take", "Li")], "Li", TAKEN),
    "taken until a while ago": ([("take", "Li"), 12.0, 3, 1783.0, 9.0], "", FREE),
    "silenced": ([("quiet 1h", "Li")], "Li", SILENT),
    "silenced until a while ago": ([("quiet 5m", "Li"), 12.0, 3, 283.0, 9.0], "", FREE),
    "silenced, then taken": ([("quiet 1h", "Wang"), ("take", "Li")], "Li", TAKEN),
    "taken, then silenced": ([("take", "Li"), ("quiet 1h", "Li")], "Li", SILENT),
    "undone": ([("take", "Li"), ("undo", "Wang")], "", FREE),
    "undone to what was before": ([("quiet 1h", "Li"), ("take", "Wang"), ("undo", "Wang")], "Li", SILENT),
    "closed": ([("done", "Li")], "", CLOSED),
    "closed when all was told": ([4, 70.0, ("done", "Li")], "", CLOSED),
    "opened again": ([("done", "Li"), ("undo", "Wang")], "", FREE),
    "come again": ([("done", "Li"), 12.0, 1, 12.0], "", FREE),
}


def in_all(text: str) -> int:
    """How often it came, as a text says."""
    return numbers(text)[-1]


def numbers(text: str) -> list[int]:
    """Those of a text: since the last message and in all, or in all."""
    return [int(one) for one in re.findall(r"(?:× |, |累计 )(\d+)", text)] or [1]


@pytest.mark.parametrize("name", STATES)
def test_who_has_it_is_the_same_everywhere(desk: Office, name: str) -> None:
    steps, who, buttons = STATES[name]
    desk.log()
    desk.go_on()
    short_id = desk.name
    for step in steps:
        if isinstance(step, tuple):
            assert desk.type(f"{step[0]} #{short_id}", step[1]).why == ""
        elif isinstance(step, int):
            desk.log(step)
        else:
            (desk.go_on if step > 10 else desk.clock.go)(step)  # for a moment nothing is told
    (incident,) = (one for _, _, one in desk.desk.find(short_id))
    now = desk.time_s()
    seen = view(incident, now)
    shown = _shown("channel", incident, str, now)
    assert (shown["count"], shown["told"], shown["since"]) == (seen.count, seen.told, iso(seen.since))
    silent_until = iso(seen.silent_until) if seen.silent_until else ""
    assert (shown["taken_by"], shown["silenced_by"]) == (seen.taken_by, seen.silenced_by)
    assert shown["silent_until"] == silent_until
    assert [one.short_id for one in desk.jobs[0].incidents()] == ([] if buttons is CLOSED else [short_id])
    is_silent = seen.silent_until > 0
    assert (seen.taken_by, seen.silenced_by) == (("", who) if is_silent else (who, ""))
    assert is_silent == (buttons is SILENT)
    listed = desk.type("list").said
    languages: tuple[Language, ...] = ("en", "zh")
    for language in languages:
        desk.desk.language = language
        card = card_of(incident, Pressed("list", short_id, now), "task", language, now)
        assert [one["text"] for one in card["button_list"]] == [one.within(language) for one in buttons]
        rows = {row["keyname"]: row["value"] for row in card["horizontal_content_list"]}
        assert rows[CARD_SINCE.within(language)].startswith(f"{local_time(seen.since, language):%m-%d %H:%M:%S} ")
        assert numbers(card["main_title"]["desc"]) in ([seen.count], [seen.count - seen.told, seen.count])
        known = desk.type(f"details #{short_id}").text
        assert in_all(known.split("\n", 1)[0]) == seen.count
        assert f"{local_time(seen.since, language):%Y-%m-%d %H:%M:%S}" in known
        has_it = who or {"en": "nobody", "zh": "无"}[language]
        says_so = steps != [] and buttons is not CLOSED
        assert re.findall(r"(?:now: |当前处理人：)(Li|Wang|nobody|无)", known) == ([has_it] if says_so else [])
        line = listed.within(language)
        assert re.findall(r" · (Li|Wang)\b", line) == ([who] if who else [])
        assert (short_id in line) == (buttons is not CLOSED)
        if short_id in line:
            assert in_all(line) == seen.count
            assert f"{local_time(seen.since, language):%H:%M}" in line
        until = rf" \(silenced until {CLOCK}\)" if language == "en" else f"（静默至 {CLOCK}）"
        assert bool(re.search(f" · {who}{until}", line)) == is_silent
        assert bool(re.search(f"(?:now: |当前处理人：){who}{until}", known)) == is_silent
