"""The corp that the sandbox plays: its people, its secrets, its bots, its mail. One lock guards all of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from .aibot.state import BOT_ID, BOT_SECRET, GROUP
from .aibot.state import State as AiBotState
from .directory import ROOT, Directory, Member
from .faults import Faults
from .fields import Fields
from .journal import Exchange, Journal
from .limits import SecretGuard, SlidingWindow
from .mailbox import Mailbox, Message, new_id
from .media import MediaStore
from .phones import Phones
from .tokens import MODES, Tokens
from .visibility import WHOLE, Range

CORP_ID = "wwsandbox"
AGENT_ID = 1000002
APP_SECRET = "sandbox-app-secret"
CONTACTS_SECRET = "sandbox-contacts-secret"
BOT_KEY = "sandbox-bot"
CREATOR = "sandbox-user"
MOBILE = "+86 10000000000"
"""That of the first member, whose phone can be called."""


class Corp:
    """``version`` rises with whatever a watcher might show, and ``changed`` tells of it.

    ``suffix`` makes the secrets ones that cannot be guessed. ``strict`` refuses what the documents forbid, though WeCom
    takes it.
    """

    def __init__(self, clock: Callable[[], float], suffix: str = "", *, strict: bool = False) -> None:
        self.strict = strict
        self.suffix = suffix
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self.version = 0
        self.stopping = threading.Event()
        self.clock = clock = Clock(clock)
        self.tokens = Tokens(clock)
        self.media = MediaStore(clock)
        self.mailbox = Mailbox()
        self.faults = Faults()
        self.journal = Journal(clock)
        self.rates: dict[str, SlidingWindow] = {}
        self.aibot = AiBotState(suffix)
        self.seeds: list[object] = []
        self.when_reset: list[Callable[[], None]] = []
        self.ranges: dict[int, Range] = {}
        self._begin()

    def _begin(self) -> None:
        self.directory = Directory()
        self.directory.put_member(Member(CREATOR, "沙箱用户", (ROOT,), (0,), mobile=MOBILE))
        self.disabled: set[int] = set()
        self.add_app(APP_SECRET + self.suffix, AGENT_ID)
        self.tokens.add_grant(CONTACTS_SECRET + self.suffix, None)
        self.bot_keys = dict.fromkeys([BOT_KEY + self.suffix])
        self.aibot.begin(self.directory, CREATOR)
        self.app_callback = False
        """Whether the app has a callback URL: then it may send cards that answer back."""
        self.trusted_ips: list[str] | None = None
        """The addresses that may call with a token (企业可信IP); everybody else gets 60020. ``gettoken`` is not among
        those calls: it has no token, and no page says that it answers 60020."""
        self.contacts_details = True
        """False: a contacts-sync that was set up after 2022-08-15, which may read ids only, and gets 48009 for the rest
        (https://developer.work.weixin.qq.com/document/path/96079)."""
        self.phones = Phones(self.clock)
        self.phone_calls = "ready"
        """Whether apps may call phones (紧急通知), or why not."""
        self.secret_guard = SecretGuard(self.clock)

    def reset(self) -> None:
        """As at the start, but for what programs hold: connections of the AI bot, tokens of the first app, media."""
        self.mailbox.clear()
        self.journal.clear()
        self.faults.remove()
        self.clock.reset()
        self.tokens.mode = MODES[0]
        for agent_id in [id for id in self.ranges if id != AGENT_ID]:
            self.remove_app(agent_id)
        self.ranges.clear()
        self._begin()
        for window in self.rates.values():
            window.reset()
        for begin in self.when_reset:
            begin()

    def close_call(self, number: int, exchange: Exchange, began: float, *, shown: bool = True) -> None:
        """It was answered, or dropped."""
        with self.changing():
            self.journal.close(number, exchange, began, shown=shown)

    @contextmanager
    def changing(self) -> Iterator[None]:
        """The lock; those who watch are told at the end."""
        with self.lock:
            yield
            self.touch()

    def touch(self) -> None:
        """Something changed. Under the lock."""
        self.version += 1
        self.changed.notify_all()

    def wait_for_news(self, version: int, seconds: float) -> None:
        """Until something changed after ``version``, or the time is up."""
        with self.changed:
            self.changed.wait_for(lambda: self.version != version, seconds)

    def wait(self, seconds: float) -> bool:
        """Sleeps, and is true when the sandbox stops. Not under the lock."""
        return self.stopping.wait(seconds)

    def secrets(self) -> list[str]:
        return [*self.tokens.secrets(), *self.bot_keys, self.aibot.secret]

    def post(self, channel: str, msgtype: str, content: str, body: Fields, **more: Any) -> Message:
        """A message as its request, which was taken, makes it."""
        head = {"id": new_id(), "time": self.clock(), "request": body.as_bytes(), "warning": body.reading.warning}
        message = Message(channel=channel, msgtype=msgtype, content=content, **{**head, **more})
        self.mailbox.add(message)
        return message

    def remove_app(self, agent_id: int) -> None:
        self.tokens.remove_grants(agent_id)
        self.ranges.pop(agent_id, None)
        self.disabled.discard(agent_id)

    def add_app(self, secret: str, agent_id: int) -> None:
        self.tokens.add_grant(secret, agent_id)
        self.ranges.setdefault(agent_id, WHOLE)


class Clock:
    """Tokens, limits, messages and hints live by it; connections do not."""

    def __init__(self, base: Callable[[], float]) -> None:
        self._base = base
        self.ahead_s = 0.0

    def __call__(self) -> float:
        return self._base() + self.ahead_s

    def advance(self, seconds: float) -> None:
        """ValueError for a step back."""
        if not 0 <= seconds < float("inf"):
            raise ValueError(f"seconds must be zero or more, and finite, not {seconds!r}")
        self.ahead_s += seconds

    def reset(self) -> None:
        self.ahead_s = 0.0


def variables(suffix: str = "") -> dict[str, str]:
    """All but the sandbox's addresses, ``WECOM_API_BASE`` and ``WECOM_AIBOT_URL``. ``suffix`` is that of secrets."""
    return {
        "WECOM_CORP_ID": CORP_ID,
        "WECOM_AGENT_ID": str(AGENT_ID),
        "WECOM_SECRET": APP_SECRET + suffix,
        "WECOM_CONTACTS_SECRET": CONTACTS_SECRET + suffix,
        "WECOM_USERS": CREATOR,
        "WECOM_WEBHOOK": BOT_KEY + suffix,
        "WECOM_AIBOT_ID": BOT_ID,
        "WECOM_AIBOT_SECRET": BOT_SECRET + suffix,
        "WECOM_AIBOT_CHATS": f"{CREATOR},{GROUP}",
    }
