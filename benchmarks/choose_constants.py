"""Choose the fusion weight on the held-out training split.

    python benchmarks/choose_constants.py --data DIR [--questions N]

Prints recall and MRR of each weight, the best last. DIR holds reader/squad2-train-partial.json.gz.
Passages come from the pool of all its paragraphs, questions from the tenth of its articles that no
training sees. Takes about ten minutes the first time on two cores.
"""

from __future__ import annotations

import argparse
import os
import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.search.fusion import fuse
from index.store.snapshot import SqliteSnapshot
from qa.answering.retrieval.retriever import HybridRetriever
from qa.bootstrap import load_encoder
from qa.evaluation.pool import PrecomputedQueries, open_pool, pool_id
from qa.evaluation.squad import Gold, held_out, paragraphs, read_articles
from qa.interfaces.cli.options import Progress
from qa.settings import Settings

WEIGHTS = np.arange(0, 1.01, 0.05)
UNRANKED = 10**6
"""Rank of a paragraph that was not retrieved, far behind all others."""


def main() -> None:
    """Parse the arguments, choose, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder that holds reader/")
    parser.add_argument("--questions", type=int, default=3000)
    arguments = parser.parse_args()
    rng = random.Random(0)
    articles = read_articles(arguments.data / "reader" / "squad2-train-partial.json.gz")
    split = held_out(articles)
    golds = [gold for article in split for gold in article.questions]
    golds = rng.sample(golds, min(arguments.questions, len(golds)))
    settings = Settings.load(os.environ)
    encoder = load_encoder(settings)
    snapshot = open_pool(paragraphs(articles), settings, encoder, Progress())
    retriever = HybridRetriever(
        snapshot, PrecomputedQueries(encoder, [gold.question for gold in golds])
    )
    choose_fusion([gold for gold in golds if gold.answers], snapshot, retriever)


def choose_fusion(
    golds: Sequence[Gold], snapshot: SqliteSnapshot, retriever: HybridRetriever
) -> None:
    """Print recall@1/5/20 and MRR@10 of every weight, the best MRR@10 last."""
    ranks = ranks_by_weight(golds, snapshot, retriever)
    best = max(ranks, key=lambda weight: _mrr(ranks[weight]))
    for weight in [*ranks, best]:
        places = np.array(ranks[weight])
        recalls = " ".join(f"R@{k} {np.mean(places <= k):.4f}" for k in (1, 5, 20))
        print(f"dense weight {weight:.2f}: {recalls} RR@10 {_mrr(ranks[weight]):.4f}")


def ranks_by_weight(
    golds: Sequence[Gold], snapshot: SqliteSnapshot, retriever: HybridRetriever
) -> dict[float, list[int]]:
    """Return the rank of the right paragraph for each question, from 1, by weight."""
    ranks: dict[float, list[int]] = {float(weight): [] for weight in WEIGHTS}
    for gold in golds:
        # The search is the expensive part: once a question, whatever the number of weights.
        hits = retriever.hits(gold.question)
        dense = np.array([hit.dense_score for hit in hits], dtype=np.float32)
        bm25 = np.array([hit.bm25_score for hit in hits])
        right_id = pool_id(gold.context or "")
        right = np.array([snapshot.document_id(hit.row) == right_id for hit in hits])
        for weight, places in ranks.items():
            scores = fuse(dense, bm25, dense_weight=weight)
            places.append(_rank(scores, right))
    return ranks


def _rank(scores: NDArray[np.float64], right: NDArray[np.bool_]) -> int:
    """Return the rank of the best right hit, or `UNRANKED` if there is none."""
    if not right.any():
        return UNRANKED
    return int((scores > scores[right].max()).sum()) + 1


def _mrr(ranks: Sequence[int]) -> float:
    places = np.array(ranks, dtype=np.float64)
    return float(np.mean(np.where(places <= 10, 1 / places, 0)))


if __name__ == "__main__":
    main()
