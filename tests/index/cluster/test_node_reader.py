"""Documents and vectors made by one worker, and the check that all make the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from index.cluster.node_reader import NodeReader, ReaderCard
from index.errors import ClusterError, EmptyFile
from index.ingestion.preparation import PreparedDocument
from index.ingestion.tasks import BATCH_TEXTS, FileToRead
from index.parsing.sandbox import extract_once
from tests.support.fakes import FakeEncoder

BASE = Path("/nowhere")


def _file(name: str, text: str, *, wants_vectors: bool = True) -> FileToRead:
    return FileToRead(BASE / name, BASE, f"id of {name}", name, text.encode(), wants_vectors)


def test_files_are_read_from_their_bytes_alone_and_embedded_together() -> None:
    encoder = FakeEncoder()
    reader = NodeReader(encoder, extract_once)
    note, known, empty = reader.read(
        [
            _file("a.txt", "The harbour opens at seven."),
            _file("b.txt", "Another text.", wants_vectors=False),
            _file("c.txt", " \n"),
        ]
    )

    assert isinstance(note.result, PreparedDocument)
    document = note.result.document
    assert (document.id, document.uri) == ("id of a.txt", "a.txt")
    [chunk] = note.result.chunks
    assert chunk.chunk.document_id == "id of a.txt"
    [vector] = [note.vectors[chunk.vector_key]]
    assert np.array_equal(vector, encoder.encode_queries([document.text])[0])
    assert isinstance(known.result, PreparedDocument)
    assert known.vectors == {}
    assert isinstance(empty.result, EmptyFile)
    assert encoder.embedded == ["The harbour opens at seven."]


def test_a_long_document_comes_without_vectors() -> None:
    text = "\n\n".join(f"Paragraph {number} is about ships." for number in range(3 * BATCH_TEXTS))
    encoder = FakeEncoder()
    [read] = NodeReader(encoder, extract_once).read([_file("long.txt", text)])

    assert isinstance(read.result, PreparedDocument)
    assert len(read.result.texts) > BATCH_TEXTS
    assert (read.vectors, encoder.embedded) == ({}, [])


def test_a_node_that_reads_otherwise_is_named() -> None:
    card = ReaderCard.of("model 1")
    card.require(ReaderCard.of("model 1"), "10.0.0.2")

    with pytest.raises(ClusterError, match=r"10\.0\.0\.2 .* its model is model 2, here .* model 1"):
        card.require(ReaderCard.of("model 2"), "10.0.0.2")
    other = ReaderCard({**card.versions, "reader of pdf files": "pdf/0"})
    with pytest.raises(ClusterError, match="reader of pdf files is pdf/0"):
        card.require(other, "10.0.0.2")
