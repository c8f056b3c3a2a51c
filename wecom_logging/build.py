"""From the options of a handler to its pipeline. Loaded by the first handler that is made.

What is wrong with an option is said here. What sends is made in the worker's first turn, which loads it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypedDict

from . import _config as config
from ._capture.families import prepare_for_han
from ._capture.snapshot import Origin
from ._delivery.options import Find, Looks, Options
from ._delivery.pipeline import Channels, Pipeline, left
from ._incidents.limits import CRITICAL_QUIET_LIMIT_S, QUIET_LIMIT_S, TAKE_FOR_S
from ._incidents.pattern import changing_near_han
from ._runtime.warn import warn_once
from ._state.shared import Shared, alone, redis_state, sqlite_state
from .model import Recipients, Route, Secret

if TYPE_CHECKING:
    from ._wecom.channels import Channel
    from .model import DeliveryReport

Ids = str | int | Iterable[str | int]


class CommonOptions(TypedDict, total=False):
    """What all handlers take, all as keywords.

    * ``level`` (``NOTSET``): the lowest level that is sent.
    * ``service`` (none): the name of the service; the first line of a message shows it.
    * ``environment`` (none): the environment, such as ``"prod"``; the first line of a message shows it, and
      alerts of two environments are never the same.
    * ``window`` (60 s): how long repeats are counted before a digest: 1 s to a day.
    * ``take_for`` (1800 s): how long repeats of an incident stay silent after somebody has taken it: 60 s to a
      day.
    * ``quiet_limit`` (86,400 s): the longest time for which somebody may silence an incident below CRITICAL: 60 s
      to a day.
    * ``critical_quiet_limit`` (3600 s): the same for a CRITICAL incident.
    * ``answers`` (none): ``"aibot"``: the last line of an alert says what to type to the AI bot: ``to the bot:
      take k7f2 · quiet k7f2 1h``.
    * ``fingerprint`` (built in): a function ``fingerprint(record) -> str``. Records with the same result are the
      same incident.
    * ``state`` (``"memory://"``, WECOM_STATE): where alerts are kept so that they survive the process and are
      shared: ``"sqlite:///path/to/alerts.db"``, ``"redis://host:6379/0"`` or a client object.
    * ``rate_limit`` (app: ``"30/minute, 1000/hour"`` for each member; bot: ``"20/minute"`` for each bot; AI bot:
      ``"24/minute, 800/hour"`` for each chat, WECOM_RATE_LIMIT): how many messages go out. ``None`` (``off`` in
      the variable) where WeCom has no limit, such as a private deployment.
    * ``timeout`` (10 s): the time limit for one request, in total: at least 0.1 s.
    * ``exit_timeout`` (5 s): how long the exit of the program may wait.
    * ``max_pending`` (10,000): the maximum number of pending alerts in memory.
    * ``max_pending_bytes`` (16 MiB): how many bytes of alerts may wait in memory.
    * ``overflow`` (``"trim"``): what happens to a text that is too long: ``"trim"`` cuts it, ``"split"`` sends up
      to ten messages, ``"file"`` sends the whole as a file.
    * ``frames`` (``"own"``): of a traceback: ``"own"`` folds frames of libraries into one line (``… 14 in
      sqlalchemy``), except the first and the last; ``"all"`` shows every frame.
    * ``language`` (that of the locale (``LANGUAGE``, ``LC_ALL``, ``LC_MESSAGES``, ``LANG``), WECOM_LANGUAGE):
      ``"en"`` or ``"zh"``: the words around the text of the program, in messages, on cards and in ``doctor``.
      Lines on stderr and ``--help`` are in English. The process that sends decides, also for alerts that another
      process has logged; it does not change which records are the same.
    * ``link`` (none): a URL into your own log system. ``{fingerprint}`` (yours, else the short id), ``{service}``
      and ``{time}`` are filled in.
    * ``redact`` (built in): a function ``redact(text) -> str``, or ``False``. ``redact_personal`` of
      ``wecom_logging.redaction`` also masks personal data (in ``dictConfig``:
      ``"ext://wecom_logging.redaction.redact_personal"``); ``redactor(extra=[…], personal=True)`` names and
      patterns of your own as well.
    * ``fallback`` (none): another handler, or its name in the logging config. It gets the alerts that WeCom
      rejects permanently.
    * ``on_outcome`` (none): a function ``on_outcome(report)``. The thread that sends calls it with the result of
      each message.
    * ``enabled`` (``True``, WECOM_ENABLED): ``False`` (``0`` in the variable) sends nothing and needs no other
      option. ``"auto"`` is off where no credential (``corp_id``, ``agent_id``, ``secret``, ``contacts_secret``;
      bot: ``webhook``) is given and no ``WECOM_…`` variable is set; variables that only another handler reads do
      not count, nor does ``WECOM_LANGUAGE``.
    * ``api_base`` (``"https://qyapi.weixin.qq.com"``, WECOM_API_BASE): scheme and host of the sandbox, a proxy or
      a private deployment.
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


class Setup(NamedTuple):
    """Channels (several are the bots of one group), the looks of messages, and the secrets that must never show.

    ``identities`` are those of the channels, which ``channels`` makes, with a state where tokens are shared.
    ``recipients``: who gets what names nobody; ``answerers``: who may answer. ``join`` is called with the pipeline.
    """

    identities: tuple[str, ...]
    channels: Callable[[Shared], tuple[Channel, ...]]
    looks: Looks
    secrets: tuple[Secret, ...]
    recipients: Recipients | None = None
    answerers: object = None
    routes: tuple[Route, ...] = ()
    join: Callable[[Pipeline], None] | None = None


def app_setup(
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
) -> Setup | None:
    """That of a `WeComHandler`; None where it is switched off."""
    if not is_on("WeComHandler", options, corp_id, agent_id, secret, contacts_secret, channel="app"):
        return None
    config.all_given(
        lambda: config.corp_id(corp_id),
        lambda: config.agent_id(agent_id),
        lambda: config.app_secret(secret),
        lambda: config.recipients(users, departments, tags, leader_of),
    )
    corp, agent = config.corp_id(corp_id), config.agent_id(agent_id)
    base = config.api_base(options.get("api_base"))
    own, contacts = config.app_secret(secret), config.contacts_secret(contacts_secret)
    timeout_s = config.timeout(options.get("timeout", 10.0))
    given = config.recipients(users, departments, tags, leader_of)

    def channels(shared: Shared) -> tuple[Channel, ...]:
        from ._wecom.channels import AppChannel
        from ._wecom.client import WeComClient

        client = WeComClient.checked(corp, own, agent, contacts, base, timeout_s)
        client.share_tokens(shared)
        return (AppChannel(client, given),)

    secrets = (own,) if contacts is None else (own, contacts)
    identity = config.app_identity(base, corp, agent)
    return Setup((identity,), channels, Looks(markdown=False), secrets, given, routes=config.routes(routes))


def bot_setup(
    webhook: str | Secret | Sequence[str | Secret] | None,
    mention: Ids | None,
    mention_level: int | str,
    options: CommonOptions,
) -> Setup | None:
    """That of a `WeComBotHandler`; None where it is switched off."""
    if not is_on("WeComBotHandler", options, webhook, channel="bot"):
        return None
    base = options.get("api_base")
    keys = config.webhooks(webhook, None if base is None else config.api_base(base))
    timeout_s = config.timeout(options.get("timeout", 10.0))
    called = config.ids("mention", mention)
    looks = Looks(True, mention=called, mention_level=config.level("mention_level", mention_level))

    def channels(shared: Shared) -> tuple[Channel, ...]:
        from ._wecom.bot import BotClient
        from ._wecom.channels import BotChannel

        return tuple(BotChannel(BotClient(key, api_base=host, timeout=timeout_s)) for host, key in keys)

    identities = tuple(config.bot_identity(host, key) for host, key in keys)
    return Setup(identities, channels, looks, tuple(key for _, key in keys))


def pipeline(
    kind: type, setup: Setup, options: CommonOptions, default_rate_limit: str, fallback: Find | None
) -> Pipeline:
    """Check what all handlers have in common; make the way from a record to a message, or take one that was left."""
    shared = shared_state(options.get("state"))
    overflow = config.choice("overflow", options.get("overflow", "trim"), config.OVERFLOWS)
    quiet_limits_s = (
        config.number("quiet_limit", options.get("quiet_limit", QUIET_LIMIT_S), least=60, most=86_400),
        config.number(
            "critical_quiet_limit", options.get("critical_quiet_limit", CRITICAL_QUIET_LIMIT_S), least=60, most=86_400
        ),
    )
    checked = Options(
        name=kind.__name__,
        origin=Origin(
            service=config.optional_text("service", options.get("service")),
            environment=config.optional_text("environment", options.get("environment")),
        ),
        looks=setup.looks._replace(
            overflow=overflow,
            link=config.link(options.get("link")),
            language=config.language(options.get("language")),
            frames=config.choice("frames", options.get("frames", "own"), config.FRAMES),
            answers=_answers(options.get("answers")) or setup.looks.answers,
            quiet_limits_s=quiet_limits_s,
        ),
        mask=_mask(_secrets(setup, shared), _redact(options.get("redact"))),
        rules=config.rate_limit(options.get("rate_limit", NotImplemented), default_rate_limit),
        timeout_s=config.timeout(options.get("timeout", 10.0)),
        exit_timeout_s=config.number("exit_timeout", options.get("exit_timeout", 5.0), least=0),
        max_pending=config.whole("max_pending", options.get("max_pending", 10_000)),
        max_pending_bytes=config.whole("max_pending_bytes", options.get("max_pending_bytes", 16 * 1024 * 1024)),
        routes=setup.routes,
        fallback=fallback,
        window_s=config.number("window", options.get("window", 60.0), least=1, most=86_400),
        take_for_s=config.number("take_for", options.get("take_for", TAKE_FOR_S), least=60, most=86_400),
        quiet_limits_s=quiet_limits_s,
        fingerprint=config.function("fingerprint", options.get("fingerprint"), "fingerprint(record) -> str"),
        shared=shared,
        on_outcome=config.function("on_outcome", options.get("on_outcome"), "on_outcome(report)"),
        mask_may_log=callable(options.get("redact")),
    )
    if checked.looks.language == "zh":  # so is what it logs
        changing_near_han()
        prepare_for_han()
    likeness = (
        *(kind, setup.identities, setup.secrets, setup.recipients, setup.answerers),
        *(replace(checked, mask=str, fallback=None), options.get("redact")),
        getattr(options.get("fallback"), "_pipeline", None) or options.get("fallback"),
    )
    channels = Channels(setup.identities, setup.recipients, lambda: setup.channels(shared))
    made = left(likeness) or Pipeline(channels, checked)
    made.likeness = likeness
    if setup.join is not None:
        setup.join(made)
    return made


def _secrets(setup: Setup, shared: Shared) -> list[str]:
    return [*(secret.reveal() for secret in setup.secrets), *shared.secrets]


def shared_state(value: object, warn_once: Callable[[str, str], object] = warn_once) -> Shared:
    """The state that is configured; `alone` where each process has its own memory. ``warn_once(cause, text)``: it is
    away.
    """
    found = config.state(value)
    if found.scheme == "memory":
        return alone
    return sqlite_state(found.path, warn_once) if found.scheme == "sqlite" else redis_state(found.server, warn_once)


def _answers(value: object) -> str:
    return "" if value is None else config.choice("answers", value, config.ANSWERS)


def _redact(value: object) -> Callable[[str], str] | bool:
    if value is None or isinstance(value, bool):
        return value is not False
    return config.function("redact", value, "redact(text) -> str") or True


secrets_of_all: dict[str, None] = {}
"""Those of every handler of this process: a record with one handler's secret may go to another's group."""


def _mask(secrets: list[str], further: Callable[[str], str] | bool) -> Callable[[str], str]:
    """What masks these and all other handlers' secrets, and what ``further`` finds; it is loaded when it is used."""
    secrets_of_all.update(dict.fromkeys(secrets))
    made: Callable[[str], str] | None = None
    number = 0

    def mask(text: str) -> str:
        nonlocal made, number
        if made is None or number != len(secrets_of_all):
            from ._masking.redact import masker, redact, remember

            remember(*(all_of_them := [*secrets_of_all]))
            made = masker(secrets, further if callable(further) else redact if further else None)
            number = len(all_of_them)  # last: whoever comes amid this, or tears it, finds that it is to be done
        return made(text)

    return mask


def is_on(kind: str, options: CommonOptions, *credentials: object, channel: str) -> bool:
    on = config.enabled(options.get("enabled"))
    if on is None and not config.is_set_up(*credentials, channel=channel):
        warn_once(f"auto {kind}", f'{kind} is off: enabled is "auto", and no variable WECOM_… is set for it')
        return False
    return on is not False
