"""agent/… and menu/…: what an app says of itself, and its menu.

Pages: get https://developer.work.weixin.qq.com/document/path/90227 (list too), set /90228, menu/create /90231,
menu/get /90232, menu/delete /90233.
"""

from __future__ import annotations

from typing import Any

from werkzeug.wrappers import Request

from .access import Access
from .corp import Corp
from .fields import Fields, parse
from .media import APPS
from .refusal import Refusal, known, refuse_if

NAME_CHARS = 32
DESCRIPTION_CHARS = range(4, 121)
MAX_BUTTONS = 3
MAX_BELOW = 5
MENU_BYTES = 64 * 1024
TEXT_CHARS = 2048

Answer = dict[str, Any]


class Agents:
    def __init__(self, corp: Corp, access: Access) -> None:
        self._corp = corp
        self._access = access
        self._profiles: dict[int, Answer] = {}
        self._menus: dict[int, list[Any]] = {}

    def get(self, request: Request) -> Answer:
        """The one call that a disabled app's token still opens: ``close`` is there to tell that."""
        agent_id = self._access.app(request, even_disabled=True)
        self._corp.check_agent(_named(request), agent_id)
        closed = int(agent_id in self._corp.disabled)
        return {**self._profile(agent_id), "close": closed, **self._corp.ranges[agent_id].as_json()}

    def list(self, request: Request) -> Answer:
        """The token's own app."""
        profile = self._profile(self._access.app(request))
        return {"agentlist": [{name: profile[name] for name in ("agentid", "name", "square_logo_url")}]}

    def set(self, request: Request) -> Answer:
        """What is absent stays as it is."""
        agent_id = self._access.app(request)
        body = parse(request)
        self._corp.check_agent(body, agent_id)
        changed: Answer = {}
        if body.has("name"):
            changed["name"] = _sized(body, "name", range(1, NAME_CHARS + 1))
        if body.has("description"):
            changed["description"] = _sized(body, "description", DESCRIPTION_CHARS)
        for name in ("redirect_domain", "home_url"):
            if body.has(name):
                changed[name] = _sized(body, name, range(TEXT_CHARS + 1))
        for name in ("report_location_flag", "isreportenter"):
            if body.has(name):
                changed[name] = body.number(name)
        if body.text("logo_mediaid"):
            self._corp.media.find(body.text("logo_mediaid"), "image", APPS)
        self._profiles[agent_id] = {**self._profile(agent_id), **changed}
        return {}

    def create_menu(self, request: Request) -> Answer:
        agent_id = self._asked(request)
        refuse_if((request.content_length or 0) > MENU_BYTES, 40206)
        buttons = parse(request).parts("button")
        if not 1 <= len(buttons) <= MAX_BUTTONS:
            raise Refusal(40058, f"field `button` expect array size in [1, {MAX_BUTTONS}]")
        for button in buttons:
            below = button.parts("sub_button")
            refuse_if(len(below) > MAX_BELOW, 40023)
            for one in below or [button]:
                refuse_if(not button.text("name") or not one.text("name") or not one.text("type"), 40063)
        self._menus[agent_id] = [dict(button.values) for button in buttons]
        return {}

    def get_menu(self, request: Request) -> Answer:
        return {"button": known(self._menus.get(self._asked(request)), 46003)}

    def delete_menu(self, request: Request) -> Answer:
        self._menus.pop(self._asked(request), None)
        return {}

    def _asked(self, request: Request) -> int:
        agent_id = self._access.app(request)
        self._corp.check_agent(_named(request), agent_id)
        return agent_id

    def _profile(self, agent_id: int) -> Answer:
        usual = {
            "agentid": agent_id,
            "name": "沙箱应用",
            "square_logo_url": "",
            "description": "",
            "redirect_domain": "",
            "report_location_flag": 0,
            "isreportenter": 0,
            "home_url": "",
        }
        return self._profiles.get(agent_id, usual)


def _named(request: Request) -> Fields:
    """The agent id of the URL, as a field."""
    return Fields({"agentid": request.args.get("agentid") or None})


def _sized(body: Fields, name: str, chars: range) -> str:
    value = body.text(name)
    body.refuse_if(len(value) not in chars, name, f"must have {chars[0]} to {chars[-1]} characters")
    return value
