"""A question -> an answer or a refusal: retrieval, reading, confidence, decision, citations."""

__all__ = [
    "answer_types",
    "calibration",
    "cancellation",
    "citations",
    "decision",
    "features",
    "kinds",
    "languages",
    "live_pipeline",
    "pipeline",
    "question",
    "reading",
    "retrieval",
]
"""Modules that other packages may import."""
