"""A follow-up question -> a standalone question, by rules."""

__all__ = [
    "conversation",
    "ellipsis",
    "example_questions",
    "phrases",
    "query_rewriting",
    "question_making",
]
"""Modules that other packages may import."""
