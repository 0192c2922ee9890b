"""Texts in blocks: whole again, and each range as the whole document has it."""

from __future__ import annotations

import sqlite3
from bisect import bisect_left
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from index.document import Place, Places, SourceBytes
from index.errors import StoreCorrupt
from index.store import document_text
from index.store.contract import Excerpt
from index.store.document_text import blocks_of, joined
from index.store.schema import FILE_NAME
from index.store.snapshot import SqliteSnapshot
from index.store.store import Store
from tests.support.stored import put
from tests.support.stores import embedded_store, index_folder

ENCODINGS = {
    "utf-8": "aé€😀 \n",
    "utf-16-le": "aé😀\n",
    "cp1252": "aé€\n",
    "gb18030": "a中é\n",
    # Two characters that are written as one: U+304B and U+309A, U+00CA and U+0304.
    "shift_jis_2004": ["a", "か\u309a", "か", "\n"],
    "big5hkscs": ["a", "Ê\u0304", "\n"],
}


@st.composite
def sources(draw: st.DrawFn) -> tuple[str, SourceBytes, Places]:
    """Texts with their encodings, line ends and places."""
    encoding = draw(st.sampled_from(sorted(ENCODINGS)))
    text = "".join(draw(st.lists(st.sampled_from(list(ENCODINGS[encoding])), max_size=60)))
    feeds = [at for at, character in enumerate(text) if character == "\n"]
    folded = tuple(at for at in feeds if draw(st.booleans()))
    starts = sorted(draw(st.sets(st.integers(0, max(len(text) - 1, 0)), max_size=9)))
    extractor = draw(st.sampled_from([None, None, "csv/1"]))
    source = SourceBytes("", 0, encoding, draw(st.sampled_from([0, 3])), folded, extractor)
    if extractor is not None:
        source = replace(source, bom_size=0)
    places = tuple(Place(row=number + 1) for number in range(len(starts)))
    return text, source, Places(tuple(starts), places)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(sources(), st.data())
def test_every_range_is_cited_as_of_the_whole(
    monkeypatch: pytest.MonkeyPatch, made: tuple[str, SourceBytes, Places], data: st.DataObject
) -> None:
    monkeypatch.setattr(document_text, "BLOCK", 7)
    text, source, places = made
    blocks = list(blocks_of(*made))
    assert joined(blocks, replace(source, bom_size=0, crlf=())) == made

    start = data.draw(st.integers(0, max(len(text) - 1, 0)))
    end = data.draw(st.integers(start, len(text)))
    starts = [block.start for block in blocks]
    first = bisect_left(starts, start + 1) - 1
    read = blocks[first : max(bisect_left(starts, end), first + 1)]
    here, bytes_here, places_here = joined(read, replace(source, bom_size=0, crlf=()))
    info = None  # nothing here asks who the document is
    part = Excerpt(info, read[0].start, read[0].line, here, bytes_here, places_here)  # type: ignore[arg-type]
    whole = Excerpt(info, 0, 1, text, source, places)  # type: ignore[arg-type]

    assert part.quote((start, end)) == text[start:end]
    assert part.byte_range((start, end)) == whole.byte_range((start, end))
    assert part.line_at(start) == whole.line_at(start)
    assert part.places.at(start) == whole.places.at(start)


def test_passages_and_quotes_across_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document_text, "BLOCK", 50)
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    text = "\r\n\r\n".join(f"The café {number} opens at {number}." for number in range(400))
    (corpus / "a.txt").write_bytes(text.encode())
    backend = embedded_store(tmp_path)
    index_folder(backend, corpus)

    with closing(backend.open_snapshot()) as snapshot:
        [info] = snapshot.documents()
        whole = snapshot.document(info.id).text
        assert whole == text.replace("\r\n", "\n")
        for chunk in map(snapshot.chunk, snapshot.rows.tolist()):
            assert chunk.text == whole[chunk.start : chunk.end]
            excerpt = snapshot.excerpt(info.id, chunk.start, chunk.end)
            assert len(excerpt.text) <= len(chunk.text) + 100
            byte_range = excerpt.byte_range((chunk.start, chunk.end))
            assert byte_range
            quoted = text.encode()[slice(*byte_range)].decode()
            assert quoted.replace("\r\n", "\n") == chunk.text


def test_damage_elsewhere_in_a_text_does_not_stop_a_quote(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(document_text, "BLOCK", 20)
    with Store(data) as store:
        identity = put(store, "One line of words. " * 9, "a.txt")
    with closing(sqlite3.connect(data / FILE_NAME)) as db:
        db.execute("UPDATE text_blocks SET text = upper(text) WHERE start = 60")
        db.commit()

    with closing(SqliteSnapshot(data)) as snapshot:
        assert snapshot.excerpt(identity, 0, 8).quote((0, 8)) == "One line"
        with pytest.raises(StoreCorrupt, match="other words"):
            snapshot.excerpt(identity, 62, 64)


def test_a_block_that_is_gone_is_damage(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document_text, "BLOCK", 20)
    with Store(data) as store:
        identity = put(store, "One line of words. " * 9, "a.txt")
    with closing(sqlite3.connect(data / FILE_NAME)) as db:
        db.execute("DELETE FROM text_blocks WHERE start = 60")
        db.commit()

    with (
        closing(SqliteSnapshot(data)) as snapshot,
        pytest.raises(StoreCorrupt, match="other words"),
    ):
        snapshot.excerpt(identity, 0, 8)
