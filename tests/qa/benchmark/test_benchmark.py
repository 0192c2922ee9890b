"""The benchmark: every step is measured at every size, and reported."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from index.store.snapshot import SqliteSnapshot
from qa.benchmark import report, steps
from qa.benchmark.collection import random_sentences, sentences_of
from qa.benchmark.processes import Memory, Server
from qa.benchmark.steps import Benchmark, Footprint, Measurement, Plan, measure
from tests.support.fakes import SharedWordsReader
from tests.support.serving import Command, carded, settings_in

STEPS = ["compact", "open", "retrieve", "read", "ask", "ask cold", "add", "delete", "served, 2"]


@contextmanager
def no_server(_: Path) -> Iterator[Server]:
    yield Server(1, 1)


def test_every_step_is_measured_at_every_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "run", lambda *_: 0.5)
    monkeypatch.setattr(steps, "serving", no_server)
    monkeypatch.setattr(steps, "_ask_until", lambda *given: given[-1].append(0.25))
    text = "The harbour master of the old town opens gate number {} at six in the morning."
    (tmp_path / "text.txt").write_text("\n\n".join(text.format(number) for number in range(9)))
    settings = settings_in(tmp_path)
    said: list[str] = []

    found = measure(
        Plan([20, 50], [2], 2, 0.0, [tmp_path / "text.txt"]),
        settings,
        carded(),
        SharedWordsReader(),
        said.append,
    )

    assert found.text == "sentences of the given files"
    assert [(each.step, each.size) for each in found.steps] == [
        ("encode", 0),
        ("index", 0),
        *((step, size) for size in (20, 50) for step in STEPS),
    ]
    assert all(each.wall for each in found.steps)
    assert [each.size for each in found.footprints] == [20, 50]
    assert all(each.database > 0 < each.derived for each in found.footprints)
    with closing(SqliteSnapshot(settings.data)) as snapshot:
        # What was added to be measured is gone again.
        assert snapshot.size == 50
        assert "gate number" in snapshot.chunk(int(snapshot.rows[0])).text
    assert len(report.lines(found)) == 2 + len(found.steps) + 2


def test_sentences_of_files_or_random_ones(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Short. The second sentence of this file is long enough to do.")
    (tmp_path / "b.bin").write_bytes(b"\0")

    [found] = sentences_of([tmp_path])

    assert found.text.startswith("The second")
    assert "enough" in found.terms
    assert random_sentences(3, 4) == random_sentences(3, 4) != random_sentences(4, 4)


@pytest.mark.parametrize(
    ("values", "expected"),
    [([3.0], [3.0, 3.0, 3.0]), (list(range(1, 101)), [50, 95, 99]), ([4, 1, 3, 2], [2, 4, 4])],
)
def test_percentiles_by_the_nearest_rank(values: list[float], expected: list[float]) -> None:
    assert [report.percentile(values, share) for share in report.PERCENTILES] == expected


def test_values_and_plot(tmp_path: Path) -> None:
    found = Benchmark(
        "random words",
        0,
        [Measurement("ask", 10, (0.2, 0.4), (0.1, 0.1)), Measurement("ask", 100, (0.3,), rate=3.0)],
        [Footprint(100, 2_000_000, 1_000_000, Memory(5, 6))],
    )

    values = json.loads(json.dumps(report.plain(found)))
    report.write_plot(found, tmp_path / "plot.png")

    assert values["steps"][0]["p50"] == 0.2
    assert values["steps"][0]["p99"] == 0.4
    assert values["footprints"][0]["memory"] == {"anonymous": 5, "mapped": 6}
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_a_small_collection_is_measured_by_the_command(command: Command, tmp_path: Path) -> None:
    arguments = ["--sizes", "100,200", "--askers", "1,2", "--questions", "1", "--seconds", "0.5"]

    done = command("bench", *arguments, "--json", "--keep", str(tmp_path / "bench"))

    assert done.returncode == 0, done.stderr
    values = json.loads(done.stdout)
    served = [each for each in values["steps"] if each["step"] == "served, 2"]
    assert [each["passages"] for each in served] == [100, 200]
    assert values["footprints"][1]["memory"]["anonymous"] > 0
    assert command("bench", "--keep", str(tmp_path / "bench")).returncode == 2
