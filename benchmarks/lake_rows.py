"""Invented articles for benchmarks.lake, always the same: as a Parquet file that every store is fed from.

Words are pairs of common characters drawn by chance, sentences and texts have usual lengths: no two texts are alike,
and they compress about as texts do.
"""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from articles.identity import text_hash
from articles.records import Article
from benchmarks.lake_feed import CHUNK
from storage.schema import JOURNAL, observed_row

SEED = 11
FIRST_DAY = date(2024, 1, 1)
CHARACTERS = (
    "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面而方后多定行学法所民得经"
    "十三之进着等部度家电力里如水化高自二理起小物现实加量都两体制机当使点从业本去把性好应开它合还因由其些然前外天政四日那社义事平形"
    "相全表间样与关各重新线内数正心反你明看原又么利比或但质气第向道命此变条只没结解问意建月公无系军很情者最立代想已通并提直题党程展"
)
WORDS = 3000
WORDS_OF_A_SENTENCE = 11
# Of a batch, so many articles were there before, and so many of these have been changed.
REPEATED, REVISED = 5, 1
COLUMNS = pa.schema([*JOURNAL, ("batch", pa.int32())])


def write_small(path: Path, *, batches: int, size: int, sources: int) -> None:
    """Batches of a live pass: articles of two days, some of which earlier batches have brought already."""
    chance = random.Random(SEED)
    words = _words(chance)
    rows: list[dict[str, Any]] = []
    made: list[Article] = []
    for batch in range(batches):
        day = FIRST_DAY + timedelta(days=2 * batch // batches)
        again = [_revised(article, chance, words, n < REVISED) for n, article in enumerate(_some(chance, made))]
        new = [_article(chance, words, len(made) + n, n % sources, day) for n in range(size - len(again))]
        made += new
        rows += [_row(article, batch) for article in (*again, *new)]
    pq.write_table(pa.Table.from_pylist(rows, schema=COLUMNS), path)


def write_bulk(path: Path, *, articles: int, sources: int, days: int) -> None:
    """A history, source by source and day by day, as archives come."""
    chance = random.Random(SEED)
    words = _words(chance)
    with pq.ParquetWriter(path, COLUMNS) as writer:
        chunk: list[dict[str, Any]] = []
        for number in range(articles):
            source, day = divmod(number * sources * days // articles, days)
            article = _article(chance, words, number, source, FIRST_DAY + timedelta(days=day))
            chunk.append(_row(article, number // CHUNK))
            if len(chunk) == CHUNK or number == articles - 1:
                writer.write_table(pa.Table.from_pylist(chunk, schema=COLUMNS))
                chunk = []


def _words(chance: random.Random) -> list[str]:
    return ["".join(chance.choices(CHARACTERS, k=2)) for _ in range(WORDS)]


def _some(chance: random.Random, made: list[Article]) -> list[Article]:
    return chance.sample(made[-500:], REPEATED) if len(made) > REPEATED else []


def _article(chance: random.Random, words: list[str], number: int, source: int, day: date) -> Article:
    source_id = f"site{source:02d}"
    published_at = datetime.combine(day, time(), UTC) - timedelta(hours=8) + timedelta(minutes=chance.randrange(1440))
    url = f"https://{source_id}.example/a/{number}.html"
    title, text = _sentence(chance, words, 8), _text(chance, words)
    return Article(
        article_id=f"{source_id}:{number}",
        source=source_id,
        date=day,
        url=url,
        canonical_url=url,
        title=title,
        text=text,
        publisher=words[source] + "日报",
        author=words[chance.randrange(60)],
        published_at=published_at,
        published_precision="minute",
        published_raw=f"{published_at:%Y-%m-%d %H:%M}",
        fetched_at=published_at + timedelta(minutes=9),
        text_hash=text_hash(title, text),
        extractor="1+benchmark",
        raw_ref=f"pages/source={source_id}/{day}/{source_id}-0001.warc.gz#{number * 9000}+8999",
        page_digest=f"{chance.getrandbits(256):064x}",
    )


def _revised(article: Article, chance: random.Random, words: list[str], really: bool) -> Article:

    later = article.fetched_at + timedelta(hours=1)
    if not really:
        return replace(article, fetched_at=later)
    text = f"{article.text}\n{_sentence(chance, words, 20)}。"
    return replace(article, fetched_at=later, text=text, text_hash=text_hash(article.title, text))


def _text(chance: random.Random, words: list[str]) -> str:
    paragraphs = []
    for _ in range(chance.randint(4, 10)):
        sentences = [_sentence(chance, words, WORDS_OF_A_SENTENCE) for _ in range(chance.randint(2, 6))]
        paragraphs.append("，".join(sentences) + f"，为{chance.randrange(10_000)}.{chance.randrange(100)}万元。")
    return "\n".join(paragraphs)


def _sentence(chance: random.Random, words: list[str], length: int) -> str:
    return "".join(chance.choices(words, k=length))


def _row(article: Article, batch: int) -> dict[str, Any]:
    return {**observed_row(article), "source": article.source, "date": article.date, "batch": batch}
