"""Reading: question and passages -> candidate spans in document offsets, best first.

`SentenceReader` quotes whole sentences; it stands behind the same `Reader` interface as a model that finds exact spans.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from index.document import Span
from index.lexical import analyse
from qa.retriever import Passage


@dataclass(frozen=True, slots=True)
class Candidate:
    """A span that may be the answer: [start, end) in the text of the passage's document, the sentence around it, and the probability
    that it is right.
    """

    passage: Passage
    start: int
    end: int
    sentence: Span
    confidence: float

    @property
    def text(self) -> str:
        """The quoted characters."""
        chunk = self.passage.chunk
        return chunk.text[self.start - chunk.start : self.end - chunk.start]


class Reader(Protocol):
    """Finds candidate answers in passages."""

    @property
    def threshold(self) -> float:
        """The confidence below which this reader's best candidate is no answer."""

    def read(self, question: str, passages: Sequence[Passage]) -> list[Candidate]:
        """Candidates of all passages together, best first; of equal ones the first in (passage, start) order first."""


class SentenceEncoder(Protocol):
    """What sentence reading must know of the encoder."""

    def encode_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """float32 (len(texts), dimension), unit rows."""

    def encode_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """float32 (len(texts), dimension), unit rows."""


class TermWeights(Protocol):
    """How much a term says."""

    def term_weight(self, term: str) -> float:
        """Inverse document frequency; that of a term in no passage is the largest."""


@dataclass(frozen=True, slots=True)
class SentenceWeights:
    """A logistic model of "this sentence holds the answer": bias, then one weight a feature in the order of `SentenceReader.features`."""

    bias: float
    weights: tuple[float, ...]
    threshold: float


FITTED = SentenceWeights(bias=-11.314, weights=(6.046, 2.878, 2.470, 2.918), threshold=0.11)
"""Fitted on the held-out training split by `python benchmarks/choose_constants.py --data DIR`."""


class SentenceReader:
    """Scores every sentence of the passages by its similarity to the question and the question's terms that it holds."""

    def __init__(self, encoder: SentenceEncoder, terms: TermWeights, fitted: SentenceWeights = FITTED) -> None:
        self._encoder = encoder
        self._terms = terms
        self._fitted = fitted

    @property
    def threshold(self) -> float:
        """Chosen on the held-out training split, with the weights."""
        return self._fitted.threshold

    def read(self, question: str, passages: Sequence[Passage]) -> list[Candidate]:
        """One candidate a sentence; a sentence that overlapping passages share counts once."""
        places = {
            (passage.chunk.document_id, sentence): passage
            for passage in reversed(passages)
            for sentence in reversed(passage.chunk.sentences)
        }
        found = [(passage, sentence) for (_, sentence), passage in reversed(places.items())]
        if not found:
            return []
        logits = self.features(question, found) @ np.array(self._fitted.weights) + self._fitted.bias
        order = np.argsort(-logits, kind="stable").tolist()
        confidences = 1 / (1 + np.exp(-logits))
        return [_candidate(passage, sentence, float(confidences[at])) for at in order for passage, sentence in [found[at]]]

    def features(self, question: str, sentences: Sequence[tuple[Passage, Span]]) -> NDArray[np.float64]:
        """float64 (n, 4): cosine of sentence and question; idf-weighted share of the question's terms in the sentence, and in its passage;
        the passage's cosine.
        """
        texts = [_text(passage, span) for passage, span in sentences]
        query = self._encoder.encode_queries([question])[0]
        cosine = self._encoder.encode_passages(texts) @ query
        wanted = Counter(analyse(question))
        rows = [
            (
                cosine[row],
                self._share(wanted, texts[row]),
                self._share(wanted, passage.chunk.embedded_text),
                passage.hit.dense_score,
            )
            for row, (passage, _) in enumerate(sentences)
        ]
        return np.array(rows, dtype=np.float64).reshape(len(sentences), 4)

    def _share(self, wanted: Counter[str], text: str) -> float:
        present = set(analyse(text))
        weights = {term: self._terms.term_weight(term) for term in wanted}
        total = sum(weights.values())
        return sum(weight for term, weight in weights.items() if term in present) / total if total else 0.0


def _candidate(passage: Passage, sentence: Span, confidence: float) -> Candidate:
    start, end = sentence
    return Candidate(passage, start, end, sentence, confidence)


def _text(passage: Passage, span: Span) -> str:
    start, end = span
    return passage.chunk.text[start - passage.chunk.start : end - passage.chunk.start]
