"""Our own store on the batches of benchmarks.lake, in a process of its own.

python -m benchmarks.lake_ours small|bulk|flat-out FOLDER ROWS LIMIT_SECONDS  >  one JSON document
"""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.lake_meter import Meter
from benchmarks.lake_rows import batches_of
from storage.lake import Lake


def main() -> None:
    task, folder, rows, limit_seconds = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), float(sys.argv[4])
    meter = Meter(limit_seconds=limit_seconds)
    known: set[str] = set()
    with Lake.open(folder) as lake:
        for batch in meter.until_late(batches_of(rows)):
            with meter.batch(len(batch)):
                lake.commit(batch, run_id=task)
            known |= {article.article_id for article in batch}
            if task == "flat-out":
                tell(folder, len(known))
    meter.report(folder, distinct=len(known))


def tell(folder: Path, count: int) -> None:
    """So many articles are committed: readers must see them."""
    fresh = folder.with_name(f"{folder.name}.fresh")
    fresh.write_text(str(count), encoding="ascii")
    fresh.replace(folder.with_name(f"{folder.name}.committed"))


if __name__ == "__main__":
    main()
