"""What keeps an index and the answers from it up to date, put together as `qa.bootstrap` does the
rest.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from index.document import TextRange
from index.errors import IndexingError, Stopped
from index.ingestion.file_events import FileEvents
from index.ingestion.watcher import Notices, WatchedPaths, Watcher, process_lock, run_watcher
from index.models.encoder import Encoder
from index.models.encoder_conversion import EncoderCard
from index.parsing.loader import shown
from index.sources.ignore_rules import checked_patterns
from index.store.snapshot import Snapshot
from qa.answer import Answer
from qa.answering.live_pipeline import LivePipeline
from qa.answering.pipeline import Pipeline
from qa.answering.source_freshness import FileHashes, SourceFreshness
from qa.errors import QAError
from qa.library.document_status import FileStatus, status_of
from qa.library.documents import has_index, open_store
from qa.settings import Settings
from qa.state.database import State
from qa.state.saved_questions import Difference, Rechecker, SavedQuestions


class Listener(Notices, Protocol):
    """Hears of files and of saved questions."""

    def on_differences(self, differences: Sequence[Difference]) -> None:
        """The answers to these saved questions have changed."""


def follow_sources(
    settings: Settings,
    encoder: Encoder,
    live: Callable[[], LivePipeline],
    watched: WatchedPaths,
    listener: Listener,
    stopping: threading.Event,
) -> None:
    """Keep the index up to date with what is watched until `stopping` is set, and ask the saved
    questions again after each change.

    Without saved questions `live` is not called. Raises InvalidPattern or StoreError. While another
    process watches into the same data directory, this one waits.
    """
    checked_patterns(watched.exclude)
    questions = Rechecker(lambda: _recheck(settings, live, listener, stopping))

    def changed() -> None:
        Snapshot(settings.data).close()
        questions.schedule()

    try:
        with (
            process_lock(
                settings.data, stopping, lambda: listener.on_message(_SECOND_WATCHER)
            ) as alone,
            open_store(settings) as store,
        ):
            if alone:
                with store.writing():
                    store.claim_model(settings.model, encoder.card.fingerprint)
                patient = Interruptible(encoder, stopping)
                watcher = Watcher(
                    watched, store, patient, listener, max_bytes=settings.max_file_bytes
                )
                listener.on_message(
                    f"Watching {', '.join(shown(str(path)) for path in watched.paths)}"
                )
                run_watcher(
                    watcher,
                    FileEvents(watched.paths, stopping, listener.on_message),
                    stopping,
                    changed,
                    listener.on_message,
                )
    finally:
        questions.close()


_SECOND_WATCHER = "Another process watches into this index already; this one takes over when it ends. To watch several folders, name them all in one command."


class Interruptible:
    """An encoder that can be stopped between two batches, so that a process never ends inside one."""

    def __init__(self, encoder: Encoder, stopping: threading.Event) -> None:
        self._encoder, self._stopping = encoder, stopping

    @property
    def card(self) -> EncoderCard:
        """As the encoder has it."""
        return self._encoder.card

    @property
    def passage_budget(self) -> int:
        """As the encoder has it."""
        return self._encoder.passage_budget

    def token_spans(self, texts: Sequence[str]) -> list[list[TextRange]]:
        """As the encoder has it; raises Stopped."""
        self._check()
        return self._encoder.token_spans(texts)

    def vector_key(self, text: str) -> bytes:
        """As the encoder has it."""
        return self._encoder.vector_key(text)

    def encode_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """float32 (len(texts), dimension), unit rows; raises Stopped."""
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
    """Ask the saved questions again, and tell what is different."""
    try:
        with open_saved_questions(settings) as watchlist:
            if not watchlist.questions():
                return
            pipeline = live()
            pipeline.refresh()
            with pipeline.use() as current:
                listener.on_differences(watchlist.check(partial(_ask, current, stopping)))
            pipeline.release_if_idle()
    except Stopped:
        return
    except (IndexingError, QAError) as error:
        listener.on_message(f"The saved questions cannot be asked: {error}")


def _ask(pipeline: Pipeline, stopping: threading.Event, question: str) -> Answer:
    if stopping.is_set():
        raise Stopped
    return pipeline.ask(question)


@contextmanager
def open_saved_questions(settings: Settings) -> Iterator[SavedQuestions]:
    """The saved questions of the data directory; raises StoreError."""
    with closing(State(settings.data)) as state:
        yield SavedQuestions(state)


def document_status(settings: Settings) -> list[FileStatus]:
    """What is indexed against what stands in the folders; raises StoreError."""
    if not has_index(settings):
        return []
    with closing(Snapshot(settings.data)) as snapshot:
        return status_of(snapshot, SourceFreshness(snapshot, FileHashes()), snapshot.roots())
