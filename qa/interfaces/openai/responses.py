"""Objects of OpenAI's API: chat completions whole and in chunks, models, embeddings."""

from __future__ import annotations

import base64
import json
import re
import secrets
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qa.interfaces.plaintext.numbered import Content

ANSWERS, SURE, SEARCH, EMBEDDINGS = "quoted", "quoted-sure", "quoted-search", "quoted-embeddings"
MODELS = (ANSWERS, SURE, SEARCH, EMBEDDINGS)
"""Names that requests choose from: answers, sure answers alone, passages, embeddings."""
_DONE = "data: [DONE]\n\n"
_PIECE = re.compile(r"\S*\s+|\S+$")
"""A word with the space behind it, as it is streamed."""


@dataclass(frozen=True, slots=True)
class Completion:
    """Chat completion; `details` is the JSON of the answer as POST /ask gives it."""

    model: str
    content: Content
    prompt: str
    details: dict[str, Any] | None = None
    id: str = field(default_factory=lambda: f"chatcmpl-{secrets.token_hex(12)}")
    created: int = field(default_factory=lambda: int(time.time()))

    def whole(self) -> dict[str, Any]:
        """Return the object of a response that is not streamed."""
        message = {
            "role": "assistant",
            "content": self.content.text,
            "refusal": None,
            "annotations": list(self.content.annotations),
        }
        choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
        return {
            **self._head("chat.completion"),
            "choices": [choice],
            "usage": self._usage(),
            "quoted": self.details,
        }

    def streamed(self, *, include_usage: bool) -> Iterator[str]:
        """Yield server-sent events: the role, the words, the annotations, the end."""
        yield self._event({"role": "assistant", "content": ""})
        for piece in _PIECE.findall(self.content.text):
            yield self._event({"content": piece})
        yield self._event({"annotations": list(self.content.annotations)})
        yield self._event({}, finish_reason="stop", quoted=self.details)
        if include_usage:
            chunk = {**self._head("chat.completion.chunk"), "choices": [], "usage": self._usage()}
            yield _event_of(chunk)
        yield _DONE

    def _head(self, kind: str) -> dict[str, Any]:
        return {"id": self.id, "object": kind, "created": self.created, "model": self.model}

    def _event(
        self, delta: dict[str, Any], finish_reason: str | None = None, **more: object
    ) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": finish_reason, "logprobs": None}
        return _event_of({**self._head("chat.completion.chunk"), "choices": [choice], **more})

    def _usage(self) -> dict[str, int]:
        """Return the words of question and answer: there are no tokens to be paid."""
        asked, answered = len(self.prompt.split()), len(self.content.text.split())
        return {
            "prompt_tokens": asked,
            "completion_tokens": answered,
            "total_tokens": asked + answered,
        }


def _event_of(chunk: dict[str, Any]) -> str:
    return f"data: {json.dumps(chunk)}\n\n"


def models_list() -> dict[str, Any]:
    """Return the object of GET /v1/models."""
    return {"object": "list", "data": [model_object(name) for name in MODELS]}


def model_object(name: str) -> dict[str, Any]:
    """Return one model."""
    return {"id": name, "object": "model", "created": 0, "owned_by": "quoted"}


def embeddings_object(
    vectors: NDArray[np.float32], model: str, inputs: Sequence[str], encoding: str
) -> dict[str, Any]:
    """Return vectors, float32 (n, dimension), as numbers or as base64 of little-endian floats."""
    words = sum(len(text.split()) for text in inputs)
    data = [
        {"object": "embedding", "index": index, "embedding": _encoded(vector, encoding)}
        for index, vector in enumerate(vectors)
    ]
    usage = {"prompt_tokens": words, "total_tokens": words}
    return {"object": "list", "data": data, "model": model, "usage": usage}


def _encoded(vector: NDArray[np.float32], encoding: str) -> str | list[float]:
    if encoding == "base64":
        return base64.b64encode(vector.astype("<f4").tobytes()).decode()
    return [float(each) for each in vector]
