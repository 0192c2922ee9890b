"""Loading of files as documents, and every reason to refuse one."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.errors import (
    BinaryFile,
    EmptyFile,
    FileTooLarge,
    LoadingError,
    UnreadableFile,
    UnsupportedFormat,
)
from index.parsing.loader import TITLE_LENGTH, document_id, first_words, fold_newlines, load

LINES = "First line – it’s here.\r\nSecond, with naïve “quotes”.\rThird.\n\nFifth…"


def _write(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
def test_a_file_in_any_encoding_can_be_cited_by_bytes(tmp_path: Path, encoding: str) -> None:
    data = LINES.encode(encoding)

    document = load(_write(tmp_path, "a.txt", data), tmp_path)

    assert document.text == LINES.replace("\r\n", "\n").replace("\r", "\n")
    assert (document.source.sha256, document.source.size) == (
        hashlib.sha256(data).hexdigest(),
        len(data),
    )
    for block in document.blocks:
        start, end = document.source.offsets(document.text, [block.start, block.end])
        quote, _ = fold_newlines(data[start:end].decode(document.source.encoding))
        assert quote == document.text[block.start : block.end]


@given(st.text(alphabet="ab\r\n\u2028\x85"))
def test_only_cr_and_crlf_are_folded(text: str) -> None:
    folded, crlf = fold_newlines(text)

    assert folded == text.replace("\r\n", "\n").replace("\r", "\n")
    assert len(crlf) == text.count("\r\n") == len(text) - len(folded)
    assert all(folded[at] == "\n" for at in crlf)


@pytest.mark.parametrize(
    ("name", "text", "title", "real"),
    [
        ("a.md", "---\ntitle: Memo\n---\n# Aims\nText.", "Memo", True),
        ("a.MARKDOWN", "Text.\n\n# Aims\n", "Aims", True),
        ("a.md", "Text alone.", "Text alone.", False),
        ("a.txt", "# no heading in plain text", "# no heading in plain text", False),
        ("a.text", "\n --- \n\nFirst  words", "First words", False),
    ],
)
def test_titles_come_from_the_author_or_the_first_words(
    tmp_path: Path,
    name: str,
    text: str,
    title: str,
    real: bool,  # noqa: FBT001
) -> None:
    document = load(_write(tmp_path, name, text.encode()), tmp_path)

    assert (document.title, document.title_is_real) == (title, real)


@given(st.text(min_size=1).filter(str.strip))
def test_first_words_are_one_short_line_of_the_text(text: str) -> None:
    words = first_words(text)

    assert 0 < len(words) <= TITLE_LENGTH + 1
    assert "\n" not in words
    assert words.removesuffix("…") in " ".join(text.split())


def test_first_words_are_cut_at_a_word() -> None:
    assert first_words("word " * 40) == ("word " * 12).strip() + "…"


@pytest.mark.parametrize(
    ("name", "data", "error", "message"),
    [
        ("a.exe", b"text", UnsupportedFormat, r"format that is not read \(\.exe\)"),
        ("notes", b"text", UnsupportedFormat, "no suffix"),
        ("a.txt", b"", EmptyFile, "holds no text"),
        ("a.txt", b"\xef\xbb\xbf \r\n\t", EmptyFile, "holds no text"),
        ("a.md", bytes(range(99)), BinaryFile, "expected text"),
        ("a.txt", b"x" * 101, FileTooLarge, "101 bytes, the limit is 100"),
    ],
)
def test_files_that_cannot_be_documents_are_refused(
    tmp_path: Path, name: str, data: bytes, error: type[LoadingError], message: str
) -> None:
    path = _write(tmp_path, name, data)

    with pytest.raises(error, match=message):
        load(path, tmp_path, max_bytes=100)


def test_irregular_files_are_refused_without_blocking(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    (tmp_path / "loop.txt").symlink_to("loop.txt")
    (tmp_path / "dangling.txt").symlink_to("nowhere.txt")
    (tmp_path / "folder.txt").mkdir()

    for name in ("pipe.txt", "loop.txt", "dangling.txt", "folder.txt", "missing.txt"):
        with pytest.raises(UnreadableFile, match=r"cannot be read|is not a regular file"):
            load(tmp_path / name, tmp_path)


def test_refused_files_are_closed(tmp_path: Path) -> None:
    (tmp_path / "folder.txt").mkdir()
    before = len(list(Path("/dev/fd").iterdir()))

    for _ in range(5):
        with pytest.raises(UnreadableFile):
            load(tmp_path / "folder.txt", tmp_path)

    assert len(list(Path("/dev/fd").iterdir())) == before


def test_names_that_are_no_text_are_shown_as_escapes(tmp_path: Path) -> None:
    path = _write(tmp_path, os.fsdecode(b"caf\xe9.txt"), b"Text.")

    document = load(path, tmp_path)

    assert document.uri == "caf\\xe9.txt"


def test_uris_are_relative_and_identities_are_not(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    path = _write(tmp_path / "sub", "a.txt", b"Text.")

    below, direct = load(path, tmp_path), load(path, tmp_path / "sub")

    assert (below.uri, direct.uri) == ("sub/a.txt", "a.txt")
    assert below.id == direct.id == document_id(path)
