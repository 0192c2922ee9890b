"""Command `qa calibrate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from qa.interfaces.cli.evaluation_output import QuestionProgress, pipeline_of
from qa.interfaces.cli.options import NamedPath, data_option, encoder_of, reader_of, settings_of

if TYPE_CHECKING:
    from qa.evaluation.calibrate import FileFigures


@click.command("calibrate")
@click.argument(
    "files",
    metavar="FILE...",
    nargs=-1,
    required=True,
    type=NamedPath(path_type=Path, exists=True, dir_okay=False),
)
@click.option(
    "--pool-size",
    "pools",
    multiple=True,
    type=click.IntRange(1),
    help=(
        "SQuAD-format FILE: number of paragraphs to search for each question; may be repeated "
        "(default: 10, 100, 1000 and all)."
    ),
)
@click.option(
    "--sample",
    type=click.IntRange(1),
    default=500,
    show_default=True,
    help="Number of questions to ask at each pool size.",
)
@click.option(
    "--held-out",
    is_flag=True,
    help="SQuAD-format FILE: use only the tenth of the articles that training leaves out.",
)
@click.option(
    "--out",
    type=NamedPath(path_type=Path, file_okay=False),
    help="Folder to write to (default: the data directory).",
)
@data_option
def calibrate_command(
    files: tuple[Path, ...],
    pools: tuple[int, ...],
    *,
    sample: int,
    held_out: bool,
    out: Path | None,
    data: Path | None,
) -> None:
    """Fit the confidence on questions with known answers, several FILEs with the same weight.

    This is needed after you set a QUOTED_READER or QUOTED_MODEL of your own.

    FILE is SQuAD-format JSON, whose questions are asked of its own paragraphs, a third of them with
    their article removed. Or FILE is JSON lines of id, question and answers, which are asked of the
    index; no answers mean that the documents do not hold one.
    """
    from qa.answering.decision import Policy
    from qa.evaluation.calibrate import (
        Models,
        Observed,
        calibrate,
        figures_by_file,
        observe,
        questions_of,
    )
    from qa.settings import CALIBRATION

    if (pools or held_out) and all(file.suffix == ".jsonl" for file in files):
        raise click.UsageError(
            "--pool-size and --held-out need a SQuAD-format FILE: JSON lines are asked of the index"
        )
    settings = settings_of(data)
    encoder, reader = encoder_of(settings), reader_of(settings)
    observed = []
    for file in files:
        asked, paragraphs = questions_of(file, pools, sample, held_out_only=held_out)
        # Uncalibrated: an earlier fit, perhaps of other models, must play no part in the new one.
        pipeline = pipeline_of(paragraphs, settings, encoder, reader, calibrated=False)
        observations = observe(asked, pipeline, QuestionProgress(len(asked)))
        observed.append(Observed(file.name, observations, pipeline.snapshot))
    calibration = calibrate(
        observed, Models(reader.fingerprint, encoder.card.fingerprint, settings.top_k)
    )
    path = (out or settings.data) / CALIBRATION
    calibration.save(path)
    click.echo(f"Fitted on {calibration.questions} questions: {path}")
    for precision, confidence in calibration.precisions:
        click.echo(f"precision {precision:.2f} from confidence {confidence:.2f}")
    policy = Policy(calibration, settings.target_precision, settings.likely_precision)
    click.echo(f"sure from {policy.sure_threshold:.2f}, likely from {policy.likely_threshold:.2f}")
    for figures in figures_by_file(observed, calibration, policy):
        click.echo(_figures_line(figures))


def _figures_line(figures: FileFigures) -> str:
    """Return the figures of one file as a line."""
    left_out = ""
    if figures.left_out_ece is not None and figures.left_out_auroc is not None:
        left_out = f"; left out: ECE {figures.left_out_ece:.3f}, AUROC {figures.left_out_auroc:.3f}"
    return (
        f"{figures.name}: {figures.questions} questions, best candidate right "
        f"{figures.right:.3f}; sure {figures.sure:.3f}, of these right "
        f"{_share(figures.sure_precision)}; likely {figures.likely:.3f}, of these right "
        f"{_share(figures.likely_precision)}; ECE {figures.ece:.3f}, AUROC {figures.auroc:.3f}"
        f"{left_out}"
    )


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
