"""``wecom-logging members``: members one by one."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from typing import Any

from .._text import inert
from .._wecom import WeComClient
from .._wecom import directory_checks as checks
from ..errors import MessageError
from ..model import Change, Member
from .printing import agreed, print_change, print_fields, print_json, print_table
from .verbs import command, verb

FIELDS = ("mobile", "email", "biz_mail", "alias", "position", "gender", "telephone", "main_department", "enabled")
"""Those that an option sets as it stands."""


def add(commands: Any) -> None:
    verbs = command(commands, "members", "list and change members (成员)")
    _add_reading(verbs)
    _add_changing(verbs)


def _add_reading(verbs: Any) -> None:
    listing = verb(verbs, "list", run_list, "the members of a department, or all that WeCom shows", json=True)
    listing.add_argument("--department", metavar="ID")
    listing.add_argument("--recursive", action="store_true", help="and those of all departments below it")
    verb(verbs, "show", run_show, "one member", json=True).add_argument("user_id", metavar="USER_ID")
    finding = verb(verbs, "find", run_find, "the user id of who has a mobile number or e-mail address", json=True)
    either = finding.add_mutually_exclusive_group(required=True)
    either.add_argument("--mobile", metavar="M")
    either.add_argument("--email", metavar="E")
    verb(verbs, "ids", run_ids, "the user ids of the whole company", json=True)


def _add_changing(verbs: Any) -> None:
    creating = verb(verbs, "create", run_create, "create a member; --mobile or --email is needed", json=True)
    creating.add_argument("--user-id", required=True, metavar="USER_ID")
    _fields(creating, name_needed=True)
    creating.add_argument("--no-invite", action="store_true", help="keep WeCom from sending the invitation")
    updating = verb(verbs, "update", run_update, "change what is given of a member")
    updating.add_argument("user_id", metavar="USER_ID")
    updating.add_argument("--new-user-id", metavar="USER_ID", help="once, for an id that WeCom made itself")
    _fields(updating, name_needed=False)
    deleting = verb(verbs, "delete", run_delete, "delete members, with their mailboxes", json=True)
    deleting.add_argument("user_id", nargs="+", metavar="USER_ID")
    deleting.add_argument("--yes", action="store_true", help="do not ask; needed where there is no terminal")
    inviting = verb(verbs, "invite", run_invite, "have WeCom send the invitation", json=True)
    inviting.add_argument("user_id", nargs="+", metavar="USER_ID")


def _fields(parser: argparse.ArgumentParser, *, name_needed: bool) -> None:
    parser.add_argument("--name", required=name_needed, metavar="NAME")
    for name in ("--mobile", "--email", "--biz-mail", "--alias", "--position", "--telephone"):
        parser.add_argument(name, metavar="TEXT")
    parser.add_argument("--gender", choices=("male", "female"))
    parser.add_argument("--department", nargs="+", action="extend", metavar="ID", dest="departments")
    parser.add_argument("--leader-of", nargs="+", action="extend", metavar="ID", help="those of --department it leads")
    parser.add_argument("--main-department", metavar="ID")
    parser.add_argument("--direct-leader", metavar="USER_ID")
    parser.add_argument("--enabled", action=argparse.BooleanOptionalAction, help="whether the account may be used")


def run_list(options: argparse.Namespace) -> int:
    found = _listed(WeComClient(), options)
    if options.json:
        for member in found:
            print_json(member)
    else:
        rows = ((one.user_id, one.name, one.departments, one.position, one.status) for one in found)
        print_table(("user_id", "name", "departments", "position", "status"), rows)
    return 0


def _listed(client: WeComClient, options: argparse.Namespace) -> Iterable[Member]:
    if options.department is None:
        return client.members.each()
    return client.members.list(options.department, recursive=options.recursive)


def run_show(options: argparse.Namespace) -> int:
    found = WeComClient().members.get(options.user_id)
    print_json(found) if options.json else print_fields(found)
    return 0


def run_find(options: argparse.Namespace) -> int:
    _print_id(WeComClient().members.find(mobile=options.mobile, email=options.email), options)
    return 0


def run_ids(options: argparse.Namespace) -> int:
    for user_id in WeComClient().members.ids():
        _print_id(user_id, options)
    return 0


def _print_id(user_id: str, options: argparse.Namespace) -> None:
    print_json({"user_id": user_id}) if options.json else print(inert.line(user_id))


def run_create(options: argparse.Namespace) -> int:
    made = WeComClient().members.create(user_id=options.user_id, invite=not options.no_invite, **_given(options))
    if options.json:
        print_json({"user_id": options.user_id, "created_departments": made})
        return 0
    print(f"created member {options.user_id}")
    if made:
        print(f"WeCom made the departments {', '.join(map(str, made))}")
    return 0


def run_update(options: argparse.Namespace) -> int:
    changed = _given(options)
    if options.new_user_id is not None:
        changed["new_user_id"] = options.new_user_id
    if not changed:
        raise MessageError("nothing to change: give --name, --mobile, --department …")
    WeComClient().members.update(options.user_id, **changed)
    print(f"changed member {options.user_id}")
    return 0


def _given(options: argparse.Namespace) -> dict[str, Any]:
    names = ("name", "departments", "leader_of", *FIELDS)
    given = {name: getattr(options, name) for name in names if getattr(options, name) is not None}
    if options.direct_leader is not None:
        given["direct_leaders"] = [options.direct_leader]
    return given


def run_delete(options: argparse.Namespace) -> int:
    checks.user_ids("user_id", options.user_id)  # before anybody is asked
    if not options.yes and not _agreed(options.user_id):
        return 2
    change = WeComClient().members.delete(*options.user_id)
    return print_change(change, f"deleted: {_count(options, change)}", as_json=options.json)


def _agreed(user_ids: list[str]) -> bool:
    question = f"Delete {len(user_ids)} members with their mailboxes: {', '.join(user_ids)}?"
    return agreed(question, "nothing is deleted", what="delete members")


def run_invite(options: argparse.Namespace) -> int:
    change = WeComClient().members.invite(users=options.user_id)
    return print_change(change, f"invited: {_count(options, change)}", as_json=options.json)


def _count(options: argparse.Namespace, change: Change) -> int:
    """How many it was done for."""
    return len(dict.fromkeys(options.user_id)) - len(change.invalid_users)
