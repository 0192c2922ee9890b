"""Example questions that the indexed documents answer, made from their headings and tables.

A sample of the documents is looked at, never the whole collection, and each question is asked
before it is shown: it must be answered from the document that it was made from.
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import chain, zip_longest

from index.store.snapshot import DocumentInfo, Snapshot
from qa.answer import Answer
from qa.answering.kinds.grids import cells_of
from qa.answering.languages import Languages
from qa.answering.pipeline import Pipeline
from qa.conversations.phrases import phrases
from qa.conversations.question_making import (
    heading_name,
    is_figure,
    is_phrase,
    lowered,
    steps_question,
)
from qa.errors import QAError

COUNT = 4
"""Largest number of example questions."""
MAX_DOCUMENTS = 24
"""Documents that are looked at, drawn over all."""
MAX_ALIKE = 2
"""Example questions of one kind."""
MAX_ASKED = 16
"""Questions that are tried."""
ALWAYS = "What documents do you have?"
"""Question that any collection answers, where few others were found."""

_MAX_ROWS = 3
_NAME_TEMPLATES = ("What does {} do?", "Who is {}?", "What is {}?", "Where is {}?")


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A question made from a document, which must be answered from it."""

    question: str
    document_id: str
    kind: str


class ExampleQuestions:
    """The example questions of the newest generation, found once a generation.

    May be used from several threads.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._finding = threading.Lock()
        self._found: dict[tuple[str, ...], tuple[int, tuple[str, ...]]] = {}

    def found(self, generation: int, tags: Sequence[str] = ()) -> tuple[str, ...] | None:
        """Return the questions of a generation, None if they have not been looked for.

        `tags` are those that the asker is limited to: others' examples would tell of documents
        that he may not read.
        """
        with self._lock:
            of_generation, questions = self._found.get(tuple(tags), (None, ()))
            return questions if of_generation == generation else None

    def questions(self, pipeline: Pipeline, tags: Sequence[str] = ()) -> tuple[str, ...]:
        """Return at most `COUNT` questions that the pipeline answers, found now if need be.

        `tags` are those that the pipeline is limited to.
        """
        generation = pipeline.snapshot.generation
        found = self.found(generation, tags)
        if found is None:
            found = example_questions(pipeline)
            with self._lock:
                self._found[tuple(tags)] = (generation, found)
        return found

    def find(
        self, use: Callable[[], AbstractContextManager[Pipeline]], tags: Sequence[str] = ()
    ) -> None:
        """Look for the questions in a thread of its own, unless one is at work.

        `use` holds the newest pipeline, limited to the tags, for the length of a block.
        """
        if self._finding.acquire(blocking=False):
            arguments = (use, tags)
            threading.Thread(
                target=self._find, args=arguments, name="examples", daemon=True
            ).start()

    def _find(
        self, use: Callable[[], AbstractContextManager[Pipeline]], tags: Sequence[str]
    ) -> None:
        try:
            with use() as pipeline:
                self.questions(pipeline, tags)
        except QAError:
            pass  # nothing is indexed any more: the next request looks again
        finally:
            self._finding.release()


def example_questions(pipeline: Pipeline) -> tuple[str, ...]:
    """Return questions of several kinds, each about another document, the sure ones first.

    None if nothing is indexed.
    """
    if not pipeline.snapshot.size:
        return ()
    sure: list[str] = []
    likely: list[str] = []
    used: set[str] = set()
    kinds: Counter[str] = Counter()
    asked = 0
    for candidate in _candidates(pipeline.snapshot, pipeline.policy.languages):
        if len(sure) == COUNT or asked == MAX_ASKED:
            break
        if candidate.document_id in used or kinds[candidate.kind] == MAX_ALIKE:
            continue
        asked += 1
        answer = pipeline.ask(candidate.question)
        if _is_from(answer, candidate.document_id):
            (sure if answer.certainty == "sure" else likely).append(candidate.question)
            used.add(candidate.document_id)
            kinds[candidate.kind] += answer.certainty == "sure"
    found = [*sure, *likely][:COUNT]
    return tuple(found if len(found) == COUNT else [*found, ALWAYS])


def _is_from(answer: Answer, document_id: str) -> bool:
    return any(citation.document_id == document_id for citation in answer.citations)


def _candidates(snapshot: Snapshot, languages: Languages) -> Iterator[_Candidate]:
    """Yield questions over a sample of the documents, in turn one of each kind, names last."""
    ids = sorted(snapshot.document_ids)
    drawn = random.Random(0).sample(ids, min(MAX_DOCUMENTS, len(ids)))
    infos = [snapshot.document_info(each) for each in drawn]
    read = [info for info in infos if languages.reads(info.language)]
    made = [list(_first_of(kind, snapshot, read)) for kind in (_of_headings, _of_tables, _of_title)]
    yield from filter(None, chain.from_iterable(zip_longest(*made)))
    yield from _first_of(_of_names, snapshot, read)


def _first_of(
    kind: Callable[[Snapshot, DocumentInfo], Iterator[str]],
    snapshot: Snapshot,
    infos: Sequence[DocumentInfo],
) -> Iterator[_Candidate]:
    """Yield the first question of a kind of each document, each question once."""
    known: set[str] = set()
    for info in infos:
        question = next(kind(snapshot, info), None)
        if question and question not in known:
            known.add(question)
            yield _Candidate(question, info.id, kind.__name__)


def _of_headings(snapshot: Snapshot, info: DocumentInfo) -> Iterator[str]:
    """Yield headings that are questions, and questions for the steps under a heading."""
    blocks = snapshot.blocks(info.id)
    for block in blocks:
        name = heading_name(block)
        if block.kind == "heading" and name.endswith("?"):
            yield name
    yield from filter(None, map(steps_question, blocks))


def _of_tables(snapshot: Snapshot, info: DocumentInfo) -> Iterator[str]:
    """Yield questions for a cell with a number, named by its column and the first of its row."""
    text = snapshot.document(info.id).text
    tables = (block for block in snapshot.blocks(info.id) if block.kind == "table")
    for block in tables:
        for entry in block.entries[:_MAX_ROWS]:
            cells = [(cell.name, cell.text.strip()) for cell in cells_of(text, entry, block)]
            at = next((at for at, (_, value) in enumerate(cells) if is_phrase(value)), len(cells))
            # What stands before the name of a row is a code rather than a figure.
            columns = (name for name, value in cells[at + 1 :] if is_figure(value))
            column = next(filter(_is_word, columns), None)
            if column:
                yield f"What is the {lowered(column)} of {cells[at][1]}?"


def _of_title(snapshot: Snapshot, info: DocumentInfo) -> Iterator[str]:
    """Yield the question what a document with a title of several words is about."""
    del snapshot  # the description says it
    if is_phrase(info.title) and 2 <= len(info.title.split()) <= 8 and not info.title.isupper():
        yield f"What is “{info.title}” about?"


def _of_names(snapshot: Snapshot, info: DocumentInfo) -> Iterator[str]:
    """Yield a question about the first name of several words in a document."""
    text = snapshot.document(info.id).text[:5000]
    names = (each.text for each in phrases(text, names_only=True) if each.is_name)
    long = (name for name in names if " " in name and is_phrase(name))
    for number, name in enumerate(long):
        yield _NAME_TEMPLATES[number % len(_NAME_TEMPLATES)].format(name)


def _is_word(text: str) -> bool:
    return is_phrase(text) and not any(char.isdigit() or char in ",." for char in text)
