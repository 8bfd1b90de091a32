"""Runs a project's services: one engine a file."""
