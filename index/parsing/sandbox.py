"""Extraction in a process of its own, with limits of time, memory and output, which is killed and
replaced when a file exceeds them.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from index import errors
from index.formats.detection import Kind
from index.formats.text_builder import ExtractedText, extracted_of

GIB = 1024**3
LONGEST_HEAD = 64 * 1024
"""Bytes of an answer's first line; the longest holds a parser's message."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one file may take: seconds of wall time, and as many more at most as recognising the
    pages of a scan takes, bytes of address space of the process, bytes of JSON that it returns.

    The defaults leave room for a PDF of 1,000 pages on a slow machine (60 seconds, 0.6 GiB) and for
    its text of 3 million characters.
    """

    seconds: float = 120.0
    recognition: float = 6000.0
    memory: int = 2 * GIB
    output: int = GIB // 4


class Extraction:
    """Extracts the text of files one after the other in one process, started with the first; `with`
    or `close` ends it.
    """

    def __init__(self, limits: Limits = Limits()) -> None:
        self.limits = limits
        self._worker: subprocess.Popen[bytes] | None = None

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
        """Of the process that parses, None if there is none yet."""
        return self._worker.pid if self._worker else None

    def close(self) -> None:
        """End the process."""
        worker, self._worker = self._worker, None
        if worker is not None:
            _kill(worker)
            worker.communicate()

    def __call__(self, kind: Kind, data: bytes) -> ExtractedText:
        """The text of a file's bytes; raises LoadingError."""
        return extracted_of(json.loads(self.ask({"kind": kind.name}, data)))

    def ask(self, request: Mapping[str, Any], data: bytes) -> bytes:
        """What the process answers to a request (see `index.parsing.sandbox_worker`) about a file's
        bytes; raises LoadingError.
        """
        worker = self._worker or self._started()
        self._timer = self._limit(worker, self.limits.seconds)
        try:
            return self._answer(worker, request, data)
        except (OSError, ValueError, KeyError, EOFError) as error:
            late = not self._timer.is_alive()
            self.close()
            reason = (
                "takes too many seconds to be read"
                if late
                else "takes more memory than a file may, or crashes its reader"
            )
            raise errors.ExtractionLimit(
                f"{reason}: split it, or save it in another format"
            ) from error
        except (
            KeyboardInterrupt
        ):  # an answer that was not read would be taken for that of the next file
            self.close()
            raise
        finally:
            self._timer.cancel()

    def _limit(self, worker: subprocess.Popen[bytes], seconds: float) -> threading.Timer:
        timer = threading.Timer(seconds, _kill, [worker])
        timer.start()
        return timer

    def _answer(
        self, worker: subprocess.Popen[bytes], request: Mapping[str, Any], data: bytes
    ) -> bytes:
        source, sink = worker.stdout, worker.stdin
        if source is None or sink is None:
            raise EOFError
        sink.write(json.dumps({**request, "size": len(data)}).encode() + b"\n" + data)
        sink.flush()
        head = json.loads(source.readline(LONGEST_HEAD))
        if "more_seconds" in head:
            self._timer.cancel()
            self._timer = self._limit(
                worker, self.limits.seconds + min(head["more_seconds"], self.limits.recognition)
            )
            head = json.loads(source.readline(LONGEST_HEAD))
        if head["size"] > self.limits.output:
            self.close()
            raise errors.ExtractionLimit(f"makes more than {self.limits.output:,} bytes: split it")
        payload = source.read(head["size"])
        if len(payload) < head["size"]:
            raise EOFError
        if head["worn"]:
            self.close()
        if not head["ok"]:
            raise _error(head)
        return payload

    def _started(self) -> subprocess.Popen[bytes]:
        command = [
            sys.executable,
            "-P",
            "-m",
            "index.parsing.sandbox_worker",
            str(self.limits.memory),
            str(int(2 * self.limits.seconds) + 1),
        ]
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            "PYTHONUTF8": "1",
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


def _kill(worker: subprocess.Popen[bytes]) -> None:
    """End a process with those that it has started (tesseract): it leads a group of its own, where
    there are groups.
    """
    if not hasattr(os, "killpg"):
        worker.kill()
    elif worker.returncode is None:  # not waited for yet, so that no other process has its number
        with suppress(ProcessLookupError):
            os.killpg(worker.pid, signal.SIGKILL)


def extract_once(kind: Kind, data: bytes) -> ExtractedText:
    """The text of one file, in a process for it alone; raises LoadingError."""
    with Extraction() as extraction:
        return extraction(kind, data)


def _error(head: dict[str, Any]) -> errors.LoadingError:
    named = {kind.__name__: kind for kind in errors.LoadingError.__subclasses__()}
    return named.get(str(head["error"]), errors.DamagedFile)(str(head["message"]))
