"""Tests of the names of uploaded files, which every file system must take."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.library.upload_folder import LONGEST, decoded_name, safe_name

ANY = st.text(
    alphabet=st.characters(), max_size=400
)  # lone surrogates, controls and unassigned characters too
TRICKY = st.lists(
    st.sampled_from(
        [
            "..",
            "/",
            "\\",
            "\0",
            "\n",
            "\r",
            "CON",
            "nul",
            ".",
            " ",
            "\u202e",
            "\ud800",
            "é",
            "e\u0301",
            "漢",
            "😀",
            ".pdf",
            ":",
            "C:",
            "%00",
            "a",
        ]
    ),
    max_size=30,
).map("".join)


@given(st.one_of(ANY, TRICKY))
def test_a_safe_name_is_one_part_that_can_be_stored_and_stays_as_it_is(raw: str) -> None:
    name = safe_name(raw)

    assert 1 <= len(name.encode("utf-8")) <= LONGEST
    assert PurePosixPath(name).parts == (name,) == PureWindowsPath(name).parts
    assert name[0] not in ". "
    assert name[-1] not in ". "
    assert not any(
        unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} for character in name
    )
    assert not set('<>:"|?*\u202e\u2066\ufeff') & set(name)
    assert not PureWindowsPath(name).is_reserved()
    assert safe_name(name) == name


@given(st.binary(max_size=300))
def test_any_bytes_are_a_name_that_the_disk_takes(raw: bytes) -> None:
    name = safe_name(decoded_name(raw))

    assert os.fsdecode(os.fsencode(name)) == name


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("report.pdf", "report.pdf"),
        ("Übersicht 2026 – Entwurf.docx", "Übersicht 2026 – Entwurf.docx"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\ann\\Notes.md", "Notes.md"),
        ("/", "document"),
        ("", "document"),
        (".pdf", "document.pdf"),
        ("..txt", "document.txt"),
        ("..", "document"),
        ("CON.txt", "_CON.txt"),
        ("lpt1.tar.gz", "_lpt1.tar.gz"),
        ("console.txt", "console.txt"),
        ("evil\u202efdp.exe", "evil_fdp.exe"),
        ("a\0b\n.txt", "a_b_.txt"),
        ("e\u0301.txt", "é.txt"),
        ("x" * 300 + ".pdf", "x" * 196 + ".pdf"),
        ("漢" * 100 + ".md", "漢" * 65 + ".md"),
    ],
)
def test_names(raw: str, expected: str) -> None:
    assert safe_name(raw) == expected


def test_the_encodings_of_names() -> None:
    assert decoded_name("Zürich.txt".encode()) == "Zürich.txt"
    assert decoded_name("Zürich.txt".encode("cp1252")) == "Zürich.txt"
    assert safe_name(decoded_name(b"\x81\x8d")) == "��"


def test_a_safe_name_can_be_written(tmp_path: Path) -> None:
    path = tmp_path / safe_name("漢" * 500 + ".txt")

    path.write_text("text")

    assert path.read_text() == "text"
