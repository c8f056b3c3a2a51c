"""``wecom-logging sandbox``: a local WeCom to try things against."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING, Any

from ..errors import MissingDependencyError
from .printing import say

if TYPE_CHECKING:
    from .._sandbox import Sandbox

DEFAULT_PORT = 8765
DEFAULT_HOST = "127.0.0.1"
CREDENTIALS = {
    "WECOM_CORP_ID": "wwsandbox",
    "WECOM_AGENT_ID": "1000002",
    "WECOM_SECRET": "sandbox-app-secret",
    "WECOM_CONTACTS_SECRET": "sandbox-contacts-secret",
    "WECOM_USERS": "sandbox-user",
    "WECOM_WEBHOOK": "sandbox-bot",
}
"""What the sandbox accepts on this machine. They open nothing else."""
SECRET = ("WECOM_SECRET", "WECOM_CONTACTS_SECRET", "WECOM_WEBHOOK")


def add(commands: Any) -> None:
    parser = commands.add_parser("sandbox", help="a local WeCom: its API below /cgi-bin/, its messages at /")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="default %(default)s; 0 takes any free port")
    parser.add_argument("--host", default=DEFAULT_HOST, help="an address that others reach: then it wants a token")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    server = load(options.port, options.host)
    try:
        server.start()
    except (OSError, OverflowError) as error:
        errno = getattr(error, "errno", None) or 0
        why = os.strerror(errno) if errno > 0 else error
        say(f"port {options.port} of {options.host} cannot be used ({why}); choose another with --port or --host")
        return 2
    if server.token:
        say(
            f"warning: {options.host} is reached by other machines, unencrypted. Who has the token below may use it, "
            "from there by this machine's name or address."
        )
    print(f"A local WeCom is at {server.url} (Ctrl-C ends it); its page is {server.page}. To use it:\n")
    for name, value in {"WECOM_API_BASE": server.url, **credentials(server.token)}.items():
        print(f"  export {name}={value}")
    print("", flush=True)
    server.serve_forever()
    return 0


def credentials(token: str) -> dict[str, str]:
    """Away from loopback, secrets end with the token."""
    return {name: f"{value}-{token}" if token and name in SECRET else value for name, value in CREDENTIALS.items()}


def load(port: int, host: str = DEFAULT_HOST) -> Sandbox:
    """The sandbox's server, if what it needs is installed."""
    try:
        from .._sandbox import Sandbox
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            "sandbox", f"it needs {error.name}: pip install 'wecom-logging[sandbox]'"
        ) from None
    return Sandbox(port=port, host=host)
