"""The handlers of a logging config file, read as `logging.config` reads it, without building any.

A value such as ``ext://…``, ``cfg://…`` and the class behind ``()`` are resolved as ``dictConfig`` resolves them: the
file is the user's own program. That of ``fileConfig`` is not read.
No error repeats a line of the file, since it may hold a secret.
"""

from __future__ import annotations

import json
import logging.config
import os
import re
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from ...errors import ConfigurationError, MissingDependencyError


@dataclass(frozen=True, slots=True)
class Entry:
    """One handler of the file. ``options`` are what its class is called with; ``used`` says whether a logger has it.

    ``error`` is why it cannot be built: a value that does not resolve, a class that cannot be imported.
    """

    name: str
    made_by: object = None
    level: object = None
    options: Mapping[str, Any] | None = None
    used: bool = True
    error: ConfigurationError | None = None


def entries(path: str) -> list[Entry]:
    """All handlers of a file. Raises `ConfigurationError` where it cannot be read."""
    suffix = Path(path).suffix.lower()
    if suffix not in _PARSERS:
        raise ConfigurationError("config", "wrong_suffix", path=path, suffixes=", ".join(_PARSERS))
    if os.getcwd() not in sys.path:  # a program finds the modules beside it; the installed command does not
        sys.path.append(os.getcwd())
    return list(_from_dict(path, _parsed(path, _text(path), _PARSERS[suffix]())))


def _text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
    raise ConfigurationError("config", "unreadable", path=f" {path}", reason=reason)


def _wrong(path: str, line: object = None) -> ConfigurationError:
    where = f":{line}" if line is not None else ""
    return ConfigurationError("config", "not_valid", path=path, form=Path(path).suffix[1:].upper(), line=where)


# dictConfig


Parse = Callable[[str], object]


def _parsed(path: str, text: str, parse: Parse) -> object:
    try:
        return parse(text)
    except Exception as error:  # its text may be quoted in it: raised below, without
        mark = getattr(error, "problem_mark", None)  # of YAML
        line = mark.line + 1 if mark else getattr(error, "lineno", None)
    raise _wrong(path, line)


def _yaml() -> Parse:
    try:
        import yaml
    except ModuleNotFoundError:
        raise MissingDependencyError("config", "needs_package", package="PyYAML", install="'PyYAML'") from None
    return cast("Parse", yaml.safe_load)


_PARSERS: Mapping[str, Callable[[], Parse]] = {
    ".json": lambda: json.loads, ".toml": lambda: tomllib.loads, ".yaml": _yaml, ".yml": _yaml
}  # fmt: skip


def _from_dict(path: str, data: object) -> Iterator[Entry]:
    if isinstance(data, dict) and "handlers" not in data and isinstance(data.get("logging"), dict):
        data = data["logging"]  # one file for all of a program's settings
    if not isinstance(data, dict) or not isinstance(data.get("handlers"), dict):
        raise ConfigurationError("config", "no_handlers", path=path)
    used = _used(data)
    configurator = logging.config.DictConfigurator(data)
    for name in data["handlers"]:
        try:
            yield _entry(name, configurator, str(name) in used)
        except Exception as error:
            section = data["handlers"][name]
            made_by = section.get("()", section.get("class")) if isinstance(section, dict) else None
            yield Entry(str(name), error=_unresolved("class", error, made_by))


def _entry(given_name: object, configurator: logging.config.DictConfigurator, used: bool) -> Entry:
    """``given_name`` is a number where YAML has one."""
    name, section = str(given_name), configurator.config["handlers"][given_name]
    made_by = section["()"] if "()" in section else section["class"]
    if isinstance(made_by, str):
        made_by = configurator.resolve(made_by)
    if not is_ours(made_by):  # nobody else's options are looked at
        return Entry(name, made_by)
    options, wrong = {}, None
    for key in section:
        if key in ("()", "class", "level", "formatter", "filters", "."):
            continue
        try:
            options[key] = section[key]  # resolves ext:// and cfg://
        except Exception as error:
            wrong = wrong or _unresolved(str(key), error)
    return Entry(name, made_by, section.get("level"), options, used, wrong)


def _unresolved(field: str, error: Exception, name: object = None) -> ConfigurationError:
    """Their own texts show the value, which may be a secret; the ``name`` of a class is none."""
    shown = f"{name}, " if isinstance(name, str) and re.fullmatch(r"[\w.]{1,99}", name) else ""
    return ConfigurationError(field, "unresolved", error=f"{shown}{type(error).__name__}")


def _used(data: Mapping[str, Any]) -> set[str]:
    """The handlers that a logger, or another handler, refers to."""
    loggers = data.get("loggers")
    sections = [data.get("root"), *(loggers.values() if isinstance(loggers, dict) else ()), *data["handlers"].values()]
    found: set[str] = set()
    for section in sections:
        if isinstance(section, dict):
            several = section.get("handlers")
            found.update(map(str, several if isinstance(several, list) else ()))
            found.update(str(section.get(key)) for key in ("target", "fallback"))
    return found


def is_ours(made_by: object) -> bool:
    """Whether this is one of our handlers, or a class of the user's own on top of one."""
    from ...handlers import AlertHandler

    return isinstance(made_by, type) and issubclass(made_by, AlertHandler)
