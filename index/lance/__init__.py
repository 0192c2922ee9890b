"""Shared store on LanceDB: a folder or an object store, many readers and writers at once."""

__all__ = ["backend", "integrity", "limited", "passages", "snapshot"]
"""Modules that other packages may import."""
