"""Command `qa self-test`."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from qa.interfaces.cli.options import (
    NamedPath,
    data_option,
    echo_json,
    echo_line,
    encoder_of,
    json_option,
    reader_of,
    settings_of,
)

if TYPE_CHECKING:
    from qa.answering.pipeline import Pipeline
    from qa.self_test.report import SelfTest
    from qa.settings import Settings

BELOW = 6
"""Exit code of a figure below what was asked for."""
_SHARE = click.FloatRange(0, 1)


@click.command("self-test")
@click.option(
    "--questions",
    type=click.IntRange(4, 2000),
    default=80,
    show_default=True,
    help="Number of questions; a quarter of them are such that no document answers them.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(min=1),
    default=300.0,
    show_default=True,
    help="Begin no further question after this time.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Choice of the questions.")
@click.option("--min-retrieved", type=_SHARE, help="Least share of answers whose place was read.")
@click.option("--min-answered", type=_SHARE, help="Least share of answerable questions answered.")
@click.option("--min-right", type=_SHARE, help="Least share of right answers among those given.")
@click.option("--min-refused", type=_SHARE, help="Least share of unanswerable ones refused.")
@click.option(
    "--html",
    type=NamedPath(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Also write a page with plots and every question.",
)
@json_option
@data_option
def self_test(  # noqa: PLR0913 - as many as it has options
    *,
    questions: int,
    seconds: float,
    seed: int,
    min_retrieved: float | None,
    min_answered: float | None,
    min_right: float | None,
    min_refused: float | None,
    html: Path | None,
    as_json: bool,
    data: Path | None,
) -> None:
    """Ask questions made from your own documents, and some that they cannot answer.

    The questions are made by rule, without a language model: from rows of tables, labels, numbered
    steps, definitions, and sentences in which a number or a name becomes a question word. The same
    seed asks the same questions of the same index.

    Exit codes: 0 done; 6 a figure is below what a --min option asks for.
    """
    from qa.bootstrap import load_pipeline
    from qa.self_test import report
    from qa.self_test.page import page

    least = {
        report.RETRIEVED: min_retrieved,
        report.ANSWERED: min_answered,
        report.PRECISION: min_right,
        report.REFUSED: min_refused,
    }
    settings = settings_of(data)
    pipeline = load_pipeline(settings, encoder_of(settings), reader_of(settings))
    with closing(pipeline.snapshot):
        test = _tested(pipeline, settings, questions, seed, seconds)
    if html:
        html.write_text(page(test), "utf-8")
    if as_json:
        echo_json(test.to_dict())
    else:
        _echo(test)
    missed = test.shortfalls({name: share for name, share in least.items() if share is not None})
    for each in missed:
        echo_line(f"below the minimum: {each}", err=True)
    sys.exit(BELOW if missed else 0)


def _tested(
    pipeline: Pipeline, settings: Settings, count: int, seed: int, seconds: float
) -> SelfTest:
    """Make the questions, ask them with progress, and return what came of them."""
    from qa.interfaces.cli.evaluation_output import QuestionProgress
    from qa.self_test.advice import advice_on
    from qa.self_test.judging import ask_all
    from qa.self_test.probes import planned_questions
    from qa.self_test.report import self_test_of

    snapshot = pipeline.snapshot
    planned = planned_questions(snapshot, pipeline.policy.languages, count, seed)
    judged = ask_all(
        planned,
        pipeline,
        top_k=settings.top_k,
        seconds=seconds,
        on_done=QuestionProgress(len(planned)),
    )
    return self_test_of(
        judged,
        seed=seed,
        planned=len(planned),
        generation=snapshot.generation,
        advice=advice_on(judged, snapshot),
    )


def _echo(test: SelfTest) -> None:
    """Print the figures, the kinds of questions, the worst cases and the advice."""
    from qa.self_test.report import MEANINGS, WORST

    asked = f"{len(test.judged)} of {test.planned} questions asked"
    echo_line(f"{asked}, made from {test.documents} documents (seed {test.seed})")
    click.echo()
    for figure in test.figures:
        echo_line(f"{figure.name:14} {figure.text:26} {MEANINGS[figure.name]}")
    click.echo()
    for kind in test.kinds:
        counts = ", ".join(f"{count} {verdict}" for verdict, count in sorted(kind.verdicts.items()))
        echo_line(f"{kind.kind:14} {kind.questions:>4}  {counts}")
    if test.worst:
        click.echo("\nto look at:")
    for each in test.worst[:WORST]:
        echo_line(f"- {each.question.question}")
        answer = f"{each.verdict}: “{each.text[:80]}” ({each.confidence:.2f}, {each.certainty})"
        wanted = f"; made from “{each.question.answer[:60]}”" if each.question.answer else ""
        echo_line(f"  {answer}{wanted}")
    for advice in test.advice:
        click.echo()
        echo_line(f"advice: {advice}")
