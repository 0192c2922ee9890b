"""Dense and lexical retrieval: FAISS and BM25 indexes, their files, and score fusion."""

__all__ = [
    "bm25",
    "copies",
    "fusion",
    "index_cache",
    "index_file",
    "scope",
    "segments",
    "vector_index",
    "vocabulary",
    "vocabulary_file",
]
"""Modules that other packages may import."""
