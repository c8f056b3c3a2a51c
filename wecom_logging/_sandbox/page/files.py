"""The page's own files, read once. A path of a request is only looked up here, so that it can lead nowhere else."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' blob:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
"""Only files of the page's own run, and the browser itself refuses to make markup out of a text."""

TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class File:
    data: bytes
    content_type: str


def _read() -> dict[str, File]:
    found = {}
    for entry in files(__package__).joinpath("static").iterdir():
        kind = TYPES.get("." + entry.name.rpartition(".")[2])
        if kind is not None:
            path = "/" if entry.name == "index.html" else f"/static/{entry.name}"
            found[path] = File(entry.read_bytes(), f"{kind}; charset=utf-8")
    return found


FILES = _read()
