"""Where secrets are kept: one store a file."""
