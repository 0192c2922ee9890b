"""Proof of quotes: checks against the source file, audit bundles, rendered source pages."""

__all__ = ["audit_bundle", "quote_check", "source_pages"]
"""Modules that other packages may import."""
