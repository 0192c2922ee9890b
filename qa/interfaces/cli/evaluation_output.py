"""Output of `qa eval`: figures with their intervals, tables, JSON and progress."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import click

from qa.interfaces.cli.options import echo_json
from qa.interfaces.cli.progress import PLAIN_SECONDS, Progress

if TYPE_CHECKING:
    from index.models.encoder import Encoder
    from qa.answering.pipeline import Pipeline
    from qa.answering.reading.reader import Reader
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
        """Return the share as a float; fail on anything else."""
        try:
            share = float(Fraction(value))
        except (ValueError, ZeroDivisionError):
            share = -1.0  # out of range, so that it fails below
        if not 0 <= share < 1:
            self.fail(
                f"expected a share from 0 to below 1, like 0.3 or 1/3, got {value!r}", param, ctx
            )
        return share


class QuestionProgress:
    """Progress on standard error: every few seconds, the questions done and their rate."""

    def __init__(self, total: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._total = total
        self._clock = clock
        self._began = self._last_shown = clock()

    def __call__(self, done: int) -> None:
        """Take the number of questions that are done."""
        now = self._clock()
        if now - self._last_shown >= PLAIN_SECONDS:
            self._last_shown = now
            rate = done / (now - self._began)
            seconds_left = (self._total - done) / rate
            click.echo(
                f"{done} of {self._total} questions, {rate:.1f}/s, about {seconds_left:.0f} s left",
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
    """Return a pipeline over a pool of paragraphs, or over the index if there are none.

    Shows the progress of embedding the pool. Raises NoIndex or StoreError.
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
    """Print figures, the cases by type of question, and the pairs of coverage and risk."""
    from qa.evaluation.cases import by_type

    for figure in figures:
        click.echo(f"{figure.name:46}{figure.text}")
    click.echo(
        f"\n{'type':16}{'questions':>10}{'accuracy':>17}{'answerable':>12}"
        f"{'span right':>12}{'span F1':>9}"
    )
    for row in by_type(cases):
        click.echo(
            f"{row.type:16}{row.questions:>10}{row.accuracy:>17.3f}{row.answerable:>12}"
            f"{_share_text(row.right):>12}{_share_text(row.f1):>9}"
        )
    if risks:
        click.echo("\ncoverage  " + "".join(f"{coverage:>7.0%}" for coverage, _ in risks))
        click.echo("risk      " + "".join(f"{risk:>7.3f}" for _, risk in risks))


def echo_measured(figures: Sequence[Figure], cases: Sequence[Case], **more: Any) -> None:  # noqa: ANN401 - whatever json takes
    """Print figures, their intervals, the types of question and each question as JSON.

    `more` are further entries of the object.
    """
    from qa.evaluation.cases import by_type
    from qa.evaluation.figures import intervals_of, values_of

    types = {}
    for row in by_type(cases):
        fields = asdict(row)
        types[fields.pop("type")] = fields
    echo_json(
        {
            "figures": values_of(figures),
            "intervals": intervals_of(figures),
            "types": types,
            **more,
            "questions": [_case_to_dict(case) for case in cases],
        }
    )


def _share_text(share: float | None) -> str:
    return "–" if share is None else f"{share:.3f}"


def _case_to_dict(case: Case) -> dict[str, Any]:
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
