"""Choose the fusion weight and fit the sentence reader on the held-out training split; prints the constants for the source.

    python benchmarks/choose_constants.py --data DIR [--questions N]

DIR holds reader/squad2-train-partial.json.gz. Passages come from the pool of all its paragraphs, questions from the tenth of its
articles that no training sees. A third of the reader's questions are
answerable, a third have the article of their answer taken out of the passages, a third are SQuAD 2.0's unanswerable ones. Takes about
ten minutes the first time on two cores.
"""

from __future__ import annotations

import argparse
import os
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from index.document import Span
from index.ranking import fuse
from index.snapshot import Snapshot
from qa.bootstrap import load_encoder
from qa.evaluation.metrics import normalised
from qa.evaluation.pool import PrecomputedQueries, open_pool, pool_id
from qa.evaluation.squad import Gold, held_out, paragraphs, read_articles
from qa.interfaces.cli.common import Progress
from qa.reader import SentenceReader
from qa.retriever import HybridRetriever, Passage
from qa.settings import DEFAULT_PASSAGES, Settings

WEIGHTS = np.arange(0, 1.01, 0.05)


@dataclass(frozen=True)
class Sentences:
    """The sentences that one question's passages offer: features (n, 4) and whether each holds the answer (n,)."""

    features: NDArray[np.float64]
    holds: NDArray[np.bool_]
    answerable: bool


def main() -> None:
    """Parse the arguments, choose, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder that holds reader/")
    parser.add_argument("--questions", type=int, default=3000)
    arguments = parser.parse_args()
    rng = random.Random(0)
    articles = read_articles(arguments.data / "reader" / "squad2-train-partial.json.gz")
    split = held_out(articles)
    golds = [gold for article in split for gold in article.questions]
    golds = rng.sample(golds, min(arguments.questions, len(golds)))
    settings = Settings.from_environment(os.environ)
    encoder = load_encoder(settings)
    snapshot = open_pool(paragraphs(articles), settings, encoder, Progress())
    unanswerable = [gold for article in split for gold in article.questions if not gold.answers]
    queries = PrecomputedQueries(encoder, [gold.question for gold in [*golds, *unanswerable]])
    retriever = HybridRetriever(snapshot, queries)
    choose_fusion([gold for gold in golds if gold.answers], snapshot, retriever)
    article_of = {pool_id(text): article.title for article in articles for text in article.paragraphs}
    third = arguments.questions // 3
    answerable = [gold for gold in golds if gold.answers]
    reader = SentenceReader(queries, snapshot.lexical)
    rows = [offered(gold, retriever, reader, set()) for gold in answerable[:third]]
    for gold in answerable[third : 2 * third]:
        title = article_of[pool_id(gold.context or "")]
        without = {document for document, name in article_of.items() if name == title}
        rows.append(offered(gold, retriever, reader, without))
    rows += [offered(gold, retriever, reader, set()) for gold in rng.sample(unanswerable, min(third, len(unanswerable)))]
    fit_reader([row for row in rows if len(row.features)], rng)


def choose_fusion(golds: Sequence[Gold], snapshot: Snapshot, retriever: HybridRetriever) -> None:
    """Print recall@1/5/20 and MRR@10 of every weight, the best MRR@10 last."""
    ranks: dict[float, list[int]] = {float(weight): [] for weight in WEIGHTS}
    for gold in golds:
        hits = retriever.hits(gold.question)
        dense = np.array([hit.dense_score for hit in hits], dtype=np.float32)
        bm25 = np.array([hit.bm25_score for hit in hits])
        right = np.array([snapshot.document_id(hit.row) == pool_id(gold.context or "") for hit in hits])
        for weight, found in ranks.items():
            scores = fuse(dense, bm25, dense_weight=weight)
            found.append(int((scores > scores[right].max()).sum()) + 1 if right.any() else 10**6)
    best = max(ranks, key=lambda weight: _mrr(ranks[weight]))
    for weight in [*ranks, best]:
        found = np.array(ranks[weight])
        recalls = " ".join(f"R@{k} {np.mean(found <= k):.4f}" for k in (1, 5, 20))
        print(f"dense weight {weight:.2f}: {recalls} RR@10 {_mrr(ranks[weight]):.4f}")


def _mrr(ranks: Sequence[int]) -> float:
    found = np.array(ranks, dtype=np.float64)
    return float(np.mean(np.where(found <= 10, 1 / found, 0)))  # noqa: PLR2004 - MRR@10


def offered(gold: Gold, retriever: HybridRetriever, reader: SentenceReader, without: set[str]) -> Sentences:
    """The sentences of the passages that the question retrieves, those of the documents in `without` left out."""
    found = [
        passage
        for passage in retriever.retrieve(gold.question, 40 if without else DEFAULT_PASSAGES)
        if passage.document.id not in without
    ]
    places: list[tuple[Passage, Span]] = [
        (passage, span) for passage in found[:DEFAULT_PASSAGES] for span in passage.chunk.sentences
    ]
    holds = [_holds(gold, passage, span) for passage, span in places]
    features = reader.features(gold.question, places) if places else np.zeros((0, 4))
    return Sentences(features, np.array(holds, dtype=bool), bool(gold.answers) and not without)


def _holds(gold: Gold, passage: Passage, span: Span) -> bool:
    sentence = f" {normalised(passage.chunk.text[span[0] - passage.chunk.start : span[1] - passage.chunk.start])} "
    return passage.document.id == pool_id(gold.context or "") and any(
        f" {normalised(answer)} " in sentence for answer in gold.answers
    )


def fit_reader(rows: list[Sentences], rng: random.Random) -> None:
    """Fit on one half of the questions, choose the threshold on the other: the most right answers and right refusals, each kind
    weighing the same.
    """
    rng.shuffle(rows)
    half = len(rows) // 2
    model = LogisticRegression(max_iter=1000, C=100)
    model.fit(np.vstack([row.features for row in rows[:half]]), np.concatenate([row.holds for row in rows[:half]]))
    print(f"bias={model.intercept_[0]:.3f}, weights=({', '.join(f'{weight:.3f}' for weight in model.coef_[0])})")
    best = [
        (float(probability.max()), bool(row.holds[probability.argmax()]), row.answerable)
        for row in rows[half:]
        for probability in [model.predict_proba(row.features)[:, 1]]
    ]
    answerable = max(sum(kind for _, _, kind in best), 1)
    refusable = max(len(best) - answerable, 1)
    print(f"best sentence holds the answer: {sum(right for _, right, _ in best) / answerable:.3f} of {answerable} answerable")
    table = []
    for threshold in np.arange(0.02, 0.9, 0.01):
        right = sum(right and confidence >= threshold for confidence, right, kind in best if kind) / answerable
        refused = sum(confidence < threshold for confidence, _, kind in best if not kind) / refusable
        given = sum(confidence >= threshold for confidence, _, _ in best)
        precision = sum(right and confidence >= threshold for confidence, right, _ in best) / max(given, 1)
        table.append((right + refused, threshold, right, refused, precision))
    for total, threshold, right, refused, precision in [*table[::6], max(table)]:
        print(
            f"threshold {threshold:.2f}: answered right {right:.3f}, refused {refused:.3f}, precision {precision:.3f}, sum {total:.3f}"
        )


if __name__ == "__main__":
    main()
