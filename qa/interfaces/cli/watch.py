"""Command `qa watch`."""

from __future__ import annotations

import signal
import sys
import threading
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from index.ingestion.report import Outcome
from qa.interfaces.cli.options import (
    NamedPath,
    data_option,
    echo_line,
    encoder_of,
    exclude_option,
    follow_links_option,
    reader_of,
    settings_of,
    tag_option,
)
from qa.interfaces.cli.saved_questions import echo_differences
from qa.library.listener import Listener

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

    from qa.state.saved_questions import Difference


@click.command()
@click.argument("paths", nargs=-1, required=True, type=NamedPath(path_type=Path))
@exclude_option
@tag_option
@follow_links_option
@data_option
def watch(
    paths: tuple[Path, ...],
    *,
    exclude: tuple[str, ...],
    tags: tuple[str, ...],
    follow_links: bool,
    data: Path | None,
) -> None:
    """Index files and folders, and follow their changes.

    New, changed, moved and deleted files are noticed. Documents are removed as by `qa index
    --prune`, which refuses removals that look like an accident.

    The saved questions (`qa watchlist`) are asked again after each change; a new answer is shown
    beside the old one.

    With --tag, files that appear later get the tag, too. Ends with Ctrl-C or SIGTERM.
    """
    from index.ingestion.watcher import WatchedPaths
    from index.tags import tags_of
    from qa.bootstrap import live_pipeline
    from qa.library.index_follower import follow_sources

    settings = settings_of(data)
    stopping = threading.Event()
    encoder = encoder_of(settings)
    # The reader is loaded at the first use: without saved questions it is never needed.
    live = cache(lambda: live_pipeline(settings, encoder, reader_of(settings)))

    def leave(_signal: int, _frame: FrameType | None) -> NoReturn:
        stopping.set()
        # An open transaction is rolled back, and the next run indexes those files.
        sys.exit(0)

    for signal_number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signal_number, leave)
    watched = WatchedPaths(paths, exclude, tags_of(tags), follow_links)
    follow_sources(settings, encoder, live, watched, LineListener(), stopping)


class LineListener(Listener):
    """Listener that prints a line for each event."""

    def on_file(self, outcome: Outcome) -> None:
        """Print the outcome of a file unless nothing has changed."""
        if outcome.status != "unchanged":
            detail = f": {outcome.detail}" if outcome.detail else ""
            echo_line(f"{outcome.status}: {outcome.uri}{detail}")

    def on_message(self, text: str) -> None:
        """Print a message on standard error."""
        echo_line(text, err=True)

    def on_differences(self, differences: Sequence[Difference]) -> None:
        """Print the old and the new answers of saved questions."""
        echo_differences(differences)
