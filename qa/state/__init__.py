"""User data: conversations, feedback, saved questions and queues; backups."""

__all__ = [
    "backup",
    "connections",
    "conversations",
    "database",
    "feedback",
    "gap_records",
    "message_queue",
    "quote_erasure",
    "saved_questions",
    "sql",
    "state_copy",
    "upload_jobs",
]
"""Modules that other packages may import."""
