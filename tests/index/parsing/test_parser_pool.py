"""Files that several parsers read before their text is asked for."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from index.errors import DamagedFile
from index.formats.detection import KINDS, Kind
from index.formats.text_builder import ExtractedText
from index.parsing.parser_pool import SMALL_BYTES, ParserPool
from index.parsing.sandbox import Extraction
from tests.support.parsing import SLOW, Gate
from tests.support.serving import PATIENCE, eventually

HTML = KINDS["html"]
LIMIT = 10 * SMALL_BYTES


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def pool(gate: Gate) -> Iterator[ParserPool]:
    with ParserPool(2, make_extraction=gate.extraction) as made:
        yield made


class Page:
    """File that was handed to a pool."""

    def __init__(self, pool: ParserPool, folder: Path, name: str, data: bytes) -> None:
        self.path, self.data, self.pool = folder / name, data, pool
        self.path.write_bytes(data)
        pool.begin(self.path, len(data), LIMIT)

    def is_read(self, seconds: float = PATIENCE) -> bool:
        return self.pool.wait([self.path], seconds)


def refuse(_kind: Kind, _data: bytes) -> ExtractedText:
    """Extract nothing: everything was read in advance."""
    raise AssertionError


def inline(_kind: Kind, _data: bytes) -> ExtractedText:
    return ExtractedText("read in its turn", ())


def test_the_text_is_there_once_when_it_is_asked_for(pool: ParserPool, tmp_path: Path) -> None:
    page = Page(pool, tmp_path, "a.html", b"<p>Tide")
    assert page.is_read()

    assert pool.or_else(refuse)(HTML, page.data).text == "Tide"
    assert pool.or_else(inline)(HTML, page.data).text == "read in its turn"


def test_other_bytes_than_those_that_were_read_are_read_anew(
    pool: ParserPool, tmp_path: Path
) -> None:
    page = Page(pool, tmp_path, "a.html", b"<p>Tide")
    assert page.is_read()

    assert pool.or_else(inline)(HTML, b"<p>Ebb").text == "read in its turn"
    assert pool.or_else(inline)(KINDS["epub"], page.data).text == "read in its turn"


def test_a_problem_is_raised_when_the_text_is_asked_for(pool: ParserPool, tmp_path: Path) -> None:
    page = Page(pool, tmp_path, "a.html", b"<p>damaged")
    assert page.is_read()

    with pytest.raises(DamagedFile, match="is damaged"):
        pool.or_else(refuse)(HTML, page.data)


def test_what_needs_no_parser_is_ready_at_once(pool: ParserPool, tmp_path: Path) -> None:
    text = Page(pool, tmp_path, "a.txt", b"Tide")
    pool.begin(tmp_path / "huge.html", LIMIT + 1, LIMIT)
    gone = tmp_path / "gone.html"
    pool.begin(gone, 5, LIMIT)

    assert pool.is_ready(text.path)
    assert pool.is_ready(tmp_path / "huge.html")
    assert pool.wait([gone], PATIENCE)


def test_however_many_large_files_wait_a_small_one_is_read(
    pool: ParserPool, gate: Gate, tmp_path: Path
) -> None:
    large = [
        Page(pool, tmp_path, f"{n}.html", SLOW + bytes([97 + n]) * SMALL_BYTES) for n in range(3)
    ]
    eventually(lambda: pool.pages(large[0].path) == (1, 9))
    assert not pool.is_ready(large[0].path)
    small = Page(pool, tmp_path, "small.html", b"<p>Tide")

    assert small.is_read()
    assert not any(pool.is_ready(page.path) for page in large)
    gate.open.set()
    assert all(page.is_read() for page in large)


def test_small_files_go_before_large_ones_that_came_earlier(tmp_path: Path, gate: Gate) -> None:
    with ParserPool(1, make_extraction=gate.extraction) as pool:
        slow = Page(pool, tmp_path, "slow.html", SLOW)
        eventually(lambda: gate.begun)
        large = Page(pool, tmp_path, "large.html", b"<p>" + b"x" * SMALL_BYTES)
        small = Page(pool, tmp_path, "small.html", b"<p>Tide")
        gate.open.set()
        assert large.is_read()

    assert gate.begun == [slow.data, small.data, large.data]


def test_equal_files_are_read_and_none_is_lost(pool: ParserPool, tmp_path: Path) -> None:
    pages = [Page(pool, tmp_path, f"{n}.html", b"<p>Tide") for n in range(3)]
    assert all(page.is_read() for page in pages)

    texts = [pool.or_else(inline)(HTML, page.data).text for page in pages]
    assert texts == ["Tide", "read in its turn", "read in its turn"]


def test_files_that_nobody_wants_any_more_are_forgotten(
    pool: ParserPool, gate: Gate, tmp_path: Path
) -> None:
    slow = Page(pool, tmp_path, "slow.html", SLOW)
    done = Page(pool, tmp_path, "done.html", b"<p>Tide")
    assert done.is_read()
    pool.keep([done.path])
    gate.open.set()

    assert pool.is_ready(slow.path)
    pool.forget(done.path)
    assert pool.or_else(inline)(HTML, done.data).text == "read in its turn"
    assert pool.or_else(inline)(HTML, slow.data).text == "read in its turn"


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="processes end by a signal")
def test_a_process_is_ended_in_the_middle_of_a_file(tmp_path: Path) -> None:
    made: list[Extraction] = []

    def extraction() -> Extraction:
        made.append(Extraction())
        return made[-1]

    before = threading.active_count()
    with ParserPool(1, make_extraction=extraction) as pool:
        page = Page(pool, tmp_path, "long.html", b"<p>word word" * 200_000)
        eventually(lambda: made and made[0].process_id)
        process = made[0].process_id
        assert process is not None
        assert not pool.is_ready(page.path)

    assert threading.active_count() <= before + 1  # the timer of the file may just end
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)
