"""From the options of an AI bot's handler to its channel, and to those who hear what people answer.

It is apart from `_build`, since other handlers need nothing of what answers.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING

from . import _config as config
from ._answers.desk import Desk
from ._answers.pairing import Pairing
from ._answers.place import Place
from ._answers.reception import Reception
from ._answers.shared_place import SharedPlace
from ._build import Ids, Setup, is_on
from ._config import CommonOptions
from ._delivery import leader_place  # noqa: F401 # a child that is forked amid it could never finish it
from ._delivery.options import Looks
from ._delivery.pipeline import Pipeline
from ._runtime.version import with_extra
from ._runtime.worker import living_workers
from ._state.shared import Shared, SharedLease, alone
from ._wecom.aibot import AIBotChannel, People, connection_of
from ._wecom.client import WeComClient
from ._wecom.long_connection import LongConnection
from .errors import MissingDependencyError
from .model import Secret

if TYPE_CHECKING:
    from .model.duty import OnDuty


def aibot_setup(
    kind: type,
    options: CommonOptions,
    bot_id: str | None,
    secret: str | Secret | None,
    chats: Ids | None,
    answerers: Ids | Mapping[str, str] | None,
    url: str | None,
) -> tuple[Setup, LongConnection] | None:
    """That of a `WeComAIBotHandler`, and its connection; None where it is switched off."""
    if not is_on(kind, options, bot_id, secret, channel="aibot"):
        return None
    if find_spec("websocket") is None:
        raise MissingDependencyError(
            "WeComAIBotHandler", "needs_package", package="websocket-client", install=with_extra("aibot")
        )
    bot, own, called = config.all_given(
        lambda: config.aibot_id(bot_id), lambda: config.aibot_secret(secret), lambda: config.chats(chats)
    )
    timeout_s = config.checked(options, "timeout")["timeout_s"]
    connection, answering = connection_of(config.aibot_url(url), bot, own, timeout_s), config.answerers(answerers)
    channel = AIBotChannel(connection, called)
    setup = Setup(
        (channel.identity,),
        lambda _: (channel,),
        Looks(True, answers="aibot", buttons=True),
        (connection.secret,),
        channel.addressed(None),
        answering,
        join=lambda made: _reception(connection, made).join(made, called, answering),
    )
    return setup, connection


def _reception(connection: LongConnection, pipeline: Pipeline) -> Reception:
    """The one that hears what comes through a bot's connection in this process."""
    if isinstance(connection.listener, Reception):
        return connection.listener
    options = pipeline.options
    if options.shared is not alone:
        connection.lease = SharedLease(options.shared, f"aibot {connection.bot_id}")
    (channel,) = pipeline.channel_ids
    people = people_of(options.shared, options.warn_once)
    return Reception(
        connection,
        Desk(
            partial(_places, options.shared),
            language=options.looks.reader,
            mask=options.mask,
            time_s=options.shared.time_s,
            on_call=_on_call,
        ),
        channel,
        windows=options.shared.windows(channel),
        pairing=Pairing(connection.bot_id, options.shared),
        plain_id=str if people is None else people.plain,
        called=str if people is None else people.name,
    )


def people_of(shared: Shared, say: Callable[[str, str], object]) -> People | None:
    """Who is behind a user id: asked by the app of the environment, if there is one."""
    secret = config.optional_app_secret(None)
    if secret is None or not os.environ.get("WECOM_CORP_ID"):
        return None
    client = WeComClient(None, secret)
    client.share_tokens(shared)
    return People(client, say)


def _pipelines() -> list[Pipeline]:
    return [worker.job for worker in living_workers() if isinstance(worker.job, Pipeline)]


def _on_call() -> list[OnDuty]:
    """Who is on call by the rotas of this process's handlers, each of which has one of a name once."""
    return list({one.rota: one for pipeline in _pipelines() for one in pipeline.on_call()}.values())


def _places(shared: Shared) -> list[Place]:
    """Where what can be answered is: the state, and the memory of each handler of this process that has none."""
    pipelines = _pipelines()
    states = {one.options.shared for one in pipelines} | {shared}
    here: list[Place] = [place for one in pipelines if (place := one.place) is not None]
    return [*(SharedPlace(one) for one in states if one is not alone), *here]
