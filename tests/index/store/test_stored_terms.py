"""Terms of chunks as they are stored."""

from __future__ import annotations

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.store.stored_terms import are_terms, packed_terms, unpacked_terms

TERMS = st.lists(st.text(st.characters(codec="utf-8", exclude_characters=" "), min_size=1))


@given(terms=TERMS)
def test_terms_come_back(terms: list[str]) -> None:
    assert unpacked_terms(packed_terms(terms)) == terms


@pytest.mark.parametrize("blob", [b"", b"word", zlib.compress(b"word")[:-1], None, "word", 7])
def test_damaged_terms_are_refused(blob: object) -> None:
    assert not are_terms(blob)
    with pytest.raises(ValueError, match="cannot be read"):
        unpacked_terms(blob)  # type: ignore[arg-type]
