"""Blocks of reStructuredText, AsciiDoc, Org and LaTeX.

Only what gives a text its structure is read: headings, listings, and what is not shown (comments,
targets, directives). docutils and the like would give no offsets into the file, and they can
include other files.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import regex

from index.document import Block, TextRange
from index.text import asciidoc_blocks
from index.text.metadata import day_in
from index.text.outline import Heading, Outline, outlined
from index.text.source_tables import latex_tables, simple_table
from index.text.structure import Structure


def _lines(text: str) -> list[TextRange]:
    """Return the ranges of the lines of a text, without their line feeds."""
    found = []
    at = 0
    for line in text.split("\n"):
        found.append((at, at + len(line)))
        at += len(line) + 1
    return found


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


# reStructuredText

_ADORNMENT = regex.compile(r"([!-/:-@\[-`{-~])\1+[ \t]*")
_EXPLICIT = regex.compile(r"\.\.(?:[ \t]+|$)")
_DIRECTIVE = regex.compile(r"\.\.[ \t]+(?:\|[^|]+\|[ \t]+)?(?P<name>[\w:+.-]+?)::(?P<rest>.*)")
_FOOTNOTE = regex.compile(r"\.\.[ \t]+\[[^\]]+\][ \t]")
_OPTION = regex.compile(r"[ \t]+:[\w-]+:")
_LISTINGS = {"code", "code-block", "sourcecode", "literalinclude", "parsed-literal", "math"}
_WITHOUT_TEXT = {
    "contents", "figure", "highlight", "image", "include", "index", "meta", "raw", "toctree",
}  # fmt: skip
"""Directives whose arguments are no text; the caption of a figure is its content."""


def rst_structure(text: str) -> Structure:
    """Return the blocks of reStructuredText under its section titles."""
    return outlined(text, _RestructuredText(text).outline())


class _RestructuredText:
    """One pass over the lines of a text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._lines = _lines(text)
        self._outline = Outline()
        self._styles: list[tuple[str, bool]] = []
        """Adornments of titles in the order of their levels: character, and True with one above."""

    def outline(self) -> Outline:
        """Return the headings, listings and hidden ranges of the text."""
        at = 0
        while at < len(self._lines):
            at += self._read_block(at) or 1
        return self._outline

    def _read_block(self, at: int) -> int:
        """Read what begins at a line and return the number of its lines, 0 for text."""
        return (
            self._read_table(at)
            or self._read_title(at)
            or self._read_explicit(at)
            or self._read_literal(at)
        )

    def _read_table(self, at: int) -> int:
        table, count = simple_table(self._text, self._lines, at)
        if table is not None:
            self._outline.tables.append(table)
        return count

    def _line(self, at: int) -> str:
        if at >= len(self._lines):
            return ""
        start, end = self._lines[at]
        return self._text[start:end]

    def _read_title(self, at: int) -> int:
        """Read a title with its adornment and return the number of its lines, 0 for none."""
        line, below = self._line(at), self._line(at + 1)
        above = _ADORNMENT.fullmatch(line)
        if above and below.strip() and self._line(at + 2).rstrip() == line.rstrip():
            self._add_title(at, at + 1, at + 2, (above[1], True))
            return 3
        under = _ADORNMENT.fullmatch(below)
        is_long = len(below.rstrip()) >= min(len(line.rstrip()), 4)
        if under is None or not is_long or not line.strip() or _indent(line) or above:
            return 0
        self._add_title(at, at, at + 1, (under[1], False))
        return 2

    def _add_title(self, first: int, title: int, last: int, style: tuple[str, bool]) -> None:
        if style not in self._styles:
            self._styles.append(style)
        start, _ = self._lines[title]
        name = self._line(title).strip()
        start += _indent(self._line(title))
        for at in range(first, last + 1):
            if at != title:
                self._outline.hidden.append(self._lines[at])
        level = self._styles.index(style) + 1
        self._outline.headings.append(Heading(start, start + len(name), name, level))

    def _read_explicit(self, at: int) -> int:
        """Read a directive, target or comment and return the number of lines, 0 for none."""
        line = self._line(at)
        if not _EXPLICIT.match(line.lstrip()) or _FOOTNOTE.match(line.lstrip()):
            return 0
        last = self._end_of_block(at)
        directive = _DIRECTIVE.match(line.lstrip())
        if directive is None:
            self._hide(at, last)
            return last - at
        return self._read_directive(at, last, directive["name"], directive["rest"])

    def _read_directive(self, at: int, last: int, name: str, rest: str) -> int:
        start, end = self._lines[at]
        argument = rest.strip()
        is_text = bool(argument) and name not in _WITHOUT_TEXT | _LISTINGS
        self._outline.hidden.append((start, end - len(argument) if is_text else end))
        content = at + 1
        while content < last and _OPTION.match(self._line(content)):
            content += 1
        self._hide(at + 1, content)
        if name in {"toctree", "raw", "include"}:
            self._hide(content, last)
        elif name in _LISTINGS and content < last:
            self._outline.code.append((self._lines[content][0], self._lines[last - 1][1]))
        else:
            return content - at  # its content is text
        return last - at

    def _read_literal(self, at: int) -> int:
        """Read the indented block after a paragraph that ends with "::"."""
        line = self._line(at)
        if not line.rstrip().endswith("::"):
            return 0
        last = self._end_of_block(at)
        if last > at + 1:
            self._outline.code.append((self._lines[at + 1][0], self._lines[last - 1][1]))
        return last - at

    def _end_of_block(self, at: int) -> int:
        """Return the line after the block that is indented below a line."""
        indent = _indent(self._line(at))
        last = at + 1
        following = last
        while following < len(self._lines):
            line = self._line(following)
            if line.strip() and _indent(line) <= indent:
                break
            following += 1
            if line.strip():
                last = following
        return last

    def _hide(self, first: int, last: int) -> None:
        self._outline.hidden += self._lines[first:last]


# AsciiDoc

_ADOC_HEADING = regex.compile(r"(?P<marks>={1,6}|#{1,6})[ \t]+(?P<name>\S.*)")
_ADOC_ATTRIBUTE = regex.compile(r":!?(?P<name>[\w-]+)!?:(?P<value>.*)")
_ADOC_FENCE = regex.compile(r"(-{4,}|\.{4,}|={4,}|\*{4,}|_{4,}|\+{4,}|`{3}.*|[|,:!]={3,}|--)[ \t]*")
_ADOC_MARK = regex.compile(r"\[[^\]\n]*\][ \t]*|<<<[ \t]*|(?:include|image|video|toc)::.*")


def asciidoc_structure(text: str) -> Structure:
    """Return the blocks of AsciiDoc under its section titles."""
    outline = Outline()
    lines = _lines(text)
    listing: tuple[str, int] | None = None
    comment: int | None = None
    for start, end in lines:
        line = text[start:end]
        if comment is not None:
            outline.hidden.append((start, end))
            comment = None if line.startswith("////") else comment
        elif listing is not None:
            if line.rstrip() == listing[0]:
                outline.code.append((listing[1], start))
                outline.hidden.append((start, end))
                listing = None
        elif line.startswith("////"):
            comment = start
            outline.hidden.append((start, end))
        elif regex.fullmatch(r"-{4,}|\.{4,}|`{3}.*", line.rstrip()):
            outline.hidden.append((start, end))
            mark = "```" if line.startswith("```") else line.rstrip()
            listing = (mark, end + 1)
        else:
            _read_asciidoc_line(outline, line, start, end)
    blocks = (*asciidoc_blocks.numbered_lists(text, lines), *asciidoc_blocks.tables(text, lines))
    outline.tables += [block for block in blocks if not _is_in_listing(block, outline)]
    outline.hidden = [each for each in outline.hidden if not _is_in_steps(text, each, outline)]
    return outlined(text, outline)


def _is_in_steps(text: str, mark: TextRange, outline: Outline) -> bool:
    """Return True if a hidden mark only attaches a listing to a step, which it must not cut off."""
    return asciidoc_blocks.attaches(text[slice(*mark)]) and any(
        block.numbered and block.start < mark[0] < block.end for block in outline.tables
    )


def _is_in_listing(block: Block, outline: Outline) -> bool:
    """Return True if a block begins in a listing or a comment, which only shows the markup."""
    unread = (*outline.code, *outline.hidden)
    return any(start <= block.start < end for start, end in unread)


def _read_asciidoc_line(outline: Outline, line: str, start: int, end: int) -> None:
    heading = _ADOC_HEADING.fullmatch(line)
    attribute = _ADOC_ATTRIBUTE.fullmatch(line)
    if heading:
        name = heading["name"].strip()
        outline.headings.append(
            Heading(start + heading.start("name"), end, name, len(heading["marks"]))
        )
        outline.hidden.append((start, start + heading.start("name")))
    elif attribute:
        outline.hidden.append((start, end))
        if attribute["name"] in {"revdate", "date"}:
            outline.date = outline.date or day_in(attribute["value"])
    elif _is_asciidoc_mark(line):
        outline.hidden.append((start, end))


def _is_asciidoc_mark(line: str) -> bool:
    return (
        line.startswith("//")
        or line.rstrip() == "+"
        or any(mark.fullmatch(line) for mark in (_ADOC_FENCE, _ADOC_MARK))
    )


# Org

_ORG_HEADING = regex.compile(
    r"(?P<marks>\*+)[ \t]+(?:(?:TODO|DONE|NEXT|WAITING|CANCELLED)[ \t]+)?(?:\[#[A-Z]\][ \t]+)?"
    r"(?P<name>\S.*?)(?P<tags>[ \t]+:[\w@#%:]+:)?[ \t]*"
)
_ORG_STARS = regex.compile(r"(\*+)[ \t]")
_ORG_HIDDEN = regex.compile(r"\*+[ \t]+(?:[A-Z]{2,}[ \t]+)??COMMENT(?:[ \t]|$)")
"""Heading of a part that is not exported (Org manual, 13.6)."""
_ORG_KEYWORD = regex.compile(r"[ \t]*#\+(?P<name>\w+):?(?P<value>.*)")
_ORG_COMMENT = regex.compile(r"[ \t]*#(?:[ \t]|$)")
_ORG_TEXT_BLOCKS = {"begin_quote", "begin_center", "begin_verse"}
"""Blocks whose content is text like that around them."""
_ORG_DRAWER = regex.compile(r"[ \t]*:(?P<name>[\w-]+):[ \t]*")


def org_structure(text: str) -> Structure:
    """Return the blocks of an Org text under its headings."""
    outline = Outline()
    # The mark that ends an open block or drawer, and where its content begins.
    block: tuple[str, int] | None = None
    hidden_below = 0
    for start, end in _lines(text):
        line = text[start:end]
        if block is None and (stars := _ORG_STARS.match(line)):
            hidden_below = _org_comment_level(line, len(stars[1]), hidden_below)
        if hidden_below:
            outline.hidden.append((start, end))
        elif block is None:
            block = _read_org_line(outline, line, start, end)
        elif _org_mark(line) == block[0]:
            _end_org_block(outline, block, start, end)
            block = None
    return outlined(text, outline)


def _org_comment_level(line: str, level: int, hidden_below: int) -> int:
    """Return the level of the comment that a heading is in or begins, 0 for none."""
    if hidden_below and level > hidden_below:
        return hidden_below
    return level if _ORG_HIDDEN.match(line) else 0


def _org_mark(line: str) -> str:
    """Return the name of a keyword or of a drawer in lower case, empty for other lines."""
    keyword = _ORG_KEYWORD.fullmatch(line)
    if keyword:
        return keyword["name"].lower()
    return line.strip().lower() if _ORG_DRAWER.fullmatch(line) else ""


def _read_org_line(outline: Outline, line: str, start: int, end: int) -> tuple[str, int] | None:
    """Read a line outside of blocks; return the end mark of a block that begins with it."""
    name = _org_mark(line)
    if name.startswith(":"):
        return ":end:", start
    if name.startswith("begin_") and name not in _ORG_TEXT_BLOCKS:
        outline.hidden.append((start, end))
        return name.replace("begin", "end"), end + 1
    if name:
        keyword = _ORG_KEYWORD.fullmatch(line)
        _read_org_keyword(outline, name, keyword["value"].strip() if keyword else "")
        outline.hidden.append((start, end))
    elif _ORG_COMMENT.match(line):
        outline.hidden.append((start, end))
    else:
        _read_org_heading(outline, line, start)
    return None


def _read_org_heading(outline: Outline, line: str, start: int) -> None:
    heading = _ORG_HEADING.fullmatch(line)
    if heading:
        first, last = start + heading.start("name"), start + heading.end("name")
        name, level = heading["name"], len(heading["marks"])
        outline.hidden.append((start, first))
        outline.headings.append(Heading(first, last, name, level))
        if last < start + len(line):
            outline.hidden.append((last, start + len(line)))


def _end_org_block(outline: Outline, block: tuple[str, int], start: int, end: int) -> None:
    kind, first = block
    if kind in {":end:", "end_comment", "end_export"}:
        outline.hidden.append((first, end))
        return
    if first < start:
        outline.code.append((first, start))
    outline.hidden.append((start, end))


def _read_org_keyword(outline: Outline, name: str, value: str) -> None:
    if name == "title" and value:
        outline.title = value
    elif name == "date":
        outline.date = day_in(value)


# LaTeX

_TEX_LEVELS = {
    "part": 1, "chapter": 2, "section": 3, "subsection": 4, "subsubsection": 5, "paragraph": 6,
}  # fmt: skip
_TEX_TOKEN = regex.compile(
    r"(?P<comment>(?<!\\)%[^\n]*)"
    r"|\\(?P<level>part|chapter|section|subsection|subsubsection|paragraph)\*?"
    r"(?:\[[^\]\n]*\])?\{(?P<name>(?:[^{}\n]|\{[^{}\n]*\})*)\}"
    r"|\\begin\{(?P<listing>verbatim|lstlisting|minted|alltt)\*?\}(?P<code>.*?)\\end\{(?P=listing)\*?\}"
    r"|(?P<hidden>\\begin\{comment\}.*?\\end\{comment\}|\\iffalse\b.*?\\fi\b"
    r"|\\(?:begin|end)\{[^{}\n]*\}(?:\[[^\]\n]*\])?(?:\{(?:[^{}\n]|\{[^{}\n]*\})*\})*"
    r"|\\(?:hline|toprule|midrule|bottomrule)\b|\\c(?:line|midrule)(?:\([^)\n]*\))?\{[^{}\n]*\}"
    r"|\\(?:label|vspace|hspace|input|include|includegraphics|bibliographystyle|bibliography"
    r"|usepackage|pagestyle|thispagestyle|setlength|centering|maketitle|tableofcontents|noindent"
    r"|newpage|clearpage|bigskip|medskip|smallskip)\b\*?(?:\[[^\]\n]*\])?(?:\{[^{}\n]*\})*)",
    regex.DOTALL,
)
_TEX_TITLE = regex.compile(r"\\title(?:\[[^\]\n]*\])?\{(?P<title>(?:[^{}]|\{[^{}]*\})*)\}")
_TEX_COMMAND = regex.compile(r"\\[A-Za-z]+\*?|\\.|[{}~$]")


def latex_structure(text: str) -> Structure:
    """Return the blocks of a LaTeX text under its sections.

    Comments, the preamble and commands of layout are left out; other commands stay in the text.
    """
    outline = Outline()
    begin, end = "\\begin{document}", "\\end{document}"
    first = text.find(begin)
    first = 0 if first < 0 else first + len(begin)
    last = text.find(end, first)
    last = len(text) if last < 0 else last
    title = _TEX_TITLE.search(text)
    if title:
        outline.title = _tex_plain(title["title"])
    if first:
        outline.hidden.append((0, first))
    outline.tables += latex_tables(text, first, last)
    for span in _outside(outline.tables, first, last):
        for token in _TEX_TOKEN.finditer(text, *span):
            _read_tex_token(outline, token)
    if last < len(text):
        outline.hidden.append((last, len(text)))
    return outlined(text, outline)


def _outside(blocks: Sequence[Block], start: int, end: int) -> Iterator[TextRange]:
    """Yield the ranges of [start, end) around blocks."""
    for block in blocks:
        yield start, block.start
        start = block.end
    yield start, end


def _read_tex_token(outline: Outline, token: regex.Match[str]) -> None:
    if token["level"]:
        start, end = token.span("name")
        name = _tex_plain(token["name"])
        if name:
            outline.hidden.append((token.start(), start))
            outline.headings.append(Heading(start, end, name, _TEX_LEVELS[token["level"]]))
            outline.hidden.append((end, token.end()))
    elif token["listing"]:
        start, end = token.span("code")
        outline.hidden.append((token.start(), start))
        outline.code.append((start, end))
        outline.hidden.append((end, token.end()))
    else:
        outline.hidden.append(token.span())


def _tex_plain(source: str) -> str:
    """Return a title without commands."""
    return " ".join(_TEX_COMMAND.sub(" ", source).split())
