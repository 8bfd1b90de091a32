"""What the verbs about secrets mean."""
