"""Blocks of plain text: paragraphs, headings, lists, pairs, tables and code.

The steps: lines are grouped between blank lines (`index.text.lines`); a group is cut into runs,
where a line was ended on purpose or begins something else; runs become blocks, each by what it is
and what stands below it. So a paragraph is one block below a heading or a term, after bullets, and
indented. Heading paths come from headings and from terms with several paragraphs below them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

import regex

from index.document import Block, BlockKind, Entry, TextRange
from index.text.dates import MONTH_NUMBERS
from index.text.lines import (
    Line,
    Margins,
    aligned_term,
    cell_ranges,
    ends_inside_sentence,
    is_full,
    is_ornament,
    is_uncased,
    key_of,
    line_groups,
)
from index.text.page_lines import page_lines
from index.text.structure import WITHOUT_LEAD, Structure, are_pairs, is_label, lead_of

USUAL_MARGIN = 72
"""Margin of a text that shows none, in columns."""
LEAST_MARGIN = 50
"""Columns that a group without other signs of wrapping has at least if it is wrapped."""
LONGEST_HEADING = 70
"""Longest heading in characters: a line of text."""
LONGEST_TERM = 80
"""Longest term above its definition, in characters."""
SHORT_LINE = 40
"""Characters below which lines that were ended on purpose are one block, as in an address."""
FILLED = 0.6
"""Share of the margin that a line of a paragraph without capitals fills."""
_RunKind = Literal["text", "list", "keys", "columns", "cells", "heading"]

_UNDERLINES = "=-~^*#+_\"'"
_NUMBERED = regex.compile(
    rf"(?!\d{{1,2}}\.? (?i:{'|'.join(MONTH_NUMBERS)})\.? \d{{4}})"
    r"(?P<number>\d{1,2}[a-z]?(?:\.\d{1,2}){0,5})\.?\s+(?=\p{Lu}|\p{Lo}|[`'\"“])"
)
"""Beginning of a numbered heading, and of no date ("5 November 2026")."""
_LABELLED = regex.compile(
    r"(?i:section|chapter|part|article|annex|appendix|abschnitt|kapitel|teil|artikel|anhang|§)\s?"
    r"(?:\d{1,3}(?:\.\d{1,2}){0,3}|[IVXL]{1,6}|[A-Z])\s?[:.–—-]\s*(?=\p{Lu}|\p{Lo})"
)
"""Beginning of a heading that says what kind of part it opens: "SECTION 4: First aid"."""
_WIDE_GAP = regex.compile(r"\S(?:\s{3,}|\t)\S")

# Ranks of headings, from the outermost. Headings of one rank stand side by side.
_DOUBLE_RULE, _SINGLE_RULE, _CAPITALS, _PART, _NUMBER, _SECTION, _SHORT = 1, 2, 3, 4, 5, 20, 21
_ENTRY, _TERM = 50, 100


def plain_structure(text: str) -> Structure:
    """Return the blocks of plain text, which has no title."""
    return Structure(_PlainText(text).blocks())


@dataclass(slots=True)
class _Run:
    """Lines that belong together, before it is known what they are.

    `column` is that of the values of aligned columns, `rank` that of an underlined heading.
    """

    kind: _RunKind
    lines: list[Line]
    column: int = 0
    rank: int = 0

    @property
    def first(self) -> Line:
        return self.lines[0]

    @property
    def indent(self) -> int:
        return self.lines[0].indent

    @property
    def span(self) -> TextRange:
        return self.lines[0].start, self.lines[-1].end

    @property
    def is_line(self) -> bool:
        """True for a single line of text."""
        return self.kind == "text" and len(self.lines) == 1


@dataclass(slots=True)
class _OpenBlock:
    """Block that lines may still be added to."""

    kind: BlockKind
    start: int
    units: list[TextRange]
    headings: tuple[str, ...]
    level: int = 0
    lead: TextRange | None = None
    numbered: bool = False
    entries: list[Entry] = field(default_factory=list)

    def add_inside(self, units: Sequence[TextRange]) -> None:
        """Add units to the last item of a list."""
        self.units.extend(units)
        label, (start, _) = self.entries[-1]
        self.entries[-1] = Entry(label, (start, units[-1][1]))

    def finish(self) -> Block:
        return Block(
            self.start,
            self.units[-1][1],
            tuple(self.units),
            self.headings,
            kind=self.kind,
            level=self.level,
            lead=self.lead,
            numbered=self.numbered,
            entries=tuple(self.entries),
        )


@dataclass(frozen=True, slots=True)
class _OpenHeading:
    """Heading or term that the following blocks stand under.

    With `until_indent` a block that is indented no more than the heading ends it, except that a
    heading holds all of its own group of lines, which begins at `group`.
    """

    name: str
    rank: int
    indent: int
    until_indent: bool
    group: int = -1

    def is_ended_by(self, indent: int, group: int) -> bool:
        """Return True if a block with this indent, in a group that begins there, ends it."""
        return self.until_indent and indent <= self.indent and group != self.group


@dataclass(slots=True)
class _Group:
    """Signs of structure among the lines between two blank lines."""

    lines: list[Line]
    keyed: frozenset[int] = frozenset()
    """Starts of the lines "Key: value"."""
    columns: dict[int, int] = field(default_factory=dict)
    """Columns of the values of lines with a term beside them, by the start of the line."""
    rows: frozenset[int] = frozenset()
    """Starts of the lines "a | b"."""
    marks: Counter[tuple[int, bool]] = field(default_factory=Counter)
    """Numbers of list marks, by indent and by kind: numbers or bullets."""
    has_wraps: bool = False
    """True if a sentence goes on from one of the lines to the next."""
    is_ragged: bool = False
    """True if the lines are long, and not all of them end with a sentence."""
    longest: int = 0
    """Columns of the longest line."""

    @classmethod
    def of(cls, lines: list[Line]) -> _Group:
        longest = max(line.width for line in lines)
        return cls(
            lines,
            _keyed_lines(lines),
            _aligned_lines(lines),
            _row_lines(lines),
            Counter(_kind_of_mark(line) for line in lines if line.mark is not None),
            any(map(ends_inside_sentence, lines, lines[1:])),
            longest >= LEAST_MARGIN and not all(line.ends_sentence for line in lines[:-1]),
            longest,
        )


def _keyed_lines(lines: Sequence[Line]) -> frozenset[int]:
    """Return the starts of lines "Key: value", of which there are two with one indent."""
    keyed = [
        line
        for line in lines
        if line.mark is None and key_of(line) is not None and not _is_labelled(line)
    ]
    indents = Counter(line.indent for line in keyed)
    return frozenset(line.start for line in keyed if indents[line.indent] > 1)


def _aligned_lines(lines: Sequence[Line]) -> dict[int, int]:
    """Return the column of the value in lines with a term beside it.

    Justified text has gaps, too. So either the next line is indented to the column, or all lines of
    one indent have a term with the same column.
    """
    found: dict[int, int] = {}
    for line in lines:
        aligned = aligned_term(line) if line.mark is None else None
        if aligned is not None:
            found[line.start] = line.indent + aligned[1]
    if not found:
        return {}
    columns: dict[int, list[int | None]] = {}
    for line in lines:
        columns.setdefault(line.indent, []).append(found.get(line.start))
    aligned_indents = {
        indent for indent, each in columns.items() if len(set(each)) == 1 < len(each)
    }
    followed_by = dict(zip((line.start for line in lines), lines[1:], strict=False))
    return {
        line.start: found[line.start]
        for line in lines
        if line.start in found
        and (
            line.indent in aligned_indents
            or _is_indented_to(followed_by.get(line.start), found[line.start])
        )
    }


def _is_indented_to(line: Line | None, column: int) -> bool:
    return line is not None and line.indent == column


def _row_lines(lines: Sequence[Line]) -> frozenset[int]:
    """Return the starts of lines with cells: two of them, or one that holds two pairs."""
    rows = {line.start: len(cell_ranges(line)) for line in lines}
    rows = {start: count for start, count in rows.items() if count > 1}
    is_pair_row = any(count >= 4 and count % 2 == 0 for count in rows.values())
    return frozenset(rows) if len(rows) > 1 or is_pair_row else frozenset()


@dataclass
class _PlainText:
    """One pass over the groups of lines of a text."""

    text: str
    _blocks: list[_OpenBlock] = field(default_factory=list)
    _open: list[_OpenHeading] = field(default_factory=list)
    _group: int = 0
    """Offset where the group of the current lines begins."""
    _indent: int = 0
    """Columns before the last block."""
    _open_list: tuple[int, int] | None = None
    """Indents of the marks and of the text of the list that the last block is."""

    def __post_init__(self) -> None:
        self._groups = list(line_groups(self.text, page_lines(self.text)))
        self._margins = Margins(self._groups)
        self._body = _body_indent(self._groups)

    def blocks(self) -> tuple[Block, ...]:
        """Return all blocks in order."""
        for at, lines in enumerate(self._groups):
            below = self._groups[at + 1][0] if at + 1 < len(self._groups) else None
            self._add_group(_Group.of(lines), below)
        return tuple(block.finish() for block in self._blocks)

    # Lines -> runs

    def _add_group(self, group: _Group, below: Line | None) -> None:
        """Add the blocks of one group; `below` is the line after the blank ones that end it."""
        self._group = group.lines[0].start
        runs = self._runs(group)
        if self._is_inside_item(runs):
            self._blocks[-1].add_inside([run.span for run in runs])
            return
        if self._is_code(runs):
            self._add_lines("code", [line for run in runs for line in run.lines])
            return
        at = 0
        while at < len(runs):
            at += self._add_next(runs, at, below)

    def _runs(self, group: _Group) -> list[_Run]:
        """Cut a group where a line begins something else than the line before it."""
        runs: list[_Run] = []
        is_open = False
        for line in group.lines:
            if is_ornament(line):
                _mark_underlined(runs, line)
                is_open = False
            elif is_open and self._continues(runs[-1], line, group):
                runs[-1].lines.append(line)
            else:
                runs.append(_new_run(line, group))
                is_open = True
        return runs

    def _continues(self, run: _Run, line: Line, group: _Group) -> bool:
        """Return True if a line belongs to the run above it."""
        before = run.lines[-1]
        if line.quote != before.quote:
            return False
        if run.kind == "list":
            return self._continues_list(run, line, group)
        if run.kind == "columns":
            is_aligned = group.columns.get(line.start) == run.column
            return is_aligned or (line.indent >= run.column and line.start not in group.columns)
        if run.kind == "cells":
            return line.start in group.rows
        begins_pair = line.start in group.keyed and line.indent == run.indent
        if run.kind == "keys":
            goes_on = not before.ends_sentence and self._wraps(before, line, group)
            return begins_pair or line.indent > run.indent or goes_on
        return not begins_pair and self._continues_text(run, line, group)

    def _continues_list(self, run: _Run, line: Line, group: _Group) -> bool:
        if line.mark is not None or line.indent > run.indent:
            return True
        before = run.lines[-1]
        goes_on = not before.ends_sentence and self._wraps(before, line, group)
        return goes_on and line.start not in group.keyed

    def _continues_text(self, run: _Run, line: Line, group: _Group) -> bool:
        """Return True if a line goes on with a paragraph."""
        before = run.lines[-1]
        if line.start in group.columns or line.start in group.rows:
            return False
        if line.mark is not None:
            # A dash or a number may stand at the beginning of a line by chance.
            is_alone = group.marks[_kind_of_mark(line)] == 1
            return (
                is_alone and not before.text.endswith(":") and self._margins.is_full(before, line)
            )
        is_second = len(run.lines) == 1
        if line.indent > before.indent:
            # A hanging indent; a term above its definition has ended early.
            return is_second and not before.ends_sentence and self._margins.is_full(before, line)
        if line.indent < before.indent:
            # The first line of a paragraph may be indented more than the others.
            inside = ends_inside_sentence(before, line) or self._margins.is_full(before, line)
            return is_second and inside
        if not is_second and ends_inside_sentence(before, line, narrowest=0):
            return True
        return self._wraps(before, line, group)

    def _wraps(self, line: Line, following: Line, group: _Group) -> bool:
        """Return True if a paragraph goes on from one line to the next."""
        if line.text.endswith(":"):
            return self._margins.is_full(line, following) and following.text[0].islower()
        if ends_inside_sentence(line, following) or self._margins.is_full(line, following):
            return True
        if self._margins.usual is None and group.is_ragged:
            return is_full(line, following, group.longest)
        # Some authors begin each sentence on a line of its own.
        if group.has_wraps and line.ends_sentence:
            return line.width - line.indent >= SHORT_LINE
        return is_uncased(following) and line.width >= FILLED * group.longest

    def _is_inside_item(self, runs: Sequence[_Run]) -> bool:
        """Return True if a group is a further paragraph of the last item of a list."""
        if self._open_list is None or not runs or any(run.kind != "text" for run in runs):
            return False
        _, content = self._open_list
        return min(run.indent for run in runs) >= content

    def _is_code(self, runs: Sequence[_Run]) -> bool:
        """Return True if a group is an indented example: lines that are no prose."""
        if not runs or runs[0].indent < self._indent + 2 or not self._blocks:
            return False
        return all(run.is_line and not _is_prose(run.first) for run in runs)

    # Runs -> blocks

    def _add_next(self, runs: Sequence[_Run], at: int, below: Line | None) -> int:
        """Add the block that begins at a run, and return how many runs it took."""
        run = runs[at]
        # Only at the beginning of a group, or below its title.
        labelled = _alternating_pairs(runs[at:]) if at < 2 else []
        if labelled:
            self._add_pairs(labelled, is_attached=self._is_under_paragraph(at))
            return len(labelled) * 2
        under = runs[at + 1] if at + 1 < len(runs) else None
        rank = self._heading_rank(run, under, below, is_first=at == 0)
        terms = _terms_above(runs, at)
        if rank is not None and not (terms and rank >= _SHORT):
            return self._add_heading(runs, at, rank, under.first if under else below)
        if terms:
            self._add_definition(runs[at : at + terms + 1], is_attached=at > 0)
            return terms + 1
        return self._add_run(runs, at)

    def _add_run(self, runs: Sequence[_Run], at: int) -> int:
        """Add a run by its kind, and return how many runs were taken."""
        run = runs[at]
        if run.kind == "list":
            self._add_list(run, is_attached=self._is_under_paragraph(at))
        elif run.kind == "keys":
            self._add_pairs(_keyed_pairs(run), is_attached=self._is_under_paragraph(at))
        elif run.kind == "columns":
            self._add_pairs(_aligned_pairs(run), is_attached=self._is_under_paragraph(at))
        elif run.kind == "cells":
            self._add_cells(run)
        else:
            short = _short_lines(runs, at)
            if len(short) > 1:
                self._add_lines("paragraph", short)
                return len(short)
            self._add_paragraph(run)
        return 1

    def _is_under_paragraph(self, at: int) -> bool:
        """Return True if no blank line stands between the last paragraph and a run."""
        return at > 0 and bool(self._blocks) and self._blocks[-1].kind == "paragraph"

    def _heading_rank(
        self, run: _Run, under: _Run | None, below: Line | None, *, is_first: bool
    ) -> int | None:
        """Return the rank of a run that is a heading, else None.

        `under` is the next run of the group, `below` the first line of the next group.
        """
        if run.kind == "heading":
            return run.rank
        following = under.first if under else below
        if len(run.lines) > 1 or following is None or following.quote != run.first.quote:
            return None
        numbered = _numbered_rank(run, following, is_apart=under is None)
        if numbered is not None:
            return numbered
        if run.kind != "text" or not is_first:
            return None
        rank = self._rank_by_form(run.first, following) or self._rank_by_content(run.first, under)
        is_entry = rank is None and under is None and _heads_list(run.first, following)
        return _ENTRY if is_entry else rank

    def _rank_by_form(self, line: Line, following: Line) -> int | None:
        """Return the rank of a line in capitals, or one indented less than the text below it."""
        if not _is_title(line):
            return None
        if _is_capitals(line) and (line.indent < self._body or not self._body):
            return _CAPITALS
        is_section_of_manual = 0 < line.indent < self._body
        return _SECTION if is_section_of_manual and following.indent > line.indent else None

    def _rank_by_content(self, line: Line, under: _Run | None) -> int | None:
        """Return the rank of a short line with a paragraph, a list or the like right below it."""
        margin = self._margins.usual or USUAL_MARGIN
        is_short = line.width < FILLED * margin and line.text[0].isupper() and _is_title(line)
        if under is None or not is_short:
            return None
        is_long = len(under.lines) > 1 or under.first.width >= FILLED * margin
        is_content = under.kind != "text" or under.indent > line.indent
        is_paragraph = under.indent == line.indent and is_long
        return _SHORT + line.indent if is_content or is_paragraph else None

    def _add_heading(self, runs: Sequence[_Run], at: int, rank: int, following: Line | None) -> int:
        """Add a heading, of several lines if these are in capitals, and return how many runs."""
        last = at
        if rank == _CAPITALS and runs[at].kind == "text":
            while last + 1 < len(runs) and _is_capitals_run(runs[last + 1], runs[at].indent):
                last += 1
                following = runs[last + 1].first if last + 1 < len(runs) else following
        start, end = runs[at].first.start, runs[last].span[1]
        indent = runs[at].indent
        is_deeper = following is not None and following.indent > indent
        name = " ".join(self.text[start:end].split())
        self._open = [
            each
            for each in self._open
            if each.rank < rank and not each.is_ended_by(indent, self._group)
        ]
        self._open.append(_OpenHeading(name, rank, indent, is_deeper, self._group))
        self._blocks.append(
            _OpenBlock("heading", start, [(start, end)], self._headings, level=len(self._open))
        )
        self._indent, self._open_list = indent, None
        return last + 1 - at

    def _add_definition(self, runs: Sequence[_Run], *, is_attached: bool) -> None:
        """Add a term, which may be several lines, with the paragraph below it."""
        *terms, meaning = runs
        label = (terms[0].first.start, terms[-1].span[1])
        self._add_pairs([Entry(label, meaning.span)], is_attached=is_attached, joins=True)
        name = " ".join(self.text[slice(*label)].split())
        self._open.append(_OpenHeading(name, _TERM + terms[0].indent, terms[0].indent, True))

    def _add_pairs(
        self, entries: Sequence[Entry], *, is_attached: bool, joins: bool = False
    ) -> None:
        """Add pairs; with `joins` to the pairs right above, if there is no blank line between."""
        spans = tuple(entry.span for entry in entries)
        indent = self._indent_of(spans[0][0])
        self._close_headings(indent)
        last = self._blocks[-1] if self._blocks else None
        is_next = last is not None and last.kind == "pairs" and indent == self._indent
        if last and joins and is_attached and is_next and last.headings == self._headings:
            last.units.extend(spans)
            last.entries.extend(entries)
            return
        self._add("pairs", spans, indent, is_attached=is_attached, entries=tuple(entries))

    def _indent_of(self, offset: int) -> int:
        """Return the columns before the character at an offset."""
        line_start = self.text.rfind("\n", 0, offset) + 1
        return len(self.text[line_start:offset].expandtabs())

    def _add_cells(self, run: _Run) -> None:
        """Add lines with cells as pairs if each second cell is a label, else as a table."""
        rows = [cell_ranges(line) for line in run.lines]
        if all(are_pairs([self.text[slice(*cell)] for cell in cells]) for cells in rows):
            pairs = [Entry(*pair) for row in rows for pair in zip(row[::2], row[1::2], strict=True)]
            units = tuple(line.span for line in run.lines)
            self._close_headings(run.indent)
            self._add("pairs", units, run.indent, entries=tuple(pairs))
        else:
            self._add_lines("table", run.lines)

    def _add_list(self, run: _Run, *, is_attached: bool) -> None:
        """Add a list, or its items to the list above from which a blank line parts them."""
        items, indent = _items(run.lines), run.indent
        self._close_headings(indent)
        units = [item.content for item in items]
        last = self._blocks[-1] if self._blocks else None
        if last and self._open_list and not is_attached and last.headings == self._headings:
            marks, content = self._open_list
            if indent == marks:
                last.units.extend(units)
                last.entries.extend(_outer_entries(items))
                return
            if marks < indent <= content + 1:
                last.add_inside(units)
                return
        self._add(
            "list",
            units,
            indent,
            start=run.span[0],
            is_attached=is_attached,
            numbered=bool(run.first.mark and run.first.mark.number),
            entries=_outer_entries(items),
        )
        self._open_list = (indent, run.first.content_indent)

    def _add_paragraph(self, run: _Run) -> None:
        indent = run.indent
        self._close_headings(indent)
        self._add("paragraph", (run.span,), indent)

    def _add_lines(self, kind: BlockKind, lines: Sequence[Line]) -> None:
        """Add lines that were ended on purpose as one block."""
        spans = tuple(line.span for line in lines)
        self._close_headings(lines[0].indent)
        entries = tuple(Entry((start, start), (start, end)) for start, end in spans)
        self._add(kind, spans, lines[0].indent, entries=entries if kind == "table" else ())

    def _add(
        self,
        kind: BlockKind,
        units: Sequence[TextRange],
        indent: int,
        *,
        start: int | None = None,
        is_attached: bool = False,
        numbered: bool = False,
        entries: Sequence[Entry] = (),
    ) -> None:
        block = _OpenBlock(
            kind,
            units[0][0] if start is None else start,
            list(units),
            self._headings,
            lead=self._lead(kind, is_attached=is_attached),
            numbered=numbered,
            entries=list(entries),
        )
        self._blocks.append(block)
        self._indent, self._open_list = indent, None

    def _lead(self, kind: BlockKind, *, is_attached: bool) -> TextRange | None:
        if kind in WITHOUT_LEAD or not self._blocks or self._blocks[-1].kind != "paragraph":
            return None
        return lead_of(self.text, self._blocks[-1].finish(), is_attached=is_attached)

    def _close_headings(self, indent: int) -> None:
        """End headings and terms whose text is indented more than a block that comes now."""
        while self._open and self._open[-1].is_ended_by(indent, self._group):
            self._open.pop()

    @property
    def _headings(self) -> tuple[str, ...]:
        return tuple(heading.name for heading in self._open)


def _new_run(line: Line, group: _Group) -> _Run:
    if line.mark is not None:
        return _Run("list", [line])
    if line.start in group.rows:
        return _Run("cells", [line])
    if line.start in group.keyed:
        return _Run("keys", [line])
    if line.start in group.columns:
        return _Run("columns", [line], column=group.columns[line.start])
    return _Run("text", [line])


def _mark_underlined(runs: Sequence[_Run], rule: Line) -> None:
    """Make the line above an underline a heading."""
    if not runs or not runs[-1].is_line:
        return
    line = runs[-1].first
    is_underline = rule.text[0] in _UNDERLINES and len(set(rule.text)) == 1
    if is_underline and len(rule.text) >= FILLED * len(line.text) and not _has_gap(line):
        runs[-1].kind = "heading"
        runs[-1].rank = _DOUBLE_RULE if rule.text[0] in "=#" else _SINGLE_RULE


def _kind_of_mark(line: Line) -> tuple[int, bool]:
    """Return the indent of a line with a mark, and True if that is a number or a letter."""
    return line.indent, line.mark is not None and bool(line.mark.number)


def _body_indent(groups: Sequence[Sequence[Line]]) -> int:
    """Return the usual indent below the headings in capitals of a manual page, 0 in other texts."""
    lines = [line for group in groups for line in group[:2]]
    indents = Counter(
        below.indent
        for line, below in pairwise(lines)
        if not line.indent and below.indent and _is_capitals(line)
    )
    return indents.most_common(1)[0][0] if indents else 0


def _has_gap(line: Line) -> bool:
    return _WIDE_GAP.search(line.text) is not None


def _is_title(line: Line) -> bool:
    """Return True if a line may be a heading: short, with letters, and no sentence or row."""
    if len(line.text) > LONGEST_HEADING or _has_gap(line) or line.mark is not None:
        return False
    return not line.text.endswith((".", ",", ";", ":", "!", "…", "…", "|"))


def _is_capitals(line: Line) -> bool:
    """Return True for a heading in capitals."""
    letters = sum(map(str.isalpha, line.text))
    return letters > 1 and line.text.isupper() and _is_title(line)


def _is_capitals_run(run: _Run, indent: int) -> bool:
    return run.is_line and run.indent == indent and _is_capitals(run.first)


def _numbered_rank(run: _Run, following: Line, *, is_apart: bool) -> int | None:
    """Return the rank of a heading by its number, or as a part: "SECTION 4: First aid"."""
    number = _heading_number(run, following, is_apart=is_apart)
    if number is not None:
        return _NUMBER + number.count(".")
    return _PART if _is_labelled(run.first) and not _is_labelled(following) else None


def _heading_number(run: _Run, following: Line, *, is_apart: bool) -> str | None:
    """Return the number of a line that is a numbered heading ("3.2 Costs"), else None.

    Items of a list have numbers, too: the text of an item is indented to the text of its first
    line, and the next item follows it at once, unless the two lines are `is_apart`.
    """
    line = run.first
    match = _NUMBERED.match(line.text)
    if match is None or run.kind not in {"text", "list"} or len(line.text) > LONGEST_HEADING:
        return None
    if line.text.endswith((".", ",", ";", ":", "!")) or _has_gap(line):
        return None
    if following.indent < line.indent or _is_next_entry(
        match["number"], following, is_apart=is_apart
    ):
        return None
    is_item = run.kind == "list" and following.indent >= line.content_indent
    return None if is_item else match["number"]


def _is_next_entry(number: str, following: Line, *, is_apart: bool) -> bool:
    """Return True if a numbered line stands below one, as in a list or a table of contents.

    The first clause below a heading is none: "4.1 Lockers take a coin." below "4. Lockers"; nor is
    the first heading inside a part, behind a blank line.
    """
    below = _NUMBERED.match(following.text)
    if below is None:
        return False
    is_long = following.ends_sentence or len(following.text) > LONGEST_HEADING
    is_inside = below["number"].startswith(f"{number}.")
    return not (is_inside and (is_apart or is_long))


def _is_labelled(line: Line) -> bool:
    """Return True for a short line that opens a part by name and number, and is no sentence."""
    is_short = len(line.text) <= LONGEST_HEADING and not _has_gap(line)
    is_open = line.text.endswith((".", ",", ";", ":", "!"))
    return is_short and not is_open and _LABELLED.match(line.text) is not None


def _heads_list(line: Line, following: Line) -> bool:
    """Return True for the head of an entry of a changelog: a list follows it, indented."""
    is_list_below = following.mark is not None and following.indent > line.indent == 0
    return is_list_below and not line.text.endswith((".", ":", ",", ";"))


def _is_prose(line: Line) -> bool:
    """Return True if a line that stands alone is a sentence."""
    return line.ends_sentence and line.text[0].isupper() and len(line.text.split()) > 3


def _short_lines(runs: Sequence[_Run], at: int) -> list[Line]:
    """Return the short lines of one indent from a run on, as of an address."""
    lines: list[Line] = []
    while at < len(runs) and runs[at].is_line and runs[at].indent == runs[at - len(lines)].indent:
        line = runs[at].first
        if len(line.text) >= SHORT_LINE or line.ends_sentence:
            break
        lines.append(line)
        at += 1
    return lines


def _alternating_pairs(runs: Sequence[_Run]) -> list[Entry]:
    """Return the pairs of a filled form: a line with a label above each value; none if it is none.

    At least two pairs; half of the values are no labels themselves.
    """
    if len(runs) < 4 or len(runs) % 2 or any(run.kind != "text" for run in runs):
        return []
    if len({(run.indent, run.first.quote) for run in runs}) > 1:
        return []
    labels, values = runs[::2], runs[1::2]
    if not all(run.is_line and is_label(run.first.text) for run in labels):
        return []
    plain_values = sum(not is_label(run.first.text) for run in values)
    if plain_values < len(values) / 2:
        return []
    return [Entry(label.span, value.span) for label, value in zip(labels, values, strict=True)]


def _terms_above(runs: Sequence[_Run], at: int) -> int:
    """Return how many lines from a run on are terms above the definition below them."""
    last = at
    while last < len(runs) and _is_term(runs[last]) and runs[last].indent == runs[at].indent:
        last += 1
    if last in {at, len(runs)}:
        return 0
    meaning, below = runs[last], runs[last + 1] if last + 1 < len(runs) else None
    is_deeper = meaning.kind == "text" and meaning.indent > runs[at].indent
    is_alone = below is None or below.indent < meaning.indent or below.kind != "text"
    return last - at if is_deeper and is_alone else 0


def _is_term(run: _Run) -> bool:
    text = run.first.text
    is_short = run.is_line and len(text) <= LONGEST_TERM
    if text.endswith("..."):  # "stop ID..." takes several
        return is_short
    return is_short and not text.endswith((".", "!", "?", ",", ";", ":", "…"))


def _keyed_pairs(run: _Run) -> list[Entry]:
    """Return the pairs of lines "Key: value", whose values may go on in further lines."""
    pairs: list[Entry] = []
    for line in run.lines:
        key = key_of(line) if line.indent == run.indent else None
        if key is None and pairs:
            label, (start, _) = pairs[-1]
            pairs[-1] = Entry(label, (start, line.end))
        elif key is not None:
            after = line.text[key[1] - line.start + 1 :]
            pairs.append(Entry(key, (line.end - len(after.lstrip()), line.end)))
    return pairs


def _aligned_pairs(run: _Run) -> list[Entry]:
    """Return the pairs of lines with terms and values in two columns."""
    pairs: list[Entry] = []
    for line in run.lines:
        aligned = aligned_term(line) if line.indent < run.column else None
        if aligned is None and pairs:
            label, (start, _) = pairs[-1]
            pairs[-1] = Entry(label, (start, line.end))
        elif aligned is not None:
            pairs.append(Entry(aligned[0], (line.start + aligned[1], line.end)))
    return pairs


@dataclass(slots=True)
class _Item:
    """Item of a list under construction."""

    label: TextRange
    content: TextRange
    indent: int


def _items(lines: Sequence[Line]) -> list[_Item]:
    """Return the items of a list in order, nested ones after the item around them."""
    items: list[_Item] = []
    for line in lines:
        if line.mark is not None:
            items.append(_Item(line.mark.span, (line.content, line.end), line.indent))
        else:
            items[-1].content = (items[-1].content[0], line.end)
    return items


def _outer_entries(items: Sequence[_Item]) -> tuple[Entry, ...]:
    """Return the outermost items, each with the items inside it."""
    entries: list[Entry] = []
    for item in items:
        if entries and item.indent > items[0].indent + 1:
            entries[-1] = Entry(entries[-1].label, (entries[-1].content[0], item.content[1]))
        else:
            entries.append(Entry(item.label, item.content))
    return tuple(entries)
