"""Which format a file has: by its suffix and by what its bytes begin with. Imports no parser, so
that any process may ask.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from io import BytesIO

from index.errors import BinaryFile, EncryptedFile
from index.formats.ocr import tesseract_version

RECIPE = 4
"""Raised when a module of `index.formats` would extract the same bytes to another text."""


@dataclass(frozen=True)
class Kind:
    """A format: its name, the suffixes of its files, the distributions whose versions its text
    depends on, whether it holds tables alone, whose first words are no title, and whether it may
    hold images of text instead of text.
    """

    name: str
    suffixes: tuple[str, ...]
    libraries: tuple[str, ...] = ()
    is_table: bool = False
    is_scannable: bool = False

    @cached_property
    def extractor(self) -> str:
        """Name and version of what makes the text, like "pdf/1 pypdfium2/5.0.0": with the same
        bytes it gives the same text.
        """
        used = [
            f"{self.name}/{RECIPE}",
            *(f"{library}/{version(library)}" for library in self.libraries),
        ]
        recogniser = tesseract_version() if self.is_scannable else None
        return " ".join([*used, f"tesseract/{recogniser}"] if recogniser else used)


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
            is_table=True,
        ),
        Kind("csv", (".csv", ".tsv"), is_table=True),
        Kind("html", (".html", ".htm", ".xhtml"), ("lxml",)),
        Kind("epub", (".epub",), ("lxml",)),
        Kind("odt", (".odt", ".ott"), ("lxml",)),
        Kind("rtf", (".rtf",), ("striprtf",)),
        Kind(
            "eml",
            (".eml",),
            ("lxml", "pypdfium2", "python-docx", "python-pptx", "python-calamine", "striprtf"),
        ),
    )
}
TEXTS = (".txt", ".text", ".md", ".markdown")
"""Suffixes of files whose bytes are their text."""
SUFFIXES = {suffix: kind for kind in KINDS.values() for suffix in kind.suffixes}

_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
"""Old Office files, and new ones with a password."""
_MEMBERS = (("word/", "docx"), ("ppt/", "pptx"), ("xl/", "sheet"))
_TYPES = {
    b"application/epub+zip": "epub",
    b"application/vnd.oasis.opendocument.text": "odt",
    b"application/vnd.oasis.opendocument.text-template": "odt",
    b"application/vnd.oasis.opendocument.spreadsheet": "sheet",
}


def is_latest(extractor: str | None) -> bool:
    """Whether a text would be made by this very extractor now, or is that of a file that needs
    none.
    """
    kind = KINDS.get(extractor.partition("/")[0]) if extractor else None
    return extractor is None or (kind is not None and kind.extractor == extractor)


def kind_of(suffix: str, data: bytes) -> Kind | None:
    """The format of a file's bytes, None for text; `suffix` in lower case. Raises BinaryFile or
    EncryptedFile.

    Bytes that say what they are outweigh the name; where they do not, the name decides.
    """
    named = SUFFIXES.get(suffix)
    if data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"%PDF-"):
        return KINDS["pdf"]
    if data.startswith(b"PK\x03\x04"):
        return _container(named, data)
    if data.startswith(_OLE):
        return _compound(named, data)
    if named is not None and named.name in {"docx", "pptx", "rtf", "pdf", "epub", "odt", "sheet"}:
        return _text_named_otherwise(named, data)
    return named


def _container(named: Kind | None, data: bytes) -> Kind:
    """What kind of zip file: by its declared type or by the names of its parts."""
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            names = archive.namelist()
            info = archive.getinfo("mimetype") if "mimetype" in names else None
            declared = archive.read(info).strip() if info and info.file_size < 200 else b""
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError, EOFError):
        names, declared = [], b""
    found = _TYPES.get(declared) or next(
        (name for start, name in _MEMBERS if any(each.startswith(start) for each in names)), None
    )
    if found:
        return KINDS[found]
    if named is not None:
        return named  # damaged, which its own reader can say best
    raise BinaryFile("expected text, got a zip archive: unpack it and index the folder")


def _compound(named: Kind | None, data: bytes) -> Kind:
    if "EncryptedPackage".encode("utf-16-le") in data:
        raise EncryptedFile("is an Office file with a password: save it without one")
    if "Workbook".encode("utf-16-le") in data:
        return KINDS["sheet"]
    old = "" if named is None else f" under the name of {named.suffixes[0]}"
    raise BinaryFile(
        f"is an old Office file (97 to 2003){old}: open it and save it in the present format"
    )


def _text_named_otherwise(named: Kind, data: bytes) -> Kind:
    """Bytes without the mark of their format: a web page or a rich text that was saved under
    another name, else what the name says.
    """
    start = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<!doctype html", b"<html")):
        return KINDS["html"]
    return KINDS["rtf"] if start.startswith(b"{\\rtf") else named
