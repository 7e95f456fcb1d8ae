"""One other tool on the pages of benchmarks.extract; run by it, in the tools' own environment, with no import of ours.

    python extract_peers.py NAME

One JSON line in, one out. First the pages: {"pages": [text…]} → {"version", "read": [{title, text, error}…]}. Then any
number of rounds: {"places": [n…]} → {"seconds": [CPU seconds of each of these pages]}. The rounds are asked for in turn
with those of all other tools, so that whatever else the machine does, it does to all.

Each tool gets decoded text, the settings it recommends for Chinese, and no work it was not asked for.
"""

from __future__ import annotations

import gc
import json
import sys
import time
import warnings
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

Read = tuple[str | None, str]
"""Title (None for a tool that has none) and text."""
Reader = Callable[[str], Read]
ADDRESS = "https://news.example/a/1.html"


def trafilatura_with(**options: bool) -> Callable[[], Reader]:
    def make() -> Reader:
        from trafilatura import bare_extraction

        def read(html: str) -> Read:
            document = bare_extraction(html, with_metadata=True, **options)
            return (document.title, document.text or "") if document else (None, "")

        return read

    return make


def gne() -> Reader:
    from gne import GeneralNewsExtractor

    extractor = GeneralNewsExtractor()

    def read(html: str) -> Read:
        found = extractor.extract(html)
        return found["title"], found["content"]

    return read


def newspaper4k() -> Reader:
    from newspaper import Article

    def read(html: str) -> Read:
        article = Article(ADDRESS, language="zh", fetch_images=False)
        article.download(input_html=html)
        article.parse()
        return article.title, article.text

    return read


def readability() -> Reader:
    from lxml.html import fromstring
    from readability import Document

    def read(html: str) -> Read:
        document = Document(html)
        return document.short_title(), _text(fromstring(document.summary(html_partial=True)))

    return read


def goose3() -> Reader:
    from goose3 import Goose
    from goose3.text import StopWordsChinese

    goose = Goose({"stopwords_class": StopWordsChinese, "enable_image_fetching": False})

    def read(html: str) -> Read:
        article = goose.extract(raw_html=html)
        return article.title, article.cleaned_text

    return read


def resiliparse() -> Reader:
    from resiliparse.extract.html2text import extract_plain_text
    from resiliparse.parse.html import HTMLTree

    def read(html: str) -> Read:
        tree = HTMLTree.parse(html)
        return tree.title, extract_plain_text(tree, main_content=True)

    return read


def magic_html() -> Reader:
    from lxml.html import fromstring
    from magic_html import GeneralExtractor

    extractor = GeneralExtractor()

    def read(html: str) -> Read:
        found = extractor.extract(html, base_url=ADDRESS)
        return found["title"], _text(fromstring(found["html"]))

    return read


def lxml_parse() -> Reader:
    """The floor: what it costs to parse a page and read nothing from it."""
    from lxml.etree import HTMLParser, fromstring

    parser = HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, huge_tree=True)

    def read(html: str) -> Read:
        fromstring(html.encode("utf-8", "replace"), parser)
        return None, ""

    return read


# Name in the table → the package whose version is told, and its reader.
TOOLS: dict[str, tuple[str, Callable[[], Reader]]] = {
    "trafilatura": ("trafilatura", trafilatura_with()),
    "trafilatura fast": ("trafilatura", trafilatura_with(fast=True)),
    "trafilatura precision": ("trafilatura", trafilatura_with(favor_precision=True)),
    "gne": ("gne", gne),
    "newspaper4k": ("newspaper4k", newspaper4k),
    "readability-lxml": ("readability-lxml", readability),
    "goose3": ("goose3", goose3),
    "resiliparse": ("resiliparse", resiliparse),
    "magic_html": ("magic-html", magic_html),
    "lxml parse only": ("lxml", lxml_parse),
}

_BREAKS = frozenset(
    (
        "br",
        "p",
        "div",
        "li",
        "tr",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "section",
        "article",
        "blockquote",
        "table",
        "ul",
        "ol",
    )
)
_SILENT = frozenset(("script", "style"))


def _text(root: Any) -> str:  # noqa: ANN401 - no lxml to name it by, outside
    """Text of the mark-up that some tools give back, a line a block."""
    from lxml.etree import iterwalk

    pieces: list[str | None] = []
    for event, node in iterwalk(root, events=("start", "end", "comment")):
        if event == "start":
            pieces += ["\n" if node.tag in _BREAKS else "", "" if node.tag in _SILENT else node.text]
        elif node is not root:
            pieces.append(node.tail)
    return "".join(filter(None, pieces))


def _read_all(read: Reader, pages: list[str]) -> list[dict[str, str | None]]:
    found: list[dict[str, str | None]] = []
    for html in pages:
        try:
            title, text = read(html)
            found.append({"title": title, "text": text, "error": None})
        except Exception as error:  # noqa: BLE001 - whatever a tool raises on a page is its answer for that page
            found.append({"title": None, "text": "", "error": f"{type(error).__name__}: {error}"[:200]})
    return found


def _round(read: Reader, pages: list[str]) -> list[float]:
    # The pages held here and the tool's own modules are not to be searched for garbage again and again.
    gc.collect()
    gc.freeze()
    seconds: list[float] = []
    for html in pages:
        began = time.process_time()
        _read_all(read, [html])
        seconds.append(time.process_time() - began)
    return seconds


def main() -> None:
    # The tools' own words on stdout must not get between the lines of the answers.
    answers, sys.stdout = sys.stdout, sys.stderr
    warnings.simplefilter("ignore")
    package, make = TOOLS[sys.argv[1]]
    read = make()
    pages: list[str] = []
    for line in sys.stdin:
        asked = json.loads(line)
        if "pages" in asked:
            pages = asked["pages"]
            answer: dict[str, Any] = {"version": version(package), "read": _read_all(read, pages)}
        else:
            answer = {"seconds": _round(read, [pages[place] for place in asked["places"]])}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
