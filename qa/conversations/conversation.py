"""Questions within a conversation.

A follow-up is asked in each way in which it can be understood, and the confidence of the answers
decides which counts. Turns are stored with the versions of the documents that they quote.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol

from index.store.snapshot import Snapshot
from qa.answer import Answer, AnswerSpan
from qa.answering.kinds.chat import is_chat
from qa.answering.question import checked_question
from qa.conversations.ellipsis import MAX_TURNS
from qa.conversations.openings import items_of
from qa.conversations.query_rewriting import rewrites
from qa.errors import InvalidFeedback
from qa.state.conversations import ConversationStore, StoredTurn, Version
from qa.state.feedback import FeedbackStore, Judgement, Place, Verdict
from qa.state.quote_erasure import NOT_READABLE, quoted_document_ids, redact_documents

ALONE_MARGIN = 0.1
"""Confidence by which a follow-up as it stands must beat its rewrites to be preferred."""
RANK_MARGIN = 0.08
"""Confidence by which a reading must beat the likelier one before it."""
DISAGREEMENT = 0.2
"""Share of its confidence that an answer loses if no other rewrite finds it.

Of 490 follow-ups made from held-out articles of SQuAD 2.0, 78% of the given answers were right with
the surest rewrite's own confidence and 82% with this, as many as of the same questions with their
names; for the area under the risk-coverage curve 0.2 to 0.5 were alike.
"""


class Ask(Protocol):
    """The pipeline, bound to one generation and to the options of the question."""

    def __call__(self, question: str, *, trust: float = 1.0, near: Sequence[str] = ()) -> Answer:
        """Answer a question (see `qa.answering.pipeline.Pipeline.ask`)."""


@dataclass(frozen=True, slots=True)
class QuotedVersion:
    """A document that a turn quotes, with its state today: current, changed or gone."""

    document_id: str
    sha256: str
    state: str


def answer_in_context(
    question: str,
    turns: Sequence[tuple[str, str]],
    ask: Ask,
    items: Sequence[str] = (),
    near: Sequence[str] = (),
) -> Answer:
    """Answer a question that may continue earlier turns.

    `turns` are (question as it was understood, answer or ""), oldest first, `items` what the last
    answer lists, and `near` the documents that the turns have quoted, the last ones first. A
    question that needs nothing is asked as it is. If the likeliest reading is surely answered, that
    stands; else the others are tried and the surest counts, less sure where the others disagree.
    `Answer.question` is what was asked, `interpreted_as` the rewrite. Raises InvalidQuestion and
    what `ask` raises.
    """
    alone = checked_question(question)
    if is_chat(alone):
        return ask(alone)
    first, *others = rewrites(alone, turns, items)
    if others or first != alone:
        ask = partial(ask, near=near)
    best = ask(first)
    is_settled = best.certainty == "sure"
    if others and not is_settled:
        best = _surest([best, *(ask(other) for other in others)], alone, first, ask)
    if best.question == alone:
        return best
    return replace(best, question=alone, interpreted_as=best.interpreted_as or best.question)


def documents_of(results: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the ids of the documents that answers quote first, in the order of the answers."""
    spans = [span for result in results for span in result["answers"][:1]]
    return list(dict.fromkeys(span["citation"]["document_id"] for span in spans))


def _surest(answers: Sequence[Answer], alone: str, first: str, ask: Ask) -> Answer:
    """Return the answer to the rewrite that is worth most, with its confidence lowered if need be.

    `alone` is the question as it stands, `first` the likeliest rewrite.
    """
    trusts = [1 - DISAGREEMENT * (1 - _agreement(answer, answers)) for answer in answers]
    values = [
        _value(answer, alone, first, trust, rank)
        for rank, (answer, trust) in enumerate(zip(answers, trusts, strict=True))
    ]
    at = values.index(max(values))
    if trusts[at] == 1:
        return answers[at]
    # Asked again with less trust, so that the threshold and every confidence take it into account.
    return ask(answers[at].question, trust=trusts[at])


class Conversations:
    """Answers questions within stored conversations, each of at most `most` turns."""

    def __init__(self, history: ConversationStore, feedback: FeedbackStore, most: int) -> None:
        self.history = history
        self.feedback = feedback
        self._most = most

    def ask(
        self, owner: str, conversation_id: str, question: str, ask: Ask, snapshot: Snapshot
    ) -> StoredTurn:
        """Answer a question as the next turn of a conversation.

        `snapshot` is the one that `ask` answers from. Raises UnknownConversation, and what `ask`
        raises.
        """
        self.history.conversation(owner, conversation_id)
        turns = self.turns(conversation_id, snapshot, MAX_TURNS)
        context = [(turn.understood, turn.result["answer"] or "") for turn in turns]
        texts = [span["text"] for span in turns[-1].result["answers"]] if turns else []
        near = documents_of(turn.result for turn in reversed(turns))
        answer = answer_in_context(question, context, ask, items_of(texts), near)
        # A note on a changed document is shown once in a conversation.
        earlier_notes = {note for turn in turns for note in turn.result["notes"]}
        change_notes = [
            note
            for note in self._change_notes(conversation_id, snapshot)
            if note not in earlier_notes
        ]
        result = replace(answer, notes=(*answer.notes, *change_notes)).to_dict()
        versions = [_version(snapshot, document_id) for document_id in quoted_document_ids(result)]
        understood = answer.interpreted_as or answer.question
        return self.history.append(
            conversation_id, answer.question, understood, result, versions, self._most
        )

    def judge(
        self,
        owner: str,
        turn_id: int,
        verdict: Verdict,
        place: Place | None,
        snapshot: Snapshot | None,
    ) -> Judgement:
        """Store feedback on a turn.

        The verdict "place" needs a place, in the current text of a document or in a version that
        was quoted. Raises UnknownConversation or InvalidFeedback.
        """
        turn = self.history.turn(owner, turn_id)
        needs_place = verdict == "place"
        if needs_place != (place is not None):
            raise InvalidFeedback(
                'a place belongs to the verdict "place", and to no other: send both or neither'
            )
        if place is None:
            return self.feedback.record_verdict(turn, verdict)
        version = self.version(owner, place.document_id, place.sha256, snapshot)
        return self.feedback.record_place(turn, place, version)

    def version(
        self, owner: str, document_id: str, prefix: str, snapshot: Snapshot | None
    ) -> Version | None:
        """Return the text of a document whose sha256 begins with a prefix; None if there is none.

        It is the current text, or a version that a turn of the owner's quoted.
        """
        if _is_hidden(document_id, snapshot):
            return None
        current = current_sha256(snapshot, document_id)
        if snapshot is not None and current is not None and current.startswith(prefix):
            return _version(snapshot, document_id)
        return self.history.version(owner, document_id, prefix)

    def turns(
        self, conversation_id: str, snapshot: Snapshot | None, last: int | None = None
    ) -> list[StoredTurn]:
        """Return the (last) turns of a conversation without the quotes that are hidden by now.

        Those are of documents that a limited snapshot does not have. The interpreted questions of
        later turns may hold their words, too.
        """
        turns, is_redacted = [], False
        for stored in self.history.turns(conversation_id, last):
            turn = _visible(stored, snapshot)
            is_redacted = is_redacted or turn is not stored
            turns.append(_uninterpreted(turn) if is_redacted else turn)
        return turns

    def turn(self, owner: str, turn_id: int, snapshot: Snapshot | None) -> StoredTurn:
        """Return one turn like `turns`. Raises UnknownConversation."""
        return _visible(self.history.turn(owner, turn_id), snapshot)

    def judged_questions(self, owner: str, snapshot: Snapshot | None) -> list[dict[str, Any]]:
        """Return an owner's questions with known answers (see `FeedbackStore.questions`).

        Without those whose answers come from documents that are hidden by now.
        """
        return self.feedback.questions(owner, lambda each: not _is_hidden(each, snapshot))

    def quoted(
        self, conversation_id: str, snapshot: Snapshot | None
    ) -> dict[int, list[QuotedVersion]]:
        """Return the documents that each turn quotes, by the turn's id, with their state today.

        Without a snapshot nothing is indexed, and every document is gone.
        """
        by_turn = {
            turn_id: [pair for pair in pairs if not _is_hidden(pair[0], snapshot)]
            for turn_id, pairs in self.history.quoted_versions(conversation_id).items()
        }
        # Many turns quote the same version: its state is looked up once.
        pairs = {pair for quoted in by_turn.values() for pair in quoted}
        versions = {pair: QuotedVersion(*pair, _state(snapshot, *pair)) for pair in pairs}
        return {turn_id: [versions[pair] for pair in quoted] for turn_id, quoted in by_turn.items()}

    def _change_notes(self, conversation_id: str, snapshot: Snapshot) -> list[str]:
        """Return notes on documents that are not as earlier turns quote them."""
        last_quoted: dict[str, QuotedVersion] = {}
        for versions in self.quoted(conversation_id, snapshot).values():
            last_quoted |= {version.document_id: version for version in versions}
        notes = []
        for version in last_quoted.values():
            if version.state == "changed":
                title = snapshot.document_info(version.document_id).title
                notes.append(
                    f"{title}: this document has changed since it was quoted in this conversation."
                )
            elif version.state == "gone":
                notes.append("A document that was quoted in this conversation is gone.")
        return notes


def _is_hidden(document_id: str, snapshot: Snapshot | None) -> bool:
    """Return True if a snapshot is limited and does not have a document.

    A whole one hides nothing: a document that it lacks may be quoted by what has been kept.
    """
    return snapshot is not None and snapshot.is_limited and not snapshot.has_document(document_id)


def _visible(turn: StoredTurn, snapshot: Snapshot | None) -> StoredTurn:
    """Return a turn without the quotes of hidden documents, unchanged if it has none."""
    hidden = [each for each in quoted_document_ids(turn.result) if _is_hidden(each, snapshot)]
    if not hidden:
        return turn
    result = redact_documents(turn.result, hidden, NOT_READABLE)
    return _uninterpreted(replace(turn, result=result, place=None))


def _uninterpreted(turn: StoredTurn) -> StoredTurn:
    """Return a turn with the question as it was asked alone."""
    return replace(turn, understood=turn.question, result=turn.result | {"interpreted_as": None})


def current_sha256(snapshot: Snapshot | None, document_id: str) -> str | None:
    """Return the sha256 of a document in a snapshot; None if it or the snapshot is missing."""
    if snapshot is None or not snapshot.has_document(document_id):
        return None
    return snapshot.document_info(document_id).sha256


def _value(answer: Answer, alone: str, first: str, trust: float, rank: int) -> float:
    """Return the value of the answer to a reading: its trusted confidence, less by its rank.

    An elliptic follow-up as it stands comes last, and has a margin of its own.
    """
    if answer.question == alone:
        return trust * answer.confidence - (ALONE_MARGIN if alone != first else 0.0)
    return trust * answer.confidence - RANK_MARGIN * rank


def _agreement(answer: Answer, answers: Sequence[Answer]) -> float:
    """Return the share of the answers whose best span is this one's or overlaps it.

    Best spans count given or withheld; answers without any do not. It is 1 for an answer without.
    """
    ours = _best_span(answer)
    if ours is None:
        return 1.0
    spans = [span for span in map(_best_span, answers) if span]
    return sum(ours.is_same_as(span) for span in spans) / len(spans)


def _best_span(answer: Answer) -> AnswerSpan | None:
    return next(iter((*answer.spans, *answer.alternatives)), None)


def _version(snapshot: Snapshot, document_id: str) -> Version:
    """Return the text of a document as it is indexed."""
    document = snapshot.document(document_id)
    # Places (pages, rows) exist only where the text was extracted.
    places = document.places if document.source.extractor else None
    info = document.info
    return Version(document_id, info.sha256, info.title, info.uri, document.text, places)


def _state(snapshot: Snapshot | None, document_id: str, sha256: str) -> str:
    current = current_sha256(snapshot, document_id)
    if current is None:
        return "gone"
    return "current" if current == sha256 else "changed"
