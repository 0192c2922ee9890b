"""Passages that texts with hard line breaks are cut into: their number, length and cut sentences.

`python benchmarks/passages.py`: manual pages, changelogs and READMEs of this machine (Debian)
`python benchmarks/passages.py FILE_OR_FOLDER...`: other texts (.txt, .text, .md)

A sentence is counted as cut if it ends at a line break in front of a small letter, without a full
stop, or begins behind one. Both trees of a comparison must read the same files: run it twice, with
PYTHONPATH on either.
"""

from __future__ import annotations

import argparse
import gzip
import os
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import regex

from index.document import Chunk, Document
from index.errors import LoadingError
from index.parsing.loader import load
from index.text.chunking import chunk_document
from qa.bootstrap import load_encoder
from qa.settings import Settings

MANUALS, DOCS = Path("/usr/share/man"), Path("/usr/share/doc")
LONGEST = 300_000
"""Characters that are read of one file."""
LINE = 200
"""Characters before a sentence that are looked at."""
_ENDS_OPEN = regex.compile(r"[\p{L}\p{N},\-‐]")
_GOES_ON = regex.compile(r"[^\S\n]*\n[^\S\n]*\p{Ll}")
_CAME_FROM = regex.compile(r"(?r)[\p{L}\p{N},\-‐][^\S\n]*\n[^\S\n]*")


def evenly(paths: Sequence[Path], number: int) -> list[Path]:
    """Return so many paths, spread over all of them."""
    step = max(1, len(paths) // number)
    return sorted(paths)[::step][:number]


def manual_pages(number: int) -> Iterator[tuple[str, str]]:
    """Yield names and texts of English manual pages, 80 columns wide."""
    pages = [
        path for folder in MANUALS.glob("man[1-8]") for path in folder.iterdir() if path.is_file()
    ]
    for path in evenly(pages, number):
        shown = subprocess.run(
            ["man", "-P", "cat", str(path)],
            env={"MANWIDTH": "80", "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
            capture_output=True,
            check=False,
        )
        plain = subprocess.run(
            ["col", "-b", "-x"], input=shown.stdout, capture_output=True, check=True
        )
        yield path.name, plain.stdout.decode("utf-8", "replace")


def documents_named(pattern: str, number: int) -> Iterator[tuple[str, str]]:
    """Yield names and texts of files under DOCS, unpacked."""
    matches = regex.compile(pattern, regex.IGNORECASE)
    paths = [path for path in DOCS.rglob("*") if path.is_file() and matches.match(path.name)]
    for path in evenly(paths, number):
        data = path.read_bytes()
        if path.suffix == ".gz":
            data = gzip.decompress(data)
        name = f"{path.parent.name}-{path.name.removesuffix('.gz')}"
        yield name, data.decode("utf-8", "replace")


def is_cut(text: str, start: int, end: int) -> bool:
    """Return True if a sentence surely goes on behind [start, end), or began before it."""
    goes_on = _ENDS_OPEN.match(text[end - 1]) and _GOES_ON.match(text, end)
    began_before = text[start].islower() and _CAME_FROM.match(text, max(0, start - LINE), start)
    return bool(goes_on or began_before)


def figures(documents: Sequence[tuple[Document, Sequence[Chunk]]]) -> str:
    """Return passages, mean and median characters, and cut sentences as cells of a table."""
    lengths = sorted(len(chunk.text) for _, chunks in documents for chunk in chunks)
    sentences = [
        is_cut(document.text, start, end)
        for document, chunks in documents
        for chunk in chunks
        for start, end in chunk.sentences
    ]
    cut, mean = sum(sentences) / len(sentences), sum(lengths) / len(lengths)
    median = lengths[len(lengths) // 2]
    return f"{len(documents)} | {len(lengths):,} | {mean:.0f} | {median} | {cut:.3f}"


def read(name: str, text: str, folder: Path) -> Document | None:
    """Return a text as the document that indexing would make of it, None if it is not read."""
    suffix = ".md" if name.endswith((".md", ".markdown")) else ".txt"
    path = folder / f"document{suffix}"
    path.write_text(text[:LONGEST], "utf-8")
    try:
        return load(path, folder)
    except LoadingError:
        return None


def sources(arguments: argparse.Namespace) -> Iterator[tuple[str, Iterator[tuple[str, str]]]]:
    """Yield the kinds of texts with their names and texts."""
    if arguments.paths:
        files = [
            file
            for path in arguments.paths
            for file in (path.rglob("*") if path.is_dir() else [path])
            if file.suffix in {".txt", ".text", ".md"}
        ]
        yield "files", ((file.name, file.read_text("utf-8", "replace")) for file in sorted(files))
        return
    yield "manual pages", manual_pages(arguments.number)
    yield "changelogs", documents_named(r"changelog.*|news.*", arguments.number)
    yield "READMEs", documents_named(r"readme(?!.*\.(html|pdf|js)).*", arguments.number)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("paths", nargs="*", type=Path)
    parser.add_argument("--number", type=int, default=100, help="files of each kind")
    arguments = parser.parse_args()
    encoder = load_encoder(Settings.load(os.environ))
    print("texts | files | passages | mean characters | median | sentences cut")
    print("---|---|---|---|---|---")
    with tempfile.TemporaryDirectory() as folder:
        for kind, texts in sources(arguments):
            read_texts = (read(name, text, Path(folder)) for name, text in texts)
            documents = [
                (document, chunk_document(document, encoder))
                for document in read_texts
                if document is not None
            ]
            print(f"{kind} | {figures(documents)}", flush=True)


if __name__ == "__main__":
    main()
