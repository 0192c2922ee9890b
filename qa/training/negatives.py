"""Hard negatives for stage 2: the passages that our own retriever ranks high for a question and
that do not hold its answer.

Needs the whole product (openvino, faiss); what it writes does not, and can be carried to a machine
that has neither.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from index.ingestion.report import Outcome
from qa.answering.retriever import HybridRetriever
from qa.bootstrap import load_encoder
from qa.evaluation.metrics import normalised
from qa.evaluation.pool import PrecomputedQueries, open_pool, pool_id
from qa.settings import Settings
from qa.training.corpus import key_of
from qa.training.data import Example
from qa.training.units import Negatives

Search = Callable[[str], Iterable[str]]
"""A question -> passages of the pool, best first."""
REPORT_SECONDS = 10.0


def hard_negatives(
    examples: Sequence[Example], search: Search, articles: dict[str, str], k: int
) -> Negatives:
    """The k best passages of each question that are not its own and do not hold its answer, both
    normalised as SQuAD's script does.

    For an unanswerable question they are of other articles, whose neighbours might answer it after
    all. `articles` names each passage's article.
    """
    texts = {text: f" {normalised(text)} " for text in articles}
    rows = []
    for example in examples:
        answers = [f" {normalised(answer)} " for answer in example.answers if normalised(answer)]
        found: list[int] = []
        for text in search(example.question):
            away = text != example.passage and (
                bool(example.spans) or articles[text] != example.title
            )
            if away and not any(answer in texts[text] for answer in answers):
                found.append(key_of(text))
            if len(found) == k:
                break
        rows.append(found + [0] * (k - len(found)))
    questions = np.array([key_of(example.id) for example in examples], dtype=np.uint64)
    return Negatives(questions, np.array(rows, dtype=np.uint64).reshape(len(rows), k))


def build(
    examples: Sequence[Example], pool: Sequence[Example], k: int, say: Callable[[str], None]
) -> Negatives:
    """Embed the passages of `pool` (cached by the product), search all questions of `examples`."""
    settings = Settings.from_environment(os.environ)
    encoder = load_encoder(settings)
    articles = {example.passage: example.title for example in pool}
    snapshot = open_pool(list(articles), settings, encoder, Counting(say))
    say(f"encoding {len(examples):,} questions")
    retriever = HybridRetriever(
        snapshot, PrecomputedQueries(encoder, [example.question for example in examples])
    )
    text_of = {pool_id(text): text for text in articles}
    counter = Counting(say)
    counter.on_planned(len(examples))

    def search(question: str) -> Iterable[str]:
        counter.count("questions searched")
        return dict.fromkeys(
            text_of[snapshot.document_id(hit.row)] for hit in retriever.hits(question)
        )

    return hard_negatives(examples, search, articles, k)


class Counting:
    """Says how far the work is, at most every ten seconds."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say, self._total, self._done, self._said = say, 0, 0, time.monotonic()

    def on_planned(self, files: int) -> None:
        """So many are to be done."""
        self._total = files

    def on_file(self, outcome: Outcome) -> None:
        """One passage is stored."""

    def on_embedded(self, passages: int) -> None:
        """So many more passages are embedded."""
        self.count("passages embedded", passages)

    def count(self, what: str, more: int = 1) -> None:
        """So many more are done."""
        self._done += more
        if time.monotonic() - self._said >= REPORT_SECONDS:
            self._said = time.monotonic()
            self._say(f"{self._done:,} of {self._total:,} {what}")
