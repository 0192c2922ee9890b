"""Access control: principals, keys, sessions, rates, the audit log, and the one check of all."""

__all__ = ["audit_log", "gatekeeper", "key_store", "principal"]
"""Modules that other packages may import."""
