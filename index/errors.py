"""Errors between a file and the index.

    IndexingError
    ├── LoadingError            one file could not be read; the run goes on with the others
    │   ├── UnsupportedFormat   no loader for the file name or for the content
    │   ├── UnreadableFile      the system denied access, or it is no regular file
    │   ├── EmptyFile           nothing but white space
    │   ├── BinaryFile          not text in any known encoding
    │   ├── FileTooLarge        more bytes than the limit
    │   ├── DamagedFile         violates its format
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
    │   ├── StoreReadOnly       the data directory is read-only
    │   ├── StoreUnreachable    the server of a database does not answer
    │   ├── SchemaTooNew        written by a later version
    │   ├── ModelMismatch       written with another embedding model
    │   └── UnknownDocument     no document of that id or name
    ├── ClusterError            a cluster that cannot be reached or used
    ├── InvalidPattern          an ignore pattern that cannot be parsed
    ├── Stopped                 a run was stopped; what it committed stays
    ├── InvalidTag              a tag that cannot be stored
    └── PruneRefused            a removal that looks like an accident

Every message says what was expected, what came, and what to do.
"""

from __future__ import annotations


class IndexingError(Exception):
    """Base class of every error that `index` raises on purpose."""


class LoadingError(IndexingError):
    """Failure to turn one file into a document."""


class UnsupportedFormat(LoadingError):
    """File with a suffix or content that no loader is registered for."""


class UnreadableFile(LoadingError):
    """File that is missing, forbidden, or not a regular file."""


class EmptyFile(LoadingError):
    """File without text."""


class BinaryFile(LoadingError):
    """File whose bytes are not text in any encoding that round-trips."""


class FileTooLarge(LoadingError):
    """File of more bytes than the limit."""


class DamagedFile(LoadingError):
    """File that violates its format: truncated, damaged, or of another format."""


class EncryptedFile(LoadingError):
    """File that opens only with a password."""


class ScannedFile(LoadingError):
    """File with images of text and no text."""


class ExtractionLimit(LoadingError):
    """File that takes more time, memory or space to read than allowed."""


class NoSuchPage(LoadingError):
    """Page number that the document does not have."""


class PageNotFetched(LoadingError):
    """Web page whose address is not public, or that could not be fetched."""


class ModelError(IndexingError):
    """Model that could not be found, converted or run."""


class StoreError(IndexingError):
    """Failure to use the store."""


class StoreBusy(StoreError):
    """Store that another process is writing to."""


class StoreCorrupt(StoreError):
    """Store file that SQLite cannot read."""


class StoreFull(StoreError):
    """Disk without room for a write."""


class StoreReadOnly(StoreError):
    """Data directory that may only be read."""


class StoreUnreachable(StoreError):
    """Server of a database that does not answer or lets nobody in."""


class SchemaTooNew(StoreError):
    """Store that was written by a later version of this program."""


class ModelMismatch(StoreError):
    """Store that was written with another embedding model."""


class UnknownDocument(StoreError):
    """Unknown id, or name of no document or more than one."""


class ClusterError(IndexingError):
    """Cluster that cannot be reached, or whose workers cannot be used."""


class InvalidPattern(IndexingError):
    """Ignore pattern that cannot be parsed."""


class Stopped(IndexingError):
    """Run that was stopped on request."""

    def __init__(
        self, message: str = "stopped: what was committed stays, the rest comes with the next run"
    ) -> None:
        super().__init__(message)


class InvalidTag(IndexingError):
    """Tag that is empty, too long, or not printable text."""


class PruneRefused(IndexingError):
    """Removal of so many documents that it looks like an accident."""
