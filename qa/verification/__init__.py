"""Proof of quotes: checks against the source file, audit bundles, rendered source pages."""
