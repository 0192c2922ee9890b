"""Tests of decoding in an encoding that gives the bytes back."""

from __future__ import annotations

import gzip
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.errors import BinaryFile
from index.text.encoding import decode

READABLE = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Co", "Cn"], exclude_characters="\ufeff")
)
FRENCH = (
    "L’été dernier, la société a annoncé un bénéfice de 5 % — « très élevé », "
    "d’après ses actionnaires. " * 3
)
RUSSIAN = (
    "В прошлом году компания объявила о прибыли, которая удивила даже самых смелых инвесторов. " * 3
)
JAPANESE = (
    "昨年、同社は予想を上回る利益を発表し、投資家を驚かせた。今年の見通しはまだ明らかではない。" * 3
)


@given(READABLE)
def test_utf_8_round_trips(text: str) -> None:
    assert decode(text.encode()).text == text


@given(READABLE, st.sampled_from([("utf-8-sig", 3), ("utf-16", 2), ("utf-32", 4)]))
def test_a_byte_order_mark_decides_and_is_left_out(text: str, kind: tuple[str, int]) -> None:
    encoding, size = kind

    decoded = decode(text.encode(encoding))

    assert (decoded.text, decoded.bom_size) == (text, size)


@given(st.binary(max_size=300))
def test_any_bytes_are_refused_or_round_trip(data: bytes) -> None:
    try:
        decoded = decode(data)
    except BinaryFile:
        return
    assert data[: decoded.bom_size] + decoded.text.encode(decoded.encoding) == data


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (FRENCH, "cp1252"),
        ("The “quoted” word – it’s here… and costs £5.", "cp1252"),
        (RUSSIAN, "cp1251"),
        (RUSSIAN, "koi8-r"),
        (JAPANESE, "shift_jis"),
        (FRENCH, "utf-16-le"),
        (FRENCH, "utf-16-be"),
        (RUSSIAN, "utf-16-le"),
    ],
)
def test_common_encodings_are_recognised(text: str, encoding: str) -> None:
    assert decode(text.encode(encoding)).text == text


@pytest.mark.parametrize(
    "data",
    [
        Path(sys.executable).read_bytes()[:100_000],
        gzip.compress(b"text " * 1000, mtime=0),
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256)),
        b"text with a NUL \0 in it",
        b"\xff\xfeodd",
        b"\xef\xbb\xbf\xff not UTF-8 in spite of its mark",
        b"\x1b\x02\x03\x04" * 50,
    ],
    ids=["elf", "gzip", "png", "nul", "odd utf-16", "false mark", "controls"],
)
def test_binary_is_refused_with_advice(data: bytes) -> None:
    with pytest.raises(BinaryFile, match=r"expected text, got .* bytes .*: save it as UTF-8"):
        decode(data)


def test_no_bytes_are_the_empty_text() -> None:
    assert decode(b"").text == ""
