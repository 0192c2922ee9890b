"""A question and texts -> windows with their logits, through the converted graph; torch is not
imported.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

from index.errors import ModelError
from index.models.openvino_graph import (
    ChosenPrecision,
    Graph,
    Precision,
    computes_bf16,
    pad_batch,
    padded_length,
    resolve_precision,
)
from qa.answering.question import reader_question
from qa.answering.reader_conversion import QUANTIZED, ReaderCard, converted_reader

OVERLAP = 96
"""Passage tokens that two neighbouring windows share."""
MAX_QUESTION = 64
"""Tokens of a question that are read."""
BATCH_TOKENS = 512
"""Padded tokens in one run of the graph: ten passages took 160 ms with 2,048, 140 with 1,024, 135
with 512 and 141 with 256 on two cores.
"""


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of one text as the model saw it.

    `text` is the number of the text; `offsets` int64 (n, 2) are the characters of its n tokens;
    `start` and `end` float32 (n,) their logits less the window's own at its first token, which
    stands for no answer, so that windows compare; `start` also less the card's `no_answer`.
    """

    text: int
    offsets: NDArray[np.int64]
    start: NDArray[np.float32]
    end: NDArray[np.float32]


class ReaderModel:
    """A question-answering model as a function from a question and texts to logits. May be used
    from several threads.
    """

    def __init__(
        self, folder: Path, *, precision: Precision = "auto", deterministic: bool = False
    ) -> None:
        """Load a converted model (see `converted_reader`); raises ModelError. `auto` is int8 for a
        model that has been measured in it, on a CPU that is fast in it; `deterministic` is one
        window at a time in one thread.
        """
        self.card = ReaderCard(**json.loads((folder / "reader.json").read_text("utf-8")))
        self.precision = self._chosen(folder, precision)
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.enable_truncation(self.card.window, stride=OVERLAP, strategy="only_second")
        self._batch_tokens = 1 if deterministic else BATCH_TOKENS
        graph = folder / (QUANTIZED if self.precision == "int8" else "model.xml")
        self._graph = Graph(graph, self.precision, folder / "compiled", deterministic=deterministic)

    @staticmethod
    def _chosen(folder: Path, precision: Precision) -> ChosenPrecision:
        measured = (folder / QUANTIZED).is_file()
        if precision == "int8" and not measured:
            raise ModelError(
                "int8 was measured with the shipped reader only: set QUOTED_PRECISION to auto, bf16 or f32"
            )
        if precision == "int8" or (precision == "auto" and measured and computes_bf16()):
            return "int8"
        return resolve_precision(precision)

    @classmethod
    def load(
        cls,
        name: str,
        cache: Path,
        *,
        precision: Precision = "auto",
        deterministic: bool = False,
        on_conversion: Callable[[str], None] = lambda _: None,
    ) -> ReaderModel:
        """The reader of a model name or folder, converted into `cache` the first time; raises
        ModelError.
        """
        return cls(
            converted_reader(name, cache, on_conversion),
            precision=precision,
            deterministic=deterministic,
        )

    def windows(self, question: str, texts: Sequence[str]) -> list[Window]:
        """Read every text; a long one in overlapping windows, in the order of (text, place)."""
        asked = self._short(reader_question(question) if self.card.bare_questions else question)
        encodings = self._tokenizer.encode_batch([(asked, text) for text in texts])
        pieces = [
            (at, piece)
            for at, encoding in enumerate(encodings)
            for piece in (encoding, *encoding.overflowing)
        ]
        logits: dict[int, tuple[NDArray[np.float32], NDArray[np.float32]]] = {}
        for rows in _batches([len(piece.ids) for _, piece in pieces], self._batch_tokens):
            start, end = self._graph.run(
                pad_batch([pieces[row][1] for row in rows], self.card.window, self.card.pad)
            )
            if not (np.isfinite(start).all() and np.isfinite(end).all()):
                raise ModelError(
                    "the reader's logits are not numbers: try QUOTED_PRECISION=f32, or another QUOTED_READER"
                )
            logits |= {row: (start[at], end[at]) for at, row in enumerate(rows)}
        return [self._window(at, piece, *logits[row]) for row, (at, piece) in enumerate(pieces)]

    def _short(self, question: str) -> str:
        if len(question) <= MAX_QUESTION:  # a token has at least one character
            return question
        tokenizer = (
            self._tokenizer if len(question) <= self.card.window else self._plain
        )  # the first cuts what is longer
        offsets = tokenizer.encode(question, add_special_tokens=False).offsets
        return (
            question if len(offsets) <= MAX_QUESTION else question[: offsets[MAX_QUESTION - 1][1]]
        )

    def _window(
        self, text: int, piece: Encoding, start: NDArray[np.float32], end: NDArray[np.float32]
    ) -> Window:
        own = np.flatnonzero(np.array([each == 1 for each in piece.sequence_ids]))
        offsets = np.array(piece.offsets, dtype=np.int64).reshape(-1, 2)[own]
        return Window(
            text,
            offsets,
            start[own] - (start[0] + np.float32(self.card.no_answer)),
            end[own] - end[0],
        )

    @cached_property
    def _plain(self) -> Tokenizer:
        """The tokenizer without truncation."""
        tokenizer = Tokenizer.from_str(self._tokenizer.to_str())
        tokenizer.no_truncation()
        return tokenizer


def _batches(lengths: Sequence[int], budget: int) -> Iterator[list[int]]:
    """The rows by falling length, as many at once as a budget of padded tokens holds, but one at
    least.
    """
    order = sorted(range(len(lengths)), key=lambda row: -lengths[row])
    while order:
        size = max(1, budget // padded_length(lengths[order[0]]))
        yield order[:size]
        order = order[size:]
