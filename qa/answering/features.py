"""What speaks for an answer: the same text wherever it was found, and numbers that a calibration
weighs.

Nothing here grows with the corpus, so that one calibration serves an index of ten passages and one
of a million.
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
from qa.answering.reader import Candidate, Reading

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
    "echo",
    "missing names",
    "agreement",
)
"""The order of `confidence_features`."""
_FAR = 12.0
"""Log-odds and margins beyond this are as good as certain."""
_EDGES = regex.compile(
    r"^(?:(?!-[\d\p{Sc}])[\s\p{P}|`])*(?:(?:an?|the)\s+)?(?:(?!-[\d\p{Sc}])[\s\p{P}|`])*|(?:(?![%#])[\s\p{P}|`])*$",
    regex.IGNORECASE,
)
"""Punctuation around an answer, and its article; signs that change what it says (-5, 2.7%, C++, C#,
an emoji) stay.
"""
_NAME = regex.compile(
    r"(?<![\w.])(?:\p{Lu}(?:\.\p{L})+\.?(?![\p{L}\p{N}])|\p{Lu}[\p{L}\p{M}\p{N}'’]*|\p{Sc}?\d(?:[\d.,]*\d)?)"
)
_OPENERS = frozenset(
    """
    about according after although before because besides between can could despite describe during each explain find give list may might must name
    near or please shall should since tell under until where with within without
    """.split()  # noqa: SIM905 - shorter
)
"""Words beside STOP_WORDS that open a question and are no names."""
_POSSESSIVE = regex.compile(r"['’]s?$")


@dataclass(frozen=True, slots=True)
class AnswerGroup:
    """One answer: the candidates that say it in the same words, or in the same sentence, best
    first.
    """

    candidates: tuple[Candidate, ...]

    @property
    def best(self) -> Candidate:
        """The candidate that is quoted first."""
        return self.candidates[0]

    @property
    def witnesses(self) -> int:
        """In how many different sentences the answer stands; copies of one sentence count once."""
        return len({_folded(each.sentence_text) for each in self.candidates})

    @property
    def originals(self) -> tuple[Candidate, ...]:
        """The candidates without those that say the same in a copy of the same sentence."""
        places: dict[tuple[str, str], Candidate] = {}
        for each in self.candidates:
            places.setdefault((_folded(each.text), _folded(each.sentence_text)), each)
        return tuple(places.values())


def group_candidates(
    reading: Reading, passage_weight: float, *, whole_sentences: bool = False
) -> list[AnswerGroup]:
    """The answers that a reading offers, best first, of equal ones the first in (document, place)
    order.

    An answer ranks by its best candidate's score plus `passage_weight` times the score with which
    that passage was retrieved. Candidates are one answer if they have the same words; with
    `whole_sentences`, if their sentences have.
    """
    order = sorted(
        reading.candidates,
        key=lambda each: (
            -_worth(each, passage_weight),
            each.passage.chunk.document_id,
            each.start,
        ),
    )
    grouped: dict[str, list[Candidate]] = {}
    for candidate in order:
        grouped.setdefault(
            _folded(candidate.sentence_text if whole_sentences else candidate.text), []
        ).append(candidate)
    return [AnswerGroup(tuple(candidates)) for candidates in grouped.values()]


def confidence_features(
    question: str,
    finding: AnswerGroup,
    rivals: Sequence[AnswerGroup],
    reading: Reading,
    allies: Sequence[AnswerGroup] = (),
) -> NDArray[np.float64]:
    """float64 (len(FEATURES),): what speaks for one of the answers of a reading, against its
    `rivals`. `allies` are given together with it: other items of a list, or what another document
    says instead.

    - score: log-odds of its best span against no answer in the passage;
    - shared log-odds: of all its spans and its allies' against everything else that was read
      (shared normalisation: Clark and Gardner 2018);
    - margins: score less the best score of a rival in the same passage, and in another;
    - borders: log of the probability that the answer has these borders if it lies there;
    - cosine of question and passage; log of the passage's rank among those read; 1 if it is first
      for both retrievers, else 0;
    - coverage: share of the question's content words in the passage and its headings;
    - echo: share of the answer's content words in the question;
    - missing names: how many names and numbers of the question are not there;
    - agreement: log of the number of different sentences that give the answer.
    """
    best, passage = finding.best, finding.best.passage
    here, elsewhere = (
        max(
            (
                each.score
                for rival in rivals
                for each in rival.candidates
                if (each.passage == passage) is own
            ),
            default=-_FAR,
        )
        for own in (True, False)
    )
    context = passage.chunk.embedded_text
    values = (
        _bounded(best.score),
        _log_odds(probability([finding, *allies], reading)),
        _bounded(best.score - here),
        _bounded(best.score - elsewhere),
        _bounded(best.borders),
        passage.hit.dense_score,
        math.log(passage.rank),
        float(passage.hit.dense_rank == 1 and passage.hit.bm25_rank == 1),
        coverage(question, context),
        coverage(best.text, question),
        float(len(missing_names(question, context))),
        math.log(finding.witnesses),
    )
    return np.array(values, dtype=np.float64)


def probability(together: Sequence[AnswerGroup], reading: Reading) -> float:
    """The model's probability, in [0, 1], that one of these answers is right; copies of a sentence
    neither add to it nor take from it.
    """
    own = sum(reading.probability(each) for finding in together for each in finding.originals)
    rest = 1 - sum(reading.probability(each) for finding in together for each in finding.candidates)
    return own / (own + max(rest, 0.0)) if own else 0.0


def coverage(text: str, context: str) -> float:
    """The share of a text's different content words, stemmed, that the context holds; 0 of none."""
    wanted = _stems(text)
    return len(wanted & _stems(context)) / len(wanted) if wanted else 0.0


def missing_names(question: str, context: str) -> list[str]:
    """The capitalised words and numbers of a question that the context lacks, in order; function
    words that open it are no names.
    """
    present = {
        _POSSESSIVE.sub("", word)
        for word in regex.findall(r"[\p{L}\p{M}\p{N}][\p{L}\p{M}\p{N}.,'’]*", context.casefold())
    }
    present |= {word.rstrip(".,") for word in present} | _stems(context)
    names = dict.fromkeys(_POSSESSIVE.sub("", match.group()) for match in _NAME.finditer(question))
    folded = {name: name.casefold().rstrip(".") for name in names}
    return [
        name
        for name, word in folded.items()
        if word not in STOP_WORDS
        and not (word in _OPENERS and question.lstrip().startswith(name))
        and word not in present
        and not _stems(word) <= present
        and word.strip("$€£¥") not in present
    ]


@lru_cache(maxsize=256)
def _stems(text: str) -> frozenset[str]:
    """The stems of a text's content words; the passages of one question are looked at for each of
    its answers.
    """
    return frozenset(analyse(text))


def _worth(candidate: Candidate, passage_weight: float) -> float:
    return candidate.score + passage_weight * candidate.passage.hit.score


def _folded(text: str) -> str:
    """Case, white space, an article in front and punctuation at the edges make no other answer."""
    folded = " ".join(text.casefold().split())
    return _EDGES.sub("", folded) or folded


def _bounded(value: float) -> float:
    return max(-_FAR, min(value, _FAR))


def _log_odds(probability: float) -> float:
    return _bounded(math.log(max(probability, 1e-12)) - math.log(max(1 - probability, 1e-12)))
