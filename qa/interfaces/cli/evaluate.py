"""Commands `qa eval`: measure retrieval, the reader, answers and dialogues."""

from __future__ import annotations

from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path

import click

from qa.evaluation.noise import ALTERATIONS, Alteration
from qa.interfaces.cli.evaluation_output import (
    QuestionProgress,
    Share,
    echo_figures,
    echo_measured,
    pipeline_of,
)
from qa.interfaces.cli.options import (
    data_option,
    echo_json,
    encoder_of,
    json_option,
    reader_of,
    settings_of,
)
from qa.interfaces.cli.progress import Progress

_file = click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
_sample = click.option(
    "--sample", type=click.IntRange(1), help="Ask only a random sample of this many questions."
)
_seed = click.option(
    "--seed", type=click.IntRange(0), default=0, help="Seed of all random choices (default 0)."
)
_distractors = click.option(
    "--distractors",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Also search the paragraphs of this SQuAD-format file; may be repeated.",
)
_html = click.option(
    "--html",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write a report with every question to this HTML file.",
)


@click.group("eval")
def evaluate() -> None:
    """Measure quality on questions with known answers."""


@evaluate.command()
@_file
@_distractors
@_sample
@json_option
def retrieval(
    file: Path, distractors: tuple[Path, ...], *, sample: int | None, as_json: bool
) -> None:
    """Measure retrieval on a SQuAD-format FILE.

    Prints recall@1/5/20 and MRR@10 of BM25, dense and hybrid retrieval. Needs the extra `eval`.
    """
    from qa.evaluation.retrieval_report import MEASURES, evaluate_retrieval

    _require("ir_measures", "qa eval retrieval needs ir-measures")
    settings = settings_of(None)
    # No --data: the pool is built from the file, and only models and cache are needed.
    progress = Progress()
    report = evaluate_retrieval(
        file, distractors, settings, encoder_of(settings), progress, sample=sample
    )
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
@_distractors
@click.option(
    "--removed",
    type=Share(),
    default=0.0,
    help="Remove the article of this share of the questions, like 1/3.",
)
@click.option(
    "--pool-size",
    type=click.IntRange(1),
    help="Search only this many paragraphs for each question, its own among them.",
)
@_sample
@_seed
@click.option(
    "--top-k",
    type=click.IntRange(1),
    help="Number of passages to read for each question (default: QUOTED_TOP_K).",
)
@_html
@click.option(
    "--png",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Draw the risk-coverage curve to this file (needs the extra `eval`).",
)
@json_option
@data_option
def answers(  # noqa: PLR0913 - the options of the command
    file: Path,
    distractors: tuple[Path, ...],
    *,
    removed: float,
    pool_size: int | None,
    sample: int | None,
    seed: int,
    top_k: int | None,
    html: Path | None,
    png: Path | None,
    as_json: bool,
    data: Path | None,
) -> None:
    """Measure answers, refusals and confidence.

    Prints right answers, exact match, F1, abstention and confidence, with 95% bootstrap intervals.

    FILE is JSON lines of id, question and answers, which are asked of the index. Or FILE is
    SQuAD-format JSON, whose questions are asked of its own paragraphs. A question whose article was
    removed should be refused.
    """
    from qa.evaluation.answer_report import evaluate_answers
    from qa.evaluation.html_report import Page, write_curve, write_html
    from qa.evaluation.question_sampling import Sampling, load_asked

    if png:
        _require("matplotlib", "--png needs matplotlib")
    asked, paragraphs = load_asked(file, distractors, Sampling(removed, pool_size, sample, seed))
    settings = settings_of(data)
    pipeline = pipeline_of(paragraphs, settings, encoder_of(settings), reader_of(settings))
    report = evaluate_answers(asked, pipeline, top_k=top_k, on_done=QuestionProgress(len(asked)))
    figures, cases, risks = report.figures(), report.cases, report.risk_coverage()
    if html:
        searched = f"{len(paragraphs)} paragraphs" if paragraphs else "the index"
        about = f"{len(cases)} questions asked of {searched}"
        write_html(
            Page(f"Answers to {file.name}", about, figures, cases, "confidence", risks), html
        )
    if png:
        write_curve(report.confidence, report.right, png, file.name)
    if as_json:
        echo_measured(figures, cases, risk_coverage=risks)
    else:
        echo_figures(figures, cases, risks)


@evaluate.command()
@_file
@_sample
@_seed
@click.option(
    "--threshold",
    type=float,
    default=0.0,
    help="Refuse a question if its score is at most this (default 0).",
)
@click.option(
    "--alter",
    type=click.Choice(ALTERATIONS),
    help="Alter the questions first: lower case, no question mark, or one typo.",
)
@_html
@json_option
def reader(
    file: Path,
    *,
    sample: int | None,
    seed: int,
    threshold: float,
    alter: Alteration | None,
    html: Path | None,
    as_json: bool,
) -> None:
    """Measure the reader alone on a SQuAD-format FILE.

    Each question is read on its own paragraph. Prints F1 and exact match as SQuAD defines them.
    """
    from qa.evaluation.html_report import Page, write_html
    from qa.evaluation.reader_report import evaluate_reading
    from qa.evaluation.squad import load_golds

    golds, _ = load_golds(file, sample, seed)
    settings = settings_of(None)
    report = evaluate_reading(
        golds,
        reader_of(settings),
        encoder_of(settings),
        threshold=threshold,
        alter=alter,
        seed=seed,
        on_done=QuestionProgress(len(golds)),
    )
    figures, cases = report.figures(), report.cases
    if html:
        about = f"{len(cases)} questions, each read on its own paragraph"
        if alter:
            about += f", altered: {alter}"
        write_html(Page(f"The reader on {file.name}", about, figures, cases, "log-odds"), html)
    if as_json:
        echo_measured(figures, cases)
    else:
        echo_figures(figures, cases)


@evaluate.command()
@_file
@click.option(
    "--history",
    type=click.Choice(["questions", "pairs"]),
    default="questions",
    help="Content of the histories: questions only, or pairs of question and answer.",
)
@click.option(
    "--drop",
    type=click.IntRange(0),
    default=0,
    help="Number of items to drop from the beginning of each history.",
)
@click.option(
    "--alone",
    is_flag=True,
    help="SQuAD-format FILE: ask questions that need no context, each after another one.",
)
@_distractors
@_sample
@_seed
@json_option
@data_option
def dialogue(  # noqa: PLR0913 - the options of the command
    file: Path,
    distractors: tuple[Path, ...],
    *,
    history: str,
    drop: int,
    alone: bool,
    sample: int | None,
    seed: int,
    as_json: bool,
    data: Path | None,
) -> None:
    """Measure how well follow-up questions are understood.

    FILE has one of three forms. JSON lines of id, history, question and rewrite (by a person)
    measure the rewriting. JSON lines of id and turns (question, answers) are asked of the index.
    SQuAD-format JSON is turned into conversations, with pronouns in place of names, which are asked
    of its paragraphs.
    """
    from qa.evaluation.rewrite_report import read_dialogue
    from qa.interfaces.cli.evaluate_dialogue import (
        echo_indexed_dialogues,
        echo_rewrites,
        echo_synthetic_dialogues,
    )

    rows = [] if ".json" in file.suffixes else read_dialogue(file)
    if not rows:
        echo_synthetic_dialogues(
            file, distractors, sample or 500, seed, alone=alone, as_json=as_json
        )
    elif "rewrite" in rows[0]:
        echo_rewrites(rows, drop, answered=history == "pairs", as_json=as_json)
    else:
        echo_indexed_dialogues(rows, data, as_json=as_json)


def _require(module: str, need: str) -> None:
    """Fail with the command to install an optional dependency that is missing."""
    if find_spec(module) is None:
        raise click.ClickException(f"{need}, which is not installed: pip install 'quoted-qa[eval]'")
