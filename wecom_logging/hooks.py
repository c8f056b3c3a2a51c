"""`install_hooks`: sends what no code catches. This is the place that knows where that can happen, and what says so.

| what an exception ends | what says so |
|---|---|
| the program | `sys.excepthook` |
| a thread | `threading.excepthook` |
| a finaliser, a callback of C | `sys.unraisablehook` |
| a task, a callback of an event loop | the logger of asyncio |
| a process of `multiprocessing`, of billiard | `traceback.print_exc`, of what `BaseProcess._bootstrap` has caught |
| a greenlet of gevent | `gevent.hub.Hub.print_exception`, if gevent is loaded |
| work in an executor, in a pool | nothing: the exception is its result |
"""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from collections.abc import Callable
from types import MethodType, TracebackType
from typing import Any

from . import _config as config
from ._render.words import GREENLET_ENDS, IGNORED_IN, PROCESS_ENDS, PROGRAM_ENDS, THREAD_ENDS
from ._runtime.sigterm import install as install_sigterm
from ._telling import Teller, handlers_of, record_of, text_of
from ._text.said import Phrase
from .errors import ConfigurationError


class _Hooks:
    """The hooks of this process: there is one set, wherever it is installed."""

    def __init__(self) -> None:
        self.teller: Teller | None = None
        self.level = logging.ERROR
        self._loops = _Loops(self)

    def install(self) -> None:
        hub: Any = getattr(sys.modules.get("gevent.hub"), "Hub", None)
        hooks: tuple[tuple[Any, str, Callable[..., None]], ...] = (
            (sys, "excepthook", self.program),
            (threading, "excepthook", self.thread),
            (sys, "unraisablehook", self.unraisable),
            (traceback, "print_exc", self.process),
            (hub, "print_exception", self.greenlet),
        )
        for owner, name, tell in hooks:
            before = getattr(owner, name, None)
            if before is not None and not isinstance(before, _Hook):
                setattr(owner, name, _Hook(tell, before))
        loops = logging.getLogger("asyncio")
        if self._loops not in loops.handlers:
            loops.addHandler(self._loops)

    def program(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        """For `sys.excepthook`: the program ends."""
        self._tell(error, self.level, PROGRAM_ENDS)

    def thread(self, args: threading.ExceptHookArgs) -> None:
        """For `threading.excepthook`: a thread ends."""
        name = args.thread.name if args.thread is not None else "?"
        self._tell(args.exc_value, logging.ERROR, THREAD_ENDS, {"thread": name})

    def process(self, *_: object, **__: object) -> None:
        """For `traceback.print_exc`: a process of `multiprocessing` ends."""
        error = sys.exception()
        catcher = error.__traceback__.tb_frame if error is not None and error.__traceback__ is not None else None
        if catcher is not None and catcher.f_code.co_name == "_bootstrap":
            name = getattr(catcher.f_locals.get("self"), "name", "?")
            self._tell(error, logging.ERROR, PROCESS_ENDS, {"process": name})

    def greenlet(self, hub: object, context: object, kind: object, error: BaseException | None, trace: object) -> None:
        """For `gevent.hub.Hub.print_exception`: a greenlet ends, or a callback of its loop."""
        self._tell(error, logging.ERROR, GREENLET_ENDS)

    def unraisable(self, args: sys.UnraisableHookArgs) -> None:
        """For `sys.unraisablehook`: a finaliser or a callback of C failed."""
        try:
            where = text_of(getattr(args.object, "__qualname__", None) or type(args.object).__qualname__)
        except Exception:  # an object that answers nothing
            where = type(args.object).__qualname__
        self._tell(args.exc_value, logging.ERROR, IGNORED_IN, {"where": where}, where)

    def _tell(
        self,
        error: BaseException | None,
        level: int,
        message: Phrase,
        fields: dict[str, object] | None = None,
        *names: str,
    ) -> None:
        if self.teller is None or not isinstance(error, Exception):  # Ctrl-C and sys.exit are no failures
            return
        self.teller.tell(record_of(error, message, *names, level=level, fields=fields))


class _Hook:
    """One hook that was set: tells, then goes on to the one that was there before.

    Each has its own: who sets a hook of his own after ours may call ours from it, and then ours is set once more.
    """

    def __init__(self, tell: Callable[..., None], before: Callable[..., Any]) -> None:
        self._tell = tell
        self._before = before

    def __call__(self, *args: Any, **options: Any) -> None:
        self._tell(*args, **options)
        self._before(*args, **options)

    def __get__(self, instance: object, owner: object) -> Callable[..., None]:
        """As the method of a class."""
        return self if instance is None else MethodType(self, instance)


class _Loops(logging.Handler):
    """What asyncio's default handler logs about tasks and callbacks, where it does not reach our handlers anyway."""

    def __init__(self, hooks: _Hooks) -> None:
        super().__init__(logging.ERROR)
        self._hooks = hooks

    def handle(self, record: logging.LogRecord) -> bool:
        handlers = handlers_of(record)
        if handlers == [self] and logging.lastResort is not None:  # which prints where nobody listens, but for us
            logging.lastResort.handle(record)
        if self._hooks.teller is not None:
            self._hooks.teller.tell(record, but=handlers)
        return True


_hooks = _Hooks()


def install_hooks(
    handler: logging.Handler | str | None = None, *, level: int | str = logging.ERROR, sigterm: bool = False
) -> None:
    """Send every exception that no code catches. The hooks that were there before still run.

    These are `sys.excepthook` (the program ends: at ``level``, ERROR unless said otherwise), `threading.excepthook`,
    `sys.unraisablehook`, what event loops of asyncio log about tasks, what a process of `multiprocessing` that ends
    prints by `traceback.print_exc` and, if gevent is imported before, what its greenlets print (at ERROR).
    KeyboardInterrupt and SystemExit are no failures and are not sent. ``handler``: a handler, or its name in the
    logging config (looked up when needed); without it every live WeCom handler. A second call changes where they go and
    adds no second set.

    An exception that a decorator or a log call has sent already is counted as ``merged``.

    ``sigterm=True``: a SIGTERM, or a SIGHUP (a terminal is closed), that would end the program at once first waits
    until what was logged is sent, at most the longest ``exit_timeout`` of the handlers, and half a second for what it
    has interrupted; then it ends the program with the signal's own status. Forked children, and all processes of
    `multiprocessing`, end at once. A handler of the signal that exists already stays; of SIGTERM a line on stderr says
    so. Only the main thread can ask for it.

    Raises `ConfigurationError`.
    """
    if not isinstance(sigterm, bool):
        raise ConfigurationError("sigterm", "not_a_choice", choices="True, False")
    teller, at_level = Teller(handler, "install_hooks"), config.level("level", level)
    if sigterm:
        install_sigterm()
    _hooks.teller, _hooks.level = teller, at_level
    _hooks.install()
