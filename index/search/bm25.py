"""Text analysis and BM25 scores over postings; one analyser for chunks and queries.

rank_bm25 decides the scores (its idf, its formula), postings make them fast: a query touches only
the chunks that hold one of its terms. BM25Plus, because BM25Okapi's idf is zero or negative in
small corpora and BM25L multiplies by the raw frequency (Lv and Zhai 2011, "Lower-bounding term
frequency normalization").
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache, partial, reduce
from typing import TYPE_CHECKING

import numpy as np
import regex
from numpy.typing import NDArray
from rank_bm25 import BM25Plus

from index.search.identifiers import codes_in, identifier_terms, joined_words
from index.search.postings import Postings, PostingsBuilder, TermKeys

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

_NO_ROWS = np.zeros(0, dtype=np.int64)
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
    # Nearly all tokens are words, which one call in C tells.
    return not text.isalpha() and any(character.isdigit() for character in text)


def _terms(token: str) -> list[str]:
    """Return the stem of a word, or a number with and without its sign."""
    if _has_digit(token):
        number = token.replace(",", "")
        bare = _SIGN.sub("", number)
        return [number] if bare == number else [number, bare]
    word = token.replace("’", "'").removesuffix("'s").replace(".", "")
    return [_stemmer().stemWord(word)]


@dataclass(frozen=True, slots=True)
class _TermPostings:
    """Rows of the chunks with a term, int64 (n,), the gains in their scores, and the term's idf."""

    rows: NDArray[np.int64]
    gains: NDArray[np.float64]
    idf: float


class PostingsBM25(BM25Plus):  # type: ignore[misc]  # rank_bm25 has no annotations
    """BM25Plus with the scores of rank_bm25, computed from the postings of the query alone.

    The rows of the parts follow one another. A score depends on the kept chunks of all parts
    together: it is that of one index over these chunks.
    """

    def __init__(
        self,
        parts: Sequence[Postings],
        key_of: Callable[[str], int],
        kept: NDArray[np.bool_] | None = None,
        *,
        k1: float = K1,
        b: float = B,
        delta: float = DELTA,
    ) -> None:
        """Score the chunks of some parts; `kept` is a mask of their rows, None for all."""
        self._parts = parts
        self._starts = np.cumsum([0, *(part.size for part in parts)]).tolist()
        self._key_of = key_of
        self._kept = kept
        self.k1, self.b, self.delta = k1, b, delta
        self.row_count: int = self._starts[-1]
        self.corpus_size = self.row_count if kept is None else int(np.count_nonzero(kept))
        length = sum(int(self._kept_of(at, part.lengths).sum()) for at, part in enumerate(parts))
        self._average_length = length / self.corpus_size if length else 1.0

    @classmethod
    def build(
        cls, corpus: Iterable[Sequence[str]], *, k1: float = K1, b: float = B, delta: float = DELTA
    ) -> PostingsBM25:
        """Index a corpus of analysed texts.

        It may be empty and hold empty texts, where rank_bm25 divides by zero.
        """
        key_of = TermKeys("")
        builder = PostingsBuilder(key_of)
        builder.add(list(corpus))
        return cls([builder.build()], key_of, k1=k1, b=b, delta=delta)

    def limited(self, rows: NDArray[np.int64]) -> LimitedBM25:
        """Return an index of some of the rows, which keep their numbers."""
        return LimitedBM25(self, rows)

    def holds(self, term: str) -> bool:
        """Return True if any chunk has the term."""
        return len(self.rows_with(term)) > 0

    def rows_with(self, term: str) -> NDArray[np.int64]:
        """Return the rows of the chunks that have a term, int64 (n,), ascending."""
        return self._rows_and_counts(term)[0]

    def shares(self, terms: Sequence[str]) -> NDArray[np.float64]:
        """Return the share of some terms that each chunk has, float64 (row_count,) in [0, 1].

        Terms weigh as much as their inverse document frequency; those of no chunk do not count.
        """
        shares = np.zeros(self.row_count)
        total = 0.0
        for term in dict.fromkeys(terms):
            found = self._found(term)
            if found is not None:
                total += found.idf
                shares[found.rows] += found.idf
        return shares / total if total else shares

    def get_scores(self, query: Sequence[str]) -> NDArray[np.float64]:
        """Return the BM25Plus score of every row, float64 (row_count,).

        Equal to those of rank_bm25 for the same corpus and query (relative tolerance 1e-9).
        """
        found = [self._found(term) for term in query]
        # BM25Plus adds delta * idf of each query term to every chunk, even to one without the term.
        constant = self.delta * sum(each.idf for each in found if each is not None)
        return self.match_scores(query) + constant

    def match_scores(self, query: Sequence[str]) -> NDArray[np.float64]:
        """Return the scores without the constant for absent terms, float64 (row_count,).

        So 0 means that no term of the query matched.
        """
        scores = np.zeros(self.row_count)
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
        rows, counts, lengths = self._rows_and_counts(term)
        if not len(rows):
            return None
        idf = inverse_frequencies(self.corpus_size, {term: len(rows)})[term]
        frequency, length = counts.astype(np.float64), lengths.astype(np.float64)
        scored = gains(frequency, length, self._average_length, idf, k1=self.k1, b=self.b)
        return _TermPostings(rows, scored, idf)

    def _rows_and_counts(
        self, term: str
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int32]]:
        """Return the rows of the chunks with a term, its counts in them and their lengths."""
        key = self._key_of(term)
        rows, counts, lengths = [_NO_ROWS], [_NO_ROWS], [_NO_ROWS.astype(np.int32)]
        for start, part in zip(self._starts, self._parts, strict=False):
            postings = part.of(key)
            in_part = part.rows[postings].astype(np.int64)
            rows.append(in_part + start)
            counts.append(part.counts[postings].astype(np.int64))
            lengths.append(part.lengths[in_part])
        found = np.concatenate(rows), np.concatenate(counts), np.concatenate(lengths)
        if self._kept is None:
            return found
        is_kept = self._kept[found[0]]
        return found[0][is_kept], found[1][is_kept], found[2][is_kept]

    def _kept_of(self, at: int, values: NDArray[np.int32]) -> NDArray[np.int32]:
        """Return the values of the kept chunks of a part."""
        if self._kept is None:
            return values
        return values[self._kept[self._starts[at] : self._starts[at + 1]]]


class LimitedBM25(PostingsBM25):
    """BM25 index of some chunks of another, as if the others did not exist.

    Rows keep their numbers; those of the others score 0. Document frequencies are those of the
    chunks themselves: a score must not tell how often a word stands elsewhere. Only the average
    length of a chunk, which weighs its length, is that of all.
    """

    def __init__(self, whole: PostingsBM25, rows: NDArray[np.int64]) -> None:
        self.__dict__.update(vars(whole))
        self.corpus_size = len(rows)
        self._kept = np.zeros(whole.row_count, dtype=np.bool_)
        self._kept[rows] = True


def gains(
    frequency: NDArray[np.float64],
    length: NDArray[np.float64],
    average: float,
    idf: float,
    *,
    k1: float = K1,
    b: float = B,
) -> NDArray[np.float64]:
    """Return the part of one term in the BM25 scores of n chunks, float64 (n,).

    `frequency` counts the term in them, `length` all terms, both (n,); `average` is the mean length
    of all chunks, and `idf` the term's inverse document frequency.
    """
    share: NDArray[np.float64] = (
        idf * (frequency * (k1 + 1)) / (k1 * (1 - b + b * length / average) + frequency)
    )
    return share


def inverse_frequencies(corpus_size: int, frequencies: dict[str, int]) -> dict[str, float]:
    """Return the inverse document frequencies of rank_bm25 for numbers of chunks with a term."""
    return _InverseFrequencies(corpus_size, frequencies).idf


class _InverseFrequencies(BM25Plus):  # type: ignore[misc]  # rank_bm25 has no annotations
    """Inverse document frequencies, computed by rank_bm25 from document frequencies."""

    def __init__(self, corpus_size: int, frequencies: dict[str, int]) -> None:
        self.corpus_size = corpus_size
        self.idf: dict[str, float] = {}
        self._calc_idf(frequencies)
