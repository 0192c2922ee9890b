"""file -> Document. Text and Markdown are decoded here, newlines folded here and nowhere else;
other formats are extracted (`index.formats`).

A text format is one entry of `LOADERS`: the suffix and the function that finds the structure of the
decoded text.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Mapping
from pathlib import Path

import regex

from index.document import NOWHERE, Document, SourceBytes
from index.errors import EmptyFile, FileTooLarge, UnreadableFile, UnsupportedFormat
from index.formats.detection import SUFFIXES, Kind, kind_of
from index.formats.text_builder import ExtractedText
from index.parsing.sandbox import extract_once
from index.text.blocks import Structure, markdown_structure, plain_structure
from index.text.encoding import decode
from index.text.language import detect_language
from index.text.metadata import day_in

MAX_FILE_BYTES = 64 * 1024 * 1024
"""Files above this are skipped: a text of this size is 15,000 pages, and reading it needs about ten
times its size in memory.
"""
TITLE_LENGTH = 60
"""Longest title made of first words, in characters: what fits on one line beside a file name."""

LOADERS: Mapping[str, Callable[[str], Structure]] = {
    ".txt": plain_structure,
    ".text": plain_structure,
    ".md": markdown_structure,
    ".markdown": markdown_structure,
}
SUPPORTED = frozenset(LOADERS) | frozenset(SUFFIXES)
"""Suffixes of files that are read, in lower case."""


Extract = Callable[[Kind, bytes], ExtractedText]


def load(
    path: Path,
    root: Path,
    *,
    max_bytes: int = MAX_FILE_BYTES,
    known: tuple[str, str | None] | None = None,
    extract: Extract = extract_once,
) -> Document | None:
    """Read one file as a document whose `uri` is relative to `root`, or None if its sha256 and
    extractor are those that are `known` already.

    Raises LoadingError, whose messages follow on the file's name.
    """
    structure_of = loader_for(path)
    data = read_bytes(path, max_bytes)
    kind = kind_of(path.suffix.lower(), data)
    sha256, extractor = hashlib.sha256(data).hexdigest(), kind.extractor if kind else None
    if (sha256, extractor) == known:
        return None
    found = extract(kind, data) if kind else _text(data, structure_of)
    return Document(
        id=document_id(path),
        uri=relative_uri(path, root),
        title=found.title
        or (shown(path.stem) if kind and kind.is_table else first_words(found.text)),
        title_is_real=found.title is not None,
        text=found.text,
        blocks=found.blocks,
        source=SourceBytes(
            sha256, len(data), found.encoding, found.bom_size, found.crlf, extractor
        ),
        language=detect_language(found.text),
        date=found.date or day_in(path.name),
        places=found.places,
        tags=found.tags,
        remark=found.remark,
    )


def _text(data: bytes, structure_of: Callable[[str], Structure]) -> ExtractedText:
    """A text file, whose characters keep their bytes."""
    decoded = decode(data)
    text, crlf = fold_newlines(decoded.text)
    if not text.strip():
        raise EmptyFile(f"holds no text ({len(data)} bytes)")
    structure = structure_of(text)
    named, mapped = (
        (structure.blocks, structure.title, structure.date),
        (decoded.encoding, decoded.bom_size, crlf),
    )
    remark = (
        "" if decoded.encoding.startswith("utf") else f"is not UTF-8, read as {decoded.encoding}"
    )
    return ExtractedText(text, *named, NOWHERE, *mapped, structure.tags, remark)


def loader_for(path: Path) -> Callable[[str], Structure]:
    """What finds the structure of a file that is text, by its name; raises UnsupportedFormat."""
    suffix = path.suffix.lower()
    if suffix not in SUPPORTED:
        raise UnsupportedFormat(
            f"expected one of {', '.join(sorted(SUPPORTED))}, got {path.suffix or 'no suffix'!r}"
        )
    return LOADERS.get(suffix, plain_structure)


def document_id(path: Path) -> str:
    """16 hexadecimal digits that stay the same as long as the file stays at this absolute path."""
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:16]


def relative_uri(path: Path, root: Path) -> str:
    """The path below `root` with forward slashes; bytes that are no text become escapes."""
    return shown(path.relative_to(root).as_posix())


def shown(name: str) -> str:
    """A file name as text that can be printed and stored: bytes that are no text become escapes."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def read_bytes(path: Path, max_bytes: int) -> bytes:
    """The bytes of a regular file. Raises UnreadableFile or FileTooLarge; never blocks on a pipe or
    a device.
    """
    try:
        with open(path, "rb", opener=_without_waiting) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise UnreadableFile("is not a regular file")
            data = file.read(max_bytes + 1)
    except OSError as error:
        raise UnreadableFile(f"cannot be read: {error.strerror or error}") from error
    if len(data) > max_bytes:
        raise FileTooLarge(
            f"has {max(status.st_size, len(data)):,} bytes, the limit is {max_bytes:,}: split it, or raise QUOTED_MAX_FILE_BYTES"
        )
    return data


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def fold_newlines(text: str) -> tuple[str, tuple[int, ...]]:
    """Make CRLF and CR one LF; also returns the offsets, in the folded text, of those that were
    CRLF.
    """
    if "\r" not in text:
        return text, ()
    parts = text.split("\r\n")
    crlf, at = [], 0
    for part in parts[:-1]:
        at += len(part)
        crlf.append(at)
        at += 1
    return "\n".join(parts).replace("\r", "\n"), tuple(crlf)


def first_words(text: str) -> str:
    """The first line with words in it, cut at a word; for display, never embedded."""
    line = next((line for line in text.split("\n") if regex.search(r"\w", line)), text)
    words = " ".join(line.split())
    if len(words) <= TITLE_LENGTH:
        return words
    cut = words[: TITLE_LENGTH + 1].rfind(" ")
    whole = words[:cut] if cut > 0 else words[:TITLE_LENGTH]
    return whole.rstrip(" ,;:–—-") + "…"
