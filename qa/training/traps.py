"""Pairs of a question and its trap, from articles that no stage sees.

A name, a number or a relation of the question is swapped (`qa.training.swaps`), so that its own
paragraph answers the question and not the trap.

`qa eval answers FILE --pool-size 1` asks each question of its own paragraph; without `--pool-size`,
of all paragraphs of the file, among which another may answer a trap after all.
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

from qa.training.data import Example, held_out_examples, squad_entry
from qa.training.errors import TrainingError
from qa.training.swaps import OPPOSITE, Term, terms_by_article, unanswerable_twin

Kind = Literal["entity", "relation"]

DRAWS = 12
"""Swaps drawn for a question.

A relation comes before names and numbers in 3 of 10, so that one is missed once in 70 questions.
"""
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class TrapPair:
    """Answerable question, its unanswerable twin on the same paragraph, and the kind of swap."""

    true: Example
    trap: Example
    kind: Kind


def trap_pairs(data: Path, pairs: int, seed: int = 0) -> list[TrapPair]:
    """Return at most `pairs` pairs from the held-out articles, at most one for each question.

    Half are entity and half relation swaps, as far as there are any. They come in the order of the
    articles. `data` holds reader/*.json.gz. Raises TrainingError if the data cannot be read.
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
    # Where one kind is short, the other fills up.
    relations = kinds["relation"][: max(pairs // 2, pairs - len(kinds["entity"]))]
    chosen = [*relations, *kinds["entity"][: pairs - len(relations)]]
    return [pair for _, pair in sorted(chosen, key=lambda item: item[0])]


def write_traps(pairs: Sequence[TrapPair], path: Path) -> None:
    """Write pairs as SQuAD-format JSON, gzip-compressed.

    A paragraph is written once, with all its pairs, under its article. Raises TrainingError if the
    file cannot be written.
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


def swap_kind(question: str, trap: str) -> Kind | None:
    """Return the kind of swap between a question and its trap; None for a negation.

    A relation is replaced by its opposite, an entity (name or number) by another.
    """
    before, after = _words(question), _words(trap)
    if "not" in after and "not" not in before:
        return None
    gone, new = set(before) - set(after), set(after) - set(before)
    return "relation" if len(gone) == len(new) == 1 and OPPOSITE.get(*gone) in new else "entity"


def _pair(example: Example, others: Sequence[Term], rng: random.Random) -> TrapPair | None:
    """Return a pair with a relation swapped if there is one, which is rarer, else an entity."""
    made: dict[Kind, TrapPair] = {}
    for _ in range(DRAWS):
        for trap in unanswerable_twin(example, others, rng):
            kind = swap_kind(example.question, trap.question)
            if kind:
                made.setdefault(kind, TrapPair(example, trap, kind))
    return made.get("relation") or made.get("entity")


def _entry(example: Example) -> dict[str, Any]:
    """Return a question as people ask it, with the mark that reading examples takes away."""
    return {**squad_entry(example), "question": f"{example.question}?"}


def _words(text: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(text)]
