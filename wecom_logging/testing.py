"""For tests of a program's own logging: what its handlers would send, as simple values; nothing goes out.

    def test_a_failed_payment_is_an_alert():
        with capture_alerts() as alerts:
            pay(order)
        assert alerts[0].level == logging.ERROR
        assert alerts[0].recipients.users == ("zhangsan",)

With pytest there is the fixture ``wecom_alerts``. Of a program that is run as a whole, `sandbox` is a WeCom on this
machine; the fixture is ``wecom_sandbox``.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, overload
from unittest.mock import patch

from . import _config as config
from ._delivery.delivery import Delivery
from ._delivery.message_builder import Attachment, Part, Picture
from ._delivery.pipeline import forget_left
from ._delivery.sender import Sender
from ._runtime import clock
from ._runtime.version import with_extra
from ._runtime.worker import living_workers
from .errors import MissingDependencyError
from .handlers import (
    AlertHandler,
    WeComAIBotHandler,
    WeComBotHandler,
    WeComHandler,
    hide,
    live_handlers,
    when_switched_off,
)
from .model import Markdown, Outcome, Recipients, Text
from .model.message import Answerable

if TYPE_CHECKING:
    from ._sandbox import Sandbox

__all__ = ["CapturedAlerts", "SentAlert", "capture_alerts", "sandbox"]


@dataclass(frozen=True, slots=True)
class SentAlert:
    """A message as it would have gone out: masked, fitted, with its mentions.

    ``level`` is that of the record, of a shared message the highest. ``channel`` is ``"app"``, ``"bot"`` or
    ``"aibot"``. ``recipients`` are as they are configured, names not looked up; a group's bot has none, an AI bot
    ``chats``. ``mentioned`` are the ids of a text; in markdown they stand in it. ``attachment`` is a file or a picture,
    which has no text.
    """

    text: str
    level: int
    channel: str
    recipients: Recipients
    markdown: bool = False
    mentioned: tuple[str, ...] = ()
    attachment: bytes = b""


class CapturedAlerts(Sequence[SentAlert]):
    """The captured messages, handler by handler, the oldest first. Reading waits until all that was logged is captured.

    What came again, and would be sent later in a digest, is there when you look.
    """

    def __init__(self, timeout: float) -> None:
        self._timeout = config.number("timeout", timeout, least=0)
        self._found: list[SentAlert] = []
        self._is_open = True

    @overload
    def __getitem__(self, index: int) -> SentAlert: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[SentAlert]: ...
    def __getitem__(self, index: int | slice) -> SentAlert | Sequence[SentAlert]:
        return self._all()[index]

    def __len__(self) -> int:
        return len(self._all())

    def __iter__(self) -> Iterator[SentAlert]:
        return iter(self._all())

    def __repr__(self) -> str:
        return f"CapturedAlerts({self._found!r})"

    @property
    def texts(self) -> list[str]:
        """The texts of all that have one."""
        return [alert.text for alert in self._all() if alert.text]

    def clear(self) -> None:
        """Forget what was captured so far."""
        self._all().clear()

    def advance(self, seconds: float) -> None:
        """Let seconds pass for all handlers, without waiting. What is due by then is captured, such as closing lines.

        Time goes on from there for the rest of the process. A state that processes share keeps its own.
        """
        if not 0 <= seconds < float("inf"):
            raise ValueError(f"seconds must be zero or more, and finite, not {seconds!r}")
        self._all()
        clock.advance(seconds)
        ends = time.monotonic() + self._timeout
        for asked in [worker.ask() for worker in living_workers()]:
            if asked is not None:
                asked.acquire(timeout=max(ends - time.monotonic(), 0.0))

    def _all(self) -> list[SentAlert]:
        if self._is_open and not self._settled():
            raise TimeoutError(f"what was logged is not there within {self._timeout:g} s")
        return self._found

    def _settled(self) -> bool:
        ends = time.monotonic() + self._timeout
        settled = [worker.flush(ends - time.monotonic()) for worker in living_workers()]
        return all(settled)

    def _take(self, sender: Sender, part: Part, delivery: Delivery) -> Outcome:
        self._found.append(
            SentAlert(
                text=_text(part),
                level=delivery.level,
                channel=sender.channel.identity.split(" ", 1)[0],
                recipients=sender.channel.addressed(delivery.recipients),
                markdown=isinstance(part, Markdown | Answerable),
                mentioned=(*part.mentioned, *part.mentioned_mobiles) if isinstance(part, Text) else (),
                attachment=part.data if isinstance(part, Attachment | Picture) else b"",
            )
        )
        return Outcome("delivered")


def _text(part: Part) -> str:
    """What can be read of it; of a card what stands in its place where a chat takes none."""
    part = part.words if isinstance(part, Answerable) else part
    return part.content if isinstance(part, Text | Markdown) else ""


_STAND_IN = "captured"
_STAND_INS: tuple[tuple[type[AlertHandler], dict[str, object], str], ...] = (
    (WeComHandler, {"corp_id": _STAND_IN, "agent_id": 1, "secret": _STAND_IN}, "users"),
    (WeComBotHandler, {"webhook": _STAND_IN}, ""),
    (WeComAIBotHandler, {"bot_id": _STAND_IN, "secret": _STAND_IN}, "chats"),
)
"""What stands for the credentials of each kind of handler, and the option for who gets it."""
_ON = {"enabled": True, "state": "memory://"}


class _Awake:
    """Handlers that are switched off, such as by ``WECOM_ENABLED=0``: each has the pipeline of a twin meanwhile."""

    def __init__(self) -> None:
        self._twins: list[tuple[AlertHandler, AlertHandler]] = []

    def wake(self, handler: AlertHandler) -> None:
        if handler._pipeline is not None or handler._given is None:
            return
        kind, stand_ins, who = next(one for one in _STAND_INS if isinstance(handler, one[0]))
        try:
            twin = kind(**{**handler._given, **_recipients(handler._given, who), **stand_ins, **_ON})
        except MissingDependencyError:  # it is not there for programs that send, either
            return
        hide(twin)
        self._twins.append((handler, twin))
        handler._pipeline = twin._pipeline
        handler.setFormatter(handler.formatter)

    def end(self) -> None:
        for handler, twin in self._twins:
            handler._pipeline = None
            twin.close()


def _recipients(given: Mapping[str, object], who: str) -> dict[str, object]:
    """A recipient, where none is named, neither by an option nor by a variable."""
    named = any(given.get(name) is not None for name in ("users", "departments", "tags", "leader_of", "chats"))
    variables = ("USERS", "DEPARTMENTS", "TAGS") if who == "users" else ("AIBOT_CHATS",)
    if not who or named or any(os.environ.get(f"WECOM_{name}") for name in variables):
        return {}
    return {who: [_STAND_IN]}


@contextmanager
def capture_alerts(*, timeout: float = 5.0) -> Iterator[CapturedAlerts]:
    """Collect what the handlers of this package send while it is open, in place of sending it.

    All handlers take part, whether they are created before or inside, and whether they are switched on: with
    ``WECOM_ENABLED=0`` they need no credentials (nobody as the recipient is shown as ``"captured"``). Of a handler that
    is switched on, ids and secrets may be anything. Open incidents are forgotten. WeCom's limits are not used up.
    ``timeout``: seconds that the handlers may take. Inside another ``capture_alerts``, the inner one captures. Raises
    `ConfigurationError` where an option of a handler that is switched off is wrong.
    """
    captured, awake = CapturedAlerts(timeout), _Awake()
    forget_left()
    for handler in live_handlers():
        handler.forget_incidents()
    with patch.object(Sender, "send_part", lambda sender, part, delivery: captured._take(sender, part, delivery)):
        when_switched_off.append(awake.wake)
        try:
            for handler in live_handlers():
                awake.wake(handler)
            yield captured
        finally:
            when_switched_off.remove(awake.wake)
            captured._settled()
            captured._is_open = False
            awake.end()


@contextmanager
def sandbox(*, strict: bool = False, seed: object = None, tls: bool = False) -> Iterator[Sandbox]:
    """A whole WeCom on a free port of this machine, with the WECOM variables set to it while it is open.

        with sandbox() as wecom:
            subprocess.run([sys.executable, "job.py"])
            (message,) = wecom.wait(contains="disk full")

    ``wecom.messages(…)``, ``wecom.delete(…)`` and ``wecom.wait(count, at_most=…, timeout=…)`` take the filters
    ``contains``, ``not_contains``, ``channel``, ``receiver``, ``level``, ``msgtype``, ``since`` and ``until``;
    ``wecom.fail("message/send", 45009, times=3)`` makes calls fail, ``wecom.count_calls(errcode=45009)`` counts them,
    ``wecom.clock.advance(3600)`` advances the clock for tokens and limits, ``wecom.reset()`` brings the
    beginning back. ``strict`` rejects what WeCom takes though its documents forbid it; ``seed`` is what
    ``wecom-logging sandbox --seed`` reads; with ``tls`` it speaks TLS, and the variables make programs trust it. It
    needs the extra ``[sandbox]``.
    """
    others = {name: value for name, value in os.environ.items() if not name.startswith("WECOM_")}
    with TemporaryDirectory() as folder:
        try:
            from ._sandbox import Sandbox

            wecom = Sandbox(strict=strict, ca_file=os.path.join(folder, "ca.pem") if tls else "")
        except ModuleNotFoundError as error:
            raise MissingDependencyError(
                "sandbox", "needs_package", package=error.name, install=with_extra("sandbox")
            ) from None
        wecom.seed(seed)
        with wecom, patch.dict(os.environ, {**others, **wecom.environment}, clear=True):
            yield wecom
