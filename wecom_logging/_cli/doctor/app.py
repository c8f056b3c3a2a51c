"""An app, as WeCom sees it: its secret, its agent_id, whether it is enabled, from where it may call, whom it sees."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ..._wecom import WeComClient
from ..._wecom.access import Access
from ..._wecom.directory import MAX_BYTES, Departments, Tags
from ...errors import APIError, MessageError, WeComError
from .findings import Words
from .notes import Notes
from .words import cause_of, cause_of_errcode, remedy_of, remedy_of_errcode, remedy_of_field

MAX_SHOWN = 10
_CONTACTS_SECRET_GIVEN = 48002
_NOT_TRUSTED = 60020
_OUT_OF_RANGE = 60011
_SWITCHED_OFF = 50003
_USED_UP = (40014, 42001)
_FOR_ALL_SECRETS = (40013, 41002, 45009, 301007)
"""The company is wrong, or this address is banned: another secret would be answered alike."""
_OTHER_APP = (40056, 301002)


def look_at_app(notes: Notes, client: WeComClient, ip: str) -> None:
    """``ip`` is the address that WeCom saw, if it is known."""
    if notes.blocked_by:
        _skip(notes, "token", "app", "trusted_ip", "visible_range")
        return
    try:
        answer = client.call("agent/get", query={"agentid": str(client.agent_id)}, max_bytes=MAX_BYTES)
    except WeComError as error:
        _note_refusal(notes, error, ip)
    else:
        notes.good("token", _TOKEN_GIVEN)
        _note_app(notes, answer)
        notes.good("trusted_ip", Words(f"WeCom takes calls from {ip or 'here'}", f"允许从 {ip or '本机'} 调用"))
        if not notes.skipped("visible_range"):
            _note_range(notes, client, answer)
    if client.contacts_secret is not None:
        _look_at_contacts(notes, client)


_TOKEN_GIVEN = Words("WeCom gave one for corp_id and secret", "corp_id 与 secret 有效，已取得访问令牌")


def _skip(notes: Notes, *checks: str) -> None:
    for check in checks:
        notes.skipped(check)


def _note_refusal(notes: Notes, error: WeComError, ip: str) -> None:
    errcode = error.errcode if isinstance(error, APIError) else 0
    if not isinstance(error, APIError) or error.path == "gettoken" or errcode in _USED_UP:
        notes.refused("token", error)
        notes.blocked_by = "token"
        notes.down = notes.down or errcode in _FOR_ALL_SECRETS
        _skip(notes, "app", "trusted_ip", "visible_range")
        return
    notes.good("token", _TOKEN_GIVEN)
    if errcode == _NOT_TRUSTED:
        notes.refused("trusted_ip", error, error.ip or ip)
        notes.blocked_by = "trusted_ip"
        _skip(notes, "app", "visible_range")
        return
    if errcode == _CONTACTS_SECRET_GIVEN:
        notes.bad("app", _WRONG_KIND, _RIGHT_KIND, errcode=errcode)
    else:
        notes.refused("app", error)
    notes.blocked_by = "app"
    _skip(notes, "trusted_ip", "visible_range")
    if errcode in _OTHER_APP:
        notes.blocked_by = ""  # the token is good: recipients can be looked up with it


_WRONG_KIND = Words(
    "secret is that of the contacts sync, not that of an app: it may not send messages",
    "secret 填成了通讯录同步的 Secret，而不是应用的 Secret：它不能发送消息",
)
_RIGHT_KIND = Words(
    "Set secret (WECOM_SECRET) to the Secret of the app (管理后台 → 应用管理 → 自建 → the app → Secret); the one of "
    "通讯录同步 belongs into contacts_secret (WECOM_CONTACTS_SECRET).",
    "请把 secret（WECOM_SECRET）改为应用的 Secret（管理后台 → 应用管理 → 自建 → 对应应用 → Secret）；"
    "通讯录同步的 Secret 应填在 contacts_secret（WECOM_CONTACTS_SECRET）。",
)


def _note_app(notes: Notes, answer: dict[str, Any]) -> None:
    name = str(answer.get("name") or answer.get("agentid") or "")
    if answer.get("close") == 1:
        notes.bad(
            "app",
            cause_of_errcode(_SWITCHED_OFF),
            remedy_of_errcode(_SWITCHED_OFF),
            subject=name,
        )
        notes.blocked_by = "app"
    else:
        notes.good("app", Words("it is enabled, and agent_id is its own", "已启用，AgentId 与 Secret 匹配"), name)


def _note_range(notes: Notes, client: WeComClient, answer: dict[str, Any]) -> None:
    users = [str(item.get("userid")) for item in _items(answer, "allow_userinfos", "user") if isinstance(item, dict)]
    departments = [str(id) for id in _items(answer, "allow_partys", "partyid")]
    tags = [str(id) for id in _items(answer, "allow_tags", "tagid")]
    if not (users or departments or tags):
        notes.bad("visible_range", _EMPTY, remedy_of_errcode(_OUT_OF_RANGE))
        notes.blocked_by = "visible_range"
        return
    departments = _named(departments, lambda: _department_names(client, departments))
    tags = _named(tags, lambda: {str(tag.id): tag.name for tag in Tags(client, Access.APP).list()})
    parts = [(len(users), "members", "成员", users), (len(departments), "departments", "部门", departments)]
    parts.append((len(tags), "tags", "标签", tags))
    notes.good(
        "visible_range",
        Words(
            "; ".join(f"{en}: {_some(items)}" for count, en, _, items in parts if count),
            "；".join(f"{zh}：{_some(items, '、')}" for count, _, zh, items in parts if count),
        ),
    )


_EMPTY = Words("nobody is in it, so nobody can get a message", "可见范围为空，任何人都收不到消息")


def _items(answer: dict[str, Any], name: str, inner: str) -> list[Any]:
    found = answer.get(name)
    items = found.get(inner) if isinstance(found, dict) else None
    return items if isinstance(items, list) else []


def _department_names(client: WeComClient, ids: Iterable[str]) -> dict[str, str]:
    departments = Departments(client, Access.APP)
    return {id: departments.get(id).name for id in list(ids)[:MAX_SHOWN]}


def _named(ids: list[str], names: Callable[[], dict[str, str]]) -> list[str]:
    """With their names, where WeCom tells them; the ids alone say enough."""
    try:
        found = names() if ids else {}
    except (WeComError, MessageError):  # or what WeCom told is no id
        found = {}
    return [f"{found[id]} ({id})" if found.get(id) else id for id in ids]


def _some(items: list[str], comma: str = ", ") -> str:
    shown = comma.join(items[:MAX_SHOWN])
    return f"{shown}{comma}… ({len(items)})" if len(items) > MAX_SHOWN else shown


def _look_at_contacts(notes: Notes, client: WeComClient) -> None:
    if (notes.down or notes.blocked_by == "trusted_ip") and notes.skipped("contacts"):
        return  # the answer would be the same
    try:
        client.call("user/list_id", {"limit": 1}, access=Access.CONTACTS)
    except APIError as error:
        if error.errcode == _CONTACTS_SECRET_GIVEN:
            notes.bad("contacts", _AN_APPS, remedy_of_field("contacts_secret"), errcode=error.errcode)
        else:
            notes.bad("contacts", cause_of(error), _contacts_remedy(error), errcode=error.errcode)
    except WeComError as error:
        notes.refused("contacts", error)
    else:
        notes.good("contacts", Words("contacts_secret is that of the contacts sync", "contacts_secret 有效"))


_AN_APPS = Words(
    "contacts_secret is that of an app, not that of the contacts sync",
    "contacts_secret 填成了应用的 Secret，而不是通讯录同步的 Secret",
)


def _contacts_remedy(error: APIError) -> Words:
    """The table's remedy for a wrong secret speaks of the app's."""
    return remedy_of_field("contacts_secret") if error.path == "gettoken" else remedy_of(error)
