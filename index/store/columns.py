"""A document as the columns of the store."""

from __future__ import annotations

import json

import numpy as np

from index.document import Document
from index.formats.text_builder import plain_places


def columns_of(document: Document) -> dict[str, object]:
    """What comes of reading a document's file, as it is stored: `index.store.document_row.READ`."""
    source = document.source
    return {
        "title": document.title,
        "title_is_real": document.title_is_real,
        "text": document.text,
        "sha256": source.sha256,
        "size": source.size,
        "encoding": source.encoding,
        "bom_size": source.bom_size,
        "crlf": np.array(source.crlf, dtype=np.int64).tobytes(),
        "language": document.language,
        "date": document.date,
        "extractor": source.extractor,
        "places": json.dumps(plain_places(document.places)),
    }
