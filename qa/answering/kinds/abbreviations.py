"""Questions for the long form of an abbreviation, quoted from where a document defines it.

The long form before or in brackets is found from right to left, letter by letter, as by Schwartz
and Hearst ("A simple algorithm for identifying abbreviation definitions in biomedical text", 2003).
"""

from __future__ import annotations

from collections.abc import Iterator

import regex

from index.document import TextRange
from qa.answer import Certainty
from qa.answering.kinds.context import KindAnswer, QuestionContext
from qa.answering.question import reader_question

_LONGEST = 100
"""Characters before the brackets that are looked at."""
_SHORT = r"(?P<short>\p{L}[\p{L}\p{N}&./-]{1,9})"
_IS = r"(?:'s|’s| is| are)"
_TERM = r"(?:the )?(?:(?:abbreviation|acronym|letters|term) )?"
_FORMS = r"(?:meaning|full form|long form|full name)"
_ASKS_LONG_FORM = tuple(
    regex.compile(pattern, regex.IGNORECASE)
    for pattern in (
        rf"^what (?:do|does|did) {_TERM}{_SHORT} (?:stand for|mean|abbreviate)\b",
        rf"^what{_IS}? (?:the )?{_FORMS} of {_SHORT}$",
        rf"^(?:what{_IS} )?{_SHORT} (?:is )?(?:meaning|short for|stands for)(?: what)?$",
    )
)
_ASKS_WHAT_IT_IS = regex.compile(rf"^what{_IS} (?:an? |the )?{_SHORT}$", regex.IGNORECASE)
_CAPITALS = regex.compile(r"\p{Lu}")
_STANDS_FOR = r"\b (?:stands for|is short for|is the abbreviation (?:of|for)) (?:the )?"
_UP_TO_MARK = r"(?P<long>[^.;:,()\n]{3,100})"


def answer(context: QuestionContext) -> KindAnswer | None:
    """Quote the long form of an abbreviation; None if none is asked for or none is defined."""
    asked = _asked(reader_question(context.question))
    if asked is None:
        return None
    short, certainty = asked
    for query in (context.question, short):
        for passage in context.retrieve(query):
            chunk = passage.chunk
            span = next(_definitions(chunk.text, short), None)
            if span is not None:
                place = chunk.start + span[0], chunk.start + span[1]
                quote = context.quote(chunk.document_id, place, certainty, chunk.heading)
                return KindAnswer("span", (quote,))
    return None


def _asked(question: str) -> tuple[str, Certainty] | None:
    """Return the abbreviation that a question asks about, and how sure that its form is meant."""
    for pattern in _ASKS_LONG_FORM:
        found = pattern.match(question)
        if found:
            return found["short"].upper(), "sure"
    found = _ASKS_WHAT_IT_IS.match(question)
    if found and len(_CAPITALS.findall(found["short"])) > 1:
        return found["short"].upper(), "likely"
    return None


def _definitions(text: str, short: str) -> Iterator[TextRange]:
    """Yield the long forms of an abbreviation that a text defines, as ranges."""
    written = regex.escape(short)
    for match in regex.finditer(rf"\(\s*{written}\s*[),;]", text):
        first = max(0, match.start() - _LONGEST)
        before = text[first : match.start()].rstrip()
        start = long_form(short, before)
        if start is not None:
            yield first + start, first + len(before)
    for match in regex.finditer(rf"\b{written}\s*\((?P<long>[^()\n]{{3,100}})\)", text):
        if long_form(short, match["long"]) == 0:
            yield match.span("long")
    for match in regex.finditer(rf"\b{written}{_STANDS_FOR}{_UP_TO_MARK}", text):
        yield match.start("long"), match.start("long") + len(match["long"].rstrip())


def long_form(short: str, text: str) -> int | None:
    """Return where the long form of an abbreviation begins that ends with a text, None without one.

    Its letters stand in the long form in their order, the first at the beginning of a word.
    """
    letters = [letter.lower() for letter in short if letter.isalnum()]
    folded = text.lower()
    if len(folded) != len(text):  # İ becomes two characters
        return None
    at = len(text)
    for number in range(len(letters) - 1, -1, -1):
        at = folded.rfind(letters[number], 0, at)
        while number == 0 and at > 0 and folded[at - 1].isalnum():
            at = folded.rfind(letters[0], 0, at)
        if at < 0:
            return None
    most_words = min(len(letters) + 5, 2 * len(letters))
    is_longer = len(text) - at > len(short)
    return at if is_longer and len(text[at:].split()) <= most_words else None
