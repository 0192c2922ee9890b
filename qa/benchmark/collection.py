"""Collection of any size, of which the costs are measured.

Its passages are put together of sentences of real texts, or of random words as common as those of
a language (Zipf 1949). The vectors are random unit vectors: searching them takes as long, and no
million passages have to be encoded. Every document is a file of its own, as a document whose file
is gone does not answer.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.document import Chunk, Document, SourceBytes
from index.errors import LoadingError
from index.ingestion.ingest import RECIPE
from index.parsing.loader import load
from index.search.bm25 import analyse
from index.sources.discovery import discover
from index.store.contract import IndexedChunk
from index.store.store import Store
from index.text.sentences import sentence_spans

VOCABULARY = 60_000
SENTENCES, WORDS = 5, 18
"""Sentences of a passage and words of a random sentence: those of encyclopaedic text."""
POOL = 20_000
"""Sentences that the passages are put together of."""
SHORTEST, LONGEST = 40, 400
"""Characters of the shortest and the longest sentence that is taken from a text."""
PER_DOCUMENT = 10
PER_FOLDER = 1000
_LETTERS = "etaoinshrdlucmfwypvbgk"


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence with its index terms."""

    text: str
    terms: Sequence[str]


def sentences_of(paths: Sequence[Path]) -> list[Sentence]:
    """Return the first sentences of the files at some paths."""
    found: list[Sentence] = []
    for text in _texts(paths):
        for start, end in sentence_spans(text):
            sentence = " ".join(text[start:end].split())
            if SHORTEST <= len(sentence) <= LONGEST:
                found.append(Sentence(sentence, analyse(sentence)))
            if len(found) == POOL:
                return found
    return found


def random_sentences(seed: int, count: int = POOL) -> list[Sentence]:
    """Return sentences of random words, common ones more often."""
    chance = random.Random(seed)
    sizes = [2 + int(chance.expovariate(0.2)) for _ in range(VOCABULARY)]
    words = ["".join(chance.choices(_LETTERS, k=size)) for size in sizes]
    weights = list(np.cumsum(1 / np.arange(1, VOCABULARY + 1)))
    found = []
    for _ in range(count):
        size = chance.randint(WORDS // 2, WORDS * 3 // 2)
        drawn = chance.choices(words, cum_weights=weights, k=size)
        text = f"{' '.join(drawn).capitalize()}."
        found.append(Sentence(text, analyse(text)))
    return found


class Writer:
    """Writer of documents into a store, as indexing writes them."""

    def __init__(
        self, store: Store, folder: Path, pool: Sequence[Sentence], dimension: int, seed: int
    ) -> None:
        """Write the files into `folder`, and their passages with vectors of a dimension."""
        self._store, self._folder, self._pool = store, folder, pool
        self._dimension = dimension
        self._random = random.Random(seed)
        self._vectors = np.random.default_rng(seed)

    def passage(self) -> Sentence:
        """Return a new passage with its terms."""
        drawn = self._random.choices(self._pool, k=SENTENCES)
        terms = [term for sentence in drawn for term in sentence.terms]
        return Sentence(" ".join(sentence.text for sentence in drawn), terms)

    def question(self) -> str:
        """Return a question in the words of a sentence."""
        words = self._random.choice(self._pool).text.rstrip(".").split()
        return f"What of {' '.join(words[:9])}?"

    def put(self, name: str) -> str:
        """Store a new document, or another version of it; return its id."""
        # Drawn into a mapping: of equal passages one is enough.
        passages: Mapping[str, Sentence] = {
            each.text: each for each in (self.passage() for _ in range(PER_DOCUMENT))
        }
        text = "\n\n".join(passages)
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        identity, data = _digest(name).hex()[:16], text.encode()
        source = SourceBytes(hashlib.sha256(data).hexdigest(), len(data), "utf-8", 0, ())
        document = Document(identity, name, name, False, text, (), source, "en")
        chunks, start = [], 0
        for passage in passages.values():
            end = start + len(passage.text)
            chunk = Chunk(identity, start, end, passage.text, ((start, end),))
            chunks.append(IndexedChunk(chunk, passage.terms, _digest(passage.text)))
            start = end + 2
        vectors = dict(zip((each.vector_key for each in chunks), self._rows(), strict=False))
        self._store.put(document, path, chunks, vectors, RECIPE)
        return identity

    def _rows(self) -> NDArray[np.float32]:
        rows = self._vectors.standard_normal((PER_DOCUMENT, self._dimension), dtype=np.float32)
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


def fill(store: Store, writer: Writer, before: int, size: int) -> None:
    """Add documents to a store of `before` passages until it has `size`."""
    with store.writing():
        for number in range(before // PER_DOCUMENT, size // PER_DOCUMENT):
            writer.put(f"{number // PER_FOLDER}/{number}.txt")


def _texts(paths: Sequence[Path]) -> Iterator[str]:
    """Yield the texts of the files at some paths that can be read."""
    for root in discover(paths):
        for path in root.files:
            try:
                document = load(path, root.base)
            except LoadingError:
                continue
            if document is not None:
                yield document.text


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
