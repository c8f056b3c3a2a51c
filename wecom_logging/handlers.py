"""`WeComHandler`, `WeComBotHandler`, `WeComAIBotHandler`: a record goes in, the pipeline does the rest.

Importing it loads next to nothing: what a pipeline is made of is loaded by the first handler, and not where that is
switched off for a program that only imports it.
"""

from __future__ import annotations

import importlib
import logging
import math
import sys
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Unpack

from ._runtime.hiding import hiding_frames

if TYPE_CHECKING:
    from ._answers.reception import Reception
    from ._build import Ids, Setup
    from ._config import CommonOptions
    from ._delivery.options import Target
    from ._delivery.pipeline import Pipeline
    from ._wecom.long_connection import LongConnection
    from .model import IncidentView, Secret, Stats

_live: weakref.WeakValueDictionary[int, AlertHandler] = weakref.WeakValueDictionary()
were_closed: set[str] = set()
"""The classes of handlers that were closed, to say so where none is left."""
_named: dict[str, AlertHandler] = {}
"""Logging remembers handlers weakly: one of a logging config that no logger has, such as a fallback, would be gone."""

when_switched_off: list[Callable[[AlertHandler], None]] = []
"""What `capture_alerts` does with a handler that is made while it is open, and is switched off."""


def handler_named(name: str) -> logging.Handler | None:
    """The handler of this name in the logging config, if there is one."""
    return logging._handlers.get(name)  # type: ignore[attr-defined, no-any-return] # getHandlerByName: 3.12


def _all() -> list[AlertHandler]:
    """Every handler of ours that is not closed for good; in one step, while other threads may make and close some."""
    return [handler for reference in _live.valuerefs() if (handler := reference()) is not None]


def live_handlers() -> list[AlertHandler]:
    """Every handler of ours that is not closed; of those that logging has closed the ones that a logger has, or else,
    where there would be none, all that are referred to. Of several with one pipeline the newest.
    """
    found = [*{id(handler._pipeline or handler): handler for handler in _all()}.values()]
    if not any(handler._is_left for handler in found):
        return found
    loggers = [logging.root, *logging.root.manager.loggerDict.copy().values()]
    used = {id(handler) for logger in loggers if isinstance(logger, logging.Logger) for handler in logger.handlers}
    return [handler for handler in found if not handler._is_left or id(handler) in used] or found


def hide(handler: AlertHandler) -> None:
    """Take it from the live ones: it stands in for another."""
    del _live[id(handler)]


class AlertHandler(logging.Handler):
    """What all handlers share; see `WeComHandler`, `WeComBotHandler` and `WeComAIBotHandler`."""

    _pipeline: Pipeline | None = None
    _is_closed = _is_left = False
    """Closed for good; closed by logging, which does not end it."""
    _held: AlertHandler | None = None
    """The fallback, where logging has closed it."""
    _given: Mapping[str, Any] | None = None
    """Of one that is switched off: its options but for the credentials."""

    def __init__(
        self, options: CommonOptions, setup: Setup | None, default_rate_limit: str, given: Mapping[str, Any]
    ) -> None:
        from . import _build
        from . import _config as config
        from ._runtime.counters import Counters
        from ._runtime.standing import standing
        from ._runtime.when_loaded import when_loaded

        level = config.level("level", options.get("level", logging.NOTSET))
        pipeline = None
        if setup is not None:
            pipeline = _build.pipeline(type(self), setup, options, default_rate_limit, _target)
        super().__init__(level)  # only now: logging remembers every handler that gets here
        self._pipeline, self._fallback = pipeline, options.get("fallback")
        self._disabled_counters = Counters()
        own = type(self).filter is not logging.Handler.filter or type(self).emit is not AlertHandler.emit
        # For repeats, past what a subclass may have changed:
        self._shortcut = None if own or pipeline is None else pipeline.collector
        _live[id(self)] = self
        if pipeline is not None:
            pipeline.open_for(self)
            standing.watch(self)
            for program in ("worker", "beat"):
                when_loaded(f"celery.apps.{program}", _before_celery)
            return
        self._given = {**options, **given}
        for wake in when_switched_off:
            wake(self)

    @property
    def wires_celery(self) -> bool:
        """True: a Celery worker gives it what fails although the program does not call `connect`."""
        return self._pipeline is not None and self._pipeline.options.celery

    def setLevel(self, level: int | str) -> None:
        """Which records it takes: a level by name or number. Raises `ConfigurationError`."""
        from . import _config as config

        super().setLevel(config.level("level", level))

    def set_name(self, name: str | None) -> None:
        """Give it a name, under which the logging config and others find it until it is closed."""
        self._forget_name()
        if name:
            _hold_as_fallback(name, None)
        super().set_name(name)  # type: ignore[arg-type] # logging itself begins with None
        if name:
            _named[name] = self

    name = property(logging.Handler.get_name, set_name)
    """As `logging` has it: setting it calls `set_name`."""

    def _forget_name(self) -> None:
        if (name := self.get_name()) and _named.get(name) is self:
            del _named[name]

    def handle(self, record: logging.LogRecord) -> bool:
        """Filter a record and take it. Raises no `Exception`, and waits only for what ``docs/promises.md`` names.

        Where the tally of a constant text is open, this is the only work: one increment of the tally. Or nearly so,
        where a text that was built before the call differs in values alone from others of its place.
        """
        collector = self._shortcut
        if collector is None or self.filters:
            return self._handle_with_filters(record)
        try:
            created = record.created
            call_site = (  # as `identity_of` makes it
                record.lineno,
                record.levelno,
                record.name,
                record.pathname,
                record.funcName,
                record.process,
                record.exc_info,
                record.exc_text,
            )
            tally = collector.find(call_site)
            if tally is None or tally.constant is not record.msg or hasattr(record, "wecom"):
                known = collector.known_at(call_site)
                if known is None or hasattr(record, "wecom") or not collector.count_known(known, record):
                    collector.emit(record)
                return True
        except Exception:  # something in it has no hash, or the stack is used up
            self.emit(record)
            return True
        tally.add()
        tally.newest = created
        if tally.attention:
            collector.attend(tally, record)
        return True

    def _handle_with_filters(self, record: logging.LogRecord) -> bool:
        passed: Any = True
        try:
            passed = self.filter(record)
        except Exception as error:  # a filter that fails must not hide what it was asked about
            from ._lines import line
            from ._runtime.warn import warn_once

            warn_once("filter", f"{type(self).__name__}: {line('filter', error=type(error).__name__)}")
        if passed:
            self.emit(passed if isinstance(passed, logging.LogRecord) else record)
        return passed  # type: ignore[no-any-return] # what the standard library's own handle returns

    def emit(self, record: logging.LogRecord) -> None:
        """Take a record that has passed the filters."""
        if self._pipeline is None:
            self._disabled_counters.refuse("disabled")
        elif self._is_closed:
            self._pipeline.collector.refuse_closed()
        else:
            self._pipeline.collector.emit(record)

    def flush(self, timeout: float | None = None) -> bool:  # type: ignore[override] # logging ignores what it returns
        """Wait until all that was accepted before is settled; True when it is.

        ``timeout`` is in seconds; without one it is at most ``exit_timeout``. Where the calling thread holds logging's
        own lock it returns at once: in ``logging.shutdown`` after it has asked for that, in a ``dictConfig`` without,
        since the handler goes on.
        """
        if self._pipeline is None:
            return True
        from . import _config as config
        from ._runtime.forks import holds_loggings_lock

        if holds_loggings_lock():
            return self._pipeline.settled()
        if self._is_called_by_logging():
            timeout = 0.0
        elif timeout is not None:
            timeout = config.number("timeout", timeout, least=-math.inf, most=math.inf)
        return self._pipeline.flush(timeout)

    def close(self) -> None:
        """Accept nothing more and do not wait: what was accepted is still sent, up to the program's exit.

        Where logging calls it, in a ``dictConfig`` or in a ``logging.shutdown`` before the exit, the handler goes on as
        long as a logger, or anything else, has it, and a new one like it goes on with its incidents and counters.
        """
        from ._runtime.standing import standing

        were_closed.add(type(self).__name__)
        self._forget_name()
        by_logging = self._is_called_by_logging() and not self._is_closed
        if by_logging:
            standing.closed_by_logging(self, sys._getframe(1).f_code)
        if by_logging and (self._pipeline is None or self._pipeline.leave()):
            self._is_left = True
            if name := self.get_name():
                super().set_name(name)  # a dictConfig has forgotten all names; a new handler may get this one
                _hold_as_fallback(name, self)
            return
        standing.forget(self)
        _live.pop(id(self), None)
        self._is_closed, self._shortcut = True, None
        if self._pipeline is not None:
            self._pipeline.end_for(self)
        super().close()

    def forget_incidents(self) -> None:
        """For tests: forget the open incidents, so that the next record of each is a first."""
        if self._pipeline is not None:
            self._pipeline.forget_incidents()

    def stats(self) -> Stats:
        """The handler's counters in this process."""
        return (self._pipeline or self._disabled_counters).stats()

    def incidents(self) -> list[IncidentView]:
        """What is open now, the newest first, at most 1000: of this process, or of all who share the state.

        What was logged within the last second may be missing; after `flush` it is not. Waits for a shared state for a
        second or so, and does without it where that is away.
        """
        return [] if self._pipeline is None else self._pipeline.incidents()

    def state_is_up(self) -> bool | None:
        """Whether the shared state can be used now; None without one."""
        from ._state.shared import alone

        shared = alone if self._pipeline is None else self._pipeline.options.shared
        return None if shared is alone else shared.is_up

    def setFormatter(self, fmt: logging.Formatter | None) -> None:
        """Send text, markdown, or, with another `logging.Formatter`, what that makes of a record.

        The one that `logging.basicConfig` gives to handlers where no format was asked for counts as none.
        """
        super().setFormatter(fmt)
        if type(fmt) is logging.Formatter and fmt._fmt == logging.BASIC_FORMAT:
            fmt = None
        if self._pipeline is not None:
            default, ours = self._pipeline.options.looks, getattr(fmt, "wecom_markdown", None)
            self._pipeline.collector.formatter = fmt if ours is None else None
            self._pipeline.looks = default if fmt is None else default._replace(markdown=bool(ours))

    def _is_called_by_logging(self) -> bool:
        locks = (getattr(logging, "_lock", None), self.lock)
        return any(getattr(lock, "_is_owned", bool)() for lock in locks)


def _before_celery() -> None:
    """In a Celery worker or beat, before that empties its loggers. An integration may import all of ours, and none of
    ours it: it is called by its name."""
    from ._runtime.standing import standing

    standing.look()
    importlib.import_module("wecom_logging.integrations.celery").connect_by_itself()


def _target(named: logging.Handler | str) -> Target | None:
    """The fallback that is named so: a logging config may build it later than the handler that has it."""
    from ._delivery.options import Target

    handler = handler_named(named) if isinstance(named, str) else named
    if handler is None:
        return None
    if not isinstance(handler, AlertHandler):
        return Target(handler)
    if handler._pipeline is None:
        return Target(handler, away="fallback_off")
    return Target(handler, handler._pipeline.collector.key, away="fallback_closed" if handler._is_closed else "")


def _hold_as_fallback(name: str, held: AlertHandler | None) -> None:
    """Let each handler that names this one as its fallback hold it, or, where there is a new one, let it go."""
    for handler in _all():
        if handler._fallback == name:
            handler._held = held


class WeComHandler(AlertHandler):
    """Sends records as app messages to members, departments and tags.

    All options are keywords. What is not given is read from the environment.

    * ``corp_id`` (WECOM_CORP_ID): the company's id.
    * ``agent_id`` (WECOM_AGENT_ID): the AgentId of the app.
    * ``secret`` (WECOM_SECRET, WECOM_SECRET_FILE): the Secret of the app. ``"env:NAME"`` and ``"file:PATH"`` name
      the place where it is.
    * ``contacts_secret`` (WECOM_CONTACTS_SECRET, WECOM_CONTACTS_SECRET_FILE): the Secret of the contacts sync
      (通讯录同步). It is not needed; names that the app's Secret does not find are looked up with it.
    * ``users`` (WECOM_USERS): members who get the alerts: user ids, names, mobiles or e-mail addresses.
      ``"@all"`` is everybody in the app's visible range. In the variable, commas separate them, or ``|``.
    * ``departments`` (WECOM_DEPARTMENTS): departments whose members get the alerts: ids or names.
    * ``tags`` (WECOM_TAGS): tags whose members get the alerts: ids or names.
    * ``leader_of`` (none): departments whose leaders get the alerts.
    * ``routes`` (none): other recipients for some loggers or levels.

    Names are looked up by the worker. A route says which records by ``logger`` (with its children) and ``level`` (the
    lowest), and by ``users``, ``departments``, ``tags`` and ``leader_of`` who gets them instead; the first that fits
    wins. The rest: `CommonOptions`. Raises `ConfigurationError` that names the option.
    """

    @hiding_frames
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
        from . import _build

        who = {"users": users, "departments": departments, "tags": tags, "leader_of": leader_of}
        credentials = (corp_id, agent_id, secret, contacts_secret)
        setup = _build.app_setup(WeComHandler, options, *credentials, *who.values(), routes=routes)
        super().__init__(options, setup, "30/minute, 1000/hour", {**who, "routes": routes})


class WeComAIBotHandler(AlertHandler):
    """Sends records by an AI bot (智能机器人) into chats, and lets people answer them there.

    All options are keywords. What is not given is read from the environment.

    * ``bot_id`` (WECOM_AIBOT_ID): the Bot ID of the AI bot's long connection.
    * ``secret`` (WECOM_AIBOT_SECRET, WECOM_AIBOT_SECRET_FILE): the Secret of the long connection. ``"env:NAME"``
      and ``"file:PATH"`` name the place where it is.
    * ``chats`` (WECOM_AIBOT_CHATS): who gets the alerts: at most 20 user ids and ids of groups in which somebody
      wrote to the bot before. ``wecom-logging answers pair`` shows the id of a chat.
    * ``answerers`` (WECOM_AIBOT_ANSWERERS): who may answer beside those in the chats: user ids, or a mapping of
      them to names.
    * ``url`` (WeCom's own, WECOM_AIBOT_URL): the address of the long connection, such as that of the sandbox.

    Members of the chats may answer, too. A bot has one connection: give all processes that use one the same ``state``.
    The rest: `CommonOptions`. It needs the extra ``[aibot]``. Raises `ConfigurationError` that names the option.
    Source: https://developer.work.weixin.qq.com/document/path/101463
    """

    @hiding_frames
    def __init__(
        self,
        *,
        bot_id: str | None = None,
        secret: str | Secret | None = None,
        chats: Ids | None = None,
        answerers: Ids | Mapping[str, str] | None = None,
        url: str | None = None,
        **options: Unpack[CommonOptions],
    ) -> None:
        from . import _build_aibot

        made = _build_aibot.aibot_setup(WeComAIBotHandler, options, bot_id, secret, chats, answerers, url)
        self._connection: LongConnection | None
        setup, self._connection = made or (None, None)
        super().__init__(options, setup, "24/minute, 800/hour", {"chats": chats})

    def _reception(self) -> Reception | None:
        """What hears the answers; None where the handler is switched off."""
        return None if self._connection is None else self._connection.listener  # type: ignore[return-value] # it is one


class WeComBotHandler(AlertHandler):
    """Sends records into a group through its bot, or through several bots that share the work.

    All options are keywords. What is not given is read from the environment.

    * ``webhook`` (WECOM_WEBHOOK, WECOM_WEBHOOK_FILE): the URL that the group shows, or its key alone; also
      ``"env:NAME"`` or ``"file:PATH"``. Several bots of one group are a list, a text with commas, or lines of the
      file.
    * ``mention`` (none): user ids, mobiles or ``"@all"`` that a message mentions.
    * ``mention_level`` (``CRITICAL``): the lowest level that mentions somebody.

    Of several bots, the least busy one sends, and one that WeCom refuses rests alone while the others go on. The rest:
    `CommonOptions`. Raises `ConfigurationError` that names the option.
    """

    @hiding_frames
    def __init__(
        self,
        *,
        webhook: str | Secret | Sequence[str | Secret] | None = None,
        mention: Ids | None = None,
        mention_level: int | str = logging.CRITICAL,
        **options: Unpack[CommonOptions],
    ) -> None:
        from . import _build

        setup = _build.bot_setup(WeComBotHandler, options, webhook, mention, mention_level)
        super().__init__(options, setup, "20/minute", {"mention": mention, "mention_level": mention_level})
