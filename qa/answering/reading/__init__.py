"""Reading: the cross-encoder, its model, and the spans that it finds in passages."""

__all__ = [
    "careful_weights",
    "cascade",
    "reader",
    "reader_conversion",
    "reader_model",
    "span_borders",
    "span_decoding",
]
"""Modules that other packages may import."""
