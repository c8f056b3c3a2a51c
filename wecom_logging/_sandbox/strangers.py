"""Who may speak to the sandbox: no page of another site, and away from loopback only a program with the token."""

from __future__ import annotations

import hmac
import ipaddress
import re
import socket
from urllib.parse import urlsplit

from werkzeug.wrappers import Request

LOCAL_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})
WECOMS_NAMES = frozenset({"qyapi.weixin.qq.com", "openws.work.weixin.qq.com"})
"""Clients that know no other name are sent here by a hosts file. Another site could point a browser here by one of them
(DNS rebinding), so by these names a browser gets nothing, and a program WeCom's own calls alone."""
PORT = re.compile(":[0-9]+$")
FROM_BROWSERS = ("HTTP_ORIGIN", "HTTP_SEC_FETCH_")


def is_loopback(host: str) -> bool:
    """``localhost`` too: it is resolved where it is bound."""
    address = _address(host)
    return host == "localhost" if address is None else address.is_loopback


class Doorkeeper:
    def __init__(self, host: str, token: str) -> None:
        own = {host.lower(), socket.gethostname().lower(), "host.docker.internal"}  # Docker's name of its host
        self._names = LOCAL_NAMES if not token else LOCAL_NAMES | own
        self._token = token
        own_names = "its own addresses, its host name and host.docker.internal"
        more = own_names if token else "no other (--host ADDRESS does)"
        self._served = f"The sandbox is served at {', '.join(sorted(LOCAL_NAMES))} and {more}."

    def refuse(self, request: Request, *, is_socket: bool) -> tuple[int, str] | None:
        """The status and a sentence for a request that comes from a page of another site, or by a name made to point
        here; None for one that may pass.

        Such names are what DNS rebinding is done with, so an address will do wherever a token is asked for. A link
        from another site to the page is followed: nothing of that site can read it.
        """
        if request.method == "CONNECT":
            return 400, "The sandbox is no proxy."
        host = request.environ.get("HTTP_HOST", "")
        name = PORT.sub("", host).lower()
        if name in WECOMS_NAMES:
            called = is_socket or request.path.startswith("/cgi-bin/")
            if not called or any(header.startswith(FROM_BROWSERS) for header in request.environ):
                text = f"By the name {name}, programs get WeCom's own calls alone, and browsers nothing."
                return 421, f"{text} {self._served}"
        elif name not in self._names and not (self._token and _address(name.strip("[]"))):
            return 421, self._served
        origin, site = request.environ.get("HTTP_ORIGIN"), request.environ.get("HTTP_SEC_FETCH_SITE", "none")
        if origin is not None and _host_of(origin) != host:
            return 403, "A page of another site may not call the sandbox."
        how = request.environ.get("HTTP_SEC_FETCH_MODE"), request.environ.get("HTTP_SEC_FETCH_DEST", "document")
        is_visit = (request.method, request.path, *how) == ("GET", "/", "navigate", "document")
        if site not in ("none", "same-origin") and not is_visit:  # no Origin: <img>
            return 403, "A page of another site may show a link to the sandbox's page at /, and no more."
        return None

    def knows(self, request: Request) -> bool:
        """Whether the token is there, if there is one: as a bearer's, or, for an EventSource, in the query."""
        if not self._token:
            return True
        given = request.environ.get("HTTP_AUTHORIZATION", "").removeprefix("Bearer ")
        return any(
            hmac.compare_digest(text.encode(errors="replace"), self._token.encode())
            for text in (given, request.args.get("token", ""))
        )


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:  # a name, no address
        return None


def _host_of(origin: str) -> str:
    try:
        return urlsplit(origin).netloc
    except ValueError:  # no URL, so no site's
        return ""
