"""Extraction reports of stored documents (see `index.text.extraction_report`).

A document that was stored before there were reports has none until it is read again.
"""

from __future__ import annotations

import json
import sqlite3

from index.document import Document
from index.text.extraction_report import UNREPORTED, ExtractionReport, report_on

MIGRATION = """
    CREATE TABLE extraction_reports (
        document_id TEXT PRIMARY KEY REFERENCES documents (id) ON DELETE CASCADE,
        report TEXT NOT NULL
    ) WITHOUT ROWID
    """


def write_report(db: sqlite3.Connection, document: Document) -> None:
    """Store the report on a document, in the transaction that writes its row."""
    report = json.dumps(report_on(document).to_plain(), ensure_ascii=False)
    db.execute("INSERT OR REPLACE INTO extraction_reports VALUES (?, ?)", (document.id, report))


def report_from(stored: str | None) -> ExtractionReport:
    """Return a stored report. Raises ValueError if it is damaged."""
    if stored is None:
        return UNREPORTED
    try:
        return ExtractionReport.from_plain(json.loads(stored))
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"the extraction report of a document is damaged ({error!r})") from error
