"""User data in state.db: conversations, feedback, saved questions and queues; backups."""

__all__ = [
    "backup",
    "conversations",
    "database",
    "feedback",
    "gap_records",
    "message_queue",
    "quote_erasure",
    "saved_questions",
    "upload_jobs",
]
"""Modules that other packages may import."""
