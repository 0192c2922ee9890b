"""Tests of GET /tags, GET /status and the given tags in GET /documents."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from qa.bootstrap import live_pipeline
from qa.interfaces.api.documents import document_router
from qa.interfaces.api.problems import add_error_handlers
from qa.library.documents import index_paths
from qa.library.index_follower import document_status
from qa.library.upload_service import UploadService
from qa.settings import Settings
from tests.qa.interfaces.api.test_ask import FixedService
from tests.qa.library.test_document_status import FILES, disturb
from tests.support.fakes import RecordingReporter, SharedWordsReader
from tests.support.serving import Command, Server, carded, settings_in, write_files


def get_json(settings: Settings, path: str) -> Any:
    """Return the JSON of the response to a GET request."""
    answered = get(settings, path)
    assert answered.status_code == 200, answered.text
    return answered.json()


def get(settings: Settings, path: str) -> httpx.Response:
    """Return the response to a GET request."""
    app = FastAPI()
    app.include_router(
        document_router(
            FixedService(
                live_pipeline(settings, carded(), SharedWordsReader()), UploadService(settings)
            )
        )
    )
    add_error_handlers(app)

    async def exchange() -> httpx.Response:
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://127.0.0.1"
        ) as client:
            return await client.get(path)

    return asyncio.run(exchange())


def test_status_equals_that_of_the_command_without_folders(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    assert get_json(settings, "/status") == {"files": []}
    write_files(tmp_path / "corpus", FILES)
    index_paths(settings, carded(), [tmp_path / "corpus"], RecordingReporter())
    disturb(tmp_path / "corpus")
    files = get_json(settings, "/status")["files"]

    assert [(each["uri"], each["state"], each["document_id"]) for each in files] == [
        (each.uri, each.state, each.document_id) for each in document_status(settings)
    ]
    assert [each["moved_to"] for each in files if each["moved_to"]] == ["elsewhere.txt"]
    assert str(tmp_path) not in str(files)


def test_tags_are_counted_in_order(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    assert get_json(settings, "/tags") == {"tags": []}
    for name, tags in (("a", ["sea"]), ("b", ["sea", "harbour"])):
        write_files(
            tmp_path / name, {f"{name}.md": f"---\ntags: [sea, own]\n---\nThe text of {name}."}
        )
        index_paths(settings, carded(), [tmp_path / name], RecordingReporter(), tags=tags)

    counted = [("harbour", 1), ("own", 2), ("sea", 2)]
    assert get_json(settings, "/tags") == {
        "tags": [{"tag": tag, "documents": count} for tag, count in counted]
    }


def test_documents_come_page_by_page(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    names = [f"{number}.md" for number in range(5)]
    write_files(tmp_path / "corpus", {name: f"# Tide {name}\n\nIt turns." for name in names})
    index_paths(settings, carded(), [tmp_path / "corpus"], RecordingReporter(), tags=["sea"])
    whole = get_json(settings, "/documents")
    assert ([each["uri"] for each in whole["documents"]], whole["next"]) == (names, None)

    seen, path = [], "/documents?limit=2&query=TIDE&tag=sea"
    while path:
        answered = get(settings, path)
        page = answered.json()
        assert (page["total"], len(page["documents"]) <= 2) == (5, True)
        seen += page["documents"]
        following = answered.links.get("next", {}).get("url", "")
        assert bool(following) == (page["next"] is not None)
        path = following.removeprefix("http://127.0.0.1")

    assert seen == whole["documents"]
    some = get_json(settings, "/documents?query=tide%203")
    assert ([each["uri"] for each in some["documents"]], some["total"]) == (["3.md"], 1)
    assert get_json(settings, "/documents?query=%F0%9F&limit=1")["documents"] == []
    for wrong in ("limit=0", "limit=9999", "cursor=none", "cursor=WzEsMl0", "cursor=%C3%A9"):
        assert get(settings, f"/documents?{wrong}").status_code == 422, wrong


@pytest.mark.slow
def test_given_tags_are_listed_apart_from_a_documents_own(command: Command, corpus: Path) -> None:
    write_files(corpus, {"a.md": "---\ntags: [sea, own]\n---\nThe sea is salt."})
    assert command("index", "--tag", "sea", str(corpus)).returncode == 0
    with Server(command) as server:
        [document] = server.ready().client.get("/documents").json()["documents"]
        assert (document["tags"], document["given_tags"]) == (["own", "sea"], ["sea"])
        changed = server.client.put(
            f"/documents/{document['id']}/tags", json={"tags": ["Lake"]}
        ).json()
        assert (changed["tags"], changed["given_tags"], changed["uploaded"]) == (
            ["lake", "own", "sea"],
            ["lake"],
            False,
        )
        assert [each["tag"] for each in server.client.get("/tags").json()["tags"]] == [
            "lake",
            "own",
            "sea",
        ]
        assert server.client.get("/status").json()["files"][0]["state"] == "current"
