"""From the options of a handler to its pipeline. Loaded by the first handler that is made.

What is wrong with an option is said here. What sends is made in the worker's first turn, which loads it.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from . import _config as config
from ._capture.pending import Origin
from ._delivery.options import Looks, Options, Target
from ._delivery.pipeline import Channels, Pipeline, left
from ._incidents.pattern import changing_near_han
from ._lines import line
from ._pipelines import pipeline_of
from ._runtime.warn import warn_once
from ._state.shared import STATES, Shared, alone
from ._text.inert import uncoloured
from .errors import ConfigurationError
from .model import Recipients, Route, Secret

if TYPE_CHECKING:
    from ._wecom.channels import Channel
    from .model.duty import Rota, Step

Ids = str | int | Iterable[str | int]


class Setup(NamedTuple):
    """Channels (several are the bots of one group), the looks of messages, and the secrets that must never show.

    ``identities`` are those of the channels, which ``channels`` makes, with a state where tokens are shared.
    ``recipients``: who gets what names none; ``answerers``: who may answer. ``join`` is called with the pipeline.
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
    kind: type,
    options: config.CommonOptions,
    corp_id: str | None,
    agent_id: int | str | None,
    secret: str | Secret | None,
    contacts_secret: str | Secret | None,
    *who: Ids | None,
    routes: Iterable[Mapping[str, Any]] | None,
) -> Setup | None:
    """That of a `WeComHandler`; None where it is switched off."""
    if not is_on(kind, options, corp_id, agent_id, secret, contacts_secret, channel="app"):
        return None
    corp, agent, own, given = config.all_given(
        lambda: config.corp_id(corp_id),
        lambda: config.agent_id(agent_id),
        lambda: config.app_secret(secret),
        lambda: config.recipients(*who),
    )
    base, contacts = config.api_base(options.get("api_base")), config.contacts_secret(contacts_secret)
    timeout_s = config.checked(options, "timeout")["timeout_s"]

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
    kind: type,
    options: config.CommonOptions,
    webhook: str | Secret | Sequence[str | Secret] | None,
    mention: Ids | None,
    mention_level: int | str,
) -> Setup | None:
    """That of a `WeComBotHandler`; None where it is switched off."""
    if not is_on(kind, options, webhook, channel="bot"):
        return None
    base = options.get("api_base")
    keys = config.webhooks(webhook, None if base is None else config.api_base(base))
    timeout_s = config.checked(options, "timeout")["timeout_s"]
    called = config.ids("mention", mention)
    looks = Looks(True, mention=called, mention_level=config.level("mention_level", mention_level))

    def channels(shared: Shared) -> tuple[Channel, ...]:
        from ._wecom.bot import BotClient
        from ._wecom.channels import BotChannel

        return tuple(BotChannel(BotClient(key, api_base=host, timeout=timeout_s)) for host, key in keys)

    identities = tuple(config.bot_identity(host, key) for host, key in keys)
    return Setup(identities, channels, looks, tuple(key for _, key in keys))


def pipeline(
    kind: type,
    setup: Setup,
    options: config.CommonOptions,
    default_rate_limit: str,
    find: Callable[[logging.Handler | str], Target | None],
) -> Pipeline:
    """Check what all handlers have in common; make the way from a record to a message, or take one that was left.

    ``find``: the handler that is given as the fallback, or that has its name.
    """
    if (named := options.get("fallback")) is not None and (not isinstance(named, logging.Handler | str) or named == ""):
        raise ConfigurationError("fallback", "not_a_handler")
    shared = shared_state(options.get("state"))
    options, rules_of_duty = _duty(options, setup, shared)
    found = config.checked(options)
    looks = setup.looks._replace(
        answers=found.pop("answers") or setup.looks.answers,
        **{name: found.pop(name) for name in Looks._fields if name in found},
    )
    checked = Options(
        name=kind.__name__,
        origin=Origin(found.pop("service"), found.pop("environment")),
        looks=looks,
        mask=_mask(_secrets(setup, shared, found["heartbeat_url"]), _redact(options.get("redact"))),
        rules=config.rate_limit(options.get("rate_limit", NotImplemented), default_rate_limit),
        routes=setup.routes,
        fallback=None if named is None else partial(find, named),
        shared=shared,
        mask_may_log=callable(options.get("redact")),
        **rules_of_duty,
        **found,
    )
    if looks.language == "zh":  # so is what it logs
        changing_near_han()
    likeness = (
        *(kind, setup.identities, setup.secrets, setup.recipients, setup.answerers),
        *(replace(checked, mask=str, fallback=None), options.get("redact")),
        getattr(named, "_pipeline", None) or named,
    )
    channels = Channels(setup.identities, setup.recipients, partial(_channels, setup, shared))
    made = left(likeness) or pipeline_of(channels, checked)
    made.likeness = likeness
    if setup.join is not None:
        setup.join(made)
    return made


def _channels(setup: Setup, shared: Shared) -> tuple[Channel, ...]:
    _say_unnamed_rotas(of_file=True)
    return setup.channels(shared)


_MAX_DUTY = 64 * 1024
"""They travel with each incident, whose document has a limit, too."""


def _duty(options: config.CommonOptions, setup: Setup, shared: Shared) -> tuple[config.CommonOptions, dict[str, Any]]:
    """The options with those of a file of rules of time and persons, and what these are for `Options`.

    Nothing of it is loaded where there are none.
    """
    rules = {name: one.variable for name, one in config.marked(config.OfDuty).items()} | {"duty": "WECOM_DUTY"}
    del rules["timezone"]  # of messages, too
    if not any(options.get(name) is not None or os.environ.get(variable) for name, variable in rules.items()):
        _check_rotas(setup)
        return options, {}
    from ._config import duty as of_duty
    from ._duty.calendars import calendar
    from ._incidents.duty import duty_text
    from ._runtime import functions

    is_given, has_rotas = (options.get(name) is not None for name in ("escalation", "on_call"))
    if zone := of_duty.zone_left_out(options):
        warn_once("zone", line("zone_left_out", variable=os.environ["WECOM_TIMEZONE"], zone=zone))
    options = of_duty.with_file(options)
    duty = of_duty.duty(options)
    if duty.calendar:
        functions.given.add(duty.calendar)
        calendar(duty.calendar)
    functions.given.update(rota.who for rota in duty.rotas)
    if duty.steps:
        from ._config import escalation

        if not (is_given or escalation.are_for(duty.steps, setup.recipients)):
            duty = replace(duty, steps=())  # a file of them is read by all handlers
    _check_rotas(setup, duty.rotas, duty.steps)
    if setup.recipients is not None and not setup.recipients.chats:  # a bot tells nobody by name
        _rotas.update(dict.fromkeys(rota.name for rota in duty.rotas))
    if has_rotas:
        _say_unnamed_rotas(of_file=False)
    if duty.steps:
        can_be_taken = bool(setup.looks.answers or options.get("answers")) or shared is not alone
        escalation.check(duty.steps, duty.steps_level, setup.recipients, can_be_taken=can_be_taken)
    text, steps_s = duty_text(duty), tuple(step.after_s for step in duty.steps)
    if len(text) > _MAX_DUTY:
        raise ConfigurationError("on_call", "too_long", most=_MAX_DUTY)
    return options, {"duty": text, "steps_s": steps_s, "steps_level": duty.steps_level}


def _check_rotas(setup: Setup, rotas: Sequence[Rota] = (), steps: Sequence[Step] = ()) -> None:
    """That each rota exists that is named where users are, and that some person always gets what is sent."""
    named = {"users": setup.recipients}
    named |= {f"routes[{number}].users": one.recipients for number, one in enumerate(setup.routes)}
    named |= {f"escalation[{number}].users": one.recipients for number, one in enumerate(steps)}
    if any(one is not None and one.rotas for one in named.values()):
        from ._config import on_call

        for field, one in named.items():
            on_call.check_rotas(field, one, rotas)
            _named_rotas.update(() if one is None else one.rotas)
        on_call.check_never_silent(setup.recipients, rotas)


_rotas: dict[str, None] = {}
_named_rotas: set[str] = set()
"""The rotas that the handlers of this process have, until it is said which nobody names; and the rotas they name."""


def _say_unnamed_rotas(*, of_file: bool) -> None:
    """One that a handler alone has is said at once. A file of them is read by all handlers, of which a later one may
    name some, and perhaps by other programs, which name the others: the worker says where none is named.
    """
    names = [name for name in _rotas if name not in _named_rotas]
    is_said = bool(names) and not (of_file and len(names) < len(_rotas))
    _rotas.clear()
    if is_said:
        warn_once("rotas", line("rota_unnamed", names=", ".join(names), such=f"on-call:{names[0]}"))


def _secrets(setup: Setup, shared: Shared, *more: Secret | None) -> list[str]:
    return [*(one.reveal() for one in (*setup.secrets, *more) if one is not None), *shared.secrets]


def shared_state(value: object, warn_once: Callable[[str, str], object] = warn_once) -> Shared:
    """The state that is configured; `alone` where each process has its own memory. ``warn_once(cause, text)``: it is
    away.
    """
    if isinstance(value, Shared):
        return value
    found = config.state(value)
    return alone if found.scheme == "memory" else STATES[found.scheme](found.at, warn_once)


def _redact(value: object) -> Callable[[str], str] | bool:
    if value is None or isinstance(value, bool):
        return value is not False
    return config.function("redact", value, "redact(text) -> str") or True


secrets_of_all: dict[str, None] = {}
"""Those of every handler of this process: a record with one handler's secret may go to another's group."""


def _mask(secrets: list[str], further: Callable[[str], str] | bool) -> Callable[[str], str]:
    """Masks these and all other handlers' secrets, and what ``further`` finds; it is loaded when it is used.

    All that is shown of a record goes through it, so it is here that colours are taken out: by the worker.
    """
    secrets_of_all.update(dict.fromkeys(secrets))
    made: Callable[[str], str] | None = None
    number = 0

    def mask(text: str) -> str:
        nonlocal made, number
        if made is None or number != len(secrets_of_all):
            from ._masking.redact import masker, redact, remember

            remember(*(all_of_them := [*secrets_of_all]))
            made = masker(secrets, further if callable(further) else redact if further else None)
            number = len(all_of_them)  # last: a thread that comes amid this makes it, too
        return made(uncoloured(text) if "\x1b" in text else text)

    return mask


_said_off: set[str] = set()
"""The channels of which this process has said that no credentials are set."""


def is_on(kind: type, options: config.CommonOptions, *credentials: object, channel: str) -> bool:
    """Says whether a handler of this kind is switched on; one line says where it is not for want of credentials.

    Raises `ConfigurationError` for options and variables that there are not.
    """
    if not options.keys() <= config.CommonOptions.__annotations__.keys():
        _refuse_names(kind, options)
    if (on := config.enabled(options.get("enabled"))) is False:
        return False
    config.check_variables()
    if on or config.is_set_up(*credentials, channel=channel):
        return True
    if channel not in _said_off:
        _said_off.add(channel)
        warn_once(f"off {channel}", line("off", kind=kind.__name__, variables=config.NEEDED[channel]))
    return False


_HANDLERS = {"app": "WeComHandler", "bot": "WeComBotHandler", "aibot": "WeComAIBotHandler"}


def _refuse_names(kind: type, options: Mapping[str, object]) -> None:
    import difflib
    import inspect

    from ._config.options import all_options

    own = [name for name in inspect.signature(kind).parameters if name != "options"]
    names = [*own, *config.CommonOptions.__annotations__]
    name = next(name for name in options if name not in names)
    shown = name if name.isidentifier() and len(name) <= 40 else "options"  # a slip may put a secret there
    if others := [_HANDLERS[one.handler] for one in all_options().values() if name == one.keyword]:
        raise ConfigurationError(shown, "option_of_another", kind=kind.__name__, others=", ".join(others))
    if close := difflib.get_close_matches(name, names, 1, 0.7):
        raise ConfigurationError(shown, "misspelt_option", close=close[0])
    raise ConfigurationError(shown, "unknown_option", names=", ".join(names))
