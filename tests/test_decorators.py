"""`notify_on_exception` around everything that can be called, against a real local WeCom."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import functools
import gc
import inspect
import logging
import pickle
import re
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from wecom_logging import WeComBotHandler, notify_on_exception
from wecom_logging._capture import duplicates
from wecom_logging._sandbox import Sandbox
from wecom_logging.errors import ConfigurationError
from wecom_logging.handlers import AlertHandler

from .programs import run
from .storms import warned

CANARY = "Zk9vQ2canaryX7w"


class Told:
    """A handler, and what it told."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.handler: AlertHandler = WeComBotHandler(webhook="sandbox-bot", api_base=sandbox.url, rate_limit=None)

    @property
    def texts(self) -> list[str]:
        assert self.handler.flush(10.0)
        return [message["content"] for message in self.sandbox.messages()]

    def once(self) -> str:
        (text,) = self.texts
        return text


@pytest.fixture
def told(sandbox: Sandbox) -> Iterator[Told]:
    found = Told(sandbox)
    yield found
    found.handler.close()


class Lost(Exception):
    pass


def raises(function: Callable[[], object], kind: type[BaseException] = Lost) -> BaseException:
    with pytest.raises(kind) as caught:
        function()
    return caught.value


# What can be decorated.


def test_a_function_raises_the_same_object_with_its_traceback(told: Told) -> None:
    error = Lost("gone")

    @notify_on_exception(handler=told.handler)
    def charge(order: int) -> int:
        if order:
            raise error
        return 7

    assert charge(0) == 7
    assert raises(lambda: charge(1)) is error
    assert error.__traceback__ is not None
    names = [frame.name for frame in __import__("traceback").extract_tb(error.__traceback__)]
    assert names[-1] == "charge"
    assert error.__context__ is None
    text = told.once()
    assert text.splitlines()[0].startswith('🔴 <font color="warning">ERROR</font> tests.test_decorators: **')
    assert "charge raised Lost: gone" in text
    assert "raise error" in text
    assert "decorators.py:" in text
    assert "wecom_logging/decorators.py" not in text


def test_without_parentheses_every_live_handler_is_told(told: Told) -> None:
    other = WeComBotHandler(webhook="sandbox-bot", api_base=told.sandbox.url, rate_limit=None)

    @notify_on_exception
    def charge() -> None:
        raise Lost

    raises(charge)
    assert other.flush(10.0)
    other.close()
    assert len(told.texts) == 2
    raises(charge)
    assert len(told.texts) == 3  # the closed one is not told any more


def test_a_coroutine(told: Told) -> None:
    @notify_on_exception(handler=told.handler)
    async def charge(fail: bool) -> int:
        await asyncio.sleep(0)
        if fail:
            raise Lost("async")
        return 7

    assert asyncio.run(charge(False)) == 7
    raises(lambda: asyncio.run(charge(True)))
    assert "charge raised Lost: async" in told.once()


def test_a_generator_keeps_send_throw_close_and_its_value(told: Told) -> None:
    seen: list[object] = []

    @notify_on_exception(handler=told.handler)
    def numbers() -> Any:
        try:
            seen.append((yield 1))
            try:
                yield 2
            except KeyError:
                yield 3
            return "the end"
        finally:
            seen.append("closed")

    running = numbers()
    assert (next(running), running.send("sent"), running.throw(KeyError("k"))) == (1, 2, 3)
    assert raises(lambda: next(running), StopIteration).value == "the end"
    assert seen == ["sent", "closed"]
    closed = numbers()
    next(closed)
    closed.close()
    assert seen[-1] == "closed"
    assert told.texts == []
    thrown = numbers()
    next(thrown)
    error = Lost("thrown in")
    assert raises(lambda: thrown.throw(error)) is error
    assert "numbers raised Lost: thrown in" in told.once()


def test_an_async_generator_keeps_asend_athrow_and_aclose(told: Told) -> None:
    seen: list[object] = []

    @notify_on_exception(handler=told.handler)
    async def numbers(fail: bool = False) -> Any:
        try:
            seen.append((yield 1))
            try:
                yield 2
            except KeyError:
                yield 3
            if fail:
                raise Lost("late")
        finally:
            await asyncio.sleep(0)
            seen.append("closed")

    async def use() -> None:
        running = numbers()
        assert await anext(running) == 1
        assert await running.asend("sent") == 2
        assert await running.athrow(KeyError("k")) == 3
        with pytest.raises(StopAsyncIteration):
            await anext(running)
        assert seen == ["sent", "closed"]
        closed = numbers()
        await anext(closed)
        await closed.aclose()
        assert seen == ["sent", "closed", "closed"]
        assert [number async for number in numbers()] == [1, 2]
        failing = numbers(True)
        assert await anext(failing) == 1
        error = ValueError("thrown in")
        with pytest.raises(ValueError, match="thrown in") as caught:
            await failing.athrow(error)
        assert caught.value is error
        with pytest.raises(Lost, match="late"):
            [number async for number in numbers(True)]

    asyncio.run(use())
    first, second = told.texts
    assert "numbers raised ValueError: thrown in" in first
    assert "numbers raised Lost: late" in second


def test_a_cancelled_async_generator_is_not_told(told: Told) -> None:
    @notify_on_exception(handler=told.handler)
    async def forever() -> AsyncIterator[int]:
        yield 1
        await asyncio.Event().wait()

    async def use() -> None:
        async with contextlib.aclosing(forever()) as running:
            await anext(running)
            await asyncio.wait_for(anext(running), 0.01)

    raises(lambda: asyncio.run(use()), TimeoutError)
    assert told.texts == []


def test_methods_static_and_class_methods_in_both_orders(told: Told) -> None:
    notify = notify_on_exception(handler=told.handler)

    class Shop:
        @notify
        def method(self) -> str:
            raise Lost(type(self).__name__)

        @notify
        @staticmethod
        def outer_static() -> str:
            raise Lost("static")

        @staticmethod
        @notify
        def inner_static() -> str:
            raise Lost("static")

        @notify
        @classmethod
        def outer_class(cls) -> str:
            raise Lost(cls.__name__)

        @classmethod
        @notify
        def inner_class(cls) -> str:
            raise Lost(cls.__name__)

    names = ("method", "outer_static", "inner_static", "outer_class", "inner_class")
    for name in names:
        raises(getattr(Shop(), name))
    raises(Shop.outer_static)
    assert raises(Shop.outer_class).args == ("Shop",)
    texts = told.texts
    assert len(texts) == 4  # of each of two causes the first one, and one message with the others
    assert {*re.findall(r"Shop\.(\w+)", "\n".join(texts))} >= {*names}
    assert ("× 1, 2 in all" in texts[2], "× 2" in texts[3]) == (True, True)


def test_a_block(told: Told) -> None:
    error = Lost("in the block")

    def work() -> None:
        with notify_on_exception(handler=told.handler):
            raise error

    assert raises(work) is error
    assert "work raised Lost: in the block" in told.once()
    with notify_on_exception(handler=told.handler) as nothing:
        assert nothing is None
    notify = notify_on_exception(handler=told.handler)
    with contextlib.suppress(Lost), notify, notify:
        raise Lost("nested")
    assert len(told.texts) == 2
    assert told.handler.stats().merged == 1


def test_a_partial_and_a_callable_object(told: Told) -> None:
    class Job:
        def __call__(self, number: int) -> None:
            raise Lost(number)

    notify = notify_on_exception(handler=told.handler)
    raises(lambda: notify(Job())(1))
    raises(notify(functools.partial(Job(), 2)))
    assert ["raised Lost: 1" in told.texts[0], "raised Lost: 2" in told.texts[1]] == [True, True]


@pytest.mark.parametrize("wrong", ["title", 3, None.__class__, int, property(lambda self: 1), object()])
def test_what_cannot_be_decorated_is_refused_at_once(wrong: Any) -> None:
    with pytest.raises(TypeError, match="functions and methods"):
        notify_on_exception()(wrong)


def test_name_signature_kind_and_attributes_are_kept() -> None:
    def plain(a: int, *, b: str = "x") -> float:
        """Doc."""
        return 1.0

    async def coroutine(a: int) -> None: ...

    def generator(a: int) -> Iterator[int]:
        yield a

    async def async_generator(a: int) -> AsyncIterator[int]:
        yield a

    plain.mark = 3
    for function in (plain, coroutine, generator, async_generator):
        decorated = notify_on_exception(function)
        assert inspect.signature(decorated) == inspect.signature(function)
        for kind in (inspect.iscoroutinefunction, inspect.isgeneratorfunction, inspect.isasyncgenfunction):
            assert kind(decorated) == kind(function)
        for name in ("__name__", "__qualname__", "__module__", "__doc__", "__annotations__"):
            assert getattr(decorated, name) == getattr(function, name)
        assert decorated.__wrapped__ is function
    assert notify_on_exception(plain).mark == 3


# Options.


def test_title_and_level(told: Told) -> None:
    @notify_on_exception(handler=told.handler, title="付款 <@all>", level="CRITICAL")
    def charge() -> None:
        raise Lost("x")

    raises(charge)
    text = told.once()
    assert text.startswith(
        '🚨 <font color="warning">CRITICAL</font> tests.test_decorators: **付款 ＜@all>: Lost: x**\n'
    )
    assert "charge raised Lost: x" in text


def test_a_level_below_the_handlers_is_not_told(told: Told) -> None:
    told.handler.setLevel("ERROR")
    with contextlib.suppress(Lost), notify_on_exception(handler=told.handler, level=logging.WARNING):
        raise Lost
    assert told.texts == []


@pytest.mark.parametrize("ignore", [Lost, (Lost,), (KeyError, Exception), BaseException])
def test_ignored_exceptions_pass_untold(told: Told, ignore: Any) -> None:
    with contextlib.suppress(Lost), notify_on_exception(handler=told.handler, ignore=ignore):
        raise Lost
    assert told.texts == []
    with contextlib.suppress(Lost), notify_on_exception(handler=told.handler, ignore=(KeyError,)):
        raise Lost
    assert len(told.texts) == 1


def test_arguments_are_sent_masked_where_asked(told: Told) -> None:
    class Odd:
        def __repr__(self) -> str:
            raise RuntimeError(CANARY)

    @notify_on_exception(handler=told.handler, capture_args=True)
    def login(user: str, password: str, options: dict[str, str], odd: Odd, *rest: str, **more: str) -> None:
        raise Lost

    raises(lambda: login("bob", CANARY, {"token": CANARY}, Odd(), f"pwd={CANARY}", api_key=CANARY, url="x" * 9999))
    text = told.once()
    assert CANARY not in text
    assert "> user: 'bob'" in text
    assert "> password: ∗∗∗" in text  # asterisks that make nothing bold
    assert "> options: {'token': ∗∗∗}" in text
    assert "> odd: (its repr cannot be made: RuntimeError)" in text


def test_without_being_asked_no_argument_is_sent(told: Told) -> None:
    @notify_on_exception(handler=told.handler)
    def login(value: str) -> None:
        raise Lost

    raises(lambda: login(CANARY))
    assert CANARY not in told.once()


def test_wrong_arguments_are_told_too(told: Told) -> None:
    notify = notify_on_exception(handler=told.handler, capture_args=True)

    @notify
    def charge(order: int) -> None: ...

    raises(lambda: charge(1, 2, x="many"), TypeError)  # the wrong call is the point
    raises(lambda: notify(dict.fromkeys)(3), TypeError)
    first, second = told.texts
    assert "charge raised TypeError: " in first
    assert "> args: (1, 2)" in first
    assert "> x: 'many'" in first
    assert "raised TypeError: " in second


def test_a_handler_by_name_is_looked_up_when_needed(told: Told, capfd: pytest.CaptureFixture[str]) -> None:
    @notify_on_exception(handler="test-decorators-wecom")
    def charge() -> None:
        raise Lost

    raises(charge)
    assert "there is no handler named 'test-decorators-wecom'" in capfd.readouterr().err
    assert told.texts == []
    told.handler.set_name("test-decorators-wecom")
    try:
        raises(charge)
    finally:
        told.handler.set_name("")
    assert len(told.texts) == 1


def test_with_no_handler_at_all_one_line_says_so() -> None:
    ended = run(
        """
        from wecom_logging import notify_on_exception
        for _ in range(2):
            try:
                with notify_on_exception():
                    raise ValueError("lost")
            except ValueError:
                print("raised as ever")
        """
    )
    assert ended.out.split("\n") == ["raised as ever", "raised as ever", ""]
    assert ended.err.count("\n") == 1
    assert "no WeCom handler is set up" in ended.err


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("handler", 3),
        ("handler", logging.getLogger()),
        ("title", ["x"]),
        ("title", ""),
        ("level", "LOUD"),
        ("level", None),
        ("level", True),
        ("ignore", ValueError("x")),
        ("ignore", [KeyError]),
        ("ignore", (KeyError, "x")),
        ("ignore", None),
        ("capture_args", "yes"),
        ("capture_args", None),
    ],
)
def test_a_wrong_option_is_a_configuration_error_when_decorating(name: str, value: Any) -> None:
    with pytest.raises(ConfigurationError) as caught:
        notify_on_exception(**{name: value})
    assert caught.value.field == name


# What is not told, and what is told once.


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, GeneratorExit, asyncio.CancelledError])
def test_what_is_no_failure_passes_untold(told: Told, kind: type[BaseException]) -> None:
    notify = notify_on_exception(handler=told.handler)

    @notify
    def plain() -> None:
        raise kind

    @notify
    async def coroutine() -> None:
        raise kind

    @notify
    def generator() -> Iterator[int]:
        yield 1
        raise kind

    @notify
    async def async_generator() -> AsyncIterator[int]:
        yield 1
        raise kind

    async def drain() -> None:
        async for _ in async_generator():
            pass

    def drive(coroutine: Any) -> None:  # without a loop, which has its own mind about KeyboardInterrupt
        with contextlib.closing(coroutine):
            coroutine.send(None)

    raises(plain, kind)
    raises(lambda: drive(coroutine()), kind)
    raises(lambda: list(generator()), kind)
    raises(lambda: drive(drain()), kind)
    with pytest.raises(kind), notify:
        raise kind
    assert told.texts == []
    assert told.handler.stats().accepted == 0


def test_one_exception_on_its_way_through_everything_is_one_alert(told: Told) -> None:
    log = logging.getLogger("test.decorators")
    log.propagate = False
    log.addHandler(told.handler)

    @notify_on_exception(handler=told.handler)
    def inner() -> None:
        raise Lost("once")

    @notify_on_exception(handler=told.handler)
    def outer() -> None:
        try:
            inner()
        except Lost:
            log.exception("seen on the way")
            raise

    try:
        raises(outer)
    finally:
        log.removeHandler(told.handler)
    assert "inner raised Lost: once" in told.once()
    stats = told.handler.stats()
    assert (stats.accepted, stats.delivered, stats.merged, stats.pending) == (3, 1, 2, 0)


def test_at_a_higher_level_it_is_an_alert_of_its_own(told: Told) -> None:
    outer = notify_on_exception(handler=told.handler, level="CRITICAL")
    inner = notify_on_exception(handler=told.handler)

    def charge() -> None:
        raise Lost

    def refund() -> None:
        raise Lost

    raises(outer(inner(charge)))
    assert len(told.texts) == 2
    raises(inner(outer(refund)))
    assert len(told.texts) == 3
    assert told.handler.stats().merged == 1


def test_each_handler_has_its_one_alert(told: Told) -> None:
    other = Told(told.sandbox)
    inner = notify_on_exception(handler=told.handler)
    outer = notify_on_exception(handler=other.handler)

    @outer
    @inner
    @inner
    def charge() -> None:
        raise Lost

    raises(charge)
    assert told.handler.flush(10.0)
    assert len(other.texts) == 2  # of both handlers, in one group
    assert (told.handler.stats().merged, other.handler.stats().merged) == (1, 0)
    assert (told.handler.stats().delivered, other.handler.stats().delivered) == (1, 1)
    other.handler.close()


@pytest.mark.parametrize("kind", [Lost, OSError, SyntaxError])
def test_an_exception_that_was_told_still_pickles_and_copies(told: Told, kind: type[Exception]) -> None:
    error = kind("carried")
    with contextlib.suppress(kind), notify_on_exception(handler=told.handler):
        raise error
    assert len(told.texts) == 1
    for other in (copy.copy(error), copy.deepcopy(error), pickle.loads(pickle.dumps(error))):
        assert type(other) is kind
        assert other.args == error.args


def test_an_exception_without_room_for_a_mark_is_merely_told_again(told: Told) -> None:
    class Full(Exception):
        @property
        def __dict__(self) -> Any:  # it misbehaves on purpose
            raise RuntimeError(CANARY)

    for _ in range(2):
        with contextlib.suppress(Full), notify_on_exception(handler=told.handler):
            raise Full
    assert len(told.texts) == 2


def test_a_text_of_the_exception_that_cannot_be_made_does_not_hide_it(told: Told) -> None:
    class Odd(Exception):
        def __str__(self) -> str:
            raise RuntimeError(CANARY)

    error = raises(
        notify_on_exception(handler=told.handler)(functools.partial(exec, "raise error", {"error": Odd()})), Odd
    )
    assert isinstance(error, Odd)
    text = told.once()
    assert "its text cannot be made: RuntimeError" in text
    assert CANARY not in text


def test_a_foreign_handler_that_fails_does_not_replace_the_exception(capfd: pytest.CaptureFixture[str]) -> None:
    class Broken(logging.Handler):
        def handle(self, record: logging.LogRecord) -> bool:
            raise RuntimeError(CANARY)

    error = Lost("mine")

    @notify_on_exception(handler=Broken())
    def charge() -> None:
        raise error

    assert raises(charge) is error
    said = capfd.readouterr().err
    assert (warned(), "RuntimeError" in said) == (["notify"], True)
    assert CANARY not in said


def test_an_exception_with_its_own_way_of_setting_attributes_is_told_once_and_still_copies(told: Told) -> None:
    class Frozen(Exception):
        def __setattr__(self, name: str, value: object) -> None:
            raise AttributeError(name)

    error = Frozen("x")
    for _ in range(2):
        with pytest.raises(Frozen), notify_on_exception(handler=told.handler):
            raise error
    assert len(told.texts) == 1
    assert (told.handler.stats().delivered, told.handler.stats().merged) == (1, 1)
    assert copy.copy(error).args == ("x",)
    assert id(error) in duplicates._beside
    with pytest.raises(Frozen), notify_on_exception(handler=told.handler):
        raise copy.copy(error)
    assert told.handler.flush(5.0)
    number = id(error)
    del error
    gc.collect()
    assert number not in duplicates._beside


def test_a_bot_s_url_in_place_of_a_handler_s_name_is_refused_and_not_repeated() -> None:
    with pytest.raises(ConfigurationError, match="a handler, or its name") as raised:
        notify_on_exception(handler="https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=693a91f6-canary")
    assert "canary" not in f"{raised.value} {vars(raised.value)}"
