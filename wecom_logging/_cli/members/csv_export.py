"""``wecom-logging members export``: the members that WeCom shows, as a file that `import` takes."""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from ..._render import inert
from ..._wecom import WeComClient
from ..._wecom import directory_checks as checks
from .csv_table import COLUMNS, TableWriter
from .department_path import Tree
from .entry import cells_of
from .progress import Progress
from .whole_file import whole_file


def run(options: argparse.Namespace) -> int:
    """Write members as they come, one request for each department."""
    if options.department is not None:
        checks.department_id("department", options.department)
    client = WeComClient()
    progress = Progress("members", every=1000)
    reachable = 0
    on_screen = not options.file and sys.stdout.isatty()
    with _target(options.file) as stream:
        tree = Tree(client.departments.list())
        writer = TableWriter(stream, COLUMNS)
        for member in client.members.each(options.department):
            reachable += bool(member.mobile or member.email)
            writer.row(cells_of(member, tree.path_of))
            progress.step(quietly=on_screen)
    progress.end()
    if progress.done and not reachable:
        progress.say(
            "WeCom told neither mobile numbers nor e-mail addresses, as it does to an app's secret; "
            "new members cannot be created from this file."
        )
    if options.file:
        print(f"exported {progress.done} members to {inert.line(options.file)}")
    return 0


@contextmanager
def _target(name: str | None) -> Iterator[TextIO]:
    if name:
        with whole_file(Path(name)) as stream:
            yield stream
    elif sys.stdout.isatty():
        yield _Screen()
    else:
        sys.stdout.flush()
        stream = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8-sig", newline="", write_through=True)
        try:
            yield stream
        finally:
            stream.flush()
            stream.detach()


class _Screen(io.StringIO):
    """A terminal, on which no name may act."""

    def write(self, text: str) -> int:
        print(inert.line(text.rstrip("\r\n")))
        return len(text)
