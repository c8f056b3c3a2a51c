"""`notify_on_exception`: sends whatever a function raises, and raises it again."""

from __future__ import annotations

import functools
import inspect
import logging
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from types import MappingProxyType, TracebackType
from typing import Any, TypeVar, overload

from . import _config as config
from ._capture.exceptions import BETWEEN
from ._lines import line
from ._render.words import ITS_REPR_FAILED, RAISED
from ._runtime.warn import warn_once
from ._telling import Teller, record_of
from ._text.cut import cap
from .errors import ConfigurationError

_MAX_REPR_BYTES = 1024

F = TypeVar("F", bound=Callable[..., Any])


class Notifier:
    """A decorator and a context manager; what `notify_on_exception` with options returns. It keeps no state."""

    def __init__(
        self,
        handler: logging.Handler | str | None,
        title: str | None,
        level: int | str,
        ignore: type[BaseException] | tuple[type[BaseException], ...],
        capture_args: bool,
    ) -> None:
        classes = ignore if isinstance(ignore, tuple) else (ignore,)
        if not all(isinstance(kind, type) and issubclass(kind, BaseException) for kind in classes):
            raise ConfigurationError("ignore", "not_exceptions")
        if not isinstance(capture_args, bool):
            raise ConfigurationError("capture_args", "not_a_choice", choices="True, False")
        self._teller = Teller(handler, "notify_on_exception")
        self._title = config.optional_text("title", title)
        self._level = config.level("level", level)
        self._ignore = classes
        self._capture_args = capture_args

    def __call__(self, function: F) -> F:
        """Wrap a function, coroutine function, generator, async generator, or a static or class method."""
        if isinstance(function, staticmethod | classmethod):
            return type(function)(self(function.__func__))
        if not callable(function) or isinstance(function, type):
            raise TypeError(f"notify_on_exception decorates functions and methods, not {function!r}")
        return self._wrapped(function)  # type: ignore[no-any-return] # a wrapper with the function's signature

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, Exception):
            self.tell(error, None)

    def _wrapped(self, function: Callable[..., Any]) -> Any:
        if inspect.isasyncgenfunction(function):
            return self._async_generator(function)
        if inspect.iscoroutinefunction(function):
            return self._coroutine(function)
        if inspect.isgeneratorfunction(function):
            return self._generator(function)
        return self._plain(function)

    def _plain(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            try:
                return function(*args, **kwargs)
            except Exception as error:
                self.tell(error, function, args, kwargs)
                raise

        return wrapper

    def _coroutine(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        async def wrapper(*args: Any, **kwargs: Any) -> Any:
            try:
                return await function(*args, **kwargs)
            except Exception as error:
                self.tell(error, function, args, kwargs)
                raise

        return wrapper

    def _generator(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
            try:
                return (yield from function(*args, **kwargs))
            except Exception as error:
                self.tell(error, function, args, kwargs)
                raise

        return wrapper

    def _async_generator(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        async def wrapper(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
            inner = function(*args, **kwargs)
            try:
                value = await anext(inner)
                while True:
                    try:
                        sent = yield value
                    except GeneratorExit:
                        await inner.aclose()
                        raise
                    except BaseException as thrown:  # whatever the consumer throws in belongs to the inner one
                        value = await inner.athrow(thrown)
                    else:
                        value = await inner.asend(sent)
            except StopAsyncIteration:
                return
            except Exception as error:
                self.tell(error, function, args, kwargs)
                raise

        return wrapper

    def tell(
        self,
        error: Exception,
        function: Callable[..., Any] | None,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        """Send an exception that a function raised."""
        if isinstance(error, self._ignore):
            return
        try:
            record = self._record(error, function, args, kwargs)
        except Exception as failure:  # telling must never replace the function's own exception
            warn_once("notify", line("not_told", error=type(failure).__name__))
            return
        self._teller.tell(record)

    def _record(
        self, error: Exception, function: Callable[..., Any] | None, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> logging.LogRecord:
        place = _place(error.__traceback__)
        name = getattr(function, "__qualname__", "") or (place.tb_frame.f_code.co_qualname if place else "?")
        return record_of(
            error,
            RAISED,
            name,
            level=self._level,
            logger=getattr(function, "__module__", None) or "",
            name=name,
            place=place,
            title=self._title,
            fields=_arguments(function, args, kwargs) if self._capture_args and function is not None else None,
            ours=(),
        )


def _place(trace: TracebackType | None) -> TracebackType | None:
    """Where in the decorated function it went wrong."""
    while trace is not None and trace.tb_next is not None and trace.tb_frame.f_code.co_filename.startswith(BETWEEN):
        trace = trace.tb_next
    return trace


def _arguments(function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, str]:
    """The arguments by name, as their reprs; without names where they do not fit the function, which is then told."""
    try:
        named = inspect.signature(function).bind_partial(*args, **kwargs).arguments
    except (TypeError, ValueError):
        named = {"args": args, **kwargs}
    return {name: _repr(value) for name, value in named.items()}


def _repr(value: object) -> str:
    try:
        return cap(repr(value), _MAX_REPR_BYTES)
    except Exception as failure:
        return ITS_REPR_FAILED.en % type(failure).__name__


@overload
def notify_on_exception(function: F, /) -> F: ...
@overload
def notify_on_exception(
    *,
    handler: logging.Handler | str | None = None,
    title: str | None = None,
    level: int | str = logging.ERROR,
    ignore: type[BaseException] | tuple[type[BaseException], ...] = (),
    capture_args: bool = False,
) -> Notifier: ...
def notify_on_exception(
    function: Callable[..., Any] | None = None,
    /,
    *,
    handler: logging.Handler | str | None = None,
    title: str | None = None,
    level: int | str = logging.ERROR,
    ignore: type[BaseException] | tuple[type[BaseException], ...] = (),
    capture_args: bool = False,
) -> Any:
    """Send every `Exception` that a function or a block raises, and raise it again.

    ``@notify_on_exception``, ``@notify_on_exception(…)`` and ``with notify_on_exception(…):`` work on functions,
    coroutines, generators, async generators, methods, static and class methods, and keep signature and types.
    KeyboardInterrupt, SystemExit and cancellation are no failures and are not sent.

    ``handler``: a handler, or its name in the logging config (looked up when needed); without it every live WeCom
    handler. ``title``: said in the first line. ``level``: the alert's level. ``ignore``: exception classes that are not
    sent. ``capture_args``: send the arguments' reprs too, masked like any text. Raises `ConfigurationError`.
    """
    notifier = Notifier(handler, title, level, ignore, capture_args)
    return notifier if function is None else notifier(function)
