"""The manifest: found, read, checked against itself; every error names the whole path of its key."""
