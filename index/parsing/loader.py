"""Loading of one file as a `Document`.

Text and Markdown are decoded here, and their newlines are folded here and nowhere else. Other
formats are extracted (`index.formats`). `index.text.text_formats` lists the text formats and the
functions that find the structure of the decoded text.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import Self

import regex

from index.document import Document, SourceBytes
from index.errors import EmptyFile, FileTooLarge, UnreadableFile, UnsupportedFormat
from index.formats.detection import SUFFIXES, Kind, kind_of
from index.formats.text_builder import ExtractedText
from index.parsing.sandbox import extract_once
from index.text.dates import document_date
from index.text.encoding import decode
from index.text.language import detect_language
from index.text.plain_text import plain_structure
from index.text.text_formats import StructureOf, structure_of_name
from index.text.unseen import joined_remarks, zero_width_remark, zero_width_words

MAX_FILE_BYTES = 64 * 1024 * 1024
"""Size limit of a file.

A text of this size is 15,000 pages, and reading it needs about ten times its size in memory.
"""
TITLE_LENGTH = 60
"""Longest title made of first words, in characters: what fits on one line beside a file name."""

_MAILS = frozenset({"eml", "msg", "mbox"})
"""Formats whose date is a written one."""

Extract = Callable[[Kind, bytes], ExtractedText]
"""Extracts the text of a file's bytes. Raises LoadingError."""


@dataclass(frozen=True, slots=True)
class FileContent:
    """Bytes of a file with what the text that they hold depends on; `kind` is None for text."""

    data: bytes
    sha256: str
    kind: Kind | None

    @classmethod
    def of(cls, path: Path, data: bytes) -> Self:
        """Return the content of a file of this name. Raises LoadingError."""
        kind = kind_of(path.suffix.lower(), data)
        return cls(data, hashlib.sha256(data).hexdigest(), kind)

    @property
    def version(self) -> tuple[str, str | None]:
        """Sha256 and extractor: files that are equal in both have the same text."""
        return self.sha256, self.kind.extractor if self.kind else None


def load(
    path: Path,
    root: Path,
    *,
    max_bytes: int = MAX_FILE_BYTES,
    known: tuple[str, str | None] | None = None,
    extract: Extract = extract_once,
) -> Document | None:
    """Return one file as a document, with a `uri` relative to `root`.

    None if the file's sha256 and extractor equal `known`: its text would be the same. Raises
    LoadingError; its messages continue a sentence that begins with the file's name.
    """
    content = read_content(path, max_bytes)
    return None if content.version == known else parse(content, path, root, extract=extract)


def read_content(path: Path, max_bytes: int = MAX_FILE_BYTES) -> FileContent:
    """Return the content of a file of a format that is read. Raises LoadingError."""
    loader_for(path)
    return FileContent.of(path, read_bytes(path, max_bytes))


def parse(
    content: FileContent, path: Path, root: Path, *, extract: Extract = extract_once
) -> Document:
    """Return the document that a file's bytes hold; the file itself is not looked at.

    Raises LoadingError.
    """
    kind, (sha256, extractor) = content.kind, content.version
    extracted = extract(kind, content.data) if kind else _read_text(content.data, loader_for(path))
    source = SourceBytes(
        sha256=sha256,
        size=len(content.data),
        encoding=extracted.encoding,
        bom_size=extracted.bom_size,
        crlf=extracted.crlf,
        extractor=extractor,
    )
    uri = relative_uri(path, root)
    main = _document_of(extracted, path, uri, kind, source)
    parts = tuple(_document_of(each, path, uri, kind, source) for each in extracted.parts)
    return replace(main, parts=parts).named(document_id(path), uri)


def _document_of(
    extracted: ExtractedText, path: Path, uri: str, kind: Kind | None, source: SourceBytes
) -> Document:
    """Return a text of a file as a document, which has no id yet."""
    # Front matter and the head of a mail are the author's words; other properties are the file's.
    is_written = kind is None or kind.name in _MAILS
    dated = document_date(
        extracted.text,
        uri,
        title=extracted.title,
        named=extracted.date if is_written else None,
        of_file=None if is_written else extracted.date,
    )
    return Document(
        id="",
        uri=uri,
        title=extracted.title or _substitute_title(path, kind, extracted),
        title_is_real=extracted.title is not None,
        text=extracted.text,
        blocks=extracted.blocks,
        source=source,
        language=detect_language(extracted.text),
        date=dated.value if dated else None,
        date_source=dated.source if dated else None,
        places=extracted.places,
        tags=extracted.tags,
        remark=extracted.remark,
        pages=extracted.pages,
        part=extracted.part,
    )


def _read_text(data: bytes, structure_of: StructureOf) -> ExtractedText:
    """Return a text file, whose characters keep their bytes. Raises EmptyFile or BinaryFile."""
    decoded = decode(data)
    text, crlf = fold_newlines(decoded.text)
    if not text.strip():
        raise EmptyFile(f"holds no text ({len(data)} bytes)")
    structure = structure_of(text)
    is_unicode = decoded.encoding.startswith("utf")
    return ExtractedText(
        text=text,
        blocks=structure.blocks,
        title=structure.title,
        date=structure.date,
        encoding=decoded.encoding,
        bom_size=decoded.bom_size,
        crlf=crlf,
        tags=structure.tags,
        remark=joined_remarks(
            "" if is_unicode else f"is not UTF-8, read as {decoded.encoding}",
            zero_width_remark(zero_width_words(text)),
        ),
    )


def _substitute_title(path: Path, kind: Kind | None, extracted: ExtractedText) -> str:
    """Return a title to display for a document whose author gave it none."""
    # The first words are names: those of the columns, or of the documents inside.
    if extracted.parts or (kind is not None and kind.is_table):
        return shown(path.stem)
    return first_words(extracted.text)


def is_supported(path: PurePath) -> bool:
    """Return True if files of this name are read."""
    return path.suffix.lower() in SUFFIXES or structure_of_name(path.name) is not None


def loader_for(path: Path) -> StructureOf:
    """Return the function that finds the structure of a file, should it be text.

    Raises UnsupportedFormat if files of this name are not read.
    """
    structure_of = structure_of_name(path.name)
    if structure_of is not None:
        return structure_of
    if path.suffix.lower() not in SUFFIXES:
        raise UnsupportedFormat(
            f"has a format that is not read ({path.suffix or 'no suffix'}): "
            "docs/formats.md lists those that are"
        )
    # The bytes may turn out to be text although the suffix names another format.
    return plain_structure


def document_id(path: Path) -> str:
    """Return 16 hexadecimal digits that depend on the file's absolute path alone."""
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:16]


def relative_uri(path: Path, root: Path) -> str:
    """Return the path below `root` with forward slashes, printable as `shown` makes it."""
    return shown(path.relative_to(root).as_posix())


def shown(name: str) -> str:
    """Return a file name as text that can be printed and stored.

    Bytes of the name that are no text become escapes.
    """
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def read_bytes(path: Path, max_bytes: int) -> bytes:
    """Return the bytes of a regular file.

    Never blocks on a pipe or a device. Raises UnreadableFile or FileTooLarge.
    """
    try:
        with open(path, "rb", opener=_open_nonblocking) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise UnreadableFile("is not a regular file")
            # One byte more than allowed: the file may have grown since its size was read.
            data = file.read(max_bytes + 1)
    except OSError as error:
        raise UnreadableFile(f"cannot be read: {error.strerror or error}") from error
    if len(data) > max_bytes:
        raise FileTooLarge(
            f"has {max(status.st_size, len(data)):,} bytes, the limit is {max_bytes:,}: "
            "split it, or raise QUOTED_MAX_FILE_BYTES"
        )
    return data


def _open_nonblocking(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def fold_newlines(text: str) -> tuple[str, tuple[int, ...]]:
    """Return a text with CRLF and CR made LF, and the offsets that were CRLF.

    The offsets are in the folded text, in ascending order.
    """
    if "\r" not in text:
        return text, ()
    parts = text.split("\r\n")
    crlf, offset = [], 0
    for part in parts[:-1]:
        offset += len(part)
        crlf.append(offset)
        offset += 1  # the line feed itself
    return "\n".join(parts).replace("\r", "\n"), tuple(crlf)


def first_words(text: str) -> str:
    """Return the first line with words in it, cut at a word.

    At most `TITLE_LENGTH` characters and an ellipsis; for display, never embedded.
    """
    line = next((line for line in text.split("\n") if regex.search(r"\w", line)), text)
    words = " ".join(line.split())
    if len(words) <= TITLE_LENGTH:
        return words
    last_space = words[: TITLE_LENGTH + 1].rfind(" ")
    cut = last_space if last_space > 0 else TITLE_LENGTH
    return words[:cut].rstrip(" ,;:–—-") + "…"
