"""What a user gives with one record, as ``extra={"wecom": …}``, checked: a mistake is a line on stderr."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from .. import _config as config
from .._runtime.warn import warn_once
from ..errors import ConfigurationError
from ..model.captured import JPG, MAX_BOT_IMAGE_BYTES, PNG
from .texts import name_of, text_of

if TYPE_CHECKING:
    from ..model import Recipients

_T = TypeVar("_T")
_WHO = ("users", "departments", "tags", "leader_of")
_KNOWN_EXTRAS = (*_WHO, "mention", "fingerprint", "title", "fields", "attach")
_MAX_EXTRAS, _SHOWN_EXTRAS = 64, 5
MAX_FIELDS = 32
_MOST_PICTURE = f"at most {MAX_BOT_IMAGE_BYTES >> 20} MiB; it is left out"


def extra_of(extra: object) -> Mapping[str, Any]:
    """What of it has a name that is known."""
    if not isinstance(extra, Mapping):
        _warn(f" must be a mapping, not a {name_of(type(extra))}; it is ignored")
        return {}
    try:
        names = list(itertools.islice(extra, _MAX_EXTRAS))  # it may be endless
        known = {name: extra[name] for name in names if type(name) is str and name in _KNOWN_EXTRAS}
        if len(known) == len(names):
            return known
        from .._masking.redact import redact  # much, for a mistake

        strange = [name for name in names if name not in known][:_SHOWN_EXTRAS]
        unknown = [redact(text_of(name, 200))[:40] for name in strange]
    except Exception as error:
        _warn(f" cannot be read ({name_of(type(error))}); it is ignored")
        return {}
    _warn(f" has unknown names {unknown}; known: {', '.join(_KNOWN_EXTRAS)}")
    return known


def recipients_of(extra: Mapping[str, Any]) -> Recipients | None:
    """Who gets it; None: nobody is named, or not rightly."""
    given = [extra.get(name) for name in _WHO]
    if all(value is None for value in given):
        return None
    return _checked(
        lambda: config.recipients(*(() if value is None else value for value in given)),
        None,
        "the handler's own recipients are told",
    )


def mention_of(extra: Mapping[str, Any]) -> tuple[str, ...] | None:
    """None: what the handler is configured to mention; an empty list: nobody."""
    given = extra.get("mention")
    if given is None:
        return None
    return _checked(lambda: config.ids("mention", given), None, "it is left out")


def fields_of(value: object, text: Callable[[object], str]) -> tuple[tuple[str, str], ...]:
    """Names and values as ``text`` makes them."""
    if not isinstance(value, Mapping):
        return () if value is None else (("fields", text(value)),)
    return _checked(
        lambda: tuple((text(name), text(item)) for name, item in itertools.islice(value.items(), MAX_FIELDS)),
        (),
        "the fields are left out",
    )


def picture_of(value: object) -> bytes:
    """The bytes of a JPG or PNG that both an app and a bot can send."""
    if value is None:
        return b""
    if type(value) is not bytes or not value.startswith((JPG, PNG)) or len(value) > MAX_BOT_IMAGE_BYTES:
        warn_once("attach", f'extra={{"wecom": {{"attach": …}}}} must be the bytes of a JPG or PNG, {_MOST_PICTURE}')
        return b""
    return value


def _checked(make: Callable[[], _T], otherwise: _T, consequence: str) -> _T:
    """What ``make`` makes of something in ``extra``, or one line on stderr."""
    try:
        return make()
    except Exception as error:  # a configuration error, or what a strange list does when it is read
        reason = str(error) if isinstance(error, ConfigurationError) else name_of(type(error))
        _warn(f": {reason}; {consequence}")
        return otherwise


def _warn(text: str) -> None:
    warn_once("extra", f'extra={{"wecom": …}}{text}')
