"""XML documents and data without a reader of their own (lxml, BSD).

Articles and books mark titles and paragraphs with names that most vocabularies share (JATS,
DocBook, DITA, TEI, XHTML); all else is data, whose elements are names with their values.
"""

from __future__ import annotations

from collections.abc import Sequence

import regex

from index.errors import DamagedFile
from index.formats.html import extract as extract_page
from index.formats.markup import Element, MarkupWriter, inner_text, name_of
from index.formats.text_builder import ExtractedText, TextBuilder
from index.formats.zip_container import parse_xml

KIND = "an XML file"
_PARAGRAPHS = frozenset(
    {"p", "para", "simpara", "abstract-p", "ab", "note", "li", "item", "shortdesc", "quote", "l"}
)
_HEADINGS = frozenset({"title", "article-title", "head", "chapter-title", "book-title"})
_INLINE = frozenset(
    {
        "a", "abbrev", "b", "bold", "code", "emphasis", "em", "ext-link", "fn", "footnote",
        "hi", "i", "italic", "link", "named-content", "phrase", "q", "ref", "sc", "span", "strong",
        "styled-content", "sub", "sup", "term", "tt", "ulink", "underline", "uri", "xref",
    }
)  # fmt: skip
"""Elements inside the text of a paragraph."""
_LEFT_OUT = frozenset({"script", "style", "binary", "bindata"})
_REFERENCES = frozenset({"xref", "contrib-id"})
"""Elements that are no values where they stand alone: they lead to others."""
_GIVEN = ("given-names", "firstname", "forename", "givenname")
_FAMILY = ("surname", "familyname")
_NAME_PARTS = 4
"""Parts of a name: prefix, given, family, suffix."""
_INITIALS = regex.compile(r"(?:\p{Lu}[.\s-]*){1,4}")
_DEPTH = 200
"""Elements inside each other that are written; libxml2 reads 256."""


def extract(data: bytes) -> ExtractedText:
    """Return titles, paragraphs and named values of an XML file in its order.

    Raises DamagedFile or EmptyFile.
    """
    root = parse_xml(data, KIND)
    if name_of(root) == "html":
        return extract_page(data)
    if name_of(root) == "svg":
        raise DamagedFile("expected a text, got a drawing (SVG)")
    builder = TextBuilder()
    _Writer(builder).write(root, 0)
    return builder.build()


class _Writer:
    """Writes the elements of one file to a text builder."""

    def __init__(self, builder: TextBuilder) -> None:
        self._builder = builder
        # Values in a row, not written yet.
        self._pairs: list[tuple[str, str]] = []

    def write(self, element: Element, depth: int) -> None:
        """Write an element with all that is inside it."""
        self._visit(element, depth)
        self._flush()

    def _visit(self, element: Element, depth: int) -> None:
        name = name_of(element)
        if not name or name in _LEFT_OUT or depth > _DEPTH:
            return
        person = _person(element)
        if person:
            self._pairs.append((_role(element), person))
        elif name in _HEADINGS | _PARAGRAPHS | {"table"} or _is_prose(element):
            self._flush()
            self._write_block(name, element, depth)
        elif len(element) > 0:
            self._visit_children(element, depth)
        elif name not in _REFERENCES:
            self._pairs.append((_label(name), element.text or ""))

    def _write_block(self, name: str, element: Element, depth: int) -> None:
        if name in _HEADINGS:
            self._builder.heading(max(depth, 1), _text(element))
        elif name == "table" and not _is_prose(element):
            # Tables of articles are those of web pages.
            MarkupWriter(self._builder).write(element)
        else:
            self._builder.paragraph(_text(element))

    def _visit_children(self, element: Element, depth: int) -> None:
        if _is_record(element):
            self._flush()
            self._builder.pairs(
                (_label(name_of(child)), _text(child)) for child in element if name_of(child)
            )
            return
        for child in element:
            self._visit(child, depth + 1)

    def _flush(self) -> None:
        pairs, self._pairs = self._pairs, []
        self._builder.pairs((label, " ".join(text.split())) for label, text in pairs)


def _text(element: Element) -> str:
    return " ".join(inner_text(element).split())


def _label(name: str) -> str:
    return name.replace("_", " ").replace("-", " ")


def _is_prose(element: Element) -> bool:
    """Return True if text stands beside the elements inside: those are of the text, too."""
    texts = [element.text or "", *(child.tail or "" for child in element)]
    return len(element) > 0 and any(text.strip() for text in texts)


def _person(element: Element) -> str:
    """Return the name of the person that an element holds in its parts; empty for others."""
    family, given = (_child_text(element, names) for names in (_FAMILY, _GIVEN))
    if not (family and given) or len(element) > _NAME_PARTS:
        return ""
    # Lists of references put initials behind: "Wolf G".
    return f"{family} {given}" if _INITIALS.fullmatch(given) else f"{given} {family}"


def _child_text(element: Element, names: Sequence[str]) -> str:
    """Return the text of the first child with one of some names."""
    return next((_text(child) for child in element if name_of(child) in names), "")


def _role(person: Element) -> str:
    """Return what a person is to a document, as JATS says it ("author"), or else "name"."""
    parent = person.getparent()
    return _label(parent.get("contrib-type") or "name") if parent is not None else "name"


def _is_record(element: Element) -> bool:
    """Return True if an element holds several values and nothing else."""
    names = [name_of(child) for child in element if name_of(child)]
    is_flat = all(len(child) == 0 for child in element)
    return is_flat and len(names) > 1 and not set(names) & (_PARAGRAPHS | _HEADINGS)
