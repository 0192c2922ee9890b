"""Tests of byte offsets and of the text that is embedded."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.document import Chunk, SourceBytes
from index.parsing.loader import fold_newlines

PIECES = st.sampled_from(["a", "é", "€", "naïve ", " ", "\r\n", "\n", "\r", "\r\r\n", "“quoted”"])
ENCODINGS = [
    ("utf-8", b""),
    ("utf-8", b"\xef\xbb\xbf"),
    ("utf-16-le", b"\xff\xfe"),
    ("utf-16-be", b"\xfe\xff"),
    ("cp1252", b""),
]


@pytest.mark.parametrize(("encoding", "mark"), ENCODINGS)
@given(pieces=st.lists(PIECES, max_size=30), ends=st.tuples(st.integers(0), st.integers(0)))
def test_the_bytes_of_a_range_are_the_quote(
    encoding: str, mark: bytes, pieces: list[str], ends: tuple[int, int]
) -> None:
    original = "".join(pieces)
    data = mark + original.encode(encoding)
    text, crlf = fold_newlines(original)
    start, end = sorted(at % (len(text) + 1) for at in ends)

    first, last = SourceBytes("", len(data), encoding, len(mark), crlf).offsets(text, [start, end])

    quote, _ = fold_newlines(data[first:last].decode(encoding))
    assert quote == text[start:end]


@given(st.text(st.characters(codec="utf-8")), st.data())
def test_byte_ranges_hold_for_any_unicode_in_utf_8(original: str, data: st.DataObject) -> None:
    text, crlf = fold_newlines(original)
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    encoded = original.encode()

    first, last = SourceBytes("", len(encoded), "utf-8", 0, crlf).offsets(text, [start, end])

    assert fold_newlines(encoded[first:last].decode())[0] == text[start:end]


def test_headings_are_embedded_but_not_quoted() -> None:
    chunk = Chunk("id", 0, 5, "Text.", ((0, 5),), ("Title", "Part"))

    assert chunk.text == "Text."
    assert chunk.embedded_text == "Title\nPart\nText."
    assert chunk.heading == "Title › Part"


def test_a_chunk_without_headings_is_embedded_as_it_is() -> None:
    chunk = Chunk("id", 0, 5, "Text.", ((0, 5),))

    assert (chunk.embedded_text, chunk.heading) == ("Text.", None)
