"""Example questions that the indexed documents answer."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Iterable, Sequence

from index.store.snapshot import Snapshot
from qa.answering.pipeline import Pipeline
from qa.conversations.phrases import phrases

COUNT = 3
"""Largest number of example questions."""
MAX_CHUNKS = 100
"""Chunks whose names are counted, drawn over all documents."""
MAX_NAMES = 6
"""Most frequent names about which questions are tried."""
_TEMPLATES = (
    "What did {} announce?",
    "Who is {}?",
    "What is {}?",
    "What does {} plan to do?",
    "What does {} do?",
    "Where is {}?",
)


class ExampleQuestions:
    """The example questions of the newest generation, found once a generation.

    May be used from several threads.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: dict[tuple[str, ...], tuple[int, tuple[str, ...]]] = {}

    def questions(self, pipeline: Pipeline, tags: Sequence[str] = ()) -> tuple[str, ...]:
        """Return at most `COUNT` questions that the pipeline answers, about different names.

        `tags` are those that the pipeline is limited to: others' examples would tell of documents
        that it does not have.
        """
        key, generation = tuple(tags), pipeline.snapshot.generation
        with self._lock:
            if self._found.get(key, (None,))[0] != generation:
                self._found[key] = (generation, example_questions(pipeline))
            return self._found[key][1]


def example_questions(pipeline: Pipeline) -> tuple[str, ...]:
    """Return a surely answered question about each of the most frequent names, in their order."""
    questions: list[str] = []
    for number, name in enumerate(frequent_names(pipeline.snapshot)):
        # Each name starts with another template, so that the questions do not begin alike.
        shift = number % len(_TEMPLATES)
        templates = (*_TEMPLATES[shift:], *_TEMPLATES[:shift])
        question = _first_answered(pipeline, [template.format(name) for template in templates])
        if question:
            questions.append(question)
        if len(questions) == COUNT:
            break
    return tuple(questions)


def _first_answered(pipeline: Pipeline, questions: Iterable[str]) -> str | None:
    """Return the first of the questions that has a sure answer."""
    for question in questions:
        if pipeline.ask(question).certainty == "sure":
            return question
    return None


def frequent_names(snapshot: Snapshot) -> list[str]:
    """Return the names that most chunks of a sample hold, at most `MAX_NAMES`."""
    rows = random.Random(0).sample(snapshot.rows.tolist(), min(MAX_CHUNKS, snapshot.size))
    texts: dict[frozenset[str], str] = {}
    counts: Counter[frozenset[str]] = Counter()
    for row in rows:
        names = {
            phrase.stems: phrase.text
            for phrase in phrases(snapshot.chunk(row).text, names_only=True)
            if phrase.is_name
        }
        counts.update(names.keys())
        # A name is shown as it was written first.
        texts = names | texts
    return [texts[stems] for stems, _ in counts.most_common(MAX_NAMES)]
