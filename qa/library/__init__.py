"""Work on documents: index, upload, replace, tag, delete, follow."""

__all__ = [
    "document_status",
    "documents",
    "index_follower",
    "listener",
    "migration",
    "sample",
    "state_migration",
    "stores",
    "upload_folder",
    "upload_quota",
    "upload_service",
    "upload_worker",
]
"""Modules that other packages may import."""
