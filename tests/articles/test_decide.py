"""Decisions do not depend on the order in which articles come, and every article gets exactly one."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from articles.decide import (
    Copy,
    CopyKey,
    NearLink,
    NewText,
    Place,
    TextKey,
    chain,
    changed,
    decide,
    exact_keys,
    is_replaced,
    version_of,
)
from articles.fingerprint import Signature
from articles.identity import text_hash
from articles.near import compare
from articles.records import Article, Decision

MORNING = datetime(2024, 3, 5, 1, 0, tzinfo=UTC)
BODY = "某某股份有限公司今日公告称，拟投资建设新的生产线，项目建设期两年，资金来源为自有资金。"
OTHER_BODY = "交易所发布通知，自下月起调整部分合约的保证金比例，请各会员单位做好风险控制工作。"
PARAGRAPHS = (
    "港口集团上半年完成货物吞吐量一亿二千万吨，同比增长8.4%，集装箱吞吐量为316万标准箱，创下历年同期新高。",
    "集团负责人表示，新开通的七条近洋航线带动了外贸货源，下半年将继续扩建北岸码头，预计投入26.5亿元。",
    "分析人士认为，区域内几家港口的竞争正由价格转向服务，堆存费用和通关时间成为货主最关心的两项指标。",
    "截至六月末，集团总资产为842亿元，负债率比年初下降1.3个百分点，经营现金流保持净流入。",
)
# Each of these is nearly the next one, the first and the last are not the same.
RETOLD = tuple("\n".join(PARAGRAPHS[at] for at in kept) for kept in ((0, 1), (0, 1, 2), (1, 2), (1, 2, 3), (2, 3)))


class Memory:
    """What was decided so far, in dictionaries."""

    def __init__(self) -> None:
        self.by_key: dict[CopyKey, Copy] = {}
        self.texts: dict[TextKey, NewText] = {}

    def copies(self, article_ids: Collection[str]) -> list[Copy]:
        return [copy for copy in self.by_key.values() if copy.key.article_id in article_ids]

    def members(self, group_ids: Collection[str]) -> list[Copy]:
        return [copy for copy in self.by_key.values() if copy.group_id in group_ids]

    def at_urls(self, urls: Collection[str]) -> list[tuple[str, CopyKey, str]]:
        return [(url, key, copy.group_id) for key, copy in self.by_key.items() for url in copy.urls & set(urls)]

    def groups_of(self, exact_keys: Collection[str]) -> dict[str, str]:
        held = ((version.exact_key, copy.group_id) for copy in self.by_key.values() for version in copy.versions)
        return {exact_key: group_id for exact_key, group_id in held if exact_key in exact_keys}

    def remember(self, texts: Sequence[NewText]) -> Collection[TextKey]:
        self.texts |= {text.key: text for text in texts}
        return self.texts.keys()

    def near(self, texts: Iterable[TextKey]) -> list[NearLink]:
        """Every text against every other."""
        links, frontier, reached = set[NearLink](), set(texts), set[TextKey]()
        while frontier:
            reached |= frontier
            found = {
                NearLink(*sorted((one, other)), similarity)
                for one in frontier & self.texts.keys()
                for other in self.texts
                if one != other and (similarity := similar(self.texts[one].fingerprint, self.texts[other].fingerprint))
            }
            links |= found
            frontier = {end for link in found for end in link[:2]} - reached
        return sorted(links)

    def commit(self, articles: Sequence[Article]) -> list[Decision]:
        decisions = decide(articles, self)
        for d in decisions:
            key = CopyKey(d.article.article_id, d.article.source)
            before = self.by_key[key].versions if key in self.by_key else ()
            place = Place(d.cluster_id, d.duplicate_of, d.duplicate_kind, d.similarity)
            versions = chain((*before, version_of(d.article, d.exact_key)))
            self.by_key[key] = Copy(key=key, versions=versions, group_id=d.group_id, place=place)
            for e in d.elections:
                key = CopyKey(e.article_id, e.source)
                place = Place(e.cluster_id, e.duplicate_of, e.duplicate_kind, e.similarity)
                self.by_key[key] = replace(self.by_key[key], group_id=e.group_id, place=place)
        return decisions

    @property
    def places(self) -> dict[str, str | None]:
        return {copy.key.article_id: copy.place.duplicate_of for copy in self.by_key.values()}


@cache
def fingerprint(title: str, text: str) -> bytes:
    return Signature.of(title, text).to_bytes()


@cache
def similar(one: bytes, other: bytes) -> float:
    """0 unless they are nearly the same; equal texts are not the index's business."""
    a, b = Signature.from_bytes(one), Signature.from_bytes(other)
    relation = compare(a, b)
    return relation.similarity if relation.duplicate and a.text != b.text else 0.0


def article(article_id: str = "acme:1", *, minutes: int = 0, published: int | None = 0, **changes) -> Article:
    """Fetched and published so many minutes after the morning began."""
    source = article_id.partition(":")[0]
    fields = {
        "article_id": article_id,
        "source": source,
        "date": date(2024, 3, 5),
        "url": "",
        "canonical_url": f"https://{source}.example/{article_id}",
        "title": "某某股份拟建新生产线",
        "text": BODY,
        "published_at": None if published is None else MORNING + timedelta(minutes=published),
        "published_precision": "none" if published is None else "minute",
        "fetched_at": MORNING + timedelta(minutes=minutes),
        "extractor": "test",
    } | changes
    said = fields["title"], fields["text"]
    return Article(**fields | {"text_hash": text_hash(*said), "fingerprint": fingerprint(*said)})


def kinds(decisions: Sequence[Decision]) -> list[str]:
    return [decision.kind for decision in decisions]


def test_d01_an_exact_repeat_is_unchanged_in_a_batch_and_across():
    memory = Memory()
    assert kinds(memory.commit([article(), article(minutes=1)])) == ["new", "unchanged"]
    [again] = memory.commit([article(minutes=9)])
    assert (again.kind, again.revision, again.first_seen_at) == ("unchanged", 1, MORNING)


def test_d02_one_character_changed_is_a_revision():
    memory = Memory()
    memory.commit([article()])
    [decision] = memory.commit([article(minutes=5, text=BODY.replace("两年", "三年"))])
    assert (decision.kind, decision.revision, decision.first_seen_at) == ("revision", 2, MORNING)


def test_d03_white_space_and_punctuation_are_no_revision():
    memory = Memory()
    memory.commit([article()])
    assert kinds(memory.commit([article(minutes=5, text=BODY.replace("，", ", \n"))])) == ["unchanged"]


def test_d04_the_title_alone_makes_a_revision():
    memory = Memory()
    memory.commit([article()])
    later = article(minutes=5, title="某某股份：拟建两条生产线")
    assert kinds(memory.commit([later])) == ["revision"]
    assert changed(article(), later) == ("title",)


def test_d05_another_article_under_the_same_address_is_told_from_an_edited_one():
    replaced = article(title="交易所调整合约保证金", text=OTHER_BODY)
    edited = article(title="某某股份拟建新生产线（更新）", text=BODY + "公司股票明日复牌。")
    assert is_replaced(article(), replaced)
    assert not is_replaced(article(), edited)


def test_a_page_that_returns_to_an_earlier_text_is_unchanged():
    memory = Memory()
    memory.commit([article(), article(minutes=1, text=OTHER_BODY)])
    [decision] = memory.commit([article(minutes=2)])
    assert (decision.kind, decision.revision) == ("unchanged", 1)


def test_a_reprint_under_another_title_is_an_exact_duplicate():
    [first, reprint] = Memory().commit([article(), article("other:9", published=30, title="某某股份：新产线来了")])
    assert (first.kind, first.cluster_id) == ("new", "acme:1")
    assert (reprint.kind, reprint.duplicate_of, reprint.duplicate_kind) == ("duplicate", "acme:1", "exact")


def test_one_address_under_two_sources_is_a_duplicate_by_url():
    url = "https://acme.example/same"
    first, copy = article(canonical_url=url), article("other:9", published=1, canonical_url=url, text=OTHER_BODY)
    assert [d.duplicate_kind for d in Memory().commit([first, copy])] == [None, "url"]


def test_one_address_within_a_source_is_two_articles_if_its_id_rule_says_so():
    url = "https://acme.example/detail"
    pair = [article("acme:1", canonical_url=url), article("acme:2", canonical_url=url, text=OTHER_BODY)]
    assert kinds(Memory().commit(pair)) == ["new", "new"]


def test_a_mirror_never_takes_the_place_of_what_it_copies():
    memory = Memory()
    memory.commit([article()])
    [mirrored] = memory.commit([article(source="mirror", minutes=1, published=-30, text=BODY + "（完）")])
    assert (mirrored.kind, mirrored.duplicate_of, mirrored.duplicate_kind) == ("duplicate", "acme:1", "url")


def test_a_late_found_earlier_copy_becomes_the_first():
    memory = Memory()
    memory.commit([article("late:1", published=60), article("later:2", published=90)])
    [decision] = memory.commit([article("early:3", minutes=5, published=0)])
    assert (decision.kind, decision.cluster_id) == ("new", "early:3")
    assert {(e.article_id, e.duplicate_of) for e in decision.elections} == {
        ("late:1", "early:3"),
        ("later:2", "early:3"),
    }
    assert memory.places == {"late:1": "early:3", "later:2": "early:3", "early:3": None}


def test_a_day_without_a_time_yields_to_a_time_of_that_day():
    by_day = article("day:1", published_at=MORNING.replace(hour=0), published_precision="day")
    memory = Memory()
    memory.commit([by_day, article("minute:2", published=300)])
    assert memory.places == {"day:1": "minute:2", "minute:2": None}


def test_an_undated_copy_is_never_the_first_of_dated_ones():
    memory = Memory()
    memory.commit([article("undated:1", published=None)])
    memory.commit([article("dated:2", minutes=9)])
    assert memory.places == {"undated:1": "dated:2", "dated:2": None}


def test_a_first_that_proves_later_than_it_seemed_steps_down():
    memory = Memory()
    memory.commit([article("a:1", minutes=9, published=0), article("b:2", minutes=9, published=10)])
    assert memory.places == {"a:1": None, "b:2": "a:1"}
    # The same text of a:1, fetched earlier: that page's word counts.
    memory.commit([article("a:1", minutes=1, published=60)])
    assert memory.places == {"a:1": "b:2", "b:2": None}


def test_a_revision_can_join_two_clusters():
    memory = Memory()
    memory.commit([article("a:1", published=10), article("b:2", published=20, text=OTHER_BODY)])
    memory.commit([article("b:2", minutes=30, published=20, text=BODY)])
    assert memory.places == {"a:1": None, "b:2": "a:1"}


def test_d09_two_hundred_copies_in_one_batch_are_one_and_199_duplicates():
    batch = [article(f"s{n % 7}:{n}", published=n, minutes=n) for n in range(200)]
    random.Random(1).shuffle(batch)
    assert sorted(kinds(Memory().commit(batch))) == ["duplicate"] * 199 + ["new"]


@pytest.mark.parametrize("text", ["", "  ", "如图", "详见附件。", "！！！"])
def test_d10_empty_and_very_short_texts_are_never_copies(text):
    pair = [article("a:1", text=text, title="早报"), article("b:2", text=text, title="早报")]
    assert kinds(Memory().commit(pair)) == ["new", "new"]


def test_d10_a_short_text_needs_the_same_title():
    def flash(article_id: str, title: str) -> Article:
        return article(article_id, text="央行今日开展逆回购操作。", title=title)

    batch = [flash("a:1", "央行公开市场操作公告发布"), flash("b:2", "央行公开市场操作公告发布"), flash("c:3", "快讯")]
    assert kinds(Memory().commit(batch)) == ["new", "duplicate", "new"]


def test_an_empty_form_for_two_days_is_not_a_copy():
    def keys(text: str) -> list[str]:
        return exact_keys([article(title=title, text=text) for title in ("1月5日停复牌提示", "1月6日停复牌提示")])

    assert len(set(keys(BODY))) == 2
    assert len(set(keys(BODY * 9))) == 1


@st.composite
def observations(draw) -> list[Article]:
    """Articles that share ids, addresses and texts in every way; each fetched at a minute of its own."""
    made = []
    for minutes in range(draw(st.integers(1, 9))):
        article_id = draw(st.sampled_from(["a:1", "a:2", "b:1", "c:1"]))
        mirrored = draw(st.booleans())
        made.append(
            article(
                article_id,
                minutes=minutes,
                source="mirror" if mirrored else article_id[0],
                # a:2 and c:1 are one page under two ids.
                canonical_url="https://x.example/same"
                if article_id in ("a:2", "c:1")
                else f"https://x.example/{article_id}",
                title=draw(st.sampled_from(["标题甲", "标题乙"])),
                text=draw(st.sampled_from([BODY, OTHER_BODY, BODY + OTHER_BODY, "短", *RETOLD])),
                published=draw(st.sampled_from([None, 0, 30, 60])),
            )
        )
    return made


@settings(max_examples=150)
@given(made=observations(), seed=st.integers(0, 2**32), cuts=st.sets(st.integers(1, 8)))
def test_order_and_batches_make_no_difference(made, seed, cuts):
    at_once, piecemeal = Memory(), Memory()
    at_once.commit(made)
    shuffled = random.Random(seed).sample(made, len(made))
    edges = [0, *sorted(cut for cut in cuts if cut < len(made)), len(made)]
    for start, end in pairwise(edges):
        piecemeal.commit(shuffled[start:end])
    assert piecemeal.by_key == at_once.by_key
    assert all(copy.group_id in [key.article_id for key in at_once.by_key] for copy in at_once.by_key.values())


@settings(max_examples=100)
@given(made=observations())
def test_every_article_is_decided_once_and_a_second_pass_finds_nothing_new(made):
    memory = Memory()
    first = memory.commit(made)
    assert [decision.article for decision in first] == made
    assert sum(kind in ("new", "duplicate") for kind in kinds(first)) == len(memory.by_key)
    before = dict(memory.by_key)
    again = memory.commit(made)
    assert set(kinds(again)) <= {"unchanged"}
    assert not any(decision.elections for decision in again)
    assert memory.by_key == before


@settings(max_examples=100)
@given(made=observations())
def test_every_cluster_has_one_first_that_all_others_name(made):
    memory = Memory()
    memory.commit(made)
    for copy in memory.by_key.values():
        members = [other for other in memory.by_key.values() if other.place.cluster_id == copy.place.cluster_id]
        firsts = [other.key.article_id for other in members if other.place.duplicate_of is None]
        assert firsts == [copy.place.cluster_id]
        assert {copy.key.article_id for copy in members} >= {copy.group_id}
        assert copy.place.duplicate_of in (None, copy.place.cluster_id)
