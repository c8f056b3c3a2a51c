"""`AppChannel` and `BotChannel`: what the sender needs of an app or a group's bot."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from .. import _config as config
from .._lines import line
from ..errors import InvalidRecipientError, MessageError
from ..model import File, Image, Message, Outcome, Recipients
from ..model.captured import PNG
from ..model.message import Answerable
from ..model.recipients import EVERYBODY_LOG
from .addressbook import AddressBook, Found
from .body import APP_BYTES, BOT_BYTES
from .bot import BotClient
from .client import WeComClient
from .http import load_libraries

if TYPE_CHECKING:
    from ..model import Call

DUPLICATE_CHECK_S = 1800
"""An alert whose answer was lost is sent again, byte for byte, and WeCom shows it once: each has its own number."""

MAX_TOLD = 1000
TOLD_AT_ONCE = 10
"""Of recipients that are unknown or not clear; a line of stderr is for people."""


class Channel(Protocol):
    """What the pipeline knows of a channel."""

    identity: str
    """Equal for all handlers of one app or bot, and without a secret."""
    max_bytes: Mapping[type, int]
    """UTF-8 bytes by message class."""
    mentions: bool
    """Whether messages may mention people."""

    @property
    def is_elsewhere(self) -> bool:
        """Whether another process of the state sends all that goes through it, and this one has to wait."""

    def load(self) -> None:
        """Import what sending needs, where a fork waits for it."""

    def begin(self) -> None:
        """Before each turn, in the worker's thread, with no lock held."""

    def receivers(self, recipients: Recipients | None) -> tuple[str, ...]:
        """In whose logs of the rate limit a message stands."""

    def addressed(self, recipients: Recipients | None) -> Recipients:
        """Who is meant, as it was configured."""

    def known(self, recipients: Recipients | None) -> Recipients:
        """The same by id, as far as that is known without asking."""

    def deliver(
        self, message: Message | Answerable, recipients: Recipients | None, before_try: Callable[[], None]
    ) -> Outcome:
        """Send one message in one round of at most three tries; raises `WeComError` or `MessageError`."""

    def ring(self, recipients: Recipients) -> tuple[Call, ...]:
        """Let the phones of persons ring; () where this channel calls nobody. Raises `WeComError` or `MessageError`."""

    def upload(self, name: str, data: bytes) -> File:
        """Upload a file for a message."""

    def picture(self, data: bytes) -> Image:
        """A message of a JPG or PNG."""


class _ByRequests:
    is_elsewhere = False

    def load(self) -> None:
        load_libraries()

    def begin(self) -> None:
        """A request opens its own connection."""


class AppChannel(_ByRequests):
    """App messages to members, departments and tags; ``recipients`` are those of alerts that name none.

    ``duplicate_check_s``: for how long WeCom shows the very same message once.
    """

    max_bytes = APP_BYTES
    mentions = False

    def __init__(
        self, client: WeComClient, recipients: Recipients, *, duplicate_check_s: int = DUPLICATE_CHECK_S
    ) -> None:
        self.client = client
        self._duplicate_check_s = duplicate_check_s
        self._recipients = recipients
        self._book = AddressBook(client)
        self._told: set[str] = set()
        self.identity = config.app_identity(client.api_base, client.corp_id, client.agent_id)

    def receivers(self, recipients: Recipients | None) -> tuple[str, ...]:
        found = self.known(recipients)
        return found.users if found.only_members else (EVERYBODY_LOG,)

    def known(self, recipients: Recipients | None) -> Recipients:
        return self._book.known(self.addressed(recipients))

    def addressed(self, recipients: Recipients | None) -> Recipients:
        return recipients or self._recipients

    def deliver(
        self, message: Message | Answerable, recipients: Recipients | None, before_try: Callable[[], None]
    ) -> Outcome:
        message = _in_words(message)
        found = self._book.resolve(self.addressed(recipients))
        if not found.recipients:
            reason = line("no_recipient", why="; ".join(found.problems[:TOLD_AT_ONCE]))
            raise copy.copy(found.error) or MessageError(reason)
        outcome = self._send_by_id_or_name(message, found, before_try)
        problems = [problem for problem in found.problems if problem not in self._told][:TOLD_AT_ONCE]
        if len(self._told) > MAX_TOLD:
            self._told.clear()
        self._told.update(problems)
        return replace(outcome, warning="; ".join(filter(None, [outcome.warning, *problems])))

    def _send_by_id_or_name(self, message: Message, found: Found, before_try: Callable[[], None]) -> Outcome:
        """An exact id first: only what WeCom does not know as one may be a name that looks like an id ("Bob")."""
        try:
            outcome = self._send(message, found.recipients, before_try)
        except InvalidRecipientError as error:
            named = self._book.by_name(found.recipients.users)
            if named.recipients:
                found.problems += named.problems
                return self._send(message, named.recipients, before_try)
            problems = [*found.problems, *named.problems]
            error.args = (" ".join([str(error), "; ".join(problems[:TOLD_AT_ONCE])]).strip(),)
            raise
        return self._send_to_named(message, found, outcome, before_try)

    def _send_to_named(
        self, message: Message, found: Found, outcome: Outcome, before_try: Callable[[], None]
    ) -> Outcome:
        asked = {user.lower(): user for user in found.recipients.users}  # WeCom answers in lower case
        strange = [asked[user] for user in map(str.lower, outcome.invalid_users) if user in asked]
        try:
            names = {user: self._book.by_name([user]) for user in strange}
            found.problems += [problem for one in names.values() for problem in one.problems]
            named = Recipients(tuple(id for one in names.values() for id in one.recipients.users))
            if not named:
                return outcome
            self._send(message, named, before_try)
        except Exception:  # the others have it, so it is delivered, in part, whatever our rate limit or WeCom says now
            return outcome
        known = {user.lower() for user, one in names.items() if one.recipients}
        left = tuple(user for user in outcome.invalid_users if user.lower() not in known)
        others = left or outcome.invalid_departments or outcome.invalid_tags or outcome.unlicensed_users
        return replace(outcome, invalid_users=left, reason="partial" if others else "delivered")

    def _send(self, message: Message, recipients: Recipients, before_try: Callable[[], None]) -> Outcome:
        return self.client.messages.deliver(
            message, recipients, duplicate_check_s=self._duplicate_check_s, before_try=before_try
        )

    def ring(self, recipients: Recipients) -> tuple[Call, ...]:
        return self.client.phone.ring(self._book.resolve(recipients).recipients.users)

    def upload(self, name: str, data: bytes) -> File:
        return File(self.client.media.upload(name, data))

    def picture(self, data: bytes) -> Image:
        name = "picture.png" if data.startswith(PNG) else "picture.jpg"
        return Image(self.client.media.upload(name, data, type="image"))


class BotChannel(_ByRequests):
    """Messages into a bot's group; recipients have no meaning here."""

    max_bytes = BOT_BYTES
    mentions = True

    def __init__(self, client: BotClient) -> None:
        self.client = client
        self.identity = config.bot_identity(client.api_base, client.key)

    def receivers(self, recipients: Recipients | None) -> tuple[str, ...]:
        return (EVERYBODY_LOG,)

    def addressed(self, recipients: Recipients | None) -> Recipients:
        return Recipients()

    def known(self, recipients: Recipients | None) -> Recipients:
        return Recipients()

    def deliver(
        self, message: Message | Answerable, recipients: Recipients | None, before_try: Callable[[], None]
    ) -> Outcome:
        return self.client.deliver(_in_words(message), before_try=before_try)

    def ring(self, recipients: Recipients) -> tuple[Call, ...]:
        return ()

    def upload(self, name: str, data: bytes) -> File:
        return File(self.client.upload(name, data))

    def picture(self, data: bytes) -> Image:
        return Image(data=data)


def _in_words(message: Message | Answerable) -> Message:
    """No person can answer a card of an app or a group's bot."""
    return message.words if isinstance(message, Answerable) else message
