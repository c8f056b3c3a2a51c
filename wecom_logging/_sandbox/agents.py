"""agent/… and menu/…: what an app says of itself, and its menu.

Pages: get https://developer.work.weixin.qq.com/document/path/90227 (list too), set /90228, menu/create /90231,
menu/get /90232, menu/delete /90233.
"""

from __future__ import annotations

from typing import Any

from .access import Answer, Asked
from .corp import Corp
from .fields import Fields
from .media import APPS
from .refusal import known, refuse_if

CHARS = {"name": range(1, 33), "description": range(4, 121), "redirect_domain": range(2049), "home_url": range(2049)}
MAX_BUTTONS = 3
MAX_BELOW = 5
MENU_BYTES = 64 * 1024


class Agents:
    def __init__(self, corp: Corp) -> None:
        self._corp = corp
        self._profiles: dict[int, Answer] = {}
        self._menus: dict[int, list[Any]] = {}

    def get(self, asked: Asked) -> Answer:
        """The one call that a disabled app's token still opens: ``close`` is there to tell that."""
        agent_id = _named(asked)
        closed = int(agent_id in self._corp.disabled)
        return {**self._profile(agent_id), "close": closed, **self._corp.ranges[agent_id].as_json()}

    def list(self, asked: Asked) -> Answer:
        """The token's own app."""
        profile = self._profile(asked.app)
        return {"agentlist": [{name: profile[name] for name in ("agentid", "name", "square_logo_url")}]}

    def set(self, asked: Asked) -> Answer:
        """What is absent stays as it is."""
        agent_id, body = asked.app, asked.body
        asked.check_agent(body)
        changed: Answer = {name: _sized(body, name, chars) for name, chars in CHARS.items() if body.has(name)}
        changed |= {name: body.number(name) for name in ("report_location_flag", "isreportenter") if body.has(name)}
        if body.text("logo_mediaid"):
            self._corp.media.find(body.text("logo_mediaid"), "image", APPS)
        self._profiles[agent_id] = {**self._profile(agent_id), **changed}
        return {}

    def create_menu(self, asked: Asked) -> Answer:
        agent_id = _named(asked)
        refuse_if((asked.request.content_length or 0) > MENU_BYTES, 40206)
        buttons = asked.body.parts("button")
        refuse_if(
            not 1 <= len(buttons) <= MAX_BUTTONS, 40058, f"field `button` expect array size in [1, {MAX_BUTTONS}]"
        )
        for button in buttons:
            below = button.parts("sub_button")
            refuse_if(len(below) > MAX_BELOW, 40023)
            for one in below or [button]:
                refuse_if(not button.text("name") or not one.text("name") or not one.text("type"), 40063)
        self._menus[agent_id] = [dict(button.values) for button in buttons]
        return {}

    def get_menu(self, asked: Asked) -> Answer:
        return {"button": known(self._menus.get(_named(asked)), 46003)}

    def delete_menu(self, asked: Asked) -> Answer:
        self._menus.pop(_named(asked), None)
        return {}

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


def _named(asked: Asked) -> int:
    """The agent id of the URL, which must be the caller's own."""
    asked.check_agent(Fields({"agentid": asked.text("agentid") or None}))
    return asked.app


def _sized(body: Fields, name: str, chars: range) -> str:
    value = body.text(name)
    body.refuse_if(len(value) not in chars, name, f"must have {chars[0]} to {chars[-1]} characters")
    return value
