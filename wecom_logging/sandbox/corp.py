"""The corp that the sandbox plays: its people, its secrets, its bots, its mail. One lock guards all of it."""

from __future__ import annotations

import threading
from collections.abc import Callable

from .directory import ROOT, Directory, Member
from .faults import Faults
from .journal import Journal
from .mailbox import Mailbox
from .media import MediaStore
from .restrictions import Restrictions, SecretGuard
from .tokens import Tokens
from .visibility import WHOLE, Range

CORP_ID = "wwsandbox"
AGENT_ID = 1000002
APP_SECRET = "sandbox-app-secret"
CONTACTS_SECRET = "sandbox-contacts-secret"
BOT_KEY = "sandbox-bot"
CREATOR = "sandbox-user"


class Corp:
    def __init__(self, clock: Callable[[], float]) -> None:
        self.lock = threading.RLock()
        self.clock = clock
        self.directory = Directory()
        self.directory.put_member(Member(CREATOR, "沙箱用户", (ROOT,), (0,)))
        self.tokens = Tokens(clock)
        self.ranges: dict[int, Range] = {}
        self.disabled: set[int] = set()
        self.add_app(APP_SECRET, AGENT_ID)
        self.tokens.add_grant(CONTACTS_SECRET, None)
        self.bot_keys = {BOT_KEY}
        self.media = MediaStore(clock)
        self.mailbox = Mailbox()
        self.faults = Faults()
        self.restrictions = Restrictions()
        self.secret_guard = SecretGuard(clock)
        self.journal = Journal()

    def add_app(self, secret: str, agent_id: int) -> None:
        self.tokens.add_grant(secret, agent_id)
        self.ranges.setdefault(agent_id, WHOLE)
