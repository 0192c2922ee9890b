"""Languages that the models work in, and what is said of questions and documents in others.

Passages of other languages are found, by their words or by a multilingual encoder, but an answer
that the reader was not trained to read is never sure.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from index.models.packed_model import MULTILINGUAL_MODEL
from index.text.language import ENGLISH, UNDETERMINED, detect_language

ALL = "*"
"""Code that stands for all languages."""
DOCUMENTATION = "docs/languages.md"


@dataclass(frozen=True, slots=True)
class Languages:
    """Codes (ISO 639-1) of the languages that the reader reads, ALL for all.

    `is_multilingual` says that the encoder finds passages by their meaning in many languages.
    """

    read: tuple[str, ...] = (ENGLISH,)
    is_multilingual: bool = False

    def reads(self, code: str | None) -> bool:
        """Return True if the reader reads a language; an unknown one (None) counts as read."""
        return code is None or ALL in self.read or code in self.read

    @property
    def names(self) -> str:
        """The languages that the reader reads, in words."""
        if ALL in self.read:
            return "all languages"
        *others, last = [language_name(code) for code in self.read]
        return f"{', '.join(others)} and {last}" if others else last

    def sentence(self) -> str:
        """Return which languages work, in a sentence or two."""
        if ALL in self.read:
            return "Questions and documents may be in any language."
        found = (
            "Questions and documents in other languages are matched by meaning, too, with answers "
            "that are never sure."
            if self.is_multilingual
            else "Documents in other languages are searched by their words, with answers that are "
            "never sure."
        )
        return f"Answers are read in {self.names}. {found}"

    def notes(self, question_language: str | None, documents: Iterable[str | None]) -> list[str]:
        """Return notes on a question or on cited documents that the reader does not read."""
        notes = []
        if not self.reads(question_language):
            advice = (
                "passages are found by their meaning, and an answer is never sure"
                if self.is_multilingual
                else f"ask in {self.names}, or see {DOCUMENTATION}"
            )
            notes.append(
                f"The question looks like {language_name(question_language)}; "
                f"the models read {self.names}: {advice}."
            )
        unread = {code for code in documents if not self.reads(code)}
        notes += [
            f"The cited document looks like {language_name(code)}, and the models read "
            f"{self.names}: its answers are never sure."
            for code in sorted(filter(None, unread))
        ]
        return notes


def languages_of(model: str, read: tuple[str, ...]) -> Languages:
    """Return the languages of an embedding model, by its name, and of a reader."""
    return Languages(read, model == MULTILINGUAL_MODEL or "multilingual" in model.lower())


def question_language(question: str) -> str | None:
    """Return the code of a question's language, None if unknown."""
    return detect_language(question)


@cache
def language_name(code: str | None) -> str:
    """Return the English name of a language, "another language" for an unknown code."""
    import pycld2

    if code is None or code == UNDETERMINED:
        return "another language"
    names = {known: name for name, known in pycld2.LANGUAGES}
    return names[code].title() if code in names else f"another language ({code})"
