"""The handlers that a program would have: from the environment, the command line, or a logging config file."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from ... import _config as config
from ..._state.shared import Alone
from ...errors import ConfigurationError
from ...handlers import AlertHandler
from ..environment import HANDLERS, Channel, channels, names_a_password
from ..printing import refuse
from .logging_file import Entry, entries, is_ours
from .recipients import KINDS

OPTIONS = ("corp_id", "agent_id", "users", "departments", "tags", "api_base", "state")
"""What may be said on the command line in place of the environment: nothing of it is secret."""

_TAKEN: Mapping[Channel, Sequence[str]] = {"app": OPTIONS, "bot": ("api_base", "state"), "aibot": ("state",)}

Places = Mapping[str, tuple[str, str]]
"""For options that were given: source and place of a `Setting`."""


@dataclass(frozen=True, slots=True)
class Target:
    """A handler as the program would build it, and what is wrong with it. ``options`` are as they reach our class."""

    name: str
    channel: Channel
    options: Mapping[str, Any]
    places: Places
    errors: tuple[ConfigurationError, ...]
    used: bool = True
    enabled: bool = True

    def lacks(self, *fields: str) -> bool:
        """Whether one of these options is wrong."""
        return any(error.field.split("[")[0] in fields for error in self.errors)


def refuse_misuse(options: argparse.Namespace) -> None:
    """Of --state and --handler, as all who look at targets have them."""
    if names_a_password(options.state):
        refuse("store.password", 2)
    if options.config is None and options.handler is not None:
        refuse("usage.handler", 2)


def targets(options: argparse.Namespace) -> list[Target]:
    """Raises `ConfigurationError` if there is nothing to look at."""
    if options.config is not None:
        return _from_file(options.config, options.handler)
    return _from_environment({name: value for name in OPTIONS if (value := getattr(options, name)) is not None})


def _from_environment(given: Mapping[str, str]) -> list[Target]:
    places = {name: ("option", f"--{name.replace('_', '-')}") for name in given}
    app: tuple[Channel, ...] = ("app",) if given.keys() & {"corp_id", "agent_id"} else ()
    found = []
    for name in channels(*app, remedy="Or give --config FILE: a logging config"):
        ours = {option: value for option, value in given.items() if option in _TAKEN[name]}
        found.append(_target(name, HANDLERS[name], ours, places))
    return found


def _from_file(path: str, wanted: str | None) -> list[Target]:
    everything = entries(path)
    chosen = [entry for entry in everything if entry.name == wanted] if wanted is not None else everything
    if not chosen:
        there = ", ".join(entry.name for entry in everything)
        raise ConfigurationError("handler", "no_such_handler", name=wanted, path=path, names=there)
    names = {entry.name for entry in everything}
    found = [_from_entry(path, entry, names) for entry in chosen if is_ours(entry.made_by) or entry.error is not None]
    if not found:
        shown = f" {wanted!r}" if wanted is not None else ""
        raise ConfigurationError("handler", "not_our_handler", name=shown, path=path)
    return found


def _from_entry(path: str, entry: Entry, names: Container[str]) -> Target:
    if not is_ours(entry.made_by):
        assert entry.error is not None
        return Target(entry.name, "app", {}, {}, (entry.error,))
    given = dict(entry.options or {})
    places = {name: ("configuration", f"{path}: handlers.{entry.name}.{name}") for name in given}
    errors = [entry.error] if entry.error is not None else []
    if isinstance(fallback := given.get("fallback"), str) and fallback not in names:
        errors.append(ConfigurationError("fallback", "not_in_file"))
    try:
        if entry.level is not None:  # as logging, which takes no other kind of number
            config.level("level", entry.level if isinstance(entry.level, int | str) else "")
    except ConfigurationError as error:
        errors.append(error)
    assert isinstance(entry.made_by, type)
    return _target(entry.name, entry.made_by, given, places, errors, used=entry.used)


def _target(
    name: str,
    kind: type[AlertHandler],
    given: Mapping[str, Any],
    places: Places,
    errors: Sequence[ConfigurationError] = (),
    *,
    used: bool = True,
) -> Target:
    channel: Channel = next((name for name, one in HANDLERS.items() if issubclass(kind, one)), "app")
    options, refusal = _built(kind, HANDLERS[channel], given)
    if options.keys() - given.keys():  # a class of the user's own sets some itself
        own = ("configuration", f"class {kind.__module__}.{kind.__qualname__}")
        places = {**dict.fromkeys(options, own), **places}
    found = {error.field: error for error in errors}
    if not _is_disabled(options):
        for error in (*_problems(channel, options), *([refusal] if refusal is not None else [])):
            if not {*error.field.split(", ")} <= found.keys():  # what names several, each of which is said
                found[error.field] = error
    return Target(name, channel, options, places, tuple(found.values()), used, not _is_disabled(options))


def unopened(state: object) -> object:
    """In the place of a state: it is known that there is one, and none is opened."""
    try:
        return "memory://" if config.state(state).scheme == "memory" else Alone()
    except ConfigurationError:
        return state


def _built(
    kind: type[AlertHandler], base: Any, given: Mapping[str, Any]
) -> tuple[Mapping[str, Any], ConfigurationError | None]:
    """Build a handler and close it: the options as they came to our class through the user's own, and its refusal."""
    seen: dict[str, Any] = dict(given)

    def look(self: AlertHandler, **options: Any) -> None:
        seen.clear()
        seen.update(options)
        # Without its state: it would send what others have left there. On, so that it says what is missing.
        on = {} if _is_disabled(options) else {"enabled": True}
        base.__init__(self, **{**options, "state": unopened(options.get("state")), **on})

    looking = type(base.__name__, (base,), {"__init__": look})
    # Between the user's class and ours in the order of super(), so that it sees what ours would get.
    made = looking if kind is base else type(kind.__name__, (kind, looking), {})
    try:
        handler: AlertHandler = made(**given)
        handler.close()
    except ConfigurationError as error:
        return seen, error
    except Exception as error:  # of the user's own class, or a wrong keyword for it
        return seen, ConfigurationError("class", "not_built", error=type(error).__name__)
    return seen, None


def _is_disabled(options: Mapping[str, Any]) -> bool:
    try:
        return config.enabled(options.get("enabled")) is False  # where nothing says it, what is missing is said
    except ConfigurationError:  # said where the options are checked
        return False


_CHECKS: Mapping[Channel, Mapping[str, Callable[[Any], object]]] = {
    "bot": {"webhook": config.webhooks},
    "aibot": {
        "bot_id": config.aibot_id,
        "secret": config.aibot_secret,
        "chats": config.chats,
        "answerers": config.answerers,
        "url": config.aibot_url,
    },
    "app": {
        "corp_id": config.corp_id,
        "agent_id": config.agent_id,
        "secret": config.app_secret,
        "contacts_secret": config.contacts_secret,
        "routes": config.routes,
    },
}
_CHECKS_OF_ALL = {
    "state": config.state, "api_base": config.api_base, "enabled": config.enabled, "language": config.language,
    "timezone": config.timezone,
}  # fmt: skip


def _problems(channel: Channel, options: Mapping[str, Any]) -> Iterator[ConfigurationError]:
    """All that is wrong; building the handler tells the first only."""
    checks: list[Callable[[], object]]
    checks = [partial(check, options.get(name)) for name, check in {**_CHECKS_OF_ALL, **_CHECKS[channel]}.items()]
    if channel == "app":
        checks.insert(-1, partial(config.recipients, *map(options.get, KINDS)))
    for check in checks:
        try:
            check()
        except ConfigurationError as error:
            yield error
