"""``wecom-logging sandbox``: a local WeCom to try things against.

``wecom-logging demo``: the main job with nothing to set up. A program fails, and its alerts arrive in a local WeCom.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from .._runtime.version import with_extra
from ..errors import ConfigurationError, MissingDependencyError
from .parser import command
from .printing import refuse, say
from .texts import text

if TYPE_CHECKING:
    from .._sandbox import Sandbox


DEFAULT_PORT = 8765
DEFAULT_HOST = "127.0.0.1"
TOKEN = "WECOM_SANDBOX_TOKEN"
KEPT = ("WECOM_LANGUAGE", "WECOM_TIMEZONE")
"""Of the variables of who runs the demo, what its program has, too."""


def add(commands: Any) -> None:
    parser = command(commands, "demo", "demo.help")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="demo.port")
    parser.set_defaults(run=run_demo)
    parser = command(commands, "sandbox", "sandbox.help")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="sandbox.port")
    parser.add_argument("--host", default=DEFAULT_HOST, help="sandbox.host")
    parser.add_argument("--strict", action="store_true", help="sandbox.strict")
    parser.add_argument("--seed", metavar="FILE", help="sandbox.seed")
    parser.add_argument("--tls", metavar="FILE", default="", help="sandbox.tls")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    seeds = _read(options.seed) if options.seed else None
    server = _load(options.port, options.host, strict=options.strict, ca_file=options.tls)
    try:
        server.seed(seeds)
    except ValueError as error:
        raise ConfigurationError("--seed", "refused", reason=f"{options.seed}: {error}") from None
    try:
        server.start()
    except (OSError, OverflowError) as error:
        errno = getattr(error, "errno", None) or 0
        why = os.strerror(errno) if errno > 0 else error
        refuse("sandbox.port", 2, port=options.port, host=options.host, reason=why)
    if server.token:
        say(text("sandbox.open", host=options.host))
    print(text("sandbox.here", url=server.url, page=server.page), end="\n\n")
    for name, value in server.environment.items():
        print(f"  export {name}={shlex.quote(value)}")
    print("", flush=True)
    server.serve_forever()
    return 0


def _load(port: int, host: str = DEFAULT_HOST, **given: Any) -> Sandbox:
    """The sandbox's server, if what it needs is installed."""
    try:
        from .._sandbox import Sandbox

        return Sandbox(port=port, host=host, token=os.environ.get(TOKEN, ""), **given)
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            "sandbox", "needs_package", package=error.name, install=with_extra("sandbox")
        ) from None
    except ValueError as error:
        raise ConfigurationError(TOKEN, "refused", reason=error) from None
    except OSError as error:
        raise ConfigurationError("--tls", "refused", reason=f"{given['ca_file']}: {error.strerror}") from None


def _read(path: str) -> object:
    """A file of seeds: YAML, of which JSON is a part."""
    try:
        with open(path, encoding="utf-8") as file:
            content = file.read()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigurationError("--seed", "unreadable", path=f" {path}", reason=reason) from None
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        pass  # it may be YAML
    try:
        import yaml
    except ModuleNotFoundError:
        raise MissingDependencyError("--seed", "needs_package", package="PyYAML", install="'PyYAML'") from None
    try:
        return yaml.safe_load(content)
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = "" if mark is None else f":{mark.line + 1}"
        raise ConfigurationError("--seed", "not_valid", path=path, line=line, form="YAML") from None


# the demo


def run_demo(options: argparse.Namespace) -> int:
    from .._runtime.worker import at_end

    watched = sys.stdin is not None and sys.stdin.isatty()
    server = _started(options.port)
    directory = tempfile.mkdtemp(prefix="wecom-logging-demo-")
    remove, state = partial(shutil.rmtree, directory, ignore_errors=True), f"sqlite://{directory}/alerts.db"
    try:
        print(text("demo.started", url=server.url))
        print(text("demo.program"), end="\n\n", flush=True)  # the program writes to the same place
        program = [sys.executable, "-m", "wecom_logging._cli.demo_program"]
        status = subprocess.run(program, env=_environment(server, state), check=False).returncode
        print(f"\n   {text('demo.ended', status=status)}")
        has_messages = _show_messages(server)
        print(text("demo.next"), flush=True)
        if watched:
            print(f"\n{text('demo.page', url=server.url)}", flush=True)
            with _answering(server, state):
                server.serve_forever()
        return 0 if status == 0 and has_messages else 1
    finally:
        server.stop()
        if watched:
            at_end.append(remove)  # the handler that hears the answers uses it to the end
        else:
            remove()


def _started(port: int) -> Sandbox:
    server = _load(port)
    try:
        server.start()
    except (OSError, OverflowError):  # the usual port is taken, or there is none of that number: any other will do
        server = _load(0)
        server.start()
    return server


@contextmanager
def _answering(server: Sandbox, state: str) -> Iterator[None]:
    """Hear what is answered on the page, in the place of the program, which has ended."""
    from unittest.mock import patch

    from ..handlers import WeComAIBotHandler

    with patch.dict(os.environ, _environment(server, state), clear=True):
        handler = WeComAIBotHandler(chats="sandbox-user")
    if (reception := handler._reception()) is not None:
        reception.tell = lambda line: print(f"   ← {line}", flush=True)
        reception.connection.start()
    try:
        yield
    finally:
        handler.close()


def _environment(server: Sandbox, state: str) -> dict[str, str]:
    mine = {name: value for name, value in os.environ.items() if name in KEPT or not name.startswith("WECOM_")}
    return {**mine, **server.environment, "WECOM_STATE": state}


def _show_messages(server: Sandbox) -> bool:
    """Whether there are any."""
    messages = server.messages()
    print(text("demo.arrived", count=len(messages)), end="\n\n")
    for message in messages:
        to = text("demo.group" if message["channel"] == "bot" else "demo.people", names=", ".join(message["receivers"]))
        to = text("demo.buttons", to=to) if message["msgtype"] == "template_card" else to
        print(f"   ┌ {message['channel']}, {message['msgtype']}, {to}")
        for line in message["content"].splitlines():
            print(f"   │ {line}")
        print("   └")
    return bool(messages)
