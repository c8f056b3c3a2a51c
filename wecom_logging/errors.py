"""Every error that this package raises. Callers of the client get these; the background never raises, it counts.

::

    WeComLoggingError
    ├── ConfigurationError            found when something is built, never later
    │   └── MissingDependencyError    says what to install; an ImportError, too
    ├── MessageError                  empty, too long to send, not accepted by this channel
    ├── WeComError                    talking to WeCom failed; has .retryable and .retry_after_s
    │   ├── TransportError            no usable answer
    │   │   ├── ConnectError          refused, reset, name not found, TLS, proxy
    │   │   ├── RequestTimeout        nothing usable within the timeout
    │   │   ├── HTTPStatusError       an HTTP status other than 200
    │   │   └── BadResponseError      not JSON, too large, no errcode
    │   ├── AnswerLostError           an AI bot's message was written, and never answered
    │   └── APIError                  errcode ≠ 0: errcode, errmsg, hint, path, remedy
    │       ├── TokenError            40014 42001
    │       ├── CredentialError       40001 40013 …
    │       ├── PermissionDeniedError 48002 60011 60020 301002 …
    │       ├── InvalidRecipientError 81013 60111 …
    │       ├── InvalidMessageError   40008 40058 45002 …
    │       ├── RateLimitedError      45009 45033 846607
    │       └── ServerBusyError       -1 6000 …
    └── StateError                    the shared state is away: the handler goes on with memory and says so once

No error carries a secret: not in its text, not in its arguments, not in ``__cause__`` or ``__context__``.
"""

from __future__ import annotations

from typing import Literal

from ._problems import ENTRY, PROBLEMS
from ._text.said import labelled, language_of_environment

__all__ = [
    "APIError",
    "AnswerLostError",
    "BadResponseError",
    "ConfigurationError",
    "ConnectError",
    "CredentialError",
    "HTTPStatusError",
    "InvalidMessageError",
    "InvalidRecipientError",
    "MessageError",
    "MissingDependencyError",
    "PermissionDeniedError",
    "RateLimitedError",
    "RequestTimeout",
    "ServerBusyError",
    "StateError",
    "TokenError",
    "TransportError",
    "WeComError",
    "WeComLoggingError",
]


class WeComLoggingError(Exception):
    """The root of this package's errors."""


class ConfigurationError(WeComLoggingError):
    """An option is missing or wrong. The text names the field and how to set it, and never shows a secret's value.

    ``str(error)`` is in the language of the reader: that of the handler's option ``language``, else of WECOM_LANGUAGE,
    else of the locale. `text` gives either.
    ``field``: the option, such as ``"users"`` or ``"routes[1].level"``; where several are not set, all of them:
    ``"corp_id, secret"``. ``code``: what is wrong, for a program to decide on, such as ``"missing"``,
    ``"no_recipient"`` or ``"not_positive"``; a code does not change, a text may.
    ``values``: what its text names. ``remedy``: how to set it; empty where the problem itself says so.
    """

    def __init__(self, field: str, code: str, remedy: str = "", **values: object) -> None:
        self.field = field
        self.code = code
        self.remedy = remedy
        self.values: dict[str, str] = {name: str(value) for name, value in values.items()}
        super().__init__(self.text("en"))

    language: str = ""
    """The language of its reader, where it is not the one of the environment."""

    def __str__(self) -> str:
        return self.text("zh" if (self.language or language_of_environment()) == "zh" else "en")

    def text(self, language: Literal["en", "zh"]) -> str:
        """The whole: the field, what is wrong, and how to set it."""
        field = self.field if language == "en" else self.field.replace(", ", "、")
        wrong = labelled(field, language, self.problem(language))
        if language == "en" or not self.remedy:
            return f"{wrong}. {self.remedy}" if self.remedy else wrong
        from ._errors_in_chinese import remedy_in_chinese

        return f"{wrong}。{remedy_in_chinese(self.remedy)}"

    def problem(self, language: Literal["en", "zh"] = "en") -> str:
        """What is wrong, without the field and the remedy, in English or Chinese."""
        texts = [ENTRY] if "entry" in self.values else []
        chosen = "".join(text[language == "zh"] for text in (*texts, PROBLEMS[self.code]))
        if language == "en":
            return chosen.format_map(self.values)
        from ._errors_in_chinese import in_chinese

        return chosen.format_map({name: in_chinese(value) for name, value in self.values.items()})

    def __reduce__(self) -> tuple[object, ...]:
        return (_remade, (type(self), self.field, self.code, self.remedy, self.values, self.__dict__))


class MissingDependencyError(ConfigurationError, ImportError):
    """A feature needs a package that is not installed or too old; the text says what to install.

    It is an `ImportError` too, so that ``except ImportError`` around an optional import does what it says.
    """


class MessageError(WeComLoggingError):
    """A message that cannot be sent as it is: empty, too long, or of a type that the channel does not take."""


class WeComError(WeComLoggingError):
    """Talking to WeCom failed.

    ``retryable``: the same request may succeed later without a change.
    ``retry_after_s``: seconds that WeCom wants to be left alone first; 0 where a quick second try makes sense.
    """

    retryable: bool = False
    retry_after_s: float = 0.0

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.args, self.__dict__))


class TransportError(WeComError):
    """No usable answer came back, so it is not known whether WeCom acted on the request."""

    retryable: bool = True


class ConnectError(TransportError):
    """No connection: refused, reset, name not found, TLS or proxy failure.

    ``reason`` is ``"connect"``, ``"dns"``, ``"tls"``, ``"ca_bundle"``, ``"proxy"``, ``"proxy_socks"``,
    ``"proxy_login"`` or ``"another"``. The last two want a person's attention: a login that is tried again and again
    may be locked, and another program has the connection of this AI bot.
    """

    def __init__(self, text: str, *, reason: str = "connect") -> None:
        super().__init__(text)
        self.reason = reason
        self.retryable: bool = reason not in ("proxy_login", "another")


class RequestTimeout(TransportError):
    """No whole answer within the timeout."""


class HTTPStatusError(TransportError):
    """An HTTP status other than 200: 5xx and 429 pass by themselves; redirects and 4xx want a person's attention."""

    def __init__(self, status: int, text: str, *, retry_after_s: float = 0.0) -> None:
        super().__init__(text)
        self.status = status
        self.retryable: bool = status == 429 or status >= 500
        self.retry_after_s = retry_after_s


class BadResponseError(TransportError):
    """The answer is not a JSON object with an integer ``errcode``, or is larger than the bound."""


class AnswerLostError(WeComError):
    """No answer came to a message that was written to an AI bot's connection.

    It may have arrived, so it is not sent again.
    """


class APIError(WeComError):
    """WeCom answered with an errcode other than 0.

    ``errcode`` is what to decide on; WeCom warns that ``errmsg`` changes. ``hint`` is what WeCom's support asks for,
    ``path`` the call (without its query), ``ip`` the address that WeCom saw, ``remedy`` and ``remedy_zh`` what to do.
    Source: https://developer.work.weixin.qq.com/document/path/90313
    """

    def __init__(
        self,
        errcode: int,
        errmsg: str,
        *,
        path: str = "",
        hint: str = "",
        ip: str = "",
        meaning: str = "",
        remedy: str = "",
        remedy_zh: str = "",
        retryable: bool = False,
        retry_after_s: float = 0.0,
    ) -> None:
        what = meaning or errmsg
        super().__init__(f"errcode {errcode} from {path}: {what}" + (f". {remedy}" if remedy else ""))
        self.errcode = errcode
        self.errmsg = errmsg
        self.path = path
        self.hint = hint
        self.ip = ip
        self.meaning = meaning
        self.remedy = remedy
        self.remedy_zh = remedy_zh
        self.retryable: bool = retryable
        self.retry_after_s = retry_after_s


class TokenError(APIError):
    """The access token is not valid any more (40014, 42001)."""


class CredentialError(APIError):
    """corp_id, secret or bot key is wrong, or the app or bot is switched off."""


class PermissionDeniedError(APIError):
    """The token may not do this: wrong kind of secret, wrong agent_id, untrusted IP, outside the visible range."""


class InvalidRecipientError(APIError):
    """No recipient exists or is visible to the app (81013, 60111 …)."""


class InvalidMessageError(APIError):
    """The request itself was refused; sending it again unchanged cannot help (40008, 40058, 45002 …)."""


class RateLimitedError(APIError):
    """Too many calls (45009), too many at a time (45033), or too many messages of an AI bot in a chat (846607)."""


class ServerBusyError(APIError):
    """WeCom could not do it now (-1, 6000 …)."""


class StateError(WeComLoggingError):
    """The shared state cannot be used now. Its text is for people and shows no secret."""


def _rebuild(kind: type[WeComError], args: tuple[object, ...], attributes: dict[str, object]) -> WeComError:
    """Unpickle an error whose ``__init__`` does not take its own ``args``."""
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(attributes)
    return error


def _remade(
    kind: type[ConfigurationError],
    field: str,
    code: str,
    remedy: str,
    values: dict[str, str],
    attributes: dict[str, object],
) -> ConfigurationError:
    """Unpickle one that a program has derived, whose ``__init__`` may take anything."""
    error = kind.__new__(kind)
    ConfigurationError.__init__(error, field, code, remedy, **values)
    error.__dict__.update(attributes)
    return error
