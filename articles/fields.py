"""The fields of a page whose body is known, each read where its own module says, and the few that need no search.

    articles.headline   title
    articles.times      published, updated
    articles.bylines    publisher, author, editor
    here                section, summary, tags, pictures, and what only the list knows

Nothing guesses: a field that nobody names is None.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import islice
from urllib.parse import urljoin

from lxml import etree

from articles.bylines import read_names, take_author
from articles.canonical import Hint, Image
from articles.names import is_name_alone
from articles.normalise import clean_line
from articles.records import Listed
from articles.scene import NO_WORDS, Found, Scene
from articles.times import Clock, choose_time, read_times
from articles.wrapper import person

_MAX_IMAGES = 100
_MAX_TAGS = 30
_SUMMARY_METAS = ("description", "og:description", "twitter:description", "abstract")
_KEYWORD_METAS = ("keywords", "news_keywords", "article:tag", "tags")
_SECTION_METAS = ("article:section", "columnname", "og:category")
# How makers of feeds name that of an account.
# 「某某观察（微信公众号）」
_KIND_OF_ACCOUNT = re.compile(r"\s*[（(](?:微信)?(?:公众号|订阅号|公眾號)[）)]?$")
_FEED_OF = re.compile(r"(\S{2,20}?)\s*的\s*(?:雪球|微博|知乎|豆瓣|即刻|哔哩哔哩|B站|公众号|专栏|动态|文章)\S{0,8}")
_STEP = re.compile(r"[>＞»→]+")
_NO_SECTION = re.compile(r"正文|首页|详情|内容|(?:大\s*中\s*小|[【\[]?(?:字号|字体)|申请入驻|登录|注册|手机版).*")
_IMAGE_ATTRIBUTES = ("data-original", "data-src", "data-url", "src")


def read_fields(scene: Scene, wrapper: Mapping[str, str], clock: Clock) -> Found:
    """Everything but the title. `wrapper` is what the wrapper lines named."""
    found = Found()
    head = scene.head
    read_names(found, scene, wrapper)
    found.section = _section(scene)
    found.summary = clean_line(head.first(_SUMMARY_METAS)) or None
    found.tags = _tags(head.first(_KEYWORD_METAS))
    read_times(found, scene, clock)
    return found


def fill_from_list(found: Found, listed: Listed, clock: Clock) -> None:
    """What the page did not say, the list may have said."""
    publisher = _KIND_OF_ACCOUNT.sub("", listed.publisher or "")
    feed = _FEED_OF.fullmatch(publisher)
    found.take("publisher", ("list", None if feed else publisher))
    author, medium = _apart(listed.author or "")
    found.take("publisher", ("list", medium))
    take_author(found, ("list", person(author) if author else None))
    found.take("author", ("list", feed[1] if feed else None))
    for name in ("section", "summary"):
        found.take(name, ("list", getattr(listed, name)))
    found.tags = found.tags or listed.tags
    known = found.published
    found.published = choose_time([("page", known), ("list", clock.read(listed.published))], found)
    if known is not None and found.published is known:
        found.witnesses.setdefault("published", "page")
    found.updated = found.updated or clock.read(listed.updated)


def _apart(author: str) -> tuple[str, str | None]:
    """A person, and the medium that stands before or behind the name: 「某某网 | 王一鸣」."""
    parts = [part.strip() for part in re.split(r"[|｜]", author)]
    pairs = [(parts[0], parts[1]), (parts[1], parts[0])] if len(parts) == 2 else []
    named = ((person(name), medium) for name, medium in pairs)
    told = ((name, medium) for name, medium in named if is_name_alone(name) and not is_name_alone(medium))
    return next(told, (author, None))


def images_of(images: Iterable[Image], first: int, last: int, url: str) -> tuple[str, ...]:
    """Absolute addresses of the pictures between two runs."""
    found: dict[str, None] = {}
    for image in images:
        if first <= image.order <= last + 1 and (address := _image_address(image.element)):
            found[urljoin(url, address) if url else address] = None
    return tuple(islice(found, _MAX_IMAGES))


def _section(scene: Scene) -> str | None:
    """The last step of the breadcrumbs above the headline."""
    named = clean_line(scene.head.first(_SECTION_METAS))
    if named and not NO_WORDS.fullmatch(named):
        return named
    limit = scene.headline.order if scene.headline.order is not None else scene.first
    for run in reversed(scene.reading.runs[:limit]):
        if (
            len(run.text) <= 80
            and _STEP.search(run.text)
            and (run.hints & Hint.CRUMBS or "正文" in run.text or run.text.startswith("首页"))
        ):
            steps = (re.sub(r"^.*[：:]|(?:正文|详情).*$|[\s\-]+$", "", step).strip() for step in _STEP.split(run.text))
            steps_left = [step for step in steps if step and not _NO_SECTION.fullmatch(step)]
            return steps_left[-1][:30] if steps_left else None
    return None


def _tags(raw: str) -> tuple[str, ...]:
    words = (clean_line(word) for word in re.split(r"[,，;；、|]+|\s+", raw))
    return tuple(islice(dict.fromkeys(word for word in words if 2 <= len(word) <= 30), _MAX_TAGS))


def _image_address(image: etree._Element) -> str | None:
    for name in _IMAGE_ATTRIBUTES:
        value = (image.get(name) or "").strip()
        if value and not value.startswith(("data:", "javascript:", "about:")):
            return value
    return None
