"""The `qa` command. Exit codes: 0 done or answered, 1 error, 2 usage, 3 no answer found, 4 done but something was skipped or is not as
it was, 5 a quote was not proved.
"""

from __future__ import annotations

import io
import sys
from typing import NoReturn

import click

from qa.interfaces.cli.asking import ask, search
from qa.interfaces.cli.calibrating import calibrate_command
from qa.interfaces.cli.chatting import chat
from qa.interfaces.cli.evaluating import evaluate
from qa.interfaces.cli.indexing import forget, index, list_documents, remove, status
from qa.interfaces.cli.maintaining import backup, doctor, restore
from qa.interfaces.cli.serving import serve
from qa.interfaces.cli.slack import slack
from qa.interfaces.cli.verifying import verify
from qa.interfaces.cli.watching import watch
from qa.interfaces.cli.watchlist import history, watchlist


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="quoted-qa", prog_name="qa")
def cli() -> None:
    """Ask your documents; every answer is a quote with its place.

    \b
    qa index ~/notes
    qa ask "How much will Amazon invest in Anthropic?"
    """  # noqa: D301 - click wants the backspace character itself, which keeps it from joining the lines


for command in (
    index,
    watch,
    ask,
    chat,
    search,
    verify,
    list_documents,
    status,
    watchlist,
    history,
    remove,
    forget,
    doctor,
    backup,
    restore,
    serve,
    slack,
    evaluate,
    calibrate_command,
):
    cli.add_command(command)


def main() -> None:
    """Entry point: errors become one line and exit code 1; characters that the terminal's encoding lacks become escapes."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        cli(standalone_mode=True)
    except OSError as error:
        from index.storage import told

        _leave(told(error))
    except Exception as error:
        from index.errors import IndexingError
        from qa.errors import QAError

        if not isinstance(error, IndexingError | QAError):
            raise
        _leave(str(error))


def _leave(message: str) -> NoReturn:
    click.echo(f"error: {message}", err=True)
    sys.exit(1)
