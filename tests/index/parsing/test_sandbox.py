"""Extraction in the sandbox process.

Hostile files end in one clear error within their limits, and the next file is read all the same.
"""

from __future__ import annotations

import mmap
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.errors import DamagedFile, ExtractionLimit, LoadingError
from index.formats.detection import KINDS, SUFFIXES, Kind
from index.parsing.loader import load
from index.parsing.sandbox import Extraction, Limits
from tests.index.formats.test_ocr import is_running
from tests.index.formats.test_text_builder import assert_sound
from tests.support.serving import PATIENCE, eventually
from tests.support.writers import archive, joined, pdf, samples

GOOD = b"<p>Good text."
BILLION_LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "laugh">'
    + "".join(f'<!ENTITY {chr(98 + at)} "{f"&{chr(97 + at)};" * 10}">' for at in range(9))
    + "]>"
)
OUTSIDE = '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a SYSTEM "file:///etc/hostname">]>'
_TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="xml" ContentType="application/xml"/></Types>'
)


@pytest.fixture(scope="module")
def extraction() -> Iterator[Extraction]:
    with Extraction() as process:
        yield process


def _kind(name: str) -> Kind:
    return SUFFIXES[f".{name.rpartition('.')[2]}"]


def _good(extraction: Extraction) -> None:
    assert extraction(KINDS["html"], GOOD).text == "Good text."


@pytest.mark.parametrize("name", samples())
@given(data=st.binary(max_size=200), cut=st.integers(0, 400), at=st.integers(0, 1 << 30))
@settings(max_examples=25)
def test_damaged_files_are_read_or_refused(
    extraction: Extraction, name: str, data: bytes, cut: int, at: int
) -> None:
    whole = samples_once()[name]
    place = at % len(whole)

    for damaged in (data, whole[:place], whole[:place] + data + whole[place + cut :]):
        try:
            extracted = extraction(_kind(name), damaged)
        except LoadingError as error:
            assert str(error)  # noqa: PT017
        else:
            assert_sound(extracted)


def samples_once(cache: dict[str, bytes] = {}) -> dict[str, bytes]:  # noqa: B006
    """Return the sample files, which are written only once."""
    return cache or (cache.update(samples()) or cache)


@pytest.mark.parametrize("prolog", [BILLION_LAUGHS, OUTSIDE])
@pytest.mark.parametrize("kind", ["odt", "epub", "docx", "sheet"])
def test_entities_are_never_expanded(extraction: Extraction, kind: str, prolog: str) -> None:
    content = (
        f"{prolog}<office:document-content"
        ' xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"'
        ' xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0">'
        "<office:body><office:text><text:p>&j;&a;</text:p></office:text></office:body>"
        "</office:document-content>"
    )
    hostile = archive(
        {
            "content.xml": content,
            "META-INF/container.xml": f"{prolog}<a>&a;</a>",
            "[Content_Types].xml": f"{prolog}{_TYPES}",
        }
    )

    with pytest.raises(LoadingError):
        extraction(KINDS[kind], hostile)
    _good(extraction)


def test_a_page_with_entities_keeps_them_as_they_are(extraction: Extraction) -> None:
    extracted = extraction(KINDS["html"], f"{OUTSIDE}<p>Text &a; here.</p>".encode())

    assert extracted.text.endswith("Text &a; here.")


@pytest.mark.parametrize(
    ("kind", "parts"),
    [
        ("docx", {"word/document.xml": b"\0" * 600_000_000}),
        ("odt", {"content.xml": b"<a>" + b" " * 200_000_000 + b"</a>"}),
        ("epub", {f"{number}.xhtml": b"" for number in range(30_000)}),
    ],
)
@pytest.mark.slow
def test_zip_bombs_are_refused_before_they_unpack(
    extraction: Extraction, kind: str, parts: dict[str, bytes]
) -> None:
    bomb = archive(parts)
    began = time.monotonic()

    with pytest.raises(ExtractionLimit, match=r"unpacks to|more than"):
        extraction(KINDS[kind], bomb)
    assert time.monotonic() - began < 20
    _good(extraction)


@pytest.mark.parametrize("depth", [300, 3_000, 200_000])
def test_deep_nesting_is_refused_or_read(extraction: Extraction, depth: int) -> None:
    for hostile in (
        b"<div>" * depth + b"Deep." + b"</div>" * depth,
        b"<ul><li>" * depth + b"Deep.",
        b"<table><tr><td>" * depth + b"Deep.",
    ):
        with pytest.raises(LoadingError, match="deep"):
            extraction(KINDS["html"], hostile)
    with pytest.raises(LoadingError):
        extraction(KINDS["rtf"], b"{\\rtf1 " + b"{" * depth)
    _good(extraction)


LONG = b"<p>word word" * 100_000
"""A page that takes a second to be read."""


def test_a_file_that_takes_too_long_is_given_up_and_the_next_one_is_read() -> None:
    with Extraction(Limits(seconds=0.05, patience=1000)) as extraction:
        with pytest.raises(ExtractionLimit, match=r"more than 0\.05 seconds of processor time"):
            extraction(KINDS["html"], LONG)
        extraction.limits = Limits()
        _good(extraction)


def test_a_file_is_not_blamed_for_a_busy_machine() -> None:
    with Extraction(Limits(seconds=5, patience=0.02)) as extraction:
        with pytest.raises(ExtractionLimit, match=r"not read in 0\.1 seconds .* too busy"):
            extraction(KINDS["html"], LONG)
        extraction.limits = Limits()
        _good(extraction)


@pytest.mark.skipif(not hasattr(os, "kill"), reason="a process is stopped by a signal")
def test_waiting_does_not_count() -> None:
    with Extraction(Limits(seconds=1)) as extraction:
        _good(extraction)
        process = extraction.process_id or 0
        os.kill(process, signal.SIGSTOP)
        going_on = threading.Timer(1.5, os.kill, (process, signal.SIGCONT))
        going_on.start()
        _good(extraction)


@pytest.mark.slow
def test_a_file_that_takes_too_much_memory_is_given_up_and_the_next_one_is_read() -> None:
    page = b"<p>word" * 1_000_000

    with Extraction(Limits(memory=160 * 1024 * 1024)) as extraction:
        with pytest.raises(ExtractionLimit, match="memory"):
            extraction(KINDS["html"], page)
        _good(extraction)


def test_a_process_that_dies_is_replaced() -> None:
    with Extraction() as extraction:
        _good(extraction)
        first = extraction.process_id
        os.kill(first, 9)
        with pytest.raises(ExtractionLimit, match="crashes"):
            extraction(KINDS["html"], GOOD)
        _good(extraction)
        assert extraction.process_id != first


def test_a_process_that_has_grown_to_half_its_limit_is_replaced() -> None:
    with Extraction() as fresh:
        _good(fresh)
        size = int(Path(f"/proc/{fresh.process_id}/statm").read_text().split()[0]) * mmap.PAGESIZE

    with Extraction(Limits(memory=int(1.5 * size))) as small:
        for _ in range(2):
            _good(small)
            assert small.process_id is None


def test_too_much_output_is_refused_and_the_next_file_is_read() -> None:
    with Extraction(Limits(output=500)) as extraction:
        with pytest.raises(ExtractionLimit, match="more than 500 bytes"):
            extraction(KINDS["html"], b"<p>" + b"word " * 1000)
        _good(extraction)


def test_the_process_ends_with_its_owner() -> None:
    with Extraction() as extraction:
        _good(extraction)
        process = extraction.process_id
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


_ASKING = """
import sys
from index.parsing.sandbox import Extraction
from index.formats.detection import KINDS

with Extraction() as extraction:
    extraction(KINDS["html"], b"<p>Good text.")
    print(extraction.process_id, flush=True)
    extraction(KINDS["pdf"], sys.stdin.buffer.read())
"""


@pytest.mark.skipif(
    not Path("/proc/self/stat").exists(), reason="a signal tells of the end of a pipe on Linux"
)
@pytest.mark.slow
def test_the_worker_ends_in_the_middle_of_a_file_when_its_parent_is_killed() -> None:
    content = joined(*[pdf([["word " * 400] * 2] * 5)] * 150)  # takes a while
    command = [sys.executable, "-c", _ASKING]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as asking:
        process = int(asking.stdout.readline())
        asking.stdin.write(content)
        asking.stdin.close()
        used = _seconds(process)
        eventually(lambda: _seconds(process) > used + 0.2)  # it is at work
        asking.kill()

    killed = time.monotonic()
    eventually(lambda: not is_running(process))
    assert time.monotonic() - killed < 5


_SIGNALLED = """
import os, signal, subprocess, sys
from index.parsing.sandbox_worker import end_with_parent

end_with_parent(os.pipe()[0])
signals = f"import os, signal; [os.kill({os.getpid()}, signal.SIGIO) for _ in range(300_000)]"
senders = [subprocess.Popen([sys.executable, "-c", signals]) for _ in range(3)]
while any(sender.poll() is None for sender in senders):
    pass
print("at work")
"""


@pytest.mark.skipif(
    not Path("/proc/self/stat").exists(), reason="a signal tells of the end of a pipe on Linux"
)
def test_many_signals_do_not_end_the_worker() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _SIGNALLED],
        start_new_session=True,
        capture_output=True,
        text=True,
        check=False,
        timeout=3 * PATIENCE,
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "at work\n", "")


def _seconds(process: int) -> float:
    """Return the seconds of processor time that a process has used."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_a_module_in_the_current_folder_is_never_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "index").mkdir()
    (tmp_path / "index" / "__init__.py").write_text("raise SystemExit('foreign code')")
    monkeypatch.chdir(tmp_path)

    with Extraction() as extraction:
        _good(extraction)


def test_broken_files_do_not_stop_the_rest_of_a_folder(
    tmp_path: Path, extraction: Extraction
) -> None:
    for name, content in samples_once().items():
        (tmp_path / name).write_bytes(content)
        (tmp_path / f"broken-{name}").write_bytes(
            content[: len(content) // 2] if name.endswith(("x", "f", "t", "b")) else b"\0" * 50
        )

    read, refused = [], []
    for path in sorted(tmp_path.iterdir()):
        try:
            read.append(load(path, tmp_path, extract=extraction).uri)
        except LoadingError as error:
            refused.append((path.name, type(error)))

    assert [name for name in read if not name.startswith("broken-")] == sorted(samples_once())
    assert {name for name, _ in refused} >= {
        f"broken-tides.{suffix}"
        for suffix in ("docx", "pptx", "xlsx", "epub", "odt", "csv", "html")
    }
    assert DamagedFile in {kind for _, kind in refused}
