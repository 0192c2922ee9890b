"""The sample document, which answers while nothing is indexed and never enters an index.

It is indexed in a temporary folder, which is deleted when the question is answered.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from index.ingestion.report import Reporter
from index.models.encoder import Encoder
from qa.library.documents import index_paths
from qa.settings import Settings

NOTE = (
    "Nothing is indexed yet: this is from the sample document. "
    "Index your own with `qa index PATH` or on the page."
)
"""Note on every answer from the sample."""
SAMPLE_QUESTIONS = (
    "How much will Amazon invest in Anthropic?",
    "What caused some investors to worry?",
    "How did Amazon's stock price react?",
)
"""Questions that the sample answers."""
FOLDER = "sample"


def sample_documents() -> Path | None:
    """Return the folder of the sample: `seeds/` of the checkout or its copy in the package."""
    package = Path(__file__).resolve().parents[1]
    packaged, checkout = package / FOLDER, package.parent
    if packaged.is_dir():
        return packaged
    is_checkout = (checkout / "pyproject.toml").is_file() and (checkout / "seeds").is_dir()
    return checkout / "seeds" if is_checkout else None


def sample_text() -> str | None:
    """Return the text of the sample document, None if it is not installed."""
    folder = sample_documents()
    files = sorted(folder.glob("*.txt")) if folder else []
    return files[0].read_text("utf-8") if files else None


@contextmanager
def sample_settings(settings: Settings, encoder: Encoder) -> Iterator[Settings | None]:
    """Yield settings whose data directory holds the sample alone, for the length of the block.

    Yields None if the sample is not installed.
    """
    folder = sample_documents()
    if folder is None:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="quoted-sample-") as data:
        own = replace(settings, data=Path(data))
        index_paths(own, encoder, [folder], Reporter())
        yield own
