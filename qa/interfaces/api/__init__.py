"""HTTP interface: thin request handlers, one module per resource."""
