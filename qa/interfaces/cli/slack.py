"""Commands `qa slack manifest` and `qa slack check`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import click

from qa.interfaces.cli.options import data_option, echo_json, echo_line, settings_of

_LABELS = {True: "ok", False: "missing", None: "note"}


@click.group()
def slack() -> None:
    """Connect a Slack app."""


@slack.command()
@click.option(
    "--url",
    required=True,
    metavar="URL",
    help="Address at which Slack reaches `qa serve`, like https://qa.example.org.",
)
@click.option("--name", default="quoted", show_default=True, help="Name of the bot.")
def manifest(url: str, name: str) -> None:
    """Print the manifest of the Slack app.

    Paste it at api.slack.com/apps under Create New App, From a manifest.
    """
    from qa.interfaces.slack import manifest as manifests

    if not url.startswith("https://"):
        raise click.BadParameter(
            "expected an https:// address, since Slack sends to no other", param_hint="--url"
        )
    echo_json(manifests.manifest(url, name))


@slack.command()
@click.option(
    "--url",
    metavar="URL",
    help="Also send a test request to the server at this address, as Slack would.",
)
@data_option
def check(url: str | None, data: Path | None) -> None:
    """Check the signing secret, the token and its scopes.

    Exit codes: 0 nothing is missing, 1 something is.
    """
    from qa.interfaces.slack.dependencies import missing_extra

    if missing_extra():
        raise click.ClickException(missing_extra())
    from qa.interfaces.slack.check import check_setup

    checks = asyncio.run(check_setup(settings_of(data), url))
    for check in checks:
        echo_line(f"{_LABELS[check.passed]:<8} {check.name}: {check.detail}")
    # None is a remark, which is not an error.
    sys.exit(1 if any(check.passed is False for check in checks) else 0)
