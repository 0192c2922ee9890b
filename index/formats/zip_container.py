"""Safe access to zip containers (DOCX, PPTX, XLSX, ODT, EPUB) and their XML parts.

A container is opened only if its contents stay within limits. XML is parsed without expanding
entities.
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
"""Bit of a zip entry's general purpose flags."""
_SAFE_PARSER: dict[str, Any] = {
    "resolve_entities": False,
    "no_network": True,
    "huge_tree": False,
    "remove_comments": True,
    "remove_pis": True,
}
"""Options of lxml's parsers for untrusted files."""


def open_archive(data: bytes, kind: str) -> zipfile.ZipFile:
    """Open a container after checking its sizes.

    `kind` names the expected format in messages. Raises DamagedFile, EncryptedFile or
    ExtractionLimit. The check of the directory is enough: `zipfile` never unpacks more of a file
    than its directory says.
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
            f"unpacks to {unpacked:,} bytes in {len(entries):,} files, "
            f"the limits are {MAX_UNPACKED:,} and {MAX_ENTRIES:,}: split it"
        )
    return archive


def read_part(archive: zipfile.ZipFile, name: str, kind: str) -> bytes:
    """Return the bytes of one file of a container.

    Raises DamagedFile if it is missing or broken, ExtractionLimit if it is too large.
    """
    with _open_part(archive, name, kind) as part:
        return part.read()


def parse_xml(data: bytes, kind: str) -> Element:
    """Return the root element of an XML part.

    No entity is expanded, nothing is fetched, depth and sizes are limited. Raises DamagedFile if
    the part is not well-formed or declares entities.
    """
    parser = etree.XMLParser(load_dtd=False, **_SAFE_PARSER)
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise _not_well_formed(kind, error) from error
    internal_dtd: Any = root.getroottree().docinfo.internalDTD  # not in lxml's stubs
    if internal_dtd is not None and any(True for _ in internal_dtd.iterentities()):
        raise DamagedFile(
            f"expected {kind}, got XML that declares entities, which are never expanded"
        )
    return root


def iter_elements(
    archive: zipfile.ZipFile, name: str, tag: str | tuple[str, ...], kind: str
) -> Iterator[Element]:
    """Yield the elements of a tag, or of several, in an XML part, one at a time.

    An element is valid only until the next one is requested: it is freed then, so that the part is
    never in memory as a whole. As safe as `parse_xml`; raises what it and `read_part` raise.
    """
    with _open_part(archive, name, kind) as part:
        try:
            for _, element in etree.iterparse(part, tag=tag, **_SAFE_PARSER):
                yield element
                element.clear()
                # The emptied elements would still hang on their parent and grow the tree.
                while element.getprevious() is not None:
                    del element.getparent()[0]
        except etree.XMLSyntaxError as error:
            raise _not_well_formed(kind, error) from error


@contextmanager
def _open_part(archive: zipfile.ZipFile, name: str, kind: str) -> Iterator[IO[bytes]]:
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


def _not_well_formed(kind: str, error: etree.XMLSyntaxError) -> DamagedFile:
    return DamagedFile(
        f"expected {kind}, got a part that is not well-formed XML ({error.msg}): "
        "open and save it again"
    )
