"""What `qa eval` prints: figures with their intervals, tables, JSON, and progress with a rate."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import click

from qa.interfaces.cli.options import PLAIN_SECONDS, Progress, echo_json

if TYPE_CHECKING:
    from index.models.encoder import Encoder
    from qa.answering.pipeline import Pipeline
    from qa.answering.reader import Reader
    from qa.evaluation.cases import Case
    from qa.evaluation.figures import Figure
    from qa.settings import Settings


class Share(click.ParamType[float]):
    """A share in [0, 1), as a decimal or a fraction ("1/3")."""

    name = "share"

    def convert(
        self,
        value: Any,  # noqa: ANN401
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> float:
        """The share as a float; fails on anything else."""
        try:
            share = float(Fraction(value))
        except (ValueError, ZeroDivisionError):
            share = -1.0
        if not 0 <= share < 1:
            self.fail(
                f"expected a share from 0 to below 1, like 0.3 or 1/3, got {value!r}", param, ctx
            )
        return share


class Rate:
    """Tells standard error, every few seconds, how many questions are done and how fast."""

    def __init__(self, total: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._total = total
        self._clock = clock
        self._began = self._last = clock()

    def __call__(self, done: int) -> None:
        """So many are done."""
        now = self._clock()
        if now - self._last >= PLAIN_SECONDS:
            self._last = now
            rate = done / (now - self._began)
            left = (self._total - done) / rate
            click.echo(
                f"{done} of {self._total} questions, {rate:.1f}/s, about {left:.0f} s left",
                err=True,
            )


def pipeline_of(
    paragraphs: Sequence[str],
    settings: Settings,
    encoder: Encoder,
    reader: Reader,
    *,
    calibrated: bool = True,
) -> Pipeline:
    """A pipeline over a pool of paragraphs, with progress, or without any over the index; raises
    NoIndex or StoreError.
    """
    from qa.bootstrap import load_pipeline, pipeline_over
    from qa.evaluation.pool import open_pool

    if not paragraphs:
        return load_pipeline(settings, encoder, reader, calibrated=calibrated)
    progress = Progress()
    snapshot = open_pool(paragraphs, settings, encoder, progress)
    progress.close()
    return pipeline_over(snapshot, settings, encoder, reader, calibrated=calibrated)


def echo_figures(
    figures: Sequence[Figure], cases: Sequence[Case], risks: Sequence[tuple[float, float]] = ()
) -> None:
    """Print figures, the cases by type of question, and (coverage, risk) rows, for people."""
    from qa.evaluation.cases import by_type

    for figure in figures:
        click.echo(f"{figure.name:46}{figure.text}")
    click.echo(
        f"\n{'type':16}{'questions':>10}{'as it should be':>17}{'answerable':>12}{'span right':>12}{'span F1':>9}"
    )
    for each in by_type(cases):
        right, f1 = (
            f"{value:.3f}" if value is not None else "–" for value in (each.right, each.f1)
        )
        click.echo(
            f"{each.type:16}{each.questions:>10}{each.accuracy:>17.3f}{each.answerable:>12}{right:>12}{f1:>9}"
        )
    if risks:
        click.echo("\ncoverage  " + "".join(f"{coverage:>7.0%}" for coverage, _ in risks))
        click.echo("risk      " + "".join(f"{risk:>7.3f}" for _, risk in risks))


def echo_measured(figures: Sequence[Figure], cases: Sequence[Case], **more: Any) -> None:  # noqa: ANN401 - whatever json takes
    """Print the same as JSON, and each question."""
    from qa.evaluation.cases import by_type
    from qa.evaluation.figures import intervals_of, values_of

    types = {
        each.type: {name: value for name, value in asdict(each).items() if name != "type"}
        for each in by_type(cases)
    }
    questions = [_plain(case) for case in cases]
    echo_json(
        {
            "figures": values_of(figures),
            "intervals": intervals_of(figures),
            "types": types,
            **more,
            "questions": questions,
        }
    )


def _plain(case: Case) -> dict[str, Any]:
    best = case.quote.text if case.quote else None
    return {
        "id": case.id,
        "question": case.question,
        "type": case.type,
        "expected": case.expected,
        "answer": best if case.answered else None,
        "best": best,
        "score": case.score if case.quote else None,
        "right": case.good,
        "verdict": case.verdict,
    }
