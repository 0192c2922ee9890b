"""The pages of a cited PDF as they are shown, with the quote's place on them: only from a file that
holds the very version that was asked for.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from index.errors import FileTooLarge, LoadingError, NoSuchPage, UnreadableFile
from index.formats.page_view import PageText, PageView, page_texts
from index.parsing.loader import MAX_FILE_BYTES, read_bytes, shown
from index.parsing.page_renderer import PageRenderer
from index.store.snapshot import Snapshot
from qa.errors import PageNotShown, SourceChanged, SourceGone, UnknownDocumentId, UnknownPage

KEPT_BYTES = 32 * 1024 * 1024
"""Of drawn pages in memory: some hundred pages of text, which have 0.1 to 0.3 MB each at 1,200
pixels.
"""
_VIEW_BYTES = 4096
_SHORT = 12

Value = TypeVar("Value", bytes, PageView)


@dataclass(frozen=True, slots=True)
class Source:
    """The file of a document that has pages, the sha256 or the beginning of it that is asked for,
    and that of the indexed version.
    """

    uri: str
    path: Path
    size: int
    wanted: str
    indexed: str

    @property
    def is_indexed(self) -> bool:
        """Whether the version that is asked for is the one whose text and places are known."""
        return self.indexed.startswith(self.wanted)


@dataclass(frozen=True, slots=True)
class Original:
    """The bytes of a file, which have this sha256."""

    uri: str
    sha256: str
    data: bytes

    def tag(self, page: int, width: int) -> str:
        """A strong entity tag (RFC 9110) of a page that is drawn so wide."""
        return f'"{self.sha256}-{page}-{width}"'


def source_of(snapshot: Snapshot, document_id: str, version: str | None) -> Source:
    """The file of a document, in a version or the indexed one; raises UnknownDocumentId or, unless
    it is a PDF, UnknownPage.
    """
    if not snapshot.has_document(document_id):
        raise UnknownDocumentId(f"no document has the id {document_id!r}: see GET /documents")
    info, file = snapshot.document_info(document_id), snapshot.file(document_id)
    if not (info.extractor or "").startswith("pdf/"):
        raise UnknownPage(
            f"{shown(info.uri)} is no PDF: its text is what can be shown, see GET /documents/{document_id}"
        )
    return Source(shown(info.uri), file.path, file.size, version or info.sha256, info.sha256)


def texts_of(snapshot: Snapshot, document_id: str, page: int) -> list[PageText]:
    """What of a document's text stands on a page."""
    document = snapshot.document(document_id)
    return page_texts(document.text, document.places, page)


def read(source: Source) -> Original:
    """The bytes of a source as they are now; raises SourceGone, or SourceChanged unless they are
    the version that is wanted.
    """
    if not source.path.is_absolute():
        raise SourceGone(
            f"{source.uri} was not read from a file, so that its pages cannot be shown; its text is kept"
        )
    try:
        data = read_bytes(source.path, max(source.size, MAX_FILE_BYTES))
    except FileTooLarge as error:
        raise SourceChanged(f"{source.uri} has changed since it was indexed: it {error}") from error
    except UnreadableFile as error:
        raise SourceGone(f"{source.uri} is no longer there or {error}; its text is kept") from error
    sha256 = hashlib.sha256(data).hexdigest()
    if not sha256.startswith(source.wanted):
        raise SourceChanged(
            f"{source.uri} has changed: sha256 {source.wanted[:_SHORT]} was asked for, the file has {sha256[:_SHORT]} now, "
            "so that the page as it was cannot be shown; `qa index` takes up the new version"
        )
    return Original(source.uri, sha256, data)


class Originals:
    """Draws pages in a process of its own, one at a time, and keeps the last ones; may be used from
    several threads.
    """

    def __init__(self, pages: PageRenderer | None = None, kept_bytes: int = KEPT_BYTES) -> None:
        self._pages = pages or PageRenderer()
        self._kept_bytes = kept_bytes
        self._kept: OrderedDict[tuple[object, ...], bytes | PageView] = OrderedDict()
        self._lock = threading.Lock()

    def close(self) -> None:
        """End the process."""
        self._pages.close()

    def drawn(self, original: Original, page: int, width: int) -> bytes:
        """A page as PNG; raises UnknownPage or PageNotShown."""

        def draw() -> bytes:
            with _named(original.uri):
                return self._pages.render(original.data, page, width)

        return self._once((original.sha256, page, width), draw)

    def located(
        self, original: Original, page: int, texts: Sequence[PageText], start: int, end: int
    ) -> PageView:
        """A page with the boxes of the characters [start, end) that stand on it; raises UnknownPage
        or PageNotShown.
        """

        def locate() -> PageView:
            with _named(original.uri):
                return self._pages.locate(original.data, page, texts, start, end)

        text = hashlib.sha256(
            repr(texts).encode("utf-8", "backslashreplace")
        ).digest()  # short, where a page's text may be long
        return self._once((original.sha256, page, start, end, text), locate)

    def _once(self, key: tuple[object, ...], make: Callable[[], Value]) -> Value:
        with self._lock:
            known = self._kept.get(key)
            if known is not None:
                self._kept.move_to_end(key)
                return known  # type: ignore[return-value]  # a key is of one kind of value
        made = make()
        with self._lock:
            self._kept[key] = made
            while sum(map(_size, self._kept.values())) > self._kept_bytes:
                self._kept.popitem(last=False)
        return made


def _size(value: bytes | PageView) -> int:
    return len(value) if isinstance(value, bytes) else _VIEW_BYTES


@contextmanager
def _named(uri: str) -> Iterator[None]:
    """What goes wrong with a page, said of its document."""
    try:
        yield
    except NoSuchPage as error:
        raise UnknownPage(f"{uri} {error}") from error
    except LoadingError as error:
        raise PageNotShown(f"{uri}: {error}") from error
