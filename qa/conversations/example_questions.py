"""Questions that the indexed documents answer, to show what can be asked."""

from __future__ import annotations

import random
import threading
from collections import Counter

from index.store.snapshot import Snapshot
from qa.answering.pipeline import Pipeline
from qa.conversations.phrases import phrases

COUNT = 3
MAX_CHUNKS = 100
"""Passages whose names are counted, drawn over all documents."""
MAX_NAMES = 6
"""Names, most frequent first, of which the questions are tried."""
_ASKED = (
    "What did {} announce?",
    "Who is {}?",
    "What is {}?",
    "What does {} plan to do?",
    "What does {} do?",
    "Where is {}?",
)


class ExampleQuestions:
    """Example questions of the newest generation that they were asked for; found once for each. May
    be used from several threads.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: tuple[str, ...] = ()
        self._generation: int | None = None

    def questions(self, pipeline: Pipeline) -> tuple[str, ...]:
        """At most `COUNT` questions that the pipeline answers, about different names."""
        with self._lock:
            if self._generation != pipeline.snapshot.generation:
                self._found = example_questions(pipeline)
                self._generation = pipeline.snapshot.generation
            return self._found


def example_questions(pipeline: Pipeline) -> tuple[str, ...]:
    """The first question about each of the most frequent names that is answered, in the order of
    the names.
    """
    found: list[str] = []
    for number, name in enumerate(frequent_names(pipeline.snapshot)):
        asked = (
            *_ASKED[number % len(_ASKED) :],
            *_ASKED[: number % len(_ASKED)],
        )  # so that they do not all begin alike
        answered = next(
            (each for each in (way.format(name) for way in asked) if pipeline.ask(each).spans), None
        )
        if answered:
            found.append(answered)
        if len(found) == COUNT:
            break
    return tuple(found)


def frequent_names(snapshot: Snapshot) -> list[str]:
    """The names that most passages of a sample hold, at most `MAX_NAMES`."""
    rows = random.Random(0).sample(range(snapshot.size), min(MAX_CHUNKS, snapshot.size))
    texts: dict[frozenset[str], str] = {}
    counts: Counter[frozenset[str]] = Counter()
    for row in rows:
        names = {
            phrase.stems: phrase.text
            for phrase in phrases(snapshot.chunk(row).text, names_only=True)
            if phrase.is_name
        }
        counts.update(names.keys())
        texts = names | texts
    return [texts[stems] for stems, _ in counts.most_common(MAX_NAMES)]
