"""MCP server: the documents as tools and resources of an assistant.

`tools` makes the server of the official SDK (the extra `mcp`). `stdio` runs it on standard input
and output over a `Library`, behind the `front_desk`, which answers the handshake before the SDK is
imported. `endpoint` mounts it in the HTTP server, for the askers that the door has let in.

Source: modelcontextprotocol.io/specification, "Tools", "Resources" and "Transports".
"""

__all__ = ["endpoint", "stdio"]
"""Modules that other packages may import."""
