"""Command `qa calibrate`."""

from __future__ import annotations

from pathlib import Path

import click

from qa.interfaces.cli.evaluation_output import QuestionProgress, pipeline_of
from qa.interfaces.cli.options import NamedPath, data_option, encoder_of, reader_of, settings_of


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
    from qa.evaluation.calibrate import Models, Observed, calibrate, observe, questions_of
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
