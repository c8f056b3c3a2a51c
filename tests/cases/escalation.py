"""Reads a table of escalations as cases: who is told at which second, whatever messages there are beside.

Each is a document: ``steps`` [[after s, people or the name of a rota] …]; ``events`` [[t, "told" | "taken" who |
"quiet" length | "undone" | "done" | "ended"] …]; ``until``; ``expect`` [[t, "step", number, people], [t, "nobody",
number], [t, "again", who took it] …], or ``{"either": […]}``, or "refused"; and where they are needed ``take_for``,
``scopes``, ``quiet``, ``zone``, ``rotas``, ``start``, ``level``, ``lookup_fails``. What was told goes on, a record
each 50 s, until it is "ended" or "done". "ended" is closed by somebody: five minutes without a record are no end, as
one that waits for a step does not end by itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from .case import SLACK_S, Case, Row

TABLE: list[dict[str, Any]] = json.loads(Path(__file__).with_name("escalation.json").read_text("utf-8"))
DISK, GOES_ON_S = "disk full", 50.0
NOT_YET = {
    "E20": "a take has one length",
    **dict.fromkeys(("E52", "E54", "E56"), "of a process that ends, which a memory does not outlive"),
}
"""Why a case does not hold."""


def read(document: dict[str, Any]) -> tuple[Case, ...]:
    """The case; where there are several answers, one with each. Of these one has to hold."""
    zone = document.get("zone") or next((one["zone"] for one in document.get("rotas", {}).values()), "Asia/Shanghai")
    expected = document["expect"]
    answers = expected["either"] if isinstance(expected, dict) else [expected]
    start = datetime.fromisoformat(document.get("start", "2026-12-07T01:00:00Z").replace("Z", "+00:00"))
    return tuple(
        Case(
            f"{document['id']} {document['from']}",
            _options(document, zone),
            tuple(_happens(document)),
            document["until"] + (SLACK_S if _is_due_then(document["until"], answer) else 0.0),
            () if answer == "refused" else tuple(_comes(answer)),
            begins=f"{start.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}",
            zone=zone,
            settles=False,
            refused="escalation" if answer == "refused" else "",
            only="^⏫ Escalation",
        )
        for answer in answers
    )


def _is_due_then(until: float, answer: list[list[Any]] | str) -> bool:
    return answer != "refused" and any(row[0] == until for row in answer)


def _options(document: dict[str, Any], zone: str) -> dict[str, Any]:
    options: dict[str, Any] = {
        "timezone": zone,
        "answers": "aibot",
        "escalation": [
            {"after": f"{after_s}s", "users": _people(number, people)}
            for number, (after_s, people) in enumerate(document["steps"], 1)
        ],
        "escalation_level": document.get("level", "CRITICAL"),
    }
    if "quiet" in document:
        options["quiet_hours"] = document["quiet"]
    if "rotas" in document:
        keys = ("people", "since", "every")
        options["on_call"] = {name: {key: one[key] for key in keys} for name, one in document["rotas"].items()}
    return options


def _people(number: int, people: list[str] | str) -> list[str]:
    return [f"on-call:{people}"] if isinstance(people, str) else people or [f"nobody{number}"]


def _happens(document: dict[str, Any]) -> Iterator[Row]:
    level, take_s = document.get("level", "CRITICAL"), document.get("take_for", 0.0)
    if "down" in document:
        raise ValueError("a memory ends with its process")
    yield 0, "lose", *(f"nobody{number}" for number in range(1, 9))
    known = {one for _, people in document["steps"] if not isinstance(people, str) for one in people}
    for begins, ends in document.get("lookup_fails", ()):
        yield begins, "hide", *sorted(known)
        yield ends, "hide"
    for begins, ends in document.get("scopes", ()):
        yield begins, "say", "Li", f"quiet service shop {(ends - begins) // 60}m"
    events = document["events"]
    ends_at = next((at for at, verb, *_ in events if verb in ("ended", "done")), document["until"])
    begins_at = next(at for at, verb, *_ in events if verb == "told")
    for place in range(1, int((ends_at - begins_at) // GOES_ON_S) + 1):
        yield begins_at + place * GOES_ON_S - 0.5, "log", DISK, 1, level
    for at, verb, *more in events:
        if verb == "told":
            yield at, "log", DISK, 1, level
        elif verb == "taken":
            yield at, "take", more[0], take_s
        else:
            closes = "done {{}}"
            words = {"quiet": "quiet {{}} {}m", "undone": "undo {{}}", "done": closes, "ended": closes}[verb]
            yield at, "say", "Li", words.format(*(int(one) // 60 for one in more))


def _comes(expected: list[list[Any]]) -> Iterator[Row]:
    told_nobody = False
    for at, what, *more in expected:
        if what == "nobody":
            told_nobody = True
        elif what == "again":
            yield at, "", None, rf"taken by {more[0]} .*\(claim over\)", {"among": more[0]}
        else:
            texts = [rf"^⏫ Escalation {more[0]}/", *(["told nobody"] if told_nobody else [])]
            yield at, "step", None, *texts, {"to": " ".join(more[1])}
            told_nobody = False
