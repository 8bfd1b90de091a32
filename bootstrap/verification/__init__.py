"""Checks that read evidence back from a vendor."""
