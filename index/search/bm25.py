"""Text analysis and BM25 scores over postings; one analyser for chunks and queries.

rank_bm25 decides the scores (its idf, its formula), postings make them fast: a query touches only
the chunks that hold one of its terms. BM25Plus, because BM25Okapi's idf is zero or negative in
small corpora and BM25L multiplies by the raw frequency (Lv and Zhai 2011, "Lower-bounding term
frequency normalization").
"""

from __future__ import annotations

import io
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, partial, reduce
from typing import TYPE_CHECKING

import numpy as np
import regex
from numpy.typing import NDArray
from rank_bm25 import BM25Plus

from index.search.identifiers import codes_in, identifier_terms, joined_words

if TYPE_CHECKING:
    from Stemmer import Stemmer

K1, B, DELTA = 1.5, 0.75, 1.0
"""Parameters of BM25Plus: rank_bm25's own defaults."""

_TOKEN = regex.compile(
    r"""
    \p{Sc}?\d+(?:[.,]\d+)*(?:%|(?![\p{L}\p{N}])) # 2.7%  $25  1,190, but not the 2 of 2nd
    | \p{L}(?:\.\p{L})+\.?(?!\p{L})              # U.S.
    | [\p{L}\p{M}\p{N}]+(?:['’][\p{L}\p{M}]+)*   # words, with an apostrophe inside
    """,
    regex.VERBOSE,
)

_SIGN = regex.compile(r"^\p{Sc}|%$")
_COMBINING_MARKS = regex.compile(r"\p{Mn}+")

STOP_WORDS = frozenset(
    """
    a an and are as at be been being but by did do does for from had has have he her hers him his
    how i if in into is it its me my of on or our ours she so than that the their them then there
    these they this those to too was we were what when where which who whom whose why will with
    would you your yours
    """.split()  # noqa: SIM905 - twenty lines shorter
)
"""English function words and question words, which match everywhere and so locate nothing."""


@cache
def _stemmer() -> Stemmer:
    from Stemmer import Stemmer

    return Stemmer("english")


def analyse(text: str) -> list[str]:
    """Return the index terms of a text, in order.

    Text is normalised (NFKC), case-folded and stripped of accents; stop words are dropped, words
    are Snowball-stemmed (Porter 2001). A number with a currency or percent sign gives two terms,
    `$25` and `25`, so that either form of a query finds it. A text of stop words only keeps them:
    "Who are you?" must be able to match something. Behind the words come the terms of codes,
    identifiers, paths and phone numbers (`index.search.identifiers`).
    """
    tokens = _TOKEN.findall(_fold(text))
    content_tokens = [token for token in tokens if token not in STOP_WORDS]
    terms = [term for token in content_tokens or tokens for term in _terms(token)]
    wholes, parts = identifier_terms(_plain(text))
    content_parts = [part for part in parts if part not in STOP_WORDS]
    return terms + [term for each in (*wholes, *content_parts) for term in _terms(each)]


def analyse_query(text: str) -> tuple[list[str], list[str]]:
    """Return the index terms of a query, and those of them that only exact matches satisfy.

    The latter are the codes of `index.search.identifiers.codes_in`. Adjacent words are also joined
    to one term, which counts where a document has it.
    """
    plain = _plain(text)
    codes = [term for code in codes_in(plain) for term in _terms(code)]
    joined = [term for word in joined_words(plain) for term in _terms(word)]
    return analyse(text) + joined, [*codes, *filter(_has_digit, joined)]


def _plain(text: str) -> str:
    """Return the text in compatibility form and without accents, its case kept."""
    if text.isascii():
        return text
    decomposed = unicodedata.normalize("NFKD", text)
    return str(_COMBINING_MARKS.sub("", decomposed))


def _fold(text: str) -> str:
    """Return the text case-folded, in compatibility form and without accents."""
    if text.isascii():
        return text.casefold()
    # Compatibility forms first: case folding would leave the capitals inside "℡" as they are.
    folded = unicodedata.normalize("NFKC", text).casefold()
    decomposed = unicodedata.normalize("NFKD", folded)
    return str(_COMBINING_MARKS.sub("", decomposed))


def _has_digit(text: str) -> bool:
    return any(character.isdigit() for character in text)


def _terms(token: str) -> list[str]:
    """Return the stem of a word, or a number with and without its sign."""
    if _has_digit(token):
        number = token.replace(",", "")
        bare = _SIGN.sub("", number)
        return [number] if bare == number else [number, bare]
    word = token.replace("’", "'").removesuffix("'s").replace(".", "")
    return [_stemmer().stemWord(word)]


@dataclass(frozen=True, slots=True)
class Postings:
    """Inverted index: the chunks of each term, and its gain in their scores.

    `terms` are distinct, in the order of their rows. The postings of term t are
    `rows[offsets[t]:offsets[t + 1]]` (int64 (n_postings,), ascending within a term) with `gains`
    (float64 (n_postings,)). `idf` is float64 (n_terms,); `size` is the number of chunks.
    """

    terms: tuple[str, ...]
    offsets: NDArray[np.int64]
    rows: NDArray[np.int64]
    gains: NDArray[np.float64]
    idf: NDArray[np.float64]
    size: int

    def to_bytes(self) -> bytes:
        """Serialise to a numpy archive; no term holds the line feeds between them."""
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
        """Load what `to_bytes` made.

        The caller has verified the bytes (`index.search.index_file`).
        """
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


@dataclass(frozen=True, slots=True)
class _TermPostings:
    """Rows of the chunks with a term, int64 (n,), the gains in their scores, and the term's idf."""

    rows: NDArray[np.int64]
    gains: NDArray[np.float64]
    idf: float


class PostingsBM25(BM25Plus):  # type: ignore[misc]  # rank_bm25 has no annotations
    """BM25Plus with the scores of rank_bm25, computed from the postings of the query alone."""

    def __init__(self, postings: Postings, *, delta: float = DELTA) -> None:
        self.postings = postings
        self.corpus_size = postings.size
        self.delta = delta
        self._row_of = {term: row for row, term in enumerate(postings.terms)}

    @classmethod
    def build(
        cls, corpus: Iterable[Sequence[str]], *, k1: float = K1, b: float = B, delta: float = DELTA
    ) -> PostingsBM25:
        """Index a corpus of analysed texts.

        It may be empty and hold empty texts, where rank_bm25 divides by zero.
        """
        return cls(_build_postings(corpus, k1, b), delta=delta)

    def holds(self, term: str) -> bool:
        """Return True if any chunk has the term."""
        return self._found(term) is not None

    def rows_with(self, term: str) -> NDArray[np.int64]:
        """Return the rows of the chunks that have a term, int64 (n,), ascending."""
        found = self._found(term)
        return np.zeros(0, dtype=np.int64) if found is None else found.rows

    def shares(self, terms: Sequence[str]) -> NDArray[np.float64]:
        """Return the share of some terms that each chunk has, float64 (size,) in [0, 1].

        Terms weigh as much as their inverse document frequency; those of no chunk do not count.
        """
        shares = np.zeros(self.postings.size)
        total = 0.0
        for term in dict.fromkeys(terms):
            found = self._found(term)
            if found is not None:
                total += found.idf
                shares[found.rows] += found.idf
        return shares / total if total else shares

    def get_scores(self, query: Sequence[str]) -> NDArray[np.float64]:
        """Return the BM25Plus score of every chunk, float64 (size,).

        Equal to those of rank_bm25 for the same corpus and query (relative tolerance 1e-9).
        """
        found = [self._found(term) for term in query]
        # BM25Plus adds delta * idf of each query term to every chunk, even to one without the term.
        constant = self.delta * sum(each.idf for each in found if each is not None)
        return self.match_scores(query) + constant

    def match_scores(self, query: Sequence[str]) -> NDArray[np.float64]:
        """Return the scores without the constant for absent terms, float64 (size,).

        So 0 means that no term of the query matched.
        """
        scores = np.zeros(self.postings.size)
        for term, count in Counter(query).items():
            found = self._found(term)
            if found is not None:
                # A chunk stands once in the postings of a term, so that += adds up right.
                scores[found.rows] += count * found.gains
        return scores

    def rows_with_all(self, terms: Iterable[str]) -> NDArray[np.int64]:
        """Return the chunks that hold every one of some terms, ascending; none for no terms."""
        found = [self.rows_with(term) for term in terms]
        if not found:
            return np.zeros(0, dtype=np.int64)
        return reduce(partial(np.intersect1d, assume_unique=True), found)

    def _found(self, term: str) -> _TermPostings | None:
        """Return the postings of a term; None if no chunk has it."""
        row = self._row_of.get(term)
        if row is None:
            return None
        postings = slice(self.postings.offsets[row], self.postings.offsets[row + 1])
        return _TermPostings(
            self.postings.rows[postings],
            self.postings.gains[postings],
            float(self.postings.idf[row]),
        )


class LimitedBM25(PostingsBM25):
    """BM25 index of some chunks of another, as if the others did not exist.

    Rows keep their numbers; those of the others score 0. Document frequencies are those of the
    chunks themselves: a score must not tell how often a word stands elsewhere. Only the average
    length of a chunk, which weighs its length, is that of all.
    """

    def __init__(self, whole: PostingsBM25, rows: NDArray[np.int64]) -> None:
        super().__init__(whole.postings, delta=whole.delta)
        self.corpus_size = len(rows)
        self._is_kept = np.zeros(whole.postings.size, dtype=np.bool_)
        self._is_kept[rows] = True

    def _found(self, term: str) -> _TermPostings | None:
        """Return the postings of a term among the kept chunks; None if none of them has it."""
        found = super()._found(term)
        if found is None:
            return None
        kept = self._is_kept[found.rows]
        count = int(np.count_nonzero(kept))
        if not count:
            return None
        idf = _InverseFrequencies(self.corpus_size, {term: count}).idf[term]
        return _TermPostings(found.rows[kept], found.gains[kept] * (idf / found.idf), idf)


class _InverseFrequencies(BM25Plus):  # type: ignore[misc]  # rank_bm25 has no annotations
    """Inverse document frequencies, computed by rank_bm25 from document frequencies."""

    def __init__(self, corpus_size: int, frequencies: dict[str, int]) -> None:
        self.corpus_size = corpus_size
        self.idf: dict[str, float] = {}
        self._calc_idf(frequencies)


def _build_postings(corpus: Iterable[Sequence[str]], k1: float, b: float) -> Postings:
    """Count terms by chunk, sort the counts by term, and compute the gains."""
    row_of: dict[str, int] = {}
    lengths: list[int] = []
    term_rows: list[int] = []
    chunk_rows: list[int] = []
    counts: list[int] = []
    # One entry per pair of a chunk and a term in it: this loop takes most of the time of a build.
    for chunk_row, terms in enumerate(corpus):
        lengths.append(len(terms))
        for term, count in Counter(terms).items():
            term_rows.append(row_of.setdefault(term, len(row_of)))
            chunk_rows.append(chunk_row)
            counts.append(count)
    term_of_posting = np.array(term_rows, dtype=np.int64)
    # A stable sort keeps the chunks of a term ascending, as they were counted.
    order = np.argsort(term_of_posting, kind="stable")
    document_frequency = np.bincount(term_of_posting, minlength=len(row_of))
    idf = _idf(row_of, document_frequency, corpus_size=len(lengths))
    rows = np.array(chunk_rows, dtype=np.int64)[order]
    frequency = np.array(counts, dtype=np.float64)[order]
    length = np.array(lengths, dtype=np.float64)
    average_length = float(length.mean()) if length.any() else 1.0
    gains = (
        idf[term_of_posting[order]]
        * (frequency * (k1 + 1))
        / (k1 * (1 - b + b * length[rows] / average_length) + frequency)
    )
    offsets = np.concatenate([[0], np.cumsum(document_frequency)]).astype(np.int64)
    return Postings(tuple(row_of), offsets, rows, gains, idf, len(lengths))


def _idf(
    row_of: dict[str, int], document_frequency: NDArray[np.int64], *, corpus_size: int
) -> NDArray[np.float64]:
    """Return rank_bm25's inverse document frequency of each term, float64 (n_terms,)."""
    frequencies = dict(zip(row_of, document_frequency.tolist(), strict=True))
    idf_of = _InverseFrequencies(corpus_size, frequencies).idf
    return np.array([idf_of[term] for term in row_of], dtype=np.float64)
