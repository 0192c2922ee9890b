"""Examples with character spans from SQuAD-format files.

Decides what may be trained on and what is held out for validation.
"""

from __future__ import annotations

import gzip
import json
import random
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qa.answering.question import reader_question
from qa.evaluation.squad import held_out, read_articles
from qa.training.errors import TrainingError

HELD_OUT_SET = "squad2-train-partial"
"""Data set that the held-out split is taken from (datasets README)."""
UNANSWERABLE_SET = "squad2-train-unanswerable"
"""Data set that holds the unanswerable questions of `HELD_OUT_SET` and more of them."""
POLICIES = "policyqa"
"""Data set of privacy policies, of which a tenth is held out to calibrate on."""
_WEAKLY_ALIGNED = "text-weak"
"""Mark of a question whose paragraph was only guessed (datasets README)."""
_NEVER = re.compile(r"dev|newwiki", re.IGNORECASE)

CharSpan = tuple[int, int]
"""Range [start, end) in characters of the passage."""


@dataclass(frozen=True, slots=True)
class Example:
    """One question about one passage.

    `spans` are all places of the answer, empty if the passage does not hold it. `source` is the
    data set; `id` is unique over all sets.
    """

    id: str
    source: str
    title: str
    question: str
    passage: str
    spans: tuple[CharSpan, ...]

    @property
    def answers(self) -> tuple[str, ...]:
        """The distinct answer texts."""
        return tuple(dict.fromkeys(self.passage[start:end] for start, end in self.spans))


def occurrences(passage: str, answer: str) -> tuple[CharSpan, ...]:
    """Return every place where the answer stands as whole words."""
    if not answer.strip():
        return ()
    whole_words = rf"(?<!\w){re.escape(answer)}(?!\w)"
    return tuple(match.span() for match in re.finditer(whole_words, passage))


def read_examples(path: Path) -> list[Example]:
    """Return the questions of a SQuAD-format file, gzip-compressed or not.

    Raises TrainingError if the file is not in that format.
    """
    source = path.name.removesuffix(".gz").removesuffix(".json")
    try:
        raw = path.read_bytes()
        data = json.loads(gzip.decompress(raw) if raw.startswith(b"\x1f\x8b") else raw)["data"]
        return [
            _example(source, article.get("title") or "", paragraph["context"], entry)
            for article in data
            for paragraph in article["paragraphs"]
            for entry in paragraph["qas"]
            if entry.get("aligned") != _WEAKLY_ALIGNED
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TrainingError(
            f"{path} is not SQuAD-format JSON (data[].paragraphs[].qas[]): {error!r}"
        ) from error


def training_examples(data: Path, names: Iterable[str]) -> list[Example]:
    """Return the examples of the named sets without the held-out articles.

    Those articles are left out of every set, by title and by text. Named together,
    `UNANSWERABLE_SET` replaces the unanswerable questions of `HELD_OUT_SET`. Raises TrainingError
    for a dev set.
    """
    chosen = tuple(names)
    paths = [training_file(data, name) for name in chosen]
    examples = [example for path in paths for example in read_examples(path)]
    if UNANSWERABLE_SET in chosen:
        examples = [each for each in examples if each.spans or each.source != HELD_OUT_SET]
    hidden = held_out_examples(data)
    if POLICIES in chosen:
        hidden += held_out_examples(data, POLICIES)
    return _without_articles(examples, hidden)


def _without_articles(examples: Sequence[Example], hidden: Sequence[Example]) -> list[Example]:
    """Return the examples that share neither a title nor a passage with the hidden ones."""
    titles = {_folded(example.title) for example in hidden} - {""}
    passages = {example.passage for example in hidden}
    return [
        each
        for each in examples
        if _folded(each.title) not in titles and each.passage not in passages
    ]


def held_out_examples(data: Path, name: str = HELD_OUT_SET) -> list[Example]:
    """Return the examples of a set's articles that no stage sees.

    They are a tenth of its articles (`qa.evaluation.squad.held_out`).
    """
    path = training_file(data, name)
    titles = {article.title for article in held_out(read_articles(path))}
    return [example for example in read_examples(path) if example.title in titles]


def training_file(data: Path, name: str) -> Path:
    """Return the file of a set in DIR or DIR/reader.

    Raises TrainingError for an evaluation set, by its name and by the name of the file that a link
    leads to.
    """
    folder = data / "reader"
    if not folder.is_dir():
        folder = data
    path = folder / f"{name}.json.gz"
    # The name behind a link counts too, so that no evaluation set is trained on by accident.
    if _NEVER.search(name) or _NEVER.search(path.resolve().name):
        raise TrainingError(f"{name} is for evaluation only: name training sets (datasets README)")
    if not path.is_file():
        raise TrainingError(f"no {path}: --data names the folder that holds reader/{name}.json.gz")
    return path


def sample(examples: Sequence[Example], size: int, seed: int) -> list[Example]:
    """Return a seeded sample without repetition, or all examples if there are not more."""
    if size >= len(examples):
        return list(examples)
    return random.Random(seed).sample(list(examples), size)


def write_examples(examples: Sequence[Example], path: Path) -> None:
    """Write examples as SQuAD-format JSON that `read_examples` reads again.

    Each example gets a paragraph of its own.
    """
    entries = [
        {
            "title": each.title,
            "paragraphs": [{"context": each.passage, "qas": [squad_entry(each)]}],
        }
        for each in examples
    ]
    path.write_bytes(gzip.compress(json.dumps({"data": entries}).encode(), mtime=0))


def squad_entry(example: Example) -> dict[str, Any]:
    """Return an example as a question of SQuAD-format JSON."""
    answers = [
        {"text": example.passage[start:end], "answer_start": start} for start, end in example.spans
    ]
    return {
        "id": example.id,
        "question": example.question,
        "answers": answers,
        "is_impossible": not answers,
    }


def _example(source: str, title: str, passage: str, entry: dict[str, Any]) -> Example:
    question = reader_question(entry["question"])
    return Example(
        f"{source}/{entry['id']}", source, title, question, passage, _spans(passage, entry)
    )


def _spans(passage: str, entry: dict[str, Any]) -> tuple[CharSpan, ...]:
    """Return the annotated spans, or every occurrence where the place was only guessed."""
    if entry.get("is_impossible"):
        return ()
    spans: set[CharSpan] = set()
    for answer in entry["answers"]:
        start, text = answer["answer_start"], answer["text"]
        places: tuple[CharSpan, ...] = ()
        if entry.get("answer_start_guessed"):
            places = occurrences(passage, text)
        spans.update(places or [(start, start + len(text))])
    return tuple(sorted(span for span in spans if passage[slice(*span)].strip()))


def _folded(title: str) -> str:
    return title.replace("_", " ").casefold().strip()
