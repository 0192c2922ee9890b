"""A quote -> proof: checks against the source file, audit bundles, rendered source pages."""
