"""`WeComClient`: WeCom's server API as an app sees it. It raises; it does not log."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from .. import config
from ..errors import TokenError
from ..model import Secret
from .body import encode
from .http import Transport, in_a_round
from .media import Media
from .messages import Messages
from .token import token_source


class WeComClient:
    """Talks to WeCom with the secret of one self-built app (自建应用). Safe to share between threads.

    Not given, ``corp_id``, ``secret`` and ``agent_id`` are read from ``WECOM_CORP_ID``, ``WECOM_SECRET`` (or the file
    that ``WECOM_SECRET_FILE`` names) and ``WECOM_AGENT_ID``. ``secret`` may be ``"env:NAME"`` or ``"file:PATH"``.
    ``timeout`` is for one request in all, in seconds. Raises `ConfigurationError`.
    """

    def __init__(
        self,
        corp_id: str | None = None,
        secret: str | Secret | None = None,
        *,
        agent_id: int | str | None = None,
        api_base: str | None = None,
        timeout: float = 10.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.corp_id = config.corp_id(corp_id)
        self.agent_id = config.agent_id(agent_id)
        self.api_base = config.api_base(api_base)
        self.secret = config.app_secret(secret)
        self._transport = Transport(self.api_base, timeout_s=config.number("timeout", timeout, least=0.1))
        self._tokens = token_source(self.api_base, self.corp_id, self.secret)
        self._sleep = sleep
        self.messages = Messages(self)
        self.media = Media(self)

    def __repr__(self) -> str:
        return f"WeComClient(corp_id={self.corp_id[:4]}…, agent_id={self.agent_id})"

    def post(self, path: str, body: dict[str, Any], *, before_try: Callable[[], None] | None = None) -> dict[str, Any]:
        """POST JSON to ``/cgi-bin/{path}`` with the app's token, in one round of at most three tries.

        Returns WeCom's answer (errcode 0); raises `WeComError`. ``before_try`` is called before each try, once there is
        a token, and may raise, which ends the round. A second request with a new token belongs to its try.
        """
        data = encode(body)  # once: all tries of a round are byte for byte the same
        return self._with_token(
            lambda token: self._transport.call("POST", path, query={"access_token": token}, body=data), before_try
        )

    def upload(self, path: str, name: str, data: bytes, *, kind: str) -> dict[str, Any]:
        """POST a file to ``/cgi-bin/{path}``, like `post`."""
        return self._with_token(
            lambda token: self._transport.call(
                "POST", path, query={"access_token": token, "type": kind}, files={"media": (name, data)}
            )
        )

    def close(self) -> None:
        """Close the connections of the calling thread."""
        self._transport.close()

    def _with_token(
        self, request: Callable[[str], dict[str, Any]], before_try: Callable[[], None] | None = None
    ) -> dict[str, Any]:
        renewed = False

        def attempt() -> dict[str, Any]:
            nonlocal renewed
            token = self._tokens.get(self._transport)
            if before_try is not None:
                before_try()
            try:
                return request(token)
            except TokenError:
                self._tokens.drop(token)
                if renewed:
                    raise
                renewed = True
            return request(self._tokens.get(self._transport))

        return in_a_round(attempt, sleep=self._sleep)
