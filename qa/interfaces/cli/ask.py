"""Commands `qa ask` and `qa search`."""

from __future__ import annotations

import sys
from contextlib import closing, contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from qa.interfaces.cli.options import (
    NamedPath,
    bold,
    data_option,
    document_option,
    echo_json,
    echo_line,
    encoder_of,
    in_option,
    json_option,
    reader_of,
    settings_of,
    sure_option,
    terminal_width,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from qa.answer import Answer
    from qa.answering.pipeline import Pipeline
    from qa.settings import Settings

NO_ANSWER = 3
"""Exit code: the documents do not hold the answer."""


@click.command()
@click.argument("question")
@click.option(
    "--top-k",
    type=click.IntRange(1, 100),
    help="Number of passages to read (default: QUOTED_TOP_K).",
)
@in_option
@document_option
@click.option(
    "--deadline",
    type=click.FloatRange(0, min_open=True),
    help="Read no further passage after this many seconds.",
)
@click.option(
    "--deterministic",
    is_flag=True,
    help="Print the same bytes on every run: f32, one thread, one text at a time, no timings.",
)
@click.option(
    "--bundle",
    type=NamedPath(path_type=Path, dir_okay=False),
    help="Also write an audit bundle for `qa verify`.",
)
@click.option(
    "--without-sources",
    is_flag=True,
    help="With --bundle: leave out the bytes of the quoted files.",
)
@sure_option
@json_option
@data_option
def ask(  # noqa: PLR0913 - the options of the command
    question: str,
    *,
    top_k: int | None,
    tags: tuple[str, ...],
    documents: tuple[str, ...],
    deadline: float | None,
    deterministic: bool,
    bundle: Path | None,
    without_sources: bool,
    sure: bool,
    as_json: bool,
    data: Path | None,
) -> None:
    """Answer QUESTION with quotes from the documents.

    An answer that is likely but not sure is shown under "Probably", with what speaks against it. If
    QUESTION is `-`, it is read from standard input.

    Exit codes: 0 answered, surely or likely; 3 the documents do not hold the answer.
    """
    if without_sources and not bundle:
        raise click.UsageError("--without-sources needs --bundle")
    settings = settings_of(data)
    # Thread count and precision change the last digits of scores.
    if deterministic:
        settings = settings.reproducible()
    with _pipeline(settings) as (pipeline, settings, note):
        if question == "-":
            question = _read_question()
        answer = pipeline.ask(
            question,
            top_k=top_k,
            tags=tags or None,
            documents=pipeline.documents_called(documents) or None,
            seconds=deadline,
            strict=sure,
        )
        if as_json:
            answer = replace(answer, notes=(*answer.notes, *note))
        if deterministic:  # measured times differ from run to run
            answer = replace(answer, timings_ms={})
        if bundle:
            _write_bundle(
                bundle,
                answer,
                pipeline,
                settings,
                tags=tags or None,
                with_sources=not without_sources,
            )
    _note_refusal(settings, answer, of_sample=bool(note))
    _echo_answer(answer, as_json=as_json)
    _echo_notes(() if as_json else note)
    sys.exit(NO_ANSWER if answer.refusal else 0)


@click.command()
@click.argument("query")
@click.option(
    "--top-k",
    type=click.IntRange(1, 100),
    default=10,
    show_default=True,
    help="Number of passages to show.",
)
@in_option
@document_option
@json_option
@data_option
def search(
    query: str,
    *,
    top_k: int,
    tags: tuple[str, ...],
    documents: tuple[str, ...],
    as_json: bool,
    data: Path | None,
) -> None:
    """Show the passages that QUERY retrieves, with scores."""
    from qa.interfaces.plaintext.answers import printable, search_table

    with _pipeline(settings_of(data)) as (pipeline, _, note):
        chosen = pipeline.documents_called(documents) or None
        passages = pipeline.search(query, top_k=top_k, documents=chosen, tags=tags or None)
        understood = pipeline.understood(query, documents=chosen, tags=tags or None)
    if as_json:
        echo_json([asdict(passage) for passage in passages])
        return
    if understood != query.strip():
        click.echo(f"Understood as: {printable(understood)}\n")
    click.echo(search_table(passages, terminal_width()))
    _echo_notes(note)


def _echo_notes(notes: Sequence[str]) -> None:
    for note in notes:
        echo_line(f"note: {note}", err=True)


def _echo_answer(answer: Answer, *, as_json: bool) -> None:
    from qa.interfaces.plaintext.answers import answer_text

    if as_json:
        echo_json(answer.to_dict())
    else:
        click.echo(answer_text(answer, bold, terminal_width()))


def _write_bundle(
    path: Path,
    answer: Answer,
    pipeline: Pipeline,
    settings: Settings,
    *,
    tags: Sequence[str] | None,
    with_sources: bool,
) -> None:
    """Write the audit bundle, with a note for each source that it lacks."""
    from qa.verification.audit_bundle import bundle_of

    bundle, missing = bundle_of(answer, pipeline, settings, tags=tags, with_sources=with_sources)
    path.write_bytes(bundle.to_bytes())
    for uri in missing:
        echo_line(
            f"note: {uri} has changed since it was indexed: its bytes are not in the bundle",
            err=True,
        )


def _note_refusal(settings: Settings, answer: Answer, *, of_sample: bool) -> None:
    """Keep a refused question for `qa gaps`, where the setting says so and one's own were asked.

    Where nothing can be written, a note says so.
    """
    if of_sample:
        return
    from index.errors import IndexingError
    from qa.bootstrap import note_refusal

    try:
        note_refusal(settings, answer)
    except IndexingError as error:
        click.echo(f"note: the question is not kept for `qa gaps`: {error}", err=True)


def _read_question() -> str:
    """Return the question on standard input.

    Invalid bytes become lone surrogates, as in an argument of the command, and the pipeline refuses
    such a question.
    """
    if sys.stdin is None:
        raise click.UsageError(
            "expected the question on standard input, because QUESTION is `-`, but it is closed"
        )
    return sys.stdin.buffer.read().decode(sys.stdin.encoding, "surrogateescape")


@contextmanager
def own_or_sample(settings: Settings) -> Iterator[tuple[Settings, tuple[str, ...]]]:
    """Yield the settings, or those of the sample while nothing is indexed, and a note on it.

    The sample lies in a temporary folder, which is deleted at the end of the block.
    """
    from qa.library.documents import has_index
    from qa.library.sample import NOTE, sample_settings

    if has_index(settings):
        yield settings, ()
        return
    with sample_settings(settings, encoder_of(settings)) as sample:
        # Without a sample the command fails as on any empty data directory.
        yield (settings, ()) if sample is None else (sample, (NOTE,))


@contextmanager
def _pipeline(settings: Settings) -> Iterator[tuple[Pipeline, Settings, tuple[str, ...]]]:
    """Yield the pipeline of the data directory or of the sample, its settings, and a note."""
    from qa.answering.retrieval.source_freshness import FileHashes
    from qa.bootstrap import load_pipeline

    with own_or_sample(settings) as (used, note):
        pipeline = load_pipeline(used, encoder_of(used), reader_of(used), hashes=FileHashes())
        with closing(pipeline.snapshot):
            yield pipeline, used, note
