"""What a message is, in the words of the cases: read from its text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from ..storms import Told

KINDS = (
    (r"⏫ (?:Escalation|升级) (?P<number>\d+)/", "step"),
    (r"⏫ .* reached nobody", "missed"),
    (r"⏫", "line"),
    (r"\S+ (quiet hours|maintenance) .*\d+ incidents?\b", "held"),
    (r"\S+ .* · \d+ places", "cause"),
    (r".*#\w+ given to ", "given"),
    (r".* taken by \S+ [\d:-]+, quiet until", "taken"),
    (r".* closed by \S+ [\d:-]+$", "closed"),
    (r".*: nothing came$", "nothing"),
    (r".* silenced by \S+ [\d:-]+.*, until", "silenced"),
    (r".*(undone by|given back by|unsilenced by|opened again by)", "undone"),
    (r".*#\w+ (ran again|the run of )", "ran"),
    (r".* stopped watching job ", "unwatched"),
    (r".* watches job ", "watched"),
    (r"✅", "end"),
    (r".* again, \d", "again"),
    (r"\S+ \d+ alerts? of \d+ kinds?", "many"),
)
"""What the first line of a message shows of its kind."""
UNCOUNTED = ("step", "ran", "unwatched", "watched")
"""These words say no number."""


def kind_of(told: Told) -> str:
    """What a message is. What begins is ``first``, what goes on ``more``."""
    if told.is_flood and not re.match(r"\S+ (quiet hours|maintenance) ", told.first_line):
        return "summary"
    for pattern, kind in KINDS:
        if found := re.match(pattern, told.first_line):
            return f"step {found['number']}" if kind == "step" else kind
    return "first" if told.count == told.total else "more"


def count_of(told: Told) -> int:
    """How many records it is about that no message was about before. The whole alert of a step is about none."""
    kind = kind_of(told)
    if kind.startswith("step"):
        return 0
    if kind in ("line", "missed", "ran", "unwatched", "watched") and not told.is_news:
        return sum(map(int, re.findall(r"× (\d+)", told.text)))
    if kind != "held":
        return told.count
    if told.is_flood:
        return sum(int(row["count"]) for row in told.rows)
    lines = [line for line in told.text.split("\n")[1:] if line.startswith(("🔴", "🚨", "✅", "🟠"))]
    return sum(map(_count_in_line, lines))


def _count_in_line(line: str) -> int:
    found = re.search(r"× (\d+)", line)
    return int(found[1]) if found else 1 - line.startswith("✅")


def said(told: Told, names: Mapping[str, str], usual: Iterable[str]) -> str:
    """``names``: what a text shows of each incident, a pattern; who is ``usual`` is not said."""
    kind = kind_of(told)
    words = [kind, *(name for name, pattern in names.items() if re.search(pattern, told.whole))]
    if kind.split()[0] not in UNCOUNTED:
        words.append(str(count_of(told)))
        found = re.search(r"(\d+) in all", told.text)
        if kind not in ("held", "cause") and not told.is_shared and not told.is_flood and found:
            words += ["of", found[1]] if found[1] != str(told.count) else []
    if kind == "end" and "not tried again" in told.text:
        words.append("rare")
    users = told.recipients.users if told.recipients else ()
    if users not in ((), tuple(usual)):
        words += ["to", *users]
    return " ".join(words)
