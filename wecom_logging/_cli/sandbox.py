"""``wecom-logging sandbox``: a local WeCom to try things against."""

from __future__ import annotations

import argparse
import json
import os
from typing import TYPE_CHECKING, Any

from .._runtime.installation import with_extra
from ..errors import ConfigurationError, MissingDependencyError
from .printing import say

if TYPE_CHECKING:
    from .._sandbox import Sandbox

DEFAULT_PORT = 8765
DEFAULT_HOST = "127.0.0.1"
TOKEN = "WECOM_SANDBOX_TOKEN"


def add(commands: Any) -> None:
    parser = commands.add_parser("sandbox", help="a local WeCom: its API below /cgi-bin/, its messages at /")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="default %(default)s; 0 takes any free port")
    parser.add_argument(
        "--host",
        default=DEFAULT_HOST,
        help=f"an address that others reach: then it wants a token, {TOKEN} or a new one",
    )
    parser.add_argument("--strict", action="store_true", help="refuse what the documents forbid though WeCom takes it")
    parser.add_argument("--seed", metavar="FILE", help="members, departments, bots, faults … in YAML or JSON")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    seeds = _read(options.seed) if options.seed else None
    server = load(options.port, options.host, strict=options.strict)
    try:
        server.seed(seeds)
    except ValueError as error:
        raise ConfigurationError("--seed", "refused", reason=f"{options.seed}: {error}") from None
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
    for name, value in server.environment.items():
        print(f"  export {name}={value}")
    print("", flush=True)
    server.serve_forever()
    return 0


def load(port: int, host: str = DEFAULT_HOST, *, strict: bool = False) -> Sandbox:
    """The sandbox's server, if what it needs is installed."""
    try:
        from .._sandbox import Sandbox
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            "sandbox", "needs_package", package=error.name, install=with_extra("sandbox")
        ) from None
    try:
        return Sandbox(port=port, host=host, token=os.environ.get(TOKEN, ""), strict=strict)
    except ValueError as error:
        raise ConfigurationError(TOKEN, "refused", reason=error) from None


def _read(path: str) -> object:
    """A file of seeds: YAML, of which JSON is a part."""
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError("--seed", "refused", reason=f"{path}: {error}") from None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass  # it may be YAML
    try:
        import yaml
    except ModuleNotFoundError:
        raise MissingDependencyError("--seed", "needs_package", package="PyYAML", install="'PyYAML'") from None
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as error:
        raise ConfigurationError("--seed", "refused", reason=f"{path}: {str(error)[:500]}") from None
