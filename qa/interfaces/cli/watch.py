"""`qa watch`."""

from __future__ import annotations

import signal
import sys
import threading
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from qa.interfaces.cli.options import (
    NamedPath,
    data_option,
    encoder_of,
    exclude_option,
    reader_of,
    settings_of,
    tag_option,
)
from qa.interfaces.cli.saved_questions import echo_differences

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

    from index.ingestion.report import Outcome
    from qa.state.saved_questions import Difference


@click.command()
@click.argument("paths", nargs=-1, required=True, type=NamedPath(path_type=Path))
@exclude_option
@tag_option
@data_option
def watch(
    paths: tuple[Path, ...], *, exclude: tuple[str, ...], tags: tuple[str, ...], data: Path | None
) -> None:
    """Index files and folders, and follow what is made, changed, moved and deleted there.

    The saved questions (`qa watchlist`) are asked again after each change, and new answers shown
    beside the old ones.

    With --tag, what is there and whatever appears there later gets the tag.

    Removes what `qa index --prune` would, and refuses what that would refuse. Ends with Ctrl-C or
    SIGTERM.
    """
    from index.ingestion.watcher import WatchedPaths
    from index.tags import tags_of
    from qa.bootstrap import live_pipeline
    from qa.library.index_follower import follow_sources

    settings, stopping = settings_of(data), threading.Event()
    encoder = encoder_of(settings)
    live = cache(lambda: live_pipeline(settings, encoder, reader_of(settings)))

    def leave(_signal: int, _frame: FrameType | None) -> NoReturn:
        stopping.set()
        sys.exit(0)  # what is being written is rolled back, and comes with the next run

    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, leave)
    follow_sources(
        settings, encoder, live, WatchedPaths(paths, exclude, tags_of(tags)), Lines(), stopping
    )


class Lines:
    """A line for whatever happens."""

    def on_planned(self, files: int) -> None:
        """So many files will be looked at: nothing to say."""

    def on_embedded(self, passages: int) -> None:
        """So many more passages have been embedded: nothing to say."""

    def on_file(self, outcome: Outcome) -> None:
        """One file is done."""
        if outcome.status != "unchanged":
            click.echo(
                f"{outcome.status}: {outcome.uri}{f': {outcome.detail}' if outcome.detail else ''}"
            )

    def on_message(self, text: str) -> None:
        """One line for people."""
        click.echo(text, err=True)

    def differ(self, differences: Sequence[Difference]) -> None:
        """Old and new answers of saved questions."""
        echo_differences(differences)
