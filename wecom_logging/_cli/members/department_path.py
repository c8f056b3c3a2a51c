"""A department as people write it in a cell: its id, or its path of names from the root ("研发部/后端/支付").

A slash or semicolon that belongs to a name stands behind a backslash, which no name may hold. A path that begins with
a slash has no name of the root in front, and is never an id.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace

from ..._wecom import directory_checks as checks
from ..._wecom.directory import ROOT
from ...errors import MessageError
from ...model import Department

MAX_DEPTH = 20
"""WeCom allows 15; an answer in which departments go in a circle has no end."""
_NUMBER = re.compile(r"[0-9]{1,10}")
_ESCAPED = re.compile(r"\\(.)")


@dataclass(frozen=True, slots=True)
class Path:
    """``names`` from the root on; unless it is ``exact``, the first may be the root's own."""

    names: tuple[str, ...]
    exact: bool = False

    def __str__(self) -> str:
        return "/".join(self.names) or "/"


Place = int | Path


def read(field: str, text: str) -> tuple[Place, ...]:
    """The departments in a cell, each once. Raises `MessageError` with the field."""
    places = [_place(field, part) for part in _split(";；", text) if part.strip()]
    return tuple(dict.fromkeys(places))


def _place(field: str, text: str) -> Place:
    text = text.strip()
    if _NUMBER.fullmatch(text):
        return checks.department_id(field, text)
    exact = text.startswith("/")
    names = tuple(_ESCAPED.sub(r"\1", name).strip() for name in _split("/", text[exact:])) if text != "/" else ()
    for name in names:
        try:
            checks.department(name=name)
        except MessageError as error:
            raise MessageError(f"{field}: the path {text}: {error}") from None
    return Path(names, exact)


def _split(separators: str, text: str) -> list[str]:
    """The parts between separators, but for those behind a backslash, which stays."""
    return re.findall(rf"(?:\A|[{separators}])((?:[^\\{separators}]|\\.|\\\Z)*)", text, re.DOTALL)


def write(names: tuple[str, ...], root_name: str) -> str:
    """A path that `read` reads as these names, whatever is the root's name where it is read."""
    if not names:
        return str(ROOT)
    text = "/".join(re.sub(r"[/;；]", r"\\\g<0>", name) for name in names)
    return f"/{text}" if _NUMBER.fullmatch(text) or names[0] == root_name else text


class Tree:
    """Which departments there are, by id and by path. Those whose names are unknown have ids only."""

    def __init__(self, departments: Iterable[Department]) -> None:
        self._by_id: dict[int, Department] = {}
        self._children: defaultdict[int, dict[str, int]] = defaultdict(dict)
        for department in departments:
            self.add(department)

    def add(self, department: Department) -> None:
        """One more department; a name that is known already stays."""
        known = self._by_id.get(department.id)
        if known is not None and not department.name:
            department = replace(department, name=known.name)
        self._by_id[department.id] = department
        if department.name:
            self._children[department.parent_id][department.name] = department.id

    def __contains__(self, id: int) -> bool:
        return id in self._by_id

    def __len__(self) -> int:
        return len(self._by_id)

    @property
    def root_name(self) -> str:
        """Empty where it is unknown."""
        root = self._by_id.get(ROOT)
        return root.name if root else ""

    def names_of(self, path: Path) -> tuple[str, ...]:
        """The names of a path below the root. A leading name is the root's unless a department there has it."""
        first = path.names[:1]
        if path.exact or first != (self.root_name,) or first[0] in self._children[ROOT]:
            return path.names
        return path.names[1:]

    def find(self, names: tuple[str, ...]) -> int | None:
        """The id of the department with this path."""
        id: int | None = ROOT
        for name in names:
            id = self._children[id].get(name) if id is not None and id in self._children else None
        return id

    def path_of(self, id: int) -> str:
        """The path as `write` gives it; the id alone where its names up to the root are not known."""
        names: list[str] = []
        here = id
        while here != ROOT:
            department = self._by_id.get(here)
            if department is None or not 1 <= len(department.name) <= checks.MAX_NAME or len(names) == MAX_DEPTH:
                return str(id)
            names.append(department.name)
            here = department.parent_id
        return write(tuple(reversed(names)), self.root_name)
