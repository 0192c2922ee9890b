"""The MCP server, asked by the SDK's own client: in this process, and as `qa mcp`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, StdioServerParameters, stdio_client

from qa.interfaces.mcp_server import mcp_server
from qa.interfaces.python import Library
from tests.support.serving import Command, carded, indexed, settings_in

TOOLS = ["ask", "list_documents", "read_document", "search", "verify_answer"]


@pytest.fixture
def library(tmp_path: Path) -> Library:
    settings = settings_in(tmp_path)
    indexed(settings, carded(), tmp_path / "corpus", {"tide.txt": "The tide turns at six."})
    return Library(settings=settings)


def asked(library: Library, ask: Callable[[Client], Awaitable[Any]]) -> Any:
    """Return what a client gets from the server in this process."""

    async def exchange() -> Any:
        async with Client(mcp_server(library)) as client:
            return await ask(client)

    return asyncio.run(exchange())


def test_tools_are_listed_with_their_schemas(library: Library) -> None:
    tools = asked(library, lambda client: client.list_tools()).tools

    assert sorted(tool.name for tool in tools) == TOOLS
    assert all(tool.description and tool.input_schema["properties"] for tool in tools)


def test_documents_are_listed_and_read_without_models(library: Library) -> None:
    listed = asked(library, lambda client: client.call_tool("list_documents", {}))
    [document] = listed.structured_content["documents"]
    part = {"document_id": document["id"], "start": 4, "length": 4}
    read = asked(library, lambda client: client.call_tool("read_document", part))
    resource = f"quoted://documents/{document['id']}"
    whole = asked(library, lambda client: client.read_resource(resource))

    assert (document["uri"], read.structured_content["text"]) == ("tide.txt", "tide")
    assert whole.contents[0].text == "The tide turns at six."


def test_errors_are_words(library: Library) -> None:
    unknown = {"document_id": "nothing"}
    result = asked(library, lambda client: client.call_tool("read_document", unknown))

    assert result.is_error
    assert "no document has the id 'nothing'" in result.content[0].text


@pytest.mark.slow
def test_the_command_answers_with_quotes_that_it_proves(seeds_command: Command) -> None:
    [program, *arguments] = [str(each) for each in seeds_command.line("mcp")]
    parameters = StdioServerParameters(
        command=program, args=arguments, env=dict(seeds_command.environment)
    )

    async def exchange() -> tuple[Any, Any]:
        async with Client(stdio_client(parameters)) as client:
            question = {"question": "How much will Amazon invest in Anthropic?"}
            answer = await client.call_tool("ask", question)
            proof = await client.call_tool("verify_answer", {"answer": answer.structured_content})
            return answer, proof

    answer, proof = asyncio.run(exchange())

    assert answer.structured_content["answer"] == "$25 billion"
    assert proof.structured_content["proved"]
