"""`WeComClient`: WeCom's server API as a self-built app and the contacts sync see it. It raises; it does not log."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from .. import _config as config
from .._masking.redact import remember
from .._runtime.hiding import hiding_frames
from ..errors import ConfigurationError, PermissionDeniedError, TokenError
from ..model import Secret
from .body import ObjectHook, encode
from .directory import Departments, Members, Tags
from .http import MAX_ANSWER_BYTES, TRIES_IN_A_ROUND, Transport, in_a_round
from .messages import Media, Messages
from .token import Access, TokenSource, Vault, token_source

if TYPE_CHECKING:
    from .phone import Phone


class WeComClient:
    """Talks to WeCom with the secret of one self-built app (自建应用), of the contacts sync (通讯录同步), or with both.

    Safe to share between threads. Not given, ``corp_id``, ``secret``, ``contacts_secret`` and ``agent_id`` are read
    from ``WECOM_CORP_ID``, ``WECOM_SECRET``, ``WECOM_CONTACTS_SECRET`` (or the files that ``…_FILE`` name) and
    ``WECOM_AGENT_ID``; a secret may be ``"env:NAME"`` or ``"file:PATH"``. One of the secrets is enough: a call that
    needs the other one, or the ``agent_id``, raises `ConfigurationError` and says where it is found. ``timeout`` is for
    one request in all, in seconds. Raises `ConfigurationError`.

    ``messages``, ``media`` and ``phone`` are the app's; ``departments``, ``members`` and ``tags`` the directory.
    """

    @hiding_frames
    def __init__(
        self,
        corp_id: str | None = None,
        secret: str | Secret | None = None,
        *,
        agent_id: int | str | None = None,
        contacts_secret: str | Secret | None = None,
        api_base: str | None = None,
        timeout: float = 10.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        corp, agent, base = config.corp_id(corp_id), config.optional_agent_id(agent_id), config.api_base(api_base)
        own, contacts = config.optional_app_secret(secret), config.contacts_secret(contacts_secret)
        if own is None and contacts is None:
            config.app_secret(None)
        self._begin(corp, own, agent, contacts, base, config.timeout(timeout), sleep)

    @classmethod
    def checked(
        cls,
        corp_id: str,
        secret: Secret | None,
        agent_id: int | None,
        contacts_secret: Secret | None,
        api_base: str,
        timeout_s: float,
    ) -> WeComClient:
        """One of what was checked already: nothing is read from the environment any more."""
        made = cls.__new__(cls)
        made._begin(corp_id, secret, agent_id, contacts_secret, api_base, timeout_s)
        return made

    def _begin(
        self,
        corp_id: str,
        secret: Secret | None,
        agent_id: int | None,
        contacts_secret: Secret | None,
        api_base: str,
        timeout_s: float,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.corp_id: str = corp_id
        self.agent_id: int | None = agent_id
        self.api_base: str = api_base
        self.secret: Secret | None = secret
        self.contacts_secret: Secret | None = contacts_secret
        self._transport = Transport(api_base, timeout_s=timeout_s)
        self._app = self._source(secret)
        self._contacts = self._source(contacts_secret)
        self._sleep = sleep
        remember(*(secret.reveal() for secret in self.secrets))
        self._closed_to_contacts: set[str] = set()
        self.messages: Messages = Messages(self)
        self.media: Media = Media(self)
        self.departments: Departments = Departments(self)
        self.members: Members = Members(self)
        self.tags: Tags = Tags(self)

    def __repr__(self) -> str:
        return f"WeComClient(corp_id={self.corp_id[:4]}…, agent_id={self.agent_id})"

    @property
    def phone(self) -> Phone:
        """Calls of members' phones (紧急通知)."""
        from .phone import Phone

        return Phone(self)

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """The secrets that it has, which must never show."""
        return tuple(secret for secret in (self.secret, self.contacts_secret) if secret is not None)

    def call(
        self,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        query: Mapping[str, str] | None = None,
        access: Access = Access.APP,
        before_try: Callable[[], None] | None = None,
        max_bytes: int = MAX_ANSWER_BYTES,
        object_hook: ObjectHook | None = None,
        tries: int = TRIES_IN_A_ROUND,
    ) -> dict[str, Any]:
        """POST JSON to ``/cgi-bin/{path}``, or GET it where there is no ``body``, in one round of at most three tries.

        Returns WeCom's answer (errcode 0), at most ``max_bytes`` long; raises `WeComError`, or `ConfigurationError`
        where the secret is missing that ``access`` needs. ``before_try`` is called before each try, once there is a
        token, and may raise, which ends the round. A repeat with a new token counts as the same try. ``tries`` is 1 for
        what is not repeated.
        """
        method = "GET" if body is None else "POST"
        data = None if body is None else encode(dict(body))  # once: all tries of a round are byte for byte the same

        def request(token: Secret) -> dict[str, Any]:
            parameters: dict[str, str | Secret] = {**(query or {}), "access_token": token}
            return self._transport.call(
                method, path, query=parameters, body=data, max_bytes=max_bytes, object_hook=object_hook
            )

        first, *others = self._sources(access, path)
        try:
            return self._with_token(first, request, before_try, tries)
        except PermissionDeniedError as error:
            if not others:
                raise
            if error.errcode == 48009:  # it will be so for every call of this kind
                self._closed_to_contacts.add(path)
        return self._with_token(others[0], request, before_try, tries)

    def upload(self, path: str, name: str, data: bytes, *, kind: str) -> dict[str, Any]:
        """POST a file to ``/cgi-bin/{path}`` with the app's token, like `call`."""
        (source,) = self._sources(Access.APP, path)
        return self._with_token(
            source,
            lambda token: self._transport.call(
                "POST", path, query={"access_token": token, "type": kind}, files={"media": (name, data)}
            ),
        )

    def share_tokens(self, vault: Vault) -> None:
        """Share access tokens with all processes that use this vault."""
        for source in (self._app, self._contacts):
            if source is not None:
                source.share(vault, self.api_base)

    def close(self) -> None:
        """Close the connections of the calling thread."""
        self._transport.close()

    def _source(self, secret: Secret | None) -> TokenSource | None:
        return None if secret is None else token_source(self.api_base, self.corp_id, secret)

    def _sources(self, access: Access, path: str) -> list[TokenSource]:
        """Whose token to take, in the order in which to try them."""
        if access is Access.APP and self._app is not None:
            return [self._app]
        if access is Access.CONTACTS and self._contacts is not None:
            return [self._contacts]
        if access is Access.EITHER:
            found = [source for source in (self._contacts, self._app) if source is not None]
            return found[::-1] if path in self._closed_to_contacts else found
        raise _missing(access)

    def _with_token(
        self,
        source: TokenSource,
        request: Callable[[Secret], dict[str, Any]],
        before_try: Callable[[], None] | None = None,
        tries: int = TRIES_IN_A_ROUND,
    ) -> dict[str, Any]:
        renewed = False

        def attempt() -> dict[str, Any]:
            nonlocal renewed
            token = source.get(self._transport)
            if before_try is not None:
                before_try()
            try:
                return request(token)
            except TokenError:
                source.drop(token)
                if renewed:
                    raise
                renewed = True
            return request(source.get(self._transport))

        return in_a_round(attempt, sleep=self._sleep, tries=tries)


def _missing(access: Access) -> ConfigurationError:
    if access is Access.APP:
        return ConfigurationError("secret", "needs_app_secret", config.SECRET_REMEDY)
    return ConfigurationError(
        "contacts_secret",
        "needs_contacts_secret",
        "Give contacts_secret=…, or set WECOM_CONTACTS_SECRET or WECOM_CONTACTS_SECRET_FILE "
        "(管理后台 → 管理工具 → 通讯录同步 → Secret)",
    )
