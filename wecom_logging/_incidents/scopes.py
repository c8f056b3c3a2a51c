"""Maintenances: which services and loggers people have made quiet, and until when. Pure."""

from __future__ import annotations

from dataclasses import replace

from ..model.duty import Scope

Scopes = tuple[Scope, ...]

_ALL = ("", "*", "root", "all", "全部", "所有", "一切")
MAX_NAME = 100
MAX_WHY = 500


def is_a_scope(name: str) -> bool:
    """True if it names a service or a logger, and not all there are."""
    return name.lower() not in _ALL and "*" not in name and len(name) <= MAX_NAME and name.isprintable()


def begun(scopes: Scopes, scope: Scope) -> Scopes:
    """With one more, in the place of those of its name, and without what is over by then."""
    scope = replace(scope, why=scope.why[:MAX_WHY], who=scope.who[:MAX_NAME])
    return (*(one for one in scopes if one.name != scope.name and one.until > scope.began), scope)


def ended(scopes: Scopes, name: str) -> Scopes:
    """Without those of this name."""
    return tuple(one for one in scopes if one.name != name)
