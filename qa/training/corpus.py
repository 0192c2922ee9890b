"""Examples as token arrays.

They are kept in one npz file, so that a run that is continued or moved to a GPU machine starts at
once.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

from index.filesystem.checksums import sha256_of
from qa.evaluation.noise import with_typo
from qa.training.config import DataSettings
from qa.training.data import (
    HELD_OUT_SET,
    Example,
    sample,
    training_examples,
    training_file,
    write_examples,
)
from qa.training.data import held_out_examples as held_out
from qa.training.errors import TrainingError
from qa.training.excerpts import SOURCE as EXCERPTS
from qa.training.excerpts import excerpt_questions
from qa.training.special_tokens import SpecialTokens
from qa.training.statements import SOURCE as STATEMENTS
from qa.training.statements import statement_questions
from qa.training.swaps import SOURCE as SWAPS
from qa.training.swaps import swap_questions
from qa.training.tables import SOURCE as TABLES
from qa.training.tables import table_questions

FORMAT = 1
"""Version of the arrays, increased when the same examples give other arrays."""
CORPUS = "corpus.npz"
VALIDATION = "validation.json.gz"


@dataclass(frozen=True, slots=True)
class Ragged:
    """Rows of different lengths: row i is `values[bounds[i]:bounds[i + 1]]`.

    `bounds` is int64 (rows + 1,).
    """

    values: NDArray[Any]
    bounds: NDArray[np.int64]

    @classmethod
    def of(cls, rows: Sequence[Any], dtype: type[Any], width: tuple[int, ...] = ()) -> Ragged:
        """Build from sequences; `width` is the shape of one element."""
        values = np.array([element for row in rows for element in row], dtype=dtype).reshape(
            -1, *width
        )
        return cls(values, np.cumsum([0, *map(len, rows)], dtype=np.int64))

    def __len__(self) -> int:
        return len(self.bounds) - 1

    def __getitem__(self, row: int) -> NDArray[Any]:
        return self.values[self.bounds[row] : self.bounds[row + 1]]

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Number of elements of each row, int64 (rows,)."""
        return np.diff(self.bounds)


@dataclass(frozen=True, slots=True)
class Corpus:
    """Tokens of q questions and p passages, without special tokens.

    - `asked_of`: int32 (q,), the row of each question's own passage.
    - `answers`: rows (k, 2) of int32 [first, last], both included, tokens of that passage; no rows
      if it holds no answer.
    - `source`: int16 (q,), indexes into `sources`.
    - `question_keys`, `passage_keys`: uint64 (q,) and (p,), which identify questions by id and
      passages by text in any corpus.
    """

    questions: Ragged
    passages: Ragged
    asked_of: NDArray[np.int32]
    answers: Ragged
    source: NDArray[np.int16]
    question_keys: NDArray[np.uint64]
    passage_keys: NDArray[np.uint64]
    sources: tuple[str, ...]


def key_of(text: str) -> int:
    """Return the first 8 bytes of a text's sha256 as a number."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def load_tokenizer(base: Path) -> Tokenizer:
    """Load the tokenizer of a model folder, without truncation and padding.

    Raises TrainingError if the folder has none.
    """
    try:
        tokenizer = Tokenizer.from_file(str(base / "tokenizer.json"))
    except Exception as error:  # tokenizers raises plain Exception
        raise TrainingError(
            f"{base} holds no tokenizer.json: --base names the folder of all-MiniLM-L6-v2 ({error})"
        ) from error
    # Windows are cut and padded here, not by the tokenizer's stored settings.
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


SYNTHETIC = frozenset({SWAPS, STATEMENTS, TABLES, EXCERPTS})
"""Data sets of the mix that are made from the others."""


def training_set(data: Path, settings: DataSettings) -> list[Example]:
    """Return the examples of the mix, the synthetic ones included; raises TrainingError."""
    examples = training_examples(data, [name for name in settings.mix if name not in SYNTHETIC])
    # Synthetic questions are made from the examples of people alone.
    synthetic: list[Example] = []
    answerable = sum(bool(example.spans) for example in examples)
    if SWAPS in settings.mix:
        synthetic += swap_questions(examples, settings.swap_share, settings.data_seed)
    if STATEMENTS in settings.mix:
        synthetic += statement_questions(examples, settings.statement_share, settings.data_seed)
    if TABLES in settings.mix:
        synthetic += table_questions(round(settings.table_share * answerable), settings.data_seed)
    if EXCERPTS in settings.mix:
        # Of paragraphs whose other sentences are known not to answer the question.
        annotated = [example for example in examples if example.source == HELD_OUT_SET]
        synthetic += excerpt_questions(annotated, settings.excerpt_share, settings.data_seed)
    return add_typing_errors([*examples, *synthetic], settings.typo_share, settings.data_seed)


def add_typing_errors(examples: Sequence[Example], share: float, seed: int) -> list[Example]:
    """Return the examples, a seeded share of them with one typing error in the question."""
    chosen = random.Random(f"typos {seed}")
    return [
        replace(each, question=with_typo(each.question, chosen))
        if chosen.random() < share
        else each
        for each in examples
    ]


def encode(examples: Sequence[Example], tokenizer: Tokenizer, max_question: int) -> Corpus:
    """Tokenise questions and distinct passages, and turn answers into token spans."""
    own_texts = [example.passage for example in examples]
    texts = list(dict.fromkeys(own_texts))
    row_of = {text: row for row, text in enumerate(texts)}
    asked_of = [row_of[text] for text in own_texts]
    source_names = [example.source for example in examples]
    sources = tuple(dict.fromkeys(source_names))
    questions = tokenizer.encode_batch(
        [example.question for example in examples], add_special_tokens=False
    )
    passages = tokenizer.encode_batch(texts, add_special_tokens=False)
    answers = [
        _token_spans(example, passages[row])
        for example, row in zip(examples, asked_of, strict=True)
    ]
    source_of = [sources.index(name) for name in source_names]
    return Corpus(
        _token_ids(questions, max_question, SpecialTokens.of(tokenizer).question_ending),
        _token_ids(passages),
        np.array(asked_of, dtype=np.int32),
        Ragged.of(answers, np.int32, (2,)),
        np.array(source_of, dtype=np.int16),
        _keys(example.id for example in examples),
        _keys(texts),
        sources,
    )


def _token_ids(
    encodings: Sequence[Encoding], limit: int | None = None, ending: Sequence[int] = ()
) -> Ragged:
    return Ragged.of([[*encoding.ids[:limit], *ending] for encoding in encodings], np.int32)


def _keys(texts: Iterable[str]) -> NDArray[np.uint64]:
    return np.array([key_of(text) for text in texts], dtype=np.uint64)


def token_span(offsets: NDArray[np.int64], start: int, end: int) -> tuple[int, int] | None:
    """Return the first and last token, both included, that hold a character of [start, end).

    `offsets` is int64 (n, 2), the [start, end) of each token. Returns None if no token does.
    """
    # Tokens are sorted and do not overlap: the first that ends behind `start`, the last that
    # begins before `end`.
    first = int(np.searchsorted(offsets[:, 1], start, side="right"))
    last = int(np.searchsorted(offsets[:, 0], end, side="left")) - 1
    return (first, last) if first <= last else None


def prepare(data: Path | None, work: Path, base: Path, settings: DataSettings) -> Corpus:
    """Return the corpus in `work`, made now unless one of the same settings is there.

    The validation sample is made with it. Without `data`, the corpus in `work` is taken if its
    settings are these. Raises TrainingError if it is missing or has others.
    """
    wanted = _recipe(data, base, settings)
    path = work / CORPUS
    if path.is_file() and (work / VALIDATION).is_file():
        corpus, recipe = _load(path)
        if all(recipe.get(name) == value for name, value in wanted.items()):
            return corpus
    if data is None:
        raise TrainingError(
            f"{path} is missing or was made with other settings: "
            "give --data DIR, or the settings it was made with"
        )
    corpus = encode(training_set(data, settings), load_tokenizer(base), settings.max_question)
    work.mkdir(parents=True, exist_ok=True)
    write_examples(
        sample(held_out(data), settings.validation, settings.data_seed), work / VALIDATION
    )
    _save(corpus, path, wanted)
    return corpus


def recipe_of(work: Path) -> dict[str, Any]:
    """Return the settings and data hashes of the corpus in `work`; empty if there is none."""
    return _load(work / CORPUS)[1] if (work / CORPUS).is_file() else {}


def _token_spans(example: Example, encoding: Encoding) -> list[tuple[int, int]]:
    """Return the sorted, distinct token spans of an example's answers."""
    offsets = np.array(encoding.offsets, dtype=np.int64).reshape(-1, 2)
    spans = {token_span(offsets, start, end) for start, end in example.spans}
    return sorted(span for span in spans if span)


def _recipe(data: Path | None, base: Path, settings: DataSettings) -> dict[str, Any]:
    recipe: dict[str, Any] = {
        "format": FORMAT,
        "settings": asdict(settings),
        "tokenizer": _sha256(base / "tokenizer.json"),
    }
    if data is not None:
        names = [name for name in settings.mix if name not in SYNTHETIC]
        recipe["data"] = {name: _sha256(training_file(data, name)) for name in names}
    return recipe


def _sha256(path: Path) -> str:
    try:
        return sha256_of(path)
    except OSError as error:
        raise TrainingError(f"{path} cannot be read: {error}") from error


def _save(corpus: Corpus, path: Path, recipe: dict[str, Any]) -> None:
    arrays: dict[str, Any] = {
        name: getattr(corpus, name)
        for name in ("asked_of", "source", "question_keys", "passage_keys")
    }
    for name in ("questions", "passages", "answers"):
        ragged: Ragged = getattr(corpus, name)
        arrays |= {name: ragged.values, f"{name}_bounds": ragged.bounds}
    beside = path.with_suffix(".part.npz")
    np.savez_compressed(
        beside, meta=np.array(json.dumps({"recipe": recipe, "sources": corpus.sources})), **arrays
    )
    beside.replace(path)


def _load(path: Path) -> tuple[Corpus, dict[str, Any]]:
    with np.load(path) as arrays:
        meta = json.loads(str(arrays["meta"]))
        parts: dict[str, Any] = {
            name: Ragged(arrays[name], arrays[f"{name}_bounds"])
            for name in ("questions", "passages", "answers")
        }
        parts |= {
            name: arrays[name] for name in ("asked_of", "source", "question_keys", "passage_keys")
        }
    return Corpus(**parts, sources=tuple(meta["sources"])), meta["recipe"]
