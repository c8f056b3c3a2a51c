"""The corp that the sandbox plays: its people, its secrets, its bots, its mail. One lock guards all of it."""

from __future__ import annotations

import threading
from collections.abc import Callable

from .directory import ROOT, Directory
from .faults import Faults
from .journal import Journal
from .mailbox import Mailbox
from .media import MediaStore
from .tokens import Tokens

CORP_ID = "wwsandbox"
AGENT_ID = 1000002
APP_SECRET = "sandbox-app-secret"
CONTACTS_SECRET = "sandbox-contacts-secret"
BOT_KEY = "sandbox-bot"


class Corp:
    def __init__(self, clock: Callable[[], float]) -> None:
        self.lock = threading.RLock()
        self.clock = clock
        self.directory = Directory()
        self.directory.add_member("sandbox-user", "沙箱用户", [ROOT])
        self.tokens = Tokens(clock)
        self.tokens.add_grant(APP_SECRET, AGENT_ID)
        self.tokens.add_grant(CONTACTS_SECRET, None)
        self.bot_keys = {BOT_KEY}
        self.media = MediaStore(clock)
        self.mailbox = Mailbox()
        self.faults = Faults()
        self.journal = Journal()
