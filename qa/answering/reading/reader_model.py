"""The reader model: question and texts -> windows with their logits.

It runs the converted graph; torch is not imported.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

from index.errors import ModelError
from index.models.compiled_blobs import COMPILED
from index.models.openvino_graph import (
    ChosenPrecision,
    Graph,
    Precision,
    computes_bf16,
    pad_batch,
    padded_length,
    resolve_precision,
)
from qa.answering.cancellation import check_cancelled
from qa.answering.question import reader_question
from qa.answering.reading.reader_conversion import QUANTIZED, ReaderCard, converted_reader
from qa.answering.reading.window_batches import batches

OVERLAP = 96
"""Passage tokens that two neighbouring windows share."""
MAX_QUESTION = 64
"""Tokens of a question that are read."""
BATCH_TOKENS = 512
"""Padded tokens in one run of the graph.

Ten passages took 160 ms with 2,048, 140 with 1,024, 135 with 512 and 141 with 256 on two cores.
"""

STREAM_SHARE = 1.2
"""Largest part of the windows of a question in one batch, in even shares of the streams."""

Logits = tuple[NDArray[np.float32], NDArray[np.float32]]
"""Start and end logits of a window's tokens, padding included."""


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of one text as the model saw it.

    `text` is the number of the text; `offsets`, int64 (n, 2), are the characters of its n tokens;
    `start` and `end`, float32 (n,), their logits less the window's own at its first token, which
    stands for no answer, so that windows compare. `start` is also less the card's `no_answer`.
    """

    text: int
    offsets: NDArray[np.int64]
    start: NDArray[np.float32]
    end: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _EncodedWindow:
    """A window before it is read: the number of its text, and question and text as tokens."""

    text: int
    encoding: Encoding


class ReaderModel:
    """A question-answering model as a function from question and texts to logits.

    May be used from several threads.
    """

    def __init__(
        self, folder: Path, *, precision: Precision = "auto", deterministic: bool = False
    ) -> None:
        """Load a converted model (see `converted_reader`).

        `auto` is int8 for a model that has been measured in it, on a CPU that is fast in it;
        `deterministic` is one window at a time in one thread. Raises ModelError.
        """
        self.card = ReaderCard(**json.loads((folder / "reader.json").read_text("utf-8")))
        self.precision = self._resolved_precision(folder, precision)
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        # Only the passage is cut into windows; each repeats the question.
        self._tokenizer.enable_truncation(self.card.window, stride=OVERLAP, strategy="only_second")
        self._batch_tokens = 1 if deterministic else BATCH_TOKENS
        graph = folder / (QUANTIZED if self.precision == "int8" else "model.xml")
        self._graph = Graph(graph, self.precision, folder / COMPILED, deterministic=deterministic)

    @staticmethod
    def _resolved_precision(folder: Path, precision: Precision) -> ChosenPrecision:
        is_measured = (folder / QUANTIZED).is_file()
        if precision == "int8" and not is_measured:
            raise ModelError(
                "int8 was measured with the fast reader only: "
                "set QUOTED_PRECISION to auto, bf16 or f32"
            )
        if precision == "int8":
            return "int8"
        if precision == "auto" and is_measured and computes_bf16():
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
        """Load the reader of a model name or folder, converting it into `cache` the first time.

        Raises ModelError.
        """
        return cls(
            converted_reader(name, cache, on_conversion),
            precision=precision,
            deterministic=deterministic,
        )

    def windows(self, question: str, texts: Sequence[str]) -> list[Window]:
        """Read every text, a long one in overlapping windows, in the order of (text, place)."""
        encoded = self._encode(question, texts)
        logits = self._run([window.encoding for window in encoded])
        return [self._window(window, *each) for window, each in zip(encoded, logits, strict=True)]

    def _encode(self, question: str, texts: Sequence[str]) -> list[_EncodedWindow]:
        """Return the windows of all texts as tokens."""
        if self.card.bare_questions:
            question = reader_question(question)
        question = self._cut(question)
        encodings = self._tokenizer.encode_batch([(question, text) for text in texts])
        return [
            _EncodedWindow(at, window)
            for at, encoding in enumerate(encodings)
            for window in (encoding, *encoding.overflowing)
        ]

    def _run(self, windows: Sequence[Encoding]) -> list[Logits]:
        """Return the logits of windows, in their order; raise ModelError if they are no numbers."""

        def begun(rows: Sequence[int]) -> dict[str, NDArray[np.int64]]:
            check_cancelled()
            batch = [windows[row] for row in rows]
            return pad_batch(batch, self.card.window, self.card.pad)

        lengths = [len(window.ids) for window in windows]
        # No batch is so large that the other streams have nothing to do meanwhile.
        share = int(STREAM_SHARE * sum(map(padded_length, lengths)) / self._graph.streams)
        plan = list(batches(lengths, min(self._batch_tokens, share)))
        logits: dict[int, Logits] = {}
        for rows, (start, end) in zip(plan, self._graph.run(map(begun, plan)), strict=True):
            if not (np.isfinite(start).all() and np.isfinite(end).all()):
                raise ModelError(
                    "the reader's logits are not numbers: "
                    "try QUOTED_PRECISION=f32, or another QUOTED_READER"
                )
            logits |= {row: (start[at], end[at]) for at, row in enumerate(rows)}
        return [logits[row] for row in range(len(windows))]

    def _cut(self, question: str) -> str:
        """Return the first `MAX_QUESTION` tokens of a question."""
        if len(question) <= MAX_QUESTION:  # a token has at least one character
            return question
        # The tokenizer of windows cuts what is longer than a window: it cannot count its tokens.
        fits_window = len(question) <= self.card.window
        tokenizer = self._tokenizer if fits_window else self._untruncated_tokenizer
        offsets = tokenizer.encode(question, add_special_tokens=False).offsets
        if len(offsets) <= MAX_QUESTION:
            return question
        return question[: offsets[MAX_QUESTION - 1][1]]

    def _window(
        self, window: _EncodedWindow, start: NDArray[np.float32], end: NDArray[np.float32]
    ) -> Window:
        """Return the tokens of the text, without those of the question, with their logits."""
        of_text = np.flatnonzero(np.array([each == 1 for each in window.encoding.sequence_ids]))
        offsets = np.array(window.encoding.offsets, dtype=np.int64).reshape(-1, 2)[of_text]
        no_answer_start = start[0] + np.float32(self.card.no_answer)
        return Window(window.text, offsets, start[of_text] - no_answer_start, end[of_text] - end[0])

    @cached_property
    def _untruncated_tokenizer(self) -> Tokenizer:
        tokenizer = Tokenizer.from_str(self._tokenizer.to_str())
        tokenizer.no_truncation()
        return tokenizer
