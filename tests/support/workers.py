"""Workers in this process, which lose tasks as the nodes of a cluster do."""

from __future__ import annotations

import pickle
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from index.cluster.node_reader import NodeReader
from index.ingestion.tasks import Finished, ReadTask, Task
from index.parsing.sandbox import extract_once
from tests.support.fakes import FakeEncoder


def is_never_lost(_task: Task, _nth: int) -> bool:
    return False


@dataclass
class FakeWorkers:
    """Workers that take `places` tasks at a time, and finish the last one first.

    `loses` is asked for each task and its number from 0 whether it is lost with its worker.
    """

    places: int = 3
    loses: Callable[[Task, int], bool] = is_never_lost
    encoder: FakeEncoder = field(default_factory=FakeEncoder)
    begun: list[Task] = field(default_factory=list)
    most_at_once: int = 0
    _waiting: deque[tuple[Task, bool]] = field(default_factory=deque)

    @property
    def free(self) -> int:
        return self.places - len(self._waiting)

    def begin(self, task: Task) -> None:
        assert self.free > 0
        sent = _sent(task)
        self._waiting.append((sent, self.loses(sent, len(self.begun))))
        self.begun.append(sent)
        self.most_at_once = max(self.most_at_once, len(self._waiting))

    def finished(self) -> list[Finished]:
        task, is_lost = self._waiting.pop()
        if is_lost:
            return [Finished(task, is_lost=True)]
        reader = NodeReader(self.encoder, extract_once)
        if isinstance(task, ReadTask):
            return [Finished(task, files=_sent(reader.read(task.files)))]
        return [Finished(task, vectors=_sent(reader.embed(task.texts)))]


def _sent(value: Any) -> Any:
    """Return what arrives of a value at another process."""
    return pickle.loads(pickle.dumps(value))  # noqa: S301 - our own
