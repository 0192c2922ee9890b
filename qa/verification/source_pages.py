"""Rendered pages of cited PDF files, with the bounding boxes of a quote.

A page is drawn only from a file that holds the very version that was asked for.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from index.errors import FileTooLarge, LoadingError, NoSuchPage, UnreadableFile
from index.formats.page_view import PageText, PageView, page_texts
from index.parsing.loader import MAX_FILE_BYTES, read_bytes, shown
from index.parsing.page_renderer import PageRenderer
from index.store.snapshot import Snapshot
from qa.errors import PageNotShown, SourceChanged, SourceGone, UnknownDocumentId, UnknownPage

KEPT_BYTES = 32 * 1024 * 1024
"""Bytes of drawn pages held in memory.

That is some hundred pages of text, which have 0.1 to 0.3 MB each at 1,200 pixels.
"""
_VIEW_BYTES = 4096
"""Bytes that a page view counts for, about its size."""
_SHORT = 12
"""Characters of a sha256 that a message shows."""

Value = TypeVar("Value", bytes, PageView)


@dataclass(frozen=True, slots=True)
class Source:
    """The file of a document with pages.

    `wanted` is the sha256 that was asked for, or its beginning; `indexed` that of the indexed
    version.
    """

    uri: str
    path: Path
    size: int
    wanted: str
    indexed: str
    original: Callable[[], AbstractContextManager[Path]]
    """Gives a path with the bytes of the file."""

    @property
    def is_indexed(self) -> bool:
        """True if the version asked for is the indexed one, whose text and places are known."""
        return self.indexed.startswith(self.wanted)


@dataclass(frozen=True, slots=True)
class Original:
    """The bytes of a file with their sha256."""

    uri: str
    sha256: str
    data: bytes

    def tag(self, page: int, width: int) -> str:
        """Return a strong entity tag (RFC 9110) of a page drawn `width` pixels wide."""
        return f'"{self.sha256}-{page}-{width}"'


def source_of(snapshot: Snapshot, document_id: str, version: str | None) -> Source:
    """Return the file of a document, in a version or else the indexed one.

    Raises UnknownDocumentId, or UnknownPage if the document is no PDF.
    """
    if not snapshot.has_document(document_id):
        raise UnknownDocumentId(f"no document has the id {document_id!r}: see GET /documents")
    info, file = snapshot.document_info(document_id), snapshot.file(document_id)
    if not (info.extractor or "").startswith("pdf/"):
        raise UnknownPage(
            f"{shown(info.uri)} is no PDF and has no pages to show: "
            f"see GET /documents/{document_id} for its text"
        )
    return Source(
        shown(info.uri),
        file.path,
        file.size,
        version or info.sha256,
        info.sha256,
        partial(snapshot.original, file),
    )


def texts_of(snapshot: Snapshot, document_id: str, page: int) -> list[PageText]:
    """Return the parts of a document's text that stand on a page."""
    document = snapshot.document(document_id)
    return page_texts(document.text, document.places, page)


def read(source: Source) -> Original:
    """Return the bytes of a source as they are now.

    Raises SourceGone, or SourceChanged unless they are the version that is wanted.
    """
    if not source.path.is_absolute():
        raise SourceGone(
            f"{source.uri} was not read from a file, so that its pages cannot be shown; "
            "its text is kept"
        )
    try:
        with source.original() as path:
            data = read_bytes(path, max(source.size, MAX_FILE_BYTES))
    except FileTooLarge as error:
        raise SourceChanged(f"{source.uri} has changed since it was indexed: it {error}") from error
    except UnreadableFile as error:
        raise SourceGone(f"{source.uri} is no longer there or {error}; its text is kept") from error
    sha256 = hashlib.sha256(data).hexdigest()
    if not sha256.startswith(source.wanted):
        raise SourceChanged(
            f"{source.uri} has changed: sha256 {source.wanted[:_SHORT]} was asked for, "
            f"the file has {sha256[:_SHORT]} now, so that the page as it was cannot be shown; "
            "`qa index` takes up the new version"
        )
    return Original(source.uri, sha256, data)


class Originals:
    """A cache of drawn pages, the least recently used of which are dropped.

    Pages are drawn in a process of its own, one at a time. May be used from several threads.
    """

    def __init__(self, pages: PageRenderer | None = None, kept_bytes: int = KEPT_BYTES) -> None:
        self._pages = pages or PageRenderer()
        self._max_bytes = kept_bytes
        self._cache: OrderedDict[tuple[object, ...], bytes | PageView] = OrderedDict()
        self._lock = threading.Lock()

    def close(self) -> None:
        """End the process that draws."""
        self._pages.close()

    def drawn(self, original: Original, page: int, width: int) -> bytes:
        """Return a page as PNG; raise UnknownPage or PageNotShown."""

        def draw() -> bytes:
            with _errors_named(original.uri):
                return self._pages.render(original.data, page, width)

        return self._cached((original.sha256, page, width), draw)

    def located(
        self, original: Original, page: int, texts: Sequence[PageText], start: int, end: int
    ) -> PageView:
        """Return a page with the bounding boxes of the characters [start, end) on it.

        Raises UnknownPage or PageNotShown.
        """

        def locate() -> PageView:
            with _errors_named(original.uri):
                return self._pages.locate(original.data, page, texts, start, end)

        # The digest keeps the key short: a page's text may be long.
        text_digest = hashlib.sha256(repr(texts).encode("utf-8", "backslashreplace")).digest()
        return self._cached((original.sha256, page, start, end, text_digest), locate)

    def _cached(self, key: tuple[object, ...], make: Callable[[], Value]) -> Value:
        """Return the value of a key, made now if it is not in the cache."""
        with self._lock:
            cached = self._cache.get(key)
            if cached is not None:
                self._cache.move_to_end(key)
                return cached  # type: ignore[return-value]  # a key is of one kind of value
        # Drawing is slow: without the lock, other threads find what is in the cache meanwhile.
        value = make()
        with self._lock:
            self._cache[key] = value
            while sum(map(_size, self._cache.values())) > self._max_bytes:
                self._cache.popitem(last=False)
        return value


def _size(value: bytes | PageView) -> int:
    return len(value) if isinstance(value, bytes) else _VIEW_BYTES


@contextmanager
def _errors_named(uri: str) -> Iterator[None]:
    """Raise errors of a page with the name of its document."""
    try:
        yield
    except NoSuchPage as error:
        raise UnknownPage(f"{uri} {error}") from error
    except LoadingError as error:
        raise PageNotShown(f"{uri}: {error}") from error
