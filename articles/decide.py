"""What is new: decides for a batch of articles, given all that was stored before.

    article ──same id, same source──▶ copy  ──its distinct texts──▶ revisions
    copy    ──same id | same address | same text──▶ group    one article beyond doubt; named by its earliest
    group   ──current texts nearly the same──▶ cluster       the earliest is its first; the others are duplicates

Everything is a function of the *set* of articles seen, not of the order or the batches they came in. A copy's versions
are its distinct texts in the order they were fetched; groups are the connected components of what links two copies for
certain; clusters are made of groups by `near.cluster`. When a batch brings an earlier copy to light, or a revision
takes an article out of its cluster, the places of copies stored before change, and `elections` say so.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from hashlib import blake2b
from typing import NamedTuple, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from articles.fingerprint import records, with_fingerprints
from articles.near import FORM_CHARS, cluster, script_twins
from articles.normalise import key_text
from articles.records import Article, Decision, DecisionKind, DuplicateKind, Election

# Shorter texts meet by chance ("see the picture"): they need the title as well, and the two together this much.
SHORT_CHARS = 20
# An equal text below this, under titles for different periods, is an empty form and not a copy. Where only one of the
# titles names a period, it is one all the same, and found as a near copy.
BARE_CHARS = FORM_CHARS
# Edited articles keep far more of their character pairs, two articles of one desk share about a tenth.
REPLACED_LIKENESS = 0.2

NEVER = datetime.max.replace(tzinfo=UTC)
LAST_OF_DAY = timedelta(days=1, microseconds=-1)
MARK_CHARS = 12


class CopyKey(NamedTuple):
    article_id: str
    source: str

    @property
    def namespace(self) -> str:
        return self.article_id.partition(":")[0]


class TextKey(NamedTuple):
    """One version of a copy."""

    copy: CopyKey
    mark: str


class NewText(NamedTuple):
    """What is remembered of a version, to find what is nearly the same."""

    key: TextKey
    published_at: datetime
    """When it was first fetched, where no time of publication is known."""
    fingerprint: bytes


class NearLink(NamedTuple):
    """Two versions that are one article, or nearly."""

    one: TextKey
    other: TextKey
    similarity: float


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
    day: date | None
    lang: str

    @property
    def mark(self) -> str:
        """Tells it from the other versions of its copy."""
        return self.text_hash[:MARK_CHARS]


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """An article as one source carries it: all that later decisions need to know of it."""

    key: CopyKey
    versions: tuple[Version, ...]
    """Distinct texts, in the order of `chain`; the last is the current one."""
    group_id: str = ""
    """article_id of the earliest copy that is certainly the same article; empty until the first election."""
    place: Place | None = None
    """None until the first election."""

    # In place of dataclasses.replace, which takes a tenth of the time of a decision.
    def with_versions(self, versions: tuple[Version, ...]) -> Copy:
        return Copy(key=self.key, versions=versions, group_id=self.group_id, place=self.place)

    def placed(self, group_id: str, place: Place | None) -> Copy:
        return Copy(key=self.key, versions=self.versions, group_id=group_id, place=place)

    @property
    def text(self) -> TextKey:
        """The current one."""
        return TextKey(self.key, self.versions[-1].mark)

    @property
    def lang(self) -> str:
        return self.versions[-1].lang

    @property
    def first_seen_at(self) -> datetime:
        return self.versions[0].fetched_at

    @property
    def claimed_at(self) -> datetime:
        return min(version.claimed_at for version in self.versions)

    @property
    def urls(self) -> frozenset[str]:
        return frozenset(version.canonical_url for version in self.versions if version.canonical_url)

    @property
    def texts(self) -> frozenset[str]:
        """Exact keys of those that can be recognised."""
        return frozenset(version.exact_key for version in self.versions if version.exact_key)


class Known(Protocol):
    """What was stored before."""

    def copies(self, article_ids: Collection[str]) -> Sequence[Copy]:
        """The copies of these identities, one per source that carries it."""

    def at_urls(self, canonical_urls: Collection[str]) -> Sequence[tuple[str, CopyKey, str]]:
        """For each address the copies that were ever found there, each with its group."""

    def groups_of(self, exact_keys: Collection[str]) -> Mapping[str, str]:
        """For each text that is known, the one group of all copies that ever had it."""

    def members(self, group_ids: Collection[str]) -> Sequence[Copy]: ...

    def remember(self, texts: Sequence[NewText]) -> Collection[TextKey]:
        """From now on, `near` knows these as well; gives all of them that it may find links of."""

    def near(self, texts: Iterable[TextKey]) -> Sequence[NearLink]:
        """All links among the texts that these hang together with. It may give links of superseded texts too."""


def decide(articles: Sequence[Article], known: Known) -> list[Decision]:
    """One decision for each article, in order. An article twice in the batch is new once and then unchanged."""
    batch = _Batch(known)
    batch.load_identities({article.article_id for article in articles})
    news = [batch.observe(article, key) for article, key in zip(articles, exact_keys(articles), strict=True)]
    elections = batch.elect()
    # Told with the first, whichever article has brought them about.
    told = [elections, *([()] * len(articles))]
    return [batch.decision(*each) for each in zip(articles, news, told[: len(articles)], strict=True)]


def version_of(article: Article, key: str) -> Version:
    """`key` is its exact key."""
    return Version(
        text_hash=article.text_hash,
        exact_key=key,
        canonical_url=article.canonical_url,
        fetched_at=article.fetched_at,
        edited_at=edited_at(article),
        claimed_at=claimed_at(article),
        day=article.date,
        lang=article.lang,
    )


def edited_at(article: Article) -> datetime:
    return article.updated_at or article.published_at or article.fetched_at


def claimed_at(article: Article) -> datetime:
    claimed = article.published_at or NEVER
    if article.published_at and article.published_precision == "day":
        # Midnight is where a day starts, not when anything was published: a copy with a time of that day goes first.
        claimed += LAST_OF_DAY
    return claimed


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


def exact_keys(articles: Sequence[Article]) -> list[str]:
    """Equal for copies of one text, whatever their titles; empty where nothing but chance could be recognised."""
    articles = with_fingerprints(articles)
    signed = records([article.fingerprint or b"" for article in articles])
    columns = signed["text"].tolist(), signed["chars"].tolist(), signed["periods"]
    return [_exact_key(article.title, *each) for article, *each in zip(articles, *columns, strict=True)]


def _exact_key(title: str, digest: int, chars: int, periods: NDArray[np.uint16]) -> str:
    said = f"{digest:016x}{chars:x}"
    if chars < SHORT_CHARS:
        short_title = key_text(title)
        if not chars or chars + len(short_title) < SHORT_CHARS:
            return ""
        said += f"\n{short_title}"
    elif chars < BARE_CHARS:
        said += f"\n{periods.tobytes().hex()}"
    return blake2b(said.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


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


def _age(version: Version) -> tuple[datetime, datetime, str, datetime, str]:
    # All documents of a backfill are fetched at one moment: the rest sees to it that none depends on its order.
    return version.fetched_at, version.edited_at, version.text_hash, version.claimed_at, version.canonical_url


# A stored group by its id, or a copy that is in none yet.
_Node: TypeAlias = str | CopyKey


class _Batch:
    """The copies that a batch touches, as they were before it and as they are after."""

    def __init__(self, known: Known) -> None:
        self._known = known
        self._before: dict[CopyKey, Copy] = {}
        self._now: dict[CopyKey, Copy] = {}
        self._by_id: dict[str, list[CopyKey]] = {}
        self._by_group: dict[str, set[CopyKey]] = defaultdict(set)
        self._fingerprints: dict[tuple[CopyKey, str], bytes] = {}
        self._linked: Collection[TextKey] = ()

    def observe(self, article: Article, exact_key: str) -> DecisionKind:
        """Add what was seen. What is `new` here may turn out to be a duplicate at the election."""
        key = CopyKey(article.article_id, article.source)
        if article.fingerprint:
            self._fingerprints[key, article.text_hash] = article.fingerprint
        copy = self._now.get(key)
        if copy is None:
            self._now[key] = Copy(key=key, versions=(version_of(article, exact_key),))
            self._by_id[key.article_id].append(key)
            return "new"
        known_keys = {version.text_hash: version.exact_key for version in copy.versions}
        version = version_of(article, known_keys.get(article.text_hash, exact_key))
        self._now[key] = copy.with_versions(chain((*copy.versions, version)))
        return "unchanged" if article.text_hash in known_keys else "revision"

    def elect(self) -> list[Election]:
        """Place every copy in its cluster; gives those stored before whose place changed."""
        changed = [copy for key, copy in self._now.items() if copy != self._before.get(key)]
        self._linked = self._known.remember([text for copy in changed for text in self._new_texts(copy)])
        components = self._components(changed)
        # All in one query each, which would be asked for one by one below.
        self.load_identities({group_id for stored, _ in components for group_id in stored})
        clusters = self._cluster([self._gather(stored, copies) for stored, copies in components])
        self.load_identities({rank.cluster_id for rank in clusters.values()})
        for key, copy in list(self._now.items()):
            if copy.group_id in clusters:
                self._now[key] = copy.placed(copy.group_id, self._place_in(clusters[copy.group_id], copy))
        return [
            Election(**key._asdict(), group_id=now.group_id, **now.place._asdict())
            for key, before in self._before.items()
            if (now := self._now[key]).place and (now.place, now.group_id) != (before.place, before.group_id)
        ]

    def decision(self, article: Article, kind: DecisionKind, elections: Iterable[Election]) -> Decision:
        copy = self._now[CopyKey(article.article_id, article.source)]
        assert copy.place is not None, f"{copy.key} was not elected"
        hashes = [version.text_hash for version in copy.versions]
        revision = hashes.index(article.text_hash)
        return Decision(
            kind="duplicate" if kind == "new" and copy.place.duplicate_of is not None else kind,
            article=article,
            revision=revision + 1,
            exact_key=copy.versions[revision].exact_key,
            first_seen_at=copy.first_seen_at,
            day=copy.versions[0].day,
            group_id=copy.group_id,
            elections=tuple(elections),
            cluster_id=copy.place.cluster_id,
            duplicate_of=copy.place.duplicate_of,
            duplicate_kind=copy.place.duplicate_kind,
            similarity=copy.place.similarity,
        )

    def _new_texts(self, copy: Copy) -> Iterable[NewText]:
        before = self._before.get(copy.key)
        known = before.versions if before else ()
        for version in copy.versions:
            if version in known:
                continue
            if fingerprint := self._fingerprints.get((copy.key, version.text_hash)):
                published_at = version.fetched_at if version.claimed_at == NEVER else version.claimed_at
                yield NewText(TextKey(copy.key, version.mark), published_at, fingerprint)

    def load_identities(self, article_ids: set[str]) -> None:
        """All copies of these, as far as they are not here yet."""
        # Subtracting the keys would look at all of them.
        if asked := {article_id for article_id in article_ids if article_id not in self._by_id}:
            self._by_id.update((article_id, []) for article_id in asked)
            self._load(self._known.copies(asked))

    def _load(self, copies: Iterable[Copy]) -> None:
        for copy in copies:
            if copy.key not in self._before:
                self._before[copy.key] = self._now[copy.key] = copy
                self._by_id.setdefault(copy.key.article_id, []).append(copy.key)
                self._by_group[copy.group_id].add(copy.key)

    # Groups: what is one article for certain

    def _components(self, changed: Sequence[Copy]) -> list[tuple[set[str], list[Copy]]]:
        """Stored groups and changed copies that are one group now."""
        joined = _Joined()
        texts = Counter(text for copy in changed for text in copy.texts)
        urls = Counter(url for copy in changed for url in copy.urls)
        at_text: dict[str, _Node] = dict(self._known.groups_of(texts.keys()))
        at_url: dict[str, list[tuple[CopyKey, _Node]]] = defaultdict(list)
        for url, key, group_id in self._known.at_urls(urls.keys()):
            at_url[url].append((key, group_id))
        # Nothing connects most articles with anything: these need not be joined with what is not there.
        shared = {text for text, count in texts.items() if count > 1} | at_text.keys()
        shared |= {url for url, count in urls.items() if count > 1} | at_url.keys()
        alone, connected = list[Copy](), list[Copy]()
        for copy in changed:
            stands_alone = self._has_nothing_stored(copy) and shared.isdisjoint(copy.texts | copy.urls)
            (alone if stands_alone else connected).append(copy)
        for copy in connected:
            node = _node(copy)
            for key in self._by_id[copy.key.article_id]:
                joined.join(node, _node(self._now[key]))
            for text in copy.texts:
                joined.join(node, at_text.setdefault(text, node))
            for url in copy.urls:
                for other, its_node in at_url[url]:
                    # Within a namespace the source's id rule has said that they are two.
                    if other.namespace != copy.key.namespace:
                        joined.join(node, its_node)
                at_url[url].append((copy.key, node))
        components: dict[_Node, tuple[set[str], list[Copy]]] = {
            root: ({node for node in nodes if isinstance(node, str)}, []) for root, nodes in joined.sets().items()
        }
        for copy in connected:
            components[joined.root(_node(copy))][1].append(copy)
        return [*components.values(), *((set[str](), [copy]) for copy in alone)]

    def _has_nothing_stored(self, copy: Copy) -> bool:
        return not copy.group_id and len(self._by_id[copy.key.article_id]) == 1

    def _gather(self, groups: set[str], changed: Sequence[Copy]) -> _Gathered:
        """Make one group of them."""
        if not groups and len(changed) == 1 and self._has_nothing_stored(changed[0]):
            return self._alone(changed[0])
        ids = groups | {copy.key.article_id for copy in changed}
        self.load_identities(ids)
        first, loaded = self._first(ids), set[str]()
        fell_back = any(self._fell_back(copy) for copy in changed)
        # The members of a group that keeps its first stay in it, and need not be looked at.
        while stale := {g for g in groups - loaded if fell_back or not self._was_first(first, g)}:
            ids |= self._load_members(stale)
            loaded |= stale
            first = self._first(ids)
        keys = [key for article_id in ids for key in self._by_id[article_id]]
        for key in keys:
            self._by_group[self._now[key].group_id].discard(key)
            self._now[key] = self._now[key].placed(first.key.article_id, self._now[key].place)
            self._by_group[first.key.article_id].add(key)
        return _Gathered(first.key.article_id, groups - loaded, keys, self._keeps_rank(first, groups))

    def _alone(self, copy: Copy) -> _Gathered:
        """The same for what nothing connects with anything: as nearly always."""
        key = copy.key
        self._now[key] = copy.placed(key.article_id, copy.place)
        self._by_group[key.article_id].add(key)
        return _Gathered(key.article_id, set(), [key], keeps_rank=False)

    def _fell_back(self, copy: Copy) -> bool:
        """Is it later than it seemed? Then a member that was passed over may go first."""
        before = self._before.get(copy.key)
        return before is not None and _order(copy) > _order(before)

    def _load_members(self, groups: set[str]) -> set[str]:
        members = self._known.members(groups) if groups else ()
        self._load(members)
        return {copy.key.article_id for copy in members}

    def _first(self, ids: Iterable[str]) -> Copy:
        """The earliest. Of one identity only the copy that was seen first can be it: a mirror never takes its place."""
        return min(map(self._home, ids), key=_order)

    def _home(self, article_id: str) -> Copy:
        if article_id not in self._by_id:
            self.load_identities({article_id})
        keys = self._by_id[article_id]
        if len(keys) == 1:  # as nearly always: this is asked for several times an article
            return self._now[keys[0]]
        copies = (self._now[key] for key in keys)
        return min(copies, key=lambda copy: (copy.first_seen_at, copy.key.source))

    def _was_first(self, copy: Copy, group_id: str) -> bool:
        return self._before_first(copy) is not None and copy.key.article_id == group_id

    def _before_first(self, copy: Copy) -> Copy | None:
        """As it was stored, if it was the home of its identity and the first of its group then."""
        before = self._before.get(copy.key)
        if before is None or before.group_id != copy.key.article_id:
            return None
        homes = (self._before[key] for key in self._by_id[copy.key.article_id] if key in self._before)
        home = min(homes, key=lambda copy: (copy.first_seen_at, copy.key.source))
        return before if home.key == copy.key else None

    def _keeps_rank(self, first: Copy, groups: set[str]) -> bool:
        """Is it a stored group with the first it had, as old as it was? Then its members' links need no second look."""
        before = self._before_first(first)
        return groups == {first.key.article_id} and before is not None and _order(before) == _order(first)

    # Clusters: what is nearly one article

    def _cluster(self, gathered: Sequence[_Gathered]) -> dict[str, _Rank]:
        """Where the groups stand that were gathered, and those whose place that changes."""
        ranks = {group.group_id: self._unlinked_rank(group) for group in gathered}
        links = self._links_around(gathered)
        groups = {group_id for link in links for group_id in self._groups_of(link)}
        pairs: dict[tuple[str, str], float] = defaultdict(float)
        for link in links:
            if self._is_current(link.one) and self._is_current(link.other):
                pair = self._groups_of(link)
                for way in (pair, pair[::-1]):
                    pairs[way] = max(pairs[way], link.similarity)
        firsts = cluster({group_id: _order(self._home(group_id)) for group_id in groups}, pairs)
        return ranks | {group_id: _Rank(first, pairs.get((group_id, first))) for group_id, first in firsts.items()}

    def _unlinked_rank(self, group: _Gathered) -> _Rank:
        if group.keeps_rank:
            place = self._before[self._home(group.group_id).key].place
            assert place is not None
            return _Rank(place.cluster_id, None if place.cluster_id == group.group_id else place.similarity)
        return _Rank(group.group_id)

    def _links_around(self, gathered: Sequence[_Gathered]) -> set[NearLink]:
        """All links of the groups that hang together with these. Their members are loaded afterwards."""
        reached = {group.group_id for group in gathered if not group.keeps_rank}
        self._load_members({unseen for group in gathered if not group.keeps_rank for unseen in group.unseen})
        keys = {key for group in gathered if group.keeps_rank for key in group.keys}
        keys |= {key for group_id in reached for key in self._by_group[group_id]}
        # What was not there before has the links it was just found to have: mostly none.
        keys = {key for key in keys if key in self._before or self._now[key].text in self._linked}
        links, asked = set[NearLink](), set[TextKey]()
        while keys:
            # A superseded text may have held a cluster together that has to part now.
            texts = {copy.text for key in keys for copy in (self._now[key], self._before.get(key)) if copy}
            found = set(self._known.near(texts - asked)) - links
            links |= found
            ends = {text for link in found for text in (link.one, link.other)}
            asked |= texts | ends
            self.load_identities({text.copy.article_id for text in ends})
            groups = {self._now[text.copy].group_id for text in ends} - reached
            reached |= groups
            self._load_members(groups)
            keys = {key for group_id in groups for key in self._by_group[group_id]}
        return links

    def _groups_of(self, link: NearLink) -> tuple[str, str]:
        return self._now[link.one.copy].group_id, self._now[link.other.copy].group_id

    def _is_current(self, text: TextKey) -> bool:
        return self._now[text.copy].text == text

    def _place_in(self, rank: _Rank, copy: Copy) -> Place:
        first = self._home(rank.cluster_id)
        if copy.key == first.key:
            return Place(rank.cluster_id)
        if rank.cluster_id == copy.group_id:
            kind, similarity = _same_kind(first, copy)
        else:
            # An equal text has similarity 1, and no other has; what kept it out of the group is its title.
            kind, similarity = "exact" if rank.similarity == 1 else "near", rank.similarity
        if kind != "url" and script_twins(copy.lang, first.lang):
            kind = "script"
        return Place(rank.cluster_id, rank.cluster_id, kind, similarity)


class _Gathered(NamedTuple):
    group_id: str
    unseen: set[str]
    """Of the stored groups it was made of, those whose members were not loaded."""
    keys: list[CopyKey]
    """Of its copies that were looked at."""
    keeps_rank: bool


class _Rank(NamedTuple):
    """Where a group stands."""

    cluster_id: str
    similarity: float | None = None
    """To the first of its cluster, if that is another group."""


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
    return copy.group_id or copy.key


def _order(copy: Copy) -> tuple[datetime, datetime, str]:
    return copy.claimed_at, copy.first_seen_at, copy.key.article_id


def _same_kind(first: Copy, copy: Copy) -> tuple[DuplicateKind, float | None]:
    """How a copy of the first's group is known to be one."""
    same_page = copy.key.article_id == first.key.article_id or (
        copy.key.namespace != first.key.namespace and not copy.urls.isdisjoint(first.urls)
    )
    return ("url", None) if same_page else ("exact", 1.0)
