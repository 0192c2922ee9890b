"""What can go wrong between a file and the index.

    IndexingError
    ├── LoadingError            one file could not be read; the rest goes on
    │   ├── UnsupportedFormat   no loader for this file name, or for what the file holds
    │   ├── UnreadableFile      the system refused, or it is no regular file
    │   ├── EmptyFile           nothing but white space
    │   ├── BinaryFile          not text in any encoding
    │   ├── FileTooLarge        more bytes than the limit
    │   ├── DamagedFile         not what its format demands
    │   ├── EncryptedFile       opens only with a password
    │   ├── ScannedFile         images of text, no text
    │   ├── ExtractionLimit     took more time, memory or space than a file may
    │   ├── NoSuchPage          the document has no page of that number
    │   └── PageNotFetched      a web page that must not or could not be fetched
    ├── ModelError              a model that cannot be found, converted or run
    ├── StoreError
    │   ├── StoreBusy           another process is writing
    │   ├── StoreCorrupt        SQLite cannot read the file
    │   ├── StoreFull           the disk is full
    │   ├── StoreReadOnly       the data directory may only be read
    │   ├── SchemaTooNew        written by a later version
    │   ├── ModelMismatch       written with another embedding model
    │   └── UnknownDocument     no document of that id or name
    ├── InvalidPattern          a pattern of what to leave out that means nothing
    ├── Stopped                 a run was told to stop; what it committed stays
    ├── InvalidTag              a tag that cannot be kept
    └── PruneRefused            a removal that looks like an accident

Every message says what was expected, what came, and what to do.
"""

from __future__ import annotations


class IndexingError(Exception):
    """Base of every error that `index` raises on purpose."""


class LoadingError(IndexingError):
    """One file could not become a document."""


class UnsupportedFormat(LoadingError):
    """No loader is registered for the file's suffix, or for what it holds."""


class UnreadableFile(LoadingError):
    """The file is missing, forbidden, or not a regular file."""


class EmptyFile(LoadingError):
    """The file holds no text."""


class BinaryFile(LoadingError):
    """The bytes are not text in any encoding that round-trips."""


class FileTooLarge(LoadingError):
    """The file is larger than the limit."""


class DamagedFile(LoadingError):
    """The file is not what its format demands: truncated, damaged, or of another format."""


class EncryptedFile(LoadingError):
    """The file opens only with a password."""


class ScannedFile(LoadingError):
    """The file holds images of text and no text."""


class ExtractionLimit(LoadingError):
    """Reading the file took more time, memory or space than a file may take."""


class NoSuchPage(LoadingError):
    """The document has no page of that number."""


class PageNotFetched(LoadingError):
    """The page stands at an address that is not public, or could not be fetched."""


class ModelError(IndexingError):
    """A model could not be found, converted or run."""


class StoreError(IndexingError):
    """The store could not be used."""


class StoreBusy(StoreError):
    """Another process is writing to the store."""


class StoreCorrupt(StoreError):
    """SQLite cannot read the store file."""


class StoreFull(StoreError):
    """The disk has no room for what was to be written."""


class StoreReadOnly(StoreError):
    """The data directory may only be read."""


class SchemaTooNew(StoreError):
    """The store was written by a later version of this program."""


class ModelMismatch(StoreError):
    """The store was written with another embedding model."""


class UnknownDocument(StoreError):
    """No document has that id, or more than one has that name."""


class InvalidPattern(IndexingError):
    """A pattern of what to leave out is not one."""


class Stopped(IndexingError):
    """A run was told to stop."""

    def __init__(
        self, message: str = "stopped: what was committed stays, the rest comes with the next run"
    ) -> None:
        super().__init__(message)


class InvalidTag(IndexingError):
    """A tag is empty, too long, or not text."""


class PruneRefused(IndexingError):
    """Too much would be removed for it to be meant."""
