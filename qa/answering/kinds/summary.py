"""Summaries: sentences of a document that stand for the whole, quoted in their order.

Sentences are chosen by centrality (LexRank: Erkan and Radev 2004, as power iteration over the
cosines of tf-idf vectors) and by position, which is a strong baseline for prose.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from index.document import TextRange
from index.search.bm25 import analyse
from index.store.snapshot import DocumentInfo
from index.text.sentences import sentence_spans
from qa.answering.kinds.collection import name_terms
from qa.answering.kinds.context import KindAnswer, QuestionContext
from qa.answering.kinds.wordings import whole, without_article, without_marks

MOST_SENTENCES = 5
_MOST_READ = 300
"""Sentences of a document that are compared with each other, from its beginning."""
_LEAST_TERMS, _MOST_CHARACTERS = 4, 400
"""Index terms below which a sentence says too little, and the longest one that is quoted."""
_DAMPING, _ROUNDS = 0.85, 30
_EARLY = 0.5
"""Weight of the position of a sentence beside its centrality."""
_NAMED = 0.6
"""Share of the question's words that the name of the document must hold."""
SELECTION = "A selection of the document's own sentences, in their order."
_IS = r"(?:'s| is| are| was| were)"
_LISTING = r"(?:what(?:'s| are| is)|give me|list)"
_POINTS = r"(?:points?|facts?|messages?|ideas?|takeaways?)"
_FORMS = tuple(
    whole(rf"(?:please )?{pattern}")
    for pattern in (
        rf"(?:tell me )?what{_IS}? (?P<topic>.+?)(?: is| are| was)?(?: all)? about",
        r"(?:can you )?(?:summari[sz]e|sum up|give a summary of) (?P<topic>.+?)(?: for me)?",
        rf"(?:{_LISTING} )?(?:the )?(?:main|key|most important) {_POINTS} (?:of|in) (?P<topic>.+)",
        r"(?:a |the )?(?:short )?(?:summary|overview|abstract|gist) (?:of|on) (?P<topic>.+)",
    )
)
_SAYS = whole(r"what (?:does|do|did) (?P<topic>.+?) (?:say|cover|deal with|contain)")
"""A question for what something says: a document, if one has that name, else perhaps a person."""


def answer(context: QuestionContext) -> KindAnswer | None:
    """Quote the sentences that stand for a document; None if none is asked for or found."""
    topic = topic_of(context.question)
    says = _SAYS.match(without_marks(context.question)) is not None
    info = _document(context, topic, by_name=says) if topic else None
    if info is None:
        return None
    text = context.snapshot.document(info.id).text
    chosen = central_sentences(text)
    if not chosen:
        return None
    spans = tuple(context.fact(info.id, sentence) for sentence in chosen)
    return KindAnswer("summary", spans, notes=(SELECTION,))


def topic_of(question: str) -> str | None:
    """Return what a question wants to have summed up, None if it asks something else."""
    text = without_marks(question)
    found = next(filter(None, (form.match(text) for form in (*_FORMS, _SAYS))), None)
    return without_article(found["topic"].strip()) if found else None


def central_sentences(text: str) -> list[TextRange]:
    """Return at most `MOST_SENTENCES` sentences that stand for a text, in its order."""
    candidates = []
    for start, end in sentence_spans(text):
        terms = analyse(text[start:end])
        if len(terms) >= _LEAST_TERMS and end - start <= _MOST_CHARACTERS:
            candidates.append(((start, end), terms))
        if len(candidates) == _MOST_READ:
            break
    if not candidates:
        return []
    centrality = _lexrank([terms for _, terms in candidates])
    position = 1 / (1 + np.arange(len(candidates)))
    scores = centrality / centrality.max() + _EARLY * position
    best = np.argsort(-scores, kind="stable")[:MOST_SENTENCES]
    return [candidates[at][0] for at in sorted(best.tolist())]


def _lexrank(sentences: Sequence[Sequence[str]]) -> NDArray[np.float64]:
    """Return the centrality of each sentence among all, float64 (n,), from its terms."""
    vectors = _tf_idf(sentences)
    similarity = vectors @ vectors.T
    np.fill_diagonal(similarity, 0.0)
    sums = similarity.sum(axis=1, keepdims=True)
    count = len(sentences)
    # A sentence that is like no other leads anywhere with the same probability.
    transition = np.where(sums > 0, similarity / np.maximum(sums, 1e-12), 1 / count)
    rank = np.full(count, 1 / count)
    for _ in range(_ROUNDS):
        rank = (1 - _DAMPING) / count + _DAMPING * (transition.T @ rank)
    return rank


def _tf_idf(sentences: Sequence[Sequence[str]]) -> NDArray[np.float64]:
    """Return unit tf-idf vectors of some sentences, float64 (n, terms)."""
    frequency = Counter(term for terms in sentences for term in set(terms))
    column_of = {term: column for column, term in enumerate(frequency)}
    vectors = np.zeros((len(sentences), len(column_of)))
    for row, terms in enumerate(sentences):
        for term, count in Counter(terms).items():
            idf = np.log((1 + len(sentences)) / frequency[term])
            vectors[row, column_of[term]] = count * idf
    unit: NDArray[np.float64] = vectors / np.maximum(
        np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12
    )
    return unit


def _document(context: QuestionContext, topic: str, *, by_name: bool) -> DocumentInfo | None:
    """Return the document that a topic names by its title or path, the newest first.

    Else it is the one that most passages about the topic are of, unless it must be found
    `by_name`; None if there is none.
    """
    wanted = set(analyse(topic))
    if not wanted:
        return None
    shares = [
        (len(wanted & name_terms(info)) / len(wanted), info.date or "", info)
        for info in context.list_documents()
    ]
    best = max(shares, key=lambda each: each[:2], default=None)
    if best and best[0] >= _NAMED:
        return best[2]
    if by_name:
        return None
    passages = context.retrieve(topic)
    found = Counter(passage.document.id for passage in passages).most_common(1)
    if not found or found[0][1] * 2 <= len(passages):
        return None
    return next(each.document for each in passages if each.document.id == found[0][0])
