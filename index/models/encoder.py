"""Encoder from texts to unit vectors; it runs the converted graph without torch."""

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
from index.models.compiled_blobs import COMPILED
from index.models.encoder_conversion import EncoderCard, converted_model
from index.models.openvino_graph import Graph, Precision, pad_batch, resolve_precision

BATCH_SIZE = 16
"""Texts per run of the graph.

8, 16 and 32 ran at 78, 81 and 78 paragraphs/s on two cores.
"""


class Encoder:
    """Converted sentence-transformers model that maps texts to unit vectors."""

    def __init__(
        self, folder: Path, *, precision: Precision = "auto", deterministic: bool = False
    ) -> None:
        """Load a converted model (`index.models.encoder_conversion.converted_model`).

        A `deterministic` encoder runs in one thread. Raises ModelError.
        """
        self.card = EncoderCard(**json.loads((folder / "encoder.json").read_text("utf-8")))
        self.precision = resolve_precision(precision)
        self._tokenizer_file = str(folder / "tokenizer.json")
        self._tokenizer = Tokenizer.from_file(self._tokenizer_file)
        self._tokenizer.enable_truncation(self.card.max_tokens)
        self._graph = Graph(
            folder / "model.xml", self.precision, folder / COMPILED, deterministic=deterministic
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
        """Load the encoder of a model name or folder.

        The model is converted into `cache` the first time. Raises ModelError.
        """
        return cls(
            converted_model(name, cache, on_conversion),
            precision=precision,
            deterministic=deterministic,
        )

    def encode_passages(
        self, texts: Sequence[str], *, on_batch: Callable[[int], None] = lambda _: None
    ) -> NDArray[np.float32]:
        """Return the unit vectors of passages, float32 (len(texts), dimension).

        `on_batch` is called with the number of texts of each finished batch.
        """
        return self._encode([self.card.passage_prompt + text for text in texts], on_batch)

    def encode_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the unit vectors of queries, float32 (len(texts), dimension)."""
        return self._encode([self.card.query_prompt + text for text in texts], lambda _: None)

    def vector_key(self, text: str) -> bytes:
        """Return a 32-byte hash of all that the vector of a passage depends on.

        That is its text, the prompt, the model (with its pooling) and the precision.
        """
        parts = (self.card.fingerprint, self.precision, self.card.passage_prompt, text)
        return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).digest()

    @property
    def passage_budget(self) -> int:
        """Largest number of tokens in a passage, beside the prompt and special tokens."""
        return self.card.max_tokens - len(self._tokenizer.encode(self.card.passage_prompt).ids)

    def token_spans(self, texts: Sequence[str]) -> list[list[TextRange]]:
        """Return for each text the [start, end) character ranges of its tokens.

        Special tokens are left out, and long texts are not truncated.
        """
        encodings = self._whole_text_tokenizer.encode_batch(list(texts), add_special_tokens=False)
        return [encoding.offsets for encoding in encodings]

    @cached_property
    def _whole_text_tokenizer(self) -> Tokenizer:
        """Second tokenizer, without truncation: only indexing needs it."""
        return Tokenizer.from_file(self._tokenizer_file)

    def _encode(self, texts: Sequence[str], on_batch: Callable[[int], None]) -> NDArray[np.float32]:
        vectors = np.zeros((len(texts), self.card.dimension), dtype=np.float32)
        encodings = self._tokenizer.encode_batch(list(texts))
        # Texts of similar length share a batch, so that little of it is padding.
        order = sorted(range(len(texts)), key=lambda row: -len(encodings[row].ids))
        groups = [order[at : at + BATCH_SIZE] for at in range(0, len(order), BATCH_SIZE)]
        batches = (
            pad_batch([encodings[row] for row in rows], self.card.max_tokens) for rows in groups
        )
        for rows, [embedded] in zip(groups, self._graph.run(batches), strict=True):
            norms = np.linalg.norm(embedded, axis=1, keepdims=True)
            vectors[rows] = embedded / np.maximum(norms, 1e-12)
            on_batch(len(rows))
        return vectors
