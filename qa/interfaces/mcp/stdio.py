"""MCP over standard input and output, for an assistant that starts the server itself."""

from __future__ import annotations

from importlib.metadata import version

from qa.interfaces.mcp.front_desk import KeptReplies, front_desk
from qa.settings import Settings


def serve(settings: Settings) -> None:
    """Serve the documents of a data directory until the client closes."""
    versions = " ".join(version(name) for name in ("quoted-qa", "mcp"))
    with front_desk(KeptReplies(settings.cache, versions)):
        # Imported behind the handshake: together they take four seconds of a busy machine.
        from qa.interfaces.mcp.library import LibraryDocuments
        from qa.interfaces.mcp.tools import mcp_server
        from qa.interfaces.python import Library

        with Library(settings=settings) as library:
            mcp_server(LibraryDocuments(library)).run("stdio")
