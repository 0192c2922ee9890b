"""Options, settings, models and progress that several commands share."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from index.ingestion.report import Outcome
    from index.models.encoder import Encoder
    from qa.answering.reader import Reader
    from qa.settings import Settings

PLAIN_SECONDS = 5.0
"""Seconds between two lines of progress where there is no terminal."""


class NamedPath(click.Path):
    """A path that is not empty.

    For pathlib the empty path is the current folder, which nobody means by it.
    """

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ANN401 - as click has it
        """Return the path; fail if it is empty."""
        if not os.fspath(value):
            self.fail("expected a path, got an empty one", param, ctx)
        return super().convert(value, param, ctx)


class PathOrPage(NamedPath):
    """A path, or the http(s) address of a web page."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ANN401 - as click has it
        """Return an address unchanged, as a str, and anything else as a Path."""
        is_page = isinstance(value, str) and value.lower().startswith(("http://", "https://"))
        return value if is_page else super().convert(value, param, ctx)


data_option = click.option(
    "--data",
    type=NamedPath(path_type=Path, file_okay=False),
    help="Data directory (default: QUOTED_DATA, or the usual place of the platform).",
)
exclude_option = click.option(
    "--exclude",
    multiple=True,
    metavar="PATTERN",
    help="Leave out files that match this .gitignore pattern; may be repeated.",
)
tag_option = click.option(
    "--tag",
    "tags",
    multiple=True,
    metavar="NAME",
    help="Give this tag to all documents below the paths; may be repeated.",
)
in_option = click.option(
    "--in",
    "tags",
    multiple=True,
    metavar="TAG",
    help="Use only documents with this tag, or with any of several if repeated.",
)
sure_option = click.option(
    "--sure", is_flag=True, help="Give only sure answers: refuse one that is merely likely."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def settings_of(data: Path | None) -> Settings:
    """Return the settings of this process.

    A restore that was interrupted is finished first. Raises SettingsError or StoreError.
    """
    from index.filesystem.portable_path import RESTORING
    from qa.settings import Settings

    settings = Settings.from_environment(os.environ, data=data)
    if (settings.data / RESTORING).is_dir():
        from qa.state.backup import finish_restore

        click.echo("Finishing a restore that was interrupted ...", err=True)
        finish_restore(settings.data)
    return settings


def encoder_of(settings: Settings) -> Encoder:
    """Load the encoder, with a message if its model must be converted first."""
    from qa.bootstrap import load_encoder

    return load_encoder(settings, on_conversion=_echo_preparing)


def reader_of(settings: Settings) -> Reader:
    """Load the reader, with a message if its model must be converted first."""
    from qa.bootstrap import load_reader

    return load_reader(settings, on_conversion=_echo_preparing)


def _echo_preparing(name: str) -> None:
    click.echo(f"Preparing the model {name} (once, about 20 s) ...", err=True)


def echo_json(value: Any) -> None:  # noqa: ANN401 - whatever json takes
    """Print a value as indented JSON."""
    import json

    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def bold(text: str) -> str:
    """Return the text in bold for a terminal."""
    return click.style(text, bold=True)


def terminal_width() -> int:
    """Return the number of columns for text: those of the terminal, at most 100."""
    return min(shutil.get_terminal_size().columns, 100)


class Progress:
    """Progress of an indexing run on standard error.

    A bar with rate and remaining time on a terminal, plain lines elsewhere.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began = self._last_shown = clock()
        self._files = 0
        self._files_done = 0
        self._passages = 0
        self._bar: Any = None

    def on_planned(self, files: int) -> None:
        """Take the number of files that will be looked at."""
        self._files = files
        if sys.stderr.isatty():
            from tqdm import tqdm

            self._bar = tqdm(total=files, unit="file", dynamic_ncols=True, leave=False)

    def on_file(self, outcome: Outcome) -> None:
        """Count a file as done, and print a line if it was skipped."""
        if outcome.detail:
            label = outcome.status if outcome.status in {"skipped", "kept"} else "note"
            self._echo_line(f"{label}: {outcome.uri}: {outcome.detail}")
        is_new_text = outcome.status in {"added", "updated"}
        if is_new_text and outcome.language not in {None, "en"}:
            self._echo_line(
                f"note: {outcome.uri} looks like another language than English "
                f"({outcome.language}); answers from it will be poor"
            )
        # Removed documents have no file, so that they are not among those that were announced.
        if outcome.status != "removed":
            self._files_done += 1
            self._show(1)

    def on_embedded(self, passages: int) -> None:
        """Count more passages as embedded."""
        self._passages += passages
        self._show(0)

    def close(self) -> None:
        """Remove the bar."""
        if self._bar is not None:
            self._bar.close()

    def _echo_line(self, text: str) -> None:
        if self._bar is not None:
            self._bar.write(text, file=sys.stderr)
        else:
            click.echo(text, err=True)

    def _show(self, new_files: int) -> None:
        """Update the bar, or print a line if the last one is old enough."""
        rate = self._passages / max(self._clock() - self._began, 1e-9)
        if self._bar is not None:
            self._bar.set_postfix_str(f"{self._passages} passages, {rate:.0f}/s", refresh=False)
            self._bar.update(new_files)
        elif self._clock() - self._last_shown >= PLAIN_SECONDS:
            self._last_shown = self._clock()
            click.echo(
                f"{self._files_done} of {self._files} files, {self._passages} passages, "
                f"{rate:.0f}/s{self._remaining_time()}",
                err=True,
            )

    def _remaining_time(self) -> str:
        """Return the estimate as words, or "" before the first file is done."""
        if not self._files_done:
            return ""
        seconds_a_file = (self._last_shown - self._began) / self._files_done
        return f", about {(self._files - self._files_done) * seconds_a_file:.0f} s left"
