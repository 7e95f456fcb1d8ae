"""A new user's first half hour, as a script: every command is typed, its answer is looked at, its time is told.

    python -m tests.walkthrough

Clone, demo, a source of one's own, ingest, read; the site breaks, the alarm, the site is back; a better rule, applied
to what was stored. The site is an invented one on loopback. The environment is the caller's, and not built again.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from benchmarks.sample_lake import ZONE, corpus

ROOT = Path(__file__).parents[1]
HOST = "www.harbor-news.com.cn"
# What the site puts under each article; no rule that comes with finnews knows it.
SLOGAN = "港湾财经，看懂每一条航线背后的生意"
MAINTENANCE = b"<html><head><title>\xe7\xb3\xbb\xe7\xbb\x9f\xe7\xbb\xb4\xe6\x8a\xa4</title></head><body></body></html>"


class HarborNews(ThreadingHTTPServer):
    """A feed and its articles; `broken`, it answers everything with a notice and status 200."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        originals = [
            article for article in corpus(days=1) if article.source == "harbor" and article.publisher == "港湾财经"
        ]
        self.articles = {str(10_000 + n): article for n, article in enumerate(originals)}
        self.now = datetime.now(ZONE).replace(microsecond=0)
        self.broken = False

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"

    def feed(self) -> bytes:
        items = "".join(
            f"<item><title>{escape(article.title)}</title><link>http://{HOST}/a/{number}.html</link>"
            f"<pubDate>{self.now:%a, %d %b %Y %H:%M:%S %z}</pubDate></item>"
            for number, article in self.articles.items()
        )
        return f"<rss version='2.0'><channel><title>港湾财经</title>{items}</channel></rss>".encode()

    def page(self, number: str) -> bytes | None:
        article = self.articles.get(number)
        if article is None:
            return None
        body = "".join(f"<p>{line}</p>" for line in (*article.text.split("\n"), SLOGAN))
        return (
            f"<html><head><meta charset='utf-8'><title>{article.title} - 港湾财经</title></head>"
            f"<body><h1>{article.title}</h1>"
            f"<div class='info'>{self.now:%Y-%m-%d %H:%M} 来源：港湾财经 责任编辑：顾一舟</div>"
            f"<div class='article-content'>{body}</div></body></html>"
        ).encode()


class _Handler(BaseHTTPRequestHandler):
    server: HarborNews

    def do_GET(self) -> None:
        kind, body = "text/html; charset=utf-8", None
        if self.path == "/rss.xml":
            kind, body = "application/rss+xml; charset=utf-8", self.server.feed()
        elif self.path.startswith("/a/"):
            body = self.server.page(self.path.removeprefix("/a/").removesuffix(".html"))
        if self.server.broken and self.path != "/robots.txt":
            kind, body = "text/html; charset=utf-8", MAINTENANCE
        self.send_response(200 if body else 404)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body or b"")))
        self.end_headers()
        self.wfile.write(body or b"")

    def log_message(self, format: str, *args: object) -> None:
        pass


class User:
    """Types commands in a checkout, and keeps the time of each."""

    def __init__(self, folder: Path, site: HarborNews) -> None:
        self.folder = folder
        self.times: dict[str, float] = {}
        # What a real site does not need: it is found by its name, and asked once a second.
        loopback = {"FINNEWS_CONNECT_TO": json.dumps({HOST: site.address}), "FINNEWS_DELAY_SECONDS": "0"}
        self._environment: Mapping[str, str] = {**os.environ, **loopback, "FINNEWS_LAKE": "lake", "NO_COLOR": "1"}

    def finnews(self, step: str, *words: str, exit_code: int = 0) -> str:
        """Standard output of one command, whose exit code must be the one that is documented."""
        python = {"PYTHONPATH": str(self.folder)}
        command = [sys.executable, "-m", "flows.cli", *words]
        return self.run(step, command, cwd=self.folder, environment=python, exit_code=exit_code)

    def run(
        self,
        step: str,
        command: list[str],
        *,
        cwd: Path,
        environment: Mapping[str, str] | None = None,
        exit_code: int = 0,
    ) -> str:
        started = time.monotonic()
        environment = {**self._environment, **(environment or {})}
        done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=300)
        self.times[step] = time.monotonic() - started
        assert done.returncode == exit_code, f"{step}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout


def walk(folder: Path) -> dict[str, float]:
    """All steps, with their seconds. An AssertionError says at which one the user would have been stuck."""
    with harbor_news() as site:
        user = User(folder / "finnews", site)
        user.run("clone", ["git", "clone", "--quiet", "--no-hardlinks", str(ROOT), str(user.folder)], cwd=folder)
        first_look(user)
        source = own_source(user, site)
        site_breaks(user, site, source)
        better_rule(user, source)
    return user.times


def first_look(user: User) -> None:
    accounts = json.loads(user.finnews("demo", "demo", "--lake", "demo-lake", "--json"))
    assert accounts["totals"]["stored"] > 20
    counted = user.finnews(
        "read the demo", "read", "select count(*) as n from articles", "--lake", "demo-lake", "--json"
    )
    assert json.loads(counted)[0]["n"] == accounts["totals"]["stored"]


def own_source(user: User, site: HarborNews) -> str:
    (user.folder / "my-sources").mkdir()
    (user.folder / "finnews.toml").write_text('sources = ["my-sources"]\n', encoding="utf-8")
    user.finnews("draft a source", "sources", "new", f"http://{HOST}/rss.xml", "--into", "my-sources")
    [file] = (user.folder / "my-sources").glob("*.toml")
    source = file.stem
    user.finnews("check it live", "sources", "check", source, "--live")
    accounts = json.loads(user.finnews("ingest", "ingest", source, "--json"))
    assert accounts["sources"][source]["stored"] == len(site.articles)
    again = json.loads(user.finnews("ingest again", "ingest", source, "--json"))
    assert again["sources"][source]["stored"] == 0
    rows = json.loads(user.finnews("read", "read", "select title, text, publisher, editor from articles", "--json"))
    assert {row["title"] for row in rows} == {article.title for article in site.articles.values()}
    assert {(row["publisher"], row["editor"]) for row in rows} == {("港湾财经", "顾一舟")}
    assert "fresh" in user.finnews("status", "status")
    return source


def site_breaks(user: User, site: HarborNews, source: str) -> None:
    site.broken = True
    user.finnews("ingest of the broken site", "ingest", source, exit_code=75)
    alarm = user.finnews("the alarm", "status", "--json", exit_code=4)
    [told] = [each for each in json.loads(alarm) if each["source"] == source]
    assert told["state"] == "broken"
    assert told["reasons"]
    site.broken = False
    user.finnews("ingest of the mended site", "ingest", source)
    user.finnews("no alarm", "status")


def better_rule(user: User, source: str) -> None:
    count = f"select count(*) as n from articles where contains(text, '{SLOGAN}')"
    assert json.loads(user.finnews("see the slogan", "read", count, "--json"))[0]["n"] > 0
    file = user.folder / "my-sources" / f"{source}.toml"
    toml = file.read_text(encoding="utf-8")
    rule = f"drop_lines = ['^{SLOGAN}$']\n"
    file.write_text(
        toml.replace("[article]\n", f"[article]\n{rule}") if "[article]\n" in toml else f"{toml}\n[article]\n{rule}"
    )
    preview = user.finnews("re-extract, dry", "reextract", "--source", source, "--dry-run")
    assert source in preview
    assert json.loads(user.finnews("nothing changed yet", "read", count, "--json"))[0]["n"] > 0
    user.finnews("re-extract", "reextract", "--source", source)
    assert json.loads(user.finnews("the slogan is gone", "read", count, "--json"))[0]["n"] == 0
    user.finnews("verify", "verify")


@contextmanager
def harbor_news() -> Iterator[HarborNews]:
    with HarborNews() as site:
        Thread(target=site.serve_forever, daemon=True).start()
        try:
            yield site
        finally:
            site.shutdown()


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        times = walk(Path(folder))
    for step, seconds in times.items():
        sys.stdout.write(f"{seconds:6.1f} s  {step}\n")
    sys.stdout.write(f"{sum(times.values()):6.1f} s  in all\n")


if __name__ == "__main__":
    main()
