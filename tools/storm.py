"""How the sandbox's page answers in a storm: ``python -m tools.storm [--kept 10000] [--rate 1000] [--seconds 10]``.

A sandbox in a process of its own, 25 members with two phones each, so many messages kept; then so many a second, while
keys are pressed in a real Chromium. It prints how long after a key the page has painted, and the memory of the server.
"""

from __future__ import annotations

import argparse
import json
import re
import socket
import statistics
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import requests

from tests.e2e.browser import launched
from tests.programs import ROOT

MEMBERS = 25
BATCH = 20
KEYS = ["ArrowUp", "ArrowUp", "ArrowDown", "ArrowRight", "/", "o", "r", "d", "e", "r", "Escape"]

MEASURE = """() => {
  window.waits = [];
  addEventListener("keydown", (event) => {
    requestAnimationFrame(() => setTimeout(() => waits.push(performance.now() - event.timeStamp)));
  }, { capture: true });
}"""


class Storm:
    """Messages to the members in turn, down one connection."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.count = 0
        for number in range(MEMBERS):
            requests.post(f"{url}/sandbox/members", json={"user_id": f"member-{number}"}, timeout=30).raise_for_status()
        requests.post(f"{url}/sandbox/limits", json={"channel": "app", "limits": []}, timeout=30).raise_for_status()
        get = {"corpid": "wwsandbox", "corpsecret": "sandbox-app-secret"}
        self._token = requests.get(f"{url}/cgi-bin/gettoken", params=get, timeout=30).json()["access_token"]

    def send(self, count: int, rate: float | None = None) -> float:
        """At most so many a second. How many it were."""
        port = int(self.url.rpartition(":")[2])
        began = time.monotonic()
        with socket.create_connection(("127.0.0.1", port), timeout=60) as connection, connection.makefile("rb") as come:
            for first in range(0, count, BATCH):
                connection.sendall(b"".join(self._one() for _ in range(BATCH)))
                for _ in range(BATCH):
                    length = 0
                    while (line := come.readline()) != b"\r\n":
                        if line.startswith(b"Content-Length:"):
                            length = int(line.split()[1])
                    assert b'"errcode":0' in come.read(length)
                if rate is not None:
                    time.sleep(max(0.0, began + (first + BATCH) / rate - time.monotonic()))
        return count / (time.monotonic() - began)

    def _one(self) -> bytes:
        text = f"🔴 ERROR shop.prices: order {self.count} has no price\n" + "a line of the traceback\n" * 8
        to = f"member-{self.count % MEMBERS}"
        body = json.dumps({"touser": to, "agentid": 1000002, "msgtype": "text", "text": {"content": text}}).encode()
        self.count += 1
        head = f"POST /cgi-bin/message/send?access_token={self._token} HTTP/1.1\r\nHost: localhost\r\n"
        return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def rss(pid: int, name: str = "VmRSS") -> int:
    """MB."""
    found = re.search(rf"{name}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(encoding="ascii"))
    return int(found[1]) // 1024 if found else 0


def said(name: str, waits: list[float]) -> None:
    waits = sorted(waits)
    print(
        f"{name}: {len(waits)} keys, median {statistics.median(waits):.0f} ms, 95 % below "
        f"{waits[len(waits) * 95 // 100]:.0f} ms, the slowest {waits[-1]:.0f} ms"
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.storm", description=__doc__)
    parser.add_argument("--kept", type=int, default=10_000)
    parser.add_argument("--rate", type=int, default=1000)
    parser.add_argument("--seconds", type=int, default=10)
    options = parser.parse_args()
    command = [sys.executable, "-m", "wecom_logging._cli", "sandbox", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as server, launched() as browser:
        try:
            assert server.stdout is not None
            found = re.search(r"(http://127\.0\.0\.1:\d+) ", server.stdout.readline())
            assert found is not None
            storm = Storm(found[1])
            print(f"server at first: {rss(server.pid)} MB")
            rate = storm.send(options.kept)
            print(f"{options.kept} messages kept, {rate:.0f} a second without a page: {rss(server.pid)} MB")
            with closing(browser.new_page(viewport={"width": 1440, "height": 900}, locale="en")) as page:
                began = time.monotonic()
                page.goto(found[1])
                page.locator("#standing[data-state=live]").wait_for()
                page.locator(".phone").nth(2 * MEMBERS - 1).wait_for(state="attached")
                print(f"the page stands after {time.monotonic() - began:.1f} s")
                for number in (0, 1, 2, 3, 4, 5):  # instead of the first three, members' phones, where it rains
                    page.locator("#receivers button").nth(number).click()
                page.evaluate(MEASURE)
                rates: list[float] = []
                sending = (options.rate * options.seconds, options.rate)
                thread = threading.Thread(target=lambda: rates.append(storm.send(*sending)))
                for name, start in (("before", False), ("in the storm", True)):
                    page.evaluate("waits.length = 0")
                    if start:
                        thread.start()
                    until = time.monotonic() + (options.seconds if start else 3)
                    while time.monotonic() < until:
                        for key in KEYS:
                            page.keyboard.press(key)
                            page.wait_for_timeout(60)
                    said(name, page.evaluate("waits"))
                thread.join()
                print(f"sent {rates[0]:.0f} a second; server now {rss(server.pid)} MB")
                print(page.locator("#standing").inner_text())
                heap = page.evaluate("performance.memory.usedJSHeapSize >> 20")
                print(f"{page.locator('.phone').count()} phones; {heap} MB of objects in the page")
        finally:
            server.terminate()


if __name__ == "__main__":
    main()
