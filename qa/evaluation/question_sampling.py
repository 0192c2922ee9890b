"""Which questions of a file are asked, and of which paragraphs: whole articles may be taken away,
so that a refusal is right.
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
from qa.evaluation.squad import Article, Gold, load_golds, paragraphs, read_articles, with_answers

_UNTITLED = re.compile(r"article \d+")


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as it is asked: `documents` are the ids that are searched (None: all); `removed`:
    its article is not in them.
    """

    gold: Gold
    removed: bool = False
    documents: tuple[str, ...] | None = None

    @property
    def expected(self) -> tuple[str, ...]:
        """The gold answers that can be found; none: a refusal is right."""
        return () if self.removed else self.gold.answers


@dataclass(frozen=True, slots=True)
class Sampling:
    """What is asked: `removed` in [0, 1) is the share of questions whose articles are taken away,
    `pool_size` the paragraphs searched for each question (None: all), `sample` how many questions
    (None: all).
    """

    removed: float = 0.0
    pool_size: int | None = None
    sample: int | None = None
    seed: int = 0


def load_asked(
    file: Path, distractors: Sequence[Path], sampling: Sampling
) -> tuple[list[Asked], list[str]]:
    """The questions of a file and the paragraphs that they are asked of; JSON lines have none and
    are asked of what is indexed.

    Raises EvaluationError, also for JSON lines with distractors, removed articles or a pool size.
    """
    if file.suffix == ".jsonl":
        if distractors or sampling.removed or sampling.pool_size is not None:
            raise EvaluationError(
                f"{file.name} is asked of the index: distractors, removed and pool size need a SQuAD-format file"
            )
        return [
            Asked(gold)
            for gold in with_answers(load_golds(file, sampling.sample, sampling.seed)[0])
        ], []
    articles, others = (
        read_articles(file),
        [article for path in distractors for article in read_articles(path)],
    )
    return asked_of_pool(articles, others, sampling), paragraphs([*articles, *others])


def asked_of_pool(
    articles: Sequence[Article], distractors: Sequence[Article], sampling: Sampling
) -> list[Asked]:
    """The questions of `articles` as they are asked of the paragraphs of both; raises
    EvaluationError if too many are removed, or if gold answers are empty texts.

    Whole articles are taken away, in a seeded order, until their questions are at least the share
    that is wanted. A question is a removed one if its paragraph is gone, so that a paragraph which
    two articles share goes for both; `distractors` lose the articles of the same title.
    """
    rng = random.Random(sampling.seed)
    gone = _removed_paragraphs(articles, distractors, sampling.removed, rng)
    golds = with_answers([gold for article in articles for gold in article.questions])
    chosen = _sampled(golds, gone, sampling, rng)
    kept = [pool_id(text) for text in paragraphs([*articles, *distractors]) if text not in gone]
    everything = tuple(kept) if gone else None
    if not kept:
        raise EvaluationError(
            "no paragraph is left to be searched: remove a smaller share or add --distractors"
        )
    return [
        Asked(
            gold,
            gold.context in gone,
            everything
            if sampling.pool_size is None
            else _own_and_others(gold, gone, kept, sampling),
        )
        for gold in chosen
    ]


def _removed_paragraphs(
    articles: Sequence[Article], distractors: Iterable[Article], share: float, rng: random.Random
) -> set[str]:
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
    titles.discard("")
    return gone | {
        text
        for article in distractors
        if _folded(article.title) in titles
        for text in article.paragraphs
    }


def _folded(title: str) -> str:
    """A title for comparison; none for one that only counts articles."""
    return "" if _UNTITLED.fullmatch(title) else title.replace("_", " ").casefold().strip()


def _sampled(
    golds: Sequence[Gold], gone: set[str], sampling: Sampling, rng: random.Random
) -> list[Gold]:
    """All questions, or a sample of them with exactly the wanted share of removed ones, in the
    order of the file.
    """
    if sampling.sample is None or sampling.sample >= len(golds):
        return list(golds)
    groups = [
        [at for at, gold in enumerate(golds) if (gold.context in gone) is removed]
        for removed in (True, False)
    ]
    removed = round(sampling.removed * sampling.sample)
    sizes = (removed, sampling.sample - removed)
    for group, size, name in zip(groups, sizes, ("removed", "kept"), strict=True):
        if size > len(group):
            raise EvaluationError(
                f"expected {size} questions of {name} articles for the sample, there are {len(group)}"
            )
    return [
        golds[at]
        for at in sorted(
            at for group, size in zip(groups, sizes, strict=True) for at in rng.sample(group, size)
        )
    ]


def _own_and_others(
    gold: Gold, gone: set[str], kept: Sequence[str], sampling: Sampling
) -> tuple[str, ...]:
    own = [pool_id(gold.context)] if gold.context is not None and gold.context not in gone else []
    size = sampling.pool_size or 1
    drawn = random.Random(f"{sampling.seed}/{gold.id}").sample(kept, min(size, len(kept)))
    others = [each for each in drawn if each not in own]
    return tuple(sorted([*own, *others[: size - len(own)]]))
