"""What an article's text looks like, in 352 bytes: enough to find its copies and to tell them from its look-alikes.

    title ──fold──▶ digest, periods (year, month, day, issue …)
    text  ──fold──▶ digest, 5-gram MinHash, number facts, candidate keys

The fold is `normalise.key_text`: spaces, punctuation, width and script leave no trace. Signatures are compared by
`articles.near` and looked up by `storage.near_index`; nothing here judges. Everything is computed for a whole batch at
once with numpy, from code points, so that the same text gives the same bytes in every process on every machine.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from functools import cache, lru_cache
from itertools import pairwise
from operator import attrgetter
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from articles.normalise import key_text
from articles.records import Article

# Bump when the fold, a table or a hash below changes: signatures of two versions must never be compared.
VERSION: Final = 1

GRAM = 5
"""Characters in a shingle. Chinese words have two: five cross a border of words and are rare enough to tell texts."""
BINS = 128
"""One-permutation MinHash, a byte a bin: at equal size closer than 64 bins of two bytes (standard error 0.044)."""
FACTS = 32
"""Number tokens kept; of a text that holds more, those with the smallest hashes."""
TEXT_KEYS = 13
"""Candidate keys from the text. Two texts sharing half of their windows miss one another about once in 8,000."""
KEYS = TEXT_KEYS + 1
"""The last is the title's: a text cut down to a paragraph may have none of its keys left."""
HEADLINE_CHARS = 8
"""A shorter title is the name of a column, and no key."""
WINDOW = 12
"""Characters in a candidate key's window: long enough that two articles rarely share one by chance."""

# A window is telling when it holds at least this many digits that are no part of a date: such windows are what two
# bulletins from one template do not share, and what keeps the lists behind one key short.
TELLING_DIGITS = 3
# A text with this many telling windows gets all its keys from them, other texts half of the keys at most.
MANY_TELLING = 48

COLUMN_NAME, ROUND_UP = 1, 2
"""Bits of `SIGNATURE["column"]`: a title that is no headline; a title that promises many items."""

EMPTY_BIN = 0xFF
NO_FACT = 0xFFFFFFFF
NO_KEY = 0

PERIODS = ("year", "month", "day", "quarter", "issue", "week", "ten_days", "hour")
"""The classes of period a title may name; `SIGNATURE["periods"]` holds a hash of the values for each, 0 for none."""

SIGNATURE = np.dtype(
    [
        ("version", "u1"),
        ("column", "u1"),
        ("spare", "u1", (2,)),
        ("chars", "<u4"),
        ("text", "<u8"),
        ("title", "<u4"),
        ("fact_count", "<u4"),
        ("periods", "<u2", (len(PERIODS),)),
        ("grams", "u1", (BINS,)),
        ("facts", "<u4", (FACTS,)),
        ("keys", "<u4", (KEYS,)),
    ]
)
"""The bytes of a signature, little-endian and without gaps on every machine."""

Records = NDArray[np.void]
"""An array of SIGNATURE."""
U64 = NDArray[np.uint64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

# So many characters at a time keep the working arrays in the processor's cache.
CHUNK_CHARS = 1 << 15
CODE_POINTS = 0x110000

# Odd 64-bit constants; every product is taken modulo 2**64, as numpy does for unsigned integers.
BASE = 0x9E3779B97F4A7C15
MIX_1 = np.uint64(0xD6E8FEB86659FD93)
MIX_2 = np.uint64(0xA24BAED4963EE407)
SHIFT_32, LOW_32 = np.uint64(32), np.uint64(0xFFFFFFFF)
BIN_SHIFT = np.uint64(64 - (BINS - 1).bit_length())

NUMERALS = "零一二三四五六七八九十百两"
# A Chinese numeral is an ordinal, and so a fact, before one of these …
ORDINAL_AFTER = "次届期季批轮号章旬月周"
# … or after one of these (第三, 周五). Elsewhere it is mostly an idiom or an article (一个, 一定).
ORDINAL_BEFORE = "第周期"
TEN_DAYS = "上中下"
DATE_UNITS = "年月日号时点分秒"

# What is known of a character lies above its code point.
CODE_BITS = 21
CODE = (1 << CODE_BITS) - 1
DIGIT, POINT, PERCENT, NUMERAL, AFTER, BEFORE, THIRD, DATE_UNIT, COMPLEX, UNKNOWN = (
    1 << CODE_BITS + bit for bit in range(10)
)

PERIOD_PATTERNS = {
    "year": r"(?P<year>(?:19|20)\d\d)年",
    "month": r"(?P<month>\d{1,4}|[一二三四五六七八九十]{1,3})月",
    "day": r"(?P<day>\d{1,4}|[一二三四五六七八九十]{1,3})[日号]",
    "quarter": r"(?P<quarter>前?[1-4一二三四两]季|[上下]半年|[1-4]q|q[1-4])",
    "issue": r"第(?P<issue>\d+|[零一二三四五六七八九十百]+)|(?P<number>\d+)期",
    "week": r"(?:周|星期)(?P<week>[一二三四五六日天末])",
    "ten_days": r"(?P<ten_days>[上中下])旬",
    "hour": r"(?P<hour>早报|早评|早盘|早餐|午报|午评|午盘|收评|晚报|夜盘)",
}
# Round-ups, by their titles: two editions share most of their items and are two articles all the same.
DIGEST = re.compile(
    "速览|早餐|早报|晚报|晨报|午报|周报|早知道|要闻|快讯|联播|汇总|一览|盘点|集锦|速递|简报|播报|精选|提示"
)
# 20240105 stands for 2024-01-05 as well: the fold has dropped the hyphens.
COMPACT_DATE = re.compile(r"(?<!\d)(?P<year>20\d\d)(?P<month>[01]\d)(?P<day>[0-3]\d)(?!\d)")
# What any of them begins with is looked for first: most places of a title are passed over by that alone.
PERIOD = re.compile(rf"(?=[\d一二三四五六七八九十两前上中下第周星q早午收晚夜])(?:{'|'.join(PERIOD_PATTERNS.values())})")
ALIASES = {"number": "issue"}
FIELDS = tuple(field.name for field in fields(Article))
FIELDS_OF = attrgetter(*FIELDS)
NUMERAL_VALUES = {numeral: value for value, numeral in enumerate("零一二三四五六七八九")} | {"两": 2}


@dataclass(frozen=True, slots=True)
class Signature:
    """One parsed fingerprint. Compare two with `near.compare`; many at once with `near.relations` on `records`."""

    record: np.void

    @classmethod
    def from_bytes(cls, fingerprint: bytes) -> Self:
        return cls(records([fingerprint])[0])

    @classmethod
    def of(cls, title: str, text: str) -> Self:
        return cls.from_bytes(fingerprints([(title, text)])[0])

    def to_bytes(self) -> bytes:
        return self.record.tobytes()

    @property
    def chars(self) -> int:
        """Letters, digits and % in the text."""
        return int(self.record["chars"])

    @property
    def text(self) -> str:
        """Digest and length of the folded text."""
        return f"{int(self.record['text']):016x}{self.chars:x}"

    @property
    def periods(self) -> str:
        """Digest of the periods that the title names; zeros if it names none."""
        return bytes(self.record["periods"].tobytes()).hex()

    @property
    def keys(self) -> tuple[int, ...]:
        return tuple(int(key) for key in self.record["keys"] if key != NO_KEY)


def fingerprints(documents: Sequence[tuple[str, str]]) -> list[bytes]:
    """The signatures of (title, text) documents, in order. Depends on nothing but the two strings of each."""
    found: list[bytes] = []
    for chunk in _chunks(documents):
        signed = _sign(chunk).tobytes()
        found += [signed[at : at + SIGNATURE.itemsize] for at in range(0, len(signed), SIGNATURE.itemsize)]
    return found


def with_fingerprints(articles: Sequence[Article]) -> list[Article]:
    """The same articles, each with the fingerprint of this version; those that lack it are computed in one go."""
    lacking = [article for article in articles if not is_current(article.fingerprint)]
    computed = iter(fingerprints([(article.title, article.text) for article in lacking]))
    return [article if is_current(article.fingerprint) else _signed(article, next(computed)) for article in articles]


def _signed(article: Article, fingerprint: bytes) -> Article:
    # In place of dataclasses.replace, which takes twice the time.
    values = dict(zip(FIELDS, FIELDS_OF(article), strict=True))
    values["fingerprint"] = fingerprint
    return Article(**values)


def is_current(fingerprint: bytes | None) -> bool:
    return fingerprint is not None and len(fingerprint) == SIGNATURE.itemsize and fingerprint[0] == VERSION


def records(prints: Sequence[bytes]) -> Records:
    """Parse fingerprints into one array. Raises ValueError for another version or a wrong length."""
    odd = next((fingerprint for fingerprint in prints if len(fingerprint) != SIGNATURE.itemsize), None)
    found = np.frombuffer(b"" if odd else b"".join(prints), SIGNATURE)
    if odd is None and (found["version"] != VERSION).any():
        odd = prints[int(np.argmax(found["version"] != VERSION))]
    if odd is not None:
        raise ValueError(
            f"fingerprint of version {odd[0] if odd else None} and {len(odd)} bytes; "
            f"this code reads version {VERSION} of {SIGNATURE.itemsize} bytes"
        )
    return found


def _chunks(documents: Sequence[tuple[str, str]]) -> Iterator[Sequence[tuple[str, str]]]:
    """Cut so that the arrays of a chunk stay small; a single longer document is a chunk of its own."""
    start = chars = 0
    for at, (_, text) in enumerate(documents):
        if at > start and chars + len(text) > CHUNK_CHARS:
            yield documents[start:at]
            start, chars = at, 0
        chars += len(text)
    if start < len(documents):
        yield documents[start:]


def _sign(documents: Sequence[tuple[str, str]]) -> Records:
    signed = np.zeros(len(documents), SIGNATURE)
    signed["version"] = VERSION
    _sign_titles(signed, [title for title, _ in documents])
    folded = _fold([text for _, text in documents])
    signed["chars"] = folded.chars
    signed["text"] = _digests(folded)
    grams, windows = _window_hashes(folded)
    signed["grams"] = _min_hash(folded, grams)
    numbers = _number_runs(folded)
    signed["facts"], signed["fact_count"] = _facts(folded, numbers)
    signed["keys"][:, :TEXT_KEYS] = _keys(folded, windows, numbers)
    return signed


# ---------------------------------------------------------------- the fold, as a table of code points


@dataclass(frozen=True, slots=True)
class _Folded:
    """The kept characters of a chunk, one after the other: `code[start[i]:start[i + 1]]` is document i."""

    code: NDArray[np.uint32]
    start: Ints
    document: NDArray[np.int32]
    """The document of each character."""
    kind: NDArray[np.uint32]
    """What a character may be to a number: DIGIT, NUMERAL …"""

    @property
    def chars(self) -> Ints:
        return np.diff(self.start)

    def __len__(self) -> int:
        return len(self.start) - 1


class _FoldTable:
    """`key_text` for single code points, filled in as they are met.

    An entry is the code point it folds to, 0 for none, and above CODE_BITS what it may be to a number: all that
    is asked of a character, in one look-up.

    A code point that folds to several characters, or that may join its neighbour, is COMPLEX: a document with one is
    folded by `key_text` itself. Both ways give the same characters, which a test holds.
    """

    def __init__(self) -> None:
        self._entries = np.full(CODE_POINTS, UNKNOWN, np.uint32)

    def __getitem__(self, points: NDArray[np.uint32]) -> tuple[NDArray[np.uint32], int]:
        """The entries of these, and all kinds that occur among them."""
        places = points.astype(np.intp)
        entries = self._entries[places]
        kinds = int(np.bitwise_or.reduce(entries))
        if kinds & UNKNOWN:
            for place in np.unique(places[(entries & UNKNOWN) != 0]).tolist():
                self._entries[place] = _entry(chr(place))
            return self[points]
        return entries, kinds


def _entry(character: str) -> int:
    folded = key_text(character)
    single = folded if len(folded) == 1 else ""
    kind = sum(bit for characters, bit in _KINDS if single and single in characters)
    if single.isdecimal():
        kind |= DIGIT
    if _is_complex(character, folded):
        kind |= COMPLEX
    if unicodedata.normalize("NFKC", character) == ".":
        kind |= POINT
    return kind | (ord(single) if single else 0)


_KINDS = (
    ("%", PERCENT),
    (NUMERALS, NUMERAL),
    (ORDINAL_AFTER, AFTER),
    (ORDINAL_BEFORE, BEFORE),
    (TEN_DAYS, THIRD),
    (DATE_UNITS, DATE_UNIT),
)


@cache
def _table() -> _FoldTable:
    return _FoldTable()


def _is_complex(character: str, folded: str) -> bool:
    """Is it several characters when normalised, or one that may merge with the one before it?"""
    parts = unicodedata.normalize("NFKC", character)
    return (
        len(parts) > 1
        or len(folded) > 1
        or unicodedata.combining(parts) != 0
        or 0x1100 <= ord(parts) < 0x1200  # conjoining Korean letters
    )


def _fold(texts: Sequence[str]) -> _Folded:
    points, lengths = _code_points(texts)
    entries, kinds = _table()[points]
    if kinds & COMPLEX:
        complicated = np.flatnonzero(entries & COMPLEX)
        which = set(np.searchsorted(np.cumsum(lengths), complicated, side="right").tolist())
        points, lengths = _code_points([key_text(text) if at in which else text for at, text in enumerate(texts)])
        entries, kinds = _table()[points]
    ends = np.concatenate([[0], np.cumsum(lengths)])
    if kinds & POINT:
        entries[_decimal_points(entries, ends)] |= ord(".")
    kept = np.flatnonzero(entries & CODE)
    start = np.searchsorted(kept, ends)
    entries = entries[kept]
    document = np.repeat(np.arange(len(texts), dtype=np.int32), np.diff(start))
    return _Folded(entries & np.uint32(CODE), start, document, entries)


def _decimal_points(entries: NDArray[np.uint32], ends: Ints) -> Ints:
    """Full stops right between two digits of one document, which the fold keeps."""
    places = np.flatnonzero(entries & POINT)
    places = places[(places > 0) & (places < len(entries) - 1)]
    places = places[(entries[places - 1] & entries[places + 1] & DIGIT) != 0]
    inside: Mask = np.searchsorted(ends, places - 1, side="right") == np.searchsorted(ends, places + 1, side="right")
    within: Ints = places[inside]
    return within


def _code_points(texts: Sequence[str]) -> tuple[NDArray[np.uint32], Ints]:
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    return np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), "<u4"), lengths


def _digests(folded: _Folded) -> U64:
    raw, ends = folded.code.astype("<u4").tobytes(), (4 * folded.start).tolist()
    digests = b"".join(hashlib.blake2b(raw[begin:end], digest_size=8).digest() for begin, end in pairwise(ends))
    return np.frombuffer(digests, "<u8")


# ---------------------------------------------------------------- shingles


def _window_hashes(folded: _Folded) -> tuple[U64, U64]:
    """A hash of the GRAM and of the WINDOW characters from each place on, across the borders of documents too."""
    one = folded.code.astype(np.uint64)
    two = _join(one, 1, one, 1)
    four = _join(two, 2, two, 2)
    eight = _join(four, 4, four, 4)
    return _mix(_join(four, 4, one, 1)), _mix(_join(eight, 8, four, 4))


def _join(left: U64, left_width: int, right: U64, right_width: int) -> U64:
    """The polynomial hash of each left window with the right window that follows it."""
    following = right[left_width:]
    joined: U64 = left[: len(following)] * np.uint64(pow(BASE, right_width, 1 << 64))
    joined += following
    return joined


def _mix(hashes: U64) -> U64:
    """Spread each hash over all 64 bits; in place."""
    hashes ^= hashes >> SHIFT_32
    hashes *= MIX_1
    hashes ^= hashes >> SHIFT_32
    hashes *= MIX_2
    hashes ^= hashes >> SHIFT_32
    return hashes


def _astray(folded: _Folded, width: int, windows: int) -> Ints:
    """The places from which on a window does not end in the document it begins in."""
    begin = np.maximum(folded.start[:-1], folded.start[1:] - width + 1)
    places = _ranges(begin, folded.start[1:] - begin)
    return places[places < windows]


def _ranges(first: Ints, count: Ints) -> Ints:
    """first[0], first[0] + 1 … (count[0] of them), first[1] …"""
    ends = np.cumsum(count)
    return np.arange(ends[-1] if len(ends) else 0) + np.repeat(first - ends + count, count)


def _min_hash(folded: _Folded, hashes: U64) -> NDArray[np.uint8]:
    """The upper bits of a shingle choose its bin; a bin keeps one byte of the smallest lower half it sees."""
    lower = hashes.astype(np.uint32)
    lower[_astray(folded, GRAM, len(hashes))] = NO_FACT
    chosen = (hashes >> BIN_SHIFT).astype(np.int64)
    chosen += np.repeat(np.arange(len(folded)) * BINS, folded.chars)[: len(hashes)]
    lowest = np.full(len(folded) * BINS, NO_FACT, np.uint32)
    np.minimum.at(lowest, chosen, lower)
    return np.where(lowest == NO_FACT, EMPTY_BIN, lowest % EMPTY_BIN).astype(np.uint8).reshape(-1, BINS)


# ---------------------------------------------------------------- numbers and ordinals


@dataclass(frozen=True, slots=True)
class _Runs:
    """Stretches of characters: from each `begin` up to each `end`."""

    begin: Ints
    end: Ints


def _number_runs(folded: _Folded) -> _Runs:
    return _runs(folded, (folded.kind & (DIGIT | POINT)) != 0)


def _runs(folded: _Folded, mask: Mask) -> _Runs:
    """Where the mask holds without a break and without leaving a document."""
    places = np.flatnonzero(mask)
    broken = (np.diff(places) > 1) | (np.diff(folded.document[places]) != 0)
    first = np.concatenate([[True], broken])[: len(places)]
    last = np.concatenate([broken, [True]])[: len(places)]
    return _Runs(places[first], places[last] + 1)


def _followed_by(folded: _Folded, runs: _Runs, bits: int) -> Mask:
    return _neighbour(folded, runs.end - 1, 1, bits)


def _neighbour(folded: _Folded, places: Ints, step: int, bits: int) -> Mask:
    """Whether the character one step from each place is in the same document and of one of these kinds."""
    other = np.clip(places + step, 0, max(0, len(folded.code) - 1))
    same: Mask = (folded.document[other] == folded.document[places]) & (other != places)
    of_kind: Mask = (folded.kind[other] & bits) != 0
    return same & of_kind


def _facts(folded: _Folded, numbers: _Runs) -> tuple[NDArray[np.uint32], Ints]:
    """The smallest hashes of a document's number tokens and ordinals, and how many it has.

    The second 5 in a text is another fact than the first: a bulletin repeats its figures as often as its copy does.
    """
    tokens = _number_tokens(folded, numbers)
    document = folded.document[tokens.begin].astype(np.int64)
    hashes = _mix(_run_hashes(folded, tokens))
    order = np.lexsort((hashes, document))
    hashes, document = hashes[order], document[order]
    hashes = _mix(hashes + _rank_in_run(_changes(document, hashes)).astype(np.uint64) * np.uint64(BASE))
    smallest = np.minimum(hashes >> SHIFT_32, np.uint64(NO_FACT - 1))
    ordered = np.sort(document.astype(np.uint64) << SHIFT_32 | smallest)
    smallest, document = ordered.astype(np.uint32), (ordered >> SHIFT_32).astype(np.int64)
    rank = _rank_in_run(_changes(document))
    facts = np.full((len(folded), FACTS), NO_FACT, np.uint32)
    kept = rank < FACTS
    facts[document[kept], rank[kept]] = smallest[kept]
    return facts, np.bincount(document, minlength=len(folded))


def _number_tokens(folded: _Folded, numbers: _Runs) -> _Runs:
    """Digits with their %, Chinese numerals used as ordinals, and the tens of days of a month (上旬)."""
    percent = _followed_by(folded, numbers, PERCENT)
    numerals = _runs(folded, (folded.kind & NUMERAL) != 0)
    before = _neighbour(folded, numerals.begin, -1, BEFORE)
    ordinal = _followed_by(folded, numerals, AFTER) | before
    thirds = np.flatnonzero((folded.kind & THIRD) != 0)
    thirds = thirds[_next_is(folded, thirds, "旬")]
    return _Runs(
        np.concatenate([numbers.begin, numerals.begin[ordinal], thirds]),
        np.concatenate([numbers.end + percent, numerals.end[ordinal], thirds + 2]),
    )


def _next_is(folded: _Folded, places: Ints, character: str) -> Mask:
    following: Mask = folded.code[np.minimum(places + 1, len(folded.code) - 1)] == ord(character)
    return following & _neighbour(folded, places, 1, AFTER)


def _run_hashes(folded: _Folded, runs: _Runs) -> U64:
    if not len(runs.begin):
        return np.zeros(0, np.uint64)
    lengths = runs.end - runs.begin
    first = np.cumsum(lengths) - lengths
    offset = np.arange(int(lengths.sum())) - np.repeat(first, lengths)
    characters = folded.code[np.repeat(runs.begin, lengths) + offset].astype(np.uint64)
    return np.add.reduceat(characters * _powers(int(lengths.max()))[offset], first)


def _powers(count: int) -> U64:
    powers = np.full(count, BASE, np.uint64)
    powers[0] = 1
    return np.cumprod(powers, dtype=np.uint64)


def _changes(*columns: NDArray[Any]) -> Mask:
    """Of sorted columns, the places where any of them has a new value; the first is one."""
    new = np.ones(len(columns[0]), np.bool_)
    if len(new):
        new[1:] = np.logical_or.reduce([column[1:] != column[:-1] for column in columns])
    return new


def _rank_in_run(new: Mask) -> Ints:
    """0, 1, 2 … from each change on."""
    at = np.arange(len(new))
    return at - np.maximum.accumulate(np.where(new, at, 0)) if len(new) else at


# ---------------------------------------------------------------- candidate keys


def _keys(folded: _Folded, hashes: U64, numbers: _Runs) -> NDArray[np.uint32]:
    """A few windows chosen by their hashes, the same ones in every copy; telling ones first where there are many."""
    elsewhere = np.zeros(len(hashes), np.bool_)
    elsewhere[_astray(folded, WINDOW, len(hashes))] = True
    telling = _telling(folded, numbers, len(hashes))
    telling = telling[~elsewhere[telling]]
    elsewhere[telling] = True
    count = np.bincount(folded.document[telling], minlength=len(folded))
    many = count >= MANY_TELLING
    lower = hashes.astype(np.uint32)
    passed = telling[lower[telling] <= _gate(count)[folded.document[telling]]]
    first = _lowest(hashes, folded.document, passed, np.where(many, TEXT_KEYS, TEXT_KEYS // 2))
    # A plain comparison for all windows of all documents, so that the sort is of few.
    gate = np.where(many, 0, _gate(np.maximum(0, folded.chars - WINDOW + 1) - count)).astype(np.uint32)
    passed = np.flatnonzero(lower <= np.repeat(gate, folded.chars)[: len(hashes)])
    passed = passed[~elsewhere[passed]]
    quota = np.where(many, 0, TEXT_KEYS - np.count_nonzero(first, axis=1))
    rest = _lowest(hashes, folded.document, passed, quota)
    # A row of the two together holds no more than TEXT_KEYS, and NO_KEY is the smallest.
    return np.sort(np.concatenate([first, rest], axis=1), axis=1)[:, TEXT_KEYS:]


def _telling(folded: _Folded, numbers: _Runs, windows: int) -> Ints:
    """Windows with enough digits outside dates."""
    figures = ~_followed_by(folded, numbers, DATE_UNIT)
    digits = _ranges(numbers.begin[figures], numbers.end[figures] - numbers.begin[figures])
    # All windows from the first to the last that hold this digit and those after it, unless they were named before.
    last = digits[: 1 - TELLING_DIGITS]
    begin = np.maximum(digits[TELLING_DIGITS - 1 :] - WINDOW + 1, np.concatenate([[0], last[:-1] + 1])[: len(last)])
    places = _ranges(begin, np.maximum(0, last - begin + 1))
    return places[places < windows]


def _gate(count: Ints) -> NDArray[np.uint32]:
    """Three times as many windows as needed have a hash up to this, of so many."""
    return np.minimum(NO_FACT, 3 * TEXT_KEYS * (NO_FACT / np.maximum(1, count))).astype(np.uint32)


def _lowest(hashes: U64, document: NDArray[np.int32], places: Ints, quota: Ints) -> NDArray[np.uint32]:
    """Per document the quota of windows whose hash has the smallest lower half; their upper halves are the keys."""
    chosen = document[places].astype(np.uint64) << SHIFT_32 | hashes[places] & LOW_32
    order = np.argsort(chosen, kind="stable")
    new = order[_changes(chosen[order])]
    at = document[places[new]]
    rank = _rank_in_run(_changes(at))
    kept = rank < quota[at]
    keys = np.full((len(quota), TEXT_KEYS), NO_KEY, np.uint32)
    keys[at[kept], rank[kept]] = np.maximum(hashes[places[new[kept]]] >> SHIFT_32, 1)
    return keys


# ---------------------------------------------------------------- titles


def _sign_titles(signed: Records, titles: Sequence[str]) -> None:
    folded = _fold(titles)
    characters = folded.code.tobytes().decode("utf-32-le")
    column, keys, periods = signed["column"], signed["keys"][:, TEXT_KEYS], signed["periods"]
    for at, (begin, end) in enumerate(pairwise(folded.start.tolist())):
        title = characters[begin:end]
        if not title:
            continue
        signed["title"][at] = max(1, _short_hash(title, 4))
        if len(title) >= HEADLINE_CHARS:
            keys[at] = max(1, _short_hash(f"key {title}", 4))
        column[at] = COLUMN_NAME * (len(title) < HEADLINE_CHARS) | ROUND_UP * bool(DIGEST.search(title))
        for name, values in _periods(title).items():
            periods[at, PERIODS.index(name)] = max(1, _period_hash(" ".join(sorted(values))))


def _short_hash(text: str, size: int) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=size).digest(), "little")


@lru_cache(maxsize=4096)
def _period_hash(values: str) -> int:
    return _short_hash(values, 2)


def _periods(folded: str) -> dict[str, set[str]]:
    named = [(match.lastgroup or "", match[match.lastgroup or 0]) for match in PERIOD.finditer(folded)]
    named += [name for match in COMPACT_DATE.finditer(folded) for name in match.groupdict().items()]
    found: dict[str, set[str]] = {}
    for name, value in named:
        found.setdefault(ALIASES.get(name, name), set()).add(_plain_number(value))
    return found


def _plain_number(value: str) -> str:
    """十二 and 012 as 12; anything else as it is."""
    if value.isdecimal():
        return str(int(value))
    if not set(value) <= set(NUMERALS):
        return value.translate(_NUMERAL_DIGITS)
    tens, ten, ones = value.rpartition("十")
    if not ten:
        return "".join(str(NUMERAL_VALUES.get(numeral, numeral)) for numeral in value)
    return str(NUMERAL_VALUES.get(tens, 1) * 10 + NUMERAL_VALUES.get(ones, 0))


_NUMERAL_DIGITS = str.maketrans({numeral: str(value) for numeral, value in NUMERAL_VALUES.items()})
