"""Output of `qa eval dialogue`, for each of the three forms of its file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from qa.interfaces.cli.evaluation_output import QuestionProgress, pipeline_of
from qa.interfaces.cli.options import echo_json, encoder_of, reader_of, settings_of

if TYPE_CHECKING:
    from qa.evaluation.dialogue_report import TurnResult


def echo_rewrites(
    rows: Sequence[dict[str, Any]], drop: int, *, answered: bool, as_json: bool
) -> None:
    """Print the scores of each rewriting method against the rewrites by people.

    The scores are precision, recall and F1 of the stems that a method adds to the question.
    """
    from qa.evaluation.rewrite_report import METHODS, rewrites, score

    questions = rewrites(rows, drop=drop, answered=answered)
    scores = {name: score(questions, method) for name, method in METHODS.items()}
    if as_json:
        echo_json({name: asdict(each) for name, each in scores.items()})
        return
    # The number of questions is the same for all methods; "left out" is the product's own.
    own = scores["left out"]
    click.echo(f"{own.needing} questions whose rewrite adds something, {own.others} others")
    click.echo(f"{'':16}{'precision':>10}{'recall':>8}{'F1':>8}{'others unchanged':>19}")
    for name, each in scores.items():
        click.echo(
            f"{name:16}{each.precision:>10.3f}{each.recall:>8.3f}{each.f1:>8.3f}{each.unharmed:>19}"
        )


def echo_indexed_dialogues(
    rows: Sequence[dict[str, Any]], data: Path | None, *, as_json: bool
) -> None:
    """Print the turns of given dialogues with their answers from the index."""
    from qa.evaluation.dialogue_report import given_dialogues

    settings = settings_of(data)
    pipeline = pipeline_of([], settings, encoder_of(settings), reader_of(settings))
    results = given_dialogues(rows, pipeline)
    if as_json:
        echo_json(
            [
                {"id": each.id, "right": each.right, "answer": each.answer.to_dict()}
                for each in results
            ]
        )
        return
    for each in results:
        click.echo(_turn_line(each))
    click.echo(f"{sum(each.right for each in results)} of {len(results)} turns right")


def echo_synthetic_dialogues(
    file: Path, distractors: Sequence[Path], sample: int, seed: int, *, alone: bool, as_json: bool
) -> None:
    """Print the figures of conversations made from a SQuAD-format file.

    With `alone`, those of questions that need no context, each asked after another one.
    """
    from qa.evaluation.dialogue_report import made_figures, made_turns, unharmed_figures
    from qa.evaluation.figures import values_of
    from qa.evaluation.squad import load_golds, paragraphs, read_articles

    articles = read_articles(file)
    others = [article for path in distractors for article in read_articles(path)]
    settings = settings_of(None)
    pipeline = pipeline_of(
        paragraphs([*articles, *others]), settings, encoder_of(settings), reader_of(settings)
    )
    if alone:
        golds, _ = load_golds(file, sample, seed)
        figures = unharmed_figures(golds, pipeline, seed, QuestionProgress(len(golds)))
    else:
        turns = made_turns(articles, sample, seed)
        figures = made_figures(turns, pipeline, QuestionProgress(len(turns)))
    if as_json:
        echo_json(values_of(figures))
        return
    for figure in figures:
        click.echo(f"{figure.name:46}{figure.text}")


def _turn_line(result: TurnResult) -> str:
    """Return a turn as one line: verdict, question, how it was understood, and the answer."""
    answer = result.answer
    verdict = "right" if result.right else "WRONG"
    understood = f"  (as: {answer.interpreted_as})" if answer.interpreted_as else ""
    return (
        f"{result.id}  {verdict}  {answer.question}{understood}  ->  {answer.text or 'no answer'}"
    )
