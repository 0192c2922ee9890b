"""SQuAD-format files, and the held-out split that training must not see."""

from __future__ import annotations

import gzip
import hashlib
import json
import math
import random
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qa.errors import EvaluationError

HELD_OUT_SHARE = 0.1
"""Share of the training articles that no training stage sees.

Thresholds, fusion and calibration are chosen on them.
"""


@dataclass(frozen=True, slots=True)
class Gold:
    """One question with its gold answers and the paragraph that it was asked about.

    Without gold answers, the documents do not answer it.
    """

    id: str
    question: str
    answers: tuple[str, ...]
    context: str | None = None


@dataclass(frozen=True, slots=True)
class Article:
    """One article of a SQuAD-format file: its paragraphs and their questions."""

    title: str
    paragraphs: tuple[str, ...]
    questions: tuple[Gold, ...]


def read_articles(path: Path) -> list[Article]:
    """Read SQuAD-format JSON, gzip-compressed or not (Rajpurkar et al. 2018).

    Raises EvaluationError if the file is not in that format.
    """
    try:
        data = json.loads(_read(path))["data"]
        return [_article(entry, number) for number, entry in enumerate(data)]
    except (ValueError, KeyError, TypeError) as error:
        raise EvaluationError(
            f"{path.name} is not SQuAD-format JSON (data[].paragraphs[].qas[]): {error!r}"
        ) from error


def load_golds(
    path: Path, sample: int | None = None, seed: int = 0
) -> tuple[list[Gold], list[Article]]:
    """Return the questions of either kind of file, or a seeded sample, and its articles.

    Only a SQuAD-format file has articles. Raises EvaluationError if the file cannot be used.
    """
    articles = [] if path.suffix == ".jsonl" else read_articles(path)
    golds = questions_of(articles) if articles else read_questions(path)
    if sample is not None and sample < len(golds):
        golds = random.Random(seed).sample(golds, sample)
    return golds, articles


def questions_of(articles: Iterable[Article]) -> list[Gold]:
    """Return the questions of all articles, in order."""
    return [gold for article in articles for gold in article.questions]


def read_questions(path: Path) -> list[Gold]:
    """Read JSON lines of {id, question, answers}; raise EvaluationError for others."""
    try:
        rows = [json.loads(line) for line in _read(path).decode().splitlines() if line.strip()]
        return [
            Gold(_text(row["id"]), _text(row["question"]), tuple(map(_text, _list(row["answers"]))))
            for row in rows
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise EvaluationError(
            f"{path.name} is not JSON lines of id, question and answers: {error!r}"
        ) from error


def _text(value: Any) -> str:  # noqa: ANN401 - whatever JSON holds
    if not isinstance(value, str):
        raise TypeError(f"expected a text, got {value!r}")
    return value


def _list(value: Any) -> list[Any]:  # noqa: ANN401 - whatever JSON holds
    if not isinstance(value, list):
        raise TypeError(f"expected a list of texts, got {value!r}")
    return value


def with_answers(golds: Sequence[Gold]) -> Sequence[Gold]:
    """Return the questions unchanged, after a check of their gold answers.

    Raises EvaluationError if all gold answers of a question are empty texts, so that no answer
    could be right.
    """
    hollow = [
        gold.id
        for gold in golds
        if gold.answers and not any(answer.strip() for answer in gold.answers)
    ]
    if hollow:
        raise EvaluationError(
            f"{len(hollow)} of {len(golds)} questions have gold answers without characters, "
            f"the first being {hollow[0]}: use a file with answer texts "
            "(a question without an answer has an empty list of answers)"
        )
    return golds


def held_out(articles: Sequence[Article]) -> list[Article]:
    """Return the tenth of the articles with the smallest sha256 of the title.

    Articles with and without unanswerable questions are split separately.
    """
    # A hash of the title does not change when the file gets other articles or another order.
    chosen: list[Article] = []
    for has_unanswerable in (False, True):
        stratum = [
            article
            for article in articles
            if any(not gold.answers for gold in article.questions) is has_unanswerable
        ]
        stratum.sort(key=lambda article: hashlib.sha256(article.title.encode()).digest())
        chosen.extend(stratum[: math.ceil(HELD_OUT_SHARE * len(stratum))])
    return chosen


def paragraphs(articles: Iterable[Article]) -> list[str]:
    """Return the distinct paragraphs of all articles, in order."""
    return list(dict.fromkeys(text for article in articles for text in article.paragraphs))


def _read(path: Path) -> bytes:
    try:
        data = path.read_bytes()
        return gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data
    except (OSError, EOFError, zlib.error) as error:
        raise EvaluationError(f"{path} cannot be read: {error}") from error


def _article(entry: dict[str, Any], number: int) -> Article:
    texts = tuple(paragraph["context"] for paragraph in entry["paragraphs"])
    questions = tuple(
        Gold(
            question["id"],
            question["question"],
            tuple(dict.fromkeys(answer["text"] for answer in question["answers"])),
            paragraph["context"],
        )
        for paragraph in entry["paragraphs"]
        for question in paragraph["qas"]
    )
    return Article(entry.get("title") or f"article {number}", texts, questions)
