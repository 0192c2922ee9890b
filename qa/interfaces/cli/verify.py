"""`qa verify`."""

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
    from qa.settings import Settings
    from qa.verification.audit_bundle import Bundle
    from qa.verification.quote_check import Find

NOT_PROVED = 5
"""Exit code: a quote is not what its source says, or its source cannot be read."""


@click.command()
@click.argument(
    "file", type=click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True)
)
@click.option(
    "--source",
    type=NamedPath(path_type=Path, exists=True),
    help="The file that is quoted, or the folder that was indexed.",
)
@json_option
@data_option
def verify(file: Path, *, source: Path | None, as_json: bool, data: Path | None) -> None:
    """Prove or disprove each quote in FILE: the JSON of an answer (`-`: standard input), or a
    bundle of `qa ask --bundle`.

    The sources are read and extracted again: those in the bundle or of the index, or those below
    --source.

    Exit code 0: all are proved, 5: one is not.
    """
    from qa.interfaces.plaintext.answers import proofs_text
    from qa.verification.audit_bundle import is_bundle, read_bundle
    from qa.verification.quote_check import below, parsed, passages_of, quotes_of, verify

    settings, content = (
        settings_of(data),
        sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes(),
    )
    bundle = read_bundle(content) if is_bundle(content) else None
    quotes = (
        [*quotes_of(bundle.answer), *passages_of(bundle.passages)]
        if bundle
        else quotes_of(parsed(content))
    )
    with ExitStack() as stack:
        find = (
            below(source)
            if source
            else _unpacked(bundle, stack)
            if bundle
            else _indexed(settings, stack)
        )
        proofs = verify(quotes, find, max_bytes=settings.max_file_bytes)
    proved = all(proof.proved for proof in proofs)
    if as_json:
        echo_json({"proved": proved, "proofs": [proof.to_dict() for proof in proofs]})
    else:
        click.echo(proofs_text(proofs, terminal_width()))
    sys.exit(0 if proved else NOT_PROVED)


def _unpacked(bundle: Bundle, stack: ExitStack) -> Find:
    """The sources of a bundle, in a folder that lasts as long as the stack."""
    from qa.verification.audit_bundle import unpack

    return unpack(bundle, Path(stack.enter_context(TemporaryDirectory())))


def _indexed(settings: Settings, stack: ExitStack) -> Find:
    """The files of the index, which is open as long as the stack; raises NoIndex."""
    from qa.library.library import open_snapshot
    from qa.verification.quote_check import in_index

    return in_index(stack.enter_context(closing(open_snapshot(settings))))
