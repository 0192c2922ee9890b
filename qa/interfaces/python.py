"""The Python door: a `Library` of documents to index, ask and search from a script or notebook."""

from __future__ import annotations

import hashlib
import os
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from index.errors import IndexingError
from index.ingestion.report import Outcome, Reporter, Summary
from index.models.encoder import Encoder
from index.store.file_records import FileRecord
from index.store.snapshot import DocumentInfo
from qa.answer import Answer, RetrievedPassage
from qa.answering.live_pipeline import LivePipeline
from qa.answering.pipeline import Pipeline
from qa.bootstrap import live_pipeline, load_encoder, load_reader, note_refusal
from qa.library.documents import (
    document_text,
    forget_all,
    has_index,
    index_paths,
    list_documents,
    open_snapshot,
    remove_document,
)
from qa.settings import Settings

FOLDERS = "folders"
"""Folder of the data directory that holds one data directory for each folder opened alone."""


class Library:
    """The documents of a data directory: index, ask, search, list and remove them.

    Models are loaded at the first call that needs them and kept until `close`. All methods may be
    called from several threads. What another process indexes meanwhile is in the next answer.

        with Library.of_folder("contracts") as library:
            print(library.ask("How long is the notice period?"))
    """

    def __init__(self, data: Path | str | None = None, *, settings: Settings | None = None) -> None:
        """Open a data directory; nothing is read or written yet.

        `data` is made at the first `index`; by default it is QUOTED_DATA or the platform's.
        `settings` replaces the environment. Raises SettingsError.
        """
        folder = Path(data) if data is not None else None
        self.settings = settings or Settings.load(os.environ, data=folder)
        self._loading = threading.Lock()
        self._encoder: Encoder | None = None
        self._live: LivePipeline | None = None
        self._closed = False

    @classmethod
    def of_folder(cls, folder: Path | str, *, settings: Settings | None = None) -> Self:
        """Open the documents of one folder, indexed in a data directory of their own.

        Files that are new or changed are indexed now, deleted ones removed; unchanged ones cost
        nothing. The data directory lies below the default one; the folder itself is not written
        to. A removal that looks like an accident, as of an unmounted disk, is left undone with a
        warning. Raises NotADirectoryError, IndexingError or SettingsError.
        """
        place = Path(folder).expanduser().resolve()
        if not place.is_dir():
            raise NotADirectoryError(f"expected a folder of documents, got {str(folder)!r}")
        base = settings or Settings.load(os.environ)
        # Two folders of one name have data directories of their own.
        digest = hashlib.sha256(os.fsencode(place)).hexdigest()[:16]
        data = base.data / FOLDERS / f"{place.name or 'root'}-{digest}"
        library = cls(settings=replace(base, data=data))
        for refusal in library.index(place, prune=True).refused:
            warnings.warn(refusal, stacklevel=2)
        return library

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Library({str(self.settings.data)!r})"

    def __len__(self) -> int:
        """Return the number of documents."""
        return len(self.documents())

    def __iter__(self) -> Iterator[DocumentInfo]:
        """Iterate over the documents by uri."""
        return iter(self.documents())

    def index(
        self,
        *paths: Path | str,
        prune: bool = False,
        force: bool = False,
        exclude: Sequence[str] = (),
        tags: Sequence[str] = (),
        on_file: Callable[[Outcome], None] = lambda _: None,
    ) -> Summary:
        """Index files and folders, and the web pages of http(s) addresses.

        Unchanged files cost nothing. `prune` removes documents whose files are gone; what looks
        like an accident is refused (`Summary.refused`) unless `force` is set. `exclude` are
        patterns as in a .gitignore, `tags` are given to all documents below the paths, and
        `on_file` is called with the outcome of each file. A file that cannot be read is skipped
        and stands in the summary. Raises IndexingError.
        """
        encoder = self._loaded_encoder()
        return index_paths(
            self.settings,
            encoder,
            [_path_or_page(each) for each in paths],
            _Progress(on_file),
            prune=prune,
            yes=force,
            exclude=exclude,
            tags=tags,
        )

    def ask(
        self,
        question: str,
        *,
        tags: Sequence[str] | None = None,
        documents: Sequence[str] | None = None,
        top_k: int | None = None,
        deadline: float | None = None,
        sure: bool = False,
    ) -> Answer:
        """Answer a question with spans quoted from the documents, or refuse.

        Only documents with any of the `tags` and with the ids in `documents` are searched, all by
        default. `top_k` passages are read, none after `deadline` seconds. With `sure`, a likely
        answer is refused as well. With QUOTED_GAPS=all the question of a refusal is kept. Raises
        NoIndex, InvalidQuestion, UnknownTag, UnknownDocumentId or IndexingError.
        """
        with self._pipeline() as pipeline:
            answer = pipeline.ask(
                question,
                tags=tags,
                documents=documents,
                top_k=top_k,
                seconds=deadline,
                strict=sure,
            )
        # Where nothing can be written, as on a full disk, questions are answered all the same.
        with suppress(IndexingError):
            note_refusal(self.settings, answer)
        return answer

    def search(
        self,
        query: str,
        *,
        top_k: int = 10,
        tags: Sequence[str] | None = None,
        documents: Sequence[str] | None = None,
    ) -> list[RetrievedPassage]:
        """Return the passages that a query retrieves, best first; raises as `ask` does."""
        with self._pipeline() as pipeline:
            return pipeline.search(query, top_k=top_k, documents=documents, tags=tags)

    def documents(self, tags: Sequence[str] = ()) -> list[DocumentInfo]:
        """Return the documents by uri, those with any of the tags if there are any.

        Loads no model. Raises StoreError, InvalidTag or UnknownTag.
        """
        return list_documents(self.settings, tags)

    def text(self, document_id: str) -> str:
        """Return the text that the citations of a document count in.

        Loads no model. Raises NoIndex, UnknownDocumentId or StoreError.
        """
        with closing(open_snapshot(self.settings)) as snapshot:
            return document_text(snapshot, document_id)

    def remove(self, name: str) -> FileRecord:
        """Remove a document, named by id, uri or path; its file stays where it is.

        The copies of uploaded files and fetched pages are deleted. Raises UnknownDocument or
        StoreBusy.
        """
        return remove_document(self.settings, name)

    def clear(self) -> int:
        """Remove all documents and return how many there were."""
        return forget_all(self.settings) if has_index(self.settings) else 0

    def close(self) -> None:
        """Release the index and the models; the library cannot be asked any more."""
        with self._loading:
            if self._live is not None:
                self._live.close()
            self._live = self._encoder = None
            self._closed = True

    def _loaded_encoder(self) -> Encoder:
        with self._loading:
            return self._encoder_once()

    def _encoder_once(self) -> Encoder:
        """Load the encoder at most once; the caller holds the lock."""
        if self._closed:
            raise ValueError("this library is closed: open another one")
        if self._encoder is None:
            self._encoder = load_encoder(self.settings)
        return self._encoder

    @contextmanager
    def _pipeline(self) -> Iterator[Pipeline]:
        """Yield the pipeline of the newest generation; models are loaded at the first call."""
        with self._loading:
            if self._live is None:
                encoder = self._encoder_once()
                self._live = live_pipeline(self.settings, encoder, load_reader(self.settings))
            live = self._live
        live.refresh()
        try:
            with live.use() as pipeline:
                yield pipeline
        finally:
            # An idle library must not keep others (or its own `remove`) from compacting the store.
            live.release_if_idle()


class _Progress(Reporter):
    """A reporter that passes on the outcome of each file."""

    def __init__(self, on_file: Callable[[Outcome], None]) -> None:
        self._on_file = on_file

    def on_file(self, outcome: Outcome) -> None:
        """Pass the outcome on."""
        self._on_file(outcome)


def _path_or_page(given: Path | str) -> Path | str:
    """Return the address of a web page as a str, anything else as a path."""
    if isinstance(given, str) and given.lower().startswith(("http://", "https://")):
        return given
    return Path(given).expanduser()
