"""Honeycomb's side: datasets, columns, saved queries and one board, made with a configuration key."""
