"""Any sentence-transformers model -> an OpenVINO graph that embeds; torch and sentence-transformers
are imported only to convert.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from index.errors import ModelError, ModelMismatch
from index.models.conversion import (
    DEFAULT_MODEL,
    check_default_weights,
    ensure_converted,
    find_model,
    model_fingerprint,
    quiet_transformers,
    save_tokenizer,
)
from index.models.openvino_graph import silence_telemetry

if TYPE_CHECKING:
    from openvino import Model
    from sentence_transformers import SentenceTransformer

CONVERTER_VERSION = 1
"""Raised when a conversion would come out differently, so that old graphs are left aside."""
MIN_PARITY = 0.999
"""Smallest cosine between the graph's and the model's embeddings that a conversion may show."""
_PARITY_TEXTS = [
    "The stock rose 2.7%.",
    "Who wrote the report on computing resources, and when was it published?",
]
_EXPECTED = "a sentence-transformers model (modules.json, model.safetensors, ...)"


@dataclass(frozen=True, slots=True)
class EncoderCard:
    """What the encoder must know beside the graph: embedding width, token limit, prompts, and the
    hash of the model it came from.
    """

    fingerprint: str
    dimension: int
    max_tokens: int
    query_prompt: str
    passage_prompt: str


def converted_model(
    name: str, cache: Path, on_conversion: Callable[[str], None] = lambda _: None
) -> Path:
    """The folder with `model.xml`, `tokenizer.json` and `encoder.json` of a model, converted now if
    need be.

    `on_conversion` is called with the model's name before the slow part. Raises ModelError.
    """
    source = find_model(name)
    fingerprint = model_fingerprint(source, cache, _EXPECTED)

    def convert(target: Path) -> None:
        on_conversion(name)
        if name == DEFAULT_MODEL:
            check_default_weights(source)
        _convert(source, target, fingerprint)

    return ensure_converted(cache, fingerprint, str(CONVERTER_VERSION), "encoder.json", convert)


def _convert(source: Path, target: Path, fingerprint: str) -> None:
    silence_telemetry()
    from openvino import Model, convert_model, save_model
    from sentence_transformers import SentenceTransformer

    try:
        with quiet_transformers():
            model = SentenceTransformer(str(source), device="cpu", local_files_only=True)
            example = {
                name: value
                for name, value in model.preprocess(_PARITY_TEXTS).items()
                if hasattr(value, "shape")
            }
            traced = convert_model(model, example_input={"input": example})
        graph = Model([traced.output("sentence_embedding")], traced.get_parameters())
    except (
        Exception
    ) as error:  # any failure inside torch, transformers or the tracer means the same to the user
        raise ModelError(
            f"{source} cannot be converted to an OpenVINO graph: {type(error).__name__}: {error}"
        ) from error
    save_model(graph, target / "model.xml", compress_to_fp16=False)
    save_tokenizer(model.tokenizer, target)
    _check_parity(model, graph, example)
    (target / "encoder.json").write_text(
        json.dumps(asdict(_card(model, fingerprint)), indent=1), "utf-8"
    )


def _check_parity(model: SentenceTransformer, graph: Model, example: dict[str, Any]) -> None:
    import numpy as np
    from openvino import compile_model

    compiled = compile_model(graph, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    ours = compiled(
        {port.get_any_name(): example[port.get_any_name()].numpy() for port in compiled.inputs}
    )[0]
    theirs = model.encode(_PARITY_TEXTS, normalize_embeddings=True, prompt="")
    cosine = float(
        ((ours / np.linalg.norm(ours, axis=1, keepdims=True)) * theirs).sum(axis=1).min()
    )
    if not cosine >= MIN_PARITY:
        raise ModelError(
            f"the converted graph differs from the model: cosine {cosine:.5f}, expected at least {MIN_PARITY}"
        )


def _card(model: SentenceTransformer, fingerprint: str) -> EncoderCard:
    prompts = model.prompts or {}
    usual = prompts.get(model.default_prompt_name or "") or ""
    card = EncoderCard(
        fingerprint=fingerprint,
        dimension=int(model.get_embedding_dimension() or 0),
        max_tokens=int(model.max_seq_length or 512),
        query_prompt=prompts.get("query") or usual,
        passage_prompt=next(
            filter(None, map(prompts.get, ("document", "passage", "corpus"))), usual
        ),
    )
    excluded = any(getattr(module, "include_prompt", True) is False for module in model)
    if excluded and (card.query_prompt or card.passage_prompt):
        raise ModelError(
            "the model leaves its prompt out of pooling, which the converted graph cannot do: choose another model"
        )
    return card


def check_model(known: Mapping[str, str], name: str, fingerprint: str) -> None:
    """Raise ModelMismatch unless `known` (the store's `model` and `model_sha256`) is empty or of
    this fingerprint.
    """
    if known and known["model_sha256"] != fingerprint:
        again = "`qa forget --all` and index again with the new one"
        if known["model"] == name:
            raise ModelMismatch(
                f"the files of the embedding model {name!r} are others than when the index was made: put them back, or {again}"
            )
        made = f"the index was made with the embedding model {known['model']!r}, the setting is {name!r}"
        raise ModelMismatch(f"{made}: set QUOTED_MODEL={known['model']}, or {again}")
