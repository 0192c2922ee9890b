"""Helpers of the tests of `qa`: a carded encoder, small indexes, the command, a server."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import repeat
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

import httpx

from index.ingestion.report import Summary
from index.models.encoder import Encoder
from index.models.encoder_conversion import EncoderCard
from index.parsing.loader import fold_newlines
from qa.answering.pipeline import Pipeline
from qa.answering.reading.reader import Reader
from qa.bootstrap import load_pipeline
from qa.library.documents import index_paths
from qa.settings import Settings
from tests.support.fakes import DIMENSION, FakeEncoder, RecordingReporter, SharedWordsReader

SEEDS = Path(__file__).resolve().parents[2] / "seeds"
PATIENCE = 120.0
"""Seconds that a subprocess on a busy machine may take for what takes one."""


@dataclass
class CardedEncoder(FakeEncoder):
    """The fake encoder with the attributes that `qa.bootstrap` needs of a model."""

    precision: str = "f32"

    @property
    def card(self) -> EncoderCard:
        """A card whose fingerprint is the model's name."""
        return EncoderCard(self.model, DIMENSION, 256, "", "")


def carded(model: str = "fake", passage_budget: int = 40) -> Encoder:
    """Return a fake encoder, typed as an `Encoder`."""
    return cast("Encoder", CardedEncoder(passage_budget, model))


def settings_in(folder: Path, **changes: Any) -> Settings:
    """Return settings with a data directory and a cache of their own below `folder`."""
    return Settings(data=folder / "data", cache=folder / "cache", **changes)


def write_files(folder: Path, files: Mapping[str, str | bytes]) -> None:
    """Write files into a folder, which is created if it is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())


def indexed(
    settings: Settings, encoder: Encoder, folder: Path, files: Mapping[str, str | bytes]
) -> Summary:
    """Write files into `folder` and index it."""
    write_files(folder, files)
    return index_paths(settings, encoder, [folder], RecordingReporter())


def copied(source: Path, target: Path) -> Path:
    """Copy a data directory without its state; return the copy.

    A server that looks at it makes and deletes SQLite's log and shared memory meanwhile.
    """
    passing = shutil.ignore_patterns("state.db*", "*.db-wal", "*.db-shm")
    return Path(shutil.copytree(source, target, ignore=passing))


def pipeline_of(
    folder: Path, files: Mapping[str, str | bytes], reader: Reader | None = None, **changes: Any
) -> Pipeline:
    """Return a pipeline with a fake encoder over files written below `folder`.

    The reader is a fake one unless given.
    """
    settings = settings_in(folder, **changes)
    indexed(settings, carded(), folder / "corpus", files)
    return load_pipeline(settings, carded(), reader or SharedWordsReader())


def citations_in(answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return all citations in an answer's JSON, with their further places.

    They are those of its spans, its alternatives, its conflicts and what was earlier.
    """
    spans = answer["answers"] + answer["alternatives"] + answer["conflicts"] + answer["earlier"]
    return [citation for span in spans for citation in (span["citation"], *span["further"])]


def assert_quoted(citation: Mapping[str, Any], text: str, file: bytes, encoding: str) -> None:
    """Assert that the quote stands in the text, in its sentence and in the file as cited."""
    quote, sentence = citation["quote"], citation["sentence"]
    assert quote
    assert text[citation["start"] : citation["end"]] == quote
    assert text[citation["sentence_start"] : citation["sentence_end"]] == sentence
    assert (
        citation["sentence_start"]
        <= citation["start"]
        < citation["end"]
        <= citation["sentence_end"]
    )
    assert quote in sentence
    assert (
        fold_newlines(file[citation["byte_start"] : citation["byte_end"]].decode(encoding))[0]
        == quote
    )
    assert citation["line"] == text[: citation["start"]].count("\n") + 1


@dataclass(frozen=True)
class Command:
    """The `qa` command of this environment, with a data directory and a model cache of its own."""

    data: Path
    cache: Path
    extra: Mapping[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """The environment of the test run without its QUOTED_ settings, then ours.

        The compiled modules are kept, because hundreds of commands import them.
        """
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("QUOTED_", "COV", "COLUMNS", "PYTHONDONTWRITEBYTECODE"))
        }
        ours = {"QUOTED_DATA": str(self.data), "QUOTED_CACHE": str(self.cache), "PYTHONUTF8": "1"}
        return inherited | ours | dict(self.extra)

    def on(self, data: Path, **extra: str) -> Command:
        """Return the same command with another data directory."""
        return replace(self, data=data, extra={**self.extra, **extra})

    def line(self, *arguments: str | bytes) -> list[str | bytes]:
        """Return the command line."""
        return [str(Path(sys.executable).with_name("qa")), *arguments]

    def __call__(
        self, *arguments: str | bytes, stdin: bytes = b""
    ) -> subprocess.CompletedProcess[str]:
        """Run the command to its end."""
        done = subprocess.run(
            self.line(*arguments),
            input=stdin,
            capture_output=True,
            check=False,
            env=self.environment,
            timeout=3 * PATIENCE,
        )
        return subprocess.CompletedProcess(
            done.args, done.returncode, done.stdout.decode(), done.stderr.decode()
        )


def eventually(condition: Callable[[], object]) -> float:
    """Wait until a condition holds; return the seconds that it took."""
    began = time.monotonic()
    pauses = _pauses()
    while not condition():
        assert time.monotonic() - began < PATIENCE, "it never happened"
        time.sleep(next(pauses))
    return time.monotonic() - began


def _pauses() -> Iterator[float]:
    """Yield the seconds between two looks; longer ones after the first, which cost time, too."""
    yield from (0.02, 0.02, 0.04, 0.04, 0.06, 0.08)
    yield from repeat(0.1)


class Server:
    """A real `qa serve` on a free port of loopback; `with` stops it."""

    def __init__(self, command: Command, *prefix: str, arguments: Sequence[str] = ()) -> None:
        """Start the server and wait until it listens.

        `prefix` is a command to run it under, such as strace.
        """
        command.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._log = command.data.parent / f"{command.data.name}-serve.log"
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [*prefix, *command.line("serve", "--port", "0", *arguments)],
                env=command.environment,
                stdout=log,
                stderr=log,
            )
        found = self._waited(lambda: re.search(r"running on (http://127\.0\.0\.1:(\d+))", self.log))
        self.url, self.port = found[1], int(found[2])
        self._pid = int(
            re.findall(r"server process \[(\d+)\]", self.log)[0]
        )  # behind a prefix, not that of `process`
        self.client = httpx.Client(base_url=self.url, timeout=PATIENCE, trust_env=False)

    @property
    def log(self) -> str:
        """The output so far."""
        return self._log.read_text("utf-8", "replace")

    def ready(self) -> Self:
        """Wait until the server answers questions."""
        self._waited(lambda: self.client.get("/readyz").status_code == httpx.codes.OK)
        return self

    def stop(self) -> int:
        """Send SIGTERM and return the exit status."""
        self.client.close()
        if self.process.poll() is None:
            os.kill(self._pid, signal.SIGTERM)
        try:
            return self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            os.kill(self._pid, signal.SIGKILL)
            raise

    def _waited(self, condition: Any) -> Any:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and self.process.poll() is None:
            found = condition()
            if found:
                return found
            time.sleep(0.05)
        self.process.kill()
        raise AssertionError(f"the server did not come up:\n{self.log}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
