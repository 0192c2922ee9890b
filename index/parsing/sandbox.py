"""Extraction in a process of its own, with limits of time, memory and output.

The process is killed and replaced when a file exceeds them.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import IO, Any, Self

from index import errors
from index.formats.detection import Kind
from index.formats.text_builder import ExtractedText

GIB = 1024**3
OUT_OF_TIME = getattr(signal, "SIGPROF", 0)
"""Signal that ends a worker which has used its processor time."""
PASSED_ON = frozenset(
    {
        "PATH",
        "LD_LIBRARY_PATH",
        "LANG",
        "LC_ALL",
        "LC_CTYPE",
        "TZ",
        "TESSDATA_PREFIX",
        "OMP_THREAD_LIMIT",
        "SYSTEMROOT",
        "TEMP",
        "TMP",
    }
)
"""Variables of the environment that a worker gets; a key or token is in none of them."""
LONGEST_HEAD = 64 * 1024
"""Bytes of an answer's first line; the longest holds a parser's message."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Resources that one file may use.

    `seconds` of processor time, `recognition` at most as many more seconds for the pages of a scan,
    `memory` as bytes of address space of the process, `output` as bytes of JSON that it returns.
    The defaults leave room for a PDF of 1,000 pages on a slow machine (60 seconds, 0.6 GiB) and for
    its text of 3 million characters. A busy machine may take `patience` times as long.
    """

    seconds: float = 120.0
    recognition: float = 6000.0
    patience: float = 10.0
    memory: int = 2 * GIB
    output: int = GIB // 4

    @property
    def wall_seconds(self) -> float:
        """Seconds after which a file is given up on a busy machine."""
        return self.seconds * self.patience


PageProgress = Callable[[int, int], None]
"""Receives how many pages of a long document were read, and how many it has."""


class Extraction:
    """Extracts the text of files, one after the other, in one process.

    The process starts with the first file and ends with `close`, or at the end of a `with` block.
    Not safe to use from several threads at a time, but for `interrupt`.
    """

    def __init__(self, limits: Limits = Limits()) -> None:
        self.limits = limits
        self.on_pages: PageProgress = lambda _read, _pages: None
        self._worker: subprocess.Popen[bytes] | None = None
        self._scratch: tempfile.TemporaryDirectory[str] | None = None
        self._is_interrupted = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def process_id(self) -> int | None:
        """Id of the worker process, None if there is none yet."""
        return self._worker.pid if self._worker else None

    def interrupt(self) -> None:
        """End the process from another thread: what is asked now or later fails."""
        self._is_interrupted = True
        worker = self._worker
        if worker is not None:
            _kill(worker)

    def close(self) -> None:
        """End the process."""
        worker, self._worker = self._worker, None
        if worker is not None:
            _kill(worker)
            worker.communicate()
        scratch, self._scratch = self._scratch, None
        if scratch is not None:
            scratch.cleanup()

    def __call__(self, kind: Kind, data: bytes) -> ExtractedText:
        """Return the text of a file's bytes. Raises LoadingError."""
        return ExtractedText.from_plain(json.loads(self.ask({"kind": kind.name}, data)))

    def ask(self, request: Mapping[str, Any], data: bytes) -> bytes:
        """Return the worker's answer to a request about a file's bytes.

        `index.parsing.sandbox_worker` describes the requests. Raises LoadingError.
        """
        worker = self._worker or self._start_worker()
        # Looked at after the start: `interrupt` has seen this process, or is seen here.
        if self._is_interrupted:
            self.close()
            raise errors.ExtractionLimit("was not read because the program ends: index it again")
        # The timer kills the worker, so that a read in `_exchange` that waits for it fails.
        self._timer = self._start_timer(worker, self.limits.wall_seconds)
        try:
            return self._exchange(worker, request, data)
        except (OSError, ValueError, KeyError, EOFError) as error:
            has_waited = not self._timer.is_alive()
            self.close()
            raise errors.ExtractionLimit(
                self._end_reason(worker.returncode, has_waited=has_waited)
            ) from error
        except KeyboardInterrupt:
            # An unread answer would be taken for that of the next file.
            self.close()
            raise
        finally:
            self._timer.cancel()

    def _end_reason(self, returncode: int, *, has_waited: bool) -> str:
        """Return why a worker ended in the middle of a file, and what to do."""
        if OUT_OF_TIME and returncode == -OUT_OF_TIME:
            reason = f"takes more than {self.limits.seconds:g} seconds of processor time to be read"
        elif has_waited:
            return (
                f"was not read in {self.limits.wall_seconds:g} seconds because the machine was "
                "too busy: index it again when there is less to do"
            )
        else:
            reason = "takes more memory than a file may, or crashes its reader"
        return f"{reason}: split it, or save it in another format"

    def _start_timer(self, worker: subprocess.Popen[bytes], seconds: float) -> threading.Timer:
        timer = threading.Timer(seconds, _kill, [worker])
        timer.start()
        return timer

    def _exchange(
        self, worker: subprocess.Popen[bytes], request: Mapping[str, Any], data: bytes
    ) -> bytes:
        """Send a request and return the payload of the answer.

        Raises LoadingError, and OSError, ValueError, KeyError or EOFError if the worker dies.
        """
        source, sink = worker.stdout, worker.stdin
        if source is None or sink is None:
            raise EOFError
        sink.write(json.dumps({**request, "size": len(data)}).encode() + b"\n" + data)
        sink.flush()
        head = self._read_head(worker, source)
        if head["size"] > self.limits.output:
            self.close()
            raise errors.ExtractionLimit(f"makes more than {self.limits.output:,} bytes: split it")
        payload = source.read(head["size"])
        if len(payload) < head["size"]:
            raise EOFError
        if head["worn"]:
            self.close()
        if not head["ok"]:
            raise _error_of(head)
        return payload

    def _read_head(self, worker: subprocess.Popen[bytes], source: IO[bytes]) -> dict[str, Any]:
        """Return the head of an answer; before it, the worker may tell and ask things."""
        while True:
            head: dict[str, Any] = json.loads(source.readline(LONGEST_HEAD))
            if "more_seconds" in head:
                self._grant(worker, head["more_seconds"])
            elif "pages" in head:
                self.on_pages(head["read"], head["pages"])
            else:
                return head

    def _grant(self, worker: subprocess.Popen[bytes], seconds: float) -> None:
        """Give a worker more time, within the limit of recognition."""
        extra = min(seconds, self.limits.recognition)
        self._timer.cancel()
        longest = self.limits.wall_seconds + extra * self.limits.patience
        self._timer = self._start_timer(worker, longest)

    def _start_worker(self) -> subprocess.Popen[bytes]:
        command = [
            sys.executable,
            "-P",
            "-m",
            "index.parsing.sandbox_worker",
            str(self.limits.memory),
            str(self.limits.seconds),
        ]
        self._scratch = tempfile.TemporaryDirectory(
            prefix="quoted-parser-", ignore_cleanup_errors=True
        )
        environment = _environment_of(os.environ) | {
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            "PYTHONUTF8": "1",
            "TMPDIR": self._scratch.name,
        }
        self._worker = subprocess.Popen(  # noqa: S603 - our own module
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            start_new_session=True,
        )
        return self._worker


def _environment_of(own: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that a worker needs: none of them is a secret, as a token may be."""
    return {name: value for name, value in own.items() if name in PASSED_ON}


def _kill(worker: subprocess.Popen[bytes]) -> None:
    """End a worker and the processes that it has started (tesseract).

    It leads a process group of its own on systems that have them.
    """
    if not hasattr(os, "killpg"):
        worker.kill()
    elif worker.returncode is None:  # not waited for yet, so no other process has its number
        with suppress(ProcessLookupError):
            os.killpg(worker.pid, signal.SIGKILL)


def extract_once(kind: Kind, data: bytes) -> ExtractedText:
    """Return the text of one file, extracted in a process for it alone. Raises LoadingError."""
    with Extraction() as extraction:
        return extraction(kind, data)


def _error_of(head: Mapping[str, Any]) -> errors.LoadingError:
    """Return the error that an answer names."""
    classes = {error.__name__: error for error in errors.LoadingError.__subclasses__()}
    return classes.get(str(head["error"]), errors.DamagedFile)(str(head["message"]))
