"""Answers: what people do with an incident or a service, what all read of it, and what is sent then.

``case`` says how a row is read. A person who is in the way is the reason ``"other"``.
"""

from __future__ import annotations

from .case import Case, Row, each

DISK, M, H = "disk full", 60.0, 3600.0
FIRST: Row = (0, "new", 1, DISK)


def day(name: str, happens: tuple[Row, ...], until: float, comes: tuple[Row, ...], **more: object) -> Case:
    """One that begins at nine on a Monday."""
    return Case(name, {}, happens, until, comes, begins="2026-12-07 09:00", **more)


def logged(*happens: Row) -> tuple[Row, ...]:
    """Something that was sent once, and what happens then."""
    return ((0, "log", DISK), *happens)


CASES = (
    day(
        "who takes it is said, then nothing is sent for half an hour, then what came",
        (
            (0, "log", DISK, 3),
            (12, "say", "Li", "take {}", "", r"^#\w+ taken by Li 09:00, quiet until 09:30$"),
            (20, "say", "Wang", "take {}", "other", "was taken by Li"),
            *each(2.5 * M, 24, 1400, "log", DISK, 31),
            (1000, "flush"),
        ),
        35 * M,
        (
            FIRST,
            (12, "taken", 2, r"^✋ shop: #\w+ taken by Li 09:00, quiet until 09:30$", f"^│ {DISK}$", "× 2, 3 in all$"),
            (1812, "more", 310, "^🔴 ERROR none since 09:22, × 310, 313 in all", "^taken by Li .* × 310 since$"),
        ),
    ),
    day(
        "the end of what was taken names who had it, also long after the take has ended",
        (
            (0, "log", DISK, 3),
            (12, "say", "Li", "take {}"),
            *each(5 * M, 24, 1900, "log", DISK),
        ),
        2 * H,
        (
            FIRST,
            (12, "taken", 2),
            (1812, "more", 6, r"^taken by Li 30 minutes ago \(claim over\), × 6 since$"),
            (1932, "more", 1),
            (2640, "end", 0, r"^taken by Li 43 minutes ago \(claim over\), × 7 since$"),
        ),
    ),
    day(
        "a silence ends with one message, and its number is exact",
        logged((12, "say", "Li", "quiet {} 2h"), *each(10 * M, 24, 6600, "log", DISK, 41)),
        3 * H,
        (
            FIRST,
            (12, "silenced", 0, "silenced by Li 09:00, until 11:00$", " 1 in all$"),
            (7212, "end", 451, "× 451 since 09:00, 452 in all$", "^silenced by Li, 09:00 to 11:00: × 451$"),
        ),
    ),
    day(
        "a silence in which nothing came says so, and the incident has ended",
        logged((12, "say", "Li", "quiet {} 1h")),
        4000,
        (FIRST, (12, "silenced", 0), (3612, "nothing came", None, "^✅ ")),
    ),
    day(
        "what comes after a silence in which nothing came is sent within a window",
        (
            (0, "log", DISK, 2),
            *each(10 * M, 600, 1800, "log", DISK),
            (2400, "say", "Li", "quiet {} 4m"),
            (2652, "log", DISK),
        ),
        2720,
        (
            FIRST,
            *((at, "more", 1) for at in (60, 600, 1200, 1800)),
            (2400, "silenced", 0),
            (2640, "nothing came", None),
            (2700, "more", 1, "6 in all"),
        ),
    ),
    day(
        "the end of a silence has what came since it began",
        logged((10, "log", DISK, 4), (12, "say", "Li", "quiet {} 1m"), (13, "log", DISK, 3)),
        H,
        (
            FIRST,
            (12, "silenced", 4, "× 4, 5 in all$"),
            (72, "more", 3, "× 3, 8 in all ", "^silenced by Li, 09:00 to 09:01: × 3$"),
            (720, "end", 0, "8 in all"),
        ),
    ),
    day(
        "what somebody closes has a line, and comes again as new",
        (
            (0, "log", DISK, 4),
            (12, "say", "Li", "done {}"),
            (330, "log", DISK, 2),
        ),
        H,
        (
            FIRST,
            (12, "closed", 3, r"^✅ shop: #\w+ closed by Li 09:00$", "× 3, 4 in all$"),
            (
                330,
                "again",
                2,
                "^🔴 ERROR again, 2nd time today, × 2 shop:",
                "^closed by Li 5 minutes ago, and came again$",
            ),
        ),
    ),
    day(
        "what comes a second after it was closed is new",
        ((0, "log", DISK, 4), (12, "say", "Li", "done {}"), (13, "log", DISK)),
        H,
        (
            FIRST,
            (12, "closed", 3, "× 3, 4 in all$"),
            (13, "again", 1, "^closed by Li 1 second ago, and came again$"),
        ),
    ),
    day(
        "what is undone is sent as before",
        logged(
            (12, "say", "Li", "take {}"),
            (24, "say", "Wang", "take {}", "other"),
            (24, "say", "Wang", "undo {}"),
            (36, "log", DISK, 7),
        ),
        2 * M,
        (
            FIRST,
            (12, "taken", 0),
            (24, "undone", 0, r"claim of Li undone by Wang 09:00; nobody has it now$"),
            (84, "more", 7, "^(?!.*Li)"),
        ),
    ),
    day(
        "what is taken while it is sent is sent once",
        ((0, "amid", "say", "Li", "take {}"), (0, "log", DISK, 2), (12, "log", DISK, 3)),
        1900,
        (FIRST, (0, "taken", 1), (1800, "end", 3)),
    ),
    day(
        "a line of somebody stands alone in its message",
        logged(
            (12, "log", DISK, 2),
            (12, "say", "Li", "take {}"),
            *((12, "log", f"another {'abcdefghij'[number]}") for number in range(8)),
        ),
        1 * M,
        (
            FIRST,
            (12, "taken", 2, r"\A[^\n]*\n[^\n]*\n[^\n]*\Z"),
            *((12, "new", 1, f"another {letter}") for letter in "abc"),
            (12, "many", 5),
        ),
    ),
    day(
        "what somebody takes is told at once, also where its end waits for others",
        ((24, "log", DISK, 3), (710, "say", "Li", "take {}")),
        730,
        ((24, "new", 1, DISK), (84, "more", 2), (710, "taken", 0)),
    ),
    day(
        "who is second sees who was first, and undoes one after the other",
        logged(
            (12, "say", "Li", "take {}"),
            (13, "say", "Wang", "quiet {} 2h", "other", "was taken by Li 09:00"),
            (24, "say", "Li", "quiet {} 1h"),
            (25, "say", "Wang", "quiet {} 2h", "other", "was silenced by Li 09:00 until 10:00"),
            (36, "say", "Li", "done {}"),
            (37, "say", "Wang", "quiet {} 2h", "other", "was closed by Li 09:00"),
            (48, "say", "Wang", "undo {}", "", r"opened again by Wang 09:00; now: Li \(silenced until 10:00\)$"),
            (60, "say", "Li", "undo {}"),
            (72, "say", "Li", "undo {}", "nothing", "there is nothing to undo$"),
        ),
        2 * M,
        (
            FIRST,
            (12, "taken", 0),
            (24, "silenced", 0),
            (36, "closed", 0),
            (48, "opened", None, r"opened again by Wang 09:00; now: Li \(silenced until 10:00\)$"),
            (60, "undone", 0, "unsilenced by Li 09:01; nobody has it now$"),
        ),
    ),
    day(
        "what another has silenced may be taken and given back",
        logged(
            (12, "say", "Li", "quiet {} 8h"),
            (24, "say", "Wang", "take {}", "", "taken by Wang"),
            (36, "say", "Wang", "undo {}"),
            (37, "say", "Wang", "list", "", r" · Li \(silenced until 17:00\)"),
        ),
        1 * M,
        (FIRST, (12, "silenced", 0), (24, "taken", 0), (36, "given back", 0)),
    ),
    day(
        "who has it after an undo is said to all",
        logged(
            (12, "say", "Wang", "take {}"),
            (24, "give", "Wang", "Li"),
            (36, "say", "Li", "undo {}", "", "given back by Li 09:00; now: Wang$"),
            (48, "say", "Li", "undo {}", "", "claim of Wang undone by Li 09:00; nobody has it now$"),
        ),
        1 * M,
        (
            FIRST,
            (12, "taken", 0),
            (24, "given", 0),
            (36, "given back", 0, "given back by Li 09:00; now: Wang$"),
            (48, "undone", 0),
        ),
    ),
    day(
        "a silence is said also where another takes it and gives it back at once",
        logged(
            (12, "say", "Li", "quiet {} 1h"),
            (12, "say", "Wang", "take {}"),
            (12, "say", "Wang", "undo {}"),
            (24, "say", "Wang", "take {}"),
            (24, "say", "Wang", "undo {}"),
        ),
        1 * M,
        (FIRST, (12, "given back", 0, r"given back by Wang 09:00; now: Li \(silenced until 10:00\)$")),
    ),
    day(
        "what is given to another person is theirs, given twice by mistake, too",
        logged(
            (12, "give", "Li", "Wang", "", "given to Wang by Li 09:00, quiet until 09:30$"),
            (12, "give", "Li", "Wang", "other"),
            (24, "give", "Li", "Zhao", "other"),
            (25, "say", "Li", "list", "", " · Wang · "),
            (36, "say", "Li", "undo {}"),
            (48, "give", "Li", "Li", "", "taken by Li"),
        ),
        1 * M,
        (FIRST, (12, "given", 0, "given to Wang by Li "), (36, "undone", 0), (48, "taken", 0)),
    ),
    day(
        "a silence until another day says which",
        logged((12, "say", "Li", "quiet {} 24h", "", "silenced by Li 09:00, until 12-08 09:00$")),
        1 * M,
        (FIRST, (12, "silenced", 0, "until 12-08 09:00$")),
    ),
    day(
        "a take that has ended is nobody's",
        logged(
            (12, "say", "Li", "take {}"),
            (24, "log", DISK, 5),
            (1800, "say", "Li", "list", "", " · Li · "),
            (1813, "say", "Li", "list", "", r"^(?!.* Li )"),
        ),
        32 * M,
        (FIRST, (12, "taken", 0), (1812, "end", 5, r"^taken by Li 30 minutes ago \(claim over\), × 5 since$")),
    ),
    day(
        "who taps twice does it once",
        logged(*each(2.5, 12, 17, "say", "Li", "take {}")),
        1 * M,
        (FIRST, (12, "taken", 0)),
    ),
    day(
        "an unknown id and too long a silence are refused",
        (
            (0, "say", "Li", "take zzzz", "unknown", "no open incident #zzzz; nothing is open$"),
            (1, "log", DISK),
            (12, "say", "Li", "take zzzz", "unknown", r"no open incident #zzzz; open are #\w+$"),
            (12, "say", "Li", "quiet {} 2 days", "limit", "may be silent for at most 24 hours$"),
        ),
        1 * M,
        ((1, "new", 1, DISK),),
    ),
    day(
        "what has ended is not found until it comes again with its id",
        (
            (0, "log", DISK, 3),
            (H, "say", "Li", "take {}", "unknown", "; nothing is open$"),
            (H + 10, "log", DISK),
            (H + 20, "say", "Li", "take {}"),
        ),
        H + 30,
        (FIRST, (60, "more", 2), (720, "end", 0), (H + 10, "again", 1), (H + 20, "taken", 0)),
    ),
    day(
        "an undo without an id names what can be undone",
        logged(
            (12, "say", "Li", "undo", "nothing", "^there is nothing to undo$"),
            (13, "say", "Li", "take {}"),
            (24, "say", "Li", "undo", "id", r"^which incident\? Give its id: undo \w+$"),
            (25, "say", "Li", "quiet shop.pay 30m"),
            (26, "say", "Li", "undo", "id", r"^which incident\? Give its id: undo shop\.pay$"),
            (27, "say", "Li", "undo shop.pay"),
            (28, "say", "Li", "undo {}"),
            (29, "say", "Li", "undo", "nothing"),
        ),
        1 * M,
        (FIRST, (13, "taken", 0), (28, "given back", 0)),
    ),
    day(
        "the end of a silence says for how long nothing came",
        (
            (0, "log", DISK, 3),
            (12, "say", "Li", "quiet {} 1h"),
            (24, "log", DISK, 2),
        ),
        H + 10 * M,
        (FIRST, (12, "silenced", 2), (H + 12, "end", 2, "quiet for 59 minutes")),
    ),
    # A maintenance: a service or a logger is quiet until its end.
    day(
        "what was sent before a maintenance has no further message inside, and one at its end",
        logged(
            (
                12,
                "say",
                "Li",
                "quiet service shop 10m deploy",
                "",
                "^maintenance of shop until 09:10.*, by Li; CRITICAL ",
            ),
            (20, "log", DISK, 30),
            (500, "say", "Li", "list", "", "^maintenance of shop until 09:10"),
            (800, "say", "Li", "list", "", "^(?!maintenance)"),
        ),
        800,
        (FIRST, (612, "maintenance", 1, r"^\S+ maintenance shop \(deploy\) 09:01–09:10 ", "× 30, 31 in all")),
    ),
    day(
        "a maintenance ends by itself",
        ((0, "say", "Li", "quiet service shop 10m"), (0, "log", DISK)),
        630,
        ((600, "maintenance", 1, DISK),),
    ),
    day(
        "a person ends a maintenance before its time",
        (
            (0, "say", "Li", "quiet service shop 10m"),
            (0, "log", DISK),
            (60, "say", "Li", "undo service shop", "", "^the maintenance of shop is over$"),
            (80, "say", "Li", "undo service shop", "unknown"),
        ),
        80,
        ((60, "maintenance", 1, DISK),),
    ),
    day(
        "an incident comes before a maintenance whose name is its id",
        logged(
            (12, "say", "Li", "take {}"),
            (13, "say", "Li", "quiet service {} 30m"),
            (14, "say", "Li", "undo {}", "", r"^#\w+ "),
            (15, "say", "Li", "list", "", "maintenance"),
        ),
        1 * M,
        (FIRST, (12, "taken", 0), (14, "given back", 0)),
    ),
    day(
        "a person makes a maintenance shorter, which holds for what waits already",
        (
            (0, "say", "Li", "quiet service shop 2h"),
            (0, "log", DISK),
            (60, "say", "Li", "quiet service shop 10m"),
        ),
        690,
        ((660, "maintenance", 1, DISK),),
    ),
    day(
        "a maintenance of all, or too long a one, is refused",
        (
            (0, "say", "Li", "quiet service all 10m", "scope"),
            (0, "say", "Li", "quiet service shop 25h", "limit"),
        ),
        1,
        (),
    ),
    *(
        day(
            f"what a person has said for a time by {words!r} ends by the wall where the machine has slept",
            logged(
                (12, "say", "Li", words),
                (72, "log", DISK, 3),
                (672, "leap", 2 * H),
                (673, "log", DISK),
            ),
            740,
            (FIRST, (12, kind, 0), (673, "more", 4, {"late": M})),
            most_s=6.0,
        )
        for words, kind in (("quiet {} 2h", "silenced"), ("take {}", "taken"))
    ),
    *(
        day(
            f"a silence lasts no longer where the clock on the wall is set by {ahead_s:+g} s",
            logged((12, "say", "Li", "quiet {} 2h"), (72, "log", DISK, 3), (132, "leap", ahead_s)),
            7300,
            (FIRST, (12, "silenced", 0), (7212 - max(ahead_s, 0.0), "end", 3)),
            most_s=6.0,
        )
        for ahead_s in (3600.0, -3600.0)
    ),
)
