"""user/…, what is read: one member, a department's members, and the ids of all, page by page.

Pages: get https://developer.work.weixin.qq.com/document/path/90196, simplelist /90200, list /90201, list_id /96067. A
department that is not there is 60123; a member or a department out of the app's range is 60011. The lists hold a
department's own members only: the page tells to walk down the tree oneself.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from itertools import islice
from typing import Any

from werkzeug.wrappers import Request

from .access import Access
from .corp import Corp
from .directory import Member
from .fields import Fields, in_address, parse
from .profile import check_user_id
from .refusal import Refusal
from .snapshots import in_order, member_json
from .visibility import Sight

MAX_PAGE = 10_000

Answer = dict[str, Any]
Place = tuple[int, int]
"""A row of ``user/list_id``: the member's number, and the how-manieth of its departments."""


class Roster:
    def __init__(self, corp: Corp, access: Access) -> None:
        self._directory = corp.directory
        self._access = access

    def get(self, request: Request) -> Answer:
        grant, sight = self._access.reader(request, details=True)
        member = self._directory.member(check_user_id(request.args.get("userid", "")))
        if member is None:
            raise Refusal(60111)
        if not sight.sees_member(member):
            raise Refusal(60011)
        return member_json(self._directory, member, sight, secret=grant.agent_id is None)

    def list_names(self, request: Request) -> Answer:
        _, sight = self._access.reader(request, details=True)
        return {"userlist": [_short(member, sight) for member in self._people(request, sight)]}

    def list_details(self, request: Request) -> Answer:
        grant, sight = self._access.reader(request, details=True)
        secret = grant.agent_id is None
        people = self._people(request, sight)
        return {"userlist": [member_json(self._directory, member, sight, secret=secret) for member in people]}

    def list_id(self, request: Request) -> Answer:
        """For contacts-sync alone. ``next_cursor`` is empty on the last page."""
        self._access.contacts(request)
        body = parse(request)
        limit = body.number("limit", MAX_PAGE)
        if not 1 <= limit <= MAX_PAGE:
            raise body.wrong("limit", f"must be from 1 to {MAX_PAGE}")
        rows = list(islice(self._rows(_read_cursor(body)), limit + 1))
        more = len(rows) > limit
        page = [{"userid": member.user_id, "department": member.departments[i]} for member, i in rows[:limit]]
        member, i = rows[limit - 1] if more else (None, 0)
        return {"next_cursor": _cursor((member.number, i)) if member else "", "dept_user": page}

    def _people(self, request: Request, sight: Sight) -> list[Member]:
        id = in_address(request, "department_id")
        if id not in self._directory.departments:
            raise Refusal(60123)
        if not sight.sees_department(id):
            raise Refusal(60011)
        return in_order(self._directory, self._directory.people(id))

    def _rows(self, after: Place) -> Iterator[tuple[Member, int]]:
        number, index = after
        for member in self._directory.members_after(number - 1):
            first = index + 1 if member.number == number else 0
            for i in range(first, len(member.departments)):
                yield member, i


def _short(member: Member, sight: Sight) -> Answer:
    departments = [id for id in member.departments if sight.sees_department(id)]
    return {"userid": member.user_id, "name": member.name, "department": departments}


def _cursor(place: Place) -> str:
    return base64.urlsafe_b64encode(f"{place[0]}.{place[1]}".encode()).decode()


def _read_cursor(body: Fields) -> Place:
    text = body.text("cursor")
    if not text:
        return 0, -1
    try:
        number, index = base64.b64decode(text, altchars=b"-_", validate=True).decode().split(".")
        return int(number), int(index)
    except (ValueError, binascii.Error):
        raise body.wrong("cursor", "is not one that WeCom gave") from None
