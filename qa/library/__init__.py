"""What people do with documents: index, upload, replace, tag, delete, follow."""

__all__ = [
    "document_status",
    "index_follower",
    "library",
    "upload_folder",
    "upload_service",
    "upload_worker",
]
"""Modules that other packages may import."""
