"""The way to WeCom: the proxy, whether a server answers, which address WeCom sees, and what the time is there."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from ... import _config as config
from ..._wecom.explained import is_about_proxy
from ..._wecom.http import Transport, in_a_round
from ...errors import APIError, WeComError
from ..texts import cause_of, remedy_of, said
from .findings import Notes

MAX_SKEW_S = 300.0


@dataclass(frozen=True, slots=True)
class Reached:
    """What a first, harmless question brought back. ``ip`` and ``skew_s`` may be unknown."""

    failure: WeComError | None = None
    ip: str = ""
    skew_s: float | None = None
    """How far this machine's clock is ahead of WeCom's."""


def look_at_network(notes: Notes, api_base: str, *, app: bool, timeout_s: float) -> Reached:
    """Findings about one host; ``app`` says whether an app or only a bot needs it."""
    reached = _reach(api_base, app, timeout_s)
    host = urlsplit(api_base).netloc
    address = proxy_for(api_base)
    if reached.failure is not None and is_about_proxy(reached.failure):
        cause, remedy = cause_of(reached.failure), remedy_of(reached.failure)
        notes.bad("proxy", cause, remedy, subject=without_login(address))
    else:
        found = said("found.through_proxy" if address else "found.no_proxy", host=host)
        notes.good("proxy", found, without_login(address))
    if reached.failure is None:
        notes.good("network", said("found.seen_as", ip=reached.ip) if reached.ip else said("found.answers"), host)
    elif is_about_proxy(reached.failure):
        notes.blocked_by = "proxy"
        notes.skipped("network", host)
    else:
        notes.refused("network", reached.failure, host)
        notes.blocked_by = "network"
    _note_clock(notes, host, reached.skew_s)
    return reached


def _reach(api_base: str, app: bool, timeout_s: float) -> Reached:
    """Ask for a token without any secret, or send nothing to no bot: WeCom refuses, and that is its answer."""
    transport = Transport(api_base, timeout_s=timeout_s)
    method, path, body = ("GET", "gettoken", None) if app else ("POST", "webhook/send", b"{}")
    ip, failure = "", None
    try:
        in_a_round(lambda: transport.call(method, path, query={}, body=body))
    except APIError as error:
        ip = error.ip
    except WeComError as error:
        failure = error
    now, skew_s = time.time(), None
    transport.close()
    with suppress(ValueError, TypeError):  # no date, no skew
        skew_s = now - parsedate_to_datetime(transport.date).timestamp()
    return Reached(failure, ip, skew_s)


def proxy_for(api_base: str) -> str:
    """The proxy that the environment gives for a host, as requests finds it; empty if there is none."""
    import requests.utils

    if config.is_loopback(urlsplit(api_base).hostname or ""):
        return ""  # the transport never uses one there
    proxies = requests.utils.get_environ_proxies(api_base, no_proxy=None)
    return str(requests.utils.select_proxy(api_base, proxies) or "")


def without_login(address: str) -> str:
    login, at, rest = address.rpartition("@")
    scheme, found, _ = login.partition("://")
    return f"{scheme if found else ''}{found}***@{rest}" if at else address


def _note_clock(notes: Notes, host: str, skew_s: float | None) -> None:
    if skew_s is None:
        if not notes.skipped("clock"):
            notes.unknown("clock", said("found.no_time", host=host))
        return
    units = ((86400.0, "found.days"), (3600.0, "found.hours"), (60.0, "found.minutes"))
    size = abs(skew_s)
    large = next((said(row, count=f"{size / unit_s:.1f}") for unit_s, row in units if size >= unit_s), None)
    skew = large or said("found.seconds", count=f"{size:.0f}")
    if size <= MAX_SKEW_S:
        notes.good("clock", said("found.clock_good", skew=skew))
    else:
        cause = said("found.clock_ahead" if skew_s > 0 else "found.clock_behind", skew=skew)
        notes.bad("clock", cause, said("found.set_clock"))
