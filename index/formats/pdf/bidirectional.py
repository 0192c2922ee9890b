"""Logical order of text that is written from right to left, by the places of its characters.

A file may hold the characters of Hebrew and Arabic in any order, and pdfium's guess is wrong for
ligatures and dates. Their places on the page are certain. The steps: characters -> lines -> runs
side by side -> runs in logical order. This undoes the reordering of Unicode's bidirectional
algorithm (UAX #9) for one level of embedding, and for numbers in it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import groupby, pairwise
from typing import Literal

import regex

_RIGHT_TO_LEFT = regex.compile(r"[\p{bc=R}\p{bc=AL}]")
_LEFT_TO_RIGHT = regex.compile(r"[\p{bc=L}&&\p{L}]", regex.V1)
_NUMBER_MARKS = ".,/:-–%"
"""Characters between or beside digits that belong to the number."""
_NUMBER_SIGNS = "%$€£₪#°"
"""Characters that belong to the number that they stand at."""
_BRACKETS = (("(", ")"), ("[", "]"), ("{", "}"), ("<", ">"), ("«", "»"))
_PRESENTATION_FORMS = regex.compile(r"[\ufb1d-\ufdff\ufe70-\ufefc]")

Direction = Literal["right", "left", "number", "mark", "space", "other"]


@dataclass(slots=True)
class PlacedCharacter:
    """A character of a page with its box and pdfium's index.

    x counts in the direction in which the page is read. `marks` are vowels and other signs above
    or below it.
    """

    character: str
    index: int
    left: float
    bottom: float
    right: float
    top: float
    marks: list[PlacedCharacter] = field(default_factory=list)

    @property
    def middle_x(self) -> float:
        """The x of its middle."""
        return (self.left + self.right) / 2

    @property
    def is_space(self) -> bool:
        """True if it is white space."""
        return self.character.isspace()

    def beside(self, other: PlacedCharacter) -> bool:
        """Return True if both overlap by half the height of the lower one."""
        shared = min(self.top, other.top) - max(self.bottom, other.bottom)
        return shared > 0.5 * min(self.top - self.bottom, other.top - other.bottom)


def has_right_to_left(text: str) -> bool:
    """Return True if there is a letter of a script that is written from right to left."""
    return _RIGHT_TO_LEFT.search(text) is not None


def is_read_from_right(text: str) -> bool:
    """Return True if most letters of a page are of a script that is written from right to left."""
    return len(_RIGHT_TO_LEFT.findall(text)) > len(_LEFT_TO_RIGHT.findall(text))


def base_letters(character: str) -> str:
    """Return the letters of an Arabic or Hebrew presentation form; others as they are."""
    if _PRESENTATION_FORMS.match(character):
        return unicodedata.normalize("NFKC", character)
    return character


def changes_script(before: PlacedCharacter, after: PlacedCharacter) -> bool:
    """Return True if one is a letter from left to right and the other one from right to left."""
    return {_direction(before), _direction(after)} == {"left", "right"}


def runs_in_logical_order(
    characters: Sequence[PlacedCharacter],
    *,
    from_right: bool,
    is_divided: Callable[[PlacedCharacter, PlacedCharacter], bool],
    is_spaced: Callable[[PlacedCharacter, PlacedCharacter], bool],
) -> Iterator[list[PlacedCharacter]]:
    """Yield the runs of a page's characters, each in logical order, with spaces among them.

    `from_right` says how the page is read. `is_divided` says if two characters beside each other
    belong to two runs, `is_spaced` if there is a space between them.
    """
    for line in _lines(_with_marks(characters)):
        for run in _runs(line, is_divided, is_spaced):
            ordered = _logical_order(run, from_right=from_right)
            _turn_brackets(ordered)
            yield ordered


def _with_marks(characters: Sequence[PlacedCharacter]) -> list[PlacedCharacter]:
    """Return the characters in their order with each mark at the letter that it stands at.

    The letters of a ligature, which have one box, are marks of the first of them.
    """
    bases: list[PlacedCharacter] = []
    waiting: list[PlacedCharacter] = []
    for letters in _ligatures(characters):
        first, *others = letters
        if _direction(first) == "mark":
            waiting += letters
            continue
        first.marks += others
        bases.append(first)
        _attach(waiting, bases[-2:])
        waiting = []
    _attach(waiting, bases[-1:])
    return bases


def _attach(marks: Sequence[PlacedCharacter], near: Sequence[PlacedCharacter]) -> None:
    """Add marks to the nearest of some letters; those of none are dropped."""
    letters = [base for base in near if not base.is_space]
    for mark in marks if letters else ():
        min(letters, key=lambda base: abs(base.middle_x - mark.middle_x)).marks.append(mark)


def _ligatures(characters: Sequence[PlacedCharacter]) -> Iterator[list[PlacedCharacter]]:
    """Yield the letters of each ligature in logical order, and other characters alone."""
    for _, group in groupby(characters, key=lambda each: (each.left, each.right, each.bottom)):
        letters = list(group)
        if len(letters) == 1 or any(_direction(each) != "right" for each in letters):
            yield from ([each] for each in letters)
        else:
            yield letters if _is_ligature(letters) else letters[::-1]


def _is_ligature(letters: Sequence[PlacedCharacter]) -> bool:
    """Return True if letters in pdfium's order are a ligature that Unicode knows.

    Of others pdfium has turned the letters together with the line around them.
    """
    return "".join(each.character for each in letters) in _known_ligatures()


@cache
def _known_ligatures() -> frozenset[str]:
    """Return the letters of the ligatures among Arabic's presentation forms."""
    forms = (chr(code) for code in (*range(0xFBEA, 0xFDFC), *range(0xFEF5, 0xFEFD)))
    return frozenset(unicodedata.normalize("NFKC", form) for form in forms)


def _lines(characters: Sequence[PlacedCharacter]) -> Iterator[list[PlacedCharacter]]:
    """Yield runs of characters in the file's order that stand on one line.

    Spaces that pdfium makes up have no height: they are of the line before them.
    """
    line: list[PlacedCharacter] = []
    before: PlacedCharacter | None = None
    for each in characters:
        if before is not None and not each.is_space and not each.beside(before):
            yield line
            line = []
        line.append(each)
        before = before if each.is_space else each
    if line:
        yield line


def _runs(
    line: Sequence[PlacedCharacter],
    is_divided: Callable[[PlacedCharacter, PlacedCharacter], bool],
    is_spaced: Callable[[PlacedCharacter, PlacedCharacter], bool],
) -> Iterator[list[PlacedCharacter]]:
    """Yield the characters of a line by their places, divided at gaps and borders of cells.

    Gaps that are spaces become characters, since only neighbours on the page have gaps.
    """
    run: list[PlacedCharacter] = []
    before: PlacedCharacter | None = None
    for each in sorted(line, key=lambda each: each.middle_x):
        if before is not None and not each.is_space:
            if is_divided(before, each):
                yield run
                run = []
            elif is_spaced(before, each):
                run.append(replace(before, character=" ", marks=[]))
        run.append(each)
        before = before if each.is_space else each
    if run:
        yield run


def _turn_brackets(run: Sequence[PlacedCharacter]) -> None:
    """Exchange opening and closing brackets where the first one closes.

    Those in text from right to left are drawn mirrored, and files have either of both.
    """
    if not any(_direction(each) == "right" for each in run):
        return
    for opening, closing in _BRACKETS:
        found = [each for each in run if each.character in {opening, closing}]
        if found and found[0].character == closing:
            for each in found:
                each.character = opening if each.character == closing else closing


def _direction(each: PlacedCharacter) -> Direction:
    if each.is_space:
        return "space"
    directions: dict[str, Direction] = {
        "R": "right", "AL": "right", "L": "left", "EN": "number", "AN": "number", "NSM": "mark",
    }  # fmt: skip
    return directions.get(unicodedata.bidirectional(each.character), "other")


def _logical_order(run: Sequence[PlacedCharacter], *, from_right: bool) -> list[PlacedCharacter]:
    """Return a run, which is in the order of its places, in logical order."""
    directions = [_direction(each) for each in run]
    if from_right and "right" not in directions:
        return list(run)[::-1]
    if not from_right and "left" not in directions and "right" in directions:
        return _numbers_reversed(list(run)[::-1])
    against = _runs_against(directions, run) if from_right else _spans(directions, {"right"})
    ordered = list(run)
    for start, end in against:
        turned = ordered[start:end][::-1]
        ordered[start:end] = turned if from_right else _numbers_reversed(turned)
    return ordered


def _runs_against(
    directions: Sequence[Direction], run: Sequence[PlacedCharacter]
) -> Iterator[tuple[int, int]]:
    """Yield the ranges of words and numbers that are written from left to right.

    What stands between two of them belongs to the range if one is a letter, or if it is a mark
    within a number, without a space.
    """
    places = _places_against(directions, run)
    if not places:
        return
    start = places[0]
    for before, after in pairwise(places):
        between = run[before + 1 : after]
        has_right = "right" in directions[before + 1 : after]
        is_word = "left" in {directions[before], directions[after]}
        is_number = len(between) <= 1 and all(each.character in _NUMBER_MARKS for each in between)
        if has_right or not (is_word or is_number):
            yield start, before + 1
            start = after
    yield start, places[-1] + 1


def _places_against(directions: Sequence[Direction], run: Sequence[PlacedCharacter]) -> list[int]:
    """Return the places of the letters and digits that are written from left to right."""
    return [
        at
        for at, each in enumerate(directions)
        if each in {"left", "number"} or _is_sign_of_number(directions, run, at)
    ]


def _is_sign_of_number(
    directions: Sequence[Direction], run: Sequence[PlacedCharacter], at: int
) -> bool:
    """Return True if a character is a sign, such as that of percent, beside a digit."""
    beside = directions[max(at - 1, 0) : at + 2]
    return run[at].character in _NUMBER_SIGNS and "number" in beside


def _spans(directions: Sequence[Direction], wanted: set[Direction]) -> Iterator[tuple[int, int]]:
    """Yield the ranges from the first to the last wanted direction with no letter of others."""
    ranges = [
        [at for at, _ in group]
        for is_against, group in groupby(enumerate(directions), key=lambda each: each[1] != "left")
        if is_against
    ]
    for places in ranges:
        found = [at for at in places if directions[at] in wanted]
        if found:
            yield found[0], found[-1] + 1


def _numbers_reversed(run: list[PlacedCharacter]) -> list[PlacedCharacter]:
    """Return a run from right to left with its numbers, and what stands in them, turned back."""
    directions = [_direction(each) for each in run]
    for start, end in list(_runs_against(directions, run)):
        run[start:end] = run[start:end][::-1]
    return run
