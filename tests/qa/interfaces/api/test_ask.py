"""Tests of questions over HTTP: handlers in this process, and a real `qa serve`."""

from __future__ import annotations

import asyncio
import hashlib
import http.client
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from index.errors import StoreCorrupt, StoreReadOnly
from qa.access.principal import LOCAL, Principal
from qa.answering.live_pipeline import LivePipeline
from qa.answering.reading.reader import CrossEncoderReader
from qa.bootstrap import live_pipeline
from qa.conversations.conversation import Conversations
from qa.errors import NoIndex, NotReady
from qa.interfaces.api.ask import ask_router
from qa.interfaces.api.documents import document_router
from qa.interfaces.api.host_guard import MAX_BODY_BYTES
from qa.interfaces.api.problems import add_error_handlers
from qa.interfaces.service import Service
from qa.library.documents import remove_document
from qa.library.upload_service import UploadService
from qa.settings import Settings
from qa.state.gap_records import GapRecords
from tests.qa.answering.test_question import INVALID
from tests.qa.test_answer import ANSWER_KEYS, CITATION_KEYS
from tests.support.fakes import FakeSpanModel, FixedReader, SharedWordsReader
from tests.support.serving import (
    PATIENCE,
    SEEDS,
    Server,
    assert_quoted,
    carded,
    citations_in,
    indexed,
    settings_in,
)

AMAZON = {"question": "How much will Amazon invest in Anthropic?"}


@dataclass
class FixedService(Service):
    """A service with a given live pipeline, or with the error that its requests get instead."""

    outcome: LivePipeline | Exception
    documents: UploadService | None = None

    def live(self) -> LivePipeline:
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome

    def conversations(self) -> Conversations:
        raise NotImplementedError

    def gap_records(self) -> GapRecords:
        raise StoreReadOnly("there is no data directory")

    def upload_service(self) -> UploadService:
        if self.documents is None:
            raise NotImplementedError
        return self.documents


def send(
    outcome: LivePipeline | Exception,
    method: str,
    path: str,
    *,
    uploads: UploadService | None = None,
    **options: Any,
) -> httpx.Response:
    """Send one request to the handlers alone."""
    app = FastAPI()
    app.include_router(ask_router(FixedService(outcome)))
    app.include_router(document_router(FixedService(outcome, uploads)))
    add_error_handlers(app)

    async def exchange() -> httpx.Response:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return await client.request(method, path, **options)

    return asyncio.run(exchange())


def problem(response: httpx.Response, status: int) -> dict[str, Any]:
    """Return the body of an error, which must be problem+json with this status."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert sorted(body) == ["detail", "status", "title", "type"]
    assert (body["status"], body["type"]) == (status, "about:blank")
    assert body["title"]
    assert body["detail"]
    return dict(body)


@pytest.mark.parametrize("path", ["/readyz", "/documents", "/search?query=x", "/documents/x"])
def test_while_loading_only_healthz_answers(path: str) -> None:
    loading = NotReady("still loading")

    assert send(loading, "GET", "/healthz").json()["status"] == "alive"
    response = send(loading, "GET", path)
    assert problem(response, 503)["detail"] == "still loading"
    assert response.headers["retry-after"] == "1"
    assert problem(send(loading, "POST", "/ask", json=AMAZON), 503)


def test_without_an_index_it_says_what_to_run(tmp_path: Path) -> None:
    live = live_pipeline(settings_in(tmp_path), carded(), SharedWordsReader())

    assert "qa index" in problem(send(live, "POST", "/ask", json=AMAZON), 503)["detail"]


def test_internal_errors_name_no_path() -> None:
    assert (
        "/secret"
        not in problem(send(StoreCorrupt("cannot read /secret"), "GET", "/documents"), 500)[
            "detail"
        ]
    )
    assert "secret" not in problem(send(RuntimeError("secret"), "GET", "/documents"), 500)["detail"]


def test_unknown_paths_and_methods_are_problems() -> None:
    assert problem(send(NotReady(), "GET", "/nothing"), 404)["title"] == "Not Found"
    assert problem(send(NotReady(), "GET", "/ask"), 405)["title"] == "Method Not Allowed"


def test_a_refusal_is_an_answer(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, min_confidence=1.0)
    indexed(settings, carded(), tmp_path / "corpus", {"a.txt": "Bread rises."})

    response = send(
        live_pipeline(settings, carded(), SharedWordsReader()),
        "POST",
        "/ask",
        json={"question": "Why?"},
    )

    assert response.status_code == 200
    assert list(response.json()) == ANSWER_KEYS
    assert response.json()["answer"] is None
    assert response.json()["refusal"]["nearest"][0]["text"] == "Bread rises."


def test_a_likely_answer_is_refused_where_only_sure_ones_are_asked_for(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    indexed(settings, carded(), tmp_path / "corpus", {"a.txt": "Bread rises for two hours."})
    # Without a calibration, a score of -0.8 is a probability of .31: likely, not sure.
    live = live_pipeline(settings, carded(), FixedReader({"two hours": -0.8}))

    question = {"question": "How long does bread rise?"}
    likely = send(live, "POST", "/ask", json=question).json()
    strict = send(live, "POST", "/ask", json=question | {"sure": True}).json()

    assert (likely["answer"], likely["certainty"]) == ("two hours", "likely")
    assert likely["answers"][0]["certainty"] == "likely"
    assert (strict["answer"], strict["certainty"]) == (None, "none")
    assert strict["alternatives"][0]["text"] == "two hours"


def test_a_deadline_reaches_the_pipeline(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, min_confidence=0.0)
    indexed(
        settings,
        carded(),
        tmp_path / "corpus",
        {f"{name}.txt": f"Bread rises, {name} says." for name in "abcde"},
    )
    live = live_pipeline(settings, carded(), CrossEncoderReader(FakeSpanModel(), "fake"))

    for question, read in (({}, 5), ({"deadline": 1e-6}, 2), ({"deadline": 60}, 5)):
        answer = send(live, "POST", "/ask", json={"question": "What rises?"} | question).json()
        assert (answer["passages_read"], answer["passages_found"]) == (read, 5)
        assert len(answer["notes"]) == (read < 5)


@pytest.mark.slow
def test_ask_answers_with_quotes_of_the_file(seeds_server: Server) -> None:
    client = seeds_server.client

    answer = client.post("/ask", json=AMAZON | {"top_k": 3}).json()

    assert list(answer) == ANSWER_KEYS
    assert answer["answer"] == answer["citations"][0]["quote"]
    for citation in citations_in(answer):
        assert list(citation) == CITATION_KEYS
        found = client.get(f"/documents/{citation['document_id']}").json()
        file = (SEEDS / citation["uri"]).read_bytes()
        assert_quoted(citation, found["text"], file, found["document"]["encoding"])
        assert citation["sha256"] == found["document"]["sha256"] == hashlib.sha256(file).hexdigest()
        assert found["generation"] == answer["generation"]


@pytest.mark.slow
def test_documents_and_search(seeds_server: Server) -> None:
    client = seeds_server.client

    [listed] = client.get("/documents").json()["documents"]
    found = client.get("/search", params={"query": "Anthropic", "top_k": 2}).json()

    assert listed["uri"] == "000_385283db09dd95fb.txt"
    assert [passage["rank"] for passage in found["passages"]] == [1, 2]
    assert found["passages"][0]["document_id"] == listed["id"]
    assert client.post("/ask", json=AMAZON | {"documents": [listed["id"]]}).json()["answer"]
    assert (
        problem(client.post("/ask", json=AMAZON | {"documents": ["nope"]}), 404)["title"]
        == "Unknown document"
    )
    assert problem(client.get("/documents/nope"), 404)["title"] == "Unknown document"
    assert problem(client.get("/documents/..%2f..%2fetc%2fpasswd"), 404)


@pytest.mark.slow
@pytest.mark.parametrize("question", [question for question, _ in INVALID.values()], ids=INVALID)
def test_an_invalid_question_is_unprocessable(seeds_server: Server, question: str) -> None:
    response = seeds_server.client.post(
        "/ask",
        content=json.dumps({"question": question}),
        headers={"content-type": "application/json"},
    )

    assert problem(response, 422)["detail"]
    if "\ud800" not in question:
        assert problem(seeds_server.client.get("/search", params={"query": question[:3000]}), 422)


@pytest.mark.slow
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"nonsense",
        b"[]",
        b"{}",
        b'{"question": 1}',
        b'{"question": null}',
        b'{"question": "x", "top_k": 0}',
        b'{"question": "x", "top_k": "5"}',
        b'{"question": "x", "documents": []}',
        b'{"question": "x", "deadline": 0}',
        b'{"question": "x", "deadline": -1}',
        b'{"question": "x", "deadline": "soon"}',
        b'{"question": "x", "deadline": NaN}',
        b'{"question": "x", "deadline": Infinity}',
        b'{"question": "x", "other": 1}',
    ],
)
def test_a_malformed_body_is_unprocessable(seeds_server: Server, body: bytes) -> None:
    response = seeds_server.client.post(
        "/ask", content=body, headers={"content-type": "application/json"}
    )

    assert problem(response, 422)["title"] in {"Invalid request", "Invalid question"}


@pytest.mark.slow
def test_a_body_with_invalid_utf_8_is_a_bad_request(seeds_server: Server) -> None:
    response = seeds_server.client.post(
        "/ask", content=b'{"question": "\xff"}', headers={"content-type": "application/json"}
    )

    assert problem(response, 400)


@pytest.mark.slow
@pytest.mark.parametrize("announced", [True, False])
def test_a_body_that_is_too_large_is_refused(seeds_server: Server, announced: bool) -> None:  # noqa: FBT001 - both ways
    connection = http.client.HTTPConnection("127.0.0.1", seeds_server.port, timeout=PATIENCE)
    connection.putrequest("POST", "/ask")
    connection.putheader("content-type", "application/json")
    connection.putheader(
        *(
            ("content-length", str(MAX_BODY_BYTES + 1))
            if announced
            else ("transfer-encoding", "chunked")
        )
    )
    connection.endheaders()
    if not announced:
        for size in (500_000, MAX_BODY_BYTES + 1 - 500_000):
            connection.send(b"%x\r\n%b\r\n" % (size, b" " * size))

    response = connection.getresponse()

    assert (response.status, response.headers["content-type"]) == (413, "application/problem+json")
    assert json.loads(response.read())["status"] == 413
    connection.close()


@pytest.mark.slow
def test_foreign_hosts_and_pages_are_refused(seeds_server: Server) -> None:
    client = seeds_server.client
    own, foreign = (
        {"origin": seeds_server.url, "sec-fetch-site": "same-origin"},
        {"origin": "https://example.org"},
    )

    assert client.post("/ask", json=AMAZON, headers=own).status_code == 200
    assert problem(client.get("/documents", headers={"host": "example.org"}), 403)
    assert problem(client.post("/ask", json=AMAZON, headers=foreign), 403)
    assert problem(client.post("/ask", json=AMAZON, headers={"sec-fetch-site": "cross-site"}), 403)
    assert (
        client.get("/documents", headers={"host": f"localhost:{seeds_server.port}"}).status_code
        == 200
    )


@pytest.mark.slow
def test_openapi_has_examples(seeds_server: Server) -> None:
    described = seeds_server.client.get("/openapi.json").json()

    schemas = described["components"]["schemas"]
    assert set(described["paths"]) == {
        "/ask",
        "/search",
        "/verify",
        "/documents",
        "/documents/{document_id}",
        "/documents/{document_id}/pages/{page}",
        "/documents/{document_id}/pages/{page}.png",
        "/documents/{document_id}/tags",
        "/documents/{document_id}/versions/{prefix}",
        "/jobs/{job_id}",
        "/conversations",
        "/conversations/{conversation_id}",
        "/feedback",
        "/gaps.json",
        "/gaps.csv",
        "/examples",
        "/sample",
        "/session",
        "/audit",
        "/v1/chat/completions",
        "/v1/embeddings",
        "/v1/models",
        "/v1/models/{name}",
        "/healthz",
        "/mcp",
        "/metrics",
        "/readyz",
        "/status",
        "/tags",
    }
    assert all(schemas[name]["examples"] for name in ("Question", "AnswerOut", "Problem"))
    [example] = schemas["AnswerOut"]["examples"]
    assert example.keys() | {"refusal", "interpreted_as", "reply"} == set(
        ANSWER_KEYS
    )  # FastAPI leaves nulls out
    absent = {
        "heading",
        "date",
        "date_source",
        "extractor",
        "page",
        "slide",
        "sheet",
        "row",
        "caution",
        "mail",
    }
    assert example["citations"][0].keys() | absent == set(CITATION_KEYS)


@dataclass
class Deleting(UploadService):
    """An upload service whose documents are deleted just before they are tagged."""

    settings: Settings
    live: LivePipeline

    def __post_init__(self) -> None:
        super().__init__(self.settings)

    def tag(
        self, document_id: str, tags: Sequence[str], asker: Principal = LOCAL
    ) -> tuple[str, ...]:
        self.live.release_if_idle()
        remove_document(self.settings, document_id)
        return super().tag(document_id, tags, asker)


def test_a_document_that_is_deleted_while_it_is_tagged_is_unknown(
    tmp_path: Path,
) -> None:
    settings = settings_in(tmp_path)
    indexed(
        settings,
        carded(),
        tmp_path / "notes",
        {"a.txt": "Marta tends the lighthouse.", "b.txt": "The harbour is closed."},
    )
    live = live_pipeline(settings, carded(), SharedWordsReader())
    with live.use() as pipeline:
        [first, _] = pipeline.snapshot.document_ids

    response = send(
        live,
        "PUT",
        f"/documents/{first}/tags",
        uploads=Deleting(settings, live),
        json={"tags": ["sea"]},
    )

    assert "no document has the id" in problem(response, 404)["detail"]
    live.close()


def test_the_sample_is_described_while_nothing_is_indexed() -> None:
    described = send(NoIndex(), "GET", "/sample").json()

    assert "Amazon" in described["text"]
    assert AMAZON["question"] in described["questions"]
    assert send(NoIndex(), "GET", "/examples").status_code == 503


def test_the_sample_answers_no_more_where_documents_are_indexed(seeds_server: Server) -> None:
    response = seeds_server.client.post("/ask", json={**AMAZON, "sample": True})

    assert problem(response, 404)["title"] == "No sample"


def test_a_search_within_a_document(seeds_server: Server) -> None:
    client = seeds_server.client
    [document] = client.get("/documents").json()["documents"]

    found = client.get("/search", params={"query": "Amazon", "document": document["id"]})

    assert {each["document_id"] for each in found.json()["passages"]} == {document["id"]}
    assert problem(client.get("/search", params={"query": "Amazon", "document": "none"}), 404)
