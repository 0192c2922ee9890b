"""EPUB books (zipfile and lxml; ebooklib is AGPL): the chapters in the order of the spine."""

from __future__ import annotations

import posixpath
import zipfile
from urllib.parse import unquote

from index.errors import BinaryFile, DamagedFile, EncryptedFile, ExtractionLimit
from index.formats.html import decode_page, parse_page
from index.formats.markup import Element, MarkupWriter, name_of
from index.formats.page_styles import drop_unseen
from index.formats.text_builder import ExtractedText, TextBuilder
from index.formats.zip_container import open_archive, parse_xml, read_part
from index.text.metadata import day_in
from index.wording import listed

KIND = "an EPUB book"
_CONTAINER = "META-INF/container.xml"
_ENCRYPTION = "META-INF/encryption.xml"
_XHTML = "{http://www.w3.org/1999/xhtml}"
_DC = "{http://purl.org/dc/elements/1.1/}"
_FONT_ALGORITHMS = ("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC")
"""Obfuscation of fonts, which a book that can be read may use."""
_PAGE_TYPES = {"application/xhtml+xml", "text/html", "application/x-dtbook+xml"}


def extract(data: bytes) -> ExtractedText:
    """Return the chapters in reading order. Raises LoadingError."""
    archive = open_archive(data, KIND)
    if _is_encrypted(archive):
        raise EncryptedFile(
            f"is {KIND} under digital rights management: only its own reading program opens it"
        )
    package_name = _package_name(archive)
    package = parse_xml(read_part(archive, package_name, KIND), KIND)
    builder = TextBuilder(_metadata(package, "title"))
    unread: list[str] = []
    for name in _chapter_names(package, package_name):
        try:
            _write_chapter(archive, name, builder)
        except (DamagedFile, BinaryFile, ExtractionLimit):
            # One broken chapter must not cost the book.
            unread.append(posixpath.basename(name))
    if unread and not builder.length:
        raise DamagedFile(f"expected {KIND}, got one whose chapters are missing or damaged")
    remark = f"has chapters that are missing or damaged: {listed(unread)}" if unread else ""
    return builder.build(date=day_in(_metadata(package, "date") or ""), remark=remark)


def _is_encrypted(archive: zipfile.ZipFile) -> bool:
    """Return True if more than the fonts of a book is encrypted."""
    if _ENCRYPTION not in archive.namelist():
        return False
    encryption = parse_xml(read_part(archive, _ENCRYPTION, KIND), KIND)
    methods = [method.get("Algorithm") for method in encryption.iter("{*}EncryptionMethod")]
    return any(method not in _FONT_ALGORITHMS for method in methods)


def _package_name(archive: zipfile.ZipFile) -> str:
    """Return the name of the package document, which lists the chapters. Raises DamagedFile."""
    container = parse_xml(read_part(archive, _CONTAINER, KIND), KIND)
    name = next((root.get("full-path") for root in container.iter("{*}rootfile")), None)
    if not name:
        raise DamagedFile(f"expected {KIND}, got a container that names no package")
    return name


def _metadata(package: Element, name: str) -> str | None:
    return next((element.text for element in package.iter(f"{_DC}{name}")), None)


def _chapter_names(package: Element, package_name: str) -> list[str]:
    """Return the names of the parts that hold chapters, in the order of the spine."""
    items = {item.get("id"): item for item in package.iter("{*}item")}
    references = [reference.get("idref") for reference in package.iter("{*}itemref")]
    spine = [items[reference] for reference in references if reference in items]
    # Hyperlinks in the package are relative to its own folder.
    folder = posixpath.dirname(package_name)
    return [
        posixpath.normpath(posixpath.join(folder, unquote(item.get("href") or "")))
        for item in spine
        if _is_chapter(item)
    ]


def _is_chapter(item: Element) -> bool:
    """Return True for a page that is not the table of contents."""
    properties = (item.get("properties") or "").split()
    return item.get("media-type") in _PAGE_TYPES and "nav" not in properties


def _write_chapter(archive: zipfile.ZipFile, name: str, builder: TextBuilder) -> None:
    data = read_part(archive, name, KIND)
    try:
        page = parse_xml(data, KIND)
    except DamagedFile:  # named entities of HTML, tags that are not closed: read as browsers do
        page = parse_page(decode_page(data).text)
    _without_namespace(page)
    _include_styles(archive, name, page)
    drop_unseen(page)
    body = next((element for element in page.iter() if name_of(element) == "body"), page)
    MarkupWriter(builder, _is_navigation).write(body)


def _without_namespace(page: Element) -> None:
    """Rename the elements of XHTML as those of HTML, by which style sheets name them."""
    for element in page.iter(f"{_XHTML}*"):
        element.tag = str(element.tag).removeprefix(_XHTML)


def _include_styles(archive: zipfile.ZipFile, name: str, page: Element) -> None:
    """Put the style sheets that a chapter links to, which are in the book, in their place."""
    for link in list(page.iter("link")):
        if "stylesheet" not in link.get("rel", "").lower():
            continue
        part = posixpath.join(posixpath.dirname(name), unquote(link.get("href", "")))
        try:
            sheet = read_part(archive, posixpath.normpath(part), KIND)
        except DamagedFile:  # the text can be read without it
            continue
        link.tag = "style"
        link.attrib.clear()
        link.text = sheet.decode("utf-8", "replace")


def _is_navigation(element: Element) -> bool:
    return name_of(element) == "nav"
