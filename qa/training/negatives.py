"""Hard negatives for stage 2.

They are the passages that our own retriever ranks high for a question and that do not hold its
answer. The search needs the whole product (openvino, faiss); its result does not, and can be copied
to a machine that has neither.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice

import numpy as np

from index.ingestion.report import Reporter
from qa.answering.retrieval.retriever import HybridRetriever
from qa.bootstrap import load_encoder
from qa.evaluation.metrics import normalised
from qa.evaluation.pool import PrecomputedQueries, open_pool, pool_id
from qa.settings import Settings
from qa.training.corpus import key_of
from qa.training.data import Example
from qa.training.units import Negatives

Search = Callable[[str], Iterable[str]]
"""Function from a question to passages of the pool, best first."""
REPORT_SECONDS = 10.0


def hard_negatives(
    examples: Sequence[Example], search: Search, articles: dict[str, str], k: int
) -> Negatives:
    """Return the k best passages of each question that are not its own and do not hold its answer.

    Passages and answers are compared after the normalisation of SQuAD's script. Negatives of an
    unanswerable question come from other articles, since a neighbour in its own might answer it
    after all. `articles` names each passage's article. A row with fewer than k is filled with 0.
    """
    texts = {text: f" {normalised(text)} " for text in articles}
    rows = []
    for example in examples:
        passages = _without_answer(example, search(example.question), articles, texts)
        keys = [key_of(text) for text in islice(passages, k)]
        rows.append(keys + [0] * (k - len(keys)))
    questions = np.array([key_of(example.id) for example in examples], dtype=np.uint64)
    return Negatives(questions, np.array(rows, dtype=np.uint64).reshape(len(rows), k))


def _without_answer(
    example: Example, passages: Iterable[str], articles: dict[str, str], texts: dict[str, str]
) -> Iterator[str]:
    """Yield the passages that are not the example's own and do not hold its answer."""
    # The spaces around answers and texts keep an answer from matching inside a word.
    answers = [f" {normalised(answer)} " for answer in example.answers if normalised(answer)]
    for text in passages:
        is_other = text != example.passage
        is_allowed = bool(example.spans) or articles[text] != example.title
        holds_answer = any(answer in texts[text] for answer in answers)
        if is_other and is_allowed and not holds_answer:
            yield text


def search_negatives(
    examples: Sequence[Example], pool: Sequence[Example], k: int, say: Callable[[str], None]
) -> Negatives:
    """Return the hard negatives of `examples` among the passages of `pool`.

    The passages are embedded first; the product caches their vectors.
    """
    settings = Settings.load(os.environ)
    encoder = load_encoder(settings)
    articles = {example.passage: example.title for example in pool}
    snapshot = open_pool(list(articles), settings, encoder, ProgressReporter(say))
    say(f"encoding {len(examples):,} questions")
    retriever = HybridRetriever(
        snapshot,
        PrecomputedQueries(encoder, [example.question for example in examples]),
        cosine_floor=encoder.card.cosine_floor,
    )
    text_of = {pool_id(text): text for text in articles}
    counter = ProgressReporter(say)
    counter.on_planned(len(examples))

    def search(question: str) -> Iterable[str]:
        counter.count("questions searched")
        return dict.fromkeys(
            text_of[snapshot.document_id(hit.row)] for hit in retriever.hits(question)
        )

    return hard_negatives(examples, search, articles, k)


class ProgressReporter(Reporter):
    """Progress messages, one every ten seconds at most."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say, self._total, self._done, self._said = say, 0, 0, time.monotonic()

    def on_planned(self, files: int, size: int = 0) -> None:  # noqa: ARG002 - items have no size
        """Set how many items are to be done."""
        self._total = files

    def on_embedded(self, passages: int) -> None:
        """Count passages that were embedded."""
        self.count("passages embedded", passages)

    def count(self, what: str, more: int = 1) -> None:
        """Count items that are done, and report if the last message is old enough."""
        self._done += more
        if time.monotonic() - self._said >= REPORT_SECONDS:
            self._said = time.monotonic()
            self._say(f"{self._done:,} of {self._total:,} {what}")
