"""Commands `qa index`, `qa list`, `qa status`, `qa remove` and `qa forget`."""

from __future__ import annotations

import sys
from collections import Counter
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from index.wording import listed
from qa.interfaces.cli.options import (
    PathOrPage,
    data_option,
    echo_json,
    echo_line,
    encoder_of,
    exclude_option,
    follow_links_option,
    in_option,
    json_option,
    settings_of,
    tag_option,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from index.ingestion.ingest import Distribute
    from index.ingestion.report import Summary
    from index.models.encoder import Encoder
    from index.store.snapshot import DocumentInfo
    from qa.library.document_status import FileStatus
    from qa.settings import Settings

STOPPED = 130
"""Exit code: stopped by Ctrl-C, as shells give it (128 and the number of SIGINT)."""
SKIPPED = 4
"""Exit code: done, but something was skipped, is not current or has changed."""


@click.command()
@click.argument("paths", nargs=-1, required=True, type=PathOrPage(path_type=Path))
@click.option(
    "--prune", is_flag=True, help="Also remove the documents below PATHS whose files are gone."
)
@click.option(
    "--yes",
    is_flag=True,
    help="With --prune: remove documents even if that looks like an accident.",
)
@click.option(
    "--fetch", is_flag=True, help="Allow http(s) addresses of web pages as PATHS, and fetch them."
)
@click.option(
    "--ray",
    "ray_address",
    metavar="ADDRESS",
    help="Read and embed on all nodes of this Ray cluster; needs QUOTED_STORE.",
)
@exclude_option
@tag_option
@follow_links_option
@data_option
def index(  # noqa: PLR0913 - as many as it has options
    paths: tuple[Path | str, ...],
    *,
    prune: bool,
    yes: bool,
    fetch: bool,
    ray_address: str | None,
    exclude: tuple[str, ...],
    tags: tuple[str, ...],
    follow_links: bool,
    data: Path | None,
) -> None:
    """Index files and folders.

    Formats: text, Markdown and other markup, PDF, Word, PowerPoint, spreadsheets, HTML, EPUB,
    OpenDocument, RTF, mails, subtitles, notebooks, XML, source code and configuration.

    Unchanged files cost nothing. A file .quotedignore in a folder lists patterns of files to leave
    out, like a .gitignore.

    Exit codes: 0 done, 1 --prune refused to remove documents, 4 done but something was skipped,
    130 stopped by Ctrl-C: what was indexed stays, and the same command goes on with the rest.
    """
    if yes and not prune:
        raise click.UsageError("--yes needs --prune")
    pages = [path for path in paths if isinstance(path, str)]
    if pages and not fetch:
        raise click.UsageError(f"{pages[0]} is the address of a web page: add --fetch to fetch it")
    summary = run_indexing(
        settings_of(data),
        paths,
        prune=prune,
        yes=yes,
        exclude=exclude,
        tags=tags,
        follow_links=follow_links,
        ray_address=ray_address,
    )
    click.echo(summary_line(summary))
    if summary.other_formats:
        echo_line(f"not read, of other formats: {listed(summary.other_formats)}", err=True)
    for refusal in summary.refused:
        echo_line(f"refused: {refusal}", err=True)
    # A refusal is worse than a skipped file, so it decides the exit code.
    if summary.refused:
        sys.exit(1)
    is_incomplete = summary.count("skipped", "kept") or summary.other_formats
    sys.exit(SKIPPED if is_incomplete else 0)


def run_indexing(  # noqa: PLR0913 - as `index_paths`
    settings: Settings,
    paths: Sequence[Path | str],
    *,
    prune: bool = False,
    yes: bool = False,
    exclude: Sequence[str] = (),
    tags: Sequence[str] = (),
    follow_links: bool = False,
    ray_address: str | None = None,
) -> Summary:
    """Index files, folders and web pages, with progress on standard error."""
    from qa.access.audit_log import log_command
    from qa.interfaces.cli.progress import Progress
    from qa.library.documents import index_paths

    # The encoder may have to be converted: that message comes before the progress bar.
    encoder = encoder_of(settings)
    progress = Progress()
    log_command(settings, "index", " ".join(map(str, paths)))
    try:
        with _distribution(ray_address, settings, encoder) as distribute:
            summary = index_paths(
                settings,
                encoder,
                paths,
                progress,
                prune=prune,
                yes=yes,
                exclude=exclude,
                tags=tags,
                follow_links=follow_links,
                distribute=distribute,
                on_wait=echo_waiting,
            )
    except KeyboardInterrupt:
        progress.close()
        click.echo(
            f"Stopped: {progress.kept:,} documents are in the index and stay there; "
            "the same command goes on with the rest.",
            err=True,
        )
        sys.exit(STOPPED)
    finally:
        progress.close()
    if progress.languages:
        _echo_languages(settings, progress.languages)
    return summary


def _distribution(
    ray_address: str | None, settings: Settings, encoder: Encoder
) -> AbstractContextManager[Distribute | None]:
    """Return what processes files on a cluster, while it is entered; None without a cluster."""
    if ray_address is None:
        return nullcontext()
    from qa.interfaces.cluster import distribution_over

    return distribution_over(ray_address, settings, encoder)


def _echo_languages(settings: Settings, codes: Sequence[str]) -> None:
    """Print which languages the new documents are in and which work, if any does not."""
    from qa.answering.languages import language_name, languages_of

    languages = languages_of(settings.model, settings.reader_languages)
    unread = Counter(code for code in codes if not languages.reads(code))
    if unread:
        counts = ", ".join(
            f"{count} in {language_name(code)}" for code, count in sorted(unread.items())
        )
        click.echo(f"Languages: {counts}. {languages.sentence()}", err=True)


def summary_line(summary: Summary) -> str:
    """Return the result of a run as one line."""
    counts = {
        "added": summary.count("added"),
        "updated": summary.count("updated"),
        "moved": summary.count("moved"),
        "unchanged": summary.count("unchanged"),
        "removed": summary.count("removed"),
        "skipped": summary.count("skipped", "kept"),
        "of other formats left out": len(summary.other_formats),
    }
    parts = [f"{count} {words}" for words, count in counts.items() if count]
    return "Indexed: " + (", ".join(parts) or "no files found") + "."


def echo_waiting() -> None:
    """Print that another process is indexing."""
    click.echo("Another process is indexing; waiting for it ...", err=True)


@click.command("list")
@click.option("--details", is_flag=True, help="Also show how well each file was read.")
@in_option
@json_option
@data_option
def list_documents(
    *, details: bool, tags: tuple[str, ...], as_json: bool, data: Path | None
) -> None:
    """List the indexed documents with their tags."""
    from qa.library.documents import list_documents

    documents = list_documents(settings_of(data), tags)
    if as_json:
        echo_json([asdict(document) for document in documents])
        return
    # Parts that are usually empty come last, so that the columns stay aligned.
    for document in documents:
        state = "" if document.state == "current" else f"  [{document.state}]"
        tagged = "".join(f"  #{tag}" for tag in document.tags)
        echo_line(
            f"{document.id}  {document.chunks:>5} passages  {document.uri}  {document.title}"
            f"{tagged}{state}"
        )
        if details:
            _echo_extraction(document)
    if not documents:
        click.echo("Nothing is indexed yet: run `qa index PATH...`.", err=True)


def _echo_extraction(document: DocumentInfo) -> None:
    """Print how well a file was read, and why to look at the original."""
    if document.extraction.summary:
        echo_line(f"    {document.extraction.summary}")
    if document.caution:
        echo_line(f"    check the original: {document.caution}")


@click.command()
@json_option
@data_option
def status(*, as_json: bool, data: Path | None) -> None:
    """Compare the indexed documents with their files.

    Lists each document, and each file that is not indexed, with its state: current, changed, moved,
    gone or new.

    Exit codes: 0 all are current, 4 some are not.
    """
    from qa.library.index_follower import document_status

    files = document_status(settings_of(data))
    if as_json:
        echo_json([asdict(file) for file in files])
    else:
        _echo_status(files)
    sys.exit(0 if all(file.state == "current" for file in files) else SKIPPED)


def _echo_status(files: Sequence[FileStatus]) -> None:
    """Print a line for each file, and the totals on standard error."""
    for file in files:
        moved = f"  now {file.moved_to}" if file.moved_to else ""
        caution = f"  check the original: {file.caution}" if file.caution else ""
        echo_line(f"{file.state:<7}  {file.uri}{moved}{caution}")
    counts = Counter(file.state for file in files)
    totals = ", ".join(f"{count} {state}" for state, count in counts.items())
    click.echo(totals or "Nothing is indexed.", err=True)


@click.command()
@click.argument("document")
@data_option
def remove(document: str, data: Path | None) -> None:
    """Remove DOCUMENT, named by id, uri or path, from the index.

    Everything made from it is deleted. Its file is deleted only if it was uploaded.
    """
    from qa.access.audit_log import log_command
    from qa.library.documents import remove_document

    settings = settings_of(data)
    removed = remove_document(settings, document, echo_waiting)
    log_command(settings, "remove", f"{removed.document_id} {removed.uri}")
    echo_line(f"Removed {removed.uri} ({removed.document_id}).")


@click.command()
@click.option(
    "--all", "everything", is_flag=True, required=True, help="Confirm that all documents are meant."
)
@data_option
def forget(*, everything: bool, data: Path | None) -> None:
    """Delete all documents, everything made from them, and all questions and conversations."""
    from qa.access.audit_log import log_command
    from qa.library.documents import forget_all

    settings = settings_of(data)
    count = forget_all(settings, echo_waiting) if everything else 0
    log_command(settings, "forget --all", f"{count} documents")
    echo_line(f"Forgot {count} document{'s' if count != 1 else ''}.")
