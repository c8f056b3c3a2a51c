"""Looks at the state that is configured: whether it can be read and written here, and what waits in it."""

from __future__ import annotations

import time

from ..._state.adopt import adopted
from ..._state.base import SharedCounters, StateError, Store
from ...errors import ConfigurationError
from ..environment import configured, is_unused, obstacle
from .findings import Words
from .notes import Notes
from .words import words

_MEMORY = Words(
    "each process keeps what waits in its own memory: what ends with the process is lost, and nothing is shared",
    "待发送的告警保存在各进程自己的内存里：进程结束时未发出的会丢失，进程之间互不共享",
)


def look_at_state(notes: Notes, option: object) -> None:
    """``option`` has passed its check. Makes nothing where no process has used it: the file would be the doctor's."""
    shared = None
    try:
        shared = configured(option)
        if shared is None:
            notes.good("state", _MEMORY, "memory://")
        elif not is_unused(shared):
            for _ in adopted(shared, time.monotonic(), lambda cause, text: None):
                pass  # what dead processes have left waits, too
            notes.good("state", shared.call(_contents))
        elif why := obstacle(shared):
            raise StateError(why)
        else:
            made = Words("no process has used it yet; the first one makes it", "尚无进程使用过，由第一个进程创建")
            notes.good("state", made, shared.name)
    except StateError as error:
        cause = Words(
            f"it cannot be used: {error}; alerts go on with the memory of each process",
            f"无法使用（{error}）；各进程暂时改用自己的内存",
        )
        is_file = shared is not None and shared.write_ahead is not None
        notes.bad("state", cause, words("state", "file" if is_file else "server"))
    except ConfigurationError as error:
        notes.refused("state", error)


def _contents(state: Store) -> Words:
    what, counters = state.check(), state.counters()
    return Words(
        f"it can be read and written ({what}); {_held(counters)}",
        f"可读可写（{what}）；{counters.waiting} 条等待发送，{counters.given_up} 条已放弃"
        + ("（用 wecom-logging pending 查看）" if counters.waiting or counters.given_up else ""),
    )


def _held(counters: SharedCounters) -> str:
    waits = "1 alert waits" if counters.waiting == 1 else f"{counters.waiting} alerts wait"
    given_up = "1 alert was given up" if counters.given_up == 1 else f"{counters.given_up} were given up"
    return f"{waits}, {given_up}" + (
        " (`wecom-logging pending` shows them)" if counters.waiting or counters.given_up else ""
    )
