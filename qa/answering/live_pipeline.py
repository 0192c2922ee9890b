"""The pipeline of the newest generation, for a process that answers from several threads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager

from qa.answering.pipeline import Pipeline
from qa.errors import NoIndex, NotReady

ATTEMPTS = 10
"""Attempts to enter a pipeline while the index keeps changing."""


class LivePipeline:
    """Swaps in new generations and calibrations while questions are being answered.

    A question keeps the pipeline that it began with, which is closed after its last use.
    """

    def __init__(self, load: Callable[[], Pipeline], newest: Callable[[], Hashable]) -> None:
        """Serve nothing yet.

        `load` makes a pipeline of the store's current state. `newest` returns a value that
        identifies that state: if it changes, another pipeline is loaded; None means that nothing is
        indexed.
        """
        self._load = load
        self._newest = newest
        self._state: Hashable = None
        # Two locks: loading takes long and must happen once at a time, but questions go on
        # meanwhile, so `_lock` is held only to swap and count. Order: `_refreshing`, then `_lock`.
        self._refreshing = threading.Lock()
        self._lock = threading.Lock()
        self._current: Pipeline | None = None
        self._uses: dict[Pipeline, int] = {}

    @property
    def generation(self) -> int | None:
        """Generation that is served, or None before anything is indexed."""
        current = self._current
        return current.snapshot.generation if current else None

    def refresh(self) -> bool:
        """Serve the newest state, and return True if it is another one than before.

        Raises StoreError or CalibrationError.
        """
        with self._refreshing:
            newest = self._newest()
            if newest == self._state:
                return False
            loaded = self._load() if newest else None
            with self._lock:
                previous, self._current, self._state = self._current, loaded, newest
                self._close_unused(previous)
            return True

    @contextmanager
    def use(self) -> Iterator[Pipeline]:
        """Hold the pipeline of the newest generation open.

        Raises NoIndex, NotReady or StoreError.
        """
        pipeline = self._enter()
        try:
            yield pipeline
        finally:
            with self._lock:
                self._uses[pipeline] -= 1
                self._close_unused(pipeline)

    def release_if_idle(self) -> None:
        """Let go of the store unless a question is being answered.

        Other processes can then compact it; the next question opens it again.
        """
        with self._lock:
            if self._current is not None and not self._uses.get(self._current):
                self._current.snapshot.pause()

    def close(self) -> None:
        """Stop serving; pipelines in use are closed after their last use."""
        with self._lock:
            previous, self._current, self._state = self._current, None, None
            self._close_unused(previous)

    def _enter(self) -> Pipeline:
        """Return the current pipeline and count its use, loading it if need be."""
        for _ in range(ATTEMPTS):
            with self._lock:
                current = self._current
                # A paused snapshot does not resume if its generation has been replaced meanwhile.
                if current is not None and current.snapshot.resume():
                    self._uses[current] = self._uses.get(current, 0) + 1
                    return current
            refreshed = self.refresh()
            # Without a refresh here, another thread may still have loaded a pipeline meanwhile.
            if not refreshed and self._current is None:
                raise NoIndex
        raise NotReady("the index is changing faster than it can be read: try again in a moment")

    def _close_unused(self, pipeline: Pipeline | None) -> None:
        """Close a pipeline that is neither served nor in use; the lock must be held."""
        if pipeline is not None and pipeline is not self._current and not self._uses.get(pipeline):
            self._uses.pop(pipeline, None)
            pipeline.snapshot.close()
