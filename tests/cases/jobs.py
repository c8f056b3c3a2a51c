"""Jobs that are expected to run: what is missed, over its time or unwatched, and which run closes it.

``case`` says how a row is read. The names J1 to J13 are those of the complaints that users of such tools have.
"""

from __future__ import annotations

from typing import Any

from .case import Case, Row, When

JOB, DAILY, HOURLY = "对账", {"cron": "30 2 * * *"}, {"cron": "0 * * * *"}
LATE_S = 60.0
"""Somebody looks each half a minute, and what is found is sent by the next look."""


def missed(due: str, zone: str = "Asia/Shanghai") -> str:
    return f"job {JOB} did not run: it was due {due} {zone}$"


def job(
    name: str,
    begins: str,
    declared: dict[str, Any],
    happens: tuple[Row, ...],
    until: When,
    comes: tuple[Row, ...] = (),
    **more: Any,
) -> Case:
    """One job, declared at the beginning."""
    options = {"timezone": more["zone"]} if "zone" in more else {}
    return Case(name, options, ((0, "declare", JOB, declared), *happens), until, comes, begins, late_s=LATE_S, **more)


NOON = "2026-11-29 12:00"
CASES = (
    job(
        "J1: a run that starts a minute early serves its time",
        NOON,
        DAILY,
        (("11-30 02:28:40", "run", JOB), ("12-01 02:28", "run", JOB)),
        "12-01 02:37",
        (("12-01 02:35", "new", 1, missed("12-01 02:30")),),
    ),
    job(
        "J2: the start is judged by grace, the length by max_runtime",
        NOON,
        {**DAILY, "grace": "20m", "max_runtime": "2h"},
        (("11-30 02:45", "begin", JOB), ("11-30 05:00", "end", JOB)),
        "11-30 05:05",
        (
            (
                "11-30 04:45",
                "new",
                1,
                f"job {JOB} is still running, or was killed: it began 11-30 02:45 Asia/Shanghai, and may take 2 h$",
            ),
            ("11-30 05:00", "ran", None),
        ),
    ),
    job(
        "J3: a deploy is no miss",
        "2026-11-30 02:31",
        DAILY,
        (("11-30 03:00", "declare", JOB, DAILY),),
        "11-30 12:00",
    ),
    job(
        "J3: another schedule is judged from then on, and a job that never ran is missed",
        "2026-11-30 02:31",
        DAILY,
        (("11-30 12:00", "declare", JOB, {"cron": "0 11 * * *"}),),
        "12-01 11:07",
        (("12-01 11:05", "new", 1, missed("12-01 11:00")),),
    ),
    *(
        job(
            f"J4: where clocks change it is due as cron runs it: {cron}, {begins}, {len(runs)} runs",
            begins,
            {"cron": cron},
            tuple((one, "run", JOB) for one in runs),
            until,
            tuple((at, "new", 1, missed(due, "Europe/Berlin")) for at, due in comes),
            zone="Europe/Berlin",
        )
        for cron, begins, runs, until, comes in (
            ("30 2 * * *", "2026-03-28 12:00", ("03-29 03:00",), "03-29 12:00", ()),
            ("30 2 * * *", "2026-10-24 12:00", ("10-25 02:30",), "10-25 12:00", ()),
            ("30 2 * * *", "2026-10-24 12:00", (), "10-25 12:00", (("10-25 02:35", "10-25 02:30"),)),
        )
    ),
    job(
        "J5: a schedule with hours is not late at night",
        "2026-11-29 21:00",
        {"cron": "0 9-22 * * *"},
        (("11-29 22:00", "run", JOB),),
        "11-30 09:07",
        (("11-30 09:05", "new", 1, missed("11-30 09:00")),),
    ),
    job(
        "J6: the alert says in which zone it was due",
        NOON,
        DAILY,
        (),
        "11-30 02:37",
        (("11-30 02:35", "new", 1, missed("11-30 02:30", "America/New_York")),),
        zone="America/New_York",
    ),
    job(
        "J7: words of a crontab are taken, and read back",
        NOON,
        {"cron": "@daily"},
        (),
        "11-30 00:07",
        (("11-30 00:05", "new", 1, missed("11-30 00:00")),),
    ),
    job(
        "J8: starts alone hide no hang",
        NOON,
        {**HOURLY, "max_runtime": "90m"},
        tuple((f"11-29 {hour}:00", "begin", JOB) for hour in (13, 14, 15)),
        "11-29 15:10",
        (("11-29 14:30", "new", 1, "it began 11-29 13:00 Asia/Shanghai, and may take 90 min$"),),
    ),
    job(
        "J8: without a longest time the ninth open run tells of the oldest",
        NOON,
        {"every": "1h"},
        (
            *((5 * 60.0 * number, "begin", JOB) for number in range(9)),
            ("11-29 12:45", "run", JOB),
        ),
        "11-29 12:50",
        (
            ("11-29 12:40", "new", 1, "it began 11-29 12:00 Asia/Shanghai, and 8 times since$"),
            ("11-29 12:45", "ran", None),
        ),
    ),
    job(
        "the alert of a job without a schedule names none",
        "2026-11-30 12:00",
        {"max_runtime": "90m"},
        ((0, "begin", JOB),),
        "11-30 13:34",
        (("11-30 13:30", "new", 1, "it began 11-30 12:00 .*may take 90 min$", r"^│ schedule: \(none\)$"),),
    ),
    job(
        "J9: nights without a run are one incident with a count, which the next start closes",
        NOON,
        DAILY,
        (("12-02 10:00", "begin", JOB), ("12-02 10:01", "end", JOB, {"has_failed": True})),
        "12-02 10:10",
        (
            ("11-30 02:35", "new", 1, missed("11-30 02:30")),
            ("12-01 02:35", "more", 1),
            ("12-02 02:35", "more", 1, "3 in all"),
            ("12-02 10:00", "ran", None),
        ),
    ),
    Case(
        "J10: when nobody watched, one line says so, and names each job once",
        {},
        (
            *((0, "declare", name, DAILY) for name in (JOB, "报表", "清理")),
            ("11-30 02:00", "stop", 70 * 60.0),
            ("11-30 03:10", "run", "清理"),
        ),
        "11-30 03:30",
        (
            (
                "11-30 03:15",
                "new",
                2,
                "nobody watched from 11-30 02:00 .* to 11-30 03:10 .*; jobs that may not have run: 对账, 报表$",
            ),
        ),
        NOON,
        late_s=LATE_S,
    ),
    *(
        job(
            f"a job that may be {grace} late is {'un' if unwatched else ''}watched, where nobody looks for six minutes",
            NOON,
            {**DAILY, "grace": grace},
            (("11-30 02:28", "stop", 360.0),),
            until,
            ((comes, "new", 1, "nobody watched from 11-30 02:28" if unwatched else missed("11-30 02:30")),),
        )
        for grace, unwatched, comes, until in (
            ("5m", True, "11-30 02:39", "11-30 02:42"),
            ("20m", False, "11-30 02:50", "11-30 02:55"),
        )
    ),
    job(
        "J11: a run that was killed did not finish, and the next one closes it",
        NOON,
        {**DAILY, "max_runtime": "10m"},
        (("11-30 02:30", "begin", JOB), ("12-01 02:30", "begin", JOB), ("12-01 02:35", "end", JOB)),
        "12-01 02:39",
        (
            ("11-30 02:40", "new", 1, "is still running, or was killed"),
            ("12-01 02:35", "ran", None),
        ),
    ),
    *(
        job(
            f"a run closes what was sent before the job was declared with other {', '.join(other)}",
            NOON,
            DAILY,
            (
                ("11-30 03:00", "declare", JOB, {**DAILY, **other}),
                ("12-01 02:40", "run", JOB),
            ),
            "12-01 02:45",
            (
                ("11-30 02:35", "new", 1, missed("11-30 02:30")),
                ("12-01 02:35", "new", 1, missed("12-01 02:30"), to),
                ("12-01 02:40", "ran", None, to),
                ("12-01 02:40", "ran", None),
            ),
        )
        for other, to in (({"level": "CRITICAL"}, {}), ({"users": ["lisi"]}, {"to": "lisi"}))
    ),
    *(
        job(
            f"J12: a clock that jumps by {jump} s neither hides nor invents a run",
            "2026-11-28 12:00",
            {**HOURLY, "max_runtime": "50m"},
            (
                *((f"11-28 {hour}:00", "run", JOB) for hour in (13, 14, 15)),
                ("11-28 15:30", "begin", JOB),
                ("11-28 15:30:01", "leap", float(jump)),
                ("11-28 15:30:02", "end", JOB),
            ),
            "11-28 15:40",
            ((12600, "new", 1, "nobody watched from", {"may": True, "late": 600.0}),) if jump > 600 else (),
        )
        for jump in (600, 3600, 3 * 86400, -600, -3600, -3 * 86400)
    ),
    job(
        "J12: a run closes what was missed, although the clock was set back meanwhile",
        NOON,
        DAILY,
        (
            ("11-30 02:40", "leap", -(4 * 3600.0 + 600)),
            ("11-30 03:10", "run", JOB),
        ),
        "11-30 03:12",
        (("11-30 02:35", "new", 1, missed("11-30 02:30")), ("11-30 03:10", "ran", None)),
    ),
    job(
        "every counts from the last start",
        NOON,
        {"every": "1h"},
        (("11-29 12:40", "run", JOB),),
        "11-29 13:48",
        (("11-29 13:45", "new", 1, missed("11-29 13:40")),),
    ),
    job(
        "one that is silenced stays silent though it is missed again",
        NOON,
        {"every": "2h"},
        (("11-29 14:06", "say", "Li", "quiet {} 8h"),),
        "11-29 20:00",
        (("11-29 14:05", "new", 1), ("11-29 14:06", "silenced", 0)),
        settles=False,
    ),
    job(
        "who closes it hears of the next miss, and no line of the run",
        NOON,
        DAILY,
        (("11-30 02:40", "say", "Li", "done {}"), ("11-30 10:00", "run", JOB)),
        "12-01 02:40",
        (
            ("11-30 02:35", "new", 1, missed("11-30 02:30")),
            ("11-30 02:40", "closed", 0),
            ("12-01 02:35", "again", 1, missed("12-01 02:30")),
        ),
    ),
    Case(
        "a job that nobody declared is known and never missed",
        {},
        ((0, "run", "another"), (1, "say", "Li", "jobs", "", "^another")),
        "11-30 12:00",
        (),
        NOON,
    ),
    job(
        "a miss after a run that took too long is another incident",
        "2026-11-30 04:50",
        {"every": "1h", "max_runtime": "30s"},
        ((0, "begin", JOB), ("11-30 04:51", "end", JOB)),
        "11-30 05:58",
        (
            ("11-30 04:50", "new", 1, "may take 30 s"),
            ("11-30 04:51", "ran", None, r"has ended, 1 min 0 s \(at most 30 s\)"),
            ("11-30 05:55", "new", 1, missed("11-30 05:50")),
        ),
    ),
    *(
        job(
            f"a run that closes a miss{' and fails is no good news' if fails else ''}",
            "2026-11-30 04:50",
            {"every": "1h"},
            (("11-30 07:00", "begin", JOB), ("11-30 07:00", "end", JOB, {"has_failed": fails})),
            "11-30 07:03",
            (
                ("11-30 05:55", "new", 1, missed("11-30 05:50")),
                ("11-30 07:00", "ran", None, said, "× 1, 2 in all$"),
            ),
        )
        for fails, said in (
            (False, r"^✅ shop 对账: #\w+ ran again 07:00$"),
            (True, r"^🟠 .* ran again 07:00, and failed$"),
        )
    ),
    job(
        "all who got it read that a person stopped watching a job, and an undo restores the watch",
        "2026-11-30 04:50",
        {"every": "1h"},
        (
            ("11-30 06:00", "say", "张三", "forget {}"),
            ("11-30 06:20", "say", "张三", "undo {}"),
            ("11-30 06:25", "run", JOB),
        ),
        "11-30 06:30",
        (
            ("11-30 05:55", "new", 1, missed("11-30 05:50")),
            ("11-30 06:00", "watch ended", None, f"^🚫 .* 张三 stopped watching job {JOB} 06:00"),
            ("11-30 06:20", "watched again", None, f"^✋ .* 张三 watches job {JOB} again 06:20"),
            ("11-30 06:25", "ran", None),
        ),
    ),
)
