"""`qa index`, `qa list`, `qa status`, `qa remove`, `qa forget`."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from qa.interfaces.cli.options import (
    PathOrPage,
    Progress,
    data_option,
    echo_json,
    encoder_of,
    exclude_option,
    in_option,
    json_option,
    settings_of,
    tag_option,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from index.ingestion.report import Summary
    from qa.settings import Settings

SKIPPED = 4
"""Exit code: done, but something was skipped."""


@click.command()
@click.argument("paths", nargs=-1, required=True, type=PathOrPage(path_type=Path))
@click.option(
    "--prune", is_flag=True, help="Also remove documents below PATHS whose files are gone."
)
@click.option("--yes", is_flag=True, help="With --prune: remove even if it looks like an accident.")
@click.option(
    "--fetch", is_flag=True, help="Allow PATHS to be http(s) addresses of pages, which are fetched."
)
@exclude_option
@tag_option
@data_option
def index(
    paths: tuple[Path | str, ...],
    *,
    prune: bool,
    yes: bool,
    fetch: bool,
    exclude: tuple[str, ...],
    tags: tuple[str, ...],
    data: Path | None,
) -> None:
    """Index files and folders: text, Markdown, PDF, Word, PowerPoint, spreadsheets, HTML, EPUB,
    OpenDocument, RTF, mails.

    A file .quotedignore in a folder holds patterns of what to leave out, as a .gitignore does.
    Unchanged files cost nothing. Exit code 4: done, but something was skipped; 1: --prune refused
    to remove.
    """
    if yes and not prune:
        raise click.UsageError("--yes belongs to --prune")
    pages = [path for path in paths if isinstance(path, str)]
    if pages and not fetch:
        raise click.UsageError(
            f"{pages[0]} is the address of a page: say --fetch to have it fetched"
        )
    summary = run_indexing(
        settings_of(data), paths, prune=prune, yes=yes, exclude=exclude, tags=tags
    )
    click.echo(summary_line(summary))
    for refusal in summary.refused:
        click.echo(f"refused: {refusal}", err=True)
    sys.exit(1 if summary.refused else SKIPPED if summary.count("skipped", "kept") else 0)


def run_indexing(
    settings: Settings,
    paths: Sequence[Path | str],
    *,
    prune: bool = False,
    yes: bool = False,
    exclude: Sequence[str] = (),
    tags: Sequence[str] = (),
) -> Summary:
    """Index with progress on standard error."""
    from qa.library.library import index_paths

    encoder = encoder_of(settings)
    progress = Progress()
    try:
        return index_paths(
            settings,
            encoder,
            paths,
            progress,
            prune=prune,
            yes=yes,
            exclude=exclude,
            tags=tags,
            on_wait=say_waiting,
        )
    finally:
        progress.close()


def summary_line(summary: Summary) -> str:
    """What a run did, in one line."""
    named = [
        ("added", "added"),
        ("updated", "updated"),
        ("moved", "moved"),
        ("unchanged", "unchanged"),
        ("removed", "removed"),
    ]
    parts = [f"{summary.count(status)} {name}" for status, name in named if summary.count(status)]  # type: ignore[arg-type]
    skipped = summary.count("skipped", "kept")
    parts += [f"{skipped} skipped"] if skipped else []
    parts += [f"{summary.other_formats} of other formats left out"] if summary.other_formats else []
    return "Indexed: " + (", ".join(parts) or "no files found") + "."


def say_waiting() -> None:
    """Tell that another process has the index."""
    click.echo("Another process is indexing; waiting for it ...", err=True)


@click.command("list")
@in_option
@json_option
@data_option
def list_documents(*, tags: tuple[str, ...], as_json: bool, data: Path | None) -> None:
    """List the indexed documents, each with its tags."""
    from qa.library.library import documents_of

    documents = documents_of(settings_of(data), tags)
    if as_json:
        echo_json([asdict(document) for document in documents])
        return
    for document in documents:
        state = "" if document.state == "current" else f"  [{document.state}]"
        tagged = "".join(f"  #{tag}" for tag in document.tags)
        click.echo(
            f"{document.id}  {document.chunks:>5} passages  {document.uri}  {document.title}{tagged}{state}"
        )
    if not documents:
        click.echo("Nothing is indexed yet: run `qa index PATH...`.", err=True)


@click.command()
@json_option
@data_option
def status(*, as_json: bool, data: Path | None) -> None:
    """List the documents and the files that are not indexed, each with its state: current, changed,
    moved, gone or new.

    Exit code 0: all are current; 4: some are not.
    """
    from qa.library.index_follower import document_status

    found = document_status(settings_of(data))
    if as_json:
        echo_json([asdict(each) for each in found])
    else:
        for each in found:
            click.echo(
                f"{each.state:<7}  {each.uri}{f'  now {each.moved_to}' if each.moved_to else ''}"
            )
        counts = Counter(each.state for each in found)
        click.echo(
            ", ".join(f"{count} {state}" for state, count in counts.items())
            or "Nothing is indexed.",
            err=True,
        )
    sys.exit(0 if all(each.state == "current" for each in found) else SKIPPED)


@click.command()
@click.argument("document")
@data_option
def remove(document: str, data: Path | None) -> None:
    """Remove a document, named by its id, uri or path, and all that was made from it. A file that
    was uploaded is deleted, any other left alone.
    """
    from qa.library.library import remove_document

    found = remove_document(settings_of(data), document, say_waiting)
    click.echo(f"Removed {found.uri} ({found.document_id}).")


@click.command()
@click.option(
    "--all", "everything", is_flag=True, required=True, help="Say that everything is meant."
)
@data_option
def forget(*, everything: bool, data: Path | None) -> None:
    """Delete every document with all text, vectors and derived files."""
    from qa.library.library import forget_all

    count = forget_all(settings_of(data), say_waiting) if everything else 0
    click.echo(f"Forgot {count} document{'s' if count != 1 else ''}.")
