"""Workers on all nodes of a Ray cluster: an actor for each core, which loads its model once.

A node may come or go at any time. What its workers had comes back as lost, and other workers do it
again; Ray itself repeats nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from index.cluster.node_reader import NodeReader, ReaderCard
from index.errors import ClusterError, IndexingError
from index.ingestion.preparation import PassageEncoder
from index.ingestion.tasks import FileRead, FileToRead, Finished, ReadTask, Task
from index.parsing.sandbox import Extraction

if TYPE_CHECKING:
    from ray import ObjectRef
    from ray.actor import ActorHandle

TASKS_A_WORKER = 2
"""Tasks that a worker has: one that it does, and the next, so that it never waits for this process.

They are of a second or two, longer than a commit takes.
"""
POLL_SECONDS = 1.0
"""Longest wait for a task to finish."""
GROW_SECONDS = 5.0
"""Seconds between two looks for nodes that have come."""
START_SECONDS = 300.0
"""Seconds without any worker after which a run ends; a model may have to be converted."""
MOST_DEATHS = 20
"""Workers that end one after the other, without a task done, after which a run ends."""

Load = Callable[[], tuple[PassageEncoder, str]]
"""Loads the model of a worker on its node; returns it with its fingerprint."""


class _Worker:
    """Worker in a process of its own on some node."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._reader: NodeReader | None = None

    def start(self) -> tuple[str, ReaderCard]:
        """Load the model; return the name of the node and the card of what reads there."""
        import ray

        encoder, fingerprint = self._load()
        self._reader = NodeReader(encoder, Extraction())
        return ray.util.get_node_ip_address(), ReaderCard.of(fingerprint)

    def read(self, files: Sequence[FileToRead]) -> list[FileRead]:
        """See `NodeReader.read`."""
        return self._started().read(files)

    def embed(self, texts: dict[bytes, str]) -> dict[bytes, NDArray[np.float32]]:
        """See `NodeReader.embed`."""
        return self._started().embed(texts)

    def _started(self) -> NodeReader:
        if self._reader is None:
            raise ClusterError("a worker was given work before it was started")
        return self._reader


@dataclass(eq=False)
class _Hired:
    """Worker with the number of its tasks; it takes none before it has started."""

    actor: ActorHandle[_Worker]
    has_started: bool = False
    tasks: int = 0


class RayWorkers:
    """Workers of the cluster that this process is connected to, for the time of a `with` block."""

    def __init__(self, load: Load, card: ReaderCard) -> None:
        """Let each worker `load` its model; all must read as `card` says."""
        import ray

        self._load, self._card = load, card
        self._class = ray.remote(num_cpus=1, max_restarts=0, max_task_retries=0)(_Worker)
        self._hired: list[_Hired] = []
        self._starting: dict[ObjectRef[Any], _Hired] = {}
        self._running: dict[ObjectRef[Any], tuple[_Hired, Task]] = {}
        self._deaths = 0
        self._reason = ""
        self._looked_at = float("-inf")
        self._seen_at = time.monotonic()

    def close(self) -> None:
        """End all workers."""
        import ray

        for hired in self._hired:
            with suppress(ray.exceptions.RayError):
                ray.kill(hired.actor)
        self._hired = []

    @property
    def free(self) -> int:
        """Number of tasks that may be begun now."""
        return sum(TASKS_A_WORKER - each.tasks for each in self._hired if each.has_started)

    def begin(self, task: Task) -> None:
        """Give a task to the worker that has the fewest."""
        hired = min((each for each in self._hired if each.has_started), key=lambda one: one.tasks)
        hired.tasks += 1
        if isinstance(task, ReadTask):
            result = hired.actor.read.remote(task.files)
        else:
            result = hired.actor.embed.remote(dict(task.texts))
        self._running[result] = hired, task

    def finished(self) -> list[Finished]:
        """Return the tasks that have finished since the last call; waits a moment for one.

        Raises ClusterError if no worker starts, or if one reads differently or fails.
        """
        import ray

        self._hire()
        waiting = [*self._starting, *self._running]
        if not waiting:
            time.sleep(POLL_SECONDS)
            return []
        ready, _ = ray.wait(waiting, num_returns=1, timeout=POLL_SECONDS)
        if ready:  # all others that are ready, too
            ready, _ = ray.wait(waiting, num_returns=len(waiting), timeout=0)
        for started in self._starting.keys() & set(ready):
            self._note_start(started)
        return [self._result_of(done) for done in ready if done in self._running]

    def _hire(self) -> None:
        """Start a worker for each core that has none, once in a while."""
        import ray

        now = time.monotonic()
        if any(each.has_started for each in self._hired):
            self._seen_at = now
        elif now - self._seen_at > START_SECONDS:
            raise ClusterError(
                f"no worker has started within {START_SECONDS:g} seconds: the cluster has "
                f"{self._cores()} cores, which others may be using{self._reason}"
            )
        if now - self._looked_at < GROW_SECONDS:
            return
        self._looked_at = now
        for _ in range(self._cores() - len(self._hired)):
            hired = _Hired(self._class.remote(self._load))
            self._hired.append(hired)
            self._starting[hired.actor.start.remote()] = hired
        # Asked last, as it is not known before whether the connection still stands.
        if not ray.is_initialized():
            raise ClusterError("the connection to the Ray cluster is lost")

    def _cores(self) -> int:
        import ray

        return int(ray.cluster_resources().get("CPU", 0))

    def _note_start(self, started: ObjectRef[Any]) -> None:
        hired = self._starting.pop(started)
        result = self._outcome(started, hired)
        if result is not None:
            node, card = result
            self._card.require(card, node)
            hired.has_started = True

    def _result_of(self, done: ObjectRef[Any]) -> Finished:
        hired, task = self._running.pop(done)
        hired.tasks -= 1
        result = self._outcome(done, hired)
        if result is None:
            return Finished(task, is_lost=True)
        self._deaths = 0
        if isinstance(task, ReadTask):
            return Finished(task, files=result)
        return Finished(task, vectors=result)

    def _outcome(self, ref: ObjectRef[Any], hired: _Hired) -> Any:  # noqa: ANN401 - what the worker returns
        """Return what a worker has returned; None if it is lost. Raises IndexingError."""
        import ray

        try:
            return ray.get(ref)
        except ray.exceptions.RayTaskError as error:
            cause = error.cause
            if isinstance(cause, IndexingError):
                raise cause from error
            raise ClusterError(f"a worker failed: {type(cause).__name__}: {cause}") from error
        except ray.exceptions.RayError as error:  # the worker, its node or its result are gone
            self._dismiss(hired, error)
            return None

    def _dismiss(self, hired: _Hired, error: Exception) -> None:
        """Forget a worker that has ended. Raises ClusterError if they do nothing else."""
        if hired not in self._hired:
            return
        self._hired.remove(hired)
        self._deaths += 1
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        self._reason = f" ({lines[-1][:200]})" if lines else ""
        if self._deaths >= max(MOST_DEATHS, 2 * len(self._hired)):
            raise ClusterError(f"workers end one after the other{self._reason}: see Ray's logs")
