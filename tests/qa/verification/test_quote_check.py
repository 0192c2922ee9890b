"""Quotes held against their sources: what is true is proved, whatever is changed is not."""

from __future__ import annotations

import copy
import json
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import closing, nullcontext
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.formats.detection import KINDS
from qa.answering.pipeline import Pipeline
from qa.errors import InvalidAnswer
from qa.verification.audit_bundle import bundle_of, read_bundle, unpack
from qa.verification.quote_check import (
    ParsedQuote,
    Proof,
    below,
    in_index,
    parsed,
    passages_of,
    quotes_of,
    verify,
)
from tests.support.serving import pipeline_of, settings_in

QUESTION = "When does the tide at Porto turn?"
FILES: dict[str, str | bytes] = {
    "a.txt": (
        "\ufeffEbb 🌊 fl\u0308ow.\r\nThe tide at Porto turns at six. The sea is calm."
    ).encode(),
    "b.txt": "Der Fluß ist tief.\r\nThe tide at Porto turns at six.".encode("cp1252"),
    "table.csv": "Place,Tide\nVigo,turns at nine\n",
}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("verifying")


@pytest.fixture(scope="module")
def pipeline(corpus: Path) -> Iterator[Pipeline]:
    pipeline = pipeline_of(corpus, FILES, min_confidence=0.0)
    with closing(pipeline.snapshot):
        yield pipeline


@pytest.fixture(scope="module")
def answer(pipeline: Pipeline) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(json.dumps(pipeline.ask(QUESTION).to_dict()))
    return plain


def proofs(plain: dict[str, Any], pipeline: Pipeline) -> list[Proof]:
    with in_index(pipeline.snapshot) as find:
        return verify(quotes_of(plain), find)


def failed(proof: Proof) -> set[str]:
    return {check.name for check in proof.checks if not check.passed}


def test_what_the_sources_hold_is_proved(
    answer: dict[str, Any], pipeline: Pipeline, corpus: Path
) -> None:
    found = proofs(answer, pipeline)

    assert {proof.uri for proof in found} == set(FILES)
    assert all(proof.proved for proof in found), found
    assert {check.name for check in found[0].checks} == {
        "sha256",
        "characters",
        "sentence",
        "extractor",
        "bytes",
        "place",
    }
    assert all(proof.proved for proof in verify(quotes_of(answer), below(corpus / "corpus")))


def test_quotes_of_a_mail_in_a_mail_are_proved(tmp_path: Path) -> None:
    inner, outer = EmailMessage(), EmailMessage()
    inner["Subject"], outer["Subject"] = "Tides", "FW"
    inner.set_content("The tide at Porto turns at six.")
    outer.set_content("The tide at Vigo is of no interest.")
    outer.add_attachment(inner)
    pipeline = pipeline_of(tmp_path, {"a.eml": outer.as_bytes()}, min_confidence=0.0)
    with closing(pipeline.snapshot):
        answer = pipeline.ask(QUESTION)
        bundle, missing = bundle_of(answer, pipeline, settings_in(tmp_path))
        plain = json.loads(json.dumps(answer.to_dict()))
        found = proofs(plain, pipeline)

    assert plain["citations"][0]["uri"] == "a.eml#1"
    assert plain["citations"][0]["mail"] == "1 (Tides)"
    assert missing == []
    (tmp_path / "unpacked").mkdir()
    in_bundle = unpack(read_bundle(bundle.to_bytes()), tmp_path / "unpacked")
    for proofs_of in (
        found,
        verify(quotes_of(plain), below(tmp_path / "corpus")),
        verify(quotes_of(plain), below(tmp_path / "corpus" / "a.eml")),
        verify(quotes_of(plain), in_bundle),
    ):
        assert all(proof.proved for proof in proofs_of), proofs_of
    plain["answers"][0]["citation"]["uri"] = plain["citations"][0]["uri"] = "a.eml"
    assert not verify(quotes_of(plain), below(tmp_path / "corpus"))[0].proved


def test_what_a_refusal_shows_is_proved(pipeline: Pipeline, tmp_path: Path) -> None:
    refusing = pipeline_of(tmp_path, FILES, min_confidence=1.0)
    with closing(refusing.snapshot):
        plain = refusing.ask(QUESTION).to_dict()
        found = proofs(plain, refusing)
        passages = passages_of(
            [each | {"sha256": each["sha256"]} for each in plain["refusal"]["nearest"]]
        )
        with in_index(refusing.snapshot) as find:
            assert all(proof.proved for proof in verify(passages, find))

    assert "nearest passage" in {proof.role for proof in found}
    assert all(proof.proved for proof in found)
    del pipeline


Change = Callable[[dict[str, Any]], object]


@pytest.mark.parametrize(
    ("change", "fails"),
    [
        (lambda citation: citation.update(sha256="0" * 64), {"sha256"}),
        (lambda citation: citation.update(start=citation["start"] - 1), {"characters", "place"}),
        (lambda citation: citation.update(end=10**9), {"characters"}),
        (lambda citation: citation.update(start=-5, end=-1), {"characters"}),
        (
            lambda citation: citation.update(sentence_start=citation["sentence_start"] + 1),
            {"sentence"},
        ),
        (lambda citation: citation.update(byte_start=citation["byte_start"] + 1), {"bytes"}),
        (lambda citation: citation.update(byte_start=None), {"bytes"}),
        (lambda citation: citation.update(line=citation["line"] + 1), {"place"}),
        (lambda citation: citation.update(page=3), {"place"}),
        (lambda citation: citation.update(extractor="pypdfium2 1"), {"extractor"}),
        (lambda citation: citation.update(document_id="../../etc/passwd"), {"source"}),
    ],
)
def test_each_number_of_a_citation_is_checked(
    answer: dict[str, Any], pipeline: Pipeline, change: Change, fails: set[str]
) -> None:
    plain = copy.deepcopy(answer)
    text = next(span for span in plain["answers"] if span["citation"]["line"] == 2)
    change(text["citation"])
    plain["citations"] = [
        each for span in plain["answers"] for each in (span["citation"], *span["further"])
    ]

    wrong = [proof for proof in proofs(plain, pipeline) if not proof.proved]

    assert len(wrong) == 1
    assert failed(wrong[0]) & fails, wrong


def test_a_quote_that_was_changed_is_disproved(answer: dict[str, Any], pipeline: Pipeline) -> None:
    plain = json.loads(json.dumps(answer).replace("six", "ten"))

    assert not any(proof.proved for proof in proofs(plain, pipeline) if "ten" in proof.quote)


@given(data=st.data())
def test_a_quote_elsewhere_in_its_file_is_not_proved_there(
    data: st.DataObject, answer: dict[str, Any], pipeline: Pipeline
) -> None:
    plain = copy.deepcopy(answer)
    citation = plain["answers"][0]["citation"]
    shift = data.draw(st.integers(-200, 200).filter(bool))
    citation.update(start=citation["start"] + shift, end=citation["end"] + shift)
    plain["citations"][0] = citation

    assert "characters" in failed(proofs(plain, pipeline)[0])


def test_a_file_that_has_changed_says_where_the_words_stand_now(tmp_path: Path) -> None:
    pipeline = pipeline_of(tmp_path, FILES, min_confidence=0.0)
    with closing(pipeline.snapshot):
        plain = pipeline.ask(QUESTION).to_dict()
        (tmp_path / "corpus" / "b.txt").write_text("New. The tide at Porto turns at six.")
        (tmp_path / "corpus" / "a.txt").unlink()
        found = {
            proof.uri: proof for proof in reversed(proofs(plain, pipeline))
        }  # the first of each file

    assert failed(found["a.txt"]) == {"source"}
    assert {"sha256", "characters"} <= failed(found["b.txt"])
    assert any("the words stand at 5 to 36" in check.detail for check in found["b.txt"].checks)


def test_that_another_version_read_the_file_is_said(tmp_path: Path) -> None:
    page = "<p>The gate code is seven four two nine.</p>"
    answer = (
        pipeline_of(tmp_path, {"gate.html": page}, min_confidence=0.0)
        .ask("What is the gate code?")
        .to_dict()
    )
    [first, *_] = quotes_of(answer)
    assert first.citation is not None
    cited = replace(first.citation, extractor="html/1 lxml/1.0")

    def details(quoted: ParsedQuote) -> dict[str, str]:
        [proof] = verify([quoted], below(tmp_path / "corpus"))
        return {check.name: check.detail for check in proof.checks}

    moved = replace(first, citation=cited, start=first.start + 1, end=first.end + 1)
    assert (
        f"html/1 lxml/1.0 read it then, {KINDS['html'].extractor} does now: ask again"
        in details(moved)["characters"]
    )
    assert "then" not in details(replace(first, citation=cited))["characters"]
    assert "then" not in details(replace(moved, citation=first.citation))["characters"]


@pytest.mark.parametrize("uri", ["/etc/passwd", "../secret.txt", "a/../../secret.txt"])
def test_no_name_leads_out_of_the_folder(tmp_path: Path, uri: str) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "folder").mkdir()

    assert below(tmp_path / "folder")("", uri, "") is None


@pytest.mark.parametrize(
    "content", [b"", b"\xff", b"[]", b"1", b"{}", b'{"answers": 1}', b"[" * 100_000]
)
def test_what_is_no_answer_is_said(content: bytes) -> None:
    with pytest.raises(InvalidAnswer, match="expected the JSON of an answer"):
        quotes_of(parsed(content))


@pytest.mark.parametrize("change", [{"answer": "at nine"}, {"citations": []}])
def test_an_answer_that_does_not_agree_with_itself_is_said(
    answer: dict[str, Any], change: dict[str, Any]
) -> None:
    with pytest.raises(InvalidAnswer, match="has been changed"):
        quotes_of(answer | change)


ODD: list[Any] = [
    None,
    True,
    10**30,
    -1,
    1.5,
    float("nan"),
    "",
    "x",
    "\ud800",
    "a\0b",
    [],
    [{}],
    {"a": 1},
]


def places_in(plain: Any, above: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Return the path of every value in some JSON."""
    inside = (
        plain.items()
        if isinstance(plain, dict)
        else enumerate(plain)
        if isinstance(plain, list)
        else ()
    )
    for key, value in inside:
        yield (*above, key)
        yield from places_in(value, (*above, key))


@given(data=st.data())
def test_whatever_stands_in_the_json_of_an_answer_it_is_checked_or_refused(
    data: st.DataObject, answer: dict[str, Any], pipeline: Pipeline
) -> None:
    folder = pipeline.snapshot.files()[0].path.parent
    place, value = (
        data.draw(st.sampled_from(list(places_in(answer)))),
        data.draw(st.sampled_from(ODD)),
    )
    plain = copy.deepcopy(answer)
    for root in (("answers", 0, "citation"), ("citations", 0)) if "citation" in place else ((),):
        *above, last = (*root, place[-1]) if root else place
        target: Any = plain
        for key in above:
            target = target[key]
        target[last] = value
    for finder in (in_index(pipeline.snapshot), nullcontext(below(folder))):
        try:
            with finder as find:
                found = verify(quotes_of(plain), find)
        except InvalidAnswer:
            continue
        json.dumps([proof.to_dict() for proof in found], ensure_ascii=False).encode()


def test_of_all_sources_one_at_a_time_is_in_memory(tmp_path: Path) -> None:
    passages = []
    for number in range(12):
        text = f"Buoy {number}. " * 30_000
        (tmp_path / f"{number}.txt").write_text(text)
        passages.append(
            {
                "document_id": "",
                "uri": f"{number}.txt",
                "sha256": "",
                "text": "Buoy",
                "start": 0,
                "end": 4,
            }
        )
    quotes = passages_of(passages + passages)

    found, peak = measured(quotes, tmp_path)

    assert [proof.uri for proof in found] == [quoted.uri for quoted in quotes]
    assert all(failed(proof) == {"sha256"} for proof in found)
    assert peak - measured(quotes[:1], tmp_path)[1] < 3 * len(text)


def measured(quotes: list[ParsedQuote], folder: Path) -> tuple[list[Proof], int]:
    """Return the proofs of quotes from a folder, and the bytes that they took at most."""
    tracemalloc.start()
    found = verify(quotes, below(folder))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return found, peak
