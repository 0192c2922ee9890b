"""SQuAD-format files -> examples with character spans; what may be trained on, and what is held out
for validation.
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
"""The set that the held-out split is taken from (datasets README)."""
_NEVER = re.compile(r"dev|newwiki", re.IGNORECASE)

CharSpan = tuple[int, int]
"""[start, end) in characters of the passage."""


@dataclass(frozen=True, slots=True)
class Example:
    """One question of one passage; `spans` are all places where the answer stands, none: the
    passage does not say.

    `source` is the data set, `id` is unique over all sets.
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
    """Every place where the answer stands as whole words."""
    bounded = rf"(?<!\w){re.escape(answer)}(?!\w)"
    return tuple(match.span() for match in re.finditer(bounded, passage)) if answer.strip() else ()


def read_examples(path: Path) -> list[Example]:
    """The questions of a SQuAD-format file, gzip-compressed or not; raises TrainingError."""
    source = path.name.removesuffix(".gz").removesuffix(".json")
    try:
        raw = path.read_bytes()
        data = json.loads(gzip.decompress(raw) if raw.startswith(b"\x1f\x8b") else raw)["data"]
        return [
            _example(source, article.get("title") or "", paragraph["context"], entry)
            for article in data
            for paragraph in article["paragraphs"]
            for entry in paragraph["qas"]
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TrainingError(
            f"{path} is not SQuAD-format JSON (data[].paragraphs[].qas[]): {error!r}"
        ) from error


def training_examples(data: Path, names: Iterable[str]) -> list[Example]:
    """The examples of the named sets without the held-out articles, which are left out of every set
    by title and by text; raises TrainingError for a dev set.
    """
    paths = [training_file(data, name) for name in names]
    hidden = held_out_examples(data)
    titles = {_folded(example.title) for example in hidden} - {""}
    passages = {example.passage for example in hidden}
    examples = [example for path in paths for example in read_examples(path)]
    return [
        each
        for each in examples
        if _folded(each.title) not in titles and each.passage not in passages
    ]


def held_out_examples(data: Path) -> list[Example]:
    """The examples of the tenth of squad2-train-partial's articles that no stage sees
    (`qa.evaluation.squad.held_out`).
    """
    path = training_file(data, HELD_OUT_SET)
    titles = {article.title for article in held_out(read_articles(path))}
    return [example for example in read_examples(path) if example.title in titles]


def training_file(data: Path, name: str) -> Path:
    """The file of a set in DIR or DIR/reader; raises TrainingError for an evaluation set, by name,
    wherever a link leads.
    """
    path = (data / "reader" if (data / "reader").is_dir() else data) / f"{name}.json.gz"
    if _NEVER.search(name) or _NEVER.search(path.resolve().name):
        raise TrainingError(f"{name} is for evaluation only: name training sets (datasets README)")
    if not path.is_file():
        raise TrainingError(f"no {path}: --data names the folder that holds reader/{name}.json.gz")
    return path


def sample(examples: Sequence[Example], size: int, seed: int) -> list[Example]:
    """A seeded sample without repetition, or all of them."""
    return (
        random.Random(seed).sample(list(examples), size) if size < len(examples) else list(examples)
    )


def write_examples(examples: Sequence[Example], path: Path) -> None:
    """Write examples as SQuAD-format JSON, one paragraph an example, so that `read_examples` reads
    them again.
    """
    entries = [
        {
            "title": each.title,
            "paragraphs": [{"context": each.passage, "qas": [entry(each)]}],
        }
        for each in examples
    ]
    path.write_bytes(gzip.compress(json.dumps({"data": entries}).encode(), mtime=0))


def entry(example: Example) -> dict[str, Any]:
    """An example as a question of SQuAD-format JSON."""
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
    """All word-bounded occurrences where the true one is unknown, else the annotated ones."""
    if entry.get("is_impossible"):
        return ()
    spans: set[CharSpan] = set()
    for answer in entry["answers"]:
        start, text = answer["answer_start"], answer["text"]
        given = (start, start + len(text))
        spans.update((entry.get("answer_start_guessed") and occurrences(passage, text)) or (given,))
    return tuple(sorted(span for span in spans if passage[slice(*span)].strip()))


def _folded(title: str) -> str:
    return title.replace("_", " ").casefold().strip()
