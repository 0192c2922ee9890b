"""The process that parses: reads files from standard input, one after the other, and writes what it extracted to standard output.

A message is a line of JSON and so many bytes as it says: {"kind": "pdf", "size": 123} and the file; {"ok": true, "size": 456} and the JSON of an
`Extracted`; or {"ok": false, "error": "DamagedFile", "message": "..."}. It is started by `index.extraction` and ends when its input ends.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from typing import BinaryIO

from index import errors
from index.formats import docx, eml, epub, html, odt, pdf, pptx, rtf, sheets
from index.formats.extracted import Extracted

FRAMES = 4000
"""Of Python's stack: elements inside each other take some frames each, and there are at most 256 (`huge_tree=False`)."""

EXTRACTORS: dict[str, Callable[[bytes], Extracted]] = {
    "pdf": pdf.extract,
    "docx": docx.extract,
    "pptx": pptx.extract,
    "sheet": sheets.extract_workbook,
    "csv": sheets.extract_csv,
    "html": html.extract,
    "epub": epub.extract,
    "odt": odt.extract,
    "rtf": rtf.extract,
    "eml": eml.extract,
}


def extract(kind: str, data: bytes) -> Extracted:
    """The text of a file; raises LoadingError and nothing else."""
    try:
        return EXTRACTORS[kind](data)
    except errors.LoadingError:
        raise
    except (MemoryError, RecursionError) as error:
        raise errors.ExtractionLimit("needs more memory to be read than a file may take: split it") from error
    except Exception as error:  # parsers raise anything on damaged files, and one file must not stop the rest
        raise errors.DamagedFile(
            f"expected a {kind} file, got one that cannot be read ({type(error).__name__}: {error}): open and save it again"
        ) from error


def limit_memory(limit: int) -> None:
    """Let this process have at most so many bytes of address space, where the system can; leave no core file."""
    try:
        import resource
    except ImportError:  # Windows
        return
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def limit_time(seconds: int) -> None:
    """Let the system end this process after so many seconds from now, if its parent cannot."""
    if hasattr(signal, "alarm"):
        signal.alarm(seconds)


def serve(source: BinaryIO, sink: BinaryIO, seconds: int) -> None:
    """Answer every request until the input ends, each within so many seconds."""
    while line := source.readline():
        request = json.loads(line)
        data = source.read(request["size"])
        limit_time(seconds)
        try:
            payload = json.dumps(extract(request["kind"], data).to_plain()).encode()
            head: dict[str, object] = {"ok": True, "size": len(payload)}
        except errors.LoadingError as error:
            payload, head = b"", {"ok": False, "size": 0, "error": type(error).__name__, "message": str(error)}
        sink.write(json.dumps(head).encode() + b"\n" + payload)
        sink.flush()
        limit_time(0)


def main() -> None:
    """Entry point, with the limits of memory in bytes and of time in seconds as arguments. What libraries print goes to standard error."""
    limit_memory(int(sys.argv[1]))
    sys.setrecursionlimit(FRAMES)
    sink = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    serve(sys.stdin.buffer, sink, int(sys.argv[2]))


if __name__ == "__main__":
    main()
