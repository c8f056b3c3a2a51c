"""Who calls, and what that opens: an app's token or that of contacts-sync, from a trusted address or not.

https://developer.work.weixin.qq.com/document/path/90193: writing the directory is for contacts-sync alone, messages
are for apps alone; the other kind of token gets 48002.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from werkzeug.wrappers import Request

from .corp import Corp
from .fields import NO_NUMBER, Fields, parse
from .refusal import known, refuse_if
from .visibility import WHOLE, Sight

Answer = dict[str, Any]
DIGITS = re.compile(r"[0-9]{1,10}")


@dataclass
class Asked:
    """A request for one of WeCom's calls, and whose token it has; without an agent id that of contacts-sync."""

    corp: Corp
    request: Request
    agent_id: int | None = None

    @property
    def app(self) -> int:
        """The agent id; 48002 for contacts-sync."""
        return known(self.agent_id, 48002)

    @cached_property
    def sight(self) -> Sight:
        visible = WHOLE if self.agent_id is None else self.corp.ranges[self.agent_id]
        return Sight(self.corp.directory, visible)

    @cached_property
    def body(self) -> Fields:
        return parse(self.request)

    def text(self, name: str) -> str:
        """A parameter of the URL."""
        return self.request.args.get(name, "")

    def number(self, name: str) -> int | None:
        """A whole number among the parameters of the URL; None where it is absent, 40058 where it is none."""
        text = self.text(name)
        refuse_if(text and not DIGITS.fullmatch(text), 40058, f"{name} must be an integer")
        return int(text) if text else None

    def check_agent(self, body: Fields) -> None:
        """``agentid`` must be that of the token: 301002 for another app that is there, 40056 for none."""
        refuse_if(not body.has("agentid"), 41011)
        wanted = body.number("agentid", NO_NUMBER)
        refuse_if(wanted not in self.corp.ranges, 40056)
        refuse_if(wanted != self.app, 301002)


class Family:
    """Calls of one kind."""

    def __init__(self, corp: Corp) -> None:
        self._corp, self._directory = corp, corp.directory


@dataclass(frozen=True, slots=True)
class Opens:
    """Whose token a call wants; a disabled app's opens nothing more (50003), but for the call that tells that it is."""

    apps: bool = True
    contacts_sync: bool = True
    disabled_apps: bool = False
    is_detail: bool = False
    """Contacts-sync may be barred from it."""

    def __call__(self, corp: Corp, request: Request) -> Asked:
        agent_id = corp.tokens.check(request.args.get("access_token", "")).agent_id
        refuse_if(corp.trusted_ips is not None and request.remote_addr not in corp.trusted_ips, 60020)
        refuse_if(agent_id in corp.disabled and not self.disabled_apps, 50003)
        refuse_if(not (self.contacts_sync if agent_id is None else self.apps), 48002)
        refuse_if(self.is_detail and agent_id is None and not corp.contacts_details, 48009)
        return Asked(corp, request, agent_id)


anybody = Asked
"""No token is asked for."""
any_token, details = Opens(), Opens(is_detail=True)
any_app, disabled_too = Opens(contacts_sync=False), Opens(contacts_sync=False, disabled_apps=True)
contacts_sync = Opens(apps=False)
