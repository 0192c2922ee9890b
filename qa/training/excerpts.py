"""Short passages cut from longer ones, as chunking makes them of lists, mails and manual pages.

A reader that was trained on whole paragraphs alone judges a single sentence, or half a sentence
between two line breaks, worse than the paragraph around it.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from index.text.sentences import sentence_spans
from qa.training.data import CharSpan, Example

SOURCE = "excerpts"
"""Data set that these questions form."""
UNANSWERABLE, HALVED = 0.35, 0.3
"""Shares of the excerpts that do not hold the answer, and that are cut inside a sentence."""
_MOST_SENTENCES = 2
_MARGIN = 60
"""Most characters that an excerpt cut inside a sentence keeps on each side of the answer."""


def excerpt_questions(examples: Sequence[Example], share: float, seed: int) -> list[Example]:
    """Return excerpts of answerable examples, `share` times as many as there are of these.

    There are fewer if not so many can be made.
    """
    rng = random.Random(f"{SOURCE} {seed}")
    answerable = [example for example in examples if example.spans]
    drawn = rng.sample(answerable, min(len(answerable), round(share * len(answerable))))
    return [made for example in drawn if (made := excerpt(example, rng)) is not None]


def excerpt(example: Example, rng: random.Random) -> Example | None:
    """Return a short passage of an answerable example, or None if none can be cut."""
    answer = rng.choice(example.spans)
    sentences = sentence_spans(example.passage)
    if rng.random() < UNANSWERABLE:
        chosen = _elsewhere(example, sentences, rng)
    elif rng.random() < HALVED:
        chosen = _half_sentence(example.passage, answer, rng)
    else:
        chosen = _around(sentences, answer, rng)
    if chosen is None:
        return None
    start, end = chosen
    spans = tuple(
        (first - start, last - start)
        for first, last in example.spans
        if start <= first and last <= end
    )
    return replace(
        example,
        id=f"{SOURCE}/{example.id}",
        source=SOURCE,
        passage=example.passage[start:end],
        spans=spans,
    )


def _elsewhere(
    example: Example, sentences: Sequence[CharSpan], rng: random.Random
) -> CharSpan | None:
    """Return a sentence that holds the answer nowhere, or None."""
    without = [
        (start, end)
        for start, end in sentences
        if not any(answer in example.passage[start:end] for answer in example.answers)
    ]
    return rng.choice(without) if without else None


def _half_sentence(passage: str, answer: CharSpan, rng: random.Random) -> CharSpan:
    """Return the answer with some words on each side, as between two hard line breaks."""
    start = max(answer[0] - rng.randint(0, _MARGIN), 0)
    end = min(answer[1] + rng.randint(0, _MARGIN), len(passage))
    while 0 < start < answer[0] and not passage[start - 1].isspace():
        start += 1
    while answer[1] < end < len(passage) and not passage[end].isspace():
        end -= 1
    return start, end


def _around(sentences: Sequence[CharSpan], answer: CharSpan, rng: random.Random) -> CharSpan | None:
    """Return the sentence of the answer, at times with the next one; None if it spans several."""
    for number, (start, end) in enumerate(sentences):
        if start <= answer[0] and answer[1] <= end:
            last = min(number + rng.randrange(_MOST_SENTENCES), len(sentences) - 1)
            return start, sentences[last][1]
    return None
