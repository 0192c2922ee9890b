"""From files to a searchable index. Knows nothing of `qa`."""
