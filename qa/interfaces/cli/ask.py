"""`qa ask` and `qa search`."""

from __future__ import annotations

import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from qa.interfaces.cli.documents import run_indexing, summary_line
from qa.interfaces.cli.options import (
    NamedPath,
    data_option,
    echo_json,
    encoder_of,
    in_option,
    json_option,
    reader_of,
    settings_of,
    terminal_width,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qa.answer import Answer
    from qa.answering.pipeline import Pipeline
    from qa.settings import Settings

NO_ANSWER = 3
"""Exit code: the documents do not hold the answer."""


@click.command()
@click.argument("question")
@click.option("--top-k", type=click.IntRange(1, 100), help="Passages to read.")
@in_option
@click.option(
    "--deadline",
    type=click.FloatRange(0, min_open=True),
    help="Seconds after which no further passage is read.",
)
@click.option(
    "--deterministic",
    is_flag=True,
    help="The same bytes on every run: f32, one thread, one text at a time, no timings.",
)
@click.option(
    "--bundle",
    type=NamedPath(path_type=Path, dir_okay=False),
    help="Also write an audit bundle for `qa verify`.",
)
@click.option(
    "--without-sources",
    is_flag=True,
    help="With --bundle: leave out the bytes of the files that are quoted.",
)
@json_option
@data_option
def ask(  # noqa: PLR0913 - the options of the command
    question: str,
    *,
    top_k: int | None,
    tags: tuple[str, ...],
    deadline: float | None,
    deterministic: bool,
    bundle: Path | None,
    without_sources: bool,
    as_json: bool,
    data: Path | None,
) -> None:
    """Answer QUESTION with a quote (`-` reads the question from standard input).

    Exit code 0: answered, 3: the documents do not hold the answer.
    """
    from qa.interfaces.plaintext.answers import answer_text

    if without_sources and not bundle:
        raise click.UsageError("--without-sources belongs to --bundle")
    settings = settings_of(data).reproducible() if deterministic else settings_of(data)
    pipeline = _pipeline(settings)
    answer = pipeline.ask(
        _typed() if question == "-" else question, top_k=top_k, tags=tags or None, seconds=deadline
    )
    if deterministic:
        answer = replace(answer, timings_ms={})
    if bundle:
        _write_bundle(
            bundle, answer, pipeline, settings, tags=tags or None, with_sources=not without_sources
        )
    if as_json:
        echo_json(answer.to_dict())
    else:
        click.echo(answer_text(answer, lambda text: click.style(text, bold=True), terminal_width()))
    sys.exit(0 if answer.spans else NO_ANSWER)


@click.command()
@click.argument("query")
@click.option(
    "--top-k", type=click.IntRange(1, 100), default=10, show_default=True, help="Passages to show."
)
@in_option
@json_option
@data_option
def search(
    query: str, *, top_k: int, tags: tuple[str, ...], as_json: bool, data: Path | None
) -> None:
    """Show the passages that QUERY retrieves, with each score and rank."""
    from qa.interfaces.plaintext.answers import search_table

    passages = _pipeline(settings_of(data)).search(query, top_k=top_k, tags=tags or None)
    if as_json:
        echo_json([asdict(passage) for passage in passages])
    else:
        click.echo(search_table(passages, terminal_width()))


def _write_bundle(
    path: Path,
    answer: Answer,
    pipeline: Pipeline,
    settings: Settings,
    *,
    tags: Sequence[str] | None,
    with_sources: bool,
) -> None:
    """Write the audit bundle and say what it lacks."""
    from qa.verification.audit_bundle import bundle_of

    bundle, missing = bundle_of(answer, pipeline, settings, tags=tags, with_sources=with_sources)
    path.write_bytes(bundle.to_bytes())
    for uri in missing:
        click.echo(
            f"note: {uri} is no longer what was indexed, so that its bytes are not in the bundle",
            err=True,
        )


def _typed() -> str:
    """Standard input; bytes that are no text become lone surrogates, as in an argument, and are
    refused with the question.
    """
    if sys.stdin is None:
        raise click.UsageError("`-` reads the question from standard input, which is closed")
    return sys.stdin.buffer.read().decode(sys.stdin.encoding, "surrogateescape")


def indexed_or_seeds(settings: Settings) -> None:
    """In a checkout without an index, index its seeds/."""
    from qa.library.library import has_index, sample_documents

    seeds = sample_documents()
    if seeds and not has_index(settings):
        click.echo("No index yet: indexing the checkout's seeds/ ...", err=True)
        click.echo(summary_line(run_indexing(settings, [seeds])), err=True)


def _pipeline(settings: Settings) -> Pipeline:
    """The pipeline of the data directory; in a checkout without an index, one over its seeds/."""
    from qa.answering.source_freshness import FileHashes
    from qa.bootstrap import load_pipeline

    indexed_or_seeds(settings)
    return load_pipeline(settings, encoder_of(settings), reader_of(settings), hashes=FileHashes())
