"""The analyser and BM25 over postings; one analyser for passages and queries.

rank_bm25 decides the scores (its idf, its formula), postings make them fast: a query touches only
the passages that hold one of its terms. BM25Plus because BM25Okapi's idf is zero or negative in
small corpora and BM25L multiplies by the raw frequency (Lv and Zhai 2011, "Lower-bounding term
frequency normalization").
"""

from __future__ import annotations

import io
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import regex
from numpy.typing import NDArray
from rank_bm25 import BM25Plus

if TYPE_CHECKING:
    from Stemmer import Stemmer

K1, B, DELTA = 1.5, 0.75, 1.0
"""rank_bm25's own defaults for BM25Plus."""

_TOKEN = regex.compile(
    r"""
    \p{Sc}?\d+(?:[.,]\d+)*(?:%|(?![\p{L}\p{N}])) # 2.7%  $25  1,190, but not the 2 of 2nd
    | \p{L}(?:\.\p{L})+\.?(?!\p{L})              # U.S.
    | [\p{L}\p{M}\p{N}]+(?:['’][\p{L}\p{M}]+)*   # words, with an apostrophe inside
    """,
    regex.VERBOSE,
)

_SIGN = regex.compile(r"^\p{Sc}|%$")

STOP_WORDS = frozenset(
    """
    a an and are as at be been being but by did do does for from had has have he her hers him his how i if in into is it its me my of on or
    our ours she so than that the their them then there these they this those to too was we were what when where which who whom whose why
    will with would you your yours
    """.split()  # noqa: SIM905 - twenty lines shorter
)
"""English function words and question words: they say what kind of answer is wanted, not where it
stands.
"""


@cache
def _stemmer() -> Stemmer:
    from Stemmer import Stemmer

    return Stemmer("english")


def analyse(text: str) -> list[str]:
    """Terms of a text in order: NFKC, case-folded, accents dropped, stop words dropped,
    Snowball-stemmed (Porter 2001).

    A number with a currency or percent sign gives two terms, `$25` and `25`, so that either form of
    a query finds it. A text of stop words only keeps them: "Who are you?" must be able to match
    something.
    """
    tokens = _TOKEN.findall(_fold(text))
    content = [token for token in tokens if token not in STOP_WORDS] or tokens
    return [term for token in content for term in _terms(token)]


def _fold(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    return str(regex.sub(r"\p{Mn}+", "", decomposed))


def _terms(token: str) -> list[str]:
    if any(character.isdigit() for character in token):
        number = token.replace(",", "")
        bare = _SIGN.sub("", number)
        return [number] if bare == number else [number, bare]
    word = token.replace("’", "'").removesuffix("'s").replace(".", "")
    return [_stemmer().stemWord(word)]


@dataclass(frozen=True, slots=True)
class Postings:
    """For each term the passages that hold it and what it adds to their score.

    `terms` are distinct and in the order of their rows; the postings of term t are
    `rows[offsets[t]:offsets[t + 1]]` (int64 (n_postings,), ascending) with `gains` (float64
    (n_postings,)); `idf` is float64 (n_terms,); `size` is the number of passages.
    """

    terms: tuple[str, ...]
    offsets: NDArray[np.int64]
    rows: NDArray[np.int64]
    gains: NDArray[np.float64]
    idf: NDArray[np.float64]
    size: int

    def to_bytes(self) -> bytes:
        """A numpy archive; terms are joined by line feeds, which no term holds."""
        buffer = io.BytesIO()
        terms = np.frombuffer("\n".join(self.terms).encode(), dtype=np.uint8)
        np.savez(
            buffer,
            terms=terms,
            size=np.array(self.size),
            offsets=self.offsets,
            rows=self.rows,
            gains=self.gains,
            idf=self.idf,
        )
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, payload: bytes) -> Postings:
        """The inverse of `to_bytes`; the caller has verified the bytes (`index.search.index_file`)."""
        with np.load(io.BytesIO(payload)) as arrays:
            joined = arrays["terms"].tobytes().decode()
            terms = tuple(joined.split("\n")) if joined else ()
            return cls(
                terms,
                arrays["offsets"],
                arrays["rows"],
                arrays["gains"],
                arrays["idf"],
                int(arrays["size"]),
            )


class PostingsBM25(BM25Plus):  # type: ignore[misc]  # rank_bm25 has no annotations
    """BM25Plus with rank_bm25's scores at the cost of the query's postings."""

    def __init__(self, postings: Postings, *, delta: float = DELTA) -> None:
        self.postings = postings
        self.corpus_size = postings.size
        self.delta = delta
        self._row_of = {term: row for row, term in enumerate(postings.terms)}

    @classmethod
    def build(
        cls, corpus: Iterable[Sequence[str]], *, k1: float = K1, b: float = B, delta: float = DELTA
    ) -> PostingsBM25:
        """Index analysed passages. An empty corpus and empty passages are fine (rank_bm25 divides
        by zero there).
        """
        return cls(_build_postings(corpus, k1, b), delta=delta)

    def get_scores(self, query: Sequence[str]) -> NDArray[np.float64]:
        """float64 (size,): what rank_bm25's BM25Plus returns for the same corpus and query
        (relative tolerance 1e-9).
        """
        known = [self._row_of[term] for term in query if term in self._row_of]
        constant = self.delta * float(self.postings.idf[known].sum())
        return self.match_scores(query) + constant

    def match_scores(self, query: Sequence[str]) -> NDArray[np.float64]:
        """float64 (size,): the scores without BM25Plus's constant for absent terms, so that 0 means
        that no term matched.
        """
        scores = np.zeros(self.postings.size)
        offsets = self.postings.offsets
        for term, count in Counter(query).items():
            row = self._row_of.get(term)
            if row is not None:
                span = slice(offsets[row], offsets[row + 1])
                scores[self.postings.rows[span]] += count * self.postings.gains[span]
        return scores


class _Formula(BM25Plus):  # type: ignore[misc]
    """rank_bm25's own idf, asked for one set of document frequencies."""

    def __init__(self, corpus_size: int, frequencies: dict[str, int]) -> None:
        self.corpus_size = corpus_size
        self.idf: dict[str, float] = {}
        self._calc_idf(frequencies)


def _build_postings(corpus: Iterable[Sequence[str]], k1: float, b: float) -> Postings:
    row_of: dict[str, int] = {}
    lengths: list[int] = []
    term_rows: list[int] = []
    passages: list[int] = []
    counts: list[int] = []
    for passage, terms in enumerate(corpus):
        lengths.append(len(terms))
        for term, count in Counter(terms).items():
            term_rows.append(row_of.setdefault(term, len(row_of)))
            passages.append(passage)
            counts.append(count)
    rows = np.array(term_rows, dtype=np.int64)
    order = np.argsort(rows, kind="stable")
    found = np.bincount(rows, minlength=len(row_of))
    idf_of = _Formula(len(lengths), dict(zip(row_of, found.tolist(), strict=True))).idf
    idf = np.array([idf_of[term] for term in row_of], dtype=np.float64)
    passage_rows = np.array(passages, dtype=np.int64)[order]
    frequency = np.array(counts, dtype=np.float64)[order]
    length = np.array(lengths, dtype=np.float64)
    average = float(length.mean()) if length.any() else 1.0
    gains = (
        idf[rows[order]]
        * (frequency * (k1 + 1))
        / (k1 * (1 - b + b * length[passage_rows] / average) + frequency)
    )
    offsets = np.concatenate([[0], np.cumsum(found)]).astype(np.int64)
    return Postings(tuple(row_of), offsets, passage_rows, gains, idf, len(lengths))
