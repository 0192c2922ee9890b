"""Any extractive question-answering model -> an OpenVINO graph with a start and an end logit a
token, converted once.

torch and transformers are imported only to convert. The reader that quoted ships is a difference to
the encoder that comes with pip.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from index.errors import ModelError
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
from index.models.quantization import quantize
from qa.settings import DEFAULT_READER

SHIPPED = Path(__file__).parent.parent / "weights"
CONVERTER_VERSION = "reader-4"
"""Changed when a conversion would come out differently, so that old graphs are left aside."""
QUANTIZED = "int8.xml"
"""Name of the quantised graph in a converted model's folder; there is one of the shipped reader."""
WINDOW = 384
"""Tokens of a window, question included, unless the model takes fewer (Devlin et al. 2019 and most
models since).
"""
MIN_WINDOW = 192
"""A window must hold a question of 64 tokens and more than the 96 that neighbours share
(`qa.answering.reader_model`).
"""
MAX_LOGIT_ERROR = 0.02
"""Largest difference to the model's own logits that a conversion may show."""
_EXPECTED = (
    "a Hugging Face question-answering model (config.json, model.safetensors, tokenizer.json, ...)"
)
_PARITY = ("When did it rain", "It rained on Monday, and the stock rose 2.7%.")


@dataclass(frozen=True, slots=True)
class ReaderCard:
    """What must be known beside the graph: the hash of the model, its token limit, the id that
    fills up a batch, whether it was trained on questions without their "?", and what is added to
    the score of no answer (`qa.training.balance`).
    """

    fingerprint: str
    window: int
    pad: int
    bare_questions: bool
    no_answer: float = 0.0


def converted_reader(
    name: str,
    cache: Path,
    on_conversion: Callable[[str], None] = lambda _: None,
    *,
    shipped: Path = SHIPPED,
) -> Path:
    """The folder with `model.xml`, `tokenizer.json` and `reader.json` of a model, converted now if
    need be.

    `on_conversion` is called with the model's name before the slow part; `shipped` is the folder of
    DEFAULT_READER's weights. Raises ModelError.
    """
    weights = shipped if name == DEFAULT_READER else None
    source = find_model(DEFAULT_MODEL if weights else name)
    fingerprint = model_fingerprint(source, cache, _EXPECTED)
    if weights:
        fingerprint = hashlib.sha256(f"{fingerprint}\n{_shipped(weights)}".encode()).hexdigest()

    def convert(target: Path) -> None:
        on_conversion(name)
        _convert(source, target, fingerprint, weights)

    return ensure_converted(cache, fingerprint, CONVERTER_VERSION, "reader.json", convert)


def _shipped(folder: Path) -> tuple[str, float]:
    """The hash of the shipped weights, which `_put_weights` checks, and what is added to the score
    of no answer, as their card gives them.
    """
    try:
        card = json.loads((folder / "reader.json").read_text("utf-8"))
        return str(card["sha256"]), float(card["no_answer"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"the shipped reader in {folder.name}/ cannot be read ({error!r}): reinstall quoted-qa"
        ) from error


def _convert(source: Path, target: Path, fingerprint: str, shipped: Path | None) -> None:
    silence_telemetry()
    from openvino import convert_model, save_model
    from transformers import AutoConfig, AutoModelForQuestionAnswering, AutoTokenizer

    try:
        with quiet_transformers():
            if shipped is None:
                _check_head(
                    AutoConfig.from_pretrained(str(source), local_files_only=True).architectures
                    or []
                )
            tokenizer: Any = AutoTokenizer.from_pretrained(str(source), local_files_only=True)
            made: Any = AutoModelForQuestionAnswering
            model: Any = (
                made.from_pretrained(
                    str(source), attn_implementation="eager", local_files_only=True
                )
                .float()
                .eval()
            )
            if shipped:
                check_default_weights(source)
                _put_weights(model, shipped)
            example = dict(tokenizer(*_PARITY, return_tensors="pt"))
            _check_first(int(example["input_ids"][0, 0]), tokenizer.cls_token_id)
            graph = convert_model(_logits_only(model), example_input=example)
    except ModelError:
        raise
    except (
        Exception
    ) as error:  # any failure inside torch, transformers or the tracer means the same to the user
        raise ModelError(
            f"{source} cannot be converted to an OpenVINO graph: {type(error).__name__}: {error}"
        ) from error
    save_model(graph, target / "model.xml", compress_to_fp16=False)
    save_tokenizer(tokenizer, target)
    _check_parity(model, graph, example)
    if shipped:
        save_model(quantize(graph), target / QUANTIZED, compress_to_fp16=False)
    pad, no_answer = int(tokenizer.pad_token_id or 0), _shipped(shipped)[1] if shipped else 0.0
    card = ReaderCard(
        fingerprint,
        _window(tokenizer, model),
        pad,
        bare_questions=shipped is not None,
        no_answer=no_answer,
    )
    (target / "reader.json").write_text(json.dumps(asdict(card), indent=1), "utf-8")


def _window(tokenizer: Any, model: Any) -> int:  # noqa: ANN401 - transformers' types, which are not imported here
    limit = min(
        WINDOW,
        int(tokenizer.model_max_length),
        int(getattr(model.config, "max_position_embeddings", WINDOW + 2)) - 2,
    )
    if limit < MIN_WINDOW:
        raise ModelError(
            f"the model reads at most {limit} tokens at once, expected at least {MIN_WINDOW}: choose another QUOTED_READER"
        )
    return limit


def _check_head(architectures: Sequence[str]) -> None:
    """Raise ModelError for a model of another task, on which transformers would put a head of
    random weights.
    """
    if not any(name.endswith("ForQuestionAnswering") for name in architectures):
        found = ", ".join(architectures) or "none that its config.json names"
        raise ModelError(
            f"expected {_EXPECTED} whose architecture ends in ForQuestionAnswering, got {found}: choose another QUOTED_READER"
        )


def _check_first(token: int, classifier: int | None) -> None:
    """Raise ModelError for a model whose windows do not begin with the token that stands for no
    answer (XLNet's end with it).
    """
    if token != classifier:
        raise ModelError(
            f"expected {_EXPECTED} whose windows begin with a [CLS] token: choose another QUOTED_READER"
        )


def _put_weights(model: Any, shipped: Path) -> None:  # noqa: ANN401 - a torch module; torch is imported to convert only
    from safetensors.torch import load

    data = (shipped / "reader.safetensors").read_bytes()
    if hashlib.sha256(data).hexdigest() != _shipped(shipped)[0]:
        raise ModelError(
            "the shipped reader's weights are not those that its card names: reinstall quoted-qa"
        )
    missing = model.load_state_dict(
        {name: value.float() for name, value in load(data).items()}, strict=False
    )
    if missing.unexpected_keys:
        raise ModelError(
            f"the shipped reader has weights that the base model lacks: {', '.join(missing.unexpected_keys[:3])}"
        )


def _logits_only(model: Any) -> Any:  # noqa: ANN401 - torch modules
    from torch import nn

    class Logits(nn.Module):
        """The model with its two logits as its only outputs."""

        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, input_ids: Any, attention_mask: Any, token_type_ids: Any = None) -> Any:  # noqa: ANN401
            given = {"input_ids": input_ids, "attention_mask": attention_mask}
            given |= {} if token_type_ids is None else {"token_type_ids": token_type_ids}
            output = self.model(**given)
            return output.start_logits, output.end_logits

    return Logits()


def _check_parity(model: Any, graph: Any, example: dict[str, Any]) -> None:  # noqa: ANN401 - a torch module, an OpenVINO model
    import torch
    from openvino import compile_model

    compiled = compile_model(graph, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    ours = compiled(
        {port.get_any_name(): example[port.get_any_name()].numpy() for port in compiled.inputs}
    )
    with torch.inference_mode():
        theirs = model(**example)
    pairs = ((ours[0], theirs.start_logits), (ours[1], theirs.end_logits))
    worst = max(float(np.abs(mine - other.numpy()).max()) for mine, other in pairs)
    if not worst <= MAX_LOGIT_ERROR:
        raise ModelError(
            f"the converted graph differs from the model by {worst:.4f} in a logit, at most {MAX_LOGIT_ERROR} is accepted"
        )
