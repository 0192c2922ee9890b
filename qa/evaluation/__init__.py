"""Evaluation on questions with known answers: the `qa eval` reports and `qa calibrate`."""

__all__ = [
    "answer_report",
    "calibrate",
    "cases",
    "dialogue_report",
    "figures",
    "html_report",
    "metrics",
    "noise",
    "pool",
    "question_sampling",
    "reader_report",
    "retrieval_report",
    "rewrite_report",
    "selective_metrics",
    "squad",
]
"""Modules that other packages may import."""
