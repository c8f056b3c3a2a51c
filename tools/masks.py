"""What masking finds in the corpus of the tests, and what it alters that is no secret.

    python -m tools.masks [--show] [--lines 4000] [--seed 1]

It reads lines of the libraries that are installed beside the package, as they come, and those that hold a word of a
secret's name, and says how many of them are altered. It fails where more than 32 of 4 000 lines as they come are.
"""

from __future__ import annotations

import argparse
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from random import Random

from tests.masking.corpus import forms, shown
from wecom_logging._masking.names import may_have_one
from wecom_logging.redaction import redact

MOST_ALTERED = 32 / 4000


def source_lines() -> Iterator[str]:
    for path in sorted(Path(sysconfig.get_path("purelib")).rglob("*.py")):
        if "wecom_logging" not in path.parts:
            yield from (line for line in path.read_text("utf-8", "replace").splitlines() if 12 <= len(line) <= 200)


def of_corpus(name: str, kept: bool | None, show: bool) -> str:
    found = missed = part = altered = lines = 0
    for text, secrets in forms(name, 6 if "innocent" in name else 2, kept=kept):
        lines += 1
        masked = redact(text)
        altered += not secrets and masked != text
        how = [shown(secret, masked) for secret in secrets]
        found, missed, part = found + how.count(""), missed + how.count("whole"), part + how.count("part")
        if show and (any(how) or (not secrets and masked != text)):
            print(f"    {text[:160]!r}\n -> {masked[:160]!r}")
    return f"found {found}, missed {missed}, in part {part}" if found else f"altered {altered} of {lines}"


def altered_lines(lines: list[str], show: bool) -> int:
    altered = [line for line in lines if redact(line) != line]
    if show:
        for line in altered:
            print(f"    {line.strip()}\n -> {redact(line).strip()}")
    return len(altered)


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--show", action="store_true", help="print what is missed and what is altered")
    options.add_argument("--lines", type=int, default=4000)
    options.add_argument("--seed", type=int, default=1)
    given = options.parse_args()
    for kept in (False, True):
        for name in ("secrets", "innocent"):
            print(f"{name:17} {'kept back' if kept else 'open':10} {of_corpus(name, kept, given.show and not kept)}")
    for name in ("written", "written_held_out", "harmless", "harmless_held_out"):
        print(f"{name:28} {of_corpus(name, None, given.show and 'held' not in name)}")
    random, lines = Random(given.seed), list(source_lines())
    named = [line for line in lines if may_have_one(line.lower(), frozenset())]
    few = altered_lines(random.sample(lines, min(given.lines, len(lines))), given.show)
    print(f"source lines as they come: altered {few} of {given.lines}")
    more = altered_lines(random.sample(named, min(given.lines, len(named))), given.show)
    print(f"source lines with a word of a secret's name: altered {more} of {given.lines}")
    return int(few > MOST_ALTERED * given.lines)


if __name__ == "__main__":
    raise SystemExit(main())
