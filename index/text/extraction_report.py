"""Report on how well the text of a document was read from its file, and when to be careful."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, Self

from index.document import NO_PAGES, Document, PageCounts
from index.text.english_words import known_share
from index.text.language import ENGLISH
from index.wording import counted

FEW_KNOWN = 0.6
"""Share of known words below which an English text is probably no text.

Of 53 office documents the English ones have 0.82 to 0.98, those in other languages 0.17 to 0.29.
"""
FEWEST_WORDS = 40
"""Words from which the share of known ones says something."""
MANY_WITHOUT_TEXT = 0.2
"""Share of pages without text from which an answer may well stand on one of them."""


@dataclass(frozen=True, slots=True)
class ExtractionReport:
    """Facts about the reading of a file.

    `known_words` is the share of words that are English, None where too few are looked up;
    `tables` the number of tables; `left_out` says what of the file is not in the text, such as
    hidden text; `language` is an ISO 639 code.
    """

    language: str | None = None
    known_words: float | None = None
    tables: int = 0
    left_out: str = ""
    pages: PageCounts = NO_PAGES

    @property
    def caution(self) -> str | None:
        """Reasons to look at the original, in words; None for a document that was read well."""
        return "; ".join(self._cautions()) or None

    def _cautions(self) -> Iterator[str]:
        """Yield the reasons to look at the original."""
        counts = self.pages
        if self.language not in {None, ENGLISH}:
            yield f"not in English ({self.language})"
        elif self.known_words is not None and self.known_words < FEW_KNOWN:
            yield f"only {self.known_words:.0%} of its words are known"
        if counts.without_text >= MANY_WITHOUT_TEXT * max(counts.pages, 1):
            yield f"{counts.without_text} of {counts.pages} pages without text"
        if counts.recognised:
            yield f"text of {counts.recognised} of {counts.pages} pages recognised from images"

    @property
    def summary(self) -> str:
        """The facts in words, separated by commas."""
        return ", ".join(self._facts())

    def _facts(self) -> Iterator[str]:
        counts = self.pages
        if self.language:
            yield f"language {self.language}"
        if self.known_words is not None:
            yield f"{self.known_words:.0%} known words"
        if counts.pages:
            yield counted(counts.pages, "page")
        if counts.without_text:
            yield f"{counts.without_text} without text"
        if counts.in_columns:
            yield f"{counts.in_columns} in columns"
        if counts.recognised:
            yield f"{counts.recognised} recognised from images"
        if self.tables:
            yield counted(self.tables, "table")
        if self.left_out:
            yield self.left_out

    def to_plain(self) -> dict[str, Any]:
        """Return JSON types, which `from_plain` reads back."""
        return asdict(self)

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> Self:
        """Return the report that `to_plain` turned into JSON types."""
        return cls(**{**plain, "pages": PageCounts(**plain["pages"])})


UNREPORTED = ExtractionReport()
"""Report on a document that was stored before there were reports."""


def report_on(document: Document) -> ExtractionReport:
    """Return the report on a document that was read."""
    share, words = known_share(document.text)
    is_english = document.language in {None, ENGLISH}
    is_telling = words >= FEWEST_WORDS and is_english and _is_prose(document)
    return ExtractionReport(
        language=document.language,
        known_words=round(share, 3) if is_telling else None,
        tables=_table_count(document),
        left_out=document.remark,
        pages=document.pages,
    )


def _is_prose(document: Document) -> bool:
    """Return True unless most of a document is code or keys, whose words no dictionary has."""
    sizes = {True: 0, False: 0}
    for block in document.blocks:
        sizes[block.kind in {"code", "pairs"}] += block.end - block.start
    return sizes[False] >= sizes[True]


def _table_count(document: Document) -> int:
    """Return the number of runs of table blocks: a table may be several blocks."""
    kinds = ["", *(block.kind for block in document.blocks)]
    return sum(kind == "table" != before for before, kind in pairwise(kinds))
