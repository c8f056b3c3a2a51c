"""Rules as rows of ``rules.tsv``: what stands behind a label, in calls, and on command lines."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .names import Kind, is_column, kind_of, looks_chosen, looks_secret
from .patterns import Check, Rule, lazy, rows
from .placeholder import OWN_WORDS

_KEY_WORDS = lazy(r"(?i)_(?:uniq(?:ue)?|uq|uk|idx|index|key)(?:_?\d+)?$")
_NAME = lazy(r"[\w-]{2,64}")
_PART = lazy(r"\{([A-Z_]{3,})\}")


def _is_set(found: re.Match[str]) -> bool:
    """A line of a configuration, or a command; in a sentence a value has to look like one."""
    text, (begin, end) = found.string, found.span()
    line = text[max(begin - 40, 0) : begin].rpartition("\n")[2].lower()
    alone = line.strip(" \t#") in ("", "sentinel") or line.endswith("config set ")
    return (alone and text[end : end + 1] in ("", "'", '"', "\r", "\n")) or looks_chosen(found["value"])


def _of_vault(found: re.Match[str]) -> bool:
    """A row below the heading ``Data``, whatever its name is, or with the name of a secret."""
    head = found.string[max(found.start() - 4096, 0) : found.start()].rpartition("\n\n")[2]
    return is_column(found["name"]) or "= Data =" in head or ("\nrefresh_interval " in head)


def _is_named(found: re.Match[str]) -> bool:
    """What looks like a secret, with a name of one before it on its line."""
    line = found.string[max(found.start() - 120, 0) : found.start()].rpartition("\n")[2]
    return looks_chosen(found["value"].rstrip(".,;")) and any(map(is_column, _NAME.findall(line)))


_CHECKS: dict[str, Check | None] = {
    "": None,
    "secret": lambda found: looks_secret(found["value"].strip("'\"")),
    "chosen": lambda found: looks_chosen(found["value"].strip("'\"")),
    "drawn": lambda found: looks_secret(found["value"].strip("'\"")) and not found["value"].islower(),
    "set": _is_set,
    "vault": _of_vault,
    "named": _is_named,
    "column": lambda found: is_column(found["name"]),
    "before": lambda found: any(map(is_column, found.string[max(found.start() - 64, 0) : found.start()].split()[-1:])),
    "key": lambda found: kind_of(_KEY_WORDS.sub("", found["key"])) is Kind.SECRET,
    "keys": lambda found: any(kind_of(name.strip(' "')) is Kind.SECRET for name in found["names"].split(",")),
    "cut": lambda found: looks_chosen(found["value"]) or found["name"][:4].lower() in ("pass", "secr", "toke", "api_"),
}


def rules(section: str, **checks: Check) -> Iterator[Rule]:
    """Those of a section of the table, which may ask for ``checks`` of its own."""
    parts = {"OWN_WORDS": OWN_WORDS}

    def whole(source: str) -> str:
        return _PART.sub(lambda found: parts[found[1]], source)

    for part, _, source in rows("rules", "parts"):
        parts[part] = whole(source)
    for _, words, check, source in rows("rules", section):
        yield Rule(whole(source), tuple(words.split(",")), checks.get(check) or _CHECKS[check])


def options() -> Iterator[Rule]:
    """Of programs that take a password behind an option that does not name it."""
    for told, option in rows("rules", "options"):
        programs = told.split(",")
        one = rf"(?=[{''.join({program[0] for program in programs})}])\b(?:{'|'.join(programs)})\s"
        yield Rule(
            rf"({one}(?:(?!{one})[^\r\n|;]){{0,200}}?(?<=\s){option})['\"]?(?!-)[^\s'\"|;]+",
            tuple(f"{program} " for program in programs),
        )
