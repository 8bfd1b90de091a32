"""Vendors' APIs at the wire: each refuses what the real one refuses, in its words."""
