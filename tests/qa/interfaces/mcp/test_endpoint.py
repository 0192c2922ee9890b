"""MCP over HTTP, asked by the SDK's own client with the keys of a team."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from qa.access.key_store import KeyStore
from qa.interfaces import server
from qa.interfaces.server import create_app
from tests.support.fakes import SharedWordsReader
from tests.support.serving import carded
from tests.support.team import BOARD_WORDS, documents_of_team, make_keys

URL = "http://127.0.0.1/mcp"
QUESTION = {"question": "How deep is the harbour of Ostrava?"}


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[FastAPI, dict[str, str]]:
    monkeypatch.setattr(server, "load_encoder", lambda _: carded())
    monkeypatch.setattr(server, "load_reader", lambda _: SharedWordsReader())
    settings = documents_of_team(tmp_path)
    keys = make_keys(settings)
    with closing(KeyStore(settings.data)) as store:
        keys["slow"] = store.create("slow", "reader", ("harbour",), rate=1)[1]
    return create_app(settings), keys


@asynccontextmanager
async def http_client(app: FastAPI, key: str = "") -> AsyncIterator[httpx2.AsyncClient]:
    headers = {"authorization": f"Bearer {key}"} if key else {}
    transport = httpx2.ASGITransport(app)
    async with httpx2.AsyncClient(
        transport=transport, headers=headers, base_url="http://127.0.0.1"
    ) as client:
        yield client


def served(app: FastAPI, exchange: Callable[[], Awaitable[Any]]) -> Any:
    """Return what an exchange with the running application gives, once it is ready."""

    async def running() -> Any:
        async with app.router.lifespan_context(app), http_client(app) as client:
            while (await client.get("/readyz")).status_code != 200:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
            return await exchange()

    return asyncio.run(running())


@pytest.mark.parametrize("mode", ["legacy", "auto"])
def test_a_key_reads_through_mcp_what_it_may_read(
    app: tuple[FastAPI, dict[str, str]], mode: str
) -> None:
    application, keys = app

    async def exchange() -> tuple[Any, ...]:
        async with (
            http_client(application, keys["reader"]) as http,
            Client(streamable_http_client(URL, http_client=http), mode=mode) as client,
        ):
            tools = await client.list_tools()
            answer = await client.call_tool("ask", QUESTION)
            found = await client.call_tool("search", {"query": "quokka merger"})
            listed = await client.call_tool("list_documents", {})
            resources = await client.list_resources()
            text = await client.read_resource(resources.resources[0].uri)
            proof = await client.call_tool("verify", {"answer": answer.structured_content})
            return tools, answer, found, listed, resources, text, proof

    results = served(application, exchange)

    tools, answer, _, listed, resources, text, proof = results
    assert len(tools.tools) == 5
    assert answer.structured_content["answers"][0]["citation"]["uri"] == "tides-2024.txt"
    assert proof.structured_content["proved"]
    assert len(listed.structured_content["documents"]) == len(resources.resources) == 3
    assert text.contents[0].text
    told = " ".join(each.model_dump_json() for each in results).lower().replace("quokka merger", "")
    assert [word for word in BOARD_WORDS if word in told] == []


def test_a_document_of_others_is_one_that_is_not_there(
    app: tuple[FastAPI, dict[str, str]],
) -> None:
    application, keys = app

    async def read(role: str, document_id: str) -> Any:
        async with (
            http_client(application, keys[role]) as http,
            Client(streamable_http_client(URL, http_client=http)) as client,
        ):
            if document_id:
                return await client.call_tool("read_document", {"document_id": document_id})
            return await client.call_tool("list_documents", {})

    async def exchange() -> tuple[Any, Any]:
        listed = (await read("admin", "")).structured_content["documents"]
        hidden = next(each["id"] for each in listed if each["uri"] == "merger-2025.txt")
        return await read("reader", hidden), await read("reader", "0" * len(hidden))

    refused, unknown = served(application, exchange)

    assert refused.is_error
    assert unknown.is_error
    assert refused.content[0].text.count("no document has the id") == 1
    assert "(request " in refused.content[0].text


def test_who_has_no_key_gets_nowhere_and_questions_count(
    app: tuple[FastAPI, dict[str, str]],
) -> None:
    application, keys = app
    listing = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}

    async def exchange() -> tuple[Any, ...]:
        async with http_client(application) as http:
            without = await http.post("/mcp", json=listing)
            stream = await http.get("/mcp", headers={"authorization": f"Bearer {keys['admin']}"})
        async with (
            http_client(application, keys["slow"]) as http,
            Client(streamable_http_client(URL, http_client=http)) as client,
        ):
            answers = [await client.call_tool("ask", QUESTION) for _ in range(2)]
            listed = await client.call_tool("list_documents", {})
        return without, stream, answers, listed

    without, stream, answers, listed = served(application, exchange)

    assert (without.status_code, stream.status_code) == (401, 405)
    assert "tools" not in json.dumps(without.json())
    assert [each.is_error or False for each in answers] == [False, True]
    assert "1 question" in answers[1].content[0].text
    assert not listed.is_error
