"""What calling threads remember of texts, places and exceptions is bounded, however many different ones come."""

from __future__ import annotations

import gc
import logging
import sys
import uuid
from collections import deque
from collections.abc import Callable, Iterator

import pytest

from wecom_logging import WeComBotHandler
from wecom_logging._sandbox import Sandbox

from ..programs import word

MOST = 10_000
"""No table is larger: `max_pending` is so many, and all others are smaller."""

NUMBER = 12_000
ROOMS = ("wecom_logging._capture", "wecom_logging._incidents")


def fail(text: str, kind: type[Exception] = RuntimeError) -> Exception:
    try:
        raise kind(text)
    except Exception as error:
        return error


def at_line(line: int, text: str, *args: object, name: str = "shop", error: Exception | None = None) -> None:
    exc_info = None if error is None else (type(error), error, error.__traceback__)
    log = logging.getLogger("shop")
    log.handle(log.makeRecord(name, logging.ERROR, f"/srv/shop/{name}.py", line, text, args, exc_info, "buy"))


FORMS: dict[str, Callable[[int], None]] = {
    "numbers": lambda i: at_line(1, f"order {i} cannot be priced: {i % 7} items, {i * 0.07:.2f} in all"),
    "uuids": lambda i: at_line(
        1, f"user {uuid.UUID(int=i * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128)}: {i} refused"
    ),
    "paths": lambda i: at_line(1, f"cannot read /srv/shop/uploads/{word(i)}/{i}.csv for {word(i % 5000)}: no"),
    "chinese": lambda i: at_line(1, f"订单 {i} 支付失败，金额 {i * 0.07:.2f} 元，第 {i % 7} 次重试"),
    "a name": lambda i: at_line(1, f"user '{word(i)}' was not found in the list of members"),
    "words": lambda i: at_line(1, f"{word(i)} {word(i * 7)} {word(i * 49)} {word(i * 343)}"),
    "words that come twice": lambda i: at_line(1, f"{word(i // 2)} {word(i // 2 * 7)} {word(i // 2 * 49)}"),
    "codes": lambda i: at_line(1, f"status {i // 3 % 500 + 100}, errno {i // 3} of {'1' * (i // 3 % 12)}"),
    "places": lambda i: at_line(i, f"the {word(i)} pages of the catalogue {i % 7} could not be read"),
    "places that come twice": lambda i: at_line(i // 2, f"page {i} of the catalogue could not be read"),
    "templates": lambda i: at_line(1, f"the {word(i)} %s could not be read", i),
    "loggers": lambda i: at_line(1, "page %d could not be read", i, name=f"shop.{word(i)}"),
    "exceptions": lambda i: at_line(1, "order failed", error=fail(f"no rate for {word(i)} {i}")),
    "kinds of exceptions": lambda i: at_line(
        1, "order failed", error=fail("no", type(f"{word(i)}Error", (Exception,), {}))
    ),
    "code that is compiled": lambda i: at_line(1, "order failed", error=_compiled(i)),
}


def _compiled(number: int) -> Exception:
    scope: dict[str, Exception] = {}
    code = f"try:\n    1 / 0\nexcept Exception as error:\n    found_{number} = error"
    exec(compile(code, f"/srv/shop/{word(number)}.py", "exec"), scope)
    return scope[f"found_{number}"]


def tables(start: object) -> Iterator[object]:
    """All containers that objects of the capture room hold, as far as they lead."""
    seen, waiting = set[int](), [start]
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, dict | set | deque | list):
            yield one
        if isinstance(one, dict | set | deque | list | tuple) or type(one).__module__.startswith(ROOMS):
            waiting += gc.get_referents(one)


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
def test_no_table_of_a_calling_thread_grows_with_the_texts(sandbox: Sandbox, form: str) -> None:
    handler = WeComBotHandler(webhook="sandbox-bot", api_base=sandbox.url, exit_timeout=0)
    log = logging.getLogger("shop")
    log.addHandler(handler)
    log.propagate = False
    try:
        for number in range(NUMBER):
            FORMS[form](number)
    finally:
        log.removeHandler(handler)
        log.propagate = True
    assert handler._pipeline is not None
    found = [*tables(handler._pipeline.collector)]
    for name, module in list(sys.modules.items()):
        if name.startswith(ROOMS):
            for one in vars(module).values():
                found += tables(one) if isinstance(one, dict | set | deque | list) else ()
                if hasattr(one, "cache_info"):
                    now = one.cache_info()
                    assert now.maxsize is not None, one
                    assert now.currsize <= now.maxsize <= MOST, one
    assert len(found) > 20
    assert [(len(one), [*one][:2]) for one in found if len(one) > MOST] == []
    handler.close()
