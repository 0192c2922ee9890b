"""A question -> an answer or a refusal: retriever, reader, confidence, decision, citations."""

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
    "reader",
    "reader_conversion",
    "reader_model",
    "retriever",
    "source_freshness",
    "span_decoding",
]
"""Modules that other packages may import."""
