"""Command `qa mcp`."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

import click

from qa.interfaces.cli.options import data_option, settings_of

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@data_option
def mcp(data: Path | None) -> None:
    """Serve the documents to an assistant over MCP.

    Speaks on standard input and output: an assistant starts this command itself. Needs `pip install
    'quoted-qa[mcp]'`.
    """
    if find_spec("mcp") is None:
        raise click.ClickException("MCP needs its extra: pip install 'quoted-qa[mcp]'")
    from qa.interfaces.mcp.stdio import serve

    serve(settings_of(data))
