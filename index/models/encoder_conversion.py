"""Conversion of sentence-transformers models to OpenVINO graphs that embed texts.

torch and sentence-transformers are imported only to convert, and not for the default model: its
graph is shipped without weights (`index.models.graph_template`).
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from index.errors import ModelError, ModelMismatch
from index.models.conversion import (
    DEFAULT_MODEL,
    check_default_weights,
    copy_tokenizer,
    ensure_converted,
    find_model,
    model_fingerprint,
    quiet_transformers,
    require_torch,
    save_tokenizer,
)
from index.models.graph_template import BASE, assemble
from index.models.openvino_graph import silence_telemetry
from index.models.packed_model import MULTILINGUAL_MODEL, check_packed_weights, unpack
from index.models.quantization import quantize_tables
from index.models.tensor_files import read_tensors

if TYPE_CHECKING:
    from openvino import Model
    from sentence_transformers import SentenceTransformer

CONVERTER_VERSION = 1
"""Version of the conversion; a new one makes old graphs obsolete."""
TEMPLATE = Path(__file__).with_name("encoder-graph.zip")
"""Graph of the default model without its weights, made by `deploy/make_graphs.py`."""
MIN_PARITY = 0.999
"""Smallest accepted cosine between an embedding of the graph and that of the model."""
_DEFAULT_MAX_TOKENS = 512
"""Token limit of a model that names none: that of BERT."""
_PARITY_TEXTS = [
    "The stock rose 2.7%.",
    "Who wrote the report on computing resources, and when was it published?",
]
_UNRELATED_TEXTS = [
    "The train to the coast leaves at nine.",
    "Wheat is ground into flour.",
    "The court rejected the appeal.",
    "Her violin was made in 1720.",
    "Cells divide by mitosis.",
    "The goalkeeper saved two penalties.",
    "Install the driver and restart the computer.",
    "Interest rates rose by half a point.",
]
_EXPECTED = "a sentence-transformers model (modules.json, model.safetensors, ...)"


@dataclass(frozen=True, slots=True)
class EncoderCard:
    """Properties of a converted model that its graph does not hold.

    `fingerprint` is the hash of the source model, `dimension` the width of its embeddings,
    `cosine_floor` the mean cosine of unrelated texts, 0 where it was not measured.
    """

    fingerprint: str
    dimension: int
    max_tokens: int
    query_prompt: str
    passage_prompt: str
    cosine_floor: float = 0.0


def converted_model(
    name: str, cache: Path, on_conversion: Callable[[str], None] = lambda _: None
) -> Path:
    """Return the folder of a converted model, converting it now if need be.

    It holds `model.xml`, `tokenizer.json` and `encoder.json`. `on_conversion` is called with the
    model's name before a conversion, which is slow. Raises ModelError.
    """
    source = find_model(name)
    fingerprint = model_fingerprint(source, cache, _EXPECTED)

    def convert(target: Path) -> None:
        on_conversion(name)
        if name == DEFAULT_MODEL:
            check_default_weights(source)
            _assemble_default(source, target, fingerprint)
            return
        if name == MULTILINGUAL_MODEL:
            check_packed_weights(source)
        with _unpacked(source) as folder:
            convert_with_torch(folder, target, fingerprint)

    return ensure_converted(cache, fingerprint, str(CONVERTER_VERSION), "encoder.json", convert)


def _assemble_default(source: Path, target: Path, fingerprint: str) -> None:
    """Write the default model's graph from its template and its weights. Raises ModelError."""
    tensors = read_tensors(source / "model.safetensors", BASE)
    card = EncoderCard(**{**assemble(TEMPLATE, tensors, target), "fingerprint": fingerprint})
    copy_tokenizer(source, target)
    (target / "encoder.json").write_text(json.dumps(asdict(card), indent=1), "utf-8")


@contextmanager
def _unpacked(source: Path) -> Iterator[Path]:
    """Yield the folder of a model, that of a packed one for the length of the block."""
    if source.is_dir():
        yield source
        return
    with tempfile.TemporaryDirectory(prefix="quoted-model-") as folder:
        unpack(source, Path(folder))
        yield Path(folder)


def convert_with_torch(source: Path, target: Path, fingerprint: str) -> None:
    """Trace a model into a graph, check the graph, and write its files. Raises ModelError."""
    require_torch()
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
    # Any failure inside torch, transformers or the tracer means the same to the user.
    except Exception as error:
        raise ModelError(
            f"{source} cannot be converted to an OpenVINO graph: {type(error).__name__}: {error}"
        ) from error
    quantize_tables(graph)
    save_model(graph, target / "model.xml", compress_to_fp16=False)
    save_tokenizer(model.tokenizer, target)
    _check_parity(model, graph, example)
    (target / "encoder.json").write_text(
        json.dumps(asdict(_card(model, fingerprint)), indent=1), "utf-8"
    )


def _check_parity(model: SentenceTransformer, graph: Model, example: dict[str, Any]) -> None:
    """Raise ModelError unless graph and model embed the example texts alike."""
    import numpy as np
    from openvino import compile_model

    compiled = compile_model(graph, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    names = [port.get_any_name() for port in compiled.inputs]
    of_graph = compiled({name: example[name].numpy() for name in names})[0]
    of_graph = of_graph / np.linalg.norm(of_graph, axis=1, keepdims=True)
    of_model = model.encode(_PARITY_TEXTS, normalize_embeddings=True, prompt="")
    cosine = float((of_graph * of_model).sum(axis=1).min())
    if not cosine >= MIN_PARITY:  # and not `<`: the cosine may be NaN
        raise ModelError(
            f"the converted graph differs from the model: cosine {cosine:.5f},"
            f" expected at least {MIN_PARITY}"
        )


def _card(model: SentenceTransformer, fingerprint: str) -> EncoderCard:
    query_prompt, passage_prompt = _prompts(model)
    excludes_prompt = any(getattr(module, "include_prompt", True) is False for module in model)
    if excludes_prompt and (query_prompt or passage_prompt):
        raise ModelError(
            "the model leaves its prompt out of pooling, which the converted graph cannot do:"
            " choose another model"
        )
    return EncoderCard(
        fingerprint=fingerprint,
        dimension=int(model.get_embedding_dimension() or 0),
        max_tokens=int(model.max_seq_length or _DEFAULT_MAX_TOKENS),
        query_prompt=query_prompt,
        passage_prompt=passage_prompt,
        cosine_floor=_cosine_floor(model, query_prompt, passage_prompt),
    )


def _cosine_floor(model: SentenceTransformer, query_prompt: str, passage_prompt: str) -> float:
    """Return the mean cosine of unrelated queries and passages, at least 0."""
    queries, passages = (
        model.encode(_UNRELATED_TEXTS, normalize_embeddings=True, prompt=prompt)
        for prompt in (query_prompt, passage_prompt)
    )
    cosines = queries @ passages.T
    count = len(_UNRELATED_TEXTS)
    mean = (cosines.sum() - cosines.trace()) / (count * (count - 1))
    return round(max(float(mean), 0.0), 4)


def _prompts(model: SentenceTransformer) -> tuple[str, str]:
    """Return the prompts for queries and for passages.

    The model's default prompt replaces missing ones. The prompt for passages goes by several names
    in published models.
    """
    prompts = model.prompts or {}
    default = prompts.get(model.default_prompt_name or "") or ""
    query_prompt = prompts.get("query") or default
    passage_prompt = (
        prompts.get("document") or prompts.get("passage") or prompts.get("corpus") or default
    )
    return query_prompt, passage_prompt


def check_model(known: Mapping[str, str], name: str, fingerprint: str) -> None:
    """Raise ModelMismatch if a store was written with another embedding model.

    `known` holds the store's `model` and `model_sha256`; it is empty for a new store.
    """
    if not known or known["model_sha256"] == fingerprint:
        return
    start_over = "`qa forget --all` and index again with the new one"
    if known["model"] == name:
        raise ModelMismatch(
            f"the files of the embedding model {name!r} have changed since the index was made:"
            f" put them back, or {start_over}"
        )
    raise ModelMismatch(
        f"the index was made with the embedding model {known['model']!r},"
        f" the setting is {name!r}: set QUOTED_MODEL={known['model']}, or {start_over}"
    )
