"""Retrieval: the passages nearest to a question, of both stores, their words and their files."""

__all__ = [
    "retriever",
    "searched_passages",
    "shared_retriever",
    "source_freshness",
    "spelling",
]
"""Modules that other packages may import."""
