"""When an article was published and updated.

    published  rule · visible near the headline · undisplayed for search engines · meta · JSON-LD ·
               attributes near the headline · list · wrapper lines · url
               (seconds also from the update, where its minute is the same; one that is displayed without its year or
               relative to now yields to the others)

The displayed time outranks the meta, which often is when the page was built; a meta of the same minute lends its
seconds. No time is taken from the body. How a string states a moment is written in articles.dates.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import takewhile
from zoneinfo import ZoneInfo

from lxml import etree

from articles.canonical import Hint, Run, texts_of
from articles.dates import Moment, first_time, parse_time
from articles.headline import TIME_BEHIND
from articles.normalise import clean_line
from articles.scene import MAX_NEAR_CHARS, MAX_VALUE_CHARS, Found, Scene, elements_near
from articles.wrapper import simplified

# Two witnesses further apart than this are in conflict; less, and one of them names the day only.
_CONFLICT_SECONDS = 36 * 3600
_PUBLISHED_METAS = (
    "weibo: article:create_at",
    "weibo:article:create_at",
    "article:published_time",
    "og:published_time",
    "bytedance:published_time",
    "apub:time",
    "og:time",
    "og:release_date",
    "datepublished",
    "_pubtime",
    "publish_time",
    "publishtime",
    "pubdate",
    "pub_date",
    "publishdate",
    "publish-date",
    "firstpublishedtime",
    "dc.date",
    "dc.date.issued",
    "date",
)
_UPDATED_METAS = (
    "article:modified_time",
    "og:updated_time",
    "bytedance:updated_time",
    "weibo: article:update_at",
    "weibo:article:update_at",
    "datemodified",
    "dateupdate",
    "lastmodifieddate",
)
# Not of the text: what time it is, and since when who posts has been a member.
_OTHER_TIME = re.compile(
    r"[东西]部时间|当前时间|现在时间|现在是|今天是|(?:注册|加入|入会)(?:时间|日期|于)?\s*[：:]\s*\d|(?:上次|最后)登[录陆]"
)
_SHORT_YEAR = re.compile(r"(?:发布|发表)(?:时间|日期|于)?[：:]\s*([12]\d-\d{1,2}-\d{1,2}\s*\d{1,2}:\d{2}(?::\d{2})?)")
_TIME_LABEL = re.compile(r"(?:^|\s|[（(【])(?:发布|发表|发稿)?(?:时间|日期|来源)[：:]|^(?:发布|发表|发稿|来源)")
# A date in elements of its own for year, day and clock: 「2026 ⇥ 11/20 ⇥ 15:42」.
_SCATTERED = re.compile(r"(?<!\d)(\d{4})\s+(\d{1,2})\s*[/\-]\s*(\d{1,2})\s+(\d{1,2}:\d{2}(?::\d{2})?)(?!\d)")
_PART_OF_DATE = re.compile(r"[\d\s/.\-:：年月日]{2,20}")
_DATE_ALONE = re.compile(r"\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}日?")
_EDITED = re.compile(
    r"[（(]?\s*(?:编辑|最后(?:编辑|更新|修改)|更新|修改|最近更新)(?:时间|日期)?[于在]?\s*[：:｜|/]?\s*\d"
)
# 「更新：2025-05-05 09:00 | 發佈：2025-05-04 08:12」
_FIRST_PUBLISHED = re.compile(r"(?:发布|发表|出版|刊登|刊出|首发)(?:时间|日期|于)?\s*[：:]?\s*(?=\d)")
# The foot of a thread's first post has it as well: 「来自某客户端 1楼 2026-11-20 15:42」.
_DATED_END = re.compile(
    r"[（(]\d{4}-\d{2}-\d{2} \d{2}:\d{2}(?::\d{2})?[）)]|"
    r"[^，。]{0,40}(?<!\d)1\s?[楼樓]\s*\d{4}-\d{1,2}-\d{1,2} \d{1,2}:\d{2}"
)
_SCRIPT_TIME = re.compile(
    r"(?:\bvar|[,;])\s*(?:create_?[tT]ime|publish_?[tT]ime|pub_?[tT]ime|publish_?[dD]ate|pub_?[dD]ate)\s*=\s*[\"']([^\"']{8,30})[\"']"
)
_TIME_IN_OBJECT = re.compile(
    r"[\"'](?:pub(?:lish|lished)?_?(?:time|date|at))[\"']\s*:\s*[\"'](\d{4}[^\"']{4,26})[\"']", re.IGNORECASE
)
_EPOCH = re.compile(
    r"(?:time|stamp|created|published?|date)\w{0,8}[\"']?\s*[:=]\s*[\"']?(1\d{9}(?:\d{3})?)(?!\d)", re.IGNORECASE
)
_URL_DAY = re.compile(r"(?<!\d)((?:19|20)\d{2})[-/_]?(0[1-9]|1[0-2])[-/_]?(0[1-9]|[12]\d|3[01])(?!\d{1,5}(?:\D|$))")
_WITH_OFFSET = re.compile(r"\dT(\d{2}):\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})$")
MAX_OFFSET_HOURS = 14
# Not that of Greenwich, which programs write behind whatever they have.
_OF_A_ZONE = re.compile(r"(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2})(?::\d{2}(?:\.\d+)?)?[+-](?!00:?00)\d{2}:?\d{2}$")
_FINENESS = {"second": 3, "minute": 2, "day": 1, "none": 0}


@dataclass(frozen=True, slots=True)
class Clock:
    """What a time on the page is read against."""

    fetched_at: datetime
    zone: ZoneInfo
    url: str
    refused: set[str] = field(default_factory=set)
    """Why strings that look like times were none: articles.dates.Problem."""

    @property
    def flags(self) -> tuple[str, ...]:
        """Said of a page on which a time later than the fetch was refused."""
        return ("date_future",) if "future" in self.refused else ()

    def read(self, raw: str | None) -> Moment | None:
        """The moment that the whole of `raw` states, if it does."""
        if not raw:
            return None
        return self._noted(parse_time(raw, fetched_at=self.fetched_at, zone=self.zone, hint_url=self.url))

    def find(self, line: str) -> Moment | None:
        """The first moment inside a line."""
        moment = first_time(line, fetched_at=self.fetched_at, zone=self.zone, hint_url=self.url)
        return self._noted(moment) if moment else None

    def _noted(self, moment: Moment) -> Moment | None:
        if moment.at is None:
            self.refused.add(moment.problem)
            return None
        return moment


def read_times(found: Found, scene: Scene, clock: Clock) -> None:
    head = scene.head
    found.updated = next((moment for name in _UPDATED_METAS if (moment := clock.read(head.metas.get(name)))), None)
    # A visible time without a year is no later than the page's own update.
    if found.updated and found.updated.at and found.updated.at < clock.fetched_at:
        visible = _visible_time(scene, Clock(found.updated.at, clock.zone, clock.url)) or _visible_time(scene, clock)
    else:
        visible = _visible_time(scene, clock)
    found.published = choose_time(
        [
            ("visible", visible),
            ("undisplayed", clock.read(scene.reading.hidden.get("pubtime_baidu"))),
            *(("meta", clock.read(head.metas.get(name))) for name in _PUBLISHED_METAS if name in head.metas),
            *(("JSON-LD", clock.read(raw)) for raw in head.json_times[:1]),
            *_told_beside(scene, visible, clock),
        ],
        found,
    )
    # A day that is displayed has its clock in the same element's attribute.
    told = clock.read(head.first_time) if found.published and found.published.precision == "day" else None
    if found.published and found.published.at and told and told.at and _is_same(found.published.at, told.at, "day"):
        found.published = told
    found.published = _as_told_elsewhere(found.published, head.first_time, clock)
    metas = (head.metas[name] for name in _PUBLISHED_METAS if name in head.metas)
    found.published = _with_its_zone(found.published, (*metas, *head.json_times[:1]), clock)
    # A page saved once has its minute of publication as its update, with the seconds.
    shown, saved = found.published, found.updated
    if shown and saved and shown.at and saved.at and shown.precision == "minute" and saved.precision == "second":
        found.published = saved if _is_same(shown.at, saved.at, "minute") else shown


def fill_from_scripts(found: Found, tree: etree._Element, clock: Clock, title: str = "") -> None:
    """The time that a script of the page sets, where the page waits for it to display one."""
    published = found.published
    if published and published.at and "year" in published.assumed:
        found.published = next(
            filter(None, (_of_some_year(published.at, clock, raw) for raw in _epochs(tree))), published
        )
    if found.published is None:
        times = [time for script in tree.iter("script") for time in _SCRIPT_TIME.findall(script.text or "")]
        times += [time for script in tree.iter("script") for time in _told_with(title, script.text or "")]
        found.published = choose_time([("script", clock.read(time)) for time in times], found)


def fill_from_lines(found: Found, lines: Iterable[str], clock: Clock) -> None:
    """The time that a byline inside a text tells, where page and list have none, or the day only: in posts and plain
    texts."""
    known = found.published
    if known and (known.precision != "day" or found.witnesses.get("published") != "list"):
        return
    told = next((moment for line in lines if (moment := clock.find(line))), None)
    if told and (not known or (known.at and told.at and _is_same(known.at, told.at, "day"))):
        found.published = told
        found.witnesses["published"] = "wrapper line"


def fill_from_url(found: Found, clock: Clock) -> None:
    """The day in an address, where nobody else named one."""
    if found.published is None and (day := _URL_DAY.search(clock.url)):
        found.published = clock.read("-".join(day.groups()))
        found.witnesses["published"] = "url"


def flag_times(found: Found, clock: Clock) -> None:
    """Say where the times are odd; none is changed for that.

    date_ahead    published after the fetch, if by minutes: the post was scheduled, or the site's clock is fast
    update_first  updated before it was published
    """
    published, updated = found.published, found.updated
    found.flags += clock.flags
    if published and published.at and published.at > clock.fetched_at:
        found.flags.append("date_ahead")
    if published and updated and published.at and updated.at and updated.at < published.at:
        coarser = min(published.precision, updated.precision, key=_FINENESS.__getitem__)
        if not _is_same(published.at, updated.at, coarser):
            found.flags.append("update_first")


def choose_time(candidates: Sequence[tuple[str, Moment | None]], found: Found) -> Moment | None:
    """The first candidate, or a finer one of the same moment; candidates of different days are flagged."""
    known = [(witness, moment, moment.at) for witness, moment in candidates if moment and moment.at]
    if not known:
        return None
    witness, chosen, at = next((one for one in known[1:] if _says_more(one[1], known[0][1])), known[0])
    for other_witness, other, other_at in known[1:]:
        if _FINENESS[other.precision] > _FINENESS[chosen.precision] and _is_same(at, other_at, chosen.precision):
            witness, chosen, at = other_witness, other, other_at
        elif abs((at - other_at).total_seconds()) >= _CONFLICT_SECONDS and "date_conflict" not in found.flags:
            found.flags.append("date_conflict")
    if witness != "page":
        found.witnesses["published"] = witness
    return chosen


def _says_more(other: Moment, shown: Moment) -> bool:
    """Is another witness sure of the year or day that a displayed time leaves open: 「3小时前」, 「05-04 08:12」?"""
    if not other.at or not shown.at or {"relative", "year"} & set(other.assumed):
        return False
    if "relative" in shown.assumed:
        return True
    told = other.at.astimezone(shown.at.tzinfo)
    return "year" in shown.assumed and (told.month, told.day) == (shown.at.month, shown.at.day)


def _visible_time(scene: Scene, clock: Clock) -> Moment | None:
    """The first time displayed; one of editing only where there is no other."""
    edited: Moment | None = None
    for line in _timed_lines(scene):
        if _may_tell_time(line) and len(line) <= MAX_NEAR_CHARS and not _OTHER_TIME.search(line):
            if moment := clock.find(line):
                if not _EDITED.match(simplified(line)):
                    return moment
                if first := _FIRST_PUBLISHED.search(simplified(line)):
                    return clock.find(line[first.end() :]) or moment
                edited = edited or moment
            elif short := _SHORT_YEAR.search(line):
                return clock.read(f"20{short[1]}")
    return edited


def _told_beside(scene: Scene, visible: Moment | None, clock: Clock) -> Iterator[tuple[str, Moment | None]]:
    """What elements near the headline tell programs, where what they display is not all of it."""
    if visible is None or {"relative", "year"} & set(visible.assumed):
        for element in elements_near(scene):
            if element.tag == "time" or element.get("itemprop") == "datePublished":
                yield "attribute", clock.read(element.get("datetime") or element.get("content"))


def _timed_lines(scene: Scene) -> Iterator[str]:
    """Lines in which the time of publication is displayed: near the headline, then elements named after it."""
    at = scene.headline.order
    if at is not None and TIME_BEHIND.search(scene.reading.runs[at].text):
        yield scene.reading.runs[at].text
    yield from _scattered_times(scene.near)
    for run in scene.near:
        if _may_tell_time(run.text):
            yield clean_line(" ".join(run.parts))
    yield from scene.removed
    for mark in scene.reading.marks:
        is_near = scene.first - 30 <= mark.order <= scene.first + 2 or scene.last <= mark.order <= scene.last + 4
        if mark.hint & Hint.TIME and is_near:
            yield clean_line(" ".join(texts_of(mark.element)))
    for run in scene.behind:
        is_first = run.order == scene.last + 1 and run.kind == "p"
        if _TIME_LABEL.search(run.text[:60]) or (is_first and _DATED_END.match(run.text)):
            yield clean_line(" ".join(run.parts))


def _scattered_times(near: Sequence[Run]) -> Iterator[str]:
    """Dates whose parts stand in lines or elements of their own, put together."""
    for at, first_run in enumerate(near):
        if not _may_tell_time(first_run.text):
            continue
        texts = (clean_line(" ".join(run.parts)) for run in near[at : at + 3] if len(run.text) <= MAX_VALUE_CHARS)
        first = next(texts, "")
        joined = " ".join([first, *takewhile(_PART_OF_DATE.fullmatch, texts)])
        if found := _SCATTERED.search(joined):
            yield "{}/{}/{} {}".format(*found.groups())
        elif joined != first and _DATE_ALONE.fullmatch(first):
            yield joined


def _may_tell_time(line: str) -> bool:
    return any(map(str.isdigit, line)) or "年" in line


def _epochs(tree: etree._Element) -> Iterator[str]:
    return (epoch for script in tree.iter("script") for epoch in _EPOCH.findall(script.text or ""))


def _told_with(title: str, script: str) -> set[str]:
    """The time in the object of a script that holds the title, if it has but one."""
    times = set(_TIME_IN_OBJECT.findall(script)) if title and title in script else set()
    return times if len(times) == 1 else set()


def _as_told_elsewhere(shown: Moment | None, attribute: str, clock: Clock) -> Moment | None:
    """The attribute's moment, where a page of another zone shows its own clock: `…T16:41:20+00:00` for 「18:41」.

    Where both have the same digits, the offset is a mistake of the page, and what is shown counts.
    """
    digits = _WITH_OFFSET.search(attribute)
    told = clock.read(attribute) if digits and shown and shown.at and shown.precision == "minute" else None
    if not (digits and shown and shown.at and told and told.at):
        return shown
    hours, rest = divmod(abs((told.at - shown.at).total_seconds()), 3600)
    same_minute = min(rest, 3600 - rest) < 60
    shown_hour = shown.at.astimezone(clock.zone).hour
    return told if same_minute and hours <= MAX_OFFSET_HOURS and int(digits[1]) != shown_hour else shown


def _with_its_zone(shown: Moment | None, told: Iterable[str], clock: Clock) -> Moment | None:
    """Of a page that shows the clock of another country, and says so to programs: `…T14:28:00+09:00` for 「14:28」."""
    if shown is None or shown.at is None or shown.precision == "day" or "zone" not in shown.assumed:
        return shown
    digits = f"{shown.at:%Y-%m-%d %H:%M}"
    of_zone = (raw for raw in told if (found := _OF_A_ZONE.match(raw)) and f"{found[1]} {found[2]}" == digits)
    moment = clock.read(next(of_zone, None))
    # Less than an hour by the seconds that are not shown.
    is_other = moment and moment.at and abs((moment.at - shown.at).total_seconds()) > 3600 - 60
    return moment if is_other else shown


def _of_some_year(shown: datetime, clock: Clock, epoch: str) -> Moment | None:
    """The moment of a script, if the page shows its month, day and minute."""
    moment = clock.read(epoch)
    if moment is None or moment.at is None:
        return None
    local, displayed = (at.astimezone(clock.zone) for at in (moment.at, shown))
    return moment if f"{local:%m-%d %H:%M}" == f"{displayed:%m-%d %H:%M}" else None


def _is_same(left: datetime, right: datetime, precision: str) -> bool:
    right = right.astimezone(left.tzinfo)
    if precision == "day":
        return left.date() == right.date()
    if precision == "second":
        return left == right
    return left.replace(second=0, microsecond=0) == right.replace(second=0, microsecond=0)
