"""Sampling of questions and of the paragraphs that they are asked of.

Whole articles may be removed, so that a refusal is right.
"""

from __future__ import annotations

import math
import random
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from qa.errors import EvaluationError
from qa.evaluation.pool import pool_id
from qa.evaluation.squad import (
    Article,
    Gold,
    load_golds,
    paragraphs,
    questions_of,
    read_articles,
    with_answers,
)

_UNTITLED = re.compile(r"article \d+")


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as it is asked.

    `documents` are the ids that are searched (None: all). `removed` is True if its article is not
    among them.
    """

    gold: Gold
    removed: bool = False
    documents: tuple[str, ...] | None = None

    @property
    def expected(self) -> tuple[str, ...]:
        """The gold answers that can be found; if there are none, a refusal is right."""
        return () if self.removed else self.gold.answers


@dataclass(frozen=True, slots=True)
class Sampling:
    """Settings of the sampling.

    `removed` in [0, 1) is the share of questions whose articles are removed, `pool_size` the number
    of paragraphs searched for each question (None: all), `sample` the number of questions (None:
    all).
    """

    removed: float = 0.0
    pool_size: int | None = None
    sample: int | None = None
    seed: int = 0


def load_asked(
    file: Path, distractors: Sequence[Path], sampling: Sampling
) -> tuple[list[Asked], list[str]]:
    """Return the questions of a file and the paragraphs that they are asked of.

    JSON lines have no paragraphs and are asked of the index. Raises EvaluationError if the file
    cannot be used, and for JSON lines with distractors, removed articles or a pool size.
    """
    if file.suffix == ".jsonl":
        if distractors or sampling.removed or sampling.pool_size is not None:
            raise EvaluationError(
                f"{file.name} is asked of the index: distractors, removed articles and a pool size "
                "need a SQuAD-format file"
            )
        golds, _ = load_golds(file, sampling.sample, sampling.seed)
        return [Asked(gold) for gold in with_answers(golds)], []
    articles = read_articles(file)
    others = [article for path in distractors for article in read_articles(path)]
    return asked_of_pool(articles, others, sampling), paragraphs([*articles, *others])


def asked_of_pool(
    articles: Sequence[Article], distractors: Sequence[Article], sampling: Sampling
) -> list[Asked]:
    """Return the questions of `articles` as they are asked of the paragraphs of both.

    Whole articles are removed, in a seeded order, until their questions are at least the wanted
    share. A question is removed if its paragraph is, so that a paragraph which two articles share
    counts for both; `distractors` lose the articles of the same title.

    Raises EvaluationError if too many articles are removed, or if gold answers are empty texts.
    """
    rng = random.Random(sampling.seed)
    gone = _removed_paragraphs(articles, distractors, sampling.removed, rng)
    golds = with_answers(questions_of(articles))
    chosen = _sampled(golds, gone, sampling, rng)
    remaining = [text for text in paragraphs([*articles, *distractors]) if text not in gone]
    remaining_ids = [pool_id(text) for text in remaining]
    if not remaining_ids:
        raise EvaluationError(
            "no paragraph is left to be searched: remove a smaller share or add --distractors"
        )
    if sampling.pool_size is None:
        everything = tuple(remaining_ids) if gone else None
        return [Asked(gold, gold.context in gone, everything) for gold in chosen]
    return [
        Asked(gold, gold.context in gone, _own_and_others(gold, gone, remaining_ids, sampling))
        for gold in chosen
    ]


def _removed_paragraphs(
    articles: Sequence[Article], distractors: Iterable[Article], share: float, rng: random.Random
) -> set[str]:
    """Return the paragraphs of the removed articles, and of distractors with their titles."""
    wanted = math.ceil(share * sum(len(article.questions) for article in articles) - 1e-9)
    gone: set[str] = set()
    titles: set[str] = set()
    count = 0
    for article in rng.sample(articles, len(articles)):
        if count >= wanted:
            break
        count += len(article.questions)
        gone.update(article.paragraphs)
        titles.add(_folded(article.title))
    titles.discard("")  # articles without a title have nothing in common
    for article in distractors:
        if _folded(article.title) in titles:
            gone.update(article.paragraphs)
    return gone


def _folded(title: str) -> str:
    """Return a title for comparison; empty for one that only numbers articles."""
    return "" if _UNTITLED.fullmatch(title) else title.replace("_", " ").casefold().strip()


def _sampled(
    golds: Sequence[Gold], gone: set[str], sampling: Sampling, rng: random.Random
) -> list[Gold]:
    """Return all questions, or a sample with exactly the wanted share of removed ones.

    They come in the order of the file.
    """
    if sampling.sample is None or sampling.sample >= len(golds):
        return list(golds)
    is_removed = [gold.context in gone for gold in golds]
    places_removed = [at for at, removed in enumerate(is_removed) if removed]
    places_kept = [at for at, removed in enumerate(is_removed) if not removed]
    size_removed = round(sampling.removed * sampling.sample)
    size_kept = sampling.sample - size_removed
    _check_size("removed", size_removed, places_removed)
    _check_size("kept", size_kept, places_kept)
    # Two draws in this order: a seed gives the same sample as before.
    drawn = rng.sample(places_removed, size_removed) + rng.sample(places_kept, size_kept)
    return [golds[at] for at in sorted(drawn)]


def _check_size(name: str, size: int, places: Sequence[int]) -> None:
    if size > len(places):
        raise EvaluationError(
            f"the sample needs {size} questions of {name} articles, but there are {len(places)}: "
            "take a smaller sample or another share of removed articles"
        )


def _own_and_others(
    gold: Gold, gone: set[str], remaining_ids: Sequence[str], sampling: Sampling
) -> tuple[str, ...]:
    """Return the ids of the question's own paragraph, unless removed, and of others at random."""
    own = [pool_id(gold.context)] if gold.context is not None and gold.context not in gone else []
    size = sampling.pool_size or 1
    rng = random.Random(f"{sampling.seed}/{gold.id}")
    drawn = rng.sample(remaining_ids, min(size, len(remaining_ids)))
    others = [each for each in drawn if each not in own]
    return tuple(sorted([*own, *others[: size - len(own)]]))
