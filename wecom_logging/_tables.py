"""Tables that are data and no code: a TOML file beside the file that reads it.

A text in two languages is a list of two: English, Chinese. No table is read by a log call, nor by an import, and what
becomes of an alert depends on none: a program that was frozen by a tool may lack the files.
"""

from __future__ import annotations

import pkgutil
from typing import Any


def table(package: str | None, name: str) -> dict[str, Any]:
    """What ``name``.toml in a package says; `OSError` where it is not there. Keep what is made of it."""
    import tomllib

    text = pkgutil.get_data(str(package), f"{name}.toml")
    if text is None:  # a loader that has no files
        raise FileNotFoundError(f"{name}.toml")
    return tomllib.loads(text.decode())
