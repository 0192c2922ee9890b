"""Books: the chapters of an EPUB in the order of its spine (zipfile and lxml; ebooklib is AGPL),
each read as XHTML.
"""

from __future__ import annotations

import posixpath
import zipfile
from urllib.parse import unquote

from index.errors import DamagedFile, EncryptedFile
from index.formats.html import decode_page, parse_page
from index.formats.markup import Element, Walk, name_of
from index.formats.text_builder import ExtractedText, TextBuilder
from index.formats.zip_container import open_archive, parse_xml, read_part
from index.text.metadata import day_in

KIND = "an EPUB book"
_CONTAINER = "META-INF/container.xml"
_ENCRYPTION = "META-INF/encryption.xml"
_FONTS = ("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC")
"""Fonts may be obfuscated in a book that can be read."""
_PAGES = {"application/xhtml+xml", "text/html", "application/x-dtbook+xml"}


def extract(data: bytes) -> ExtractedText:
    """The chapters in reading order. Raises LoadingError."""
    archive = open_archive(data, KIND)
    if _ENCRYPTION in archive.namelist() and _is_locked(
        parse_xml(read_part(archive, _ENCRYPTION, KIND), KIND)
    ):
        raise EncryptedFile(
            f"is {KIND} under digital rights management: only its own reading program opens it"
        )
    container = parse_xml(read_part(archive, _CONTAINER, KIND), KIND)
    package_name = next((root.get("full-path") for root in container.iter("{*}rootfile")), None)
    if not package_name:
        raise DamagedFile(f"expected {KIND}, got a container that names no package")
    package = parse_xml(read_part(archive, package_name, KIND), KIND)
    writer = TextBuilder(_meta(package, "title"))
    for name in _spine(package, package_name):
        _chapter(archive, name, writer)
    return writer.finished(date=day_in(_meta(package, "date") or ""))


def _is_locked(encryption: Element) -> bool:
    methods = [each.get("Algorithm") for each in encryption.iter("{*}EncryptionMethod")]
    return any(method not in _FONTS for method in methods)


def _meta(package: Element, name: str) -> str | None:
    return next(
        (found.text for found in package.iter(f"{{http://purl.org/dc/elements/1.1/}}{name}")), None
    )


def _spine(package: Element, package_name: str) -> list[str]:
    """The names of the chapters; the table of contents is none."""
    items = {item.get("id"): item for item in package.iter("{*}item")}
    wanted = [
        items[ref.get("idref")] for ref in package.iter("{*}itemref") if ref.get("idref") in items
    ]
    chapters = [
        item
        for item in wanted
        if item.get("media-type") in _PAGES and "nav" not in (item.get("properties") or "").split()
    ]
    folder = posixpath.dirname(package_name)
    return [
        posixpath.normpath(posixpath.join(folder, unquote(item.get("href") or "")))
        for item in chapters
    ]


def _chapter(archive: zipfile.ZipFile, name: str, writer: TextBuilder) -> None:
    data = read_part(archive, name, KIND)
    try:
        page = parse_xml(data, KIND)
    except DamagedFile:  # named entities of HTML, tags that are not closed: read as browsers do
        page = parse_page(decode_page(data).text)
    body = next((each for each in page.iter() if name_of(each) == "body"), page)
    Walk(writer, _is_contents).element(body)


def _is_contents(element: Element) -> bool:
    return name_of(element) == "nav"
