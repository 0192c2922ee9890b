"""Worker process that parses files for `index.parsing.sandbox`.

It reads requests from standard input, one after the other, and writes answers to standard output.
A message is a line of JSON, the head, and as many bytes as its `size` says:

- request: {"kind": "pdf", "size": 123} and the file; the answer is the JSON of an `ExtractedText`
- with {"draw": {"number": 3, "width": 1200}} in the head: the answer is a page of a PDF as PNG
- with {"locate": {"number": 3, "texts": [...], "start": 10, "end": 20}} in the head: the answer is
  the JSON of a `PageView`
- answer: {"ok": true, "size": 456, "worn": false} and the payload
- error: {"ok": false, "size": 0, "error": "DamagedFile", "message": "...", "worn": false}

`worn` says that a large file has left the process large, and that it should be replaced. Before an
answer {"more_seconds": 60} may say that the pages of a scan are recognised now, and
{"read": 120, "pages": 619} how far a long document is. The process ends when its input ends, also
in the middle of a file.
"""

from __future__ import annotations

import json
import mmap
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path, PurePath
from typing import Any, BinaryIO

from index import errors
from index.formats import epub, html, legacy_office, notebook, ocr, rtf, subtitles, xml_text
from index.formats.detection import is_text_name, kind_of
from index.formats.mail import eml, mbox, msg
from index.formats.office import docx, odt, pptx, spreadsheet, xml_files
from index.formats.page_view import PageText
from index.formats.pdf import extract as pdf
from index.formats.plain_body import write_plain_text
from index.formats.text_builder import ExtractedText, TextBuilder
from index.parsing.fence import put_up
from index.text.encoding import decode

MAX_FRAMES = 4000
"""Frames of Python's stack.

Elements inside each other take some frames each, and there are at most 256 (`huge_tree=False`).
"""

MoreTime = Callable[[int], None]
"""Announces for how many more seconds the pages of a scan are recognised."""
PAGES_SECONDS = 1.0
"""Seconds between two announcements of the pages that were read."""

EXTRACTORS: dict[str, Callable[[bytes], ExtractedText]] = {
    "pdf": pdf.extract,
    "docx": docx.extract,
    "pptx": pptx.extract,
    "sheet": spreadsheet.extract_workbook,
    "csv": spreadsheet.extract_csv,
    "html": html.extract,
    "epub": epub.extract,
    "odt": odt.extract,
    "rtf": rtf.extract,
    "eml": lambda data: eml.extract(data, _extract_attachment),
    "msg": lambda data: eml.extract_message(
        msg.parse_message(data), eml.in_time(_extract_attachment)
    ),
    "mbox": lambda data: mbox.extract(data, eml.in_time(_extract_attachment)),
    "doc": lambda data: docx.extract(legacy_office.modernised(data, "doc")),
    "ppt": lambda data: pptx.extract(legacy_office.modernised(data, "ppt")),
    "subtitles": subtitles.extract,
    "notebook": notebook.extract,
    "xml": lambda data: xml_files.extract_office(data) or xml_text.extract(data),
}
"""Extractors by the name of the format."""


def _extract_attachment(name: str, data: bytes) -> ExtractedText:
    """Return the text of a file inside a mail. Raises LoadingError.

    Mails in mails are read before they come here, and scans are not recognised.
    """
    suffix = PurePath(name).suffix.lower()
    kind = kind_of(suffix, data)
    if kind is None and is_text_name(name):
        builder = TextBuilder()
        write_plain_text(decode(data).text, builder)
        return builder.build()
    if kind is None or kind.name == "eml":
        raise errors.UnsupportedFormat("has a format that is not read")
    return extract(kind.name, data)


def extract(
    kind: str,
    data: bytes,
    more_time: MoreTime | None = None,
    on_page: pdf.PageListener = lambda _read, _pages: None,
) -> ExtractedText:
    """Return the text of a file. Raises LoadingError and nothing else.

    The pages of a scan are recognised only if `more_time` is given.
    """
    with _as_loading_errors(kind):
        if kind == "pdf":
            return pdf.extract(data, more_time if ocr.tesseract_version() else None, on_page)
        return EXTRACTORS[kind](data)


def show_page(request: Mapping[str, Any], data: bytes) -> bytes:
    """Return a page of a PDF as PNG, or as the JSON of a `PageView`, as requested.

    Raises LoadingError and nothing else.
    """
    from index.formats.pdf import page_view as pdf_view  # with numpy, which extraction does without

    with _as_loading_errors(request["kind"]):
        if "draw" in request:
            return pdf_view.draw_page(data, **request["draw"])
        location = dict(request["locate"])
        texts = [PageText(*fields) for fields in location.pop("texts")]
        view = pdf_view.locate_text(data, texts=texts, **location)
        return json.dumps(asdict(view)).encode()


@contextmanager
def _as_loading_errors(kind: str) -> Iterator[None]:
    """Turn whatever a parser raises into a LoadingError."""
    try:
        yield
    except errors.LoadingError:
        raise
    except (MemoryError, RecursionError) as error:
        raise errors.ExtractionLimit(
            "needs more memory to be read than a file may take: split it"
        ) from error
    except Exception as error:
        # Parsers raise anything on damaged files, and one file must not stop the rest.
        raise errors.DamagedFile(
            f"expected a {kind} file, got one that cannot be read "
            f"({type(error).__name__}: {error}): open and save it again"
        ) from error


def limit_memory(limit: int) -> None:
    """Limit the address space of this process, in bytes, where the system can.

    Also keeps it from leaving core files.
    """
    try:
        import resource
    except ImportError:  # Windows
        return
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def limit_time(seconds: float) -> None:
    """Let the system end this process after so many more seconds of its processor time.

    Waiting on a busy machine does not count. 0 lifts the limit.
    """
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_PROF, seconds)


def end_with_parent(source: int) -> None:
    """End this process and its group as soon as the parent is gone.

    The parent is gone when nobody can write to the pipe `source` any more. Uses a signal, where the
    system has it: a thread that waits for the pipe would take address space.
    """
    try:
        import fcntl
    except ImportError:  # Windows
        return

    def end_if_closed(*_: object) -> None:
        # A poll object of its own for each call: a second signal may come while the first waits.
        pipe = select.poll()
        pipe.register(source, 0)  # the end of a pipe is reported in any case
        if pipe.poll(0):
            os.killpg(0, signal.SIGKILL)

    signal.signal(signal.SIGIO, end_if_closed)
    fcntl.fcntl(source, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(source, fcntl.F_SETFL, fcntl.fcntl(source, fcntl.F_GETFL) | os.O_ASYNC)


def serve(source: BinaryIO, sink: BinaryIO, seconds: float, memory: int) -> None:
    """Answer every request until the input ends.

    A request may take `seconds` of processor time. A process that uses more than half of `memory`
    bytes is worn.
    """

    def more_time(extra: int) -> None:
        limit_time(seconds + extra)
        _write_message(sink, {"more_seconds": extra})

    last_told = time.monotonic()

    def on_page(read: int, pages: int) -> None:
        nonlocal last_told
        if time.monotonic() - last_told >= PAGES_SECONDS:
            last_told = time.monotonic()
            _write_message(sink, {"read": read, "pages": pages})

    while line := source.readline():
        request = json.loads(line)
        data = source.read(request["size"])
        limit_time(seconds)
        payload = b""
        try:
            payload = _answer(request, data, more_time, on_page)
            head: dict[str, object] = {"ok": True, "size": len(payload)}
        except errors.LoadingError as error:
            name, message = type(error).__name__, str(error)
            head = {"ok": False, "size": 0, "error": name, "message": message}
        head["worn"] = address_space() > memory // 2
        _write_message(sink, head, payload)
        limit_time(0)


def _write_message(sink: BinaryIO, head: Mapping[str, object], payload: bytes = b"") -> None:
    sink.write(json.dumps(head).encode() + b"\n" + payload)
    sink.flush()


def _answer(
    request: Mapping[str, Any], data: bytes, more_time: MoreTime, on_page: pdf.PageListener
) -> bytes:
    if request.keys() & {"draw", "locate"}:
        return show_page(request, data)
    return json.dumps(extract(request["kind"], data, more_time, on_page).to_plain()).encode()


def address_space() -> int:
    """Return the bytes of address space of this process; 0 on systems other than Linux."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[0]) * mmap.PAGESIZE
    except OSError:
        return 0


def main() -> None:
    """Serve with the limits of memory in bytes and of processor time in seconds as arguments."""
    memory, seconds = int(sys.argv[1]), float(sys.argv[2])
    limit_memory(memory)
    # Before any thread starts: it would stay outside.
    put_up([*ocr.folders(), *legacy_office.folders()])
    sys.setrecursionlimit(MAX_FRAMES)
    leads_own_group = hasattr(os, "getpgrp") and os.getpgrp() == os.getpid()
    if leads_own_group:  # as the sandbox starts it; otherwise others of the group would be killed
        end_with_parent(sys.stdin.fileno())
    # What libraries print must not mix with the answers: it goes to standard error.
    sink = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    serve(sys.stdin.buffer, sink, seconds, memory)


if __name__ == "__main__":
    main()
