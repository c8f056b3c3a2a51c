"""Only type-checked, never run: what users write keeps its types. It uses each public name.

`.ci/run` has mypy and pyright check it from outside, too, where only the wheel is installed.
"""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, assert_type

from wecom_logging import (
    BotClient,
    MarkdownFormatter,
    Outcome,
    Stats,
    TextFormatter,
    WeComAIBotHandler,
    WeComBotHandler,
    WeComClient,
    WeComHandler,
    errors,
    install_hooks,
    notify_on_exception,
    progress,
)
from wecom_logging.errors import (
    AnswerLostError,
    APIError,
    BadResponseError,
    ConfigurationError,
    ConnectError,
    CredentialError,
    HTTPStatusError,
    InvalidMessageError,
    InvalidRecipientError,
    MessageError,
    MissingDependencyError,
    PermissionDeniedError,
    RateLimitedError,
    RequestTimeout,
    ServerBusyError,
    StateError,
    TokenError,
    TransportError,
    WeComError,
    WeComLoggingError,
)
from wecom_logging.integrations.airflow import WeComNotifier
from wecom_logging.integrations.apscheduler import listen
from wecom_logging.integrations.asgi import WeComMiddleware as ASGIMiddleware
from wecom_logging.integrations.celery import connect
from wecom_logging.integrations.dramatiq import WeComMiddleware as DramatiqMiddleware
from wecom_logging.integrations.flask import init_app
from wecom_logging.integrations.loguru import WeComSink
from wecom_logging.integrations.prometheus import WeComCollector
from wecom_logging.integrations.rq import WeComExceptionHandler, WeComWorker
from wecom_logging.integrations.structlog import WeComProcessor
from wecom_logging.integrations.wsgi import WeComMiddleware as WSGIMiddleware
from wecom_logging.model import (
    EVERYBODY,
    Alert,
    Answer,
    Article,
    Call,
    Change,
    DeliveryReport,
    Department,
    Digest,
    Failure,
    File,
    Frame,
    Image,
    IncidentView,
    Markdown,
    MarkdownV2,
    Member,
    Message,
    News,
    Recipients,
    Route,
    Sample,
    Secret,
    Tag,
    TemplateCard,
    Text,
    TextCard,
    Variant,
)
from wecom_logging.redaction import redact, redact_personal, redactor
from wecom_logging.teams import expect, maintenance
from wecom_logging.testing import CapturedAlerts, SentAlert, capture_alerts, sandbox


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

with maintenance("shop.pay", "30m", why="deploy", critical=True):
    pass
with progress("training", every="2h", total=10) as step:
    step(loss=0.1)
for item in progress(["a"], "imports", every="10m", attach=b""):
    assert_type(item, str)


@expect("backup", cron="30 2 * * *", grace="20m", max_runtime="2h", timezone="Asia/Shanghai", users=["zhangsan"])
def back_up(number: int) -> str:
    return str(number)


assert_type(back_up(1), str)
with expect("backup", every="1h", handler="wecom"):
    pass
progress(["a"])  # type: ignore[call-overload] # a title is missing

handler = WeComHandler(corp_id="ww", agent_id=1, secret="s", users=["a"], service="x", rate_limit=None)
assert_type(handler.flush(2.0), bool)
assert_type(handler.stats(), Stats)
WeComHandler(colour="red")  # type: ignore[call-arg] # an unknown option
WeComBotHandler(webhook="key", mention=["@all"], mention_level="ERROR", overflow="file")
WeComBotHandler(webhook=["key", Secret("another key")])
assert_type(WeComClient("ww", "s", agent_id=1).messages.send(Text("x"), users="@all"), Outcome)
assert_type(BotClient("key").send(Markdown("x")), Outcome)


def reported(report: DeliveryReport) -> None:
    assert_type(report.outcome, Outcome)
    assert_type(report.incidents, tuple[str, ...])
    assert_type(report.seconds, float)


def described(digest: Digest) -> tuple[object, ...]:
    assert_type(digest.alert, Alert)
    assert_type(digest.samples, tuple[Sample, ...])
    assert_type(digest.variants, tuple[Variant, ...])
    assert_type(digest.answer, Answer | None)
    assert_type(digest.alert.failures, tuple[Failure, ...])
    assert_type(digest.alert.place, Frame)
    return digest.count, digest.short_id


assert_type(redact("password=x"), str)
assert_type(redact_personal("13800138000"), str)
assert_type(redactor(["shop_pin", re.compile(r"\d{4}")]), Callable[[str], str])
aibot = WeComAIBotHandler(
    bot_id="b",
    secret=Secret("s"),
    chats=["zhangsan"],
    answerers={"zhangsan": "Zhang"},
    redact=redactor(["shop_pin"]),
    on_outcome=reported,
    state="redis://127.0.0.1:6379/0",
    fallback=logging.StreamHandler(),
)
aibot.setFormatter(MarkdownFormatter())
handler.setFormatter(TextFormatter())
assert_type(aibot.incidents(), list[IncidentView])
install_hooks(aibot, level="CRITICAL", sigterm=True)

client = WeComClient("ww", Secret("s"), agent_id=1, contacts_secret="c")
messages: Sequence[Message] = [
    Text("x", mentioned=(EVERYBODY,)),
    Markdown("x"),
    MarkdownV2("x"),
    TextCard("title", "description", "https://example.com/"),
    News((Article("title", "https://example.com/"),)),
    Image("media id"),
    File("media id"),
    TemplateCard({"card_type": "text_notice"}),
]
for message in messages:
    client.messages.send(message, users="a")
assert_type(Route(Recipients(users=("a",)), logger="shop", level=40).fits("shop", 40), bool)
assert_type(client.departments.list(), list[Department])
assert_type(client.members.get("a"), Member)
assert_type(client.tags.get(1), Tag)
assert_type(client.phone.ring(["a"]), tuple[Call, ...])
assert_type(client.tags.add(1, users=["a"]).complete, bool)
change: Change = client.tags.remove(1, users=["a"])

try:
    pass
except (TokenError, CredentialError, PermissionDeniedError, InvalidRecipientError, InvalidMessageError) as error:
    assert_type(error.errcode, int)
except (RateLimitedError, ServerBusyError, APIError) as error:
    assert_type((error.errmsg, error.hint, error.path, error.remedy), tuple[str, str, str, str])
except (ConnectError, RequestTimeout, HTTPStatusError, BadResponseError, TransportError) as error:
    assert_type(error.retryable, bool)
except (AnswerLostError, WeComError) as error:
    assert_type(error.retry_after_s, float)
except MissingDependencyError as error:
    missing: ImportError = error
except ConfigurationError as error:
    assert_type(error.field, str)
except (MessageError, StateError, WeComLoggingError):
    pass
same: type[errors.WeComError] = WeComError

with capture_alerts(timeout=1.0) as captured:
    alerts: CapturedAlerts = captured
    assert_type(captured[0], SentAlert)
    assert_type(captured[:1], Sequence[SentAlert])
    assert_type(captured.texts, list[str])
with sandbox(strict=True) as server:
    assert_type(server.url, str)
    assert_type(server.environment, dict[str, str])


def flask(app: Any) -> None:
    init_app(app, handler="wecom", user_id=lambda: 1)


def wsgi(app: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
    return WSGIMiddleware(app, route=lambda environ: environ["PATH_INFO"])


def asgi(app: Callable[..., Any]) -> ASGIMiddleware:
    return ASGIMiddleware(app, handler=handler)


connect(handler)
listen(object(), handler=handler)
hooks: Mapping[str, Callable[..., Any]] = {
    "loguru": WeComSink(handler),
    "rq": WeComExceptionHandler("wecom"),
    "rq worker": WeComWorker,
    "structlog": WeComProcessor(),
    "prometheus": WeComCollector().collect,
    "airflow": WeComNotifier,
    "dramatiq": DramatiqMiddleware,
}
