"""A bucket for tests: moto's S3 on loopback, in this process.

moto compares versions and then writes, with nothing to keep two requests apart: of sixteen conditional PUTs at once two
were accepted. S3 lets one through, so requests are served one at a time here. `Bucket.obeys = False` makes it a store
that has never heard of conditions, as older ones are; `Bucket.loses = 3`: three writes are made, their answers lost.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from http.server import HTTPServer
from typing import Any
from urllib.request import Request, urlopen

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

CONDITIONS = ("HTTP_IF_MATCH", "HTTP_IF_NONE_MATCH")


class Bucket:
    def __init__(self, name: str) -> None:
        self.name = name
        self.obeys = True
        self.loses = 0
        self.requests: list[str] = []
        self._moto = DomainDispatcherApplication(create_backend_app)
        self.server: HTTPServer = make_server("127.0.0.1", 0, self._answer, threaded=False, request_handler=_Silent)
        self.endpoint = f"http://127.0.0.1:{self.server.server_port}"

    def url(self, prefix: str) -> str:
        """Under a prefix of the test's own: all buckets of a process are one memory of moto's."""
        return f"s3://{self.name}/{prefix}"

    def environment(self) -> dict[str, str]:
        return {
            "FINNEWS_S3_ENDPOINT": self.endpoint,
            "FINNEWS_S3_ACCESS_KEY_ID": "tests",
            "FINNEWS_S3_SECRET_ACCESS_KEY": "tests",
        }

    def _answer(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        self.requests.append(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}")
        if not self.obeys:
            for condition in CONDITIONS:
                environ.pop(condition, None)
        if self.loses and environ["REQUEST_METHOD"] == "PUT":
            self.loses -= 1
            list(self._moto(environ, lambda *_: None))
            start_response("503 Slow Down", [("Content-Length", "0")])
            return [b""]
        return self._moto(environ, start_response)


class _Silent(WSGIRequestHandler):
    def log(self, *_: object) -> None:
        pass


@contextmanager
def serving(name: str = "finnews") -> Iterator[Bucket]:
    bucket = Bucket(name)
    thread = threading.Thread(target=bucket.server.serve_forever, daemon=True)
    thread.start()
    try:
        urlopen(Request(f"{bucket.endpoint}/{name}", method="PUT")).close()
        yield bucket
    finally:
        bucket.server.shutdown()
        thread.join()
        bucket.server.server_close()
