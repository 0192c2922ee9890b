"""Cost of the process that plans, takes and commits while a cluster reads and embeds.

    python benchmarks/cluster_driver.py [--documents 2000] [--store FOLDER]

The results of the workers are made beforehand, with random vectors, and pickled as Ray sends them.
So what is measured is what one driver can keep up with, however many nodes there are.
"""

from __future__ import annotations

import argparse
import pickle
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.backend import backend_at
from index.cluster.node_reader import NodeReader
from index.document import TextRange
from index.ingestion.distribution import Distribution
from index.ingestion.ingest import Ingestion, ingest
from index.ingestion.reading_order import SourceFile
from index.ingestion.report import Reporter
from index.ingestion.tasks import Finished, ReadTask, Task
from index.lance.manifest import Manifest
from index.lance.transaction import Transactions
from index.parsing.sandbox import extract_once

PASSAGES = 10
"""Passages of a document, of about 730 characters each."""
WORDS = np.array([f"word{number}" for number in range(20_000)])


class RandomEncoder:
    """Encoder with random vectors of the default model's size, whose tokens are words."""

    passage_budget = 256

    def token_spans(self, texts: Sequence[str]) -> list[list[TextRange]]:
        """Return the ranges of the words."""
        spans = []
        for text in texts:
            ends = [at for at, sign in enumerate(text) if sign in " \n"] + [len(text)]
            spans.append(list(zip([0, *(end + 1 for end in ends[:-1])], ends, strict=True)))
        return spans

    def encode_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return random unit vectors."""
        rows = np.random.default_rng(len(texts)).standard_normal((len(texts), 384))
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)

    def vector_key(self, text: str) -> bytes:
        """Return a hash of the text."""
        import hashlib

        return hashlib.sha256(text.encode()).digest()


class Canned:
    """Workers that have done everything already; `waited` is the time that making it took."""

    def __init__(self) -> None:
        self.free = 64
        self.waited = 0.0
        self.passages = 0
        self._reader = NodeReader(RandomEncoder(), extract_once)
        self._done: list[tuple[Task, bytes]] = []

    def begin(self, task: Task) -> None:
        """Make the result of a task."""
        began = time.process_time()
        sent = pickle.dumps(task)
        if not isinstance(task, ReadTask):
            sys.exit("expected documents that are embedded where they are read")
        self._done.append((task, pickle.dumps(self._reader.read(task.files))))
        self.free -= 1
        self.waited += time.process_time() - began
        pickle.dumps(task)  # what the driver itself does to send it
        del sent

    def finished(self) -> list[Finished]:
        """Return all results, as they arrive."""
        done, self._done = self._done, []
        self.free += len(done)
        found = [
            Finished(task, files=pickle.loads(payload))  # noqa: S301 - our own
            for task, payload in done
        ]
        self.passages += sum(len(file.vectors) for each in found for file in each.files)
        return found


class Commits:
    """Processor seconds of each transaction of the shared store."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def total(self) -> float:
        """Return the seconds of all."""
        return sum(self.seconds)

    def timed(self, run: Callable[..., Manifest]) -> Callable[..., Manifest]:
        """Return a function that notes how long the original takes."""

        def noting(*arguments: Any, **options: Any) -> Manifest:  # noqa: ANN401 - as it has them
            began = time.process_time()
            try:
                return run(*arguments, **options)
            finally:
                self.seconds.append(time.process_time() - began)

        return noting


COMMITS = Commits()


def main() -> None:
    """Commit documents that were read beforehand, and print what that costs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=2000)
    parser.add_argument("--store", default="")
    options = parser.parse_args()
    generator = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        docs = folder / "docs"
        docs.mkdir()
        for number in range(options.documents):
            words = generator.choice(WORDS, (PASSAGES, 75))
            text = "\n\n".join(f"Start {number} {' '.join(row)}." for row in words)
            (docs / f"{number}.txt").write_text(text)
        backend = backend_at(options.store or str(folder / "store"), folder / "data")
        workers = Canned()
        Transactions.run = COMMITS.timed(Transactions.run)  # type: ignore[method-assign]

        def distribute(run: Ingestion, files: Sequence[SourceFile]) -> None:
            Distribution(run, workers).process(files)

        began, wall = time.process_time(), time.monotonic()
        with backend.open_writer(lambda _: None, None) as store, store.writing():
            store.claim_model("random", "random")
            ingest([docs], store, RandomEncoder(), Reporter(), distribute=distribute)
        seconds = time.process_time() - began - workers.waited
        committing = COMMITS.total()
    print(
        f"{workers.passages:,} passages: {seconds:.1f} s of processor time of the driver, "
        f"{workers.passages / seconds:,.0f} passages a second; {committing:.1f} s of it in "
        f"{len(COMMITS.seconds)} transactions; "
        f"{time.monotonic() - wall:.0f} s with the workers' part"
    )


if __name__ == "__main__":
    main()
