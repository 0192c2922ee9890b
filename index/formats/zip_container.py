"""Zip containers (DOCX, PPTX, XLSX, ODT, EPUB): opened only if what they hold stays within limits,
and XML read without entities.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import IO, Any

from lxml import etree

from index.errors import DamagedFile, EncryptedFile, ExtractionLimit
from index.formats.markup import Element

MAX_ENTRIES = 20_000
"""Files in a container; a book of a thousand chapters with pictures has some thousands."""
MAX_UNPACKED = 512 * 1024 * 1024
"""Bytes of all files of a container; of those that hold text a tenth is much."""
MAX_PART = 128 * 1024 * 1024
"""Bytes of one file that is read."""
_ENCRYPTED = 0x1
_SAFE: dict[str, Any] = {
    "resolve_entities": False,
    "no_network": True,
    "huge_tree": False,
    "remove_comments": True,
    "remove_pis": True,
}


def open_archive(data: bytes, kind: str) -> zipfile.ZipFile:
    """The container; raises DamagedFile, EncryptedFile or ExtractionLimit. `zipfile` never unpacks
    more of a file than its directory says.
    """
    try:
        archive = zipfile.ZipFile(BytesIO(data))
        entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise DamagedFile(
            f"expected {kind}, got a container that cannot be opened ({error}): it may be truncated"
        ) from error
    if any(entry.flag_bits & _ENCRYPTED for entry in entries):
        raise EncryptedFile(f"is {kind} with a password: save it without one")
    unpacked = sum(entry.file_size for entry in entries)
    if len(entries) > MAX_ENTRIES or unpacked > MAX_UNPACKED:
        raise ExtractionLimit(
            f"unpacks to {unpacked:,} bytes in {len(entries):,} files, the limits are {MAX_UNPACKED:,} and {MAX_ENTRIES:,}"
        )
    return archive


def read_part(archive: zipfile.ZipFile, name: str, kind: str) -> bytes:
    """One file of a container; raises DamagedFile or ExtractionLimit."""
    with _part(archive, name, kind) as part:
        return part.read()


def parse_xml(data: bytes, kind: str) -> Element:
    """The tree of an XML part: no entity is expanded, nothing is fetched, depth and sizes are
    limited; raises DamagedFile.
    """
    parser = etree.XMLParser(load_dtd=False, **_SAFE)
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise _malformed(kind, error) from error
    declared: Any = root.getroottree().docinfo.internalDTD  # not in lxml's stubs
    if declared is not None and any(True for _ in declared.iterentities()):
        raise DamagedFile(
            f"expected {kind}, got XML that declares entities, which are never expanded"
        )
    return root


def elements(archive: zipfile.ZipFile, name: str, tag: str, kind: str) -> Iterator[Element]:
    """The elements of a tag in an XML part, one after the other, each gone when the next is asked
    for, so that the part is never whole in memory; as safe as `parse_xml`, whose errors it raises,
    and those of `read_part`.
    """
    with _part(archive, name, kind) as part:
        try:
            for _, element in etree.iterparse(part, tag=tag, **_SAFE):
                yield element
                element.clear()
                while element.getprevious() is not None:
                    del element.getparent()[0]
        except etree.XMLSyntaxError as error:
            raise _malformed(kind, error) from error


@contextmanager
def _part(archive: zipfile.ZipFile, name: str, kind: str) -> Iterator[IO[bytes]]:
    try:
        if archive.getinfo(name).file_size > MAX_PART:
            raise ExtractionLimit(f"has a part {name} of more than {MAX_PART:,} bytes: split it")
        with archive.open(name) as part:
            yield part
    except (
        KeyError,
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        OSError,
        NotImplementedError,
    ) as error:
        raise DamagedFile(
            f"expected {kind}, got a container whose part {name} is missing or damaged"
        ) from error


def _malformed(kind: str, error: etree.XMLSyntaxError) -> DamagedFile:
    return DamagedFile(f"expected {kind}, got a part that is no well-formed XML ({error.msg})")
