"""``client.messages``: send and recall app messages. ``client.media``: upload what image and file messages refer to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .. import _config as config
from ..errors import BadResponseError, ConfigurationError, MessageError
from ..model import Message, Outcome, Recipients, Text
from .body import APP_MEDIA, addressed, check_app_message, check_media, content
from .errcodes import api_error
from .token import Caller

MAX_DUPLICATE_CHECK_S = 4 * 3600
NOBODY = 81013
"""The errcode for a message that reaches nobody; errcode 0 with lists that name all recipients says the same."""


class Messages:
    """The calls below ``message/``."""

    def __init__(self, client: Caller) -> None:
        self._client = client

    def send(
        self,
        message: Message | str,
        *,
        users: object = None,
        departments: object = None,
        tags: object = None,
        safe: bool = False,
        duplicate_check_s: int = 0,
    ) -> Outcome:
        """Send one message to users, departments and tags.

        ``message`` is a `wecom_logging.model` message, or a string, which is sent as text. ``users``, ``departments``
        and ``tags`` are lists of ids (at most 1 000, 100 and 100); ``users="@all"`` is everybody in the app's visible
        range. ``safe`` forbids forwarding. ``duplicate_check_s`` (seconds, at most 14 400, 0 for no check) makes WeCom
        ignore the very same request within that time.

        Returns an `Outcome`: ``"delivered"``, or ``"partial"`` with the recipients that WeCom did not accept.
        Raises `MessageError` before the request, `WeComError` when WeCom or the way to it failed, after at most three
        tries; `InvalidRecipientError` if it reached nobody.

        Source: https://developer.work.weixin.qq.com/document/path/90236
        """
        check_s = config.exact(duplicate_check_s)
        if not isinstance(check_s, int) or not 0 <= check_s <= MAX_DUPLICATE_CHECK_S:
            raise MessageError(f"duplicate_check_s: whole seconds are needed, 0 to {MAX_DUPLICATE_CHECK_S}")
        try:
            recipients = config.recipients(users or (), departments or (), tags or (), ())
        except ConfigurationError as error:
            problem = "no recipient is given" if not (users or departments or tags) else error.text("en")
            raise MessageError(problem) from None
        for field, ids in (("departments", recipients.departments), ("tags", recipients.tags)):
            if not all(id.isascii() and id.isdigit() for id in ids):
                raise MessageError(f"{field}: ids are needed, which are numbers; client.{field}.list() has them")
        return self.deliver(
            Text(message) if isinstance(message, str) else message,
            recipients,
            safe=safe,
            duplicate_check_s=check_s,
        )

    def deliver(
        self,
        message: Message,
        recipients: Recipients,
        *,
        safe: bool = False,
        duplicate_check_s: int = 0,
        before_try: Callable[[], None] | None = None,
    ) -> Outcome:
        """Send to `Recipients` that are checked already; for ``before_try`` see `WeComClient.call`."""
        check_app_message(message)
        body: dict[str, Any] = addressed(recipients) | content(message)
        body["agentid"] = self._client.agent_id or config.agent_id(None)
        if safe:
            body["safe"] = 1
        if duplicate_check_s:
            body |= {"enable_duplicate_check": 1, "duplicate_check_interval": duplicate_check_s}
        outcome = _outcome(self._client.call("message/send", body, before_try=before_try))
        if _reached_nobody(recipients, outcome):
            raise api_error(NOBODY, "all recipients are invalid", "message/send")
        return outcome

    def recall(self, msgid: str) -> None:
        """Take a message back, within 24 hours, from WeCom's own clients (not from WeChat).

        Raises `InvalidMessageError` if it is too old or another app's.
        Source: https://developer.work.weixin.qq.com/document/path/94867
        """
        if not msgid:
            raise MessageError("msgid: it is empty; Outcome.msgid of a sent message is needed")
        self._client.call("message/recall", {"msgid": msgid})


def _outcome(answer: dict[str, Any]) -> Outcome:
    names = ("invaliduser", "invalidparty", "invalidtag", "unlicenseduser")
    users, departments, tags, unlicensed = [ids_in(answer[name]) if answer.get(name) else () for name in names]
    return Outcome(
        reason="partial" if users or departments or tags or unlicensed else "delivered",
        msgid=str(answer.get("msgid") or ""),
        invalid_users=users,
        invalid_departments=departments,
        invalid_tags=tags,
        unlicensed_users=unlicensed,
        warning=format_warning(answer),
    )


def _reached_nobody(recipients: Recipients, outcome: Outcome) -> bool:
    """Whether WeCom took a message for none of its recipients; it names users in lower case."""
    left_out = {user.lower() for user in (*outcome.invalid_users, *outcome.unlicensed_users)}
    return (
        left_out.issuperset(map(str.lower, recipients.users))
        and set(outcome.invalid_departments).issuperset(recipients.departments)
        and set(outcome.invalid_tags).issuperset(recipients.tags)
    )


def ids_in(value: object) -> tuple[str, ...]:
    """The ids that WeCom did not accept: one text joined by | here, a list in some other calls."""
    if isinstance(value, str):
        return tuple(item for item in value.split("|") if item)
    if isinstance(value, list):
        return tuple(str(item) for item in value if item)
    return ()


def format_warning(answer: dict[str, Any]) -> str:
    """WeCom's note that it could parse our JSON only in part: it says so beside errcode 0."""
    errmsg = str(answer.get("errmsg", ""))
    return "WeCom took the message but warns of its format" if "warning" in errmsg.lower() else ""


class Media:
    """The calls below ``media/``."""

    def __init__(self, client: Caller) -> None:
        self._client = client

    def upload(self, name: str, data: bytes, *, type: str = "file") -> str:
        """Upload a file and return its ``media_id``, which all apps of the company can use for three days.

        ``name`` is what readers see. ``type`` is image (JPG, PNG; 10 MiB), voice (AMR; 2 MiB), video (MP4; 10 MiB) or
        file (20 MiB); each more than 5 bytes. Raises `MessageError` before the request, `WeComError` after it.

        Source: https://developer.work.weixin.qq.com/document/path/90253
        """
        check_upload(name, data, type, APP_MEDIA)
        return media_id(self._client.upload("media/upload", name, data, kind=type))


def check_upload(name: str, data: bytes, kind: str, most: Mapping[str, int]) -> None:
    """Raise `MessageError` if WeCom would not take the file."""
    check_media(kind, data, most)
    if not name or not name.isprintable() or '"' in name:
        raise MessageError("name: a file name without quotes and line breaks is needed")


def media_id(answer: dict[str, Any]) -> str:
    found = answer.get("media_id")
    if not isinstance(found, str) or not found:
        raise BadResponseError("the answer to the upload has no media_id")
    return found
