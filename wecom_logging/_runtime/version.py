"""The version of the package, and how an extra is installed from where the package itself came from."""

from __future__ import annotations

__version__ = "1.0.0rc1"


def with_extra(extra: str) -> str:
    """What ``pip install`` takes to add an extra, in quotes: from the same checkout, file or repository, else by name.

    Source: https://packaging.python.org/en/latest/specifications/direct-url/
    """
    import json
    from importlib.metadata import PackageNotFoundError, distribution
    from os.path import isdir
    from urllib.parse import urlsplit
    from urllib.request import url2pathname

    name = f"wecom-logging[{extra}]"
    try:
        origin = json.loads(distribution("wecom-logging").read_text("direct_url.json") or "{}")
    except (PackageNotFoundError, ValueError):
        origin = {}
    url = origin.get("url", "")
    parts = urlsplit(url)
    if not url or parts.password:
        return f"'{name}'"
    if "dir_info" not in origin:
        scheme = f"{origin['vcs_info']['vcs']}+" if "vcs_info" in origin else ""
        return f"'{name} @ {scheme}{url}'"
    place = url2pathname(parts.path)
    editable = "-e " if origin["dir_info"].get("editable") else ""
    return f"{editable}'{place}[{extra}]'" if isdir(place) else f"'{name}'"
