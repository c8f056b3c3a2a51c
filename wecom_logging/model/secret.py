"""A value that never shows itself: not in repr, str, format, pickles or JSON. `reveal()` is the one way to read it."""

from __future__ import annotations

_MASK = "***"


class Secret:
    """A secret string, such as an app's Secret or a bot's key."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the value. Call it only where it leaves for WeCom."""
        return self._value

    def __repr__(self) -> str:
        return _MASK

    def __format__(self, spec: str) -> str:
        return format(_MASK, spec)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __reduce__(self) -> tuple[object, ...]:
        return (Secret, (_MASK,))
