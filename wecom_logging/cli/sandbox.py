"""``wecom-logging sandbox``: a local WeCom to try things against."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from ..errors import MissingDependencyError
from .printing import say

if TYPE_CHECKING:
    from ..sandbox import Sandbox

DEFAULT_PORT = 8765
CREDENTIALS = {
    "WECOM_CORP_ID": "wwsandbox",
    "WECOM_AGENT_ID": "1000002",
    "WECOM_SECRET": "sandbox-app-secret",
    "WECOM_CONTACTS_SECRET": "sandbox-contacts-secret",
    "WECOM_USERS": "sandbox-user",
    "WECOM_WEBHOOK": "sandbox-bot",
}
"""What the sandbox accepts. They open nothing else."""


def add(commands: Any) -> None:
    parser = commands.add_parser("sandbox", help="a local WeCom: its API below /cgi-bin/, its messages at /")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="default %(default)s; 0 takes any free port")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    server = load(options.port)
    try:
        server.start()
    except (OSError, OverflowError) as error:
        say(f"port {options.port} cannot be used ({error}); choose another with --port")
        return 2
    print(f"A local WeCom is at {server.url} (Ctrl-C ends it). To use it:\n")
    for name, value in {"WECOM_API_BASE": server.url, **CREDENTIALS}.items():
        print(f"  export {name}={value}")
    print("", flush=True)
    server.serve_forever()
    return 0


def load(port: int) -> Sandbox:
    """The sandbox's server, if what it needs is installed."""
    try:
        from ..sandbox import Sandbox
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            "sandbox", f"it needs {error.name}: pip install 'wecom-logging[sandbox]'"
        ) from None
    return Sandbox(port=port)
