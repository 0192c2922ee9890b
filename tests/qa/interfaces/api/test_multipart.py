"""Tests of the streaming form parser, with forms cut into pieces of several sizes."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.errors import InvalidUpload, QAError, UnsupportedUpload, UploadTooLarge
from qa.interfaces.api.multipart import FormParser, UploadForm
from qa.library.upload_folder import UploadFolder

TEXT = b"The harbour gate opens with code seven.\r\n--Y\r\n"


def body(*parts: tuple[str, bytes], end: bytes = b"--X--\r\n") -> bytes:
    """Return a form of parts, each a Content-Disposition and its content."""
    return (
        b"".join(
            b"--X\r\nContent-Disposition: " + head.encode() + b"\r\n\r\n" + data + b"\r\n"
            for head, data in parts
        )
        + end
    )


def file(name: str, data: bytes) -> tuple[str, bytes]:
    """Return a part with a file."""
    return f'form-data; name="file"; filename="{name}"', data


def parse_form(
    folder: Path, content: bytes, *, size: int = 1 << 16, max_bytes: int = 1000, max_files: int = 3
) -> UploadForm:
    """Return the parsed form, written in pieces of `size` bytes."""
    form = FormParser(UploadFolder(folder), b"X", max_bytes, max_files)
    try:
        for start in range(0, len(content), size):
            form.write(content[start : start + size])
        return form.finish()
    except Exception:
        form.discard()
        raise


def count_open_files(folder: Path) -> int:
    """Return the number of files in a folder that this process holds open.

    Each of them takes room on the disk, even if it is deleted.
    """
    return sum(
        os.path.realpath(each).startswith(f"{folder}/") for each in Path("/proc/self/fd").iterdir()
    )


@given(st.binary(max_size=300), st.integers(1, 400))
def test_files_and_tags_arrive_unchanged(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, size: int
) -> None:
    folder = tmp_path_factory.mktemp("data")
    data = data.replace(b"\r\n--X", b"")
    content = body(
        file("a.txt", data),
        ('form-data; name="tag"', b"Harbour"),
        file("é.md", b"# H"),
        ('form-data; name="tag"', b"b"),
    )

    received = parse_form(folder, content, size=size)

    if data.startswith((b"%PDF", b"PK\x03\x04")):
        return
    first, second = received.files
    assert (first.name, second.name, received.tags) == ("a.txt", "é.md", ("b", "harbour"))
    assert (first.path.read_bytes(), second.path.read_bytes()) == (data, b"# H")
    assert first.sha256 == hashlib.sha256(data).hexdigest()
    assert all(UploadFolder(folder).holds(each.path) for each in received.files)
    assert not list(folder.rglob(".incoming"))


@pytest.mark.skipif(
    not Path("/proc/self/fd").is_dir(), reason="descriptors are counted where the system lists them"
)
def test_a_discarded_form_frees_its_room_at_once(tmp_path: Path) -> None:
    form = FormParser(UploadFolder(tmp_path), b"X", 1000)
    form.write(body(file("a.txt", TEXT), end=b"")[:-2])
    assert count_open_files(tmp_path) == 1
    form.discard()
    assert count_open_files(tmp_path) == 0


@pytest.mark.parametrize(
    ("content", "error", "said"),
    [
        (b"", InvalidUpload, "a part of one"),
        (body(), InvalidUpload, "got none"),
        (body(file("a.txt", TEXT), end=b""), InvalidUpload, "a part of one"),
        (b"nonsense", InvalidUpload, "multipart/form-data"),
        (body(('form-data; name="colour"', b"red")), InvalidUpload, "got a field b'colour'"),
        (body(file("", b"")), InvalidUpload, "got none"),
        (body(file("a.txt", b"x" * 1001)), UploadTooLarge, "a.txt: has more than 1,000 bytes"),
        (
            body(*[file(f"{number}.txt", b"x") for number in range(4)]),
            UploadTooLarge,
            "at most 3 files",
        ),
        (body(('form-data; name="tag"', b"x" * 300)), UploadTooLarge, "at most 256 bytes"),
        (
            body(*[('form-data; name="tag"', b"%d" % number) for number in range(40)]),
            UploadTooLarge,
            "at most 32 tags",
        ),
        (
            body(file("a.exe", b"MZ\0\0")),
            UnsupportedUpload,
            "a.exe: expected text, Markdown, .* got '.exe'",
        ),
        (body(file("a.zip", b"PK\x03\x04..")), UnsupportedUpload, "a.zip: .* unpack it"),
    ],
)
def test_a_refused_form_raises_its_reason_and_leaves_nothing(
    tmp_path: Path, content: bytes, error: type[QAError], said: str
) -> None:
    with pytest.raises(error, match=said):
        parse_form(tmp_path, content)

    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_one_bad_file_does_not_stop_the_others(tmp_path: Path) -> None:
    content = body(file("big.txt", b"x" * 2000), file("good.txt", TEXT), file("a.exe", b"MZ\0"))

    big, good, program = parse_form(tmp_path, content, size=7).files

    assert "1,000 bytes" in big.problem
    assert "'.exe'" in program.problem
    assert good.problem == ""
    assert good.path.read_bytes() == TEXT
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [good.path]


def test_the_format_is_recognised_by_the_bytes(tmp_path: Path) -> None:
    [pdf, named] = parse_form(
        tmp_path, body(file("report", b"%PDF-1.4"), file("notes.txt", b"%PDF-1.4"))
    ).files

    assert (pdf.name, pdf.path.name) == ("report.pdf", "report.pdf")
    assert named.name == "notes.txt"


@given(st.binary(max_size=200))
def test_no_file_name_leads_out_of_the_folder(
    tmp_path_factory: pytest.TempPathFactory, raw: bytes
) -> None:
    folder = tmp_path_factory.mktemp("data")
    named = raw.translate(None, b'\r\n"\\\0') or b"x"
    content = (
        b'--X\r\nContent-Disposition: form-data; name="file"; filename="'
        + named
        + b'.txt"\r\n\r\nwords\r\n--X--\r\n'
    )

    try:
        [arrived] = parse_form(folder, content).files
    except InvalidUpload as error:
        assert "RFC 7578" in str(error)  # noqa: PT017 - a control character in a header
        return
    assert arrived.path.parent.parent == folder.resolve() / "uploads"
    assert arrived.path.read_bytes() == b"words"
    assert [path for path in folder.rglob("*") if path.is_file()] == [arrived.path]
