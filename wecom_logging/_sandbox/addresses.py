"""WeCom's own addresses, and the ids of WeChat: calls that tools make once, to see that the way is open.

Pages: getcallbackip https://developer.work.weixin.qq.com/document/path/90930, get_api_domain_ip /92520,
convert_to_openid /90202,
openuserid_to_userid /101521.
"""

from __future__ import annotations

import hashlib
from typing import Any

from werkzeug.wrappers import Request

from .access import Access
from .aibot.state import all_open
from .corp import Corp
from .fields import parse
from .profile import check_user_id
from .refusal import Refusal

IP_LIST = ["127.0.0.1"]
MAX_OPEN_IDS = 1000

Answer = dict[str, Any]


class Addresses:
    def __init__(self, corp: Corp, access: Access) -> None:
        self._corp = corp
        self._access = access

    def list(self, request: Request) -> Answer:
        """Nothing calls back from the sandbox, and it is reached on this machine."""
        self._access.grant(request)
        return {"ip_list": IP_LIST}

    def openid(self, request: Request) -> Answer:
        """The same member has always the same; a made-up one."""
        _, sight = self._access.reader(request)
        member = self._corp.directory.member(check_user_id(parse(request).text("userid")))
        if member is None or not sight.sees_member(member):
            raise Refusal(60111)
        return {"openid": "o" + hashlib.sha256(member.key.encode()).hexdigest()[:27]}

    def userid(self, request: Request) -> Answer:
        self._access.reader(request)
        wanted = parse(request).text("openid")
        for member in self._corp.directory.members.values():
            if "o" + hashlib.sha256(member.key.encode()).hexdigest()[:27] == wanted:
                return {"userid": member.user_id}
        raise Refusal(43004)

    def open_userids(self, request: Request) -> Answer:
        """The members behind the AI bot's encrypted ids, as far as the app sees them; plain ids are invalid here."""
        _, sight = self._access.reader(request)
        ids = parse(request).texts("open_userid_list")
        if not 1 <= len(ids) <= MAX_OPEN_IDS:
            raise Refusal(40032)
        found: list[dict[str, str]] = []
        members = all_open(self._corp.directory)
        for id in ids:
            member = self._corp.directory.member(members.get(id, ""))
            if member and sight.sees_member(member):
                found.append({"userid": member.user_id, "open_userid": id})
        known = {one["open_userid"] for one in found}
        return {"userid_list": found, "invalid_open_userid_list": [id for id in ids if id not in known]}
