"""Command `qa migrate`."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from qa.interfaces.cli.options import data_option, echo_line, encoder_of, settings_of

if TYPE_CHECKING:
    from qa.settings import Settings

EMBEDDED = "embedded"
"""Name of the store in the data directory."""

STATE = "state"
"""Name of what users made, instead of a store of documents."""


@click.command()
@click.argument("target")
@click.option("--back", is_flag=True, help="With `state`: copy from the database to the files.")
@data_option
def migrate(target: str, *, back: bool, data: Path | None) -> None:
    """Copy all documents to the store TARGET, with the files that were uploaded.

    TARGET is the folder or the address of a shared store, as QUOTED_STORE names it, or `embedded`
    for the store in the data directory. The store of the settings stays as it is. What TARGET has
    already is left out, so a copy that was stopped goes on. No file is read again.

    `qa migrate state` copies conversations, feedback, saved questions, keys and the audit log from
    the data directory to the empty database that QUOTED_STATE names, and with `--back` from there
    to a data directory that has none.
    """
    from index.wording import counted
    from qa.access.audit_log import log_command
    from qa.library.migration import migrate_documents
    from qa.settings import Settings

    settings = settings_of(data)
    if target == STATE:
        _migrate_state(settings, back=back)
        return
    if back:
        raise click.UsageError(f"--back belongs to `qa migrate {STATE}`")
    others = replace(settings, store="", state="")
    if target != EMBEDDED:
        others = Settings.load({**os.environ, "QUOTED_STORE": target}, data=data)
    log_command(settings, "migrate", target)
    migrated = migrate_documents(
        settings,
        others,
        encoder_of(settings),
        lambda done, count: echo_line(f"{done} of {counted(count, 'document')}", err=True),
    )
    echo_line(
        f"Copied {counted(migrated.copied, 'document')}, {migrated.known} were there already. "
        f"Now set QUOTED_STORE={others.store or ' (nothing)'}".rstrip()
    )


def _migrate_state(settings: Settings, *, back: bool) -> None:
    from index.wording import counted
    from qa.library.state_migration import migrate_state

    rows = migrate_state(settings, back=back)
    copied = [
        counted(rows[table], word)
        for table, word in (
            ("conversations", "conversation"),
            ("feedback", "verdict"),
            ("watched", "saved question"),
            ("keys", "key"),
        )
    ]
    now = (
        "Now leave QUOTED_STATE out."
        if back
        else f"The files in {settings.data} are no longer used."
    )
    echo_line(f"Copied {', '.join(copied)}. {now}")
