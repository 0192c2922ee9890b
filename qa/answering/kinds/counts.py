"""Questions for a number of things: the rows of a table that are such things, quoted and counted.

Nothing else is counted: a number that a text states is found by the reader.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import regex

from index.document import TextRange
from index.text.structure import with_lead
from index.wording import counted
from qa.answer import AnswerSpan, Certainty
from qa.answering.attributes import exact_terms, name_terms, same_attribute
from qa.answering.kinds.context import KindAnswer, QuestionContext
from qa.answering.kinds.grids import Cell, Grid, grids, row_span, rows_of, subject_column
from qa.answering.question import reader_question

LEAST_COVERAGE = 0.75
"""Share of the question's words that the rows and the words over them must hold."""
MOST_ROWS = 50
"""Rows that are quoted; a note tells how many there are."""
_HOW_MANY = regex.compile(
    r"^(?:and |so |but )?(?:in |for |on |at )?how many (?:of (?:the|our|these|those) )?"
    r"(?P<noun>(?:\p{L}+[ -]){0,2}?\p{L}+s)\b",
    regex.IGNORECASE,
)
_ASKING = exact_terms(
    "how many much number count came come comes out there exist exists total all listed list named "
    "got get gets made one currently now available offered ordered order can"
)


@dataclass(frozen=True, slots=True)
class _Counted:
    """Rows of one or more tables of a document, and how well they fit the question."""

    grid: Grid
    rows: tuple[TextRange, ...]
    coverage: float
    is_named: bool


def answer(context: QuestionContext) -> KindAnswer | None:
    """Quote the rows that a question asks to count; None where no table has them."""
    question = reader_question(context.question)
    asked = _HOW_MANY.match(question)
    if asked is None:
        return None
    terms = exact_terms(question) - _ASKING
    noun = exact_terms(asked["noun"].split()[-1])
    found = [each for grid in grids(context, [question]) for each in _counted(grid, terms, noun)]
    best = max(
        found,
        key=lambda each: (each.coverage, each.is_named, -each.grid.passage.rank),
        default=None,
    )
    if best is None or best.coverage < LEAST_COVERAGE:
        return None
    spans = _with_sheets(context, best, terms)
    certainty: Certainty = "sure" if best.coverage == 1 and best.is_named else "likely"
    heading = best.grid.block.heading
    quotes: tuple[AnswerSpan, ...] = tuple(
        context.quote(best.grid.document_id, span, certainty, heading) for span in spans[:MOST_ROWS]
    )
    return KindAnswer("list", quotes, notes=(f"Counted: {counted(len(spans), 'row')}.",))


def _counted(grid: Grid, terms: frozenset[str], noun: frozenset[str]) -> Iterator[_Counted]:
    """Yield the rows of a table that are the things of a question, if it may be counted."""
    rows = _full_rows(grid.rows)
    if len(rows) < 2 or _is_column_of_numbers(rows, noun):
        return
    names = frozenset().union(*(name_terms(cell.name) for cell in rows[0]))
    over = same_attribute(terms, names) | (terms & grid.context_terms)
    rest = terms - over
    chosen, held = _holding(rows, rest)
    is_named = noun <= over and bool(
        noun & (name_terms(subject_column(rows[0])) | _terms_above(grid))
    )
    if not chosen or (rest and not held) or not (is_named or held):
        return
    coverage = len(over | held) / max(len(terms), 1)
    yield _Counted(grid, tuple(row_span(grid.text, row) for row in chosen), coverage, is_named)


def _terms_above(grid: Grid) -> frozenset[str]:
    """Return the terms of the words that say what the rows of a table are.

    Below a heading of its own they are not what the document as a whole is about.
    """
    if len(grid.block.headings) < 2:
        return grid.context_terms
    start = with_lead(grid.block)[0]
    return exact_terms(f"{grid.block.headings[-1]} {grid.text[start : grid.block.start]}")


def _holding(
    rows: Sequence[tuple[Cell, ...]], terms: frozenset[str]
) -> tuple[list[tuple[Cell, ...]], set[str]]:
    """Return the rows that hold most of some terms, and these; all rows for none."""
    if not terms:
        return list(rows), set()
    held = [_held(row, terms) for row in rows]
    best = max(held, key=len)
    chosen = [row for row, own in zip(rows, held, strict=True) if own and own == best]
    return (chosen, best) if best else ([], set())


def _held(row: Sequence[Cell], terms: frozenset[str]) -> set[str]:
    """Return the terms that the cells of a row hold, or have another word for."""
    words = frozenset().union(*(exact_terms(cell.text) for cell in row))
    short = [cell for cell in row if len(cell.text.split()) == 1]
    alike = frozenset().union(*(name_terms(cell.text) for cell in short)) if short else frozenset()
    return set(terms & words) | same_attribute(terms, alike)


def _is_column_of_numbers(rows: Sequence[tuple[Cell, ...]], noun: frozenset[str]) -> bool:
    """Return True if a table states the number itself, in a column named like the things."""
    for name in {cell.name for cell in rows[0]}:
        values = [cell.text for row in rows for cell in row if cell.name == name]
        are_numbers = all(value[:1].isdigit() for value in values)
        if noun & name_terms(name) and are_numbers and len(exact_terms(name)) == 1:
            return True
    return False


def _with_sheets(
    context: QuestionContext, best: _Counted, terms: frozenset[str]
) -> list[TextRange]:
    """Return the rows with those of the document's other tables that have the same columns."""
    grid = best.grid
    columns = [cell.name for cell in _full_rows(grid.rows)[0]]
    rest = terms - grid.context_terms - frozenset().union(*map(name_terms, columns))
    spans = set(best.rows)
    for rows in _tables_alike(context, grid, columns, terms):
        chosen, held = _holding(rows, rest)
        if held or not rest:
            spans |= {row_span(grid.text, row) for row in chosen}
    return sorted(spans)


def _tables_alike(
    context: QuestionContext, grid: Grid, columns: Sequence[str], terms: frozenset[str]
) -> Iterator[list[tuple[Cell, ...]]]:
    """Yield the rows of the document's other tables with these columns.

    None but the table itself is meant where the question has words of its headings alone.
    """
    own = exact_terms(" ".join(grid.block.headings))
    for block in context.snapshot.blocks(grid.document_id):
        names_this_one = terms & (own - exact_terms(" ".join(block.headings)))
        if block.kind != "table" or block.start == grid.block.start or names_this_one:
            continue
        rows = _full_rows(rows_of(grid.text, block))
        if rows and [cell.name for cell in rows[0]] == columns:
            yield rows


def _full_rows(rows: Iterable[tuple[Cell, ...]]) -> list[tuple[Cell, ...]]:
    """Return the rows of more than one cell."""
    return [row for row in rows if len(row) > 1]
