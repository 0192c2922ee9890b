"""Tests of uploads through a real `qa serve`.

Over HTTP, beside `qa index`, interrupted by SIGKILL, and on a full disk.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.qa.interfaces.api.test_ask import problem
from tests.support.disks import disk, fill
from tests.support.serving import (
    PATIENCE,
    Command,
    Server,
    assert_quoted,
    citations_in,
    eventually,
    write_files,
)

pytestmark = pytest.mark.slow

HARBOUR = "The harbour gate opens with the code seven."
QUESTION = "Which code opens the harbour gate?"
Files = Sequence[tuple[str, str | bytes]]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, converted: Path) -> Iterator[Server]:
    """Yield one server for the tests that do not stop it.

    It answers at any confidence and takes files of at most 100 kB, 300 kB in one request.
    """
    limits = {
        "QUOTED_MAX_FILE_BYTES": "100000",
        "QUOTED_MAX_UPLOAD_BYTES": "300000",
        "QUOTED_MIN_CONFIDENCE": "0",
    }
    with Server(Command(tmp_path_factory.mktemp("uploads") / "data", converted, limits)) as running:
        eventually(lambda: running.client.get("/readyz").json().get("title") == "No index")
        yield running


def form(files: Files, tags: Sequence[str] = ()) -> dict[str, Any]:
    """Return the arguments with which httpx sends a form."""
    return {"files": [("file", each) for each in files], "data": {"tag": list(tags)}}


def uploaded(server: Server, files: Files, *tags: str) -> list[dict[str, Any]]:
    """Upload files and return the results of their job."""
    return results(server, server.client.post("/documents", **form(files, tags)))


def results(server: Server, response: httpx.Response) -> list[dict[str, Any]]:
    """Wait for an accepted job and return its results."""
    assert response.status_code == 202, response.text
    place = response.headers["location"]
    assert response.json()["id"] == place.removeprefix("/jobs/")
    eventually(lambda: server.client.get(place).json()["status"] == "done")
    job = server.client.get(place).json()
    assert job["done"] == job["total"] == len(job["files"])
    return list(job["files"])


def ask(server: Server, **content: Any) -> dict[str, Any]:
    """Return the JSON of the answer to QUESTION."""
    return dict(server.client.post("/ask", json={"question": QUESTION} | content).json())


def documents(server: Server, **query: Any) -> dict[str, dict[str, Any]]:
    """Return the documents by id."""
    return {
        each["id"]: each
        for each in server.client.get("/documents", params=query).json()["documents"]
    }


def kept(server_data: Path) -> list[str]:
    """Return the names of the uploaded files on the disk."""
    return sorted(path.name for path in (server_data / "uploads").rglob("*") if path.is_file())


def test_from_upload_to_quote_to_replacement_to_deletion(server: Server) -> None:
    [good, bad] = uploaded(
        server, [("../gate.txt", HARBOUR), ("broken.pdf", b"%PDF-1.7 no")], "Harbour"
    )
    assert (good["name"], good["status"], bad["status"]) == ("gate.txt", "added", "skipped")
    assert "PDF" in bad["detail"]

    answer = ask(server, tags=["harbour"])
    for citation in citations_in(answer):
        assert_quoted(citation, HARBOUR, HARBOUR.encode(), "utf-8")
    assert answer["citations"][0]["uri"] == "gate.txt"
    assert answer["citations"][0]["freshness"] == "current"
    assert server.client.post("/verify", json=answer).json()["proved"] is True
    assert (
        problem(server.client.post("/ask", json={"question": QUESTION, "tags": ["sea"]}), 404)[
            "title"
        ]
        == "Unknown tag"
    )
    assert {
        each["uri"]
        for each in server.client.get(
            "/search", params={"query": QUESTION, "tag": "HARBOUR"}
        ).json()["passages"]
    } == {"gate.txt"}

    assert uploaded(server, [("gate.txt", HARBOUR)])[0] == good | {
        "status": "unchanged",
        "detail": "is here already",
    }
    place = f"/documents/{good['document_id']}"
    [replaced] = results(
        server,
        server.client.put(place, files=[("file", ("x.txt", HARBOUR.replace("seven", "eight")))]),
    )
    assert replaced["status"] == "updated"
    assert "eight" in ask(server)["answers"][0]["citation"]["sentence"]
    assert server.client.put(f"{place}/tags", json={"tags": ["Sea", "gates"]}).json()["tags"] == [
        "gates",
        "sea",
    ]
    assert (
        documents(server, tag="sea").keys()
        == documents(server, query="GATE harbour").keys()
        == {good["document_id"]}
    )
    assert documents(server, tag="harbour") == documents(server, query="nothing like it") == {}

    assert server.client.delete(place).json() == {
        "id": good["document_id"],
        "uri": "gate.txt",
        "file": "deleted",
        "detail": "its file is deleted, too",
    }
    assert ask(server)["passages_found"] == 0
    for method in ("GET", "PUT", "DELETE"):
        assert problem(server.client.request(method, place), 404)["title"] == "Unknown document"
    assert problem(server.client.get("/jobs/nothing"), 404)["title"] == "Unknown job"


@pytest.mark.parametrize(
    ("options", "status", "said"),
    [
        ({"files": [("file", ("a.exe", b"MZ\0"))]}, 415, "a.exe: expected text, Markdown"),
        ({"files": [("file", ("a.txt", b"x" * 100_001))]}, 413, "100,000 bytes"),
        ({"files": [("file", ("a.txt", b"x" * 300_001))]}, 413, "300,000 bytes"),
        (
            {"files": [("file", (f"{number}.txt", b"x")) for number in range(101)]},
            413,
            "at most 100 files",
        ),
        ({"json": {"file": "a.txt"}}, 415, "multipart/form-data"),
        (
            {"content": b"no form", "headers": {"content-type": "multipart/form-data; boundary=x"}},
            422,
            "RFC 7578",
        ),
        (
            {
                "content": b"--x--\r\n",
                "headers": {"content-type": "multipart/form-data; boundary=x"},
            },
            422,
            "at least one file",
        ),
        (form([("a.txt", HARBOUR)], ["a,b"]), 422, "expected a tag"),
    ],
)
def test_invalid_uploads_are_refused(
    server: Server, options: dict[str, Any], status: int, said: str
) -> None:
    assert said in problem(server.client.post("/documents", **options), status)["detail"]


def test_a_body_without_a_length_is_limited(server: Server) -> None:
    def endless() -> Iterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'
        for _ in range(40):
            yield b"x" * 10_000

    headers = {"content-type": "multipart/form-data; boundary=x"}
    assert problem(server.client.post("/documents", content=endless(), headers=headers), 413)
    assert problem(server.client.post("/ask", content=b" " * 1_000_001), 413)


def test_twenty_uploads_at_once(server: Server) -> None:
    from concurrent.futures import ThreadPoolExecutor

    def one(number: int) -> str:
        [result] = uploaded(
            server, [(f"{number}.txt", f"Buoy {number} lies in bay {number * 7}.")], "buoys"
        )
        return str(result["status"])

    with ThreadPoolExecutor(20) as pool:
        assert list(pool.map(one, range(20))) == ["added"] * 20
    assert len(documents(server, tag="buoys")) == 20
    for document_id in documents(server, tag="buoys"):
        assert server.client.delete(f"/documents/{document_id}").status_code == 200


def test_a_document_indexed_from_elsewhere_is_not_replaced_and_its_file_is_kept(
    command: Command, tmp_path: Path
) -> None:
    write_files(tmp_path / "notes", {"gate.txt": HARBOUR})
    assert command("index", "--tag", "Harbour", str(tmp_path / "notes")).returncode == 0
    assert "#harbour" in command("list", "--in", "harbour").stdout
    assert command("ask", "--in", "sea", QUESTION).stderr.startswith(
        "error: no document has the tag 'sea'"
    )
    assert "gate.txt" in command("search", "--in", "harbour", QUESTION).stdout
    with Server(command) as server:
        server.ready()
        [document] = documents(server).values()
        assert document["uploaded"] is False
        refused = server.client.put(f"/documents/{document['id']}", **form([("gate.txt", "x")]))
        assert "indexed from elsewhere" in problem(refused, 409)["detail"]
        deleted = server.client.delete(f"/documents/{document['id']}").json()
        assert deleted["file"] == "kept"
        assert documents(server) == {}
    assert (tmp_path / "notes" / "gate.txt").read_text() == HARBOUR


def test_mails_in_an_uploaded_mail_are_documents_that_go_with_it(server: Server) -> None:
    inner, outer = EmailMessage(), EmailMessage()
    inner["Subject"], outer["Subject"] = "Gate", "FW"
    inner.set_content(HARBOUR)
    outer.set_content("Please see below.")
    outer.add_attachment(inner)

    [added] = uploaded(server, [("fw.eml", outer.as_bytes())], "mails")

    whole, part = documents(server, tag="mails").values()
    assert (whole["id"], part["uri"], part["part_of"]) == (
        added["document_id"],
        "fw.eml#1",
        whole["id"],
    )
    assert (whole["uploaded"], part["uploaded"], part["tags"]) == (True, False, ["mails"])
    answer = ask(server, tags=["mails"])
    assert answer["citations"][0]["uri"] == "fw.eml#1"
    assert server.client.post("/verify", json=answer).json()["proved"] is True
    place = f"/documents/{part['id']}"
    for refused in (
        server.client.delete(place),
        server.client.put(place, **form([("fw.eml", "x")])),
        server.client.put(f"{place}/tags", json={"tags": []}),
    ):
        assert "fw.eml#1 is a part of fw.eml" in problem(refused, 409)["detail"]

    assert server.client.delete(f"/documents/{whole['id']}").json()["file"] == "deleted"
    assert not documents(server).keys() & {whole["id"], part["id"]}


def test_an_upload_waits_for_qa_index_and_both_finish(command: Command, tmp_path: Path) -> None:
    write_files(
        tmp_path / "notes",
        {f"{number}.txt": f"Buoy {number} lies in bay {number}. " * 40 for number in range(60)},
    )
    with Server(command) as server:
        eventually(lambda: server.client.get("/readyz").json().get("title") == "No index")
        line = command.line("index", str(tmp_path / "notes"))
        with subprocess.Popen(
            line, env=command.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as indexing:
            eventually((command.data / "writer.lock").exists)
            assert [each["status"] for each in uploaded(server, [("gate.txt", HARBOUR)])] == [
                "added"
            ]
            assert indexing.wait(PATIENCE) == 0
        eventually(lambda: len(documents(server)) == 61)


def test_a_job_is_resumed_after_sigkill(command: Command) -> None:
    texts = {
        f"{number}.txt": f"Buoy {number} lies in bay {number * 7}. {HARBOUR} " * 30
        for number in range(24)
    }
    server = Server(command)
    eventually(lambda: server.client.get("/readyz").json().get("title") == "No index")
    accepted = server.client.post("/documents", **form(list(texts.items()), ["buoys"]))
    place, seen = accepted.headers["location"], 0
    for _ in range(3):
        eventually(lambda: server.client.get(place).json()["status"] != "waiting")  # noqa: B023
        time.sleep(0.4 * seen)
        os.kill(server.process.pid, signal.SIGKILL)
        server.process.wait()
        server.client.close()
        server, seen = Server(command), seen + 1
    with server:
        assert [each["status"] for each in results(server, accepted_again(server, place))] == [
            "added"
        ] * 24
        found = documents(server, tag="buoys")
        assert {each["uri"] for each in found.values()} == texts.keys()
        assert kept(command.data) == sorted(texts)


def accepted_again(server: Server, place: str) -> httpx.Response:
    """Return a job in the form of the response that accepted it."""
    job = server.client.get(place)
    return httpx.Response(202, json=job.json(), headers={"location": place})


def test_a_full_disk_is_reported_and_loses_nothing(converted: Path, tmp_path: Path) -> None:
    small = tmp_path / "small"
    with disk(small, "6m"), Server(Command(small / "data", converted)) as server:
        eventually(lambda: server.client.get("/readyz").json().get("title") == "No index")
        assert uploaded(server, [("gate.txt", HARBOUR)])[0]["status"] == "added"
        refused = server.client.post("/documents", **form([("big.txt", b"word " * 2_000_000)]))
        assert "make room" in problem(refused, 507)["detail"]
        assert kept(small / "data") == ["gate.txt"]
        assert "seven" in str(ask(server))
        assert uploaded(server, [("later.txt", "Bread rises.")])[0]["status"] == "added"


def test_a_disk_that_fills_up_later_makes_the_job_wait(converted: Path, tmp_path: Path) -> None:
    small = tmp_path / "small"
    with disk(small, "8m"), Server(Command(small / "data", converted)) as server:
        eventually(lambda: server.client.get("/readyz").json().get("title") == "No index")
        assert uploaded(server, [("gate.txt", HARBOUR)])[0]["status"] == "added"
        long = " ".join(f"Buoy {number} lies in bay {number * 7}." for number in range(9_000))
        fill(small / "ballast", 800_000)
        accepted = server.client.post("/documents", **form([("long.txt", long)]))
        if accepted.status_code == 202:
            eventually(lambda: "Uploaded files wait" in server.log)
            (small / "ballast").unlink()
            assert results(server, accepted)[0]["status"] == "added"
        else:
            problem(accepted, 507)
