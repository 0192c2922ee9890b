"""Cost of one change and of one retrieval in a store of many passages.

    python benchmarks/growth.py fill FOLDER --passages N [--seed S]
    python benchmarks/growth.py measure FOLDER [--rounds R]

`fill` makes a store of documents of ten passages each, written through `Store.put` as indexing
does. The words are drawn as often as words of a language are (Zipf 1949), the vectors are random
unit vectors: no model is needed, and what is measured is everything but parsing and encoding.

`measure` changes one document as an edit of a line does, and prints the CPU and the wall seconds,
each the median of the rounds,

- until the change is stored (put),
- until the files derived from the store are in step (derive),
- until a reader that stays open has the new generation (open),
- of one retrieval by a reader that stays open (retrieve),
- of a reader that starts anew (cold),

and the anonymous memory of this process after them.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from statistics import median

import numpy as np
from numpy.typing import NDArray

from index.document import Chunk, Document, SourceBytes
from index.ingestion.ingest import RECIPE
from index.search.bm25 import analyse
from index.search.index_cache import SegmentCache
from index.store.derivation import derive
from index.store.snapshot import Snapshot
from index.store.store import IndexedChunk, Store
from qa.answering.retriever import HybridRetriever

DIMENSION = 384
VOCABULARY = 60_000
SENTENCES, WORDS = 5, 18
"""Sentences of a passage and words of a sentence, on average those of encyclopaedic text."""
PER_DOCUMENT = 10


class RandomEncoder:
    """Encoder of queries as random unit vectors that depend on the text alone."""

    def encode_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return float32 (len(texts), DIMENSION), unit rows."""
        return np.stack([vector_of(text) for text in texts])


def vector_of(text: str) -> NDArray[np.float32]:
    """Return a random unit vector, float32 (DIMENSION,)."""
    seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
    row = np.random.default_rng(seed).standard_normal(DIMENSION)
    return np.asarray(row / np.linalg.norm(row), dtype=np.float32)


class Writer:
    """Writer of random documents into a store."""

    def __init__(self, store: Store, seed: int) -> None:
        self._store, self._random = store, random.Random(seed)
        letters = "etaoinshrdlucmfwypvbgk"
        sizes = [2 + int(self._random.expovariate(0.2)) for _ in range(VOCABULARY)]
        self._words = ["".join(self._random.choices(letters, k=size)) for size in sizes]
        self._weights = list(np.cumsum(1 / np.arange(1, VOCABULARY + 1)))

    def words(self, count: int) -> list[str]:
        """Return random words, common ones more often."""
        return self._random.choices(self._words, cum_weights=self._weights, k=count)

    def sentence(self) -> str:
        """Return a random sentence."""
        text = " ".join(self.words(self._random.randint(WORDS // 2, WORDS * 3 // 2)))
        return f"{text.capitalize()}."

    def put(self, name: str, passages: Sequence[str]) -> None:
        """Store a document of some passages, or replace it."""
        text = "\n\n".join(passages)
        identity = hashlib.sha256(name.encode()).hexdigest()[:16]
        data = text.encode()
        source = SourceBytes(hashlib.sha256(data).hexdigest(), len(data), "utf-8", 0, ())
        document = Document(identity, name, name, False, text, (), source, "en")
        chunks, vectors, start = [], {}, 0
        for passage in passages:
            end = start + len(passage)
            chunk = Chunk(identity, start, end, passage, ((start, end),))
            key = hashlib.sha256(passage.encode()).digest()
            vectors[key] = vector_of(passage)
            chunks.append(IndexedChunk(chunk, analyse(passage), key))
            start = end + 2
        self._store.put(document, Path("/corpus", name), chunks, vectors, RECIPE)

    def passages(self) -> list[str]:
        """Return the passages of a new document."""
        return [" ".join(self.sentence() for _ in range(SENTENCES)) for _ in range(PER_DOCUMENT)]


def fill(folder: Path, passages: int, seed: int) -> None:
    """Make a store of so many passages."""
    with Store(folder) as store, store.writing():
        store.claim_model("random", "random")
        # A process that is killed here leaves a half-filled store: the folder is only for figures.
        store._db.execute("PRAGMA synchronous=OFF")  # noqa: SLF001
        writer = Writer(store, seed)
        for number in range(passages // PER_DOCUMENT):
            writer.put(f"{number // 1000}/{number}.txt", writer.passages())


@contextmanager
def timed(name: str, found: dict[str, list[tuple[float, float]]]) -> Iterator[None]:
    """Add the CPU and wall seconds of the block to those of a name."""
    cpu, wall = time.process_time(), time.perf_counter()
    yield
    found.setdefault(name, []).append((time.process_time() - cpu, time.perf_counter() - wall))


def measure(folder: Path, rounds: int, say: Callable[[str], object]) -> None:
    """Change a document and ask, and say the cost of each step."""
    found: dict[str, list[tuple[float, float]]] = {}
    segments = SegmentCache()
    with timed("first", found):
        derive(folder)
        reader = Snapshot(folder, save_derived=False, segments=segments)
        retriever = HybridRetriever(reader, RandomEncoder())
        retriever.hits("warm")
    with Store(folder) as store:
        writer = Writer(store, seed=7)
        for number in range(rounds):
            question = " ".join(writer.words(9))
            with timed("put", found), store.writing():
                writer.put(f"edited/{number % 3}.txt", writer.passages())
            with timed("derive", found):
                derive(folder)
            with timed("open", found):
                newer = Snapshot(folder, save_derived=False, segments=segments)
                newer.load()
                retriever = HybridRetriever(newer, RandomEncoder())
            reader.close()
            reader = newer
            with timed("retrieve", found):
                retriever.retrieve(question, 10)
            with timed("cold", found), closing(Snapshot(folder, save_derived=False)) as cold:
                HybridRetriever(cold, RandomEncoder()).retrieve(question, 10)
        say(f"{reader.size:,} passages, {folder_bytes(folder) / 1e6:,.0f} MB on disk")
    reader.close()
    for name, rows in found.items():
        cpu, wall = (median(each) for each in zip(*rows, strict=True))
        say(f"{name:9}{cpu:9.3f} s CPU {wall:9.3f} s wall")
    say(f"anonymous {anonymous() / 1e6:,.0f} MB")


def anonymous() -> int:
    """Return the bytes of anonymous memory of this process (proc(5), RssAnon)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * int(next(line for line in lines if line.startswith("RssAnon")).split()[1])


def folder_bytes(folder: Path) -> int:
    """Return the bytes of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def main() -> None:
    """Fill or measure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    filling = commands.add_parser("fill")
    filling.add_argument("folder", type=Path)
    filling.add_argument("--passages", type=int, required=True)
    filling.add_argument("--seed", type=int, default=0)
    measuring = commands.add_parser("measure")
    measuring.add_argument("folder", type=Path)
    measuring.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    if options.command == "fill":
        fill(options.folder, options.passages, options.seed)
    else:
        measure(options.folder, options.rounds, _say)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    main()
