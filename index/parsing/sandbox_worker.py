"""The process that parses: reads files from standard input, one after the other, and writes what it
extracted to standard output.

A message is a line of JSON and as many bytes as it says: {"kind": "pdf", "size": 123} and the file;
{"ok": true, "size": 456} and the JSON of an `ExtractedText`; or {"ok": false, "error": "DamagedFile",
"message": "..."}. With {"draw": {"number": 3, "width": 1200}} in the line the answer is a page of a
PDF as PNG, with {"locate": {"number": 3, "texts": [...], "start": 10, "end": 20}} the JSON of a
`PageView`. An answer says whether the process is `worn`: a large file has left it large. Before an
answer {"more_seconds": 60} may say that the pages of a scan are recognised now. It is started by
`index.parsing.sandbox` and ends when its input ends, also amid a file.
"""

from __future__ import annotations

import json
import mmap
import os
import select
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path, PurePath
from typing import Any, BinaryIO

from index import errors
from index.formats import eml, epub, html, ocr, rtf
from index.formats.detection import TEXTS, kind_of
from index.formats.office import docx, odt, pptx
from index.formats.office import spreadsheet as sheets
from index.formats.page_view import PageText
from index.formats.pdf import extract as pdf
from index.formats.text_builder import ExtractedText, TextBuilder
from index.text.encoding import decode

FRAMES = 4000
"""Of Python's stack: elements inside each other take some frames each, and there are at most 256
(`huge_tree=False`).
"""

MoreTime = Callable[[int], None]

EXTRACTORS: dict[str, Callable[[bytes], ExtractedText]] = {
    "pdf": pdf.extract,
    "docx": docx.extract,
    "pptx": pptx.extract,
    "sheet": sheets.extract_workbook,
    "csv": sheets.extract_csv,
    "html": html.extract,
    "epub": epub.extract,
    "odt": odt.extract,
    "rtf": rtf.extract,
    "eml": lambda data: eml.extract(data, _attachment),
}


def _attachment(name: str, data: bytes) -> ExtractedText:
    """A file inside a mail; raises LoadingError. Mails in mails are not read, nor are scans
    recognised.
    """
    suffix = PurePath(name).suffix.lower()
    kind = kind_of(suffix, data)
    if kind is None and suffix in TEXTS:
        writer = TextBuilder()
        writer.paragraph(decode(data).text)
        return writer.finished()
    if kind is None or kind.name == "eml":
        raise errors.UnsupportedFormat("is of no format that is read")
    return extract(kind.name, data)


def extract(kind: str, data: bytes, more_time: MoreTime | None = None) -> ExtractedText:
    """The text of a file; raises LoadingError and nothing else. `more_time` hears for how many
    seconds the pages of a scan may be recognised; without it they are not.
    """
    with _explained(kind):
        return _extracted(kind, data, more_time)


def look(request: Mapping[str, Any], data: bytes) -> bytes:
    """A page of a PDF as PNG, or as the JSON of a `PageView`, as the request says; raises
    LoadingError and nothing else.
    """
    from index.formats.pdf import page_view as pdf_view  # with numpy, which extraction does without

    with _explained(request["kind"]):
        if "draw" in request:
            return pdf_view.draw_page(data, **request["draw"])
        texts = [PageText(*each) for each in request["locate"].pop("texts")]
        return json.dumps(
            asdict(pdf_view.locate_text(data, texts=texts, **request["locate"]))
        ).encode()


@contextmanager
def _explained(kind: str) -> Iterator[None]:
    """What parsers raise, as a LoadingError."""
    try:
        yield
    except errors.LoadingError:
        raise
    except (MemoryError, RecursionError) as error:
        raise errors.ExtractionLimit(
            "needs more memory to be read than a file may take: split it"
        ) from error
    except (
        Exception
    ) as error:  # parsers raise anything on damaged files, and one file must not stop the rest
        raise errors.DamagedFile(
            f"expected a {kind} file, got one that cannot be read ({type(error).__name__}: {error}): open and save it again"
        ) from error


def _extracted(kind: str, data: bytes, more_time: MoreTime | None) -> ExtractedText:
    if kind == "pdf" and more_time is not None and ocr.tesseract_version() is not None:
        return pdf.extract(data, more_time)
    return EXTRACTORS[kind](data)


def limit_memory(limit: int) -> None:
    """Let this process have at most so many bytes of address space, where the system can; leave no
    core file.
    """
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


def end_with(source: int) -> None:
    """Let this process, and those of its group, end as soon as nobody can write to the pipe that it
    reads: who asked it has been killed. Where the system tells of that by a signal; a thread that
    waits for it would take address space.
    """
    try:
        import fcntl
    except ImportError:  # Windows
        return

    def look(*_: object) -> None:
        pipe = (
            select.poll()
        )  # of each call its own: while one waits, a signal may come and make another
        pipe.register(source, 0)  # its end is told in any case
        if pipe.poll(0):
            os.killpg(0, signal.SIGKILL)

    signal.signal(signal.SIGIO, look)
    fcntl.fcntl(source, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(source, fcntl.F_SETFL, fcntl.fcntl(source, fcntl.F_GETFL) | os.O_ASYNC)


def serve(source: BinaryIO, sink: BinaryIO, seconds: int, memory: int) -> None:
    """Answer every request until the input ends, each within so many seconds."""

    def more_time(extra: int) -> None:
        limit_time(seconds + extra)
        sink.write(json.dumps({"more_seconds": extra}).encode() + b"\n")
        sink.flush()

    while line := source.readline():
        request = json.loads(line)
        data = source.read(request["size"])
        limit_time(seconds)
        try:
            payload = _answer(request, data, more_time)
            head: dict[str, object] = {"ok": True, "size": len(payload)}
        except errors.LoadingError as error:
            payload, head = (
                b"",
                {"ok": False, "size": 0, "error": type(error).__name__, "message": str(error)},
            )
        head["worn"] = present_size() > memory // 2
        sink.write(json.dumps(head).encode() + b"\n" + payload)
        sink.flush()
        limit_time(0)


def _answer(request: Mapping[str, Any], data: bytes, more_time: MoreTime) -> bytes:
    if request.keys() & {"draw", "locate"}:
        return look(request, data)
    return json.dumps(extract(request["kind"], data, more_time).to_plain()).encode()


def present_size() -> int:
    """Bytes of address space that this process has, where Linux says so."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[0]) * mmap.PAGESIZE
    except OSError:
        return 0


def main() -> None:
    """Entry point, with the limits of memory in bytes and of time in seconds as arguments. What
    libraries print goes to standard error.
    """
    memory, seconds = map(int, sys.argv[1:3])
    limit_memory(memory)
    sys.setrecursionlimit(FRAMES)
    if hasattr(os, "getpgrp") and os.getpgrp() == os.getpid():  # as it is started
        end_with(sys.stdin.fileno())
    sink = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    serve(sys.stdin.buffer, sink, seconds, memory)


if __name__ == "__main__":
    main()
