"""HTTP: thin handlers over the capabilities, one module a resource."""
