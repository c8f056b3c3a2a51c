"""Programs in a network of their own, where names, addresses and cables are what a test says.

`in_namespace` runs a program there; the rest is for that program. It needs ``unshare`` and the right to use it.
"""

from __future__ import annotations

import fcntl
import functools
import os
import socket
import struct
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from pathlib import Path

from .programs import ROOT, Ended

_COMMANDS = (["unshare", "--mount", "--net"], ["unshare", "--map-root-user", "--mount", "--net"])
_ours: set[str] = set()
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 1


@functools.cache
def namespace() -> list[str] | None:
    """The command that makes one; None where it is not allowed."""
    probe = ["sh", "-c", "mount --bind /etc/hosts /etc/resolv.conf"]
    for command in _COMMANDS:
        try:
            if subprocess.run([*command, *probe], capture_output=True, check=False, timeout=10).returncode == 0:
                return command
        except OSError:  # no such command here: the next
            continue
    return None


def in_namespace(code: str, *, timeout: float = 120.0, **environment: str) -> Ended:
    """Run Python code in a fresh process in a network of its own, which has nothing but a loopback that is up."""
    command = namespace()
    assert command is not None
    clean = {name: value for name, value in os.environ.items() if "PROXY" not in name.upper() and "WECOM" not in name}
    program = f"from tests.namespace import *\ncable(up=True)\nhosts('127.0.0.1 localhost')\n{textwrap.dedent(code)}"
    began = time.monotonic()
    done = subprocess.run(
        [*command, sys.executable, "-X", "faulthandler", "-c", program],
        env={**clean, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr, time.monotonic() - began)


# In the namespace.


def cable(*, up: bool) -> None:
    """Plug the loopback in, or pull it: whatever is sent then vanishes."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        name = b"lo".ljust(16, b"\0")
        (flags,) = struct.unpack_from("16xh", fcntl.ioctl(sock, _SIOCGIFFLAGS, name + bytes(24)))
        flags = flags | _IFF_UP if up else flags & ~_IFF_UP
        fcntl.ioctl(sock, _SIOCSIFFLAGS, struct.pack("16sh22x", name, flags))


def hosts(*lines: str) -> None:
    """What /etc/hosts says here."""
    _put("/etc/hosts", "\n".join(lines))


def resolver(*lines: str) -> None:
    """What /etc/resolv.conf says here."""
    _put("/etc/resolv.conf", "\n".join(lines))


def _put(path: str, text: str) -> None:
    if path not in _ours:
        with tempfile.NamedTemporaryFile() as file:  # which lives on below the other name
            subprocess.run(["mount", "--bind", file.name, os.path.realpath(path)], check=True)
        _ours.add(path)
    Path(path).write_text(f"{text}\n")


class NameServer:
    """Answers all questions for IPv4 addresses at 127.0.0.1:53 with one address, or says that there is no such name."""

    def __init__(self, address: str = "") -> None:
        self.address = address
        self.asked = 0
        self._sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sock.bind(("127.0.0.1", 53))
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            question, client = self._sock.recvfrom(512)
            self.asked += 1
            end = question.index(b"\0", 12) + 5
            wants_ipv4 = question[end - 4 : end - 2] == b"\0\1"
            answers = int(bool(self.address) and wants_ipv4)
            head = question[:2] + struct.pack("!HHHHH", 0x8180 if self.address else 0x8183, 1, answers, 0, 0)
            record = b"\xc0\x0c\0\1\0\1" + struct.pack("!IH", 0, 4) + socket.inet_aton(self.address or "0.0.0.0")
            self._sock.sendto(head + question[12:end] + record * answers, client)
