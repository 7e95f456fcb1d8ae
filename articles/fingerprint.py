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
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
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
CHUNK_CHARS = 1 << 16
CODE_POINTS = 0x110000

# Odd 64-bit constants; every product is taken modulo 2**64, as numpy does for unsigned integers.
BASE = 0x9E3779B97F4A7C15
MIX_1 = np.uint64(0xD6E8FEB86659FD93)
MIX_2 = np.uint64(0xA24BAED4963EE407)
SHIFT_32 = np.uint64(32)
BIN_SHIFT = np.uint64(64 - (BINS - 1).bit_length())

NUMERALS = "零一二三四五六七八九十百两"
# A Chinese numeral is an ordinal, and so a fact, before one of these …
ORDINAL_AFTER = "次届期季批轮号章旬月周"
# … or after one of these (第三, 周五). Elsewhere it is mostly an idiom or an article (一个, 一定).
ORDINAL_BEFORE = "第周期"
TEN_DAYS = "上中下"
DATE_UNITS = "年月日号时点分秒"

DIGIT, POINT, PERCENT, NUMERAL, AFTER, BEFORE, THIRD, DATE_UNIT, COMPLEX = (1 << bit for bit in range(9))

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
PERIOD = re.compile("|".join(PERIOD_PATTERNS.values()))
ALIASES = {"number": "issue"}
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
    return [
        article if is_current(article.fingerprint) else replace(article, fingerprint=next(computed))
        for article in articles
    ]


def is_current(fingerprint: bytes | None) -> bool:
    return fingerprint is not None and len(fingerprint) == SIGNATURE.itemsize and fingerprint[0] == VERSION


def records(prints: Sequence[bytes]) -> Records:
    """Parse fingerprints into one array. Raises ValueError for another version or a wrong length."""
    for fingerprint in prints:
        if not is_current(fingerprint):
            version = fingerprint[0] if fingerprint else None
            raise ValueError(
                f"fingerprint of version {version} and {len(fingerprint)} bytes; "
                f"this code reads version {VERSION} of {SIGNATURE.itemsize} bytes"
            )
    return np.frombuffer(b"".join(prints), SIGNATURE)


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
    kind: NDArray[np.uint16]
    """What a character may be to a number: DIGIT, NUMERAL …"""

    @property
    def chars(self) -> Ints:
        return np.diff(self.start)

    def __len__(self) -> int:
        return len(self.start) - 1


class _FoldTable:
    """`key_text` for single code points, filled in as they are met.

    A code point that folds to several characters, or that may join its neighbour, is COMPLEX: a document with one is
    folded by `key_text` itself. Both ways give the same characters, which a test holds.
    """

    def __init__(self) -> None:
        self.code = np.zeros(CODE_POINTS, np.uint32)
        self.kind = np.zeros(CODE_POINTS, np.uint16)
        self.known = np.zeros(CODE_POINTS, np.bool_)
        for characters, bit in _KINDS.items():
            for character in characters:
                self.kind[ord(character)] |= bit

    def learn(self, code_points: NDArray[np.uint32]) -> None:
        for code_point in np.unique(code_points[~self.known[code_points]]).tolist():
            self.known[code_point] = True
            character = chr(code_point)
            folded = key_text(character)
            self.code[code_point] = ord(folded) if len(folded) == 1 else 0
            if _complex(character, folded):
                self.kind[code_point] |= COMPLEX
            if len(folded) == 1 and folded.isdecimal():
                self.kind[[code_point, ord(folded)]] |= DIGIT
            if unicodedata.normalize("NFKC", character) == ".":
                self.kind[[code_point, ord(".")]] |= POINT


_KINDS = {
    "%": PERCENT,
    NUMERALS: NUMERAL,
    ORDINAL_AFTER: AFTER,
    ORDINAL_BEFORE: BEFORE,
    TEN_DAYS: THIRD,
    DATE_UNITS: DATE_UNIT,
}


@cache
def _table() -> _FoldTable:
    return _FoldTable()


def _complex(character: str, folded: str) -> bool:
    """Is it several characters when normalised, or one that may merge with the one before it?"""
    parts = unicodedata.normalize("NFKC", character)
    return (
        len(parts) > 1
        or len(folded) > 1
        or unicodedata.combining(parts) != 0
        or 0x1100 <= ord(parts) < 0x1200  # conjoining Korean letters
    )


def _fold(texts: Sequence[str]) -> _Folded:
    table = _table()
    points, lengths = _code_points(texts)
    table.learn(points)
    complicated = (table.kind[points] & COMPLEX) != 0
    if complicated.any():
        which = set(np.searchsorted(np.cumsum(lengths), np.flatnonzero(complicated), side="right").tolist())
        points, lengths = _code_points([key_text(text) if at in which else text for at, text in enumerate(texts)])
        table.learn(points)
    ends = np.concatenate([[0], np.cumsum(lengths)])
    code = table.code[points]
    code[_decimal_points(table.kind[points], ends)] = ord(".")
    kept = code != 0
    start = np.concatenate([[0], np.cumsum(kept)])[ends]
    code = code[kept]
    document = np.repeat(np.arange(len(texts), dtype=np.int32), np.diff(start))
    return _Folded(code, start, document, table.kind[code])


def _decimal_points(kind: NDArray[np.uint16], ends: Ints) -> Ints:
    """Full stops right between two digits of one document, which the fold keeps."""
    places = np.flatnonzero(kind & POINT)
    places = places[(places > 0) & (places < len(kind) - 1)]
    places = places[(kind[places - 1] & kind[places + 1] & DIGIT) != 0]
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
    return left[: len(following)] * np.uint64(pow(BASE, right_width, 1 << 64)) + following


def _mix(hashes: U64) -> U64:
    """Spread each hash over all 64 bits; in place."""
    hashes ^= hashes >> SHIFT_32
    hashes *= MIX_1
    hashes ^= hashes >> SHIFT_32
    hashes *= MIX_2
    hashes ^= hashes >> SHIFT_32
    return hashes


def _inside(folded: _Folded, width: int) -> Mask:
    """Whether the window from each place on ends in the document it begins in."""
    last = folded.document[width - 1 :]
    return np.equal(folded.document[: len(last)], last)


def _min_hash(folded: _Folded, hashes: U64) -> NDArray[np.uint8]:
    """The upper bits of a shingle choose its bin; a bin keeps one byte of the smallest lower half it sees."""
    inside = _inside(folded, GRAM)
    hashes, document = hashes[inside], folded.document[: len(inside)][inside]
    lowest = np.full(len(folded) * BINS, NO_FACT, np.uint32)
    chosen = (hashes >> BIN_SHIFT).astype(np.int64)
    np.minimum.at(lowest, document.astype(np.int64) * BINS + chosen, hashes.astype(np.uint32))
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
    smallest = np.minimum(hashes >> SHIFT_32, np.uint64(NO_FACT - 1)).astype(np.uint32)
    order = np.lexsort((smallest, document))
    smallest, document = smallest[order], document[order]
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
    following: Mask = np.roll(folded.code, -1)[places] == ord(character)
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
    inside = _inside(folded, WINDOW)
    telling = _telling(folded, numbers)[: len(inside)] & inside
    plain = inside & ~telling
    document = folded.document[: len(inside)]
    many = np.bincount(document[telling], minlength=len(folded)) >= MANY_TELLING
    first = _lowest(hashes, document, telling, np.where(many, TEXT_KEYS, TEXT_KEYS // 2))
    rest = _lowest(hashes, document, plain, np.where(many, 0, TEXT_KEYS - np.count_nonzero(first, axis=1)))
    # A row of the two together holds no more than TEXT_KEYS, and NO_KEY is the smallest.
    return np.sort(np.concatenate([first, rest], axis=1), axis=1)[:, TEXT_KEYS:]


def _telling(folded: _Folded, numbers: _Runs) -> Mask:
    """Windows with enough digits outside dates."""
    figures = ~_followed_by(folded, numbers, DATE_UNIT)
    step = np.zeros(len(folded.code) + 1, np.int32)
    step[numbers.begin[figures]] += 1
    step[numbers.end[figures]] -= 1
    digits = np.concatenate([[0], np.cumsum(np.cumsum(step)[:-1])])
    return digits[WINDOW:] - digits[:-WINDOW] >= TELLING_DIGITS if len(digits) > WINDOW else np.zeros(0, np.bool_)


def _lowest(hashes: U64, document: NDArray[np.int32], eligible: Mask, quota: Ints) -> NDArray[np.uint32]:
    """Per document the quota of windows whose hash has the smallest lower half; their upper halves are the keys."""
    places = np.flatnonzero(eligible)
    at = document[places]
    lower = hashes[places].astype(np.uint32)
    # Three times as many as needed pass this gate, so that the sort below is short.
    count = np.maximum(1, np.bincount(at, minlength=len(quota)))
    passed = lower <= np.minimum(NO_FACT, 3 * TEXT_KEYS * (NO_FACT / count)).astype(np.uint32)[at]
    places, at, lower = places[passed], at[passed], lower[passed]
    order = np.lexsort((lower, at))
    places, at, lower = places[order], at[order], lower[order]
    new = _changes(at, lower)
    places, at = places[new], at[new]
    rank = _rank_in_run(_changes(at))
    kept = rank < quota[at]
    keys = np.full((len(quota), TEXT_KEYS), NO_KEY, np.uint32)
    keys[at[kept], rank[kept]] = np.maximum(hashes[places[kept]] >> SHIFT_32, 1)
    return keys


# ---------------------------------------------------------------- titles


def _sign_titles(signed: Records, titles: Sequence[str]) -> None:
    for at, title in enumerate(titles):
        folded = key_text(title)
        if not folded:
            continue
        signed["title"][at] = max(1, _short_hash(folded, 4))
        if len(folded) >= HEADLINE_CHARS:
            signed["keys"][at, TEXT_KEYS] = max(1, _short_hash(f"key {folded}", 4))
        signed["column"][at] = COLUMN_NAME * (len(folded) < HEADLINE_CHARS) | ROUND_UP * bool(DIGEST.search(folded))
        for name, values in _periods(folded).items():
            signed["periods"][at, PERIODS.index(name)] = max(1, _short_hash(" ".join(sorted(values)), 2))


def _short_hash(text: str, size: int) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=size).digest(), "little")


def _periods(folded: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for pattern in (PERIOD, COMPACT_DATE):
        for match in pattern.finditer(folded):
            for name, value in match.groupdict().items():
                if value is not None:
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
