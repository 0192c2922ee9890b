"""Ingestion of sources into the store: one run, and the watcher that repeats it."""
