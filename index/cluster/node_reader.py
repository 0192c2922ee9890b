"""Reader of one worker: from the bytes of files to chunks with vectors, without store or files."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from index.errors import ClusterError, LoadingError
from index.formats.detection import KINDS
from index.ingestion.ingest import RECIPE
from index.ingestion.preparation import PassageEncoder, PreparedDocument, prepare
from index.ingestion.tasks import BATCH_TEXTS, FileRead, FileToRead
from index.parsing.loader import Extract, FileContent, parse


@dataclass(frozen=True, slots=True)
class ReaderCard:
    """Names and versions of all that the chunks and vectors of a file depend on."""

    versions: Mapping[str, str]

    @classmethod
    def of(cls, model: str) -> ReaderCard:
        """Return the card of this process, whose model has this fingerprint."""
        extractors = {f"reader of {kind.name} files": kind.extractor for kind in KINDS.values()}
        return cls({"recipe": str(RECIPE), "model": model, **extractors})

    def require(self, other: ReaderCard, node: str) -> None:
        """Raise ClusterError unless a node makes the same chunks and vectors."""
        for name, version in self.versions.items():
            there = other.versions.get(name)
            if there != version:
                raise ClusterError(
                    f"the node {node} would read files differently: its {name} is {there}, here it "
                    f"is {version}. Install the same versions on all nodes"
                )


class NodeReader:
    """Reader of tasks; it keeps its model and its parser process from one task to the next."""

    def __init__(self, encoder: PassageEncoder, extract: Extract) -> None:
        self._encoder, self._extract = encoder, extract

    def read(self, files: Sequence[FileToRead]) -> list[FileRead]:
        """Return the documents of files; the chunks of those that want it are embedded together.

        A long document comes without vectors: several workers embed it.
        """
        results = [self._read(file) for file in files]
        texts = [_texts_of(file, result) for file, result in zip(files, results, strict=True)]
        vectors = self.embed(dict(ChainMap(*texts)))
        return [
            FileRead(file.path, result, {key: vectors[key] for key in own})
            for file, result, own in zip(files, results, texts, strict=True)
        ]

    def embed(self, texts: Mapping[bytes, str]) -> dict[bytes, NDArray[np.float32]]:
        """Return the vectors of texts by key: float32 (dimension,) each."""
        if not texts:
            return {}
        rows = self._encoder.encode_passages(list(texts.values()))
        return dict(zip(texts, rows, strict=True))

    def _read(self, file: FileToRead) -> PreparedDocument | LoadingError:
        try:
            content = FileContent.of(file.path, file.data)
            document = parse(content, file.path, file.base, extract=self._extract)
            return prepare(document.named(file.identity, file.uri), self._encoder)
        except LoadingError as error:
            return error


def _texts_of(file: FileToRead, result: PreparedDocument | LoadingError) -> dict[bytes, str]:
    """Return the texts of a file that are embedded where it is read, by key."""
    if isinstance(result, LoadingError) or not file.wants_vectors:
        return {}
    texts = result.texts_by_key
    return texts if len(texts) <= BATCH_TEXTS else {}
