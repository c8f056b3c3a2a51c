"""``wecom-logging departments``: the tree of departments."""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from .._wecom import WeComClient
from ..errors import MessageError
from ..model import Department
from .printing import print_fields, print_json, print_table
from .verbs import command, verb

INDENT = "  "
MAX_DEPTH = 15
"""WeCom's own limit: what is further down, in an answer that is wrong, is not indented any more."""


def add(commands: Any) -> None:
    verbs = command(commands, "departments", "list and change departments (部门)")
    listing = verb(verbs, "list", run_list, "the tree of departments, with ids and leaders", json=True)
    listing.add_argument("--parent", metavar="ID", help="only this department and those below it")
    verb(verbs, "show", run_show, "one department", json=True).add_argument("id", metavar="ID")
    creating = verb(verbs, "create", run_create, "create a department and print its id", json=True)
    _fields(creating, name_needed=True)
    creating.add_argument("--id", metavar="N", help="its id; WeCom chooses one otherwise")
    updating = verb(verbs, "update", run_update, "rename or move a department")
    updating.add_argument("id", metavar="ID")
    _fields(updating, name_needed=False)
    deleting = verb(verbs, "delete", run_delete, "delete a department without members and departments below it")
    deleting.add_argument("id", metavar="ID")


def _fields(parser: argparse.ArgumentParser, *, name_needed: bool) -> None:
    parser.add_argument("--name", required=name_needed, metavar="NAME")
    parser.add_argument("--name-en", metavar="NAME", help="its name for those who use WeCom in English")
    parser.add_argument("--parent", metavar="ID", help="what it is below" + (" (1, the root)" if name_needed else ""))
    parser.add_argument("--order", type=int, metavar="N", help="the larger, the further up")


def run_list(options: argparse.Namespace) -> int:
    found = in_order(WeComClient().departments.list(options.parent))
    if options.json:
        for _, department in found:
            print_json(department)
    else:
        rows = ((INDENT * min(depth, MAX_DEPTH) + one.name, one.id, one.leaders) for depth, one in found)
        print_table(("name", "id", "leaders"), rows)
    return 0


def in_order(departments: Iterable[Department]) -> Iterator[tuple[int, Department]]:
    """Each department after the one above it, with its depth; siblings as WeCom's own list shows them."""
    by_id = {one.id: one for one in departments}
    below: defaultdict[int, list[Department]] = defaultdict(list)
    for one in sorted(by_id.values(), key=lambda one: (one.order, -one.id)):
        below[one.parent_id].append(one)  # the last is the uppermost, and is taken first
    waiting = [(0, one) for parent_id in below.keys() - by_id.keys() for one in below[parent_id]]
    while waiting:
        depth, here = waiting.pop()
        yield depth, here
        waiting += [(depth + 1, one) for one in below[here.id]]


def run_show(options: argparse.Namespace) -> int:
    found = WeComClient().departments.get(options.id)
    print_json(found) if options.json else print_fields(found)
    return 0


def run_create(options: argparse.Namespace) -> int:
    more = {} if options.parent is None else {"parent_id": options.parent}
    id = WeComClient().departments.create(
        name=options.name, name_en=options.name_en, order=options.order, id=options.id, **more
    )
    print_json({"id": id}) if options.json else print(id)
    return 0


def run_update(options: argparse.Namespace) -> int:
    changed = {"name": options.name, "name_en": options.name_en, "parent_id": options.parent, "order": options.order}
    if not any(value is not None for value in changed.values()):
        raise MessageError("nothing to change: give --name, --name-en, --parent or --order")
    WeComClient().departments.update(options.id, **changed)
    print(f"changed department {options.id}")
    return 0


def run_delete(options: argparse.Namespace) -> int:
    WeComClient().departments.delete(options.id)
    print(f"deleted department {options.id}")
    return 0
