"""`qa calibrate`."""

from __future__ import annotations

from pathlib import Path

import click

from qa.interfaces.cli.evaluation_output import Rate, pipeline_of
from qa.interfaces.cli.options import NamedPath, data_option, encoder_of, reader_of, settings_of


@click.command("calibrate")
@click.argument("file", type=NamedPath(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--pool-size",
    "pools",
    multiple=True,
    type=click.IntRange(1),
    help="Ask of so many paragraphs a question; may be repeated (default 10, 100, 1000 and all). For a SQuAD-format FILE.",
)
@click.option(
    "--sample",
    type=click.IntRange(1),
    default=500,
    show_default=True,
    help="Questions asked of each pool.",
)
@click.option(
    "--held-out",
    is_flag=True,
    help="Ask only about the tenth of the articles that training leaves out.",
)
@click.option(
    "--out",
    type=NamedPath(path_type=Path, file_okay=False),
    help="Folder to write (default: the data directory).",
)
@data_option
def calibrate_command(
    file: Path,
    pools: tuple[int, ...],
    *,
    sample: int,
    held_out: bool,
    out: Path | None,
    data: Path | None,
) -> None:
    """Fit the confidence to the reader and the encoder that are set, on questions with known
    answers.

    FILE is SQuAD-format JSON, asked of its own paragraphs, a third of the questions with their
    article taken away; or JSON lines of id, question and answers (none: the documents do not say),
    asked of the index. Needed for a QUOTED_READER or QUOTED_MODEL of your own.
    """
    from qa.evaluation.calibrate import Models, calibrate, observe, questions_of
    from qa.settings import CALIBRATION

    if file.suffix == ".jsonl" and (pools or held_out):
        raise click.UsageError(
            "JSON lines are asked of the index: --pool-size and --held-out need a SQuAD-format FILE"
        )
    settings = settings_of(data)
    asked, paragraphs = questions_of(file, pools, sample, held_out_only=held_out)
    encoder, reader = encoder_of(settings), reader_of(settings)
    pipeline = pipeline_of(paragraphs, settings, encoder, reader, calibrated=False)
    observations = observe(asked, pipeline, Rate(len(asked)))
    found = calibrate(
        observations,
        pipeline.snapshot,
        Models(reader.fingerprint, encoder.card.fingerprint, settings.top_k),
        file.name,
    )
    path = (out or settings.data) / CALIBRATION
    found.save(path)
    click.echo(f"Fitted on {found.questions} questions: {path}")
    for precision, confidence in found.precisions:
        click.echo(f"precision {precision:.2f} from confidence {confidence:.2f}")
