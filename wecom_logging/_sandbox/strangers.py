"""Who may speak to the sandbox: nobody from another site, and away from loopback only who has the token."""

from __future__ import annotations

import hmac
import ipaddress
import socket
from urllib.parse import urlsplit

from werkzeug.wrappers import Request

LOCAL_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]", "qyapi.weixin.qq.com", "openws.work.weixin.qq.com"})
"""WeCom's own names too: clients that know no other are sent here by a hosts file, and no stranger can do it."""


def is_loopback(host: str) -> bool:
    """``localhost`` too: it is resolved where it is bound."""
    address = _address(host)
    return host == "localhost" if address is None else address.is_loopback


class Doorkeeper:
    def __init__(self, host: str, token: str) -> None:
        own = {host.lower(), socket.gethostname().lower(), "host.docker.internal"}  # Docker's name of its host
        self._names = LOCAL_NAMES if not token else LOCAL_NAMES | own
        self._token = token

    def refuse(self, request: Request) -> int:
        """The status for a request that comes from a page of another site or by a name made to point here; else 0.

        Such names are what DNS rebinding is done with, so an address will do wherever a token is asked for.
        """
        if request.method == "CONNECT":
            return 400
        host = request.environ.get("HTTP_HOST", "")
        if not self._is_ours(host):
            return 421
        origin = request.environ.get("HTTP_ORIGIN")
        if origin is not None and _host_of(origin) != host:
            return 403
        if request.environ.get("HTTP_SEC_FETCH_SITE", "none") not in ("none", "same-origin"):
            return 403  # an <img> of another site sends no Origin
        return 0

    def knows(self, request: Request) -> bool:
        """Whether the token is there, if there is one: as a bearer's, or, for an EventSource, in the query."""
        if not self._token:
            return True
        given = request.environ.get("HTTP_AUTHORIZATION", "").removeprefix("Bearer ")
        return any(
            hmac.compare_digest(text.encode(errors="replace"), self._token.encode())
            for text in (given, request.args.get("token", ""))
        )

    def _is_ours(self, host: str) -> bool:
        name, colon, port = host.rpartition(":")
        if not (colon and port.isascii() and port.isdigit()):
            name = host
        return name.lower() in self._names or (bool(self._token) and _address(name.strip("[]")) is not None)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:  # a name, no address
        return None


def _host_of(origin: str) -> str:
    try:
        return urlsplit(origin).netloc
    except ValueError:  # no URL, so nobody's
        return ""
