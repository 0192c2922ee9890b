"""Follow watched files: keep the index up to date and ask saved questions again.

This module puts the parts together, as `qa.bootstrap` does for answering.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from functools import partial

import numpy as np
from numpy.typing import NDArray

from index.document import TextRange
from index.errors import IndexingError, Stopped, StoreError
from index.filesystem.locks import process_lock
from index.ingestion.file_events import FileEvents
from index.ingestion.watcher import WatchedPaths, Watcher, run_watcher
from index.models.encoder import Encoder
from index.models.encoder_conversion import EncoderCard
from index.parsing.loader import shown
from index.sources.ignore_rules import checked_patterns
from index.store.contract import DocumentStore
from index.store.store import ERASURE_SECONDS
from qa.answer import Answer
from qa.answering.live_pipeline import LivePipeline
from qa.answering.pipeline import Pipeline
from qa.answering.retrieval.source_freshness import FileHashes, SourceFreshness
from qa.errors import QAError
from qa.library.document_status import FileStatus, status_of
from qa.library.documents import has_index, open_store
from qa.library.listener import Listener
from qa.library.stores import backend_of
from qa.settings import Settings
from qa.state.database import open_state
from qa.state.saved_questions import Rechecker, SavedQuestions


def follow_sources(
    settings: Settings,
    encoder: Encoder,
    live: Callable[[], LivePipeline],
    watched: WatchedPaths,
    listener: Listener,
    stopping: threading.Event,
) -> None:
    """Keep the index up to date with the watched paths until `stopping` is set.

    After each change the saved questions are asked again; without saved questions `live` is not
    called. While another process watches for the same data directory, this one waits. Raises
    InvalidPattern or StoreError.
    """
    checked_patterns(watched.exclude)
    questions = Rechecker(lambda: _recheck(settings, live, listener, stopping))

    backend, clock = backend_of(settings), time.monotonic
    # As if there had been a change: one that was killed may have left something to be erased.
    last_change = clock()

    def on_change() -> None:
        nonlocal last_change
        last_change = clock()
        backend.derive()
        questions.schedule()

    def on_rest() -> None:
        """Erase what was removed, in the seconds after its time has come."""
        if not backend.is_shared and clock() - last_change < 2 * ERASURE_SECONDS:
            backend.derive()

    callbacks = (on_change, on_rest)
    try:
        with (
            process_lock(
                settings.data, stopping, lambda: listener.on_message(_SECOND_WATCHER)
            ) as is_only_watcher,
            open_store(settings) as store,
        ):
            # False if the process was told to stop while it waited for its turn.
            if is_only_watcher:
                try:
                    _watch(settings, encoder, store, watched, listener, stopping, callbacks)
                finally:
                    with suppress(StoreError):  # the next process that writes does it
                        backend.derive(at_once=True)
    finally:
        questions.close()


_SECOND_WATCHER = (
    "Another process watches into this index already; this one takes over when it ends. "
    "To watch several folders, name them all in one command."
)


def _watch(
    settings: Settings,
    encoder: Encoder,
    store: DocumentStore,
    watched: WatchedPaths,
    listener: Listener,
    stopping: threading.Event,
    callbacks: tuple[Callable[[], None], Callable[[], None]],
) -> None:
    """Run a watcher over an open store until `stopping` is set.

    `callbacks` are called after scans that changed something, and after the others.
    """
    on_change, on_rest = callbacks
    with store.writing():
        store.claim_model(settings.model, encoder.card.fingerprint)
    watcher = Watcher(
        watched,
        store,
        Interruptible(encoder, stopping),
        listener,
        max_bytes=settings.max_file_bytes,
    )
    events = FileEvents(watched.paths, stopping, listener.on_message)
    listener.on_message(f"Watching {', '.join(shown(str(path)) for path in watched.paths)}")
    run_watcher(watcher, events, stopping, on_change, listener.on_message, on_rest)


class Interruptible:
    """Encoder that can be stopped between two batches, so that no process ends inside one."""

    def __init__(self, encoder: Encoder, stopping: threading.Event) -> None:
        self._encoder, self._stopping = encoder, stopping

    @property
    def card(self) -> EncoderCard:
        """Card of the wrapped encoder's model."""
        return self._encoder.card

    @property
    def passage_budget(self) -> int:
        """Most tokens of a passage, as the wrapped encoder has it."""
        return self._encoder.passage_budget

    def token_spans(self, texts: Sequence[str]) -> list[list[TextRange]]:
        """Return the tokens' ranges in each text. Raises Stopped."""
        self._check()
        return self._encoder.token_spans(texts)

    def vector_key(self, text: str) -> bytes:
        """Return the key under which the vector of a text is stored."""
        return self._encoder.vector_key(text)

    def encode_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return float32 (len(texts), dimension), rows of unit length.

        Raises Stopped between two batches once the encoder is to stop.
        """
        return self._encoder.encode_passages(texts, on_batch=lambda _: self._check())

    def _check(self) -> None:
        if self._stopping.is_set():
            raise Stopped


def _recheck(
    settings: Settings,
    live: Callable[[], LivePipeline],
    listener: Listener,
    stopping: threading.Event,
) -> None:
    """Ask the saved questions again and report the answers that differ."""
    try:
        with open_saved_questions(settings) as saved:
            if not saved.questions():
                return
            pipeline = live()
            pipeline.refresh()
            with pipeline.use() as current:
                ask = partial(_ask_unless_stopping, current, stopping)
                listener.on_differences(saved.check(ask))
            pipeline.release_if_idle()
    except Stopped:
        return
    except (IndexingError, QAError) as error:
        listener.on_message(f"The saved questions cannot be asked: {error}")


def _ask_unless_stopping(pipeline: Pipeline, stopping: threading.Event, question: str) -> Answer:
    if stopping.is_set():
        raise Stopped
    return pipeline.ask(question)


@contextmanager
def open_saved_questions(settings: Settings) -> Iterator[SavedQuestions]:
    """Open the saved questions of the data directory. Raises StoreError."""
    with closing(open_state(settings)) as state:
        yield SavedQuestions(state)


def document_status(settings: Settings) -> list[FileStatus]:
    """Return the status of all documents and new files; see `status_of`.

    Raises StoreError.
    """
    if not has_index(settings):
        return []
    with closing(backend_of(settings).open_snapshot()) as snapshot:
        return status_of(snapshot, SourceFreshness(snapshot, FileHashes()), snapshot.roots())
