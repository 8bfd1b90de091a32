"""What arrives: its records, ids and attributes, what is masked in it, and how much of it there may be."""
