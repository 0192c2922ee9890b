"""Settings -> ready objects; the only file of `qa` that names concrete classes."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from index.embedding import Encoder
from index.ingest import Reporter, Summary, ingest
from index.snapshot import DERIVED, Snapshot, current_generation
from index.store import Store, check_model
from qa.errors import NoIndex
from qa.pipeline import Pipeline
from qa.reader import SentenceReader
from qa.retriever import HybridRetriever
from qa.settings import Settings

NO_INDEX = "nothing is indexed yet: run `qa index PATH...` first"


def load_encoder(settings: Settings, on_conversion: Callable[[str], None] = lambda _: None) -> Encoder:
    """The embedding model of the settings; raises ModelError."""
    return Encoder.load(settings.model, settings.cache, precision=settings.precision, on_conversion=on_conversion)


def has_index(settings: Settings) -> bool:
    """Whether the data directory holds a store with at least one run of `qa index` in it."""
    return bool(current_generation(settings.data))


def open_store(settings: Settings) -> Store:
    """The store of the data directory, created if there is none; raises StoreError."""
    return Store(settings.data)


def index_paths(
    settings: Settings,
    encoder: Encoder,
    paths: Sequence[Path],
    reporter: Reporter,
    *,
    prune: bool = False,
    yes: bool = False,
    on_wait: Callable[[], None] = lambda: None,
) -> Summary:
    """Bring the index up to date with files and folders and derive FAISS and BM25 from it; see `index.ingest.ingest`."""
    with open_store(settings) as store, store.writing(on_wait):
        store.claim_model(settings.model, encoder.card.fingerprint)
        summary = ingest(paths, store, encoder, reporter, prune=prune, yes=yes, max_bytes=settings.max_file_bytes)
        Snapshot(settings.data).close()
    return summary


def forget_all(settings: Settings, on_wait: Callable[[], None] = lambda: None) -> int:
    """Delete every document and everything made from it; returns how many there were."""
    with open_store(settings) as store, store.writing(on_wait):
        shutil.rmtree(settings.data / DERIVED, ignore_errors=True)
        return store.forget_all()


def sample_documents() -> Path | None:
    """The `seeds/` folder of the checkout that this package runs from, or None when it was installed elsewhere."""
    checkout = Path(__file__).resolve().parent.parent
    seeds = checkout / "seeds"
    return seeds if seeds.is_dir() and (checkout / "pyproject.toml").is_file() else None


def load_pipeline(settings: Settings, encoder: Encoder) -> Pipeline:
    """A pipeline over the store's current generation; raises NoIndex or StoreError."""
    if not has_index(settings):
        raise NoIndex(NO_INDEX)
    snapshot = Snapshot(settings.data)
    check_model(snapshot.model, settings.model, encoder.card.fingerprint)
    return pipeline_over(snapshot, settings, encoder)


def pipeline_over(snapshot: Snapshot, settings: Settings, encoder: Encoder) -> Pipeline:
    """A pipeline over a snapshot that is open already."""
    retriever = HybridRetriever(snapshot, encoder)
    reader = SentenceReader(encoder, snapshot.lexical)
    return Pipeline(snapshot, retriever, reader, top_k=settings.top_k, min_confidence=settings.min_confidence)


class LivePipeline:
    """The pipeline of the newest generation, for a process that stays up.

    `refresh` loads a new generation beside the old one and swaps them; a question that is being answered keeps the one it began with,
    which is closed after its last use.
    """

    def __init__(self, settings: Settings, encoder: Encoder) -> None:
        self._settings = settings
        self._encoder = encoder
        self._lock = threading.Lock()
        self._current: Pipeline | None = None
        self._uses: dict[Pipeline, int] = {}

    @property
    def generation(self) -> int | None:
        """The generation that is served, or None before anything is indexed."""
        current = self._current
        return current.snapshot.generation if current else None

    def refresh(self) -> bool:
        """Serve the store's generation if it is another one than before; says whether it was. Raises StoreError."""
        newest = current_generation(self._settings.data) or None
        if newest == self.generation:
            return False
        loaded = load_pipeline(self._settings, self._encoder) if newest else None
        with self._lock:
            old, self._current = self._current, loaded
            if loaded:
                self._uses[loaded] = 0
            self._close_unused(old)
        return True

    @contextmanager
    def use(self) -> Iterator[Pipeline]:
        """The current pipeline, kept open meanwhile; raises NoIndex."""
        with self._lock:
            pipeline = self._current
            if pipeline is None:
                raise NoIndex(NO_INDEX)
            self._uses[pipeline] += 1
        try:
            yield pipeline
        finally:
            with self._lock:
                self._uses[pipeline] -= 1
                self._close_unused(pipeline)

    def close(self) -> None:
        """Serve nothing any more."""
        with self._lock:
            old, self._current = self._current, None
            self._close_unused(old)

    def _close_unused(self, pipeline: Pipeline | None) -> None:
        if pipeline is not None and pipeline is not self._current and not self._uses.get(pipeline):
            self._uses.pop(pipeline, None)
            pipeline.snapshot.close()
