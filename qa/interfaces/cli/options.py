"""What the commands share: the data option, settings, progress."""

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
"""Without a terminal, progress is a line at most this often."""


class NamedPath(click.Path):
    """A path that is not empty: to pathlib the empty one is the current folder, which nobody meant."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ANN401 - as click has it
        """The path as a Path; fails on an empty one."""
        if not os.fspath(value):
            self.fail("expected a path, got an empty one", param, ctx)
        return super().convert(value, param, ctx)


class PathOrPage(NamedPath):
    """A path, or the http(s) address of a page as it was typed."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ANN401 - as click has it
        """An address as a str, anything else as a Path."""
        is_page = isinstance(value, str) and value.lower().startswith(("http://", "https://"))
        return value if is_page else super().convert(value, param, ctx)


data_option = click.option(
    "--data",
    type=NamedPath(path_type=Path, file_okay=False),
    help="Data directory (else QUOTED_DATA, else the platform's).",
)
exclude_option = click.option(
    "--exclude",
    multiple=True,
    metavar="PATTERN",
    help="Leave out what a .gitignore line like this would; may be repeated.",
)
tag_option = click.option(
    "--tag",
    "tags",
    multiple=True,
    metavar="NAME",
    help="Tag all documents below the paths; may be repeated.",
)
in_option = click.option(
    "--in",
    "tags",
    multiple=True,
    metavar="TAG",
    help="Only documents with this tag; may be repeated, then any of them.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def settings_of(data: Path | None) -> Settings:
    """The settings of this process, after a restore that was cut off is finished; raises
    SettingsError or StoreError.
    """
    from index.filesystem.portable_path import RESTORING
    from qa.settings import Settings

    settings = Settings.from_environment(os.environ, data=data)
    if (settings.data / RESTORING).is_dir():
        from qa.state.backup import finish_restore

        click.echo("A restore is being finished ...", err=True)
        finish_restore(settings.data)
    return settings


def encoder_of(settings: Settings) -> Encoder:
    """The embedding model, saying so when it must be converted first."""
    from qa.bootstrap import load_encoder

    return load_encoder(settings, on_conversion=_say_preparing)


def reader_of(settings: Settings) -> Reader:
    """The reader, saying so when it must be converted first."""
    from qa.bootstrap import load_reader

    return load_reader(settings, on_conversion=_say_preparing)


def _say_preparing(name: str) -> None:
    click.echo(f"Preparing the model {name} (once, about 20 s) ...", err=True)


def echo_json(value: Any) -> None:  # noqa: ANN401 - whatever json takes
    """Print a value as indented JSON."""
    import json

    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def terminal_width() -> int:
    """Columns for text: the terminal's, at most 100."""
    return min(shutil.get_terminal_size().columns, 100)


class Progress:
    """Reports an indexing run on standard error: a bar with rate and ETA on a terminal, plain lines
    elsewhere.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began = self._last = clock()
        self._files = self._done = self._passages = 0
        self._bar: Any = None

    def on_planned(self, files: int) -> None:
        """So many files will be looked at."""
        self._files = files
        if sys.stderr.isatty():
            from tqdm import tqdm

            self._bar = tqdm(total=files, unit="file", dynamic_ncols=True, leave=False)

    def on_file(self, outcome: Outcome) -> None:
        """One file is done; skipped ones are a line each."""
        if outcome.detail:
            self._line(
                f"{outcome.status if outcome.status in {'skipped', 'kept'} else 'note'}: {outcome.uri}: {outcome.detail}"
            )
        if outcome.language not in {None, "en"} and outcome.status in {"added", "updated"}:
            self._line(
                f"note: {outcome.uri} looks like another language than English ({outcome.language}); answers from it will be poor"
            )
        if outcome.status != "removed":
            self._done += 1
            self._show(1)

    def on_embedded(self, passages: int) -> None:
        """So many more passages have been embedded."""
        self._passages += passages
        self._show(0)

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()

    def _line(self, text: str) -> None:
        if self._bar is not None:
            self._bar.write(text, file=sys.stderr)
        else:
            click.echo(text, err=True)

    def _show(self, files: int) -> None:
        rate = self._passages / max(self._clock() - self._began, 1e-9)
        if self._bar is not None:
            self._bar.set_postfix_str(f"{self._passages} passages, {rate:.0f}/s", refresh=False)
            self._bar.update(files)
        elif self._clock() - self._last >= PLAIN_SECONDS:
            self._last = self._clock()
            left = (self._files - self._done) * (self._last - self._began) / max(self._done, 1)
            eta = f", about {left:.0f} s left" if self._done else ""
            click.echo(
                f"{self._done} of {self._files} files, {self._passages} passages, {rate:.0f}/s{eta}",
                err=True,
            )
