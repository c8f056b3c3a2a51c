"""Where the value of each option comes from: the same order in which the handlers look, with secrets masked."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from ... import _config as config
from ..._config.duty import quiet_of
from ..._config.options import Option, all_options
from ...errors import ConfigurationError
from ...model import Secret
from ..environment import Channel
from .findings import Setting

WRONG = "?"
_BETWEEN = ", "
_RECIPIENTS = ("users", "departments", "tags", "leader_of")
_CHECKS: Mapping[str, Callable[[object], object]] = {
    "corp_id": config.corp_id,
    "agent_id": config.agent_id,
    "api_base": config.api_base,
    "rate_limit": lambda value: (config.rate_limit(value, "off"), value)[1],
    "language": config.language,
    "timezone": lambda value: str(config.timezone(value)),
    "quiet_hours": lambda value: (quiet_of(value), value["when"] if isinstance(value, Mapping) else value)[1],
    "duty": lambda value: value if str(value).endswith(".toml") else WRONG,
    "enabled": config.enabled,
    "state": lambda value: _without_credentials(value) if isinstance(value, str) else type(value).__name__,
    **{name: partial(config.ids, name) for name in _RECIPIENTS},
    "bot_id": config.aibot_id,
    "chats": config.chats,
    "answerers": lambda value: tuple(config.answerers(value).values()),
    "url": lambda value: _host_of(config.aibot_url(value)),
}


def settings(
    handler: str, channel: Channel, options: Mapping[str, Any], places: Mapping[str, str]
) -> Iterator[Setting]:
    """One for each option that is given or has a default. ``places``: where each that is given stands."""
    for one in all_options().values():
        if one.handler not in (channel, "all") or not one.doctor:
            continue
        name, given = one.name, options.get(one.keyword)
        if channel == "aibot" and name == "api_base":
            continue
        if channel == "bot" and name == "api_base":
            bots = _shown(all_options()["webhook"], options.get("webhook")).split(_BETWEEN)
            if all(shown.startswith("http") for shown in bots):  # each is a whole URL, which keeps its own host
                continue
        if given is not None:
            source, place = _pointed(one, given) or ("configuration", places.get(one.keyword, ""))
            yield Setting(handler, name, _shown(one, given), source, place)
        elif found := _from_environment(one, options):
            yield Setting(handler, name, _shown(one, None), *found)
        elif one.doctor == "default":
            yield Setting(handler, name, str(one.value), "default", "")
        elif one.doctor == "needed":
            yield Setting(handler, name, "", "missing", one.variable)


def _pointed(option: Option, value: object) -> tuple[str, str] | None:
    """Where a secret's value says that it is."""
    if not option.secret or not isinstance(value, str):
        return None
    kind, _, where = value.partition(":")
    try:
        config.webhook_entries(value) if option.name == "webhook" else config.secret(option.name, value)
    except ConfigurationError:
        return None  # what stands there may be the secret itself
    return {"env": ("environment", where), "file": ("file", where)}.get(kind)


def _from_environment(option: Option, options: Mapping[str, Any]) -> tuple[str, str] | None:
    if option.name in _RECIPIENTS and any(options.get(other) is not None for other in _RECIPIENTS):
        return None
    if os.environ.get(option.variable):
        return "environment", option.variable
    variable = f"{option.variable}_FILE"
    path = os.environ.get(variable) if option.secret else None
    if not path:
        return None
    readable = _shown(option, None) != WRONG  # what stands in place of a path may be the secret itself
    return "file", f"{path} ({variable})" if readable else variable


def _shown(option: Option, value: object) -> str:
    """A value that passed its check; of a secret only how long it is."""
    try:
        if option.name == "webhook":
            return _BETWEEN.join(map(_masked_bot, config.webhook_entries(value))) or WRONG
        if option.secret:
            secret = config.secret(option.name, value, option.variable)
            return WRONG if secret is None else _masked(secret)
        if value is None:
            value = os.environ.get(option.variable)
        checked = _CHECKS[option.name](value) if option.name in _CHECKS else value
    except ConfigurationError:
        return WRONG
    return _text(checked)


def _masked(secret: Secret) -> str:
    return f"{secret} ({len(secret.reveal())} chars)"


def _masked_bot(entry: object) -> str:
    """How long its key is, and of a whole URL also where it leads."""
    secret = config.secret("webhook", entry)
    base, key = config.webhook(secret)
    return f"{base if secret is not None and '://' in secret.reveal() else ''} key={_masked(key)}".strip()


def _text(value: object) -> str:
    if isinstance(value, Secret):
        return repr(value)
    if isinstance(value, str | int | float):
        return str(value)
    if isinstance(value, list | tuple) and all(isinstance(item, str | int) for item in value):
        return ", ".join(map(str, value))
    return f"({len(value)})" if isinstance(value, list | tuple) else type(value).__name__


def _host_of(url: str) -> str:
    """Where it leads; a path and a query may have a secret."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{'/…' if parts.path.strip('/') or parts.query or parts.fragment else ''}"


def _without_credentials(url: str) -> str:
    """A path, or else the scheme, is enough to see which state is meant."""
    scheme, found, rest = url.partition("://")
    if scheme == "sqlite":
        return f"sqlite://{config.state(url).at}"
    return WRONG if not found else f"{scheme}://{'…' if rest else ''}"
