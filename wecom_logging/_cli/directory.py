"""``wecom-logging departments``, ``members``, ``tags``: what is in the company's directory, verb by verb.

What the client's checks find wrong in a verb's arguments is a mistake of usage: exit code 2.
"""

from __future__ import annotations

import argparse
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from .._text import inert
from .._wecom import WeComClient
from .._wecom import directory_checks as checks
from ..errors import MessageError
from ..model import Change, Department, Member
from .parser import command
from .printing import agree, print_change, print_json, print_rows, print_value, refuse, say_error
from .texts import text

INDENT = "  "
MAX_DEPTH = 15
"""WeCom's own limit: what is further down, in an answer that is wrong, is not indented any more."""
Run = Callable[[WeComClient, argparse.Namespace], int]
_ValueOf = Callable[[WeComClient, str], Any]


def add(commands: Any) -> None:
    for name, verbs in (("departments", _department_verbs), ("members", _member_verbs), ("tags", _tag_verbs)):
        parser = command(commands, name, f"directory.{name}", f"directory.{name} directory.about")
        verbs(parser.add_subparsers(metavar="VERB", required=True))


def _verb(verbs: Any, row: str, run: Run, *, json: bool = False) -> argparse.ArgumentParser:
    """One verb, the last word of its row of `help.toml`; ``json``: it prints for programs, too."""

    def checked(options: argparse.Namespace) -> int:
        try:
            return run(WeComClient(), options)
        except MessageError as error:
            say_error(error)
            return 2
        except BrokenPipeError:
            raise
        except OSError as error:  # of a file or of standard output: those of the network are the client's errors
            refuse("errors.not_written", 1, reason=error.strerror or error)

    parser = command(verbs, row.partition(".")[2], row, json=json)
    parser.set_defaults(run=checked)
    return parser


def _department_ids(client: WeComClient, given: Sequence[str]) -> list[str]:
    """Ids as they stand, and those of the departments that are called so."""
    names = [one for one in given if any(map(str.isalpha, one))]  # of all else the client says why it is no id
    named: defaultdict[str, list[str]] = defaultdict(list)
    for one in client.departments.list() if names else ():
        for name in {one.name, one.name_en}:
            named[_composed(name)].append(str(one.id))
    for name in names:
        ids = named[_composed(name)]
        if len(ids) > 1:
            refuse("directory.several_departments", 2, name=name, ids=", ".join(ids))
        if not ids:
            refuse("directory.no_department", 2, name=name)
    return [named[_composed(one)][0] if one in names else one for one in given]


def _department_id(client: WeComClient, given: str) -> str:
    return _department_ids(client, [given])[0]


def _listed(given: Iterable[str]) -> list[str]:
    """Of ``a,b c`` all three."""
    return [one.strip() for several in given for one in several.split(",")]


def _composed(name: str) -> str:
    """An é is one character to one program and two to another."""
    return unicodedata.normalize("NFC", name)


def _print_id(id: int | str, options: argparse.Namespace, name: str = "id") -> int:
    print_json({name: id}) if options.json else print(inert.line(str(id)))
    return 0


def _done(name: str, id: str) -> int:
    print(text(name, id=id))
    return 0


# departments


def _department_verbs(verbs: Any) -> None:
    listing = _verb(verbs, "departments.list", _list_departments, json=True)
    listing.add_argument("--parent", metavar="ID_OR_NAME", help="departments.only")
    _verb(verbs, "departments.show", _show_department, json=True).add_argument("id", metavar="ID_OR_NAME")
    creating = _verb(verbs, "departments.create", _create_department, json=True)
    _department_fields(creating, name_needed=True)
    creating.add_argument("--id", metavar="N", help="directory.new_id")
    updating = _verb(verbs, "departments.update", _update_department)
    updating.add_argument("id", metavar="ID_OR_NAME")
    _department_fields(updating, name_needed=False)
    deleting = _verb(verbs, "departments.delete", _delete_department)
    deleting.add_argument("id", metavar="ID_OR_NAME")


def _department_fields(parser: argparse.ArgumentParser, *, name_needed: bool) -> None:
    parser.add_argument("--name", required=name_needed, metavar="NAME")
    parser.add_argument("--name-en", metavar="NAME", help="departments.name_en")
    row = "departments.parent_new" if name_needed else "departments.parent"
    parser.add_argument("--parent", metavar="ID_OR_NAME", help=row)
    parser.add_argument("--order", type=int, metavar="N", help="departments.order")


def _list_departments(client: WeComClient, options: argparse.Namespace) -> int:
    tree = in_order(client.departments.list(options.parent and _department_id(client, options.parent)))
    rows = ((one, {"name": INDENT * min(depth, MAX_DEPTH) + one.name}) for depth, one in tree)
    return print_rows(("name", "id", "leaders"), rows, as_json=options.json)


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


def _show_department(client: WeComClient, options: argparse.Namespace) -> int:
    return print_value(client.departments.get(_department_id(client, options.id)), as_json=options.json)


def _create_department(client: WeComClient, options: argparse.Namespace) -> int:
    more = {} if options.parent is None else {"parent_id": _department_id(client, options.parent)}
    id = client.departments.create(
        name=options.name, name_en=options.name_en, order=options.order, id=options.id, **more
    )
    return _print_id(id, options)


def _update_department(client: WeComClient, options: argparse.Namespace) -> int:
    changed = {"name": options.name, "name_en": options.name_en, "parent_id": options.parent, "order": options.order}
    if not any(value is not None for value in changed.values()):
        refuse("directory.nothing_to_change", 2, options="--name, --name-en, --parent, --order")
    changed["parent_id"] = options.parent and _department_id(client, options.parent)
    client.departments.update(_department_id(client, options.id), **changed)
    return _done("directory.department_changed", options.id)


def _delete_department(client: WeComClient, options: argparse.Namespace) -> int:
    client.departments.delete(_department_id(client, options.id))
    return _done("directory.department_deleted", options.id)


# members


def _member_verbs(verbs: Any) -> None:
    listing = _verb(verbs, "members.list", _list_members, json=True)
    listing.add_argument("--department", metavar="ID_OR_NAME")
    listing.add_argument("--recursive", action="store_true", help="members.recursive")
    _verb(verbs, "members.show", _show_member, json=True).add_argument("user_id", metavar="USER_ID")
    finding = _verb(verbs, "members.find", _find_member, json=True)
    either = finding.add_mutually_exclusive_group(required=True)
    either.add_argument("--mobile", metavar="M")
    either.add_argument("--email", metavar="E")
    _verb(verbs, "members.ids", _list_user_ids, json=True)
    creating = _verb(verbs, "members.create", _create_member, json=True)
    creating.add_argument("--user-id", required=True, metavar="USER_ID")
    _member_fields(creating, _FIELDS, name_needed=True)
    creating.add_argument("--no-invite", action="store_true", help="members.no_invite")
    updating = _verb(verbs, "members.update", _update_member)
    updating.add_argument("user_id", metavar="USER_ID")
    _member_fields(updating, {**_FIELDS, "new_user_id": _as_given}, name_needed=False)
    deleting = _verb(verbs, "members.delete", _delete_members, json=True)
    deleting.add_argument("user_id", nargs="+", metavar="USER_ID")
    deleting.add_argument("--yes", action="store_true", help="main.yes")
    inviting = _verb(verbs, "members.invite", _invite_members, json=True)
    inviting.add_argument("user_id", nargs="+", metavar="USER_ID")


def _as_given(client: WeComClient, given: str) -> str:
    return given


_FIELDS: Mapping[str, _ValueOf] = {
    **dict.fromkeys(("alias", "biz_mail", "gender", "position", "telephone"), _as_given),
    "direct_leaders": lambda client, given: _listed([given]),
    "enabled": lambda client, given: {"true": True, "false": False}.get(given.lower(), given),
    "main_department": _department_id,
}
"""What --field sets: each by the name that the client has for it, with what its text stands for."""


def _member_fields(parser: argparse.ArgumentParser, fields: Mapping[str, _ValueOf], *, name_needed: bool) -> None:
    def field(given: str) -> tuple[str, _ValueOf, str]:
        name, found, value = given.partition("=")
        if not found or name not in fields:  # what was given is not repeated: it may be anything
            raise argparse.ArgumentTypeError(text("usage.field", names=", ".join(sorted(fields))))
        return name, fields[name], value

    parser.add_argument("--name", required=name_needed, metavar="NAME")
    for name in ("--mobile", "--email"):
        parser.add_argument(name, metavar="TEXT")
    parser.add_argument("--departments", nargs="+", action="extend", metavar="ID_OR_NAME")
    parser.add_argument("--leader-of", nargs="+", action="extend", metavar="ID_OR_NAME", help="members.leader_of")
    parser.add_argument("--field", type=field, action="append", default=[], metavar="NAME=VALUE", help="members.field")


def _list_members(client: WeComClient, options: argparse.Namespace) -> int:
    found: Iterable[Member] = client.members.each()  # which asks nothing before it is read
    if options.department is not None:
        found = client.members.list(_department_id(client, options.department), recursive=options.recursive)
    rows = ((one, {"status": _status(one)}) for one in found)
    return print_rows(("user_id", "name", "departments", "position", "status"), rows, as_json=options.json)


def _show_member(client: WeComClient, options: argparse.Namespace) -> int:
    found = client.members.get(options.user_id)
    return print_value(found if options.json else replace(found, status=_status(found)), as_json=options.json)


def _status(member: Member) -> str:
    return text(f"statuses.{member.status}") if member.status else ""


def _find_member(client: WeComClient, options: argparse.Namespace) -> int:
    return _print_id(client.members.find(mobile=options.mobile, email=options.email), options, "user_id")


def _list_user_ids(client: WeComClient, options: argparse.Namespace) -> int:
    for user_id in client.members.ids():
        _print_id(user_id, options, "user_id")
    return 0


def _create_member(client: WeComClient, options: argparse.Namespace) -> int:
    made = client.members.create(user_id=options.user_id, invite=not options.no_invite, **_given(client, options))
    if options.json:
        print_json({"user_id": options.user_id, "created_departments": made})
        return 0
    _done("directory.member_created", options.user_id)
    if made:
        print(text("directory.departments_made", ids=", ".join(map(str, made))))
    return 0


def _update_member(client: WeComClient, options: argparse.Namespace) -> int:
    changed = _given(client, options)
    if not changed:
        refuse("directory.nothing_to_change", 2, options="--name, --mobile, --departments …")
    client.members.update(options.user_id, **changed)
    return _done("directory.member_changed", options.user_id)


def _given(client: WeComClient, options: argparse.Namespace) -> dict[str, Any]:
    given = {name: getattr(options, name) for name in ("name", "mobile", "email", "departments", "leader_of")}
    given = {name: value for name, value in given.items() if value is not None}
    for name in given.keys() & {"departments", "leader_of"}:
        given[name] = _department_ids(client, _listed(given[name]))
    return given | {name: value_of(client, value) for name, value_of, value in options.field}


def _delete_members(client: WeComClient, options: argparse.Namespace) -> int:
    user_ids = options.user_id
    checks.user_ids("user_id", user_ids)  # before anybody is asked
    if not options.yes:
        question = text("directory.delete_members", count=len(user_ids), ids=", ".join(user_ids))
        agree(question, "directory.nothing_deleted", what=text("directory.to_delete_members"))
    change = client.members.delete(*user_ids)
    return _print_change("directory.members_deleted", change, options)


def _invite_members(client: WeComClient, options: argparse.Namespace) -> int:
    return _print_change("directory.members_invited", client.members.invite(users=options.user_id), options)


def _print_change(row: str, change: Change, options: argparse.Namespace) -> int:
    count = len(set(options.user_id)) - len(change.invalid_users)
    return print_change(change, text(row, count=count), as_json=options.json)


# tags


def _tag_verbs(verbs: Any) -> None:
    _verb(verbs, "tags.list", _list_tags, json=True)
    showing = _verb(verbs, "tags.show", _show_tag, json=True)
    showing.add_argument("id", metavar="ID")
    creating = _verb(verbs, "tags.create", _create_tag, json=True)
    creating.add_argument("--name", required=True, metavar="NAME")
    creating.add_argument("--id", metavar="N", help="directory.new_id")
    updating = _verb(verbs, "tags.update", _update_tag)
    updating.add_argument("id", metavar="ID")
    updating.add_argument("--name", required=True, metavar="NAME")
    _verb(verbs, "tags.delete", _delete_tag).add_argument("id", metavar="ID")
    for row, done in (("tags.add", "directory.added"), ("tags.remove", "directory.removed")):
        changing = _verb(verbs, row, partial(_change_tag, row, done), json=True)
        changing.add_argument("id", metavar="ID")
        changing.add_argument("--users", nargs="+", action="extend", default=[], metavar="USER_ID")
        changing.add_argument("--departments", nargs="+", action="extend", default=[], metavar="ID_OR_NAME")


def _list_tags(client: WeComClient, options: argparse.Namespace) -> int:
    rows = [({"id": one.id, "name": one.name}, dict[str, object]()) for one in client.tags.list()]
    return print_rows(("id", "name"), rows, as_json=options.json)


def _show_tag(client: WeComClient, options: argparse.Namespace) -> int:
    return print_value(client.tags.get(options.id), as_json=options.json)


def _create_tag(client: WeComClient, options: argparse.Namespace) -> int:
    return _print_id(client.tags.create(options.name, id=options.id), options)


def _update_tag(client: WeComClient, options: argparse.Namespace) -> int:
    client.tags.update(options.id, name=options.name)
    return _done("directory.tag_changed", options.id)


def _delete_tag(client: WeComClient, options: argparse.Namespace) -> int:
    client.tags.delete(options.id)
    return _done("directory.tag_deleted", options.id)


def _change_tag(row: str, done: str, client: WeComClient, options: argparse.Namespace) -> int:
    departments = _department_ids(client, _listed(options.departments))
    change_in = client.tags.add if row == "tags.add" else client.tags.remove
    change = change_in(options.id, users=_listed(options.users), departments=departments)
    return print_change(change, text(done, id=options.id), as_json=options.json)
