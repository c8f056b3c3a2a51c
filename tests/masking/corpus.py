"""Forms in which other programs write secrets down, and lines without one, filled in with values of a seeded generator.

The forms stand in ``data/``. Half of them are there to mend rules by; the others tell whether a rule holds for what it
was not made for: of ``secrets`` and ``innocent`` those of an odd place (``kept=True``), of ``written`` and ``harmless``
files of their own, which end in ``_held_out``. What no rule is right about yet stands in files that end in ``_missed``.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from pathlib import Path
from random import Random
from string import ascii_letters, ascii_lowercase, ascii_uppercase, digits
from typing import NamedTuple
from uuid import UUID

DATA = Path(__file__).parent / "data"
_SLOT = re.compile("‹(?P<secret>!?)(?P<kind>[a-zA-Z]+)(?P<size>[0-9]*)'?›")
_WORDS = (
    "orders",
    "basket",
    "billing",
    "search",
    "catalog",
    "mailer",
    "report",
    "stock",
    "invoice",
    "ledger",
    "gateway",
)
_USERS = ("alice", "bob", "chen", "deploy", "wang", "app", "reporter", "li", "svc_sync", "olga")
_ALPHABETS = {
    "hex": "0123456789abcdef",
    "HEX": "0123456789ABCDEF",
    "alnum": ascii_letters + digits,
    "upper": ascii_uppercase + "234567",
    "digits": digits,
    "int": "123456789",
    "long": ascii_letters + digits + "-_",
    "blob": ascii_letters + digits + "+/",
    "sum": ascii_letters + digits + "+/",
    "bcrypt": ascii_letters + digits,
    "salt": ascii_letters + digits,
    "sig": ascii_letters + digits,
}
_SIZES = {"alnum": 16, "long": 50, "bcrypt": 53, "salt": 16, "sig": 43}


class Form(NamedTuple):
    """A text, and the secrets in it (none where it is a line without)."""

    text: str
    secrets: tuple[str, ...]


def forms(name: str, times: int, *, kept: bool | None = None) -> Iterator[Form]:
    """The forms of a file of ``data/``, each with ``times`` draws of values."""
    for place, line in enumerate(lines_of(name)):
        if kept is None or place % 2 == kept:
            for turn in range(times):
                yield filled(line, turn)


def lines_of(name: str) -> list[str]:
    """The lines of a file of ``data/`` that are forms, before a value is in them."""
    lines = (DATA / f"{name}.txt").read_text("utf-8").splitlines()[1:]
    return [line for line in lines if not line.startswith("# ") or "‹!" in line]


def filled(line: str, turn: int) -> Form:
    """A form with the values of this draw."""
    return _filled(line, Random(f"{line}{turn}"))


def shown(secret: str, text: str) -> str:
    """``"whole"``, ``"part"`` (at least half of it), or nothing: how much of the secret the text shows."""
    if secret in text:
        return "whole"
    half = max(4, (len(secret) + 1) // 2)
    return "part" if any(secret[at : at + half] in text for at in range(len(secret) - half + 1)) else ""


def _filled(line: str, random: Random) -> Form:
    secrets: dict[str, str] = {}

    def value(slot: re.Match[str]) -> str:
        made = _value(slot["kind"], int(slot["size"] or 0), random)
        return secrets.setdefault(slot[0], made) if slot["secret"] else made

    text = _SLOT.sub(value, line.replace("⏎", "\n").replace("⇥", "\t"))
    return Form(text, tuple(secrets.values()))


def _value(kind: str, size: int, random: Random) -> str:
    def some(alphabet: str, number: int) -> str:
        return "".join(random.choices(alphabet, k=number))

    if kind in _ALPHABETS:
        made = some(_ALPHABETS[kind], size or _SIZES.get(kind) or random.randint(2, 6))
        return f"{made}==" if kind == "blob" else made
    letters, number = some(ascii_lowercase, random.randint(5, 8)), some(digits, random.randint(2, 5))
    weak = (
        f"{letters}{number}",
        f"{letters.capitalize()}20{number[:2]}!",
        f"{letters[:4]}-{letters[4:]}{number}",
        letters,
    )
    match kind:
        case "weak":  # as people choose them
            return random.choice((*weak[:1], *weak))
        case "gen":  # as managers draw them, without the signs that quotes and addresses end with
            return random.choice(ascii_letters) + some(ascii_letters + digits + "!#%^*-_+~", size or 19)
        case "pw":
            return some(ascii_letters, 5) + random.choice("!%^*~_-") + some(digits + ascii_letters, 7)
        case "encoded":
            return base64.b64encode(f"{weak[0]}{some(ascii_letters, 4)}".encode()).decode()
        case "big":
            return some(_ALPHABETS["blob"], random.choice((600, 1200, 2400)))
        case "uuid":
            return str(UUID(int=random.getrandbits(128), version=4))
        case "pin":
            return "-".join(some(digits, 3) for _ in range(3))
        case "join":
            return f"{some(ascii_lowercase + digits, 6)}.{some(ascii_lowercase + digits, 16)}"
        case "user":
            return random.choice(_USERS)
        case "word":
            return random.choice(_WORDS)
        case "host":
            return f"{random.choice(_WORDS)}-{random.randint(1, 9)}.example.com"
        case "ip":
            return f"10.{random.randint(0, 255)}.{random.randint(0, 255)}.{random.randint(1, 254)}"
        case "port":
            return str(random.randint(1024, 65535))
        case "float":
            return f"{random.uniform(0, 90):.3f}"
        case "epoch":
            return str(random.randint(1_700_000_000, 1_790_000_000))
        case "ts":
            return f"2026-{random.randint(10, 12)}-{random.randint(10, 28)}T{random.randint(10, 23)}:07:09.123"
        case "clf":
            return f"{random.randint(10, 28)}/Nov/2026:{random.randint(10, 23)}:07:09 +0000"
        case "path":
            return f"/{random.choice(('srv', 'opt', 'home/app', 'var/lib'))}/{random.choice(_WORDS)}"
    raise ValueError(kind)
