"""LivePipeline: the pipeline of the newest generation, for a process that stays up and answers from
several threads.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager

from qa.answering.pipeline import Pipeline
from qa.errors import NoIndex, NotReady

ATTEMPTS = 10
"""How often a question may find that the index has just changed again before it is told to come
back.
"""


class LivePipeline:
    """Swaps in new generations and calibrations; a question keeps those it began with, which are
    closed after its last use.
    """

    def __init__(self, load: Callable[[], Pipeline], newest: Callable[[], Hashable]) -> None:
        """`load` makes a pipeline of the store's current state, `newest` tells that state: another
        value, another pipeline (None: nothing is indexed).
        """
        self._load = load
        self._newest = newest
        self._state: Hashable = None
        self._refreshing = threading.Lock()
        self._lock = threading.Lock()
        self._current: Pipeline | None = None
        self._uses: dict[Pipeline, int] = {}

    @property
    def generation(self) -> int | None:
        """The generation that is served, or None before anything is indexed."""
        current = self._current
        return current.snapshot.generation if current else None

    def refresh(self) -> bool:
        """Serve the newest state if it is another one than before; says whether it was. Raises
        StoreError or CalibrationError.
        """
        with self._refreshing:
            newest = self._newest()
            if newest == self._state:
                return False
            loaded = self._load() if newest else None
            with self._lock:
                old, self._current, self._state = self._current, loaded, newest
                self._close_unused(old)
            return True

    @contextmanager
    def use(self) -> Iterator[Pipeline]:
        """The pipeline of the newest generation, kept open meanwhile; raises NoIndex or StoreError."""
        pipeline = self._enter()
        try:
            yield pipeline
        finally:
            with self._lock:
                self._uses[pipeline] -= 1
                self._close_unused(pipeline)

    def rest(self) -> None:
        """Let go of the store while no question is being answered, so that other processes can
        compact it.
        """
        with self._lock:
            if self._current is not None and not self._uses.get(self._current):
                self._current.snapshot.pause()

    def close(self) -> None:
        """Serve nothing any more."""
        with self._lock:
            old, self._current, self._state = self._current, None, None
            self._close_unused(old)

    def _enter(self) -> Pipeline:
        for _ in range(ATTEMPTS):
            with self._lock:
                current = self._current
                if current is not None and current.snapshot.resume():
                    self._uses[current] = self._uses.get(current, 0) + 1
                    return current
            if (
                not self.refresh() and self._current is None
            ):  # another thread may have loaded it meanwhile
                raise NoIndex
        raise NotReady("the index is changing faster than it can be read: try again in a moment")

    def _close_unused(self, pipeline: Pipeline | None) -> None:
        if pipeline is not None and pipeline is not self._current and not self._uses.get(pipeline):
            self._uses.pop(pipeline, None)
            pipeline.snapshot.close()
