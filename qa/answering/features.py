"""Answers grouped from candidates, and the features of the confidence model.

No feature grows with the corpus, so that one calibration serves an index of ten passages and one of
a million.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import regex
from numpy.typing import NDArray

from index.search.bm25 import STOP_WORDS, analyse
from qa.answering.answer_types import (
    asked_type,
    is_empty,
    settles_yes_or_no,
    type_agreement,
)
from qa.answering.question_terms import UNWEIGHTED, QuestionTerms
from qa.answering.reading.reader import Candidate, Reading
from qa.answering.retrieval.retriever import RetrievedChunk

FEATURES = (
    "score",
    "shared log-odds",
    "margin in the passage",
    "margin elsewhere",
    "borders",
    "cosine",
    "log rank",
    "first in both lists",
    "coverage",
    "coverage of the sentence",
    "echo",
    "missing names",
    "unknown names",
    "agreement",
    "right type",
    "wrong type",
    "settles yes or no",
)
"""Names of the features, in the order of `confidence_features`."""
MISMATCH = 3.0
"""Log-odds that an answer of a wrong type loses against one of the right type.

Of 9,381 held-out SQuAD questions 3,318 ask for a type; their own answers have a wrong one in 2.3%,
answers of other questions in 45%.
"""
SENTENCE_WEIGHT = 6.0
"""Log-odds that a sentence gains for yes or no if it holds all the words of the question."""
SETTLING_WEIGHT = 3.0
"""Log-odds that a sentence gains for yes or no if its words settle one."""
_FAR = 12.0
"""Bound of log-odds and margins: values beyond it are as good as certain."""
_EDGES = regex.compile(
    r"^(?:(?!-[\d\p{Sc}])[\s\p{P}|`])*(?:(?:an?|the)\s+)?(?:(?!-[\d\p{Sc}])[\s\p{P}|`])*"
    r"|(?:(?![%#])[\s\p{P}|`])*$",
    regex.IGNORECASE,
)
"""Punctuation around an answer, and its article.

Signs that change the meaning (-5, 2.7%, C++, C#, an emoji) stay.
"""
_NAME = regex.compile(
    r"(?<![\w.])(?:\p{Lu}(?:\.\p{L})+\.?(?![\p{L}\p{N}])|\p{Lu}[\p{L}\p{M}\p{N}'’]*"
    r"|\p{Sc}?\d(?:[\d.,]*\d)?(?:\p{Lu}+\b)?)"
)
"""A dotted abbreviation (U.S.A.), a capitalised word, a number with its currency sign, or one with
capitals, the part of a code (40S of HX-40S).
"""
_NUMBER_AND_UNIT = regex.compile(r"(\d[\d.,]*)(\p{L}+)")
_CONTEXT_WORD = regex.compile(r"[\p{L}\p{M}\p{N}][\p{L}\p{M}\p{N}.,'’]*")
_OPENERS = frozenset(
    """
    about according after although before because besides between can could despite describe during
    each explain find give list may might must name near or please shall should since tell under
    until where with within without
    """.split()  # noqa: SIM905 - shorter
)
"""Words beside STOP_WORDS that open a question and are no names."""
_POSSESSIVE = regex.compile(r"['’]s?$")


@dataclass(frozen=True, slots=True)
class AnswerGroup:
    """One answer: candidates with the same words, or in the same sentence, best first."""

    candidates: tuple[Candidate, ...]

    @property
    def best(self) -> Candidate:
        """Candidate that is quoted first."""
        return self.candidates[0]

    @property
    def witnesses(self) -> int:
        """Number of different sentences that give the answer; copies count once."""
        return len({_folded(candidate.sentence_text) for candidate in self.candidates})

    @property
    def originals(self) -> tuple[Candidate, ...]:
        """Candidates without those that say the same in a copy of the same sentence."""
        first_seen: dict[tuple[str, str], Candidate] = {}
        for candidate in self.candidates:
            key = (_folded(candidate.text), _folded(candidate.sentence_text))
            first_seen.setdefault(key, candidate)
        return tuple(first_seen.values())


def group_candidates(
    question: str, reading: Reading, passage_weight: float, *, whole_sentences: bool = False
) -> list[AnswerGroup]:
    """Return the answers that a reading offers, best first.

    Candidates form one answer if they have the same words; with `whole_sentences`, if their
    sentences have. An answer ranks by its best candidate's score plus `passage_weight` times the
    score with which that passage was retrieved, less `MISMATCH` if it cannot have the type that
    the question asks for; ties go by document id and offset. With `whole_sentences` the question's
    words in them count, and those that settle yes or no; without, candidates without a content word
    are left out.
    """
    wanted = None if whole_sentences else asked_type(question)

    def rank(candidate: Candidate) -> tuple[float, str, int]:
        score = candidate.score + passage_weight * candidate.passage.hit.score
        score += MISMATCH * min(type_agreement(wanted, candidate.text), 0.0)
        if whole_sentences:
            score += SENTENCE_WEIGHT * coverage(question, candidate.sentence_text, reading.terms)
            score += SETTLING_WEIGHT * settles_yes_or_no(candidate.sentence_text)
        return (-score, candidate.passage.chunk.document_id, candidate.start)

    grouped: dict[str, list[Candidate]] = {}
    for candidate in sorted(reading.candidates, key=rank):
        if not whole_sentences and is_empty(candidate.text):
            continue
        words = candidate.sentence_text if whole_sentences else candidate.text
        grouped.setdefault(_folded(words), []).append(candidate)
    return [AnswerGroup(tuple(candidates)) for candidates in grouped.values()]


def confidence_features(
    question: str,
    reading: Reading,
    group: AnswerGroup,
    rivals: Sequence[AnswerGroup],
    allies: Sequence[AnswerGroup] = (),
    *,
    whole_sentences: bool = False,
) -> NDArray[np.float64]:
    """Return the features of one answer of a reading, float64 (len(FEATURES),).

    `rivals` are the other answers; `allies` are given together with it, as other items of a list or
    as answers that contradict it. `whole_sentences` are the answers to a question for yes or no.

    - score: log-odds of its best span against no answer in the passage;
    - shared log-odds: of all its spans and its allies' against everything else that was read
      (shared normalisation: Clark and Gardner 2018);
    - margins: score less the best score of a rival in the same passage, and in another;
    - borders: log of the probability that the answer has these borders if it lies there;
    - cosine of question and passage; log of the passage's rank among those read; 1 if it is first
      for both retrievers, else 0;
    - coverage: share of the question's content words, by weight, in the passage and its headings,
      and in the answer's sentence and the headings;
    - echo: share of the answer's content words in the question;
    - missing names: number of names and numbers of the question that are not in the passage;
    - unknown names: number of those that are in no passage at all;
    - agreement: log of the number of different sentences that give the answer;
    - right type, wrong type: 1 if the answer has the type that is asked for, or cannot have it
      (`qa.answering.answer_types`), else 0;
    - settles yes or no: 1 if that is asked for and the answer's sentence has words that settle it,
      else 0.
    """
    best, passage = group.best, group.best.passage
    rival_here, rival_elsewhere = _best_rival_scores(rivals, passage)
    context = passage.chunk.embedded_text
    agreement = type_agreement(asked_type(question), best.text)
    first_in_both = passage.hit.dense_rank == 1 and passage.hit.bm25_rank == 1
    values = (
        _bounded(best.score),
        _log_odds(probability([group, *allies], reading)),
        _bounded(best.score - rival_here),
        _bounded(best.score - rival_elsewhere),
        _bounded(best.borders),
        passage.hit.dense_score,
        math.log(passage.rank),
        float(first_in_both),
        coverage(question, context, reading.terms),
        sentence_coverage(question, best, reading.terms),
        coverage(best.text, question),
        float(len(missing_names(question, context))),
        float(len(reading.terms.unknown_names)),
        math.log(group.witnesses),
        float(agreement > 0),
        float(agreement < 0),
        float(whole_sentences and settles_yes_or_no(best.sentence_text)),
    )
    return np.array(values, dtype=np.float64)


def _best_rival_scores(
    rivals: Sequence[AnswerGroup], passage: RetrievedChunk
) -> tuple[float, float]:
    """Return the best rival's score in the passage, and in any other."""
    here: list[float] = []
    elsewhere: list[float] = []
    for rival in rivals:
        for candidate in rival.candidates:
            scores = here if candidate.passage == passage else elsewhere
            scores.append(candidate.score)
    return max(here, default=-_FAR), max(elsewhere, default=-_FAR)


def probability(groups: Sequence[AnswerGroup], reading: Reading) -> float:
    """Return the reader's probability, in [0, 1], that one of these answers is right.

    Copies of a sentence count neither for the answers nor against them.
    """
    own = sum(reading.probability(each) for group in groups for each in group.originals)
    rest = 1 - sum(reading.probability(each) for group in groups for each in group.candidates)
    # Rounding can leave `rest` a little below 0.
    return own / (own + max(rest, 0.0)) if own else 0.0


def coverage(text: str, context: str, terms: QuestionTerms = UNWEIGHTED) -> float:
    """Return the share of a text's content words, stemmed, that the context holds; 0 if none.

    Each counts with its weight.
    """
    wanted = _stems(text)
    total = sum(map(terms.weight, wanted))
    return sum(map(terms.weight, wanted & _stems(context))) / total if total else 0.0


def sentence_coverage(question: str, candidate: Candidate, terms: QuestionTerms) -> float:
    """Return the share of the question's words in a candidate's sentence and its headings."""
    headings = candidate.passage.chunk.headings
    return coverage(question, " ".join((*headings, candidate.sentence_text)), terms)


def missing_names(question: str, context: str) -> list[str]:
    """Return the capitalised words and numbers of a question that the context lacks, in order.

    Function words that open the question are no names.
    """
    present = _words_and_stems(context)
    names = dict.fromkeys(_POSSESSIVE.sub("", match.group()) for match in _NAME.finditer(question))
    return [
        name
        for name in names
        if not _is_function_word(name, question) and not _is_present(name, present)
    ]


def _words_and_stems(text: str) -> set[str]:
    """Return the folded words of a text, with and without final punctuation, and its stems."""
    words = {_POSSESSIVE.sub("", word) for word in _CONTEXT_WORD.findall(text.casefold())}
    return words | {word.rstrip(".,") for word in words} | _stems(text)


def _is_function_word(name: str, question: str) -> bool:
    """Return True for a stop word, or a word like "During" that opens the question."""
    word = _folded_name(name)
    return word in STOP_WORDS or (word in _OPENERS and question.lstrip().startswith(name))


def _is_present(name: str, words: set[str]) -> bool:
    """Return True if the words hold a name.

    That is the name itself, its stems, its amount without the sign, or its number and unit apart.
    """
    word = _folded_name(name)
    if word in words or _stems(word) <= words or word.strip("$€£¥") in words:
        return True
    number_and_unit = _NUMBER_AND_UNIT.fullmatch(word)
    return number_and_unit is not None and words.issuperset(number_and_unit.groups())


def _folded_name(name: str) -> str:
    return name.casefold().rstrip(".")


# The passages of one question are compared with each of its answers, so stemming repeats itself.
@lru_cache(maxsize=256)
def _stems(text: str) -> frozenset[str]:
    """Return the stems of a text's content words."""
    return frozenset(analyse(text))


def _folded(text: str) -> str:
    """Return the form by which answers are compared.

    Case, white space, an article in front and punctuation at the edges do not count.
    """
    folded = " ".join(text.casefold().split())
    return _EDGES.sub("", folded) or folded


def _bounded(value: float) -> float:
    return max(-_FAR, min(value, _FAR))


def _log_odds(probability: float) -> float:
    return _bounded(math.log(max(probability, 1e-12)) - math.log(max(1 - probability, 1e-12)))
