"""Report of `qa eval retrieval`: recall@k and MRR@10 of BM25, dense and hybrid over a pool."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from index.ingestion.report import Reporter
from index.models.encoder import Encoder
from index.search.fusion import Hit
from qa.answering.retrieval.retriever import HybridRetriever
from qa.evaluation.pool import PrecomputedQueries, open_pool, pool_id
from qa.evaluation.squad import Gold, load_golds, paragraphs, read_articles
from qa.settings import Settings

MEASURES = ("R@1", "R@5", "R@20", "RR@10")
"""Names of measures in ir-measures.

With one right paragraph a question, R@k is the share of questions that have it among the first k.
"""


@dataclass(frozen=True, slots=True)
class RetrievalReport:
    """Figures of each retriever ("BM25", "dense", "hybrid"), shares in [0, 1] by measure name."""

    pool: int
    questions: int
    figures: dict[str, dict[str, float]]


def evaluate_retrieval(
    file: Path,
    distractors: Sequence[Path],
    settings: Settings,
    encoder: Encoder,
    reporter: Reporter,
    *,
    sample: int | None = None,
    seed: int = 0,
) -> RetrievalReport:
    """Search every answerable question of a SQuAD-format file, or a seeded sample.

    The pool consists of the file's paragraphs and those of `distractors`.
    """
    questions, articles = load_golds(file, sample, seed)
    others = [article for path in distractors for article in read_articles(path)]
    texts = paragraphs([*articles, *others])
    golds = [gold for gold in questions if gold.answers]
    snapshot = open_pool(texts, settings, encoder, reporter)
    retriever = HybridRetriever(
        snapshot,
        PrecomputedQueries(encoder, [gold.question for gold in golds]),
        cosine_floor=encoder.card.cosine_floor,
    )
    rows = snapshot.rows.tolist()
    document_of = dict(zip(rows, snapshot.documents_of(rows), strict=True))
    runs = _runs(golds, retriever, document_of)
    return RetrievalReport(
        len(texts), len(golds), {name: _figures(golds, run) for name, run in runs.items()}
    )


_SCORES: dict[str, Callable[[Hit], float | None]] = {
    "BM25": lambda hit: hit.bm25_score if hit.bm25_rank else None,
    "dense": lambda hit: hit.dense_score if hit.dense_rank else None,
    "hybrid": lambda hit: hit.score,
}


def _runs(
    golds: Sequence[Gold], retriever: HybridRetriever, document_of: Mapping[int, str]
) -> dict[str, dict[str, dict[str, float]]]:
    """Return the score of each document, by retriever and question id."""
    runs: dict[str, dict[str, dict[str, float]]] = {name: {} for name in _SCORES}
    for gold in golds:
        hits = retriever.hits(gold.question)
        for name, score_of in _SCORES.items():
            runs[name][gold.id] = _by_document(hits, score_of, document_of)
    return runs


def _by_document(
    hits: Sequence[Hit], score_of: Callable[[Hit], float | None], document_of: Mapping[int, str]
) -> dict[str, float]:
    best: dict[str, float] = {}
    for hit in hits:
        score = score_of(hit)
        if score is not None:
            document = document_of[hit.row]
            best[document] = max(score, best.get(document, score))
    return best


def _figures(golds: Sequence[Gold], run: dict[str, dict[str, float]]) -> dict[str, float]:
    import ir_measures

    qrels = {gold.id: {pool_id(gold.context or ""): 1} for gold in golds}
    measures = [ir_measures.parse_measure(name) for name in MEASURES]
    results = ir_measures.calc_aggregate(measures, qrels, run)
    return {
        name: round(float(results[measure]), 4)
        for name, measure in zip(MEASURES, measures, strict=True)
    }
