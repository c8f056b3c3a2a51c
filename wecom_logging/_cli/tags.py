"""``wecom-logging tags``: tags, and who is in them."""

from __future__ import annotations

import argparse
from typing import Any

from .._wecom import WeComClient
from .printing import print_change, print_fields, print_json, print_table
from .verbs import command, verb


def add(commands: Any) -> None:
    verbs = command(commands, "tags", "list and change tags (标签)")
    verb(verbs, "list", run_list, "all tags", json=True)
    verb(verbs, "show", run_show, "a tag with its members and departments", json=True).add_argument("id", metavar="ID")
    creating = verb(verbs, "create", run_create, "create a tag and print its id", json=True)
    creating.add_argument("--name", required=True, metavar="NAME")
    creating.add_argument("--id", metavar="N", help="its id; WeCom chooses one otherwise")
    updating = verb(verbs, "update", run_update, "rename a tag")
    updating.add_argument("id", metavar="ID")
    updating.add_argument("--name", required=True, metavar="NAME")
    verb(verbs, "delete", run_delete, "delete a tag; its members stay").add_argument("id", metavar="ID")
    for name, run, help in (
        ("add", run_add, "add users and departments to a tag"),
        ("remove", run_remove, "take users and departments out of a tag"),
    ):
        changing = verb(verbs, name, run, help, json=True)
        changing.add_argument("id", metavar="ID")
        changing.add_argument("--user", nargs="+", action="extend", default=[], metavar="USER_ID")
        changing.add_argument("--department", nargs="+", action="extend", default=[], metavar="ID")


def run_list(options: argparse.Namespace) -> int:
    found = WeComClient().tags.list()
    if options.json:
        for tag in found:
            print_json({"id": tag.id, "name": tag.name})
    else:
        print_table(("id", "name"), ((tag.id, tag.name) for tag in found))
    return 0


def run_show(options: argparse.Namespace) -> int:
    found = WeComClient().tags.get(options.id)
    print_json(found) if options.json else print_fields(found)
    return 0


def run_create(options: argparse.Namespace) -> int:
    id = WeComClient().tags.create(options.name, id=options.id)
    print_json({"id": id}) if options.json else print(id)
    return 0


def run_update(options: argparse.Namespace) -> int:
    WeComClient().tags.update(options.id, name=options.name)
    print(f"changed tag {options.id}")
    return 0


def run_delete(options: argparse.Namespace) -> int:
    WeComClient().tags.delete(options.id)
    print(f"deleted tag {options.id}")
    return 0


def run_add(options: argparse.Namespace) -> int:
    change = WeComClient().tags.add(options.id, users=options.user, departments=options.department)
    return print_change(change, f"added to tag {options.id}", as_json=options.json)


def run_remove(options: argparse.Namespace) -> int:
    change = WeComClient().tags.remove(options.id, users=options.user, departments=options.department)
    return print_change(change, f"taken out of tag {options.id}", as_json=options.json)
