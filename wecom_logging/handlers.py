"""`WeComHandler` and `WeComBotHandler`: the logging face. A record goes in, the pipeline does the rest."""

from __future__ import annotations

import difflib
import inspect
import logging
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypedDict, Unpack

from . import config
from .capture.snapshot import Origin
from .delivery.compose import Composer
from .delivery.fallback import Find, Target
from .delivery.options import Options
from .delivery.pipeline import Pipeline
from .errors import ConfigurationError
from .formatters import MarkdownFormatter, TextFormatter
from .model import DeliveryReport, IncidentView, Route, Secret, Stats
from .render.redact import redact as builtin_redact
from .render.redact import redactor
from .runtime.counters import Books
from .runtime.warn import complain
from .state.shared import Shared, alone, redis_state, sqlite_state
from .wecom.bot import bots
from .wecom.channels import AppChannel, BotChannel, Channel
from .wecom.client import WeComClient

Ids = str | int | Iterable[str | int]

_live: weakref.WeakValueDictionary[int, AlertHandler] = weakref.WeakValueDictionary()
_named: dict[str, AlertHandler] = {}
"""Logging remembers handlers weakly: one of a logging config that no logger has, such as a fallback, would be gone."""


def handler_named(name: str) -> logging.Handler | None:
    """The handler of this name in the logging config, if there is one."""
    found: logging.Handler | None = logging._handlers.get(name)  # type: ignore[attr-defined] # getHandlerByName: 3.12
    return found


def live_handlers() -> list[AlertHandler]:
    """Every handler of ours that is not closed; in one step, while other threads may make and close some."""
    return [handler for reference in _live.valuerefs() if (handler := reference()) is not None]


class CommonOptions(TypedDict, total=False):
    """What both handlers take, all as keywords.

    ``level``: from which level on (NOTSET). ``service``, ``environment``: said in the first line. ``window``: seconds
    for which repeats are gathered (60; 1 to 86 400). ``fingerprint``: ``fingerprint(record) -> str``, what makes two
    records the same. ``state``: what processes share, such as ``"sqlite:///path/to/alerts.db"``, or ``"memory://"``,
    nothing (WECOM_STATE). ``rate_limit``: such as ``"20/minute"``, or None for no limit (WECOM_RATE_LIMIT).
    ``timeout``: seconds for one request in all (10). ``exit_timeout``: seconds that the program's exit may take (5).
    ``max_pending``, ``max_pending_bytes``: how much may wait in memory (10 000 alerts, 16 MiB). ``overflow``: long
    texts are cut (``"trim"``), sent in at most ten parts (``"split"``), or as a file (``"file"``). ``link``: a URL
    with ``{fingerprint}``, ``{service}``, ``{time}``. ``redact``: ``redact(text) -> str``, or False. ``fallback``:
    another handler, or its name in the logging config, which gets what WeCom refuses for good. ``on_outcome``:
    ``on_outcome(report)`` gets a `DeliveryReport` for each round of a message, in the worker's thread. ``enabled``:
    False (``WECOM_ENABLED=0``) sends nothing and needs nothing else, and so does ``"auto"`` where no credential is
    given and no variable WECOM_… is set. ``api_base``: scheme and host (WECOM_API_BASE).
    """

    level: int | str
    service: str | None
    environment: str | None
    window: float
    fingerprint: Callable[[logging.LogRecord], str] | None
    state: str | None
    rate_limit: str | None
    timeout: float
    exit_timeout: float
    max_pending: int
    max_pending_bytes: int
    overflow: str
    link: str | None
    redact: Callable[[str], str] | bool | None
    fallback: logging.Handler | str | None
    on_outcome: Callable[[DeliveryReport], object] | None
    enabled: bool | Literal["auto"] | None
    api_base: str | None


class AlertHandler(logging.Handler):
    """What both handlers share; see `WeComHandler` and `WeComBotHandler`."""

    _pipeline: Pipeline | None = None

    def __init__(self, options: CommonOptions, door: _Door | None, default_rate_limit: str) -> None:
        level = config.level("level", options.get("level", logging.NOTSET))
        pipeline = None if door is None else _pipeline(type(self).__name__, door, options, default_rate_limit)
        super().__init__(level)  # only now: logging remembers every handler that gets here
        self._pipeline = pipeline
        self._disabled_books = Books()
        own = type(self).filter is not logging.Handler.filter or type(self).emit is not AlertHandler.emit
        self._shortcut = (
            None if own or pipeline is None else pipeline.collector
        )  # for repeats, past what a subclass may have changed
        _live[id(self)] = self
        if pipeline is not None:
            pipeline.open()

    def set_name(self, name: str | None) -> None:
        """Give it a name, under which the logging config and others find it until it is closed."""
        self._forget_name()
        super().set_name(name)  # type: ignore[arg-type] # logging itself begins with None
        if name:
            _named[name] = self

    name = property(logging.Handler.get_name, set_name)

    def _forget_name(self) -> None:
        if (name := self.get_name()) and _named.get(name) is self:
            del _named[name]

    def handle(self, record: logging.LogRecord) -> bool:
        """Filter a record and take it. Never waits, never raises an `Exception`, takes no lock.

        Where the tally of a constant text is open, this is step 2 of the journey (count), and all there is to do.
        """
        collector = self._shortcut
        if collector is None or self.filters:
            return self._handle_with_filters(record)
        try:
            created = record.created
            tally = collector.find(
                (  # as `spot_of` makes it
                    record.lineno,
                    record.levelno,
                    record.name,
                    record.pathname,
                    record.process,
                    record.exc_info,
                    record.exc_text,
                )
            )
            if tally is None or tally.constant is not record.msg or hasattr(record, "wecom"):
                collector.emit(record)
                return True
        except Exception:  # something in it has no hash, or the stack is used up
            self.emit(record)
            return True
        tally.add()
        tally.last = created
        if tally.attention:
            collector.attend(tally, record)
        return True

    def _handle_with_filters(self, record: logging.LogRecord) -> bool:
        passed: Any = True
        try:
            passed = self.filter(record)
        except Exception as error:  # a filter that fails must not hide what it was asked about
            complain("filter", f"{type(self).__name__}: a filter raised {type(error).__name__}; the record is sent")
        if passed:
            self.emit(passed if isinstance(passed, logging.LogRecord) else record)
        return passed  # type: ignore[no-any-return] # what the standard library's own handle returns

    def emit(self, record: logging.LogRecord) -> None:
        """Take a record that has passed the filters."""
        if self._pipeline is None:
            self._disabled_books.refuse("disabled")
            return
        self._pipeline.collector.emit(record)

    def flush(self, timeout: float | None = None) -> bool:  # type: ignore[override] # logging ignores what it returns
        """Wait until all that was accepted before is settled; True when it is.

        ``timeout`` is in seconds; without one it is at most ``exit_timeout``. Where the calling thread holds logging's
        own lock (``dictConfig``, ``logging.shutdown``) it returns at once.
        """
        if self._pipeline is None:
            return True
        if self._is_called_by_logging():
            return self._pipeline.flush(0.0)
        return self._pipeline.flush(timeout)

    def close(self) -> None:
        """Accept nothing more and do not wait: what was accepted is still sent, up to the program's exit."""
        if self._pipeline is not None:
            self._pipeline.close()
        _live.pop(id(self), None)
        self._forget_name()
        super().close()

    def forget_incidents(self) -> None:
        """Tell what comes from now on as if it were new, for tests."""
        if self._pipeline is not None:
            self._pipeline.forget_incidents()

    def stats(self) -> Stats:
        """The handler's books, in this process."""
        return (self._pipeline or self._disabled_books).stats()

    def incidents(self) -> list[IncidentView]:
        """What is open now, the newest first, at most 1000: with a shared state that of all who share it."""
        return [] if self._pipeline is None else self._pipeline.incidents()

    def state_is_up(self) -> bool | None:
        """Whether the shared state can be used now; None without one."""
        shared = None if self._pipeline is None else self._pipeline.options.shared
        return None if shared is None or shared is alone else shared.is_up

    def setFormatter(self, fmt: logging.Formatter | None) -> None:
        """Send text, markdown, or, with another `logging.Formatter`, what that makes of a record."""
        super().setFormatter(fmt)
        if self._pipeline is None:
            return
        ours = fmt is None or isinstance(fmt, TextFormatter | MarkdownFormatter)
        self._pipeline.collector.formatter = None if ours else fmt
        default = self._pipeline.options.composer
        markdown = default.markdown if fmt is None else isinstance(fmt, MarkdownFormatter)
        self._pipeline.composer = replace(default, markdown=markdown)

    def _is_called_by_logging(self) -> bool:
        locks = (getattr(logging, "_lock", None), self.lock)
        return any(getattr(lock, "_is_owned", bool)() for lock in locks)


@dataclass(frozen=True, slots=True)
class _Door:
    """Channels (several are the bots of one group), the looks of messages, and the secrets that must never show."""

    channels: tuple[Channel, ...]
    composer: Composer
    secrets: tuple[Secret, ...]
    routes: tuple[Route, ...] = ()
    client: WeComClient | None = None


def _pipeline(name: str, door: _Door, options: CommonOptions, default_rate_limit: str) -> Pipeline:
    """Check what both handlers have in common, and make the way from a record to a message."""
    shared = shared_state(options.get("state"))
    if door.client is not None:
        door.client.share_tokens(shared)
    overflow = config.choice("overflow", options.get("overflow", "trim"), config.OVERFLOWS)
    return Pipeline(
        door.channels,
        Options(
            name=name,
            origin=Origin(
                service=config.optional_text("service", options.get("service")),
                environment=config.optional_text("environment", options.get("environment")),
            ),
            composer=replace(door.composer, overflow=overflow, link=config.link(options.get("link"))),
            mask=redactor(_secrets(door, shared), _redact(options.get("redact"))),
            rules=config.rate_limit(options.get("rate_limit", NotImplemented), default_rate_limit),
            timeout_s=config.number("timeout", options.get("timeout", 10.0), least=0.1),
            exit_timeout_s=config.number("exit_timeout", options.get("exit_timeout", 5.0), least=0),
            max_pending=config.whole("max_pending", options.get("max_pending", 10_000)),
            max_pending_bytes=config.whole("max_pending_bytes", options.get("max_pending_bytes", 16 * 1024 * 1024)),
            routes=door.routes,
            fallback=_fallback(options.get("fallback")),
            window_s=config.number("window", options.get("window", 60.0), least=1, most=86_400),
            fingerprint=config.function("fingerprint", options.get("fingerprint"), "fingerprint(record) -> str"),
            shared=shared,
            on_outcome=config.function("on_outcome", options.get("on_outcome"), "on_outcome(report)"),
            mask_may_log=callable(options.get("redact")),
        ),
    )


def _secrets(door: _Door, shared: Shared) -> list[str]:
    return [*(secret.reveal() for secret in door.secrets), *shared.secrets]


def shared_state(value: object, complain: Callable[[str, str], None] = complain) -> Shared:
    """The state that is configured; `alone` where each process has its own memory. ``complain(cause, text)``: it is
    away.
    """
    found = config.state(value)
    if found.scheme == "memory":
        return alone
    return sqlite_state(found.path, complain) if found.scheme == "sqlite" else redis_state(found.server, complain)


def _fallback(value: object) -> Find | None:
    """How to find the other handler: a logging config may build it later than this one."""
    if value is None:
        return None
    if not isinstance(value, logging.Handler | str) or value == "":
        raise ConfigurationError("fallback", "a handler, or the name of one in the logging config, is needed")
    chosen = value

    def find() -> Target | None:
        handler = handler_named(chosen) if isinstance(chosen, str) else chosen
        if handler is None:
            return None
        if not isinstance(handler, AlertHandler):
            return Target(handler)
        if handler._pipeline is None:
            return Target(handler, away="switched off")
        return Target(handler, handler._pipeline.key, away="" if id(handler) in _live else "closed")

    return find


def _redact(value: object) -> Callable[[str], str] | None:
    if value is None or value is True:
        return builtin_redact
    if value is False:
        return None
    if not callable(value):
        raise ConfigurationError("redact", "a callable redact(text) -> str, or False, is needed")
    return value


def option_names(kind: type[AlertHandler]) -> list[str]:
    """The names of all options of a handler."""
    own = [name for name in inspect.signature(kind).parameters if name != "options"]
    return [*own, *CommonOptions.__annotations__]


def _check_names(options: Mapping[str, object], kind: type[AlertHandler]) -> None:
    if options.keys() <= CommonOptions.__annotations__.keys():
        return
    names = option_names(kind)
    for name in options:
        if name not in names:
            close = difflib.get_close_matches(name, names, 1)
            hint = f"did you mean {close[0]!r}?" if close else f"the options are {', '.join(names)}"
            shown = name if name.isidentifier() and len(name) <= 40 else "options"  # a slip may put a secret there
            raise ConfigurationError(shown, f"there is no such option; {hint}")


def _is_on(handler: AlertHandler, options: CommonOptions, *credentials: object, bot: bool) -> bool:
    on = config.enabled(options.get("enabled"))
    if on is None and not config.is_set_up(*credentials, bot=bot):
        kind = type(handler).__name__
        complain(f"auto {kind}", f'{kind} is off: enabled is "auto", and no variable WECOM_… is set for it')
        return False
    return on is not False


class WeComHandler(AlertHandler):
    """Sends records as app messages to members, departments and tags.

    All options are keywords. What is not given is read from the environment; secrets also from files
    (``WECOM_SECRET_FILE``), and their values may be ``"env:NAME"`` or ``"file:PATH"``.

    ``corp_id``, ``agent_id``, ``secret``: WECOM_CORP_ID, WECOM_AGENT_ID, WECOM_SECRET. ``users``, ``departments``,
    ``tags``: ids or names, users also mobiles and e-mail addresses (WECOM_USERS, …); ``users="@all"`` is everybody in
    the app's visible range. ``leader_of``: departments whose leaders get it. ``routes``: mappings with ``logger`` (it
    and all below it), ``level`` (from) and who gets it instead; the first that fits wins. Names are looked up by the
    worker, with the app's secret and, where that finds nobody, ``contacts_secret`` (WECOM_CONTACTS_SECRET).
    ``rate_limit`` is for each member, ``"30/minute, 1000/hour"`` unless said otherwise. The rest: `CommonOptions`.

    Raises `ConfigurationError` that names the option.
    """

    @config.hiding_frames
    def __init__(
        self,
        *,
        corp_id: str | None = None,
        agent_id: int | str | None = None,
        secret: str | Secret | None = None,
        contacts_secret: str | Secret | None = None,
        users: Ids | None = None,
        departments: Ids | None = None,
        tags: Ids | None = None,
        leader_of: Ids | None = None,
        routes: Iterable[Mapping[str, Any]] | None = None,
        **options: Unpack[CommonOptions],
    ) -> None:
        _check_names(options, WeComHandler)
        door = None
        if _is_on(self, options, corp_id, agent_id, secret, contacts_secret, bot=False):
            client = WeComClient(
                corp_id,
                config.app_secret(secret),
                agent_id=config.agent_id(agent_id),
                contacts_secret=contacts_secret,
                **_client_options(options),
            )
            channel = AppChannel(client, config.recipients(users, departments, tags, leader_of))
            door = _Door((channel,), Composer(markdown=False), client.secrets, config.routes(routes), client)
        super().__init__(options, door, "30/minute, 1000/hour")


class WeComBotHandler(AlertHandler):
    """Sends records into a group through its bot, or through several bots that share the work.

    ``webhook``: the whole URL that the group shows, or its key alone; WECOM_WEBHOOK, WECOM_WEBHOOK_FILE, ``"env:NAME"``
    or ``"file:PATH"``. A list, or a text with commas between them (in a file also lines), is several bots of one group:
    the least busy one sends, and one that WeCom refuses rests alone while the others go on. ``mention``: user ids,
    mobiles or ``"@all"`` that are called from ``mention_level`` (CRITICAL) on. ``rate_limit``, of each bot, is
    ``"20/minute"`` unless said otherwise. The rest: `CommonOptions`.

    Raises `ConfigurationError` that names the option.
    """

    @config.hiding_frames
    def __init__(
        self,
        *,
        webhook: str | Secret | Sequence[str | Secret] | None = None,
        mention: Ids | None = None,
        mention_level: int | str = logging.CRITICAL,
        **options: Unpack[CommonOptions],
    ) -> None:
        _check_names(options, WeComBotHandler)
        door = None
        if _is_on(self, options, webhook, bot=True):
            clients = bots(webhook, **_client_options(options))
            called = config.ids("mention", mention)
            composer = Composer(True, mention=called, mention_level=config.level("mention_level", mention_level))
            channels = tuple(BotChannel(client) for client in clients)
            door = _Door(channels, composer, tuple(client.key for client in clients))
        super().__init__(options, door, "20/minute")


class _ClientOptions(TypedDict):
    api_base: str | None
    timeout: float


def _client_options(options: CommonOptions) -> _ClientOptions:
    return {"api_base": options.get("api_base"), "timeout": options.get("timeout", 10.0)}
