"""Options, settings and models that several commands share."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from index.models.encoder import Encoder
    from qa.answering.reading.reader import Reader
    from qa.settings import Settings


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
follow_links_option = click.option(
    "--follow-links",
    is_flag=True,
    help="Read files elsewhere, too, that links below the paths lead to.",
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
document_option = click.option(
    "--document",
    "documents",
    multiple=True,
    metavar="DOC",
    help="Use only this document, named by id, uri or path; may be repeated.",
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

    warn_of_unknown_variables()
    settings = Settings.load(os.environ, data=data)
    if (settings.data / RESTORING).is_dir():
        from qa.state.backup import finish_restore

        click.echo("Finishing a restore that was interrupted ...", err=True)
        finish_restore(settings.data)
    return settings


def warn_of_unknown_variables() -> None:
    """Name the QUOTED_ variables that set nothing, with the known name most like each."""
    from qa.settings import unknown_variables

    for name, near in unknown_variables(os.environ).items():
        hint = f", did you mean {near}?" if near else "; `qa config show` lists them all"
        echo_line(f"warning: there is no setting {name}{hint}", err=True)


def encoder_of(settings: Settings) -> Encoder:
    """Load the encoder, with a message if its model must be converted first."""
    from qa.bootstrap import load_encoder

    return load_encoder(settings, on_conversion=_echo_preparing)


def reader_of(settings: Settings) -> Reader:
    """Load the reader, with a message if its model must be converted first."""
    from qa.bootstrap import load_reader

    return load_reader(settings, on_conversion=_echo_preparing)


def _echo_preparing(name: str) -> None:
    click.echo(f"Preparing the model {name} (once) ...", err=True)


_ACTS = re.compile(r"[\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Characters that act on a terminal and that JSON leaves as they are."""


def echo_json(value: Any) -> None:  # noqa: ANN401 - whatever json takes
    """Print a value as indented JSON."""
    import json

    text = json.dumps(value, ensure_ascii=False, indent=2)
    # Outside of strings JSON has none of these, and inside them the escape means the same.
    click.echo(_ACTS.sub(lambda found: f"\\u{ord(found[0]):04x}", text))


def echo_line(text: str, *, err: bool = False) -> None:
    """Print one line; what would act on a terminal, as in the name of a file, is replaced."""
    from qa.interfaces.plaintext.answers import printable

    click.echo(printable(text), err=err)


def bold(text: str) -> str:
    """Return the text in bold for a terminal."""
    return click.style(text, bold=True)


def terminal_width() -> int:
    """Return the number of columns for text: those of the terminal, at most 100."""
    return min(shutil.get_terminal_size().columns, 100)
