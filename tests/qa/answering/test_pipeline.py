"""The pipeline: retrieve, read, decide, cite.

Above all, every quote is where its citation says, in the text and in the file.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from qa.answer import Answer, Citation, answer_of
from qa.answering.decision import Policy
from qa.answering.pipeline import Pipeline
from qa.answering.reading.reader import CrossEncoderReader
from qa.answering.retrieval.retriever import HybridRetriever
from qa.errors import InvalidQuestion, UnknownDocumentId
from tests.qa.answering.test_question import INVALID
from tests.qa.test_answer import ANSWER_KEYS, CITATION_KEYS
from tests.support.fakes import FakeEncoder, FakeSpanModel, FixedReader
from tests.support.serving import assert_quoted, pipeline_of

FILES = {
    "tides.txt": (
        "The tide at Porto turns at six. Fishermen leave with the ebb.\n\nThey come back at noon."
    ),
    "bread.md": "# Bread\n\nIt needs flour, water and salt.\n\n## Time\n\nIt rises for two hours.",
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
    st.characters(
        codec="utf-8", exclude_categories=["Cc", "Co", "Cn"], exclude_characters="\ufeff"
    ),
    max_size=80,
)
ENCODERS: dict[str, Callable[[str], bytes]] = {
    "utf-8": lambda text: text.encode(),
    "bom": lambda text: text.encode("utf-8-sig"),
    "utf-16": lambda text: text.encode("utf-16"),
    "big-endian": lambda text: b"\xfe\xff" + text.encode("utf-16-be"),
}
QUESTIONS = st.lists(
    st.sampled_from(["tide", "5", "billion", "café", "東京", "word", "who?", "🎉"])
    | st.text(max_size=12),
    min_size=1,
    max_size=5,
)


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    return pipeline_of(tmp_path_factory.mktemp("pipeline"), FILES)


def fixed(pipeline: Pipeline, reader: FixedReader, policy: Policy | None = None) -> Pipeline:
    """Return the same index with a reader of fixed candidates.

    Its clock ticks a millisecond at every look.
    """
    ticks = iter(range(100))
    retriever = HybridRetriever(pipeline.snapshot, FakeEncoder())
    return Pipeline(
        pipeline.snapshot,
        retriever,
        reader,
        policy or Policy(None, 0.9),
        top_k=5,
        clock=lambda: next(ticks) / 1000,
    )


def assert_shape(answer: Answer) -> None:
    """Check the keys of an answer: spans or a refusal, and the citations of the spans."""
    shown = answer.to_dict()
    spans = shown["answers"] + shown["alternatives"] + shown["conflicts"]
    assert list(shown) == ANSWER_KEYS
    assert all(
        list(span["citation"]) == CITATION_KEYS and span["text"] == span["citation"]["quote"]
        for span in spans
    )
    assert shown["citations"] == [
        each for span in shown["answers"] for each in (span["citation"], *span["further"])
    ]
    assert (shown["refusal"] is None) == bool(shown["answers"]) == (shown["answer"] is not None)
    assert all(0 <= span["confidence"] <= 1 for span in spans)
    assert 0 <= answer.passages_read <= answer.passages_found


def every_citation(answer: Answer) -> list[Citation]:
    """Those of all spans that an answer shows, whatever for."""
    spans = (*answer.spans, *answer.alternatives, *answer.conflicts)
    return [citation for span in spans for citation in (span.citation, *span.further)]


@settings(max_examples=60)
@given(
    texts=st.lists(
        st.tuples(TEXTS, st.sampled_from(sorted(ENCODERS)), st.sampled_from([".txt", ".md"])),
        min_size=1,
        max_size=3,
    ),
    questions=st.lists(QUESTIONS, min_size=1, max_size=3),
    window=st.sampled_from([6, 40]),
)
def test_every_quote_is_where_its_citation_says(
    texts: list[tuple[str, str, str]], questions: list[list[str]], window: int
) -> None:
    files: dict[str, str | bytes] = {
        f"{number}{suffix}": ENCODERS[encoding](text)
        for number, (text, encoding, suffix) in enumerate(texts)
    }
    with tempfile.TemporaryDirectory() as folder:
        reader = CrossEncoderReader(FakeSpanModel(window=window), "fake")
        pipeline = pipeline_of(
            Path(folder), {**files, "certain.txt": "One sure thing."}, reader, min_confidence=0.0
        )
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
    for citation in every_citation(answer):
        document = pipeline.snapshot.document(citation.document_id)
        file = (corpus / citation.uri).read_bytes()
        assert_quoted(asdict(citation), document.text, file, document.info.encoding)


def test_a_span_inside_a_sentence_is_cited_with_its_sentence(pipeline: Pipeline) -> None:
    answer = fixed(pipeline, FixedReader({"at six": 4.0})).ask("When does the tide at Porto turn?")

    citation = answer.citations[0]
    assert (answer.text, citation.sentence, answer.kind) == (
        "at six",
        "The tide at Porto turns at six.",
        "span",
    )
    assert (citation.start, citation.byte_start, citation.line, citation.uri) == (
        24,
        24,
        1,
        "tides.txt",
    )


def test_a_yes_or_no_question_gets_the_whole_sentence(pipeline: Pipeline) -> None:
    answer = fixed(pipeline, FixedReader({"at six": 4.0, "tide": 3.0, "noon": 2.0})).ask(
        "Does the tide at Porto turn at six?"
    )

    assert_shape(answer)
    assert (answer.kind, answer.text) == ("evidence", "The tide at Porto turns at six.")
    assert [span.text for span in answer.alternatives] == ["They come back at noon."]


def test_a_question_for_a_list_gets_several_spans(pipeline: Pipeline) -> None:
    answer = fixed(pipeline, FixedReader({"flour": 4.0, "water": 3.5, "salt": 3.0})).ask(
        "Which things does bread need?"
    )

    assert_shape(answer)
    assert (answer.kind, [span.text for span in answer.spans]) == (
        "list",
        ["flour", "water", "salt"],
    )
    assert len(answer.citations) == 3


def test_the_same_words_in_several_documents_are_one_answer_with_every_place(
    tmp_path: Path,
) -> None:
    files = {
        "a.txt": "The tide turns at six.",
        "b.txt": "Fishermen say – the tide turns at six.".encode("utf-16"),
    }
    pipeline = pipeline_of(tmp_path, files)

    answer = fixed(pipeline, FixedReader({"six": 4.0})).ask("When does the tide turn?")

    assert_shape(answer)
    [span] = answer.spans
    assert {citation.uri for citation in answer.citations} == {"a.txt", "b.txt"}
    assert (len(span.further), answer.alternatives, answer.conflicts) == (1, (), ())
    check_places(pipeline, answer, tmp_path / "corpus")


def check_places(pipeline: Pipeline, answer: Answer, corpus: Path) -> None:
    """Every citation of an answer holds."""
    for citation in every_citation(answer):
        document = pipeline.snapshot.document(citation.document_id)
        assert_quoted(
            asdict(citation),
            document.text,
            (corpus / citation.uri).read_bytes(),
            document.info.encoding,
        )


def test_documents_that_contradict_each_other_are_shown_as_a_conflict(tmp_path: Path) -> None:
    files = {"a.txt": "The office closes at 5 pm.", "b.txt": "The office closes at 6 pm."}
    pipeline = pipeline_of(tmp_path, files)

    answer = fixed(pipeline, FixedReader({"5 pm": 5.0, "6 pm": 4.0})).ask(
        "When does the office close?"
    )

    assert_shape(answer)
    assert (answer.text, [span.text for span in answer.conflicts], answer.alternatives) == (
        "5 pm",
        ["6 pm"],
        (),
    )
    check_places(pipeline, answer, tmp_path / "corpus")


def test_line_and_heading_are_those_of_the_quote(pipeline: Pipeline) -> None:
    [citation] = (
        fixed(pipeline, FixedReader({"two hours": 4.0})).ask("How long does it rise?").citations
    )

    assert (citation.line, citation.heading, citation.title) == (7, "Bread › Time", "Bread")


def test_timings_are_those_of_the_steps(pipeline: Pipeline) -> None:
    timings = fixed(pipeline, FixedReader({"at six": 4.0})).ask("tide").timings_ms

    assert timings == {"retrieve": 1.0, "read": 1.0, "decide": 1.0, "total": 3.0}


def test_only_the_given_documents_are_cited(pipeline: Pipeline) -> None:
    bread = next(info.id for info in pipeline.snapshot.documents() if info.uri == "bread.md")

    answer = pipeline.ask("When does the tide at Porto turn?", documents=[bread])

    assert {citation.document_id for citation in every_citation(answer)} == {bread}
    assert answer.passages_found == 2


def test_the_documents_of_a_question_are_looked_up_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = pipeline_of(tmp_path, FILES)
    every = [info.id for info in pipeline.snapshot.documents()]
    lookups: list[int] = []
    rows_of = pipeline.snapshot.rows_of

    def counted(document_ids: Sequence[str]) -> NDArray[np.int64]:
        lookups.append(len(document_ids))
        return rows_of(document_ids)

    monkeypatch.setattr(pipeline.snapshot, "rows_of", counted)
    first = pipeline.ask("When does the tyde turn?", documents=every)
    again = pipeline.ask("When does the tyde turn?", documents=every)

    assert lookups == [len(every)]
    assert first.text == again.text
    assert first.text == pipeline.ask("When does the tyde turn?").text


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
    [note] = (
        fixed(pipeline, FixedReader({"at six": 4.0}))
        .ask("Wann dreht die Flut in Porto, und warum fahren die Fischer hinaus?")
        .notes
    )

    assert "looks like German" in note


def test_a_cited_document_in_another_language_gets_a_note(tmp_path: Path) -> None:
    german = (
        "Die Flut in Porto kommt zweimal am Tag. "
        "Die Fischer fahren mit der Ebbe hinaus und kommen am Mittag zurück."
    )
    answer = pipeline_of(tmp_path, {"a.txt": german}, min_confidence=0.0).ask(
        "When do the Fischer leave?"
    )

    [note] = answer.notes
    assert note == (
        "The cited document looks like German, and the models read English: "
        "its answers are never sure."
    )
    assert answer.certainty == "likely"


def test_a_reader_of_the_language_may_be_sure(tmp_path: Path) -> None:
    german = "Die Flut in Porto kommt zweimal am Tag. Die Fischer fahren mit der Ebbe hinaus."
    question = "Wann fahren die Fischer in Porto mit der Ebbe hinaus?"

    unread = pipeline_of(tmp_path / "a", {"a.txt": german}, min_confidence=0.5)
    read = pipeline_of(
        tmp_path / "b", {"a.txt": german}, min_confidence=0.5, reader_languages=("en", "de")
    )

    assert (unread.ask(question).certainty, read.ask(question).certainty) == ("likely", "sure")
    assert read.ask(question).notes == ()
    assert unread.ask(question, strict=True).refusal


def test_a_summary_of_an_unread_document_is_only_likely(tmp_path: Path) -> None:
    german = (
        "# Handbuch der Pumpe\n\nDie Pumpe fördert zwölf Liter Wasser in der Stunde und wird jeden "
        "Monat gereinigt. Die Membran der Pumpe hält sechstausend Stunden.\n"
    )
    pipeline = pipeline_of(tmp_path, {"handbuch.md": german})

    answer = pipeline.ask("What is the Handbuch der Pumpe about?")

    assert (answer.kind, answer.certainty) == ("summary", "likely")
    assert any("looks like German" in note for note in answer.notes)


def test_the_answer_says_which_documents_were_asked(pipeline: Pipeline) -> None:
    [first, *_] = pipeline.snapshot.document_ids
    uri = pipeline.snapshot.document_info(first).uri

    assert pipeline.documents_called([uri, first]) == [first, first]
    answer = pipeline.ask("When does the tide turn?", documents=[first, first])

    assert answer.documents == (first,)
    assert answer_of(json.loads(json.dumps(answer.to_dict()))) == answer
    with pytest.raises(UnknownDocumentId, match="0 documents are called"):
        pipeline.documents_called(["\udcff"])


def test_an_english_question_gets_no_note(pipeline: Pipeline) -> None:
    assert pipeline.ask("When does the tide at Porto turn?").notes == ()


def test_search_results_show_every_score(pipeline: Pipeline) -> None:
    [first, *_] = pipeline.search("tide Porto", top_k=2)

    assert (first.rank, first.uri, first.dense_rank, first.bm25_rank) == (1, "tides.txt", 1, 1)
    assert first.text == FILES["tides.txt"][first.start : first.end]
