"""Questions for a cell: the row that the question names, the column that it asks for.

A cell is looked up where all words of the question are found: in its row, in the name of its
column or in the words over the table. What a table does not say in these words is left to the
reader.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import regex

from index.document import TextRange
from index.search.bm25 import analyse
from qa.answering.answer_types import AnswerType, asked_type, type_agreement
from qa.answering.attributes import (
    exact_terms,
    is_attribute,
    name_terms,
    names_type,
    other_words,
    same_attribute,
    short_days,
    typed_share,
)
from qa.answering.features import missing_names
from qa.answering.kinds.context import KindAnswer, QuestionContext
from qa.answering.kinds.grids import Cell, Grid, grids
from qa.answering.kinds.lists import wanted_of
from qa.answering.question import kind_of, reader_question
from qa.answering.versions import dated_by_author

LEAST_COVERAGE = 0.75
"""Share of the question's words that row, column and the words over the table must hold."""
SURE_COVERAGE = 0.99
"""The same for a cell that is surely meant, if no other cell is nearly as good."""
MARGIN, SURE_MARGIN = 0.08, 0.2
"""Scores by which a cell must beat other ones, to be meant and to be surely meant."""
_ALIKE, _AROUND = 0.8, 0.7
"""Weights of a word for which the column has another one, and of one that stands over the table."""
_TYPED, _NAMED, _TOPIC, _OF_CODE, _PER_RANK = 0.2, 0.2, 0.3, 0.7, 0.01
_OF_VARIANT = 0.15
"""Loss of a column of another variant of the code that is asked for: "G3 Plus" for "G3"."""
"""Bonus of a cell of the type that is asked for, of a column named exactly, of words of the
question over the table, and of what a code means or needs; loss per rank of the passage."""
_SAME_ROW = 0.75
"""Share of the words of a row's subject that a question must name for a sure answer."""
_ASKING = frozenset(
    analyse(
        "what which who whom whose when where why how much many do does did is are was were get "
        "tell me please give show us have has there name long often far amount number one happen "
        "happens somebody someone anybody now current currently latest newest today present say "
        "says show shows read need needs take takes took taken made make"
    )
)
_CURRENT = regex.compile(
    r"(?<!\b(?:is|are|was|were|be)\s)\bcurrent(?=\s+(?:do|does|did|is|of|for|at|has|have|can|may|in"
    r"|through|rating|draw|consumption)\b|\s*$)",
    regex.IGNORECASE,
)
"""The noun, which is an attribute: "what output current does it have?", not "the current price"."""
_FUTURE = regex.compile(r"\bwhen(?:'s| is| are)? .*\b(?:due|going to)\b|\bwill\b|\bnext\b", regex.I)
_PAST = regex.compile(r"(?<!\p{L})(?:last|latest|previous|previously|former)(?!\p{L})", regex.I)
"""Words of a question for what is to come, and of a column for what was: "last_patched"."""
_MUST_BE_NAMED = frozenset({"phone", "email", "person", "place", "date"})
"""Types that many texts seem to have: the name of the column must speak of them."""
_HOW_MUCH_IS = regex.compile(
    r"^(?:and |so |but )?how much (?:is|are|was|were|for|does|do)\b", regex.IGNORECASE
)
_HOW = regex.compile(r"^(?:and |so |but )?how (?P<word>\p{L}+)", regex.IGNORECASE)
_CODE = regex.compile(r"^[\p{N}\p{P}]+$|^(?=.*\p{N})[\p{L}\p{N}/.-]{1,12}$")
"""A number or a code: the first cell of a row that only counts or names it for a machine."""
_COUNT = regex.compile(r"^[<>≤≥~±]?\p{N}[\p{N}.,]*(?:\s\p{L}+)*$")
_PERSON = regex.compile(
    r"^(?:Dr|Mrs?|Ms|Prof)\b\.? \p{Lu}|^\p{Lu}[\p{L}.]*(?:[ -]\p{Lu}[\p{L}'’.]*)+$"
)
"""A name of a person: a title, or several capitalised words."""
_ECHO = 0.5
"""Share of a cell's words in the question from which it only repeats that."""
_SUFFIX = regex.compile(r"\p{L}{1,2}")
_UNIT_OF = regex.compile(r"^\D{0,2}\p{N}[\p{N}.,]*\s?[\p{L}%°/³²]{1,6}$")
"""A number with its unit alone."""
_CLEAR: frozenset[AnswerType] = frozenset({"money", "email", "phone"})
"""Types that few texts have by chance."""
_PARTS = regex.compile(r"[^\s,;](?:[^,;]|,(?=\p{N}))*(?<!\s)")
"""Parts of a value between commas: "Wednesdays, €52 a month, 6 to 10 years"."""
_MERGED_WORDS = 3
"""Most words of each part of a cell that holds those of several columns."""
_PHRASES = (
    (
        regex.compile(r"\b(?:looks?|looking|see[ns]?) after\b|\bin charge of\b", regex.I),
        "responsible",
    ),
    (
        regex.compile(r"\b(?:what now|what (?:should|can|must|do) (?:i|we|you) do)\b", regex.I),
        "action",
    ),
    (regex.compile(r"\bwhat (?:does|do) (?=.*\b(?:mean|stand for|say)\b)", regex.I), "meaning "),
    (regex.compile(r"\b(?:takes?|took|taking) place\b", regex.I), ""),
    (regex.compile(r"(?<=\p{L})['’]s\b"), ""),
    (regex.compile(r"^[Ww]ho (?:is|was) (?=\p{Lu}\p{L}+(?: \p{Lu}[\p{L}-]+)+$)"), "role of "),
)
"""Phrases that ask for an attribute, with one word for it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question for a cell: its text, its index terms, its words and the type of the answer.

    With `attribute`, a column that may be meant although no word names it, a code is looked up.
    `may_be_list` is True if several may be asked for.
    """

    text: str
    terms: frozenset[str]
    words: frozenset[str]
    wanted: AnswerType | None
    attribute: str = ""
    may_be_list: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """A cell with the words of the question that stand around it, and how well it fits.

    It was asked for a value of the type `wanted`.
    """

    grid: Grid
    wanted: AnswerType | None
    cell: Cell
    row: tuple[Cell, ...]
    coverage: float
    exactness: float
    score: float


def answer(context: QuestionContext) -> KindAnswer | None:
    """Quote the cell that a question asks for; None where no table has it in these words."""
    found, lead = look_up(context)
    if found is None:
        return None
    is_sure = (
        found.coverage >= SURE_COVERAGE and lead >= SURE_MARGIN and found.exactness >= _SAME_ROW
    )
    span = context.quote(
        found.grid.document_id,
        _part_of_type(found.cell, found.wanted),
        "sure" if is_sure else "likely",
        found.grid.block.heading,
    )
    return KindAnswer("span", cell=span, partial=found.coverage < SURE_COVERAGE)


def _part_of_type(cell: Cell, wanted: AnswerType | None) -> TextRange:
    """Return the range of the only part between commas that has a clear type, else of the cell."""
    if wanted not in _CLEAR:
        return cell.span
    parts = list(_PARTS.finditer(cell.text))
    typed = [part for part in parts if type_agreement(wanted, part.group()) > 0]
    if len(parts) == 1 or len(typed) != 1:
        return cell.span
    start = cell.span[0]
    return start + typed[0].start(), start + typed[0].end()


def look_up(context: QuestionContext) -> tuple[Found | None, float]:
    """Return the cell that a question asks for, and by how much it beats others.

    It is None if none fits or others fit as well.
    """
    asked = asked_of(context.question)
    if asked is None:
        return None, 0.0
    queries = _queries(asked, context.question)
    found = [each for grid in grids(context, queries) for each in _cells(grid, asked)]
    ranked = sorted(found, key=lambda each: -each.score)
    if not ranked or ranked[0].coverage < LEAST_COVERAGE:
        return None, 0.0
    best = ranked[0]
    rivals = [each for each in ranked[1:] if each.cell.text != best.cell.text]
    lead = best.score - (rivals[0].score if rivals else 0.0)
    if lead >= MARGIN:
        return best, lead
    return _newest([best, *(each for each in rivals if best.score - each.score < MARGIN)]), lead


def _newest(found: Sequence[Found]) -> Found | None:
    """Return of cells that fit as well the one of the newest document, None if that is unclear.

    All have one name, and stand in rows of the same things of dated documents: reports that follow
    one another. A question for the past does not want the newest.
    """
    standing = found[0].grid.passage.standing
    if standing.asks_past or standing.period is not None:
        return None
    kinds = {(each.cell.name, each.row[0].text if len(each.row) > 1 else "") for each in found}
    dates = {each.grid.document_id: dated_by_author(each.grid.passage.document) for each in found}
    if len(kinds) > 1 or len(dates) < len(found) or len(set(dates.values())) < len(found):
        return None
    newest = max(found, key=lambda each: dates[each.grid.document_id])
    return newest if all(dates.values()) else None


def asked_of(question: str) -> Asked | None:
    """Return what a question asks of a table, None if it wants more than one cell."""
    text = reader_question(question)
    for phrase, word in _PHRASES:
        text = phrase.sub(word, text)
    asking = _ASKING - {"current"} if _CURRENT.search(text) else _ASKING
    terms = exact_terms(text) - asking
    wanted = asked_type(text)
    if wanted is None and _HOW_MUCH_IS.match(text):
        wanted = "money"
    names_code = wanted is None and any(map(_has_digit, terms))
    # "Who maintains the workers?" may want one person, and "who maintains it?" all of them.
    is_open = kind_of(question) == "span" and (wanted_of(question) is None or wanted == "person")
    if not terms or not (is_open or names_code):
        return None
    attribute = ""
    if names_code:
        attribute = "action" if "action" in terms or wanted_of(question) == "steps" else "meaning"
    may_be_list = wanted_of(question) == "items"
    terms -= {"action", "mean"}
    return Asked(text, terms, name_terms(text), wanted, attribute, may_be_list)


def _queries(asked: Asked, question: str) -> list[str]:
    """Return the queries that find the rows of a question: itself, and with its attribute's names.

    Where its words are asked as they stand, the reader's passages are those of the first query.
    "How loud is it?" shares no word with a row of sound levels, "19th of October" none with "19-23
    Oct".
    """
    first = question if reader_question(question) == asked.text else asked.text
    if asked.wanted == "money":
        return [first, f"{asked.text} price"]
    days = short_days(asked.text)
    if days:
        return [first, f"{asked.text} {days}"]
    adjective = _HOW.match(asked.text)
    words = other_words(adjective["word"]) if adjective else ""
    return [first, f"{asked.text} {words}"] if words else [first]


def _cells(grid: Grid, asked: Asked) -> Iterator[Found]:
    """Yield the cells of a table that may be asked for."""
    for row in grid.rows:
        # A cell without a name behind the first one stands under a second row of names.
        if any(not cell.name for cell in row[1:]):
            continue
        for at in range(len(row)):
            found = _found(grid, row, at, asked)
            if found is not None:
                yield found


def _is_merged(cell: Cell) -> bool:
    """Return True if a cell holds those of several columns, under two rows of names."""
    parts = cell.text.split("; ")
    return len(parts) > 1 and all(len(part.split()) <= _MERGED_WORDS for part in parts)


@dataclass(frozen=True, slots=True)
class _Named:
    """Terms of a question that name a cell: its column, in its row and over its table.

    `exact` are those that the column's name holds, `alike` these and others for the same attribute.
    `of_type` is True if the cell has the type that is asked for, `is_code` if its row is that of a
    code in the question.
    """

    name: frozenset[str]
    exact: frozenset[str]
    alike: set[str]
    in_row: set[str]
    around: frozenset[str]
    of_type: bool
    is_code: bool


def _found(grid: Grid, row: Sequence[Cell], at: int, asked: Asked) -> Found | None:
    """Return how well a cell fits a question, None if it cannot be meant."""
    cell, terms = row[at], asked.terms
    named = _named(grid, row, at, asked)
    if named is None:
        return None
    covered = named.alike | named.in_row | named.around | (terms & exact_terms(cell.text))
    said = _said_by_type(row, asked) - covered
    if _lacks_names(asked, grid, covered | said):
        return None
    others = [each for number, each in enumerate(row) if number != at]
    exactness = _exactness(others, terms) if named.in_row else 0.0
    score = _score(named, asked) + exactness / 2 - _PER_RANK * (grid.passage.rank - 1)
    coverage = len(covered) / max(len(terms - said), 1)
    return Found(grid, asked.wanted, cell, tuple(row), coverage, exactness, score)


def _named(grid: Grid, row: Sequence[Cell], at: int, asked: Asked) -> _Named | None:
    """Return the terms that name a cell, None if they do not name one that may answer."""
    cell, terms = row[at], asked.terms
    if not cell.name or not _may_answer(cell, asked):
        return None
    others = [each for number, each in enumerate(row) if number != at]
    name = name_terms(cell.name)
    exact, alike = terms & name, same_attribute(terms, name)
    of_type = _is_of_type(row, at, asked, name)
    in_row = _named_in_row(terms, others)
    is_code = bool(asked.attribute) and _is_code_of(others, terms, asked.attribute, name)
    if not (alike or of_type or is_code) or not _is_specific(grid, row, in_row, name, alike):
        return None
    # "Who maintains it?" asks for all maintainers, not for whom another word names: an author.
    if asked.may_be_list and not (exact or in_row):
        return None
    return _Named(name, exact, alike, in_row, terms & grid.context_terms, of_type, is_code)


def _score(named: _Named, asked: Asked) -> float:
    """Return how well the words around a cell name it."""
    exact, in_row, count = named.exact, named.in_row, len(asked.terms)
    weight = len(exact | in_row) + _ALIKE * len(named.alike - exact - in_row)
    weight += _AROUND * len(named.around - named.alike - in_row)
    score = weight / count + _TYPED * named.of_type + _OF_CODE * named.is_code
    score += _NAMED * max(
        len(exact) / max(len(named.name), 1), typed_share(asked.wanted, named.name)
    )
    score += _TOPIC * len(named.around) / count
    return score - _OF_VARIANT * _is_of_variant(exact, named.name, asked)


def _said_by_type(row: Sequence[Cell], asked: Asked) -> set[str]:
    """Return the terms for which the value of a pair stands: "cost" for "€52 a month"."""
    if len(row) > 1 or type_agreement(asked.wanted, row[0].text) <= 0:
        return set()
    return {term for term in asked.terms if names_type(asked.wanted, frozenset({term}))}


def _is_of_variant(exact: frozenset[str], name: frozenset[str], asked: Asked) -> bool:
    """Return True if a column's name holds a code of the question, and words that it has not."""
    return any(map(_has_digit, exact)) and not name <= asked.words


def _named_in_row(terms: frozenset[str], others: Sequence[Cell]) -> set[str]:
    """Return the terms of a question that the other cells of a row hold.

    Where one of them is named, its column may be, too ("in room 7"); and the first cell may be the
    name of an attribute that the question has another word for ("Sound pressure level").
    """
    named: set[str] = set()
    for number, cell in enumerate(others):
        own = terms & exact_terms(cell.text)
        if own:
            named |= own | (terms & name_terms(cell.name)) | _variants(terms, cell)
        if number == 0 and not _CODE.match(cell.text):
            named |= same_attribute(terms, name_terms(cell.text))
    return named


def _variants(terms: frozenset[str], cell: Cell) -> set[str]:
    """Return the codes of a question of which a cell names a variant: "HX-40S" of "HX-40".

    The cell holds other words of the question, too, that tell the variant ("stainless").
    """
    codes = {term for term in exact_terms(cell.text) if _has_digit(term)}
    return {
        term
        for term in filter(_has_digit, terms)
        if any(code != term and _SUFFIX.fullmatch(code.removeprefix(term)) for code in codes)
    }


def _is_of_type(row: Sequence[Cell], at: int, asked: Asked, name: frozenset[str]) -> bool:
    """Return True if a cell's column or the cell alone in its row is of the type asked for."""
    cell = row[at]
    if names_type(asked.wanted, name):
        return True
    if asked.wanted == "person":
        return _PERSON.match(cell.text) is not None and bool(asked.terms & name)
    return asked.wanted not in _MUST_BE_NAMED and _is_only_one_of_type(row, at, asked.wanted)


def _is_code_of(
    others: Sequence[Cell], terms: frozenset[str], attribute: str, name: frozenset[str]
) -> bool:
    """Return True if a row is that of a code in the question, and a column its attribute."""
    code = exact_terms(others[0].text) if others else frozenset()
    return bool(code) and code <= terms and bool(same_attribute([attribute], name))


def _may_answer(cell: Cell, asked: Asked) -> bool:
    """Return True if a cell can have the type that is asked for and does not repeat the question.

    A count is a number in digits: neither "none" nor a code.
    """
    if _FUTURE.search(asked.text) and _PAST.search(cell.name) and not _PAST.search(asked.text):
        return False
    own = exact_terms(cell.text)
    # "How many Nm" is answered by "135 Nm": a unit beside a number repeats nothing.
    repeated = {term for term in own & asked.terms if not _UNIT_OF.search(cell.text)}
    if _is_merged(cell) or len(repeated) >= _ECHO * max(len(own), 1):
        return False
    if asked.may_be_list and ", " in cell.text:
        return False
    if asked.wanted == "count":
        return _COUNT.match(cell.text) is not None
    agreement = type_agreement(asked.wanted, cell.text)
    return agreement > 0 if asked.wanted == "date" else agreement >= 0


def _is_specific(
    grid: Grid, row: Sequence[Cell], in_row: set[str], name: frozenset[str], alike: set[str]
) -> bool:
    """Return True if a question names the row, or the key of a pair that stands alone."""
    if len(row) > 1 and len(grid.rows) > 1:
        return bool(in_row)
    # "Minutes taken by" is named by the minutes alone.
    content = exact_terms(row[0].name) - _ASKING
    return 2 * len(alike) >= min(len(content) or len(name), len(name))


def _lacks_names(asked: Asked, grid: Grid, covered: set[str]) -> bool:
    """Return True if a code, a number or an attribute is not there, or a name nowhere near."""
    if any(_has_digit(term) or is_attribute(term) for term in asked.terms - covered):
        return True
    names = missing_names(asked.text, grid.context)
    # The parties of a contract stand in its text, and not over its tables.
    text = grid.text.lower()
    return any(not _has_digit(name) and name.lower() not in text for name in names)


def _has_digit(text: str) -> bool:
    return any(character.isdigit() for character in text)


def _is_only_one_of_type(row: Sequence[Cell], at: int, wanted: AnswerType | None) -> bool:
    """Return True if no other cell of a row has the type that is asked for, and this one has."""
    if wanted is None or wanted == "count":
        return False
    own = [number for number, each in enumerate(row) if type_agreement(wanted, each.text) > 0]
    return own == [at]


def _exactness(others: Sequence[Cell], terms: frozenset[str]) -> float:
    """Return how exactly a question names what a row is about, in [0, 1].

    That is the first cell, or the second behind a code; words elsewhere in the row count less.
    """
    first = [exact_terms(each.text) for each in others[: 2 if _CODE.match(others[0].text) else 1]]
    subject = max(len(each & terms) / max(len(each), 1) for each in first)
    if subject:
        return 0.4 + 0.6 * subject
    shares = (exact_terms(each.text) for each in others)
    return 0.4 * max(len(each & terms) / max(len(each), 1) for each in shares)
