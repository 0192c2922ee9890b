"""Hand-written stand-ins for the model and the terminal, and small builders of documents."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import regex
from numpy.typing import NDArray

from index.document import Document, SourceBytes, Span
from index.ingest import Outcome
from index.structure import Structure, markdown_structure, plain_structure

DIMENSION = 32
_TOKEN = regex.compile(r"\w+|[^\w\s]")


@dataclass
class FakeEncoder:
    """Tokens are words and signs; a text's vector is the normalised sum of its words' random vectors, so that texts which share words are near."""

    passage_budget: int = 40
    model: str = "fake"
    embedded: list[str] = field(default_factory=list)

    def token_spans(self, texts: Sequence[str]) -> list[list[Span]]:
        return [[match.span() for match in _TOKEN.finditer(text)] for text in texts]

    def encode_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.embedded.extend(texts)
        return self.encode_queries(texts)

    def encode_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return np.stack([_vector(text) for text in texts]) if texts else np.zeros((0, DIMENSION), dtype=np.float32)

    def vector_key(self, text: str) -> bytes:
        return hashlib.sha256(f"{self.model}\0{text}".encode()).digest()


def _vector(text: str) -> NDArray[np.float32]:
    words = [match.group().casefold() for match in _TOKEN.finditer(text)] or [""]
    seeds = [int.from_bytes(hashlib.sha256(word.encode()).digest()[:8], "big") for word in words]
    total = np.sum([np.random.default_rng(seed).standard_normal(DIMENSION) for seed in seeds], axis=0)
    return np.asarray(total / np.linalg.norm(total), dtype=np.float32)


@dataclass
class RecordingReporter:
    """Remembers what it is told."""

    files: int = 0
    outcomes: list[Outcome] = field(default_factory=list)
    passages: int = 0

    def planned(self, files: int) -> None:
        self.files += files

    def finished(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)

    def embedded(self, passages: int) -> None:
        self.passages += passages


def plain_document(text: str, name: str = "a.txt") -> Document:
    """A plain text document as `index.loading.load` would make it of a UTF-8 file."""
    return _document(text, name, plain_structure(text))


def markdown_document(text: str, name: str = "a.md") -> Document:
    """A Markdown document as `index.loading.load` would make it of a UTF-8 file."""
    return _document(text, name, markdown_structure(text))


def _document(text: str, name: str, structure: Structure) -> Document:
    data = text.encode()
    source = SourceBytes(hashlib.sha256(data).hexdigest(), len(data), "utf-8", 0, ())
    identity = hashlib.sha256(name.encode()).hexdigest()[:16]
    return Document(identity, name, structure.title or name, structure.title is not None, text, structure.blocks, source, "en")
