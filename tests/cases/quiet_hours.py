"""Quiet hours: what is held at night, what passes, and what the morning says. `case` says how a row is read."""

from __future__ import annotations

from typing import Any

from .case import Case

NIGHT: dict[str, Any] = {"quiet_hours": "22:00-08:00"}
DISK, STOCK = "the disk is full", "no stock"
STEPS: dict[str, Any] = {
    **NIGHT,
    "answers": "aibot",
    "escalation": [{"after": "10m", "users": ["李四"]}, {"after": "25m", "users": ["王五"]}],
    "escalation_level": "ERROR",
}
DAILY = {"web": {"people": ["anna", "bert"], "since": "2026-12-07 06:00", "every": "1d"}}

CASES = (
    Case(
        "the morning sends once what was held, and goes on",
        NIGHT,
        (
            ("12-07 21:59", "log", "before the night"),
            ("12-07 22:00", "log", DISK, 3),
            ("12-07 23:00", "log", STOCK, 2),
            ("12-08 07:58", "log", DISK, 2),
        ),
        "12-08 23:00",
        (
            ("12-07 21:59", "new", 1, "before the night"),
            (
                "12-08 08:00",
                "held",
                2,
                r"^🔴 quiet hours 22:00–08:00 · 2 incidents, 1 still open$",
                rf"^🔴 ERROR × 5 shop: {DISK}$",
                rf"^🔴 ERROR none since 12-07 23:00, × 2 #\w+ shop: {STOCK}$",
            ),
        ),
    ),
    Case(
        "what was sent before the night ends in the morning",
        NIGHT,
        (("12-07 21:50", "log", DISK, 2),),
        "12-08 08:15",
        (
            ("12-07 21:50", "new", 1, DISK),
            ("12-07 21:51", "more", 1, "2 in all"),
            (
                "12-08 08:00",
                "held",
                1,
                "^✅ quiet hours 22:00–08:00 · 1 incident, none still open$",
                f"{DISK} · quiet for 10 hours",
            ),
        ),
    ),
    Case(
        "what comes again before its end was sent is the same incident",
        NIGHT,
        (("12-07 21:50", "log", DISK, 2), ("12-08 03:00", "log", DISK, 2)),
        "12-08 08:15",
        (
            ("12-07 21:50", "new", 1, DISK),
            ("12-07 21:51", "more", 1, "2 in all"),
            ("12-08 08:00", "held", 1, "1 incident, none still open", "× 2 since 03:00, 4 in all"),
        ),
    ),
    Case(
        "at ten in the evening it is held, and at eight it is not",
        NIGHT,
        (
            ("12-07 21:59:59", "log", "just before"),
            ("12-07 22:00", "log", "just in it"),
            ("12-08 08:00", "log", "just after"),
        ),
        "12-08 08:01",
        (
            ("12-07 21:59", "new", 1, "just before"),
            ("12-08 08:00", "new", 1, "just after"),
            ("12-08 08:00", "held", 1, "just in it"),
        ),
    ),
    Case(
        "what is critical passes",
        NIGHT,
        (("12-07 23:00", "log", "fire", 1, "CRITICAL"),),
        "12-07 23:01",
        (("12-07 23:00", "new", 1, "fire"),),
    ),
    Case(
        "where nothing passes, what is critical is held, and stands first",
        {"quiet_hours": {"when": "22:00-08:00", "below": "none"}},
        (("12-07 23:00", "log", "smoke"), ("12-07 23:00", "log", "fire", 1, "CRITICAL")),
        "12-08 08:02",
        (("12-08 08:00", "held", 2, r"(?s)fire.*smoke"),),
    ),
    Case(
        "what waits for a week off is not too old",
        {"quiet_hours": "tue-sun"},
        (("12-08 01:00", "log", DISK),),
        "12-14 00:10",
        (
            (
                "12-14 00:00",
                "held",
                1,
                "^🔴 quiet hours 12-08 00:00–12-14 00:00 · 1 incident, none still open$",
            ),
        ),
    ),
    Case(
        "a flush sends nothing that is held, and waits for nothing",
        NIGHT,
        (("12-07 23:00", "log", DISK), ("12-07 23:01", "flush")),
        "12-08 08:15",
        (("12-08 08:00", "held", 1, DISK),),
    ),
    Case(
        "an exit without a state sends it in one message",
        NIGHT,
        (
            ("12-07 23:00", "log", DISK, 3),
            ("12-07 23:00", "log", STOCK),
            ("12-07 23:00", "log", "no route"),
            ("12-07 23:00:02", "exit"),
        ),
        "12-07 23:01",
        (("12-07 23:00", "held", 3, "^🔴 quiet hours 22:00–08:00 · 3 incidents, still open$"),),
    ),
    Case(
        "more than a message holds is a summary and a file",
        NIGHT,
        tuple(("12-07 23:00", "log", f"broken {chr(0x4E00 + number)}") for number in range(150)),
        "12-08 08:15",
        (("12-08 08:00", "held", 150, "^🔴 quiet hours 22:00–08:00 · 150 incidents, none still open$"),),
    ),
    Case(
        "a flood at night stays bounded, and what is lost is said",
        {**NIGHT, "max_pending": 50},
        tuple(("12-07 23:00", "log", f"broken {chr(0x4E00 + number)}") for number in range(150)),
        "12-08 08:15",
        (("12-08 08:00", "held", 50, "lost since the last message: 100"),),
    ),
    *(
        Case(
            f"what a person answers by {words!r} at night is sent in the morning",
            NIGHT,
            (
                ("12-07 21:00", "log", DISK),
                ("12-07 23:00", "log", DISK, 2),
                ("12-07 23:00:01", "say", "Li", f"{words} {{}}"),
            ),
            "12-08 08:15",
            (("12-07 21:00", "new", 1, DISK), ("12-08 08:00", "held", 1, DISK, rf"^{said} by Li .*23:00$")),
        )
        for words, said in (("take", "taken"), ("done", "closed"))
    ),
    Case(
        "what had ended and comes again at night is over in the morning",
        NIGHT,
        (("12-07 21:00", "log", DISK, 2), ("12-07 23:00", "log", DISK, 2)),
        "12-08 08:15",
        (
            ("12-07 21:00", "new", 1, DISK),
            ("12-07 21:01", "more", 1, "2 in all"),
            ("12-07 21:12", "end", 0, DISK),
            (
                "12-08 08:00",
                "held",
                1,
                "1 incident, none still open",
                "again, 2nd since 12-07 21:00, none since 12-07 23:00",
            ),
        ),
    ),
    Case(
        "what comes in the morning is sent as ever",
        NIGHT,
        (
            ("12-07 23:00", "log", DISK),
            ("12-08 08:00", "log", STOCK),
            ("12-08 08:00", "log", "fire", 1, "CRITICAL"),
        ),
        "12-08 08:02",
        (
            ("12-08 08:00", "new", 1, STOCK),
            ("12-08 08:00", "new", 1, "fire"),
            ("12-08 08:00", "held", 1, DISK),
        ),
    ),
    Case(
        "who was told before a night with a hand-over hears of its end",
        {**NIGHT, "users": ["on-call:web"], "on_call": DAILY},
        (("12-07 21:50", "log", DISK, 2), ("12-07 23:00", "log", STOCK)),
        "12-08 08:15",
        (
            ("12-07 21:50", "new", 1, DISK, {"to": "anna"}),
            ("12-07 21:51", "more", 1, DISK, {"to": "anna"}),
            ("12-08 08:00", "held", 1, STOCK, {"to": "bert"}),
            ("12-08 08:00", "end", 0, DISK, {"to": "bert anna"}),
        ),
    ),
    Case(
        "steps wait for the morning, and what is critical escalates at night",
        STEPS,
        (
            ("12-07 21:55", "log", "sent before the night"),
            ("12-07 23:00", "log", "on fire", 1, "CRITICAL"),
            ("12-08 07:55", "log", "held at night"),
        ),
        "12-08 08:26",
        (
            ("12-07 21:55", "new", 1, "sent before the night"),
            ("12-07 23:00", "new", 1, "on fire"),
            ("12-07 23:10", "step", 1, "on fire", {"to": "李四"}),
            ("12-07 23:10", "to", None, "李四"),
            ("12-07 23:25", "step", 1, "on fire", {"to": "王五"}),
            ("12-07 23:25", "to", None, "王五", {"to": "张三 李四"}),
            ("12-07 23:36", "end", 0, "on fire", {"to": "张三 李四 王五"}),
            ("12-08 08:00", "step", 1, "sent before the night", {"to": "李四"}),
            ("12-08 08:00", "to", None, "李四"),
            ("12-08 08:00", "held", 1, "held at night"),
            ("12-08 08:01", "step", 1, "sent before the night", {"to": "王五"}),
            ("12-08 08:01", "to", None, "王五", {"to": "张三 李四"}),
            ("12-08 08:10", "step", 1, "held at night", {"to": "李四"}),
            ("12-08 08:10", "to", None, "李四"),
            ("12-08 08:12", "end", 0, "sent before the night", {"to": "张三 李四 王五"}),
            ("12-08 08:25", "step", 1, "held at night", {"to": "王五"}),
            ("12-08 08:25", "to", None, "王五", {"to": "张三 李四"}),
        ),
    ),
    Case(
        "where the clock on the wall is put ahead, the morning is when it says so",
        NIGHT,
        (("12-07 23:00", "log", DISK), ("12-07 23:00:01", "leap", 8 * 3600.0), ("12-07 23:00:41", "leap", 3600.0)),
        "12-07 23:01:40",
        (("12-07 23:00", "held", 1, DISK),),
    ),
)
