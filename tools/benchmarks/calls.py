"""The log calls that are measured, as the source of a module: real lines of a real file, with a template each.

They are made, not written, because there are thousands, and because loguru wants ``{}`` where logging wants ``%s``.
"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

from .server import mark

FRAMES = 20

_REPEATED = """
from itertools import count, islice
from uuid import UUID

new = count()  # no text of those below comes twice


def repeat(log, n):
    for i in range(n):
        log.error("order %d cannot be priced: %s", i, "no rate")


def level_off(log, n):
    for i in range(n):
        log.debug("order %d is priced at %s", i, "12.50")


def equal(log, n):
    for _ in range(n):
        log.error("connection to %s lost", "database")


def warm_up(log):
    for i in range(3):
        log.error("warehouse %d answers slowly", i)


def text(log, word):
    log.error(f"{word} cannot be read")


def numbers(log, n):
    for i in islice(new, n):
        log.error(f"order {i} cannot be priced: {i % 7} items, {i * 0.07:.2f} in all")


def uuids(log, n):
    for i in islice(new, n):
        log.error(f"user {UUID(int=i * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128)}: payment {i} is refused")


def paths(log, n):
    for i in islice(new, n):
        name = NAMES[i % len(NAMES)]
        log.error(f"cannot read /srv/shop/uploads/{name}/{i}.csv for {name}: permission denied")


def chinese(log, n):
    for i in islice(new, n):
        log.error(f"订单 {i} 支付失败，金额 {i * 0.07:.2f} 元，第 {i % 7} 次重试")


def exception(log, n):
    for i in range(n):
        try:
            f1("no rate for this currency")
        except ValueError:
            log.exception("order %d failed", i)


def exceptions(log, n):
    for i in islice(new, n):
        try:
            f1(f"no rate for order {i}")
        except ValueError:
            log.exception("order %d failed", i)


NAMES = ["anna", "bob", "chen", "dora", "emil", "fang", "gao", "hugo", "ines", "jiang", "karl", "lena", "ming", "nora"]
"""


def _chain() -> str:
    """Functions that call each other until the last raises: with the one that catches, `FRAMES` of them."""
    last = FRAMES - 1
    calls = [f"def f{i}(text):\n    return f{i + 1}(text)\n" for i in range(1, last)]
    return "\n\n".join([*calls, f"def f{last}(text):\n    raise ValueError(text)\n"])


def _distinct(n: int, args: bool) -> str:
    """One function for each call: in a function of thousands of lines the interpreter looks long for the line."""
    lines = [
        f'def d{i}(log):\n    log.error("{mark(i)} pages of the catalogue could not be read: {ends})\n'
        for i in range(n)
        for ends in ['%s", "timed out"' if args else f'{i % 7} of {i} after 4.7 s"']
    ]
    return "\n\n".join([*lines, f"DISTINCT = [{', '.join(f'd{i}' for i in range(n))}]\n"])


def _critical(n: int) -> str:
    """Alerts that somebody waits for, with marks of their own."""
    lines = [
        f'def c{i}(log):\n    log.critical("{mark(900_000 + i)} no payment for ten minutes at %s", "the bank")\n'
        for i in range(n)
    ]
    return "\n\n".join([*lines, f"CRITICAL = [{', '.join(f'c{i}' for i in range(n))}]\n"])


def load(folder: Path, *, braces: bool, distinct: int = 0, args: bool = True) -> ModuleType:
    """Write the module into a folder and run it. ``args``: whether the distinct ones have some, or a text."""
    source = "\n\n".join([_REPEATED, _chain(), _distinct(distinct, args), _critical(3)])
    if braces:
        source = source.replace("%d", "{}").replace("%s", "{}")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "shop.py"
    path.write_text(source, encoding="utf-8")
    module = ModuleType("shop")
    module.__file__ = str(path)
    exec(compile(source, str(path), "exec"), module.__dict__)
    return module
