"""What many crawlers are: a Scrapy spider, and a pipeline in which trafilatura reads each page into a JSON line.

    python -m benchmarks.backfill_scrapy FOLDER OUT.jsonl

The pages of the folder are served on loopback by a process of its own, without delay and sixteen at a time.
"""

from __future__ import annotations

import json
import multiprocessing
import sys
from collections.abc import AsyncIterator, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import scrapy
from scrapy.crawler import AsyncCrawlerProcess
from scrapy.http import Response
from trafilatura import bare_extraction

SETTINGS = {
    "LOG_LEVEL": "ERROR",
    "TELNETCONSOLE_ENABLED": False,
    "CONCURRENT_REQUESTS": 16,
    "CONCURRENT_REQUESTS_PER_DOMAIN": 16,
    "DOWNLOAD_DELAY": 0,
}


class Handler(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass


class Pipeline:
    """Of the spider's settings: where the lines go."""

    def __init__(self, out: str) -> None:
        self._lines = Path(out).open("w", encoding="utf-8")  # noqa: SIM115 - closed with the spider

    @classmethod
    def from_crawler(cls, crawler: Any) -> Pipeline:  # noqa: ANN401
        return cls(crawler.settings["OUT"])

    def process_item(self, page: dict[str, Any]) -> dict[str, Any]:
        document = bare_extraction(page["html"], url=page["url"], with_metadata=True)
        if document is not None:
            fields = ("title", "author", "date", "sitename", "text")
            line = {name: getattr(document, name) for name in fields} | {"url": page["url"]}
            self._lines.write(json.dumps(line, ensure_ascii=False) + "\n")
        return page

    def close_spider(self) -> None:
        self._lines.close()


class PagesSpider(scrapy.Spider):
    name = "pages"

    def __init__(self, address: str, names: list[str]) -> None:
        super().__init__()
        self._address, self._names = address, names

    async def start(self) -> AsyncIterator[scrapy.Request]:
        for name in self._names:
            yield scrapy.Request(f"http://{self._address}/{name}")

    def parse(self, response: Response) -> Iterator[dict[str, Any]]:
        yield {"url": response.url, "html": response.text}


def serve(folder: str, there: Connection) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=folder))
    there.send(server.server_address[1])
    server.serve_forever()


def main() -> None:
    folder, out = sys.argv[1:]
    here, there = multiprocessing.Pipe()
    server = multiprocessing.Process(target=serve, args=(folder, there), daemon=True)
    server.start()
    process = AsyncCrawlerProcess({**SETTINGS, "OUT": out, "ITEM_PIPELINES": {Pipeline: 300}})
    process.crawl(
        PagesSpider, address=f"127.0.0.1:{here.recv()}", names=sorted(path.name for path in Path(folder).iterdir())
    )
    process.start()
    server.terminate()


if __name__ == "__main__":
    main()
