"""Workers of a real Ray cluster, of one node on this machine; needs the extra `ray`."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from index.cluster.node_reader import ReaderCard
from index.cluster.ray_connection import connected
from index.cluster.ray_workers import RayWorkers
from index.errors import ClusterError
from index.ingestion.distribution import Distribution
from index.ingestion.ingest import Ingestion, ingest
from index.ingestion.reading_order import SourceFile
from tests.support.fakes import FakeEncoder, RecordingReporter
from tests.support.stores import embedded_store

pytest.importorskip("ray", reason="the extra `ray` is not installed")
pytestmark = pytest.mark.slow
LETHAL = "ends its worker once"


@dataclass
class _Lethal(FakeEncoder):
    """Encoder whose process is killed at the first text that says so."""

    mark: Path = Path()

    def encode_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:  # type: ignore[override]
        if any(LETHAL in text for text in texts) and not self.mark.exists():
            self.mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().encode_passages(texts)


def _load(mark: Path) -> tuple[_Lethal, str]:
    return _Lethal(mark=mark), "fake"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Run a cluster of two cores, and return its address."""
    # A path that is short enough for Ray's sockets.
    folder = tempfile.mkdtemp(prefix="qray", dir="/tmp")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    command = [sys.executable, "-c", "from ray.scripts.scripts import main; main()", "start"]
    options = ["--head", "--block", f"--port={port}", "--num-cpus=2", "--disable-usage-stats"]
    places = ["--node-ip-address=127.0.0.1", f"--temp-dir={folder}", "--include-dashboard=false"]
    limits = ["--object-store-memory=100000000", "--min-worker-port=0", "--max-worker-port=0"]
    root = str(Path(__file__).resolve().parents[3])
    node = subprocess.Popen(
        [*command, *options, *places, *limits],
        env={**os.environ, "PYTHONPATH": root, "RAY_USAGE_STATS_ENABLED": "0"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        assert node.stdout is not None
        lines = iter(node.stdout.readline, "")
        assert any("Ray runtime started" in line for line in lines)
        yield f"127.0.0.1:{port}"
    finally:
        node.terminate()
        node.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _index(corpus: Path, folder: Path, workers: RayWorkers) -> tuple[RecordingReporter, list[str]]:
    def distribute(run: Ingestion, files: Sequence[SourceFile]) -> None:
        Distribution(run, workers).process(files)

    reporter, backend = RecordingReporter(), embedded_store(folder)
    with backend.open_writer(lambda _: None, None) as store, store.writing():
        store.claim_model("fake", "fake")
        ingest([corpus], store, FakeEncoder(), reporter, distribute=distribute)
    with closing(backend.open_snapshot()) as snapshot:
        return reporter, sorted(info.uri for info in snapshot.documents())


def test_files_are_read_by_a_cluster_whose_workers_end(address: str, tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for number in range(20):
        what = LETHAL if number == 7 else "stays as it is"
        (corpus / f"{number}.txt").write_text(f"Note {number} {what}.")
    (corpus / "page.html").write_text("<p>The harbour opens at seven.</p>")
    mark = tmp_path / "mark"
    with (
        connected(address),
        closing(RayWorkers(partial(_load, mark), ReaderCard.of("fake"))) as workers,
    ):
        reporter, uris = _index(corpus, tmp_path, workers)

    assert mark.exists()
    assert uris == sorted([*(f"{number}.txt" for number in range(20)), "page.html"])
    assert [outcome.status for outcome in reporter.outcomes] == ["added"] * 21
    assert reporter.passages == 21


def test_a_cluster_with_another_model_is_refused(address: str, tmp_path: Path) -> None:
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "a.txt").write_text("Text.")
    with (
        connected(address),
        closing(RayWorkers(partial(_load, tmp_path), ReaderCard.of("another"))) as workers,
        pytest.raises(ClusterError, match="its model is fake, here it is another"),
    ):
        _index(tmp_path / "corpus", tmp_path, workers)
