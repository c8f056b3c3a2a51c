"""What clients that others wrote tried here, and how it ended. The table stands at the end of a test run."""

from __future__ import annotations

from collections.abc import Callable

OK = "ok"

PROPERTY = "client"

NOTES: list[tuple[tuple[str, str], str]] = []
"""Of the test that runs: a client and what it did, and how that ended."""

TABLE: dict[tuple[str, str], str] = {}
"""The notes of all tests."""


def note(client: str, action: str, outcome: str) -> None:
    NOTES.append(((client, action), outcome))


def tried(client: str, action: str, call: Callable[[], object], *refusals: type[Exception]) -> str:
    """``ok``, or how the client tells the refusal."""
    try:
        call()
    except refusals as error:
        outcome = str(getattr(error, "errcode", None) or f"{type(error).__name__}: {error}")
    else:
        outcome = OK
    note(client, action, outcome)
    return outcome


def lines() -> list[str]:
    rows = {f"{client}  {action}": outcome for (client, action), outcome in TABLE.items()}
    width = max(map(len, rows), default=0)
    return [f"{done:{width}}  {outcome}" for done, outcome in sorted(rows.items())]
