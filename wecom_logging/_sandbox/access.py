"""Who calls, and what that opens: an app's token or that of contacts-sync, from a trusted address or not.

https://developer.work.weixin.qq.com/document/path/90193: writing the directory is for contacts-sync alone, messages
are for apps alone; the other kind of token gets 48002.
"""

from __future__ import annotations

from werkzeug.wrappers import Request

from .corp import Corp
from .refusal import Refusal, refuse_if
from .tokens import Grant
from .visibility import WHOLE, Sight


class Access:
    def __init__(self, corp: Corp) -> None:
        self._corp = corp

    def grant(self, request: Request, *, even_disabled: bool = False) -> Grant:
        """Any token. A disabled app's tokens open nothing more (50003), but for the call that tells that it is."""
        grant = self._corp.tokens.check(request.args.get("access_token", ""))
        self._corp.restrictions.check_address(request.remote_addr or "")
        refuse_if(grant.agent_id in self._corp.disabled and not even_disabled, 50003)
        return grant

    def app(self, request: Request, *, even_disabled: bool = False) -> int:
        """The agent id behind the token."""
        grant = self.grant(request, even_disabled=even_disabled)
        if grant.agent_id is None:
            raise Refusal(48002)
        return grant.agent_id

    def contacts(self, request: Request) -> None:
        """Contacts-sync, or 48002."""
        refuse_if(self.grant(request).agent_id is not None, 48002)

    def reader(self, request: Request, *, details: bool = False) -> tuple[Grant, Sight]:
        """Either; ``details`` are what contacts-sync may be barred from."""
        grant = self.grant(request)
        if details and grant.agent_id is None:
            self._corp.restrictions.check_details()
        return grant, self.sight(grant.agent_id)

    def sight(self, agent_id: int | None) -> Sight:
        visible = WHOLE if agent_id is None else self._corp.ranges[agent_id]
        return Sight(self._corp.directory, visible)
