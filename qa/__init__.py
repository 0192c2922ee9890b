"""Questions -> quoted answers. `qa.bootstrap` puts the parts together."""
