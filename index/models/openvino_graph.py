"""OpenVINO: compile a graph once, run it from any thread."""

from __future__ import annotations

import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from index.errors import ModelError
from index.filesystem import checksums
from index.filesystem.disk_errors import is_full
from index.filesystem.file_stamp import stamp_of

if TYPE_CHECKING:
    from openvino import Core
    from tokenizers import Encoding

Precision = Literal["auto", "int8", "bf16", "f32"]
Chosen = Literal["int8", "bf16", "f32"]
GROUP = 64
"""Activations that share a scale in int8: groups of 32, 64, 128 and 384 took 0.66, 0.62, 0.58 and
0.56 of the time of bf16 and moved logits by at most 0.20, 0.26, 0.26 and 0.36 (bf16: 0.11).
"""
PAD_TO = 16
"""Lengths are padded up to a multiple of this many tokens, so that few shapes reach OpenVINO's
kernel cache: 2 to 4 times faster than 1.
"""


def silence_telemetry() -> None:
    """Keep `import openvino` from sending a usage event: a None in sys.modules makes its reporter's
    import fail, which it handles.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]


@cache
def core() -> Core:
    """The process's one OpenVINO core.

    Its binding looks up numpy's interface when it first touches an array, under a lock that it
    takes with the interpreter's held: two threads that come there at once stop the process for good
    (`__cxa_guard_acquire` against the GIL). So it touches one here, before there are several.
    """
    silence_telemetry()
    from openvino import Core, Tensor

    Tensor(np.zeros(1, dtype=np.float32)).data.fill(0)
    return Core()


def computes_bf16() -> bool:
    """Whether the CPU computes in bf16 (AMX or AVX512-BF16); such a one multiplies fast in 8 bits,
    too (AMX or AVX512-VNNI).
    """
    return "BF16" in core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def resolve_precision(wanted: Precision) -> Literal["bf16", "f32"]:
    """For a graph that has not been quantised: `auto` and `int8` are bf16 where the CPU computes in
    it, else f32.
    """
    if wanted in {"bf16", "f32"}:
        return wanted
    return "bf16" if computes_bf16() else "f32"


class Graph:
    """A compiled graph. `run` may be called from several threads at once."""

    def __init__(
        self, path: Path, precision: Chosen, compiled_dir: Path, *, deterministic: bool = False
    ) -> None:
        """Compile the OpenVINO graph at `path`, or take it from the blobs below `compiled_dir`;
        raises ModelError. In int8 a graph that was quantised (`index.models.quantization`)
        multiplies in 8 bits, and computes all else as `auto` would. A `deterministic` graph runs in
        one thread.
        """
        options = {
            "INFERENCE_PRECISION_HINT": resolve_precision("auto")
            if precision == "int8"
            else precision,
            "DYNAMIC_QUANTIZATION_GROUP_SIZE": str(GROUP if precision == "int8" else 0),
            "PERFORMANCE_HINT": "LATENCY",
            **({"INFERENCE_NUM_THREADS": "1"} if deterministic else {}),
        }
        # A blob's name does not tell the precision: one that was compiled for f32 gives NaN in bf16
        # (OpenVINO 2026.4).
        blobs = compiled_dir / "-".join(options.values()).lower()
        if _swept(blobs):
            options["CACHE_DIR"] = str(blobs)
        try:
            self._model = core().compile_model(path, "CPU", options)
        except RuntimeError as error:
            raise ModelError(
                f"OpenVINO cannot compile {path.name}: {error}. Delete the model cache folder {path.parent} and try again"
            ) from error
        _remember(blobs)
        self.inputs = [port.get_any_name() for port in self._model.inputs]
        self._local = threading.local()

    def run(self, inputs: Mapping[str, NDArray[np.int64]]) -> list[NDArray[np.float32]]:
        """The graph's outputs in order; of `inputs` only those that the graph has are passed."""
        request: Any = getattr(self._local, "request", None)
        if request is None:
            request = self._local.request = self._model.create_infer_request()
        results = request.infer({name: inputs[name] for name in self.inputs})
        return [np.array(result, dtype=np.float32) for result in results.values()]


def _swept(blobs: Path) -> bool:
    """Delete the blobs that are not what was compiled: OpenVINO would run them. Says whether none
    is left.
    """
    known, wrong = checksums.read_checksums(blobs), checksums.damaged_files(blobs)
    for path in blobs.glob("*.blob"):
        if path.name in wrong or path.name not in known:
            try:
                path.unlink(missing_ok=True)
            except OSError:
                return False
    return True


def _remember(blobs: Path) -> None:
    """Write down what was compiled just now, if anything was."""
    found = {path.name: str(stamp_of(path)) for path in blobs.glob("*.blob")}
    known = {name: stamp for name, (_, stamp) in checksums.read_checksums(blobs).items()}
    if found != known and not is_full(blobs):
        with suppress(OSError):  # then it is compiled again the next time
            checksums.write_checksums(blobs, found)


def padded_length(length: int) -> int:
    """A length rounded up to a multiple of `PAD_TO`."""
    return -(-length // PAD_TO) * PAD_TO


def pad_batch(
    encodings: Sequence[Encoding], limit: int, pad: int = 0
) -> dict[str, NDArray[np.int64]]:
    """A graph's inputs, each int64 (len(encodings), longest): `padded_length` long, but within the
    model's `limit`; filled up with the id `pad`.
    """
    longest = max(len(encoding.ids) for encoding in encodings)
    shape = len(encodings), min(padded_length(longest), max(limit, longest))
    ids, mask, types = (
        np.full(shape, pad, dtype=np.int64),
        np.zeros(shape, dtype=np.int64),
        np.zeros(shape, dtype=np.int64),
    )
    for row, encoding in enumerate(encodings):
        length = len(encoding.ids)
        ids[row, :length], mask[row, :length], types[row, :length] = (
            encoding.ids,
            1,
            encoding.type_ids,
        )
    return {"input_ids": ids, "attention_mask": mask, "token_type_ids": types}
