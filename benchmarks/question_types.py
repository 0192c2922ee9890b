"""Ask 120 questions checked by hand, and print how often the right sentence is cited, by type.

    python benchmarks/question_types.py --data DIR [--gold] [--cases]

The types are why, how, lists and yes/no. DIR holds reader/squad2-train-partial.json.gz; the pool is
all its paragraphs, the questions are about held-out articles only. question_types.jsonl beside this
file names a paragraph by its hash and the right sentences by their character ranges: of a list,
every sentence that holds an item. The why and how questions are the data set's own, the others were
written for this benchmark. --gold asks the question's own paragraph instead of the pool.

- cited: the best cited sentence of an answer is right.
- first: so is the best candidate, answered or refused.
- answered: not refused.
- precision, recall (lists only): of the sentences cited, a mean over the answered questions; of the
  right sentences, a mean over all.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from index.document import TextRange
from qa.answer import Answer, Citation
from qa.answering.pipeline import Pipeline
from qa.bootstrap import load_encoder, load_reader, pipeline_over
from qa.evaluation.pool import open_pool
from qa.evaluation.squad import Article, paragraphs, read_articles
from qa.interfaces.cli.options import Progress
from qa.settings import Settings

CASES = Path(__file__).with_name("question_types.jsonl")


@dataclass(frozen=True)
class Case:
    """One question, the id of its paragraph and the ranges of the right sentences there."""

    id: str
    kind: str
    question: str
    paragraph: str
    sentences: tuple[TextRange, ...]


@dataclass(frozen=True)
class Outcome:
    """Result of one question; `precision` is None for a refusal."""

    case: Case
    answered: bool
    first: bool
    precision: float | None
    recall: float
    quote: str

    @property
    def cited(self) -> bool:
        """True if the question was answered and the best cited sentence is right."""
        return self.answered and self.first


def main() -> None:
    """Parse the arguments, ask the questions and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder that holds reader/")
    parser.add_argument("--gold", action="store_true", help="ask only the question's own paragraph")
    parser.add_argument("--cases", action="store_true", help="print a line for every question")
    arguments = parser.parse_args()
    articles = read_articles(arguments.data / "reader" / "squad2-train-partial.json.gz")
    cases = read_cases(articles)
    pipeline = open_pipeline(articles)
    outcomes = [ask(pipeline, case, gold=arguments.gold) for case in cases]
    if arguments.cases:
        for outcome in outcomes:
            print(case_line(outcome))
    print_table(outcomes)


def read_cases(articles: Sequence[Article]) -> list[Case]:
    """Return the cases, in order; a question given by its id is looked up in the data set."""
    asked = {gold.id: gold.question for article in articles for gold in article.questions}
    return [
        _case(json.loads(line), asked) for line in CASES.read_text(encoding="utf-8").splitlines()
    ]


def _case(row: dict[str, Any], asked: dict[str, str]) -> Case:
    question = row["question"] if "question" in row else asked[row["question_id"]]
    sentences = tuple((start, end) for start, end in row["sentences"])
    return Case(row["id"], row["type"], question, row["paragraph"], sentences)


def open_pipeline(articles: Sequence[Article]) -> Pipeline:
    """Return the product's own pipeline over all paragraphs of the articles."""
    settings = Settings.load(os.environ)
    encoder = load_encoder(settings)
    snapshot = open_pool(paragraphs(articles), settings, encoder, Progress())
    return pipeline_over(snapshot, settings, encoder, load_reader(settings))


def ask(pipeline: Pipeline, case: Case, *, gold: bool) -> Outcome:
    """Ask one question, of all documents or of its own paragraph only."""
    return judge(case, pipeline.ask(case.question, documents=[case.paragraph] if gold else None))


def judge(case: Case, answer: Answer) -> Outcome:
    """Compare an answer with the right sentences of its case."""
    candidates = answer.spans or answer.alternatives
    best = candidates[0].citation if candidates else None
    # Spans of one sentence count once.
    cited = {
        (span.citation.document_id, span.citation.sentence_start): span.citation
        for span in answer.spans
    }.values()
    return Outcome(
        case,
        answered=bool(answer.spans),
        first=best is not None and is_right(case, best),
        precision=_mean([is_right(case, citation) for citation in cited]) if cited else None,
        recall=_mean(
            [
                any(_shows(case, sentence, citation) for citation in cited)
                for sentence in case.sentences
            ]
        ),
        quote=best.quote if best else "",
    )


def is_right(case: Case, citation: Citation) -> bool:
    """Return True if the cited sentence is one of the right ones."""
    return any(_shows(case, sentence, citation) for sentence in case.sentences)


def _shows(case: Case, sentence: TextRange, citation: Citation) -> bool:
    """Return True if the cited sentence stands in the paragraph and is the given one.

    It must share more than half of the shorter of the two with `sentence`.
    """
    shared = min(sentence[1], citation.sentence_end) - max(sentence[0], citation.sentence_start)
    shorter = min(sentence[1] - sentence[0], citation.sentence_end - citation.sentence_start)
    return citation.document_id == case.paragraph and 2 * shared > shorter


def case_line(outcome: Outcome) -> str:
    """Return one line: the question's id, the outcome, the question and the best quote."""
    verdict = (
        f"{'answered' if outcome.answered else 'refused'}, {'right' if outcome.first else 'wrong'}"
    )
    items = f" ({outcome.recall:.2f} of the sentences)" if outcome.case.kind == "list" else ""
    quote = " ".join(outcome.quote.split())
    return f"{outcome.case.id}: {verdict}{items} | {outcome.case.question} | {quote}"


def print_table(outcomes: Sequence[Outcome]) -> None:
    """Print a line for every type and one for all questions."""
    print(f"{'type':<8}{'n':>5}{'cited':>8}{'first':>8}{'answered':>10}")
    for kind in dict.fromkeys(outcome.case.kind for outcome in outcomes):
        print(_line(kind, [outcome for outcome in outcomes if outcome.case.kind == kind]))
    print(_line("all", outcomes))


def _line(name: str, outcomes: Sequence[Outcome]) -> str:
    cited, first, answered = (
        _mean([getattr(outcome, part) for outcome in outcomes])
        for part in ("cited", "first", "answered")
    )
    line = f"{name:<8}{len(outcomes):>5}{cited:>8.3f}{first:>8.3f}{answered:>10.3f}"
    if name != "list":
        return line
    precision = _mean([outcome.precision for outcome in outcomes if outcome.precision is not None])
    recall = _mean([outcome.recall for outcome in outcomes])
    return f"{line}   sentences: precision {precision:.3f}, recall {recall:.3f}"


def _mean(values: Sequence[float]) -> float:
    return sum(values) / max(len(values), 1)


if __name__ == "__main__":
    main()
