"""Other tools on the pairs and documents of benchmarks.dedup; run by it, in an environment of their own.

    python dedup_peers.py NAME < {"pairs": [[text, text, one_article]…], "documents": [text…]}  >  one JSON document

Each tool gets what suits it best: Chinese characters or its own Chinese tokens, and of several thresholds the one with
the highest F1 on these very pairs.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from importlib.metadata import version
from typing import Any

PERMUTATIONS = 128
GRAM = 5
THRESHOLDS = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
# Bands and rows: from the defaults of datatrove (14, 8) to ones that let more pairs through.
BANDS = ((14, 8), (20, 6), (25, 5), (32, 4))

Answer = dict[str, Any]


def shingles(text: str) -> set[str]:
    text = "".join(text.split())
    return {text[at : at + GRAM] for at in range(max(1, len(text) - GRAM + 1))}


def with_datasketch(pairs: Sequence[tuple[str, str, bool]], documents: Sequence[str]) -> Answer:
    from datasketch import MinHash, MinHashLSH

    def sign(text: str) -> MinHash:
        made = MinHash(num_perm=PERMUTATIONS)
        made.update_batch([gram.encode() for gram in shingles(text)])
        return made

    index = MinHashLSH(threshold=0.5, num_perm=PERMUTATIONS)

    def whole_way(at: int, text: str) -> None:
        signature = sign(text)
        index.query(signature)
        index.insert(at, signature)

    jaccard = [sign(a).jaccard(sign(b)) for a, b, _ in pairs]
    return _best(pairs, _by_threshold(jaccard)) | _speed(whole_way, documents, "signature, query, insert")


def with_rensa(pairs: Sequence[tuple[str, str, bool]], documents: Sequence[str]) -> Answer:
    from rensa import RMinHash, RMinHashLSH

    def sign(text: str) -> RMinHash:
        made = RMinHash(num_perm=PERMUTATIONS, seed=42)
        made.update(list(shingles(text)))
        return made

    index = RMinHashLSH(threshold=0.5, num_perm=PERMUTATIONS, num_bands=32)

    def whole_way(at: int, text: str) -> None:
        signature = sign(text)
        index.query(signature)
        index.insert(at, signature)

    jaccard = [sign(a).jaccard(sign(b)) for a, b, _ in pairs]
    return _best(pairs, _by_threshold(jaccard)) | _speed(whole_way, documents, "signature, query, insert")


def with_datatrove(pairs: Sequence[tuple[str, str, bool]], documents: Sequence[str]) -> Answer:
    import tempfile

    from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupSignature

    def step(bands: int, rows: int) -> Callable[[str], list[Hashable]]:
        config = MinhashConfig(num_buckets=bands, hashes_per_bucket=rows)
        made = MinhashDedupSignature(tempfile.mkdtemp(), config, language="cmn")

        def sign(text: str) -> list[Hashable]:
            found = made.get_shingles(text)
            return [tuple(band) for band in made.get_signature(found)] if found.size else []

        return sign

    best = _best(pairs, {f"{b} bands of {r}": _by_bands(pairs, step(b, r)) for b, r in BANDS})
    sign = step(*BANDS[0])
    alone = _speed(lambda _, text: sign(text), documents, "signature only")
    return best | alone | {"whole way/CPU s": _datatrove_whole_way(documents)}


def _datatrove_whole_way(documents: Sequence[str]) -> float:
    """Its four steps, one after the other in this process: sign, find buckets, cluster, leave out. Documents a CPU
    second; reading and writing documents is not counted."""
    import tempfile

    from datatrove.data import Document
    from datatrove.pipeline.dedup import minhash

    config = minhash.MinhashConfig(num_buckets=BANDS[0][0], hashes_per_bucket=BANDS[0][1])
    data = [Document(text=text, id=str(at)) for at, text in enumerate(documents)]
    with tempfile.TemporaryDirectory() as folder:
        signed, met, doomed = (f"{folder}/{name}" for name in ("signed", "met", "doomed"))
        sign = minhash.MinhashDedupSignature(signed, config, language="cmn")
        sign.get_shingles(documents[0])  # its dictionary is read at the first word
        began = time.process_time()
        sign.run(data)
        for bucket in range(config.num_buckets):
            minhash.MinhashDedupBuckets(signed, met, config=config).run(None, bucket, config.num_buckets)
        minhash.MinhashDedupCluster(met, doomed, config).run()
        kept = sum(1 for _ in minhash.MinhashDedupFilter(doomed).run(data))
        spent = time.process_time() - began
    assert kept
    return len(documents) / spent


def with_text_dedup(pairs: Sequence[tuple[str, str, bool]], documents: Sequence[str]) -> Answer:
    import numpy as np
    from text_dedup.minhash import RNG, SIGNATURE_COLUMN, embed_func, optimal_param, xxh3_32hash

    prime, largest = np.uint64((1 << 61) - 1), np.uint32((1 << 32) - 1)
    permutations = tuple(RNG.randint(low, prime, size=(PERMUTATIONS,), dtype=np.uint64) for low in (1, 0))

    def step(threshold: float) -> Callable[[str], list[Hashable]]:
        bands, rows = optimal_param(threshold, PERMUTATIONS)
        ranges = [(at * rows, (at + 1) * rows) for at in range(bands)]

        def sign(text: str) -> list[Hashable]:
            # It splits at what is no word character: spaces make its tokens characters instead of clauses.
            made = embed_func(
                " ".join("".join(text.split())),
                0,
                num_perm=PERMUTATIONS,
                ngram_size=GRAM,
                min_length=0,
                hashranges=ranges,
                permutations=permutations,
                hash_func=xxh3_32hash,
                dtype=np.uint64,
                max_hash=largest,
                modulo_prime=prime,
            )
            return list(made[SIGNATURE_COLUMN])

        return sign

    best = _best(pairs, {f"threshold {limit}": _by_bands(pairs, step(limit)) for limit in THRESHOLDS})
    sign = step(0.7)
    return best | _speed(lambda _, text: sign(text), documents, "signature only")


TOOLS: Mapping[str, Callable[[Sequence[tuple[str, str, bool]], Sequence[str]], Answer]] = {
    "datasketch": with_datasketch,
    "rensa": with_rensa,
    "datatrove": with_datatrove,
    "text-dedup": with_text_dedup,
}


def _by_threshold(jaccard: Sequence[float]) -> dict[str, list[bool]]:
    return {f"threshold {limit}": [value >= limit for value in jaccard] for limit in THRESHOLDS}


def _by_bands(pairs: Sequence[tuple[str, str, bool]], sign: Callable[[str], list[Hashable]]) -> list[bool]:
    return [any(x == y for x, y in zip(sign(a), sign(b), strict=False)) for a, b, _ in pairs]


def _best(pairs: Sequence[tuple[str, str, bool]], taken_by_setting: Mapping[str, Sequence[bool]]) -> Answer:
    answers = []
    for setting, taken in taken_by_setting.items():
        hits = sum(took and one for took, (_, _, one) in zip(taken, pairs, strict=True))
        precision, recall = hits / max(1, sum(taken)), hits / max(1, sum(one for _, _, one in pairs))
        f1 = 2 * precision * recall / max(1e-9, precision + recall)
        answers.append({"f1": f1, "precision": precision, "recall": recall, "setting": setting})
    return max(answers, key=lambda answer: answer["f1"])


def _speed(way: Callable[[int, str], object], documents: Sequence[str], covers: str) -> Answer:
    began = time.process_time()
    for at, text in enumerate(documents):
        way(at, text)
    return {"documents/CPU s": len(documents) / (time.process_time() - began), "covers": covers}


def main() -> None:
    name = sys.argv[1]
    asked = json.load(sys.stdin)
    pairs = [(a, b, bool(one)) for a, b, one in asked["pairs"]]
    print(json.dumps({"version": version(name)} | TOOLS[name](pairs, asked["documents"])))


if __name__ == "__main__":
    main()
