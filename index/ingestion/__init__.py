"""Sources -> store: one ingestion run, and the watcher that repeats it as files change."""
