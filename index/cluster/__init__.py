"""Workers on the nodes of a Ray cluster, which read and embed files for a run of ingestion."""

__all__ = ["node_reader", "ray_connection", "ray_workers"]
"""Modules that other packages may import."""
