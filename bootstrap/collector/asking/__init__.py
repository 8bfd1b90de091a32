"""Questions about what is stored, and the search for their answers."""
