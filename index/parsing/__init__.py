"""A path -> a Document; formats other than text are read in a sandbox process."""
