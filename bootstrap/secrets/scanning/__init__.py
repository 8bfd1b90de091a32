"""Finds leaked secrets in bytes: a project's own values, and what the tokens of its vendors look like."""
