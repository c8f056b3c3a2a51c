"""Scrapy: what a spider, an item pipeline or a download raises, and a report of a crawl in which something failed.

    EXTENSIONS = {"wecom_logging.integrations.scrapy.WeComExtension": 500}
    WECOM_HANDLER = partial(WeComHandler, level="ERROR")

Settings: ``WECOM_HANDLER``, a function that makes a handler when the crawl begins, a handler, or the name of one in the
logging config; without it every live WeCom handler. ``WECOM_REPORT = True``: a crawl that ends well is reported too.

Sources: https://docs.scrapy.org/en/latest/topics/extensions.html,
https://docs.scrapy.org/en/latest/topics/signals.html
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from .._render.words import DOWNLOAD_FAILED, ITEM_FAILED, SPIDER_CLOSED, SPIDER_FAILED
from .._runtime.warn import warn_once
from .._telling import Teller, in_our_words, name_and_text, record_of, text_of
from .._text.said import Phrase
from . import need

_LOGGER = "scrapy.core.scraper"
_RETRIES = "scrapy.downloadermiddlewares.retry"
_AS_WANTED = ("finished", "shutdown", "closespider_itemcount", "closespider_pagecount")
_REASONS = ("spider_exceptions/", "httperror/response_ignored_status_count/")
_NO_REASONS = ("spider_exceptions/count",)
_MAX_REASONS = 8


class WeComExtension:
    """An extension that sends failures, each once, though Scrapy logs them too.

    A failure says of which spider and callback it is, and host and path of the URL, no query. The report gives the
    reason of the end, items, requests, and errors with their reasons: each page or item that failed in the end once,
    however often it was tried, and what the program itself has logged. It is sent at ERROR where an error was logged,
    or the reason is none that a person wanted (``finished``, ``shutdown``, a number of items or pages). Raises
    `ConfigurationError` before the crawl begins.
    """

    def __init__(self, crawler: Any) -> None:
        signals: Any = need("scrapy.signals", "2.14", "Scrapy")
        given = crawler.settings.get("WECOM_HANDLER")
        self._teller = Teller(given() if callable(given) else given, "scrapy").at_start()
        self._crawler = crawler
        for receive, signal in (
            (self._spider_error, signals.spider_error),
            (self._item_error, signals.item_error),
            (self._closed, signals.spider_closed),
        ):
            crawler.signals.connect(receive, signal=signal)
        self._failed = Counter[str]()  # what Scrapy's stats do not count, or count with each try
        self._logged = 0  # of all errors that are logged, those that are Scrapy's own
        logging.getLogger(_LOGGER).addFilter(self._tell_first)
        logging.getLogger(_RETRIES).addFilter(self._count)

    @classmethod
    def from_crawler(cls, crawler: Any) -> WeComExtension:
        """What Scrapy asks for."""
        return cls(crawler)

    def _tell_first(self, record: logging.LogRecord) -> bool:
        """Scrapy logs a failure, with the whole URL or item, before its signal: then that is told already."""
        try:
            said = record.args
            if record.exc_info and isinstance(said, Mapping) and ("item" in said or "request" in said):
                self._count(record)
                of_page = DOWNLOAD_FAILED if "downloading" in str(record.msg) else SPIDER_FAILED
                what = ITEM_FAILED if "item" in said else of_page
                if self._is_mine(record) and (error := record.exc_info[1]) is not None:
                    if what is not SPIDER_FAILED:
                        self._failed[name_and_text(error)[0]] += 1
                    self._tell(error, what, said.get("request"))
        except Exception as failure:  # a version of Scrapy that logs something else
            warn_once("scrapy", f"scrapy: a failure that Scrapy logged could not be read ({type(failure).__name__})")
        return True

    def _count(self, record: logging.LogRecord) -> bool:
        self._logged += record.levelno >= logging.ERROR  # of any spider, as Scrapy's stats count them
        return True

    def _is_mine(self, record: logging.LogRecord) -> bool:
        return getattr(record, "spider", None) is self._crawler.spider

    def _spider_error(self, failure: Any, response: Any) -> None:
        self._tell(failure.value, SPIDER_FAILED, getattr(response, "request", None))

    def _item_error(self, failure: Any, response: Any) -> None:
        self._tell(failure.value, ITEM_FAILED, getattr(response, "request", None))

    def _tell(self, error: BaseException | None, what: Phrase, request: Any = None) -> None:
        if error is not None:
            name = self._crawler.spider.name
            fields = {"spider": name, **_fields(request, error)}
            self._teller.tell(record_of(error, what, name, logger=name, fields=fields))

    def _closed(self, reason: str) -> None:
        logging.getLogger(_LOGGER).removeFilter(self._tell_first)
        logging.getLogger(_RETRIES).removeFilter(self._count)
        numbers: Mapping[str, Any] = self._crawler.stats.get_stats()
        logged = sum(numbers.get(f"log_count/{level}", 0) for level in ("ERROR", "CRITICAL"))
        failed = bool(logged or numbers.get("spider_exceptions/count", 0)) or reason not in _AS_WANTED
        if not failed and not self._crawler.settings.getbool("WECOM_REPORT"):
            return
        spider = self._crawler.spider
        level = logging.ERROR if failed else logging.INFO
        record = logging.LogRecord(spider.name, level, "", 0, SPIDER_CLOSED.en, (spider.name, reason), None)
        errors = self._failed + _counted(numbers) + Counter(logged=max(logged - self._logged, 0))
        fields = {
            "items": numbers.get("item_scraped_count", 0),
            "dropped": numbers.get("item_dropped_count", ""),
            "requests": numbers.get("downloader/request_count", 0),
            "errors": errors.total(),
            "reasons": ", ".join(f"{name} {number}" for name, number in errors.most_common(_MAX_REASONS)),
        }
        record.wecom = {"fields": {name: value for name, value in fields.items() if value != ""}}
        in_our_words(record, SPIDER_CLOSED, fields)
        self._teller.tell(record, whatever_level=not failed)


def _fields(request: Any, error: BaseException) -> dict[str, object]:
    if request is None:
        return {}
    url = urlsplit(request.url)
    where = "data:" if url.scheme == "data" else f"{url.netloc.rpartition('@')[2]}{url.path}"
    called = [request.callback, request.errback]
    names = [text_of(getattr(one, "__name__", "parse" if one is None else one)) for one in called]
    return {"url": where, "callback": names[request.errback is not None and names[1] in _passed(error)]}


def _passed(error: BaseException) -> set[str]:
    """The functions that an exception has left."""
    names: set[str] = set()
    trace = error.__traceback__
    while trace is not None:
        names.add(trace.tb_frame.f_code.co_name)
        trace = trace.tb_next
    return names


def _counted(numbers: Mapping[str, Any]) -> Counter[str]:
    """What Scrapy's stats say of pages that failed in the end: ``{"ValueError": 2, "404": 1}``."""
    found = Counter[str]()
    for key, number in numbers.items():
        if key.startswith(_REASONS) and key not in _NO_REASONS:
            found[key.rpartition("/")[2].rpartition(".")[2]] += number
    return found
