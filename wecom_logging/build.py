"""From the options of a handler to its pipeline. Loaded by the first handler that is made."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib.util import find_spec
from typing import Any, Literal, TypedDict

from . import config
from ._answers.desk import Desk
from ._answers.pairing import Pairing
from ._answers.places import Place, SharedPlace
from ._answers.reception import Reception
from ._capture.snapshot import Origin
from ._delivery.compose import Composer
from ._delivery.fallback import Find
from ._delivery.options import Options
from ._delivery.pipeline import Pipeline
from ._delivery.ratelimit import windows
from ._render.redact import masker
from ._render.redact import redact as builtin_redact
from ._runtime.warn import complain
from ._runtime.worker import living_workers
from ._state.lease import SharedLease
from ._state.shared import Shared, alone, redis_state, sqlite_state
from ._wecom.aibot import AIBotChannel
from ._wecom.bot import bots
from ._wecom.channels import AppChannel, BotChannel, Channel
from ._wecom.client import WeComClient
from ._wecom.long_connection import LongConnection, connection_of
from ._wecom.people import People
from .errors import MissingDependencyError
from .model import DeliveryReport, Route, Secret

_LOOK_UP_S = 2.0
"""A click waits for it, and has 5 s."""

Ids = str | int | Iterable[str | int]


class CommonOptions(TypedDict, total=False):
    """What both handlers take, all as keywords.

    ``level``: from which level on (NOTSET). ``service``, ``environment``: said in the first line. ``window``: seconds
    for which repeats are gathered (60; 1 to 86 400). ``take_for``: seconds for which nobody is told of the repeats of
    what somebody has taken (1800); ``quiet_limit``, ``critical_quiet_limit``: seconds for which somebody may silence
    what is not critical, and what is (86 400, 3600); each 60 to 86 400. ``answers``: ``"aibot"`` ends each alert with
    a line that says what to type to the AI bot (None).
    ``fingerprint``: ``fingerprint(record) -> str``, what makes two records the same. ``state``: what processes share,
    such as ``"sqlite:///path/to/alerts.db"``, or ``"memory://"``, nothing (WECOM_STATE).
    ``rate_limit``: such as ``"20/minute"``, or None for no limit (WECOM_RATE_LIMIT).
    ``timeout``: seconds for one request in all (10). ``exit_timeout``: seconds that the program's exit may take (5).
    ``max_pending``, ``max_pending_bytes``: how much may wait in memory (10 000 alerts, 16 MiB). ``overflow``: long
    texts are cut (``"trim"``), sent in at most ten parts (``"split"``), or as a file (``"file"``). ``frames``:
    ``"own"`` folds those of libraries, ``"all"`` shows them. ``language``: of the words around what the program says,
    ``"en"`` or ``"zh"`` (WECOM_LANGUAGE, or that of the locale). ``link``: a URL
    with ``{fingerprint}``, ``{service}``, ``{time}``. ``redact``: ``redact(text) -> str``, or False. ``fallback``:
    another handler, or its name in the logging config, which gets what WeCom refuses for good. ``on_outcome``:
    ``on_outcome(report)`` gets a `DeliveryReport` for each round of a message, in the worker's thread, which sends
    nothing meanwhile. ``enabled``:
    False (``WECOM_ENABLED=0``) sends nothing and needs nothing else, and so does ``"auto"`` where no credential is
    given and no variable WECOM_… is set. ``api_base``: scheme and host (WECOM_API_BASE).
    """

    level: int | str
    service: str | None
    environment: str | None
    window: float
    take_for: float
    quiet_limit: float
    critical_quiet_limit: float
    answers: str | None
    fingerprint: Callable[[logging.LogRecord], str] | None
    state: str | None
    rate_limit: str | None
    timeout: float
    exit_timeout: float
    max_pending: int
    max_pending_bytes: int
    overflow: str
    frames: str
    language: str | None
    link: str | None
    redact: Callable[[str], str] | bool | None
    fallback: logging.Handler | str | None
    on_outcome: Callable[[DeliveryReport], object] | None
    enabled: bool | Literal["auto"] | None
    api_base: str | None


@dataclass(frozen=True, slots=True)
class Door:
    """Channels (several are the bots of one group), the looks of messages, and the secrets that must never show."""

    channels: tuple[Channel, ...]
    composer: Composer
    secrets: tuple[Secret, ...]
    routes: tuple[Route, ...] = ()
    client: WeComClient | None = None
    bot: AIBot | None = None


@dataclass(frozen=True, slots=True)
class AIBot:
    """What an AI bot's handler has beside its channel."""

    connection: LongConnection
    chats: tuple[str, ...]
    answerers: Mapping[str, str]


def app_door(
    *,
    corp_id: str | None,
    agent_id: int | str | None,
    secret: str | Secret | None,
    contacts_secret: str | Secret | None,
    users: Ids | None,
    departments: Ids | None,
    tags: Ids | None,
    leader_of: Ids | None,
    routes: Iterable[Mapping[str, Any]] | None,
    options: CommonOptions,
) -> Door | None:
    """That of a `WeComHandler`; None where it is switched off."""
    if not _is_on("WeComHandler", options, corp_id, agent_id, secret, contacts_secret, channel="app"):
        return None
    client = WeComClient(
        corp_id,
        config.app_secret(secret),
        agent_id=config.agent_id(agent_id),
        contacts_secret=contacts_secret,
        **_client_options(options),
    )
    channel = AppChannel(client, config.recipients(users, departments, tags, leader_of))
    return Door((channel,), Composer(markdown=False), client.secrets, config.routes(routes), client)


def bot_door(
    webhook: str | Secret | Sequence[str | Secret] | None,
    mention: Ids | None,
    mention_level: int | str,
    options: CommonOptions,
) -> Door | None:
    """That of a `WeComBotHandler`; None where it is switched off."""
    if not _is_on("WeComBotHandler", options, webhook, channel="bot"):
        return None
    clients = bots(webhook, **_client_options(options))
    called = config.ids("mention", mention)
    composer = Composer(True, mention=called, mention_level=config.level("mention_level", mention_level))
    channels = tuple(BotChannel(client) for client in clients)
    return Door(channels, composer, tuple(client.key for client in clients))


def aibot_door(
    bot_id: str | None,
    secret: str | Secret | None,
    chats: Ids | None,
    answerers: Ids | Mapping[str, str] | None,
    url: str | None,
    options: CommonOptions,
) -> Door | None:
    """That of a `WeComAIBotHandler`; None where it is switched off."""
    if not _is_on("WeComAIBotHandler", options, bot_id, secret, chats, channel="aibot"):
        return None
    if find_spec("websocket") is None:
        raise MissingDependencyError(
            "WeComAIBotHandler", "needs_package", package="websocket-client", install="wecom-logging[aibot]"
        )
    connection = connection_of(
        config.aibot_url(url),
        config.aibot_id(bot_id),
        config.aibot_secret(secret),
        config.number("timeout", options.get("timeout", 10.0), least=0.1),
    )
    bot = AIBot(connection, config.chats(chats), config.answerers(answerers))
    return Door(
        (AIBotChannel(connection, bot.chats),),
        Composer(True, answers="aibot", buttons=True),
        (connection.secret,),
        bot=bot,
    )


def pipeline(name: str, door: Door, options: CommonOptions, default_rate_limit: str, fallback: Find | None) -> Pipeline:
    """Check what both handlers have in common, and make the way from a record to a message."""
    shared = shared_state(options.get("state"))
    if door.client is not None:
        door.client.share_tokens(shared)
    overflow = config.choice("overflow", options.get("overflow", "trim"), config.OVERFLOWS)
    made = Pipeline(
        door.channels,
        Options(
            name=name,
            origin=Origin(
                service=config.optional_text("service", options.get("service")),
                environment=config.optional_text("environment", options.get("environment")),
            ),
            composer=replace(
                door.composer,
                overflow=overflow,
                link=config.link(options.get("link")),
                language=config.language(options.get("language")),
                frames=config.choice("frames", options.get("frames", "own"), config.FRAMES),
                answers=_answers(options.get("answers")) or door.composer.answers,
            ),
            mask=masker(_secrets(door, shared), _redact(options.get("redact"))),
            rules=config.rate_limit(options.get("rate_limit", NotImplemented), default_rate_limit),
            timeout_s=config.number("timeout", options.get("timeout", 10.0), least=0.1),
            exit_timeout_s=config.number("exit_timeout", options.get("exit_timeout", 5.0), least=0),
            max_pending=config.whole("max_pending", options.get("max_pending", 10_000)),
            max_pending_bytes=config.whole("max_pending_bytes", options.get("max_pending_bytes", 16 * 1024 * 1024)),
            routes=door.routes,
            fallback=fallback,
            window_s=config.number("window", options.get("window", 60.0), least=1, most=86_400),
            take_for_s=config.number("take_for", options.get("take_for", 1800.0), least=60, most=86_400),
            quiet_limits_s=(
                config.number("quiet_limit", options.get("quiet_limit", 86_400.0), least=60, most=86_400),
                config.number(
                    "critical_quiet_limit", options.get("critical_quiet_limit", 3600.0), least=60, most=86_400
                ),
            ),
            fingerprint=config.function("fingerprint", options.get("fingerprint"), "fingerprint(record) -> str"),
            shared=shared,
            on_outcome=config.function("on_outcome", options.get("on_outcome"), "on_outcome(report)"),
            mask_may_log=callable(options.get("redact")),
        ),
    )
    if door.bot is not None:
        _reception(door.bot.connection, made).join(made, door.bot.chats, door.bot.answerers)
    return made


def _reception(connection: LongConnection, pipeline: Pipeline) -> Reception:
    """The one that hears what comes through a bot's connection in this process."""
    if isinstance(connection.listener, Reception):
        return connection.listener
    options = pipeline.options
    if options.shared is not alone:
        connection.lease = SharedLease(options.shared, f"aibot {connection.bot_id}")
    (channel,) = pipeline.channel_ids
    return Reception(
        connection,
        Desk(partial(_places, options.shared), language=options.composer.language, mask=options.mask),
        channel,
        windows=windows(channel, options.shared),
        language=options.composer.language,
        pairing=Pairing(connection.bot_id, options.shared),
        plain_id=_plain_id(options),
    )


def _plain_id(options: Options) -> Callable[[str], str]:
    """How encrypted user ids are read: by the app of the environment, if there is one."""
    secret = config.optional_app_secret(None)
    if secret is None or not os.environ.get("WECOM_CORP_ID"):
        return str
    client = WeComClient(None, secret, timeout=_LOOK_UP_S)
    client.share_tokens(options.shared)
    return People(client, options.complain).plain


def _places(shared: Shared) -> list[Place]:
    """Where what can be answered is: the state, and the memory of each handler of this process that has none."""
    jobs = [worker.job for worker in living_workers()]
    pipelines = [job for job in jobs if isinstance(job, Pipeline)]
    states = {one.options.shared for one in pipelines} | {shared}
    here: list[Place] = [one for one in pipelines if one.options.shared is alone]
    return [*(SharedPlace(one) for one in states if one is not alone), *here]


def _secrets(door: Door, shared: Shared) -> list[str]:
    return [*(secret.reveal() for secret in door.secrets), *shared.secrets]


def shared_state(value: object, complain: Callable[[str, str], None] = complain) -> Shared:
    """The state that is configured; `alone` where each process has its own memory. ``complain(cause, text)``: it is
    away.
    """
    found = config.state(value)
    if found.scheme == "memory":
        return alone
    return sqlite_state(found.path, complain) if found.scheme == "sqlite" else redis_state(found.server, complain)


def _answers(value: object) -> str:
    return "" if value is None else config.choice("answers", value, config.ANSWERS)


def _redact(value: object) -> Callable[[str], str] | None:
    if value is None or value is True:
        return builtin_redact
    if value is False:
        return None
    return config.function("redact", value, "redact(text) -> str")


def _is_on(kind: str, options: CommonOptions, *credentials: object, channel: str) -> bool:
    on = config.enabled(options.get("enabled"))
    if on is None and not config.is_set_up(*credentials, channel=channel):
        complain(f"auto {kind}", f'{kind} is off: enabled is "auto", and no variable WECOM_… is set for it')
        return False
    return on is not False


class _ClientOptions(TypedDict):
    api_base: str | None
    timeout: float


def _client_options(options: CommonOptions) -> _ClientOptions:
    return {"api_base": options.get("api_base"), "timeout": options.get("timeout", 10.0)}
