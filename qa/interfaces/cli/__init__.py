"""The `qa` command.

Exit codes: 0 done or answered, 1 error, 2 wrong usage, 3 no answer found, 4 done but something was
skipped, is not current or has changed, 5 a quote was not proved, 6 a figure of the self-test is
below what was asked for.

Modules that are heavy or rarely needed are imported inside the commands: `qa --help` and wrong
usage answer at once.
"""

from __future__ import annotations

import io
import os
import sys
from typing import NoReturn

import click

from qa.interfaces.cli.ask import ask, search
from qa.interfaces.cli.bench import bench
from qa.interfaces.cli.calibrate import calibrate_command
from qa.interfaces.cli.chat import chat
from qa.interfaces.cli.config import config
from qa.interfaces.cli.documents import forget, index, list_documents, remove, status
from qa.interfaces.cli.evaluate import evaluate
from qa.interfaces.cli.gaps import gaps
from qa.interfaces.cli.keys import audit, keys
from qa.interfaces.cli.maintenance import backup, doctor, restore
from qa.interfaces.cli.mcp import mcp
from qa.interfaces.cli.migrate import migrate
from qa.interfaces.cli.saved_questions import history, watchlist
from qa.interfaces.cli.self_test import self_test
from qa.interfaces.cli.serve import serve
from qa.interfaces.cli.slack import slack
from qa.interfaces.cli.verify import verify
from qa.interfaces.cli.watch import watch


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="quoted-qa", prog_name="qa")
def cli() -> None:
    """Ask your documents; every answer is a quote with its source.

    \b
    qa index ~/notes
    qa ask "How much will Amazon invest in Anthropic?"
    """  # noqa: D301 - click wants the backspace character itself, which keeps the lines apart


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
    migrate,
    keys,
    audit,
    serve,
    slack,
    mcp,
    gaps,
    self_test,
    bench,
    config,
    evaluate,
    calibrate_command,
):
    cli.add_command(command)


def main() -> None:
    """Run the command line.

    Expected errors become one line on standard error and exit code 1. Characters that the encoding
    of the terminal lacks are printed as escapes.
    """
    # Whatever is written belongs to its owner alone: data directory, backups, answers.
    os.umask(0o077)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        cli(standalone_mode=True)
    except OSError as error:
        from index.filesystem.disk_errors import describe_os_error

        _fail(describe_os_error(error))
    except Exception as error:
        # Imported here: most runs end without an error.
        from index.errors import IndexingError
        from qa.errors import QAError

        if not isinstance(error, IndexingError | QAError):
            raise
        _fail(str(error))


def _fail(message: str) -> NoReturn:
    from qa.interfaces.plaintext.answers import shown_lines

    # A message may name a file, whose name may hold what acts on a terminal.
    click.echo(f"error: {shown_lines(message)}", err=True)
    sys.exit(1)
