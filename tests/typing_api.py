"""Only type-checked, never run: what users write keeps its types."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import assert_type

from wecom_logging import (
    BotClient,
    Outcome,
    Stats,
    WeComBotHandler,
    WeComClient,
    WeComHandler,
    notify_on_exception,
    progress,
)
from wecom_logging.model import Markdown, Secret, Text


@notify_on_exception
def plain(number: int, *, word: str = "") -> str:
    return word * number


@notify_on_exception(title="nightly", ignore=(KeyError,), capture_args=True)
async def coroutine(number: int) -> float:
    return float(number)


@notify_on_exception
def generator() -> Iterator[int]:
    yield 1


@notify_on_exception()
async def async_generator() -> AsyncIterator[bytes]:
    yield b""


class Job:
    @notify_on_exception
    def run(self, step: int) -> int:
        return step

    @notify_on_exception
    @staticmethod
    def check(name: str) -> bool:
        return bool(name)

    @notify_on_exception
    @classmethod
    def make(cls) -> Job:
        return cls()


assert_type(plain(2, word="x"), str)
plain("2")  # type: ignore[arg-type] # the signature is kept
assert_type(generator(), Iterator[int])
assert_type(async_generator(), AsyncIterator[bytes])
assert_type(Job().run(1), int)
assert_type(Job.check("x"), bool)
assert_type(Job.make(), Job)


async def use() -> None:
    assert_type(await coroutine(1), float)


with notify_on_exception(level="CRITICAL"):
    pass

with progress("training", every="2h", total=10) as step:
    step(loss=0.1)
for item in progress(["a"], "imports", every=600, attach=b""):
    assert_type(item, str)
progress(["a"])  # type: ignore[call-overload] # a title is missing

handler = WeComHandler(corp_id="ww", agent_id=1, secret="s", users=["a"], service="x", rate_limit=None)
assert_type(handler.flush(2.0), bool)
assert_type(handler.stats(), Stats)
WeComHandler(colour="red")  # type: ignore[call-arg] # an unknown option
WeComBotHandler(webhook="key", mention=["@all"], mention_level="ERROR", overflow="split")
WeComBotHandler(webhook=["key", Secret("another key")])
assert_type(WeComClient("ww", "s", agent_id=1).messages.send(Text("x"), users="@all"), Outcome)
assert_type(BotClient("key").send(Markdown("x")), Outcome)
