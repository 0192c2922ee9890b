"""retrieve, read, decide, cite; above all: every quote is where its citation says, in the text and in the file."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qa.answer import Answer
from qa.errors import InvalidQuestion, UnknownDocumentId
from qa.pipeline import NEAREST, Pipeline
from qa.reader import Candidate
from qa.retriever import HybridRetriever, Passage
from tests.fakes import FakeEncoder
from tests.serving import assert_quoted, pipeline_of
from tests.test_answer import ANSWER_KEYS, CITATION_KEYS
from tests.test_question import INVALID

FILES = {
    "tides.txt": "The tide at Porto turns at six. Fishermen leave with the ebb.\n\nThey come back at noon.",
    "bread.md": "# Bread\n\nIt needs flour.\n\n## Time\n\nIt rises for two hours.",
}
PIECES = st.sampled_from(
    [
        "The tide turns. ",
        "naïve café ",
        "€5 billion",
        "“Quoted,” he said. ",
        "🎉👩‍👩‍👧 ",
        "e\u0301 ",
        "東京は大きい。",
        "\r\n",
        "\n\n",
        "\r",
        "- item\n",
        "# Head\n\n",
        "| a | b |\n|---|---|\n| 1 | 2 |\n",
        "…",
        "U.S. ",
        "\u00a0",
        "word " * 60,
    ]
)
TEXTS = st.lists(PIECES, min_size=1, max_size=12).map("".join) | st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Co", "Cn"], exclude_characters="\ufeff"), max_size=80
)
ENCODERS: dict[str, Callable[[str], bytes]] = {
    "utf-8": lambda text: text.encode(),
    "bom": lambda text: text.encode("utf-8-sig"),
    "utf-16": lambda text: text.encode("utf-16"),
    "big-endian": lambda text: b"\xfe\xff" + text.encode("utf-16-be"),
}
QUESTIONS = st.lists(
    st.sampled_from(["tide", "5", "billion", "café", "東京", "word", "who?", "🎉"]) | st.text(max_size=12), min_size=1, max_size=5
)


@dataclass
class FixedReader:
    """Finds what it was told to: spans as (start, end, confidence) of the first passage, whose sentences they may be part of."""

    found: Sequence[tuple[int, int, float]]
    threshold: float = 0.5

    def read(self, question: str, passages: Sequence[Passage]) -> list[Candidate]:
        del question
        [first, *_] = passages
        sentence = first.chunk.sentences[0]
        return [Candidate(first, start, end, sentence, confidence) for start, end, confidence in self.found]


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    return pipeline_of(tmp_path_factory.mktemp("pipeline"), FILES)


def fixed(pipeline: Pipeline, *found: tuple[int, int, float]) -> Pipeline:
    """The same index with a reader of fixed candidates, and a clock that ticks once a look."""
    ticks = iter(range(100))
    retriever = HybridRetriever(pipeline.snapshot, FakeEncoder())
    return Pipeline(pipeline.snapshot, retriever, FixedReader(found), top_k=2, clock=lambda: next(ticks) / 1000)


def assert_shape(answer: Answer) -> None:
    """An answer with all its keys: spans or a refusal, and the citations of the spans."""
    shown = answer.to_dict()
    spans = shown["answers"] + shown["alternatives"]
    assert list(shown) == ANSWER_KEYS
    assert all(list(span["citation"]) == CITATION_KEYS and span["text"] == span["citation"]["quote"] for span in spans)
    assert shown["citations"] == [span["citation"] for span in shown["answers"]]
    assert (shown["refusal"] is None) == bool(shown["answers"]) == (shown["answer"] is not None)
    assert all(0 <= span["confidence"] <= 1 for span in spans)


@settings(max_examples=60)
@given(
    texts=st.lists(st.tuples(TEXTS, st.sampled_from(sorted(ENCODERS)), st.sampled_from([".txt", ".md"])), min_size=1, max_size=3),
    questions=st.lists(QUESTIONS, min_size=1, max_size=3),
)
def test_every_quote_is_where_its_citation_says(texts: list[tuple[str, str, str]], questions: list[list[str]]) -> None:
    files: dict[str, str | bytes] = {
        f"{number}{suffix}": ENCODERS[encoding](text) for number, (text, encoding, suffix) in enumerate(texts)
    }
    with tempfile.TemporaryDirectory() as folder:
        pipeline = pipeline_of(Path(folder), {**files, "certain.txt": "One sure thing."}, min_confidence=0.0)
        try:
            for words in questions:
                check(pipeline, " ".join(words), Path(folder, "corpus"))
        finally:
            pipeline.snapshot.close()


def check(pipeline: Pipeline, question: str, corpus: Path) -> None:
    """Every citation of the answer to a question holds, if it is one."""
    try:
        answer = pipeline.ask(question)
    except InvalidQuestion:
        return
    assert_shape(answer)
    assert answer.spans
    for span in (*answer.spans, *answer.alternatives):
        document = pipeline.snapshot.document(span.citation.document_id)
        file = (corpus / span.citation.uri).read_bytes()
        assert_quoted(asdict(span.citation), document.text, file, document.info.encoding)


def test_a_span_inside_a_sentence_is_cited_with_its_sentence(pipeline: Pipeline) -> None:
    answer = fixed(pipeline, (23, 30, 0.9)).ask("When does the tide at Porto turn?")

    citation = answer.citations[0]
    assert (answer.text, citation.sentence) == (FILES["tides.txt"][23:30], "The tide at Porto turns at six.")
    assert (citation.start, citation.byte_start, citation.line, citation.uri) == (23, 23, 1, "tides.txt")


def test_line_and_heading_are_those_of_the_quote(pipeline: Pipeline) -> None:
    answer = pipeline.ask("How long does it rise, two hours?")

    citations = [span.citation for span in (*answer.spans, *answer.alternatives)]
    found = next(citation for citation in citations if citation.quote == "It rises for two hours.")
    assert (found.line, found.heading, found.title) == (7, "Bread › Time", "Bread")


def test_an_unsure_answer_is_refused_with_the_nearest_passages(pipeline: Pipeline) -> None:
    answer = fixed(pipeline, (0, 8, 0.4)).ask("When does the tide at Porto turn?")

    assert_shape(answer)
    assert answer.refusal
    assert 0 < len(answer.refusal.nearest) <= NEAREST
    assert answer.refusal.nearest[0].text.startswith("The tide")
    assert (answer.confidence, len(answer.alternatives)) == (0.4, 1)


def test_an_empty_index_refuses(tmp_path: Path) -> None:
    empty = pipeline_of(tmp_path, {"a.txt": "Text."})
    answer = Pipeline(empty.snapshot, HybridRetriever(empty.snapshot, FakeEncoder()), FixedReader([]), top_k=1).ask("what?")

    assert_shape(answer)
    assert answer.confidence == 0


def test_timings_are_those_of_the_steps(pipeline: Pipeline) -> None:
    assert fixed(pipeline, (0, 8, 0.9)).ask("tide").timings_ms == {"retrieve": 1.0, "read": 1.0, "decide": 1.0, "total": 3.0}


def test_only_the_given_documents_are_cited(pipeline: Pipeline) -> None:
    bread = next(info.id for info in pipeline.snapshot.documents() if info.uri == "bread.md")

    answer = pipeline.ask("When does the tide at Porto turn?", documents=[bread])

    assert {span.citation.document_id for span in (*answer.spans, *answer.alternatives)} == {bread}


def test_an_unknown_document_is_named(pipeline: Pipeline) -> None:
    with pytest.raises(UnknownDocumentId, match="'nope'"):
        pipeline.ask("tide", documents=["nope"])
    with pytest.raises(UnknownDocumentId, match="'nope'"):
        pipeline.search("tide", top_k=1, documents=["nope"])


@pytest.mark.parametrize("question", [question for question, _ in INVALID.values()], ids=INVALID)
def test_an_invalid_question_is_not_searched(pipeline: Pipeline, question: str) -> None:
    with pytest.raises(InvalidQuestion):
        pipeline.ask(question)
    with pytest.raises(InvalidQuestion):
        pipeline.search(question, top_k=1)


def test_a_question_in_another_language_gets_a_note(pipeline: Pipeline) -> None:
    [note] = fixed(pipeline, (0, 8, 0.9)).ask("Wann dreht die Flut in Porto, und warum fahren die Fischer hinaus?").notes

    assert "(de)" in note


def test_a_cited_document_in_another_language_gets_a_note(tmp_path: Path) -> None:
    german = "Die Flut in Porto kommt zweimal am Tag. Die Fischer fahren mit der Ebbe hinaus und kommen am Mittag zurück."
    answer = pipeline_of(tmp_path, {"a.txt": german}, min_confidence=0.0).ask("When do the Fischer leave?")

    assert answer.notes == ("The cited document looks like another language than English (de).",)


def test_an_english_question_gets_no_note(pipeline: Pipeline) -> None:
    assert pipeline.ask("When does the tide at Porto turn?").notes == ()


def test_search_results_show_every_score(pipeline: Pipeline) -> None:
    [first, *_] = pipeline.search("tide Porto", top_k=2)

    assert (first.rank, first.uri, first.dense_rank, first.bm25_rank) == (1, "tides.txt", 1, 1)
    assert first.text == FILES["tides.txt"][first.start : first.end]
