"""Hand-written fakes of the models and the reporter, and builders of documents and readings."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import regex
from numpy.typing import NDArray

from index.document import Chunk, Document, SourceBytes, TextRange
from index.ingestion.report import Outcome, Reporter
from index.search.bm25 import analyse
from index.search.fusion import Hit
from index.store.snapshot import DocumentInfo
from index.text.markdown import markdown_structure
from index.text.plain_text import plain_structure
from index.text.structure import Structure
from qa.answering.reading.reader import Candidate, Reading
from qa.answering.reading.reader_model import Window
from qa.answering.reading.span_decoding import log_normaliser
from qa.answering.retrieval.retriever import RetrievedChunk

DIMENSION = 32
_TOKEN = regex.compile(r"\w+|[^\w\s]")


@dataclass
class FakeEncoder:
    """Encoder whose tokens are words and signs.

    A text's vector is the normalised sum of its words' random vectors, so that texts which share
    words are near.
    """

    passage_budget: int = 40
    model: str = "fake"
    embedded: list[str] = field(default_factory=list)

    def token_spans(self, texts: Sequence[str]) -> list[list[TextRange]]:
        return [[match.span() for match in _TOKEN.finditer(text)] for text in texts]

    def encode_passages(
        self, texts: Sequence[str], *, on_batch: Callable[[int], None] = lambda _: None
    ) -> NDArray[np.float32]:
        self.embedded.extend(texts)
        on_batch(len(texts))
        return self.encode_queries(texts)

    def encode_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return (
            np.stack([_vector(text) for text in texts])
            if texts
            else np.zeros((0, DIMENSION), dtype=np.float32)
        )

    def vector_key(self, text: str) -> bytes:
        return hashlib.sha256(f"{self.model}\0{text}".encode()).digest()


def _vector(text: str) -> NDArray[np.float32]:
    words = [match.group().casefold() for match in _TOKEN.finditer(text)] or [""]
    seeds = [int.from_bytes(hashlib.sha256(word.encode()).digest()[:8], "big") for word in words]
    total = np.sum(
        [np.random.default_rng(seed).standard_normal(DIMENSION) for seed in seeds], axis=0
    )
    return np.asarray(total / np.linalg.norm(total), dtype=np.float32)


@dataclass
class RecordingReporter(Reporter):
    """Reporter that records its calls."""

    files: int = 0
    outcomes: list[Outcome] = field(default_factory=list)
    passages: int = 0

    def on_planned(self, files: int, size: int = 0) -> None:  # noqa: ARG002 - not recorded
        self.files += files

    def on_file(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)

    def on_embedded(self, passages: int) -> None:
        self.passages += passages


def plain_document(text: str, name: str = "a.txt") -> Document:
    """Return a plain text document as `index.parsing.loader.load` makes it of a UTF-8 file."""
    return _document(text, name, plain_structure(text))


def markdown_document(text: str, name: str = "a.md") -> Document:
    """Return a Markdown document as `index.parsing.loader.load` makes it of a UTF-8 file."""
    return _document(text, name, markdown_structure(text))


def _document(text: str, name: str, structure: Structure) -> Document:
    data = text.encode()
    source = SourceBytes(hashlib.sha256(data).hexdigest(), len(data), "utf-8", 0, ())
    identity = hashlib.sha256(name.encode()).hexdigest()[:16]
    return Document(
        identity,
        name,
        structure.title or name,
        structure.title is not None,
        text,
        structure.blocks,
        source,
        "en",
    )


@dataclass
class SharedWordsReader:
    """Reader that offers every sentence of every passage, scored by the words it shares.

    A sentence with all of a question's words is likely, one with none is not.
    """

    fingerprint: str = "fake reader"

    def read(
        self, question: str, passages: Sequence[RetrievedChunk], *, seconds: float | None = None
    ) -> Reading:
        del seconds
        wanted = set(analyse(question))
        places: dict[tuple[str, TextRange], Candidate] = {}
        for passage in passages:
            for sentence in passage.chunk.sentences:
                start, end = (at - passage.chunk.start for at in sentence)
                shared = len(wanted & set(analyse(passage.chunk.text[start:end]))) / max(
                    len(wanted), 1
                )
                places.setdefault(
                    (passage.document.id, sentence),
                    Candidate(passage, *sentence, sentence, 8 * shared - 4),
                )
        return reading_of(places.values(), read=len(passages))


@dataclass
class FixedReader:
    """Reader that finds fixed quotes with their scores in the passages that hold them.

    It reads at most `reads` passages.
    """

    found: Mapping[str, float]
    reads: int = 100
    fingerprint: str = "fixed"
    seconds: float | None = None

    def read(
        self, question: str, passages: Sequence[RetrievedChunk], *, seconds: float | None = None
    ) -> Reading:
        del question
        self.seconds = seconds
        part = passages[: self.reads]
        held = [
            (passage, quote, score)
            for quote, score in self.found.items()
            for passage in part
            if quote in passage.chunk.text
        ]
        return reading_of(
            [candidate_of(*each) for each in held], read=len(part), given=len(passages)
        )


def reading_of(
    candidates: Iterable[Candidate], *, read: int | None = None, given: int | None = None
) -> Reading:
    """Return a reading that offers these candidates, best first.

    By default it has read as many passages as the candidates come from, and was given no others.
    """
    ranked = sorted(candidates, key=lambda each: -each.score)
    passages = len({id(each.passage) for each in ranked}) if read is None else read
    return Reading(
        tuple(ranked),
        passages,
        passages if given is None else given,
        log_normaliser(each.score for each in ranked),
    )


Logits = Callable[[str], tuple[float, float]]
"""Function from a word or sign to its start and its end logit."""


def marked(*words: str, start: float = 4.0, end: float = 4.0, rest: float = -4.0) -> Logits:
    """Return logits of `start` at the first of some words, `end` at the last, `rest` elsewhere."""
    return lambda token: (start if token == words[0] else rest, end if token == words[-1] else rest)


def hashed(token: str) -> tuple[float, float]:
    """Return logits from -4 to 4 that look random."""
    first, last = hashlib.sha256(token.encode()).digest()[:2]
    return first / 32 - 4, last / 32 - 4


@dataclass
class FakeSpanModel:
    """Span model whose tokens are words and signs, with logits by their text.

    A window has at most `window` tokens; half of them are in two windows.
    """

    logits: Logits = hashed
    window: int = 40
    asked: list[tuple[str, int]] = field(default_factory=list)

    def windows(self, question: str, texts: Sequence[str]) -> list[Window]:
        self.asked.append((question, len(texts)))
        return [window for at, text in enumerate(texts) for window in self._windows(at, text)]

    def _windows(self, at: int, text: str) -> list[Window]:
        spans = [match.span() for match in _TOKEN.finditer(text)]
        starts = range(0, max(len(spans) - self.window // 2, 1), self.window // 2)
        return [self._window(at, text, spans[first : first + self.window]) for first in starts]

    def _window(self, at: int, text: str, spans: Sequence[TextRange]) -> Window:
        logits = np.array(
            [self.logits(text[start:end]) for start, end in spans], dtype=np.float32
        ).reshape(-1, 2)
        return Window(
            at, np.array(spans, dtype=np.int64).reshape(-1, 2), logits[:, 0], logits[:, 1]
        )


def passage_of(
    text: str,
    sentences: Sequence[str] = (),
    *,
    document: str = "a",
    at: int = 0,
    rank: int = 1,
    headings: tuple[str, ...] = (),
    hit: Mapping[str, float | None] | None = None,
) -> RetrievedChunk:
    """Return a passage of a text at a place of its document.

    Its sentences are given in order, or are the whole text.
    """
    spans, last = [], 0
    for sentence in sentences or [text]:
        start = text.index(sentence, last)
        last = start + len(sentence)
        spans.append((at + start, at + last))
    info = DocumentInfo(
        document, f"{document}.txt", document.upper(), "00", 1, "utf-8", "en", "current", "", 1, 1
    )
    scores: dict[str, Any] = {
        "score": 0.5,
        "dense_score": 0.5,
        "bm25_score": 1.0,
        "dense_rank": 1,
        "bm25_rank": 1,
        **(hit or {}),
    }
    return RetrievedChunk(
        Chunk(document, at, at + len(text), text, tuple(spans), headings),
        info,
        Hit(0, **scores),
        rank,
    )


def candidate_of(passage: RetrievedChunk, quote: str, score: float) -> Candidate:
    """Return a candidate that quotes the first occurrence in a passage, with its sentence."""
    start = passage.chunk.start + passage.chunk.text.index(quote)
    sentence = next(
        (first, last) for first, last in passage.chunk.sentences if first <= start < last
    )
    return Candidate(passage, start, start + len(quote), sentence, score)
