"""Command `qa verify`."""

from __future__ import annotations

import sys
from contextlib import ExitStack, closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from qa.interfaces.cli.options import (
    NamedPath,
    data_option,
    echo_json,
    json_option,
    settings_of,
    terminal_width,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qa.settings import Settings
    from qa.verification.audit_bundle import Bundle
    from qa.verification.quote_check import Find, ParsedQuote

NOT_PROVED = 5
"""Exit code: a source does not say what is quoted, or cannot be read."""


@click.command()
@click.argument(
    "file", type=click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True)
)
@click.option(
    "--source",
    type=NamedPath(path_type=Path, exists=True),
    help="Look for the quoted files here: the file itself, or the folder that was indexed.",
)
@json_option
@data_option
def verify(file: Path, *, source: Path | None, as_json: bool, data: Path | None) -> None:
    """Prove or disprove each quote in FILE.

    FILE is the JSON of an answer, or a bundle of `qa ask --bundle`; `-` is standard input.

    The sources are read and parsed again: those below --source if it is given, else those in the
    bundle, else the indexed files.

    Exit codes: 0 all quotes are proved, 5 at least one is not.
    """
    from qa.interfaces.plaintext.answers import proofs_text
    from qa.verification.audit_bundle import is_bundle, read_bundle
    from qa.verification.quote_check import below, parsed, quotes_of, verify

    settings = settings_of(data)
    content = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    bundle = read_bundle(content) if is_bundle(content) else None
    quotes = _quotes_in_bundle(bundle) if bundle else quotes_of(parsed(content))
    # A folder given by hand comes first: it may hold what neither bundle nor index has.
    with ExitStack() as stack:
        if source is not None:
            find = below(source)
        elif bundle is not None:
            find = _find_in_bundle(bundle, stack)
        else:
            find = _find_in_index(settings, stack)
        proofs = verify(quotes, find, max_bytes=settings.max_file_bytes)
    proved = all(proof.proved for proof in proofs)
    if as_json:
        echo_json({"proved": proved, "proofs": [proof.to_dict() for proof in proofs]})
    else:
        click.echo(proofs_text(proofs, terminal_width()))
    sys.exit(0 if proved else NOT_PROVED)


def _quotes_in_bundle(bundle: Bundle) -> Sequence[ParsedQuote]:
    """Return the quotes of the answer and of the retrieved passages."""
    from qa.verification.quote_check import passages_of, quotes_of

    return [*quotes_of(bundle.answer), *passages_of(bundle.passages)]


def _find_in_bundle(bundle: Bundle, stack: ExitStack) -> Find:
    """Return a lookup of the sources in a bundle.

    They are unpacked into a folder that is deleted when the stack is closed.
    """
    from qa.verification.audit_bundle import unpack

    return unpack(bundle, Path(stack.enter_context(TemporaryDirectory())))


def _find_in_index(settings: Settings, stack: ExitStack) -> Find:
    """Return a lookup of the indexed files; the index is closed with the stack.

    Raises NoIndex if nothing is indexed.
    """
    from qa.library.documents import open_snapshot
    from qa.verification.quote_check import in_index

    snapshot = stack.enter_context(closing(open_snapshot(settings)))
    return stack.enter_context(in_index(snapshot))
