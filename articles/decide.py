"""What is new: decides for a batch of articles, given all that was stored before. Pure; storage does what it says.

    article ──same id, same source──▶ copy ──its distinct texts──▶ revisions
    copy    ──same id | same address | same text──▶ cluster ──the earliest──▶ its first; the others are duplicates

Everything is a function of the *set* of articles seen, not of the order or the batches they came in. A copy's versions
are its distinct texts in the order they were fetched; clusters are the connected components of what links two copies;
the first of a cluster is the one published earliest. When a batch brings an earlier one to light, the places of copies
stored before change, and the decision says so in `elections`.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Protocol, TypeAlias

from articles.normalise import key_text
from articles.records import Article, Decision, DecisionKind, DuplicateKind, Election

# Shorter texts meet by chance ("see the picture"): they need the title as well, and the two together this much.
SHORT_CHARS = 20
# An equal text below this, under titles for different periods, is an empty form and not a copy.
BARE_CHARS = 200
# Edited articles keep far more of their character pairs, two articles of one desk share about a tenth.
REPLACED_LIKENESS = 0.2
# The fold drops these as well. Dropped before it, they spare it what full-width characters cost: half the time.
PUNCTUATION = re.compile(r"[，。、；：！？“”‘’（）《》【】\s]+")
PERIOD = re.compile(r"\d+(?=[年月日号期周季])")

NEVER = datetime.max.replace(tzinfo=UTC)
LAST_OF_DAY = timedelta(days=1, microseconds=-1)


class CopyKey(NamedTuple):
    article_id: str
    source: str

    @property
    def namespace(self) -> str:
        return self.article_id.partition(":")[0]


class Place(NamedTuple):
    """Where a copy stands in its cluster; a duplicate of nothing is the first."""

    cluster_id: str
    duplicate_of: str | None = None
    duplicate_kind: DuplicateKind | None = None
    similarity: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One text of a copy, as first fetched."""

    text_hash: str
    exact_key: str
    """Equal for copies of one text under different titles; empty for a text too short to be recognised."""
    canonical_url: str
    fetched_at: datetime
    edited_at: datetime
    """What the page says, where two versions were fetched at one moment."""
    claimed_at: datetime
    """The latest moment the page's time of publication allows; NEVER if it names none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """An article as one source carries it: all that later decisions need to know of it."""

    key: CopyKey
    versions: tuple[Version, ...]
    """Distinct texts, in the order of `chain`; the last is the current one."""
    place: Place | None = None
    """None until the first election."""

    @property
    def first_seen_at(self) -> datetime:
        return self.versions[0].fetched_at

    @property
    def claimed_at(self) -> datetime:
        return min(version.claimed_at for version in self.versions)

    @property
    def urls(self) -> frozenset[str]:
        return frozenset(version.canonical_url for version in self.versions if version.canonical_url)


class Known(Protocol):
    """Look-ups in all that was stored before."""

    def copies(self, article_id: str) -> Sequence[Copy]:
        """The copies of one identity, one per source that carries it."""

    def at_url(self, canonical_url: str) -> Sequence[tuple[CopyKey, str]]:
        """Copies that were ever found at an address, each with its cluster."""

    def cluster_of(self, exact_key: str) -> str | None:
        """The one cluster of all copies that ever had this text."""

    def members(self, cluster_id: str) -> Sequence[Copy]: ...


def decide(articles: Sequence[Article], known: Known) -> list[Decision]:
    """One decision for each article, in order. An article twice in the batch is new once and then unchanged."""
    batch = _Batch(known)
    news = [batch.observe(article) for article in articles]
    moved = batch.elect()
    return [batch.decision(article, kind, moved) for article, kind in zip(articles, news, strict=True)]


def version_of(article: Article, known_key: str | None = None) -> Version:
    """`known_key` is given where the exact key is known already: folding a text is the dear part of a decision."""
    claimed_at = article.published_at or NEVER
    if article.published_at and article.published_precision == "day":
        # Midnight is where a day starts, not when anything was published: a copy with a time of that day goes first.
        claimed_at += LAST_OF_DAY
    return Version(
        text_hash=article.text_hash,
        exact_key=exact_key(article.title, article.text) if known_key is None else known_key,
        canonical_url=article.canonical_url,
        fetched_at=article.fetched_at,
        edited_at=article.updated_at or article.published_at or article.fetched_at,
        claimed_at=claimed_at,
    )


def chain(versions: Iterable[Version]) -> tuple[Version, ...]:
    """The revisions of a copy: each text once, as first fetched. Revision n is at place n-1.

    A page that returns to an earlier text is unchanged: reading an archive twice must not add revisions, and a site
    that alternates between two headlines must not add one every hour.
    """
    earliest: dict[str, Version] = {}
    for version in versions:
        seen = earliest.get(version.text_hash)
        if seen is None or _age(version) < _age(seen):
            earliest[version.text_hash] = version
    return tuple(sorted(earliest.values(), key=_age))


def exact_key(title: str, text: str) -> str:
    """Equal for copies of one text, whatever their titles; empty where nothing but chance could be recognised."""
    text_key = key_text(PUNCTUATION.sub("", text))
    if not text_key:
        return ""
    parts = [text_key]
    if len(text_key) < SHORT_CHARS:
        parts.append(key_text(title))
        if sum(map(len, parts)) < SHORT_CHARS:
            return ""
    elif len(text_key) < BARE_CHARS:
        parts += PERIOD.findall(key_text(title))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def changed(before: Article, after: Article) -> tuple[str, ...]:
    """What a reader would see to differ between two versions: title, text, or both."""
    return tuple(
        name for name in ("title", "text") if key_text(getattr(before, name)) != key_text(getattr(after, name))
    )


def is_replaced(before: Article, after: Article) -> bool:
    """Is it another article under the same address, rather than an edited one?"""
    return (
        _likeness(before.title, after.title) < REPLACED_LIKENESS
        and _likeness(before.text, after.text) < REPLACED_LIKENESS
    )


def _likeness(one: str, other: str) -> float:
    """Share of character pairs in common."""
    pairs = [{key[at : at + 2] for at in range(max(1, len(key) - 1))} for key in (key_text(one), key_text(other))]
    return len(pairs[0] & pairs[1]) / len(pairs[0] | pairs[1])


def _age(version: Version) -> tuple[datetime, datetime, str]:
    return version.fetched_at, version.edited_at, version.text_hash


# A stored cluster by its id, or a copy that is in none yet.
_Node: TypeAlias = str | CopyKey


class _Batch:
    """The copies that a batch touches, as they were before it and as they are after."""

    def __init__(self, known: Known) -> None:
        self._known = known
        self._before: dict[CopyKey, Copy] = {}
        self._now: dict[CopyKey, Copy] = {}
        self._by_id: dict[str, list[CopyKey]] = {}

    def observe(self, article: Article) -> DecisionKind:
        """Add what was seen. What is `new` here may turn out to be a duplicate at the election."""
        key = CopyKey(article.article_id, article.source)
        self._load_identity(key.article_id)
        copy = self._now.get(key)
        if copy is None:
            self._now[key] = Copy(key=key, versions=(version_of(article),))
            self._by_id[key.article_id].append(key)
            return "new"
        known_keys = {version.text_hash: version.exact_key for version in copy.versions}
        version = version_of(article, known_keys.get(article.text_hash))
        self._now[key] = replace(copy, versions=chain((*copy.versions, version)))
        return "unchanged" if article.text_hash in known_keys else "revision"

    def elect(self) -> dict[str, tuple[Election, ...]]:
        """Place every copy in its cluster; gives those stored before whose place changed, by cluster."""
        changed = [copy for key, copy in self._now.items() if copy != self._before.get(key)]
        for clusters, copies in self._components(changed):
            self._elect_in(clusters, copies)
        moved: dict[str, list[Election]] = defaultdict(list)
        for key, before in self._before.items():
            place = self._place(key)
            if place != before.place:
                moved[place.cluster_id].append(Election(**key._asdict(), **place._asdict()))
        return {cluster_id: tuple(elections) for cluster_id, elections in moved.items()}

    def decision(self, article: Article, kind: DecisionKind, moved: dict[str, tuple[Election, ...]]) -> Decision:
        key = CopyKey(article.article_id, article.source)
        copy, place = self._now[key], self._place(key)
        revision, version = next(
            (n, version) for n, version in enumerate(copy.versions, 1) if version.text_hash == article.text_hash
        )
        return Decision(
            kind="duplicate" if kind == "new" and place.duplicate_of is not None else kind,
            article=article,
            revision=revision,
            exact_key=version.exact_key,
            first_seen_at=copy.first_seen_at,
            # Told once for a cluster, with whichever of its articles comes first.
            elections=moved.pop(place.cluster_id, ()),
            **place._asdict(),
        )

    def _place(self, key: CopyKey) -> Place:
        place = self._now[key].place
        assert place is not None, f"{key} was not elected"
        return place

    def _load_identity(self, article_id: str) -> None:
        if article_id not in self._by_id:
            self._by_id[article_id] = []
            self._load(self._known.copies(article_id))

    def _load(self, copies: Iterable[Copy]) -> None:
        for copy in copies:
            if copy.key not in self._before:
                self._before[copy.key] = self._now[copy.key] = copy
                self._by_id.setdefault(copy.key.article_id, []).append(copy.key)

    def _components(self, changed: Sequence[Copy]) -> list[tuple[set[str], list[Copy]]]:
        """Stored clusters and changed copies that are one cluster now."""
        joined = _Joined()
        at_text: dict[str, _Node] = {}
        at_url: dict[str, list[tuple[CopyKey, _Node]]] = defaultdict(list)
        for copy in changed:
            node = _node(copy)
            for key in self._by_id[copy.key.article_id]:
                joined.join(node, _node(self._now[key]))
            for text in {version.exact_key for version in copy.versions} - {""}:
                if text not in at_text:
                    at_text[text] = self._known.cluster_of(text) or node
                joined.join(node, at_text[text])
            for url in copy.urls:
                if url not in at_url:
                    at_url[url].extend(self._known.at_url(url))
                for other, its_node in at_url[url]:
                    # Within a namespace the source's id rule has said that they are two.
                    if other.namespace != copy.key.namespace:
                        joined.join(node, its_node)
                at_url[url].append((copy.key, node))
        components: dict[_Node, tuple[set[str], list[Copy]]] = {
            root: ({node for node in nodes if isinstance(node, str)}, []) for root, nodes in joined.sets().items()
        }
        for copy in changed:
            components[joined.root(_node(copy))][1].append(copy)
        return list(components.values())

    def _elect_in(self, clusters: set[str], changed: Sequence[Copy]) -> None:
        ids = clusters | {copy.key.article_id for copy in changed}
        for article_id in ids:
            self._load_identity(article_id)
        first, loaded = self._first(ids), set[str]()
        fell_back = any(self._fell_back(copy) for copy in changed)
        # The members of a cluster that keeps its first keep their places, and need not be looked at.
        while stale := {c for c in clusters - loaded if fell_back or not self._was_first(first, c)}:
            ids |= self._load_members(stale)
            loaded |= stale
            first = self._first(ids)
        for key in [key for article_id in ids for key in self._by_id[article_id]]:
            self._now[key] = replace(self._now[key], place=_place_under(first, self._now[key]))

    def _fell_back(self, copy: Copy) -> bool:
        """Is it later than it seemed? Then a member that was passed over may go first."""
        before = self._before.get(copy.key)
        return before is not None and _order(copy) > _order(before)

    def _load_members(self, clusters: set[str]) -> set[str]:
        members = [copy for cluster_id in clusters for copy in self._known.members(cluster_id)]
        self._load(members)
        return {copy.key.article_id for copy in members}

    def _first(self, ids: Iterable[str]) -> Copy:
        """The earliest. Of one identity only the copy that was seen first can be it: a mirror never takes its place."""
        homes = (
            min(
                (self._now[key] for key in self._by_id[article_id]),
                key=lambda copy: (copy.first_seen_at, copy.key.source),
            )
            for article_id in ids
        )
        return min(homes, key=_order)

    def _was_first(self, copy: Copy, cluster_id: str) -> bool:
        before = self._before.get(copy.key)
        return before is not None and before.place == Place(cluster_id)


class _Joined:
    """Disjoint sets."""

    def __init__(self) -> None:
        self._parent: dict[_Node, _Node] = {}

    def join(self, one: _Node, other: _Node) -> None:
        self._parent[self.root(one)] = self.root(other)

    def root(self, node: _Node) -> _Node:
        parent = self._parent.setdefault(node, node)
        while parent != node:
            # Halving the path on the way keeps the trees flat.
            self._parent[node] = self._parent[parent]
            node, parent = parent, self._parent[parent]
        return node

    def sets(self) -> dict[_Node, set[_Node]]:
        sets: dict[_Node, set[_Node]] = defaultdict(set)
        for node in list(self._parent):
            sets[self.root(node)].add(node)
        return sets


def _node(copy: Copy) -> _Node:
    return copy.place.cluster_id if copy.place else copy.key


def _order(copy: Copy) -> tuple[datetime, datetime, str]:
    return copy.claimed_at, copy.first_seen_at, copy.key.article_id


def _place_under(first: Copy, copy: Copy) -> Place:
    cluster_id = first.key.article_id
    if copy.key == first.key:
        return Place(cluster_id)
    same_page = copy.key.article_id == cluster_id or (
        copy.key.namespace != first.key.namespace and not copy.urls.isdisjoint(first.urls)
    )
    return Place(cluster_id, cluster_id, "url", None) if same_page else Place(cluster_id, cluster_id, "exact", 1.0)
