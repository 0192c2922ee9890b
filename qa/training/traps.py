"""Pairs of a question and its trap, of articles that no stage sees: a name, a number or a relation
of the question is swapped, so that its own paragraph, which answers the one, does not answer the
other (`qa.training.swaps`).

`qa eval answers FILE --pool-size 1` asks each of its own paragraph, and without `--pool-size` of
all paragraphs of the file, among which some other may answer a trap after all.
"""

from __future__ import annotations

import gzip
import json
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from qa.training.data import Example, entry, held_out_examples
from qa.training.errors import TrainingError
from qa.training.swaps import OPPOSITE, Term, swap, terms_by_article

Kind = Literal["entity", "relation"]

DRAWS = 12
"""Swaps drawn of a question: a relation comes before names and numbers in 3 of 10, so that one is
missed once in 70 questions.
"""
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class TrapPair:
    """An answerable question, its unanswerable twin on the same paragraph, and what was swapped."""

    true: Example
    trap: Example
    kind: Kind


def trap_pairs(data: Path, pairs: int, seed: int = 0) -> list[TrapPair]:
    """At most so many pairs from the held-out articles, half of them entity and half relation swaps
    as far as there are any.

    They come in the order of the articles, one a question.

    `data` holds reader/*.json.gz. Raises TrainingError.
    """
    rng = random.Random(seed)
    examples = [example for example in held_out_examples(data) if example.spans]
    terms = terms_by_article(examples)
    kinds: dict[Kind, list[tuple[int, TrapPair]]] = {"entity": [], "relation": []}
    for at in rng.sample(range(len(examples)), len(examples)):
        if all(len(found) >= (pairs + 1) // 2 for found in kinds.values()):
            break
        pair = _pair(examples[at], terms[examples[at].source, examples[at].title], rng)
        if pair:
            kinds[pair.kind].append((at, pair))
    relations = kinds["relation"][: max(pairs // 2, pairs - len(kinds["entity"]))]
    chosen = [*relations, *kinds["entity"][: pairs - len(relations)]]
    return [pair for _, pair in sorted(chosen, key=lambda item: item[0])]


def write_traps(pairs: Sequence[TrapPair], path: Path) -> None:
    """Write SQuAD-format JSON, gzip-compressed: a paragraph once, with all its pairs, under its
    article; raises TrainingError.
    """
    articles: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for pair in pairs:
        asked = articles.setdefault(pair.true.title, {}).setdefault(pair.true.passage, [])
        asked += [_entry(pair.true), _entry(pair.trap)]
    data = [
        {
            "title": title,
            "paragraphs": [{"context": text, "qas": asked} for text, asked in paragraphs.items()],
        }
        for title, paragraphs in articles.items()
    ]
    try:
        path.write_bytes(
            gzip.compress(json.dumps({"data": data}, ensure_ascii=False).encode(), mtime=0)
        )
    except OSError as error:
        raise TrainingError(f"{path} cannot be written: {error}") from error


def kind_of(question: str, trap: str) -> Kind | None:
    """What was swapped: a relation for its opposite, a name or number for another; None for a
    negation.
    """
    before, after = _words(question), _words(trap)
    if "not" in after and "not" not in before:
        return None
    gone, new = set(before) - set(after), set(after) - set(before)
    return "relation" if len(gone) == len(new) == 1 and OPPOSITE.get(*gone) in new else "entity"


def _pair(example: Example, others: Sequence[Term], rng: random.Random) -> TrapPair | None:
    """With a relation swapped if there is one, which is rarer, else a name or number."""
    made: dict[Kind, TrapPair] = {}
    for _ in range(DRAWS):
        for trap in swap(example, others, rng):
            kind = kind_of(example.question, trap.question)
            if kind:
                made.setdefault(kind, TrapPair(example, trap, kind))
    return made.get("relation") or made.get("entity")


def _entry(example: Example) -> dict[str, Any]:
    """The question as people ask it, with the mark that reading examples takes away."""
    return {**entry(example), "question": f"{example.question}?"}


def _words(text: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(text)]
