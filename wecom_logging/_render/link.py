"""The way into the user's own log system, filled in for one alert."""

from __future__ import annotations

from urllib.parse import quote

MAX_VALUE_BYTES = 64


def fill_link(template: str, *, fingerprint: str, service: str, time: str) -> str:
    """The template with its values, percent-encoded."""
    values = {"fingerprint": fingerprint, "service": service, "time": time}
    url = template.format(**{name: _quoted(value) for name, value in values.items()})
    return quote(url, safe="/:?#@!$&'+,;=%[]~")  # a parenthesis would end a markdown link


def _quoted(value: str) -> str:
    short = value.encode("utf-8", "replace")[:MAX_VALUE_BYTES].decode("utf-8", "ignore")
    return quote(short, safe="")
