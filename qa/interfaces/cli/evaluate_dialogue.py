"""What `qa eval dialogue` prints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from qa.interfaces.cli.evaluation_output import Rate, pipeline_of
from qa.interfaces.cli.options import echo_json, encoder_of, reader_of, settings_of


def rewritten(rows: Sequence[dict[str, Any]], drop: int, *, answered: bool, as_json: bool) -> None:
    """Precision, recall and F1 of the stems that each method adds, against those that a person's
    rewrite adds.
    """
    from qa.evaluation.rewrite_report import METHODS, rewrites, score

    questions = rewrites(rows, drop=drop, answered=answered)
    scores = {name: score(questions, method) for name, method in METHODS.items()}
    if as_json:
        echo_json({name: asdict(each) for name, each in scores.items()})
        return
    ours = scores["left out"]
    click.echo(f"{ours.needing} questions whose rewrite adds something, {ours.others} others")
    click.echo(f"{'':16}{'precision':>10}{'recall':>8}{'F1':>8}{'others left alone':>19}")
    for name, each in scores.items():
        click.echo(
            f"{name:16}{each.precision:>10.3f}{each.recall:>8.3f}{each.f1:>8.3f}{each.unharmed:>19}"
        )


def given(rows: Sequence[dict[str, Any]], data: Path | None, *, as_json: bool) -> None:
    """Each turn with its answer, and how many are right."""
    from qa.evaluation.dialogue_report import given_dialogues

    settings = settings_of(data)
    results = given_dialogues(
        rows, pipeline_of([], settings, encoder_of(settings), reader_of(settings))
    )
    if as_json:
        echo_json(
            [
                {"id": each.id, "right": each.right, "answer": each.answer.to_dict()}
                for each in results
            ]
        )
        return
    for each in results:
        understood = f"  (as: {each.answer.interpreted_as})" if each.answer.interpreted_as else ""
        click.echo(
            f"{each.id}  {'right' if each.right else 'WRONG'}  {each.answer.question}{understood}  ->  {each.answer.text or 'no answer'}"
        )
    click.echo(f"{sum(each.right for each in results)} of {len(results)} turns right")


def made(
    file: Path, distractors: Sequence[Path], sample: int, seed: int, *, alone: bool, as_json: bool
) -> None:
    """Figures of conversations made from a SQuAD-format file; with `alone`, of questions that need
    no context.
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
        figures = unharmed_figures(golds, pipeline, seed, Rate(len(golds)))
    else:
        turns = made_turns(articles, sample, seed)
        figures = made_figures(turns, pipeline, Rate(len(turns)))
    if as_json:
        echo_json(values_of(figures))
    for figure in figures if not as_json else []:
        click.echo(f"{figure.name:46}{figure.text}")
