"""Jupyter and IPython: a message when a long cell has ended or failed, with the time that it took.

    %load_ext wecom_logging.integrations.jupyter

    %%wecom training of the second model
    fit(model, data)

The rest of the cell runs as it would without that line: another ``%%magic`` may follow it, ``await`` works, and an
error stops "run all" as ever. It goes to every live WeCom handler, whatever its level. A cell may give ``wecom_attach``
a value: a picture, as for `progress`.

Source: https://ipython.readthedocs.io/en/stable/config/extensions/
"""

from __future__ import annotations

from math import inf
from typing import Any

from .._long_work import Progress
from .._render.words import A_CELL
from .._telling import Teller
from . import need

_MAGIC = "%%wecom"
_MAX_TITLE = 60
_ATTACH = "wecom_attach"
_PLACE = ("jupyter", "", 0, "")
_TELLER = Teller(None, "jupyter", "it")


class _Cells:
    """What one shell is told to tell."""

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        self._running: list[tuple[Any, Progress[Any]]] = []  # a magic may run a cell inside

    def begin(self, info: Any) -> None:
        """Before a cell, as it was typed."""
        lines = str(info.raw_cell).splitlines()
        first = next((line for line in lines if line.strip()), "")
        if _is_ours(first):
            code = next((line.strip() for line in lines[lines.index(first) + 1 :] if line.strip()), "")
            title = "".join(filter(str.isprintable, first.strip()[len(_MAGIC) :].strip() or code[:_MAX_TITLE]))
            self.shell.user_ns.pop(_ATTACH, None)
            running: Progress[Any] = Progress(None, title or A_CELL.en, _PLACE, inf, None, False, _TELLER, None)
            self._running.append((info, running.__enter__()))

    def end(self, result: Any) -> None:
        """After it, whatever became of it."""
        if self._running and result is not None and self._running[-1][0] is result.info:
            _, running = self._running.pop()
            running.attach = self.shell.user_ns.pop(_ATTACH, None)
            error = result.error_before_exec or result.error_in_exec
            running.__exit__(None if error is None else type(error), error, None)


def _is_ours(line: str) -> bool:
    return line.strip().split(maxsplit=1)[:1] == [_MAGIC]


def without_magic(lines: list[str]) -> list[str]:
    """A cell without our line: a blank one in its place keeps the numbers, but another magic must come first."""
    at = next((number for number, line in enumerate(lines) if line.strip()), None)
    if at is None or not _is_ours(lines[at]):
        return lines
    rest = lines[at + 1 :]
    following = next((line for line in rest if line.strip()), "")
    return rest if following.startswith("%%") else [*lines[:at], "\n", *rest]


def load_ipython_extension(shell: Any) -> None:
    """For ``%load_ext``; a second time it changes nothing."""
    need("IPython", "8.0", "ipython")
    if _cells_of(shell) is None:
        _TELLER.at_start()
        cells = shell._wecom_cells = _Cells(shell)
        shell.input_transformers_cleanup.append(without_magic)
        shell.events.register("pre_run_cell", cells.begin)
        shell.events.register("post_run_cell", cells.end)


def unload_ipython_extension(shell: Any) -> None:
    """For ``%unload_ext``."""
    cells = _cells_of(shell)
    if cells is not None:
        shell.input_transformers_cleanup.remove(without_magic)
        shell.events.unregister("pre_run_cell", cells.begin)
        shell.events.unregister("post_run_cell", cells.end)
        shell._wecom_cells = None


def _cells_of(shell: Any) -> _Cells | None:
    found = getattr(shell, "_wecom_cells", None)
    return found if isinstance(found, _Cells) else None
