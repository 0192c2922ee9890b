"""Detection of a file's format by its suffix and its first bytes.

Imports no parser, so that any process may use it.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from io import BytesIO

import regex

from index.errors import BinaryFile, EncryptedFile
from index.formats.legacy_office import converter
from index.formats.ocr import tesseract_version
from index.text.text_formats import structure_of_name

RECIPE = 8
"""Version of the extraction; raise it when the same bytes would give another text."""


@dataclass(frozen=True)
class Kind:
    """A file format.

    `libraries` are the distributions whose versions its text depends on. `is_table`: the format
    holds only tables, whose first words are no title. `is_scannable`: a file may hold images of
    text instead of text.
    """

    name: str
    suffixes: tuple[str, ...]
    libraries: tuple[str, ...] = ()
    revision: int = 0
    """Counts the changes of this format's text since `RECIPE` changed last."""
    is_table: bool = False
    is_scannable: bool = False

    @cached_property
    def extractor(self) -> str:
        """Name and version of the extractor, like "pdf/1 pypdfium2/5.0.0".

        The same extractor makes the same text of the same bytes.
        """
        revision = f".{self.revision}" if self.revision else ""
        parts = [f"{self.name}/{RECIPE}{revision}"]
        parts += [f"{library}/{version(library)}" for library in self.libraries]
        recogniser = tesseract_version() if self.is_scannable else None
        if recogniser:
            parts.append(f"tesseract/{recogniser}")
        return " ".join(parts)


_OF_MAILS = (
    "lxml",
    "pypdfium2",
    "python-docx",
    "python-pptx",
    "python-calamine",
    "striprtf",
)
"""Distributions that read mails and their attachments."""
KINDS = {
    kind.name: kind
    for kind in (
        Kind("pdf", (".pdf",), ("pypdfium2",), is_scannable=True),
        Kind("docx", (".docx", ".docm", ".dotx"), ("python-docx", "lxml")),
        Kind("pptx", (".pptx", ".pptm", ".ppsx"), ("python-pptx", "lxml")),
        Kind(
            "sheet",
            (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"),
            ("python-calamine",),
            revision=2,
            is_table=True,
        ),
        Kind("csv", (".csv", ".tsv"), ("clevercsv",), is_table=True),
        Kind("html", (".html", ".htm", ".xhtml"), ("lxml", "tinycss2", "cssselect")),
        Kind("epub", (".epub",), ("lxml",)),
        Kind("odt", (".odt", ".ott", ".odp", ".otp"), ("lxml",)),
        Kind("rtf", (".rtf",), ("striprtf",)),
        Kind("eml", (".eml",), _OF_MAILS),
        Kind("msg", (".msg",), ("python-oxmsg", "compressed-rtf", *_OF_MAILS)),
        Kind("mbox", (".mbox",), _OF_MAILS),
        Kind("doc", (".doc", ".dot"), ("python-docx", "lxml")),
        Kind("ppt", (".ppt", ".pps"), ("python-pptx", "lxml")),
        Kind("subtitles", (".vtt", ".srt")),
        Kind("notebook", (".ipynb",), ("markdown-it-py",)),
        Kind("xml", (".xml", ".nxml", ".dita", ".dbk"), ("lxml", "python-docx", "python-pptx")),
    )
}
SUFFIXES = {suffix: kind for kind in KINDS.values() for suffix in kind.suffixes}

_OLE_SIGNATURE = bytes.fromhex("d0cf11e0a1b11ae1")
"""First bytes of old Office files, and of new ones with a password."""
_OLD_OFFICE = "an old Office file (97 to 2003)"
_OLE_STREAMS = (
    ("__properties_version1.0", "msg"),
    ("Workbook", "sheet"),
    ("WordDocument", "doc"),
    ("PowerPoint Document", "ppt"),
    ("WORKBOOK", "sheet"),
)
"""Names of streams by which OLE files are told apart."""
_OLD_WORKBOOK = regex.compile(rb"B\0o\0o\0k\0{4}")
"""Name of the stream of a workbook of 1993 to 1995, at the beginning of an entry of 128 bytes."""
_XML_WORKBOOK = b"urn:schemas-microsoft-com:office:spreadsheet"
"""Namespace of a workbook of Excel 2003 in XML."""
_CONVERTED = {"doc", "ppt"}
"""Formats that LibreOffice converts."""
_ZIP_SIGNATURE = b"PK\x03\x04"
_ALWAYS_MARKED = {"docx", "pptx", "rtf", "pdf", "epub", "odt", "sheet", "msg", "doc", "ppt"}
"""Formats whose files begin with a signature."""
_BLANK_START = b"\xef\xbb\xbf \t\r\n"
"""Bytes that may stand before a signature: the byte order mark of UTF-8 and white space."""
_SEARCHED = 1024
"""Bytes in which a signature is looked for."""
_MEMBERS = (("word/", "docx"), ("ppt/", "pptx"), ("xl/", "sheet"))
_MIME_TYPES = {
    b"application/epub+zip": "epub",
    b"application/vnd.oasis.opendocument.text": "odt",
    b"application/vnd.oasis.opendocument.text-template": "odt",
    b"application/vnd.oasis.opendocument.presentation": "odt",
    b"application/vnd.oasis.opendocument.presentation-template": "odt",
    b"application/vnd.oasis.opendocument.spreadsheet": "sheet",
}
_LONGEST_MIME_TYPE = 200


def is_text_name(name: str) -> bool:
    """Return True if the bytes of files of a name are their text."""
    return structure_of_name(name) is not None


def is_latest(extractor: str | None) -> bool:
    """Return True if the same extractor would make the text now.

    None stands for a file that is text and needs no extractor.
    """
    if extractor is None:
        return True
    kind = KINDS.get(extractor.partition("/")[0])
    return kind is not None and kind.extractor == extractor


def kind_of(suffix: str, data: bytes) -> Kind | None:
    """Return the format of a file's bytes, None for text.

    `suffix` is in lower case. A signature in the bytes outweighs the name; without one the name
    decides. Raises BinaryFile or EncryptedFile.
    """
    named = SUFFIXES.get(suffix)
    if data[:_SEARCHED].lstrip(_BLANK_START).startswith(b"%PDF-"):
        return KINDS["pdf"]
    if data.startswith(_ZIP_SIGNATURE):
        return _zip_kind(named, data)
    if data.startswith(_OLE_SIGNATURE):
        return _ole_kind(named, data)
    if named is not None and named.name in _ALWAYS_MARKED:
        return _unmarked_kind(named, data)
    return named


def _zip_kind(named: Kind | None, data: bytes) -> Kind:
    """Return the format of a zip file by its declared type or the names of its members."""
    members, mime_type = _read_directory(data)
    name = _MIME_TYPES.get(mime_type) or _name_by_folder(members)
    if name is not None:
        return KINDS[name]
    if named is not None:
        return named  # damaged: its own extractor gives the best message
    raise BinaryFile("expected text, got a zip archive: unpack it and index the folder")


def _read_directory(data: bytes) -> tuple[list[str], bytes]:
    """Return the names of a zip file's members and the content of its `mimetype` member.

    Both are empty if the file is damaged.
    """
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            members = archive.namelist()
            if "mimetype" not in members:
                return members, b""
            entry = archive.getinfo("mimetype")
            if entry.file_size >= _LONGEST_MIME_TYPE:  # no type; unpacking it could be costly
                return members, b""
            return members, archive.read(entry).strip()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError, EOFError):
        return [], b""


def _name_by_folder(members: list[str]) -> str | None:
    for folder, name in _MEMBERS:
        if any(member.startswith(folder) for member in members):
            return name
    return None


def _ole_kind(named: Kind | None, data: bytes) -> Kind:
    """Return the format of an OLE compound file. Raises EncryptedFile or BinaryFile."""
    if "EncryptedPackage".encode("utf-16-le") in data:
        raise EncryptedFile("is an Office file with a password: save it without one")
    # A message may hold the others as attachments.
    for stream, name in _OLE_STREAMS:
        if stream.encode("utf-16-le") in data:
            kind = KINDS[name]
            break
    else:
        if any(match.start() % 128 == 0 for match in _OLD_WORKBOOK.finditer(data)):
            return KINDS["sheet"]
        raise BinaryFile(f"is {_OLD_OFFICE}: open it and save it in the present format")
    if kind.name in _CONVERTED and converter() is None:
        claimed = "" if named is None else f" with the suffix {named.suffixes[0]}"
        raise BinaryFile(
            f"is {_OLD_OFFICE}{claimed}: install LibreOffice, or open it and save it in the "
            "present format"
        )
    return kind


def _unmarked_kind(named: Kind, data: bytes) -> Kind:
    """Return the format of bytes without the signature of the format that their name claims.

    Web pages, workbooks as XML, and Rich Text are often saved under another suffix.
    """
    start = data[:_SEARCHED].lstrip(_BLANK_START).lower()
    if start.startswith((b"<!doctype html", b"<html")):
        return KINDS["html"]
    if start.startswith(b"{\\rtf"):
        return KINDS["rtf"]
    if start.startswith(b"<?xml") and _XML_WORKBOOK in start:
        return KINDS["xml"]
    return named
