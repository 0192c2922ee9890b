"""The encoder: texts -> unit vectors, through the converted graph; torch is not imported."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from index.document import TextRange
from index.models.encoder_conversion import EncoderCard, converted_model
from index.models.openvino_graph import Graph, Precision, pad_batch, resolve_precision

BATCH_SIZE = 16
"""Texts in one run of the graph; 8, 16 and 32 ran at 78, 81 and 78 paragraphs/s on two cores."""


class Encoder:
    """A sentence-transformers model as a function from texts to unit vectors."""

    def __init__(
        self, folder: Path, *, precision: Precision = "auto", deterministic: bool = False
    ) -> None:
        """Load a converted model (see `index.models.encoder_conversion.converted_model`), to run in
        one thread if `deterministic`; raises ModelError.
        """
        self.card = EncoderCard(**json.loads((folder / "encoder.json").read_text("utf-8")))
        self.precision = resolve_precision(precision)
        self._tokenizer_file = str(folder / "tokenizer.json")
        self._tokenizer = Tokenizer.from_file(self._tokenizer_file)
        self._tokenizer.enable_truncation(self.card.max_tokens)
        self._graph = Graph(
            folder / "model.xml", self.precision, folder / "compiled", deterministic=deterministic
        )

    @classmethod
    def load(
        cls,
        name: str,
        cache: Path,
        *,
        precision: Precision = "auto",
        deterministic: bool = False,
        on_conversion: Callable[[str], None] = lambda _: None,
    ) -> Encoder:
        """The encoder of a model name or folder, converted into `cache` the first time; raises
        ModelError.
        """
        return cls(
            converted_model(name, cache, on_conversion),
            precision=precision,
            deterministic=deterministic,
        )

    def encode_passages(
        self, texts: Sequence[str], *, on_batch: Callable[[int], None] = lambda _: None
    ) -> NDArray[np.float32]:
        """float32 (len(texts), dimension), unit rows. `on_batch` gets the number of texts of each
        finished batch.
        """
        return self._encode([self.card.passage_prompt + text for text in texts], on_batch)

    def encode_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """float32 (len(texts), dimension), unit rows."""
        return self._encode([self.card.query_prompt + text for text in texts], lambda _: None)

    def vector_key(self, text: str) -> bytes:
        """What a passage's vector depends on, as 32 bytes: text, prompt, model (with its pooling)
        and precision.
        """
        parts = (self.card.fingerprint, self.precision, self.card.passage_prompt, text)
        return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).digest()

    @property
    def passage_budget(self) -> int:
        """Tokens that a passage may have beside the prompt and the model's special tokens."""
        return self.card.max_tokens - len(self._tokenizer.encode(self.card.passage_prompt).ids)

    def token_spans(self, texts: Sequence[str]) -> list[list[TextRange]]:
        """For each text the [start, end) character ranges of its tokens, special tokens left out."""
        return [
            encoding.offsets
            for encoding in self._whole_text_tokenizer.encode_batch(
                list(texts), add_special_tokens=False
            )
        ]

    @cached_property
    def _whole_text_tokenizer(self) -> Tokenizer:
        return Tokenizer.from_file(self._tokenizer_file)

    def _encode(self, texts: Sequence[str], on_batch: Callable[[int], None]) -> NDArray[np.float32]:
        vectors = np.zeros((len(texts), self.card.dimension), dtype=np.float32)
        encodings = self._tokenizer.encode_batch(list(texts))
        order = sorted(range(len(texts)), key=lambda row: -len(encodings[row].ids))
        for first in range(0, len(order), BATCH_SIZE):
            rows = order[first : first + BATCH_SIZE]
            [embedded] = self._graph.run(
                pad_batch([encodings[row] for row in rows], self.card.max_tokens)
            )
            vectors[rows] = embedded / np.maximum(
                np.linalg.norm(embedded, axis=1, keepdims=True), 1e-12
            )
            on_batch(len(rows))
        return vectors
