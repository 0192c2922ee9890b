"""Loading of files as documents; formats other than text are read in a sandbox process."""
