"""`qa slack manifest` and `qa slack check`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import click

from qa.interfaces.cli.options import data_option, echo_json, settings_of

_MARKS = {True: "ok", False: "missing", None: "note"}


@click.group()
def slack() -> None:
    """Connect a Slack app."""


@slack.command()
@click.option(
    "--url",
    required=True,
    metavar="URL",
    help="Where Slack reaches `qa serve`, like https://qa.example.org.",
)
@click.option("--name", default="quoted", show_default=True, help="The bot's name.")
def manifest(url: str, name: str) -> None:
    """Print the app manifest, to paste at api.slack.com/apps, Create New App, From a manifest."""
    from qa.interfaces.slack.manifest import manifest as made

    if not url.startswith("https://"):
        raise click.BadParameter(
            "expected an https:// address, which is all that Slack sends to", param_hint="--url"
        )
    echo_json(made(url, name))


@slack.command()
@click.option("--url", metavar="URL", help="Also ask the server there, as Slack would.")
@data_option
def check(url: str | None, data: Path | None) -> None:
    """Check the signing secret, the token and its scopes, and say what is missing."""
    from qa.interfaces.slack.dependencies import missing_extra

    if missing_extra():
        raise click.ClickException(missing_extra())
    from qa.interfaces.slack.check import check_setup

    found = asyncio.run(check_setup(settings_of(data), url))
    for each in found:
        click.echo(f"{_MARKS[each.passed]:<8} {each.name}: {each.detail}")
    sys.exit(1 if any(each.passed is False for each in found) else 0)
