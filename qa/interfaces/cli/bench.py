"""Command `qa bench`."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import click

from qa.interfaces.cli.options import (
    NamedPath,
    echo_json,
    echo_line,
    encoder_of,
    json_option,
    reader_of,
    settings_of,
)

SIZES, ASKERS = (20_000, 100_000), (1, 4, 16, 64)


class Numbers(click.ParamType):  # type: ignore[type-arg]  # not generic before click 8.2
    """Ascending whole numbers from 1 with commas between them."""

    name = "numbers"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        """Return the numbers; fails for anything else."""
        if isinstance(value, tuple):
            return value
        parts = str(value).split(",")
        if not all(part.strip().isdecimal() and int(part) for part in parts):
            self.fail(f"expected numbers like 20000,100000, got {value!r}", param, ctx)
        return tuple(sorted({int(part) for part in parts}))


@click.command("bench")
@click.argument("paths", nargs=-1, type=NamedPath(path_type=Path, exists=True))
@click.option("--sizes", type=Numbers(), default=SIZES, help="Passages, e.g. 20000,100000.")
@click.option("--askers", type=Numbers(), default=ASKERS, help="Askers at once, e.g. 1,4,16.")
@click.option("--questions", type=click.IntRange(1), default=20, show_default=True)
@click.option(
    "--seconds",
    type=click.FloatRange(0),
    default=10.0,
    show_default=True,
    help="Time in which each number of askers begins questions.",
)
@click.option("--seed", type=int, default=0, show_default=True)
@click.option(
    "--keep",
    type=NamedPath(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Make the collection in this new folder and keep it.",
)
@click.option(
    "--png",
    type=NamedPath(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Also draw the cost of each step against the size.",
)
@json_option
def bench(  # noqa: PLR0913 - as many as it has options
    *,
    paths: tuple[Path, ...],
    sizes: tuple[int, ...],
    askers: tuple[int, ...],
    questions: int,
    seconds: float,
    seed: int,
    keep: Path | None,
    png: Path | None,
    as_json: bool,
) -> None:
    """Measure what indexing and answering cost in collections of several sizes.

    The passages are put together of the sentences of PATHS, or of random words; your own index is
    not touched. 20,000 passages take 0.1 GB and some minutes, a million 8 GB and hours.
    """
    from qa.benchmark import report
    from qa.benchmark.steps import Plan, measure

    settings = settings_of(None)
    encoder, reader = encoder_of(settings), reader_of(settings)
    plan = Plan(sizes, askers, questions, seconds, paths, seed)
    with ExitStack() as stack:
        if keep is not None and keep.exists() and any(keep.iterdir()):
            raise click.UsageError(f"{keep} is not empty: name a new folder")
        folder = keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="qa-bench-")))
        found = measure(
            plan,
            replace(settings, data=folder),
            encoder,
            reader,
            lambda text: echo_line(text, err=True),
        )
    if png:
        report.write_plot(found, png)
    if as_json:
        echo_json(report.plain(found))
    else:
        for line in report.lines(found):
            echo_line(line)
