"""Tables that are data and no code: a TOML file beside the file that reads it.

A text in two languages is a list of two: English, Chinese. No table is read by a log call, nor by an import.
"""

from __future__ import annotations

import pkgutil
from typing import Any


def table(package: str | None, name: str) -> dict[str, Any]:
    """What ``name``.toml in a package says. It is read and parsed anew (some milliseconds): keep what is made of it."""
    import tomllib

    text = pkgutil.get_data(str(package), f"{name}.toml")
    assert text is not None  # of a package there is a loader that can
    return tomllib.loads(text.decode())
