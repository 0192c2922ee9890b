"""Text recognition of scanned PDF files with the system's tesseract."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import pytest

from index.errors import ExtractionLimit, LoadingError, ScannedFile
from index.formats import ocr
from index.formats.detection import KINDS
from index.formats.pdf.extract import extract
from index.parsing import sandbox_worker as worker
from index.parsing.sandbox import Extraction, Limits
from tests.support.serving import PATIENCE, eventually
from tests.support.writers import PARAGRAPH, joined, pdf, picture, scan

needs_tesseract = pytest.mark.skipif(
    ocr.tesseract_version() is None and "QUOTED_REQUIRE_TESSERACT" not in os.environ,
    reason="tesseract is not installed",
)


@needs_tesseract
@pytest.mark.slow
def test_scans_are_read_page_by_page() -> None:
    with Extraction() as extraction:
        extracted = extraction(KINDS["pdf"], scan(pdf([[PARAGRAPH]]), pages=2))

    assert " ".join(extracted.text.split()) == f"{PARAGRAPH} {PARAGRAPH}"
    assert [str(extracted.places.at(block.start)) for block in extracted.blocks] == [
        "page 1",
        "page 2",
    ]


@needs_tesseract
def test_images_without_text_are_refused() -> None:
    with pytest.raises(ScannedFile, match="no text was recognised"):
        worker.extract("pdf", picture(), lambda _: None)


@needs_tesseract
def test_the_extractor_of_scans_names_tesseract() -> None:
    assert KINDS["pdf"].extractor.endswith(f"tesseract/{ocr.tesseract_version()}")
    assert "tesseract" not in KINDS["docx"].extractor


@needs_tesseract
def test_recognition_gets_extra_time_up_to_its_limit() -> None:
    with Extraction() as extraction:
        extraction(KINDS["html"], b"<p>The process has started.")
        extraction.limits = Limits(recognition=0.0, seconds=1.0)
        with pytest.raises(ExtractionLimit, match="seconds"):
            extraction(KINDS["pdf"], scan(pdf([[PARAGRAPH] * 12]), pages=4))


@pytest.mark.skipif(
    not Path("/proc/self/stat").exists(),
    reason="processes are looked for where the system lists them",
)
def test_tesseract_is_killed_with_the_worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tesseract").write_text(
        "#!/bin/sh\n[ $1 = --version ] && echo tesseract 5 && exit\nexec sleep 300\n"
    )
    (tmp_path / "tesseract").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    extraction, failures = Extraction(), list[LoadingError]()

    def read() -> None:
        try:
            extraction(KINDS["pdf"], scan(pdf([[PARAGRAPH]])))
        except LoadingError as error:
            failures.append(error)

    reading = threading.Thread(target=read)
    reading.start()
    eventually(lambda: sleeping_child(extraction.process_id))
    program = sleeping_child(extraction.process_id) or 0
    os.kill(extraction.process_id or 0, signal.SIGKILL)
    reading.join(PATIENCE)

    assert [type(each) for each in failures] == [ExtractionLimit]
    eventually(lambda: not is_running(program))


def sleeping_child(process: int | None) -> int | None:
    """Return the id of a process's child that sleeps, None if it has none yet."""
    for path in Path("/proc").glob("[0-9]*"):
        try:
            command = (path / "cmdline").read_bytes()
            parent = int((path / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:  # it has ended meanwhile
            continue
        if parent == process and command.startswith(b"sleep"):
            return int(path.name)
    return None


def is_running(process: int) -> bool:
    """Return True if a process exists and is no zombie."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@needs_tesseract
def test_images_among_pages_of_text_are_read_in_their_place() -> None:
    seconds: list[int] = []
    extracted = worker.extract(
        "pdf",
        joined(pdf([["First page."]]), scan(pdf([[PARAGRAPH]])), pdf([["Third page."]])),
        seconds.append,
    )

    assert [extracted.text[block.start : block.end] for block in extracted.blocks] == [
        "First page.",
        PARAGRAPH,
        "Third page.",
    ]
    assert [extracted.places.at(block.start).page for block in extracted.blocks] == [1, 2, 3]
    assert (extracted.remark, seconds) == ("", [ocr.PAGE_SECONDS])


def test_scans_of_too_many_pages_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ocr, "MAX_PAGES", 2)
    asked: list[int] = []

    with pytest.raises(
        ScannedFile, match="3 pages and no text, the limit of text recognition is 2"
    ):
        extract(scan(pdf([["a"]]), pages=3), asked.append)
    assert asked == []
