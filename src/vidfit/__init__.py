"""vidfit."""
