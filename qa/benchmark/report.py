"""Report of a benchmark: a table, plain values for JSON, and a plot of cost against size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from statistics import median

from qa.benchmark.steps import Benchmark, Measurement
from qa.errors import QAError

PERCENTILES = (50, 95, 99)
_MEGA = 1e6


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that `share` percent of the values do not exceed, the nearest rank."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * share // 100).__trunc__() - 1)]


def plain(benchmark: Benchmark) -> dict[str, object]:
    """Return all values of a benchmark as JSON has them; seconds and bytes."""
    return {
        "text": benchmark.text,
        "vectors": "random",
        "seed": benchmark.seed,
        "steps": [
            {
                "step": each.step,
                "passages": each.size,
                "times": len(each.wall),
                **{f"p{share}": percentile(each.wall, share) for share in PERCENTILES},
                "cpu": median(each.cpu) if each.cpu else None,
                "rate": each.rate,
            }
            for each in benchmark.steps
            if each.wall
        ],
        "footprints": [asdict(each) for each in benchmark.footprints],
    }


def lines(benchmark: Benchmark) -> list[str]:
    """Return the table of a benchmark."""
    head = (
        f"{'passages':>10}  {'step':<12}{'p50 s':>9}{'p95 s':>9}{'p99 s':>9}{'CPU s':>9}{'/s':>9}"
    )
    rows = [_row(each) for each in benchmark.steps if each.wall]
    disk = [
        f"{each.size:>10,}  index.db {each.database / _MEGA:,.0f} MB"
        f" ({each.database / each.size / 1000:.2f} GB a million), derived"
        f" {each.derived / _MEGA:,.0f} MB; a server's memory: {each.memory.anonymous / _MEGA:,.0f}"
        f" MB anonymous, {each.memory.mapped / _MEGA:,.0f} MB mapped"
        for each in benchmark.footprints
    ]
    return [f"passages of {benchmark.text}, vectors at random", head, *rows, *disk]


def write_plot(benchmark: Benchmark, path: Path) -> None:
    """Draw the median of each step against the size as a PNG.

    Raises QAError without matplotlib.
    """
    if find_spec("matplotlib") is None:
        raise QAError("the plot needs matplotlib: pip install 'quoted-qa[eval]'")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    drawing = Figure(figsize=(7, 5), dpi=150, layout="constrained")
    FigureCanvasAgg(drawing)
    axes = drawing.add_subplot()
    names = dict.fromkeys(each.step for each in benchmark.steps if each.size)
    for name in names:
        found = [each for each in benchmark.steps if each.step == name and each.wall]
        sizes, medians = [each.size for each in found], [median(each.wall) for each in found]
        axes.plot(sizes, medians, marker="o", markersize=3, label=name)
    axes.set(
        xscale="log",
        yscale="log",
        xlabel="passages",
        ylabel="seconds, median",
        title="Cost against size",
    )
    axes.grid(alpha=0.3)
    axes.legend(frameon=False, fontsize="small", loc="center left", bbox_to_anchor=(1, 0.5))
    drawing.savefig(path, format="png", metadata={"Software": None})


def _row(step: Measurement) -> str:
    shares = "".join(f"{percentile(step.wall, share):9.3f}" for share in PERCENTILES)
    cpu = f"{median(step.cpu):9.3f}" if step.cpu else f"{'':9}"
    rate = f"{step.rate:9.1f}" if step.rate is not None else ""
    return f"{step.size or '':>10}  {step.step:<12}{shares}{cpu}{rate}"
