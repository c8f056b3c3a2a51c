"""Scrapy, the real one, against a real server: what fails is told once, and the crawl goes as it would without us."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.programs import CREDENTIALS, ROOT
from wecom_logging._sandbox import Sandbox

pytestmark = pytest.mark.slow

SPIDER = """
import logging, sys
from functools import partial
import scrapy
from wecom_logging import WeComHandler
def make():
    handler = WeComHandler(level="ERROR")
    {attach}
    return handler
class Price:
    def process_item(self, item, spider=None):
        if "secret" in item:
            raise LookupError("no stock")
        return item
class Shop(scrapy.Spider):
    name = "shop"
    custom_settings = {{
        "TELNETCONSOLE_ENABLED": False, "RETRY_ENABLED": False, "USER_AGENT": "canary-agent",
        "ITEM_PIPELINES": {{Price: 1}}, {settings}
    }}
    start_urls = ["{url}/"]
    def parse(self, response):
        for way in {ways}:
            name = way.partition("/")[0]
            host = "http://127.0.0.1:1" if name == "refused" else "{url}"
            yield scrapy.Request(
                host + "/" + way + "?key=canary-key-7a&page=canary-query",
                getattr(self, name),
                errback=self.failed if way == "missing" else None,
                cookies={{"session": "canary-cookie"}},
                headers={{"Authorization": "Bearer canary-token-9d8f7a"}},
            )
    def good(self, response):
        yield {{"name": "book"}}
    def item(self, response):
        yield {{"name": "book", "secret": "canary-item"}}
    def broken(self, response):
        yield {{"name": "pen"}}
        raise ValueError("no price")
    missing = absent = refused = busy = good
    def noted(self, response):
        self.logger.error("no shop")
    def stopped(self, response):
        raise scrapy.exceptions.CloseSpider("blocked")
    def failed(self, failure):
        raise RuntimeError("not even an errback") from failure.value
"""
OURS = """
        "EXTENSIONS": {"wecom_logging.integrations.scrapy.WeComExtension": 500}, "WECOM_HANDLER": make,
"""


class Pages(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        statuses = {"/missing": 404, "/absent": 404, "/busy": 503}
        self.send_response(next((statuses[path] for path in statuses if self.path.startswith(path)), 200))
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"canar")

    def log_message(self, format: str, *args: object) -> None:
        return


@pytest.fixture(scope="module")
def pages() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Pages) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def crawl(
    sandbox: Sandbox, tmp_path: Path, pages: str, ways: list[str], settings: str = OURS, attach: str = "pass"
) -> subprocess.CompletedProcess[str]:
    file = tmp_path / "shop_spider.py"
    file.write_text(SPIDER.format(url=pages, ways=ways, settings=settings, attach=attach), encoding="utf-8")
    return subprocess.run(
        [sys.executable, "-m", "scrapy", "runspider", str(file), "-s", "LOG_LEVEL=ERROR"],
        cwd=tmp_path,
        env={**CREDENTIALS, "WECOM_API_BASE": sandbox.url, "PYTHONPATH": str(ROOT), "PATH": ""},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def told(sandbox: Sandbox) -> list[str]:
    return [message["content"] for message in sandbox.messages()]


def reasons(report: str) -> dict[str, int]:
    pairs = [reason.rpartition(" ") for reason in report.split("reasons: ")[1].splitlines()[0].split(", ")]
    return {name: int(number) for name, _, number in pairs}


def test_a_page_that_fails_counts_once_however_often_it_is_tried(sandbox: Sandbox, tmp_path: Path, pages: str) -> None:
    ways = ["good", *(f"{way}/{number}" for way in ("busy", "refused", "broken") for number in range(3)), "noted"]
    retries = '"RETRY_ENABLED": True, "RETRY_TIMES": 1,'
    crawl(sandbox, tmp_path, pages, ways, settings=f"{OURS} {retries}")
    (report,) = [text for text in told(sandbox) if "spider shop closed: finished" in text]
    assert "│ requests: 18" in report
    assert "│ errors: 10" in report
    assert reasons(report) == {"DownloadConnectionRefusedError": 3, "ValueError": 3, "503": 3, "logged": 1}


@pytest.mark.parametrize("attach", ["pass", "logging.getLogger().addHandler(handler)"])
def test_each_failure_is_one_alert_and_the_end_is_reported(
    sandbox: Sandbox, tmp_path: Path, pages: str, attach: str
) -> None:
    ways = ["good", "broken", "item", "missing", "absent", "refused"]
    ended = crawl(sandbox, tmp_path, pages, ways, attach=attach)
    texts = told(sandbox)
    host = pages.removeprefix("http://")
    (broken,) = [text for text in texts if "shop: spider shop failed: ValueError: no price" in text]
    assert "│ callback: broken" in broken
    assert f"│ url: {host}/broken\n" in broken
    [_] = [text for text in texts if "an item of spider shop failed: LookupError: no stock" in text]
    (errback,) = [text for text in texts if "spider shop failed: RuntimeError: not even an errback" in text]
    assert "│ callback: failed" in errback
    (refused,) = [text for text in texts if "a request of spider shop failed: " in text]
    assert "│ url: 127.0.0.1:1/refused\n" in refused
    assert refused.splitlines()[0].count("ConnectionRefusedError") == 1
    (report,) = [text for text in texts if "spider shop closed: finished" in text]
    for line in ("items: 2", "requests: 7", "errors: 5"):
        assert f"│ {line}" in report
    names = ["404", "DownloadConnectionRefusedError", "LookupError", "RuntimeError", "ValueError"]
    assert reasons(report) == dict.fromkeys(names, 1)
    assert len(texts) == 5
    assert "canary" not in "\n".join(texts)
    without = crawl(sandbox, tmp_path, pages, ways, settings="")
    assert (ended.returncode, ended.stdout) == (without.returncode, without.stdout)
    assert ended.stderr.count("[scrapy.core.scraper] ERROR") == without.stderr.count("[scrapy.core.scraper] ERROR") == 4
    assert len(told(sandbox)) == 5


def test_a_crawl_that_ends_well_is_told_where_asked_for(sandbox: Sandbox, tmp_path: Path, pages: str) -> None:
    assert crawl(sandbox, tmp_path, pages, ["good"]).returncode == 0
    assert told(sandbox) == []
    crawl(sandbox, tmp_path, pages, ["good"], settings=f"{OURS} 'WECOM_REPORT': True,")
    (text,) = told(sandbox)
    assert text.startswith("🔵 INFO shop: spider shop closed: finished")
    assert "│ items: 1" in text


def test_a_crawl_that_is_given_up_says_why(sandbox: Sandbox, tmp_path: Path, pages: str) -> None:
    crawl(sandbox, tmp_path, pages, ["stopped"])
    (text,) = told(sandbox)
    assert text.startswith("🔴 ERROR shop: spider shop closed: blocked")


def test_without_a_handler_it_is_said_at_start_and_the_crawl_goes_on(
    sandbox: Sandbox, tmp_path: Path, pages: str
) -> None:
    ended = crawl(sandbox, tmp_path, pages, ["broken"], settings=OURS.replace("make", "'alerts'"))
    assert ended.stderr.startswith("wecom_logging: scrapy: there is no handler named 'alerts' so far; until there is")
    assert ended.stderr.count("ValueError: no price") == 1
    assert "Spider error processing" in ended.stderr
