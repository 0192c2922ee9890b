"""Conversion of extractive question-answering models to OpenVINO graphs, once a model.

A graph gives a start and an end logit a token. torch and transformers are imported only to convert.
The fast reader that quoted ships is a difference to the encoder that comes with pip, the careful
one a base with adapters. Their graphs are shipped without weights (`index.models.graph_template`),
so that they need neither.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.errors import ModelError
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
from index.models.quantization import quantize
from index.models.tensor_files import read_tensors
from qa.answering.reading.careful_weights import careful_card, careful_fingerprint, careful_tensors
from qa.settings import AUTO_READER, CAREFUL_READER, FAST_READER, FORMER_FAST_READER

SHIPPED = Path(__file__).parents[2] / "weights"
"""Folder of the fast reader's weights."""
CAREFUL = SHIPPED / "careful"
"""Folder of the careful reader's weights."""
WEIGHTS = "reader.safetensors"
TEMPLATE = "reader-graph.zip"
"""Names of the shipped weights, and of their graph, made by `deploy/make_graphs.py`."""
CONVERTER_VERSION = "reader-4"
"""Changed when a conversion would come out differently, so that old graphs are left aside."""
QUANTIZED = "int8.xml"
"""Name of the quantised graph in a converted model's folder; the fast reader alone has one."""
WINDOW = 384
"""Tokens of a window, question included, unless the model takes fewer.

It is that of Devlin et al. 2019 and of most models since.
"""
MIN_WINDOW = 192
"""Fewest tokens of a usable window.

It must hold a question of 64 tokens and more than the 96 that neighbours share
(`qa.answering.reading.reader_model`).
"""
CAREFUL_PAD = 1
"""Id of the careful reader's token that pads a batch, as MPNet has it."""
MAX_LOGIT_ERROR = 0.02
"""Largest difference to the model's own logits that a conversion may show."""
_EXPECTED = (
    "a Hugging Face question-answering model (config.json, model.safetensors, tokenizer.json, ...)"
)
_PARITY = ("When did it rain", "It rained on Monday, and the stock rose 2.7%.")
"""Question and text with which a conversion is traced and checked."""


@dataclass(frozen=True, slots=True)
class ReaderCard:
    """The facts about a converted reader beside its graph.

    They are the hash of the model, its token limit, the id that pads a batch, `bare_questions` if
    it was trained on questions without their "?", and the `no_answer` that is added to the score of
    no answer (`qa.training.balance`).
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
    """Return the folder of a converted model, converting it now if need be.

    The folder has `model.xml`, `tokenizer.json` and `reader.json`. `on_conversion` is called with
    the model's name before the slow part; `shipped` is the folder of the fast reader's weights,
    and its `careful/` that of the careful one's. Raises ModelError.
    """
    if name == CAREFUL_READER:
        return _converted_careful(shipped / CAREFUL.name, cache, on_conversion)
    weights = shipped if name in {FAST_READER, FORMER_FAST_READER} else None
    source = find_model(DEFAULT_MODEL) if weights else _find_reader(name)
    fingerprint = model_fingerprint(source, cache, _EXPECTED)
    if weights:
        # The shipped reader is the base model and its weights together.
        fingerprint = hashlib.sha256(
            f"{fingerprint}\n{_shipped_card(weights)}".encode()
        ).hexdigest()

    def convert(target: Path) -> None:
        on_conversion(name)
        if weights:
            _assemble_shipped(source, target, fingerprint, weights)
        else:
            convert_with_torch(source, target, fingerprint, None)

    return ensure_converted(cache, fingerprint, CONVERTER_VERSION, "reader.json", convert)


def _find_reader(name: str) -> Path:
    """Return the folder of a reader that is not shipped. Raises ModelError."""
    try:
        return find_model(name)
    except ModelError as error:
        raise ModelError(
            f"{error}; the readers of this package are {FAST_READER}, {CAREFUL_READER} "
            f"and {AUTO_READER}"
        ) from error


def _converted_careful(folder: Path, cache: Path, on_conversion: Callable[[str], None]) -> Path:
    """Return the folder of the careful reader's graph, put together now if need be."""
    fingerprint = careful_fingerprint(folder)

    def convert(target: Path) -> None:
        on_conversion(CAREFUL_READER)
        card = assemble(folder / TEMPLATE, careful_tensors(folder), target)
        copy_tokenizer(folder, target)
        facts = {**card, "fingerprint": fingerprint, "no_answer": careful_card(folder)["no_answer"]}
        _write_card(ReaderCard(**facts), target)

    return ensure_converted(cache, fingerprint, CONVERTER_VERSION, "reader.json", convert)


def _write_card(card: ReaderCard, target: Path) -> None:
    (target / "reader.json").write_text(json.dumps(asdict(card), indent=1), "utf-8")


def _shipped_card(folder: Path) -> tuple[str, float]:
    """Return the hash of the shipped weights and the `no_answer` that their card gives.

    `_load_shipped_weights` checks the hash.
    """
    try:
        card = json.loads((folder / "reader.json").read_text("utf-8"))
        return str(card["sha256"]), float(card["no_answer"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"the shipped reader in {folder.name}/ cannot be read ({error!r}): reinstall quoted-qa"
        ) from error


def _assemble_shipped(source: Path, target: Path, fingerprint: str, shipped: Path) -> None:
    """Write the shipped reader's graphs from its template and weights. Raises ModelError."""
    silence_telemetry()
    from openvino import Core, save_model

    check_default_weights(source)
    tensors = reader_tensors(source, shipped)
    card = assemble(shipped / TEMPLATE, tensors, target)
    copy_tokenizer(source, target)
    graph = Core().read_model(target / "model.xml")
    save_model(quantize(graph), target / QUANTIZED, compress_to_fp16=False)
    facts = {**card, "fingerprint": fingerprint, "no_answer": _shipped_card(shipped)[1]}
    _write_card(ReaderCard(**facts), target)


def reader_tensors(source: Path, shipped: Path) -> dict[str, NDArray[np.float32]]:
    """Return the tensors of the base model and of the shipped weights. Raises ModelError."""
    _checked_weights(shipped)
    of_base = read_tensors(source / "model.safetensors", BASE)
    return of_base | read_tensors(shipped / WEIGHTS, "reader:")


def _checked_weights(shipped: Path) -> bytes:
    """Return the bytes of the shipped weights; raise ModelError if they are not its card's."""
    data = (shipped / WEIGHTS).read_bytes()
    if hashlib.sha256(data).hexdigest() != _shipped_card(shipped)[0]:
        raise ModelError(
            "the shipped reader's weights are not those that its card names: reinstall quoted-qa"
        )
    return data


def convert_with_torch(source: Path, target: Path, fingerprint: str, shipped: Path | None) -> None:
    """Write the graph, the tokenizer and the card of a model into a folder. Raises ModelError."""
    require_torch()
    silence_telemetry()
    from openvino import convert_model, save_model

    try:
        with quiet_transformers():
            tokenizer, model = _load(source, shipped)
            example = dict(tokenizer(*_PARITY, return_tensors="pt"))
            _check_first_token(int(example["input_ids"][0, 0]), tokenizer.cls_token_id)
            graph = convert_model(_logits_only(model), example_input=example)
    except ModelError:
        raise
    # Any failure inside torch, transformers or the tracer means the same to the user.
    except Exception as error:
        raise ModelError(
            f"{source} cannot be converted to an OpenVINO graph: {type(error).__name__}: {error}"
        ) from error
    save_model(graph, target / "model.xml", compress_to_fp16=False)
    save_tokenizer(tokenizer, target)
    _check_parity(model, graph, example)
    if shipped:
        save_model(quantize(graph), target / QUANTIZED, compress_to_fp16=False)
    card = ReaderCard(
        fingerprint,
        _window(tokenizer, model),
        pad=int(tokenizer.pad_token_id or 0),
        bare_questions=shipped is not None,
        no_answer=_shipped_card(shipped)[1] if shipped else 0.0,
    )
    _write_card(card, target)


def convert_careful_with_torch(folder: Path, target: Path) -> None:
    """Write the graph and the card of the careful reader of a folder, as its template has them.

    Raises ModelError.
    """
    require_torch()
    silence_telemetry()
    import torch
    from openvino import convert_model, save_model
    from tokenizers import Tokenizer

    from qa.answering.reading.careful_network import careful_network

    with quiet_transformers():
        network = careful_network(careful_tensors(folder))
        encoding = Tokenizer.from_file(str(folder / "tokenizer.json")).encode(*_PARITY)
        inputs = {"input_ids": encoding.ids, "attention_mask": encoding.attention_mask}
        example = {name: torch.tensor([values]) for name, values in inputs.items()}
        graph = convert_model(_logits_only(network), example_input=example)
    save_model(graph, target / "model.xml", compress_to_fp16=False)
    _check_parity(network, graph, example)
    _write_card(ReaderCard("", WINDOW, pad=CAREFUL_PAD, bare_questions=True), target)


def _load(source: Path, shipped: Path | None) -> tuple[Any, Any]:
    """Return the tokenizer and the model of a folder, or the shipped reader over it."""
    from transformers import AutoConfig, AutoModelForQuestionAnswering, AutoTokenizer

    if shipped is None:
        config = AutoConfig.from_pretrained(str(source), local_files_only=True)
        _check_head(config.architectures or [])
    tokenizer: Any = AutoTokenizer.from_pretrained(str(source), local_files_only=True)
    auto_model: Any = AutoModelForQuestionAnswering
    # Eager attention is made of plain operations, which can be traced.
    model = auto_model.from_pretrained(
        str(source), attn_implementation="eager", local_files_only=True
    )
    model = model.float().eval()
    if shipped:
        check_default_weights(source)
        _load_shipped_weights(model, shipped)
    return tokenizer, model


def _window(tokenizer: Any, model: Any) -> int:  # noqa: ANN401 - transformers' types, which are not imported here
    """Return the tokens of a window that a model takes; raise ModelError if they are too few."""
    # RoBERTa's positions begin at 2, so that two of them are no tokens.
    positions = int(getattr(model.config, "max_position_embeddings", WINDOW + 2)) - 2
    limit = min(WINDOW, int(tokenizer.model_max_length), positions)
    if limit < MIN_WINDOW:
        raise ModelError(
            f"the model reads at most {limit} tokens at once, expected at least {MIN_WINDOW}: "
            "choose another QUOTED_READER"
        )
    return limit


def _check_head(architectures: Sequence[str]) -> None:
    """Raise ModelError for a model of another task.

    transformers would put a head of random weights on it.
    """
    if not any(name.endswith("ForQuestionAnswering") for name in architectures):
        named = ", ".join(architectures) or "none that its config.json names"
        raise ModelError(
            f"expected {_EXPECTED} whose architecture ends in ForQuestionAnswering, got {named}: "
            "choose another QUOTED_READER"
        )


def _check_first_token(token: int, classifier: int | None) -> None:
    """Raise ModelError for a model whose windows do not begin with the classifier token.

    That token stands for no answer; XLNet's windows end with it.
    """
    if token != classifier:
        raise ModelError(
            f"expected {_EXPECTED} whose windows begin with a [CLS] token: "
            "choose another QUOTED_READER"
        )


def _load_shipped_weights(model: Any, shipped: Path) -> None:  # noqa: ANN401 - a torch module; torch is imported to convert only
    """Put the shipped weights into the base model; raise ModelError if they do not belong to it."""
    from safetensors.torch import load

    weights = {name: value.float() for name, value in load(_checked_weights(shipped)).items()}
    # Not strict: what the shipped weights lack stays that of the base model.
    unexpected = model.load_state_dict(weights, strict=False).unexpected_keys
    if unexpected:
        raise ModelError(
            f"the shipped reader has weights that the base model lacks: {', '.join(unexpected[:3])}"
        )


def _logits_only(model: Any) -> Any:  # noqa: ANN401 - torch modules
    """Return the model as a module whose only outputs are the two logits."""
    from torch import nn

    class Logits(nn.Module):
        """The model with its two logits as its only outputs."""

        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, input_ids: Any, attention_mask: Any, token_type_ids: Any = None) -> Any:  # noqa: ANN401
            inputs = {"input_ids": input_ids, "attention_mask": attention_mask}
            if token_type_ids is not None:
                inputs["token_type_ids"] = token_type_ids
            output = self.model(**inputs)
            return output.start_logits, output.end_logits

    return Logits()


def _check_parity(model: Any, graph: Any, example: dict[str, Any]) -> None:  # noqa: ANN401 - a torch module, an OpenVINO model
    """Raise ModelError if the graph's logits differ too much from the model's."""
    import torch
    from openvino import compile_model

    compiled = compile_model(graph, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    names = [port.get_any_name() for port in compiled.inputs]
    ours = compiled({name: example[name].numpy() for name in names})
    with torch.inference_mode():
        theirs = model(**example)
    pairs = ((ours[0], theirs.start_logits), (ours[1], theirs.end_logits))
    worst = max(float(np.abs(mine - other.numpy()).max()) for mine, other in pairs)
    # Written so that NaN is refused, too.
    if not worst <= MAX_LOGIT_ERROR:
        raise ModelError(
            f"the converted graph differs from the model by {worst:.4f} in a logit, "
            f"at most {MAX_LOGIT_ERROR} is accepted"
        )
