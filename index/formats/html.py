"""Web pages: the main content without menus, with headings, lists and tables (lxml, BSD).

The charset is that of the byte order mark, else what the page declares, else found as for plain
text.
"""

from __future__ import annotations

import regex
from lxml import etree

from index.errors import BinaryFile, DamagedFile, ExtractionLimit
from index.formats.markup import Element, Walk, name_of, text_of
from index.formats.text_builder import ExtractedText, TextBuilder
from index.text.encoding import Decoded, decode
from index.text.metadata import day_in

DECLARED_WITHIN = 4096
"""Bytes in which a charset is declared; the HTML standard says 1,024, and pages break it."""
MAIN_SHARE = 0.25
"""A <main> or <article> with less than this share of the page's text is not its content (an empty
shell, one teaser of many).
"""
LEFT_SHARE = 0.1
"""If less than this share of the text is left without what looks like menus, they were none."""
MAX_DEPTH = 255
"""Elements inside each other that libxml2 reads."""
MENU_LINKS = 4
"""A list of at least so many links and little else, outside the main content, is a menu."""
LINK_SHARE = 0.8

_CHARSET = regex.compile(
    rb"""(?i)(?:<meta[^>]{0,200}?charset|<\?xml[^>]{0,100}?encoding)\s*=\s*["']?\s*([A-Za-z0-9_:.\-]{2,40})"""
)
_MENUS = {"nav", "aside"}
_ROLES = {
    "navigation",
    "banner",
    "contentinfo",
    "search",
    "complementary",
    "menu",
    "menubar",
    "toolbar",
    "dialog",
    "alert",
}
_NOT_CONTENT = regex.compile(
    r"(?i)(?<![a-z])(?:nav|navbar|navigation|navbox|menu|sidebar|sphinxsidebar|breadcrumbs?|footer|masthead|cookies?|consent|banner|share|sharing|"
    r"social|related|advert|advertisement|ads|promo|newsletter|subscribe|skip-link|skip-nav|headerlink|mw-editsection|pagination|pager|toolbar)(?![a-z])"
)
_DATES = (
    ("property", "article:modified_time"), ("property", "og:updated_time"), ("property", "article:published_time"),
    ("name", "dcterms.modified"), ("name", "last-modified"), ("name", "dcterms.date"), ("name", "dc.date"), ("name", "date"),
    ("itemprop", "dateModified"), ("itemprop", "datePublished"),
)  # fmt: skip


def extract(data: bytes) -> ExtractedText:
    """The main content of a page. Raises EmptyFile, BinaryFile or DamagedFile."""
    decoded = decode_page(data)
    page = parse_page(decoded.text)
    return written(page, _title(page)).finished(date=_date(page), encoding=decoded.encoding)


def decode_page(data: bytes) -> Decoded:
    """The text of a page's bytes; raises BinaryFile."""
    declared = _CHARSET.search(data[:DECLARED_WITHIN])
    if declared and not data.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        name = declared[1].decode("ascii").lower()
        name = {
            "iso-8859-1": "cp1252",
            "latin1": "cp1252",
            "us-ascii": "cp1252",
            "gb2312": "gb18030",
            "shift_jis": "cp932",
        }.get(name, name)
        try:
            text = data.decode(name)
        except (LookupError, UnicodeError, ValueError):
            return decode(data)
        if "\0" not in text:
            return Decoded(text, name)
        raise BinaryFile(
            "expected a web page, got bytes that are no text: save it again from the browser"
        )
    return decode(data)


def parse_page(text: str) -> Element:
    """The tree of a page; raises DamagedFile if there is none in it."""
    parser = etree.HTMLParser(
        encoding="utf-8", no_network=True, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        page = etree.fromstring(text.encode("utf-8", "replace"), parser) if text.strip() else None
    except etree.XMLSyntaxError as error:
        if any(each.type_name == "ERR_NO_MEMORY" for each in parser.error_log):
            raise MemoryError from error
        raise DamagedFile(
            f"expected a web page, got one that cannot be read ({error.msg})"
        ) from error
    if page is None:
        raise DamagedFile("expected a web page, found no element in it")
    if any(
        error.type_name == "ERR_RESOURCE_LIMIT" or "depth" in error.message
        for error in parser.error_log
    ):
        raise ExtractionLimit(
            f"has elements inside each other more than {MAX_DEPTH} deep: what is below cannot be read"
        )
    return page


def written(page: Element, title: str | None) -> TextBuilder:
    """The main content of a page; all of it if hardly anything else is left."""
    root, is_main = _content(page)
    writer = TextBuilder(title)
    Walk(writer, _Menus(root, is_main=is_main)).element(root)
    if writer.length < LEFT_SHARE * len(text_of(root)):
        writer = TextBuilder(title)
        Walk(writer).element(root)
    return writer


def _content(page: Element) -> tuple[Element, bool]:
    """The element that holds the content, and whether the page says so."""
    body = next(page.iter("body"), page)
    total = len(text_of(body))
    mains = [each for each in body.iter() if name_of(each) == "main" or each.get("role") == "main"]
    articles = [
        each
        for each in body.iter("article")
        if not any(name_of(above) == "article" for above in each.iterancestors())
    ]
    for found in (mains, articles if len(articles) == 1 else []):
        best = max(found, key=lambda each: len(text_of(each)), default=None)
        if best is not None and len(text_of(best)) >= MAIN_SHARE * total:
            return best, True
    return body, False


class _Menus:
    """Says which elements are menus and the like; what holds most of the page is none, whatever its
    name is.
    """

    def __init__(self, root: Element, *, is_main: bool) -> None:
        self._root, self._is_main = root, is_main
        self._most = len(text_of(root)) / 2

    def __call__(self, element: Element) -> bool:
        if element is self._root or not self._suspected(element):
            return False
        return len(text_of(element)) <= self._most

    def _suspected(self, element: Element) -> bool:
        name = name_of(element)
        if name in _MENUS or element.get("role", "").lower() in _ROLES:
            return True
        if (
            name in {"header", "footer"}
            and not self._is_main
            and not _inside(element, {"article", "section", "main", "blockquote"})
        ):
            return name == "footer" or not any(name_of(inner) == "h1" for inner in element.iter())
        if name in {
            "div",
            "section",
            "ul",
            "ol",
            "table",
            "span",
            "p",
            "a",
            "form",
        } and _NOT_CONTENT.search(f"{element.get('class', '')} {element.get('id', '')}"):
            return True
        return not self._is_main and name in {"ul", "ol"} and _is_menu(element)


def _inside(element: Element, names: set[str]) -> bool:
    return any(name_of(above) in names for above in element.iterancestors())


def _is_menu(element: Element) -> bool:
    links = list(element.iter("a"))
    linked = sum(len(text_of(link)) for link in links)
    return (
        len(links) >= MENU_LINKS
        and linked >= LINK_SHARE * len(text_of(element))
        and linked < MENU_LINKS * 10 * len(links)
    )


def _title(page: Element) -> str | None:
    return next(
        (text_of(title) for title in page.iter("title") if not _inside(title, {"svg", "body"})),
        None,
    )


def _date(page: Element) -> str | None:
    metas = list(page.iter("meta"))
    for attribute, value in _DATES:
        for meta in metas:
            if meta.get(attribute, "").lower() == value.lower() and (
                day := day_in(meta.get("content", ""))
            ):
                return day
    return None
