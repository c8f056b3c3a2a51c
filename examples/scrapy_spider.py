"""A Scrapy spider whose failures and end are told. Run: pip install scrapy; python examples/scrapy_spider.py"""

from collections.abc import Iterator
from functools import partial

import scrapy
from scrapy.crawler import CrawlerProcess
from scrapy.http import Response

from wecom_logging import WeComHandler


class Books(scrapy.Spider):
    name = "books"
    start_urls = ["data:,9.90", "data:,n/a"]  # pages in their own URLs; elsewhere it would be http
    custom_settings = {  # or in settings.py
        "EXTENSIONS": {"wecom_logging.integrations.scrapy.WeComExtension": 500},
        "WECOM_HANDLER": partial(WeComHandler, level="ERROR", service="crawler"),
    }

    def parse(self, response: Response) -> Iterator[dict[str, float]]:
        yield {"price": float(response.body)}


if __name__ == "__main__":  # as `scrapy crawl books` would
    process = CrawlerProcess({"LOG_LEVEL": "CRITICAL", "TELNETCONSOLE_ENABLED": False})
    process.crawl(Books)
    process.start()
