"""Tests of the progress of an indexing run, and of stopping it."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from index.ingestion.report import READING_SHARE, Outcome, Reporter, WorkMeter
from qa.interfaces.cli.progress import Progress
from tests.support.serving import Command

_WITH_CTRL_C = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])
"""
"""Program that runs a command for which Ctrl-C is not ignored, as it is in a shell's background."""


class Work(Reporter):
    """Reporter that records the bytes done."""

    def __init__(self) -> None:
        self.sizes: list[float] = []

    def on_work(self, size: float) -> None:
        self.sizes.append(size)


def test_the_parts_of_a_file_count() -> None:
    work = Work()
    meter = WorkMeter(work)
    meter.begin(1000)
    meter.read_part(0.5)
    meter.wait()
    meter.begin(400)
    meter.leave()  # unchanged
    meter.embed_part(0.5)
    meter.finish()

    read = 1000 * READING_SHARE
    assert work.sizes == [read / 2, read, 400 + read, 400 + read + (1000 - read) / 2, 1400]


def test_plain_lines_count_bytes_and_pages(capsys: pytest.CaptureFixture[str]) -> None:
    now = [0.0]
    progress = Progress(clock=lambda: now[0])
    progress.on_planned(2, 40_000_000)
    now[0] = 10.0
    progress.on_work(10_000_000)
    now[0] = 20.0
    progress.on_pages("manual.pdf", 210, 1619)
    progress.on_file(Outcome("manual.pdf", "added"))
    now[0] = 30.0
    progress.on_embedded(600)

    assert capsys.readouterr().err.splitlines() == [
        "10.0 of 40.0 MB, 0 of 2 files, 0 passages, 0/s, about 30 s left",
        (
            "10.0 of 40.0 MB, 0 of 2 files, 0 passages, 0/s, page 210 of 1,619 of manual.pdf, "
            "about 60 s left"
        ),
        "10.0 of 40.0 MB, 1 of 2 files, 600 passages, 20/s, about 90 s left",
    ]
    assert progress.kept == 1


@pytest.mark.slow
def test_a_stopped_run_says_what_is_kept_and_the_next_one_goes_on(
    tmp_path: Path, command: Command
) -> None:
    folder = tmp_path / "notes"
    folder.mkdir()
    for number in range(150):
        lines = (f"Buoy {number} of row {row} was painted red." for row in range(12))
        (folder / f"{number:03}.txt").write_text("\n\n".join(lines))

    with subprocess.Popen(
        [sys.executable, "-c", _WITH_CTRL_C, *command.line("index", str(folder))],
        env=command.environment,
        stderr=subprocess.PIPE,
        text=True,
    ) as run:
        first = run.stderr.readline()  # of progress: work has begun
        run.send_signal(signal.SIGINT)
        rest = run.stderr.read()
    again = command("index", str(folder))

    assert run.returncode == 130, first + rest
    assert "stay there; the same command goes on with the rest." in rest
    assert (again.returncode, again.stdout.count("unchanged")) == (0, 1)
