"""Candidates -> cited spans."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest

from index.document import Chunk
from index.search.fusion import Hit
from index.store.contract import Excerpt, StoredDocument
from index.store.snapshot import SqliteSnapshot
from qa.answering.citations import Citer
from qa.answering.decision import ScoredAnswer
from qa.answering.features import AnswerGroup
from qa.answering.reading.reader import Candidate
from qa.answering.retrieval.retriever import RetrievedChunk
from tests.support.fakes import FixedReader
from tests.support.serving import assert_quoted, pipeline_of

FILES = {
    "guide.md": (
        "# Porto\n\nShips sail.\n\n## Tides\n\nThe “tide” turns at six. It’s six, they say: six."
    ),
    "log.txt": "Naïve,\r\nit turns at six.".encode("utf-16"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("citing")


@pytest.fixture(scope="module")
def snapshot(folder: Path) -> SqliteSnapshot:
    return pipeline_of(folder, FILES).snapshot


def found(snapshot: SqliteSnapshot, *quotes: tuple[str, str, int]) -> ScoredAnswer:
    """Return an answer of (document, quote, occurrence)."""
    return ScoredAnswer(AnswerGroup(tuple(candidate(snapshot, *each) for each in quotes)), 0.123456)


def candidate(snapshot: SqliteSnapshot, uri: str, quote: str, nth: int = 0) -> Candidate:
    """Return a quote, whichever of several, with the sentence around it."""
    info = next(each for each in snapshot.documents() if each.uri == uri)
    text, start = snapshot.document(info.id).text, -1
    for _ in range(nth + 1):
        start = text.index(quote, start + 1)
    chunk = next(
        each
        for row in snapshot.rows_of([info.id]).tolist()
        if (each := snapshot.chunk(row)).start <= start < each.end
    )
    sentence = next((first, last) for first, last in chunk.sentences if first <= start < last)
    return Candidate(
        RetrievedChunk(chunk, info, Hit(0, 1.0, 1.0, 1.0, 1, 1)),
        start,
        start + len(quote),
        sentence,
        1.0,
    )


def test_every_place_is_cited_once_a_sentence_and_holds_byte_by_byte(
    snapshot: SqliteSnapshot, folder: Path
) -> None:
    places = [
        ("guide.md", "six", 0),
        ("guide.md", "six", 1),
        ("guide.md", "six", 2),
        ("log.txt", "six", 0),
    ]

    span = Citer(snapshot).span(found(snapshot, *places))

    assert (span.text, span.confidence, span.citation.uri) == ("six", 0.1235, "guide.md")
    assert [(each.uri, each.quote, each.line) for each in span.further] == [
        ("guide.md", "six", 7),
        ("log.txt", "six", 2),
    ]
    for citation in (span.citation, *span.further):
        document = snapshot.document(citation.document_id)
        assert_quoted(
            asdict(citation),
            document.text,
            (folder / "corpus" / citation.uri).read_bytes(),
            document.info.encoding,
        )


def test_the_heading_is_that_of_the_passage(snapshot: SqliteSnapshot) -> None:
    citation = Citer(snapshot).span(found(snapshot, ("guide.md", "six", 0))).citation

    assert (citation.title, citation.heading, citation.sentence) == (
        "Porto",
        "Porto › Tides",
        "The “tide” turns at six.",
    )
    assert citation.byte_start == citation.start + 4, (
        "two curly quotation marks of three bytes each stand before it"
    )


def test_a_whole_sentence_is_quoted_where_that_is_wanted(
    snapshot: SqliteSnapshot, folder: Path
) -> None:
    span = Citer(snapshot, whole_sentences=True).span(
        found(snapshot, ("guide.md", "turns", 0), ("log.txt", "turns", 0))
    )

    assert span.text == span.citation.quote == span.citation.sentence == "The “tide” turns at six."
    [further] = span.further
    assert further.quote == further.sentence
    for citation in (span.citation, further):
        document = snapshot.document(citation.document_id)
        assert_quoted(
            asdict(citation),
            document.text,
            (folder / "corpus" / citation.uri).read_bytes(),
            document.info.encoding,
        )


def test_a_quote_reads_its_part_of_the_document_alone(snapshot: SqliteSnapshot) -> None:
    passage = found(snapshot, ("guide.md", "six", 0))
    read: list[tuple[int, int]] = []

    class Watched(SqliteSnapshot):
        """Snapshot that records the ranges that are read, and reads no whole document."""

        def __init__(self) -> None:
            vars(self).update(vars(snapshot))

        def document(self, document_id: str) -> StoredDocument:
            raise AssertionError(document_id)

        def excerpt(self, document_id: str, start: int, end: int) -> Excerpt:
            read.append((start, end))
            return super().excerpt(document_id, start, end)

    citation = Citer(Watched()).span(passage).citation

    assert read == [(citation.sentence_start, citation.sentence_end)]


def test_a_chunk_at_another_place_cites_the_same_characters(snapshot: SqliteSnapshot) -> None:
    """A candidate's offsets are the document's, whatever passage it was read in."""
    one = candidate(snapshot, "guide.md", "six")
    part = Chunk(
        one.passage.chunk.document_id,
        one.start,
        one.end,
        "six",
        ((one.start, one.end),),
        ("Porto", "Tides"),
    )
    other = Candidate(
        RetrievedChunk(part, one.passage.document, one.passage.hit),
        one.start,
        one.end,
        one.sentence,
        1.0,
    )

    assert Citer(snapshot).span(ScoredAnswer(AnswerGroup((other,)), 1.0)) == Citer(snapshot).span(
        ScoredAnswer(AnswerGroup((one,)), 1.0)
    )


def test_the_same_words_in_copies_of_a_passage_are_cited_too(tmp_path: Path) -> None:
    leave = "# Leave\n\nEverybody has 29 days of leave. Nobody works in May.\n"
    files = {
        "leave.md": leave,
        "leave-copy.md": leave,
        "spaced.txt": "Intro.\n\nEverybody  has 29 days of leave.",
        "shouted.txt": "EVERYBODY HAS 29 DAYS OF LEAVE.",
        "other.txt": "Everybody has 30 days of leave.",
    }
    pipeline = pipeline_of(tmp_path, files, FixedReader({"29 days": 9.0}), min_confidence=0.0)

    answer = pipeline.ask("How many days of leave does everybody have?")

    [span] = answer.spans
    cited = [span.citation, *span.further]
    assert sorted(each.uri for each in cited) == ["leave-copy.md", "leave.md", "spaced.txt"]
    for each in cited:
        text = pipeline.snapshot.document(each.document_id).text
        assert_quoted(asdict(each), text, files[each.uri].encode(), "utf-8")
    found = pipeline.search("How many days of leave does everybody have?", top_k=5)
    first = next(each for each in found if "May" in each.text)
    assert {first.uri, *(copy.uri for copy in first.copies)} == {"leave.md", "leave-copy.md"}
    for copy in first.copies:
        text = pipeline.snapshot.document(copy.document_id).text
        assert "29 days" in text[copy.start : copy.end].lower()


def test_a_citation_says_when_to_check_the_original(tmp_path: Path) -> None:
    german = "Die Pumpe wird jeden Montag geprüft. Danach prüft der Meister das Ventil der Anlage."
    snapshot = pipeline_of(tmp_path, {"pumpe.txt": german, "good.txt": "It turns at six."}).snapshot

    cautions = {
        info.uri: Citer(snapshot).cite(info.id, (0, 2), (0, 2)).caution
        for info in snapshot.documents()
    }

    assert cautions == {"pumpe.txt": "not in English (de)", "good.txt": None}
