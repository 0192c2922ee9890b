"""OpenVINO graphs: compiled once, run from any thread, several batches at a time."""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from index.errors import ModelError
from index.models.compiled_blobs import blobs_lock, delete_untrusted_blobs, record_blobs

if TYPE_CHECKING:
    from openvino import CompiledModel, Core, InferRequest
    from tokenizers import Encoding

Precision = Literal["auto", "int8", "bf16", "f32"]
ChosenPrecision = Literal["int8", "bf16", "f32"]
GROUP = 64
"""Number of activations that share a scale in int8.

Groups of 32, 64, 128 and 384 took 0.66, 0.62, 0.58 and 0.56 of the time of bf16 and moved logits by
at most 0.20, 0.26, 0.26 and 0.36 (bf16: 0.11).
"""
PAD_TO = 16
"""Number of tokens to a multiple of which lengths are padded.

So few shapes reach OpenVINO's kernel cache: 2 to 4 times faster than without padding.
"""


def silence_telemetry() -> None:
    """Keep `import openvino` from sending a usage event.

    A None in sys.modules makes the import of its reporter fail, which OpenVINO handles.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]


@cache
def core() -> Core:
    """Return the process's only OpenVINO core.

    The binding looks up numpy's interface when it first touches an array, under a lock that it
    takes while it holds the GIL: two threads that get there at once deadlock
    (`__cxa_guard_acquire` against the GIL). So an array is touched here, before there are several.
    """
    silence_telemetry()
    from openvino import Core, Tensor

    Tensor(np.zeros(1, dtype=np.float32)).data.fill(0)
    return Core()


def computes_bf16() -> bool:
    """Return True if the CPU computes in bf16 (AMX or AVX512-BF16).

    Such a CPU multiplies fast in 8 bits, too (AMX or AVX512-VNNI).
    """
    return "BF16" in core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def resolve_precision(wanted: Precision) -> Literal["bf16", "f32"]:
    """Return the precision of a graph that has not been quantized.

    `auto` and `int8` become bf16 if the CPU computes in it, else f32.
    """
    if wanted in {"bf16", "f32"}:
        return wanted
    return "bf16" if computes_bf16() else "f32"


MOST_STREAMS = 4
"""Most batches that run at a time; more cores share in each of them instead."""


def streams_of(cores: int) -> int:
    """Return how many batches run at a time on so many cores: two threads each, one on two cores.

    On two cores two streams of one thread took 0.85 of the processor time of one stream of two
    threads, which wait for each other (`docs/benchmarks.md`).
    """
    return min(cores, max(2, min(MOST_STREAMS, cores // 2)))


class Graph:
    """Compiled graph; its methods may be called from several threads at once."""

    def __init__(
        self,
        path: Path,
        precision: ChosenPrecision,
        compiled_dir: Path,
        *,
        deterministic: bool = False,
    ) -> None:
        """Compile the OpenVINO graph at `path`, or load it from the blobs below `compiled_dir`.

        In int8 a quantized graph (`index.models.quantization`) multiplies in 8 bits and computes
        all else as `auto` would. A `deterministic` graph runs in one thread. Raises ModelError.
        """
        self.streams = 1 if deterministic else streams_of(os.cpu_count() or 1)
        options = _compile_options(precision, self.streams, deterministic=deterministic)
        # One folder per set of options, because a blob's name does not tell the precision: one that
        # was compiled for f32 gives NaN in bf16 (OpenVINO 2026.4).
        blobs = compiled_dir / "-".join(options.values()).lower()
        with blobs_lock(blobs) as is_held:
            if is_held and delete_untrusted_blobs(blobs):
                options["CACHE_DIR"] = str(blobs)
            self._model = _compiled(path, options)
            if is_held:
                record_blobs(blobs)
        self.inputs = [port.get_any_name() for port in self._model.inputs]
        # A request serves one batch at a time. Deques may be changed from several threads.
        self._idle: deque[InferRequest] = deque()

    def run(
        self, batches: Iterable[Mapping[str, NDArray[np.int64]]]
    ) -> Iterator[list[NDArray[np.float32]]]:
        """Yield the graph's outputs for each batch, in order.

        As many run at a time as there are streams, and a batch is taken when it is begun. Inputs
        that the graph lacks are ignored.
        """
        running: deque[InferRequest] = deque()
        try:
            for batch in batches:
                if len(running) == self.streams:
                    yield self._outputs(running)
                running.append(self._begun(batch))
            while running:
                yield self._outputs(running)
        finally:
            # Nobody wants these any more, but a request that runs cannot begin another batch.
            while running:
                self._outputs(running)

    def _begun(self, batch: Mapping[str, NDArray[np.int64]]) -> InferRequest:
        try:
            request = self._idle.pop()
        except IndexError:
            request = self._model.create_infer_request()
        request.start_async({name: batch[name] for name in self.inputs})
        return request

    def _outputs(self, running: deque[InferRequest]) -> list[NDArray[np.float32]]:
        """Wait for the request that began first, and return its outputs."""
        request = running.popleft()
        request.wait()
        outputs = [np.array(tensor.data, dtype=np.float32) for tensor in request.output_tensors]
        self._idle.append(request)
        return outputs


def _compiled(path: Path, options: dict[str, str]) -> CompiledModel:
    """Compile a graph, without blobs where they can neither be read nor written.

    Raises ModelError.
    """
    try:
        return core().compile_model(path, "CPU", options)
    except RuntimeError as error:
        # A cache that may only be read, and that nobody has compiled for this computer yet.
        without = {name: value for name, value in options.items() if name != "CACHE_DIR"}
        if without != options:
            return _compiled(path, without)
        raise ModelError(
            f"OpenVINO cannot compile {path.name}: {error}."
            f" Delete the model cache folder {path.parent} and try again"
        ) from error


def _compile_options(
    precision: ChosenPrecision, streams: int, *, deterministic: bool
) -> dict[str, str]:
    """Return the OpenVINO properties; their values name the folder of the blobs."""
    is_int8 = precision == "int8"
    options: dict[str, str] = {
        "INFERENCE_PRECISION_HINT": resolve_precision("auto") if is_int8 else precision,
        "DYNAMIC_QUANTIZATION_GROUP_SIZE": str(GROUP if is_int8 else 0),
        "PERFORMANCE_HINT": "LATENCY" if streams == 1 else "THROUGHPUT",
        "NUM_STREAMS": str(streams),
    }
    if deterministic:
        options["INFERENCE_NUM_THREADS"] = "1"
    return options


def padded_length(length: int) -> int:
    """Return a length rounded up to a multiple of `PAD_TO`."""
    return -(-length // PAD_TO) * PAD_TO


def pad_batch(
    encodings: Sequence[Encoding], limit: int, pad: int = 0
) -> dict[str, NDArray[np.int64]]:
    """Return the inputs of a graph for a batch, each int64 (len(encodings), length).

    The length is the `padded_length` of the longest encoding, within the model's `limit`. Shorter
    encodings are filled up with the token id `pad`.
    """
    longest = max(len(encoding.ids) for encoding in encodings)
    shape = len(encodings), min(padded_length(longest), max(limit, longest))
    ids = np.full(shape, pad, dtype=np.int64)
    mask = np.zeros(shape, dtype=np.int64)
    types = np.zeros(shape, dtype=np.int64)
    for row, encoding in enumerate(encodings):
        length = len(encoding.ids)
        ids[row, :length] = encoding.ids
        mask[row, :length] = 1
        types[row, :length] = encoding.type_ids
    return {"input_ids": ids, "attention_mask": mask, "token_type_ids": types}
