"""Web pages (lxml, BSD): the main content without menus, with headings, lists and tables.

The charset is that of the byte order mark, else what the page declares, else detected as for plain
text.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import regex
from lxml import etree

from index.errors import BinaryFile, DamagedFile, ExtractionLimit
from index.formats.markup import Element, MarkupWriter, name_of, text_of
from index.formats.page_styles import drop_unseen
from index.formats.text_builder import ExtractedText, TextBuilder
from index.text.encoding import Decoded, decode, web_charset
from index.text.metadata import day_in
from index.text.unseen import LeftOut

DECLARED_WITHIN = 4096
"""Bytes in which a charset is declared; the HTML standard says 1,024, and pages break it."""
MAIN_SHARE = 0.25
"""Least share of the page's text in its content.

A <main> or <article> with less is an empty shell, or one teaser of many.
"""
LEFT_SHARE = 0.1
"""Least share of the text outside menus; with less, what looked like menus is content."""
MENU_SHARE = 0.5
"""Largest share of the content in a menu; what holds more is content, whatever its name."""
MAX_DEPTH = 255
"""Elements inside each other that libxml2 reads."""
MENU_LINKS = 4
"""A list of at least so many links and little else, outside the main content, is a menu."""
LINK_SHARE = 0.8
"""Least share of a menu's text that is links."""
MENU_LINK_LENGTH = 40
"""Mean characters of a link; longer ones are headlines, not the entries of a menu."""

_BYTE_ORDER_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_CHARSET = regex.compile(
    rb"(?i)(?:<meta[^>]{0,200}?charset|<\?xml[^>]{0,100}?encoding)"
    rb"""\s*=\s*["']?\s*([A-Za-z0-9_:.\-]{2,40})"""
)
_MENU_TAGS = {"nav", "aside"}
_MENU_ROLES = {
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
_NAMED_TAGS = {"div", "section", "ul", "ol", "table", "span", "p", "a", "form"}
"""Tags whose class or id may say that they are no content."""
_FRAME_WORDS = frozenset(
    {
        "ad", "ads", "advert", "advertisement", "breadcrumb", "breadcrumbs", "consent", "cookie",
        "cookies", "editsection", "footer", "headerlink", "masthead", "nav", "navbar", "navbox",
        "navigation", "newsletter", "pager", "pagination", "sidebar", "skip", "sphinxsidebar",
        "subscribe", "toolbar",
    }
)  # fmt: skip
"""Words of names that say that an element is of the page's frame, if no other word does not."""
_CONTENT_OR_FRAME_WORDS = frozenset(
    {"banner", "menu", "promo", "related", "share", "sharing", "social"}
)
"""Words that name frames as well as contents: a restaurant has a menu, a company shares."""
_COPYRIGHT = regex.compile(r"©|\(c\)|\bcopyright\b|\ball rights reserved\b|\bcookies?\b", regex.I)
_PLACES = frozenset({"footer", "masthead", "sidebar", "toolbar"})
"""Words for a place beside the content; inside what a page marks as its content, it is one."""
_PLAIN_WORDS = frozenset(
    {
        "area", "articles", "bar", "block", "body", "bottom", "box", "btn", "button", "buttons",
        "col", "column", "container", "content", "desktop", "div", "fixed", "global", "group",
        "head", "header", "icon", "icons", "id", "inner", "item", "items", "js", "left", "link",
        "links", "list", "local", "main", "media", "mobile", "mw", "nav", "notice", "outer",
        "page", "pages", "panel", "placeholder", "post", "posts", "primary", "region", "right",
        "row", "secondary", "section", "site", "stories", "sub", "text", "to", "toggle", "top",
        "ui", "wide", "widget", "wp", "wrap", "wrapper",
    }
)  # fmt: skip
"""Words of names that say nothing about what an element holds."""
_KNOWN_WORDS = _FRAME_WORDS | _CONTENT_OR_FRAME_WORDS | _PLAIN_WORDS
_NAME_WORD = regex.compile(r"\p{Lu}?\p{Ll}+|\p{Lu}+(?!\p{Ll})")
SHORT_FRAME = 8
"""Words below which an element with a name of both kinds is a row of buttons."""
SHORTEST_SENTENCE = 4
"""Words of a sentence that is no label; "All rights reserved." has three."""
_SECTIONS = {"article", "section", "main", "blockquote"}
"""Tags with a header and a footer of their own."""
_DATES = (
    ("property", "article:modified_time"),
    ("property", "og:updated_time"),
    ("property", "article:published_time"),
    ("name", "dcterms.modified"),
    ("name", "last-modified"),
    ("name", "dcterms.date"),
    ("name", "dc.date"),
    ("name", "date"),
    ("itemprop", "dateModified"),
    ("itemprop", "datePublished"),
)
"""Attributes of `meta` elements that hold a date, the preferred ones first."""


def extract(data: bytes) -> ExtractedText:
    """Return the main content of a page.

    Raises EmptyFile, BinaryFile, DamagedFile or ExtractionLimit.
    """
    decoded = decode_page(data)
    page = parse_page(decoded.text)
    disguised = drop_unseen(page)
    builder = _write_content(page, _title(page))
    remark = unseen_remark(disguised)
    return builder.build(date=_date(page), encoding=decoded.encoding, remark=remark)


def unseen_remark(disguised: int) -> str:
    """Return the remark on texts that look like the page behind them; empty for none."""
    left_out = LeftOut()
    for _ in range(disguised):
        left_out.note("text in the colour of the page or in unreadable size")
    return left_out.remark


def decode_page(data: bytes) -> Decoded:
    """Return the text of a page's bytes. Raises BinaryFile if they are no text."""
    declaration = _CHARSET.search(data[:DECLARED_WITHIN])
    if declaration is None or data.startswith(_BYTE_ORDER_MARKS):
        return decode(data)
    charset = web_charset(declaration[1].decode("ascii"))
    try:
        text = data.decode(charset)
    except (LookupError, UnicodeError, ValueError):  # unknown, or not the one declared
        return decode(data)
    if "\0" in text:
        raise BinaryFile(
            "expected a web page, got bytes that are no text: save it again from the browser"
        )
    return Decoded(text, charset)


def parse_page(text: str) -> Element:
    """Return the root element of a page.

    Raises DamagedFile if the page has no element, ExtractionLimit if it nests too deeply.
    """
    parser = etree.HTMLParser(
        encoding="utf-8", no_network=True, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        page = etree.fromstring(text.encode("utf-8", "replace"), parser) if text.strip() else None
    except etree.XMLSyntaxError as error:
        # libxml2 reports a failed allocation like a flaw of the page.
        if any(entry.type_name == "ERR_NO_MEMORY" for entry in parser.error_log):
            raise MemoryError from error
        raise DamagedFile(
            f"expected a web page, got one that cannot be read ({error.msg}): "
            "save it again from the browser"
        ) from error
    if page is None:
        raise DamagedFile("expected a web page, found no element in it")
    if _is_cut_off(parser):
        raise ExtractionLimit(
            f"has elements inside each other more than {MAX_DEPTH} deep: "
            "what is below cannot be read"
        )
    return page


def _is_cut_off(parser: etree.HTMLParser) -> bool:
    """Return True if the parser gave up at its limit of depth and left out the rest."""
    return any(
        entry.type_name == "ERR_RESOURCE_LIMIT" or "depth" in entry.message
        for entry in parser.error_log
    )


def _write_content(page: Element, title: str | None) -> TextBuilder:
    """Write the main content of a page, or all of it if hardly anything else is left."""
    root, is_main = _find_content(page)
    builder = TextBuilder(title)
    MarkupWriter(builder, _MenuFilter(root, is_main=is_main)).write(root)
    for footer in _telling_footers(page):
        builder.end_headings()
        MarkupWriter(builder).write(footer)
    if builder.length < LEFT_SHARE * len(text_of(root)):
        builder = TextBuilder(title)
        MarkupWriter(builder).write(root)
    return builder


def _find_content(page: Element) -> tuple[Element, bool]:
    """Return the element with the content, and True if the page marks it as such."""
    body = next(page.iter("body"), page)
    least = MAIN_SHARE * len(text_of(body))
    for candidates in (_marked_main(body), _only_article(body)):
        best = max(candidates, key=_text_length, default=None)
        if best is not None and _text_length(best) >= least:
            return best, True
    return body, False


def _telling_footers(page: Element) -> list[Element]:
    """Return the footers that say something of the page ("Last change: 3 August by ...")."""
    footers = page.iter("footer")
    return [each for each in footers if _is_page_frame(each) and _says_something(each)]


def _marked_main(body: Element) -> list[Element]:
    return [
        element
        for element in body.iter()
        if name_of(element) == "main" or element.get("role") == "main"
    ]


def _only_article(body: Element) -> Sequence[Element]:
    """Return the outermost article; none if there are several, which are teasers."""
    articles = [article for article in body.iter("article") if not _inside(article, {"article"})]
    return articles if len(articles) == 1 else []


def _text_length(element: Element) -> int:
    return len(text_of(element))


class _MenuFilter:
    """Decides which elements inside `root` are menus and the like.

    `is_main`: the page marks `root` as its content, so lists of links in it are content.
    """

    def __init__(self, root: Element, *, is_main: bool) -> None:
        self._root, self._is_main = root, is_main
        self._longest_menu = MENU_SHARE * _text_length(root)

    def __call__(self, element: Element) -> bool:
        # The cheap tests come first: this runs for every element, and lengths need its text.
        if element is self._root or not self._looks_like_menu(element):
            return False
        return _text_length(element) <= self._longest_menu

    def _looks_like_menu(self, element: Element) -> bool:
        name = name_of(element)
        if name in _MENU_TAGS or element.get("role", "").lower() in _MENU_ROLES:
            return True
        if name in _NAMED_TAGS and _is_named_as_frame(element, in_main=self._is_main):
            return True
        if self._is_main:
            return False
        if name in {"header", "footer"}:
            return _is_page_frame(element)
        return name in {"ul", "ol"} and _is_link_list(element)


def _is_named_as_frame(element: Element, *, in_main: bool) -> bool:
    """Return True if the class or id of an element, and its text, are those of a page's frame.

    A word in a name decides nothing alone: "share-capital" and "related-party" are contents.
    `in_main`: the element is in what the page marks as its content.
    """
    unsure = _CONTENT_OR_FRAME_WORDS | _PLACES if in_main else _CONTENT_OR_FRAME_WORDS
    sure = _FRAME_WORDS - unsure
    words = [
        frozenset(map(str.lower, _NAME_WORD.findall(name)))
        for name in f"{element.get('class', '')} {element.get('id', '')}".split()
    ]
    plain = [each for each in words if each <= _KNOWN_WORDS]
    if not sure.isdisjoint(chain.from_iterable(plain)):
        return True
    if not unsure.isdisjoint(chain.from_iterable(plain)):
        return _is_short(text_of(element)) or _linked_share(element) >= MENU_SHARE
    is_named = not (_FRAME_WORDS | _CONTENT_OR_FRAME_WORDS).isdisjoint(chain.from_iterable(words))
    return is_named and _linked_share(element) >= LINK_SHARE


def _is_short(text: str) -> bool:
    """Return True for the labels of a row of buttons; a short sentence is content."""
    return len(text.split()) < SHORT_FRAME and not _is_sentence(text)


def _is_sentence(text: str) -> bool:
    return text.endswith(".") and len(text.split()) >= SHORTEST_SENTENCE


def _linked_share(element: Element) -> float:
    """Return the share of an element's text that is in links and buttons."""
    linked = sum(_text_length(link) for link in element.iter("a"))
    return linked / max(_text_length(element), 1)


def _is_page_frame(element: Element) -> bool:
    """Return True for the footer of the page, and for its header without the page's heading."""
    if _inside(element, _SECTIONS):
        return False
    return name_of(element) == "footer" or not any(
        name_of(inner) == "h1" for inner in element.iter()
    )


def _says_something(footer: Element) -> bool:
    """Return True for a footer of a sentence or more without a row of links or a copyright."""
    text = text_of(footer)
    has_links = len(list(footer.iter("a"))) >= MENU_LINKS
    return _is_sentence(text) and not has_links and _COPYRIGHT.search(text) is None


def _is_link_list(element: Element) -> bool:
    """Return True if a list is several short links and little else."""
    links = list(element.iter("a"))
    if len(links) < MENU_LINKS:
        return False
    linked = sum(_text_length(link) for link in links)
    is_mostly_links = linked >= LINK_SHARE * _text_length(element)
    return is_mostly_links and linked < MENU_LINK_LENGTH * len(links)


def _inside(element: Element, names: set[str]) -> bool:
    return any(name_of(above) in names for above in element.iterancestors())


def _title(page: Element) -> str | None:
    """Return the title of the page; drawings in it have titles of their own."""
    for title in page.iter("title"):
        if not _inside(title, {"svg", "body"}):
            return text_of(title)
    return None


def _date(page: Element) -> str | None:
    metas = list(page.iter("meta"))
    for attribute, name in _DATES:
        for meta in metas:
            if meta.get(attribute, "").lower() != name.lower():
                continue
            day = day_in(meta.get("content", ""))
            if day:
                return day
    return None
