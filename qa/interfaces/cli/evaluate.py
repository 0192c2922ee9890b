"""`qa eval`: retrieval, the reader, and answers."""

from __future__ import annotations

from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path

import click

from qa.evaluation.noise import ALTERATIONS, Alteration
from qa.interfaces.cli.evaluation_output import (
    Rate,
    Share,
    echo_figures,
    echo_measured,
    pipeline_of,
)
from qa.interfaces.cli.options import (
    Progress,
    data_option,
    echo_json,
    encoder_of,
    json_option,
    reader_of,
    settings_of,
)

_file = click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
_sample = click.option(
    "--sample", type=click.IntRange(1), help="Ask a seeded sample of so many questions."
)
_seed = click.option(
    "--seed", type=click.IntRange(0), default=0, help="Decides what is drawn (default 0)."
)
_distractors = click.option(
    "--distractors",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Add the paragraphs of this file.",
)
_html = click.option(
    "--html",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write every question into this HTML file.",
)


@click.group("eval")
def evaluate() -> None:
    """Measure on questions with known answers."""


@evaluate.command()
@_file
@_distractors
@_sample
@json_option
def retrieval(
    file: Path, distractors: tuple[Path, ...], *, sample: int | None, as_json: bool
) -> None:
    """recall@1/5/20 and MRR@10 of BM25, dense and hybrid on a SQuAD-format FILE (needs the extra
    `eval`).
    """
    from qa.evaluation.retrieval_report import MEASURES, evaluate_retrieval

    _require("ir_measures", "the figures come from ir-measures")
    settings = settings_of(None)
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
    help="Take whole articles away, for this share of the questions (like 1/3).",
)
@click.option(
    "--pool-size",
    type=click.IntRange(1),
    help="Ask each question of so many paragraphs only, its own among them.",
)
@_sample
@_seed
@click.option(
    "--top-k", type=click.IntRange(1), help="Passages read for each question (else QUOTED_TOP_K)."
)
@_html
@click.option(
    "--png",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Draw the risk-coverage curve (needs the extra `eval`).",
)
@json_option
@data_option
def answers(  # noqa: PLR0913 - one an option
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
    """Right answers, exact match, F1, abstention and confidence, with 95% bootstrap intervals.

    FILE is JSON lines of id, question and answers, asked of the index; or SQuAD-format JSON, asked
    of the pool of its own paragraphs. A question whose article was removed is to be refused.
    """
    from qa.evaluation.answer_report import evaluate_answers
    from qa.evaluation.html_report import Page, write_curve, write_html
    from qa.evaluation.question_sampling import Sampling, load_asked

    if png:
        _require("matplotlib", "the curve is drawn by matplotlib")
    asked, paragraphs = load_asked(file, distractors, Sampling(removed, pool_size, sample, seed))
    settings = settings_of(data)
    pipeline = pipeline_of(paragraphs, settings, encoder_of(settings), reader_of(settings))
    report = evaluate_answers(asked, pipeline, top_k=top_k, on_done=Rate(len(asked)))
    figures, cases, risks = report.figures(), report.cases, report.risk_coverage()
    if html:
        about = f"{len(cases)} questions" + (
            f" asked of {len(paragraphs)} paragraphs" if paragraphs else " asked of the index"
        )
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
    help="The score at or below which a question is refused (default 0).",
)
@click.option(
    "--alter",
    type=click.Choice(ALTERATIONS),
    help="Change the questions first: lower case, no question mark, one typo.",
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
    """Official F1 and exact match of the reader alone, each question of a SQuAD-format FILE read on
    its own paragraph.
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
        on_done=Rate(len(golds)),
    )
    figures, cases = report.figures(), report.cases
    if html:
        about = f"{len(cases)} questions, each read on its own paragraph" + (
            f", altered: {alter}" if alter else ""
        )
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
    help="What the history of a rewrite holds.",
)
@click.option(
    "--drop",
    type=click.IntRange(0),
    default=0,
    help="Items at the beginning of each history that no chat has.",
)
@click.option(
    "--alone",
    is_flag=True,
    help="Of a SQuAD-format FILE, ask questions that need no context, after another one.",
)
@_distractors
@_sample
@_seed
@json_option
@data_option
def dialogue(  # noqa: PLR0913 - one an option
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
    """How well follow-up questions are understood.

    FILE is JSON lines of id, history, question and rewrite by a person; or of id and turns
    (question, answers), asked of the index; or SQuAD-format JSON, of which conversations are made
    by putting pronouns for names, asked of its paragraphs.
    """
    from qa.evaluation.rewrite_report import read_dialogue
    from qa.interfaces.cli.evaluate_dialogue import given, made, rewritten

    rows = [] if ".json" in file.suffixes else read_dialogue(file)
    if rows and "rewrite" in rows[0]:
        rewritten(rows, drop, answered=history == "pairs", as_json=as_json)
    elif rows:
        given(rows, data, as_json=as_json)
    else:
        made(file, distractors, sample or 500, seed, alone=alone, as_json=as_json)


def _require(module: str, reason: str) -> None:
    if find_spec(module) is None:
        raise click.ClickException(
            f"{reason}, which is not installed: pip install 'quoted-qa[eval]'"
        )
