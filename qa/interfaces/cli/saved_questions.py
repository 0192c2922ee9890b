"""`qa watchlist` and `qa history`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import click

from qa.interfaces.cli.documents import SKIPPED
from qa.interfaces.cli.options import (
    data_option,
    echo_json,
    encoder_of,
    json_option,
    reader_of,
    settings_of,
    terminal_width,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qa.settings import Settings
    from qa.state.saved_questions import Difference, SavedQuestions


@click.group()
def watchlist() -> None:
    """Saved questions, asked again by `qa watch` and `qa serve --watch` whenever the index has
    changed.
    """


@watchlist.command()
@click.argument("question")
@data_option
def add(question: str, data: Path | None) -> None:
    """Save QUESTION, and ask it now, so that a difference can be seen later."""
    from qa.library.library import has_index

    settings = settings_of(data)
    with _opened(settings) as saved:
        question = saved.add(question)
    click.echo(f"Saved: {question}")
    if has_index(settings):
        _check(settings)


@watchlist.command("list")
@json_option
@data_option
def list_questions(*, as_json: bool, data: Path | None) -> None:
    """List the saved questions with their last answers."""
    from qa.interfaces.plaintext.answers import printable
    from qa.interfaces.plaintext.differences import kept_text

    with _opened(settings_of(data)) as saved:
        questions = saved.questions()
    if as_json:
        echo_json([asdict(each) for each in questions])
        return
    for each in questions:
        click.echo(printable(each.question))
        click.echo(
            f"{kept_text(each.last, terminal_width())}\n" if each.last else "not asked yet\n"
        )
    if not questions:
        click.echo("No question is saved: `qa watchlist add QUESTION` saves one.", err=True)


@watchlist.command()
@click.argument("question")
@data_option
def remove(question: str, data: Path | None) -> None:
    """Forget QUESTION with the answers that were kept of it."""
    with _opened(settings_of(data)) as saved:
        saved.remove(question)
    click.echo("Removed.")


@watchlist.command()
@json_option
@data_option
def check(*, as_json: bool, data: Path | None) -> None:
    """Ask all saved questions again and show those whose answer has changed. Exit code 4: some
    have.
    """
    differences = _check(settings_of(data))
    if as_json:
        echo_json([asdict(each) for each in differences])
    else:
        echo_differences(differences)
    sys.exit(SKIPPED if differences else 0)


@click.command()
@click.argument("question")
@json_option
@data_option
def history(question: str, *, as_json: bool, data: Path | None) -> None:
    """Show how the answer to a saved QUESTION changed from one generation of the index to another."""
    from qa.interfaces.plaintext.differences import kept_text
    from qa.state.saved_questions import Difference

    with _opened(settings_of(data)) as saved:
        kept = saved.history(question)
    if as_json:
        echo_json([asdict(each) for each in kept])
    elif len(kept) < 2:
        click.echo(
            kept_text(kept[0], terminal_width())
            if kept
            else "Not asked yet: `qa watchlist check` does."
        )
    else:
        echo_differences([Difference(question, before, after) for before, after in pairwise(kept)])


def echo_differences(differences: Sequence[Difference]) -> None:
    """Each with old and new quote side by side."""
    from qa.interfaces.plaintext.differences import difference_text

    for each in differences:
        click.echo(difference_text(each, terminal_width()) + "\n")


@contextmanager
def _opened(settings: Settings) -> Iterator[SavedQuestions]:
    from qa.library.index_follower import opened_watchlist

    with opened_watchlist(settings) as opened:
        yield opened


def _check(settings: Settings) -> list[Difference]:
    from qa.answering.source_freshness import FileHashes
    from qa.bootstrap import load_pipeline

    pipeline = load_pipeline(
        settings, encoder_of(settings), reader_of(settings), hashes=FileHashes()
    )
    with _opened(settings) as saved:
        return saved.check(pipeline.ask)
