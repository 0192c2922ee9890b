"""File system support: stamps, checksums, locks, portable paths and disk errors."""

__all__ = ["checksums", "disk_errors", "file_names", "file_stamp", "locks", "portable_path"]
"""Modules that other packages may import."""
