"""Questions made by rule from a sample of the documents, with the places that answer them."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest

from index.document import Block
from index.store.snapshot import DocumentInfo, Snapshot
from index.text.sentences import sentence_spans
from qa.answering.kinds.grids import rows_of
from qa.answering.languages import Languages
from qa.conversations.question_making import (
    heading_name,
    is_figure,
    is_phrase,
    lowered,
    steps_question,
)
from qa.self_test.cloze import clozes

PER_DOCUMENT = 4
"""Most questions from one document, each of another kind where there are several."""
_LOOKED_AT = 20
"""Most documents that are looked at, for each question that is wanted."""
_CHARACTERS = 60_000
"""Characters of a document, from its beginning, that are looked at."""
_ROWS = 12
"""Rows of a table that are looked at."""

_NO_NOUNS = frozenset(
    {"from", "to", "cc", "bcc", "since", "until", "before", "after", "accepted", "rejected"}
    | {"received", "free", "on", "by", "subject"}
)
"""Names of columns and labels that cannot stand after "the", and the head of a mail."""


@dataclass(frozen=True, slots=True)
class SelfQuestion:
    """A question with the place that answers it, [start, end) of a document's text.

    `kind` is that of the question (`table`, `pair`, `steps`, `definition`, `number`, ...), `answer`
    the text at the place. A question that the documents cannot answer has no document; `made_from`
    is then what was changed.
    """

    question: str
    kind: str
    document_id: str = ""
    uri: str = ""
    start: int = 0
    end: int = 0
    answer: str = ""
    made_from: str = ""

    @property
    def is_answerable(self) -> bool:
        """True if a document answers it."""
        return bool(self.document_id)


def answerable_questions(
    snapshot: Snapshot, languages: Languages, most: int, seed: int
) -> list[SelfQuestion]:
    """Return at most so many questions, from documents drawn over the whole collection.

    The same seed gives the same questions of the same index. Questions that two documents answer
    differently are left out.
    """
    rng = random.Random(seed)
    ids = sorted(snapshot.document_ids)
    rng.shuffle(ids)
    by_document: list[list[SelfQuestion]] = []
    for document_id in ids[: most * _LOOKED_AT]:
        info = snapshot.document_info(document_id)
        if languages.reads(info.language):
            by_document.append(_of_document(snapshot, info, rng))
        if sum(map(bool, by_document)) >= most:
            break
    # One of each document before a second one of any.
    in_turn = chain.from_iterable(zip_longest(*by_document))
    by_question: dict[str, list[SelfQuestion]] = defaultdict(list)
    for made in filter(None, in_turn):
        by_question[made.question.casefold()].append(made)
    alone = [made[0] for made in by_question.values() if len({each.answer for each in made}) == 1]
    return alone[:most]


def _of_document(snapshot: Snapshot, info: DocumentInfo, rng: random.Random) -> list[SelfQuestion]:
    """Return questions from one document: in turn one of each kind, drawn from all it makes."""
    text = snapshot.document(info.id).text
    blocks = [block for block in snapshot.blocks(info.id) if block.end <= _CHARACTERS]
    by_kind: dict[str, list[SelfQuestion]] = defaultdict(list)
    for made in chain(_of_rows(text, blocks), _of_steps(text, blocks), _of_prose(text, blocks)):
        by_kind[made.kind].append(made)
    for made_of_kind in by_kind.values():
        rng.shuffle(made_of_kind)
    kinds = sorted(by_kind)
    rng.shuffle(kinds)
    in_turn = chain.from_iterable(zip_longest(*(by_kind[kind] for kind in kinds)))
    chosen = [made for made in in_turn if made is not None][:PER_DOCUMENT]
    return [_of(info, made) for made in chosen]


def _of(info: DocumentInfo, made: SelfQuestion) -> SelfQuestion:
    """Return a question with its document."""
    place = (info.id, info.uri, made.start, made.end)
    return SelfQuestion(made.question, made.kind, *place, made.answer)


def _of_rows(text: str, blocks: Sequence[Block]) -> Iterator[SelfQuestion]:
    """Yield questions for cells with figures and for the values of labels."""
    for block in blocks:
        if block.kind == "table":
            yield from _of_table(text, block)
        if block.kind == "pairs":
            yield from _of_pairs(text, block)


def _of_table(text: str, block: Block) -> Iterator[SelfQuestion]:
    """Yield questions for the figures of rows that begin with a name."""
    for row in rows_of(text, block)[:_ROWS]:
        subject = row[0].text.strip() if row else ""
        if not is_phrase(subject):
            continue
        for cell in row[1:]:
            if is_figure(cell.text) and _is_noun(cell.name):
                question = f"What is the {lowered(cell.name)} of {subject}?"
                yield _placed(question, "table", text, cell.span)


def _of_pairs(text: str, block: Block) -> Iterator[SelfQuestion]:
    """Yield questions for the values of labels under a heading."""
    heading = heading_name(block)
    if not is_phrase(heading):
        return
    for row in rows_of(text, block)[:_ROWS]:
        if row and row[0].text.strip() and _is_noun(row[0].name):
            question = f"What is the {lowered(row[0].name)} of {heading}?"
            yield _placed(question, "pair", text, row[0].span)


def _of_steps(text: str, blocks: Sequence[Block]) -> Iterator[SelfQuestion]:
    """Yield questions for the steps of numbered lists under a heading of doing something."""
    for block in blocks:
        question = steps_question(block)
        if question:
            yield _placed(question, "steps", text, (block.start, block.end))


def _of_prose(text: str, blocks: Sequence[Block]) -> Iterator[SelfQuestion]:
    """Yield cloze questions from the sentences of paragraphs."""
    for block in blocks:
        if block.kind != "paragraph":
            continue
        for start, end in sentence_spans(text[block.start : block.end]):
            for made in clozes(text, block.start + start, block.start + end):
                yield _placed(made.question, made.kind, text, made.span)


def _placed(question: str, kind: str, text: str, span: tuple[int, int]) -> SelfQuestion:
    start, end = span
    return SelfQuestion(question, kind, start=start, end=end, answer=text[start:end])


def _range(block: Block) -> tuple[int, int]:
    return block.start, block.end


def _is_noun(name: str) -> bool:
    """Return True for the name of a column or a label that can stand after "the"."""
    return is_phrase(name) and _NO_NOUNS.isdisjoint(name.casefold().split())
