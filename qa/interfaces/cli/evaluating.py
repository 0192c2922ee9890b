"""`qa eval retrieval` and `qa eval answers`."""

from __future__ import annotations

from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path

import click

from qa.interfaces.cli.common import Progress, data_option, echo_json, encoder_of, json_option, settings_of

_file = click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
_sample = click.option("--sample", type=click.IntRange(1), help="Ask a seeded sample of so many questions.")


@click.group("eval")
def evaluate() -> None:
    """Measure on questions with known answers."""


@evaluate.command()
@_file
@click.option(
    "--distractors",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Add the paragraphs of this file.",
)
@_sample
@json_option
def retrieval(file: Path, distractors: tuple[Path, ...], *, sample: int | None, as_json: bool) -> None:
    """recall@1/5/20 and MRR@10 of BM25, dense and hybrid on a SQuAD-format FILE (needs the extra `eval`)."""
    from qa.evaluation.retrieval import MEASURES, evaluate_retrieval

    if find_spec("ir_measures") is None:
        raise click.ClickException("the figures come from ir-measures, which is not installed: pip install 'quoted-qa[eval]'")
    settings = settings_of(None)
    progress = Progress()
    report = evaluate_retrieval(file, distractors, settings, encoder_of(settings), progress, sample=sample)
    progress.close()
    if as_json:
        echo_json(asdict(report))
        return
    click.echo(f"{report.questions} questions, {report.pool} paragraphs")
    click.echo(f"{'':8}" + "".join(f"{name:>8}" for name in MEASURES))
    for name, figures in report.figures.items():
        click.echo(f"{name:8}" + "".join(f"{figures[measure]:8.3f}" for measure in MEASURES))


@evaluate.command()
@_file
@_sample
@json_option
@data_option
def answers(file: Path, *, sample: int | None, as_json: bool, data: Path | None) -> None:
    """Right answers, exact match, F1 and abstention.

    FILE is JSON lines of id, question and answers, asked of the index; or SQuAD-format JSON, asked of the pool of its own paragraphs.
    """
    from qa.bootstrap import load_pipeline, pipeline_over
    from qa.evaluation.answers import evaluate_answers
    from qa.evaluation.pool import open_pool
    from qa.evaluation.squad import load_golds, paragraphs

    settings = settings_of(data)
    encoder = encoder_of(settings)
    golds, articles = load_golds(file, sample)
    if articles:
        progress = Progress()
        pipeline = pipeline_over(open_pool(paragraphs(articles), settings, encoder, progress), settings, encoder)
        progress.close()
    else:
        pipeline = load_pipeline(settings, encoder)
    report = evaluate_answers(golds, pipeline)
    if as_json:
        rows = [
            {"id": row.gold.id, "question": row.gold.question, "answer": row.answer.text, "right": row.right} for row in report.rows
        ]
        echo_json({"figures": report.figures(), "questions": rows})
        return
    for name, value in report.figures().items():
        click.echo(f"{name:36}{value:8.3f}" if value != int(value) or value <= 1 else f"{name:36}{value:8.0f}")
