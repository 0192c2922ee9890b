"""Evaluation of conversations from end to end.

Three kinds are measured: given dialogues, dialogues made from SQuAD-format files by replacing names
by pronouns, and questions that need no context.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

from qa.answer import Answer
from qa.answering.pipeline import Pipeline
from qa.conversations.conversation import answer_in_context
from qa.conversations.phrases import phrases
from qa.conversations.query_rewriting import rewrites
from qa.errors import EvaluationError
from qa.evaluation.figures import Figure, count, mean
from qa.evaluation.metrics import f1, is_right
from qa.evaluation.pool import pool_id
from qa.evaluation.squad import Article, Gold

RECALL_AT = 5
"""Number of passages among which the right one is searched."""


@dataclass(frozen=True, slots=True)
class MadeTurn:
    """Two questions about one paragraph, the second with a pronoun for a name of the first."""

    first: Gold
    second: Gold
    pronoun: str


@dataclass(frozen=True, slots=True)
class TurnResult:
    """A turn of a given dialogue with its answer.

    A refusal is right where no answer is expected.
    """

    id: str
    answer: Answer
    right: bool


def given_dialogues(rows: Sequence[dict[str, Any]], pipeline: Pipeline) -> list[TurnResult]:
    """Ask the turns of dialogues in order, each with those before as context.

    Rows are {id, turns: [{question, answers}]}. Raises EvaluationError if a row has another form.
    """
    results = []
    try:
        for row in rows:
            turns: list[tuple[str, str]] = []
            for turn in row["turns"]:
                answer = answer_in_context(turn["question"], turns, pipeline.ask)
                turns.append((answer.interpreted_as or answer.question, answer.text or ""))
                results.append(
                    TurnResult(row["id"], answer, _right(answer, turn["answers"], pipeline))
                )
    except (KeyError, TypeError) as error:
        raise EvaluationError(
            f"expected JSON lines of id and turns, each with question and answers: {error!r}"
        ) from error
    return results


def made_turns(articles: Sequence[Article], sample: int, seed: int) -> list[MadeTurn]:
    """Return a seeded sample of pairs of questions about one paragraph.

    The second question names what the first one names, and can be understood with a pronoun
    instead.
    """
    pairs = [
        MadeTurn(first, second, pronoun)
        for article in articles
        for first, second in _neighbours(article.questions)
        for pronoun in [_with_pronoun(second.question, first.question)]
        if pronoun
    ]
    return random.Random(seed).sample(pairs, min(sample, len(pairs)))


def made_figures(
    made: Sequence[MadeTurn], pipeline: Pipeline, on_done: Callable[[int], None] = lambda _: None
) -> list[Figure]:
    """Return the figures of made turns in three forms of the second question.

    The forms are the original question, the one with a pronoun alone, and the one with a pronoun in
    context. Figures are recall@5 of the paragraph, F1 of the best candidate, the share that is
    answered, and the share of these answers that is right.
    """
    values: dict[str, list[_Outcome]] = {"as it was": [], "pronoun alone": [], "in context": []}
    for done, turn in enumerate(made, 1):
        before = [(turn.first.question, turn.first.answers[0])]
        in_context = answer_in_context(turn.pronoun, before, pipeline.ask)
        asked = {"as it was": turn.second.question, "pronoun alone": turn.pronoun}
        for name, question in asked.items():
            values[name].append(_outcome(turn, pipeline.ask(question), pipeline))
        values["in context"].append(_outcome(turn, in_context, pipeline))
        on_done(done)
    figures = [count("questions", len(made))]
    for name, rows in values.items():
        figures += mean(f"recall@{RECALL_AT}, {name}", [row.recall for row in rows])
        figures += mean(f"F1, {name}", [row.f1 for row in rows])
        figures += mean(f"answered, {name}", [float(row.answered) for row in rows])
        figures += mean(
            f"of these, right, {name}", [float(row.right) for row in rows if row.answered]
        )
    return figures


def unharmed_figures(
    golds: Sequence[Gold],
    pipeline: Pipeline,
    seed: int,
    on_done: Callable[[int], None] = lambda _: None,
) -> list[Figure]:
    """Return the shares of questions that a turn about something else does not affect.

    They get the same answer after it as alone, or are read without a change.
    """
    rng = random.Random(seed)
    same, alone = [], []
    for done, gold in enumerate(golds, 1):
        before = rng.choice([other for other in golds if other.context != gold.context])
        turns = [(before.question, before.answers[0] if before.answers else "")]
        outside = pipeline.ask(gold.question)
        # A question that the turn leaves as it is would only be asked a second time.
        is_unchanged = rewrites(gold.question, turns) == [gold.question.strip()]
        inside = outside if is_unchanged else answer_in_context(gold.question, turns, pipeline.ask)
        same.append(float(_cited_places(inside) == _cited_places(outside)))
        alone.append(float(inside.interpreted_as is None))
        on_done(done)
    return [
        count("questions", len(golds)),
        *mean("same answer as alone", same),
        *mean("read as they are", alone),
    ]


def _right(answer: Answer, expected: Sequence[str], pipeline: Pipeline) -> bool:
    if not answer.spans or not expected:
        return not answer.spans and not expected
    citation = answer.citations[0]
    return is_right(citation, pipeline.snapshot.document(citation.document_id).text, expected)


def _neighbours(questions: Sequence[Gold]) -> Iterator[tuple[Gold, Gold]]:
    answerable = [gold for gold in questions if gold.answers]
    return (pair for pair in pairwise(answerable) if pair[0].context == pair[1].context)


def _with_pronoun(question: str, before: str) -> str:
    """Replace the longest name shared with the question before by "it" or "its".

    Empty if no name is shared, or if no phrase is left without it.
    """
    names = _shared_names(question, before)
    if not names:
        return ""
    name = max(names, key=len)
    with_pronoun = re.sub(
        rf"\b(?:the )?{re.escape(name)}(['’]s\b|['’])?",
        lambda match: "its" if match[1] else "it",
        question,
        count=1,
        flags=re.IGNORECASE,
    )
    # The name may stand there twice, and the question may have nothing but the name.
    is_usable = bool(phrases(with_pronoun)) and name not in with_pronoun
    return with_pronoun if is_usable else ""


def _shared_names(question: str, before: str) -> list[str]:
    """Return the names of a question, as written there, that the question before has too."""
    known = {phrase.stems for phrase in phrases(before) if phrase.is_name}
    names = [phrase for phrase in phrases(question) if phrase.is_name]
    return [name.text for name in names if name.stems in known and name.text in question]


class _Outcome(NamedTuple):
    recall: float
    f1: float
    answered: bool
    right: bool


def _outcome(turn: MadeTurn, answer: Answer, pipeline: Pipeline) -> _Outcome:
    understood = answer.interpreted_as or answer.question
    right = _right(answer, turn.second.answers, pipeline)
    return _Outcome(
        _recalled(turn, understood, pipeline), _f1(answer, turn), bool(answer.spans), right
    )


def _recalled(turn: MadeTurn, question: str, pipeline: Pipeline) -> float:
    wanted = pool_id(turn.second.context or "")
    return float(
        any(passage.document_id == wanted for passage in pipeline.search(question, top_k=RECALL_AT))
    )


def _f1(answer: Answer, turn: MadeTurn) -> float:
    best = next((span.text for span in (*answer.spans, *answer.alternatives)), "")
    return f1(best, turn.second.answers)


def _cited_places(answer: Answer) -> list[tuple[str, int]]:
    return [(citation.document_id, citation.start) for citation in answer.citations]
