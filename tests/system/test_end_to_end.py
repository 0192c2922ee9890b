"""Tests from files to cited answers with the real models, by command and over HTTP."""

from __future__ import annotations

import json
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from index.models.encoder import Encoder
from qa.answering.pipeline import Pipeline
from qa.answering.reading.reader import Reader
from qa.bootstrap import load_pipeline
from qa.settings import Settings
from tests.support.serving import (
    SEEDS,
    Command,
    Server,
    assert_quoted,
    citations_in,
    indexed,
    settings_in,
    write_files,
)
from tests.support.writers import pdf, samples, workbook

pytestmark = pytest.mark.slow

QUESTIONS = [
    ("How much will Amazon invest in Anthropic?", "$25 billion"),
    ("How much will Amazon invest initially?", "$5 billion"),
    ("By how much did Amazon's stock price rise in after-hours trading?", "2.7%"),
]
FILES: dict[str, str | bytes] = {
    "windows.txt": (
        "The museum’s café closes at five – every day.\r\nThe cloakroom is free."
    ).encode("cp1252"),
    "sixteen.txt": (
        "The observatory opens on the 3rd of May.\r\n\r\nIts mirror measures 2.4 metres."
    ).encode("utf-16"),
    "guide.md": (
        "---\ntitle: Harbour guide\n---\n"
        "# Ferries\n\nThe ferry to Hvar leaves at 07:30.\n\n"
        "## Fares\n\n| Who | Fare |\n|---|---|\n| Adult | €12 |\n"
    ),
}


@pytest.fixture(scope="module")
def seeds(seeds_command: Command, encoder: Encoder, reader: Reader) -> Pipeline:
    return load_pipeline(
        Settings(seeds_command.data, seeds_command.cache, min_confidence=0.0), encoder, reader
    )


def without_timings(answer: dict[str, Any]) -> dict[str, Any]:
    """Return an answer without the times, which differ from run to run."""
    return {name: value for name, value in answer.items() if name != "timings_ms"}


@pytest.mark.parametrize(("question", "fact"), QUESTIONS)
def test_the_seeds_answer_with_a_sentence_that_says_so(
    seeds: Pipeline, question: str, fact: str
) -> None:
    answer = seeds.ask(question)

    assert answer.spans, answer.refusal
    assert any(fact in span.citation.sentence for span in (*answer.spans, *answer.alternatives))


def test_the_seeds_refuse_with_a_receipt(
    seeds_command: Command, encoder: Encoder, reader: Reader
) -> None:
    strict = load_pipeline(
        Settings(seeds_command.data, seeds_command.cache, min_confidence=1.0), encoder, reader
    )

    refusal = strict.ask("What is the population of Reykjavík?").refusal

    assert refusal
    assert (refusal.gate.name, refusal.missing, refusal.searched.documents) == (
        "confidence",
        ("Reykjavík",),
        1,
    )
    assert all(passage.reader_score is not None for passage in refusal.nearest)


def test_every_quote_of_the_seeds_is_in_the_file(seeds: Pipeline) -> None:
    for question, _ in QUESTIONS:
        for citation in citations_in(seeds.ask(question).to_dict()):
            document = seeds.snapshot.document(citation["document_id"])
            assert_quoted(
                citation,
                document.text,
                (SEEDS / citation["uri"]).read_bytes(),
                document.info.encoding,
            )


def test_copies_of_a_headline_do_not_crowd_out_others(seeds: Pipeline) -> None:
    texts = [
        " ".join(passage.text.split())
        for passage in seeds.search("US government computing resources", top_k=10)
    ]

    assert not [
        text
        for text in texts
        for other in texts
        if text is not other and other.startswith(text.removesuffix("…"))
    ]


def test_the_command_and_the_server_give_the_same_answer(
    seeds_command: Command, seeds_server: Server
) -> None:
    question, _ = QUESTIONS[0]

    typed = json.loads(seeds_command("ask", question, "--json").stdout)
    sent = seeds_server.client.post("/ask", json={"question": question}).json()

    assert list(typed) == list(sent)
    assert without_timings(typed) == without_timings(sent)


@pytest.mark.parametrize(
    ("question", "uri", "fact"),
    [
        ("When does the museum café close?", "windows.txt", "closes at five"),
        ("What does the mirror of the observatory measure?", "sixteen.txt", "2.4 metres"),
        ("When does the ferry to Hvar leave?", "guide.md", "07:30"),
    ],
)
def test_any_encoding_is_cited_to_the_byte(
    tmp_path: Path, encoder: Encoder, reader: Reader, question: str, uri: str, fact: str
) -> None:
    settings = settings_in(tmp_path, min_confidence=0.0)
    indexed(settings, encoder, tmp_path / "corpus", FILES)
    pipeline = load_pipeline(settings, encoder, reader)
    [asked] = [info.id for info in pipeline.snapshot.documents() if info.uri == uri]

    answer = pipeline.ask(question, documents=[asked])

    found = citations_in(answer.to_dict())
    citation = next(each for each in found if fact in each["sentence"])
    document = pipeline.snapshot.document(citation["document_id"])
    assert_quoted(
        citation, document.text, (tmp_path / "corpus" / uri).read_bytes(), document.info.encoding
    )
    if uri == "guide.md":
        assert (citation["title"], citation["heading"]) == (
            "Harbour guide",
            "Harbour guide › Ferries",
        )


def test_a_folder_of_every_format_is_cited_by_page_slide_sheet_and_row(
    tmp_path: Path, seeds_command: Command
) -> None:
    folder = tmp_path / "mixed"
    files = {name: content for name, content in samples().items() if name != "tides.csv"}
    opening = [
        ["# Opening", "The lighthouse opens in April."],
        ["# Keeper", "The lighthouse keeper is called Anna Berg."],
    ]
    prices = [("Item", "Price", "Stock"), ("Oil lamp", 39.9, 4), ("Brass bell", 120, 2)]
    write_files(
        folder,
        files
        | {
            "lighthouse.pdf": pdf(opening),
            "shop.xlsx": workbook({"Prices": prices}),
            "broken.pdf": b"%PDF-1.7 oops",
        },
    )
    command = seeds_command.on(tmp_path / "data", QUOTED_MIN_CONFIDENCE="0")

    done = command("index", str(folder))
    documents = {each["id"]: each for each in json.loads(command("list", "--json").stdout)}

    assert (done.returncode, done.stdout) == (4, f"Indexed: {len(files) + 2} added, 1 skipped.\n")
    assert done.stderr.startswith(
        "skipped: broken.pdf: expected a PDF, got one that cannot be opened"
    )
    assert {document["uri"] for document in documents.values()} == {
        *files,
        "lighthouse.pdf",
        "shop.xlsx",
    }

    def cited(question: str) -> dict[str, Any]:
        [citation, *_] = json.loads(command("ask", "--json", question).stdout)["citations"]
        place = {
            name: citation[name]
            for name in ("page", "slide", "sheet", "row", "line", "byte_start")
            if citation[name] is not None
        }
        return {"uri": citation["uri"], "quote": citation["quote"], **place}

    assert cited("What is the lighthouse keeper called?") == {
        "uri": "lighthouse.pdf",
        "quote": "Anna Berg",
        "page": 2,
    }
    assert cited("What is the price of the brass bell?") == {
        "uri": "shop.xlsx",
        "quote": "120",
        "sheet": "Prices",
        "row": 3,
    }
    assert (
        "lighthouse.pdf, page 2, characters"
        in command("ask", "What is the lighthouse keeper called?").stdout
    )
    assert (
        command("index", str(folder)).stdout == f"Indexed: {len(files) + 2} unchanged, 1 skipped.\n"
    )


def test_the_page_of_a_quote_is_in_what_the_server_says_of_its_document(
    tmp_path: Path, seeds_command: Command
) -> None:
    write_files(
        tmp_path / "notes", {"a.pdf": pdf([["First page."], ["Anna Berg keeps the lighthouse."]])}
    )
    command = seeds_command.on(tmp_path / "data", QUOTED_MIN_CONFIDENCE="0")
    command("index", str(tmp_path / "notes"))

    with Server(command) as server:
        server.ready()
        citation = server.client.post(
            "/ask", json={"question": "Who keeps the lighthouse?"}
        ).json()["citations"][0]
        document = server.client.get(f"/documents/{citation['document_id']}").json()
        version = server.client.get(
            f"/documents/{citation['document_id']}/versions/{citation['sha256']}"
        ).json()

    assert document["text"][citation["start"] : citation["end"]] == citation["quote"] == "Anna Berg"
    assert document["document"]["extractor"] == citation["extractor"]
    assert document["places"] == version["places"]
    assert [place["page"] for place in document["places"]["places"]] == [1, 2]


def test_a_cell_of_a_long_markdown_table_is_found_and_cited_to_the_byte(
    tmp_path: Path, encoder: Encoder, reader: Reader
) -> None:
    people = (
        "Anna Berg",
        "Luis Ortega",
        "Mia Chen",
        "Omar Haddad",
        "Petra Novak",
        "John Miles",
        "Ines Rocha",
        "Karl Vogt",
        "Eva Klein",
    )
    rows = [
        f"| {name} | {'Sales' if at % 2 else 'Legal'} | 31{at}-40{at}2 |"
        for at, name in enumerate(people * 3)
    ]
    text = "\n".join(
        [
            "# Staff",
            "",
            "| Name | Department | Phone number |",
            "|---|---|---|",
            *rows[:7],
            *rows[9:],
        ]
    )
    settings = Settings(tmp_path / "data", tmp_path / "cache", min_confidence=0.0)
    indexed(settings, encoder, tmp_path / "docs", {"staff.md": text})
    pipeline = load_pipeline(settings, encoder, reader)

    [span, *_] = pipeline.ask("What is the phone number of Karl Vogt?").spans

    citation = span.citation
    assert citation.quote in {"3116-40162", "3125-40252"}
    assert citation.sentence.startswith("| Karl Vogt | ")
    assert text.encode()[slice(citation.byte_start, citation.byte_end)].decode() == citation.quote


def test_a_mail_in_a_mail_is_listed_answers_and_goes_with_its_file(
    command: Command, tmp_path: Path
) -> None:
    inner, outer = EmailMessage(), EmailMessage()
    inner["Subject"], outer["Subject"] = "Boat rental", "FW: your question"
    inner["Date"] = "Mon, 02 Mar 2026 10:00:00 +0100"
    inner.set_content("The deposit for the boat is 450 euros and is paid back in October.")
    outer.set_content("Please see the attached mail.")
    outer.add_attachment(inner)
    write_files(tmp_path / "mails", {"fw.eml": outer.as_bytes()})
    assert command("index", str(tmp_path / "mails")).returncode == 0

    lines = command("list").stdout.splitlines()
    answer = json.loads(command("ask", "--json", "How much is the deposit for the boat?").stdout)
    part = command("remove", "fw.eml#1")
    assert command("remove", "fw.eml").returncode == 0

    assert ["fw.eml#1  Boat rental" in line for line in lines] == [False, True]
    assert answer["answer"] == "450 euros"
    [citation] = answer["citations"]
    assert (citation["uri"], citation["mail"], citation["date"]) == (
        "fw.eml#1",
        "1 (Boat rental)",
        "2026-03-02",
    )
    assert (part.returncode, part.stdout) == (1, "")
    assert "fw.eml#1 is a part of fw.eml" in part.stderr
    assert command("list").stdout == ""
