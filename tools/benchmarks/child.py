"""One process of one round: ``python -m tools.benchmarks.child '{"program": …}'``. The last line is its result."""

from __future__ import annotations

import json
import os
import socket
import sys
from pathlib import Path
from typing import Any

from . import programs

_HERE = ("127.0.0.1", "::1", "localhost")


def keep_to_loopback() -> None:
    """Let no peer reach anything but this machine, whatever it wants to report to whom."""
    look_up, connect = socket.getaddrinfo, socket.socket.connect

    def checked(host: object) -> None:
        if host not in _HERE:
            raise OSError(f"the benchmarks keep to this machine: {host}")

    def guarded_look_up(host: Any, *rest: Any, **more: Any) -> Any:
        checked(host)
        return look_up(host, *rest, **more)

    def guarded_connect(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX:
            checked(address[0])
        connect(self, address)

    socket.getaddrinfo = guarded_look_up
    socket.socket.connect = guarded_connect


def main() -> None:
    order = json.loads(sys.argv[1])
    keep_to_loopback()
    program = getattr(programs, order.pop("program"))
    print(json.dumps(program(folder=Path(order.pop("folder")), **order)), flush=True)
    os._exit(0)  # what a peer still has to send is not waited for


if __name__ == "__main__":
    main()
