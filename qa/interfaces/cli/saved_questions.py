"""Commands `qa watchlist` and `qa history`."""

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
    echo_line,
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
    """Keep questions that are asked again when documents change.

    `qa watch` and `qa serve --watch` ask them after each change of the index.
    """


@watchlist.command()
@click.argument("question")
@data_option
def add(question: str, data: Path | None) -> None:
    """Save QUESTION and ask it for the first time."""
    from qa.library.documents import has_index

    settings = settings_of(data)
    with _saved_questions(settings) as saved:
        question = saved.add(question)
    echo_line(f"Saved: {question}")
    # Later answers are compared with this first one, so it is not printed.
    if has_index(settings):
        _ask_again(settings)


@watchlist.command("list")
@json_option
@data_option
def list_questions(*, as_json: bool, data: Path | None) -> None:
    """List the saved questions with their last answers."""
    from qa.interfaces.plaintext.answers import printable
    from qa.interfaces.plaintext.differences import kept_text

    with _saved_questions(settings_of(data)) as saved:
        questions = saved.questions()
    if as_json:
        echo_json([asdict(each) for each in questions])
        return
    for each in questions:
        answer = kept_text(each.last, terminal_width()) if each.last else "not asked yet"
        click.echo(f"{printable(each.question)}\n{answer}\n")
    if not questions:
        click.echo("No question is saved yet: run `qa watchlist add QUESTION`.", err=True)


@watchlist.command()
@click.argument("question")
@data_option
def remove(question: str, data: Path | None) -> None:
    """Forget QUESTION and its stored answers."""
    with _saved_questions(settings_of(data)) as saved:
        saved.remove(question)
    click.echo("Removed.")


@watchlist.command()
@json_option
@data_option
def check(*, as_json: bool, data: Path | None) -> None:
    """Ask all saved questions again and show changed answers.

    Exit codes: 0 no answer has changed, 4 some have.
    """
    differences = _ask_again(settings_of(data))
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
    """Show how the answer to a saved QUESTION changed over time."""
    from qa.interfaces.plaintext.differences import kept_text
    from qa.state.saved_questions import Difference

    with _saved_questions(settings_of(data)) as saved:
        answers = saved.history(question)
    if as_json:
        echo_json([asdict(each) for each in answers])
    elif not answers:
        click.echo("Not asked yet: run `qa watchlist check`.")
    elif len(answers) == 1:
        click.echo(kept_text(answers[0], terminal_width()))
    else:
        echo_differences([Difference(question, *pair) for pair in pairwise(answers)])


def echo_differences(differences: Sequence[Difference]) -> None:
    """Print the old and the new answer of each question side by side."""
    from qa.interfaces.plaintext.differences import difference_text

    for each in differences:
        click.echo(difference_text(each, terminal_width()) + "\n")


@contextmanager
def _saved_questions(settings: Settings) -> Iterator[SavedQuestions]:
    """Open the saved questions of the data directory."""
    from qa.library.index_follower import open_saved_questions

    with open_saved_questions(settings) as opened:
        yield opened


def _ask_again(settings: Settings) -> list[Difference]:
    """Ask all saved questions again and return the changed answers."""
    from qa.answering.retrieval.source_freshness import FileHashes
    from qa.bootstrap import load_pipeline

    pipeline = load_pipeline(
        settings, encoder_of(settings), reader_of(settings), hashes=FileHashes()
    )
    with _saved_questions(settings) as saved:
        return saved.check(pipeline.ask)
